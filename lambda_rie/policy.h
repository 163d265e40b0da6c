/* policy.h - resource policies of functions, aliases, versions and layer versions (private to
 * lambda_rie): kept and shown, not enforced. A document is {"RevisionId","Statement":[...]};
 * without a statement there is none. */
#ifndef PUDDLE_POLICY_H
#define PUDDLE_POLICY_H
#include "docs.h"

struct lam_policy {
    const char *kind; /* DOC_POLICY, DOC_LAYER_POL */
    const char *api;  /* what an error tells to call for the latest revision */
    struct str key;
    struct jval doc; /* MISSING: none */
};
/* Reads the policy at key. */
void lam_policy_read(struct call *c, struct lam_policy *p);
bool lam_policy_check_revision(struct call *c, const struct lam_policy *p);
/* Adds a statement whose Sid is not taken; *ret_revision: the new one. */
bool lam_policy_add(struct call *c, struct lam_policy *p, struct str sid, struct str statement,
                    struct str *ret_revision);
bool lam_policy_has(struct call *c, const struct lam_policy *p, struct str sid);
bool lam_policy_remove(struct call *c, struct lam_policy *p, struct str sid);
/* {"Policy": "...", "RevisionId": "..."} */
void lam_policy_reply(struct call *c, const struct lam_policy *p);
#endif
