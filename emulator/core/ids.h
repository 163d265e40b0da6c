/* ids.h - identifiers as AWS shapes them. Random from a process-wide generator seeded from the
 * system (fast, unpredictable); ids_seed makes them repeatable for tests. */
#ifndef PUDDLE_IDS_H
#define PUDDLE_IDS_H
#include "str.h"

void ids_seed(uint64_t seed);
uint64_t ids_random_u64(void);
void ids_request52(char out[53]);                   /* DynamoDB request id: 52 of [0-9A-Z] */
void ids_uuid(char out[37]);                        /* version 4, lower case */
void ids_hex(char *out, size_t digits);             /* digits + NUL, lower case */
void ids_lower_alnum(char *out, size_t characters); /* [a-z0-9], first a letter; + NUL */
#endif
