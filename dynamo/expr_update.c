/* UpdateExpression: grammar and checks. Applying it is expr_apply.c. */
#include "expr_update.h"
#include "expr_internal.h"
#include "panic.h"

struct section {
    enum expr_action_kind kind;
    size_t first; /* of its actions */
};
enum { SECTION_MIN = 5 }; /* bytes: "ADD a" */

struct sections {
    struct section *list;
    size_t count, cap;
};

static const char *const kind_names[] = {[ACTION_SET] = "SET",
                                         [ACTION_REMOVE] = "REMOVE",
                                         [ACTION_ADD] = "ADD",
                                         [ACTION_DELETE] = "DELETE"};

/* One parenthesis may stand around the whole sum: set a = (b + c). */
static struct expr_operand *parse_sum(struct expr_parser *p);

static struct expr_operand *parse_set_value(struct expr_parser *p)
{
    size_t start = p->at;
    if (!expr_at_symbol(p, "("))
        return parse_sum(p);
    /* A parenthesis around one operand or around the sum: the token behind the operand decides. */
    size_t open = 0;
    while (expr_at_symbol(p, "(")) {
        p->at++;
        open++;
    }
    struct expr_operand *x = expr_parse_plain_operand(p);
    if (x == NULL)
        return NULL;
    bool around_sum = true;
    for (size_t closed = 0; closed < open && around_sum; closed++) {
        if (expr_at_symbol(p, "+") || expr_at_symbol(p, "-")) {
            if (open - closed > 1)
                p->redundant_parens = true;
            p->at = start + open - closed;
            x = parse_sum(p);
            for (; x != NULL && closed < open; closed++) {
                if (!expr_take_symbol(p, ")"))
                    return NULL;
            }
            return x;
        }
        if (!expr_take_symbol(p, ")"))
            return NULL;
    }
    p->at = start;
    return parse_sum(p);
}

static struct expr_operand *parse_sum(struct expr_parser *p)
{
    struct expr_operand *left = expr_parse_operand(p), *right;
    bool plus = expr_at_symbol(p, "+");
    if (left == NULL || (!plus && !expr_at_symbol(p, "-")))
        return left;
    p->at++;
    if ((right = expr_parse_operand(p)) == NULL)
        return NULL;
    return expr_operand_call(p->a, plus ? OPERAND_PLUS : OPERAND_MINUS, left, right);
}

static bool parse_action(struct expr_parser *p, enum expr_action_kind kind,
                         struct expr_actions *list)
{
    struct expr_action x = {.kind = kind, .path = expr_parse_path(p)};
    if (x.path == NULL)
        return false;
    if (kind == ACTION_SET && (!expr_take_symbol(p, "=") || (x.value = parse_set_value(p)) == NULL))
        return false;
    if (kind == ACTION_ADD || kind == ACTION_DELETE) {
        if (expr_peek(p)->kind != T_VALUE)
            return expr_syntax_error(p);
        if ((x.value = expr_parse_plain_operand(p)) == NULL)
            return false;
    }
    expr_actions_add(p->a, list, x);
    return true;
}

static bool parse_sections(struct expr_parser *p, struct expr_actions *list, struct sections *s)
{
    static const enum keyword words[] = {W_SET, W_REMOVE, W_ADD, W_DELETE};
    do {
        size_t kind = 0;
        while (kind < 4 && !expr_at_word(p, words[kind]))
            kind++;
        if (kind == 4)
            return expr_syntax_error(p);
        p->at++;
        ASSERT(s->count < s->cap);
        s->list[s->count++] = (struct section){(enum expr_action_kind)kind, list->count};
        for (;;) {
            if (!parse_action(p, (enum expr_action_kind)kind, list))
                return false;
            if (!expr_at_symbol(p, ","))
                break;
            p->at++;
        }
    } while (expr_peek(p)->kind != T_END);
    return true;
}

/* Round one: in the order written; that a section is there twice shows at its end. */
static bool check_names(struct expr_parser *p, const struct expr_actions *list,
                        const struct sections *s)
{
    bool seen[4] = {false};
    for (size_t k = 0; k < s->count; k++) {
        size_t end = k + 1 < s->count ? s->list[k + 1].first : list->count;
        for (size_t i = s->list[k].first; i < end; i++) {
            const struct expr_action *x = &list->action[i];
            if (!expr_check_path(p, x->path) ||
                (x->value != NULL && !expr_check_operand(p, x->value, false)))
                return false;
        }
        if (seen[s->list[k].kind])
            return expr_fail(p, "The \"%s\" section can only be used once in an update expression;",
                             kind_names[s->list[k].kind]);
        seen[s->list[k].kind] = true;
    }
    return true;
}

static bool check_add_type(struct expr_parser *p, const struct expr_action *x)
{
    static const char *const names[] = {
        [ATTR_S] = "STRING", [ATTR_N] = "NUMBER",  [ATTR_B] = "BINARY",    [ATTR_M] = "MAP",
        [ATTR_L] = "LIST",   [ATTR_NULL] = "NULL", [ATTR_BOOL] = "BOOLEAN"};
    enum attr_type type = x->value->value->type;
    if (type == ATTR_SS || type == ATTR_NS || type == ATTR_BS ||
        (type == ATTR_N && x->kind == ACTION_ADD))
        return true;
    return expr_fail(p,
                     "Incorrect operand type for operator or function; operator: %s, operand type: "
                     "%s, typeSet: ALLOWED_FOR_%s_OPERAND",
                     kind_names[x->kind], names[type], kind_names[x->kind]);
}

/* Round two goes from the last action to the first, as DynamoDB does. */
static bool resolve_values(struct expr_parser *p, const struct expr_actions *list)
{
    for (size_t i = list->count; i-- > 0;) {
        struct expr_action *x = &list->action[i];
        if (x->value == NULL)
            continue;
        if (!expr_resolve_operand(p, x->value))
            return false;
        if (x->kind != ACTION_SET && !check_add_type(p, x))
            return false;
    }
    return true;
}

static struct expr_path **paths_of(struct arena *a, const struct expr_actions *list)
{
    struct expr_path **paths = ARENA_ARRAY(a, struct expr_path *, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        paths[i] = list->action[i].path;
    return paths;
}

static bool check_operators(struct expr_parser *p, const struct expr_actions *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct expr_operand *x = list->action[i].value;
        count += x != NULL && (x->kind == OPERAND_PLUS || x->kind == OPERAND_MINUS);
    }
    return expr_check_operators(p, count);
}

static struct expr_update *seal(struct arena *a, const struct expr_actions *list)
{
    struct expr_update *x = ARENA_NEW(a, struct expr_update);
    x->actions = *list;
    expr_pick_build(a, paths_of(a, list), list->count, &x->touched);
    return x;
}

bool expr_update_seal(struct arena *a, const struct expr_actions *list, const char *prefix,
                      struct expr_update **ret, struct aws_err *err)
{
    if (expr_paths_clash(a, paths_of(a, list), list->count, prefix, err))
        return false;
    *ret = seal(a, list);
    return true;
}

bool expr_parse_update(struct expr_env *env, struct str text, struct expr_update **ret,
                       struct aws_err *err)
{
    struct expr_parser p;
    struct expr_actions list = {0};
    struct sections s = {.cap = text.n / SECTION_MIN + 1};
    if (!expr_start(&p, env, EXPR_UPDATE, text, err))
        return false;
    s.list = ARENA_ARRAY(env->a, struct section, s.cap);
    if (!parse_sections(&p, &list, &s))
        return false;
    if (p.redundant_parens)
        return expr_fail(&p, "The expression has redundant parentheses;");
    if (!check_names(&p, &list, &s) ||
        !expr_resolve_paths(&p, paths_of(env->a, &list), list.count) ||
        !resolve_values(&p, &list) || !check_operators(&p, &list))
        return false;
    *ret = seal(env->a, &list);
    return true;
}

struct str expr_update_touches(const struct expr_update *x, const struct str *names, size_t count)
{
    for (size_t i = 0; i < x->actions.count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (str_eq(x->actions.action[i].path->step[0].name, names[k]))
                return names[k];
        }
    }
    return STR_NONE;
}

bool expr_update_cut(const struct expr_update *x, struct str item, struct buf *out)
{
    size_t start = out->n;
    if (item.n > 0 && expr_pick_cut(x->touched, item, out))
        return true;
    out->n = start;
    return false;
}
