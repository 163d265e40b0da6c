/* links: puddle_aws */
#include "wire_fixture.h"
#include <stdlib.h>

static int handled;
static struct wait *parked;

static enum call_status answer_tables(struct call *c)
{
    handled++;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "TableNames");
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status refuse(struct call *c)
{
    handled++;
    return CALL_FAIL(c, &DYNAMODB_ResourceNotFoundException, "no %s", "table");
}

static enum call_status finish_parked(struct call *c, enum wait_end how)
{
    if (how == WAIT_CANCELLED)
        return CALL_FAIL(c, &DYNAMODB_InternalServerError, "cancelled");
    int *rounds = c->scratch;
    if (++*rounds < 3) {
        parked = &c->wait;
        return call_park(c, finish_parked);
    }
    return answer_tables(c);
}

static enum call_status park(struct call *c)
{
    c->scratch = ARENA_NEW(c->arena, int);
    parked = &c->wait;
    return call_park(c, finish_parked);
}

static enum call_status answer_too_much(struct call *c)
{
    char *block = calloc(1, 1 << 20);
    memset(block, 'x', 1 << 20);
    json_arr(&c->out, NULL);
    for (int i = 0; i < 80; i++)
        json_str(&c->out, NULL, (struct str){block, 1 << 20});
    json_end(&c->out);
    free(block);
    return CALL_DONE;
}

static struct op ops[] = {{"ListTables", answer_tables, false, NULL},
                          {"DescribeTable", refuse, false, NULL},
                          {"DeleteTable", park, true, NULL},
                          {"Scan", answer_too_much, false, NULL}};
static struct service svc = {.id = "dynamodb",
                             .label = "DynamoDB_20120810",
                             .protocol = WIRE_JSON,
                             .model = &dynamodb_model,
                             .ops = ops,
                             .op_count = sizeof ops / sizeof *ops,
                             .internal_error = &DYNAMODB_InternalServerError};

static struct call *run(struct arena *a, const char *op, const char *input, struct wire_answer *ret)
{
    static struct http_req req;
    if (ops[0].model == NULL)
        service_init(&svc);
    struct call *c = wire_call(a, &svc, service_find_op(&svc, str_c(op)), &req, ret);
    ASSERT(json_parse(a, str_c(input), JSON_DEPTH_DEFAULT, &c->in, NULL));
    handled = 0;
    call_run(c);
    return c;
}

TEST(operations_are_found_by_their_exact_name_only)
{
    service_init(&svc);
    CHECK(service_find_op(&svc, STR("ListTables")) != NULL);
    CHECK(service_find_op(&svc, STR("Scan")) != NULL);
    CHECK(service_find_op(&svc, STR("listtables")) == NULL);
    CHECK(service_find_op(&svc, STR("ListTable")) == NULL);
    CHECK(service_find_op(&svc, STR("ListTables2")) == NULL);
    CHECK(service_find_op(&svc, STR("")) == NULL);
}

TEST(a_handler_that_is_done_replies_once_with_its_body)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    struct call *c = run(a, "ListTables", "{}", &answer);
    CHECK_I64(answer.replies, 1);
    CHECK(c->status == CALL_DONE);
    CHECK_STR(buf_view(c->out_buf), "{\"TableNames\":[]}");
    arena_free(a);
}

TEST(a_handler_that_fails_replies_its_error)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    struct call *c = run(a, "DescribeTable", "{\"TableName\":\"abc\"}", &answer);
    CHECK_I64(answer.replies, 1);
    CHECK(c->status == CALL_FAILED && c->err.kind == &DYNAMODB_ResourceNotFoundException);
    CHECK_STR(c->err.message, "no table");
    arena_free(a);
}

TEST(types_are_checked_before_limits_and_both_before_the_handler)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    /* a wrong type and a missing member: the type is reported */
    struct call *c = run(a, "DescribeTable", "{\"TableName\":5}", &answer);
    CHECK(c->err.kind == &AWS_SerializationException);
    CHECK_I64(handled, 0);
    c = run(a, "DescribeTable", "{}", &answer);
    CHECK(c->err.kind == &AWS_ValidationException);
    CHECK_I64(handled, 0);
    CHECK_I64(answer.replies, 1);
    arena_free(a);
}

TEST(a_parked_call_replies_when_it_is_resumed_and_may_park_again)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    struct call *c = run(a, "DeleteTable", "{\"TableName\":\"abc\"}", &answer);
    for (int round = 0; round < 3; round++) {
        CHECK_I64(answer.replies, 0);
        wait_fire(parked, WAIT_READY);
        CHECK_I64(answer.replies, 0); /* never inside the frame of who fires */
        CHECK(wait_run_ready());
    }
    CHECK_I64(answer.replies, 1);
    CHECK(c->status == CALL_DONE);
    CHECK(!wait_run_ready());
    arena_free(a);
}

TEST(a_cancelled_wait_ends_the_call_with_the_handlers_error)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    struct call *c = run(a, "DeleteTable", "{\"TableName\":\"abc\"}", &answer);
    wait_fire(parked, WAIT_CANCELLED);
    wait_run_ready();
    CHECK_I64(answer.replies, 1);
    CHECK_STR(c->err.message, "cancelled");
    arena_free(a);
}

TEST(a_reply_past_the_buffers_limit_is_an_internal_error)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct wire_answer answer;
    struct call *c = run(a, "Scan", "{\"TableName\":\"abc\"}", &answer);
    CHECK(c->status == CALL_FAILED && c->err.kind == &DYNAMODB_InternalServerError);
    CHECK_I64(answer.resp.status, 500);
    arena_free(a);
}

TEST(a_local_run_gives_the_reply_as_json_or_the_error)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct jval body;
    struct aws_err err = {0};
    service_init(&svc);
    CHECK(call_run_local(&svc, "ListTables", STR("1"), STR("r"), STR("{}"), a, &body, &err));
    CHECK_I64(jval_count(jval_get(body, "TableNames")), 0);
    CHECK(!call_run_local(&svc, "DescribeTable", STR("1"), STR("r"), STR("{\"TableName\":\"abc\"}"),
                          a, &body, &err));
    CHECK_STR(err.message, "no table");
    arena_free(a);
}
