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

enum capacity_split { CAPACITY_WHOLE, CAPACITY_READS, CAPACITY_WRITES };
struct capacity {
    double table;
    double *indexes;           /* by table.indexes; NULL: none */
    enum capacity_split split; /* transactions also say what kind of units they are (fact 71) */
};
/* ConsumedCapacity into the reply object; nothing for CAPACITY_NONE. */
void capacity_put(struct json_out *out, const struct table *t, enum capacity_mode mode,
                  const struct capacity *units);

/* What batches and transactions add up, by table, in the order of first use. Zeroed: empty. */
struct capacity_list {
    struct capacity_entry {
        const struct table *t;
        struct capacity units;
    } * entries;
    size_t count, cap;
};
/* Adds table units, and indexes' units (NULL: none), to t's entry. */
void capacity_list_add(struct capacity_list *list, struct arena *a, const struct table *t,
                       double table, const double *indexes);
/* ConsumedCapacity as a list; nothing for CAPACITY_NONE. */
void capacity_list_put(struct json_out *out, const struct capacity_list *list,
                       enum capacity_mode mode, enum capacity_split split);
#endif
