/* REST APIs: made anew at every start, under the same id. */
#include "codec.h"
#include "map.h"
#include "tpl_apply.h"
#include <string.h>

struct rest_build {
    struct apply *x;
    const struct plan_api *api;
    struct service *svc;
    struct str *authorizer_ids;
    struct map resources; /* path -> resource id (NUL-terminated, in the arena) */
};

static struct apply_owner owner_of(const struct plan_route *route)
{
    return (struct apply_owner){route->function_id, route->line};
}

static bool make_resource(struct rest_build *b, struct str parent, struct str part, struct str path,
                          const struct plan_route *route)
{
    struct jval body;
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "parentId", parent);
    json_str(&w, "pathPart", part);
    json_end(&w);
    if (!apply_must(b->x, b->svc, "CreateResource", buf_view(out), owner_of(route), &body))
        return false;
    struct str id = arena_str(b->x->arena, jval_text(jval_get(body, "id"), b->x->arena));
    map_put(&b->resources, path, (void *)(uintptr_t)id.p);
    return true;
}

static struct str trimmed(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    return path;
}

/* The resource of a path, with all above it. */
static bool need_resource(struct rest_build *b, const struct plan_route *route, struct str *ret)
{
    struct str path = trimmed(route->path), parent = str_c(map_get(&b->resources, STR("/")));
    for (size_t from = 1; from < path.n;) {
        size_t to = from;
        while (to < path.n && path.p[to] != '/')
            to++;
        struct str prefix = str_sub(path, 0, to);
        if (map_get(&b->resources, prefix) == NULL &&
            !make_resource(b, parent, str_sub(path, from, to), prefix, route))
            return false;
        parent = str_c(map_get(&b->resources, prefix));
        from = to + 1;
    }
    *ret = parent;
    return true;
}

/* The members that name a method in every operation on it; left open. */
static struct buf *start_method(struct rest_build *b, struct str resource, struct str method,
                                struct json_out *w)
{
    struct buf *out = apply_writer(b->x, w);
    json_obj(w, NULL);
    json_str(w, "restApiId", b->api->id);
    json_str(w, "resourceId", resource);
    json_str(w, "httpMethod", method);
    return out;
}

static bool put_method(struct rest_build *b, struct str resource, const struct plan_route *route)
{
    struct json_out w;
    struct buf *out = start_method(b, resource, route->method, &w);
    struct str authorizer = apply_authorizer_id(b->api, route, b->authorizer_ids);
    json_cstr(&w, "authorizationType",
              route->is_iam      ? "AWS_IAM"
              : authorizer.n > 0 ? "CUSTOM"
                                 : "NONE");
    if (authorizer.n > 0)
        json_str(&w, "authorizerId", authorizer);
    if (route->needs_key)
        json_bool(&w, "apiKeyRequired", true);
    json_end(&w);
    return apply_must(b->x, b->svc, "PutMethod", buf_view(out), owner_of(route), NULL);
}

/* Does the definition have the method, with its integration? */
static bool is_defined(struct rest_build *b, struct str resource, const struct plan_route *route,
                       bool *ret_has_method)
{
    struct json_out w;
    struct jval method;
    struct aws_err err;
    *ret_has_method = false;
    if (b->api->definition.n == 0)
        return false;
    struct buf *out = start_method(b, resource, route->method, &w);
    json_end(&w);
    *ret_has_method = apply_run(b->x, b->svc, "GetMethod", buf_view(out), &method, &err);
    return *ret_has_method && jval_present(jval_get(method, "methodIntegration"));
}

static bool make_route(struct rest_build *b, const struct plan_route *route)
{
    struct str resource;
    struct json_out w;
    bool has_method;
    if (!need_resource(b, route, &resource))
        return false;
    if (is_defined(b, resource, route, &has_method))
        return true;
    if (!has_method && !put_method(b, resource, route))
        return false;
    struct buf *out = start_method(b, resource, route->method, &w);
    json_cstr(&w, "type", "AWS_PROXY");
    json_cstr(&w, "integrationHttpMethod", "POST");
    json_str(&w, "uri", plan_function_uri(b->x->arena, b->x->env->region, route->function_arn));
    json_end(&w);
    return apply_must(b->x, b->svc, "PutIntegration", buf_view(out), owner_of(route), NULL);
}

/* --- CORS: a MOCK method OPTIONS for every path that has none --- */

/* "'GET,OPTIONS'": the methods of the path, sorted, and OPTIONS; all of them for ANY. */
static struct str methods_of(struct rest_build *b, struct str path)
{
    static const char *const all[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    struct buf *out = arena_new_buf(b->x->arena, 256);
    const char *comma = "'";
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        bool has = strcmp(all[k], "OPTIONS") == 0;
        for (size_t i = 0; i < b->api->route_count && !has; i++)
            has = str_eq(trimmed(b->api->routes[i].path), path) &&
                  (str_eq_c(b->api->routes[i].method, "ANY") ||
                   str_eq_c(b->api->routes[i].method, all[k]));
        if (has)
            buf_addf(out, "%s%s", comma, all[k]);
        comma = has ? "," : comma;
    }
    buf_addc(out, '\'');
    return buf_view(out);
}

struct cors_header {
    const char *name;
    struct str value;
};
enum { CORS_HEADERS = 5 };

static void list_headers(struct rest_build *b, struct str path, struct cors_header *ret)
{
    const struct plan_cors *cors = &b->api->cors;
    ret[0] = (struct cors_header){"Access-Control-Allow-Origin", cors->origin};
    ret[1] = (struct cors_header){"Access-Control-Allow-Methods",
                                  cors->methods.n > 0 ? cors->methods : methods_of(b, path)};
    ret[2] = (struct cors_header){"Access-Control-Allow-Headers", cors->headers};
    ret[3] = (struct cors_header){"Access-Control-Allow-Credentials", cors->credentials};
    ret[4] = (struct cors_header){"Access-Control-Max-Age", cors->max_age};
}

/* PutMethodResponse's input (all values true) or PutIntegrationResponse's. */
static struct str write_response(struct rest_build *b, const struct plan_route *options,
                                 struct str resource, const struct cors_header *headers,
                                 bool is_integration)
{
    struct json_out w;
    struct buf *out = start_method(b, resource, options->method, &w);
    json_cstr(&w, "statusCode", "200");
    json_obj(&w, "responseParameters");
    for (size_t i = 0; i < CORS_HEADERS; i++) {
        if (headers[i].value.n == 0)
            continue;
        json_key(&w, arena_fmt(b->x->arena, "method.response.header.%s", headers[i].name));
        if (is_integration)
            json_str(&w, NULL, headers[i].value);
        else
            json_bool(&w, NULL, true);
    }
    json_end(&w);
    if (is_integration) {
        json_obj(&w, "responseTemplates");
        json_cstr(&w, "application/json", "{}\n");
        json_end(&w);
    }
    json_end(&w);
    return buf_view(out);
}

static bool make_options(struct rest_build *b, const struct plan_route *options)
{
    struct cors_header headers[CORS_HEADERS];
    struct str resource;
    struct json_out w;
    struct apply_owner owner = owner_of(options);
    if (!need_resource(b, options, &resource) || !put_method(b, resource, options))
        return false;
    list_headers(b, trimmed(options->path), headers);
    struct buf *integration = start_method(b, resource, options->method, &w);
    json_cstr(&w, "type", "MOCK");
    json_obj(&w, "requestTemplates");
    json_cstr(&w, "application/json", "{\n  \"statusCode\" : 200\n}\n");
    json_end(&w);
    json_end(&w);
    return apply_must(b->x, b->svc, "PutIntegration", buf_view(integration), owner, NULL) &&
           apply_must(b->x, b->svc, "PutMethodResponse",
                      write_response(b, options, resource, headers, false), owner, NULL) &&
           apply_must(b->x, b->svc, "PutIntegrationResponse",
                      write_response(b, options, resource, headers, true), owner, NULL);
}

static const struct plan_authorizer *default_authorizer(const struct plan_api *api)
{
    for (size_t i = 0; i < api->authorizer_count; i++)
        if (str_eq(api->authorizers[i].name, api->default_authorizer) &&
            !api->authorizers[i].is_open)
            return &api->authorizers[i];
    return NULL;
}

static bool make_cors(struct rest_build *b)
{
    const struct plan_api *api = b->api;
    for (size_t i = 0; i < api->route_count; i++) {
        struct str path = trimmed(api->routes[i].path);
        struct plan_route options = {.method = STR("OPTIONS"),
                                     .path = path,
                                     .function_id = api->logical_id,
                                     .line = api->routes[i].line};
        bool is_there = false; /* the path was seen, or has its own OPTIONS */
        for (size_t k = 0; k < api->route_count && !is_there; k++)
            is_there = str_eq(trimmed(api->routes[k].path), path) &&
                       (k < i || str_eq_c(api->routes[k].method, "OPTIONS"));
        if (api->cors.with_authorizer) {
            options.authorizer = default_authorizer(api);
            options.is_iam = str_eq_c(api->default_authorizer, "AWS_IAM");
        }
        options.needs_key = api->cors.with_key && api->needs_key;
        if (!is_there && !make_options(b, &options))
            return false;
    }
    return true;
}

static bool deploy(struct rest_build *b)
{
    struct jval variables = apply_variables(b->x, b->api);
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "stageName", b->api->stage);
    if (jval_present(variables))
        json_raw(&w, "variables", jval_raw(variables));
    json_end(&w);
    return apply_must(b->x, b->svc, "CreateDeployment", buf_view(out),
                      (struct apply_owner){b->api->logical_id, b->api->line}, NULL);
}

/* The definition, and the resources that it made. */
static bool import(struct rest_build *b, struct apply_owner owner)
{
    struct jval body, it = {0};
    struct json_out w;
    struct buf *out = apply_writer(b->x, &w);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_cstr(&w, "mode", "overwrite");
    json_str(&w, "body", codec_base64_encode(b->x->arena, b->api->definition));
    json_end(&w);
    if (!apply_must(b->x, b->svc, "PutRestApi", buf_view(out), owner, NULL) ||
        !apply_must(
            b->x, b->svc, "GetResources",
            arena_fmt(b->x->arena, "{\"restApiId\":\"%.*s\",\"limit\":500}", STR_ARG(b->api->id)),
            owner, &body))
        return false;
    for (struct jval items = jval_get(body, "item"); jval_next(items, &it, NULL);) {
        struct str id = arena_str(b->x->arena, jval_text(jval_get(it, "id"), b->x->arena));
        map_put(&b->resources, jval_text(jval_get(it, "path"), b->x->arena),
                (void *)(uintptr_t)id.p);
    }
    return true;
}

static bool build(struct rest_build *b)
{
    struct jval body;
    const struct plan_api *api = b->api;
    struct apply_owner owner = {api->logical_id, api->line};
    if (!apply_forget_api(b->x, api) ||
        !apply_must(b->x, b->svc, "CreateRestApi", api->create_json, owner, &body))
        return false;
    struct str root =
        arena_str(b->x->arena, jval_text(jval_get(body, "rootResourceId"), b->x->arena));
    map_put(&b->resources, STR("/"), (void *)(uintptr_t)root.p);
    if ((api->definition.n > 0 && !import(b, owner)) ||
        !apply_authorizers(b->x, b->svc, api, &b->authorizer_ids))
        return false;
    for (size_t i = 0; i < api->response_count; i++)
        if (!apply_must(b->x, b->svc, "PutGatewayResponse", api->responses[i], owner, NULL))
            return false;
    for (size_t i = 0; i < api->route_count; i++)
        if (!make_route(b, &api->routes[i]))
            return false;
    if (api->cors.enabled && !make_cors(b))
        return false;
    if (api->route_count > 0 || api->definition.n > 0)
        return deploy(b);
    tpl_warn(b->x->log, api->line, "%.*s: no event uses this API; it is not deployed",
             STR_ARG(api->logical_id));
    return true;
}

bool apply_rest_api(struct apply *x, const struct plan_api *api)
{
    struct rest_build b = {.x = x, .api = api, .svc = gateway_service(x->env->gateway)};
    map_init(&b.resources);
    bool ok = build(&b);
    map_release(&b.resources);
    return ok;
}
