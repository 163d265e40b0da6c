/* links: puddle_dynamo */
#include "partiql_fixture.h"

/* [{"Statement": ...}, ...] of up to eight statements, NULL ends. */
static const char *list(const char *const *statements)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; statements[i] != NULL; i++) {
        buf_add(&b, i == 0 ? STR("[") : STR(","));
        buf_add(&b, pql_request(statements[i], ""));
    }
    buf_addc(&b, ']');
    const char *p = arena_buf(fx_arena, &b).p;
    buf_release(&b);
    return p;
}
#define LIST(...) list((const char *const[]){__VA_ARGS__, NULL})

static struct str batch(const char *statements)
{
    return fx_call("BatchExecuteStatement", FX("{\"Statements\":%s}", statements));
}

static struct str transaction(const char *statements)
{
    return fx_call("ExecuteTransaction", FX("{\"TransactStatements\":%s}", statements));
}

#define NEEDS_KEY                                                                                  \
    "\"Select statements within BatchExecuteStatement must specify the primary key in the where "  \
    "clause.\""

TEST(batch_of_reads)
{
    CHECK(pql_open());
    CHECK_STR(
        batch(LIST("SELECT n FROM hhh WHERE pk = 'b'", "SELECT * FROM hhh WHERE pk = 'nope'",
                   "SELECT nope FROM hhh WHERE pk = 'c'",
                   "SELECT sk FROM ccc WHERE sk = 2 AND pk = 'q' ORDER BY sk")),
        "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"7\"}},\"TableName\":\"hhh\"},{\"TableName\":"
        "\"hhh\"},{\"Item\":{},\"TableName\":\"hhh\"},{\"Item\":{\"sk\":{\"N\":\"2\"}},"
        "\"TableName\":\"ccc\"}]}");
    fx_close();
}

TEST(batch_members_fail_alone)
{
    CHECK(pql_open());
    struct str r =
        batch(LIST("SLECT * FROM hhh WHERE pk = 'a'", "SELECT pk FROM hhh WHERE pk = 'a'",
                   "SELECT * FROM nosuch WHERE pk = 'a'", "SELECT * FROM ccc WHERE pk = 'p'",
                   "SELECT * FROM hhh WHERE n = 1", "SELECT * FROM ccc.gii WHERE g = 'g1'",
                   "SELECT * FROM mmm.multi WHERE h1 = 'a'",
                   "SELECT * FROM hhh WHERE pk = 'b' AND attribute_exists(n)"));
    CHECK_STR(
        fx_get(r, "Responses/0"),
        "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Statement wasn't well formed, "
        "can't be processed: Expected data manipulation\"}}");
    CHECK_STR(fx_get(r, "Responses/1"), "{\"Item\":{\"pk\":{\"S\":\"a\"}},\"TableName\":\"hhh\"}");
    CHECK_STR(fx_get(r, "Responses/2"), "{\"Error\":{\"Code\":\"ResourceNotFound\",\"Message\":"
                                        "\"Requested resource not found\"}}");
    CHECK_STR(fx_get(r, "Responses/3/Error/Message"), NEEDS_KEY);
    CHECK_STR(fx_get(r, "Responses/4/Error/Message"), NEEDS_KEY);
    CHECK_STR(fx_get(r, "Responses/5/Error/Message"), NEEDS_KEY);
    CHECK_STR(fx_get(r, "Responses/6/Error/Message"),
              "\"PartiQL statements cannot be executed on tables with multi-attribute HASH keys or "
              "multi-attribute RANGE keys.\"");
    CHECK_STR(fx_get(r, "Responses/7/Error/Message"), NEEDS_KEY);
    CHECK_STR(
        batch("[{\"Statement\":\"SELECT * FROM hhh WHERE pk = ?\",\"Parameters\":[{\"N\":"
              "\"abc\"}]},{\"Statement\":\"SELECT pk FROM hhh WHERE pk = ?\",\"Parameters\":[{"
              "\"S\":\"b\"}]}]"),
        "{\"Responses\":[{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"The parameter "
        "cannot be converted to a numeric value: abc\"}},{\"Item\":{\"pk\":{\"S\":\"b\"}},"
        "\"TableName\":\"hhh\"}]}");
    fx_close();
}

TEST(batch_of_writes)
{
    CHECK(pql_open());
    struct str r =
        batch(LIST("INSERT INTO hhh VALUE {'pk': 'new'}", "INSERT INTO hhh VALUE {'pk': 'a'}",
                   "UPDATE hhh SET n = n + 1 WHERE pk = 'b' RETURNING MODIFIED NEW *",
                   "UPDATE hhh SET n = 1 WHERE pk = 'ghost'",
                   "DELETE FROM hhh WHERE pk = 'c' RETURNING ALL OLD *",
                   "DELETE FROM ccc WHERE pk = 'p' AND sk = 1 RETURNING MODIFIED OLD *",
                   "UPDATE ccc SET v = v + 1 WHERE pk = 'p' AND sk = 2"));
    CHECK_STR(r,
              "{\"Responses\":[{\"TableName\":\"hhh\"},{\"Error\":{\"Code\":\"DuplicateItem\","
              "\"Message\":\"Duplicate primary key exists in table\"},\"TableName\":\"hhh\"},{"
              "\"Item\":{\"n\":{\"N\":\"8\"}},\"TableName\":\"hhh\"},{\"Error\":{\"Code\":"
              "\"ConditionalCheckFailed\",\"Message\":\"The conditional request failed\"},"
              "\"TableName\":\"hhh\"},{\"Item\":{\"pk\":{\"S\":\"c\"}},\"TableName\":\"hhh\"},{"
              "\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Invalid returning clause: "
              "RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE "
              "statements.\"}},{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"An operand "
              "in the update expression has an incorrect data type\"},\"TableName\":\"ccc\"}]}");
    CHECK_STR(pql_get_hhh("new"), "{\"pk\":{\"S\":\"new\"}}");
    /* the option has no effect here */
    r = batch("[{\"Statement\":\"UPDATE hhh SET n = 1 WHERE pk = 'a' AND n = 77\","
              "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}]");
    CHECK_STR(fx_get(r, "Responses/0/Error"),
              "{\"Code\":\"ConditionalCheckFailed\",\"Message\":\"The "
              "conditional request failed\"}");
    CHECK_STR(fx_get(r, "Responses/0/Item"), "(missing)");
    CHECK_STR(fx_get(batch(LIST("UPDATE hhh REMOVE n WHERE pk = 'a' RETURNING MODIFIED NEW *")),
                     "Responses/0"),
              "{\"TableName\":\"hhh\"}");
    fx_close();
}

TEST(batches_that_are_refused)
{
    CHECK(pql_open());
    CHECK_STR(batch(LIST("SELECT * FROM hhh WHERE pk = 'a'", "DELETE FROM hhh WHERE pk = 'b'")),
              "ValidationException: Read and write requests together in the same batch is not "
              "supported.");
    CHECK_STR(batch(LIST("SELECT * FROM hhh WHERE pk = 'a'", "SELECT n FROM hhh WHERE pk = 'a'")),
              "ValidationException: Provided list of item keys contains duplicates");
    CHECK_STR(batch(LIST("UPDATE hhh SET n = 1 WHERE pk = 'a'", "DELETE FROM hhh WHERE pk = 'a'")),
              "ValidationException: Provided list of item keys contains duplicates");
    CHECK(str_starts(batch("[]"), STR("ValidationException: ")));
    const char *many[27] = {NULL};
    for (int i = 0; i < 26; i++)
        many[i] = FX("SELECT pk FROM hhh WHERE pk = '%d'", i);
    CHECK(str_starts(batch(list(many)), STR("ValidationException: ")));
    many[25] = NULL;
    CHECK(str_starts(batch(list(many)), STR("{\"Responses\":[")));
    CHECK(pql_get_hhh("b").p[0] == '{');
    fx_close();
}

TEST(capacity_of_batches)
{
    CHECK(pql_open());
    struct str r = fx_call("BatchExecuteStatement",
                           "{\"Statements\":[{\"Statement\":\"SELECT * FROM hhh WHERE pk = 'a'\","
                           "\"ConsistentRead\":true},{\"Statement\":\"SELECT * FROM hhh WHERE pk = "
                           "'b'\"}],\"ReturnConsumedCapacity\":\"TOTAL\"}");
    CHECK_STR(fx_get(r, "ConsumedCapacity"), "[{\"TableName\":\"hhh\",\"CapacityUnits\":1.5}]");
    fx_close();
}

#define IN_0 "ValidationException: Validation failed in TransactStatements[0]: "
#define CANCELLED                                                                                  \
    "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for "  \
    "specific reasons "

TEST(transactions_of_writes)
{
    CHECK(pql_open());
    CHECK_STR(transaction(LIST("EXISTS(SELECT * FROM hhh WHERE pk = 'a' AND n = 5)",
                               "INSERT INTO hhh VALUE {'pk': 't'}",
                               "UPDATE hhh SET n = n + 1 WHERE pk = 'b' AND n = 7",
                               "DELETE FROM hhh WHERE pk = 'c'",
                               "DELETE FROM hhh WHERE pk = 'ghost' AND n = 1",
                               "FROM ccc WHERE pk = 'p' AND sk = 1 SET v = 'w'")),
              "{\"Responses\":[]}");
    CHECK_STR(pql_get_hhh("t"), "{\"pk\":{\"S\":\"t\"}}");
    CHECK_STR(fx_get(pql_get_hhh("b"), "n/N"), "\"8\"");
    CHECK_STR(pql_get_hhh("c"), "(missing)");
    CHECK_STR(
        transaction(LIST("INSERT INTO hhh VALUE {'pk': 'a'}", "INSERT INTO hhh VALUE {'pk': 'u'}",
                         "UPDATE hhh SET n = 1 WHERE pk = 'ghost'",
                         "EXISTS(SELECT * FROM hhh WHERE pk = 'gone' AND n IS MISSING)")),
        CANCELLED "[DuplicateItem, None, ConditionalCheckFailed, ConditionalCheckFailed]");
    CHECK_STR(pql_get_hhh("u"), "(missing)");
    CHECK_STR(
        transaction(LIST("INSERT INTO hhh VALUE {'pk': 'u'}", "INSERT INTO hhh VALUE {'pk': 1}")),
        CANCELLED "[None, ValidationError]");
    CHECK_STR(transaction(LIST("INSERT INTO hhh VALUE {'pk': 'u'}",
                               "UPDATE hhh SET s = s + 1 WHERE pk = 'a'")),
              CANCELLED "[None, ValidationError]");
    CHECK_STR(pql_get_hhh("u"), "(missing)");
    fx_close();
}

TEST(transactions_of_reads)
{
    CHECK(pql_open());
    CHECK_STR(
        transaction(LIST("SELECT n FROM hhh WHERE pk = 'b'", "SELECT * FROM hhh WHERE pk = 'x'",
                         "SELECT nope FROM ccc WHERE pk = 'p' AND sk = 1")),
        "{\"Responses\":[{\"Item\":{\"n\":{\"N\":\"7\"}}},{},{\"Item\":{}}]}");
    CHECK_STR(
        fx_get(fx_call("ExecuteTransaction",
                       "{\"TransactStatements\":[{\"Statement\":\"SELECT * FROM hhh WHERE pk = "
                       "'b'\"}],\"ReturnConsumedCapacity\":\"TOTAL\"}"),
               "ConsumedCapacity"),
        "[{\"TableName\":\"hhh\",\"ReadCapacityUnits\":2,\"CapacityUnits\":2}]");
    fx_close();
}

TEST(transactions_that_are_refused)
{
#define ONLY_KEY                                                                                   \
    "Select statements within ExecuteTransaction must specify the primary key in the where "       \
    "clause."
    static const char *const cases[][2] = {
        {"SELECT * FROM hhh WHERE", IN_0 "Statement wasn't well formed, can't be processed: "
                                         "Unexpected term"},
        {"SELECT * FROM hhh WHERE pk = 'a' AND n = 5", IN_0 ONLY_KEY},
        {"SELECT * FROM hhh WHERE pk = 'a' AND attribute_exists(ss)", IN_0 ONLY_KEY},
        {"SELECT * FROM hhh WHERE pk IN ['a']", IN_0 ONLY_KEY},
        {"SELECT * FROM hhh", IN_0 ONLY_KEY},
        {"SELECT * FROM ccc.gii WHERE g = 'x'",
         IN_0 "Reads on indices are not supported within transactions."},
        {"EXISTS(SELECT * FROM ccc.gii WHERE g = 'x' AND sk = 1)",
         IN_0 "Operations on indices are not supported in transactions"},
        {"EXISTS(SELECT * FROM hhh WHERE pk = 'a')",
         IN_0 "EXISTS() must contain a single item read with additional condition"},
        {"EXISTS(SELECT * FROM hhh WHERE n = 1)",
         IN_0 "EXISTS() must contain a single item read with additional condition"},
        {"EXISTS(n)", IN_0 "Unsupported operation in transaction."},
        {"NOT EXISTS(SELECT * FROM hhh WHERE pk = 'a' AND n = 5)",
         IN_0 "Unsupported operation in transaction."},
        {"UPDATE hhh SET n = 1 WHERE pk = 'a' RETURNING ALL NEW *",
         IN_0 "RETURNING clause is not supported in ExecuteTransaction."},
        {"UPDATE hhh SET n = 1",
         IN_0 "Where clause does not contain a mandatory equality on all key attributes"},
        {"UPDATE hhh SET n = 1 WHERE pk = ?",
         IN_0 "Number of parameters in request and statement don't match."},
        {"INSERT INTO hhh VALUE {'pk': ''}",
         "ValidationException: One or more parameter values are not valid. The AttributeValue for "
         "a "
         "key attribute cannot contain an empty string value. Key: pk"},
        {"SELECT * FROM nosuch WHERE pk = 'a'",
         "ResourceNotFoundException: Requested resource not found"},
    };
    CHECK(pql_open());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(transaction(LIST(cases[i][0])), cases[i][1]);
    CHECK_STR(
        transaction(LIST("SELECT * FROM hhh WHERE pk = 'a'", "DELETE FROM hhh WHERE pk = 'b'")),
        "ValidationException: ExecuteTransaction API does not support both read and write "
        "operations in the same request.");
    CHECK_STR(
        transaction(LIST("DELETE FROM hhh WHERE pk = 'b'", "INSERT INTO hhh VALUE {'pk': 'b'}")),
        "ValidationException: Transaction request cannot include multiple operations on one "
        "item");
    CHECK_STR(
        transaction(LIST("SELECT n FROM hhh WHERE pk = 'b'", "SELECT * FROM hhh WHERE pk = 'b'")),
        "ValidationException: Transaction request cannot include multiple operations on one "
        "item");
    CHECK_STR(
        transaction("[{\"Statement\":\"DELETE FROM hhh WHERE pk = 'b'\"},{\"Statement\":\"UPDATE "
                    "hhh SET n = ? WHERE pk = 'a'\",\"Parameters\":[{\"N\":\"abc\"}]}]"),
        "ValidationException: The parameter cannot be converted to a numeric value: abc");
    CHECK(str_starts(transaction("[]"), STR("ValidationException: ")));
    CHECK(pql_get_hhh("b").p[0] == '{');
    fx_close();
}

TEST(at_most_a_hundred_statements)
{
    const char *many[102] = {NULL};
    CHECK(pql_open());
    for (int i = 0; i < 101; i++)
        many[i] = FX("INSERT INTO hhh VALUE {'pk': 'many%d'}", i);
    CHECK(str_starts(transaction(list(many)), STR("ValidationException: ")));
    many[100] = NULL;
    CHECK_STR(transaction(list(many)), "{\"Responses\":[]}");
    CHECK(pql_get_hhh("many99").p[0] == '{');
    fx_close();
}

TEST(a_token_makes_it_happen_once)
{
    static const char *const one =
        "{\"TransactStatements\":[{\"Statement\":\"UPDATE hhh SET n = n + 1 WHERE pk = 'b'\"}],"
        "\"ClientRequestToken\":\"t1\",\"ReturnConsumedCapacity\":\"TOTAL\"}";
    CHECK(pql_open());
    CHECK_STR(fx_call("ExecuteTransaction", one),
              "{\"Responses\":[],\"ConsumedCapacity\":[{\"TableName\":\"hhh\","
              "\"WriteCapacityUnits\":2,\"CapacityUnits\":2}]}");
    CHECK_STR(fx_call("ExecuteTransaction", one),
              "{\"Responses\":[],\"ConsumedCapacity\":[{\"TableName\":\"hhh\","
              "\"ReadCapacityUnits\":2,\"CapacityUnits\":2}]}");
    CHECK_STR(fx_get(pql_get_hhh("b"), "n/N"), "\"8\"");
    CHECK(str_starts(
        fx_call("ExecuteTransaction",
                "{\"TransactStatements\":[{\"Statement\":\"UPDATE hhh SET n = n + 2 WHERE "
                "pk = 'b'\"}],\"ClientRequestToken\":\"t1\"}"),
        STR("IdempotentParameterMismatchException: ")));
    fx_close();
}
