#include "jsonpath.h"
#include "regex.h"
#include <stdlib.h>
#include <string.h>

enum { PATH_DEPTH = 64, SELECTED_MAX = 100000, STEPS_MAX = 2000000 };

enum selector { SEL_NAMES, SEL_INDEXES, SEL_SLICE, SEL_ALL, SEL_FILTER };
struct segment {
    enum selector kind;
    bool deep; /* .. before it */
    struct str *names;
    int64_t *indexes;
    size_t count;
    int64_t from, to;
    bool has_from, has_to;
    struct filter *filter;
    struct segment *next;
};
enum filter_op {
    F_EXISTS,
    F_EQ,
    F_NE,
    F_LT,
    F_LE,
    F_GT,
    F_GE,
    F_MATCH,
    F_IN,
    F_NIN,
    F_AND,
    F_OR,
    F_NOT
};
struct operand {
    struct segment *path; /* of @ or $ */
    bool is_path, from_root;
    struct vtl_value value;
};
struct filter {
    enum filter_op op;
    struct operand left, right;
    struct regex *regex;
    struct filter *a, *b;
};

struct parser {
    struct arena *a;
    const char *p, *end;
    const char *error;
    int depth;
};
struct run {
    struct arena *a;
    struct vtl_value root;
    int64_t steps; /* deep scans in deep scans multiply */
};

static struct segment *parse_segments(struct parser *s, bool *ret_definite);
static void select_all(struct run *r, struct vtl_value on, const struct segment *seg,
                       struct vtl_list *out);

static void *fail(struct parser *s, const char *why)
{
    if (s->error == NULL)
        s->error = why;
    return NULL;
}

static void blanks(struct parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct parser *s, const char *token)
{
    size_t n = strlen(token);
    blanks(s);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, token, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool take_int(struct parser *s, int64_t *ret)
{
    blanks(s);
    const char *from = s->p;
    if (s->p < s->end && *s->p == '-')
        s->p++;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    if (str_to_i64((struct str){from, (size_t)(s->p - from)}, ret))
        return true;
    s->p = from;
    return false;
}

/* A quoted string; a backslash takes the next character as it is. */
static bool take_string(struct parser *s, struct str *ret)
{
    blanks(s);
    if (s->p == s->end || (*s->p != '\'' && *s->p != '"'))
        return false;
    char quote = *s->p++;
    char *out = arena_alloc_raw(s->a, (size_t)(s->end - s->p) + 1);
    size_t n = 0;
    for (; s->p < s->end && *s->p != quote; s->p++) {
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
        out[n++] = *s->p;
    }
    if (s->p == s->end)
        return fail(s, "a quoted name does not end");
    s->p++;
    *ret = (struct str){out, n};
    return true;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

/* ---- filters ---- */

static bool parse_operand(struct parser *s, struct operand *ret)
{
    struct jval v;
    bool definite;
    blanks(s);
    *ret = (struct operand){0};
    if (s->p < s->end && (*s->p == '@' || *s->p == '$')) {
        ret->is_path = true;
        ret->from_root = *s->p++ == '$';
        ret->path = parse_segments(s, &definite);
        return s->error == NULL;
    }
    if (s->p < s->end && *s->p == '\'') {
        ret->value.type = VTL_STRING;
        return take_string(s, &ret->value.text);
    }
    /* a JSON literal: up to where it stops being one */
    const char *from = s->p;
    int open = 0;
    bool quoted = false;
    for (; s->p < s->end; s->p++) {
        char c = *s->p;
        if (quoted) {
            s->p += c == '\\' && s->p + 1 < s->end;
            quoted = c != '"';
            continue;
        }
        if (open == 0 && (c == ' ' || c == ')' || c == '&' || c == '|' || c == ',' || c == ']'))
            break;
        quoted = c == '"';
        open += (c == '[') - (c == ']');
    }
    if (!json_parse(s->a, (struct str){from, (size_t)(s->p - from)}, PATH_DEPTH, &v, NULL))
        return fail(s, "a filter's value is malformed");
    ret->value = vtl_from_json(v, s->a);
    return true;
}

static struct regex *parse_regex(struct parser *s)
{
    blanks(s);
    if (s->p == s->end || *s->p != '/')
        return fail(s, "a regular expression is missing");
    const char *from = ++s->p;
    while (s->p < s->end && *s->p != '/')
        s->p += *s->p == '\\' && s->p + 1 < s->end ? 2 : 1;
    if (s->p >= s->end)
        return fail(s, "a regular expression does not end");
    struct str text = {from, (size_t)(s->p++ - from)};
    bool fold = s->p < s->end && *s->p == 'i';
    s->p += fold;
    struct regex *r = regex_new(s->a, fold ? arena_fmt(s->a, "(?i)%.*s", STR_ARG(text)) : text);
    return r != NULL ? r : fail(s, "a regular expression is malformed");
}

static const struct {
    const char *token;
    enum filter_op op;
} comparisons[] = {{"==", F_EQ}, {"!=", F_NE},    {"<=", F_LE},  {">=", F_GE},   {"<", F_LT},
                   {">", F_GT},  {"=~", F_MATCH}, {"in ", F_IN}, {"nin ", F_NIN}};

static struct filter *parse_or(struct parser *s);

static struct filter *parse_term(struct parser *s)
{
    struct filter *f = ARENA_NEW(s->a, struct filter);
    if (take(s, "!")) {
        f->op = F_NOT;
        if (++s->depth > PATH_DEPTH)
            return fail(s, "a filter is nested too deep");
        f->a = parse_term(s);
        s->depth--;
        return f->a == NULL ? NULL : f;
    }
    if (take(s, "(")) {
        struct filter *inner = parse_or(s);
        return inner != NULL && take(s, ")") ? inner : fail(s, "a parenthesis is not closed");
    }
    if (!parse_operand(s, &f->left))
        return NULL;
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
        if (!take(s, comparisons[i].token))
            continue;
        f->op = comparisons[i].op;
        if (f->op == F_MATCH)
            return (f->regex = parse_regex(s)) == NULL ? NULL : f;
        return parse_operand(s, &f->right) ? f : NULL;
    }
    return f->left.is_path ? f : fail(s, "a filter compares nothing");
}

static struct filter *parse_chain(struct parser *s, bool or_level)
{
    struct filter *left = or_level ? parse_chain(s, false) : parse_term(s);
    while (left != NULL && take(s, or_level ? "||" : "&&")) {
        struct filter *f = ARENA_NEW(s->a, struct filter);
        f->op = or_level ? F_OR : F_AND;
        f->a = left;
        f->b = or_level ? parse_chain(s, false) : parse_term(s);
        left = f->b == NULL ? NULL : f;
    }
    return left;
}

static struct filter *parse_or(struct parser *s)
{
    if (++s->depth > PATH_DEPTH)
        return fail(s, "a filter is nested too deep");
    struct filter *f = parse_chain(s, true);
    s->depth--;
    return f;
}

/* ---- segments ---- */

static bool parse_slice(struct parser *s, struct segment *seg, bool *ret_definite)
{
    int64_t i;
    size_t cap = 0;
    seg->has_from = take_int(s, &seg->from);
    if (take(s, ":")) {
        seg->kind = SEL_SLICE;
        seg->has_to = take_int(s, &seg->to);
        *ret_definite = false;
        return true;
    }
    if (!seg->has_from)
        return fail(s, "an index is malformed");
    seg->kind = SEL_INDEXES;
    for (i = seg->from;;) {
        if (seg->count == cap) {
            cap = cap == 0 ? 4 : cap * 2;
            int64_t *more = ARENA_ARRAY(s->a, int64_t, cap);
            if (seg->count > 0)
                memcpy(more, seg->indexes, seg->count * sizeof *more);
            seg->indexes = more;
        }
        seg->indexes[seg->count++] = i;
        if (!take(s, ","))
            break;
        if (!take_int(s, &i))
            return fail(s, "an index is malformed");
    }
    *ret_definite &= seg->count == 1;
    return true;
}

static bool parse_names(struct parser *s, struct segment *seg, bool *ret_definite)
{
    size_t cap = 0;
    struct str name;
    seg->kind = SEL_NAMES;
    do {
        if (!take_string(s, &name))
            return fail(s, "a name is malformed");
        if (seg->count == cap) {
            cap = cap == 0 ? 4 : cap * 2;
            struct str *more = ARENA_ARRAY(s->a, struct str, cap);
            if (seg->count > 0)
                memcpy(more, seg->names, seg->count * sizeof *more);
            seg->names = more;
        }
        seg->names[seg->count++] = name;
    } while (take(s, ","));
    *ret_definite &= seg->count == 1;
    return true;
}

static bool parse_bracket(struct parser *s, struct segment *seg, bool *ret_definite)
{
    blanks(s);
    if (s->p < s->end && (*s->p == '\'' || *s->p == '"')) {
        if (!parse_names(s, seg, ret_definite))
            return false;
    } else if (take(s, "*")) {
        seg->kind = SEL_ALL;
        *ret_definite = false;
    } else if (take(s, "?")) {
        seg->kind = SEL_FILTER;
        *ret_definite = false;
        if (!take(s, "(") || (seg->filter = parse_or(s)) == NULL || !take(s, ")"))
            return fail(s, "a filter is malformed");
    } else if (!parse_slice(s, seg, ret_definite)) {
        return false;
    }
    return take(s, "]") || fail(s, "a bracket is not closed") != NULL;
}

static bool parse_dotted(struct parser *s, struct segment *seg, bool *ret_definite)
{
    if (s->p < s->end && *s->p == '*') {
        s->p++;
        seg->kind = SEL_ALL;
        *ret_definite = false;
        return true;
    }
    const char *from = s->p;
    while (s->p < s->end && is_bare(*s->p))
        s->p++;
    if (s->p == from)
        return fail(s, "a name is missing");
    seg->kind = SEL_NAMES;
    seg->names = ARENA_NEW(s->a, struct str);
    *seg->names = (struct str){from, (size_t)(s->p - from)};
    seg->count = 1;
    return true;
}

static struct segment *parse_segments(struct parser *s, bool *ret_definite)
{
    struct segment *first = NULL, **tail = &first;
    *ret_definite = true;
    while (s->p < s->end && (*s->p == '.' || *s->p == '[')) {
        struct segment *seg = ARENA_NEW(s->a, struct segment);
        bool bracket = *s->p++ == '[';
        if (!bracket && s->p < s->end && *s->p == '.') {
            s->p++;
            seg->deep = true;
            *ret_definite = false;
        }
        if (!bracket && s->p < s->end && *s->p == '[') { /* "..[" and ".[" */
            s->p++;
            bracket = true;
        }
        if (bracket ? !parse_bracket(s, seg, ret_definite) : !parse_dotted(s, seg, ret_definite))
            return NULL;
        *tail = seg;
        tail = &seg->next;
    }
    return first;
}

/* ---- evaluation ---- */

/* Null: nothing there. */
static struct vtl_value operand_value(struct run *r, const struct operand *o, struct vtl_value item,
                                      bool *ret_found)
{
    *ret_found = true;
    if (!o->is_path)
        return o->value;
    struct vtl_value found = vtl_new_list(r->a);
    select_all(r, o->from_root ? r->root : item, o->path, found.list);
    *ret_found = found.list->count > 0;
    return *ret_found ? found.list->items[0] : vtl_null();
}

static bool compare(enum filter_op op, const struct vtl_value *x, const struct vtl_value *y)
{
    int order;
    if (vtl_is_number(x) && vtl_is_number(y)) {
        double p = vtl_as_double(x), q = vtl_as_double(y);
        order = p < q ? -1 : p > q;
    } else if (x->type == VTL_STRING && y->type == VTL_STRING) {
        order = str_cmp(x->text, y->text);
    } else {
        return false;
    }
    return op == F_LT ? order < 0 : op == F_LE ? order <= 0 : op == F_GT ? order > 0 : order >= 0;
}

static bool same(struct run *r, const struct vtl_value *x, const struct vtl_value *y)
{
    bool kinds = x->type == y->type || (vtl_is_number(x) && vtl_is_number(y));
    return kinds && vtl_equal(x, y, r->a);
}

static bool is_among(struct run *r, const struct vtl_value *x, const struct vtl_value *list)
{
    for (size_t i = 0; list->type == VTL_LIST && i < list->list->count; i++) {
        if (same(r, x, &list->list->items[i]))
            return true;
    }
    return false;
}

static bool holds(struct run *r, const struct filter *f, struct vtl_value item)
{
    bool found_left, found_right;
    if (f->op == F_AND)
        return holds(r, f->a, item) && holds(r, f->b, item);
    if (f->op == F_OR)
        return holds(r, f->a, item) || holds(r, f->b, item);
    if (f->op == F_NOT)
        return !holds(r, f->a, item);
    struct vtl_value x = operand_value(r, &f->left, item, &found_left);
    if (f->op == F_EXISTS)
        return found_left;
    if (f->op == F_MATCH)
        return x.type == VTL_STRING && regex_match(f->regex, x.text);
    struct vtl_value y = operand_value(r, &f->right, item, &found_right);
    switch (f->op) {
    case F_EQ:
        return found_left && found_right && same(r, &x, &y);
    case F_NE:
        return !(found_left && found_right && same(r, &x, &y));
    case F_IN:
        return found_left && is_among(r, &x, &y);
    case F_NIN:
        return !(found_left && is_among(r, &x, &y));
    default:
        return found_left && found_right && compare(f->op, &x, &y);
    }
}

static void select_index(struct run *r, const struct vtl_list *l, int64_t i,
                         const struct segment *seg, struct vtl_list *out)
{
    if (i < 0)
        i += (int64_t)l->count;
    if (i >= 0 && (size_t)i < l->count)
        select_all(r, l->items[i], seg->next, out);
}

static void select_in_list(struct run *r, const struct vtl_list *l, const struct segment *seg,
                           struct vtl_list *out)
{
    int64_t n = (int64_t)l->count, from = 0, to = n;
    if (seg->kind == SEL_INDEXES) {
        for (size_t i = 0; i < seg->count; i++)
            select_index(r, l, seg->indexes[i], seg, out);
        return;
    }
    if (seg->kind == SEL_NAMES)
        return;
    if (seg->kind == SEL_SLICE) {
        from = !seg->has_from ? 0 : seg->from < 0 ? seg->from + n : seg->from;
        to = !seg->has_to ? n : seg->to < 0 ? seg->to + n : seg->to;
    }
    for (int64_t i = from < 0 ? 0 : from; i < to && i < n; i++) {
        if (seg->kind != SEL_FILTER || holds(r, seg->filter, l->items[i]))
            select_all(r, l->items[i], seg->next, out);
    }
}

static void select_in_map(struct run *r, const struct vtl_map *m, const struct segment *seg,
                          struct vtl_list *out)
{
    if (seg->kind == SEL_NAMES) {
        for (size_t i = 0; i < seg->count; i++) {
            struct vtl_value *at = vtl_map_get(m, seg->names[i]);
            if (at != NULL)
                select_all(r, *at, seg->next, out);
        }
    } else if (seg->kind == SEL_ALL) {
        for (size_t i = 0; i < m->count; i++)
            select_all(r, m->items[i].value, seg->next, out);
    }
}

static void select_here(struct run *r, struct vtl_value on, const struct segment *seg,
                        struct vtl_list *out)
{
    if (on.type == VTL_LIST) {
        select_in_list(r, on.list, seg, out);
    } else if (on.type == VTL_MAP && seg->kind == SEL_FILTER) {
        if (holds(r, seg->filter, on))
            select_all(r, on, seg->next, out);
    } else if (on.type == VTL_MAP) {
        select_in_map(r, on.map, seg, out);
    }
}

static void select_deep(struct run *r, struct vtl_value on, const struct segment *seg,
                        struct vtl_list *out)
{
    size_t n = on.type == VTL_LIST ? on.list->count : on.type == VTL_MAP ? on.map->count : 0;
    select_here(r, on, seg, out);
    for (size_t i = 0; i < n && out->count < SELECTED_MAX; i++)
        select_deep(r, on.type == VTL_LIST ? on.list->items[i] : on.map->items[i].value, seg, out);
}

/* Depth is that of the document and of the path, both bounded where they are read. */
static void select_all(struct run *r, struct vtl_value on, const struct segment *seg,
                       struct vtl_list *out)
{
    if (out->count >= SELECTED_MAX || ++r->steps > STEPS_MAX)
        return;
    if (seg == NULL)
        vtl_list_add(out, r->a, on);
    else if (seg->deep)
        select_deep(r, on, seg, out);
    else
        select_here(r, on, seg, out);
}

bool jsonpath_get(struct vtl_value root, struct str path, struct arena *a, struct vtl_value *ret,
                  struct str *ret_error)
{
    struct parser s = {.a = a, .p = path.p, .end = path.p + path.n};
    struct run r = {.a = a, .root = root};
    struct segment *first = NULL;
    bool definite = true;
    *ret_error = STR_NONE;
    if (take(&s, "$"))
        first = parse_segments(&s, &definite);
    else
        fail(&s, "the path does not begin with $");
    blanks(&s);
    if (s.error == NULL && s.p != s.end)
        fail(&s, "there is something behind the path");
    if (s.error != NULL) {
        *ret_error = str_c(s.error);
        return false;
    }
    struct vtl_value found = vtl_new_list(a);
    found.list->is_json = true;
    select_all(&r, root, first, found.list);
    if (!definite) {
        *ret = found;
        return true;
    }
    if (found.list->count == 0)
        return false;
    *ret = found.list->items[0];
    return true;
}
