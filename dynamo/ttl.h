/* ttl.h - Time To Live: which items expire when (an index per table, kept by every write), and
 * taking them away when their time has come. AWS promises days; here it is within a second or two
 * of the clock, moved or not. Fact 126. */
#ifndef PUDDLE_TTL_H
#define PUDDLE_TTL_H
#include "attr.h"
#include "table.h"

struct ddb;
/* Makes t's index follow one row: now NULL: it is gone. Nothing for tables without TTL. False: the
 * store failed (logged). For write.c. */
bool ttl_apply(struct ddb *d, struct table *t, int64_t row_id, bool had_old, const struct item *now,
               int64_t now_ms);

/* An empty index for t; rows that are there come in by slices (t->ttl_filling). */
bool ttl_create(struct store *s, const struct table *t);
bool ttl_drop(struct store *s, struct table *t);
/* A slice of expiring and filling for all tables. May change definitions: no struct table is to be
 * kept over it. */
void ttl_maintain(struct ddb *d, int64_t now_ms);
/* Fills at once if t is small. t may be replaced (catalog_change): the one to go on with, or NULL:
 * the store failed. */
struct table *ttl_fill_small(struct ddb *d, struct table *t, int64_t now_ms);
/* TimeToLiveDescription as member key of out. */
void ttl_describe(const struct table *t, struct json_out *out, const char *key);
/* Everything has to be looked at again: tables were loaded or changed. */
void ttl_wake(struct ddb *d);
#endif
