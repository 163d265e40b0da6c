/* Usage plans and API keys that SAM makes for REST APIs. */
#include "tpl_apply.h"

/* The item that has text in member, of a list operation's answer; not present: none. */
static struct jval find_item(struct apply *x, struct jval answer, const char *member,
                             struct str text)
{
    struct jval items = jval_get(answer, "item"), it = {0};
    while (jval_kind(items) == JSON_ARRAY && jval_next(items, &it, NULL))
        if (str_eq(jval_text(jval_get(it, member), x->arena), text))
            return it;
    return (struct jval){0};
}

static struct str id_of(struct apply *x, struct jval doc)
{
    return jval_text(jval_get(doc, "id"), x->arena);
}

/* A key outlives restarts: it is made only once. */
static bool need_key(struct apply *x, const struct plan_api *api, struct str *ret_id)
{
    struct service *svc = gateway_service(x->env->gateway);
    struct apply_owner owner = {api->logical_id, api->line};
    struct jval body;
    struct json_out w;
    struct buf *query = apply_writer(x, &w);
    json_obj(&w, NULL);
    json_str(&w, "nameQuery", api->usage.key_name);
    json_bool(&w, "includeValues", true);
    json_i64(&w, "limit", 500);
    json_end(&w);
    if (!apply_must(x, svc, "GetApiKeys", buf_view(query), owner, &body))
        return false;
    *ret_id = id_of(x, find_item(x, body, "value", api->usage.key_value));
    if (ret_id->n > 0)
        return true;
    struct buf *create = apply_writer(x, &w);
    json_obj(&w, NULL);
    json_str(&w, "name", api->usage.key_name);
    json_str(&w, "value", api->usage.key_value);
    json_bool(&w, "enabled", true);
    json_end(&w);
    if (!apply_must(x, svc, "CreateApiKey", buf_view(create), owner, &body))
        return false;
    *ret_id = id_of(x, body);
    return true;
}

/* Takes every stage out of a plan: only then it may be deleted. */
static struct str write_detach(struct apply *x, struct jval plan)
{
    struct jval stages = jval_get(plan, "apiStages"), it = {0};
    struct json_out w;
    struct buf *out = apply_writer(x, &w);
    json_obj(&w, NULL);
    json_str(&w, "usagePlanId", id_of(x, plan));
    json_arr(&w, "patchOperations");
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        json_obj(&w, NULL);
        json_cstr(&w, "op", "remove");
        json_cstr(&w, "path", "/apiStages");
        json_str(&w, "value",
                 arena_fmt(x->arena, "%.*s:%.*s",
                           STR_ARG(jval_text(jval_get(it, "apiId"), x->arena)),
                           STR_ARG(jval_text(jval_get(it, "stage"), x->arena))));
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return buf_view(out);
}

/* The plan of the last start goes: its limits and stages may be others now. */
static bool forget_plan(struct apply *x, const struct plan_api *api)
{
    struct service *svc = gateway_service(x->env->gateway);
    struct apply_owner owner = {api->logical_id, api->line};
    struct jval body;
    if (!apply_must(x, svc, "GetUsagePlans", STR("{\"limit\":500}"), owner, &body))
        return false;
    struct jval plan = find_item(x, body, "name", api->usage.name);
    if (!jval_present(plan))
        return true;
    return apply_must(x, svc, "UpdateUsagePlan", write_detach(x, plan), owner, NULL) &&
           apply_must(x, svc, "DeleteUsagePlan",
                      apply_input(x, "usagePlanId", id_of(x, plan), NULL, STR_NONE), owner, NULL);
}

static bool same_plan(const struct plan_api *a, const struct plan_api *b)
{
    return a == b || (a->usage.is_shared && b->usage.is_shared);
}

/* CreateUsagePlan's input with the stages of all APIs that share it. */
static struct str write_plan(struct apply *x, const struct tpl_plan *plan,
                             const struct plan_api *api)
{
    struct json_out w;
    struct buf *out = apply_writer(x, &w);
    struct str own = api->usage.create_json; /* an object with a name at least */
    json_arr(&w, NULL);
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct plan_api *other = &plan->apis[i];
        if (other->usage.name.n == 0 || !same_plan(api, other) || other->route_count == 0)
            continue;
        json_obj(&w, NULL);
        json_str(&w, "apiId", other->id);
        json_str(&w, "stage", other->stage);
        json_end(&w);
    }
    json_end(&w);
    return arena_fmt(x->arena, "%.*s,\"apiStages\":%.*s}", STR_ARG(str_sub(own, 0, own.n - 1)),
                     STR_ARG(buf_view(out)));
}

static bool make_plan(struct apply *x, const struct tpl_plan *plan, const struct plan_api *api)
{
    struct service *svc = gateway_service(x->env->gateway);
    struct apply_owner owner = {api->logical_id, api->line};
    struct str key, id;
    struct jval body;
    struct json_out w;
    if (!need_key(x, api, &key) || !forget_plan(x, api) ||
        !apply_must(x, svc, "CreateUsagePlan", write_plan(x, plan, api), owner, &body))
        return false;
    id = id_of(x, body);
    struct buf *link = apply_writer(x, &w);
    json_obj(&w, NULL);
    json_str(&w, "usagePlanId", id);
    json_str(&w, "keyId", key);
    json_cstr(&w, "keyType", "API_KEY");
    json_end(&w);
    return apply_must(x, svc, "CreateUsagePlanKey", buf_view(link), owner, NULL);
}

bool apply_usage_plans(struct apply *x, const struct tpl_plan *plan, struct buf *ret)
{
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct plan_api *api = &plan->apis[i];
        bool is_made = false;
        for (size_t k = 0; k < i; k++)
            is_made |= plan->apis[k].usage.name.n > 0 && same_plan(api, &plan->apis[k]);
        if (api->usage.name.n == 0 || is_made)
            continue;
        if (!make_plan(x, plan, api))
            return false;
        buf_addf(ret, "%.*s: x-api-key: %.*s\n", STR_ARG(api->usage.key_name),
                 STR_ARG(api->usage.key_value));
    }
    return true;
}
