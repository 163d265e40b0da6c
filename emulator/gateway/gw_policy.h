/* gw_policy.h - IAM policy documents of authorizers and REST APIs: does one allow an action on a
 * resource? Conditions are evaluated where the request itself decides them (source address, agent,
 * referer); a statement with any other counts as not matching, and that is logged. Pure. */
#ifndef PUDDLE_GW_POLICY_H
#define PUDDLE_GW_POLICY_H
#include "json.h"

enum policy_result { POLICY_NO_MATCH, POLICY_ALLOWED, POLICY_DENIED };
struct policy_env { /* what conditions ask about; p == NULL: not there */
    struct str source_ip, user_agent, referer;
};
/* env NULL: no condition is evaluated. */
enum policy_result policy_allows(struct jval document, struct str action, struct str resource,
                                 const struct policy_env *env, struct arena *a);
/* Is it a policy document, and can all of it be decided: principals "*", conditions as above?
 * False: *ret_unsupported says what cannot; p == NULL: it is no policy document. */
bool policy_is_decidable(struct jval document, struct arena *a, struct str *ret_unsupported);
/* '*' stands for any text, '?' for one byte. */
bool policy_matches(struct str pattern, struct str text);
#endif
