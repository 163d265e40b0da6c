/* The WHERE clause as a condition of expr.h. What only PartiQL has becomes the same thing in other
 * words: IS is attribute_type or attribute_not_exists, a comparison with a truth value is the
 * condition or its negation. */
#include "partiql.h"

/* ---- paths ---- */

static bool check_name(struct pql_context *x, struct str name)
{
    return name.n > 0 || pql_fail(x, "Path component cannot be an empty string");
}

static bool fail_component(struct pql_context *x, struct pql_at at)
{
    return pql_fail(x, "Unexpected path component" PQL_AT, PQL_AT_ARG(at));
}

/* [1], ['name'] or [name]. */
static bool add_bracket(struct pql_context *x, struct expr_path *p, const struct pql_node *n)
{
    int64_t index;
    switch (n->kind) {
    case PQL_STRING:
    case PQL_NAME:
        if (!check_name(x, n->text))
            return false;
        expr_path_add_name(x->a, p, n->text);
        return true;
    case PQL_NUMBER:
        if (str_find(n->text, '.') >= 0 || str_find(n->text, 'e') >= 0 ||
            str_find(n->text, 'E') >= 0)
            return fail_component(x, n->at);
        if (!str_to_i64(n->text, &index) || index < 0 || index > INT32_MAX)
            return pql_fail(x, "List index is not within the allowable range; index: [%.*s]" PQL_AT,
                            STR_ARG(n->text), PQL_AT_ARG(n->at));
        expr_path_add_index(x->a, p, (uint32_t)index);
        return true;
    default:
        return fail_component(x, n->at);
    }
}

bool pql_path(struct pql_context *x, const struct pql_node *n, struct expr_path **ret)
{
    const struct pql_node *root = n->kind == PQL_PATH ? n->child[0] : n;
    if (root->kind == PQL_LIST && n->kind == PQL_PATH)
        return pql_fail(x, "A path cannot start with a list index" PQL_AT, PQL_AT_ARG(n->at));
    if (root->kind != PQL_NAME)
        return fail_component(x, root->at);
    if (!check_name(x, root->text))
        return false;
    struct expr_path *p = expr_path_new(x->a, root->text);
    for (uint32_t i = 1; n->kind == PQL_PATH && i < n->count; i++) {
        const struct pql_node *step = n->child[i];
        switch (step->kind) {
        case PQL_STEP_NAME:
            if (!check_name(x, step->text))
                return false;
            expr_path_add_name(x->a, p, step->text);
            break;
        case PQL_STEP_EXPR:
            if (!add_bracket(x, p, step->child[0]))
                return false;
            break;
        case PQL_STEP_STAR:
            return pql_fail(x, "Unpivot path component like a.*.b are not supported" PQL_AT,
                            PQL_AT_ARG(step->at));
        default:
            return pql_fail(x, "Wildcard path component like a[*].b are not supported" PQL_AT,
                            PQL_AT_ARG(step->at));
        }
    }
    if (p->count > PQL_PATH_MAX)
        return pql_fail(x, "The document path has too many nesting levels; nesting levels: %zu",
                        p->count);
    *ret = p;
    return true;
}

/* ---- operands ---- */

static bool is_op(const struct pql_node *n, const char *op)
{
    return n->kind == PQL_OP && str_eq_c(n->text, op);
}

static bool is_truth_function(const struct pql_node *n)
{
    static const char *const names[] = {"attribute_exists", "attribute_not_exists",
                                        "attribute_type", "begins_with", "contains"};
    for (size_t i = 0; n->kind == PQL_CALL && i < sizeof names / sizeof *names; i++) {
        if (str_eq_c(n->text, names[i]))
            return true;
    }
    return false;
}

/* What has a truth value: not a literal of one. */
static bool is_condition(const struct pql_node *n)
{
    return n->kind == PQL_IS || is_truth_function(n) ||
           (n->kind == PQL_OP &&
            (n->count == 3 || is_op(n, "and") || is_op(n, "or") || is_op(n, "not") ||
             is_op(n, "in") || is_op(n, "=") || is_op(n, "<>") || is_op(n, "<") || is_op(n, "<=") ||
             is_op(n, ">") || is_op(n, ">=")));
}

static bool fail_function(struct pql_context *x, const struct pql_node *n)
{
    if (str_eq_c(n->text, "if_not_exists") || str_eq_c(n->text, "list_append"))
        return pql_fail(x, "The function is not allowed in a condition expression; function: %.*s",
                        STR_ARG(n->text));
    return pql_fail(x, "Unrecognized function: %.*s" PQL_AT, STR_ARG(n->text), PQL_AT_ARG(n->at));
}

/* Terms that no expression of DynamoDB has. */
static bool fail_term(struct pql_context *x, const struct pql_node *n)
{
    struct str shown = n->kind == PQL_SELECT ? STR("SELECT")
                       : n->kind == PQL_CASE ? STR("CASE")
                                             : n->text;
    if (n->kind == PQL_OP)
        return pql_fail(x, "Unsupported operator in Condition Expression. Operator: %.*s",
                        STR_ARG(n->text));
    return pql_fail(x, "Unsupported token in expression: %.*s" PQL_AT, STR_ARG(shown),
                    PQL_AT_ARG(n->at));
}

static bool operand(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret);

static bool size_operand(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret)
{
    struct expr_operand **args = ARENA_ARRAY(x->a, struct expr_operand *, n->count + 1);
    for (uint32_t i = 0; i < n->count; i++) {
        if (is_condition(n->child[i]))
            return pql_fail(x, "Incorrect operand type for operator or function; operator or "
                               "function: size, operand type: BOOL");
        if (!operand(x, n->child[i], &args[i]))
            return false;
    }
    struct expr_operand *o = expr_operand_call(x->a, OPERAND_CALL, NULL, NULL);
    o->name = n->text;
    o->arg = args;
    o->count = n->count;
    *ret = o;
    return true;
}

static bool operand(struct pql_context *x, const struct pql_node *n, struct expr_operand **ret)
{
    struct expr_path *path;
    struct attr value;
    if (n->kind == PQL_MISSING)
        return pql_fail(x, "MISSING must be compared using IS operator");
    if (n->kind == PQL_NAME || n->kind == PQL_PATH) {
        if (!pql_path(x, n, &path))
            return false;
        *ret = expr_operand_path(x->a, path);
        return true;
    }
    if (pql_is_value(n)) {
        if (!pql_value(x, n, &value))
            return false;
        *ret = expr_operand_value(x->a, value.json);
        return true;
    }
    if (n->kind != PQL_CALL)
        return fail_term(x, n);
    return str_eq_c(n->text, "size") ? size_operand(x, n, ret) : fail_function(x, n);
}

/* ---- conditions ---- */

static bool condition(struct pql_context *x, const struct pql_node *n, struct expr_node **ret);

/* A condition that always (or never) holds. */
static struct expr_node *constant(struct pql_context *x, bool holds)
{
    struct expr_operand *args[2] = {
        expr_operand_value(x->a, STR("{\"BOOL\":true}")),
        expr_operand_value(x->a, holds ? STR("{\"BOOL\":true}") : STR("{\"BOOL\":false}"))};
    return expr_node_test(x->a, EXPR_EQ, args, 2);
}

static struct expr_node *negate(struct pql_context *x, struct expr_node *n)
{
    return expr_node_logic(x->a, EXPR_NOT, n, NULL);
}

static struct expr_node *path_is(struct pql_context *x, struct expr_operand *o, bool flag)
{
    struct expr_operand *args[2] = {
        o, expr_operand_value(x->a, flag ? STR("{\"BOOL\":true}") : STR("{\"BOOL\":false}"))};
    return expr_node_test(x->a, EXPR_EQ, args, 2);
}

/* (yes AND a) OR (no AND b): trees, so every part is built anew. */
static struct expr_node *choose(struct pql_context *x, struct expr_node *yes, struct expr_node *a,
                                struct expr_node *no, struct expr_node *b)
{
    return expr_node_logic(x->a, EXPR_OR, expr_node_logic(x->a, EXPR_AND, yes, a),
                           expr_node_logic(x->a, EXPR_AND, no, b));
}

/* condition = other: what an expression cannot say. */
static bool compare_truth(struct pql_context *x, const struct pql_node *cond,
                          const struct pql_node *other, const struct pql_node *op,
                          struct expr_node **ret)
{
    struct expr_node *truth, *equal, *second;
    struct expr_operand *o;
    if (!condition(x, cond, &truth))
        return false;
    if (is_condition(other)) {
        struct expr_node *again, *second_again;
        if (!condition(x, other, &second) || !condition(x, cond, &again) ||
            !condition(x, other, &second_again))
            return false;
        equal = choose(x, truth, second, negate(x, again), negate(x, second_again));
    } else {
        struct expr_node *again;
        struct expr_operand *o_again;
        if (!operand(x, other, &o) || !operand(x, other, &o_again) || !condition(x, cond, &again))
            return false;
        if (o->kind == OPERAND_PATH)
            equal =
                choose(x, truth, path_is(x, o, true), negate(x, again), path_is(x, o_again, false));
        else if (o->kind == OPERAND_VALUE && o->value->type == ATTR_BOOL)
            equal = value_flag(o->value) ? truth : negate(x, truth);
        else
            equal = constant(x, false);
    }
    if (!is_op(op, "=") && !is_op(op, "<>"))
        return pql_fail(x,
                        "Incorrect operand type for operator or function; operator or function: "
                        "%.*s, operand type: BOOL",
                        STR_ARG(op->text));
    *ret = is_op(op, "<>") ? negate(x, equal) : equal;
    return true;
}

static bool test(struct pql_context *x, enum expr_op op, struct pql_node *const *child,
                 uint32_t count, struct expr_node **ret)
{
    struct expr_operand **args = ARENA_ARRAY(x->a, struct expr_operand *, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        if (!operand(x, child[i], &args[i]))
            return false;
    }
    *ret = expr_node_test(x->a, op, args, count);
    return true;
}

static bool in_test(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    const struct pql_node *list = n->child[1];
    if ((list->kind != PQL_LIST && list->kind != PQL_BAG) || list->count == 0)
        return pql_fail(x, "IN operator must have a left hand argument of type Variable Reference "
                           "and right hand argument of type Seq with at least one member");
    struct pql_node **all = ARENA_ARRAY(x->a, struct pql_node *, list->count + 1);
    all[0] = n->child[0];
    for (uint32_t i = 0; i < list->count; i++)
        all[i + 1] = list->child[i];
    return test(x, EXPR_IN, all, list->count + 1, ret);
}

static bool is_test(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    static const struct {
        const char *name, *type;
    } types[] = {{"null", "NULL"}, {"boolean", "BOOL"}, {"blob", "B"},  {"string", "S"},
                 {"numeric", "N"}, {"struct", "M"},     {"tuple", "M"}, {"list", "L"}};
    const struct pql_node *left = n->child[0];
    struct expr_operand *args[2];
    if (left->kind == PQL_MISSING || left->kind == PQL_PARAM ||
        (left->kind > PQL_NAME && left->kind != PQL_PATH))
        return pql_fail(x, "The left hand side argument to IS must be a Variable Reference, "
                           "Literal, or Path");
    if (!operand(x, left, &args[0]))
        return false;
    if (str_eq_c(n->text, "missing")) {
        *ret = expr_node_test(x->a, EXPR_CALL, args, 1);
        (*ret)->name = STR("attribute_not_exists");
        return true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!str_eq_c(n->text, types[i].name))
            continue;
        args[1] = expr_operand_value(x->a, arena_fmt(x->a, "{\"S\":\"%s\"}", types[i].type));
        *ret = expr_node_test(x->a, EXPR_CALL, args, 2);
        (*ret)->name = STR("attribute_type");
        return true;
    }
    char *upper = arena_alloc(x->a, n->text.n + 1);
    for (size_t i = 0; i < n->text.n; i++)
        upper[i] =
            n->text.p[i] >= 'a' && n->text.p[i] <= 'z' ? (char)(n->text.p[i] - 32) : n->text.p[i];
    return pql_fail(x,
                    "Unsupported data type for IS operator: %s. Supported data types are [MISSING, "
                    "NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, LIST]" PQL_AT,
                    upper, PQL_AT_ARG(n->at));
}

/* The arguments of a function may be conditions, too; DynamoDB sees a BOOL that no function
 * accepts. */
static bool call_test(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    if (!is_truth_function(n))
        return fail_function(x, n);
    for (uint32_t i = 0; i < n->count; i++) {
        if (!is_condition(n->child[i]))
            continue;
        *ret = constant(x, false);
        return true;
    }
    if (!test(x, EXPR_CALL, n->child, n->count, ret))
        return false;
    (*ret)->name = n->text;
    return true;
}

static bool logic(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    struct expr_node *side[2] = {NULL, NULL};
    bool not = is_op(n, "not");
    for (uint32_t i = 0; i < n->count; i++) {
        const struct pql_node *c = n->child[i];
        if (c->kind == PQL_CALL && str_eq_c(c->text, "size"))
            return pql_fail(x,
                            "Incorrect operand type for operator or function; operator or "
                            "function: %s, operand type: N",
                            not               ? "NOT"
                            : is_op(n, "and") ? "AND"
                                              : "OR");
        if (c->kind != PQL_OP && c->kind != PQL_IS && c->kind != PQL_CALL)
            return pql_fail(x, not ? "The argument to NOT must be a Type or Expression"
                                   : "The arguments to AND/OR must be Expressions");
        if (!condition(x, c, &side[i]))
            return false;
    }
    *ret = expr_node_logic(x->a,
                           not               ? EXPR_NOT
                           : is_op(n, "and") ? EXPR_AND
                                             : EXPR_OR,
                           side[0], side[1]);
    return true;
}

static bool condition(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    static const struct {
        const char *op;
        enum expr_op means;
    } tests[] = {{"=", EXPR_EQ}, {"<>", EXPR_NE}, {"<", EXPR_LT},           {"<=", EXPR_LE},
                 {">", EXPR_GT}, {">=", EXPR_GE}, {"between", EXPR_BETWEEN}};
    if (++x->tests > PQL_TESTS_MAX) /* comparing truth values doubles them */
        return pql_fail(x, "The expression contains too many operators; operator count: %d",
                        PQL_TESTS_MAX + 1);
    if (n->kind == PQL_IS)
        return is_test(x, n, ret);
    if (n->kind == PQL_CALL)
        return call_test(x, n, ret);
    if (is_op(n, "and") || is_op(n, "or") || is_op(n, "not"))
        return logic(x, n, ret);
    if (is_op(n, "in"))
        return in_test(x, n, ret);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (!is_op(n, tests[i].op))
            continue;
        if (n->count == 2 && is_condition(n->child[0]))
            return compare_truth(x, n->child[0], n->child[1], n, ret);
        if (n->count == 2 && is_condition(n->child[1]))
            return compare_truth(x, n->child[1], n->child[0], n, ret);
        return test(x, tests[i].means, n->child, n->count, ret);
    }
    return fail_term(x, n);
}

bool pql_condition(struct pql_context *x, const struct pql_node *n, struct expr_node **ret)
{
    bool size = n->kind == PQL_CALL && str_eq_c(n->text, "size");
    if ((n->kind != PQL_OP && n->kind != PQL_IS && n->kind != PQL_CALL) || size)
        return pql_fail(x, "WHERE clause must contain an expression that resolves to a boolean");
    return condition(x, n, ret) && expr_check_tree(x->a, *ret, x->err);
}
