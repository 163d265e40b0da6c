/* expr_internal.h - private to dynamo/expr_*.c: tokens, the request's maps, the stages between
 * text and sealed tree. */
#ifndef PUDDLE_EXPR_INTERNAL_H
#define PUDDLE_EXPR_INTERNAL_H
#include "expr_ast.h"

enum {
    EXPR_SIZE_MAX = 4096,
    EXPR_OPERATORS_MAX = 300,
    EXPR_IN_MAX = 100,
    EXPR_REF_MAX = 255,    /* bytes of "#name" or ":value" */
    EXPR_PATH_MAX = 32,    /* steps */
    EXPR_PARENS_MAX = 400, /* nested: more than operators can fill, and kind to the stack */
};

enum token_kind {
    T_END,
    T_NAME,   /* identifier */
    T_REF,    /* #name */
    T_VALUE,  /* :value */
    T_INDEX,  /* digits */
    T_SYMBOL, /* one of ( ) [ ] . , + - and comparators */
    T_WORD,   /* keyword: AND OR NOT IN BETWEEN SET REMOVE ADD DELETE */
    T_BAD     /* anything else, one character */
};
struct token {
    enum token_kind kind;
    uint32_t at, n; /* in the text */
};

enum keyword { W_NONE, W_AND, W_OR, W_NOT, W_IN, W_BETWEEN, W_SET, W_REMOVE, W_ADD, W_DELETE };

struct expr_ref { /* an entry of ExpressionAttributeNames or ...Values */
    struct str key;
    struct str name;   /* names: what it stands for */
    struct attr value; /* values */
    struct str shown;  /* an N as it was given, for messages */
    bool used;
    uint32_t order; /* as given */
};
struct expr_env {
    struct arena *a;
    /* In front of every error that is found before an item is looked at: the newer layer's envelope
     * for PutItem, UpdateItem and DeleteItem (measured by others against eu-west-2, July 2026). */
    const char *envelope;
    struct expr_ref *names, *values; /* sorted by key */
    size_t name_count, value_count;
    struct str late_error; /* of a key condition: reported after unused names and values */
};
/* NULL: not given. Marks it as used. */
struct expr_ref *expr_env_name(struct expr_env *env, struct str key);
struct expr_ref *expr_env_value(struct expr_env *env, struct str key);

/* One expression on its way. Every stage returns false (or NULL) with *err set. */
struct expr_parser {
    struct expr_env *env; /* NULL: names and values are in the tree already */
    struct arena *a;
    struct aws_err *err;
    enum expr_kind kind;
    const char *kind_name; /* "ConditionExpression"; NULL: messages without it */
    struct str text;
    struct token *token; /* count of them, the last one T_END */
    size_t count, at;
    bool redundant_parens;
    size_t parens; /* open at this point */
};

/* ---- expr_lex.c ---- */
enum keyword expr_keyword(enum expr_kind kind, struct str word);
struct str expr_token_text(const struct expr_parser *p, const struct token *t);
/* Size, emptiness, tokens. */
bool expr_start(struct expr_parser *p, struct expr_env *env, enum expr_kind kind, struct str text,
                struct aws_err *err);
/* "Invalid <kind>: ", in the envelope if there is one. */
const char *expr_prefix(const struct expr_parser *p);
/* expr_prefix in front; always false. */
bool expr_fail(struct expr_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool expr_syntax_error(struct expr_parser *p);

/* ---- expr_parse.c: paths and operands of all languages ---- */
const struct token *expr_peek(const struct expr_parser *p);
bool expr_at_symbol(const struct expr_parser *p, const char *symbol);
bool expr_at_word(const struct expr_parser *p, enum keyword w);
bool expr_take_symbol(struct expr_parser *p, const char *symbol); /* or syntax error */
/* Step names are as written, "#x" unresolved; the key of an index is its text, and one that is out
 * of range is EXPR_INDEX_TOO_BIG until it is checked. */
#define EXPR_INDEX_TOO_BIG UINT32_MAX
struct expr_path *expr_parse_path(struct expr_parser *p);
/* A path, value or function call, parentheses allowed around. */
struct expr_operand *expr_parse_operand(struct expr_parser *p);
struct expr_operand *expr_parse_plain_operand(struct expr_parser *p); /* no parentheses */

/* ---- expr_parse_cond.c ---- */
struct expr_node *expr_parse_tree(struct expr_parser *p);

/* ---- expr_check.c ---- */
enum expr_function {
    FN_NONE,
    FN_EXISTS, /* the first five in the order of enum expr_op */
    FN_NOT_EXISTS,
    FN_TYPE,
    FN_BEGINS_WITH,
    FN_CONTAINS,
    FN_SIZE,
    FN_IF_NOT_EXISTS,
    FN_LIST_APPEND
};
enum expr_function expr_function(struct str name);
/* Round one: functions, reserved words, indexes, in the order written. nested: inside another
 * operand. */
bool expr_check_path(struct expr_parser *p, const struct expr_path *path);
bool expr_check_operand(struct expr_parser *p, const struct expr_operand *x, bool nested);
/* Round two: aliases and values become what they stand for; counts and types of operands. */
bool expr_resolve_path(struct expr_parser *p, struct expr_path *path);
bool expr_resolve_operand(struct expr_parser *p, struct expr_operand *x);
/* The type an operand is known to have before any item is seen; NULL: not known. */
const char *expr_static_type(const struct expr_operand *x);
/* Everything of a condition after its syntax. */
bool expr_check_condition(struct expr_parser *p, struct expr_node *root);
bool expr_check_operators(struct expr_parser *p, size_t count);
const char *expr_op_name(enum expr_op op); /* "=", "BETWEEN"; not for functions */

bool expr_is_reserved(struct str word); /* expr_words.c */

/* ---- expr_path.c ---- */
bool expr_path_equal(const struct expr_path *x, const struct expr_path *y);
enum path_relation { PATHS_APART, PATHS_OVERLAP, PATHS_CONFLICT };
enum path_relation expr_path_relation(const struct expr_path *x, const struct expr_path *y);
/* Indexes before names, a path before those that go on from it. */
struct expr_path **expr_paths_sorted(struct arena *a, struct expr_path *const *paths, size_t count);
/* Like DynamoDB from the last path to the first: look up names, then compare with the paths
 * behind. */
bool expr_resolve_paths(struct expr_parser *p, struct expr_path *const *paths, size_t count);
/* Does paths[k] clash with one behind it? Then *err is set. */
bool expr_path_clashes(struct arena *a, struct expr_path *const *paths, size_t count, size_t k,
                       const char *prefix, struct aws_err *err);
bool expr_paths_clash(struct arena *a, struct expr_path *const *paths, size_t count,
                      const char *prefix, struct aws_err *err);
/* Walks from an item's top-level values. NULL: absent. */
/* top: the text of the path's top-level attribute (STR_NONE: absent); goes on from there. */
struct str expr_path_descend(const struct expr_path *p, struct str top);
/* The tree of wanted parts, without the overlap check; cut: false if nothing is there, and then
 * the caller takes back what was written. */
void expr_pick_build(struct arena *a, struct expr_path *const *paths, size_t count,
                     struct expr_projection **ret);
bool expr_pick_cut(const struct expr_projection *x, struct str item, struct buf *out);
struct value *expr_path_walk(const struct expr_path *p, struct value *item, size_t steps,
                             struct arena *a);
#endif
