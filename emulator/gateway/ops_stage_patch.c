/* UpdateStage: what a patch may change of a stage, with AWS's errors (facts/lambda_errors.tsv). */
#include "apigateway_model.h"
#include "ops_stage.h"
#include "panic.h"

enum { TTL_MAX = 3600 };

/* Everything AWS lets a patch change; facts/lambda_errors.tsv has the start of this list, the end
 * is unverified. */
#define CACHING(at)                                                                                \
    at "/caching/ttlInSeconds, " at "/caching/enabled, " at "/caching/dataEncrypted, " at          \
       "/caching/requireAuthorizationForCacheControl, " at                                         \
       "/caching/unauthorizedCacheControlHeaderStrategy, "
#define METHOD_SETTINGS(at)                                                                        \
    at "/metrics/enabled, " at "/logging/dataTrace, " at "/logging/loglevel, " at                  \
       "/throttling/burstLimit, " at "/throttling/rateLimit, " CACHING(at)
#define STAGE_PATHS                                                                                \
    "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, " \
    "/accessLogSettings, /accessLogSettings/destinationArn, "                                      \
    "/accessLogSettings/format, " METHOD_SETTINGS("/{resourcePath}/{httpMethod}")                  \
        METHOD_SETTINGS("/*/*") "/variables/{variable_name}, /tracingEnabled"

/* What AWS shows for a method of which one setting has been set. */
#define METHOD_DEFAULTS                                                                            \
    "{\"metricsEnabled\":false,\"dataTraceEnabled\":false,\"throttlingBurstLimit\":5000,"          \
    "\"throttlingRateLimit\":10000.0,\"cachingEnabled\":false,\"cacheTtlInSeconds\":300,"          \
    "\"cacheDataEncrypted\":false,\"requireAuthorizationForCacheControl\":true,"                   \
    "\"unauthorizedCacheControlHeaderStrategy\":\"SUCCEED_WITH_RESPONSE_HEADER\"}"

enum setting_kind { SET_BOOL, SET_INT, SET_TTL, SET_NUMBER, SET_LEVEL, SET_STRATEGY };
static const struct setting {
    const char *path, *member;
    enum setting_kind kind;
} settings[] = {
    {"metrics/enabled", "metricsEnabled", SET_BOOL},
    {"logging/dataTrace", "dataTraceEnabled", SET_BOOL},
    {"logging/loglevel", "loggingLevel", SET_LEVEL},
    {"throttling/burstLimit", "throttlingBurstLimit", SET_INT},
    {"throttling/rateLimit", "throttlingRateLimit", SET_NUMBER},
    {"caching/ttlInSeconds", "cacheTtlInSeconds", SET_TTL},
    {"caching/enabled", "cachingEnabled", SET_BOOL},
    {"caching/dataEncrypted", "cacheDataEncrypted", SET_BOOL},
    {"caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl",
     SET_BOOL},
    {"caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy",
     SET_STRATEGY},
};

static bool is_among(struct str text, const char *const *names)
{
    while (*names != NULL && !str_eq_c(text, *names))
        names++;
    return *names != NULL;
}

bool stage_check_cache_size(struct call *c, struct str size)
{
    static const char *const sizes[] = {"0.5",  "1.6", "6.1", "13.5", "28.4",
                                        "58.2", "118", "237", NULL};
    return is_among(size, sizes) ||
           gw_bad(c, "Invalid cache cluster size: %.*s", STR_ARG(size)); /* unverified */
}

static struct str set_member(struct call *c, struct str text, const char *member, struct str value)
{
    struct str path = str_c(member);
    return gw_doc_set(c->arena, text, &path, 1, value);
}

struct str stage_set_cache(struct call *c, struct str text, bool on)
{
    struct jval doc;
    text = set_member(c, text, "cacheClusterEnabled", on ? STR("true") : STR("false"));
    text = set_member(c, text, "cacheClusterStatus",
                      on ? STR("\"AVAILABLE\"") : STR("\"NOT_AVAILABLE\""));
    if (on && json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
        !jval_present(jval_get(doc, "cacheClusterSize")))
        text = set_member(c, text, "cacheClusterSize", STR("\"" STAGE_CACHE_SIZE "\""));
    return text;
}

static bool bad_path(struct call *c, const struct patch *p)
{
    return gw_bad(c, "Invalid method setting path: %.*s. Must be one of: [%s]", STR_ARG(p->path),
                  STAGE_PATHS);
}

static bool bad_value(struct call *c, const struct patch *p) /* unverified: the text */
{
    return gw_bad(c, "Invalid value '%.*s' specified for path '%.*s'", STR_ARG(p->value),
                  STR_ARG(p->path));
}

static bool nothing_to_remove(struct call *c, const struct patch *p)
{
    return gw_bad(c,
                  "Cannot remove method setting %.*s because there is no method setting for this "
                  "method ",
                  STR_ARG(str_sub(p->path, 1, p->path.n)));
}

static bool read_bool(struct call *c, const struct patch *p, bool *ret)
{
    *ret = str_case_eq(p->value, STR("true"));
    return *ret || str_case_eq(p->value, STR("false")) || bad_value(c, p);
}

/* ---- method settings ---- */

/* "/<key>/<category>/<name>", key "<resource, / as ~1>/<METHOD>" as it is stored. */
static const struct setting *find_setting(struct str path, struct str *ret_key)
{
    static const char *const methods[] = {"*",      "ANY",  "GET",   "PUT",     "POST",
                                          "DELETE", "HEAD", "PATCH", "OPTIONS", NULL};
    struct str rest = str_sub(path, 1, path.n), start = rest;
    struct str resource = str_cut(&rest, '/'), method = str_cut(&rest, '/');
    if (path.p[0] != '/' || rest.p == NULL || resource.n == 0 || !is_among(method, methods))
        return NULL;
    *ret_key = (struct str){start.p, resource.n + 1 + method.n};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (str_eq_c(rest, settings[i].path))
            return &settings[i];
    }
    return NULL;
}

/* The patch's value as JSON. A rate or burst of -1: no limit. */
static bool setting_value(struct call *c, const struct patch *p, enum setting_kind kind,
                          struct str *ret)
{
    static const char *const levels[] = {"OFF", "ERROR", "INFO", NULL};
    static const char *const strategies[] = {"FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER",
                                             "SUCCEED_WITHOUT_RESPONSE_HEADER", NULL};
    bool on;
    int64_t integer;
    double number;
    struct jval v;
    switch (kind) {
    case SET_BOOL:
        if (!read_bool(c, p, &on))
            return false;
        *ret = on ? STR("true") : STR("false");
        return true;
    case SET_INT:
    case SET_TTL:
        if (!str_to_i64(p->value, &integer) || integer < (kind == SET_TTL ? 0 : -1) ||
            integer > (kind == SET_TTL ? TTL_MAX : INT32_MAX))
            return bad_value(c, p);
        *ret = arena_fmt(c->arena, "%lld", (long long)integer);
        return true;
    case SET_NUMBER:
        if (!json_parse(c->arena, p->value, 1, &v, NULL) || !jval_double(v, &number) ||
            (number < 0 && number > -1) || number < -1)
            return bad_value(c, p);
        *ret = p->value;
        return true;
    case SET_LEVEL:
    case SET_STRATEGY:
        *ret = gw_quote(c->arena, p->value);
        return is_among(p->value, kind == SET_LEVEL ? levels : strategies) || bad_value(c, p);
    }
    PANIC("unknown setting kind");
}

static bool set_method_setting(struct call *c, const struct patch *p, struct jval doc,
                               struct str *text)
{
    struct str key, value;
    const struct setting *s = find_setting(p->path, &key);
    if (s == NULL)
        return bad_path(c, p);
    if (!setting_value(c, p, s->kind, &value))
        return false;
    struct str path[] = {STR("methodSettings"), key, str_c(s->member)};
    if (!jval_present(jval_get_str(jval_get(doc, "methodSettings"), key)))
        *text = gw_doc_set(c->arena, *text, path, 2, STR(METHOD_DEFAULTS));
    *text = gw_doc_set(c->arena, *text, path, 3, value);
    return true;
}

/* ---- the rest ---- */

static bool remove_one(struct call *c, const struct patch *p, struct jval doc, struct str *text)
{
    static const char *const members[] = {"accessLogSettings", "clientCertificateId",
                                          "canarySettings", "description", NULL};
    struct str rest, name = str_sub(p->path, 1, p->path.n);
    if (gw_patch_under(c, p->path, "/variables/", &rest)) {
        struct str path[] = {STR("variables"), rest};
        *text = gw_doc_set(c->arena, *text, path, 2, STR_NONE);
        return true;
    }
    if (is_among(name, members)) { /* whether or not it is there */
        *text = gw_doc_set(c->arena, *text, &name, 1, STR_NONE);
        return true;
    }
    struct str path[] = {STR("methodSettings"), name};
    if (!jval_present(jval_get_str(jval_get(doc, "methodSettings"), name)))
        return nothing_to_remove(c, p);
    *text = gw_doc_set(c->arena, *text, path, 2, STR_NONE);
    return true;
}

static bool set_access_log(struct call *c, const struct patch *p, struct str member,
                           struct str *text)
{
    struct str path[] = {STR("accessLogSettings"), member};
    if (!str_eq_c(member, "destinationArn") && !str_eq_c(member, "format"))
        return gw_bad(c, "Invalid accessLogSettings path. Must be one of : "
                         "[/accessLogSettings/destinationArn, /accessLogSettings/format]");
    if (p->value.n == 0)
        return gw_bad(c, "Access Log value must not be empty");
    *text = gw_doc_set(c->arena, *text, path, 2, gw_quote(c->arena, p->value));
    return true;
}

static bool is_canary_path(struct str rest)
{
    return str_eq_c(rest, "percentTraffic") || str_eq_c(rest, "deploymentId") ||
           str_eq_c(rest, "useStageCache") || str_starts(rest, STR("stageVariableOverrides/"));
}

static bool set_canary(struct call *c, const struct patch *p, struct str rest)
{
    if (!is_canary_path(rest))
        return bad_path(c, p);
    if (str_eq_c(p->op, "add"))
        return gw_bad(c, "Invalid add operation with path: %.*s", STR_ARG(p->path));
    gw_unsupported(c, "canary stages");
    return false;
}

static bool set_cache(struct call *c, const struct patch *p, struct str *text)
{
    bool on;
    if (str_eq_c(p->path, "/cacheClusterEnabled")) {
        if (!read_bool(c, p, &on))
            return false;
        *text = stage_set_cache(c, *text, on);
        return true;
    }
    if (p->value.n > 0 && !stage_check_cache_size(c, p->value))
        return false;
    *text = set_member(c, *text, "cacheClusterSize",
                       p->value.n > 0 ? gw_quote(c->arena, p->value) : STR_NONE);
    return true;
}

bool stage_patch(struct call *c, const struct patch *p, struct str api, struct str *text)
{
    static const char *const plain[] = {"deploymentId", "description", "documentationVersion",
                                        "clientCertificateId", NULL};
    struct str rest, ignored, name = str_sub(p->path, 1, p->path.n);
    struct jval doc;
    bool on;
    if (!json_parse(c->arena, *text, JSON_DEPTH_DEFAULT, &doc, NULL))
        PANIC("a gateway document is not JSON");
    if (str_eq_c(p->op, "remove"))
        return remove_one(c, p, doc, text);
    if (gw_patch_under(c, p->path, "/variables/", &rest)) {
        struct str path[] = {STR("variables"), rest};
        if (!stage_check_variable(c, rest))
            return false;
        *text = gw_doc_set(c->arena, *text, path, 2, gw_quote(c->arena, p->value));
        return true;
    }
    if (gw_patch_under(c, p->path, "/accessLogSettings/", &rest))
        return set_access_log(c, p, rest, text);
    if (gw_patch_under(c, p->path, "/canarySettings/", &rest))
        return set_canary(c, p, rest);
    if (str_eq_c(p->path, "/cacheClusterEnabled") || str_eq_c(p->path, "/cacheClusterSize"))
        return set_cache(c, p, text);
    if (str_eq_c(p->path, "/tracingEnabled")) {
        if (!read_bool(c, p, &on))
            return false;
        *text = set_member(c, *text, "tracingEnabled", on ? STR("true") : STR("false"));
        return true;
    }
    if (str_eq_c(p->path, "/deploymentId") &&
        !gw_doc_get(c->svc->state, api, GW_DEPLOYMENT, p->value, c->arena, &ignored))
        return gw_bad(c, "Deployment id does not exist");
    if (p->path.p[0] != '/' || !is_among(name, plain))
        return set_method_setting(c, p, doc, text);
    *text = gw_doc_set(c->arena, *text, &name, 1, gw_quote(c->arena, p->value));
    return true;
}

bool stage_check_copies(struct call *c)
{
    struct jval it = {0};
    for (struct jval list = jval_get(c->in, "patchOperations"); jval_next(list, &it, NULL);) {
        struct str path = jval_text(jval_get(it, "path"), c->arena);
        struct str from = jval_text(jval_get(it, "from"), c->arena);
        if (!str_eq_c(jval_text(jval_get(it, "op"), c->arena), "copy"))
            continue;
        bool known =
            (str_eq_c(path, "/deploymentId") && str_eq_c(from, "/canarySettings/deploymentId")) ||
            (str_eq_c(path, "/variables") &&
             str_eq_c(from, "/canarySettings/stageVariableOverrides"));
        return known ? gw_bad(c, "Promotion not available. Canary does not exist.")
                     : gw_bad(c,
                              "Invalid copy operation with path: %.*s and from %.*s. Valid "
                              "copy:path are [/deploymentId, /variables] and valid copy:from are "
                              "[/canarySettings/deploymentId, "
                              "/canarySettings/stageVariableOverrides]",
                              STR_ARG(path), STR_ARG(from));
    }
    return true;
}
