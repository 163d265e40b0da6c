/* Methods and their responses: stored in the resource's document. */
#include "apigateway_model.h"
#include "gw_store.h"

static bool check_http_method(struct call *c, struct str method)
{
    static const char *const known[] = {"GET",   "PUT",     "POST", "DELETE",
                                        "PATCH", "OPTIONS", "HEAD", "ANY"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq_c(method, known[i]))
            return true;
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                    "Invalid HttpMethod specified. Valid options are"
                    " GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY");
}

/* method.request.{querystring|header|path}.name, every name once. */
static bool check_parameters(struct call *c, struct jval doc)
{
    struct jval list = jval_get(doc, "requestParameters"), it = {0};
    struct map seen;
    bool ok = true;
    map_init(&seen);
    while (ok && jval_next(list, &it, NULL)) {
        struct str text = jval_key_str(it, c->arena), rest = text;
        struct str method = str_cut(&rest, '.'), request = str_cut(&rest, '.');
        struct str where = str_cut(&rest, '.');
        if (!str_eq_c(method, "method") || !str_eq_c(request, "request") || rest.n == 0 ||
            (!str_eq_c(where, "querystring") && !str_eq_c(where, "header") &&
             !str_eq_c(where, "path")))
            ok = aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                          "Invalid mapping expression specified: Validation Result: warnings : [],"
                          " errors : [Invalid mapping expression specified: %.*s]",
                          STR_ARG(text));
        else if (map_put(&seen, rest, &seen) != NULL)
            ok = aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                          "Parameter names must be unique across querystring, header and path");
    }
    map_release(&seen);
    return ok;
}

/* Empty and Error are there from the start, as on AWS, without a document of ours. */
static bool check_models(struct call *c, struct str api, struct jval list)
{
    struct jval it = {0};
    struct str text;
    while (jval_next(list, &it, NULL)) {
        struct str name = jval_text(it, c->arena);
        if (!str_eq_c(name, "Empty") && !str_eq_c(name, "Error") &&
            !gw_doc_get(c->svc->state, api, GW_MODEL, name, c->arena, &text))
            return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                            "Invalid model identifier specified: %.*s", STR_ARG(name));
    }
    return true;
}

static bool check_authorization(struct call *c, struct str api, struct jval doc)
{
    struct str type = jval_text(jval_get(doc, "authorizationType"), c->arena), text;
    struct str validator = jval_text(jval_get(doc, "requestValidatorId"), c->arena);
    struct str authorizer = jval_text(jval_get(doc, "authorizerId"), c->arena);
    bool custom = str_eq_c(type, "CUSTOM") || str_eq_c(type, "COGNITO_USER_POOLS");
    if (custom && !gw_doc_get(c->svc->state, api, GW_AUTHORIZER, authorizer, c->arena, &text))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM"
                        " or COGNITO_USER_POOLS requires a valid authorizer.");
    if (!custom && !str_eq_c(type, "NONE") && !str_eq_c(type, "AWS_IAM")) {
        gw_unsupported(c, "authorization type %.*s", STR_ARG(type));
        return false;
    }
    if (validator.n > 0 &&
        !gw_doc_get(c->svc->state, api, GW_VALIDATOR, validator, c->arena, &text))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "Invalid Request Validator identifier specified");
    return true;
}

bool method_check(struct call *c, struct str api, struct jval doc)
{
    return check_authorization(c, api, doc) && check_parameters(c, doc) &&
           check_models(c, api, jval_get(doc, "requestModels"));
}

enum call_status gw_put_method(struct call *c)
{
    static const char *const copied[] = {"operationName",
                                         "requestParameters",
                                         "requestModels",
                                         "authorizerId",
                                         "requestValidatorId",
                                         "authorizationScopes",
                                         NULL};
    bool key_required = false;
    struct gw_target t;
    if (!gw_need_resource(c, &t))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), gw_in(c, "httpMethod")};
    if (!check_http_method(c, path[1]) || !method_check(c, t.api, c->in))
        return CALL_FAILED;
    if (jval_present(jval_get_str(jval_get(t.resource, "resourceMethods"), path[1])))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException,
                         "Method already exists for this resource");
    jval_bool(jval_get(c->in, "apiKeyRequired"), &key_required);
    json_obj(&c->out, NULL);
    json_str(&c->out, "httpMethod", path[1]);
    json_str(&c->out, "authorizationType", gw_in(c, "authorizationType"));
    json_bool(&c->out, "apiKeyRequired", key_required);
    gw_copy_members(c, &c->out, copied);
    json_end(&c->out);
    struct str text = gw_doc_set(c->arena, t.text, path, 2, buf_view(c->out_buf));
    return gw_save(c, t.api, GW_RESOURCE, t.resource_id, text) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw_get_method(struct call *c)
{
    struct gw_target t;
    if (!gw_need_method(c, &t))
        return CALL_FAILED;
    json_raw(&c->out, NULL, jval_raw(t.method_doc));
    return CALL_DONE;
}

enum call_status gw_delete_method(struct call *c)
{
    struct gw_target t;
    if (!gw_need_method(c, &t))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method};
    struct str text = gw_doc_set(c->arena, t.text, path, 2, STR_NONE);
    return gw_save(c, t.api, GW_RESOURCE, t.resource_id, text) ? CALL_DONE : CALL_FAILED;
}

/* --- method responses: kept and shown; a Lambda proxy integration does not use them --- */

static bool need_response(struct call *c, struct gw_target *t, struct jval *ret)
{
    if (!gw_need_method(c, t))
        return false;
    *ret = jval_get_str(jval_get(t->method_doc, "methodResponses"), gw_in(c, "statusCode"));
    if (jval_present(*ret))
        return true;
    return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                    "Invalid Response status code specified");
}

static enum call_status save_response(struct call *c, const struct gw_target *t, struct str value)
{
    struct str path[] = {STR("resourceMethods"), t->method, STR("methodResponses"),
                         gw_in(c, "statusCode")};
    struct str text = gw_doc_set(c->arena, t->text, path, 4, value);
    return gw_save(c, t->api, GW_RESOURCE, t->resource_id, text) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw_put_method_response(struct call *c)
{
    static const char *const copied[] = {"responseParameters", "responseModels", NULL};
    struct gw_target t;
    if (!gw_need_method(c, &t) || !check_models(c, t.api, jval_get(c->in, "responseModels")))
        return CALL_FAILED;
    struct str status = gw_in(c, "statusCode");
    if (jval_present(jval_get_str(jval_get(t.method_doc, "methodResponses"), status)))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException,
                         "Response already exists for this resource"); /* unverified: the wording */
    json_obj(&c->out, NULL);
    json_str(&c->out, "statusCode", status);
    gw_copy_members(c, &c->out, copied);
    json_end(&c->out);
    return save_response(c, &t, buf_view(c->out_buf));
}

enum call_status gw_get_method_response(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    if (!need_response(c, &t, &doc))
        return CALL_FAILED;
    json_raw(&c->out, NULL, jval_raw(doc));
    return CALL_DONE;
}

enum call_status gw_delete_method_response(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    return need_response(c, &t, &doc) ? save_response(c, &t, STR_NONE) : CALL_FAILED;
}
