/* Pass 2: required members, lengths, ranges, enums, patterns; all failures in one message.
 *
 * DynamoDB has two layers of wording (facts/dynamodb.md 26-36). Most operations speak the older
 * one: every failure, with the value echoed and lower-case member names. The operations of the
 * newer layer (struct shape, newer) fall back to it when a member is missing or a table name is
 * malformed; otherwise they report the first length or range failure alone, without the value, or
 * else the enums. So there are two walks: one that finds out what is wrong, and only if something
 * is, one that prints it as planned. */
#include "panic.h"
#include "pattern.h"
#include "shape_internal.h"
#include <stdio.h>
#include <string.h>

enum { FAILURES_MAX = 10, PATH_BYTES = 1024, ECHO_BYTES = 64 * 1024, MEMBERS_MAX = 64 };
enum { TEXT_BYTES = FAILURES_MAX * (ECHO_BYTES + 64 * 1024) };

enum failure {
    FAIL_NULL,
    FAIL_SIZE, /* length or range */
    FAIL_NAME, /* a table name that is too long */
    FAIL_PATTERN,
    FAIL_ELEMENTS, /* of a map's keys or values, or a list's scalars */
    FAIL_ENUM
};
enum plan {
    PLAN_FIND,       /* print nothing, note what is wrong                           */
    PLAN_OLDER,      /* all, older wording                                          */
    PLAN_FIRST_SIZE, /* the first FAIL_SIZE alone, newer wording                    */
    PLAN_ENUMS,      /* all, enums of the newer layer in its wording                */
    PLAN_FIRST_ENUM  /* the first of those alone                                    */
};

struct limits {
    const struct shape_model *m;
    struct arena *a;
    enum plan plan;
    unsigned found, sizes, enums, others; /* of PLAN_FIND: enums are those of the newer layer */
    unsigned printed;
    const struct shape_enum *own; /* an enum with an error of its own that does not hold */
    struct str own_value;
    bool json_echo; /* the newer layer echoes JSON, the older one Java's toString */
    char path[PATH_BYTES];
    size_t path_n;
    struct buf text;
};

/* ---- printing ---------------------------------------------------------------------------- */

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

static void print_number(struct buf *b, const struct shape *s, struct str raw)
{
    bool whole = str_find(raw, '.') < 0 && str_find(raw, 'e') < 0 && str_find(raw, 'E') < 0;
    buf_add(b, raw);
    if (s->type == SH_DOUBLE && whole)
        buf_add(b, STR(".0"));
}

static void print_java(struct limits *l, struct buf *b, uint16_t shape, struct jval v);

/* "Name(member=value, other=value)" */
static void print_struct(struct limits *l, struct buf *b, const struct shape *s, struct jval v)
{
    struct jval it = {0};
    struct str key;
    bool first = true;
    buf_addf(b, "%s(", s->name);
    while (jval_next(v, &it, &key)) {
        const struct shape_member *member = shape_find_member(l->m, s, it, key, l->a);
        if (member == NULL || jval_kind(it) == JSON_NULL)
            continue;
        buf_addf(b, "%s%s=", first ? "" : ", ", member->path_name);
        first = false;
        print_java(l, b, member->shape, it);
    }
    buf_addc(b, ')');
}

static void print_java(struct limits *l, struct buf *b, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    struct jval it = {0};
    const char *gap = "";
    if (b->overflow)
        return;
    switch (jval_kind(v)) {
    case JSON_STRING:
        buf_add(b, jval_text(v, l->a));
        break;
    case JSON_ARRAY:
        buf_addc(b, '[');
        for (; jval_next(v, &it, NULL); gap = ", ") {
            buf_addf(b, "%s", gap);
            print_java(l, b, s->type == SH_LIST ? s->element : 0, it);
        }
        buf_addc(b, ']');
        break;
    case JSON_OBJECT:
        if (s->type == SH_STRUCT || s->type == SH_UNION) {
            print_struct(l, b, s, v);
            break;
        }
        buf_addc(b, '{');
        for (; jval_next(v, &it, NULL); gap = ", ") {
            buf_addf(b, "%s", gap);
            buf_add(b, jval_key_str(it, l->a));
            buf_addc(b, '=');
            print_java(l, b, s->type == SH_MAP ? s->element : 0, it);
        }
        buf_addc(b, '}');
        break;
    default:
        print_number(b, s, jval_raw(v));
    }
}

/* The first bytes of s, whole characters only. */
static struct str head_of(struct str s, size_t bytes)
{
    size_t n = s.n < bytes ? s.n : bytes;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

/* The echo is ours to bound: AWS prints the whole value. */
static void print_echo(struct limits *l, uint16_t shape, struct jval v)
{
    struct buf *b = arena_new_buf(l->a, ECHO_BYTES);
    if (l->json_echo && jval_kind(v) >= JSON_ARRAY) {
        struct json_out w;
        json_out_init(&w, b);
        json_copy(&w, NULL, v);
    } else {
        print_java(l, b, shape, v);
    }
    struct str text = buf_view(b);
    if (b->overflow && jval_kind(v) == JSON_STRING) { /* nothing of it fitted */
        text = head_of(jval_text(v, l->a), ECHO_BYTES);
    }
    buf_add(&l->text, text);
    if (b->overflow)
        buf_add(&l->text, STR("..."));
}

/* Everything up to "Member must " (or what follows "constraint: "); the caller writes the rest.
 * False: this failure is not to be printed. */
static bool begin(struct limits *l, uint16_t shape, struct jval v, enum failure what)
{
    const struct shape *s = &l->m->shapes[shape];
    bool newer_enum = what == FAIL_ENUM && l->m->enum_sets[s->enum_set].newer_text != NULL;
    switch (l->plan) {
    case PLAN_FIND:
        l->found++;
        l->sizes += what == FAIL_SIZE;
        l->enums += newer_enum;
        l->others += what != FAIL_SIZE && what != FAIL_ENUM;
        return false;
    case PLAN_FIRST_SIZE:
        if (what != FAIL_SIZE || l->printed > 0)
            return false;
        break;
    case PLAN_FIRST_ENUM:
        if (!newer_enum || l->printed > 0)
            return false;
        break;
    default:
        if (l->printed == FAILURES_MAX)
            return false;
        break;
    }
    if (l->printed++ > 0)
        buf_add(&l->text, STR("; "));
    if (newer_enum && l->plan != PLAN_OLDER) {
        buf_add(&l->text, STR("Failed to satisfy constraint: "));
        return true;
    }
    if (jval_kind(v) <= JSON_NULL) {
        buf_add(&l->text, STR("Value null"));
    } else if (s->sensitive || l->plan == PLAN_FIRST_SIZE) {
        buf_add(&l->text, STR("Value"));
    } else {
        buf_add(&l->text, STR("Value '"));
        print_echo(l, shape, v);
        buf_addc(&l->text, '\'');
    }
    buf_add(&l->text, STR(" at '"));
    buf_add(&l->text, (struct str){l->path, l->path_n});
    buf_add(&l->text, STR("' failed to satisfy constraint: "));
    return true;
}

static void print_bound(struct limits *l, const struct shape *s, const char *which, int64_t bound)
{
    bool is_value = s->type == SH_INTEGER || s->type == SH_LONG || s->type == SH_DOUBLE;
    buf_addf(&l->text, "Member must have %s %s than or equal to %lld%s",
             is_value ? "value" : "length", which, (long long)bound,
             s->type == SH_DOUBLE ? ".0" : "");
}

/* "[Member must ..., Member must ...]": what holds for the elements of a map or list. */
static void print_clauses(struct limits *l, const struct shape *s, bool null_clause)
{
    const char *gap = "[";
    if (s->max != INT64_MAX) {
        buf_add(&l->text, str_c(gap));
        print_bound(l, s, "less", s->max);
        gap = ", ";
    }
    if (s->min != INT64_MIN) {
        buf_add(&l->text, str_c(gap));
        print_bound(l, s, "greater", s->min);
        gap = ", ";
    }
    if (s->pattern != 0) {
        buf_addf(&l->text, "%sMember must satisfy regular expression pattern: %s", gap,
                 l->m->patterns[s->pattern].text);
        gap = ", ";
    }
    if (s->enum_set != 0) {
        buf_addf(&l->text, "%sMember must satisfy enum value set: %s", gap,
                 l->m->enum_sets[s->enum_set].text);
        gap = ", ";
    }
    if (null_clause)
        buf_addf(&l->text, "%sMember must not be null", gap);
    buf_addc(&l->text, ']');
}

/* ---- checking ---------------------------------------------------------------------------- */

static bool is_below(const struct shape *s, int64_t size)
{
    return s->min != INT64_MIN && size < s->min;
}

static bool is_above(const struct shape *s, int64_t size)
{
    return s->max != INT64_MAX && size > s->max;
}

static bool in_enum(const struct limits *l, const struct shape *s, struct str text)
{
    for (const char *const *e = l->m->enum_sets[s->enum_set].values; *e != NULL; e++) {
        if (str_eq_c(text, *e))
            return true;
    }
    return false;
}

static bool is_long_arn(const struct shape *s, struct str text)
{
    enum { ARN_MAX = 1024 };
    return s->arn_ok && text.n <= ARN_MAX && str_starts(text, STR("arn:"));
}

/* The number of a value; fractions count as their floor. */
static bool number_of(struct jval v, double *ret)
{
    int64_t whole;
    if (jval_i64(v, &whole)) {
        *ret = (double)whole;
        return true;
    }
    return jval_double(v, ret);
}

/* Does a value that is an element satisfy its shape's own limits (not those below it)? */
static bool element_fits(struct limits *l, const struct shape *s, struct str text, struct jval v)
{
    double number;
    int64_t size = 0;
    switch (s->type) {
    case SH_STRING:
        if (is_long_arn(s, text))
            return true;
        if (s->min != INT64_MIN || s->max != INT64_MAX)
            size = (int64_t)str_utf8_count(text);
        return !is_below(s, size) && !is_above(s, size) &&
               (s->pattern == 0 || pattern_match(&l->m->patterns[s->pattern], text)) &&
               (s->enum_set == 0 || in_enum(l, s, text));
    case SH_LIST:
    case SH_MAP:
        size = (int64_t)jval_count(v);
        return !is_below(s, size) && !is_above(s, size);
    case SH_INTEGER:
    case SH_LONG:
    case SH_DOUBLE:
        return !number_of(v, &number) || ((s->min == INT64_MIN || number >= (double)s->min) &&
                                          (s->max == INT64_MAX || number <= (double)s->max));
    default:
        return true;
    }
}

static void check_size(struct limits *l, uint16_t shape, struct jval v, bool below, bool above)
{
    const struct shape *s = &l->m->shapes[shape];
    if (below && begin(l, shape, v, FAIL_SIZE))
        print_bound(l, s, "greater", s->min);
    if (above && begin(l, shape, v, s->arn_ok ? FAIL_NAME : FAIL_SIZE))
        print_bound(l, s, "less", s->max);
}

static void check_string(struct limits *l, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    struct str text = jval_text(v, l->a);
    int64_t size = 0;
    if (is_long_arn(s, text))
        return;
    if (s->min != INT64_MIN || s->max != INT64_MAX)
        size = (int64_t)str_utf8_count(text);
    bool below = is_below(s, size);
    /* Of an empty table name only the length is reported (facts/dynamodb.md 28). */
    if (s->pattern != 0 && !(s->arn_ok && text.n == 0) &&
        !pattern_match(&l->m->patterns[s->pattern], text) && begin(l, shape, v, FAIL_PATTERN))
        buf_addf(&l->text, "Member must satisfy regular expression pattern: %s",
                 l->m->patterns[s->pattern].text);
    check_size(l, shape, v, below, is_above(s, size));
    if (s->enum_set == 0 || in_enum(l, s, text))
        return;
    const struct shape_enum *set = &l->m->enum_sets[s->enum_set];
    if (set->own_error != NULL) {
        l->own = set;
        l->own_value = text;
    } else if (begin(l, shape, v, FAIL_ENUM)) {
        bool newer = set->newer_text != NULL && l->plan != PLAN_OLDER;
        buf_addf(&l->text, "Member must satisfy enum value set: %s",
                 newer ? set->newer_text : set->text);
    }
}

static void check(struct limits *l, uint16_t shape, struct jval v);

static void check_struct(struct limits *l, const struct shape *s, struct jval v)
{
    struct str key = STR("");
    struct jval it = {0}, value = {0};
    uint32_t at[MEMBERS_MAX] NOT_CLEARED; /* token of each member, 0: absent */
    ASSERT(s->member_count <= MEMBERS_MAX);
    ASSERT(jval_kind(v) == JSON_OBJECT || jval_kind(v) <= JSON_NULL); /* pass 1 */
    memset(at, 0, s->member_count * sizeof *at);
    while (jval_next(v, &it, &key)) {
        const struct shape_member *member = shape_find_member(l->m, s, it, key, l->a);
        if (member != NULL)
            at[member - l->m->members - s->first_member] = it.tok;
    }
    for (size_t i = 0; i < s->member_count; i++) {
        const struct shape_member *member = &l->m->members[s->first_member + i];
        value = at[i] == 0 ? (struct jval){0} : (struct jval){v.doc, at[i]};
        bool there = jval_kind(value) > JSON_NULL;
        if (there ? !l->m->shapes[member->shape].checked : !member->required)
            continue;
        bool newer_name = l->plan == PLAN_FIRST_SIZE;
        size_t before = path_push(l, str_c(newer_name ? member->name : member->path_name));
        if (there)
            check(l, member->shape, value);
        else if (begin(l, member->shape, value, FAIL_NULL))
            buf_add(&l->text, STR("Member must not be null"));
        l->path_n = before;
    }
}

/* Failures of elements are reported once, against the list or map that holds them. */
static void check_element_limits(struct limits *l, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    const struct shape *element = &l->m->shapes[s->element];
    bool bad_key = false, bad_element = false;
    struct jval it = {0};
    while (jval_next(v, &it, NULL)) {
        if (s->type == SH_MAP && l->m->shapes[s->key].checked)
            bad_key |= !element_fits(l, &l->m->shapes[s->key], jval_key_str(it, l->a), it);
        if (element->checked && jval_kind(it) > JSON_NULL)
            bad_element |= !element_fits(l, element, jval_text(it, l->a), it);
    }
    if (bad_key && begin(l, shape, v, FAIL_ELEMENTS)) {
        buf_add(&l->text, STR("Map keys must satisfy constraint: "));
        print_clauses(l, &l->m->shapes[s->key], false);
    }
    if (bad_element && begin(l, shape, v, FAIL_ELEMENTS)) {
        buf_add(&l->text, s->type == SH_MAP ? STR("Map value must satisfy constraint: ")
                                            : STR("Member must satisfy constraint: "));
        print_clauses(l, element, s->null_clause);
    }
}

static void check_elements(struct limits *l, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    const struct shape *element = &l->m->shapes[s->element];
    struct jval it = {0};
    size_t index = 0;
    ASSERT(jval_kind(v) == (s->type == SH_MAP ? JSON_OBJECT : JSON_ARRAY) ||
           jval_kind(v) <= JSON_NULL); /* pass 1 */
    check_element_limits(l, shape, v);
    if (!element->checked || (element->type != SH_STRUCT && element->type != SH_UNION &&
                              element->type != SH_LIST && element->type != SH_MAP))
        return;
    while (jval_next(v, &it, NULL)) {
        size_t before = l->path_n;
        char number[32];
        int n = snprintf(number, sizeof number, "%zu", ++index);
        path_push(l, s->type == SH_MAP ? jval_key_str(it, l->a) : (struct str){number, (size_t)n});
        path_push(l, STR("member"));
        if (element->type == SH_STRUCT || element->type == SH_UNION)
            check_struct(l, element, it);
        else
            check_elements(l, s->element, it);
        l->path_n = before;
    }
}

static void check(struct limits *l, uint16_t shape, struct jval v)
{
    const struct shape *s = &l->m->shapes[shape];
    double number;
    int64_t size;
    switch (s->type) {
    case SH_STRUCT:
    case SH_UNION:
        check_struct(l, s, v);
        break;
    case SH_LIST:
    case SH_MAP:
        size = (int64_t)jval_count(v);
        check_size(l, shape, v, is_below(s, size), is_above(s, size));
        check_elements(l, shape, v);
        break;
    case SH_STRING:
        check_string(l, shape, v);
        break;
    case SH_INTEGER:
    case SH_LONG:
    case SH_DOUBLE:
        if (number_of(v, &number))
            check_size(l, shape, v, s->min != INT64_MIN && number < (double)s->min,
                       s->max != INT64_MAX && number > (double)s->max);
        break;
    default:
        break;
    }
}

/* ---- the message ------------------------------------------------------------------------- */

/* Members whose absence has a sentence of its own, without the usual frame. */
static bool check_special_needs(const struct shape_model *m, uint16_t shape, struct jval v,
                                struct arena *a, struct aws_err *err)
{
    const struct shape *s = &m->shapes[shape];
    for (size_t i = 0; i < s->member_count; i++) {
        const struct shape_member *member = &m->members[s->first_member + i];
        if (member->required <= NEED_MEMBER)
            continue;
        struct jval value = jval_get(v, member->name);
        if (member->required == NEED_PARAMETER && !jval_present(value))
            return aws_fail(err, a, &AWS_ValidationException,
                            "The parameter '%s' is required but was not present in the request",
                            member->name);
        if (member->required == NEED_MAP && jval_count(value) == 0) {
            struct str op = str_c(s->name); /* "BatchWriteItemInput" */
            return aws_fail(err, a, &AWS_ValidationException,
                            "The %s parameter is required for %.*s", member->path_name,
                            STR_ARG(str_sub(op, 0, op.n - strlen("Input"))));
        }
    }
    return true;
}

static enum plan choose_plan(const struct limits *found, uint8_t newer)
{
    if (newer == 0 || found->others > 0)
        return PLAN_OLDER;
    if (found->sizes > 0)
        return PLAN_FIRST_SIZE;
    return newer >= 2 && found->enums > 0 ? PLAN_FIRST_ENUM : PLAN_ENUMS;
}

bool shape_check_limits(const struct shape_model *m, uint16_t shape, struct jval v, struct arena *a,
                        struct aws_err *err)
{
    struct limits l NOT_CLEARED;
    const struct shape *s = &m->shapes[shape];
    if (!s->checked)
        return true;
    l.m = m;
    l.a = a;
    l.plan = PLAN_FIND;
    l.found = l.sizes = l.enums = l.others = l.printed = 0;
    l.path_n = 0;
    l.own = NULL;
    l.json_echo = s->newer != 0;
    if (!check_special_needs(m, shape, v, a, err))
        return false;
    check(&l, shape, v);
    if (l.found == 0 && l.own != NULL) /* only Lambda's runtime has one */
        return aws_fail(err, a, l.own->own_error,
                        "Value %.*s at 'runtime' failed to satisfy constraint: Member must "
                        "satisfy enum value set: %s or be a valid ARN",
                        STR_ARG(head_of(l.own_value, 1024)), l.own->text);
    if (l.found == 0)
        return true;
    l.plan = choose_plan(&l, s->newer);
    buf_init(&l.text, TEXT_BYTES);
    check(&l, shape, v);
    ASSERT(l.printed > 0);
    if (s->newer == 3 && l.plan == PLAN_FIRST_ENUM)
        aws_fail(err, a, &AWS_ValidationException, "%.*s", STR_ARG(buf_view(&l.text)));
    else
        aws_fail(err, a, &AWS_ValidationException, "%u validation error%s detected: %.*s",
                 l.printed, l.printed == 1 ? "" : "s", STR_ARG(buf_view(&l.text)));
    buf_release(&l.text);
    return false;
}
