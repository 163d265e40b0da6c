/* links: puddle_dynamo */
#include "ddb_fixture.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREATE  "{\"TableName\":\"tab\"," FX_HASH "}"
#define COUNT() fx_get(fx_call("DescribeTable", "{\"TableName\":\"tab\"}"), "Table/ItemCount")

static struct str put(int i)
{
    return fx_call("PutItem", FX("{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"k%d\"},"
                                 "\"v\":{\"N\":\"%d\"}}}",
                                 i, i));
}

static struct str get(int i)
{
    return fx_call("GetItem", FX("{\"TableName\":\"tab\",\"Key\":{\"pk\":{\"S\":\"k%d\"}}}", i));
}

static bool raw_sql(const char *dir, const char *sql)
{
    sqlite3 *h = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/puddle.db", dir);
    bool ok = sqlite3_open(path, &h) == SQLITE_OK &&
              sqlite3_exec(h, sql, NULL, NULL, NULL) == SQLITE_OK && sqlite3_changes(h) > 0;
    sqlite3_close(h);
    return ok;
}

TEST(tables_items_and_counts_are_there_after_a_restart)
{
    CHECK(fx_open(fx_new_folder()));
    struct str created = fx_call("CreateTable", CREATE);
    for (int i = 0; i < 5; i++)
        CHECK_STR(put(i), "{}");
    struct str id = arena_str(fx_arena, fx_get(created, "TableDescription/TableId"));
    char want[64];
    snprintf(want, sizeof want, "%.*s", STR_ARG(id));
    fx_close();
    CHECK(fx_open(fx_folder));
    CHECK_I64(ddb_table_count(fx), 1);
    CHECK_STR(get(3), "{\"Item\":{\"pk\":{\"S\":\"k3\"},\"v\":{\"N\":\"3\"}}}");
    CHECK_STR(COUNT(), "5");
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"tab\"}"), "Table/TableId"), want);
    CHECK_STR(put(5), "{}");
    CHECK_STR(COUNT(), "6");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(killed_server_has_what_was_committed_with_right_counts)
{
    fx_new_folder();
    pid_t child = fork();
    if (child == 0) {
        bool ok = fx_open(fx_folder);
        fx_call("CreateTable", CREATE);
        for (int i = 0; i < 50; i++) {
            put(i);
            ok = db_commit(fx_db) && ok;
        }
        put(99); /* of a tick that did not end */
        if (ok)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(fx_open(fx_folder));
    CHECK_STR(COUNT(), "50");
    CHECK_STR(get(49), "{\"Item\":{\"pk\":{\"S\":\"k49\"},\"v\":{\"N\":\"49\"}}}");
    CHECK_STR(get(99), "{}");
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"tab\"}"), "Table/TableSizeBytes"),
              FX("%d", 10 * (4 + 1 + 2) + 40 * (5 + 1 + 2) - 1));
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(changed_bytes_in_the_file_are_noticed)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", CREATE);
    put(1);
    put(2);
    fx_close();
    CHECK(raw_sql(fx_folder, "UPDATE ddb_data_1 SET item = replace(item, '\"1\"', '\"7\"')"
                             " WHERE item LIKE '%\"k1\"%'"));
    CHECK(fx_open(fx_folder));
    CHECK_STR(get(1), "InternalServerError: Internal server error");
    CHECK_STR(get(2), "{\"Item\":{\"pk\":{\"S\":\"k2\"},\"v\":{\"N\":\"2\"}}}");
    CHECK_STR(fx_call("PutItem", "{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"k1\"}},"
                                 "\"ReturnValues\":\"ALL_OLD\"}"),
              "InternalServerError: Internal server error");
    CHECK_STR(put(1), "{}"); /* replacing it heals it */
    CHECK_STR(get(1), "{\"Item\":{\"pk\":{\"S\":\"k1\"},\"v\":{\"N\":\"1\"}}}");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(damaged_definition_is_refused_at_start)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", CREATE);
    fx_close();
    CHECK(raw_sql(fx_folder, "UPDATE ddb_table SET def = '{\"a\":1}'"));
    CHECK(!fx_open(fx_folder));
    CHECK(strstr(fx_reason, "cannot be read") != NULL);
    db_close(fx_db);
    arena_free(fx_arena);
    file_remove_tree(fx_folder);
}

TEST(newer_schema_is_refused)
{
    CHECK(fx_open(fx_new_folder()));
    fx_close();
    CHECK(raw_sql(fx_folder, "UPDATE puddle_schema SET version = 99 WHERE store = 'dynamodb'"));
    CHECK(!fx_open(fx_folder));
    CHECK(strstr(fx_reason, "newer puddle (dynamodb schema 99") != NULL);
    db_close(fx_db);
    arena_free(fx_arena);
    file_remove_tree(fx_folder);
}

TEST(failed_commit_leaves_nothing_of_the_tick)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", CREATE);
    put(1);
    CHECK(db_commit(fx_db));
    fault_setup("db.commit:1");
    put(2);
    fx_call("CreateTable", "{\"TableName\":\"other\"," FX_HASH "}");
    CHECK(!db_commit(fx_db));
    CHECK_I64(ddb_table_count(fx), 1);
    CHECK_STR(COUNT(), "1");
    CHECK_STR(get(2), "{}");
    put(3);
    CHECK(db_commit(fx_db));
    fx_call("DeleteTable", "{\"TableName\":\"tab\"}");
    CHECK_I64(ddb_table_count(fx), 0);
    fault_setup("db.commit:1");
    CHECK(!db_commit(fx_db));
    fault_setup(NULL);
    CHECK_I64(ddb_table_count(fx), 1);
    CHECK_STR(COUNT(), "2");
    CHECK_STR(get(3), "{\"Item\":{\"pk\":{\"S\":\"k3\"},\"v\":{\"N\":\"3\"}}}");
    CHECK_STR(fx_call("CreateTable", "{\"TableName\":\"other\"," FX_HASH "}").n > 0 ? COUNT()
                                                                                    : STR(""),
              "2");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(store_that_cannot_be_written_answers_internal_errors_and_recovers)
{
    CHECK(fx_open(NULL));
    fx_call("CreateTable", CREATE);
    CHECK(db_commit(fx_db));
    fault_setup("db.begin:1");
    CHECK_STR(put(1), "InternalServerError: Internal server error");
    fault_setup("store.write:1");
    CHECK_STR(put(1), "InternalServerError: Internal server error");
    fault_setup("store.write:2"); /* the row itself, after the counts' mark */
    CHECK_STR(put(1), "InternalServerError: Internal server error");
    fault_setup("store.read:1");
    CHECK_STR(get(1), "InternalServerError: Internal server error");
    fault_setup("store.write:1");
    CHECK_STR(fx_call("CreateTable", "{\"TableName\":\"two\"," FX_HASH "}"),
              "InternalServerError: Internal server error");
    fault_setup("store.write:1");
    CHECK_STR(fx_call("DeleteTable", "{\"TableName\":\"tab\"}"),
              "InternalServerError: Internal server error");
    fault_setup(NULL);
    CHECK(db_commit(fx_db));
    CHECK_I64(ddb_table_count(fx), 1);
    CHECK_STR(COUNT(), "0");
    CHECK_STR(put(1), "{}");
    CHECK_STR(COUNT(), "1");
    CHECK(db_commit(fx_db));
    fx_close();
}

TEST(big_deleted_table_goes_in_slices_and_comes_back_empty)
{
    CHECK(fx_open(fx_new_folder()));
    fx_call("CreateTable", CREATE);
    const char *blob = fx_repeat('x', 390000);
    const char *json = FX("{\"TableName\":\"tab\",\"Item\":{\"pk\":{\"S\":\"%%d\"},\"v\":{\"S\":"
                          "\"%s\"}}}",
                          blob);
    for (int i = 0; i < 70; i++) { /* above what is dropped at once */
        char *text = NULL;
        CHECK(asprintf(&text, json, i) > 0);
        CHECK_STR(fx_call("PutItem", text), "{}");
        free(text);
    }
    CHECK(db_commit(fx_db));
    CHECK_STR(
        fx_get(fx_call("DeleteTable", "{\"TableName\":\"tab\"}"), "TableDescription/TableStatus"),
        "\"DELETING\"");
    CHECK(db_commit(fx_db));
    CHECK_STR(fx_call("DescribeTable", "{\"TableName\":\"tab\"}"),
              "ResourceNotFoundException: Requested resource not found: Table: tab not found");
    fx_close(); /* in the middle of it */
    CHECK(fx_open(fx_folder));
    fx_call("CreateTable", CREATE);
    CHECK_STR(COUNT(), "0");
    int slices = 0;
    for (; slices < 100; slices++) {
        ddb_maintain(fx);
        CHECK(db_commit(fx_db));
        sqlite3_stmt *s = NULL;
        sqlite3_prepare_v2(db_handle(fx_db),
                           "SELECT count(*) FROM sqlite_schema WHERE name = 'ddb_data_1'", -1, &s,
                           NULL);
        bool there = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0) > 0;
        sqlite3_finalize(s);
        if (!there)
            break;
    }
    CHECK(slices > 2 && slices < 100);
    put(1);
    CHECK_STR(COUNT(), "1");
    fx_close();
    file_remove_tree(fx_folder);
}

TEST(reset_removes_the_tables_of_all_accounts)
{
    CHECK(fx_open(NULL));
    fx_call("CreateTable", CREATE);
    fx_call_as("111111111111", "eu-west-1", "CreateTable", str_c(CREATE));
    CHECK_I64(ddb_table_count(fx), 2);
    CHECK(ddb_reset(fx) && db_commit(fx_db));
    CHECK_I64(ddb_table_count(fx), 0);
    CHECK_STR(fx_call("ListTables", "{}"), "{\"TableNames\":[]}");
    fx_close();
}
