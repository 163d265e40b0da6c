/* aws_tags.h - tags as a JSON object of texts: what the tagging operations of the services share.
 */
#ifndef PUDDLE_AWS_TAGS_H
#define PUDDLE_AWS_TAGS_H
#include "json.h"

/* The tags of before without those that keys (a list of texts) and added (an object) name, and then
 * those of added, as object text in a. Each may be MISSING. *ret_count: how many there are. */
struct str aws_tags_merge(struct jval before, struct jval keys, struct jval added, struct arena *a,
                          size_t *ret_count);
#endif
