/* json_scan.h - the inner loop that reader and writer share (private to json_*.c). */
#ifndef PUDDLE_JSON_SCAN_H
#define PUDDLE_JSON_SCAN_H
#include "json.h"
#include <string.h>

/* Number of leading bytes that stand for themselves inside a JSON string: no control character, no
 * quote, no backslash and, unless wide_ok, nothing above 0x7F. Eight at a time: each line below
 * marks the matching bytes of x by their top bit (of several, surely the lowest). */
static inline size_t json_plain(const char *p, size_t n, bool wide_ok)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    size_t i = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; n - i >= 8; i += 8) {
        uint64_t x;
        memcpy(&x, p + i, sizeof x);
        uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
        uint64_t hit = (x - ones * 0x20) & ~x;
        hit |= (quote - ones) & ~quote;
        hit |= (slash - ones) & ~slash;
        hit |= wide_ok ? 0 : x;
        hit &= tops;
        if (hit != 0)
            return i + (size_t)__builtin_ctzll(hit) / 8;
    }
#endif
    for (; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c < 0x20 || c == '"' || c == '\\' || (c >= 0x80 && !wide_ok))
            break;
    }
    return i;
}
#endif
