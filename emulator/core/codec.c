#include "codec.h"
#include "panic.h"
#include <string.h>
#include <zlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct str codec_base64_encode(struct arena *a, struct str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.p;
    size_t n = (bytes.n + 2) / 3 * 4;
    char *out = arena_alloc_raw(a, n + 1), *o = out;
    for (size_t i = 0; i < bytes.n; i += 3) {
        unsigned left = (unsigned)(bytes.n - i < 3 ? bytes.n - i : 3);
        unsigned v = (unsigned)in[i] << 16;
        v |= left > 1 ? (unsigned)in[i + 1] << 8 : 0;
        v |= left > 2 ? in[i + 2] : 0;
        *o++ = alphabet[v >> 18];
        *o++ = alphabet[v >> 12 & 63];
        *o++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
        *o++ = left > 2 ? alphabet[v & 63] : '=';
    }
    *o = '\0';
    return (struct str){out, n};
}

static int sextet(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool codec_base64_decode(struct arena *a, struct str text, struct str *ret_bytes)
{
    if (text.n % 4 != 0)
        return false;
    size_t pad = 0;
    if (text.n > 0 && text.p[text.n - 1] == '=')
        pad = text.p[text.n - 2] == '=' ? 2 : 1;
    char *out = arena_alloc_raw(a, text.n / 4 * 3 + 1);
    size_t o = 0;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t digits = i + 4 == text.n ? 4 - pad : 4;
        unsigned v = 0;
        for (size_t k = 0; k < 4; k++) {
            int s = k < digits ? sextet((unsigned char)text.p[i + k]) : 0;
            if (s < 0)
                return false;
            v = v << 6 | (unsigned)s;
        }
        /* bits that no byte uses must be zero: one text per value */
        if ((digits == 2 && (v & 0xFFFF) != 0) || (digits == 3 && (v & 0xFF) != 0))
            return false;
        out[o++] = (char)(v >> 16);
        if (digits > 2)
            out[o++] = (char)(v >> 8);
        if (digits > 3)
            out[o++] = (char)v;
    }
    out[o] = '\0';
    *ret_bytes = (struct str){out, o};
    return true;
}

struct str codec_hex(struct arena *a, struct str bytes)
{
    char *out = arena_alloc_raw(a, bytes.n * 2 + 1);
    for (size_t i = 0; i < bytes.n; i++) {
        out[i * 2] = "0123456789abcdef"[(unsigned char)bytes.p[i] >> 4];
        out[i * 2 + 1] = "0123456789abcdef"[(unsigned char)bytes.p[i] & 15];
    }
    out[bytes.n * 2] = '\0';
    return (struct str){out, bytes.n * 2};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str codec_percent_decode(struct arena *a, struct str text, bool plus_is_space)
{
    if (str_find(text, '%') < 0 && !(plus_is_space && str_find(text, '+') >= 0))
        return text;
    char *out = arena_alloc_raw(a, text.n + 1);
    size_t o = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
            hex_digit(text.p[i + 2]) >= 0) {
            c = (char)(hex_digit(text.p[i + 1]) << 4 | hex_digit(text.p[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[o++] = c;
    }
    out[o] = '\0';
    return (struct str){out, o};
}

struct str codec_percent_encode(struct arena *a, struct str text, bool keep_slash)
{
    char *out = arena_alloc_raw(a, text.n * 3 + 1);
    size_t o = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     (c != 0 && strchr("-_.~", c) != NULL) || (c == '/' && keep_slash);
        if (plain) {
            out[o++] = (char)c;
            continue;
        }
        out[o++] = '%';
        out[o++] = "0123456789ABCDEF"[c >> 4];
        out[o++] = "0123456789ABCDEF"[c & 15];
    }
    out[o] = '\0';
    return (struct str){out, o};
}

enum { GZIP_WINDOW = 15 + 16 }; /* zlib: 32 KiB, and gzip's header instead of zlib's */

struct str codec_gzip(struct arena *a, struct str bytes)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.p, .avail_in = (uInt)bytes.n};
    ASSERT(bytes.n <= INT32_MAX);
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        PANIC("out of memory");
    size_t cap = deflateBound(&z, (uLong)bytes.n);
    char *out = arena_alloc_raw(a, cap);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    int end = deflate(&z, Z_FINISH);
    ASSERT(end == Z_STREAM_END);
    deflateEnd(&z);
    return (struct str){out, cap - z.avail_out};
}

enum codec_gunzip codec_gunzip(struct arena *a, struct str gzip, size_t max, struct str *ret_bytes)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)gzip.p, .avail_in = (uInt)gzip.n};
    struct buf *out = arena_new_buf(a, max);
    int step = Z_OK;
    if (gzip.n > INT32_MAX)
        return GUNZIP_TOO_LARGE;
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        PANIC("out of memory");
    while (step == Z_OK) {
        size_t room = max - out->n < 64 * 1024 ? max - out->n : 64 * 1024;
        char past_end; /* with a full buffer only the end of the stream may follow */
        if (room > 0 && !buf_reserve(out, room))
            break;
        z.next_out = room > 0 ? (Bytef *)out->p + out->n : (Bytef *)&past_end;
        z.avail_out = room > 0 ? (uInt)room : 1;
        uInt before = z.avail_out;
        step = inflate(&z, Z_NO_FLUSH);
        if (room == 0 && z.avail_out == 0) {
            inflateEnd(&z);
            return GUNZIP_TOO_LARGE;
        }
        if (room > 0)
            out->n += before - z.avail_out;
    }
    bool whole = step == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    *ret_bytes = buf_view(out);
    return whole ? GUNZIP_OK : GUNZIP_BROKEN;
}
