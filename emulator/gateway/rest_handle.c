/* The data plane of REST APIs: one request to a deployed stage, from path to reply. */
#include "clock.h"
#include "codec.h"
#include "ids.h"
#include "log.h"
#include "panic.h"
#include "rest_request.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BODY_MAX = 10 * 1024 * 1024,   /* AWS: payload of a REST API request */
    ARENA_MAX = 512 * 1024 * 1024, /* event, result and their copies */
    LOG_MAX = 64 << 10
};

/* ---- what the data planes share ---- */

void gw_make_ids(struct arena *a, struct str *request_id, struct str *extended_id)
{
    char *uuid = arena_alloc(a, 37);
    uint64_t random[2] = {ids_random_u64(), ids_random_u64()};
    ids_uuid(uuid);
    *request_id = str_c(uuid);
    /* 15 characters and one '=', as in "JKJaXmPLvHcESHA=" */
    struct str id = codec_base64_encode(a, (struct str){(const char *)random, 11});
    char *text = arena_alloc_raw(a, id.n);
    for (size_t i = 0; i < id.n; i++) /* the URL-safe alphabet */
        text[i] = id.p[i] == '+' ? '-' : id.p[i] == '/' ? '_' : id.p[i];
    *extended_id = (struct str){text, id.n};
}

/* The Root of the client's own trace header, else a new one: "1-5759e988-bd862e3fe1be46a994272793".
 * It is copied into replies, so nothing but that form is taken over. */
struct str gw_trace_root(const struct http_req *req, struct arena *a, int64_t now_ms)
{
    struct str given = http_req_header(req, "X-Amzn-Trace-Id");
    while (given.n > 0) {
        struct str part = str_trim(str_cut(&given, ';'));
        if (!str_starts(part, STR("Root=1-")) || part.n != 40)
            continue;
        struct str root = str_sub(part, 5, part.n);
        bool ok = root.p[10] == '-';
        for (size_t i = 2; ok && i < root.n; i++)
            ok = i == 10 || (root.p[i] >= '0' && root.p[i] <= '9') ||
                 (root.p[i] >= 'a' && root.p[i] <= 'f');
        if (ok)
            return root;
    }
    char unique[25];
    ids_hex(unique, 24);
    return arena_fmt(a, "1-%08x-%s", (unsigned)(now_ms / 1000), unique);
}

bool gw_fill_variables(const struct gw_pair *variables, size_t count, struct str text,
                       struct arena *a, struct str *ret)
{
    struct buf *b = arena_new_buf(a, 8192);
    ptrdiff_t at;
    while ((at = str_find_str(text, STR("${stageVariables."))) >= 0) {
        struct str rest = str_sub(text, (size_t)at + sizeof "${stageVariables." - 1, text.n);
        ptrdiff_t close = str_find(rest, '}');
        if (close < 0)
            return false;
        struct str name = str_sub(rest, 0, (size_t)close);
        size_t i = 0;
        while (i < count && !str_eq(variables[i].name, name))
            i++;
        buf_add(b, str_sub(text, 0, (size_t)at));
        if (i < count)
            buf_add(b, variables[i].value);
        text = str_sub(rest, (size_t)close + 1, rest.n);
    }
    buf_add(b, text);
    *ret = buf_view(b);
    return !b->overflow;
}

void gw_copy_request(const struct http_req *req, struct arena *a, struct http_req *ret)
{
    *ret = *req;
    ret->method = arena_str(a, req->method);
    ret->target = arena_str(a, req->target);
    ret->path = arena_str(a, req->path);
    ret->query = req->query.p == NULL ? STR_NONE : arena_str(a, req->query);
    ret->host = arena_str(a, req->host);
    ret->body = arena_str(a, req->body);
    ret->peer_ip = arena_str(a, req->peer_ip);
    ret->headers = ARENA_ARRAY(a, struct http_header, req->header_count + 1);
    for (size_t i = 0; i < req->header_count; i++)
        ret->headers[i] = (struct http_header){arena_str(a, req->headers[i].name),
                                               arena_str(a, req->headers[i].value)};
}

bool gw_by_domain(struct gateway *g, const struct net_exchange *x)
{
    struct str host = x->req.host;
    return gw_is_domain(g, str_cut(&host, ':'), x->arena);
}

/* ---- a request's life ---- */

struct rest_request *rest_request_new(struct gateway *g, struct rest_live *s,
                                      const struct http_req *req, struct str path)
{
    struct arena *a = arena_new(0, ARENA_MAX);
    struct rest_request *r = ARENA_NEW(a, struct rest_request);
    int64_t now_ms = clock_now_ms();
    *r = (struct rest_request){.g = g, .arena = a, .stage = s, .validation_error = STR_NONE};
    rest_live_ref(s);
    gw_copy_request(req, a, &r->req);
    r->event = (struct event_v1){.req = &r->req,
                                 .path = arena_str(a, path),
                                 .api_id = s->api_id,
                                 .stage = s->name,
                                 .account = s->account,
                                 .region = s->region,
                                 .deployment_id = s->deployment_id,
                                 .match = &r->match,
                                 .variables = s->variables,
                                 .variable_count = s->variable_count,
                                 .trace_root = arena_str(a, gw_trace_root(&r->req, a, now_ms)),
                                 .now_ms = now_ms};
    r->event.body_is_binary = event_media_matches(http_req_header(&r->req, "Content-Type"),
                                                  s->binary_types, s->binary_count);
    gw_make_ids(a, &r->event.request_id, &r->event.extended_id);
    if (route_tree_match(s->routes, r->req.method, event_path(r->event.path), a, &r->match))
        r->method = r->match.method->own;
    return r;
}

void rest_request_free(struct rest_request *r)
{
    rest_live_unref(r->stage);
    arena_free(r->arena);
}

static void free_request(void *arg)
{
    rest_request_free(arg);
}

void rest_log(struct rest_request *r, const char *fmt, ...)
{
    char text[2048], when[64];
    va_list args;
    if (r->log == NULL)
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t w = clock_format(clock_now_ms(), "%a %b %d %H:%M:%S UTC %Y", when, sizeof when);
    buf_addf(r->log, "%.*s : %.*s\n", (int)w, when, n < 0 ? 0 : (int)strlen(text), text);
}

static bool accepts_gzip(const struct http_req *req)
{
    return str_find_str(http_req_header(req, "Accept-Encoding"), STR("gzip")) >= 0;
}

static bool has_header(const struct http_resp *resp, const char *name)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, str_c(name)))
            return true;
    }
    return false;
}

static void compress(struct rest_request *r, struct http_resp *resp)
{
    int64_t above = r->stage->compress_above;
    if (above < 0 || (int64_t)resp->body.n < above || resp->body.n == 0 || !accepts_gzip(&r->req) ||
        has_header(resp, "Content-Encoding"))
        return;
    resp->body = codec_gzip(r->arena, resp->body);
    http_resp_add(resp, r->arena, STR("Content-Encoding"), STR("gzip"));
}

void rest_finish(struct rest_request *r, struct http_resp *resp)
{
    ASSERT(!r->waiting);
    if (r->g->loop != NULL)
        timer_clear(r->g->loop, &r->timer);
    if (r->timed_out) { /* the client has been answered */
        rest_request_free(r);
        return;
    }
    reply_add_ids(resp, r->arena, r->event.request_id, r->event.extended_id, r->trace_id);
    if (r->done != NULL) {
        r->done(r, resp);
        return;
    }
    compress(r, resp);
    arena_defer(r->x->arena, free_request, r);
    net_reply(r->x, resp);
}

/* The client is answered now; the request lives on until what it waits for has come. The answer is
 * copied, for it must outlive the request. */
static void on_timeout(struct timer *t)
{
    struct rest_request *r =
        (struct rest_request *)((char *)t - offsetof(struct rest_request, timer));
    struct http_resp resp = {0};
    struct arena *a = r->x->arena;
    reply_answer(GW_TIMEOUT, STR(""), a, &resp);
    reply_add_ids(&resp, a, arena_str(a, r->event.request_id), arena_str(a, r->event.extended_id),
                  arena_str(a, r->trace_id));
    r->timed_out = true;
    net_reply(r->x, &resp);
    r->x = NULL;
}

void rest_start(struct rest_request *r)
{
    if (r->req.body.n > BODY_MAX)
        rest_fail(r, GW_TOO_LONG);
    else if (r->method == NULL)
        rest_fail(r, GW_MISSING_TOKEN);
    else if (r->method->bucket.n > 0 && r->done == NULL &&
             !rest_take_token(r->g, r->method->bucket, r->method->rate, r->method->burst))
        rest_fail(r, GW_THROTTLED);
    else
        rest_authorize(r);
}

static void answer_early(struct net_exchange *x, enum gw_answer what)
{
    struct http_resp resp = {0};
    struct str request_id, extended_id;
    gw_make_ids(x->arena, &request_id, &extended_id);
    reply_answer(what, STR(""), x->arena, &resp);
    reply_add_ids(&resp, x->arena, request_id, extended_id, STR_NONE);
    net_reply(x, &resp);
}

void gateway_handle(struct gateway *g, struct net_exchange *x, struct str api_id, struct str stage,
                    struct str path)
{
    if (gw2_has_api(g, api_id)) {
        /* the first segment is only a stage's name if the API has such a stage */
        gw2_handle(g, x, api_id, arena_fmt(x->arena, "/%.*s%.*s", STR_ARG(stage), STR_ARG(path)));
        return;
    }
    struct rest_live *s = rest_live_find(g, api_id, stage);
    if (s == NULL || (s->is_disabled && !gw_by_domain(g, x))) {
        answer_early(x, GW_FORBIDDEN);
        return;
    }
    struct rest_request *r = rest_request_new(g, s, &x->req, path.n == 0 ? STR("/") : path);
    r->x = x;
    r->event.by_domain = gw_by_domain(g, x);
    if (g->loop != NULL && r->method != NULL && r->method->type != REST_MOCK &&
        r->method->type != REST_HTTP && r->method->type != REST_HTTP_PROXY) {
        r->timer.fn = on_timeout;
        timer_set(g->loop, &r->timer, clock_mono_ms() + r->method->timeout_ms);
    }
    rest_start(r);
}
