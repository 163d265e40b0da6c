/* Which partitions a SELECT reads. A condition that fixes the partition key in every branch is done
 * partition by partition, in the order the keys are written; any other reads everything. What the
 * key does not say is a filter. */
#include "panic.h"
#include "partiql_key.h"
#include <string.h>

enum { RANGES_MAX = 50 }; /* partition keys of one statement, as AWS documents for IN */

/* The partition key's values that n allows: one (=) or some (IN). 0: it says nothing of the kind.
 */
static size_t hash_values(struct arena *a, const struct expr_node *n, struct str name)
{
    struct expr_key_term term;
    if (n->op == EXPR_EQ)
        return pql_term(a, n, name, &term) ? 1 : 0;
    if (n->op != EXPR_IN || pql_plain_path(n->arg[0], name) == NULL || n->arg[0]->path->count != 1)
        return 0;
    for (size_t i = 1; i < n->count; i++) {
        if (n->arg[i]->kind != OPERAND_VALUE)
            return 0;
    }
    return n->count - 1;
}

/* How many partitions n means; 0: not fixed. Stops counting where there are too many. */
static size_t count_ranges(struct arena *a, const struct expr_node *n, struct str name)
{
    if (n->op != EXPR_AND && n->op != EXPR_OR)
        return hash_values(a, n, name);
    size_t left = count_ranges(a, n->left, name), right = count_ranges(a, n->right, name);
    if (n->op == EXPR_OR)
        return left == 0 || right == 0 ? 0 : left + right;
    return left == 0 || (right != 0 && right < left) ? right : left;
}

/* ---- copies: a tree is sealed once ---- */

static struct expr_operand *copy_operand(struct arena *a, const struct expr_operand *o)
{
    struct expr_operand *c = ARENA_NEW(a, struct expr_operand);
    *c = *o;
    if (o->path != NULL) {
        c->path = ARENA_NEW(a, struct expr_path);
        *c->path = *o->path;
    }
    if (o->value != NULL)
        c->value = expr_operand_value(a, o->value->json)->value;
    if (o->count > 0) {
        c->arg = ARENA_ARRAY(a, struct expr_operand *, o->count);
        for (size_t i = 0; i < o->count; i++)
            c->arg[i] = copy_operand(a, o->arg[i]);
    }
    return c;
}

static struct expr_node *copy_node(struct arena *a, const struct expr_node *n)
{
    struct expr_node *c = ARENA_NEW(a, struct expr_node);
    *c = *n;
    if (n->left != NULL)
        c->left = copy_node(a, n->left);
    if (n->right != NULL)
        c->right = copy_node(a, n->right);
    if (n->count > 0) {
        c->arg = ARENA_ARRAY(a, struct expr_operand *, n->count);
        for (size_t i = 0; i < n->count; i++)
            c->arg[i] = copy_operand(a, n->arg[i]);
    }
    return c;
}

/* ---- branches ---- */

struct branch { /* one partition and what else holds there */
    struct attr hash;
    struct expr_node *rest; /* NULL: nothing */
    bool has_range, negated;
    struct expr_key_term range;
    struct expr_node *filter; /* rest without range */
};
struct branches {
    struct branch *b;
    size_t count;
};
struct planner {
    struct pql_context *x;
    const struct key_schema *key;
    struct str hash, range; /* range n 0: none */
    struct branches out;
};

static bool add_branch(struct planner *p, const struct attr *hash, struct expr_node *rest)
{
    if (!pql_check_key_type(p->x, hash, &p->key->part[0]))
        return false;
    ASSERT(p->out.count < RANGES_MAX);
    p->out.b[p->out.count++] = (struct branch){.hash = *hash, .rest = rest};
    return true;
}

/* n, whose partition key is fixed, as branches; rest holds in all of them. */
static bool expand(struct planner *p, const struct expr_node *n, struct expr_node *rest)
{
    struct arena *a = p->x->a;
    struct expr_key_term term;
    if (n->op == EXPR_OR)
        return expand(p, n->left, rest) && expand(p, n->right, rest);
    if (n->op == EXPR_AND) {
        size_t left = count_ranges(a, n->left, p->hash);
        size_t right = count_ranges(a, n->right, p->hash);
        bool by_right = left == 0 || (right != 0 && right < left);
        return expand(p, by_right ? n->right : n->left,
                      pql_and(a, rest, by_right ? n->left : n->right));
    }
    if (n->op == EXPR_EQ)
        return pql_term(a, n, p->hash, &term) && add_branch(p, &term.low, rest);
    for (size_t i = 1; i < n->count; i++) {
        struct attr value = pql_attr(a, n->arg[i]->value);
        bool twice = false;
        for (size_t k = 1; k < i; k++)
            twice = twice || str_eq(n->arg[k]->value->json, value.json);
        if (!twice && !add_branch(p, &value, rest))
            return false;
    }
    return true;
}

static bool touches(const struct expr_node *n, struct str name)
{
    if (n->left != NULL && touches(n->left, name))
        return true;
    if (n->right != NULL && touches(n->right, name))
        return true;
    for (size_t i = 0; i < n->count; i++) {
        if (pql_plain_path(n->arg[i], name) != NULL)
            return true;
    }
    return false;
}

/* The term of a sort key: an equality, else the first one. */
static const struct expr_node *find_range(struct arena *a, const struct expr_node *n,
                                          struct str name, bool equality)
{
    struct expr_key_term term;
    if (n == NULL)
        return NULL;
    if (n->op == EXPR_AND) {
        const struct expr_node *found = find_range(a, n->left, name, equality);
        return found != NULL ? found : find_range(a, n->right, name, equality);
    }
    return pql_term(a, n, name, &term) && (!equality || term.op == KEY_EQ) ? n : NULL;
}

static struct expr_node *without(struct arena *a, const struct expr_node *n,
                                 const struct expr_node *term)
{
    if (n == NULL || n == term)
        return NULL;
    if (n->op != EXPR_AND)
        return copy_node(a, n);
    return pql_and(a, without(a, n->left, term), without(a, n->right, term));
}

static bool is_negated(const struct expr_node *n, struct str range)
{
    if (n == NULL)
        return false;
    if (n->op == EXPR_AND)
        return is_negated(n->left, range) || is_negated(n->right, range);
    return (n->op == EXPR_NOT || n->op == EXPR_NE) && touches(n, range);
}

static bool split_branch(struct planner *p, struct branch *b)
{
    struct arena *a = p->x->a;
    const struct expr_node *term = NULL;
    if (p->range.n > 0) {
        term = find_range(a, b->rest, p->range, true);
        if (term == NULL)
            term = find_range(a, b->rest, p->range, false);
        b->negated = is_negated(b->rest, p->range);
    }
    b->has_range = term != NULL;
    if (term != NULL) {
        const struct key_part *part = &p->key->part[1];
        pql_term(a, term, p->range, &b->range);
        if (!pql_check_key_type(p->x, &b->range.low, part) ||
            (b->range.op == KEY_BETWEEN && !pql_check_key_type(p->x, &b->range.high, part)))
            return false;
    }
    b->filter = without(a, b->rest, term);
    return true;
}

/* ---- several branches of one partition ---- */

static int compare(struct arena *a, const struct attr *l, const struct attr *r)
{
    struct value lv = value_wrap(l->json), rv = value_wrap(r->json);
    int order = 0;
    value_compare(&lv, &rv, a, &order);
    return order;
}

/* Does everything that l allows lie before all that r allows? */
static bool ends_before(struct arena *a, const struct expr_key_term *l,
                        const struct expr_key_term *r)
{
    if (l->op == KEY_GT || l->op == KEY_GE || l->op == KEY_BEGINS_WITH || r->op == KEY_LT ||
        r->op == KEY_LE)
        return false;
    int order = compare(a, l->op == KEY_BETWEEN ? &l->high : &l->low, &r->low);
    return order < 0 || (order == 0 && (l->op == KEY_LT || r->op == KEY_GT));
}

static bool overlap(struct arena *a, const struct branch *l, const struct branch *r)
{
    if (!l->has_range || !r->has_range)
        return true;
    if (l->range.op == KEY_BEGINS_WITH && r->range.op == KEY_BEGINS_WITH)
        return str_starts(l->range.low.bytes, r->range.low.bytes) ||
               str_starts(r->range.low.bytes, l->range.low.bytes);
    return !ends_before(a, &l->range, &r->range) && !ends_before(a, &r->range, &l->range);
}

/* b[i] gets what b[k] allows, too, and b[k] goes. */
static void merge(struct planner *p, size_t i, size_t k)
{
    struct arena *a = p->x->a;
    struct branch *into = &p->out.b[i], *from = &p->out.b[k];
    if (into->rest != NULL && from->rest != NULL)
        into->rest = expr_node_logic(a, EXPR_OR, into->rest, from->rest);
    else
        into->rest = NULL;
    into->filter = into->rest == NULL ? NULL : copy_node(a, into->rest);
    into->has_range = false;
    into->negated = into->negated || from->negated;
    memmove(from, from + 1, (p->out.count - k - 1) * sizeof *from);
    p->out.count--;
}

/* Items must come once: branches of one partition are one read, or do not overlap. */
static bool merge_branches(struct planner *p)
{
    for (size_t i = 0; i < p->out.count; i++) {
        for (size_t k = i + 1; k < p->out.count; k++) {
            struct branch *l = &p->out.b[i], *r = &p->out.b[k];
            if (!str_eq(l->hash.json, r->hash.json) || !overlap(p->x->a, l, r))
                continue;
            bool negated = l->negated || r->negated;
            if (p->range.n > 0 && !negated && (l->has_range || r->has_range))
                return pql_fail(p->x, "Overlapping conditions with range keys are not supported "
                                      "in where clause");
            merge(p, i, k);
            k = i; /* what it now is may overlap with those passed over */
        }
    }
    return true;
}

/* ---- ORDER BY ---- */

static bool check_order(struct planner *p, const struct pql_select *s, bool fixed)
{
    struct pql_context *x = p->x;
    for (size_t i = 0; i < s->order_count; i++) {
        const struct pql_node *n = s->order[i].node;
        const char *quote = n->kind == PQL_STRING ? "\"" : "";
        if (n->kind != PQL_NAME)
            return pql_fail(
                x, "Argument to ORDER BY must be of type VariableReference. Type: %s%.*s%s", quote,
                STR_ARG(n->kind == PQL_PATH ? STR("PATH") : n->text), quote);
    }
    if (!fixed)
        return pql_fail(x, "Must have at least one non-optional hash key condition in WHERE clause "
                           "when using ORDER BY clause.");
    bool by_hash = false;
    for (size_t i = 0; i < s->order_count; i++) {
        struct str name = s->order[i].node->text;
        by_hash = by_hash || str_eq(name, p->hash);
        if (!str_eq(name, p->hash) && !(p->range.n > 0 && str_eq(name, p->range)))
            return pql_fail(x,
                            "Variable reference %.*s in ORDER BY clause must be part of the "
                            "primary key",
                            STR_ARG(name));
    }
    /* unverified: AWS has the message; DynamoDB Local does not use it */
    for (size_t i = 1; !by_hash && i < p->out.count; i++) {
        if (!str_eq(p->out.b[i].hash.json, p->out.b[0].hash.json))
            return pql_fail(x, "Must have hash key in ORDER BY clause when more than one hash key "
                               "condition specified in WHERE clause.");
    }
    return true;
}

static bool comes_after(struct planner *p, const struct branch *l, const struct branch *r,
                        bool hash_down, bool range_down)
{
    int order = compare(p->x->a, &l->hash, &r->hash);
    if (order != 0)
        return hash_down ? order < 0 : order > 0;
    if (!l->has_range || !r->has_range)
        return false;
    bool before = ends_before(p->x->a, &l->range, &r->range);
    return range_down ? before : !before;
}

static void sort_branches(struct planner *p, const struct pql_select *s, bool *ret_backward)
{
    bool down[2] = {false, false}; /* of hash and range */
    for (size_t i = s->order_count; i-- > 0;)
        down[!str_eq(s->order[i].node->text, p->hash)] = s->order[i].descending;
    *ret_backward = down[1];
    for (size_t i = 1; i < p->out.count; i++) {
        struct branch moved = p->out.b[i];
        size_t k = i;
        for (; k > 0 && comes_after(p, &p->out.b[k - 1], &moved, down[0], down[1]); k--)
            p->out.b[k] = p->out.b[k - 1];
        p->out.b[k] = moved;
    }
}

/* ---- the whole ---- */

static void put_range(struct planner *p, const struct branch *b, struct pql_range *ret)
{
    ret->terms[0] = (struct expr_key_term){.name = p->hash, .op = KEY_EQ, .low = b->hash};
    ret->terms[1] = b->range;
    ret->key = (struct expr_key_cond){ret->terms, b->has_range ? 2 : 1};
    ret->whole_key = p->range.n == 0 || (b->has_range && b->range.op == KEY_EQ);
    ret->filter = b->filter;
}

/* The key is fixed at the top of the condition, not inside OR. */
static bool is_keyed(struct arena *a, const struct expr_node *n, struct str hash)
{
    if (n->op == EXPR_AND)
        return is_keyed(a, n->left, hash) || is_keyed(a, n->right, hash);
    return n->op != EXPR_OR && hash_values(a, n, hash) > 0;
}

bool pql_plan(struct pql_context *x, const struct key_schema *key, struct expr_node *where,
              const struct pql_select *s, struct pql_plan *ret)
{
    /* the plan may live longer than this definition of the table */
    struct planner p = {.x = x, .key = key, .hash = arena_str(x->a, key->part[0].name)};
    *ret = (struct pql_plan){0};
    if (key->range_count > 0)
        p.range = arena_str(x->a, key->part[1].name);
    if (s->order_count > 0 && where == NULL)
        return pql_fail(x, "Must have WHERE clause in the statement when using ORDER BY clause.");
    if (where == NULL)
        return true;
    if (!pql_check_scalar(x, key, where))
        return false;
    size_t count = count_ranges(x->a, where, p.hash);
    if (count > RANGES_MAX) /* unverified: which of AWS's limits this message is about */
        return pql_fail(x, "Too many decomposed read operations for a given query.");
    if (count > 0) {
        p.out.b = ARENA_ARRAY(x->a, struct branch, RANGES_MAX);
        if (!expand(&p, where, NULL))
            return false;
        for (size_t i = 0; i < p.out.count; i++) {
            if (!split_branch(&p, &p.out.b[i]))
                return false;
        }
        if (!merge_branches(&p))
            return false;
    }
    if (s->order_count > 0) {
        if (!check_order(&p, s, count > 0))
            return false;
        sort_branches(&p, s, &ret->backward);
    }
    ret->keyed = is_keyed(x->a, where, p.hash);
    ret->count = p.out.count;
    ret->filter = count == 0 ? where : NULL;
    ret->ranges = ARENA_ARRAY(x->a, struct pql_range, p.out.count + 1);
    for (size_t i = 0; i < p.out.count; i++)
        put_range(&p, &p.out.b[i], &ret->ranges[i]);
    return true;
}
