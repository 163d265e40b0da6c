/* Checkpoints off the loop. SQLite's own (every 1000 pages, inside COMMIT) stalls the loop for up
 * to 200 ms at a million random writes, so it is off and one helper thread copies the log into the
 * file through its own connection, always PASSIVE: that mode never makes the writer wait.
 *
 * A PASSIVE pass moves the pages that were in the log when it began. If nothing was written
 * meanwhile the log is then wholly copied and the next commit starts it over by itself. Under a
 * steady stream of writes each pass leaves behind what came during it, so the log would never
 * start over. Therefore, once the log is big (WAL_CATCH_UP) and little is left (WAL_REST), the loop
 * copies the rest itself between two commits: a few milliseconds, most of them fsync. Writers that
 * are faster than the disk never let it become little; beyond WAL_SLOW each tick waits a moment
 * for the helper, so that they slow down to what the disk can do. Measured (100,000 replaced items,
 * one writer at full speed): worst tick without any of this 200 ms, with the rest copied whenever
 * it was below 1 MiB 50 ms. The log's file is not cut when it starts over, since that takes up to
 * 50 ms too: it stays at its greatest length until the server stops. */
#include "db_internal.h"
#include "log.h"
#include "panic.h"
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define WAL_PAGES(mib) ((mib)*1024 * 1024 / DB_PAGE_SIZE)
enum {
    WAL_START = WAL_PAGES(6),
    WAL_CATCH_UP = WAL_PAGES(24),
    WAL_SLOW = WAL_PAGES(48),
    WAL_MAX = WAL_PAGES(256),
    WAL_REST = 48,
    WAL_STEP = 64,
    WAIT_MS = 10,
};

struct checkpointer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake, passed;
    sqlite3 *h;               /* the helper's alone while it runs */
    bool wanted, busy, stop;  /* under the mutex */
    int copied_pages, status; /* of the last pass, under the mutex */
    int asked_at;             /* log pages when the last pass was asked for: loop only */
    bool warned;
};

/* SQLite itself syncs the file only after a pass that copied everything; without this the loop's
 * short rest would wait for all the pages that the helper has written (50 ms). */
static int sync_file(sqlite3 *h)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(h, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL)
        return rc;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

static void *run(void *arg)
{
    struct checkpointer *c = arg;
    pthread_mutex_lock(&c->mutex);
    for (;;) {
        while (!c->wanted && !c->stop)
            pthread_cond_wait(&c->wake, &c->mutex);
        if (c->stop)
            break;
        c->wanted = false;
        pthread_mutex_unlock(&c->mutex);
        int in_log = 0, copied = 0;
        int status =
            sqlite3_wal_checkpoint_v2(c->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
        if (status != SQLITE_OK)
            status = sqlite3_extended_errcode(c->h);
        else
            status = sync_file(c->h);
        pthread_mutex_lock(&c->mutex);
        c->copied_pages = status == SQLITE_OK ? copied : 0;
        c->status = status;
        c->busy = false;
        pthread_cond_signal(&c->passed);
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

struct checkpointer *checkpointer_new(const char *file, bool durable)
{
    struct checkpointer *c = calloc(1, sizeof *c);
    if (c == NULL)
        PANIC("out of memory");
    if (db_connect(file, durable, &c->h) != SQLITE_OK) {
        sqlite3_close(c->h);
        free(c);
        return NULL;
    }
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->wake, NULL);
    pthread_cond_init(&c->passed, NULL);
    sigset_t all, before; /* signals are the loop's: none may land on this thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&c->thread, NULL, run, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        sqlite3_close(c->h);
        free(c);
        return NULL;
    }
    return c;
}

void checkpointer_free(struct checkpointer *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->mutex);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_mutex_destroy(&c->mutex);
    pthread_cond_destroy(&c->wake);
    pthread_cond_destroy(&c->passed);
    sqlite3_close(c->h);
    free(c);
}

static void ask(struct checkpointer *c, int pages)
{
    c->asked_at = pages;
    c->busy = c->wanted = true;
    pthread_cond_signal(&c->wake);
}

/* The rest of the log, on the loop's own connection: nobody writes meanwhile, so that the next
 * commit starts the log over. */
static void finish_on_loop(struct checkpointer *c, struct db *d)
{
    int in_log = 0, copied = 0;
    int status = sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
    c->copied_pages = copied;
    c->asked_at = in_log;
    if (status != SQLITE_OK)
        c->status = sqlite3_extended_errcode(d->h);
}

/* Under the mutex: lets the helper get on, for WAIT_MS at most. */
static void wait_a_moment(struct checkpointer *c)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_MS * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (c->busy && pthread_cond_timedwait(&c->passed, &c->mutex, &until) == 0)
        ;
}

static void next_step(struct checkpointer *c, struct db *d, int pages)
{
    if (pages < c->asked_at) { /* it has started over since */
        c->asked_at = c->copied_pages = 0;
        c->warned = false;
    }
    int left = pages - c->copied_pages;
    if (left <= 0)
        return;
    if (pages >= WAL_MAX && !c->warned) {
        c->warned = true;
        log_msg(LOG_WARN, "db", "the write-ahead log has grown to %d MiB: is the disk slow?",
                pages / WAL_PAGES(1));
    }
    if (pages >= WAL_MAX || (pages >= WAL_CATCH_UP && left <= WAL_REST))
        finish_on_loop(c, d);
    else if (pages >= WAL_START && (c->asked_at == 0 || pages - c->asked_at >= WAL_STEP))
        ask(c, pages);
}

bool checkpointer_tick(struct checkpointer *c, struct db *d)
{
    int pages = d->wal_pages;
    if (pages < WAL_START) /* the usual case, without the lock */
        return false;
    pthread_mutex_lock(&c->mutex);
    if (c->busy && pages >= WAL_SLOW)
        wait_a_moment(c);
    if (!c->busy)
        next_step(c, d, pages);
    bool failed = c->status == SQLITE_IOERR_FSYNC;
    c->status = SQLITE_OK;
    pthread_mutex_unlock(&c->mutex);
    return failed;
}
