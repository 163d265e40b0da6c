/* links: puddle_dynamo */
#include "partiql_fixture.h"

#define DONE     "{\"Items\":[]}"
#define MISMATCH "ValidationException: Number of parameters in request and statement don't match."
#define NEST                                                                                       \
    "ValidationException: Nesting Levels have exceeded supported limits: Attributes in the item "  \
    "have nested levels beyond supported limit"
#define NO_NUMBER "ValidationException: The parameter cannot be converted to a numeric value"

static struct str with(const char *statement, const char *parameters)
{
    return pql_with(statement, FX(",\"Parameters\":%s", parameters));
}

TEST(parameters_are_values_in_order)
{
    CHECK(pql_open());
    CHECK_STR(
        with("INSERT INTO hhh VALUE {'pk': ?, 'a': ?, 'b': ?}",
             "[{\"S\":\"x\"},{\"BS\":[\"AQ==\"]},{\"M\":{\"k\":{\"L\":[{\"N\":\"01.0\"}]}}}]"),
        DONE);
    CHECK_STR(pql_get_hhh("x"),
              "{\"pk\":{\"S\":\"x\"},\"a\":{\"BS\":[\"AQ==\"]},\"b\":{\"M\":{\"k\":"
              "{\"L\":[{\"N\":\"1\"}]}}}}");
    CHECK_STR(
        with("UPDATE hhh SET a = set_add(a, ?), c = list_append(if_not_exists(c, ?), ?) WHERE "
             "pk = ? RETURNING MODIFIED NEW *",
             "[{\"BS\":[\"Ag==\"]},{\"L\":[]},{\"L\":[{\"S\":\"q\"}]},{\"S\":\"x\"}]"),
        "{\"Items\":[{\"a\":{\"BS\":[\"AQ==\",\"Ag==\"]},\"c\":{\"L\":[{\"S\":\"q\"}]}}]}");
    CHECK_STR(with("SELECT pk FROM hhh WHERE pk IN [?, ?] AND n BETWEEN ? AND ?",
                   "[{\"S\":\"a\"},{\"S\":\"b\"},{\"N\":\"6\"},{\"N\":\"8\"}]"),
              "{\"Items\":[{\"pk\":{\"S\":\"b\"}}]}");
    CHECK_STR(with("DELETE FROM hhh WHERE pk = ? AND a = ?",
                   "[{\"S\":\"x\"},{\"BS\":[\"Ag==\",\"AQ==\"]}]"),
              DONE);
    CHECK_STR(pql_items("SELECT * FROM hhh WHERE pk = 'x'"), "[]");
    fx_close();
}

TEST(numbers_of_parameters_match)
{
    CHECK(pql_open());
    CHECK_STR(pql("SELECT * FROM hhh WHERE pk = ?"), MISMATCH);
    CHECK_STR(with("SELECT * FROM hhh WHERE pk = ? AND n = ?", "[{\"S\":\"a\"}]"), MISMATCH);
    CHECK_STR(with("SELECT * FROM hhh WHERE pk = '?'", "[{\"S\":\"a\"}]"), MISMATCH);
    CHECK_STR(with("SELECT * FROM hhh -- ?\nWHERE pk = \"?\"", "[{\"S\":\"a\"}]"), MISMATCH);
    fx_close();
}

TEST(parameters_that_are_no_values)
{
    static const char *const cases[][2] = {
        {"[{\"NULL\":false}]",
         "ValidationException: One or more parameter values were invalid: Null "
         "attribute value types must have the value of true"},
        {"[{}]",
         "ValidationException: Supplied AttributeValue is empty, must contain exactly one of "
         "the supported datatypes"},
        {"[{\"S\":\"x\",\"N\":\"1\"}]", "ValidationException: Supplied AttributeValue has more "
                                        "than one datatypes set, must contain "
                                        "exactly one of the supported datatypes"},
        {"[{\"SS\":[]}]",
         "ValidationException: One or more parameter values were invalid: An string "
         "set  may not be empty"},
        {"[{\"SS\":[\"b\",\"b\"]}]",
         "ValidationException: One or more parameter values were invalid: "
         "Input collection [b, b] contains duplicates."},
        {"[{\"N\":\"abc\"}]", NO_NUMBER ": abc"},
        {"[{\"N\":\"\"}]", NO_NUMBER},
        {"[{\"N\":\"1e99999999999\"}]", NO_NUMBER ": 1e99999999999"},
        {"[{\"N\":\"-1e99999999999\"}]", NO_NUMBER ": -1e99999999999"},
        {"[{\"N\":\"1e2147483648\"}]", NO_NUMBER ": 1e2147483648"},
        {"[{\"N\":\"1e-2147483648\"}]", NO_NUMBER ": 1e-2147483648"},
        {"[{\"N\":\"1e2147483647\"}]", "ValidationException: Number underflow. Attempting to store "
                                       "a number with magnitude smaller "
                                       "than supported range"},
        {"[{\"N\":\"1e200\"}]",
         "ValidationException: Number overflow. Attempting to store a number "
         "with magnitude larger than supported range"},
        {"[{\"L\":[{\"N\":\"1\"},{\"N\":\"1e99999999999\"}]}]", NO_NUMBER ": 1e99999999999"},
        {"[{\"M\":{\"x\":{\"N\":\"1e99999999999\"}}}]", NO_NUMBER ": 1e99999999999"},
        {"[{\"NS\":[\"1\",\"1e99999999999\"]}]", NO_NUMBER ": 1e99999999999"},
    };
    static const char *const statements[] = {
        "SELECT * FROM ccc WHERE pk = 'x' AND n = ?", "INSERT INTO hhh VALUE {'pk': 'z', 'n': ?}",
        "UPDATE hhh SET n = ? WHERE pk = 'a'", "SELECT * FROM hhh WHERE pk = ?"};
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < sizeof statements / sizeof *statements; k++)
            CHECK_STR(with(statements[k], cases[i][0]), cases[i][1]);
    }
    fx_close();
}

static const char *deep(int levels, const char *leaf)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < levels; i++)
        buf_add(&b, STR("{\"M\":{\"n\":"));
    buf_add(&b, str_c(leaf));
    for (int i = 0; i < levels; i++)
        buf_add(&b, STR("}}"));
    const char *p = arena_buf(fx_arena, &b).p;
    buf_release(&b);
    return p;
}

TEST(the_first_fault_in_document_order_is_told)
{
    const char *two = "SELECT * FROM ccc WHERE pk = 'x' AND a = ? AND b = ?";
    const char *one = "SELECT * FROM ccc WHERE pk = 'x' AND a = ?";
    CHECK(pql_open());
    const char *d = deep(40, "{\"S\":\"x\"}");
    CHECK_STR(with(two, FX("[%s,{\"N\":\"abc\"}]", d)), NEST);
    CHECK_STR(with(two, FX("[{\"N\":\"abc\"},%s]", d)), NO_NUMBER ": abc");
    CHECK_STR(with(one, FX("[{\"M\":{\"d\":%s,\"bad\":{\"N\":\"abc\"}}}]", d)), NEST);
    CHECK_STR(with(one, FX("[%s]", deep(40, "{\"N\":\"abc\"}"))), NEST);
    CHECK_STR(with(one, FX("[%s]", deep(31, "{\"S\":\"x\"}"))), DONE);
    CHECK_STR(with(one, FX("[%s]", deep(32, "{\"S\":\"x\"}"))), NEST);
    fx_close();
}

/* A text is a value wherever it stands: no statement may change what the one around it means. */
static const char *const attacks[] = {
    "'",
    "''",
    "' OR '1'='1",
    "a' OR pk > '",
    "a'; DELETE FROM hhh WHERE pk = 'b",
    "a'--",
    "a' /*",
    "*/ a",
    "?",
    "\"",
    "\" OR \"pk\" = \"pk",
    "`",
    "`a` OR 1 = 1",
    "\\",
    "\\'",
    "a\\' OR 1=1 --",
    "a\n; DROP TABLE hhh",
    "<<'a'>>",
    "{'pk': 'a'}",
    "MISSING",
    "NULL",
    "\xe2\x80\x99 OR 1=1",
    "a\xcc\x81'",
    ";",
    "--",
    "/*",
    "[0]",
    ".x",
};

static struct str quoted(const char *text)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            buf_addc(&b, '\'');
        buf_addc(&b, *p);
    }
    struct str ret = arena_buf(fx_arena, &b);
    buf_release(&b);
    return ret;
}

static const char *as_json(const char *text)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    json_escape(&b, str_c(text));
    const char *p = arena_buf(fx_arena, &b).p;
    buf_release(&b);
    return p;
}

TEST(injection_as_parameter_has_no_effect)
{
    CHECK(pql_open());
    struct str all = pql("SELECT * FROM hhh");
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        const char *p = FX("[{\"S\":\"%s\"}]", as_json(attacks[i]));
        CHECK_STR(with("SELECT * FROM hhh WHERE pk = ?", p), DONE);
        CHECK_STR(with("SELECT * FROM hhh WHERE s = ?", p), DONE);
        CHECK_STR(with("DELETE FROM hhh WHERE pk = ?", p), DONE);
        CHECK_STR(with("UPDATE hhh SET n = 0 WHERE pk = ?", p),
                  "ConditionalCheckFailedException: The conditional request failed");
        CHECK_STR(with("INSERT INTO hhh VALUE {'pk': 'mine', 'v': ?}", p), DONE);
        CHECK_STR(pql_items("DELETE FROM hhh WHERE pk = 'mine' RETURNING ALL OLD *"),
                  FX("[{\"pk\":{\"S\":\"mine\"},\"v\":{\"S\":\"%s\"}}]", as_json(attacks[i])));
    }
    CHECK(str_eq(pql("SELECT * FROM hhh"), all));
    CHECK_I64(ddb_table_count(fx), 4);
    fx_close();
}

TEST(injection_as_literal_has_no_effect)
{
    CHECK(pql_open());
    struct str all = pql("SELECT * FROM hhh");
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        struct str q = quoted(attacks[i]);
        CHECK_STR(pql(FX("SELECT * FROM hhh WHERE pk = '%.*s'", STR_ARG(q))), DONE);
        CHECK_STR(pql(FX("DELETE FROM hhh WHERE pk = '%.*s'", STR_ARG(q))), DONE);
        CHECK_STR(pql(FX("INSERT INTO hhh VALUE {'pk': 'mine', 'v': '%.*s'}", STR_ARG(q))), DONE);
        CHECK_STR(pql(FX("UPDATE hhh SET v = '%.*s' WHERE pk = 'mine' AND v = '%.*s'", STR_ARG(q),
                         STR_ARG(q))),
                  DONE);
        CHECK_STR(pql_items("DELETE FROM hhh WHERE pk = 'mine' RETURNING ALL OLD *"),
                  FX("[{\"pk\":{\"S\":\"mine\"},\"v\":{\"S\":\"%s\"}}]", as_json(attacks[i])));
    }
    CHECK(str_eq(pql("SELECT * FROM hhh"), all));
    CHECK_I64(ddb_table_count(fx), 4);
    fx_close();
}

TEST(statement_size)
{
    CHECK(pql_open());
    const char *pad = fx_repeat(' ', 8192 - 18 + 1);
    struct str fits = arena_fmt(fx_arena, "SELECT * FROM hhh%s", pad + 1);
    CHECK_I64(fits.n, 8192 - 18 + 17);
    CHECK(str_starts(pql(FX("SELECT * FROM hhh%s", pad)), STR("{\"Items\"")));
    CHECK(str_starts(pql(FX("SELECT * FROM hhh %s", pad)),
                     STR("ValidationException: 1 validation error detected: ")));
    fx_close();
}
