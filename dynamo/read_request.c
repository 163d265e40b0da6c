#include "read_request.h"
#include "index.h"
#include <string.h>

#define INVALID "One or more parameter values were invalid: "
enum { SLICE_MS = 4 }; /* of one tick: what others have to wait for long reads at most */

static const struct ddb_styles query_styles = {
    {P_PROJECTION, P_FILTER, P_KEY_CONDITION, P_COUNT},
    {P_ATTRIBUTES, P_QUERY_FILTER, P_OPERATOR, P_KEY_CONDITIONS, P_COUNT},
    ATTR_OLDER,
    "FilterExpression and KeyConditionExpression are null",
    0};
/* KeyConditions may stand beside expressions of the other kinds. */
static const struct ddb_styles query_styles_older_keys = {
    {P_PROJECTION, P_FILTER, P_KEY_CONDITION, P_COUNT},
    {P_ATTRIBUTES, P_QUERY_FILTER, P_OPERATOR, P_COUNT},
    ATTR_OLDER,
    "FilterExpression and KeyConditionExpression are null",
    0};
static const struct ddb_styles scan_styles = {{P_PROJECTION, P_FILTER, P_COUNT},
                                              {P_ATTRIBUTES, P_SCAN_FILTER, P_OPERATOR, P_COUNT},
                                              ATTR_OLDER,
                                              "FilterExpression is null",
                                              0};

#define FAIL(c, ...) aws_fail(&(c)->err, (c)->arena, &AWS_ValidationException, __VA_ARGS__)

/* Query has the newer layer, which puts these into its envelope; Scan had it in four regions only
 * in September 2026. */
static const char *envelope(const struct read_request *q)
{
    return q->query ? "1 validation error detected: " : "";
}

static enum read_select select_of(struct str text)
{
    return str_eq_c(text, "ALL_ATTRIBUTES")             ? SELECT_ALL
           : str_eq_c(text, "ALL_PROJECTED_ATTRIBUTES") ? SELECT_PROJECTED
           : str_eq_c(text, "SPECIFIC_ATTRIBUTES")      ? SELECT_SPECIFIC
           : str_eq_c(text, "COUNT")                    ? SELECT_COUNT
                                                        : SELECT_DEFAULT;
}

static bool check_select(struct call *c, struct read_request *q)
{
    struct str text = ddb_param_text(c->arena, &q->p, P_SELECT);
    bool specific = ddb_has(&q->p, P_PROJECTION) || ddb_has(&q->p, P_ATTRIBUTES);
    q->select = select_of(text);
    if (q->select == SELECT_SPECIFIC && !specific)
        return FAIL(c,
                    "%sMust specify the AttributesToGet or ProjectionExpression when choosing to "
                    "get SPECIFIC_ATTRIBUTES",
                    envelope(q));
    if (q->select != SELECT_DEFAULT && q->select != SELECT_SPECIFIC && specific)
        return FAIL(c, "%sCannot specify the %s when choosing to get %.*s", envelope(q),
                    ddb_has(&q->p, P_PROJECTION) ? "ProjectionExpression" : "AttributesToGet",
                    STR_ARG(q->select == SELECT_COUNT ? STR("only the Count") : text));
    if (q->select == SELECT_PROJECTED && q->index_name.n == 0)
        return FAIL(c,
                    "%sALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
                    envelope(q));
    return true;
}

/* Errors of numbers, number sets and duplicates come as they are, others say where they are. */
static bool is_bare(struct str message)
{
    static const char *const bare[] = {"The parameter cannot be converted", "Number ", "number set",
                                       "Attempting to store", "Input collection"};
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
        if (str_find_str(message, str_c(bare[i])) >= 0)
            return true;
    }
    return false;
}

static bool read_start(struct call *c, struct read_request *q)
{
    struct aws_err err = {0};
    q->has_start = ddb_has(&q->p, P_START);
    if (!q->has_start || item_read(q->p.v[P_START], q->wording, c->arena,
                                   arena_new_buf(c->arena, ATTR_TEXT_MAX), &q->start, &err))
        return true;
    if (err.kind != &AWS_ValidationException || is_bare(err.message)) {
        c->err = err;
        return false;
    }
    return FAIL(c, "The provided starting key is invalid: %.*s", STR_ARG(err.message));
}

static bool read_older_filter(struct call *c, struct read_request *q)
{
    enum ddb_param which = q->query ? P_QUERY_FILTER : P_SCAN_FILTER;
    return expr_legacy_condition(c->arena, q->query ? "QueryFilter" : "ScanFilter", q->p.v[which],
                                 ddb_param_text(c->arena, &q->p, P_OPERATOR), q->wording,
                                 &q->filter, &c->err);
}

static bool read_attributes(struct call *c, struct read_request *q)
{
    return !ddb_has(&q->p, P_ATTRIBUTES) ||
           expr_legacy_projection(c->arena, q->p.v[P_ATTRIBUTES], &q->projection, &c->err);
}

bool read_request_begin(struct call *c, bool query, struct read_request **ret)
{
    struct read_request *q = *ret = ARENA_NEW(c->arena, struct read_request);
    const struct ddb_styles *styles = query ? &query_styles : &scan_styles;
    q->query = query;
    q->wording = query ? ATTR_BARE : ATTR_OLDER;
    q->r.arena = c->arena;
    ddb_params_read(c->arena, c->in, styles, &q->p);
    if (query && ddb_has(&q->p, P_KEY_CONDITIONS) && !ddb_has(&q->p, P_KEY_CONDITION))
        styles = &query_styles_older_keys;
    q->index_name = ddb_param_text(c->arena, &q->p, P_INDEX_NAME);
    jval_bool(q->p.v[P_CONSISTENT], &q->consistent);
    jval_i64(q->p.v[P_LIMIT], &q->r.limit);
    if (!ddb_params_check(c->arena, &q->p, styles, &c->err) || !check_select(c, q))
        return false;
    return (query ? read_older_filter(c, q) && read_attributes(c, q)
                  : read_attributes(c, q) && read_older_filter(c, q)) &&
           read_start(c, q);
}

static bool parse_expressions(struct call *c, struct read_request *q, struct expr_env *env)
{
    const struct ddb_params *p = &q->p;
    return (!ddb_has(p, P_KEY_CONDITION) || !q->query ||
            expr_parse_key_condition(env, ddb_param_text(c->arena, p, P_KEY_CONDITION), &q->keys,
                                     &c->err)) &&
           (!ddb_has(p, P_FILTER) ||
            expr_parse_condition(env, EXPR_FILTER, ddb_param_text(c->arena, p, P_FILTER),
                                 &q->filter, &c->err)) &&
           (!ddb_has(p, P_PROJECTION) ||
            expr_parse_projection(env, ddb_param_text(c->arena, p, P_PROJECTION), &q->projection,
                                  &c->err)) &&
           expr_env_finish(env, &c->err);
}

bool read_request_parse(struct call *c, struct read_request *q)
{
    const struct ddb_params *p = &q->p;
    bool newer_keys = q->query && ddb_has(p, P_KEY_CONDITION);
    struct expr_given given = {.with_values = (size_t)newer_keys + ddb_has(p, P_FILTER),
                               .absent =
                                   q->query ? "FilterExpression and KeyConditionExpression are null"
                                            : "FilterExpression is null"};
    given.any = given.with_values + ddb_has(p, P_PROJECTION);
    if (q->query && !newer_keys && !ddb_has(p, P_KEY_CONDITIONS))
        return FAIL(c, "Either the KeyConditions or KeyConditionExpression parameter must be "
                       "specified in the request.");
    if (given.any > 0) {
        struct expr_env *env =
            expr_env_new(c->arena, p->v[P_NAMES], p->v[P_VALUES], given, q->wording, &c->err);
        if (env == NULL || !parse_expressions(c, q, env))
            return false;
    }
    return !q->query || newer_keys ||
           expr_legacy_key_conditions(c->arena, p->v[P_KEY_CONDITIONS], q->wording, &q->keys,
                                      &c->err);
}

bool read_request_source(struct call *c, struct read_request *q)
{
    struct str name = ddb_param_text(c->arena, &q->p, P_TABLE_NAME);
    q->r.t = ddb_table_or_fail(c, name, DDB_FOR_ITEM);
    if (q->r.t == NULL)
        return false;
    read_parked_set(&q->parked, c, q->r.t, q->index_name, q->consistent);
    /* A start key for an index that there is not is what AWS's Scan sees first. */
    if (!q->query && q->has_start && q->index_name.n > 0 &&
        index_find(q->r.t, q->index_name) == NULL)
        return FAIL(c, "The provided starting key is invalid");
    return ddb_read_source(&q->r, q->index_name, q->consistent, &c->err);
}

/* ---- what filter and projection may touch ---- */

/* "a, b": the names that the index does not have. */
static struct str missing_names(struct call *c, const struct read_request *q,
                                const struct str *names, size_t count)
{
    struct buf *b = arena_new_buf(c->arena, ATTR_TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!index_projects(q->r.t, q->r.x, names[i]))
            buf_addf(b, "%s%.*s", b->n > 0 ? ", " : "", STR_ARG(names[i]));
    }
    return buf_view(b);
}

static bool check_filter(struct call *c, const struct read_request *q)
{
    const struct key_schema *key = q->r.x != NULL ? &q->r.x->key : &q->r.t->key;
    for (size_t i = 0; i < key_parts(key) && q->query && q->filter != NULL; i++) {
        if (expr_cond_touches(q->filter, &key->part[i].name, 1).p != NULL)
            return FAIL(c,
                        "%s can only contain non-primary key attributes: Primary key attribute: "
                        "%.*s",
                        ddb_has(&q->p, P_FILTER) ? "Filter Expression" : "QueryFilter",
                        STR_ARG(key->part[i].name));
    }
    return true;
}

static bool check_index_has(struct call *c, struct read_request *q)
{
    const struct index *x = q->r.x;
    size_t count;
    if (x == NULL || x->projection == PROJECT_ALL)
        return true;
    if (q->select == SELECT_ALL && x->global)
        return FAIL(c,
                    INVALID "Select type ALL_ATTRIBUTES is not supported for global secondary "
                            "index %.*s because its projection type is not ALL",
                    STR_ARG(x->name));
    if (q->query && q->filter != NULL) { /* a Scan just finds nothing */
        const struct str *names = expr_cond_names(q->filter, &count);
        struct str missing = missing_names(c, q, names, count);
        if (missing.n > 0)
            return FAIL(c,
                        INVALID "Secondary index %.*s does not project one or more filter "
                                "attributes: [%.*s]",
                        STR_ARG(x->name), STR_ARG(missing));
    }
    q->r.whole = q->select == SELECT_ALL;
    if (q->projection == NULL)
        return true;
    const struct str *names = expr_projection_names(q->projection, &count);
    struct str missing = missing_names(c, q, names, count);
    q->r.whole = missing.n > 0;
    return missing.n == 0 || !x->global ||
           FAIL(c, INVALID "Global secondary index %.*s does not project [%.*s]", STR_ARG(x->name),
                STR_ARG(missing));
}

static bool check_scalar(struct call *c, const struct read_request *q, bool of_filter,
                         const struct key_schema *key, const char *what)
{
    for (size_t i = 0; i < key_parts(key); i++) {
        struct str name = key->part[i].name;
        if (of_filter ? expr_cond_goes_into(q->filter, name)
                      : expr_projection_goes_into(q->projection, name))
            return FAIL(c,
                        "Key attributes must be scalars; list random access '[]' and map lookup "
                        "'.' are not allowed: %s: %.*s",
                        what, STR_ARG(name));
    }
    return true;
}

/* Keys, also those of indexes that are not read, are scalars: there is nothing in them. */
static bool check_scalars(struct call *c, const struct read_request *q, bool of_filter)
{
    const struct table *t = q->r.t;
    if ((of_filter ? (const void *)q->filter : (const void *)q->projection) == NULL)
        return true;
    if (!check_scalar(c, q, of_filter, &t->key, "Key"))
        return false;
    for (size_t i = 0; i < t->index_count; i++) {
        if (!check_scalar(c, q, of_filter, &t->indexes[i].key, "IndexKey"))
            return false;
    }
    return true;
}

bool read_request_check(struct call *c, struct read_request *q)
{
    return check_scalars(c, q, false) && check_filter(c, q) && check_index_has(c, q) &&
           check_scalars(c, q, true);
}

/* ---- pauses ---- */

void read_parked_set(struct read_parked *p, struct call *c, const struct table *t,
                     struct str index_name, bool consistent)
{
    p->table_id = t->id;
    p->account = arena_str(c->arena, t->account);
    p->region = arena_str(c->arena, t->region);
    p->name = arena_str(c->arena, t->name);
    p->index_name = arena_str(c->arena, index_name);
    p->consistent = consistent;
}

int64_t read_pause_ms(const struct call *c)
{
    return c->http != NULL ? SLICE_MS : 0; /* local calls cannot wait */
}

enum call_status read_park(struct call *c, struct read_parked *p,
                           enum call_status (*resume)(struct call *c, enum wait_end how))
{
    struct ddb *d = ddb_of(c);
    p->call = c;
    p->rollbacks = d->rollbacks;
    p->next = NULL;
    if (d->parked_last != NULL)
        d->parked_last->next = p;
    else
        d->parked_reads = p;
    d->parked_last = p;
    return call_park(c, resume);
}

bool read_find_again(struct call *c, const struct read_parked *p, struct ddb_read *r)
{
    if (p->rollbacks != ddb_of(c)->rollbacks) {
        ddb_internal_error(c);
        return false;
    }
    r->t = catalog_find(&ddb_of(c)->catalog, p->account, p->region, p->name);
    if (r->t == NULL || r->t->id != p->table_id)
        return aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                        "Requested resource not found");
    return ddb_read_source(r, p->index_name, p->consistent, &c->err);
}

/* ---- the run ---- */

static void put_item(struct call *c, struct read_request *q, struct str item)
{
    if (q->select == SELECT_COUNT)
        return;
    if (q->projection == NULL) {
        json_raw(&c->out, NULL, item); /* stored as it is sent */
        return;
    }
    buf_clear(q->projected);
    expr_project(q->projection, item, q->projected);
    json_raw(&c->out, NULL, buf_view(q->projected));
}

static enum call_status finish(struct call *c, struct read_request *q, bool more)
{
    struct ddb *d = ddb_of(c);
    struct capacity units;
    if (q->select != SELECT_COUNT)
        json_end(&c->out);
    json_i64(&c->out, "Count", q->r.matched);
    json_i64(&c->out, "ScannedCount", q->r.scanned);
    if (more)
        json_raw(&c->out, "LastEvaluatedKey", ddb_read_last_key(&q->r));
    ddb_read_units(&q->r, q->consistent, &units);
    throttle_charge_read(d->throttle, q->r.t, NULL, units.table);
    if (q->r.x != NULL)
        throttle_charge_read(d->throttle, q->r.t, q->r.x, units.indexes[q->r.x - q->r.t->indexes]);
    capacity_put(&c->out, q->r.t, capacity_mode(ddb_param_text(c->arena, &q->p, P_CAPACITY)),
                 &units);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status read_on(struct call *c, struct read_request *q);

static enum call_status resume(struct call *c, enum wait_end how)
{
    struct read_request *q = c->scratch;
    if (how == WAIT_CANCELLED)
        return ddb_internal_error(c);
    return read_find_again(c, &q->parked, &q->r) ? read_on(c, q) : CALL_FAILED;
}

static enum call_status read_on(struct call *c, struct read_request *q)
{
    struct ddb *d = ddb_of(c);
    struct str item;
    for (;;) {
        switch (ddb_read_next(d, &q->r, &item)) {
        case READ_ROW:
            put_item(c, q, item);
            break;
        case READ_END:
            return finish(c, q, false);
        case READ_PAGE:
            return finish(c, q, true);
        case READ_FAILED:
            return ddb_internal_error(c);
        case READ_PAUSED:
            c->scratch = q;
            return read_park(c, &q->parked, resume);
        }
    }
}

enum call_status read_request_run(struct call *c, struct read_request *q)
{
    if (!throttle_may_read(ddb_of(c)->throttle, q->r.t, q->r.x, c->arena, &c->err))
        return CALL_FAILED;
    q->r.filter = q->filter;
    q->r.pause_ms = read_pause_ms(c);
    if (q->projection != NULL)
        q->projected = arena_new_buf(c->arena, ATTR_TEXT_MAX);
    json_obj(&c->out, NULL);
    if (q->select != SELECT_COUNT)
        json_arr(&c->out, "Items");
    return read_on(c, q);
}

void read_requests_resume(struct ddb *d)
{
    struct read_parked *p = d->parked_reads, *first = p;
    d->reads_until_ms = 0;
    d->parked_reads = d->parked_last = NULL;
    if (p == NULL)
        return;
    /* The first one had the most time in this tick: now it is the last. */
    for (p = first->next; p != NULL; p = p->next)
        wait_fire(&p->call->wait, WAIT_READY);
    wait_fire(&first->call->wait, WAIT_READY);
}
