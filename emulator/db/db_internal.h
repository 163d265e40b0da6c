/* db_internal.h - shared by the files of this folder only. */
#ifndef PUDDLE_DB_INTERNAL_H
#define PUDDLE_DB_INTERNAL_H
#include "db.h"
#include <pthread.h>

enum { DB_PAGE_SIZE = 4096, DB_CACHE_KIB = 65536 };

struct db_hook {
    void (*fn)(void *);
    void *arg;
};
struct checkpointer; /* checkpoint.c */
struct db {
    sqlite3 *h;
    char *dir, *file; /* NULL when in memory */
    int lock_fd;
    bool durable;
    bool in_tx;        /* from db_begin to db_commit */
    bool doomed;       /* db_doom was called since db_begin */
    bool must_rewrite; /* an fsync failed: see db_begin */
    bool in_read;      /* a read transaction is open; ends with the tick */
    unsigned reads;    /* of this tick */
    sqlite3_stmt *begin, *begin_read, *commit, *rollback, *savepoint, *release, *rollback_to;
    sqlite3_stmt ***slots;
    size_t slot_count, slot_cap;
    struct db_hook *hooks;
    size_t hook_count;
    int wal_pages; /* set by the WAL hook after each commit */
    struct checkpointer *checkpointer;
};

/* Opens one connection with the settings every connection of ours has. */
int db_connect(const char *file, bool durable, sqlite3 **ret);

struct checkpointer *checkpointer_new(const char *file, bool durable);
/* Waits for the thread; the connection is closed then. NULL is fine. */
void checkpointer_free(struct checkpointer *c);
/* Steps of db_maintain; true if a checkpoint of the helper failed to reach the disk. */
bool checkpointer_tick(struct checkpointer *c, struct db *d);

/* lock.c: exclusive for the life of the returned descriptor; -1 with a line in reterr. */
int lock_take(const char *dir, char *reterr, size_t reterr_size);
#endif
