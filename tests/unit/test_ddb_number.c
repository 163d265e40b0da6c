/* links: puddle_dynamo */
#include "harness.h"
#include "ids.h"
#include "num.h"
#include <stdlib.h>

static enum num_error parse(const char *text, struct num *n)
{
    return num_parse(str_c(text), n);
}

static struct str stored(const char *text)
{
    static char out[NUM_TEXT_MAX];
    struct num n;
    if (parse(text, &n) != NUM_OK)
        return STR("(error)");
    return (struct str){out, num_text(&n, out)};
}

static const char *message(const char *text)
{
    static char out[512];
    struct num n;
    struct arena *a = arena_new(0, 1 << 20);
    enum num_error e = parse(text, &n);
    struct str s = e == NUM_OK ? STR("ok") : num_error_text(e, str_c(text), a);
    snprintf(out, sizeof out, "%.*s", STR_ARG(s));
    arena_free(a);
    return out;
}

#define OVERFLOW                                                                                   \
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
#define UNDERFLOW                                                                                  \
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
#define DIGITS  "Attempting to store more than 38 significant digits in a Number"
#define NUMERIC "The parameter cannot be converted to a numeric value: "

TEST(stored_form_is_expanded_and_trimmed)
{
    CHECK_STR(stored("0042.1200"), "42.12");
    CHECK_STR(stored("1e3"), "1000");
    CHECK_STR(stored("+5"), "5");
    CHECK_STR(stored(".5"), "0.5");
    CHECK_STR(stored("5."), "5");
    CHECK_STR(stored("1.e5"), "100000");
    CHECK_STR(stored("-0"), "0");
    CHECK_STR(stored("-0.00"), "0");
    CHECK_STR(stored("-1.50E-3"), "-0.0015");
    CHECK_STR(stored("123e-2"), "1.23");
    CHECK_STR(stored("100"), "100");
    CHECK_STR(stored("10.0e-1"), "1");
    CHECK_I64(stored("1E125").n, 126);
    CHECK_I64(stored("-1E-130").n, 133);
    CHECK_STR(stored("99999999999999999999999999999999999999"),
              "99999999999999999999999999999999999999");
}

TEST(what_is_not_a_number_is_refused)
{
    static const char *const bad[] = {"",     "abc", "NaN",   "Infinity", "0x10", " 1",  "1 ",
                                      "1e",   "+e2", "1.2.3", ".",        "-",    "e5",  "--1",
                                      "1e5.", "1e+", "1,5",   "1_0",      "+-1",  "1ee2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[128];
        snprintf(want, sizeof want, NUMERIC "%s", bad[i]);
        CHECK_STR(str_c(message(bad[i])), want);
    }
    CHECK_STR(str_c(message("1e9223372036854775807")), OVERFLOW);
    CHECK_STR(str_c(message("1e-9223372036854775808")), UNDERFLOW);
    CHECK_STR(str_c(message("1e9223372036854775808")), NUMERIC "1e9223372036854775808");
    CHECK_STR(str_c(message("1e-99999999999999999999")), NUMERIC "1e-99999999999999999999");
}

TEST(range_ends_at_the_documented_magnitudes)
{
    CHECK_STR(str_c(message("9.9999999999999999999999999999999999999e125")), "ok");
    CHECK_STR(str_c(message("1e126")), OVERFLOW);
    CHECK_STR(str_c(message("-10e125")), OVERFLOW);
    CHECK_STR(str_c(message("1e-130")), "ok");
    CHECK_STR(str_c(message("-9.99e-131")), UNDERFLOW);
    CHECK_STR(str_c(message("0.1e-130")), UNDERFLOW);
}

TEST(zero_is_judged_by_its_written_exponent)
{
    CHECK_STR(stored("0e125"), "0");
    CHECK_STR(str_c(message("0e126")), OVERFLOW);
    CHECK_STR(str_c(message("0e-131")), UNDERFLOW);
    CHECK_STR(stored("0e-130"), "0");
    CHECK_STR(stored("0.0e126"), "0");
}

TEST(thirty_eight_digits_fit_and_thirty_nine_do_not)
{
    CHECK_STR(str_c(message("12345678901234567890123456789012345678")), "ok");
    CHECK_STR(str_c(message("123456789012345678901234567890123456789")), DIGITS);
    CHECK_STR(str_c(message("123456789012345678901234567890123456780")), "ok");
    CHECK_STR(str_c(message("0.00012345678901234567890123456789012345678")), "ok");
    CHECK_STR(str_c(message("1.00000000000000000000000000000000000001")), DIGITS);
}

TEST(size_follows_the_measured_rule)
{
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {{"0", 1},       {"123", 3},     {"1.5", 3},
                {"3.14159", 5}, {"1", 2},       {"-1", 3},
                {"1000", 2},    {"0.001", 2},   {"12", 2},
                {"100.5", 4},   {"-0.0012", 3}, {"12345678901234567890123456789012345678", 20}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct num n;
        CHECK(parse(rows[i].text, &n) == NUM_OK);
        CHECK_I64(num_size(&n), rows[i].size);
    }
}

/* ---- random values against a reference that only knows strings ---------------------------- */

enum { WHOLE = 130, FRACTION = 172, WIDTH = WHOLE + FRACTION };
struct sample {
    bool negative;
    char expanded[WIDTH + 1]; /* fixed-point digits: strcmp is the order of magnitudes */
    char text[96];
};

static int below(int n)
{
    return (int)(ids_random_u64() % (uint64_t)n);
}

/* A random decimal, written in a random way; ranges overlap so that neighbours are common. */
static void make_sample(struct sample *s)
{
    char digits[40];
    int count = below(4) == 0 ? 1 + below(38) : 1 + below(3);
    int exp = below(3) == 0 ? below(256) - 130 : below(7) - 3; /* of the first digit */
    s->negative = below(2);
    for (int i = 0; i < count; i++)
        digits[i] = (char)('0' + below(below(2) ? 10 : 2));
    digits[0] = (char)('1' + below(9));
    digits[count] = '\0';
    memset(s->expanded, '0', WIDTH);
    s->expanded[WIDTH] = '\0';
    memcpy(s->expanded + WHOLE - 1 - exp, digits, (size_t)count);
    if (below(2)) {
        snprintf(s->text, sizeof s->text, "%s%sE%d", s->negative ? "-" : "", digits,
                 exp - count + 1);
    } else {
        snprintf(s->text, sizeof s->text, "%s0.0%se%d", s->negative ? "-" : "+", digits, exp + 2);
    }
}

static int reference_compare(const struct sample *a, const struct sample *b)
{
    if (a->negative != b->negative)
        return a->negative ? -1 : 1;
    int c = strcmp(a->expanded, b->expanded);
    c = (c > 0) - (c < 0);
    return a->negative ? -c : c;
}

static struct str key_of(const struct num *n, uint8_t out[NUM_KEY_MAX])
{
    return (struct str){(const char *)out, num_key(n, out)};
}

TEST(order_of_values_and_keys_matches_the_reference)
{
    struct sample last, s;
    struct num last_n, n, back;
    uint8_t key[NUM_KEY_MAX], last_key[NUM_KEY_MAX];
    make_sample(&last);
    CHECK(parse(last.text, &last_n) == NUM_OK);
    for (int i = 0; i < 200000; i++) {
        make_sample(&s);
        CHECK(parse(s.text, &n) == NUM_OK);
        int want = reference_compare(&s, &last);
        CHECK_I64(num_compare(&n, &last_n), want);
        int got = str_cmp(key_of(&n, key), key_of(&last_n, last_key));
        CHECK_I64((got > 0) - (got < 0), want);
        CHECK(num_from_key(key, key_of(&n, key).n, &back));
        CHECK(num_compare(&n, &back) == 0 && n.count == back.count && n.exp == back.exp);
        last = s;
        last_n = n;
    }
}

TEST(stored_text_reads_back_as_the_same_number)
{
    for (int i = 0; i < 100000; i++) {
        struct sample s;
        struct num n, back;
        char text[NUM_TEXT_MAX];
        make_sample(&s);
        CHECK(parse(s.text, &n) == NUM_OK);
        struct str t = {text, num_text(&n, text)};
        CHECK(num_parse(t, &back) == NUM_OK);
        CHECK(memcmp(&n, &back, sizeof n) == 0);
    }
}

TEST(zero_sorts_between_the_smallest_numbers)
{
    static const char *const sorted[] = {"-9.9e125", "-1",       "-1e-130", "0",
                                         "1e-130",   "1.1e-130", "1",       "9.9e125"};
    uint8_t before[NUM_KEY_MAX], now[NUM_KEY_MAX];
    struct num a, b;
    for (size_t i = 1; i < sizeof sorted / sizeof *sorted; i++) {
        CHECK(parse(sorted[i - 1], &a) == NUM_OK && parse(sorted[i], &b) == NUM_OK);
        CHECK(str_cmp(key_of(&a, before), key_of(&b, now)) < 0);
    }
}

TEST(bytes_that_are_no_key_are_refused)
{
    struct num n;
    CHECK(!num_from_key((const uint8_t *)"", 0, &n));
    CHECK(!num_from_key((const uint8_t *)"\x81", 1, &n));
    CHECK(!num_from_key((const uint8_t *)"\xc1\x01", 2, &n));     /* a first pair of zero */
    CHECK(!num_from_key((const uint8_t *)"\xc1\x02\x01", 3, &n)); /* zeros at the end */
    CHECK(!num_from_key((const uint8_t *)"\xc1\xff", 2, &n));     /* no pair of digits */
    CHECK(num_from_key((const uint8_t *)"\xc1\x02", 2, &n) && n.count == 1 && n.digit[0] == 1);
}

/* ---- sums against 128-bit integers -------------------------------------------------------- */

static void print_scaled(__int128 v, int exp, char out[80])
{
    char digits[48];
    int n = 0, at = 0;
    bool negative = v < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)v : (unsigned __int128)v;
    do {
        digits[n++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (negative)
        out[at++] = '-';
    while (n > 0)
        out[at++] = digits[--n];
    snprintf(out + at, 80 - (size_t)at, "e%d", exp);
}

TEST(sums_and_differences_are_those_of_integers)
{
    for (int i = 0; i < 200000; i++) {
        static const int64_t bounds[] = {10, 1000, 1000000, 1000000000000, 100000000000000000};
        int64_t bound = bounds[below(5)];
        __int128 x = (int64_t)(ids_random_u64() % (uint64_t)bound) - bound / 2;
        __int128 y = (int64_t)(ids_random_u64() % (uint64_t)bound) - bound / 3;
        int low = below(180) - 100, apart = below(18);
        __int128 scaled = x;
        for (int k = 0; k < apart; k++)
            scaled *= 10;
        char text[80];
        struct num a, b, sum, difference, want;
        print_scaled(x, low + apart, text);
        CHECK(parse(text, &a) == NUM_OK);
        print_scaled(y, low, text);
        CHECK(parse(text, &b) == NUM_OK);
        CHECK(num_add(&a, &b, &sum) == NUM_OK && num_sub(&a, &b, &difference) == NUM_OK);
        print_scaled(scaled + y, low, text);
        CHECK(parse(text, &want) == NUM_OK);
        CHECK(num_compare(&sum, &want) == 0);
        print_scaled(scaled - y, low, text);
        CHECK(parse(text, &want) == NUM_OK);
        CHECK(num_compare(&difference, &want) == 0);
    }
}

TEST(sums_outside_what_a_number_can_be_are_errors)
{
    struct num a, b, sum;
    CHECK(parse("9.9e125", &a) == NUM_OK && num_add(&a, &a, &sum) == NUM_OVERFLOW);
    CHECK(parse("1e50", &a) == NUM_OK && parse("1", &b) == NUM_OK);
    CHECK(num_add(&a, &b, &sum) == NUM_TOO_MANY_DIGITS);
    CHECK(parse("1e125", &a) == NUM_OK && parse("1e-130", &b) == NUM_OK);
    CHECK(num_add(&a, &b, &sum) == NUM_TOO_MANY_DIGITS);
    CHECK(parse("1.1e-130", &a) == NUM_OK && parse("1e-130", &b) == NUM_OK);
    CHECK(num_sub(&a, &b, &sum) == NUM_UNDERFLOW);
    CHECK(num_sub(&b, &b, &sum) == NUM_OK && sum.count == 0);
    CHECK(parse("0", &a) == NUM_OK && num_sub(&a, &b, &sum) == NUM_OK && sum.negative);
}
