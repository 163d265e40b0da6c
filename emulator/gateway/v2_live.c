#include "v2_live.h"
#include "clock.h"
#include "panic.h"
#include <string.h>

enum { TIMEOUT_MS = 30000 };

struct compiler {
    struct v2_live *s;
    struct jval snapshot, stage;
    struct v2_integration_live **integrations; /* by position in the snapshot */
    struct v2_authorizer_live **authorizers;
    struct v2_throttle *default_throttle;
};

static struct str text_of(struct compiler *c, struct jval v, const char *key)
{
    return jval_text(jval_get(v, key), c->s->arena);
}

static struct str *texts(struct compiler *c, struct jval list, size_t *ret_count)
{
    struct str *all = ARENA_ARRAY(c->s->arena, struct str, jval_count(list) + 1);
    struct jval it = {0};
    *ret_count = 0;
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL))
        all[(*ret_count)++] = jval_text(it, c->s->arena);
    return all;
}

static void compile_integration(struct compiler *c, struct jval doc,
                                struct v2_integration_live *ret)
{
    ret->lambda = str_eq_c(text_of(c, doc, "integrationType"), "AWS_PROXY");
    ret->payload_v2 = str_eq_c(text_of(c, doc, "payloadFormatVersion"), "2.0");
    ret->uri = text_of(c, doc, "integrationUri");
    ret->method = text_of(c, doc, "integrationMethod");
    ret->timeout_ms = TIMEOUT_MS;
    jval_i64(jval_get(doc, "timeoutInMillis"), &ret->timeout_ms);
    ret->request_params = jval_get(doc, "requestParameters");
    ret->response_params = jval_get(doc, "responseParameters");
}

/* struct v2_auth_result begins with its arena. */
static void release_results(void *arg)
{
    struct v2_authorizer_live *authorizer = arg;
    size_t at = 0;
    void *value;
    while (map_next(&authorizer->results, &at, NULL, &value))
        arena_free(*(struct arena **)value);
    map_release(&authorizer->results);
}

static void compile_authorizer(struct compiler *c, struct jval doc, struct v2_authorizer_live *ret)
{
    struct jval jwt = jval_get(doc, "jwtConfiguration");
    int64_t ttl = 0;
    ret->id = text_of(c, doc, "authorizerId");
    ret->name = text_of(c, doc, "name");
    ret->jwt = str_eq_c(text_of(c, doc, "authorizerType"), "JWT");
    ret->payload_v2 = str_eq_c(text_of(c, doc, "authorizerPayloadFormatVersion"), "2.0");
    jval_bool(jval_get(doc, "enableSimpleResponses"), &ret->simple);
    ret->issuer = text_of(c, jwt, "issuer");
    ret->uri = text_of(c, doc, "authorizerUri");
    ret->audience = texts(c, jval_get(jwt, "audience"), &ret->audience_count);
    ret->sources = texts(c, jval_get(doc, "identitySource"), &ret->source_count);
    jval_i64(jval_get(doc, "authorizerResultTtlInSeconds"), &ttl);
    ret->ttl_ms = ttl * 1000;
    map_init(&ret->results);
    arena_defer(c->s->arena, release_results, ret);
}

static struct v2_throttle *compile_throttle(struct compiler *c, struct jval settings)
{
    double rate, burst;
    if (!jval_double(jval_get(settings, "throttlingRateLimit"), &rate))
        return NULL;
    if (!jval_double(jval_get(settings, "throttlingBurstLimit"), &burst))
        burst = rate;
    struct v2_throttle *t = ARENA_NEW(c->s->arena, struct v2_throttle);
    *t = (struct v2_throttle){rate, burst, burst, clock_now_ms()};
    return t;
}

bool v2_throttle_take(struct v2_throttle *t)
{
    int64_t now = clock_now_ms();
    if (t == NULL)
        return true;
    if (now > t->filled_ms)
        t->tokens += t->rate * (double)(now - t->filled_ms) / 1000.0;
    t->filled_ms = now;
    if (t->tokens > t->burst)
        t->tokens = t->burst;
    if (t->tokens < 1)
        return false;
    t->tokens -= 1;
    return true;
}

/* The element of list whose id member is id; -1: none. */
static ptrdiff_t find_id(struct compiler *c, struct jval list, const char *member, struct str id)
{
    struct jval it = {0};
    for (ptrdiff_t i = 0; jval_next(list, &it, NULL); i++) {
        if (str_eq(text_of(c, it, member), id))
            return i;
    }
    return -1;
}

static void compile_route(struct compiler *c, struct jval doc, struct v2_route_live *ret)
{
    struct str target = text_of(c, doc, "target"), type = text_of(c, doc, "authorizationType");
    struct jval own =
        jval_get_str(jval_get(c->stage, "routeSettings"), text_of(c, doc, "routeKey"));
    ret->key = text_of(c, doc, "routeKey");
    if (str_starts(target, STR("integrations/"))) {
        ptrdiff_t at = find_id(c, jval_get(c->snapshot, "integrations"), "integrationId",
                               str_sub(target, sizeof "integrations/" - 1, target.n));
        ret->integration = at < 0 ? NULL : c->integrations[at];
    }
    ret->auth = str_eq_c(type, "JWT")       ? V2_AUTH_JWT
                : str_eq_c(type, "CUSTOM")  ? V2_AUTH_LAMBDA
                : str_eq_c(type, "AWS_IAM") ? V2_AUTH_IAM
                                            : V2_AUTH_NONE;
    ptrdiff_t at = find_id(c, jval_get(c->snapshot, "authorizers"), "authorizerId",
                           text_of(c, doc, "authorizerId"));
    ret->authorizer = at < 0 ? NULL : c->authorizers[at];
    ret->scopes = texts(c, jval_get(doc, "authorizationScopes"), &ret->scope_count);
    ret->throttle = compile_throttle(c, own);
    if (ret->throttle == NULL)
        ret->throttle = c->default_throttle;
}

/* Routes of one path share a resource of the tree. */
static struct route *resource_at(struct compiler *c, struct route **all, size_t *count,
                                 struct str path, size_t methods)
{
    for (size_t i = 0; i < *count; i++) {
        if (str_eq(all[i]->resource_path, path))
            return all[i];
    }
    struct route *r = ARENA_NEW(c->s->arena, struct route);
    r->resource_path = path;
    r->methods = ARENA_ARRAY(c->s->arena, struct route_method, methods);
    all[(*count)++] = r;
    return r;
}

static void compile_routes(struct compiler *c)
{
    struct jval list = jval_get(c->snapshot, "routes"), it = {0};
    size_t total = jval_count(list), count = 0;
    struct route **all = ARENA_ARRAY(c->s->arena, struct route *, total + 1);
    while (jval_next(list, &it, NULL)) {
        struct v2_route_live *live = ARENA_NEW(c->s->arena, struct v2_route_live);
        compile_route(c, it, live);
        struct str path = live->key, method = str_cut(&path, ' ');
        if (path.p == NULL) {
            c->s->fallback = live;
            continue;
        }
        /* A level of many methods on many paths is linear only while a deployment is compiled. */
        struct route *r = resource_at(c, all, &count, path, 8);
        ASSERT(r->method_count < 8);
        r->methods[r->method_count++] = (struct route_method){.http_method = method, .own = live};
    }
    c->s->routes = route_tree_new(c->s->arena);
    for (size_t i = 0; i < count; i++)
        route_tree_add(c->s->routes, all[i]);
    route_tree_seal(c->s->routes);
}

static void compile_parts(struct compiler *c)
{
    struct arena *a = c->s->arena;
    struct jval list = jval_get(c->snapshot, "integrations"), it = {0};
    size_t i = 0;
    c->integrations = ARENA_ARRAY(a, struct v2_integration_live *, jval_count(list) + 1);
    for (; jval_next(list, &it, NULL); i++) {
        c->integrations[i] = ARENA_NEW(a, struct v2_integration_live);
        compile_integration(c, it, c->integrations[i]);
    }
    list = jval_get(c->snapshot, "authorizers");
    c->authorizers = ARENA_ARRAY(a, struct v2_authorizer_live *, jval_count(list) + 1);
    for (it = (struct jval){0}, i = 0; jval_next(list, &it, NULL); i++) {
        c->authorizers[i] = ARENA_NEW(a, struct v2_authorizer_live);
        compile_authorizer(c, it, c->authorizers[i]);
    }
}

static bool compile(struct gateway *g, struct v2_live *s)
{
    struct arena *a = s->arena;
    struct compiler c = {.s = s};
    struct str api_text, stage_text, snapshot_text;
    struct jval it = {0};
    if (!gw_api_get(g, GW2_API, s->api_id, a, &s->account, &s->region, &api_text) ||
        !gw_doc_get(g, s->api_id, GW2_STAGE, s->name, a, &stage_text) ||
        !json_parse(a, stage_text, JSON_DEPTH_DEFAULT, &c.stage, NULL) ||
        !gw_doc_get(g, s->api_id, GW2_SNAPSHOT, text_of(&c, c.stage, "deploymentId"), a,
                    &snapshot_text) ||
        !json_parse(a, snapshot_text, JSON_DEPTH_DEFAULT, &c.snapshot, NULL))
        return false;
    struct jval api = jval_get(c.snapshot, "api"), variables = jval_get(c.stage, "stageVariables");
    jval_bool(jval_get(api, "disableExecuteApiEndpoint"), &s->is_disabled);
    s->variables = ARENA_ARRAY(a, struct gw_pair, jval_count(variables) + 1);
    while (jval_kind(variables) == JSON_OBJECT && jval_next(variables, &it, NULL))
        s->variables[s->variable_count++] = (struct gw_pair){jval_key_str(it, a), jval_text(it, a)};
    cors_v2_read(jval_get(api, "corsConfiguration"), a, &s->cors);
    c.default_throttle = compile_throttle(&c, jval_get(c.stage, "defaultRouteSettings"));
    compile_parts(&c);
    compile_routes(&c);
    return true;
}

void v2_live_ref(struct v2_live *s)
{
    s->refs++;
}

void v2_live_unref(struct v2_live *s)
{
    if (--s->refs == 0)
        arena_free(s->arena);
}

void v2_live_drop_all(struct gateway *g)
{
    size_t at = 0;
    void *value;
    while (map_next(&g->stages_v2, &at, NULL, &value))
        v2_live_unref(value);
    map_release(&g->stages_v2);
    map_init(&g->stages_v2);
}

struct v2_live *v2_live_find(struct gateway *g, struct str api_id, struct str stage)
{
    struct buf key;
    if (api_id.n == 0 || stage.n == 0 || str_find(api_id, '/') >= 0)
        return NULL;
    buf_init(&key, 512);
    buf_addf(&key, "%.*s/%.*s", STR_ARG(api_id), STR_ARG(stage));
    struct v2_live *s = key.overflow ? NULL : map_get(&g->stages_v2, buf_view(&key));
    if (s == NULL && !key.overflow) {
        struct arena *a = arena_new(0, SIZE_MAX);
        s = ARENA_NEW(a, struct v2_live);
        s->arena = a;
        s->refs = 1;
        s->api_id = arena_str(a, api_id);
        s->name = arena_str(a, stage);
        if (compile(g, s)) {
            map_put(&g->stages_v2, buf_view(&key), s);
        } else {
            arena_free(a);
            s = NULL;
        }
    }
    buf_release(&key);
    return s;
}
