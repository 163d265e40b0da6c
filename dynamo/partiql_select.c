/* A SELECT on its own: partition after partition, or everything, a page at a time. */
#include "index.h"
#include "partiql_run.h"
#include "read.h"
#include <string.h>

/* Partitions read for one page when several are named. AWS documents ten items a page for IN;
 * unverified: that it means this. */
enum { PARTITIONS_A_PAGE = 10 };

struct run {
    struct call *c;
    struct pql_command *m;
    struct pql_plan plan;
    int64_t limit; /* rows still to be looked at; 0: no limit */
    bool limited;
    size_t bytes;
    struct capacity units;
    struct buf *line;
    /* where it stops */
    bool more;
    struct pql_position stop;
};

/* A condition beside a fixed partition key may only look at what the index has. */
static bool check_filter(struct run *x)
{
    struct pql_command *m = x->m;
    size_t count;
    if (m->index == NULL || !x->plan.keyed)
        return true;
    struct str *names = pql_condition_names(m->x.a, m->where, &count);
    struct buf *missing = arena_new_buf(m->x.a, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        if (!index_projects(m->t, m->index, names[i]))
            buf_addf(missing, "%s%.*s", missing->n == 0 ? "" : ", ", STR_ARG(names[i]));
    }
    return missing->n == 0 ||
           pql_fail(&m->x,
                    "One or more parameter values were invalid: Secondary index %.*s does not "
                    "project one or more filter attributes: [%.*s]",
                    STR_ARG(m->index->name), STR_ARG(buf_view(missing)));
}

static void add_units(struct run *x, const struct ddb_read *r)
{
    struct capacity one = {0};
    const struct table *t = x->m->t;
    ddb_read_units(r, x->m->consistent, &one);
    x->units.table += one.table;
    double units = one.table;
    for (size_t i = 0; one.indexes != NULL && i < t->index_count; i++)
        units += one.indexes[i];
    throttle_charge_read(ddb_of(x->c)->throttle, t, x->m->index, units);
    if (one.indexes == NULL)
        return;
    if (x->units.indexes == NULL)
        x->units.indexes = ARENA_ARRAY(x->c->arena, double, t->index_count);
    for (size_t i = 0; i < t->index_count; i++)
        x->units.indexes[i] += one.indexes[i];
}

static bool start_read(struct run *x, struct ddb_read *r, size_t range, const struct item *start)
{
    struct pql_range *p = x->plan.count == 0 ? NULL : &x->plan.ranges[range];
    struct expr_node *filter = p == NULL ? x->plan.filter : p->filter;
    *r = (struct ddb_read){.t = x->m->t,
                           .x = x->m->index,
                           .arena = x->c->arena,
                           .limit = x->limited ? x->limit : 0,
                           .backward = x->plan.backward,
                           .whole = x->m->whole};
    if (filter != NULL)
        r->filter = expr_cond_seal(x->c->arena, filter);
    return p == NULL ? ddb_read_segment(r, 0, 1, start, &x->c->err)
                     : ddb_read_partition(r, &p->key, start, &x->c->err);
}

/* Reads one partition (or everything); sets more when the page ends in it. */
static bool read_range(struct run *x, size_t range, const struct item *start)
{
    struct ddb_read r;
    struct str item;
    enum read_result found;
    struct ddb *d = ddb_of(x->c);
    if (!throttle_may_read(d->throttle, x->m->t, x->m->index, x->c->arena, &x->c->err) ||
        !start_read(x, &r, range, start))
        return false;
    while ((found = ddb_read_next(d, &r, &item)) == READ_ROW) {
        buf_clear(x->line);
        pql_project(x->m, item, x->line);
        json_raw(&x->c->out, NULL, buf_view(x->line));
    }
    if (found == READ_FAILED) {
        ddb_read_stop(&r);
        ddb_internal_error(x->c);
        return false;
    }
    bool one = x->plan.count > 0 && x->plan.ranges[range].whole_key && x->m->index == NULL;
    if (found == READ_PAGE && !one) {
        x->more = true;
        x->stop = (struct pql_position){range, arena_str(x->c->arena, ddb_read_last_key(&r))};
    }
    add_units(x, &r);
    x->limit -= r.scanned;
    x->bytes += r.bytes;
    ddb_read_stop(&r);
    return true;
}

static bool read_ranges(struct run *x, struct pql_position from)
{
    struct item start, *after = NULL;
    size_t count = x->plan.count == 0 ? 1 : x->plan.count;
    if (from.range >= count)
        return pql_fail(&x->m->x, "Invalid NextToken");
    if (from.last_key.n > 0) {
        struct buf *text = arena_new_buf(x->c->arena, 1 << 22);
        if (!item_read_stored(from.last_key, x->c->arena, text, &start))
            return pql_fail(&x->m->x, "Invalid NextToken");
        after = &start;
    }
    for (size_t i = from.range; i < count; i++) {
        if (!read_range(x, i, after))
            return false;
        after = NULL;
        bool full = (x->limited && x->limit <= 0) || x->bytes >= READ_PAGE_BYTES ||
                    i + 1 - from.range >= PARTITIONS_A_PAGE;
        if (!x->more && full && i + 1 < count) {
            x->more = true;
            x->stop = (struct pql_position){i + 1, STR("")};
        }
        if (x->more)
            return true;
    }
    return true;
}

enum call_status pql_select_run(struct call *c, struct pql_command *m, int64_t limit,
                                struct str next_token, enum capacity_mode mode)
{
    struct run x = {.c = c, .m = m, .limit = limit, .limited = limit > 0};
    struct pql_position from = {0, STR("")};
    const struct key_schema *key = m->index != NULL ? &m->index->key : &m->t->key;
    x.line = arena_new_buf(c->arena, ATTR_TEXT_MAX);
    if (!pql_plan(&m->x, key, m->where, m->select, &x.plan) || !check_filter(&x) ||
        (next_token.n > 0 && !pql_token_read(m, next_token, &from)))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Items");
    if (!read_ranges(&x, from))
        return CALL_FAILED;
    json_end(&c->out);
    if (x.more) {
        if (x.stop.last_key.n > 0)
            json_raw(&c->out, "LastEvaluatedKey", x.stop.last_key);
        json_str(&c->out, "NextToken", pql_token_make(m, x.stop));
    }
    capacity_put(&c->out, m->t, mode, &x.units);
    json_end(&c->out);
    return CALL_DONE;
}
