/* The methods of Java's String, List, Map and number classes that templates call. Positions count
 * characters (code points; Java counts UTF-16 units, which differs only above U+FFFF). */
#include "regex.h"
#include "vtl_ast.h"
#include <string.h>

struct invocation {
    struct vtl_value *on;
    const struct vtl_value *args;
    size_t count;
    struct arena *a;
    struct vtl_value *ret;
};
typedef bool method_fn(struct invocation *c);
struct method {
    const char *name;
    size_t args;
    method_fn *fn;
};

static bool give(struct invocation *c, struct vtl_value v)
{
    *c->ret = v;
    return true;
}

static struct str text_arg(struct invocation *c, size_t i)
{
    return vtl_text(&c->args[i], c->a);
}

static bool int_arg(struct invocation *c, size_t i, int64_t *ret)
{
    *ret = c->args[i].integer;
    return c->args[i].type == VTL_INT;
}

/* ---- strings ---- */

/* The byte where character number at begins; text.n past the end. */
static size_t byte_of(struct str s, int64_t at)
{
    size_t i = 0;
    for (; i < s.n && at > 0; at--) {
        for (i++; i < s.n && ((unsigned char)s.p[i] & 0xC0) == 0x80;)
            i++;
    }
    return i;
}

static bool give_index(struct invocation *c, ptrdiff_t byte)
{
    struct str s = c->on->text;
    return give(c, vtl_int(byte < 0 ? -1 : (int64_t)str_utf8_count(str_sub(s, 0, (size_t)byte))));
}

static bool s_length(struct invocation *c)
{
    return give(c, vtl_int((int64_t)str_utf8_count(c->on->text)));
}

static bool s_is_empty(struct invocation *c)
{
    return give(c, vtl_bool(c->on->text.n == 0));
}

static bool s_equals_ignore_case(struct invocation *c)
{
    return give(c, vtl_bool(str_case_eq(c->on->text, text_arg(c, 0))));
}

static bool s_contains(struct invocation *c)
{
    return give(c, vtl_bool(str_find_str(c->on->text, text_arg(c, 0)) >= 0));
}

static bool s_starts_with(struct invocation *c)
{
    return give(c, vtl_bool(str_starts(c->on->text, text_arg(c, 0))));
}

static bool s_ends_with(struct invocation *c)
{
    return give(c, vtl_bool(str_ends(c->on->text, text_arg(c, 0))));
}

static bool s_index_of(struct invocation *c)
{
    return give_index(c, str_find_str(c->on->text, text_arg(c, 0)));
}

static bool s_last_index_of(struct invocation *c)
{
    struct str s = c->on->text, needle = text_arg(c, 0);
    for (size_t i = s.n >= needle.n ? s.n - needle.n + 1 : 0; i > 0; i--) {
        if (str_starts(str_sub(s, i - 1, s.n), needle))
            return give_index(c, (ptrdiff_t)i - 1);
    }
    return give_index(c, -1);
}

static bool s_substring(struct invocation *c)
{
    struct str s = c->on->text;
    int64_t from, to = (int64_t)str_utf8_count(s), length = to;
    if (!int_arg(c, 0, &from) || (c->count == 2 && !int_arg(c, 1, &to)) || from < 0 ||
        to > length || from > to)
        return false; /* Java throws; the reference stays as it is written */
    return give(c, vtl_string(str_sub(s, byte_of(s, from), byte_of(s, to))));
}

static bool s_char_at(struct invocation *c)
{
    struct str s = c->on->text;
    int64_t at;
    if (!int_arg(c, 0, &at) || at < 0 || (size_t)at >= str_utf8_count(s))
        return false;
    return give(c, vtl_string(str_sub(s, byte_of(s, at), byte_of(s, at + 1))));
}

static struct str fold(struct invocation *c, char from, char to)
{
    char *out = arena_alloc_raw(c->a, c->on->text.n + 1);
    for (size_t i = 0; i < c->on->text.n; i++) {
        char x = c->on->text.p[i];
        out[i] = x >= from && x <= to ? (char)(x ^ 0x20) : x;
    }
    return (struct str){out, c->on->text.n};
}

static bool s_to_lower(struct invocation *c) /* ASCII letters only */
{
    return give(c, vtl_string(fold(c, 'A', 'Z')));
}

static bool s_to_upper(struct invocation *c)
{
    return give(c, vtl_string(fold(c, 'a', 'z')));
}

static bool s_trim(struct invocation *c)
{
    struct str s = c->on->text;
    while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
        s = str_sub(s, 1, s.n);
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
        s.n--;
    return give(c, vtl_string(s));
}

static bool s_concat(struct invocation *c)
{
    struct str more = text_arg(c, 0);
    if (c->on->text.n + more.n > VTL_OUTPUT_MAX)
        return false;
    return give(c, vtl_string(arena_fmt(c->a, "%.*s%.*s", STR_ARG(c->on->text), STR_ARG(more))));
}

static bool give_buf(struct invocation *c, struct buf *b)
{
    return !b->overflow && give(c, vtl_string(buf_view(b)));
}

static bool s_replace(struct invocation *c)
{
    struct str rest = c->on->text, from = text_arg(c, 0), to = text_arg(c, 1);
    struct buf *b = arena_new_buf(c->a, VTL_OUTPUT_MAX);
    ptrdiff_t at;
    if (from.n == 0)
        return false;
    while ((at = str_find_str(rest, from)) >= 0) {
        buf_add(b, str_sub(rest, 0, (size_t)at));
        buf_add(b, to);
        rest = str_sub(rest, (size_t)at + from.n, rest.n);
    }
    buf_add(b, rest);
    return give_buf(c, b);
}

static bool replace_regex(struct invocation *c, bool all)
{
    struct regex *r = regex_new(c->a, text_arg(c, 0));
    struct buf *b = arena_new_buf(c->a, VTL_OUTPUT_MAX);
    return r != NULL && regex_replace(r, c->on->text, text_arg(c, 1), all, b) && give_buf(c, b);
}

static bool s_replace_all(struct invocation *c)
{
    return replace_regex(c, true);
}

static bool s_replace_first(struct invocation *c)
{
    return replace_regex(c, false);
}

static bool s_matches(struct invocation *c)
{
    struct regex *r = regex_new(c->a, text_arg(c, 0));
    return r != NULL && give(c, vtl_bool(regex_match(r, c->on->text)));
}

/* Java's split: trailing empty parts are dropped. */
static bool s_split(struct invocation *c)
{
    struct regex *r = regex_new(c->a, text_arg(c, 0));
    struct str s = c->on->text;
    struct vtl_value list = vtl_new_list(c->a);
    size_t part = 0, from = 0, start, end;
    if (r == NULL)
        return false;
    while (regex_next(r, s, from, &start, &end)) {
        if (end > start || (start > 0 && start < s.n)) {
            if (end > 0)
                vtl_list_add(list.list, c->a, vtl_string(str_sub(s, part, start)));
            part = end;
        }
        from = end > start ? end : byte_of(str_sub(s, end, s.n), 1) + end;
        if (from >= s.n)
            break;
    }
    vtl_list_add(list.list, c->a, vtl_string(str_sub(s, part, s.n)));
    while (list.list->count > 1 && list.list->items[list.list->count - 1].text.n == 0)
        list.list->count--;
    return give(c, list);
}

static const struct method string_methods[] = {
    {"length", 0, s_length},
    {"isEmpty", 0, s_is_empty},
    {"equalsIgnoreCase", 1, s_equals_ignore_case},
    {"contains", 1, s_contains},
    {"startsWith", 1, s_starts_with},
    {"endsWith", 1, s_ends_with},
    {"indexOf", 1, s_index_of},
    {"lastIndexOf", 1, s_last_index_of},
    {"substring", 1, s_substring},
    {"substring", 2, s_substring},
    {"charAt", 1, s_char_at},
    {"toLowerCase", 0, s_to_lower},
    {"toUpperCase", 0, s_to_upper},
    {"trim", 0, s_trim},
    {"concat", 1, s_concat},
    {"replace", 2, s_replace},
    {"replaceAll", 2, s_replace_all},
    {"replaceFirst", 2, s_replace_first},
    {"matches", 1, s_matches},
    {"split", 1, s_split},
    {NULL, 0, NULL},
};

/* ---- lists ---- */

static bool l_size(struct invocation *c)
{
    return give(c, vtl_int((int64_t)c->on->list->count));
}

static bool l_is_empty(struct invocation *c)
{
    return give(c, vtl_bool(c->on->list->count == 0));
}

static struct vtl_value *element(struct invocation *c)
{
    int64_t at;
    if (!int_arg(c, 0, &at) || at < 0 || (size_t)at >= c->on->list->count)
        return NULL;
    return &c->on->list->items[at];
}

static bool l_get(struct invocation *c)
{
    struct vtl_value *at = element(c);
    return at != NULL && give(c, *at);
}

static bool l_set(struct invocation *c)
{
    struct vtl_value *at = element(c);
    if (at == NULL)
        return false;
    struct vtl_value before = *at;
    *at = c->args[1];
    return give(c, before);
}

static bool l_add(struct invocation *c)
{
    vtl_list_add(c->on->list, c->a, c->args[0]);
    return give(c, vtl_bool(true));
}

static bool l_insert(struct invocation *c)
{
    struct vtl_list *l = c->on->list;
    int64_t at;
    if (!int_arg(c, 0, &at) || at < 0 || (size_t)at > l->count)
        return false;
    vtl_list_add(l, c->a, vtl_null());
    memmove(&l->items[at + 1], &l->items[at], (l->count - 1 - (size_t)at) * sizeof *l->items);
    l->items[at] = c->args[1];
    return give(c, vtl_null());
}

static bool l_add_all(struct invocation *c)
{
    if (c->args[0].type != VTL_LIST)
        return false;
    size_t count = c->args[0].list->count; /* it may be the list itself */
    for (size_t i = 0; i < count; i++)
        vtl_list_add(c->on->list, c->a, c->args[0].list->items[i]);
    return give(c, vtl_bool(count > 0));
}

static ptrdiff_t find(struct invocation *c)
{
    for (size_t i = 0; i < c->on->list->count; i++) {
        if (vtl_equal(&c->on->list->items[i], &c->args[0], c->a))
            return (ptrdiff_t)i;
    }
    return -1;
}

static bool l_contains(struct invocation *c)
{
    return give(c, vtl_bool(find(c) >= 0));
}

static bool l_index_of(struct invocation *c)
{
    return give(c, vtl_int(find(c)));
}

static bool l_remove(struct invocation *c)
{
    struct vtl_list *l = c->on->list;
    bool by_index = c->args[0].type == VTL_INT;
    struct vtl_value *slot = by_index ? element(c) : NULL;
    ptrdiff_t at = by_index ? (slot == NULL ? -1 : slot - l->items) : find(c);
    if (at < 0)
        return !by_index && give(c, vtl_bool(false));
    struct vtl_value gone = l->items[at];
    memmove(&l->items[at], &l->items[at + 1], (l->count - 1 - (size_t)at) * sizeof *l->items);
    l->count--;
    return give(c, by_index ? gone : vtl_bool(true));
}

static bool l_clear(struct invocation *c)
{
    c->on->list->count = 0;
    return give(c, vtl_null());
}

static bool l_sub_list(struct invocation *c)
{
    struct vtl_value list = vtl_new_list(c->a);
    int64_t from, to;
    if (!int_arg(c, 0, &from) || !int_arg(c, 1, &to) || from < 0 || from > to ||
        (size_t)to > c->on->list->count)
        return false;
    list.list->is_json = c->on->list->is_json;
    for (int64_t i = from; i < to; i++)
        vtl_list_add(list.list, c->a, c->on->list->items[i]);
    return give(c, list);
}

static const struct method list_methods[] = {
    {"size", 0, l_size},        {"length", 0, l_size},    {"isEmpty", 0, l_is_empty},
    {"get", 1, l_get},          {"set", 2, l_set},        {"add", 1, l_add},
    {"add", 2, l_insert},       {"addAll", 1, l_add_all}, {"contains", 1, l_contains},
    {"indexOf", 1, l_index_of}, {"remove", 1, l_remove},  {"clear", 0, l_clear},
    {"subList", 2, l_sub_list}, {NULL, 0, NULL},
};

/* ---- maps ---- */

static bool m_get(struct invocation *c)
{
    struct vtl_value *at = vtl_map_get(c->on->map, text_arg(c, 0));
    return at != NULL && give(c, *at);
}

static bool m_get_or_default(struct invocation *c)
{
    struct vtl_value *at = vtl_map_get(c->on->map, text_arg(c, 0));
    return give(c, at != NULL ? *at : c->args[1]);
}

static bool m_put(struct invocation *c)
{
    struct str key = text_arg(c, 0);
    struct vtl_value *at = vtl_map_get(c->on->map, key);
    struct vtl_value before = at == NULL ? vtl_null() : *at;
    vtl_map_put(c->on->map, c->a, key, c->args[1]);
    return give(c, before);
}

static bool m_put_all(struct invocation *c)
{
    if (c->args[0].type != VTL_MAP)
        return false;
    size_t count = c->args[0].map->count;
    for (size_t i = 0; i < count; i++)
        vtl_map_put(c->on->map, c->a, c->args[0].map->items[i].key, c->args[0].map->items[i].value);
    return give(c, vtl_null());
}

static bool m_contains_key(struct invocation *c)
{
    return give(c, vtl_bool(vtl_map_get(c->on->map, text_arg(c, 0)) != NULL));
}

static bool m_contains_value(struct invocation *c)
{
    for (size_t i = 0; i < c->on->map->count; i++) {
        if (vtl_equal(&c->on->map->items[i].value, &c->args[0], c->a))
            return give(c, vtl_bool(true));
    }
    return give(c, vtl_bool(false));
}

static bool m_key_set(struct invocation *c)
{
    struct vtl_value list = vtl_new_list(c->a);
    for (size_t i = 0; i < c->on->map->count; i++)
        vtl_list_add(list.list, c->a, vtl_string(c->on->map->items[i].key));
    return give(c, list);
}

static bool m_values(struct invocation *c)
{
    struct vtl_value list = vtl_new_list(c->a);
    for (size_t i = 0; i < c->on->map->count; i++)
        vtl_list_add(list.list, c->a, c->on->map->items[i].value);
    return give(c, list);
}

/* Entries are maps of key and value, which getKey and getValue read too. */
static bool m_entry_set(struct invocation *c)
{
    struct vtl_value list = vtl_new_list(c->a);
    for (size_t i = 0; i < c->on->map->count; i++) {
        struct vtl_value entry = vtl_new_map(c->a);
        vtl_map_put(entry.map, c->a, STR("key"), vtl_string(c->on->map->items[i].key));
        vtl_map_put(entry.map, c->a, STR("value"), c->on->map->items[i].value);
        vtl_list_add(list.list, c->a, entry);
    }
    return give(c, list);
}

static bool give_member(struct invocation *c, struct str name)
{
    struct vtl_value *at = vtl_map_get(c->on->map, name);
    return at != NULL && give(c, *at);
}

static bool m_entry_key(struct invocation *c)
{
    return give_member(c, STR("key"));
}

static bool m_entry_value(struct invocation *c)
{
    return give_member(c, STR("value"));
}

static bool m_size(struct invocation *c)
{
    return give(c, vtl_int((int64_t)c->on->map->count));
}

static bool m_is_empty(struct invocation *c)
{
    return give(c, vtl_bool(c->on->map->count == 0));
}

static bool m_remove(struct invocation *c)
{
    struct str key = text_arg(c, 0);
    struct vtl_value *at = vtl_map_get(c->on->map, key);
    struct vtl_value before = at == NULL ? vtl_null() : *at;
    vtl_map_remove(c->on->map, key);
    return give(c, before);
}

static bool m_clear(struct invocation *c)
{
    c->on->map->count = 0;
    return give(c, vtl_null());
}

static const struct method map_methods[] = {
    {"get", 1, m_get},
    {"getOrDefault", 2, m_get_or_default},
    {"put", 2, m_put},
    {"putAll", 1, m_put_all},
    {"containsKey", 1, m_contains_key},
    {"containsValue", 1, m_contains_value},
    {"keySet", 0, m_key_set},
    {"values", 0, m_values},
    {"entrySet", 0, m_entry_set},
    {"getKey", 0, m_entry_key},
    {"getValue", 0, m_entry_value},
    {"size", 0, m_size},
    {"isEmpty", 0, m_is_empty},
    {"remove", 1, m_remove},
    {"clear", 0, m_clear},
    {NULL, 0, NULL},
};

/* ---- numbers, and what everything has ---- */

static bool n_int(struct invocation *c)
{
    double v = vtl_as_double(c->on);
    if (c->on->type == VTL_INT)
        return give(c, *c->on);
    return v > -9e18 && v < 9e18 && give(c, vtl_int((int64_t)v));
}

static bool n_double(struct invocation *c)
{
    return give(c, vtl_double(vtl_as_double(c->on)));
}

static const struct method number_methods[] = {
    {"intValue", 0, n_int}, {"longValue", 0, n_int}, {"doubleValue", 0, n_double}, {NULL, 0, NULL}};

static bool o_to_string(struct invocation *c)
{
    return give(c, vtl_string(vtl_text(c->on, c->a)));
}

static bool o_equals(struct invocation *c)
{
    bool same_kind = c->on->type == c->args[0].type;
    return give(c, vtl_bool(same_kind && vtl_equal(c->on, &c->args[0], c->a)));
}

static const struct method any_methods[] = {
    {"toString", 0, o_to_string}, {"equals", 1, o_equals}, {NULL, 0, NULL}};
static const struct method no_methods[] = {{NULL, 0, NULL}};

static const struct method *methods_of(enum vtl_type type)
{
    switch (type) {
    case VTL_STRING:
        return string_methods;
    case VTL_LIST:
        return list_methods;
    case VTL_MAP:
        return map_methods;
    case VTL_INT:
    case VTL_DOUBLE:
        return number_methods;
    default:
        return no_methods;
    }
}

bool vtl_call_method(struct vtl_value *on, struct str method, const struct vtl_value *args,
                     size_t count, struct arena *a, struct vtl_value *ret)
{
    const struct method *const tables[] = {methods_of(on->type), any_methods};
    struct invocation c = {on, args, count, a, ret};
    for (size_t t = 0; t < 2; t++) {
        for (const struct method *m = tables[t]; m->name != NULL; m++) {
            if (m->args == count && str_eq_c(method, m->name))
                return m->fn(&c);
        }
    }
    return false;
}
