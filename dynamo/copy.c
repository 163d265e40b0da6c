#include "copy.h"
#include "hash.h"
#include "store_internal.h"
#include <stdlib.h>
#include <string.h>

enum { SLICE_ROWS = 4000, SLICE_BYTES = 4 << 20 };

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_copy("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, target INTEGER NOT NULL,"
        " cut INTEGER NOT NULL, cursor INTEGER NOT NULL, undo INTEGER NOT NULL,"
        " backup INTEGER NOT NULL, makes_backup INTEGER NOT NULL, restored INTEGER NOT NULL);"},
};

static struct copy_job *push(struct copies *c, const struct copy_job *job)
{
    if (c->count == c->cap) {
        c->cap = c->cap == 0 ? 4 : 2 * c->cap;
        c->jobs = realloc(c->jobs, c->cap * sizeof *c->jobs);
        if (c->jobs == NULL)
            PANIC("out of memory");
    }
    c->jobs[c->count] = *job;
    return &c->jobs[c->count++];
}

static bool load(struct copies *c)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db_handle(c->store->db),
                                "SELECT id, source, target, cut, cursor, undo, backup,"
                                " makes_backup, restored FROM ddb_copy ORDER BY id",
                                -1, &q, NULL);
    c->count = 0;
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct copy_job job = {
            sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),    sqlite3_column_int64(q, 2),
            sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4),    sqlite3_column_int64(q, 5),
            sqlite3_column_int64(q, 6), sqlite3_column_int(q, 7) != 0, sqlite3_column_int64(q, 8)};
        push(c, &job);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(q);
    return rc == SQLITE_DONE;
}

bool copies_open(struct copies *c, struct store *store, char *reterr, size_t reterr_size)
{
    *c = (struct copies){.store = store};
    return db_migrate(store->db, "dynamodbcopies", migrations, 1, reterr, reterr_size) && load(c);
}

void copies_release(struct copies *c)
{
    free(c->jobs);
    c->jobs = NULL;
    c->count = c->cap = 0;
}

void copies_reload(struct copies *c)
{
    if (!load(c))
        PANIC("the copy jobs cannot be read back after a failed commit");
}

struct copy_job *copies_add(struct copies *c, const struct copy_job *job)
{
    struct copy_job now = *job;
    if (!store_exec(c->store,
                    "INSERT INTO ddb_copy(source, target, cut, cursor, undo, backup, makes_backup,"
                    " restored) VALUES(%lld, %lld, %lld, %lld, %lld, %lld, %d, %lld)",
                    (long long)job->source, (long long)job->target, (long long)job->cut,
                    (long long)job->cursor, (long long)job->undo, (long long)job->backup,
                    job->makes_backup, (long long)job->table))
        return NULL;
    now.id = sqlite3_last_insert_rowid(db_handle(c->store->db));
    return push(c, &now);
}

static bool note(struct copies *c, const struct copy_job *job)
{
    return store_exec(c->store, "UPDATE ddb_copy SET cursor = %lld, undo = %lld WHERE id = %lld",
                      (long long)job->cursor, (long long)job->undo, (long long)job->id);
}

/* The id up to which the next slice of rows reaches; the old one: no more. */
static int64_t slice_end(struct copies *c, const struct copy_job *job)
{
    int64_t bytes = 0, rows = 0, end = job->cursor;
    sqlite3_stmt *q = NULL;
    store_stmt_of(c->store, &q, "SELECT id, size FROM ddb_data_%lld WHERE id > ? ORDER BY id",
                  job->source);
    sqlite3_bind_int64(q, 1, job->cursor);
    while (bytes < SLICE_BYTES && rows < SLICE_ROWS && sqlite3_step(q) == SQLITE_ROW) {
        end = sqlite3_column_int64(q, 0);
        bytes += sqlite3_column_int64(q, 1);
        rows++;
    }
    db_stmt_drop(c->store->db, &q);
    return end;
}

/* The last change of the source there is now: those that come later concern rows that are copied
 * already, as they were. */
static bool last_change(struct copies *c, const struct copy_job *job, int64_t *ret)
{
    sqlite3_stmt *q = NULL;
    store_stmt_of(c->store, &q, "SELECT coalesce(max(n), 0) FROM ddb_history_%lld", job->source);
    bool ok = sqlite3_step(q) == SQLITE_ROW;
    *ret = ok ? sqlite3_column_int64(q, 0) : 0;
    db_stmt_drop(c->store->db, &q);
    return ok;
}

static bool copy_rows(struct copies *c, struct copy_job *job)
{
    int64_t end = slice_end(c, job);
    if (end == job->cursor) {
        job->cursor = -1;
        return job->cut == 0 || last_change(c, job, &job->undo);
    }
    bool ok = store_exec(c->store,
                         "INSERT OR REPLACE INTO ddb_data_%lld(hk, sk, size, sum, item)"
                         " SELECT hk, sk, size, sum, item FROM ddb_data_%lld"
                         " WHERE id > %lld AND id <= %lld",
                         (long long)job->target, (long long)job->source, (long long)job->cursor,
                         (long long)end);
    job->cursor = end;
    return ok;
}

/* Puts back what one change replaced. from: n, hk, sk, size, item. */
static bool undo_one(struct copies *c, sqlite3_stmt *from, sqlite3_stmt *put, sqlite3_stmt *gone)
{
    bool was = sqlite3_column_type(from, 4) != SQLITE_NULL;
    sqlite3_stmt *q = was ? put : gone;
    for (int i = 1; i <= 2; i++)
        bind_blob(q, i, column_blob(from, i));
    if (was) {
        struct str item = column(from, 4);
        sqlite3_bind_int64(q, 3, sqlite3_column_int64(from, 3));
        sqlite3_bind_int64(q, 4, hash_crc32(item));
        bind_text(q, 5, item);
    }
    return run(c->store, q);
}

/* The latest changes first: the earliest one after the moment has the last word. */
static bool undo_slice(struct copies *c, struct copy_job *job, bool *ret_done)
{
    sqlite3_stmt *from = NULL, *put = NULL, *gone = NULL;
    int64_t bytes = 0, rows = 0;
    bool ok = true;
    int rc = SQLITE_DONE;
    store_stmt_of(c->store, &from,
                  "SELECT n, hk, sk, size, item FROM ddb_history_%lld WHERE n >= ? AND n <= ?"
                  " ORDER BY n DESC",
                  job->source);
    store_stmt_of(c->store, &put,
                  "INSERT OR REPLACE INTO ddb_data_%lld(hk, sk, size, sum, item)"
                  " VALUES(?, ?, ?, ?, ?)",
                  job->target);
    store_stmt_of(c->store, &gone, "DELETE FROM ddb_data_%lld WHERE hk = ? AND sk = ?",
                  job->target);
    sqlite3_bind_int64(from, 1, job->cut);
    sqlite3_bind_int64(from, 2, job->undo);
    while (ok && bytes < SLICE_BYTES && rows < SLICE_ROWS &&
           (rc = sqlite3_step(from)) == SQLITE_ROW) {
        ok = undo_one(c, from, put, gone);
        job->undo = sqlite3_column_int64(from, 0) - 1;
        bytes += sqlite3_column_int64(from, 3);
        rows++;
    }
    *ret_done = rc == SQLITE_DONE;
    db_stmt_drop(c->store->db, &from);
    db_stmt_drop(c->store->db, &put);
    db_stmt_drop(c->store->db, &gone);
    return ok && (rc == SQLITE_ROW || rc == SQLITE_DONE);
}

bool copies_slice(struct copies *c, struct copy_job *job, bool *ret_done)
{
    *ret_done = false;
    if (job->cursor >= 0) {
        if (!copy_rows(c, job))
            return false;
        *ret_done = job->cursor < 0 && job->cut == 0;
    } else if (!undo_slice(c, job, ret_done)) {
        return false;
    }
    return note(c, job);
}

bool copies_end(struct copies *c, struct copy_job *job)
{
    size_t at = (size_t)(job - c->jobs);
    if (!store_exec(c->store, "DELETE FROM ddb_copy WHERE id = %lld", (long long)job->id))
        return false;
    c->count--;
    memmove(&c->jobs[at], &c->jobs[at + 1], (c->count - at) * sizeof *c->jobs);
    return true;
}

bool copies_reads(const struct copies *c, int64_t source)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->jobs[i].source == source)
            return true;
    }
    return false;
}

bool copies_uses_backup(const struct copies *c, int64_t backup)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->jobs[i].backup == backup && !c->jobs[i].makes_backup)
            return true;
    }
    return false;
}
