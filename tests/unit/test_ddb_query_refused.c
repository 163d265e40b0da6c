/* links: puddle_dynamo */
/* What Query refuses, in which words, and what it sees first. Texts as recorded from DynamoDB by
 * public suites; where only the order is ours the case says so. */
#include "read_fixture.h"

#define A_IS_B "'KeyConditionExpression':'a = :a','ExpressionAttributeValues':{':a':{'S':'b'}}"
#define C_IS_B "'KeyConditionExpression':'c = :a','ExpressionAttributeValues':{':a':{'S':'b'}}"
#define Z_IS_1 "'KeyConditionExpression':'z = :a','ExpressionAttributeValues':{':a':{'N':'1'}}"
#define Z_BETWEEN                                                                                  \
    "'KeyConditionExpression':'z between :a and :b','ExpressionAttributeValues':{':a':{'N':'1'},"  \
    "':b':{'N':'1'}}"
#define KEYS(text, values)                                                                         \
    "'KeyConditionExpression':'" text "','ExpressionAttributeValues':{" values "}"
#define START(key)    ",'ExclusiveStartKey':{" key "}"
#define ENVELOPE      "1 validation error detected: "
#define INVALID       "One or more parameter values were invalid: "
#define BAD_START     "The provided starting key is invalid"
#define BAD_SCHEMA    "The provided key element does not match the schema"
#define OUTSIDE       "The provided starting key is outside query boundaries based on provided conditions"
#define NOT_PREDICATE "The provided starting key does not match the range key predicate"
#define ONE_ROW       "The query can return at most one row and cannot be restarted"
#define UNSUPPORTED   "Query key condition not supported"
#define MISSED        "Query condition missed key schema element: "

struct refusal {
    const char *table, *body, *want;
};

static bool refused(const struct refusal *cases, size_t count)
{
    bool ok = rd_open(NULL);
    for (size_t i = 0; i < count && ok; i++) {
        struct str got =
            rd_call("Query", FX("{'TableName':'%s',%s}", cases[i].table, cases[i].body));
        ok = str_eq_c(got, FX("ValidationException: %s", cases[i].want));
        if (!ok)
            fprintf(stderr, "  %s\n    got  %.*s\n    want %s\n", cases[i].body, STR_ARG(got),
                    cases[i].want);
    }
    fx_close();
    return ok;
}
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        static const struct refusal cases_[] = {__VA_ARGS__};                                      \
        CHECK(refused(cases_, sizeof cases_ / sizeof *cases_));                                    \
    } while (0)

TEST(key_conditions_must_be_the_keys)
{
    REFUSED(
        {"range", KEYS("b = :a", "':a':{'S':'x'}"), MISSED "a"},
        {"range", KEYS("attr1 = :a", "':a':{'S':'x'}"), MISSED "a"},
        {"range", KEYS("a = :a and c = :b", "':a':{'S':'b'},':b':{'N':'1'}"), MISSED "b"},
        {"range",
         "'IndexName':'index1'," KEYS("a = :a and b = :b", "':a':{'S':'b'},':b':{'N':'1'}"),
         MISSED "c"},
        {"range",
         "'IndexName':'index4'," KEYS("c = :a and b = :b", "':a':{'S':'b'},':b':{'N':'1'}"),
         MISSED "d"},
        {"range", "'IndexName':'index3'," Z_BETWEEN, MISSED "c"},
        {"hash", KEYS("a > :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS("a < :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS(":a <= a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS("begins_with(a, :a)", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS("a between :a and :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS("a = :a AND b = :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS("y = :a and z = :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"range", "'IndexName':'index3'," KEYS("c = :a AND b = :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"range", "'IndexName':'index3'," KEYS("y = :a AND z = :a", "':a':{'S':'1'}"), UNSUPPORTED},
        {"hash", KEYS(":a > a", "':a':{'N':'1'}"),
         INVALID "Condition parameter type does not match schema type"},
        {"range", KEYS("a = :a and b = :b", "':a':{'S':'1'},':b':{'N':'1'}"),
         INVALID "Condition parameter type does not match schema type"},
        {"range",
         KEYS("a = :a and b between :a and :b and c = :c",
              "':a':{'S':'1'},':b':{'S':'2'},':c':{'S':'1'}"),
         "The number of query conditions (3) exceeds the number of key attributes defined in the "
         "schema (2)"},
        {"hash", "'FilterExpression':'x = :a','ExpressionAttributeValues':{':a':{'S':'1'}}",
         "Either the KeyConditions or KeyConditionExpression parameter must be specified in the "
         "request."});
}

#define OLDER(op, values) "{'ComparisonOperator':'" op "'" values "}"
#define LIST(values)      ",'AttributeValueList':[" values "]"

TEST(older_conditions_must_be_indexable_keys)
{
#define NOT_INDEXABLE "Attempted conditional constraint is not an indexable operation"
    REFUSED(
        {"hash", "'KeyConditions':{'a':" OLDER("NULL", "") "}", NOT_INDEXABLE},
        {"hash", "'KeyConditions':{'a':" OLDER("NE", LIST("{'N':'1'}")) "}", NOT_INDEXABLE},
        {"hash", "'KeyConditions':{'a':" OLDER("IN", LIST("{'S':'a'}")) "}", NOT_INDEXABLE},
        {"range",
         "'KeyConditions':{'a':" OLDER("EQ", LIST("{'S':'b'}")) ",'b':" OLDER(
             "CONTAINS", LIST("{'S':'b'}")) "}" START("'a':{'S':'a'},'b':{'S':'a'}"),
         NOT_INDEXABLE},
        {"range",
         "'IndexName':'index1','KeyConditions':{'a':" OLDER("EQ", LIST("{'S':'b'}")) ",'c':" OLDER(
             "NULL", "") "}",
         NOT_INDEXABLE},
        {"range", "'KeyConditions':{'z':" OLDER("NULL", "") "}", MISSED "a"},
        {"range",
         "'KeyConditions':{'a':" OLDER("EQ", LIST("{'S':'b'}")) ",'c':" OLDER("NULL", "") "}",
         MISSED "b"},
        {"hash", "'KeyConditions':{'z':" OLDER("NULL", "") "}" START(""), BAD_START},
        {"hash", "'KeyConditions':{'a':" OLDER("LE", LIST("{'S':'b'}")) "}", UNSUPPORTED},
        {"hash", "'KeyConditions':{'a':" OLDER("BETWEEN", LIST("{'S':'a'},{'S':'a'}")) "}",
         UNSUPPORTED},
        {"hash", "'KeyConditions':{}", "Conditions can be of length 1 or 2 only"},
        {"hash",
         "'KeyConditions':{'a':" OLDER("NULL", "") ",'b':" OLDER("NULL", "") ",'c':" OLDER("NULL",
                                                                                           "") "}",
         "Conditions can be of length 1 or 2 only"},
        {"hash", "'KeyConditions':{'a':" OLDER("EQ", "") "}",
         INVALID "Invalid number of argument(s) for the EQ ComparisonOperator"},
        {"hash", "'KeyConditions':{'a':" OLDER("BEGINS_WITH", LIST("{'N':'1'}")) "}",
         INVALID "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"},
        {"hash", "'KeyConditions':{'a':" OLDER("BETWEEN", LIST("{'S':'b'},{'S':'a'}")) "}",
         "The BETWEEN condition was provided a range where the lower bound is greater than the "
         "upper bound"},
        {"hash",
         "'KeyConditions':{'a':" OLDER("EQ", LIST("{'S':'a'}")) "},'QueryFilter':{'a':" OLDER(
             "EQ", LIST("{'S':'a'}")) "}",
         "QueryFilter can only contain non-primary key attributes: Primary key attribute: a"},
        {"range",
         "'IndexName':'index4','Select':'ALL_ATTRIBUTES','KeyConditions':{'c':" OLDER(
             "EQ", LIST("{'S':'a'}")) "},'QueryFilter':{'d':" OLDER("EQ", LIST("{'S':'a'}")) "}",
         "QueryFilter can only contain non-primary key attributes: Primary key attribute: d"},
        {"hash",
         "'KeyConditions':{'a':" OLDER("EQ", LIST("{}")) "},'QueryFilter':{'x':" OLDER(
             "EQ", LIST("{},{'S':''}")) "}",
         "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
        {"hash",
         "'KeyConditions':{'a':" OLDER("EQ", LIST("{'S':'a'}")) "},'AttributesToGet':['a','a']",
         INVALID "Duplicate value in attribute name: a"});
    CHECK(rd_open(NULL));
    CHECK_STR(
        rd_call("Query", "{'TableName':'nobody','KeyConditions':{'z':" OLDER("NULL", "") "}}"),
        "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(empty_and_long_key_values)
{
    REFUSED({"hash", KEYS("a = :a", "':a':{'S':''}"),
             "One or more parameter values are not valid. The AttributeValue for a key attribute "
             "cannot contain an "
             "empty string value. Key: a"},
            {"range", KEYS("a = :a and b = :b", "':a':{'S':'x'},':b':{'S':''}"),
             "One or more parameter values are not valid. The AttributeValue for a key attribute "
             "cannot contain an "
             "empty string value. Key: b"},
            {"range", "'IndexName':'index3'," KEYS("c = :a", "':a':{'S':''}"),
             "One or more parameter values are not valid. A value specified for a secondary index "
             "key is not "
             "supported. The AttributeValue for a key attribute cannot contain an empty string "
             "value. IndexName: "
             "index3, IndexKey: c"});
    CHECK(rd_open(NULL));
    CHECK_STR(rd_call("Query", FX("{'TableName':'hash','KeyConditionExpression':'a = :a',"
                                  "'ExpressionAttributeValues':{':a':{'S':'%s'}}}",
                                  fx_repeat('x', 2048))),
              "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
    CHECK_STR(rd_call("Query", FX("{'TableName':'hash','KeyConditionExpression':'a = :a',"
                                  "'ExpressionAttributeValues':{':a':{'S':'%s'}}}",
                                  fx_repeat('x', 2049))),
              "ValidationException: " INVALID
              "Size of hashkey has exceeded the maximum size limit of2048 bytes");
    CHECK_STR(
        rd_call("Query", FX("{'TableName':'range','KeyConditionExpression':'a = :a and b < :b',"
                            "'ExpressionAttributeValues':{':a':{'S':'x'},':b':{'S':'%s'}}}",
                            fx_repeat('x', 1024))),
        "{\"Items\":[],\"Count\":0,\"ScannedCount\":0}");
    CHECK_STR(
        rd_call("Query", FX("{'TableName':'range','KeyConditionExpression':'a = :a and b < :b',"
                            "'ExpressionAttributeValues':{':a':{'S':'x'},':b':{'S':'%s'}}}",
                            fx_repeat('x', 1025))),
        "ValidationException: " INVALID
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
    fx_close();
}

TEST(start_keys_must_be_keys)
{
    REFUSED(
        {"hash", Z_IS_1 START(""), BAD_START}, {"hash", Z_IS_1 START("'b':{'S':'a'}"), BAD_START},
        {"hash", Z_IS_1 START("'a':{'S':'a'},'b':{'S':'a'}"), BAD_START},
        {"range", Z_IS_1 START("'a':{'S':'a'}"), BAD_START},
        {"range", Z_IS_1 START("'b':{'S':'a'},'c':{'S':'b'}"), BAD_START},
        {"range", "'IndexName':'index1'," Z_IS_1 START("'a':{'S':'a'},'b':{'S':'a'}"), BAD_START},
        {"range", "'IndexName':'index3'," Z_IS_1 START("'a':{'S':'a'},'b':{'S':'a'},'z':{'S':'a'}"),
         BAD_START},
        {"range", "'IndexName':'index3'," Z_IS_1 START("'c':{'S':'1'}"), BAD_START},
        {"hash", Z_IS_1 START("'a':{'N':'1'}"), BAD_SCHEMA},
        {"hash", Z_IS_1 START("'a':{'SS':['a']}"), BAD_SCHEMA},
        {"range", Z_IS_1 START("'a':{'N':'1'},'z':{'S':'a'}"), BAD_SCHEMA},
        {"range", "'IndexName':'index3'," Z_IS_1 START("'x':{'S':'1'},'y':{'S':'1'},'c':{'N':'1'}"),
         BAD_SCHEMA},
        {"range", Z_BETWEEN START("'a':{'S':'a'},'z':{'S':'1'}"), MISSED "a"},
        {"range",
         "'IndexName':'index1'," Z_BETWEEN START("'a':{'S':'1'},'b':{'N':'1'},'c':{'N':'1'}"),
         MISSED "a"},
        {"range",
         "'IndexName':'index3'," Z_BETWEEN START("'x':{'N':'1'},'y':{'N':'1'},'c':{'S':'1'}"),
         MISSED "c"},
        {"range", A_IS_B START("'a':{'S':'a'},'c':{'N':'1'}"), BAD_START},
        {"range", A_IS_B START("'a':{'S':'a'},'b':{'N':'1'}"), BAD_SCHEMA},
        {"range", "'IndexName':'index1'," A_IS_B START("'a':{'S':'1'},'b':{'N':'1'},'c':{'S':'a'}"),
         BAD_START ": " BAD_SCHEMA},
        {"range", "'IndexName':'index3'," C_IS_B START("'x':{'N':'1'},'y':{'N':'1'},'c':{'S':'a'}"),
         BAD_START ": " BAD_SCHEMA},
        {"range", A_IS_B START("'a':{'S':'a'},'b':{'S':'a'}"), OUTSIDE},
        {"range", "'IndexName':'index1'," A_IS_B START("'a':{'S':'a'},'b':{'S':'a'},'c':{'S':'a'}"),
         OUTSIDE},
        {"range",
         "'IndexName':'index4'," C_IS_B START(
             "'a':{'S':'a'},'b':{'S':'a'},'c':{'S':'a'},'d':{'S':'a'}"),
         OUTSIDE},
        {"range", KEYS("a = :a and b > :a", "':a':{'S':'b'}") START("'a':{'S':'a'},'b':{'S':'a'}"),
         NOT_PREDICATE},
        {"range",
         "'IndexName':'index4'," KEYS("c = :a and d > :a", "':a':{'S':'b'}")
             START("'a':{'S':'a'},'b':{'S':'a'},'c':{'S':'b'},'d':{'S':'a'}"),
         NOT_PREDICATE},
        {"range", KEYS("a = :a and b < :a", "':a':{'S':'b'}") START("'a':{'S':'a'},'b':{'S':'a'}"),
         ONE_ROW},
        {"range",
         "'IndexName':'index4'," KEYS("c = :a and d = :a", "':a':{'S':'a'}")
             START("'a':{'S':'a'},'b':{'S':'a'},'c':{'S':'b'},'d':{'S':'a'}"),
         ONE_ROW},
        {"hash", Z_IS_1 START("'a':{}"),
         BAD_START
         ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
        {"hash", Z_IS_1 START("'a':{'NULL':false}"),
         BAD_START ": " INVALID "Null attribute value types must have the value of true"},
        {"hash", Z_IS_1 START("'a':{'SS':[]}"),
         BAD_START ": " INVALID "An string set  may not be empty"},
        {"hash", Z_IS_1 START("'a':{'NS':[]}"), INVALID "An number set  may not be empty"},
        {"hash", Z_IS_1 START("'a':{'N':'1e126'}"),
         "Number overflow. Attempting to store a number with magnitude larger than supported "
         "range"});
}

TEST(selections_must_fit)
{
    REFUSED(
        {"hash", A_IS_B ",'Select':'SPECIFIC_ATTRIBUTES'",
         ENVELOPE "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
                  "SPECIFIC_ATTRIBUTES"},
        {"hash", A_IS_B ",'Select':'ALL_PROJECTED_ATTRIBUTES'",
         ENVELOPE "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
        {"hash", A_IS_B ",'Select':'COUNT','ProjectionExpression':'a'",
         ENVELOPE "Cannot specify the ProjectionExpression when choosing to get only the Count"},
        {"hash", A_IS_B ",'Select':'ALL_ATTRIBUTES','ProjectionExpression':'a'",
         ENVELOPE "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES"},
        {"hash", A_IS_B ",'Select':'INVALID_VALUE'",
         ENVELOPE "Value 'INVALID_VALUE' at 'select' failed to satisfy constraint: Member must "
                  "satisfy enum value "
                  "set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"},
        {"hash", A_IS_B ",'Limit':0",
         ENVELOPE "Value at 'Limit' failed to satisfy constraint: Member must have value greater "
                  "than or equal to 1"},
        {"range", "'IndexName':'whatever'," Z_IS_1 START(""),
         "The table does not have the specified index: whatever"},
        {"range", "'IndexName':'index3','ConsistentRead':true," Z_IS_1 START(""),
         "Consistent reads are not supported on global secondary indexes"},
        {"range", "'IndexName':'index4','Select':'ALL_ATTRIBUTES'," C_IS_B,
         INVALID "Select type ALL_ATTRIBUTES is not supported for global secondary index index4 "
                 "because its "
                 "projection type is not ALL"},
        {"range", "'IndexName':'index4','ProjectionExpression':'f, e'," C_IS_B,
         INVALID "Global secondary index index4 does not project [f]"});
}

TEST(filters_must_not_touch_keys_nor_what_an_index_lacks)
{
    REFUSED(
        {"hash", KEYS("a = :a", "':a':{'S':'1'},':b':{'N':'1'}") ",'FilterExpression':'a = :b'",
         "Filter Expression can only contain non-primary key attributes: Primary key attribute: a"},
        {"hash",
         KEYS("a = :a", "':a':{'S':'1'},':b':{'N':'1'}") ",'FilterExpression':'attribute_exists(a."
                                                         "b) AND b = :b'",
         "Filter Expression can only contain non-primary key attributes: Primary key attribute: a"},
        {"range", KEYS("a = :a", "':a':{'S':'1'},':b':{'N':'1'}") ",'FilterExpression':'b[1] = :b'",
         "Filter Expression can only contain non-primary key attributes: Primary key attribute: b"},
        {"range", KEYS("a = :a", "':a':{'S':'1'},':b':{'N':'1'}") ",'FilterExpression':'d[1] = :b'",
         "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
         "allowed: IndexKey: d"},
        {"range",
         "'IndexName':'index4','Select':'ALL_ATTRIBUTES'," KEYS(
             "c = :a", "':a':{'S':'a'},':b':{'N':'1'}") ",'FilterExpression':'a = :b and a.b = :a'",
         INVALID "Select type ALL_ATTRIBUTES is not supported for global secondary index index4 "
                 "because its "
                 "projection type is not ALL"},
        {"range",
         "'IndexName':'index4'," KEYS(
             "c = :a", "':a':{'S':'a'}") ",'FilterExpression':'e = :a or f = :a and g = f'",
         INVALID "Secondary index index4 does not project one or more filter attributes: [f, g]"},
        {"range",
         "'IndexName':'index2'," KEYS("a = :a", "':a':{'S':'a'}") ",'FilterExpression':'f = :a'",
         INVALID "Secondary index index2 does not project one or more filter attributes: [f]"},
        {"hash", A_IS_B ",'ProjectionExpression':'a.b'",
         "Key attributes must be scalars; list random access '[]' and map lookup '.' are not "
         "allowed: Key: a"});
}

TEST(styles_are_not_mixed_and_maps_need_expressions)
{
    REFUSED(
        {"hash",
         "'Select':'SPECIFIC_ATTRIBUTES','AttributesToGet':['a','a'],'QueryFilter':{'a':{'"
         "ComparisonOperator':'NULL'}},"
         "'ConditionalOperator':'OR','KeyConditions':{'a':{'ComparisonOperator':'NULL'}},'"
         "ProjectionExpression':'',"
         "'FilterExpression':'','KeyConditionExpression':'','ExpressionAttributeNames':{},"
         "'ExpressionAttributeValues':{}",
         "Can not use both expression and non-expression parameters in the same request: "
         "Non-expression parameters: "
         "{AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions} Expression "
         "parameters: "
         "{ProjectionExpression, FilterExpression, KeyConditionExpression}"},
        {"hash",
         "'QueryFilter':{'a':{'ComparisonOperator':'NULL'}},'AttributesToGet':['a','a'],"
         "'KeyConditions':{'a':{'ComparisonOperator':'NULL'}},'FilterExpression':'','"
         "ProjectionExpression':''",
         "Can not use both expression and non-expression parameters in the same request: "
         "Non-expression parameters: "
         "{AttributesToGet, QueryFilter} Expression parameters: {ProjectionExpression, "
         "FilterExpression}"},
        {"hash",
         "'AttributesToGet':['a','a'],'ExpressionAttributeNames':{},'ExpressionAttributeValues':{}",
         "ExpressionAttributeNames can only be specified when using expressions"},
        {"hash", "'AttributesToGet':['a','a'],'ExpressionAttributeValues':{}",
         "ExpressionAttributeValues can only be specified when using expressions: FilterExpression "
         "and "
         "KeyConditionExpression are null"},
        {"hash",
         "'KeyConditionExpression':'','ExpressionAttributeNames':{},'ExpressionAttributeValues':{}",
         "ExpressionAttributeNames must not be empty"},
        {"hash",
         "'KeyConditionExpression':'','FilterExpression':'','ExpressionAttributeValues':{':0':{'S':"
         "'b'}}",
         "Invalid KeyConditionExpression: The expression can not be empty;"},
        {"hash",
         "'KeyConditionExpression':'a = :v','ExpressionAttributeValues':{':v':{'S':'val'}},"
         "'ExpressionAttributeNames':{'#unused':'someattr'}",
         "Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}"},
        {"range", KEYS("a = :a and begins_with(b, :b)", "':a':{'S':'a'},':b':{'N':'1'}"),
         "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
         "operator or function: "
         "begins_with, operand type: N"});
    CHECK(rd_open(NULL));
    CHECK_STR(rd_call("Query", "{'TableName':'nobody'," Z_IS_1 START("") "}"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(rd_call("Query", "{'TableName':'nobody','IndexName':'x1x'," KEYS(
                                   "a = :a and b = :a and c = :a", "':a':{'S':'1'}") "}"),
              "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(indexes_that_are_being_filled_cannot_be_read)
{
    CHECK(rd_open(NULL));
    struct ddb *d = ddb_service(fx)->state;
    struct table *t =
        catalog_find(&d->catalog, STR("000000000000"), STR("us-east-1"), STR("range"));
    index_find(t, STR("index3"))->filling = true;
    CHECK_STR(rd_call("Query", "{'TableName':'range','IndexName':'index3'," C_IS_B "}"),
              "ValidationException: Cannot read from backfilling global secondary index: index3");
    index_find(t, STR("index3"))->filling = false;
    fx_close();
}
