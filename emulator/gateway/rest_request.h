/* rest_request.h - one request to a REST API on its way (private to rest_*.c): authorize, check the
 * API key, validate, integrate, map the response. It has an arena of its own, because an
 * integration may run longer than the client is let wait. */
#ifndef PUDDLE_REST_REQUEST_H
#define PUDDLE_REST_REQUEST_H
#include "gw_event.h"
#include "gw_policy.h"
#include "net_fetch.h"
#include "rest_live.h"
#include "rest_reply.h"

struct rest_request;
/* Who gets the response: the exchange, or TestInvokeMethod. What resp points to is in r->arena or
 * the stage's, which live until rest_request_free. */
typedef void rest_done(struct rest_request *r, struct http_resp *resp);

/* What an authorizer has found, where that is all that is asked. */
struct rest_auth_probe {
    struct str principal, policy, claims; /* p == NULL: none; in the request's arena */
};

struct rest_request {
    struct gateway *g;
    struct arena *arena;
    struct rest_live *stage; /* counted */
    struct net_exchange *x;  /* NULL: answered, or TestInvokeMethod */
    rest_done *done;         /* NULL: x */
    void *done_arg;
    struct http_req req; /* a copy in arena */
    struct event_v1 event;
    struct route_match match;
    const struct rest_method *method; /* NULL: none matched */
    struct timer timer;
    struct wait wait;
    bool waiting, timed_out;
    struct rest_auth_probe *probe; /* TestInvokeAuthorizer; else NULL */
    bool policy_allows;            /* the API's resource policy does, explicitly */
    struct str denied_because;     /* for GW_POLICY_DENIED */
    struct rie_result result;
    struct fetch_request fetch;
    struct fetch_result fetched;
    struct call *call; /* an AWS service's operation under way */
    struct str auth_key, principal, usage_key, authorizer_key;
    struct str trace_id, validation_error, auth_error;
    /* the integration request, as templates and parameters made it */
    struct str integration_body;
    struct vtl_map *context; /* $context; NULL until a template needs it */
    struct buf *log;         /* of TestInvokeMethod; else NULL */
};

/* rest_handle.c */
struct rest_request *rest_request_new(struct gateway *g, struct rest_live *s,
                                      const struct http_req *req, struct str path);
void rest_request_free(struct rest_request *r);
void rest_start(struct rest_request *r); /* from authorization on */
void rest_finish(struct rest_request *r, struct http_resp *resp);
/* One of the API's own answers, as its gateway responses have it; the request is over. */
void rest_fail(struct rest_request *r, enum gw_answer what);
void rest_log(struct rest_request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Each of these steps goes on with the next, now or later, or ends the request. */
void rest_authorize(struct rest_request *r); /* rest_authorize.c */
/* rest_policy.c: false: the API's resource policy has ended the request. */
bool rest_check_policy(struct rest_request *r);
/* What conditions ask about; in r->arena. */
const struct policy_env *rest_policy_env(struct rest_request *r);
/* arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path> */
struct str rest_method_arn(struct rest_request *r);
void rest_authorize_lambda(struct rest_request *r);
void rest_authorize_cognito(struct rest_request *r); /* rest_cognito.c */
/* The authorizer of a probed request has answered: the request is over. */
void rest_probe_done(struct rest_request *r);
void rest_check_key(struct rest_request *r); /* rest_key.c */
void rest_validate(struct rest_request *r);  /* rest_validate.c */
void rest_integrate(struct rest_request *r); /* rest_integrate.c */
/* The integration has answered: selection is what patterns are matched with (the status code, or a
 * function's errorMessage; p == NULL: only the default response). rest_respond.c */
void rest_respond(struct rest_request *r, struct str selection, struct http_resp *from);

/* rest_mapping.c */
struct rest_outgoing { /* what templates and parameters make of the request */
    struct http_header *headers;
    size_t header_count, header_cap;
    struct gw_pair *path, *query; /* decoded */
    size_t path_count, query_count;
    struct str body;
};
/* "method.request.header.x", "'static'", "context.x", "stageVariables.x": its value. resp: of the
 * integration, for "integration.response...."; may be NULL. False: it is not there. */
bool rest_param_value(struct rest_request *r, struct str source, const struct http_resp *resp,
                      struct str *ret);
/* Runs a template; body is what $input reads. False: it failed (logged). */
bool rest_render(struct rest_request *r, const struct vtl_template *t, struct str body,
                 struct str *ret);
struct vtl_map *rest_context(struct rest_request *r);
/* A header, path or query override that a template has set in $context.<where>.<part>. */
struct vtl_map *rest_override(struct rest_request *r, const char *where, const char *part);
/* The decoded values of a query key, the last one; false: absent. */
bool rest_query_value(struct rest_request *r, struct str name, struct str *ret);
const struct gw_pair *rest_path_param(struct rest_request *r, struct str name);
#endif
