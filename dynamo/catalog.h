/* catalog.h - the tables in memory, by account, region and name; written through to the store, and
 * loaded again from it when a commit fails. A struct table is valid until the end of the call. */
#ifndef PUDDLE_CATALOG_H
#define PUDDLE_CATALOG_H
#include "map.h"
#include "table.h"

struct catalog {
    struct store *store;
    struct map tables;
};
/* False: the store cannot be read, or holds what is not a table. */
bool catalog_load(struct catalog *c, struct store *s);
void catalog_release(struct catalog *c);
/* From the store again: everything known is forgotten. Panics if that fails. */
void catalog_reload(struct catalog *c);

struct table *catalog_find(const struct catalog *c, struct str account, struct str region,
                           struct str name);
/* The tick's transaction is open. NULL: the store failed. */
struct table *catalog_add(struct catalog *c, struct str account, struct str region, struct str name,
                          struct str def);
/* Another definition for t (checked before), which is gone after success. NULL: the store failed.
 */
struct table *catalog_change(struct catalog *c, struct table *t, struct str def);
/* Removes table and rows; keep_data: the rows are somebody else's now. t is gone after success. */
bool catalog_remove(struct catalog *c, struct table *t, bool keep_data);
/* Before the first change of items in a transaction: from now on the stored counts are not to be
 * trusted. */
bool catalog_touch(struct catalog *c, struct table *t);
/* Writes all counts that moved; the transaction is open. */
bool catalog_write_counts(struct catalog *c);
/* The names of one account and region, sorted, in the arena. */
struct str *catalog_names(const struct catalog *c, struct str account, struct str region,
                          struct arena *a, size_t *ret_count);
#endif
