/* index.h - entries of secondary indexes, kept in the commit that changes the item. Per index one
 * SQLite table WITHOUT ROWID ordered by index key, then table key (index_key_of_item), so that a
 * page goes on where it ended even when that item is gone. An index that projects ALL keeps the
 * row id; the others keep their copy of the item as well. */
#ifndef PUDDLE_INDEX_H
#define PUDDLE_INDEX_H
#include "index_key.h"

/* Makes the store's entry tables those of t->indexes, by name: finds the ones that are there, makes
 * those that are missing, takes away those of indexes that t no longer has. Call whenever a
 * definition was parsed anew (CreateTable, UpdateTable, start), with the tick's transaction open if
 * something can be missing. A new one of a table with rows is x->filling: it takes part in writes,
 * and index_backfill_slice has to be called until it says done. counts_exact: the
 * stored counts can be trusted. False: the store failed. */
bool index_attach(struct store *s, struct table *t, bool counts_exact);
/* Gives back the statements of all indexes: before t's memory or one of the tables goes. */
void index_detach(struct store *s, struct table *t);
/* A few milliseconds of making entries for rows that were there before the index; rows whose
 * attributes do not have the type of the index's key are left out, as AWS does. *ret_done: x is
 * complete and no longer filling. The tick's transaction is open. Goes on after a restart where it
 * was. False: the store failed. */
bool index_backfill_slice(struct store *s, struct table *t, struct index *x, bool *ret_done);
/* Takes away the entries of all indexes of a table that is deleted. */
bool index_drop_all(struct store *s, struct table *t);

/* Makes the entries of t's indexes follow one row from old to now (NULL: not there). key: of the
 * row. An index that is still being filled takes part. False: the store failed (logged). */
bool index_apply(struct store *s, struct table *t, const struct store_key *key, int64_t row_id,
                 const struct item *old, const struct item *now, struct arena *a);

/* What x keeps of an item that it has: item (empty if it keeps no copies) and size. In a. */
void index_make_entry(const struct table *t, const struct index *x, const struct item *item,
                      struct arena *a, struct store_entry *ret);

/* The index by name; NULL: t has no such one. */
struct index *index_find(const struct table *t, struct str name);
/* Is the attribute in the index's items? */
bool index_projects(const struct table *t, const struct index *x, struct str name);
/* Makes x->items and x->bytes right when a crash has left them unknown: counts, up to a few
 * milliseconds' worth; if that is not enough x->counting stays set, and the rest is for
 * index_count_slice until it says done. Until then they are those of the part counted. */
void index_count(struct store *s, struct index *x);
/* False: the store failed. */
bool index_count_slice(struct store *s, struct index *x, bool *ret_done);
/* Writes the counts of all indexes, to be trusted if the table's own counts are. */
bool index_write_counts(struct store *s, struct table *t);

/* Tests, and after a crash: every row has exactly the entries it should have, every entry its row.
 * Reads everything. False: *ret_why in the arena says what is wrong. */
bool index_check(struct store *s, struct table *t, struct arena *a, struct str *ret_why);
#endif
