/* Sizes (facts 53-55) and counts, over the text where there is one: nothing is built for them. */
#include "panic.h"
#include "value.h"
#include <string.h>

/* Bytes of escaped text once it is read. */
static size_t unescaped_size(struct str text)
{
    size_t n = text.n;
    const char *p = text.p, *end = text.p + text.n;
    while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        size_t skip = p[1] == 'u' ? 6 : 2;
        n -= skip - 1;
        p += skip;
    }
    return n;
}

static size_t number_size(struct str text)
{
    struct num n;
    if (num_parse(text, &n) != NUM_OK)
        PANIC("stored number text does not parse");
    return num_size(&n);
}

static size_t binary_size(struct str base64)
{
    size_t pad = 0;
    while (pad < 2 && pad < base64.n && base64.p[base64.n - 1 - pad] == '=')
        pad++;
    return base64.n / 4 * 3 - pad;
}

static size_t scalar_size(enum attr_type type, struct str quoted)
{
    struct str text = str_sub(quoted, 1, quoted.n - 1);
    return type == ATTR_S   ? unescaped_size(text)
           : type == ATTR_N ? number_size(text)
                            : binary_size(text);
}

static enum attr_type member_type(enum attr_type set)
{
    return set == ATTR_SS ? ATTR_S : set == ATTR_NS ? ATTR_N : ATTR_B;
}

/* v is closed. Depth is bounded by what was let in (ATTR_DEPTH_MAX). */
static size_t text_size(const struct value *v)
{
    struct str body = value_body(v), key, part;
    size_t at = 0, size = 0;
    struct value child;
    switch (v->type) {
    case ATTR_S:
    case ATTR_N:
    case ATTR_B:
        return scalar_size(v->type, body);
    case ATTR_NULL:
    case ATTR_BOOL:
        return 1;
    case ATTR_SS:
    case ATTR_NS:
    case ATTR_BS:
        while (text_next_element(body, &at, &part))
            size += scalar_size(member_type(v->type), part);
        return size;
    case ATTR_L:
        for (size = 3; text_next_element(body, &at, &part);) {
            child = value_wrap(part);
            size += 1 + text_size(&child);
        }
        return size;
    default:
        for (size = 3; text_next_member(body, &at, &key, &part);) {
            child = value_wrap(part);
            size += 1 + unescaped_size(key) + text_size(&child);
        }
        return size;
    }
}

size_t value_size(const struct value *v)
{
    if (v->json.p != NULL)
        return text_size(v);
    bool document = v->type == ATTR_L || v->type == ATTR_M;
    size_t size = document ? 3 : 0;
    for (uint32_t i = 0; i < v->count; i++) {
        if (!v->child[i].gone)
            size += document + unescaped_size(v->child[i].key) + value_size(&v->child[i].v);
    }
    return size;
}

/* UTF-16 units, as DynamoDB Local counts. unverified: that the service does the same. */
static size_t utf16_count(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        n += ((c & 0xC0) != 0x80) + (c >= 0xF0);
    }
    return n;
}

bool value_size_function(const struct value *x, struct arena *a, size_t *ret)
{
    struct str body, key, part;
    size_t at = 0;
    switch (x->type) {
    case ATTR_S:
        *ret = utf16_count(value_bytes(x, a));
        return true;
    case ATTR_B:
        body = value_body(x);
        *ret = binary_size(str_sub(body, 1, body.n - 1));
        return true;
    case ATTR_SS:
    case ATTR_NS:
    case ATTR_BS:
    case ATTR_L:
        body = value_body(x);
        for (*ret = 0; text_next_element(body, &at, &part);)
            ++*ret;
        return true;
    case ATTR_M:
        body = value_body(x);
        for (*ret = 0; text_next_member(body, &at, &key, &part);)
            ++*ret;
        return true;
    default:
        return false;
    }
}

void item_of_text(struct str json, struct arena *a, struct item *ret)
{
    struct str key, part;
    size_t at = 0, count = 0, i = 0;
    while (text_next_member(json, &at, &key, &part))
        count++;
    *ret = (struct item){.attrs = ARENA_ARRAY(a, struct attr, count), .json = json};
    for (at = 0; text_next_member(json, &at, &key, &part); i++) {
        struct value v = value_wrap(part);
        struct attr *x = &ret->attrs[i];
        x->name = text_unescape(key, a);
        x->type = v.type;
        x->bytes =
            v.type == ATTR_S || v.type == ATTR_N || v.type == ATTR_B ? value_bytes(&v, a) : STR("");
        x->json = part;
        x->text_at = (size_t)(part.p - json.p);
        x->size = x->name.n + text_size(&v);
        ret->size += x->size;
    }
    ret->count = count;
}
