#include "throttle.h"
#include "clock.h"
#include "dynamodb_model.h"
#include "map.h"
#include "panic.h"
#include <stdlib.h>

enum { BURST_S = 300, FORGET_ABOVE = 4096 };

struct bucket {
    double units;
    int64_t at_ms;
};
struct throttle {
    struct map buckets; /* by "table id/index name/r or w" */
};

struct throttle *throttle_new(void)
{
    struct throttle *th = calloc(1, sizeof *th);
    if (th == NULL)
        PANIC("out of memory");
    map_init(&th->buckets);
    return th;
}

static void forget_all(struct throttle *th)
{
    struct str key;
    void *b;
    size_t at = 0;
    while (map_next(&th->buckets, &at, &key, &b))
        free(b);
    map_release(&th->buckets);
    map_init(&th->buckets);
}

void throttle_free(struct throttle *th)
{
    if (th == NULL)
        return;
    forget_all(th);
    map_release(&th->buckets);
    free(th);
}

static double provisioned(const struct table *t, const struct index *x, bool write)
{
    struct jval throughput = jval_get(x == NULL ? t->def : x->def, "ProvisionedThroughput");
    int64_t units = 0;
    if (!jval_i64(jval_get(throughput, write ? "WriteCapacityUnits" : "ReadCapacityUnits"), &units))
        return 0;
    return (double)units;
}

/* Filled up to now. NULL: nothing to hold to. */
static struct bucket *bucket_of(struct throttle *th, const struct table *t, const struct index *x,
                                bool write)
{
    struct buf key;
    if (th == NULL || t->on_demand)
        return NULL;
    if (x != NULL && !x->global)
        x = NULL;
    double rate = provisioned(t, x, write);
    if (rate <= 0)
        return NULL;
    buf_init(&key, 1024);
    buf_addf(&key, "%lld/%.*s/%c", (long long)t->id, x == NULL ? 0 : (int)x->name.n,
             x == NULL ? "" : x->name.p, write ? 'w' : 'r');
    struct bucket *b = map_get(&th->buckets, buf_view(&key));
    int64_t now = clock_now_ms(); /* virtual time fills buckets too */
    if (b == NULL) {
        if (th->buckets.count >= FORGET_ABOVE) /* deleted tables'; a full bucket is no harm */
            forget_all(th);
        b = calloc(1, sizeof *b);
        if (b == NULL)
            PANIC("out of memory");
        *b = (struct bucket){rate * BURST_S, now};
        map_put(&th->buckets, buf_view(&key), b);
    }
    buf_release(&key);
    if (now > b->at_ms)
        b->units += (double)(now - b->at_ms) / 1e3 * rate;
    b->at_ms = now;
    if (b->units > rate * BURST_S)
        b->units = rate * BURST_S;
    return b;
}

static bool refuse(struct arena *a, struct aws_err *err, bool of_table)
{
    return aws_fail(err, a, &DYNAMODB_ProvisionedThroughputExceededException,
                    of_table
                        ? "The level of configured provisioned throughput for the table was "
                          "exceeded. Consider increasing your provisioning level with the "
                          "UpdateTable API."
                        : "The level of configured provisioned throughput for one or more global "
                          "secondary indexes of the table was exceeded. Consider increasing your "
                          "provisioning level for the under-provisioned global secondary indexes "
                          "with the UpdateTable API");
}

bool throttle_may_read(struct throttle *th, const struct table *t, const struct index *x,
                       struct arena *a, struct aws_err *err)
{
    const struct bucket *b = bucket_of(th, t, x, false);
    return b == NULL || b->units > 0 || refuse(a, err, x == NULL || !x->global);
}

bool throttle_may_write(struct throttle *th, const struct table *t, const double *by_index,
                        struct arena *a, struct aws_err *err)
{
    const struct bucket *b = bucket_of(th, t, NULL, true);
    if (b != NULL && b->units <= 0)
        return refuse(a, err, true);
    for (size_t i = 0; i < t->global_count && by_index != NULL; i++) {
        b = by_index[i] > 0 ? bucket_of(th, t, &t->indexes[i], true) : NULL;
        if (b != NULL && b->units <= 0)
            return refuse(a, err, false);
    }
    return true;
}

static void charge(struct bucket *b, double units)
{
    if (b != NULL)
        b->units -= units;
}

static struct throttle_totals totals; /* of the process: also without --throttle */

struct throttle_totals throttle_totals(void)
{
    return totals;
}

void throttle_charge_read(struct throttle *th, const struct table *t, const struct index *x,
                          double units)
{
    totals.reads += units;
    charge(bucket_of(th, t, x, false), units);
}

void throttle_charge_write(struct throttle *th, const struct table *t, double units,
                           const double *by_index)
{
    totals.writes += units;
    charge(bucket_of(th, t, NULL, true), units);
    for (size_t i = 0; i < t->index_count && by_index != NULL; i++) {
        totals.writes += by_index[i];
        if (by_index[i] > 0)
            charge(bucket_of(th, t, &t->indexes[i], true), by_index[i]);
    }
}
