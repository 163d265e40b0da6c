#include "table.h"
#include "arn.h"
#include "clock.h"
#include <stdlib.h>
#include <string.h>

bool key_has(const struct key_schema *key, struct str name)
{
    for (size_t i = 0; i < key_parts(key); i++) {
        if (str_eq(key->part[i].name, name))
            return true;
    }
    return false;
}

static struct str text_of(const struct table *t, struct jval v, const char *key)
{
    return jval_text(jval_get(v, key), t->arena);
}

static char type_of(const struct table *t, struct str name)
{
    struct jval it = {0};
    while (jval_next(jval_get(t->def, "AttributeDefinitions"), &it, NULL)) {
        struct str type = text_of(t, it, "AttributeType");
        if (type.n == 1 && str_eq(text_of(t, it, "AttributeName"), name))
            return type.p[0];
    }
    return 0;
}

static bool parse_key(const struct table *t, struct jval keys, struct key_schema *ret)
{
    struct jval it = {0};
    size_t n = 0;
    while (jval_next(keys, &it, NULL)) {
        if (n == TABLE_KEY_PARTS_MAX)
            return false;
        bool hash = str_eq_c(text_of(t, it, "KeyType"), "HASH");
        struct str name = text_of(t, it, "AttributeName");
        ret->part[n++] = (struct key_part){name, type_of(t, name)};
        ret->hash_count = (uint8_t)(ret->hash_count + hash);
        ret->range_count = (uint8_t)(ret->range_count + !hash);
        if (ret->part[n - 1].type == 0 || (hash && ret->range_count > 0))
            return false;
    }
    return ret->hash_count > 0;
}

static bool parse_index(const struct table *t, struct jval def, bool global, struct index *ret)
{
    struct jval projection = jval_get(def, "Projection"), it = {0};
    struct jval non_key = jval_get(projection, "NonKeyAttributes");
    struct str type = text_of(t, projection, "ProjectionType");
    ret->name = text_of(t, def, "IndexName");
    ret->global = global;
    ret->def = def;
    ret->projection = str_eq_c(type, "ALL")       ? PROJECT_ALL
                      : str_eq_c(type, "INCLUDE") ? PROJECT_INCLUDE
                                                  : PROJECT_KEYS_ONLY;
    ret->non_key = ARENA_ARRAY(t->arena, struct str, jval_count(non_key));
    while (jval_next(non_key, &it, NULL))
        ret->non_key[ret->non_key_count++] = jval_text(it, t->arena);
    return ret->name.n > 0 && parse_key(t, jval_get(def, "KeySchema"), &ret->key);
}

bool table_parse(struct table *t)
{
    static const char *const lists[] = {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++)
        count += jval_count(jval_get(t->def, lists[i]));
    t->indexes = ARENA_ARRAY(t->arena, struct index, count);
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_next(jval_get(t->def, lists[i]), &it, NULL)) {
            if (!parse_index(t, it, i == 0, &t->indexes[t->index_count++]))
                return false;
        }
        if (i == 0)
            t->global_count = t->index_count;
    }
    t->on_demand = str_eq_c(text_of(t, t->def, "BillingMode"), "PAY_PER_REQUEST");
    jval_bool(jval_get(t->def, "DeletionProtectionEnabled"), &t->deletion_protected);
    jval_i64(jval_get(t->def, "StreamId"), &t->stream_id);
    t->ttl_attr = text_of(t, t->def, "TtlAttribute");
    jval_bool(jval_get(t->def, "History"), &t->history);
    jval_i64(jval_get(t->def, "PitrSinceMs"), &t->pitr_since_ms);
    jval_i64(jval_get(t->def, "PitrDays"), &t->pitr_days);
    t->restoring = jval_present(jval_get(t->def, "Restoring"));
    jval_bool(jval_get(t->def, "TtlFilling"), &t->ttl_filling);
    struct str resource = arena_fmt(t->arena, "table/%.*s", STR_ARG(t->name));
    t->arn = arn_format(t->arena, "dynamodb", t->region, t->account, resource);
    return parse_key(t, jval_get(t->def, "KeySchema"), &t->key) && t->key.hash_count == 1 &&
           t->key.range_count <= 1;
}

static void copy_member(struct jval def, const char *name, struct json_out *out)
{
    struct jval v = jval_get(def, name);
    if (jval_present(v))
        json_raw(out, name, jval_raw(v));
}

int64_t table_number(struct jval object, const char *name, int64_t otherwise)
{
    jval_i64(jval_get(object, name), &otherwise);
    return otherwise;
}

void table_write_time(struct json_out *out, const char *key, int64_t ms)
{
    if (ms > 0)
        json_double(out, key, (double)ms / 1000.0);
}

/* The stored object has our notes of when it was changed (table_update.c) beside AWS's members. */
static void write_throughput(const struct table *t, struct jval def, struct json_out *out)
{
    struct jval given = jval_get(def, "ProvisionedThroughput");
    int64_t today = clock_now_ms() / 86400000;
    json_obj(out, "ProvisionedThroughput");
    table_write_time(out, "LastIncreaseDateTime", table_number(given, "LastIncreaseMs", 0));
    table_write_time(out, "LastDecreaseDateTime", table_number(given, "LastDecreaseMs", 0));
    json_i64(out, "NumberOfDecreasesToday",
             table_number(given, "DecreaseDay", 0) == today ? table_number(given, "Decreases", 0)
                                                            : 0);
    json_i64(out, "ReadCapacityUnits",
             t->on_demand ? 0 : table_number(given, "ReadCapacityUnits", 0));
    json_i64(out, "WriteCapacityUnits",
             t->on_demand ? 0 : table_number(given, "WriteCapacityUnits", 0));
    json_end(out);
}

void table_warm(bool on_demand, struct jval def, int64_t ret[2])
{
    static const char *const warm_names[] = {"ReadUnitsPerSecond", "WriteUnitsPerSecond"};
    static const char *const units_names[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    static const int64_t initial[] = {12000, 4000};
    struct jval warm = jval_get(def, "WarmThroughput");
    struct jval units = jval_get(def, "ProvisionedThroughput");
    for (int i = 0; i < 2; i++) {
        int64_t least = on_demand ? initial[i] : table_number(units, units_names[i], 1);
        ret[i] = table_number(warm, warm_names[i], least);
        ret[i] = ret[i] < least ? least : ret[i];
    }
}

/* Always there, but in the reply of the call that creates the thing only if it was asked for. */
static void write_warm(const struct table *t, struct jval def, const char *status,
                       struct json_out *out)
{
    int64_t units[2];
    bool creating = strcmp(status, "CREATING") == 0;
    if (creating && !jval_present(jval_get(def, "WarmThroughput")))
        return;
    table_warm(t->on_demand, def, units);
    json_obj(out, "WarmThroughput");
    json_i64(out, "ReadUnitsPerSecond", units[0]);
    json_i64(out, "WriteUnitsPerSecond", units[1]);
    json_cstr(out, "Status", creating ? "UPDATING" : "ACTIVE");
    json_end(out);
}

static const char *index_status(const struct index *x, const struct table_state *state)
{
    if (strcmp(state->status, "CREATING") == 0 || strcmp(state->status, "DELETING") == 0)
        return state->status;
    if (str_eq(x->name, state->index))
        return state->index_status;
    return x->filling ? "CREATING" : "ACTIVE";
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* AWS sorts NonKeyAttributes. */
static void write_projection(const struct index *x, struct arena *a, struct json_out *out)
{
    struct str *names = ARENA_ARRAY(a, struct str, x->non_key_count);
    json_obj(out, "Projection");
    copy_member(jval_get(x->def, "Projection"), "ProjectionType", out);
    if (x->non_key_count > 0) {
        for (size_t i = 0; i < x->non_key_count; i++)
            names[i] = x->non_key[i];
        qsort(names, x->non_key_count, sizeof *names, compare_names);
        json_arr(out, "NonKeyAttributes");
        for (size_t i = 0; i < x->non_key_count; i++)
            json_str(out, NULL, names[i]);
        json_end(out);
    }
    json_end(out);
}

static void write_index(const struct table *t, const struct index *x,
                        const struct table_state *state, struct arena *a, struct json_out *out)
{
    json_obj(out, NULL);
    json_str(out, "IndexName", x->name);
    copy_member(x->def, "KeySchema", out);
    write_projection(x, a, out);
    if (x->global) {
        const char *status = index_status(x, state);
        json_cstr(out, "IndexStatus", status);
        /* of an index that UpdateTable adds: first room is made for it, then it is filled */
        if (strcmp(status, "CREATING") == 0 && strcmp(state->status, "CREATING") != 0)
            json_bool(out, "Backfilling", !str_eq(x->name, state->index));
        write_throughput(t, x->def, out);
        copy_member(x->def, "OnDemandThroughput", out);
        write_warm(t, x->def, status, out);
    }
    json_i64(out, "IndexSizeBytes", x->bytes);
    json_i64(out, "ItemCount", x->items);
    json_str(out, "IndexArn", arena_fmt(a, "%.*s/index/%.*s", STR_ARG(t->arn), STR_ARG(x->name)));
    json_end(out);
}

static void write_indexes(const struct table *t, bool global, const struct table_state *state,
                          struct arena *a, struct json_out *out)
{
    size_t from = global ? 0 : t->global_count;
    size_t to = global ? t->global_count : t->index_count;
    if (from == to)
        return;
    json_arr(out, global ? "GlobalSecondaryIndexes" : "LocalSecondaryIndexes");
    for (size_t i = from; i < to; i++)
        write_index(t, &t->indexes[i], state, a, out);
    json_end(out);
}

/* A closed stream stays the latest; its specification goes. */
static void write_stream(const struct table *t, struct arena *a, struct json_out *out)
{
    struct str label = jval_text(jval_get(t->def, "StreamLabel"), a);
    if (t->stream_id != 0)
        copy_member(t->def, "StreamSpecification", out);
    if (label.n == 0)
        return;
    json_str(out, "LatestStreamLabel", label);
    json_str(out, "LatestStreamArn",
             arena_fmt(a, "%.*s/stream/%.*s", STR_ARG(t->arn), STR_ARG(label)));
}

void table_describe_encryption(const struct table *t, struct arena *a, struct json_out *out)
{
    struct jval spec = jval_get(t->def, "SSESpecification");
    if (!table_encrypted(spec, a))
        return;
    struct str key = jval_text(jval_get(spec, "KMSMasterKeyId"), a);
    struct str id = jval_text(jval_get(t->def, "TableId"), a);
    if (key.n == 0) /* the account's own key for DynamoDB: any stable one */
        key = arn_format(a, "kms", t->region, t->account, arena_fmt(a, "key/%.*s", STR_ARG(id)));
    else if (!str_starts(key, STR("arn:")))
        key = arn_format(a, "kms", t->region, t->account, arena_fmt(a, "key/%.*s", STR_ARG(key)));
    json_obj(out, "SSEDescription");
    json_cstr(out, "Status", "ENABLED");
    json_cstr(out, "SSEType", "KMS");
    json_str(out, "KMSMasterKeyArn", key);
    json_end(out);
}

/* Only of tables that are, or once were, billed by request. */
static void write_billing(const struct table *t, bool creating, struct json_out *out)
{
    int64_t since = table_number(t->def, "PayPerRequestMs",
                                 t->on_demand ? table_number(t->def, "CreatedMs", 0) : 0);
    if (since == 0)
        return;
    json_obj(out, "BillingModeSummary");
    json_cstr(out, "BillingMode", t->on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    if (!creating)
        table_write_time(out, "LastUpdateToPayPerRequestDateTime", since);
    json_end(out);
}

static void write_restore(const struct table *t, struct json_out *out)
{
    struct jval from = jval_get(t->def, "Restoring");
    if (!t->restoring)
        return;
    json_obj(out, "RestoreSummary");
    copy_member(from, "SourceBackupArn", out);
    copy_member(from, "SourceTableArn", out);
    table_write_time(out, "RestoreDateTime", table_number(from, "RestoreMs", 0));
    json_bool(out, "RestoreInProgress", true);
    json_end(out);
}

void table_describe_as(const struct table *t, const struct table_state *state, struct arena *a,
                       struct json_out *out, const char *key)
{
    struct str class = jval_text(jval_get(t->def, "TableClass"), a);
    json_obj(out, key);
    copy_member(t->def, "AttributeDefinitions", out);
    json_str(out, "TableName", t->name);
    copy_member(t->def, "KeySchema", out);
    json_cstr(out, "TableStatus", state->status);
    table_write_time(out, "CreationDateTime", table_number(t->def, "CreatedMs", 0));
    write_throughput(t, t->def, out);
    json_i64(out, "TableSizeBytes", t->bytes);
    json_i64(out, "ItemCount", t->items);
    json_str(out, "TableArn", t->arn);
    json_str(out, "TableId", jval_text(jval_get(t->def, "TableId"), a));
    write_billing(t, strcmp(state->status, "CREATING") == 0, out);
    write_indexes(t, false, state, a, out);
    write_indexes(t, true, state, a, out);
    write_stream(t, a, out);
    table_describe_encryption(t, a, out);
    if (class.n > 0) {
        json_obj(out, "TableClassSummary");
        json_str(out, "TableClass", class);
        json_end(out);
    }
    copy_member(t->def, "OnDemandThroughput", out);
    write_warm(t, t->def, state->status, out);
    write_restore(t, out);
    json_bool(out, "DeletionProtectionEnabled", t->deletion_protected);
    json_end(out);
}

void table_describe(const struct table *t, const char *status, struct arena *a,
                    struct json_out *out, const char *key)
{
    struct table_state state = {.status = status};
    table_describe_as(t, &state, a, out, key);
}
