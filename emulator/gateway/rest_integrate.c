/* What a method calls: Lambda functions (proxy or not), other AWS services of ours, HTTP endpoints,
 * or nothing (MOCK). Also the mapping of the request on its way there. */
#include "arn.h"
#include "call.h"
#include "clock.h"
#include "codec.h"
#include "ids.h"
#include "log.h"
#include "rest_request.h"
#include "v2_request.h"
#include "wire.h"
#include <string.h>

enum {
    EVENT_MAX = 80 * 1024 * 1024, /* the body with every byte escaped; Lambda's own limit is 6 MB */
    ANSWER_MAX = 10 * 1024 * 1024,
};

/* ---- the request that goes out ---- */

static void set_pair(struct rest_request *r, struct gw_pair **pairs, size_t *count, struct str name,
                     struct str value)
{
    for (size_t i = 0; i < *count; i++) {
        if (str_eq((*pairs)[i].name, name)) {
            (*pairs)[i].value = value;
            return;
        }
    }
    struct gw_pair *more = ARENA_ARRAY(r->arena, struct gw_pair, *count + 1);
    if (*count > 0)
        memcpy(more, *pairs, *count * sizeof *more);
    more[(*count)++] = (struct gw_pair){name, value};
    *pairs = more;
}

static void set_header(struct rest_request *r, struct rest_outgoing *out, struct str name,
                       struct str value)
{
    for (size_t i = 0; i < out->header_count; i++) {
        if (str_case_eq(out->headers[i].name, name)) {
            out->headers[i].value = value;
            return;
        }
    }
    if (out->header_count == out->header_cap) {
        out->header_cap = out->header_cap == 0 ? 32 : out->header_cap * 2;
        struct http_header *more = ARENA_ARRAY(r->arena, struct http_header, out->header_cap);
        if (out->header_count > 0)
            memcpy(more, out->headers, out->header_count * sizeof *more);
        out->headers = more;
    }
    out->headers[out->header_count++] = (struct http_header){name, value};
}

/* place: "header.X-Y", "querystring.q", "path.p". */
static void set_part(struct rest_request *r, struct rest_outgoing *out, struct str place,
                     struct str value)
{
    struct str name = place, where = str_cut(&name, '.');
    if (str_eq_c(where, "header"))
        set_header(r, out, name, value);
    else if (str_eq_c(where, "querystring"))
        set_pair(r, &out->query, &out->query_count, name, value);
    else if (str_eq_c(where, "path"))
        set_pair(r, &out->path, &out->path_count, name, value);
}

static void map_params(struct rest_request *r, struct rest_outgoing *out)
{
    static const char start[] = "integration.request.";
    struct jval it = {0};
    struct str value;
    while (jval_kind(r->method->integration_params) == JSON_OBJECT &&
           jval_next(r->method->integration_params, &it, NULL)) {
        struct str key = jval_key_str(it, r->arena);
        if (str_starts(key, str_c(start)) &&
            rest_param_value(r, jval_text(it, r->arena), NULL, &value))
            set_part(r, out, str_sub(key, sizeof start - 1, key.n), value);
    }
}

static void apply_overrides(struct rest_request *r, struct rest_outgoing *out)
{
    static const char *const parts[] = {"header", "querystring", "path"};
    for (size_t i = 0; i < 3; i++) {
        struct vtl_map *map = rest_override(r, "requestOverride", parts[i]);
        for (size_t k = 0; map != NULL && k < map->count; k++)
            set_part(r, out, arena_fmt(r->arena, "%s.%.*s", parts[i], STR_ARG(map->items[k].key)),
                     vtl_text(&map->items[k].value, r->arena));
    }
}

static bool convert_body(struct rest_request *r, struct str *body)
{
    bool binary = r->event.body_is_binary;
    if (r->method->convert == CONVERT_TO_TEXT && binary)
        *body = codec_base64_encode(r->arena, *body);
    else if (r->method->convert == CONVERT_TO_BINARY && !binary)
        return codec_base64_decode(r->arena, *body, body);
    return true;
}

/* The template for the request's content type. PASS: the body goes as it is. */
enum choice { CHOICE_TEMPLATE, CHOICE_PASS, CHOICE_REFUSE };
static enum choice choose_template(struct rest_request *r, const struct vtl_template **ret)
{
    struct str type = http_req_header(&r->req, "Content-Type");
    type = str_trim(str_cut(&type, ';'));
    if (type.n == 0)
        type = STR("application/json");
    for (size_t i = 0; i < r->method->templates.count; i++) {
        const struct rest_template *t = &r->method->templates.all[i];
        if (str_case_eq(t->content_type, type)) {
            *ret = t->body;
            return CHOICE_TEMPLATE;
        }
    }
    bool none = r->method->templates.count == 0;
    return r->method->passthrough == PASS_NO_MATCH ||
                   (r->method->passthrough == PASS_NO_TEMPLATES && none)
               ? CHOICE_PASS
               : CHOICE_REFUSE;
}

/* Fills *out by parameters and template. False: the request is over. */
static bool map_request(struct rest_request *r, struct rest_outgoing *out)
{
    const struct vtl_template *t = NULL;
    struct str body = r->req.body;
    enum choice choice = choose_template(r, &t);
    *out = (struct rest_outgoing){0};
    if (choice == CHOICE_REFUSE) {
        rest_fail(r, GW_UNSUPPORTED_TYPE);
        return false;
    }
    map_params(r, out);
    if (!convert_body(r, &body) || (choice == CHOICE_TEMPLATE && !rest_render(r, t, body, &body))) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return false;
    }
    apply_overrides(r, out);
    out->body = body;
    rest_log(r, "Endpoint request body after transformations: %.*s",
             STR_ARG(str_sub(body, 0, 1000)));
    return true;
}

/* ---- Lambda ---- */

static bool function_of(struct rest_request *r, struct rie_request *ret)
{
    struct v2_live variables = {.variables = r->stage->variables,
                                .variable_count = r->stage->variable_count};
    return v2_function_of(&variables, r->method->uri, r->arena, ret);
}

static void make_trace(struct rest_request *r)
{
    char parent[17];
    ids_hex(parent, 16);
    r->trace_id =
        arena_fmt(r->arena, "Root=%.*s;Parent=%s;Sampled=0", STR_ARG(r->event.trace_root), parent);
}

/* False: Lambda itself refused; the request is over. */
static bool lambda_took_it(struct rest_request *r, enum wait_end how)
{
    if (how != WAIT_CANCELLED && r->result.err.kind == NULL)
        return true;
    if (r->result.err.kind != NULL)
        log_msg(LOG_WARN, "gateway", "the function could not be called: %s: %.*s",
                r->result.err.kind->code, STR_ARG(r->result.err.message));
    /* unverified: an event above Lambda's limit; everything else Lambda refuses is a 500 */
    rest_fail(r, how != WAIT_CANCELLED && r->result.err.kind->http_status == 413
                     ? GW_TOO_LONG
                     : GW_INTEGRATION_BROKEN);
    return false;
}

static void proxied(struct wait *w, enum wait_end how)
{
    struct rest_request *r =
        (struct rest_request *)((char *)w - offsetof(struct rest_request, wait));
    struct http_resp resp = {0};
    r->waiting = false;
    if (!lambda_took_it(r, how))
        return;
    if (r->result.function_error.n > 0) {
        rest_log(r, "Lambda execution failed with status 200 due to customer function error: %.*s",
                 STR_ARG(r->result.payload));
        rest_fail(r, GW_BAD_RESULT);
        return;
    }
    bool accepts = event_media_matches(http_req_header(&r->req, "Accept"), r->stage->binary_types,
                                       r->stage->binary_count);
    enum reply_map_result mapped =
        reply_map_v1(r->result.payload, accepts, STR("application/json"), r->arena, &resp);
    if (mapped == REPLY_OK) {
        rest_finish(r, &resp);
        return;
    }
    log_msg(LOG_WARN, "gateway", "%s",
            mapped == REPLY_MALFORMED ? "malformed Lambda proxy response"
                                      : "the body is marked base64 and is not");
    rest_log(r, "Execution failed due to configuration error: Malformed Lambda proxy response");
    /* unverified: that a broken base64 body is a configuration error */
    rest_fail(r, mapped == REPLY_MALFORMED ? GW_BAD_RESULT : GW_INTEGRATION_BROKEN);
}

static void call_proxy(struct rest_request *r)
{
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE};
    struct buf *event = arena_new_buf(r->arena, EVENT_MAX);
    if (!r->method->is_post || !function_of(r, &invoke)) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    event_v1_write(&r->event, r->arena, event);
    if (event->overflow) {
        rest_fail(r, GW_TOO_LONG);
        return;
    }
    make_trace(r);
    invoke.payload = buf_view(event);
    invoke.trace_id = r->trace_id;
    r->waiting = true;
    wait_arm(&r->wait, proxied);
    rie_invoke(r->g->rie, &invoke, r->arena, &r->result, &r->wait);
}

/* A function's error is matched by its errorMessage; a result only has the default response. */
static void lambda_answered(struct wait *w, enum wait_end how)
{
    struct rest_request *r =
        (struct rest_request *)((char *)w - offsetof(struct rest_request, wait));
    struct http_resp resp = {.status = 200, .body = r->result.payload};
    struct jval error;
    struct str selection = STR_NONE;
    r->waiting = false;
    if (!lambda_took_it(r, how))
        return;
    http_resp_add(&resp, r->arena, STR("Content-Type"), STR("application/json"));
    resp.body = r->result.payload;
    if (r->result.function_error.n > 0 &&
        json_parse(r->arena, r->result.payload, JSON_DEPTH_DEFAULT, &error, NULL))
        selection = jval_text(jval_get(error, "errorMessage"), r->arena);
    rest_respond(r, selection, &resp);
}

static struct str header_of(const struct rest_outgoing *out, const char *name)
{
    for (size_t i = 0; i < out->header_count; i++) {
        if (str_case_eq(out->headers[i].name, str_c(name)))
            return out->headers[i].value;
    }
    return STR_NONE;
}

static void call_lambda(struct rest_request *r, const struct rest_outgoing *out)
{
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE, .payload = out->body};
    if (!r->method->is_post || !function_of(r, &invoke)) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    if (str_case_eq(header_of(out, "X-Amz-Invocation-Type"), STR("Event")))
        invoke.type = RIE_EVENT;
    make_trace(r);
    invoke.trace_id = r->trace_id;
    r->waiting = true;
    wait_arm(&r->wait, lambda_answered);
    rie_invoke(r->g->rie, &invoke, r->arena, &r->result, &r->wait);
}

/* ---- other services of ours: arn:aws:apigateway:<region>:<service>:action/<Operation> ---- */

static void service_answered(struct call *c)
{
    struct rest_request *r = c->reply_arg;
    struct http_resp resp = {0};
    r->waiting = false;
    wire_reply(c, &resp);
    struct http_resp from = {.status = resp.status, .body = resp.body};
    for (size_t i = 0; i < resp.header_count; i++) {
        if (!str_case_eq(resp.headers[i].name, STR("Content-Encoding")))
            http_resp_add(&from, r->arena, resp.headers[i].name, resp.headers[i].value);
    }
    rest_respond(r, arena_fmt(r->arena, "%u", from.status), &from);
}

/* What the operation wrote was not kept: the client must not hear that it was. */
static void not_committed(struct net_exchange *x, struct http_resp *resp)
{
    *resp = (struct http_resp){0};
    reply_answer(GW_INTEGRATION_BROKEN, STR(""), x->arena, resp);
}

static bool allow(void *arg, struct call *c)
{
    (void)arg, (void)c;
    return true;
}

static void call_service(struct rest_request *r, const struct rest_outgoing *out,
                         const struct arn *arn)
{
    struct str op = arn->resource;
    struct service *svc = r->g->find_service == NULL
                              ? NULL
                              : r->g->find_service(r->g->find_service_arg, arn->account);
    str_cut(&op, '/');
    if (svc == NULL || svc->protocol != WIRE_JSON || op.p == NULL) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    struct http_req *req = ARENA_NEW(r->arena, struct http_req);
    *req = (struct http_req){.method = STR("POST"),
                             .target = STR("/"),
                             .path = STR("/"),
                             .body = out->body,
                             .peer_ip = r->req.peer_ip};
    req->headers = ARENA_ARRAY(r->arena, struct http_header, 1);
    req->headers[req->header_count++] =
        (struct http_header){STR("Content-Type"), STR("application/x-amz-json-1.0")};
    struct call *c = call_new(r->arena, svc, NULL);
    c->http = req;
    c->account = r->stage->account;
    c->region = arn->region.n > 0 ? arn->region : r->stage->region;
    c->reply = service_answered;
    c->reply_arg = r;
    if (r->x != NULL) {
        r->x->writes = true;
        r->x->on_commit_failed = not_committed;
    }
    r->waiting = true;
    wire_json_run(c, op, allow, NULL);
}

/* ---- HTTP ---- */

static void fetched(struct wait *w, enum wait_end how)
{
    struct rest_request *r =
        (struct rest_request *)((char *)w - offsetof(struct rest_request, wait));
    r->waiting = false;
    if (how != WAIT_READY || r->fetched.end != FETCH_OK) {
        log_msg(LOG_WARN, "gateway", "the HTTP integration %.*s failed: %.*s",
                STR_ARG(r->method->uri), STR_ARG(r->fetched.why));
        rest_log(r, "Execution failed: %.*s", STR_ARG(r->fetched.why));
        rest_fail(r, r->fetched.end == FETCH_TIMEOUT   ? GW_TIMEOUT
                     : r->fetched.end == FETCH_REFUSED ? GW_INTEGRATION_BROKEN
                                                       : GW_UNREACHABLE);
        return;
    }
    if (r->method->type == REST_HTTP_PROXY)
        rest_finish(r, &r->fetched.resp);
    else
        rest_respond(r, arena_fmt(r->arena, "%u", r->fetched.resp.status), &r->fetched.resp);
}

/* {name} of the uri becomes the path parameter of the integration request. */
static struct str fill_path(struct rest_request *r, struct str uri, const struct rest_outgoing *out)
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
        buf_add(b, str_sub(uri, 0, (size_t)open));
        for (size_t i = 0; i < out->path_count; i++) {
            if (str_eq(out->path[i].name, name))
                buf_add(b, out->path[i].value);
        }
        uri = str_sub(rest, (size_t)close + 1, rest.n);
    }
    buf_add(b, uri);
    return buf_view(b);
}

static struct str write_query(struct rest_request *r, struct str fixed,
                              const struct rest_outgoing *out)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    if (fixed.n > 0)
        buf_add(b, fixed);
    for (size_t i = 0; i < out->query_count; i++)
        buf_addf(b, "%s%.*s=%.*s", b->n > 0 ? "&" : "",
                 STR_ARG(codec_percent_encode(r->arena, out->query[i].name, false)),
                 STR_ARG(codec_percent_encode(r->arena, out->query[i].value, false)));
    return b->n > 0 ? buf_view(b) : STR_NONE;
}

static bool is_forwarded(struct str name)
{
    static const char *const kept_back[] = {
        "host", "connection", "content-length", "transfer-encoding", "expect",
        "te",   "upgrade",    "keep-alive",     "x-api-key"};
    for (size_t i = 0; i < sizeof kept_back / sizeof *kept_back; i++) {
        if (str_case_eq(name, str_c(kept_back[i])))
            return false;
    }
    return true;
}

/* A proxy integration passes headers, query and body on; parameters come on top. */
static void add_proxied(struct rest_request *r, struct rest_outgoing *out)
{
    struct rest_outgoing own = *out;
    *out = (struct rest_outgoing){.body = r->req.body};
    for (size_t i = 0; i < r->req.header_count; i++) {
        if (is_forwarded(r->req.headers[i].name))
            set_header(r, out, r->req.headers[i].name, r->req.headers[i].value);
    }
    set_header(r, out, STR("X-Forwarded-For"), r->req.peer_ip);
    set_header(r, out, STR("X-Amzn-Trace-Id"),
               arena_fmt(r->arena, "Root=%.*s", STR_ARG(r->event.trace_root)));
    for (size_t i = 0; i < r->match.param_count; i++)
        set_pair(r, &out->path, &out->path_count, r->match.params[i].name,
                 r->match.params[i].value);
    for (size_t i = 0; i < own.header_count; i++)
        set_header(r, out, own.headers[i].name, own.headers[i].value);
    for (size_t i = 0; i < own.path_count; i++)
        set_pair(r, &out->path, &out->path_count, own.path[i].name, own.path[i].value);
    out->query = own.query;
    out->query_count = own.query_count;
}

static void call_http(struct rest_request *r, struct rest_outgoing *out)
{
    struct str uri, fixed;
    bool proxy = r->method->type == REST_HTTP_PROXY;
    if (proxy)
        add_proxied(r, out);
    if (r->g->net == NULL ||
        !gw_fill_variables(r->stage->variables, r->stage->variable_count, r->method->uri, r->arena,
                           &uri) ||
        !fetch_url_parse(fill_path(r, uri, out), &r->fetch.url)) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    fixed = r->fetch.url.query;
    if (proxy && r->req.query.n > 0)
        fixed = fixed.n > 0
                    ? arena_fmt(r->arena, "%.*s&%.*s", STR_ARG(fixed), STR_ARG(r->req.query))
                    : r->req.query;
    if (!proxy && header_of(out, "Content-Type").p == NULL)
        set_header(r, out, STR("Content-Type"), STR("application/json"));
    r->fetch.url.query = write_query(r, fixed, out);
    r->fetch.headers = out->headers;
    r->fetch.header_count = out->header_count;
    r->fetch.method = str_eq_c(r->method->integration_method, "ANY")
                          ? r->req.method
                          : r->method->integration_method;
    r->fetch.body = out->body;
    r->fetch.timeout_ms = r->method->timeout_ms;
    r->fetch.max_body = ANSWER_MAX;
    r->waiting = true;
    wait_arm(&r->wait, fetched);
    fetch_start(r->g->net, &r->fetch, r->arena, &r->fetched, &r->wait);
}

/* ---- MOCK ---- */

/* The mapped request says which status is answered: {"statusCode": 200}. */
static void answer_mock(struct rest_request *r, const struct rest_outgoing *out)
{
    struct jval doc = {0}, code;
    struct http_resp resp = {.status = 200};
    struct str text = STR("");
    int64_t status;
    bool ok = json_parse(r->arena, out->body, JSON_DEPTH_DEFAULT, &doc, NULL);
    code = jval_get(doc, "statusCode");
    if (ok && (jval_i64(code, &status) ||
               (jval_str(code, r->arena, &text) && str_to_i64(text, &status)))) {
        rest_respond(r, arena_fmt(r->arena, "%lld", (long long)status), &resp);
        return;
    }
    rest_log(r, "Unable to parse statusCode. It should be an integer and defined in request "
                "template");
    rest_fail(r, GW_INTEGRATION_BROKEN);
}

void rest_integrate(struct rest_request *r)
{
    struct rest_outgoing out;
    struct arn arn;
    if (r->method->type == REST_AWS_PROXY) {
        call_proxy(r);
        return;
    }
    if (r->method->type == REST_HTTP_PROXY) {
        out = (struct rest_outgoing){0};
        map_params(r, &out);
        call_http(r, &out);
        return;
    }
    if (!map_request(r, &out))
        return;
    if (r->method->type == REST_MOCK)
        answer_mock(r, &out);
    else if (r->method->type == REST_HTTP)
        call_http(r, &out);
    else if (!arn_parse(r->method->uri, &arn))
        rest_fail(r, GW_INTEGRATION_BROKEN);
    else if (str_eq_c(arn.account, "lambda"))
        call_lambda(r, &out);
    else
        call_service(r, &out, &arn);
}
