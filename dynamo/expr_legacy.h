/* expr_legacy.h - private to dynamo/expr_legacy*.c. */
#ifndef PUDDLE_EXPR_LEGACY_H
#define PUDDLE_EXPR_LEGACY_H
#include "expr_ast.h"

#define LEGACY_INVALID "One or more parameter values were invalid: "

struct legacy {
    struct arena *a;
    struct aws_err *err;
    enum attr_wording wording;
    struct buf *text;
};
struct legacy expr_legacy_start(struct arena *a, enum attr_wording wording, struct aws_err *err);
bool expr_legacy_fail(struct legacy *l, const char *message, struct str name);
bool expr_legacy_name(struct legacy *l, struct str name);
bool expr_legacy_value(struct legacy *l, struct jval v, struct attr *ret);
#endif
