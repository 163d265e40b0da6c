/* The texts of failures are those of the Java validator behind API Gateway.
 * unverified: most of them; only "object has missing required properties" has been seen recorded.
 */
#include "json_schema.h"
#include "regex.h"
#include <math.h>
#include <string.h>

enum { DEPTH_MAX = 200, STEPS_MAX = 1000000 };

struct checker {
    struct jval root;
    struct arena *a;
    json_schema_find *find;
    void *arg;
    struct str why;
    int depth;
    int64_t steps;
};

static bool check(struct checker *c, struct jval schema, struct jval v);

static bool fail(struct checker *c, struct str why)
{
    c->why = why;
    return false;
}

static const char *type_name(struct jval v)
{
    double d;
    switch (jval_kind(v)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_BOOL:
        return "boolean";
    case JSON_NUMBER:
        return jval_double(v, &d) && d == floor(d) ? "integer" : "number";
    default:
        return "null";
    }
}

/* v as compact JSON text. */
static struct str compact(struct checker *c, struct jval v)
{
    struct buf *b = arena_new_buf(c->a, 1 << 20);
    struct json_out w;
    json_out_init(&w, b);
    json_copy(&w, NULL, v);
    return buf_view(b);
}

static bool equal(struct checker *c, struct jval x, struct jval y)
{
    double p, q;
    struct jval it = {0}, other = {0};
    enum json_kind kind = jval_kind(x);
    if (++c->steps > STEPS_MAX || kind != jval_kind(y))
        return false;
    if (kind == JSON_NUMBER)
        return jval_double(x, &p) && jval_double(y, &q) && p == q;
    if (kind == JSON_STRING)
        return str_eq(jval_text(x, c->a), jval_text(y, c->a));
    if (kind != JSON_ARRAY && kind != JSON_OBJECT)
        return str_eq(jval_raw(x), jval_raw(y));
    if (jval_count(x) != jval_count(y))
        return false;
    while (jval_next(x, &it, NULL)) {
        if (kind == JSON_ARRAY && !jval_next(y, &other, NULL))
            return false;
        if (kind == JSON_OBJECT)
            other = jval_get_str(y, jval_key_str(it, c->a));
        if (!equal(c, it, other))
            return false;
    }
    return true;
}

/* ---- keywords ---- */

static bool type_fits(struct str want, const char *have)
{
    return str_eq_c(want, have) || (str_eq_c(want, "number") && strcmp(have, "integer") == 0);
}

static bool check_type(struct checker *c, struct jval types, struct jval v)
{
    const char *have = type_name(v);
    struct jval it = {0};
    struct buf *allowed = arena_new_buf(c->a, 4096);
    if (jval_kind(types) == JSON_STRING) {
        if (type_fits(jval_text(types, c->a), have))
            return true;
        buf_addf(allowed, "\"%.*s\"", STR_ARG(jval_text(types, c->a)));
    } else if (jval_kind(types) == JSON_ARRAY) {
        while (jval_next(types, &it, NULL)) {
            if (type_fits(jval_text(it, c->a), have))
                return true;
            buf_addf(allowed, "%s\"%.*s\"", allowed->n > 0 ? "," : "",
                     STR_ARG(jval_text(it, c->a)));
        }
    } else {
        return true;
    }
    return fail(c, arena_fmt(c->a,
                             "instance type (%s) does not match any allowed primitive type "
                             "(allowed: [%.*s])",
                             have, STR_ARG(buf_view(allowed))));
}

static bool check_enum(struct checker *c, struct jval values, struct jval v)
{
    struct jval it = {0};
    if (jval_kind(values) != JSON_ARRAY)
        return true;
    while (jval_next(values, &it, NULL)) {
        if (equal(c, it, v))
            return true;
    }
    return fail(c,
                arena_fmt(c->a, "instance value (%.*s) not found in enum (possible values: %.*s)",
                          STR_ARG(compact(c, v)), STR_ARG(compact(c, values))));
}

static bool check_number(struct checker *c, struct jval schema, struct jval v)
{
    double d, limit;
    bool exclusive = false;
    struct jval bound;
    jval_double(v, &d);
    bound = jval_get(schema, "minimum");
    jval_bool(jval_get(schema, "exclusiveMinimum"), &exclusive);
    if (jval_double(bound, &limit) && (d < limit || (exclusive && d == limit)))
        return fail(c, arena_fmt(c->a,
                                 exclusive && d == limit
                                     ? "numeric instance is not strictly greater than the required "
                                       "minimum %.*s"
                                     : "numeric instance is lower than the required minimum "
                                       "(minimum: %.*s, found: %.*s)",
                                 STR_ARG(jval_raw(bound)), STR_ARG(jval_raw(v))));
    bound = jval_get(schema, "maximum");
    exclusive = false;
    jval_bool(jval_get(schema, "exclusiveMaximum"), &exclusive);
    if (jval_double(bound, &limit) && (d > limit || (exclusive && d == limit)))
        return fail(c, arena_fmt(c->a,
                                 exclusive && d == limit
                                     ? "numeric instance is not strictly lower than the required "
                                       "maximum %.*s"
                                     : "numeric instance is greater than the required maximum "
                                       "(maximum: %.*s, found: %.*s)",
                                 STR_ARG(jval_raw(bound)), STR_ARG(jval_raw(v))));
    bound = jval_get(schema, "multipleOf");
    if (jval_double(bound, &limit) && limit > 0 && fmod(d, limit) != 0 &&
        fabs(fmod(d, limit) - limit) > 1e-9 * limit && fabs(fmod(d, limit)) > 1e-9 * limit)
        return fail(c, arena_fmt(c->a, "remainder of division is not zero (%.*s / %.*s)",
                                 STR_ARG(jval_raw(v)), STR_ARG(jval_raw(bound))));
    return true;
}

static bool check_string(struct checker *c, struct jval schema, struct jval v)
{
    struct str text = jval_text(v, c->a), pattern;
    int64_t length = (int64_t)str_utf8_count(text), limit;
    if (jval_i64(jval_get(schema, "minLength"), &limit) && length < limit)
        return fail(c, arena_fmt(c->a,
                                 "string \"%.*s\" is too short (length: %lld, required minimum: "
                                 "%lld)",
                                 STR_ARG(text), (long long)length, (long long)limit));
    if (jval_i64(jval_get(schema, "maxLength"), &limit) && length > limit)
        return fail(c, arena_fmt(c->a,
                                 "string \"%.*s\" is too long (length: %lld, maximum allowed: "
                                 "%lld)",
                                 STR_ARG(text), (long long)length, (long long)limit));
    if (!jval_str(jval_get(schema, "pattern"), c->a, &pattern))
        return true;
    struct regex *r = regex_new(c->a, pattern);
    return (r != NULL && regex_search(r, text)) ||
           fail(c, arena_fmt(c->a, "ECMA 262 regex \"%.*s\" does not match input string \"%.*s\"",
                             STR_ARG(pattern), STR_ARG(text)));
}

static bool check_unique(struct checker *c, struct jval v)
{
    struct jval x = {0};
    while (jval_next(v, &x, NULL)) {
        struct jval y = x;
        while (jval_next(v, &y, NULL)) {
            if (equal(c, x, y))
                return fail(c, STR("array must not contain duplicate elements"));
        }
    }
    return true;
}

static bool check_array(struct checker *c, struct jval schema, struct jval v)
{
    struct jval items = jval_get(schema, "items"), it = {0}, own = {0};
    struct jval more = jval_get(schema, "additionalItems");
    int64_t limit, count = (int64_t)jval_count(v);
    bool flag = false, allowed = true;
    if (jval_i64(jval_get(schema, "minItems"), &limit) && count < limit)
        return fail(c, arena_fmt(c->a,
                                 "array is too short: must have at least %lld elements but "
                                 "instance has %lld elements",
                                 (long long)limit, (long long)count));
    if (jval_i64(jval_get(schema, "maxItems"), &limit) && count > limit)
        return fail(c, arena_fmt(c->a,
                                 "array is too long: must have at most %lld elements but "
                                 "instance has %lld elements",
                                 (long long)limit, (long long)count));
    if (jval_bool(jval_get(schema, "uniqueItems"), &flag) && flag && !check_unique(c, v))
        return false;
    bool tuple = jval_kind(items) == JSON_ARRAY, left = true;
    while (jval_next(v, &it, NULL)) {
        left = tuple && left && jval_next(items, &own, NULL);
        struct jval use = !tuple ? items : left ? own : more;
        if (tuple && !left && jval_bool(more, &allowed) && !allowed)
            return fail(c,
                        arena_fmt(c->a, "array must not contain more than %zu elements, found %lld",
                                  jval_count(items), (long long)count));
        if (!check(c, use, it))
            return false;
    }
    return true;
}

static bool check_required(struct checker *c, struct jval names, struct jval v)
{
    struct buf *missing = arena_new_buf(c->a, 1 << 20);
    struct jval it = {0};
    while (jval_kind(names) == JSON_ARRAY && jval_next(names, &it, NULL)) {
        struct str name = jval_text(it, c->a);
        if (jval_kind(jval_get_str(v, name)) == JSON_MISSING)
            buf_addf(missing, "%s\"%.*s\"", missing->n > 0 ? "," : "", STR_ARG(name));
    }
    return missing->n == 0 ||
           fail(c, arena_fmt(c->a, "object has missing required properties ([%.*s])",
                             STR_ARG(buf_view(missing))));
}

/* The schemas that a property is held to; counts them. */
static bool check_property(struct checker *c, struct jval schema, struct str name, struct jval v,
                           bool *ret_known)
{
    struct jval own = jval_get_str(jval_get(schema, "properties"), name), it = {0};
    struct jval patterns = jval_get(schema, "patternProperties");
    *ret_known = jval_present(own);
    if (*ret_known && !check(c, own, v))
        return false;
    while (jval_kind(patterns) == JSON_OBJECT && jval_next(patterns, &it, NULL)) {
        struct regex *r = regex_new(c->a, jval_key_str(it, c->a));
        if (r == NULL || !regex_search(r, name))
            continue;
        *ret_known = true;
        if (!check(c, it, v))
            return false;
    }
    return true;
}

static bool check_dependencies(struct checker *c, struct jval dependencies, struct jval v)
{
    struct jval it = {0};
    while (jval_kind(dependencies) == JSON_OBJECT && jval_next(dependencies, &it, NULL)) {
        if (jval_kind(jval_get_str(v, jval_key_str(it, c->a))) == JSON_MISSING)
            continue;
        if (jval_kind(it) == JSON_ARRAY ? !check_required(c, it, v) : !check(c, it, v))
            return false;
    }
    return true;
}

static bool check_object(struct checker *c, struct jval schema, struct jval v)
{
    struct jval more = jval_get(schema, "additionalProperties"), it = {0};
    int64_t limit, count = (int64_t)jval_count(v);
    bool known, allowed = true;
    struct buf *extra = arena_new_buf(c->a, 1 << 20);
    jval_bool(more, &allowed);
    if (jval_i64(jval_get(schema, "minProperties"), &limit) && count < limit)
        return fail(c, arena_fmt(c->a,
                                 "object has too few properties (found %lld but schema requires at "
                                 "least %lld)",
                                 (long long)count, (long long)limit));
    if (jval_i64(jval_get(schema, "maxProperties"), &limit) && count > limit)
        return fail(c, arena_fmt(c->a,
                                 "object has too many properties (found %lld but schema requires "
                                 "at most %lld)",
                                 (long long)count, (long long)limit));
    if (!check_required(c, jval_get(schema, "required"), v))
        return false;
    while (jval_next(v, &it, NULL)) {
        struct str name = jval_key_str(it, c->a);
        if (!check_property(c, schema, name, it, &known))
            return false;
        if (!known && !allowed)
            buf_addf(extra, "%s\"%.*s\"", extra->n > 0 ? "," : "", STR_ARG(name));
        else if (!known && jval_kind(more) == JSON_OBJECT && !check(c, more, it))
            return false;
    }
    if (extra->n > 0)
        return fail(c, arena_fmt(c->a,
                                 "object instance has properties which are not allowed by the "
                                 "schema: [%.*s]",
                                 STR_ARG(buf_view(extra))));
    return check_dependencies(c, jval_get(schema, "dependencies"), v);
}

static size_t count_matches(struct checker *c, struct jval list, struct jval v)
{
    size_t count = 0;
    struct jval it = {0};
    while (jval_next(list, &it, NULL))
        count += check(c, it, v);
    return count;
}

static bool check_combined(struct checker *c, struct jval schema, struct jval v)
{
    struct jval list = jval_get(schema, "allOf"), it = {0};
    while (jval_kind(list) == JSON_ARRAY && jval_next(list, &it, NULL)) {
        if (!check(c, it, v))
            return false;
    }
    list = jval_get(schema, "anyOf");
    if (jval_kind(list) == JSON_ARRAY && count_matches(c, list, v) == 0)
        return fail(c, arena_fmt(c->a,
                                 "instance failed to match at least one required schema among %zu",
                                 jval_count(list)));
    list = jval_get(schema, "oneOf");
    size_t matched = jval_kind(list) == JSON_ARRAY ? count_matches(c, list, v) : 1;
    if (matched != 1)
        return fail(c, arena_fmt(c->a,
                                 "instance failed to match exactly one schema (matched %zu out of "
                                 "%zu)",
                                 matched, jval_count(list)));
    list = jval_get(schema, "not");
    return jval_kind(list) != JSON_OBJECT || !check(c, list, v) ||
           fail(c, STR("instance matched a schema which it should not have"));
}

/* "#/definitions/x": the place in the document, RFC 6901. */
static bool resolve_local(struct checker *c, struct str pointer, struct jval *ret)
{
    struct str rest = str_sub(pointer, 1, pointer.n);
    *ret = c->root;
    if (rest.n == 0)
        return true;
    str_cut(&rest, '/');
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        char *name = arena_alloc_raw(c->a, part.n + 1);
        size_t n = 0;
        int64_t index;
        for (size_t i = 0; i < part.n; i++) {
            bool escape = part.p[i] == '~' && i + 1 < part.n;
            name[n++] = !escape ? part.p[i] : part.p[++i] == '1' ? '/' : '~';
        }
        struct str key = {name, n};
        *ret = jval_kind(*ret) == JSON_ARRAY && str_to_i64(key, &index) && index >= 0
                   ? jval_at(*ret, (size_t)index)
                   : jval_get_str(*ret, key);
    }
    return jval_present(*ret);
}

static bool check_ref(struct checker *c, struct str ref, struct jval v)
{
    struct jval target = {0}, root = c->root;
    bool local = ref.n > 0 && ref.p[0] == '#';
    if (local ? !resolve_local(c, ref, &target)
              : c->find == NULL || !c->find(c->arg, ref, c->a, &target))
        return fail(c, arena_fmt(c->a, "JSON Reference \"%.*s\" cannot be resolved", STR_ARG(ref)));
    if (!local)
        c->root = target;
    bool ok = check(c, target, v);
    c->root = root;
    return ok;
}

static bool check(struct checker *c, struct jval schema, struct jval v)
{
    struct str ref;
    enum json_kind kind = jval_kind(v);
    bool ok;
    if (jval_kind(schema) != JSON_OBJECT)
        return true;
    if (++c->steps > STEPS_MAX || ++c->depth > DEPTH_MAX) {
        c->depth -= c->depth > DEPTH_MAX;
        return fail(c, STR("validation takes too long"));
    }
    if (jval_str(jval_get(schema, "$ref"), c->a, &ref))
        ok = check_ref(c, ref, v); /* draft 4: nothing beside it counts */
    else
        ok = check_type(c, jval_get(schema, "type"), v) &&
             check_enum(c, jval_get(schema, "enum"), v) &&
             (kind != JSON_NUMBER || check_number(c, schema, v)) &&
             (kind != JSON_STRING || check_string(c, schema, v)) &&
             (kind != JSON_ARRAY || check_array(c, schema, v)) &&
             (kind != JSON_OBJECT || check_object(c, schema, v)) && check_combined(c, schema, v);
    c->depth--;
    return ok;
}

bool json_schema_check(struct jval schema, struct jval value, json_schema_find *find, void *arg,
                       struct arena *a, struct str *ret_why)
{
    struct checker c = {.root = schema, .a = a, .find = find, .arg = arg};
    bool ok = check(&c, schema, value);
    *ret_why = c.why;
    return ok;
}

/* ---- a schema as such ---- */

static const struct {
    const char *name;
    bool object, array, boolean, number, string;
} keywords[] = {
    {"type", false, true, false, false, true},
    {"enum", false, true, false, false, false},
    {"properties", true, false, false, false, false},
    {"patternProperties", true, false, false, false, false},
    {"additionalProperties", true, false, true, false, false},
    {"required", false, true, false, false, false},
    {"items", true, true, false, false, false},
    {"additionalItems", true, false, true, false, false},
    {"allOf", false, true, false, false, false},
    {"anyOf", false, true, false, false, false},
    {"oneOf", false, true, false, false, false},
    {"not", true, false, false, false, false},
    {"definitions", true, false, false, false, false},
    {"dependencies", true, false, false, false, false},
    {"minimum", false, false, false, true, false},
    {"maximum", false, false, false, true, false},
    {"exclusiveMinimum", false, false, true, false, false},
    {"exclusiveMaximum", false, false, true, false, false},
    {"multipleOf", false, false, false, true, false},
    {"minLength", false, false, false, true, false},
    {"maxLength", false, false, false, true, false},
    {"pattern", false, false, false, false, true},
    {"minItems", false, false, false, true, false},
    {"maxItems", false, false, false, true, false},
    {"uniqueItems", false, false, true, false, false},
    {"minProperties", false, false, false, true, false},
    {"maxProperties", false, false, false, true, false},
    {"$ref", false, false, false, false, true},
};

static bool check_keyword(struct jval schema, size_t i, struct arena *a, struct str *ret_why)
{
    struct jval v = jval_get(schema, keywords[i].name);
    struct str pattern;
    enum json_kind kind = jval_kind(v);
    bool ok =
        kind == JSON_MISSING || (kind == JSON_OBJECT && keywords[i].object) ||
        (kind == JSON_ARRAY && keywords[i].array) || (kind == JSON_BOOL && keywords[i].boolean) ||
        (kind == JSON_NUMBER && keywords[i].number) || (kind == JSON_STRING && keywords[i].string);
    if (ok && strcmp(keywords[i].name, "pattern") == 0 && jval_str(v, a, &pattern))
        ok = regex_new(a, pattern) != NULL;
    if (!ok)
        *ret_why = arena_fmt(a, "Invalid value for keyword %s", keywords[i].name);
    return ok;
}

static bool schemas_in(struct jval v, bool members, int depth, struct arena *a,
                       struct str *ret_why);

static bool is_schema(struct jval schema, int depth, struct arena *a, struct str *ret_why)
{
    static const char *const maps[] = {"properties", "patternProperties", "definitions"};
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const single[] = {"items", "additionalProperties", "additionalItems", "not"};
    if (jval_kind(schema) != JSON_OBJECT || depth > DEPTH_MAX) {
        *ret_why = STR("A schema must be an object");
        return false;
    }
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (!check_keyword(schema, i, a, ret_why))
            return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!schemas_in(jval_get(schema, maps[i]), true, depth, a, ret_why) ||
            !schemas_in(jval_get(schema, lists[i]), true, depth, a, ret_why))
            return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!schemas_in(jval_get(schema, single[i]), false, depth, a, ret_why))
            return false;
    }
    return true;
}

/* members: v holds schemas; else it is one, or a list of them. */
static bool schemas_in(struct jval v, bool members, int depth, struct arena *a, struct str *ret_why)
{
    struct jval it = {0};
    enum json_kind kind = jval_kind(v);
    if (kind == JSON_OBJECT && !members)
        return is_schema(v, depth + 1, a, ret_why);
    while ((kind == JSON_OBJECT || kind == JSON_ARRAY) && jval_next(v, &it, NULL)) {
        if (!is_schema(it, depth + 1, a, ret_why))
            return false;
    }
    return true;
}

bool json_schema_valid(struct jval schema, struct arena *a, struct str *ret_why)
{
    return is_schema(schema, 0, a, ret_why);
}
