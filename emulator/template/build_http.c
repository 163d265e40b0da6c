/* HTTP APIs: made anew at every start, under the same id. */
#include "tpl_apply.h"

struct http_build {
    struct apply *x;
    const struct plan_api *api;
    struct service *svc;
    struct str *authorizer_ids;
    struct jval defined; /* the routes that the definition made */
};

static bool make_integration(struct http_build *b, const struct plan_route *route, struct str *ret)
{
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    struct apply_owner owner = {route->function_id, route->line};
    struct str version = route->payload_version;
    struct jval body;
    int64_t timeout;
    if (version.n == 0) /* SAM's default */
        version = STR("2.0");
    else if (str_eq_c(version, "1") || str_eq_c(version, "2")) /* 2.0 is a number in YAML */
        version = arena_fmt(b->x->arena, "%.*s.0", STR_ARG(version));
    json_obj(&w, NULL);
    json_str(&w, "apiId", b->api->id);
    json_cstr(&w, "integrationType", "AWS_PROXY");
    json_cstr(&w, "integrationMethod", "POST");
    json_str(&w, "integrationUri",
             plan_function_uri(b->x->arena, b->x->env->region, route->function_arn));
    json_str(&w, "payloadFormatVersion", version);
    if (route->timeout_ms.n > 0) {
        if (!str_to_i64(route->timeout_ms, &timeout))
            return tpl_fail(b->x->log, route->line, "%.*s: TimeoutInMillis must be a number",
                            STR_ARG(route->function_id));
        json_i64(&w, "timeoutInMillis", timeout);
    }
    json_end(&w);
    if (!apply_must(b->x, b->svc, "CreateIntegration", buf_view(out), owner, &body))
        return false;
    *ret = jval_text(jval_get(body, "integrationId"), b->x->arena);
    return true;
}

static struct str key_of(struct http_build *b, const struct plan_route *route)
{
    return str_eq_c(route->path, "$default")
               ? route->path
               : arena_fmt(b->x->arena, "%.*s %.*s", STR_ARG(route->method), STR_ARG(route->path));
}

static bool is_defined(struct http_build *b, const struct plan_route *route)
{
    struct jval it = {0};
    while (jval_kind(b->defined) == JSON_ARRAY && jval_next(b->defined, &it, NULL))
        if (str_eq(jval_text(jval_get(it, "routeKey"), b->x->arena), key_of(b, route)))
            return true;
    return false;
}

static bool make_route(struct http_build *b, const struct plan_route *route)
{
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    struct apply_owner owner = {route->function_id, route->line};
    struct str integration, authorizer = apply_authorizer_id(b->api, route, b->authorizer_ids);
    if (is_defined(b, route))
        return true;
    if (!make_integration(b, route, &integration))
        return false;
    json_obj(&w, NULL);
    json_str(&w, "apiId", b->api->id);
    json_str(&w, "routeKey", key_of(b, route));
    json_str(&w, "target", arena_fmt(b->x->arena, "integrations/%.*s", STR_ARG(integration)));
    json_cstr(&w, "authorizationType",
              route->is_iam               ? "AWS_IAM"
              : route->authorizer == NULL ? "NONE"
              : route->authorizer->is_jwt ? "JWT"
                                          : "CUSTOM");
    if (authorizer.n > 0)
        json_str(&w, "authorizerId", authorizer);
    if (route->scopes_json.n > 0)
        json_raw(&w, "authorizationScopes", route->scopes_json);
    json_end(&w);
    return apply_must(b->x, b->svc, "CreateRoute", buf_view(out), owner, NULL);
}

/* Last, so that it deploys once. */
static bool make_stage(struct http_build *b)
{
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    struct jval variables = apply_variables(b->x, b->api);
    json_obj(&w, NULL);
    json_str(&w, "apiId", b->api->id);
    json_str(&w, "stageName", b->api->stage);
    json_bool(&w, "autoDeploy", true);
    if (jval_present(variables))
        json_raw(&w, "stageVariables", jval_raw(variables));
    json_end(&w);
    return apply_must(b->x, b->svc, "CreateStage", buf_view(out),
                      (struct apply_owner){b->api->logical_id, b->api->line}, NULL);
}

static bool import(struct http_build *b, struct apply_owner owner)
{
    struct jval body;
    if (!apply_must(b->x, b->svc, "ReimportApi",
                    apply_input(b->x, "apiId", b->api->id, "body", b->api->definition), owner,
                    NULL) ||
        !apply_must(b->x, b->svc, "GetRoutes",
                    apply_input(b->x, "apiId", b->api->id, NULL, STR_NONE), owner, &body))
        return false;
    b->defined = jval_get(body, "items");
    return true;
}

bool apply_http_api(struct apply *x, const struct plan_api *api)
{
    struct http_build b = {.x = x, .api = api, .svc = gateway_service_v2(x->env->gateway)};
    struct apply_owner owner = {api->logical_id, api->line};
    if (!apply_forget_api(x, api) ||
        !apply_must(x, b.svc, "CreateApi", api->create_json, owner, NULL) ||
        (api->definition.n > 0 && !import(&b, owner)) ||
        !apply_authorizers(x, b.svc, api, &b.authorizer_ids))
        return false;
    for (size_t i = 0; i < api->route_count; i++)
        if (!make_route(&b, &api->routes[i]))
            return false;
    if (api->route_count == 0 && api->definition.n == 0)
        tpl_warn(x->log, api->line, "%.*s: no event uses this API", STR_ARG(api->logical_id));
    return make_stage(&b);
}
