/* A stage compiled for serving: its snapshot's routes, variables and binary media types. */
#include "gw_store.h"
#include "log.h"
#include "panic.h"
#include "v2_live.h"

enum { DEFAULT_TIMEOUT_MS = 29000 };

void gw_stages_drop(void *gateway)
{
    struct gateway *g = gateway;
    size_t at = 0;
    struct str key;
    void *value;
    v2_live_drop_all(g);
    if (g->stages.count == 0)
        return;
    while (map_next(&g->stages, &at, &key, &value))
        arena_free(((struct gw_stage *)value)->arena); /* the stage lies in it */
    map_release(&g->stages);
    map_init(&g->stages);
}

static void compile_method(struct jval method, struct arena *a, struct route_method *ret)
{
    struct jval integration = jval_get(method, "methodIntegration");
    ret->operation_name = jval_text(jval_get(method, "operationName"), a);
    ret->uri = jval_text(jval_get(integration, "uri"), a);
    ret->is_post = str_eq_c(jval_text(jval_get(integration, "httpMethod"), a), "POST");
    if (!jval_i64(jval_get(integration, "timeoutInMillis"), &ret->timeout_ms))
        ret->timeout_ms = DEFAULT_TIMEOUT_MS;
}

static void compile_resource(struct jval resource, struct arena *a, struct route_tree *tree)
{
    struct jval methods = jval_get(resource, "resourceMethods"), it = {0};
    struct route *r = ARENA_NEW(a, struct route);
    r->resource_id = jval_text(jval_get(resource, "id"), a);
    r->resource_path = jval_text(jval_get(resource, "path"), a);
    r->methods = ARENA_ARRAY(a, struct route_method, jval_count(methods) + 1);
    while (jval_next(methods, &it, NULL)) {
        struct route_method *m = &r->methods[r->method_count++];
        m->http_method = jval_key_str(it, a);
        compile_method(it, a, m);
    }
    route_tree_add(tree, r);
}

static bool compile_routes(struct gateway *g, struct gw_stage *s)
{
    struct str text;
    struct jval resources, it = {0};
    if (!gw_doc_get(g, s->api_id, GW_SNAPSHOT, s->deployment_id, s->arena, &text) ||
        !json_parse(s->arena, text, JSON_DEPTH_DEFAULT, &resources, NULL))
        return false;
    s->routes = route_tree_new(s->arena);
    while (jval_next(resources, &it, NULL))
        compile_resource(it, s->arena, s->routes);
    route_tree_seal(s->routes);
    return true;
}

static bool compile_stage(struct gateway *g, struct gw_stage *s)
{
    struct arena *a = s->arena;
    struct str api_text, stage_text;
    struct jval api, stage, it = {0};
    if (!gw_api_get(g, GW_API, s->api_id, a, &s->account, &s->region, &api_text) ||
        !gw_doc_get(g, s->api_id, GW_STAGE, s->name, a, &stage_text) ||
        !json_parse(a, api_text, JSON_DEPTH_DEFAULT, &api, NULL) ||
        !json_parse(a, stage_text, JSON_DEPTH_DEFAULT, &stage, NULL))
        return false;
    jval_bool(jval_get(api, "disableExecuteApiEndpoint"), &s->is_disabled);
    s->deployment_id = jval_text(jval_get(stage, "deploymentId"), a);
    struct jval variables = jval_get(stage, "variables");
    s->variables = ARENA_ARRAY(a, struct gw_pair, jval_count(variables) + 1);
    while (jval_next(variables, &it, NULL))
        s->variables[s->variable_count++] = (struct gw_pair){jval_key_str(it, a), jval_text(it, a)};
    struct jval types = jval_get(api, "binaryMediaTypes");
    s->binary_types = ARENA_ARRAY(a, struct str, jval_count(types) + 1);
    for (it = (struct jval){0}; jval_next(types, &it, NULL);)
        s->binary_types[s->binary_count++] = jval_text(it, a);
    return compile_routes(g, s);
}

const struct gw_stage *gw_stage_find(struct gateway *g, struct str api_id, struct str stage)
{
    struct buf key;
    if (api_id.n == 0 || stage.n == 0 || str_find(api_id, '/') >= 0)
        return NULL;
    buf_init(&key, 512);
    buf_addf(&key, "%.*s/%.*s", STR_ARG(api_id), STR_ARG(stage));
    struct gw_stage *s = key.overflow ? NULL : map_get(&g->stages, buf_view(&key));
    if (s == NULL && !key.overflow) {
        struct arena *a = arena_new(0, SIZE_MAX);
        s = ARENA_NEW(a, struct gw_stage);
        s->arena = a;
        s->api_id = arena_str(a, api_id);
        s->name = arena_str(a, stage);
        if (compile_stage(g, s)) {
            map_put(&g->stages, buf_view(&key), s);
        } else {
            arena_free(a);
            s = NULL;
        }
    }
    buf_release(&key);
    return s;
}
