/* links: puddle_logs */
#include "clock.h"
#include "cwl_internal.h"
#include "harness.h"
#include "ids.h"
#include <stdlib.h>

static struct db *db;
static struct cwl *logs;
static struct arena *mem;

static bool open_logs(void)
{
    char error[256];
    struct db_opts opts = {.dir = NULL};
    mem = arena_new(0, SIZE_MAX);
    db = db_open(&opts, error, sizeof error);
    logs = db == NULL ? NULL : cwl_new(NULL, db, error, sizeof error);
    return logs != NULL;
}

static void close_logs(void)
{
    cwl_free(logs);
    db_close(db);
    arena_free(mem);
}

static void emit(const char *stream, int64_t time_ms, const char *text)
{
    struct cwl_line l = {.account = STR("000000000000"),
                         .region = STR("us-east-1"),
                         .group = STR("/g"),
                         .stream = str_c(stream),
                         .time_ms = time_ms,
                         .text = str_c(text),
                         .end = STR("\n")};
    cwl_emit(logs, &l);
}

static bool find_group(struct cwl_group *g)
{
    return cwl_group_find(logs, STR("000000000000"), STR("us-east-1"), STR("/g"), mem, g);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Events that come in any order, in overlapping chunks of several streams, are read in the order
 * of their times, from both ends, whole and from any place on. */
TEST(events_are_read_in_the_order_of_time)
{
    enum { EVENTS = 3000 };
    static int64_t times[EVENTS];
    const int64_t base = INT64_C(1700000000000);
    struct cwl_group g;
    struct cwl_event e, middle = {0};
    CHECK(open_logs());
    ids_seed(7);
    for (int i = 0; i < EVENTS; i++) {
        char stream[2] = {(char)('a' + ids_random_u64() % 3), '\0'};
        times[i] = base + (int64_t)(ids_random_u64() % 100000);
        emit(stream, times[i], "x");
        if (ids_random_u64() % 7 == 0)
            cwl_flush(logs);
    }
    cwl_flush(logs);
    CHECK(find_group(&g));
    CHECK_I64(g.bytes, EVENTS * (2 + CWL_EVENT_OVERHEAD));
    qsort(times, EVENTS, sizeof *times, by_time);
    for (int backward = 0; backward < 2; backward++) {
        struct cwl_read_opts o = {
            .group = g.id, .stream = -1, .end_ms = INT64_MAX, .backward = backward};
        struct cwl_read *r = cwl_read_new(logs, &o, mem);
        for (int i = 0; i < EVENTS; i++) {
            CHECK(cwl_read_next(r, &e));
            CHECK_I64(e.time_ms, times[backward ? EVENTS - 1 - i : i]);
            if (i == 1000)
                middle = e;
        }
        CHECK(!cwl_read_next(r, &e));
        cwl_read_end(r);
        o.after = &middle;
        r = cwl_read_new(logs, &o, mem);
        for (int i = 1001; i < EVENTS; i++) {
            CHECK(cwl_read_next(r, &e));
            CHECK_I64(e.time_ms, times[backward ? EVENTS - 1 - i : i]);
        }
        CHECK(!cwl_read_next(r, &e));
        cwl_read_end(r);
    }
    struct cwl_read_opts o = {
        .group = g.id, .stream = -1, .start_ms = times[10], .end_ms = times[20]};
    struct cwl_read *r = cwl_read_new(logs, &o, mem);
    while (cwl_read_next(r, &e))
        CHECK(e.time_ms >= times[10] && e.time_ms < times[20]);
    cwl_read_end(r);
    close_logs();
}

TEST(ids_of_events_sort_like_events)
{
    struct cwl_event e = {.time_ms = 1700000000000, .chunk = 42, .index = 7}, back;
    struct arena *a = arena_new(0, 1 << 20);
    struct str id = cwl_event_id(&e, a);
    CHECK_I64((long long)id.n, 56);
    CHECK(cwl_event_of_id(id, &back));
    CHECK(back.time_ms == e.time_ms && back.chunk == 42 && back.index == 7);
    e.index++;
    CHECK(str_cmp(id, cwl_event_id(&e, a)) < 0);
    CHECK(!cwl_event_of_id(STR("12"), &back));
    CHECK(!cwl_event_of_id(STR("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), &back));
    arena_free(a);
}

TEST(a_group_keeps_at_most_its_bound)
{
    static char text[200001];
    struct cwl_group g;
    CHECK(open_logs());
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 400; i++) { /* 80 MB in streams of their own */
        char stream[16];
        snprintf(stream, sizeof stream, "s%03d", i);
        emit(stream, 1700000000000 + i, text);
        cwl_flush(logs);
        db_commit(db);
    }
    CHECK(find_group(&g));
    CHECK(g.bytes <= CWL_GROUP_MAX && g.bytes > CWL_GROUP_MAX / 2);
    struct cwl_stream st;
    CHECK(!cwl_stream_find(logs, g.id, STR("s000"), mem, &st));
    CHECK(cwl_stream_find(logs, g.id, STR("s399"), mem, &st));
    close_logs();
}

TEST(lines_for_puddle_logs_go_on_behind_a_number)
{
    int64_t last;
    CHECK(open_logs());
    CHECK(cwl_tail(logs, STR("000000000000"), STR("us-east-1"), STR("/g"), 0, 10, mem, &last).p ==
          NULL);
    emit("s", 5, "one");
    emit("s", 3, "two\xff");
    CHECK_STR(cwl_tail(logs, STR("000000000000"), STR("us-east-1"), STR("/g"), 0, 1, mem, &last),
              "[{\"timestamp\":5,\"stream\":\"s\",\"message\":\"one\"}]");
    CHECK_STR(cwl_tail(logs, STR("000000000000"), STR("us-east-1"), STR("/g"), last, 9, mem, &last),
              "[{\"timestamp\":3,\"stream\":\"s\",\"message\":\"two\xEF\xBF\xBD\"}]");
    CHECK_STR(cwl_tail(logs, STR("000000000000"), STR("us-east-1"), STR("/g"), last, 9, mem, &last),
              "[]");
    close_logs();
}
