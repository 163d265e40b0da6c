#include "num.h"
#include "panic.h"
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Optional sign and digits to the end of s; false if malformed or beyond int64. */
static bool parse_exponent(struct str s, int64_t *ret)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int64_t v = 0;
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
    if (i == s.n)
        return false;
    for (; i < s.n; i++) {
        int d = s.p[i] - '0';
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -d : d, &v))
            return false;
    }
    *ret = v;
    return true;
}

struct scan {             /* the digits of the mantissa, zeros before the first one dropped */
    int64_t before_point; /* number of digits before the point, counted from the first kept one;
                             negative: zeros between the point and it */
    int64_t fraction;     /* digits written after the point */
    int64_t kept;         /* index behind the last digit that is not zero */
    size_t end;           /* where the mantissa ends in the text */
    bool any;
};

static bool scan_mantissa(struct str s, size_t from, struct scan *m, struct num *ret)
{
    bool point = false, leading = true;
    int64_t index = 0;
    size_t i = from;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        if (!is_digit(c))
            break;
        m->any = true;
        m->fraction += point;
        if (leading && c == '0') {
            m->before_point -= point;
            continue;
        }
        leading = false;
        m->before_point += !point;
        if (c != '0') {
            m->kept = index + 1;
            if (index < NUM_DIGITS_MAX)
                ret->digit[index] = (uint8_t)(c - '0');
        }
        index++;
    }
    m->end = i;
    return m->any;
}

static int64_t add_clamped(int64_t a, int64_t b)
{
    int64_t v;
    if (__builtin_add_overflow(a, b, &v))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return v;
}

enum num_error num_parse(struct str s, struct num *ret)
{
    struct scan m = {0};
    int64_t exp = 0;
    *ret = (struct num){0};
    size_t from = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
    if (!scan_mantissa(s, from, &m, ret))
        return NUM_NOT_NUMERIC;
    if (m.end < s.n &&
        ((s.p[m.end] | 32) != 'e' || !parse_exponent(str_sub(s, m.end + 1, s.n), &exp)))
        return NUM_NOT_NUMERIC;
    /* A zero is judged by the exponent it is written with: 0e126 overflows, 0.0e126 does not. */
    int64_t first = add_clamped(exp, m.kept == 0 ? -m.fraction : m.before_point - 1);
    if (first > NUM_EXP_MAX)
        return NUM_OVERFLOW;
    if (first < NUM_EXP_MIN)
        return NUM_UNDERFLOW;
    if (m.kept > NUM_DIGITS_MAX)
        return NUM_TOO_MANY_DIGITS;
    if (m.kept == 0)
        return NUM_OK;
    ret->negative = s.p[0] == '-';
    ret->count = (uint8_t)m.kept;
    ret->exp = (int16_t)first;
    return NUM_OK;
}

struct str num_error_text(enum num_error e, struct str text, struct arena *a)
{
    switch (e) {
    case NUM_OVERFLOW:
        return STR("Number overflow. Attempting to store a number with magnitude larger than "
                   "supported range");
    case NUM_UNDERFLOW:
        return STR("Number underflow. Attempting to store a number with magnitude smaller than "
                   "supported range");
    case NUM_TOO_MANY_DIGITS:
        return STR("Attempting to store more than 38 significant digits in a Number");
    case NUM_NOT_NUMERIC:
        return arena_fmt(a, "The parameter cannot be converted to a numeric value: %.*s",
                         STR_ARG(text));
    case NUM_OK:
        break;
    }
    PANIC("no error");
}

size_t num_text(const struct num *n, char out[NUM_TEXT_MAX])
{
    char *o = out;
    if (n->count == 0) {
        *o = '0';
        return 1;
    }
    if (n->negative)
        *o++ = '-';
    if (n->exp < 0) {
        *o++ = '0';
        *o++ = '.';
        memset(o, '0', (size_t)(-n->exp - 1));
        o += -n->exp - 1;
    }
    for (int i = 0; i < n->count || i <= n->exp; i++) {
        if (n->exp >= 0 && i == n->exp + 1)
            *o++ = '.';
        *o++ = i < n->count ? (char)('0' + n->digit[i]) : '0';
    }
    ASSERT(o - out <= NUM_TEXT_MAX);
    return (size_t)(o - out);
}

static int sign(const struct num *n)
{
    return n->count == 0 ? 0 : n->negative ? -1 : 1;
}

int num_compare(const struct num *a, const struct num *b)
{
    int sa = sign(a), sb = sign(b);
    if (sa != sb || sa == 0)
        return (sa > sb) - (sa < sb);
    if (a->exp != b->exp)
        return a->exp > b->exp ? sa : -sa;
    size_t common = a->count < b->count ? a->count : b->count;
    int c = memcmp(a->digit, b->digit, common);
    if (c == 0)
        c = (a->count > b->count) - (a->count < b->count);
    return c > 0 ? sa : c < 0 ? -sa : 0;
}

size_t num_size(const struct num *n)
{
    if (n->count == 0)
        return 1;
    int whole = n->exp < 0 ? 0 : n->exp + 1 < n->count ? n->exp + 1 : n->count;
    int fraction = n->count - whole;
    return 1 + (size_t)(whole + 1) / 2 + (size_t)(fraction + 1) / 2 + n->negative;
}

/* Positive: 0xC0 + e, then each pair of digits + 1, where the value is 0.d1d2 d3d4... x 100^e.
 * Negative: both complemented, and 102 at the end, which is above every digit, so that of two
 * numbers with a common start the longer one is smaller. Zero is 0x80 alone. */
size_t num_key(const struct num *n, uint8_t out[NUM_KEY_MAX])
{
    if (n->count == 0) {
        out[0] = 0x80;
        return 1;
    }
    int e10 = n->exp + 1, odd = e10 & 1;
    uint8_t exponent = (uint8_t)((e10 + odd) / 2 - 64);
    size_t o = 0;
    out[o++] = n->negative ? (uint8_t)~exponent : exponent;
    for (int i = -odd; i < n->count; i += 2) {
        int high = i < 0 ? 0 : n->digit[i];
        int low = i + 1 < n->count ? n->digit[i + 1] : 0;
        int pair = high * 10 + low;
        out[o++] = (uint8_t)(n->negative ? 101 - pair : pair + 1);
    }
    if (n->negative && o <= 20)
        out[o++] = 102;
    ASSERT(o <= NUM_KEY_MAX);
    return o;
}

bool num_from_key(const uint8_t *key, size_t size, struct num *ret)
{
    uint8_t again[NUM_KEY_MAX];
    *ret = (struct num){0};
    if (size == 0 || size > NUM_KEY_MAX)
        return false;
    if (size == 1)
        return key[0] == 0x80;
    ret->negative = key[0] < 0x80;
    int e10 = ((int8_t)(ret->negative ? (uint8_t)~key[0] : key[0]) + 64) * 2;
    size_t end = ret->negative && size <= NUM_KEY_MAX && key[size - 1] == 102 ? size - 1 : size;
    int count = 0;
    for (size_t i = 1; i < end; i++) {
        int pair = ret->negative ? 101 - key[i] : key[i] - 1;
        if (pair < 0 || pair > 99)
            return false;
        for (int half = 0; half < 2; half++) {
            int d = half == 0 ? pair / 10 : pair % 10;
            if (i == 1 && half == 0 && d == 0) {
                e10--;
                continue;
            }
            if (count < NUM_DIGITS_MAX)
                ret->digit[count] = (uint8_t)d;
            else if (d != 0)
                return false;
            count++;
        }
    }
    count = count > NUM_DIGITS_MAX ? NUM_DIGITS_MAX : count;
    while (count > 0 && ret->digit[count - 1] == 0)
        count--;
    if (count == 0 || ret->digit[0] == 0 || e10 - 1 > NUM_EXP_MAX || e10 - 1 < NUM_EXP_MIN)
        return false;
    ret->count = (uint8_t)count;
    ret->exp = (int16_t)(e10 - 1);
    return num_key(ret, again) == size && memcmp(again, key, size) == 0;
}
