#include "admin.h"
#include "clock.h"
#include "json.h"
#include <string.h>

static void answer(struct net_exchange *x, uint16_t status, struct str body, const char *type)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), str_c(type));
    net_reply(x, resp);
}

static void answer_json(struct net_exchange *x, uint16_t status, const struct buf *b)
{
    answer(x, status, buf_view(b), "application/json");
}

static void answer_message(struct net_exchange *x, uint16_t status, const char *message)
{
    answer(x, status, arena_fmt(x->arena, "{\"message\":\"%s\"}", message), "application/json");
}

static void write_health(struct server *s, struct json_out *w)
{
    (void)s;
    json_obj(w, NULL);
    json_cstr(w, "status", "running");
    json_cstr(w, "version", PUDDLE_VERSION);
    json_obj(w, "services");
    for (struct service *const *svc = server_services(s); *svc != NULL; svc++)
        json_cstr(w, (*svc)->id, "running");
    json_end(w);
    json_end(w);
}

static void write_operations(struct server *s, struct json_out *w)
{
    json_obj(w, NULL);
    for (struct service *const *svc = server_services(s); *svc != NULL; svc++) {
        const struct shape_model *m = (*svc)->model;
        json_obj(w, (*svc)->id);
        for (size_t i = 0; i < m->op_count; i++)
            json_bool(w, m->ops[i].name, service_find_op(*svc, str_c(m->ops[i].name)) != NULL);
        json_end(w);
    }
    json_end(w);
}

static void write_status(struct server *s, struct json_out *w)
{
    json_obj(w, NULL);
    json_cstr(w, "version", PUDDLE_VERSION);
    json_cstr(w, "data", s->opts.ephemeral ? "(in memory)" : s->opts.data_dir);
    json_i64(w, "tables", (int64_t)ddb_table_count(s->ddb));
    json_key(w, STR("functions"));
    rie_write_status(s->rie, w);
    json_key(w, STR("apis"));
    gateway_write_status(s->gateway, w);
    json_end(w);
}

static void reset(struct server *s, struct net_exchange *x, struct str which)
{
    bool all = which.n == 0, known = all, ok = true;
    x->writes = true;
    if (all || str_eq_c(which, "dynamodb"))
        known = true, ok = ok && ddb_reset(s->ddb);
    if (all || str_eq_c(which, "apigateway"))
        known = true, ok = ok && gateway_reset(s->gateway);
    if (all || str_eq_c(which, "lambda"))
        known = true, ok = ok && rie_reset(s->rie);
    if (!known)
        answer_message(x, 404, "no such service");
    else if (!ok)
        answer_message(x, 500, "the store could not be written");
    else
        answer(x, 200, STR("{\"status\":\"ok\"}"), "application/json");
}

static void handle_clock(struct net_exchange *x, struct json_out *w, const struct buf *b)
{
    int64_t shift = 0;
    struct jval body;
    if (str_eq_c(x->req.method, "POST")) {
        if (!json_parse(x->arena, x->req.body, JSON_DEPTH_DEFAULT, &body, NULL) ||
            !jval_i64(jval_get(body, "shift_ms"), &shift)) {
            answer_message(x, 400, "expected {\\\"shift_ms\\\": number}");
            return;
        }
        clock_shift_ms(shift);
    }
    json_obj(w, NULL);
    json_i64(w, "now_ms", clock_now_ms());
    json_i64(w, "shift_ms", clock_shift_total_ms());
    json_end(w);
    answer_json(x, 200, b);
}

static void handle_logs(struct server *s, struct net_exchange *x, struct json_out *w,
                        const struct buf *b)
{
    struct str function = STR(""), text;
    int64_t after = 0;
    uint64_t last;
    http_req_query(&x->req, x->arena, "function", &function);
    if (http_req_query(&x->req, x->arena, "after", &text))
        str_to_i64(text, &after);
    struct str lines = rie_logs(s->rie, str_c(s->opts.account), STR("us-east-1"), function,
                                (uint64_t)after, 1000, x->arena, &last);
    if (lines.p == NULL) {
        answer_message(x, 404, "no such function");
        return;
    }
    json_obj(w, NULL);
    json_i64(w, "last", (int64_t)last);
    json_raw(w, "lines", lines);
    json_end(w);
    answer_json(x, 200, b);
}

static void handle_code(struct server *s, struct net_exchange *x, struct str rest)
{
    struct str zip, account = str_cut(&rest, '/');
    struct str region = rest.p == NULL ? STR_NONE : str_cut(&rest, '/');
    if (rest.p == NULL || !rie_code_zip(s->rie, account, region, rest, x->arena, &zip))
        answer_message(x, 404, "no such package");
    else
        answer(x, 200, zip, "application/zip");
}

bool admin_owns(struct str path)
{
    return str_starts(path, STR("/_puddle/")) || str_eq_c(path, "/_localstack/health") ||
           str_eq_c(path, "/moto-api/reset");
}

void admin_handle(struct server *s, struct net_exchange *x)
{
    struct str path = x->req.path;
    bool get = str_eq_c(x->req.method, "GET"), post = str_eq_c(x->req.method, "POST");
    struct buf *b = arena_new_buf(x->arena, 64 << 20);
    struct json_out w;
    json_out_init(&w, b);
    if (str_eq_c(path, "/moto-api/reset"))
        path = STR("/_puddle/reset");
    else if (str_eq_c(path, "/_localstack/health"))
        path = STR("/_puddle/health");
    path = str_sub(path, 9, path.n);
    if (get && str_eq_c(path, "health")) {
        write_health(s, &w);
        answer_json(x, 200, b);
    } else if (get && str_eq_c(path, "operations")) {
        write_operations(s, &w);
        answer_json(x, 200, b);
    } else if (get && str_eq_c(path, "status")) {
        write_status(s, &w);
        answer_json(x, 200, b);
    } else if (get && str_eq_c(path, "logs")) {
        handle_logs(s, x, &w, b);
    } else if ((get || post) && str_eq_c(path, "clock")) {
        handle_clock(x, &w, b);
    } else if (post && (str_eq_c(path, "reset") || str_starts(path, STR("reset/")))) {
        reset(s, x, path.n > 6 ? str_sub(path, 6, path.n) : STR(""));
    } else if (get && str_starts(path, STR("code/"))) {
        handle_code(s, x, str_sub(path, 5, path.n));
    } else {
        answer_message(x, 404, "no such endpoint");
    }
}
