/* links: puddle_dynamo */
/* Background work on a store that fails: no half of it is ever kept, and a failing disk does not
 * keep the loop busy. And what becomes of a tick in which a transaction fails half-way. */
#include "clock.h"
#include "ddb_fixture.h"

static const int64_t HOUR_MS = 3600 * 1000;

static struct str put(const char *table, int key, const char *attribute)
{
    return fx_call("PutItem", FX("{\"TableName\":\"%s\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"%s\":{"
                                 "\"S\":\"x\"}}}",
                                 table, key, attribute));
}

static struct str described(const char *path)
{
    return fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), FX("Table/%s", path));
}

/* The table "abc", with a global index "gsi" on g if wanted. */
static bool make_table(bool with_index)
{
    const char *plain = "{\"TableName\":\"abc\"," FX_HASH "}";
    const char *indexed =
        "{\"TableName\":\"abc\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
        "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{\"AttributeName\":\"g\","
        "\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],"
        "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":"
        "\"g\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}]}";
    return str_starts(fx_call("CreateTable", with_index ? indexed : plain), STR("{"));
}

/* A tick of the server's with the n-th write failing. */
static void tick_with(const char *fault)
{
    fault_setup(fault);
    ddb_maintain(fx);
    (void)db_commit(fx_db);
    fault_setup(NULL);
}

static void ticks(int n)
{
    for (int i = 0; i < n; i++)
        tick_with(NULL);
}

TEST(old_stream_is_removed_wholly_or_not_at_all)
{
    for (int n = 1; n <= 8; n++) {
        const char *dir = fx_new_folder();
        clock_fake_set(INT64_C(1700000000123), 0);
        CHECK(fx_open(dir));
        fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH ",\"StreamSpecification\":{"
                               "\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}}");
        put("abc", 1, "v");
        fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
        ticks(5);
        clock_fake_advance_ms(25 * HOUR_MS);
        tick_with(FX("store.write:%d", n));
        fx_close();
        CHECK(fx_open(dir));
        clock_fake_advance_ms(2000);
        ticks(5);
        CHECK_STR(fx_get(fx_stream_call("ListStreams", "{}"), "Streams"), "[]");
        fx_close();
        file_remove_tree(dir);
        clock_fake_off();
    }
}

TEST(sweeping_goes_on_after_a_write_that_failed)
{
    for (int n = 1; n <= 4; n++) {
        const char *dir = fx_new_folder();
        clock_fake_set(INT64_C(1700000000123), 0);
        CHECK(fx_open(dir));
        CHECK(make_table(true));
        put("abc", 1, "g");
        fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
        CHECK(db_commit(fx_db));
        tick_with(FX("store.write:%d", n));
        fx_close();
        CHECK(fx_open(dir));
        ticks(5);
        CHECK(ddb_due_ms(fx) > clock_now_ms());
        fx_close();
        file_remove_tree(dir);
        clock_fake_off();
    }
}

TEST(failed_commit_does_not_fill_an_index_at_once)
{
    enum { ROWS = 2100 }; /* more than is filled in the call */
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    CHECK(make_table(false));
    for (int i = 0; i < ROWS; i++)
        put("abc", i, "g");
    CHECK(db_commit(fx_db));
    CHECK(str_starts(
        fx_call("UpdateTable",
                "{\"TableName\":\"abc\",\"AttributeDefinitions\":[{\"AttributeName\":\"pk\","
                "\"AttributeType\":\"S\"},{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],"
                "\"GlobalSecondaryIndexUpdates\":[{\"Create\":{\"IndexName\":\"gsi\","
                "\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":\"HASH\"}],"
                "\"Projection\":{\"ProjectionType\":\"ALL\"}}}]}"),
        STR("{")));
    CHECK(db_commit(fx_db));
    /* every later write fails too: the reload must not need one */
    tick_with("db.commit:1,store.write:600+,db.begin:2+");
    CHECK_STR(described("GlobalSecondaryIndexes/0/IndexStatus"), "\"CREATING\"");
    clock_fake_advance_ms(2000);
    ticks(10);
    CHECK_STR(described("GlobalSecondaryIndexes/0/IndexStatus"), "\"ACTIVE\"");
    CHECK_STR(described("GlobalSecondaryIndexes/0/ItemCount"), FX("%d", ROWS));
    fx_close();
    clock_fake_off();
}

TEST(failing_disk_makes_background_work_wait)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    CHECK(make_table(true));
    put("abc", 1, "g");
    ticks(3);
    CHECK(ddb_due_ms(fx) > clock_now_ms());
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK(db_commit(fx_db));
    static const char *const faults[] = {"db.begin:1+", "db.commit:1+", "store.write:1+"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        CHECK(ddb_due_ms(fx) <= clock_now_ms());
        for (int k = 0; k < 3 && ddb_due_ms(fx) <= clock_now_ms(); k++)
            tick_with(faults[i]);
        CHECK(ddb_due_ms(fx) > clock_now_ms());
        CHECK(ddb_due_ms(fx) <= clock_now_ms() + 1000);
        clock_fake_advance_ms(1000);
    }
    ticks(5);
    CHECK(ddb_due_ms(fx) > clock_now_ms() + HOUR_MS);
    fx_close();
    clock_fake_off();
}

TEST(clock_that_is_put_back_does_not_stop_background_work)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    CHECK(make_table(true));
    ticks(3);
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK(db_commit(fx_db));
    tick_with("db.commit:1");
    CHECK(ddb_due_ms(fx) > clock_now_ms());
    clock_fake_set(INT64_C(1600000000123), 0);
    CHECK(ddb_due_ms(fx) <= clock_now_ms());
    ticks(5);
    CHECK(ddb_due_ms(fx) > clock_now_ms());
    fx_close();
    clock_fake_off();
}

static struct str query_index(void)
{
    return fx_get(fx_call("Query", "{\"TableName\":\"abc\",\"IndexName\":\"gsi\","
                                   "\"KeyConditionExpression\":\"g = :x\","
                                   "\"ExpressionAttributeValues\":{\":x\":{\"S\":\"x\"}}}"),
                  "Count");
}

/* The server turns every reply of the tick into an internal error then (wire_json: route.c). */
TEST(transaction_that_fails_on_an_indexed_table_takes_its_tick_with_it)
{
    CHECK(fx_open(NULL));
    CHECK(make_table(true));
    put("abc", 1, "g");
    CHECK(db_commit(fx_db));
    const char *two = "{\"TransactItems\":["
                      "{\"Put\":{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"2\"},\"g\":{\"S\":"
                      "\"x\"}}}},{\"Put\":{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"3\"},"
                      "\"g\":{\"S\":\"x\"}}}}]}";
    for (int n = 1; n <= 4; n++) {                       /* two rows, two entries */
        CHECK(str_starts(put("abc", 4, "g"), STR("{"))); /* another client's, of this tick */
        fault_setup(FX("store.write:%d", n));
        struct str r = fx_call("TransactWriteItems", two);
        fault_setup(NULL);
        if (!str_starts(r, STR("InternalServerError: ")))
            test_fail(__FILE__, __LINE__, "write %d: %.*s", n, STR_ARG(r));
        CHECK(str_starts(put("abc", 5, "g"), STR("InternalServerError: ")));
        CHECK(!db_commit(fx_db));
        CHECK_STR(
            fx_get(fx_call("GetItem", "{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"2\"}}}"),
                   "Item"),
            "(missing)");
        CHECK(str_starts(
            fx_call("DeleteItem", "{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"4\"}}}"),
            STR("{")));
        CHECK(db_commit(fx_db)); /* the next tick works */
        CHECK_STR(query_index(), "1");
        CHECK_STR(described("ItemCount"), "1");
        CHECK_STR(described("GlobalSecondaryIndexes/0/ItemCount"), "1");
    }
    CHECK(str_starts(fx_call("TransactWriteItems", two), STR("{")));
    CHECK(db_commit(fx_db));
    CHECK_STR(query_index(), "3");
    fx_close();
}

TEST(copies_of_a_deleted_index_go_in_slices_of_a_few_megabytes)
{
    enum { ITEMS = 60, BYTES = 300000, SLICE = 4 << 20 };
    CHECK(fx_open(NULL));
    CHECK(str_starts(
        fx_call("CreateTable",
                "{\"TableName\":\"abc\",\"BillingMode\":\"PAY_PER_REQUEST\","
                "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},"
                "{\"AttributeName\":\"g\",\"AttributeType\":\"S\"}],\"KeySchema\":[{"
                "\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],\"GlobalSecondaryIndexes\":[{"
                "\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\",\"KeyType\":"
                "\"HASH\"}],\"Projection\":{\"ProjectionType\":\"INCLUDE\",\"NonKeyAttributes\":"
                "[\"v\"]}}]}"),
        STR("{")));
    const char *big = fx_repeat('x', BYTES);
    for (int i = 0; i < ITEMS; i++)
        fx_call("PutItem", FX("{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"g\":{\"S\":"
                              "\"x\"},\"v\":{\"S\":\"%s\"}}}",
                              i, big));
    ticks(3);
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK(db_commit(fx_db));
    int n = 0;
    for (; ddb_due_ms(fx) <= clock_now_ms() && n < 100; n++)
        tick_with(NULL);
    CHECK(n >= ITEMS * BYTES / SLICE);
    CHECK(n < 100);
    fx_close();
}

TEST(expiry_that_cannot_read_its_row_is_tried_again)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    CHECK(make_table(false));
    fx_call("UpdateTimeToLive",
            "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
            "\"AttributeName\":\"ttl\"}}");
    fx_call("PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"1\"},\"ttl\":{\"N\":"
                       "\"1700000005\"}}}");
    ticks(3);
    clock_fake_advance_ms(10000);
    tick_with("store.read:1");
    CHECK_STR(described("ItemCount"), "1");
    clock_fake_advance_ms(2000);
    ticks(3);
    CHECK_STR(described("ItemCount"), "0");
    fx_close();
    clock_fake_off();
}

TEST(damaged_row_is_not_deleted_for_what_it_says)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    CHECK(make_table(false));
    fx_call("UpdateTimeToLive",
            "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
            "\"AttributeName\":\"ttl\"}}");
    fx_call("PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"1\"},\"ttl\":{\"N\":"
                       "\"1700000005\"}}}");
    ticks(3);
    CHECK(db_begin(fx_db));
    CHECK(db_exec(fx_db, "UPDATE ddb_data_1 SET item = replace(item, '05', '04')"));
    clock_fake_advance_ms(10000);
    ticks(3);
    CHECK_STR(described("ItemCount"), "1");
    CHECK(ddb_due_ms(fx) > clock_now_ms() + HOUR_MS);
    fx_close();
    clock_fake_off();
}
