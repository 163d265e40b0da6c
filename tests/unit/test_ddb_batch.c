/* links: puddle_dynamo */
#include "ddb_tables.h"

static struct str batch_get(const char *request_items)
{
    return call_q("BatchGetItem", FX("{'RequestItems':%s}", request_items));
}

static struct str batch_write(const char *request_items, const char *more)
{
    return call_q("BatchWriteItem", FX("{'RequestItems':%s%s}", request_items, more));
}

/* n requests of the format, which has one %d. */
static const char *many(const char *format, int n)
{
    struct buf *b = arena_new_buf(fx_arena, 64 << 20);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(b, ',');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_addf(b, format, i);
#pragma GCC diagnostic pop
    }
    return arena_buf(fx_arena, b).p;
}

TEST(batch_write_puts_and_deletes_in_several_tables)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'old'}}", "");
    CHECK_Q(batch_write("{'hhh':[{'PutRequest':{'Item':{'pk':{'S':'new'},'v':{'N':'01'}}}},"
                        "{'DeleteRequest':{'Key':{'pk':{'S':'old'}}}}],"
                        "'bbb':[{'PutRequest':{'Item':{'pk':{'B':'AAE='}}}}]}",
                        ",'ReturnConsumedCapacity':'TOTAL'"),
            "{'UnprocessedItems':{},'ConsumedCapacity':[{'TableName':'hhh','CapacityUnits':2},"
            "{'TableName':'bbb','CapacityUnits':1}]}");
    CHECK_STR(get("hhh", "{'pk':{'S':'old'}}", ""), "{}");
    CHECK_Q(get("hhh", "{'pk':{'S':'new'}}", ""), "{'Item':{'pk':{'S':'new'},'v':{'N':'1'}}}");
    CHECK_Q(get("bbb", "{'pk':{'B':'AAE='}}", ""), "{'Item':{'pk':{'B':'AAE='}}}");
    fx_close();
}

TEST(batch_write_bills_indexes_and_counts_collections)
{
    CHECK(open_tables());
    CHECK_Q(batch_write("{'rrr':[{'PutRequest':{'Item':{'pk':{'S':'a'},'sk':{'N':'1'},"
                        "'g':{'N':'7'}}}},{'PutRequest':{'Item':{'pk':{'S':'a'},'sk':{'N':'2'}}}},"
                        "{'DeleteRequest':{'Key':{'pk':{'S':'b'},'sk':{'N':'1'}}}}]}",
                        ",'ReturnConsumedCapacity':'INDEXES','ReturnItemCollectionMetrics':'SIZE'"),
            "{'UnprocessedItems':{},'ItemCollectionMetrics':{'rrr':["
            "{'ItemCollectionKey':{'pk':{'S':'a'}},'SizeEstimateRangeGB':[0,1]},"
            "{'ItemCollectionKey':{'pk':{'S':'b'}},'SizeEstimateRangeGB':[0,1]}]},"
            "'ConsumedCapacity':[{'TableName':'rrr','CapacityUnits':4,'Table':{'CapacityUnits':3},"
            "'GlobalSecondaryIndexes':{'gsi':{'CapacityUnits':1}}}]}");
    fx_close();
}

TEST(malformed_batch_writes_change_nothing)
{
    CHECK(open_tables());
    const char *schema = "ValidationException: The provided key element does not match the schema";
    const char *one =
        "ValidationException: Supplied AttributeValue has more than one datatypes set, must "
        "contain exactly one of the supported datatypes";
#define GOOD "{'PutRequest':{'Item':{'pk':{'S':'good'}}}}"
    CHECK_STR(batch_write("{}", ""),
              "ValidationException: The requestItems parameter is required for BatchWriteItem");
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{}]}", ""), one);
    CHECK_STR(
        batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{}},'DeleteRequest':{'Key':{}}}]}", ""),
        one);
    CHECK_STR(batch_write("{'hhh':[" GOOD "],'none':[" GOOD "]}", ""),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{'pk':{'N':'5'}}}}]}", ""),
              schema);
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{'x':{'N':'5'}}}}]}", ""),
              schema);
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'DeleteRequest':{'Key':{'pk':{'S':'x'},"
                          "'y':{'S':'z'}}}}]}",
                          ""),
              schema);
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{'pk':{'S':''}}}}]}", ""),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty string "
                        "value. Key: pk");
    CHECK_STR(batch_write("{'rrr':[{'PutRequest':{'Item':{'pk':{'S':'a'},'sk':{'N':'1'},"
                          "'l':{'N':'5'}}}}]}",
                          ""),
              INVALID "Type mismatch for Index Key l Expected: S Actual: N IndexName: lsi");
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{'pk':{'S':'x'},"
                          "'v':{'N':'b'}}}}]}",
                          ""),
              "ValidationException: The parameter cannot be converted to a numeric value: b");
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'PutRequest':{'Item':{'pk':{'S':'x'},"
                          "'v':{'N':''}}}}]}",
                          ""),
              "ValidationException: The parameter cannot be converted to a numeric value");
    CHECK_STR(get("hhh", "{'pk':{'S':'good'}}", ""), "{}");
    fx_close();
}

TEST(null_is_no_list_of_requests)
{
    CHECK(open_tables());
    CHECK_STR(batch_write("{'hhh':null}", ""),
              "ValidationException: The requestItems parameter is required for BatchWriteItem");
    CHECK_STR(batch_get("{'hhh':null}"),
              "ValidationException: 1 validation error detected: Value null at "
              "'requestItems.hhh.member.keys' failed to satisfy constraint: Member must not be "
              "null");
    CHECK_Q(batch_write("{'bbb':null,'hhh':[" GOOD "]}", ""), "{'UnprocessedItems':{}}");
    fx_close();
}

TEST(batch_write_takes_an_item_only_once)
{
    CHECK(open_tables());
    const char *twice = "ValidationException: Provided list of item keys contains duplicates";
    CHECK_STR(batch_write("{'hhh':[" GOOD ",{'DeleteRequest':{'Key':{'pk':{'S':'good'}}}}]}", ""),
              twice);
    CHECK_STR(batch_write("{'rrr':[{'PutRequest':{'Item':{'pk':{'S':'a'},'sk':{'N':'1'}}}},"
                          "{'PutRequest':{'Item':{'pk':{'S':'a'},'sk':{'N':'1.0'}}}}]}",
                          ""),
              twice);
    CHECK_STR(batch_write("{'hhh':[" GOOD
                          "],'arn:aws:dynamodb:us-east-1:000000000000:table/hhh':[" GOOD "]}",
                          ""),
              twice); /* one table under two names */
    CHECK_Q(
        batch_write("{'hhh':[{'PutRequest':{'Item':{'pk':{'S':'gone'}}}}],'hhh':[" GOOD "]}", ""),
        "{'UnprocessedItems':{}}"); /* the last of a name counts */
    CHECK_STR(get("hhh", "{'pk':{'S':'gone'}}", ""), "{}");
    fx_close();
}

TEST(batch_write_takes_25_requests_and_not_26)
{
    CHECK(open_tables());
    const char *format = "{'PutRequest':{'Item':{'pk':{'S':'i%d'}}}}";
    CHECK_Q(batch_write(FX("{'hhh':[%s]}", many(format, 25)), ""), "{'UnprocessedItems':{}}");
    CHECK_STR(fx_get(call_q("DescribeTable", "{'TableName':'hhh'}"), "Table/ItemCount"), "25");
    struct str past = batch_write(FX("{'hhh':[%s]}", many(format, 26)), "");
    CHECK(str_ends(past, STR("Map value must satisfy constraint: [Member must have length less "
                             "than or equal to 25, Member must have length greater than or equal "
                             "to 1]")));
    CHECK_STR(batch_write(FX("{'hhh':[%s],'bbb':[%s]}", many(format, 25),
                             "{'PutRequest':{'Item':{'pk':{'B':'AA=='}}}}"),
                          ""),
              "ValidationException: Too many items requested for the BatchWriteItem call");
    fx_close();
}

TEST(batch_write_holds_items_to_400_kb)
{
    CHECK(open_tables());
    const char *format = "{'hhh':[{'PutRequest':{'Item':{'pk':{'S':'k'},'v':{'S':'%s'}}}}]}";
    CHECK_Q(batch_write(FX(format, fx_repeat('x', 409600 - 4)), ""), "{'UnprocessedItems':{}}");
    CHECK_STR(batch_write(FX(format, fx_repeat('x', 409600 - 3)), ""),
              "ValidationException: Item size has exceeded the maximum allowed size");
    fx_close();
}

TEST(batch_get_reads_from_several_tables)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'1'},'v':{'S':'one'},'w':{'S':'x'}}", "");
    put("rrr", "{'pk':{'S':'1'},'sk':{'N':'2'}}", "");
    CHECK_Q(call_q("BatchGetItem",
                   "{'ReturnConsumedCapacity':'TOTAL','RequestItems':{"
                   "'hhh':{'Keys':[{'pk':{'S':'1'}},{'pk':{'S':'none'}}],'ConsistentRead':true},"
                   "'rrr':{'Keys':[{'sk':{'N':'2.0'},'pk':{'S':'1'}}]},"
                   "'bbb':{'Keys':[{'pk':{'B':'AA=='}}]}}}"),
            "{'Responses':{'hhh':[{'pk':{'S':'1'},'v':{'S':'one'},'w':{'S':'x'}}],"
            "'rrr':[{'pk':{'S':'1'},'sk':{'N':'2'}}],'bbb':[]},'UnprocessedKeys':{},"
            "'ConsumedCapacity':[{'TableName':'hhh','CapacityUnits':2},"
            "{'TableName':'rrr','CapacityUnits':0.5},{'TableName':'bbb','CapacityUnits':0.5}]}");
    fx_close();
}

TEST(batch_get_projects_by_table)
{
    CHECK(open_tables());
    put("hhh", "{'pk':{'S':'1'},'v':{'S':'one'},'w':{'S':'x'}}", "");
    put("rrr", "{'pk':{'S':'1'},'sk':{'N':'2'},'v':{'L':[{'S':'a'},{'S':'b'}]}}", "");
    CHECK_Q(fx_get(batch_get("{'hhh':{'Keys':[{'pk':{'S':'1'}}],'ProjectionExpression':'#v',"
                             "'ExpressionAttributeNames':{'#v':'v'}},"
                             "'rrr':{'Keys':[{'pk':{'S':'1'},'sk':{'N':'2'}}],"
                             "'ProjectionExpression':'v[1]'}}"),
                   "Responses"),
            "{'hhh':[{'v':{'S':'one'}}],'rrr':[{'v':{'L':[{'S':'b'}]}}]}");
    CHECK_Q(fx_get(batch_get("{'hhh':{'Keys':[{'pk':{'S':'1'}}],'AttributesToGet':['w']}}"),
                   "Responses"),
            "{'hhh':[{'w':{'S':'x'}}]}");
    fx_close();
}

TEST(malformed_batch_gets)
{
    CHECK(open_tables());
    const char *mixed =
        "ValidationException: Can not use both expression and non-expression parameters in the "
        "same request: Non-expression parameters: {AttributesToGet} Expression parameters: "
        "{ProjectionExpression}";
    const char *twice = "ValidationException: Provided list of item keys contains duplicates";
#define KEY "'Keys':[{'pk':{'S':'1'}}]"
    CHECK_STR(batch_get("{'hhh':{" KEY ",'AttributesToGet':['a'],'ProjectionExpression':'a'}}"),
              mixed);
    CHECK_STR(batch_get("{'hhh':{" KEY ",'ProjectionExpression':'a'},"
                        "'bbb':{" KEY ",'AttributesToGet':['a']}}"),
              mixed);
    CHECK_STR(batch_get("{'hhh':{" KEY ",'ExpressionAttributeNames':{'#a':'a'}}}"),
              "ValidationException: ExpressionAttributeNames can only be specified when using "
              "expressions");
    CHECK_STR(batch_get("{'hhh':{'Keys':[{'pk':{'S':'1'}},{'pk':{'S':'1'}}]}}"), twice);
    CHECK_STR(batch_get("{'none':{'Keys':[{'b':{'S':'1'},'a':{'N':'1'}},"
                        "{'a':{'N':'1'},'b':{'S':'1'}}]}}"),
              twice); /* before the table is looked for */
    CHECK_STR(batch_get("{'none':{" KEY "}}"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(batch_get("{'hhh':{'Keys':[{'pk':{'N':'1'}}]}}"),
              "ValidationException: The provided key element does not match the schema");
    CHECK_STR(batch_get("{'bbb':{'Keys':[{'pk':{'B':''}}]}}"),
              NOT_VALID "The AttributeValue for a key attribute cannot contain an empty binary "
                        "value. Key: pk");
    CHECK_STR(batch_get("{'hhh':{'Keys':[{'pk':{'N':'x'}}]}}"),
              "ValidationException: The parameter cannot be converted to a numeric value: x");
    fx_close();
}

TEST(batch_get_takes_equal_numbers_for_two_keys)
{
    CHECK(open_tables());
    put("rrr", "{'pk':{'S':'a'},'sk':{'N':'1'}}", "");
    CHECK_Q(fx_get(batch_get("{'rrr':{'Keys':[{'pk':{'S':'a'},'sk':{'N':'1'}},"
                             "{'pk':{'S':'a'},'sk':{'N':'1.0'}}]}}"),
                   "Responses/rrr"),
            "[{'pk':{'S':'a'},'sk':{'N':'1'}},{'pk':{'S':'a'},'sk':{'N':'1'}}]");
    fx_close();
}

TEST(batch_get_takes_100_keys_and_not_101)
{
    CHECK(open_tables());
    const char *format = "{'pk':{'S':'i%d'}}";
    CHECK_Q(batch_get(FX("{'hhh':{'Keys':[%s]}}", many(format, 100))),
            "{'Responses':{'hhh':[]},'UnprocessedKeys':{}}");
    CHECK_STR(batch_get(FX("{'hhh':{'Keys':[%s]}}", many(format, 101))),
              "ValidationException: 1 validation error detected: Value at "
              "'RequestItems.hhh.member.Keys' failed to satisfy constraint: Member must have "
              "length less than or equal to 100");
    CHECK_STR(batch_get(FX("{'hhh':{'Keys':[%s]},'bbb':{" KEY "}}", many(format, 100))),
              "ValidationException: Too many items requested for the BatchGetItem call");
    fx_close();
}

TEST(batch_get_leaves_what_is_beyond_16_mb_for_the_next_request)
{
    CHECK(open_tables());
    const char *value = fx_repeat('x', 400000);
    for (int i = 0; i < 45; i++)
        put("hhh", FX("{'pk':{'S':'i%d'},'v':{'S':'%s'}}", i, value), "");
    struct str reply =
        batch_get(FX("{'hhh':{'ConsistentRead':true,'ProjectionExpression':'pk','Keys':[%s]},"
                     "'bbb':{'Keys':[{'pk':{'B':'AA=='}}]}}",
                     many("{'pk':{'S':'i%d'}}", 45)));
    struct jval v;
    CHECK(json_parse(fx_arena, reply, JSON_DEPTH_DEFAULT, &v, NULL));
    size_t got = jval_count(jval_get(jval_get(v, "Responses"), "hhh"));
    struct jval left = jval_get(jval_get(v, "UnprocessedKeys"), "hhh");
    CHECK_I64(got, (16 << 20) / 400006); /* counted before the projection */
    CHECK_I64(jval_count(jval_get(left, "Keys")), 45 - got);
    CHECK_Q(jval_raw(jval_get(left, "ProjectionExpression")), "'pk'");
    CHECK_STR(jval_raw(jval_get(left, "ConsistentRead")), "true");
    CHECK_Q(jval_raw(jval_get(jval_get(v, "UnprocessedKeys"), "bbb")),
            "{'Keys':[{'pk':{'B':'AA=='}}]}");
    struct str rest = batch_get(FX("%.*s", STR_ARG(jval_raw(jval_get(v, "UnprocessedKeys")))));
    CHECK_STR(fx_get(rest, "UnprocessedKeys"), "{}");
    fx_close();
}
