#include "index_key.h"
#include "key.h"
#include "panic.h"
#include <string.h>

enum { FIXED_BYTES = 2 * KEY_PREFIX + 2 * (TABLE_KEY_PARTS_MAX + 1) };

static bool fits(const struct attr *at, char type)
{
    if (at == NULL || attr_type_name(at->type)[0] != type || attr_type_name(at->type)[1] != '\0')
        return false;
    return at->type == ATTR_N || at->bytes.n > 0;
}

bool index_has(const struct index *x, const struct item *item)
{
    size_t total[2] = {0, 0}; /* of the partition key's parts, of the sort key's */
    if (item == NULL)
        return false;
    for (size_t i = 0; i < key_parts(&x->key); i++) {
        const struct attr *at = item_find(item, x->key.part[i].name);
        if (!fits(at, x->key.part[i].type))
            return false;
        /* Numbers are short; the check of writes counts them, so that this lets more through. */
        total[i >= x->key.hash_count] += at->type == ATTR_N ? 0 : at->bytes.n;
    }
    return total[0] <= KEY_HASH_MAX && total[1] <= KEY_RANGE_MAX;
}

static void add_bytes(struct index_key *k, const char *p, size_t n)
{
    ASSERT(n <= k->cap - k->n);
    if (n > 0)
        memcpy(k->p + k->n, p, n);
    k->n += n;
}

static void add_prefix(struct index_key *k, uint32_t prefix)
{
    char bytes[KEY_PREFIX] = {(char)(prefix >> 16), (char)(prefix >> 8), (char)prefix};
    add_bytes(k, bytes, sizeof bytes);
}

void index_key_add_open(struct index_key *k, struct str value)
{
    while (value.n > 0) {
        const char *zero = memchr(value.p, 0, value.n);
        size_t n = zero == NULL ? value.n : (size_t)(zero - value.p) + 1;
        add_bytes(k, value.p, n);
        if (zero != NULL)
            add_bytes(k, "\xFF", 1);
        value = str_sub(value, n, value.n);
    }
}

void index_key_add(struct index_key *k, struct str value)
{
    index_key_add_open(k, value);
    add_bytes(k, "\0\1", 2);
}

/* The bytes that place a partition in a Scan. unverified: for keys of several parts. */
static struct str hash_input(const struct str *values, size_t count, size_t total, struct arena *a)
{
    if (count == 1)
        return values[0];
    char *joined = arena_alloc_raw(a, total);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(joined + n, values[i].p, values[i].n);
        n += values[i].n;
    }
    return str_sub((struct str){joined, n}, 0, KEY_HASH_MAX);
}

void index_key_begin(struct index_key *k, const struct str *values, size_t count, size_t room,
                     struct arena *a)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i].n;
    k->n = 0;
    k->cap = 2 * (total + room) + FIXED_BYTES;
    k->p = arena_alloc_raw(a, k->cap);
    add_prefix(k, key_hash_prefix(hash_input(values, count, total, a)));
    for (size_t i = 0; i < count; i++)
        index_key_add(k, values[i]);
}

struct str index_key_view(const struct index_key *k)
{
    return (struct str){k->p, k->n};
}

struct str index_key_of_item(const struct index *x, const struct item *item,
                             const struct store_key *key, struct arena *a)
{
    struct index_key k;
    struct str value[TABLE_KEY_PARTS_MAX], hash = str_sub(key->hk, KEY_PREFIX, key->hk.n);
    size_t parts = key_parts(&x->key), room = hash.n + key->sk.n;
    for (size_t i = 0; i < parts; i++) {
        value[i] = attr_key_bytes(item_find(item, x->key.part[i].name), a);
        room += i < x->key.hash_count ? 0 : value[i].n;
    }
    index_key_begin(&k, value, x->key.hash_count, room, a);
    for (size_t i = x->key.hash_count; i < parts; i++)
        index_key_add(&k, value[i]);
    add_prefix(&k, key_pair_prefix(hash, key->sk));
    index_key_add(&k, hash);
    add_bytes(&k, key->sk.p, key->sk.n);
    return index_key_view(&k);
}

struct str index_key_after(struct str prefix, struct arena *a)
{
    while (prefix.n > 0 && (uint8_t)prefix.p[prefix.n - 1] == 0xFF)
        prefix.n--;
    if (prefix.n == 0)
        return STR("");
    char *out = arena_alloc_raw(a, prefix.n);
    memcpy(out, prefix.p, prefix.n);
    out[prefix.n - 1]++;
    return (struct str){out, prefix.n};
}
