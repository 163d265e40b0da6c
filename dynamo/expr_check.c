/* The checks that need no item. Seen from outside there are two rounds over the tree: one in the
 * order written for functions, reserved words and indexes, then one from the leaves up that looks
 * up names and values and judges the operands of every operator. */
#include "expr_internal.h"
#include "panic.h"
#include <string.h>

static const struct {
    const char *name;
    enum expr_function f;
    size_t operands;
    bool update; /* or of conditions */
} functions[] = {
    {"attribute_exists", FN_EXISTS, 1, false},    {"attribute_not_exists", FN_NOT_EXISTS, 1, false},
    {"attribute_type", FN_TYPE, 2, false},        {"begins_with", FN_BEGINS_WITH, 2, false},
    {"contains", FN_CONTAINS, 2, false},          {"size", FN_SIZE, 1, false},
    {"if_not_exists", FN_IF_NOT_EXISTS, 2, true}, {"list_append", FN_LIST_APPEND, 2, true},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static size_t find_function(struct str name)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (str_eq_c(name, functions[i].name))
            return i;
    }
    return FUNCTIONS;
}

enum expr_function expr_function(struct str name)
{
    size_t i = find_function(name);
    return i == FUNCTIONS ? FN_NONE : functions[i].f;
}

/* ---- round one ---- */

static bool check_function(struct expr_parser *p, struct str name)
{
    size_t i = find_function(name);
    bool update = p->kind == EXPR_UPDATE;
    if (i == FUNCTIONS)
        return expr_fail(p, "Invalid function name; function: %.*s", STR_ARG(name));
    if (functions[i].update == update)
        return true;
    return expr_fail(p, "The function is not allowed in %s expression; function: %.*s",
                     update ? "an update" : "a condition", STR_ARG(name));
}

static bool fail_misuse(struct expr_parser *p, struct str name)
{
    return expr_fail(
        p, "The function is not allowed to be used this way in an expression; function: %.*s",
        STR_ARG(name));
}

bool expr_check_path(struct expr_parser *p, const struct expr_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        const struct expr_step *s = &path->step[i];
        if (s->name.p != NULL && s->name.p[0] != '#' && expr_is_reserved(s->name))
            return expr_fail(p, "Attribute name is a reserved keyword; reserved keyword: %.*s",
                             STR_ARG(s->name));
        if (s->name.p == NULL && s->index == EXPR_INDEX_TOO_BIG)
            return expr_fail(p, "List index is not within the allowable range; index: [%.*s]",
                             STR_ARG(s->key));
    }
    return true;
}

bool expr_check_operand(struct expr_parser *p, const struct expr_operand *x, bool nested)
{
    if (x->kind == OPERAND_PATH)
        return expr_check_path(p, x->path);
    if (x->kind == OPERAND_VALUE)
        return true;
    if (x->kind == OPERAND_CALL) {
        if (!check_function(p, x->name))
            return false;
        enum expr_function f = expr_function(x->name);
        if (f != FN_SIZE && f != FN_IF_NOT_EXISTS && (f != FN_LIST_APPEND || nested))
            return fail_misuse(p, x->name);
    }
    for (size_t i = 0; i < x->count; i++) {
        if (!expr_check_operand(p, x->arg[i], true))
            return false;
    }
    return true;
}

static bool check_names(struct expr_parser *p, const struct expr_node *n)
{
    if (n->left != NULL)
        return check_names(p, n->left) && (n->right == NULL || check_names(p, n->right));
    if (n->op == EXPR_CALL) {
        if (!check_function(p, n->name))
            return false;
        if (expr_function(n->name) == FN_SIZE)
            return fail_misuse(p, n->name);
    }
    for (size_t i = 0; i < n->count; i++) {
        if (!expr_check_operand(p, n->arg[i], true))
            return false;
    }
    return true;
}

/* ---- round two ---- */

bool expr_resolve_path(struct expr_parser *p, struct expr_path *path)
{
    if (path->count > EXPR_PATH_MAX)
        return expr_fail(p, "The document path has too many nesting levels; nesting levels: %zu",
                         path->count);
    if (p->env == NULL)
        return true;
    for (size_t i = 0; i < path->count; i++) {
        struct expr_step *s = &path->step[i];
        if (s->name.p == NULL || s->name.p[0] != '#')
            continue;
        struct expr_ref *ref = expr_env_name(p->env, s->name);
        if (ref == NULL)
            return expr_fail(p,
                             "An expression attribute name used in the document path is not "
                             "defined; attribute name: %.*s",
                             STR_ARG(s->name));
        s->name = ref->name;
        s->key = text_key(ref->name, p->a);
    }
    return true;
}

const char *expr_static_type(const struct expr_operand *x)
{
    if (x->kind == OPERAND_VALUE)
        return attr_type_name(x->value->type);
    return x->kind == OPERAND_SIZE ? "N" : NULL;
}

static bool fail_operand_type(struct expr_parser *p, struct str function, const char *type)
{
    return expr_fail(p,
                     "Incorrect operand type for operator or function; operator or function: %.*s, "
                     "operand type: %s",
                     STR_ARG(function), type);
}

/* Every operand whose type is known must have one of types (names separated by blanks). */
static bool check_types(struct expr_parser *p, struct str function, struct expr_operand *const *arg,
                        size_t count, const char *types)
{
    for (size_t i = 0; i < count; i++) {
        const char *type = expr_static_type(arg[i]);
        if (type == NULL)
            continue;
        struct str rest = str_c(types);
        bool ok = false;
        while (!ok && rest.p != NULL)
            ok = str_eq_c(str_cut(&rest, ' '), type);
        if (!ok)
            return fail_operand_type(p, function, type);
    }
    return true;
}

static bool check_distinct(struct expr_parser *p, struct str operator,
                           struct expr_operand * const * arg, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (arg[0]->kind == OPERAND_PATH && arg[i]->kind == OPERAND_PATH &&
            expr_path_equal(arg[0]->path, arg[i]->path))
            return expr_fail(p,
                             "The first operand must be distinct from the remaining operands for "
                             "this operator or function; operator: %.*s, first operand: %.*s",
                             STR_ARG(operator), STR_ARG(expr_path_text(arg[0]->path, p->a)));
    }
    return true;
}

#define TYPE_NAMES "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"

static bool check_type_name(struct expr_parser *p, struct str function,
                            const struct expr_operand *x)
{
    const char *type = expr_static_type(x);
    if (type == NULL || strcmp(type, "S") != 0)
        return fail_operand_type(p, function,
                                 type != NULL ? type : "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
    for (int t = ATTR_S; t <= ATTR_BOOL; t++) {
        if (str_eq_c(x->bytes, attr_type_name((enum attr_type)t)))
            return true;
    }
    return expr_fail(p, "Invalid attribute type name found; type: %.*s, valid types: " TYPE_NAMES,
                     STR_ARG(x->bytes));
}

/* Operands are resolved. */
static bool check_call(struct expr_parser *p, struct str name, struct expr_operand *const *arg,
                       size_t count)
{
    size_t i = find_function(name);
    ASSERT(i < FUNCTIONS);
    if (count != functions[i].operands)
        return expr_fail(p,
                         "Incorrect number of operands for operator or function; operator or "
                         "function: %.*s, number of operands: %zu",
                         STR_ARG(name), count);
    enum expr_function f = functions[i].f;
    bool wants_path = f == FN_EXISTS || f == FN_NOT_EXISTS || f == FN_IF_NOT_EXISTS;
    if (wants_path && arg[0]->kind != OPERAND_PATH)
        return expr_fail(p,
                         "Operator or function requires a document path; operator or function: "
                         "%.*s",
                         STR_ARG(name));
    if (f != FN_LIST_APPEND && !check_distinct(p, name, arg, count))
        return false;
    switch (f) {
    case FN_BEGINS_WITH:
        return check_types(p, name, arg, count, "S B");
    case FN_SIZE:
        return check_types(p, name, arg, count, "S B SS NS BS L M");
    case FN_LIST_APPEND:
        return check_types(p, name, arg, count, "L");
    case FN_TYPE:
        return check_type_name(p, name, arg[1]);
    default:
        return true;
    }
}

bool expr_resolve_operand(struct expr_parser *p, struct expr_operand *x)
{
    if (x->kind == OPERAND_PATH)
        return expr_resolve_path(p, x->path);
    if (x->kind == OPERAND_VALUE && p->env == NULL)
        return true;
    if (x->kind == OPERAND_VALUE) {
        struct expr_ref *ref = expr_env_value(p->env, x->name);
        if (ref == NULL)
            return expr_fail(p,
                             "An expression attribute value used in expression is not defined; "
                             "attribute value: %.*s",
                             STR_ARG(x->name));
        expr_operand_set_value(p->a, x, ref->value.json);
        return true;
    }
    for (size_t i = 0; i < x->count; i++) {
        if (!expr_resolve_operand(p, x->arg[i]))
            return false;
    }
    if (x->kind == OPERAND_PLUS || x->kind == OPERAND_MINUS)
        return check_types(p, x->kind == OPERAND_PLUS ? STR("+") : STR("-"), x->arg, x->count, "N");
    if (!check_call(p, x->name, x->arg, x->count))
        return false;
    enum expr_function f = expr_function(x->name);
    x->kind = f == FN_SIZE            ? OPERAND_SIZE
              : f == FN_IF_NOT_EXISTS ? OPERAND_IF_NOT_EXISTS
                                      : OPERAND_LIST_APPEND;
    return true;
}

const char *expr_op_name(enum expr_op op)
{
    static const char *const names[] = {"AND", "OR", "NOT", "=",       "<>", "<",
                                        "<=",  ">",  ">=",  "BETWEEN", "IN"};
    ASSERT(op <= EXPR_IN);
    return names[op];
}

static struct str shown_value(struct expr_parser *p, const struct expr_operand *x)
{
    const struct expr_ref *ref = p->env != NULL ? expr_env_value(p->env, x->name) : NULL;
    if (ref != NULL && x->value->type == ATTR_N)
        return ref->shown;
    struct str body = value_body(x->value);
    return str_sub(body, 1, body.n - 1);
}

static bool fail_bounds(struct expr_parser *p, const char *what, const struct expr_operand *low,
                        const struct expr_operand *high)
{
    return expr_fail(p,
                     "The BETWEEN operator requires %s; lower bound operand: AttributeValue: "
                     "{%s:%.*s}, upper bound operand: AttributeValue: {%s:%.*s}",
                     what, expr_static_type(low), STR_ARG(shown_value(p, low)),
                     expr_static_type(high), STR_ARG(shown_value(p, high)));
}

static bool check_bounds(struct expr_parser *p, const struct expr_operand *low,
                         const struct expr_operand *high)
{
    int order;
    if (low->kind != OPERAND_VALUE || high->kind != OPERAND_VALUE)
        return true;
    if (low->value->type != high->value->type)
        return fail_bounds(p, "same data type for lower and upper bounds", low, high);
    if (value_compare(low->value, high->value, p->a, &order) && order > 0)
        return fail_bounds(p, "upper bound to be greater than or equal to lower bound", low, high);
    return true;
}

static bool check_test(struct expr_parser *p, struct expr_node *n)
{
    struct str name = str_c(expr_op_name(n->op));
    /* unverified: that the number shown leaves out the operand in front of IN */
    if (n->op == EXPR_IN && n->count - 1 > EXPR_IN_MAX)
        return expr_fail(p,
                         "The IN operator is provided with too many operands; number of operands: "
                         "%zu",
                         n->count - 1);
    if (!check_distinct(p, name, n->arg, n->count))
        return false;
    if (n->op >= EXPR_LT && n->op <= EXPR_BETWEEN &&
        !check_types(p, name, n->arg, n->count, "S N B"))
        return false;
    return n->op != EXPR_BETWEEN || check_bounds(p, n->arg[1], n->arg[2]);
}

static bool resolve(struct expr_parser *p, struct expr_node *n)
{
    if (n->left != NULL)
        return resolve(p, n->left) && (n->right == NULL || resolve(p, n->right));
    for (size_t i = 0; i < n->count; i++) {
        if (!expr_resolve_operand(p, n->arg[i]))
            return false;
    }
    if (n->op != EXPR_CALL)
        return check_test(p, n);
    if (!check_call(p, n->name, n->arg, n->count))
        return false;
    n->op = (enum expr_op)(EXPR_EXISTS + (expr_function(n->name) - FN_EXISTS));
    return true;
}

/* DynamoDB stops counting at the first one too many. */
bool expr_check_operators(struct expr_parser *p, size_t count)
{
    if (count <= EXPR_OPERATORS_MAX)
        return true;
    return expr_fail(p, "The expression contains too many operators; operator count: %d",
                     EXPR_OPERATORS_MAX + 1);
}

static size_t count_operators(const struct expr_node *n)
{
    size_t own = n->op <= EXPR_IN; /* functions are not counted */
    if (n->left == NULL)
        return own;
    return own + count_operators(n->left) + (n->right != NULL ? count_operators(n->right) : 0);
}

/* Operands and their number, names being known. */
static bool check_resolved(struct expr_parser *p, struct expr_node *root)
{
    return resolve(p, root) && expr_check_operators(p, count_operators(root));
}

bool expr_check_condition(struct expr_parser *p, struct expr_node *root)
{
    if (p->redundant_parens)
        return expr_fail(p, "The expression has redundant parentheses;");
    return check_names(p, root) && check_resolved(p, root);
}

bool expr_check_tree(struct arena *a, struct expr_node *root, struct aws_err *err)
{
    struct expr_parser p = {.a = a, .err = err, .kind = EXPR_CONDITION};
    return check_resolved(&p, root);
}

bool expr_check_operands(struct arena *a, struct expr_operand *x, struct aws_err *err)
{
    struct expr_parser p = {.a = a, .err = err, .kind = EXPR_UPDATE};
    return expr_resolve_operand(&p, x);
}
