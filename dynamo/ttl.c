#include "ttl.h"
#include "hash.h"
#include "store_internal.h"
#include "write.h"

enum {
    EXPIRE_ROWS = 200, /* of one table in one tick */
    FILL_ROWS = 2000,
    FILL_BYTES = 4 << 20,
    GRACE_S = 1, /* what is written expired stays that long: AWS never takes it away at once */
};
static const int64_t TOO_OLD_S = INT64_C(5) * 365 * 86400;

/* The second at which the item expires; false: never. */
static bool expiry_of(const struct table *t, const struct item *item, int64_t now_s, int64_t *ret)
{
    const struct attr *at = item_find(item, t->ttl_attr);
    if (at == NULL || at->type != ATTR_N)
        return false;
    struct str whole = at->bytes;
    return str_to_i64(str_cut(&whole, '.'), ret) && *ret > now_s - TOO_OLD_S &&
           *ret < INT64_MAX / 1000;
}

static bool remove_entry(struct store *s, struct table *t, int64_t row_id)
{
    sqlite3_stmt *q =
        store_stmt_of(s, &t->stmts.ttl_remove, "DELETE FROM ddb_ttl_%lld WHERE row = ?", t->id);
    sqlite3_bind_int64(q, 1, row_id);
    return run(s, q);
}

static bool put_entry(struct ddb *d, struct table *t, int64_t row_id, int64_t at_s)
{
    sqlite3_stmt *q =
        store_stmt_of(&d->store, &t->stmts.ttl_put,
                      "INSERT OR REPLACE INTO ddb_ttl_%lld(row, at) VALUES(?, ?)", t->id);
    sqlite3_bind_int64(q, 1, row_id);
    sqlite3_bind_int64(q, 2, at_s);
    if (t->ttl_due_ms > at_s * 1000)
        t->ttl_due_ms = at_s * 1000;
    if (d->ttl_due_ms > t->ttl_due_ms)
        d->ttl_due_ms = t->ttl_due_ms;
    return run(&d->store, q);
}

bool ttl_apply(struct ddb *d, struct table *t, int64_t row_id, bool had_old, const struct item *now,
               int64_t now_ms)
{
    int64_t at, now_s = now_ms / 1000;
    if (t->ttl_attr.n == 0)
        return true;
    if (now == NULL || !expiry_of(t, now, now_s, &at))
        return !had_old || remove_entry(&d->store, t, row_id);
    return put_entry(d, t, row_id, at > now_s + GRACE_S ? at : now_s + GRACE_S);
}

bool ttl_create(struct store *s, const struct table *t)
{
    return store_exec(s, "CREATE TABLE ddb_ttl_%lld(row INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
                      (long long)t->id) &&
           store_exec(s, "CREATE INDEX ddb_ttl_at_%lld ON ddb_ttl_%lld(at)", (long long)t->id,
                      (long long)t->id);
}

bool ttl_drop(struct store *s, struct table *t)
{
    if (t->ttl_attr.n == 0)
        return true;
    store_drop_stmts(s, &t->stmts);
    return store_exec(s, "DROP TABLE ddb_ttl_%lld", (long long)t->id);
}

void ttl_wake(struct ddb *d)
{
    d->ttl_due_ms = 0;
}

/* ---- filling ---- */

/* Entries for the rows after t->ttl_cursor. *ret_done: there are no more. */
static bool fill_slice(struct ddb *d, struct table *t, int64_t now_ms, bool *ret_done)
{
    struct store *s = &d->store;
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf text;
    int64_t bytes = 0, rows = 0, at, now_s = now_ms / 1000;
    bool ok = true;
    int rc = SQLITE_DONE;
    sqlite3_stmt *q = store_stmt_of(s, &t->stmts.walk,
                                    "SELECT id, size, item FROM ddb_data_%lld WHERE id > ?"
                                    " ORDER BY id",
                                    t->id);
    buf_init(&text, ATTR_TEXT_MAX);
    sqlite3_bind_int64(q, 1, t->ttl_cursor);
    while (ok && rows < FILL_ROWS && bytes < FILL_BYTES && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct arena_mark mark = arena_mark(a);
        struct item item;
        buf_clear(&text);
        ok = item_read_stored(column(q, 2), a, &text, &item);
        if (ok && expiry_of(t, &item, now_s, &at))
            ok = put_entry(d, t, sqlite3_column_int64(q, 0), at);
        t->ttl_cursor = sqlite3_column_int64(q, 0);
        bytes += sqlite3_column_int64(q, 1);
        rows++;
        arena_rewind(a, mark);
    }
    sqlite3_reset(q);
    *ret_done = rc == SQLITE_DONE;
    buf_release(&text);
    arena_free(a);
    return ok && (rc == SQLITE_ROW || rc == SQLITE_DONE);
}

/* NULL: the store failed. */
static struct table *mark_filled(struct ddb *d, struct table *t)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct table_edit edit = {"TtlFilling", STR_NONE};
    struct table *now = ddb_table_edit(d, t, &edit, 1, a);
    arena_free(a);
    return now;
}

struct table *ttl_fill_small(struct ddb *d, struct table *t, int64_t now_ms)
{
    bool done = false;
    if (t->bytes > FILL_BYTES || t->items > FILL_ROWS)
        return t;
    while (!done) {
        if (!fill_slice(d, t, now_ms, &done))
            return NULL;
    }
    return mark_filled(d, t);
}

/* ---- expiring ---- */

struct expired { /* one row, copied out of the statement */
    int64_t id;
    struct ddb_key key;
    struct str item;
};

/* STORE_NONE also for a damaged one: nothing is deleted because of what it says. */
static enum store_result load_row(struct store *s, struct table *t, int64_t row_id, struct arena *a,
                                  struct expired *ret)
{
    sqlite3_stmt *q = store_stmt_of(
        s, &t->stmts.by_id, "SELECT hk, sk, item, sum FROM ddb_data_%lld WHERE id = ?", t->id);
    sqlite3_bind_int64(q, 1, row_id);
    int rc = fault_hit("store.read") ? SQLITE_IOERR : sqlite3_step(q);
    struct str *parts[] = {&ret->key.bytes.hk, &ret->key.bytes.sk, &ret->item};
    for (int i = 0; i < 3 && rc == SQLITE_ROW; i++)
        *parts[i] = arena_str(a, column_blob(q, i));
    if (rc == SQLITE_ROW && hash_crc32(ret->item) != (uint32_t)sqlite3_column_int64(q, 3)) {
        store_say_damaged(row_id, t->id);
        rc = SQLITE_DONE;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        say_failed(s);
    sqlite3_reset(q);
    ret->id = row_id;
    return rc == SQLITE_ROW ? STORE_OK : rc == SQLITE_DONE ? STORE_NONE : STORE_FAILED;
}

static bool expire_row(struct ddb *d, struct table *t, int64_t row_id, int64_t now_ms,
                       struct arena *a)
{
    struct expired row = {0};
    struct item item;
    int64_t at;
    struct buf *text = arena_new_buf(a, ATTR_TEXT_MAX);
    enum store_result found = load_row(&d->store, t, row_id, a, &row);
    if (found == STORE_FAILED)
        return false;
    if (found == STORE_NONE || !item_read_stored(row.item, a, text, &item) ||
        !expiry_of(t, &item, now_ms / 1000, &at))
        return remove_entry(&d->store, t, row_id);
    if (at > now_ms / 1000) /* the entry was of an older text */
        return put_entry(d, t, row_id, at);
    struct ddb_write w = {.t = t, .key = &row.key, .by = WRITE_BY_TTL};
    return ddb_write_load(d, a, &w, WANT_NOTHING) && ddb_write_apply(d, a, now_ms, &w);
}

/* The first rows that are due; *ret_due: when the next one after them is. */
static size_t due_rows(struct store *s, struct table *t, int64_t now_s, int64_t rows[EXPIRE_ROWS],
                       int64_t *ret_due)
{
    sqlite3_stmt *q = store_stmt_of(s, &t->stmts.ttl_first,
                                    "SELECT row, at FROM ddb_ttl_%lld ORDER BY at", t->id);
    size_t n = 0;
    *ret_due = INT64_MAX;
    while (sqlite3_step(q) == SQLITE_ROW) {
        int64_t at = sqlite3_column_int64(q, 1);
        if (at > now_s || n == EXPIRE_ROWS) {
            *ret_due = at * 1000;
            break;
        }
        rows[n++] = sqlite3_column_int64(q, 0);
    }
    sqlite3_reset(q);
    return n;
}

static bool expire_slice(struct ddb *d, struct table *t, int64_t now_ms)
{
    int64_t rows[EXPIRE_ROWS];
    size_t n = due_rows(&d->store, t, now_ms / 1000, rows, &t->ttl_due_ms);
    if (n == 0)
        return true;
    if (!db_begin(d->db) || !db_savepoint(d->db))
        return false;
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        struct arena *a = arena_new(0, SIZE_MAX);
        ok = expire_row(d, t, rows[i], now_ms, a);
        arena_free(a);
    }
    if (ok) {
        db_savepoint_release(d->db);
        return true;
    }
    db_savepoint_rollback(d->db);
    return false;
}

/* Does one thing for one table: *ret_more says that there is more to do. False: the tables have
 * been reloaded. */
static bool maintain_table(struct ddb *d, struct table *t, int64_t now_ms, bool *ret_more)
{
    bool done = true, ok = true;
    if (t->ttl_filling) {
        ok = db_begin(d->db) && fill_slice(d, t, now_ms, &done);
        *ret_more = true;
        if (ok && done)
            return mark_filled(d, t) != NULL;
    }
    if (ok && t->ttl_due_ms <= now_ms)
        ok = expire_slice(d, t, now_ms);
    return ok;
}

void ttl_maintain(struct ddb *d, int64_t now_ms)
{
    size_t count, at = 0;
    struct str key;
    void *value;
    bool more = false;
    if (now_ms < d->ttl_due_ms)
        return;
    count = d->catalog.tables.count;
    struct arena *a = arena_new(0, SIZE_MAX);
    struct table **tables = ARENA_ARRAY(a, struct table *, count); /* a definition may change */
    for (size_t i = 0; map_next(&d->catalog.tables, &at, &key, &value); i++)
        tables[i] = value;
    d->ttl_due_ms = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        if (tables[i]->ttl_attr.n == 0)
            continue;
        if (!maintain_table(d, tables[i], now_ms, &more)) {
            ddb_reload(d); /* what was undone is not what is in memory */
            d->ttl_due_ms = now_ms + 1000;
            arena_free(a);
            return;
        }
    }
    arena_free(a);
    at = 0;
    while (map_next(&d->catalog.tables, &at, &key, &value)) {
        const struct table *t = value;
        if (t->ttl_attr.n > 0 && t->ttl_due_ms < d->ttl_due_ms)
            d->ttl_due_ms = t->ttl_due_ms;
    }
    if (more)
        d->ttl_due_ms = now_ms;
}
