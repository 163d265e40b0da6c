/* HTTP APIs, their CORS configuration and tags; quick create. */
#include "arn.h"
#include "ids.h"
#include "panic.h"
#include "v2.h"
#include <string.h>

enum { TAGS_MAX = 50, CORS_LIST_MAX = 100 };

#define ROUTE_SELECTION "$request.method $request.path"
#define KEY_SELECTION   "$request.header.x-api-key"

static bool check_protocol(struct call *c)
{
    struct str selection = gw_in(c, "routeSelectionExpression");
    if (str_eq_c(gw_in(c, "protocolType"), "WEBSOCKET"))
        return v2_unsupported(c, "WebSocket APIs");
    if (selection.n > 0 && !str_eq_c(selection, ROUTE_SELECTION) &&
        !str_eq_c(selection, "${request.method} ${request.path}"))
        return v2_bad(
            c, "RouteSelectionExpression must be $request.method $request.path for HTTP APIs");
    return true;
}

/* unverified: the texts */
static bool check_cors(struct call *c)
{
    struct jval cors = jval_get(c->in, "corsConfiguration"), it = {0};
    struct jval origins = jval_get(cors, "allowOrigins");
    bool credentials = false;
    jval_bool(jval_get(cors, "allowCredentials"), &credentials);
    while (jval_next(origins, &it, NULL)) {
        struct str origin = jval_text(it, c->arena);
        bool wild =
            str_eq_c(origin, "*") || str_eq_c(origin, "http://*") || str_eq_c(origin, "https://*");
        if (str_eq_c(origin, "*") && credentials)
            return v2_bad(c, "allowCredentials is not supported for origin *");
        if (!wild && (str_find_str(origin, STR("://")) <= 0 || str_find(origin, '*') >= 0))
            return v2_bad(c,
                          "Invalid format for origin %.*s. Origin should be in the format "
                          "<scheme>://<host>[:<port>]",
                          STR_ARG(origin));
    }
    return jval_count(origins) <= CORS_LIST_MAX ||
           v2_bad(c, "allowOrigins takes at most %d origins", CORS_LIST_MAX);
}

static struct str endpoint(struct call *c, const char *id)
{
    const struct gateway *g = c->svc->state;
    if (g->base_url != NULL) /* one that works here, stage or not */
        return arena_fmt(c->arena, "%s/_aws/execute-api/%s", g->base_url, id);
    return arena_fmt(c->arena, "https://%s.execute-api.%.*s.amazonaws.com", id, STR_ARG(c->region));
}

static void write_api(struct call *c, const char *id)
{
    static const char *const copied[] = {
        "name", "description", "version", "corsConfiguration", "tags", "disableSchemaValidation",
        NULL};
    struct json_out *w = &c->out;
    bool disabled = false;
    struct str address = gw_in(c, "ipAddressType");
    jval_bool(jval_get(c->in, "disableExecuteApiEndpoint"), &disabled);
    json_obj(w, NULL);
    json_str(w, "apiEndpoint", endpoint(c, id));
    json_cstr(w, "apiId", id);
    json_cstr(w, "apiKeySelectionExpression", KEY_SELECTION);
    gw_copy_members(c, w, copied);
    if (!jval_present(jval_get(c->in, "tags")))
        json_raw(w, "tags", STR("{}"));
    json_str(w, "createdDate", v2_now(c));
    json_bool(w, "disableExecuteApiEndpoint", disabled);
    json_str(w, "ipAddressType", address.n > 0 ? address : STR("ipv4"));
    json_cstr(w, "protocolType", "HTTP");
    json_cstr(w, "routeSelectionExpression", ROUTE_SELECTION);
    json_end(w);
}

/* Quick create: target names a function or a URL; its integration, a catch-all route and a stage
 * that deploys by itself. */
static bool quick_create(struct call *c, struct str api)
{
    struct str target = gw_in(c, "target"), key = gw_in(c, "routeKey"), now = v2_now(c), deployment;
    struct str credentials = gw_in(c, "credentialsArn");
    bool is_url = str_starts(target, STR("http://")) || str_starts(target, STR("https://"));
    char integration[8], route[8];
    struct arn arn;
    if (target.n == 0)
        return (key.n == 0 && credentials.n == 0) ||
               v2_bad(c, "Target must be specified when RouteKey or CredentialsArn is");
    if (!is_url && (!arn_parse(target, &arn) || !str_eq_c(arn.service, "lambda")))
        return v2_bad(c, "Target must be the ARN of a Lambda function or a URL");
    ids_lower_alnum(integration, 7);
    ids_lower_alnum(route, 7);
    struct str credentials_member = credentials.n > 0
                                        ? arena_fmt(c->arena, "\"credentialsArn\":%.*s,",
                                                    STR_ARG(gw_quote(c->arena, credentials)))
                                        : STR("");
    struct str text = arena_fmt(
        c->arena,
        "{\"apiGatewayManaged\":true,\"connectionType\":\"INTERNET\",%.*s\"integrationId\":\"%s\","
        "\"integrationMethod\":\"%s\",\"integrationType\":\"%s\",\"integrationUri\":%.*s,"
        "\"payloadFormatVersion\":\"%s\",\"timeoutInMillis\":30000}",
        STR_ARG(credentials_member), integration, is_url ? "ANY" : "POST",
        is_url ? "HTTP_PROXY" : "AWS_PROXY", STR_ARG(gw_quote(c->arena, target)),
        is_url ? "1.0" : "2.0");
    struct str route_text = arena_fmt(
        c->arena,
        "{\"apiGatewayManaged\":true,\"apiKeyRequired\":false,\"authorizationType\":\"NONE\","
        "\"routeId\":\"%s\",\"routeKey\":%.*s,\"target\":\"integrations/%s\"}",
        route, STR_ARG(gw_quote(c->arena, key.n > 0 ? key : STR("$default"))), integration);
    struct str stage = arena_fmt(
        c->arena,
        "{\"apiGatewayManaged\":true,\"autoDeploy\":true,\"createdDate\":\"%.*s\","
        "\"defaultRouteSettings\":{\"detailedMetricsEnabled\":false},\"lastUpdatedDate\":\"%.*s\","
        "\"routeSettings\":{},\"stageName\":\"$default\",\"stageVariables\":{},\"tags\":{}}",
        STR_ARG(now), STR_ARG(now));
    return v2_save(c, api, GW2_INTEGRATION, str_c(integration), text) &&
           v2_save(c, api, GW2_ROUTE, str_c(route), route_text) &&
           v2_save(c, api, GW2_STAGE, STR("$default"), stage) &&
           v2_deploy(c, api,
                     STR("Automatic deployment triggered by changes to the Api configuration"),
                     true, &deployment) &&
           v2_stage_point(c, api, STR("$default"), deployment);
}

enum call_status gw2_create_api(struct call *c)
{
    struct gateway *g = c->svc->state;
    char id[41];
    if (!check_protocol(c) || !check_cors(c) ||
        !gw_choose_id(c, &APIGATEWAYV2_BadRequestException, &APIGATEWAYV2_ConflictException, id,
                      sizeof id))
        return CALL_FAILED;
    write_api(c, id);
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (!v2_save(c, str_c(id), GW2_API, STR(""), buf_view(c->out_buf)) ||
        !quick_create(c, str_c(id))) {
        db_savepoint_rollback(g->db);
        gw_stages_drop(g);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    return CALL_DONE;
}

enum call_status gw2_get_api(struct call *c)
{
    struct str id, text;
    if (!v2_need_api(c, &id, &text, NULL))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw2_get_apis(struct call *c)
{
    size_t limit;
    struct str after;
    struct gw_doc *docs;
    if (!v2_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = gw_api_list(c->svc->state, GW2_API, c->account, c->region, after, limit + 1,
                               c->arena, &docs);
    v2_write_page(c, docs, count, limit);
    return CALL_DONE;
}

/* The integration and route that quick create made follow target and routeKey. */
static bool update_managed(struct call *c, struct str api, enum gw_kind kind, const char *member,
                           struct str value)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count = gw_doc_list(c->svc->state, api, kind, STR_NONE, 0, c->arena, &docs);
    struct str path = str_c(member);
    for (size_t i = 0; i < count; i++) {
        bool managed = false;
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
            !jval_bool(jval_get(doc, "apiGatewayManaged"), &managed) || !managed)
            continue;
        return v2_save(c, api, kind, docs[i].id,
                       gw_doc_set(c->arena, docs[i].text, &path, 1, gw_quote(c->arena, value)));
    }
    return v2_bad(c, "The API was not made by quick create: it has no managed %s", member);
}

enum call_status gw2_update_api(struct call *c)
{
    static const char *const copied[] = {"name",
                                         "description",
                                         "version",
                                         "corsConfiguration",
                                         "disableExecuteApiEndpoint",
                                         "disableSchemaValidation",
                                         "ipAddressType"};
    struct str id, text, target = gw_in(c, "target"), key = gw_in(c, "routeKey");
    if (!v2_need_api(c, &id, &text, NULL) || !check_protocol(c) || !check_cors(c))
        return CALL_FAILED;
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        struct str raw = gw_in_raw(c, copied[i]), path = str_c(copied[i]);
        if (raw.p != NULL)
            text = gw_doc_set(c->arena, text, &path, 1, raw);
    }
    if ((target.n > 0 && !update_managed(c, id, GW2_INTEGRATION, "integrationUri", target)) ||
        (key.n > 0 && !update_managed(c, id, GW2_ROUTE, "routeKey", key)) ||
        !v2_save(c, id, GW2_API, STR(""), text) || !v2_changed(c, id))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw2_delete_api(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str id;
    if (!v2_need_api(c, &id, NULL, NULL))
        return CALL_FAILED;
    if (db_begin(g->db) && gw_api_del(g, id))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}

enum call_status gw2_delete_cors_configuration(struct call *c)
{
    struct str id, text;
    if (!v2_need_api(c, &id, &text, NULL))
        return CALL_FAILED;
    text = gw_doc_set(c->arena, text, &STR("corsConfiguration"), 1, STR_NONE);
    return v2_save(c, id, GW2_API, STR(""), text) && v2_changed(c, id) ? CALL_DONE : CALL_FAILED;
}

/* ---- tags: of APIs, stages and domain names ---- */

/* arn:aws:apigateway:<region>::/apis/<id>[/stages/<name>] */
static bool need_tagged(struct call *c, enum gw_kind *ret_kind, struct v2_target *ret)
{
    struct arn arn;
    struct str account, region, rest;
    if (!arn_parse(gw_in(c, "resource-arn"), &arn) || !str_eq_c(arn.service, "apigateway"))
        return v2_bad(c, "Invalid resource ARN");
    if (gw_patch_under(c, arn.resource, "/domainnames/", &ret->id)) {
        ret->api = STR("");
        *ret_kind = GW_DOMAIN;
        return gw_need_doc(c, ret->api, GW_DOMAIN, ret->id,
                           "Invalid domain name identifier specified", &ret->text, &ret->doc);
    }
    if (!str_starts(arn.resource, STR("/apis/")))
        return v2_bad(c, "Invalid resource ARN");
    rest = str_sub(arn.resource, sizeof "/apis/" - 1, arn.resource.n);
    ret->api = str_cut(&rest, '/');
    ret->id = STR("");
    *ret_kind = GW2_API;
    if (rest.p != NULL) {
        if (!str_starts(rest, STR("stages/")))
            return v2_bad(c, "Invalid resource ARN");
        ret->id = str_sub(rest, sizeof "stages/" - 1, rest.n);
        *ret_kind = GW2_STAGE;
    }
    if (!gw_api_get(c->svc->state, GW2_API, ret->api, c->arena, &account, &region, &ret->text) ||
        !str_eq(account, c->account) || !str_eq(region, c->region) ||
        !gw_doc_get(c->svc->state, ret->api, *ret_kind, ret->id, c->arena, &ret->text) ||
        !json_parse(c->arena, ret->text, JSON_DEPTH_DEFAULT, &ret->doc, NULL))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid resource identifier specified");
    return true;
}

enum call_status gw2_get_tags(struct call *c)
{
    struct v2_target t;
    enum gw_kind kind;
    if (!need_tagged(c, &kind, &t))
        return CALL_FAILED;
    struct jval tags = jval_get(t.doc, "tags");
    json_obj(&c->out, NULL);
    json_raw(&c->out, "tags", jval_present(tags) ? jval_raw(tags) : STR("{}"));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw2_tag_resource(struct call *c)
{
    struct v2_target t;
    enum gw_kind kind;
    struct jval tags = jval_get(c->in, "tags"), it = {0};
    if (!need_tagged(c, &kind, &t))
        return CALL_FAILED;
    if (jval_count(tags) + jval_count(jval_get(t.doc, "tags")) > TAGS_MAX) {
        v2_bad(c, "A resource takes at most %d tags", TAGS_MAX);
        return CALL_FAILED;
    }
    while (jval_next(tags, &it, NULL)) {
        struct str path[] = {STR("tags"), jval_key_str(it, c->arena)};
        t.text = gw_doc_set(c->arena, t.text, path, 2, jval_raw(it));
    }
    json_raw(&c->out, NULL, STR("{}"));
    return v2_save(c, t.api, kind, t.id, t.text) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw2_untag_resource(struct call *c)
{
    struct v2_target t;
    enum gw_kind kind;
    struct jval keys = jval_get(c->in, "tagKeys"), it = {0};
    if (!need_tagged(c, &kind, &t))
        return CALL_FAILED;
    while (jval_next(keys, &it, NULL)) {
        struct str path[] = {STR("tags"), jval_text(it, c->arena)};
        t.text = gw_doc_set(c->arena, t.text, path, 2, STR_NONE);
    }
    return v2_save(c, t.api, kind, t.id, t.text) ? CALL_DONE : CALL_FAILED;
}
