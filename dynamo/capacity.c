#include "capacity.h"
#include "index.h"

enum { READ_UNIT = 4096, WRITE_UNIT = 1024 };

enum capacity_mode capacity_mode(struct str mode)
{
    return str_eq_c(mode, "TOTAL")     ? CAPACITY_TOTAL
           : str_eq_c(mode, "INDEXES") ? CAPACITY_INDEXES
                                       : CAPACITY_NONE;
}

static double units(size_t size, size_t unit)
{
    return size == 0 ? 1 : (double)((size + unit - 1) / unit);
}

double capacity_read(size_t size, bool consistent)
{
    return units(size, READ_UNIT) * (consistent ? 1.0 : 0.5);
}

double capacity_write(size_t old_size, size_t new_size)
{
    return units(old_size > new_size ? old_size : new_size, WRITE_UNIT);
}

static size_t entry_size(const struct table *t, const struct index *x, const struct item *item)
{
    size_t size = 0;
    for (size_t i = 0; i < item->count; i++) {
        if (index_projects(t, x, item->attrs[i].name))
            size += item->attrs[i].size;
    }
    return size;
}

/* Some projected attribute (only of the index's key, if key_only) of a is not the same in b. */
static bool differs(const struct table *t, const struct index *x, const struct item *a,
                    const struct item *b, bool key_only)
{
    for (size_t i = 0; i < a->count; i++) {
        struct str name = a->attrs[i].name;
        if (key_only ? !key_has(&x->key, name) : !index_projects(t, x, name))
            continue;
        const struct attr *other = item_find(b, name);
        if (other == NULL || !str_eq(other->json, a->attrs[i].json))
            return true;
    }
    return false;
}

double capacity_index_write(const struct table *t, const struct index *x,
                            const struct item *old_item, const struct item *new_item)
{
    bool was = index_has(x, old_item), is = index_has(x, new_item);
    size_t old_size = was ? entry_size(t, x, old_item) : 0;
    size_t new_size = is ? entry_size(t, x, new_item) : 0;
    if (!was || !is)
        return was || is ? units(old_size + new_size, WRITE_UNIT) : 0;
    if (differs(t, x, old_item, new_item, true))
        return units(old_size, WRITE_UNIT) + units(new_size, WRITE_UNIT);
    if (differs(t, x, old_item, new_item, false) || differs(t, x, new_item, old_item, false))
        return capacity_write(old_size, new_size);
    return 0;
}

static void put_units(struct json_out *out, double units, enum capacity_split split)
{
    if (split != CAPACITY_WHOLE)
        json_double(out, split == CAPACITY_READS ? "ReadCapacityUnits" : "WriteCapacityUnits",
                    units);
    json_double(out, "CapacityUnits", units);
}

static void put_indexes(struct json_out *out, const struct table *t, bool global,
                        const struct capacity *c)
{
    bool open = false;
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].global != global || c->indexes[i] == 0)
            continue;
        if (!open)
            json_obj(out, global ? "GlobalSecondaryIndexes" : "LocalSecondaryIndexes");
        open = true;
        json_key(out, t->indexes[i].name);
        json_obj(out, NULL);
        put_units(out, c->indexes[i], c->split);
        json_end(out);
    }
    if (open)
        json_end(out);
}

static void put_entry(struct json_out *out, const char *key, const struct table *t,
                      enum capacity_mode mode, const struct capacity *c)
{
    double total = c->table;
    for (size_t i = 0; i < t->index_count && c->indexes != NULL; i++)
        total += c->indexes[i];
    json_obj(out, key);
    json_str(out, "TableName", t->name);
    put_units(out, total, c->split);
    if (mode == CAPACITY_INDEXES) {
        json_obj(out, "Table");
        put_units(out, c->table, c->split);
        json_end(out);
        if (c->indexes != NULL) {
            put_indexes(out, t, false, c);
            put_indexes(out, t, true, c);
        }
    }
    json_end(out);
}

void capacity_put(struct json_out *out, const struct table *t, enum capacity_mode mode,
                  const struct capacity *c)
{
    if (mode != CAPACITY_NONE)
        put_entry(out, "ConsumedCapacity", t, mode, c);
}

static struct capacity *entry_of(struct capacity_list *list, struct arena *a, const struct table *t)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].t == t)
            return &list->entries[i].units;
    }
    if (list->count == list->cap) {
        struct capacity_entry *old = list->entries;
        list->cap = list->cap == 0 ? 4 : list->cap * 2;
        list->entries = ARENA_ARRAY(a, struct capacity_entry, list->cap);
        for (size_t i = 0; i < list->count; i++)
            list->entries[i] = old[i];
    }
    struct capacity_entry *e = &list->entries[list->count++];
    *e = (struct capacity_entry){.t = t};
    if (t->index_count > 0)
        e->units.indexes = ARENA_ARRAY(a, double, t->index_count);
    return &e->units;
}

void capacity_list_add(struct capacity_list *list, struct arena *a, const struct table *t,
                       double table, const double *indexes)
{
    struct capacity *c = entry_of(list, a, t);
    c->table += table;
    for (size_t i = 0; i < t->index_count && indexes != NULL; i++)
        c->indexes[i] += indexes[i];
}

void capacity_list_put(struct json_out *out, const struct capacity_list *list,
                       enum capacity_mode mode, enum capacity_split split)
{
    if (mode == CAPACITY_NONE)
        return;
    json_arr(out, "ConsumedCapacity");
    for (size_t i = 0; i < list->count; i++) {
        struct capacity c = list->entries[i].units;
        c.split = split;
        put_entry(out, NULL, list->entries[i].t, mode, &c);
    }
    json_end(out);
}
