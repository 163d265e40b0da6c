/* rest_live.h - a stage of a REST API compiled for serving (private to rest_*.c). Counted: a
 * request that waits keeps its stage, although a change may have replaced it meanwhile. */
#ifndef PUDDLE_REST_LIVE_H
#define PUDDLE_REST_LIVE_H
#include "gw_store.h"
#include "regex.h"
#include "vtl.h"

enum rest_integration_type { REST_AWS_PROXY, REST_AWS, REST_HTTP_PROXY, REST_HTTP, REST_MOCK };
enum rest_passthrough { PASS_NO_MATCH, PASS_NO_TEMPLATES, PASS_NEVER };
enum rest_convert { CONVERT_NONE, CONVERT_TO_TEXT, CONVERT_TO_BINARY };

struct rest_template {
    struct str content_type;
    struct vtl_template *body; /* NULL: it does not parse; using it fails the request */
};
struct rest_templates {
    struct rest_template *all;
    size_t count;
};
struct rest_integration_response {
    struct str status;
    struct regex *pattern; /* NULL: the default response */
    bool broken_pattern;
    struct jval parameters;
    struct rest_templates templates;
    enum rest_convert convert;
};
struct rest_authorizer {
    struct str id, name, uri, identity_source, validation;
    struct regex *token_pattern; /* of identityValidationExpression; NULL: none */
    bool is_token;
    struct str *issuers; /* of user pools; other types have none */
    size_t issuer_count;
    int64_t ttl_ms;
    struct map results; /* identity -> struct rest_auth_result */
};
struct rest_method {
    struct str http_method, operation_name;
    enum { REST_AUTH_NONE, REST_AUTH_IAM, REST_AUTH_CUSTOM, REST_AUTH_COGNITO } auth;
    struct rest_authorizer *authorizer; /* NULL: it is gone */
    struct jval scopes;                 /* authorizationScopes */
    bool key_required, check_body, check_params;
    struct str bucket; /* of the stage's throttling; empty: none */
    double rate, burst;
    struct jval request_params; /* "method.request.header.x" -> required? */
    struct jval request_models; /* content type -> model name */
    struct jval responses;      /* methodResponses */
    /* the integration */
    enum rest_integration_type type;
    struct str uri, integration_method, credentials;
    int64_t timeout_ms;
    bool is_post; /* integrationHttpMethod is POST: what Lambda asks for */
    struct jval integration_params;
    struct rest_templates templates;
    enum rest_passthrough passthrough;
    enum rest_convert convert;
    struct rest_integration_response *integration_responses;
    size_t integration_response_count;
};
struct rest_live {
    struct arena *arena;
    size_t refs;
    struct str api_id, name, account, region, deployment_id;
    struct gw_pair *variables;
    size_t variable_count;
    struct str *binary_types;
    size_t binary_count;
    bool is_disabled, key_from_authorizer;
    int64_t compress_above;                /* minimumCompressionSize; -1: no compression */
    struct jval models, gateway_responses; /* by name, by type */
    struct rest_authorizer **authorizers;
    size_t authorizer_count;
    struct jval policy; /* the resource policy's document; absent: none */
    struct route_tree *routes;
};
/* NULL: no such API or stage. Not counted: rest_live_ref to keep it. */
struct rest_live *rest_live_find(struct gateway *g, struct str api_id, struct str stage);
void rest_live_ref(struct rest_live *s);
void rest_live_unref(struct rest_live *s);
void rest_live_drop_all(struct gateway *g);
/* The API as it is now, without a deployment: for TestInvokeMethod. The caller's reference. */
struct rest_live *rest_live_draft(struct gateway *g, struct str api_id);
/* rest_throttle.c: the limits that the stage's methodSettings put on a method at a path. */
void rest_throttle_read(struct rest_live *s, struct jval all, struct str path,
                        struct rest_method *m);
/* Takes a token of the bucket of that name, which holds burst at first and fills by rate a second;
 * false: there is none. */
bool rest_take_token(struct gateway *g, struct str name, double rate, double burst);
/* The snapshot of an API: what CreateDeployment keeps. False: it is too large. */
bool rest_snapshot(struct gateway *g, struct str api, struct arena *a, struct buf *out);
#endif
