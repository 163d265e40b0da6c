#include "key.h"
#include "hash.h"
#include "panic.h"
#include <string.h>

uint32_t key_pair_prefix(struct str hash, struct str range)
{
    static const char seed[] = "Outliers"; /* DynamoDB's own, as seen in its Scan order */
    char input[sizeof seed - 1 + KEY_HASH_MAX + KEY_RANGE_MAX] NOT_CLEARED;
    uint8_t md5[16];
    ASSERT(hash.n <= KEY_HASH_MAX && range.n <= KEY_RANGE_MAX);
    memcpy(input, seed, sizeof seed - 1);
    if (hash.n > 0)
        memcpy(input + sizeof seed - 1, hash.p, hash.n);
    if (range.n > 0)
        memcpy(input + sizeof seed - 1 + hash.n, range.p, range.n);
    hash_md5((struct str){input, sizeof seed - 1 + hash.n + range.n}, md5);
    return (uint32_t)md5[0] << 16 | (uint32_t)md5[1] << 8 | md5[2];
}

uint32_t key_hash_prefix(struct str value)
{
    return key_pair_prefix(value, (struct str){NULL, 0});
}

void key_hash_make(struct str value, struct key_hash *ret)
{
    uint32_t prefix = key_hash_prefix(value);
    ret->bytes[0] = (uint8_t)(prefix >> 16);
    ret->bytes[1] = (uint8_t)(prefix >> 8);
    ret->bytes[2] = (uint8_t)prefix;
    if (value.n > 0)
        memcpy(ret->bytes + KEY_PREFIX, value.p, value.n);
    ret->n = KEY_PREFIX + value.n;
}

uint32_t key_segment_start(uint32_t segment, uint32_t total)
{
    ASSERT(total > 0 && segment <= total);
    return (uint32_t)((((uint64_t)segment << 24) + total - 1) / total);
}

uint32_t key_segment(uint32_t prefix, uint32_t total)
{
    ASSERT(total > 0 && prefix < 1u << 24);
    return (uint32_t)((uint64_t)prefix * total >> 24);
}
