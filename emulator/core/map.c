/* Open addressing with linear probing; deletion shifts the following run back, so there are no
 * tombstones. */
#include "map.h"
#include "panic.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct map_slot {
    char *key; /* NULL: empty */
    size_t key_n;
    uint64_t hash;
    void *value;
};

static uint64_t hash_key(struct str key)
{
    static unsigned char secret[crypto_shorthash_KEYBYTES];
    static bool ready;
    uint64_t out;
    if (!ready) {
        randombytes_buf(secret, sizeof secret);
        ready = true;
    }
    crypto_shorthash((unsigned char *)&out, (const unsigned char *)(key.n ? key.p : ""), key.n,
                     secret);
    return out;
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){0};
}

static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
    ASSERT(m->cap != 0);
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (s->key == NULL)
            return s;
        if (s->hash == hash && str_eq((struct str){s->key, s->key_n}, key))
            return s;
    }
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    return find(m, key, hash_key(key))->value;
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap == 0 ? 16 : old.cap * 2;
    m->slots = calloc(m->cap, sizeof *m->slots);
    if (m->slots == NULL)
        PANIC("out of memory");
    for (size_t i = 0; i < old.cap; i++) {
        struct map_slot *s = &old.slots[i];
        if (s->key != NULL)
            *find(m, (struct str){s->key, s->key_n}, s->hash) = *s;
    }
    free(old.slots);
}

void *map_put(struct map *m, struct str key, void *value)
{
    ASSERT(value != NULL);
    if ((m->count + 1) * 4 > m->cap * 3)
        grow(m);
    uint64_t hash = hash_key(key);
    struct map_slot *s = find(m, key, hash);
    void *before = s->value;
    if (s->key == NULL) {
        s->key = malloc(key.n + 1);
        if (s->key == NULL)
            PANIC("out of memory");
        if (key.n != 0)
            memcpy(s->key, key.p, key.n);
        s->key[key.n] = '\0';
        s->key_n = key.n;
        s->hash = hash;
        m->count++;
    }
    s->value = value;
    return before;
}

void *map_del(struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    struct map_slot *s = find(m, key, hash_key(key));
    if (s->key == NULL)
        return NULL;
    void *value = s->value;
    size_t hole = (size_t)(s - m->slots), mask = m->cap - 1;
    free(s->key);
    for (size_t i = (hole + 1) & mask; m->slots[i].key != NULL; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){0};
    m->count--;
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *ret_key, void **ret_value)
{
    for (; *at < m->cap; (*at)++) {
        const struct map_slot *s = &m->slots[*at];
        if (s->key == NULL)
            continue;
        if (ret_key != NULL)
            *ret_key = (struct str){s->key, s->key_n};
        if (ret_value != NULL)
            *ret_value = s->value;
        (*at)++;
        return true;
    }
    return false;
}
