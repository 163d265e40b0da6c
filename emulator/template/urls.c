/* FunctionUrlConfig of functions. */
#include "tpl_plan.h"

static void write_cors(const struct tpl_node *cors, struct json_out *w)
{
    static const char *const lists[] = {"AllowHeaders", "AllowMethods", "AllowOrigins",
                                        "ExposeHeaders"};
    int64_t age;
    json_obj(w, "Cors");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        plan_write_list(w, lists[i], tpl_get(cors, lists[i]));
    if (tpl_get(cors, "AllowCredentials") != NULL)
        json_bool(w, "AllowCredentials", plan_is_true(tpl_get(cors, "AllowCredentials")));
    if (str_to_i64(plan_text(tpl_get(cors, "MaxAge")), &age))
        json_i64(w, "MaxAge", age);
    json_end(w);
}

/* config: evaluated */
static bool add_url(struct tpl_model *m, const struct tpl_resource *r,
                    const struct tpl_node *config, struct plan_url *url, struct tpl_plan *plan)
{
    struct json_out w;
    struct str auth = plan_text(tpl_get(config, "AuthType"));
    const struct tpl_node *mode = tpl_get(config, "InvokeMode"), *cors = tpl_get(config, "Cors");
    if (auth.n == 0)
        return tpl_fail(m->log, r->line, "%.*s: the URL has no AuthType", STR_ARG(r->id));
    struct buf *b = plan_writer(m, &w);
    json_obj(&w, NULL);
    json_str(&w, "FunctionName", url->function);
    json_str(&w, "AuthType", auth);
    if (cors != NULL && cors->kind == TPL_MAP)
        write_cors(cors, &w);
    if (mode != NULL)
        json_str(&w, "InvokeMode", plan_text(mode));
    json_end(&w);
    url->config_json = buf_view(b);
    plan->urls[plan->url_count++] = *url;
    return true;
}

bool plan_url_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const char *const used[] = {"AuthType", "Cors", "InvokeMode", NULL};
    static const struct plan_properties known = {used, NULL};
    struct plan_url url = {.function_id = r->id, .line = r->line};
    struct tpl_node *config;
    if (r->is_skipped)
        return true;
    if (!plan_eval(m, r, "FunctionUrlConfig", &config) || !tpl_resource_name(m, r, &url.function))
        return false;
    if (config == NULL)
        return true;
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.FunctionUrlConfig", STR_ARG(r->id)), config,
                      &known);
    url.url_id = tpl_url_id(m, r->id);
    return add_url(m, r, config, &url, plan);
}

static bool is_made(const struct tpl_plan *plan, struct str function)
{
    for (size_t i = 0; i < plan->function_count; i++)
        if (str_eq(plan->functions[i].name, function))
            return true;
    return false;
}

bool plan_plain_url_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const char *const used[] = {"AuthType", "Cors", "InvokeMode", "TargetFunctionArn", NULL};
    static const struct plan_properties known = {used, NULL};
    struct plan_url url = {.function_id = r->id, .line = r->line, .url_id = tpl_url_id(m, r->id)};
    const struct tpl_node *target = tpl_get(r->properties, "TargetFunctionArn");
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (target == NULL)
        return tpl_fail(m->log, r->line, "%.*s: the property TargetFunctionArn is missing",
                        STR_ARG(r->id));
    struct tpl_node *config = tpl_eval(m, r->properties);
    if (config == NULL)
        return false;
    url.function = plan_text(tpl_get(config, "TargetFunctionArn"));
    ptrdiff_t colon = str_rfind(url.function, ':');
    if (colon >= 0)
        url.function = str_sub(url.function, (size_t)colon + 1, url.function.n);
    if (!is_made(plan, url.function)) {
        tpl_warn(m->log, target->line,
                 "%.*s: TargetFunctionArn is no function of this template; the URL is not made",
                 STR_ARG(r->id));
        return true;
    }
    return add_url(m, r, config, &url, plan);
}
