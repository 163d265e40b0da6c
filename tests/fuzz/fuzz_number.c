/* Numbers: whatever parses has one stored form, one key, the documented range, and reads back. */
#include "attr.h"
#include "num.h"
#include "panic.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_one(struct str text, struct num *n)
{
    struct num back;
    char stored[NUM_TEXT_MAX], again[NUM_TEXT_MAX];
    uint8_t key[NUM_KEY_MAX], key2[NUM_KEY_MAX];
    if (num_parse(text, n) != NUM_OK)
        return;
    ASSERT(n->count <= NUM_DIGITS_MAX && n->exp <= NUM_EXP_MAX && n->exp >= NUM_EXP_MIN);
    ASSERT(n->count == 0 || (n->digit[0] != 0 && n->digit[n->count - 1] != 0));
    struct str form = {stored, num_text(n, stored)};
    ASSERT(num_parse(form, &back) == NUM_OK && num_compare(n, &back) == 0);
    ASSERT(num_text(&back, again) == form.n && memcmp(stored, again, form.n) == 0);
    size_t key_n = num_key(n, key);
    ASSERT(num_key(&back, key2) == key_n && memcmp(key, key2, key_n) == 0);
    ASSERT(num_from_key(key, key_n, &back) && num_compare(n, &back) == 0);
    ASSERT(num_size(n) >= 1 && num_size(n) <= 22);
}

/* Two numbers, separated by the first blank; alone, the input is also tried as a key. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct num a, b;
    uint8_t key_a[NUM_KEY_MAX], key_b[NUM_KEY_MAX];
    if (num_from_key(data, size, &a))
        ASSERT(num_key(&a, key_a) == size && memcmp(key_a, data, size) == 0);
    struct str first = str_cut(&rest, ' ');
    check_one(first, &a);
    check_one(rest, &b);
    if (num_parse(first, &a) == NUM_OK && num_parse(rest, &b) == NUM_OK) {
        struct str ka = {(const char *)key_a, num_key(&a, key_a)};
        struct str kb = {(const char *)key_b, num_key(&b, key_b)};
        int by_key = str_cmp(ka, kb), by_value = num_compare(&a, &b);
        ASSERT((by_key > 0) == (by_value > 0) && (by_key < 0) == (by_value < 0));
    }
    return 0;
}
