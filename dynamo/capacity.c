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

static void put_indexes(struct json_out *out, const struct table *t, bool global,
                        const double *by_index)
{
    bool open = false;
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].global != global || by_index[i] == 0)
            continue;
        if (!open)
            json_obj(out, global ? "GlobalSecondaryIndexes" : "LocalSecondaryIndexes");
        open = true;
        json_key(out, t->indexes[i].name);
        json_obj(out, NULL);
        json_double(out, "CapacityUnits", by_index[i]);
        json_end(out);
    }
    if (open)
        json_end(out);
}

void capacity_put(struct json_out *out, const struct table *t, enum capacity_mode mode,
                  const struct capacity *c)
{
    double total = c->table;
    if (mode == CAPACITY_NONE)
        return;
    for (size_t i = 0; i < t->index_count && c->indexes != NULL; i++)
        total += c->indexes[i];
    json_obj(out, "ConsumedCapacity");
    json_str(out, "TableName", t->name);
    json_double(out, "CapacityUnits", total);
    if (mode == CAPACITY_INDEXES) {
        json_obj(out, "Table");
        json_double(out, "CapacityUnits", c->table);
        json_end(out);
        if (c->indexes != NULL) {
            put_indexes(out, t, false, c->indexes);
            put_indexes(out, t, true, c->indexes);
        }
    }
    json_end(out);
}
