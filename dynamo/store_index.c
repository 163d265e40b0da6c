#include "store_index.h"
#include "hash.h"
#include "store_internal.h"

enum { SWEEP_ENTRIES = 4000, SWEEP_BYTES = 4 << 20, KEY_MAX = 64 << 10 };

/* items and bytes are right when the table's own counts are (ddb_table.exact). */
static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_index("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, table_id INTEGER NOT NULL, name TEXT NOT NULL,"
        " items INTEGER NOT NULL, bytes INTEGER NOT NULL, filled_to INTEGER NOT NULL,"
        " gone INTEGER NOT NULL);"
        "CREATE UNIQUE INDEX ddb_index_name ON ddb_index(table_id, name) WHERE gone = 0;"},
};

bool store_index_migrate(struct store *s, char *reterr, size_t reterr_size)
{
    return db_migrate(s->db, "dynamodb_index", migrations, sizeof migrations / sizeof *migrations,
                      reterr, reterr_size);
}

bool store_index_load(struct store *s, int64_t table_id,
                      bool (*each)(void *arg, const struct store_index_row *row), void *arg)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db_handle(s->db),
                                "SELECT id, name, items, bytes, filled_to FROM ddb_index"
                                " WHERE table_id = ? AND gone = 0",
                                -1, &st, NULL);
    bool ok = rc == SQLITE_OK;
    if (ok)
        sqlite3_bind_int64(st, 1, table_id);
    while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_index_row row = {sqlite3_column_int64(st, 0), column(st, 1),
                                      sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3),
                                      sqlite3_column_int64(st, 4)};
        ok = each(arg, &row);
    }
    if (ok && rc != SQLITE_DONE)
        ok = say_failed(s);
    sqlite3_finalize(st);
    return ok;
}

bool store_index_create(struct store *s, int64_t table_id, struct str name, bool copies,
                        int64_t filled_to, int64_t *ret_id)
{
    char sql[256];
    sqlite3_stmt *st =
        db_stmt(s->db, &s->index_add,
                "INSERT INTO ddb_index(table_id, name, items, bytes, filled_to, gone)"
                " VALUES(?, ?, 0, 0, ?, 0)");
    sqlite3_bind_int64(st, 1, table_id);
    bind_text(st, 2, name);
    sqlite3_bind_int64(st, 3, filled_to);
    if (!run(s, st))
        return false;
    *ret_id = sqlite3_last_insert_rowid(db_handle(s->db));
    snprintf(sql, sizeof sql,
             "CREATE TABLE ddb_entries_%lld(k BLOB PRIMARY KEY NOT NULL, row INTEGER NOT NULL%s)"
             " WITHOUT ROWID",
             (long long)*ret_id,
             copies ? ", size INTEGER NOT NULL, sum INTEGER NOT NULL, item TEXT NOT NULL" : "");
    return db_exec(s->db, sql);
}

bool store_index_remove(struct store *s, int64_t id)
{
    s->maybe_gone = true;
    return run_with_id(s, &s->index_gone, "UPDATE ddb_index SET gone = 1 WHERE id = ?", id);
}

static int64_t first_gone(struct store *s)
{
    int64_t id = 0;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db_handle(s->db),
                           "SELECT id FROM ddb_index WHERE gone = 1 ORDER BY id LIMIT 1", -1, &st,
                           NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        id = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return id;
}

/* The last key of the next slice. Empty: what is left is no more than a slice. */
static void slice_end(struct store *s, int64_t id, struct buf *ret)
{
    sqlite3 *h = db_handle(s->db);
    char sql[128];
    sqlite3_stmt *st = NULL;
    int64_t bytes = 0;
    snprintf(sql, sizeof sql, "SELECT k, size FROM ddb_entries_%lld ORDER BY k", (long long)id);
    int rc = sqlite3_prepare_v2(h, sql, -1, &st, NULL);
    if (rc != SQLITE_OK) { /* entries without copies have no size */
        snprintf(sql, sizeof sql, "SELECT k, 0 FROM ddb_entries_%lld ORDER BY k", (long long)id);
        rc = sqlite3_prepare_v2(h, sql, -1, &st, NULL);
    }
    for (int n = 0; rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW; n++) {
        bytes += sqlite3_column_int64(st, 1);
        if (n < SWEEP_ENTRIES && bytes < SWEEP_BYTES)
            continue;
        buf_add(ret, column_blob(st, 0));
        break;
    }
    sqlite3_finalize(st);
}

/* Deletes the entries up to and with that key. */
static void delete_slice(struct store *s, int64_t id, struct str end)
{
    char sql[96];
    sqlite3_stmt *st = NULL;
    snprintf(sql, sizeof sql, "DELETE FROM ddb_entries_%lld WHERE k <= ?", (long long)id);
    if (sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK) {
        bind_blob(st, 1, end);
        if (!run(s, st))
            db_doom(s->db);
    }
    sqlite3_finalize(st);
}

void store_index_sweep(struct store *s)
{
    char sql[96];
    struct buf end;
    if (!s->maybe_gone)
        return;
    int64_t id = first_gone(s);
    if (id == 0) {
        s->maybe_gone = false;
        return;
    }
    if (!db_begin(s->db))
        return;
    buf_init(&end, KEY_MAX);
    slice_end(s, id, &end);
    if (end.n > 0)
        delete_slice(s, id, buf_view(&end));
    bool last = end.n == 0;
    buf_release(&end);
    if (!last)
        return;
    snprintf(sql, sizeof sql, "DROP TABLE ddb_entries_%lld", (long long)id);
    if (!db_exec(s->db, sql) ||
        !run_with_id(s, &s->index_forget, "DELETE FROM ddb_index WHERE id = ?", id))
        db_doom(s->db); /* the one without the other would stop the next sweep */
}

bool store_index_set_counts(struct store *s, int64_t id, int64_t items, int64_t bytes)
{
    sqlite3_stmt *st =
        db_stmt(s->db, &s->index_counts, "UPDATE ddb_index SET items = ?, bytes = ? WHERE id = ?");
    sqlite3_bind_int64(st, 1, items);
    sqlite3_bind_int64(st, 2, bytes);
    sqlite3_bind_int64(st, 3, id);
    return run(s, st);
}

bool store_index_set_filled(struct store *s, int64_t id, int64_t filled_to)
{
    sqlite3_stmt *st =
        db_stmt(s->db, &s->index_filled, "UPDATE ddb_index SET filled_to = ? WHERE id = ?");
    sqlite3_bind_int64(st, 1, filled_to);
    sqlite3_bind_int64(st, 2, id);
    return run(s, st);
}

bool store_index_count(struct store *s, const struct store_index *x, int64_t limit, struct buf *at,
                       int64_t *items, int64_t *bytes, bool *ret_done)
{
    char sql[256];
    sqlite3_stmt *st = NULL;
    int64_t left = limit;
    int rc = SQLITE_ERROR;
    if (x->copies)
        snprintf(sql, sizeof sql, "SELECT k, size FROM ddb_entries_%lld WHERE k > ?1 ORDER BY k",
                 (long long)x->id);
    else
        snprintf(sql, sizeof sql,
                 "SELECT i.k, d.size FROM ddb_entries_%lld AS i CROSS JOIN ddb_data_%lld AS d"
                 " ON d.id = i.row WHERE i.k > ?1 ORDER BY i.k",
                 (long long)x->id, (long long)x->table_id);
    if (sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_blob64(st, 1, at->n == 0 ? "" : at->p, at->n, SQLITE_TRANSIENT);
        while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
            *items += 1;
            *bytes += sqlite3_column_int64(st, 1);
            if (--left > 0)
                continue;
            buf_clear(at);
            buf_add(at, column_blob(st, 0));
            break;
        }
    }
    *ret_done = rc == SQLITE_DONE;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        say_failed(s);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

void store_index_drop_stmts(struct store *s, struct store_index *x)
{
    sqlite3_stmt **slots[] = {&x->put,  &x->add,      &x->remove,    &x->up,
                              &x->down, &x->up_whole, &x->down_whole};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(s->db, slots[i]);
}

static void bind_entry(sqlite3_stmt *st, const struct store_index *x, const struct store_entry *e)
{
    bind_blob(st, 1, e->key);
    sqlite3_bind_int64(st, 2, e->row);
    if (!x->copies)
        return;
    sqlite3_bind_int64(st, 3, (int64_t)e->size);
    sqlite3_bind_int64(st, 4, hash_crc32(e->item));
    bind_text(st, 5, e->item);
}

bool store_entry_put(struct store *s, struct store_index *x, const struct store_entry *e)
{
    sqlite3_stmt *st = store_stmt_of(s, &x->put,
                                     x->copies ? "INSERT OR REPLACE INTO ddb_entries_%lld"
                                                 "(k, row, size, sum, item) VALUES(?, ?, ?, ?, ?)"
                                               : "INSERT OR REPLACE INTO ddb_entries_%lld"
                                                 "(k, row) VALUES(?, ?)",
                                     x->id);
    bind_entry(st, x, e);
    return run(s, st);
}

bool store_entry_add(struct store *s, struct store_index *x, const struct store_entry *e,
                     bool *ret_added)
{
    sqlite3_stmt *st = store_stmt_of(s, &x->add,
                                     x->copies ? "INSERT OR IGNORE INTO ddb_entries_%lld"
                                                 "(k, row, size, sum, item) VALUES(?, ?, ?, ?, ?)"
                                               : "INSERT OR IGNORE INTO ddb_entries_%lld"
                                                 "(k, row) VALUES(?, ?)",
                                     x->id);
    bind_entry(st, x, e);
    bool ok = run(s, st);
    *ret_added = ok && sqlite3_changes(db_handle(s->db)) > 0;
    return ok;
}

bool store_entry_remove(struct store *s, struct store_index *x, struct str key)
{
    sqlite3_stmt *st =
        store_stmt_of(s, &x->remove, "DELETE FROM ddb_entries_%lld WHERE k = ?", x->id);
    bind_blob(st, 1, key);
    return run(s, st);
}

bool store_each_row(struct store *s, int64_t table_id, int64_t after, int64_t limit,
                    bool (*each)(void *arg, int64_t id, const struct store_key *key,
                                 struct str item),
                    void *arg, int64_t *ret_last)
{
    char sql[160];
    sqlite3_stmt *st = NULL;
    int rc;
    snprintf(sql, sizeof sql,
             "SELECT id, hk, sk, item, sum FROM ddb_data_%lld WHERE id > ?1 ORDER BY id LIMIT ?2",
             (long long)table_id);
    bool ok = sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK, more = ok;
    if (ok) {
        sqlite3_bind_int64(st, 1, after);
        sqlite3_bind_int64(st, 2, limit);
    }
    while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_key key = {column_blob(st, 1), column_blob(st, 2)};
        struct str item = column(st, 3);
        *ret_last = sqlite3_column_int64(st, 0);
        ok = more = hash_crc32(item) == (uint32_t)sqlite3_column_int64(st, 4);
        if (ok)
            more = each(arg, *ret_last, &key, item);
        else
            store_say_damaged(*ret_last, table_id);
    }
    if (!ok || (more && rc != SQLITE_DONE))
        ok = say_failed(s);
    sqlite3_finalize(st);
    return ok;
}

bool store_each_entry(struct store *s, const struct store_index *x,
                      bool (*each)(void *arg, const struct store_entry *e, struct str row_item),
                      void *arg)
{
    char sql[192];
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE;
    snprintf(sql, sizeof sql,
             "SELECT i.k, i.row, d.item%s FROM ddb_entries_%lld AS i"
             " LEFT JOIN ddb_data_%lld AS d ON d.id = i.row ORDER BY i.k",
             x->copies ? ", i.item, i.size" : "", (long long)x->id, (long long)x->table_id);
    bool ok = sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK, more = ok;
    while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_entry e = {.key = column_blob(st, 0), .row = sqlite3_column_int64(st, 1)};
        struct str item = column(st, 2);
        if (sqlite3_column_type(st, 2) == SQLITE_NULL)
            item = STR_NONE;
        if (x->copies) {
            e.item = column(st, 3);
            e.size = (size_t)sqlite3_column_int64(st, 4);
        }
        more = each(arg, &e, item);
    }
    if (!ok || (more && rc != SQLITE_DONE))
        ok = say_failed(s);
    sqlite3_finalize(st);
    return ok;
}
