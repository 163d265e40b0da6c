/* BatchWriteItem: puts and deletes without conditions, each for itself, none if any is malformed.
 */
#include "params.h"
#include "transact.h"

enum { WRITES_MAX = 25 };
struct writes {
    struct ddb_change changes[WRITES_MAX];
    struct jval requests[WRITES_MAX]; /* as they came, for UnprocessedItems */
    struct str names[WRITES_MAX];     /* of their tables, as they came */
    bool left[WRITES_MAX];            /* throttled */
    size_t count;
};

static bool fail_request(struct call *c)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "Supplied AttributeValue has more than one datatypes set, must contain exactly "
                    "one of the supported datatypes");
}

static bool read_request(struct call *c, struct writes *w, struct str name, struct jval request)
{
    struct jval put = jval_get(request, "PutRequest"), del = jval_get(request, "DeleteRequest");
    if (w->count == WRITES_MAX)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Too many items requested for the BatchWriteItem call");
    struct ddb_change *x = &w->changes[w->count];
    w->requests[w->count] = request;
    w->names[w->count++] = name;
    if (jval_present(put) == jval_present(del)) /* AWS uses the words of a value for it */
        return fail_request(c);
    x->kind = jval_present(put) ? CHANGE_PUT : CHANGE_DELETE;
    struct jval holder = x->kind == CHANGE_PUT ? jval_get(put, "Item") : jval_get(del, "Key");
    if (!ddb_item_keep(c, holder, ATTR_OLDER, &x->given))
        return false;
    return x->kind != CHANGE_PUT || x->given.size <= ATTR_ITEM_SIZE_MAX ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException, DDB_PUT_TOO_BIG);
}

static bool read_all(struct call *c, struct writes *w)
{
    struct jval tables = jval_get(c->in, "RequestItems"), table = {0};
    while (jval_next(tables, &table, NULL)) {
        struct str name = jval_key_str(table, c->arena);
        struct jval request = {0};
        if (jval_get_str(tables, name).tok != table.tok) /* a later one of the same name counts */
            continue;
        while (jval_next(table, &request, NULL)) {
            if (!read_request(c, w, name, request))
                return false;
        }
    }
    return w->count > 0 || /* null is no list: unverified, what AWS says to it */
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "The requestItems parameter is required for BatchWriteItem");
}

/* A put whose key does not fit is worded as a key parameter here. */
static bool check_key(struct call *c, struct ddb_change *x)
{
    if (!ddb_check_key_types(c, x->t, &x->given))
        return false;
    return ddb_change_check(c, x);
}

static bool check_all(struct call *c, struct writes *w)
{
    for (size_t i = 0; i < w->count; i++) {
        bool same = i > 0 && str_eq(w->names[i], w->names[i - 1]);
        w->changes[i].t =
            same ? w->changes[i - 1].t : ddb_table_or_fail(c, w->names[i], DDB_FOR_ITEM);
        if (w->changes[i].t == NULL)
            return false;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (!check_key(c, &w->changes[i]))
            return false;
        const struct store_key *key = &w->changes[i].key.bytes;
        for (size_t k = 0; k < i; k++) {
            const struct store_key *other = &w->changes[k].key.bytes;
            if (w->changes[k].t == w->changes[i].t && str_eq(key->hk, other->hk) &&
                str_eq(key->sk, other->sk))
                return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                                "Provided list of item keys contains duplicates");
        }
    }
    return true;
}

/* What is throttled stays for the client to ask again; it is an error only if that is all
 * (fact 64). */
static bool write_all(struct call *c, struct writes *w, enum capacity_mode mode,
                      struct capacity_list *units)
{
    size_t left = 0;
    struct aws_err throttled = {0};
    for (size_t i = 0; i < w->count; i++) {
        struct ddb_change *x = &w->changes[i];
        x->want_units = mode != CAPACITY_NONE;
        if (!ddb_change_prepare(c, x)) {
            if (c->err.kind != &DYNAMODB_ProvisionedThroughputExceededException)
                return false;
            throttled = c->err;
            c->err = (struct aws_err){0};
            w->left[i] = true;
            left++;
            continue;
        }
        if (!ddb_change_apply(c, x))
            return false;
        if (mode != CAPACITY_NONE)
            capacity_list_add(units, c->arena, x->t, ddb_change_units(x), x->w.index_units);
    }
    if (left == w->count)
        c->err = throttled;
    return left < w->count;
}

static void put_left(struct call *c, const struct writes *w)
{
    bool open = false;
    json_obj(&c->out, "UnprocessedItems");
    for (size_t i = 0; i < w->count; i++) {
        if (w->left[i] && !open) {
            json_key(&c->out, w->names[i]);
            json_arr(&c->out, NULL);
            open = true;
        }
        if (w->left[i])
            json_copy(&c->out, NULL, w->requests[i]);
        bool last = i + 1 == w->count || !str_eq(w->names[i], w->names[i + 1]);
        if (last && open) {
            json_end(&c->out);
            open = false;
        }
    }
    json_end(&c->out);
}

enum call_status ddb_batch_write_item(struct call *c)
{
    struct ddb_params p;
    struct capacity_list units = {0};
    struct writes *w = ARENA_NEW(c->arena, struct writes);
    ddb_params_read(c->arena, c->in, &DDB_TRANSACT_WRITE_STYLES, &p);
    enum capacity_mode mode = capacity_mode(ddb_param_text(c->arena, &p, P_CAPACITY));
    if (!read_all(c, w) || !check_all(c, w) || !write_all(c, w, mode, &units))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    put_left(c, w);
    for (size_t i = 0; i < w->count; i++) {
        if (ddb_wants_metrics(c, &p, w->changes[i].t)) {
            ddb_collection_metrics_list(c, w->changes, w->count);
            break;
        }
    }
    capacity_list_put(&c->out, &units, mode, CAPACITY_WHOLE);
    json_end(&c->out);
    return CALL_DONE;
}
