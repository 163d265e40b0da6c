/* links: puddle_template */
/* A template text -> plan and warnings; nothing is made. */
#include "harness.h"
#include "tpl_plan.h"

struct fixture {
    struct arena *arena;
    struct tpl_log log;
    struct tpl_model model;
    struct tpl_plan plan;
    struct template_param params[4];
    struct template_env env;
    char err[700];
    bool ok;
};

static struct fixture *fixture_new(void)
{
    struct arena *a = arena_new(0, 1 << 30);
    struct fixture *f = ARENA_NEW(a, struct fixture);
    f->arena = a;
    f->log =
        (struct tpl_log){.arena = a, .file = "t.yaml", .err = f->err, .err_size = sizeof f->err};
    f->env.params = f->params;
    return f;
}

static struct fixture *plan_with(struct fixture *f, struct str text)
{
    f->model = (struct tpl_model){.log = &f->log,
                                  .arena = f->arena,
                                  .account = STR("000000000000"),
                                  .region = STR("us-east-1")};
    f->model.root = tpl_parse(&f->log, text);
    f->ok = f->model.root != NULL && tpl_model_build(&f->model, &f->env) &&
            tpl_plan_build(&f->model, STR("/work"), &f->plan);
    return f;
}

static struct fixture *plan_of(const char *text)
{
    return plan_with(fixture_new(), str_c(text));
}

static struct fixture *plan_of_file(const char *path)
{
    struct fixture *f = fixture_new();
    char *text = arena_alloc(f->arena, 1 << 16);
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(text, 1, 1 << 16, file);
    if (file != NULL)
        fclose(file);
    return plan_with(f, (struct str){text, n});
}

static struct str error_of(const char *text, struct arena **ret)
{
    struct fixture *f = plan_of(text);
    *ret = f->arena;
    return f->ok ? STR("no error") : str_c(f->err);
}

/* "line: text" of all warnings, a line each */
static struct str warnings(struct fixture *f)
{
    struct buf *b = arena_new_buf(f->arena, 1 << 16);
    for (size_t i = 0; i < f->log.warning_count; i++)
        buf_addf(b, "%u: %.*s\n", f->log.warnings[i].line, STR_ARG(f->log.warnings[i].text));
    return buf_view(b);
}

/* The member at a dotted path of a JSON text, raw. */
static struct str member(struct fixture *f, struct str json, const char *path)
{
    struct jval v;
    struct str rest = str_c(path);
    if (!json_parse(f->arena, json, 64, &v, NULL))
        return STR("not JSON");
    while (rest.p != NULL)
        v = jval_get_str(v, str_cut(&rest, '.'));
    return jval_kind(v) == JSON_MISSING ? STR("missing") : jval_raw(v);
}

TEST(a_full_template_becomes_functions_tables_and_routes)
{
    struct fixture *f = plan_of_file("fixtures/templates/full.yaml");
    CHECK_STR(str_c(f->err), "");
    CHECK(f->ok);
    CHECK_STR(warnings(f), "");
    CHECK_I64((long long)f->plan.function_count, 1);
    CHECK_STR(f->plan.functions[0].folder, "/work/src/");
    struct str api = f->plan.apis[0].id;
    CHECK_STR(f->plan.functions[0].config_json,
              arena_fmt(f->arena,
                        "{\"FunctionName\":\"SaveFunction\","
                        "\"Role\":\"arn:aws:iam::000000000000:role/SaveFunctionRole\","
                        "\"Handler\":\"index.handler\",\"Runtime\":\"nodejs20.x\",\"Timeout\":10,"
                        "\"MemorySize\":256,\"Environment\":{\"Variables\":{\"LEVEL\":\"info\","
                        "\"STAGE\":\"dev\",\"TABLE\":\"items-dev\","
                        "\"ARN\":\"arn:aws:dynamodb:us-east-1:000000000000:table/items-dev\","
                        "\"FIRST\":\"red\",\"ALL\":\"red-green\","
                        "\"URL\":\"https://%.*s.execute-api.us-east-1.amazonaws.com/Prod\","
                        "\"PAIR\":\"0.${b}.arn:aws:dynamodb:us-east-1:000000000000:table/"
                        "items-dev\"}}}",
                        STR_ARG(api))
                  .p);
    CHECK_I64((long long)f->plan.table_count, 2);
    CHECK_STR(f->plan.tables[0].create_json,
              "{\"TableName\":\"items-dev\",\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
              "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"id\","
              "\"KeyType\":\"HASH\"}],\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,"
              "\"WriteCapacityUnits\":1}}");
    CHECK_STR(f->plan.tables[1].create_json,
              "{\"TableName\":\"Counters\",\"AttributeDefinitions\":[{\"AttributeName\":\"key\","
              "\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":\"key\","
              "\"KeyType\":\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
    CHECK_I64((long long)f->plan.api_count, 1);
    CHECK_I64((long long)api.n, 10);
    CHECK_STR(f->plan.apis[0].stage, "Prod");
    CHECK_I64((long long)f->plan.apis[0].route_count, 2);
    CHECK_STR(f->plan.apis[0].routes[0].method, "POST");
    CHECK_STR(f->plan.apis[0].routes[0].path, "/save");
    CHECK_STR(f->plan.apis[0].routes[1].method, "ANY");
    CHECK_STR(f->plan.apis[0].routes[1].function_arn,
              "arn:aws:lambda:us-east-1:000000000000:function:SaveFunction");
    CHECK_STR(f->plan.outputs, arena_fmt(f->arena,
                                         "Api: %.*s\nRole: arn:aws:iam::000000000000:role/"
                                         "SaveFunctionRole\n",
                                         STR_ARG(api))
                                   .p);
    arena_free(f->arena);
}

TEST(the_api_id_is_the_same_every_time_and_differs_between_accounts)
{
    struct fixture *a = plan_of_file("fixtures/templates/full.yaml");
    struct fixture *b = plan_of_file("fixtures/templates/full.yaml");
    CHECK(str_eq(a->plan.apis[0].id, b->plan.apis[0].id));
    b->model.account = STR("111111111111");
    CHECK(!str_eq(a->plan.apis[0].id, tpl_api_id(&b->model, STR("ServerlessRestApi"))));
    arena_free(a->arena);
    arena_free(b->arena);
}

TEST(parameters_override_defaults_and_switch_conditions)
{
    struct fixture *f = fixture_new();
    char text[8192];
    FILE *file = fopen("fixtures/templates/full.yaml", "r");
    CHECK(file != NULL);
    size_t n = fread(text, 1, sizeof text, file);
    fclose(file);
    f->params[0] = (struct template_param){STR("Stage"), STR("live")};
    f->env.param_count = 1;
    plan_with(f, (struct str){text, n});
    CHECK_STR(str_c(f->err), "");
    struct str config = f->plan.functions[0].config_json;
    CHECK_STR(member(f, config, "MemorySize"), "1024");
    CHECK_STR(member(f, config, "Environment.Variables.SKIPPED"), "\"x\"");
    CHECK_STR(member(f, config, "Environment.Variables.TABLE"), "\"items-live\"");
    CHECK_I64((long long)f->plan.table_count, 3);
    CHECK(str_find_str(f->plan.outputs, STR("Live: OnlyLive\n")) >= 0);
    arena_free(f->arena);
    f = fixture_new();
    f->params[0] = (struct template_param){STR("Stage"), STR("moon")};
    f->env.param_count = 1;
    plan_with(f, (struct str){text, n});
    CHECK_STR(str_c(f->err), "t.yaml:4: Parameter 'Stage' must be one of AllowedValues");
    arena_free(f->arena);
    f = fixture_new();
    f->params[0] = (struct template_param){STR("Colour"), STR("red")};
    f->env.param_count = 1;
    plan_with(f, (struct str){text, n});
    CHECK_STR(str_c(f->err), "t.yaml:4: --parameter Colour: the template has no such parameter");
    arena_free(f->arena);
}

TEST(what_is_not_made_is_named_with_its_line)
{
    struct fixture *f = plan_of_file("fixtures/templates/unknown.yaml");
    CHECK_STR(str_c(f->err), "");
    CHECK_STR(warnings(f),
              "27: unknown section Extra\n"
              "5: Work: unknown attribute Colour\n"
              "25: Jobs: Puddle does not make AWS::SQS::Queue\n"
              "10: Work: Puddle does not use the property Layers\n"
              "13: Ref of Jobs: Puddle does not make AWS::SQS::Queue; its logical id is used\n"
              "14: GetAtt Jobs.Arn: Puddle does not have this value; the text Jobs.Arn is used\n"
              "16: Work: Puddle does not make events of type Schedule (Tick)\n"
              "24: Work.Get: Puddle does not use the property RequestModel\n");
    arena_free(f->arena);
}

TEST(a_json_template_is_read_with_its_escapes)
{
    struct fixture *f = plan_of_file("fixtures/templates/simple.json");
    CHECK_STR(str_c(f->err), "");
    struct str config = f->plan.functions[0].config_json;
    CHECK_STR(member(f, config, "Description"), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
    CHECK_STR(member(f, config, "Environment.Variables.T"), "\"Things\"");
    CHECK_STR(member(f, config, "Environment.Variables.N"),
              "\"arn:aws:dynamodb:us-east-1:000000000000:table/Things\"");
    CHECK_I64(f->plan.functions[0].line, 3);
    CHECK_I64(f->plan.tables[0].line, 13);
    arena_free(f->arena);
}

#define TABLE(name) "  " name ":\n    Type: AWS::Serverless::SimpleTable\n"
#define FUNCTION(name)                                                                             \
    "  " name ":\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: "           \
    "nodejs20.x\n      Handler: a.b\n"

TEST(broken_templates_are_refused_with_the_line)
{
    static const struct {
        const char *text, *want; /* want: the start of the error */
    } cases[] = {
        {"", "t.yaml:1: the template is empty"},
        {"# nothing\n", "t.yaml:1: the template is empty"},
        {"- a\n", "t.yaml:1: a template is a map with Resources"},
        {"Description: x\n", "t.yaml:1: the template has no Resources"},
        {"Resources: [1]\n", "t.yaml:1: Resources must be a map"},
        {"a: 1\n b: 2\n", "t.yaml:2: mapping values are not allowed in this context"},
        {"a: [1,\n  2\n", "t.yaml:3: did not find expected ',' or ']'"},
        {"a: \"x\n", "t.yaml:2: found unexpected end of stream"},
        {"a: b\n\tc: d\n", "t.yaml:2: "},
        {"a: \xff\n", "t.yaml:1: "},
        {"---\na: 1\n---\nb: 2\n", "t.yaml:4: a template is one document"},
        {"a: *nope\n", "t.yaml:1: *nope: no anchor of that name before this line"},
        {"a: &x\n  b: *x\n", "t.yaml:2: *x: no anchor of that name before this line"},
        {"a: !Foo x\n", "t.yaml:1: unknown tag !Foo"},
        {"? [a]\n: 1\n", "t.yaml:1: a key must be a plain word"},
        {"a:\n  <<: 1\n", "t.yaml:2: << takes a mapping or a list of mappings"},
        {"{\"Resources\": {}", "t.yaml:2: did not find expected ',' or '}'"},
        {"Resources:\n  A:\n    Properties: {}\n", "t.yaml:2: the resource A has no Type"},
        {"Resources:\n" TABLE("A") "  A:\n    Type: x\n",
         "t.yaml:4: the resource A is there twice"},
        {"Parameters:\n  P:\n    Type: String\nResources:\n" TABLE("A"),
         "t.yaml:2: Parameters: [P] must have values (--parameter P=...)"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !Ref B\n",
         "t.yaml:5: Unresolved resource dependencies [B]"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !GetAtt B.Arn\n",
         "t.yaml:5: Unresolved resource dependencies [B]"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !Ref A\n",
         "t.yaml:2: Circular dependency between resources: [A]"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !ImportValue x\n",
         "t.yaml:5: Puddle does not support Fn::ImportValue yet"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !Join [a]\n",
         "t.yaml:5: Fn::Join takes a delimiter and a list of texts"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !Select [3, [a, b]]\n",
         "t.yaml:5: Fn::Select: the index is outside the list"},
        {"Resources:\n" TABLE("A") "    Properties:\n      TableName: !Sub \"${B}\"\n",
         "t.yaml:5: Unresolved resource dependencies [B]"},
        {"Resources:\n" TABLE("A") "    Condition: C\n", "t.yaml:4: there is no condition C"},
        {"Conditions:\n  C: !Condition C\nResources:\n" TABLE("A") "    Condition: C\n",
         "t.yaml:2: the condition C depends on itself"},
        {"Resources:\n  F:\n    Type: AWS::Serverless::Function\n",
         "t.yaml:2: F: the property Handler is missing"},
        {"Resources:\n" FUNCTION("F") "      Events:\n        E:\n          Type: Api\n",
         "t.yaml:8: F.E: an Api event has a Path and a Method"},
        {"Resources:\n" FUNCTION("F") "      Events:\n        E: {Type: Api, Properties: {Path: x, "
                                      "Method: get}}\n",
         "t.yaml:8: F.E: Path must start with '/'"},
        {"Resources:\n" FUNCTION(
             "F") "      Events:\n"
                  "        E: {Type: Api, Properties: {Path: /, Method: get}}\n"
                  "        G: {Type: Api, Properties: {Path: /, Method: GET}}\n",
         "t.yaml:9: F: GET / is already an event of F"},
        {"Resources:\n  A:\n    Type: AWS::Serverless::Api\n",
         "t.yaml:2: A: the property StageName is missing"},
        {"Resources:\n" TABLE("A") "Outputs:\n  O: {}\n", "t.yaml:5: the output O has no Value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a;
        struct str got = error_of(cases[i].text, &a);
        if (!str_starts(got, str_c(cases[i].want)))
            CHECK_STR(got, cases[i].want);
        arena_free(a);
    }
    struct fixture *f = plan_of_file("fixtures/templates/broken.yaml");
    CHECK(str_starts(str_c(f->err), STR("t.yaml:6: did not find expected key")));
    arena_free(f->arena);
}

TEST(a_bomb_of_aliases_is_refused_by_its_weight)
{
    struct fixture *f = fixture_new();
    struct buf *b = arena_new_buf(f->arena, 1 << 16);
    buf_addf(b, "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 20; i++) {
        buf_addf(b, "x-%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_addf(b, "%s*a%d", k == 0 ? "" : ", ", i - 1);
        buf_addf(b, "]\n");
    }
    plan_with(f, buf_view(b));
    CHECK_STR(str_c(f->err),
              "t.yaml:5: the template is too large or too deep once its aliases are followed");
    arena_free(f->arena);
}

TEST(a_chain_of_aliases_is_refused_by_its_height)
{
    struct fixture *f = fixture_new();
    struct buf *b = arena_new_buf(f->arena, 1 << 20);
    buf_addf(b, "x-0: &a0 [x]\n");
    for (int i = 1; i < 1000; i++)
        buf_addf(b, "x-%d: &a%d [*a%d]\n", i, i, i - 1);
    plan_with(f, buf_view(b));
    CHECK(str_starts(str_c(f->err), STR("t.yaml:128: the template is too large or too deep")));
    arena_free(f->arena);
}

TEST(nesting_and_size_are_capped_at_their_limits)
{
    struct fixture *f = fixture_new();
    struct buf *b = arena_new_buf(f->arena, 4 << 20);
    buf_addf(b, "Resources:\n" TABLE("A") "x-a: ");
    for (int i = 0; i < TPL_DEPTH_MAX - 2; i++)
        buf_addc(b, '[');
    buf_addc(b, 'x');
    for (int i = 0; i < TPL_DEPTH_MAX - 2; i++)
        buf_addc(b, ']');
    plan_with(f, buf_view(b));
    CHECK_STR(str_c(f->err), "");
    struct str text = buf_view(b);
    text = arena_fmt(f->arena, "%.*s[%.*s]", (int)str_find(text, '['), text.p,
                     STR_ARG(str_sub(text, (size_t)str_find(text, '['), text.n)));
    plan_with(f, text);
    CHECK_STR(str_c(f->err), "t.yaml:4: nested deeper than 64 levels");
    f->err[0] = '\0';
    buf_addf(b, "\n#");
    while (b->n < TPL_FILE_MAX)
        buf_addc(b, '.');
    plan_with(f, buf_view(b));
    CHECK_STR(str_c(f->err), "");
    buf_addc(b, '.');
    plan_with(f, buf_view(b));
    CHECK_STR(str_c(f->err), "t.yaml:1: the template is larger than 1048576 bytes");
    arena_free(f->arena);
}

TEST(evaluation_cannot_grow_beyond_its_cap)
{
    struct fixture *f = fixture_new();
    struct buf *b = arena_new_buf(f->arena, 4 << 20);
    buf_addf(b, "Parameters:\n  P:\n    Default: \"");
    for (int i = 0; i < 500000; i++)
        buf_addc(b, 'x');
    buf_addf(b, "\"\nResources:\n" TABLE("A") "    Properties:\n      TableName: !Sub \"");
    for (int i = 0; i < 40000; i++)
        buf_addf(b, "${P}");
    buf_addf(b, "\"\n");
    plan_with(f, buf_view(b));
    CHECK(!f->ok);
    CHECK(strstr(f->err, "too l") != NULL);
    arena_free(f->arena);
}

TEST(merge_keys_and_anchors_share_definitions)
{
    struct fixture *f = plan_of("x-common: &common\n  Runtime: nodejs20.x\n  Handler: a.b\n"
                                "  Timeout: 3\n"
                                "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
                                "    Properties:\n      <<: *common\n      Timeout: 9\n");
    CHECK_STR(str_c(f->err), "");
    CHECK_STR(member(f, f->plan.functions[0].config_json, "Timeout"), "9");
    CHECK_STR(member(f, f->plan.functions[0].config_json, "Handler"), "\"a.b\"");
    arena_free(f->arena);
}

TEST(an_explicit_api_takes_the_events_that_name_it)
{
    struct fixture *f =
        plan_of("Resources:\n  Mine:\n    Type: AWS::Serverless::Api\n    Properties:\n"
                "      StageName: v1\n      Name: My API\n      BinaryMediaTypes: [image~1png]\n"
                "      Variables: { a: 1 }\n      Models: {}\n" FUNCTION(
                    "F") "      Events:\n        E:\n          Type: Api\n          Properties:\n"
                         "            RestApiId: !Ref Mine\n            Path: /x/\n            "
                         "Method: put\n"
                         "Outputs:\n  Stage: { Value: !Ref Mine.Stage }\n");
    CHECK_STR(str_c(f->err), "");
    CHECK_STR(warnings(f), "9: Mine: Puddle does not use the property Models\n");
    CHECK_I64((long long)f->plan.api_count, 1);
    CHECK_STR(f->plan.apis[0].stage, "v1");
    CHECK_STR(member(f, f->plan.apis[0].create_json, "name"), "\"My API\"");
    CHECK_STR(member(f, f->plan.apis[0].create_json, "binaryMediaTypes"), "[\"image/png\"]");
    CHECK_STR(f->plan.apis[0].variables_json, "{\"variables\":{\"a\":\"1\"}}");
    CHECK_STR(f->plan.apis[0].routes[0].path, "/x/");
    CHECK_STR(f->plan.outputs, "Stage: v1\n");
    arena_free(f->arena);
}

TEST(code_that_is_not_a_folder_is_left_out_with_a_warning)
{
    struct fixture *f = plan_of("Resources:\n" FUNCTION("A") "      InlineCode: x\n" FUNCTION(
        "B") "      CodeUri: s3://b/k\n" FUNCTION("C") "      PackageType: Image\n");
    CHECK_STR(str_c(f->err), "");
    CHECK_I64((long long)f->plan.function_count, 0);
    CHECK_STR(warnings(f), "7: A: Puddle does not use the property InlineCode\n"
                           "2: A: Puddle does not run InlineCode; it is not made\n"
                           "13: B: Puddle does not fetch code from S3; it is not made\n"
                           "14: C: Puddle does not run container images; it is not made\n");
    arena_free(f->arena);
}
