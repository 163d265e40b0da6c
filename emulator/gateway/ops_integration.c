/* Integrations: what a method calls. What would not run is refused here, when it is configured. */
#include "apigateway_model.h"
#include "arn.h"
#include "gw_store.h"

enum { TIMEOUT_DEFAULT_MS = 29000, TIMEOUT_MIN_MS = 50 };

static bool bad(struct call *c, const char *message)
{
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "%s", message);
}

/* arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function arn>/invocations; the
 * account field names the service. */
static bool check_aws_uri(struct call *c, struct str uri, bool is_proxy)
{
    struct arn arn;
    if (!arn_parse(uri, &arn))
        return bad(c, "Invalid ARN specified in the request");
    if (!str_starts(arn.resource, STR("path")) && !str_starts(arn.resource, STR("action")))
        return bad(c, "AWS ARN for integration must contain path or action");
    if (!is_proxy)
        return true;
    if (!str_eq_c(arn.account, "lambda") ||
        !str_starts(arn.resource, STR("path/2015-03-31/functions/")) ||
        !str_ends(arn.resource, STR("/invocations")))
        return bad(c, "Integrations of type 'AWS_PROXY' currently only supports Lambda function"
                      " and Firehose stream invocations.");
    return true;
}

/* A Lambda function, or an operation of one of our own JSON services. */
static bool check_service(struct call *c, struct str uri)
{
    struct gateway *g = c->svc->state;
    struct arn arn;
    struct service *svc;
    if (!arn_parse(uri, &arn) || str_eq_c(arn.account, "lambda"))
        return true;
    svc = g->find_service == NULL ? NULL : g->find_service(g->find_service_arg, arn.account);
    if (svc != NULL && svc->protocol == WIRE_JSON && str_starts(arn.resource, STR("action/")))
        return true;
    gw_unsupported(c, "integrations with %.*s", STR_ARG(arn.account));
    return false;
}

/* The body calls this member httpMethod, as the path's parameter is called: what comes over HTTP is
 * looked up in the body itself, because the merged input can only hold one of them. */
static struct str integration_method(struct call *c)
{
    struct str method = gw_in(c, "integrationHttpMethod");
    struct jval body;
    if (method.n == 0 && c->http != NULL &&
        json_parse(c->arena, c->http->body, JSON_DEPTH_DEFAULT, &body, NULL))
        jval_str(jval_get(body, "httpMethod"), c->arena, &method);
    return method;
}

/* AWS's own objections first, then what we do not run. */
static bool check_type(struct call *c, struct jval doc, struct str method)
{
    struct str type = jval_text(jval_get(doc, "type"), c->arena);
    struct str uri = jval_text(jval_get(doc, "uri"), c->arena);
    bool is_proxy = str_eq_c(type, "AWS_PROXY");
    if (!str_eq_c(type, "MOCK") && method.n == 0)
        return bad(c, "Enumeration value for HttpMethod must be non-empty");
    if (is_proxy || str_eq_c(type, "AWS")) {
        if (!check_aws_uri(c, uri, is_proxy))
            return false;
    } else if (!str_eq_c(type, "MOCK") && !str_starts(uri, STR("http://")) &&
               !str_starts(uri, STR("https://"))) {
        return bad(c, "Invalid HTTP endpoint specified for URI");
    }
    return !str_eq_c(type, "AWS") || check_service(c, uri);
}

static bool check_rest(struct call *c, struct jval doc)
{
    int64_t timeout = TIMEOUT_DEFAULT_MS;
    jval_i64(jval_get(doc, "timeoutInMillis"), &timeout);
    if (timeout < TIMEOUT_MIN_MS || timeout > TIMEOUT_DEFAULT_MS)
        return bad(c, "Timeout should be between 50 ms and 29000 ms"); /* unverified: wording */
    if (str_eq_c(jval_text(jval_get(doc, "connectionType"), c->arena), "VPC_LINK")) {
        gw_unsupported(c, "VPC links");
        return false;
    }
    if (str_eq_c(jval_text(jval_get(doc, "responseTransferMode"), c->arena), "STREAM")) {
        gw_unsupported(c, "responseTransferMode STREAM");
        return false;
    }
    return true;
}

bool integration_check(struct call *c, struct jval doc)
{
    return check_type(c, doc, jval_text(jval_get(doc, "httpMethod"), c->arena)) &&
           check_rest(c, doc);
}

enum call_status gw_put_integration(struct call *c)
{
    static const char *const copied[] = {"type",
                                         "uri",
                                         "connectionType",
                                         "credentials",
                                         "requestParameters",
                                         "requestTemplates",
                                         "contentHandling",
                                         NULL};
    struct gw_target t;
    int64_t timeout = TIMEOUT_DEFAULT_MS;
    if (!gw_need_method(c, &t) || !check_type(c, c->in, integration_method(c)) ||
        !check_rest(c, c->in))
        return CALL_FAILED;
    jval_i64(jval_get(c->in, "timeoutInMillis"), &timeout);
    struct str passthrough = gw_in(c, "passthroughBehavior"), space = gw_in(c, "cacheNamespace");
    struct str keys = gw_in_raw(c, "cacheKeyParameters");
    json_obj(&c->out, NULL);
    gw_copy_members(c, &c->out, copied);
    bool insecure;
    if (jval_bool(jval_get(jval_get(c->in, "tlsConfig"), "insecureSkipVerification"), &insecure)) {
        json_obj(&c->out, "tlsConfig");
        json_bool(&c->out, "insecureSkipVerification", insecure);
        json_end(&c->out);
    }
    json_str(&c->out, "httpMethod", integration_method(c));
    json_str(&c->out, "passthroughBehavior",
             passthrough.n > 0 ? passthrough : STR("WHEN_NO_MATCH"));
    json_i64(&c->out, "timeoutInMillis", timeout);
    json_str(&c->out, "cacheNamespace", space.n > 0 ? space : t.resource_id);
    json_raw(&c->out, "cacheKeyParameters", keys.p != NULL ? keys : STR("[]"));
    json_end(&c->out);
    struct str path[] = {STR("resourceMethods"), t.method, STR("methodIntegration")};
    struct str text = gw_doc_set(c->arena, t.text, path, 3, buf_view(c->out_buf));
    return gw_save(c, t.api, GW_RESOURCE, t.resource_id, text) ? CALL_DONE : CALL_FAILED;
}

static bool need_integration(struct call *c, struct gw_target *t, struct jval *ret)
{
    if (!gw_need_method(c, t))
        return false;
    *ret = jval_get(t->method_doc, "methodIntegration");
    if (jval_present(*ret))
        return true;
    return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                    "Invalid Integration identifier specified");
}

enum call_status gw_get_integration(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    if (!need_integration(c, &t, &doc))
        return CALL_FAILED;
    json_raw(&c->out, NULL, jval_raw(doc));
    return CALL_DONE;
}

enum call_status gw_delete_integration(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    if (!need_integration(c, &t, &doc))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method, STR("methodIntegration")};
    struct str text = gw_doc_set(c->arena, t.text, path, 3, STR_NONE);
    return gw_save(c, t.api, GW_RESOURCE, t.resource_id, text) ? CALL_DONE : CALL_FAILED;
}

/* --- integration responses: kept and shown; AWS_PROXY does not use them --- */

static enum call_status save_response(struct call *c, const struct gw_target *t, struct str value)
{
    struct str path[] = {STR("resourceMethods"), t->method, STR("methodIntegration"),
                         STR("integrationResponses"), gw_in(c, "statusCode")};
    struct str text = gw_doc_set(c->arena, t->text, path, 5, value);
    return gw_save(c, t->api, GW_RESOURCE, t->resource_id, text) ? CALL_DONE : CALL_FAILED;
}

static bool need_response(struct call *c, struct gw_target *t, struct jval *ret)
{
    struct jval integration;
    if (!need_integration(c, t, &integration))
        return false;
    *ret = jval_get_str(jval_get(integration, "integrationResponses"), gw_in(c, "statusCode"));
    if (jval_present(*ret))
        return true;
    return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                    "Invalid Response status code specified");
}

enum call_status gw_put_integration_response(struct call *c)
{
    static const char *const copied[] = {"statusCode",         "selectionPattern",
                                         "responseParameters", "responseTemplates",
                                         "contentHandling",    NULL};
    struct gw_target t;
    struct jval integration;
    if (!need_integration(c, &t, &integration))
        return CALL_FAILED;
    if (!jval_present(
            jval_get_str(jval_get(t.method_doc, "methodResponses"), gw_in(c, "statusCode"))))
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Invalid Response status code specified");
    json_obj(&c->out, NULL);
    gw_copy_members(c, &c->out, copied);
    json_end(&c->out);
    return save_response(c, &t, buf_view(c->out_buf));
}

enum call_status gw_get_integration_response(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    if (!need_response(c, &t, &doc))
        return CALL_FAILED;
    json_raw(&c->out, NULL, jval_raw(doc));
    return CALL_DONE;
}

enum call_status gw_delete_integration_response(struct call *c)
{
    struct gw_target t;
    struct jval doc;
    return need_response(c, &t, &doc) ? save_response(c, &t, STR_NONE) : CALL_FAILED;
}
