/* RestoreTableFromBackup, RestoreTableToPointInTime. The target is an ordinary table that is
 * CREATING until its rows, and then its indexes, are complete; small ones are at once. */
#include "clock.h"
#include "history.h"
#include "index.h"
#include "restore.h"
#include <string.h>

/* What is copied before the call returns: more would hold up everybody else. */
enum { SMALL_BYTES = 4 << 20, SMALL_ITEMS = 4000, SLICES_AT_ONCE = 4 };

struct pitr_window pitr_window(const struct table *t, int64_t now_ms)
{
    int64_t oldest = now_ms - t->pitr_days * 86400000;
    return (struct pitr_window){(oldest > t->pitr_since_ms ? oldest : t->pitr_since_ms) / 1000,
                                now_ms / 1000};
}

struct restore { /* one on its way */
    struct restore_def def;
    struct str backup_arn, table_arn; /* where it comes from; backup_arn may be empty */
    int64_t at_ms;
    struct copy_job job;  /* source, cut, backup */
    int64_t items, bytes; /* of the source */
};

static bool check_target(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct str name = jval_text(jval_get(c->in, "TargetTableName"), c->arena);
    const struct table *t = catalog_find(&d->catalog, c->account, c->region, name);
    if (t == NULL)
        return true;
    if (t->restoring)
        return aws_fail(&c->err, c->arena, &DYNAMODB_TableInUseException,
                        "Table is already being restored: %.*s", STR_ARG(name)); /* unverified */
    return aws_fail(&c->err, c->arena, &DYNAMODB_TableAlreadyExistsException,
                    "Table already exists: %.*s", STR_ARG(name));
}

/* The definition while it is being restored: the indexes wait in member Restoring. */
static struct str restoring_def(struct call *c, const struct restore *r)
{
    struct json_out w;
    struct jval def;
    struct buf *b = arena_new_buf(c->arena, 32 << 20);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    if (r->backup_arn.n > 0)
        json_str(&w, "SourceBackupArn", r->backup_arn);
    json_str(&w, "SourceTableArn", r->table_arn);
    json_i64(&w, "RestoreMs", r->at_ms);
    if (r->def.gsis.n > 0)
        json_raw(&w, "GlobalSecondaryIndexes", r->def.gsis);
    if (r->def.lsis.n > 0)
        json_raw(&w, "LocalSecondaryIndexes", r->def.lsis);
    json_end(&w);
    struct table_edit edit = {"Restoring", buf_view(b)};
    json_parse(c->arena, r->def.def, JSON_DEPTH_DEFAULT, &def, NULL);
    return table_def_edit(def, &edit, 1, c->arena);
}

/* The reply is written while the table is CREATING. False: the store failed. */
static bool make(struct call *c, struct restore *r)
{
    struct ddb *d = ddb_of(c);
    struct str name = jval_text(jval_get(c->in, "TargetTableName"), c->arena);
    struct table *t = catalog_add(&d->catalog, c->account, c->region, name, restoring_def(c, r));
    if (t == NULL)
        return false;
    r->job.target = r->job.table = t->id;
    json_obj(&c->out, NULL);
    table_describe(t, "CREATING", c->arena, &c->out, "TableDescription");
    json_end(&c->out);
    struct copy_job *job = copies_add(&d->copies, &r->job);
    bool done = false, ok = job != NULL;
    bool small = r->bytes <= SMALL_BYTES && r->items <= SMALL_ITEMS;
    for (int i = 0; ok && small && !done && i < SLICES_AT_ONCE; i++)
        ok = copies_slice(&d->copies, job, &done);
    if (!ok || !done)
        return ok;
    int64_t id = t->id;
    if (!copies_end(&d->copies, job) || !ddb_restore_copied(d, id, c->arena))
        return false;
    t = ddb_table_by_id(d, id);
    if (!ddb_fill_small_indexes(d, t))
        return false;
    return ddb_finish_restores(d);
}

static enum call_status run(struct call *c, struct restore *r)
{
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    if (!make(c, r))
        return ddb_change_failed(c);
    db_savepoint_release(ddb_of(c)->db);
    return CALL_DONE;
}

/* What the override members may be, whatever the source is. */
static bool check_encryption(struct call *c)
{
    struct json_out w;
    struct jval in, sse = jval_get(c->in, "SSESpecificationOverride");
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    if (!jval_present(sse))
        return true;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_copy(&w, "SSESpecification", sse);
    json_end(&w);
    return json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &in, NULL) &&
           table_encryption_check(in, c->arena, &c->err);
}

enum call_status ddb_restore_table_from_backup(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct backup b;
    struct jval def;
    struct restore r = {0};
    if (!check_encryption(c) || !ddb_backup_or_fail(c, &b))
        return CALL_FAILED;
    if (!b.available || copies_uses_backup(&d->copies, b.id))
        return CALL_FAIL(c, &DYNAMODB_BackupInUseException,
                         "Backup is being used to restore another table: %.*s", STR_ARG(b.arn));
    if (!json_parse(c->arena, b.def, JSON_DEPTH_DEFAULT, &def, NULL))
        return ddb_internal_error(c);
    if (!restore_def_make(c, def, &r.def) || !check_target(c))
        return CALL_FAILED;
    r.backup_arn = b.arn;
    r.table_arn = str_sub(b.arn, 0, (size_t)str_find_str(b.arn, STR("/backup/")));
    r.at_ms = b.created_ms;
    r.items = b.items;
    r.bytes = b.bytes;
    r.job = (struct copy_job){.source = b.data, .backup = b.id};
    return run(c, &r);
}

/* ---- to a point in time ---- */

static bool check_shape(struct call *c, struct str *ret_source)
{
    struct jval at = jval_get(c->in, "RestoreDateTime");
    struct str name = jval_text(jval_get(c->in, "SourceTableName"), c->arena);
    struct str arn = jval_text(jval_get(c->in, "SourceTableArn"), c->arena);
    bool latest = false;
    jval_bool(jval_get(c->in, "UseLatestRestorableTime"), &latest);
    if (latest && jval_present(at))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot "
                        "be set for point-in-time restore request. Please set only one of them.");
    if (!latest && !jval_present(at))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime "
                        "must be specified, but not both");
    if (name.n > 0 && arn.n > 0)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Must provide exactly one of: sourceTableArn, sourceTableName");
    if (name.n == 0 && arn.n == 0)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "The parameter 'TableName' is required but was not present in the request");
    if (arn.n > 0 && !str_starts(arn, STR("arn:")))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "sourceTableArn is not a valid ARN");
    *ret_source = name.n > 0 ? name : arn;
    return true;
}

static void iso(int64_t seconds, char out[25])
{
    clock_format_iso(seconds * 1000, out);
    memcpy(out + 19, "Z", 2); /* whole seconds */
}

static bool read_time(struct call *c, const struct table *t, int64_t *ret_ms)
{
    struct pitr_window w = pitr_window(t, c->now_ms);
    double seconds;
    char at[25], earliest[25], latest[25];
    *ret_ms = c->now_ms;
    if (!jval_double(jval_get(c->in, "RestoreDateTime"), &seconds))
        return true;
    if (seconds >= (double)w.earliest_s && seconds * 1000.0 <= (double)c->now_ms) {
        *ret_ms = (int64_t)(seconds * 1000.0 + 0.5);
        return true;
    }
    bool sane = seconds > -1e10 && seconds < 1e11;
    iso(sane ? (int64_t)seconds : 0, at);
    iso(w.earliest_s, earliest);
    iso(w.latest_s, latest);
    return aws_fail(&c->err, c->arena, &DYNAMODB_InvalidRestoreTimeException,
                    "RestoreDateTime '%s' must be within EarliestRestorableDateTime '%s' and "
                    "LatestRestorableDateTime '%s'",
                    at, earliest, latest);
}

enum call_status ddb_restore_table_to_point_in_time(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct str source;
    struct restore r = {0};
    if (!check_shape(c, &source) || !check_encryption(c))
        return CALL_FAILED;
    struct table *t = ddb_backup_table_or_fail(c, source);
    if (t == NULL)
        return CALL_FAILED;
    if (t->pitr_since_ms == 0)
        return CALL_FAIL(c, &DYNAMODB_PointInTimeRecoveryUnavailableException,
                         "Point in time recovery is not enabled for table '%.*s'",
                         STR_ARG(t->name));
    if (!read_time(c, t, &r.at_ms) || !check_target(c) || !restore_def_make(c, t->def, &r.def))
        return CALL_FAILED;
    r.table_arn = arena_str(c->arena, t->arn);
    r.job.source = t->id;
    r.items = t->items;
    r.bytes = t->bytes;
    if (!history_after(&d->store, t, r.at_ms, &r.job.cut))
        return ddb_internal_error(c);
    return run(c, &r);
}

/* ---- when the rows are there ---- */

bool ddb_restore_copied(struct ddb *d, int64_t table_id, struct arena *a)
{
    struct table *t = ddb_table_by_id(d, table_id);
    if (t == NULL) /* gone with a reset */
        return true;
    struct jval restoring = jval_get(t->def, "Restoring");
    struct table_edit left[] = {{"GlobalSecondaryIndexes", STR_NONE},
                                {"LocalSecondaryIndexes", STR_NONE},
                                {"Copied", STR("true")}};
    struct table_edit edits[] = {
        {"GlobalSecondaryIndexes",
         arena_str(a, jval_raw(jval_get(restoring, "GlobalSecondaryIndexes")))},
        {"LocalSecondaryIndexes",
         arena_str(a, jval_raw(jval_get(restoring, "LocalSecondaryIndexes")))},
        {"Restoring", table_def_edit(restoring, left, 3, a)}};
    if (!store_count(&d->store, t->id, &t->items, &t->bytes) ||
        !store_write_counts(&d->store, t->id, t->items, t->bytes, true))
        return false;
    t->counts_moved = false;
    return ddb_table_edit(d, t, edits, 3, a) != NULL;
}

static bool is_complete(const struct table *t)
{
    bool copied = false;
    jval_bool(jval_get(jval_get(t->def, "Restoring"), "Copied"), &copied);
    for (size_t i = 0; i < t->index_count; i++)
        copied = copied && !t->indexes[i].filling;
    return copied;
}

bool ddb_finish_restores(struct ddb *d)
{
    size_t at = 0;
    struct str key;
    void *value;
    struct table_edit edit = {"Restoring", STR_NONE};
    if (!d->maybe_restoring)
        return true;
    d->maybe_restoring = false;
    while (map_next(&d->catalog.tables, &at, &key, &value)) {
        struct table *t = value;
        if (!t->restoring)
            continue;
        d->maybe_restoring = true;
        if (!is_complete(t) || !db_begin(d->db))
            continue;
        struct arena *a = arena_new(0, SIZE_MAX);
        bool ok = ddb_table_edit(d, t, &edit, 1, a) != NULL;
        arena_free(a);
        return ok; /* the map has changed */
    }
    return true;
}
