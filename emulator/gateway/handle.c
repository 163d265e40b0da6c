/* The data plane: one request to a deployed stage, from path to reply. */
#include "arn.h"
#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include "gw_reply.h"
#include "gw_store.h"
#include "ids.h"
#include "log.h"
#include "panic.h"

enum {
    BODY_MAX = 10 * 1024 * 1024,  /* AWS: payload of a REST API request */
    EVENT_MAX = 80 * 1024 * 1024, /* the body with every byte escaped; Lambda's own limit is 6 MB */
    ARENA_MAX = 512 * 1024 * 1024, /* event, result and their copies */
};

/* One integration under way. It has an arena of its own because a function may run longer than the
 * client is let wait; once the reply is made the exchange's arena owns it. */
struct gw_request {
    struct gateway *gateway;
    struct net_exchange *x; /* NULL once answered */
    struct arena *arena;
    struct rie_result result;
    struct wait wait;
    struct timer timer;
    bool accepts_binary;
    struct str request_id, extended_id, trace_id;
};

static void free_arena(void *arena)
{
    arena_free(arena);
}

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

static void answer(struct net_exchange *x, enum gw_answer what, struct str request_id,
                   struct str extended_id, struct str trace_id)
{
    struct http_resp resp = {0};
    reply_answer(what, x->arena, &resp);
    reply_add_ids(&resp, x->arena, request_id, extended_id, trace_id);
    net_reply(x, &resp);
}

/* What the invocation came to, as an HTTP response. */
static void make_reply(struct gw_request *r, struct http_resp *resp)
{
    struct arena *a = r->arena;
    enum reply_map_result mapped;
    if (r->result.err.kind != NULL) {
        /* unverified: an event above Lambda's limit; everything else Lambda refuses is a 500 */
        reply_answer(r->result.err.kind->http_status == 413 ? GW_TOO_LONG : GW_INTEGRATION_BROKEN,
                     a, resp);
        log_msg(LOG_WARN, "gateway", "the function could not be called: %s: %.*s",
                r->result.err.kind->code, STR_ARG(r->result.err.message));
        return;
    }
    if (r->result.function_error.n > 0) {
        reply_answer(GW_BAD_RESULT, a, resp);
        return;
    }
    mapped = reply_map_v1(r->result.payload, r->accepts_binary, a, resp);
    if (mapped == REPLY_OK)
        return;
    log_msg(LOG_WARN, "gateway", "%s",
            mapped == REPLY_MALFORMED ? "malformed Lambda proxy response"
                                      : "the body is marked base64 and is not");
    /* unverified: that a broken base64 body is a configuration error */
    reply_answer(mapped == REPLY_MALFORMED ? GW_BAD_RESULT : GW_INTEGRATION_BROKEN, a, resp);
}

static void invoked(struct wait *w, enum wait_end how)
{
    struct gw_request *r = (struct gw_request *)((char *)w - offsetof(struct gw_request, wait));
    struct net_exchange *x = r->x;
    struct http_resp resp = {0};
    if (x == NULL) { /* answered by the timeout */
        arena_free(r->arena);
        return;
    }
    if (r->gateway->loop != NULL)
        timer_clear(r->gateway->loop, &r->timer);
    arena_defer(x->arena, free_arena, r->arena);
    if (how == WAIT_CANCELLED)
        reply_answer(GW_INTEGRATION_BROKEN, r->arena, &resp);
    else
        make_reply(r, &resp);
    reply_add_ids(&resp, r->arena, r->request_id, r->extended_id, r->trace_id);
    net_reply(x, &resp);
}

static void timed_out(struct timer *t)
{
    struct gw_request *r = (struct gw_request *)((char *)t - offsetof(struct gw_request, timer));
    struct net_exchange *x = r->x;
    ASSERT(x != NULL);
    r->x = NULL;
    answer(x, GW_TIMEOUT, arena_str(x->arena, r->request_id), arena_str(x->arena, r->extended_id),
           arena_str(x->arena, r->trace_id));
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

/* The function's ARN out of the integration's uri, ${stageVariables.x} filled in. False: it cannot
 * be called as configured. */
static bool function_arn(const struct gw_stage *s, struct str uri, struct arena *a, struct str *ret)
{
    static const char start[] = ":lambda:path/2015-03-31/functions/", end[] = "/invocations";
    struct str whole;
    if (!gw_fill_variables(s->variables, s->variable_count, uri, a, &whole))
        return false;
    ptrdiff_t at = str_find_str(whole, str_c(start));
    if (at < 0 || !str_ends(whole, str_c(end)))
        return false;
    *ret = str_sub(whole, (size_t)at + sizeof start - 1, whole.n - (sizeof end - 1));
    return ret->n > 0;
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

/* Lambda is asked to run the method's function; invoked() answers. */
static void integrate(const struct gw_stage *s, struct gw_request *r, const struct event_v1 *e)
{
    struct gateway *g = r->gateway;
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE};
    struct arn arn;
    struct buf *event = arena_new_buf(r->arena, EVENT_MAX);
    const struct route_method *method = e->match->method;
    char parent[17];
    if (!method->is_post || !function_arn(s, method->uri, r->arena, &invoke.function) ||
        !arn_parse(invoke.function, &arn)) {
        arena_defer(r->x->arena, free_arena, r->arena);
        answer(r->x, GW_INTEGRATION_BROKEN, r->request_id, r->extended_id, STR_NONE);
        return;
    }
    event_v1_write(e, r->arena, event);
    if (event->overflow) {
        arena_defer(r->x->arena, free_arena, r->arena);
        answer(r->x, GW_TOO_LONG, r->request_id, r->extended_id, STR_NONE);
        return;
    }
    ids_hex(parent, 16);
    r->trace_id =
        arena_fmt(r->arena, "Root=%.*s;Parent=%s;Sampled=0", STR_ARG(e->trace_root), parent);
    invoke.account = arn.account;
    invoke.region = arn.region;
    invoke.payload = buf_view(event);
    invoke.trace_id = r->trace_id;
    wait_arm(&r->wait, invoked);
    if (g->loop != NULL) {
        r->timer.fn = timed_out;
        timer_set(g->loop, &r->timer, clock_mono_ms() + method->timeout_ms);
    }
    rie_invoke(g->rie, &invoke, r->arena, &r->result, &r->wait);
}

void gateway_handle(struct gateway *g, struct net_exchange *x, struct str api_id, struct str stage,
                    struct str path)
{
    struct str request_id, extended_id;
    struct route_match match;
    if (gw2_has_api(g, api_id)) {
        /* the first segment is only a stage's name if the API has such a stage */
        gw2_handle(g, x, api_id, arena_fmt(x->arena, "/%.*s%.*s", STR_ARG(stage), STR_ARG(path)));
        return;
    }
    if (path.n == 0)
        path = STR("/");
    const struct gw_stage *s = gw_stage_find(g, api_id, stage);
    gw_make_ids(x->arena, &request_id, &extended_id);
    if (s == NULL || s->is_disabled) {
        answer(x, GW_FORBIDDEN, request_id, extended_id, STR_NONE);
        return;
    }
    if (x->req.body.n > BODY_MAX) {
        answer(x, GW_TOO_LONG, request_id, extended_id, STR_NONE);
        return;
    }
    if (!route_tree_match(s->routes, x->req.method, event_path(path), x->arena, &match)) {
        answer(x, GW_MISSING_TOKEN, request_id, extended_id, STR_NONE);
        return;
    }
    struct arena *a = arena_new(0, ARENA_MAX);
    struct gw_request *r = ARENA_NEW(a, struct gw_request);
    *r = (struct gw_request){.gateway = g, .x = x, .arena = a};
    r->request_id = arena_str(a, request_id);
    r->extended_id = arena_str(a, extended_id);
    struct str accept = http_req_header(&x->req, "Accept");
    struct str type = http_req_header(&x->req, "Content-Type");
    r->accepts_binary = event_media_matches(accept, s->binary_types, s->binary_count);
    int64_t now_ms = clock_now_ms();
    struct event_v1 e = {.req = &x->req,
                         .path = path,
                         .api_id = s->api_id,
                         .stage = s->name,
                         .account = s->account,
                         .region = s->region,
                         .deployment_id = s->deployment_id,
                         .match = &match,
                         .variables = s->variables,
                         .variable_count = s->variable_count,
                         .body_is_binary =
                             event_media_matches(type, s->binary_types, s->binary_count),
                         .request_id = r->request_id,
                         .extended_id = r->extended_id,
                         .trace_root = gw_trace_root(&x->req, a, now_ms),
                         .now_ms = now_ms};
    integrate(s, r, &e);
}
