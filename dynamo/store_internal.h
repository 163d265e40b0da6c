/* store_internal.h - what the files with DynamoDB's SQL share. */
#ifndef PUDDLE_STORE_INTERNAL_H
#define PUDDLE_STORE_INTERNAL_H
#include "fault.h"
#include "log.h"
#include "panic.h"
#include "store.h"
#include <stdio.h>

static inline bool say_failed(struct store *s)
{
    log_msg(LOG_ERROR, "dynamodb", "store: %s", sqlite3_errmsg(db_handle(s->db)));
    return false;
}

/* Steps a statement that gives no rows. */
static inline bool run(struct store *s, sqlite3_stmt *st)
{
    int rc = fault_hit("store.write") ? SQLITE_FULL : sqlite3_step(st);
    if (rc != SQLITE_DONE)
        say_failed(s);
    sqlite3_reset(st);
    return rc == SQLITE_DONE;
}

static inline void bind_text(sqlite3_stmt *st, int at, struct str v)
{
    sqlite3_bind_text64(st, at, v.n == 0 ? "" : v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
}

static inline void bind_blob(sqlite3_stmt *st, int at, struct str v)
{
    sqlite3_bind_blob64(st, at, v.n == 0 ? "" : v.p, v.n, SQLITE_STATIC);
}

static inline struct str column(sqlite3_stmt *st, int at)
{
    const char *p = (const char *)sqlite3_column_text(st, at);
    return (struct str){p == NULL ? "" : p, (size_t)sqlite3_column_bytes(st, at)};
}

static inline struct str column_blob(sqlite3_stmt *st, int at)
{
    const char *p = sqlite3_column_blob(st, at);
    return (struct str){p == NULL ? "" : p, (size_t)sqlite3_column_bytes(st, at)};
}

void store_say_damaged(int64_t row, int64_t table_id); /* its checksum is wrong */

static inline bool run_with_id(struct store *s, sqlite3_stmt **slot, const char *sql, int64_t id)
{
    sqlite3_stmt *st = db_stmt(s->db, slot, sql);
    sqlite3_bind_int64(st, 1, id);
    return run(s, st);
}
#endif
