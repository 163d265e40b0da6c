/* GetExport: a deployed stage of a REST API as OpenAPI 3.0 or Swagger 2.0. */
#include "apigateway_model.h"
#include "oas.h"
#include "yaml_json.h"
#include <string.h>

struct export
{
    struct call *c;
    struct json_out w;
    struct jval snapshot;
    bool v3, integrations, authorizers;
    bool uses_key, uses_iam; /* some method does: their security schemes are written */
};

static struct str text_of(struct export *e, struct jval v, const char *member)
{
    return jval_text(jval_get(v, member), e->c->arena);
}

static void write_ref(struct export *e, const char *key, struct str model)
{
    json_obj(&e->w, key);
    json_str(&e->w, "$ref",
             arena_fmt(e->c->arena, "#/%s/%.*s", e->v3 ? "components/schemas" : "definitions",
                       STR_ARG(model)));
    json_end(&e->w);
}

static void write_string_type(struct export *e)
{
    if (e->v3)
        json_obj(&e->w, "schema");
    json_cstr(&e->w, "type", "string");
    if (e->v3)
        json_end(&e->w);
}

/* --- a method --- */

static void write_parameters(struct export *e, struct jval method)
{
    static const struct {
        const char *prefix, *in;
    } kinds[] = {{"method.request.querystring.", "query"},
                 {"method.request.header.", "header"},
                 {"method.request.path.", "path"}};
    struct jval list = jval_get(method, "requestParameters"), it = {0};
    struct jval models = jval_get(method, "requestModels");
    if (jval_count(list) == 0 && (e->v3 || jval_count(models) == 0))
        return;
    json_arr(&e->w, "parameters");
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str key = jval_key_str(it, e->c->arena);
        bool required = false;
        jval_bool(it, &required);
        for (size_t i = 0; i < 3; i++) {
            size_t n = strlen(kinds[i].prefix);
            if (!str_starts(key, str_c(kinds[i].prefix)))
                continue;
            json_obj(&e->w, NULL);
            json_str(&e->w, "name", str_sub(key, n, key.n));
            json_cstr(&e->w, "in", kinds[i].in);
            if (required || i == 2) /* a path parameter always is */
                json_bool(&e->w, "required", true);
            else if (!e->v3)
                json_bool(&e->w, "required", false);
            write_string_type(e);
            json_end(&e->w);
        }
    }
    if (!e->v3 && jval_count(models) > 0) {
        struct jval model = {0};
        jval_next(models, &model, NULL);
        struct str name = jval_text(model, e->c->arena);
        json_obj(&e->w, NULL);
        json_cstr(&e->w, "in", "body");
        json_str(&e->w, "name", name);
        json_bool(&e->w, "required", true);
        write_ref(e, "schema", name);
        json_end(&e->w);
    }
    json_end(&e->w);
}

/* {content type: {schema}} of {content type: model}. */
static void write_content(struct export *e, struct jval models)
{
    struct jval it = {0};
    json_obj(&e->w, "content");
    while (jval_kind(models) == JSON_OBJECT && jval_next(models, &it, NULL)) {
        json_key(&e->w, jval_key_str(it, e->c->arena));
        json_obj(&e->w, NULL);
        write_ref(e, "schema", jval_text(it, e->c->arena));
        json_end(&e->w);
    }
    json_end(&e->w);
}

static void write_types(struct export *e, const char *key, struct jval models)
{
    struct jval it = {0};
    if (jval_count(models) == 0)
        return;
    json_arr(&e->w, key);
    while (jval_next(models, &it, NULL))
        json_str(&e->w, NULL, jval_key_str(it, e->c->arena));
    json_end(&e->w);
}

static void write_responses(struct export *e, struct jval method)
{
    struct jval list = jval_get(method, "methodResponses"), it = {0}, header;
    if (jval_count(list) == 0)
        return;
    json_obj(&e->w, "responses");
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        struct str code = jval_key_str(it, e->c->arena);
        struct jval params = jval_get(it, "responseParameters");
        struct jval models = jval_get(it, "responseModels");
        json_key(&e->w, code);
        json_obj(&e->w, NULL);
        json_str(&e->w, "description", arena_fmt(e->c->arena, "%.*s response", STR_ARG(code)));
        if (jval_count(params) > 0) {
            json_obj(&e->w, "headers");
            for (header = (struct jval){0}; jval_next(params, &header, NULL);) {
                struct str name = jval_key_str(header, e->c->arena);
                if (!str_starts(name, STR("method.response.header.")))
                    continue;
                json_key(&e->w, str_sub(name, strlen("method.response.header."), name.n));
                json_obj(&e->w, NULL);
                write_string_type(e);
                json_end(&e->w);
            }
            json_end(&e->w);
        }
        if (e->v3) {
            write_content(e, models);
        } else if (jval_count(models) > 0) {
            struct jval model = {0};
            jval_next(models, &model, NULL);
            write_ref(e, "schema", jval_text(model, e->c->arena));
        }
        json_end(&e->w);
    }
    json_end(&e->w);
}

static void write_security(struct export *e, struct jval method)
{
    bool needs_key = false;
    struct str type = text_of(e, method, "authorizationType");
    struct jval authorizer =
        jval_get_str(jval_get(e->snapshot, "authorizers"), text_of(e, method, "authorizerId"));
    bool iam = str_eq_c(type, "AWS_IAM");
    jval_bool(jval_get(method, "apiKeyRequired"), &needs_key);
    if (!needs_key && !iam && !jval_present(authorizer))
        return;
    json_arr(&e->w, "security");
    json_obj(&e->w, NULL);
    if (jval_present(authorizer)) {
        json_key(&e->w, text_of(e, authorizer, "name"));
        json_raw(&e->w, NULL, STR("[]"));
    }
    if (iam)
        json_raw(&e->w, "sigv4", STR("[]"));
    if (needs_key)
        json_raw(&e->w, "api_key", STR("[]"));
    json_end(&e->w);
    json_end(&e->w);
    e->uses_iam |= iam;
    e->uses_key |= needs_key;
}

static void copy(struct export *e, struct jval from, const char *const *members)
{
    for (; *members != NULL; members++) {
        struct jval v = jval_get(from, *members);
        if (jval_present(v) && jval_raw(v).n > 0)
            json_raw(&e->w, *members, jval_raw(v));
    }
}

static void copy_lower(struct export *e, struct jval from, const char *member)
{
    struct str text = text_of(e, from, member);
    if (text.n > 0)
        json_str(&e->w, member, oas_lower(e->c->arena, text));
}

static void write_integration(struct export *e, struct jval method)
{
    static const char *const copied[] = {"uri",
                                         "credentials",
                                         "requestParameters",
                                         "requestTemplates",
                                         "timeoutInMillis",
                                         "connectionType",
                                         "connectionId",
                                         "tlsConfig",
                                         "contentHandling",
                                         NULL};
    static const char *const response_copied[] = {"statusCode", "responseParameters",
                                                  "responseTemplates", "contentHandling", NULL};
    struct jval integration = jval_get(method, "methodIntegration"), it = {0};
    struct jval responses = jval_get(integration, "integrationResponses");
    if (!jval_present(integration))
        return;
    json_obj(&e->w, "x-amazon-apigateway-integration");
    copy_lower(e, integration, "type");
    struct str http_method = text_of(e, integration, "httpMethod");
    if (http_method.n > 0)
        json_str(&e->w, "httpMethod", http_method);
    copy(e, integration, copied);
    copy_lower(e, integration, "passthroughBehavior");
    if (jval_count(responses) > 0) {
        json_obj(&e->w, "responses");
        while (jval_next(responses, &it, NULL)) {
            struct str pattern = text_of(e, it, "selectionPattern");
            json_key(&e->w, pattern.n > 0 ? pattern : STR("default"));
            json_obj(&e->w, NULL);
            copy(e, it, response_copied);
            json_end(&e->w);
        }
        json_end(&e->w);
    }
    json_end(&e->w);
}

static void write_operation(struct export *e, struct jval method)
{
    struct str http_method = text_of(e, method, "httpMethod");
    struct str name = text_of(e, method, "operationName");
    struct jval validator =
        jval_get_str(jval_get(e->snapshot, "validators"), text_of(e, method, "requestValidatorId"));
    struct jval models = jval_get(method, "requestModels");
    json_key(&e->w, str_eq_c(http_method, "ANY") ? STR("x-amazon-apigateway-any-method")
                                                 : oas_lower(e->c->arena, http_method));
    json_obj(&e->w, NULL);
    if (name.n > 0)
        json_str(&e->w, "operationId", name);
    if (!e->v3) {
        struct jval it = {0};
        write_types(e, "consumes", models);
        if (jval_next(jval_get(method, "methodResponses"), &it, NULL))
            write_types(e, "produces", jval_get(it, "responseModels"));
    }
    write_parameters(e, method);
    if (e->v3 && jval_count(models) > 0) {
        json_obj(&e->w, "requestBody");
        write_content(e, models);
        json_bool(&e->w, "required", true);
        json_end(&e->w);
    }
    write_responses(e, method);
    write_security(e, method);
    if (jval_present(validator) && e->integrations)
        json_str(&e->w, "x-amazon-apigateway-request-validator", text_of(e, validator, "name"));
    if (e->integrations)
        write_integration(e, method);
    json_end(&e->w);
}

/* In the order of their paths: resource ids are random. */
static void write_paths(struct export *e)
{
    struct jval method;
    size_t count;
    struct oas_named *all =
        oas_sorted(e->c->arena, jval_get(e->snapshot, "resources"), "path", &count);
    json_obj(&e->w, "paths");
    for (size_t i = 0; i < count; i++) {
        struct jval methods = jval_get(all[i].doc, "resourceMethods");
        if (jval_count(methods) == 0)
            continue;
        json_key(&e->w, all[i].name);
        json_obj(&e->w, NULL);
        for (method = (struct jval){0}; jval_next(methods, &method, NULL);)
            write_operation(e, method);
        json_end(&e->w);
    }
    json_end(&e->w);
}

/* --- the rest of the document --- */

static void write_authorizer(struct export *e, struct jval authorizer)
{
    static const char *const copied[] = {"authorizerUri",
                                         "authorizerCredentials",
                                         "identityValidationExpression",
                                         "authorizerResultTtlInSeconds",
                                         "providerARNs",
                                         NULL};
    struct str source = text_of(e, authorizer, "identitySource");
    struct str type = text_of(e, authorizer, "type"), prefix = STR("method.request.header.");
    json_key(&e->w, text_of(e, authorizer, "name"));
    json_obj(&e->w, NULL);
    json_cstr(&e->w, "type", "apiKey");
    json_str(&e->w, "name",
             !str_eq_c(type, "REQUEST") && str_starts(source, prefix)
                 ? str_sub(source, prefix.n, source.n)
                 : STR("Unused"));
    json_cstr(&e->w, "in", "header");
    json_str(&e->w, "x-amazon-apigateway-authtype", text_of(e, authorizer, "authType"));
    if (e->authorizers) {
        json_obj(&e->w, "x-amazon-apigateway-authorizer");
        json_str(&e->w, "type", oas_lower(e->c->arena, type));
        if (str_eq_c(type, "REQUEST") && source.n > 0)
            json_str(&e->w, "identitySource", source);
        copy(e, authorizer, copied);
        json_end(&e->w);
    }
    json_end(&e->w);
}

static void write_schemes(struct export *e)
{
    size_t count;
    struct oas_named *all =
        oas_sorted(e->c->arena, jval_get(e->snapshot, "authorizers"), "name", &count);
    if (!e->uses_key && !e->uses_iam && count == 0)
        return;
    json_obj(&e->w, e->v3 ? "securitySchemes" : "securityDefinitions");
    for (size_t i = 0; i < count; i++)
        write_authorizer(e, all[i].doc);
    if (e->uses_iam)
        json_raw(&e->w, "sigv4",
                 STR("{\"type\":\"apiKey\",\"name\":\"Authorization\",\"in\":\"header\","
                     "\"x-amazon-apigateway-authtype\":\"awsSigv4\"}"));
    if (e->uses_key)
        json_raw(&e->w, "api_key",
                 STR("{\"type\":\"apiKey\",\"name\":\"x-api-key\",\"in\":\"header\"}"));
    json_end(&e->w);
}

/* A model's schema: references by URL become those of the document. */
static void write_schema(struct export *e, struct jval v)
{
    struct jval it = {0};
    switch (jval_kind(v)) {
    case JSON_OBJECT:
        json_obj(&e->w, NULL);
        while (jval_next(v, &it, NULL)) {
            struct str key = jval_key_str(it, e->c->arena);
            struct str ref = str_eq_c(key, "$ref") ? jval_text(it, e->c->arena) : STR("");
            ptrdiff_t at = str_find_str(ref, STR("/models/"));
            if (str_eq_c(key, "$schema"))
                continue;
            json_key(&e->w, key);
            if (at >= 0)
                json_str(&e->w, NULL,
                         arena_fmt(e->c->arena, "#/%s/%.*s",
                                   e->v3 ? "components/schemas" : "definitions",
                                   STR_ARG(str_sub(ref, (size_t)at + 8, ref.n))));
            else
                write_schema(e, it);
        }
        json_end(&e->w);
        break;
    case JSON_ARRAY:
        json_arr(&e->w, NULL);
        while (jval_next(v, &it, NULL))
            write_schema(e, it);
        json_end(&e->w);
        break;
    default:
        json_raw(&e->w, NULL, jval_raw(v));
    }
}

static void write_models(struct export *e)
{
    enum { SCHEMA_DEPTH_MAX = 50 }; /* the writer takes 63 levels in all */
    struct jval list = jval_get(e->snapshot, "models"), it = {0}, schema;
    if (jval_count(list) == 0)
        return;
    json_obj(&e->w, e->v3 ? "schemas" : "definitions");
    while (jval_kind(list) == JSON_OBJECT && jval_next(list, &it, NULL)) {
        if (!json_parse(e->c->arena, text_of(e, it, "schema"), SCHEMA_DEPTH_MAX, &schema, NULL))
            continue; /* not JSON: no part of such a document */
        json_key(&e->w, jval_key_str(it, e->c->arena));
        write_schema(e, schema);
    }
    json_end(&e->w);
}

static void write_extensions(struct export *e, struct jval api)
{
    static const char *const response_copied[] = {"statusCode", "responseParameters",
                                                  "responseTemplates", NULL};
    struct jval responses = jval_get(e->snapshot, "gatewayResponses"), it = {0};
    struct jval validators = jval_get(e->snapshot, "validators");
    struct jval types = jval_get(api, "binaryMediaTypes");
    if (jval_count(responses) > 0) {
        json_obj(&e->w, "x-amazon-apigateway-gateway-responses");
        while (jval_next(responses, &it, NULL)) {
            json_key(&e->w, jval_key_str(it, e->c->arena));
            json_obj(&e->w, NULL);
            copy(e, it, response_copied);
            json_end(&e->w);
        }
        json_end(&e->w);
    }
    if (jval_count(validators) > 0) {
        json_obj(&e->w, "x-amazon-apigateway-request-validators");
        for (it = (struct jval){0}; jval_next(validators, &it, NULL);) {
            static const char *const copied[] = {"validateRequestParameters", "validateRequestBody",
                                                 NULL};
            json_key(&e->w, text_of(e, it, "name"));
            json_obj(&e->w, NULL);
            copy(e, it, copied);
            json_end(&e->w);
        }
        json_end(&e->w);
    }
    if (jval_count(types) > 0)
        json_raw(&e->w, "x-amazon-apigateway-binary-media-types", jval_raw(types));
}

static void write_head(struct export *e, struct jval api, struct str id, struct str stage)
{
    struct arena *a = e->c->arena;
    struct str version = text_of(e, api, "version"), description = text_of(e, api, "description");
    json_cstr(&e->w, e->v3 ? "openapi" : "swagger", e->v3 ? "3.0.1" : "2.0");
    json_obj(&e->w, "info");
    json_str(&e->w, "title", text_of(e, api, "name"));
    if (description.n > 0)
        json_str(&e->w, "description", description);
    json_str(&e->w, "version", version.n > 0 ? version : STR("1.0")); /* unverified: AWS dates it */
    json_end(&e->w);
    struct str host =
        arena_fmt(a, "%.*s.execute-api.%.*s.amazonaws.com", STR_ARG(id), STR_ARG(e->c->region));
    if (!e->v3) {
        json_str(&e->w, "host", host);
        json_str(&e->w, "basePath", arena_fmt(a, "/%.*s", STR_ARG(stage)));
        json_raw(&e->w, "schemes", STR("[\"https\"]"));
        return;
    }
    json_arr(&e->w, "servers");
    json_obj(&e->w, NULL);
    json_str(&e->w, "url", arena_fmt(a, "https://%.*s/{basePath}", STR_ARG(host)));
    json_obj(&e->w, "variables");
    json_obj(&e->w, "basePath");
    json_str(&e->w, "default", stage);
    json_end(&e->w);
    json_end(&e->w);
    json_end(&e->w);
    json_end(&e->w);
}

static bool has_extension(struct export *e, const char *name)
{
    struct str list =
        jval_text(jval_get(jval_get(e->c->in, "parameters"), "extensions"), e->c->arena);
    while (list.p != NULL) {
        struct str one = str_trim(str_cut(&list, ','));
        if (str_eq_c(one, name))
            return true;
    }
    return false;
}

static bool find_snapshot(struct export *e, struct str api, struct str stage)
{
    struct call *c = e->c;
    struct str text;
    struct jval doc;
    if (!gw_need_doc(c, api, GW_STAGE, stage, "Invalid stage identifier specified", &text, &doc))
        return false;
    struct str deployment = jval_text(jval_get(doc, "deploymentId"), c->arena);
    return gw_need_doc(c, api, GW_SNAPSHOT, deployment, "Invalid Deployment identifier specified",
                       &text, &e->snapshot);
}

enum call_status gw_get_export(struct call *c)
{
    struct export e = {.c = c};
    struct str id, text, type = gw_in(c, "exportType"), accepts = gw_in(c, "accepts");
    struct str stage = gw_in(c, "stageName");
    struct jval api, root;
    struct buf *b = arena_new_buf(c->arena, OAS_OUT_MAX);
    bool yaml = str_eq_c(accepts, "application/yaml");
    e.v3 = str_eq_c(type, "oas30");
    if (!gw_need_api(c, &id, &text, &api) || !find_snapshot(&e, id, stage))
        return CALL_FAILED;
    if (!e.v3 && !str_eq_c(type, "swagger"))
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException, /* unverified */
                         "Invalid export type specified: %.*s", STR_ARG(type));
    e.integrations = has_extension(&e, "integrations") || has_extension(&e, "apigateway");
    e.authorizers = has_extension(&e, "authorizers") || has_extension(&e, "apigateway");
    json_out_init(&e.w, b);
    json_obj(&e.w, NULL);
    write_head(&e, api, id, stage);
    write_paths(&e);
    if (e.v3)
        json_obj(&e.w, "components");
    write_models(&e);
    write_schemes(&e);
    if (e.v3)
        json_end(&e.w);
    if (e.integrations)
        write_extensions(&e, api);
    json_end(&e.w);
    c->out_is_payload = true;
    c->out_payload = buf_view(b);
    if (b->overflow ||
        (yaml && (!json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &root, NULL) ||
                  !yaml_of_json(c->arena, root, &c->out_payload))))
        return CALL_FAIL(c, &APIGATEWAY_LimitExceededException, "The export is too large.");
    http_resp_add(&c->extra, c->arena, STR("Content-Type"),
                  yaml ? STR("application/yaml") : STR("application/json"));
    http_resp_add(&c->extra, c->arena, STR("Content-Disposition"),
                  arena_fmt(c->arena, "attachment; filename=\"%s_%lld.%s\"",
                            e.v3 ? "oas30" : "swagger", (long long)(c->now_ms / 1000),
                            yaml ? "yaml" : "json")); /* unverified: the name */
    return CALL_DONE;
}
