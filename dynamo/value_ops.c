/* What conditions ask of values: equality, order, contains, sizes. */
#include "panic.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

static int compare_json(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* Members as sorted texts: each value has one text, so equal sets have equal lists. */
static struct str *sorted_members(struct value *v, struct arena *a)
{
    value_open(v, a);
    struct str *list = ARENA_ARRAY(a, struct str, v->count + 1);
    for (uint32_t i = 0; i < v->count; i++)
        list[i] = v->child[i].v.json;
    if (v->count > 1)
        qsort(list, v->count, sizeof *list, compare_json);
    return list;
}

static bool equal_sets(struct value *x, struct value *y, struct arena *a)
{
    struct str *mx = sorted_members(x, a), *my = sorted_members(y, a);
    if (x->count != y->count)
        return false;
    for (uint32_t i = 0; i < x->count; i++) {
        if (!str_eq(mx[i], my[i]))
            return false;
    }
    return true;
}

static bool equal_lists(struct value *x, struct value *y, struct arena *a)
{
    value_open(x, a);
    value_open(y, a);
    if (x->count != y->count)
        return false;
    for (uint32_t i = 0; i < x->count; i++) {
        if (!value_equal(&x->child[i].v, &y->child[i].v, a))
            return false;
    }
    return true;
}

static int compare_keys(const void *x, const void *y)
{
    return str_cmp((*(struct value_child *const *)x)->key, (*(struct value_child *const *)y)->key);
}

static struct value_child **sorted_children(struct value *v, struct arena *a)
{
    value_open(v, a);
    struct value_child **list = ARENA_ARRAY(a, struct value_child *, v->count + 1);
    for (uint32_t i = 0; i < v->count; i++)
        list[i] = &v->child[i];
    if (v->count > 1)
        qsort(list, v->count, sizeof *list, compare_keys);
    return list;
}

static bool equal_maps(struct value *x, struct value *y, struct arena *a)
{
    value_open(x, a);
    value_open(y, a);
    if (x->count != y->count)
        return false;
    struct value_child **cx = sorted_children(x, a), **cy = sorted_children(y, a);
    for (uint32_t i = 0; i < x->count; i++) {
        if (!str_eq(cx[i]->key, cy[i]->key) || !value_equal(&cx[i]->v, &cy[i]->v, a))
            return false;
    }
    return true;
}

bool value_equal(struct value *x, struct value *y, struct arena *a)
{
    if (x->type != y->type)
        return false;
    if (x->json.p != NULL && y->json.p != NULL && str_eq(x->json, y->json))
        return true;
    switch (x->type) {
    case ATTR_SS:
    case ATTR_NS:
    case ATTR_BS:
        return equal_sets(x, y, a);
    case ATTR_L:
        return equal_lists(x, y, a);
    case ATTR_M:
        return equal_maps(x, y, a);
    default:
        return false; /* a scalar has one text */
    }
}

bool value_compare(const struct value *x, const struct value *y, struct arena *a, int *ret)
{
    struct num nx, ny;
    if (x->type != y->type)
        return false;
    switch (x->type) {
    case ATTR_N:
        value_number(x, &nx);
        value_number(y, &ny);
        *ret = num_compare(&nx, &ny);
        return true;
    case ATTR_S:
    case ATTR_B:
        *ret = str_cmp(value_bytes(x, a), value_bytes(y, a));
        return true;
    default:
        return false;
    }
}

/* A set's members are told apart by their text. */
static bool set_has(const struct value *set, const struct value *x)
{
    enum attr_type type = set->type == ATTR_SS ? ATTR_S : set->type == ATTR_NS ? ATTR_N : ATTR_B;
    struct str body = value_body(set), want = value_body(x), member;
    size_t at = 0;
    while (x->type == type && text_next_element(body, &at, &member)) {
        if (str_eq(member, want))
            return true;
    }
    return false;
}

static bool list_has(struct value *set, struct value *x, struct arena *a)
{
    value_open(set, a);
    for (uint32_t i = 0; i < set->count; i++) {
        if (value_equal(&set->child[i].v, x, a))
            return true;
    }
    return false;
}

bool value_contains(struct value *x, struct value *y, struct arena *a)
{
    switch (x->type) {
    case ATTR_S:
    case ATTR_B:
        return y->type == x->type && str_find_str(value_bytes(x, a), value_bytes(y, a)) >= 0;
    case ATTR_SS:
    case ATTR_NS:
    case ATTR_BS:
        return set_has(x, y);
    case ATTR_L:
        return list_has(x, y, a);
    default:
        return false;
    }
}

int value_depth(const struct value *v)
{
    struct str body, key, part;
    size_t at = 0;
    int deepest = -1;
    if (v->type != ATTR_L && v->type != ATTR_M)
        return 0;
    body = value_body(v);
    while (v->type == ATTR_L ? text_next_element(body, &at, &part)
                             : text_next_member(body, &at, &key, &part)) {
        struct value child = value_wrap(part);
        int d = value_depth(&child);
        deepest = d > deepest ? d : deepest;
    }
    return deepest + 1;
}
