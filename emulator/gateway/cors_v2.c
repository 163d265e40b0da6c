#include "cors_v2.h"
#include <string.h>

static struct jval either(struct jval config, const char *lower, const char *upper)
{
    struct jval v = jval_get(config, lower);
    return jval_present(v) ? v : jval_get(config, upper);
}

static void read_list(struct jval list, struct arena *a, struct str **ret, size_t *ret_count)
{
    struct jval it = {0};
    *ret = ARENA_ARRAY(a, struct str, jval_count(list) + 1);
    *ret_count = 0;
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL))
        (*ret)[(*ret_count)++] = jval_text(it, a);
}

void cors_v2_read(struct jval config, struct arena *a, struct cors_v2 *ret)
{
    *ret = (struct cors_v2){0};
    if (jval_kind(config) != JSON_OBJECT)
        return;
    ret->enabled = true;
    jval_bool(either(config, "allowCredentials", "AllowCredentials"), &ret->credentials);
    ret->has_max_age = jval_i64(either(config, "maxAge", "MaxAge"), &ret->max_age);
    read_list(either(config, "allowOrigins", "AllowOrigins"), a, &ret->origins, &ret->origin_count);
    read_list(either(config, "allowMethods", "AllowMethods"), a, &ret->methods, &ret->method_count);
    read_list(either(config, "allowHeaders", "AllowHeaders"), a, &ret->headers, &ret->header_count);
    read_list(either(config, "exposeHeaders", "ExposeHeaders"), a, &ret->expose,
              &ret->expose_count);
}

bool cors_v2_is_preflight(const struct http_req *req)
{
    return str_eq_c(req->method, "OPTIONS") && http_req_header(req, "Origin").p != NULL &&
           http_req_header(req, "Access-Control-Request-Method").p != NULL;
}

/* What Access-Control-Allow-Origin says; empty: this origin is not allowed. */
static struct str allowed_origin(const struct cors_v2 *c, struct str origin)
{
    for (size_t i = 0; i < c->origin_count; i++) {
        struct str allowed = c->origins[i];
        if (str_eq_c(allowed, "*"))
            return c->credentials ? origin : STR("*");
        bool scheme = str_ends(allowed, STR("://*")) &&
                      str_starts(origin, str_sub(allowed, 0, allowed.n - 1));
        if (scheme || str_case_eq(allowed, origin))
            return origin;
    }
    return STR("");
}

static bool lists(const struct str *values, size_t count, struct str value)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(values[i], "*") || str_case_eq(values[i], value))
            return true;
    }
    return false;
}

static struct str join(const struct str *values, size_t count, struct arena *a)
{
    struct buf *b = arena_new_buf(a, 1 << 16);
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(values[i]));
    return buf_view(b);
}

static void add_common(const struct cors_v2 *c, struct str allowed, struct arena *a,
                       struct http_resp *resp)
{
    http_resp_add(resp, a, STR("access-control-allow-origin"), allowed);
    if (c->credentials)
        http_resp_add(resp, a, STR("access-control-allow-credentials"), STR("true"));
    if (!str_eq_c(allowed, "*"))
        http_resp_add(resp, a, STR("vary"), STR("origin"));
}

static bool headers_allowed(const struct cors_v2 *c, struct str requested)
{
    while (requested.p != NULL) {
        struct str name = str_trim(str_cut(&requested, ','));
        if (name.n > 0 && !lists(c->headers, c->header_count, name))
            return false;
    }
    return true;
}

/* unverified: that a preflight which is not allowed gets 204 without headers */
void cors_v2_preflight(const struct cors_v2 *c, const struct http_req *req, struct arena *a,
                       struct http_resp *resp)
{
    struct str method = http_req_header(req, "Access-Control-Request-Method");
    struct str requested = http_req_header(req, "Access-Control-Request-Headers");
    struct str allowed = allowed_origin(c, http_req_header(req, "Origin"));
    resp->status = 204;
    if (allowed.n == 0 || !lists(c->methods, c->method_count, str_trim(method)) ||
        !headers_allowed(c, requested))
        return;
    add_common(c, allowed, a, resp);
    http_resp_add(resp, a, STR("access-control-allow-methods"),
                  join(c->methods, c->method_count, a));
    if (c->header_count > 0)
        http_resp_add(resp, a, STR("access-control-allow-headers"),
                      lists(c->headers, c->header_count, STR("*")) && c->credentials &&
                              requested.n > 0
                          ? requested
                          : join(c->headers, c->header_count, a));
    if (c->has_max_age)
        http_resp_add(resp, a, STR("access-control-max-age"),
                      arena_fmt(a, "%lld", (long long)c->max_age));
}

void cors_v2_apply(const struct cors_v2 *c, const struct http_req *req, struct arena *a,
                   struct http_resp *resp)
{
    struct str origin = http_req_header(req, "Origin");
    size_t kept = 0;
    if (!c->enabled)
        return;
    for (size_t i = 0; i < resp->header_count; i++) {
        struct str name = resp->headers[i].name;
        if (!str_case_eq(str_sub(name, 0, 15), STR("access-control-")))
            resp->headers[kept++] = resp->headers[i];
    }
    resp->header_count = kept;
    struct str allowed = origin.p == NULL ? STR("") : allowed_origin(c, origin);
    if (allowed.n == 0)
        return;
    add_common(c, allowed, a, resp);
    if (c->expose_count > 0)
        http_resp_add(resp, a, STR("access-control-expose-headers"),
                      join(c->expose, c->expose_count, a));
}
