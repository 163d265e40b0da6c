/* PutItem and DeleteItem: one change and what to say about it. Order of checks: which parameters go
 * together, attribute values, ReturnValues, item size, expressions, the table, its keys; only then
 * the present item is looked at. */
#include "capacity.h"
#include "change.h"
#include "params.h"

/* Only the old item can be asked for (fact 102). */
static bool read_return_values(struct call *c, const struct ddb_params *p, bool *ret_want_old)
{
    struct str value = ddb_param_text(c->arena, p, P_RETURN);
    *ret_want_old = str_eq_c(value, "ALL_OLD");
    if (value.n == 0 || *ret_want_old || str_eq_c(value, "NONE"))
        return true;
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "ReturnValues can only be ALL_OLD or NONE");
}

static enum call_status run(struct call *c, const struct ddb_params *p, struct ddb_change *x)
{
    enum capacity_mode mode = capacity_mode(ddb_param_text(c->arena, p, P_CAPACITY));
    struct ddb_exprs exprs;
    if (!ddb_params_parse(c->arena, p, &DDB_WRITE_STYLES, &exprs, &c->err))
        return CALL_FAILED;
    x->cond = exprs.cond;
    x->item_on_failure = ddb_param_is(c->arena, p, P_RETURN_FAILED, "ALL_OLD");
    x->want_units = mode != CAPACITY_NONE;
    x->t = ddb_table_or_fail(c, ddb_param_text(c->arena, p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (x->t == NULL || !ddb_change_check(c, x) || !ddb_change_prepare(c, x) ||
        !ddb_change_apply(c, x))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    if (x->want_old && x->w.had_old)
        json_raw(&c->out, "Attributes", x->w.old_text);
    struct capacity units = {.table = ddb_change_units(x), .indexes = x->w.index_units};
    capacity_put(&c->out, x->t, mode, &units);
    if (ddb_wants_metrics(c, p, x->t))
        ddb_collection_metrics(c, "ItemCollectionMetrics", x->t, &x->given);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_put_item(struct call *c)
{
    struct ddb_params p;
    struct ddb_change x = {.kind = CHANGE_PUT};
    ddb_params_read(c->arena, c->in, &DDB_WRITE_STYLES, &p);
    if (!ddb_params_check(c->arena, &p, &DDB_WRITE_STYLES, &c->err) ||
        !item_read(p.v[P_ITEM], ATTR_ENVELOPED, c->arena, ddb_text(c), &x.given, &c->err) ||
        !read_return_values(c, &p, &x.want_old))
        return CALL_FAILED;
    if (x.given.size > ATTR_ITEM_SIZE_MAX)
        return CALL_FAIL(c, &AWS_ValidationException, DDB_PUT_TOO_BIG);
    return run(c, &p, &x);
}

enum call_status ddb_delete_item(struct call *c)
{
    struct ddb_params p;
    struct ddb_change x = {.kind = CHANGE_DELETE};
    ddb_params_read(c->arena, c->in, &DDB_WRITE_STYLES, &p);
    if (!ddb_params_check(c->arena, &p, &DDB_WRITE_STYLES, &c->err) ||
        !item_read(p.v[P_KEY], ATTR_ENVELOPED, c->arena, ddb_text(c), &x.given, &c->err) ||
        !read_return_values(c, &p, &x.want_old))
        return CALL_FAILED;
    return run(c, &p, &x);
}
