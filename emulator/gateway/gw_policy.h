/* gw_policy.h - IAM policy documents as authorizers return them: does one allow an action on a
 * resource? Conditions are not evaluated: a statement that has one counts as not matching, and that
 * is logged. Pure. */
#ifndef PUDDLE_GW_POLICY_H
#define PUDDLE_GW_POLICY_H
#include "json.h"

enum policy_result { POLICY_NO_MATCH, POLICY_ALLOWED, POLICY_DENIED };
enum policy_result policy_allows(struct jval document, struct str action, struct str resource,
                                 struct arena *a);
/* '*' stands for any text, '?' for one byte. */
bool policy_matches(struct str pattern, struct str text);
#endif
