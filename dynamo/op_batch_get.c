/* BatchGetItem: keys of several tables, each table with its own projection. Order of checks: of
 * each table what it says by itself, then the tables, then the keys. */
#include "capacity.h"
#include "fetch.h"
#include "params.h"
#include <stdlib.h>

enum { KEYS_MAX = 100, REPLY_ITEMS_MAX = 16 << 20 };
struct wanted {      /* of one table */
    struct str name; /* as it came */
    struct jval request;
    struct ddb_params p;
    struct ddb_exprs exprs;
    struct table *t;
    struct item *keys;
    struct jval *raw; /* the keys as they came */
    struct ddb_key *bytes;
    size_t count;
    size_t done; /* keys[done...] are left for the client */
    bool consistent;
};
struct batch {
    struct wanted *tables;
    size_t count;
    int64_t room; /* what more the reply may hold */
};

/* ---- keys that are asked for twice ---- */

struct given {
    struct str name, value;
};

static int compare_given(const void *a, const void *b)
{
    return str_cmp(((const struct given *)a)->name, ((const struct given *)b)->name);
}

/* A text that is equal for equal keys. Numbers count as they are written: unlike BatchWriteItem
 * this operation takes 1 and 1.0 for two keys (fact 52). */
static struct str identity(struct call *c, const struct item *key, struct jval raw)
{
    struct given *parts = ARENA_ARRAY(c->arena, struct given, key->count);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    for (size_t i = 0; i < key->count; i++) {
        const struct attr *at = &key->attrs[i];
        parts[i] = (struct given){at->name, at->bytes};
        if (at->type == ATTR_N)
            parts[i].value = jval_text(jval_get(jval_get_str(raw, at->name), "N"), c->arena);
        else if (at->type != ATTR_S && at->type != ATTR_B)
            parts[i].value = jval_raw(jval_get_str(raw, at->name));
    }
    qsort(parts, key->count, sizeof *parts, compare_given);
    for (size_t i = 0; i < key->count; i++) {
        buf_addf(b, "%zu:", parts[i].name.n);
        buf_add(b, parts[i].name);
        buf_addf(b, "%zu:", parts[i].value.n);
        buf_add(b, parts[i].value);
    }
    return buf_view(b);
}

static bool check_distinct(struct call *c, const struct wanted *w)
{
    struct str *ids = ARENA_ARRAY(c->arena, struct str, w->count);
    for (size_t i = 0; i < w->count; i++) {
        ids[i] = identity(c, &w->keys[i], w->raw[i]);
        for (size_t k = 0; k < i; k++) {
            if (str_eq(ids[i], ids[k]))
                return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                                "Provided list of item keys contains duplicates");
        }
    }
    return true;
}

/* ---- what is asked for ---- */

static bool read_keys(struct call *c, struct wanted *w)
{
    struct jval list = w->p.v[P_KEYS], it = {0};
    w->count = jval_count(list);
    w->keys = ARENA_ARRAY(c->arena, struct item, w->count);
    w->raw = ARENA_ARRAY(c->arena, struct jval, w->count);
    w->bytes = ARENA_ARRAY(c->arena, struct ddb_key, w->count);
    for (size_t i = 0; jval_next(list, &it, NULL); i++) {
        w->raw[i] = it;
        if (!item_read(it, ATTR_BARE, c->arena, ddb_text(c), &w->keys[i], &c->err))
            return false;
    }
    return check_distinct(c, w);
}

static bool fail_too_many(struct call *c)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "Too many items requested for the BatchGetItem call");
}

/* One style for the whole request (fact 42). */
static bool check_styles(struct call *c, const struct batch *b)
{
    bool expressions = false, older = false;
    for (size_t i = 0; i < b->count; i++) {
        if (!ddb_params_check(c->arena, &b->tables[i].p, &DDB_READ_STYLES, &c->err))
            return false;
        expressions |= ddb_has(&b->tables[i].p, P_PROJECTION);
        older |= ddb_has(&b->tables[i].p, P_ATTRIBUTES);
    }
    return !expressions || !older ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "Can not use both expression and non-expression parameters in the same "
                    "request: Non-expression parameters: {AttributesToGet} Expression parameters: "
                    "{ProjectionExpression}");
}

static bool read_all(struct call *c, struct batch *b)
{
    struct jval tables = jval_get(c->in, "RequestItems"), it = {0};
    size_t keys = 0;
    b->tables = ARENA_ARRAY(c->arena, struct wanted, jval_count(tables));
    while (jval_next(tables, &it, NULL)) {
        struct wanted *w = &b->tables[b->count];
        w->name = jval_key_str(it, c->arena);
        if (jval_get_str(tables, w->name).tok != it.tok) /* a later one of the name counts */
            continue;
        w->request = it;
        ddb_params_read(c->arena, it, &DDB_READ_STYLES, &w->p);
        jval_bool(w->p.v[P_CONSISTENT], &w->consistent);
        keys += jval_count(w->p.v[P_KEYS]);
        b->count++;
    }
    if (keys > KEYS_MAX)
        return fail_too_many(c);
    if (!check_styles(c, b))
        return false;
    for (size_t i = 0; i < b->count; i++) {
        struct wanted *w = &b->tables[i];
        if (!read_keys(c, w) ||
            !ddb_params_parse(c->arena, &w->p, &DDB_READ_STYLES, &w->exprs, &c->err))
            return false;
    }
    return true;
}

static bool find_all(struct call *c, struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        b->tables[i].t = ddb_table_or_fail(c, b->tables[i].name, DDB_FOR_ITEM);
        if (b->tables[i].t == NULL)
            return false;
    }
    for (size_t i = 0; i < b->count; i++) {
        struct wanted *w = &b->tables[i];
        for (size_t k = 0; k < w->count; k++) {
            if (!ddb_key_of_key(c, w->t, &w->keys[k], &w->bytes[k]))
                return false;
        }
    }
    return true;
}

/* ---- the reply ---- */

/* Until the reply is full or the table throttled. */
static bool read_table(struct call *c, struct batch *b, struct wanted *w,
                       struct capacity_list *units, struct aws_err *ret_throttled)
{
    struct ddb *d = ddb_of(c);
    json_key(&c->out, w->name);
    json_arr(&c->out, NULL);
    for (; w->done < w->count && b->room >= 0; w->done++) {
        struct aws_err throttled = {0};
        if (!throttle_may_read(d->throttle, w->t, NULL, c->arena, &throttled)) {
            *ret_throttled = throttled;
            break;
        }
        struct ddb_fetch how = {.projection = w->exprs.projection, .room = b->room};
        int64_t size = ddb_read_item(c, w->t, &w->bytes[w->done], &how);
        if (size == FETCH_FAILED)
            return false;
        if (size == FETCH_NO_ROOM) {
            b->room = -1; /* for the tables after this one too */
            break;
        }
        b->room -= size;
        double cost = capacity_read((size_t)size, w->consistent);
        throttle_charge_read(d->throttle, w->t, NULL, cost);
        capacity_list_add(units, c->arena, w->t, cost, NULL);
    }
    json_end(&c->out);
    return true;
}

/* The rest of one table's request, as it can be sent again. */
static void put_left(struct call *c, const struct wanted *w)
{
    struct jval it = {0};
    struct str key;
    json_key(&c->out, w->name);
    json_obj(&c->out, NULL);
    while (jval_next(w->request, &it, &key)) {
        key = jval_key_str(it, c->arena);
        if (str_eq_c(key, "Keys") || jval_get_str(w->request, key).tok != it.tok)
            continue;
        json_key(&c->out, key);
        json_copy(&c->out, NULL, it);
    }
    json_arr(&c->out, "Keys");
    for (size_t i = w->done; i < w->count; i++)
        json_copy(&c->out, NULL, w->raw[i]);
    json_end(&c->out);
    json_end(&c->out);
}

enum call_status ddb_batch_get_item(struct call *c)
{
    struct batch b = {.room = REPLY_ITEMS_MAX};
    struct capacity_list units = {0};
    struct aws_err throttled = {0};
    size_t done = 0;
    if (!read_all(c, &b) || !find_all(c, &b))
        return CALL_FAILED;
    db_read(ddb_of(c)->db);
    json_obj(&c->out, NULL);
    json_obj(&c->out, "Responses");
    for (size_t i = 0; i < b.count; i++) {
        if (!read_table(c, &b, &b.tables[i], &units, &throttled))
            return CALL_FAILED;
        done += b.tables[i].done;
    }
    json_end(&c->out);
    if (done == 0 && throttled.kind != NULL) {
        c->err = throttled;
        return CALL_FAILED;
    }
    json_obj(&c->out, "UnprocessedKeys");
    for (size_t i = 0; i < b.count; i++) {
        if (b.tables[i].done < b.tables[i].count)
            put_left(c, &b.tables[i]);
    }
    json_end(&c->out);
    capacity_list_put(&c->out, &units,
                      capacity_mode(jval_text(jval_get(c->in, "ReturnConsumedCapacity"), c->arena)),
                      CAPACITY_WHOLE);
    json_end(&c->out);
    return CALL_DONE;
}
