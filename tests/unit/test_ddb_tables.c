/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"

#define INVALID "ValidationException: One or more parameter values were invalid: "
#define UNITS   "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,\"WriteCapacityUnits\":2}"
#define AB                                                                                         \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"},"                 \
    "{\"AttributeName\":\"b\",\"AttributeType\":\"N\"}]"
#define KEY_A "\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}]"
#define KEY_AB                                                                                     \
    "\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},"                               \
    "{\"AttributeName\":\"b\",\"KeyType\":\"RANGE\"}]"
#define ALL "\"Projection\":{\"ProjectionType\":\"ALL\"}"

static struct str create(const char *members)
{
    return fx_call("CreateTable", FX("{\"TableName\":\"abc\",%s}", members));
}

TEST(describe_shows_what_was_created)
{
    CHECK(fx_open(NULL));
    clock_fake_set(1700000000123, 0);
    struct str reply = create(AB "," KEY_AB "," UNITS);
    clock_fake_off();
    CHECK_STR(fx_get(reply, "TableDescription/TableStatus"), "\"CREATING\"");
    CHECK_STR(fx_get(reply, "TableDescription/TableId").n == 38 ? STR("uuid") : reply, "uuid");
    reply = fx_call("DescribeTable", "{\"TableName\":\"abc\"}");
    CHECK_STR(fx_get(reply, "Table/TableStatus"), "\"ACTIVE\"");
    CHECK_STR(fx_get(reply, "Table/TableName"), "\"abc\"");
    CHECK_STR(fx_get(reply, "Table/CreationDateTime"), "1700000000.123");
    CHECK_STR(fx_get(reply, "Table/TableArn"),
              "\"arn:aws:dynamodb:us-east-1:000000000000:table/abc\"");
    CHECK_STR(fx_get(reply, "Table/ProvisionedThroughput"),
              "{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":1,\"WriteCapacityUnits\":2}");
    CHECK_STR(fx_get(reply, "Table/KeySchema"),
              "[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b\","
              "\"KeyType\":\"RANGE\"}]");
    CHECK_STR(fx_get(reply, "Table/ItemCount"), "0");
    CHECK_STR(fx_get(reply, "Table/TableSizeBytes"), "0");
    CHECK_STR(fx_get(reply, "Table/DeletionProtectionEnabled"), "false");
    CHECK_STR(fx_get(reply, "Table/BillingModeSummary"), "(missing)");
    CHECK_STR(fx_get(reply, "Table/SSEDescription"), "(missing)");
    CHECK_STR(fx_get(reply, "Table/LatestStreamArn"), "(missing)");
    fx_close();
}

TEST(optional_settings_are_described)
{
    CHECK(fx_open(NULL));
    clock_fake_set(1700000000123, 0);
    create(FX_HASH ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
                   "\"NEW_IMAGE\"},\"SSESpecification\":{\"Enabled\":true,\"SSEType\":\"KMS\","
                   "\"KMSMasterKeyId\":\"k\"},"
                   "\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\","
                   "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":5},"
                   "\"Tags\":[{\"Key\":\"x\",\"Value\":\"y\"}]");
    clock_fake_off();
    struct str t = fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table");
    CHECK_STR(fx_get(t, "ProvisionedThroughput"),
              "{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}");
    CHECK_STR(fx_get(t, "BillingModeSummary/BillingMode"), "\"PAY_PER_REQUEST\"");
    CHECK_STR(fx_get(t, "StreamSpecification"),
              "{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_IMAGE\"}");
    CHECK_STR(fx_get(t, "LatestStreamLabel"), "\"2023-11-14T22:13:20.123\"");
    CHECK_STR(fx_get(t, "LatestStreamArn"),
              "\"arn:aws:dynamodb:us-east-1:000000000000:table/abc/stream/"
              "2023-11-14T22:13:20.123\"");
    CHECK_STR(fx_get(t, "SSEDescription"),
              "{\"Status\":\"ENABLED\",\"SSEType\":\"KMS\",\"KMSMasterKeyArn\":"
              "\"arn:aws:kms:us-east-1:000000000000:key/k\"}");
    CHECK_STR(fx_get(t, "TableClassSummary/TableClass"), "\"STANDARD_INFREQUENT_ACCESS\"");
    CHECK_STR(fx_get(t, "OnDemandThroughput"), "{\"MaxReadRequestUnits\":5}");
    fx_close();
}

TEST(indexes_are_described_with_their_arns)
{
    CHECK(fx_open(NULL));
    struct str d = create(
        AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_AB "," ALL
           "}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\"," KEY_A "," ALL "," UNITS "}]");
    CHECK_STR(
        fx_get(d, "TableDescription/GlobalSecondaryIndexes/0"),
        "{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}],"
        "\"Projection\":{\"ProjectionType\":\"ALL\"},\"IndexStatus\":\"CREATING\","
        "\"ProvisionedThroughput\":{\"NumberOfDecreasesToday\":0,\"ReadCapacityUnits\":1,"
        "\"WriteCapacityUnits\":2},\"IndexSizeBytes\":0,\"ItemCount\":0,\"IndexArn\":"
        "\"arn:aws:dynamodb:us-east-1:000000000000:table/abc/index/gsi\"}");
    d = fx_call("DescribeTable", "{\"TableName\":\"abc\"}");
    CHECK_STR(fx_get(d, "Table/GlobalSecondaryIndexes/0/IndexStatus"), "\"ACTIVE\"");
    CHECK_STR(fx_get(d, "Table/LocalSecondaryIndexes/0/IndexName"), "\"lsi\"");
    CHECK_STR(fx_get(d, "Table/LocalSecondaryIndexes/0/IndexStatus"), "(missing)");
    fx_close();
}

static const struct {
    const char *members, *want;
} refused[] = {
    {KEY_A "," UNITS, "ValidationException: 1 validation error detected: Value null at "
                      "'attributeDefinitions' failed to satisfy constraint: Member must not be "
                      "null"},
    {UNITS, "ValidationException: 2 validation errors detected: Value null at "
            "'attributeDefinitions' failed to satisfy constraint: Member must not be null; Value "
            "null at 'keySchema' failed to satisfy constraint: Member must not be null"},
    {AB "," KEY_AB, INVALID "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                            "BillingMode is PROVISIONED"},
    {AB "," KEY_AB "," UNITS ",\"BillingMode\":\"PAY_PER_REQUEST\"",
     INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode "
             "is PAY_PER_REQUEST"},
    {AB "," KEY_AB ",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1000000000001,"
        "\"WriteCapacityUnits\":1}",
     "ValidationException: Given value 1000000000001 for ReadCapacityUnits is out of bounds"},
    {"\"AttributeDefinitions\":[]," KEY_A "," UNITS,
     "ValidationException: Invalid KeySchema: Some index key attribute have no definition"},
    {"\"AttributeDefinitions\":[{\"AttributeName\":\"x\",\"AttributeType\":\"S\"}]," KEY_A
     "," UNITS,
     INVALID "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], "
             "AttributeDefinitions: [x]"},
    {AB "," KEY_A "," UNITS,
     INVALID "Number of attributes in KeySchema does not exactly match number of attributes "
             "defined in AttributeDefinitions"},
    {AB ",\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"a\","
        "\"KeyType\":\"RANGE\"}]," UNITS,
     "ValidationException: Both the Hash Key and the Range Key element in the KeySchema have the "
     "same name"},
    {AB ",\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"RANGE\"},{\"AttributeName\":\"b\","
        "\"KeyType\":\"HASH\"}]," UNITS,
     "ValidationException: Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
    {AB ",\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b\","
        "\"KeyType\":\"HASH\"}]," UNITS,
     "ValidationException: Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"},
    {AB ",\"KeySchema\":[{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b\","
        "\"KeyType\":\"RANGE\"},{\"AttributeName\":\"c\",\"KeyType\":\"RANGE\"}]," UNITS,
     "ValidationException: 1 validation error detected: Value '[KeySchemaElement(attributeName=a, "
     "keyType=HASH), KeySchemaElement(attributeName=b, keyType=RANGE), "
     "KeySchemaElement(attributeName=c, keyType=RANGE)]' at 'keySchema' failed to satisfy "
     "constraint: Member must have length less than or equal to 2"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[]",
     INVALID "List of LocalSecondaryIndexes is empty"},
    {AB "," KEY_AB "," UNITS ",\"GlobalSecondaryIndexes\":[]",
     INVALID "List of GlobalSecondaryIndexes is empty"},
    {AB "," KEY_A "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_AB "," ALL
        "}]",
     INVALID "Table KeySchema does not have a range key, which is required when specifying a "
             "LocalSecondaryIndex"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_A "," ALL
        "}]",
     INVALID "Index KeySchema does not have a range key for index: lsi"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":["
        "{\"AttributeName\":\"b\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"a\",\"KeyType\":"
        "\"RANGE\"}]," ALL "}]",
     INVALID "Index KeySchema does not have the same leading hash key as table KeySchema for "
             "index: lsi. index hash key: b, table hash key: a"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_AB
        ",\"Projection\":{}}]",
     INVALID "Unknown ProjectionType: null"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_AB
        ",\"Projection\":{\"ProjectionType\":\"ALL\",\"NonKeyAttributes\":[\"z\"]}}]",
     INVALID "ProjectionType is ALL, but NonKeyAttributes is specified"},
    {AB "," KEY_AB "," UNITS ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\"," KEY_AB "," UNITS
        ",\"Projection\":{\"ProjectionType\":\"INCLUDE\"}}]",
     INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"same\"," KEY_AB "," ALL
        "}],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"same\"," KEY_AB "," UNITS "," ALL "}]",
     INVALID "Duplicate index name: same"},
    {AB "," KEY_AB ",\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{"
        "\"IndexName\":\"gsi\"," KEY_AB "," UNITS "," ALL "}]",
     INVALID "ProvisionedThroughput should not be specified for index: gsi when BillingMode is "
             "PAY_PER_REQUEST"},
    {AB "," KEY_AB "," UNITS ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\"," KEY_AB "," ALL
        "}]",
     INVALID "ProvisionedThroughput is not specified for index: gsi"},
    {FX_HASH ",\"TableClass\":\"GOLD\"",
     "ValidationException: Invalid table-class parameter provided. Please try again with a valid "
     "table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS]."},
    {"\"AttributeDefinitions\":[{\"AttributeName\":\"a\",\"AttributeType\":\"S\"},{"
     "\"AttributeName\":\"a\",\"AttributeType\":\"S\"}]," KEY_A "," UNITS,
     "ValidationException: Attribute Name is duplicated: a"},
    {AB "," KEY_AB "," UNITS ",\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\"," KEY_AB
        ",\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":[\"z\",\"z\"]}}]",
     INVALID "Duplicate element in NonKeyAttributes: z"},
    {AB "," KEY_A ",\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{"
        "\"IndexName\":\"gsi\"," KEY_A "," ALL "}]",
     INVALID "Some AttributeDefinitions are not used. AttributeDefinitions: [a, b], keys used: "
             "[a]"},
    {FX_HASH ",\"StreamSpecification\":{\"StreamEnabled\":false,\"StreamViewType\":\"NEW_IMAGE\"}",
     INVALID "Table is being created with a stream disabled, UpdateViewType should not be "
             "specified"},
};

TEST(bad_definitions_get_awss_words_and_create_nothing)
{
    CHECK(fx_open(NULL));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK_STR(create(refused[i].members), refused[i].want);
        CHECK_I64(ddb_table_count(fx), 0);
    }
    fx_close();
}

static struct str many_indexes(const char *kind, int count)
{
    struct str list = STR("");
    for (int i = 0; i < count; i++)
        list = arena_fmt(fx_arena, "%.*s%s{\"IndexName\":\"abc%d\"," KEY_AB "," ALL "}",
                         STR_ARG(list), i ? "," : "", i);
    return create(FX(AB "," KEY_AB ",\"BillingMode\":\"PAY_PER_REQUEST\",\"%s\":[%.*s]", kind,
                     STR_ARG(list)));
}

TEST(index_counts_have_limits)
{
    CHECK(fx_open(NULL));
    CHECK_STR(many_indexes("GlobalSecondaryIndexes", 21),
              INVALID "GlobalSecondaryIndex count exceeds the per-table limit of 20");
    CHECK_STR(many_indexes("LocalSecondaryIndexes", 6),
              INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of 5");
    CHECK(str_starts(many_indexes("GlobalSecondaryIndexes", 20), STR("{")));
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK(str_starts(many_indexes("LocalSecondaryIndexes", 5), STR("{")));
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"),
                     "Table/LocalSecondaryIndexes/4/IndexName"),
              "\"abc4\"");
    fx_close();
}

TEST(global_indexes_may_have_several_key_attributes)
{
    CHECK(fx_open(NULL));
    struct str reply = create(
        AB "," KEY_AB ",\"BillingMode\":\"PAY_PER_REQUEST\",\"GlobalSecondaryIndexes\":[{"
           "\"IndexName\":\"gsi\"," ALL ",\"KeySchema\":[{\"AttributeName\":\"b\",\"KeyType\":"
           "\"HASH\"},{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}]}]");
    CHECK(str_starts(reply, STR("{\"TableDescription\"")));
    fx_close();
}

TEST(name_exists_once_per_account_and_region)
{
    CHECK(fx_open(NULL));
    const char *json = "{\"TableName\":\"abc\"," FX_HASH "}";
    fx_call("CreateTable", json);
    CHECK_STR(fx_call("CreateTable", json), "ResourceInUseException: Table already exists: abc");
    CHECK(
        str_starts(fx_call_as("000000000000", "eu-west-1", "CreateTable", str_c(json)), STR("{")));
    CHECK(
        str_starts(fx_call_as("111111111111", "us-east-1", "CreateTable", str_c(json)), STR("{")));
    CHECK_I64(ddb_table_count(fx), 3);
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK_STR(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"),
              "ResourceNotFoundException: Requested resource not found: Table: abc not found");
    CHECK_STR(fx_get(fx_call_as("111111111111", "us-east-1", "DescribeTable",
                                STR("{\"TableName\":\"abc\"}")),
                     "Table/TableArn"),
              "\"arn:aws:dynamodb:us-east-1:111111111111:table/abc\"");
    fx_close();
}

TEST(table_may_be_named_by_its_arn)
{
    CHECK(fx_open(NULL));
    create(FX_HASH);
#define ARN "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"" ARN "\"}"), "Table/TableName"),
              "\"abc\"");
    CHECK_STR(fx_call("PutItem", "{\"TableName\":\"" ARN "\",\"Item\":{\"pk\":{\"S\":\"x\"}}}"),
              "{}");
    CHECK_STR(fx_call("GetItem", "{\"TableName\":\"arn:aws:dynamodb:eu-west-1:000000000000:table/"
                                 "abc\",\"Key\":{\"pk\":{\"S\":\"x\"}}}"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK(str_starts(fx_call("GetItem", "{\"TableName\":\"arn:aws:dynamodb:x\",\"Key\":{\"pk\":"
                                        "{\"S\":\"x\"}}}"),
                     STR("ValidationException: ")));
    CHECK(str_starts(fx_call("GetItem", "{\"TableName\":\"a/b\",\"Key\":{\"pk\":{\"S\":\"x\"}}}"),
                     STR("ValidationException: ")));
    fx_close();
}

TEST(list_is_sorted_and_pages)
{
    static const char *const names[] = {"mmm", "aaa", "zzz", "bbb"};
    CHECK(fx_open(NULL));
    for (size_t i = 0; i < 4; i++)
        fx_call("CreateTable", FX("{\"TableName\":\"%s\"," FX_HASH "}", names[i]));
    CHECK_STR(fx_call("ListTables", "{}"), "{\"TableNames\":[\"aaa\",\"bbb\",\"mmm\",\"zzz\"]}");
    CHECK_STR(fx_call("ListTables", "{\"Limit\":2}"),
              "{\"TableNames\":[\"aaa\",\"bbb\"],\"LastEvaluatedTableName\":\"bbb\"}");
    CHECK_STR(fx_call("ListTables", "{\"Limit\":2,\"ExclusiveStartTableName\":\"bbb\"}"),
              "{\"TableNames\":[\"mmm\",\"zzz\"]}");
    CHECK_STR(fx_call("ListTables", "{\"ExclusiveStartTableName\":\"ccc\"}"),
              "{\"TableNames\":[\"mmm\",\"zzz\"]}");
    CHECK(str_starts(fx_call("ListTables", "{\"Limit\":0}"), STR("ValidationException: ")));
    CHECK(str_starts(fx_call("ListTables", "{\"Limit\":101}"), STR("ValidationException: ")));
    CHECK_STR(fx_call_as("000000000000", "eu-west-1", "ListTables", STR("{}")),
              "{\"TableNames\":[]}");
    fx_close();
}

TEST(protected_table_is_not_deleted)
{
    CHECK(fx_open(NULL));
    create(FX_HASH ",\"DeletionProtectionEnabled\":true");
    CHECK_STR(fx_call("DeleteTable", "{\"TableName\":\"abc\"}"),
              "ValidationException: Resource cannot be deleted as it is currently protected "
              "against deletion. Disable deletion protection first.");
    CHECK_STR(fx_call("DeleteTable", "{\"TableName\":\"nope\"}"),
              "ResourceNotFoundException: Requested resource not found: Table: nope not found");
    CHECK_I64(ddb_table_count(fx), 1);
    fx_close();
}

TEST(absurdly_long_lists_are_refused_quickly)
{
    CHECK(fx_open(NULL));
    struct buf b;
    buf_init(&b, 8 << 20);
    buf_add(&b, STR("\"AttributeDefinitions\":["));
    for (int i = 0; i < 50000; i++)
        buf_addf(&b, "%s{\"AttributeName\":\"a%d\",\"AttributeType\":\"S\"}", i ? "," : "", i);
    buf_add(&b, STR("]," KEY_A "," UNITS));
    buf_addc(&b, '\0');
    CHECK(str_starts(create(b.p), STR(INVALID "Number of attributes")));
    buf_release(&b);
    fx_close();
}
