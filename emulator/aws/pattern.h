/* pattern.h - whole-string matching of the models' regular expressions (private to shape.c). */
#ifndef PUDDLE_PATTERN_H
#define PUDDLE_PATTERN_H
#include "shape.h"

/* Compiles on first use and keeps the result. A pattern that is not understood accepts everything;
 * the unit tests see to it that no model has one. */
bool pattern_match(const struct shape_pattern *p, struct str s);
bool pattern_is_understood(const struct shape_pattern *p);
#endif
