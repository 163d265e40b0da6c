/* links: puddle_gateway */
#include "gateway.h"
#include "harness.h"
#include "wire.h"
#include <stdarg.h>

/* A gateway on an empty database in memory; management operations only. */
struct fixture {
    struct db *db;
    struct gateway *gateway;
    struct arena *arena;
    struct jval body;
    struct aws_err err;
};

static struct fixture *fixture_new(void)
{
    char err[200];
    struct arena *a = arena_new(0, 512 << 20);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->db = db_open(&(struct db_opts){0}, err, sizeof err);
    f->gateway = f->db == NULL ? NULL : gateway_new(f->db, NULL, err, sizeof err);
    if (f->gateway == NULL)
        fprintf(stderr, "fixture: %s\n", err);
    return f;
}

static void fixture_free(struct fixture *f)
{
    gateway_free(f->gateway);
    db_close(f->db);
    arena_free(f->arena);
}

static struct str run_as(struct fixture *f, const char *account, const char *op, const char *json)
{
    f->err = (struct aws_err){0};
    if (call_run_local(gateway_service(f->gateway), op, str_c(account), STR("us-east-1"),
                       str_c(json), f->arena, &f->body, &f->err))
        return f->body.doc == NULL ? STR("ok") : jval_raw(f->body);
    return arena_fmt(f->arena, "%s: %.*s", f->err.kind->code, STR_ARG(f->err.message));
}

/* The reply's JSON text, or "Code: message". */
static struct str run(struct fixture *f, const char *op, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static struct str run(struct fixture *f, const char *op, const char *fmt, ...)
{
    char json[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(json, sizeof json, fmt, args);
    va_end(args);
    return run_as(f, "000000000000", op, json);
}

static const char *text(struct fixture *f, const char *member)
{
    return arena_str(f->arena, jval_text(jval_get(f->body, member), f->arena)).p;
}

#define API "\"restApiId\":\"myapi\""
#define URI                                                                                        \
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"                               \
    "arn:aws:lambda:us-east-1:000000000000:function:f/invocations"

/* API "myapi"; returns its root resource's id. */
static const char *make_api(struct fixture *f)
{
    run(f, "CreateRestApi", "{\"name\":\"n\",\"tags\":{\"_custom_id_\":\"myapi\"}}");
    return text(f, "rootResourceId");
}

static void make_method(struct fixture *f, const char *resource, const char *method)
{
    run(f, "PutMethod",
        "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"%s\",\"authorizationType\":\"NONE\"}",
        resource, method);
    run(f, "PutIntegration",
        "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"%s\",\"type\":\"AWS_PROXY\","
        "\"integrationHttpMethod\":\"POST\",\"uri\":\"" URI "\"}",
        resource, method);
}

TEST(a_rest_api_shows_awss_members_and_is_deleted)
{
    struct fixture *f = fixture_new();
    CHECK(f->gateway != NULL);
    run(f, "CreateRestApi", "{\"name\":\"n\",\"description\":\"d\"}");
    const char *id = text(f, "id");
    CHECK_I64((long long)strlen(id), 10);
    CHECK_I64((long long)strlen(text(f, "rootResourceId")), 6);
    CHECK_STR(str_c(text(f, "apiKeySource")), "HEADER");
    CHECK(jval_kind(jval_get(f->body, "createdDate")) == JSON_NUMBER);
    CHECK_STR(jval_raw(jval_get(f->body, "disableExecuteApiEndpoint")), "false");
    CHECK_STR(jval_raw(jval_get(f->body, "endpointConfiguration")),
              "{\"types\":[\"EDGE\"],\"ipAddressType\":\"ipv4\"}");
    struct str created = jval_raw(f->body);
    CHECK(str_eq(run(f, "GetRestApi", "{\"restApiId\":\"%s\"}", id), created));
    CHECK_I64((long long)gateway_api_count(f->gateway), 1);
    CHECK(gateway_has_api(f->gateway, str_c(id)));
    CHECK_STR(run(f, "DeleteRestApi", "{\"restApiId\":\"%s\"}", id), "ok");
    CHECK(!gateway_has_api(f->gateway, str_c(id)));
    CHECK(str_starts(run(f, "GetRestApi", "{\"restApiId\":\"%s\"}", id),
                     STR("NotFoundException: Invalid API identifier specified 000000000000:")));
    fixture_free(f);
}

TEST(an_api_belongs_to_its_account)
{
    struct fixture *f = fixture_new();
    make_api(f);
    CHECK_STR(run_as(f, "111111111111", "GetRestApi", "{" API "}"),
              "NotFoundException: Invalid API identifier specified 111111111111:myapi");
    CHECK_STR(run_as(f, "111111111111", "GetRestApis", "{}"), "{\"item\":[]}");
    run(f, "GetRestApis", "{}");
    CHECK_I64((long long)jval_count(jval_get(f->body, "item")), 1);
    fixture_free(f);
}

TEST(refused_requests_get_awss_messages)
{
    /* %s is the root resource of an API with POST on it */
    static const struct {
        const char *op, *input, *want;
    } cases[] = {
        {"CreateRestApi", "{\"name\":\"\"}", "BadRequestException: Name cannot be empty"},
        {"CreateRestApi", "{\"name\":\"n\",\"description\":\"\"}",
         "BadRequestException: Description cannot be an empty string"},
        {"CreateRestApi", "{\"name\":\"n\",\"minimumCompressionSize\":-1}",
         "BadRequestException: Invalid minimum compression size, must be between 0 and 10485760"},
        {"CreateRestApi", "{\"name\":\"n\",\"minimumCompressionSize\":10485761}",
         "BadRequestException: Invalid minimum compression size, must be between 0 and 10485760"},
        {"CreateRestApi",
         "{\"name\":\"n\",\"endpointConfiguration\":{\"types\":[\"EDGE\",\"REGIONAL\"]}}",
         "BadRequestException: Cannot create an api with multiple Endpoint Types."},
        {"CreateRestApi", "{\"name\":\"n\",\"endpointConfiguration\":{\"types\":[]}}",
         "BadRequestException: REGIONAL Configuration and EDGE Configuration cannot be both "
         "DISABLED."},
        {"CreateRestApi", "{\"name\":\"n\",\"policy\":\"{}\"}",
         "BadRequestException: Invalid policy document. Please check the policy syntax and ensure "
         "that Principals are valid."},
        {"CreateRestApi", "{\"name\":\"n\",\"tags\":{\"_custom_id_\":\"myapi\"}}",
         "ConflictException: An API with the id myapi exists already"},
        {"CreateRestApi", "{\"name\":\"n\",\"tags\":{\"_custom_id_\":\"a/b\"}}",
         "BadRequestException: The tag _custom_id_ must be 1 to 40 of a-z, A-Z, 0-9, - and _"},
        {"CreateResource", "{" API ",\"parentId\":\"nope\",\"pathPart\":\"a\"}",
         "NotFoundException: Invalid Resource identifier specified"},
        {"CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"a b\"}",
         "BadRequestException: Resource's path part only allow a-zA-Z0-9._-: or a valid greedy "
         "path variable and curly braces at the beginning and the end."},
        {"DeleteResource", "{" API ",\"resourceId\":\"%s\"}",
         "BadRequestException: Root resource cannot be deleted."},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"get\",\"authorizationType\":\"NONE\"}",
         "BadRequestException: Invalid HttpMethod specified. Valid options are"
         " GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"authorizationType\":\"NONE\"}",
         "ConflictException: Method already exists for this resource"},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"authorizationType\":\"CUSTOM\"}",
         "BadRequestException: Invalid authorizer ID specified. Setting the authorization type to "
         "CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"authorizationType\":\"NONE\","
         "\"requestValidatorId\":\"v\"}",
         "BadRequestException: Invalid Request Validator identifier specified"},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"authorizationType\":\"NONE\","
         "\"requestModels\":{\"application/json\":\"petModel\"}}",
         "BadRequestException: Invalid model identifier specified: petModel"},
        {"PutMethod",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"authorizationType\":\"NONE\","
         "\"requestParameters\":{\"method.request.header.a\":true,\"method.request.path.a\":true}}",
         "BadRequestException: Parameter names must be unique across querystring, header and path"},
        {"GetMethod", "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\"}",
         "NotFoundException: Invalid Method identifier specified"},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"AWS_PROXY\"}",
         "BadRequestException: Enumeration value for HttpMethod must be non-empty"},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"AWS_PROXY\","
         "\"integrationHttpMethod\":\"POST\",\"uri\":\"x\"}",
         "BadRequestException: Invalid ARN specified in the request"},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"AWS_PROXY\","
         "\"integrationHttpMethod\":\"POST\",\"uri\":\"arn:aws:apigateway:us-east-1:lambda:x\"}",
         "BadRequestException: AWS ARN for integration must contain path or action"},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"AWS_PROXY\","
         "\"integrationHttpMethod\":\"POST\","
         "\"uri\":\"arn:aws:apigateway:us-east-1:sqs:path/a/b\"}",
         "BadRequestException: Integrations of type 'AWS_PROXY' currently only supports Lambda "
         "function and Firehose stream invocations."},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"HTTP_PROXY\","
         "\"integrationHttpMethod\":\"GET\",\"uri\":\"ftp://x\"}",
         "BadRequestException: Invalid HTTP endpoint specified for URI"},
        {"PutIntegration",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"type\":\"AWS\","
         "\"integrationHttpMethod\":\"POST\",\"uri\":\"arn:aws:apigateway:us-east-1:sqs:path/x\"}",
         "BadRequestException: Puddle does not support integrations with sqs yet"},
        {"GetIntegrationResponse",
         "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"POST\",\"statusCode\":\"200\"}",
         "NotFoundException: Invalid Response status code specified"},
        {"CreateStage", "{" API ",\"stageName\":\"s\",\"deploymentId\":\"nope\"}",
         "BadRequestException: Deployment id does not exist"},
        {"CreateStage", "{" API ",\"stageName\":\"a/b\",\"deploymentId\":\"nope\"}",
         "BadRequestException: Stage name only allows a-zA-Z0-9_-"},
        {"GetStage", "{" API ",\"stageName\":\"nope\"}",
         "NotFoundException: Invalid stage identifier specified"},
        {"GetDeployment", "{" API ",\"deploymentId\":\"nope\"}",
         "NotFoundException: Invalid Deployment identifier specified"},
        {"UpdateRestApi",
         "{" API ",\"patchOperations\":[{\"op\":\"replace\",\"path\":\"/binaryMediaTypes\"}]}",
         "BadRequestException: Invalid patch path /binaryMediaTypes"},
        {"UpdateRestApi",
         "{" API ",\"patchOperations\":[{\"op\":\"add\",\"path\":\"/minimumCompressionSize\","
         "\"value\":\"1\"}]}",
         "BadRequestException: Invalid patch operation specified. Must be one of: [replace]"},
        {"UpdateRestApi", "{" API ",\"patchOperations\":[{\"op\":\"test\",\"path\":\"/name\"}]}",
         "BadRequestException: Invalid patch operation specified. Must be "
         "'add'|'remove'|'replace'"},
        {"GetTags", "{\"resourceArn\":\"arn:aws:apigateway:us-east-1::/restapis/none\"}",
         "NotFoundException: Invalid API identifier specified 000000000000:none"},
    };
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    make_method(f, root, "POST");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char input[1024];
        const char *hole = strstr(cases[i].input, "%s");
        snprintf(input, sizeof input, "%.*s%s%s",
                 hole == NULL ? (int)strlen(cases[i].input) : (int)(hole - cases[i].input),
                 cases[i].input, hole == NULL ? "" : root, hole == NULL ? "" : hole + 2);
        CHECK_STR(run_as(f, "000000000000", cases[i].op, input), cases[i].want);
    }
    fixture_free(f);
}

TEST(resources_form_a_tree_with_one_variable_per_parent)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"pets\"}", root);
    const char *pets = text(f, "id");
    CHECK_STR(str_c(text(f, "path")), "/pets");
    CHECK_STR(str_c(text(f, "parentId")), root);
    CHECK_STR(run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"pets\"}", root),
              "ConflictException: Another resource with the same parent already has this name: "
              "pets");
    run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"{proxy+}\"}", pets);
    const char *proxy = text(f, "id");
    CHECK_STR(str_c(text(f, "path")), "/pets/{proxy+}");
    CHECK_STR(run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"{x}\"}", pets),
              "BadRequestException: A sibling ({proxy+}) of this resource already has a variable "
              "path part -- only one is allowed");
    CHECK_STR(run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"x\"}", proxy),
              "BadRequestException: Cannot create a child of a resource with a greedy path "
              "variable: {proxy+}");
    make_method(f, proxy, "ANY");
    run(f, "GetResource", "{" API ",\"resourceId\":\"%s\"}", proxy);
    CHECK_STR(jval_raw(jval_get(f->body, "resourceMethods")), "{\"ANY\":{}}");
    run(f, "GetResource", "{" API ",\"resourceId\":\"%s\",\"embed\":[\"methods\"]}", proxy);
    CHECK_STR(jval_raw(jval_get(jval_get(jval_get(f->body, "resourceMethods"), "ANY"),
                                "authorizationType")),
              "\"NONE\"");
    CHECK_STR(run(f, "DeleteResource", "{" API ",\"resourceId\":\"%s\"}", pets), "ok");
    CHECK_STR(run(f, "GetResource", "{" API ",\"resourceId\":\"%s\"}", proxy),
              "NotFoundException: Invalid Resource identifier specified");
    fixture_free(f);
}

TEST(resources_are_listed_in_pages)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f), *position = "";
    for (int i = 0; i < 6; i++)
        run(f, "CreateResource", "{" API ",\"parentId\":\"%s\",\"pathPart\":\"p%d\"}", root, i);
    size_t seen = 0, pages = 0;
    do {
        run(f, "GetResources", "{" API ",\"limit\":3,\"position\":\"%s\"}", position);
        seen += jval_count(jval_get(f->body, "item"));
        position = text(f, "position");
        pages++;
    } while (position[0] != '\0' && pages < 10);
    CHECK_I64((long long)seen, 7);
    CHECK_I64((long long)pages, 3);
    CHECK(str_starts(run(f, "GetResources", "{" API ",\"limit\":0}"), STR("BadRequestException")));
    CHECK(
        str_starts(run(f, "GetResources", "{" API ",\"limit\":501}"), STR("BadRequestException")));
    fixture_free(f);
}

TEST(an_integration_shows_its_defaults_and_keeps_responses)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    make_method(f, root, "GET");
    CHECK_STR(
        run(f, "GetIntegration", "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\"}", root),
        arena_fmt(f->arena,
                  "{\"type\":\"AWS_PROXY\",\"uri\":\"" URI "\",\"httpMethod\":\"POST\","
                  "\"passthroughBehavior\":\"WHEN_NO_MATCH\",\"timeoutInMillis\":29000,"
                  "\"cacheNamespace\":\"%s\",\"cacheKeyParameters\":[]}",
                  root)
            .p);
    CHECK_STR(run(f, "PutMethodResponse",
                  "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"statusCode\":\"200\","
                  "\"responseModels\":{\"application/json\":\"Empty\"}}",
                  root),
              "{\"statusCode\":\"200\",\"responseModels\":{\"application/json\":\"Empty\"}}");
    run(f, "PutIntegrationResponse",
        "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\",\"statusCode\":\"200\"}", root);
    run(f, "GetMethod", "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\"}", root);
    CHECK_STR(jval_raw(jval_get(jval_get(f->body, "methodIntegration"), "integrationResponses")),
              "{\"200\":{\"statusCode\":\"200\"}}");
    run(f, "DeleteIntegration", "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\"}", root);
    CHECK_STR(
        run(f, "GetIntegration", "{" API ",\"resourceId\":\"%s\",\"httpMethod\":\"GET\"}", root),
        "NotFoundException: Invalid Integration identifier specified");
    CHECK_STR(run(f, "CreateDeployment", "{" API "}"),
              "BadRequestException: No integration defined for method");
    fixture_free(f);
}

TEST(deployments_need_methods_and_stay_while_a_stage_uses_them)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    CHECK_STR(run(f, "CreateDeployment", "{" API "}"),
              "BadRequestException: The REST API doesn't contain any methods");
    make_method(f, root, "GET");
    CHECK_STR(run(f, "CreateDeployment", "{" API ",\"canarySettings\":{}}"),
              "BadRequestException: Invalid deployment content specified.Non null and non empty "
              "stageName must be provided for canary deployment. Provided value is null");
    run(f, "CreateDeployment", "{" API ",\"stageName\":\"\"}");
    const char *first = text(f, "id");
    CHECK_STR(run(f, "GetStages", "{" API "}"), "{\"item\":[]}");
    run(f, "CreateDeployment",
        "{" API ",\"stageName\":\"prod\",\"variables\":{\"a\":\"1\"},\"stageDescription\":\"s\"}");
    const char *second = text(f, "id");
    run(f, "GetStage", "{" API ",\"stageName\":\"prod\"}");
    CHECK_STR(str_c(text(f, "deploymentId")), second);
    CHECK_STR(jval_raw(jval_get(f->body, "variables")), "{\"a\":\"1\"}");
    CHECK_STR(str_c(text(f, "description")), "s");
    CHECK_STR(run(f, "DeleteDeployment", "{" API ",\"deploymentId\":\"%s\"}", second),
              "BadRequestException: Active stages pointing to this deployment must be moved or "
              "deleted");
    run(f, "UpdateStage",
        "{" API ",\"stageName\":\"prod\",\"patchOperations\":["
        "{\"op\":\"replace\",\"path\":\"/deploymentId\",\"value\":\"%s\"},"
        "{\"op\":\"replace\",\"path\":\"/variables/b\",\"value\":\"2\"},"
        "{\"op\":\"remove\",\"path\":\"/variables/a\"}]}",
        first);
    CHECK_STR(str_c(text(f, "deploymentId")), first);
    CHECK_STR(jval_raw(jval_get(f->body, "variables")), "{\"b\":\"2\"}");
    CHECK_STR(run(f, "DeleteDeployment", "{" API ",\"deploymentId\":\"%s\"}", second), "ok");
    run(f, "GetDeployments", "{" API "}");
    CHECK_I64((long long)jval_count(jval_get(f->body, "item")), 1);
    run(f, "GetDeployment", "{" API ",\"deploymentId\":\"%s\",\"embed\":[\"apisummary\"]}", first);
    CHECK_STR(jval_raw(jval_get(f->body, "apiSummary")),
              "{\"/\":{\"GET\":{\"authorizationType\":\"NONE\",\"apiKeyRequired\":false}}}");
    CHECK(
        str_starts(run(f, "UpdateStage",
                       "{" API ",\"stageName\":\"prod\",\"patchOperations\":["
                       "{\"op\":\"replace\",\"path\":\"/tags/tag1\",\"value\":\"x\"}]}"),
                   STR("BadRequestException: Invalid method setting path: /tags/tag1. Must be one "
                       "of: [/deploymentId, /description, /cacheClusterEnabled,")));
    CHECK_STR(run(f, "DeleteStage", "{" API ",\"stageName\":\"prod\"}"), "ok");
    CHECK_STR(run(f, "DeleteDeployment", "{" API ",\"deploymentId\":\"%s\"}", first), "ok");
    fixture_free(f);
}

TEST(a_failed_deployment_to_a_bad_stage_leaves_nothing_behind)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    make_method(f, root, "GET");
    CHECK(str_starts(
        run(f, "CreateDeployment", "{" API ",\"stageName\":\"s\",\"variables\":{\"a b\":\"1\"}}"),
        STR("BadRequestException: Stage variable names")));
    CHECK_STR(run(f, "GetDeployments", "{" API "}"), "{\"item\":[]}");
    CHECK_STR(run(f, "GetStages", "{" API "}"), "{\"item\":[]}");
    fixture_free(f);
}

TEST(patches_change_an_api_as_their_pointers_say)
{
    struct fixture *f = fixture_new();
    make_api(f);
    run(f, "UpdateRestApi",
        "{" API ",\"patchOperations\":["
        "{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"new \\\"name\\\"\"},"
        "{\"op\":\"add\",\"path\":\"/binaryMediaTypes/image~1png\"},"
        "{\"op\":\"add\",\"path\":\"/binaryMediaTypes/*~1*\"},"
        "{\"op\":\"remove\",\"path\":\"/binaryMediaTypes/image~1png\"},"
        "{\"op\":\"replace\",\"path\":\"/endpointConfiguration/types/"
        "EDGE\",\"value\":\"REGIONAL\"},"
        "{\"op\":\"replace\",\"path\":\"/minimumCompressionSize\",\"value\":\"10\"}]}");
    CHECK_STR(str_c(text(f, "name")), "new \"name\"");
    CHECK_STR(jval_raw(jval_get(f->body, "binaryMediaTypes")), "[\"*/*\"]");
    CHECK_STR(jval_raw(jval_get(jval_get(f->body, "endpointConfiguration"), "types")),
              "[\"REGIONAL\"]");
    CHECK_STR(jval_raw(jval_get(f->body, "minimumCompressionSize")), "10");
    fixture_free(f);
}

TEST(tags_are_set_shown_and_removed_on_apis_and_stages)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    make_method(f, root, "GET");
    run(f, "CreateDeployment", "{" API ",\"stageName\":\"s\"}");
#define STAGE_ARN "\"resourceArn\":\"arn:aws:apigateway:us-east-1::/restapis/myapi/stages/s\""
    CHECK_STR(run(f, "TagResource", "{" STAGE_ARN ",\"tags\":{\"a\":\"1\",\"b\":\"2\"}}"), "ok");
    CHECK_STR(run(f, "UntagResource", "{" STAGE_ARN ",\"tagKeys\":[\"a\"]}"), "ok");
    CHECK_STR(run(f, "GetTags", "{" STAGE_ARN "}"), "{\"tags\":{\"b\":\"2\"}}");
    CHECK_STR(
        run(f, "GetTags", "{\"resourceArn\":\"arn:aws:apigateway:us-east-1::/restapis/myapi\"}"),
        "{\"tags\":{\"_custom_id_\":\"myapi\"}}");
    fixture_free(f);
}

TEST(the_default_api_is_forgotten_when_it_is_deleted)
{
    struct fixture *f = fixture_new();
    struct str id, stage;
    CHECK(!gateway_default(f->gateway, &id, &stage));
    make_api(f);
    gateway_set_default(f->gateway, STR("myapi"), STR("Prod"));
    CHECK(gateway_default(f->gateway, &id, &stage));
    CHECK_STR(id, "myapi");
    CHECK_STR(stage, "Prod");
    CHECK(gateway_reset(f->gateway));
    CHECK(!gateway_default(f->gateway, &id, &stage));
    CHECK_I64((long long)gateway_api_count(f->gateway), 0);
    fixture_free(f);
}

TEST(status_lists_apis_with_their_stages)
{
    struct fixture *f = fixture_new();
    struct json_out w;
    struct buf *b = arena_new_buf(f->arena, 4096);
    const char *root = make_api(f);
    make_method(f, root, "GET");
    run(f, "CreateDeployment", "{" API ",\"stageName\":\"s\"}");
    json_out_init(&w, b);
    gateway_write_status(f->gateway, &w);
    CHECK_STR(buf_view(b), "[{\"id\":\"myapi\",\"name\":\"n\",\"protocol\":\"REST\",\"stages\":["
                           "\"s\"],\"urls\":[\"/_aws/execute-api/myapi/s/\"]}]");
    fixture_free(f);
}

static bool allow(void *arg, struct call *c)
{
    (void)arg;
    (void)c;
    return true;
}

static void replied(struct call *c)
{
    *(bool *)c->reply_arg = true;
}

/* The reply of a request as it comes over the network: status and body. */
static struct str wire(struct fixture *f, const char *method, struct str path, const char *query,
                       const char *body)
{
    struct http_req req = {.method = str_c(method), .path = path, .body = str_c(body)};
    struct wire_rest_match *match;
    struct http_resp resp;
    bool done = false;
    req.query = query == NULL ? STR_NONE : str_c(query);
    const struct op *op = wire_rest_find(gateway_service(f->gateway), &req, f->arena, &match);
    if (op == NULL)
        return STR("no operation");
    struct call *c = call_new(f->arena, gateway_service(f->gateway), op);
    c->http = &req;
    c->account = STR("000000000000");
    c->region = STR("us-east-1");
    c->reply = replied;
    c->reply_arg = &done;
    wire_rest_run(c, match, allow, NULL);
    wire_rest_reply(c, &resp);
    return done ? arena_fmt(f->arena, "%u %.*s", resp.status, STR_ARG(resp.body)) : STR("pending");
}

TEST(requests_over_http_carry_members_in_path_query_and_body)
{
    struct fixture *f = fixture_new();
    const char *root = make_api(f);
    struct str method = arena_fmt(f->arena, "/restapis/myapi/resources/%s/methods/GET", root);
    CHECK(
        str_starts(wire(f, "PUT", method, NULL, "{\"authorizationType\":\"NONE\"}"), STR("201 ")));
    struct str integration = arena_fmt(f->arena, "%.*s/integration", STR_ARG(method));
    struct str reply = wire(f, "PUT", integration, NULL,
                            "{\"type\":\"AWS_PROXY\",\"httpMethod\":\"POST\",\"uri\":\"" URI "\"}");
    CHECK(str_starts(reply, STR("201 ")));
    CHECK(str_find_str(reply, STR("\"httpMethod\":\"POST\"")) > 0);
    CHECK(
        str_find_str(wire(f, "GET", STR("/restapis/myapi/resources"), "embed=methods&limit=5", ""),
                     STR("\"methodIntegration\"")) > 0);
    CHECK_STR(wire(f, "GET", STR("/restapis/nope"), NULL, ""),
              "404 {\"message\":\"Invalid API identifier specified 000000000000:nope\"}");
    CHECK_STR(wire(f, "DELETE", integration, NULL, ""), "204 ");
    CHECK_STR(wire(f, "PUT",
                   STR("/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fmyapi"), NULL,
                   "{\"tags\":{\"k\":\"v\"}}"),
              "204 ");
    CHECK_STR(wire(f, "DELETE",
                   STR("/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fmyapi"),
                   "tagKeys=k", ""),
              "204 ");
    CHECK_STR(wire(f, "DELETE", STR("/restapis/myapi"), NULL, ""), "202 ");
    fixture_free(f);
}
