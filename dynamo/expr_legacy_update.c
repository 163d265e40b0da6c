/* AttributeUpdates and AttributesToGet. Names are whole names here, dots and all. */
#include "expr_internal.h"
#include "expr_legacy.h"
#include "expr_update.h"

static bool is_set(enum attr_type type)
{
    return type == ATTR_SS || type == ATTR_NS || type == ATTR_BS;
}

static bool check_value(struct legacy *l, enum expr_action_kind kind, enum attr_type type)
{
    if (is_set(type) || kind == ACTION_SET ||
        (kind == ACTION_ADD && (type == ATTR_N || type == ATTR_L)))
        return true;
    return aws_fail(l->err, l->a, &AWS_ValidationException,
                    LEGACY_INVALID "%s is not supported for the type %s",
                    kind == ACTION_ADD ? "ADD action" : "DELETE action with value",
                    attr_type_name(type));
}

static bool read_update(struct legacy *l, struct str name, struct jval v, struct expr_actions *list)
{
    struct str action = jval_text(jval_get(v, "Action"), l->a);
    struct jval value = jval_get(v, "Value");
    struct attr at;
    struct expr_action x = {.kind = str_eq_c(action, "ADD")      ? ACTION_ADD
                                    : str_eq_c(action, "DELETE") ? ACTION_DELETE
                                                                 : ACTION_SET};
    x.path = expr_path_new(l->a, name);
    if (!jval_present(value)) {
        if (x.kind != ACTION_DELETE)
            return aws_fail(l->err, l->a, &AWS_ValidationException,
                            LEGACY_INVALID
                            "Only DELETE action is allowed when no attribute value is specified");
        x.kind = ACTION_REMOVE;
    } else {
        if (!expr_legacy_value(l, value, &at) || !check_value(l, x.kind, at.type))
            return false;
        x.value = expr_operand_value(l->a, at.json);
    }
    expr_actions_add(l->a, list, x);
    return true;
}

bool expr_legacy_update(struct arena *a, struct jval attribute_updates, enum attr_wording wording,
                        struct expr_update **ret, struct aws_err *err)
{
    struct legacy l = expr_legacy_start(a, wording, err);
    struct expr_actions list = {0};
    struct jval it = {0};
    while (jval_next(attribute_updates, &it, NULL)) {
        struct str name = jval_key_str(it, a);
        if (!expr_legacy_name(&l, name) || !read_update(&l, name, it, &list))
            return false;
    }
    if (!expr_update_seal(a, &list, "", ret, err))
        return false;
    (*ret)->legacy = true;
    return true;
}

bool expr_legacy_projection(struct arena *a, struct jval attributes_to_get,
                            struct expr_projection **ret, struct aws_err *err)
{
    size_t count = jval_count(attributes_to_get), n = 0;
    struct expr_path **paths = ARENA_ARRAY(a, struct expr_path *, count + 1);
    struct jval it = {0};
    struct legacy l = expr_legacy_start(a, ATTR_BARE, err);
    if (count == 0) /* the model refuses it first */
        return aws_fail(err, a, &AWS_ValidationException, "AttributesToGet cannot be empty");
    while (jval_next(attributes_to_get, &it, NULL)) {
        struct str name = jval_text(it, a);
        if (!expr_legacy_name(&l, name))
            return false;
        paths[n++] = expr_path_new(a, name);
    }
    struct expr_path **sorted = expr_paths_sorted(a, paths, n);
    for (size_t i = 1; i < n; i++) {
        if (str_eq(sorted[i - 1]->step[0].name, sorted[i]->step[0].name))
            return aws_fail(err, a, &AWS_ValidationException,
                            LEGACY_INVALID "Duplicate value in attribute name: %.*s",
                            STR_ARG(sorted[i]->step[0].name));
    }
    expr_pick_build(a, paths, n, ret);
    return true;
}
