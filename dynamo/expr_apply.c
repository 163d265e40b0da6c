/* Applying an update to an item. All right-hand sides are computed first, from the old item; then
 * values are put in place, what is set behind the end of a list is appended in the order of the
 * indexes, and what goes is marked, so that every index means the old one to the end (86-89). */
#include "expr_internal.h"
#include "expr_update.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

struct apply {
    const struct expr_update *update;
    struct value item;
    struct arena *a;
    struct aws_err *err;
};

static bool fail(struct apply *x, const char *message)
{
    return aws_fail(x->err, x->a, &AWS_ValidationException, "%s", message);
}

static bool fail_type(struct apply *x)
{
    if (x->update->legacy)
        return fail(x, "Type mismatch for attribute to update");
    return fail(x, "An operand in the update expression has an incorrect data type");
}

static bool fail_path(struct apply *x)
{
    return fail(x, "The document path provided in the update expression is invalid for update");
}

static bool fail_number(struct apply *x, enum num_error e)
{
    struct str text = num_error_text(e, STR(""), x->a);
    return aws_fail(x->err, x->a, &AWS_ValidationException, "%.*s", STR_ARG(text));
}

/* ---- right-hand sides ---- */

/* A closed copy: two places must never share one opened value. */
static struct value closed(const struct value *v)
{
    return value_wrap(v->json);
}

static bool compute(struct apply *x, const struct expr_operand *o, struct value *ret);

static bool compute_sum(struct apply *x, const struct expr_operand *o, struct value *ret)
{
    struct value left, right;
    struct num a, b, sum;
    if (!compute(x, o->arg[0], &left) || !compute(x, o->arg[1], &right))
        return false;
    if (left.type != ATTR_N || right.type != ATTR_N)
        return fail_type(x);
    value_number(&left, &a);
    value_number(&right, &b);
    enum num_error e = o->kind == OPERAND_PLUS ? num_add(&a, &b, &sum) : num_sub(&a, &b, &sum);
    if (e != NUM_OK)
        return fail_number(x, e);
    *ret = value_new_number(&sum, x->a);
    return true;
}

static struct value joined_lists(struct apply *x, const struct value *left,
                                 const struct value *right)
{
    struct str l = value_body(left), r = value_body(right);
    bool both = l.n > 2 && r.n > 2;
    return value_wrap(arena_fmt(x->a, "{\"L\":[%.*s%s%.*s]}", (int)(l.n - 2), l.p + 1,
                                both ? "," : "", (int)(r.n - 2), r.p + 1));
}

static bool compute_append(struct apply *x, const struct expr_operand *o, struct value *ret)
{
    struct value left, right;
    if (!compute(x, o->arg[0], &left) || !compute(x, o->arg[1], &right))
        return false;
    if (left.type != ATTR_L || right.type != ATTR_L)
        return fail_type(x);
    *ret = joined_lists(x, &left, &right);
    return true;
}

static bool compute(struct apply *x, const struct expr_operand *o, struct value *ret)
{
    const struct value *found;
    switch (o->kind) {
    case OPERAND_VALUE:
        *ret = closed(o->value);
        return true;
    case OPERAND_PATH:
        found = expr_path_walk(o->path, &x->item, o->path->count, x->a);
        if (found == NULL)
            return fail(x, "The provided expression refers to an attribute that does not exist in "
                           "the item");
        *ret = closed(found);
        return true;
    case OPERAND_IF_NOT_EXISTS:
        found = expr_path_walk(o->arg[0]->path, &x->item, o->arg[0]->path->count, x->a);
        if (found == NULL)
            return compute(x, o->arg[1], ret);
        *ret = closed(found);
        return true;
    case OPERAND_LIST_APPEND:
        return compute_append(x, o, ret);
    case OPERAND_PLUS:
    case OPERAND_MINUS:
        return compute_sum(x, o, ret);
    default:
        PANIC("operand %d in an update", o->kind);
    }
}

/* ---- ADD and DELETE ---- */

static bool is_set(enum attr_type type)
{
    return type == ATTR_SS || type == ATTR_NS || type == ATTR_BS;
}

static int compare_members(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static const struct str *sorted_members(struct value *set, struct arena *a)
{
    value_open(set, a);
    struct str *list = ARENA_ARRAY(a, struct str, set->count + 1);
    for (uint32_t i = 0; i < set->count; i++)
        list[i] = set->child[i].v.json;
    qsort(list, set->count, sizeof *list, compare_members);
    return list;
}

static bool has_member(const struct str *sorted, size_t count, struct str member)
{
    return count > 0 && bsearch(&member, sorted, count, sizeof *sorted, compare_members) != NULL;
}

static void unite(struct value *set, struct value *more, struct arena *a)
{
    const struct str *have = sorted_members(set, a);
    uint32_t count = set->count;
    value_open(more, a);
    for (uint32_t i = 0; i < more->count; i++) {
        if (!has_member(have, count, more->child[i].v.json))
            value_append(set, more->child[i].v, a);
    }
}

static void subtract(struct value *set, struct value *less, struct arena *a)
{
    const struct str *gone = sorted_members(less, a);
    uint32_t kept = 0;
    value_open(set, a);
    for (uint32_t i = 0; i < set->count; i++) {
        if (!has_member(gone, less->count, set->child[i].v.json))
            set->child[kept++] = set->child[i];
    }
    if (kept < set->count)
        value_touch(set);
    set->count = kept;
}

/* ret: what the target becomes. */
static bool compute_add(struct apply *x, const struct expr_action *act, struct value *ret)
{
    const struct value *old = expr_path_walk(act->path, &x->item, act->path->count, x->a);
    struct value more = closed(act->value->value);
    struct num a, sum;
    if (old == NULL) {
        *ret = more;
        return true;
    }
    if (old->type != more.type)
        return fail_type(x);
    *ret = closed(old);
    if (is_set(more.type)) {
        unite(ret, &more, x->a);
        return true;
    }
    if (more.type == ATTR_L) { /* AttributeUpdates only */
        *ret = joined_lists(x, ret, &more);
        return true;
    }
    ASSERT(more.type == ATTR_N);
    value_number(old, &a);
    enum num_error e = num_add(&a, &act->value->number, &sum);
    if (e != NUM_OK)
        return fail_number(x, e);
    *ret = value_new_number(&sum, x->a);
    return true;
}

/* ret->count == 0 and open: nothing is left, the attribute goes. */
static bool compute_delete(struct apply *x, const struct expr_action *act, struct value *ret,
                           bool *ret_there)
{
    const struct value *old = expr_path_walk(act->path, &x->item, act->path->count, x->a);
    struct value less = closed(act->value->value);
    *ret_there = old != NULL;
    if (old == NULL)
        return true;
    if (old->type != less.type)
        return fail_type(x);
    *ret = closed(old);
    subtract(ret, &less, x->a);
    return true;
}

/* ---- changes ---- */

enum change_kind { CHANGE_NONE, CHANGE_PUT, CHANGE_REMOVE };
struct change {
    enum change_kind kind;
    const struct expr_path *path;
    struct value value;
};

static bool compute_action(struct apply *x, const struct expr_action *act, struct change *ret)
{
    bool there = true;
    *ret = (struct change){.kind = CHANGE_PUT, .path = act->path};
    switch (act->kind) {
    case ACTION_SET:
        return compute(x, act->value, &ret->value);
    case ACTION_ADD:
        return compute_add(x, act, &ret->value);
    case ACTION_REMOVE:
        ret->kind = CHANGE_REMOVE;
        return true;
    case ACTION_DELETE:
        break;
    }
    if (!compute_delete(x, act, &ret->value, &there))
        return false;
    if (!there)
        ret->kind = CHANGE_NONE;
    else if (ret->value.open && ret->value.count == 0)
        ret->kind = CHANGE_REMOVE;
    return true;
}

/* The value that holds the last step, with everything above it marked as changed. NULL: no such
 * place. */
static struct value *find_parent(struct apply *x, const struct expr_path *p)
{
    const struct expr_step *last = &p->step[p->count - 1];
    struct value *parent = expr_path_walk(p, &x->item, p->count - 1, x->a);
    if (parent == NULL || parent->type != (last->name.p != NULL ? ATTR_M : ATTR_L))
        return NULL;
    return parent;
}

static void touch_path(struct apply *x, const struct expr_path *p)
{
    struct value *v = &x->item;
    for (size_t i = 0; i < p->count; i++) {
        value_open(v, x->a);
        value_touch(v);
        if (i + 1 < p->count)
            v = expr_path_walk(&(struct expr_path){.step = &p->step[i], .count = 1}, v, 1, x->a);
    }
}

static bool check_depth(struct apply *x, const struct change *c)
{
    if (c->path->count == 1 || c->value.json.p == NULL)
        return true; /* as deep as it was, or a set */
    if (c->path->count - 1 + (size_t)value_depth(&c->value) < ATTR_DEPTH_MAX)
        return true;
    return fail(x, "Nesting Levels have exceeded supported limits: Attributes in the item have "
                   "nested levels beyond supported limit");
}

static uint32_t last_index(const struct change *c)
{
    return c->path->step[c->path->count - 1].index;
}

static struct str last_key(const struct change *c)
{
    return c->path->step[c->path->count - 1].key;
}

static bool is_element(const struct change *c)
{
    return c->path->step[c->path->count - 1].name.p == NULL;
}

/* postponed: it lies behind the end of its list. */
static bool put(struct apply *x, const struct change *c, bool *ret_postponed)
{
    struct value *parent = find_parent(x, c->path);
    *ret_postponed = false;
    if (parent == NULL)
        return fail_path(x);
    if (!check_depth(x, c))
        return false;
    if (!is_element(c)) {
        touch_path(x, c->path);
        value_put(parent, last_key(c), c->value, x->a);
        return true;
    }
    struct value *element = value_element(parent, last_index(c), x->a);
    *ret_postponed = element == NULL;
    if (element != NULL) {
        touch_path(x, c->path);
        *element = c->value;
    }
    return true;
}

/* What is to go, before lists grow at their ends: an index behind the end of the old list stands
 * for nothing. */
static bool find_target(struct apply *x, struct change *c)
{
    struct value *parent = find_parent(x, c->path);
    if (parent == NULL)
        return fail_path(x);
    if (is_element(c) ? value_element(parent, last_index(c), x->a) == NULL
                      : value_member(parent, last_key(c), x->a) == NULL)
        c->kind = CHANGE_NONE;
    return true;
}

static void take_out(struct apply *x, const struct change *c)
{
    struct value *parent = find_parent(x, c->path);
    ASSERT(parent != NULL && parent->open);
    size_t at = is_element(c) ? last_index(c) : value_find(parent, last_key(c), x->a);
    touch_path(x, c->path);
    value_remove(parent, at);
}

static int by_index(const void *x, const void *y)
{
    uint32_t a = last_index(*(struct change *const *)x), b = last_index(*(struct change *const *)y);
    return (a > b) - (a < b);
}

static bool make_changes(struct apply *x, struct change *changes, size_t count)
{
    struct change **later = ARENA_ARRAY(x->a, struct change *, count + 1);
    struct change **gone = ARENA_ARRAY(x->a, struct change *, count + 1);
    size_t later_count = 0, gone_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool postponed = false;
        if (changes[i].kind == CHANGE_REMOVE)
            gone[gone_count++] = &changes[i];
        if (changes[i].kind == CHANGE_PUT && !put(x, &changes[i], &postponed))
            return false;
        if (changes[i].kind == CHANGE_NONE && find_parent(x, changes[i].path) == NULL)
            return fail_path(x);
        if (postponed)
            later[later_count++] = &changes[i];
    }
    for (size_t i = 0; i < gone_count; i++) {
        if (!find_target(x, gone[i]))
            return false;
    }
    if (later_count > 1)
        qsort(later, later_count, sizeof *later, by_index);
    for (size_t i = 0; i < later_count; i++) {
        struct value *parent = find_parent(x, later[i]->path);
        ASSERT(parent != NULL);
        touch_path(x, later[i]->path);
        value_append(parent, later[i]->value, x->a);
    }
    for (size_t i = 0; i < gone_count; i++) {
        if (gone[i]->kind == CHANGE_REMOVE)
            take_out(x, gone[i]);
    }
    return true;
}

bool expr_update_apply(const struct expr_update *u, struct str old, struct str key,
                       struct arena *scratch, struct buf *out, struct aws_err *err)
{
    struct apply x = {.update = u, .a = scratch, .err = err};
    size_t count = u->actions.count;
    struct change *changes = ARENA_ARRAY(scratch, struct change, count + 1);
    x.item = value_of_item(old.n > 0 ? old : key, scratch);
    for (size_t i = 0; i < count; i++) {
        if (!compute_action(&x, &u->actions.action[i], &changes[i]))
            return false;
    }
    if (!make_changes(&x, changes, count))
        return false;
    /* Many references to one big value: more text than any legal item has. */
    if (value_text_size(&x.item) > ATTR_TEXT_MAX)
        return fail(&x, "Item size to update has exceeded the maximum allowed size");
    value_write_item(&x.item, out);
    return true;
}
