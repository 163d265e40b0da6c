/* Who may call a route: JWT, Lambda and IAM authorization of HTTP APIs (facts/lambda.md 4.2). */
#include "arn.h"
#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include "gw_policy.h"
#include "log.h"
#include "panic.h"
#include "v2_request.h"
#include <string.h>

enum { KEYS_MAX_BYTES = 1 << 20, FETCH_TIMEOUT_MS = 5000, RESULTS_MAX = 1000 };

struct v2_auth_result {  /* what an authorizer function said */
    struct arena *arena; /* first: v2_live.c */
    int64_t until_ms;
    bool allowed;
    struct str policy;  /* of payload format 1.0 and policy replies; empty: simple */
    struct str context; /* object text */
};

static void refuse(struct v2_request *r, uint16_t status)
{
    if (status == 401) {
        struct http_resp resp = {0};
        reply_v2_message(401, "Unauthorized", r->arena, &resp);
        if (r->route->auth == V2_AUTH_JWT)
            http_resp_add(&resp, r->arena, STR("www-authenticate"), STR("Bearer"));
        v2_answer_with(r, &resp);
        return;
    }
    v2_fail(r, status, status == 403 ? "Forbidden" : "Internal Server Error");
}

/* ---- JWT ---- */

static struct str claim_text(struct arena *a, struct jval v)
{
    struct jval it = {0};
    if (jval_kind(v) == JSON_STRING)
        return jval_text(v, a);
    if (jval_kind(v) != JSON_ARRAY)
        return jval_raw(v);
    struct buf *b = arena_new_buf(a, 1 << 16);
    buf_addc(b, '[');
    for (bool first = true; jval_next(v, &it, NULL); first = false)
        buf_addf(b, "%s%.*s", first ? "" : " ", STR_ARG(claim_text(a, it)));
    buf_addc(b, ']');
    return buf_view(b);
}

static bool lists(const struct str *values, size_t count, struct str value)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(values[i], value))
            return true;
    }
    return false;
}

static bool audience_fits(struct v2_request *r)
{
    const struct v2_authorizer_live *au = r->route->authorizer;
    struct jval aud = jval_get(r->token.claims, "aud"), it = {0};
    struct str text;
    if (jval_str(aud, r->arena, &text))
        return lists(au->audience, au->audience_count, text);
    while (jval_kind(aud) == JSON_ARRAY && jval_next(aud, &it, NULL)) {
        if (lists(au->audience, au->audience_count, jval_text(it, r->arena)))
            return true;
    }
    return !jval_present(aud) &&
           jval_str(jval_get(r->token.claims, "client_id"), r->arena, &text) &&
           lists(au->audience, au->audience_count, text);
}

/* A claim in seconds; true if it is absent or holds. */
static bool time_fits(struct jval claim, bool must_be_past, bool required)
{
    double seconds, now = (double)clock_now_ms() / 1000.0;
    if (!jval_present(claim))
        return !required;
    return jval_double(claim, &seconds) && (must_be_past ? seconds <= now : seconds > now);
}

static bool claims_fit(struct v2_request *r)
{
    struct jval claims = r->token.claims;
    return str_eq(jval_text(jval_get(claims, "iss"), r->arena), r->route->authorizer->issuer) &&
           audience_fits(r) && time_fits(jval_get(claims, "exp"), false, true) &&
           time_fits(jval_get(claims, "nbf"), true, false) &&
           time_fits(jval_get(claims, "iat"), true, false);
}

/* Of the scopes that the route asks for the token must have one. */
static bool scope_fits(struct v2_request *r)
{
    struct jval scope = jval_get(r->token.claims, "scope"), it = {0};
    if (r->route->scope_count == 0)
        return true;
    if (!jval_present(scope))
        scope = jval_get(r->token.claims, "scp");
    struct str rest = jval_text(scope, r->arena);
    while (rest.p != NULL && rest.n > 0) {
        if (lists(r->route->scopes, r->route->scope_count, str_cut(&rest, ' ')))
            return true;
    }
    while (jval_kind(scope) == JSON_ARRAY && jval_next(scope, &it, NULL)) {
        if (lists(r->route->scopes, r->route->scope_count, jval_text(it, r->arena)))
            return true;
    }
    return false;
}

static void write_claims(struct v2_request *r)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    struct json_out w;
    struct jval it = {0};
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_obj(&w, "jwt");
    json_obj(&w, "claims");
    while (jval_next(r->token.claims, &it, NULL)) {
        json_key(&w, jval_key_str(it, r->arena));
        json_str(&w, NULL, claim_text(r->arena, it));
    }
    json_end(&w);
    if (r->route->scope_count == 0) {
        json_null(&w, "scopes");
    } else {
        json_arr(&w, "scopes");
        for (size_t i = 0; i < r->route->scope_count; i++)
            json_str(&w, NULL, r->route->scopes[i]);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    r->event.authorizer = buf_view(b);
}

static void check_token(struct v2_request *r, const struct jwks *keys)
{
    if (!jwt_verify(&r->token, keys) || !claims_fit(r)) {
        refuse(r, 401);
        return;
    }
    if (!scope_fits(r)) {
        refuse(r, 403);
        return;
    }
    write_claims(r);
    v2_integrate(r);
}

static void ask_issuer(struct v2_request *r, struct str url);

static void issuer_answered(struct wait *w, enum wait_end how)
{
    struct v2_request *r = (struct v2_request *)((char *)w - offsetof(struct v2_request, wait));
    struct str issuer = r->route->authorizer->issuer, body = r->fetched.resp.body, next;
    struct jval doc;
    const struct jwks *keys;
    bool ok = how == WAIT_READY && r->fetched.end == FETCH_OK && r->fetched.resp.status == 200;
    if (ok && !r->discovered) {
        r->discovered = true;
        if (json_parse(r->arena, body, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            jval_str(jval_get(doc, "jwks_uri"), r->arena, &next)) {
            ask_issuer(r, next);
            return;
        }
        ok = false;
    }
    keys = ok ? v2_jwks_keep(r->g, issuer, body) : NULL;
    if (keys != NULL) {
        check_token(r, keys);
        return;
    }
    log_msg(LOG_WARN, "gateway", "the keys of issuer %.*s cannot be had (%.*s): see --jwks",
            STR_ARG(issuer), STR_ARG(r->fetched.why));
    refuse(r, 401);
}

static void ask_issuer(struct v2_request *r, struct str url)
{
    r->fetch = (struct fetch_request){
        .method = STR("GET"), .timeout_ms = FETCH_TIMEOUT_MS, .max_body = KEYS_MAX_BYTES};
    if (r->g->net == NULL || !fetch_url_parse(url, &r->fetch.url)) {
        refuse(r, 401);
        return;
    }
    wait_arm(&r->wait, issuer_answered);
    fetch_start(r->g->net, &r->fetch, r->arena, &r->fetched, &r->wait);
}

static void authorize_jwt(struct v2_request *r)
{
    struct v2_source source;
    struct str token, issuer = r->route->authorizer->issuer;
    v2_source_of(r, NULL, &source);
    if (r->route->authorizer->source_count == 0 ||
        !v2_params_value(&source, r->route->authorizer->sources[0], r->arena, &token)) {
        refuse(r, 401);
        return;
    }
    token = str_trim(token);
    if (str_case_eq(str_sub(token, 0, 7), STR("Bearer ")))
        token = str_trim(str_sub(token, 7, token.n));
    if (!jwt_parse(token, r->arena, &r->token)) {
        refuse(r, 401);
        return;
    }
    const struct jwks *keys = v2_jwks_find(r->g, issuer);
    if (keys != NULL) {
        check_token(r, keys);
        return;
    }
    bool slash = issuer.n > 0 && issuer.p[issuer.n - 1] == '/';
    ask_issuer(r, arena_fmt(r->arena, "%.*s%s.well-known/openid-configuration", STR_ARG(issuer),
                            slash ? "" : "/"));
}

/* ---- Lambda ---- */

static struct str route_arn(struct v2_request *r)
{
    struct str path = r->path, method = r->req.method;
    return arena_fmt(r->arena, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s",
                     STR_ARG(r->stage->region), STR_ARG(r->stage->account),
                     STR_ARG(r->stage->api_id), STR_ARG(r->stage->name), STR_ARG(method),
                     STR_ARG(path));
}

static void use_result(struct v2_request *r, const struct v2_auth_result *result)
{
    bool allowed = result->allowed;
    struct jval policy;
    if (result->policy.n > 0)
        allowed = json_parse(r->arena, result->policy, JSON_DEPTH_DEFAULT, &policy, NULL) &&
                  policy_allows(policy, STR("execute-api:Invoke"), route_arn(r), NULL, r->arena) ==
                      POLICY_ALLOWED;
    if (!allowed) {
        refuse(r, 403);
        return;
    }
    r->event.authorizer = arena_fmt(r->arena, "{\"lambda\":%.*s}",
                                    STR_ARG(result->context.n > 0 ? result->context : STR("null")));
    v2_integrate(r);
}

/* The function's reply. False: it is none. */
static bool read_result(struct v2_request *r, struct v2_auth_result *ret)
{
    struct jval reply, policy, context;
    struct str payload = arena_str(ret->arena, r->result.payload);
    if (r->result.err.kind != NULL || r->result.function_error.n > 0 ||
        !json_parse(ret->arena, payload, JSON_DEPTH_DEFAULT, &reply, NULL))
        return false;
    context = jval_get(reply, "context");
    if (jval_kind(context) == JSON_OBJECT)
        ret->context = jval_raw(context);
    if (r->route->authorizer->simple)
        return jval_bool(jval_get(reply, "isAuthorized"), &ret->allowed);
    policy = jval_get(reply, "policyDocument");
    if (jval_kind(policy) != JSON_OBJECT ||
        jval_kind(jval_get(reply, "principalId")) != JSON_STRING)
        return false;
    ret->policy = jval_raw(policy);
    return true;
}

static void keep_result(struct v2_request *r, struct v2_auth_result *result)
{
    struct v2_authorizer_live *au = r->route->authorizer;
    if (au->results.count >= RESULTS_MAX) {
        size_t at = 0;
        void *value;
        while (map_next(&au->results, &at, NULL, &value))
            arena_free(((struct v2_auth_result *)value)->arena);
        map_release(&au->results);
        map_init(&au->results);
    }
    result->until_ms = clock_now_ms() + au->ttl_ms;
    struct v2_auth_result *before = map_put(&au->results, r->auth_key, result);
    if (before != NULL)
        arena_free(before->arena);
}

static void authorizer_answered(struct wait *w, enum wait_end how)
{
    struct v2_request *r = (struct v2_request *)((char *)w - offsetof(struct v2_request, wait));
    struct arena *a = arena_new(0, 64 << 20);
    struct v2_auth_result *result = ARENA_NEW(a, struct v2_auth_result);
    result->arena = a;
    if (how == WAIT_CANCELLED || !read_result(r, result)) {
        log_msg(LOG_WARN, "gateway", "authorizer %.*s: no usable reply",
                STR_ARG(r->route->authorizer->name));
        arena_free(a);
        refuse(r, 500);
        return;
    }
    r->result = (struct rie_result){0};
    bool kept = r->auth_key.n > 0;
    if (kept)
        keep_result(r, result);
    use_result(r, result);
    if (!kept)
        arena_free(a);
}

/* The values of the identity sources; false: one is missing. */
static bool read_identity(struct v2_request *r, struct str *ret)
{
    const struct v2_authorizer_live *au = r->route->authorizer;
    struct v2_source source;
    v2_source_of(r, NULL, &source);
    for (size_t i = 0; i < au->source_count; i++) {
        if (!v2_params_value(&source, au->sources[i], r->arena, &ret[i]) || ret[i].n == 0)
            return false;
    }
    return true;
}

static void write_event(struct v2_request *r, const struct str *identity, struct buf *out)
{
    const struct v2_authorizer_live *au = r->route->authorizer;
    if (au->payload_v2) {
        event_v2_write_authorizer(&r->event, route_arn(r), identity, au->source_count, r->arena,
                                  out);
        return;
    }
    v2_write_event_v1(r, route_arn(r), identity, au->source_count, out);
}

static void authorize_lambda(struct v2_request *r)
{
    struct v2_authorizer_live *au = r->route->authorizer;
    struct rie_request invoke = {.type = RIE_REQUEST_RESPONSE};
    struct str *identity = ARENA_ARRAY(r->arena, struct str, au->source_count + 1);
    struct buf *event = arena_new_buf(r->arena, 8 << 20);
    if (!read_identity(r, identity)) {
        refuse(r, 401);
        return;
    }
    if (au->ttl_ms > 0) {
        struct buf *key = arena_new_buf(r->arena, 1 << 20);
        for (size_t i = 0; i < au->source_count; i++)
            buf_addf(key, "%zu:%.*s", identity[i].n, STR_ARG(identity[i]));
        r->auth_key = buf_view(key);
        const struct v2_auth_result *known = map_get(&au->results, r->auth_key);
        if (known != NULL && clock_now_ms() < known->until_ms) {
            use_result(r, known);
            return;
        }
    }
    write_event(r, identity, event);
    if (!v2_function_of(r->stage, au->uri, r->arena, &invoke) || event->overflow) {
        refuse(r, 500);
        return;
    }
    invoke.payload = buf_view(event);
    wait_arm(&r->wait, authorizer_answered);
    rie_invoke(r->g->rie, &invoke, r->arena, &r->result, &r->wait);
}

/* ---- IAM ---- */

static void authorize_iam(struct v2_request *r)
{
    struct str key = STR("");
    struct str given = http_req_header(&r->req, "Authorization");
    bool signed_at_all =
        str_starts(given, STR("AWS4-HMAC-SHA256 ")) ||
        (r->req.query.p != NULL && str_find_str(r->req.query, STR("X-Amz-Signature=")) >= 0);
    if (!signed_at_all ||
        (r->g->auth != NULL && !r->g->auth(r->g->auth_arg, &r->req, r->arena, &key))) {
        refuse(r, 403);
        return;
    }
    struct buf *b = arena_new_buf(r->arena, 4096);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_obj(&w, "iam");
    json_str(&w, "accessKey", event_text(r->arena, key));
    json_str(&w, "accountId", r->stage->account);
    json_str(&w, "callerId", event_text(r->arena, key));
    json_null(&w, "cognitoIdentity");
    json_null(&w, "principalOrgId");
    json_str(&w, "userArn",
             arena_fmt(r->arena, "arn:aws:iam::%.*s:root", STR_ARG(r->stage->account)));
    json_str(&w, "userId", event_text(r->arena, key));
    json_end(&w);
    json_end(&w);
    r->event.authorizer = buf_view(b);
    v2_integrate(r);
}

void v2_authorize(struct v2_request *r)
{
    enum v2_auth auth = r->route->auth;
    if (auth == V2_AUTH_NONE)
        v2_integrate(r);
    else if (auth == V2_AUTH_IAM)
        authorize_iam(r);
    else if (r->route->authorizer == NULL)
        refuse(r, 500);
    else if (auth == V2_AUTH_JWT)
        authorize_jwt(r);
    else
        authorize_lambda(r);
}
