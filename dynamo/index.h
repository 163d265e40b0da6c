/* index.h - entries of secondary indexes. Per index one SQLite table WITHOUT ROWID: index key
 * bytes, then the table's row id. Kept in the commit that changes the item. */
#ifndef PUDDLE_INDEX_H
#define PUDDLE_INDEX_H
#include "attr.h"
#include "table.h"

/* Makes the entries of t's indexes follow one row from old to now (NULL: not there). An index that
 * is still being filled takes part. False: the store failed (logged). */
bool index_apply(struct store *s, struct table *t, int64_t row_id, const struct item *old,
                 const struct item *now, struct arena *a);
#endif
