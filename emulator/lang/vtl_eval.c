/* Rendering. As Velocity 1.7: an undefined reference prints as it is written (quiet ones nothing);
 * only null and false are false; #set to null changes nothing. */
#include "vtl_ast.h"
#include <math.h>

enum flow { FLOW_ON, FLOW_BREAK, FLOW_STOP, FLOW_FAIL };

struct render {
    struct vtl_map *vars;
    struct arena *a;
    struct buf *out;
    struct str error;
    int64_t steps;
    int depth;
};

static enum flow render_block(struct render *r, const struct vtl_block *block);
static struct vtl_value eval(struct render *r, const struct vtl_expr *x);

static enum flow fail(struct render *r, const char *why)
{
    if (r->error.p == NULL)
        r->error = str_c(why);
    return FLOW_FAIL;
}

/* ---- references ---- */

static struct vtl_value property(struct render *r, struct vtl_value on, struct str name)
{
    struct vtl_value ret = vtl_null();
    if (on.type == VTL_MAP) {
        struct vtl_value *at = vtl_map_get(on.map, name);
        return at == NULL ? vtl_null() : *at;
    }
    if (on.type == VTL_HOST) {
        if (on.host->get != NULL && on.host->get(on.host, name, r->a, &ret))
            return ret;
        return vtl_null();
    }
    if (str_eq_c(name, "empty"))
        name = STR("isEmpty");
    else if (str_eq_c(name, "bytes") || str_eq_c(name, "class"))
        return vtl_null(); /* no reflection, as on AWS */
    return vtl_call_method(&on, name, NULL, 0, r->a, &ret) ? ret : vtl_null();
}

static struct vtl_value call(struct render *r, struct vtl_value on, const struct vtl_step *step)
{
    struct vtl_value ret = vtl_null();
    struct vtl_value *args = ARENA_ARRAY(r->a, struct vtl_value, step->count);
    for (size_t i = 0; i < step->count; i++)
        args[i] = eval(r, step->args[i]);
    if (on.type == VTL_HOST)
        return on.host->call(on.host, step->name, args, step->count, r->a, &ret) ? ret : vtl_null();
    return vtl_call_method(&on, step->name, args, step->count, r->a, &ret) ? ret : vtl_null();
}

static struct vtl_value *list_slot(struct vtl_list *list, const struct vtl_value *index)
{
    if (index->type != VTL_INT)
        return NULL;
    int64_t i = index->integer < 0 ? index->integer + (int64_t)list->count : index->integer;
    return i < 0 || (size_t)i >= list->count ? NULL : &list->items[i];
}

static struct vtl_value index_into(struct render *r, struct vtl_value on, struct vtl_value index)
{
    struct vtl_value *at = NULL;
    if (on.type == VTL_LIST)
        at = list_slot(on.list, &index);
    else if (on.type == VTL_MAP)
        at = vtl_map_get(on.map, vtl_text(&index, r->a));
    return at == NULL ? vtl_null() : *at;
}

/* The value of the reference's first steps; all of them if until is NULL. */
static struct vtl_value follow(struct render *r, const struct vtl_ref *ref,
                               const struct vtl_step *until)
{
    struct vtl_value *start = vtl_map_get(r->vars, ref->name);
    struct vtl_value v = start == NULL ? vtl_null() : *start;
    for (const struct vtl_step *s = ref->steps; s != until && v.type != VTL_NULL; s = s->next) {
        if (s->type == STEP_PROPERTY)
            v = property(r, v, s->name);
        else if (s->type == STEP_CALL)
            v = call(r, v, s);
        else
            v = index_into(r, v, eval(r, s->args[0]));
    }
    return v;
}

static void assign(struct render *r, const struct vtl_ref *ref, struct vtl_value v)
{
    const struct vtl_step *last = ref->steps;
    if (last == NULL) {
        vtl_map_put(r->vars, r->a, ref->name, v);
        return;
    }
    while (last->next != NULL)
        last = last->next;
    struct vtl_value on = follow(r, ref, last);
    if (last->type == STEP_CALL)
        return;
    struct vtl_value index =
        last->type == STEP_INDEX ? eval(r, last->args[0]) : vtl_string(last->name);
    if (on.type == VTL_MAP) {
        vtl_map_put(on.map, r->a, vtl_text(&index, r->a), v);
    } else if (on.type == VTL_LIST) {
        struct vtl_value *slot = list_slot(on.list, &index);
        if (slot != NULL)
            *slot = v;
    }
}

/* ---- expressions ---- */

static bool is_true(const struct vtl_value *v)
{
    return v->type == VTL_BOOL ? v->flag : v->type != VTL_NULL;
}

static struct vtl_value integer_result(enum vtl_op op, int64_t x, int64_t y)
{
    int64_t z = 0;
    bool overflow = false;
    switch (op) {
    case OP_ADD:
        overflow = __builtin_add_overflow(x, y, &z);
        break;
    case OP_SUB:
        overflow = __builtin_sub_overflow(x, y, &z);
        break;
    case OP_MUL:
        overflow = __builtin_mul_overflow(x, y, &z);
        break;
    default:
        if (y == 0)
            return vtl_null();
        if (y == -1) /* INT64_MIN / -1 traps */
            return op == OP_DIV ? integer_result(OP_SUB, 0, x) : vtl_int(0);
        z = op == OP_DIV ? x / y : x % y;
    }
    return overflow ? vtl_null() : vtl_int(z);
}

static struct vtl_value arithmetic(struct render *r, enum vtl_op op, struct vtl_value x,
                                   struct vtl_value y)
{
    if (op == OP_ADD && (x.type == VTL_STRING || y.type == VTL_STRING)) {
        struct buf *b = arena_new_buf(r->a, VTL_OUTPUT_MAX);
        vtl_print(&x, b);
        vtl_print(&y, b);
        if (b->overflow)
            fail(r, "a string is too long");
        return vtl_string(buf_view(b));
    }
    if (!vtl_is_number(&x) || !vtl_is_number(&y))
        return vtl_null();
    if (x.type == VTL_INT && y.type == VTL_INT)
        return integer_result(op, x.integer, y.integer);
    double a = vtl_as_double(&x), b = vtl_as_double(&y);
    switch (op) {
    case OP_ADD:
        return vtl_double(a + b);
    case OP_SUB:
        return vtl_double(a - b);
    case OP_MUL:
        return vtl_double(a * b);
    case OP_DIV:
        return b == 0 ? vtl_null() : vtl_double(a / b);
    default:
        return b == 0 ? vtl_null() : vtl_double(fmod(a, b));
    }
}

static struct vtl_value compare(enum vtl_op op, const struct vtl_value *x,
                                const struct vtl_value *y)
{
    if (!vtl_is_number(x) || !vtl_is_number(y))
        return vtl_bool(false);
    double a = vtl_as_double(x), b = vtl_as_double(y);
    return vtl_bool(op == OP_LT ? a < b : op == OP_LE ? a <= b : op == OP_GT ? a > b : a >= b);
}

static struct vtl_value binary(struct render *r, const struct vtl_expr *x)
{
    struct vtl_value left = eval(r, x->left);
    if (x->op == OP_AND && !is_true(&left))
        return vtl_bool(false);
    if (x->op == OP_OR && is_true(&left))
        return vtl_bool(true);
    struct vtl_value right = eval(r, x->right);
    switch (x->op) {
    case OP_AND:
    case OP_OR:
        return vtl_bool(is_true(&right));
    case OP_EQ:
        return vtl_bool(vtl_equal(&left, &right, r->a));
    case OP_NE:
        return vtl_bool(!vtl_equal(&left, &right, r->a));
    case OP_LT:
    case OP_LE:
    case OP_GT:
    case OP_GE:
        return compare(x->op, &left, &right);
    default:
        return arithmetic(r, x->op, left, right);
    }
}

static struct vtl_value text_value(struct render *r, const struct vtl_block *block)
{
    struct buf *b = arena_new_buf(r->a, VTL_OUTPUT_MAX), *outer = r->out;
    r->out = b;
    enum flow flow = render_block(r, block);
    r->out = outer;
    if (b->overflow && flow != FLOW_FAIL)
        fail(r, "a string is too long");
    return vtl_string(buf_view(b));
}

static struct vtl_value range(struct render *r, const struct vtl_expr *x)
{
    struct vtl_value from = eval(r, x->left), to = eval(r, x->right), list = vtl_new_list(r->a);
    if (from.type != VTL_INT || to.type != VTL_INT)
        return vtl_null();
    int64_t step = from.integer <= to.integer ? 1 : -1;
    for (int64_t i = from.integer;; i += step) {
        vtl_list_add(list.list, r->a, vtl_int(i));
        if (i == to.integer || list.list->count > VTL_LOOP_MAX)
            return list;
    }
}

static struct vtl_value eval(struct render *r, const struct vtl_expr *x)
{
    struct vtl_value v;
    if (++r->steps > VTL_STEPS_MAX || r->error.p != NULL) {
        fail(r, "the template takes too many steps");
        return vtl_null();
    }
    switch (x->type) {
    case EX_VALUE:
        return x->value;
    case EX_TEXT:
        return text_value(r, x->text);
    case EX_REF:
        return follow(r, x->ref, NULL);
    case EX_RANGE:
        return range(r, x);
    case EX_BINARY:
        return binary(r, x);
    case EX_NOT:
        v = eval(r, x->left);
        return vtl_bool(!is_true(&v));
    case EX_LIST:
        v = vtl_new_list(r->a);
        for (size_t i = 0; i < x->count; i++)
            vtl_list_add(v.list, r->a, eval(r, x->items[i]));
        return v;
    case EX_MAP:
        break;
    }
    v = vtl_new_map(r->a);
    for (size_t i = 0; i + 1 < x->count; i += 2) {
        struct vtl_value key = eval(r, x->items[i]);
        vtl_map_put(v.map, r->a, vtl_text(&key, r->a), eval(r, x->items[i + 1]));
    }
    return v;
}

/* ---- nodes ---- */

/* API Gateway's own variables print nothing where they have no value. unverified; it is what
 * templates in the wild rely on. */
static bool is_own_variable(struct str name)
{
    static const char *const names[] = {"input", "context", "stageVariables", "util"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq_c(name, names[i]))
            return true;
    }
    return false;
}

static enum flow render_ref(struct render *r, const struct vtl_ref *ref)
{
    struct vtl_value v = follow(r, ref, NULL);
    if (v.type != VTL_NULL && v.type != VTL_HOST)
        vtl_print(&v, r->out);
    else if (!ref->quiet && !is_own_variable(ref->name))
        buf_add(r->out, ref->source);
    return r->error.p != NULL ? FLOW_FAIL : FLOW_ON;
}

static void set_loop(struct render *r, struct vtl_map *loop, size_t i, size_t count)
{
    vtl_map_put(loop, r->a, STR("index"), vtl_int((int64_t)i));
    vtl_map_put(loop, r->a, STR("count"), vtl_int((int64_t)i + 1));
    vtl_map_put(loop, r->a, STR("hasNext"), vtl_bool(i + 1 < count));
    vtl_map_put(loop, r->a, STR("first"), vtl_bool(i == 0));
    vtl_map_put(loop, r->a, STR("last"), vtl_bool(i + 1 == count));
    vtl_map_put(r->vars, r->a, STR("velocityCount"), vtl_int((int64_t)i + 1));
}

static void restore(struct render *r, struct str name, bool had, struct vtl_value v)
{
    if (had)
        vtl_map_put(r->vars, r->a, name, v);
    else
        vtl_map_remove(r->vars, name);
}

static struct vtl_value saved(struct render *r, struct str name, bool *ret_had)
{
    struct vtl_value *at = vtl_map_get(r->vars, name);
    *ret_had = at != NULL;
    return at == NULL ? vtl_null() : *at;
}

static enum flow render_foreach(struct render *r, const struct vtl_node *n)
{
    struct vtl_value over = eval(r, n->expr), loop = vtl_new_map(r->a);
    bool had_variable, had_loop;
    size_t count = over.type == VTL_LIST  ? over.list->count
                   : over.type == VTL_MAP ? over.map->count
                                          : 0;
    struct vtl_value old_variable = saved(r, n->text, &had_variable);
    struct vtl_value old_loop = saved(r, STR("foreach"), &had_loop);
    enum flow flow = r->error.p != NULL ? FLOW_FAIL : FLOW_ON;
    if (had_loop)
        vtl_map_put(loop.map, r->a, STR("parent"), old_loop);
    for (size_t i = 0; i < count && i < VTL_LOOP_MAX && flow == FLOW_ON; i++) {
        if (i >= (over.type == VTL_LIST ? over.list->count : over.map->count))
            break; /* the body took elements away */
        vtl_map_put(r->vars, r->a, n->text,
                    over.type == VTL_LIST ? over.list->items[i] : over.map->items[i].value);
        vtl_map_put(r->vars, r->a, STR("foreach"), loop);
        set_loop(r, loop.map, i, count);
        flow = render_block(r, n->body);
    }
    restore(r, n->text, had_variable, old_variable);
    restore(r, STR("foreach"), had_loop, old_loop);
    return flow == FLOW_BREAK ? FLOW_ON : flow;
}

static enum flow render_node(struct render *r, const struct vtl_node *n)
{
    struct vtl_value v;
    switch (n->type) {
    case NODE_TEXT:
        buf_add(r->out, n->text);
        return FLOW_ON;
    case NODE_REF:
        return render_ref(r, n->ref);
    case NODE_SET:
        v = eval(r, n->expr);
        if (v.type != VTL_NULL)
            assign(r, n->ref, v);
        return FLOW_ON;
    case NODE_IF:
        v = eval(r, n->expr);
        return is_true(&v)         ? render_block(r, n->body)
               : n->orelse != NULL ? render_block(r, n->orelse)
                                   : FLOW_ON;
    case NODE_FOREACH:
        return render_foreach(r, n);
    case NODE_BREAK:
        return FLOW_BREAK;
    case NODE_STOP:
        return FLOW_STOP;
    }
    return FLOW_ON;
}

static enum flow render_block(struct render *r, const struct vtl_block *block)
{
    enum flow flow = FLOW_ON;
    for (const struct vtl_node *n = block->first; n != NULL && flow == FLOW_ON; n = n->next) {
        if (++r->steps > VTL_STEPS_MAX)
            return fail(r, "the template takes too many steps");
        flow = render_node(r, n);
        if (r->error.p != NULL)
            return FLOW_FAIL;
        if (r->out->overflow)
            return fail(r, "the output is too long");
    }
    return flow;
}

bool vtl_render(const struct vtl_template *t, struct vtl_map *vars, struct arena *a,
                struct buf *out, struct str *ret_error)
{
    struct render r = {.vars = vars, .a = a, .out = out};
    enum flow flow = render_block(&r, t->block);
    *ret_error = r.error;
    return flow != FLOW_FAIL;
}
