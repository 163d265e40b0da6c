#include "vtl_value.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 << 20 };

struct vtl_value vtl_null(void)
{
    return (struct vtl_value){.type = VTL_NULL};
}

struct vtl_value vtl_bool(bool v)
{
    return (struct vtl_value){.type = VTL_BOOL, .flag = v};
}

struct vtl_value vtl_int(int64_t v)
{
    return (struct vtl_value){.type = VTL_INT, .integer = v};
}

struct vtl_value vtl_double(double v)
{
    return (struct vtl_value){.type = VTL_DOUBLE, .number = v};
}

struct vtl_value vtl_string(struct str v)
{
    return (struct vtl_value){.type = VTL_STRING, .text = v};
}

struct vtl_value vtl_new_list(struct arena *a)
{
    return (struct vtl_value){.type = VTL_LIST, .list = ARENA_NEW(a, struct vtl_list)};
}

struct vtl_value vtl_new_map(struct arena *a)
{
    return (struct vtl_value){.type = VTL_MAP, .map = ARENA_NEW(a, struct vtl_map)};
}

/* Room for one more element of that size. */
static void *grow(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap == 0 ? 8 : *cap * 2;
    void *more = arena_alloc_array(a, *cap, size);
    if (count > 0)
        memcpy(more, items, count * size);
    return more;
}

void vtl_list_add(struct vtl_list *list, struct arena *a, struct vtl_value v)
{
    list->items = grow(a, list->items, list->count, &list->cap, sizeof *list->items);
    list->items[list->count++] = v;
}

static void append(struct vtl_map *map, struct arena *a, struct str key, struct vtl_value v)
{
    map->items = grow(a, map->items, map->count, &map->cap, sizeof *map->items);
    map->items[map->count++] = (struct vtl_member){key, v};
}

struct vtl_value *vtl_map_get(const struct vtl_map *map, struct str key)
{
    for (size_t i = map->count; i > 0; i--) {
        if (str_eq(map->items[i - 1].key, key))
            return &map->items[i - 1].value;
    }
    return NULL;
}

void vtl_map_put(struct vtl_map *map, struct arena *a, struct str key, struct vtl_value v)
{
    struct vtl_value *at = vtl_map_get(map, key);
    if (at != NULL)
        *at = v;
    else
        append(map, a, key, v);
}

void vtl_map_remove(struct vtl_map *map, struct str key)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (!str_eq(map->items[i].key, key))
            map->items[kept++] = map->items[i];
    }
    map->count = kept;
}

static struct vtl_value number_from_json(struct jval v)
{
    int64_t integer;
    double number = 0;
    if (jval_i64(v, &integer))
        return vtl_int(integer);
    jval_double(v, &number);
    return vtl_double(number);
}

/* Recursion is bounded by the depth the document was parsed with. */
struct vtl_value vtl_from_json(struct jval v, struct arena *a)
{
    struct vtl_value made;
    struct jval it = {0};
    bool flag = false;
    switch (jval_kind(v)) {
    case JSON_MISSING:
    case JSON_NULL:
        return vtl_null();
    case JSON_BOOL:
        jval_bool(v, &flag);
        return vtl_bool(flag);
    case JSON_NUMBER:
        return number_from_json(v);
    case JSON_STRING:
        return vtl_string(jval_text(v, a));
    case JSON_ARRAY:
        made = vtl_new_list(a);
        made.list->is_json = true;
        while (jval_next(v, &it, NULL))
            vtl_list_add(made.list, a, vtl_from_json(it, a));
        return made;
    case JSON_OBJECT:
        break;
    }
    made = vtl_new_map(a);
    while (jval_next(v, &it, NULL))
        append(made.map, a, jval_key_str(it, a), vtl_from_json(it, a));
    return made;
}

/* Java's Double.toString: at least one digit behind the point, an exponent from 1.0E7 on and below
 * 0.001. */
static void print_double(double v, struct buf *out)
{
    char text[40], digits[24];
    int exponent = 0, n = 0;
    if (isnan(v) || isinf(v)) {
        buf_add(out, isnan(v) ? STR("NaN") : v < 0 ? STR("-Infinity") : STR("Infinity"));
        return;
    }
    if (v == 0) {
        buf_add(out, signbit(v) ? STR("-0.0") : STR("0.0"));
        return;
    }
    for (int precision = 0; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, v);
        if (strtod(text, NULL) == v)
            break;
    }
    const char *p = text;
    if (*p == '-') {
        buf_addc(out, '-');
        p++;
    }
    for (; *p != 'e'; p++) {
        if (*p != '.')
            digits[n++] = *p;
    }
    exponent = (int)strtol(p + 1, NULL, 10);
    if (exponent >= 7 || exponent < -3) {
        buf_addc(out, digits[0]);
        buf_addf(out, ".%.*s%sE%d", n - 1, digits + 1, n == 1 ? "0" : "", exponent);
        return;
    }
    for (int i = exponent; i < 0; i++)
        buf_add(out, i == exponent ? STR("0.") : STR("0"));
    for (int i = 0; i < n || i <= exponent; i++) {
        if (i == exponent + 1 && exponent >= 0)
            buf_addc(out, '.');
        buf_addc(out, i < n ? digits[i] : '0');
    }
    if (exponent >= 0 && n <= exponent + 1)
        buf_add(out, STR(".0"));
}

static void print_scalar(const struct vtl_value *v, struct buf *out)
{
    if (v->type == VTL_BOOL)
        buf_add(out, v->flag ? STR("true") : STR("false"));
    else if (v->type == VTL_INT)
        buf_addf(out, "%lld", (long long)v->integer);
    else if (v->type == VTL_DOUBLE)
        print_double(v->number, out);
    else
        buf_add(out, STR("null"));
}

static void write_quoted(struct buf *out, struct str s)
{
    buf_addc(out, '"');
    json_escape(out, s);
    buf_addc(out, '"');
}

enum { PRINT_DEPTH = 200 }; /* a template may put a list into itself */

static void write_json(const struct vtl_value *v, struct buf *out, int depth)
{
    if (depth > PRINT_DEPTH) {
        out->overflow = true;
        return;
    }
    if (v->type == VTL_STRING) {
        write_quoted(out, v->text);
    } else if (v->type == VTL_LIST) {
        buf_addc(out, '[');
        for (size_t i = 0; i < v->list->count && !out->overflow; i++) {
            if (i > 0)
                buf_addc(out, ',');
            write_json(&v->list->items[i], out, depth + 1);
        }
        buf_addc(out, ']');
    } else if (v->type == VTL_MAP) {
        buf_addc(out, '{');
        for (size_t i = 0; i < v->map->count && !out->overflow; i++) {
            if (i > 0)
                buf_addc(out, ',');
            write_quoted(out, v->map->items[i].key);
            buf_addc(out, ':');
            write_json(&v->map->items[i].value, out, depth + 1);
        }
        buf_addc(out, '}');
    } else {
        print_scalar(v, out);
    }
}

void vtl_write_json(const struct vtl_value *v, struct buf *out)
{
    write_json(v, out, 0);
}

/* unverified: that lists of a document print as JSON and maps as Java's; it is what the JSONPath
 * library behind AWS's $input.path gives. */
static void print(const struct vtl_value *v, struct buf *out, int depth)
{
    if (depth > PRINT_DEPTH) {
        out->overflow = true;
        return;
    }
    if (v->type == VTL_STRING) {
        buf_add(out, v->text);
    } else if (v->type == VTL_LIST && v->list->is_json) {
        write_json(v, out, depth);
    } else if (v->type == VTL_LIST) {
        buf_addc(out, '[');
        for (size_t i = 0; i < v->list->count && !out->overflow; i++) {
            if (i > 0)
                buf_add(out, STR(", "));
            print(&v->list->items[i], out, depth + 1);
        }
        buf_addc(out, ']');
    } else if (v->type == VTL_MAP) {
        buf_addc(out, '{');
        for (size_t i = 0; i < v->map->count && !out->overflow; i++) {
            if (i > 0)
                buf_add(out, STR(", "));
            buf_add(out, v->map->items[i].key);
            buf_addc(out, '=');
            print(&v->map->items[i].value, out, depth + 1);
        }
        buf_addc(out, '}');
    } else {
        print_scalar(v, out);
    }
}

void vtl_print(const struct vtl_value *v, struct buf *out)
{
    print(v, out, 0);
}

struct str vtl_text(const struct vtl_value *v, struct arena *a)
{
    if (v->type == VTL_STRING)
        return v->text;
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    vtl_print(v, b);
    return arena_buf(a, b);
}

bool vtl_is_number(const struct vtl_value *v)
{
    return v->type == VTL_INT || v->type == VTL_DOUBLE;
}

double vtl_as_double(const struct vtl_value *v)
{
    return v->type == VTL_INT ? (double)v->integer : v->number;
}

bool vtl_equal(const struct vtl_value *x, const struct vtl_value *y, struct arena *a)
{
    if (x->type == VTL_NULL || y->type == VTL_NULL)
        return x->type == y->type;
    if (x->type == VTL_INT && y->type == VTL_INT)
        return x->integer == y->integer;
    if (vtl_is_number(x) && vtl_is_number(y))
        return vtl_as_double(x) == vtl_as_double(y);
    if (x->type == VTL_BOOL && y->type == VTL_BOOL)
        return x->flag == y->flag;
    return str_eq(vtl_text(x, a), vtl_text(y, a));
}
