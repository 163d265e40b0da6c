/* TransactWriteItems. Order of checks: what each action says by itself (values, sizes,
 * expressions), the tables, empty keys: errors of the whole request. Then the token. Then keys that
 * do not fit the schema, conditions and updates: reasons of a cancellation. */
#include "params.h"
#include "transact.h"

static const struct {
    const char *name;
    enum ddb_change_kind kind;
    enum ddb_param holder;
} actions[] = {
    {"ConditionCheck", CHANGE_CHECK, P_KEY},
    {"Put", CHANGE_PUT, P_ITEM},
    {"Delete", CHANGE_DELETE, P_KEY},
    {"Update", CHANGE_UPDATE, P_KEY},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

/* The one action of a member of TransactItems; ACTIONS with c->err set if there is not one. */
static size_t find_action(struct call *c, struct jval member, struct jval *ret)
{
    size_t found = ACTIONS, count = 0;
    for (size_t i = 0; i < ACTIONS; i++) {
        struct jval v = jval_get(member, actions[i].name);
        if (!jval_present(v))
            continue;
        *ret = v;
        found = i;
        count++;
    }
    if (count == 0)
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 "Invalid Request: TransactWriteRequest should contain Delete or Put or Update "
                 "request");
    if (count > 1)
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 "TransactItems can only contain one of Check, Put, Update or Delete");
    return count == 1 ? found : ACTIONS;
}

/* What the action says by itself. *bytes grows by its share of the payload. */
static bool read_action(struct call *c, struct jval member, struct ddb_change *x,
                        struct ddb_params *p, size_t *bytes)
{
    struct jval action = {0};
    struct ddb_exprs exprs;
    size_t which = find_action(c, member, &action);
    if (which == ACTIONS)
        return false;
    x->kind = actions[which].kind;
    const struct ddb_styles *styles =
        x->kind == CHANGE_UPDATE ? &DDB_TRANSACT_UPDATE_STYLES : &DDB_TRANSACT_WRITE_STYLES;
    ddb_params_read(c->arena, action, styles, p);
    if (!ddb_params_check(c->arena, p, styles, &c->err) ||
        !ddb_item_keep(c, p->v[actions[which].holder], ATTR_OLDER, &x->given))
        return false;
    if (x->kind == CHANGE_PUT && x->given.size > ATTR_ITEM_SIZE_MAX)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException, DDB_PUT_TOO_BIG);
    if (!ddb_params_parse(c->arena, p, styles, &exprs, &c->err))
        return false;
    x->cond = exprs.cond;
    x->update = exprs.update;
    x->item_on_failure = ddb_param_is(c->arena, p, P_RETURN_FAILED, "ALL_OLD");
    *bytes += x->given.size; /* unverified: how values of expressions count */
    if (ddb_has(p, P_VALUES))
        *bytes += jval_raw(p->v[P_VALUES]).n;
    return true;
}

static struct ddb_change *read_all(struct call *c, struct jval list, size_t count)
{
    struct ddb_change *changes = ARENA_ARRAY(c->arena, struct ddb_change, count);
    struct ddb_params *params = ARENA_ARRAY(c->arena, struct ddb_params, count);
    struct jval it = {0};
    size_t bytes = 0;
    for (size_t i = 0; jval_next(list, &it, NULL); i++) {
        if (!read_action(c, it, &changes[i], &params[i], &bytes))
            return NULL;
    }
    if (!ddb_transact_check_size(c, bytes))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        changes[i].t =
            ddb_table_or_fail(c, ddb_param_text(c->arena, &params[i], P_TABLE_NAME), DDB_FOR_ITEM);
        if (changes[i].t == NULL)
            return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!ddb_check_empty_keys(c, changes[i].t, &changes[i].given))
            return NULL;
    }
    return changes;
}

/* The same request again: nothing is done. */
static enum call_status reply_again(struct call *c, struct ddb_change *changes, size_t count,
                                    enum capacity_mode mode)
{
    struct capacity_list units = {0};
    if (mode != CAPACITY_NONE) {
        enum call_status status = ddb_transact_units_again(c, changes, count, &units);
        if (status != CALL_DONE)
            return status;
    }
    json_obj(&c->out, NULL);
    capacity_list_put(&c->out, &units, mode, CAPACITY_READS);
    json_end(&c->out);
    return CALL_DONE;
}

static void reply(struct call *c, const struct ddb_params *p, struct ddb_change *changes,
                  size_t count, enum capacity_mode mode)
{
    struct capacity_list units = {0};
    bool metered = false;
    json_obj(&c->out, NULL);
    if (mode != CAPACITY_NONE)
        ddb_transact_units(c, changes, count, &units);
    capacity_list_put(&c->out, &units, mode, CAPACITY_WRITES);
    for (size_t i = 0; i < count && !metered; i++)
        metered = ddb_wants_metrics(c, p, changes[i].t);
    if (metered)
        ddb_collection_metrics_list(c, changes, count);
    json_end(&c->out);
}

enum call_status ddb_transact_write_items(struct call *c)
{
    struct ddb_params p;
    struct jval list = jval_get(c->in, "TransactItems");
    struct token token = {
        c->account, c->region, jval_text(jval_get(c->in, "ClientRequestToken"), c->arena), {0}};
    size_t count = jval_count(list);
    ddb_params_read(c->arena, c->in, &DDB_TRANSACT_WRITE_STYLES, &p);
    enum capacity_mode mode = capacity_mode(ddb_param_text(c->arena, &p, P_CAPACITY));
    struct ddb_change *changes = read_all(c, list, count);
    if (changes == NULL)
        return CALL_FAILED;
    for (size_t i = 0; i < count; i++)
        changes[i].want_units = mode != CAPACITY_NONE;
    bool again = false;
    if (!ddb_transact_token(c, &token, list, &again))
        return CALL_FAILED;
    if (again)
        return reply_again(c, changes, count, mode);
    enum call_status status =
        ddb_transact_write(c, changes, count, token.text.n > 0 ? &token : NULL);
    if (status == CALL_DONE)
        reply(c, &p, changes, count, mode);
    return status;
}
