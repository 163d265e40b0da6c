/* The tree: wrapping, opening, changing and writing values. */
#include "value.h"
#include "codec.h"
#include "panic.h"
#include <string.h>

static enum attr_type type_of_text(struct str json)
{
    ASSERT(json.n >= 6 && json.p[0] == '{' && json.p[1] == '"'); /* {"M":{}} is not shorter */
    bool one = json.p[3] == '"', two = json.p[4] == '"';
    switch (json.p[2]) {
    case 'S':
        return one ? ATTR_S : ATTR_SS;
    case 'N':
        return one ? ATTR_N : two ? ATTR_NS : ATTR_NULL;
    case 'B':
        return one ? ATTR_B : two ? ATTR_BS : ATTR_BOOL;
    case 'M':
        return ATTR_M;
    case 'L':
        return ATTR_L;
    default:
        PANIC("not a canonical value");
    }
}

struct value value_wrap(struct str json)
{
    return (struct value){.type = type_of_text(json), .json = json};
}

struct str value_body(const struct value *v)
{
    ASSERT(v->json.p != NULL);
    size_t head = strlen(attr_type_name(v->type)) + 4; /* {"S": */
    return str_sub(v->json, head, v->json.n - 1);
}

static bool is_container(enum attr_type type)
{
    return type == ATTR_L || type == ATTR_M || type == ATTR_SS || type == ATTR_NS ||
           type == ATTR_BS;
}

static struct str quoted(struct str body)
{
    return str_sub(body, 1, body.n - 1);
}

struct str value_bytes(const struct value *v, struct arena *a)
{
    struct str text = quoted(value_body(v)), bytes;
    if (v->type == ATTR_S)
        return text_unescape(text, a);
    if (v->type == ATTR_N)
        return text;
    ASSERT(v->type == ATTR_B);
    if (!codec_base64_decode(a, text, &bytes))
        PANIC("stored binary is not base64");
    return bytes;
}

void value_number(const struct value *v, struct num *ret)
{
    ASSERT(v->type == ATTR_N);
    if (num_parse(quoted(value_body(v)), ret) != NUM_OK)
        PANIC("stored number text does not parse");
}

bool value_flag(const struct value *v)
{
    ASSERT(v->type == ATTR_BOOL);
    return value_body(v).p[0] == 't';
}

static struct value_child *add_child(struct value *v, struct arena *a)
{
    if (v->count == v->cap) {
        uint32_t cap = v->cap == 0 ? 8 : v->cap * 2;
        struct value_child *grown = arena_alloc_raw(a, cap * sizeof *grown);
        if (v->count > 0)
            memcpy(grown, v->child, v->count * sizeof *grown);
        v->child = grown;
        v->cap = cap;
    }
    struct value_child *c = &v->child[v->count++];
    *c = (struct value_child){.key = STR("")};
    return c;
}

/* A set's member has no type of its own in the text: it gets one, so that members are values like
 * any other. */
static struct value member_value(enum attr_type set, struct str text, struct arena *a)
{
    char letter = set == ATTR_SS ? 'S' : set == ATTR_NS ? 'N' : 'B';
    char *out = arena_alloc_raw(a, text.n + 6);
    memcpy(out, "{\"?\":", 5);
    out[2] = letter;
    memcpy(out + 5, text.p, text.n);
    out[5 + text.n] = '}';
    return value_wrap((struct str){out, text.n + 6});
}

static void open_object(struct value *v, struct str body, struct arena *a)
{
    struct str key, json;
    size_t at = 0;
    while (text_next_member(body, &at, &key, &json)) {
        struct value_child *c = add_child(v, a);
        c->key = key;
        c->v = value_wrap(json);
    }
}

void value_open(struct value *v, struct arena *a)
{
    struct str element;
    size_t at = 0;
    if (v->open)
        return;
    ASSERT(is_container(v->type));
    v->open = true;
    struct str body = value_body(v);
    if (v->type == ATTR_M) {
        open_object(v, body, a);
        return;
    }
    while (text_next_element(body, &at, &element)) {
        struct value_child *c = add_child(v, a);
        c->v = v->type == ATTR_L ? value_wrap(element) : member_value(v->type, element, a);
    }
}

struct value value_of_item(struct str item, struct arena *a)
{
    struct value v = {.type = ATTR_M, .open = true};
    open_object(&v, item, a);
    return v;
}

enum { INDEX_FROM = 32 }; /* smaller maps are searched from the start */

/* FNV-1a: attribute names are the user's own, nobody attacks himself here for long. */
static uint32_t hash_key(struct str key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 16777619u;
    return h ^ h >> 15;
}

static uint32_t *find_place(struct value *v, struct str key)
{
    uint32_t at = hash_key(key) & (v->slots - 1);
    while (v->slot[at] != 0 && !str_eq(v->child[v->slot[at] - 1].key, key))
        at = (at + 1) & (v->slots - 1);
    return &v->slot[at];
}

static void make_index(struct value *v, struct arena *a)
{
    v->slots = INDEX_FROM * 2;
    while (v->slots < v->count * 4)
        v->slots *= 2;
    v->slot = ARENA_ARRAY(a, uint32_t, v->slots);
    for (uint32_t i = 0; i < v->count; i++)
        *find_place(v, v->child[i].key) = i + 1;
}

size_t value_find(struct value *v, struct str key, struct arena *a)
{
    ASSERT(v->type == ATTR_M);
    value_open(v, a);
    if (v->count >= INDEX_FROM) {
        if (v->slots < v->count * 2)
            make_index(v, a);
        uint32_t found = *find_place(v, key);
        return found == 0 || v->child[found - 1].gone ? v->count : found - 1;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (!v->child[i].gone && str_eq(v->child[i].key, key))
            return i;
    }
    return v->count;
}

struct value *value_member(struct value *v, struct str key, struct arena *a)
{
    if (v->type != ATTR_M)
        return NULL;
    size_t at = value_find(v, key, a);
    return at < v->count ? &v->child[at].v : NULL;
}

struct value *value_element(struct value *v, size_t index, struct arena *a)
{
    if (v->type != ATTR_L)
        return NULL;
    value_open(v, a);
    return index < v->count ? &v->child[index].v : NULL;
}

void value_touch(struct value *v)
{
    ASSERT(v->open);
    v->json = STR_NONE;
}

void value_put(struct value *v, struct str key, struct value x, struct arena *a)
{
    size_t at = value_find(v, key, a);
    value_touch(v);
    if (at < v->count) {
        v->child[at].v = x;
        return;
    }
    struct value_child *c = add_child(v, a);
    c->key = key;
    c->v = x;
    if (v->slots >= v->count * 2)
        *find_place(v, key) = v->count;
}

void value_append(struct value *v, struct value x, struct arena *a)
{
    value_open(v, a);
    value_touch(v);
    add_child(v, a)->v = x;
}

void value_remove(struct value *v, size_t index)
{
    ASSERT(v->open && index < v->count);
    value_touch(v);
    v->child[index].gone = true;
}

struct value value_new(enum attr_type type)
{
    ASSERT(is_container(type));
    return (struct value){.type = type, .open = true};
}

struct value value_new_number(const struct num *n, struct arena *a)
{
    char *out = arena_alloc_raw(a, NUM_TEXT_MAX + 8);
    memcpy(out, "{\"N\":\"", 6);
    size_t len = 6 + num_text(n, out + 6);
    memcpy(out + len, "\"}", 2);
    return value_wrap((struct str){out, len + 2});
}

size_t value_text_size(const struct value *v)
{
    if (v->json.p != NULL)
        return v->json.n;
    size_t size = 16; /* braces and type, rounded up */
    for (uint32_t i = 0; i < v->count; i++) {
        if (!v->child[i].gone)
            size += v->child[i].key.n + 4 + value_text_size(&v->child[i].v);
    }
    return size;
}

static void write_children(const struct value *v, struct buf *out)
{
    bool map = v->type == ATTR_M, list = v->type == ATTR_L;
    buf_addc(out, map ? '{' : '[');
    bool first = true;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct value_child *c = &v->child[i];
        if (c->gone)
            continue;
        if (!first)
            buf_addc(out, ',');
        first = false;
        if (map) {
            buf_addc(out, '"');
            buf_add(out, c->key);
            buf_add(out, STR("\":"));
        }
        if (map || list)
            value_write(&c->v, out);
        else
            buf_add(out, value_body(&c->v));
    }
    buf_addc(out, map ? '}' : ']');
}

void value_write(const struct value *v, struct buf *out)
{
    if (v->json.p != NULL) {
        buf_add(out, v->json);
        return;
    }
    buf_add(out, STR("{\""));
    buf_add(out, str_c(attr_type_name(v->type)));
    buf_add(out, STR("\":"));
    write_children(v, out);
    buf_addc(out, '}');
}

void value_write_item(const struct value *v, struct buf *out)
{
    ASSERT(v->type == ATTR_M && v->open);
    write_children(v, out);
}
