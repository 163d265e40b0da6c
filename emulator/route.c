/* The front door. First who may come in (Host and Origin), then the table: the first rule that
 * matches takes the request. DESIGN section 1.2 in order. */
#include "route.h"
#include "admin.h"
#include "log.h"
#include "wire.h"
#include <string.h>

struct visit { /* one request on its way through the table */
    struct server *s;
    struct net_exchange *x;
    struct wire_identity who;
    struct str allowed_origin; /* the Origin header, when it may see the answer */
    struct service *svc;       /* set by a matching rule */
};

static void answer_text(struct net_exchange *x, uint16_t status, struct str type, struct str body)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), type);
    net_reply(x, resp);
}

/* ---- who may come in ---- */

static struct str host_name(struct str host)
{
    if (host.n > 0 && host.p[0] == '[') {
        ptrdiff_t end = str_find(host, ']');
        return end < 0 ? host : str_sub(host, 0, (size_t)end + 1);
    }
    return str_cut(&host, ':');
}

static bool is_loopback_name(struct str name)
{
    return str_case_eq(name, STR("localhost")) || str_ends(name, STR(".localhost")) ||
           str_eq_c(name, "[::1]") || str_starts(name, STR("127.")) ||
           str_ends(name, STR("localhost.localstack.cloud"));
}

static bool is_aws_name(struct str name)
{
    return str_ends(name, STR(".amazonaws.com")) || str_ends(name, STR(".amazonaws.com.cn")) ||
           str_ends(name, STR(".api.aws")) || str_ends(name, STR(".on.aws"));
}

static bool host_allowed(const struct server *s, struct str host)
{
    struct str name = host_name(host);
    if (is_loopback_name(name) || is_aws_name(name))
        return true;
    for (size_t i = 0; i < s->opts.host_count; i++) {
        if (str_case_eq(name, str_c(s->opts.hosts[i])))
            return true;
    }
    return s->opts.host_given && s->opts.host_count == 0 && !is_loopback_name(str_c(s->opts.host));
}

static bool origin_allowed(const struct server *s, struct str origin)
{
    for (size_t i = 0; i < s->opts.origin_count; i++) {
        if (strcmp(s->opts.origins[i], "*") == 0 || str_eq_c(origin, s->opts.origins[i]))
            return true;
    }
    ptrdiff_t at = str_find_str(origin, STR("://"));
    return at > 0 && is_loopback_name(host_name(str_sub(origin, (size_t)at + 3, origin.n)));
}

static void refuse(struct net_exchange *x, const char *why)
{
    answer_text(x, 403, STR("application/json"),
                arena_fmt(x->arena, "{\"message\":\"puddle: %s\"}", why));
}

/* The browser's preflight for a service, as AWS answers it (facts/dynamodb.md 20). */
static void answer_preflight(struct visit *v)
{
    struct arena *a = v->x->arena;
    struct http_resp *resp = ARENA_NEW(a, struct http_resp);
    struct str headers = http_req_header(&v->x->req, "Access-Control-Request-Headers");
    struct str method = http_req_header(&v->x->req, "Access-Control-Request-Method");
    resp->status = 200;
    http_resp_add(resp, a, STR("Access-Control-Allow-Origin"), STR("*"));
    if (headers.p != NULL)
        http_resp_add(resp, a, STR("Access-Control-Allow-Headers"), headers);
    if (method.p != NULL)
        http_resp_add(resp, a, STR("Access-Control-Allow-Methods"), method);
    http_resp_add(resp, a, STR("Access-Control-Max-Age"), STR("172800"));
    net_reply(v->x, resp);
}

/* ---- running a call ---- */

struct run {
    struct visit v;
    struct call *call;
};

static void add_cors(const struct visit *v, struct http_resp *resp)
{
    if (v->allowed_origin.p == NULL)
        return;
    http_resp_add(resp, v->x->arena, STR("Access-Control-Allow-Origin"), STR("*"));
    http_resp_add(resp, v->x->arena, STR("Access-Control-Expose-Headers"),
                  STR("x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
                      "x-amzn-ErrorMessage,Date"));
}

static void send_reply(struct call *c)
{
    struct run *run = c->reply_arg;
    struct http_resp *resp = ARENA_NEW(c->arena, struct http_resp);
    wire_reply(c, resp);
    add_cors(&run->v, resp);
    run->v.x->writes = c->op != NULL && c->op->writes;
    net_reply(run->v.x, resp);
}

static void on_commit_failed(struct net_exchange *x, struct http_resp *resp)
{
    struct call *c = ((struct run *)x->user)->call;
    c->err = (struct aws_err){0};
    c->out_is_payload = false;
    c->status = CALL_FAILED;
    aws_fail(&c->err, c->arena, c->svc->internal_error, "The store could not be written.");
    wire_reply(c, resp);
}

static bool authenticate(void *arg, struct call *c)
{
    struct run *run = arg;
    struct sigv4_opts opts = {.keys = run->v.s->opts.strict_auth ? &run->v.s->keys : NULL,
                              .service = str_c(c->svc->id),
                              .now_ms = c->now_ms,
                              .normalize_path = true};
    return sigv4_check(c->http, &opts, c->arena, &c->err);
}

static struct run *start_call(struct visit *v)
{
    struct run *run = ARENA_NEW(v->x->arena, struct run);
    run->v = *v;
    run->call = call_new(v->x->arena, v->svc, NULL);
    run->call->http = &v->x->req;
    run->call->account = v->who.account;
    run->call->region = v->who.region;
    run->call->access_key = v->who.access_key;
    run->call->reply = send_reply;
    run->call->reply_arg = run;
    v->x->user = run;
    v->x->on_commit_failed = on_commit_failed;
    return run;
}

static void run_json(struct visit *v)
{
    struct str target = http_req_header(&v->x->req, "X-Amz-Target");
    struct run *run = start_call(v);
    str_cut(&target, '.');
    wire_json_run(run->call, target.p == NULL ? STR("") : target, authenticate, run);
}

static void run_rest(struct visit *v)
{
    struct wire_rest_match *match = NULL;
    struct run *run = start_call(v);
    run->call->op = wire_rest_find(v->svc, &v->x->req, v->x->arena, &match);
    if (run->call->op != NULL) {
        wire_rest_run(run->call, match, authenticate, run);
        return;
    }
    const char *known = wire_rest_known_op(v->svc, &v->x->req, v->x->arena);
    log_msg(LOG_WARN, "route", "%s: %s is not supported (%.*s %.*s)", v->svc->id,
            known != NULL ? known : "this request", STR_ARG(v->x->req.method),
            STR_ARG(v->x->req.path));
    static const struct aws_err_kind unknown = {"UnknownOperationException", "", 404, false, NULL};
    aws_fail(&run->call->err, run->call->arena, &unknown, "Puddle does not support %s yet.",
             known != NULL ? known : "this operation");
    run->call->status = CALL_FAILED;
    run->call->reply(run->call);
}

/* ---- the table ---- */

static bool is_admin(struct visit *v)
{
    return admin_owns(v->x->req.path);
}

static void run_admin(struct visit *v)
{
    admin_handle(v->s, v->x);
}

/* <api-id>.execute-api.<anything> */
static bool is_api_host(struct visit *v)
{
    struct str name = host_name(v->x->req.host);
    ptrdiff_t dot = str_find(name, '.');
    return dot > 0 && str_starts(str_sub(name, (size_t)dot + 1, name.n), STR("execute-api."));
}

static void run_api_host(struct visit *v)
{
    struct str host = host_name(v->x->req.host), id = str_cut(&host, '.');
    struct str rest = str_sub(v->x->req.path, 1, v->x->req.path.n), stage = str_cut(&rest, '/');
    struct str path = rest.p == NULL ? STR("/") : (struct str){rest.p - 1, rest.n + 1};
    gateway_handle(v->s->gateway, v->x, id, stage, path);
}

static bool is_api_path(struct visit *v)
{
    struct str path = v->x->req.path;
    return str_starts(path, STR("/_aws/execute-api/")) ||
           (str_starts(path, STR("/restapis/")) && str_find_str(path, STR("/_user_request_")) > 0);
}

/* /_aws/execute-api/<id>/<stage>/<path> and /restapis/<id>/<stage>/_user_request_/<path> */
static void run_api_path(struct visit *v)
{
    struct str rest = v->x->req.path;
    bool old_form = str_starts(rest, STR("/restapis/"));
    rest = str_sub(rest, old_form ? 10 : 18, rest.n);
    struct str id = str_cut(&rest, '/');
    struct str stage = rest.p == NULL ? STR("") : str_cut(&rest, '/');
    if (old_form && rest.p != NULL)
        str_cut(&rest, '/'); /* _user_request_ */
    struct str path = rest.p == NULL ? STR("/") : (struct str){rest.p - 1, rest.n + 1};
    gateway_handle(v->s->gateway, v->x, id, stage, path);
}

static bool is_target(struct visit *v)
{
    struct str target = http_req_header(&v->x->req, "X-Amz-Target"), rest = target;
    if (target.p == NULL)
        return false;
    struct str prefix = str_cut(&rest, '.');
    for (struct service *const *svc = server_services(v->s); *svc != NULL; svc++) {
        const char *known = (*svc)->model->target_prefix;
        if (known != NULL && str_eq_c(prefix, known))
            v->svc = *svc;
    }
    if (v->svc == NULL) { /* refused in the words of the JSON services */
        v->svc = ddb_service(v->s->ddb);
        log_msg(LOG_WARN, "route", "unknown X-Amz-Target %.*s", STR_ARG(target));
    }
    return true;
}

static bool find_service(struct visit *v, struct str id)
{
    for (struct service *const *svc = server_services(v->s); *svc != NULL; svc++) {
        if (str_eq_c(id, (*svc)->id))
            v->svc = *svc;
    }
    return v->svc != NULL;
}

static bool is_scoped(struct visit *v)
{
    return v->who.service.n > 0 && find_service(v, v->who.service);
}

static bool is_aws_host(struct visit *v)
{
    struct str name = host_name(v->x->req.host);
    return is_aws_name(name) && find_service(v, str_cut(&name, '.'));
}

static bool is_path_shape(struct visit *v)
{
    struct str path = v->x->req.path;
    if (str_starts(path, STR("/2015-03-31/functions")))
        return find_service(v, STR("lambda"));
    if (str_starts(path, STR("/restapis")))
        return find_service(v, STR("apigateway"));
    return false;
}

static void run_service(struct visit *v)
{
    if (v->svc->protocol == WIRE_JSON)
        run_json(v);
    else
        run_rest(v);
}

static bool has_default_api(struct visit *v)
{
    struct str id, stage;
    bool health = str_eq_c(v->x->req.path, "/") && str_eq_c(v->x->req.method, "GET");
    return !health && gateway_default(v->s->gateway, &id, &stage);
}

static void run_default_api(struct visit *v)
{
    struct str id, stage;
    gateway_default(v->s->gateway, &id, &stage);
    gateway_handle(v->s->gateway, v->x, id, stage, v->x->req.path);
}

static bool is_health(struct visit *v)
{
    return str_eq_c(v->x->req.path, "/") && str_eq_c(v->x->req.method, "GET");
}

static void run_health(struct visit *v)
{
    struct str host = v->x->req.host;
    answer_text(v->x, 200, STR("text/plain"),
                arena_fmt(v->x->arena, "healthy: %.*s ", STR_ARG(host)));
}

static bool is_dynamodb_shape(struct visit *v)
{
    v->svc = ddb_service(v->s->ddb);
    return str_eq_c(v->x->req.path, "/") && str_eq_c(v->x->req.method, "POST");
}

static bool always(struct visit *v)
{
    (void)v;
    return true;
}

static void run_nothing(struct visit *v)
{
    answer_text(v->x, 404, STR("application/json"),
                STR("{\"message\":\"puddle: no service, API or endpoint answers this request\"}"));
}

static const struct rule {
    const char *name;
    bool (*match)(struct visit *v);
    void (*run)(struct visit *v);
    bool users_api; /* the user's own API: its CORS settings speak, not ours */
} rules[] = {
    {"our own endpoints", is_admin, run_admin, false},
    {"API by Host", is_api_host, run_api_host, true},
    {"API by path", is_api_path, run_api_path, true},
    {"X-Amz-Target", is_target, run_json, false},
    {"credential scope", is_scoped, run_service, false},
    {"AWS host name", is_aws_host, run_service, false},
    {"path shape", is_path_shape, run_service, false},
    {"the only API", has_default_api, run_default_api, true},
    {"health", is_health, run_health, false},
    {"POST / without a target", is_dynamodb_shape, run_json, false},
    {"nothing", always, run_nothing, false},
};

void route_request(struct net_exchange *x)
{
    struct visit v = {.s = x->listener_arg, .x = x};
    const struct http_req *req = &x->req;
    struct str origin = http_req_header(req, "Origin");
    struct str site = http_req_header(req, "Sec-Fetch-Site");
    if (!req->is_http10 && !host_allowed(v.s, req->host)) {
        refuse(x, "this Host name is not allowed (see --allow-host)");
        return;
    }
    wire_identify(req, x->arena, str_c(v.s->opts.account), &v.who);
    const struct rule *rule = rules;
    while (!rule->match(&v)) {
        rule++;
        v.svc = NULL;
    }
    if (!rule->users_api) {
        bool foreign = str_eq_c(site, "cross-site") && origin.p == NULL;
        if (foreign || (origin.p != NULL && !origin_allowed(v.s, origin))) {
            refuse(x, "requests from this Origin are not allowed (see --allow-origin)");
            return;
        }
        if (origin.p != NULL)
            v.allowed_origin = origin;
        if (origin.p != NULL && str_eq_c(req->method, "OPTIONS")) {
            answer_preflight(&v);
            return;
        }
    }
    rule->run(&v);
}
