/* Integrations of HTTP APIs: a Lambda function or a URL. */
#include "arn.h"
#include "v2.h"
#include "v2_params.h"

enum { TIMEOUT_DEFAULT_MS = 30000, TIMEOUT_MIN_MS = 50 };

/* doc: the integration as it will be. unverified: most texts */
static bool check(struct call *c, struct jval doc)
{
    struct str type = jval_text(jval_get(doc, "integrationType"), c->arena);
    struct str uri = jval_text(jval_get(doc, "integrationUri"), c->arena);
    struct str version = jval_text(jval_get(doc, "payloadFormatVersion"), c->arena);
    struct arn arn;
    int64_t timeout = TIMEOUT_DEFAULT_MS;
    bool lambda = str_eq_c(type, "AWS_PROXY");
    if (jval_present(jval_get(doc, "integrationSubtype")))
        return v2_unsupported(c, "first-class integrations with AWS services (integrationSubtype)");
    if (!lambda && !str_eq_c(type, "HTTP_PROXY"))
        return v2_bad(c, "HTTP APIs only support AWS_PROXY and HTTP_PROXY integrations");
    if (str_eq_c(jval_text(jval_get(doc, "connectionType"), c->arena), "VPC_LINK"))
        return v2_unsupported(c, "VPC links");
    if (lambda && (!arn_parse(uri, &arn) ||
                   (!str_eq_c(arn.service, "lambda") && !str_eq_c(arn.service, "apigateway"))))
        return v2_bad(c, "Integration URI must be the ARN of a Lambda function");
    if (!lambda && !str_starts(uri, STR("http://")) && !str_starts(uri, STR("https://")) &&
        !str_starts(uri, STR("${stageVariables.")))
        return v2_bad(c, "Invalid HTTP endpoint specified for URI");
    if (!lambda && jval_text(jval_get(doc, "integrationMethod"), c->arena).n == 0)
        return v2_bad(c, "HttpMethod must be specified for HTTP_PROXY integrations");
    if (!str_eq_c(version, "1.0") && !(lambda && str_eq_c(version, "2.0")))
        return v2_bad(c, "PayloadFormatVersion is a required parameter for integration of type "
                         "AWS_PROXY; it must be 1.0 or 2.0, and 1.0 for HTTP_PROXY");
    jval_i64(jval_get(doc, "timeoutInMillis"), &timeout);
    if (timeout < TIMEOUT_MIN_MS || timeout > TIMEOUT_DEFAULT_MS)
        return v2_bad(c, "Timeout must be between %d and %d milliseconds", TIMEOUT_MIN_MS,
                      TIMEOUT_DEFAULT_MS);
    struct str why;
    return v2_params_valid(doc, lambda, c->arena, &why) || v2_bad(c, "%.*s", STR_ARG(why));
}

static bool refuse_websocket(struct call *c)
{
    static const char *const members[] = {"contentHandlingStrategy", "passthroughBehavior",
                                          "requestTemplates", "templateSelectionExpression"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (jval_present(jval_get(c->in, members[i])))
            return v2_bad(c, "%s is supported only for WebSocket APIs", members[i]);
    }
    return true;
}

static void fill(struct call *c, struct json_out *w)
{
    bool lambda = str_eq_c(gw_in(c, "integrationType"), "AWS_PROXY");
    if (gw_in(c, "connectionType").n == 0)
        json_cstr(w, "connectionType", "INTERNET");
    if (gw_in(c, "integrationMethod").n == 0 && lambda)
        json_cstr(w, "integrationMethod", "POST");
    if (gw_in(c, "payloadFormatVersion").n == 0)
        json_cstr(w, "payloadFormatVersion", "1.0");
    if (!jval_present(jval_get(c->in, "timeoutInMillis")))
        json_i64(w, "timeoutInMillis", TIMEOUT_DEFAULT_MS);
}

enum call_status gw2_create_integration(struct call *c)
{
    struct str api;
    if (!v2_need_api(c, &api, NULL, NULL) || !refuse_websocket(c))
        return CALL_FAILED;
    return v2_create(c, &v2_integration, api, STR(""), fill, check);
}

enum call_status gw2_get_integration(struct call *c)
{
    return v2_answer(c, &v2_integration);
}

enum call_status gw2_get_integrations(struct call *c)
{
    return v2_answer_all(c, &v2_integration);
}

enum call_status gw2_update_integration(struct call *c)
{
    static const char *const maps[] = {"requestParameters", "responseParameters", NULL};
    struct v2_target t;
    if (!v2_need(c, &v2_integration, &t) || !refuse_websocket(c) || !v2_merge(c, &t, maps) ||
        !check(c, t.doc))
        return CALL_FAILED;
    return v2_store_and_answer(c, &v2_integration, &t);
}

enum call_status gw2_delete_integration(struct call *c)
{
    struct v2_target t;
    struct gw_doc *docs;
    struct jval doc;
    if (!v2_need(c, &v2_integration, &t))
        return CALL_FAILED;
    struct str target = arena_fmt(c->arena, "integrations/%.*s", STR_ARG(t.id));
    size_t count = gw_doc_list(c->svc->state, t.api, GW2_ROUTE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "target"), c->arena), target))
            return CALL_FAIL(c, &APIGATEWAYV2_ConflictException,
                             "Cannot delete Integration. Integration %.*s is referenced by route "
                             "%.*s.", /* unverified */
                             STR_ARG(t.id), STR_ARG(docs[i].id));
    }
    return v2_delete(c, &v2_integration);
}
