/* index_key.h - the key of an index entry as bytes that sort by memcmp in the order in which
 * DynamoDB reads the index. Pure.
 *
 *   3 bytes   hash of the index's partition key values, one after the other: Scan order
 *   parts     each part of the index's key: 00 is written as 00 FF, and 00 01 ends it, so that
 *             parts of any length sort one after the other and a prefix of the parts is a range
 *   3 bytes   hash of the table's partition and sort key: DynamoDB's order of equal index keys
 *   the rest  the table's key: one entry an item, whatever the hashes are
 */
#ifndef PUDDLE_INDEX_KEY_H
#define PUDDLE_INDEX_KEY_H
#include "attr.h"
#include "table.h"

/* Has the item everything of the index's key, with the right types, neither empty nor too long? An
 * item that has not is not in the index. */
bool index_has(const struct index *x, const struct item *item);
/* The key of the entry of an item that the index has; key: the item's in the table. */
struct str index_key_of_item(const struct index *x, const struct item *item,
                             const struct store_key *key, struct arena *a);

/* For ranges: the start of all keys of one partition, then more parts. In the arena. */
struct index_key {
    char *p;
    size_t n, cap;
};
/* values: count of them, as attr_key_bytes gives them. room: bytes of the values still to come. */
void index_key_begin(struct index_key *k, const struct str *values, size_t count, size_t room,
                     struct arena *a);
void index_key_add(struct index_key *k, struct str value);
/* A value that goes on: what begins with it. Nothing may be added after it. */
void index_key_add_open(struct index_key *k, struct str value);
struct str index_key_view(const struct index_key *k);
/* The smallest bytes above all that begin with prefix; empty: there are none. */
struct str index_key_after(struct str prefix, struct arena *a);
#endif
