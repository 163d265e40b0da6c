/* Reading API definitions, and running what they ask for. */
#include "oas.h"
#include "codec.h"
#include "yaml_json.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { REFS_MAX = 16, WARNINGS_MAX_BYTES = 1 << 20, ERRORS_MAX_BYTES = 64 << 10 };

static bool invalid(struct call *c, const struct aws_err_kind *bad, const char *why)
{
    /* unverified: AWS's text goes on with its parser's own reason */
    return aws_fail(&c->err, c->arena, bad, "Invalid OpenAPI input.%s%s", *why != '\0' ? " " : "",
                    why);
}

bool oas_read(struct call *c, struct str text, const struct aws_err_kind *bad, struct oas *ret)
{
    struct str json, why;
    *ret = (struct oas){.c = c, .bad = bad};
    ret->errors = arena_new_buf(c->arena, ERRORS_MAX_BYTES);
    ret->warnings = arena_new_buf(c->arena, WARNINGS_MAX_BYTES);
    if (text.n > OAS_TEXT_MAX)
        return aws_fail(&c->err, c->arena, bad, "The API definition is larger than 6 MB");
    if (!json_parse(c->arena, text, OAS_DEPTH_MAX, &ret->root, NULL)) {
        if (!yaml_to_json(c->arena, text, &json, &why))
            return invalid(c, bad, arena_str(c->arena, why).p);
        if (!json_parse(c->arena, json, OAS_DEPTH_MAX, &ret->root, NULL))
            return invalid(c, bad, "");
    }
    /* YAML's 3.0 without quotes is a number */
    struct str v2 = STR(""), v3 = STR("");
    struct jval openapi = jval_get(ret->root, "openapi"), swagger = jval_get(ret->root, "swagger");
    if (jval_present(openapi))
        v3 = jval_kind(openapi) == JSON_STRING ? jval_text(openapi, c->arena) : jval_raw(openapi);
    if (jval_present(swagger))
        v2 = jval_kind(swagger) == JSON_STRING ? jval_text(swagger, c->arena) : jval_raw(swagger);
    ret->v3 = str_starts(v3, STR("3."));
    if (!ret->v3 && !str_starts(v2, STR("2")))
        return invalid(c, bad, "");
    return true;
}

static struct jval follow(const struct oas *o, struct str ref, struct str *ret_name)
{
    struct jval v = o->root;
    struct str rest = ref;
    str_cut(&rest, '/');
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        part = codec_percent_decode(o->c->arena, part, false);
        struct buf *b = arena_new_buf(o->c->arena, 4096);
        for (size_t i = 0; i < part.n; i++) {
            bool escape = part.p[i] == '~' && i + 1 < part.n;
            buf_addc(b, !escape ? part.p[i] : part.p[++i] == '1' ? '/' : '~');
        }
        *ret_name = buf_view(b);
        v = jval_get_str(v, *ret_name);
    }
    return v;
}

struct jval oas_resolve(const struct oas *o, struct jval v, struct str *ret_name)
{
    struct str ref, name = STR("");
    for (int i = 0; i < REFS_MAX; i++) {
        if (jval_kind(v) != JSON_OBJECT || !jval_str(jval_get(v, "$ref"), o->c->arena, &ref))
            break;
        v = str_starts(ref, STR("#/")) ? follow(o, ref, &name) : (struct jval){0};
    }
    if (ret_name != NULL)
        *ret_name = name;
    return v;
}

struct jval oas_schemas(const struct oas *o)
{
    return o->v3 ? jval_get(jval_get(o->root, "components"), "schemas")
                 : jval_get(o->root, "definitions");
}

struct jval oas_schemes(const struct oas *o)
{
    return o->v3 ? jval_get(jval_get(o->root, "components"), "securitySchemes")
                 : jval_get(o->root, "securityDefinitions");
}

/* {basePath} of a server's URL by its variable's default. */
static struct str fill_server(const struct oas *o, struct jval server, struct str url)
{
    struct jval variables = jval_get(server, "variables");
    struct buf *b = arena_new_buf(o->c->arena, 64 << 10);
    for (size_t i = 0; i < url.n; i++) {
        size_t end = i;
        while (url.p[i] == '{' && end < url.n && url.p[end] != '}')
            end++;
        if (end == i || end == url.n) {
            buf_addc(b, url.p[i]);
            continue;
        }
        struct jval variable = jval_get_str(variables, str_sub(url, i + 1, end));
        buf_add(b, jval_text(jval_get(variable, "default"), o->c->arena));
        i = end;
    }
    return buf_view(b);
}

struct str oas_base_path(const struct oas *o)
{
    struct str path;
    if (!o->v3) {
        path = jval_text(jval_get(o->root, "basePath"), o->c->arena);
    } else {
        struct jval server = jval_at(jval_get(o->root, "servers"), 0);
        struct str url = jval_text(jval_get(server, "url"), o->c->arena);
        url = fill_server(o, server, url);
        ptrdiff_t at = str_find_str(url, STR("://"));
        path = at < 0 ? url : str_sub(url, (size_t)at + 3, url.n);
        if (at >= 0) {
            size_t slash = 0;
            while (slash < path.n && path.p[slash] != '/')
                slash++;
            path = str_sub(path, slash, path.n);
        }
    }
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    return path.n > 0 && path.p[0] != '/' ? arena_fmt(o->c->arena, "/%.*s", STR_ARG(path)) : path;
}

struct str oas_prefix(const struct oas *o, struct str how)
{
    struct str base = oas_base_path(o);
    if (str_eq_c(how, "prepend"))
        return base;
    for (size_t i = 1; str_eq_c(how, "split") && i < base.n; i++)
        if (base.p[i] == '/')
            return str_sub(base, i, base.n);
    return STR("");
}

struct str oas_info(const struct oas *o, const char *member)
{
    struct jval v = jval_get(jval_get(o->root, "info"), member);
    return jval_kind(v) == JSON_NUMBER ? jval_raw(v) : jval_text(v, o->c->arena);
}

struct buf *oas_input(const struct oas *o, struct json_out *w)
{
    struct buf *b = arena_new_buf(o->c->arena, OAS_OUT_MAX);
    json_out_init(w, b);
    json_obj(w, NULL);
    return b;
}

bool oas_run(struct oas *o, const char *op, const struct buf *input, struct str what,
             struct jval *ret)
{
    struct call *c = o->c;
    struct aws_err err = {0};
    if (call_run_local(c->svc, op, c->account, c->region, buf_view(input), c->arena, ret, &err))
        return true;
    buf_addf(o->errors, "\n\t%.*s: %.*s", STR_ARG(what), STR_ARG(err.message));
    return false;
}

void oas_warn(struct oas *o, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (o->warnings->n > 0)
        buf_addc(o->warnings, ',');
    json_quote(o->warnings, str_c(text));
}

struct str oas_upper(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i];
    return (struct str){out, s.n};
}

struct str oas_lower(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
    return (struct str){out, s.n};
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(((const struct oas_named *)a)->name, ((const struct oas_named *)b)->name);
}

struct oas_named *oas_sorted(struct arena *a, struct jval list, const char *member,
                             size_t *ret_count)
{
    struct jval it = {0};
    struct oas_named *all = ARENA_ARRAY(a, struct oas_named, jval_count(list) + 1);
    size_t count = 0;
    while (jval_present(list) && jval_next(list, &it, NULL))
        all[count++] = (struct oas_named){jval_text(jval_get(it, member), a), it};
    qsort(all, count, sizeof *all, compare_names);
    *ret_count = count;
    return all;
}

struct str oas_method(struct arena *a, struct str member)
{
    static const char *const known[] = {"get",   "put",     "post", "delete",
                                        "patch", "options", "head", NULL};
    if (str_eq_c(member, "x-amazon-apigateway-any-method"))
        return STR("ANY");
    for (size_t i = 0; known[i] != NULL; i++)
        if (str_eq_c(member, known[i]))
            return oas_upper(a, member);
    return STR("");
}

bool oas_end(struct oas *o, bool fail_on_warnings)
{
    if (o->errors->n > 0)
        return aws_fail(&o->c->err, o->c->arena, o->bad, "Errors found during import:%.*s",
                        STR_ARG(buf_view(o->errors)));
    if (fail_on_warnings && o->warnings->n > 0)
        return aws_fail(&o->c->err, o->c->arena, o->bad, "Warnings found during import:\n\t%.*s",
                        STR_ARG(buf_view(o->warnings)));
    return true;
}
