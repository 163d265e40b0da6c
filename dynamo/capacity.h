/* capacity.h - what an operation is billed, and how replies say it. Pure. Facts 65-73. */
#ifndef PUDDLE_CAPACITY_H
#define PUDDLE_CAPACITY_H
#include "attr.h"
#include "table.h"

enum capacity_mode { CAPACITY_NONE, CAPACITY_TOTAL, CAPACITY_INDEXES };
/* Of ReturnConsumedCapacity (empty: absent; already checked by the model). */
enum capacity_mode capacity_mode(struct str mode);

double capacity_read(size_t size, bool consistent); /* size 0: no item */
double capacity_write(size_t old_size, size_t new_size);
/* A write's cost on one index; old_item or new_item NULL: there is none. */
double capacity_index_write(const struct table *t, const struct index *x,
                            const struct item *old_item, const struct item *new_item);

struct capacity {
    double table;
    double *indexes; /* by table.indexes; NULL: none */
};
/* ConsumedCapacity into the reply object; nothing for CAPACITY_NONE. */
void capacity_put(struct json_out *out, const struct table *t, enum capacity_mode mode,
                  const struct capacity *units);
#endif
