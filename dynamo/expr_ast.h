/* expr_ast.h - what an expression says, after parsing: for the evaluator, and for every language
 * that is turned into it (the expressions, the legacy parameters, PartiQL). Everything lives in the
 * arena it was made in. Build a tree with the functions below, then "seal" it into what expr.h
 * evaluates. Nothing here checks operand types: that is the language's (expr_check.c). */
#ifndef PUDDLE_EXPR_AST_H
#define PUDDLE_EXPR_AST_H
#include "expr.h"
#include "value.h"

struct expr_step {
    struct str name; /* p == NULL: a list index */
    struct str key;  /* name as it stands in canonical text */
    uint32_t index;
};
struct expr_path {
    struct expr_step *step; /* the first one is always a name */
    size_t count, cap;
    size_t slot; /* which of the expression's top-level attributes (set by sealing) */
};

enum expr_operand_kind {
    OPERAND_PATH,
    OPERAND_VALUE,
    OPERAND_SIZE,          /* size(arg[0]) */
    OPERAND_IF_NOT_EXISTS, /* update only: arg[0] a path, arg[1] */
    OPERAND_LIST_APPEND,   /* update only: two lists */
    OPERAND_PLUS,          /* update only */
    OPERAND_MINUS,         /* update only */
    OPERAND_CALL           /* any other function, as parsed: never in a sealed tree */
};
struct expr_operand {
    enum expr_operand_kind kind;
    struct expr_path *path; /* OPERAND_PATH */
    struct value *value;    /* OPERAND_VALUE */
    struct expr_operand **arg;
    size_t count;
    struct str name;   /* the function as written, or ":v" */
    struct str bytes;  /* of an S or B value, ready to compare */
    struct num number; /* of an N value, ready to compare */
};

enum expr_op {
    EXPR_AND, /* left, right */
    EXPR_OR,
    EXPR_NOT, /* left */
    EXPR_EQ,  /* arg[0], arg[1] */
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_BETWEEN, /* arg[0] between arg[1] and arg[2] */
    EXPR_IN,      /* arg[0] in arg[1] ... */
    EXPR_EXISTS,  /* attribute_exists(arg[0]) */
    EXPR_NOT_EXISTS,
    EXPR_TYPE, /* attribute_type(arg[0], arg[1]) */
    EXPR_BEGINS_WITH,
    EXPR_CONTAINS,
    EXPR_CALL /* any other function, as parsed: never in a sealed tree */
};
struct expr_node {
    enum expr_op op;
    struct expr_node *left, *right;
    struct expr_operand **arg;
    size_t count;
    struct str name; /* the function as written */
};

struct expr_path *expr_path_new(struct arena *a, struct str name);
void expr_path_add_name(struct arena *a, struct expr_path *p, struct str name);
void expr_path_add_index(struct arena *a, struct expr_path *p, uint32_t index);
/* As AWS shows it in messages: "[a, b, [1]]". */
struct str expr_path_text(const struct expr_path *p, struct arena *a);

struct expr_operand *expr_operand_path(struct arena *a, struct expr_path *p);
/* json: canonical text of the value with its type ({"S":"x"}); must outlive the tree. */
struct expr_operand *expr_operand_value(struct arena *a, struct str json);
/* The same for an operand that exists already. */
void expr_operand_set_value(struct arena *a, struct expr_operand *x, struct str json);
struct expr_operand *expr_operand_call(struct arena *a, enum expr_operand_kind kind,
                                       struct expr_operand *first, struct expr_operand *second);

/* AND, OR, NOT (right NULL). */
struct expr_node *expr_node_logic(struct arena *a, enum expr_op op, struct expr_node *left,
                                  struct expr_node *right);
/* All others; args are copied. */
struct expr_node *expr_node_test(struct arena *a, enum expr_op op, struct expr_operand *const *args,
                                 size_t count);
struct expr_cond *expr_cond_seal(struct arena *a, struct expr_node *root);
/* For languages that put names and values into the tree themselves: types, number and distinctness
 * of operands, in AWS's words without a prefix; calls (EXPR_CALL, OPERAND_CALL) become what they
 * mean. False: *err set. */
bool expr_check_tree(struct arena *a, struct expr_node *root, struct aws_err *err);
bool expr_check_operands(struct arena *a, struct expr_operand *x, struct aws_err *err);

enum expr_action_kind { ACTION_SET, ACTION_REMOVE, ACTION_ADD, ACTION_DELETE };
struct expr_action {
    enum expr_action_kind kind;
    struct expr_path *path;
    struct expr_operand *value; /* SET: any operand; ADD, DELETE: OPERAND_VALUE; REMOVE: NULL */
};
struct expr_actions { /* grows in the arena */
    struct expr_action *action;
    size_t count, cap;
};
void expr_actions_add(struct arena *a, struct expr_actions *list, struct expr_action x);
/* The same overlap rule and messages as an UpdateExpression, prefix in front ("Invalid
 * UpdateExpression: "). False: *err set. */
bool expr_update_seal(struct arena *a, const struct expr_actions *list, const char *prefix,
                      struct expr_update **ret, struct aws_err *err);

/* Paths in the order written. False (overlap, conflict): *err set, prefix in front. */
bool expr_projection_seal(struct arena *a, struct expr_path *const *paths, size_t count,
                          const char *prefix, struct expr_projection **ret, struct aws_err *err);
/* Cuts one path's value out of an item: canonical text with its type; STR_NONE: absent. */
struct str expr_path_find(const struct expr_path *p, struct str item);
#endif
