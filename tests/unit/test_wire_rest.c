/* links: puddle_aws */
#include "wire_fixture.h"

static struct str seen; /* the handler's input as JSON text */
static struct str seen_payload;
static uint16_t answer_status;

static enum call_status look(struct call *c)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    json_out_init(&w, b);
    json_copy(&w, NULL, c->in);
    seen = buf_view(b);
    seen_payload = c->payload;
    c->out_status = answer_status;
    json_obj(&c->out, NULL);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status refuse(struct call *c)
{
    return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException, "Function not found: %s", "x");
}

static enum call_status refuse_limits(struct call *c)
{
    return CALL_FAIL(c, &AWS_ValidationException, "1 validation error detected");
}

static struct op ops[] = {{"Invoke", look, false, NULL},
                          {"CreateFunction", look, true, NULL},
                          {"ListFunctions", look, false, NULL},
                          {"GetFunction", refuse, false, NULL},
                          {"GetPolicy", refuse_limits, false, NULL},
                          {"TagResource", look, true, NULL},
                          {"UntagResource", look, true, NULL},
                          {"GetLayerVersion", look, false, NULL},
                          {"GetLayerVersionByArn", look, false, NULL},
                          {"UpdateFunctionConfiguration", look, true, NULL}};
static struct service svc = {.id = "lambda",
                             .label = "lambda",
                             .protocol = WIRE_REST_JSON,
                             .model = &lambda_model,
                             .ops = ops,
                             .op_count = sizeof ops / sizeof *ops,
                             .internal_error = &LAMBDA_ServiceException};

static const char *found_op(struct arena *a, const char *line)
{
    struct wire_rest_match *match;
    service_init(&svc);
    struct http_req *req = wire_request(a, arena_fmt(a, "%s HTTP/1.1\nHost: x\n\n", line).p);
    const struct op *op = wire_rest_find(&svc, req, a, &match);
    return op == NULL ? "(none)" : op->name;
}

static struct http_resp send(struct arena *a, const char *request)
{
    struct wire_rest_match *match = NULL;
    struct wire_answer answer;
    service_init(&svc);
    struct http_req *req = wire_request(a, request);
    const struct op *op = wire_rest_find(&svc, req, a, &match);
    struct call *c = wire_call(a, &svc, op, req, &answer);
    seen = seen_payload = STR_NONE;
    wire_rest_run(c, match, wire_no_auth, NULL);
    if (answer.replies != 1)
        test_fail(__FILE__, __LINE__, "%d replies", answer.replies);
    return answer.resp;
}

TEST(method_and_path_name_the_operation)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    static const char *const rows[][2] = {
        {"GET /2015-03-31/functions", "ListFunctions"},
        {"GET /2015-03-31/functions/", "ListFunctions"},
        {"POST /2015-03-31/functions", "CreateFunction"},
        {"POST /2015-03-31/functions/f/invocations", "Invoke"},
        {"POST /2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=1", "Invoke"},
        {"GET /2015-03-31/functions/f", "GetFunction"},
        {"GET /2015-03-31/functions/f/policy", "GetPolicy"},
        {"GET /2018-10-31/layers/l/versions/3", "GetLayerVersion"},
        {"GET /2018-10-31/layers?find=LayerVersion&Arn=x", "GetLayerVersionByArn"},
        {"GET /2018-10-31/layers?find=Other&Arn=x", "(none)"},
        {"GET /2018-10-31/layers", "(none)"},
        {"PUT /2015-03-31/functions", "(none)"},
        {"GET /2015-03-31/functions/f/g/policy", "(none)"},
        {"GET /2015-03-31/functions//policy", "(none)"},
        {"GET /", "(none)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_STR(str_c(found_op(a, rows[i][0])), rows[i][1]);
    arena_free(a);
}

TEST(an_operation_of_the_model_that_we_do_not_have_is_named)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_req *req =
        wire_request(a, "GET /2020-04-22/code-signing-configs HTTP/1.1\nHost: x\n\n");
    CHECK_STR(str_c(wire_rest_known_op(&svc, req, a)), "ListCodeSigningConfigs");
    req = wire_request(a, "GET /2020-04-22/nothing HTTP/1.1\nHost: x\n\n");
    CHECK(wire_rest_known_op(&svc, req, a) == NULL);
    arena_free(a);
}

TEST(path_query_header_and_body_make_one_input)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    send(a, "PUT /2015-03-31/functions/my%2Dfn/configuration HTTP/1.1\nHost: x\n\n"
            "{\"Timeout\":7,\"Description\":\"d\"}");
    CHECK_STR(seen, "{\"Timeout\":7,\"Description\":\"d\",\"FunctionName\":\"my-fn\"}");
    send(a, "GET /2015-03-31/functions?MaxItems=5&Marker=a%2Bb+c HTTP/1.1\nHost: x\n\n");
    CHECK_STR(seen, "{\"Marker\":\"a+b c\",\"MaxItems\":5}");
    struct http_resp r =
        send(a, "POST /2015-03-31/functions/f/invocations?Qualifier=3 HTTP/1.1\nHost: x\n"
                "X-Amz-Invocation-Type: Event\nx-amz-log-type: Tail\n\n{\"a\":1}");
    CHECK_STR(r.body, "{}");
    CHECK_STR(seen, "{\"FunctionName\":\"f\",\"InvocationType\":\"Event\",\"LogType\":\"Tail\","
                    "\"Qualifier\":\"3\"}");
    CHECK_STR(seen_payload, "{\"a\":1}");
    arena_free(a);
}

TEST(lists_in_the_query_are_repeated_keys)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    send(a, "DELETE /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af"
            "?tagKeys=a&tagKeys=b%20c HTTP/1.1\nHost: x\n\n");
    CHECK_STR(seen, "{\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:f\","
                    "\"TagKeys\":[\"a\",\"b c\"]}");
    arena_free(a);
}

TEST(a_body_cannot_say_what_belongs_to_the_path)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    send(a, "PUT /2015-03-31/functions/real/configuration HTTP/1.1\nHost: x\n\n"
            "{\"FunctionName\":\"forged\",\"Nonsense\":1}");
    CHECK_STR(seen, "{\"FunctionName\":\"real\"}");
    arena_free(a);
}

TEST(a_body_that_is_not_json_is_refused_with_its_place)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_resp r = send(a, "PUT /2015-03-31/functions/f/configuration HTTP/1.1\nHost: x\n\n"
                                 "{\n \"a\" 1}");
    CHECK_I64(r.status, 400);
    CHECK_STR(wire_header(&r, "x-amzn-ErrorType"), "InvalidRequestContentException");
    CHECK(str_find_str(r.body, STR("line: 2, column: ")) > 0);
    CHECK(str_starts(r.body, STR("{\"Type\":\"User\",\"message\":\"Could not parse request body")));
    r = send(a, "PUT /2015-03-31/functions/f/configuration HTTP/1.1\nHost: x\n\n[]");
    CHECK_I64(r.status, 400);
    CHECK(seen.p == NULL);
    arena_free(a);
}

TEST(success_has_the_models_status_unless_the_handler_says_another)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_resp r = send(a, "GET /2015-03-31/functions HTTP/1.1\nHost: x\n\n");
    CHECK_I64(r.status, 200);
    CHECK_STR(wire_header(&r, "Content-Type"), "application/json");
    CHECK_I64(wire_header(&r, "x-amzn-RequestId").n, 36);
    answer_status = 204;
    r = send(a, "GET /2015-03-31/functions HTTP/1.1\nHost: x\n\n");
    answer_status = 0;
    CHECK_I64(r.status, 204);
    CHECK(wire_header(&r, "Content-Type").p == NULL);
    arena_free(a);
}

TEST(errors_carry_type_and_the_kinds_own_spelling_of_message)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct http_resp r = send(a, "GET /2015-03-31/functions/f HTTP/1.1\nHost: x\n\n");
    CHECK_I64(r.status, 404);
    CHECK_STR(r.body, "{\"Type\":\"User\",\"Message\":\"Function not found: x\"}");
    CHECK_STR(wire_header(&r, "x-amzn-ErrorType"), "ResourceNotFoundException");
    r = send(a, "GET /2015-03-31/functions/f/policy HTTP/1.1\nHost: x\n\n");
    CHECK_STR(r.body, "{\"message\":\"1 validation error detected\"}");
    arena_free(a);
}
