#include "item_same.h"
#include "value.h"

static bool same_text(struct str a, struct str b)
{
    if (a.n != b.n) /* canonical: another order is not another length */
        return false;
    struct arena *scratch = arena_new(0, SIZE_MAX);
    struct value x = value_wrap(a), y = value_wrap(b);
    bool same = value_equal(&x, &y, scratch);
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
