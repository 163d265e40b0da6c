/* links: puddle_aws */
/* SerializationException: the texts that dynalite's suite recorded from DynamoDB, and those of the
 * REST services (facts/lambda_errors.tsv). */
#include "apigateway_model.h"
#include "dynamodb_model.h"
#include "lambda_model.h"
#include "shape_check.h"

#define TYPES(model, op, json, want)                                                               \
    expect_pass(__FILE__, __LINE__, shape_check_types, &AWS_SerializationException, &model, op,    \
                json, want)
#define DYNAMO(op, json, want) TYPES(dynamodb_model, op, json, want)
#define V20120810              "com.amazonaws.dynamodb.v20120810."
#define NOT_STRUCT             "Start of structure or map found where not expected"

TEST(dynamodb_right_types_and_unknown_members_pass)
{
    DYNAMO("GetItem", "{\"TableName\":\"t\",\"Key\":{\"a\":{\"S\":\"x\"}},\"ConsistentRead\":true}",
           NULL);
    DYNAMO("GetItem", "{\"Nonsense\":[{}],\"tableName\":7}", NULL);
    DYNAMO("Query", "{\"Limit\":3,\"ScanIndexForward\":false}", NULL);
    DYNAMO("PutItem", "{\"Item\":{\"a\":{\"L\":[{\"M\":{\"b\":{\"BS\":[\"aGk=\"]}}}]}}}", NULL);
}

TEST(dynamodb_null_counts_as_absent)
{
    DYNAMO("GetItem", "{\"TableName\":null,\"Key\":null,\"ConsistentRead\":null}", NULL);
    DYNAMO("CreateTable", "{\"KeySchema\":[null],\"Tags\":null}", NULL);
    DYNAMO("PutItem", "{\"Item\":{\"a\":null,\"b\":{\"S\":null}}}", NULL);
}

TEST(dynamodb_string_is_given_something_else)
{
    DYNAMO("GetItem", "{\"TableName\":true}", "TRUE_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"TableName\":false}", "FALSE_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"TableName\":23}", "NUMBER_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"TableName\":-2147483648}", "NUMBER_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"TableName\":34.56}", "DECIMAL_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"TableName\":[]}", "Unrecognized collection type class java.lang.String");
    DYNAMO("GetItem", "{\"TableName\":{}}", NOT_STRUCT);
}

TEST(dynamodb_boolean_is_given_something_else)
{
    DYNAMO("GetItem", "{\"ConsistentRead\":\"true\"}", "Unexpected token received from parser");
    DYNAMO("GetItem", "{\"ConsistentRead\":1}", "NUMBER_VALUE cannot be converted to Boolean");
    DYNAMO("GetItem", "{\"ConsistentRead\":1.5}", "DECIMAL_VALUE cannot be converted to Boolean");
    DYNAMO("GetItem", "{\"ConsistentRead\":[]}",
           "Unrecognized collection type class java.lang.Boolean");
    DYNAMO("GetItem", "{\"ConsistentRead\":{}}", NOT_STRUCT);
}

TEST(dynamodb_number_is_given_something_else)
{
    DYNAMO("Scan", "{\"Limit\":\"23\"}", "STRING_VALUE cannot be converted to Integer");
    DYNAMO("Scan", "{\"Limit\":true}", "TRUE_VALUE cannot be converted to Integer");
    DYNAMO("Scan", "{\"Limit\":[]}", "Unrecognized collection type class java.lang.Integer");
    DYNAMO("Scan", "{\"Limit\":{}}", NOT_STRUCT);
    DYNAMO("CreateTable", "{\"ProvisionedThroughput\":{\"ReadCapacityUnits\":false}}",
           "FALSE_VALUE cannot be converted to Long");
    DYNAMO("CreateTable", "{\"ProvisionedThroughput\":{\"ReadCapacityUnits\":[]}}",
           "Unrecognized collection type class java.lang.Long");
}

TEST(dynamodb_blob_must_be_base64)
{
    static const char *const only = "only base-64-encoded strings are convertible to bytes";
    static const char *const last = "Invalid last non-pad Base64 character dectected";
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":true}}}", only);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":23}}}", only);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":34.56}}}", only);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":[]}}}",
           "Unrecognized collection type class java.nio.ByteBuffer");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":{}}}}", NOT_STRUCT);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"23456\"}}}",
           "Base64 encoded length is expected a multiple of 4 bytes but found: 5");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"=+/=\"}}}", last);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"+/+=\"}}}", last);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"a*aa\"}}}", "Invalid Base64 character: '*'");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"\"}}}", NULL);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"B\":\"YQ==\"}}}", NULL);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"BS\":[\"YWI=\",\"YWJj\",\"abc\"]}}}",
           "Base64 encoded length is expected a multiple of 4 bytes but found: 3");
}

TEST(dynamodb_list_map_and_struct_as_fields)
{
    static const char *const scalars[] = {"\"23\"", "true", "23", "-2147483648", "34.56"};
    char json[128];
    for (size_t i = 0; i < 5; i++) {
        snprintf(json, sizeof json, "{\"KeySchema\":%s}", scalars[i]);
        DYNAMO("CreateTable", json, "Unexpected field type");
        snprintf(json, sizeof json, "{\"ProvisionedThroughput\":%s}", scalars[i]);
        DYNAMO("CreateTable", json, "Unexpected field type");
        snprintf(json, sizeof json, "{\"Key\":%s}", scalars[i]);
        DYNAMO("GetItem", json, "Unexpected field type");
    }
    DYNAMO("CreateTable", "{\"KeySchema\":{}}", NOT_STRUCT);
    DYNAMO("CreateTable", "{\"ProvisionedThroughput\":[]}",
           "Unrecognized collection type class " V20120810 "ProvisionedThroughput");
    DYNAMO("GetItem", "{\"Key\":[]}",
           "Unrecognized collection type java.util.Map<java.lang.String, " V20120810
           "AttributeValue>");
    DYNAMO("BatchWriteItem", "{\"RequestItems\":[]}",
           "Unrecognized collection type java.util.Map<java.lang.String, "
           "java.util.List<" V20120810 "WriteRequest>>");
    DYNAMO("GetItem", "{\"ExpressionAttributeNames\":[]}",
           "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>");
}

TEST(dynamodb_elements_of_lists_and_maps)
{
    static const char *const cast =
        "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to "
        "class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
        "java.lang.Class are in module java.base of loader 'bootstrap')";
    DYNAMO("CreateTable", "{\"KeySchema\":[\"23\"]}", "Unexpected value type in payload");
    DYNAMO("CreateTable", "{\"KeySchema\":[[]]}",
           "Unrecognized collection type class " V20120810 "KeySchemaElement");
    DYNAMO("GetItem", "{\"Key\":{\"a\":23}}", "Unexpected value type in payload");
    DYNAMO("GetItem", "{\"Key\":{\"a\":[]}}",
           "Unrecognized collection type class " V20120810 "AttributeValue");
    DYNAMO("BatchWriteItem", "{\"RequestItems\":{\"t\":\"23\"}}", cast);
    DYNAMO("BatchWriteItem", "{\"RequestItems\":{\"t\":{}}}", NOT_STRUCT);
    DYNAMO("BatchGetItem", "{\"RequestItems\":{\"t\":{\"Keys\":[7]}}}", cast);
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"SS\":[1]}}}",
           "NUMBER_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"L\":[1]}}}", "Unexpected value type in payload");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"M\":{\"b\":\"x\"}}}}",
           "Unexpected value type in payload");
    DYNAMO("GetItem", "{\"Key\":{\"a\":{\"M\":{\"b\":{\"N\":1}}}}}",
           "NUMBER_VALUE cannot be converted to String");
}

TEST(dynamodb_input_itself_is_not_an_object)
{
    DYNAMO("GetItem", "[]", "Unrecognized collection type class " V20120810 "GetItemInput");
    DYNAMO("GetItem", "7", "Unexpected field type");
}

TEST(escaped_member_names_are_the_same_names)
{
    DYNAMO("GetItem", "{\"Table\\u004eame\":7}", "NUMBER_VALUE cannot be converted to String");
    DYNAMO("GetItem", "{\"\\u0054ableName\\u0000\":7}", NULL);
}

TEST(dynamodb_deepest_document_is_walked)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf *b = arena_new_buf(a, 1 << 20);
    buf_add(b, STR("{\"Item\":{\"a\":"));
    for (int i = 0; i < 62; i++)
        buf_add(b, STR("{\"L\":["));
    buf_add(b, STR("{\"S\":1}"));
    for (int i = 0; i < 62; i++)
        buf_add(b, STR("]}"));
    buf_add(b, STR("}}"));
    buf_addc(b, '\0');
    DYNAMO("PutItem", b->p, "NUMBER_VALUE cannot be converted to String");
    arena_free(a);
}

TEST(rest_services_speak_the_older_texts)
{
    TYPES(apigateway_model, "PutIntegration", "{\"requestParameters\":{\"a\":true}}",
          "class java.lang.Boolean can not be converted to an String");
    TYPES(apigateway_model, "PutIntegrationResponse", "{\"responseParameters\":{\"a\":7}}",
          "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
          "an String");
    TYPES(lambda_model, "CreateFunction", "{\"FunctionName\":{}}",
          "Start of structure or map found where not expected.");
    TYPES(lambda_model, "CreateFunction", "{\"FunctionName\":[]}",
          "Start of list found where not expected");
    TYPES(lambda_model, "CreateFunction", "{\"Timeout\":\"3\"}",
          "class java.lang.String can not be converted to an Integer");
    TYPES(lambda_model, "CreateFunction", "{\"Publish\":\"yes\"}",
          "class java.lang.String can not be converted to an Boolean");
    TYPES(lambda_model, "CreateFunction", "{\"Layers\":\"x\"}", "Expected list or null");
    TYPES(lambda_model, "CreateFunction", "{\"Tags\":\"x\"}", "Expected map or null");
    TYPES(lambda_model, "CreateFunction", "{\"Code\":\"x\"}", "Expected null");
    TYPES(lambda_model, "CreateFunction", "{\"Code\":{\"ZipFile\":7}}",
          "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to "
          "a Blob");
    TYPES(lambda_model, "CreateFunction", "{\"FunctionName\":\"f\",\"Timeout\":3,\"Publish\":true}",
          NULL);
}
