/* Are entries and rows the same? For tests, also after kill -9; no operation calls it. */
#include "index.h"
#include "key.h"

enum { ROWS_AT_ONCE = 1000 };

struct checking {
    struct table *t;
    struct index *x;
    struct arena *a; /* of one row */
    struct buf text;
    int64_t rows, in_index, entries, bytes;
    const char *why;
};

static bool say(struct checking *c, const char *why)
{
    if (c->why == NULL)
        c->why = why;
    return false;
}

static bool read_item(struct checking *c, struct str json, struct item *ret)
{
    arena_reset(c->a);
    buf_clear(&c->text);
    return item_read_stored(json, c->a, &c->text, ret) || say(c, "a row is not an item");
}

static bool check_row(void *arg, int64_t id, const struct store_key *key, struct str json)
{
    struct checking *c = arg;
    struct item item;
    (void)id, (void)key;
    if (!read_item(c, json, &item))
        return false;
    c->rows++;
    c->in_index += index_has(c->x, &item);
    return true;
}

static bool check_entry(void *arg, const struct store_entry *e, struct str row_item)
{
    struct checking *c = arg;
    const struct key_schema *k = &c->t->key;
    struct item item;
    struct key_hash hash;
    struct store_entry want;
    struct store_key key = {STR(""), STR("")};
    if (row_item.p == NULL)
        return say(c, "an entry has no row");
    if (!read_item(c, row_item, &item))
        return false;
    if (!index_has(c->x, &item))
        return say(c, "an entry's row does not belong into the index");
    key_hash_make(attr_key_bytes(item_find(&item, k->part[0].name), c->a), &hash);
    key.hk = (struct str){(const char *)hash.bytes, hash.n};
    if (k->range_count > 0)
        key.sk = attr_key_bytes(item_find(&item, k->part[1].name), c->a);
    if (!str_eq(e->key, index_key_of_item(c->x, &item, &key, c->a)))
        return say(c, "an entry's key is not that of its row");
    index_make_entry(c->t, c->x, &item, c->a, &want);
    if (c->x->entries.copies && (!str_eq(e->item, want.item) || e->size != want.size))
        return say(c, "an entry's copy is not as its row");
    c->entries++;
    c->bytes += (int64_t)want.size;
    return true;
}

static bool check_one(struct store *s, struct checking *c)
{
    int64_t last = 0, before = -1;
    while (c->rows != before) {
        before = c->rows;
        if (!store_each_row(s, c->t->id, last, ROWS_AT_ONCE, check_row, c, &last))
            return say(c, "the rows cannot be read");
        if (c->why != NULL)
            return false;
    }
    if (!store_each_entry(s, &c->x->entries, check_entry, c))
        return say(c, "the entries cannot be read");
    if (c->why != NULL)
        return false;
    if (!c->x->filling && c->entries != c->in_index)
        return say(c, "a row has no entry");
    if (c->x->counted && (c->x->items != c->entries || c->x->bytes != c->bytes))
        return say(c, "the counts are wrong");
    return true;
}

bool index_check(struct store *s, struct table *t, struct arena *a, struct str *ret_why)
{
    bool ok = true;
    *ret_why = STR("");
    for (size_t i = 0; i < t->index_count && ok; i++) {
        struct checking c = {.t = t, .x = &t->indexes[i], .a = arena_new(0, SIZE_MAX)};
        buf_init(&c.text, ATTR_TEXT_MAX);
        ok = check_one(s, &c);
        if (!ok)
            *ret_why =
                arena_fmt(a, "%.*s: %s (%lld rows, %lld of them in the index; %lld entries right)",
                          STR_ARG(c.x->name), c.why, (long long)c.rows, (long long)c.in_index,
                          (long long)c.entries);
        buf_release(&c.text);
        arena_free(c.a);
    }
    return ok;
}
