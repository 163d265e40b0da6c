/* The parameters that expressions replaced: Expected, QueryFilter, ScanFilter, KeyConditions. Each
 * becomes the tree of the expression that says the same. */
#include "expr_legacy.h"
#include "expr_internal.h"
#include "panic.h"

enum legacy_op {
    OP_EQ,
    OP_NE,
    OP_IN,
    OP_LE,
    OP_LT,
    OP_GE,
    OP_GT,
    OP_BETWEEN,
    OP_NOT_NULL,
    OP_NULL,
    OP_CONTAINS,
    OP_NOT_CONTAINS,
    OP_BEGINS_WITH,
    OP_COUNT
};
static const struct {
    const char *name;
    size_t least, most;
    const char *types; /* of the arguments, between blanks; NULL: all */
    enum expr_op op;
} ops[OP_COUNT] = {
    [OP_EQ] = {"EQ", 1, 1, NULL, EXPR_EQ},
    [OP_NE] = {"NE", 1, 1, NULL, EXPR_NE},
    [OP_IN] = {"IN", 1, SIZE_MAX, " S N B ", EXPR_IN},
    [OP_LE] = {"LE", 1, 1, " S N B ", EXPR_LE},
    [OP_LT] = {"LT", 1, 1, " S N B ", EXPR_LT},
    [OP_GE] = {"GE", 1, 1, " S N B ", EXPR_GE},
    [OP_GT] = {"GT", 1, 1, " S N B ", EXPR_GT},
    [OP_BETWEEN] = {"BETWEEN", 2, 2, " S N B ", EXPR_BETWEEN},
    [OP_NOT_NULL] = {"NOT_NULL", 0, 0, NULL, EXPR_EXISTS},
    [OP_NULL] = {"NULL", 0, 0, NULL, EXPR_NOT_EXISTS},
    [OP_CONTAINS] = {"CONTAINS", 1, 1, " S N B BOOL NULL ", EXPR_CONTAINS},
    [OP_NOT_CONTAINS] = {"NOT_CONTAINS", 1, 1, " S N B BOOL NULL ", EXPR_CONTAINS},
    [OP_BEGINS_WITH] = {"BEGINS_WITH", 1, 1, " S B ", EXPR_BEGINS_WITH},
};

struct legacy_test { /* one attribute's condition, checked */
    struct str name;
    enum legacy_op op;
    struct attr *arg;
    size_t count;
};

bool expr_legacy_fail(struct legacy *l, const char *message, struct str name)
{
    return aws_fail(l->err, l->a, &AWS_ValidationException, LEGACY_INVALID "%s for Attribute: %.*s",
                    message, STR_ARG(name));
}

bool expr_legacy_name(struct legacy *l, struct str name)
{
    if (name.n > 0)
        return true;
    return aws_fail(l->err, l->a, &AWS_ValidationException, "Empty attribute name");
}

bool expr_legacy_value(struct legacy *l, struct jval v, struct attr *ret)
{
    buf_clear(l->text);
    if (!attr_read(v, l->wording, l->a, l->text, ret, l->err))
        return false;
    if (ret->json.p != NULL)
        return true;
    return aws_fail(l->err, l->a, &AWS_ValidationException,
                    "Item size has exceeded the maximum allowed size");
}

struct legacy expr_legacy_start(struct arena *a, enum attr_wording wording, struct aws_err *err)
{
    return (struct legacy){
        .a = a, .err = err, .wording = wording, .text = arena_new_buf(a, ATTR_TEXT_MAX)};
}

static bool find_op(struct legacy *l, struct str name, enum legacy_op *ret)
{
    for (int i = 0; i < OP_COUNT; i++) {
        if (str_eq_c(name, ops[i].name)) {
            *ret = (enum legacy_op)i;
            return true;
        }
    }
    /* The model has let only known names pass. */
    return aws_fail(l->err, l->a, &AWS_ValidationException,
                    "Comparison type does not exist in DynamoDB");
}

static bool read_arguments(struct legacy *l, struct jval list, struct legacy_test *t)
{
    struct jval it = {0};
    size_t i = 0;
    t->count = jval_count(list);
    t->arg = ARENA_ARRAY(l->a, struct attr, t->count + 1);
    while (jval_next(list, &it, NULL)) {
        if (!expr_legacy_value(l, it, &t->arg[i++]))
            return false;
    }
    return true;
}

static bool check_bounds(struct legacy *l, const struct legacy_test *t)
{
    struct value low = value_wrap(t->arg[0].json), high = value_wrap(t->arg[1].json);
    int order;
    if (!value_compare(&low, &high, l->a, &order) || order <= 0)
        return true;
    return aws_fail(l->err, l->a, &AWS_ValidationException,
                    "The BETWEEN condition was provided a range where the lower bound is greater "
                    "than the upper bound");
}

static bool check_arguments(struct legacy *l, const struct legacy_test *t)
{
    if (t->count < ops[t->op].least || t->count > ops[t->op].most)
        return aws_fail(l->err, l->a, &AWS_ValidationException,
                        LEGACY_INVALID
                        "Invalid number of argument(s) for the %s ComparisonOperator",
                        ops[t->op].name);
    for (size_t i = 1; i < t->count; i++) {
        if (t->arg[i].type != t->arg[0].type)
            return aws_fail(l->err, l->a, &AWS_ValidationException,
                            LEGACY_INVALID
                            "AttributeValues inside AttributeValueList must be of same type");
    }
    if (t->count > 0 && ops[t->op].types != NULL) {
        const char *type = attr_type_name(t->arg[0].type);
        struct str word = arena_fmt(l->a, " %s ", type);
        if (str_find_str(str_c(ops[t->op].types), word) < 0)
            return aws_fail(l->err, l->a, &AWS_ValidationException,
                            LEGACY_INVALID
                            "ComparisonOperator %s is not valid for %s AttributeValue type",
                            ops[t->op].name, type);
    }
    return t->op != OP_BETWEEN || check_bounds(l, t);
}

/* Without a ComparisonOperator: Exists and Value say it. */
static bool read_exists(struct legacy *l, struct jval exists, struct jval value,
                        struct legacy_test *t)
{
    bool given = jval_present(exists), must_exist = true;
    if (given)
        jval_bool(exists, &must_exist);
    if (jval_present(value) && !must_exist)
        return expr_legacy_fail(l, "Value cannot be used when Exists is false", t->name);
    if (!must_exist) {
        t->op = OP_NULL;
        return true;
    }
    if (!jval_present(value))
        return expr_legacy_fail(l,
                                given ? "Value must be provided when Exists is true"
                                      : "Value must be provided when Exists is null",
                                t->name);
    t->op = OP_EQ;
    t->count = 1;
    t->arg = ARENA_NEW(l->a, struct attr);
    return expr_legacy_value(l, value, t->arg);
}

static bool read_expected(struct legacy *l, struct jval v, struct legacy_test *t)
{
    struct jval value = jval_get(v, "Value"), exists = jval_get(v, "Exists");
    struct jval list = jval_get(v, "AttributeValueList"), op = jval_get(v, "ComparisonOperator");
    if (jval_present(value) && jval_present(list))
        return expr_legacy_fail(l, "Value and AttributeValueList cannot be used together", t->name);
    if (!jval_present(op)) {
        if (jval_present(list))
            return expr_legacy_fail(
                l, "AttributeValueList can only be used with a ComparisonOperator", t->name);
        return read_exists(l, exists, value, t);
    }
    if (jval_present(exists))
        return expr_legacy_fail(l, "Exists and ComparisonOperator cannot be used together",
                                t->name);
    if (!find_op(l, jval_text(op, l->a), &t->op))
        return false;
    if (!jval_present(value) && !jval_present(list) && ops[t->op].least > 0)
        return expr_legacy_fail(
            l,
            arena_fmt(l->a, "Value or AttributeValueList must be used with ComparisonOperator: %s",
                      ops[t->op].name)
                .p,
            t->name);
    if (!jval_present(value))
        return read_arguments(l, list, t) && check_arguments(l, t);
    t->count = 1;
    t->arg = ARENA_NEW(l->a, struct attr);
    return expr_legacy_value(l, value, t->arg) && check_arguments(l, t);
}

static bool read_condition(struct legacy *l, struct jval v, struct legacy_test *t)
{
    return find_op(l, jval_text(jval_get(v, "ComparisonOperator"), l->a), &t->op) &&
           read_arguments(l, jval_get(v, "AttributeValueList"), t) && check_arguments(l, t);
}

static struct expr_node *build(struct legacy *l, const struct legacy_test *t)
{
    struct expr_operand **args = ARENA_ARRAY(l->a, struct expr_operand *, t->count + 1);
    args[0] = expr_operand_path(l->a, expr_path_new(l->a, t->name));
    for (size_t i = 0; i < t->count; i++)
        args[i + 1] = expr_operand_value(l->a, t->arg[i].json);
    struct expr_node *n = expr_node_test(l->a, ops[t->op].op, args, t->count + 1);
    if (t->op != OP_NOT_CONTAINS)
        return n;
    /* An attribute that is not there does not "not contain". */
    return expr_node_logic(l->a, EXPR_AND, expr_node_test(l->a, EXPR_EXISTS, args, 1),
                           expr_node_logic(l->a, EXPR_NOT, n, NULL));
}

static bool check_operator(struct legacy *l, struct str conditional_operator, size_t count)
{
    if (conditional_operator.n == 0 || count > 1)
        return true;
    return aws_fail(l->err, l->a, &AWS_ValidationException, "%s",
                    count == 0 ? "ConditionalOperator cannot be used without Filter or Expected"
                               : "ConditionalOperator can only be used when Filter or Expected has "
                                 "two or more elements");
}

bool expr_legacy_condition(struct arena *a, const char *param, struct jval conditions,
                           struct str conditional_operator, enum attr_wording wording,
                           struct expr_cond **ret, struct aws_err *err)
{
    struct legacy l = expr_legacy_start(a, wording, err);
    bool expected = str_eq_c(str_c(param), "Expected");
    enum expr_op join = str_eq_c(conditional_operator, "OR") ? EXPR_OR : EXPR_AND;
    struct expr_node *root = NULL;
    struct jval it = {0};
    *ret = NULL;
    while (jval_present(conditions) && jval_next(conditions, &it, NULL)) {
        struct legacy_test t = {.name = jval_key_str(it, a)};
        if (!expr_legacy_name(&l, t.name) ||
            (expected ? !read_expected(&l, it, &t) : !read_condition(&l, it, &t)))
            return false;
        struct expr_node *n = build(&l, &t);
        root = root == NULL ? n : expr_node_logic(a, join, root, n);
    }
    if (!check_operator(&l, conditional_operator, jval_count(conditions)))
        return false;
    if (root != NULL)
        *ret = expr_cond_seal(a, root);
    return true;
}

static bool key_op(const struct legacy_test *t, enum expr_key_op *ret)
{
    static const struct {
        enum legacy_op op;
        enum expr_key_op key;
    } known[] = {{OP_EQ, KEY_EQ},
                 {OP_LT, KEY_LT},
                 {OP_LE, KEY_LE},
                 {OP_GT, KEY_GT},
                 {OP_GE, KEY_GE},
                 {OP_BETWEEN, KEY_BETWEEN},
                 {OP_BEGINS_WITH, KEY_BEGINS_WITH}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].op == t->op) {
            *ret = known[i].key;
            return true;
        }
    }
    return false;
}

bool expr_legacy_key_conditions(struct arena *a, struct jval conditions, enum attr_wording wording,
                                struct expr_key_cond *ret, struct aws_err *err)
{
    struct legacy l = expr_legacy_start(a, wording, err);
    size_t count = jval_count(conditions);
    struct jval it = {0};
    *ret = (struct expr_key_cond){.terms = ARENA_ARRAY(a, struct expr_key_term, count + 1)};
    while (jval_next(conditions, &it, NULL)) {
        struct legacy_test t = {.name = jval_key_str(it, a)};
        struct expr_key_term *term = &ret->terms[ret->count];
        if (!expr_legacy_name(&l, t.name) || !read_condition(&l, it, &t))
            return false;
        term->name = t.name;
        if (!key_op(&t, &term->op)) {
            term->op = KEY_NOT_INDEXABLE;
        } else {
            term->low = t.arg[0];
            if (t.count == 2)
                term->high = t.arg[1];
        }
        ret->count++;
    }
    if (count == 0 || count > 2)
        return aws_fail(err, a, &AWS_ValidationException,
                        "Conditions can be of length 1 or 2 only");
    return true;
}
