#include "json.h"
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
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, str_sub(s, from, i));
        from = i + 1;
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
    buf_add(b, str_sub(s, from, s.n));
}

void json_str(struct json_out *w, const char *key, struct str v)
{
    open_value(w, key);
    buf_addc(w->b, '"');
    json_escape(w->b, v);
    buf_addc(w->b, '"');
}

void json_cstr(struct json_out *w, const char *key, const char *v)
{
    json_str(w, key, str_c(v));
}

void json_i64(struct json_out *w, const char *key, int64_t v)
{
    open_value(w, key);
    buf_addf(w->b, "%lld", (long long)v);
}

void json_double(struct json_out *w, const char *key, double v)
{
    char text[40];
    ASSERT(isfinite(v));
    open_value(w, key);
    if (v == (double)(int64_t)v && fabs(v) < 1e15) {
        buf_addf(w->b, "%lld", (long long)v);
        return;
    }
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

/* Depth is bounded by the parser's cap and the writer's ASSERT. */
void json_copy(struct json_out *w, const char *key, struct jval v)
{
    struct jval it = {0};
    switch (jval_kind(v)) {
    case JSON_OBJECT: {
        struct arena *a = arena_new(0, SIZE_MAX);
        json_obj(w, key);
        while (jval_next(v, &it, NULL)) {
            json_key(w, jval_key_str(it, a));
            json_copy(w, NULL, it);
        }
        json_end(w);
        arena_free(a);
        break;
    }
    case JSON_ARRAY:
        json_arr(w, key);
        while (jval_next(v, &it, NULL))
            json_copy(w, NULL, it);
        json_end(w);
        break;
    case JSON_STRING: {
        struct arena *a = arena_new(0, SIZE_MAX);
        json_str(w, key, jval_text(v, a));
        arena_free(a);
        break;
    }
    case JSON_MISSING:
        json_null(w, key);
        break;
    default:
        json_raw(w, key, jval_raw(v));
    }
}
