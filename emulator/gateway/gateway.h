/* gateway.h - API Gateway: management operations (v1) and the data plane. */
#ifndef PUDDLE_GATEWAY_H
#define PUDDLE_GATEWAY_H
#include "db.h"
#include "net.h"
#include "rie.h"

struct gateway;
struct gateway *gateway_new(struct db *db, struct rie *rie, char *reterr, size_t reterr_size);
void gateway_free(struct gateway *g); /* before db_close */
/* The loop whose timers end integrations that take too long (29 s). Without it (unit tests) an
 * integration is waited for as long as the function runs. */
void gateway_set_loop(struct gateway *g, struct loop *loop);
struct service *gateway_service(struct gateway *g);    /* apigateway (REST APIs, v1) */
struct service *gateway_service_v2(struct gateway *g); /* apigatewayv2 (HTTP APIs) */
/* For integrations and key sets over HTTP. Without it (unit tests) they fail. */
void gateway_set_net(struct gateway *g, struct net *n);
/* Is the request signed (SigV4, service execute-api) by a key we know? Fills who signed. Without it
 * every well-formed signature counts. */
typedef bool gateway_auth_fn(void *arg, const struct http_req *req, struct arena *a,
                             struct str *ret_access_key);
void gateway_set_auth(struct gateway *g, gateway_auth_fn *fn, void *arg);
/* The service that an integration of type AWS names ("dynamodb"); NULL: there is none. */
typedef struct service *gateway_find_service_fn(void *arg, struct str id);
void gateway_set_find_service(struct gateway *g, gateway_find_service_fn *fn, void *arg);
/* Key sets of token issuers from files: "issuer=path" each. The array must live as long as g. */
void gateway_set_jwks_files(struct gateway *g, const char *const *entries, size_t count);
/* Where this server is ("http://127.0.0.1:4566"): apiEndpoint of HTTP APIs is below it. */
void gateway_set_url(struct gateway *g, const char *base_url);
size_t gateway_api_count(const struct gateway *g);
bool gateway_reset(struct gateway *g);

/* A request for a deployed stage: path is the raw path after the stage ("/" + rest, or empty).
 * Replies on x, now or later. stage_in_path: the client's path carried the stage
 * (requestContext.path has it either way). An unknown API or stage answers as AWS does. */
void gateway_handle(struct gateway *g, struct net_exchange *x, struct str api_id, struct str stage,
                    struct str path);
bool gateway_has_api(const struct gateway *g, struct str api_id);
/* Is host a custom domain name? Then the API, stage and path that its base path mappings mean (no
 * API: empty). */
bool gateway_domain(struct gateway *g, struct str host, struct str path, struct arena *a,
                    struct str *ret_api, struct str *ret_stage, struct str *ret_path);
/* The API that unsigned requests on other paths go to (DESIGN 1.2 rule 7): set by the template when
 * it defines exactly one. */
void gateway_set_default(struct gateway *g, struct str api_id, struct str stage);
bool gateway_default(const struct gateway *g, struct str *ret_api_id, struct str *ret_stage);
/* For puddle status: an array of {id, name, protocol, stages, urls}. */
void gateway_write_status(struct gateway *g, struct json_out *out);
#endif
