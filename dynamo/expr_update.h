/* expr_update.h - private to expr_update.c and expr_apply.c: a sealed update. */
#ifndef PUDDLE_EXPR_UPDATE_H
#define PUDDLE_EXPR_UPDATE_H
#include "expr_ast.h"

struct expr_update {
    struct expr_actions actions; /* in the order written; their paths do not overlap */
    struct expr_projection *touched;
    bool legacy; /* AttributeUpdates: absent sets and numbers have rules of their own */
};
#endif
