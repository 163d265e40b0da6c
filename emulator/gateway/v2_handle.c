/* The data plane of HTTP APIs: one request to a stage, from path to reply. */
#include "arn.h"
#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include "ids.h"
#include "log.h"
#include "panic.h"
#include "rest_reply.h"
#include "v2_request.h"
#include <string.h>

enum {
    BODY_MAX = 10 * 1024 * 1024, /* AWS: payload of an HTTP API request */
    EVENT_MAX = 80 * 1024 * 1024,
    ARENA_MAX = 512 * 1024 * 1024,
    ANSWER_MAX = 10 * 1024 * 1024,
};

/* ---- answering ---- */

static void free_request(void *arg)
{
    struct v2_request *r = arg;
    v2_live_unref(r->stage);
    arena_free(r->arena);
}

/* After the reply: the request's memory goes with the exchange's. If the client is gone already,
 * now. */
static void send(struct v2_request *r, const struct http_resp *resp)
{
    struct net_exchange *x = r->x;
    r->x = NULL;
    if (r->g->loop != NULL)
        timer_clear(r->g->loop, &r->timer);
    arena_defer(x->arena, free_request, r);
    net_reply(x, resp);
}

void v2_answer_with(struct v2_request *r, struct http_resp *resp)
{
    cors_v2_apply(&r->stage->cors, &r->req, r->arena, resp);
    http_resp_add(resp, r->arena, STR("apigw-requestid"), r->event.request_id);
    if (r->x != NULL)
        send(r, resp);
    else
        free_request(r); /* the timeout has answered */
}

void v2_fail(struct v2_request *r, uint16_t status, const char *message)
{
    struct http_resp resp = {0};
    reply_v2_message(status, message, r->arena, &resp);
    v2_answer_with(r, &resp);
}

/* The integration takes too long: the client is answered, the request lives on until its wait has
 * run. Everything the reply points to is copied, for it must outlive the request. */
static void timed_out(struct timer *t)
{
    struct v2_request *r = (struct v2_request *)((char *)t - offsetof(struct v2_request, timer));
    struct net_exchange *x = r->x;
    struct http_resp resp = {0};
    ASSERT(x != NULL);
    r->x = NULL;
    reply_v2_message(503, "Service Unavailable", x->arena, &resp);
    cors_v2_apply(&r->stage->cors, &r->req, x->arena, &resp);
    http_resp_add(&resp, x->arena, STR("apigw-requestid"),
                  arena_str(x->arena, r->event.request_id));
    for (size_t i = 0; i < resp.header_count; i++) {
        resp.headers[i].name = arena_str(x->arena, resp.headers[i].name);
        resp.headers[i].value = arena_str(x->arena, resp.headers[i].value);
    }
    net_reply(x, &resp);
}

static void answer_early(struct net_exchange *x, uint16_t status, const char *message)
{
    struct http_resp resp = {0};
    struct str request_id, extended_id;
    gw_make_ids(x->arena, &request_id, &extended_id);
    reply_v2_message(status, message, x->arena, &resp);
    http_resp_add(&resp, x->arena, STR("apigw-requestid"), extended_id);
    net_reply(x, &resp);
}

/* ---- parameters of responses ---- */

void v2_source_of(struct v2_request *r, const struct http_resp *resp, struct v2_source *ret)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    struct json_out w;
    struct jval root;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    event_v2_write_context(&r->event, r->arena, &w);
    json_end(&w);
    *ret = (struct v2_source){.req = &r->req,
                              .path_params = r->event.path_params,
                              .path_count = r->event.path_count,
                              .stage_variables = r->stage->variables,
                              .variable_count = r->stage->variable_count,
                              .path = r->path,
                              .resp = resp};
    if (json_parse(r->arena, buf_view(b), JSON_DEPTH_DEFAULT, &root, NULL))
        ret->context = jval_get(root, "requestContext");
    if (resp != NULL)
        json_parse(r->arena, resp->body, JSON_DEPTH_DEFAULT, &ret->resp_body, NULL);
}

static void finish(struct v2_request *r, struct http_resp *resp)
{
    const struct v2_integration_live *integration = r->route->integration;
    if (jval_kind(integration->response_params) == JSON_OBJECT) {
        struct v2_source source;
        v2_source_of(r, resp, &source);
        v2_params_response(&source, integration->response_params, r->arena, resp);
    }
    v2_answer_with(r, resp);
}

/* ---- Lambda ---- */

bool v2_function_of(const struct v2_live *s, struct str uri, struct arena *a,
                    struct rie_request *ret)
{
    static const char start[] = ":lambda:path/2015-03-31/functions/", end[] = "/invocations";
    struct str whole;
    struct arn arn;
    if (!gw_fill_variables(s->variables, s->variable_count, uri, a, &whole))
        return false;
    ptrdiff_t at = str_find_str(whole, str_c(start));
    if (at >= 0 && str_ends(whole, str_c(end)))
        whole = str_sub(whole, (size_t)at + sizeof start - 1, whole.n - (sizeof end - 1));
    if (!arn_parse(whole, &arn) || !str_eq_c(arn.service, "lambda"))
        return false;
    ret->function = whole;
    ret->account = arn.account;
    ret->region = arn.region;
    return true;
}

/* As sent, with the stage unless that is $default. */
static struct str whole_path(const struct v2_request *r)
{
    struct str stage = r->stage->name;
    if (r->by_domain) /* with the mapping's key */
        return r->req.path;
    if (str_eq_c(stage, "$default"))
        return r->path;
    return arena_fmt(r->arena, "/%.*s%.*s", STR_ARG(stage), STR_ARG(r->path));
}

void v2_write_event_v1(struct v2_request *r, struct str method_arn, const struct str *identity,
                       size_t identity_count, struct buf *out)
{
    struct str path = r->route->key;
    str_cut(&path, ' ');
    struct route route = {.resource_path = path.p == NULL ? STR("$default") : path};
    struct route_method method = {0};
    struct route_match match = {.route = &route,
                                .method = &method,
                                .params = (struct gw_pair *)(uintptr_t)r->event.path_params,
                                .param_count = r->event.path_count};
    struct event_v1 e = {.req = &r->req,
                         .path = whole_path(r),
                         .by_domain = r->by_domain,
                         .api_id = r->event.api_id,
                         .stage = r->event.stage,
                         .account = r->stage->account,
                         .region = r->stage->region,
                         .match = &match,
                         .variables = r->stage->variables,
                         .variable_count = r->stage->variable_count,
                         .body_is_binary =
                             !event_v2_is_text(http_req_header(&r->req, "Content-Type")) ||
                             !str_is_utf8(r->req.body),
                         .request_id = r->event.request_id,
                         .extended_id = r->event.request_id,
                         .trace_root = r->event.trace_root,
                         .authorizer = r->event.authorizer,
                         .now_ms = r->event.now_ms,
                         .http_api = true,
                         .method_arn = method_arn,
                         .identity = identity,
                         .identity_count = identity_count};
    event_v1_write(&e, r->arena, out);
}

static void invoked(struct wait *w, enum wait_end how)
{
    struct v2_request *r = (struct v2_request *)((char *)w - offsetof(struct v2_request, wait));
    struct http_resp resp = {0};
    if (how == WAIT_CANCELLED || r->result.err.kind != NULL) {
        if (r->result.err.kind != NULL)
            log_msg(LOG_WARN, "gateway", "the function could not be called: %s: %.*s",
                    r->result.err.kind->code, STR_ARG(r->result.err.message));
        v2_fail(r, 500, "Internal Server Error");
        return;
    }
    bool ok = r->result.function_error.n == 0 &&
              (r->route->integration->payload_v2
                   ? reply_map_v2(r->result.payload, r->arena, &resp)
                   : reply_map_v1(r->result.payload, true, STR(REPLY_HTTP_API_TYPE), r->arena,
                                  &resp) == REPLY_OK);
    if (ok) {
        finish(r, &resp);
        return;
    }
    if (r->result.function_error.n == 0)
        log_msg(LOG_WARN, "gateway", "malformed Lambda proxy response");
    v2_fail(r, 500, "Internal Server Error");
}

static void call_function(struct v2_request *r)
{
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE};
    struct buf *event = arena_new_buf(r->arena, EVENT_MAX);
    char parent[17];
    if (!v2_function_of(r->stage, r->route->integration->uri, r->arena, &invoke)) {
        v2_fail(r, 500, "Internal Server Error");
        return;
    }
    if (r->route->integration->payload_v2)
        event_v2_write(&r->event, r->arena, event);
    else
        v2_write_event_v1(r, STR(""), NULL, 0, event);
    ids_hex(parent, 16);
    invoke.payload = buf_view(event);
    invoke.trace_id =
        arena_fmt(r->arena, "Root=%.*s;Parent=%s;Sampled=0", STR_ARG(r->event.trace_root), parent);
    wait_arm(&r->wait, invoked);
    rie_invoke(r->g->rie, &invoke, r->arena, &r->result, &r->wait);
}

/* ---- HTTP ---- */

static void fetched(struct wait *w, enum wait_end how)
{
    struct v2_request *r = (struct v2_request *)((char *)w - offsetof(struct v2_request, wait));
    if (how == WAIT_READY && r->fetched.end == FETCH_OK) {
        finish(r, &r->fetched.resp);
        return;
    }
    log_msg(LOG_WARN, "gateway", "the HTTP integration %.*s failed: %.*s",
            STR_ARG(r->route->integration->uri), STR_ARG(r->fetched.why));
    v2_fail(r, r->fetched.end == FETCH_TIMEOUT ? 503 : 500,
            r->fetched.end == FETCH_TIMEOUT ? "Service Unavailable" : "Internal Server Error");
}

/* {name} and {name+} of the uri become the path parameters. */
static struct str fill_path(struct v2_request *r, struct str uri)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    while (uri.n > 0) {
        ptrdiff_t open = str_find(uri, '{');
        struct str rest = open < 0 ? STR_NONE : str_sub(uri, (size_t)open + 1, uri.n);
        ptrdiff_t close = open < 0 ? -1 : str_find(rest, '}');
        if (close < 0)
            break;
        struct str name = str_sub(rest, 0, (size_t)close);
        if (str_ends(name, STR("+")))
            name.n--;
        struct str whole = arena_fmt(r->arena, "{%.*s+}", STR_ARG(name));
        bool greedy = str_find_str(r->route->key, whole) >= 0;
        buf_add(b, str_sub(uri, 0, (size_t)open));
        for (size_t i = 0; i < r->event.path_count; i++) {
            if (str_eq(r->event.path_params[i].name, name))
                buf_add(b, codec_percent_encode(r->arena, r->event.path_params[i].value, greedy));
        }
        uri = str_sub(rest, (size_t)close + 1, rest.n);
    }
    buf_add(b, uri);
    return buf_view(b);
}

static bool is_forwarded(struct str name)
{
    static const char *const not [] = {
        "host",   "connection", "content-length", "transfer-encoding",
        "expect", "te",         "upgrade",        "keep-alive"};
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++) {
        if (str_case_eq(name, str_c(not [i])))
            return false;
    }
    return true;
}

static void call_url(struct v2_request *r)
{
    const struct v2_integration_live *integration = r->route->integration;
    struct v2_source source;
    struct str uri;
    if (r->g->net == NULL ||
        !gw_fill_variables(r->stage->variables, r->stage->variable_count, integration->uri,
                           r->arena, &uri) ||
        !fetch_url_parse(fill_path(r, uri), &r->fetch.url)) {
        v2_fail(r, 500, "Internal Server Error");
        return;
    }
    struct v2_outgoing out = {.path = r->fetch.url.path, .query = r->req.query};
    if (r->fetch.url.query.n > 0)
        out.query = r->req.query.n > 0
                        ? arena_fmt(r->arena, "%.*s&%.*s", STR_ARG(r->fetch.url.query),
                                    STR_ARG(r->req.query))
                        : r->fetch.url.query;
    out.headers = ARENA_ARRAY(r->arena, struct http_header, r->req.header_count + 2);
    out.header_cap = r->req.header_count + 2;
    for (size_t i = 0; i < r->req.header_count; i++) {
        if (is_forwarded(r->req.headers[i].name))
            out.headers[out.header_count++] = r->req.headers[i];
    }
    out.headers[out.header_count++] = (struct http_header){
        STR("forwarded"), arena_fmt(r->arena, "by=127.0.0.1;for=%.*s;host=%.*s;proto=http",
                                    STR_ARG(r->req.peer_ip), STR_ARG(r->event.domain))};
    v2_source_of(r, NULL, &source);
    v2_params_request(&source, integration->request_params, r->arena, &out);
    r->fetch.url.path = out.path.n > 0 ? out.path : STR("/");
    r->fetch.url.query = out.query;
    r->fetch.headers = out.headers;
    r->fetch.header_count = out.header_count;
    r->fetch.method = str_eq_c(integration->method, "ANY") ? r->req.method : integration->method;
    r->fetch.body = r->req.body;
    r->fetch.timeout_ms = integration->timeout_ms;
    r->fetch.max_body = ANSWER_MAX;
    wait_arm(&r->wait, fetched);
    fetch_start(r->g->net, &r->fetch, r->arena, &r->fetched, &r->wait);
}

void v2_integrate(struct v2_request *r)
{
    const struct v2_integration_live *integration = r->route->integration;
    if (integration == NULL) {
        v2_fail(r, 500, "Internal Server Error"); /* unverified: a route without an integration */
        return;
    }
    if (integration->lambda && r->g->loop != NULL) {
        r->timer.fn = timed_out;
        timer_set(r->g->loop, &r->timer, clock_mono_ms() + integration->timeout_ms);
    }
    if (integration->lambda)
        call_function(r);
    else
        call_url(r);
}

/* ---- routing ---- */

/* A stage's name is the path's first segment, if the API has that stage; else $default serves. */
static struct v2_live *find_stage(struct gateway *g, struct str api_id, struct str path,
                                  struct str *ret_path)
{
    struct str rest = str_sub(path, 1, path.n), name = str_cut(&rest, '/');
    struct v2_live *s = v2_live_find(g, api_id, name);
    *ret_path = rest.p == NULL ? STR("/") : (struct str){rest.p - 1, rest.n + 1};
    if (s != NULL)
        return s;
    *ret_path = path;
    return v2_live_find(g, api_id, STR("$default"));
}

static const struct v2_route_live *find_route(struct v2_live *s, const struct http_req *req,
                                              struct str path, struct arena *a,
                                              struct route_match *match)
{
    if (route_tree_match(s->routes, req->method, path, a, match))
        return match->method->own;
    *match = (struct route_match){0};
    return s->fallback;
}

static struct str domain_of(const struct v2_request *r, const struct v2_live *s, struct arena *a)
{
    struct str host = r->req.host;
    ptrdiff_t colon = str_rfind(host, ':');
    if (colon >= 0)
        host = str_sub(host, 0, (size_t)colon);
    if (r->by_domain || str_find_str(host, STR(".execute-api.")) > 0)
        return event_text(a, host);
    return arena_fmt(a, "%.*s.execute-api.%.*s.amazonaws.com", STR_ARG(s->api_id),
                     STR_ARG(s->region));
}

static struct v2_request *new_request(struct gateway *g, struct net_exchange *x, struct v2_live *s,
                                      const struct v2_route_live *route,
                                      const struct route_match *match, struct str path)
{
    struct arena *a = arena_new(0, ARENA_MAX);
    struct v2_request *r = ARENA_NEW(a, struct v2_request);
    struct str request_id, extended_id;
    *r = (struct v2_request){
        .g = g, .x = x, .arena = a, .stage = s, .route = route, .by_domain = gw_by_domain(g, x)};
    v2_live_ref(s);
    gw_copy_request(&x->req, a, &r->req);
    gw_make_ids(a, &request_id, &extended_id);
    r->path = arena_str(a, path);
    struct gw_pair *params = ARENA_ARRAY(a, struct gw_pair, match->param_count + 1);
    for (size_t i = 0; i < match->param_count; i++)
        params[i] = (struct gw_pair){
            match->params[i].name,
            event_text(a, codec_percent_decode(a, arena_str(a, match->params[i].value), false))};
    r->event = (struct event_v2){
        .req = &r->req,
        .route_key = route->key,
        /* decoded in format 2.0, as sent in format 1.0 and from function URLs (seen on AWS by the
         * tests of its .NET Lambda test tool; unverified: reports differ on format 1.0) */
        .raw_path = codec_percent_decode(a, whole_path(r), false),
        .http_api = true,
        .api_id = s->api_id,
        .account = s->account,
        .domain = domain_of(r, s, a),
        .stage = s->name,
        .request_id = extended_id, /* HTTP APIs show the short form */
        .trace_root = arena_str(a, gw_trace_root(&r->req, a, clock_now_ms())),
        .path_params = params,
        .path_count = match->param_count,
        .variables = s->variables,
        .variable_count = s->variable_count,
        .now_ms = clock_now_ms()};
    return r;
}

void gw2_handle(struct gateway *g, struct net_exchange *x, struct str api_id, struct str path)
{
    struct route_match match = {0};
    struct v2_live *s = find_stage(g, api_id, path, &path);
    if (s == NULL || (s->is_disabled && !gw_by_domain(g, x))) {
        answer_early(x, 404, "Not Found");
        return;
    }
    if (x->req.body.n > BODY_MAX) {
        answer_early(x, 413, "Request Entity Too Large");
        return;
    }
    if (s->cors.enabled && cors_v2_is_preflight(&x->req)) {
        struct http_resp resp = {0};
        struct str request_id, extended_id;
        gw_make_ids(x->arena, &request_id, &extended_id);
        cors_v2_preflight(&s->cors, &x->req, x->arena, &resp);
        http_resp_add(&resp, x->arena, STR("apigw-requestid"), extended_id);
        for (size_t i = 0; i < resp.header_count; i++) /* the stage may go before the reply does */
            resp.headers[i].value = arena_str(x->arena, resp.headers[i].value);
        net_reply(x, &resp);
        return;
    }
    const struct v2_route_live *route = find_route(s, &x->req, path, x->arena, &match);
    if (route == NULL) {
        struct v2_route_live none = {.key = STR("")};
        v2_fail(new_request(g, x, s, &none, &match, path), 404, "Not Found");
        return;
    }
    struct v2_request *r = new_request(g, x, s, route, &match, path);
    if (!v2_throttle_take(route->throttle))
        v2_fail(r, 429, "Too Many Requests");
    else
        v2_authorize(r);
}
