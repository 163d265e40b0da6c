/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"

enum { START = 1700000000 };
static const int64_t FIVE_YEARS_S = INT64_C(5) * 365 * 86400;

static bool open_table(const char *dir, const char *more)
{
    clock_fake_set(INT64_C(1000) * START, 0);
    if (!fx_open(dir))
        return false;
    fx_call("CreateTable", FX("{\"TableName\":\"abc\"," FX_HASH "%s}", more));
    return true;
}

static void close_all(void)
{
    db_commit(fx_db);
    fx_close();
    clock_fake_off();
}

static struct str update(bool enabled, const char *name)
{
    return fx_call("UpdateTimeToLive",
                   FX("{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":%s,"
                      "\"AttributeName\":\"%s\"}}",
                      enabled ? "true" : "false", name));
}

static struct str describe(void)
{
    return fx_call("DescribeTimeToLive", "{\"TableName\":\"abc\"}");
}

static void put(const char *key, const char *attrs)
{
    fx_call("PutItem",
            FX("{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"%s\"}%s}}", key, attrs));
}

static void put_at(const char *key, int64_t at)
{
    put(key, FX(",\"ttl\":{\"N\":\"%lld\"}", (long long)at));
}

static bool is_there(const char *key)
{
    struct str r =
        fx_call("GetItem", FX("{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"%s\"}}}", key));
    return r.n > 2;
}

static int64_t item_count(void)
{
    int64_t n = -1;
    str_to_i64(fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/ItemCount"), &n);
    return n;
}

static void advance(int64_t seconds)
{
    clock_fake_advance_ms(seconds * 1000);
    ddb_maintain(fx);
}

TEST(setting_is_described_and_guarded)
{
    CHECK(open_table(NULL, ""));
    CHECK_STR(describe(), "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    CHECK_STR(update(false, "ttl"), "ValidationException: TimeToLive is already disabled");
    CHECK_STR(update(true, "ttl"),
              "{\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"ttl\"}}");
    CHECK_STR(describe(), "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"ENABLED\","
                          "\"AttributeName\":\"ttl\"}}");
    CHECK_STR(update(true, "ttl"), "ValidationException: TimeToLive is already enabled");
    CHECK_STR(update(true, "other"), "ValidationException: TimeToLive is active on a different "
                                     "AttributeName: current AttributeName is ttl");
    CHECK_STR(update(false, "other"), "ValidationException: TimeToLive is active on a different "
                                      "AttributeName: current AttributeName is ttl");
    CHECK_STR(update(false, "ttl"),
              "{\"TimeToLiveSpecification\":{\"Enabled\":false,\"AttributeName\":\"ttl\"}}");
    CHECK_STR(describe(), "{\"TimeToLiveDescription\":{\"TimeToLiveStatus\":\"DISABLED\"}}");
    CHECK(str_starts(update(true, "other"), STR("{")));
    CHECK_STR(fx_call("DescribeTimeToLive", "{\"TableName\":\"none\"}"),
              "ResourceNotFoundException: Requested resource not found: Table: none not found");
    CHECK(
        str_starts(fx_call("UpdateTimeToLive",
                           "{\"TableName\":\"none\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
                           "\"AttributeName\":\"a\"}}"),
                   STR("ResourceNotFoundException: ")));
    close_all();
}

TEST(attribute_name_has_1_to_255_characters)
{
    CHECK(open_table(NULL, ""));
    CHECK(str_starts(update(true, ""), STR("ValidationException: ")));
    CHECK(str_starts(update(true, fx_repeat('a', 256)), STR("ValidationException: ")));
    CHECK(str_starts(update(true, fx_repeat('a', 255)), STR("{")));
    CHECK(str_starts(fx_call("UpdateTimeToLive", "{\"TableName\":\"abc\"}"),
                     STR("ValidationException: ")));
    close_all();
}

TEST(items_go_when_their_second_has_come)
{
    CHECK(open_table(NULL, ""));
    update(true, "ttl");
    put_at("a", START + 10);
    put_at("b", START + 20);
    put("none", "");
    ddb_maintain(fx);
    CHECK_I64(ddb_due_ms(fx), INT64_C(1000) * (START + 10));
    advance(9);
    CHECK(is_there("a"));
    advance(1);
    CHECK(!is_there("a") && is_there("b"));
    CHECK_I64(ddb_due_ms(fx), INT64_C(1000) * (START + 20));
    advance(10);
    CHECK(!is_there("b") && is_there("none"));
    CHECK_I64(item_count(), 1);
    CHECK(ddb_due_ms(fx) == INT64_MAX);
    close_all();
}

TEST(only_numbers_that_are_not_too_old_expire)
{
    CHECK(open_table(NULL, ""));
    update(true, "ttl");
    put("string", FX(",\"ttl\":{\"S\":\"%d\"}", START - 10));
    put("list", FX(",\"ttl\":{\"L\":[{\"N\":\"%d\"}]}", START - 10));
    put("other", FX(",\"TTL\":{\"N\":\"%d\"}", START - 10));
    put("huge", ",\"ttl\":{\"N\":\"1e100\"}");
    put("negative", ",\"ttl\":{\"N\":\"-5\"}");
    put_at("old", START - FIVE_YEARS_S);
    put_at("zero", 0);
    put("fraction", FX(",\"ttl\":{\"N\":\"%d.7\"}", START + 3));
    put_at("nearly old", START - FIVE_YEARS_S + 100);
    CHECK(is_there("nearly old")); /* not within the second in which it was written */
    ddb_maintain(fx);
    CHECK(is_there("nearly old"));
    advance(3);
    CHECK(!is_there("nearly old") && !is_there("fraction"));
    CHECK_I64(item_count(), 7);
    advance(10);
    CHECK_I64(item_count(), 7);
    close_all();
}

TEST(later_writes_move_the_expiry)
{
    CHECK(open_table(NULL, ""));
    update(true, "ttl");
    put_at("later", START + 5);
    put_at("later", START + 50);
    put_at("never", START + 5);
    put("never", "");
    put_at("sooner", START + 500);
    put_at("sooner", START + 5);
    put_at("gone", START + 5);
    fx_call("DeleteItem", "{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"gone\"}}}");
    advance(5);
    CHECK(is_there("later") && is_there("never") && !is_there("sooner"));
    advance(45);
    CHECK(!is_there("later") && is_there("never"));
    close_all();
}

TEST(items_of_before_are_found_and_disabling_stops)
{
    CHECK(open_table(NULL, ""));
    put_at("a", START + 5);
    put_at("b", START + 500);
    put("c", "");
    update(true, "ttl");
    advance(5);
    CHECK(!is_there("a") && is_there("b"));
    update(false, "ttl");
    advance(1000);
    CHECK(is_there("b"));
    update(true, "ttl");
    advance(1);
    CHECK(!is_there("b") && is_there("c"));
    close_all();
}

TEST(big_tables_are_filled_and_emptied_in_slices)
{
    enum { N = 3000 };
    CHECK(open_table(NULL, ""));
    for (int i = 0; i < N; i++)
        put_at(FX("%d", i), i % 2 == 0 ? START + 5 : START + 500);
    update(true, "ttl");
    CHECK_STR(fx_get(describe(), "TimeToLiveDescription/TimeToLiveStatus"), "\"ENABLED\"");
    CHECK_I64(ddb_due_ms(fx), 0);
    put_at("during", START + 5); /* a write while rows are still missing in the index */
    ddb_maintain(fx);
    fx_call("UpdateTable", "{\"TableName\":\"abc\",\"DeletionProtectionEnabled\":true}");
    for (int i = 0; i < 10; i++)
        ddb_maintain(fx);
    clock_fake_advance_ms(5000);
    int slices = 0;
    while (ddb_due_ms(fx) <= clock_now_ms() && slices < 100) {
        ddb_maintain(fx);
        slices++;
    }
    CHECK_I64(item_count(), N / 2);
    CHECK(slices >= N / 2 / 200);
    close_all();
}

TEST(expiry_leaves_a_record_with_the_services_identity)
{
    CHECK(open_table(NULL, ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":"
                           "\"NEW_AND_OLD_IMAGES\"}"));
    update(true, "ttl");
    put_at("a", START + 5);
    put_at("b", START + 5);
    advance(6);
    struct str arn =
        fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/LatestStreamArn");
    struct str shard =
        fx_get(fx_stream_call("DescribeStream", FX("{\"StreamArn\":%.*s}", STR_ARG(arn))),
               "StreamDescription/Shards/0/ShardId");
    struct str it = fx_get(
        fx_stream_call(
            "GetShardIterator",
            FX("{\"StreamArn\":%.*s,\"ShardId\":%.*s,\"ShardIteratorType\":\"TRIM_HORIZON\"}",
               STR_ARG(arn), STR_ARG(shard))),
        "ShardIterator");
    struct str r = fx_stream_call("GetRecords", FX("{\"ShardIterator\":%.*s}", STR_ARG(it)));
    CHECK_STR(fx_get(r, "Records/2/eventName"), "\"REMOVE\"");
    CHECK_STR(fx_get(r, "Records/2/userIdentity"),
              "{\"PrincipalId\":\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}");
    CHECK_STR(fx_get(r, "Records/2/dynamodb/OldImage/ttl/N"), FX("\"%d\"", START + 5));
    CHECK_STR(fx_get(r, "Records/3/eventName"), "\"REMOVE\"");
    CHECK_STR(fx_get(r, "Records/1/userIdentity"), "(missing)");
    CHECK_STR(fx_get(r, "Records/4"), "(missing)");
    close_all();
}

TEST(ttl_survives_a_restart)
{
    const char *dir = fx_new_folder();
    CHECK(open_table(dir, ""));
    update(true, "ttl");
    put_at("a", START + 5);
    put_at("b", START + 500);
    CHECK(db_commit(fx_db));
    fx_close();
    clock_fake_advance_ms(60000);
    CHECK(fx_open(dir));
    CHECK_I64(ddb_due_ms(fx), 0);
    ddb_maintain(fx);
    CHECK(!is_there("a") && is_there("b"));
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH "}");
    CHECK_STR(fx_get(describe(), "TimeToLiveDescription/TimeToLiveStatus"), "\"DISABLED\"");
    CHECK(ddb_reset(fx));
    close_all();
    file_remove_tree(dir);
}
