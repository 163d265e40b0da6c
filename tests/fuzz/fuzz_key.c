/* Items and keys: any JSON object read as an item either fails with a message or gives text that
 * reads back to itself with the same size; its scalars make keys that keep their order. */
#include "attr.h"
#include "key.h"
#include "panic.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(const struct item *item, struct arena *a)
{
    const struct attr *last = NULL;
    for (size_t i = 0; i < item->count; i++) {
        const struct attr *at = &item->attrs[i];
        struct key_hash hash;
        if (at->type != ATTR_S && at->type != ATTR_N && at->type != ATTR_B)
            continue;
        struct str bytes = attr_key_bytes(at, a);
        if (bytes.n <= KEY_HASH_MAX) {
            key_hash_make(bytes, &hash);
            ASSERT(hash.n == KEY_PREFIX + bytes.n);
            uint32_t prefix = key_hash_prefix(bytes);
            ASSERT(key_segment_start(key_segment(prefix, 7), 7) <= prefix);
        }
        if (last != NULL && last->type == ATTR_N && at->type == ATTR_N) {
            struct num x, y;
            ASSERT(num_parse(last->bytes, &x) == NUM_OK && num_parse(at->bytes, &y) == NUM_OK);
            int by_key = str_cmp(attr_key_bytes(last, a), bytes), by_value = num_compare(&x, &y);
            ASSERT((by_key > 0) == (by_value > 0) && (by_key < 0) == (by_value < 0));
        }
        last = at;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf *text = arena_new_buf(a, ATTR_TEXT_MAX), *text2 = arena_new_buf(a, ATTR_TEXT_MAX);
    struct jval v;
    struct item item, again;
    struct aws_err err = {0};
    if (json_parse(a, (struct str){(const char *)data, size}, JSON_DEPTH_DEFAULT, &v, NULL) &&
        jval_kind(v) == JSON_OBJECT) {
        if (!item_read(v, ATTR_ENVELOPED, a, text, &item, &err)) {
            ASSERT(err.kind != NULL && err.message.n > 0);
        } else if (item.size <= ATTR_ITEM_SIZE_MAX) {
            ASSERT(item_read_stored(item.json, a, text2, &again));
            ASSERT(str_eq(item.json, again.json) && item.size == again.size);
            ASSERT(item.count == again.count);
            check_keys(&item, a);
        }
    }
    arena_free(a);
    return 0;
}
