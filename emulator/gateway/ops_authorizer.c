/* Authorizers of REST APIs: Lambda functions and user pools. */
#include "apigateway_model.h"
#include "arn.h"
#include "gw_store.h"
#include "ids.h"
#include "regex.h"
#include "v2_request.h"

enum { TTL_DEFAULT = 300, TTL_MAX = 3600 };

/* There is no user pool here: its public keys must be at hand, else no token could be checked. */
static bool check_pools(struct call *c, struct jval pools)
{
    struct jval it = {0};
    struct str issuer;
    if (jval_count(pools) == 0)
        return gw_bad(c, "Provider ARNs are required for an authorizer of type COGNITO_USER_POOLS");
    while (jval_next(pools, &it, NULL)) {
        struct str arn = jval_text(it, c->arena);
        if (!gw_pool_issuer(arn, c->arena, &issuer))
            return gw_bad(c, "Invalid Cognito User Pool ARN: %.*s", STR_ARG(arn));
        if (v2_jwks_find(c->svc->state, issuer) == NULL)
            return gw_bad(c,
                          "Puddle does not support authorizers of type COGNITO_USER_POOLS without "
                          "the pool's keys: start it with --jwks %.*s=<JWKS file>",
                          STR_ARG(issuer));
    }
    return true;
}

/* doc: the authorizer as it will be. unverified: the texts */
static bool check(struct call *c, struct jval doc)
{
    struct str type = jval_text(jval_get(doc, "type"), c->arena);
    struct str uri = jval_text(jval_get(doc, "authorizerUri"), c->arena);
    struct str source = jval_text(jval_get(doc, "identitySource"), c->arena);
    struct str pattern = jval_text(jval_get(doc, "identityValidationExpression"), c->arena);
    struct arn arn;
    int64_t ttl = TTL_DEFAULT;
    jval_i64(jval_get(doc, "authorizerResultTtlInSeconds"), &ttl);
    if (str_eq_c(type, "COGNITO_USER_POOLS"))
        return check_pools(c, jval_get(doc, "providerARNs")) &&
               (pattern.n == 0 || regex_new(c->arena, pattern) != NULL ||
                gw_bad(c, "Invalid identity validation expression"));
    if (!arn_parse(uri, &arn) || !str_eq_c(arn.account, "lambda"))
        return gw_bad(c,
                      "Invalid Authorizer URI: %.*s. Authorizer URI should be a valid API Gateway "
                      "ARN that represents a Lambda function invocation.",
                      STR_ARG(uri));
    if (ttl < 0 || ttl > TTL_MAX)
        return gw_bad(c, "Authorizer result TTL must be between 0 and %d seconds", TTL_MAX);
    if (str_eq_c(type, "TOKEN") && !str_starts(source, STR("method.request.header.")))
        return gw_bad(c, "Invalid Identity Source for a TOKEN authorizer: it must be a header");
    if (source.n == 0 && ttl > 0)
        return gw_bad(c, "Identity sources are required when results are cached");
    return pattern.n == 0 || regex_new(c->arena, pattern) != NULL ||
           gw_bad(c, "Invalid identity validation expression");
}

static void write_authorizer(struct call *c, const char *id)
{
    static const char *const copied[] = {"name",
                                         "type",
                                         "providerARNs",
                                         "authorizerUri",
                                         "authorizerCredentials",
                                         "identitySource",
                                         "identityValidationExpression",
                                         NULL};
    struct str auth_type = gw_in(c, "authType");
    int64_t ttl = TTL_DEFAULT;
    jval_i64(jval_get(c->in, "authorizerResultTtlInSeconds"), &ttl);
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    gw_copy_members(c, &c->out, copied);
    json_str(&c->out, "authType",
             auth_type.n > 0                                    ? auth_type
             : str_eq_c(gw_in(c, "type"), "COGNITO_USER_POOLS") ? STR("cognito_user_pools")
                                                                : STR("custom"));
    json_i64(&c->out, "authorizerResultTtlInSeconds", ttl);
    json_end(&c->out);
}

enum call_status gw_create_authorizer(struct call *c)
{
    struct str api, text;
    struct jval doc;
    char id[7];
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    ids_lower_alnum(id, 6);
    write_authorizer(c, id);
    text = arena_buf(c->arena, c->out_buf);
    if (!json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) || !check(c, doc))
        return CALL_FAILED;
    return gw_save(c, api, GW_AUTHORIZER, str_c(id), text) ? CALL_DONE : CALL_FAILED;
}

static bool need_authorizer(struct call *c, struct str *api, struct str *id, struct str *text)
{
    struct jval doc;
    *id = gw_in(c, "authorizerId");
    return gw_need_api(c, api, NULL, NULL) &&
           gw_need_doc(c, *api, GW_AUTHORIZER, *id, "Invalid Authorizer identifier specified", text,
                       &doc);
}

enum call_status gw_get_authorizer(struct call *c)
{
    struct str api, id, text;
    if (!need_authorizer(c, &api, &id, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_authorizers(struct call *c)
{
    struct str api;
    return gw_need_api(c, &api, NULL, NULL) ? gw_answer_page(c, api, GW_AUTHORIZER) : CALL_FAILED;
}

/* "add" and "remove" of one ARN. */
static bool patch_pools(struct call *c, const struct patch *p, struct str *text)
{
    struct jval doc, it = {0};
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    if (!json_parse(c->arena, *text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return gw_fail_store(c);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    for (struct jval list = jval_get(doc, "providerARNs"); jval_next(list, &it, NULL);) {
        struct str arn = jval_text(it, c->arena);
        if (!str_eq(arn, p->value))
            json_str(&w, NULL, arn);
    }
    if (str_eq_c(p->op, "add"))
        json_str(&w, NULL, p->value);
    json_end(&w);
    *text = gw_doc_set(c->arena, *text, &STR("providerARNs"), 1, buf_view(b));
    return true;
}

enum call_status gw_update_authorizer(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/name", PATCH_TEXT, true, false, false},
        {"/type", PATCH_TEXT, true, false, false},
        {"/authType", PATCH_TEXT, true, false, false},
        {"/authorizerUri", PATCH_TEXT, true, false, false},
        {"/authorizerCredentials", PATCH_TEXT, true, false, true},
        {"/identitySource", PATCH_TEXT, true, false, true},
        {"/identityValidationExpression", PATCH_TEXT, true, false, true},
        {"/authorizerResultTtlInSeconds", PATCH_INT, true, false, false}};
    struct str api, id, text;
    struct jval doc;
    struct patch *patches;
    size_t count;
    if (!need_authorizer(c, &api, &id, &text) || !gw_patches(c, &patches, &count))
        return CALL_FAILED;
    for (size_t i = 0; i < count; i++) {
        bool pools =
            str_eq_c(patches[i].path, "/providerARNs") && !str_eq_c(patches[i].op, "replace");
        if (!(pools ? patch_pools(c, &patches[i], &text)
                    : gw_patch_one(c, &patches[i], rules, sizeof rules / sizeof *rules, false,
                                   &text)))
            return CALL_FAILED;
    }
    if (!json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) || !check(c, doc))
        return CALL_FAILED;
    return gw_save_and_answer(c, api, GW_AUTHORIZER, id, text);
}

static bool check_unused(struct call *c, struct str api, struct str id)
{
    struct gw_doc *docs;
    struct jval doc, it;
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        struct jval methods = jval_get(doc, "resourceMethods");
        for (it = (struct jval){0};
             jval_kind(methods) == JSON_OBJECT && jval_next(methods, &it, NULL);)
            if (str_eq(jval_text(jval_get(it, "authorizerId"), c->arena), id))
                return aws_fail(&c->err, c->arena, &APIGATEWAY_ConflictException,
                                "Cannot delete authorizer '%.*s', is referenced in method: "
                                "%.*s/%.*s", /* unverified */
                                STR_ARG(id), STR_ARG(jval_text(jval_get(doc, "path"), c->arena)),
                                STR_ARG(jval_key_str(it, c->arena)));
    }
    return true;
}

enum call_status gw_delete_authorizer(struct call *c)
{
    struct str api, id, text;
    if (!need_authorizer(c, &api, &id, &text) || !check_unused(c, api, id))
        return CALL_FAILED;
    return gw_remove(c, api, GW_AUTHORIZER, id);
}

enum call_status gw_flush_stage_authorizers_cache(struct call *c)
{
    struct str api;
    struct jval doc;
    if (!gw_need_api(c, &api, NULL, NULL) ||
        !gw_need_doc(c, api, GW_STAGE, gw_in(c, "stageName"), "Invalid stage identifier specified",
                     NULL, &doc))
        return CALL_FAILED;
    gw_stages_drop(c->svc->state); /* compiled stages hold the cached results */
    return CALL_DONE;
}
