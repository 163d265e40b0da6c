#include "params.h"
#include <string.h>

static const struct str param_names[P_COUNT] = {
    [P_TABLE_NAME] = {"TableName", 9},
    [P_ITEM] = {"Item", 4},
    [P_KEY] = {"Key", 3},
    [P_KEYS] = {"Keys", 4},
    [P_CONSISTENT] = {"ConsistentRead", 14},
    [P_CAPACITY] = {"ReturnConsumedCapacity", 22},
    [P_METRICS] = {"ReturnItemCollectionMetrics", 27},
    [P_RETURN] = {"ReturnValues", 12},
    [P_RETURN_FAILED] = {"ReturnValuesOnConditionCheckFailure", 35},
    [P_CONDITION] = {"ConditionExpression", 19},
    [P_UPDATE] = {"UpdateExpression", 16},
    [P_PROJECTION] = {"ProjectionExpression", 20},
    [P_EXPECTED] = {"Expected", 8},
    [P_OPERATOR] = {"ConditionalOperator", 19},
    [P_UPDATES] = {"AttributeUpdates", 16},
    [P_ATTRIBUTES] = {"AttributesToGet", 15},
    [P_NAMES] = {"ExpressionAttributeNames", 24},
    [P_VALUES] = {"ExpressionAttributeValues", 25},
    [P_KEY_CONDITION] = {"KeyConditionExpression", 22},
    [P_FILTER] = {"FilterExpression", 16},
    [P_KEY_CONDITIONS] = {"KeyConditions", 13},
    [P_QUERY_FILTER] = {"QueryFilter", 11},
    [P_SCAN_FILTER] = {"ScanFilter", 10},
    [P_INDEX_NAME] = {"IndexName", 9},
    [P_SELECT] = {"Select", 6},
    [P_LIMIT] = {"Limit", 5},
    [P_FORWARD] = {"ScanIndexForward", 16},
    [P_START] = {"ExclusiveStartKey", 17},
    [P_SEGMENT] = {"Segment", 7},
    [P_TOTAL_SEGMENTS] = {"TotalSegments", 13},
};

#define BIT(param) (1u << (param))
enum {
    OLDER = BIT(P_EXPECTED) | BIT(P_OPERATOR) | BIT(P_UPDATES) | BIT(P_ATTRIBUTES),
    NOT_WRITE = BIT(P_UPDATE) | BIT(P_PROJECTION),
    NOT_READ = BIT(P_UPDATE) | BIT(P_CONDITION) | BIT(P_VALUES),
};
#define NO_CONDITION "ConditionExpression is null"
#define NO_UPDATE    "UpdateExpression and ConditionExpression are null"
const struct ddb_styles DDB_WRITE_STYLES = {{P_CONDITION, P_COUNT},
                                            {P_EXPECTED, P_OPERATOR, P_COUNT},
                                            ATTR_ENVELOPED,
                                            NO_CONDITION,
                                            NOT_WRITE | BIT(P_UPDATES) | BIT(P_ATTRIBUTES)};
const struct ddb_styles DDB_UPDATE_STYLES = {{P_UPDATE, P_CONDITION, P_COUNT},
                                             {P_UPDATES, P_EXPECTED, P_OPERATOR, P_COUNT},
                                             ATTR_ENVELOPED,
                                             NO_UPDATE,
                                             BIT(P_PROJECTION) | BIT(P_ATTRIBUTES)};
const struct ddb_styles DDB_READ_STYLES = {{P_PROJECTION, P_COUNT},
                                           {P_ATTRIBUTES, P_COUNT},
                                           ATTR_BARE,
                                           NULL,
                                           NOT_READ | (OLDER & ~BIT(P_ATTRIBUTES))};
const struct ddb_styles DDB_TRANSACT_WRITE_STYLES = {
    {P_CONDITION, P_COUNT}, {P_COUNT}, ATTR_OLDER, NO_CONDITION, NOT_WRITE | OLDER};
const struct ddb_styles DDB_TRANSACT_UPDATE_STYLES = {
    {P_UPDATE, P_CONDITION, P_COUNT}, {P_COUNT}, ATTR_OLDER, NO_UPDATE, BIT(P_PROJECTION) | OLDER};
const struct ddb_styles DDB_TRANSACT_READ_STYLES = {
    {P_PROJECTION, P_COUNT}, {P_COUNT}, ATTR_OLDER, NULL, NOT_READ | OLDER};

void ddb_params_read(struct arena *a, struct jval object, const struct ddb_styles *s,
                     struct ddb_params *ret)
{
    struct jval it = {0};
    struct str key;
    *ret = (struct ddb_params){0};
    while (jval_next(object, &it, &key)) {
        if (memchr(key.p, '\\', key.n) != NULL)
            key = jval_key_str(it, a);
        for (size_t i = 0; i < P_COUNT; i++) {
            if (key.n == param_names[i].n && memcmp(key.p, param_names[i].p, key.n) == 0) {
                bool taken = jval_present(it) && (s->ignored & BIT(i)) == 0;
                ret->v[i] = taken ? it : (struct jval){0};
                break;
            }
        }
    }
}

struct str ddb_param_text(struct arena *a, const struct ddb_params *p, enum ddb_param which)
{
    return ddb_has(p, which) ? jval_text(p->v[which], a) : STR("");
}

bool ddb_param_is(struct arena *a, const struct ddb_params *p, enum ddb_param which,
                  const char *text)
{
    return str_eq_c(ddb_param_text(a, p, which), text);
}

/* "A, B": those of list that the request has. */
static struct str present(struct arena *a, const struct ddb_params *p, const enum ddb_param *list)
{
    struct buf *b = arena_new_buf(a, 1024);
    for (; *list != P_COUNT; list++) {
        if (ddb_has(p, *list))
            buf_addf(b, "%s%.*s", b->n == 0 ? "" : ", ", STR_ARG(param_names[*list]));
    }
    return buf_view(b);
}

static bool has_any(const struct ddb_params *p, const enum ddb_param *list)
{
    while (*list != P_COUNT) {
        if (ddb_has(p, *list++))
            return true;
    }
    return false;
}

/* The newer layer puts what is wrong with names, values and expressions into the envelope of the
 * model's checks, though not everything that is checked here (facts 26, 36). */
static const char *envelope(enum attr_wording wording)
{
    return wording == ATTR_ENVELOPED ? "1 validation error detected: " : "";
}

static bool in_envelope(struct arena *a, enum attr_wording wording, struct aws_err *err)
{
    struct str prefix = str_c(envelope(wording));
    if (err->kind == &AWS_ValidationException && !str_starts(err->message, prefix))
        err->message = arena_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(err->message));
    return false;
}

bool ddb_params_check(struct arena *a, const struct ddb_params *p, const struct ddb_styles *s,
                      struct aws_err *err)
{
    bool expressions = has_any(p, s->expressions);
    if (expressions && has_any(p, s->older))
        return aws_fail(err, a, &AWS_ValidationException,
                        "Can not use both expression and non-expression parameters in the same "
                        "request: Non-expression parameters: {%.*s} Expression parameters: {%.*s}",
                        STR_ARG(present(a, p, s->older)), STR_ARG(present(a, p, s->expressions)));
    if (ddb_has(p, P_OPERATOR)) {
        size_t conditions = jval_count(p->v[P_EXPECTED]) + jval_count(p->v[P_QUERY_FILTER]) +
                            jval_count(p->v[P_SCAN_FILTER]);
        if (conditions == 0)
            return aws_fail(err, a, &AWS_ValidationException,
                            "ConditionalOperator cannot be used without Filter or Expected");
        if (conditions == 1)
            return aws_fail(err, a, &AWS_ValidationException,
                            "ConditionalOperator can only be used when Filter or Expected has two "
                            "or more elements");
    }
    if (expressions)
        return true;
    if (ddb_has(p, P_NAMES))
        return aws_fail(err, a, &AWS_ValidationException,
                        "%sExpressionAttributeNames can only be specified when using expressions",
                        envelope(s->wording));
    if (ddb_has(p, P_VALUES))
        return aws_fail(err, a, &AWS_ValidationException,
                        "%sExpressionAttributeValues can only be specified when using expressions"
                        "%s%s",
                        envelope(s->wording), s->wording == ATTR_OLDER ? ": " : "",
                        s->wording == ATTR_OLDER ? s->value_less : "");
    return true;
}

static bool parse_older(struct arena *a, const struct ddb_params *p, enum attr_wording wording,
                        struct ddb_exprs *ret, struct aws_err *err)
{
    if (ddb_has(p, P_UPDATES) && jval_count(p->v[P_UPDATES]) > 0 &&
        !expr_legacy_update(a, p->v[P_UPDATES], wording, &ret->update, err))
        return false;
    if (ddb_has(p, P_EXPECTED) && jval_count(p->v[P_EXPECTED]) > 0 &&
        !expr_legacy_condition(a, "Expected", p->v[P_EXPECTED], ddb_param_text(a, p, P_OPERATOR),
                               wording, &ret->cond, err))
        return false;
    return !ddb_has(p, P_ATTRIBUTES) ||
           expr_legacy_projection(a, p->v[P_ATTRIBUTES], &ret->projection, err);
}

bool ddb_params_parse(struct arena *a, const struct ddb_params *p, const struct ddb_styles *s,
                      struct ddb_exprs *ret, struct aws_err *err)
{
    struct expr_given given = {.with_values =
                                   (size_t)ddb_has(p, P_UPDATE) + ddb_has(p, P_CONDITION),
                               .absent = s->value_less};
    given.any = given.with_values + ddb_has(p, P_PROJECTION);
    *ret = (struct ddb_exprs){0};
    if (!parse_older(a, p, s->wording, ret, err))
        return in_envelope(a, s->wording, err);
    if (given.any == 0)
        return true;
    struct expr_env *env = expr_env_new(a, p->v[P_NAMES], p->v[P_VALUES], given, s->wording, err);
    bool ok =
        env != NULL &&
        (!ddb_has(p, P_UPDATE) ||
         expr_parse_update(env, ddb_param_text(a, p, P_UPDATE), &ret->update, err)) &&
        (!ddb_has(p, P_CONDITION) ||
         expr_parse_condition(env, EXPR_CONDITION, ddb_param_text(a, p, P_CONDITION), &ret->cond,
                              err)) &&
        (!ddb_has(p, P_PROJECTION) ||
         expr_parse_projection(env, ddb_param_text(a, p, P_PROJECTION), &ret->projection, err)) &&
        expr_env_finish(env, err);
    return ok || in_envelope(a, s->wording, err);
}

bool ddb_wants_metrics(struct call *c, const struct ddb_params *p, const struct table *t)
{
    return t->index_count != t->global_count && ddb_param_is(c->arena, p, P_METRICS, "SIZE");
}
