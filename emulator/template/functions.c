/* AWS::Serverless::Function. */
#include "arn.h"
#include "tpl_plan.h"

/* Written to CreateFunction's input as they are. */
static const char *const passed[] = {"Description",   "Handler",          "Runtime",
                                     "Timeout",       "MemorySize",       "Environment",
                                     "Architectures", "EphemeralStorage", NULL};
static const char *const used[] = {
    "Description",   "Handler",          "Runtime", "Timeout",      "MemorySize", "Environment",
    "Architectures", "EphemeralStorage", "CodeUri", "FunctionName", "Role",       "Events",
    "Tags",          "PackageType",      NULL};
/* Nothing a handler run here would notice. */
static const char *const ignored[] = {"Policies",
                                      "PermissionsBoundary",
                                      "AssumeRolePolicyDocument",
                                      "RolePath",
                                      "Tracing",
                                      "KmsKeyArn",
                                      "VpcConfig",
                                      "LoggingConfig",
                                      "CodeSigningConfigArn",
                                      "RuntimeManagementConfig",
                                      "DeploymentPreference",
                                      "AutoPublishCodeSha256",
                                      "VersionDescription",
                                      "SnapStart",
                                      "ProvisionedConcurrencyConfig",
                                      "PropagateTags",
                                      NULL};

/* The folder of the code, relative to the template's. */
static bool read_folder(struct tpl_model *m, struct tpl_resource *r, struct str base,
                        struct str *ret)
{
    struct tpl_node *uri;
    if (!plan_eval(m, r, "CodeUri", &uri))
        return false;
    /* sam: the template's own folder when there is no CodeUri */
    struct str path = uri == NULL ? STR(".") : uri->text;
    if (uri != NULL && (uri->kind != TPL_SCALAR || str_starts(path, STR("s3://")))) {
        tpl_warn(m->log, uri->line, "%.*s: Puddle does not fetch code from S3; it is not made",
                 STR_ARG(r->id));
        r->is_skipped = true;
        return true;
    }
    *ret = path.n > 0 && path.p[0] == '/'
               ? arena_str(m->arena, path)
               : arena_fmt(m->arena, "%.*s/%.*s", STR_ARG(base), STR_ARG(path));
    return true;
}

static bool check_form(struct tpl_model *m, struct tpl_resource *r)
{
    struct tpl_node *package;
    if (!plan_eval(m, r, "PackageType", &package))
        return false;
    const struct tpl_node *inline_code = tpl_get(r->properties, "InlineCode");
    const char *what = inline_code != NULL                                  ? "InlineCode"
                       : package != NULL && !str_eq_c(package->text, "Zip") ? "container images"
                                                                            : NULL;
    if (what != NULL) {
        tpl_warn(m->log, r->line, "%.*s: Puddle does not run %s; it is not made", STR_ARG(r->id),
                 what);
        r->is_skipped = true;
    }
    return true;
}

static bool write_role(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *role;
    if (!plan_eval(m, r, "Role", &role))
        return false;
    /* the role that SAM makes for a function without one */
    struct str arn = role != NULL
                         ? role->text
                         : arn_format(m->arena, "iam", STR(""), m->account,
                                      arena_fmt(m->arena, "role/%.*sRole", STR_ARG(r->id)));
    json_str(w, "Role", arn);
    return true;
}

static bool write_config(struct tpl_model *m, struct tpl_resource *r, struct str name,
                         struct json_out *w)
{
    struct tpl_node *n;
    json_obj(w, NULL);
    json_str(w, "FunctionName", name);
    if (!write_role(m, r, w))
        return false;
    for (size_t i = 0; passed[i] != NULL; i++) {
        if (!plan_eval(m, r, passed[i], &n))
            return false;
        if (n != NULL)
            plan_write_json(w, passed[i], n);
    }
    if (!plan_eval(m, r, "Tags", &n))
        return false;
    if (n != NULL && n->kind == TPL_MAP)
        plan_write_json(w, "Tags", n);
    json_end(w);
    return true;
}

bool plan_function_read(struct tpl_model *m, struct tpl_resource *r, struct str folder,
                        struct tpl_plan *plan)
{
    static const struct plan_properties known = {used, ignored};
    struct plan_function f = {.id = r->id, .line = r->line};
    struct json_out w;
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (!check_form(m, r) || (!r->is_skipped && !read_folder(m, r, folder, &f.folder)))
        return false;
    if (r->is_skipped)
        return true;
    static const char *const needed[] = {"Handler", "Runtime"};
    for (size_t i = 0; i < 2; i++)
        if (tpl_get(r->properties, needed[i]) == NULL)
            return tpl_fail(m->log, r->line, "%.*s: the property %s is missing", STR_ARG(r->id),
                            needed[i]);
    if (!tpl_resource_name(m, r, &f.name))
        return false;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&w, b);
    if (!write_config(m, r, f.name, &w))
        return false;
    f.config_json = buf_view(b);
    plan->functions[plan->function_count++] = f;
    return true;
}

/* --- events --- */

static struct plan_api *find_api(struct tpl_plan *plan, struct str logical_id)
{
    for (size_t i = 0; i < plan->api_count; i++)
        if (str_eq(plan->apis[i].logical_id, logical_id))
            return &plan->apis[i];
    return NULL;
}

/* RestApiId: !Ref Api, whose value is the API's id; or the logical id as text. */
static bool event_api(struct tpl_model *m, struct str what, const struct tpl_node *properties,
                      struct tpl_plan *plan, struct plan_api **ret)
{
    const struct tpl_node *n = tpl_get(properties, "RestApiId");
    struct str id = STR("ServerlessRestApi");
    if (n != NULL && !tpl_eval_text(m, n, "RestApiId", &id))
        return false;
    *ret = find_api(plan, id);
    for (size_t i = 0; *ret == NULL && i < plan->api_count; i++)
        if (str_eq(plan->apis[i].id, id))
            *ret = &plan->apis[i];
    if (*ret == NULL)
        tpl_warn(m->log, n == NULL ? 1 : n->line,
                 "%.*s: RestApiId does not name an AWS::Serverless::Api of this template; the event"
                 " is left out",
                 STR_ARG(what));
    return true;
}

static void upper(struct arena *a, struct str *s)
{
    char *out = arena_alloc(a, s->n + 1);
    for (size_t i = 0; i < s->n; i++)
        out[i] = s->p[i] >= 'a' && s->p[i] <= 'z' ? (char)(s->p[i] - 32) : s->p[i];
    s->p = out;
}

static bool add_route(struct tpl_model *m, struct plan_api *api, const struct plan_route *route)
{
    for (size_t i = 0; i < api->route_count; i++)
        if (str_eq(api->routes[i].path, route->path) &&
            str_eq(api->routes[i].method, route->method))
            return tpl_fail(m->log, route->line, "%.*s: %.*s %.*s is already an event of %.*s",
                            STR_ARG(route->function_id), STR_ARG(route->method),
                            STR_ARG(route->path), STR_ARG(api->routes[i].function_id));
    if (api->route_count == api->route_cap) {
        size_t cap = api->route_cap == 0 ? 8 : api->route_cap * 2;
        struct plan_route *grown = ARENA_ARRAY(m->arena, struct plan_route, cap);
        for (size_t i = 0; i < api->route_count; i++)
            grown[i] = api->routes[i];
        api->routes = grown;
        api->route_cap = cap;
    }
    api->routes[api->route_count++] = *route;
    return true;
}

static bool read_api_event(struct tpl_model *m, struct tpl_resource *r, const struct tpl_pair *p,
                           struct tpl_plan *plan)
{
    static const char *const event_used[] = {"Path", "Method", "RestApiId", NULL};
    static const struct plan_properties known = {event_used, NULL};
    const struct tpl_node *properties = tpl_get(p->value, "Properties");
    struct str name, what = arena_fmt(m->arena, "%.*s.%.*s", STR_ARG(r->id), STR_ARG(p->key));
    struct plan_route route = {.function_id = r->id, .line = p->line};
    struct plan_api *api;
    plan_warn_unknown(m, what, properties, &known);
    if (tpl_get(properties, "Path") == NULL || tpl_get(properties, "Method") == NULL)
        return tpl_fail(m->log, p->line, "%.*s: an Api event has a Path and a Method",
                        STR_ARG(what));
    if (!tpl_eval_text(m, tpl_get(properties, "Path"), "Path", &route.path) ||
        !tpl_eval_text(m, tpl_get(properties, "Method"), "Method", &route.method) ||
        !event_api(m, what, properties, plan, &api) || !tpl_resource_name(m, r, &name))
        return false;
    if (api == NULL)
        return true;
    if (route.path.n == 0 || route.path.p[0] != '/')
        return tpl_fail(m->log, p->line, "%.*s: Path must start with '/'", STR_ARG(what));
    upper(m->arena, &route.method);
    if (str_eq_c(route.method, "*"))
        route.method = STR("ANY");
    route.function_arn = arn_format(m->arena, "lambda", m->region, m->account,
                                    arena_fmt(m->arena, "function:%.*s", STR_ARG(name)));
    return add_route(m, api, &route);
}

bool plan_events_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    const struct tpl_node *events = tpl_get(r->properties, "Events");
    if (events == NULL || r->is_skipped)
        return true;
    if (events->kind != TPL_MAP)
        return tpl_fail(m->log, events->line, "%.*s: Events must be a map", STR_ARG(r->id));
    for (size_t i = 0; i < events->count; i++) {
        const struct tpl_pair *p = &events->pairs[i];
        const struct tpl_node *type = tpl_get(p->value, "Type");
        if (type == NULL || type->kind != TPL_SCALAR)
            return tpl_fail(m->log, p->line, "%.*s: the event %.*s has no Type", STR_ARG(r->id),
                            STR_ARG(p->key));
        if (!str_eq_c(type->text, "Api"))
            tpl_warn(m->log, p->line, "%.*s: Puddle does not make events of type %.*s (%.*s)",
                     STR_ARG(r->id), STR_ARG(type->text), STR_ARG(p->key));
        else if (!read_api_event(m, r, p, plan))
            return false;
    }
    return true;
}
