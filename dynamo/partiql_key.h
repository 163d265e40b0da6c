/* partiql_key.h - what planning shares: conditions seen as terms of a key. */
#ifndef PUDDLE_PARTIQL_KEY_H
#define PUDDLE_PARTIQL_KEY_H
#include "partiql.h"

/* The path of o if it is one that begins with name; NULL: no. */
const struct expr_path *pql_plain_path(const struct expr_operand *o, struct str name);
struct attr pql_attr(struct arena *a, const struct value *v);
/* n compares the attribute with values only: as a term of a key condition. */
bool pql_term(struct arena *a, const struct expr_node *n, struct str name,
              struct expr_key_term *ret);
/* Either may be NULL. */
struct expr_node *pql_and(struct arena *a, struct expr_node *left, struct expr_node *right);
/* The value has the type of the key. False: *err set. */
bool pql_check_key_type(struct pql_context *x, const struct attr *at, const struct key_part *part);
/* a.b where a is a key: nothing can be there. Only at the top and below AND, as AWS looks. */
bool pql_check_scalar(struct pql_context *x, const struct key_schema *key,
                      const struct expr_node *n);
#endif
