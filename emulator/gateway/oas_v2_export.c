/* ExportApi: an HTTP API, or one of its deployed stages, as OpenAPI 3.0. */
#include "oas.h"
#include "v2.h"
#include "yaml_json.h"
#include <stdlib.h>

struct export
{
    struct call *c;
    struct json_out w;
    struct jval api, routes, integrations, authorizers; /* the last three: arrays */
    bool extensions, uses_iam;
};

static struct str text_of(struct export *e, struct jval v, const char *member)
{
    return jval_text(jval_get(v, member), e->c->arena);
}

static struct jval find(struct export *e, struct jval list, const char *member, struct str id)
{
    struct jval it = {0};
    while (id.n > 0 && jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL))
        if (str_eq(text_of(e, it, member), id))
            return it;
    return (struct jval){0};
}

static void copy(struct export *e, struct jval from, const char *member, const char *to)
{
    struct jval v = jval_get(from, member);
    if (jval_present(v) && jval_raw(v).n > 0)
        json_raw(&e->w, to, jval_raw(v));
}

/* --- routes --- */

struct listed {
    struct str path, method; /* "/$default" and ANY for the route $default */
    struct jval doc;
};

static int compare(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    int order = str_cmp(x->path, y->path);
    return order != 0 ? order : str_cmp(x->method, y->method);
}

static void write_path_parameters(struct export *e, struct str path)
{
    bool open = false;
    for (size_t i = 0; i < path.n; i++) {
        size_t end = i;
        while (path.p[i] == '{' && end < path.n && path.p[end] != '}')
            end++;
        if (end == i || end == path.n)
            continue;
        if (!open)
            json_arr(&e->w, "parameters");
        open = true;
        json_obj(&e->w, NULL);
        json_str(&e->w, "name", str_sub(path, i + 1, path.p[end - 1] == '+' ? end - 1 : end));
        json_cstr(&e->w, "in", "path");
        json_bool(&e->w, "required", true);
        json_raw(&e->w, "schema", STR("{\"type\":\"string\"}"));
        json_end(&e->w);
        i = end;
    }
    if (open)
        json_end(&e->w);
}

static void write_security(struct export *e, struct jval route)
{
    struct str type = text_of(e, route, "authorizationType");
    struct jval authorizer =
        find(e, e->authorizers, "authorizerId", text_of(e, route, "authorizerId"));
    struct jval scopes = jval_get(route, "authorizationScopes");
    bool iam = str_eq_c(type, "AWS_IAM");
    if (!iam && !jval_present(authorizer))
        return;
    json_arr(&e->w, "security");
    json_obj(&e->w, NULL);
    json_key(&e->w, iam ? STR("sigv4") : text_of(e, authorizer, "name"));
    json_raw(&e->w, NULL, jval_present(scopes) ? jval_raw(scopes) : STR("[]"));
    json_end(&e->w);
    json_end(&e->w);
    e->uses_iam |= iam;
}

static void write_integration(struct export *e, struct jval route)
{
    struct str target = text_of(e, route, "target"), prefix = STR("integrations/");
    if (!str_starts(target, prefix))
        return;
    struct jval integration =
        find(e, e->integrations, "integrationId", str_sub(target, prefix.n, target.n));
    if (!jval_present(integration))
        return;
    json_obj(&e->w, "x-amazon-apigateway-integration");
    copy(e, integration, "payloadFormatVersion", "payloadFormatVersion");
    json_str(&e->w, "type", oas_lower(e->c->arena, text_of(e, integration, "integrationType")));
    copy(e, integration, "integrationMethod", "httpMethod");
    copy(e, integration, "integrationUri", "uri");
    copy(e, integration, "credentialsArn", "credentials");
    copy(e, integration, "connectionType", "connectionType");
    copy(e, integration, "timeoutInMillis", "timeoutInMillis");
    copy(e, integration, "requestParameters", "requestParameters");
    copy(e, integration, "responseParameters", "responseParameters");
    copy(e, integration, "tlsConfig", "tlsConfig");
    json_end(&e->w);
}

static void write_route(struct export *e, const struct listed *r)
{
    struct str name = text_of(e, r->doc, "operationName");
    json_key(&e->w, str_eq_c(r->method, "ANY") ? STR("x-amazon-apigateway-any-method")
                                               : oas_lower(e->c->arena, r->method));
    json_obj(&e->w, NULL);
    if (str_eq_c(r->path, "/$default"))
        json_bool(&e->w, "isDefaultRoute", true);
    if (name.n > 0)
        json_str(&e->w, "operationId", name);
    write_path_parameters(e, r->path);
    json_obj(&e->w, "responses");
    json_obj(&e->w, "default");
    json_str(&e->w, "description",
             arena_fmt(e->c->arena, "Default response for %.*s",
                       STR_ARG(text_of(e, r->doc, "routeKey"))));
    json_end(&e->w);
    json_end(&e->w);
    write_security(e, r->doc);
    if (e->extensions)
        write_integration(e, r->doc);
    json_end(&e->w);
}

static void write_paths(struct export *e)
{
    struct jval it = {0};
    struct listed *all = ARENA_ARRAY(e->c->arena, struct listed, jval_count(e->routes) + 1);
    size_t count = 0;
    while (jval_kind(e->routes) == JSON_ARRAY && jval_next(e->routes, &it, NULL)) {
        struct str rest = text_of(e, it, "routeKey"), method = str_cut(&rest, ' ');
        bool is_default = rest.p == NULL;
        if (is_default && !e->extensions)
            continue; /* OpenAPI has no word for it */
        all[count++] = (struct listed){is_default ? STR("/$default") : rest,
                                       is_default ? STR("ANY") : method, it};
    }
    qsort(all, count, sizeof *all, compare);
    json_obj(&e->w, "paths");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_eq(all[i].path, all[i - 1].path)) {
            json_key(&e->w, all[i].path);
            json_obj(&e->w, NULL);
        }
        write_route(e, &all[i]);
        if (i + 1 == count || !str_eq(all[i].path, all[i + 1].path))
            json_end(&e->w);
    }
    json_end(&e->w);
}

/* --- the rest --- */

static void write_authorizer(struct export *e, struct jval authorizer)
{
    struct str type = text_of(e, authorizer, "authorizerType");
    struct jval sources = jval_get(authorizer, "identitySource"), it = {0};
    struct buf *b = arena_new_buf(e->c->arena, 1 << 16);
    bool jwt = str_eq_c(type, "JWT");
    json_key(&e->w, text_of(e, authorizer, "name"));
    json_obj(&e->w, NULL);
    json_cstr(&e->w, "type", jwt ? "oauth2" : "apiKey");
    if (jwt) {
        json_raw(&e->w, "flows", STR("{}"));
    } else {
        json_cstr(&e->w, "name", "Authorization");
        json_cstr(&e->w, "in", "header");
    }
    if (e->extensions) {
        json_obj(&e->w, "x-amazon-apigateway-authorizer");
        json_str(&e->w, "type", oas_lower(e->c->arena, type));
        while (jval_kind(sources) == JSON_ARRAY && jval_next(sources, &it, NULL))
            buf_addf(b, "%s%.*s", b->n > 0 ? "," : "", STR_ARG(jval_text(it, e->c->arena)));
        if (b->n > 0)
            json_str(&e->w, "identitySource", buf_view(b));
        copy(e, authorizer, "jwtConfiguration", "jwtConfiguration");
        copy(e, authorizer, "authorizerUri", "authorizerUri");
        copy(e, authorizer, "authorizerCredentialsArn", "authorizerCredentials");
        copy(e, authorizer, "authorizerPayloadFormatVersion", "authorizerPayloadFormatVersion");
        copy(e, authorizer, "authorizerResultTtlInSeconds", "authorizerResultTtlInSeconds");
        copy(e, authorizer, "enableSimpleResponses", "enableSimpleResponses");
        json_end(&e->w);
    }
    json_end(&e->w);
}

static void write_components(struct export *e)
{
    size_t count;
    struct oas_named *all = oas_sorted(e->c->arena, e->authorizers, "name", &count);
    if (count == 0 && !e->uses_iam)
        return;
    json_obj(&e->w, "components");
    json_obj(&e->w, "securitySchemes");
    for (size_t i = 0; i < count; i++)
        write_authorizer(e, all[i].doc);
    if (e->uses_iam)
        json_raw(&e->w, "sigv4",
                 STR("{\"type\":\"apiKey\",\"name\":\"Authorization\",\"in\":\"header\","
                     "\"x-amazon-apigateway-authtype\":\"awsSigv4\"}"));
    json_end(&e->w);
    json_end(&e->w);
}

static void write_head(struct export *e, struct str id, struct str stage)
{
    struct arena *a = e->c->arena;
    struct str version = text_of(e, e->api, "version");
    struct str description = text_of(e, e->api, "description");
    json_cstr(&e->w, "openapi", "3.0.1");
    json_obj(&e->w, "info");
    json_str(&e->w, "title", text_of(e, e->api, "name"));
    if (description.n > 0)
        json_str(&e->w, "description", description);
    /* unverified: AWS shows the time at which the API was made */
    json_str(&e->w, "version", version.n > 0 ? version : text_of(e, e->api, "createdDate"));
    json_end(&e->w);
    json_arr(&e->w, "servers");
    json_obj(&e->w, NULL);
    json_str(&e->w, "url",
             arena_fmt(a, "https://%.*s.execute-api.%.*s.amazonaws.com/{basePath}", STR_ARG(id),
                       STR_ARG(e->c->region)));
    json_obj(&e->w, "variables");
    json_obj(&e->w, "basePath");
    json_str(&e->w, "default", str_eq_c(stage, "$default") ? STR("") : stage);
    json_end(&e->w);
    json_end(&e->w);
    json_end(&e->w);
    json_end(&e->w);
}

/* All documents of a kind as one array. */
static struct jval list_of(struct call *c, struct str api, enum gw_kind kind)
{
    struct gw_doc *docs;
    struct jval v = {0};
    struct buf *b = arena_new_buf(c->arena, OAS_OUT_MAX);
    size_t count = gw_doc_list(c->svc->state, api, kind, STR_NONE, 0, c->arena, &docs);
    buf_addc(b, '[');
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(docs[i].text));
    buf_addc(b, ']');
    json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &v, NULL);
    return v;
}

/* The API as it is deployed to a stage, or, without one, as it is now. */
static bool find_state(struct export *e, struct str api, struct str stage)
{
    struct call *c = e->c;
    struct str text;
    struct jval doc, snapshot;
    if (stage.n == 0) {
        e->routes = list_of(c, api, GW2_ROUTE);
        e->integrations = list_of(c, api, GW2_INTEGRATION);
        e->authorizers = list_of(c, api, GW2_AUTHORIZER);
        return true;
    }
    if (!gw_doc_get(c->svc->state, api, GW2_STAGE, stage, c->arena, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid stage identifier specified");
    if (!gw_doc_get(c->svc->state, api, GW2_SNAPSHOT, text_of(e, doc, "deploymentId"), c->arena,
                    &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &snapshot, NULL))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid Deployment identifier specified");
    e->api = jval_get(snapshot, "api");
    e->routes = jval_get(snapshot, "routes");
    e->integrations = jval_get(snapshot, "integrations");
    e->authorizers = jval_get(snapshot, "authorizers");
    return true;
}

enum call_status gw2_export_api(struct call *c)
{
    struct export e = {.c = c, .extensions = true};
    struct str id, text, stage = gw_in(c, "stageName"), version = gw_in(c, "exportVersion");
    struct jval root;
    struct buf *b = arena_new_buf(c->arena, OAS_OUT_MAX);
    bool yaml = str_eq_c(gw_in(c, "outputType"), "YAML");
    if (!v2_need_api(c, &id, &text, &e.api) || !find_state(&e, id, stage))
        return CALL_FAILED;
    if (version.n > 0 && !str_eq_c(version, "1.0"))
        return CALL_FAIL(c, &APIGATEWAYV2_BadRequestException, "Invalid export version specified");
    jval_bool(jval_get(c->in, "includeExtensions"), &e.extensions);
    json_out_init(&e.w, b);
    json_obj(&e.w, NULL);
    write_head(&e, id, stage);
    write_paths(&e);
    write_components(&e);
    if (e.extensions) {
        copy(&e, e.api, "corsConfiguration", "x-amazon-apigateway-cors");
        json_cstr(&e.w, "x-amazon-apigateway-importexport-version", "1.0");
    }
    json_end(&e.w);
    c->out_is_payload = true;
    c->out_payload = buf_view(b);
    if (b->overflow ||
        (yaml && (!json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &root, NULL) ||
                  !yaml_of_json(c->arena, root, &c->out_payload))))
        return CALL_FAIL(c, &APIGATEWAYV2_BadRequestException, "The export is too large.");
    http_resp_add(&c->extra, c->arena, STR("Content-Type"),
                  yaml ? STR("application/yaml") : STR("application/json"));
    return CALL_DONE;
}
