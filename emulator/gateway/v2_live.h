/* v2_live.h - a stage of an HTTP API compiled for serving (private to v2_*.c). Counted: a request
 * that waits keeps its stage, although a change may have replaced it meanwhile. */
#ifndef PUDDLE_V2_LIVE_H
#define PUDDLE_V2_LIVE_H
#include "cors_v2.h"
#include "gw_store.h"

struct v2_integration_live {
    bool lambda, payload_v2;
    struct str uri, method, credentials;
    int64_t timeout_ms;
    struct jval request_params, response_params;
};
struct v2_authorizer_live {
    struct str id, name;
    bool jwt, payload_v2, simple;
    struct str issuer, uri;
    struct str *audience, *sources;
    size_t audience_count, source_count;
    int64_t ttl_ms;
    struct map results; /* identity -> struct v2_auth_result: only with a TTL */
};
enum v2_auth { V2_AUTH_NONE, V2_AUTH_JWT, V2_AUTH_LAMBDA, V2_AUTH_IAM };
struct v2_throttle { /* a token bucket; rate 0: none */
    double rate, burst, tokens;
    int64_t filled_ms;
};
struct v2_route_live {
    struct str key;                                /* "GET /items/{id}" */
    const struct v2_integration_live *integration; /* NULL: the route has none */
    enum v2_auth auth;
    struct v2_authorizer_live *authorizer;
    struct str *scopes;
    size_t scope_count;
    struct v2_throttle *throttle;
};
struct v2_live {
    struct arena *arena;
    size_t refs;
    struct str api_id, name, account, region;
    bool is_disabled;
    struct gw_pair *variables;
    size_t variable_count;
    struct cors_v2 cors;
    struct route_tree *routes;
    const struct v2_route_live *fallback; /* $default; NULL: none */
};
/* NULL: no such HTTP API, stage, or nothing deployed to it. Not counted: v2_live_ref to keep it. */
struct v2_live *v2_live_find(struct gateway *g, struct str api_id, struct str stage);
void v2_live_ref(struct v2_live *s);
void v2_live_unref(struct v2_live *s);
void v2_live_drop_all(struct gateway *g);
/* Takes a token; false: too many requests. */
bool v2_throttle_take(struct v2_throttle *t);
#endif
