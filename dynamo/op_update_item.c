/* UpdateItem. ReturnValues shows the item, or only the paths that the update names, before or
 * after (facts 102, 103). */
#include "capacity.h"
#include "change.h"
#include "panic.h"
#include "params.h"

/* The paths of the update alone. */
static void put_cut(struct call *c, const struct ddb_change *x, struct str item)
{
    struct buf *out = arena_new_buf(c->arena, ATTR_TEXT_MAX);
    if (x->update == NULL || item.p == NULL || !expr_update_cut(x->update, item, out))
        return;
    ASSERT(!out->overflow);
    json_raw(&c->out, "Attributes", buf_view(out));
}

static void put_attributes(struct call *c, const struct ddb_change *x, struct str which)
{
    struct str old = x->w.had_old ? x->w.old_text : STR_NONE;
    struct str now = x->w.now != NULL ? x->w.now->json : STR_NONE;
    if (str_eq_c(which, "UPDATED_OLD")) {
        put_cut(c, x, old);
    } else if (str_eq_c(which, "UPDATED_NEW")) {
        put_cut(c, x, now);
    } else {
        struct str all = str_eq_c(which, "ALL_OLD")   ? old
                         : str_eq_c(which, "ALL_NEW") ? now
                                                      : STR_NONE;
        if (all.p != NULL)
            json_raw(&c->out, "Attributes", all);
    }
}

enum call_status ddb_update_item(struct call *c)
{
    struct ddb_params p;
    struct ddb_exprs exprs;
    struct ddb_change x = {.kind = CHANGE_UPDATE};
    ddb_params_read(c->arena, c->in, &DDB_UPDATE_STYLES, &p);
    enum capacity_mode mode = capacity_mode(ddb_param_text(c->arena, &p, P_CAPACITY));
    if (!ddb_params_check(c->arena, &p, &DDB_UPDATE_STYLES, &c->err) ||
        !item_read(p.v[P_KEY], ATTR_ENVELOPED, c->arena, ddb_text(c), &x.given, &c->err) ||
        !ddb_params_parse(c->arena, &p, &DDB_UPDATE_STYLES, &exprs, &c->err))
        return CALL_FAILED;
    x.cond = exprs.cond;
    x.update = exprs.update;
    x.item_on_failure = ddb_param_is(c->arena, &p, P_RETURN_FAILED, "ALL_OLD");
    x.want_units = mode != CAPACITY_NONE;
    x.t = ddb_table_or_fail(c, ddb_param_text(c->arena, &p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (x.t == NULL || !ddb_change_check(c, &x) || !ddb_change_prepare(c, &x) ||
        !ddb_change_apply(c, &x))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    put_attributes(c, &x, ddb_param_text(c->arena, &p, P_RETURN));
    struct capacity units = {.table = ddb_change_units(&x), .indexes = x.w.index_units};
    capacity_put(&c->out, x.t, mode, &units);
    if (ddb_wants_metrics(c, &p, x.t))
        ddb_collection_metrics(c, "ItemCollectionMetrics", x.t, &x.given);
    json_end(&c->out);
    return CALL_DONE;
}
