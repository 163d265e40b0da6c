/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_tables.h"

static struct str transact(const char *items, const char *more)
{
    return call_q("TransactWriteItems", FX("{'TransactItems':[%s]%s}", items, more));
}

static struct str transact_get(const char *items)
{
    return call_q("TransactGetItems", FX("{'TransactItems':[%s]}", items));
}

/* The members that an error carries besides its message. */
static struct str reasons_of(const char *op, const char *json)
{
    struct aws_err err = {0};
    if (call_run_local(ddb_service(fx), op, STR("000000000000"), STR("us-east-1"), str_c(q(json)),
                       fx_arena, NULL, &err))
        return STR("(done)");
    return err.members;
}

#define CANCELLED                                                                                  \
    "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for "  \
    "specific reasons "
#define PUT(pk) "{'Put':{'TableName':'hhh','Item':{'pk':{'S':'" pk "'}}}}"
#define PUT_IF(pk, If)                                                                             \
    "{'Put':{'TableName':'hhh','Item':{'pk':{'S':'" pk "'}},'ConditionExpression':'" If "'}}"
#define CHECK_IF(pk, If)                                                                           \
    "{'ConditionCheck':{'TableName':'hhh','Key':{'pk':{'S':'" pk "'}},'ConditionExpression':'" If  \
    "'}}"
#define IS(pk)  "attribute_exists(" pk ")"
#define NOT(pk) "attribute_not_exists(" pk ")"

TEST(all_four_actions_are_done_together)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'upd'},'n':{'N':'41'}}", "");
    put("hhh", "{'pk':{'S':'del'}}", "");
    put("hhh", "{'pk':{'S':'chk'}}", "");
    CHECK_STR(
        transact(
            PUT_IF("new",
                   NOT("pk")) ","
                              "{'Update':{'TableName':'hhh','Key':{'pk':{'S':'upd'}},"
                              "'UpdateExpression':'SET n = n + :one',"
                              "'ExpressionAttributeValues':{':one':{'N':'1'}}}},"
                              "{'Delete':{'TableName':'hhh','Key':{'pk':{'S':'del'}}}}," CHECK_IF(
                                  "chk", IS("pk")) ","
                                                   "{'Put':{'TableName':'rrr','Item':{'pk':{'S':'a'"
                                                   "},'sk':{'N':'1'}}}}",
            ""),
        "{}");
    CHECK_Q(get("hhh", "{'pk':{'S':'new'}}", ""), "{'Item':{'pk':{'S':'new'}}}");
    CHECK_Q(fx_get(get("hhh", "{'pk':{'S':'upd'}}", ""), "Item/n"), "{'N':'42'}");
    CHECK_STR(get("hhh", "{'pk':{'S':'del'}}", ""), "{}");
    CHECK_Q(get("hhh", "{'pk':{'S':'chk'}}", ""), "{'Item':{'pk':{'S':'chk'}}}");
    CHECK_Q(fx_get(get("rrr", "{'pk':{'S':'a'},'sk':{'N':'1'}}", ""), "Item/sk"), "{'N':'1'}");
    CHECK_STR(fx_get(call_q("DescribeTable", "{'TableName':'hhh'}"), "Table/ItemCount"), "3");
    fx_close();
}

TEST(one_failed_condition_cancels_all_and_every_condition_is_told)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'there'},'v':{'S':'x'}}", "");
    CHECK_STR(transact(PUT("a") "," PUT_IF("b", NOT("pk")) "," CHECK_IF(
                           "none", IS("pk")) "," PUT_IF("there", NOT("pk")),
                       ""),
              CANCELLED "[None, None, ConditionalCheckFailed, ConditionalCheckFailed]");
    CHECK_STR(get("hhh", "{'pk':{'S':'a'}}", ""), "{}");
    CHECK_STR(get("hhh", "{'pk':{'S':'b'}}", ""), "{}");
    CHECK_Q(reasons_of("TransactWriteItems",
                       "{'TransactItems':[" PUT(
                           "a") ",{'Put':{'TableName':'hhh','Item':{'pk':"
                                "{'S':'there'}},'ConditionExpression':'attribute_not_exists(pk)',"
                                "'ReturnValuesOnConditionCheckFailure':'ALL_OLD'}}," CHECK_IF(
                                    "q", IS("pk")) "]}"),
            "'CancellationReasons':[{'Code':'None'},{'Code':'ConditionalCheckFailed','Message':"
            "'The conditional request failed','Item':{'pk':{'S':'there'},'v':{'S':'x'}}},"
            "{'Code':'ConditionalCheckFailed','Message':'The conditional request failed'}]");
    fx_close();
}

TEST(an_update_that_cannot_be_is_a_reason_too)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'a'},'s':{'S':'text'}}", "");
    CHECK_Q(reasons_of(
                "TransactWriteItems",
                "{'TransactItems':[" PUT("x") ",{'Update':{'TableName':'hhh','Key':{'pk':"
                                              "{'S':'a'}},'UpdateExpression':'SET s = s + :one',"
                                              "'ExpressionAttributeValues':{':one':{'N':'1'}}}}]}"),
            "'CancellationReasons':[{'Code':'None'},{'Code':'ValidationError','Message':"
            "'An operand in the update expression has an incorrect data type'}]");
    CHECK_Q(reasons_of("TransactWriteItems",
                       FX("{'TransactItems':[{'Update':{'TableName':'hhh','Key':{'pk':{'S':'a'}},"
                          "'UpdateExpression':'SET v = :v',"
                          "'ExpressionAttributeValues':{':v':{'S':'%s'}}}}]}",
                          fx_repeat('x', 409600 - 8))),
            "'CancellationReasons':[{'Code':'ValidationError','Message':"
            "'Item size to update has exceeded the maximum allowed size'}]");
    CHECK_STR(get("hhh", "{'pk':{'S':'x'}}", ""), "{}");
    fx_close();
}

TEST(keys_that_do_not_fit_cancel_with_the_first_alone)
{
    CHECK(open_tables());
#define WRONG "{'Put':{'TableName':'hhh','Item':{'pk':{'N':'7'}}}}"
    CHECK_STR(transact(WRONG "," WRONG "," PUT_IF("none", IS("pk")), ""),
              CANCELLED "[ValidationError, None, None]");
    CHECK_Q(reasons_of("TransactWriteItems", "{'TransactItems':[" WRONG "]}"),
            "'CancellationReasons':[{'Code':'ValidationError','Message':'One or more parameter "
            "values were invalid: Type mismatch for key pk expected: S actual: N'}]");
    CHECK_Q(reasons_of("TransactWriteItems",
                       "{'TransactItems':[" PUT("a") ",{'Delete':{'TableName':'hhh','Key':{'pk':"
                                                     "{'N':'5'}}}}]}"),
            "'CancellationReasons':[{'Code':'None'},{'Code':'ValidationError','Message':"
            "'The provided key element does not match the schema'}]");
    CHECK_Q(reasons_of("TransactWriteItems",
                       "{'TransactItems':[{'Put':{'TableName':'rrr','Item':{'pk':{'S':'a'},"
                       "'sk':{'N':'1'},'l':{'N':'5'}}}}]}"),
            "'CancellationReasons':[{'Code':'ValidationError','Message':'One or more parameter "
            "values were invalid: Type mismatch for Index Key l Expected: S Actual: N IndexName: "
            "lsi'}]");
    CHECK_Q(reasons_of("TransactWriteItems",
                       "{'TransactItems':[{'Update':{'TableName':'rrr','Key':{'pk':{'S':'a'},"
                       "'sk':{'N':'1'}},'UpdateExpression':'SET l = :l',"
                       "'ExpressionAttributeValues':{':l':{'N':'5'}}}}]}"),
            "'CancellationReasons':[{'Code':'ValidationError','Message':'One or more parameter "
            "values were invalid: Type mismatch for Index Key l Expected: S Actual: N IndexName: "
            "lsi'}]");
    CHECK_STR(get("hhh", "{'pk':{'S':'a'}}", ""), "{}");
    fx_close();
}

TEST(what_is_wrong_before_the_tables_is_an_error_of_the_request)
{
    CHECK(open_tables());
    CHECK_STR(transact(PUT("a") ",{'Put':{'TableName':'hhh','Item':{'pk':{'S':''}}}}", ""),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty string "
                        "value. Key: pk");
    CHECK_STR(transact("{'Put':{'TableName':'rrr','Item':{'pk':{'S':'a'},'sk':{'N':'1'},'l':{'S':"
                       "''}}}}",
                       ""),
              NOT_VALID "A value specified for a secondary index key is not supported. The "
                        "AttributeValue for a key attribute cannot contain an empty string value. "
                        "IndexName: lsi, IndexKey: l");
    CHECK_STR(transact("{'Update':{'TableName':'rrr','Key':{'pk':{'S':'a'},'sk':{'N':'1'}},"
                       "'UpdateExpression':'SET l = :l',"
                       "'ExpressionAttributeValues':{':l':{'S':''}}}}",
                       ""),
              NOT_VALID "The update expression attempted to update a secondary index key to a "
                        "value that is not supported. The AttributeValue for a key attribute "
                        "cannot contain an empty string value.");
    CHECK_STR(transact(PUT("a") "," PUT("a"), ""),
              "ValidationException: Transaction request cannot include multiple operations on one "
              "item");
    CHECK_STR(transact(PUT("a") "," CHECK_IF("a", NOT("pk")), ""),
              "ValidationException: Transaction request cannot include multiple operations on one "
              "item");
    CHECK_STR(transact("{'Put':{'TableName':'none','Item':{'pk':{'S':'a'}}}}," PUT("b"), ""),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(transact("{}", ""),
              "ValidationException: Invalid Request: TransactWriteRequest should contain "
              "Delete or Put or Update request");
    CHECK_STR(
        transact("{'Put':{'TableName':'hhh','Item':{}},'Delete':{'TableName':'hhh','Key':{}}}", ""),
        "ValidationException: TransactItems can only contain one of Check, Put, Update or "
        "Delete");
    CHECK(str_starts(transact(PUT_IF("a", "hello!"), ""), STR("ValidationException: ")));
    CHECK(str_find_str(transact(PUT_IF("a", "hello!"), ""), STR("Syntax error")) > 0);
    CHECK_STR(transact("{'Update':{'TableName':'hhh','Key':{'pk':{'S':'a'}},"
                       "'UpdateExpression':'SET v = :v',"
                       "'ExpressionAttributeValues':{':v':{'S':'x'},':w':{'S':'x'}}}}",
                       ""),
              "ValidationException: Value provided in ExpressionAttributeValues unused in "
              "expressions: keys: {:w}");
    CHECK_STR(transact("{'Put':{'TableName':'hhh','Item':{'pk':{'S':'a'}},"
                       "'ExpressionAttributeValues':{':w':{'S':'x'}}}}",
                       ""),
              "ValidationException: ExpressionAttributeValues can only be specified when using "
              "expressions: ConditionExpression is null");
    CHECK_STR(transact("{'Put':{'TableName':'hhh','Item':{'pk':{'SS':['b','b']}}}}", ""),
              INVALID "Input collection [b, b] contains duplicates.");
    CHECK_STR(transact("{'ConditionCheck':{'TableName':'hhh','Key':{'pk':{'S':'a'}}}}", ""),
              "ValidationException: 1 validation error detected: Value null at "
              "'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy "
              "constraint: Member must not be null");
    CHECK_STR(transact("", ""), "ValidationException: 1 validation error detected: Value '[]' at "
                                "'transactItems' failed to satisfy constraint: Member must have "
                                "length greater than or equal to 1");
    CHECK_STR(transact(FX("{'Put':{'TableName':'hhh','Item':{'pk':{'S':'a'},'v':{'S':'%s'}}}}",
                          fx_repeat('x', 409600)),
                       ""),
              "ValidationException: Item size has exceeded the maximum allowed size");
    CHECK_STR(get("hhh", "{'pk':{'S':'a'}}", ""), "{}");
    fx_close();
}

/* n puts of items of about size bytes, or n gets. */
static const char *many(int n, size_t size, bool gets)
{
    struct buf *b = arena_new_buf(fx_arena, 64 << 20);
    const char *value = fx_repeat('x', size);
    for (int i = 0; i < n; i++) {
        buf_addf(b, "%s{'%s':{'TableName':'hhh','%s':{'pk':{'S':'%d'}", i == 0 ? "" : ",",
                 gets ? "Get" : "Put", gets ? "Key" : "Item", i);
        if (!gets)
            buf_addf(b, ",'v':{'S':'%s'}", value);
        buf_add(b, STR("}}}"));
    }
    return arena_buf(fx_arena, b).p;
}

TEST(hundred_actions_are_the_limit)
{
    CHECK(open_tables());
    CHECK_STR(transact(many(100, 1, false), ""), "{}");
    CHECK(str_ends(transact(many(101, 1, false), ""),
                   STR("at 'transactItems' failed to satisfy constraint: Member must have length "
                       "less than or equal to 100")));
    struct str got = transact_get(many(100, 0, true));
    CHECK_Q(fx_get(got, "Responses/99/Item"), "{'pk':{'S':'99'},'v':{'S':'x'}}");
    CHECK(str_ends(transact_get(many(101, 0, true)),
                   STR("at 'transactItems' failed to satisfy constraint: Member must have length "
                       "less than or equal to 100")));
    fx_close();
}

TEST(four_megabytes_are_the_limit)
{
    CHECK(open_tables());
    CHECK_STR(transact(many(10, 350000, false), ""), "{}");
    CHECK_STR(transact(many(12, 350000, false), ""),
              "ValidationException: Transaction payload size cannot exceed 4194304 bytes");
    fx_close();
}

TEST(transactions_cost_twice_and_say_of_which_kind)
{
    CHECK(open_tables());
    CHECK_Q(transact(PUT("a") "," CHECK_IF(
                         "b", NOT("pk")) ",{'Put':{'TableName':'rrr','Item':"
                                         "{'pk':{'S':'a'},'sk':{'N':'1'},'g':{'N':'1'}}}}",
                     ",'ReturnConsumedCapacity':'INDEXES','ReturnItemCollectionMetrics':'SIZE'"),
            "{'ConsumedCapacity':[{'TableName':'hhh','WriteCapacityUnits':4,'CapacityUnits':4,"
            "'Table':{'WriteCapacityUnits':4,'CapacityUnits':4}},{'TableName':'rrr',"
            "'WriteCapacityUnits':4,'CapacityUnits':4,'Table':{'WriteCapacityUnits':2,"
            "'CapacityUnits':2},'GlobalSecondaryIndexes':{'gsi':{'WriteCapacityUnits':2,"
            "'CapacityUnits':2}}}],'ItemCollectionMetrics':{'rrr':[{'ItemCollectionKey':{'pk':"
            "{'S':'a'}},'SizeEstimateRangeGB':[0,1]}]}}");
    CHECK_Q(call_q("TransactGetItems",
                   "{'ReturnConsumedCapacity':'INDEXES','TransactItems':[{'Get':{'TableName':'hhh',"
                   "'Key':{'pk':{'S':'a'}}}},{'Get':{'TableName':'hhh','Key':{'pk':{'S':'z'}}}}]}"),
            "{'Responses':[{'Item':{'pk':{'S':'a'}}},{}],'ConsumedCapacity':[{'TableName':'hhh',"
            "'ReadCapacityUnits':4,'CapacityUnits':4,'Table':{'ReadCapacityUnits':4,"
            "'CapacityUnits':4}}]}");
    fx_close();
}

#define ADD                                                                                        \
    "{'Update':{'TableName':'hhh','Key':{'pk':{'S':'n'}},'UpdateExpression':'ADD n :one',"         \
    "'ExpressionAttributeValues':{':one':{'N':'1'}}}}"
#define ADD_AGAIN /* the same, written otherwise */                                                \
    "{ 'Update':{'ExpressionAttributeValues':{':one':{'N':'\\u0031'}},"                            \
    "'UpdateExpression':'ADD n :one','Key':{'pk':{'S':'n'}}, 'TableName':'hhh' } }"

static struct str counter(void)
{
    return fx_get(get("hhh", "{'pk':{'S':'n'}}", ""), "Item/n/N");
}

TEST(a_token_makes_a_request_happen_once)
{
    CHECK(open_tables());
    clock_fake_set(1700000000000, 1000000);
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t1'"), "{}");
    for (int i = 0; i < 5; i++)
        CHECK_STR(transact(i % 2 ? ADD : ADD_AGAIN, ",'ClientRequestToken':'t1'"), "{}");
    CHECK_Q(counter(), "'1'");
    CHECK_Q(transact(ADD, ",'ClientRequestToken':'t1','ReturnConsumedCapacity':'TOTAL'"),
            "{'ConsumedCapacity':[{'TableName':'hhh','ReadCapacityUnits':2,'CapacityUnits':2}]}");
    CHECK(str_starts(transact(PUT("other"), ",'ClientRequestToken':'t1'"),
                     STR("IdempotentParameterMismatchException: ")));
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t2'"), "{}");
    CHECK_Q(counter(), "'2'");
    clock_fake_advance_ms(10 * 60 * 1000 - 1);
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t1'"), "{}");
    CHECK_Q(counter(), "'2'");
    clock_fake_advance_ms(1);
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t1'"), "{}");
    CHECK_Q(counter(), "'3'");
    clock_fake_off();
    fx_close();
}

TEST(a_request_may_be_deeper_than_our_own_documents)
{
    CHECK(open_tables());
    struct buf *deep = arena_new_buf(fx_arena, 1 << 16);
    for (int i = 0; i < 55; i++)
        buf_add(deep, STR("{'x':["));
    for (int i = 0; i < 55; i++)
        buf_add(deep, STR("]}"));
    const char *unknown = arena_buf(fx_arena, deep).p;
    const char *items =
        FX("{'Put':{'TableName':'hhh','Item':{'pk':{'S':'n'}},'Unknown':%s}}", unknown);
    CHECK_STR(transact(items, ",'ClientRequestToken':'t'"), "{}");
    CHECK_STR(transact(items, ",'ClientRequestToken':'t'"), "{}");
    fx_close();
}

TEST(a_cancelled_request_does_not_use_up_its_token)
{
    CHECK(open_tables());
    const char *once = PUT_IF("n", "attribute_exists(ok)");
    CHECK_STR(transact(once, ",'ClientRequestToken':'t'"), CANCELLED "[ConditionalCheckFailed]");
    put("hhh", "{'pk':{'S':'n'},'ok':{'S':'1'}}", "");
    CHECK_STR(transact(once, ",'ClientRequestToken':'t'"), "{}");
    CHECK_STR(transact(once, ",'ClientRequestToken':'t'"), "{}");
    fx_close();
}

TEST(tokens_have_1_to_36_characters_and_belong_to_an_account)
{
    CHECK(open_tables());
    CHECK_STR(transact(PUT("a"), FX(",'ClientRequestToken':'%s'", fx_repeat('t', 36))), "{}");
    CHECK(str_find_str(transact(PUT("a"), FX(",'ClientRequestToken':'%s'", fx_repeat('t', 37))),
                       STR("'clientRequestToken' failed to satisfy constraint: Member must have "
                           "length less than or equal to 36")) > 0);
    CHECK(str_find_str(transact(PUT("a"), ",'ClientRequestToken':''"),
                       STR("'clientRequestToken' failed to satisfy constraint: Member must have "
                           "length greater than or equal to 1")) > 0);
    struct str body = str_c(q("{'TransactItems':[" PUT("b") "],'ClientRequestToken':'tt'}"));
    CHECK_STR(fx_call_as("000000000000", "us-east-1", "TransactWriteItems", body), "{}");
    CHECK_STR(fx_call_as("111111111111", "us-east-1", "TransactWriteItems", body),
              "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(tokens_survive_a_restart)
{
    const char *folder = fx_new_folder();
    CHECK(fx_open(folder));
    fx_call("CreateTable", "{\"TableName\":\"hhh\"," FX_HASH "}");
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t'"), "{}");
    fx_close();
    CHECK(fx_open(folder));
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t'"), "{}");
    CHECK_Q(counter(), "'1'");
    CHECK(ddb_reset(fx));
    fx_call("CreateTable", "{\"TableName\":\"hhh\"," FX_HASH "}");
    CHECK_STR(transact(ADD, ",'ClientRequestToken':'t'"), "{}");
    CHECK_Q(counter(), "'1'"); /* a reset forgets them */
    fx_close();
    file_remove_tree(folder);
}

TEST(a_store_that_fails_half_way_leaves_nothing)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'old'}}", "");
    CHECK(db_commit(fx_db));
    for (int at = 1; at <= 3; at++) {
        put("hhh", "{'pk':{'S':'old'},'v':{'S':'x'}}", ""); /* the table is touched already */
        fault_setup(FX("store.write:%d", at));
        CHECK_STR(transact(PUT("a") "," PUT("b") "," PUT("c"), ",'ClientRequestToken':'t'"),
                  "InternalServerError: Internal server error");
        fault_setup(NULL);
        CHECK_STR(get("hhh", "{'pk':{'S':'a'}}", ""), "{}");
        CHECK_STR(fx_get(call_q("DescribeTable", "{'TableName':'hhh'}"), "Table/ItemCount"), "1");
        CHECK(db_commit(fx_db));
    }
    CHECK_STR(transact(PUT("a") "," PUT("b") "," PUT("c"), ",'ClientRequestToken':'t'"), "{}");
    CHECK_STR(fx_get(call_q("DescribeTable", "{'TableName':'hhh'}"), "Table/ItemCount"), "4");
    fx_close();
}

TEST(gets_are_positional_and_projected)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'1'},'x':{'N':'1'},'y':{'N':'2'}}", "");
    put("rrr", "{'pk':{'S':'1'},'sk':{'N':'2'}}", "");
    CHECK_Q(transact_get("{'Get':{'TableName':'hhh','Key':{'pk':{'S':'1'}},"
                         "'ProjectionExpression':'nope'}}"),
            "{'Responses':[{}]}");
    CHECK_Q(transact_get("{'Get':{'TableName':'rrr','Key':{'pk':{'S':'1'},'sk':{'N':'2'}}}},"
                         "{'Get':{'TableName':'hhh','Key':{'pk':{'S':'none'}}}},"
                         "{'Get':{'TableName':'hhh','Key':{'pk':{'S':'1'}},"
                         "'ProjectionExpression':'#x','ExpressionAttributeNames':{'#x':'x'}}}"),
            "{'Responses':[{'Item':{'pk':{'S':'1'},'sk':{'N':'2'}}},{},{'Item':{'x':{'N':'1'}}}]}");
    fx_close();
}

TEST(malformed_gets)
{
    CHECK(open_tables());
#define GET(table, key) "{'Get':{'TableName':'" table "','Key':" key "}}"
    CHECK_STR(transact_get(GET("hhh", "{'pk':{'S':'1'}}") "," GET("hhh", "{'pk':{'S':'1'}}")),
              "ValidationException: Transaction request cannot include multiple operations on one "
              "item");
    CHECK_STR(transact_get(GET("none", "{'pk':{'S':'1'}}")),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(
        transact_get(GET("hhh", "{'pk':{'S':'1'}}") "," GET("hhh", "{}") "," GET("hhh", "{}")),
        CANCELLED "[None, ValidationError, None]");
    CHECK_STR(transact_get(GET("hhh", "{'pk':{'S':''}}")),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty string "
                        "value. Key: pk");
    CHECK_STR(transact_get("{'Get':{'TableName':'hhh','Key':{'pk':{'S':'1'}},"
                           "'ExpressionAttributeNames':{'#x':'x'}}}"),
              "ValidationException: ExpressionAttributeNames can only be specified when using "
              "expressions");
    fx_close();
}
