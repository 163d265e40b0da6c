/* Request validators: required parameters, and bodies against their models. */
#include "json_schema.h"
#include "rest_request.h"

/* "method.request.querystring.q": "q"; and is it there, with a value? */
static bool has_param(struct rest_request *r, struct str key, struct str *ret_name)
{
    struct str rest = key, value = STR("");
    str_cut(&rest, '.');
    str_cut(&rest, '.');
    struct str where = str_cut(&rest, '.');
    *ret_name = rest;
    if (str_eq_c(where, "path"))
        return rest_path_param(r, rest) != NULL;
    if (str_eq_c(where, "querystring") || str_eq_c(where, "multivaluequerystring"))
        return rest_query_value(r, rest, &value) && value.n > 0;
    value = http_req_header(&r->req, arena_str(r->arena, rest).p);
    return value.n > 0;
}

static bool check_params(struct rest_request *r)
{
    struct buf *missing = arena_new_buf(r->arena, 1 << 16);
    struct jval it = {0};
    while (jval_kind(r->method->request_params) == JSON_OBJECT &&
           jval_next(r->method->request_params, &it, NULL)) {
        bool required = false;
        struct str name;
        if (!jval_bool(it, &required) || !required ||
            has_param(r, jval_key_str(it, r->arena), &name))
            continue;
        buf_addf(missing, "%s%.*s", missing->n > 0 ? ", " : "", STR_ARG(name));
    }
    if (missing->n == 0)
        return true;
    r->validation_error = buf_view(missing);
    rest_fail(r, GW_BAD_PARAMETERS);
    return false;
}

/* https://apigateway.amazonaws.com/restapis/<id>/models/<name> */
static bool find_model(void *arg, struct str url, struct arena *a, struct jval *ret)
{
    struct rest_request *r = arg;
    ptrdiff_t at = str_find_str(url, STR("/models/"));
    if (at < 0)
        return false;
    struct jval model = jval_get_str(r->stage->models, str_sub(url, (size_t)at + 8, url.n));
    struct str schema;
    return jval_str(jval_get(model, "schema"), a, &schema) &&
           json_parse(a, schema, JSON_DEPTH_DEFAULT, ret, NULL);
}

/* The model for the request's content type; application/json without one. False: there is none. */
static bool model_of(struct rest_request *r, struct jval *ret)
{
    struct str type = http_req_header(&r->req, "Content-Type"), name;
    type = str_trim(str_cut(&type, ';'));
    if (type.n == 0)
        type = STR("application/json");
    struct jval model = jval_get_str(r->method->request_models, type);
    if (!jval_present(model))
        model = jval_get(r->method->request_models, "$default");
    if (!jval_str(model, r->arena, &name))
        return false;
    struct jval doc = jval_get_str(r->stage->models, name);
    struct str schema;
    return jval_str(jval_get(doc, "schema"), r->arena, &schema) &&
           json_parse(r->arena, schema, JSON_DEPTH_DEFAULT, ret, NULL);
}

static bool check_body(struct rest_request *r)
{
    struct jval schema, body;
    if (!model_of(r, &schema))
        return true;
    if (!json_parse(r->arena, r->req.body, JSON_DEPTH_DEFAULT, &body, NULL)) {
        r->validation_error = STR("Invalid JSON"); /* unverified */
        rest_fail(r, GW_BAD_BODY);
        return false;
    }
    if (json_schema_check(schema, body, find_model, r, r->arena, &r->validation_error))
        return true;
    rest_log(r, "the request body is not as its model says: %.*s", STR_ARG(r->validation_error));
    rest_fail(r, GW_BAD_BODY);
    return false;
}

void rest_validate(struct rest_request *r)
{
    if ((!r->method->check_params || check_params(r)) && (!r->method->check_body || check_body(r)))
        rest_integrate(r);
}
