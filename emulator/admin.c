#include "admin.h"
#include "clock.h"
#include "log.h"
#include "route.h"
#include "usage.h"
#include <inttypes.h>
#include <string.h>

enum { SHIFT_MAX_YEARS = 100, LOG_LINES = 1000, TEMPLATE_ARENA = 256 << 20 };

struct ask { /* one request to us */
    struct server *s;
    struct net_exchange *x;
    struct str rest; /* the path after the endpoint's name, without its slash */
    struct buf *b;
    struct json_out w;
};

static void answer(struct net_exchange *x, uint16_t status, struct str body, const char *type)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), str_c(type));
    route_add_cors(x, resp);
    net_reply(x, resp);
}

static void answer_json(struct ask *k)
{
    answer(k->x, 200, buf_view(k->b), "application/json");
}

static void answer_message(struct net_exchange *x, uint16_t status, const char *message)
{
    struct buf *b = arena_new_buf(x->arena, 64 * 1024);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "message", message);
    json_end(&w);
    answer(x, status, buf_view(b), "application/json");
}

static void get_health(struct ask *k)
{
    json_obj(&k->w, NULL);
    json_cstr(&k->w, "status", k->s->stopping ? "stopping" : "running");
    json_cstr(&k->w, "version", PUDDLE_VERSION);
    json_obj(&k->w, "services");
    for (struct service *const *svc = server_services(k->s); *svc != NULL; svc++)
        json_cstr(&k->w, (*svc)->id, "running");
    json_end(&k->w);
    json_end(&k->w);
    answer_json(k);
}

/* Every operation of each service's model: do we have it? */
static void get_operations(struct ask *k)
{
    json_obj(&k->w, NULL);
    for (struct service *const *svc = server_services(k->s); *svc != NULL; svc++) {
        const struct shape_model *m = (*svc)->model;
        json_obj(&k->w, (*svc)->id);
        for (size_t i = 0; i < m->op_count; i++)
            json_bool(&k->w, m->ops[i].name, service_find_op(*svc, str_c(m->ops[i].name)) != NULL);
        json_end(&k->w);
    }
    json_end(&k->w);
    answer_json(k);
}

static void get_status(struct ask *k)
{
    struct server *s = k->s;
    json_obj(&k->w, NULL);
    json_cstr(&k->w, "version", PUDDLE_VERSION);
    json_cstr(&k->w, "url", s->url);
    if (s->opts.ephemeral)
        json_null(&k->w, "data");
    else
        json_cstr(&k->w, "data", s->opts.data_dir);
    json_i64(&k->w, "uptime_ms", (clock_mono_us() - s->start_us) / 1000);
    json_i64(&k->w, "tables", (int64_t)ddb_table_count(s->ddb));
    json_key(&k->w, STR("functions"));
    rie_write_status(s->rie, &k->w);
    json_key(&k->w, STR("apis"));
    gateway_write_status(s->gateway, &k->w);
    json_key(&k->w, STR("usage"));
    usage_write(s, &k->w);
    json_end(&k->w);
    answer_json(k);
}

static void reset_commit_failed(struct net_exchange *x, struct http_resp *resp)
{
    *resp = (struct http_resp){.status = 500, .body = STR("{\"message\":\"the store failed\"}")};
    http_resp_add(resp, x->arena, STR("Content-Type"), STR("application/json"));
}

/* After a reset the template's resources exist again, empty: as after a start in a new folder. */
static void post_reset(struct ask *k)
{
    struct server *s = k->s;
    struct str which = k->rest;
    bool all = which.n == 0, ok = true;
    char error[512] = "the store could not be written";
    struct template_summary summary;
    if (!all && !str_eq_c(which, "dynamodb") && !str_eq_c(which, "lambda") &&
        !str_eq_c(which, "apigateway") && !str_eq_c(which, "logs")) {
        answer_message(k->x, 404, "no such service (dynamodb, lambda, apigateway, logs)");
        return;
    }
    k->x->writes = true;
    k->x->on_commit_failed = reset_commit_failed;
    if (all || str_eq_c(which, "apigateway"))
        ok = ok && gateway_reset(s->gateway);
    if (all || str_eq_c(which, "lambda"))
        ok = ok && rie_reset(s->rie);
    if (all || str_eq_c(which, "logs"))
        ok = ok && cwl_reset(s->logs);
    if (all || str_eq_c(which, "dynamodb"))
        ok = ok && ddb_reset(s->ddb);
    struct arena *a = arena_new(0, TEMPLATE_ARENA);
    ok = ok && server_apply_template(s, a, &summary, error, sizeof error);
    arena_free(a);
    if (!ok)
        answer_message(k->x, 500, error);
    else
        answer(k->x, 200, STR("{\"status\":\"ok\"}"), "application/json");
}

static void clock_endpoint(struct ask *k)
{
    const int64_t most = (int64_t)SHIFT_MAX_YEARS * 365 * 86400 * 1000;
    int64_t shift = 0;
    struct jval body;
    char now[25];
    if (str_eq_c(k->x->req.method, "POST")) {
        if (!json_parse(k->x->arena, k->x->req.body, JSON_DEPTH_DEFAULT, &body, NULL) ||
            !jval_i64(jval_get(body, "shift_ms"), &shift)) {
            answer_message(k->x, 400, "expected {\"shift_ms\": number}");
            return;
        }
        if (shift > most || shift < -most || clock_shift_total_ms() + shift > most ||
            clock_shift_total_ms() + shift < -most) {
            answer_message(k->x, 400, "the clock moves by at most 100 years");
            return;
        }
        clock_shift_ms(shift);
    }
    clock_format_iso(clock_now_ms(), now);
    json_obj(&k->w, NULL);
    json_cstr(&k->w, "now", now);
    json_i64(&k->w, "now_ms", clock_now_ms());
    json_i64(&k->w, "shift_ms", clock_shift_total_ms());
    json_end(&k->w);
    answer_json(k);
}

static void get_usage(struct ask *k)
{
    usage_write(k->s, &k->w);
    answer_json(k);
}

static void get_logs(struct ask *k)
{
    const struct http_req *req = &k->x->req;
    struct arena *a = k->x->arena;
    struct str function = STR(""), text, account = str_c(k->s->opts.account);
    struct str region = STR("us-east-1");
    int64_t after = 0, last;
    http_req_query(req, a, "function", &function);
    http_req_query(req, a, "account", &account);
    http_req_query(req, a, "region", &region);
    if (http_req_query(req, a, "after", &text) && (!str_to_i64(text, &after) || after < 0)) {
        answer_message(k->x, 400, "after is not a line number");
        return;
    }
    struct str group = rie_log_group(k->s->rie, account, region, function);
    if (group.p == NULL) {
        answer_message(k->x, 404, "no such function");
        return;
    }
    struct str lines = cwl_tail(k->s->logs, account, region, group, after, LOG_LINES, a, &last);
    if (lines.p == NULL) /* it has not written anything yet */
        lines = STR("[]");
    json_obj(&k->w, NULL);
    json_i64(&k->w, "last", last);
    json_raw(&k->w, "lines", lines);
    json_end(&k->w);
    answer_json(k);
}

/* code/<account>/<region>/<name>: what GetFunction's Code.Location names */
static void get_code(struct ask *k)
{
    struct str zip, rest = k->rest, account = str_cut(&rest, '/');
    struct str region = rest.p == NULL ? STR_NONE : str_cut(&rest, '/');
    if (rest.p == NULL || !rie_code_zip(k->s->rie, account, region, rest, k->x->arena, &zip))
        answer_message(k->x, 404, "no such package");
    else
        answer(k->x, 200, zip, "application/zip");
}

static const struct endpoint {
    const char *name;     /* first segment after /_puddle/ */
    bool get, post, more; /* more: further segments may follow */
    void (*run)(struct ask *k);
} endpoints[] = {
    {"health", true, false, false, get_health},
    {"status", true, false, false, get_status},
    {"operations", true, false, false, get_operations},
    {"usage", true, false, false, get_usage},
    {"logs", true, false, false, get_logs},
    {"code", true, false, true, get_code},
    {"clock", true, true, false, clock_endpoint},
    {"reset", false, true, true, post_reset},
};

static const struct {
    const char *other, *ours;
} aliases[] = {
    {"/_localstack/health", "/_puddle/health"},
    {"/moto-api/reset", "/_puddle/reset"},
};

bool admin_owns(struct str path)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (str_eq_c(path, aliases[i].other))
            return true;
    }
    return str_eq_c(path, "/_puddle") || str_starts(path, STR("/_puddle/"));
}

void admin_handle(struct server *s, struct net_exchange *x)
{
    struct ask k = {.s = s, .x = x, .rest = x->req.path, .b = arena_new_buf(x->arena, 64 << 20)};
    bool get = str_eq_c(x->req.method, "GET") || str_eq_c(x->req.method, "HEAD");
    bool post = str_eq_c(x->req.method, "POST");
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (str_eq_c(x->req.path, aliases[i].other))
            k.rest = str_c(aliases[i].ours);
    }
    json_out_init(&k.w, k.b);
    str_cut(&k.rest, '/');
    str_cut(&k.rest, '/'); /* _puddle */
    struct str name = k.rest.p == NULL ? STR("") : str_cut(&k.rest, '/');
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        const struct endpoint *e = &endpoints[i];
        if (!str_eq_c(name, e->name) || (k.rest.n > 0 && !e->more))
            continue;
        if ((get && e->get) || (post && e->post))
            e->run(&k);
        else
            answer_message(x, 405, "this endpoint does not have that method");
        return;
    }
    answer_message(x, 404, "no such endpoint");
}
