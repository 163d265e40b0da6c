/* AWS::Serverless::HttpApi and SAM's implicit HTTP API. */
#include "tpl_plan.h"

static const char *const used[] = {
    "StageName",      "Name", "Description",    "CorsConfiguration", "Auth",
    "StageVariables", "Tags", "DefinitionBody", "DefinitionUri",     NULL};
static const char *const ignored[] = {"AccessLogSettings", "FailOnWarnings", "PropagateTags", NULL};

/* true: every origin; a map: what it says. */
static bool write_cors(struct tpl_model *m, const struct tpl_resource *r, struct json_out *w)
{
    static const struct {
        const char *sam, *api;
    } lists[] = {{"AllowHeaders", "allowHeaders"},
                 {"AllowMethods", "allowMethods"},
                 {"AllowOrigins", "allowOrigins"},
                 {"ExposeHeaders", "exposeHeaders"}};
    static const char *const cors_used[] = {"AllowCredentials",
                                            "AllowHeaders",
                                            "AllowMethods",
                                            "AllowOrigins",
                                            "ExposeHeaders",
                                            "MaxAge",
                                            NULL};
    static const struct plan_properties known = {cors_used, NULL};
    struct tpl_node *cors;
    int64_t age;
    if (!plan_eval(m, r, "CorsConfiguration", &cors))
        return false;
    if (cors == NULL || (cors->kind == TPL_SCALAR && !plan_is_true(cors)))
        return true;
    json_obj(w, "corsConfiguration");
    if (cors->kind == TPL_SCALAR)
        json_raw(w, "allowOrigins", STR("[\"*\"]"));
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.CorsConfiguration", STR_ARG(r->id)), cors,
                      &known);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        plan_write_list(w, lists[i].api, tpl_get(cors, lists[i].sam));
    if (tpl_get(cors, "AllowCredentials") != NULL)
        json_bool(w, "allowCredentials", plan_is_true(tpl_get(cors, "AllowCredentials")));
    if (str_to_i64(plan_text(tpl_get(cors, "MaxAge")), &age))
        json_i64(w, "maxAge", age);
    json_end(w);
    return true;
}

static bool write_create(struct tpl_model *m, const struct tpl_resource *r,
                         const struct plan_api *api, struct json_out *w)
{
    struct tpl_node *name, *description, *tags;
    if (!plan_eval(m, r, "Name", &name) || !plan_eval(m, r, "Description", &description) ||
        !plan_eval(m, r, "Tags", &tags))
        return false;
    json_obj(w, NULL);
    json_str(w, "name", name != NULL ? name->text : api->logical_id);
    json_cstr(w, "protocolType", "HTTP");
    if (plan_text(description).n > 0)
        json_str(w, "description", description->text);
    if (!write_cors(m, r, w))
        return false;
    plan_write_api_tags(w, tags, api->id);
    json_end(w);
    return true;
}

static bool add_api(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api,
                    struct tpl_plan *plan)
{
    struct tpl_node *auth;
    struct json_out w;
    struct buf *b = plan_writer(m, &w);
    if (!write_create(m, r, api, &w) || !plan_variables_read(m, r, "StageVariables", api) ||
        !plan_auth_read(m, r, api, &auth) || !plan_definition_read(m, r, api))
        return false;
    api->create_json = buf_view(b);
    plan->apis[plan->api_count++] = *api;
    return true;
}

bool plan_http_api_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const struct plan_properties known = {used, ignored};
    struct plan_api api = {
        .is_http = true, .logical_id = r->id, .stage = STR("$default"), .line = r->line};
    const struct tpl_node *stage = tpl_get(r->properties, "StageName");
    plan_warn_unknown(m, r->id, r->properties, &known);
    return (stage == NULL || tpl_eval_text(m, stage, "StageName", &api.stage)) &&
           tpl_resource_name(m, r, &api.id) && add_api(m, r, &api, plan);
}

bool plan_implicit_http_api(struct tpl_model *m, struct tpl_plan *plan)
{
    static const struct plan_properties known = {used, ignored};
    const struct tpl_node *globals = tpl_get(tpl_get(m->root, "Globals"), "HttpApi");
    struct tpl_resource r = {
        .id = STR("ServerlessHttpApi"), .type = TPL_HTTP_API, .properties = globals};
    struct plan_api api = {
        .is_http = true, .logical_id = r.id, .stage = STR("$default"), .line = 1};
    plan_warn_unknown(m, STR("Globals.HttpApi"), globals, &known);
    api.id = tpl_api_id(m, r.id);
    return add_api(m, &r, &api, plan);
}
