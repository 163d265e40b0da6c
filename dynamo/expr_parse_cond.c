/* The grammar of conditions: OR below AND below NOT below comparisons. A parenthesis may hold a
 * condition or an operand, which only shows after it; so one function parses both. */
#include "expr_internal.h"

struct parsed { /* exactly one of them, or a function call that may turn out to be either */
    struct expr_node *node;
    struct expr_operand *operand;
    bool paren;
};

static bool parse_term(struct expr_parser *p, struct parsed *ret);
static bool parse_level(struct expr_parser *p, int level, struct parsed *ret);

static bool fail(struct expr_parser *p)
{
    return expr_syntax_error(p);
}

/* A condition is wanted here. */
static bool want_node(struct expr_parser *p, struct parsed *x)
{
    if (x->node != NULL)
        return true;
    if (x->operand->kind != OPERAND_CALL)
        return fail(p);
    x->node = expr_node_test(p->a, EXPR_CALL, x->operand->arg, x->operand->count);
    x->node->name = x->operand->name;
    return true;
}

static bool compare_op(const struct expr_parser *p, enum expr_op *ret)
{
    static const char *const symbols[] = {"=", "<>", "<", "<=", ">", ">="};
    for (int i = 0; i < 6; i++) {
        if (expr_at_symbol(p, symbols[i])) {
            *ret = (enum expr_op)(EXPR_EQ + i);
            return true;
        }
    }
    return false;
}

static bool parse_between(struct expr_parser *p, struct expr_operand *x, struct parsed *ret)
{
    struct expr_operand *low, *high;
    if ((low = expr_parse_operand(p)) == NULL)
        return false;
    if (!expr_at_word(p, W_AND))
        return fail(p);
    p->at++;
    if ((high = expr_parse_operand(p)) == NULL)
        return false;
    struct expr_operand *args[] = {x, low, high};
    ret->node = expr_node_test(p->a, EXPR_BETWEEN, args, 3);
    return true;
}

static bool parse_in(struct expr_parser *p, struct expr_operand *x, struct parsed *ret)
{
    struct expr_operand **args = ARENA_ARRAY(p->a, struct expr_operand *, p->count + 1);
    size_t count = 1;
    args[0] = x;
    if (!expr_take_symbol(p, "("))
        return false;
    for (;;) {
        if ((args[count++] = expr_parse_operand(p)) == NULL)
            return false;
        if (!expr_at_symbol(p, ","))
            break;
        p->at++;
    }
    if (!expr_take_symbol(p, ")"))
        return false;
    ret->node = expr_node_test(p->a, EXPR_IN, args, count);
    return true;
}

/* What may follow an operand. */
static bool parse_comparison(struct expr_parser *p, struct parsed *x)
{
    struct expr_operand *left = x->operand, *right;
    enum expr_op op;
    if (compare_op(p, &op)) {
        p->at++;
        if ((right = expr_parse_operand(p)) == NULL)
            return false;
        struct expr_operand *args[] = {left, right};
        *x = (struct parsed){.node = expr_node_test(p->a, op, args, 2)};
        return true;
    }
    bool between = expr_at_word(p, W_BETWEEN);
    if (!between && !expr_at_word(p, W_IN))
        return true;
    p->at++;
    *x = (struct parsed){0};
    return between ? parse_between(p, left, x) : parse_in(p, left, x);
}

static bool parse_paren(struct expr_parser *p, struct parsed *ret)
{
    p->at++;
    if (++p->parens > EXPR_PARENS_MAX) /* unverified: that nothing is said about the rest */
        return expr_fail(p, "The expression has redundant parentheses;");
    if (!parse_level(p, 0, ret))
        return false;
    if (!expr_at_symbol(p, ")"))
        return fail(p);
    p->at++;
    p->parens--;
    if (ret->paren)
        p->redundant_parens = true;
    ret->paren = true;
    return ret->operand == NULL || parse_comparison(p, ret);
}

static bool parse_term(struct expr_parser *p, struct parsed *ret)
{
    *ret = (struct parsed){0};
    if (expr_at_symbol(p, "("))
        return parse_paren(p, ret);
    if ((ret->operand = expr_parse_plain_operand(p)) == NULL)
        return false;
    return parse_comparison(p, ret);
}

static bool parse_not(struct expr_parser *p, struct parsed *ret)
{
    size_t nots = 0;
    while (expr_at_word(p, W_NOT)) {
        p->at++;
        nots++;
    }
    if (!parse_term(p, ret))
        return false;
    if (nots == 0)
        return true;
    if (!want_node(p, ret))
        return false;
    ret->paren = false;
    for (; nots > 0; nots--)
        ret->node = expr_node_logic(p->a, EXPR_NOT, ret->node, NULL);
    return true;
}

/* level 0: OR, 1: AND. An operand alone passes through, for the parenthesis around it. */
static bool parse_level(struct expr_parser *p, int level, struct parsed *ret)
{
    enum keyword word = level == 0 ? W_OR : W_AND;
    if (level == 0 ? !parse_level(p, 1, ret) : !parse_not(p, ret))
        return false;
    while (expr_at_word(p, word)) {
        struct parsed right;
        if (!want_node(p, ret))
            return false;
        p->at++;
        if (level == 0 ? !parse_level(p, 1, &right) : !parse_not(p, &right))
            return false;
        if (!want_node(p, &right))
            return false;
        *ret = (struct parsed){
            .node = expr_node_logic(p->a, level == 0 ? EXPR_OR : EXPR_AND, ret->node, right.node)};
    }
    return true;
}

struct expr_node *expr_parse_tree(struct expr_parser *p)
{
    struct parsed x;
    if (!parse_level(p, 0, &x) || !want_node(p, &x))
        return NULL;
    if (expr_peek(p)->kind != T_END) {
        fail(p);
        return NULL;
    }
    return x.node;
}
