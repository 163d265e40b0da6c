/* From a key condition, a segment and a start key to the range of keys that is read; what DynamoDB
 * says when they do not fit the key of the table or index, in its order. */
#include "index.h"
#include "panic.h"
#include "read_internal.h"
#include <string.h>

#define FAIL(r, ...)   aws_fail(err, (r)->arena, &AWS_ValidationException, __VA_ARGS__)
#define INVALID        "One or more parameter values were invalid: "
#define START_INVALID  "The provided starting key is invalid"
#define SCHEMA_INVALID "The provided key element does not match the schema"

const struct key_schema *read_schema(const struct ddb_read *r)
{
    return r->x != NULL ? &r->x->key : &r->t->key;
}

static bool has_type(const struct attr *at, char type)
{
    const char *name = attr_type_name(at->type);
    return name[0] == type && name[1] == '\0';
}

static const struct expr_key_term *find_term(const struct expr_key_cond *cond, struct str name)
{
    for (size_t i = 0; i < cond->count; i++) {
        if (str_eq(cond->terms[i].name, name))
            return &cond->terms[i];
    }
    return NULL;
}

/* prefix: what AWS puts before it for a start key. */
static bool check_value(const struct ddb_read *r, const char *prefix, const struct attr *at,
                        struct str name, bool hash, struct aws_err *err)
{
    size_t n = attr_key_bytes(at, r->arena).n;
    const char *kind = at->type == ATTR_B ? "binary" : "string";
    if (n == 0 && r->x == NULL)
        return FAIL(r,
                    "%sOne or more parameter values are not valid. The AttributeValue for a key "
                    "attribute cannot contain an empty %s value. Key: %.*s",
                    prefix, kind, STR_ARG(name));
    if (n == 0) /* unverified: that reads of an index say it like writes */
        return FAIL(r,
                    "%sOne or more parameter values are not valid. A value specified for a "
                    "secondary index key is not supported. The AttributeValue for a key attribute "
                    "cannot contain an empty %s value. IndexName: %.*s, IndexKey: %.*s",
                    prefix, kind, STR_ARG(r->x->name), STR_ARG(name));
    if (hash && n > KEY_HASH_MAX)
        return FAIL(r,
                    "%s" INVALID "Size of hashkey has exceeded the maximum size limit of%d bytes",
                    prefix, KEY_HASH_MAX);
    if (!hash && n > KEY_RANGE_MAX)
        return FAIL(r,
                    "%s" INVALID
                    "Aggregated size of all range keys has exceeded the size limit of %d bytes",
                    prefix, KEY_RANGE_MAX);
    return true;
}

/* ---- start keys ---- */

static size_t start_key_size(const struct ddb_read *r)
{
    size_t n = key_parts(&r->t->key);
    for (size_t i = 0; r->x != NULL && i < key_parts(&r->x->key); i++)
        n += !key_has(&r->t->key, r->x->key.part[i].name);
    return n;
}

static bool check_start_part(const struct ddb_read *r, const struct item *start, size_t i,
                             struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    const struct attr *at = item_find(start, key->part[i].name);
    if (at == NULL)
        return FAIL(r, START_INVALID);
    if (!has_type(at, key->part[i].type))
        return FAIL(r, SCHEMA_INVALID);
    return check_value(r, "", at, key->part[i].name, i < key->hash_count, err);
}

/* The table's own key in a start key. */
static bool check_start_table(const struct ddb_read *r, const struct item *start,
                              struct aws_err *err)
{
    for (size_t i = 0; i < key_parts(&r->t->key); i++) {
        const struct key_part *part = &r->t->key.part[i];
        const struct attr *at = item_find(start, part->name);
        if (at == NULL || !has_type(at, part->type))
            return FAIL(r, START_INVALID ": " SCHEMA_INVALID);
        if (!check_value(r, START_INVALID ": ", at, part->name, i == 0, err))
            return false;
    }
    return true;
}

/* ---- conditions ---- */

static bool check_term(const struct ddb_read *r, const struct expr_key_term *term, size_t i,
                       struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    const struct key_part *part = &key->part[i];
    bool hash = i < key->hash_count;
    if (term->op == KEY_NOT_INDEXABLE)
        return FAIL(r, "Attempted conditional constraint is not an indexable operation");
    if (!has_type(&term->low, part->type) ||
        (term->op == KEY_BETWEEN && !has_type(&term->high, part->type)))
        return FAIL(r, INVALID "Condition parameter type does not match schema type");
    if (hash && term->op != KEY_EQ) {
        if (key->hash_count == 1)
            return FAIL(r, "Query key condition not supported");
        /* unverified: the words after the first five; a real one was only seen to have HASH and
         * equality in it */
        return FAIL(r,
                    "HASH key attributes %.*s must have equality conditions specified in the query",
                    STR_ARG(part->name));
    }
    return check_value(r, "", &term->low, part->name, hash, err) &&
           (term->op != KEY_BETWEEN || check_value(r, "", &term->high, part->name, hash, err));
}

static bool check_missing(const struct ddb_read *r, const struct expr_key_cond *cond, size_t i,
                          struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    struct str name = key->part[i].name;
    bool hash = i < key->hash_count;
    if (key->hash_count > 1 && hash) /* unverified: as above */
        return FAIL(r,
                    "HASH key attributes %.*s must have equality conditions specified in the query",
                    STR_ARG(name));
    if (hash || (key->range_count == 1 && cond->count > key->hash_count))
        return FAIL(r, "Query condition missed key schema element: %.*s", STR_ARG(name));
    return true;
}

/* Of several sort key parts the last one that has a condition may have any, those before it need
 * equality. */
static bool check_order(const struct ddb_read *r, const struct expr_key_cond *cond,
                        struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    struct str open = STR(""); /* names before i that have no equality */
    size_t matched = 0;
    for (size_t i = 0; i < key_parts(key); i++) {
        const struct expr_key_term *term = find_term(cond, key->part[i].name);
        struct str name = key->part[i].name;
        matched += term != NULL;
        if (term != NULL && open.n > 0)
            return FAIL(r,
                        "RANGE key attributes %.*s must have equality conditions specified in the "
                        "query because a condition is present on key attribute %.*s",
                        STR_ARG(open), STR_ARG(name));
        if (i >= key->hash_count && (term == NULL || term->op != KEY_EQ))
            open = arena_fmt(r->arena, "%.*s%s%.*s", STR_ARG(open), open.n > 0 ? ", " : "",
                             STR_ARG(name));
    }
    return matched == cond->count || FAIL(r, "Query key condition not supported");
}

static bool check_condition(const struct ddb_read *r, const struct expr_key_cond *cond,
                            const struct item *start, struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    size_t parts = key_parts(key);
    if (cond->count > parts && parts > 1)
        return FAIL(r,
                    "The number of query conditions (%zu) exceeds the number of key attributes "
                    "defined in the schema (%zu)",
                    cond->count, parts);
    if (start != NULL && start->count != start_key_size(r))
        return FAIL(r, START_INVALID);
    for (size_t i = 0; i < parts; i++) {
        const struct expr_key_term *term = find_term(cond, key->part[i].name);
        if (start != NULL && !check_start_part(r, start, i, err))
            return false;
        if (parts == 1 && cond->count > 1)
            return FAIL(r, "Query key condition not supported");
        if (term == NULL ? !check_missing(r, cond, i, err) : !check_term(r, term, i, err))
            return false;
    }
    return check_order(r, cond, err);
}

static bool term_matches(const struct ddb_read *r, const struct expr_key_term *term,
                         const struct attr *at)
{
    struct str value = attr_key_bytes(at, r->arena), low = attr_key_bytes(&term->low, r->arena);
    int order = str_cmp(value, low);
    switch (term->op) {
    case KEY_EQ:
        return order == 0;
    case KEY_LT:
        return order < 0;
    case KEY_LE:
        return order <= 0;
    case KEY_GT:
        return order > 0;
    case KEY_GE:
        return order >= 0;
    case KEY_BETWEEN:
        return order >= 0 && str_cmp(value, attr_key_bytes(&term->high, r->arena)) <= 0;
    case KEY_BEGINS_WITH:
        return str_starts(value, low);
    case KEY_NOT_INDEXABLE:
        break;
    }
    PANIC("key operator %d", term->op);
}

/* Is the start key among what the condition selects? */
static bool check_start_inside(const struct ddb_read *r, const struct expr_key_cond *cond,
                               const struct item *start, struct aws_err *err)
{
    const struct key_schema *key = read_schema(r);
    bool same_hash = true, ranged = false;
    for (size_t i = 0; i < key_parts(key); i++) {
        const struct expr_key_term *term = find_term(cond, key->part[i].name);
        bool matches = term == NULL || term_matches(r, term, item_find(start, key->part[i].name));
        if (i < key->hash_count) {
            same_hash = same_hash && matches;
            continue;
        }
        ranged = ranged || term != NULL;
        if (!matches)
            return FAIL(r, "The provided starting key does not match the range key predicate");
    }
    if (same_hash)
        return true;
    if (ranged)
        return FAIL(r, "The query can return at most one row and cannot be restarted");
    return FAIL(r, "The provided starting key is outside query boundaries based on provided "
                   "conditions");
}

/* ---- ranges ---- */

/* The bytes just above v: nothing lies between. */
static struct str just_after(struct str v, struct arena *a)
{
    char *out = arena_alloc(a, v.n + 1);
    if (v.n > 0)
        memcpy(out, v.p, v.n);
    return (struct str){out, v.n + 1};
}

static void set_table_range(struct ddb_read *r, const struct expr_key_cond *cond)
{
    const struct key_schema *key = &r->t->key;
    const struct expr_key_term *hash = find_term(cond, key->part[0].name);
    const struct expr_key_term *term =
        key->range_count > 0 ? find_term(cond, key->part[1].name) : NULL;
    struct key_hash *hk = ARENA_NEW(r->arena, struct key_hash);
    key_hash_make(attr_key_bytes(&hash->low, r->arena), hk);
    r->from.hk = r->to.hk = (struct str){(const char *)hk->bytes, hk->n};
    r->from.sk = STR("");
    r->to.sk = store_key_end();
    if (term == NULL)
        return;
    struct str low = attr_key_bytes(&term->low, r->arena), high = low;
    if (term->op == KEY_BETWEEN)
        high = attr_key_bytes(&term->high, r->arena);
    if (term->op == KEY_GT)
        r->from.sk = just_after(low, r->arena);
    else if (term->op != KEY_LT && term->op != KEY_LE)
        r->from.sk = low;
    if (term->op == KEY_LT)
        r->to.sk = low;
    else if (term->op == KEY_EQ || term->op == KEY_LE || term->op == KEY_BETWEEN)
        r->to.sk = just_after(high, r->arena);
    else if (term->op == KEY_BEGINS_WITH)
        r->to.sk = index_key_after(low, r->arena);
    if (r->to.sk.n == 0) /* begins with FF FF ...: up to the end */
        r->to.sk = store_key_end();
}

static struct str key_with(const struct index_key *k, struct str value, bool open, struct arena *a)
{
    struct index_key copy = {arena_alloc_raw(a, k->cap), k->n, k->cap};
    memcpy(copy.p, k->p, k->n);
    if (open)
        index_key_add_open(&copy, value);
    else
        index_key_add(&copy, value);
    return index_key_view(&copy);
}

/* The last part that has a condition which is not an equality. */
static void narrow(struct ddb_read *r, const struct index_key *k, const struct expr_key_term *term)
{
    struct arena *a = r->arena;
    struct str low = attr_key_bytes(&term->low, a);
    struct str at_low = key_with(k, low, term->op == KEY_BEGINS_WITH, a);
    if (term->op == KEY_GT)
        r->from.hk = index_key_after(at_low, a);
    else if (term->op != KEY_LT && term->op != KEY_LE)
        r->from.hk = at_low;
    if (term->op == KEY_LT)
        r->to.hk = at_low;
    else if (term->op == KEY_LE || term->op == KEY_BEGINS_WITH)
        r->to.hk = index_key_after(at_low, a);
    else if (term->op == KEY_BETWEEN)
        r->to.hk = index_key_after(key_with(k, attr_key_bytes(&term->high, a), false, a), a);
}

static void set_index_range(struct ddb_read *r, const struct expr_key_cond *cond)
{
    const struct key_schema *key = &r->x->key;
    const struct expr_key_term *last = NULL;
    struct str value[TABLE_KEY_PARTS_MAX];
    struct index_key k;
    for (size_t i = 0; i < key->hash_count; i++)
        value[i] = attr_key_bytes(&find_term(cond, key->part[i].name)->low, r->arena);
    index_key_begin(&k, value, key->hash_count, (key->range_count + 1u) * KEY_RANGE_MAX, r->arena);
    for (size_t i = key->hash_count; i < key_parts(key) && last == NULL; i++) {
        const struct expr_key_term *term = find_term(cond, key->part[i].name);
        if (term == NULL)
            break;
        if (term->op == KEY_EQ)
            index_key_add(&k, attr_key_bytes(&term->low, r->arena));
        else
            last = term;
    }
    r->from = (struct store_key){index_key_view(&k), STR("")};
    r->to = (struct store_key){index_key_after(index_key_view(&k), r->arena), STR("")};
    if (last != NULL)
        narrow(r, &k, last);
    if (r->to.hk.n == 0)
        r->to.hk = store_key_end();
}

static struct store_key position_of(const struct ddb_read *r, const struct item *item)
{
    const struct key_schema *key = &r->t->key;
    struct key_hash *hk = ARENA_NEW(r->arena, struct key_hash);
    struct store_key at = {.sk = STR("")};
    key_hash_make(attr_key_bytes(item_find(item, key->part[0].name), r->arena), hk);
    at.hk = (struct str){(const char *)hk->bytes, hk->n};
    if (key->range_count > 0)
        at.sk = attr_key_bytes(item_find(item, key->part[1].name), r->arena);
    if (r->x != NULL)
        at = (struct store_key){index_key_of_item(r->x, item, &at, r->arena), STR("")};
    return at;
}

static int compare_keys(const struct store_key *a, const struct store_key *b)
{
    int order = str_cmp(a->hk, b->hk);
    return order != 0 ? order : str_cmp(a->sk, b->sk);
}

void read_go_on_after(struct ddb_read *r, const struct store_key *at)
{
    if (r->backward) {
        if (compare_keys(at, &r->to) < 0)
            r->to = *at;
        return;
    }
    struct store_key next = *at;
    if (r->x != NULL)
        next.hk = just_after(at->hk, r->arena);
    else
        next.sk = just_after(at->sk, r->arena);
    if (compare_keys(&next, &r->from) > 0)
        r->from = next;
}

void ddb_read_after(struct ddb_read *r, const struct item *key)
{
    struct store_key at = position_of(r, key);
    read_go_on_after(r, &at);
}

bool ddb_read_partition(struct ddb_read *r, const struct expr_key_cond *cond,
                        const struct item *start, struct aws_err *err)
{
    if (!check_condition(r, cond, start, err))
        return false;
    if (start != NULL &&
        (!check_start_table(r, start, err) || !check_start_inside(r, cond, start, err)))
        return false;
    if (r->x != NULL)
        set_index_range(r, cond);
    else
        set_table_range(r, cond);
    if (start != NULL)
        ddb_read_after(r, start);
    return true;
}

/* ---- segments ---- */

static struct str prefix_bytes(uint32_t prefix, struct arena *a)
{
    if (prefix >= 1u << 24)
        return store_key_end();
    char bytes[KEY_PREFIX] = {(char)(prefix >> 16), (char)(prefix >> 8), (char)prefix};
    return arena_str(a, (struct str){bytes, KEY_PREFIX});
}

static bool check_scan_start(const struct ddb_read *r, const struct item *start,
                             struct aws_err *err)
{
    if (start->count != start_key_size(r))
        return FAIL(r, "%s", r->x != NULL ? START_INVALID : START_INVALID ": " SCHEMA_INVALID);
    for (size_t i = 0; r->x != NULL && i < key_parts(&r->x->key); i++) {
        if (!check_start_part(r, start, i, err))
            return false;
    }
    return check_start_table(r, start, err);
}

bool ddb_read_segment(struct ddb_read *r, uint32_t segment, uint32_t total,
                      const struct item *start, struct aws_err *err)
{
    r->from =
        (struct store_key){prefix_bytes(key_segment_start(segment, total), r->arena), STR("")};
    r->to =
        (struct store_key){prefix_bytes(key_segment_start(segment + 1, total), r->arena), STR("")};
    r->is_scan = true;
    if (start == NULL)
        return true;
    if (!check_scan_start(r, start, err))
        return false;
    struct store_key at = position_of(r, start);
    if (compare_keys(&at, &r->from) < 0 || compare_keys(&at, &r->to) >= 0)
        return FAIL(r,
                    START_INVALID
                    ": Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct "
                    "Segment. TotalSegments: %u Segment: %u",
                    total, segment);
    read_go_on_after(r, &at);
    return true;
}
