/* tpl_apply.h - a plan made real (private to template.c and build_*.c). */
#ifndef PUDDLE_TPL_APPLY_H
#define PUDDLE_TPL_APPLY_H
#include "tpl_plan.h"

struct apply {
    const struct template_env *env;
    struct arena *arena;
    struct tpl_log *log;
};
struct apply_owner { /* whose failure it is */
    struct str id;
    unsigned line;
};
bool apply_run(struct apply *x, const struct service *svc, const char *op, struct str json,
               struct jval *ret_body, struct aws_err *err);
/* An operation that must succeed: its failure is the template's error. ret_body may be NULL. */
bool apply_must(struct apply *x, const struct service *svc, const char *op, struct str json,
                struct apply_owner owner, struct jval *ret_body);
/* An input of one or two text members; the second may be NULL. */
struct str apply_input(struct apply *x, const char *key, struct str value, const char *key2,
                       struct str value2);
struct buf *apply_writer(struct apply *x, struct json_out *ret);
/* Removes the API of that id, of whatever kind it was at the last start. */
bool apply_forget_api(struct apply *x, const struct plan_api *api);
/* Creates the API's authorizers; their ids, in the order of the plan. */
bool apply_authorizers(struct apply *x, const struct service *svc, const struct plan_api *api,
                       struct str **ret_ids);
/* The id of a route's authorizer; empty: it has none. */
struct str apply_authorizer_id(const struct plan_api *api, const struct plan_route *route,
                               const struct str *ids);
/* The stage's variables; absent if there are none. */
struct jval apply_variables(struct apply *x, const struct plan_api *api);

bool apply_rest_api(struct apply *x, const struct plan_api *api); /* build_rest.c */
bool apply_http_api(struct apply *x, const struct plan_api *api); /* build_http.c */
/* Usage plans and keys, after all APIs; says in *ret which keys there are. build_usage.c */
bool apply_usage_plans(struct apply *x, const struct tpl_plan *plan, struct buf *ret);
#endif
