/* write.h - the one way an item changes: row, index entries, stream record and counts, together, in
 * the tick's transaction. PutItem, UpdateItem, DeleteItem, batches, transactions, PartiQL, TTL and
 * restores all come here. */
#ifndef PUDDLE_WRITE_H
#define PUDDLE_WRITE_H
#include "ddb_internal.h"

enum ddb_write_by { WRITE_BY_USER, WRITE_BY_TTL };
enum ddb_want { WANT_NOTHING, WANT_TEXT, WANT_ITEM }; /* of the present item */
struct ddb_write {
    struct table *t;
    const struct ddb_key *key;
    const struct item *now; /* NULL: removed */
    enum ddb_write_by by;
    bool want_index_units;
    /* filled by ddb_write_load */
    bool had_old;
    int64_t old_id, old_size;
    struct str old_text; /* canonical; p NULL: not read */
    bool has_old_item;   /* old is read: somebody needs it */
    struct item old;
    /* filled by ddb_write_count */
    double *index_units; /* by table.indexes; NULL: not wanted or no index */
};
/* Finds the present item; reads it as wanted, decoded also when the table's indexes or stream need
 * it. Everything in a. False: the store failed. */
bool ddb_write_load(struct ddb *d, struct arena *a, struct ddb_write *w, enum ddb_want want);
/* What it costs in the indexes, once now is known, if want_index_units. */
void ddb_write_count(struct arena *a, struct ddb_write *w);
/* Does it. db_begin has been called. An item that does not change in any way leaves no trace but
 * capacity. False: the store failed. */
bool ddb_write_apply(struct ddb *d, struct arena *a, int64_t now_ms, struct ddb_write *w);
#endif
