/* cwl_filter.h - CloudWatch Logs filter patterns: terms, { JSON } and [space, delimited] ones. */
#ifndef PUDDLE_CWL_FILTER_H
#define PUDDLE_CWL_FILTER_H
#include "json.h"

struct cwl_filter;
/* Compiles pattern; everything lives in a. False: it is not a filter pattern. */
bool cwl_filter_parse(struct str pattern, struct arena *a, struct cwl_filter **ret);
/* scratch: given back before this returns. */
bool cwl_filter_match(const struct cwl_filter *f, struct str message, struct arena *scratch);
#endif
