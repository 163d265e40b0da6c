/* links: puddle_gateway */
/* The data plane with Lambda, the network and timers played by the test. */
#include "gateway.h"
#include "harness.h"
#include "json.h"
#include "net_fetch.h"
#include <stdlib.h>

static struct {
    struct rie_result *result;
    struct wait *wait;
    struct str function, account, event; /* malloc'ed copies */
    struct timer *timer;
    unsigned replies, calls;
    struct http_resp resp;
} fake;

static struct str copy(struct str s)
{
    char *p = malloc(s.n + 1);
    memcpy(p, s.p == NULL ? "" : s.p, s.n);
    return (struct str){p, s.n};
}

static void fake_reset(void)
{
    free((void *)(uintptr_t)fake.function.p);
    free((void *)(uintptr_t)fake.account.p);
    free((void *)(uintptr_t)fake.event.p);
    memset(&fake, 0, sizeof fake);
}

void rie_invoke(struct rie *r, const struct rie_request *req, struct arena *a,
                struct rie_result *ret, struct wait *w)
{
    (void)r;
    (void)a;
    fake.result = ret;
    fake.wait = w;
    fake.calls++;
    fake.function = copy(req->function);
    fake.account = copy(req->account);
    fake.event = copy(req->payload);
}

void fetch_start(struct net *n, const struct fetch_request *req, struct arena *a,
                 struct fetch_result *ret, struct wait *w)
{
    (void)n, (void)req, (void)a, (void)ret, (void)w;
    abort(); /* no REST API of these tests asks over HTTP */
}

bool fetch_url_parse(struct str text, struct fetch_url *ret)
{
    (void)text, (void)ret;
    return false;
}

void net_reply(struct net_exchange *x, const struct http_resp *resp)
{
    (void)x;
    fake.replies++;
    fake.resp = *resp;
}

void timer_set(struct loop *l, struct timer *t, int64_t due_ms)
{
    (void)l;
    t->due_ms = due_ms;
    fake.timer = t;
}

void timer_clear(struct loop *l, struct timer *t)
{
    (void)l;
    if (fake.timer == t)
        fake.timer = NULL;
}

struct fixture {
    struct db *db;
    struct gateway *gateway;
    struct arena *arena;
    struct net_exchange x;
    struct http_header headers[8];
    struct jval body;
};

static void op(struct fixture *f, const char *name, struct str json)
{
    struct aws_err err = {0};
    if (!call_run_local(gateway_service(f->gateway), name, STR("000000000000"), STR("us-east-1"),
                        json, f->arena, &f->body, &err))
        fprintf(stderr, "%s: %s: %.*s\n", name, err.kind->code, STR_ARG(err.message));
}

static void put(struct fixture *f, struct str root, const char *method, const char *http,
                const char *uri)
{
    op(f, "PutMethod",
       arena_fmt(f->arena,
                 "{\"restApiId\":\"myapi\",\"resourceId\":\"%.*s\",\"httpMethod\":\"%s\","
                 "\"authorizationType\":\"NONE\"}",
                 STR_ARG(root), method));
    op(f, "PutIntegration",
       arena_fmt(f->arena,
                 "{\"restApiId\":\"myapi\",\"resourceId\":\"%.*s\",\"httpMethod\":\"%s\","
                 "\"type\":\"AWS_PROXY\",\"integrationHttpMethod\":\"%s\",\"uri\":\"%s\"}",
                 STR_ARG(root), method, http, uri));
}

#define URI(function)                                                                              \
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"                               \
    "arn:aws:lambda:us-east-1:000000000000:function:" function "/invocations"
#define DEPLOY "{\"restApiId\":\"myapi\",\"stageName\":\"Prod\",\"variables\":{\"alias\":\"v1\"}}"

/* API "myapi", stage "Prod": POST / calls f, GET / f:${alias}, PUT / has a wrong http method. */
static struct fixture *fixture_new(void)
{
    char err[200];
    struct arena *a = arena_new(0, 512 << 20);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->db = db_open(&(struct db_opts){0}, err, sizeof err);
    f->gateway = gateway_new(f->db, NULL, err, sizeof err);
    gateway_set_loop(f->gateway, (struct loop *)f); /* only handed to the fake timers */
    op(f, "CreateRestApi",
       STR("{\"name\":\"n\",\"binaryMediaTypes\":[\"image/png\"],"
           "\"tags\":{\"_custom_id_\":\"myapi\"}}"));
    struct str root = jval_text(jval_get(f->body, "rootResourceId"), a);
    put(f, root, "POST", "POST", URI("f"));
    put(f, root, "GET", "POST", URI("f:${stageVariables.alias}"));
    put(f, root, "PUT", "GET", URI("f"));
    op(f, "CreateDeployment", STR(DEPLOY));
    return f;
}

static void fixture_free(struct fixture *f)
{
    gateway_free(f->gateway);
    db_close(f->db);
    arena_free(f->arena);
    fake_reset();
}

/* A request as the front door would hand it on; its exchange gets an arena of its own. */
static void request(struct fixture *f, const char *method, const char *path, struct str body)
{
    fake_reset();
    f->headers[0] = (struct http_header){STR("Host"), STR("localhost")};
    f->headers[1] = (struct http_header){STR("Accept"), STR("image/png")};
    f->x = (struct net_exchange){.req = {.method = str_c(method),
                                         .headers = f->headers,
                                         .header_count = 2,
                                         .host = STR("localhost"),
                                         .body = body,
                                         .peer_ip = STR("127.0.0.1")},
                                 .arena = arena_new(0, 64 << 20)};
    gateway_handle(f->gateway, &f->x, STR("myapi"), STR("Prod"), str_c(path));
}

static void finish(const char *payload, const char *function_error)
{
    fake.result->payload = str_c(payload);
    fake.result->function_error = str_c(function_error);
    wait_fire(fake.wait, WAIT_READY);
    wait_run_ready();
}

static struct str header(const char *name)
{
    for (size_t i = 0; i < fake.resp.header_count; i++)
        if (str_case_eq(fake.resp.headers[i].name, str_c(name)))
            return fake.resp.headers[i].value;
    return STR("none");
}

TEST(a_request_invokes_the_function_and_its_result_is_the_reply)
{
    struct fixture *f = fixture_new();
    request(f, "POST", "/", STR("{\"id\":1}"));
    CHECK_I64(fake.replies, 0);
    CHECK_I64(fake.calls, 1);
    CHECK_STR(fake.function, "arn:aws:lambda:us-east-1:000000000000:function:f");
    CHECK_STR(fake.account, "000000000000");
    struct jval event;
    CHECK(json_parse(f->arena, fake.event, JSON_DEPTH_DEFAULT, &event, NULL));
    CHECK_STR(jval_text(jval_get(event, "body"), f->arena), "{\"id\":1}");
    CHECK(fake.timer != NULL);
    finish("{\"statusCode\":201,\"body\":\"made\"}", "");
    CHECK_I64(fake.replies, 1);
    CHECK_I64(fake.resp.status, 201);
    CHECK_STR(fake.resp.body, "made");
    CHECK(fake.timer == NULL);
    CHECK_I64((long long)header("x-amzn-RequestId").n, 36);
    CHECK_I64((long long)header("x-amz-apigw-id").n, 16);
    CHECK(str_starts(header("X-Amzn-Trace-Id"), STR("Root=1-")));
    CHECK(str_ends(header("X-Amzn-Trace-Id"), STR(";Sampled=0")));
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(stage_variables_are_filled_into_the_function_arn)
{
    struct fixture *f = fixture_new();
    request(f, "GET", "/", STR(""));
    CHECK_STR(fake.function, "arn:aws:lambda:us-east-1:000000000000:function:f:v1");
    finish("{}", "");
    CHECK_I64(fake.resp.status, 200);
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(a_base64_body_is_decoded_for_a_client_that_accepts_the_binary_type)
{
    struct fixture *f = fixture_new();
    request(f, "POST", "/", STR(""));
    finish("{\"body\":\"aGk=\",\"isBase64Encoded\":true}", "");
    CHECK_STR(fake.resp.body, "hi");
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(failed_functions_and_malformed_results_are_502)
{
    struct fixture *f = fixture_new();
    request(f, "POST", "/", STR(""));
    finish("{\"errorMessage\":\"x\"}", "Unhandled");
    CHECK_I64(fake.resp.status, 502);
    CHECK_STR(fake.resp.body, "{\"message\": \"Internal server error\"}");
    CHECK_STR(header("x-amzn-ErrorType"), "InternalServerErrorException");
    arena_free(f->x.arena);
    request(f, "POST", "/", STR(""));
    finish("null", "");
    CHECK_I64(fake.resp.status, 502);
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(a_function_that_cannot_be_called_is_a_500)
{
    static const struct aws_err_kind unknown = {.code = "ResourceNotFoundException",
                                                .http_status = 404};
    struct fixture *f = fixture_new();
    request(f, "POST", "/", STR(""));
    fake.result->err.kind = &unknown;
    finish("", "");
    CHECK_I64(fake.resp.status, 500);
    arena_free(f->x.arena);
    request(f, "PUT", "/", STR("")); /* integrationHttpMethod GET */
    CHECK_I64(fake.calls, 0);
    CHECK_I64(fake.resp.status, 500);
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(a_slow_function_is_a_504_and_its_late_result_is_dropped)
{
    struct fixture *f = fixture_new();
    request(f, "POST", "/", STR(""));
    fake.timer->fn(fake.timer);
    CHECK_I64(fake.resp.status, 504);
    CHECK_STR(fake.resp.body, "{\"message\": \"Endpoint request timed out\"}");
    arena_free(f->x.arena); /* the exchange is gone before the function ends */
    finish("{}", "");
    CHECK_I64(fake.replies, 1);
    fixture_free(f);
}

TEST(what_is_not_deployed_is_refused_without_a_call)
{
    struct fixture *f = fixture_new();
    request(f, "POST", "/nowhere", STR(""));
    CHECK_I64(fake.resp.status, 403);
    CHECK_STR(fake.resp.body, "{\"message\":\"Missing Authentication Token\"}");
    CHECK_STR(header("x-amzn-ErrorType"), "MissingAuthenticationTokenException");
    arena_free(f->x.arena);
    request(f, "DELETE", "/", STR(""));
    CHECK_STR(fake.resp.body, "{\"message\":\"Missing Authentication Token\"}");
    gateway_handle(f->gateway, &f->x, STR("myapi"), STR("nostage"), STR("/"));
    CHECK_I64(fake.resp.status, 403);
    CHECK_STR(fake.resp.body, "{\"message\":\"Forbidden\"}");
    gateway_handle(f->gateway, &f->x, STR("noapi"), STR("Prod"), STR("/"));
    CHECK_STR(fake.resp.body, "{\"message\":\"Forbidden\"}");
    CHECK_I64(fake.calls, 0);
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(ten_megabytes_are_taken_and_one_byte_more_is_413)
{
    enum { LIMIT = 10 * 1024 * 1024 };
    struct fixture *f = fixture_new();
    char *body = arena_alloc_raw(f->arena, LIMIT + 1);
    memset(body, 'a', LIMIT + 1);
    request(f, "POST", "/", (struct str){body, LIMIT});
    CHECK_I64(fake.calls, 1);
    finish("{}", "");
    arena_free(f->x.arena);
    request(f, "POST", "/", (struct str){body, LIMIT + 1});
    CHECK_I64(fake.calls, 0);
    CHECK_I64(fake.resp.status, 413);
    CHECK_STR(fake.resp.body, "{\"message\":\"Request Too Long\"}");
    arena_free(f->x.arena);
    fixture_free(f);
}

TEST(a_deployment_is_a_snapshot)
{
    struct fixture *f = fixture_new();
    op(f, "GetRestApi", STR("{\"restApiId\":\"myapi\"}"));
    struct str root = jval_text(jval_get(f->body, "rootResourceId"), f->arena);
    put(f, root, "DELETE", "POST", URI("g"));
    request(f, "DELETE", "/", STR(""));
    CHECK_I64(fake.resp.status, 403);
    arena_free(f->x.arena);
    op(f, "CreateDeployment", STR(DEPLOY));
    request(f, "DELETE", "/", STR(""));
    CHECK_STR(fake.function, "arn:aws:lambda:us-east-1:000000000000:function:g");
    finish("{}", "");
    arena_free(f->x.arena);
    op(f, "DeleteStage", STR("{\"restApiId\":\"myapi\",\"stageName\":\"Prod\"}"));
    request(f, "POST", "/", STR(""));
    CHECK_STR(fake.resp.body, "{\"message\":\"Forbidden\"}");
    arena_free(f->x.arena);
    fixture_free(f);
}
