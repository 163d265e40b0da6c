#include "async.h"
#include "clock.h"
#include "ids.h"
#include "log.h"
#include "panic.h"
#include "seam.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNNING_MAX = 16, /* events of one function at a time: AWS would scale on, a desk machine not */
    RETRY_MS = 60000, /* AWS: one minute, then two */
    REFUSED_MS = 1000,
    RECORD_MAX = 16 << 20
};
#define RUNS INT64_MAX /* due_ms of an event that is running */

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE lam_async (id INTEGER PRIMARY KEY, fn TEXT NOT NULL, account TEXT NOT NULL, "
        "region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL, request_id TEXT NOT "
        "NULL, trace_id TEXT NOT NULL, context TEXT NOT NULL, payload TEXT NOT NULL, created_ms "
        "INTEGER NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL);"
        "CREATE INDEX lam_async_due ON lam_async (fn, due_ms)"}};

struct async {
    struct timer timer; /* first */
    struct rie *owner;
    bool blocked; /* due events wait for room */
    bool recover; /* what ran when the last server ended is not due again yet */
    size_t count; /* in the store, running ones included */
    sqlite3_stmt *insert, *functions, *events, *load, *set_due, *remove, *next;
};

static void schedule(struct rie *r, int64_t in_ms)
{
    struct async *q = r->async;
    int64_t at = clock_mono_ms() + (in_ms < 0 ? 0 : in_ms);
    if (q->timer.heap_index == 0 || q->timer.due_ms > at)
        timer_set(r->loop, &q->timer, at);
}

static void bind_str(sqlite3_stmt *s, int at, struct str text)
{
    sqlite3_bind_text(s, at, text.n > 0 ? text.p : "", (int)text.n, SQLITE_STATIC);
}

static bool step(struct rie *r, sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        log_msg(LOG_ERROR, "lambda", "the queue of events cannot be written: %s",
                sqlite3_errmsg(db_handle(r->db)));
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return ok;
}

/* ---- changes ---- */

static bool insert(struct rie *r, const struct rie_request *req, struct str account,
                   struct str region, struct str name, struct str qualifier)
{
    struct async *q = r->async;
    char key[512];
    snprintf(key, sizeof key, "%.*s/%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region),
             STR_ARG(name), STR_ARG(qualifier));
    if (!db_begin(r->db))
        return false;
    sqlite3_stmt *s = db_stmt(r->db, &q->insert,
                              "INSERT INTO lam_async (fn, account, region, name, qualifier, "
                              "request_id, trace_id, context, payload, created_ms, attempts, "
                              "due_ms) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,0,?10)");
    const struct str texts[] = {str_c(key),  account,         region,        name,
                                qualifier,   req->request_id, req->trace_id, req->client_context,
                                req->payload};
    for (int i = 0; i < 9; i++)
        bind_str(s, i + 1, texts[i]);
    sqlite3_bind_int64(s, 10, clock_now_ms());
    if (!step(r, s))
        return false;
    q->count++;
    schedule(r, 0); /* the timer runs in the next tick: after the commit */
    return true;
}

bool async_enqueue(struct rie *r, const struct lam_function *f, const struct rie_request *req,
                   struct str qualifier)
{
    return insert(r, req, f->account, f->region, f->name, qualifier);
}

static void set_due(struct rie *r, int64_t id, int64_t due_ms, int64_t attempts)
{
    if (!db_begin(r->db))
        return;
    sqlite3_stmt *s = db_stmt(r->db, &r->async->set_due,
                              "UPDATE lam_async SET due_ms = ?2, attempts = ?3 WHERE id = ?1");
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, due_ms);
    sqlite3_bind_int64(s, 3, attempts);
    step(r, s);
}

static void forget(struct rie *r, int64_t id)
{
    if (!db_begin(r->db))
        return; /* it runs again after the next start */
    sqlite3_stmt *s = db_stmt(r->db, &r->async->remove, "DELETE FROM lam_async WHERE id = ?1");
    sqlite3_bind_int64(s, 1, id);
    step(r, s);
    if (r->async->count > 0)
        r->async->count--;
}

/* ---- destinations ---- */

static void write_payload(struct json_out *w, const char *key, struct str payload)
{
    if (json_check(payload, 1000, NULL))
        json_raw(w, key, payload);
    else if (str_is_utf8(payload))
        json_str(w, key, payload);
    else
        json_null(w, key);
}

struct outcome {
    const char *condition;
    int64_t invoke_count;
    struct str payload, version; /* of the last attempt; payload.p NULL: it never ran */
    bool failed;
};

static struct str destination_record(const struct async_event *ev, const struct lam_function *f,
                                     struct str request_id, struct str request,
                                     const struct outcome *o, struct arena *a)
{
    struct json_out w;
    struct buf *b = arena_new_buf(a, RECORD_MAX);
    char iso[25];
    clock_format_iso(clock_now_ms(), iso);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "version", "1.0");
    json_cstr(&w, "timestamp", iso);
    json_obj(&w, "requestContext");
    json_str(&w, "requestId", request_id);
    json_str(&w, "functionArn",
             arena_fmt(a, "arn:aws:lambda:%.*s:%.*s:function:%.*s:%.*s", STR_ARG(f->region),
                       STR_ARG(f->account), STR_ARG(f->name),
                       STR_ARG(ev->qualifier.n > 0 ? ev->qualifier : f->version)));
    json_cstr(&w, "condition", o->condition);
    json_i64(&w, "approximateInvokeCount", o->invoke_count);
    json_end(&w);
    write_payload(&w, "requestPayload", request);
    if (o->payload.p != NULL) {
        json_obj(&w, "responseContext");
        json_i64(&w, "statusCode", 200);
        json_str(&w, "executedVersion", o->version);
        if (o->failed)
            json_cstr(&w, "functionError", "Unhandled");
        json_end(&w);
        write_payload(&w, "responsePayload", o->payload);
    }
    json_end(&w);
    return buf_view(b);
}

/* To another function; other targets are services that are not there. */
static void send(struct rie *r, const struct lam_function *f, struct str target, struct str payload,
                 struct arena *a)
{
    struct lam_name name;
    struct aws_err err = {0};
    if (target.n == 0)
        return;
    if (str_find_str(target, STR(":lambda:")) < 0 || !lam_name_parse(target, &name)) {
        log_msg(LOG_WARN, "lambda", "%.*s: no such service for the destination %.*s",
                STR_ARG(f->name), STR_ARG(target));
        return;
    }
    struct lam_function *to =
        lam_function_resolve(r, f->account, f->region, target, STR(""), true, a, &err);
    if (to == NULL) {
        log_msg(LOG_WARN, "lambda", "%.*s: the destination %.*s is not there", STR_ARG(f->name),
                STR_ARG(target));
        return;
    }
    char uuid[37];
    ids_uuid(uuid);
    struct rie_request req = {
        .request_id = str_c(uuid), .payload = payload, .trace_id = invocation_trace(a, STR(""))};
    insert(r, &req, to->account, to->region, to->name, name.qualifier);
}

static void settle(struct rie *r, const struct async_event *ev, const struct lam_function *f,
                   struct str request_id, struct str request, const struct outcome *o)
{
    struct arena *a = arena_new(0, 256 << 20);
    struct lam_async_settings s;
    bool success = strcmp(o->condition, "Success") == 0;
    lam_async_settings(r, f, ev->qualifier, a, &s);
    struct str target = success ? s.on_success : s.on_failure;
    if (target.n > 0)
        send(r, f, target, destination_record(ev, f, request_id, request, o, a), a);
    if (!success)
        send(r, f, s.dead_letter, request, a);
    forget(r, ev->id);
    arena_free(a);
}

/* ---- outcomes ---- */

void async_finished(struct invocation *inv, struct str payload, bool failed)
{
    struct rie *r = inv->r;
    struct async_event *ev = inv->event;
    struct lam_function *f = inv->pool->f; /* NULL: deleted meanwhile */
    struct lam_async_settings s;
    int64_t now = clock_now_ms();
    inv->pool->async_running--;
    if (f == NULL) {
        forget(r, ev->id);
        invocation_free(inv);
        return;
    }
    lam_async_settings(r, f, ev->qualifier, inv->mem, &s);
    int64_t due = now + (ev->attempts + 1) * RETRY_MS;
    struct outcome o = {.condition = "Success",
                        .invoke_count = ev->attempts + 1,
                        .payload = payload,
                        .version = inv->version,
                        .failed = failed};
    if (failed && r->stopping) {
        set_due(r, ev->id, now, ev->attempts); /* cut off: once more after the next start */
    } else if (failed && ev->attempts < s.max_retries &&
               due <= ev->created_ms + s.max_age_s * 1000) {
        set_due(r, ev->id, due, ev->attempts + 1);
        schedule(r, due - now);
    } else {
        if (failed)
            o.condition = ev->attempts < s.max_retries ? "EventAgeExceeded" : "RetriesExhausted";
        settle(r, ev, f, inv->request_id, inv->payload, &o);
    }
    invocation_free(inv);
}

void async_refused(struct invocation *inv)
{
    struct rie *r = inv->r;
    struct async_event *ev = inv->event;
    inv->pool->async_running--;
    if (r->async == NULL) { /* the server is ending: it is due again after the next start */
        invocation_free(inv);
        return;
    }
    if (inv->pool->f == NULL) {
        forget(r, ev->id);
    } else {
        set_due(r, ev->id, clock_now_ms() + REFUSED_MS, ev->attempts);
        schedule(r, REFUSED_MS);
    }
    invocation_free(inv);
}

/* ---- running what is due ---- */

static struct str column(sqlite3_stmt *s, int i, struct arena *a)
{
    struct str text = {(const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i)};
    return arena_str(a, text);
}

/* The event's row as an invocation, or settled without running. */
static void run_event(struct rie *r, int64_t id, struct lam_function *f)
{
    struct arena *a = arena_new(0, 64 << 20);
    sqlite3_stmt *s =
        db_stmt(r->db, &r->async->load,
                "SELECT request_id, trace_id, context, payload, account, region, name, qualifier, "
                "created_ms, attempts FROM lam_async WHERE id = ?1");
    sqlite3_bind_int64(s, 1, id);
    if (sqlite3_step(s) != SQLITE_ROW) {
        sqlite3_reset(s);
        arena_free(a);
        return;
    }
    struct rie_request req = {.request_id = column(s, 0, a),
                              .trace_id = column(s, 1, a),
                              .client_context = column(s, 2, a),
                              .payload = column(s, 3, a)};
    struct async_event ev = {.id = id,
                             .account = column(s, 4, a),
                             .region = column(s, 5, a),
                             .name = column(s, 6, a),
                             .qualifier = column(s, 7, a),
                             .created_ms = sqlite3_column_int64(s, 8),
                             .attempts = sqlite3_column_int64(s, 9)};
    sqlite3_reset(s);
    struct lam_async_settings settings;
    lam_async_settings(r, f, ev.qualifier, a, &settings);
    struct outcome o = {.invoke_count = ev.attempts};
    if (f->pool->group->g.reserved == 0)
        o.condition = "ZeroReservedConcurrency";
    else if (clock_now_ms() > ev.created_ms + settings.max_age_s * 1000)
        o.condition = "EventAgeExceeded";
    if (o.condition != NULL) {
        settle(r, &ev, f, req.request_id, req.payload, &o);
        arena_free(a);
        return;
    }
    struct invocation *inv = invocation_new(r, &req, f, ev.qualifier);
    inv->event = ARENA_NEW(inv->mem, struct async_event);
    *inv->event = ev;
    inv->event->account = f->account;
    inv->event->qualifier = arena_str(inv->mem, ev.qualifier);
    inv->event->region = inv->event->name = STR("");
    set_due(r, id, RUNS, ev.attempts);
    f->pool->async_running++;
    arena_free(a);
    invocation_start(inv);
}

/* Ids of due events into ids; how many. */
static size_t due_events(struct rie *r, struct str key, int64_t now, size_t limit, int64_t *ids)
{
    size_t n = 0;
    sqlite3_stmt *s = db_stmt(r->db, &r->async->events,
                              "SELECT id FROM lam_async WHERE fn = ?1 AND due_ms <= ?2 ORDER BY "
                              "due_ms, id LIMIT ?3");
    bind_str(s, 1, key);
    sqlite3_bind_int64(s, 2, now);
    sqlite3_bind_int64(s, 3, (int64_t)limit);
    while (n < limit && sqlite3_step(s) == SQLITE_ROW)
        ids[n++] = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return n;
}

static void run_function(struct rie *r, struct str key, int64_t now, struct arena *a)
{
    struct str rest = key, account = str_cut(&rest, '/'), region = str_cut(&rest, '/');
    struct str name = str_cut(&rest, '/'), qualifier = rest.p == NULL ? STR("") : rest;
    struct aws_err err = {0};
    int64_t ids[RUNNING_MAX];
    enum pool_refusal why;
    struct lam_function *f =
        lam_function_resolve(r, account, region, name, qualifier, true, a, &err);
    if (f == NULL) { /* deleted: its events go with it */
        size_t n;
        while ((n = due_events(r, key, RUNS - 1, RUNNING_MAX, ids)) > 0) {
            for (size_t i = 0; i < n; i++)
                forget(r, ids[i]);
        }
        return;
    }
    size_t room =
        RUNNING_MAX - (f->pool->async_running < RUNNING_MAX ? f->pool->async_running : RUNNING_MAX);
    size_t n = room > 0 ? due_events(r, key, now, room, ids) : 0, i = 0;
    for (; i < n && (f->pool->group->g.reserved == 0 || pool_has_room(&f->pool->p, &why)); i++)
        run_event(r, ids[i], f);
    if (room == 0 || i < n || n == room)
        r->async->blocked = true;
}

static void run_due(struct timer *t)
{
    struct rie *r = ((struct async *)t)->owner;
    struct async *q = r->async;
    struct arena *a = arena_new(0, 64 << 20);
    struct str *keys = ARENA_ARRAY(a, struct str, 256);
    int64_t now = clock_now_ms(), due = -1;
    size_t n = 0;
    q->blocked = false;
    if (q->recover && db_begin(r->db))
        q->recover =
            !db_exec(r->db, "UPDATE lam_async SET due_ms = 0 WHERE due_ms = 9223372036854775807");
    if (r->stopping) {
        arena_free(a);
        return;
    }
    sqlite3_stmt *s =
        db_stmt(r->db, &q->functions, "SELECT fn, MIN(due_ms) FROM lam_async GROUP BY fn");
    while (n < 256 && sqlite3_step(s) == SQLITE_ROW) {
        int64_t first = sqlite3_column_int64(s, 1);
        if (first <= now)
            keys[n++] = column(s, 0, a);
    }
    sqlite3_reset(s);
    for (size_t i = 0; i < n; i++)
        run_function(r, keys[i], now, a);
    s = db_stmt(r->db, &q->next,
                "SELECT MIN(due_ms) FROM lam_async WHERE due_ms > ?1 AND due_ms < ?2");
    sqlite3_bind_int64(s, 1, now);
    sqlite3_bind_int64(s, 2, RUNS);
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        due = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    if (due >= 0)
        schedule(r, due - now);
    arena_free(a);
}

void async_kick(struct rie *r)
{
    if (r->async->blocked && !r->stopping)
        schedule(r, 0);
}

size_t async_waiting(struct rie *r)
{
    return r->async->count;
}

static void on_shift(void *arg)
{
    schedule(arg, 0);
}

bool async_open(struct rie *r, char *reterr, size_t reterr_size)
{
    if (!db_migrate(r->db, "lambda_async", migrations, sizeof migrations / sizeof *migrations,
                    reterr, reterr_size))
        return false;
    struct async *q = calloc(1, sizeof *q);
    if (q == NULL)
        PANIC("out of memory");
    q->timer.fn = run_due;
    q->owner = r;
    r->async = q;
    sqlite3_stmt *count = NULL, *s = db_stmt(r->db, &count, "SELECT COUNT(*) FROM lam_async");
    if (sqlite3_step(s) == SQLITE_ROW)
        q->count = (size_t)sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    db_stmt_drop(r->db, &count);
    q->recover = q->count > 0;
    if (q->count > 0)
        schedule(r, 0);
    clock_on_shift(on_shift, r);
    return true;
}

void async_close(struct rie *r)
{
    struct async *q = r->async;
    if (q == NULL)
        return;
    sqlite3_stmt **slots[] = {&q->insert,  &q->functions, &q->events, &q->load,
                              &q->set_due, &q->remove,    &q->next};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(r->db, slots[i]);
    clock_off_shift(on_shift, r);
    timer_clear(r->loop, &q->timer);
    free(q);
    r->async = NULL;
}
