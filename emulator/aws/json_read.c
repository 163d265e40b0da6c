/* Two passes. The first is ours: RFC 8259 grammar, UTF-8 and depth, one loop with an explicit stack
 * of bits, no recursion; it also counts the tokens. jsmn then only finds the tokens of a text that
 * is known to be JSON (jsmn alone takes much that is not, and is quadratic without
 * JSMN_PARENT_LINKS). A last pass gives each token the index after its subtree, which makes
 * stepping to the next sibling O(1). */
#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include "json_scan.h"
#include "panic.h"
#include <jsmn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct json_doc {
    struct str text;
    const jsmntok_t *tokens;
    const uint32_t *after; /* index of the first token behind the subtree */
    uint32_t count;
};

enum {
    DEPTH_LIMIT = 1024,
    /* 24 bytes each: what a document may cost. A 16 MiB DynamoDB request of the smallest legal
     * attribute values has 6 million. */
    TOKENS_MAX = 8 * 1024 * 1024,
};

struct checker {
    const unsigned char *p, *end;
    size_t tokens;
};

static void skip_blanks(struct checker *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

static bool is_hex(unsigned char x)
{
    return (x >= '0' && x <= '9') || ((x | 32) >= 'a' && (x | 32) <= 'f');
}

/* At the opening quote; leaves p behind the closing one, or at what is wrong. */
static bool check_string(struct checker *c)
{
    const unsigned char *p = c->p + 1, *end = c->end;
    bool ok = false;
    for (;;) {
        p += json_plain((const char *)p, (size_t)(end - p), false);
        if (p == end)
            break;
        if (*p == '"') {
            p++;
            c->tokens++;
            ok = true;
            break;
        }
        if (*p >= 0x80) {
            const unsigned char *wide = p;
            while (p < end && *p >= 0x80)
                p++;
            size_t n = (size_t)(p - wide), good = str_utf8_prefix((struct str){(char *)wide, n});
            if (good == n)
                continue;
            p = wide + good;
            break;
        }
        if (*p != '\\' || ++p == end)
            break;
        if (*p == 'u') {
            if (end - p < 5 || !is_hex(p[1]) || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]))
                break;
            p += 5;
        } else if (*p != 0 && strchr("\"\\/bfnrt", *p) != NULL) {
            p++;
        } else {
            break;
        }
    }
    c->p = p;
    return ok;
}

static bool skip_digits(struct checker *c)
{
    const unsigned char *start = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > start;
}

static bool check_number(struct checker *c)
{
    if (*c->p == '-')
        c->p++;
    if (c->p < c->end && *c->p == '0')
        c->p++;
    else if (!skip_digits(c))
        return false;
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!skip_digits(c))
            return false;
    }
    if (c->p < c->end && (*c->p | 32) == 'e') {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        if (!skip_digits(c))
            return false;
    }
    c->tokens++;
    return true;
}

static bool check_word(struct checker *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
        return false;
    c->p += n;
    c->tokens++;
    return true;
}

static bool check_scalar(struct checker *c)
{
    switch (*c->p) {
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        return (*c->p == '-' || (*c->p >= '0' && *c->p <= '9')) && check_number(c);
    }
}

/* A member's key and colon. */
static bool check_key(struct checker *c)
{
    skip_blanks(c);
    if (c->p >= c->end || *c->p != '"' || !check_string(c))
        return false;
    skip_blanks(c);
    if (c->p >= c->end || *c->p != ':')
        return false;
    c->p++;
    return true;
}

static bool check_document(struct checker *c, unsigned max_depth)
{
    unsigned char in_object[DEPTH_LIMIT] NOT_CLEARED;
    unsigned depth = 0;
    ASSERT(max_depth <= DEPTH_LIMIT);
    for (;;) { /* at the start of a value */
        skip_blanks(c);
        if (c->p >= c->end)
            return false;
        if (*c->p == '{' || *c->p == '[') {
            bool object = *c->p == '{';
            if (depth >= max_depth)
                return false;
            in_object[depth++] = object;
            c->tokens++;
            c->p++;
            skip_blanks(c);
            if (c->p < c->end && *c->p == (object ? '}' : ']'))
                ; /* empty: closed below */
            else if (!object || check_key(c))
                continue;
            else
                return false;
        } else if (!check_scalar(c)) {
            return false;
        }
        for (;;) { /* behind a value, or before the end of an empty container */
            skip_blanks(c);
            if (depth == 0)
                return c->p == c->end;
            if (c->p >= c->end)
                return false;
            if (*c->p == (in_object[depth - 1] ? '}' : ']')) {
                depth--;
                c->p++;
                continue;
            }
            if (*c->p != ',')
                return false;
            c->p++;
            if (in_object[depth - 1] && !check_key(c))
                return false;
            break;
        }
    }
}

static bool run_check(struct checker *c, struct str text, unsigned max_depth, size_t *reterr_offset)
{
    *c = (struct checker){(const unsigned char *)text.p, (const unsigned char *)text.p + text.n, 0};
    if (text.n != 0 && text.n < UINT32_MAX / 2 && check_document(c, max_depth))
        return true;
    if (reterr_offset != NULL)
        *reterr_offset = text.n == 0 ? 0 : (size_t)(c->p - (const unsigned char *)text.p);
    return false;
}

bool json_check(struct str text, unsigned max_depth, size_t *reterr_offset)
{
    struct checker c;
    return run_check(&c, text, max_depth, reterr_offset);
}

bool json_parse(struct arena *a, struct str text, unsigned max_depth, struct jval *ret_root,
                size_t *reterr_offset)
{
    struct checker c;
    if (!run_check(&c, text, max_depth, reterr_offset))
        return false;
    if (c.tokens > TOKENS_MAX) {
        if (reterr_offset != NULL)
            *reterr_offset = text.n;
        return false;
    }
    struct json_doc *doc = ARENA_NEW(a, struct json_doc);
    jsmntok_t *tokens = arena_alloc_raw(a, c.tokens * sizeof *tokens);
    uint32_t *after = arena_alloc_raw(a, c.tokens * sizeof *after);
    jsmn_parser parser;
    jsmn_init(&parser);
    int n = jsmn_parse(&parser, text.p, text.n, tokens, (unsigned)c.tokens);
    if (n < 0 || (size_t)n != c.tokens)
        PANIC("jsmn disagrees with the grammar check (%d of %zu)", n, c.tokens);
    for (uint32_t i = (uint32_t)n; i-- > 0;) {
        after[i] = i + 1;
        for (int k = 0; k < tokens[i].size; k++) /* a key's one child is its value */
            after[i] = after[after[i]];
    }
    *doc = (struct json_doc){text, tokens, after, (uint32_t)n};
    *ret_root = (struct jval){doc, 0};
    return true;
}

static const jsmntok_t *token(struct jval v)
{
    ASSERT(v.tok < v.doc->count);
    return &v.doc->tokens[v.tok];
}

enum json_kind jval_kind(struct jval v)
{
    if (v.doc == NULL)
        return JSON_MISSING;
    const jsmntok_t *t = token(v);
    switch (t->type) {
    case JSMN_OBJECT:
        return JSON_OBJECT;
    case JSMN_ARRAY:
        return JSON_ARRAY;
    case JSMN_STRING:
        return JSON_STRING;
    default:
        switch (v.doc->text.p[t->start]) {
        case 'n':
            return JSON_NULL;
        case 't':
        case 'f':
            return JSON_BOOL;
        default:
            return JSON_NUMBER;
        }
    }
}

bool jval_present(struct jval v)
{
    return jval_kind(v) > JSON_NULL;
}

static struct str token_text(struct jval v)
{
    const jsmntok_t *t = token(v);
    return (struct str){v.doc->text.p + t->start, (size_t)(t->end - t->start)};
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 4 | (p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    return v;
}

static char *put_utf8(char *o, unsigned c)
{
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xC0 | c >> 6);
        *o++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *o++ = (char)(0xE0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    } else {
        *o++ = (char)(0xF0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 63));
        *o++ = (char)(0x80 | (c >> 6 & 63));
        *o++ = (char)(0x80 | (c & 63));
    }
    return o;
}

/* raw is checked JSON string content; the result is never longer. */
static struct str unescape(struct str raw, struct arena *a)
{
    if (str_find(raw, '\\') < 0)
        return raw;
    char *out = arena_alloc_raw(a, raw.n + 1), *o = out;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] != '\\') {
            *o++ = raw.p[i];
            continue;
        }
        char c = raw.p[++i];
        static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
        const char *at = strchr(from, c);
        if (c != 'u') {
            *o++ = at != NULL ? to[at - from] : c;
            continue;
        }
        unsigned u = (unsigned)hex4(raw.p + i + 1);
        i += 4;
        if (u >= 0xD800 && u < 0xDC00 && i + 6 < raw.n && raw.p[i + 1] == '\\' &&
            raw.p[i + 2] == 'u') {
            unsigned low = (unsigned)hex4(raw.p + i + 3);
            if (low >= 0xDC00 && low < 0xE000) {
                o = put_utf8(o, 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00));
                i += 6;
                continue;
            }
        }
        o = put_utf8(o, u >= 0xD800 && u < 0xE000 ? 0xFFFD : u);
    }
    *o = '\0';
    return (struct str){out, (size_t)(o - out)};
}

static bool key_matches(struct str raw, struct str key)
{
    if (str_eq(raw, key))
        return true;
    if (raw.n <= key.n || str_find(raw, '\\') < 0)
        return false;
    struct arena *a = arena_new(0, SIZE_MAX);
    bool same = str_eq(unescape(raw, a), key);
    arena_free(a);
    return same;
}

struct jval jval_get_str(struct jval object, struct str key)
{
    struct jval found = {0}, it = {0};
    struct str raw;
    if (jval_kind(object) != JSON_OBJECT)
        return found;
    while (jval_next(object, &it, &raw)) {
        if (key_matches(raw, key))
            found = it;
    }
    return found;
}

struct jval jval_get(struct jval object, const char *key)
{
    return jval_get_str(object, str_c(key));
}

struct jval jval_at(struct jval array, size_t index)
{
    struct jval it = {0};
    if (jval_kind(array) != JSON_ARRAY)
        return it;
    while (jval_next(array, &it, NULL)) {
        if (index-- == 0)
            return it;
    }
    return (struct jval){0};
}

size_t jval_count(struct jval v)
{
    enum json_kind kind = jval_kind(v);
    return kind == JSON_ARRAY || kind == JSON_OBJECT ? (size_t)token(v)->size : 0;
}

bool jval_next(struct jval container, struct jval *iter, struct str *ret_key)
{
    enum json_kind kind = jval_kind(container);
    if (kind != JSON_ARRAY && kind != JSON_OBJECT)
        return false;
    const struct json_doc *doc = container.doc;
    uint32_t at = iter->doc == NULL ? container.tok + 1 : doc->after[iter->tok];
    if (at >= doc->after[container.tok])
        return false;
    if (kind == JSON_OBJECT) {
        if (ret_key != NULL)
            *ret_key = token_text((struct jval){doc, at});
        at++; /* from the key to its value */
    }
    *iter = (struct jval){doc, at};
    return true;
}

struct str jval_key_str(struct jval iter, struct arena *a)
{
    ASSERT(iter.doc != NULL && iter.tok > 0);
    return unescape(token_text((struct jval){iter.doc, iter.tok - 1}), a);
}

bool jval_str(struct jval v, struct arena *a, struct str *ret)
{
    if (jval_kind(v) != JSON_STRING)
        return false;
    *ret = unescape(token_text(v), a);
    return true;
}

struct str jval_text(struct jval v, struct arena *a)
{
    struct str s = {"", 0};
    jval_str(v, a, &s);
    return s;
}

bool jval_i64(struct jval v, int64_t *ret)
{
    return jval_kind(v) == JSON_NUMBER && str_to_i64(token_text(v), ret);
}

bool jval_double(struct jval v, double *ret)
{
    char text[128];
    if (jval_kind(v) != JSON_NUMBER)
        return false;
    struct str s = token_text(v);
    if (s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *ret = strtod(text, NULL); /* the C locale is never changed */
    return isfinite(*ret);
}

bool jval_bool(struct jval v, bool *ret)
{
    if (jval_kind(v) != JSON_BOOL)
        return false;
    *ret = v.doc->text.p[token(v)->start] == 't';
    return true;
}

struct str jval_raw(struct jval v)
{
    if (v.doc == NULL)
        return STR_NONE;
    struct str s = token_text(v);
    if (token(v)->type == JSMN_STRING)
        s = (struct str){s.p - 1, s.n + 2};
    return s;
}
