/* links: puddle_dynamo */
/* Query: what it returns. Orders and numbers as they were recorded from DynamoDB by public suites.
 */
#include "read_fixture.h"

#define QUERY(body) rd_call("Query", "{'TableName':'range'," body "}")
#define KEYS(expression, values)                                                                   \
    "'KeyConditionExpression':'" expression "','ExpressionAttributeValues':{" values "}"

static bool put_all(const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!rd_put("range", items[i]))
            return false;
    }
    return true;
}
#define PUT(...)                                                                                   \
    do {                                                                                           \
        const char *const items_[] = {__VA_ARGS__};                                                \
        CHECK(put_all(items_, sizeof items_ / sizeof *items_));                                    \
    } while (0)

TEST(sort_key_conditions_select_their_ranges)
{
    CHECK(rd_open(NULL));
    PUT("a=x b=1", "a=x b=2", "a=x b=3", "a=x b=aa", "a=x b=aab", "a=x b=ab", "a=x b=abc",
        "a=x b=ac", "a=w b=2", "a=y b=2");
    static const struct {
        const char *condition, *want;
    } cases[] = {
        {"a = :a", "1 2 3 aa aab ab abc ac"},
        {"a = :a AND b = :b", "2"},
        {"a = :a AND b <= :b", "1 2"},
        {"a = :a AND b < :b", "1"},
        {"a = :a AND b >= :b", "2 3 aa aab ab abc ac"},
        {"a = :a AND b > :b", "3 aa aab ab abc ac"},
        {"a = :a AND :b > b", "1"},
        {"b > :b and a = :a", "3 aa aab ab abc ac"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *two = strstr(cases[i].condition, ":b") != NULL ? ",':b':{'S':'2'}" : "";
        CHECK_STR(rd_list(rd_call("Query", FX("{'TableName':'range','KeyConditionExpression':'%s',"
                                              "'ExpressionAttributeValues':{':a':{'S':'x'}%s}}",
                                              cases[i].condition, two)),
                          "b"),
                  cases[i].want);
    }
    CHECK_STR(
        rd_list(QUERY(KEYS("a = :a AND begins_with(b, :b)", "':a':{'S':'x'},':b':{'S':'aa'}")),
                "b"),
        "aa aab");
    CHECK_STR(rd_list(QUERY(KEYS("a = :a AND b BETWEEN :b AND :c",
                                 "':a':{'S':'x'},':b':{'S':'ab'},':c':{'S':'ac'}")),
                      "b"),
              "ab abc ac");
    CHECK_STR(QUERY(KEYS("a = :a", "':a':{'S':'none'}")),
              "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
    fx_close();
}

TEST(older_key_conditions_say_the_same)
{
    CHECK(rd_open(NULL));
    PUT("a=x b=1", "a=x b=2", "a=x b=3", "a=y b=2");
    CHECK_STR(
        rd_list(
            QUERY(
                "'KeyConditions':{'a':{'ComparisonOperator':'EQ','AttributeValueList':[{'S':'x'}]},"
                "'b':{'ComparisonOperator':'GE','AttributeValueList':[{'S':'2'}]}}"),
            "b"),
        "2 3");
    CHECK_STR(
        rd_list(QUERY("'KeyConditions':{'b':{'ComparisonOperator':'BETWEEN','AttributeValueList':["
                      "{'S':'1'},{'S':'2'}]},'a':{'ComparisonOperator':'EQ','AttributeValueList':["
                      "{'S':'x'}]}},'ScanIndexForward':false"),
                "b"),
        "2 1");
    CHECK_STR(
        QUERY("'KeyConditions':{'a':{'ComparisonOperator':'EQ','AttributeValueList':[{'S':'x'}]}},"
              "'QueryFilter':{'b2':{'ComparisonOperator':'NOT_NULL'}},'AttributesToGet':['b']"),
        "{\"Items\":[],\"Count\":0,\"ScannedCount\":3}");
    fx_close();
}

TEST(numbers_and_binaries_sort_by_value)
{
    CHECK(rd_open(NULL));
    fx_call("CreateTable",
            "{\"TableName\":\"num\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"
            "[" RD_DEF("a", "S") "," RD_DEF("b", "N") "],\"KeySchema\":[" RD_KEY(
                "a", "HASH") "," RD_KEY("b", "RANGE") "]}");
    static const char *const given[] = {"0",     "99.1",  "10.9",  "10.1",  "9.1",   "9",
                                        "1.9",   "1.1",   "1",     "0.9",   "0.1",   "0.09",
                                        "0.01",  "-0.01", "-0.09", "-0.1",  "-0.9",  "-1",
                                        "-1.01", "-9",    "-9.9",  "-10.1", "-99.1", "1e30"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        CHECK(rd_put("num", FX("a=x b=#%s", given[i])));
    CHECK_STR(
        rd_list(rd_call("Query", "{'TableName':'num'," KEYS("a = :a", "':a':{'S':'x'}") "}"), "b"),
        "-99.1 -10.1 -9.9 -9 -1.01 -1 -0.9 -0.1 -0.09 -0.01 0 0.01 0.09 0.1 0.9 1 1.1 1.9 9 9.1 "
        "10.1 10.9 "
        "99.1 1000000000000000000000000000000");
    CHECK_STR(rd_list(rd_call("Query", "{'TableName':'num'," KEYS(
                                           "a = :a and b between :b and :c",
                                           "':a':{'S':'x'},':b':{'N':'-1'},':c':{'N':'0.10'}") "}"),
                      "b"),
              "-1 -0.9 -0.1 -0.09 -0.01 0 0.01 0.09 0.1");
    CHECK_STR(
        rd_list(rd_call("Query", "{'TableName':'num'," KEYS(
                                     "a = :a and b = :b", "':a':{'S':'x'},':b':{'N':'1.0E1'}") "}"),
                "b"),
        "");
    CHECK_STR(rd_list(rd_call("Query",
                              "{'TableName':'num'," KEYS("a = :a and b >= :b",
                                                         "':a':{'S':'x'},':b':{'N':'99.10'}") "}"),
                      "b"),
              "99.1 1000000000000000000000000000000");
    fx_call("CreateTable",
            "{\"TableName\":\"bin\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"
            "[" RD_DEF("a", "S") "," RD_DEF("b", "B") "],\"KeySchema\":[" RD_KEY(
                "a", "HASH") "," RD_KEY("b", "RANGE") "]}");
    static const char *const bytes[] = {
        "1Py5xA==", "JA==",     "2w==",     "cAeRhZE=", "6piVtA==", "MjA0", "1g==",
        "ER/jLQ==", "T7MzEUw=", "9FkiOH0=", "Iv/a",     "9V0=",     "//8=", "/w=="};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        CHECK_STR(
            fx_call(
                "PutItem",
                FX("{\"TableName\":\"bin\",\"Item\":{\"a\":{\"S\":\"x\"},\"b\":{\"B\":\"%s\"}}}",
                   bytes[i])),
            "{}");
    CHECK_STR(
        rd_list(rd_call("Query", "{'TableName':'bin'," KEYS("a = :a", "':a':{'S':'x'}") "}"), "b"),
        "ER/jLQ== Iv/a JA== MjA0 T7MzEUw= cAeRhZE= 1Py5xA== 1g== 2w== 6piVtA== 9FkiOH0= 9V0= /w== "
        "//8=");
    CHECK_STR(rd_list(rd_call("Query",
                              "{'TableName':'bin'," KEYS("a = :a and begins_with(b, :b)",
                                                         "':a':{'S':'x'},':b':{'B':'/w=='}") "}"),
                      "b"),
              "/w== //8=");
    fx_close();
}

TEST(order_of_equal_index_keys_is_dynamodbs)
{
    CHECK(rd_open(NULL));
    PUT("a=a b=a c=C d=a", "a=b b=b c=C d=a", "a=c b=e c=C d=a", "a=c b=d c=C d=a",
        "a=c b=c c=c d=a", "a=d b=a c=C d=a", "a=e b=a c=C d=a");
    struct str page =
        QUERY("'IndexName':'index3','Limit':4,'ReturnConsumedCapacity':'INDEXES'," KEYS(
            "c = :c", "':c':{'S':'C'}"));
    CHECK_STR(rd_list(page, "a"), "b a c e");
    CHECK_STR(fx_get(page, "LastEvaluatedKey"),
              "{\"a\":{\"S\":\"e\"},\"b\":{\"S\":\"a\"},\"c\":{\"S\":\"C\"}}");
    CHECK_STR(fx_get(page, "ConsumedCapacity"),
              "{\"TableName\":\"range\",\"CapacityUnits\":0.5,\"Table\":{\"CapacityUnits\":0},"
              "\"GlobalSecondaryIndexes\":{\"index3\":{\"CapacityUnits\":0.5}}}");
    page = QUERY("'IndexName':'index3','Limit':4,'ScanIndexForward':false," KEYS("c = :c",
                                                                                 "':c':{'S':'C'}"));
    CHECK_STR(rd_list(page, "b"), "d a a e");
    CHECK_STR(
        rd_list(
            QUERY("'IndexName':'index3','Limit':2,'ExclusiveStartKey':{'a':{'S':'c'},'b':{'S':'e'},"
                  "'c':{'S':'C'}}," KEYS("c = :c", "':c':{'S':'C'}")),
            "a"),
        "e d");
    CHECK_STR(
        rd_list(
            QUERY("'IndexName':'index3','Limit':2,'ScanIndexForward':false,'ExclusiveStartKey':{"
                  "'a':{'S':'e'},'b':{'S':'a'},'c':{'S':'C'}}," KEYS("c = :c", "':c':{'S':'C'}")),
            "a"),
        "c a");
    fx_close();
}

TEST(pages_go_on_when_their_last_item_is_gone)
{
    CHECK(rd_open(NULL));
    PUT("a=a b=a c=C", "a=b b=b c=C", "a=c b=e c=C", "a=c b=d c=C");
    struct str page = QUERY("'IndexName':'index3','Limit':2," KEYS("c = :c", "':c':{'S':'C'}"));
    CHECK_STR(rd_list(page, "a"), "b a");
    rd_call("DeleteItem", "{'TableName':'range','Key':{'a':{'S':'a'},'b':{'S':'a'}}}");
    CHECK_STR(rd_list(QUERY("'IndexName':'index3','ExclusiveStartKey':{'a':{'S':'a'},'b':{'S':'a'},"
                            "'c':{'S':'C'}}," KEYS("c = :c", "':c':{'S':'C'}")),
                      "b"),
              "e d");
    fx_close();
}

TEST(limit_counts_before_the_filter_and_always_gives_a_key)
{
    CHECK(rd_open(NULL));
    PUT("a=x b=1 d=d", "a=x b=2", "a=x b=3 d=d", "a=x b=4");
    CHECK_STR(QUERY("'Limit':2,'Select':'COUNT'," KEYS("a = :a", "':a':{'S':'x'}")),
              "{\"Count\":2,\"ScannedCount\":2,\"LastEvaluatedKey\":{\"a\":{\"S\":\"x\"},\"b\":{"
              "\"S\":\"2\"}}}");
    struct str page = QUERY(
        "'Limit':2,'FilterExpression':'d = :d'," KEYS("a = :a", "':a':{'S':'x'},':d':{'S':'d'}"));
    CHECK_STR(rd_list(page, "b"), "1");
    CHECK_STR(fx_get(page, "ScannedCount"), "2");
    CHECK_STR(fx_get(page, "LastEvaluatedKey"), "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"2\"}}");
    page = QUERY("'Limit':4," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "LastEvaluatedKey"), "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"4\"}}");
    page = QUERY("'Limit':5," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "LastEvaluatedKey"), "(missing)");
    page = QUERY(
        "'ExclusiveStartKey':{'a':{'S':'x'},'b':{'S':'4'}}," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(page, "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
    fx_close();
}

TEST(page_ends_with_the_row_that_fills_a_megabyte)
{
    CHECK(rd_open(NULL));
    const char *big = fx_repeat('v', 262144 - 5); /* a=x b=N and the name v: 262144 bytes an item */
    for (int i = 1; i <= 5; i++)
        CHECK(rd_put("range", FX("a=x b=%d v=%s", i, big)));
    struct str page = QUERY(KEYS("a = :a", "':a':{'S':'x'}") ",'ProjectionExpression':'b'");
    CHECK_STR(rd_list(page, "b"), "1 2 3 4");
    CHECK_STR(fx_get(page, "LastEvaluatedKey"), "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"4\"}}");
    rd_put("range", FX("a=x b=3 v=%s", big + 1)); /* a byte less: the page has room for one more */
    page =
        QUERY(KEYS("a = :a", "':a':{'S':'x'},':n':{'S':'no'}") ",'FilterExpression':'v = :n',"
                                                               "'ReturnConsumedCapacity':'TOTAL'");
    CHECK_STR(fx_get(page, "ScannedCount"), "5");
    CHECK_STR(fx_get(page, "Count"), "0");
    CHECK_STR(fx_get(page, "LastEvaluatedKey"), "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"5\"}}");
    CHECK_STR(fx_get(page, "ConsumedCapacity/CapacityUnits"), "160");
    fx_close();
}

TEST(index_reads_give_what_is_projected_and_fetch_the_rest_for_local_ones)
{
    CHECK(rd_open(NULL));
    PUT("a=x b=b1 c=c1 d=d1", "a=x b=b2", "a=x b=b3 d=d3 e=e3 f=f3", "a=x b=b4 c=c4 d=d4 e=e4");
    struct str page =
        QUERY("'IndexName':'index2','ConsistentRead':true,'ReturnConsumedCapacity':'INDEXES'," KEYS(
            "a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "Items/1"),
              "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"b3\"},\"d\":{\"S\":\"d3\"}}");
    CHECK_STR(fx_get(page, "Count"), "3");
    CHECK_STR(fx_get(page, "ConsumedCapacity"),
              "{\"TableName\":\"range\",\"CapacityUnits\":1,\"Table\":{\"CapacityUnits\":0},"
              "\"LocalSecondaryIndexes\":{\"index2\":{\"CapacityUnits\":1}}}");
    page = QUERY("'IndexName':'index2','Select':'ALL_ATTRIBUTES','ConsistentRead':true,"
                 "'ReturnConsumedCapacity':'INDEXES'," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(rd_list(page, "e"), "- e3 e4");
    CHECK_STR(fx_get(page, "ConsumedCapacity"),
              "{\"TableName\":\"range\",\"CapacityUnits\":2,\"Table\":{\"CapacityUnits\":1},"
              "\"LocalSecondaryIndexes\":{\"index2\":{\"CapacityUnits\":1}}}");
    page = QUERY(
        "'IndexName':'index2','ProjectionExpression':'b, e'," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "Items"),
              "[{\"b\":{\"S\":\"b1\"}},{\"b\":{\"S\":\"b3\"},\"e\":{\"S\":\"e3\"}},"
              "{\"b\":{\"S\":\"b4\"},\"e\":{\"S\":\"e4\"}}]");
    page =
        QUERY("'IndexName':'index4','ProjectionExpression':'e, b','ScanIndexForward':false," KEYS(
            "c = :c AND d > :d", "':c':{'S':'c4'},':d':{'S':'d'}"));
    CHECK_STR(fx_get(page, "Items"), "[{\"b\":{\"S\":\"b4\"},\"e\":{\"S\":\"e4\"}}]");
    page = QUERY("'IndexName':'index4','Select':'ALL_PROJECTED_ATTRIBUTES'," KEYS(
        "c = :c", "':c':{'S':'c4'}"));
    CHECK_STR(fx_get(page, "Items/0/e/S"), "\"e4\"");
    fx_close();
}

TEST(capacity_sums_sizes_first_and_fetches_too)
{
    CHECK(rd_open(NULL));
    const char *e = fx_repeat('e', 4000);
    for (int i = 0; i < 3; i++)
        CHECK(rd_put("range", FX("a=x b=%d c=c d=d e=%s", i, e)));
    struct str page = QUERY(
        "'ReturnConsumedCapacity':'TOTAL','ConsistentRead':true," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "ConsumedCapacity"), "{\"TableName\":\"range\",\"CapacityUnits\":3}");
    page = QUERY("'ReturnConsumedCapacity':'TOTAL'," KEYS("a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "ConsumedCapacity/CapacityUnits"), "1.5");
    page = QUERY(
        "'ReturnConsumedCapacity':'TOTAL','IndexName':'index2','Select':'ALL_ATTRIBUTES'," KEYS(
            "a = :a", "':a':{'S':'x'}"));
    CHECK_STR(fx_get(page, "ConsumedCapacity/CapacityUnits"), "2");
    page = QUERY("'ReturnConsumedCapacity':'INDEXES'," KEYS("a = :a", "':a':{'S':'none'}"));
    CHECK_STR(fx_get(page, "ConsumedCapacity"),
              "{\"TableName\":\"range\",\"CapacityUnits\":0.5,\"Table\":{\"CapacityUnits\":0.5}}");
    CHECK_STR(fx_get(QUERY(KEYS("a = :a", "':a':{'S':'x'}")), "ConsumedCapacity"), "(missing)");
    fx_close();
}

#define MULTI                                                                                                                                                                        \
    "{\"TableName\":\"range\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"                                                                                         \
    "[" RD_DEF("pk", "S") "," RD_DEF("h", "S") "," RD_DEF("h2", "N") "," RD_DEF("a", "S") "," RD_DEF("b", "S") "," RD_DEF("c", "N") "," RD_DEF("d", "S") "],\"KeySchema\":[" RD_KEY( \
        "pk",                                                                                                                                                                        \
        "HASH") "],\"GlobalSecondaryIndexes\":[" RD_INDEX("gsi",                                                                                                                     \
                                                          RD_KEY("h", "HASH") "," RD_KEY(                                                                                            \
                                                              "a",                                                                                                                   \
                                                              "RA"                                                                                                                   \
                                                              "NG"                                                                                                                   \
                                                              "E") "," RD_KEY("b",                                                                                                   \
                                                                              "RANGE") "," RD_KEY("c",                                                                               \
                                                                                                  "RANGE") "," RD_KEY("d",                                                           \
                                                                                                                      "RANGE"),                                                      \
                                                          "\"ALL\"") "," RD_INDEX("two",                                                                                             \
                                                                                  RD_KEY(                                                                                            \
                                                                                      "h",                                                                                           \
                                                                                      "HA"                                                                                           \
                                                                                      "S"                                                                                            \
                                                                                      "H") "," RD_KEY("h2",                                                                          \
                                                                                                      "HASH") "," RD_KEY("a",                                                        \
                                                                                                                         "RANGE"),                                                   \
                                                                                  "\"KEYS_ONLY\"") "]}"

static struct str multi(const char *condition, const char *extra)
{
    static const char *const values[] = {":h=o1", ":a=T",  ":b=live", ":c=#2",
                                         ":d=r",  ":x=r1", ":n=#7"};
    struct buf *b = arena_new_buf(fx_arena, 4096);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char name[3] = {values[i][0], values[i][1], 0};
        bool number = values[i][3] == '#';
        if (strstr(condition, name) != NULL)
            buf_addf(b, "%s'%s':{'%s':'%s'}", b->n > 0 ? "," : "", name, number ? "N" : "S",
                     values[i] + 3 + number);
    }
    return rd_call("Query", FX("{'TableName':'range',%s,'KeyConditionExpression':'%s',"
                               "'ExpressionAttributeValues':{%.*s}}",
                               extra, condition, STR_ARG(buf_view(b))));
}

TEST(keys_of_several_attributes)
{
    CHECK(fx_open(NULL));
    CHECK(str_find_str(fx_call("CreateTable", MULTI), STR("TableId")) >= 0);
    PUT("pk=p1 h=o1 a=T b=live c=#10 d=r1", "pk=p2 h=o1 a=T b=live c=#2 d=r2",
        "pk=p3 h=o1 a=T b=live c=#2 d=r1", "pk=p4 h=o1 a=T b=draft c=#3 d=r1",
        "pk=p5 h=o1 a=F b=live c=#2 d=r0", "pk=p6 h=o1 a=T b=live d=r1", "pk=p7 h=o1 h2=#7 a=T",
        "pk=p8 h=o1 h2=#8 a=T");
    static const struct {
        const char *condition, *want;
    } cases[] = {
        {"h = :h", "p5 p4 p3 p2 p1"},
        {"h = :h AND a = :a", "p4 p3 p2 p1"},
        {"h = :h AND a = :a AND b = :b", "p3 p2 p1"},
        {"h = :h AND a = :a AND b = :b AND c = :c", "p3 p2"},
        {"h = :h AND a = :a AND b = :b AND c > :c", "p1"},
        {"h = :h AND a = :a AND b = :b AND c >= :c", "p3 p2 p1"},
        {"h = :h AND a = :a AND b = :b AND c <= :c", "p3 p2"},
        {"h = :h AND a = :a AND b = :b AND c = :c AND begins_with(d, :d)", "p3 p2"},
        {"h = :h AND a = :a AND b = :b AND c = :c AND d BETWEEN :x AND :x", "p3"},
        {"h = :h AND a = :a AND b < :b", "p4"},
        {"b = :b AND h = :h AND a = :a", "p3 p2 p1"},
        {"h = :h AND a = :a AND c = :c", "ValidationException: RANGE key attributes b must have "
                                         "equality conditions specified in the query "
                                         "because a condition is present on key attribute c"},
        {"h = :h AND a = :a AND b > :b AND c = :c",
         "ValidationException: RANGE key attributes b must have equality conditions specified in "
         "the query "
         "because a condition is present on key attribute c"},
        {"h = :h AND b = :b", "ValidationException: RANGE key attributes a must have equality "
                              "conditions specified in the query "
                              "because a condition is present on key attribute b"},
        {"h = :h AND a = :a AND pk = :x", "ValidationException: Query key condition not supported"},
        {"a = :a", "ValidationException: Query condition missed key schema element: h"},
        {"h = :n", "ValidationException: One or more parameter values were invalid: Condition "
                   "parameter type does not "
                   "match schema type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(rd_list(multi(cases[i].condition, "'IndexName':'gsi'"), "pk"), cases[i].want);
    CHECK_STR(
        rd_list(multi("h = :h AND a = :a", "'IndexName':'gsi','ScanIndexForward':false"), "pk"),
        "p1 p2 p3 p4");
    struct str page = multi("h = :h AND a = :a", "'IndexName':'gsi','Limit':2");
    CHECK_STR(rd_list(page, "pk"), "p4 p3");
    CHECK_STR(
        fx_get(page, "LastEvaluatedKey"),
        "{\"pk\":{\"S\":\"p3\"},\"h\":{\"S\":\"o1\"},\"a\":{\"S\":\"T\"},\"b\":{\"S\":\"live\"},"
        "\"c\":{\"N\":\"2\"},\"d\":{\"S\":\"r1\"}}");
    page = multi("h = :h AND a = :a", FX("'IndexName':'gsi','ExclusiveStartKey':%.*s",
                                         STR_ARG(fx_get(page, "LastEvaluatedKey"))));
    CHECK_STR(rd_list(page, "pk"), "p2 p1");
    CHECK_STR(rd_list(multi("h = :h AND h2 = :n", "'IndexName':'two'"), "pk"), "p7");
    CHECK_STR(multi("h = :h", "'IndexName':'two'"),
              "ValidationException: HASH key attributes h2 must have equality conditions specified "
              "in the query");
    CHECK_STR(multi("h = :h AND h2 > :n", "'IndexName':'two'"),
              "ValidationException: HASH key attributes h2 must have equality conditions specified "
              "in the query");
    CHECK_STR(multi("h = :h AND h2 = :n",
                    "'IndexName':'two','ExclusiveStartKey':{'pk':{'S':'p'},'h':{'S':'o1'},"
                    "'a':{'S':'T'}}"),
              "ValidationException: The provided starting key is invalid");
    fx_close();
}
