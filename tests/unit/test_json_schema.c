/* links: puddle_lang */
#include "harness.h"
#include "json_schema.h"

static bool find_model(void *arg, struct str url, struct arena *a, struct jval *ret)
{
    (void)arg;
    return str_ends(url, STR("/models/Pet")) &&
           json_parse(a,
                      STR("{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"next\":{"
                          "\"$ref\":\"#/definitions/n\"}},\"definitions\":{\"n\":{\"type\":"
                          "\"integer\"}}}"),
                      JSON_DEPTH_DEFAULT, ret, NULL);
}

struct row {
    const char *schema, *value, *why; /* why NULL: valid */
};

static void check_rows(const struct row *rows, size_t count, int line)
{
    for (size_t i = 0; i < count; i++) {
        struct arena *a = arena_new(0, SIZE_MAX);
        struct jval schema, value;
        struct str why;
        if (!json_parse(a, str_c(rows[i].schema), JSON_DEPTH_DEFAULT, &schema, NULL) ||
            !json_parse(a, str_c(rows[i].value), JSON_DEPTH_DEFAULT, &value, NULL))
            test_fail(__FILE__, line, "row %zu is not JSON", i);
        else if (json_schema_check(schema, value, find_model, NULL, a, &why) !=
                 (rows[i].why == NULL))
            test_fail(__FILE__, line, "%s with %s: %.*s", rows[i].schema, rows[i].value,
                      STR_ARG(why));
        else if (rows[i].why != NULL && !str_eq_c(why, rows[i].why))
            test_fail(__FILE__, line, "%s with %s:\n    got  %.*s\n    want %s", rows[i].schema,
                      rows[i].value, STR_ARG(why), rows[i].why);
        arena_free(a);
    }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof *(rows), __LINE__)

TEST(types_and_enums)
{
    static const struct row rows[] = {
        {"{}", "1", NULL},
        {"{\"type\":\"object\"}", "{}", NULL},
        {"{\"type\":\"integer\"}", "3.0", NULL},
        {"{\"type\":\"number\"}", "3", NULL},
        {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
        {"{\"type\":\"integer\"}", "3.5",
         "instance type (number) does not match any allowed primitive type (allowed: "
         "[\"integer\"])"},
        {"{\"type\":[\"string\",\"null\"]}", "true",
         "instance type (boolean) does not match any allowed primitive type (allowed: "
         "[\"string\",\"null\"])"},
        {"{\"enum\":[1,\"a\",{\"x\":[1,2]}]}", "{\"x\":[1.0,2]}", NULL},
        {"{\"enum\":[1,\"a\"]}", "\"b\"",
         "instance value (\"b\") not found in enum (possible values: [1,\"a\"])"},
    };
    CHECK_ROWS(rows);
}

TEST(numbers_and_strings_at_and_past_their_bounds)
{
    static const struct row rows[] = {
        {"{\"minimum\":3,\"maximum\":5}", "3", NULL},
        {"{\"minimum\":3,\"maximum\":5}", "5", NULL},
        {"{\"minimum\":3}", "2.9",
         "numeric instance is lower than the required minimum (minimum: 3, found: 2.9)"},
        {"{\"maximum\":5}", "6",
         "numeric instance is greater than the required maximum (maximum: 5, found: 6)"},
        {"{\"minimum\":3,\"exclusiveMinimum\":true}", "3",
         "numeric instance is not strictly greater than the required minimum 3"},
        {"{\"maximum\":3,\"exclusiveMaximum\":true}", "3",
         "numeric instance is not strictly lower than the required maximum 3"},
        {"{\"multipleOf\":0.1}", "0.3", NULL},
        {"{\"multipleOf\":2}", "3", "remainder of division is not zero (3 / 2)"},
        {"{\"minLength\":2,\"maxLength\":3}", "\"\u00e4\u00e4\"", NULL},
        {"{\"minLength\":2}", "\"\u00e4\"",
         "string \"\u00e4\" is too short (length: 1, required minimum: 2)"},
        {"{\"maxLength\":3}", "\"abcd\"",
         "string \"abcd\" is too long (length: 4, maximum allowed: 3)"},
        {"{\"pattern\":\"b+\"}", "\"abba\"", NULL},
        {"{\"pattern\":\"^b+$\"}", "\"abba\"",
         "ECMA 262 regex \"^b+$\" does not match input string \"abba\""},
        {"{\"minimum\":3,\"minLength\":3}", "{}", NULL}, /* of other kinds: does not apply */
    };
    CHECK_ROWS(rows);
}

TEST(arrays_and_objects)
{
    static const struct row rows[] = {
        {"{\"minItems\":1,\"maxItems\":2}", "[1,2]", NULL},
        {"{\"minItems\":1}", "[]",
         "array is too short: must have at least 1 elements but instance has 0 elements"},
        {"{\"maxItems\":2}", "[1,2,3]",
         "array is too long: must have at most 2 elements but instance has 3 elements"},
        {"{\"uniqueItems\":true}", "[1,2,1.0]", "array must not contain duplicate elements"},
        {"{\"items\":{\"type\":\"string\"}}", "[\"a\",1]",
         "instance type (integer) does not match any allowed primitive type (allowed: "
         "[\"string\"])"},
        {"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", "[\"a\"]", NULL},
        {"{\"items\":[{\"type\":\"string\"}],\"additionalItems\":false}", "[\"a\",1]",
         "array must not contain more than 1 elements, found 2"},
        {"{\"items\":[{}],\"additionalItems\":{\"type\":\"null\"}}", "[1,null]", NULL},
        {"{\"required\":[\"a\",\"b\",\"c\"]}", "{\"b\":null}",
         "object has missing required properties ([\"a\",\"c\"])"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}",
         "instance type (integer) does not match any allowed primitive type (allowed: "
         "[\"string\"])"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1,\"b\":2,\"c\":3}",
         "object instance has properties which are not allowed by the schema: [\"b\",\"c\"]"},
        {"{\"patternProperties\":{\"^x-\":{}},\"additionalProperties\":false}", "{\"x-a\":1}",
         NULL},
        {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"a\":1}", NULL},
        {"{\"minProperties\":1}", "{}",
         "object has too few properties (found 0 but schema requires at least 1)"},
        {"{\"maxProperties\":1}", "{\"a\":1,\"b\":1}",
         "object has too many properties (found 2 but schema requires at most 1)"},
        {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}",
         "object has missing required properties ([\"b\"])"},
        {"{\"dependencies\":{\"a\":[\"b\"]}}", "{}", NULL},
    };
    CHECK_ROWS(rows);
}

TEST(combinations_and_references)
{
    static const struct row rows[] = {
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", NULL},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "1",
         "instance failed to match at least one required schema among 2"},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":1}]}", "2",
         "instance failed to match exactly one schema (matched 2 out of 2)"},
        {"{\"not\":{\"type\":\"string\"}}", "\"a\"",
         "instance matched a schema which it should not have"},
        {"{\"$ref\":\"#/definitions/a~1b\",\"definitions\":{\"a/b\":{\"type\":\"null\"}}}", "null",
         NULL},
        {"{\"$ref\":\"#/nope\"}", "null", "JSON Reference \"#/nope\" cannot be resolved"},
        {"{\"$ref\":\"#\"}", "null", "validation takes too long"},
        {"{\"properties\":{\"p\":{\"$ref\":\"https://apigateway.amazonaws.com/restapis/x/models/"
         "Pet\"}}}",
         "{\"p\":{\"name\":\"x\",\"next\":5}}", NULL},
        {"{\"$ref\":\"https://apigateway.amazonaws.com/restapis/x/models/Pet\"}", "{}",
         "object has missing required properties ([\"name\"])"},
        {"{\"$ref\":\"https://x/models/Nope\"}", "{}",
         "JSON Reference \"https://x/models/Nope\" cannot be resolved"},
    };
    CHECK_ROWS(rows);
}

TEST(a_schema_with_keywords_of_a_wrong_kind_is_none)
{
    static const struct {
        const char *schema;
        bool valid;
    } rows[] = {
        {"{}", true},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"title\":5}", true},
        {"{\"type\":5}", false},
        {"[]", false},
        {"\"x\"", false},
        {"{\"properties\":{\"a\":5}}", false},
        {"{\"required\":\"a\"}", false},
        {"{\"pattern\":\"(\"}", false},
        {"{\"items\":[{\"minimum\":\"1\"}]}", false},
        {"{\"allOf\":[1]}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(0, SIZE_MAX);
        struct jval schema;
        struct str why;
        CHECK(json_parse(a, str_c(rows[i].schema), JSON_DEPTH_DEFAULT, &schema, NULL));
        if (json_schema_valid(schema, a, &why) != rows[i].valid)
            test_fail(__FILE__, __LINE__, "%s", rows[i].schema);
        arena_free(a);
    }
}
