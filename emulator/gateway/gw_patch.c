/* patchOperations by rules: a path names a place in the document, "{}" the entry of a map. */
#include "apigateway_model.h"
#include "gw_store.h"
#include <string.h>

enum { DEPTH_MAX = 6 };

/* "~1" and "~0" decoded (RFC 6901). */
static struct str unescape(struct str s, struct arena *a)
{
    char *out = arena_alloc_raw(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1');
        out[n++] = !escape ? s.p[i] : s.p[++i] == '1' ? '/' : '~';
    }
    return (struct str){out, n};
}

/* Does path fit the rule? Then its parts, decoded. The last {} takes the rest of the path. */
static bool fits(const struct gw_patch_rule *rule, struct str path, struct arena *a,
                 struct str *ret_parts, size_t *ret_count)
{
    struct str pattern = str_c(rule->path);
    *ret_count = 0;
    if (path.n == 0 || path.p[0] != '/')
        return false;
    pattern = str_sub(pattern, 1, pattern.n);
    path = str_sub(path, 1, path.n);
    while (pattern.p != NULL && *ret_count < DEPTH_MAX) {
        struct str want = str_cut(&pattern, '/');
        bool any = str_eq_c(want, "{}");
        struct str got = any && pattern.p == NULL ? path
                         : path.p == NULL         ? STR_NONE
                                                  : str_cut(&path, '/');
        if (any && pattern.p == NULL)
            path = STR_NONE;
        if (got.p == NULL || (any ? got.n == 0 : !str_eq(got, want)))
            return false;
        ret_parts[(*ret_count)++] = any ? unescape(got, a) : got;
    }
    return path.p == NULL;
}

static bool fail_path(struct call *c, const struct patch *p, const struct gw_patch_rule *rules,
                      size_t count, bool bare)
{
    struct buf *list = arena_new_buf(c->arena, 4096);
    if (bare)
        return gw_bad(c, "Invalid patch path %.*s", STR_ARG(p->path));
    if (!str_eq_c(p->op, "replace"))
        return gw_bad(c,
                      "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose supported "
                      "operations",
                      STR_ARG(p->path), STR_ARG(p->op));
    for (size_t i = 0; i < count; i++) {
        if (rules[i].replace)
            buf_addf(list, "%s%s", list->n > 0 ? ", " : "", rules[i].path);
    }
    return gw_bad(c, "Invalid patch path  '%.*s' specified for op '%.*s'. Must be one of: [%.*s]",
                  STR_ARG(p->path), STR_ARG(p->op), STR_ARG(buf_view(list)));
}

/* The patch's value as JSON of the rule's kind. */
static bool value_of(struct call *c, const struct patch *p, enum gw_patch_kind kind,
                     struct str *ret)
{
    struct jval v;
    double number;
    int64_t integer;
    struct str text = str_trim(p->value);
    switch (kind) {
    case PATCH_TEXT:
        *ret = gw_quote(c->arena, p->value);
        return true;
    case PATCH_BOOL:
        *ret = str_case_eq(text, STR("true")) ? STR("true") : STR("false");
        return true;
    case PATCH_INT:
        *ret = text;
        if (str_to_i64(text, &integer))
            return true;
        break;
    case PATCH_NUMBER:
        *ret = text;
        if (json_parse(c->arena, text, 1, &v, NULL) && jval_double(v, &number))
            return true;
        break;
    }
    return gw_bad(c, "Invalid patch value '%.*s' specified for path '%.*s'", STR_ARG(p->value),
                  STR_ARG(p->path)); /* unverified */
}

bool gw_patch_one(struct call *c, const struct patch *p, const struct gw_patch_rule *rules,
                  size_t count, bool bare, struct str *text)
{
    struct str parts[DEPTH_MAX], value = STR_NONE;
    size_t depth, i = 0;
    while (i < count && !fits(&rules[i], p->path, c->arena, parts, &depth))
        i++;
    if (i == count)
        return fail_path(c, p, rules, count, bare);
    bool removing = str_eq_c(p->op, "remove");
    bool allowed = removing                 ? rules[i].remove
                   : str_eq_c(p->op, "add") ? rules[i].add
                                            : rules[i].replace;
    if (!allowed)
        return gw_bad(c,
                      "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose supported "
                      "operations",
                      STR_ARG(p->path), STR_ARG(p->op));
    if (!removing && !value_of(c, p, rules[i].kind, &value))
        return false;
    *text = gw_doc_set(c->arena, *text, parts, depth, value);
    return true;
}

bool gw_patch_apply(struct call *c, const struct gw_patch_rule *rules, size_t count, bool bare,
                    struct str *text)
{
    struct patch *patches;
    size_t n;
    if (!gw_patches(c, &patches, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!gw_patch_one(c, &patches[i], rules, count, bare, text))
            return false;
    }
    return true;
}
