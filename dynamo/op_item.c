/* PutItem, GetItem, DeleteItem. Order of checks: parameters we do not have yet, attribute values,
 * ReturnValues, item size, the table, the key, the index keys; only then anything changes. */
#include "capacity.h"
#include "write.h"

/* The members of the three inputs, found in one pass over the request. */
enum param {
    P_TABLE_NAME,
    P_ITEM,
    P_KEY,
    P_CONSISTENT,
    P_CAPACITY,
    P_METRICS,
    P_RETURN,
    P_CONDITION,
    P_EXPECTED,
    P_OPERATOR,
    P_PROJECTION,
    P_ATTRIBUTES,
    P_NAMES,
    P_VALUES,
    P_COUNT
};
static const struct str param_names[P_COUNT] = {
    [P_TABLE_NAME] = {"TableName", 9},
    [P_ITEM] = {"Item", 4},
    [P_KEY] = {"Key", 3},
    [P_CONSISTENT] = {"ConsistentRead", 14},
    [P_CAPACITY] = {"ReturnConsumedCapacity", 22},
    [P_METRICS] = {"ReturnItemCollectionMetrics", 27},
    [P_RETURN] = {"ReturnValues", 12},
    [P_CONDITION] = {"ConditionExpression", 19},
    [P_EXPECTED] = {"Expected", 8},
    [P_OPERATOR] = {"ConditionalOperator", 19},
    [P_PROJECTION] = {"ProjectionExpression", 20},
    [P_ATTRIBUTES] = {"AttributesToGet", 15},
    [P_NAMES] = {"ExpressionAttributeNames", 24},
    [P_VALUES] = {"ExpressionAttributeValues", 25},
};
struct params {
    struct jval v[P_COUNT]; /* MISSING where the request has null */
};

static void read_params(struct call *c, struct params *ret)
{
    struct jval it = {0};
    struct str key;
    *ret = (struct params){0};
    while (jval_next(c->in, &it, &key)) {
        if (str_find(key, '\\') >= 0)
            key = jval_key_str(it, c->arena);
        for (size_t i = 0; i < P_COUNT; i++) {
            if (str_eq(key, param_names[i]))
                ret->v[i] = jval_present(it) ? it : (struct jval){0};
        }
    }
}

static bool has(const struct params *p, enum param which)
{
    return p->v[which].doc != NULL;
}

static struct str text_of(struct call *c, const struct params *p, enum param which)
{
    return jval_text(p->v[which], c->arena);
}

/* Never a silent success: what would change the outcome and is not there yet is refused. The maps
 * that only serve expressions get AWS's own answer when there is no expression (fact 83). */
static bool check_params(struct call *c, const struct params *p)
{
    for (enum param i = P_CONDITION; i <= P_ATTRIBUTES; i++) {
        if (has(p, i))
            return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                            "Puddle does not support %.*s yet", STR_ARG(param_names[i]));
    }
    if (has(p, P_NAMES))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "ExpressionAttributeNames can only be specified when using expressions");
    if (has(p, P_VALUES))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "ExpressionAttributeValues can only be specified when using expressions: "
                        "ConditionExpression is null");
    return true;
}

/* ReturnValues of PutItem and DeleteItem (fact 102). */
static bool read_return_values(struct call *c, const struct params *p, bool *ret_want_old)
{
    struct str value = text_of(c, p, P_RETURN);
    *ret_want_old = str_eq_c(value, "ALL_OLD");
    if (value.n == 0 || *ret_want_old || str_eq_c(value, "NONE"))
        return true;
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "ReturnValues can only be ALL_OLD or NONE");
}

struct change { /* one item replaced, added or removed */
    struct ddb_write w;
    struct ddb_key key;
    bool want_old;
    struct params p;
};

/* ItemCollectionMetrics exist for tables with a local index only (fact 73). */
static void put_collection_metrics(struct call *c, const struct params *p, const struct table *t,
                                   const struct item *item)
{
    if (!str_eq_c(text_of(c, p, P_METRICS), "SIZE") || t->index_count == t->global_count)
        return;
    json_obj(&c->out, "ItemCollectionMetrics");
    json_obj(&c->out, "ItemCollectionKey");
    json_key(&c->out, t->key.part[0].name);
    json_raw(&c->out, NULL, item_find(item, t->key.part[0].name)->json);
    json_end(&c->out);
    json_raw(&c->out, "SizeEstimateRangeGB", STR("[0,1]"));
    json_end(&c->out);
}

/* key_holder: the item or Key that has the partition key. */
static enum call_status apply(struct call *c, struct change *x, const struct item *key_holder)
{
    struct ddb *d = ddb_of(c);
    struct ddb_write *w = &x->w;
    enum capacity_mode mode = capacity_mode(text_of(c, &x->p, P_CAPACITY));
    w->key = &x->key;
    w->want_index_units = mode != CAPACITY_NONE;
    if (!db_begin(d->db) || !ddb_write_load(d, c->arena, w, x->want_old))
        return ddb_internal_error(c);
    json_obj(&c->out, NULL);
    if (x->want_old && w->had_old)
        json_raw(&c->out, "Attributes", w->old.json);
    if (!ddb_write_apply(d, c->arena, c->now_ms, w))
        return ddb_internal_error(c);
    struct capacity units = {
        capacity_write(w->had_old ? (size_t)w->old_size : 0, w->now != NULL ? w->now->size : 0),
        w->index_units};
    capacity_put(&c->out, w->t, mode, &units);
    put_collection_metrics(c, &x->p, w->t, key_holder);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_put_item(struct call *c)
{
    struct item item;
    struct change x = {.w = {.now = &item}};
    read_params(c, &x.p);
    if (!check_params(c, &x.p) ||
        !item_read(x.p.v[P_ITEM], ATTR_ENVELOPED, c->arena, ddb_text(c), &item, &c->err) ||
        !read_return_values(c, &x.p, &x.want_old))
        return CALL_FAILED;
    if (item.size > ATTR_ITEM_SIZE_MAX)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Item size has exceeded the maximum allowed size");
    x.w.t = ddb_table_or_fail(c, text_of(c, &x.p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (x.w.t == NULL || !ddb_key_of_item(c, x.w.t, &item, &x.key) ||
        !ddb_check_index_keys(c, x.w.t, &item))
        return CALL_FAILED;
    return apply(c, &x, &item);
}

enum call_status ddb_delete_item(struct call *c)
{
    struct item key;
    struct change x = {.w = {.now = NULL}};
    read_params(c, &x.p);
    if (!check_params(c, &x.p) ||
        !item_read(x.p.v[P_KEY], ATTR_ENVELOPED, c->arena, ddb_text(c), &key, &c->err) ||
        !read_return_values(c, &x.p, &x.want_old))
        return CALL_FAILED;
    x.w.t = ddb_table_or_fail(c, text_of(c, &x.p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (x.w.t == NULL || !ddb_key_of_key(c, x.w.t, &key, &x.key))
        return CALL_FAILED;
    return apply(c, &x, &key);
}

enum call_status ddb_get_item(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct params p;
    struct item key;
    struct ddb_key bytes;
    struct store_row row;
    bool consistent = false;
    read_params(c, &p);
    if (!check_params(c, &p) ||
        !item_read(p.v[P_KEY], ATTR_BARE, c->arena, ddb_text(c), &key, &c->err))
        return CALL_FAILED;
    struct table *t = ddb_table_or_fail(c, text_of(c, &p, P_TABLE_NAME), DDB_FOR_ITEM);
    if (t == NULL || !ddb_key_of_key(c, t, &key, &bytes))
        return CALL_FAILED;
    db_read(d->db);
    enum store_result found = store_get(&d->store, t->id, &t->stmts, &bytes.bytes, &row);
    if (found == STORE_FAILED)
        return ddb_internal_error(c);
    json_obj(&c->out, NULL);
    if (found == STORE_OK)
        json_raw(&c->out, "Item", row.item); /* stored as it is sent */
    store_done(&row);
    jval_bool(p.v[P_CONSISTENT], &consistent);
    struct capacity units = {capacity_read(found == STORE_OK ? (size_t)row.size : 0, consistent),
                             NULL};
    capacity_put(&c->out, t, capacity_mode(text_of(c, &p, P_CAPACITY)), &units);
    json_end(&c->out);
    return CALL_DONE;
}
