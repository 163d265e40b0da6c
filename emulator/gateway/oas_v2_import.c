/* ImportApi and ReimportApi: HTTP APIs out of OpenAPI 3.0 definitions. */
#include "oas.h"
#include "v2.h"

struct import {
    struct oas o;
    struct map authorizers; /* security scheme -> authorizer id (NUL-terminated) */
};

static struct str text_of(const struct import *m, struct jval v, const char *member)
{
    return jval_text(jval_get(v, member), m->o.c->arena);
}

static void copy(struct json_out *w, struct jval from, const char *member, const char *to)
{
    struct jval v = jval_get(from, member);
    if (jval_present(v))
        json_raw(w, to, jval_raw(v));
}

/* --- authorizers --- */

static void put_authorizer(struct import *m, struct str name, struct jval authorizer)
{
    struct arena *a = m->o.c->arena;
    struct str type = oas_upper(a, text_of(m, authorizer, "type"));
    struct str sources = text_of(m, authorizer, "identitySource");
    struct jval reply;
    struct json_out w;
    struct buf *in = oas_input(&m->o, &w);
    json_str(&w, "apiId", m->o.api);
    json_str(&w, "name", name);
    json_str(&w, "authorizerType", type);
    json_arr(&w, "identitySource");
    while (sources.n > 0)
        json_str(&w, NULL, str_trim(str_cut(&sources, ',')));
    json_end(&w);
    copy(&w, authorizer, "jwtConfiguration", "jwtConfiguration");
    copy(&w, authorizer, "authorizerUri", "authorizerUri");
    copy(&w, authorizer, "authorizerCredentials", "authorizerCredentialsArn");
    copy(&w, authorizer, "authorizerPayloadFormatVersion", "authorizerPayloadFormatVersion");
    copy(&w, authorizer, "authorizerResultTtlInSeconds", "authorizerResultTtlInSeconds");
    copy(&w, authorizer, "enableSimpleResponses", "enableSimpleResponses");
    json_end(&w);
    if (!oas_run(&m->o, "CreateAuthorizer", in,
                 arena_fmt(a, "Unable to create authorizer '%.*s'", STR_ARG(name)), &reply))
        return;
    struct str id = arena_str(a, text_of(m, reply, "authorizerId"));
    map_put(&m->authorizers, name, (void *)(uintptr_t)id.p);
}

static void put_authorizers(struct import *m)
{
    struct jval list = oas_schemes(&m->o), it = {0};
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct jval authorizer =
            jval_get(oas_resolve(&m->o, it, NULL), "x-amazon-apigateway-authorizer");
        if (jval_present(authorizer))
            put_authorizer(m, jval_key_str(it, m->o.c->arena), authorizer);
    }
}

/* --- routes --- */

static void write_security(struct import *m, struct json_out *w, struct jval operation)
{
    struct arena *a = m->o.c->arena;
    struct jval list = jval_get(operation, "security"), it = {0}, one;
    if (jval_kind(list) != JSON_ARRAY)
        list = jval_get(m->o.root, "security");
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL)) {
        for (one = (struct jval){0}; jval_kind(it) == JSON_OBJECT && jval_next(it, &one, NULL);) {
            struct str name = jval_key_str(one, a);
            struct jval scheme = oas_resolve(&m->o, jval_get_str(oas_schemes(&m->o), name), NULL);
            struct jval authorizer = jval_get(scheme, "x-amazon-apigateway-authorizer");
            const char *id = map_get(&m->authorizers, name);
            if (id != NULL) {
                bool jwt = str_case_eq(text_of(m, authorizer, "type"), STR("jwt"));
                json_cstr(w, "authorizationType", jwt ? "JWT" : "CUSTOM");
                json_cstr(w, "authorizerId", id);
                if (jwt && jval_count(one) > 0)
                    json_raw(w, "authorizationScopes", jval_raw(one));
                return; /* a route has one authorizer */
            }
            if (str_eq_c(text_of(m, scheme, "x-amazon-apigateway-authtype"), "awsSigv4")) {
                json_cstr(w, "authorizationType", "AWS_IAM");
                return;
            }
            oas_warn(&m->o, "The security scheme '%.*s' has no effect in API Gateway",
                     STR_ARG(name));
        }
    }
}

/* The new integration's id; empty: there is none, or it was refused. */
static struct str put_integration(struct import *m, struct str key, struct jval integration)
{
    struct arena *a = m->o.c->arena;
    struct jval reply;
    struct json_out w;
    struct buf *in;
    if (!jval_present(integration))
        return STR("");
    in = oas_input(&m->o, &w);
    json_str(&w, "apiId", m->o.api);
    json_str(&w, "integrationType", oas_upper(a, text_of(m, integration, "type")));
    copy(&w, integration, "httpMethod", "integrationMethod");
    copy(&w, integration, "uri", "integrationUri");
    copy(&w, integration, "credentials", "credentialsArn");
    copy(&w, integration, "payloadFormatVersion", "payloadFormatVersion");
    copy(&w, integration, "connectionType", "connectionType");
    copy(&w, integration, "connectionId", "connectionId");
    copy(&w, integration, "timeoutInMillis", "timeoutInMillis");
    copy(&w, integration, "requestParameters", "requestParameters");
    copy(&w, integration, "responseParameters", "responseParameters");
    copy(&w, integration, "integrationSubtype", "integrationSubtype");
    copy(&w, integration, "tlsConfig", "tlsConfig");
    json_end(&w);
    if (!oas_run(&m->o, "CreateIntegration", in,
                 arena_fmt(a, "Unable to create integration for route '%.*s'", STR_ARG(key)),
                 &reply))
        return STR("");
    return arena_str(a, text_of(m, reply, "integrationId"));
}

static void put_route(struct import *m, struct str key, struct jval operation)
{
    struct arena *a = m->o.c->arena;
    struct str name = text_of(m, operation, "operationId");
    struct jval reply;
    struct json_out w;
    struct str integration = put_integration(
        m, key, oas_resolve(&m->o, jval_get(operation, "x-amazon-apigateway-integration"), NULL));
    struct buf *in = oas_input(&m->o, &w);
    json_str(&w, "apiId", m->o.api);
    json_str(&w, "routeKey", key);
    if (name.n > 0)
        json_str(&w, "operationName", name);
    if (integration.n > 0)
        json_str(&w, "target", arena_fmt(a, "integrations/%.*s", STR_ARG(integration)));
    write_security(m, &w, operation);
    json_end(&w);
    oas_run(&m->o, "CreateRoute", in, arena_fmt(a, "Unable to create route '%.*s'", STR_ARG(key)),
            &reply);
}

static void put_routes(struct import *m)
{
    struct arena *a = m->o.c->arena;
    struct jval paths = jval_get(m->o.root, "paths"), it = {0}, member;
    struct str prefix = oas_prefix(&m->o, gw_in(m->o.c, "basepath"));
    while (jval_kind(paths) == JSON_OBJECT && jval_next(paths, &it, NULL)) {
        struct str path = jval_key_str(it, a);
        struct jval item = oas_resolve(&m->o, it, NULL);
        for (member = (struct jval){0};
             jval_kind(item) == JSON_OBJECT && jval_next(item, &member, NULL);) {
            struct str method = oas_method(a, jval_key_str(member, a));
            bool is_default = str_eq_c(path, "/$default");
            if (method.n == 0)
                continue;
            put_route(m,
                      is_default ? STR("$default")
                                 : arena_fmt(a, "%.*s %.*s%.*s", STR_ARG(method), STR_ARG(prefix),
                                             STR_ARG(path)),
                      member);
        }
    }
}

/* --- the API --- */

/* Input of CreateApi, or of UpdateApi when the API is there. */
static struct buf *api_input(struct import *m)
{
    struct json_out w;
    struct buf *in = oas_input(&m->o, &w);
    if (m->o.api.n > 0)
        json_str(&w, "apiId", m->o.api);
    else
        json_cstr(&w, "protocolType", "HTTP");
    json_str(&w, "name", oas_info(&m->o, "title"));
    if (oas_info(&m->o, "description").n > 0)
        json_str(&w, "description", oas_info(&m->o, "description"));
    if (oas_info(&m->o, "version").n > 0)
        json_str(&w, "version", oas_info(&m->o, "version"));
    copy(&w, m->o.root, "x-amazon-apigateway-cors", "corsConfiguration");
    json_end(&w);
    return in;
}

/* A reimport begins with no routes, integrations and authorizers. */
static bool empty_api(struct call *c, struct str api)
{
    static const enum gw_kind kinds[] = {GW2_ROUTE, GW2_INTEGRATION, GW2_AUTHORIZER};
    struct gateway *g = c->svc->state;
    struct gw_doc *docs;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        size_t count = gw_doc_list(g, api, kinds[k], STR_NONE, 0, c->arena, &docs);
        for (size_t i = 0; i < count; i++)
            if (!gw_doc_del(g, api, kinds[k], docs[i].id))
                return gw_fail_store(c);
    }
    return true;
}

static bool run_import(struct import *m)
{
    struct call *c = m->o.c;
    struct jval reply;
    struct aws_err err = {0};
    bool fail_on_warnings = false, is_new = m->o.api.n == 0;
    jval_bool(jval_get(c->in, "failOnWarnings"), &fail_on_warnings);
    if (!call_run_local(c->svc, is_new ? "CreateApi" : "UpdateApi", c->account, c->region,
                        buf_view(api_input(m)), c->arena, &reply, &err))
        return v2_bad(c, "%.*s", STR_ARG(err.message));
    if (is_new)
        m->o.api = arena_str(c->arena, text_of(m, reply, "apiId"));
    else if (!empty_api(c, m->o.api))
        return false;
    map_init(&m->authorizers);
    put_authorizers(m);
    put_routes(m);
    map_release(&m->authorizers);
    return oas_end(&m->o, fail_on_warnings) && v2_changed(c, m->o.api);
}

static enum call_status import(struct call *c, struct str api)
{
    struct import m = {0};
    struct gateway *g = c->svc->state;
    struct str text;
    if (!oas_read(c, gw_in(c, "body"), &APIGATEWAYV2_BadRequestException, &m.o))
        return CALL_FAILED;
    if (!m.o.v3) /* unverified: the text */
        return CALL_FAIL(c, &APIGATEWAYV2_BadRequestException,
                         "HTTP APIs are imported from OpenAPI 3.0 definitions");
    m.o.api = api;
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (!run_import(&m)) {
        db_savepoint_rollback(g->db);
        gw_stages_drop(g);
        gw_forget_lookups(g);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    if (!gw_doc_get(g, m.o.api, GW2_API, STR(""), c->arena, &text)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (m.o.warnings->n > 0)
        text = gw_doc_set(c->arena, text, &STR("warnings"), 1,
                          arena_fmt(c->arena, "[%.*s]", STR_ARG(buf_view(m.o.warnings))));
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw2_import_api(struct call *c)
{
    return import(c, STR(""));
}

enum call_status gw2_reimport_api(struct call *c)
{
    struct str api, text;
    return v2_need_api(c, &api, &text, NULL) ? import(c, api) : CALL_FAILED;
}
