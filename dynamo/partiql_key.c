/* Conditions on key attributes: as terms of a key, as the key of one item, and what is left. */
#include "partiql_key.h"
#include <string.h>

/* ---- conditions as key terms ---- */

const struct expr_path *pql_plain_path(const struct expr_operand *o, struct str name)
{
    return o->kind == OPERAND_PATH && str_eq(o->path->step[0].name, name) ? o->path : NULL;
}

struct attr pql_attr(struct arena *a, const struct value *v)
{
    struct attr ret = {.type = v->type, .json = v->json};
    bool scalar = v->type == ATTR_S || v->type == ATTR_N || v->type == ATTR_B;
    ret.bytes = scalar ? value_bytes(v, a) : STR("");
    return ret;
}

static const struct {
    enum expr_op op, flipped;
    enum expr_key_op means;
} comparisons[] = {{EXPR_EQ, EXPR_EQ, KEY_EQ},
                   {EXPR_LT, EXPR_GT, KEY_LT},
                   {EXPR_LE, EXPR_GE, KEY_LE},
                   {EXPR_GT, EXPR_LT, KEY_GT},
                   {EXPR_GE, EXPR_LE, KEY_GE}};

bool pql_term(struct arena *a, const struct expr_node *n, struct str name,
              struct expr_key_term *ret)
{
    if (n->op < EXPR_EQ || n->count < 2)
        return false;
    struct expr_operand *const *arg = n->arg;
    bool flipped = arg[0]->kind == OPERAND_VALUE && n->count == 2;
    const struct expr_operand *path = arg[flipped ? 1 : 0], *low = arg[flipped ? 0 : 1];
    if (pql_plain_path(path, name) == NULL || path->path->count != 1 || low->kind != OPERAND_VALUE)
        return false;
    *ret = (struct expr_key_term){.name = name, .low = pql_attr(a, low->value)};
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        if (n->op == (flipped ? comparisons[i].flipped : comparisons[i].op)) {
            ret->op = comparisons[i].means;
            return true;
        }
    }
    if (flipped)
        return false;
    if (n->op == EXPR_BETWEEN && arg[2]->kind == OPERAND_VALUE) {
        ret->op = KEY_BETWEEN;
        ret->high = pql_attr(a, arg[2]->value);
        return true;
    }
    ret->op = KEY_BEGINS_WITH;
    return n->op == EXPR_BEGINS_WITH;
}

struct expr_node *pql_and(struct arena *a, struct expr_node *left, struct expr_node *right)
{
    if (left == NULL || right == NULL)
        return left != NULL ? left : right;
    return expr_node_logic(a, EXPR_AND, left, right);
}

/* ---- checks ---- */

static bool has_type(const struct attr *at, char type)
{
    const char *name = attr_type_name(at->type);
    return name[0] == type && name[1] == '\0';
}

bool pql_check_key_type(struct pql_context *x, const struct attr *at, const struct key_part *part)
{
    return has_type(at, part->type) ||
           pql_fail(
               x,
               "Key attribute's data type should match its data type in table's schema: Key %.*s",
               STR_ARG(part->name));
}

bool pql_check_scalar(struct pql_context *x, const struct key_schema *key,
                      const struct expr_node *n)
{
    if (n->op == EXPR_AND)
        return pql_check_scalar(x, key, n->left) && pql_check_scalar(x, key, n->right);
    for (size_t i = 0; n->op > EXPR_NOT && i < n->count; i++) {
        for (size_t k = 0; k < (size_t)key->hash_count + key->range_count; k++) {
            const struct expr_path *p = pql_plain_path(n->arg[i], key->part[k].name);
            if (p != NULL && p->count > 1)
                return pql_fail(x,
                                "Key attributes must be scalars; list random access '[]' and map "
                                "lookup '.' are not allowed: Key: %.*s",
                                STR_ARG(key->part[k].name));
        }
    }
    return true;
}

/* ---- one item ---- */

struct splitter {
    struct pql_context *x;
    const struct key_schema *key;
    bool reads;
    struct attr found[TABLE_KEY_PARTS_MAX];
};

/* Takes the equalities of key attributes out of n; what is left in *ret. */
static bool split(struct splitter *s, struct expr_node *n, struct expr_node **ret)
{
    struct expr_node *left, *right;
    struct expr_key_term term;
    if (n->op == EXPR_AND) {
        if (!split(s, n->left, &left) || !split(s, n->right, &right))
            return false;
        *ret = pql_and(s->x->a, left, right);
        return true;
    }
    *ret = n;
    for (size_t i = 0; i < (size_t)s->key->hash_count + s->key->range_count; i++) {
        struct str name = s->key->part[i].name;
        if (!pql_term(s->x->a, n, name, &term) || term.op != KEY_EQ)
            continue;
        bool again = s->found[i].type != ATTR_NONE;
        if (again && str_eq(s->found[i].json, term.low.json)) {
            *ret = NULL;
        } else if (!again) {
            s->found[i] = term.low;
            *ret = NULL;
        } else if (!s->reads) {
            return pql_fail(s->x,
                            "Multiple conditions on same key %.*s. Only single item "
                            "Update/Insert/Delete are supported",
                            STR_ARG(name));
        }
    }
    return true;
}

bool pql_split_key(struct pql_context *x, const struct key_schema *key, struct expr_node *where,
                   bool reads, struct pql_key_split *ret)
{
    struct splitter s = {.x = x, .key = key, .reads = reads};
    size_t parts = (size_t)key->hash_count + key->range_count;
    *ret = (struct pql_key_split){0};
    if (where == NULL)
        return true;
    if (!pql_check_scalar(x, key, where) || !split(&s, where, &ret->rest))
        return false;
    for (size_t i = 0; i < parts; i++) {
        if (s.found[i].type == ATTR_NONE)
            return true;
    }
    ret->complete = true;
    struct buf *json = arena_new_buf(x->a, 1 << 22), *text = arena_new_buf(x->a, 1 << 22);
    struct json_out out;
    struct jval v;
    json_out_init(&out, json);
    json_obj(&out, NULL);
    for (size_t i = 0; i < parts; i++) {
        if (!pql_check_key_type(x, &s.found[i], &key->part[i]))
            return false;
        json_key(&out, key->part[i].name);
        json_raw(&out, NULL, s.found[i].json);
    }
    json_end(&out);
    return json_parse(x->a, buf_view(json), JSON_DEPTH_DEFAULT, &v, NULL) &&
           item_read(v, ATTR_OLDER, x->a, text, &ret->key, x->err);
}

/* ---- names ---- */

struct names {
    struct arena *a;
    struct str *name;
    size_t count, cap;
};

static void add_operand_names(struct names *x, const struct expr_operand *o)
{
    for (size_t i = 0; i < o->count; i++)
        add_operand_names(x, o->arg[i]);
    if (o->kind != OPERAND_PATH)
        return;
    struct str name = o->path->step[0].name;
    for (size_t i = 0; i < x->count; i++) {
        if (str_eq(x->name[i], name))
            return;
    }
    if (x->count == x->cap) {
        struct str *grown = ARENA_ARRAY(x->a, struct str, x->cap = x->cap * 2 + 8);
        if (x->count > 0)
            memcpy(grown, x->name, x->count * sizeof *grown);
        x->name = grown;
    }
    x->name[x->count++] = name;
}

static void add_node_names(struct names *x, const struct expr_node *n)
{
    if (n->left != NULL)
        add_node_names(x, n->left);
    if (n->right != NULL)
        add_node_names(x, n->right);
    for (size_t i = 0; i < n->count; i++)
        add_operand_names(x, n->arg[i]);
}

struct str *pql_condition_names(struct arena *a, const struct expr_node *n, size_t *ret_count)
{
    struct names x = {.a = a};
    if (n != NULL)
        add_node_names(&x, n);
    *ret_count = x.count;
    return x.name;
}
