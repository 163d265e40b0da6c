/* What CreateTable checks beyond the model, in the order AWS was recorded to report it, with its
 * messages (facts/dynamodb.md 129, 131; issue tests of dynalite, captures of 2026). Texts nobody
 * has recorded are marked. */
#include "panic.h"
#include "table.h"
#include "tags.h"
#include <stdlib.h>
#include <string.h>

#define INVALID "One or more parameter values were invalid: "
enum {
    TABLE_UNITS_MAX_BILLIONS = 1000,
    GSI_PARTS_MAX = 4,
    PROJECTED_TOTAL_MAX = 100,
};

struct checker {
    struct arena *a;
    struct aws_err *err;
    struct jval in, defs, keys, gsis, lsis;
    bool on_demand;
};

#define FAIL(c, ...) aws_fail((c)->err, (c)->a, &AWS_ValidationException, __VA_ARGS__)

static struct str text_of(struct checker *c, struct jval v, const char *key)
{
    return jval_text(jval_get(v, key), c->a);
}

static bool is_defined(struct checker *c, struct str name)
{
    struct jval it = {0};
    while (jval_next(c->defs, &it, NULL)) {
        if (str_eq(text_of(c, it, "AttributeName"), name))
            return true;
    }
    return false;
}

/* "a, b" of the AttributeNames of a KeySchema or AttributeDefinitions. */
static struct str name_list(struct checker *c, struct jval list)
{
    struct buf *b = arena_new_buf(c->a, 1 << 20);
    struct jval it = {0};
    while (jval_next(list, &it, NULL)) {
        if (b->n > 0)
            buf_add(b, STR(", "));
        buf_add(b, text_of(c, it, "AttributeName"));
    }
    return buf_view(b);
}

static bool check_present(struct checker *c)
{
    struct buf *b = arena_new_buf(c->a, 1 << 20);
    int missing = !jval_present(c->defs) + !jval_present(c->keys);
    struct jval it = {0};
    if (missing > 0) {
        buf_addf(b, "%d validation error%s detected: ", missing, missing > 1 ? "s" : "");
        if (!jval_present(c->defs))
            buf_add(b, STR("Value null at 'attributeDefinitions' failed to satisfy constraint: "
                           "Member must not be null"));
        if (missing > 1)
            buf_add(b, STR("; "));
        if (!jval_present(c->keys))
            buf_add(b, STR("Value null at 'keySchema' failed to satisfy constraint: Member must "
                           "not be null"));
        return FAIL(c, "%.*s", STR_ARG(buf_view(b)));
    }
    if (jval_count(c->keys) <= 2)
        return true;
    while (jval_next(c->keys, &it, NULL))
        buf_addf(b, "%sKeySchemaElement(attributeName=%.*s, keyType=%.*s)", b->n > 0 ? ", " : "",
                 STR_ARG(text_of(c, it, "AttributeName")), STR_ARG(text_of(c, it, "KeyType")));
    return FAIL(c,
                "1 validation error detected: Value '[%.*s]' at 'keySchema' failed to satisfy "
                "constraint: Member must have length less than or equal to 2",
                STR_ARG(buf_view(b)));
}

static bool check_units(struct checker *c, struct jval throughput)
{
    static const char *const names[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    for (int i = 0; i < 2; i++) {
        int64_t units;
        if (!jval_i64(jval_get(throughput, names[i]), &units) ||
            units > (int64_t)TABLE_UNITS_MAX_BILLIONS * 1000000000)
            return FAIL(c, "Given value %.*s for %s is out of bounds",
                        STR_ARG(jval_raw(jval_get(throughput, names[i]))), names[i]);
    }
    return true;
}

static bool check_billing(struct checker *c)
{
    struct jval throughput = jval_get(c->in, "ProvisionedThroughput");
    c->on_demand = str_eq_c(text_of(c, c->in, "BillingMode"), "PAY_PER_REQUEST");
    if (c->on_demand && jval_present(throughput))
        return FAIL(c, INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
                               "when BillingMode is PAY_PER_REQUEST");
    if (c->on_demand)
        return true;
    if (!jval_present(throughput))
        return FAIL(c, INVALID "ReadCapacityUnits and WriteCapacityUnits must both be specified "
                               "when BillingMode is PROVISIONED");
    return check_units(c, throughput);
}

/* HASH first, then at most one RANGE; GSIs may have up to four of each. */
static bool check_key_types(struct checker *c, struct jval keys, bool composite)
{
    struct jval it = {0};
    size_t hashes = 0, ranges = 0, n = jval_count(keys);
    if (!str_eq_c(text_of(c, jval_at(keys, 0), "KeyType"), "HASH"))
        return FAIL(c, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    if (!composite) {
        if (n == 2 && !str_eq_c(text_of(c, jval_at(keys, 1), "KeyType"), "RANGE"))
            return FAIL(c,
                        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
        return true;
    }
    while (jval_next(keys, &it, NULL)) {
        bool hash = str_eq_c(text_of(c, it, "KeyType"), "HASH");
        if (hash && ranges > 0)
            return FAIL(c, INVALID "All HASH key attributes must precede RANGE key attributes in "
                                   "the KeySchema");
        hashes += hash;
        ranges += !hash;
    }
    if (hashes > GSI_PARTS_MAX || ranges > GSI_PARTS_MAX)
        return FAIL(c,
                    INVALID "The KeySchema exceeds the maximum allowed number of %s key attributes",
                    hashes > GSI_PARTS_MAX ? "HASH" : "RANGE");
    return true;
}

static bool check_same_names(struct checker *c, struct jval keys)
{
    struct jval it = {0};
    for (size_t i = 0; jval_next(keys, &it, NULL); i++) {
        struct jval other = {0};
        for (size_t k = 0; k < i && jval_next(keys, &other, NULL); k++) {
            if (str_eq(text_of(c, it, "AttributeName"), text_of(c, other, "AttributeName")))
                return jval_count(keys) > 2
                           ? FAIL(c, "The KeySchema contains multiple key attributes with the "
                                     "same name")
                           : FAIL(c, "Both the Hash Key and the Range Key element in the KeySchema "
                                     "have "
                                     "the same name");
        }
    }
    return true;
}

static bool check_defined(struct checker *c, struct jval keys)
{
    struct jval it = {0};
    while (jval_next(keys, &it, NULL)) {
        if (!is_defined(c, text_of(c, it, "AttributeName")))
            return FAIL(c,
                        INVALID "Some index key attributes are not defined in "
                                "AttributeDefinitions. Keys: [%.*s], AttributeDefinitions: [%.*s]",
                        STR_ARG(name_list(c, keys)), STR_ARG(name_list(c, c->defs)));
    }
    return true;
}

static bool check_table_key(struct checker *c)
{
    struct jval it = {0};
    if (jval_count(c->keys) > jval_count(c->defs))
        return FAIL(c, "Invalid KeySchema: Some index key attribute have no definition");
    for (size_t i = 0; jval_next(c->defs, &it, NULL); i++) {
        struct jval other = {0};
        for (size_t k = 0; k < i && jval_next(c->defs, &other, NULL); k++) {
            if (str_eq(text_of(c, it, "AttributeName"), text_of(c, other, "AttributeName")))
                return FAIL(c, "Attribute Name is duplicated: %.*s",
                            STR_ARG(text_of(c, it, "AttributeName")));
        }
    }
    return check_defined(c, c->keys) && check_same_names(c, c->keys) &&
           check_key_types(c, c->keys, false);
}

static bool check_projection(struct checker *c, struct jval index, size_t *total)
{
    struct jval projection = jval_get(index, "Projection");
    struct jval others = jval_get(projection, "NonKeyAttributes"), it = {0};
    struct str type = text_of(c, projection, "ProjectionType");
    bool include = str_eq_c(type, "INCLUDE");
    if (type.n == 0)
        return FAIL(c, INVALID "Unknown ProjectionType: null");
    if (jval_present(others) && !include)
        return FAIL(c, INVALID "ProjectionType is %.*s, but NonKeyAttributes is specified",
                    STR_ARG(type));
    if (!jval_present(others) && include)
        return FAIL(c, INVALID "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    for (size_t i = 0; jval_next(others, &it, NULL); i++) {
        struct jval other = {0};
        for (size_t k = 0; k < i && jval_next(others, &other, NULL); k++) {
            if (str_eq(jval_text(it, c->a), jval_text(other, c->a)))
                return FAIL(c, INVALID "Duplicate element in NonKeyAttributes: %.*s",
                            STR_ARG(jval_text(it, c->a)));
        }
    }
    *total += jval_count(others);
    if (*total > PROJECTED_TOTAL_MAX) /* unverified: the text */
        return FAIL(c,
                    INVALID "Number of projected attributes over all indexes exceeds the limit "
                            "of %d",
                    PROJECTED_TOTAL_MAX);
    return true;
}

static bool check_unique_name(struct checker *c, struct jval index)
{
    struct str name = text_of(c, index, "IndexName");
    struct jval lists[] = {c->lsis, c->gsis};
    size_t seen = 0;
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_next(lists[i], &it, NULL))
            seen += str_eq(text_of(c, it, "IndexName"), name);
    }
    return seen <= 1 || FAIL(c, INVALID "Duplicate index name: %.*s", STR_ARG(name));
}

static bool check_lsi(struct checker *c, struct jval index, size_t *total)
{
    struct jval keys = jval_get(index, "KeySchema");
    struct str name = text_of(c, index, "IndexName");
    struct str hash = text_of(c, jval_at(keys, 0), "AttributeName");
    struct str table_hash = text_of(c, jval_at(c->keys, 0), "AttributeName");
    if (!check_defined(c, keys) || !check_same_names(c, keys) || !check_key_types(c, keys, false))
        return false;
    if (jval_count(keys) != 2)
        return FAIL(c, INVALID "Index KeySchema does not have a range key for index: %.*s",
                    STR_ARG(name));
    if (!str_eq(hash, table_hash))
        return FAIL(c,
                    INVALID "Index KeySchema does not have the same leading hash key as table "
                            "KeySchema for index: %.*s. index hash key: %.*s, table hash key: %.*s",
                    STR_ARG(name), STR_ARG(hash), STR_ARG(table_hash));
    return check_projection(c, index, total) && check_unique_name(c, index);
}

static bool check_lsis(struct checker *c, size_t *total)
{
    struct jval it = {0};
    if (!jval_present(c->lsis))
        return true;
    if (jval_count(c->lsis) == 0)
        return FAIL(c, INVALID "List of LocalSecondaryIndexes is empty");
    if (jval_count(c->keys) != 2)
        return FAIL(c, INVALID "Table KeySchema does not have a range key, which is required when "
                               "specifying a LocalSecondaryIndex");
    while (jval_next(c->lsis, &it, NULL)) {
        if (!check_lsi(c, it, total))
            return false;
    }
    if (jval_count(c->lsis) > TABLE_LSI_MAX)
        return FAIL(c, INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
                    TABLE_LSI_MAX);
    return true;
}

static bool check_gsi(struct checker *c, struct jval index, size_t *total)
{
    struct jval keys = jval_get(index, "KeySchema");
    struct jval throughput = jval_get(index, "ProvisionedThroughput");
    struct str name = text_of(c, index, "IndexName");
    if (!check_defined(c, keys) || !check_same_names(c, keys) || !check_key_types(c, keys, true) ||
        !check_projection(c, index, total))
        return false;
    if (c->on_demand && jval_present(throughput))
        return FAIL(c,
                    INVALID "ProvisionedThroughput should not be specified for index: %.*s when "
                            "BillingMode is PAY_PER_REQUEST",
                    STR_ARG(name));
    if (!c->on_demand && !jval_present(throughput))
        return FAIL(c, INVALID "ProvisionedThroughput is not specified for index: %.*s",
                    STR_ARG(name));
    return (c->on_demand || check_units(c, throughput)) && check_unique_name(c, index);
}

static bool check_gsis(struct checker *c, size_t *total)
{
    struct jval it = {0};
    if (!jval_present(c->gsis))
        return true;
    if (jval_count(c->gsis) == 0)
        return FAIL(c, INVALID "List of GlobalSecondaryIndexes is empty");
    while (jval_next(c->gsis, &it, NULL)) {
        if (!check_gsi(c, it, total))
            return false;
    }
    if (jval_count(c->gsis) > TABLE_GSI_MAX)
        return FAIL(c, INVALID "GlobalSecondaryIndex count exceeds the per-table limit of %d",
                    TABLE_GSI_MAX);
    return true;
}

bool table_keys_use(struct jval keys, struct str name, struct arena *a)
{
    struct jval it = {0};
    while (jval_next(keys, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "AttributeName"), a), name))
            return true;
    }
    return false;
}

bool table_indexes_use(struct jval indexes, struct str name, struct arena *a)
{
    struct jval it = {0};
    while (jval_next(indexes, &it, NULL)) {
        if (table_keys_use(jval_get(it, "KeySchema"), name, a))
            return true;
    }
    return false;
}

/* Every definition must be a key of the table or of an index. */
static bool check_unused_defs(struct checker *c)
{
    struct jval def = {0};
    struct buf *used = arena_new_buf(c->a, 1 << 20);
    bool unused = false;
    while (jval_next(c->defs, &def, NULL)) {
        struct str name = text_of(c, def, "AttributeName");
        bool found = table_keys_use(c->keys, name, c->a) ||
                     table_indexes_use(c->lsis, name, c->a) ||
                     table_indexes_use(c->gsis, name, c->a);
        if (found)
            buf_addf(used, "%s%.*s", used->n > 0 ? ", " : "", STR_ARG(name));
        unused = unused || !found;
    }
    if (!unused)
        return true;
    return FAIL(c,
                INVALID "Some AttributeDefinitions are not used. AttributeDefinitions: [%.*s], "
                        "keys used: [%.*s]",
                STR_ARG(name_list(c, c->defs)), STR_ARG(buf_view(used)));
}

static bool check_stream(struct checker *c)
{
    struct jval spec = jval_get(c->in, "StreamSpecification");
    bool enabled = false, has_view = jval_present(jval_get(spec, "StreamViewType"));
    if (!jval_present(spec))
        return true;
    jval_bool(jval_get(spec, "StreamEnabled"), &enabled);
    if (!enabled && has_view)
        return FAIL(c, INVALID "Table is being created with a stream disabled, UpdateViewType "
                               "should not be specified");
    if (enabled && !has_view)
        return FAIL(c, INVALID "Table is being created with a stream enabled, UpdateViewType is "
                               "required");
    return true;
}

bool table_class_check(struct jval in, struct arena *a, struct aws_err *err)
{
    struct checker c = {.a = a, .err = err};
    struct str class = text_of(&c, in, "TableClass");
    if (!jval_present(jval_get(in, "TableClass")) || str_eq_c(class, "STANDARD") ||
        str_eq_c(class, "STANDARD_INFREQUENT_ACCESS"))
        return true;
    return FAIL(&c, "Invalid table-class parameter provided. Please try again with a valid "
                    "table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].");
}

bool table_encrypted(struct jval spec, struct arena *a)
{
    bool on = str_eq_c(jval_text(jval_get(spec, "SSEType"), a), "KMS");
    jval_bool(jval_get(spec, "Enabled"), &on);
    return on;
}

bool table_encryption_check(struct jval in, struct arena *a, struct aws_err *err)
{
    struct checker c = {.a = a, .err = err};
    struct jval spec = jval_get(in, "SSESpecification"), enabled = jval_get(spec, "Enabled");
    struct str type = text_of(&c, spec, "SSEType");
    bool on = true, has_key = jval_present(jval_get(spec, "KMSMasterKeyId"));
    if (!jval_present(spec))
        return true;
    jval_bool(enabled, &on);
    if (!on && type.n > 0)
        return FAIL(&c, INVALID "SSEType can not be specified if Enabled is false");
    if (!on && has_key)
        return FAIL(&c, INVALID "KMSMasterKeyId can not be specified if Enabled is false");
    if (str_eq_c(type, "AES256"))
        return FAIL(&c, INVALID "SSEType AES256 is not supported");
    if (has_key && type.n == 0)
        return FAIL(&c, INVALID "SSEType KMS is required if KMSMasterKeyId is specified");
    return true;
}

/* OnDemandThroughput and WarmThroughput of the table (index empty) or of an index. */
static bool check_limits(struct checker *c, struct jval of, struct str index)
{
    static const char *const names[][2] = {{"MaxReadRequestUnits", "ReadUnitsPerSecond"},
                                           {"MaxWriteRequestUnits", "WriteUnitsPerSecond"}};
    static const char *const capacity[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    static const int64_t initial[] = {12000, 4000};
    struct jval limits = jval_get(of, "OnDemandThroughput"), warm = jval_get(of, "WarmThroughput");
    struct str what =
        index.n > 0 ? arena_fmt(c->a, "for index : %.*s", STR_ARG(index)) : STR("for table");
    for (int i = 0; i < 2; i++) {
        int64_t n, units = 0;
        jval_i64(jval_get(jval_get(of, "ProvisionedThroughput"), capacity[i]), &units);
        if (jval_i64(jval_get(limits, names[i][0]), &n)) {
            if (!c->on_demand)
                return FAIL(c,
                            INVALID "%s for OnDemandThroughput cannot be specified when the "
                                    "table BillingMode is PROVISIONED",
                            names[i][0]);
            if (n == 0 || n < -1)
                return FAIL(c,
                            INVALID "Requested %s for OnDemandThroughput %.*s is outside of "
                                    "valid range",
                            names[i][0], STR_ARG(what));
        }
        if (!jval_i64(jval_get(warm, names[i][1]), &n))
            continue;
        what = index.n > 0 ? arena_fmt(c->a, "for index %.*s", STR_ARG(index)) : STR("for table");
        if (c->on_demand && n < initial[i]) /* unverified: how the text goes on */
            return FAIL(c,
                        INVALID "Requested %s for WarmThroughput %.*s is lower than initial "
                                "throughput for OnDemand",
                        names[i][1], STR_ARG(what));
        if (!c->on_demand && n < units)
            return FAIL(c,
                        INVALID "Requested %s for WarmThroughput %.*s is lower than %s of "
                                "ProvisionedThroughput",
                        names[i][1], STR_ARG(what), capacity[i]);
    }
    return true;
}

static bool check_all_limits(struct checker *c)
{
    struct jval it = {0};
    if (!check_limits(c, c->in, STR("")))
        return false;
    while (jval_next(c->gsis, &it, NULL)) {
        if (!check_limits(c, it, text_of(c, it, "IndexName")))
            return false;
    }
    return true;
}

/* Lists so long that they cannot be right whatever is in them: the checks below compare each with
 * each. The limits are far above those of AWS, so that its own order of errors stays. */
static bool check_counts(struct checker *c)
{
    enum { DEFS_SANE = 512, INDEXES_SANE = 128, KEYS_SANE = 32 };
    struct jval lists[] = {c->gsis, c->lsis};
    if (jval_count(c->defs) > DEFS_SANE)
        return FAIL(c, INVALID "Number of attributes in KeySchema does not exactly match number of "
                               "attributes defined in AttributeDefinitions");
    if (jval_count(c->gsis) > INDEXES_SANE)
        return FAIL(c, INVALID "GlobalSecondaryIndex count exceeds the per-table limit of %d",
                    TABLE_GSI_MAX);
    if (jval_count(c->lsis) > INDEXES_SANE)
        return FAIL(c, INVALID "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
                    TABLE_LSI_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_next(lists[i], &it, NULL)) {
            if (jval_count(jval_get(it, "KeySchema")) > KEYS_SANE)
                return FAIL(c, "Invalid KeySchema: too many elements"); /* unverified */
        }
    }
    return true;
}

bool table_def_check(struct jval in, struct arena *a, struct aws_err *err)
{
    size_t projected = 0;
    struct checker c = {.a = a,
                        .err = err,
                        .in = in,
                        .defs = jval_get(in, "AttributeDefinitions"),
                        .keys = jval_get(in, "KeySchema"),
                        .gsis = jval_get(in, "GlobalSecondaryIndexes"),
                        .lsis = jval_get(in, "LocalSecondaryIndexes")};
    if (!check_present(&c) || !check_billing(&c) || !check_counts(&c) || !check_table_key(&c))
        return false;
    bool indexed = jval_present(c.gsis) || jval_present(c.lsis);
    if (!indexed && jval_count(c.keys) != jval_count(c.defs))
        return FAIL(&c, INVALID "Number of attributes in KeySchema does not exactly match number "
                                "of attributes defined in AttributeDefinitions");
    return check_lsis(&c, &projected) && check_gsis(&c, &projected) && check_unused_defs(&c) &&
           check_stream(&c) && check_all_limits(&c) && table_encryption_check(in, a, err) &&
           table_class_check(in, a, err) && tags_check(jval_get(in, "Tags"), a, err);
}

bool table_def_check_added(struct jval def, struct str index, bool defs_given, struct arena *a,
                           struct aws_err *err)
{
    struct checker c = {.a = a,
                        .err = err,
                        .in = def,
                        .defs = jval_get(def, "AttributeDefinitions"),
                        .keys = jval_get(def, "KeySchema"),
                        .gsis = jval_get(def, "GlobalSecondaryIndexes"),
                        .lsis = jval_get(def, "LocalSecondaryIndexes")};
    struct jval lists[] = {c.gsis, c.lsis}, added = {0};
    size_t projected = 0;
    c.on_demand = str_eq_c(text_of(&c, def, "BillingMode"), "PAY_PER_REQUEST");
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_next(lists[i], &it, NULL)) {
            if (str_eq(text_of(&c, it, "IndexName"), index))
                added = it;
            else
                projected += jval_count(jval_get(jval_get(it, "Projection"), "NonKeyAttributes"));
        }
    }
    ASSERT(jval_present(added));
    struct jval key = {0};
    while (!defs_given && jval_next(jval_get(added, "KeySchema"), &key, NULL)) {
        if (!is_defined(&c, text_of(&c, key, "AttributeName")))
            return FAIL(&c, INVALID "AttributeDefinitions is not specified for index: %.*s",
                        STR_ARG(index));
    }
    return check_gsi(&c, added, &projected) && check_limits(&c, added, index);
}

static int compare_attrs(const void *a, const void *b)
{
    return str_cmp(((const struct table_attr *)a)->name, ((const struct table_attr *)b)->name);
}

struct str table_attrs_json(struct table_attr *attrs, size_t count, struct arena *a)
{
    struct json_out out;
    struct buf *b = arena_new_buf(a, 16 << 20);
    qsort(attrs, count, sizeof *attrs, compare_attrs);
    json_out_init(&out, b);
    json_arr(&out, NULL);
    for (size_t i = 0; i < count; i++) {
        json_obj(&out, NULL);
        json_str(&out, "AttributeName", attrs[i].name);
        json_str(&out, "AttributeType", attrs[i].type);
        json_end(&out);
    }
    json_end(&out);
    return buf_view(b);
}

static struct str sorted_definitions(struct jval in, struct arena *a)
{
    struct jval defs = jval_get(in, "AttributeDefinitions"), it = {0};
    size_t n = 0;
    struct table_attr *all = ARENA_ARRAY(a, struct table_attr, jval_count(defs));
    while (jval_next(defs, &it, NULL))
        all[n++] = (struct table_attr){jval_text(jval_get(it, "AttributeName"), a),
                                       jval_text(jval_get(it, "AttributeType"), a)};
    return table_attrs_json(all, n, a);
}

struct str table_def_text(struct jval in, const struct table_stamp *stamp, struct arena *a)
{
    static const char *const kept[] = {"TableName",
                                       "KeySchema",
                                       "GlobalSecondaryIndexes",
                                       "LocalSecondaryIndexes",
                                       "BillingMode",
                                       "ProvisionedThroughput",
                                       "OnDemandThroughput",
                                       "WarmThroughput",
                                       "SSESpecification",
                                       "TableClass",
                                       "DeletionProtectionEnabled",
                                       "Tags"};
    struct buf *b = arena_new_buf(a, 16 << 20);
    struct json_out out;
    json_out_init(&out, b);
    json_obj(&out, NULL);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct jval v = jval_get(in, kept[i]);
        if (jval_present(v))
            json_copy(&out, kept[i], v);
    }
    json_raw(&out, "AttributeDefinitions", sorted_definitions(in, a));
    json_cstr(&out, "TableId", stamp->table_id);
    json_i64(&out, "CreatedMs", stamp->created_ms);
    if (stamp->policy.n > 0)
        json_raw(&out, "ResourcePolicyDocument", stamp->policy);
    json_end(&out);
    ASSERT(!b->overflow);
    return buf_view(b);
}

struct str table_def_edit(struct jval def, const struct table_edit *edits, size_t count,
                          struct arena *a)
{
    struct buf *b = arena_new_buf(a, 16 << 20);
    struct json_out out;
    struct jval it = {0};
    struct str key;
    json_out_init(&out, b);
    json_obj(&out, NULL);
    while (jval_next(def, &it, &key)) {
        bool edited = false;
        for (size_t i = 0; i < count && !edited; i++)
            edited = str_eq_c(key, edits[i].name);
        if (edited)
            continue;
        json_key(&out, key);
        json_raw(&out, NULL, jval_raw(it));
    }
    for (size_t i = 0; i < count; i++) {
        if (edits[i].json.n > 0)
            json_raw(&out, edits[i].name, edits[i].json);
    }
    json_end(&out);
    ASSERT(!b->overflow);
    return buf_view(b);
}
