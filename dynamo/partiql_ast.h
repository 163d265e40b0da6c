/* partiql_ast.h - a PartiQL statement as tokens and as a tree. The grammar is that of the open
 * PartiQL parser DynamoDB uses, far larger than what DynamoDB runs: what is read here and then
 * refused gets its own message later. Everything lives in the arena. */
#ifndef PUDDLE_PARTIQL_AST_H
#define PUDDLE_PARTIQL_AST_H
#include "aws_err.h"

enum { PQL_STATEMENT_MAX = 8192, PQL_DEPTH_MAX = 400, PQL_PARAMS_MAX = 8192 };

struct pql_at { /* where a token stands: line and column from 1, length, in characters */
    uint32_t line, column, length;
};
#define PQL_AT            " at %u:%u:%u"
#define PQL_AT_ARG(where) (where).line, (where).column, (where).length

enum pql_token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* text: as written */
    TOKEN_QUOTED,  /* "name": without quotes */
    TOKEN_STRING,  /* text: without quotes */
    TOKEN_NUMBER,  /* text: as written */
    TOKEN_FLAG,    /* true, false (text in small letters) */
    TOKEN_NULL,    /* text "null" */
    TOKEN_MISSING, /* text "missing" */
    TOKEN_ION,     /* `...` */
    TOKEN_PARAM,   /* ? */
    TOKEN_OPERATOR,
    TOKEN_KEYWORD, /* operators and keywords: in small letters, words of one meaning joined by _ */
    TOKEN_AS,
    TOKEN_AT,
    TOKEN_BY,
    TOKEN_FOR,
    TOKEN_ASC,
    TOKEN_DESC,
    TOKEN_STAR,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_SEMICOLON,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_LEFT_CURLY,
    TOKEN_RIGHT_CURLY,
    TOKEN_LEFT_BAG,
    TOKEN_RIGHT_BAG
};
struct pql_token {
    enum pql_token_kind kind;
    struct str text;
    struct pql_at at;
};
struct pql_tokens {
    struct pql_token *token; /* the last one is TOKEN_END */
    size_t count, cap;
    size_t params; /* how many ? */
};
/* False: *err set ("Statement wasn't well formed, ..." with nothing after the colon). */
bool pql_lex(struct arena *a, struct str text, struct pql_tokens *ret, struct aws_err *err);
/* A word in small letters is a keyword: its canonical form (varchar is character_varying), or
 * STR_NONE. */
struct str pql_keyword(struct str word);
/* How tightly an infix operator or keyword binds; 0: it is none. */
int pql_precedence(struct str word);

/* ---- the tree ---- */

enum pql_kind {
    PQL_STRING,
    PQL_NUMBER,
    PQL_FLAG,
    PQL_NULL,
    PQL_MISSING,
    PQL_ION,
    PQL_NAME,
    PQL_PARAM,
    PQL_LIST,
    PQL_BAG,
    PQL_STRUCT,    /* child: key, value, key, value, ... */
    PQL_PATH,      /* child[0]: the root; then steps */
    PQL_STEP_NAME, /* .name or ."name" */
    PQL_STEP_EXPR, /* [child[0]] */
    PQL_STEP_STAR, /* .* */
    PQL_STEP_ALL,  /* [*] */
    PQL_OP,        /* text: the operator; one to three children */
    PQL_IS,        /* child[0] IS text */
    PQL_CALL,      /* text: the function in small letters */
    PQL_AGGREGATE,
    PQL_CASE,
    PQL_CAST,
    PQL_DATE,   /* DATE '...', TIME '...' */
    PQL_SELECT, /* select */
    PQL_DML,    /* dml */
    PQL_DDL,    /* text: CreateTable, ... */
    PQL_EXEC
};
struct pql_node {
    enum pql_kind kind;
    struct str text;
    struct pql_at at;
    struct pql_node **child;
    uint32_t count, cap;
    uint32_t param; /* PQL_PARAM: its number from 0 */
    bool grouped;   /* stood in parentheses of its own */
    union {
        struct pql_select *select;
        struct pql_dml *dml;
    };
};
struct pql_source { /* what stands after FROM */
    struct pql_node *node;
    bool aliased, joined, unpivot;
};
struct pql_item {          /* of a select list */
    struct pql_node *node; /* NULL: the star */
    bool aliased, all;     /* all: path.* */
};
struct pql_order {
    struct pql_node *node;
    bool descending;
};
struct pql_select {
    bool distinct, value, pivot, let, group;
    struct pql_item *items;
    size_t item_count;
    struct pql_source from;
    struct pql_node *where, *having, *limit; /* NULL: none */
    struct pql_order *order;
    size_t order_count;
};
enum pql_action_kind { PQL_SET, PQL_REMOVE, PQL_INSERT_VALUE, PQL_INSERT, PQL_DELETE };
struct pql_action {
    enum pql_action_kind kind;
    struct pql_at at;
    struct pql_node *target, *value;
    bool at_position, on_conflict;
};
struct pql_returning {
    struct str mapping;      /* all_old, ... */
    struct pql_node *column; /* NULL: the star */
};
struct pql_dml {
    struct pql_action *actions;
    size_t count, cap;
    struct pql_source from; /* node NULL: none (INSERT) */
    struct pql_node *where; /* NULL: none */
    struct pql_returning *returning;
    size_t returning_count, returning_cap;
};
struct pql_statement {
    struct pql_node *root;
    size_t params;
};
/* False: *err set, a ValidationException with the parser's own message. */
bool pql_parse(struct arena *a, struct str text, struct pql_statement *ret, struct aws_err *err);

#define PQL_NOT_WELL_FORMED "Statement wasn't well formed, can't be processed: "
#endif
