/* The validator over the generated models. Pass 1 looks at JSON kinds only, pass 2 at the limits;
 * neither allocates while nothing is wrong. Recursion follows the document, whose depth the JSON
 * reader has capped. */
#include "shape.h"
#include "panic.h"
#include "pattern.h"
#include <stdio.h>
#include <string.h>

const struct op_model *shape_find_op(const struct shape_model *m, struct str name)
{
    size_t low = 0, high = m->op_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(str_c(m->ops[middle].name), name);
        if (order == 0)
            return &m->ops[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct shape_member *find_member(const struct shape_model *m, const struct shape *s,
                                              struct str name)
{
    for (size_t i = 0; i < s->member_count; i++) {
        const struct shape_member *member = &m->members[s->first_member + i];
        if (strncmp(member->name, name.p, name.n) == 0 && member->name[name.n] == '\0')
            return member;
    }
    return NULL;
}

/* ---- pass 1: declared types -------------------------------------------------------------- */

static const char *kind_word(struct jval v)
{
    bool b = false;
    switch (jval_kind(v)) {
    case JSON_STRING:
        return "STRING_VALUE";
    case JSON_BOOL:
        jval_bool(v, &b);
        return b ? "TRUE_VALUE" : "FALSE_VALUE";
    default:
        return str_find(jval_raw(v), '.') >= 0 ? "DECIMAL_VALUE" : "NUMBER_VALUE";
    }
}

static const char *type_word(enum shape_type type)
{
    switch (type) {
    case SH_STRING:
        return "String";
    case SH_INTEGER:
        return "Integer";
    case SH_LONG:
        return "Long";
    case SH_DOUBLE:
        return "Double";
    case SH_BOOLEAN:
        return "Boolean";
    default:
        return "Blob"; /* unverified */
    }
}

/* The texts are those recorded from DynamoDB for its older JSON layer. */
static bool fail_type(const struct shape *s, struct jval v, struct arena *a, struct aws_err *err)
{
    enum json_kind kind = jval_kind(v);
    bool wants_container =
        s->type == SH_STRUCT || s->type == SH_UNION || s->type == SH_LIST || s->type == SH_MAP;
    if (kind == JSON_OBJECT)
        return aws_fail(err, a, &AWS_SerializationException,
                        "Start of structure or map found where not expected");
    if (kind == JSON_ARRAY)
        return aws_fail(err, a, &AWS_SerializationException,
                        "Start of list found where not expected");
    if (wants_container)
        return aws_fail(err, a, &AWS_SerializationException, "Unexpected field type");
    if (s->type == SH_BOOLEAN && kind != JSON_STRING)
        return aws_fail(err, a, &AWS_SerializationException,
                        "Unexpected token received from parser");
    return aws_fail(err, a, &AWS_SerializationException, "%s cannot be converted to %s",
                    kind_word(v), type_word(s->type));
}

bool shape_check_types(const struct shape_model *m, uint16_t shape, struct jval v, struct arena *a,
                       struct aws_err *err)
{
    const struct shape *s = &m->shapes[shape];
    enum json_kind kind = jval_kind(v);
    struct jval it = {0};
    struct str key;
    if (kind == JSON_MISSING || kind == JSON_NULL)
        return true;
    switch (s->type) {
    case SH_STRUCT:
    case SH_UNION:
        if (kind != JSON_OBJECT)
            return fail_type(s, v, a, err);
        while (jval_next(v, &it, &key)) {
            const struct shape_member *member = find_member(m, s, key);
            if (member != NULL && !shape_check_types(m, member->shape, it, a, err))
                return false;
        }
        return true;
    case SH_LIST:
        if (kind != JSON_ARRAY)
            return fail_type(s, v, a, err);
        while (jval_next(v, &it, NULL)) {
            if (!shape_check_types(m, s->element, it, a, err))
                return false;
        }
        return true;
    case SH_MAP:
        if (kind != JSON_OBJECT)
            return fail_type(s, v, a, err);
        while (jval_next(v, &it, NULL)) {
            if (!shape_check_types(m, s->element, it, a, err))
                return false;
        }
        return true;
    case SH_STRING:
    case SH_BLOB:
        return kind == JSON_STRING || fail_type(s, v, a, err);
    case SH_INTEGER:
    case SH_LONG:
    case SH_DOUBLE:
        return kind == JSON_NUMBER || fail_type(s, v, a, err);
    case SH_BOOLEAN:
        return kind == JSON_BOOL || fail_type(s, v, a, err);
    case SH_TIMESTAMP:
        return kind == JSON_NUMBER || kind == JSON_STRING || fail_type(s, v, a, err);
    case SH_DOCUMENT:
        return true;
    }
    return true;
}

/* ---- pass 2: limits ---------------------------------------------------------------------- */

enum { FAILURES_MAX = 10, PATH_MAX_BYTES = 1024 };

struct limits {
    const struct shape_model *m;
    struct arena *a;
    struct buf text; /* messages so far */
    unsigned failures;
    bool newer;
    char path[PATH_MAX_BYTES];
    size_t path_n;
};

static size_t path_push(struct limits *l, struct str part)
{
    size_t before = l->path_n;
    if (l->path_n + part.n + 1 < sizeof l->path) {
        if (l->path_n > 0)
            l->path[l->path_n++] = '.';
        memcpy(l->path + l->path_n, part.p, part.n);
        l->path_n += part.n;
    }
    return before;
}

/* The value as Java prints it inside a message. */
static void print_value(struct limits *l, struct jval v)
{
    struct jval it = {0};
    bool first = true;
    switch (jval_kind(v)) {
    case JSON_STRING:
        buf_add(&l->text, jval_text(v, l->a));
        break;
    case JSON_ARRAY:
        buf_addc(&l->text, '[');
        while (jval_next(v, &it, NULL)) {
            if (!first)
                buf_add(&l->text, STR(", "));
            first = false;
            print_value(l, it);
        }
        buf_addc(&l->text, ']');
        break;
    case JSON_OBJECT:
        buf_addc(&l->text, '{');
        while (jval_next(v, &it, NULL)) {
            if (!first)
                buf_add(&l->text, STR(", "));
            first = false;
            buf_add(&l->text, jval_key_str(it, l->a));
            buf_addc(&l->text, '=');
            print_value(l, it);
        }
        buf_addc(&l->text, '}');
        break;
    default:
        buf_add(&l->text, jval_raw(v));
    }
}

/* Opens "Value '...' at '...' failed to satisfy constraint: Member must "; the caller writes the
 * rest. False: this failure is not to be reported. */
static bool begin_failure(struct limits *l, struct jval v, bool is_enum)
{
    if (l->failures >= (l->newer ? 1 : FAILURES_MAX))
        return false;
    if (l->failures++ > 0)
        buf_add(&l->text, STR("; "));
    if (l->newer && is_enum) {
        buf_add(&l->text, STR("Failed to satisfy constraint: Member must "));
        return true;
    }
    if (jval_kind(v) <= JSON_NULL) {
        buf_add(&l->text, STR("Value null at '"));
    } else if (l->newer) {
        buf_add(&l->text, STR("Value at '"));
    } else {
        buf_add(&l->text, STR("Value '"));
        print_value(l, v);
        buf_add(&l->text, STR("' at '"));
    }
    struct str path = {l->path, l->path_n};
    if (l->newer && path.n > 0) {
        buf_addc(&l->text,
                 (char)(path.p[0] >= 'a' && path.p[0] <= 'z' ? path.p[0] - 32 : path.p[0]));
        path = str_sub(path, 1, path.n);
    }
    buf_add(&l->text, path);
    buf_add(&l->text, STR("' failed to satisfy constraint: Member must "));
    return true;
}

static void check_bounds(struct limits *l, const struct shape *s, struct jval v, int64_t size,
                         const char *what)
{
    if (s->min != INT64_MIN && size < s->min && begin_failure(l, v, false))
        buf_addf(&l->text, "have %s greater than or equal to %lld", what, (long long)s->min);
    if (s->max != INT64_MAX && size > s->max && begin_failure(l, v, false))
        buf_addf(&l->text, "have %s less than or equal to %lld", what, (long long)s->max);
}

static void check_string(struct limits *l, const struct shape *s, struct jval v)
{
    struct str text = jval_text(v, l->a);
    if (s->min != INT64_MIN || s->max != INT64_MAX)
        check_bounds(l, s, v, (int64_t)str_utf8_count(text), "length");
    if (s->enum_set != 0) {
        const char *const *set = l->m->enum_sets[s->enum_set];
        const char *const *e = set;
        while (*e != NULL && !str_eq_c(text, *e))
            e++;
        if (*e == NULL && begin_failure(l, v, true)) {
            buf_add(&l->text, STR("satisfy enum value set: ["));
            for (e = set; *e != NULL; e++)
                buf_addf(&l->text, "%s%s", e == set ? "" : ", ", *e);
            buf_addc(&l->text, ']');
        }
    }
    if (s->pattern != 0 && !pattern_match(&l->m->patterns[s->pattern], text) &&
        begin_failure(l, v, false))
        buf_addf(&l->text, "satisfy regular expression pattern: %s",
                 l->m->patterns[s->pattern].text);
}

static void check_limits(struct limits *l, uint16_t shape, struct jval v);

static void check_struct(struct limits *l, const struct shape *s, struct jval v)
{
    struct str key;
    uint64_t seen = 0; /* members beyond 64 are looked up again */
    struct jval it = {0};
    struct jval at[64];
    while (jval_next(v, &it, &key)) {
        const struct shape_member *member = find_member(l->m, s, key);
        if (member == NULL || jval_kind(it) == JSON_NULL)
            continue;
        size_t i = (size_t)(member - l->m->members) - s->first_member;
        if (i < 64) {
            seen |= (uint64_t)1 << i;
            at[i] = it;
        }
    }
    for (size_t i = 0; i < s->member_count; i++) {
        const struct shape_member *member = &l->m->members[s->first_member + i];
        struct jval value = {0};
        if (i >= 64)
            value = jval_get(v, member->name);
        else if (seen >> i & 1)
            value = at[i];
        bool there = jval_kind(value) > JSON_NULL;
        if (!there && !member->required)
            continue;
        size_t before = path_push(l, str_c(member->path_name));
        if (there)
            check_limits(l, member->shape, value);
        else if (begin_failure(l, value, false))
            buf_add(&l->text, STR("not be null"));
        l->path_n = before;
    }
}

static void check_elements(struct limits *l, const struct shape *s, struct jval v)
{
    struct jval it = {0};
    size_t index = 0;
    while (jval_next(v, &it, NULL)) {
        size_t before = l->path_n;
        char number[32];
        if (s->type == SH_MAP) {
            path_push(l, jval_key_str(it, l->a));
        } else {
            int n = snprintf(number, sizeof number, "%zu", ++index);
            path_push(l, (struct str){number, (size_t)n});
        }
        path_push(l, STR("member"));
        check_limits(l, s->element, it);
        l->path_n = before;
    }
}

static void check_limits(struct limits *l, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    int64_t number;
    switch (s->type) {
    case SH_STRUCT:
    case SH_UNION:
        check_struct(l, s, v);
        break;
    case SH_LIST:
    case SH_MAP:
        check_bounds(l, s, v, (int64_t)jval_count(v), "length");
        check_elements(l, s, v);
        break;
    case SH_STRING:
        check_string(l, s, v);
        break;
    case SH_INTEGER:
    case SH_LONG:
        if (!jval_i64(v, &number))
            break;
        if (s->min != INT64_MIN && number < s->min && begin_failure(l, v, false))
            buf_addf(&l->text, "have value greater than or equal to %lld", (long long)s->min);
        if (s->max != INT64_MAX && number > s->max && begin_failure(l, v, false))
            buf_addf(&l->text, "have value less than or equal to %lld", (long long)s->max);
        break;
    default:
        break;
    }
}

bool shape_check_limits(const struct shape_model *m, uint16_t shape, struct jval v, struct arena *a,
                        struct aws_err *err)
{
    struct limits l;
    l.m = m;
    l.a = a;
    l.failures = 0;
    l.newer = m->shapes[shape].newer;
    l.path_n = 0;
    buf_init(&l.text, 1 << 20);
    check_limits(&l, shape, v);
    if (l.failures == 0)
        return true;
    aws_fail(err, a, &AWS_ValidationException, "%u validation error%s detected: %.*s", l.failures,
             l.failures == 1 ? "" : "s", STR_ARG(buf_view(&l.text)));
    buf_release(&l.text);
    return false;
}
