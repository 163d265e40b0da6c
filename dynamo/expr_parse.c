/* What all languages share: paths, values, function calls. */
#include "expr_internal.h"

const struct token *expr_peek(const struct expr_parser *p)
{
    return &p->token[p->at];
}

bool expr_at_symbol(const struct expr_parser *p, const char *symbol)
{
    const struct token *t = expr_peek(p);
    return t->kind == T_SYMBOL && str_eq_c(expr_token_text(p, t), symbol);
}

bool expr_at_word(const struct expr_parser *p, enum keyword w)
{
    const struct token *t = expr_peek(p);
    return t->kind == T_WORD && expr_keyword(p->kind, expr_token_text(p, t)) == w;
}

bool expr_take_symbol(struct expr_parser *p, const char *symbol)
{
    if (!expr_at_symbol(p, symbol))
        return expr_syntax_error(p);
    p->at++;
    return true;
}

static bool parse_index(struct expr_parser *p, struct expr_path *path)
{
    p->at++; /* the bracket */
    if (expr_peek(p)->kind != T_INDEX)
        return expr_syntax_error(p);
    struct str digits = expr_token_text(p, expr_peek(p));
    p->at++;
    int64_t value;
    bool fits = str_to_i64(digits, &value) && value <= INT32_MAX;
    expr_path_add_index(p->a, path, fits ? (uint32_t)value : EXPR_INDEX_TOO_BIG);
    path->step[path->count - 1].key = digits;
    return expr_take_symbol(p, "]");
}

struct expr_path *expr_parse_path(struct expr_parser *p)
{
    struct expr_path *path = NULL;
    for (;;) {
        const struct token *t = expr_peek(p);
        if (t->kind != T_NAME && t->kind != T_REF) {
            expr_syntax_error(p);
            return NULL;
        }
        p->at++;
        if (path == NULL)
            path = expr_path_new(p->a, expr_token_text(p, t));
        else
            expr_path_add_name(p->a, path, expr_token_text(p, t));
        while (expr_at_symbol(p, "[")) {
            if (!parse_index(p, path))
                return NULL;
        }
        if (!expr_at_symbol(p, "."))
            return path;
        p->at++;
    }
}

/* t: the name, the bracket follows. */
static struct expr_operand *parse_call(struct expr_parser *p)
{
    struct expr_operand *x = ARENA_NEW(p->a, struct expr_operand), **arg = NULL;
    size_t cap = 0;
    x->kind = OPERAND_CALL;
    x->name = expr_token_text(p, expr_peek(p));
    p->at += 2;
    for (;;) {
        if (x->count == cap) {
            cap = cap == 0 ? 4 : cap * 2;
            arg = ARENA_ARRAY(p->a, struct expr_operand *, cap);
            for (size_t i = 0; i < x->count; i++)
                arg[i] = x->arg[i];
            x->arg = arg;
        }
        struct expr_operand *next = expr_parse_operand(p);
        if (next == NULL)
            return NULL;
        x->arg[x->count++] = next;
        if (!expr_at_symbol(p, ","))
            break;
        p->at++;
    }
    return expr_take_symbol(p, ")") ? x : NULL;
}

struct expr_operand *expr_parse_plain_operand(struct expr_parser *p)
{
    const struct token *t = expr_peek(p);
    if (t->kind == T_VALUE) {
        struct expr_operand *x = ARENA_NEW(p->a, struct expr_operand);
        x->kind = OPERAND_VALUE;
        x->name = expr_token_text(p, t);
        p->at++;
        return x;
    }
    if (t->kind == T_NAME && t[1].kind == T_SYMBOL && p->text.p[t[1].at] == '(')
        return parse_call(p);
    struct expr_path *path = expr_parse_path(p);
    return path == NULL ? NULL : expr_operand_path(p->a, path);
}

struct expr_operand *expr_parse_operand(struct expr_parser *p)
{
    size_t open = 0;
    while (expr_at_symbol(p, "(")) {
        p->at++;
        open++;
    }
    if (open > 1)
        p->redundant_parens = true;
    struct expr_operand *x = expr_parse_plain_operand(p);
    for (; x != NULL && open > 0; open--) {
        if (!expr_take_symbol(p, ")"))
            return NULL;
    }
    return x;
}
