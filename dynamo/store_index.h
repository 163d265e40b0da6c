/* store_index.h - the SQL of secondary indexes. Table ddb_index lists them; per index there is
 *   ddb_entries_<id> (k BLOB PRIMARY KEY, row [, size, sum, item]) WITHOUT ROWID
 * with index_key.h's bytes as k and the row id in the table's ddb_data_<id>. An index with a copy
 * keeps the projected item too. */
#ifndef PUDDLE_STORE_INDEX_H
#define PUDDLE_STORE_INDEX_H
#include "store.h"

enum { STORE_FILLED = -1 }; /* filled_to of an index that is complete */
struct store_index {        /* one index, open */
    int64_t id, table_id;
    bool copies;
    sqlite3_stmt *put, *add, *remove, *up, *down, *up_whole, *down_whole;
};
struct store_index_row {
    int64_t id;
    struct str name; /* valid during the call of each only */
    int64_t items, bytes;
    int64_t filled_to; /* rows up to this id have their entries */
};
bool store_index_migrate(struct store *s, char *reterr, size_t reterr_size);
/* The indexes of one table that are not deleted. */
bool store_index_load(struct store *s, int64_t table_id,
                      bool (*each)(void *arg, const struct store_index_row *row), void *arg);
bool store_index_create(struct store *s, int64_t table_id, struct str name, bool copies,
                        int64_t filled_to, int64_t *ret_id);
/* The entries go piece by piece in store_index_sweep. */
bool store_index_remove(struct store *s, int64_t id);
/* A slice of a few milliseconds, if there is something to take away. */
void store_index_sweep(struct store *s);
bool store_index_set_counts(struct store *s, int64_t id, int64_t items, int64_t bytes);
bool store_index_set_filled(struct store *s, int64_t id, int64_t filled_to);
/* Counts up to limit entries behind the key in *at, adds to *items and *bytes and moves *at to the
 * last one. *ret_done: there were no more. */
bool store_index_count(struct store *s, const struct store_index *x, int64_t limit, struct buf *at,
                       int64_t *items, int64_t *bytes, bool *ret_done);
void store_index_drop_stmts(struct store *s, struct store_index *x);

struct store_entry {
    struct str key;
    int64_t row;
    struct str item; /* of an index with copies */
    size_t size;
};
/* Adds or replaces. */
bool store_entry_put(struct store *s, struct store_index *x, const struct store_entry *e);
/* Adds unless there is one with this key. *ret_added. */
bool store_entry_add(struct store *s, struct store_index *x, const struct store_entry *e,
                     bool *ret_added);
bool store_entry_remove(struct store *s, struct store_index *x, struct str key);

/* As store_scan_open. whole: the items complete from the table instead of the copies. */
void store_index_scan_open(struct store *s, struct store_index *x, bool whole,
                           const struct store_range *range, struct store_cursor *ret);

/* Calls each with rows of the table, by id, from after on, until it says no or limit rows.
 * *ret_last: the last id. False: the store failed. */
bool store_each_row(struct store *s, int64_t table_id, int64_t after, int64_t limit,
                    bool (*each)(void *arg, int64_t id, const struct store_key *key,
                                 struct str item),
                    void *arg, int64_t *ret_last);
/* Every entry, in the order of keys, with the row it points at (item p == NULL: no such row). For
 * checks. */
bool store_each_entry(struct store *s, const struct store_index *x,
                      bool (*each)(void *arg, const struct store_entry *e, struct str row_item),
                      void *arg);
#endif
