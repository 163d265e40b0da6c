/* What SAM adds to an AWS::Serverless::Api: CORS, usage plans, gateway responses. */
#include "tpl_plan.h"

/* --- Cors --- */

static struct str quoted(struct tpl_model *m, const struct tpl_node *n)
{
    struct str s = plan_text(n);
    if (s.n == 0 || s.p[0] == '\'')
        return s;
    return arena_fmt(m->arena, "'%.*s'", STR_ARG(s)); /* SAM wants the quotes; be kind */
}

static bool preflight_has(const struct tpl_node *auth, const char *member)
{
    const struct tpl_node *n = tpl_get(auth, member);
    return n == NULL || plan_is_true(n); /* SAM's default is true */
}

/* A text is the origin; a map has a member per header. */
bool plan_cors_read(struct tpl_model *m, const struct tpl_resource *r, const struct tpl_node *auth,
                    struct plan_api *api)
{
    static const char *const used[] = {"AllowOrigin",      "AllowHeaders", "AllowMethods",
                                       "AllowCredentials", "MaxAge",       NULL};
    static const struct plan_properties known = {used, NULL};
    struct plan_cors *cors = &api->cors;
    struct tpl_node *n;
    if (!plan_eval(m, r, "Cors", &n))
        return false;
    if (n == NULL)
        return true;
    *cors = (struct plan_cors){.enabled = true,
                               .origin = STR("'*'"), /* SAM's default */
                               .with_authorizer =
                                   preflight_has(auth, "AddDefaultAuthorizerToCorsPreflight"),
                               .with_key = preflight_has(auth, "AddApiKeyRequiredToCorsPreflight")};
    if (n->kind == TPL_SCALAR) {
        cors->origin = quoted(m, n);
        return true;
    }
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.Cors", STR_ARG(r->id)), n, &known);
    if (tpl_get(n, "AllowOrigin") != NULL)
        cors->origin = quoted(m, tpl_get(n, "AllowOrigin"));
    cors->methods = quoted(m, tpl_get(n, "AllowMethods"));
    cors->headers = quoted(m, tpl_get(n, "AllowHeaders"));
    cors->max_age = quoted(m, tpl_get(n, "MaxAge"));
    if (plan_is_true(tpl_get(n, "AllowCredentials")))
        cors->credentials = STR("'true'");
    return true;
}

/* --- UsagePlan --- */

static bool write_number(struct tpl_model *m, const struct tpl_node *map, const char *from,
                         const char *to, struct json_out *w)
{
    const struct tpl_node *n = tpl_get(map, from);
    struct jval v;
    if (n == NULL)
        return true;
    if (!json_parse(m->arena, plan_text(n), 4, &v, NULL) || jval_kind(v) != JSON_NUMBER)
        return tpl_fail(m->log, n->line, "UsagePlan: %s must be a number", from);
    json_raw(w, to, plan_text(n));
    return true;
}

static bool write_limits(struct tpl_model *m, const struct tpl_node *plan, struct json_out *w)
{
    const struct tpl_node *throttle = tpl_get(plan, "Throttle"), *quota = tpl_get(plan, "Quota");
    bool ok = true;
    if (throttle != NULL) {
        json_obj(w, "throttle");
        ok = write_number(m, throttle, "RateLimit", "rateLimit", w) &&
             write_number(m, throttle, "BurstLimit", "burstLimit", w);
        json_end(w);
    }
    if (quota != NULL && ok) {
        json_obj(w, "quota");
        ok = write_number(m, quota, "Limit", "limit", w) &&
             write_number(m, quota, "Offset", "offset", w);
        if (tpl_get(quota, "Period") != NULL)
            json_str(w, "period", plan_text(tpl_get(quota, "Period")));
        json_end(w);
    }
    return ok;
}

/* unverified: the names; AWS's are <stack>-<logical id>-<random>. */
bool plan_usage_read(struct tpl_model *m, const struct tpl_resource *r, const struct tpl_node *auth,
                     struct plan_api *api)
{
    static const char *const used[] = {"CreateUsagePlan", "UsagePlanName", "Throttle",
                                       "Quota",           "Description",   NULL};
    static const char *const ignored[] = {"Tags", NULL};
    static const struct plan_properties known = {used, ignored};
    const struct tpl_node *plan = tpl_get(auth, "UsagePlan");
    struct str create = plan_text(tpl_get(plan, "CreateUsagePlan"));
    struct str name = plan_text(tpl_get(plan, "UsagePlanName")), description;
    struct json_out w;
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.Auth.UsagePlan", STR_ARG(r->id)), plan, &known);
    if (create.n == 0 || str_eq_c(create, "NONE"))
        return true;
    bool is_shared = str_eq_c(create, "SHARED");
    if (!is_shared && !str_eq_c(create, "PER_API"))
        return tpl_fail(m->log, plan->line, "%.*s: CreateUsagePlan is PER_API, SHARED or NONE",
                        STR_ARG(r->id));
    struct str owner = is_shared ? STR("Serverless") : r->id;
    struct plan_usage *u = &api->usage;
    u->is_shared = is_shared;
    u->name = name.n > 0 ? name : arena_fmt(m->arena, "%.*sUsagePlan", STR_ARG(owner));
    u->key_name = arena_fmt(m->arena, "%.*sApiKey", STR_ARG(owner));
    u->key_value = tpl_key_value(m, owner);
    description = plan_text(tpl_get(plan, "Description"));
    struct buf *b = plan_writer(m, &w);
    json_obj(&w, NULL);
    json_str(&w, "name", u->name);
    if (description.n > 0)
        json_str(&w, "description", description);
    if (!write_limits(m, plan, &w))
        return false;
    json_end(&w);
    u->create_json = buf_view(b);
    return true;
}

/* --- GatewayResponses --- */

static void write_parameters(struct tpl_model *m, const struct tpl_node *n, struct json_out *w)
{
    static const struct {
        const char *member, *prefix;
    } kinds[] = {{"Headers", "gatewayresponse.header."},
                 {"Paths", "gatewayresponse.path."},
                 {"QueryStrings", "gatewayresponse.querystring."}};
    json_obj(w, "responseParameters");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct tpl_node *map = tpl_get(n, kinds[k].member);
        for (size_t i = 0; map != NULL && map->kind == TPL_MAP && i < map->count; i++) {
            json_key(w, arena_fmt(m->arena, "%s%.*s", kinds[k].prefix, STR_ARG(map->pairs[i].key)));
            json_str(w, NULL, map->pairs[i].value->text);
        }
    }
    json_end(w);
}

bool plan_responses_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api)
{
    static const char *const used[] = {"StatusCode", "ResponseParameters", "ResponseTemplates",
                                       NULL};
    static const struct plan_properties known = {used, NULL};
    struct tpl_node *all;
    if (!plan_eval(m, r, "GatewayResponses", &all))
        return false;
    if (all == NULL)
        return true;
    if (all->kind != TPL_MAP)
        return tpl_fail(m->log, all->line, "%.*s: GatewayResponses must be a map", STR_ARG(r->id));
    api->responses = ARENA_ARRAY(m->arena, struct str, all->count + 1);
    for (size_t i = 0; i < all->count; i++) {
        const struct tpl_node *n = all->pairs[i].value;
        struct str status = plan_text(tpl_get(n, "StatusCode"));
        struct json_out w;
        struct buf *b = plan_writer(m, &w);
        plan_warn_unknown(
            m, arena_fmt(m->arena, "%.*s.%.*s", STR_ARG(r->id), STR_ARG(all->pairs[i].key)), n,
            &known);
        json_obj(&w, NULL);
        json_str(&w, "restApiId", api->id);
        json_str(&w, "responseType", all->pairs[i].key);
        if (status.n > 0)
            json_str(&w, "statusCode", status);
        write_parameters(m, tpl_get(n, "ResponseParameters"), &w);
        plan_write_texts(&w, "responseTemplates", tpl_get(n, "ResponseTemplates"));
        json_end(&w);
        api->responses[api->response_count++] = buf_view(b);
    }
    return true;
}
