/* From the integration's answer to the client's response: which integration response applies, its
 * parameters and templates; and API Gateway's own answers with their gateway responses. */
#include "codec.h"
#include "log.h"
#include "rest_request.h"
#include "v2_request.h"
#include <string.h>

/* The first whose pattern matches the whole selection; else the default one. */
static const struct rest_integration_response *choose(struct rest_request *r, struct str selection)
{
    const struct rest_integration_response *fallback = NULL;
    for (size_t i = 0; i < r->method->integration_response_count; i++) {
        const struct rest_integration_response *x = &r->method->integration_responses[i];
        if (x->pattern == NULL && !x->broken_pattern)
            fallback = x;
        else if (x->pattern != NULL && selection.p != NULL && regex_match(x->pattern, selection))
            return x;
    }
    return fallback;
}

static struct str content_type_of(const struct http_resp *resp)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        struct str value = resp->headers[i].value;
        if (str_case_eq(resp->headers[i].name, STR("Content-Type")))
            return str_trim(str_cut(&value, ';'));
    }
    return STR("application/json");
}

/* unverified: which of several templates is taken when none is for the answer's content type */
static const struct rest_template *choose_template(const struct rest_integration_response *x,
                                                   const struct http_resp *from)
{
    struct str type = content_type_of(from);
    for (size_t i = 0; i < x->templates.count; i++) {
        if (str_case_eq(x->templates.all[i].content_type, type))
            return &x->templates.all[i];
    }
    return x->templates.count > 0 ? &x->templates.all[0] : NULL;
}

static void set_header(struct http_resp *resp, struct arena *a, struct str name, struct str value)
{
    if (!reply_header_ok(name, value))
        return;
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, name)) {
            resp->headers[i].value = value;
            return;
        }
    }
    http_resp_add(resp, a, name, value);
}

/* "method.response.header.X": its source. */
static void map_params(struct rest_request *r, struct jval parameters, const char *start,
                       const struct http_resp *from, struct http_resp *resp)
{
    struct jval it = {0};
    struct str value, prefix = str_c(start);
    while (jval_kind(parameters) == JSON_OBJECT && jval_next(parameters, &it, NULL)) {
        struct str key = jval_key_str(it, r->arena);
        if (str_starts(key, prefix) && rest_param_value(r, jval_text(it, r->arena), from, &value))
            set_header(resp, r->arena, str_sub(key, prefix.n, key.n), value);
    }
}

static void apply_overrides(struct rest_request *r, struct http_resp *resp)
{
    struct vtl_map *all = rest_override(r, "responseOverride", NULL);
    struct vtl_map *headers = rest_override(r, "responseOverride", "header");
    struct vtl_value *status = all == NULL ? NULL : vtl_map_get(all, STR("status"));
    int64_t code;
    if (status != NULL && str_to_i64(str_trim(vtl_text(status, r->arena)), &code) && code >= 100 &&
        code <= 599)
        resp->status = (uint16_t)code;
    for (size_t i = 0; headers != NULL && i < headers->count; i++)
        set_header(resp, r->arena, headers->items[i].key,
                   vtl_text(&headers->items[i].value, r->arena));
}

static bool convert(struct rest_request *r, const struct rest_integration_response *x,
                    const struct http_resp *from, struct str *body)
{
    bool binary =
        event_media_matches(content_type_of(from), r->stage->binary_types, r->stage->binary_count);
    if (x->convert == CONVERT_TO_TEXT && binary)
        *body = codec_base64_encode(r->arena, *body);
    else if (x->convert == CONVERT_TO_BINARY && !binary)
        return codec_base64_decode(r->arena, *body, body);
    return true;
}

void rest_respond(struct rest_request *r, struct str selection, struct http_resp *from)
{
    const struct rest_integration_response *x = choose(r, selection);
    struct http_resp resp = {0};
    int64_t status;
    rest_log(r, "Endpoint response body before transformations: %.*s",
             STR_ARG(str_sub(from->body, 0, 1000)));
    if (x == NULL || !str_to_i64(x->status, &status)) {
        rest_log(r,
                 "Execution failed due to configuration error: No match for output mapping and "
                 "no default output mapping configured. Endpoint Response Status Code: %u",
                 from->status);
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    const struct rest_template *t = choose_template(x, from);
    resp.status = (uint16_t)status;
    resp.body = from->body;
    http_resp_add(&resp, r->arena, STR("Content-Type"),
                  t != NULL ? t->content_type : content_type_of(from));
    map_params(r, x->parameters, "method.response.header.", from, &resp);
    if (!convert(r, x, from, &resp.body) ||
        (t != NULL && !rest_render(r, t->body, resp.body, &resp.body))) {
        rest_fail(r, GW_INTEGRATION_BROKEN);
        return;
    }
    apply_overrides(r, &resp);
    rest_finish(r, &resp);
}

/* ---- API Gateway's own answers ---- */

static struct jval gateway_response(struct rest_request *r, const struct gw_answer_kind *kind)
{
    struct jval found = {0};
    if (kind->response_type == NULL)
        return found;
    found = jval_get(r->stage->gateway_responses, kind->response_type);
    if (!jval_present(found))
        found = jval_get(r->stage->gateway_responses,
                         kind->status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
    return found;
}

/* What the message is about. */
static struct str detail_of(const struct rest_request *r, enum gw_answer what)
{
    return what == GW_POLICY_DENIED ? r->denied_because : r->validation_error;
}

/* $context.error.... */
static void add_error(struct rest_request *r, enum gw_answer what)
{
    const struct gw_answer_kind *kind = reply_kind(what);
    struct vtl_value error = vtl_new_map(r->arena);
    struct str message = reply_message(what, detail_of(r, what), r->arena);
    struct str quoted = message.p == NULL ? STR("null") : gw_quote(r->arena, message);
    vtl_map_put(error.map, r->arena, STR("message"),
                vtl_string(message.p == NULL ? STR("") : message));
    vtl_map_put(error.map, r->arena, STR("messageString"), vtl_string(quoted));
    vtl_map_put(error.map, r->arena, STR("responseType"), vtl_string(str_c(kind->response_type)));
    vtl_map_put(error.map, r->arena, STR("validationErrorString"),
                vtl_string(r->validation_error.p == NULL
                               ? STR("")
                               : arena_fmt(r->arena, "[%.*s]", STR_ARG(r->validation_error))));
    vtl_map_put(rest_context(r), r->arena, STR("error"), error);
}

static void apply_template(struct rest_request *r, struct jval templates, struct http_resp *resp)
{
    struct str accept = http_req_header(&r->req, "Accept"), text, why;
    struct jval t = jval_get_str(templates, str_trim(str_cut(&accept, ',')));
    struct vtl_template *compiled;
    struct str type = STR("application/json");
    struct jval it = {0};
    if (!jval_present(t))
        t = jval_get(templates, "application/json");
    if (!jval_present(t) && jval_next(templates, &it, NULL)) {
        t = it;
        type = jval_key_str(it, r->arena);
    }
    if (!jval_str(t, r->arena, &text) || !vtl_parse(r->arena, text, &compiled, &why) ||
        !rest_render(r, compiled, r->req.body, &resp->body))
        return;
    set_header(resp, r->arena, STR("Content-Type"), type);
}

static void apply_gateway_response(struct rest_request *r, struct jval doc, struct http_resp *resp)
{
    int64_t status;
    struct str text;
    struct jval code = jval_get(doc, "statusCode");
    struct jval parameters = jval_get(doc, "responseParameters"), it = {0};
    if ((jval_str(code, r->arena, &text) ? str_to_i64(text, &status) : jval_i64(code, &status)) &&
        status >= 100 && status <= 599)
        resp->status = (uint16_t)status;
    apply_template(r, jval_get(doc, "responseTemplates"), resp);
    while (jval_kind(parameters) == JSON_OBJECT && jval_next(parameters, &it, NULL)) {
        static const char start[] = "gatewayresponse.header.";
        struct str key = jval_key_str(it, r->arena), value;
        if (str_starts(key, str_c(start)) &&
            rest_param_value(r, jval_text(it, r->arena), NULL, &value))
            set_header(resp, r->arena, str_sub(key, sizeof start - 1, key.n), value);
    }
}

void rest_fail(struct rest_request *r, enum gw_answer what)
{
    struct http_resp resp = {0};
    struct jval doc = gateway_response(r, reply_kind(what));
    reply_answer(what, detail_of(r, what), r->arena, &resp);
    if (jval_present(doc)) {
        add_error(r, what);
        apply_gateway_response(r, doc, &resp);
    }
    rest_log(r, "Gateway response type: %s with status code: %u",
             reply_kind(what)->response_type == NULL ? "-" : reply_kind(what)->response_type,
             resp.status);
    rest_finish(r, &resp);
}
