/* read_internal.h - what the files of the read core share. */
#ifndef PUDDLE_READ_INTERNAL_H
#define PUDDLE_READ_INTERNAL_H
#include "read.h"

/* The key of what is read: the table's or the index's. */
const struct key_schema *read_schema(const struct ddb_read *r);
/* Narrows the range to what comes after a position in it. */
void read_go_on_after(struct ddb_read *r, const struct store_key *at);
#endif
