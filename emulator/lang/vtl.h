/* vtl.h - mapping templates: the Velocity 1.7 subset that API Gateway runs. Pure. Parsed once,
 * rendered any number of times. Not there, as on AWS: #include, #parse, #evaluate (they stay text).
 * #macro and #define are refused. Source: "Variables for data transformations for API Gateway",
 * Velocity's user guide. */
#ifndef PUDDLE_VTL_H
#define PUDDLE_VTL_H
#include "vtl_value.h"

enum {
    VTL_TEMPLATE_MAX = 300 * 1024, /* AWS: 300 KB */
    VTL_OUTPUT_MAX = 10 << 20,     /* what an integration takes */
    VTL_LOOP_MAX = 1000,           /* AWS: iterations of one #foreach */
    VTL_STEPS_MAX = 1000000        /* nodes rendered in all: a limit of ours */
};

struct vtl_template;
/* Views into text, which must live as long; everything else in a. False: *ret_error says why. */
bool vtl_parse(struct arena *a, struct str text, struct vtl_template **ret, struct str *ret_error);
/* vars: the top-level names; templates add and change. Appends to out. False: *ret_error. */
bool vtl_render(const struct vtl_template *t, struct vtl_map *vars, struct arena *a,
                struct buf *out, struct str *ret_error);
#endif
