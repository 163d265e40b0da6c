/* links: puddle_dynamo */
#include "ddb_tables.h"

#define VALUES(v) ",'ExpressionAttributeValues':{" v "}"

static struct str item_of(const char *pk)
{
    return get("hhh", FX("{'pk':{'S':'%s'}}", pk), "");
}

TEST(update_makes_and_changes_items)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'}}";
    CHECK_STR(update("hhh", key, ",'UpdateExpression':'SET a = :a'" VALUES("':a':{'N':'1.0'}")),
              "{}");
    CHECK_Q(item_of("1"), "{'Item':{'pk':{'S':'1'},'a':{'N':'1'}}}");
    CHECK_STR(update("hhh", key,
                     ",'UpdateExpression':'SET b = a + :one REMOVE c ADD a :one'" VALUES(
                         "':one':{'N':'1'}")),
              "{}");
    CHECK_Q(item_of("1"), "{'Item':{'pk':{'S':'1'},'a':{'N':'2'},'b':{'N':'2'}}}");
    CHECK_STR(update("hhh", "{'pk':{'S':'2'}}", ""), "{}"); /* nothing but the key */
    CHECK_Q(item_of("2"), "{'Item':{'pk':{'S':'2'}}}");
    CHECK_STR(update("hhh", key, ""), "{}");
    CHECK_Q(item_of("1"), "{'Item':{'pk':{'S':'1'},'a':{'N':'2'},'b':{'N':'2'}}}");
    CHECK_STR(update("hhh", "{'pk':{'S':'3'}}", ",'UpdateExpression':'REMOVE a'"), "{}");
    CHECK_STR(item_of("3"), "{}");
    CHECK_STR(fx_get(call_q("DescribeTable", "{'TableName':'hhh'}"), "Table/ItemCount"), "2");
    fx_close();
}

TEST(older_parameters_update_too)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'}}";
    CHECK_Q(update("hhh", key,
                   ",'AttributeUpdates':{'a':{'Value':{'N':'1'}},'b':{'Action':'ADD','Value':"
                   "{'NS':['1','2']}}},'ReturnValues':'ALL_NEW'"),
            "{'Attributes':{'pk':{'S':'1'},'a':{'N':'1'},'b':{'NS':['1','2']}}}");
    CHECK_STR(update("hhh", key,
                     ",'AttributeUpdates':{'a':{'Action':'DELETE'}},"
                     "'Expected':{'a':{'Value':{'N':'2'}}}"),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_STR(update("hhh", key,
                     ",'AttributeUpdates':{'a':{'Action':'DELETE'}},"
                     "'Expected':{'a':{'Value':{'N':'1'}}}"),
              "{}");
    CHECK_Q(item_of("1"), "{'Item':{'pk':{'S':'1'},'b':{'NS':['1','2']}}}");
    CHECK_STR(put("hhh", key, ",'Expected':{'pk':{'Exists':false}}"),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_STR(del("hhh", key, ",'Expected':{'b':{'ComparisonOperator':'NULL'}}"),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_Q(get("hhh", key, ",'AttributesToGet':['pk','none']"), "{'Item':{'pk':{'S':'1'}}}");
    fx_close();
}

TEST(return_values_show_the_item_or_only_its_named_paths)
{
    CHECK(open_tables());
    const char *item = "{'pk':{'S':'1'},'a':{'M':{'x':{'N':'1'},'y':{'N':'2'}}},'b':{'S':'b'}}";
    static const struct {
        const char *which, *want;
    } rows[] = {
        {"NONE", "{}"},
        {"ALL_OLD", "{'Attributes':{'pk':{'S':'1'},'a':{'M':{'x':{'N':'1'},'y':{'N':'2'}}},"
                    "'b':{'S':'b'}}}"},
        {"ALL_NEW", "{'Attributes':{'pk':{'S':'1'},'a':{'M':{'x':{'N':'9'},'y':{'N':'2'}}},"
                    "'b':{'S':'b'}}}"},
        {"UPDATED_OLD", "{'Attributes':{'a':{'M':{'x':{'N':'1'}}}}}"},
        {"UPDATED_NEW", "{'Attributes':{'a':{'M':{'x':{'N':'9'}}}}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put("hhh", item, "");
        CHECK_Q(update("hhh", "{'pk':{'S':'1'}}",
                       FX(",'ReturnValues':'%s','UpdateExpression':'SET a.x = :n'" VALUES(
                              "':n':{'N':'9'}"),
                          rows[i].which)),
                rows[i].want);
    }
    CHECK_STR(update("hhh", "{'pk':{'S':'new'}}",
                     ",'ReturnValues':'ALL_OLD','UpdateExpression':'SET c = :n'" VALUES(
                         "':n':{'N':'9'}")),
              "{}"); /* there was none */
    CHECK_STR(update("hhh", "{'pk':{'S':'1'}}",
                     ",'ReturnValues':'UPDATED_OLD','UpdateExpression':'SET c = :n'" VALUES(
                         "':n':{'N':'9'}")),
              "{}"); /* the attribute was not there */
    CHECK_STR(update("hhh", "{'pk':{'S':'1'}}",
                     ",'ReturnValues':'UPDATED_NEW','UpdateExpression':'REMOVE c'"),
              "{}");
    fx_close();
}

/* One item, changed step by step. As the public test-suite [A] has it from AWS. */
TEST(return_values_follow_nested_paths)
{
    static const struct {
        const char *which, *expression, *want;
    } steps[] = {
        {"UPDATED_OLD", "SET a.b = :x", "{'Attributes':{'a':{'M':{'b':{'S':'dog'}}}}}"},
        {"UPDATED_OLD", "SET a.c[1] = :n", "{'Attributes':{'a':{'M':{'c':{'L':[{'N':'2'}]}}}}}"},
        {"UPDATED_OLD", "SET a.c[1] = :n, a.b = :x",
         "{'Attributes':{'a':{'M':{'b':{'S':'x'},'c':{'L':[{'N':'7'}]}}}}}"},
        {"UPDATED_NEW", "SET a.c[1] = :n, a.b = :x",
         "{'Attributes':{'a':{'M':{'b':{'S':'x'},'c':{'L':[{'N':'7'}]}}}}}"},
        {"UPDATED_OLD", "REMOVE a.c[1], a.c[3]",
         "{'Attributes':{'a':{'M':{'c':{'L':[{'N':'7'}]}}}}}"}, /* a.c[3] was not there */
        {"UPDATED_OLD", "SET a.y = :n", "{}"},
        {"UPDATED_NEW", "SET a.z = :n", "{'Attributes':{'a':{'M':{'z':{'N':'7'}}}}}"},
        {"UPDATED_NEW", "SET a.c[100] = :x", "{}"}, /* it became a.c[2] */
        {"UPDATED_NEW", "REMOVE a.c[1]",
         "{'Attributes':{'a':{'M':{'c':{'L':[{'S':'x'}]}}}}}"}, /* what shifted in */
        {"UPDATED_NEW", "REMOVE d", "{}"},
        {"ALL_NEW", "REMOVE a", "{'Attributes':{'pk':{'S':'1'}}}"},
    };
    CHECK(open_tables());
    put("hhh",
        "{'pk':{'S':'1'},'a':{'M':{'b':{'S':'dog'},'c':{'L':[{'N':'1'},{'N':'2'},{'N':'3'}]}}},"
        "'d':{'S':'cat'}}",
        "");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        bool n = strstr(steps[i].expression, ":n") != NULL;
        bool x = strstr(steps[i].expression, ":x") != NULL;
        const char *values = n && x ? VALUES("':n':{'N':'7'},':x':{'S':'x'}")
                             : n    ? VALUES("':n':{'N':'7'}")
                             : x    ? VALUES("':x':{'S':'x'}")
                                    : "";
        CHECK_Q(update("hhh", "{'pk':{'S':'1'}}",
                       FX(",'ReturnValues':'%s','UpdateExpression':'%s'%s", steps[i].which,
                          steps[i].expression, values)),
                steps[i].want);
    }
    CHECK_STR(update("hhh", "{'pk':{'S':'none'}}",
                     ",'ReturnValues':'ALL_NEW','UpdateExpression':'REMOVE b'"),
              "{}"); /* nothing is made, so nothing is shown */
    CHECK_STR(item_of("none"), "{}");
    CHECK_Q(update("hhh", "{'pk':{'S':'none'}}", ",'ReturnValues':'ALL_NEW','AttributeUpdates':{}"),
            "{'Attributes':{'pk':{'S':'none'}}}");
    CHECK_STR(
        update("hhh", "{'pk':{'S':'none'}}", ",'ReturnValues':'UPDATED_NEW','AttributeUpdates':{}"),
        "{}");
    fx_close();
}

TEST(key_attributes_cannot_be_updated)
{
    CHECK(open_tables());
    CHECK_STR(update("hhh", "{'pk':{'S':'1'}}",
                     ",'UpdateExpression':'SET pk = :v'" VALUES("':v':{'S':'x'}")),
              INVALID "Cannot update attribute pk. This attribute is part of the key");
    CHECK_STR(update("rrr", "{'pk':{'S':'1'},'sk':{'N':'1'}}",
                     ",'AttributeUpdates':{'sk':{'Value':{'N':'2'}}}"),
              INVALID "Cannot update attribute sk. This attribute is part of the key");
    CHECK_STR(update("hhh", "{'pk':{'N':'1'}}",
                     ",'UpdateExpression':'SET pk = :v'" VALUES("':v':{'S':'x'}")),
              "ValidationException: The provided key element does not match the schema");
    CHECK_STR(update("none", "{'pk':{'S':'1'}}",
                     ",'UpdateExpression':'SET pk = :v'" VALUES("':v':{'S':'x'}")),
              "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(index_keys_are_checked_where_the_update_changed_them)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'},'sk':{'N':'1'}}";
    CHECK_STR(update("rrr", key, ",'UpdateExpression':'SET g = :v'" VALUES("':v':{'S':'x'}")),
              INVALID "Type mismatch for Index Key g Expected: N Actual: S IndexName: gsi");
    CHECK_STR(update("rrr", key, ",'UpdateExpression':'SET l = :v'" VALUES("':v':{'S':''}")),
              NOT_VALID
              "The update expression attempted to update a secondary index key to a value "
              "that is not supported. The AttributeValue for a key attribute cannot "
              "contain an empty string value.");
    CHECK_STR(get("rrr", key, ""), "{}");
    CHECK_STR(update("rrr", key, ",'UpdateExpression':'SET l = :v'" VALUES("':v':{'S':'x'}")),
              "{}");
    CHECK_Q(fx_get(update("rrr", key,
                          ",'UpdateExpression':'REMOVE l','ReturnConsumedCapacity':'INDEXES'"),
                   "ConsumedCapacity"),
            "{'TableName':'rrr','CapacityUnits':2,'Table':{'CapacityUnits':1},"
            "'LocalSecondaryIndexes':{'lsi':{'CapacityUnits':1}}}");
    fx_close();
}

TEST(updated_items_have_their_limits)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'k'}}";
    const char *format = ",'UpdateExpression':'SET v = :v'" VALUES("':v':{'S':'%s'}");
    CHECK_STR(update("hhh", key, FX(format, fx_repeat('x', 409600 - 4))), "{}");
    CHECK_STR(update("hhh", key, ",'UpdateExpression':'SET w = :v'" VALUES("':v':{'S':''}")),
              "ValidationException: Item size to update has exceeded the maximum allowed size");
    CHECK_I64(fx_get(item_of("k"), "Item/v/S").n, 409600 - 4 + 2);
    struct buf *deep = arena_new_buf(fx_arena, 1 << 16);
    for (int i = 0; i < 30; i++)
        buf_add(deep, STR("{'M':{'m':"));
    buf_add(deep, STR("{'S':'x'}"));
    for (int i = 0; i < 30; i++)
        buf_add(deep, STR("}}"));
    const char *value = arena_buf(fx_arena, deep).p;
    CHECK_STR(update("hhh", "{'pk':{'S':'d'}}",
                     FX(",'UpdateExpression':'SET m = :v'" VALUES("':v':%s"), value)),
              "{}");
    CHECK_STR(update("hhh", "{'pk':{'S':'d'}}",
                     FX(",'UpdateExpression':'SET m.m.m = :v'" VALUES("':v':%s"), value)),
              "ValidationException: Nesting Levels have exceeded supported limits: Attributes in "
              "the item have nested levels beyond supported limit");
    fx_close();
}

TEST(conditions_decide_and_may_show_the_item)
{
    CHECK(open_tables());
    struct aws_err err = {0};
    const char *key = "{'pk':{'S':'1'}}";
    CHECK_STR(put("hhh", "{'pk':{'S':'1'},'v':{'N':'5'}}",
                  ",'ConditionExpression':'attribute_not_exists(pk)'"),
              "{}");
    CHECK_STR(put("hhh", key, ",'ConditionExpression':'attribute_not_exists(pk)'"),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_STR(del("hhh", key, ",'ConditionExpression':'v < :v'" VALUES("':v':{'N':'5'}")),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_STR(update("hhh", key,
                     ",'UpdateExpression':'SET v = :w','ConditionExpression':'v = :v'" VALUES(
                         "':v':{'N':'4'},':w':{'N':'6'}")),
              "ConditionalCheckFailedException: The conditional request failed");
    CHECK_Q(item_of("1"), "{'Item':{'pk':{'S':'1'},'v':{'N':'5'}}}");
    CHECK(!call_run_local(ddb_service(fx), "DeleteItem", STR("000000000000"), STR("us-east-1"),
                          str_c(q("{'TableName':'hhh','Key':{'pk':{'S':'1'}},"
                                  "'ConditionExpression':'attribute_exists(w)',"
                                  "'ReturnValuesOnConditionCheckFailure':'ALL_OLD'}")),
                          fx_arena, NULL, &err));
    CHECK_Q(err.members, "'Item':{'pk':{'S':'1'},'v':{'N':'5'}}");
    err = (struct aws_err){0};
    CHECK(!call_run_local(ddb_service(fx), "DeleteItem", STR("000000000000"), STR("us-east-1"),
                          str_c(q("{'TableName':'hhh','Key':{'pk':{'S':'none'}},"
                                  "'ConditionExpression':'attribute_exists(w)',"
                                  "'ReturnValuesOnConditionCheckFailure':'ALL_OLD'}")),
                          fx_arena, NULL, &err));
    CHECK_I64(err.members.n, 0); /* there is no item to show */
    CHECK_STR(del("hhh", key, ",'ConditionExpression':'v = :v'" VALUES("':v':{'N':'5.0'}")), "{}");
    CHECK_STR(item_of("1"), "{}");
    fx_close();
}

TEST(of_many_conditional_writers_one_wins)
{
    CHECK(open_tables());
    for (int round = 0; round < 50; round++) {
        int won = 0;
        for (int writer = 0; writer < 20; writer++) {
            struct str reply = put("hhh", FX("{'pk':{'S':'r%d'},'w':{'N':'%d'}}", round, writer),
                                   ",'ConditionExpression':'attribute_not_exists(pk)'");
            won += str_eq_c(reply, "{}");
            if (won == 1 && str_eq_c(reply, "{}"))
                CHECK_I64(writer, 0);
        }
        CHECK_I64(won, 1);
    }
    fx_close();
}

TEST(errors_come_in_awss_order)
{
    CHECK(open_tables());
    /* values before expressions, expressions before the table, the table before its keys */
    CHECK_STR(put("none", "{'pk':{'N':'x'}}", ",'ConditionExpression':'!!!'"),
              "ValidationException: 1 validation error detected: The parameter cannot be converted "
              "to a numeric value: x");
    CHECK_STR(put("none", "{'pk':{'N':'1'}}",
                  ",'ConditionExpression':'attribute_exists(a)'"
                  ",'ExpressionAttributeNames':{'#a':'a'}"),
              "ValidationException: 1 validation error detected: Value provided in "
              "ExpressionAttributeNames unused in expressions: keys: {#a}");
    CHECK_STR(put("none", "{'pk':{'N':'1'}}", ",'ConditionExpression':'attribute_exists(a)'"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(put("hhh", "{'pk':{'N':'1'}}", ",'ConditionExpression':'attribute_exists(a)'"),
              INVALID "Type mismatch for key pk expected: S actual: N");
    CHECK_STR(
        put("hhh", "{'pk':{'S':'1'}}", ",'ReturnValues':'ALL_NEW','ConditionExpression':'!!!'"),
        "ValidationException: ReturnValues can only be ALL_OLD or NONE");
    fx_close();
}
