/* ExpressionAttributeNames and ExpressionAttributeValues: their own errors, and what was used. */
#include "expr_internal.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

static bool fail(const struct expr_env *env, struct aws_err *err, bool values, const char *what,
                 struct str tail)
{
    return aws_fail(err, env->a, &AWS_ValidationException, "%sExpressionAttribute%s %s%.*s",
                    env->envelope, values ? "Values" : "Names", what, STR_ARG(tail));
}

static bool is_key(struct str key, char sign)
{
    if (key.n < 2 || key.p[0] != sign)
        return false;
    for (size_t i = 1; i < key.n; i++) {
        char c = key.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            c != '_')
            return false;
    }
    return true;
}

static bool check_key(const struct expr_env *env, struct str key, bool values, struct aws_err *err)
{
    const char *invalid = "contains invalid key: ";
    if (key.n == 0)
        return fail(env, err, values, invalid,
                    STR("The expression attribute map contains an empty key;"));
    if (key.n > EXPR_REF_MAX)
        return fail(env, err, values, invalid,
                    arena_fmt(env->a,
                              "The expression attribute map contains a key that is too long; size "
                              "of key: %zu",
                              key.n));
    if (!is_key(key, values ? ':' : '#'))
        return fail(env, err, values, invalid,
                    arena_fmt(env->a, "Syntax error; key: \"%.*s\"", STR_ARG(key)));
    return true;
}

static bool fail_value(const struct expr_env *env, struct aws_err *err, bool values,
                       struct str message, struct str key)
{
    return fail(env, err, values, "contains invalid value: ",
                arena_fmt(env->a, "%.*s for key %.*s", STR_ARG(message), STR_ARG(key)));
}

static bool read_name(const struct expr_env *env, struct jval v, struct expr_ref *ret,
                      struct aws_err *err)
{
    ret->name = jval_text(v, env->a);
    if (ret->name.n == 0)
        return fail_value(env, err, false, STR("Empty attribute name"), ret->key);
    if (ret->name.n > ATTR_NAME_MAX)
        return fail_value(env, err, false,
                          STR("Attribute name is too large, must be less than 65536 bytes"),
                          ret->key);
    return true;
}

/* Does the newer layer say at which key a bad value is? For sets it does, for numbers and NULL it
 * does not (measured). unverified: the other errors. */
static bool names_the_key(struct str message)
{
    return str_starts(message, STR("One or more parameter values were invalid: ")) &&
           str_find_str(message, STR("Null attribute value")) < 0;
}

/* The older layer always says where the value is (fact 37). */
static bool read_value(const struct expr_env *env, struct buf *text, struct jval v,
                       enum attr_wording wording, struct expr_ref *ret, struct aws_err *err)
{
    struct aws_err inner = {0};
    bool enveloped = wording == ATTR_ENVELOPED;
    if (attr_read(v, enveloped ? ATTR_BARE : wording, env->a, text, &ret->value, &inner)) {
        ret->shown = jval_text(jval_get(v, "N"), env->a);
        if (ret->value.json.p != NULL)
            return true;
        /* unverified: the words for a value that could not be stored anyway */
        return aws_fail(err, env->a, &AWS_ValidationException,
                        "Item size has exceeded the maximum allowed size");
    }
    if (inner.kind != &AWS_ValidationException) {
        *err = inner;
        return false;
    }
    if (wording == ATTR_OLDER || (enveloped && names_the_key(inner.message)))
        return fail_value(env, err, true, inner.message, ret->key);
    return aws_fail(err, env->a, &AWS_ValidationException, "%s%.*s", env->envelope,
                    STR_ARG(inner.message));
}

static int compare_refs(const void *x, const void *y)
{
    const struct expr_ref *a = x, *b = y;
    int c = str_cmp(a->key, b->key);
    return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

/* Sorted for lookup; of equal keys the last one given stays. */
static size_t sort_refs(struct expr_ref *refs, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(refs, count, sizeof *refs, compare_refs);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(refs[i].key, refs[i + 1].key))
            continue;
        refs[kept++] = refs[i];
    }
    return kept;
}

static bool read_map(struct expr_env *env, struct jval map, bool values, enum attr_wording wording,
                     struct expr_ref **ret, size_t *ret_count, struct aws_err *err)
{
    struct arena *a = env->a;
    size_t count = jval_count(map), i = 0;
    struct jval it = {0};
    if (!jval_present(map))
        return true;
    if (count == 0)
        return fail(env, err, values, "must not be empty", STR(""));
    struct expr_ref *refs = ARENA_ARRAY(a, struct expr_ref, count);
    struct buf *text = values ? arena_new_buf(a, ATTR_TEXT_MAX) : NULL;
    for (; jval_next(map, &it, NULL); i++) {
        refs[i].key = jval_key_str(it, a);
        refs[i].order = (uint32_t)i;
        if (!check_key(env, refs[i].key, values, err))
            return false;
        if (values) {
            buf_clear(text);
            if (!read_value(env, text, it, wording, &refs[i], err))
                return false;
        } else if (!read_name(env, it, &refs[i], err)) {
            return false;
        }
    }
    *ret_count = sort_refs(refs, count);
    *ret = refs;
    return true;
}

struct expr_env *expr_env_new(struct arena *a, struct jval names, struct jval values,
                              struct expr_given given, enum attr_wording wording,
                              struct aws_err *err)
{
    struct expr_env *env = ARENA_NEW(a, struct expr_env);
    env->a = a;
    env->envelope = "";
    if (jval_present(names) && given.any == 0) { /* not in the envelope, as far as is known */
        fail(env, err, false, "can only be specified when using expressions", STR(""));
        return NULL;
    }
    if (wording == ATTR_ENVELOPED)
        env->envelope = "1 validation error detected: ";
    if (jval_present(values) && given.with_values == 0) {
        fail(env, err, true, "can only be specified when using expressions: ", str_c(given.absent));
        return NULL;
    }
    if (!read_map(env, names, false, wording, &env->names, &env->name_count, err) ||
        !read_map(env, values, true, wording, &env->values, &env->value_count, err))
        return NULL;
    return env;
}

static struct expr_ref *find(struct expr_ref *refs, size_t count, struct str key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = str_cmp(refs[mid].key, key);
        if (c == 0) {
            refs[mid].used = true;
            return &refs[mid];
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

struct expr_ref *expr_env_name(struct expr_env *env, struct str key)
{
    return find(env->names, env->name_count, key);
}

struct expr_ref *expr_env_value(struct expr_env *env, struct str key)
{
    return find(env->values, env->value_count, key);
}

/* DynamoDB lists unused keys in the order of a Java HashSet of all keys; that order is a function
 * of the keys: String.hashCode in a table of a power of two. */
static uint32_t java_slot(struct str key, uint32_t slots)
{
    uint32_t h = 0;
    for (size_t i = 0; i < key.n; i++)
        h = h * 31 + (unsigned char)key.p[i]; /* keys are ASCII, see is_key */
    return (h ^ h >> 16) & (slots - 1);
}

struct unused {
    const struct expr_ref *ref;
    uint32_t slot;
};

static int compare_unused(const void *x, const void *y)
{
    const struct unused *a = x, *b = y;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->ref->order > b->ref->order) - (a->ref->order < b->ref->order);
}

static bool check_unused(const struct expr_env *env, const struct expr_ref *refs, size_t count,
                         const char *map, struct aws_err *err)
{
    size_t left = 0;
    uint32_t slots = 16;
    struct unused *list = ARENA_ARRAY(env->a, struct unused, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (!refs[i].used)
            list[left++].ref = &refs[i];
    }
    if (left == 0)
        return true;
    while (slots < count * 4 / 3 + 1)
        slots *= 2;
    for (size_t i = 0; i < left; i++)
        list[i].slot = java_slot(list[i].ref->key, slots);
    qsort(list, left, sizeof *list, compare_unused);
    struct buf *b = arena_new_buf(env->a, SIZE_MAX / 2);
    for (size_t i = 0; i < left; i++) {
        buf_add(b, i == 0 ? STR("") : STR(", "));
        buf_add(b, list[i].ref->key);
    }
    return aws_fail(err, env->a, &AWS_ValidationException,
                    "%sValue provided in %s unused in expressions: keys: {%.*s}", env->envelope,
                    map, STR_ARG(buf_view(b)));
}

bool expr_env_finish(const struct expr_env *env, struct aws_err *err)
{
    if (!check_unused(env, env->names, env->name_count, "ExpressionAttributeNames", err) ||
        !check_unused(env, env->values, env->value_count, "ExpressionAttributeValues", err))
        return false;
    if (env->late_error.p == NULL)
        return true;
    return aws_fail(err, env->a, &AWS_ValidationException, "%s%.*s", env->envelope,
                    STR_ARG(env->late_error));
}
