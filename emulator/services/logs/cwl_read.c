/* Reading events in the order of time. Chunks come in the order of their first (backward: last)
 * event, but they overlap: events wait in a heap until no chunk to come can hold an earlier one. */
#include "cwl_internal.h"
#include "panic.h"
#include <stdio.h>
#include <string.h>

struct cwl_read {
    struct cwl *s;
    struct arena *a;
    struct cwl_read_opts opts;
    sqlite3_stmt *q;
    bool exhausted;     /* no chunk is left */
    int64_t horizon_ms; /* of the newest chunk taken: all events on this side of it are here */
    struct cwl_event *heap;
    size_t count, cap;
};

static int compare(const struct cwl_event *x, const struct cwl_event *y)
{
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    if (x->chunk != y->chunk)
        return x->chunk < y->chunk ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool before(const struct cwl_read *r, const struct cwl_event *x, const struct cwl_event *y)
{
    return r->opts.backward ? compare(x, y) > 0 : compare(x, y) < 0;
}

static void push(struct cwl_read *r, const struct cwl_event *e)
{
    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 256 : r->cap * 2;
        struct cwl_event *more = arena_alloc_raw(r->a, cap * sizeof *more);
        if (r->count > 0)
            memcpy(more, r->heap, r->count * sizeof *more);
        r->heap = more;
        r->cap = cap;
    }
    size_t i = r->count++;
    while (i > 0 && before(r, e, &r->heap[(i - 1) / 2])) {
        r->heap[i] = r->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    r->heap[i] = *e;
}

static struct cwl_event pop(struct cwl_read *r)
{
    struct cwl_event top = r->heap[0], last = r->heap[--r->count];
    size_t i = 0;
    while (2 * i + 1 < r->count) {
        size_t child = 2 * i + 1;
        if (child + 1 < r->count && before(r, &r->heap[child + 1], &r->heap[child]))
            child++;
        if (!before(r, &r->heap[child], &last))
            break;
        r->heap[i] = r->heap[child];
        i = child;
    }
    r->heap[i] = last;
    return top;
}

struct cwl_read *cwl_read_new(struct cwl *s, const struct cwl_read_opts *opts, struct arena *a)
{
    struct cwl_read *r = ARENA_NEW(a, struct cwl_read);
    char sql[400];
    int64_t start = opts->start_ms, end = opts->end_ms;
    r->s = s;
    r->a = a;
    r->opts = *opts;
    if (opts->after != NULL && !opts->backward && opts->after->time_ms > start)
        start = opts->after->time_ms;
    if (opts->after != NULL && opts->backward && opts->after->time_ms < end)
        end = opts->after->time_ms + 1;
    /* a chunk spans a day at most: that bounds the search on its other end */
    snprintf(sql, sizeof sql,
             "SELECT id, stream_id, first_ms, last_ms, ingested_ms, data FROM cwl_chunks WHERE "
             "%s = ?1 AND %s >= ?2 AND %s < ?3 AND last_ms >= ?4 AND first_ms < ?5 ORDER BY %s",
             opts->stream >= 0 ? "stream_id" : "group_id", opts->backward ? "last_ms" : "first_ms",
             opts->backward ? "last_ms" : "first_ms", opts->backward ? "last_ms DESC" : "first_ms");
    if (sqlite3_prepare_v2(db_handle(s->db), sql, -1, &r->q, NULL) != SQLITE_OK)
        PANIC("logs: %s", sqlite3_errmsg(db_handle(s->db)));
    int64_t low = start < INT64_MIN + CWL_SPAN_MS ? INT64_MIN : start - CWL_SPAN_MS;
    int64_t high = end > INT64_MAX - CWL_SPAN_MS ? INT64_MAX : end + CWL_SPAN_MS;
    sqlite3_bind_int64(r->q, 1, opts->stream >= 0 ? opts->stream : opts->group);
    sqlite3_bind_int64(r->q, 2, opts->backward ? start : low);
    sqlite3_bind_int64(r->q, 3, opts->backward ? high : end);
    sqlite3_bind_int64(r->q, 4, start);
    sqlite3_bind_int64(r->q, 5, end);
    return r;
}

static bool is_wanted(const struct cwl_read *r, const struct cwl_event *e)
{
    return e->time_ms >= r->opts.start_ms && e->time_ms < r->opts.end_ms &&
           (r->opts.after == NULL || before(r, r->opts.after, e));
}

static void take_chunk(struct cwl_read *r)
{
    struct cwl_event e = {0};
    size_t at = 0;
    if (sqlite3_step(r->q) != SQLITE_ROW) {
        r->exhausted = true;
        return;
    }
    struct str data = {sqlite3_column_blob(r->q, 5), (size_t)sqlite3_column_bytes(r->q, 5)};
    data = arena_str(r->a, data);
    e.chunk = sqlite3_column_int64(r->q, 0);
    e.stream = sqlite3_column_int64(r->q, 1);
    e.ingested_ms = sqlite3_column_int64(r->q, 4);
    r->horizon_ms = sqlite3_column_int64(r->q, r->opts.backward ? 3 : 2);
    for (; cwl_chunk_next(data, &at, &e); e.index++) {
        if (is_wanted(r, &e))
            push(r, &e);
    }
}

/* Can the first of the heap go: will no chunk bring an earlier one? */
static bool is_settled(const struct cwl_read *r)
{
    return r->exhausted || (r->opts.backward ? r->heap[0].time_ms > r->horizon_ms
                                             : r->heap[0].time_ms < r->horizon_ms);
}

bool cwl_read_next(struct cwl_read *r, struct cwl_event *ret)
{
    while (!r->exhausted && (r->count == 0 || !is_settled(r)))
        take_chunk(r);
    if (r->count == 0)
        return false;
    *ret = pop(r);
    return true;
}

void cwl_read_end(struct cwl_read *r)
{
    sqlite3_finalize(r->q);
    r->q = NULL;
}

struct str cwl_event_id(const struct cwl_event *e, struct arena *a)
{
    return arena_fmt(a, "%016lld%020lld%020u", (long long)e->time_ms, (long long)e->chunk,
                     e->index);
}

bool cwl_event_of_id(struct str id, struct cwl_event *ret)
{
    int64_t index;
    *ret = (struct cwl_event){0};
    if (id.n != 56 || !str_to_i64(str_sub(id, 0, 16), &ret->time_ms) ||
        !str_to_i64(str_sub(id, 16, 36), &ret->chunk) || !str_to_i64(str_sub(id, 36, 56), &index) ||
        index < 0 || index > UINT32_MAX)
        return false;
    ret->index = (uint32_t)index;
    return true;
}
