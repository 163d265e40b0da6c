/* GlobalSecondaryIndexUpdates of UpdateTable. */
#include "dynamodb_model.h"
#include "panic.h"
#include "table_update_internal.h"
#include <stdlib.h>

static const char *const actions[] = {"Create", "Update", "Delete"};

static struct jval updates_of(struct upd *u)
{
    return jval_get(u->in, "GlobalSecondaryIndexUpdates");
}

/* The only action of one GlobalSecondaryIndexUpdate; *ret_kind: which. */
static struct jval action_of(struct jval update, size_t *ret_kind)
{
    for (*ret_kind = 0; *ret_kind < 3; (*ret_kind)++) {
        struct jval v = jval_get(update, actions[*ret_kind]);
        if (jval_present(v))
            return v;
    }
    return (struct jval){0};
}

struct upd_counts upd_gsi_counts(struct upd *u)
{
    struct upd_counts n = {0};
    struct jval it = {0};
    while (jval_next(updates_of(u), &it, NULL)) {
        size_t kind;
        action_of(it, &kind);
        n.created += kind == 0;
        n.updated += kind == 1;
        n.deleted += kind == 2;
    }
    return n;
}

static bool check_one(struct upd *u, struct jval update)
{
    size_t count = 0;
    for (size_t i = 0; i < 3; i++)
        count += jval_present(jval_get(update, actions[i]));
    if (count == 0)
        return UPD_FAIL(u, UPD_INVALID "One of GlobalSecondaryIndexUpdate.Update, "
                                       "GlobalSecondaryIndexUpdate.Create, "
                                       "GlobalSecondaryIndexUpdate.Delete must not be null");
    return count == 1 ||
           UPD_FAIL(u, UPD_INVALID "Only one global secondary index action is allowed "
                                   "per GlobalSecondaryIndexUpdate object");
}

static bool check_names(struct upd *u)
{
    struct jval it = {0};
    size_t kind;
    for (size_t i = 0; jval_next(updates_of(u), &it, NULL); i++) {
        struct jval other = {0};
        struct str name = upd_text(u, action_of(it, &kind), "IndexName");
        for (size_t k = 0; k < i && jval_next(updates_of(u), &other, NULL); k++) {
            if (str_eq(name, upd_text(u, action_of(other, &kind), "IndexName")))
                return UPD_FAIL(u,
                                UPD_INVALID "Only one global secondary index update per index "
                                            "is allowed simultaneously. Index: %.*s",
                                STR_ARG(name));
        }
    }
    return true;
}

bool upd_gsi_check(struct upd *u)
{
    enum { SANE = 128 };
    struct jval list = updates_of(u), it = {0};
    if (!jval_present(list))
        return true;
    if (jval_count(list) == 0)
        return UPD_FAIL(u, UPD_INVALID "List of GlobalSecondaryIndexUpdates is empty");
    while (jval_next(list, &it, NULL)) {
        if (!check_one(u, it))
            return false;
    }
    struct upd_counts n = upd_gsi_counts(u);
    if (n.created + n.deleted > 1 || jval_count(list) > SANE)
        return aws_fail(u->err, u->a, &DYNAMODB_LimitExceededException,
                        "Subscriber limit exceeded: Only 1 online index can be created or deleted "
                        "simultaneously per table");
    return check_names(u);
}

/* ---- against the table ---- */

static const struct index *find(struct upd *u, struct str name)
{
    for (size_t i = 0; i < u->t->index_count; i++) {
        if (str_eq(u->t->indexes[i].name, name))
            return &u->t->indexes[i];
    }
    return NULL;
}

static bool check_known(struct upd *u, struct str name, const char *verb)
{
    const struct index *x = find(u, name);
    if (x == NULL)
        return aws_fail(u->err, u->a, &DYNAMODB_ResourceNotFoundException,
                        "Requested resource not found: Index %.*s for table %.*s", STR_ARG(name),
                        STR_ARG(u->t->name));
    return x->global || UPD_FAIL(u, "Cannot %s an index that is not a GlobalSecondaryIndex: %.*s",
                                 verb, STR_ARG(name));
}

static bool check_create(struct upd *u, struct jval now)
{
    struct str name = upd_text(u, now, "IndexName");
    struct jval units = jval_get(now, "ProvisionedThroughput");
    if (find(u, name) != NULL)
        return UPD_FAIL(u, "Attempting to create an index which already exists");
    if (u->on_demand && jval_present(units))
        return UPD_FAIL(u,
                        UPD_INVALID "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
                                    "specified for index: %.*s when BillingMode is "
                                    "PAY_PER_REQUEST",
                        STR_ARG(name));
    if (!u->on_demand && !jval_present(units))
        return UPD_FAIL(u,
                        UPD_INVALID "Both ReadCapacityUnits and WriteCapacityUnits must be "
                                    "specified for index: %.*s",
                        STR_ARG(name));
    if (jval_present(units) && !upd_check_units(u, units, name))
        return false;
    if (u->t->global_count >= TABLE_GSI_MAX)
        return aws_fail(u->err, u->a, &DYNAMODB_LimitExceededException,
                        "Subscriber limit exceeded: Number of global secondary indexes exceeds "
                        "per-table limit of %d",
                        TABLE_GSI_MAX);
    u->created = name;
    return true;
}

static bool check_update(struct upd *u, struct jval now)
{
    struct str name = upd_text(u, now, "IndexName");
    struct jval units = jval_get(now, "ProvisionedThroughput");
    if (!check_known(u, name, "update"))
        return false;
    if (!jval_present(units))
        return true;
    if (u->on_demand)
        return UPD_FAIL(u,
                        UPD_INVALID "The only Updates for index: %.*s when TableThroughputMode "
                                    "is PAY_PER_REQUEST can be to OnDemandThroughput, "
                                    "WarmThroughput",
                        STR_ARG(name));
    struct jval old = jval_get(find(u, name)->def, "ProvisionedThroughput");
    return upd_check_units(u, units, name) &&
           (u->switches || upd_units_same(u, old, units, "index", name));
}

/* An index is being made or unmade: no other may be. */
static bool check_idle(struct upd *u)
{
    for (size_t i = 0; i < u->t->global_count; i++) {
        if (u->t->indexes[i].filling)
            return aws_fail(u->err, u->a, &DYNAMODB_LimitExceededException,
                            "Subscriber limit exceeded: Only 1 online index can be created or "
                            "deleted simultaneously per table");
    }
    return true;
}

static bool check_actions(struct upd *u)
{
    struct jval it = {0};
    while (jval_next(updates_of(u), &it, NULL)) {
        size_t kind;
        struct jval now = action_of(it, &kind);
        struct str name = upd_text(u, now, "IndexName");
        bool ok = kind == 0   ? check_create(u, now)
                  : kind == 1 ? check_update(u, now)
                              : check_known(u, name, "delete");
        /* the one that is being made may be deleted */
        if (!ok || (kind == 0 && !check_idle(u)) ||
            (kind == 2 && !find(u, name)->filling && !check_idle(u)))
            return false;
    }
    return true;
}

/* Provisioned from now on: every index needs its units in this call. */
static bool check_switch(struct upd *u)
{
    for (size_t i = 0; u->switches && !u->on_demand && i < u->t->global_count; i++) {
        struct jval it = {0};
        struct str name = u->t->indexes[i].name;
        bool found = false;
        while (!found && jval_next(updates_of(u), &it, NULL)) {
            size_t kind;
            struct jval now = action_of(it, &kind);
            found = str_eq(upd_text(u, now, "IndexName"), name) &&
                    (kind == 2 || jval_present(jval_get(now, "ProvisionedThroughput")));
        }
        if (!found)
            return UPD_FAIL(u,
                            UPD_INVALID "ProvisionedThroughput must be specified for index: %.*s",
                            STR_ARG(name));
    }
    return true;
}

/* The update of an index that stays; MISSING: none. *ret_gone: it is deleted. */
static struct jval update_for(struct upd *u, struct str name, bool *ret_gone)
{
    struct jval it = {0};
    *ret_gone = false;
    while (jval_next(updates_of(u), &it, NULL)) {
        size_t kind;
        struct jval now = action_of(it, &kind);
        if (kind == 0 || !str_eq(upd_text(u, now, "IndexName"), name))
            continue;
        *ret_gone = kind == 2;
        return now;
    }
    return (struct jval){0};
}

static bool write_index(struct upd *u, struct json_out *out, const struct index *x, struct jval now)
{
    struct jval units = jval_get(now, "ProvisionedThroughput"), old = {0};
    struct jval limits = jval_get(now, "OnDemandThroughput"),
                warm = jval_get(now, "WarmThroughput");
    struct str json = u->switches ? STR_NONE : jval_raw(jval_get(x->def, "OnDemandThroughput"));
    json_obj(out, NULL);
    json_str(out, "IndexName", x->name);
    json_raw(out, "KeySchema", jval_raw(jval_get(x->def, "KeySchema")));
    json_raw(out, "Projection", jval_raw(jval_get(x->def, "Projection")));
    if (!u->switches)
        old = jval_get(x->def, "ProvisionedThroughput");
    if (!u->on_demand && jval_present(units))
        json_raw(out, "ProvisionedThroughput", upd_units_json(u, old, units));
    else if (!u->on_demand && jval_present(old))
        json_raw(out, "ProvisionedThroughput", jval_raw(old));
    if (jval_present(limits)) {
        struct jval was = u->switches ? (struct jval){0} : jval_get(x->def, "OnDemandThroughput");
        if (!upd_on_demand_json(u, was, limits, x->name, &json))
            return false;
    }
    if (json.n > 0)
        json_raw(out, "OnDemandThroughput", json);
    json = upd_warm_json(u, x->def);
    if (jval_present(warm) && !upd_warm_change(u, x->def, warm, x->name, &json))
        return false;
    json_raw(out, "WarmThroughput", json);
    json_end(out);
    return true;
}

static bool write_list(struct upd *u, struct json_out *out, size_t *ret_count)
{
    struct jval it = {0};
    json_arr(out, NULL);
    for (size_t i = 0; i < u->t->global_count; i++) {
        bool gone;
        struct jval now = update_for(u, u->t->indexes[i].name, &gone);
        if (gone)
            continue;
        (*ret_count)++;
        if (!write_index(u, out, &u->t->indexes[i], now))
            return false;
    }
    while (jval_next(updates_of(u), &it, NULL)) {
        struct jval now = jval_get(it, "Create");
        if (!jval_present(now))
            continue;
        (*ret_count)++;
        json_copy(out, NULL, now);
    }
    json_end(out);
    return true;
}

/* ---- AttributeDefinitions: the stored ones win, new ones only if a key needs them, and those that
 * no key uses go (fact 130) ---- */

static bool is_used(struct upd *u, struct jval gsis, struct str name)
{
    return table_keys_use(jval_get(u->t->def, "KeySchema"), name, u->a) ||
           table_indexes_use(jval_get(u->t->def, "LocalSecondaryIndexes"), name, u->a) ||
           table_indexes_use(gsis, name, u->a);
}

static struct str merge_definitions(struct upd *u, struct jval gsis)
{
    struct jval lists[] = {jval_get(u->t->def, "AttributeDefinitions"),
                           jval_get(u->in, "AttributeDefinitions")};
    size_t count = jval_count(lists[0]) + jval_count(lists[1]), n = 0;
    struct table_attr *all = ARENA_ARRAY(u->a, struct table_attr, count);
    for (size_t i = 0; i < 2; i++) {
        struct jval it = {0};
        while (jval_next(lists[i], &it, NULL)) {
            struct table_attr def = {upd_text(u, it, "AttributeName"),
                                     upd_text(u, it, "AttributeType")};
            bool known = !is_used(u, gsis, def.name);
            for (size_t k = 0; k < n && !known; k++)
                known = str_eq(all[k].name, def.name);
            if (!known)
                all[n++] = def;
        }
    }
    return table_attrs_json(all, n, u->a);
}

static bool plan_state(struct upd *u)
{
    struct jval it = {0};
    while (jval_next(updates_of(u), &it, NULL)) {
        size_t kind;
        u->ret->state.index = upd_text(u, action_of(it, &kind), "IndexName");
        u->ret->state.index_status = kind == 0 ? "CREATING" : kind == 1 ? "UPDATING" : "DELETING";
        if (kind != 1)
            u->ret->state.status = "UPDATING";
        u->ret->echo_old = u->ret->echo_old || kind != 0;
        if (kind != 1)
            break;
    }
    return true;
}

bool upd_gsi_plan(struct upd *u)
{
    struct json_out out;
    struct jval gsis = {0};
    size_t count = 0;
    if (!check_actions(u) || !check_switch(u))
        return false;
    if (!jval_present(updates_of(u)) && (!u->switches || u->t->global_count == 0))
        return true;
    struct buf *b = arena_new_buf(u->a, 16 << 20);
    json_out_init(&out, b);
    if (!write_list(u, &out, &count))
        return false;
    upd_edit(u, "GlobalSecondaryIndexes", count > 0 ? buf_view(b) : STR_NONE);
    ASSERT(json_parse(u->a, buf_view(b), JSON_DEPTH_DEFAULT, &gsis, NULL));
    upd_edit(u, "AttributeDefinitions", merge_definitions(u, gsis));
    return plan_state(u);
}

bool upd_gsi_verify(struct upd *u)
{
    struct jval def;
    if (u->created.n == 0)
        return true;
    ASSERT(json_parse(u->a, u->ret->def, JSON_DEPTH_DEFAULT, &def, NULL));
    return table_def_check_added(
        def, u->created, jval_present(jval_get(u->in, "AttributeDefinitions")), u->a, u->err);
}
