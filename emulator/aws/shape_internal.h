/* shape_internal.h - what the passes of the validator share. */
#ifndef PUDDLE_SHAPE_INTERNAL_H
#define PUDDLE_SHAPE_INTERNAL_H
#include "shape.h"

/* The member of struct s that iter stands on (key: its raw text), or NULL if s has none. */
const struct shape_member *shape_find_member(const struct shape_model *m, const struct shape *s,
                                             struct jval iter, struct str key, struct arena *a);
#endif
