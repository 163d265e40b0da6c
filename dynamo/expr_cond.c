/* Conditions: parsing as a whole, sealing, and evaluation over an item's text. Only the top-level
 * attributes an expression names are looked for, in one walk that stops at the last of them. */
#include "expr_internal.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

struct slot {             /* a top-level attribute that the condition reads */
    struct str key, name; /* as in text, plain */
    bool into;            /* some path goes further */
};
struct expr_cond {
    const struct expr_node *root;
    struct slot *slot; /* sorted by key */
    size_t slots;
    struct str *names; /* the same attributes in the order written */
};

struct seal { /* every path of the tree, in the order written */
    struct arena *a;
    struct use {
        struct expr_path *path;
        size_t order;
        bool first; /* that reads this attribute */
    } * use;
    size_t count, cap;
};

static void add_use(struct seal *s, struct expr_path *p)
{
    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 8 : s->cap * 2;
        struct use *grown = ARENA_ARRAY(s->a, struct use, cap);
        if (s->count > 0)
            memcpy(grown, s->use, s->count * sizeof *grown);
        s->use = grown;
        s->cap = cap;
    }
    s->use[s->count] = (struct use){.path = p, .order = s->count};
    s->count++;
}

static void collect_operand(struct seal *s, struct expr_operand *o)
{
    if (o->kind == OPERAND_PATH)
        add_use(s, o->path);
    ASSERT(o->kind == OPERAND_PATH || o->kind == OPERAND_VALUE || o->kind == OPERAND_SIZE);
    for (size_t i = 0; i < o->count; i++)
        collect_operand(s, o->arg[i]);
}

static void collect(struct seal *s, struct expr_node *n)
{
    ASSERT(n->op != EXPR_CALL);
    if (n->left != NULL)
        collect(s, n->left);
    if (n->right != NULL)
        collect(s, n->right);
    for (size_t i = 0; i < n->count; i++)
        collect_operand(s, n->arg[i]);
}

static int by_key(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int c = str_cmp(x->path->step[0].key, y->path->step[0].key);
    return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

struct expr_cond *expr_cond_seal(struct arena *a, struct expr_node *root)
{
    struct expr_cond *x = ARENA_NEW(a, struct expr_cond);
    struct seal s = {.a = a};
    size_t named = 0;
    x->root = root;
    collect(&s, root);
    if (s.count > 1)
        qsort(s.use, s.count, sizeof *s.use, by_key);
    x->slot = ARENA_ARRAY(a, struct slot, s.count + 1);
    x->names = ARENA_ARRAY(a, struct str, s.count + 1);
    for (size_t i = 0; i < s.count; i++) {
        const struct expr_step *step = &s.use[i].path->step[0];
        s.use[i].first = i == 0 || !str_eq(s.use[i - 1].path->step[0].key, step->key);
        if (s.use[i].first)
            x->slot[x->slots++] = (struct slot){step->key, step->name, false};
        x->slot[x->slots - 1].into |= s.use[i].path->count > 1;
        s.use[i].path->slot = x->slots - 1;
    }
    if (s.count > 1)
        qsort(s.use, s.count, sizeof *s.use, by_order);
    for (size_t i = 0; i < s.count; i++) {
        if (s.use[i].first)
            x->names[named++] = s.use[i].path->step[0].name;
    }
    return x;
}

bool expr_parse_condition(struct expr_env *env, enum expr_kind kind, struct str text,
                          struct expr_cond **ret, struct aws_err *err)
{
    struct expr_parser p;
    struct expr_node *root;
    if (!expr_start(&p, env, kind, text, err) || (root = expr_parse_tree(&p)) == NULL ||
        !expr_check_condition(&p, root))
        return false;
    *ret = expr_cond_seal(env->a, root);
    return true;
}

struct str expr_cond_touches(const struct expr_cond *x, const struct str *names, size_t count)
{
    for (size_t i = 0; i < x->slots; i++) {
        for (size_t k = 0; k < count; k++) {
            if (str_eq(x->names[i], names[k]))
                return names[k];
        }
    }
    return STR_NONE;
}

const struct str *expr_cond_names(const struct expr_cond *x, size_t *ret_count)
{
    *ret_count = x->slots;
    return x->names;
}

bool expr_cond_goes_into(const struct expr_cond *x, struct str name)
{
    for (size_t i = 0; i < x->slots; i++) {
        if (x->slot[i].into && str_eq(x->slot[i].name, name))
            return true;
    }
    return false;
}

/* ---- evaluation ---- */

struct eval {
    struct str *found; /* a slot's value; STR_NONE: the item has none */
    struct arena *a;
};

static size_t find_slot(const struct expr_cond *x, struct str key)
{
    enum { FEW = 8 };
    if (x->slots <= FEW) {
        for (size_t i = 0; i < x->slots; i++) {
            if (key.n == x->slot[i].key.n && memcmp(key.p, x->slot[i].key.p, key.n) == 0)
                return i;
        }
        return x->slots;
    }
    size_t low = 0, high = x->slots;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = str_cmp(x->slot[mid].key, key);
        if (c == 0)
            return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return x->slots;
}

static void load(const struct expr_cond *x, struct str item, struct eval *e)
{
    size_t left = x->slots, at = 0;
    struct str key, value;
    e->found = ARENA_ARRAY(e->a, struct str, x->slots + 1);
    while (left > 0 && text_next_member(item, &at, &key, &value)) {
        size_t i = find_slot(x, key);
        if (i < x->slots) {
            e->found[i] = value;
            left--;
        }
    }
}

struct datum {
    struct value v;                     /* no json: a number that only exists as num */
    const struct expr_operand *literal; /* or NULL */
    struct num num;
};

static bool get(struct eval *e, const struct expr_operand *o, struct datum *ret)
{
    ret->literal = NULL;
    if (o->kind == OPERAND_VALUE) {
        ret->v = *o->value; /* a copy: opening it must not outlive the scratch memory */
        ret->literal = o;
        return true;
    }
    if (o->kind == OPERAND_PATH) {
        struct str text = expr_path_descend(o->path, e->found[o->path->slot]);
        if (text.p == NULL)
            return false;
        ret->v = value_wrap(text);
        return true;
    }
    struct datum inner;
    size_t size;
    if (!get(e, o->arg[0], &inner) || inner.v.json.p == NULL ||
        !value_size_function(&inner.v, e->a, &size))
        return false;
    ret->v = (struct value){.type = ATTR_N};
    num_from_u64(size, &ret->num);
    return true;
}

static const struct num *number_of(struct datum *d)
{
    if (d->v.json.p == NULL)
        return &d->num;
    if (d->literal != NULL)
        return &d->literal->number;
    value_number(&d->v, &d->num);
    return &d->num;
}

static struct str bytes_of(const struct datum *d, struct arena *a)
{
    return d->literal != NULL ? d->literal->bytes : value_bytes(&d->v, a);
}

static bool equal(struct eval *e, struct datum *x, struct datum *y)
{
    if (x->v.type != y->v.type)
        return false;
    if (x->v.json.p == NULL || y->v.json.p == NULL)
        return num_compare(number_of(x), number_of(y)) == 0;
    return value_equal(&x->v, &y->v, e->a);
}

/* False where the two have no order: different types, or types without one. */
static bool order(struct eval *e, struct datum *x, struct datum *y, int *ret)
{
    if (x->v.type != y->v.type)
        return false;
    if (x->v.type == ATTR_N)
        *ret = num_compare(number_of(x), number_of(y));
    else if (x->v.type == ATTR_S || x->v.type == ATTR_B)
        *ret = str_cmp(bytes_of(x, e->a), bytes_of(y, e->a));
    else
        return false;
    return true;
}

static bool compare(struct eval *e, const struct expr_node *n)
{
    struct datum x, y;
    int c;
    bool both = get(e, n->arg[0], &x) && get(e, n->arg[1], &y);
    if (n->op == EXPR_EQ || n->op == EXPR_NE) /* what is not there is not equal to anything */
        return (both && equal(e, &x, &y)) == (n->op == EXPR_EQ);
    if (!both || !order(e, &x, &y, &c))
        return false;
    switch (n->op) {
    case EXPR_LT:
        return c < 0;
    case EXPR_LE:
        return c <= 0;
    case EXPR_GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

static bool between(struct eval *e, const struct expr_node *n)
{
    struct datum x, low, high;
    int c;
    if (!get(e, n->arg[0], &x) || !get(e, n->arg[1], &low) || !get(e, n->arg[2], &high))
        return false;
    return order(e, &low, &x, &c) && c <= 0 && order(e, &x, &high, &c) && c <= 0;
}

static bool in(struct eval *e, const struct expr_node *n)
{
    struct datum x, y;
    if (!get(e, n->arg[0], &x))
        return false;
    for (size_t i = 1; i < n->count; i++) {
        if (get(e, n->arg[i], &y) && equal(e, &x, &y))
            return true;
    }
    return false;
}

static bool contains(struct eval *e, struct datum *x, struct datum *y)
{
    if (x->v.json.p == NULL) /* a size contains nothing */
        return false;
    if (y->v.json.p == NULL)
        y->v = value_new_number(&y->num, e->a);
    if (x->v.type == ATTR_S || x->v.type == ATTR_B)
        return x->v.type == y->v.type && str_find_str(bytes_of(x, e->a), bytes_of(y, e->a)) >= 0;
    return value_contains(&x->v, &y->v, e->a);
}

static bool call(struct eval *e, const struct expr_node *n)
{
    struct datum x, y;
    bool there = get(e, n->arg[0], &x);
    if (n->op == EXPR_EXISTS || n->op == EXPR_NOT_EXISTS)
        return there == (n->op == EXPR_EXISTS);
    if (!there || !get(e, n->arg[1], &y))
        return false;
    if (n->op == EXPR_CONTAINS)
        return contains(e, &x, &y);
    if (n->op == EXPR_TYPE)
        return y.v.type == ATTR_S && str_eq_c(bytes_of(&y, e->a), attr_type_name(x.v.type));
    ASSERT(n->op == EXPR_BEGINS_WITH);
    return x.v.type == y.v.type && (x.v.type == ATTR_S || x.v.type == ATTR_B) &&
           str_starts(bytes_of(&x, e->a), bytes_of(&y, e->a));
}

static bool eval(struct eval *e, const struct expr_node *n)
{
    switch (n->op) {
    case EXPR_AND:
        return eval(e, n->left) && eval(e, n->right);
    case EXPR_OR:
        return eval(e, n->left) || eval(e, n->right);
    case EXPR_NOT:
        return !eval(e, n->left);
    case EXPR_BETWEEN:
        return between(e, n);
    case EXPR_IN:
        return in(e, n);
    default:
        return n->op <= EXPR_GE ? compare(e, n) : call(e, n);
    }
}

bool expr_cond_eval(const struct expr_cond *x, struct str item, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct eval e = {.a = scratch};
    load(x, item, &e);
    bool result = eval(&e, x->root);
    arena_rewind(scratch, mark);
    return result;
}
