/* history.h - what items were before they changed: kept for tables with point-in-time recovery and
 * while a table is copied, so that the table of any moment is the one of now with the later changes
 * undone. One SQLite table per table: n, time, key, old item (NULL: it was not there). */
#ifndef PUDDLE_HISTORY_H
#define PUDDLE_HISTORY_H
#include "table.h"

struct ddb;
struct ddb_write;
/* Does t keep one (then the old item is needed)? */
bool history_enabled(const struct table *t);
/* For write.c. False: the store failed (logged). */
bool history_append(struct ddb *d, const struct ddb_write *w, int64_t now_ms);

/* Makes or drops the SQLite table; the definition's member History is the caller's. */
bool history_create(struct store *s, const struct table *t);
bool history_drop(struct store *s, struct table *t);
/* The number that the next change gets. */
bool history_next(struct store *s, const struct table *t, int64_t *ret);
/* The number of the first change after that moment; of none: the next number. */
bool history_after(struct store *s, const struct table *t, int64_t ms, int64_t *ret);
/* A slice of forgetting what lies before the recovery period. Sets t->history_due_ms. */
bool history_trim(struct store *s, struct table *t, int64_t now_ms);
#endif
