#include "function_url.h"
#include "clock.h"
#include "event_v2.h"
#include "gw_store.h"
#include "ids.h"
#include "json.h"
#include "log.h"
#include "reply_v2.h"
#include "stream_body.h"
#include <string.h>

enum { EVENT_MAX = 64 << 20, WHOLE_MAX = 6291556, PRELUDE_MAX = 64 * 1024, SEPARATOR = 8 };

/* One request under way, in the stream's arena. */
struct visit {
    struct rie *r;
    struct net_exchange *x; /* NULL once answered */
    struct lam_url url;
    struct str request_id, trace_root;
    bool streams;     /* RESPONSE_STREAM: the answer begins with the function's */
    bool begun;       /* its head is out */
    bool has_prelude; /* the function's bytes begin with one */
    struct buf *held; /* prelude bytes so far; all bytes of a buffered answer */
};

/* ---- CORS: the URL's configuration speaks, the function's own headers are left ---- */

static bool list_has(struct jval list, struct arena *a, struct str value)
{
    struct jval it = {0};
    while (jval_next(list, &it, NULL)) {
        struct str one = jval_text(it, a);
        if (str_eq_c(one, "*") || str_eq(one, value))
            return true;
        ptrdiff_t star = str_find(one, '*'); /* a star for subdomains */
        if (star >= 0 && value.n >= one.n - 1 && str_starts(value, str_sub(one, 0, (size_t)star)) &&
            str_ends(value, str_sub(one, (size_t)star + 1, one.n)))
            return true;
    }
    return false;
}

static void add_list(struct http_resp *resp, struct arena *a, const char *name, struct jval list)
{
    struct jval it = {0};
    struct buf *b = arena_new_buf(a, 64 * 1024);
    if (jval_count(list) == 0 || jval_kind(list) != JSON_ARRAY)
        return;
    while (jval_next(list, &it, NULL)) {
        if (b->n > 0)
            buf_addc(b, ',');
        buf_add(b, jval_text(it, a));
    }
    http_resp_add(resp, a, str_c(name), buf_view(b));
}

static void add_cors(struct http_resp *resp, const struct http_req *req, const struct lam_url *url,
                     struct arena *a, bool preflight)
{
    struct str origin = http_req_header(req, "Origin");
    struct jval cors;
    bool credentials = false;
    int64_t age = 0;
    if (url->cors_json.n == 0 || origin.p == NULL ||
        !json_parse(a, url->cors_json, JSON_DEPTH_DEFAULT, &cors, NULL))
        return;
    struct jval origins = jval_get(cors, "AllowOrigins");
    if (!list_has(origins, a, origin))
        return;
    jval_bool(jval_get(cors, "AllowCredentials"), &credentials);
    /* no origin is called so: true only if the list has a star */
    bool any = list_has(origins, a, STR("\1")) && !credentials;
    http_resp_add(resp, a, STR("Access-Control-Allow-Origin"), any ? STR("*") : origin);
    if (!any)
        http_resp_add(resp, a, STR("Vary"), STR("Origin"));
    if (credentials)
        http_resp_add(resp, a, STR("Access-Control-Allow-Credentials"), STR("true"));
    if (!preflight) {
        add_list(resp, a, "Access-Control-Expose-Headers", jval_get(cors, "ExposeHeaders"));
        return;
    }
    add_list(resp, a, "Access-Control-Allow-Methods", jval_get(cors, "AllowMethods"));
    add_list(resp, a, "Access-Control-Allow-Headers", jval_get(cors, "AllowHeaders"));
    if (jval_i64(jval_get(cors, "MaxAge"), &age) && age > 0)
        http_resp_add(resp, a, STR("Access-Control-Max-Age"), arena_fmt(a, "%lld", (long long)age));
}

/* ---- answers ---- */

static void refuse(struct net_exchange *x, uint16_t status, const char *type, struct str body)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), STR("application/json"));
    if (type != NULL)
        http_resp_add(resp, x->arena, STR("x-amzn-ErrorType"), str_c(type));
    net_reply(x, resp);
}

static void add_ids(struct visit *v, struct http_resp *resp, struct arena *a)
{
    http_resp_add(resp, a, STR("x-amzn-RequestId"), arena_str(a, v->request_id));
    http_resp_add(resp, a, STR("X-Amzn-Trace-Id"),
                  arena_fmt(a, "Root=%.*s", STR_ARG(v->trace_root)));
}

static void internal_error(struct http_resp *resp, struct arena *a)
{
    *resp = (struct http_resp){.status = 502, .body = STR("Internal Server Error")};
    http_resp_add(resp, a, STR("Content-Type"), STR("application/json")); /* unverified: the type */
}

/* The prelude of HttpResponseStream, JSON up to eight NUL bytes: its length, 0: not complete yet.
 */
static size_t prelude_length(struct str bytes)
{
    static const char nul[SEPARATOR] = {0};
    ptrdiff_t at = str_find_str(bytes, (struct str){nul, SEPARATOR});
    return at < 0 ? 0 : (size_t)at + SEPARATOR;
}

/* Function URLs answer JSON where HTTP APIs answer text: the type of a result that names none. */
static void set_default_type(struct jval result, struct arena *a, struct http_resp *resp)
{
    struct jval it = {0};
    while (jval_next(jval_get(result, "headers"), &it, NULL)) {
        if (str_case_eq(jval_key_str(it, a), STR("content-type")))
            return;
    }
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, STR("content-type")))
            resp->headers[i].value = STR("application/json");
    }
}

/* Unlike HTTP APIs they also write a result that is no response anew, without blanks, and take
 * nothing but JSON (unverified: the latter). */
static bool map_result(struct str payload, struct arena *a, struct http_resp *resp)
{
    struct jval doc;
    if (!json_parse(a, payload, JSON_DEPTH_DEFAULT, &doc, NULL) || !reply_map_v2(payload, a, resp))
        return false;
    if (resp->body.p == payload.p) {
        struct buf *b = arena_new_buf(a, 64 << 20);
        struct json_out w;
        json_out_init(&w, b);
        json_copy(&w, NULL, doc);
        resp->body = buf_view(b);
    }
    set_default_type(doc, a, resp);
    return true;
}

static bool map_prelude(struct str text, struct arena *a, struct http_resp *resp)
{
    struct jval doc;
    if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL) || jval_kind(doc) != JSON_OBJECT)
        return false;
    if (!jval_present(jval_get(doc, "statusCode"))) {
        struct str rest = str_trim(text);
        text = arena_fmt(a, "{\"statusCode\":200%s%.*s", jval_count(doc) > 0 ? "," : "",
                         STR_ARG(str_sub(rest, 1, rest.n)));
    }
    return map_result(text, a, resp);
}

/* A whole answer: the URL's mode is BUFFERED, or the function failed before it said anything. */
static void answer_whole(struct stream_body *s)
{
    struct visit *v = s->user;
    struct net_exchange *x = v->x;
    struct arena *a = x->arena;
    struct rie_result *res = &s->result;
    struct http_resp resp = {0};
    struct str payload = arena_str(a, buf_view(v->held));
    size_t prelude = v->has_prelude ? prelude_length(payload) : 0;
    v->x = NULL;
    if (res->err.kind != NULL) {
        resp.status = res->err.kind->http_status;
        resp.body = arena_fmt(a, "{\"Message\":\"%s\"}",
                              resp.status == 429   ? "Rate Exceeded."
                              : resp.status == 413 ? "Request Entity Too Large"
                                                   : "Internal Server Error");
        http_resp_add(&resp, a, STR("Content-Type"), STR("application/json"));
        http_resp_add(&resp, a, STR("x-amzn-ErrorType"), str_c(res->err.kind->code));
    } else if (res->function_error.n > 0 || payload.n > WHOLE_MAX) {
        internal_error(&resp, a);
    } else if (prelude > 0) {
        if (!map_prelude(str_sub(payload, 0, prelude - SEPARATOR), a, &resp))
            internal_error(&resp, a);
        else
            resp.body = str_sub(payload, prelude, payload.n);
    } else if (!map_result(payload, a, &resp)) {
        log_msg(LOG_WARN, "lambda", "function URL: malformed result");
        internal_error(&resp, a);
    }
    add_ids(v, &resp, a);
    add_cors(&resp, &x->req, &v->url, a, false);
    net_reply(x, &resp);
}

/* The head of a streamed answer; the rest follows from the stream. */
static void send_head(struct stream_body *s, struct http_resp *resp)
{
    struct visit *v = s->user;
    struct net_exchange *x = v->x;
    struct http_resp *kept = ARENA_NEW(x->arena, struct http_resp);
    v->begun = true;
    v->x = NULL;
    add_ids(v, resp, x->arena);
    add_cors(resp, &x->req, &v->url, x->arena, false);
    *kept = *resp;
    kept->source = &s->out;
    stream_body_attach(s);
    net_reply(x, kept);
}

static void on_begin(struct stream_body *s, struct str content_type)
{
    struct visit *v = s->user;
    v->has_prelude = str_starts(content_type, STR("application/vnd.awslambda.http-integration-"
                                                  "response"));
    if (!v->streams || v->begun || v->has_prelude)
        return;
    struct http_resp resp = {.status = 200};
    http_resp_add(&resp, v->x->arena, STR("Content-Type"),
                  content_type.n > 0 ? arena_str(v->x->arena, content_type)
                                     : STR("application/octet-stream"));
    send_head(s, &resp);
}

static void on_bytes(struct stream_body *s, struct str bytes, struct buf *out)
{
    struct visit *v = s->user;
    if (v->begun) {
        buf_add(out, bytes);
        return;
    }
    buf_add(v->held, bytes);
    size_t n = v->streams && v->has_prelude ? prelude_length(buf_view(v->held)) : 0;
    if (n == 0)
        return;
    struct http_resp resp = {0};
    struct str prelude = arena_str(v->x->arena, str_sub(buf_view(v->held), 0, n - SEPARATOR));
    if (!map_prelude(prelude, v->x->arena, &resp))
        internal_error(&resp, v->x->arena);
    buf_add(out, str_sub(buf_view(v->held), n, v->held->n));
    send_head(s, &resp);
}

static void on_end(struct stream_body *s)
{
    struct visit *v = s->user;
    if (!v->begun)
        answer_whole(s);
}

/* ---- the request ---- */

static struct str authorizer(const struct lam_url *url, struct arena *a)
{
    if (!url->iam)
        return STR("");
    return arena_fmt(
        a,
        "{\"iam\":{\"accessKey\":\"test\",\"accountId\":\"%.*s\",\"callerId\":\"test\","
        "\"cognitoIdentity\":null,\"principalOrgId\":null,\"userArn\":"
        "\"arn:aws:iam::%.*s:user/test\",\"userId\":\"test\"}}",
        STR_ARG(url->account), STR_ARG(url->account));
}

static struct str write_event(struct visit *v, const struct http_req *req, struct arena *a)
{
    struct buf *b = arena_new_buf(a, EVENT_MAX);
    struct str host = req->host, domain = str_cut(&host, ':');
    struct event_v2 e = {.req = req,
                         .route_key = STR("$default"),
                         .raw_path = req->path,
                         .stage = STR("$default"),
                         .account = v->url.iam ? v->url.account : STR("anonymous"),
                         .api_id = v->url.url_id,
                         .domain = domain,
                         .authorizer = authorizer(&v->url, a),
                         .request_id = v->request_id,
                         .trace_root = v->trace_root,
                         .now_ms = clock_now_ms()};
    event_v2_write(&e, a, b);
    return b->overflow ? STR_NONE : buf_view(b);
}

void function_url_handle(struct rie *r, struct net_exchange *x, struct str url_id,
                         bool (*authenticate)(void *arg, struct net_exchange *x), void *arg)
{
    struct lam_url url;
    char uuid[37], parent[17];
    if (!rie_url_find(r, url_id, x->arena, &url)) {
        refuse(x, 403, "AccessDeniedException", STR("{\"Message\":null}"));
        return;
    }
    if (url.cors_json.n > 0 && str_eq_c(x->req.method, "OPTIONS") &&
        http_req_header(&x->req, "Access-Control-Request-Method").p != NULL) {
        struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
        resp->status = 200;
        add_cors(resp, &x->req, &url, x->arena, true);
        net_reply(x, resp);
        return;
    }
    if (url.iam && !authenticate(arg, x)) {
        refuse(x, 403, "AccessDeniedException", STR("{\"Message\":\"Forbidden\"}"));
        return;
    }
    struct stream_body *s = stream_body_new();
    struct visit *v = ARENA_NEW(s->arena, struct visit);
    ids_uuid(uuid);
    ids_hex(parent, 16);
    v->r = r;
    v->x = x;
    v->url = url; /* its strings live in the exchange's arena: used until the answer only */
    v->streams = url.streamed;
    v->held = arena_new_buf(s->arena, 64 << 20);
    v->request_id = arena_str(s->arena, str_c(uuid));
    v->trace_root = arena_str(s->arena, gw_trace_root(&x->req, x->arena, clock_now_ms()));
    s->user = v;
    s->begin = on_begin;
    s->end = on_end;
    s->encode = on_bytes;
    struct rie_request req = {.account = url.account,
                              .region = url.region,
                              .function = url.name,
                              .qualifier = url.qualifier,
                              .payload = write_event(v, &x->req, s->arena),
                              .request_id = v->request_id,
                              .trace_id = arena_fmt(s->arena, "Root=%.*s;Parent=%s;Sampled=0",
                                                    STR_ARG(v->trace_root), parent),
                              .stream = &s->in};
    rie_invoke(r, &req, s->arena, &s->result, &s->wait);
}
