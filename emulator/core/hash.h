/* hash.h - digests. SHA-256 is OpenSSL's (about 1 GB/s; libsodium's does 150 MB/s). */
#ifndef PUDDLE_HASH_H
#define PUDDLE_HASH_H
#include "str.h"

void hash_sha256(struct str data, uint8_t out[32]);
void hash_hmac_sha256(struct str key, struct str data, uint8_t out[32]);
void hash_md5(struct str data, uint8_t out[16]); /* not for security: DynamoDB's scan order */
uint32_t hash_crc32(struct str data);            /* zlib's, as in x-amz-crc32 */
/* Constant time for equal lengths; different lengths are unequal. */
bool hash_equal(struct str a, struct str b);
#endif
