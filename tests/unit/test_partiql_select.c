/* links: puddle_dynamo */
#include "partiql_fixture.h"

#define PK_A "[{\"pk\":{\"S\":\"a\"}}]"
#define NONE "[]"

TEST(select_by_key_and_by_scan)
{
    CHECK(pql_open());
    CHECK_STR(pql_items("SELECT pk FROM hhh WHERE pk = 'a'"), PK_A);
    CHECK_STR(pql_items("select pk from \"hhh\" where \"pk\" = 'a';"), PK_A);
    CHECK_STR(pql_items("SELECT pk FROM hhh WHERE pk = 'nope'"), NONE);
    CHECK_STR(pql_items("SELECT n FROM hhh WHERE pk IN ['a', 'b', 'c']"),
              "[{\"n\":{\"N\":\"5\"}},{\"n\":{\"N\":\"7\"}},{}]");
    CHECK_STR(pql("SELECT pk FROM hhh WHERE n > 5"), "{\"Items\":[{\"pk\":{\"S\":\"b\"}}]}");
    CHECK_STR(pql_items("SELECT PK FROM hhh WHERE PK = 'a'"), NONE); /* names have their case */
    CHECK_STR(pql_items("(SELECT pk FROM hhh WHERE 'a' = pk)"), PK_A);
    fx_close();
}

TEST(columns_are_named_by_their_last_part)
{
    CHECK(pql_open());
    CHECK_STR(pql_items("SELECT m.x, m.y[0], l[1], nope FROM hhh WHERE pk = 'a'"),
              "[{\"x\":{\"N\":\"1\"},\"y[0]\":{\"S\":\"q\"},\"l[1]\":{\"N\":\"2\"}}]");
    CHECK_STR(pql_items("SELECT m['x'], (n) FROM hhh WHERE pk = 'a'"),
              "[{\"x\":{\"N\":\"1\"},\"n\":{\"N\":\"5\"}}]");
    CHECK_STR(pql_message("SELECT m.x, n.x FROM hhh"), "Duplicate identifiers in select clause: x");
    CHECK_STR(pql_message("SELECT n AS m FROM hhh"), "Aliasing is not supported");
    CHECK_STR(pql_message("SELECT n + 1 FROM hhh"), "Unexpected path component at 1:10:1");
    CHECK_STR(pql_message("SELECT count(*) FROM hhh"), "Unexpected path component at 1:8:5");
    CHECK_STR(pql_message("SELECT attribute_exists(ss) FROM hhh"),
              "Unexpected path component at 1:8:16");
    CHECK_STR(pql_message("SELECT m.* FROM hhh"),
              "Changing item's hierarchy while reading isn't supported");
    CHECK_STR(pql_message("SELECT l[-1] FROM hhh"),
              "List index is not within the allowable range; index: [-1] at 1:11:1");
    CHECK_STR(pql_message("SELECT \"\" FROM hhh"), "Path component cannot be an empty string");
    CHECK_STR(
        pql_message("SELECT a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a "
                    "FROM hhh"),
        "The document path has too many nesting levels; nesting levels: 33");
    fx_close();
}

/* The condition on the item "a": does it hold? Or its message. */
static struct str holds(const char *condition)
{
    struct str r = pql(FX("SELECT pk FROM hhh WHERE pk = 'a' AND %s", condition));
    if (str_eq_c(r, "{\"Items\":" PK_A "}"))
        return STR("yes");
    return str_eq_c(r, "{\"Items\":[]}") ? STR("no") : r;
}

TEST(conditions)
{
    static const struct {
        const char *condition, *want;
    } cases[] = {
        {"n = 5", "yes"},
        {"n <> 5", "no"},
        {"n != 6", "yes"},
        {"n < 5.0", "no"},
        {"5 <= n", "yes"},
        {"4 > n", "no"},
        {"n = .5e1", "yes"},
        {"n BETWEEN 5 AND 6", "yes"},
        {"n NOT BETWEEN 5 AND 6", "no"},
        {"n IN [1, 5]", "yes"},
        {"n NOT IN <<1, 5>>", "no"},
        {"n IN (1)", "no"},
        {"s = 'str' OR n = 1", "yes"},
        {"NOT (s = 'str' AND n = 5)", "no"},
        {"begins_with(s, 'st')", "yes"},
        {"NOT BEGINS_WITH(s, 'st')", "no"},
        {"contains(ss, 'b')", "yes"},
        {"contains(l, 2)", "yes"},
        {"contains(s, 'tt')", "no"},
        {"size(s) = 3", "yes"},
        {"size(l) BETWEEN 3 AND 4", "no"},
        {"attribute_type(ss, 'SS')", "yes"},
        {"attribute_exists(m.y)", "yes"},
        {"attribute_exists(\"m\".\"z\")", "no"},
        {"attribute_not_exists(nope)", "yes"},
        {"attribute_exists(ss) = true", "yes"},
        {"attribute_exists(ss) = false", "no"},
        {"attribute_exists(nope) <> true", "yes"},
        {"(n = 5) = b", "yes"},
        {"(n = 6) = b", "no"},
        {"(n = 6) <> b", "yes"},
        {"(n = 5) = (s = 'str')", "yes"},
        {"(n = 6) = (s = 'x')", "yes"},
        {"(n = 6) = (s = 'str')", "no"},
        {"(n = 5) = 'x'", "no"},
        {"nope IS MISSING", "yes"},
        {"n IS NOT MISSING", "yes"},
        {"NOT n IS MISSING", "yes"},
        {"nul IS NULL", "yes"},
        {"nul = NULL", "yes"},
        {"n IS NULL", "no"},
        {"nope IS NOT NULL", "yes"},
        {"b IS BOOL", "yes"},
        {"b = TRUE", "yes"},
        {"s IS STRING", "yes"},
        {"n IS NUMERIC", "yes"},
        {"m IS STRUCT", "yes"},
        {"m IS TUPLE", "yes"},
        {"l IS LIST", "yes"},
        {"s IS BLOB", "no"},
        {"ss = <<'b', 'a'>>", "yes"},
        {"l = [1, 2]", "yes"},
        {"l = [2, 1]", "no"},
        {"m = {'y': ['q'], 'x': 1}", "yes"},
        {"m.y[0] = 'q'", "yes"},
        {"1 = 1", "yes"},
        {"n = nope", "no"},
        {"n <> nope", "yes"},
    };
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = holds(cases[i].condition);
        if (!str_eq_c(got, cases[i].want))
            test_fail(__FILE__, __LINE__, "%s: %.*s", cases[i].condition, STR_ARG(got));
    }
    fx_close();
}

TEST(conditions_that_are_none)
{
    static const struct {
        const char *where, *want;
    } cases[] = {
        {"true", "WHERE clause must contain an expression that resolves to a boolean"},
        {"v", "WHERE clause must contain an expression that resolves to a boolean"},
        {"size(v)", "WHERE clause must contain an expression that resolves to a boolean"},
        {"n = 1 AND true", "The arguments to AND/OR must be Expressions"},
        {"NOT v", "The argument to NOT must be a Type or Expression"},
        {"n = 1 OR size(v)", "Incorrect operand type for operator or function; operator or "
                             "function: OR, operand type: N"},
        {"n = MISSING", "MISSING must be compared using IS operator"},
        {"n LIKE 'x'", "Unsupported operator in Condition Expression. Operator: like"},
        {"n + 1 = 2", "Unsupported operator in Condition Expression. Operator: +"},
        {"n = -m", "Unsupported operator in Condition Expression. Operator: -"},
        {"n IN 5",
         "IN operator must have a left hand argument of type Variable Reference and right "
         "hand argument of type Seq with at least one member"},
        {"n IN []", "IN operator must have a left hand argument of type Variable Reference and "
                    "right hand argument of type Seq with at least one member"},
        {"n IS INT", "Unsupported data type for IS operator: INTEGER. Supported data types are "
                     "[MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST] at "
                     "1:27:2"},
        {"size(n) IS NULL", "The left hand side argument to IS must be a Variable Reference, "
                            "Literal, or Path"},
        {"foo(n)", "Unrecognized function: foo at 1:25:3"},
        {"EXISTS(ss)", "Unrecognized function: exists at 1:25:6"},
        {"set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add at 1:25:7"},
        {"if_not_exists(n, 1) = 5",
         "The function is not allowed in a condition expression; function: if_not_exists"},
        {"n = (SELECT n FROM hhh)", "Unsupported token in expression: SELECT at 1:30:6"},
        {"n < true", "Incorrect operand type for operator or function; operator or function: <, "
                     "operand type: BOOL"},
        {"n BETWEEN 7 AND 1",
         "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
         "lower bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {N:1}"},
        {"v = v",
         "The first operand must be distinct from the remaining operands for this operator "
         "or function; operator: =, first operand: [v]"},
        {"attribute_exists('ss')", "Operator or function requires a document path; operator or "
                                   "function: attribute_exists"},
        {"attribute_exists()", "Incorrect number of operands for operator or function; operator or "
                               "function: attribute_exists, number of operands: 0"},
        {"attribute_exists(ss, ns)",
         "Incorrect number of operands for operator or function; operator or function: "
         "attribute_exists, number of operands: 2"},
        {"begins_with(s, 1)", "Incorrect operand type for operator or function; operator or "
                              "function: begins_with, operand type: N"},
        {"l[*] = 1", "Wildcard path component like a[*].b are not supported at 1:27:1"},
        {"m.* = 1", "Unpivot path component like a.*.b are not supported at 1:27:1"},
        {"pk.x = 'q'", "Key attributes must be scalars; list random access '[]' and map lookup '.' "
                       "are not allowed: Key: pk"},
        {"m = {'x': q}", "Unsupported data type: VariableReference under key root.x at 1:35:1"},
    };
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = pql_message(FX("SELECT * FROM hhh WHERE %s", cases[i].where));
        if (!str_eq_c(got, cases[i].want))
            test_fail(__FILE__, __LINE__, "%s:\n got  %.*s\n want %s", cases[i].where, STR_ARG(got),
                      cases[i].want);
    }
    fx_close();
}

TEST(numbers_in_literals)
{
#define OVER                                                                                       \
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
#define UNDER                                                                                      \
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    CHECK(pql_open());
    CHECK_STR(pql("INSERT INTO nnn VALUE {'pk': 7.32e6}"), "{\"Items\":[]}");
    CHECK_STR(pql("INSERT INTO nnn VALUE {'pk': -.73e1}"), "{\"Items\":[]}");
    CHECK_STR(pql_items("SELECT * FROM nnn WHERE pk = 73200000E-1"),
              "[{\"pk\":{\"N\":\"7320000\"}}]");
    CHECK_STR(pql_items("SELECT * FROM nnn WHERE pk = -7.3"), "[{\"pk\":{\"N\":\"-7.3\"}}]");
    CHECK_STR(pql_message("SELECT * FROM nnn WHERE pk = 1e126"), OVER " under root");
    CHECK_STR(pql_message("SELECT * FROM nnn WHERE pk = 1e-131"), UNDER " under root");
    CHECK_STR(pql_message("SELECT * FROM nnn WHERE pk = 123456789012345678901234567890123456789"),
              "Attempting to store more than 38 significant digits in a Number under root");
    CHECK_STR(pql_message("INSERT INTO nnn VALUE {'pk': 1, 'm': {'x': 1e126}}"),
              OVER " under root.x");
    CHECK_STR(pql_message("INSERT INTO nnn VALUE {'pk': 1, 'l': [1, 1e126]}"),
              OVER " under root[1]");
    CHECK_STR(pql_message("INSERT INTO nnn VALUE {'pk': -0.0}"),
              "Negative zero decimal is not supported under key root at 1:31:3");
    fx_close();
}

TEST(partitions_and_sort_keys)
{
    CHECK(pql_open());
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p'"), "p1 p2 p3 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk > 1 AND sk <= 3"), "p2 p3");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE 'p' = pk AND 2 < sk"), "p3 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk BETWEEN 2 AND 3"), "p2 p3");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk <> 2"), "p1 p3 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk IN [3, 1]"), "p1 p3");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND (sk = 1 OR v = 'v4')"), "p1 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND pk = 'q'"), "");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'q' OR pk = 'p' AND sk = 2"),
              "q1 q2 q3 q4 p2");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE (pk = 'q' OR pk = 'p') AND sk = 2"), "q2 p2");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk IN ['q', 'p', 'q'] AND sk < 2"), "q1 p1");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk IN ['q', 'p'] AND pk = 'p' AND sk = 4"), "p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND v = 'v1' OR pk = 'p' AND v = 'v2'"),
              "p1 p2");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk = 3 OR pk = 'p' AND sk < 2"),
              "p3 p1");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 1"),
              "Key attribute's data type should match its data type in table's schema: Key pk");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk IN ['p', 1]"),
              "Key attribute's data type should match its data type in table's schema: Key pk");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' AND begins_with(sk, 'x')"),
              "Key attribute's data type should match its data type in table's schema: Key sk");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = ''"),
              "One or more parameter values are not valid. The AttributeValue for a key attribute "
              "cannot contain an empty string value. Key: pk");
    fx_close();
}

TEST(branches_that_overlap)
{
    static const struct {
        const char *left, *want;
    } fine[] = {{"NOT sk = 1", "p2 p3 p4"},
                {"sk <> 1", "p2 p3 p4"},
                {"NOT sk IN [1, 3]", "p2 p4"},
                {"NOT (sk > 2)", "p1 p2"}};
#define OVERLAP "Overlapping conditions with range keys are not supported in where clause"
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        CHECK_STR(pql_keys(FX("SELECT * FROM ccc WHERE pk = 'p' AND %s OR pk = 'p' AND sk = 2",
                              fine[i].left)),
                  fine[i].want);
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' OR pk = 'p' AND NOT sk = 1"),
              "p1 p2 p3 p4");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' AND v = '1' OR pk = 'p' AND sk = 2"),
              OVERLAP);
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' AND v <> '1' OR pk = 'p' AND sk = 2"),
              OVERLAP);
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' AND sk > 1 OR pk = 'p' AND sk < 3"),
              OVERLAP);
    CHECK_STR(pql_items("SELECT pk FROM hhh WHERE pk = 'a' AND n = 5 OR pk = 'a' AND s = 'str'"),
              PK_A);
    fx_close();
}

TEST(order_by)
{
    CHECK(pql_open());
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' ORDER BY sk DESC"), "p4 p3 p2 p1");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p' ORDER BY sk ASC"), "p1 p2 p3 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk IN ['p', 'q'] ORDER BY pk DESC, sk"),
              "q1 q2 q3 q4 p1 p2 p3 p4");
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk IN ['q', 'p'] ORDER BY pk, sk DESC"),
              "p4 p3 p2 p1 q4 q3 q2 q1");
    CHECK_STR(
        pql_keys("SELECT * FROM ccc WHERE pk = 'p' AND sk = 1 OR pk = 'p' AND sk > 2 ORDER BY "
                 "sk DESC"),
        "p4 p3 p1");
    CHECK_STR(pql_keys("SELECT * FROM ccc.lii WHERE pk = 'p' ORDER BY l DESC"), "p1 p2 p3 p4");
    CHECK_STR(pql_message("SELECT * FROM ccc ORDER BY pk"),
              "Must have WHERE clause in the statement when using ORDER BY clause.");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE v = 'v1' ORDER BY pk"),
              "Must have at least one non-optional hash key condition in WHERE clause when using "
              "ORDER BY clause.");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' ORDER BY v"),
              "Variable reference v in ORDER BY clause must be part of the primary key");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk = 'p' ORDER BY sk.x"),
              "Argument to ORDER BY must be of type VariableReference. Type: PATH");
    CHECK_STR(pql_message("SELECT * FROM ccc WHERE pk IN ['p', 'q'] ORDER BY sk"),
              "Must have hash key in ORDER BY clause when more than one hash key condition "
              "specified in WHERE clause.");
    fx_close();
}

TEST(indexes)
{
    CHECK(pql_open());
    CHECK_STR(pql_keys("SELECT * FROM ccc.gii WHERE g = 'g1' AND sk = 1 AND pk = 'p'"), "p1");
    CHECK_STR(fx_get(pql("SELECT * FROM \"ccc\".\"gii\" WHERE g = 'g1' AND sk > 2 AND pk = 'q'"),
                     "Items"),
              "[{\"pk\":{\"S\":\"q\"},\"sk\":{\"N\":\"3\"},\"g\":{\"S\":\"g1\"}}]");
    CHECK_STR(pql_keys("SELECT pk, sk FROM ccc.gii WHERE pk = 'p' AND sk = 2"), "p2"); /* a scan */
    CHECK_STR(pql_keys("SELECT * FROM ccc.lii WHERE pk = 'p' AND l < 'l3'"), "p4 p3");
    CHECK_STR(pql_items("SELECT v FROM ccc.lii WHERE pk = 'p' AND l = 'l4'"),
              "[{\"v\":{\"S\":\"v1\"}}]");
    CHECK_STR(pql_message("SELECT v, w FROM ccc.gii WHERE g = 'g1'"),
              "One or more parameter values were invalid: Global secondary index gii does not "
              "project [v, w]");
    CHECK_STR(pql_message("SELECT v FROM ccc.gii"),
              "One or more parameter values were invalid: Global secondary index gii does not "
              "project [v]");
    CHECK_STR(pql_message("SELECT pk FROM ccc.gii WHERE g = 'g1' AND v = 'v1'"),
              "One or more parameter values were invalid: Secondary index gii does not project one "
              "or more filter attributes: [v]");
    CHECK_STR(pql_message("SELECT pk FROM ccc.lii WHERE pk = 'p' AND NOT v = 'v1'"),
              "One or more parameter values were invalid: Secondary index lii does not project one "
              "or more filter attributes: [v]");
    CHECK_STR(pql_message("SELECT pk FROM ccc.gii WHERE g IN ['g1', 'g0'] AND v IS MISSING"),
              "One or more parameter values were invalid: Secondary index gii does not project one "
              "or more filter attributes: [v]");
    CHECK_STR(pql_items("SELECT pk FROM ccc.gii WHERE v = 'v1'"), NONE);
    CHECK_STR(pql_items("SELECT pk FROM ccc.lii WHERE v = 'v1'"), NONE);
    CHECK_STR(
        pql_keys("SELECT * FROM ccc.gii WHERE g = 'g1' AND v = 'v1' OR g = 'g0' AND sk = 2 AND "
                 "pk = 'p'"),
        "p2");
    CHECK_STR(pql_keys("SELECT * FROM ccc.lii WHERE pk = 'p' AND x = 2"), "p3");
    CHECK_STR(pql_message("SELECT * FROM ccc.nope WHERE pk = 'p'"),
              "The table does not have the specified index");
    CHECK_STR(pql_message("SELECT * FROM ccc.\"\" WHERE pk = 'p'"),
              "Path component cannot be an empty string");
    CHECK_STR(pql_message("SELECT * FROM ccc.gii.x WHERE pk = 'p'"),
              "A path may contain at most 2 components in the FROM clause");
    CHECK_STR(pql_with("SELECT * FROM ccc.gii WHERE g = 'g1'", ",\"ConsistentRead\":true"),
              "ValidationException: Strongly consistent read is not supported on Global Secondary "
              "Indexes");
    CHECK_STR(pql_keys_of(pql_with("SELECT * FROM ccc.lii WHERE pk = 'p' AND l = 'l1'",
                                   ",\"ConsistentRead\":true")),
              "p4");
    fx_close();
}

TEST(indexes_with_several_partition_keys_are_refused)
{
#define MULTI                                                                                      \
    "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or "           \
    "multi-attribute RANGE keys."
    CHECK(pql_open());
    CHECK_STR(pql_message("SELECT * FROM mmm.multi WHERE h1 = 'a' AND h2 = 'x' ORDER BY h1"),
              MULTI);
    CHECK_STR(pql_message("SELECT * FROM mmm.multi WHERE h1 = 5"), MULTI);
    CHECK_STR(pql_message("SELECT COUNT(*) FROM mmm.multi"), MULTI);
    CHECK_STR(pql_message("SELECT * FROM mmm.multi WHERE"),
              "Statement wasn't well formed, can't be processed: Unexpected term");
    CHECK_STR(pql("INSERT INTO mmm VALUE {'pk': 'a'}"), "{\"Items\":[]}");
    CHECK_STR(pql_items("SELECT pk FROM mmm WHERE pk = 'a'"), PK_A);
    fx_close();
}

TEST(what_select_cannot_do)
{
    static const struct {
        const char *statement, *want;
    } cases[] = {
        {"SELECT * FROM hhh LIMIT 1", "Unsupported clause: LIMIT at 1:25:1"},
        {"SELECT * FROM hhh GROUP BY pk", "Unsupported clause: GROUP BY"},
        {"SELECT * FROM hhh HAVING pk='a'", "Unsupported clause: HAVING at 1:28:1"},
        {"SELECT * FROM hhh LET x AS y", "Unsupported clause: LET"},
        {"SELECT DISTINCT n FROM hhh", "Unsupported token in expression: DISTINCT"},
        {"SELECT VALUE n FROM hhh", "Select projection doesn't support value or pivot keywords"},
        {"PIVOT a AT b FROM hhh", "Select projection doesn't support value or pivot keywords"},
        {"SELECT * FROM hhh, ccc", "Only select from a single table or index is supported."},
        {"SELECT * FROM hhh JOIN ccc ON 1=1",
         "Only select from a single table or index is supported."},
        {"SELECT * FROM UNPIVOT hhh", "Only select from a single table or index is supported."},
        {"SELECT * FROM hhh t WHERE pk = 'a'", "Aliasing is not supported"},
        {"SELECT * FROM hhh AS t WHERE pk = 'a'", "Aliasing is not supported"},
        {"SELECT * FROM (SELECT * FROM hhh)", "Unexpected from source"},
        {"SELECT * FROM 'hhh'", "Unexpected from source"},
        {"SELECT * FROM hhh[0]", "Invalid list expression in source."},
        {"SELECT * FROM hhh.*", "Unpivot path component like a.*.b are not supported at 1:19:1"},
        {"SELECT * FROM \"\"", "Path component cannot be an empty string"},
        {"SELECT * FROM \"no such\"",
         "Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', "
         "'-', '_', '.'."},
        {"x IS INT4", "Unsupported operation: IsType"},
        {"DROP TABLE hhh", "Unsupported operation: DropTable"},
        {"CREATE TABLE xyz", "Unsupported operation: CreateTable"},
        {"FOO", "Unsupported operation: VariableReference"},
        {"1", "Unsupported operation: Literal"},
        {"EXISTS(SELECT * FROM hhh WHERE pk = 'a' AND n = 5)",
         "EXISTS can only be used in ExecuteTransaction write requests."},
    };
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = pql_message(cases[i].statement);
        if (!str_eq_c(got, cases[i].want))
            test_fail(__FILE__, __LINE__, "%s:\n got  %.*s\n want %s", cases[i].statement,
                      STR_ARG(got), cases[i].want);
    }
    CHECK_STR(pql("SELECT * FROM nosuch WHERE pk = 'x'"),
              "ResourceNotFoundException: Requested resource not found");
    CHECK_STR(pql_message("SELECT pk FROM nosuch WHERE pk = 'a' AND v < true"),
              "Incorrect operand type for operator or function; operator or function: <, operand "
              "type: BOOL");
    fx_close();
}

TEST(capacity_of_reads)
{
    static const char *const total = ",\"ReturnConsumedCapacity\":\"TOTAL\"";
    static const char *const indexes = ",\"ReturnConsumedCapacity\":\"INDEXES\"";
    CHECK(pql_open());
    CHECK_STR(fx_get(pql_with("SELECT * FROM hhh WHERE pk = 'a'", total),
                     "ConsumedCapacity/CapacityUnits"),
              "0.5");
    CHECK_STR(fx_get(pql_with("SELECT * FROM hhh WHERE pk = 'a'",
                              ",\"ReturnConsumedCapacity\":\"TOTAL\",\"ConsistentRead\":true"),
                     "ConsumedCapacity/CapacityUnits"),
              "1");
    CHECK_STR(fx_get(pql_with("SELECT * FROM hhh WHERE pk IN ['a', 'b', 'zz']", total),
                     "ConsumedCapacity/CapacityUnits"),
              "1.5");
    struct str r = pql_with("SELECT v FROM ccc.lii WHERE pk = 'p'", indexes);
    CHECK_STR(fx_get(r, "ConsumedCapacity/LocalSecondaryIndexes/lii/CapacityUnits"), "0.5");
    CHECK(!str_eq_c(fx_get(r, "ConsumedCapacity/Table/CapacityUnits"), "0"));
    r = pql_with("SELECT * FROM ccc.gii WHERE g = 'g1'", indexes);
    CHECK_STR(fx_get(r, "ConsumedCapacity/GlobalSecondaryIndexes/gii/CapacityUnits"), "0.5");
    CHECK_STR(fx_get(r, "ConsumedCapacity/Table/CapacityUnits"), "0");
    fx_close();
}
