/* Primary and index keys of items: which attribute, which type, how long, in AWS's order and
 * words (facts 59, 61, 105, 114). */
#include "ddb_internal.h"
#include "panic.h"

#define INVALID "One or more parameter values were invalid: "

static char type_letter(const struct attr *at)
{
    return at->type == ATTR_S ? 'S' : at->type == ATTR_N ? 'N' : at->type == ATTR_B ? 'B' : 0;
}

static bool is_empty(const struct attr *at)
{
    return at->type != ATTR_N && at->bytes.n == 0;
}

static const char *kind_word(const struct attr *at)
{
    return at->type == ATTR_B ? "binary" : "string";
}

static bool check_size(struct call *c, size_t size, bool hash)
{
    if (hash && size > KEY_HASH_MAX)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        INVALID "Size of hashkey has exceeded the maximum size limit of%d bytes",
                        KEY_HASH_MAX);
    if (!hash && size > KEY_RANGE_MAX)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        INVALID "Aggregated size of all range keys has exceeded the size limit of "
                                "%d bytes",
                        KEY_RANGE_MAX);
    return true;
}

static bool fail_empty_key(struct call *c, const struct attr *at)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "One or more parameter values are not valid. The AttributeValue for a key "
                    "attribute cannot contain an empty %s value. Key: %.*s",
                    kind_word(at), STR_ARG(at->name));
}

/* The attribute is there with the right type. */
static bool add_part(struct call *c, const struct attr *at, bool hash, struct ddb_key *ret)
{
    if (is_empty(at))
        return fail_empty_key(c, at);
    struct str bytes = attr_key_bytes(at, c->arena);
    if (!check_size(c, bytes.n, hash))
        return false;
    if (hash) {
        struct key_hash *h = &ddb_of(c)->hash;
        key_hash_make(bytes, h);
        ret->bytes.hk = arena_str(c->arena, (struct str){(const char *)h->bytes, h->n});
    } else {
        ret->bytes.sk = bytes;
    }
    return true;
}

bool ddb_key_of_item(struct call *c, const struct table *t, const struct item *item,
                     struct ddb_key *ret)
{
    ret->bytes = (struct store_key){STR(""), STR("")};
    for (size_t i = 0; i < (size_t)t->key.hash_count + t->key.range_count; i++) {
        const struct key_part *part = &t->key.part[i];
        const struct attr *at = item_find(item, part->name);
        if (at == NULL)
            return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                            INVALID "Missing the key %.*s in the item", STR_ARG(part->name));
        if (type_letter(at) != part->type)
            return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                            INVALID "Type mismatch for key %.*s expected: %c actual: %s",
                            STR_ARG(part->name), part->type, attr_type_name(at->type));
        if (!add_part(c, at, i < t->key.hash_count, ret))
            return false;
    }
    return true;
}

static bool fail_schema(struct call *c)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "The provided key element does not match the schema");
}

bool ddb_key_of_key(struct call *c, const struct table *t, const struct item *key,
                    struct ddb_key *ret)
{
    size_t parts = (size_t)t->key.hash_count + t->key.range_count;
    bool fits = key->count == parts;
    ret->bytes = (struct store_key){STR(""), STR("")};
    for (size_t i = 0; i < parts && fits; i++) {
        const struct attr *at = item_find(key, t->key.part[i].name);
        fits = at != NULL && type_letter(at) == t->key.part[i].type;
    }
    if (!fits)
        return fail_schema(c);
    for (size_t i = 0; i < parts; i++) {
        if (!add_part(c, item_find(key, t->key.part[i].name), i < t->key.hash_count, ret))
            return false;
    }
    return true;
}

/* What a write would put under an index key that cannot be there (facts 61, 114). */
enum index_fault { INDEX_FINE, INDEX_WRONG_TYPE, INDEX_EMPTY };
struct index_problem {
    enum index_fault fault;
    const struct index *x;
    const struct key_part *part;
    const struct attr *at;
};

static enum index_fault fault_of(const struct key_part *part, const struct attr *at)
{
    return type_letter(at) != part->type ? INDEX_WRONG_TYPE
           : is_empty(at)                ? INDEX_EMPTY
                                         : INDEX_FINE;
}

/* AWS names the first index by name. old: attributes that stay as they are are not looked at, they
 * may be older than the index. */
static struct index_problem find_problem(const struct table *t, const struct item *old,
                                         const struct item *item)
{
    struct index_problem first = {INDEX_FINE, NULL, NULL, NULL};
    for (size_t i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        if (first.x != NULL && str_cmp(first.x->name, x->name) <= 0)
            continue;
        for (size_t k = 0; k < (size_t)x->key.hash_count + x->key.range_count; k++) {
            const struct key_part *part = &x->key.part[k];
            const struct attr *at = item_find(item, part->name);
            const struct attr *was = old == NULL ? NULL : item_find(old, part->name);
            if (at == NULL || (was != NULL && str_eq(was->json, at->json)))
                continue;
            enum index_fault fault = fault_of(part, at);
            if (fault == INDEX_FINE)
                continue;
            first = (struct index_problem){fault, x, part, at};
            break;
        }
    }
    return first;
}

static bool fail_index_type(struct call *c, const struct index_problem *p)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    INVALID "Type mismatch for Index Key %.*s Expected: %c Actual: %s "
                            "IndexName: %.*s",
                    STR_ARG(p->part->name), p->part->type, attr_type_name(p->at->type),
                    STR_ARG(p->x->name));
}

static bool check_index_sizes(struct call *c, const struct table *t, const struct item *item)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        size_t total[2] = {0, 0}; /* of the partition key parts, of the sort key parts */
        for (size_t k = 0; k < (size_t)x->key.hash_count + x->key.range_count; k++) {
            const struct attr *at = item_find(item, x->key.part[k].name);
            if (at != NULL && type_letter(at) != 0)
                total[k >= x->key.hash_count] += attr_key_bytes(at, c->arena).n;
        }
        /* unverified: that an index's sizes are worded like the table's */
        if (!check_size(c, total[0], true) || !check_size(c, total[1], false))
            return false;
    }
    return true;
}

static bool fail_empty_index_key(struct call *c, const struct index_problem *p)
{
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "One or more parameter values are not valid. A value specified for a "
                    "secondary index key is not supported. The AttributeValue for a key "
                    "attribute cannot contain an empty %s value. IndexName: %.*s, IndexKey: "
                    "%.*s",
                    kind_word(p->at), STR_ARG(p->x->name), STR_ARG(p->part->name));
}

bool ddb_check_index_keys(struct call *c, const struct table *t, const struct item *item)
{
    if (t->index_count == 0)
        return true;
    struct index_problem p = find_problem(t, NULL, item);
    if (p.fault == INDEX_WRONG_TYPE)
        return fail_index_type(c, &p);
    if (p.fault == INDEX_EMPTY)
        return fail_empty_index_key(c, &p);
    return check_index_sizes(c, t, item);
}

bool ddb_check_index_updates(struct call *c, const struct table *t, const struct item *old,
                             const struct item *now, bool *ret_empty)
{
    if (t->index_count == 0)
        return true;
    struct index_problem p = find_problem(t, old, now);
    if (p.fault == INDEX_WRONG_TYPE)
        return fail_index_type(c, &p);
    if (p.fault == INDEX_FINE)
        return check_index_sizes(c, t, now);
    *ret_empty = true;
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "One or more parameter values are not valid. The update expression attempted "
                    "to update a secondary index key to a value that is not supported. The "
                    "AttributeValue for a key attribute cannot contain an empty %s value.",
                    kind_word(p.at));
}

bool ddb_check_key_types(struct call *c, const struct table *t, const struct item *item)
{
    for (size_t i = 0; i < (size_t)t->key.hash_count + t->key.range_count; i++) {
        const struct attr *at = item_find(item, t->key.part[i].name);
        if (at == NULL || type_letter(at) != t->key.part[i].type)
            return fail_schema(c);
    }
    return true;
}

bool ddb_check_empty_keys(struct call *c, const struct table *t, const struct item *item)
{
    for (size_t i = 0; i < (size_t)t->key.hash_count + t->key.range_count; i++) {
        const struct attr *at = item_find(item, t->key.part[i].name);
        if (at != NULL && type_letter(at) == t->key.part[i].type && is_empty(at))
            return fail_empty_key(c, at);
    }
    if (t->index_count == 0)
        return true;
    struct index_problem p = find_problem(t, NULL, item);
    return p.fault != INDEX_EMPTY || fail_empty_index_key(c, &p);
}
