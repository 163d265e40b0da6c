/* Intrinsic functions, as CloudFormation documents them. */
#include "codec.h"
#include "tpl_model.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

typedef struct tpl_node *function(struct tpl_model *m, const struct tpl_node *arg);

static struct tpl_node *fail(struct tpl_model *m, unsigned line, const char *message)
{
    tpl_fail(m->log, line, "%s", message);
    return NULL;
}

bool tpl_eval_text(struct tpl_model *m, const struct tpl_node *n, const char *what, struct str *ret)
{
    if (n == NULL)
        return tpl_fail(m->log, 1, "%s is missing", what);
    struct tpl_node *value = tpl_eval(m, n);
    if (value == NULL)
        return false;
    if (value->kind != TPL_SCALAR)
        return tpl_fail(m->log, n->line, "%s must be one text", what);
    *ret = value->text;
    return true;
}

/* The evaluated list of exactly count elements (0: any number). */
static struct tpl_node *list_of(struct tpl_model *m, const struct tpl_node *arg, size_t count,
                                const char *usage)
{
    struct tpl_node *n = tpl_eval(m, arg);
    if (n != NULL && (n->kind != TPL_SEQ || (count > 0 && n->count != count)))
        return fail(m, arg->line, usage);
    return n;
}

static bool scalar_at(struct tpl_model *m, const struct tpl_node *list, size_t at,
                      const char *usage, struct str *ret)
{
    const struct tpl_node *n = list->pairs[at].value;
    if (n->kind != TPL_SCALAR)
        return tpl_fail(m->log, n->line, "%s", usage);
    *ret = n->text;
    return true;
}

static struct tpl_node *fn_ref(struct tpl_model *m, const struct tpl_node *arg)
{
    if (arg->kind != TPL_SCALAR)
        return fail(m, arg->line, "Ref takes one name");
    return tpl_ref(m, arg->text, arg->line);
}

static struct tpl_node *fn_get_att(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::GetAtt takes a logical id and an attribute's name";
    struct str id, attribute;
    if (arg->kind == TPL_SCALAR) {
        attribute = arg->text;
        id = str_cut(&attribute, '.');
    } else {
        struct tpl_node *n = list_of(m, arg, 2, usage);
        if (n == NULL || !scalar_at(m, n, 0, usage, &id) || !scalar_at(m, n, 1, usage, &attribute))
            return NULL;
    }
    if (id.n == 0 || attribute.n == 0)
        return fail(m, arg->line, usage);
    return tpl_get_att(m, id, attribute, arg->line);
}

/* --- Sub --- */

static struct tpl_node *sub_value(struct tpl_model *m, const struct tpl_node *variables,
                                  struct str name, unsigned line)
{
    const struct tpl_node *own = tpl_get_str(variables, name);
    struct str attribute = name, id;
    if (own != NULL)
        return tpl_eval(m, own);
    id = str_cut(&attribute, '.');
    if (attribute.p != NULL && tpl_find_resource(m, name) == NULL && !str_eq_c(attribute, "Stage"))
        return tpl_get_att(m, id, attribute, line);
    return tpl_ref(m, name, line);
}

static struct tpl_node *fn_sub(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::Sub takes a text, or a text and a map of variables";
    const struct tpl_node *variables = NULL;
    if (arg->kind == TPL_SEQ && arg->count == 2 && arg->pairs[1].value->kind == TPL_MAP) {
        variables = arg->pairs[1].value;
        arg = arg->pairs[0].value;
    }
    if (arg->kind != TPL_SCALAR)
        return fail(m, arg->line, usage);
    struct buf *b = arena_new_buf(m->arena, TEXT_MAX);
    struct str rest = arg->text;
    ptrdiff_t at;
    while ((at = str_find_str(rest, STR("${"))) >= 0) {
        ptrdiff_t end = str_find(str_sub(rest, (size_t)at, rest.n), '}');
        if (end < 0)
            break;
        struct str name = str_sub(rest, (size_t)at + 2, (size_t)(at + end));
        buf_add(b, str_sub(rest, 0, (size_t)at));
        rest = str_sub(rest, (size_t)(at + end) + 1, rest.n);
        if (name.n > 0 && name.p[0] == '!') { /* ${!x} is the text ${x} */
            buf_addf(b, "${%.*s}", STR_ARG(str_sub(name, 1, name.n)));
            continue;
        }
        struct tpl_node *value = sub_value(m, variables, str_trim(name), arg->line);
        if (value == NULL)
            return NULL;
        if (value->kind != TPL_SCALAR)
            return fail(m, arg->line, "Fn::Sub: a variable is not one text");
        buf_add(b, value->text);
    }
    buf_add(b, rest);
    if (b->overflow)
        return fail(m, arg->line, "Fn::Sub: the text is too long");
    return tpl_made(m, arg->line, buf_view(b));
}

/* --- lists and texts --- */

static struct tpl_node *fn_join(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::Join takes a delimiter and a list of texts";
    struct str delimiter, part;
    struct tpl_node *n = list_of(m, arg, 2, usage);
    if (n == NULL || !scalar_at(m, n, 0, usage, &delimiter))
        return NULL;
    struct tpl_node *list = n->pairs[1].value;
    if (list->kind != TPL_SEQ)
        return fail(m, arg->line, usage);
    struct buf *b = arena_new_buf(m->arena, TEXT_MAX);
    for (size_t i = 0; i < list->count; i++) {
        if (!scalar_at(m, list, i, usage, &part))
            return NULL;
        if (i > 0)
            buf_add(b, delimiter);
        buf_add(b, part);
    }
    if (b->overflow)
        return fail(m, arg->line, "Fn::Join: the text is too long");
    return tpl_made(m, arg->line, buf_view(b));
}

static struct tpl_node *fn_select(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::Select takes an index and a list";
    struct str index;
    int64_t at;
    struct tpl_node *n = list_of(m, arg, 2, usage);
    if (n == NULL || !scalar_at(m, n, 0, usage, &index))
        return NULL;
    struct tpl_node *list = n->pairs[1].value;
    if (list->kind != TPL_SEQ || !str_to_i64(index, &at))
        return fail(m, arg->line, usage);
    if (at < 0 || (uint64_t)at >= list->count)
        return fail(m, arg->line, "Fn::Select: the index is outside the list");
    return list->pairs[at].value;
}

static struct tpl_node *fn_split(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::Split takes a delimiter and a text";
    struct str delimiter, text;
    struct tpl_node *n = list_of(m, arg, 2, usage);
    if (n == NULL || !scalar_at(m, n, 0, usage, &delimiter) || !scalar_at(m, n, 1, usage, &text))
        return NULL;
    if (delimiter.n == 0)
        return fail(m, arg->line, usage);
    struct tpl_node *list = tpl_node_new(m->arena, TPL_SEQ, arg->line);
    for (bool more = true; more;) {
        ptrdiff_t at = str_find_str(text, delimiter);
        more = at >= 0;
        struct tpl_node *part = tpl_made(m, arg->line, more ? str_sub(text, 0, (size_t)at) : text);
        if (part == NULL)
            return NULL;
        tpl_add(m->arena, list, STR(""), arg->line, part);
        if (more)
            text = str_sub(text, (size_t)at + delimiter.n, text.n);
    }
    return list;
}

static struct tpl_node *fn_find_in_map(struct tpl_model *m, const struct tpl_node *arg)
{
    static const char usage[] = "Fn::FindInMap takes a mapping's name and two keys";
    struct str map, first, second;
    struct tpl_node *n = list_of(m, arg, 3, usage);
    if (n == NULL || !scalar_at(m, n, 0, usage, &map) || !scalar_at(m, n, 1, usage, &first) ||
        !scalar_at(m, n, 2, usage, &second))
        return NULL;
    struct tpl_node *mappings = tpl_get(m->root, "Mappings");
    struct tpl_node *found = tpl_get_str(tpl_get_str(tpl_get_str(mappings, map), first), second);
    if (found != NULL && found->kind == TPL_SCALAR)
        return tpl_made(m, arg->line, found->text);
    if (found != NULL && found->kind == TPL_SEQ) /* mappings hold plain values only */
        return found;
    tpl_fail(m->log, arg->line, "Fn::FindInMap: there is no %.*s, %.*s, %.*s", STR_ARG(map),
             STR_ARG(first), STR_ARG(second));
    return NULL;
}

static struct tpl_node *fn_base64(struct tpl_model *m, const struct tpl_node *arg)
{
    struct str text;
    if (!tpl_eval_text(m, arg, "Fn::Base64's value", &text))
        return NULL;
    return tpl_made(m, arg->line, codec_base64_encode(m->arena, text));
}

static struct tpl_node *fn_get_azs(struct tpl_model *m, const struct tpl_node *arg)
{
    struct str region;
    if (!tpl_eval_text(m, arg, "Fn::GetAZs's region", &region))
        return NULL;
    if (region.n == 0)
        region = m->region;
    struct tpl_node *list = tpl_node_new(m->arena, TPL_SEQ, arg->line);
    for (char zone = 'a'; zone <= 'c'; zone++) {
        struct tpl_node *name =
            tpl_made(m, arg->line, arena_fmt(m->arena, "%.*s%c", STR_ARG(region), zone));
        if (name == NULL)
            return NULL;
        tpl_add(m->arena, list, STR(""), arg->line, name);
    }
    return list;
}

/* --- conditions --- */

static bool condition(struct tpl_model *m, const struct tpl_node *n, bool *ret);

static bool all_or_any(struct tpl_model *m, const struct tpl_node *arg, bool is_and, bool *ret)
{
    if (arg->kind != TPL_SEQ || arg->count < 2 || arg->count > 10)
        return tpl_fail(m->log, arg->line, "Fn::%s takes 2 to 10 conditions",
                        is_and ? "And" : "Or");
    *ret = is_and;
    for (size_t i = 0; i < arg->count; i++) {
        bool one;
        if (!condition(m, arg->pairs[i].value, &one))
            return false;
        *ret = is_and ? *ret && one : *ret || one;
    }
    return true;
}

static bool equals(struct tpl_model *m, const struct tpl_node *arg, bool *ret)
{
    struct str a, b;
    if (arg->kind != TPL_SEQ || arg->count != 2)
        return tpl_fail(m->log, arg->line, "Fn::Equals takes two values");
    if (!tpl_eval_text(m, arg->pairs[0].value, "Fn::Equals's value", &a) ||
        !tpl_eval_text(m, arg->pairs[1].value, "Fn::Equals's value", &b))
        return false;
    *ret = str_eq(a, b);
    return true;
}

/* Recursion follows the tree, whose depth is capped; named conditions are guarded by their state.
 */
static bool condition(struct tpl_model *m, const struct tpl_node *n, bool *ret)
{
    if (n->kind != TPL_MAP || n->count != 1)
        return tpl_fail(m->log, n->line,
                        "a condition is Fn::And, Fn::Or, Fn::Not, Fn::Equals or Condition");
    struct str name = n->pairs[0].key;
    const struct tpl_node *arg = n->pairs[0].value;
    if (str_eq_c(name, "Condition") && arg->kind == TPL_SCALAR)
        return tpl_condition_value(m, arg->text, n->line, ret);
    if (str_eq_c(name, "Fn::Equals"))
        return equals(m, arg, ret);
    if (str_eq_c(name, "Fn::And") || str_eq_c(name, "Fn::Or"))
        return all_or_any(m, arg, str_eq_c(name, "Fn::And"), ret);
    if (str_eq_c(name, "Fn::Not")) {
        if (arg->kind != TPL_SEQ || arg->count != 1)
            return tpl_fail(m->log, n->line, "Fn::Not takes one condition");
        if (!condition(m, arg->pairs[0].value, ret))
            return false;
        *ret = !*ret;
        return true;
    }
    return tpl_fail(m->log, n->line, "%.*s is no condition function", STR_ARG(name));
}

bool tpl_condition_value(struct tpl_model *m, struct str name, unsigned line, bool *ret)
{
    for (size_t i = 0; i < m->condition_count; i++) {
        struct tpl_condition *c = &m->conditions[i];
        if (!str_eq(c->name, name))
            continue;
        if (c->state == TPL_BUSY)
            return tpl_fail(m->log, c->line, "the condition %.*s depends on itself", STR_ARG(name));
        if (c->state == TPL_NEW) {
            c->state = TPL_BUSY;
            if (!condition(m, c->node, &c->value))
                return false;
            c->state = TPL_DONE;
        }
        *ret = c->value;
        return true;
    }
    return tpl_fail(m->log, line, "there is no condition %.*s", STR_ARG(name));
}

static struct tpl_node *fn_if(struct tpl_model *m, const struct tpl_node *arg)
{
    bool value;
    if (arg->kind != TPL_SEQ || arg->count != 3 || arg->pairs[0].value->kind != TPL_SCALAR)
        return fail(m, arg->line, "Fn::If takes a condition's name and two values");
    if (!tpl_condition_value(m, arg->pairs[0].value->text, arg->line, &value))
        return NULL;
    return tpl_eval(m, arg->pairs[value ? 1 : 2].value);
}

/* --- evaluation --- */

static function *find_function(struct str name)
{
    static const struct {
        const char *name;
        function *fn;
    } functions[] = {
        {"Ref", fn_ref},
        {"Fn::GetAtt", fn_get_att},
        {"Fn::Sub", fn_sub},
        {"Fn::Join", fn_join},
        {"Fn::Select", fn_select},
        {"Fn::Split", fn_split},
        {"Fn::FindInMap", fn_find_in_map},
        {"Fn::Base64", fn_base64},
        {"Fn::GetAZs", fn_get_azs},
        {"Fn::If", fn_if},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (str_eq_c(name, functions[i].name))
            return functions[i].fn;
    return NULL;
}

static struct tpl_node *eval_children(struct tpl_model *m, const struct tpl_node *n)
{
    struct tpl_node *copy = tpl_node_new(m->arena, n->kind, n->line);
    for (size_t i = 0; i < n->count; i++) {
        if (!tpl_made(m, n->pairs[i].line, n->pairs[i].key)) /* keys count, too */
            return NULL;
        struct tpl_node *value = tpl_eval(m, n->pairs[i].value);
        if (value == NULL)
            return NULL;
        if (value->kind != TPL_NONE)
            tpl_add(m->arena, copy, n->pairs[i].key, n->pairs[i].line, value);
    }
    return copy;
}

struct tpl_node *tpl_eval(struct tpl_model *m, const struct tpl_node *n)
{
    if (n->kind == TPL_SCALAR) {
        struct tpl_node *copy = tpl_made(m, n->line, n->text);
        if (copy != NULL) {
            copy->is_null = n->is_null;
            copy->is_plain = n->is_plain;
        }
        return copy;
    }
    if (n->kind == TPL_NONE)
        return tpl_node_new(m->arena, TPL_NONE, n->line);
    if (n->kind == TPL_MAP && n->count == 1) {
        struct str name = n->pairs[0].key;
        function *fn = find_function(name);
        if (fn != NULL)
            return fn(m, n->pairs[0].value);
        if (str_starts(name, STR("Fn::"))) {
            tpl_fail(m->log, n->line, "Puddle does not support %.*s yet", STR_ARG(name));
            return NULL;
        }
    }
    if (!tpl_made(m, n->line, STR("")))
        return NULL;
    return eval_children(m, n);
}
