/* Exact sums of decimals (fact 50): columns of digits from the highest place two numbers can reach
 * down to the lowest, added or subtracted like on paper. */
#include "num.h"
#include "panic.h"
#include <string.h>

enum {
    PLACE_TOP = NUM_EXP_MAX + 1,                       /* a carry goes one above the range */
    PLACE_BOTTOM = NUM_EXP_MIN - (NUM_DIGITS_MAX - 1), /* last digit of the smallest number */
    PLACES = PLACE_TOP - PLACE_BOTTOM + 1,
};

struct window { /* the columns that a sum can touch: most numbers are short */
    int from, to;
};

static struct window window_of(const struct num *a, const struct num *b)
{
    const struct num *both[] = {a, b};
    struct window w = {PLACES - 1, 0};
    for (int i = 0; i < 2; i++) {
        int first = PLACE_TOP - both[i]->exp, last = first + both[i]->count - 1;
        if (both[i]->count == 0)
            continue;
        w.from = first - 1 < w.from ? first - 1 : w.from; /* a carry goes one above */
        w.to = last > w.to ? last : w.to;
    }
    ASSERT(w.from >= 0 && w.to < PLACES);
    return w;
}

static void spread(const struct num *n, struct window w, uint8_t column[PLACES])
{
    memset(column + w.from, 0, (size_t)(w.to - w.from + 1));
    if (n->count > 0)
        memcpy(column + (PLACE_TOP - n->exp), n->digit, n->count);
}

static void add_columns(uint8_t *x, const uint8_t *y, struct window w)
{
    int carry = 0;
    for (int i = w.to; i >= w.from; i--) {
        int sum = x[i] + y[i] + carry;
        carry = sum >= 10;
        x[i] = (uint8_t)(sum - 10 * carry);
    }
    ASSERT(carry == 0);
}

/* x >= y */
static void subtract_columns(uint8_t *x, const uint8_t *y, struct window w)
{
    int borrow = 0;
    for (int i = w.to; i >= w.from; i--) {
        int difference = x[i] - y[i] - borrow;
        borrow = difference < 0;
        x[i] = (uint8_t)(difference + 10 * borrow);
    }
    ASSERT(borrow == 0);
}

static enum num_error collect(const uint8_t column[PLACES], struct window w, bool negative,
                              struct num *ret)
{
    int first = w.from, last = w.to;
    *ret = (struct num){0};
    while (first <= w.to && column[first] == 0)
        first++;
    if (first > w.to)
        return NUM_OK;
    while (column[last] == 0)
        last--;
    int exp = PLACE_TOP - first, count = last - first + 1;
    if (exp > NUM_EXP_MAX)
        return NUM_OVERFLOW;
    if (exp < NUM_EXP_MIN)
        return NUM_UNDERFLOW;
    if (count > NUM_DIGITS_MAX)
        return NUM_TOO_MANY_DIGITS;
    ret->negative = negative;
    ret->count = (uint8_t)count;
    ret->exp = (int16_t)exp;
    memcpy(ret->digit, column + first, (size_t)count);
    return NUM_OK;
}

enum num_error num_add(const struct num *a, const struct num *b, struct num *ret)
{
    uint8_t x[PLACES] NOT_CLEARED, y[PLACES] NOT_CLEARED;
    if (a->count == 0 || b->count == 0) {
        *ret = a->count == 0 ? *b : *a;
        return NUM_OK;
    }
    struct window w = window_of(a, b);
    spread(a, w, x);
    spread(b, w, y);
    if (a->negative == b->negative) {
        add_columns(x, y, w);
        return collect(x, w, a->negative, ret);
    }
    if (memcmp(x + w.from, y + w.from, (size_t)(w.to - w.from + 1)) >= 0) {
        subtract_columns(x, y, w);
        return collect(x, w, a->negative, ret);
    }
    subtract_columns(y, x, w);
    return collect(y, w, b->negative, ret);
}

enum num_error num_sub(const struct num *a, const struct num *b, struct num *ret)
{
    struct num minus = *b;
    minus.negative = b->count > 0 && !b->negative;
    return num_add(a, &minus, ret);
}

void num_from_u64(uint64_t v, struct num *ret)
{
    uint8_t digit[20];
    int n = 0;
    *ret = (struct num){0};
    for (; v != 0; v /= 10)
        digit[n++] = (uint8_t)(v % 10);
    if (n == 0)
        return;
    ret->exp = (int16_t)(n - 1);
    int zeros = 0;
    while (digit[zeros] == 0)
        zeros++;
    ret->count = (uint8_t)(n - zeros);
    for (int i = 0; i < ret->count; i++)
        ret->digit[i] = digit[n - 1 - i];
}
