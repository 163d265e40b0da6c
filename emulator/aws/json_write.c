#include "json_scan.h"
#include "panic.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_out_init(struct json_out *w, struct buf *b)
{
    *w = (struct json_out){.b = b};
}

static void open_value(struct json_out *w, const char *key)
{
    uint64_t bit = (uint64_t)1 << w->depth;
    if (w->comma_bits & bit)
        buf_addc(w->b, ',');
    w->comma_bits |= bit;
    if (key != NULL) {
        buf_addc(w->b, '"');
        buf_add(w->b, str_c(key));
        buf_add(w->b, STR("\":"));
    }
}

static void open_container(struct json_out *w, const char *key, bool object)
{
    open_value(w, key);
    buf_addc(w->b, object ? '{' : '[');
    ASSERT(w->depth < 62);
    w->depth++;
    uint64_t bit = (uint64_t)1 << w->depth;
    w->comma_bits &= ~bit;
    w->object_bits = object ? w->object_bits | bit : w->object_bits & ~bit;
}

void json_obj(struct json_out *w, const char *key)
{
    open_container(w, key, true);
}

void json_arr(struct json_out *w, const char *key)
{
    open_container(w, key, false);
}

void json_end(struct json_out *w)
{
    ASSERT(w->depth > 0);
    buf_addc(w->b, w->object_bits >> w->depth & 1 ? '}' : ']');
    w->depth--;
}

void json_escape(struct buf *b, struct str s)
{
    size_t from = 0;
    for (;;) {
        size_t i = from + json_plain(s.p + from, s.n - from, true);
        buf_add(b, str_sub(s, from, i));
        if (i == s.n)
            return;
        from = i + 1;
        unsigned char c = (unsigned char)s.p[i];
        switch (c) {
        case '"':
            buf_add(b, STR("\\\""));
            break;
        case '\\':
            buf_add(b, STR("\\\\"));
            break;
        case '\n':
            buf_add(b, STR("\\n"));
            break;
        case '\r':
            buf_add(b, STR("\\r"));
            break;
        case '\t':
            buf_add(b, STR("\\t"));
            break;
        case '\b':
            buf_add(b, STR("\\b"));
            break;
        case '\f':
            buf_add(b, STR("\\f"));
            break;
        default:
            buf_addf(b, "\\u%04x", c);
        }
    }
}

void json_quote(struct buf *b, struct str s)
{
    if (s.n > 0 && json_plain(s.p, s.n, true) == s.n) {
        if (!buf_reserve(b, s.n + 2))
            return;
        char *p = b->p + b->n;
        *p = '"';
        memcpy(p + 1, s.p, s.n);
        p[s.n + 1] = '"';
        b->n += s.n + 2;
        return;
    }
    buf_addc(b, '"');
    json_escape(b, s);
    buf_addc(b, '"');
}

void json_str(struct json_out *w, const char *key, struct str v)
{
    open_value(w, key);
    json_quote(w->b, v);
}

void json_cstr(struct json_out *w, const char *key, const char *v)
{
    json_str(w, key, str_c(v));
}

void json_i64(struct json_out *w, const char *key, int64_t v)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left != 0);
    if (v < 0)
        text[--at] = '-';
    open_value(w, key);
    buf_add(w->b, (struct str){text + at, sizeof text - at});
}

void json_double(struct json_out *w, const char *key, double v)
{
    char text[40];
    ASSERT(isfinite(v));
    if (fabs(v) < 1e15 && v == (double)(int64_t)v) {
        json_i64(w, key, (int64_t)v);
        return;
    }
    open_value(w, key);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add(w->b, str_c(text));
}

void json_bool(struct json_out *w, const char *key, bool v)
{
    open_value(w, key);
    buf_add(w->b, v ? STR("true") : STR("false"));
}

void json_null(struct json_out *w, const char *key)
{
    open_value(w, key);
    buf_add(w->b, STR("null"));
}

void json_raw(struct json_out *w, const char *key, struct str json_text)
{
    open_value(w, key);
    buf_add(w->b, json_text);
}

void json_key(struct json_out *w, struct str key)
{
    json_str(w, NULL, key);
    buf_addc(w->b, ':');
    w->comma_bits &= ~((uint64_t)1 << w->depth); /* the value follows without a comma */
}

/* A string or key token's content. Without escapes it is canonical as it stands. */
static void copy_text(struct buf *b, struct str raw, struct jval v, bool is_key)
{
    buf_addc(b, '"');
    if (str_find(raw, '\\') < 0) {
        buf_add(b, raw);
    } else {
        struct arena *a = arena_new(0, SIZE_MAX);
        json_escape(b, is_key ? jval_key_str(v, a) : jval_text(v, a));
        arena_free(a);
    }
    buf_addc(b, '"');
}

/* Not through the writer, whose depth is for our own documents: recursion is bounded by the depth
 * the parser was given. */
static void copy_value(struct buf *b, struct jval v)
{
    enum json_kind kind = jval_kind(v);
    struct str raw = kind == JSON_MISSING ? STR("null") : jval_raw(v);
    struct jval it = {0};
    bool first = true;
    if (kind == JSON_STRING) {
        copy_text(b, str_sub(raw, 1, raw.n - 1), v, false);
        return;
    }
    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        buf_add(b, raw);
        return;
    }
    buf_addc(b, kind == JSON_OBJECT ? '{' : '[');
    while (jval_next(v, &it, &raw)) {
        if (!first)
            buf_addc(b, ',');
        first = false;
        if (kind == JSON_OBJECT) {
            copy_text(b, raw, it, true);
            buf_addc(b, ':');
        }
        copy_value(b, it);
    }
    buf_addc(b, kind == JSON_OBJECT ? '}' : ']');
}

void json_copy(struct json_out *w, const char *key, struct jval v)
{
    open_value(w, key);
    copy_value(w->b, v);
}
