/* links: puddle_dynamo */
/* Entries of secondary indexes against the rows, after random writes, restarts, kills and damage.
 */
#include "ddb_fixture.h"
#include "ddb_internal.h"
#include "index.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEF(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define KEY(name, type) "{\"AttributeName\":\"" name "\",\"KeyType\":\"" type "\"}"
#define INDEX(name, keys, projection)                                                              \
    "{\"IndexName\":\"" name "\",\"KeySchema\":[" keys "],\"Projection\":{" projection "}}"
#define PROJECT(type) "\"ProjectionType\":\"" type "\""

/* pk S + sk N; a GSI of each projection, one with keys of several parts, an LSI. */
#define TABLE                                                                                      \
    "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":[" DEF(   \
        "pk",                                                                                      \
        "S") "," DEF("sk",                                                                         \
                     "N") "," DEF("s",                                                             \
                                  "S") "," DEF("n",                                                \
                                               "N") "," DEF("b",                                   \
                                                            "B") "],\"KeySchema\":"                \
                                                                 "[" KEY("pk", "HASH") "," KEY(    \
                                                                     "sk", "RANGE") "]"
#define INDEXES                                                                                    \
    ",\"GlobalSecondaryIndexes\":[" INDEX("all", KEY("s", "HASH"), PROJECT("ALL")) "," INDEX(      \
        "keys", KEY("n", "HASH") "," KEY("b", "RANGE"),                                            \
        PROJECT("KEYS_ONLY")) "," INDEX("some",                                                    \
                                        KEY("s", "HASH") "," KEY("n", "HASH") "," KEY(             \
                                            "b", "RANGE") "," KEY("pk", "RANGE"),                  \
                                        PROJECT(                                                   \
                                            "INCLUDE") ",\"NonKeyAttributes\":[\"v\",\"w "         \
                                                       "\\\"x\"]") "],\"LocalSecondaryIndexes\":"  \
                                                                   "[" INDEX(                      \
                                                                       "local",                    \
                                                                       KEY("pk", "HASH") "," KEY(  \
                                                                           "s", "RANGE"),          \
                                                                       PROJECT("KEYS_ONLY")) "]"

static uint64_t seed = 1;

static unsigned rnd(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static struct table *tab(void)
{
    const struct service *svc = ddb_service(fx);
    struct ddb *d = svc->state;
    return catalog_find(&d->catalog, STR("000000000000"), STR("us-east-1"), STR("tab"));
}

static struct str check(void)
{
    struct str why;
    struct ddb *d = ddb_service(fx)->state;
    return index_check(&d->store, tab(), fx_arena, &why) ? STR("right") : why;
}

static const char *maybe(const char *text)
{
    return rnd(3) == 0 ? "" : text;
}

static struct str write_random(void)
{
    const char *key = FX("\"pk\":{\"S\":\"p%u\"},\"sk\":{\"N\":\"%u\"}", rnd(4), rnd(25));
    if (rnd(4) == 0)
        return fx_call("DeleteItem", FX("{\"TableName\":\"tab\",\"Key\":{%s}}", key));
    const char *s = maybe(FX(",\"s\":{\"S\":\"s%u\\u0000%u\"}", rnd(3), rnd(2)));
    const char *n = maybe(FX(",\"n\":{\"N\":\"%d.%u\"}", (int)rnd(5) - 2, rnd(3)));
    const char *b = maybe(FX(",\"b\":{\"B\":\"%s\"}", rnd(2) == 0 ? "AAE=" : "AP8A"));
    const char *v = maybe(FX(",\"v\":{\"N\":\"%u\"}", rnd(3)));
    const char *w =
        maybe(FX(",\"w \\\"x\":{\"S\":\"%.*s\"},\"z\":{\"BOOL\":true}", (int)rnd(9), "abcdefghi"));
    return fx_call("PutItem",
                   FX("{\"TableName\":\"tab\",\"Item\":{%s%s%s%s%s%s}}", key, v, s, n, w, b));
}

#define WRITE(count)                                                                               \
    for (int i_ = 0; i_ < (count); i_++)                                                           \
    CHECK_STR(write_random(), "{}")

static bool raw_sql(const char *sql)
{
    sqlite3 *h = NULL;
    bool ok = sqlite3_open(FX("%s/puddle.db", fx_folder), &h) == SQLITE_OK &&
              sqlite3_exec(h, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(h);
    return ok;
}

TEST(entries_follow_random_writes_and_survive_restarts)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", TABLE INDEXES "}");
    for (int round = 0; round < 8; round++) {
        WRITE(120);
        CHECK_STR(check(), "right");
        CHECK(tab()->indexes[0].counted && tab()->indexes[0].items > 0);
        if (round % 3 == 2) {
            fx_close();
            CHECK(fx_open(fx_folder));
            CHECK(tab()->indexes[3].counted && tab()->indexes[3].items > 0);
        }
    }
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(entries_and_rows_are_one_after_a_kill)
{
    fx_new_folder();
    pid_t child = fork();
    if (child == 0) {
        bool ok = fx_open(fx_folder);
        fx_call("CreateTable", TABLE INDEXES "}");
        for (int i = 0; i < 500; i++) {
            write_random();
            if (i % 7 == 0)
                ok = db_commit(fx_db) && ok;
        }
        if (ok)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(fx_open(fx_folder));
    CHECK(!tab()->indexes[0].counted); /* only when somebody asks */
    CHECK_STR(check(), "right");
    fx_call("DescribeTable", "{\"TableName\":\"tab\"}");
    CHECK(tab()->indexes[0].counted && tab()->indexes[0].items > 0);
    CHECK_STR(check(), "right");
    WRITE(50);
    CHECK_STR(check(), "right");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(failed_commit_takes_entries_and_counts_back)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", TABLE INDEXES "}");
    WRITE(40);
    CHECK(db_commit(fx_db));
    int64_t items = tab()->indexes[0].items;
    WRITE(40);
    fault_setup("db.commit:1");
    CHECK(!db_commit(fx_db));
    fault_setup(NULL);
    fx_call("DescribeTable", "{\"TableName\":\"tab\"}");
    CHECK_I64(tab()->indexes[0].items, items);
    CHECK_STR(check(), "right");
    fx_close();
    file_remove_tree(fx_folder);
}

/* Whichever statement of a write fails: nothing of it is left, neither row nor entries nor counts.
 */
TEST(write_that_fails_half_way_leaves_nothing)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", TABLE INDEXES "}");
    WRITE(60);
    CHECK(db_commit(fx_db));
    int lost = 0;
    for (int n = 1; n < 12; n++) {
        fault_setup(FX("store.write:%d", n));
        for (int i = 0; i < 6; i++)
            write_random();
        fault_setup(NULL);
        lost += !db_commit(fx_db);
        CHECK_STR(check(), "right");
    }
    CHECK(lost > 0);
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(database_from_before_entries_gets_them_after_the_start)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", TABLE INDEXES "}");
    WRITE(300);
    fx_close();
    CHECK(raw_sql("DROP TABLE ddb_entries_1; DROP TABLE ddb_entries_2; DROP TABLE ddb_entries_3;"
                  "DROP TABLE ddb_entries_4; DROP TABLE ddb_index;"
                  "DELETE FROM puddle_schema WHERE store = 'dynamodb_index'"));
    CHECK(fx_open(fx_folder));
    CHECK(tab()->indexes[0].filling);
    WRITE(50);
    for (int i = 0; i < 10; i++)
        ddb_maintain(fx);
    CHECK(!tab()->indexes[0].filling);
    CHECK_STR(check(), "right");
    WRITE(50);
    CHECK_STR(check(), "right");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(damage_is_found)
{
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"DELETE FROM ddb_entries_1 WHERE row = (SELECT min(row) FROM ddb_entries_1)",
         "all: a row has no entry"},
        {"UPDATE ddb_entries_2 SET item = '{}'", "keys: an entry's copy is not as its row"},
        {"UPDATE ddb_entries_1 SET k = k || x'00'", "all: an entry's key is not that of its row"},
        {"UPDATE ddb_entries_4 SET row = 999999", "local: an entry has no row"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(fx_open(fx_new_folder()));
        fx_call("CreateTable", TABLE INDEXES "}");
        WRITE(60);
        fx_close();
        CHECK(raw_sql(cases[i].sql));
        CHECK(fx_open(fx_folder));
        struct str why = check();
        if (!str_starts(why, str_c(cases[i].why)))
            CHECK_STR(why, cases[i].why);
        fx_close();
        file_remove_tree(fx_folder);
    }
}

TEST(damaged_row_is_never_copied_into_an_index)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH "}");
    fx_call("PutItem",
            "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"1\"},\"g\":{\"S\":\"x\"}}}");
    fx_close();
    CHECK(raw_sql("UPDATE ddb_data_1 SET item = replace(item, 'x', 'y')"));
    CHECK(fx_open(fx_folder));
    CHECK(str_starts(
        fx_call("UpdateTable",
                "{\"TableName\":\"abc\",\"AttributeDefinitions\":[{\"AttributeName\":\"pk\","
                "\"AttributeType\":\"S\"},{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],"
                "\"GlobalSecondaryIndexUpdates\":[{\"Create\":{\"IndexName\":\"gsi\","
                "\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"
                "\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}}]}"),
        STR("InternalServerError: ")));
    CHECK_STR(
        fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/GlobalSecondaryIndexes"),
        "(missing)");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(entries_of_deleted_tables_go_slice_by_slice)
{
    CHECK(fx_open(NULL));
    fx_call("CreateTable", "{\"TableName\":\"big\"," FX_HASH "}");
    fx_call("DeleteTable", "{\"TableName\":\"big\"}");
    fx_call("CreateTable", TABLE INDEXES "}");
    for (int i = 0; i < 9000; i++)
        fx_call("PutItem",
                FX("{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"%d\"},"
                   "\"s\":{\"S\":\"s\"}}}",
                   i));
    CHECK_I64(tab()->indexes[0].items, 9000);
    fx_call("DeleteTable", "{\"TableName\":\"tab\"}");
    int slices = 0;
    struct ddb *d = ddb_service(fx)->state;
    while (d->store.maybe_gone && slices < 100) {
        ddb_maintain(fx);
        slices++;
    }
    CHECK(slices >= 6 && slices < 20);
    sqlite3_stmt *st = NULL;
    CHECK_I64(sqlite3_prepare_v2(db_handle(fx_db),
                                 "SELECT (SELECT count(*) FROM ddb_index) + (SELECT count(*) FROM"
                                 " sqlite_schema WHERE name LIKE 'ddb\\_entries%' ESCAPE '\\')",
                                 -1, &st, NULL),
              SQLITE_OK);
    CHECK_I64(sqlite3_step(st), SQLITE_ROW);
    CHECK_I64(sqlite3_column_int(st, 0), 0);
    sqlite3_finalize(st);
    fx_close();
}

TEST(big_indexes_are_counted_in_slices_while_items_change)
{
    enum { ROWS = 26000 };
    CHECK(fx_open(NULL));
    fx_call("CreateTable", TABLE INDEXES "}");
    for (int i = 0; i < ROWS; i++)
        CHECK_STR(
            fx_call("PutItem", FX("{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"p%d\"},\"sk\":{"
                                  "\"N\":\"%d\"},\"s\":{\"S\":\"s%d\"},\"n\":{\"N\":\"%d\"},\"b\":{"
                                  "\"B\":\"AA==\"}}}",
                                  i % 4, i, i % 50, i)),
            "{}");
    struct table *t = tab();
    for (size_t i = 0; i < t->index_count; i++)
        t->indexes[i].counted = false; /* as after a crash */
    fx_call("DescribeTable", "{\"TableName\":\"tab\"}");
    CHECK(t->indexes[0].counting && t->indexes[3].counting);
    int slices = 0;
    while ((t->indexes[0].counting || t->indexes[1].counting) && slices < 20) {
        WRITE(40);
        ddb_maintain(fx);
        slices++;
    }
    CHECK(slices >= 1 && slices < 6);
    for (size_t i = 0; i < t->index_count; i++)
        CHECK(t->indexes[i].counted);
    CHECK_STR(check(), "right");
    WRITE(40);
    CHECK_STR(check(), "right");
    fx_close();
}

static struct str put_before(const char *attrs, int i)
{
    return fx_call(
        "PutItem",
        FX("{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"p%d\"},\"sk\":{\"N\":\"1\"}%s}}", i,
           attrs));
}

/* What UpdateTable does: the definition changes, which makes what is new. */
TEST(new_index_is_filled_in_slices_and_skips_what_does_not_fit)
{
    CHECK(fx_open(NULL));
    fx_call(
        "CreateTable",
        "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":[" DEF(
            "pk", "S") "," DEF("sk", "N") "],\"KeySchema\":[" KEY("pk",
                                                                  "HASH") "," KEY("sk",
                                                                                  "RANGE") "]}");
    for (int i = 0; i < 1200; i++)
        CHECK_STR(put_before(i % 2 == 0 ? ",\"s\":{\"S\":\"x\"}" : "", i), "{}");
    CHECK_STR(put_before(",\"s\":{\"N\":\"1\"}", 2000), "{}");
    CHECK_STR(put_before(",\"s\":{\"S\":\"\"}", 2001), "{}");
    CHECK_STR(put_before(FX(",\"s\":{\"S\":\"%s\"}", fx_repeat('x', 2049)), 2002), "{}");
    CHECK_STR(put_before(FX(",\"s\":{\"S\":\"%s\"}", fx_repeat('x', 2048)), 2003), "{}");
    struct ddb *d = ddb_service(fx)->state;
    struct table *t = catalog_change(
        &d->catalog, tab(),
        STR(TABLE ",\"GlobalSecondaryIndexes\":[" INDEX(
            "all", KEY("s", "HASH"), PROJECT("ALL")) "," INDEX("keys", KEY("s", "HASH"),
                                                               PROJECT("KEYS_ONLY")) "]}"));
    CHECK(t != NULL && t->index_count == 2);
    CHECK(t->indexes[0].filling && t->indexes[1].filling);
    int slices = 0;
    bool done = false;
    while (!done && slices < 50) {
        CHECK(index_backfill_slice(&d->store, t, &t->indexes[0], &done));
        if (slices == 0) { /* rows on both sides of what is filled change */
            put_before(",\"s\":{\"S\":\"y\"}", 1);
            put_before(",\"s\":{\"S\":\"y\"}", 1101);
            put_before("", 2);
            put_before("", 1102);
            fx_call("DeleteItem",
                    "{\"TableName\":\"tab\",\"Key\":{\"pk\":{\"S\":\"p4\"},\"sk\":{\"N\":\"1\"}}}");
            fx_call(
                "DeleteItem",
                "{\"TableName\":\"tab\",\"Key\":{\"pk\":{\"S\":\"p1104\"},\"sk\":{\"N\":\"1\"}}}");
            put_before(",\"s\":{\"S\":\"new\"}", 5000);
            CHECK_STR(check(), "right");
        }
        slices++;
    }
    CHECK(slices >= 3 && slices < 10);
    CHECK(!t->indexes[0].filling && t->indexes[1].filling);
    for (done = false; !done;)
        CHECK(index_backfill_slice(&d->store, t, &t->indexes[1], &done));
    CHECK_STR(check(), "right");
    index_count(&d->store, &t->indexes[0]);
    index_count(&d->store, &t->indexes[1]);
    CHECK(t->indexes[0].counted && t->indexes[1].counted);
    CHECK_I64(t->indexes[0].items, 600 + 2 - 2 - 2 + 1 + 1);
    CHECK_I64(t->indexes[1].items, 600);
    CHECK_STR(put_before(",\"s\":{\"S\":\"z\"}", 2000), "{}"); /* the one with the wrong type */
    CHECK_STR(check(), "right");
    CHECK_I64(t->indexes[0].items, 601);
    fx_close();
}
