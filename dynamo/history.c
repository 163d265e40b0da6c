#include "history.h"
#include "store_internal.h"
#include "write.h"

enum { TRIM_ROWS = 1000, TRIM_BYTES = 4 << 20, DAY_MS = 86400000 };

bool history_enabled(const struct table *t)
{
    return t->history;
}

bool history_append(struct ddb *d, const struct ddb_write *w, int64_t now_ms)
{
    struct table *t = w->t;
    if (!t->history || (w->had_old && w->now != NULL && str_eq(w->old_text, w->now->json)))
        return true;
    sqlite3_stmt *q = store_stmt_of(&d->store, &t->stmts.history,
                                    "INSERT INTO ddb_history_%lld(at, hk, sk, size, item)"
                                    " VALUES(?, ?, ?, ?, ?)",
                                    t->id);
    sqlite3_bind_int64(q, 1, now_ms);
    bind_blob(q, 2, w->key->bytes.hk);
    bind_blob(q, 3, w->key->bytes.sk);
    sqlite3_bind_int64(q, 4, w->had_old ? w->old_size : 0);
    if (w->had_old)
        bind_text(q, 5, w->old_text);
    else
        sqlite3_bind_null(q, 5);
    if (t->history_due_ms > now_ms + t->pitr_days * DAY_MS)
        t->history_due_ms = now_ms + t->pitr_days * DAY_MS;
    return run(&d->store, q);
}

/* AUTOINCREMENT: a number is not used again when the history has been trimmed to nothing. */
bool history_create(struct store *s, const struct table *t)
{
    return store_exec(s,
                      "CREATE TABLE ddb_history_%lld(n INTEGER PRIMARY KEY AUTOINCREMENT,"
                      " at INTEGER NOT NULL, hk BLOB NOT NULL, sk BLOB NOT NULL,"
                      " size INTEGER NOT NULL, item TEXT)",
                      (long long)t->id);
}

bool history_drop(struct store *s, struct table *t)
{
    if (!t->history)
        return true;
    store_drop_stmts(s, &t->stmts);
    return store_drop_history(s, t->id);
}

static bool one_number(struct store *s, const struct table *t, const char *format, int64_t ms,
                       int64_t *ret)
{
    sqlite3_stmt *q = NULL;
    store_stmt_of(s, &q, format, t->id);
    if (sqlite3_bind_parameter_count(q) > 0)
        sqlite3_bind_int64(q, 1, ms);
    bool ok = sqlite3_step(q) == SQLITE_ROW;
    if (ok)
        *ret = sqlite3_column_int64(q, 0);
    db_stmt_drop(s->db, &q);
    return ok;
}

bool history_next(struct store *s, const struct table *t, int64_t *ret)
{
    return one_number(s, t, "SELECT coalesce(max(n), 0) + 1 FROM ddb_history_%lld", 0, ret);
}

bool history_after(struct store *s, const struct table *t, int64_t ms, int64_t *ret)
{
    return one_number(s, t,
                      "SELECT coalesce(min(n), 9223372036854775807) FROM ddb_history_%lld"
                      " WHERE at > ?",
                      ms, ret);
}

bool history_trim(struct store *s, struct table *t, int64_t now_ms)
{
    int64_t keep = t->pitr_days * DAY_MS, end = 0, bytes = 0, rows = 0;
    sqlite3_stmt *q = NULL;
    store_stmt_of(s, &q, "SELECT n, at, size FROM ddb_history_%lld ORDER BY n", t->id);
    t->history_due_ms = INT64_MAX;
    while (rows < TRIM_ROWS && bytes < TRIM_BYTES && sqlite3_step(q) == SQLITE_ROW) {
        if (sqlite3_column_int64(q, 1) + keep > now_ms) {
            t->history_due_ms = sqlite3_column_int64(q, 1) + keep;
            break;
        }
        end = sqlite3_column_int64(q, 0);
        bytes += sqlite3_column_int64(q, 2);
        rows++;
    }
    db_stmt_drop(s->db, &q);
    if (rows == TRIM_ROWS || bytes >= TRIM_BYTES)
        t->history_due_ms = now_ms;
    return rows == 0 ||
           (db_begin(s->db) && store_exec(s, "DELETE FROM ddb_history_%lld WHERE n <= %lld",
                                          (long long)t->id, (long long)end));
}
