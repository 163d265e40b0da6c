/* links: puddle_aws */
/* ValidationException: texts of facts/dynamodb.md 26-36 (with the captures they come from) and of
 * facts/lambda_errors.tsv. */
#include "apigateway_model.h"
#include "dynamodb_model.h"
#include "dynamodbstreams_model.h"
#include "lambda_model.h"
#include "pattern.h"
#include "shape_check.h"

#define LIMITS(model, op, json, want)                                                              \
    expect_pass(__FILE__, __LINE__, shape_check_limits, &AWS_ValidationException, &model, op,      \
                json, want)
#define DYNAMO(op, json, want) LIMITS(dynamodb_model, op, json, want)
#define ONE                    "1 validation error detected: "
#define TWO                    "2 validation errors detected: "
#define FAILED                 "failed to satisfy constraint: "
#define NO_TABLE               "Value null at 'tableName' " FAILED "Member must not be null"
#define NO_KEY                 "Value null at 'key' " FAILED "Member must not be null"
#define NAME_PATTERN           "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
#define RCC(v)                                                                                     \
    "Value '" v "' at 'returnConsumedCapacity' " FAILED                                            \
    "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
#define RICM(v)                                                                                    \
    "Value '" v "' at 'returnItemCollectionMetrics' " FAILED                                       \
    "Member must satisfy enum value set: [SIZE, NONE]"
#define RV_OLDER(v)                                                                                \
    "Value '" v "' at 'returnValues' " FAILED "Member must satisfy enum value set: [ALL_NEW, "     \
    "UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
#define RV_NEWER                                                                                   \
    "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, "    \
    "ALL_NEW, UPDATE_NEW, NONE]"
#define SHORT_NAME                                                                                 \
    "Value at 'TableName' " FAILED "Member must have length greater than or equal to 1"

#define A8       "aaaaaaaa"
#define A64      A8 A8 A8 A8 A8 A8 A8 A8
#define A255     A64 A64 A64 A8 A8 A8 A8 A8 A8 A8 "aaaaaaa"
#define ATTRS    "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}]"
#define HASH_KEY "{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}"

TEST(right_requests_pass)
{
    DYNAMO("GetItem", "{\"TableName\":\"t\",\"Key\":{}}", NULL);
    DYNAMO("PutItem", "{\"TableName\":\"t\",\"Item\":{\"\":{}},\"ReturnValues\":\"UPDATED_NEW\"}",
           NULL);
    DYNAMO("ListTables", "{}", NULL);
    DYNAMO("CreateTable", "{\"TableName\":\"abc\"," ATTRS ",\"KeySchema\":[" HASH_KEY "]}", NULL);
}

TEST(item_table_name_length_at_and_past_its_limits)
{
    DYNAMO("PutItem", "{\"TableName\":\"a\",\"Item\":{}}", NULL);
    DYNAMO("PutItem", "{\"TableName\":\"\",\"Item\":{}}", ONE SHORT_NAME);
    DYNAMO("PutItem", "{\"TableName\":\"" A255 "\",\"Item\":{}}", NULL);
    DYNAMO("PutItem", "{\"TableName\":\"a" A255 "\",\"Item\":{}}",
           ONE "Value 'a" A255 "' at 'tableName' " FAILED
               "Member must have length less than or equal to 255");
}

TEST(item_table_name_may_be_an_arn)
{
    DYNAMO("GetItem",
           "{\"TableName\":\"arn:aws:dynamodb:us-east-1:000000000000:table/" A255 "\",\"Key\":{}}",
           NULL);
    DYNAMO("DescribeTable", "{\"TableName\":\"arn:aws:dynamodb:us-east-1:1:table/x\"}", NULL);
    DYNAMO("GetItem", "{\"TableName\":\"arn:" A255 A255 A255 A255 "\",\"Key\":{}}",
           NULL); /* 1024 */
    DYNAMO("GetItem", "{\"TableName\":\"arn:a" A255 A255 A255 A255 "\",\"Key\":{}}",
           TWO "Value 'arn:a" A255 A255 A255 A255 "' at 'tableName' " FAILED NAME_PATTERN
               "; Value 'arn:a" A255 A255 A255 A255 "' at 'tableName' " FAILED
               "Member must have length less than or equal to 255");
}

TEST(missing_and_malformed_table_names_get_the_older_wording)
{
    DYNAMO("PutItem", "{\"Item\":{}}", ONE NO_TABLE);
    DYNAMO("PutItem", "{\"TableName\":null,\"Item\":{}}", ONE NO_TABLE);
    DYNAMO("PutItem", "{\"TableName\":\"bad table!@#\",\"Item\":{}}",
           ONE "Value 'bad table!@#' at 'tableName' " FAILED NAME_PATTERN);
    DYNAMO("DeleteItem", "{\"TableName\":\"x!\",\"Key\":{}}",
           ONE "Value 'x!' at 'tableName' " FAILED NAME_PATTERN);
    DYNAMO("GetItem", "{}", TWO NO_TABLE "; " NO_KEY);
}

TEST(newer_layer_reports_an_empty_table_name_alone)
{
    DYNAMO("PutItem", "{\"TableName\":\"\",\"Item\":{},\"ReturnValues\":\"INVALID\"}",
           ONE SHORT_NAME);
    DYNAMO("UpdateItem", "{\"TableName\":\"\",\"Key\":{},\"ReturnConsumedCapacity\":\"x\"}",
           ONE SHORT_NAME);
    DYNAMO("DeleteItem", "{\"TableName\":\"\",\"Key\":{}}", ONE SHORT_NAME);
    DYNAMO("GetItem", "{\"TableName\":\"\",\"Key\":{}}", ONE SHORT_NAME);
}

TEST(newer_layer_words_return_values_generically)
{
    DYNAMO("UpdateItem", "{\"TableName\":\"t\",\"Key\":{},\"ReturnValues\":\"all_new\"}",
           ONE RV_NEWER);
    DYNAMO("UpdateItem", "{\"TableName\":\"t\",\"Key\":{},\"ReturnValues\":\"UPDATE_NEW\"}",
           ONE RV_NEWER);
    DYNAMO("PutItem", "{\"TableName\":\"t\",\"Item\":{},\"ReturnValues\":\"\"}", ONE RV_NEWER);
}

TEST(update_item_reports_return_values_alone_the_others_join_enums)
{
    DYNAMO("UpdateItem",
           "{\"TableName\":\"t\",\"Key\":{},\"ReturnValues\":\"INVALID\","
           "\"ReturnConsumedCapacity\":\"INVALID\"}",
           ONE RV_NEWER);
    DYNAMO("DeleteItem",
           "{\"TableName\":\"t\",\"Key\":{},\"ReturnValues\":\"INVALID\","
           "\"ReturnConsumedCapacity\":\"INVALID\"}",
           TWO RCC("INVALID") "; " RV_NEWER);
    DYNAMO("PutItem",
           "{\"TableName\":\"t\",\"Item\":{},\"ReturnValues\":\"INVALID\","
           "\"ReturnConsumedCapacity\":\"INVALID\",\"ReturnItemCollectionMetrics\":\"INVALID\"}",
           "3 validation errors detected: " RCC("INVALID") "; " RV_NEWER "; " RICM("INVALID"));
    DYNAMO("GetItem", "{\"TableName\":\"t\",\"Key\":{},\"ReturnConsumedCapacity\":\"BOGUS\"}",
           ONE RCC("BOGUS"));
}

TEST(update_item_without_key_reports_everything_in_the_older_wording)
{
    DYNAMO("UpdateItem", "{\"TableName\":\"\"}",
           TWO "Value '' at 'tableName' " FAILED
               "Member must have length greater than or equal to 1; " NO_KEY);
    DYNAMO("UpdateItem",
           "{\"TableName\":\"\",\"ReturnConsumedCapacity\":\"INVALID\",\"ReturnValues\":"
           "\"INVALID\"}",
           "4 validation errors detected: " RCC(
               "INVALID") "; Value '' at 'tableName' " FAILED
                          "Member must have length greater than or equal to 1; " RV_OLDER(
                              "INVALID") "; " NO_KEY);
    DYNAMO("UpdateItem", "{\"TableName\":\"abc\",\"ConditionalOperator\":\"XOR\"}",
           TWO "Value 'XOR' at 'conditionalOperator' " FAILED
               "Member must satisfy enum value set: [OR, AND]; " NO_KEY);
}

TEST(limit_of_query_and_scan_is_worded_differently)
{
    DYNAMO("Query", "{\"TableName\":\"t\",\"Limit\":1}", NULL);
    DYNAMO("Query", "{\"TableName\":\"t\",\"Limit\":0}",
           ONE "Value at 'Limit' " FAILED "Member must have value greater than or equal to 1");
    DYNAMO("Scan", "{\"TableName\":\"t\",\"Limit\":0}",
           ONE "Value '0' at 'limit' " FAILED "Member must have value greater than or equal to 1");
    DYNAMO("Scan", "{\"TableName\":\"t\",\"Limit\":-99999999999999999999}",
           ONE "Value '-99999999999999999999' at 'limit' " FAILED
               "Member must have value greater than or equal to 1");
    DYNAMO("Scan", "{\"TableName\":\"t\",\"Segment\":-1,\"TotalSegments\":4}",
           ONE "Value '-1' at 'segment' " FAILED
               "Member must have value greater than or equal to 0");
}

TEST(batch_get_names_paths_in_the_newer_wording_and_echoes_json_in_the_older)
{
    DYNAMO("BatchGetItem", "{\"RequestItems\":{}}",
           ONE "Value at 'RequestItems' " FAILED
               "Member must have length greater than or equal to 1");
    DYNAMO("BatchGetItem", "{\"RequestItems\":{\"abc\":{\"Keys\":[]}}}",
           ONE "Value at 'RequestItems.abc.member.Keys' " FAILED
               "Member must have length greater than or equal to 1");
    DYNAMO("BatchGetItem",
           "{\"RequestItems\": {\"bad!name\": {\"Keys\": [{\"pk\": {\"S\": \"a\"}}]}},"
           "\"ReturnConsumedCapacity\":\"BOGUS\"}",
           TWO
           "Value '{\"bad!name\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}' at 'requestItems' " FAILED
           "Map keys must satisfy constraint: [Member must have length less than or equal to "
           "255, Member must have length greater than or equal to 3, " NAME_PATTERN
           "]; " RCC("BOGUS"));
}

TEST(batch_get_takes_100_keys_and_not_101)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    for (int keys = 100; keys <= 101; keys++) {
        struct buf *b = arena_new_buf(a, 1 << 20);
        buf_add(b, STR("{\"RequestItems\":{\"tbl\":{\"Keys\":["));
        for (int i = 0; i < keys; i++)
            buf_addf(b, "%s{\"pk\":{\"N\":\"%d\"}}", i ? "," : "", i);
        buf_add(b, STR("]}}}"));
        buf_addc(b, '\0');
        DYNAMO("BatchGetItem", b->p,
               keys == 100 ? NULL
                           : ONE "Value at 'RequestItems.tbl.member.Keys' " FAILED
                                 "Member must have length less than or equal to 100");
    }
    arena_free(a);
}

TEST(batch_write_has_its_own_sentence_and_echoes_as_java_does)
{
    DYNAMO("BatchWriteItem", "{\"RequestItems\":{}}",
           "The requestItems parameter is required for BatchWriteItem");
    DYNAMO("BatchWriteItem", "{}", "The requestItems parameter is required for BatchWriteItem");
    DYNAMO("BatchWriteItem", "{\"RequestItems\":{\"tbl\":[]}}",
           ONE "Value '{tbl=[]}' at 'requestItems' " FAILED
               "Map value must satisfy constraint: [Member must have length less than or equal to "
               "25, Member must have length greater than or equal to 1]");
    DYNAMO("BatchWriteItem",
           "{\"RequestItems\":{\"bad!name\":[{\"PutRequest\":{\"Item\":{\"pk\":{\"S\":\"x\"}}}}]}}",
           ONE "Value '{bad!name=[WriteRequest(putRequest=PutRequest(item={pk=AttributeValue("
               "s=x)}))]}' at 'requestItems' " FAILED
               "Map keys must satisfy constraint: [Member must have length less than or equal to "
               "255, Member must have length greater than or equal to 3, " NAME_PATTERN "]");
    DYNAMO(
        "BatchWriteItem",
        "{\"RequestItems\":{\"tbl\":[{\"PutRequest\":{}},{\"DeleteRequest\":{}}]},"
        "\"ReturnConsumedCapacity\":\"BOGUS\",\"ReturnItemCollectionMetrics\":\"BOGUS2\"}",
        "4 validation errors detected: " RCC("BOGUS") "; " RICM(
            "BOGUS2") "; Value null at 'requestItems.tbl.member.1.member.putRequest.item' " FAILED
                      "Member must not be null; Value null at "
                      "'requestItems.tbl.member.2.member.deleteRequest.key' " FAILED
                      "Member must not be null");
}

TEST(transactions_keep_the_older_wording)
{
    DYNAMO("TransactWriteItems", "{\"TransactItems\":[]}",
           ONE "Value '[]' at 'transactItems' " FAILED
               "Member must have length greater than or equal to 1");
    DYNAMO("TransactWriteItems",
           "{\"TransactItems\":[{}],\"ReturnItemCollectionMetrics\":\"BOGUS2\","
           "\"ReturnConsumedCapacity\":\"BOGUS\"}",
           TWO RCC("BOGUS") "; " RICM("BOGUS2"));
    DYNAMO("TransactWriteItems",
           "{\"TransactItems\":[{}],\"ReturnConsumedCapacity\":\"BOGUS\",\"ClientRequestToken\":"
           "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
           TWO "Value 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' at 'clientRequestToken' " FAILED
               "Member must have length less than or equal to 36; " RCC("BOGUS"));
    DYNAMO(
        "TransactWriteItems",
        "{\"TransactItems\":[{}],\"ClientRequestToken\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        NULL);
    DYNAMO("TransactGetItems", "{\"TransactItems\":[{\"Get\":{\"TableName\":\"abc\"}}]}",
           ONE "Value null at 'transactItems.1.member.get.key' " FAILED "Member must not be null");
}

TEST(create_table_name_is_required_in_a_sentence_of_its_own)
{
    DYNAMO("CreateTable", "{" ATTRS "}",
           "The parameter 'TableName' is required but was not present in the request");
    DYNAMO("DeleteTable", "{}",
           "The parameter 'TableName' is required but was not present in the request");
}

TEST(create_table_name_is_3_to_255_long)
{
#define REST "\"," ATTRS ",\"KeySchema\":[" HASH_KEY "]}"
    DYNAMO("CreateTable", "{\"TableName\":\"ab" REST,
           ONE "Value 'ab' at 'tableName' " FAILED
               "Member must have length greater than or equal to 3");
    DYNAMO("CreateTable", "{\"TableName\":\"abc" REST, NULL);
    DYNAMO("CreateTable", "{\"TableName\":\"" A255 REST, NULL);
    DYNAMO("CreateTable", "{\"TableName\":\"a" A255 REST,
           ONE "Value 'a" A255 "' at 'tableName' " FAILED
               "Member must have length less than or equal to 255");
    DYNAMO("CreateTable", "{\"TableName\":\"a;" REST,
           TWO "Value 'a;' at 'tableName' " FAILED NAME_PATTERN
               "; Value 'a;' at 'tableName' " FAILED
               "Member must have length greater than or equal to 3");
}

TEST(create_table_checks_elements_by_number)
{
#define NAME "{\"TableName\":\"abc\","
    DYNAMO("CreateTable",
           NAME ATTRS ",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"INVALID\"}]}",
           ONE "Value 'INVALID' at 'keySchema.1.member.keyType' " FAILED
               "Member must satisfy enum value set: [HASH, RANGE]");
    DYNAMO("CreateTable",
           NAME "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"SS\"}],"
                "\"KeySchema\":[" HASH_KEY "]}",
           ONE "Value 'SS' at 'attributeDefinitions.1.member.attributeType' " FAILED
               "Member must satisfy enum value set: [B, N, S]");
    DYNAMO("CreateTable", NAME "\"AttributeDefinitions\":[{}],\"KeySchema\":[" HASH_KEY "]}",
           TWO "Value null at 'attributeDefinitions.1.member.attributeName' " FAILED
               "Member must not be null; Value null at "
               "'attributeDefinitions.1.member.attributeType' " FAILED "Member must not be null");
    DYNAMO("CreateTable", NAME ATTRS ",\"KeySchema\":[" HASH_KEY "],\"BillingMode\":\"x\"}",
           ONE "Value 'x' at 'billingMode' " FAILED
               "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]");
}

TEST(create_table_echoes_structures_as_java_does)
{
    DYNAMO("CreateTable",
           NAME ATTRS ",\"KeySchema\":[" HASH_KEY
                      ",{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"},"
                      "{\"AttributeName\":\"extra\",\"KeyType\":\"RANGE\"}]}",
           ONE "Value '[KeySchemaElement(attributeName=pk, keyType=HASH), "
               "KeySchemaElement(attributeName=sk, keyType=RANGE), "
               "KeySchemaElement(attributeName=extra, keyType=RANGE)]' at 'keySchema' " FAILED
               "Member must have length less than or equal to 2");
    DYNAMO("CreateTable", NAME ATTRS ",\"KeySchema\":[]}",
           ONE "Value '[]' at 'keySchema' " FAILED
               "Member must have length greater than or equal to 1");
}

TEST(create_table_reports_missing_members_together)
{
    DYNAMO("CreateTable", "{\"TableName\":\"abc;\"}",
           "3 validation errors detected: Value null at 'attributeDefinitions' " FAILED
           "Member must not be null; Value 'abc;' at 'tableName' " FAILED NAME_PATTERN
           "; Value null at 'keySchema' " FAILED "Member must not be null");
    DYNAMO("CreateTable", NAME ATTRS ",\"KeySchema\":[" HASH_KEY "],\"ProvisionedThroughput\":{}}",
           TWO "Value null at 'provisionedThroughput.writeCapacityUnits' " FAILED
               "Member must not be null; Value null at "
               "'provisionedThroughput.readCapacityUnits' " FAILED "Member must not be null");
}

TEST(create_table_lists_global_indexes_before_local_ones)
{
#define INDEX(name) "[{\"IndexName\":\"" name "\",\"KeySchema\":[" HASH_KEY "],\"Projection\":{}}]"
    DYNAMO("CreateTable",
           NAME ATTRS ",\"KeySchema\":[" HASH_KEY "],\"LocalSecondaryIndexes\":" INDEX(
               "aa") ",\"GlobalSecondaryIndexes\":" INDEX("zz") "}",
           TWO "Value 'zz' at 'globalSecondaryIndexes.1.member.indexName' " FAILED
               "Member must have length greater than or equal to 3; Value 'aa' at "
               "'localSecondaryIndexes.1.member.indexName' " FAILED
               "Member must have length greater than or equal to 3");
}

TEST(no_more_than_ten_failures_are_reported)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct aws_err err = {0};
    struct jval v;
    buf_add(b, STR(NAME "\"KeySchema\":[" HASH_KEY "],\"AttributeDefinitions\":["));
    for (int i = 0; i < 40; i++)
        buf_addf(b, "%s{}", i ? "," : "");
    buf_add(b, STR("]}"));
    CHECK(json_parse(a, buf_view(b), JSON_DEPTH_DEFAULT, &v, NULL));
    const struct op_model *op = shape_find_op(&dynamodb_model, STR("CreateTable"));
    CHECK(!shape_check_limits(&dynamodb_model, op->input_shape, v, a, &err));
    CHECK(str_starts(err.message, STR("10 validation errors detected: Value null at ")));
    arena_free(a);
}

TEST(huge_values_are_echoed_in_part_and_stay_text)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf *b = arena_new_buf(a, 8 << 20);
    struct aws_err err = {0};
    struct jval v;
    buf_add(b, STR("{\"TableName\":\"a"));
    for (int i = 0; i < 1000000; i++)
        buf_add(b, STR("\xc3\xa9"));
    buf_add(b, STR("\"}"));
    CHECK(json_parse(a, buf_view(b), JSON_DEPTH_DEFAULT, &v, NULL));
    const struct op_model *op = shape_find_op(&dynamodb_model, STR("Scan"));
    CHECK(!shape_check_limits(&dynamodb_model, op->input_shape, v, a, &err));
    CHECK(err.message.n < 200000);
    CHECK(str_is_utf8(err.message));
    CHECK(str_ends(err.message, STR("Member must have length less than or equal to 255")));
    arena_free(a);
}

TEST(duplicate_members_the_last_one_counts)
{
    DYNAMO("Scan", "{\"TableName\":\"\",\"TableName\":\"abc\"}", NULL);
    DYNAMO("Scan", "{\"TableName\":\"abc\",\"TableName\":null}", ONE NO_TABLE);
    DYNAMO("Scan", "{\"TableName\":\"abc\",\"Table\\u004eame\":\"\"}",
           ONE "Value '' at 'tableName' " FAILED
               "Member must have length greater than or equal to 1");
}

TEST(list_tables_checks_limit_and_start_name)
{
    DYNAMO("ListTables", "{\"Limit\":100}", NULL);
    DYNAMO("ListTables", "{\"Limit\":101,\"ExclusiveStartTableName\":\"89hls;;f;d\"}",
           TWO "Value '89hls;;f;d' at 'exclusiveStartTableName' " FAILED NAME_PATTERN
               "; Value '101' at 'limit' " FAILED
               "Member must have value less than or equal to 100");
}

#define LAMBDA(op, json, want) LIMITS(lambda_model, op, json, want)
#define ROLE                   "\"Role\":\"arn:aws:iam::000000000000:role/r\",\"Code\":{}"

TEST(lambda_names_and_roles)
{
    LAMBDA("CreateFunction", "{\"FunctionName\":\"my-fn_1\"," ROLE "}", NULL);
    LAMBDA("CreateFunction",
           "{\"FunctionName\":\"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST\"," ROLE
           "}",
           NULL);
    LAMBDA("GetFunctionConfiguration", "{\"FunctionName\":\"f:prod\"}", NULL);
    LAMBDA("CreateFunction", "{\"FunctionName\":\"invalid:function:name\"," ROLE "}",
           ONE "Value 'invalid:function:name' at 'functionName' " FAILED
               "Member must satisfy regular expression pattern: "
               "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-"
               "\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?");
    LAMBDA("CreateFunction", "{\"FunctionName\":\"f\",\"Role\":\"r1\",\"Code\":{}}",
           ONE "Value 'r1' at 'role' " FAILED "Member must satisfy regular expression pattern: "
               "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
    LAMBDA("CreateFunction", "{}",
           "3 validation errors detected: Value null at 'functionName' " FAILED
           "Member must not be null; Value null at 'role' " FAILED
           "Member must not be null; Value null at 'code' " FAILED "Member must not be null");
    LAMBDA("CreateFunction", "{\"FunctionName\":\"" A64 A64 A8 "aaaa\"," ROLE "}", NULL); /* 140 */
    LAMBDA("CreateFunction", "{\"FunctionName\":\"" A64 A64 A8 "aaaaa\"," ROLE "}",
           ONE "Value '" A64 A64 A8 "aaaaa' at 'functionName' " FAILED
               "Member must have length less than or equal to 140");
}

TEST(lambda_runtime_has_an_error_of_its_own)
{
    static const char *const want =
        "Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must satisfy "
        "enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, "
        "nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, "
        "ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, "
        "nodejs18.x, provided.al2, java8.al2] or be a valid ARN";
    expect_pass(__FILE__, __LINE__, shape_check_limits, &LAMBDA_InvalidParameterValueException,
                &lambda_model, "CreateFunction",
                "{\"FunctionName\":\"f\"," ROLE ",\"Runtime\":\"non-existent-runtime\"}", want);
    expect_pass(__FILE__, __LINE__, shape_check_limits, &LAMBDA_InvalidParameterValueException,
                &lambda_model, "UpdateFunctionConfiguration",
                "{\"FunctionName\":\"f\",\"Runtime\":\"non-existent-runtime\"}", want);
    LAMBDA("CreateFunction", "{\"FunctionName\":\"f\"," ROLE ",\"Runtime\":\"nodejs20.x\"}", NULL);
    /* the limits of the model come first */
    LAMBDA("CreateFunction", "{\"FunctionName\":\"f\"," ROLE ",\"Runtime\":\"x\",\"Timeout\":0}",
           ONE "Value '0' at 'timeout' " FAILED
               "Member must have value greater than or equal to 1");
}

TEST(lambda_lists_and_maps_of_scalars_are_reported_whole)
{
    LAMBDA("CreateFunction", "{\"FunctionName\":\"f\"," ROLE ",\"Architectures\":[\"X86_64\"]}",
           ONE "Value '[X86_64]' at 'architectures' " FAILED
               "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, "
               "arm64], Member must not be null]");
    LAMBDA("CreateFunction",
           "{\"FunctionName\":\"f\"," ROLE ",\"Architectures\":[\"x86_64\",\"arm64\"]}",
           ONE "Value '[x86_64, arm64]' at 'architectures' " FAILED
               "Member must have length less than or equal to 1");
    LAMBDA("CreateFunction",
           "{\"FunctionName\":\"f\"," ROLE ",\"VpcConfig\":{\"SubnetIds\":[\"nope\"]}}",
           ONE "Value '[nope]' at 'vpcConfig.subnetIds' " FAILED
               "Member must satisfy constraint: [Member must have length less than or equal to "
               "1024, Member must have length greater than or equal to 0, Member must satisfy "
               "regular expression pattern: subnet-[0-9a-z]*]");
#define ALIAS "{\"FunctionName\":\"f\",\"Name\":\"a\",\"FunctionVersion\":\"1\",\"RoutingConfig\":"
    LAMBDA("CreateAlias", ALIAS "{\"AdditionalVersionWeights\":{\"2\":0.5}}}", NULL);
    LAMBDA("CreateAlias", ALIAS "{\"AdditionalVersionWeights\":{\"$LATEST\":0.5}}}",
           ONE "Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' " FAILED
               "Map keys must satisfy constraint: [Member must have length less than or equal to "
               "1024, Member must have length greater than or equal to 1, Member must satisfy "
               "regular expression pattern: [0-9]+]");
    LAMBDA("CreateAlias", ALIAS "{\"AdditionalVersionWeights\":{\"2\":-1}}}",
           ONE "Value '{2=-1.0}' at 'routingConfig.additionalVersionWeights' " FAILED
               "Map value must satisfy constraint: [Member must have value less than or equal to "
               "1.0, Member must have value greater than or equal to 0.0, Member must not be "
               "null]");
    LAMBDA("CreateAlias", ALIAS "{\"AdditionalVersionWeights\":{\"2\":1.0001}}}",
           ONE "Value '{2=1.0001}' at 'routingConfig.additionalVersionWeights' " FAILED
               "Map value must satisfy constraint: [Member must have value less than or equal to "
               "1.0, Member must have value greater than or equal to 0.0, Member must not be "
               "null]");
}

TEST(lambda_sensitive_values_are_not_echoed)
{
    LAMBDA("CreateFunction",
           "{\"FunctionName\":\"f\"," ROLE ",\"Environment\":{\"Variables\":{\"_X\":\"secret\"}}}",
           ONE "Value at 'environment.variables' " FAILED
               "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
               "[a-zA-Z]([a-zA-Z0-9_])+]");
}

TEST(lambda_enums_are_in_the_services_order)
{
    LAMBDA("PutFunctionRecursionConfig",
           "{\"FunctionName\":\"f\",\"RecursiveLoop\":\"InvalidValue\"}",
           ONE "Value 'InvalidValue' at 'recursiveLoop' " FAILED
               "Member must satisfy enum value set: [Terminate, Allow]");
    LAMBDA("CreateFunction",
           "{\"FunctionName\":\"f\"," ROLE ",\"SnapStart\":{\"ApplyOn\":\"invalidOption\"}}",
           ONE "Value 'invalidOption' at 'snapStart.applyOn' " FAILED
               "Member must satisfy enum value set: [PublishedVersions, None]");
    LAMBDA("ListFunctions", "{\"FunctionVersion\":\"invalid\"}",
           ONE "Value 'invalid' at 'functionVersion' " FAILED
               "Member must satisfy enum value set: [ALL]");
}

TEST(lambda_patterns_with_look_around)
{
    LAMBDA("CreateAlias", "{\"FunctionName\":\"f\",\"Name\":\"2024\",\"FunctionVersion\":\"1\"}",
           ONE "Value '2024' at 'name' " FAILED "Member must satisfy regular expression pattern: "
               "(?!^[0-9]+$)([a-zA-Z0-9-_]+)");
    LAMBDA("CreateAlias", "{\"FunctionName\":\"f\",\"Name\":\"v2024\",\"FunctionVersion\":\"1\"}",
           NULL);
    LAMBDA("CreateFunctionUrlConfig",
           "{\"FunctionName\":\"f\",\"AuthType\":\"NONE\",\"Qualifier\":\"$LATEST\"}",
           ONE "Value '$LATEST' at 'qualifier' " FAILED
               "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)");
}

#define APIGW(op, json, want) LIMITS(apigateway_model, op, json, want)

TEST(api_gateway_spells_body_members_with_the_operation)
{
    APIGW("PutIntegration",
          "{\"restApiId\":\"a\",\"resourceId\":\"b\",\"httpMethod\":\"GET\",\"type\":"
          "\"HTTPS_PROXY\"}",
          ONE "Value 'HTTPS_PROXY' at 'putIntegrationInput.type' " FAILED
              "Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]");
    APIGW("UpdateRestApi",
          "{\"restApiId\":\"a\",\"patchOperations\":[{\"op\":\"wrong\"},{\"op\":\"wrong\"}]}",
          TWO "Value 'wrong' at 'updateRestApiInput.patchOperations.1.member.op' " FAILED
              "Member must satisfy enum value set: [add, remove, move, test, replace, copy]; Value "
              "'wrong' at 'updateRestApiInput.patchOperations.2.member.op' " FAILED
              "Member must satisfy enum value set: [add, remove, move, test, replace, copy]");
    APIGW("CreateRestApi",
          "{\"name\":\"x\",\"endpointConfiguration\":{\"types\":[\"wrong\"],\"ipAddressType\":"
          "\"wrong\"}}",
          TWO
          "Value '[wrong]' at 'createRestApiInput.endpointConfiguration.types' " FAILED
          "Member must satisfy constraint: [Member must satisfy enum value set: [PRIVATE, EDGE, "
          "REGIONAL]]; Value 'wrong' at "
          "'createRestApiInput.endpointConfiguration.ipAddressType' " FAILED
          "Member must satisfy enum value set: [ipv4, dualstack]");
}

TEST(api_gateway_checks_the_body_before_the_path)
{
    APIGW("UpdateMethodResponse",
          "{\"restApiId\":\"a\",\"resourceId\":\"b\",\"httpMethod\":\"GET\",\"statusCode\":"
          "\"wrong\",\"patchOperations\":[{\"op\":\"wrong_op\"}]}",
          TWO "Value 'wrong_op' at 'updateMethodResponseInput.patchOperations.1.member.op' " FAILED
              "Member must satisfy enum value set: [add, remove, move, test, replace, copy]; Value "
              "'wrong' at 'statusCode' " FAILED
              "Member must satisfy regular expression pattern: [1-5]\\d\\d");
}

TEST(every_pattern_of_every_model_is_understood)
{
    const struct shape_model *models[] = {&dynamodb_model, &dynamodbstreams_model, &lambda_model,
                                          &apigateway_model};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        for (size_t p = 1; p < models[i]->pattern_count; p++) {
            if (!pattern_is_understood(&models[i]->patterns[p]))
                test_fail(__FILE__, __LINE__, "%s: %s", models[i]->service,
                          models[i]->patterns[p].text);
        }
    }
}

TEST(every_shape_index_of_every_model_is_in_range)
{
    const struct shape_model *models[] = {&dynamodb_model, &dynamodbstreams_model, &lambda_model,
                                          &apigateway_model};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        for (size_t k = 0; k < models[i]->op_count; k++) {
            const struct op_model *op = &models[i]->ops[k];
            CHECK(k == 0 || strcmp(models[i]->ops[k - 1].name, op->name) < 0);
            CHECK(shape_find_op(models[i], str_c(op->name)) == op);
            if (op->input_shape == 0)
                continue;
            const struct shape *s = &models[i]->shapes[op->input_shape];
            CHECK(s->type == SH_STRUCT);
            CHECK(op->payload_member <= s->member_count);
            for (size_t n = 0; n < s->member_count; n++) {
                const struct shape_member *member = &models[i]->members[s->first_member + n];
                CHECK(strlen(member->name) == member->name_n);
                CHECK(member->shape != 0);
            }
        }
        CHECK(shape_find_op(models[i], STR("NoSuchOperation")) == NULL);
    }
}
