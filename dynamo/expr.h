/* expr.h - the expression languages: condition, filter, key condition, update and projection
 * expressions, and the legacy parameters that say the same. One lexer, one parser, one evaluator.
 * Pure: no store, no table but the schema that is passed in. Items go in and out as canonical JSON
 * text, the form they are stored in (attr.h). Facts 74-101 of facts/dynamodb.md.
 *
 * Order of use: expr_env_new, the expr_parse_... of every expression in the order the operation
 * reports errors, expr_env_finish (unused names and values), then evaluation, any number of times.
 */
#ifndef PUDDLE_EXPR_H
#define PUDDLE_EXPR_H
#include "attr.h"

enum expr_kind { EXPR_CONDITION, EXPR_FILTER, EXPR_KEY_CONDITION, EXPR_UPDATE, EXPR_PROJECTION };

/* ExpressionAttributeNames and ...Values of one request (or one member of a batch), and which of
 * them were used. Lives in the arena. */
struct expr_env;
/* Which expressions the request has: the maps may only be given with some. */
struct expr_given {
    size_t any;         /* of every kind, projections included */
    size_t with_values; /* of the kinds that can use values: all but projections */
    const char *absent; /* what AWS says when there are none of those: "ConditionExpression is
                           null", "UpdateExpression and ConditionExpression are null" */
};
/* names, values: MISSING where the request has none. wording: as for item_read. NULL: *err set. */
struct expr_env *expr_env_new(struct arena *a, struct jval names, struct jval values,
                              struct expr_given given, enum attr_wording wording,
                              struct aws_err *err);
/* After the last parse: everything given must have been used. */
bool expr_env_finish(const struct expr_env *env, struct aws_err *err);

struct expr_cond; /* condition and filter */
bool expr_parse_condition(struct expr_env *env, enum expr_kind kind, struct str text,
                          struct expr_cond **ret, struct aws_err *err);
/* item: canonical text; empty: there is no item. Never fails: what cannot be compared is false. */
bool expr_cond_eval(const struct expr_cond *x, struct str item, struct arena *scratch);
/* The first top-level attribute it reads that is among names, or STR_NONE: filters may not touch
 * keys. */
struct str expr_cond_touches(const struct expr_cond *x, const struct str *names, size_t count);
/* All top-level attributes it reads, in the order written. */
const struct str *expr_cond_names(const struct expr_cond *x, size_t *ret_count);
/* Does it look into the top-level attribute: is there a path with more steps? */
bool expr_cond_goes_into(const struct expr_cond *x, struct str name);

/* What a key condition says, in the order written; matching it with a schema is the caller's.
 * DynamoDB reports what a key condition may not contain only after unused names and values: such
 * an error waits in env for expr_env_finish, and *ret is not complete then. */
enum expr_key_op {
    KEY_EQ,
    KEY_LT,
    KEY_LE,
    KEY_GT,
    KEY_GE,
    KEY_BETWEEN,
    KEY_BEGINS_WITH,
    KEY_NOT_INDEXABLE /* any other ComparisonOperator; no values. An error, but a late one */
};
struct expr_key_term {
    struct str name;
    enum expr_key_op op;
    struct attr low, high; /* high: of BETWEEN only; names empty */
};
struct expr_key_cond {
    struct expr_key_term *terms;
    size_t count;
};
bool expr_parse_key_condition(struct expr_env *env, struct str text, struct expr_key_cond *ret,
                              struct aws_err *err);

struct expr_update;
bool expr_parse_update(struct expr_env *env, struct str text, struct expr_update **ret,
                       struct aws_err *err);
/* The first top-level attribute it changes that is among names, or STR_NONE. */
struct str expr_update_touches(const struct expr_update *x, const struct str *names, size_t count);
/* The item after the update, as canonical text appended to out. key: the canonical text of the Key
 * parameter, what a new item starts from when old is empty. False: *err set (operand types, paths).
 */
bool expr_update_apply(const struct expr_update *x, struct str old, struct str key,
                       struct arena *scratch, struct buf *out, struct aws_err *err);
/* The paths that x changes, cut out of an item: ReturnValues UPDATED_OLD and UPDATED_NEW. False:
 * there is nothing of them in the item (nothing appended). */
bool expr_update_cut(const struct expr_update *x, struct str item, struct buf *out);

struct expr_projection;
bool expr_parse_projection(struct expr_env *env, struct str text, struct expr_projection **ret,
                           struct aws_err *err);
/* The top-level attributes it reads. */
const struct str *expr_projection_names(const struct expr_projection *x, size_t *ret_count);
bool expr_projection_goes_into(const struct expr_projection *x, struct str name);
/* The projected item as canonical text, "{}" if nothing is left. */
void expr_project(const struct expr_projection *x, struct str item, struct buf *out);

/* ---- the legacy parameters, into the same structures ---- */

/* Expected, QueryFilter or ScanFilter with ConditionalOperator (empty: AND). param: its name.
 * conditions may be MISSING: *ret is NULL when there is nothing to test, and a ConditionalOperator
 * is an error then. */
bool expr_legacy_condition(struct arena *a, const char *param, struct jval conditions,
                           struct str conditional_operator, enum attr_wording wording,
                           struct expr_cond **ret, struct aws_err *err);
bool expr_legacy_key_conditions(struct arena *a, struct jval conditions, enum attr_wording wording,
                                struct expr_key_cond *ret, struct aws_err *err);
bool expr_legacy_update(struct arena *a, struct jval attribute_updates, enum attr_wording wording,
                        struct expr_update **ret, struct aws_err *err);
bool expr_legacy_projection(struct arena *a, struct jval attributes_to_get,
                            struct expr_projection **ret, struct aws_err *err);
#endif
