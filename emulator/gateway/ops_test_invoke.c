/* TestInvokeMethod: runs a method as it is now, without a deployment, and tells what happened. */
#include "apigateway_model.h"
#include "clock.h"
#include "ops_test.h"
#include "panic.h"
#include <string.h>

enum { LOG_MAX = 1 << 20 };

struct test { /* lives in the call's arena */
    struct call *call;
    struct rest_request *request;
    struct rest_live *draft;
    int64_t started_us;
};

static void add_header(struct http_req *req, struct arena *a, struct str name, struct str value)
{
    struct http_header *more = ARENA_ARRAY(a, struct http_header, req->header_count + 1);
    if (req->header_count > 0)
        memcpy(more, req->headers, req->header_count * sizeof *more);
    more[req->header_count++] = (struct http_header){name, value};
    req->headers = more;
}

void test_build_request(struct call *c, struct str method, struct str resource_path,
                        struct http_req *ret)
{
    struct jval headers = jval_get(c->in, "headers"), it = {0}, one;
    struct jval multi = jval_get(c->in, "multiValueHeaders");
    struct str target = gw_in(c, "pathWithQueryString");
    if (target.n == 0)
        target = resource_path;
    *ret = (struct http_req){.method = method,
                             .target = target,
                             .query = target,
                             .body = gw_in(c, "body"),
                             .host = STR("testPrefix.testDomainName"),
                             .peer_ip = STR("test-invoke-source-ip")};
    ret->path = str_cut(&ret->query, '?');
    if (ret->path.n == 0 || ret->path.p[0] != '/')
        ret->path = arena_fmt(c->arena, "/%.*s", STR_ARG(ret->path));
    while (jval_kind(headers) == JSON_OBJECT && jval_next(headers, &it, NULL))
        add_header(ret, c->arena, jval_key_str(it, c->arena), jval_text(it, c->arena));
    it = (struct jval){0};
    while (jval_kind(multi) == JSON_OBJECT && jval_next(multi, &it, NULL)) {
        for (one = (struct jval){0}; jval_kind(it) == JSON_ARRAY && jval_next(it, &one, NULL);)
            add_header(ret, c->arena, jval_key_str(it, c->arena), jval_text(one, c->arena));
    }
}

void test_set_variables(struct call *c, struct rest_live *draft)
{
    struct jval variables = jval_get(c->in, "stageVariables"), it = {0};
    draft->variables = ARENA_ARRAY(draft->arena, struct gw_pair, jval_count(variables) + 1);
    while (jval_kind(variables) == JSON_OBJECT && jval_next(variables, &it, NULL))
        draft->variables[draft->variable_count++] =
            (struct gw_pair){arena_str(draft->arena, jval_key_str(it, c->arena)),
                             arena_str(draft->arena, jval_text(it, c->arena))};
}

static void write_headers(struct call *c, const struct http_resp *resp)
{
    json_obj(&c->out, "headers");
    for (size_t i = 0; i < resp->header_count; i++) {
        bool repeated = false;
        for (size_t k = i + 1; k < resp->header_count; k++)
            repeated |= str_case_eq(resp->headers[i].name, resp->headers[k].name);
        if (repeated) /* the last one counts */
            continue;
        json_key(&c->out, event_text(c->arena, resp->headers[i].name));
        json_str(&c->out, NULL, event_text(c->arena, resp->headers[i].value));
    }
    json_end(&c->out);
    json_obj(&c->out, "multiValueHeaders");
    for (size_t i = 0; i < resp->header_count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= str_case_eq(resp->headers[i].name, resp->headers[k].name);
        if (seen)
            continue;
        json_key(&c->out, event_text(c->arena, resp->headers[i].name));
        json_arr(&c->out, NULL);
        for (size_t k = i; k < resp->header_count; k++) {
            if (str_case_eq(resp->headers[i].name, resp->headers[k].name))
                json_str(&c->out, NULL, event_text(c->arena, resp->headers[k].value));
        }
        json_end(&c->out);
    }
    json_end(&c->out);
}

static void done(struct rest_request *r, struct http_resp *resp)
{
    struct test *t = r->done_arg;
    struct call *c = t->call;
    rest_log(r, "Method completed with status: %u", resp->status);
    json_obj(&c->out, NULL);
    json_i64(&c->out, "status", resp->status);
    json_str(&c->out, "body", event_text(c->arena, resp->body));
    write_headers(c, resp);
    json_str(&c->out, "log", event_text(c->arena, buf_view(r->log)));
    json_i64(&c->out, "latency", (clock_mono_us() - t->started_us) / 1000);
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

enum call_status gw_test_invoke_method(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct gw_target target;
    struct http_req req;
    struct str method;
    if (!gw_need_method(c, &target))
        return CALL_FAILED;
    if (!jval_present(jval_get(target.method_doc, "methodIntegration"))) {
        gw_bad(c, "No integration defined for method");
        return CALL_FAILED;
    }
    struct test *t = ARENA_NEW(c->arena, struct test);
    t->call = c;
    t->started_us = clock_mono_us();
    t->draft = rest_live_draft(g, target.api);
    if (t->draft == NULL) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    test_set_variables(c, t->draft);
    method = str_eq_c(target.method, "ANY") ? STR("POST") : target.method;
    test_build_request(c, method, jval_text(jval_get(target.resource, "path"), c->arena), &req);
    t->request = rest_request_new(g, t->draft, &req, req.path);
    t->request->done = done;
    t->request->done_arg = t;
    t->request->log = arena_new_buf(t->request->arena, LOG_MAX);
    c->scratch = t;
    enum call_status parked = call_park(c, resume);
    rest_log(t->request, "Starting execution for request: %.*s",
             STR_ARG(t->request->event.request_id));
    rest_log(t->request, "HTTP Method: %.*s, Resource Path: %.*s", STR_ARG(method),
             STR_ARG(req.path));
    rest_start(t->request);
    return parked;
}
