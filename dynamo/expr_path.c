/* Document paths: how two of them relate, and what is found at their end. */
#include "expr_internal.h"
#include "panic.h"
#include <stdlib.h>

static bool same_step(const struct expr_step *x, const struct expr_step *y)
{
    if (x->name.p == NULL || y->name.p == NULL)
        return x->name.p == NULL && y->name.p == NULL && x->index == y->index;
    return str_eq(x->name, y->name);
}

bool expr_path_equal(const struct expr_path *x, const struct expr_path *y)
{
    return x->count == y->count && expr_path_relation(x, y) == PATHS_OVERLAP;
}

enum path_relation expr_path_relation(const struct expr_path *x, const struct expr_path *y)
{
    for (size_t i = 0; i < x->count && i < y->count; i++) {
        if ((x->step[i].name.p == NULL) != (y->step[i].name.p == NULL))
            return PATHS_CONFLICT; /* both a map and a list */
        if (!same_step(&x->step[i], &y->step[i]))
            return PATHS_APART;
    }
    return PATHS_OVERLAP;
}

/* Indexes before names, a path before those that go on from it. */
static int compare_paths(const void *a, const void *b)
{
    const struct expr_path *x = *(struct expr_path *const *)a, *y = *(struct expr_path *const *)b;
    for (size_t i = 0; i < x->count && i < y->count; i++) {
        const struct expr_step *s = &x->step[i], *t = &y->step[i];
        bool sx = s->name.p == NULL, tx = t->name.p == NULL;
        int c = sx != tx ? (sx ? -1 : 1)
                : sx     ? (s->index > t->index) - (s->index < t->index)
                         : str_cmp(s->key, t->key);
        if (c != 0)
            return c;
    }
    return (x->count > y->count) - (x->count < y->count);
}

struct expr_path **expr_paths_sorted(struct arena *a, struct expr_path *const *paths, size_t count)
{
    struct expr_path **sorted = ARENA_ARRAY(a, struct expr_path *, count + 1);
    for (size_t i = 0; i < count; i++)
        sorted[i] = paths[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, compare_paths);
    return sorted;
}

/* If any two clash, then two that are neighbours when sorted. */
static bool any_clash(struct arena *a, struct expr_path *const *paths, size_t count)
{
    struct expr_path **sorted = expr_paths_sorted(a, paths, count);
    for (size_t i = 1; i < count; i++) {
        if (expr_path_relation(sorted[i - 1], sorted[i]) != PATHS_APART)
            return true;
    }
    return false;
}

bool expr_path_clashes(struct arena *a, struct expr_path *const *paths, size_t count, size_t k,
                       const char *prefix, struct aws_err *err)
{
    for (size_t i = k + 1; i < count; i++) {
        enum path_relation r = expr_path_relation(paths[k], paths[i]);
        if (r == PATHS_APART)
            continue;
        aws_fail(err, a, &AWS_ValidationException,
                 "%sTwo document paths %s with each other; must remove or rewrite one of these "
                 "paths; path one: %.*s, path two: %.*s",
                 prefix, r == PATHS_OVERLAP ? "overlap" : "conflict",
                 STR_ARG(expr_path_text(paths[k], a)), STR_ARG(expr_path_text(paths[i], a)));
        return true;
    }
    return false;
}

bool expr_paths_clash(struct arena *a, struct expr_path *const *paths, size_t count,
                      const char *prefix, struct aws_err *err)
{
    if (!any_clash(a, paths, count))
        return false;
    for (size_t k = count; k-- > 0;) {
        if (expr_path_clashes(a, paths, count, k, prefix, err))
            return true;
    }
    PANIC("paths clash, but no two of them");
}

bool expr_resolve_paths(struct expr_parser *p, struct expr_path *const *paths, size_t count)
{
    const char *prefix = expr_prefix(p);
    for (size_t k = count; k-- > 0;) {
        if (!expr_resolve_path(p, paths[k]) ||
            expr_path_clashes(p->a, paths, count, k, prefix, p->err))
            return false;
    }
    return true;
}

struct value *expr_path_walk(const struct expr_path *p, struct value *item, size_t steps,
                             struct arena *a)
{
    struct value *v = item;
    for (size_t i = 0; i < steps && v != NULL; i++) {
        const struct expr_step *s = &p->step[i];
        v = s->name.p != NULL ? value_member(v, s->key, a) : value_element(v, s->index, a);
    }
    return v;
}

/* The n-th element or the member named key, by the text alone. */
static struct str find_inside(const struct value *v, const struct expr_step *s)
{
    struct str element;
    size_t at = 0;
    if (s->name.p != NULL)
        return v->type == ATTR_M ? text_find(value_body(v), s->key) : STR_NONE;
    if (v->type != ATTR_L)
        return STR_NONE;
    struct str list = value_body(v);
    for (uint32_t i = 0; text_next_element(list, &at, &element); i++) {
        if (i == s->index)
            return element;
    }
    return STR_NONE;
}

struct str expr_path_descend(const struct expr_path *p, struct str top)
{
    for (size_t i = 1; i < p->count && top.p != NULL; i++) {
        struct value v = value_wrap(top);
        top = find_inside(&v, &p->step[i]);
    }
    return top;
}

struct str expr_path_find(const struct expr_path *p, struct str item)
{
    return expr_path_descend(p, text_find(item, p->step[0].key));
}
