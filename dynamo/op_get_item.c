#include "capacity.h"
#include "fetch.h"
#include "params.h"

enum call_status ddb_get_item(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct ddb_params p;
    struct ddb_exprs exprs;
    struct item key;
    struct ddb_key bytes;
    bool consistent = false;
    ddb_params_read(c->arena, c->in, &DDB_READ_STYLES, &p);
    if (!ddb_params_check(c->arena, &p, &DDB_READ_STYLES, &c->err) ||
        !item_read(p.v[P_KEY], ATTR_BARE, c->arena, ddb_text(c), &key, &c->err) ||
        !ddb_params_parse(c->arena, &p, &DDB_READ_STYLES, &exprs, &c->err))
        return CALL_FAILED;
    struct table *t =
        ddb_table_or_fail(c, ddb_param_text(c->arena, &p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (t == NULL || !ddb_key_of_key(c, t, &key, &bytes))
        return CALL_FAILED;
    if (!throttle_may_read(d->throttle, t, NULL, c->arena, &c->err))
        return CALL_FAILED;
    db_read(d->db);
    json_obj(&c->out, NULL);
    struct ddb_fetch how = {.projection = exprs.projection, .name = "Item", .room = INT64_MAX};
    int64_t size = ddb_read_item(c, t, &bytes, &how);
    if (size < 0)
        return CALL_FAILED;
    jval_bool(p.v[P_CONSISTENT], &consistent);
    struct capacity units = {.table = capacity_read((size_t)size, consistent)};
    throttle_charge_read(d->throttle, t, NULL, units.table);
    capacity_put(&c->out, t, capacity_mode(ddb_param_text(c->arena, &p, P_CAPACITY)), &units);
    json_end(&c->out);
    return CALL_DONE;
}
