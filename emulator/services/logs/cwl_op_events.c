/* PutLogEvents, GetLogEvents, FilterLogEvents, and the lines for puddle logs. */
#include "cwl_filter.h"
#include "cwl_internal.h"
#include <string.h>

enum {
    EVENTS_MAX = 10000,
    PAGE_BYTES = 1048576,
    SCAN_BYTES = 8 << 20, /* of one FilterLogEvents; then it answers with what it has */
    FUTURE_MS = 2 * 3600 * 1000,
    STREAMS_MAX = 100
};
#define PAST_MS (INT64_C(14) * 86400000)

static struct cwl *cwl_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

static bool find_stream(struct call *c, const struct cwl_group *g, struct str name,
                        struct cwl_stream *ret)
{
    return cwl_stream_find(cwl_of(c), g->id, name, c->arena, ret) ||
           aws_fail(&c->err, c->arena, &LOGS_ResourceNotFoundException,
                    "The specified log stream does not exist.");
}

/* Messages are bytes of handlers, JSON is UTF-8. */
static struct str printable(struct str s, struct arena *a)
{
    if (str_is_utf8(s))
        return s;
    struct buf *b = arena_new_buf(a, s.n * 3 + 1);
    while (s.n > 0) {
        size_t good = str_utf8_prefix(s);
        buf_add(b, str_sub(s, 0, good));
        if (good < s.n)
            buf_add(b, STR("\xEF\xBF\xBD"));
        s = str_sub(s, good + (good < s.n), s.n);
    }
    return buf_view(b);
}

/* ---- PutLogEvents ---- */

static int64_t time_of(struct jval event)
{
    int64_t t = 0;
    jval_i64(jval_get(event, "timestamp"), &t);
    return t;
}

/* The rules of a batch as a whole. */
static bool check_batch(struct call *c, struct jval events)
{
    struct jval it = {0};
    int64_t last = 0, first = 0, bytes = 0;
    for (size_t i = 0; jval_next(events, &it, NULL); i++) {
        struct str message = jval_text(jval_get(it, "message"), c->arena);
        int64_t t = time_of(it);
        if (message.n + CWL_EVENT_OVERHEAD > CWL_EVENT_MAX)
            return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                            "Log event too large: %zu bytes exceeds limit of %d",
                            message.n + CWL_EVENT_OVERHEAD, CWL_EVENT_MAX);
        if (i == 0)
            first = t;
        else if (t < last)
            return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                            "Log events in a single PutLogEvents request must be in chronological "
                            "order.");
        last = t;
        bytes += (int64_t)message.n + CWL_EVENT_OVERHEAD;
    }
    if (bytes > CWL_BATCH_MAX)
        return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                        "Upload too large: %lld bytes exceeds limit of %d", (long long)bytes,
                        CWL_BATCH_MAX);
    return last - first <= CWL_SPAN_MS ||
           aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                    "The batch of log events in a single PutLogEvents request cannot span more "
                    "than 24 hours.");
}

struct rejects { /* indices into the batch; -1: none */
    int64_t too_new, too_old, expired;
};

static void write_rejects(struct json_out *w, const struct rejects *r)
{
    if (r->too_new < 0 && r->too_old < 0 && r->expired < 0)
        return;
    json_obj(w, "rejectedLogEventsInfo");
    if (r->expired >= 0)
        json_i64(w, "expiredLogEventEndIndex", r->expired);
    if (r->too_new >= 0)
        json_i64(w, "tooNewLogEventStartIndex", r->too_new);
    if (r->too_old >= 0)
        json_i64(w, "tooOldLogEventEndIndex", r->too_old);
    json_end(w);
}

enum call_status cwl_put_log_events(struct call *c)
{
    struct cwl_group g;
    struct cwl_stream st;
    struct cwl_batch batch;
    struct jval events = jval_get(c->in, "logEvents"), it = {0};
    struct rejects r = {-1, -1, -1};
    if (!cwl_group_of_call(c, "logGroupName", &g) ||
        !find_stream(c, &g, text_of(c, "logStreamName"), &st) || !check_batch(c, events))
        return CALL_FAILED;
    cwl_batch_init(&batch);
    for (int64_t i = 0; jval_next(events, &it, NULL); i++) {
        int64_t t = time_of(it);
        if (t < cwl_oldest_ms(&g))
            r.expired = i + 1;
        else if (t < c->now_ms - PAST_MS)
            r.too_old = i + 1;
        else if (t <= c->now_ms + FUTURE_MS)
            cwl_batch_add(&batch, t, jval_text(jval_get(it, "message"), c->arena), STR(""));
        else if (r.too_new < 0)
            r.too_new = i;
    }
    bool ok = batch.count == 0 ||
              (db_begin(cwl_of(c)->db) && cwl_batch_store(cwl_of(c), g.id, st.id, &batch));
    buf_release(&batch.data);
    if (!ok)
        return cwl_fail_store(c), CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "nextSequenceToken", arena_fmt(c->arena, "%056lld", (long long)st.id));
    write_rejects(&c->out, &r);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- the time range of a read ---- */

static void read_range(struct call *c, const struct cwl_group *g, bool end_included,
                       struct cwl_read_opts *o)
{
    int64_t start = 0, end = INT64_MAX;
    jval_i64(jval_get(c->in, "startTime"), &start);
    if (jval_i64(jval_get(c->in, "endTime"), &end) && end_included && end < INT64_MAX)
        end++;
    o->group = g->id;
    o->start_ms = start > cwl_oldest_ms(g) ? start : cwl_oldest_ms(g);
    o->end_ms = end;
}

static int64_t limit_of(struct call *c)
{
    int64_t limit = EVENTS_MAX;
    jval_i64(jval_get(c->in, "limit"), &limit);
    return limit;
}

/* ---- GetLogEvents ---- */

/* "f/<56 digits>/s" */
static bool read_token(struct str token, struct cwl_event *ret, bool *ret_forward)
{
    *ret_forward = str_starts(token, STR("f/"));
    return token.n == 60 && (*ret_forward || str_starts(token, STR("b/"))) &&
           str_ends(token, STR("/s")) && cwl_event_of_id(str_sub(token, 2, 58), ret);
}

static void write_token(struct call *c, const char *key, char direction, const struct cwl_event *e)
{
    json_str(&c->out, key,
             arena_fmt(c->arena, "%c/%.*s/s", direction, STR_ARG(cwl_event_id(e, c->arena))));
}

static void write_event(struct json_out *w, const struct cwl_event *e, struct arena *a)
{
    json_obj(w, NULL);
    json_i64(w, "ingestionTime", e->ingested_ms);
    json_str(w, "message", printable(e->message, a));
    json_i64(w, "timestamp", e->time_ms);
    json_end(w);
}

enum call_status cwl_get_log_events(struct call *c)
{
    struct cwl_group g;
    struct cwl_stream st;
    struct cwl_read_opts o = {0};
    struct cwl_event after, *page;
    struct str token = text_of(c, "nextToken");
    bool forward = false;
    size_t n = 0, bytes = 0;
    jval_bool(jval_get(c->in, "startFromHead"), &forward);
    if (!cwl_group_of_either(c, &g) || !find_stream(c, &g, text_of(c, "logStreamName"), &st))
        return CALL_FAILED;
    if (token.n > 0) {
        if (!read_token(token, &after, &forward))
            return CALL_FAIL(c, &LOGS_InvalidParameterException,
                             "The specified nextToken is invalid.");
        o.after = &after;
    }
    read_range(c, &g, false, &o);
    o.stream = st.id;
    o.backward = !forward;
    size_t limit = (size_t)limit_of(c);
    page = ARENA_ARRAY(c->arena, struct cwl_event, limit);
    struct cwl_read *r = cwl_read_new(cwl_of(c), &o, c->arena);
    while (n < limit && bytes < PAGE_BYTES && cwl_read_next(r, &page[n]))
        bytes += page[n++].message.n + CWL_EVENT_OVERHEAD;
    cwl_read_end(r);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "events");
    for (size_t i = 0; i < n; i++)
        write_event(&c->out, &page[forward ? i : n - 1 - i], c->arena);
    json_end(&c->out);
    /* at an end the token comes back as it was: that is how clients know */
    struct cwl_event none = {.time_ms = o.after != NULL ? after.time_ms : 0,
                             .chunk = o.after != NULL ? after.chunk : 0,
                             .index = o.after != NULL ? after.index : 0};
    write_token(c, "nextBackwardToken", 'b', n == 0 ? &none : &page[forward ? 0 : n - 1]);
    write_token(c, "nextForwardToken", 'f', n == 0 ? &none : &page[forward ? n - 1 : 0]);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- FilterLogEvents ---- */

struct search {
    struct cwl_group g;
    struct cwl_filter *filter;
    struct str prefix;
    int64_t streams[STREAMS_MAX];
    size_t stream_count; /* 0: no list was given */
    int64_t name_of;     /* the stream whose name is in name */
    struct str name;
};

static bool read_search(struct call *c, struct search *s)
{
    struct jval names = jval_get(c->in, "logStreamNames"), it = {0};
    s->prefix = text_of(c, "logStreamNamePrefix");
    s->name_of = -1;
    if (s->prefix.n > 0 && jval_count(names) > 0)
        return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                        "Cannot use both logStreamNames and logStreamNamePrefix."); /* unverified */
    if (!cwl_filter_parse(text_of(c, "filterPattern"), c->arena, &s->filter))
        return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                        "Invalid filter pattern");
    if (!cwl_group_of_either(c, &s->g))
        return false;
    while (jval_next(names, &it, NULL)) {
        struct cwl_stream st;
        if (!find_stream(c, &s->g, jval_text(it, c->arena), &st))
            return false;
        s->streams[s->stream_count++] = st.id;
    }
    return true;
}

static bool is_searched(struct call *c, struct search *s, const struct cwl_event *e)
{
    if (s->name_of != e->stream) {
        s->name = cwl_stream_name(cwl_of(c), e->stream, c->arena);
        s->name_of = e->stream;
    }
    for (size_t i = 0; i < s->stream_count; i++) {
        if (s->streams[i] == e->stream)
            return true;
    }
    return s->stream_count == 0 && str_starts(s->name, s->prefix);
}

static void write_found(struct call *c, const struct search *s, const struct cwl_event *e,
                        struct str message)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "eventId", cwl_event_id(e, c->arena));
    json_i64(&c->out, "ingestionTime", e->ingested_ms);
    json_str(&c->out, "logStreamName", s->name);
    json_str(&c->out, "message", message);
    json_i64(&c->out, "timestamp", e->time_ms);
    json_end(&c->out);
}

/* Writes what is found; *ret_last: where to go on. True: there may be more. */
static bool search(struct call *c, struct search *s, const struct cwl_read_opts *o,
                   struct cwl_event *ret_last)
{
    struct cwl_read *r = cwl_read_new(cwl_of(c), o, c->arena);
    struct cwl_event e;
    int64_t left = limit_of(c);
    size_t bytes = 0, scanned = 0;
    bool more = false;
    while (!more && cwl_read_next(r, &e)) {
        *ret_last = e;
        scanned += e.message.n + CWL_EVENT_OVERHEAD;
        if (is_searched(c, s, &e)) {
            struct str message = printable(e.message, c->arena);
            if (cwl_filter_match(s->filter, message, c->arena)) {
                write_found(c, s, &e, message);
                bytes += message.n + CWL_EVENT_OVERHEAD;
                left--;
            }
        }
        more = left == 0 || bytes >= PAGE_BYTES || scanned >= SCAN_BYTES;
    }
    cwl_read_end(r);
    return more;
}

enum call_status cwl_filter_log_events(struct call *c)
{
    struct search *s = ARENA_NEW(c->arena, struct search);
    struct cwl_read_opts o = {.stream = -1};
    struct cwl_event after, last;
    struct str token = text_of(c, "nextToken");
    if (!read_search(c, s))
        return CALL_FAILED;
    if (token.n > 0) {
        if (!cwl_event_of_id(token, &after))
            return CALL_FAIL(c, &LOGS_InvalidParameterException,
                             "The specified nextToken is invalid.");
        o.after = &after;
    }
    read_range(c, &s->g, true, &o);
    if (s->stream_count == 1)
        o.stream = s->streams[0];
    json_obj(&c->out, NULL);
    json_arr(&c->out, "events");
    bool more = search(c, s, &o, &last);
    json_end(&c->out);
    json_arr(&c->out, "searchedLogStreams"); /* always empty since 2019 */
    json_end(&c->out);
    if (more)
        json_str(&c->out, "nextToken", cwl_event_id(&last, c->arena));
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- puddle logs ---- */

enum { INDEX_BITS = 20, TAIL_BYTES = 8 << 20 }; /* of a line's number; above them the chunk's */

static size_t write_lines(struct cwl *s, sqlite3_stmt *q, int64_t after, size_t limit,
                          struct json_out *w, struct arena *a, int64_t *ret_last)
{
    struct cwl_event e = {0};
    int64_t chunk = sqlite3_column_int64(q, 0);
    struct str data = {sqlite3_column_blob(q, 2), (size_t)sqlite3_column_bytes(q, 2)};
    struct str stream = cwl_stream_name(s, sqlite3_column_int64(q, 1), a);
    size_t at = 0, n = 0;
    for (int64_t i = 0; n < limit && cwl_chunk_next(data, &at, &e); i++) {
        int64_t number = (chunk << INDEX_BITS) + i;
        if (number <= after)
            continue;
        struct str text = printable(e.message, a);
        json_obj(w, NULL);
        json_i64(w, "timestamp", e.time_ms);
        json_str(w, "stream", stream);
        json_str(w, "message", str_ends(text, STR("\n")) ? str_sub(text, 0, text.n - 1) : text);
        json_end(w);
        *ret_last = number;
        n++;
    }
    return n;
}

struct str cwl_tail(struct cwl *s, struct str account, struct str region, struct str group,
                    int64_t after, size_t limit, struct arena *a, int64_t *ret_last)
{
    struct cwl_group g;
    struct buf *b = arena_new_buf(a, 64 << 20);
    struct json_out w;
    sqlite3_stmt *q = NULL;
    cwl_flush(s);
    *ret_last = after;
    if (!cwl_group_find(s, account, region, group, a, &g))
        return STR_NONE;
    json_out_init(&w, b);
    json_arr(&w, NULL);
    if (sqlite3_prepare_v2(db_handle(s->db),
                           "SELECT id, stream_id, data FROM cwl_chunks WHERE group_id = ?1 AND "
                           "id >= ?2 ORDER BY id",
                           -1, &q, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(q, 1, g.id);
        sqlite3_bind_int64(q, 2, after >> INDEX_BITS);
        while (limit > 0 && b->n < TAIL_BYTES && sqlite3_step(q) == SQLITE_ROW)
            limit -= write_lines(s, q, after, limit, &w, a, ret_last);
    }
    sqlite3_finalize(q);
    json_end(&w);
    return buf_view(b);
}
