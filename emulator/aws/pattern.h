/* pattern.h - whole-string matching of the models' regular expressions (private to shape.c). */
#ifndef PUDDLE_PATTERN_H
#define PUDDLE_PATTERN_H
#include "shape.h"

/* Compiles on first use and keeps the result. Look-around is not understood: a pattern that has
 * it accepts everything (in the models only rarely used identifiers have one). */
bool pattern_match(const struct shape_pattern *p, struct str s);
#endif
