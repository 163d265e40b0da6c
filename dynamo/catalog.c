#include "catalog.h"
#include "index.h"
#include "log.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 1024, TABLE_ARENA_MAX = 64 << 20 };

/* "account/region/name": neither account nor region nor name can hold a '/'; what could (a region
 * out of a forged credential) only ever finds nothing or itself. */
static bool make_key(char *out, struct str account, struct str region, struct str name,
                     struct str *ret)
{
    size_t n = account.n + region.n + name.n + 2;
    if (n > KEY_MAX)
        return false;
    char *o = out;
    memcpy(o, account.p, account.n);
    o += account.n;
    *o++ = '/';
    memcpy(o, region.p, region.n);
    o += region.n;
    *o++ = '/';
    memcpy(o, name.p, name.n);
    *ret = (struct str){out, n};
    return true;
}

static void table_free(struct catalog *c, struct table *t)
{
    index_detach(c->store, t);
    store_drop_stmts(c->store, &t->stmts);
    arena_free(t->arena); /* t itself lies in it */
}

static struct table *table_new(const struct store_table_row *row)
{
    struct arena *a = arena_new(8 * 1024, TABLE_ARENA_MAX);
    struct table *t = ARENA_NEW(a, struct table);
    t->arena = a;
    t->id = row->id;
    t->account = arena_str(a, row->account);
    t->region = arena_str(a, row->region);
    t->name = arena_str(a, row->name);
    t->items = row->items;
    t->bytes = row->bytes;
    t->counts_moved = !row->exact;
    if (json_parse(a, arena_str(a, row->def), JSON_DEPTH_DEFAULT, &t->def, NULL) && table_parse(t))
        return t;
    arena_free(a);
    return NULL;
}

static void put(struct catalog *c, struct table *t)
{
    char bytes[KEY_MAX] NOT_CLEARED;
    struct str key;
    if (!make_key(bytes, t->account, t->region, t->name, &key))
        PANIC("table key of %zu bytes", t->account.n + t->region.n + t->name.n);
    if (map_put(&c->tables, key, t) != NULL)
        PANIC("table %.*s twice", STR_ARG(t->name));
}

static bool load_one(void *arg, const struct store_table_row *row)
{
    struct catalog *c = arg;
    struct table *t = table_new(row);
    if (t == NULL) {
        log_msg(LOG_ERROR, "dynamodb", "the definition of table %.*s is damaged",
                STR_ARG(row->name));
        return false;
    }
    put(c, t);
    return row->exact || store_count(c->store, t->id, &t->items, &t->bytes);
}

bool catalog_load(struct catalog *c, struct store *s)
{
    size_t at = 0;
    struct str key;
    void *t;
    c->store = s;
    map_init(&c->tables);
    bool ok = store_load_tables(s, load_one, c);
    while (ok && map_next(&c->tables, &at, &key, &t)) {
        struct table *each = t;
        ok = index_attach(s, each, !each->counts_moved);
    }
    return ok;
}

void catalog_release(struct catalog *c)
{
    size_t at = 0;
    struct str key;
    void *t;
    while (map_next(&c->tables, &at, &key, &t))
        table_free(c, t);
    map_release(&c->tables);
}

void catalog_reload(struct catalog *c)
{
    catalog_release(c);
    if (!catalog_load(c, c->store))
        PANIC("the tables cannot be read back after a failed commit");
}

struct table *catalog_find(const struct catalog *c, struct str account, struct str region,
                           struct str name)
{
    char bytes[KEY_MAX] NOT_CLEARED;
    struct str key;
    return make_key(bytes, account, region, name, &key) ? map_get(&c->tables, key) : NULL;
}

struct table *catalog_add(struct catalog *c, struct str account, struct str region, struct str name,
                          struct str def)
{
    struct store_table_row row = {
        .account = account, .region = region, .name = name, .def = def, .exact = true};
    if (account.n + region.n + name.n + 2 > KEY_MAX || !store_add_table(c->store, &row, &row.id))
        return NULL;
    struct table *t = table_new(&row);
    if (t == NULL)
        PANIC("a checked definition does not parse: %.*s", STR_ARG(def));
    if (!index_attach(c->store, t, true)) {
        table_free(c, t);
        return NULL;
    }
    put(c, t);
    return t;
}

struct table *catalog_change(struct catalog *c, struct table *t, struct str def)
{
    char bytes[KEY_MAX] NOT_CLEARED;
    struct str key;
    struct store_table_row row = {.id = t->id,
                                  .account = t->account,
                                  .region = t->region,
                                  .name = t->name,
                                  .def = def,
                                  .items = t->items,
                                  .bytes = t->bytes,
                                  .exact = !t->counts_moved};
    if (!store_write_def(c->store, t->id, def))
        return NULL;
    struct table *now = table_new(&row);
    if (now == NULL)
        PANIC("a checked definition does not parse: %.*s", STR_ARG(def));
    index_detach(c->store, t);
    if (!index_write_counts(c->store, t) || !index_attach(c->store, now, true)) {
        table_free(c, now);
        return NULL;
    }
    if (!make_key(bytes, t->account, t->region, t->name, &key) ||
        map_put(&c->tables, key, now) != t)
        PANIC("table %.*s is not in the catalog", STR_ARG(t->name));
    table_free(c, t);
    return now;
}

bool catalog_remove(struct catalog *c, struct table *t, bool keep_data)
{
    char bytes[KEY_MAX] NOT_CLEARED;
    struct str key;
    store_drop_stmts(c->store, &t->stmts); /* an open statement would keep the data in place */
    if (!index_drop_all(c->store, t) ||
        !(keep_data ? store_forget_table(c->store, t->id)
                    : store_remove_table(c->store, t->id, t->items, t->bytes)))
        return false;
    if (!make_key(bytes, t->account, t->region, t->name, &key) || map_del(&c->tables, key) != t)
        PANIC("table %.*s is not in the catalog", STR_ARG(t->name));
    table_free(c, t);
    return true;
}

bool catalog_touch(struct catalog *c, struct table *t)
{
    if (t->counts_moved)
        return true;
    t->counts_moved = store_write_counts(c->store, t->id, t->items, t->bytes, false);
    return t->counts_moved;
}

bool catalog_write_counts(struct catalog *c)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&c->tables, &at, &key, &value)) {
        struct table *t = value;
        if (!t->counts_moved)
            continue;
        if (!index_write_counts(c->store, t) ||
            !store_write_counts(c->store, t->id, t->items, t->bytes, true))
            return false;
        t->counts_moved = false;
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct str *catalog_names(const struct catalog *c, struct str account, struct str region,
                          struct arena *a, size_t *ret_count)
{
    size_t at = 0, n = 0;
    struct str key, *names = ARENA_ARRAY(a, struct str, c->tables.count);
    void *value;
    while (map_next(&c->tables, &at, &key, &value)) {
        const struct table *t = value;
        if (str_eq(t->account, account) && str_eq(t->region, region))
            names[n++] = t->name;
    }
    qsort(names, n, sizeof *names, compare_names);
    *ret_count = n;
    return names;
}
