/* links: puddle_gateway */
#include "gw_event.h"
#include "harness.h"
#include "json.h"

/* A request to GET /{proxy+} of a deployed API; tests change what they are about. */
struct sample {
    struct arena *arena;
    struct http_req req;
    struct http_header headers[16];
    struct route route;
    struct route_method method;
    struct gw_pair params[2];
    struct route_match match;
    struct event_v1 event;
};

static struct sample *sample_new(void)
{
    struct arena *a = arena_new(0, 64 << 20);
    struct sample *s = ARENA_NEW(a, struct sample);
    s->arena = a;
    s->headers[0] = (struct http_header){STR("Host"), STR("localhost:4566")};
    s->headers[1] = (struct http_header){STR("user-agent"), STR("curl/7.88.1")};
    s->req = (struct http_req){.method = STR("GET"),
                               .headers = s->headers,
                               .header_count = 2,
                               .host = STR("localhost:4566"),
                               .body = STR(""),
                               .peer_ip = STR("127.0.0.1"),
                               .local_port = 4566};
    s->route = (struct route){.resource_id = STR("abc123"), .resource_path = STR("/{proxy+}")};
    s->method = (struct route_method){.http_method = STR("ANY")};
    s->params[0] = (struct gw_pair){STR("proxy"), STR("save")};
    s->match = (struct route_match){&s->route, &s->method, s->params, 1};
    s->event = (struct event_v1){.req = &s->req,
                                 .path = STR("/save"),
                                 .api_id = STR("a1b2c3d4e5"),
                                 .stage = STR("Prod"),
                                 .account = STR("000000000000"),
                                 .region = STR("us-east-1"),
                                 .deployment_id = STR("dep123"),
                                 .match = &s->match,
                                 .request_id = STR("11111111-2222-4333-8444-555555555555"),
                                 .extended_id = STR("JKJaXmPLvHcESHA="),
                                 .trace_root = STR("1-65e2a0b0-0123456789abcdef01234567"),
                                 .now_ms = 1428582896000};
    return s;
}

static struct str write_event(struct sample *s)
{
    struct buf *b = arena_new_buf(s->arena, 32 << 20);
    event_v1_write(&s->event, s->arena, b);
    return buf_view(b);
}

/* The raw text of a member of the event; dots go down. */
static struct str part(struct sample *s, const char *path)
{
    struct jval v;
    struct str rest = str_c(path);
    if (!json_parse(s->arena, write_event(s), JSON_DEPTH_DEFAULT, &v, NULL))
        return STR("not JSON");
    while (rest.p != NULL)
        v = jval_get_str(v, str_cut(&rest, '.'));
    return jval_kind(v) == JSON_MISSING ? STR("missing") : jval_raw(v);
}

TEST(the_whole_event_of_a_plain_get)
{
    struct sample *s = sample_new();
    CHECK_STR(
        write_event(s),
        "{\"resource\":\"/{proxy+}\",\"path\":\"/save\",\"httpMethod\":\"GET\","
        "\"headers\":{\"Host\":\"localhost:4566\",\"User-Agent\":\"curl/7.88.1\","
        "\"X-Amzn-Trace-Id\":\"Root=1-65e2a0b0-0123456789abcdef01234567\","
        "\"X-Forwarded-For\":\"127.0.0.1\",\"X-Forwarded-Port\":\"4566\","
        "\"X-Forwarded-Proto\":\"http\"},"
        "\"multiValueHeaders\":{\"Host\":[\"localhost:4566\"],\"User-Agent\":[\"curl/7.88.1\"],"
        "\"X-Amzn-Trace-Id\":[\"Root=1-65e2a0b0-0123456789abcdef01234567\"],"
        "\"X-Forwarded-For\":[\"127.0.0.1\"],\"X-Forwarded-Port\":[\"4566\"],"
        "\"X-Forwarded-Proto\":[\"http\"]},"
        "\"queryStringParameters\":null,\"multiValueQueryStringParameters\":null,"
        "\"pathParameters\":{\"proxy\":\"save\"},\"stageVariables\":null,"
        "\"requestContext\":{\"resourceId\":\"abc123\",\"resourcePath\":\"/{proxy+}\","
        "\"httpMethod\":\"GET\",\"extendedRequestId\":\"JKJaXmPLvHcESHA=\","
        "\"requestTime\":\"09/Apr/2015:12:34:56 +0000\",\"path\":\"/Prod/save\","
        "\"accountId\":\"000000000000\",\"protocol\":\"HTTP/1.1\",\"stage\":\"Prod\","
        "\"domainPrefix\":\"a1b2c3d4e5\",\"requestTimeEpoch\":1428582896000,"
        "\"requestId\":\"11111111-2222-4333-8444-555555555555\","
        "\"identity\":{\"cognitoIdentityPoolId\":null,\"accountId\":null,"
        "\"cognitoIdentityId\":null,\"caller\":null,\"sourceIp\":\"127.0.0.1\","
        "\"principalOrgId\":null,\"accessKey\":null,\"cognitoAuthenticationType\":null,"
        "\"cognitoAuthenticationProvider\":null,\"userArn\":null,\"userAgent\":\"curl/7.88.1\","
        "\"user\":null},"
        "\"domainName\":\"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com\","
        "\"deploymentId\":\"dep123\",\"apiId\":\"a1b2c3d4e5\"},"
        "\"body\":null,\"isBase64Encoded\":false}");
    arena_free(s->arena);
}

TEST(the_query_is_decoded_and_the_last_duplicate_wins_in_the_single_map)
{
    static const struct {
        const char *query, *single, *multi;
    } cases[] = {
        {"a=1&a=2", "{\"a\":\"2\"}", "{\"a\":[\"1\",\"2\"]}"},
        {"a=1+2&b=%2B%26", "{\"a\":\"1 2\",\"b\":\"+&\"}", "{\"a\":[\"1 2\"],\"b\":[\"+&\"]}"},
        {"a&b=", "{\"a\":\"\",\"b\":\"\"}", "{\"a\":[\"\"],\"b\":[\"\"]}"},
        {"a=b=c", "{\"a\":\"b=c\"}", "{\"a\":[\"b=c\"]}"},
        {"A=1&a=2", "{\"A\":\"1\",\"a\":\"2\"}", "{\"A\":[\"1\"],\"a\":[\"2\"]}"},
        {"", "null", "null"},
        {"&&", "null", "null"},
        {"x=%ff", "{\"x\":\"\xef\xbf\xbd\"}", "{\"x\":[\"\xef\xbf\xbd\"]}"},
    };
    struct sample *s = sample_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s->req.query = str_c(cases[i].query);
        CHECK_STR(part(s, "queryStringParameters"), cases[i].single);
        CHECK_STR(part(s, "multiValueQueryStringParameters"), cases[i].multi);
    }
    arena_free(s->arena);
}

TEST(a_query_of_many_keys_keeps_every_key_and_every_value)
{
    struct sample *s = sample_new();
    struct buf *b = arena_new_buf(s->arena, 1 << 20);
    struct jval v;
    for (int i = 0; i < 3000; i++)
        buf_addf(b, "k%d=%d&", i % 1500, i);
    s->req.query = buf_view(b);
    CHECK(json_parse(s->arena, write_event(s), JSON_DEPTH_DEFAULT, &v, NULL));
    CHECK_I64((long long)jval_count(jval_get(v, "queryStringParameters")), 1500);
    CHECK_STR(jval_raw(jval_get(jval_get(v, "multiValueQueryStringParameters"), "k1499")),
              "[\"1499\",\"2999\"]");
    CHECK_STR(jval_raw(jval_get(jval_get(v, "queryStringParameters"), "k0")), "\"1500\"");
    arena_free(s->arena);
}

TEST(paths_lose_the_stage_and_leading_slashes_but_nothing_is_decoded)
{
    static const struct {
        const char *path, *want, *context;
    } cases[] = {
        {"/x/", "\"/x/\"", "\"/Prod/x/\""},
        {"//x", "\"/x\"", "\"/Prod//x\""},
        {"/a//b", "\"/a//b\"", "\"/Prod/a//b\""},
        {"/test%2Balias+x", "\"/test%2Balias+x\"", "\"/Prod/test%2Balias+x\""},
        {"", "\"/\"", "\"/Prod\""},
        {"/", "\"/\"", "\"/Prod/\""},
    };
    struct sample *s = sample_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s->event.path = str_c(cases[i].path);
        CHECK_STR(part(s, "path"), cases[i].want);
        CHECK_STR(part(s, "requestContext.path"), cases[i].context);
    }
    arena_free(s->arena);
}

TEST(headers_keep_their_case_but_two_and_lose_the_hop_by_hop_ones)
{
    static const char *const removed[] = {
        "Connection", "Content-Length",     "content-md5", "Expect",  "Max-Forwards",
        "TE",         "Proxy-Authenticate", "Server",      "Trailer", "Transfer-Encoding",
        "upgrade",    "WWW-Authenticate"};
    struct sample *s = sample_new();
    s->headers[0] = (struct http_header){STR("authorization"), STR("Bearer t")};
    s->headers[1] = (struct http_header){STR("x-custom"), STR("1")};
    s->headers[2] = (struct http_header){STR("X-Custom"), STR("2")};
    s->headers[3] = (struct http_header){STR("aCCept"), STR("*/*")};
    s->req.header_count = 4;
    CHECK_STR(part(s, "headers.Authorization"), "\"Bearer t\"");
    CHECK_STR(part(s, "headers.x-custom"), "\"2\"");
    CHECK_STR(part(s, "multiValueHeaders.x-custom"), "[\"1\",\"2\"]");
    CHECK_STR(part(s, "headers.aCCept"), "\"*/*\"");
    CHECK_STR(part(s, "requestContext.identity.userAgent"), "null");
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) {
        s->headers[3] = (struct http_header){str_c(removed[i]), STR("v")};
        struct jval v;
        CHECK(json_parse(s->arena, write_event(s), JSON_DEPTH_DEFAULT, &v, NULL));
        CHECK(!jval_present(jval_get(jval_get(v, "headers"), removed[i])));
    }
    arena_free(s->arena);
}

TEST(a_forged_x_forwarded_for_gets_the_peer_appended)
{
    struct sample *s = sample_new();
    s->headers[2] = (struct http_header){STR("x-forwarded-for"), STR("10.1.2.3")};
    s->headers[3] = (struct http_header){STR("X-Forwarded-Proto"), STR("https")};
    s->req.header_count = 4;
    CHECK_STR(part(s, "headers.X-Forwarded-For"), "\"10.1.2.3, 127.0.0.1\"");
    CHECK_STR(part(s, "headers.X-Forwarded-Proto"), "\"http\"");
    CHECK_STR(part(s, "headers.x-forwarded-for"), "missing");
    arena_free(s->arena);
}

TEST(the_body_is_text_unless_its_type_is_binary)
{
    struct sample *s = sample_new();
    s->req.body = STR("{\"id\":\"42\"}\n");
    CHECK_STR(part(s, "body"), "\"{\\\"id\\\":\\\"42\\\"}\\n\"");
    CHECK_STR(part(s, "isBase64Encoded"), "false");
    s->req.body = STR("a\xff");
    CHECK_STR(part(s, "body"), "\"a\xef\xbf\xbd\"");
    s->event.body_is_binary = true;
    CHECK_STR(part(s, "body"), "\"Yf8=\"");
    CHECK_STR(part(s, "isBase64Encoded"), "true");
    s->req.body = STR("");
    CHECK_STR(part(s, "body"), "null");
    CHECK_STR(part(s, "isBase64Encoded"), "false");
    arena_free(s->arena);
}

TEST(media_types_match_exactly_or_by_star)
{
    static const struct {
        const char *header, *type;
        bool want;
    } cases[] = {
        {"image/png", "image/png", true},
        {"IMAGE/png; q=0.5, text/html", "image/png", true},
        {"text/html, image/png", "image/png", false},
        {"image/png", "*/*", true},
        {"", "*/*", true},
        {"", "image/png", false},
        {"image/gif", "image/png", false},
        {"image/gif", "image/*", true},
        {"imagex/gif", "image/*", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str type = str_c(cases[i].type);
        CHECK(event_media_matches(str_c(cases[i].header), &type, 1) == cases[i].want);
    }
    CHECK(!event_media_matches(STR("image/png"), NULL, 0));
}

TEST(an_execute_api_host_names_the_domain_and_stage_variables_are_passed)
{
    struct sample *s = sample_new();
    struct gw_pair variables[] = {{STR("env"), STR("dev")}, {STR("b"), STR("2")}};
    s->req.host = STR("a1b2c3d4e5.execute-api.localhost.localstack.cloud:4566");
    s->event.variables = variables;
    s->event.variable_count = 2;
    CHECK_STR(part(s, "requestContext.domainName"),
              "\"a1b2c3d4e5.execute-api.localhost.localstack.cloud\"");
    CHECK_STR(part(s, "requestContext.domainPrefix"), "\"a1b2c3d4e5\"");
    CHECK_STR(part(s, "stageVariables"), "{\"env\":\"dev\",\"b\":\"2\"}");
    s->method.operation_name = STR("SaveItem");
    CHECK_STR(part(s, "requestContext.operationName"), "\"SaveItem\"");
    arena_free(s->arena);
}
