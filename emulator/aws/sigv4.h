/* sigv4.h - AWS Signature Version 4: form checks always, verification on request.
 * Source: "Authenticating Requests (AWS Signature Version 4)" and facts/reliability.md section 3.
 */
#ifndef PUDDLE_SIGV4_H
#define PUDDLE_SIGV4_H
#include "aws_err.h"
#include "http.h"

struct sigv4_key {
    struct str access_key, secret_key, session_token; /* session_token empty: long-term key */
};
struct sigv4_keys {
    struct sigv4_key *keys;
    size_t count;
};
struct sigv4_opts {
    const struct sigv4_keys *keys; /* NULL: lax, the form is checked but no signature           */
    struct str service;            /* expected scope service; empty: any                        */
    struct str region;             /* expected scope region; empty: any                         */
    int64_t now_ms;
    bool single_encode_path; /* S3: the path is not encoded twice                               */
    bool normalize_path;     /* remove dot segments and double slashes (all but S3)             */
    bool unsigned_payload_ok;
    bool token_unsigned; /* query form: the session token was added after signing (sigv4_check
                            tries both) */
    bool rest; /* REST services (Lambda, API Gateway, S3) refuse with 403, JSON ones with 400   */
};
/* Everything AWS checks about authentication, in AWS's order. False with *err set. Without keys
 * (lax) only what makes a request malformed is refused: no authentication at all, missing or
 * unreadable parts. */
bool sigv4_check(const struct http_req *req, const struct sigv4_opts *opts, struct arena *a,
                 struct aws_err *err);
/* The parts, exposed for the published vectors. */
struct str sigv4_canonical_request(const struct http_req *req, const struct sigv4_opts *opts,
                                   struct str signed_headers, struct str payload_hash,
                                   bool is_query_form, struct arena *a);
struct str sigv4_string_to_sign(struct str canonical, struct str amz_date, struct str scope,
                                struct arena *a);
struct str sigv4_signature(struct str secret, struct str scope, struct str string_to_sign,
                           struct arena *a); /* hex */
#endif
