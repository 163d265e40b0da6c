/* map.h - string-keyed hash map (SipHash with a per-process random key, so that request-chosen
 * keys cannot be made to collide). Keys are copied; values are the caller's pointers. */
#ifndef PUDDLE_MAP_H
#define PUDDLE_MAP_H
#include "str.h"

struct map {
    struct map_slot *slots;
    size_t count, cap;
};
void map_init(struct map *m);
void map_release(struct map *m); /* frees keys and slots, not the values */
void *map_get(const struct map *m, struct str key);
/* Sets key to value (not NULL); returns the value it replaced or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes and returns the value, or NULL. */
void *map_del(struct map *m, struct str key);
/* Iterate: size_t at = 0; while (map_next(&m, &at, &key, &value)) ... ; no put/del meanwhile.
 * The order is unspecified. */
bool map_next(const struct map *m, size_t *at, struct str *ret_key, void **ret_value);
#endif
