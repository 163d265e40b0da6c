/* links: puddle_dynamo */
#include "harness.h"
#include "ids.h"
#include "key.h"
#include "num.h"
#include <stdlib.h>

static struct str num_bytes(const char *text, uint8_t out[NUM_KEY_MAX])
{
    struct num n;
    num_parse(str_c(text), &n);
    return (struct str){(const char *)out, num_key(&n, out)};
}

static uint32_t prefix_of(const char *text, bool number)
{
    uint8_t out[NUM_KEY_MAX];
    return key_hash_prefix(number ? num_bytes(text, out) : str_c(text));
}

TEST(strings_lie_in_the_segments_known_from_aws)
{
    CHECK_I64(key_segment(prefix_of("3635", false), 4096), 0);
    CHECK_I64(key_segment(prefix_of("228", false), 4096), 0);
    CHECK_I64(key_segment(prefix_of("1668", false), 4096), 1);
    CHECK_I64(key_segment(prefix_of("3435", false), 4096), 4);
}

TEST(numbers_lie_in_the_segments_known_from_aws)
{
    CHECK_I64(key_segment(prefix_of("251", true), 4096), 1);
    CHECK_I64(key_segment(prefix_of("2388", true), 4096), 4095);
}

/* The rows' bytes, sorted, give the Scan order that was seen on AWS. */
TEST(scan_order_of_strings_is_the_known_one)
{
    static const char *const order[] = {"2", "8", "9",    "1",       "6", "hello", "0",
                                        "5", "4", "äáöü", "aardman", "7", "3",     "zapf"};
    for (size_t i = 1; i < sizeof order / sizeof *order; i++) {
        struct key_hash a, b;
        key_hash_make(str_c(order[i - 1]), &a);
        key_hash_make(str_c(order[i]), &b);
        CHECK(str_cmp((struct str){(char *)a.bytes, a.n}, (struct str){(char *)b.bytes, b.n}) < 0);
    }
}

TEST(scan_order_of_numbers_is_the_known_one)
{
    static const char *const order[] = {"7", "999.9", "8", "3", "2", "-999.9",   "9",
                                        "4", "-0.09", "6", "1", "0", "0.012345", "5"};
    for (size_t i = 1; i < sizeof order / sizeof *order; i++)
        CHECK(prefix_of(order[i - 1], true) < prefix_of(order[i], true));
}

TEST(key_of_the_maximal_length_fits)
{
    struct key_hash k;
    char *big = malloc(KEY_HASH_MAX);
    memset(big, 'k', KEY_HASH_MAX);
    key_hash_make((struct str){big, KEY_HASH_MAX}, &k);
    CHECK_I64(k.n, KEY_PREFIX + KEY_HASH_MAX);
    CHECK(memcmp(k.bytes + KEY_PREFIX, big, KEY_HASH_MAX) == 0);
    free(big);
}

TEST(segments_are_ranges_without_gaps_or_overlaps)
{
    static const uint32_t totals[] = {1, 2, 3, 7, 100, 4096, 1000000};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        uint32_t total = totals[i];
        CHECK_I64(key_segment_start(0, total), 0);
        CHECK_I64(key_segment_start(total, total), 1 << 24);
        for (int k = 0; k < 2000; k++) {
            uint32_t prefix = (uint32_t)(ids_random_u64() >> 40);
            uint32_t segment = key_segment(prefix, total);
            CHECK(segment < total);
            CHECK(key_segment_start(segment, total) <= prefix);
            CHECK(prefix < key_segment_start(segment + 1, total));
        }
    }
}
