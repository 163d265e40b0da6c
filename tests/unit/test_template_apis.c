/* links: puddle_template */
/* APIs of templates -> plan; nothing is made. */
#include "harness.h"
#include "tpl_plan.h"

struct fixture {
    struct arena *arena;
    struct tpl_log log;
    struct tpl_model model;
    struct tpl_plan plan;
    char err[700];
};

static struct fixture *plan_of(const char *text)
{
    struct arena *a = arena_new(0, 1 << 30);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    struct template_env env = {0};
    f->arena = a;
    f->log =
        (struct tpl_log){.arena = a, .file = "t.yaml", .err = f->err, .err_size = sizeof f->err};
    f->model = (struct tpl_model){.log = &f->log,
                                  .arena = a,
                                  .account = STR("000000000000"),
                                  .region = STR("us-east-1"),
                                  .url = STR("http://127.0.0.1:4566")};
    f->model.root = tpl_parse(&f->log, str_c(text));
    if (f->model.root != NULL && tpl_model_build(&f->model, &env))
        tpl_plan_build(&f->model, STR("/work"), &f->plan);
    return f;
}

static struct fixture *plan_of_file(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    return plan_of(text);
}

static bool warned(const struct fixture *f, const char *part)
{
    for (size_t i = 0; i < f->log.warning_count; i++)
        if (str_find_str(f->log.warnings[i].text, str_c(part)) >= 0)
            return true;
    return false;
}

#define AUTHORIZER                                                                                 \
    "\"authorizerUri\":\"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"           \
    "arn:aws:lambda:us-east-1:000000000000:function:Work/invocations\""

TEST(http_api_events_become_routes_of_the_api_they_name)
{
    struct fixture *f = plan_of_file("fixtures/templates/http.yaml");
    CHECK_STR(str_c(f->err), "");
    CHECK_I64((long long)f->log.warning_count, 0);
    CHECK_I64((long long)f->plan.api_count, 2);
    const struct plan_api *implicit = &f->plan.apis[0], *own = &f->plan.apis[1];
    CHECK(implicit->is_http && own->is_http);
    CHECK_STR(implicit->stage, "$default");
    CHECK_STR(implicit->variables_json, "{\"variables\":{\"color\":\"red\"}}");
    CHECK_I64((long long)implicit->route_count, 2);
    CHECK_STR(implicit->routes[0].method, "GET");
    CHECK_STR(implicit->routes[0].payload_version, "1.0");
    CHECK_STR(implicit->routes[0].timeout_ms, "5000");
    CHECK_STR(implicit->routes[1].path, "$default");
    CHECK(str_find_str(implicit->create_json,
                       STR("\"corsConfiguration\":{\"allowOrigins\":[\"*\"]}")) > 0);
    CHECK_STR(own->stage, "live");
    CHECK(str_find_str(own->create_json, STR("\"name\":\"puddle-own\"")) > 0);
    /* Own's map stands where Globals has a scalar */
    CHECK(str_find_str(own->create_json, STR("\"corsConfiguration\":{\"allowMethods\":[\"GET\"],"
                                             "\"allowOrigins\":[\"https://a.test\"],"
                                             "\"allowCredentials\":true,\"maxAge\":60}")) > 0);
    arena_free(f->arena);
}

TEST(http_api_authorizers_and_who_has_them)
{
    struct fixture *f = plan_of_file("fixtures/templates/http.yaml");
    const struct plan_api *own = &f->plan.apis[1];
    CHECK_I64((long long)own->authorizer_count, 2);
    CHECK(own->authorizers[0].is_jwt);
    CHECK(str_find_str(own->authorizers[0].create_json,
                       STR("\"identitySource\":[\"$request.header.Authorization\"],"
                           "\"jwtConfiguration\":{\"issuer\":\"https://issuer.test/\","
                           "\"audience\":[\"me\"]}")) > 0);
    CHECK(str_find_str(own->authorizers[1].create_json,
                       STR("\"authorizerType\":\"REQUEST\",\"authorizerPayloadFormatVersion\":"
                           "\"2.0\",\"enableSimpleResponses\":true,\"identitySource\":"
                           "[\"$request.header.X-Token\",\"$request.querystring.t\"],"
                           "\"authorizerResultTtlInSeconds\":7," AUTHORIZER)) > 0);
    CHECK(own->routes[0].authorizer == &own->authorizers[0]);
    CHECK_STR(own->routes[0].scopes_json, "[\"write\"]");
    CHECK(own->routes[1].authorizer == NULL);
    CHECK_STR(own->routes[1].method, "ANY");
    CHECK(own->routes[2].authorizer == &own->authorizers[1]);
    arena_free(f->arena);
}

TEST(addresses_of_apis_and_functions_are_known_before_they_are_made)
{
    struct fixture *f = plan_of_file("fixtures/templates/http.yaml");
    struct str id = tpl_api_id(&f->model, STR("Own"));
    struct str implicit = tpl_api_id(&f->model, STR("ServerlessHttpApi"));
    struct str url = tpl_url_id(&f->model, STR("Work"));
    struct str want = arena_fmt(f->arena,
                                "Url: https://%.*s.execute-api.us-east-1.amazonaws.com/\n"
                                "Endpoint: http://127.0.0.1:4566/_aws/execute-api/%.*s\n"
                                "Stage: live\n"
                                "FunctionUrl: http://%.*s.lambda-url.us-east-1.localhost:4566/\n",
                                STR_ARG(implicit), STR_ARG(id), STR_ARG(url));
    CHECK(str_eq(f->plan.outputs, want));
    CHECK_I64((long long)url.n, 32);
    CHECK_I64((long long)f->plan.url_count, 1);
    CHECK_STR(f->plan.urls[0].config_json,
              "{\"FunctionName\":\"Work\",\"AuthType\":\"NONE\",\"Cors\":{\"AllowOrigins\":"
              "[\"https://a.test\"],\"AllowCredentials\":true,\"MaxAge\":10},\"InvokeMode\":"
              "\"BUFFERED\"}");
    arena_free(f->arena);
}

TEST(rest_api_authorizers_keys_and_responses)
{
    struct fixture *f = plan_of_file("fixtures/templates/rest.yaml");
    CHECK_STR(str_c(f->err), "");
    const struct plan_api *api = &f->plan.apis[0];
    CHECK(str_find_str(api->authorizers[0].create_json,
                       STR("\"type\":\"TOKEN\",\"identitySource\":\"method.request.header.X-Token\""
                           ",\"identityValidationExpression\":\"t.*\","
                           "\"authorizerResultTtlInSeconds\":0," AUTHORIZER)) > 0);
    CHECK(str_find_str(api->authorizers[1].create_json,
                       STR("\"type\":\"REQUEST\",\"identitySource\":\"method.request.header.X-A,"
                           "method.request.querystring.b\"," AUTHORIZER)) > 0);
    CHECK(api->authorizers[2].is_open);
    CHECK(warned(f, "OPEN TO EVERYBODY"));
    CHECK_I64((long long)f->log.warning_count, 1);
    CHECK(api->routes[0].authorizer == &api->authorizers[0]);
    CHECK(api->routes[1].authorizer == NULL);
    CHECK(api->routes[2].authorizer == &api->authorizers[1] && api->routes[2].needs_key);
    CHECK(api->routes[3].authorizer == NULL && !api->routes[3].needs_key);
    CHECK_STR(api->usage.create_json,
              "{\"name\":\"OwnUsagePlan\",\"throttle\":{\"rateLimit\":5,\"burstLimit\":10},"
              "\"quota\":{\"limit\":500,\"period\":\"MONTH\"}}");
    CHECK_I64((long long)api->usage.key_value.n, 40);
    CHECK(api->cors.enabled && !api->cors.with_authorizer);
    CHECK_STR(api->cors.credentials, "'true'");
    CHECK(str_find_str(api->responses[0],
                       STR("\"responseType\":\"DEFAULT_4XX\",\"statusCode\":\"418\","
                           "\"responseParameters\":{\"gatewayresponse.header.X-Kind\":\"'four'\"},"
                           "\"responseTemplates\":{\"application/json\":\"{\\\"no\\\":true}\"}")) >
          0);
    arena_free(f->arena);
}

#define FUNCTION(event)                                                                            \
    "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: "      \
    "nodejs20.x\n      Handler: a.b\n      Events:\n        E:\n          " event
#define HTTP(properties)                                                                           \
    FUNCTION("Type: HttpApi\n          Properties: { ApiId: !Ref A " properties " }\n")            \
    "  A:\n    Type: AWS::Serverless::HttpApi\n    Properties:\n"

TEST(what_is_wrong_with_an_api_is_said_with_its_line)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {FUNCTION("Type: HttpApi\n          Properties: { Path: /x }\n"),
         "t.yaml:8: F.E: an HttpApi event has a Path and a Method"},
        {FUNCTION("Type: HttpApi\n          Properties: { Path: x, Method: get }\n"),
         "t.yaml:8: F.E: Path must start with '/'"},
        {HTTP(", Auth: { Authorizer: X }") "      StageName: s\n",
         "t.yaml:8: F.E: Authorizer [X] is not in the Authorizers of the API A"},
        {HTTP("") "      Auth: { Authorizers: { X: { FunctionArn: a } } }\n",
         "t.yaml:14: A.Auth.X: the authorizer has neither JwtConfiguration nor"
         " AuthorizerPayloadFormatVersion"},
        {HTTP("") "      Auth: { Authorizers: { X: { AuthorizerPayloadFormatVersion: 2.0 } } }\n",
         "t.yaml:14: A.Auth.X: the authorizer has no FunctionArn"},
        {HTTP("") "      Auth: { Authorizers: 1 }\n", "t.yaml:14: A: Authorizers must be a map"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture *f = plan_of(cases[i].text);
        CHECK_STR(str_c(f->err), cases[i].want);
        arena_free(f->arena);
    }
}

TEST(an_event_of_an_api_that_is_not_there_is_left_out)
{
    struct fixture *f = plan_of(
        FUNCTION("Type: HttpApi\n          Properties: { ApiId: other, Path: /x, Method: get }\n"));
    CHECK_STR(str_c(f->err), "");
    CHECK(warned(f, "ApiId does not name an AWS::Serverless::HttpApi"));
    CHECK_I64((long long)f->plan.api_count, 0);
    arena_free(f->arena);
}

TEST(plain_functions_and_urls_of_cloudformation_are_made)
{
    struct fixture *f = plan_of(
        "Globals: { Function: { Timeout: 9 } }\nResources:\n"
        "  F:\n    Type: AWS::Lambda::Function\n    Properties: { Runtime: nodejs20.x, Handler: "
        "a.b,"
        " Code: ./src, Role: r, Tags: [{ Key: a, Value: b }] }\n"
        "  G:\n    Type: AWS::Lambda::Function\n    Metadata: { aws:asset:path: asset.1 }\n"
        "    Properties: { Runtime: nodejs20.x, Handler: a.b, Code: { S3Bucket: b, S3Key: k } }\n"
        "  H:\n    Type: AWS::Lambda::Function\n"
        "    Properties: { Runtime: nodejs20.x, Handler: a.b, Code: { ZipFile: x } }\n"
        "  U:\n    Type: AWS::Lambda::Url\n"
        "    Properties: { AuthType: NONE, TargetFunctionArn: !GetAtt F.Arn }\n"
        "  V:\n    Type: AWS::Lambda::Url\n    Properties: { AuthType: NONE, TargetFunctionArn: H "
        "}\n"
        "Outputs:\n  U: { Value: !GetAtt U.FunctionUrl }\n");
    CHECK_STR(str_c(f->err), "");
    CHECK_I64((long long)f->plan.function_count, 2);
    CHECK_STR(f->plan.functions[0].folder, "/work/./src");
    CHECK_STR(f->plan.functions[1].folder, "/work/asset.1");
    CHECK(str_find_str(f->plan.functions[0].config_json, STR("\"Tags\":{\"a\":\"b\"}")) > 0);
    CHECK(str_find_str(f->plan.functions[0].config_json, STR("Timeout")) < 0);
    CHECK(warned(f, "H: Puddle runs code of a folder, not of ZipFile"));
    CHECK(warned(f, "V: TargetFunctionArn is no function of this template"));
    CHECK_I64((long long)f->plan.url_count, 1);
    CHECK_STR(f->plan.urls[0].config_json, "{\"FunctionName\":\"F\",\"AuthType\":\"NONE\"}");
    CHECK(str_starts(f->plan.outputs, STR("U: http://")));
    arena_free(f->arena);
}
