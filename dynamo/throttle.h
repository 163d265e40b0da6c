/* throttle.h - provisioned throughput made real (puddle start --throttle): one bucket of units for
 * reads and one for writes of every provisioned table and global index. A bucket fills at the
 * provisioned rate and keeps up to five minutes of what was not used, as DynamoDB's burst capacity.
 * A request passes while its bucket is not empty, and may leave it in debt: what it costs is known
 * only afterwards. unverified: AWS's own rule for the request that crosses the line. */
#ifndef PUDDLE_THROTTLE_H
#define PUDDLE_THROTTLE_H
#include "aws_err.h"
#include "table.h"

struct throttle;
struct throttle *throttle_new(void);
void throttle_free(struct throttle *th); /* NULL is fine */

/* May t (x: one of its global indexes, NULL: the table) be read now? Local indexes live on the
 * table's units. th NULL, or an on-demand table: yes. False: *err is
 * ProvisionedThroughputExceededException. */
bool throttle_may_read(struct throttle *th, const struct table *t, const struct index *x,
                       struct arena *a, struct aws_err *err);
/* May it be written? Every global index that the write touches must have units too. */
bool throttle_may_write(struct throttle *th, const struct table *t, const double *by_index,
                        struct arena *a, struct aws_err *err);
/* What it has cost. */
void throttle_charge_read(struct throttle *th, const struct table *t, const struct index *x,
                          double units);
void throttle_charge_write(struct throttle *th, const struct table *t, double units,
                           const double *by_index);
struct throttle_totals { /* units that were charged since the start of the process */
    double reads, writes;
};
struct throttle_totals throttle_totals(void);
#endif
