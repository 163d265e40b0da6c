#include "hash.h"
#include "store_index.h"
#include "store_internal.h"
#include <stdarg.h>

enum {
    DROP_AT_ONCE_BYTES = 24 << 20, /* DROP TABLE of this much takes about 10 ms */
    ROW_OVERHEAD = 64,
    SWEEP_ROWS = 4000,
    SWEEP_BYTES = 4 << 20,
};

/* exact: items and bytes are right. It is cleared by the first change after they were written, so
 * that after a crash, and only then, they are counted again. */
static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_table("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL,"
        " name TEXT NOT NULL, def TEXT NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL,"
        " exact INTEGER NOT NULL, UNIQUE(account, region, name));"
        "CREATE TABLE ddb_doomed(id INTEGER PRIMARY KEY);"},
};

bool store_open(struct store *s, struct db *db, char *reterr, size_t reterr_size)
{
    *s = (struct store){.db = db, .maybe_doomed = true, .maybe_gone = true};
    return db_migrate(db, "dynamodb", migrations, sizeof migrations / sizeof *migrations, reterr,
                      reterr_size) &&
           store_index_migrate(s, reterr, reterr_size);
}

void store_close(struct store *s)
{
    sqlite3_stmt **slots[] = {&s->add_table,     &s->remove_table, &s->write_counts,
                              &s->write_def,     &s->add_doomed,   &s->first_doomed,
                              &s->remove_doomed, &s->index_add,    &s->index_counts,
                              &s->index_filled,  &s->index_gone,   &s->index_forget};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(s->db, slots[i]);
}

void store_drop_stmts(struct store *s, struct store_stmts *st)
{
    sqlite3_stmt **slots[] = {&st->get,    &st->find,    &st->insert,     &st->update,
                              &st->remove, &st->up,      &st->down,       &st->by_id,
                              &st->walk,   &st->ttl_put, &st->ttl_remove, &st->ttl_first,
                              &st->history};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(s->db, slots[i]);
}

bool store_load_tables(struct store *s, bool (*each)(void *arg, const struct store_table_row *row),
                       void *arg)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db_handle(s->db),
                                "SELECT id, account, region, name, def, items, bytes, exact"
                                " FROM ddb_table",
                                -1, &st, NULL);
    bool ok = rc == SQLITE_OK;
    while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_table_row row = {sqlite3_column_int64(st, 0),
                                      column(st, 1),
                                      column(st, 2),
                                      column(st, 3),
                                      column(st, 4),
                                      sqlite3_column_int64(st, 5),
                                      sqlite3_column_int64(st, 6),
                                      sqlite3_column_int(st, 7) != 0};
        ok = each(arg, &row);
    }
    if (ok && rc != SQLITE_DONE)
        ok = say_failed(s);
    sqlite3_finalize(st);
    return ok;
}

bool store_count(struct store *s, int64_t id, int64_t *ret_items, int64_t *ret_bytes)
{
    char sql[96];
    sqlite3_stmt *st = NULL;
    snprintf(sql, sizeof sql, "SELECT count(*), total(size) FROM ddb_data_%lld", (long long)id);
    bool ok = sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK &&
              sqlite3_step(st) == SQLITE_ROW;
    if (ok) {
        *ret_items = sqlite3_column_int64(st, 0);
        *ret_bytes = sqlite3_column_int64(st, 1);
    } else {
        say_failed(s);
    }
    sqlite3_finalize(st);
    return ok;
}

static bool make_data(struct store *s, int64_t data_id)
{
    char sql[512];
    long long id = data_id;
    snprintf(sql, sizeof sql,
             "CREATE TABLE ddb_data_%lld(id INTEGER PRIMARY KEY, hk BLOB NOT NULL,"
             " sk BLOB NOT NULL, size INTEGER NOT NULL, sum INTEGER NOT NULL, item TEXT NOT NULL);"
             "CREATE UNIQUE INDEX ddb_key_%lld ON ddb_data_%lld(hk, sk)",
             id, id, id);
    return db_exec(s->db, sql);
}

bool store_add_table(struct store *s, const struct store_table_row *row, int64_t *ret_id)
{
    sqlite3_stmt *st =
        db_stmt(s->db, &s->add_table,
                "INSERT INTO ddb_table(account, region, name, def, items, bytes, exact)"
                " VALUES(?, ?, ?, ?, 0, 0, 1)");
    bind_text(st, 1, row->account);
    bind_text(st, 2, row->region);
    bind_text(st, 3, row->name);
    bind_text(st, 4, row->def);
    if (!run(s, st))
        return false;
    *ret_id = sqlite3_last_insert_rowid(db_handle(s->db));
    return make_data(s, *ret_id);
}

/* The number comes from the tables' own counter, so that none is used twice. */
static bool new_number(struct store *s, int64_t *ret_id)
{
    if (!store_exec(s, "INSERT INTO ddb_table(account, region, name, def, items, bytes, exact)"
                       " VALUES('', '', '', '', 0, 0, 1)"))
        return false;
    *ret_id = sqlite3_last_insert_rowid(db_handle(s->db));
    return store_forget_table(s, *ret_id);
}

bool store_new_data(struct store *s, int64_t *ret_id)
{
    return new_number(s, ret_id) && make_data(s, *ret_id);
}

static bool doom(struct store *s, int64_t id)
{
    s->maybe_doomed = true;
    return run_with_id(s, &s->add_doomed, "INSERT INTO ddb_doomed(id) VALUES(?)", id);
}

/* Under the name of data of its own the sweep takes it away. */
bool store_drop_history(struct store *s, int64_t table_id)
{
    int64_t id;
    return new_number(s, &id) &&
           store_exec(s, "ALTER TABLE ddb_history_%lld RENAME TO ddb_data_%lld",
                      (long long)table_id, (long long)id) &&
           store_exec(s, "ALTER TABLE ddb_data_%lld RENAME COLUMN n TO id", (long long)id) &&
           doom(s, id);
}

bool store_forget_table(struct store *s, int64_t id)
{
    return run_with_id(s, &s->remove_table, "DELETE FROM ddb_table WHERE id = ?", id);
}

bool store_drop_data(struct store *s, int64_t id, int64_t items, int64_t bytes)
{
    char sql[96];
    if (bytes + items * ROW_OVERHEAD <= DROP_AT_ONCE_BYTES) {
        snprintf(sql, sizeof sql, "DROP TABLE ddb_data_%lld", (long long)id);
        return db_exec(s->db, sql);
    }
    /* Without its index the rest can be taken away in the order in which it lies on the pages. */
    snprintf(sql, sizeof sql, "DROP INDEX ddb_key_%lld", (long long)id);
    return db_exec(s->db, sql) && doom(s, id);
}

bool store_remove_table(struct store *s, int64_t id, int64_t items, int64_t bytes)
{
    return store_forget_table(s, id) && store_drop_data(s, id, items, bytes);
}

bool store_write_counts(struct store *s, int64_t id, int64_t items, int64_t bytes, bool exact)
{
    sqlite3_stmt *st = db_stmt(s->db, &s->write_counts,
                               "UPDATE ddb_table SET items = ?, bytes = ?, exact = ? WHERE id = ?");
    sqlite3_bind_int64(st, 1, items);
    sqlite3_bind_int64(st, 2, bytes);
    sqlite3_bind_int(st, 3, exact);
    sqlite3_bind_int64(st, 4, id);
    return run(s, st);
}

bool store_write_def(struct store *s, int64_t id, struct str def)
{
    sqlite3_stmt *st = db_stmt(s->db, &s->write_def, "UPDATE ddb_table SET def = ? WHERE id = ?");
    bind_text(st, 1, def);
    sqlite3_bind_int64(st, 2, id);
    return run(s, st);
}

/* The id up to which the next slice reaches; false: nothing is left. */
static bool slice_end(struct store *s, int64_t id, int64_t *ret_end)
{
    char sql[96];
    sqlite3_stmt *st = NULL;
    int64_t bytes = 0;
    bool any = false;
    snprintf(sql, sizeof sql, "SELECT id, size FROM ddb_data_%lld ORDER BY id LIMIT %d",
             (long long)id, SWEEP_ROWS);
    if (sqlite3_prepare_v2(db_handle(s->db), sql, -1, &st, NULL) == SQLITE_OK) {
        while (bytes < SWEEP_BYTES && sqlite3_step(st) == SQLITE_ROW) {
            *ret_end = sqlite3_column_int64(st, 0);
            bytes += sqlite3_column_int64(st, 1);
            any = true;
        }
    }
    sqlite3_finalize(st);
    return any;
}

void store_sweep(struct store *s)
{
    char sql[96];
    int64_t id, end;
    store_index_sweep(s);
    if (!s->maybe_doomed)
        return;
    sqlite3_stmt *st =
        db_stmt(s->db, &s->first_doomed, "SELECT id FROM ddb_doomed ORDER BY id LIMIT 1");
    bool any = sqlite3_step(st) == SQLITE_ROW;
    id = any ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    if (!any) {
        s->maybe_doomed = false;
        return;
    }
    if (!db_begin(s->db))
        return;
    if (slice_end(s, id, &end)) {
        snprintf(sql, sizeof sql, "DELETE FROM ddb_data_%lld WHERE id <= %lld", (long long)id,
                 (long long)end);
        if (!db_exec(s->db, sql))
            db_doom(s->db);
        return;
    }
    snprintf(sql, sizeof sql, "DROP TABLE ddb_data_%lld", (long long)id);
    if (!db_exec(s->db, sql) ||
        !run_with_id(s, &s->remove_doomed, "DELETE FROM ddb_doomed WHERE id = ?", id))
        db_doom(s->db); /* the one without the other would stop the next sweep */
}

sqlite3_stmt *store_stmt_of(struct store *s, sqlite3_stmt **slot, const char *format, int64_t id)
{
    return store_stmt_of_two(s, slot, format, id, 0);
}

sqlite3_stmt *store_stmt_of_two(struct store *s, sqlite3_stmt **slot, const char *format,
                                int64_t id, int64_t other)
{
    char sql[320];
    if (*slot != NULL)
        return db_stmt(s->db, slot, NULL);
    int n = snprintf(sql, sizeof sql, format, (long long)id, (long long)other);
    ASSERT(n > 0 && n < (int)sizeof sql);
    return db_stmt(s->db, slot, sql);
}

bool store_exec(struct store *s, const char *format, ...)
{
    char sql[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    ASSERT(n > 0 && n < (int)sizeof sql);
    return !fault_hit("store.write") && db_exec(s->db, sql);
}

static enum store_result step_row(struct store *s, struct store_row *ret)
{
    int rc = fault_hit("store.read") ? SQLITE_IOERR : sqlite3_step(ret->stmt);
    if (rc == SQLITE_ROW) {
        ret->id = sqlite3_column_int64(ret->stmt, 0);
        ret->size = sqlite3_column_int64(ret->stmt, 1);
        return STORE_OK;
    }
    if (rc != SQLITE_DONE)
        say_failed(s);
    store_done(ret);
    return rc == SQLITE_DONE ? STORE_NONE : STORE_FAILED;
}

void store_say_damaged(int64_t row, int64_t table_id)
{
    log_msg(LOG_ERROR, "dynamodb",
            "row %lld of ddb_data_%lld is damaged (checksum): the file has been changed by "
            "something else, or the disk fails",
            (long long)row, (long long)table_id);
}

enum store_result store_get(struct store *s, int64_t table_id, struct store_stmts *st,
                            const struct store_key *key, struct store_row *ret)
{
    *ret = (struct store_row){
        .stmt = store_stmt_of(
            s, &st->get, "SELECT id, size, sum, item FROM ddb_data_%lld WHERE hk = ? AND sk = ?",
            table_id)};
    bind_blob(ret->stmt, 1, key->hk);
    bind_blob(ret->stmt, 2, key->sk);
    enum store_result result = step_row(s, ret);
    if (result != STORE_OK)
        return result;
    ret->item = column(ret->stmt, 3);
    if (hash_crc32(ret->item) == (uint32_t)sqlite3_column_int64(ret->stmt, 2))
        return STORE_OK;
    store_say_damaged(ret->id, table_id);
    store_done(ret);
    return STORE_FAILED;
}

enum store_result store_find(struct store *s, int64_t table_id, struct store_stmts *st,
                             const struct store_key *key, struct store_row *ret)
{
    *ret = (struct store_row){
        .stmt = store_stmt_of(
            s, &st->find, "SELECT id, size FROM ddb_data_%lld WHERE hk = ? AND sk = ?", table_id)};
    bind_blob(ret->stmt, 1, key->hk);
    bind_blob(ret->stmt, 2, key->sk);
    enum store_result result = step_row(s, ret);
    store_done(ret);
    return result;
}

void store_done(struct store_row *row)
{
    if (row->stmt != NULL)
        sqlite3_reset(row->stmt);
    row->stmt = NULL;
    row->item = STR_NONE;
}

bool store_put(struct store *s, int64_t table_id, struct store_stmts *st,
               const struct store_key *key, int64_t row_id, struct str item, size_t size)
{
    sqlite3_stmt *q;
    if (row_id != 0) {
        q = store_stmt_of(s, &st->update,
                          "UPDATE ddb_data_%lld SET size = ?1, sum = ?2, item = ?3 WHERE id = ?4",
                          table_id);
        sqlite3_bind_int64(q, 4, row_id);
    } else {
        q = store_stmt_of(s, &st->insert,
                          "INSERT INTO ddb_data_%lld(size, sum, item, hk, sk)"
                          " VALUES(?1, ?2, ?3, ?4, ?5)",
                          table_id);
        bind_blob(q, 4, key->hk);
        bind_blob(q, 5, key->sk);
    }
    sqlite3_bind_int64(q, 1, (int64_t)size);
    sqlite3_bind_int64(q, 2, hash_crc32(item));
    bind_text(q, 3, item);
    return run(s, q);
}

bool store_delete(struct store *s, int64_t table_id, struct store_stmts *st, int64_t row_id)
{
    sqlite3_stmt *q =
        store_stmt_of(s, &st->remove, "DELETE FROM ddb_data_%lld WHERE id = ?", table_id);
    sqlite3_bind_int64(q, 1, row_id);
    return run(s, q);
}
