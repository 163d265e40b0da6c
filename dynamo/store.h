/* store.h - DynamoDB's SQL, all of it. Per DynamoDB table one SQLite table ddb_data_<id>
 *   (id INTEGER PRIMARY KEY, hk, sk, size, sum, item) + UNIQUE INDEX (hk, sk)
 * with key.h's bytes, so that a Query is a range of (hk, sk) and a Scan of hk. sum is the item
 * text's CRC-32, verified on every read. Changes happen between db_begin and the tick's commit. */
#ifndef PUDDLE_STORE_H
#define PUDDLE_STORE_H
#include "aws_err.h"
#include "db.h"

struct store {
    struct db *db;
    sqlite3_stmt *add_table, *remove_table, *write_counts, *write_def, *add_doomed, *first_doomed,
        *remove_doomed;
    bool maybe_doomed; /* data of deleted tables may be left to sweep */
    sqlite3_stmt *index_add, *index_counts, *index_filled, *index_gone, *index_forget;
    bool maybe_gone; /* entries of deleted indexes may be left to sweep */
};
struct store_stmts { /* of one table */
    sqlite3_stmt *get, *find, *insert, *update, *remove, *up, *down;
    sqlite3_stmt *by_id, *walk, *ttl_put, *ttl_remove, *ttl_first; /* ttl.c */
    sqlite3_stmt *history;
};

bool store_open(struct store *s, struct db *db, char *reterr, size_t reterr_size);
void store_close(struct store *s);

struct store_table_row {
    int64_t id;
    struct str account, region, name, def;
    int64_t items, bytes;
    bool exact; /* else items and bytes are to be counted again */
};
/* Every table; the views live only during the call of each. False: cannot be read. */
bool store_load_tables(struct store *s, bool (*each)(void *arg, const struct store_table_row *row),
                       void *arg);
bool store_count(struct store *s, int64_t id, int64_t *ret_items, int64_t *ret_bytes);
bool store_add_table(struct store *s, const struct store_table_row *row, int64_t *ret_id);
bool store_write_def(struct store *s, int64_t id, struct str def);
/* Data that belongs to no table: a backup's. */
bool store_new_data(struct store *s, int64_t *ret_id);
bool store_drop_data(struct store *s, int64_t id, int64_t items, int64_t bytes);
/* Takes a history (history.h) away in slices; its name is free at once. */
bool store_drop_history(struct store *s, int64_t table_id);
/* The table goes, its data stays: somebody has taken it over. */
bool store_forget_table(struct store *s, int64_t id);
/* The data goes at once when that is quick, else piece by piece in store_sweep. */
bool store_remove_table(struct store *s, int64_t id, int64_t items, int64_t bytes);
bool store_write_counts(struct store *s, int64_t id, int64_t items, int64_t bytes, bool exact);
/* Takes away one slice (a few milliseconds) of what deleted tables left. Opens the tick's
 * transaction if there is work. */
void store_sweep(struct store *s);

enum store_result { STORE_OK, STORE_NONE, STORE_FAILED };
struct store_key {
    struct str hk, sk; /* sk empty for tables without one */
};
struct store_row {
    int64_t id, size;
    struct str item;    /* of store_get: valid until store_done */
    sqlite3_stmt *stmt; /* to be reset by store_done */
};
/* The item's text, checksum verified. STORE_FAILED is logged: answer an internal error. */
enum store_result store_get(struct store *s, int64_t table_id, struct store_stmts *st,
                            const struct store_key *key, struct store_row *ret);
/* Without the text: where the row is and how big. Nothing to be done afterwards. */
enum store_result store_find(struct store *s, int64_t table_id, struct store_stmts *st,
                             const struct store_key *key, struct store_row *ret);
void store_done(struct store_row *row); /* fine after any result */
/* row_id of an existing row to replace, or 0. */
bool store_put(struct store *s, int64_t table_id, struct store_stmts *st,
               const struct store_key *key, int64_t row_id, struct str item, size_t size);
bool store_delete(struct store *s, int64_t table_id, struct store_stmts *st, int64_t row_id);
/* ---- for the other files of this folder that keep tables of their own ---- */
/* The statement of one table: its text is only made when it is not prepared yet. format has one
 * %lld, the id. */
sqlite3_stmt *store_stmt_of(struct store *s, sqlite3_stmt **slot, const char *format, int64_t id);
/* The same with %1$lld and %2$lld. */
sqlite3_stmt *store_stmt_of_two(struct store *s, sqlite3_stmt **slot, const char *format,
                                int64_t id, int64_t other);
/* Runs one statement without rows, made of fixed text and numbers. False: logged. */
bool store_exec(struct store *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void store_drop_stmts(struct store *s, struct store_stmts *st);

/* ---- ranges, of tables (key: hk, sk) and of indexes (key: hk is the whole key, sk empty) ---- */

enum { STORE_KEY_END_MAX = 2052 };
/* A key above all keys; also above every sort key when used as one. */
struct str store_key_end(void);
struct store_range { /* from <= key < to */
    struct store_key from, to;
    bool backward;
};
struct store_cursor {
    struct store *s;
    sqlite3_stmt *stmt; /* NULL: closed */
    bool of_index, whole;
    const char *kind; /* for the log */
    int64_t id;
};
struct store_scan_row { /* views until the next step */
    struct store_key key;
    int64_t size;         /* of the item as the table or index has it */
    int64_t fetched_size; /* of the item in the table, when that was fetched for an index; else 0 */
    struct str item;
};
/* Only one cursor of a table or index, direction and kind may be open at a time. */
void store_scan_open(struct store *s, int64_t table_id, struct store_stmts *st,
                     const struct store_range *range, struct store_cursor *ret);
/* Checksum verified. */
enum store_result store_scan_next(struct store_cursor *c, struct store_scan_row *ret);
void store_scan_close(struct store_cursor *c); /* fine when it is closed already */
#endif
