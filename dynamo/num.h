/* num.h - DynamoDB's numbers: exact decimals of up to 38 significant digits, magnitude 1E-130 to
 * 9.99...E+125. Pure. Facts 43-49 and 54 of facts/dynamodb.md. */
#ifndef PUDDLE_NUM_H
#define PUDDLE_NUM_H
#include "arena.h"

enum {
    NUM_DIGITS_MAX = 38,
    NUM_EXP_MAX = 125,
    NUM_EXP_MIN = -130,
    NUM_TEXT_MAX = 176, /* '-' "0." 129 zeros, 38 digits */
    NUM_KEY_MAX = 21,
};
/* digit[0].digit[1]... x 10^exp, no zeros at either end; count 0 is zero (never negative). */
struct num {
    bool negative;
    uint8_t count;
    int16_t exp;
    uint8_t digit[NUM_DIGITS_MAX]; /* values 0-9 */
};
enum num_error { NUM_OK, NUM_NOT_NUMERIC, NUM_OVERFLOW, NUM_UNDERFLOW, NUM_TOO_MANY_DIGITS };

enum num_error num_parse(struct str text, struct num *ret);
void num_from_u64(uint64_t v, struct num *ret);
/* AWS's message for what num_parse answered about text. */
struct str num_error_text(enum num_error e, struct str text, struct arena *a);
/* The stored form: expanded, trimmed ("0042.1200" -> "42.12", "1E3" -> "1000"). Returns the
 * length; no NUL. */
size_t num_text(const struct num *n, char out[NUM_TEXT_MAX]);
int num_compare(const struct num *a, const struct num *b);
/* Exact: a result that needs more than 38 digits or leaves the range is an error, never rounded
 * (fact 50). ret may be a or b. */
enum num_error num_add(const struct num *a, const struct num *b, struct num *ret);
enum num_error num_sub(const struct num *a, const struct num *b, struct num *ret);
/* What the number counts in an item's size (measured rule, fact 54). */
size_t num_size(const struct num *n);
/* Bytes whose memcmp order (shorter first) is the numbers' order; equal numbers give equal bytes.
 * The form is the one DynamoDB itself hashes: an exponent byte and base-100 digits. */
size_t num_key(const struct num *n, uint8_t out[NUM_KEY_MAX]);
/* Inverse of num_key; false if the bytes are not one of its results. */
bool num_from_key(const uint8_t *key, size_t size, struct num *ret);
#endif
