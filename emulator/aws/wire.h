/* wire.h - bytes to call and back, per AWS protocol. */
#ifndef PUDDLE_WIRE_H
#define PUDDLE_WIRE_H
#include "call.h"

struct wire_identity { /* who and where a request says it is */
    struct str account, region, access_key, service;
};
/* From Authorization or X-Amz-Credential; account is the key id if that is 12 digits, else
 * default_account; region "us-east-1" and service STR_NONE when there is no credential scope. */
void wire_identify(const struct http_req *req, struct arena *a, struct str default_account,
                   struct wire_identity *ret);

/* JSON 1.0/1.1 (X-Amz-Target): op and input of c from the request. False with c->err set: the
 * request is refused in the order of facts/dynamodb.md 13 (content type and body before the
 * operation; authentication is checked by the caller through auth between the two halves). */
typedef bool wire_auth_fn(void *arg, struct call *c);
void wire_json_run(struct call *c, struct str op_name, wire_auth_fn *auth, void *auth_arg);
void wire_json_reply(struct call *c, struct http_resp *ret_resp);

/* REST-JSON: finds the operation by method and path. No match: returns NULL. */
struct wire_rest_match;
const struct op *wire_rest_find(const struct service *svc, const struct http_req *req,
                                struct arena *a, struct wire_rest_match **ret_match);
/* True if the model has an operation at this method and path that we do not implement: its name. */
const char *wire_rest_known_op(const struct service *svc, const struct http_req *req,
                               struct arena *a);
void wire_rest_run(struct call *c, struct wire_rest_match *match, wire_auth_fn *auth,
                   void *auth_arg);
void wire_rest_reply(struct call *c, struct http_resp *ret_resp);
/* wire_json_reply or wire_rest_reply, by the service's protocol. */
void wire_reply(struct call *c, struct http_resp *ret_resp);
#endif
