/* AWS::Serverless::Api and SAM's implicit API. */
#include "tpl_plan.h"

static const char *const used[] = {
    "StageName", "Name", "Description",      "BinaryMediaTypes", "Variables",     "Tags",
    "Auth",      "Cors", "GatewayResponses", "DefinitionBody",   "DefinitionUri", NULL};
static const char *const ignored[] = {"EndpointConfiguration", "TracingEnabled", "OpenApiVersion",
                                      "PropagateTags",         "AlwaysDeploy",   NULL};

/* "image~1png" is how SAM writes image/png. */
static struct str media_type(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escaped = s.p[i] == '~' && i + 1 < s.n && s.p[i + 1] == '1';
        out[n++] = escaped ? '/' : s.p[i];
        i += escaped;
    }
    return (struct str){out, n};
}

/* CreateRestApi's input. properties: an evaluated or plain view on Name, Description, ...; r may be
 * NULL for the implicit API, which only knows Globals.Api. */
static bool write_create(struct tpl_model *m, const struct tpl_resource *r,
                         const struct plan_api *api, struct json_out *w)
{
    struct tpl_node *name, *description, *types, *tags;
    if (!plan_eval(m, r, "Name", &name) || !plan_eval(m, r, "Description", &description) ||
        !plan_eval(m, r, "BinaryMediaTypes", &types) || !plan_eval(m, r, "Tags", &tags))
        return false;
    json_obj(w, NULL);
    /* AWS names an API without a Name after the stack */
    json_str(w, "name", name != NULL ? name->text : api->logical_id);
    if (description != NULL && description->text.n > 0)
        json_str(w, "description", description->text);
    if (types != NULL && types->kind == TPL_SEQ && types->count > 0) {
        json_arr(w, "binaryMediaTypes");
        for (size_t i = 0; i < types->count; i++)
            json_str(w, NULL, media_type(m->arena, types->pairs[i].value->text));
        json_end(w);
    }
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
    if (!write_create(m, r, api, &w) || !plan_variables_read(m, r, "Variables", api) ||
        !plan_auth_read(m, r, api, &auth) || !plan_cors_read(m, r, auth, api) ||
        !plan_usage_read(m, r, auth, api) || !plan_responses_read(m, r, api) ||
        !plan_definition_read(m, r, api))
        return false;
    if (api->definition.n > 0 && api->cors.enabled)
        tpl_warn(m->log, r->line,
                 "%.*s: Cors covers the paths of events, not those of the definition",
                 STR_ARG(r->id));
    api->create_json = buf_view(b);
    plan->apis[plan->api_count++] = *api;
    return true;
}

bool plan_api_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const struct plan_properties known = {used, ignored};
    struct plan_api api = {.logical_id = r->id, .line = r->line};
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (tpl_get(r->properties, "StageName") == NULL)
        return tpl_fail(m->log, r->line, "%.*s: the property StageName is missing", STR_ARG(r->id));
    return tpl_eval_text(m, tpl_get(r->properties, "StageName"), "StageName", &api.stage) &&
           tpl_resource_name(m, r, &api.id) && add_api(m, r, &api, plan);
}

/* SAM makes it for events without RestApiId, with the stage Prod (and, for historical reasons, one
 * called Stage, which nobody uses: left out). */
bool plan_implicit_api(struct tpl_model *m, struct tpl_plan *plan)
{
    static const struct plan_properties known = {used, ignored};
    const struct tpl_node *globals = tpl_get(tpl_get(m->root, "Globals"), "Api");
    struct tpl_resource r = {
        .id = STR("ServerlessRestApi"), .type = TPL_API, .properties = globals};
    struct plan_api api = {.logical_id = r.id, .stage = STR("Prod"), .line = 1};
    plan_warn_unknown(m, STR("Globals.Api"), globals, &known);
    api.id = tpl_api_id(m, r.id);
    return add_api(m, &r, &api, plan);
}
