/* params.h - the parameters that item operations and reads share, found in one pass over a request
 * (or over one member of a batch or transaction), and the rules that hold between them. Facts 42,
 * 74-83. */
#ifndef PUDDLE_PARAMS_H
#define PUDDLE_PARAMS_H
#include "ddb_internal.h"
#include "expr.h"

enum ddb_param {
    P_TABLE_NAME,
    P_ITEM,
    P_KEY,
    P_KEYS,
    P_CONSISTENT,
    P_CAPACITY,
    P_METRICS,
    P_RETURN,
    P_RETURN_FAILED,
    P_CONDITION,
    P_UPDATE,
    P_PROJECTION,
    P_EXPECTED,
    P_OPERATOR,
    P_UPDATES,
    P_ATTRIBUTES,
    P_NAMES,
    P_VALUES,
    P_KEY_CONDITION,
    P_FILTER,
    P_KEY_CONDITIONS,
    P_QUERY_FILTER,
    P_SCAN_FILTER,
    P_INDEX_NAME,
    P_SELECT,
    P_LIMIT,
    P_FORWARD,
    P_START,
    P_SEGMENT,
    P_TOTAL_SEGMENTS,
    P_COUNT
};
struct ddb_params {
    struct jval v[P_COUNT]; /* MISSING where the request has null */
};
static inline bool ddb_has(const struct ddb_params *p, enum ddb_param which)
{
    return p->v[which].doc != NULL;
}
struct str ddb_param_text(struct arena *a, const struct ddb_params *p, enum ddb_param which);
bool ddb_param_is(struct arena *a, const struct ddb_params *p, enum ddb_param which,
                  const char *text);

/* Which expressions and which older parameters an operation takes, in AWS's order; P_COUNT ends. */
struct ddb_styles {
    enum ddb_param expressions[4], older[5];
    enum attr_wording wording;
    const char *value_less; /* what the older layer says is missing when there are values without an
                               expression; NULL: the operation has no values */
    uint32_t ignored;       /* bits of the parameters it does not have */
};
extern const struct ddb_styles DDB_WRITE_STYLES, DDB_UPDATE_STYLES, DDB_READ_STYLES,
    DDB_TRANSACT_WRITE_STYLES, DDB_TRANSACT_UPDATE_STYLES, DDB_TRANSACT_READ_STYLES;
/* The last of duplicate members counts. */
void ddb_params_read(struct arena *a, struct jval object, const struct ddb_styles *s,
                     struct ddb_params *ret);
/* Expressions and older parameters are not mixed, ConditionalOperator has conditions, names and
 * values come with an expression. AWS's first semantic checks. False: *err set. */
bool ddb_params_check(struct arena *a, const struct ddb_params *p, const struct ddb_styles *s,
                      struct aws_err *err);

struct ddb_exprs { /* NULL: the request has none */
    struct expr_cond *cond;
    struct expr_update *update;
    struct expr_projection *projection;
};
/* Parses whatever of them is there, in either style. False: *err set. */
bool ddb_params_parse(struct arena *a, const struct ddb_params *p, const struct ddb_styles *s,
                      struct ddb_exprs *ret, struct aws_err *err);
/* ReturnItemCollectionMetrics asks for them and t has a local index (fact 73). */
bool ddb_wants_metrics(struct call *c, const struct ddb_params *p, const struct table *t);
#endif
