/* links: puddle_gateway */
#include "harness.h"
#include "rest_reply.h"

/* "<status> <name>: <value>|... / <body>", "malformed" or "not base64". */
static struct str mapped(struct arena *a, const char *payload, bool decode)
{
    struct http_resp resp = {0};
    struct buf *b = arena_new_buf(a, 1 << 20);
    switch (reply_map_v1(str_c(payload), decode, STR("application/json"), a, &resp)) {
    case REPLY_MALFORMED:
        return STR("malformed");
    case REPLY_NOT_BASE64:
        return STR("not base64");
    default:
        break;
    }
    buf_addf(b, "%u ", resp.status);
    for (size_t i = 0; i < resp.header_count; i++)
        buf_addf(b, "%.*s: %.*s|", STR_ARG(resp.headers[i].name), STR_ARG(resp.headers[i].value));
    buf_addf(b, " / %.*s", STR_ARG(resp.body));
    return buf_view(b);
}

#define JSON_TYPE "Content-Type: application/json|"
/* facts/lambda.md 4.1: recorded and known cases */
static const struct {
    const char *payload;
    bool decode;
    const char *want;
} cases[] = {
    {"{\"statusCode\":200,\"body\":\"hi\"}", false, "200 " JSON_TYPE " / hi"},
    {"{\"body\":\"hi\"}", false, "200 " JSON_TYPE " / hi"},
    {"{\"statusCode\":\"201\"}", false, "201 " JSON_TYPE " / "},
    {"{}", false, "200 " JSON_TYPE " / "},
    {"{\"statusCode\":204,\"headers\":null,\"multiValueHeaders\":null,\"body\":null}", false,
     "204 " JSON_TYPE " / "},
    {"{\"statusCode\":200,\"extra\":1}", false, "malformed"},
    {"{\"statuscode\":200}", false, "malformed"},
    {"\"text\"", false, "malformed"},
    {"[]", false, "malformed"},
    {"null", false, "malformed"},
    {"", false, "malformed"},
    {"{\"statusCode\":200", false, "malformed"},
    {"{\"statusCode\":\"abc\"}", false, "malformed"},
    {"{\"statusCode\":200.5}", false, "malformed"},
    {"{\"statusCode\":{}}", false, "malformed"},
    {"{\"statusCode\":true}", false, "malformed"},
    {"{\"statusCode\":199}", false, "malformed"},
    {"{\"statusCode\":599}", false, "599 " JSON_TYPE " / "},
    {"{\"statusCode\":600}", false, "malformed"},
    {"{\"headers\":[]}", false, "malformed"},
    {"{\"headers\":\"a\"}", false, "malformed"},
    {"{\"headers\":{\"a\":{}}}", false, "malformed"},
    {"{\"headers\":{\"a\":[\"b\"]}}", false, "malformed"},
    {"{\"headers\":{\"a\":true,\"b\":7}}", false, "200 a: true|b: 7|" JSON_TYPE " / "},
    {"{\"multiValueHeaders\":{\"a\":\"b\"}}", false, "malformed"},
    {"{\"multiValueHeaders\":{\"Set-Cookie\":[\"a=1\",\"b=2\"]}}", false,
     "200 Set-Cookie: a=1|Set-Cookie: b=2|" JSON_TYPE " / "},
    {"{\"headers\":{\"x-a\":\"3\"},\"multiValueHeaders\":{\"X-A\":[\"1\",\"2\"]}}", false,
     "200 X-A: 1|X-A: 2|X-A: 3|" JSON_TYPE " / "},
    {"{\"headers\":{\"x-a\":\"1\"},\"multiValueHeaders\":{\"X-A\":[\"1\",\"2\"]}}", false,
     "200 X-A: 1|X-A: 2|" JSON_TYPE " / "},
    {"{\"headers\":{\"content-type\":\"text/html\"},\"body\":\"<p>\"}", false,
     "200 content-type: text/html| / <p>"},
    {"{\"headers\":{\"Date\":\"x\",\"server\":\"y\",\"Content-Length\":\"99\"}}", false,
     "200 x-amzn-Remapped-Date: x|x-amzn-Remapped-server: y|x-amzn-Remapped-Content-Length: "
     "99|" JSON_TYPE " / "},
    {"{\"headers\":{\"Transfer-Encoding\":\"chunked\"}}", false, "200 " JSON_TYPE " / "},
    {"{\"headers\":{\"a\":\"b\\r\\nx: y\"}}", false, "malformed"},
    {"{\"headers\":{\"a b\":\"c\"}}", false, "malformed"},
    {"{\"headers\":{\"\":\"c\"}}", false, "malformed"},
    {"{\"multiValueHeaders\":{\"a\":[\"b\\n\"]}}", false, "malformed"},
    {"{\"body\":{\"a\":1}}", false, "malformed"},
    {"{\"body\":7}", false, "malformed"},
    {"{\"isBase64Encoded\":\"yes\"}", false, "malformed"},
    {"{\"body\":\"aGk=\",\"isBase64Encoded\":true}", true, "200 " JSON_TYPE " / hi"},
    {"{\"body\":\"aGk=\",\"isBase64Encoded\":true}", false, "200 " JSON_TYPE " / aGk="},
    {"{\"body\":\"aGk=\",\"isBase64Encoded\":false}", true, "200 " JSON_TYPE " / aGk="},
    {"{\"body\":\"%%\",\"isBase64Encoded\":true}", true, "not base64"},
};

TEST(lambda_proxy_results_map_as_recorded_from_aws)
{
    struct arena *a = arena_new(0, 16 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_STR(mapped(a, cases[i].payload, cases[i].decode), cases[i].want);
    arena_free(a);
}

TEST(five_hundred_headers_are_passed_and_one_more_is_malformed)
{
    struct arena *a = arena_new(0, 16 << 20);
    for (int n = 500; n <= 501; n++) {
        struct http_resp resp = {0};
        struct buf *b = arena_new_buf(a, 1 << 20);
        buf_addf(b, "{\"multiValueHeaders\":{\"a\":[\"0\"");
        for (int i = 1; i < n; i++)
            buf_addf(b, ",\"%d\"", i);
        buf_addf(b, "]}}");
        CHECK(reply_map_v1(buf_view(b), false, STR("application/json"), a, &resp) ==
              (n == 500 ? REPLY_OK : REPLY_MALFORMED));
    }
    arena_free(a);
}

TEST(the_gateways_own_answers_have_awss_bodies_and_types)
{
    static const struct {
        enum gw_answer what;
        unsigned status;
        const char *type, *body;
    } own[] = {
        {GW_MISSING_TOKEN, 403, "MissingAuthenticationTokenException",
         "{\"message\":\"Missing Authentication Token\"}"},
        {GW_FORBIDDEN, 403, "ForbiddenException", "{\"message\":\"Forbidden\"}"},
        {GW_TOO_LONG, 413, "RequestTooLargeException", "{\"message\":\"Request Too Long\"}"},
        {GW_INTEGRATION_BROKEN, 500, "InternalServerErrorException",
         "{\"message\": \"Internal server error\"}"},
        {GW_BAD_RESULT, 502, "InternalServerErrorException",
         "{\"message\": \"Internal server error\"}"},
        {GW_TIMEOUT, 504, "InternalServerErrorException",
         "{\"message\": \"Endpoint request timed out\"}"},
        {GW_BAD_PARAMETERS, 400, "BadRequestException",
         "{\"message\": \"Missing required request parameters: [q, X-A]\"}"},
        {GW_ACCESS_DENIED, 403, "AccessDeniedException",
         "{\"Message\":\"User is not authorized to access this resource\"}"},
        {GW_AUTHORIZER_BROKEN, 500, "AuthorizerConfigurationException", "{\"message\":null}"},
        {GW_QUOTA_EXCEEDED, 429, "LimitExceededException", "{\"message\":\"Limit Exceeded\"}"},
    };
    struct arena *a = arena_new(0, 1 << 20);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        struct http_resp resp = {0};
        reply_answer(own[i].what, STR("q, X-A"), a, &resp);
        CHECK_I64(resp.status, own[i].status);
        CHECK_STR(resp.body, own[i].body);
        CHECK_STR(resp.headers[0].value, "application/json");
        CHECK_STR(resp.headers[1].name, "x-amzn-ErrorType");
        CHECK_STR(resp.headers[1].value, own[i].type);
    }
    arena_free(a);
}
