/* shape_check.h - runs one pass of the validator on an operation's input, for the shape tests. */
#ifndef PUDDLE_TEST_SHAPE_CHECK_H
#define PUDDLE_TEST_SHAPE_CHECK_H
#include "harness.h"
#include "json.h"
#include "shape.h"

typedef bool shape_pass(const struct shape_model *m, uint16_t shape, struct jval v, struct arena *a,
                        struct aws_err *err);

/* want: the message, or NULL when the input is fine. */
static inline void expect_pass(const char *file, int line, shape_pass *pass,
                               const struct aws_err_kind *kind, const struct shape_model *m,
                               const char *op, const char *json, const char *want)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct aws_err err = {0};
    struct jval v;
    const struct op_model *model = shape_find_op(m, str_c(op));
    if (model == NULL || !json_parse(a, str_c(json), JSON_DEPTH_DEFAULT, &v, NULL))
        test_fail(file, line, "%s or its input is not known: %s", op, json);
    else if (pass(m, model->input_shape, v, a, &err) != (want == NULL))
        test_fail(file, line, "%s %.200s: %s %.*s", op, json,
                  want == NULL ? "refused:" : "accepted", STR_ARG(err.message));
    else if (want != NULL && err.kind != kind)
        test_fail(file, line, "%s %.200s: it is a %s", op, json, err.kind->code);
    else if (want != NULL && !str_eq_c(err.message, want))
        test_fail(file, line, "%s %.200s:\n    got  %.*s\n    want %s", op, json,
                  STR_ARG(err.message), want);
    arena_free(a);
}
#endif
