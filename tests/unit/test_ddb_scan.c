/* links: puddle_dynamo */
/* Scan: order, segments, pages, indexes, capacity, and what it refuses. */
#include "read_fixture.h"

#define SCAN(body) rd_call("Scan", "{'TableName':'hash'" body "}")

static bool put_keys(const char *keys)
{
    struct str rest = str_c(keys);
    while (rest.p != NULL && rest.n > 0) {
        struct str key = str_cut(&rest, ' ');
        if (!rd_put("hash", FX("a=%.*s", STR_ARG(key))))
            return false;
    }
    return true;
}

/* Fact 109: recorded from DynamoDB. */
TEST(items_come_in_the_order_of_their_keys_hashes)
{
    CHECK(rd_open(NULL));
    CHECK(put_keys("aardman \u00e4\u00e4\u00f6\u00fc hello zapf 0 1 2 3 4 5 6 7 8 9"));
    CHECK_STR(rd_list(SCAN(""), "a"),
              "2 8 9 1 6 hello 0 5 4 \u00e4\u00e4\u00f6\u00fc aardman 7 3 zapf");
    fx_close();
}

/* Fact 110: likewise. */
TEST(segments_of_4096_hold_the_keys_they_hold_on_aws)
{
    CHECK(rd_open(NULL));
    CHECK(put_keys("3635 228 1668 3435"));
    CHECK_STR(rd_list(SCAN(",'Segment':0,'TotalSegments':4096"), "a"), "3635 228");
    CHECK_STR(rd_list(SCAN(",'Segment':1,'TotalSegments':4096"), "a"), "1668");
    CHECK_STR(rd_list(SCAN(",'Segment':4,'TotalSegments':4096"), "a"), "3435");
    CHECK_STR(SCAN(",'Segment':4095,'TotalSegments':4096"),
              "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
    CHECK_STR(rd_list(SCAN(",'Segment':0,'TotalSegments':1000000"), "a"), "");
    fx_close();
}

TEST(filter_limit_and_projection_work_together)
{
    CHECK(rd_open(NULL));
    CHECK(rd_put("hash", "a=2 v=x w=1") && rd_put("hash", "a=8 v=y w=2") &&
          rd_put("hash", "a=9 v=x w=3") && rd_put("hash", "a=1 v=x"));
    struct str page = SCAN(",'Limit':3,'FilterExpression':'v = :v','ProjectionExpression':'w',"
                           "'ExpressionAttributeValues':{':v':{'S':'x'}}");
    CHECK_STR(
        page,
        "{\"Items\":[{\"w\":{\"S\":\"1\"}},{\"w\":{\"S\":\"3\"}}],\"Count\":2,\"ScannedCount\":3,"
        "\"LastEvaluatedKey\":{\"a\":{\"S\":\"9\"}}}");
    page = SCAN(",'ExclusiveStartKey':{'a':{'S':'9'}},'FilterExpression':'v = "
                ":v','ProjectionExpression':'w',"
                "'ExpressionAttributeValues':{':v':{'S':'x'}}");
    CHECK_STR(page, "{\"Items\":[{}],\"Count\":1,\"ScannedCount\":1}");
    CHECK_STR(SCAN(",'Select':'COUNT','FilterExpression':'a <> "
                   ":v','ExpressionAttributeValues':{':v':{'S':'8'}}"),
              "{\"Count\":3,\"ScannedCount\":4}");
    CHECK_STR(SCAN(",'Select':'COUNT','Limit':4"),
              "{\"Count\":4,\"ScannedCount\":4,\"LastEvaluatedKey\":{\"a\":{\"S\":\"1\"}}}");
    fx_close();
}

TEST(indexes_are_sparse_and_see_only_what_they_project)
{
    CHECK(rd_open(NULL));
    CHECK(rd_put("range", "a=a b=1 c=c d=d e=e f=f") && rd_put("range", "a=a b=2 c=c") &&
          rd_put("range", "a=b b=1 d=d") && rd_put("range", "a=b b=2"));
    struct str page = rd_call(
        "Scan", "{'TableName':'range','IndexName':'index4','ReturnConsumedCapacity':'INDEXES'}");
    CHECK_STR(fx_get(page, "Items"),
              "[{\"a\":{\"S\":\"a\"},\"b\":{\"S\":\"1\"},\"c\":{\"S\":\"c\"},"
              "\"d\":{\"S\":\"d\"},\"e\":{\"S\":\"e\"}}]");
    CHECK_STR(fx_get(page, "ConsumedCapacity/GlobalSecondaryIndexes/index4/CapacityUnits"), "0.5");
    CHECK_STR(rd_list(rd_call("Scan", "{'TableName':'range','IndexName':'index3'}"), "b"), "2 1");
    CHECK_STR(
        rd_list(rd_call("Scan", "{'TableName':'range','IndexName':'index1','ConsistentRead':true}"),
                "b"),
        "2 1");
    /* Not projected: a filter of a Scan finds nothing, and fails nothing. */
    page = rd_call("Scan", "{'TableName':'range','IndexName':'index4','FilterExpression':'f = :f',"
                           "'ExpressionAttributeValues':{':f':{'S':'f'}}}");
    CHECK_STR(page, "{\"Items\":[],\"Count\":0,\"ScannedCount\":1}");
    page =
        rd_call("Scan", "{'TableName':'range','IndexName':'index2','ProjectionExpression':'b, f'}");
    CHECK_STR(rd_list(page, "f"), "- f");
    rd_call(
        "UpdateItem",
        "{'TableName':'range','Key':{'a':{'S':'a'},'b':{'S':'1'}},'UpdateExpression':'REMOVE d'}");
    CHECK_STR(rd_list(rd_call("Scan", "{'TableName':'range','IndexName':'index4'}"), "b"), "");
    CHECK_STR(rd_list(rd_call("Scan", "{'TableName':'range','IndexName':'index3'}"), "b"), "2 1");
    fx_close();
}

/* Fact 67: an on-demand table bills four partitions. */
TEST(scan_bills_every_partition_it_passes)
{
    CHECK(rd_open(NULL));
    CHECK(put_keys("2"));
    CHECK_STR(fx_get(SCAN(",'ReturnConsumedCapacity':'TOTAL'"), "ConsumedCapacity/CapacityUnits"),
              "2");
    CHECK_STR(fx_get(SCAN(",'ReturnConsumedCapacity':'TOTAL','ConsistentRead':true"),
                     "ConsumedCapacity/CapacityUnits"),
              "4");
    CHECK_STR(fx_get(SCAN(",'ReturnConsumedCapacity':'INDEXES','Limit':1"), "ConsumedCapacity"),
              "{\"TableName\":\"hash\",\"CapacityUnits\":0.5,\"Table\":{\"CapacityUnits\":0.5}}");
    CHECK_STR(fx_get(SCAN(",'ReturnConsumedCapacity':'TOTAL','Segment':1,'TotalSegments':2"),
                     "ConsumedCapacity/CapacityUnits"),
              "1");
    fx_call("CreateTable",
            "{\"TableName\":\"fixed\",\"ProvisionedThroughput\":{\"ReadCapacityUnits\":5,"
            "\"WriteCapacityUnits\":5},\"AttributeDefinitions\":[" RD_DEF(
                "a", "S") "],\"KeySchema\":[" RD_KEY("a", "HASH") "]}");
    CHECK(rd_put("fixed", "a=2"));
    CHECK_STR(fx_get(rd_call("Scan", "{'TableName':'fixed','ReturnConsumedCapacity':'TOTAL'}"),
                     "ConsumedCapacity/CapacityUnits"),
              "0.5");
    fx_close();
}

TEST(older_filters_say_the_same)
{
    CHECK(rd_open(NULL));
    CHECK(rd_put("hash", "a=2 v=x w=#1") && rd_put("hash", "a=8 v=y w=#20") &&
          rd_put("hash", "a=9 v=x w=#3") && rd_put("hash", "a=1 v=xx"));
    CHECK_STR(
        rd_list(
            SCAN(
                ",'ScanFilter':{'v':{'ComparisonOperator':'EQ','AttributeValueList':[{'S':'x'}]}}"),
            "a"),
        "2 9");
    CHECK_STR(
        rd_list(SCAN(",'AttributesToGet':['a'],'ConditionalOperator':'OR','ScanFilter':{"
                     "'v':{'ComparisonOperator':'BEGINS_WITH','AttributeValueList':[{'S':'xx'}]},"
                     "'w':{'ComparisonOperator':'GT','AttributeValueList':[{'N':'3.5'}]}}"),
                "a"),
        "8 1");
    CHECK_STR(rd_list(SCAN(",'ScanFilter':{'w':{'ComparisonOperator':'NULL'}}"), "a"), "1");
    CHECK_STR(rd_list(SCAN(",'ScanFilter':{'a':{'ComparisonOperator':'IN','AttributeValueList':[{'"
                           "S':'1'},{'S':'8'}]}}"),
                      "a"),
              "8 1");
    CHECK_STR(SCAN(",'AttributesToGet':['v','none'],'Limit':1"),
              "{\"Items\":[{\"v\":{\"S\":\"x\"}}],\"Count\":1,\"ScannedCount\":1,"
              "\"LastEvaluatedKey\":{\"a\":{\"S\":\"2\"}}}");
    fx_close();
}

TEST(what_scan_refuses)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"'Segment':1", "The TotalSegments parameter is required but was not present in the "
                        "request when Segment parameter is present"},
        {"'TotalSegments':4", "The Segment parameter is required but was not present in the "
                              "request when parameter TotalSegments is present"},
        {"'Segment':5,'TotalSegments':5", "The Segment parameter is zero-based and must be less "
                                          "than parameter TotalSegments: Segment: 5 is not less "
                                          "than TotalSegments: 5"},
        {"'Segment':-1,'TotalSegments':4", "1 validation error detected: Value '-1' at 'segment' "
                                           "failed to satisfy constraint: Member must have value "
                                           "greater than or equal to 0"},
        {"'Segment':0,'TotalSegments':1000001",
         "1 validation error detected: Value '1000001' at 'totalSegments' failed to satisfy "
         "constraint: Member must "
         "have value less than or equal to 1000000"},
        {"'Limit':0", "1 validation error detected: Value '0' at 'limit' failed to satisfy "
                      "constraint: Member must have value "
                      "greater than or equal to 1"},
        {"'ExclusiveStartKey':{'bad':{'S':'p'}}", "The provided starting key is invalid: The "
                                                  "provided key element does not match the schema"},
        {"'ExclusiveStartKey':{'a':{'N':'1'}}", "The provided starting key is invalid: The "
                                                "provided key element does not match the schema"},
        {"'ExclusiveStartKey':{'a':{'S':'1'},'b':{'S':'1'}}",
         "The provided starting key is invalid: The provided key element does not match the "
         "schema"},
        {"'ExclusiveStartKey':{'a':{}}", "The provided starting key is invalid: Supplied "
                                         "AttributeValue is empty, must contain exactly one of the "
                                         "supported datatypes"},
        {"'ExclusiveStartKey':{'a':{'S':'a','N':'1'}}",
         "The provided starting key is invalid: Supplied AttributeValue has more than one "
         "datatypes set, must contain "
         "exactly one of the supported datatypes"},
        {"'ExclusiveStartKey':{'a':{'N':'b'}}",
         "The parameter cannot be converted to a numeric value: b"},
        {"'ExclusiveStartKey':{'a':{'S':'2'}},'Segment':1,'TotalSegments':2",
         "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
         "ExclusiveStartKey with correct "
         "Segment. TotalSegments: 2 Segment: 1"},
        {"'ExclusiveStartKey':{'a':{'S':'zapf'}},'Segment':0,'TotalSegments':2",
         "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
         "ExclusiveStartKey with correct "
         "Segment. TotalSegments: 2 Segment: 0"},
        {"'IndexName':'whatever'", "The table does not have the specified index: whatever"},
        {"'IndexName':'whatever','ExclusiveStartKey':{'a':{'S':'2'}}",
         "The provided starting key is invalid"},
        {"'Select':'SPECIFIC_ATTRIBUTES'",
         "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
         "SPECIFIC_ATTRIBUTES"},
        {"'Select':'ALL_ATTRIBUTES','ProjectionExpression':'a'",
         "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"},
        {"'Select':'COUNT','AttributesToGet':['a']",
         "Cannot specify the AttributesToGet when choosing to get only the Count"},
        {"'Select':'ALL_PROJECTED_ATTRIBUTES','ProjectionExpression':'a'",
         "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES"},
        {"'Select':'ALL_PROJECTED_ATTRIBUTES'",
         "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
        {"'Select':'count'",
         "1 validation error detected: Value 'count' at 'select' failed to satisfy constraint: "
         "Member must satisfy enum "
         "value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"},
        {"'FilterExpression':'attribute_exists(a.b.c) and x = b'",
         "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
         "allowed: Key: a"},
        {"'ProjectionExpression':'a[0]'", "Key attributes must be scalars; list random access '[]' "
                                          "and map lookup '.' are not allowed: Key: a"},
        {"'FilterExpression':'','AttributesToGet':['a'],'ScanFilter':{}",
         "Can not use both expression and non-expression parameters in the same request: "
         "Non-expression parameters: "
         "{AttributesToGet, ScanFilter} Expression parameters: {FilterExpression}"},
        {"'ExpressionAttributeNames':{'#a':'a'}",
         "ExpressionAttributeNames can only be specified when using expressions"},
        {"'ExpressionAttributeValues':{':a':{'S':'a'}}",
         "ExpressionAttributeValues can only be specified when using expressions: FilterExpression "
         "is null"},
        {"'ProjectionExpression':'a','ExpressionAttributeValues':{':a':{'S':'a'}}",
         "ExpressionAttributeValues can only be specified when using expressions: FilterExpression "
         "is null"},
        {"'FilterExpression':'x = :a','ExpressionAttributeValues':{':a':{'S':'a'},':b':{'S':'a'}}",
         "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"},
    };
    CHECK(rd_open(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(rd_call("Scan", FX("{'TableName':'hash',%s}", cases[i].body)),
                  FX("ValidationException: %s", cases[i].want));
    CHECK_STR(rd_call("Scan", "{'TableName':'nobody','ExclusiveStartKey':{'x':{'S':'1'}}}"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(rd_call("Scan", "{'TableName':'nobody','Segment':1}"),
              "ValidationException: The TotalSegments parameter is required but was not present in "
              "the request when "
              "Segment parameter is present");
    fx_close();
}

TEST(what_scans_of_indexes_refuse)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"'IndexName':'index3','ConsistentRead':true",
         "Consistent reads are not supported on global secondary indexes"},
        {"'IndexName':'index4','Select':'ALL_ATTRIBUTES'",
         "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "
         "for global secondary "
         "index index4 because its projection type is not ALL"},
        {"'IndexName':'index4','ProjectionExpression':'f, e, g.h'",
         "One or more parameter values were invalid: Global secondary index index4 does not "
         "project [f, g]"},
        {"'IndexName':'index3','ExclusiveStartKey':{'a':{'S':'1'},'b':{'S':'1'}}",
         "The provided starting key is invalid"},
        {"'IndexName':'index3','ExclusiveStartKey':{'a':{'S':'1'},'b':{'S':'1'},'d':{'S':'1'}}",
         "The provided starting key is invalid"},
        {"'IndexName':'index3','ExclusiveStartKey':{'a':{'S':'1'},'b':{'S':'1'},'c':{'N':'1'}}",
         "The provided key element does not match the schema"},
        {"'IndexName':'index3','ExclusiveStartKey':{'a':{'S':'1'},'b':{'N':'1'},'c':{'S':'1'}}",
         "The provided starting key is invalid: The provided key element does not match the "
         "schema"},
        {"'FilterExpression':'d.x = a'", "Key attributes must be scalars; list random access '[]' "
                                         "and map lookup '.' are not allowed: IndexKey: d"},
    };
    CHECK(rd_open(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(rd_call("Scan", FX("{'TableName':'range',%s}", cases[i].body)),
                  FX("ValidationException: %s", cases[i].want));
    fx_close();
}

TEST(damaged_rows_end_in_an_internal_error)
{
    CHECK(rd_open(fx_new_folder()));
    CHECK(put_keys("1 2 3"));
    fx_close();
    sqlite3 *h = NULL;
    CHECK_I64(sqlite3_open(FX("%s/puddle.db", fx_folder), &h), SQLITE_OK);
    CHECK_I64(sqlite3_exec(h, "UPDATE ddb_data_1 SET item = '{}' WHERE id = 2", NULL, NULL, NULL),
              SQLITE_OK);
    sqlite3_close(h);
    CHECK(fx_open(fx_folder));
    CHECK_STR(SCAN(""), "InternalServerError: Internal server error");
    CHECK_STR(SCAN(",'Select':'COUNT','Limit':1,'ExclusiveStartKey':{'a':{'S':'2'}}"),
              "{\"Count\":1,\"ScannedCount\":1,\"LastEvaluatedKey\":{\"a\":{\"S\":\"1\"}}}");
    fx_close();
    CHECK(fx_open(fx_folder));
    fault_setup("store.read:1");
    CHECK_STR(SCAN(""), "InternalServerError: Internal server error");
    fault_setup(NULL);
    fx_close();
    file_remove_tree(fx_folder);
}
