/* links: puddle_template */
/* Templates made real in an empty database; Lambda is played by the test. */
#include "harness.h"
#include "template.h"

static struct {
    unsigned puts;
    char config[4096], folder[512];
    char url_config[4096], url_id[64];
    const char *refuse; /* the message of a refusal; NULL: none */
} fake;

bool rie_put_local_function(struct rie *r, struct str account, struct str region,
                            struct str config_json, const char *folder, struct arena *a,
                            struct aws_err *err)
{
    (void)r;
    (void)account;
    (void)region;
    if (fake.refuse != NULL)
        return aws_fail(err, a, &AWS_ValidationException, "%s", fake.refuse);
    fake.puts++;
    snprintf(fake.config, sizeof fake.config, "%.*s", STR_ARG(config_json));
    snprintf(fake.folder, sizeof fake.folder, "%s", folder);
    return true;
}

bool rie_put_local_url(struct rie *r, struct str account, struct str region, struct str config_json,
                       struct str url_id, struct arena *a, struct aws_err *err)
{
    (void)r;
    (void)account;
    (void)region;
    (void)a;
    (void)err;
    snprintf(fake.url_config, sizeof fake.url_config, "%.*s", STR_ARG(config_json));
    snprintf(fake.url_id, sizeof fake.url_id, "%.*s", STR_ARG(url_id));
    return true;
}

struct fixture {
    struct arena *arena;
    struct db *db;
    struct template_env env;
    struct template_summary summary;
    char err[700];
};

static struct fixture *fixture_new(void)
{
    char err[200];
    struct arena *a = arena_new(0, 1 << 30);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    memset(&fake, 0, sizeof fake);
    f->arena = a;
    f->db = db_open(&(struct db_opts){0}, err, sizeof err);
    f->env = (struct template_env){.ddb = ddb_new(f->db, err, sizeof err),
                                   .gateway = gateway_new(f->db, NULL, err, sizeof err),
                                   .account = STR("000000000000"),
                                   .region = STR("us-east-1")};
    return f;
}

static void fixture_free(struct fixture *f)
{
    gateway_free(f->env.gateway);
    ddb_free(f->env.ddb);
    db_close(f->db);
    arena_free(f->arena);
}

static bool apply(struct fixture *f, const char *path)
{
    return template_apply(path, &f->env, f->arena, &f->summary, f->err, sizeof f->err);
}

static struct str run(struct fixture *f, struct service *svc, const char *op, struct str json)
{
    struct jval body;
    struct aws_err err = {0};
    if (call_run_local(svc, op, f->env.account, f->env.region, json, f->arena, &body, &err))
        return body.doc == NULL ? STR("ok") : jval_raw(body);
    return arena_fmt(f->arena, "%s: %.*s", err.kind->code, STR_ARG(err.message));
}

TEST(a_template_makes_tables_functions_and_a_default_api)
{
    struct fixture *f = fixture_new();
    struct str id, stage;
    bool ok = apply(f, "fixtures/templates/full.yaml");
    CHECK_STR(str_c(f->err), "");
    CHECK(ok);
    CHECK_I64((long long)f->summary.tables, 2);
    CHECK_I64((long long)f->summary.functions, 1);
    CHECK_I64((long long)f->summary.apis, 1);
    CHECK_I64((long long)ddb_table_count(f->env.ddb), 2);
    CHECK_STR(str_c(fake.folder), "fixtures/templates/src/");
    CHECK(gateway_default(f->env.gateway, &id, &stage));
    CHECK(str_eq(id, f->summary.example_api));
    CHECK_STR(stage, "Prod");
    struct str resources =
        run(f, gateway_service(f->env.gateway), "GetResources",
            arena_fmt(f->arena, "{\"restApiId\":\"%.*s\",\"embed\":[\"methods\"]}", STR_ARG(id)));
    CHECK(str_find_str(resources, STR("\"path\":\"/items/{id}\"")) >= 0);
    CHECK(str_find_str(resources,
                       STR("functions/arn:aws:lambda:us-east-1:000000000000:function:SaveFunction/"
                           "invocations")) >= 0);
    fixture_free(f);
}

TEST(a_second_start_keeps_items_and_the_api_id)
{
    struct fixture *f = fixture_new();
    struct service *ddb = ddb_service(f->env.ddb);
    CHECK(apply(f, "fixtures/templates/full.yaml"));
    struct str id = f->summary.example_api;
    run(f, ddb, "PutItem", STR("{\"TableName\":\"items-dev\",\"Item\":{\"id\":{\"S\":\"42\"}}}"));
    CHECK(apply(f, "fixtures/templates/full.yaml"));
    CHECK(str_eq(f->summary.example_api, id));
    CHECK_I64((long long)gateway_api_count(f->env.gateway), 1);
    CHECK_STR(run(f, ddb, "GetItem",
                  STR("{\"TableName\":\"items-dev\",\"Key\":{\"id\":{\"S\":\"42\"}}}")),
              "{\"Item\":{\"id\":{\"S\":\"42\"}}}");
    CHECK_I64(fake.puts, 2);
    fixture_free(f);
}

TEST(a_template_without_routes_sets_no_default_api)
{
    struct fixture *f = fixture_new();
    struct str id, stage;
    CHECK(apply(f, "fixtures/templates/simple.json"));
    CHECK_I64((long long)f->summary.apis, 0);
    CHECK(!gateway_default(f->env.gateway, &id, &stage));
    fixture_free(f);
}

static bool holds(struct fixture *f, const char *op, const char *json, const char *part)
{
    struct str reply = run(f, ddb_service(f->env.ddb), op, str_c(json));
    return str_find_str(reply, str_c(part)) >= 0;
}

TEST(settings_of_tables_are_taken_over)
{
    struct fixture *f = fixture_new();
    bool ok = apply(f, "fixtures/templates/tables.yaml");
    CHECK_STR(str_c(f->err), "");
    CHECK(ok);
#define T(name) "{\"TableName\":\"" name "\"}"
#define A(name) "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/" name "\"}"
    CHECK(holds(f, "DescribeTable", T("everything"), "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\""));
    CHECK(holds(f, "DescribeTable", T("everything"), "\"SSEDescription\":{\"Status\":\"ENABLED\""));
    CHECK(holds(f, "DescribeTable", T("everything"), "\"ReadUnitsPerSecond\":13000"));
    CHECK(holds(f, "DescribeTable", T("everything"), "\"DeletionProtectionEnabled\":true"));
    CHECK(holds(f, "DescribeTimeToLive", T("everything"), "\"AttributeName\":\"expires\""));
    CHECK(holds(f, "DescribeContinuousBackups", T("everything"), "\"RecoveryPeriodInDays\":10"));
    CHECK(holds(f, "DescribeContributorInsights", T("everything"), "\"ENABLED\""));
    CHECK(holds(f, "DescribeKinesisStreamingDestination", T("everything"), "stream/changes"));
    CHECK(holds(f, "GetResourcePolicy", A("everything"), "dynamodb:GetItem"));
    CHECK(holds(f, "ListTagsOfResource", A("everything"), "{\"Key\":\"team\",\"Value\":\"blue\"}"));
    CHECK(holds(f, "DescribeTimeToLive", T("nothing"), "\"DISABLED\""));
    CHECK(!holds(f, "DescribeTable", T("nothing"), "SSEDescription"));
    CHECK(holds(f, "DescribeContributorInsights", T("nothing"), "\"DISABLED\""));
    CHECK(holds(f, "ListTagsOfResource", A("simple"), "\"red\""));
    CHECK(holds(f, "DescribeTable", T("simple"), "SSEDescription"));
    CHECK(holds(f, "DescribeContinuousBackups", T("simple"), "\"RecoveryPeriodInDays\":35"));
    CHECK(apply(f, "fixtures/templates/tables.yaml")); /* a second start changes nothing */
    fixture_free(f);
}

TEST(errors_name_the_file_the_line_and_the_resource)
{
    struct fixture *f = fixture_new();
    CHECK(!apply(f, "fixtures/templates/broken.yaml"));
    CHECK(str_starts(str_c(f->err), STR("broken.yaml:6: ")));
    CHECK(!apply(f, "fixtures/templates/none.yaml"));
    CHECK_STR(str_c(f->err), "fixtures/templates/none.yaml: No such file or directory");
    fake.refuse = "1 validation error detected";
    CHECK(!apply(f, "fixtures/templates/simple.json"));
    CHECK_STR(str_c(f->err), "simple.json:3: Work: 1 validation error detected");
    fixture_free(f);
}

static bool shows(struct fixture *f, struct service *svc, const char *op, const char *id_member,
                  struct str id, const char *part)
{
    struct str reply =
        run(f, svc, op, arena_fmt(f->arena, "{\"%s\":\"%.*s\"}", id_member, STR_ARG(id)));
    return str_find_str(reply, str_c(part)) >= 0;
}

TEST(http_apis_are_made_and_made_again)
{
    struct fixture *f = fixture_new();
    struct service *svc = gateway_service_v2(f->env.gateway);
    struct str id, stage;
    for (int start = 0; start < 2; start++) {
        bool ok = apply(f, "fixtures/templates/http.yaml");
        CHECK_STR(str_c(f->err), "");
        CHECK(ok);
        CHECK_I64((long long)gateway_api_count(f->env.gateway), 2);
    }
    CHECK_I64((long long)f->summary.apis, 2);
    CHECK(!gateway_default(f->env.gateway, &id, &stage)); /* two: none is the only one */
    CHECK(str_find_str(str_c(fake.url_config), STR("\"AuthType\":\"NONE\"")) >= 0);
    CHECK_I64((long long)strlen(fake.url_id), 32);
    struct str list = run(f, svc, "GetApis", STR("{}"));
    struct jval apis, own;
    CHECK(json_parse(f->arena, list, JSON_DEPTH_DEFAULT, &apis, NULL));
    own = jval_at(jval_get(apis, "items"), 0);
    if (!str_eq_c(jval_text(jval_get(own, "name"), f->arena), "puddle-own"))
        own = jval_at(jval_get(apis, "items"), 1);
    id = jval_text(jval_get(own, "apiId"), f->arena);
    CHECK(shows(f, svc, "GetRoutes", "apiId", id, "\"routeKey\":\"POST /jwt\""));
    CHECK(shows(f, svc, "GetRoutes", "apiId", id, "\"authorizationScopes\":[\"write\"]"));
    CHECK(shows(f, svc, "GetRoutes", "apiId", id, "\"authorizationType\":\"CUSTOM\""));
    CHECK(shows(f, svc, "GetStages", "apiId", id, "\"stageName\":\"live\""));
    CHECK(shows(f, svc, "GetAuthorizers", "apiId", id, "\"name\":\"Custom\""));
    fixture_free(f);
}

TEST(rest_apis_get_authorizers_cors_keys_and_responses)
{
    struct fixture *f = fixture_new();
    struct service *svc = gateway_service(f->env.gateway);
    for (int start = 0; start < 2; start++) {
        bool ok = apply(f, "fixtures/templates/rest.yaml");
        CHECK_STR(str_c(f->err), "");
        CHECK(ok);
    }
    struct str id = f->summary.example_api;
    CHECK(str_find_str(f->summary.outputs, STR("OwnApiKey: x-api-key: ")) >= 0);
    struct str resources =
        run(f, svc, "GetResources",
            arena_fmt(f->arena, "{\"restApiId\":\"%.*s\",\"embed\":[\"methods\"]}", STR_ARG(id)));
    CHECK(str_find_str(resources, STR("'GET,OPTIONS,POST'")) >= 0);
    CHECK(str_find_str(resources, STR("\"apiKeyRequired\":true")) >= 0);
    CHECK(str_find_str(resources, STR("\"authorizationType\":\"CUSTOM\"")) >= 0);
    CHECK(shows(f, svc, "GetAuthorizers", "restApiId", id, "\"name\":\"Token\""));
    CHECK(shows(f, svc, "GetGatewayResponses", "restApiId", id, "\"statusCode\":\"418\""));
    struct str plans = run(f, svc, "GetUsagePlans", STR("{}"));
    ptrdiff_t at = str_find_str(plans, STR("\"OwnUsagePlan\""));
    CHECK(at >= 0 &&
          str_find_str(str_sub(plans, (size_t)at + 1, plans.n), STR("\"OwnUsagePlan\"")) < 0);
    fixture_free(f);
}
