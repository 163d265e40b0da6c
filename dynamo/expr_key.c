/* KeyConditionExpression: the grammar of conditions, then much less is allowed. DynamoDB says so
 * only after it has looked for unused names and values, hence the late error. */
#include "expr_internal.h"
#include "panic.h"

struct keys {
    struct expr_env *env;
    struct expr_key_cond *ret;
    size_t cap;
};

static bool late(struct keys *k, struct str message)
{
    if (k->env->late_error.p == NULL)
        k->env->late_error = message;
    return false;
}

static const char *op_text(const struct expr_node *n)
{
    static const char *const functions[] = {"attribute_exists", "attribute_not_exists",
                                            "attribute_type", "begins_with", "contains"};
    return n->op <= EXPR_IN ? expr_op_name(n->op) : functions[n->op - EXPR_EXISTS];
}

static bool fail_operator(struct keys *k, const struct expr_node *n)
{
    return late(
        k, arena_fmt(k->env->a, "Invalid operator used in KeyConditionExpression: %s", op_text(n)));
}

static enum expr_op mirrored(enum expr_op op)
{
    switch (op) {
    case EXPR_LT:
        return EXPR_GT;
    case EXPR_LE:
        return EXPR_GE;
    case EXPR_GT:
        return EXPR_LT;
    case EXPR_GE:
        return EXPR_LE;
    default:
        return op;
    }
}

static enum expr_key_op key_op(enum expr_op op)
{
    switch (op) {
    case EXPR_EQ:
        return KEY_EQ;
    case EXPR_LT:
        return KEY_LT;
    case EXPR_LE:
        return KEY_LE;
    case EXPR_GT:
        return KEY_GT;
    case EXPR_GE:
        return KEY_GE;
    case EXPR_BETWEEN:
        return KEY_BETWEEN;
    default:
        return KEY_BEGINS_WITH;
    }
}

/* Exactly one path, and where: its index, or -1. */
static int find_path(struct keys *k, const struct expr_node *n)
{
    int at = -1, paths = 0;
    for (size_t i = 0; i < n->count; i++) {
        if (n->arg[i]->kind == OPERAND_SIZE) {
            late(k, STR("KeyConditionExpressions cannot contain nested operations"));
            return -1;
        }
        if (n->arg[i]->kind == OPERAND_PATH) {
            at = at < 0 ? (int)i : at;
            paths++;
        }
    }
    if (paths == 0) /* unverified */
        late(k, STR("Invalid condition in KeyConditionExpression: No key attribute specified"));
    bool swapped = at > 0 && (n->op == EXPR_BETWEEN || n->op == EXPR_BEGINS_WITH);
    if (swapped)
        late(k, arena_fmt(k->env->a,
                          "Invalid condition in KeyConditionExpression: %s operator must have the "
                          "key attribute as its first operand",
                          op_text(n)));
    if (paths > 1)
        late(k, STR("Invalid condition in KeyConditionExpression: Multiple attribute names used in "
                    "one condition"));
    return paths == 1 && !swapped ? at : -1;
}

static struct attr attr_of(const struct expr_operand *x)
{
    return (struct attr){.name = STR(""),
                         .type = x->value->type,
                         .bytes = x->value->type == ATTR_N ? value_bytes(x->value, NULL) : x->bytes,
                         .json = x->value->json};
}

static bool add_term(struct keys *k, const struct expr_node *n)
{
    enum expr_op op = n->op;
    struct arena *a = k->env->a;
    if (op == EXPR_NE || op == EXPR_IN || (op >= EXPR_EXISTS && op != EXPR_BEGINS_WITH))
        return fail_operator(k, n);
    int at = find_path(k, n);
    if (at < 0)
        return false;
    const struct expr_path *path = n->arg[at]->path;
    if (path->count > 1)
        return late(k, arena_fmt(a,
                                 "Key attributes must be scalars; list random access '[]' and map "
                                 "lookup '.' are not allowed: Key: %.*s",
                                 STR_ARG(path->step[0].name)));
    if (at == 1)
        op = mirrored(op);
    struct expr_key_term t = {.name = path->step[0].name, .op = key_op(op)};
    t.low = attr_of(n->arg[at == 0]);
    if (op == EXPR_BETWEEN)
        t.high = attr_of(n->arg[2]);
    for (size_t i = 0; i < k->ret->count; i++) {
        if (str_eq(k->ret->terms[i].name, t.name))
            return late(k, STR("Invalid KeyConditionExpression: KeyConditionExpressions must only "
                               "contain one condition per key"));
    }
    ASSERT(k->ret->count < k->cap);
    k->ret->terms[k->ret->count++] = t;
    return true;
}

static bool collect(struct keys *k, const struct expr_node *n)
{
    if (n->op == EXPR_AND)
        return collect(k, n->left) && collect(k, n->right);
    if (n->op == EXPR_OR || n->op == EXPR_NOT)
        return fail_operator(k, n);
    return add_term(k, n);
}

static size_t count_tests(const struct expr_node *n)
{
    if (n->left == NULL)
        return 1;
    return count_tests(n->left) + (n->right != NULL ? count_tests(n->right) : 0);
}

bool expr_parse_key_condition(struct expr_env *env, struct str text, struct expr_key_cond *ret,
                              struct aws_err *err)
{
    struct expr_parser p;
    struct expr_node *root;
    *ret = (struct expr_key_cond){0};
    if (!expr_start(&p, env, EXPR_KEY_CONDITION, text, err) ||
        (root = expr_parse_tree(&p)) == NULL || !expr_check_condition(&p, root))
        return false;
    struct keys k = {.env = env, .ret = ret, .cap = count_tests(root)};
    ret->terms = ARENA_ARRAY(env->a, struct expr_key_term, k.cap);
    collect(&k, root);
    return true;
}
