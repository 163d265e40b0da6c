/* Auth of APIs and their events: authorizers, the default one, API keys. */
#include "tpl_plan.h"

/* Where an authorizer looks for the caller's identity. */
static const struct source {
    const char *member; /* of Identity */
    const char *rest, *http;
} sources[] = {{"Headers", "method.request.header.", "$request.header."},
               {"QueryStrings", "method.request.querystring.", "$request.querystring."},
               {"StageVariables", "stageVariables.", "$stageVariables."},
               {"Context", "context.", "$context."}};
enum { SOURCE_COUNT = sizeof sources / sizeof *sources };

struct auth { /* one authorizer being read */
    struct tpl_model *m;
    struct str what; /* "Api.Auth.Name" */
    const struct plan_api *api;
    const struct tpl_node *node; /* evaluated */
    struct str name;
    unsigned line;
};

static struct tpl_node *identity_list(const struct tpl_node *identity, size_t i)
{
    return tpl_get(identity, sources[i].member);
}

static size_t list_count(const struct tpl_node *n)
{
    return n == NULL || n->kind == TPL_MAP ? 0 : n->kind == TPL_SCALAR ? 1 : n->count;
}

static struct str list_at(const struct tpl_node *n, size_t i)
{
    return n->kind == TPL_SCALAR ? n->text : n->pairs[i].value->text;
}

/* Every source with its prefix, in SAM's order; their number. */
static size_t list_sources(struct auth *x, struct str *ret, size_t max)
{
    const struct tpl_node *identity = tpl_get(x->node, "Identity");
    size_t count = 0;
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        const struct tpl_node *list = identity_list(identity, i);
        const char *prefix = x->api->is_http ? sources[i].http : sources[i].rest;
        for (size_t k = 0; k < list_count(list) && count < max; k++)
            ret[count++] = arena_fmt(x->m->arena, "%s%.*s", prefix, STR_ARG(list_at(list, k)));
    }
    return count;
}

static void write_ttl(struct auth *x, struct json_out *w)
{
    struct str text = plan_text(tpl_get(tpl_get(x->node, "Identity"), "ReauthorizeEvery"));
    int64_t ttl;
    if (text.n > 0 && str_to_i64(text, &ttl))
        json_i64(w, "authorizerResultTtlInSeconds", ttl);
}

static bool write_function(struct auth *x, struct json_out *w)
{
    struct str arn = plan_text(tpl_get(x->node, "FunctionArn"));
    if (arn.n == 0)
        return tpl_fail(x->m->log, x->line, "%.*s: the authorizer has no FunctionArn",
                        STR_ARG(x->what));
    json_str(w, "authorizerUri", plan_function_uri(x->m->arena, x->m->region, arn));
    return true;
}

enum { SOURCES_MAX = 100 };

/* Lambda authorizers of REST APIs: TOKEN (SAM's default) or REQUEST. */
static bool write_rest(struct auth *x, struct json_out *w)
{
    static const char *const used[] = {"FunctionArn", "FunctionPayloadType", "Identity", NULL};
    static const char *const ignored[] = {"FunctionInvokeRole", "DisableFunctionDefaultPermissions",
                                          NULL};
    static const struct plan_properties known = {used, ignored};
    const struct tpl_node *identity = tpl_get(x->node, "Identity");
    bool is_request = str_eq_c(plan_text(tpl_get(x->node, "FunctionPayloadType")), "REQUEST");
    struct buf *source = arena_new_buf(x->m->arena, 1 << 20);
    struct str header = plan_text(tpl_get(identity, "Header"));
    struct str pattern = plan_text(tpl_get(identity, "ValidationExpression"));
    struct str list[SOURCES_MAX];
    plan_warn_unknown(x->m, x->what, x->node, &known);
    size_t count = is_request ? list_sources(x, list, SOURCES_MAX) : 0;
    for (size_t i = 0; i < count; i++)
        buf_addf(source, "%s%.*s", i == 0 ? "" : ",", STR_ARG(list[i]));
    if (!is_request)
        buf_addf(source, "method.request.header.%.*s",
                 STR_ARG(header.n > 0 ? header : STR("Authorization")));
    json_str(w, "restApiId", x->api->id);
    json_str(w, "name", x->name);
    json_cstr(w, "type", is_request ? "REQUEST" : "TOKEN");
    if (source->n > 0)
        json_str(w, "identitySource", buf_view(source));
    if (pattern.n > 0 && !is_request)
        json_str(w, "identityValidationExpression", pattern);
    write_ttl(x, w);
    return write_function(x, w);
}

static bool write_jwt(struct auth *x, const struct tpl_node *config, struct json_out *w)
{
    static const char *const used[] = {"JwtConfiguration", "IdentitySource", "AuthorizationScopes",
                                       NULL};
    static const struct plan_properties known = {used, NULL};
    struct str source = plan_text(tpl_get(x->node, "IdentitySource"));
    const struct tpl_node *issuer = tpl_get(config, "issuer");
    const struct tpl_node *audience = tpl_get(config, "audience");
    plan_warn_unknown(x->m, x->what, x->node, &known);
    json_cstr(w, "authorizerType", "JWT");
    json_arr(w, "identitySource");
    json_str(w, NULL, source.n > 0 ? source : STR("$request.header.Authorization"));
    json_end(w);
    json_obj(w, "jwtConfiguration");
    json_str(w, "issuer", plan_text(issuer != NULL ? issuer : tpl_get(config, "Issuer")));
    plan_write_list(w, "audience", audience != NULL ? audience : tpl_get(config, "Audience"));
    json_end(w);
    return true;
}

static bool write_http(struct auth *x, bool *ret_is_jwt, struct json_out *w)
{
    static const char *const used[] = {"FunctionArn", "AuthorizerPayloadFormatVersion",
                                       "EnableSimpleResponses", "Identity", NULL};
    static const char *const ignored[] = {"FunctionInvokeRole", "EnableFunctionDefaultPermissions",
                                          NULL};
    static const struct plan_properties known = {used, ignored};
    const struct tpl_node *jwt = tpl_get(x->node, "JwtConfiguration");
    struct str version = plan_text(tpl_get(x->node, "AuthorizerPayloadFormatVersion"));
    struct str list[SOURCES_MAX];
    json_str(w, "apiId", x->api->id);
    json_str(w, "name", x->name);
    *ret_is_jwt = jwt != NULL;
    if (jwt != NULL)
        return write_jwt(x, jwt, w);
    plan_warn_unknown(x->m, x->what, x->node, &known);
    if (version.n == 0)
        return tpl_fail(x->m->log, x->line,
                        "%.*s: the authorizer has neither JwtConfiguration nor"
                        " AuthorizerPayloadFormatVersion",
                        STR_ARG(x->what));
    json_cstr(w, "authorizerType", "REQUEST");
    json_str(w, "authorizerPayloadFormatVersion",
             str_eq_c(version, "1") || str_eq_c(version, "2")
                 ? arena_fmt(x->m->arena, "%.*s.0", STR_ARG(version))
                 : version);
    if (tpl_get(x->node, "EnableSimpleResponses") != NULL)
        json_bool(w, "enableSimpleResponses",
                  plan_is_true(tpl_get(x->node, "EnableSimpleResponses")));
    size_t count = list_sources(x, list, SOURCES_MAX);
    json_arr(w, "identitySource");
    for (size_t i = 0; i < count; i++)
        json_str(w, NULL, list[i]);
    json_end(w);
    write_ttl(x, w);
    return write_function(x, w);
}

static bool read_authorizer(struct auth *x, struct plan_authorizer *ret)
{
    struct json_out w;
    struct buf *b = plan_writer(x->m, &w);
    *ret = (struct plan_authorizer){.name = x->name};
    if (tpl_get(x->node, "UserPoolArn") != NULL) {
        tpl_warn(x->m->log, x->line,
                 "%.*s: Puddle has no Cognito user pools: METHODS THAT USE THIS AUTHORIZER ARE"
                 " OPEN TO EVERYBODY HERE",
                 STR_ARG(x->what));
        ret->is_open = true;
        return true;
    }
    json_obj(&w, NULL);
    if (!(x->api->is_http ? write_http(x, &ret->is_jwt, &w) : write_rest(x, &w)))
        return false;
    json_end(&w);
    ret->create_json = buf_view(b);
    return true;
}

static bool read_authorizers(struct tpl_model *m, const struct tpl_resource *r,
                             const struct tpl_node *list, struct plan_api *api)
{
    if (list == NULL)
        return true;
    if (list->kind != TPL_MAP)
        return tpl_fail(m->log, list->line, "%.*s: Authorizers must be a map", STR_ARG(r->id));
    api->authorizers = ARENA_ARRAY(m->arena, struct plan_authorizer, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        struct auth x = {.m = m,
                         .what = arena_fmt(m->arena, "%.*s.Auth.%.*s", STR_ARG(r->id),
                                           STR_ARG(list->pairs[i].key)),
                         .api = api,
                         .node = list->pairs[i].value,
                         .name = list->pairs[i].key,
                         .line = list->pairs[i].line};
        if (!read_authorizer(&x, &api->authorizers[api->authorizer_count++]))
            return false;
    }
    return true;
}

bool plan_auth_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api,
                    struct tpl_node **ret_auth)
{
    static const char *const http[] = {"Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer",
                                       NULL};
    static const char *const rest[] = {"Authorizers",
                                       "DefaultAuthorizer",
                                       "ApiKeyRequired",
                                       "UsagePlan",
                                       "AddDefaultAuthorizerToCorsPreflight",
                                       "AddApiKeyRequiredToCorsPreflight",
                                       NULL};
    static const char *const ignored[] = {"InvokeRole", NULL};
    struct plan_properties known = {api->is_http ? http : rest, ignored};
    struct tpl_node *auth;
    if (!plan_eval(m, r, "Auth", &auth))
        return false;
    *ret_auth = auth;
    if (auth == NULL)
        return true;
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.Auth", STR_ARG(r->id)), auth, &known);
    api->default_authorizer = plan_text(tpl_get(auth, "DefaultAuthorizer"));
    api->needs_key = !api->is_http && plan_is_true(tpl_get(auth, "ApiKeyRequired"));
    return read_authorizers(m, r, tpl_get(auth, "Authorizers"), api);
}

static const struct plan_authorizer *find_authorizer(const struct plan_api *api, struct str name)
{
    for (size_t i = 0; i < api->authorizer_count; i++)
        if (str_eq(api->authorizers[i].name, name))
            return &api->authorizers[i];
    return NULL;
}

bool plan_route_auth(struct tpl_model *m, struct str what, const struct tpl_node *auth,
                     const struct plan_api *api, struct plan_route *route)
{
    static const char *const http[] = {"Authorizer", "AuthorizationScopes", NULL};
    static const char *const rest[] = {"Authorizer", "AuthorizationScopes", "ApiKeyRequired", NULL};
    static const char *const ignored[] = {"InvokeRole", NULL};
    struct plan_properties known = {api->is_http ? http : rest, ignored};
    struct str name = plan_text(tpl_get(auth, "Authorizer"));
    const struct tpl_node *key = tpl_get(auth, "ApiKeyRequired");
    const struct tpl_node *scopes = tpl_get(auth, "AuthorizationScopes");
    plan_warn_unknown(m, arena_fmt(m->arena, "%.*s.Auth", STR_ARG(what)), auth, &known);
    if (!api->is_http)
        route->needs_key = key == NULL ? api->needs_key : plan_is_true(key);
    if (name.n == 0)
        name = api->default_authorizer;
    if (name.n == 0 || str_eq_c(name, "NONE"))
        return true;
    route->is_iam = str_eq_c(name, "AWS_IAM");
    if (route->is_iam)
        return true;
    const struct plan_authorizer *found = find_authorizer(api, name);
    if (found == NULL)
        return tpl_fail(m->log, route->line,
                        "%.*s: Authorizer [%.*s] is not in the Authorizers of the API %.*s",
                        STR_ARG(what), STR_ARG(name), STR_ARG(api->logical_id));
    route->authorizer = found->is_open ? NULL : found;
    if (scopes != NULL && found->is_jwt) {
        struct json_out w;
        struct buf *b = plan_writer(m, &w);
        plan_write_list(&w, NULL, scopes);
        route->scopes_json = buf_view(b);
    }
    return true;
}
