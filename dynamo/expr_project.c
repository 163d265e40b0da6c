/* Cutting paths out of an item: ProjectionExpression, AttributesToGet, and the parts that
 * UPDATED_OLD and UPDATED_NEW show. The paths become a tree once; then one walk over the text. */
#include "expr_internal.h"
#include <string.h>

struct pick {             /* what is wanted of one value */
    struct str key, name; /* of a map, as in text and plain; p == NULL: a list element */
    uint32_t index;
    bool whole;
    struct pick *child; /* sorted */
    size_t count, cap;
};
struct expr_projection {
    struct pick root;
    struct str *names;
};

/* Elements before members; there is never both in a legal tree. */
static int compare_to(const struct pick *p, struct str key, uint32_t index)
{
    if (p->key.p == NULL || key.p == NULL) {
        if ((p->key.p == NULL) != (key.p == NULL))
            return p->key.p == NULL ? -1 : 1;
        return (p->index > index) - (p->index < index);
    }
    return str_cmp(p->key, key);
}

/* Paths come sorted, so the same step can only be the last child. */
static struct pick *add_pick(struct arena *a, struct pick *parent, const struct expr_step *s)
{
    struct str key = s->name.p != NULL ? s->key : STR_NONE;
    if (parent->count > 0 && compare_to(&parent->child[parent->count - 1], key, s->index) == 0)
        return &parent->child[parent->count - 1];
    if (parent->count == parent->cap) {
        size_t cap = parent->cap == 0 ? 4 : parent->cap * 2;
        struct pick *grown = ARENA_ARRAY(a, struct pick, cap);
        if (parent->count > 0)
            memcpy(grown, parent->child, parent->count * sizeof *grown);
        parent->child = grown;
        parent->cap = cap;
    }
    struct pick *p = &parent->child[parent->count++];
    *p = (struct pick){.key = key, .name = s->name, .index = s->index};
    return p;
}

static const struct pick *find_pick(const struct pick *p, struct str key, uint32_t index)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = compare_to(&p->child[mid], key, index);
        if (c == 0)
            return &p->child[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* Top-level names in the order written, each once. */
static void list_names(struct arena *a, struct expr_projection *x, struct expr_path *const *paths,
                       size_t count)
{
    bool *seen = ARENA_ARRAY(a, bool, x->root.count + 1);
    size_t n = 0;
    x->names = ARENA_ARRAY(a, struct str, x->root.count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct pick *p = find_pick(&x->root, paths[i]->step[0].key, 0);
        size_t at = (size_t)(p - x->root.child);
        if (!seen[at])
            x->names[n++] = paths[i]->step[0].name;
        seen[at] = true;
    }
}

void expr_pick_build(struct arena *a, struct expr_path *const *paths, size_t count,
                     struct expr_projection **ret)
{
    struct expr_projection *x = ARENA_NEW(a, struct expr_projection);
    struct expr_path **sorted = expr_paths_sorted(a, paths, count);
    for (size_t i = 0; i < count; i++) {
        struct pick *p = &x->root;
        for (size_t d = 0; d < sorted[i]->count; d++)
            p = add_pick(a, p, &sorted[i]->step[d]);
        p->whole = true;
    }
    list_names(a, x, paths, count);
    *ret = x;
}

static bool cut_value(const struct pick *p, struct str json, struct buf *out);

static bool cut_map(const struct pick *p, struct str object, struct buf *out)
{
    struct str key, value;
    size_t at = 0, found = 0, seen = 0;
    buf_addc(out, '{');
    while (seen < p->count && text_next_member(object, &at, &key, &value)) {
        const struct pick *child = find_pick(p, key, 0);
        if (child == NULL)
            continue;
        size_t start = out->n;
        seen++;
        buf_add(out, found > 0 ? STR(",\"") : STR("\""));
        buf_add(out, key);
        buf_add(out, STR("\":"));
        if (cut_value(child, value, out))
            found++;
        else
            out->n = start;
    }
    buf_addc(out, '}');
    return found > 0;
}

static bool cut_list(const struct pick *p, struct str array, struct buf *out)
{
    struct str element;
    size_t at = 0, found = 0, seen = 0;
    buf_addc(out, '[');
    for (uint32_t n = 0; seen < p->count && text_next_element(array, &at, &element); n++) {
        const struct pick *child = find_pick(p, STR_NONE, n);
        if (child == NULL)
            continue;
        size_t start = out->n;
        seen++;
        if (found > 0)
            buf_addc(out, ',');
        if (cut_value(child, element, out))
            found++;
        else
            out->n = start;
    }
    buf_addc(out, ']');
    return found > 0;
}

static bool cut_value(const struct pick *p, struct str json, struct buf *out)
{
    if (p->whole) {
        buf_add(out, json);
        return true;
    }
    struct value v = value_wrap(json);
    bool found = false;
    if (v.type == ATTR_M) {
        buf_add(out, STR("{\"M\":"));
        found = cut_map(p, value_body(&v), out);
        buf_addc(out, '}');
    } else if (v.type == ATTR_L) {
        buf_add(out, STR("{\"L\":"));
        found = cut_list(p, value_body(&v), out);
        buf_addc(out, '}');
    }
    return found;
}

bool expr_pick_cut(const struct expr_projection *x, struct str item, struct buf *out)
{
    return cut_map(&x->root, item, out);
}

void expr_project(const struct expr_projection *x, struct str item, struct buf *out)
{
    cut_map(&x->root, item, out);
}

const struct str *expr_projection_names(const struct expr_projection *x, size_t *ret_count)
{
    *ret_count = x->root.count;
    return x->names;
}

bool expr_projection_goes_into(const struct expr_projection *x, struct str name)
{
    for (size_t i = 0; i < x->root.count; i++) {
        if (!x->root.child[i].whole && str_eq(x->root.child[i].name, name))
            return true;
    }
    return false;
}

bool expr_projection_seal(struct arena *a, struct expr_path *const *paths, size_t count,
                          const char *prefix, struct expr_projection **ret, struct aws_err *err)
{
    if (expr_paths_clash(a, paths, count, prefix, err))
        return false;
    expr_pick_build(a, paths, count, ret);
    return true;
}

bool expr_parse_projection(struct expr_env *env, struct str text, struct expr_projection **ret,
                           struct aws_err *err)
{
    struct expr_parser p;
    size_t count = 0;
    if (!expr_start(&p, env, EXPR_PROJECTION, text, err))
        return false;
    struct expr_path **paths = ARENA_ARRAY(env->a, struct expr_path *, p.count);
    for (;;) {
        if ((paths[count++] = expr_parse_path(&p)) == NULL)
            return false;
        if (!expr_at_symbol(&p, ","))
            break;
        p.at++;
    }
    if (expr_peek(&p)->kind != T_END)
        return expr_syntax_error(&p);
    for (size_t i = 0; i < count; i++) {
        if (!expr_check_path(&p, paths[i]))
            return false;
    }
    if (!expr_resolve_paths(&p, paths, count))
        return false;
    expr_pick_build(env->a, paths, count, ret);
    return true;
}
