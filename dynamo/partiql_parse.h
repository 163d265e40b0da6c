/* partiql_parse.h - what the two halves of the parser share: expressions and statements. */
#ifndef PUDDLE_PARTIQL_PARSE_H
#define PUDDLE_PARTIQL_PARSE_H
#include "partiql_ast.h"

enum { PQL_BINDS_SELECT = 6 }; /* clauses of SELECT end before UNION and its like */
struct pql_parser {
    struct arena *a;
    const struct pql_token *head; /* never past TOKEN_END */
    size_t left;                  /* tokens from head on, TOKEN_END included */
    uint32_t params;
    int depth;
    struct aws_err *err;
};
/* All of these: NULL or false with *err set. */
bool pql_parse_fail(struct pql_parser *p, const char *message);
struct pql_node *pql_parse_expression(struct pql_parser *p, int precedence);
/* simple: a path as the target of a change; else any term with steps behind it. */
struct pql_node *pql_parse_path(struct pql_parser *p, bool simple);
/* Terms that begin with a keyword of a statement; head is behind it. */
struct pql_node *pql_parse_select(struct pql_parser *p, struct pql_node *n, bool pivot);
struct pql_node *pql_parse_keyword(struct pql_parser *p);

void pql_parse_next(struct pql_parser *p);
static inline bool pql_parse_is(const struct pql_parser *p, enum pql_token_kind kind)
{
    return p->head->kind == kind;
}
/* The head is this keyword or operator. */
bool pql_parse_is_word(const struct pql_parser *p, const char *word);
/* Takes it, or fails with "Expected NAME". */
bool pql_parse_expect(struct pql_parser *p, enum pql_token_kind kind);
bool pql_parse_expect_word(struct pql_parser *p, const char *word);
struct pql_node *pql_node_new(struct pql_parser *p, enum pql_kind kind,
                              const struct pql_token *token);
void pql_node_add(struct pql_parser *p, struct pql_node *n, struct pql_node *child);
/* expression, expression, ...: at least one. */
bool pql_parse_list(struct pql_parser *p, struct pql_node *n);
#endif
