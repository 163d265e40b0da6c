/* links: puddle_dynamo */
/* Long reads in slices: a page that pauses is the page it would be without, other work goes on in
 * between, and what disappears meanwhile is noticed. */
#include "read.h"
#include "read_fixture.h"
#include "wait.h"

enum { ROWS = 20000 };

static struct table *find(const char *name)
{
    struct ddb *d = ddb_service(fx)->state;
    return catalog_find(&d->catalog, STR("000000000000"), STR("us-east-1"), str_c(name));
}

static bool put_rows(void)
{
    for (int i = 0; i < ROWS; i++) {
        if (!rd_put("range", FX("a=%d b=%d c=c", i % 7, i)))
            return false;
    }
    return true;
}

static int bit_of(struct str item)
{
    struct jval v;
    int64_t n = -1;
    if (json_parse(fx_arena, item, 64, &v, NULL))
        str_to_i64(jval_text(jval_get(jval_get(v, "b"), "S"), fx_arena), &n);
    return (int)n;
}

/* Reads everything in slices of a millisecond, all pages; each time it pauses the same statements
 * are used by somebody else. Returns how often it paused; -1: an item came twice or not at all. */
static int read_in_slices(struct index *x, bool backward)
{
    static bool seen[ROWS];
    struct ddb *d = ddb_service(fx)->state;
    struct ddb_read r = {
        .t = find("range"), .x = x, .arena = fx_arena, .backward = backward, .pause_ms = 1};
    struct aws_err err = {0};
    struct str item;
    int paused = 0, count = 0;
    memset(seen, 0, sizeof seen);
    ddb_read_segment(&r, 0, 1, NULL, &err);
    for (;;) {
        enum read_result result = ddb_read_next(d, &r, &item);
        if (result == READ_END)
            break;
        if (result == READ_PAUSED) {
            paused++;
            rd_call("Scan", x == NULL ? "{'TableName':'range','Limit':3}"
                                      : "{'TableName':'range','IndexName':'index3','Limit':3}");
            continue;
        }
        int n = result == READ_ROW ? bit_of(item) : -1;
        if (n < 0 || n >= ROWS || seen[n])
            return -1;
        seen[n] = true;
        count++;
    }
    return count == ROWS ? paused : -1;
}

TEST(paused_reads_give_every_item_once)
{
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    CHECK(read_in_slices(NULL, false) > 0);
    CHECK(read_in_slices(NULL, true) > 0);
    CHECK(read_in_slices(index_find(find("range"), STR("index3")), false) > 0);
    CHECK(read_in_slices(index_find(find("range"), STR("index3")), true) > 0);
    fx_close();
}

/* ---- the operations, as the server runs them ---- */

static void note_reply(struct call *c)
{
    *(bool *)c->reply_arg = true;
}

/* A call that may park, up to its first slice. */
static struct call *begin(const char *op, const char *json, bool *replied)
{
    static const struct http_req http;
    const struct service *svc = ddb_service(fx);
    struct call *c = call_new(fx_arena, svc, service_find_op(svc, str_c(op)));
    *replied = false;
    c->account = STR("000000000000");
    c->region = STR("us-east-1");
    c->http = &http;
    c->reply = note_reply;
    c->reply_arg = replied;
    if (!json_parse(fx_arena, str_c(json), 64, &c->in, NULL))
        return NULL;
    call_run(c);
    return c;
}

static int finish(const bool *replied)
{
    int ticks = 0;
    while (!*replied && ticks < 10000) {
        ddb_maintain(fx);
        wait_run_ready();
        ticks++;
    }
    return ticks;
}

#define FILTERED "{\"TableName\":\"range\",\"FilterExpression\":\"attribute_exists(nothing)\"}"

TEST(long_scan_lets_others_work_between_its_slices)
{
    bool replied;
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    struct call *c = begin("Scan", FILTERED, &replied);
    CHECK(c != NULL && !replied);
    CHECK(rd_put("hash", "a=x"));
    CHECK(finish(&replied) >= 1);
    CHECK_I64(c->status, CALL_DONE);
    CHECK_STR(buf_view(c->out_buf), FX("{\"Items\":[],\"Count\":0,\"ScannedCount\":%d}", ROWS));
    fx_close();
}

TEST(several_long_reads_share_the_ticks)
{
    bool first, second;
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    struct call *a = begin("Scan", FILTERED, &first);
    struct call *b =
        begin("Query",
              "{\"TableName\":\"range\",\"IndexName\":\"index3\",\"Select\":\"COUNT\","
              "\"KeyConditionExpression\":\"c = :c\",\"FilterExpression\":\"attribute_exists(a)\","
              "\"ExpressionAttributeValues\":{\":c\":{\"S\":\"c\"}}}",
              &second);
    CHECK(a != NULL && b != NULL && !first && !second);
    finish(&first);
    finish(&second);
    CHECK_I64(a->status, CALL_DONE);
    CHECK_I64(b->status, CALL_DONE);
    CHECK_STR(buf_view(b->out_buf), FX("{\"Count\":%d,\"ScannedCount\":%d}", ROWS, ROWS));
    fx_close();
}

TEST(table_that_goes_while_it_is_read_is_not_found)
{
    bool replied;
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    struct call *c = begin("Scan", FILTERED, &replied);
    CHECK(c != NULL && !replied);
    fx_call("DeleteTable", "{\"TableName\":\"range\"}");
    finish(&replied);
    CHECK_I64(c->status, CALL_FAILED);
    CHECK_STR(c->err.message, "Requested resource not found");
    fx_close();
}

TEST(rows_that_come_and_go_while_it_is_read_do_not_matter)
{
    bool replied;
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    struct call *c = begin("Scan", FILTERED, &replied);
    CHECK(c != NULL && !replied);
    for (int i = 0; i < ROWS && !replied; i += 50) {
        fx_call("DeleteItem",
                FX("{\"TableName\":\"range\",\"Key\":%s}", rd_item(FX("a=%d b=%d", i % 7, i))));
        CHECK(rd_put("range", FX("a=n%d b=new", i)));
        ddb_maintain(fx);
        wait_run_ready();
    }
    finish(&replied);
    CHECK_I64(c->status, CALL_DONE);
    fx_close();
}

TEST(long_read_never_answers_what_a_failed_commit_took_back)
{
    bool replied;
    CHECK(rd_open(NULL));
    CHECK(put_rows());
    CHECK(db_commit(fx_db));
    CHECK(rd_put("range", "a=x b=y")); /* may be read, and is not committed in the end */
    struct call *c = begin("Scan", FILTERED, &replied);
    CHECK(c != NULL && !replied);
    fault_setup("db.commit:1");
    CHECK(!db_commit(fx_db));
    fault_setup(NULL);
    finish(&replied);
    CHECK_I64(c->status, CALL_FAILED);
    CHECK_STR(str_c(c->err.kind->code), "InternalServerError");
    fx_close();
}
