/* TestInvokeAuthorizer: runs an authorizer as it is now and tells what it says. */
#include "apigateway_model.h"
#include "clock.h"
#include "ops_test.h"

enum { LOG_MAX = 1 << 20 };

struct test { /* lives in the call's arena */
    struct call *call;
    struct rest_request *request;
    struct rest_live *draft;
    struct rest_auth_probe probe;
    struct route route;
    struct route_method route_method;
    struct rest_method method;
    int64_t started_us;
};

static void done(struct rest_request *r, struct http_resp *resp)
{
    struct test *t = r->done_arg;
    struct call *c = t->call;
    struct jval claims;
    json_obj(&c->out, NULL);
    json_i64(&c->out, "clientStatus", resp->status);
    json_str(&c->out, "log", event_text(c->arena, buf_view(r->log)));
    json_i64(&c->out, "latency", (clock_mono_us() - t->started_us) / 1000);
    if (t->probe.principal.p != NULL)
        json_str(&c->out, "principalId", event_text(c->arena, t->probe.principal));
    if (t->probe.policy.p != NULL)
        json_str(&c->out, "policy", event_text(c->arena, t->probe.policy));
    if (t->probe.claims.p != NULL &&
        json_parse(c->arena, t->probe.claims, JSON_DEPTH_DEFAULT, &claims, NULL))
        json_copy(&c->out, "claims", jval_get(claims, "claims"));
    json_end(&c->out);
    wait_fire(&c->wait, WAIT_READY);
}

static enum call_status resume(struct call *c, enum wait_end how)
{
    struct test *t = c->scratch;
    rest_request_free(t->request);
    rest_live_unref(t->draft);
    if (how == WAIT_CANCELLED)
        return CALL_FAIL(c, c->svc->internal_error, "The test was cancelled.");
    return CALL_DONE;
}

static struct rest_authorizer *find(const struct rest_live *draft, struct str id)
{
    for (size_t i = 0; i < draft->authorizer_count; i++) {
        if (str_eq(draft->authorizers[i]->id, id))
            return draft->authorizers[i];
    }
    return NULL;
}

/* A method that has the authorizer, at the root: a test names none. */
static void build_method(struct test *t, struct rest_authorizer *authorizer)
{
    bool pool = authorizer->issuer_count > 0;
    t->method = (struct rest_method){.http_method = STR("GET"),
                                     .auth = pool ? REST_AUTH_COGNITO : REST_AUTH_CUSTOM,
                                     .authorizer = authorizer};
    t->route_method = (struct route_method){.http_method = STR("GET"), .own = &t->method};
    t->route = (struct route){.resource_id = STR("test-invoke-resource-id"),
                              .resource_path = STR("/"),
                              .methods = &t->route_method,
                              .method_count = 1};
    t->request->match = (struct route_match){.route = &t->route, .method = &t->route_method};
    t->request->method = &t->method;
}

enum call_status gw_test_invoke_authorizer(struct call *c)
{
    struct str api, id = gw_in(c, "authorizerId");
    struct jval doc;
    struct http_req req;
    if (!gw_need_api(c, &api, NULL, NULL) ||
        !gw_need_doc(c, api, GW_AUTHORIZER, id, "Invalid Authorizer identifier specified", NULL,
                     &doc))
        return CALL_FAILED;
    struct test *t = ARENA_NEW(c->arena, struct test);
    *t = (struct test){.call = c,
                       .probe = {STR_NONE, STR_NONE, STR_NONE},
                       .started_us = clock_mono_us(),
                       .draft = rest_live_draft(c->svc->state, api)};
    struct rest_authorizer *authorizer = t->draft == NULL ? NULL : find(t->draft, id);
    if (authorizer == NULL) {
        if (t->draft != NULL)
            rest_live_unref(t->draft);
        gw_fail_store(c);
        return CALL_FAILED;
    }
    test_set_variables(c, t->draft);
    test_build_request(c, STR("GET"), STR("/"), &req);
    t->request = rest_request_new(c->svc->state, t->draft, &req, req.path);
    t->request->done = done;
    t->request->done_arg = t;
    t->request->probe = &t->probe;
    t->request->log = arena_new_buf(t->request->arena, LOG_MAX);
    build_method(t, authorizer);
    c->scratch = t;
    enum call_status parked = call_park(c, resume);
    rest_log(t->request, "Starting authorizer: %.*s", STR_ARG(id));
    if (authorizer->issuer_count > 0)
        rest_authorize_cognito(t->request);
    else
        rest_authorize_lambda(t->request);
    return parked;
}
