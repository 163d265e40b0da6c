#include "attr.h"
#include "codec.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

#define INVALID "One or more parameter values were invalid: "

struct reader {
    struct arena *a;
    struct aws_err *err;
    struct buf *text;
    enum attr_wording wording;
    size_t size;
};
struct member {
    struct str key, value; /* key decides equality; value is what the message shows */
};

static const struct {
    const char *name;
    struct str opening; /* of the value's text */
} types[] = {
    [ATTR_NONE] = {"", {"", 0}},
    [ATTR_S] = {"S", {"{\"S\":", 5}},
    [ATTR_N] = {"N", {"{\"N\":", 5}},
    [ATTR_B] = {"B", {"{\"B\":", 5}},
    [ATTR_SS] = {"SS", {"{\"SS\":", 6}},
    [ATTR_NS] = {"NS", {"{\"NS\":", 6}},
    [ATTR_BS] = {"BS", {"{\"BS\":", 6}},
    [ATTR_M] = {"M", {"{\"M\":", 5}},
    [ATTR_L] = {"L", {"{\"L\":", 5}},
    [ATTR_NULL] = {"NULL", {"{\"NULL\":", 8}},
    [ATTR_BOOL] = {"BOOL", {"{\"BOOL\":", 8}},
};

const char *attr_type_name(enum attr_type type)
{
    return types[type].name;
}

static enum attr_type type_of_letter(char c)
{
    return c == 'S'   ? ATTR_S
           : c == 'N' ? ATTR_N
           : c == 'B' ? ATTR_B
           : c == 'M' ? ATTR_M
           : c == 'L' ? ATTR_L
                      : ATTR_NONE;
}

static enum attr_type type_of_name(struct str name)
{
    if (name.n == 1)
        return type_of_letter(name.p[0]);
    for (int t = ATTR_SS; t <= ATTR_BOOL; t++) {
        if (name.n > 1 && str_eq_c(name, types[t].name))
            return (enum attr_type)t;
    }
    return ATTR_NONE;
}

const struct attr *item_find(const struct item *item, struct str name)
{
    for (size_t i = 0; i < item->count; i++) {
        if (str_eq(item->attrs[i].name, name))
            return &item->attrs[i];
    }
    return NULL;
}

/* Errors of numbers and sets: some operations put them in the envelope of the model checks. */
static bool fail_value(struct reader *r, struct str message)
{
    return aws_fail(r->err, r->a, &AWS_ValidationException, "%s%.*s",
                    r->wording == ATTR_ENVELOPED ? "1 validation error detected: " : "",
                    STR_ARG(message));
}

static bool fail_bare(struct reader *r, const char *message)
{
    return aws_fail(r->err, r->a, &AWS_ValidationException, "%s", message);
}

/* Text of an item that is too big already is not needed: the operation will refuse it. */
static void put(struct reader *r, struct str s)
{
    if (r->size <= ATTR_ITEM_SIZE_MAX)
        buf_add(r->text, s);
}

static void put_string(struct reader *r, struct str s)
{
    if (r->size <= ATTR_ITEM_SIZE_MAX)
        json_quote(r->text, s);
}

/* The model has checked it for requests; stored text comes without. */
static bool check_kind(struct reader *r, struct jval v, enum json_kind kind)
{
    return jval_kind(v) == kind ||
           aws_fail(r->err, r->a, &AWS_SerializationException, "Unexpected field type");
}

static bool read_string(struct reader *r, struct jval v, struct str *ret)
{
    if (jval_str(v, r->a, ret))
        return true;
    return aws_fail(r->err, r->a, &AWS_SerializationException, "Expected a string");
}

/* The older layer counts the exponent in 32 bits: one that does not fit comes out below instead of
 * above the range (captured for 1e2147483647). */
static bool wraps_exponent(struct str number)
{
    int64_t exp;
    ptrdiff_t at = str_find(number, 'e');
    if (at < 0)
        at = str_find(number, 'E');
    return at >= 0 && str_to_i64(str_sub(number, (size_t)at + 1, number.n), &exp) &&
           exp >= INT32_MAX;
}

static bool read_number(struct reader *r, struct jval v, struct str *ret_text)
{
    struct str given;
    struct num n;
    if (!read_string(r, v, &given))
        return false;
    enum num_error e = num_parse(given, &n);
    if (e == NUM_NOT_NUMERIC && given.n == 0 && r->wording == ATTR_OLDER)
        return fail_bare(r, "The parameter cannot be converted to a numeric value");
    if (e == NUM_OVERFLOW && r->wording == ATTR_OLDER && wraps_exponent(given))
        e = NUM_UNDERFLOW;
    if (e != NUM_OK)
        return fail_value(r, num_error_text(e, given, r->a));
    char *out = arena_alloc_raw(r->a, NUM_TEXT_MAX);
    *ret_text = (struct str){out, num_text(&n, out)};
    r->size += num_size(&n);
    return true;
}

static bool read_binary(struct reader *r, struct jval v, struct str *ret_text,
                        struct str *ret_bytes)
{
    if (!read_string(r, v, ret_text))
        return false;
    if (!codec_base64_decode(r->a, *ret_text, ret_bytes))
        return aws_fail(r->err, r->a, &AWS_SerializationException,
                        "'%.*s' can not be converted to a Blob", STR_ARG(*ret_text));
    r->size += ret_bytes->n;
    return true;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a;
    const struct member *y = *(const struct member *const *)b;
    return str_cmp(x->key, y->key);
}

static bool has_duplicates(struct arena *a, const struct member *members, size_t count)
{
    const struct member **sorted = ARENA_ARRAY(a, const struct member *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof *sorted, compare_members);
    for (size_t i = 1; i < count; i++) {
        if (str_eq(sorted[i - 1]->key, sorted[i]->key))
            return true;
    }
    return false;
}

static bool fail_duplicates(struct reader *r, enum attr_type type, const struct member *members,
                            size_t count)
{
    if (type == ATTR_NS)
        return fail_value(r, STR("Input collection contains duplicates"));
    struct buf *b = arena_new_buf(r->a, ATTR_TEXT_MAX);
    buf_add(b, STR(INVALID "Input collection ["));
    const char *quote = r->wording == ATTR_OLDER ? "" : "\"";
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%s%s%.*s%s", i == 0 ? "" : ", ", quote, STR_ARG(members[i].value), quote);
    /* No space before "of", as AWS has it. unverified: the quotes in the binary form. */
    buf_add(b, type == ATTR_BS ? STR("]of type BS contains duplicates.")
                               : STR("] contains duplicates."));
    return fail_value(r, buf_view(b));
}

static bool read_set(struct reader *r, struct jval v, enum attr_type type)
{
    size_t count = jval_count(v), i = 0;
    struct jval it = {0};
    if (!check_kind(r, v, JSON_ARRAY))
        return false;
    if (count == 0)
        return fail_value(r, type == ATTR_SS   ? STR(INVALID "An string set  may not be empty")
                             : type == ATTR_NS ? STR(INVALID "An number set  may not be empty")
                                               : STR(INVALID "Binary sets should not be empty"));
    struct member *members = ARENA_ARRAY(r->a, struct member, count);
    put(r, STR("["));
    for (; jval_next(v, &it, NULL); i++) {
        struct member *m = &members[i];
        if (!jval_present(it)) /* unverified: the wording for numbers */
            return fail_value(
                r, type == ATTR_BS ? STR(INVALID "Binary sets may not contain null or empty values")
                                   : STR(INVALID "An string set may not have a null string as a "
                                                 "member"));
        if (type == ATTR_SS   ? !read_string(r, it, &m->key)
            : type == ATTR_NS ? !read_number(r, it, &m->key)
                              : !read_binary(r, it, &m->value, &m->key))
            return false;
        if (type == ATTR_SS)
            r->size += m->key.n;
        if (type != ATTR_BS)
            m->value = m->key;
        if (i > 0)
            put(r, STR(","));
        put_string(r, m->value);
    }
    put(r, STR("]"));
    return !has_duplicates(r->a, members, count) || fail_duplicates(r, type, members, count);
}

static bool read_map(struct reader *r, struct jval v, int depth, struct attr *ret_attrs,
                     size_t *ret_count);
static bool read_value(struct reader *r, struct jval v, int depth, enum attr_type *ret_type,
                       struct str *ret_bytes);

static bool read_list(struct reader *r, struct jval v, int depth)
{
    struct jval it = {0};
    enum attr_type type;
    struct str bytes;
    bool first = true;
    if (!check_kind(r, v, JSON_ARRAY))
        return false;
    put(r, STR("["));
    while (jval_next(v, &it, NULL)) {
        if (!first)
            put(r, STR(","));
        first = false;
        r->size += 1; /* unverified, like the 3 of each list and map: the published rule */
        if (!read_value(r, it, depth, &type, &bytes))
            return false;
    }
    put(r, STR("]"));
    return true;
}

/* The one member that says the type. */
static bool pick_type(struct reader *r, struct jval v, enum attr_type *ret_type,
                      struct jval *ret_value)
{
    struct jval it = {0};
    struct str key;
    *ret_type = ATTR_NONE;
    while (jval_kind(v) == JSON_OBJECT && jval_next(v, &it, &key)) {
        enum attr_type type = type_of_name(str_find(key, '\\') >= 0 ? jval_key_str(it, r->a) : key);
        if (type == ATTR_NONE || !jval_present(it))
            continue;
        if (*ret_type != ATTR_NONE && *ret_type != type)
            return fail_bare(r, "Supplied AttributeValue has more than one datatypes set, must "
                                "contain exactly one of the supported datatypes");
        *ret_type = type;
        *ret_value = it;
    }
    if (*ret_type == ATTR_NONE)
        return fail_bare(r, "Supplied AttributeValue is empty, must contain exactly one of the "
                            "supported datatypes");
    return true;
}

static bool read_flag(struct reader *r, struct jval v, enum attr_type type)
{
    bool flag;
    if (!jval_bool(v, &flag))
        return aws_fail(r->err, r->a, &AWS_SerializationException, "Expected a boolean");
    if (type == ATTR_NULL && !flag)
        return fail_bare(r, INVALID "Null attribute value types must have the value of true");
    r->size += 1;
    put(r, flag ? STR("true") : STR("false"));
    return true;
}

static bool read_typed(struct reader *r, struct jval v, int depth, enum attr_type type,
                       struct str *ret_bytes)
{
    struct str text;
    switch (type) {
    case ATTR_S:
        if (!read_string(r, v, ret_bytes))
            return false;
        r->size += ret_bytes->n;
        put_string(r, *ret_bytes);
        return true;
    case ATTR_N:
        if (!read_number(r, v, ret_bytes))
            return false;
        put_string(r, *ret_bytes);
        return true;
    case ATTR_B:
        if (!read_binary(r, v, &text, ret_bytes))
            return false;
        put_string(r, text);
        return true;
    case ATTR_SS:
    case ATTR_NS:
    case ATTR_BS:
        return read_set(r, v, type);
    case ATTR_M:
        r->size += 3;
        return read_map(r, v, depth + 1, NULL, NULL);
    case ATTR_L:
        r->size += 3;
        return read_list(r, v, depth + 1);
    case ATTR_NULL:
    case ATTR_BOOL:
        return read_flag(r, v, type);
    case ATTR_NONE:
        break;
    }
    PANIC("attribute type %d", type);
}

static bool read_value(struct reader *r, struct jval v, int depth, enum attr_type *ret_type,
                       struct str *ret_bytes)
{
    struct jval typed = {0};
    *ret_bytes = STR("");
    if (depth >= ATTR_DEPTH_MAX)
        return fail_bare(r, "Nesting Levels have exceeded supported limits: Attributes in the item "
                            "have nested levels beyond supported limit");
    if (!pick_type(r, v, ret_type, &typed))
        return false;
    put(r, types[*ret_type].opening);
    if (!read_typed(r, typed, depth, *ret_type, ret_bytes))
        return false;
    put(r, STR("}"));
    return true;
}

struct entry {
    struct str name;
    struct jval value;
    uint32_t index;
    bool replaced; /* by a later member of the same name */
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    int c = str_cmp(x->name, y->name);
    return c != 0 ? c : (x->index > y->index) - (x->index < y->index);
}

/* JSON leaves duplicate names open; the last one counts, as for every parser AWS's SDKs use. */
static void mark_replaced(struct arena *a, struct entry *entries, size_t count)
{
    enum { FEW = 16 };
    if (count <= FEW) {
        for (size_t i = 0; i < count; i++) {
            for (size_t k = i + 1; k < count && !entries[i].replaced; k++)
                entries[i].replaced = str_eq(entries[i].name, entries[k].name);
        }
        return;
    }
    struct entry **sorted = ARENA_ARRAY(a, struct entry *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, compare_entries);
    for (size_t i = 1; i < count; i++)
        sorted[i - 1]->replaced = str_eq(sorted[i - 1]->name, sorted[i]->name);
}

static struct entry *list_entries(struct reader *r, struct jval v, size_t count)
{
    struct entry *entries = ARENA_ARRAY(r->a, struct entry, count);
    struct jval it = {0};
    struct str key;
    for (size_t i = 0; jval_next(v, &it, &key); i++) {
        ASSERT(i < count);
        entries[i].name = str_find(key, '\\') >= 0 ? jval_key_str(it, r->a) : key;
        entries[i].value = it;
        entries[i].index = (uint32_t)i;
    }
    mark_replaced(r->a, entries, count);
    return entries;
}

static bool check_name(struct reader *r, struct str name)
{
    if (name.n == 0)
        return fail_value(r, STR("Empty attribute name"));
    if (name.n > ATTR_NAME_MAX) /* unverified: the words */
        return fail_value(r, STR("Attribute name is too large, must be less than 65536 bytes"));
    return true;
}

/* ret_attrs: room for every member, for an item's own; NULL for nested maps. */
static bool read_map(struct reader *r, struct jval v, int depth, struct attr *ret_attrs,
                     size_t *ret_count)
{
    size_t count = jval_count(v), kept = 0;
    if (!check_kind(r, v, JSON_OBJECT))
        return false;
    struct entry *entries = list_entries(r, v, count);
    put(r, STR("{"));
    for (size_t i = 0; i < count; i++) {
        struct attr scratch, *at = ret_attrs == NULL ? &scratch : &ret_attrs[kept];
        if (entries[i].replaced)
            continue;
        size_t before = r->size;
        if (!check_name(r, entries[i].name))
            return false;
        if (kept++ > 0)
            put(r, STR(","));
        put_string(r, entries[i].name);
        put(r, STR(":"));
        size_t from = r->text->n;
        at->name = entries[i].name;
        r->size += at->name.n + (ret_attrs == NULL); /* nested: 1 more an element */
        if (!read_value(r, entries[i].value, depth, &at->type, &at->bytes))
            return false;
        at->text_at = from; /* the buffer may still move */
        at->json.n = r->text->n - from;
        at->size = r->size - before;
    }
    put(r, STR("}"));
    if (ret_count != NULL)
        *ret_count = kept;
    return true;
}

bool item_read(struct jval v, enum attr_wording wording, struct arena *a, struct buf *text,
               struct item *ret, struct aws_err *err)
{
    struct reader r = {.a = a, .err = err, .text = text, .wording = wording};
    size_t start = text->n;
    *ret = (struct item){.attrs = ARENA_ARRAY(a, struct attr, jval_count(v))};
    if (!read_map(&r, v, 0, ret->attrs, &ret->count))
        return false;
    ret->size = r.size;
    if (r.size > ATTR_ITEM_SIZE_MAX)
        return true;
    ASSERT(!text->overflow); /* ATTR_TEXT_MAX is above what an item of legal size can need */
    ret->json = (struct str){text->p + start, text->n - start};
    for (size_t i = 0; i < ret->count; i++)
        ret->attrs[i].json.p = text->p + ret->attrs[i].text_at;
    return true;
}

bool attr_read(struct jval v, enum attr_wording wording, struct arena *a, struct buf *text,
               struct attr *ret, struct aws_err *err)
{
    struct reader r = {.a = a, .err = err, .text = text, .wording = wording};
    size_t start = text->n;
    *ret = (struct attr){.name = STR("")};
    if (!read_value(&r, v, 0, &ret->type, &ret->bytes))
        return false;
    ret->size = r.size;
    if (r.size > ATTR_ITEM_SIZE_MAX)
        return true;
    ASSERT(!text->overflow);
    /* own copy: the buffer may move with the next value */
    ret->json = arena_str(a, (struct str){text->p + start, text->n - start});
    return true;
}

bool item_read_stored(struct str json, struct arena *a, struct buf *text, struct item *ret)
{
    struct jval v;
    struct aws_err err = {0};
    return json_parse(a, json, JSON_DEPTH_DEFAULT, &v, NULL) && jval_kind(v) == JSON_OBJECT &&
           item_read(v, ATTR_BARE, a, text, ret, &err) && ret->size <= ATTR_ITEM_SIZE_MAX;
}

struct str attr_key_bytes(const struct attr *at, struct arena *a)
{
    struct num n;
    if (at->type != ATTR_N)
        return at->bytes;
    if (num_parse(at->bytes, &n) != NUM_OK)
        PANIC("stored number text does not parse");
    uint8_t *out = arena_alloc_raw(a, NUM_KEY_MAX);
    return (struct str){(const char *)out, num_key(&n, out)};
}
