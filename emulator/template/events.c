/* Events of functions: Api and HttpApi become routes of APIs. */
#include "arn.h"
#include "tpl_plan.h"

struct event {
    struct tpl_model *m;
    struct tpl_resource *r; /* the function */
    struct str what;        /* "Function.Event" */
    const struct tpl_node *properties;
    unsigned line;
    bool is_http;
    struct plan_api *api;
};

static struct plan_api *find_api(struct tpl_plan *plan, bool is_http, struct str id)
{
    for (size_t i = 0; i < plan->api_count; i++) {
        struct plan_api *api = &plan->apis[i];
        if (api->is_http == is_http && (str_eq(api->logical_id, id) || str_eq(api->id, id)))
            return api;
    }
    return NULL;
}

/* RestApiId, ApiId: !Ref Api, whose value is the API's id; or the logical id as text. */
static bool need_api(struct event *e, struct tpl_plan *plan)
{
    const char *property = e->is_http ? "ApiId" : "RestApiId";
    const struct tpl_node *n = tpl_get(e->properties, property);
    struct str id = e->is_http ? STR("ServerlessHttpApi") : STR("ServerlessRestApi");
    if (n != NULL && !tpl_eval_text(e->m, n, property, &id))
        return false;
    e->api = find_api(plan, e->is_http, id);
    if (e->api == NULL)
        tpl_warn(e->m->log, n == NULL ? 1 : n->line,
                 "%.*s: %s does not name an AWS::Serverless::%s of this template; the event is left"
                 " out",
                 STR_ARG(e->what), property, e->is_http ? "HttpApi" : "Api");
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

static bool eval_member(struct event *e, const char *name, struct tpl_node **ret)
{
    const struct tpl_resource r = {.properties = e->properties};
    return plan_eval(e->m, &r, name, ret);
}

/* Path and Method; an HttpApi event without both takes what no other route does. */
static bool read_key(struct event *e, struct plan_route *route)
{
    const struct tpl_node *path = tpl_get(e->properties, "Path");
    const struct tpl_node *method = tpl_get(e->properties, "Method");
    bool is_default = e->is_http && path == NULL && method == NULL;
    if (!is_default && (path == NULL || method == NULL))
        return tpl_fail(e->m->log, e->line, "%.*s: an %s event has a Path and a Method",
                        STR_ARG(e->what), e->is_http ? "HttpApi" : "Api");
    route->path = STR("$default");
    route->method = STR("ANY");
    if (!is_default && (!tpl_eval_text(e->m, path, "Path", &route->path) ||
                        !tpl_eval_text(e->m, method, "Method", &route->method)))
        return false;
    if (e->is_http && str_eq_c(route->path, "$default"))
        return true;
    if (route->path.n == 0 || route->path.p[0] != '/')
        return tpl_fail(e->m->log, e->line, "%.*s: Path must start with '/'", STR_ARG(e->what));
    upper(e->m->arena, &route->method);
    if (str_eq_c(route->method, "*") || str_eq_c(route->method, "X-AMAZON-APIGATEWAY-ANY-METHOD"))
        route->method = STR("ANY");
    return true;
}

static bool read_settings(struct event *e, struct plan_route *route)
{
    struct tpl_node *version, *timeout, *auth;
    if (!eval_member(e, "PayloadFormatVersion", &version) ||
        !eval_member(e, "TimeoutInMillis", &timeout) || !eval_member(e, "Auth", &auth))
        return false;
    route->payload_version = plan_text(version);
    route->timeout_ms = plan_text(timeout);
    return plan_route_auth(e->m, e->what, auth, e->api, route);
}

static bool read_event(struct event *e, struct tpl_plan *plan)
{
    static const char *const rest[] = {"Path", "Method", "RestApiId", "Auth", NULL};
    static const char *const http[] = {
        "Path", "Method", "ApiId", "Auth", "PayloadFormatVersion", "TimeoutInMillis", NULL};
    struct plan_properties known = {e->is_http ? http : rest, NULL};
    struct plan_route route = {.function_id = e->r->id, .line = e->line};
    struct str name;
    plan_warn_unknown(e->m, e->what, e->properties, &known);
    if (!read_key(e, &route) || !need_api(e, plan) || !tpl_resource_name(e->m, e->r, &name))
        return false;
    if (e->api == NULL)
        return true;
    route.function_arn = arn_format(e->m->arena, "lambda", e->m->region, e->m->account,
                                    arena_fmt(e->m->arena, "function:%.*s", STR_ARG(name)));
    return read_settings(e, &route) && add_route(e->m, e->api, &route);
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
        struct event e = {.m = m,
                          .r = r,
                          .what = arena_fmt(m->arena, "%.*s.%.*s", STR_ARG(r->id), STR_ARG(p->key)),
                          .properties = tpl_get(p->value, "Properties"),
                          .line = p->line,
                          .is_http = str_eq_c(type->text, "HttpApi")};
        if (!e.is_http && !str_eq_c(type->text, "Api"))
            tpl_warn(m->log, p->line, "%.*s: Puddle does not make events of type %.*s (%.*s)",
                     STR_ARG(r->id), STR_ARG(type->text), STR_ARG(p->key));
        else if (!read_event(&e, plan))
            return false;
    }
    return true;
}
