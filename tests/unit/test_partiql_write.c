/* links: puddle_dynamo */
#include "partiql_fixture.h"

#define DONE    "{\"Items\":[]}"
#define NO_KEY  "Where clause does not contain a mandatory equality on all key attributes"
#define CHECKED "ConditionalCheckFailedException: The conditional request failed"

static void check_messages(const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str got = pql_message(cases[i][0]);
        if (!str_eq_c(got, cases[i][1]))
            test_fail(__FILE__, __LINE__, "%s:\n got  %.*s\n want %s", cases[i][0], STR_ARG(got),
                      cases[i][1]);
    }
}
#define CHECK_MESSAGES(cases) check_messages(cases, sizeof(cases) / sizeof *(cases))

TEST(insert)
{
    CHECK(pql_open());
    CHECK_STR(pql("INSERT INTO hhh VALUE {'pk': 'x', 'a': [1, 'y', true, null, <<1, 2>>, <<'a'>>, "
                  "{'b': (1, 2)}, list(3), bag(4)], '\xc3\xa9\"': 'it''s'}"),
              DONE);
    CHECK_STR(
        pql_get_hhh("x"),
        "{\"pk\":{\"S\":\"x\"},\"a\":{\"L\":[{\"N\":\"1\"},{\"S\":\"y\"},{\"BOOL\":true},"
        "{\"NULL\":true},{\"NS\":[\"1\",\"2\"]},{\"SS\":[\"a\"]},{\"M\":{\"b\":{\"L\":[{\"N\":"
        "\"1\"},{\"N\":\"2\"}]}}},{\"L\":[{\"N\":\"3\"}]},{\"NS\":[\"4\"]}]},\"\xc3\xa9\\\"\":"
        "{\"S\":\"it's\"}}");
    CHECK_STR(pql("INSERT INTO hhh VALUE {'pk': 'x'}"),
              "DuplicateItemException: Duplicate primary key exists in table");
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'x'"), DONE);
    CHECK_STR(pql("INSERT INTO \"hhh\" VALUE {'pk': 'x', 'a': ''}"), DONE);
    CHECK_STR(pql_get_hhh("x"), "{\"pk\":{\"S\":\"x\"},\"a\":{\"S\":\"\"}}");
    CHECK_STR(pql("INSERT INTO nosuch VALUE {'pk': 'x'}"),
              "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(inserts_that_are_refused)
{
#define FORMAT                                                                                     \
    "Unsupported format in item expression. Please use struct format {...} to express item "       \
    "values "                                                                                      \
    "for insert statement."
#define BAG "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
#define SEVERAL                                                                                    \
    "Unsupported operation: Inserting multiple items in a single statement is not supported, use " \
    "\"INSERT INTO tableName VALUE item\" instead"
    static const char *const cases[][2] = {
        {"INSERT INTO hhh VALUE 'x'", FORMAT " at 1:23:3"},
        {"INSERT INTO hhh VALUE [1]", FORMAT " at 1:23:1"},
        {"INSERT INTO hhh <<{'pk':'x'}>>", SEVERAL},
        {"INSERT INTO hhh VALUES ({'pk':'x'})", SEVERAL},
        {"INSERT INTO hhh VALUE {pk:'x'}",
         "Tuple keys must be of type String. Actual type: VariableReference under root at 1:24:2"},
        {"INSERT INTO hhh VALUE {1:'x'}",
         "Tuple keys must be of type String. Actual type: INT under root at 1:24:1"},
        {"INSERT INTO hhh VALUE {}", "Key attribute should be present in the item: Key pk"},
        {"INSERT INTO hhh VALUE {'pk':1}",
         "Key attribute's data type should match its data type in table's schema: Key pk"},
        {"INSERT INTO hhh VALUE {'pk':''}", "One or more parameter values are not valid. The "
                                            "AttributeValue for a key attribute cannot "
                                            "contain an empty string value. Key: pk"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':1,'a':2}",
         "Duplicate keys in tuple. Key: a under root at 1:39:3"},
        {"INSERT INTO hhh VALUE {'pk':'z','m':{'a':1,'a':2}}",
         "Duplicate keys in tuple. Key: a under root at 1:37:1"},
        {"INSERT INTO hhh VALUE {'pk':'z','':1}", "Path component cannot be an empty string"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':missing}",
         "Unsupported data type: MISSING under key root at 1:37:7"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':<<>>}", "Empty bags are not supported"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':<<1,'a'>>}", BAG},
        {"INSERT INTO hhh VALUE {'pk':'z','a':<<true>>}", BAG " at 1:39:4"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':<<'x','x'>>}",
         "One or more parameter values were invalid: Input collection [x, x] contains duplicates."},
        {"INSERT INTO hhh VALUE {'pk':'z','a':1+1}",
         "Unsupported data type: + under key root at 1:38:1"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':b}",
         "Unsupported data type: b under key root at 1:37:1"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':[{'x':c}]}",
         "Unsupported data type: VariableReference under key root[0].x at 1:43:1"},
        {"INSERT INTO hhh VALUE {'pk':'z','a':`1`}",
         "Ion Literals are not supported: INT under key root at 1:37:3"},
        {"INSERT INTO hhh VALUE {'pk':'z','ss':set_add(<<'a'>>, <<'b'>>)}",
         "Unsupported data type: set_add under key root at 1:38:7"},
        {"INSERT INTO hhh VALUE {'pk':'z'} AT 1",
         "AT is not supported in insert statements. at 1:1:6"},
        {"INSERT INTO hhh VALUE {'pk':'z'} RETURNING ALL OLD *",
         "RETURNING is not supported in INSERT"},
        {"INSERT INTO hhh VALUE {'pk':'z'} ON CONFLICT WHERE pk='z' DO NOTHING",
         "Unsupported clause: ON CONFLICT"},
        {"INSERT INTO hhh.gii VALUE {'pk':'z'}",
         "FROM clause may only contain a single table name in data manipulation statements"},
        {"INSERT INTO ccc VALUE {'pk':'z'}", "Key attribute should be present in the item: Key sk"},
        {"INSERT INTO ccc VALUE {'pk':'z','sk':1,'g':5}",
         "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
         "Actual: N IndexName: gii"},
        {"UPDATE hhh INSERT INTO x VALUE 1 WHERE pk='a'",
         "Unsupported FROM ... WHERE ... clause in INSERT statement. at 1:1:6"},
    };
    CHECK(pql_open());
    CHECK_MESSAGES(cases);
    CHECK_STR(pql_items("SELECT * FROM hhh WHERE pk = 'z'"), "[]");
    fx_close();
}

TEST(nesting_of_literals)
{
    CHECK(pql_open());
    for (int depth = 30; depth <= 34; depth++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_addf(&b, "INSERT INTO hhh VALUE {'pk':'deep%d','a':", depth);
        for (int i = 0; i < depth; i++)
            buf_addc(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_addc(&b, ']');
        buf_addc(&b, '}');
        struct str r = pql(arena_buf(fx_arena, &b).p);
        buf_release(&b);
        CHECK_STR(r, depth <= 32 ? DONE
                                 : "ValidationException: Nesting Levels have exceeded supported "
                                   "limits: Attributes in the item have nested levels beyond "
                                   "supported limit");
    }
    fx_close();
}

/* The changed item's rest after UPDATE hhh <what> WHERE pk = 'a'. */
static struct str updated(const char *what)
{
    return pql_items(FX("UPDATE hhh %s WHERE pk = 'a' RETURNING MODIFIED NEW *", what));
}

TEST(update)
{
    CHECK(pql_open());
    CHECK_STR(pql("UPDATE hhh SET n = 1 WHERE pk = 'a'"), DONE);
    CHECK_STR(updated("SET n = n + 1"), "[{\"n\":{\"N\":\"2\"}}]");
    CHECK_STR(updated("SET n = 10 - n"), "[{\"n\":{\"N\":\"8\"}}]");
    CHECK_STR(updated("SET n = n + (n - 1) + 1"), "[{\"n\":{\"N\":\"16\"}}]");
    CHECK_STR(updated("SET n = s, s = 'x' SET t = if_not_exists(t, 3) REMOVE b REMOVE nul"),
              "[{\"n\":{\"S\":\"str\"},\"s\":{\"S\":\"x\"},\"t\":{\"N\":\"3\"}}]");
    CHECK_STR(updated("SET l = list_append(l, [9])"),
              "[{\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"},{\"N\":\"9\"}]}}]");
    CHECK_STR(
        updated("SET l = LIST_APPEND(list_append([0], l), [8])"),
        "[{\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"},{\"N\":\"9\"},{\"N\":\"8\"}"
        "]}}]");
    CHECK_STR(updated("SET m.x = {'z': null}, m['w'] = <<1>>"),
              "[{\"m\":{\"M\":{\"x\":{\"M\":{\"z\":{\"NULL\":true}}},\"w\":{\"NS\":[\"1\"]}}}}]");
    CHECK_STR(updated("REMOVE m.y"), "[]");
    CHECK_STR(
        pql_get_hhh("a"),
        "{\"pk\":{\"S\":\"a\"},\"n\":{\"S\":\"str\"},\"s\":{\"S\":\"x\"},\"ss\":{\"SS\":[\"a\","
        "\"b\"]},\"l\":{\"L\":[{\"N\":\"0\"},{\"N\":\"1\"},{\"N\":\"2\"},{\"N\":\"9\"},{\"N\":"
        "\"8\"}]},\"m\":{\"M\":{\"x\":{\"M\":{\"z\":{\"NULL\":true}}},\"w\":{\"NS\":[\"1\"]}}},"
        "\"t\":{\"N\":\"3\"}}");
    CHECK_STR(pql("FROM hhh WHERE pk = 'b' SET c = 2 REMOVE n RETURNING ALL NEW *"),
              "{\"Items\":[{\"pk\":{\"S\":\"b\"},\"c\":{\"N\":\"2\"}}]}");
    fx_close();
}

TEST(set_functions)
{
    CHECK(pql_open());
    CHECK_STR(updated("SET ss = set_add(ss, <<'c', 'a'>>)"),
              "[{\"ss\":{\"SS\":[\"a\",\"b\",\"c\"]}}]");
    CHECK_STR(updated("SET ss = SET_DELETE(ss, <<'a', 'zz'>>)"),
              "[{\"ss\":{\"SS\":[\"b\",\"c\"]}}]");
    CHECK_STR(updated("SET ns = set_add(ns, <<9>>) SET \"ss\" = set_add(\"ss\", <<'x'>>)"),
              "[{\"ss\":{\"SS\":[\"b\",\"c\",\"x\"]},\"ns\":{\"NS\":[\"9\"]}}]");
    CHECK_STR(updated("SET ss = set_delete(ss, <<'b', 'c', 'x'>>)"), "[]");
    CHECK_STR(updated("SET gone = set_delete(gone, <<'b'>>)"), "[]");
    CHECK_STR(fx_get(pql_get_hhh("a"), "ss"), "(missing)");
    CHECK_STR(pql("UPDATE hhh SET ss = set_add(ss, <<'x'>>) WHERE pk = 'ghost'"), CHECKED);
    fx_close();
}

TEST(updates_that_are_refused)
{
    static const char *const cases[][2] = {
        {"UPDATE hhh SET n = 1", NO_KEY},
        {"UPDATE hhh SET n = 1 WHERE n = 1", NO_KEY},
        {"UPDATE hhh SET n = 1 WHERE pk = 'a' OR pk = 'b'", NO_KEY},
        {"UPDATE hhh SET n = 1 WHERE pk > 'a'", NO_KEY},
        {"UPDATE hhh SET n = 1 WHERE pk IN ['a']", NO_KEY},
        {"UPDATE ccc SET n = 1 WHERE pk = 'p'", NO_KEY},
        {"FROM hhh SET c = 1", NO_KEY},
        {"UPDATE hhh SET n = 1 WHERE pk = 'a' AND pk = 'b'",
         "Multiple conditions on same key pk. Only single item Update/Insert/Delete are supported"},
        {"UPDATE hhh SET n = 1 WHERE pk = 1",
         "Key attribute's data type should match its data type in table's schema: Key pk"},
        {"UPDATE hhh SET n = n * 2 WHERE pk = 'a'",
         "Unsupported operator in Update Expression. Operator: *"},
        {"UPDATE hhh SET n = -n WHERE pk = 'a'", "Incorrect number of operands for operator or "
                                                 "function; operator or function: -, number of "
                                                 "operands: 1"},
        {"UPDATE hhh SET n = n IS NULL WHERE pk = 'a'",
         "IS operator is not supported in update expressions"},
        {"UPDATE hhh SET n = MISSING WHERE pk = 'a'", "MISSING must be compared using IS operator"},
        {"UPDATE hhh SET n = 'x' + 1 WHERE pk = 'a'",
         "Incorrect operand type for operator or function; operator or function: +, operand type: "
         "S"},
        {"UPDATE hhh SET n = s + 1 WHERE pk = 'a'",
         "An operand in the update expression has an incorrect data type"},
        {"UPDATE hhh SET n = nope WHERE pk = 'a'",
         "The provided expression refers to an attribute that does not exist in the item"},
        {"UPDATE hhh SET n = foo(1) WHERE pk = 'a'", "Unrecognized function: foo at 1:20:3"},
        {"UPDATE hhh SET n = size(s) WHERE pk = 'a'",
         "The function is not allowed in an update expression; function: size"},
        {"UPDATE hhh SET n = 1 SET n = 2 WHERE pk = 'a'",
         "Two document paths overlap with each other; must remove or rewrite one of these paths; "
         "path one: [n], path two: [n]"},
        {"UPDATE hhh SET nope.x = 7 WHERE pk = 'a'",
         "The document path provided in the update expression is invalid for update"},
        {"UPDATE hhh SET nope[0] = 7 WHERE pk = 'a'",
         "The document path provided in the update expression is invalid for update"},
        {"UPDATE hhh SET pk = 'b' WHERE pk = 'a'",
         "One or more parameter values were invalid: Cannot update attribute pk. This attribute is "
         "part of the key"},
        {"UPDATE hhh SET t = set_add(ss, <<'x'>>) WHERE pk = 'a'",
         "The first argument to SET_ADD must equal the assignment value at 1:20:7"},
        {"UPDATE hhh SET ss = set_add(<<'a'>>, <<'b'>>) WHERE pk = 'a'",
         "The first argument to SET_ADD must equal the assignment value at 1:21:7"},
        {"UPDATE hhh SET ss = set_add(ss, 'x') WHERE pk = 'a'",
         "The second argument to SET_ADD must be a value with type SET at 1:29:2"},
        {"UPDATE hhh SET ss = set_delete(ss, ['x']) WHERE pk = 'a'",
         "The second argument to SET_DELETE must be a value with type SET at 1:32:2"},
        {"UPDATE hhh SET ss = set_add(ss) WHERE pk = 'a'",
         "SET_ADD must have exactly two arguments at 1:21:7"},
        {"UPDATE hhh SET ss = set_add(ss, <<1>>) WHERE pk = 'a'",
         "An operand in the update expression has an incorrect data type"},
        {"UPDATE hhh SET s = set_add(s, <<'x'>>) WHERE pk = 'a'",
         "An operand in the update expression has an incorrect data type"},
        {"UPDATE hhh SET ss = set_add(ss, <<'x', 'x'>>) WHERE pk = 'a'",
         "One or more parameter values were invalid: Input collection [x, x] contains duplicates."},
        {"UPDATE hhh SET x = 1 INSERT INTO x VALUE 1 WHERE pk = 'a'",
         "Only SET and REMOVE are supported in update expressions at this time"},
        {"UPDATE ccc.gii SET x = 1 WHERE pk = 'p' AND sk = 1",
         "This operation is not supported on an index"},
        {"UPDATE hhh t SET x = 1 WHERE pk = 'a'", "Aliasing is not supported"},
        {"UPDATE hhh SET \"\" = 1 WHERE pk = 'a'", "Path component cannot be an empty string"},
        {"UPDATE hhh SET a = 1 WHERE 'a'",
         "WHERE clause must contain an expression that resolves to a boolean"},
        {"UPDATE ccc SET g = 1 WHERE pk = 'p' AND sk = 1",
         "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
         "Actual: N IndexName: gii"},
    };
    CHECK(pql_open());
    struct str before = pql_get_hhh("a");
    CHECK_MESSAGES(cases);
    CHECK(str_eq(pql_get_hhh("a"), before));
    CHECK_STR(pql("UPDATE nosuch SET x = 1 WHERE pk = 'a'"),
              "ResourceNotFoundException: Requested resource not found");
    fx_close();
}

TEST(conditions_of_changes)
{
    CHECK(pql_open());
    CHECK_STR(pql("UPDATE hhh SET x = 1 WHERE pk = 'ghost'"), CHECKED);
    CHECK_STR(pql("UPDATE hhh SET x = 1 WHERE pk = 'ghost' AND attribute_not_exists(pk)"), CHECKED);
    CHECK_STR(pql_items("SELECT * FROM hhh WHERE pk = 'ghost'"), "[]");
    CHECK_STR(pql("UPDATE hhh SET x = 1 WHERE pk = 'b' AND n = 8"), CHECKED);
    CHECK_STR(pql("UPDATE hhh SET x = 1 WHERE n = 7 AND (pk = 'b' AND pk <> 'c')"), DONE);
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'b' AND NOT n = 7"), CHECKED);
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'ghost' AND n = 7"), DONE);
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'b' AND (n = 8 OR x = 1) AND pk = 'b'"), DONE);
    CHECK_STR(pql_items("SELECT * FROM hhh WHERE pk = 'b'"), "[]");
    CHECK_STR(pql("DELETE FROM ccc WHERE sk = 1 AND pk = 'p'"), DONE);
    CHECK_STR(pql_keys("SELECT * FROM ccc WHERE pk = 'p'"), "p2 p3 p4");
    fx_close();
}

/* What the members of the error are: the reply as the wire would have it is tested by clients. */
TEST(delete_and_returning)
{
    static const char *const cases[][2] = {
        {"DELETE FROM hhh", NO_KEY},
        {"DELETE FROM hhh WHERE n = 1", NO_KEY},
        {"DELETE FROM ccc WHERE pk = 'p'", NO_KEY},
        {"DELETE FROM ccc WHERE pk = 'p' AND sk > 1", NO_KEY},
        {"DELETE FROM ccc.gii WHERE pk = 'p' AND sk = 1",
         "This operation is not supported on an index"},
        {"DELETE FROM hhh t WHERE pk = 'a'", "Aliasing is not supported"},
        {"DELETE FROM hhh WHERE pk = 'a' RETURNING MODIFIED OLD *",
         "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed "
         "in DELETE statements."},
        {"DELETE FROM hhh WHERE pk = 'a' RETURNING ALL NEW *",
         "Invalid returning clause: RETURNING ALL NEW *. Only RETURNING ALL OLD * is allowed in "
         "DELETE statements."},
        {"DELETE FROM hhh WHERE pk = 'a' RETURNING ALL OLD pk",
         "Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause"},
        {"DELETE FROM hhh WHERE pk = 'a' RETURNING ALL OLD *, ALL OLD *",
         "Invalid syntax with multiple returning elements in RETURNING clause"},
    };
    CHECK(pql_open());
    CHECK_MESSAGES(cases);
    CHECK_STR(pql("UPDATE hhh SET n = 8 WHERE pk = 'b' RETURNING ALL OLD *"),
              "{\"Items\":[{\"pk\":{\"S\":\"b\"},\"n\":{\"N\":\"7\"}}]}");
    CHECK_STR(pql("UPDATE hhh SET n = 9 WHERE pk = 'b' RETURNING MODIFIED OLD *"),
              "{\"Items\":[{\"n\":{\"N\":\"8\"}}]}");
    CHECK_STR(pql("UPDATE hhh SET m = 9 WHERE pk = 'b' RETURNING MODIFIED OLD *"), DONE);
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'b' RETURNING ALL OLD *"),
              "{\"Items\":[{\"pk\":{\"S\":\"b\"},\"n\":{\"N\":\"9\"},\"m\":{\"N\":\"9\"}}]}");
    CHECK_STR(pql("DELETE FROM hhh WHERE pk = 'b' RETURNING ALL OLD *"), DONE);
    fx_close();
}

TEST(returning_of_list_elements)
{
    CHECK(pql_open());
    CHECK(pql_put_hhh("l", ",\"t\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"},{\"S\":\"c\"}]}"));
#define LISTED(what, mode)                                                                         \
    pql_items("UPDATE hhh " what " WHERE pk = 'l' RETURNING MODIFIED " mode " *")
    CHECK_STR(LISTED("SET t[2] = 'y', t[0] = 'x'", "NEW"),
              "[{\"t\":{\"L\":[{\"S\":\"x\"},{\"S\":\"y\"}]}}]");
    CHECK_STR(LISTED("SET t[2] = 'c'", "OLD"), "[{\"t\":{\"L\":[{\"S\":\"y\"}]}}]");
    CHECK_STR(LISTED("SET t[9] = 'd'", "NEW"), "[]");
    CHECK_STR(LISTED("SET t[4] = 'e'", "NEW"), "[{\"t\":{\"L\":[{\"S\":\"e\"}]}}]");
    CHECK_STR(LISTED("REMOVE t[1]", "NEW"), "[{\"t\":{\"L\":[{\"S\":\"c\"}]}}]");
    CHECK_STR(LISTED("REMOVE t[3]", "NEW"), "[]");
    fx_close();
}

TEST(item_sizes)
{
    CHECK(pql_open());
    const char *fits = fx_repeat('x', 409600 - 3 - 1), *over = fx_repeat('x', 409600 - 3);
    CHECK_STR(pql_with("INSERT INTO hhh VALUE {'pk': 'z', 'v': ?}",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", over)),
              "ValidationException: Item size has exceeded the maximum allowed size");
    CHECK_STR(pql_with("INSERT INTO hhh VALUE {'pk': 'z', 'v': ?}",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", fits)),
              DONE);
    CHECK_STR(pql_with("UPDATE hhh SET v = ? WHERE pk = 'z'",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", over)),
              "ValidationException: Item size to update has exceeded the maximum allowed size");
    CHECK_STR(pql_with("UPDATE hhh SET v = ? WHERE pk = 'z'",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", fits)),
              DONE);
    const char *huge = fx_repeat('x', 500000);
    CHECK_STR(pql_with("UPDATE hhh SET v = ? WHERE pk = 'z'",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", huge)),
              "ValidationException: Item size to update has exceeded the maximum allowed size");
    CHECK_STR(pql_with("INSERT INTO hhh VALUE {'pk': 'y', 'v': ?}",
                       FX(",\"Parameters\":[{\"S\":\"%s\"}]", huge)),
              "ValidationException: Item size has exceeded the maximum allowed size");
    fx_close();
}

TEST(capacity_of_writes)
{
    static const char *const indexes = ",\"ReturnConsumedCapacity\":\"INDEXES\"";
    CHECK(pql_open());
    struct str r = pql_with("INSERT INTO ccc VALUE {'pk': 'z', 'sk': 1, 'g': 'g'}", indexes);
    CHECK_STR(fx_get(r, "ConsumedCapacity/CapacityUnits"), "2");
    CHECK_STR(fx_get(r, "ConsumedCapacity/GlobalSecondaryIndexes/gii/CapacityUnits"), "1");
    r = pql_with("DELETE FROM hhh WHERE pk = 'nope'", indexes);
    CHECK_STR(fx_get(r, "ConsumedCapacity/Table/CapacityUnits"), "1");
    fx_close();
}
