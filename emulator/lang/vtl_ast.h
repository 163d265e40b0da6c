/* vtl_ast.h - the parsed template (private to vtl_*.c). */
#ifndef PUDDLE_VTL_AST_H
#define PUDDLE_VTL_AST_H
#include "vtl.h"

enum vtl_op {
    OP_OR,
    OP_AND,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_NOT
};
enum expr_type { EX_VALUE, EX_TEXT, EX_REF, EX_LIST, EX_RANGE, EX_MAP, EX_BINARY, EX_NOT };

struct vtl_expr {
    enum expr_type type;
    enum vtl_op op;
    struct vtl_value value;        /* EX_VALUE */
    struct vtl_block *text;        /* EX_TEXT: a "..." with references inside */
    struct vtl_ref *ref;           /* EX_REF */
    struct vtl_expr *left, *right; /* EX_BINARY, EX_RANGE; EX_NOT: left */
    struct vtl_expr **items;       /* EX_LIST; EX_MAP: key, value, key, value ... */
    size_t count;
};

enum step_type { STEP_PROPERTY, STEP_CALL, STEP_INDEX };
struct vtl_step {
    enum step_type type;
    struct str name;
    struct vtl_expr **args; /* of a call; the index */
    size_t count;
    struct vtl_step *next;
};
struct vtl_ref {
    struct str source; /* as written: what an undefined reference prints */
    struct str name;
    bool quiet; /* $! */
    struct vtl_step *steps;
};

enum node_type { NODE_TEXT, NODE_REF, NODE_SET, NODE_IF, NODE_FOREACH, NODE_BREAK, NODE_STOP };
struct vtl_node {
    enum node_type type;
    struct str text;          /* NODE_TEXT; NODE_FOREACH: the variable */
    struct vtl_ref *ref;      /* NODE_REF, NODE_SET */
    struct vtl_expr *expr;    /* NODE_SET, NODE_IF, NODE_FOREACH */
    struct vtl_block *body;   /* NODE_IF, NODE_FOREACH */
    struct vtl_block *orelse; /* NODE_IF: #else, or a block of one NODE_IF for #elseif; or NULL */
    struct vtl_node *next;
};
struct vtl_block {
    struct vtl_node *first;
};
struct vtl_template {
    struct vtl_block *block;
};

/* vtl_parse.c and vtl_parse_expr.c */
struct vtl_parser {
    struct arena *a;
    const char *p, *end;
    struct str error; /* p != NULL once failed */
    int depth;
};
enum { VTL_DEPTH_MAX = 100 };
void vtl_fail(struct vtl_parser *s, const char *why);
struct vtl_expr *vtl_parse_expr(struct vtl_parser *s);
/* At the '$' of a reference; NULL without an error: it is none, p has not moved. */
struct vtl_ref *vtl_parse_ref(struct vtl_parser *s);
struct vtl_block *vtl_parse_text(struct vtl_parser *s, struct str text);
void vtl_skip_blanks(struct vtl_parser *s, bool newlines);
bool vtl_is_name_start(char c);
/* At a name: takes it. */
struct str vtl_take_name(struct vtl_parser *s);

/* vtl_methods.c: the methods of Java's String, List, Map and numbers. False: no such method. */
bool vtl_call_method(struct vtl_value *on, struct str method, const struct vtl_value *args,
                     size_t count, struct arena *a, struct vtl_value *ret);
#endif
