#include "rest_live.h"
#include "log.h"
#include "panic.h"
#include "v2_live.h"
#include <string.h>

enum { DEFAULT_TIMEOUT_MS = 29000, MS = 1000 };

struct compiler {
    struct rest_live *s;
    struct jval validators, authorizer_docs, method_settings;
    struct rest_authorizer **authorizers; /* by position in authorizer_docs */
};

static struct str text_of(struct compiler *c, struct jval v, const char *key)
{
    return jval_text(jval_get(v, key), c->s->arena);
}

/* ---- the snapshot ---- */

static void add_map(struct gateway *g, struct json_out *w, const char *key, struct str api,
                    enum gw_kind kind, struct arena *a)
{
    struct gw_doc *docs;
    size_t count = gw_doc_list(g, api, kind, STR_NONE, 0, a, &docs);
    json_obj(w, key);
    for (size_t i = 0; i < count; i++) {
        json_key(w, docs[i].id);
        json_raw(w, NULL, docs[i].text);
    }
    json_end(w);
}

/* The resource policy holds from the deployment on, as it was then. */
static void add_policy(struct gateway *g, struct json_out *w, struct str api, struct arena *a)
{
    struct str account, region, text, policy;
    struct jval doc;
    if (gw_api_get(g, GW_API, api, a, &account, &region, &text) &&
        json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
        gw_policy_text(jval_get(doc, "policy"), a, &policy))
        json_raw(w, "policy", policy);
}

bool rest_snapshot(struct gateway *g, struct str api, struct arena *a, struct buf *out)
{
    struct gw_doc *docs;
    struct json_out w;
    struct str account, region, text;
    size_t count = gw_doc_list(g, api, GW_RESOURCE, STR_NONE, 0, a, &docs);
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_arr(&w, "resources");
    for (size_t i = 0; i < count; i++)
        json_raw(&w, NULL, docs[i].text);
    json_end(&w);
    add_policy(g, &w, api, a);
    add_map(g, &w, "models", api, GW_MODEL, a);
    add_map(g, &w, "validators", api, GW_VALIDATOR, a);
    add_map(g, &w, "authorizers", api, GW_AUTHORIZER, a);
    add_map(g, &w, "gatewayResponses", api, GW_GATEWAY_RESPONSE, a);
    if (gw_api_get(g, GW_API, api, a, &account, &region, &text))
        json_raw(&w, "api", text);
    json_end(&w);
    return !out->overflow;
}

/* ---- compiling ---- */

static enum rest_convert read_convert(struct compiler *c, struct jval v)
{
    struct str text = text_of(c, v, "contentHandling");
    return str_eq_c(text, "CONVERT_TO_TEXT")     ? CONVERT_TO_TEXT
           : str_eq_c(text, "CONVERT_TO_BINARY") ? CONVERT_TO_BINARY
                                                 : CONVERT_NONE;
}

static void read_templates(struct compiler *c, struct jval v, struct rest_templates *ret)
{
    struct jval it = {0};
    ret->all = ARENA_ARRAY(c->s->arena, struct rest_template, jval_count(v) + 1);
    while (jval_kind(v) == JSON_OBJECT && jval_next(v, &it, NULL)) {
        struct rest_template *t = &ret->all[ret->count++];
        struct str why, text = jval_text(it, c->s->arena);
        t->content_type = jval_key_str(it, c->s->arena);
        if (!vtl_parse(c->s->arena, text, &t->body, &why)) {
            log_msg(LOG_WARN, "gateway", "API %.*s: a mapping template does not parse: %.*s",
                    STR_ARG(c->s->api_id), STR_ARG(why));
            t->body = NULL;
        }
    }
}

static void read_integration_responses(struct compiler *c, struct jval list, struct rest_method *m)
{
    struct jval it = {0};
    m->integration_responses =
        ARENA_ARRAY(c->s->arena, struct rest_integration_response, jval_count(list) + 1);
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct rest_integration_response *r =
            &m->integration_responses[m->integration_response_count++];
        struct str pattern = text_of(c, it, "selectionPattern");
        r->status = jval_key_str(it, c->s->arena);
        r->pattern = pattern.n == 0 ? NULL : regex_new(c->s->arena, pattern);
        r->broken_pattern = pattern.n > 0 && r->pattern == NULL;
        r->parameters = jval_get(it, "responseParameters");
        r->convert = read_convert(c, it);
        read_templates(c, jval_get(it, "responseTemplates"), &r->templates);
    }
}

static void read_integration(struct compiler *c, struct jval v, struct rest_method *m)
{
    struct str type = text_of(c, v, "type"), pass = text_of(c, v, "passthroughBehavior");
    m->type = str_eq_c(type, "AWS")          ? REST_AWS
              : str_eq_c(type, "HTTP_PROXY") ? REST_HTTP_PROXY
              : str_eq_c(type, "HTTP")       ? REST_HTTP
              : str_eq_c(type, "MOCK")       ? REST_MOCK
                                             : REST_AWS_PROXY;
    m->uri = text_of(c, v, "uri");
    m->integration_method = text_of(c, v, "httpMethod");
    m->credentials = text_of(c, v, "credentials");
    m->is_post = str_eq_c(m->integration_method, "POST");
    m->timeout_ms = DEFAULT_TIMEOUT_MS;
    jval_i64(jval_get(v, "timeoutInMillis"), &m->timeout_ms);
    m->integration_params = jval_get(v, "requestParameters");
    m->passthrough = str_case_eq(pass, STR("NEVER"))               ? PASS_NEVER
                     : str_case_eq(pass, STR("WHEN_NO_TEMPLATES")) ? PASS_NO_TEMPLATES
                                                                   : PASS_NO_MATCH;
    m->convert = read_convert(c, v);
    read_templates(c, jval_get(v, "requestTemplates"), &m->templates);
    read_integration_responses(c, jval_get(v, "integrationResponses"), m);
}

static void read_validator(struct compiler *c, struct jval v, struct rest_method *m)
{
    struct jval validator = jval_get_str(c->validators, text_of(c, v, "requestValidatorId"));
    jval_bool(jval_get(validator, "validateRequestBody"), &m->check_body);
    jval_bool(jval_get(validator, "validateRequestParameters"), &m->check_params);
}

static struct rest_authorizer *find_authorizer(struct compiler *c, struct str id)
{
    struct jval it = {0};
    for (size_t i = 0; jval_next(c->authorizer_docs, &it, NULL); i++) {
        if (str_eq(jval_key_str(it, c->s->arena), id))
            return c->authorizers[i];
    }
    return NULL;
}

static void read_method(struct compiler *c, struct jval v, struct rest_method *m)
{
    struct str auth = text_of(c, v, "authorizationType");
    m->operation_name = text_of(c, v, "operationName");
    m->auth = str_eq_c(auth, "AWS_IAM")              ? REST_AUTH_IAM
              : str_eq_c(auth, "CUSTOM")             ? REST_AUTH_CUSTOM
              : str_eq_c(auth, "COGNITO_USER_POOLS") ? REST_AUTH_COGNITO
                                                     : REST_AUTH_NONE;
    m->authorizer = find_authorizer(c, text_of(c, v, "authorizerId"));
    m->scopes = jval_get(v, "authorizationScopes");
    jval_bool(jval_get(v, "apiKeyRequired"), &m->key_required);
    m->request_params = jval_get(v, "requestParameters");
    m->request_models = jval_get(v, "requestModels");
    m->responses = jval_get(v, "methodResponses");
    read_validator(c, v, m);
    read_integration(c, jval_get(v, "methodIntegration"), m);
}

static void read_resource(struct compiler *c, struct jval resource)
{
    struct arena *a = c->s->arena;
    struct jval methods = jval_get(resource, "resourceMethods"), it = {0};
    if (jval_count(methods) == 0)
        return;
    struct route *r = ARENA_NEW(a, struct route);
    r->resource_id = text_of(c, resource, "id");
    r->resource_path = text_of(c, resource, "path");
    r->methods = ARENA_ARRAY(a, struct route_method, jval_count(methods) + 1);
    while (jval_next(methods, &it, NULL)) {
        if (!jval_present(jval_get(it, "methodIntegration")))
            continue; /* of a draft */
        struct rest_method *m = ARENA_NEW(a, struct rest_method);
        m->http_method = jval_key_str(it, a);
        read_method(c, it, m);
        rest_throttle_read(c->s, c->method_settings, r->resource_path, m);
        r->methods[r->method_count++] = (struct route_method){
            .http_method = m->http_method, .operation_name = m->operation_name, .own = m};
    }
    route_tree_add(c->s->routes, r);
}

/* struct rest_auth_result begins with its arena. */
static void release_results(void *arg)
{
    struct rest_authorizer *authorizer = arg;
    size_t at = 0;
    void *value;
    while (map_next(&authorizer->results, &at, NULL, &value))
        arena_free(*(struct arena **)value);
    map_release(&authorizer->results);
}

static void read_authorizers(struct compiler *c)
{
    struct arena *a = c->s->arena;
    struct jval it = {0};
    size_t n = 0;
    c->authorizers = ARENA_ARRAY(a, struct rest_authorizer *, jval_count(c->authorizer_docs) + 1);
    while (jval_kind(c->authorizer_docs) == JSON_OBJECT &&
           jval_next(c->authorizer_docs, &it, NULL)) {
        struct rest_authorizer *au = ARENA_NEW(a, struct rest_authorizer);
        int64_t ttl = 300;
        au->id = text_of(c, it, "id");
        au->name = text_of(c, it, "name");
        au->uri = text_of(c, it, "authorizerUri");
        au->identity_source = text_of(c, it, "identitySource");
        au->validation = text_of(c, it, "identityValidationExpression");
        au->token_pattern = au->validation.n > 0 ? regex_new(a, au->validation) : NULL;
        au->is_token = str_eq_c(text_of(c, it, "type"), "TOKEN");
        struct jval pools = jval_get(it, "providerARNs"), pool = {0};
        au->issuers = ARENA_ARRAY(a, struct str, jval_count(pools) + 1);
        while (jval_kind(pools) == JSON_ARRAY && jval_next(pools, &pool, NULL)) {
            if (gw_pool_issuer(jval_text(pool, a), a, &au->issuers[au->issuer_count]))
                au->issuer_count++;
        }
        jval_i64(jval_get(it, "authorizerResultTtlInSeconds"), &ttl);
        au->ttl_ms = ttl * MS;
        map_init(&au->results);
        arena_defer(a, release_results, au);
        c->authorizers[n++] = au;
    }
    c->s->authorizers = c->authorizers;
    c->s->authorizer_count = n;
}

/* Settings of the API that, as AWS documents, a change of is not seen before the next deployment.
 */
static void read_deployed_settings(struct rest_live *s, struct jval api)
{
    struct jval types = jval_get(api, "binaryMediaTypes"), it = {0};
    s->compress_above = -1;
    jval_i64(jval_get(api, "minimumCompressionSize"), &s->compress_above);
    s->binary_types = ARENA_ARRAY(s->arena, struct str, jval_count(types) + 1);
    s->binary_count = 0;
    while (jval_next(types, &it, NULL))
        s->binary_types[s->binary_count++] = jval_text(it, s->arena);
}

static bool compile_snapshot(struct rest_live *s, struct str text, struct jval method_settings)
{
    struct compiler c = {.s = s, .method_settings = method_settings};
    struct jval snapshot, resources, it = {0};
    if (!json_parse(s->arena, text, JSON_DEPTH_DEFAULT, &snapshot, NULL))
        return false;
    bool old = jval_kind(snapshot) == JSON_ARRAY;
    resources = old ? snapshot : jval_get(snapshot, "resources");
    c.validators = jval_get(snapshot, "validators");
    c.authorizer_docs = jval_get(snapshot, "authorizers");
    s->policy = jval_get(snapshot, "policy");
    s->models = jval_get(snapshot, "models");
    if (jval_present(jval_get(snapshot, "api"))) /* snapshots of older versions have none */
        read_deployed_settings(s, jval_get(snapshot, "api"));
    s->gateway_responses = jval_get(snapshot, "gatewayResponses");
    read_authorizers(&c);
    s->routes = route_tree_new(s->arena);
    while (jval_next(resources, &it, NULL))
        read_resource(&c, it);
    route_tree_seal(s->routes);
    return true;
}

static bool compile_api(struct gateway *g, struct rest_live *s)
{
    struct arena *a = s->arena;
    struct str text;
    struct jval api;
    if (!gw_api_get(g, GW_API, s->api_id, a, &s->account, &s->region, &text) ||
        !json_parse(a, text, JSON_DEPTH_DEFAULT, &api, NULL))
        return false;
    jval_bool(jval_get(api, "disableExecuteApiEndpoint"), &s->is_disabled);
    s->key_from_authorizer = str_eq_c(jval_text(jval_get(api, "apiKeySource"), a), "AUTHORIZER");
    read_deployed_settings(s, api);
    return true;
}

static bool compile_stage(struct gateway *g, struct rest_live *s)
{
    struct arena *a = s->arena;
    struct str text;
    struct jval stage, it = {0};
    if (!compile_api(g, s) || !gw_doc_get(g, s->api_id, GW_STAGE, s->name, a, &text) ||
        !json_parse(a, text, JSON_DEPTH_DEFAULT, &stage, NULL))
        return false;
    s->deployment_id = jval_text(jval_get(stage, "deploymentId"), a);
    struct jval variables = jval_get(stage, "variables");
    s->variables = ARENA_ARRAY(a, struct gw_pair, jval_count(variables) + 1);
    while (jval_next(variables, &it, NULL))
        s->variables[s->variable_count++] = (struct gw_pair){jval_key_str(it, a), jval_text(it, a)};
    return gw_doc_get(g, s->api_id, GW_SNAPSHOT, s->deployment_id, a, &text) &&
           compile_snapshot(s, text, jval_get(stage, "methodSettings"));
}

/* ---- life ---- */

static struct rest_live *live_new(struct str api_id, struct str stage)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct rest_live *s = ARENA_NEW(a, struct rest_live);
    s->arena = a;
    s->refs = 1;
    s->api_id = arena_str(a, api_id);
    s->name = arena_str(a, stage);
    return s;
}

void rest_live_ref(struct rest_live *s)
{
    s->refs++;
}

void rest_live_unref(struct rest_live *s)
{
    if (--s->refs == 0)
        arena_free(s->arena);
}

void rest_live_drop_all(struct gateway *g)
{
    size_t at = 0;
    void *value;
    while (map_next(&g->stages, &at, NULL, &value))
        rest_live_unref(value);
    map_release(&g->stages);
    map_init(&g->stages);
}

void gw_stages_drop(void *gateway)
{
    v2_live_drop_all(gateway);
    rest_live_drop_all(gateway);
    gw_forget_lookups(gateway);
}

struct rest_live *rest_live_find(struct gateway *g, struct str api_id, struct str stage)
{
    struct buf key;
    if (api_id.n == 0 || stage.n == 0 || str_find(api_id, '/') >= 0)
        return NULL;
    buf_init(&key, 512);
    buf_addf(&key, "%.*s/%.*s", STR_ARG(api_id), STR_ARG(stage));
    struct rest_live *s = key.overflow ? NULL : map_get(&g->stages, buf_view(&key));
    if (s == NULL && !key.overflow) {
        s = live_new(api_id, stage);
        if (compile_stage(g, s)) {
            map_put(&g->stages, buf_view(&key), s);
        } else {
            rest_live_unref(s);
            s = NULL;
        }
    }
    buf_release(&key);
    return s;
}

struct rest_live *rest_live_draft(struct gateway *g, struct str api_id)
{
    enum { DRAFT_MAX = 64 << 20 };
    struct rest_live *s = live_new(api_id, STR("test-invoke-stage"));
    struct buf *b = arena_new_buf(s->arena, DRAFT_MAX);
    if (compile_api(g, s) && rest_snapshot(g, api_id, s->arena, b) &&
        compile_snapshot(s, buf_view(b), (struct jval){0}))
        return s;
    rest_live_unref(s);
    return NULL;
}
