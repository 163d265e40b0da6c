/* SET and REMOVE of an UPDATE as the actions of an update expression. */
#include "partiql.h"

static bool value(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret);

static bool call(struct pql_context *x, const struct pql_node *n, enum expr_operand_kind kind,
                 struct expr_operand **ret)
{
    struct expr_operand *o = expr_operand_call(x->a, kind, NULL, NULL);
    o->name = n->text;
    o->arg = ARENA_ARRAY(x->a, struct expr_operand *, n->count + 1);
    o->count = n->count;
    for (uint32_t i = 0; i < n->count; i++) {
        if (!value(x, n->child[i], &o->arg[i]))
            return false;
    }
    *ret = o;
    return true;
}

static bool is_one_of(struct str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(name, names[i]))
            return true;
    }
    return false;
}

static bool function(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret)
{
    static const char *const of_updates[] = {"list_append", "if_not_exists"};
    static const char *const of_conditions[] = {"attribute_exists", "attribute_not_exists",
                                                "attribute_type",   "begins_with",
                                                "contains",         "size"};
    if (is_one_of(n->text, of_updates, 2))
        return call(x, n, OPERAND_CALL, ret);
    if (is_one_of(n->text, of_conditions, 6))
        return pql_fail(x, "The function is not allowed in an update expression; function: %.*s",
                        STR_ARG(n->text));
    return pql_fail(x, "Unrecognized function: %.*s" PQL_AT, STR_ARG(n->text), PQL_AT_ARG(n->at));
}

static bool arithmetic(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret)
{
    bool plus = str_eq_c(n->text, "+"), minus = str_eq_c(n->text, "-");
    if (!plus && !minus)
        return pql_fail(x, "Unsupported operator in Update Expression. Operator: %.*s",
                        STR_ARG(n->text));
    if (n->count != 2)
        return pql_fail(x,
                        "Incorrect number of operands for operator or function; operator or "
                        "function: %.*s, number of operands: %u",
                        STR_ARG(n->text), n->count);
    return call(x, n, plus ? OPERAND_PLUS : OPERAND_MINUS, ret);
}

static bool value(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret)
{
    struct expr_path *path;
    struct attr literal;
    switch (n->kind) {
    case PQL_MISSING:
        return pql_fail(x, "MISSING must be compared using IS operator");
    case PQL_NAME:
    case PQL_PATH:
        if (!pql_path(x, n, &path))
            return false;
        *ret = expr_operand_path(x->a, path);
        return true;
    case PQL_OP:
        return arithmetic(x, n, ret);
    case PQL_IS:
        return pql_fail(x, "IS operator is not supported in update expressions");
    case PQL_CALL:
        return function(x, n, ret);
    default:
        break;
    }
    if (!pql_is_value(n))
        return pql_fail(x, "Unsupported token in expression: %.*s" PQL_AT,
                        STR_ARG(n->kind == PQL_SELECT ? STR("SELECT") : n->text),
                        PQL_AT_ARG(n->at));
    if (!pql_value(x, n, &literal))
        return false;
    *ret = expr_operand_value(x->a, literal.json);
    return true;
}

static bool same_path(const struct expr_path *a, const struct expr_path *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        bool both_names = a->step[i].name.p != NULL && b->step[i].name.p != NULL;
        same = both_names ? str_eq(a->step[i].name, b->step[i].name)
                          : a->step[i].name.p == NULL && b->step[i].name.p == NULL &&
                                a->step[i].index == b->step[i].index;
    }
    return same;
}

/* set_add(path, set) and set_delete(path, set): the actions ADD and DELETE. */
static bool set_function(struct pql_context *x, const struct pql_node *n, struct expr_action *ret)
{
    const char *name = ret->kind == ACTION_ADD ? "SET_ADD" : "SET_DELETE";
    struct expr_path *path = NULL;
    struct attr set = {.type = ATTR_NONE};
    if (n->count != 2)
        return pql_fail(x, "%s must have exactly two arguments" PQL_AT, name, PQL_AT_ARG(n->at));
    bool is_path = n->child[0]->kind == PQL_NAME || n->child[0]->kind == PQL_PATH;
    if (is_path && !pql_path(x, n->child[0], &path))
        return false;
    if (!is_path || !same_path(path, ret->path))
        return pql_fail(x, "The first argument to %s must equal the assignment value" PQL_AT, name,
                        PQL_AT_ARG(n->at));
    if (pql_is_value(n->child[1]) && !pql_value(x, n->child[1], &set))
        return false;
    if (set.type != ATTR_SS && set.type != ATTR_NS && set.type != ATTR_BS)
        return pql_fail(x, "The second argument to %s must be a value with type SET" PQL_AT, name,
                        PQL_AT_ARG(n->child[0]->at));
    ret->value = expr_operand_value(x->a, set.json);
    return true;
}

static bool set_action(struct pql_context *x, const struct pql_node *n, struct expr_action *ret)
{
    bool add = n->kind == PQL_CALL && str_eq_c(n->text, "set_add");
    if (add || (n->kind == PQL_CALL && str_eq_c(n->text, "set_delete"))) {
        ret->kind = add ? ACTION_ADD : ACTION_DELETE;
        return set_function(x, n, ret);
    }
    return value(x, n, &ret->value) && expr_check_operands(x->a, ret->value, x->err);
}

bool pql_update(struct pql_context *x, const struct pql_dml *d, struct expr_update **ret)
{
    struct expr_actions actions = {0};
    for (size_t i = 0; i < d->count; i++) {
        const struct pql_action *from = &d->actions[i];
        struct expr_action to = {.kind = from->kind == PQL_SET ? ACTION_SET : ACTION_REMOVE};
        if (from->kind != PQL_SET && from->kind != PQL_REMOVE)
            return pql_fail(x, "Only SET and REMOVE are supported in update expressions at this "
                               "time");
        if (!pql_path(x, from->target, &to.path))
            return false;
        if (from->kind == PQL_SET && !set_action(x, from->value, &to))
            return false;
        expr_actions_add(x->a, &actions, to);
    }
    return expr_update_seal(x->a, &actions, "", ret, x->err);
}
