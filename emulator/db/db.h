/* db.h - the one SQLite connection of the program: open, lock, migrate, group commit, prepared
 * statements. Every store works through it. No SQL of a service lives here. */
#ifndef PUDDLE_DB_H
#define PUDDLE_DB_H
#include "arena.h"
#include <sqlite3.h>

struct db;
struct db_opts {
    const char *dir; /* NULL: in memory (--ephemeral) */
    bool durable;    /* synchronous=FULL instead of NORMAL */
};
/* Opens dir/puddle.db, taking dir/lock first. On failure NULL and one line for the user in
 * reterr (in use by another server, newer schema, corrupt, ...). */
struct db *db_open(const struct db_opts *opts, char *reterr, size_t reterr_size);
void db_close(struct db *d); /* commits, checkpoints, closes, unlocks */

/* Each store brings its own schema, numbered from 1 upwards; steps not yet applied run in one
 * transaction. False with a line in reterr (e.g. the file is newer than the program). */
struct db_migration {
    int version;
    const char *sql;
};
bool db_migrate(struct db *d, const char *store, const struct db_migration *steps, size_t count,
                char *reterr, size_t reterr_size);

sqlite3 *db_handle(struct db *d);
/* Prepares sql once (*slot starts as NULL), then reuses it; reset and unbound. Never fails for
 * fixed SQL (panics: our bug). Finalised by db_close through the slot's registration. */
sqlite3_stmt *db_stmt(struct db *d, sqlite3_stmt **slot, const char *sql);
/* Finalises the slot's statement and forgets the slot: before its memory goes. */
void db_stmt_drop(struct db *d, sqlite3_stmt **slot);
/* Runs fixed SQL without rows (DDL). False: logged; the store cannot be written right now. */
bool db_exec(struct db *d, const char *sql);

/* Call before the first change of an operation: opens the tick's transaction if none is open.
 * False: the store cannot be written (disk full, failed fsync); answer an internal error. */
bool db_begin(struct db *d);
/* Call before an operation reads: from the second one of a tick on they share a read transaction,
 * which saves each of them the file locks. Reads without it are fine, only slower. */
void db_read(struct db *d);
/* An operation that may fail half-way puts its changes between these. Not nested. */
bool db_savepoint(struct db *d);
void db_savepoint_release(struct db *d);
void db_savepoint_rollback(struct db *d);
/* An operation without a savepoint has failed half-way: nothing of this tick is committed, and
 * db_begin says no for the rest of it. */
void db_doom(struct db *d);
/* COMMIT if a transaction is open. False: everything since db_begin is undone and the rollback
 * hooks have run. For loop_on_commit. */
bool db_commit(struct db *d);
/* Caches over the store reload themselves here. */
void db_on_rollback(struct db *d, void (*fn)(void *), void *arg);
/* Undoes db_on_rollback of the same pair. */
void db_off_rollback(struct db *d, void (*fn)(void *), void *arg);
/* Moves the write-ahead log into the file when it has grown; does the work on a helper thread with
 * its own connection, never on the loop. Call once a tick, after the commit. */
void db_maintain(struct db *d);
const char *db_dir(const struct db *d); /* NULL when in memory */
/* Bytes the write-ahead log holds now; 0 when in memory. For status and tests. */
int64_t db_wal_bytes(const struct db *d);
#endif
