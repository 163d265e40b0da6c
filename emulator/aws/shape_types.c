/* Pass 1: does the JSON have the declared types? Two generations of texts. DynamoDB's were recorded
 * from the service by dynalite's test-suite (2018 on); the REST services still speak the older ones
 * (facts/lambda_errors.tsv 266, 267; the rest as DynamoDB spoke in 2013). */
#include "shape_internal.h"
#include <string.h>

enum place { IN_FIELD, IN_LIST, IN_MAP }; /* where the value stands */

struct types {
    const struct shape_model *m;
    struct arena *a;
    struct aws_err *err;
    bool dynamodb;
};

static bool is_container(const struct shape *s)
{
    return s->type == SH_STRUCT || s->type == SH_UNION || s->type == SH_LIST || s->type == SH_MAP;
}

static const char *type_word(enum shape_type type)
{
    switch (type) {
    case SH_INTEGER:
        return "Integer";
    case SH_LONG:
        return "Long";
    case SH_DOUBLE:
        return "Double";
    case SH_BOOLEAN:
        return "Boolean";
    case SH_TIMESTAMP:
        return "Date"; /* unverified */
    default:
        return "String";
    }
}

static bool is_decimal(struct jval v)
{
    struct str raw = jval_raw(v);
    return str_find(raw, '.') >= 0 || str_find(raw, 'e') >= 0 || str_find(raw, 'E') >= 0;
}

/* ---- DynamoDB ---------------------------------------------------------------------------- */

static const char *const cast_text =
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class "
    "java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
    "java.lang.Class are in module java.base of loader 'bootstrap')";

/* The Java class behind a shape, as messages name it. */
static struct str class_name(struct types *t, const struct shape *s)
{
    switch (s->type) {
    case SH_STRUCT:
    case SH_UNION:
        return arena_fmt(t->a, "com.amazonaws.dynamodb.v20120810.%s", s->name);
    case SH_LIST:
        return arena_fmt(t->a, "java.util.List<%.*s>",
                         STR_ARG(class_name(t, &t->m->shapes[s->element])));
    case SH_MAP:
        return arena_fmt(t->a, "java.util.Map<java.lang.String, %.*s>",
                         STR_ARG(class_name(t, &t->m->shapes[s->element])));
    case SH_BLOB:
        return STR("java.nio.ByteBuffer");
    default:
        return arena_fmt(t->a, "java.lang.%s", type_word(s->type));
    }
}

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
        return is_decimal(v) ? "DECIMAL_VALUE" : "NUMBER_VALUE";
    }
}

static bool fail_dynamodb(struct types *t, const struct shape *s, struct jval v, enum place place)
{
    const struct aws_err_kind *kind = &AWS_SerializationException;
    if (jval_kind(v) == JSON_OBJECT)
        return aws_fail(t->err, t->a, kind, "Start of structure or map found where not expected");
    if (jval_kind(v) == JSON_ARRAY)
        return aws_fail(t->err, t->a, kind, "Unrecognized collection type %s%.*s",
                        s->type == SH_MAP ? "" : "class ", STR_ARG(class_name(t, s)));
    if (is_container(s)) {
        if (place == IN_FIELD)
            return aws_fail(t->err, t->a, kind, "Unexpected field type");
        if (s->type == SH_LIST || s->type == SH_MAP)
            return aws_fail(t->err, t->a, kind, "%s", cast_text);
        return aws_fail(t->err, t->a, kind, "Unexpected value type in payload");
    }
    if (s->type == SH_BLOB)
        return aws_fail(t->err, t->a, kind,
                        "only base-64-encoded strings are convertible to bytes");
    if (s->type == SH_BOOLEAN && jval_kind(v) == JSON_STRING)
        return aws_fail(t->err, t->a, kind, "Unexpected token received from parser");
    return aws_fail(t->err, t->a, kind, "%s cannot be converted to %s", kind_word(v),
                    type_word(s->type));
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool check_base64(struct types *t, struct jval v)
{
    struct str text = jval_text(v, t->a);
    size_t digits = text.n;
    if (text.n % 4 != 0)
        return aws_fail(t->err, t->a, &AWS_SerializationException,
                        "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                        text.n);
    while (digits > 0 && text.n - digits < 2 && text.p[digits - 1] == '=')
        digits--;
    int unused_bits = text.n - digits == 2 ? 15 : text.n - digits == 1 ? 3 : 0;
    if (digits > 0 && base64_digit(text.p[digits - 1]) >= 0 &&
        (base64_digit(text.p[digits - 1]) & unused_bits) != 0)
        return aws_fail(t->err, t->a, &AWS_SerializationException,
                        "Invalid last non-pad Base64 character dectected");
    for (size_t i = 0; i < digits; i++) {
        if (base64_digit(text.p[i]) < 0) /* unverified: the text is of 2013 */
            return aws_fail(t->err, t->a, &AWS_SerializationException,
                            "Invalid Base64 character: '%.*s'",
                            (unsigned char)text.p[i] < 0x80 ? 1 : 0, text.p + i);
    }
    return true;
}

/* ---- the others -------------------------------------------------------------------------- */

static const char *java_class(struct jval v)
{
    switch (jval_kind(v)) {
    case JSON_STRING:
        return "java.lang.String";
    case JSON_BOOL:
        return "java.lang.Boolean";
    default:
        return "com.amazon.coral.value.json.numbers.TruncatingBigNumber";
    }
}

static bool fail_older(struct types *t, const struct shape *s, struct jval v)
{
    const struct aws_err_kind *kind = &AWS_SerializationException;
    if (jval_kind(v) == JSON_OBJECT)
        return aws_fail(t->err, t->a, kind, "Start of structure or map found where not expected.");
    if (jval_kind(v) == JSON_ARRAY)
        return aws_fail(t->err, t->a, kind, "Start of list found where not expected");
    if (s->type == SH_LIST)
        return aws_fail(t->err, t->a, kind, "Expected list or null");
    if (s->type == SH_MAP)
        return aws_fail(t->err, t->a, kind, "Expected map or null");
    if (is_container(s))
        return aws_fail(t->err, t->a, kind, "Expected null");
    return aws_fail(t->err, t->a, kind, "class %s can not be converted to %s %s", java_class(v),
                    s->type == SH_BLOB ? "a" : "an",
                    s->type == SH_BLOB ? "Blob" : type_word(s->type));
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool fail(struct types *t, const struct shape *s, struct jval v, enum place place)
{
    return t->dynamodb ? fail_dynamodb(t, s, v, place) : fail_older(t, s, v);
}

static bool check(struct types *t, uint16_t shape, struct jval v, enum place place)
{
    const struct shape *s = &t->m->shapes[shape];
    enum json_kind kind = jval_kind(v);
    struct jval it = {0};
    struct str key;
    if (kind == JSON_MISSING || kind == JSON_NULL)
        return true;
    switch (s->type) {
    case SH_STRUCT:
    case SH_UNION:
        if (kind != JSON_OBJECT)
            return fail(t, s, v, place);
        while (jval_next(v, &it, &key)) {
            const struct shape_member *member = shape_find_member(t->m, s, it, key, t->a);
            if (member != NULL && !check(t, member->shape, it, IN_FIELD))
                return false;
        }
        return true;
    case SH_LIST:
    case SH_MAP:
        if (kind != (s->type == SH_LIST ? JSON_ARRAY : JSON_OBJECT))
            return fail(t, s, v, place);
        while (jval_next(v, &it, NULL)) {
            if (!check(t, s->element, it, s->type == SH_LIST ? IN_LIST : IN_MAP))
                return false;
        }
        return true;
    case SH_BLOB:
        if (kind != JSON_STRING)
            return fail(t, s, v, place);
        return !t->dynamodb || check_base64(t, v);
    case SH_STRING:
        return kind == JSON_STRING || fail(t, s, v, place);
    case SH_INTEGER:
    case SH_LONG:
    case SH_DOUBLE:
        return kind == JSON_NUMBER || fail(t, s, v, place);
    case SH_BOOLEAN:
        return kind == JSON_BOOL || fail(t, s, v, place);
    case SH_TIMESTAMP:
        return kind == JSON_NUMBER || kind == JSON_STRING || fail(t, s, v, place);
    case SH_DOCUMENT:
        return true;
    }
    return true;
}

bool shape_check_types(const struct shape_model *m, uint16_t shape, struct jval v, struct arena *a,
                       struct aws_err *err)
{
    struct types t = {m, a, err, strncmp(m->service, "dynamodb", 8) == 0};
    return check(&t, shape, v, IN_FIELD);
}
