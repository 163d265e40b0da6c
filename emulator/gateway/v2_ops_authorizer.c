/* Authorizers of HTTP APIs: JWT and Lambda (REQUEST). */
#include "arn.h"
#include "v2.h"

enum { TTL_MAX = 3600, TTL_DEFAULT = 300 };

/* $request.header.x, $request.querystring.x, $context.x, $stageVariables.x */
static bool is_source(struct str s)
{
    return (str_starts(s, STR("$request.header.")) || str_starts(s, STR("$request.querystring.")) ||
            str_starts(s, STR("$context.")) || str_starts(s, STR("$stageVariables."))) &&
           s.p[s.n - 1] != '.';
}

static bool check_sources(struct call *c, struct jval sources, bool jwt)
{
    struct jval it = {0};
    if (jwt && jval_count(sources) != 1)
        return v2_bad(c, "A JWT authorizer takes exactly one identity source");
    while (jval_next(sources, &it, NULL)) {
        struct str source = jval_text(it, c->arena);
        if (!is_source(source) || (jwt && !str_starts(source, STR("$request."))))
            return v2_bad(c, "Invalid identity source %.*s", STR_ARG(source));
    }
    return true;
}

static bool check_jwt(struct call *c, struct jval doc)
{
    struct jval config = jval_get(doc, "jwtConfiguration");
    struct str issuer = jval_text(jval_get(config, "issuer"), c->arena);
    if (jval_count(jval_get(config, "audience")) == 0)
        return v2_bad(c, "A JWT authorizer needs an audience");
    return str_starts(issuer, STR("https://")) || str_starts(issuer, STR("http://")) ||
           str_starts(issuer, STR("file://")) ||
           v2_bad(c, "Issuer must be a URL"); /* unverified: AWS takes https only */
}

static bool check_request(struct call *c, struct jval doc)
{
    struct str uri = jval_text(jval_get(doc, "authorizerUri"), c->arena);
    struct str version = jval_text(jval_get(doc, "authorizerPayloadFormatVersion"), c->arena);
    struct arn arn;
    int64_t ttl = 0;
    bool simple = false;
    jval_bool(jval_get(doc, "enableSimpleResponses"), &simple);
    if (!arn_parse(uri, &arn))
        return v2_bad(c, "AuthorizerUri must be the invoke ARN of a Lambda function");
    if (!str_eq_c(version, "1.0") && !str_eq_c(version, "2.0"))
        return v2_bad(c, "AuthorizerPayloadFormatVersion is a required parameter for REQUEST "
                         "authorizer; it must be 1.0 or 2.0");
    if (simple && !str_eq_c(version, "2.0"))
        return v2_bad(c, "Simple responses need payload format version 2.0");
    if (jval_i64(jval_get(doc, "authorizerResultTtlInSeconds"), &ttl) && ttl > 0 &&
        jval_count(jval_get(doc, "identitySource")) == 0)
        return v2_bad(c, "Identity sources are required when results are cached");
    return ttl >= 0 && ttl <= TTL_MAX ? true : v2_bad(c, "The TTL must be 0 to %d", TTL_MAX);
}

/* doc: the authorizer as it will be. unverified: the texts of these checks */
static bool check(struct call *c, struct jval doc)
{
    bool jwt = str_eq_c(jval_text(jval_get(doc, "authorizerType"), c->arena), "JWT");
    return check_sources(c, jval_get(doc, "identitySource"), jwt) &&
           (jwt ? check_jwt(c, doc) : check_request(c, doc));
}

static bool check_name(struct call *c, struct str api, struct str name, struct str self)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count = gw_doc_list(c->svc->state, api, GW2_AUTHORIZER, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(docs[i].id, self) &&
            json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "name"), c->arena), name))
            return v2_bad(c,
                          "Authorizer name must be unique. Authorizer %.*s already exists in "
                          "this RestApi.",
                          STR_ARG(name));
    }
    return true;
}

static void fill(struct call *c, struct json_out *w)
{
    bool jwt = str_eq_c(gw_in(c, "authorizerType"), "JWT");
    if (!jval_present(jval_get(c->in, "identitySource")))
        json_raw(w, "identitySource", STR("[]"));
    if (!jwt && !jval_present(jval_get(c->in, "authorizerResultTtlInSeconds")))
        json_i64(w, "authorizerResultTtlInSeconds",
                 jval_count(jval_get(c->in, "identitySource")) > 0 ? TTL_DEFAULT : 0);
}

enum call_status gw2_create_authorizer(struct call *c)
{
    struct str api;
    if (!v2_need_api(c, &api, NULL, NULL) || !check(c, c->in) ||
        !check_name(c, api, gw_in(c, "name"), STR("")))
        return CALL_FAILED;
    return v2_create(c, &v2_authorizer, api, STR(""), fill, NULL);
}

enum call_status gw2_get_authorizer(struct call *c)
{
    return v2_answer(c, &v2_authorizer);
}

enum call_status gw2_get_authorizers(struct call *c)
{
    return v2_answer_all(c, &v2_authorizer);
}

enum call_status gw2_update_authorizer(struct call *c)
{
    struct v2_target t;
    struct str name = gw_in(c, "name");
    if (!v2_need(c, &v2_authorizer, &t) || (name.n > 0 && !check_name(c, t.api, name, t.id)) ||
        !v2_merge(c, &t, NULL) || !check(c, t.doc))
        return CALL_FAILED;
    return v2_store_and_answer(c, &v2_authorizer, &t);
}

enum call_status gw2_delete_authorizer(struct call *c)
{
    struct v2_target t;
    struct gw_doc *docs;
    struct jval doc;
    if (!v2_need(c, &v2_authorizer, &t))
        return CALL_FAILED;
    size_t count = gw_doc_list(c->svc->state, t.api, GW2_ROUTE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "authorizerId"), c->arena), t.id))
            return CALL_FAIL(c, &APIGATEWAYV2_ConflictException,
                             "Cannot delete authorizer '%.*s', is referenced in route: %.*s",
                             STR_ARG(t.id), /* unverified */
                             STR_ARG(docs[i].id));
    }
    return v2_delete(c, &v2_authorizer);
}
