/* The front door. First who may come in (guard.h), then the table at the end: the first rule that
 * matches takes the request. DESIGN section 1.2 in order. */
#include "route.h"
#include "admin.h"
#include "clock.h"
#include "function_url.h"
#include "log.h"
#include "wire.h"
#include <string.h>

enum {
    UNKNOWN_SEEN_MAX = 1000,
    JSON_BODY_MAX = 16 * 1024 * 1024, /* facts/dynamodb.md 17 */
};

struct visit { /* one request on its way through the table */
    struct server *s;
    struct net_exchange *x;
    struct wire_identity who; /* service empty: not signed */
    struct service *svc;      /* set by a matching rule */
    struct str op_name;       /* of JSON services; empty: none that we know */
    struct str api_id, stage, api_path;
};

static void answer_text(struct net_exchange *x, uint16_t status, struct str type, struct str body)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), type);
    net_reply(x, resp);
}

static void refuse(struct net_exchange *x, const char *why)
{
    answer_text(x, 403, STR("application/json"),
                arena_fmt(x->arena, "{\"message\":\"puddle: %s\"}", why));
}

/* What a user asks for and we do not have is said once: clients retry and poll. */
static void log_unknown(struct server *s, struct arena *a, struct str service, struct str what)
{
    struct str key = arena_fmt(a, "%.*s %.*s", STR_ARG(service), STR_ARG(what));
    if (s->unknown_seen.count >= UNKNOWN_SEEN_MAX || map_get(&s->unknown_seen, key) != NULL)
        return;
    map_put(&s->unknown_seen, key, s);
    log_msg(LOG_WARN, "route", "%.*s: %.*s is not supported", STR_ARG(service), STR_ARG(what));
}

/* ---- browsers ---- */

void route_add_cors(const struct net_exchange *x, struct http_resp *resp)
{
    if (http_req_header(&x->req, "Origin").p == NULL)
        return;
    http_resp_add(resp, x->arena, STR("Access-Control-Allow-Origin"), STR("*"));
    http_resp_add(resp, x->arena, STR("Access-Control-Expose-Headers"),
                  STR("x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
                      "x-amzn-ErrorMessage,Date"));
}

/* The preflight for a service, as AWS answers it (facts/dynamodb.md 20). */
static void answer_preflight(struct net_exchange *x)
{
    static const struct {
        const char *asks, *allows;
    } echoes[] = {
        {"Access-Control-Request-Headers", "Access-Control-Allow-Headers"},
        {"Access-Control-Request-Method", "Access-Control-Allow-Methods"},
        {"Access-Control-Request-Private-Network", "Access-Control-Allow-Private-Network"},
    };
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = 200;
    route_add_cors(x, resp);
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        struct str value = http_req_header(&x->req, echoes[i].asks);
        if (value.p != NULL)
            http_resp_add(resp, x->arena, str_c(echoes[i].allows), value);
    }
    http_resp_add(resp, x->arena, STR("Access-Control-Max-Age"), STR("172800"));
    net_reply(x, resp);
}

/* ---- running a call ---- */

struct run {
    struct visit v;
    struct call *call;
};

static void send_reply(struct call *c)
{
    struct run *run = c->reply_arg;
    struct net_exchange *x = run->v.x;
    struct http_resp *resp = ARENA_NEW(c->arena, struct http_resp);
    wire_reply(c, resp);
    route_add_cors(x, resp);
    /* a read of the same tick has seen what a failed commit takes back */
    x->writes = c->op != NULL && (c->op->writes || c->svc->protocol == WIRE_JSON);
    net_reply(x, resp);
}

static void on_commit_failed(struct net_exchange *x, struct http_resp *resp)
{
    struct call *c = ((struct run *)x->user)->call;
    c->err = (struct aws_err){0};
    c->extra = (struct http_resp){0};
    c->out_is_payload = false;
    c->status = CALL_FAILED;
    aws_fail(&c->err, c->arena, c->svc->internal_error, "The store could not be written.");
    *resp = (struct http_resp){0};
    wire_reply(c, resp);
    route_add_cors(x, resp);
}

static bool authenticate(void *arg, struct call *c)
{
    struct run *run = arg;
    const char *name = c->svc->signing_name != NULL ? c->svc->signing_name : c->svc->id;
    struct sigv4_opts opts = {.keys = run->v.s->opts.strict_auth ? &run->v.s->keys : NULL,
                              .service = str_c(name),
                              .now_ms = c->now_ms,
                              .normalize_path = true,
                              .rest = c->svc->protocol == WIRE_REST_JSON};
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

static bool is_read(const struct http_req *req)
{
    return str_eq_c(req->method, "GET") || str_eq_c(req->method, "HEAD");
}

static void run_json(struct visit *v)
{
    if (is_read(&v->x->req) && str_eq_c(v->x->req.path, "/") && v->op_name.n == 0) {
        answer_text(v->x, 200, STR("text/plain"),
                    arena_fmt(v->x->arena, "healthy: %.*s", STR_ARG(v->x->req.host)));
        return;
    }
    if (v->x->req.body.n > JSON_BODY_MAX) {
        /* unverified: the text */
        answer_text(v->x, 413, STR("text/plain"), STR("Request size exceeded 16777216 bytes"));
        return;
    }
    if (service_find_op(v->svc, v->op_name) == NULL &&
        shape_find_op(v->svc->model, v->op_name) != NULL)
        log_unknown(v->s, v->x->arena, str_c(v->svc->id), v->op_name);
    struct run *run = start_call(v);
    wire_json_run(run->call, v->op_name, authenticate, run);
}

static void run_rest(struct visit *v)
{
    /* unverified: what AWS answers to an operation it does not have; the name is its own */
    static const struct aws_err_kind unknown = {"UnknownOperationException", "", 404, false, NULL};
    struct wire_rest_match *match = NULL;
    struct run *run = start_call(v);
    struct arena *a = v->x->arena;
    run->call->op = wire_rest_find(v->svc, &v->x->req, a, &match);
    if (run->call->op != NULL) {
        wire_rest_run(run->call, match, authenticate, run);
        return;
    }
    const char *name = wire_rest_known_op(v->svc, &v->x->req, a);
    struct str what = name != NULL ? str_c(name)
                                   : arena_fmt(a, "%.*s %.*s", STR_ARG(v->x->req.method),
                                               STR_ARG(v->x->req.path));
    log_unknown(v->s, a, str_c(v->svc->id), what);
    aws_fail(&run->call->err, a, &unknown, "Puddle does not support %s of %s.",
             name != NULL ? name : "this request", v->svc->id);
    run->call->status = CALL_FAILED;
    send_reply(run->call);
}

static void run_service(struct visit *v)
{
    if (v->svc->protocol == WIRE_JSON)
        run_json(v);
    else
        run_rest(v);
}

/* ---- the table: rules in the order of DESIGN 1.2 ---- */

static bool is_admin(struct visit *v)
{
    return admin_owns(v->x->req.path);
}

static void run_admin(struct visit *v)
{
    admin_handle(v->s, v->x);
}

/* rest: "<stage>/<path>"; the path keeps its slash, and is empty when there is none. */
static void split_stage(struct visit *v, struct str rest)
{
    v->stage = str_cut(&rest, '/');
    v->api_path = rest.p == NULL ? STR("") : (struct str){rest.p - 1, rest.n + 1};
}

/* <api-id>.execute-api.<anything> */
static bool is_api_host(struct visit *v)
{
    struct str name = guard_host_name(v->x->req.host);
    v->api_id = str_cut(&name, '.');
    if (v->api_id.n == 0 || name.p == NULL || !str_starts(name, STR("execute-api.")))
        return false;
    split_stage(v, str_sub(v->x->req.path, 1, v->x->req.path.n));
    return true;
}

/* /_aws/execute-api/<id>/<stage>/<path> */
static bool is_api_path(struct visit *v)
{
    static const char start[] = "/_aws/execute-api/";
    struct str rest = v->x->req.path;
    if (!str_starts(rest, str_c(start)))
        return false;
    rest = str_sub(rest, sizeof start - 1, rest.n);
    v->api_id = str_cut(&rest, '/');
    split_stage(v, rest.p == NULL ? STR("") : rest);
    return true;
}

/* /restapis/<id>/<stage>/_user_request_/<path>: the older form of other emulators */
static bool is_user_request_path(struct visit *v)
{
    static const char start[] = "/restapis/";
    struct str rest = v->x->req.path;
    if (!str_starts(rest, str_c(start)))
        return false;
    rest = str_sub(rest, sizeof start - 1, rest.n);
    v->api_id = str_cut(&rest, '/');
    struct str stage = rest.p == NULL ? STR_NONE : str_cut(&rest, '/');
    if (rest.p == NULL || !str_eq_c(str_cut(&rest, '/'), "_user_request_"))
        return false;
    v->stage = stage;
    v->api_path = rest.p == NULL ? STR("/") : (struct str){rest.p - 1, rest.n + 1};
    return true;
}

static void run_api(struct visit *v)
{
    gateway_handle(v->s->gateway, v->x, v->api_id, v->stage, v->api_path);
}

/* A custom domain name of API Gateway. */
static bool is_api_domain(struct visit *v)
{
    return gateway_domain(v->s->gateway, guard_host_name(v->x->req.host), v->x->req.path,
                          v->x->arena, &v->api_id, &v->stage, &v->api_path);
}

/* <url-id>.lambda-url.<region>.<anything> */
static bool is_function_url(struct visit *v)
{
    struct str name = guard_host_name(v->x->req.host);
    v->api_id = str_cut(&name, '.');
    return name.p != NULL && str_starts(name, STR("lambda-url."));
}

static bool authenticate_url(void *arg, struct net_exchange *x)
{
    struct visit *v = arg;
    struct aws_err err = {0};
    struct sigv4_opts opts = {.keys = v->s->opts.strict_auth ? &v->s->keys : NULL,
                              .service = STR("lambda"),
                              .now_ms = clock_now_ms(),
                              .normalize_path = true,
                              .rest = true};
    return sigv4_check(&x->req, &opts, x->arena, &err);
}

static void run_function_url(struct visit *v)
{
    function_url_handle(v->s->rie, v->x, v->api_id, authenticate_url, v);
}

static struct service *find_service(struct visit *v, struct str id)
{
    for (struct service *const *svc = server_services(v->s); *svc != NULL; svc++) {
        if (str_eq_c(id, (*svc)->id))
            return *svc;
    }
    return NULL;
}

/* Both versions of API Gateway are signed for as "apigateway"; the path tells them apart. */
static void choose_version(struct visit *v)
{
    if (v->svc == gateway_service(v->s->gateway) && str_starts(v->x->req.path, STR("/v2/")))
        v->svc = gateway_service_v2(v->s->gateway);
}

static bool is_target(struct visit *v)
{
    struct str rest = http_req_header(&v->x->req, "X-Amz-Target");
    if (rest.p == NULL)
        return false;
    struct str target = rest, prefix = str_cut(&rest, '.');
    for (struct service *const *svc = server_services(v->s); *svc != NULL; svc++) {
        const char *known = (*svc)->model->target_prefix;
        if (known != NULL && str_eq_c(prefix, known)) {
            v->svc = *svc;
            v->op_name = rest.p == NULL ? STR("") : rest;
            return true;
        }
    }
    if (v->who.service.n > 0 && find_service(v, v->who.service) == NULL)
        return false; /* a service we do not have */
    /* facts/dynamodb.md 12: refused before authentication, in DynamoDB's words */
    log_unknown(v->s, v->x->arena, STR("X-Amz-Target"), target);
    v->svc = ddb_service(v->s->ddb);
    v->op_name = STR("?");
    return true;
}

static bool is_scoped(struct visit *v)
{
    v->svc = find_service(v, v->who.service);
    choose_version(v);
    return v->svc != NULL;
}

/* Signed for a service that we do not have; execute-api is the user's own API. */
static bool is_other_service(struct visit *v)
{
    return v->who.service.n > 0 && !str_eq_c(v->who.service, "execute-api");
}

/* unverified: AWS has all its services; these are the shapes in which its clients look for an
 * error. */
static void run_other_service(struct visit *v)
{
    struct arena *a = v->x->arena;
    struct str type = http_req_header(&v->x->req, "Content-Type"), service = v->who.service;
    struct str target = http_req_header(&v->x->req, "X-Amz-Target");
    struct str safe = STR("this service");
    bool plain = service.n <= 32;
    for (size_t i = 0; i < service.n && plain; i++)
        plain = (service.p[i] >= 'a' && service.p[i] <= 'z') || service.p[i] == '-' ||
                (service.p[i] >= '0' && service.p[i] <= '9');
    if (plain)
        safe = service;
    log_unknown(v->s, a, service, target.p != NULL ? target : STR("the service"));
    if (str_eq_c(service, "s3"))
        answer_text(v->x, 501, STR("application/xml"),
                    STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NotImplemented"
                        "</Code><Message>Puddle does not have s3.</Message></Error>"));
    else if (str_starts(type, STR("application/x-www-form-urlencoded")))
        answer_text(v->x, 400, STR("text/xml"),
                    arena_fmt(a,
                              "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>"
                              "<Message>Puddle does not have %.*s.</Message></Error>"
                              "</ErrorResponse>",
                              STR_ARG(safe)));
    else
        answer_text(v->x, target.p != NULL ? 400 : 404, STR("application/json"),
                    arena_fmt(a,
                              "{\"__type\":\"UnknownOperationException\","
                              "\"message\":\"Puddle does not have %.*s.\"}",
                              STR_ARG(safe)));
}

/* dynamodb.us-east-1.amazonaws.com, 123456789012.ddb.us-east-1.amazonaws.com */
static bool is_aws_host(struct visit *v)
{
    struct str rest = guard_host_name(v->x->req.host);
    if (!guard_is_aws_name(rest))
        return false;
    struct str first = str_cut(&rest, '.'), second = str_cut(&rest, '.');
    v->svc = find_service(v, str_eq_c(second, "ddb") ? STR("dynamodb") : first);
    choose_version(v);
    return v->svc != NULL;
}

/* /2015-03-31/functions and the like: Lambda's operations are dated. */
static bool is_dated(struct str path)
{
    static const char form[] = "/20dd-dd-dd/";
    if (path.n < sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++) {
        if (form[i] == 'd' ? path.p[i] < '0' || path.p[i] > '9' : path.p[i] != form[i])
            return false;
    }
    return true;
}

static bool is_path_shape(struct visit *v)
{
    struct str path = v->x->req.path;
    if (is_dated(path))
        v->svc = rie_service(v->s->rie);
    else if (str_eq_c(path, "/restapis") || str_starts(path, STR("/restapis/")))
        v->svc = gateway_service(v->s->gateway);
    else if (str_eq_c(path, "/v2/apis") || str_starts(path, STR("/v2/apis/")))
        v->svc = gateway_service_v2(v->s->gateway);
    else if (str_eq_c(path, "/")) /* DynamoDB's health text, or a POST without a target */
        v->svc = ddb_service(v->s->ddb);
    return v->svc != NULL;
}

/* The one API that the template defines answers at the root, as SAM local does. */
static bool is_default_api(struct visit *v)
{
    v->api_path = v->x->req.path;
    return gateway_default(v->s->gateway, &v->api_id, &v->stage);
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
    {"API by Host", is_api_host, run_api, true},
    {"API by custom domain name", is_api_domain, run_api, true},
    {"API by path", is_api_path, run_api, true},
    {"API by path, older form", is_user_request_path, run_api, true},
    {"function URL", is_function_url, run_function_url, true},
    {"X-Amz-Target", is_target, run_json, false},
    {"credential scope", is_scoped, run_service, false},
    {"a service we do not have", is_other_service, run_other_service, false},
    {"AWS host name", is_aws_host, run_service, false},
    {"path shape", is_path_shape, run_service, false},
    {"the template's only API", is_default_api, run_api, true},
    {"nothing", always, run_nothing, false},
};

/* Only AWS's own schemes say what a request is for: the Authorization of a user's API is his. */
static void identify(struct visit *v)
{
    struct str given = http_req_header(&v->x->req, "Authorization");
    wire_identify(&v->x->req, v->x->arena, str_c(v->s->opts.account), &v->who);
    if (given.p != NULL && !str_starts(given, STR("AWS4-")))
        v->who = (struct wire_identity){.account = str_c(v->s->opts.account),
                                        .region = STR("us-east-1")};
}

void route_request(struct net_exchange *x)
{
    struct visit v = {.s = x->listener_arg, .x = x};
    if (v.s == NULL) { /* the server is stopping */
        answer_text(x, 503, STR("text/plain"), STR("stopping\n"));
        return;
    }
    const struct http_req *req = &x->req;
    if (req->host.p != NULL && !guard_host_allowed(&v.s->guard, req->host) && !is_api_domain(&v)) {
        refuse(x, "this Host name is not allowed (see --allow-host)");
        return;
    }
    identify(&v);
    const struct rule *rule = rules;
    while (!rule->match(&v))
        rule++;
    if (!rule->users_api) {
        if (!guard_origin_allowed(&v.s->guard, req)) {
            refuse(x, "requests from this Origin are not allowed (see --allow-origin)");
            return;
        }
        if (str_eq_c(req->method, "OPTIONS") && http_req_header(req, "Origin").p != NULL) {
            answer_preflight(x);
            return;
        }
    }
    rule->run(&v);
}
