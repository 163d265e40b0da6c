/* links: puddle_dynamo */
#include "ddb_tables.h"

TEST(put_get_and_delete_an_item)
{
    CHECK(open_tables());
    CHECK_STR(get("hhh", "{\"pk\":{\"S\":\"1\"}}", ""), "{}");
    CHECK_STR(put("hhh", "{\"v\":{\"N\":\"01.50\"},\"pk\":{\"S\":\"1\"}}", ""), "{}");
    CHECK_STR(get("hhh", "{\"pk\":{\"S\":\"1\"}}", ""),
              "{\"Item\":{\"v\":{\"N\":\"1.5\"},\"pk\":{\"S\":\"1\"}}}");
    CHECK_STR(put("hhh", "{\"pk\":{\"S\":\"1\"}}", ",\"ReturnValues\":\"ALL_OLD\""),
              "{\"Attributes\":{\"v\":{\"N\":\"1.5\"},\"pk\":{\"S\":\"1\"}}}");
    CHECK_STR(put("hhh", "{\"pk\":{\"S\":\"2\"}}", ",\"ReturnValues\":\"ALL_OLD\""), "{}");
    CHECK_STR(del("hhh", "{\"pk\":{\"S\":\"1\"}}", ",\"ReturnValues\":\"ALL_OLD\""),
              "{\"Attributes\":{\"pk\":{\"S\":\"1\"}}}");
    CHECK_STR(del("hhh", "{\"pk\":{\"S\":\"1\"}}", ",\"ReturnValues\":\"ALL_OLD\""), "{}");
    CHECK_STR(get("hhh", "{\"pk\":{\"S\":\"1\"}}", ",\"ConsistentRead\":true"), "{}");
    CHECK_STR(get("hhh", "{\"pk\":{\"S\":\"2\"}}", ""), "{\"Item\":{\"pk\":{\"S\":\"2\"}}}");
    struct str d = fx_call("DescribeTable", "{\"TableName\":\"hhh\"}");
    CHECK_STR(fx_get(d, "Table/ItemCount"), "1");
    CHECK_STR(fx_get(d, "Table/TableSizeBytes"), "3");
    fx_close();
}

TEST(equal_numbers_are_one_key_and_different_sort_keys_are_not)
{
    CHECK(open_tables());
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1000\"},\"v\":{\"S\":\"x\"}}", ""),
              "{}");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1e3\"},\"v\":{\"S\":\"y\"}}", ""),
              "{}");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"-1\"}}", ""), "{}");
    CHECK_STR(get("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1000.0\"}}", ""),
              "{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1000\"},\"v\":{\"S\":\"y\"}}}");
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"rrr\"}"), "Table/ItemCount"), "2");
    CHECK_STR(put("bbb", "{\"pk\":{\"B\":\"AAH/\"}}", ""), "{}");
    CHECK_STR(get("bbb", "{\"pk\":{\"B\":\"AAH/\"}}", ""), "{\"Item\":{\"pk\":{\"B\":\"AAH/\"}}}");
    fx_close();
}

TEST(unknown_table_is_reported_after_the_values)
{
    CHECK(open_tables());
    const char *missing = "ResourceNotFoundException: Requested resource not found";
    CHECK_STR(put("nope", "{\"pk\":{\"S\":\"1\"}}", ""), missing);
    CHECK_STR(get("nope", "{\"pk\":{\"S\":\"1\"}}", ""), missing);
    CHECK_STR(del("nope", "{\"pk\":{\"S\":\"1\"}}", ""), missing);
    CHECK_STR(put("nope", "{\"pk\":{\"N\":\"x\"}}", ""),
              "ValidationException: 1 validation error detected: The parameter cannot be converted "
              "to a numeric value: x");
    CHECK_STR(del("nope", "{\"pk\":{\"N\":\"x\"}}", ""),
              "ValidationException: 1 validation error detected: The parameter cannot be converted "
              "to a numeric value: x");
    CHECK_STR(get("nope", "{\"pk\":{\"N\":\"x\"}}", ""),
              "ValidationException: The parameter cannot be converted to a numeric value: x");
    CHECK_STR(put("nope", "{}", ",\"ReturnValues\":\"ALL_NEW\""),
              "ValidationException: ReturnValues can only be ALL_OLD or NONE");
    CHECK_STR(put("nope", FX("{\"pk\":{\"S\":\"%s\"}}", fx_repeat('x', 409599)), ""),
              "ValidationException: Item size has exceeded the maximum allowed size");
    fx_close();
}

TEST(keys_of_items_must_be_there_with_the_right_type)
{
    CHECK(open_tables());
    CHECK_STR(put("rrr", "{\"sk\":{\"N\":\"1\"}}", ""), INVALID "Missing the key pk in the item");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"1\"}}", ""), INVALID "Missing the key sk in the item");
    CHECK_STR(put("hhh", "{\"pk\":{\"N\":\"1\"}}", ""),
              INVALID "Type mismatch for key pk expected: S actual: N");
    CHECK_STR(put("hhh", "{\"pk\":{\"M\":{}}}", ""),
              INVALID "Type mismatch for key pk expected: S actual: M");
    CHECK_STR(put("hhh", "{\"pk\":{\"S\":\"\"}}", ""),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty string "
                        "value. Key: pk");
    CHECK_STR(put("bbb", "{\"pk\":{\"B\":\"\"}}", ""),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty binary "
                        "value. Key: pk");
    CHECK_STR(get("hhh", "{\"pk\":{\"S\":\"\"}}", ""),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty string "
                        "value. Key: pk");
    fx_close();
}

TEST(key_parameters_must_match_the_schema_exactly)
{
    static const char *const bad[] = {
        "{}",
        "{\"pk\":{\"S\":\"1\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"S\":\"1\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sx\":{\"N\":\"1\"}}",
        "{\"pk\":{\"S\":\"1\"},\"sk\":{\"N\":\"1\"},\"x\":{\"N\":\"1\"}}",
    };
    CHECK(open_tables());
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_STR(get("rrr", bad[i], ""),
                  "ValidationException: The provided key element does not match the schema");
        CHECK_STR(del("rrr", bad[i], ""),
                  "ValidationException: The provided key element does not match the schema");
    }
    fx_close();
}

TEST(keys_have_their_limits_on_writes_and_reads)
{
    CHECK(open_tables());
    const char *fits = FX("{\"pk\":{\"S\":\"%s\"}}", fx_repeat('k', 2048));
    const char *over = FX("{\"pk\":{\"S\":\"%s\"}}", fx_repeat('k', 2049));
    const char *hash_message =
        INVALID "Size of hashkey has exceeded the maximum size limit of2048 bytes";
    CHECK_STR(put("hhh", fits, ""), "{}");
    CHECK(str_starts(get("hhh", fits, ""), STR("{\"Item\"")));
    CHECK_STR(put("hhh", over, ""), hash_message);
    CHECK_STR(get("hhh", over, ""), hash_message);
    CHECK_STR(del("hhh", over, ""), hash_message);
    fx_call("CreateTable",
            "{\"TableName\":\"sss\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
            "{\"AttributeName\":\"a\",\"AttributeType\":\"S\"},{\"AttributeName\":\"b\","
            "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":"
            "\"HASH\"},{\"AttributeName\":\"b\",\"KeyType\":\"RANGE\"}]}");
    const char *format = "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"%s\"}}";
    CHECK_STR(put("sss", FX(format, fx_repeat('k', 1024)), ""), "{}");
    CHECK_STR(put("sss", FX(format, fx_repeat('k', 1025)), ""),
              INVALID "Aggregated size of all range keys has exceeded the size limit of 1024 "
                      "bytes");
    CHECK_STR(get("sss", FX(format, fx_repeat('k', 1025)), ""),
              INVALID "Aggregated size of all range keys has exceeded the size limit of 1024 "
                      "bytes");
    fx_close();
}

TEST(item_at_the_size_limit_is_stored_and_read_back)
{
    CHECK(open_tables());
    const char *format = "{\"pk\":{\"S\":\"k\"},\"v\":{\"S\":\"%s\"}}";
    const char *fits = FX(format, fx_repeat('x', 409600 - 4));
    CHECK_STR(put("hhh", fits, ""), "{}");
    CHECK_STR(put("hhh", FX(format, fx_repeat('x', 409600 - 3)), ""),
              "ValidationException: Item size has exceeded the maximum allowed size");
    CHECK_STR(fx_get(get("hhh", "{\"pk\":{\"S\":\"k\"}}", ""), "Item"), fits);
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"hhh\"}"), "Table/TableSizeBytes"),
              "409600");
    fx_close();
}

TEST(index_keys_of_a_wrong_type_are_refused)
{
    CHECK(open_tables());
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"},\"g\":{\"S\":\"1\"}}", ""),
              INVALID "Type mismatch for Index Key g Expected: N Actual: S IndexName: gsi");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"},\"l\":{\"BOOL\":true}}", ""),
              INVALID "Type mismatch for Index Key l Expected: S Actual: BOOL IndexName: lsi");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"},\"l\":{\"S\":\"\"}}", ""),
              NOT_VALID "A value specified for a secondary index key is not supported. The "
                        "AttributeValue for a key attribute cannot contain an empty string value. "
                        "IndexName: lsi, IndexKey: l");
    CHECK_STR(get("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}", ""), "{}");
    CHECK_STR(put("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}", ""), "{}"); /* sparse */
    fx_close();
}

TEST(older_and_newer_parameters_are_not_mixed)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'}}";
#define MIXED(older, newer)                                                                        \
    "ValidationException: Can not use both expression and non-expression parameters in the same "  \
    "request: Non-expression parameters: {" older "} Expression parameters: {" newer "}"
    CHECK_STR(put("hhh", key,
                  ",'Expected':{'a':{'Exists':false}},'ConditionalOperator':'OR',"
                  "'ConditionExpression':'a = b'"),
              MIXED("Expected, ConditionalOperator", "ConditionExpression"));
    CHECK_STR(del("hhh", key, ",'ConditionalOperator':'AND','ConditionExpression':''"),
              MIXED("ConditionalOperator", "ConditionExpression"));
    CHECK_STR(get("hhh", key, ",'AttributesToGet':['a'],'ProjectionExpression':'a'"),
              MIXED("AttributesToGet", "ProjectionExpression"));
    CHECK_STR(update("hhh", key,
                     ",'ConditionExpression':'a','AttributeUpdates':{},'UpdateExpression':'a',"
                     "'Expected':{},'ConditionalOperator':'OR'"),
              MIXED("AttributeUpdates, Expected, ConditionalOperator",
                    "UpdateExpression, ConditionExpression"));
    CHECK_STR(update("none", key, ",'ConditionExpression':'a','AttributeUpdates':{}"),
              MIXED("AttributeUpdates", "ConditionExpression"));
    fx_close();
}

TEST(conditional_operator_needs_two_conditions)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'}}";
    const char *without =
        "ValidationException: ConditionalOperator cannot be used without Filter or Expected";
    CHECK_STR(put("hhh", key, ",'ConditionalOperator':'AND'"), without);
    CHECK_STR(put("hhh", key, ",'ConditionalOperator':'AND','Expected':{}"), without);
    CHECK_STR(update("hhh", key,
                     ",'ConditionalOperator':'AND','AttributeUpdates':{'a':{'Value':{'S':'b'}}}"),
              without);
    CHECK_STR(del("hhh", key, ",'ConditionalOperator':'OR','Expected':{'a':{'Exists':false}}"),
              "ValidationException: ConditionalOperator can only be used when Filter or Expected "
              "has two or more elements");
    fx_close();
}

TEST(names_and_values_come_with_an_expression)
{
    CHECK(open_tables());
    const char *key = "{'pk':{'S':'1'}}", *names = ",'ExpressionAttributeNames':{'#a':'b'}",
               *values = ",'ExpressionAttributeValues':{':a':{'S':'b'}}";
    CHECK_STR(get("hhh", key, names),
              "ValidationException: ExpressionAttributeNames can only be specified when using "
              "expressions");
    CHECK_STR(
        put("hhh", key, values),
        "ValidationException: 1 validation error detected: ExpressionAttributeValues can only "
        "be specified when using expressions");
    CHECK_STR(
        update("hhh", key, values),
        "ValidationException: 1 validation error detected: ExpressionAttributeValues can only "
        "be specified when using expressions");
    CHECK_STR(get("hhh", key, values), "{}"); /* GetItem has no such member */
    CHECK_STR(put("hhh", key, ",'UpdateExpression':'junk','AttributesToGet':['a']"), "{}");
    CHECK_Q(get("hhh", key, ",'ConditionExpression':'junk'"), "{'Item':{'pk':{'S':'1'}}}");
    fx_close();
}

#define TOTAL   ",\"ReturnConsumedCapacity\":\"TOTAL\""
#define INDEXES ",\"ReturnConsumedCapacity\":\"INDEXES\""

TEST(capacity_is_rounded_up_per_item)
{
    CHECK(open_tables());
    const char *key = "{\"pk\":{\"S\":\"k\"}}";
    CHECK_STR(fx_get(get("hhh", key, TOTAL), "ConsumedCapacity"),
              "{\"TableName\":\"hhh\",\"CapacityUnits\":0.5}");
    CHECK_STR(fx_get(get("hhh", key, TOTAL ",\"ConsistentRead\":true"), "ConsumedCapacity"),
              "{\"TableName\":\"hhh\",\"CapacityUnits\":1}");
    CHECK_STR(fx_get(del("hhh", key, INDEXES), "ConsumedCapacity"),
              "{\"TableName\":\"hhh\",\"CapacityUnits\":1,\"Table\":{\"CapacityUnits\":1}}");
    const char *format = "{\"pk\":{\"S\":\"k\"},\"v\":{\"S\":\"%s\"}}";
    CHECK_STR(fx_get(put("hhh", FX(format, fx_repeat('x', 4096 - 4)), TOTAL),
                     "ConsumedCapacity/CapacityUnits"),
              "4");
    CHECK_STR(
        fx_get(get("hhh", key, TOTAL ",\"ConsistentRead\":true"), "ConsumedCapacity/CapacityUnits"),
        "1");
    CHECK_STR(fx_get(put("hhh", FX(format, fx_repeat('x', 4096 - 3)), TOTAL),
                     "ConsumedCapacity/CapacityUnits"),
              "5");
    CHECK_STR(fx_get(get("hhh", key, TOTAL), "ConsumedCapacity/CapacityUnits"), "1");
    CHECK_STR(fx_get(put("hhh", key, TOTAL), "ConsumedCapacity/CapacityUnits"), "5"); /* old */
    CHECK_STR(fx_get(put("hhh", key, ""), "ConsumedCapacity"), "(missing)");
    fx_close();
}

static struct str index_cost(const char *more)
{
    return fx_get(put("rrr", FX("{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}%s}", more), INDEXES),
                  "ConsumedCapacity");
}

TEST(index_writes_are_billed_by_what_changed)
{
    CHECK(open_tables());
    CHECK_STR(index_cost(""),
              "{\"TableName\":\"rrr\",\"CapacityUnits\":1,\"Table\":{\"CapacityUnits\":1}}");
    CHECK_STR(index_cost(",\"g\":{\"N\":\"1\"},\"l\":{\"S\":\"q\"}"), /* new entries */
              "{\"TableName\":\"rrr\",\"CapacityUnits\":3,\"Table\":{\"CapacityUnits\":1},"
              "\"LocalSecondaryIndexes\":{\"lsi\":{\"CapacityUnits\":1}},"
              "\"GlobalSecondaryIndexes\":{\"gsi\":{\"CapacityUnits\":1}}}");
    CHECK_STR(index_cost(",\"g\":{\"N\":\"1.0\"},\"l\":{\"S\":\"q\"}"), /* nothing changed */
              "{\"TableName\":\"rrr\",\"CapacityUnits\":1,\"Table\":{\"CapacityUnits\":1}}");
    CHECK_STR(index_cost(",\"g\":{\"N\":\"2\"},\"l\":{\"S\":\"q\"},\"x\":{\"S\":\"p\"}"),
              "{\"TableName\":\"rrr\",\"CapacityUnits\":4,\"Table\":{\"CapacityUnits\":1},"
              "\"LocalSecondaryIndexes\":{\"lsi\":{\"CapacityUnits\":1}},"
              "\"GlobalSecondaryIndexes\":{\"gsi\":{\"CapacityUnits\":2}}}");
    CHECK_STR(index_cost(",\"g\":{\"N\":\"2\"},\"l\":{\"S\":\"q\"},\"x\":{\"S\":\"p\"},"
                         "\"y\":{\"S\":\"not projected\"}"),
              "{\"TableName\":\"rrr\",\"CapacityUnits\":1,\"Table\":{\"CapacityUnits\":1}}");
    CHECK_STR(fx_get(del("rrr", "{\"pk\":{\"S\":\"a\"},\"sk\":{\"N\":\"1\"}}", INDEXES),
                     "ConsumedCapacity/CapacityUnits"),
              "3");
    fx_close();
}

TEST(collection_metrics_are_given_for_tables_with_a_local_index)
{
    CHECK(open_tables());
    CHECK_STR(put("rrr", "{\"sk\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}",
                  ",\"ReturnItemCollectionMetrics\":\"SIZE\""),
              "{\"ItemCollectionMetrics\":{\"ItemCollectionKey\":{\"pk\":{\"S\":\"a\"}},"
              "\"SizeEstimateRangeGB\":[0,1]}}");
    CHECK_STR(del("rrr", "{\"sk\":{\"N\":\"1\"},\"pk\":{\"S\":\"a\"}}",
                  ",\"ReturnItemCollectionMetrics\":\"SIZE\""),
              "{\"ItemCollectionMetrics\":{\"ItemCollectionKey\":{\"pk\":{\"S\":\"a\"}},"
              "\"SizeEstimateRangeGB\":[0,1]}}");
    CHECK_STR(put("hhh", "{\"pk\":{\"S\":\"a\"}}", ",\"ReturnItemCollectionMetrics\":\"SIZE\""),
              "{}");
    fx_close();
}
