/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_tables.h"

/* "ppp": 1 read and 1 write unit a second, a GSI on g with 1 write unit. */
static bool open_provisioned(void)
{
    clock_fake_set(1700000000000, 1000000);
    if (!open_tables())
        return false;
    ddb_throttle(fx);
    call_q("CreateTable",
           "{'TableName':'ppp','AttributeDefinitions':[{'AttributeName':'pk','AttributeType':'S'},"
           "{'AttributeName':'g','AttributeType':'S'}],"
           "'KeySchema':[{'AttributeName':'pk','KeyType':'HASH'}],"
           "'ProvisionedThroughput':{'ReadCapacityUnits':1,'WriteCapacityUnits':2},"
           "'GlobalSecondaryIndexes':[{'IndexName':'gsi','KeySchema':[{'AttributeName':'g',"
           "'KeyType':'HASH'}],'Projection':{'ProjectionType':'KEYS_ONLY'},"
           "'ProvisionedThroughput':{'ReadCapacityUnits':1,'WriteCapacityUnits':1}}]}");
    return ddb_table_count(fx) == 4;
}

static void close_all(void)
{
    fx_close();
    clock_fake_off();
}

#define EXCEEDED                                                                                   \
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput for "

static int writes_until_refused(const char *more)
{
    for (int i = 0; i < 2000; i++) {
        struct str reply = put("ppp", FX("{'pk':{'S':'w%d'}%s}", i, more), "");
        if (!str_eq_c(reply, "{}"))
            return i;
    }
    return -1;
}

TEST(five_minutes_of_unused_writes_are_a_burst)
{
    CHECK(open_provisioned());
    CHECK_I64(writes_until_refused(""), 600);
    CHECK_STR(put("ppp", "{'pk':{'S':'x'}}", ""),
              EXCEEDED "the table was exceeded. Consider increasing your provisioning level with "
                       "the UpdateTable API.");
    CHECK_STR(get("ppp", "{'pk':{'S':'x'}}", ""), "{}"); /* reads have their own units */
    CHECK_STR(put("hhh", "{'pk':{'S':'x'}}", ""), "{}"); /* on demand */
    clock_fake_advance_ms(1000);
    CHECK_I64(writes_until_refused(""), 2);
    clock_fake_advance_ms(3600 * 1000);
    CHECK_I64(writes_until_refused(""), 600); /* no more than five minutes are kept */
    close_all();
}

TEST(reads_are_refused_and_charged_by_size)
{
    CHECK(open_provisioned());
    put("ppp", FX("{'pk':{'S':'big'},'v':{'S':'%s'}}", fx_repeat('x', 40000)), "");
    int reads = 0;
    while (
        !str_starts(get("ppp", "{'pk':{'S':'big'}}", ",'ConsistentRead':true"), STR("Provisioned")))
        reads++;
    CHECK_I64(reads, 30); /* 10 units each */
    CHECK(str_starts(call_q("BatchGetItem", "{'RequestItems':{'ppp':{'Keys':[{'pk':{'S':'a'}}]}}}"),
                     STR(EXCEEDED)));
    CHECK_Q(fx_get(call_q("BatchGetItem", "{'RequestItems':{'ppp':{'Keys':[{'pk':{'S':'a'}}]},"
                                          "'hhh':{'Keys':[{'pk':{'S':'a'}}]}}}"),
                   "UnprocessedKeys"),
            "{'ppp':{'Keys':[{'pk':{'S':'a'}}]}}");
    CHECK(str_starts(call_q("TransactGetItems",
                            "{'TransactItems':[{'Get':{'TableName':'hhh','Key':{'pk':{'S':'a'}}}},"
                            "{'Get':{'TableName':'ppp','Key':{'pk':{'S':'a'}}}}]}"),
                     STR("TransactionCanceledException: Transaction cancelled, please refer "
                         "cancellation reasons for specific reasons [None, "
                         "ProvisionedThroughputExceeded]")));
    close_all();
}

TEST(a_global_index_without_units_holds_back_its_table)
{
    CHECK(open_provisioned());
    CHECK_I64(writes_until_refused(",'g':{'S':'a'}"), 300);
    CHECK_STR(put("ppp", "{'pk':{'S':'x'},'g':{'S':'a'}}", ""),
              EXCEEDED "one or more global secondary indexes of the table was exceeded. Consider "
                       "increasing your provisioning level for the under-provisioned global "
                       "secondary indexes with the UpdateTable API");
    CHECK_STR(put("ppp", "{'pk':{'S':'x'}}", ""), "{}"); /* not in the index */
    close_all();
}

TEST(throttled_batch_writes_are_left_or_refused)
{
    CHECK(open_provisioned());
    writes_until_refused("");
    CHECK(str_starts(call_q("BatchWriteItem", "{'RequestItems':{'ppp':[{'DeleteRequest':{'Key':"
                                              "{'pk':{'S':'w1'}}}}]}}"),
                     STR(EXCEEDED)));
    CHECK_Q(call_q("BatchWriteItem",
                   "{'RequestItems':{'hhh':[{'PutRequest':{'Item':{'pk':{'S':'a'}}}}],'ppp':["
                   "{'DeleteRequest':{'Key':{'pk':{'S':'w1'}}}},"
                   "{'PutRequest':{'Item':{'pk':{'S':'n'},'v':{'N':'1.0'}}}}]}}"),
            "{'UnprocessedItems':{'ppp':[{'DeleteRequest':{'Key':{'pk':{'S':'w1'}}}},"
            "{'PutRequest':{'Item':{'pk':{'S':'n'},'v':{'N':'1.0'}}}}]}}");
    CHECK_STR(get("ppp", "{'pk':{'S':'n'}}", ""), "{}");
    close_all();
}

TEST(nothing_is_throttled_without_the_option)
{
    clock_fake_set(1700000000000, 1000000);
    CHECK(open_tables());
    call_q("CreateTable",
           "{'TableName':'ppp','AttributeDefinitions':[{'AttributeName':'pk','AttributeType':'S'}],"
           "'KeySchema':[{'AttributeName':'pk','KeyType':'HASH'}],"
           "'ProvisionedThroughput':{'ReadCapacityUnits':1,'WriteCapacityUnits':1}}");
    CHECK_I64(writes_until_refused(""), -1);
    close_all();
}
