/* regex.h - regular expressions of users (selection patterns, templates, JSON schemas) over PCRE2,
 * with limits: a pattern that explodes simply does not match. */
#ifndef PUDDLE_REGEX_H
#define PUDDLE_REGEX_H
#include "arena.h"

struct regex;
/* Compiled into a (freed with it). NULL: not a regular expression. */
struct regex *regex_new(struct arena *a, struct str pattern);
/* Anywhere in the text. */
bool regex_search(const struct regex *r, struct str text);
/* The whole text, as Java's matches(). */
bool regex_match(const struct regex *r, struct str text);
/* Java's replaceAll or replaceFirst: $1 and \$ in replacement. False: a bad group reference. */
bool regex_replace(const struct regex *r, struct str text, struct str replacement, bool all,
                   struct buf *out);
/* The next match at or after from. */
bool regex_next(const struct regex *r, struct str text, size_t from, size_t *ret_start,
                size_t *ret_end);
#endif
