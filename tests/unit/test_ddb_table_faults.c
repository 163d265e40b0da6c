/* links: puddle_dynamo */
/* The store fails at each of an operation's writes in turn: the reply is an internal error, nothing
 * of the operation is left, in memory or on disk, and everything goes on working. */
#include "clock.h"
#include "ddb_fixture.h"

enum { WRITES_MOST = 60 };
#define PITR(on)                                                                                   \
    "{\"TableName\":\"abc\",\"PointInTimeRecoverySpecification\":{"                                \
    "\"PointInTimeRecoveryEnabled\":" on "}}"

static const struct {
    const char *op, *json;
} setup[] = {
    {"CreateTable", "{\"TableName\":\"abc\"," FX_HASH ",\"StreamSpecification\":{\"StreamEnabled\":"
                    "true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}"},
    {"PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"1\"},\"ttl\":{\"N\":\"5\"}}}"},
    {"UpdateContinuousBackups", PITR("true")},
    {"UpdateTimeToLive", "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
                         "\"AttributeName\":\"ttl\"}}"},
    {"PutItem", "{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"2\"}}}"},
};

static const struct {
    const char *op, *json; /* %s in json: the ARN of a backup */
} steps[] = {
    {"CreateTable", "{\"TableName\":\"new\"," FX_HASH ",\"StreamSpecification\":{\"StreamEnabled\":"
                    "true,\"StreamViewType\":\"KEYS_ONLY\"}}"},
    {"UpdateTable", "{\"TableName\":\"abc\",\"StreamSpecification\":{\"StreamEnabled\":false}}"},
    {"UpdateTable",
     "{\"TableName\":\"abc\",\"AttributeDefinitions\":[{\"AttributeName\":\"x\",\"AttributeType\":"
     "\"S\"}],\"GlobalSecondaryIndexUpdates\":[{\"Create\":{\"IndexName\":\"xxx\",\"KeySchema\":[{"
     "\"AttributeName\":\"x\",\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}}]"
     "}"},
    {"UpdateTimeToLive", "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":false,"
                         "\"AttributeName\":\"ttl\"}}"},
    {"TagResource", "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/abc\","
                    "\"Tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}"},
    {"UpdateContinuousBackups", PITR("false")},
    {"CreateBackup", "{\"TableName\":\"abc\",\"BackupName\":\"one\"}"},
    {"RestoreTableToPointInTime", "{\"SourceTableName\":\"abc\",\"TargetTableName\":\"copy\","
                                  "\"UseLatestRestorableTime\":true}"},
    {"DeleteTable", "{\"TableName\":\"abc\"}"},
};

/* All that can be asked about the table and what belongs to it. */
static struct str picture(void)
{
    static const char *const asks[][2] = {
        {"DescribeTable", "{\"TableName\":\"abc\"}"},
        {"DescribeTimeToLive", "{\"TableName\":\"abc\"}"},
        {"DescribeContinuousBackups", "{\"TableName\":\"abc\"}"},
        {"ListBackups", "{\"BackupType\":\"ALL\"}"},
        {"ListTables", "{}"},
        {"ListTagsOfResource",
         "{\"ResourceArn\":\"arn:aws:dynamodb:us-east-1:000000000000:table/abc\"}"},
        {"GetItem", "{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"2\"}}}"},
    };
    struct str all = fx_stream_call("ListStreams", "{}");
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        all = arena_fmt(fx_arena, "%.*s\n%.*s", STR_ARG(all),
                        STR_ARG(fx_call(asks[i][0], asks[i][1])));
    return all;
}

/* True: the n-th write is beyond the operation's last one. */
static bool fails_cleanly(const char *op, const char *json, int n, const char **ret_why)
{
    char spec[32];
    snprintf(spec, sizeof spec, "store.write:%d", n);
    *ret_why = NULL;
    struct str before = picture();
    fault_setup(spec);
    struct str reply = fx_call(op, json);
    fault_setup(NULL);
    if (!str_starts(reply, STR("InternalServerError")))
        return true;
    struct str after = picture();
    if (!str_eq(before, after))
        *ret_why = FX("%s, write %d:\n%.*s\n---\n%.*s", op, n, STR_ARG(before), STR_ARG(after));
    return false;
}

TEST(every_write_of_every_operation_may_fail)
{
    const char *why;
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    for (size_t i = 0; i < sizeof setup / sizeof *setup; i++)
        CHECK(str_starts(fx_call(setup[i].op, setup[i].json), STR("{")));
    CHECK(db_commit(fx_db));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        bool done = false;
        int failures = 0;
        if (strcmp(steps[i].op, "RestoreTableToPointInTime") == 0)
            CHECK(str_starts(fx_call("UpdateContinuousBackups", PITR("true")), STR("{")));
        for (int n = 1; n < WRITES_MOST && !done; n++) {
            done = fails_cleanly(steps[i].op, steps[i].json, n, &why);
            CHECK_STR(str_c(why), "");
            failures += !done;
        }
        CHECK(done);
        CHECK(failures > 0);
        CHECK(db_commit(fx_db));
    }
    for (int i = 0; i < 3; i++)
        ddb_maintain(fx);
    CHECK_STR(fx_get(fx_call("ListTables", "{}"), "TableNames"), "[\"copy\",\"new\"]");
    CHECK_STR(fx_call("GetItem", "{\"TableName\":\"copy\",\"Key\":{\"pk\":{\"S\":\"2\"}}}"),
              "{\"Item\":{\"pk\":{\"S\":\"2\"}}}");
    fx_close();
    clock_fake_off();
}

/* The commit fails: what the background did is undone and done again. */
TEST(background_work_survives_failed_commits_and_writes)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    CHECK(fx_open(NULL));
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH ",\"StreamSpecification\":{"
                           "\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}}");
    fx_call("UpdateTimeToLive",
            "{\"TableName\":\"abc\",\"TimeToLiveSpecification\":{\"Enabled\":true,"
            "\"AttributeName\":\"ttl\"}}");
    for (int i = 0; i < 50; i++)
        fx_call("PutItem",
                FX("{\"TableName\":\"abc\",\"Item\":{\"pk\":{\"S\":\"%d\"},\"ttl\":{\"N\":"
                   "\"1700000005\"}}}",
                   i));
    CHECK(db_commit(fx_db));
    clock_fake_advance_ms(10000);
    for (int n = 1; n <= 5; n++) {
        fault_setup(n % 2 == 1 ? "db.commit:1" : FX("store.write:%d", 10 * n));
        ddb_maintain(fx);
        (void)db_commit(fx_db);
        fault_setup(NULL);
        clock_fake_advance_ms(1000); /* a failure makes it rest that long */
    }
    for (int i = 0; i < 5; i++)
        ddb_maintain(fx);
    CHECK(db_commit(fx_db));
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/ItemCount"), "0");
    struct str streams = fx_stream_call("ListStreams", "{}");
    struct str d =
        fx_stream_call("DescribeStream",
                       FX("{\"StreamArn\":%.*s}", STR_ARG(fx_get(streams, "Streams/0/StreamArn"))));
    struct str it = fx_get(
        fx_stream_call(
            "GetShardIterator",
            FX("{\"StreamArn\":%.*s,\"ShardId\":%.*s,\"ShardIteratorType\":\"TRIM_HORIZON\"}",
               STR_ARG(fx_get(streams, "Streams/0/StreamArn")),
               STR_ARG(fx_get(d, "StreamDescription/Shards/0/ShardId")))),
        "ShardIterator");
    struct str r = fx_stream_call("GetRecords", FX("{\"ShardIterator\":%.*s}", STR_ARG(it)));
    CHECK_STR(fx_get(r, "Records/99/eventName"), "\"REMOVE\""); /* each once */
    CHECK_STR(fx_get(r, "Records/100"), "(missing)");
    fx_close();
    clock_fake_off();
}
