/* UpdateTable but for its global indexes (table_update_gsi.c). */
#include "table_update_internal.h"
#include <string.h>

enum { UNITS_MAX_BILLIONS = 1000, DAY_MS = 86400000 };

struct str upd_text(struct upd *u, struct jval v, const char *name)
{
    return jval_text(jval_get(v, name), u->a);
}

static bool has(struct upd *u, const char *name)
{
    return jval_present(jval_get(u->in, name));
}

static bool has_gsi(struct upd *u)
{
    return jval_count(jval_get(u->in, "GlobalSecondaryIndexUpdates")) > 0;
}

static bool needs_something(struct upd *u)
{
    static const char *const any[] = {
        "ProvisionedThroughput",     "BillingMode",           "StreamSpecification",
        "SSESpecification",          "ReplicaUpdates",        "DeletionProtectionEnabled",
        "OnDemandThroughput",        "WarmThroughput",        "TableClass",
        "GlobalTableWitnessUpdates", "MultiRegionConsistency"};
    bool found = has_gsi(u);
    for (size_t i = 0; i < sizeof any / sizeof *any; i++)
        found = found || has(u, any[i]);
    return found ||
           UPD_FAIL(u, "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
                       "GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, "
                       "MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
                       "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or "
                       "TableClass is required");
}

/* Global tables are not here: never a silent success. */
static bool refuse_replicas(struct upd *u)
{
    static const char *const names[] = {"ReplicaUpdates", "GlobalTableWitnessUpdates",
                                        "MultiRegionConsistency",
                                        "GlobalTableSettingsReplicationMode"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (has(u, names[i]))
            return UPD_FAIL(u, "Puddle does not support %s", names[i]);
    }
    return true;
}

/* One concern a call: which members go together. */
static bool check_combination(struct upd *u)
{
    static const struct {
        const char *name, *words;
    } alone[] = {
        {"SSESpecification", "Server-Side Encryption modification"},
        {"TableClass", "TableClass modification"},
        {"DeletionProtectionEnabled", "DeletionProtection modification"},
        {"WarmThroughput", "WarmThroughput"},
    };
    static const char *const others[] = {"ProvisionedThroughput", "BillingMode",
                                         "StreamSpecification", "OnDemandThroughput"};
    bool provisioned = str_eq_c(upd_text(u, u->in, "BillingMode"), "PROVISIONED");
    bool iops = has(u, "ProvisionedThroughput") || provisioned,
         stream = has(u, "StreamSpecification");
    size_t count = has_gsi(u);
    for (size_t i = 0; i < 4; i++)
        count += has(u, others[i]) + has(u, alone[i].name);
    for (size_t i = 0; i < 4; i++) {
        if (!has(u, alone[i].name) || count == 1)
            continue;
        if (i == 3 && upd_gsi_counts(u).created > 0)
            return UPD_FAIL(u, UPD_INVALID "Create global secondary index cannot be specified when "
                                           "updating WarmThroughput");
        return UPD_FAIL(u, UPD_INVALID "%s must be the only operation in the request",
                        alone[i].words);
    }
    if (has(u, "OnDemandThroughput") && count > (size_t)1 + has(u, "BillingMode"))
        return UPD_FAIL(u, UPD_INVALID "OnDemandThroughput can only be combined with BillingMode "
                                       "in an UpdateTable request");
    struct upd_counts gsi = upd_gsi_counts(u);
    if (stream && iops)
        return UPD_FAIL(u, UPD_INVALID "You cannot modify stream status while updating table IOPS");
    if (gsi.created + gsi.deleted > 0 && iops)
        return UPD_FAIL(u, UPD_INVALID "You cannot create or delete index while updating table "
                                       "IOPS");
    if (gsi.created + gsi.deleted > 0 && stream)
        return UPD_FAIL(u, UPD_INVALID "You cannot create or delete index while changing stream "
                                       "status");
    return true;
}

bool upd_check_units(struct upd *u, struct jval units, struct str index)
{
    static const char *const names[] = {"ReadCapacityUnits", "WriteCapacityUnits"};
    for (int i = 0; i < 2; i++) {
        int64_t n;
        struct jval v = jval_get(units, names[i]);
        if (jval_i64(v, &n) && n <= (int64_t)UNITS_MAX_BILLIONS * 1000000000)
            continue;
        if (index.n > 0)
            return UPD_FAIL(u, "Given value %.*s for %s is out of bounds for index %.*s",
                            STR_ARG(jval_raw(v)), names[i], STR_ARG(index));
        return UPD_FAIL(u, "Given value %.*s for %s is out of bounds", STR_ARG(jval_raw(v)),
                        names[i]);
    }
    return true;
}

static bool check_stream_members(struct upd *u)
{
    struct jval spec = jval_get(u->in, "StreamSpecification");
    bool enabled = false, has_view = jval_present(jval_get(spec, "StreamViewType"));
    if (!jval_present(spec))
        return true;
    jval_bool(jval_get(spec, "StreamEnabled"), &enabled);
    if (enabled && !has_view)
        return UPD_FAIL(u, UPD_INVALID "If stream is being enabled then UpdateViewType is "
                                       "required");
    if (!enabled && has_view)
        return UPD_FAIL(u, UPD_INVALID "If stream is being disabled, then UpdateViewType must not "
                                       "be specified");
    return true;
}

static bool check_billing_members(struct upd *u)
{
    struct str mode = upd_text(u, u->in, "BillingMode");
    struct jval units = jval_get(u->in, "ProvisionedThroughput");
    if (str_eq_c(mode, "PROVISIONED") && !jval_present(units))
        return UPD_FAIL(u, UPD_INVALID "ProvisionedThroughput must be specified when BillingMode "
                                       "is PROVISIONED");
    return !jval_present(units) || upd_check_units(u, units, STR(""));
}

bool table_update_check(struct jval in, struct arena *a, struct aws_err *err)
{
    struct upd u = {.a = a, .err = err, .in = in};
    return needs_something(&u) && refuse_replicas(&u) && upd_gsi_check(&u) &&
           check_combination(&u) && check_stream_members(&u) && check_billing_members(&u) &&
           table_encryption_check(in, a, err) && table_class_check(in, a, err);
}

/* ---- against the table ---- */

static bool plan_stream(struct upd *u)
{
    struct jval spec = jval_get(u->in, "StreamSpecification");
    bool enabled = false;
    if (!jval_present(spec))
        return true;
    jval_bool(jval_get(spec, "StreamEnabled"), &enabled);
    if (enabled && u->t->stream_id != 0)
        return UPD_FAIL(u, "Table already has an enabled stream: TableName: %.*s",
                        STR_ARG(u->t->name));
    if (!enabled && u->t->stream_id == 0)
        return UPD_FAIL(u, "Table has no stream to disable: TableName: %.*s", STR_ARG(u->t->name));
    u->ret->stream_on = enabled;
    u->ret->stream_off = !enabled;
    u->ret->state.status = "UPDATING";
    return true;
}

bool upd_units_same(struct upd *u, struct jval old, struct jval now, const char *what,
                    struct str index)
{
    int64_t r = table_number(old, "ReadCapacityUnits", 0),
            w = table_number(old, "WriteCapacityUnits", 0);
    int64_t r2 = table_number(now, "ReadCapacityUnits", 0);
    int64_t w2 = table_number(now, "WriteCapacityUnits", 0);
    if (r != r2 || w != w2)
        return true;
    return UPD_FAIL(u,
                    "The provisioned throughput for the %s%s%.*s will not change. The requested "
                    "value equals the current value. Current ReadCapacityUnits provisioned for the "
                    "%s: %lld. Requested ReadCapacityUnits: %lld. Current WriteCapacityUnits "
                    "provisioned for the %s: %lld. Requested WriteCapacityUnits: %lld. Refer to "
                    "the Amazon DynamoDB Developer Guide for current limits and how to request "
                    "higher limits.",
                    what, index.n > 0 ? " " : "", STR_ARG(index), what, (long long)r, (long long)r2,
                    what, (long long)w, (long long)w2);
}

struct str upd_units_json(struct upd *u, struct jval old, struct jval now)
{
    int64_t r = table_number(old, "ReadCapacityUnits", 0),
            w = table_number(old, "WriteCapacityUnits", 0);
    int64_t r2 = table_number(now, "ReadCapacityUnits", 0);
    int64_t w2 = table_number(now, "WriteCapacityUnits", 0), today = u->now_ms / DAY_MS;
    bool was = jval_present(old), more = was && (r2 > r || w2 > w),
         less = was && (r2 < r || w2 < w);
    int64_t decreases =
        table_number(old, "DecreaseDay", 0) == today ? table_number(old, "Decreases", 0) : 0;
    struct json_out out;
    struct buf *b = arena_new_buf(u->a, 1024);
    json_out_init(&out, b);
    json_obj(&out, NULL);
    json_i64(&out, "ReadCapacityUnits", r2);
    json_i64(&out, "WriteCapacityUnits", w2);
    json_i64(&out, "LastIncreaseMs", more ? u->now_ms : table_number(old, "LastIncreaseMs", 0));
    json_i64(&out, "LastDecreaseMs", less ? u->now_ms : table_number(old, "LastDecreaseMs", 0));
    json_i64(&out, "DecreaseDay", today);
    json_i64(&out, "Decreases", decreases + less);
    json_end(&out);
    return buf_view(b);
}

void upd_edit(struct upd *u, const char *name, struct str json)
{
    u->edits[u->edit_count++] = (struct table_edit){name, json};
}

/* What a table or index has been able to do stays warm. */
struct str upd_warm_json(struct upd *u, struct jval def)
{
    int64_t units[2];
    table_warm(u->t->on_demand, def, units);
    return arena_fmt(u->a, "{\"ReadUnitsPerSecond\":%lld,\"WriteUnitsPerSecond\":%lld}",
                     (long long)units[0], (long long)units[1]);
}

static bool plan_billing(struct upd *u)
{
    struct str mode = upd_text(u, u->in, "BillingMode");
    struct jval units = jval_get(u->in, "ProvisionedThroughput");
    struct jval old = jval_get(u->t->def, "ProvisionedThroughput");
    u->on_demand = mode.n > 0 ? str_eq_c(mode, "PAY_PER_REQUEST") : u->t->on_demand;
    u->switches = u->on_demand != u->t->on_demand;
    if (mode.n == 0 && !jval_present(units))
        return true;
    if (u->on_demand && u->switches && jval_present(units))
        return UPD_FAIL(u, UPD_INVALID "ProvisionedThroughput cannot be specified when BillingMode "
                                       "is PAY_PER_REQUEST");
    if (u->on_demand && jval_present(units))
        return UPD_FAIL(u, UPD_INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                                       "specified when BillingMode is PAY_PER_REQUEST");
    if (!u->switches && !u->on_demand && !upd_units_same(u, old, units, "table", STR("")))
        return false;
    u->ret->state.status = "UPDATING";
    u->ret->echo_old = true;
    if (!u->switches && u->on_demand)
        return true;
    upd_edit(u, "WarmThroughput", upd_warm_json(u, u->t->def));
    if (u->switches) {
        upd_edit(u, "BillingMode",
                 u->on_demand ? STR("\"PAY_PER_REQUEST\"") : STR("\"PROVISIONED\""));
        upd_edit(u, "OnDemandThroughput", STR_NONE);
        int64_t since = u->on_demand ? u->now_ms
                                     : table_number(u->t->def, "PayPerRequestMs",
                                                    table_number(u->t->def, "CreatedMs", 0));
        upd_edit(u, "PayPerRequestMs", arena_fmt(u->a, "%lld", (long long)since));
    }
    upd_edit(u, "ProvisionedThroughput",
             u->on_demand ? STR_NONE
                          : upd_units_json(u, u->switches ? (struct jval){0} : old, units));
    return true;
}

/* -1 takes a limit away; a member that is not there stays as it is. index: of which, or empty. */
bool upd_on_demand_json(struct upd *u, struct jval old, struct jval now, struct str index,
                        struct str *ret)
{
    static const char *const names[] = {"MaxReadRequestUnits", "MaxWriteRequestUnits"};
    struct json_out out;
    struct buf *b = arena_new_buf(u->a, 1024);
    size_t count = 0;
    struct str of =
        index.n > 0 ? arena_fmt(u->a, "for index : %.*s", STR_ARG(index)) : STR("for table");
    json_out_init(&out, b);
    json_obj(&out, NULL);
    for (int i = 0; i < 2; i++) {
        int64_t n = table_number(now, names[i], table_number(old, names[i], -1));
        if (jval_present(jval_get(now, names[i])) && !u->on_demand)
            return UPD_FAIL(u,
                            UPD_INVALID "%s for OnDemandThroughput cannot be specified when the "
                                        "table BillingMode is PROVISIONED",
                            names[i]);
        if (n == 0 || n < -1)
            return UPD_FAIL(u,
                            UPD_INVALID "Requested %s for OnDemandThroughput %.*s is outside of "
                                        "valid range",
                            names[i], STR_ARG(of));
        if (n > 0)
            json_i64(&out, names[i], n);
        count += n > 0;
    }
    json_end(&out);
    *ret = count > 0 ? buf_view(b) : STR_NONE;
    return true;
}

static bool plan_on_demand(struct upd *u)
{
    struct jval now = jval_get(u->in, "OnDemandThroughput"), old = {0};
    struct str json;
    if (!jval_present(now))
        return true;
    if (!u->switches)
        old = jval_get(u->t->def, "OnDemandThroughput");
    if (!upd_on_demand_json(u, old, now, STR(""), &json))
        return false;
    for (size_t i = 0; i < u->edit_count; i++) { /* of a switch of billing */
        if (strcmp(u->edits[i].name, "OnDemandThroughput") == 0)
            u->edits[i--] = u->edits[--u->edit_count];
    }
    upd_edit(u, "OnDemandThroughput", json);
    return true;
}

bool upd_warm_change(struct upd *u, struct jval def, struct jval now, struct str index,
                     struct str *ret)
{
    static const char *const names[] = {"ReadUnitsPerSecond", "WriteUnitsPerSecond"};
    int64_t units[2];
    struct str of =
        index.n > 0 ? arena_fmt(u->a, "for index %.*s", STR_ARG(index)) : STR("for table");
    table_warm(u->t->on_demand, def, units);
    if (!jval_present(jval_get(now, names[0])) && !jval_present(jval_get(now, names[1])))
        return UPD_FAIL(u,
                        UPD_INVALID "WarmThroughput must have at least one of ReadUnitsPerSecond "
                                    "or WriteUnitsPerSecond specified %.*s",
                        STR_ARG(of)); /* unverified: how it ends for a table */
    for (int i = 0; i < 2; i++) {
        int64_t n = table_number(now, names[i], units[i]);
        if (n < units[i])
            return UPD_FAIL(u,
                            UPD_INVALID "Requested %s for WarmThroughput %.*s is lower than "
                                        "current WarmThroughput, decreasing WarmThroughput is "
                                        "not supported",
                            names[i], STR_ARG(of));
        units[i] = n;
    }
    *ret = arena_fmt(u->a, "{\"ReadUnitsPerSecond\":%lld,\"WriteUnitsPerSecond\":%lld}",
                     (long long)units[0], (long long)units[1]);
    return true;
}

static bool plan_warm(struct upd *u)
{
    struct jval now = jval_get(u->in, "WarmThroughput");
    struct str json;
    if (!jval_present(now))
        return true;
    if (!upd_warm_change(u, u->t->def, now, STR(""), &json))
        return false;
    upd_edit(u, "WarmThroughput", json);
    return true;
}

static bool plan_encryption(struct upd *u)
{
    struct jval spec = jval_get(u->in, "SSESpecification"),
                old = jval_get(u->t->def, "SSESpecification");
    bool on = table_encrypted(spec, u->a), was = table_encrypted(old, u->a);
    struct str key = upd_text(u, spec, "KMSMasterKeyId"),
               old_key = upd_text(u, old, "KMSMasterKeyId");
    if (!jval_present(spec))
        return true;
    if (!on && !was)
        return UPD_FAIL(u, UPD_INVALID "Table is already encrypted by default");
    if (on && was && key.n > 0 && str_starts(key, STR("arn:")) && str_eq(key, old_key))
        return UPD_FAIL(u, UPD_INVALID "Table is already encrypted with given KMSMasterKeyId. Use "
                                       "KMSMasterKeyId parameter if you want to change Master Key");
    upd_edit(u, "SSESpecification", on ? jval_raw(spec) : STR_NONE);
    return true;
}

static void plan_rest(struct upd *u)
{
    struct jval class = jval_get(u->in, "TableClass");
    struct jval protect = jval_get(u->in, "DeletionProtectionEnabled");
    if (jval_present(class)) {
        bool unset = !jval_present(jval_get(u->t->def, "TableClass"));
        if (!unset || !str_eq_c(jval_text(class, u->a), "STANDARD"))
            upd_edit(u, "TableClass", jval_raw(class));
        u->ret->state.status = "UPDATING";
        u->ret->echo_old = true;
    }
    if (jval_present(protect))
        upd_edit(u, "DeletionProtectionEnabled", jval_raw(protect));
}

bool table_update_plan(const struct table *t, struct jval in, int64_t now_ms, struct arena *a,
                       struct table_update *ret, struct aws_err *err)
{
    struct upd u = {.a = a, .err = err, .in = in, .t = t, .now_ms = now_ms, .ret = ret};
    *ret = (struct table_update){.state = {.status = "ACTIVE"}};
    if (!plan_stream(&u) || !plan_billing(&u) || !plan_on_demand(&u) || !plan_warm(&u) ||
        !plan_encryption(&u) || !upd_gsi_plan(&u))
        return false;
    plan_rest(&u);
    ret->def = table_def_edit(t->def, u.edits, u.edit_count, a);
    return upd_gsi_verify(&u);
}
