/* key.h - key values as bytes that sort by memcmp the way DynamoDB sorts, and where a partition
 * key lies in a Scan. Pure. Facts 59, 108-110 of facts/dynamodb.md. */
#ifndef PUDDLE_KEY_H
#define PUDDLE_KEY_H
#include "str.h"

enum { KEY_HASH_MAX = 2048, KEY_RANGE_MAX = 1024, KEY_PREFIX = 3 };

/* The bytes stored for one item's partition key: KEY_PREFIX bytes of its hash, then the value's
 * own bytes. Rows sorted by them are in Scan order, and a parallel segment is a range of them. */
struct key_hash {
    size_t n;
    uint8_t bytes[KEY_PREFIX + KEY_HASH_MAX];
};
/* value: UTF-8 of an S, bytes of a B, num_key of an N; at most KEY_HASH_MAX. */
void key_hash_make(struct str value, struct key_hash *ret);
/* The prefix alone, as a number 0 .. 2^24 - 1. */
uint32_t key_hash_prefix(struct str value);
/* The same hash over partition key and sort key: what orders the entries of an index whose index
 * keys are equal. range may be empty. */
uint32_t key_pair_prefix(struct str hash, struct str range);
/* The segment that holds this prefix: 0 .. total - 1. */
uint32_t key_segment(uint32_t prefix, uint32_t total);
/* The first prefix of a segment; of segment == total: 2^24. */
uint32_t key_segment_start(uint32_t segment, uint32_t total);
#endif
