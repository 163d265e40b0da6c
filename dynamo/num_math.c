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

static void spread(const struct num *n, uint8_t column[PLACES])
{
    memset(column, 0, PLACES);
    if (n->count > 0)
        memcpy(column + (PLACE_TOP - n->exp), n->digit, n->count);
}

static void add_columns(uint8_t *x, const uint8_t *y)
{
    int carry = 0;
    for (int i = PLACES - 1; i >= 0; i--) {
        int sum = x[i] + y[i] + carry;
        carry = sum >= 10;
        x[i] = (uint8_t)(sum - 10 * carry);
    }
    ASSERT(carry == 0);
}

/* x >= y */
static void subtract_columns(uint8_t *x, const uint8_t *y)
{
    int borrow = 0;
    for (int i = PLACES - 1; i >= 0; i--) {
        int difference = x[i] - y[i] - borrow;
        borrow = difference < 0;
        x[i] = (uint8_t)(difference + 10 * borrow);
    }
    ASSERT(borrow == 0);
}

static enum num_error collect(const uint8_t column[PLACES], bool negative, struct num *ret)
{
    int first = 0, last = PLACES - 1;
    *ret = (struct num){0};
    while (first < PLACES && column[first] == 0)
        first++;
    if (first == PLACES)
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
    uint8_t x[PLACES], y[PLACES];
    spread(a, x);
    spread(b, y);
    if (a->negative == b->negative) {
        add_columns(x, y);
        return collect(x, a->negative, ret);
    }
    if (memcmp(x, y, PLACES) >= 0) {
        subtract_columns(x, y);
        return collect(x, a->negative, ret);
    }
    subtract_columns(y, x);
    return collect(y, b->negative, ret);
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
