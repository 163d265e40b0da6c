#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"
#include "panic.h"
#include <pcre2.h>

enum { MATCH_LIMIT = 200000, HEAP_LIMIT_KIB = 8 << 10, PATTERN_MAX = 64 << 10 };

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void release(void *arg)
{
    struct regex *r = arg;
    pcre2_match_data_free(r->data);
    pcre2_match_context_free(r->context);
    pcre2_code_free(r->code);
}

struct regex *regex_new(struct arena *a, struct str pattern)
{
    int error;
    PCRE2_SIZE offset;
    if (pattern.n > PATTERN_MAX)
        return NULL;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.n == 0 ? "" : pattern.p), pattern.n,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (code == NULL)
        return NULL;
    struct regex *r = ARENA_NEW(a, struct regex);
    r->code = code;
    r->data = pcre2_match_data_create_from_pattern(code, NULL);
    r->context = pcre2_match_context_create(NULL);
    if (r->data == NULL || r->context == NULL)
        PANIC("out of memory");
    pcre2_set_match_limit(r->context, MATCH_LIMIT);
    pcre2_set_heap_limit(r->context, HEAP_LIMIT_KIB);
    arena_defer(a, release, r);
    return r;
}

static bool run(const struct regex *r, struct str text, size_t from, uint32_t options)
{
    return pcre2_match(r->code, (PCRE2_SPTR)(text.n == 0 ? "" : text.p), text.n, from, options,
                       r->data, r->context) >= 0;
}

bool regex_search(const struct regex *r, struct str text)
{
    return run(r, text, 0, 0);
}

bool regex_match(const struct regex *r, struct str text)
{
    return run(r, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED);
}

bool regex_next(const struct regex *r, struct str text, size_t from, size_t *ret_start,
                size_t *ret_end)
{
    if (from > text.n || !run(r, text, from, 0))
        return false;
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(r->data);
    *ret_start = v[0];
    *ret_end = v[1];
    return v[1] >= v[0];
}

/* One replacement; the ovector is that of the match. */
static bool expand(const struct regex *r, struct str text, struct str replacement, struct buf *out)
{
    const PCRE2_SIZE *v = pcre2_get_ovector_pointer(r->data);
    uint32_t groups = pcre2_get_ovector_count(r->data);
    for (size_t i = 0; i < replacement.n; i++) {
        char c = replacement.p[i];
        bool last = i + 1 == replacement.n;
        if (c == '\\') {
            if (last)
                return false;
            buf_addc(out, replacement.p[++i]);
        } else if (c == '$') {
            if (last || replacement.p[i + 1] < '0' || replacement.p[i + 1] > '9')
                return false;
            uint32_t group = (uint32_t)(replacement.p[++i] - '0');
            if (group >= groups)
                return false;
            if (v[2 * group] != PCRE2_UNSET)
                buf_add(out, str_sub(text, v[2 * group], v[2 * group + 1]));
        } else {
            buf_addc(out, c);
        }
    }
    return true;
}

/* The byte behind the character at i. */
static size_t step(struct str text, size_t i)
{
    for (i++; i < text.n && ((unsigned char)text.p[i] & 0xC0) == 0x80;)
        i++;
    return i;
}

bool regex_replace(const struct regex *r, struct str text, struct str replacement, bool all,
                   struct buf *out)
{
    size_t at = 0, start, end, from = 0;
    while (regex_next(r, text, from, &start, &end)) {
        buf_add(out, str_sub(text, at, start));
        if (!expand(r, text, replacement, out))
            return false;
        at = end;
        from = end > start ? end : step(text, end);
        if (!all || out->overflow)
            break;
    }
    buf_add(out, str_sub(text, at, text.n));
    return true;
}
