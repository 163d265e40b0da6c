/* One connection, one transaction a tick. Invariants:
 * 1 in_tx says that db_begin ran since the last db_commit. SQLite may have rolled the transaction
 *   back by itself meanwhile (disk full, I/O error): then autocommit is on although in_tx is set,
 *   everything of this tick is lost, nothing more may be written in it, and db_commit says so.
 * 2 Hooks run only inside db_commit, never under an operation that holds pointers into a cache.
 * 3 in_tx and in_read are never both set.
 * 4 A failed fsync makes the log's state on the disk unknown (the kernel forgets the dirty pages);
 *   writing goes on only after a whole checkpoint has put everything committed into the file. */
#include "db_internal.h"
#include "fault.h"
#include "file.h"
#include "log.h"
#include "panic.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID     0x50446401 /* in the file's header: "this database is Puddle's" */
#define APPLICATION_ID_SQL "PRAGMA application_id = 1346659329"

static void *xrealloc(void *p, size_t n)
{
    p = realloc(p, n);
    if (p == NULL)
        PANIC("out of memory");
    return p;
}

int db_connect(const char *file, bool durable, sqlite3 **ret)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(file == NULL ? ":memory:" : file, ret, flags, NULL);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_extended_result_codes(*ret, 1);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(*ret, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(*ret, SQLITE_LIMIT_ATTACHED, 0);
    char sql[512];
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %d; PRAGMA secure_delete = 0; PRAGMA temp_store = MEMORY;"
             "PRAGMA cache_size = -%d;"
             "PRAGMA synchronous = %s;",
             DB_PAGE_SIZE, DB_CACHE_KIB, durable ? "FULL" : "NORMAL");
    rc = sqlite3_exec(*ret, sql, NULL, NULL, NULL);
    if (rc == SQLITE_OK && file != NULL)
        /* mapped (read only) because copying pages in is what reads of a large table cost: at
         * 1,000,000 items a GetItem costs 1.05x that at 1,000 with it, 1.7x without */
        rc = sqlite3_exec(*ret,
                          "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
                          "PRAGMA mmap_size = 2147418112;",
                          NULL, NULL, NULL);
    return rc;
}

static bool query_int(struct db *d, const char *sql, int64_t *ret)
{
    sqlite3_stmt *s = NULL;
    bool ok =
        sqlite3_prepare_v2(d->h, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    if (ok)
        *ret = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return ok;
}

static bool say_open_error(struct db *d, int rc, char *reterr, size_t reterr_size)
{
    const char *name = d->file == NULL ? "the memory database" : d->file;
    if ((rc & 0xFF) == SQLITE_NOTADB)
        snprintf(reterr, reterr_size,
                 "%s is not a database, or its start is damaged: move it away, or choose another "
                 "--data folder",
                 name);
    else if ((rc & 0xFF) == SQLITE_CORRUPT)
        snprintf(reterr, reterr_size,
                 "%s is damaged (%s): move it away, or choose another --data folder", name,
                 sqlite3_errmsg(d->h));
    else
        snprintf(reterr, reterr_size, "cannot open %s: %s", name,
                 d->h == NULL ? "out of memory" : sqlite3_errmsg(d->h));
    return false;
}

/* The file is ours or new: never write into somebody else's database. */
static bool check_identity(struct db *d, char *reterr, size_t reterr_size)
{
    int64_t id = 0, pages = 0;
    if (!query_int(d, "PRAGMA application_id", &id) ||
        !query_int(d, "SELECT count(*) FROM sqlite_schema", &pages))
        return say_open_error(d, sqlite3_extended_errcode(d->h), reterr, reterr_size);
    if (id == APPLICATION_ID)
        return true;
    if (id != 0 || pages != 0) {
        snprintf(reterr, reterr_size, "%s is a database of another program", d->file);
        return false;
    }
    int rc = sqlite3_exec(d->h, APPLICATION_ID_SQL, NULL, NULL, NULL);
    return rc == SQLITE_OK || say_open_error(d, rc, reterr, reterr_size);
}

/* Statistics would cost a lock on every malloc of SQLite's. Only before its first use. */
static void configure_once(void)
{
    static bool done;
    if (!done)
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    done = true;
}

static int on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
    (void)h;
    (void)name;
    ((struct db *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

static sqlite3_stmt *prepare(struct db *d, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
        PANIC("%s: %s", sqlite3_errmsg(d->h), sql);
    return s;
}

static bool open_folder(struct db *d, const char *dir, char *reterr, size_t reterr_size)
{
    int err = file_mkdirs(dir, 0700);
    if (err != 0) {
        snprintf(reterr, reterr_size, "cannot make the folder %s: %s", dir, strerror(-err));
        return false;
    }
    if (asprintf(&d->dir, "%s", dir) < 0 || asprintf(&d->file, "%s/puddle.db", dir) < 0)
        PANIC("out of memory");
    d->lock_fd = lock_take(dir, reterr, reterr_size);
    if (d->lock_fd < 0)
        return false;
    /* Made here so that nobody else can read it; SQLite would use 0644. */
    int fd = open(d->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(reterr, reterr_size, "cannot open %s: %s", d->file, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

static void release(struct db *d)
{
    checkpointer_free(d->checkpointer);
    sqlite3_stmt *own[] = {d->begin,     d->begin_read, d->commit,     d->rollback,
                           d->savepoint, d->release,    d->rollback_to};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sqlite3_finalize(own[i]);
    for (size_t i = 0; i < d->slot_count; i++) {
        sqlite3_finalize(*d->slots[i]);
        *d->slots[i] = NULL;
    }
    if (sqlite3_close(d->h) != SQLITE_OK)
        PANIC("a statement outlives the database");
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    free(d->slots);
    free(d->hooks);
    free(d->dir);
    free(d->file);
    free(d);
}

static bool open_database(struct db *d, char *reterr, size_t reterr_size)
{
    int rc = db_connect(d->file, d->durable, &d->h);
    if (rc != SQLITE_OK)
        return say_open_error(d, rc, reterr, reterr_size);
    if (!check_identity(d, reterr, reterr_size))
        return false;
    rc = sqlite3_exec(d->h,
                      "CREATE TABLE IF NOT EXISTS puddle_schema("
                      "store TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
                      NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return say_open_error(d, rc, reterr, reterr_size);
    d->begin = prepare(d, d->file == NULL ? "BEGIN" : "BEGIN IMMEDIATE");
    d->begin_read = prepare(d, "BEGIN");
    d->commit = prepare(d, "COMMIT");
    d->rollback = prepare(d, "ROLLBACK");
    d->savepoint = prepare(d, "SAVEPOINT op");
    d->release = prepare(d, "RELEASE op");
    d->rollback_to = prepare(d, "ROLLBACK TO op");
    if (d->file == NULL)
        return true;
    sqlite3_wal_hook(d->h, on_wal, d);
    d->checkpointer = checkpointer_new(d->file, d->durable);
    if (d->checkpointer == NULL) {
        snprintf(reterr, reterr_size, "cannot start the checkpoint thread");
        return false;
    }
    return true;
}

struct db *db_open(const struct db_opts *opts, char *reterr, size_t reterr_size)
{
    struct db *d = calloc(1, sizeof *d);
    if (d == NULL)
        PANIC("out of memory");
    configure_once();
    d->lock_fd = -1;
    d->durable = opts->durable;
    if ((opts->dir == NULL || open_folder(d, opts->dir, reterr, reterr_size)) &&
        open_database(d, reterr, reterr_size))
        return d;
    release(d);
    return NULL;
}

void db_close(struct db *d)
{
    if (d == NULL)
        return;
    if (!db_commit(d))
        log_msg(LOG_ERROR, "db", "the last changes could not be written");
    checkpointer_free(d->checkpointer);
    d->checkpointer = NULL;
    if (d->file != NULL &&
        sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
        log_msg(LOG_WARN, "db", "final checkpoint: %s (nothing is lost: the log stays)",
                sqlite3_errmsg(d->h));
    release(d);
}

bool db_migrate(struct db *d, const char *store, const struct db_migration *steps, size_t count,
                char *reterr, size_t reterr_size)
{
    int64_t have = 0;
    int newest = count == 0 ? 0 : steps[count - 1].version;
    sqlite3_stmt *s = NULL;
    ASSERT(!d->in_tx);
    if (sqlite3_prepare_v2(d->h, "SELECT version FROM puddle_schema WHERE store = ?", -1, &s,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, store, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW)
            have = sqlite3_column_int64(s, 0);
    }
    if (sqlite3_finalize(s) != SQLITE_OK)
        return say_open_error(d, sqlite3_extended_errcode(d->h), reterr, reterr_size);
    if (have > newest) {
        snprintf(reterr, reterr_size,
                 "%s was written by a newer puddle (%s schema %lld, this program knows %d): update "
                 "puddle, or choose another --data folder",
                 d->file == NULL ? "the database" : d->file, store, (long long)have, newest);
        return false;
    }
    if (have == newest)
        return true;
    char *note = sqlite3_mprintf("INSERT INTO puddle_schema VALUES(%Q, %d) ON CONFLICT(store) "
                                 "DO UPDATE SET version = excluded.version",
                                 store, newest);
    if (note == NULL)
        PANIC("out of memory");
    int rc = sqlite3_exec(d->h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        ASSERT(steps[i].version > (i == 0 ? 0 : steps[i - 1].version));
        if (steps[i].version > have)
            rc = sqlite3_exec(d->h, steps[i].sql, NULL, NULL, NULL);
        if (rc == SQLITE_ERROR)
            PANIC("migration %s %d: %s", store, steps[i].version, sqlite3_errmsg(d->h));
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->h, note, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(d->h, "COMMIT", NULL, NULL, NULL);
    sqlite3_free(note);
    if (rc == SQLITE_OK)
        return true;
    say_open_error(d, rc, reterr, reterr_size);
    if (!sqlite3_get_autocommit(d->h))
        sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

sqlite3 *db_handle(struct db *d)
{
    return d->h;
}

sqlite3_stmt *db_stmt(struct db *d, sqlite3_stmt **slot, const char *sql)
{
    if (*slot != NULL) {
        sqlite3_reset(*slot);
        return *slot;
    }
    int rc = sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
    if (rc != SQLITE_OK)
        PANIC("%s: %s", sqlite3_errmsg(d->h), sql);
    if (d->slot_count == d->slot_cap) {
        d->slot_cap = d->slot_cap == 0 ? 64 : d->slot_cap * 2;
        d->slots = xrealloc(d->slots, d->slot_cap * sizeof *d->slots);
    }
    d->slots[d->slot_count++] = slot;
    return *slot;
}

void db_stmt_drop(struct db *d, sqlite3_stmt **slot)
{
    if (*slot == NULL)
        return;
    for (size_t i = d->slot_count; i-- > 0;) {
        if (d->slots[i] != slot)
            continue;
        d->slots[i] = d->slots[--d->slot_count];
        sqlite3_finalize(*slot);
        *slot = NULL;
        return;
    }
    PANIC("statement slot is not registered");
}

bool db_exec(struct db *d, const char *sql)
{
    int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);
    if (rc == SQLITE_ERROR)
        PANIC("%s: %s", sqlite3_errmsg(d->h), sql);
    if (rc != SQLITE_OK)
        log_msg(LOG_ERROR, "db", "%s", sqlite3_errmsg(d->h));
    return rc == SQLITE_OK;
}

/* One of our own statements that give no rows. */
static int step(sqlite3_stmt *s)
{
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void note_failure(struct db *d, const char *what, int rc)
{
    if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
        d->must_rewrite = true;
    log_msg(LOG_ERROR, "db", "%s: %s", what, sqlite3_errmsg(d->h));
}

/* After a failed fsync: everything committed goes into the file and the log starts over, or
 * nothing is written. */
static bool rewrite(struct db *d)
{
    int rc = sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK) {
        note_failure(d, "the disk still fails", rc);
        return false;
    }
    d->must_rewrite = false;
    log_msg(LOG_INFO, "db", "the disk works again");
    return true;
}

void db_read(struct db *d)
{
    if (d->in_tx || d->in_read || d->file == NULL || d->reads++ == 0)
        return;
    d->in_read = step(d->begin_read) == SQLITE_OK;
}

static void end_read(struct db *d)
{
    if (d->in_read && !sqlite3_get_autocommit(d->h))
        step(d->commit);
    d->in_read = false;
    d->reads = 0;
}

bool db_begin(struct db *d)
{
    if (d->in_tx)
        return !d->doomed && !sqlite3_get_autocommit(d->h);
    end_read(d);
    if (fault_hit("db.begin") || (d->must_rewrite && !rewrite(d)))
        return false;
    int rc = step(d->begin);
    if (rc != SQLITE_OK) {
        note_failure(d, "cannot write", rc);
        return false;
    }
    d->in_tx = true;
    return true;
}

bool db_savepoint(struct db *d)
{
    ASSERT(d->in_tx);
    return !sqlite3_get_autocommit(d->h) && step(d->savepoint) == SQLITE_OK;
}

void db_savepoint_release(struct db *d)
{
    if (!sqlite3_get_autocommit(d->h)) /* else all is lost already and db_commit will say so */
        step(d->release);
}

void db_savepoint_rollback(struct db *d)
{
    if (sqlite3_get_autocommit(d->h))
        return;
    step(d->rollback_to);
    step(d->release);
}

void db_doom(struct db *d)
{
    d->doomed = d->in_tx;
}

bool db_commit(struct db *d)
{
    end_read(d);
    if (!d->in_tx)
        return true;
    bool doomed = d->doomed;
    d->in_tx = d->doomed = false;
    if (!doomed && !sqlite3_get_autocommit(d->h) && !fault_hit("db.commit")) {
        int rc = step(d->commit);
        if (rc == SQLITE_OK)
            return true;
        note_failure(d, "commit failed", rc);
    }
    if (!sqlite3_get_autocommit(d->h))
        step(d->rollback);
    ASSERT(sqlite3_get_autocommit(d->h));
    for (size_t i = 0; i < d->hook_count; i++)
        d->hooks[i].fn(d->hooks[i].arg);
    return false;
}

void db_on_rollback(struct db *d, void (*fn)(void *), void *arg)
{
    d->hooks = xrealloc(d->hooks, (d->hook_count + 1) * sizeof *d->hooks);
    d->hooks[d->hook_count++] = (struct db_hook){fn, arg};
}

void db_off_rollback(struct db *d, void (*fn)(void *), void *arg)
{
    for (size_t i = 0; i < d->hook_count; i++) {
        if (d->hooks[i].fn != fn || d->hooks[i].arg != arg)
            continue;
        d->hook_count--;
        memmove(&d->hooks[i], &d->hooks[i + 1], (d->hook_count - i) * sizeof *d->hooks);
        return;
    }
    PANIC("no such rollback hook");
}

void db_maintain(struct db *d)
{
    if (d->checkpointer != NULL && !d->in_tx && !d->in_read &&
        checkpointer_tick(d->checkpointer, d)) {
        d->must_rewrite = true;
        log_msg(LOG_ERROR, "db", "a checkpoint could not be put on the disk");
    }
}

const char *db_dir(const struct db *d)
{
    return d->dir;
}

int64_t db_wal_bytes(const struct db *d)
{
    return (int64_t)d->wal_pages * DB_PAGE_SIZE;
}
