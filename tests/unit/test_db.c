/* links: puddle_db */
#include "db.h"
#include "fault.h"
#include "file.h"
#include "harness.h"
#include "log.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct db_migration steps[] = {
    {1, "CREATE TABLE thing(k INTEGER PRIMARY KEY, v TEXT)"},
    {2, "ALTER TABLE thing ADD COLUMN w INTEGER DEFAULT 7"},
};
static char reason[512];
static char folder[64];

__attribute__((constructor)) static void quiet(void)
{
    log_setup(LOG_TEXT, LOG_ERROR + 1);
}

static const char *new_folder(void)
{
    strcpy(folder, "/tmp/puddle-test-db-XXXXXX");
    return mkdtemp(folder);
}

static struct db *open_at(const char *dir)
{
    struct db_opts opts = {.dir = dir};
    struct db *d;
    reason[0] = '\0';
    d = db_open(&opts, reason, sizeof reason);
    if (d != NULL && !db_migrate(d, "test", steps, 2, reason, sizeof reason)) {
        db_close(d);
        return NULL;
    }
    return d;
}

static sqlite3 *raw_open(const char *dir)
{
    char path[128];
    sqlite3 *h = NULL;
    snprintf(path, sizeof path, "%s/puddle.db", dir);
    return sqlite3_open(path, &h) == SQLITE_OK ? h : NULL;
}

static int64_t count_things(struct db *d)
{
    sqlite3_stmt *s = NULL;
    sqlite3_prepare_v2(db_handle(d), "SELECT count(*) FROM thing", -1, &s, NULL);
    int64_t n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    return n;
}

static bool add(struct db *d, int k)
{
    char sql[96];
    snprintf(sql, sizeof sql, "INSERT INTO thing(k, v) VALUES(%d, 'x')", k);
    return db_begin(d) && db_exec(d, sql);
}

TEST(memory_database_needs_no_folder)
{
    struct db *d = open_at(NULL);
    CHECK(d != NULL);
    CHECK(db_dir(d) == NULL);
    CHECK(add(d, 1) && db_commit(d));
    CHECK_I64(count_things(d), 1);
    db_maintain(d);
    CHECK_I64(db_wal_bytes(d), 0);
    db_close(d);
}

TEST(settings_are_the_promised_ones)
{
    static const struct {
        const char *sql;
        int64_t want;
    } rows[] = {{"PRAGMA page_size", 4096},    {"PRAGMA secure_delete", 0},
                {"PRAGMA cache_size", -65536}, {"PRAGMA synchronous", 1},
                {"PRAGMA temp_store", 2},      {"PRAGMA wal_autocheckpoint", 0}};
    struct db *d = open_at(new_folder());
    struct stat st;
    char path[128];
    CHECK(d != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sqlite3_stmt *s = NULL;
        CHECK(sqlite3_prepare_v2(db_handle(d), rows[i].sql, -1, &s, NULL) == SQLITE_OK);
        CHECK(sqlite3_step(s) == SQLITE_ROW);
        int64_t got = sqlite3_column_int64(s, 0);
        sqlite3_finalize(s);
        CHECK_I64(got, rows[i].want);
    }
    CHECK(sqlite3_exec(db_handle(d), "ATTACH ':memory:' AS x", NULL, NULL, NULL) != SQLITE_OK);
    snprintf(path, sizeof path, "%s/puddle.db", folder);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    db_close(d);
    file_remove_tree(folder);
}

TEST(committed_rows_survive_a_process_that_is_killed)
{
    new_folder();
    pid_t child = fork();
    if (child == 0) {
        struct db *d = open_at(folder);
        bool ok = d != NULL;
        for (int i = 0; i < 100 && ok; i++)
            ok = add(d, i) && db_commit(d);
        ok = ok && add(d, 1000); /* never committed */
        if (ok)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct db *d = open_at(folder); /* the dead one's lock is gone */
    CHECK(d != NULL);
    CHECK_I64(count_things(d), 100);
    db_close(d);
    file_remove_tree(folder);
}

TEST(second_opener_is_refused_with_the_pid_of_the_first)
{
    char want[128];
    struct db *d = open_at(new_folder());
    CHECK(d != NULL);
    CHECK(open_at(folder) == NULL);
    snprintf(want, sizeof want, "%s is in use by another puddle (pid %ld)", folder, (long)getpid());
    CHECK_STR(str_c(reason), want);
    db_close(d);
    d = open_at(folder);
    CHECK(d != NULL);
    db_close(d);
    file_remove_tree(folder);
}

TEST(close_leaves_one_file_without_a_log)
{
    char path[128];
    struct stat st;
    struct db *d = open_at(new_folder());
    CHECK(d != NULL && add(d, 1)); /* db_close commits */
    db_close(d);
    snprintf(path, sizeof path, "%s/puddle.db-wal", folder);
    CHECK(stat(path, &st) != 0 || st.st_size == 0);
    d = open_at(folder);
    CHECK(d != NULL);
    CHECK_I64(count_things(d), 1);
    db_close(d);
    file_remove_tree(folder);
}

TEST(older_schema_is_migrated_and_newer_is_refused)
{
    struct db_opts opts = {.dir = new_folder()};
    struct db *d = db_open(&opts, reason, sizeof reason);
    CHECK(d != NULL);
    CHECK(db_migrate(d, "test", steps, 1, reason, sizeof reason));
    CHECK(add(d, 1) && db_commit(d));
    CHECK(db_migrate(d, "test", steps, 2, reason, sizeof reason));
    CHECK(sqlite3_exec(db_handle(d), "SELECT w FROM thing", NULL, NULL, NULL) == SQLITE_OK);
    CHECK_I64(count_things(d), 1);
    CHECK(!db_migrate(d, "test", steps, 1, reason, sizeof reason));
    CHECK(strstr(reason, "newer puddle (test schema 2, this program knows 1)") != NULL);
    db_close(d);
    file_remove_tree(folder);
}

static void write_file(const char *dir, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/puddle.db", dir);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

TEST(file_that_is_not_a_database_is_refused_and_left_alone)
{
    char path[128], text[64] = "";
    new_folder();
    write_file(folder,
               "this is somebody's diary, at least a hundred bytes of it: lorem ipsum dolor "
               "sit amet, consectetur adipiscing elit");
    CHECK(open_at(folder) == NULL);
    CHECK(strstr(reason, "is not a database") != NULL);
    CHECK(strchr(reason, '\n') == NULL);
    snprintf(path, sizeof path, "%s/puddle.db", folder);
    FILE *f = fopen(path, "r");
    CHECK(f != NULL && fgets(text, 8, f) != NULL);
    fclose(f);
    CHECK_STR(str_c(text), "this is");
    file_remove_tree(folder);
}

TEST(database_of_another_program_is_refused)
{
    sqlite3 *h = raw_open(new_folder());
    CHECK(h != NULL);
    CHECK(sqlite3_exec(h, "CREATE TABLE theirs(x)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(h);
    CHECK(open_at(folder) == NULL);
    CHECK(strstr(reason, "another program") != NULL);
    file_remove_tree(folder);
}

TEST(folder_that_cannot_be_made_gives_one_clear_line)
{
    CHECK(open_at("/proc/nowhere/at/all") == NULL);
    CHECK(strstr(reason, "cannot make the folder /proc/nowhere/at/all") != NULL);
}

static int hook_runs;
static void hook(void *arg)
{
    hook_runs += *(int *)arg;
}

TEST(failed_commit_undoes_everything_and_runs_the_hooks)
{
    int weight = 1;
    struct db *d = open_at(new_folder());
    CHECK(d != NULL);
    hook_runs = 0;
    db_on_rollback(d, hook, &weight);
    fault_setup("db.commit:1");
    CHECK(add(d, 1) && add(d, 2));
    CHECK(!db_commit(d));
    CHECK_I64(hook_runs, 1);
    CHECK_I64(count_things(d), 0);
    CHECK(add(d, 3) && db_commit(d)); /* works again */
    CHECK_I64(hook_runs, 1);
    CHECK_I64(count_things(d), 1);
    fault_setup("db.begin:1");
    CHECK(!db_begin(d));
    CHECK(db_commit(d)); /* nothing was begun */
    CHECK(db_begin(d) && db_commit(d));
    fault_setup(NULL);
    db_off_rollback(d, hook, &weight);
    db_close(d);
    file_remove_tree(folder);
}

TEST(doomed_tick_is_not_committed)
{
    int weight = 1;
    struct db *d = open_at(NULL);
    hook_runs = 0;
    db_on_rollback(d, hook, &weight);
    db_doom(d); /* nothing was begun */
    CHECK(add(d, 1));
    db_doom(d);
    CHECK(!db_begin(d)); /* no further change of this tick may go through */
    CHECK(!db_commit(d));
    CHECK_I64(hook_runs, 1);
    CHECK_I64(count_things(d), 0);
    CHECK(add(d, 2) && db_commit(d));
    CHECK_I64(count_things(d), 1);
    db_off_rollback(d, hook, &weight);
    db_close(d);
}

TEST(full_disk_loses_the_tick_and_nothing_else)
{
    struct db *d = open_at(new_folder());
    int weight = 1;
    char sql[96];
    CHECK(d != NULL && add(d, 1) && db_commit(d));
    hook_runs = 0;
    db_on_rollback(d, hook, &weight);
    CHECK(db_exec(d, "PRAGMA max_page_count = 8"));
    CHECK(add(d, 2));
    bool ok = true;
    for (int i = 10; i < 200 && ok; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO thing(k, v) VALUES(%d, hex(zeroblob(2000)))", i);
        ok = db_exec(d, sql);
    }
    CHECK(!ok);
    bool committed = db_commit(d); /* SQLite may or may not have rolled back by itself */
    CHECK_I64(hook_runs, !committed);
    int64_t rows = count_things(d);
    CHECK(committed ? rows >= 2 : rows == 1);
    CHECK(db_exec(d, "PRAGMA max_page_count = 1000000"));
    CHECK(add(d, 5000) && db_commit(d));
    CHECK_I64(count_things(d), rows + 1);
    db_close(d);
    file_remove_tree(folder);
}

TEST(transaction_that_sqlite_ended_by_itself_is_not_reported_as_committed)
{
    int weight = 1;
    struct db *d = open_at(NULL);
    hook_runs = 0;
    db_on_rollback(d, hook, &weight);
    CHECK(add(d, 1));
    /* What SQLite does on some I/O errors, by hand. */
    CHECK(sqlite3_exec(db_handle(d), "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    CHECK(!db_begin(d)); /* no further change of this tick may go through */
    CHECK(!db_commit(d));
    CHECK_I64(hook_runs, 1);
    CHECK(add(d, 2) && db_commit(d));
    CHECK_I64(count_things(d), 1);
    db_close(d);
}

TEST(reads_of_a_tick_share_a_snapshot_that_ends_with_it)
{
    struct db *d = open_at(new_folder());
    CHECK(d != NULL && add(d, 1) && db_commit(d));
    db_read(d); /* a lone read needs no transaction */
    CHECK(sqlite3_get_autocommit(db_handle(d)));
    db_read(d);
    CHECK(!sqlite3_get_autocommit(db_handle(d)));
    CHECK_I64(count_things(d), 1);
    CHECK(add(d, 2)); /* a write of the same tick */
    db_read(d);
    CHECK_I64(count_things(d), 2);
    CHECK(db_commit(d));
    CHECK(sqlite3_get_autocommit(db_handle(d)));
    db_read(d);
    db_read(d);
    CHECK(db_commit(d));
    CHECK(sqlite3_get_autocommit(db_handle(d)));
    db_close(d);
    file_remove_tree(folder);
}

TEST(savepoint_takes_back_half_an_operation)
{
    struct db *d = open_at(NULL);
    CHECK(add(d, 1));
    CHECK(db_savepoint(d) && add(d, 2));
    db_savepoint_rollback(d);
    CHECK(db_savepoint(d) && add(d, 3));
    db_savepoint_release(d);
    CHECK(db_commit(d));
    CHECK_I64(count_things(d), 2);
    db_close(d);
}

TEST(statements_are_prepared_once_and_end_with_the_database)
{
    static sqlite3_stmt *one, *two;
    struct db *d = open_at(NULL);
    sqlite3_stmt *s = db_stmt(d, &one, "SELECT 1");
    CHECK(s != NULL && db_stmt(d, &one, "SELECT 1") == s);
    CHECK(db_stmt(d, &two, "SELECT 2") != s);
    db_stmt_drop(d, &one);
    CHECK(one == NULL && two != NULL);
    db_stmt_drop(d, &one); /* empty slots are fine */
    db_close(d);
    CHECK(two == NULL);
}

TEST(log_is_copied_by_the_helper_and_starts_over)
{
    enum { LIMIT = 8 << 20 };
    struct db *d = open_at(new_folder());
    char sql[128];
    int k = 0;
    CHECK(d != NULL);
    for (; db_wal_bytes(d) < LIMIT + 1 && k < 100000; k++) {
        snprintf(sql, sizeof sql, "INSERT INTO thing(k, v) VALUES(%d, hex(randomblob(30000)))", k);
        CHECK(db_begin(d) && db_exec(d, sql) && db_commit(d));
    }
    for (int i = 0; i < 20000 && db_wal_bytes(d) > LIMIT; i++, k++) {
        db_maintain(d);
        poll(NULL, 0, 1); /* the helper's turn; bounded above */
        CHECK(add(d, k) && db_commit(d));
    }
    CHECK(db_wal_bytes(d) <= LIMIT);
    CHECK_I64(count_things(d), k);
    db_close(d);
    d = open_at(folder);
    CHECK(d != NULL);
    CHECK_I64(count_things(d), k);
    db_close(d);
    file_remove_tree(folder);
}
