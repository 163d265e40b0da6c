/* v2_request.h - one request to an HTTP API on its way (private to v2_*.c): authorize, integrate,
 * reply. It has an arena of its own, because a function may run longer than the client is let wait.
 */
#ifndef PUDDLE_V2_REQUEST_H
#define PUDDLE_V2_REQUEST_H
#include "event_v2.h"
#include "jwt.h"
#include "net_fetch.h"
#include "reply_v2.h"
#include "v2_live.h"
#include "v2_params.h"

struct v2_request {
    bool by_domain; /* has come by a custom domain name */
    struct gateway *g;
    struct net_exchange *x; /* NULL once answered */
    struct arena *arena;
    struct v2_live *stage; /* counted */
    const struct v2_route_live *route;
    struct str path; /* without the stage */
    struct event_v2 event;
    struct http_req req; /* a copy: what it points to lives in the arena */
    struct timer timer;
    struct wait wait;
    struct rie_result result;
    struct fetch_request fetch;
    struct fetch_result fetched;
    struct str auth_key; /* of the cache of authorizer results; empty: not cached */
    struct jwt token;
    bool discovered; /* the issuer's discovery document has been read */
};
/* v2_handle.c */
/* The request is over: resp gets the API's own headers and goes out. */
void v2_answer_with(struct v2_request *r, struct http_resp *resp);
/* The event of payload format 1.0; method_arn and identity for authorizers, else empty. */
void v2_write_event_v1(struct v2_request *r, struct str method_arn, const struct str *identity,
                       size_t identity_count, struct buf *out);
/* The function that a uri means (its ARN, or the invoke ARN around it), stage variables filled in.
 * False: it is none. */
bool v2_function_of(const struct v2_live *s, struct str uri, struct arena *a,
                    struct rie_request *ret);
void v2_integrate(struct v2_request *r);
/* What mapping expressions and identity sources read; resp NULL: there is no response yet. */
void v2_source_of(struct v2_request *r, const struct http_resp *resp, struct v2_source *ret);
/* {"message": ...}; the request is over. */
void v2_fail(struct v2_request *r, uint16_t status, const char *message);
/* v2_authorize.c: goes on with v2_integrate, now or later, or answers. */
void v2_authorize(struct v2_request *r);
/* v2_jwks.c: the issuer's keys if they are at hand, else NULL. */
const struct jwks *v2_jwks_find(struct gateway *g, struct str issuer);
/* Keeps a key set that was fetched. */
const struct jwks *v2_jwks_keep(struct gateway *g, struct str issuer, struct str text);
void v2_jwks_release(struct gateway *g);
#endif
