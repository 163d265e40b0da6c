/* A definition's operations as a REST API's methods, with all that belongs to them. */
#include "ids.h"
#include "oas.h"

static struct str what(struct oas_rest *r, const char *part, struct str method, struct str path)
{
    return arena_fmt(r->o.c->arena, "Unable to put %s '%.*s' on resource at path '%.*s'", part,
                     STR_ARG(method), STR_ARG(path));
}

/* --- models --- */

/* API Gateway names a model by its URL. */
static void write_schema(struct oas *o, struct json_out *w, struct jval v)
{
    struct jval it = {0};
    struct str ref, name;
    switch (jval_kind(v)) {
    case JSON_OBJECT:
        json_obj(w, NULL);
        while (jval_next(v, &it, NULL)) {
            struct str key = jval_key_str(it, o->c->arena);
            json_key(w, key);
            if (str_eq_c(key, "$ref") && jval_str(it, o->c->arena, &ref) &&
                str_starts(ref, o->v3 ? STR("#/components/schemas/") : STR("#/definitions/"))) {
                ptrdiff_t at = str_rfind(ref, '/');
                name = str_sub(ref, (size_t)at + 1, ref.n);
                json_str(w, NULL,
                         arena_fmt(o->c->arena,
                                   "https://apigateway.amazonaws.com/restapis/%.*s/models/%.*s",
                                   STR_ARG(o->api), STR_ARG(name)));
            } else {
                write_schema(o, w, it);
            }
        }
        json_end(w);
        break;
    case JSON_ARRAY:
        json_arr(w, NULL);
        while (jval_next(v, &it, NULL))
            write_schema(o, w, it);
        json_end(w);
        break;
    default:
        json_raw(w, NULL, jval_raw(v));
    }
}

bool oas_put_model(struct oas_rest *r, struct str name, struct jval schema, bool is_new)
{
    struct oas *o = &r->o;
    struct json_out w;
    struct jval ignored;
    struct buf *text = arena_new_buf(o->c->arena, OAS_OUT_MAX), *in = oas_input(o, &w);
    struct json_out s;
    json_out_init(&s, text);
    write_schema(o, &s, schema);
    json_str(&w, "restApiId", o->api);
    json_str(&w, is_new ? "name" : "modelName", name);
    if (is_new) {
        struct str description = jval_text(jval_get(schema, "description"), o->c->arena);
        json_cstr(&w, "contentType", "application/json");
        if (description.n > 0)
            json_str(&w, "description", description);
        json_str(&w, "schema", buf_view(text));
    } else {
        json_arr(&w, "patchOperations");
        json_obj(&w, NULL);
        json_cstr(&w, "op", "replace");
        json_cstr(&w, "path", "/schema");
        json_str(&w, "value", buf_view(text));
        json_end(&w);
        json_end(&w);
    }
    json_end(&w);
    return oas_run(o, is_new ? "CreateModel" : "UpdateModel", in,
                   arena_fmt(o->c->arena, "Unable to create model for '%.*s'", STR_ARG(name)),
                   &ignored);
}

struct str oas_model_of(struct oas_rest *r, struct jval schema)
{
    struct str name;
    char id[7];
    if (jval_count(schema) == 0)
        return STR("");
    oas_resolve(&r->o, schema, &name);
    if (name.n > 0)
        return name;
    ids_lower_alnum(id, 6);
    name = arena_fmt(r->o.c->arena, "MODEL%s", id); /* so AWS names schemas without a name */
    return oas_put_model(r, name, schema, true) ? name : STR("");
}

/* --- the request --- */

static void write_parameters(struct oas_rest *r, struct json_out *w, struct jval list,
                             struct map *seen)
{
    struct arena *a = r->o.c->arena;
    struct jval it = {0};
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL)) {
        struct jval p = oas_resolve(&r->o, it, NULL);
        struct str name = jval_text(jval_get(p, "name"), a), in = jval_text(jval_get(p, "in"), a);
        const char *where = str_eq_c(in, "query")    ? "querystring"
                            : str_eq_c(in, "header") ? "header"
                            : str_eq_c(in, "path")   ? "path"
                                                     : NULL;
        bool required = false;
        if (where == NULL || name.n == 0)
            continue;
        struct str key = arena_fmt(a, "method.request.%s.%.*s", where, STR_ARG(name));
        if (map_put(seen, key, seen) != NULL)
            continue;
        jval_bool(jval_get(p, "required"), &required);
        json_key(w, key);
        json_bool(w, NULL, required);
    }
}

/* {content type: model} of "content" (OpenAPI 3). */
static void write_content(struct oas_rest *r, struct json_out *w, struct jval content)
{
    struct jval it = {0};
    while (jval_kind(content) == JSON_OBJECT && jval_next(content, &it, NULL)) {
        struct str type = jval_key_str(it, r->o.c->arena);
        struct str model = oas_model_of(r, jval_get(it, "schema"));
        if (model.n == 0)
            continue;
        json_key(w, type);
        json_str(w, NULL, model);
    }
}

/* The same of a schema and the media types of the operation or the document (Swagger 2). */
static void write_swagger_models(struct oas_rest *r, struct json_out *w, struct jval operation,
                                 const char *types_member, struct jval schema)
{
    struct jval types = jval_get(operation, types_member), it = {0};
    struct str model = oas_model_of(r, schema);
    if (model.n == 0)
        return;
    if (jval_count(types) == 0)
        types = jval_get(r->o.root, types_member);
    if (jval_count(types) == 0)
        json_str(w, "application/json", model);
    while (jval_kind(types) == JSON_ARRAY && jval_next(types, &it, NULL)) {
        json_key(w, jval_text(it, r->o.c->arena));
        json_str(w, NULL, model);
    }
}

static struct jval body_schema(struct oas_rest *r, struct jval item, struct jval operation)
{
    struct jval lists[] = {jval_get(operation, "parameters"), jval_get(item, "parameters")};
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_kind(lists[i]) == JSON_ARRAY && jval_next(lists[i], &it, NULL)) {
            struct jval p = oas_resolve(&r->o, it, NULL);
            if (str_eq_c(jval_text(jval_get(p, "in"), r->o.c->arena), "body"))
                return jval_get(p, "schema");
        }
    }
    return (struct jval){0};
}

/* --- who may call it --- */

struct access {
    struct str type, authorizer;
    bool needs_key;
};

static void add_scheme(struct oas_rest *r, struct str name, struct access *access)
{
    struct arena *a = r->o.c->arena;
    struct jval scheme = oas_resolve(&r->o, jval_get_str(oas_schemes(&r->o), name), NULL);
    struct str auth_type = jval_text(jval_get(scheme, "x-amazon-apigateway-authtype"), a);
    const char *authorizer = map_get(&r->authorizers, name);
    if (!jval_present(scheme)) {
        oas_warn(&r->o, "The security scheme '%.*s' is not defined", STR_ARG(name));
    } else if (authorizer != NULL) {
        access->type = STR("CUSTOM");
        access->authorizer = str_c(authorizer);
    } else if (str_eq_c(auth_type, "awsSigv4")) {
        access->type = STR("AWS_IAM");
    } else if (str_eq_c(jval_text(jval_get(scheme, "type"), a), "apiKey") &&
               str_case_eq(jval_text(jval_get(scheme, "name"), a), STR("x-api-key"))) {
        access->needs_key = true;
    } else {
        oas_warn(&r->o, "The security scheme '%.*s' has no effect in API Gateway", STR_ARG(name));
    }
}

static struct access access_of(struct oas_rest *r, struct jval operation)
{
    struct access access = {.type = STR("NONE")};
    struct jval list = jval_get(operation, "security"), it = {0}, name;
    struct jval auth = jval_get(operation, "x-amazon-apigateway-auth");
    if (jval_kind(list) != JSON_ARRAY)
        list = jval_get(r->o.root, "security");
    if (!jval_present(auth))
        auth = jval_get(r->o.root, "x-amazon-apigateway-auth");
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL)) {
        for (name = (struct jval){0}; jval_kind(it) == JSON_OBJECT && jval_next(it, &name, NULL);)
            add_scheme(r, jval_key_str(name, r->o.c->arena), &access);
    }
    if (jval_present(auth) && access.authorizer.n == 0)
        access.type = oas_upper(r->o.c->arena, jval_text(jval_get(auth, "type"), r->o.c->arena));
    return access;
}

static void write_access(struct oas_rest *r, struct json_out *w, struct jval operation)
{
    struct access access = access_of(r, operation);
    struct str validator =
        jval_text(jval_get(operation, "x-amazon-apigateway-request-validator"), r->o.c->arena);
    if (validator.n == 0)
        validator =
            jval_text(jval_get(r->o.root, "x-amazon-apigateway-request-validator"), r->o.c->arena);
    json_str(w, "authorizationType", access.type);
    if (access.authorizer.n > 0)
        json_str(w, "authorizerId", access.authorizer);
    json_bool(w, "apiKeyRequired", access.needs_key);
    if (validator.n > 0) { /* one that is not defined is refused by PutMethod */
        const char *id = map_get(&r->validators, validator);
        json_str(w, "requestValidatorId", id == NULL ? validator : str_c(id));
    }
}

/* --- responses --- */

static void put_responses(struct oas_rest *r, struct str path, struct str resource,
                          struct str method, struct jval operation)
{
    struct arena *a = r->o.c->arena;
    struct jval list = jval_get(operation, "responses"), it = {0}, header, ignored;
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str code = jval_key_str(it, a);
        struct jval response = oas_resolve(&r->o, it, NULL);
        struct json_out w;
        struct buf *in;
        if (str_eq_c(code, "default") || str_starts(code, STR("x-"))) {
            if (code.p[0] == 'd')
                oas_warn(&r->o, "The default response of %.*s %.*s is left out", STR_ARG(method),
                         STR_ARG(path));
            continue;
        }
        in = oas_input(&r->o, &w);
        json_str(&w, "restApiId", r->o.api);
        json_str(&w, "resourceId", resource);
        json_str(&w, "httpMethod", method);
        json_str(&w, "statusCode", code);
        json_obj(&w, "responseParameters");
        struct jval headers = jval_get(response, "headers");
        for (header = (struct jval){0};
             jval_kind(headers) == JSON_OBJECT && jval_next(headers, &header, NULL);) {
            json_key(&w,
                     arena_fmt(a, "method.response.header.%.*s", STR_ARG(jval_key_str(header, a))));
            json_bool(&w, NULL, false);
        }
        json_end(&w);
        json_obj(&w, "responseModels");
        if (r->o.v3)
            write_content(r, &w, jval_get(response, "content"));
        else
            write_swagger_models(r, &w, operation, "produces", jval_get(response, "schema"));
        json_end(&w);
        json_end(&w);
        oas_run(&r->o, "PutMethodResponse", in, what(r, "method response", method, path), &ignored);
    }
}

/* --- the integration --- */

static void copy_upper(struct oas_rest *r, struct json_out *w, struct jval from, const char *member,
                       const char *to)
{
    struct str text;
    if (jval_str(jval_get(from, member), r->o.c->arena, &text))
        json_str(w, to, oas_upper(r->o.c->arena, text));
}

static void copy(struct json_out *w, struct jval from, const char *const *members)
{
    for (; *members != NULL; members++) {
        struct jval v = jval_get(from, *members);
        if (jval_present(v))
            json_raw(w, *members, jval_raw(v));
    }
}

static void write_target(struct oas_rest *r, struct json_out *w, struct str resource,
                         struct str method)
{
    json_str(w, "restApiId", r->o.api);
    json_str(w, "resourceId", resource);
    json_str(w, "httpMethod", method);
}

static void put_integration_response(struct oas_rest *r, struct str path, struct str resource,
                                     struct str method, struct str pattern, struct jval response)
{
    static const char *const copied[] = {"responseParameters", "responseTemplates", NULL};
    struct json_out w;
    struct jval ignored, status = jval_get(response, "statusCode");
    struct buf *in = oas_input(&r->o, &w);
    write_target(r, &w, resource, method);
    json_str(&w, "statusCode",
             jval_kind(status) == JSON_STRING ? jval_text(status, r->o.c->arena)
             : jval_present(status)           ? jval_raw(status)
                                              : STR("200"));
    if (!str_eq_c(pattern, "default"))
        json_str(&w, "selectionPattern", pattern);
    copy(&w, response, copied);
    copy_upper(r, &w, response, "contentHandling", "contentHandling");
    json_end(&w);
    oas_run(&r->o, "PutIntegrationResponse", in, what(r, "integration response", method, path),
            &ignored);
}

static void put_integration(struct oas_rest *r, struct str path, struct str resource,
                            struct str method, struct jval integration)
{
    static const char *const copied[] = {"uri",
                                         "credentials",
                                         "requestParameters",
                                         "requestTemplates",
                                         "timeoutInMillis",
                                         "cacheNamespace",
                                         "cacheKeyParameters",
                                         "connectionType",
                                         "connectionId",
                                         "tlsConfig",
                                         NULL};
    struct json_out w;
    struct jval ignored, it = {0}, responses = jval_get(integration, "responses");
    struct buf *in = oas_input(&r->o, &w);
    write_target(r, &w, resource, method);
    copy_upper(r, &w, integration, "type", "type");
    copy_upper(r, &w, integration, "httpMethod", "integrationHttpMethod");
    copy_upper(r, &w, integration, "passthroughBehavior", "passthroughBehavior");
    copy_upper(r, &w, integration, "contentHandling", "contentHandling");
    copy(&w, integration, copied);
    json_end(&w);
    if (!oas_run(&r->o, "PutIntegration", in,
                 arena_fmt(r->o.c->arena,
                           "Unable to put integration on '%.*s' for resource at path '%.*s'",
                           STR_ARG(method), STR_ARG(path)),
                 &ignored))
        return;
    while (jval_kind(responses) == JSON_OBJECT && jval_next(responses, &it, NULL))
        put_integration_response(r, path, resource, method, jval_key_str(it, r->o.c->arena), it);
}

void oas_put_method(struct oas_rest *r, struct str path, struct str resource, struct str method,
                    struct jval item, struct jval operation)
{
    struct arena *a = r->o.c->arena;
    struct jval ignored, integration;
    struct str name = jval_text(jval_get(operation, "operationId"), a);
    struct map seen;
    struct json_out w;
    struct buf *in = oas_input(&r->o, &w);
    write_target(r, &w, resource, method);
    write_access(r, &w, operation);
    if (name.n > 0)
        json_str(&w, "operationName", name);
    map_init(&seen);
    json_obj(&w, "requestParameters");
    write_parameters(r, &w, jval_get(operation, "parameters"), &seen);
    write_parameters(r, &w, jval_get(item, "parameters"), &seen);
    json_end(&w);
    map_release(&seen);
    json_obj(&w, "requestModels");
    if (r->o.v3)
        write_content(
            r, &w,
            jval_get(oas_resolve(&r->o, jval_get(operation, "requestBody"), NULL), "content"));
    else
        write_swagger_models(r, &w, operation, "consumes", body_schema(r, item, operation));
    json_end(&w);
    json_end(&w);
    if (!oas_run(&r->o, "PutMethod", in, what(r, "method", method, path), &ignored))
        return;
    put_responses(r, path, resource, method, operation);
    integration = oas_resolve(&r->o, jval_get(operation, "x-amazon-apigateway-integration"), NULL);
    if (jval_present(integration))
        put_integration(r, path, resource, method, integration);
}
