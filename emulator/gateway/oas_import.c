/* ImportRestApi and PutRestApi. */
#include "apigateway_model.h"
#include "codec.h"
#include "oas.h"

/* --- the parts that methods name --- */

static bool has(struct oas_rest *r, enum gw_kind kind, struct str id)
{
    struct str text;
    return gw_doc_get(r->o.c->svc->state, r->o.api, kind, id, r->o.c->arena, &text);
}

static void put_models(struct oas_rest *r)
{
    struct jval list = oas_schemas(&r->o), it = {0};
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str name = jval_key_str(it, r->o.c->arena);
        oas_put_model(r, name, it, !has(r, GW_MODEL, name));
    }
}

/* The id in a reply, kept under name. */
static void keep_id(struct oas_rest *r, struct map *m, struct str name, struct jval reply)
{
    struct str id = arena_str(r->o.c->arena, jval_text(jval_get(reply, "id"), r->o.c->arena));
    map_put(m, name, (void *)(uintptr_t)id.p);
}

/* What a merge finds there already, by name. */
static void find_named(struct oas_rest *r, enum gw_kind kind, struct map *m, const char *member)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count =
        gw_doc_list(r->o.c->svc->state, r->o.api, kind, STR_NONE, 0, r->o.c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        struct str id = arena_str(r->o.c->arena, docs[i].id);
        if (json_parse(r->o.c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            map_put(m, jval_text(jval_get(doc, member), r->o.c->arena), (void *)(uintptr_t)id.p);
    }
}

static void put_validators(struct oas_rest *r)
{
    struct jval list = jval_get(r->o.root, "x-amazon-apigateway-request-validators"), it = {0};
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str name = jval_key_str(it, r->o.c->arena);
        struct jval reply;
        struct json_out w;
        bool body = false, parameters = false;
        if (map_get(&r->validators, name) != NULL)
            continue;
        struct buf *in = oas_input(&r->o, &w);
        jval_bool(jval_get(it, "validateRequestBody"), &body);
        jval_bool(jval_get(it, "validateRequestParameters"), &parameters);
        json_str(&w, "restApiId", r->o.api);
        json_str(&w, "name", name);
        json_bool(&w, "validateRequestBody", body);
        json_bool(&w, "validateRequestParameters", parameters);
        json_end(&w);
        if (oas_run(&r->o, "CreateRequestValidator", in,
                    arena_fmt(r->o.c->arena, "Unable to create request validator '%.*s'",
                              STR_ARG(name)),
                    &reply))
            keep_id(r, &r->validators, name, reply);
    }
}

/* A TOKEN authorizer's identity source is the header that its security scheme names. */
static void put_authorizer(struct oas_rest *r, struct str name, struct jval scheme,
                           struct jval authorizer)
{
    static const char *const copied[] = {"authorizerUri",
                                         "authorizerCredentials",
                                         "identityValidationExpression",
                                         "authorizerResultTtlInSeconds",
                                         "providerARNs",
                                         NULL};
    struct arena *a = r->o.c->arena;
    struct str type = oas_upper(a, jval_text(jval_get(authorizer, "type"), a));
    struct str source = jval_text(jval_get(authorizer, "identitySource"), a);
    struct str auth_type = jval_text(jval_get(scheme, "x-amazon-apigateway-authtype"), a);
    struct jval reply;
    struct json_out w;
    struct buf *in = oas_input(&r->o, &w);
    json_str(&w, "restApiId", r->o.api);
    json_str(&w, "name", name);
    json_str(&w, "type", type);
    if (source.n == 0 && !str_eq_c(type, "REQUEST"))
        source = arena_fmt(a, "method.request.header.%.*s",
                           STR_ARG(jval_text(jval_get(scheme, "name"), a)));
    if (source.n > 0)
        json_str(&w, "identitySource", source);
    if (auth_type.n > 0)
        json_str(&w, "authType", auth_type);
    for (size_t i = 0; copied[i] != NULL; i++) {
        struct jval v = jval_get(authorizer, copied[i]);
        if (jval_present(v))
            json_raw(&w, copied[i], jval_raw(v));
    }
    json_end(&w);
    if (oas_run(&r->o, "CreateAuthorizer", in,
                arena_fmt(a, "Unable to create authorizer '%.*s'", STR_ARG(name)), &reply))
        keep_id(r, &r->authorizers, name, reply);
}

static void put_authorizers(struct oas_rest *r)
{
    struct jval list = oas_schemes(&r->o), it = {0};
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str name = jval_key_str(it, r->o.c->arena);
        struct jval scheme = oas_resolve(&r->o, it, NULL);
        struct jval authorizer = jval_get(scheme, "x-amazon-apigateway-authorizer");
        if (jval_present(authorizer) && map_get(&r->authorizers, name) == NULL)
            put_authorizer(r, name, scheme, authorizer);
    }
}

static void put_gateway_responses(struct oas_rest *r)
{
    static const char *const copied[] = {"responseParameters", "responseTemplates", NULL};
    struct jval list = jval_get(r->o.root, "x-amazon-apigateway-gateway-responses"), it = {0};
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str type = jval_key_str(it, r->o.c->arena);
        struct jval ignored, status = jval_get(it, "statusCode");
        struct json_out w;
        struct buf *in = oas_input(&r->o, &w);
        json_str(&w, "restApiId", r->o.api);
        json_str(&w, "responseType", type);
        if (jval_present(status))
            json_str(&w, "statusCode",
                     jval_kind(status) == JSON_STRING ? jval_text(status, r->o.c->arena)
                                                      : jval_raw(status));
        for (size_t i = 0; copied[i] != NULL; i++) {
            struct jval v = jval_get(it, copied[i]);
            if (jval_present(v))
                json_raw(&w, copied[i], jval_raw(v));
        }
        json_end(&w);
        oas_run(&r->o, "PutGatewayResponse", in,
                arena_fmt(r->o.c->arena, "Unable to put gateway response '%.*s'", STR_ARG(type)),
                &ignored);
    }
}

/* --- resources --- */

static const char *make_resource(struct oas_rest *r, struct str path, const char *parent,
                                 struct str part)
{
    struct jval reply;
    struct json_out w;
    struct buf *in = oas_input(&r->o, &w);
    json_str(&w, "restApiId", r->o.api);
    json_cstr(&w, "parentId", parent);
    json_str(&w, "pathPart", part);
    json_end(&w);
    if (!oas_run(
            &r->o, "CreateResource", in,
            arena_fmt(r->o.c->arena, "Unable to create resource at path '%.*s'", STR_ARG(path)),
            &reply))
        return NULL;
    keep_id(r, &r->resources, path, reply);
    return map_get(&r->resources, path);
}

/* The resource's id, made with all above it; NULL: noted as an error. */
static const char *need_resource(struct oas_rest *r, struct str path)
{
    const char *id = map_get(&r->resources, STR("/"));
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    for (size_t from = 1; id != NULL && from < path.n;) {
        size_t to = from;
        while (to < path.n && path.p[to] != '/')
            to++;
        struct str prefix = str_sub(path, 0, to);
        const char *there = map_get(&r->resources, prefix);
        id = there != NULL ? there : make_resource(r, prefix, id, str_sub(path, from, to));
        from = to + 1;
    }
    return id;
}

/* A merge replaces a method that the definition has. */
static void drop_method(struct oas_rest *r, const char *resource, struct str method)
{
    struct call *c = r->o.c;
    struct jval ignored;
    struct aws_err err = {0};
    struct json_out w;
    struct buf *in = oas_input(&r->o, &w);
    json_str(&w, "restApiId", r->o.api);
    json_cstr(&w, "resourceId", resource);
    json_str(&w, "httpMethod", method);
    json_end(&w);
    call_run_local(c->svc, "DeleteMethod", c->account, c->region, buf_view(in), c->arena, &ignored,
                   &err);
}

static void put_paths(struct oas_rest *r)
{
    struct arena *a = r->o.c->arena;
    struct jval paths = jval_get(r->o.root, "paths"), it = {0}, member;
    struct jval parameters = jval_get(r->o.c->in, "parameters");
    struct str prefix = oas_prefix(&r->o, jval_text(jval_get(parameters, "basepath"), a));
    while (jval_kind(paths) == JSON_OBJECT && jval_next(paths, &it, NULL)) {
        struct str path = jval_key_str(it, a);
        struct jval item = oas_resolve(&r->o, it, NULL);
        if (path.n == 0 || path.p[0] != '/')
            continue; /* x-... */
        path = arena_fmt(a, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path));
        const char *resource = need_resource(r, path);
        if (resource == NULL)
            continue;
        for (member = (struct jval){0};
             jval_kind(item) == JSON_OBJECT && jval_next(item, &member, NULL);) {
            struct str method = oas_method(a, jval_key_str(member, a));
            if (method.n == 0)
                continue;
            if (r->is_merge)
                drop_method(r, resource, method);
            oas_put_method(r, path, str_c(resource), method, item, member);
        }
    }
}

static void put_all(struct oas_rest *r)
{
    find_named(r, GW_RESOURCE, &r->resources, "path");
    find_named(r, GW_VALIDATOR, &r->validators, "name");
    find_named(r, GW_AUTHORIZER, &r->authorizers, "name");
    put_models(r);
    put_validators(r);
    put_authorizers(r);
    put_gateway_responses(r);
    put_paths(r);
}

/* --- the API itself --- */

static const struct {
    const char *extension, *member;
} settings[] = {{"x-amazon-apigateway-binary-media-types", "binaryMediaTypes"},
                {"x-amazon-apigateway-minimum-compression-size", "minimumCompressionSize"},
                {"x-amazon-apigateway-api-key-source", "apiKeySource"}};
enum { SETTING_COUNT = sizeof settings / sizeof *settings };

static struct buf *create_input(struct oas *o)
{
    struct json_out w;
    struct arena *a = o->c->arena;
    struct buf *in = oas_input(o, &w);
    struct jval endpoint = jval_get(o->root, "x-amazon-apigateway-endpoint-configuration"), v;
    struct str type =
        jval_text(jval_get(jval_get(o->c->in, "parameters"), "endpointConfigurationTypes"), a);
    json_str(&w, "name", oas_info(o, "title"));
    if (oas_info(o, "version").n > 0)
        json_str(&w, "version", oas_info(o, "version"));
    if (oas_info(o, "description").n > 0)
        json_str(&w, "description", oas_info(o, "description"));
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        v = jval_get(o->root, settings[i].extension);
        if (jval_kind(v) == JSON_STRING)
            json_str(&w, settings[i].member, oas_upper(a, jval_text(v, a)));
        else if (jval_present(v))
            json_raw(&w, settings[i].member, jval_raw(v));
    }
    v = jval_get(o->root, "x-amazon-apigateway-policy");
    if (jval_present(v))
        json_str(&w, "policy", jval_raw(v));
    v = jval_get(endpoint, "disableExecuteApiEndpoint");
    if (jval_present(v))
        json_raw(&w, "disableExecuteApiEndpoint", jval_raw(v));
    if (type.n > 0) {
        json_obj(&w, "endpointConfiguration");
        json_arr(&w, "types");
        json_str(&w, NULL, type);
        json_end(&w);
        json_end(&w);
    }
    json_end(&w);
    return in;
}

/* PutRestApi: the name and settings that the definition has. */
static bool update_api(struct oas *o, struct str text)
{
    static const char *const texts[] = {"version", "description", NULL};
    struct arena *a = o->c->arena;
    struct str title = oas_info(o, "title");
    if (title.n > 0)
        text = gw_doc_set(a, text, &STR("name"), 1, gw_quote(a, title));
    for (size_t i = 0; texts[i] != NULL; i++) {
        struct str value = oas_info(o, texts[i]), member = str_c(texts[i]);
        if (value.n > 0)
            text = gw_doc_set(a, text, &member, 1, gw_quote(a, value));
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct jval v = jval_get(o->root, settings[i].extension);
        struct str member = str_c(settings[i].member);
        if (jval_present(v))
            text =
                gw_doc_set(a, text, &member, 1,
                           jval_kind(v) == JSON_STRING ? gw_quote(a, oas_upper(a, jval_text(v, a)))
                                                       : jval_raw(v));
    }
    return gw_save(o->c, o->api, GW_API, STR(""), text);
}

/* An overwrite begins with the root resource alone. */
static bool empty_api(struct call *c, struct str api)
{
    static const enum gw_kind kinds[] = {GW_RESOURCE, GW_MODEL, GW_VALIDATOR, GW_AUTHORIZER,
                                         GW_GATEWAY_RESPONSE};
    struct gateway *g = c->svc->state;
    struct gw_doc *docs;
    struct jval doc;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t count = gw_doc_list(g, api, kinds[k], STR_NONE, 0, c->arena, &docs);
        for (size_t i = 0; i < count; i++) {
            bool is_root = kinds[k] == GW_RESOURCE &&
                           json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
                           str_eq_c(jval_text(jval_get(doc, "path"), c->arena), "/");
            if (is_root ? !gw_save(c, api, GW_RESOURCE, docs[i].id,
                                   arena_fmt(c->arena, "{\"id\":\"%.*s\",\"path\":\"/\"}",
                                             STR_ARG(docs[i].id)))
                        : !gw_doc_del(g, api, kinds[k], docs[i].id))
                return gw_fail_store(c);
        }
    }
    return true;
}

static enum call_status answer(struct oas *o)
{
    struct str text;
    if (!gw_doc_get(o->c->svc->state, o->api, GW_API, STR(""), o->c->arena, &text)) {
        gw_fail_store(o->c);
        return CALL_FAILED;
    }
    if (o->warnings->n > 0)
        text = gw_doc_set(o->c->arena, text, &STR("warnings"), 1,
                          arena_fmt(o->c->arena, "[%.*s]", STR_ARG(buf_view(o->warnings))));
    json_raw(&o->c->out, NULL, text);
    return CALL_DONE;
}

static enum call_status import(struct oas_rest *r, bool is_new, struct str text)
{
    struct call *c = r->o.c;
    struct gateway *g = c->svc->state;
    bool fail_on_warnings = false, ok = true;
    struct jval api;
    jval_bool(jval_get(c->in, "failOnWarnings"), &fail_on_warnings);
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (is_new) {
        struct aws_err err = {0};
        if (call_run_local(c->svc, "CreateRestApi", c->account, c->region,
                           buf_view(create_input(&r->o)), c->arena, &api, &err))
            r->o.api = arena_str(c->arena, jval_text(jval_get(api, "id"), c->arena));
        else
            ok = aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "%.*s",
                          STR_ARG(err.message));
    } else {
        ok = update_api(&r->o, text) && (r->is_merge || empty_api(c, r->o.api));
    }
    if (ok) {
        map_init(&r->resources);
        map_init(&r->validators);
        map_init(&r->authorizers);
        put_all(r);
        map_release(&r->resources);
        map_release(&r->validators);
        map_release(&r->authorizers);
        ok = oas_end(&r->o, fail_on_warnings);
    }
    if (!ok) {
        db_savepoint_rollback(g->db);
        gw_stages_drop(g);
        gw_forget_lookups(g);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    return answer(&r->o);
}

/* The definition: a request's payload, or, run from inside, the input's member. */
static bool read_definition(struct call *c, struct oas *ret)
{
    struct str text = c->payload;
    if (text.n == 0 && !codec_base64_decode(c->arena, gw_in(c, "body"), &text))
        text = STR("");
    return oas_read(c, text, &APIGATEWAY_BadRequestException, ret);
}

enum call_status gw_import_rest_api(struct call *c)
{
    struct oas_rest r = {0};
    if (!read_definition(c, &r.o))
        return CALL_FAILED;
    return import(&r, true, STR(""));
}

enum call_status gw_put_rest_api(struct call *c)
{
    struct oas_rest r = {0};
    struct str api, text, mode = gw_in(c, "mode");
    if (!gw_need_api(c, &api, &text, NULL) || !read_definition(c, &r.o))
        return CALL_FAILED;
    r.o.api = api;
    r.is_merge = !str_eq_c(mode, "overwrite");
    return import(&r, false, text);
}
