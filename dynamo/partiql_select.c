/* A SELECT on its own: partition after partition, or everything, a page at a time. */
#include "index.h"
#include "partiql_run.h"
#include "read_request.h"
#include <string.h>

/* Partitions read for one page when several are named. AWS documents ten items a page for IN;
 * unverified: that it means this. */
enum { PARTITIONS_A_PAGE = 10 };

struct run { /* in the call's arena: a long read is done in slices */
    struct call *c;
    struct pql_command *m;
    struct pql_plan plan;
    enum capacity_mode mode;
    int64_t limit; /* rows still to be looked at; 0: no limit */
    bool limited;
    size_t bytes;
    double table_units, index_units;
    struct buf *line;
    struct read_parked parked;
    /* where it is */
    struct ddb_read r;
    bool reading;
    size_t first, range; /* of the plan */
    struct item *after;  /* NULL: from the start of the range */
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

static void add_units(struct run *x)
{
    struct capacity one = {0};
    const struct table *t = x->m->t;
    struct throttle *throttle = ddb_of(x->c)->throttle;
    ddb_read_units(&x->r, x->m->consistent, &one);
    double index = x->m->index == NULL ? 0 : one.indexes[x->m->index - t->indexes];
    x->table_units += one.table;
    x->index_units += index;
    throttle_charge_read(throttle, t, x->m->index, one.table + index);
}

static bool start_read(struct run *x)
{
    struct ddb_read *r = &x->r;
    struct pql_range *p = x->plan.count == 0 ? NULL : &x->plan.ranges[x->range];
    struct expr_node *filter = p == NULL ? x->plan.filter : p->filter;
    *r = (struct ddb_read){.t = x->m->t,
                           .x = x->m->index,
                           .arena = x->c->arena,
                           .limit = x->limited ? x->limit : 0,
                           .backward = x->plan.backward,
                           .whole = x->m->whole,
                           .pause_ms = read_pause_ms(x->c),
                           .page_bytes = x->bytes};
    if (filter != NULL)
        r->filter = expr_cond_seal(x->c->arena, filter);
    return p == NULL ? ddb_read_segment(r, 0, 1, x->after, &x->c->err)
                     : ddb_read_partition(r, &p->key, x->after, &x->c->err);
}

/* One partition (or everything) has been read as far as it goes; sets more when the page ends. */
static void end_range(struct run *x, bool page_full)
{
    size_t count = x->plan.count == 0 ? 1 : x->plan.count;
    bool one = x->plan.count > 0 && x->plan.ranges[x->range].whole_key && x->m->index == NULL;
    if (page_full && !one) {
        x->more = true;
        x->stop = (struct pql_position){x->range, arena_str(x->c->arena, ddb_read_last_key(&x->r))};
    }
    add_units(x);
    x->limit -= x->r.scanned;
    x->bytes += x->r.bytes;
    ddb_read_stop(&x->r);
    x->reading = false;
    x->after = NULL;
    x->range++;
    bool full = (x->limited && x->limit <= 0) || x->bytes >= READ_PAGE_BYTES ||
                x->range - x->first >= PARTITIONS_A_PAGE;
    if (!x->more && full && x->range < count) {
        x->more = true;
        x->stop = (struct pql_position){x->range, STR("")};
    }
}

static enum call_status finish(struct run *x)
{
    struct call *c = x->c;
    struct pql_command *m = x->m;
    struct capacity units = {.table = x->table_units};
    json_end(&c->out);
    if (x->more) {
        if (x->stop.last_key.n > 0)
            json_raw(&c->out, "LastEvaluatedKey", x->stop.last_key);
        json_str(&c->out, "NextToken", pql_token_make(m, x->stop));
    }
    if (m->index != NULL) {
        double *indexes = ARENA_ARRAY(c->arena, double, m->t->index_count);
        indexes[m->index - m->t->indexes] = x->index_units;
        units.indexes = indexes;
    }
    capacity_put(&c->out, m->t, x->mode, &units);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status resume(struct call *c, enum wait_end how);

static enum call_status read_on(struct run *x)
{
    struct str item;
    struct ddb *d = ddb_of(x->c);
    size_t count = x->plan.count == 0 ? 1 : x->plan.count;
    while (!x->more && x->range < count) {
        if (!x->reading &&
            (!throttle_may_read(d->throttle, x->m->t, x->m->index, x->c->arena, &x->c->err) ||
             !start_read(x)))
            return CALL_FAILED;
        x->reading = true;
        enum read_result found = ddb_read_next(d, &x->r, &item);
        switch (found) {
        case READ_ROW:
            buf_clear(x->line);
            pql_project(x->m, item, x->line);
            json_raw(&x->c->out, NULL, buf_view(x->line));
            break;
        case READ_END:
        case READ_PAGE:
            end_range(x, found == READ_PAGE);
            break;
        case READ_FAILED:
            ddb_read_stop(&x->r);
            return ddb_internal_error(x->c);
        case READ_PAUSED:
            x->c->scratch = x;
            return read_park(x->c, &x->parked, resume);
        }
    }
    return finish(x);
}

static enum call_status resume(struct call *c, enum wait_end how)
{
    struct run *x = c->scratch;
    if (how == WAIT_CANCELLED)
        return ddb_internal_error(c);
    if (!read_find_again(c, &x->parked, &x->r))
        return CALL_FAILED;
    x->m->t = x->r.t;
    x->m->index = x->r.x;
    return read_on(x);
}

static bool start_at(struct run *x, struct pql_position from)
{
    if (from.range >= (x->plan.count == 0 ? 1 : x->plan.count))
        return pql_fail(&x->m->x, "Invalid NextToken");
    x->first = x->range = from.range;
    if (from.last_key.n == 0)
        return true;
    struct buf *text = arena_new_buf(x->c->arena, 1 << 22);
    x->after = ARENA_NEW(x->c->arena, struct item);
    return item_read_stored(from.last_key, x->c->arena, text, x->after) ||
           pql_fail(&x->m->x, "Invalid NextToken");
}

enum call_status pql_select_run(struct call *c, struct pql_command *m, int64_t limit,
                                struct str next_token, enum capacity_mode mode)
{
    struct run *x = ARENA_NEW(c->arena, struct run);
    struct pql_position from = {0, STR("")};
    const struct key_schema *key = m->index != NULL ? &m->index->key : &m->t->key;
    *x = (struct run){.c = c, .m = m, .limit = limit, .limited = limit > 0, .mode = mode};
    x->line = arena_new_buf(c->arena, ATTR_TEXT_MAX);
    if (!pql_plan(&m->x, key, m->where, m->select, &x->plan) || !check_filter(x) ||
        (next_token.n > 0 && !pql_token_read(m, next_token, &from)) || !start_at(x, from))
        return CALL_FAILED;
    read_parked_set(&x->parked, c, m->t, m->index == NULL ? STR("") : m->index->name,
                    m->consistent);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Items");
    return read_on(x);
}
