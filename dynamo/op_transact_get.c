/* TransactGetItems: one tick, so what it reads is one state. */
#include "fetch.h"
#include "params.h"
#include "transact.h"

struct get {
    struct ddb_params p;
    struct item key;
    struct ddb_exprs exprs;
};

static bool read_get(struct call *c, struct jval member, struct get *g)
{
    ddb_params_read(c->arena, jval_get(member, "Get"), &DDB_TRANSACT_READ_STYLES, &g->p);
    return ddb_params_check(c->arena, &g->p, &DDB_TRANSACT_READ_STYLES, &c->err) &&
           item_read(g->p.v[P_KEY], ATTR_OLDER, c->arena, ddb_text(c), &g->key, &c->err) &&
           ddb_params_parse(c->arena, &g->p, &DDB_TRANSACT_READ_STYLES, &g->exprs, &c->err);
}

/* Tables and keys of all. CALL_DONE: go on. */
static enum call_status find_all(struct call *c, struct get *gets, struct ddb_targets *t)
{
    for (size_t i = 0; i < t->count; i++) {
        t->tables[i] =
            ddb_table_or_fail(c, ddb_param_text(c->arena, &gets[i].p, P_TABLE_NAME), DDB_FOR_ITEM);
        if (t->tables[i] == NULL)
            return CALL_FAILED;
    }
    for (size_t i = 0; i < t->count; i++) {
        if (!ddb_check_empty_keys(c, t->tables[i], &gets[i].key))
            return CALL_FAILED;
    }
    for (size_t i = 0; i < t->count; i++)
        ddb_targets_note(t, c, i, ddb_key_of_key(c, t->tables[i], &gets[i].key, &t->keys[i]));
    return ddb_targets_settle(t, c);
}

static enum call_status read_all(struct call *c, const struct get *gets,
                                 const struct ddb_targets *t, struct capacity_list *units)
{
    struct ddb *d = ddb_of(c);
    struct aws_err *reasons = ARENA_ARRAY(c->arena, struct aws_err, t->count);
    int64_t total = 0;
    bool throttled = false;
    for (size_t i = 0; i < t->count && d->throttle != NULL; i++)
        throttled |= !throttle_may_read(d->throttle, t->tables[i], NULL, c->arena, &reasons[i]);
    if (throttled)
        return ddb_transact_cancel(c, reasons, t->count);
    db_read(d->db);
    json_arr(&c->out, "Responses");
    for (size_t i = 0; i < t->count; i++) {
        json_obj(&c->out, NULL);
        struct ddb_fetch how = {.projection = gets[i].exprs.projection,
                                .name = "Item",
                                .omit_empty = true,
                                .room = INT64_MAX};
        int64_t size = ddb_read_item(c, t->tables[i], &t->keys[i], &how);
        json_end(&c->out);
        if (size < 0)
            return CALL_FAILED;
        total += size;
        double cost = 2 * capacity_read((size_t)size, true);
        capacity_list_add(units, c->arena, t->tables[i], cost, NULL);
        throttle_charge_read(d->throttle, t->tables[i], NULL, cost);
    }
    json_end(&c->out);
    return ddb_transact_check_size(c, (size_t)total) ? CALL_DONE : CALL_FAILED;
}

enum call_status ddb_transact_get_items(struct call *c)
{
    struct jval list = jval_get(c->in, "TransactItems"), it = {0};
    struct ddb_targets targets;
    struct capacity_list units = {0};
    ddb_targets_init(&targets, c->arena, jval_count(list));
    struct get *gets = ARENA_ARRAY(c->arena, struct get, targets.count);
    for (size_t i = 0; jval_next(list, &it, NULL); i++) {
        if (!read_get(c, it, &gets[i]))
            return CALL_FAILED;
    }
    enum call_status status = find_all(c, gets, &targets);
    if (status != CALL_DONE)
        return status;
    json_obj(&c->out, NULL);
    status = read_all(c, gets, &targets, &units);
    if (status != CALL_DONE)
        return status;
    capacity_list_put(&c->out, &units,
                      capacity_mode(jval_text(jval_get(c->in, "ReturnConsumedCapacity"), c->arena)),
                      CAPACITY_READS);
    json_end(&c->out);
    return CALL_DONE;
}
