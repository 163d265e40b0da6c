/* The streams in memory and in the store: made, closed, trimmed, loaded, read. */
#include "arn.h"
#include "clock.h"
#include "hash.h"
#include "store_internal.h"
#include "stream.h"
#include <stdlib.h>
#include <string.h>

enum {
    TRIM_ROWS = 1000,
    READ_BYTES = 1 << 20,
    TRIM_BYTES = 4 << 20,
    TEXT_MAX = 192 << 20, /* two images of the largest text, and keys */
};
static const int64_t KEEP_MS = INT64_C(24) * 3600 * 1000;
static const int64_t SEQ_BASE_DIGITS = 20; /* numbers are printed as 1, then 20 digits */

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_stream("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL,"
        " name TEXT NOT NULL, label TEXT NOT NULL, view TEXT NOT NULL, keys TEXT NOT NULL,"
        " created INTEGER NOT NULL, closed INTEGER NOT NULL, trimmed INTEGER NOT NULL);"
        "CREATE TABLE ddb_shard("
        " stream INTEGER NOT NULL, number INTEGER NOT NULL, first INTEGER NOT NULL,"
        " last INTEGER NOT NULL, created INTEGER NOT NULL, closed INTEGER NOT NULL,"
        " parent_created INTEGER NOT NULL, PRIMARY KEY (stream, number)) WITHOUT ROWID;"},
};

static enum stream_view view_of(struct str text)
{
    return str_eq_c(text, "KEYS_ONLY")   ? STREAM_KEYS_ONLY
           : str_eq_c(text, "NEW_IMAGE") ? STREAM_NEW_IMAGE
           : str_eq_c(text, "OLD_IMAGE") ? STREAM_OLD_IMAGE
                                         : STREAM_BOTH_IMAGES;
}

/* ---- numbers and names ---- */

void stream_seq_text(int64_t seq, char out[STREAM_SEQ_SIZE])
{
    snprintf(out, STREAM_SEQ_SIZE, "1%0*lld", (int)SEQ_BASE_DIGITS, (long long)seq);
}

bool stream_seq_parse(struct str text, int64_t *ret)
{
    if (text.n != (size_t)SEQ_BASE_DIGITS + 1 || text.p[0] != '1')
        return false;
    for (size_t i = 1; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    }
    return str_to_i64(str_sub(text, 1, text.n), ret);
}

void stream_shard_id(const struct stream *st, const struct stream_shard *sh,
                     char out[STREAM_SHARD_ID_SIZE])
{
    char seed[64];
    int n = snprintf(seed, sizeof seed, "%lld/%lld", (long long)st->id, (long long)sh->number);
    snprintf(out, STREAM_SHARD_ID_SIZE, "shardId-%020lld-%08x", (long long)sh->created_ms,
             hash_crc32((struct str){seed, (size_t)n}));
}

const struct stream_shard *stream_find_shard(const struct stream *st, struct str shard_id)
{
    for (size_t i = 0; i < st->shard_count; i++) {
        char id[STREAM_SHARD_ID_SIZE];
        stream_shard_id(st, &st->shards[i], id);
        if (str_eq_c(shard_id, id))
            return &st->shards[i];
    }
    return NULL;
}

/* ---- memory ---- */

static struct stream *stream_new(struct str account, struct str region, struct str table,
                                 struct str label)
{
    struct arena *a = arena_new(0, 16 << 20);
    struct stream *st = ARENA_NEW(a, struct stream);
    st->arena = a;
    st->account = arena_str(a, account);
    st->region = arena_str(a, region);
    st->table = arena_str(a, table);
    st->label = arena_str(a, label);
    st->arn = arn_format(a, "dynamodb", st->region, st->account,
                         arena_fmt(a, "table/%.*s/stream/%.*s", STR_ARG(table), STR_ARG(label)));
    return st;
}

static void stream_free(struct streams *s, struct stream *st)
{
    sqlite3_stmt **slots[] = {&st->insert, &st->oldest, &st->trim, &st->read};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(s->store->db, slots[i]);
    free(st->shards);
    arena_free(st->arena);
}

static struct stream_shard *push_shard(struct stream *st, struct stream_shard shard)
{
    if (st->shard_count == st->shard_cap) {
        st->shard_cap = st->shard_cap == 0 ? 4 : 2 * st->shard_cap;
        st->shards = realloc(st->shards, st->shard_cap * sizeof *st->shards);
        if (st->shards == NULL)
            PANIC("out of memory");
    }
    st->shards[st->shard_count] = shard;
    return &st->shards[st->shard_count++];
}

static void push_stream(struct streams *s, struct stream *st)
{
    if (s->count == s->cap) {
        s->cap = s->cap == 0 ? 8 : 2 * s->cap;
        s->all = realloc(s->all, s->cap * sizeof *s->all);
        if (s->all == NULL)
            PANIC("out of memory");
    }
    s->all[s->count++] = st;
}

static void drop_stream(struct streams *s, size_t at)
{
    stream_free(s, s->all[at]);
    s->count--;
    memmove(&s->all[at], &s->all[at + 1], (s->count - at) * sizeof *s->all);
}

/* ---- loading ---- */

static bool load_shards(struct streams *s)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db_handle(s->store->db),
                                "SELECT stream, number, first, last, created, closed,"
                                " parent_created FROM ddb_shard ORDER BY stream, number",
                                -1, &q, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct stream *st = streams_by_id(s, sqlite3_column_int64(q, 0));
        rc = SQLITE_OK;
        if (st == NULL)
            continue;
        push_shard(st,
                   (struct stream_shard){sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2),
                                         sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4),
                                         sqlite3_column_int64(q, 5), sqlite3_column_int64(q, 6)});
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}

/* The number of the next record: after every record and every shard border. */
static bool load_next(struct streams *s, struct stream *st)
{
    char sql[96];
    sqlite3_stmt *q = NULL;
    snprintf(sql, sizeof sql, "SELECT coalesce(max(seq), 0) FROM ddb_stream_%lld",
             (long long)st->id);
    bool ok = sqlite3_prepare_v2(db_handle(s->store->db), sql, -1, &q, NULL) == SQLITE_OK &&
              sqlite3_step(q) == SQLITE_ROW;
    int64_t last = ok ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_finalize(q);
    if (st->trimmed > last)
        last = st->trimmed;
    for (size_t i = 0; i < st->shard_count; i++) {
        const struct stream_shard *sh = &st->shards[i];
        if (sh->first - 1 > last)
            last = sh->first - 1;
        if (sh->last > last)
            last = sh->last;
    }
    st->next = last + 1;
    return ok;
}

static bool load(struct streams *s)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db_handle(s->store->db),
                                "SELECT id, account, region, name, label, view, keys, created,"
                                " closed, trimmed FROM ddb_stream ORDER BY id",
                                -1, &q, NULL);
    s->due_ms = 0; /* the first look finds out */
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct stream *st = stream_new(column(q, 1), column(q, 2), column(q, 3), column(q, 4));
        st->id = sqlite3_column_int64(q, 0);
        st->view_text = arena_str(st->arena, column(q, 5));
        st->view = view_of(st->view_text);
        st->keys = arena_str(st->arena, column(q, 6));
        st->created_ms = sqlite3_column_int64(q, 7);
        st->closed_ms = sqlite3_column_int64(q, 8);
        st->trimmed = sqlite3_column_int64(q, 9);
        push_stream(s, st);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(q);
    bool ok = rc == SQLITE_DONE && load_shards(s);
    for (size_t i = 0; i < s->count && ok; i++)
        ok = load_next(s, s->all[i]) && s->all[i]->shard_count > 0;
    return ok;
}

bool streams_open(struct streams *s, struct store *store, char *reterr, size_t reterr_size)
{
    *s = (struct streams){.store = store};
    buf_init(&s->text, TEXT_MAX);
    if (!db_migrate(store->db, "dynamodbstreams", migrations,
                    sizeof migrations / sizeof *migrations, reterr, reterr_size))
        return false;
    if (load(s))
        return true;
    snprintf(reterr, reterr_size,
             "the streams of the DynamoDB tables cannot be read (damaged file?)");
    return false;
}

static void forget(struct streams *s)
{
    for (size_t i = 0; i < s->count; i++)
        stream_free(s, s->all[i]);
    free(s->all);
    s->all = NULL;
    s->count = s->cap = 0;
}

void streams_release(struct streams *s)
{
    forget(s);
    buf_release(&s->text);
}

void streams_reload(struct streams *s)
{
    forget(s);
    if (!load(s))
        PANIC("the streams cannot be read back after a failed commit");
}

struct stream *streams_by_id(const struct streams *s, int64_t id)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->all[middle]->id == id)
            return s->all[middle];
        if (s->all[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct stream *streams_by_arn(const struct streams *s, struct str account, struct str arn)
{
    for (size_t i = 0; i < s->count; i++) {
        if (str_eq(s->all[i]->arn, arn) && str_eq(s->all[i]->account, account))
            return s->all[i];
    }
    return NULL;
}

/* ---- making and closing ---- */

static bool add_shard(struct streams *s, struct stream *st, int64_t now_ms)
{
    const struct stream_shard *parent =
        st->shard_count == 0 ? NULL : &st->shards[st->shard_count - 1];
    struct stream_shard shard = {.number = parent == NULL ? 1 : parent->number + 1,
                                 .first = st->next,
                                 .created_ms = now_ms,
                                 .parent_created_ms = parent == NULL ? 0 : parent->created_ms};
    if (!store_exec(s->store,
                    "INSERT INTO ddb_shard(stream, number, first, last, created, closed,"
                    " parent_created) VALUES(%lld, %lld, %lld, 0, %lld, 0, %lld)",
                    (long long)st->id, (long long)shard.number, (long long)shard.first,
                    (long long)now_ms, (long long)shard.parent_created_ms))
        return false;
    push_shard(st, shard);
    return true;
}

void stream_note_due(struct streams *s, struct stream *st, int64_t now_ms)
{
    if (st->due_ms > now_ms + KEEP_MS)
        st->due_ms = now_ms + KEEP_MS;
    if (s->due_ms > st->due_ms)
        s->due_ms = st->due_ms;
}

/* Its end is a number of its own, so that also a shard without records has a range. */
static bool close_shard(struct streams *s, struct stream *st, int64_t now_ms)
{
    struct stream_shard *sh = &st->shards[st->shard_count - 1];
    if (!store_exec(s->store,
                    "UPDATE ddb_shard SET last = %lld, closed = %lld"
                    " WHERE stream = %lld AND number = %lld",
                    (long long)st->next, (long long)now_ms, (long long)st->id,
                    (long long)sh->number))
        return false;
    sh->last = st->next++;
    sh->closed_ms = now_ms;
    stream_note_due(s, st, now_ms);
    return true;
}

bool stream_roll_shard(struct streams *s, struct stream *st, int64_t now_ms)
{
    return close_shard(s, st, now_ms) && add_shard(s, st, now_ms);
}

static bool label_taken(const struct streams *s, const struct table *t, struct str label)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct stream *st = s->all[i];
        if (str_eq(st->table, t->name) && str_eq(st->account, t->account) &&
            str_eq(st->region, t->region) && str_eq(st->label, label))
            return true;
    }
    return false;
}

struct stream *streams_create(struct streams *s, const struct table *t, struct str view,
                              int64_t now_ms)
{
    char label[25], sql[128];
    sqlite3_stmt *q = NULL;
    for (int64_t ms = now_ms;; ms++) {
        clock_format_iso(ms, label);
        label[23] = '\0'; /* without the Z, as AWS has it */
        if (!label_taken(s, t, str_c(label)))
            break;
    }
    struct stream *st = stream_new(t->account, t->region, t->name, str_c(label));
    st->view_text = arena_str(st->arena, view);
    st->view = view_of(view);
    st->keys = arena_str(st->arena, jval_raw(jval_get(t->def, "KeySchema")));
    st->created_ms = now_ms;
    st->next = 1;
    st->due_ms = INT64_MAX;
    bool ok = sqlite3_prepare_v2(db_handle(s->store->db),
                                 "INSERT INTO ddb_stream(account, region, name, label, view, keys,"
                                 " created, closed, trimmed) VALUES(?, ?, ?, ?, ?, ?, ?, 0, 0)",
                                 -1, &q, NULL) == SQLITE_OK;
    const struct str texts[] = {st->account, st->region, st->table, st->label, view, st->keys};
    for (int i = 0; i < 6 && ok; i++)
        bind_text(q, i + 1, texts[i]);
    ok = ok && sqlite3_bind_int64(q, 7, now_ms) == SQLITE_OK && sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    st->id = sqlite3_last_insert_rowid(db_handle(s->store->db));
    snprintf(sql, sizeof sql,
             "CREATE TABLE ddb_stream_%lld(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
             " size INTEGER NOT NULL, record TEXT NOT NULL)",
             (long long)st->id);
    if (ok && db_exec(s->store->db, sql) && add_shard(s, st, now_ms)) {
        push_stream(s, st);
        return st;
    }
    log_msg(LOG_ERROR, "dynamodb", "streams: %s", sqlite3_errmsg(db_handle(s->store->db)));
    stream_free(s, st);
    return NULL;
}

bool streams_close(struct streams *s, int64_t id, int64_t now_ms)
{
    struct stream *st = streams_by_id(s, id);
    if (st == NULL || st->closed_ms != 0)
        return true;
    if (!close_shard(s, st, now_ms) ||
        !store_exec(s->store, "UPDATE ddb_stream SET closed = %lld WHERE id = %lld",
                    (long long)now_ms, (long long)id))
        return false;
    st->closed_ms = now_ms;
    return true;
}

static bool remove_stream(struct streams *s, size_t at)
{
    long long id = s->all[at]->id;
    drop_stream(s, at); /* its statements would keep the data in place */
    return store_exec(s->store, "DROP TABLE ddb_stream_%lld", id) &&
           store_exec(s->store, "DELETE FROM ddb_shard WHERE stream = %lld", id) &&
           store_exec(s->store, "DELETE FROM ddb_stream WHERE id = %lld", id);
}

bool streams_reset(struct streams *s)
{
    while (s->count > 0) {
        if (!db_begin(s->store->db) || !remove_stream(s, s->count - 1))
            return false;
    }
    return true;
}

/* ---- trimming ---- */

/* Finds the end of the next slice of old records; *ret_due: when the oldest that stays is old. */
static bool old_slice(struct streams *s, struct stream *st, int64_t cutoff, int64_t *ret_end,
                      int64_t *ret_due)
{
    sqlite3_stmt *q = store_stmt_of(
        s->store, &st->oldest, "SELECT seq, at, size FROM ddb_stream_%lld ORDER BY seq", st->id);
    int64_t bytes = 0, rows = 0;
    bool any = false;
    *ret_due = INT64_MAX;
    while (rows < TRIM_ROWS && bytes < TRIM_BYTES && sqlite3_step(q) == SQLITE_ROW) {
        if (sqlite3_column_int64(q, 1) > cutoff) {
            *ret_due = sqlite3_column_int64(q, 1) + KEEP_MS;
            break;
        }
        *ret_end = sqlite3_column_int64(q, 0);
        bytes += sqlite3_column_int64(q, 2);
        rows++;
        any = true;
    }
    if (rows == TRIM_ROWS || bytes >= TRIM_BYTES)
        *ret_due = 0; /* more at once */
    sqlite3_reset(q);
    return any;
}

/* Closed shards go 24 hours after their end; the last of a stream goes with the stream. */
static bool trim_shards(struct streams *s, struct stream *st, int64_t now_ms, int64_t *due)
{
    while (st->shard_count > 1 && st->shards[0].last != 0) {
        struct stream_shard *sh = &st->shards[0];
        if (sh->closed_ms + KEEP_MS > now_ms) {
            if (sh->closed_ms + KEEP_MS < *due)
                *due = sh->closed_ms + KEEP_MS;
            return true;
        }
        if (!store_exec(s->store, "DELETE FROM ddb_shard WHERE stream = %lld AND number = %lld",
                        (long long)st->id, (long long)sh->number))
            return false;
        st->shard_count--;
        memmove(st->shards, st->shards + 1, st->shard_count * sizeof *st->shards);
    }
    return true;
}

static bool trim_stream(struct streams *s, struct stream *st, int64_t now_ms)
{
    int64_t end = 0, due;
    bool old = old_slice(s, st, now_ms - KEEP_MS, &end, &due);
    bool shards = st->shard_count > 1 && st->shards[0].closed_ms + KEEP_MS <= now_ms;
    if ((old || shards) && !db_begin(s->store->db))
        return false;
    if (old) {
        if (!store_exec(s->store, "DELETE FROM ddb_stream_%lld WHERE seq <= %lld",
                        (long long)st->id, (long long)end) ||
            !store_exec(s->store, "UPDATE ddb_stream SET trimmed = %lld WHERE id = %lld",
                        (long long)end, (long long)st->id))
            return false;
        st->trimmed = end;
    }
    if (due != 0 && !trim_shards(s, st, now_ms, &due))
        return false;
    st->due_ms = due;
    return true;
}

void streams_maintain(struct streams *s, int64_t now_ms)
{
    if (now_ms < s->due_ms)
        return;
    s->due_ms = INT64_MAX;
    for (size_t i = s->count; i-- > 0;) {
        struct stream *st = s->all[i];
        if (now_ms >= st->due_ms && !trim_stream(s, st, now_ms)) {
            db_doom(s->store->db); /* records are gone only if it is noted that they are */
            st->due_ms = now_ms + 1000;
        }
        bool empty = st->due_ms == INT64_MAX || st->due_ms > now_ms;
        if (st->closed_ms != 0 && empty && st->closed_ms + KEEP_MS <= now_ms) {
            if (!db_begin(s->store->db))
                s->due_ms = now_ms + 1000;
            else if (!remove_stream(s, i))
                db_doom(s->store->db); /* a half of it could not be loaded again */
            continue;
        }
        if (st->closed_ms != 0 && st->closed_ms + KEEP_MS < st->due_ms)
            st->due_ms = st->closed_ms + KEEP_MS;
        if (st->due_ms < s->due_ms)
            s->due_ms = st->due_ms;
    }
}

/* ---- reading ---- */

bool stream_read_shard(struct streams *s, struct stream *st, const struct stream_shard *sh,
                       int64_t *at, size_t limit, struct json_out *out, bool *ret_more)
{
    int64_t bytes = 0, end = sh->last == 0 ? INT64_MAX : sh->last;
    size_t count = 0;
    int rc;
    sqlite3_stmt *q = store_stmt_of(s->store, &st->read,
                                    "SELECT seq, size, record FROM ddb_stream_%lld"
                                    " WHERE seq > ? AND seq <= ? ORDER BY seq",
                                    st->id);
    db_read(s->store->db);
    sqlite3_bind_int64(q, 1, *at);
    sqlite3_bind_int64(q, 2, end);
    *ret_more = sh->last == 0;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t size = sqlite3_column_int64(q, 1);
        if (count == limit || (count > 0 && bytes + size > READ_BYTES)) {
            *ret_more = true;
            break;
        }
        json_raw(out, NULL, column(q, 2));
        *at = sqlite3_column_int64(q, 0);
        bytes += size;
        count++;
    }
    sqlite3_reset(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}
