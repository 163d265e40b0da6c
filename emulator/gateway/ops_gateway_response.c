/* Gateway responses: how an API words API Gateway's own answers. */
#include "apigateway_model.h"
#include "gw_store.h"
#include <string.h>

#define TEMPLATE "{\"message\":$context.error.messageString}"
/* "API Gateway gateway response types", with their default status. */
static const struct {
    const char *type;
    const char *status; /* NULL: none of its own */
} types[] = {{"ACCESS_DENIED", "403"},
             {"API_CONFIGURATION_ERROR", "500"},
             {"AUTHORIZER_CONFIGURATION_ERROR", "500"},
             {"AUTHORIZER_FAILURE", "500"},
             {"BAD_REQUEST_BODY", "400"},
             {"BAD_REQUEST_PARAMETERS", "400"},
             {"DEFAULT_4XX", NULL},
             {"DEFAULT_5XX", NULL},
             {"EXPIRED_TOKEN", "403"},
             {"INTEGRATION_FAILURE", "504"},
             {"INTEGRATION_TIMEOUT", "504"},
             {"INVALID_API_KEY", "403"},
             {"INVALID_SIGNATURE", "403"},
             {"MISSING_AUTHENTICATION_TOKEN", "403"},
             {"QUOTA_EXCEEDED", "429"},
             {"REQUEST_TOO_LARGE", "413"},
             {"RESOURCE_NOT_FOUND", "404"},
             {"THROTTLED", "429"},
             {"UNAUTHORIZED", "401"},
             {"UNSUPPORTED_MEDIA_TYPE", "415"},
             {"WAF_FILTERED", "403"}};
enum { TYPE_COUNT = sizeof types / sizeof *types };

static size_t index_of(struct str type)
{
    size_t i = 0;
    while (i < TYPE_COUNT && !str_eq_c(type, types[i].type))
        i++;
    return i;
}

static void write_default(struct json_out *w, size_t i)
{
    json_obj(w, NULL);
    json_cstr(w, "responseType", types[i].type);
    if (types[i].status != NULL)
        json_cstr(w, "statusCode", types[i].status);
    json_raw(w, "responseParameters", STR("{}"));
    json_obj(w, "responseTemplates");
    json_cstr(w, "application/json", TEMPLATE);
    json_end(w);
    json_bool(w, "defaultResponse", true);
    json_end(w);
}

static bool check_sources(struct call *c, struct jval parameters)
{
    struct jval it = {0};
    while (jval_kind(parameters) == JSON_OBJECT && jval_next(parameters, &it, NULL)) {
        struct str source = jval_text(it, c->arena);
        bool ok =
            source.n > 0 &&
            (source.p[0] == '\'' || str_starts(source, STR("method.request.")) ||
             str_starts(source, STR("context.")) || str_starts(source, STR("stageVariables.")));
        if (source.n == 0)
            return gw_bad(c, "Invalid null or empty value in responseParameters");
        if (!ok || !str_starts(jval_key_str(it, c->arena), STR("gatewayresponse.header.")))
            return gw_bad(c, "Invalid mapping expression specified: %.*s", STR_ARG(source));
    }
    return true;
}

/* What a put or update leaves, with the members it does not name. */
static enum call_status save(struct call *c, struct str api, struct str type, struct jval doc)
{
    size_t i = index_of(type);
    struct jval status = jval_get(doc, "statusCode");
    struct jval parameters = jval_get(doc, "responseParameters");
    struct jval templates = jval_get(doc, "responseTemplates");
    if (!check_sources(c, parameters))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "responseType", type);
    if (jval_present(status))
        json_raw(&c->out, "statusCode", jval_raw(status));
    else if (types[i].status != NULL)
        json_cstr(&c->out, "statusCode", types[i].status);
    json_raw(&c->out, "responseParameters",
             jval_present(parameters) ? jval_raw(parameters) : STR("{}"));
    if (jval_count(templates) > 0) {
        json_raw(&c->out, "responseTemplates", jval_raw(templates));
    } else {
        json_obj(&c->out, "responseTemplates");
        json_cstr(&c->out, "application/json", TEMPLATE);
        json_end(&c->out);
    }
    json_bool(&c->out, "defaultResponse", false);
    json_end(&c->out);
    return gw_save(c, api, GW_GATEWAY_RESPONSE, type, buf_view(c->out_buf)) ? CALL_DONE
                                                                            : CALL_FAILED;
}

enum call_status gw_put_gateway_response(struct call *c)
{
    struct str api, type = gw_in(c, "responseType");
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    return save(c, api, type, c->in);
}

/* As it is kept, or the default. */
static struct str text_of(struct call *c, struct str api, struct str type)
{
    struct str text;
    struct buf *b = arena_new_buf(c->arena, 4096);
    struct json_out w;
    if (gw_doc_get(c->svc->state, api, GW_GATEWAY_RESPONSE, type, c->arena, &text))
        return text;
    json_out_init(&w, b);
    write_default(&w, index_of(type));
    return buf_view(b);
}

enum call_status gw_get_gateway_response(struct call *c)
{
    struct str api, type = gw_in(c, "responseType");
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    if (index_of(type) == TYPE_COUNT)
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Gateway response type not defined on api");
    json_raw(&c->out, NULL, text_of(c, api, type));
    return CALL_DONE;
}

enum call_status gw_get_gateway_responses(struct call *c)
{
    struct str api;
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "item");
    for (size_t i = 0; i < TYPE_COUNT; i++)
        json_raw(&c->out, NULL, text_of(c, api, str_c(types[i].type)));
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw_update_gateway_response(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/statusCode", PATCH_TEXT, true, false, false},
        {"/responseParameters/{}", PATCH_TEXT, true, true, true},
        {"/responseTemplates/{}", PATCH_TEXT, true, true, true}};
    struct str api, type = gw_in(c, "responseType"), text;
    struct jval doc;
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    if (index_of(type) == TYPE_COUNT)
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Gateway response type not defined on api");
    text = text_of(c, api, type);
    if (!gw_patch_apply(c, rules, 3, true, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAILED;
    return save(c, api, type, doc);
}

enum call_status gw_delete_gateway_response(struct call *c)
{
    struct str api, text, type = gw_in(c, "responseType");
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    if (!gw_doc_get(c->svc->state, api, GW_GATEWAY_RESPONSE, type, c->arena, &text))
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Gateway response type not defined on api");
    return gw_remove(c, api, GW_GATEWAY_RESPONSE, type);
}
