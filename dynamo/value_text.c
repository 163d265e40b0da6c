/* Walking canonical text without building anything: the inner loop of every Scan with a filter.
 * The text is our own (item_read, checksummed by the store), so its form is relied upon: no blanks,
 * known escapes, balanced. Running past the end is a PANIC, never a read beyond it. */
#include "panic.h"
#include "value.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* First quote or backslash at or after p. */
static const char *find_string_mark(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        int hit =
            _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)));
        if (hit != 0)
            return p + __builtin_ctz((unsigned)hit);
    }
#endif
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* p: behind the opening quote. Returns the closing one. */
static const char *string_end(const char *p, const char *end)
{
    for (;;) {
        p = find_string_mark(p, end);
        ASSERT(p < end);
        if (*p == '"')
            return p;
        p += 2;
    }
}

/* p: on the first character of a JSON value. Returns the place behind it. */
static const char *value_end(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            p = string_end(p, end) + 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else {
            continue; /* colon, comma, letters of true and false */
        }
        if (depth == 0)
            return p;
    }
    PANIC("canonical text ends inside a value");
}

bool text_next_member(struct str object, size_t *at, struct str *ret_key, struct str *ret_value)
{
    const char *end = object.p + object.n, *p = object.p + *at;
    if (object.n < 2 || *at >= object.n - 1)
        return false;
    p++; /* the brace or the comma */
    if (*p == '}')
        return false;
    ASSERT(*p == '"');
    const char *key = p + 1, *key_end = string_end(key, end);
    p = key_end + 2; /* quote, colon */
    const char *behind = value_end(p, end);
    *ret_key = (struct str){key, (size_t)(key_end - key)};
    *ret_value = (struct str){p, (size_t)(behind - p)};
    *at = (size_t)(behind - object.p);
    return true;
}

bool text_next_element(struct str array, size_t *at, struct str *ret_element)
{
    if (array.n < 3 || *at >= array.n - 1)
        return false;
    const char *p = array.p + *at + 1;
    const char *behind = value_end(p, array.p + array.n);
    *ret_element = (struct str){p, (size_t)(behind - p)};
    *at = (size_t)(behind - array.p);
    return true;
}

struct str text_key(struct str name, struct arena *a)
{
    size_t i = 0;
    while (i < name.n && (unsigned char)name.p[i] >= 0x20 && name.p[i] != '"' && name.p[i] != '\\')
        i++;
    if (i == name.n)
        return name;
    struct buf *b = arena_new_buf(a, name.n * 6 + 1);
    json_escape(b, name);
    return buf_view(b);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Only what json_escape writes: \u00XX for control characters, the rest one letter. */
struct str text_unescape(struct str text, struct arena *a)
{
    if (memchr(text.p, '\\', text.n) == NULL)
        return text;
    char *out = arena_alloc_raw(a, text.n), *o = out;
    for (size_t i = 0; i < text.n; i++) {
        static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
        char c = text.p[i];
        if (c == '\\') {
            ASSERT(i + 1 < text.n);
            c = text.p[++i];
            const char *known = strchr(from, c);
            if (known != NULL) {
                c = to[known - from];
            } else if (c == 'u') {
                ASSERT(i + 4 < text.n);
                c = (char)(hex_digit(text.p[i + 3]) << 4 | hex_digit(text.p[i + 4]));
                i += 4;
            }
        }
        *o++ = c;
    }
    return (struct str){out, (size_t)(o - out)};
}

struct str text_find(struct str item, struct str key)
{
    struct str name, value;
    size_t at = 0;
    while (text_next_member(item, &at, &name, &value)) {
        if (str_eq(name, key))
            return value;
    }
    return STR_NONE;
}
