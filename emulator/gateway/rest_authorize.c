/* Who may call a method: IAM signatures and Lambda authorizers (facts/lambda.md 4.2). */
#include "arn.h"
#include "clock.h"
#include "gw_policy.h"
#include "log.h"
#include "rest_request.h"
#include "v2_request.h"
#include <string.h>

enum { EVENT_MAX = 8 << 20, RESULTS_MAX = 1000 };

struct rest_auth_result { /* what an authorizer function said */
    struct arena *arena;  /* first: rest_live.c */
    int64_t until_ms;
    struct str policy, context, principal, usage_key; /* policy: object text; context empty: none */
    int64_t latency_ms;
};

/* ---- Lambda authorizers ---- */

/* Context values arrive as text; objects and arrays make the reply invalid. */
static bool write_context(struct rest_request *r, const struct rest_auth_result *result)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    struct json_out w;
    struct jval context = {0}, it = {0};
    if (result->context.n > 0)
        json_parse(r->arena, result->context, JSON_DEPTH_DEFAULT, &context, NULL);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_kind(context) == JSON_OBJECT && jval_next(context, &it, NULL)) {
        enum json_kind kind = jval_kind(it);
        if (kind == JSON_OBJECT || kind == JSON_ARRAY)
            return false;
        json_key(&w, jval_key_str(it, r->arena));
        if (kind == JSON_NULL)
            json_null(&w, NULL);
        else
            json_str(&w, NULL, kind == JSON_STRING ? jval_text(it, r->arena) : jval_raw(it));
    }
    json_str(&w, "principalId", result->principal);
    json_i64(&w, "integrationLatency", result->latency_ms);
    json_end(&w);
    r->event.authorizer = buf_view(b);
    return true;
}

void rest_probe_done(struct rest_request *r)
{
    struct http_resp resp = {.status = 200};
    rest_finish(r, &resp);
}

static void use_result(struct rest_request *r, const struct rest_auth_result *result)
{
    struct jval policy;
    enum policy_result allowed = POLICY_NO_MATCH;
    if (r->probe != NULL) {
        r->probe->principal = arena_str(r->arena, result->principal);
        r->probe->policy = arena_str(r->arena, result->policy);
        rest_probe_done(r);
        return;
    }
    if (json_parse(r->arena, result->policy, JSON_DEPTH_DEFAULT, &policy, NULL))
        allowed = policy_allows(policy, STR("execute-api:Invoke"), rest_method_arn(r),
                                rest_policy_env(r), r->arena);
    if (allowed == POLICY_NO_MATCH && r->policy_allows)
        allowed = POLICY_ALLOWED;
    if (!write_context(r, result)) {
        rest_fail(r, GW_AUTHORIZER_BROKEN);
        return;
    }
    if (allowed != POLICY_ALLOWED) {
        rest_fail(r, allowed == POLICY_DENIED ? GW_ACCESS_DENIED_EXPLICITLY : GW_ACCESS_DENIED);
        return;
    }
    r->authorizer_key = arena_str(r->arena, result->usage_key);
    rest_check_key(r);
}

static bool read_reply(struct str payload, struct rest_auth_result *ret)
{
    struct jval reply, policy, context;
    if (!json_parse(ret->arena, arena_str(ret->arena, payload), JSON_DEPTH_DEFAULT, &reply, NULL))
        return false;
    policy = jval_get(reply, "policyDocument");
    context = jval_get(reply, "context");
    if (jval_kind(policy) != JSON_OBJECT ||
        !jval_str(jval_get(reply, "principalId"), ret->arena, &ret->principal))
        return false;
    ret->policy = jval_raw(policy);
    ret->context = jval_kind(context) == JSON_OBJECT ? jval_raw(context) : STR("");
    ret->usage_key = jval_text(jval_get(reply, "usageIdentifierKey"), ret->arena);
    return true;
}

/* The function threw "Unauthorized": the one error that is an answer. */
static bool says_unauthorized(struct rest_request *r)
{
    struct jval error;
    return r->result.function_error.n > 0 &&
           json_parse(r->arena, r->result.payload, JSON_DEPTH_DEFAULT, &error, NULL) &&
           str_eq_c(jval_text(jval_get(error, "errorMessage"), r->arena), "Unauthorized");
}

static void keep(struct rest_request *r, struct rest_auth_result *result)
{
    struct rest_authorizer *au = r->method->authorizer;
    if (au->results.count >= RESULTS_MAX) {
        size_t at = 0;
        void *value;
        while (map_next(&au->results, &at, NULL, &value))
            arena_free(((struct rest_auth_result *)value)->arena);
        map_release(&au->results);
        map_init(&au->results);
    }
    result->until_ms = clock_now_ms() + au->ttl_ms;
    struct rest_auth_result *before = map_put(&au->results, r->auth_key, result);
    if (before != NULL)
        arena_free(before->arena);
}

static void answered(struct wait *w, enum wait_end how)
{
    struct rest_request *r =
        (struct rest_request *)((char *)w - offsetof(struct rest_request, wait));
    struct arena *a = arena_new(0, 64 << 20);
    struct rest_auth_result *result = ARENA_NEW(a, struct rest_auth_result);
    bool failed = how == WAIT_CANCELLED || r->result.err.kind != NULL;
    r->waiting = false;
    result->arena = a;
    if (failed || r->result.function_error.n > 0 || !read_reply(r->result.payload, result)) {
        bool unauthorized = !failed && says_unauthorized(r);
        if (!unauthorized)
            log_msg(LOG_WARN, "gateway", "authorizer %.*s: no usable reply",
                    STR_ARG(r->method->authorizer->name));
        arena_free(a);
        rest_fail(r, unauthorized ? GW_UNAUTHORIZED
                     : failed     ? GW_AUTHORIZER_FAILED
                                  : GW_AUTHORIZER_BROKEN);
        return;
    }
    r->result = (struct rie_result){0};
    bool kept = r->auth_key.n > 0;
    if (kept)
        keep(r, result);
    use_result(r, result);
    if (!kept)
        arena_free(a);
}

/* "method.request.header.X, method.request.querystring.y, ...": all must be there. */
static bool read_identity(struct rest_request *r, struct buf *key)
{
    struct str rest = r->method->authorizer->identity_source, value;
    while (rest.p != NULL && rest.n > 0) {
        struct str source = str_trim(str_cut(&rest, ','));
        if (source.n == 0)
            continue;
        if (!rest_param_value(r, source, NULL, &value) || value.n == 0)
            return false;
        buf_addf(key, "%zu:%.*s", value.n, STR_ARG(value));
    }
    return true;
}

static bool write_event(struct rest_request *r, struct buf *out)
{
    struct json_out w;
    struct str token;
    const struct rest_authorizer *au = r->method->authorizer;
    if (!au->is_token) {
        struct event_v1 e = r->event;
        e.method_arn = rest_method_arn(r);
        event_v1_write(&e, r->arena, out);
        return !out->overflow;
    }
    if (!rest_param_value(r, str_trim(au->identity_source), NULL, &token))
        return false;
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_cstr(&w, "type", "TOKEN");
    json_str(&w, "methodArn", event_text(r->arena, rest_method_arn(r)));
    json_str(&w, "authorizationToken", event_text(r->arena, token));
    json_end(&w);
    return !out->overflow;
}

static bool token_fits(struct rest_request *r)
{
    const struct rest_authorizer *au = r->method->authorizer;
    struct str token;
    if (!au->is_token || au->validation.n == 0)
        return true;
    return au->token_pattern != NULL &&
           rest_param_value(r, str_trim(au->identity_source), NULL, &token) &&
           regex_search(au->token_pattern, token);
}

static void ask(struct rest_request *r)
{
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE};
    struct buf *event = arena_new_buf(r->arena, EVENT_MAX);
    struct v2_live variables = {.variables = r->stage->variables,
                                .variable_count = r->stage->variable_count};
    if (!v2_function_of(&variables, r->method->authorizer->uri, r->arena, &invoke) ||
        !write_event(r, event)) {
        rest_fail(r, GW_AUTHORIZER_BROKEN);
        return;
    }
    invoke.payload = buf_view(event);
    r->waiting = true;
    wait_arm(&r->wait, answered);
    rie_invoke(r->g->rie, &invoke, r->arena, &r->result, &r->wait);
}

void rest_authorize_lambda(struct rest_request *r)
{
    struct rest_authorizer *au = r->method->authorizer;
    struct buf *key = arena_new_buf(r->arena, 1 << 20);
    if (au == NULL) {
        rest_fail(r, GW_AUTHORIZER_BROKEN);
        return;
    }
    if (!read_identity(r, key) || !token_fits(r)) {
        rest_fail(r, GW_UNAUTHORIZED);
        return;
    }
    if (au->ttl_ms > 0 && key->n > 0) {
        r->auth_key = buf_view(key);
        const struct rest_auth_result *known = map_get(&au->results, r->auth_key);
        if (known != NULL && clock_now_ms() < known->until_ms) {
            use_result(r, known);
            return;
        }
    }
    ask(r);
}

/* ---- IAM ---- */

static void authorize_iam(struct rest_request *r)
{
    struct str key = STR(""), given = http_req_header(&r->req, "Authorization");
    bool is_signed =
        str_starts(given, STR("AWS4-HMAC-SHA256 ")) ||
        (r->req.query.p != NULL && str_find_str(r->req.query, STR("X-Amz-Signature=")) >= 0);
    if (!is_signed) {
        rest_fail(r, GW_MISSING_TOKEN);
        return;
    }
    if (r->g->auth != NULL && !r->g->auth(r->g->auth_arg, &r->req, r->arena, &key)) {
        rest_fail(r, GW_BAD_SIGNATURE);
        return;
    }
    r->event.iam_key = event_text(r->arena, key);
    rest_check_key(r);
}

void rest_authorize(struct rest_request *r)
{
    if (r->done != NULL) /* TestInvokeMethod does not authorize */
        rest_check_key(r);
    else if (!rest_check_policy(r))
        return;
    else if (r->method->auth == REST_AUTH_COGNITO)
        rest_authorize_cognito(r);
    else if (r->method->auth == REST_AUTH_CUSTOM)
        rest_authorize_lambda(r);
    else if (r->method->auth == REST_AUTH_IAM)
        authorize_iam(r);
    else
        rest_check_key(r);
}
