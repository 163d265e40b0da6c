/* partiql.h - from a parsed statement to what the operations do: values, conditions, updates,
 * plans. The conditions and updates are those of expr.h, so that a statement means what the same
 * expression means. Everything lives in the call's arena. */
#ifndef PUDDLE_PARTIQL_H
#define PUDDLE_PARTIQL_H
#include "expr_ast.h"
#include "partiql_ast.h"
#include "table.h"

struct pql_context { /* of one statement */
    struct arena *a;
    struct aws_err *err;
    const struct attr *params;
    size_t param_count;
    const char *too_big; /* what a value that no item can hold is answered */
    int tests;           /* conditions built so far */
};
enum { PQL_TESTS_MAX = 10000, PQL_PATH_MAX = 32 };
/* Always false: a ValidationException. */
bool pql_fail(struct pql_context *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- partiql_value.c ---- */

/* Reads Parameters (MISSING: none) in document order. False: *err set. */
bool pql_params_read(struct pql_context *x, struct jval parameters);
/* A literal or parameter, or something that AWS would take for one here. */
bool pql_is_value(const struct pql_node *n);
/* The value; its json is canonical. False: *err set, also for what is no value. */
bool pql_value(struct pql_context *x, const struct pql_node *n, struct attr *ret);
/* The item of an INSERT. */
bool pql_item(struct pql_context *x, const struct pql_node *n, struct item *ret);

/* ---- partiql_cond.c ---- */

/* A name or path as a document path. */
bool pql_path(struct pql_context *x, const struct pql_node *n, struct expr_path **ret);
/* The WHERE clause, operands checked. */
bool pql_condition(struct pql_context *x, const struct pql_node *n, struct expr_node **ret);

/* ---- partiql_update.c ---- */

/* The actions of UPDATE, checked against each other. */
bool pql_update(struct pql_context *x, const struct pql_dml *d, struct expr_update **ret);

/* ---- partiql_plan.c ---- */

/* Full key of a write or of a read of one item. key: canonical item of exactly the key; rest: what
 * else the condition says (NULL: nothing). Found: all key attributes have an equality. */
struct pql_key_split {
    bool complete;
    struct item key;
    struct expr_node *rest;
};
/* reads: further equalities on a key attribute stay conditions; else they are an error. */
bool pql_split_key(struct pql_context *x, const struct key_schema *key, struct expr_node *where,
                   bool reads, struct pql_key_split *ret);

struct pql_range { /* one partition to be read */
    struct expr_key_cond key;
    struct expr_key_term terms[2];
    bool whole_key;           /* at most one item */
    struct expr_node *filter; /* NULL: none */
};
struct pql_plan {
    struct pql_range *ranges; /* count 0: all of the table or index is read */
    size_t count;
    struct expr_node *filter; /* of a scan */
    bool backward;
    bool keyed; /* the partition key is fixed at the top of the condition */
};
/* How WHERE (NULL: none) and ORDER BY are done on a table or index with this key. */
bool pql_plan(struct pql_context *x, const struct key_schema *key, struct expr_node *where,
              const struct pql_select *s, struct pql_plan *ret);
/* Top-level attributes that a condition reads, in the order written, each once. */
struct str *pql_condition_names(struct arena *a, const struct expr_node *n, size_t *ret_count);
#endif
