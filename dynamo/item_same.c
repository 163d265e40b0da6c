#include "item_same.h"

static bool same_value(struct jval a, struct jval b, struct arena *scratch);

static bool set_holds(struct jval set, struct jval v)
{
    struct jval it = {0};
    while (jval_next(set, &it, NULL)) {
        if (str_eq(jval_raw(it), jval_raw(v)))
            return true;
    }
    return false;
}

static bool same_set(struct jval a, struct jval b)
{
    struct jval it = {0};
    if (jval_count(a) != jval_count(b))
        return false;
    while (jval_next(a, &it, NULL)) {
        if (!set_holds(b, it))
            return false;
    }
    return true;
}

static bool same_list(struct jval a, struct jval b, struct arena *scratch)
{
    struct jval x = {0}, y = {0};
    if (jval_count(a) != jval_count(b))
        return false;
    while (jval_next(a, &x, NULL)) {
        if (!jval_next(b, &y, NULL) || !same_value(x, y, scratch))
            return false;
    }
    return true;
}

static bool same_map(struct jval a, struct jval b, struct arena *scratch)
{
    struct jval it = {0};
    if (jval_count(a) != jval_count(b))
        return false;
    while (jval_next(a, &it, NULL)) {
        struct jval other = jval_get_str(b, jval_key_str(it, scratch));
        if (jval_kind(other) == JSON_MISSING || !same_value(it, other, scratch))
            return false;
    }
    return true;
}

/* Two values with their types: {"S":"x"}. */
static bool same_value(struct jval a, struct jval b, struct arena *scratch)
{
    struct jval x = {0}, y = {0};
    struct str type, other;
    if (str_eq(jval_raw(a), jval_raw(b)))
        return true;
    if (!jval_next(a, &x, &type) || !jval_next(b, &y, &other) || !str_eq(type, other))
        return false;
    if (str_eq_c(type, "M"))
        return same_map(x, y, scratch);
    if (str_eq_c(type, "L"))
        return same_list(x, y, scratch);
    return type.n == 2 && type.p[1] == 'S' && same_set(x, y);
}

static bool same_text(struct str a, struct str b)
{
    struct jval x, y;
    if (a.n != b.n) /* canonical: another order is not another length */
        return false;
    struct arena *scratch = arena_new(0, SIZE_MAX);
    bool same = json_parse(scratch, a, JSON_DEPTH_DEFAULT, &x, NULL) &&
                json_parse(scratch, b, JSON_DEPTH_DEFAULT, &y, NULL) && same_value(x, y, scratch);
    arena_free(scratch);
    return same;
}

bool item_same(const struct item *a, const struct item *b)
{
    if (a->count != b->count || a->size != b->size)
        return false;
    if (str_eq(a->json, b->json))
        return true;
    for (size_t i = 0; i < a->count; i++) {
        const struct attr *x = &a->attrs[i], *y = item_find(b, x->name);
        if (y == NULL || x->type != y->type || x->size != y->size)
            return false;
        if (str_eq(x->json, y->json))
            continue;
        bool ordered = x->type == ATTR_S || x->type == ATTR_N || x->type == ATTR_B;
        if (ordered || !same_text(x->json, y->json))
            return false;
    }
    return true;
}
