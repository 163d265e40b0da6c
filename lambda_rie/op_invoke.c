/* The Invoke operation: headers in, rie_invoke, headers out. */
#include "codec.h"
#include "invoke_input.h"

enum { CLIENT_CONTEXT_MAX = 3583 };

struct invoke {
    struct rie_result result;
};

static enum call_status invoke_resume(struct call *c, enum wait_end how)
{
    struct invoke *i = c->scratch;
    struct rie_result *res = &i->result;
    (void)how;
    if (res->err.kind != NULL) {
        c->err = res->err;
        if (res->err.kind == &LAMBDA_TooManyRequestsException)
            http_resp_add(&c->extra, c->arena, STR("Retry-After"), STR("1")); /* unverified: 1 */
        return CALL_FAILED;
    }
    c->out_status = res->status;
    c->out_is_payload = true;
    c->out_payload = res->payload;
    c->request_id = res->request_id;
    if (res->status == 200)
        http_resp_add(&c->extra, c->arena, STR("X-Amz-Executed-Version"), res->executed_version);
    if (res->function_error.n > 0)
        http_resp_add(&c->extra, c->arena, STR("X-Amz-Function-Error"), res->function_error);
    if (res->log_tail.p != NULL)
        http_resp_add(&c->extra, c->arena, STR("X-Amz-Log-Result"),
                      codec_base64_encode(c->arena, res->log_tail));
    return CALL_DONE;
}

/* Base64 of a JSON object, or nothing. */
static bool read_client_context(struct call *c, struct str text, struct str *ret)
{
    if (text.n == 0)
        return true;
    if (text.n <= CLIENT_CONTEXT_MAX && codec_base64_decode(c->arena, text, ret) &&
        str_starts(str_trim(*ret), STR("{")) && json_check(*ret, JSON_DEPTH_DEFAULT, NULL))
        return true;
    return aws_fail(&c->err, c->arena, &LAMBDA_InvalidRequestContentException,
                    "Client context must be a valid Base64-encoded JSON object."); /* unverified */
}

static bool refuse_unsupported(struct call *c)
{
    static const char *const members[] = {"TenantId", "DurableExecutionName"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (jval_present(jval_get(c->in, members[i])))
            return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                            "Puddle does not support %s yet.", members[i]);
    }
    return true;
}

bool invoke_read_input(struct call *c, struct rie_request *ret)
{
    struct str type = jval_text(jval_get(c->in, "InvocationType"), c->arena);
    struct str context = jval_text(jval_get(c->in, "ClientContext"), c->arena);
    *ret = (struct rie_request){
        .account = c->account,
        .region = c->region,
        .function = jval_text(jval_get(c->in, "FunctionName"), c->arena),
        .qualifier = jval_text(jval_get(c->in, "Qualifier"), c->arena),
        .payload = c->payload,
        .request_id = c->request_id,
        .type = str_eq_c(type, "Event")    ? RIE_EVENT
                : str_eq_c(type, "DryRun") ? RIE_DRY_RUN
                                           : RIE_REQUEST_RESPONSE,
        .want_log_tail = str_eq_c(jval_text(jval_get(c->in, "LogType"), c->arena), "Tail"),
    };
    return refuse_unsupported(c) && read_client_context(c, context, &ret->client_context);
}

enum call_status lam_invoke(struct call *c)
{
    struct invoke *i = ARENA_NEW(c->arena, struct invoke);
    struct rie_request req;
    if (!invoke_read_input(c, &req))
        return CALL_FAILED;
    c->scratch = i;
    enum call_status status = call_park(c, invoke_resume);
    rie_invoke(c->svc->state, &req, c->arena, &i->result, &c->wait);
    return status;
}
