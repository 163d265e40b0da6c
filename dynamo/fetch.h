/* fetch.h - one item by key into a reply: GetItem, BatchGetItem, TransactGetItems. */
#ifndef PUDDLE_FETCH_H
#define PUDDLE_FETCH_H
#include "ddb_internal.h"
#include "expr.h"

/* Writes the item, or what projection (NULL: all) takes of it, as member name (NULL: in an array);
 * nothing if there is none, or if it is bigger than room. Returns the stored size, 0 if there is no
 * item, FETCH_NO_ROOM, or FETCH_FAILED with c->err set. */
enum { FETCH_FAILED = -1, FETCH_NO_ROOM = -2 };
struct ddb_fetch {
    const struct expr_projection *projection;
    const char *name;
    bool omit_empty; /* nothing is left after the projection: no member either */
    int64_t room;
};
int64_t ddb_read_item(struct call *c, struct table *t, const struct ddb_key *key,
                      const struct ddb_fetch *how);
#endif
