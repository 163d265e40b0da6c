/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"

#define VE      "ValidationException: "
#define INVALID VE "One or more parameter values were invalid: "
#define UNITS(r, w)                                                                                \
    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":" #r ",\"WriteCapacityUnits\":" #w "}"
#define KEY_OF(name)     "\"KeySchema\":[{\"AttributeName\":\"" name "\",\"KeyType\":\"HASH\"}]"
#define ATTR(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define ALL              "\"Projection\":{\"ProjectionType\":\"ALL\"}"
#define GSI(body)        "\"GlobalSecondaryIndexUpdates\":[" body "]"
#define CREATE_X         "{\"Create\":{\"IndexName\":\"xxx\"," KEY_OF("x") "," ALL "}}"
#define DEF_X            "\"AttributeDefinitions\":[" ATTR("x", "S") "]"

static struct str update(const char *members)
{
    return fx_call("UpdateTable", FX("{\"TableName\":\"abc\",%s}", members));
}

static struct str described(const char *path)
{
    return fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), FX("Table/%s", path));
}

static bool open_with(const char *members)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    if (!fx_open(NULL))
        return false;
    return str_starts(fx_call("CreateTable", FX("{\"TableName\":\"abc\",%s}", members)), STR("{"));
}

static void close_all(void)
{
    fx_close();
    clock_fake_off();
}

#define PROVISIONED "\"AttributeDefinitions\":[" ATTR("pk", "S") "]," KEY_OF("pk") "," UNITS(5, 5)
#define WITH_GSI(units)                                                                            \
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"xxx\"," KEY_OF("pk") "," ALL units "}]"

static const struct {
    const char *members, *want;
} refused_on_demand[] = {
    {"\"AttributeDefinitions\":[]",
     VE "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, "
        "ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, "
        "OnDemandThroughput, WarmThroughput or TableClass is required"},
    {"\"ReplicaUpdates\":[{\"Create\":{\"RegionName\":\"eu-west-1\"}}]",
     VE "Puddle does not support ReplicaUpdates"},
    {"\"SSESpecification\":{\"Enabled\":true},\"DeletionProtectionEnabled\":true",
     INVALID "Server-Side Encryption modification must be the only operation in the request"},
    {"\"TableClass\":\"STANDARD\",\"BillingMode\":\"PAY_PER_REQUEST\"",
     INVALID "TableClass modification must be the only operation in the request"},
    {"\"DeletionProtectionEnabled\":true,\"BillingMode\":\"PAY_PER_REQUEST\"",
     INVALID "DeletionProtection modification must be the only operation in the request"},
    {"\"WarmThroughput\":{\"ReadUnitsPerSecond\":20000},\"BillingMode\":\"PAY_PER_REQUEST\"",
     INVALID "WarmThroughput must be the only operation in the request"},
    {"\"WarmThroughput\":{\"ReadUnitsPerSecond\":20000}," DEF_X "," GSI(CREATE_X),
     INVALID "Create global secondary index cannot be specified when updating WarmThroughput"},
    {"\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5},\"StreamSpecification\":{"
     "\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}",
     INVALID "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"},
    {UNITS(1, 1) ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
                 "\"KEYS_ONLY\"}",
     INVALID "You cannot modify stream status while updating table IOPS"},
    {UNITS(1, 1) "," DEF_X "," GSI(CREATE_X),
     INVALID "You cannot create or delete index while updating table IOPS"},
    {DEF_X "," GSI(CREATE_X) ",\"StreamSpecification\":{\"StreamEnabled\":true,"
                             "\"StreamViewType\":\"KEYS_ONLY\"}",
     INVALID "You cannot create or delete index while changing stream status"},
    {"\"StreamSpecification\":{\"StreamEnabled\":true}",
     INVALID "If stream is being enabled then UpdateViewType is required"},
    {"\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":\"KEYS_ONLY\"}",
     INVALID "If stream is being disabled, then UpdateViewType must not be specified"},
    {"\"StreamSpecification\":{\"StreamEnabled\":false}",
     VE "Table has no stream to disable: TableName: abc"},
    {"\"BillingMode\":\"PAY_PER_REQUEST\"," UNITS(1, 1), INVALID
     "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
     "PAY_PER_REQUEST"},
    {"\"BillingMode\":\"PROVISIONED\"",
     INVALID "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"},
    {UNITS(1, 1), INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                          "BillingMode is PAY_PER_REQUEST"},
    {UNITS(1000000000001, 1),
     VE "Given value 1000000000001 for ReadCapacityUnits is out of bounds"},
    {UNITS(0, 0), VE "2 validation errors detected: Value '0' at "
                     "'provisionedThroughput.writeCapacityUnits' failed to satisfy constraint: "
                     "Member must have value greater than or equal to 1; Value '0' at "
                     "'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: "
                     "Member must have value greater than or equal to 1"},
    {"\"OnDemandThroughput\":{\"MaxReadRequestUnits\":0}",
     INVALID "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid "
             "range"},
    {"\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":-2}",
     INVALID "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid "
             "range"},
    {"\"WarmThroughput\":{\"ReadUnitsPerSecond\":11999}",
     INVALID "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current "
             "WarmThroughput, decreasing WarmThroughput is not supported"},
    {"\"SSESpecification\":{\"Enabled\":false}", INVALID "Table is already encrypted by default"},
    {"\"SSESpecification\":{\"Enabled\":false,\"SSEType\":\"KMS\"}",
     INVALID "SSEType can not be specified if Enabled is false"},
    {"\"SSESpecification\":{\"Enabled\":false,\"KMSMasterKeyId\":\"k\"}",
     INVALID "KMSMasterKeyId can not be specified if Enabled is false"},
    {"\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"AES256\"}",
     INVALID "SSEType AES256 is not supported"},
    {"\"SSESpecification\":{\"Enabled\":true,\"KMSMasterKeyId\":\"k\"}",
     INVALID "SSEType KMS is required if KMSMasterKeyId is specified"},
    {GSI("") ",\"DeletionProtectionEnabled\":true",
     INVALID "List of GlobalSecondaryIndexUpdates is empty"},
    {GSI("{}"), INVALID "One of GlobalSecondaryIndexUpdate.Update, "
                        "GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must "
                        "not be null"},
    {GSI("{\"Delete\":{\"IndexName\":\"abc\"},\"Update\":{\"IndexName\":\"abd\"," UNITS(1, 1) "}}"),
     INVALID "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate "
             "object"},
    {GSI("{\"Delete\":{\"IndexName\":\"abc\"}},{\"Delete\":{\"IndexName\":\"abd\"}}"),
     "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or "
     "deleted simultaneously per table"},
    {GSI("{\"Delete\":{\"IndexName\":\"abc\"}},{\"Update\":{\"IndexName\":\"abc\"," UNITS(1,
                                                                                          1) "}}"),
     INVALID "Only one global secondary index update per index is allowed simultaneously. Index: "
             "abc"},
    {GSI("{\"Delete\":{\"IndexName\":\"ghost\"}}"),
     "ResourceNotFoundException: Requested resource not found: Index ghost for table abc"},
    {GSI("{\"Update\":{\"IndexName\":\"ghost\"," UNITS(1, 1) "}}"),
     "ResourceNotFoundException: Requested resource not found: Index ghost for table abc"},
    {GSI(CREATE_X), INVALID "AttributeDefinitions is not specified for index: xxx"},
    {"\"AttributeDefinitions\":[" ATTR("y", "S") "]," GSI(CREATE_X),
     INVALID "Some index key attributes are not defined in AttributeDefinitions. Keys: [x], "
             "AttributeDefinitions: [pk]"},
    {DEF_X "," GSI("{\"Create\":{\"IndexName\":\"xxx\"," KEY_OF("x") "," ALL "," UNITS(1, 1) "}}"),
     INVALID
     "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: xxx when "
     "BillingMode is PAY_PER_REQUEST"},
    {DEF_X
     "," GSI("{\"Create\":{\"IndexName\":\"xxx\"," KEY_OF("x") ",\"Projection\":{"
                                                               "\"ProjectionType\":\"INCLUDE\"}}}"),
     INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
};

TEST(bad_updates_get_awss_words_and_change_nothing)
{
    CHECK(open_with(FX_HASH));
    struct str before = fx_call("DescribeTable", "{\"TableName\":\"abc\"}");
    for (size_t i = 0; i < sizeof refused_on_demand / sizeof *refused_on_demand; i++) {
        CHECK_STR(update(refused_on_demand[i].members), refused_on_demand[i].want);
        CHECK(str_eq(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), before));
    }
    CHECK_STR(fx_call("UpdateTable", "{\"TableName\":\"none\",\"DeletionProtectionEnabled\":true}"),
              "ResourceNotFoundException: Requested resource not found: Table: none not found");
    close_all();
}

TEST(throughput_goes_up_and_down)
{
    CHECK(open_with(PROVISIONED));
    CHECK_STR(update(UNITS(5, 5)), VE
              "The provisioned throughput for the table will not change. The requested value "
              "equals the current value. Current ReadCapacityUnits provisioned for the table: 5. "
              "Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the "
              "table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer "
              "Guide for current limits and how to request higher limits.");
    CHECK_STR(update("\"BillingMode\":\"PAY_PER_REQUEST\"," UNITS(1, 1)),
              INVALID "ProvisionedThroughput cannot be specified when BillingMode is "
                      "PAY_PER_REQUEST");
    CHECK_STR(described("BillingModeSummary"), "(missing)");
    CHECK_STR(described("WarmThroughput"),
              "{\"ReadUnitsPerSecond\":5,\"WriteUnitsPerSecond\":5,\"Status\":\"ACTIVE\"}");
    struct str r = update(UNITS(15, 5));
    CHECK_STR(fx_get(r, "TableDescription/TableStatus"), "\"UPDATING\"");
    CHECK_STR(fx_get(r, "TableDescription/ProvisionedThroughput/ReadCapacityUnits"), "5");
    CHECK_STR(described("TableStatus"), "\"ACTIVE\"");
    CHECK_STR(described("ProvisionedThroughput"),
              "{\"LastIncreaseDateTime\":1700000000.123,\"NumberOfDecreasesToday\":0,"
              "\"ReadCapacityUnits\":15,\"WriteCapacityUnits\":5}");
    clock_fake_advance_ms(1000);
    update("\"BillingMode\":\"PROVISIONED\"," UNITS(3, 5));
    CHECK_STR(described("ProvisionedThroughput"),
              "{\"LastIncreaseDateTime\":1700000000.123,\"LastDecreaseDateTime\":1700000001.123,"
              "\"NumberOfDecreasesToday\":1,\"ReadCapacityUnits\":3,\"WriteCapacityUnits\":5}");
    CHECK_STR(described("WarmThroughput/ReadUnitsPerSecond"), "15");
    clock_fake_advance_ms(24 * 3600 * 1000);
    CHECK_STR(described("ProvisionedThroughput/NumberOfDecreasesToday"), "0");
    close_all();
}

TEST(billing_switches_both_ways)
{
    CHECK(open_with(PROVISIONED "," WITH_GSI("," UNITS(7, 7))));
    update(
        "\"BillingMode\":\"PAY_PER_REQUEST\",\"OnDemandThroughput\":{\"MaxReadRequestUnits\":9}");
    CHECK_STR(described("BillingModeSummary"),
              "{\"BillingMode\":\"PAY_PER_REQUEST\",\"LastUpdateToPayPerRequestDateTime\":"
              "1700000000.123}");
    CHECK_STR(described("ProvisionedThroughput/ReadCapacityUnits"), "0");
    CHECK_STR(described("OnDemandThroughput"), "{\"MaxReadRequestUnits\":9}");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ProvisionedThroughput"),
              "{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}");
    CHECK_STR(described("WarmThroughput/ReadUnitsPerSecond"), "12000");
    CHECK_STR(update(GSI("{\"Update\":{\"IndexName\":\"xxx\"," UNITS(1, 1) "}}")),
              INVALID "The only Updates for index: xxx when TableThroughputMode is PAY_PER_REQUEST "
                      "can be to OnDemandThroughput, WarmThroughput");
    CHECK_STR(update("\"BillingMode\":\"PROVISIONED\"," UNITS(5, 5)),
              INVALID "ProvisionedThroughput must be specified for index: xxx");
    CHECK(str_starts(update("\"BillingMode\":\"PROVISIONED\"," UNITS(5, 5) "," GSI(
                         "{\"Update\":{\"IndexName\":\"xxx\"," UNITS(2, 3) "}}")),
                     STR("{")));
    CHECK_STR(described("BillingModeSummary/BillingMode"), "\"PROVISIONED\"");
    CHECK_STR(described("OnDemandThroughput"), "(missing)");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ProvisionedThroughput/WriteCapacityUnits"), "3");
    CHECK_STR(described("WarmThroughput/ReadUnitsPerSecond"), "12000");
    CHECK(str_starts(update(GSI("{\"Update\":{\"IndexName\":\"xxx\"," UNITS(2, 3) "}}")),
                     STR(VE "The provisioned throughput for the index xxx will not change.")));
    struct str r = update(GSI("{\"Update\":{\"IndexName\":\"xxx\"," UNITS(4, 3) "}}"));
    CHECK_STR(fx_get(r, "TableDescription/TableStatus"), "\"ACTIVE\"");
    CHECK_STR(fx_get(r, "TableDescription/GlobalSecondaryIndexes/0/IndexStatus"), "\"UPDATING\"");
    CHECK_STR(fx_get(r, "TableDescription/GlobalSecondaryIndexes/0/ProvisionedThroughput/"
                        "ReadCapacityUnits"),
              "2");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ProvisionedThroughput/ReadCapacityUnits"), "4");
    CHECK_STR(update(DEF_X "," GSI("{\"Create\":{\"IndexName\":\"yyy\"," KEY_OF("x") "," ALL "}}")),
              INVALID "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: "
                      "yyy");
    CHECK_STR(update("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5}"), INVALID
              "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table "
              "BillingMode is PROVISIONED");
    close_all();
}

TEST(on_demand_limits_merge_and_go)
{
    CHECK(open_with(FX_HASH));
    CHECK_STR(fx_get(update("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5}"),
                     "TableDescription/TableStatus"),
              "\"ACTIVE\"");
    update("\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":6}");
    CHECK_STR(described("OnDemandThroughput"),
              "{\"MaxReadRequestUnits\":5,\"MaxWriteRequestUnits\":6}");
    update("\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}");
    CHECK_STR(described("OnDemandThroughput"), "{\"MaxWriteRequestUnits\":6}");
    update("\"OnDemandThroughput\":{\"MaxWriteRequestUnits\":-1}");
    CHECK_STR(described("OnDemandThroughput"), "(missing)");
    update("\"WarmThroughput\":{\"ReadUnitsPerSecond\":12500}");
    CHECK_STR(described("WarmThroughput"),
              "{\"ReadUnitsPerSecond\":12500,\"WriteUnitsPerSecond\":4000,\"Status\":\"ACTIVE\"}");
    close_all();
}

TEST(protection_class_and_encryption_are_set)
{
    CHECK(open_with(FX_HASH));
    CHECK_STR(fx_get(update("\"DeletionProtectionEnabled\":true"),
                     "TableDescription/DeletionProtectionEnabled"),
              "true");
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR(VE "Resource cannot")));
    update("\"DeletionProtectionEnabled\":false");
    CHECK_STR(fx_get(update("\"TableClass\":\"STANDARD\""), "TableDescription/TableStatus"),
              "\"UPDATING\"");
    CHECK_STR(described("TableClassSummary"), "(missing)");
    CHECK(str_starts(update("\"TableClass\":\"GOLD\""), STR(VE "Invalid table-class parameter")));
    update("\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"");
    CHECK_STR(described("TableClassSummary/TableClass"), "\"STANDARD_INFREQUENT_ACCESS\"");
    update("\"SSESpecification\":{\"Enabled\":true}");
    CHECK_STR(described("SSEDescription/Status"), "\"ENABLED\"");
#define KEY_ARN "arn:aws:kms:us-east-1:000000000000:key/k"
#define SSE_KEY                                                                                    \
    "\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\",\"KMSMasterKeyId\":\"" KEY_ARN "\"}"
    update(SSE_KEY);
    CHECK_STR(described("SSEDescription/KMSMasterKeyArn"), "\"" KEY_ARN "\"");
    CHECK_STR(update(SSE_KEY),
              INVALID "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId "
                      "parameter if you want to change Master Key");
    update("\"SSESpecification\":{\"Enabled\":false}");
    CHECK_STR(described("SSEDescription"), "(missing)");
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR("{")));
    close_all();
}

TEST(streams_are_switched_on_and_off)
{
#define STREAM_ON                                                                                  \
    "\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_IMAGE\"}"
    CHECK(open_with(FX_HASH));
    fx_call("PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"before\"}}}");
    CHECK_STR(fx_get(update(STREAM_ON), "TableDescription/StreamSpecification/StreamViewType"),
              "\"NEW_IMAGE\"");
    struct str arn = described("LatestStreamArn");
    CHECK_STR(update(STREAM_ON), VE "Table already has an enabled stream: TableName: abc");
    fx_call("PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"during\"}}}");
    update("\"StreamSpecification\":{\"StreamEnabled\":false}");
    fx_call("PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"after\"}}}");
    CHECK_STR(described("StreamSpecification"), "(missing)");
    CHECK(str_eq(described("LatestStreamArn"), arn));
    struct str d = fx_stream_call("DescribeStream", FX("{\"StreamArn\":%.*s}", STR_ARG(arn)));
    CHECK_STR(fx_get(d, "StreamDescription/StreamStatus"), "\"DISABLED\"");
    struct str shard = fx_get(d, "StreamDescription/Shards/0/ShardId");
    struct str it =
        fx_get(fx_stream_call("GetShardIterator", FX("{\"StreamArn\":%.*s,\"ShardId\":%.*s,"
                                                     "\"ShardIteratorType\":\"TRIM_HORIZON\"}",
                                                     STR_ARG(arn), STR_ARG(shard))),
               "ShardIterator");
    struct str r = fx_stream_call("GetRecords", FX("{\"ShardIterator\":%.*s}", STR_ARG(it)));
    CHECK_STR(fx_get(r, "Records/0/dynamodb/Keys/pk/S"), "\"during\"");
    CHECK_STR(fx_get(r, "Records/1"), "(missing)");
    CHECK_STR(fx_get(r, "NextShardIterator"), "(missing)");
    CHECK_STR(update("\"StreamSpecification\":{\"StreamEnabled\":false}"),
              VE "Table has no stream to disable: TableName: abc");
    CHECK(str_starts(update(STREAM_ON ",\"BillingMode\":\"PAY_PER_REQUEST\""), STR("{")));
    CHECK(!str_eq(described("LatestStreamArn"), arn));
    close_all();
}

TEST(index_is_added_and_taken_away)
{
    CHECK(open_with(FX_HASH));
    for (int i = 0; i < 3; i++)
        fx_call("PutItem", FX("{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"%d\"}%s}}", i,
                              i < 2 ? ",\"x\":{\"S\":\"v\"}" : ""));
    struct str r = update("\"AttributeDefinitions\":[" ATTR("x", "S") "," ATTR(
        "unused", "N") "," ATTR("pk", "N") "]," GSI(CREATE_X));
    CHECK_STR(fx_get(r, "TableDescription/TableStatus"), "\"UPDATING\"");
    CHECK_STR(fx_get(r, "TableDescription/GlobalSecondaryIndexes/0/IndexStatus"), "\"CREATING\"");
    CHECK_STR(fx_get(r, "TableDescription/GlobalSecondaryIndexes/0/Backfilling"), "false");
    CHECK_STR(described("AttributeDefinitions"), "[" ATTR("pk", "S") "," ATTR("x", "S") "]");
    CHECK_STR(described("GlobalSecondaryIndexes/0/IndexStatus"), "\"ACTIVE\"");
    CHECK_STR(described("GlobalSecondaryIndexes/0/Backfilling"), "(missing)");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ItemCount"), "2");
    CHECK_STR(update(DEF_X "," GSI(CREATE_X)),
              VE "Attempting to create an index which already exists");
    r = update(GSI("{\"Delete\":{\"IndexName\":\"xxx\"}}"));
    CHECK_STR(fx_get(r, "TableDescription/GlobalSecondaryIndexes/0/IndexStatus"), "\"DELETING\"");
    CHECK_STR(described("GlobalSecondaryIndexes"), "(missing)");
    CHECK_STR(described("AttributeDefinitions"), "[" ATTR("pk", "S") "]");
    CHECK(str_starts(update(DEF_X "," GSI(CREATE_X)), STR("{")));
    CHECK_STR(described("GlobalSecondaryIndexes/0/ItemCount"), "2");
    close_all();
}

TEST(local_index_is_none_to_update)
{
    CHECK(open_with("\"AttributeDefinitions\":[" ATTR("pk", "S") "," ATTR("sk", "S") "," ATTR(
        "l", "S") "],\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{"
                  "\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],\"BillingMode\":"
                  "\"PAY_PER_REQUEST\",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," ALL
                  ",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"},{"
                  "\"AttributeName\":\"l\",\"KeyType\":\"RANGE\"}]}]"));
    CHECK_STR(update(GSI("{\"Delete\":{\"IndexName\":\"lsi\"}}")),
              VE "Cannot delete an index that is not a GlobalSecondaryIndex: lsi");
    CHECK(str_starts(update(DEF_X "," GSI(CREATE_X)), STR("{")));
    CHECK_STR(described("LocalSecondaryIndexes/0/IndexName"), "\"lsi\"");
    CHECK_STR(described("AttributeDefinitions/3"), ATTR("x", "S"));
    close_all();
}

TEST(twenty_global_indexes_and_no_more)
{
    CHECK(open_with(FX_HASH));
    for (int i = 0; i < 20; i++)
        CHECK(str_starts(
            update(FX(GSI("{\"Create\":{\"IndexName\":\"i%02d\"," KEY_OF("pk") "," ALL "}}"), i)),
            STR("{")));
    CHECK_STR(update(GSI("{\"Create\":{\"IndexName\":\"i20\"," KEY_OF("pk") "," ALL "}}")),
              "LimitExceededException: Subscriber limit exceeded: Number of global secondary "
              "indexes exceeds per-table limit of 20");
    close_all();
}

TEST(index_of_a_big_table_is_filled_in_slices)
{
    enum { N = 6000 };
    CHECK(open_with(FX_HASH));
    ddb_maintain(fx);
    for (int i = 0; i < N; i++)
        fx_call("PutItem", FX("{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"x\":{\"S\":"
                              "\"%s\"}}}",
                              i, fx_repeat('v', 300)));
    update(DEF_X "," GSI(CREATE_X));
    CHECK_STR(described("TableStatus"), "\"ACTIVE\"");
    CHECK_STR(described("GlobalSecondaryIndexes/0/IndexStatus"), "\"CREATING\"");
    CHECK_STR(described("GlobalSecondaryIndexes/0/Backfilling"), "true");
    CHECK_I64(ddb_due_ms(fx), 0);
    CHECK_STR(update("\"AttributeDefinitions\":[" ATTR("y", "S") "]," GSI(
                  "{\"Create\":{\"IndexName\":\"yyy\"," KEY_OF("y") "," ALL "}}")),
              "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be "
              "created or deleted simultaneously per table");
    CHECK_STR(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"),
              "ResourceInUseException: Attempt to change a resource which is still in use: Cannot "
              "delete table while indexes are being created, updated, or deleted.");
    int slices = 0;
    while (ddb_due_ms(fx) == 0 && slices < 1000) {
        ddb_maintain(fx);
        slices++;
    }
    CHECK(slices > 1 && slices < 1000);
    CHECK_STR(described("GlobalSecondaryIndexes/0/IndexStatus"), "\"ACTIVE\"");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ItemCount"), FX("%d", N));
    CHECK(str_starts(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"), STR("{")));
    close_all();
}

TEST(updates_survive_a_restart)
{
    const char *dir = fx_new_folder();
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(dir));
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH "}");
    update(DEF_X "," GSI(CREATE_X));
    update(STREAM_ON);
    struct str before = arena_str(fx_arena, fx_call("DescribeTable", "{\"TableName\":\"abc\"}"));
    char copy[4096];
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(before));
    CHECK(db_commit(fx_db));
    fx_close();
    CHECK(fx_open(dir));
    CHECK_STR(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), copy);
    close_all();
    file_remove_tree(dir);
}
