/* Making trees. */
#include "expr_ast.h"
#include "panic.h"
#include <string.h>

static struct expr_step *add_step(struct arena *a, struct expr_path *p)
{
    if (p->count == p->cap) {
        size_t cap = p->cap == 0 ? 4 : p->cap * 2;
        struct expr_step *grown = ARENA_ARRAY(a, struct expr_step, cap);
        if (p->count > 0)
            memcpy(grown, p->step, p->count * sizeof *grown);
        p->step = grown;
        p->cap = cap;
    }
    return &p->step[p->count++];
}

struct expr_path *expr_path_new(struct arena *a, struct str name)
{
    struct expr_path *p = ARENA_NEW(a, struct expr_path);
    expr_path_add_name(a, p, name);
    return p;
}

void expr_path_add_name(struct arena *a, struct expr_path *p, struct str name)
{
    ASSERT(name.p != NULL);
    struct expr_step *s = add_step(a, p);
    s->name = name;
    s->key = text_key(name, a);
}

void expr_path_add_index(struct arena *a, struct expr_path *p, uint32_t index)
{
    ASSERT(p->count > 0);
    add_step(a, p)->index = index;
}

struct str expr_path_text(const struct expr_path *p, struct arena *a)
{
    struct buf *b = arena_new_buf(a, SIZE_MAX / 2);
    buf_addc(b, '[');
    for (size_t i = 0; i < p->count; i++) {
        const struct expr_step *s = &p->step[i];
        buf_add(b, i == 0 ? STR("") : STR(", "));
        if (s->name.p != NULL)
            buf_add(b, s->name);
        else
            buf_addf(b, "[%u]", s->index);
    }
    buf_addc(b, ']');
    return buf_view(b);
}

struct expr_operand *expr_operand_path(struct arena *a, struct expr_path *p)
{
    struct expr_operand *x = ARENA_NEW(a, struct expr_operand);
    x->kind = OPERAND_PATH;
    x->path = p;
    return x;
}

void expr_operand_set_value(struct arena *a, struct expr_operand *x, struct str json)
{
    x->kind = OPERAND_VALUE;
    x->value = ARENA_NEW(a, struct value);
    *x->value = value_wrap(json);
    if (x->value->type == ATTR_N)
        value_number(x->value, &x->number);
    if (x->value->type == ATTR_S || x->value->type == ATTR_B)
        x->bytes = value_bytes(x->value, a);
}

struct expr_operand *expr_operand_value(struct arena *a, struct str json)
{
    struct expr_operand *x = ARENA_NEW(a, struct expr_operand);
    expr_operand_set_value(a, x, json);
    return x;
}

struct expr_operand *expr_operand_call(struct arena *a, enum expr_operand_kind kind,
                                       struct expr_operand *first, struct expr_operand *second)
{
    struct expr_operand *x = ARENA_NEW(a, struct expr_operand);
    x->kind = kind;
    x->arg = ARENA_ARRAY(a, struct expr_operand *, 2);
    x->arg[0] = first;
    x->arg[1] = second;
    x->count = second == NULL ? 1 : 2;
    return x;
}

struct expr_node *expr_node_logic(struct arena *a, enum expr_op op, struct expr_node *left,
                                  struct expr_node *right)
{
    struct expr_node *n = ARENA_NEW(a, struct expr_node);
    ASSERT(op == EXPR_AND || op == EXPR_OR || op == EXPR_NOT);
    n->op = op;
    n->left = left;
    n->right = right;
    return n;
}

struct expr_node *expr_node_test(struct arena *a, enum expr_op op, struct expr_operand *const *args,
                                 size_t count)
{
    struct expr_node *n = ARENA_NEW(a, struct expr_node);
    n->op = op;
    n->count = count;
    n->arg = ARENA_ARRAY(a, struct expr_operand *, count + 1);
    for (size_t i = 0; i < count; i++)
        n->arg[i] = args[i];
    return n;
}

void expr_actions_add(struct arena *a, struct expr_actions *list, struct expr_action x)
{
    if (list->count == list->cap) {
        size_t cap = list->cap == 0 ? 8 : list->cap * 2;
        struct expr_action *grown = ARENA_ARRAY(a, struct expr_action, cap);
        if (list->count > 0)
            memcpy(grown, list->action, list->count * sizeof *grown);
        list->action = grown;
        list->cap = cap;
    }
    list->action[list->count++] = x;
}
