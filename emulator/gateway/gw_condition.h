/* gw_condition.h - the Condition blocks of policy statements. Pure. */
#ifndef PUDDLE_GW_CONDITION_H
#define PUDDLE_GW_CONDITION_H
#include "gw_policy.h"

/* Can every operator and key of the block be decided here? False: *ret_what names one that cannot.
 */
bool condition_is_known(struct jval block, struct arena *a, struct str *ret_what);
/* Does the request hold it? Of a known block. */
bool condition_holds(struct jval block, const struct policy_env *env, struct arena *a);
/* "10.0.0.0/8", "2001:db8::/32" or one address: does it contain ip? */
bool condition_cidr_has(struct str cidr, struct str ip);
#endif
