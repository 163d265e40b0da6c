/* links: puddle_lambda */
#include "lambda_fixture.h"
#include "layers.h"
#include "seam.h"

#define ARN   "arn:aws:lambda:us-east-1:000000000000:function:"
#define LAYER "arn:aws:lambda:us-east-1:000000000000:layer:"

static struct str publish_layer(const char *name, const char *content)
{
    struct str input = arena_fmt(fx_mem, "{\"LayerName\":\"%s\",\"Content\":{\"ZipFile\":\"%s\"}}",
                                 name, fx_base64(fx_zip_of("a.js", content)));
    return fx_end(fx_begin("PublishLayerVersion", input));
}

/* A function f with versions 1 and 2 of different code, and an alias live on 1. */
static void make_versions(void)
{
    fx_create("f", "");
    fx_call("PublishVersion", "{\"FunctionName\":\"f\"}");
    fx_update_code("f", "2", ",\"Publish\":true");
    fx_call("CreateAlias", "{\"FunctionName\":\"f\",\"Name\":\"live\",\"FunctionVersion\":\"1\"}");
}

TEST(everything_is_there_again_after_a_restart)
{
    static const char *const reads[][2] = {
        {"ListVersionsByFunction", "{\"FunctionName\":\"f\"}"},
        {"GetAlias", "{\"FunctionName\":\"f\",\"Name\":\"live\"}"},
        {"GetPolicy", "{\"FunctionName\":\"f\",\"Qualifier\":\"live\"}"},
        {"GetFunctionConcurrency", "{\"FunctionName\":\"f\"}"},
        {"GetFunctionEventInvokeConfig", "{\"FunctionName\":\"f\",\"Qualifier\":\"live\"}"},
        {"GetFunctionUrlConfig", "{\"FunctionName\":\"f\"}"},
        {"ListLayerVersions", "{\"LayerName\":\"l\"}"},
        {"ListEventSourceMappings", "{}"},
        {"ListCodeSigningConfigs", "{}"},
        {"GetRuntimeManagementConfig", "{\"FunctionName\":\"f\",\"Qualifier\":\"1\"}"},
        {"GetFunctionRecursionConfig", "{\"FunctionName\":\"f\"}"}};
    enum { READS = sizeof reads / sizeof *reads };
    struct str before[READS];
    CHECK(fx_open(true));
    make_versions();
    fx_call("AddPermission",
            "{\"FunctionName\":\"f\",\"Qualifier\":\"live\",\"StatementId\":\"s\",\"Action\":"
            "\"lambda:InvokeFunction\",\"Principal\":\"*\"}");
    fx_call("PutFunctionConcurrency",
            "{\"FunctionName\":\"f\",\"ReservedConcurrentExecutions\":7}");
    fx_call("PutFunctionEventInvokeConfig",
            "{\"FunctionName\":\"f\",\"Qualifier\":\"live\",\"MaximumRetryAttempts\":1}");
    fx_call("CreateFunctionUrlConfig", "{\"FunctionName\":\"f\",\"AuthType\":\"NONE\"}");
    publish_layer("l", "1");
    fx_call("CreateEventSourceMapping",
            "{\"FunctionName\":\"f\",\"StartingPosition\":\"LATEST\",\"EventSourceArn\":"
            "\"arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/x\"}");
    fx_call("CreateCodeSigningConfig",
            "{\"AllowedPublishers\":{\"SigningProfileVersionArns\":[\"arn:aws:signer:us-east-1:"
            "000000000000:/signing-profiles/p\"]}}");
    fx_call("PutFunctionRecursionConfig", "{\"FunctionName\":\"f\",\"RecursiveLoop\":\"Allow\"}");
    for (size_t i = 0; i < READS; i++) {
        before[i] = fx_call(reads[i][0], reads[i][1]);
        CHECK(before[i].p[0] == '{' && before[i].n > 20);
    }
    CHECK(fx_restart());
    for (size_t i = 0; i < READS; i++)
        CHECK(str_eq(fx_call(reads[i][0], reads[i][1]), before[i]));
    CHECK_I64((long long)rie_function_count(fx), 1);
    fx_close();
}

TEST(a_commit_that_fails_takes_versions_and_aliases_back)
{
    CHECK(fx_open(true));
    make_versions();
    struct fx_call *call =
        fx_begin("UpdateFunctionConfiguration", STR("{\"FunctionName\":\"f\",\"Timeout\":9}"));
    fx_end(call);
    fault_setup("db.commit:1");
    fx_call("PublishVersion", "{\"FunctionName\":\"f\"}");
    fault_setup("db.commit:1");
    fx_call("UpdateAlias", "{\"FunctionName\":\"f\",\"Name\":\"live\",\"FunctionVersion\":\"2\"}");
    fault_setup(NULL);
    CHECK(fx_find("f:3") == NULL);
    CHECK_I64(fx_find("f")->last_version, 2);
    CHECK_STR(fx_member(fx_call("GetAlias", "{\"FunctionName\":\"f\",\"Name\":\"live\"}"),
                        "FunctionVersion"),
              "1");
    CHECK_STR(fx_member(fx_call("PublishVersion", "{\"FunctionName\":\"f\"}"), "Version"), "3");
    fx_close();
}

TEST(code_goes_with_the_last_version_that_has_it)
{
    CHECK(fx_open(true));
    make_versions();
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 4); /* two packages: a folder and a file each */
    fx_update_code("f", "3", "");
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 6);
    fx_call("DeleteFunction", "{\"FunctionName\":\"f\",\"Qualifier\":\"2\"}");
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 4);
    CHECK_STR(fx_call("DeleteFunction", "{\"FunctionName\":\"f\",\"Qualifier\":\"1\"}"),
              "ResourceConflictException: Unable to delete version because the following aliases "
              "reference it: [live]");
    fx_call("DeleteFunction", "{\"FunctionName\":\"f\"}");
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 0);
    CHECK_STR(fx_call("GetAlias", "{\"FunctionName\":\"f\",\"Name\":\"live\"}"),
              "ResourceNotFoundException: Function not found: " ARN "f");
    fx_close();
}

TEST(a_layer_stays_while_a_function_has_it)
{
    struct str *dirs;
    CHECK(fx_open(true));
    publish_layer("l", "1");
    publish_layer("m", "2");
    fx_create("f", ",\"Layers\":[\"" LAYER "l:1\",\"" LAYER "m:1\"]");
    CHECK_I64((long long)lam_layer_dirs(fx, fx_find("f"), fx_mem, &dirs), 2);
    CHECK(access(arena_fmt(fx_mem, "%.*s/a.js", STR_ARG(dirs[0])).p, R_OK) == 0);
    CHECK(!str_eq(dirs[0], dirs[1]));
    fx_call("DeleteLayerVersion", "{\"LayerName\":\"l\",\"VersionNumber\":1}");
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 6);
    CHECK(fx_restart()); /* the sweep at start keeps it too */
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 6);
    CHECK_I64((long long)lam_layer_dirs(fx, fx_find("f"), fx_mem, &dirs), 2);
    CHECK(access(arena_fmt(fx_mem, "%.*s/a.js", STR_ARG(dirs[0])).p, R_OK) == 0);
    fx_call("UpdateFunctionConfiguration", "{\"FunctionName\":\"f\",\"Layers\":[]}");
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 4);
    CHECK(rie_reset(fx));
    loop_tick(fx_loop, 0);
    fx_settle();
    CHECK_I64((long long)fx_count("fn-"), 0);
    CHECK_STR(fx_call("ListLayers", "{}"), "{\"Layers\":[]}");
    CHECK_STR(fx_member(publish_layer("l", "1"), "Version"), "1");
    fx_close();
}

/* Of layers of so many bytes each and code of so many: "" or the error. */
static struct str fit(int64_t one, int64_t two, int64_t code)
{
    struct lam_function f = {.code_unpacked = code};
    struct aws_err err = {0};
    f.layers_json = arena_fmt(fx_mem, "[{\"unpacked\":%lld},{\"unpacked\":%lld}]", (long long)one,
                              (long long)two);
    return lam_layers_fit(&f, fx_mem, &err) ? STR("") : err.message;
}

TEST(code_and_layers_fit_together)
{
    fx_mem = arena_new(0, SIZE_MAX);
    CHECK_STR(fit(100000000, 100000000, 62144000), "");
    CHECK_STR(fit(100000000, 100000000, 62144001),
              "Function code combined with layers exceeds the maximum allowed size of 262144000 "
              "bytes. The actual size is 262144001 bytes.");
    CHECK_STR(fit(262143999, 1, 0), "");
    CHECK_STR(fit(262143999, 2, 0),
              "Layers consume more than the available size of 262144000 bytes");
    arena_free(fx_mem);
}

TEST(sizes_of_packages_are_measured)
{
    CHECK(fx_open(false));
    fx_create("f", "");
    CHECK_I64(fx_find("f")->code_unpacked, 1);
    fx_update_code("f", "12345", "");
    CHECK_I64(fx_find("f")->code_unpacked, 5);
    fx_close();
}

TEST(weights_are_kept_to)
{
    struct jval alias;
    int counts[2] = {0, 0};
    fx_mem = arena_new(0, SIZE_MAX);
    json_parse(fx_mem,
               STR("{\"FunctionVersion\":\"1\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{"
                   "\"2\":0.25}}}"),
               9, &alias, NULL);
    for (int i = 0; i < 20000; i++)
        counts[str_eq_c(lam_alias_pick(alias, fx_mem), "2")]++;
    CHECK(counts[1] > 4500 && counts[1] < 5500); /* eight standard deviations */
    arena_free(fx_mem);
}

TEST(what_the_running_side_asks_for)
{
    struct lam_async_settings s;
    struct lam_url u;
    CHECK(fx_open(false));
    fx_create("g", "");
    fx_create("f",
              ",\"DeadLetterConfig\":{\"TargetArn\":\"arn:aws:sqs:us-east-1:000000000000:q\"}");
    fx_call("CreateAlias",
            "{\"FunctionName\":\"f\",\"Name\":\"a\",\"FunctionVersion\":\"$LATEST\"}");
    lam_async_settings(fx, fx_find("f"), STR("a"), fx_mem, &s);
    CHECK_I64(s.max_retries, 2);
    CHECK_I64(s.max_age_s, 21600);
    CHECK_STR(s.dead_letter, "arn:aws:sqs:us-east-1:000000000000:q");
    fx_call("PutFunctionEventInvokeConfig",
            "{\"FunctionName\":\"f\",\"Qualifier\":\"a\",\"MaximumRetryAttempts\":0,"
            "\"MaximumEventAgeInSeconds\":60,\"DestinationConfig\":{\"OnFailure\":{\"Destination\":"
            "\"" ARN "g\"}}}");
    lam_async_settings(fx, fx_find("f"), STR("a"), fx_mem, &s);
    CHECK(s.max_retries == 0 && s.max_age_s == 60);
    CHECK_STR(s.on_failure, ARN "g");
    CHECK_STR(s.on_success, "");
    lam_async_settings(fx, fx_find("f"), STR(""), fx_mem, &s);
    CHECK_I64(s.max_retries, 2);
    struct str made = fx_call(
        "CreateFunctionUrlConfig",
        "{\"FunctionName\":\"f\",\"Qualifier\":\"a\",\"AuthType\":\"AWS_IAM\",\"InvokeMode\":"
        "\"RESPONSE_STREAM\",\"Cors\":{\"AllowOrigins\":[\"*\"]}}");
    struct str url = fx_member(made, "FunctionUrl");
    struct str id = str_sub(url, 7, (size_t)str_find(url, '.'));
    CHECK(lam_url_find(fx, id, fx_mem, &u));
    CHECK(u.iam && u.streamed);
    CHECK_STR(u.name, "f");
    CHECK_STR(u.qualifier, "a");
    CHECK_STR(u.cors_json, "{\"AllowOrigins\":[\"*\"]}");
    CHECK(!lam_url_find(fx, STR("nobody"), fx_mem, &u));
    fx_call("DeleteFunction", "{\"FunctionName\":\"f\"}");
    CHECK(!lam_url_find(fx, id, fx_mem, &u));
    fx_close();
}

TEST(names_of_another_account_and_region_are_others)
{
    CHECK(fx_open(false));
    make_versions();
    CHECK_STR(
        fx_call("GetAlias", "{\"FunctionName\":\"111111111111:function:f\",\"Name\":\"live\"}"),
        "ResourceNotFoundException: Function not found: "
        "arn:aws:lambda:us-east-1:111111111111:function:f");
    CHECK_STR(fx_member(fx_call("GetFunctionConfiguration", "{\"FunctionName\":\"" ARN "f:live\"}"),
                        "FunctionArn"),
              ARN "f:live");
    CHECK_STR(
        fx_call("GetFunctionConfiguration", "{\"FunctionName\":\"f:live\",\"Qualifier\":\"2\"}"),
        "InvalidParameterValueException: The derived qualifier from the function name does "
        "not match the specified qualifier.");
    fx_close();
}

TEST(pages_go_on_where_the_last_one_ended)
{
    CHECK(fx_open(false));
    for (int i = 0; i < 12; i++)
        fx_create(arena_fmt(fx_mem, "f%02d", i).p, "");
    struct str marker = STR("");
    int seen = 0, pages = 0;
    do {
        struct str reply = fx_call(
            "ListFunctions",
            marker.n == 0
                ? "{\"MaxItems\":5}"
                : arena_fmt(fx_mem, "{\"MaxItems\":5,\"Marker\":\"%.*s\"}", STR_ARG(marker)).p);
        struct jval v;
        CHECK(json_parse(fx_mem, reply, 64, &v, NULL));
        seen += (int)jval_count(jval_get(v, "Functions"));
        marker = jval_text(jval_get(v, "NextMarker"), fx_mem);
        pages++;
        fx_call("DeleteFunction", arena_fmt(fx_mem, "{\"FunctionName\":\"f%02d\"}", seen - 1).p);
    } while (marker.n > 0);
    CHECK(seen == 12 && pages == 3); /* also when the last one of a page has gone meanwhile */
    CHECK_STR(fx_call("ListFunctions", "{\"Marker\":\"%%%\"}"),
              "InvalidParameterValueException: Invalid Marker");
    fx_close();
}
