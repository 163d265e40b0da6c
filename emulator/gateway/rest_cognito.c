/* Authorizers of type COGNITO_USER_POOLS: the token's signature by the pool's keys (--jwks), its
 * issuer, times, use and scopes; its claims become requestContext.authorizer.claims. */
#include "clock.h"
#include "jwt.h"
#include "log.h"
#include "rest_request.h"
#include "v2_request.h"

static bool has_word(struct str words, struct str word)
{
    while (words.p != NULL && words.n > 0) {
        if (str_eq(str_cut(&words, ' '), word))
            return true;
    }
    return false;
}

/* A method without scopes takes ID tokens; one with scopes takes access tokens that have one. */
static bool use_fits(struct rest_request *r, struct jval claims)
{
    struct str use = jval_text(jval_get(claims, "token_use"), r->arena);
    struct str scope = jval_text(jval_get(claims, "scope"), r->arena);
    struct jval it = {0};
    if (jval_count(r->method->scopes) == 0)
        return !jval_present(jval_get(claims, "token_use")) || str_eq_c(use, "id");
    while (str_eq_c(use, "access") && jval_next(r->method->scopes, &it, NULL)) {
        if (has_word(scope, jval_text(it, r->arena)))
            return true;
    }
    return false;
}

static bool issuer_fits(struct rest_request *r, const struct jwt *t)
{
    const struct rest_authorizer *au = r->method->authorizer;
    struct str issuer = jval_text(jval_get(t->claims, "iss"), r->arena);
    for (size_t i = 0; i < au->issuer_count; i++) {
        const struct jwks *keys;
        if (!str_eq(issuer, au->issuers[i]))
            continue;
        keys = v2_jwks_find(r->g, issuer);
        if (keys == NULL)
            log_msg(LOG_WARN, "gateway", "no keys of issuer %.*s: see --jwks", STR_ARG(issuer));
        return keys != NULL && jwt_verify(t, keys);
    }
    return false;
}

/* The expression is matched with the client the token was made for. */
static bool audience_fits(struct rest_request *r, struct jval claims)
{
    const struct rest_authorizer *au = r->method->authorizer;
    struct jval aud = jval_get(claims, "aud");
    return au->validation.n == 0 ||
           (au->token_pattern != NULL && regex_search(au->token_pattern, jval_text(aud, r->arena)));
}

/* As text: times as dates, lists with commas. */
static struct str claim_text(struct arena *a, struct str name, struct jval v)
{
    struct jval it = {0};
    int64_t seconds;
    char date[64];
    if ((str_eq_c(name, "exp") || str_eq_c(name, "iat")) && jval_i64(v, &seconds)) {
        size_t n = clock_format(seconds * 1000, "%a %b %d %H:%M:%S UTC %Y", date, sizeof date);
        return arena_str(a, (struct str){date, n});
    }
    if (jval_kind(v) == JSON_STRING)
        return jval_text(v, a);
    if (jval_kind(v) != JSON_ARRAY)
        return jval_raw(v);
    struct buf *b = arena_new_buf(a, 1 << 16);
    while (jval_next(v, &it, NULL))
        buf_addf(b, "%s%.*s", b->n > 0 ? "," : "", STR_ARG(claim_text(a, STR(""), it)));
    return buf_view(b);
}

static void write_claims(struct rest_request *r, struct jval claims)
{
    struct buf *b = arena_new_buf(r->arena, 1 << 20);
    struct json_out w;
    struct jval it = {0};
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_obj(&w, "claims");
    while (jval_next(claims, &it, NULL)) {
        struct str name = jval_key_str(it, r->arena);
        json_key(&w, name);
        json_str(&w, NULL, claim_text(r->arena, name, it));
    }
    json_end(&w);
    json_end(&w);
    r->event.authorizer = buf_view(b);
    if (r->probe != NULL)
        r->probe->claims = r->event.authorizer;
}

void rest_authorize_cognito(struct rest_request *r)
{
    const struct rest_authorizer *au = r->method->authorizer;
    struct str token = STR("");
    struct jwt jwt;
    double expires, now = (double)clock_now_ms() / 1000.0;
    if (au == NULL || au->issuer_count == 0) {
        rest_fail(r, GW_AUTHORIZER_BROKEN);
        return;
    }
    struct str source = str_trim(au->identity_source);
    rest_param_value(r, source.n > 0 ? source : STR("method.request.header.Authorization"), NULL,
                     &token);
    if (token.n > 7 && str_case_eq(str_sub(token, 0, 7), STR("Bearer ")))
        token = str_trim(str_sub(token, 7, token.n));
    if (!jwt_parse(token, r->arena, &jwt) || !issuer_fits(r, &jwt) ||
        !jval_double(jval_get(jwt.claims, "exp"), &expires) || !audience_fits(r, jwt.claims) ||
        !use_fits(r, jwt.claims)) { /* unverified: what a token without the scope gets */
        rest_fail(r, GW_UNAUTHORIZED);
        return;
    }
    if (expires <= now) {
        rest_fail(r, GW_EXPIRED_TOKEN);
        return;
    }
    write_claims(r, jwt.claims);
    if (r->probe == NULL)
        rest_check_key(r);
    else
        rest_probe_done(r);
}
