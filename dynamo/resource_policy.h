/* resource_policy.h - resource policies: stored and given back; nobody is refused because of one.
 */
#ifndef PUDDLE_RESOURCE_POLICY_H
#define PUDDLE_RESOURCE_POLICY_H
#include "aws_err.h"
#include "json.h"

/* Is it a policy document, as far as AWS's own texts go? *ret: it without blanks. */
bool resource_policy_check(struct str text, struct arena *a, struct str *ret, struct aws_err *err);
/* What a table's definition keeps of it. */
struct str resource_policy_stored(struct str text, int64_t now_ms, struct arena *a);
#endif
