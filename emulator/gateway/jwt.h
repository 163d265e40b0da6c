/* jwt.h - JSON Web Tokens: parsing, keys of a JWKS document, signatures (RFC 7515, 7517, 7518).
 * RS256/384/512 and ES256/384 by OpenSSL. Pure; what a claim means is the authorizer's. */
#ifndef PUDDLE_JWT_H
#define PUDDLE_JWT_H
#include "json.h"

struct jwt {
    struct jval header, claims;
    struct str alg, kid; /* kid empty: none */
    struct str signed_part, signature;
};
/* Three base64url parts, the first two JSON objects. Views and copies in a. */
bool jwt_parse(struct str token, struct arena *a, struct jwt *ret);

struct jwks;
/* Keys that we cannot use (other kinds, curves, "use":"enc") are left out. Freed with a. False: the
 * text is no JWKS document. */
bool jwks_parse(struct str text, struct arena *a, struct jwks **ret);
size_t jwks_count(const struct jwks *keys);
/* Is the signature that of one of the keys (of kid, if the token names one) by the token's own
 * algorithm? "none" and HMAC are never accepted. */
bool jwt_verify(const struct jwt *t, const struct jwks *keys);
#endif
