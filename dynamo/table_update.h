/* table_update.h - what UpdateTable asks: checked in AWS's order with its words, and made a new
 * definition. Pure. Facts 126-132, and AWS as recorded in October 2026: one concern a call. */
#ifndef PUDDLE_TABLE_UPDATE_H
#define PUDDLE_TABLE_UPDATE_H
#include "table.h"

struct table_update {
    struct str def; /* the new definition, but for the stream */
    bool stream_on, stream_off;
    bool echo_old;            /* AWS's reply still has the old values */
    struct table_state state; /* of the reply */
};
/* The checks that need no table. */
bool table_update_check(struct jval in, struct arena *a, struct aws_err *err);
/* Those that do, and the result. */
bool table_update_plan(const struct table *t, struct jval in, int64_t now_ms, struct arena *a,
                       struct table_update *ret, struct aws_err *err);
#endif
