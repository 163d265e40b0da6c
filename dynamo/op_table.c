/* CreateTable, DescribeTable, ListTables, DeleteTable. A table is CREATING or DELETING only in the
 * reply of the call that says so: it is ready, or gone, at once, and waiters that poll every 20 s
 * see it at their first look. */
#include "ddb_internal.h"
#include "history.h"
#include "ids.h"
#include "index.h"
#include "resource_policy.h"
#include "ttl.h"

enum { LIST_MAX = 100 };

static bool refuse_unsupported(struct call *c, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (jval_present(jval_get(c->in, names[i])))
            return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                            "Puddle does not support %s yet", names[i]);
    }
    return true;
}

static struct str table_name(struct call *c)
{
    return jval_text(jval_get(c->in, "TableName"), c->arena);
}

bool ddb_change_begin(struct call *c)
{
    struct ddb *d = ddb_of(c);
    return db_begin(d->db) && db_savepoint(d->db);
}

enum call_status ddb_change_failed(struct call *c)
{
    struct ddb *d = ddb_of(c);
    db_savepoint_rollback(d->db);
    ddb_reload(d);
    return ddb_internal_error(c);
}

bool ddb_define(struct call *c, struct table *t, const struct table_edit *edits, size_t count)
{
    struct ddb *d = ddb_of(c);
    if (!ddb_change_begin(c)) {
        ddb_internal_error(c);
        return false;
    }
    if (ddb_table_edit(d, t, edits, count, c->arena) == NULL) {
        ddb_change_failed(c);
        return false;
    }
    db_savepoint_release(d->db);
    return true;
}

static bool wants_stream(struct call *c)
{
    bool enabled = false;
    jval_bool(jval_get(jval_get(c->in, "StreamSpecification"), "StreamEnabled"), &enabled);
    return enabled;
}

struct table *ddb_stream_on(struct call *c, struct table *t, struct jval spec)
{
    struct ddb *d = ddb_of(c);
    struct str view = jval_text(jval_get(spec, "StreamViewType"), c->arena);
    const struct stream *st = streams_create(&d->streams, t, view, c->now_ms);
    if (st == NULL)
        return NULL;
    struct table_edit edits[] = {
        {"StreamSpecification",
         arena_fmt(c->arena, "{\"StreamEnabled\":true,\"StreamViewType\":\"%.*s\"}",
                   STR_ARG(view))},
        {"StreamId", arena_fmt(c->arena, "%lld", (long long)st->id)},
        {"StreamLabel", arena_fmt(c->arena, "\"%.*s\"", STR_ARG(st->label))}};
    return ddb_table_edit(d, t, edits, 3, c->arena);
}

enum call_status ddb_create_table(struct call *c)
{
    static const char *const unsupported[] = {"GlobalTableSourceArn",
                                              "GlobalTableSettingsReplicationMode"};
    struct ddb *d = ddb_of(c);
    char id[37];
    struct str name = table_name(c), policy = STR_NONE;
    if (!table_def_check(c->in, c->arena, &c->err) || !refuse_unsupported(c, unsupported, 2))
        return CALL_FAILED;
    if (jval_present(jval_get(c->in, "ResourcePolicy")) &&
        !resource_policy_check(jval_text(jval_get(c->in, "ResourcePolicy"), c->arena), c->arena,
                               &policy, &c->err))
        return CALL_FAILED;
    if (catalog_find(&d->catalog, c->account, c->region, name) != NULL)
        return CALL_FAIL(c, &DYNAMODB_ResourceInUseException, "Table already exists: %.*s",
                         STR_ARG(name));
    ids_uuid(id);
    struct table_stamp stamp = {.table_id = id, .created_ms = c->now_ms};
    if (policy.n > 0)
        policy = resource_policy_stored(policy, c->now_ms, c->arena);
    stamp.policy = policy;
    struct str def = table_def_text(c->in, &stamp, c->arena);
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    struct table *t = catalog_add(&d->catalog, c->account, c->region, name, def);
    if (t != NULL && wants_stream(c))
        t = ddb_stream_on(c, t, jval_get(c->in, "StreamSpecification"));
    if (t == NULL)
        return ddb_change_failed(c);
    db_savepoint_release(d->db);
    json_obj(&c->out, NULL);
    table_describe(t, "CREATING", c->arena, &c->out, "TableDescription");
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_describe_table(struct call *c)
{
    struct table *t = ddb_table_or_fail(c, table_name(c), DDB_FOR_DESCRIBE);
    if (t == NULL)
        return CALL_FAILED;
    ddb_count_indexes(ddb_of(c), t);
    json_obj(&c->out, NULL);
    table_describe(t, t->restoring ? "CREATING" : "ACTIVE", c->arena, &c->out, "Table");
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_list_tables(struct call *c)
{
    struct str from = jval_text(jval_get(c->in, "ExclusiveStartTableName"), c->arena);
    int64_t limit = LIST_MAX;
    size_t count, at = 0;
    jval_i64(jval_get(c->in, "Limit"), &limit);
    struct str *names = catalog_names(&ddb_of(c)->catalog, c->account, c->region, c->arena, &count);
    while (at < count && from.n > 0 && str_cmp(names[at], from) <= 0)
        at++;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "TableNames");
    for (; at < count && limit > 0; at++, limit--)
        json_str(&c->out, NULL, names[at]);
    json_end(&c->out);
    if (at < count)
        json_str(&c->out, "LastEvaluatedTableName", names[at - 1]);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status in_use(struct call *c, const char *why, struct str name)
{
    return CALL_FAIL(c, &DYNAMODB_ResourceInUseException,
                     "Attempt to change a resource which is still in use: %s%.*s", why,
                     STR_ARG(name));
}

/* A backup or restore that still copies gets the whole table: rows and history stay for it
 * (ddb_copy_end). False: the store failed. */
static bool delete_table(struct call *c, struct table *t)
{
    struct ddb *d = ddb_of(c);
    bool leave = t->pitr_since_ms != 0, copied = copies_reads(&d->copies, t->id);
    return (!leave || ddb_system_backup(d, t, c->now_ms, c->arena)) &&
           streams_close(&d->streams, t->stream_id, c->now_ms) && ttl_drop(&d->store, t) &&
           (copied || history_drop(&d->store, t)) &&
           catalog_remove(&d->catalog, t, leave || copied);
}

enum call_status ddb_delete_table(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct table *t = ddb_table_or_fail(c, table_name(c), DDB_FOR_DESCRIBE);
    if (t == NULL)
        return CALL_FAILED;
    if (t->deletion_protected)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Resource cannot be deleted as it is currently protected against "
                         "deletion. Disable deletion protection first.");
    if (t->restoring)
        return in_use(c, "Table is being created: ", t->name);
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].filling)
            return in_use(c,
                          "Cannot delete table while indexes are being created, updated, or "
                          "deleted.",
                          STR(""));
    }
    json_obj(&c->out, NULL);
    table_describe(t, "DELETING", c->arena, &c->out, "TableDescription");
    json_end(&c->out);
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    if (!delete_table(c, t))
        return ddb_change_failed(c);
    db_savepoint_release(d->db);
    return CALL_DONE;
}
