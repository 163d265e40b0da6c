/* What a restored table is like: the overrides of RestoreTableFromBackup and
 * RestoreTableToPointInTime. Streams, TTL, recovery, tags, protection, policy and class do not come
 * along. */
#include "ids.h"
#include "restore.h"

#define INVALID   "Invalid Request: "
#define FAIL(...) aws_fail(&r->c->err, r->c->arena, &AWS_ValidationException, INVALID __VA_ARGS__)

struct making {
    struct call *c;
    struct jval source, units, limits;
    bool was_on_demand, on_demand;
    struct str mode; /* BillingModeOverride */
};

static struct str text_of(struct making *r, struct jval v, const char *name)
{
    return jval_text(jval_get(v, name), r->c->arena);
}

static bool check_billing(struct making *r)
{
    static const char *const names[] = {"MaxReadRequestUnits", "MaxWriteRequestUnits"};
    bool to_provisioned = str_eq_c(r->mode, "PROVISIONED");
    r->was_on_demand = str_eq_c(text_of(r, r->source, "BillingMode"), "PAY_PER_REQUEST");
    r->on_demand = r->mode.n > 0 ? !to_provisioned : r->was_on_demand;
    if (jval_present(r->units) && r->on_demand && r->mode.n > 0)
        return FAIL("Cannot override ProvisionedThroughput if BillingMode is overridden to "
                    "PAY_PER_REQUEST");
    if (jval_present(r->units) && r->on_demand)
        return FAIL("Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED");
    if (to_provisioned && !jval_present(r->units))
        return FAIL("Must override ProvisionedThroughput if BillingMode is overridden to "
                    "PROVISIONED");
    for (int i = 0; i < 2; i++) {
        int64_t n;
        if (!jval_i64(jval_get(r->limits, names[i]), &n))
            continue;
        if (!r->on_demand)
            return FAIL("Cannot override %s for OnDemandThroughput unless BillingModeOverride is "
                        "PAY_PER_REQUEST",
                        names[i]);
        if (n == 0 || n < -1)
            return FAIL("Requested %s for OnDemandThroughput is outside of valid range", names[i]);
    }
    return true;
}

static struct str squeezed(struct making *r, struct jval v)
{
    struct json_out w;
    struct buf *b = arena_new_buf(r->c->arena, 16 << 20);
    json_out_init(&w, b);
    json_copy(&w, NULL, v);
    return buf_view(b);
}

static bool same_projection(struct making *r, struct jval a, struct jval b)
{
    struct jval x = jval_get(a, "NonKeyAttributes"), y = jval_get(b, "NonKeyAttributes"), it = {0};
    if (!str_eq(text_of(r, a, "ProjectionType"), text_of(r, b, "ProjectionType")) ||
        jval_count(x) != jval_count(y))
        return false;
    while (jval_next(x, &it, NULL)) {
        struct jval other = {0};
        bool found = false;
        while (!found && jval_next(y, &other, NULL))
            found = str_eq(jval_text(it, r->c->arena), jval_text(other, r->c->arena));
        if (!found)
            return false;
    }
    return true;
}

/* An index of the source with the same keys and projection: its name may be another. */
static bool is_known(struct making *r, struct jval index, struct jval list)
{
    struct jval it = {0};
    struct str keys = squeezed(r, jval_get(index, "KeySchema"));
    while (jval_next(list, &it, NULL)) {
        if (str_eq(keys, squeezed(r, jval_get(it, "KeySchema"))) &&
            same_projection(r, jval_get(index, "Projection"), jval_get(it, "Projection")))
            return true;
    }
    return FAIL("Index %.*s does not match a secondary index that existed in the source table and "
                "cannot be created during the restore operation",
                STR_ARG(text_of(r, index, "IndexName")));
}

static bool write_index(struct making *r, struct json_out *w, struct jval index, bool global)
{
    static const char *const kept[] = {"IndexName", "KeySchema", "Projection"};
    struct jval units = jval_get(index, "ProvisionedThroughput");
    struct jval limits = jval_get(index, "OnDemandThroughput");
    struct str name = text_of(r, index, "IndexName");
    json_obj(w, NULL);
    for (int i = 0; i < 3; i++)
        json_copy(w, kept[i], jval_get(index, kept[i]));
    if (global && !r->on_demand && !jval_present(units))
        return FAIL("Must specify provisioned throughput for index %.*s", STR_ARG(name));
    if (global && !r->on_demand) {
        json_obj(w, "ProvisionedThroughput");
        json_copy(w, "ReadCapacityUnits", jval_get(units, "ReadCapacityUnits"));
        json_copy(w, "WriteCapacityUnits", jval_get(units, "WriteCapacityUnits"));
        json_end(w);
    }
    if (global && r->on_demand && jval_present(limits))
        json_copy(w, "OnDemandThroughput", limits);
    json_end(w);
    return true;
}

/* An empty list means none; no list, those of the source. */
static bool make_indexes(struct making *r, const char *override, const char *member, bool global,
                         struct str *ret)
{
    struct json_out w;
    struct jval given = jval_get(r->c->in, override), list = jval_get(r->source, member), it = {0};
    bool overridden = jval_present(given);
    struct jval chosen = overridden ? given : list;
    *ret = STR_NONE;
    if (jval_count(chosen) == 0)
        return true;
    struct buf *b = arena_new_buf(r->c->arena, 16 << 20);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_next(chosen, &it, NULL)) {
        if (overridden && !is_known(r, it, list))
            return false;
        if (overridden && global && r->on_demand &&
            jval_present(jval_get(it, "ProvisionedThroughput")))
            return FAIL("Cannot override ProvisionedThroughput if BillingMode is overridden to "
                        "PAY_PER_REQUEST for index %.*s",
                        STR_ARG(text_of(r, it, "IndexName")));
        if (!write_index(r, &w, it, global))
            return false;
    }
    json_end(&w);
    *ret = buf_view(b);
    return true;
}

static void write_throughput(struct making *r, struct json_out *w)
{
    struct jval units =
        jval_present(r->units) ? r->units : jval_get(r->source, "ProvisionedThroughput");
    struct jval limits =
        jval_present(r->limits) ? r->limits : jval_get(r->source, "OnDemandThroughput");
    json_cstr(w, "BillingMode", r->on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    if (r->on_demand) {
        if (jval_count(limits) > 0 && (r->was_on_demand || jval_present(r->limits)))
            json_copy(w, "OnDemandThroughput", limits);
        return;
    }
    json_obj(w, "ProvisionedThroughput");
    json_copy(w, "ReadCapacityUnits", jval_get(units, "ReadCapacityUnits"));
    json_copy(w, "WriteCapacityUnits", jval_get(units, "WriteCapacityUnits"));
    json_end(w);
}

static bool any_uses(struct making *r, struct str list, struct str name)
{
    struct jval indexes;
    return list.n > 0 && json_parse(r->c->arena, list, JSON_DEPTH_DEFAULT, &indexes, NULL) &&
           table_indexes_use(indexes, name, r->c->arena);
}

static void write_definitions(struct making *r, const struct restore_def *d, struct json_out *w)
{
    struct jval it = {0};
    json_arr(w, "AttributeDefinitions");
    while (jval_next(jval_get(r->source, "AttributeDefinitions"), &it, NULL)) {
        struct str name = text_of(r, it, "AttributeName");
        if (table_keys_use(jval_get(r->source, "KeySchema"), name, r->c->arena) ||
            any_uses(r, d->gsis, name) || any_uses(r, d->lsis, name))
            json_copy(w, NULL, it);
    }
    json_end(w);
}

bool restore_def_make(struct call *c, struct jval source, struct restore_def *ret)
{
    struct json_out w;
    struct making making = {.c = c,
                            .source = source,
                            .units = jval_get(c->in, "ProvisionedThroughputOverride"),
                            .limits = jval_get(c->in, "OnDemandThroughputOverride"),
                            .mode = jval_text(jval_get(c->in, "BillingModeOverride"), c->arena)};
    struct making *r = &making;
    struct jval sse = jval_get(c->in, "SSESpecificationOverride");
    char id[37];
    if (!check_billing(r) ||
        !make_indexes(r, "GlobalSecondaryIndexOverride", "GlobalSecondaryIndexes", true,
                      &ret->gsis) ||
        !make_indexes(r, "LocalSecondaryIndexOverride", "LocalSecondaryIndexes", false, &ret->lsis))
        return false;
    if (!jval_present(sse))
        sse = jval_get(source, "SSESpecification");
    ids_uuid(id);
    struct buf *b = arena_new_buf(c->arena, 16 << 20);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "TableName", jval_text(jval_get(c->in, "TargetTableName"), c->arena));
    json_copy(&w, "KeySchema", jval_get(source, "KeySchema"));
    write_definitions(r, ret, &w);
    write_throughput(r, &w);
    if (table_encrypted(sse, c->arena))
        json_copy(&w, "SSESpecification", sse);
    json_cstr(&w, "TableId", id);
    json_i64(&w, "CreatedMs", c->now_ms);
    json_end(&w);
    ret->def = buf_view(b);
    return true;
}
