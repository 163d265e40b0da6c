/* jsonpath.h - JSONPath as $input.path and $input.json take it (the Jayway dialect): names,
 * indexes, unions, slices, wildcards, deep scans, filters. Pure. */
#ifndef PUDDLE_JSONPATH_H
#define PUDDLE_JSONPATH_H
#include "vtl_value.h"

/* What path selects in root. A path that can only mean one place gives that value, any other a list
 * of all matches (maybe empty). False: the path is malformed, or its one place is not there
 * (*ret_error empty then). */
bool jsonpath_get(struct vtl_value root, struct str path, struct arena *a, struct vtl_value *ret,
                  struct str *ret_error);
#endif
