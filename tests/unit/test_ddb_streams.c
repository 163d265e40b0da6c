/* links: puddle_dynamo */
#include "clock.h"
#include "ddb_fixture.h"
#include "ddb_stream.h"
#include "map.h"

enum { HOUR_MS = 3600 * 1000, START = 1700000000 };
#define TABLE_ARN "arn:aws:dynamodb:us-east-1:000000000000:table/abc"
#define INVALID   "ValidationException: One or more parameter values were invalid: "

static bool open_with(const char *dir, const char *view)
{
    clock_fake_set(INT64_C(1700000000123), 0);
    if (!fx_open(dir))
        return false;
    if (view != NULL)
        fx_call("CreateTable",
                FX("{\"TableName\":\"abc\"," FX_HASH ",\"StreamSpecification\":{\"StreamEnabled\":"
                   "true,\"StreamViewType\":\"%s\"}}",
                   view));
    return true;
}

static void close_all(void)
{
    db_commit(fx_db);
    fx_close();
    clock_fake_off();
}

static struct str unquoted(struct str s)
{
    return s.n >= 2 && s.p[0] == '"' ? str_sub(s, 1, s.n - 1) : s;
}

static struct str stream_arn(void)
{
    return unquoted(
        fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/LatestStreamArn"));
}

static struct str describe(struct str arn)
{
    return fx_get(fx_stream_call("DescribeStream", FX("{\"StreamArn\":\"%.*s\"}", STR_ARG(arn))),
                  "StreamDescription");
}

static struct str shard_id(struct str arn, int n)
{
    return unquoted(fx_get(describe(arn), FX("Shards/%d/ShardId", n)));
}

static struct str iterator_more(struct str arn, struct str shard, const char *type,
                                const char *more)
{
    struct str reply = fx_stream_call(
        "GetShardIterator",
        FX("{\"StreamArn\":\"%.*s\",\"ShardId\":\"%.*s\",\"ShardIteratorType\":\"%s\"%s}",
           STR_ARG(arn), STR_ARG(shard), type, more));
    return reply.p[0] == '{' ? unquoted(fx_get(reply, "ShardIterator")) : reply;
}

static struct str iterator(struct str arn, int shard, const char *type)
{
    return iterator_more(arn, shard_id(arn, shard), type, "");
}

static struct str records(struct str iterator_text, const char *more)
{
    return fx_stream_call("GetRecords",
                          FX("{\"ShardIterator\":\"%.*s\"%s}", STR_ARG(iterator_text), more));
}

static size_t record_count(struct str reply)
{
    struct jval v;
    return json_parse(fx_arena, reply, JSON_DEPTH_DEFAULT, &v, NULL)
               ? jval_count(jval_get(v, "Records"))
               : 999999;
}

static void put(const char *attrs)
{
    fx_call("PutItem", FX("{\"TableName\":\"abc\",\"Item\":{%s}}", attrs));
}

static void del(const char *pk)
{
    fx_call("DeleteItem", FX("{\"TableName\":\"abc\",\"Key\":{\"pk\":{\"S\":\"%s\"}}}", pk));
}

TEST(records_have_all_members_and_sizes_as_documented)
{
    CHECK(fx_open(NULL));
    clock_fake_set(INT64_C(1700000000123), 0);
    fx_call("CreateTable",
            "{\"TableName\":\"abc\",\"AttributeDefinitions\":[{\"AttributeName\":\"Id\","
            "\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":\"Id\",\"KeyType\":"
            "\"HASH\"}],\"BillingMode\":\"PAY_PER_REQUEST\",\"StreamSpecification\":{"
            "\"StreamEnabled\":true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}}");
    put("\"Id\":{\"N\":\"101\"},\"Message\":{\"S\":\"New item!\"}");
    put("\"Id\":{\"N\":\"101\"},\"Message\":{\"S\":\"This item has changed\"}");
    fx_call("DeleteItem", "{\"TableName\":\"abc\",\"Key\":{\"Id\":{\"N\":\"101\"}}}");
    struct str r = records(iterator(stream_arn(), 0, "TRIM_HORIZON"), "");
    CHECK_I64(record_count(r), 3);
    CHECK_STR(fx_get(r, "Records/0/eventName"), "\"INSERT\"");
    CHECK_STR(fx_get(r, "Records/0/eventVersion"), "\"1.1\"");
    CHECK_STR(fx_get(r, "Records/0/eventSource"), "\"aws:dynamodb\"");
    CHECK_STR(fx_get(r, "Records/0/awsRegion"), "\"us-east-1\"");
    CHECK_I64(fx_get(r, "Records/0/eventID").n, 34);
    CHECK_STR(fx_get(r, "Records/0/userIdentity"), "(missing)");
    CHECK_STR(fx_get(r, "Records/0/dynamodb"),
              "{\"ApproximateCreationDateTime\":1700000000,\"Keys\":{\"Id\":{\"N\":\"101\"}},"
              "\"NewImage\":{\"Id\":{\"N\":\"101\"},\"Message\":{\"S\":\"New item!\"}},"
              "\"SequenceNumber\":\"100000000000000000001\",\"SizeBytes\":26,"
              "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}");
    CHECK_STR(fx_get(r, "Records/1/eventName"), "\"MODIFY\"");
    CHECK_STR(fx_get(r, "Records/1/dynamodb/SizeBytes"), "59");
    CHECK_STR(fx_get(r, "Records/1/dynamodb/OldImage/Message/S"), "\"New item!\"");
    CHECK_STR(fx_get(r, "Records/2/eventName"), "\"REMOVE\"");
    CHECK_STR(fx_get(r, "Records/2/dynamodb/SizeBytes"), "38");
    CHECK_STR(fx_get(r, "Records/2/dynamodb/NewImage"), "(missing)");
    CHECK_STR(fx_get(r, "Records/2/dynamodb/SequenceNumber"), "\"100000000000000000003\"");
    close_all();
}

TEST(view_types_decide_which_images_are_there)
{
    static const struct {
        const char *view;
        bool new_image, old_image;
    } rows[] = {{"KEYS_ONLY", false, false},
                {"NEW_IMAGE", true, false},
                {"OLD_IMAGE", false, true},
                {"NEW_AND_OLD_IMAGES", true, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(open_with(NULL, rows[i].view));
        put("\"pk\":{\"S\":\"x\"},\"a\":{\"N\":\"1\"}");
        put("\"pk\":{\"S\":\"x\"},\"a\":{\"N\":\"2\"}");
        struct str r = records(iterator(stream_arn(), 0, "TRIM_HORIZON"), "");
        struct str one = fx_get(r, "Records/1/dynamodb");
        CHECK_STR(fx_get(one, "StreamViewType"), FX("\"%s\"", rows[i].view));
        CHECK_STR(fx_get(one, "Keys"), "{\"pk\":{\"S\":\"x\"}}");
        CHECK((fx_get(one, "NewImage").p[0] == '{') == rows[i].new_image);
        CHECK((fx_get(one, "OldImage").p[0] == '{') == rows[i].old_image);
        close_all();
    }
}

TEST(change_that_changes_nothing_leaves_no_record)
{
    CHECK(open_with(NULL, "NEW_AND_OLD_IMAGES"));
    put("\"pk\":{\"S\":\"x\"},\"m\":{\"M\":{\"a\":{\"S\":\"1\"},\"b\":{\"L\":[{\"N\":\"1\"}]}}},"
        "\"s\":{\"SS\":[\"p\",\"q\"]}");
    put("\"s\":{\"SS\":[\"q\",\"p\"]},\"m\":{\"M\":{\"b\":{\"L\":[{\"N\":\"1.0\"}]},\"a\":{\"S\":"
        "\"1\"}}},\"pk\":{\"S\":\"x\"}");
    del("nothing here");
    struct str it = iterator(stream_arn(), 0, "TRIM_HORIZON");
    CHECK_I64(record_count(records(it, "")), 1);
    put("\"pk\":{\"S\":\"x\"},\"m\":{\"M\":{\"a\":{\"S\":\"2\"},\"b\":{\"L\":[{\"N\":\"1\"}]}}},"
        "\"s\":{\"SS\":[\"p\",\"q\"]}");
    CHECK_I64(record_count(records(it, "")), 2);
    close_all();
}

TEST(table_without_stream_has_none)
{
    CHECK(open_with(NULL, NULL));
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH "}");
    CHECK_STR(fx_stream_call("ListStreams", "{}"), "{\"Streams\":[]}");
    CHECK_STR(stream_arn(), "(missing)");
    close_all();
}

TEST(describe_shows_the_stream)
{
    CHECK(open_with(NULL, "NEW_IMAGE"));
    CHECK_STR(stream_arn(), TABLE_ARN "/stream/2023-11-14T22:13:20.123");
    struct str d = describe(stream_arn());
    CHECK_STR(fx_get(d, "StreamLabel"), "\"2023-11-14T22:13:20.123\"");
    CHECK_STR(fx_get(d, "StreamStatus"), "\"ENABLED\"");
    CHECK_STR(fx_get(d, "StreamViewType"), "\"NEW_IMAGE\"");
    CHECK_STR(fx_get(d, "CreationRequestDateTime"), "1700000000.123");
    CHECK_STR(fx_get(d, "TableName"), "\"abc\"");
    CHECK_STR(fx_get(d, "KeySchema"), "[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}]");
    CHECK_STR(fx_get(d, "Shards/0/SequenceNumberRange"),
              "{\"StartingSequenceNumber\":\"100000000000000000001\"}");
    CHECK_I64(fx_get(d, "Shards/0/ShardId").n, 39);
    CHECK_STR(fx_get(d, "Shards/0/ParentShardId"), "(missing)");
    CHECK_STR(fx_get(d, "LastEvaluatedShardId"), "(missing)");
    close_all();
}

TEST(list_pages_and_filters_by_table)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    for (int i = 0; i < 3; i++)
        fx_call("CreateTable", FX("{\"TableName\":\"more%d\"," FX_HASH ",\"StreamSpecification\":{"
                                  "\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}}",
                                  i));
    struct str l = fx_stream_call("ListStreams", "{\"Limit\":2}");
    CHECK_STR(fx_get(l, "Streams/1/TableName"), "\"more0\"");
    CHECK_STR(fx_get(l, "Streams/2"), "(missing)");
    struct str last = unquoted(fx_get(l, "LastEvaluatedStreamArn"));
    l = fx_stream_call("ListStreams",
                       FX("{\"Limit\":2,\"ExclusiveStartStreamArn\":\"%.*s\"}", STR_ARG(last)));
    CHECK_STR(fx_get(l, "Streams/0/TableName"), "\"more1\"");
    CHECK_STR(fx_get(l, "LastEvaluatedStreamArn"), "(missing)");
    l = fx_stream_call("ListStreams", "{\"TableName\":\"more2\"}");
    CHECK_STR(fx_get(l, "Streams/0/TableName"), "\"more2\"");
    CHECK_STR(fx_get(l, "Streams/1"), "(missing)");
    CHECK_STR(fx_stream_call("ListStreams", "{\"TableName\":\"none\"}"), "{\"Streams\":[]}");
    CHECK_STR(fx_stream_call("ListStreams", "{\"Limit\":101}"),
              "ValidationException: 1 validation error detected: Value '101' at 'limit' failed to "
              "satisfy constraint: Member must have value less than or equal to 100");
    CHECK(str_starts(fx_stream_call("ListStreams", "{\"Limit\":0}"), STR("ValidationException: ")));
    CHECK(str_starts(fx_stream_call("ListStreams", "{\"Limit\":100}"), STR("{")));
    close_all();
}

TEST(unknown_streams_shards_and_iterators_are_refused)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    CHECK_STR(describe(STR(TABLE_ARN "/stream/2020-01-01T00:00:00.000")),
              "ResourceNotFoundException: Requested resource not found: Stream: " TABLE_ARN
              "/stream/2020-01-01T00:00:00.000 not found");
    CHECK_STR(describe(STR("this-is-not-an-arn-but-it-is-long-enough-for-the-model")),
              "ValidationException: Invalid StreamArn");
    CHECK(str_starts(
        iterator_more(stream_arn(), STR("shardId-00000000000000000000-00000000"), "LATEST", ""),
        STR("ResourceNotFoundException: ")));
    CHECK(str_starts(iterator_more(stream_arn(), shard_id(stream_arn(), 0), "DUNNO", ""),
                     STR("ValidationException: ")));
    CHECK(str_starts(records(STR("dunno"), ""), STR("ValidationException: ")));
    struct str it = iterator(stream_arn(), 0, "TRIM_HORIZON");
    CHECK(str_starts(records(str_sub(it, 0, it.n - 2), ""), STR("ValidationException: ")));
    CHECK_STR(records(it, ",\"Limit\":1001"),
              "ValidationException: 1 validation error detected: Value '1001' at 'limit' failed to "
              "satisfy constraint: Member must have value less than or equal to 1000");
    CHECK(str_starts(records(it, ",\"Limit\":0"), STR("ValidationException: ")));
    CHECK_I64(record_count(records(it, ",\"Limit\":1000")), 0);
    close_all();
}

TEST(four_kinds_of_iterators_start_where_they_say)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    for (int i = 1; i <= 3; i++)
        put(FX("\"pk\":{\"S\":\"%d\"}", i));
    struct str arn = stream_arn(), shard = shard_id(arn, 0);
    struct str latest = iterator(arn, 0, "LATEST");
    CHECK_I64(record_count(records(latest, "")), 0);
    put("\"pk\":{\"S\":\"4\"}");
    CHECK_STR(fx_get(records(latest, ""), "Records/0/dynamodb/Keys/pk/S"), "\"4\"");
#define SEQ(n) ",\"SequenceNumber\":\"10000000000000000000" #n "\""
    CHECK_STR(fx_get(records(iterator_more(arn, shard, "AT_SEQUENCE_NUMBER", SEQ(2)), ""),
                     "Records/0/dynamodb/Keys/pk/S"),
              "\"2\"");
    CHECK_STR(fx_get(records(iterator_more(arn, shard, "AFTER_SEQUENCE_NUMBER", SEQ(2)), ""),
                     "Records/0/dynamodb/Keys/pk/S"),
              "\"3\"");
    CHECK(str_starts(iterator_more(arn, shard, "AT_SEQUENCE_NUMBER", ""),
                     STR("ValidationException: ")));
    CHECK(str_starts(iterator_more(arn, shard, "AT_SEQUENCE_NUMBER", SEQ(9)),
                     STR("ValidationException: ")));
    CHECK(str_starts(iterator_more(arn, shard, "AT_SEQUENCE_NUMBER",
                                   ",\"SequenceNumber\":\"200000000000000000002\""),
                     STR("ValidationException: ")));
    close_all();
}

TEST(pages_follow_each_other_without_gap)
{
    CHECK(open_with(NULL, "NEW_IMAGE"));
    for (int i = 0; i < 25; i++)
        put(FX("\"pk\":{\"S\":\"%d\"}", i));
    struct str it = iterator(stream_arn(), 0, "TRIM_HORIZON");
    int seen = 0;
    for (int page = 0; page < 4; page++) {
        struct str r = records(it, ",\"Limit\":7");
        int n = (int)record_count(r);
        CHECK_I64(n, page < 3 ? 7 : 4);
        for (int i = 0; i < n; i++)
            CHECK_STR(fx_get(r, FX("Records/%d/dynamodb/Keys/pk/S", i)), FX("\"%d\"", seen++));
        it = unquoted(fx_get(r, "NextShardIterator"));
    }
    CHECK_I64(seen, 25);
    CHECK_I64(record_count(records(it, "")), 0);
    close_all();
}

TEST(page_holds_one_megabyte)
{
    CHECK(open_with(NULL, "NEW_IMAGE"));
    for (int i = 0; i < 4; i++)
        put(FX("\"pk\":{\"S\":\"%d\"},\"a\":{\"S\":\"%s\"}", i, fx_repeat('x', 349500)));
    struct str r = records(iterator(stream_arn(), 0, "TRIM_HORIZON"), "");
    CHECK_I64(record_count(r), 3);
    r = records(unquoted(fx_get(r, "NextShardIterator")), "");
    CHECK_I64(record_count(r), 1);
    close_all();
}

TEST(iterator_lives_fifteen_minutes)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    struct str it = iterator(stream_arn(), 0, "TRIM_HORIZON");
    clock_fake_advance_ms(15 * 60 * 1000);
    CHECK_I64(record_count(records(it, "")), 0);
    clock_fake_advance_ms(1);
    CHECK(str_starts(records(it, ""), STR("ExpiredIteratorException: Iterator expired")));
    close_all();
}

TEST(records_are_trimmed_after_24_hours)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    struct str arn = stream_arn();
    for (int i = 0; i < 1500; i++) /* more than one slice */
        put(FX("\"pk\":{\"S\":\"%d\"}", i));
    clock_fake_advance_ms(HOUR_MS);
    put("\"pk\":{\"S\":\"late\"}");
    clock_fake_advance_ms(23 * HOUR_MS - 1);
    ddb_maintain(fx);
    CHECK_STR(fx_get(records(iterator(arn, 0, "TRIM_HORIZON"), ""), "Records/0/dynamodb/Keys/pk/S"),
              "\"0\"");
    struct str old = iterator_more(arn, shard_id(arn, 0), "AT_SEQUENCE_NUMBER", SEQ(5));
    struct str horizon = iterator(arn, 0, "TRIM_HORIZON");
    clock_fake_advance_ms(1);
    ddb_maintain(fx);
    CHECK(str_starts(records(old, ""), STR("TrimmedDataAccessException: ")));
    CHECK_STR(fx_get(records(horizon, ""), "Records/0/dynamodb/Keys/pk/S"), "\"1000\"");
    ddb_maintain(fx);
    CHECK_STR(fx_get(records(horizon, ""), "Records/0/dynamodb/Keys/pk/S"), "\"late\"");
    CHECK(str_starts(iterator_more(arn, shard_id(arn, 0), "AFTER_SEQUENCE_NUMBER", SEQ(5)),
                     STR("TrimmedDataAccessException: ")));
    put("\"pk\":{\"S\":\"again\"}");
    CHECK_STR(
        fx_get(records(iterator(arn, 1, "TRIM_HORIZON"), ""), "Records/0/dynamodb/SequenceNumber"),
        "\"100000000000000001503\""); /* in the next shard: 1502 ended the first */
    close_all();
}

TEST(shard_is_followed_by_its_child_after_four_hours)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    struct str arn = stream_arn(), first = shard_id(arn, 0);
    clock_fake_advance_ms(4 * HOUR_MS);
    put("\"pk\":{\"S\":\"1\"}"); /* an empty shard is not replaced */
    CHECK_STR(fx_get(describe(arn), "Shards/1"), "(missing)");
    put("\"pk\":{\"S\":\"2\"}");
    CHECK_STR(fx_get(describe(arn), "Shards/1/ParentShardId"), FX("\"%.*s\"", STR_ARG(first)));
    CHECK_STR(fx_get(describe(arn), "Shards/0/SequenceNumberRange/EndingSequenceNumber"),
              "\"100000000000000000002\"");
    struct str r = records(iterator(arn, 0, "TRIM_HORIZON"), "");
    CHECK_I64(record_count(r), 1);
    CHECK_STR(fx_get(r, "NextShardIterator"), "(missing)");
    r = records(iterator(arn, 1, "TRIM_HORIZON"), "");
    CHECK_STR(fx_get(r, "Records/0/dynamodb/Keys/pk/S"), "\"2\"");
    CHECK(fx_get(r, "NextShardIterator").p[0] == '"');
    struct str child = fx_stream_call(
        "DescribeStream", FX("{\"StreamArn\":\"%.*s\",\"ShardFilter\":{\"Type\":\"CHILD_SHARDS\","
                             "\"ShardId\":\"%.*s\"}}",
                             STR_ARG(arn), STR_ARG(first)));
    CHECK_STR(fx_get(child, "StreamDescription/Shards/0/ShardId"),
              FX("\"%.*s\"", STR_ARG(shard_id(arn, 1))));
    struct str page = fx_get(
        fx_stream_call("DescribeStream", FX("{\"StreamArn\":\"%.*s\",\"Limit\":1}", STR_ARG(arn))),
        "StreamDescription");
    CHECK_STR(fx_get(page, "LastEvaluatedShardId"), FX("\"%.*s\"", STR_ARG(first)));
    CHECK_STR(fx_get(page, "Shards/1"), "(missing)");
    page = fx_get(fx_stream_call("DescribeStream",
                                 FX("{\"StreamArn\":\"%.*s\",\"ExclusiveStartShardId\":\"%.*s\"}",
                                    STR_ARG(arn), STR_ARG(first))),
                  "StreamDescription");
    CHECK_STR(fx_get(page, "Shards/0/ParentShardId"), FX("\"%.*s\"", STR_ARG(first)));
    clock_fake_advance_ms(24 * HOUR_MS);
    ddb_maintain(fx);
    CHECK_STR(fx_get(describe(arn), "Shards/0/ParentShardId"), FX("\"%.*s\"", STR_ARG(first)));
    CHECK_STR(fx_get(describe(arn), "Shards/1"), "(missing)");
    close_all();
}

TEST(stream_of_a_deleted_table_stays_readable_for_24_hours)
{
    CHECK(open_with(NULL, "KEYS_ONLY"));
    put("\"pk\":{\"S\":\"1\"}");
    struct str arn = stream_arn();
    fx_call("DeleteTable", "{\"TableName\":\"abc\"}");
    CHECK_STR(fx_get(describe(arn), "StreamStatus"), "\"DISABLED\"");
    struct str r = records(iterator(arn, 0, "TRIM_HORIZON"), "");
    CHECK_I64(record_count(r), 1);
    CHECK_STR(fx_get(r, "NextShardIterator"), "(missing)");
    r = records(iterator(arn, 0, "LATEST"), "");
    CHECK_I64(record_count(r), 0);
    CHECK_STR(fx_get(r, "NextShardIterator"), "(missing)");
    fx_call("CreateTable", "{\"TableName\":\"abc\"," FX_HASH ",\"StreamSpecification\":{"
                           "\"StreamEnabled\":true,\"StreamViewType\":\"KEYS_ONLY\"}}");
    CHECK(!str_eq(arn, stream_arn())); /* the clock stands still: another label all the same */
    clock_fake_advance_ms(24 * HOUR_MS);
    for (int i = 0; i < 3; i++)
        ddb_maintain(fx);
    CHECK(str_starts(describe(arn), STR("ResourceNotFoundException: ")));
    CHECK_STR(fx_get(describe(stream_arn()), "StreamStatus"), "\"ENABLED\"");
    close_all();
}

TEST(streams_survive_a_restart)
{
    const char *dir = fx_new_folder();
    CHECK(open_with(dir, "NEW_IMAGE"));
    put("\"pk\":{\"S\":\"1\"}");
    clock_fake_advance_ms(5 * HOUR_MS);
    put("\"pk\":{\"S\":\"2\"}");
    CHECK(db_commit(fx_db));
    fx_close();
    CHECK(fx_open(dir));
    struct str arn = stream_arn();
    CHECK_I64(record_count(records(iterator(arn, 0, "TRIM_HORIZON"), "")), 1);
    put("\"pk\":{\"S\":\"3\"}");
    struct str r = records(iterator(arn, 1, "TRIM_HORIZON"), "");
    CHECK_I64(record_count(r), 2);
    CHECK_STR(fx_get(r, "Records/1/dynamodb/SequenceNumber"), "\"100000000000000000004\"");
    close_all();
    file_remove_tree(dir);
}

TEST(reset_takes_streams_away)
{
    CHECK(open_with(NULL, "NEW_IMAGE"));
    put("\"pk\":{\"S\":\"1\"}");
    CHECK(ddb_reset(fx));
    CHECK_STR(fx_stream_call("ListStreams", "{}"), "{\"Streams\":[]}");
    close_all();
}

static void count_appends(void *arg, struct str account, struct str arn)
{
    if (str_eq_c(account, "000000000000") && str_starts(arn, STR(TABLE_ARN)))
        ++*(int *)arg;
}

TEST(program_reads_streams_without_iterators)
{
    int appended = 0;
    size_t count = 0;
    int64_t at = 0, latest = 0;
    bool more;
    struct json_out w;
    const struct str me = STR("000000000000");
    CHECK(open_with(NULL, "KEYS_ONLY"));
    struct str arn = stream_arn();
    ddb_stream_watch(fx, count_appends, &appended);
    for (int i = 0; i < 5; i++)
        put(FX("\"pk\":{\"S\":\"%d\"}", i));
    CHECK_I64(appended, 5);
    struct ddb_shard *shards = ddb_stream_shards(fx, me, arn, fx_arena, &count);
    CHECK_I64(count, 1);
    struct str shard = str_c(shards[0].id);
    CHECK(ddb_stream_start(fx, me, arn, shard, DDB_FROM_TRIM_HORIZON, &at) == DDB_STREAM_OK);
    CHECK(ddb_stream_start(fx, me, arn, shard, DDB_FROM_LATEST, &latest) == DDB_STREAM_OK);
    CHECK_I64(at, 0);
    CHECK_I64(latest, 5);
    struct buf *b = arena_new_buf(fx_arena, 1 << 20);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    CHECK(ddb_stream_read(fx, me, arn, shard, &at, 3, &w, &more) == DDB_STREAM_OK);
    json_end(&w);
    CHECK(more);
    CHECK_I64(at, 3);
    CHECK_STR(fx_get(buf_view(b), "2/dynamodb/Keys/pk/S"), "\"2\"");
    CHECK_STR(fx_get(buf_view(b), "3"), "(missing)");
    clock_fake_advance_ms(25 * HOUR_MS);
    ddb_maintain(fx);
    CHECK(ddb_stream_read(fx, me, arn, shard, &at, 3, &w, &more) == DDB_STREAM_TRIMMED);
    CHECK(ddb_stream_start(fx, me, arn, shard, DDB_FROM_TRIM_HORIZON, &at) == DDB_STREAM_OK);
    CHECK_I64(at, 5);
    CHECK(ddb_stream_read(fx, me, arn, STR("none"), &at, 3, &w, &more) == DDB_STREAM_GONE);
    CHECK(ddb_stream_shards(fx, me, STR("none"), fx_arena, &count) == NULL);
    close_all();
}

/* Replaying NEW_AND_OLD_IMAGES gives the table: every record's old image is what the replay has. */
TEST(replay_of_random_writes_gives_the_table)
{
    struct map replay;
    uint32_t seed = 12345;
    size_t at = 0, count = 0;
    CHECK(open_with(NULL, "NEW_AND_OLD_IMAGES"));
    for (int i = 0; i < 3000; i++) {
        seed = seed * 1664525 + 1013904223;
        int key = (int)(seed >> 24) % 40, value = (int)(seed >> 8) % 3;
        if ((seed >> 16) % 3 == 0)
            del(FX("%d", key));
        else
            put(FX("\"pk\":{\"S\":\"%d\"},\"v\":{\"N\":\"%d\"}", key, value));
        if (i % 100 == 0)
            clock_fake_advance_ms(20 * 60 * 1000); /* shards follow each other */
    }
    map_init(&replay);
    struct str arn = stream_arn(), key, old;
    int64_t before = 0;
    for (int shard = 0; shard_id(arn, shard).p[0] == 's'; shard++) {
        struct str it = iterator(arn, shard, "TRIM_HORIZON");
        while (it.p[0] == 'a') {
            struct str page = records(it, ",\"Limit\":400");
            struct jval v, r = {0};
            CHECK(json_parse(fx_arena, page, JSON_DEPTH_DEFAULT, &v, NULL));
            if (jval_count(jval_get(v, "Records")) == 0)
                break;
            while (jval_next(jval_get(v, "Records"), &r, NULL)) {
                struct jval d = jval_get(r, "dynamodb"), image = jval_get(d, "NewImage");
                int64_t seq;
                key = jval_raw(jval_get(d, "Keys"));
                old = jval_raw(jval_get(d, "OldImage"));
                CHECK(str_to_i64(str_sub(jval_text(jval_get(d, "SequenceNumber"), fx_arena), 3, 21),
                                 &seq));
                CHECK(seq > before);
                before = seq;
                struct str *had = map_del(&replay, key);
                CHECK((had == NULL) == (jval_kind(jval_get(d, "OldImage")) == JSON_MISSING));
                CHECK(had == NULL || str_eq(*had, old));
                if (jval_kind(image) != JSON_MISSING) {
                    struct str *copy = ARENA_NEW(fx_arena, struct str);
                    *copy = jval_raw(image);
                    map_put(&replay, key, copy);
                }
            }
            it = unquoted(fx_get(page, "NextShardIterator"));
        }
    }
    void *value;
    while (map_next(&replay, &at, &key, &value)) {
        struct str got =
            fx_call("GetItem", FX("{\"TableName\":\"abc\",\"Key\":%.*s}", STR_ARG(key)));
        CHECK_STR(fx_get(got, "Item"), arena_str(fx_arena, *(struct str *)value).p);
        count++;
    }
    CHECK_STR(fx_get(fx_call("DescribeTable", "{\"TableName\":\"abc\"}"), "Table/ItemCount"),
              FX("%zu", count));
    map_release(&replay);
    close_all();
}
