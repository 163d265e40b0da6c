/* Conditions: parsing as a whole, sealing, and evaluation over an item's text. Only the top-level
 * attributes an expression names are looked for, in one walk that stops at the last of them. */
#include "expr_internal.h"
#include "panic.h"
#include <string.h>

struct expr_cond {
    const struct expr_node *root;
    struct str *key, *name; /* top-level attributes: as in text, plain */
    bool *into;             /* some path goes further */
    size_t slots, cap;
};

static void add_slot(struct arena *a, struct expr_cond *x, struct expr_path *p)
{
    struct str key = p->step[0].key;
    for (size_t i = 0; i < x->slots; i++) {
        if (str_eq(x->key[i], key)) {
            x->into[i] = x->into[i] || p->count > 1;
            p->slot = i;
            return;
        }
    }
    if (x->slots == x->cap) {
        size_t cap = x->cap == 0 ? 8 : x->cap * 2;
        struct str *keys = ARENA_ARRAY(a, struct str, cap),
                   *names = ARENA_ARRAY(a, struct str, cap);
        bool *into = ARENA_ARRAY(a, bool, cap);
        for (size_t i = 0; i < x->slots; i++) {
            keys[i] = x->key[i];
            names[i] = x->name[i];
            into[i] = x->into[i];
        }
        x->into = into;
        x->key = keys;
        x->name = names;
        x->cap = cap;
    }
    x->key[x->slots] = key;
    x->name[x->slots] = p->step[0].name;
    x->into[x->slots] = p->count > 1;
    p->slot = x->slots++;
}

static void seal_operand(struct arena *a, struct expr_cond *x, struct expr_operand *o)
{
    if (o->kind == OPERAND_PATH)
        add_slot(a, x, o->path);
    ASSERT(o->kind == OPERAND_PATH || o->kind == OPERAND_VALUE || o->kind == OPERAND_SIZE);
    for (size_t i = 0; i < o->count; i++)
        seal_operand(a, x, o->arg[i]);
}

static void seal_node(struct arena *a, struct expr_cond *x, struct expr_node *n)
{
    ASSERT(n->op != EXPR_CALL);
    if (n->left != NULL)
        seal_node(a, x, n->left);
    if (n->right != NULL)
        seal_node(a, x, n->right);
    for (size_t i = 0; i < n->count; i++)
        seal_operand(a, x, n->arg[i]);
}

struct expr_cond *expr_cond_seal(struct arena *a, struct expr_node *root)
{
    struct expr_cond *x = ARENA_NEW(a, struct expr_cond);
    x->root = root;
    seal_node(a, x, root);
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
            if (str_eq(x->name[i], names[k]))
                return names[k];
        }
    }
    return STR_NONE;
}

const struct str *expr_cond_names(const struct expr_cond *x, size_t *ret_count)
{
    *ret_count = x->slots;
    return x->name;
}

bool expr_cond_goes_into(const struct expr_cond *x, struct str name)
{
    for (size_t i = 0; i < x->slots; i++) {
        if (x->into[i] && str_eq(x->name[i], name))
            return true;
    }
    return false;
}

/* ---- evaluation ---- */

struct eval {
    struct str *found; /* a slot's value; STR_NONE: the item has none */
    struct arena *a;
};

static void load(const struct expr_cond *x, struct str item, struct eval *e)
{
    size_t left = x->slots, at = 0;
    struct str key, value;
    e->found = ARENA_ARRAY(e->a, struct str, x->slots + 1);
    while (left > 0 && text_next_member(item, &at, &key, &value)) {
        for (size_t i = 0; i < x->slots; i++) {
            if (key.n == x->key[i].n && memcmp(key.p, x->key[i].p, key.n) == 0) {
                e->found[i] = value;
                left--;
                break;
            }
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
