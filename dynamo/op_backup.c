/* CreateBackup, DescribeBackup, ListBackups, DeleteBackup, and the background work of backups and
 * restores. */
#include "arn.h"
#include "backup.h"
#include "clock.h"
#include "ddb_internal.h"
#include "history.h"
#include "restore.h"
#include <stdlib.h>

#define INVALID "One or more parameter values were invalid: "
enum { LIST_MAX = 100, SMALL_BYTES = 4 << 20, SMALL_ITEMS = 4000, SYSTEM_DAYS = 35 };

/* These operations word a missing table in their own way. NULL: c->err is set. */
struct table *ddb_backup_table_or_fail(struct call *c, struct str given)
{
    struct table *t = ddb_table_or_fail(c, given, DDB_FOR_TABLE);
    if (t != NULL || c->err.kind != &DYNAMODB_ResourceNotFoundException)
        return t;
    ptrdiff_t slash = str_rfind(given, '/');
    c->err = (struct aws_err){0};
    aws_fail(&c->err, c->arena, &DYNAMODB_TableNotFoundException, "Table not found: %.*s",
             STR_ARG(slash < 0 ? given : str_sub(given, (size_t)slash + 1, given.n)));
    return NULL;
}

/* t keeps its history from now on. NULL: the store failed. */
struct table *ddb_history_on(struct ddb *d, struct table *t, struct arena *a)
{
    struct table_edit edit = {"History", STR("true")};
    if (t->history)
        return t;
    return history_create(&d->store, t) ? ddb_table_edit(d, t, &edit, 1, a) : NULL;
}

bool ddb_history_off(struct ddb *d, struct table *t, struct arena *a)
{
    struct table_edit edit = {"History", STR_NONE};
    if (!t->history || t->pitr_since_ms != 0 || copies_reads(&d->copies, t->id))
        return true;
    return history_drop(&d->store, t) && ddb_table_edit(d, t, &edit, 1, a) != NULL;
}

/* Copies at once what is not big; else a job does it. */
static bool copy_table(struct call *c, struct table *t, const struct backup *b)
{
    struct ddb *d = ddb_of(c);
    struct copy_job job = {
        .source = t->id, .target = b->data, .backup = b->id, .makes_backup = true};
    if (t->bytes <= SMALL_BYTES && t->items <= SMALL_ITEMS)
        return store_exec(&d->store,
                          "INSERT INTO ddb_data_%lld(hk, sk, size, sum, item)"
                          " SELECT hk, sk, size, sum, item FROM ddb_data_%lld",
                          (long long)b->data, (long long)t->id) &&
               backup_set_available(&d->store, b->id);
    t = ddb_history_on(d, t, c->arena);
    return t != NULL && history_next(&d->store, t, &job.cut) &&
           copies_add(&d->copies, &job) != NULL;
}

enum call_status ddb_create_backup(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct table *t =
        ddb_backup_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena));
    if (t == NULL)
        return CALL_FAILED;
    struct backup b = {.account = c->account,
                       .region = c->region,
                       .table = arena_str(c->arena, t->name),
                       .name = jval_text(jval_get(c->in, "BackupName"), c->arena),
                       .def = arena_str(c->arena, jval_raw(t->def)),
                       .created_ms = c->now_ms,
                       .items = t->items,
                       .bytes = t->bytes};
    b.account = arena_str(c->arena, t->account);
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    if (!store_new_data(&d->store, &b.data) || !backup_add(&d->store, &b, c->arena) ||
        !copy_table(c, t, &b))
        return ddb_change_failed(c);
    db_savepoint_release(d->db);
    json_obj(&c->out, NULL);
    backup_write_details(&b, "CREATING", &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

bool ddb_backup_or_fail(struct call *c, struct backup *ret)
{
    struct str text = jval_text(jval_get(c->in, "BackupArn"), c->arena);
    struct arn arn;
    if (!arn_parse(text, &arn) || str_find_str(arn.resource, STR("/backup/")) < 0)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException, "Invalid Backup ARN");
    if (!str_eq_c(arn.service, "dynamodb") || !str_eq_c(arn.partition, "aws"))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Invalid Request: BackupArn is not valid");
    switch (backup_find(&ddb_of(c)->store, arn.account, c->region, text, c->arena, ret)) {
    case STORE_OK:
        return true;
    case STORE_NONE:
        return aws_fail(&c->err, c->arena, &DYNAMODB_BackupNotFoundException,
                        "Backup not found: %.*s", STR_ARG(text));
    default:
        ddb_internal_error(c);
        return false;
    }
}

enum call_status ddb_describe_backup(struct call *c)
{
    struct backup b;
    if (!ddb_backup_or_fail(c, &b))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    backup_write_description(&b, NULL, c->arena, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status ddb_delete_backup(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct backup b;
    char expires[25];
    if (!ddb_backup_or_fail(c, &b))
        return CALL_FAILED;
    clock_format_iso(b.expires_ms, expires);
    if (b.system)
        return CALL_FAIL(
            c, &AWS_ValidationException,
            "Invalid Request: User is not allowed to delete the system backup with arn "
            "%.*s. It will automatically expire on %s",
            STR_ARG(b.arn), expires);
    if (!b.available || copies_uses_backup(&d->copies, b.id))
        return CALL_FAIL(c, &DYNAMODB_BackupInUseException,
                         "Backup is being used to restore table: %.*s", STR_ARG(b.arn));
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    if (!backup_remove(&d->store, &b))
        return ddb_change_failed(c);
    db_savepoint_release(d->db);
    json_obj(&c->out, NULL);
    backup_write_description(&b, "DELETED", c->arena, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- ListBackups ---- */

struct filter {
    struct str table, type;
    int64_t from_ms, to_ms;
};

static int64_t time_of(struct call *c, const char *name, int64_t otherwise)
{
    double seconds;
    return jval_double(jval_get(c->in, name), &seconds) ? (int64_t)(seconds * 1000.0 + 0.5)
                                                        : otherwise;
}

static bool is_listed(const struct filter *f, const struct backup *b)
{
    bool type = f->type.n == 0 || str_eq_c(f->type, "USER") ? !b->system
                : str_eq_c(f->type, "SYSTEM")               ? b->system
                                                            : str_eq_c(f->type, "ALL");
    return type && (f->table.n == 0 || str_eq(f->table, b->table)) && b->created_ms >= f->from_ms &&
           b->created_ms < f->to_ms;
}

static void write_summary(struct call *c, const struct backup *b)
{
    struct jval def;
    json_obj(&c->out, NULL);
    json_str(&c->out, "TableName", b->table);
    if (json_parse(c->arena, b->def, JSON_DEPTH_DEFAULT, &def, NULL))
        json_str(&c->out, "TableId", jval_text(jval_get(def, "TableId"), c->arena));
    json_str(&c->out, "TableArn",
             arn_format(c->arena, "dynamodb", b->region, b->account,
                        arena_fmt(c->arena, "table/%.*s", STR_ARG(b->table))));
    json_str(&c->out, "BackupArn", b->arn);
    json_str(&c->out, "BackupName", b->name);
    json_double(&c->out, "BackupCreationDateTime", (double)b->created_ms / 1000.0);
    if (b->expires_ms > 0)
        json_double(&c->out, "BackupExpiryDateTime", (double)b->expires_ms / 1000.0);
    json_cstr(&c->out, "BackupStatus", b->available ? "AVAILABLE" : "CREATING");
    json_cstr(&c->out, "BackupType", b->system ? "SYSTEM" : "USER");
    json_i64(&c->out, "BackupSizeBytes", b->bytes);
    json_end(&c->out);
}

/* The cursor is a position: also that of a backup which is gone. The suffix begins with the time.
 */
static bool is_after(const struct backup *b, struct str cursor_suffix)
{
    return cursor_suffix.n == 0 || str_cmp(b->suffix, cursor_suffix) > 0;
}

static bool read_filter(struct call *c, struct filter *ret, struct str *ret_cursor)
{
    struct str table = jval_text(jval_get(c->in, "TableName"), c->arena), cursor;
    ptrdiff_t slash = str_rfind(table, '/');
    struct arn arn;
    *ret = (struct filter){slash < 0 ? table : str_sub(table, (size_t)slash + 1, table.n),
                           jval_text(jval_get(c->in, "BackupType"), c->arena),
                           time_of(c, "TimeRangeLowerBound", INT64_MIN),
                           time_of(c, "TimeRangeUpperBound", INT64_MAX)};
    if (ret->from_ms > ret->to_ms)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        INVALID "Time range lower bound must be less than or equal to upper bound");
    cursor = jval_text(jval_get(c->in, "ExclusiveStartBackupArn"), c->arena);
    *ret_cursor = STR("");
    if (cursor.n == 0)
        return true;
    if (!arn_parse(cursor, &arn) || str_find_str(arn.resource, STR("/backup/")) < 0)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException, "Invalid Backup ARN");
    if (!str_eq(arn.region, c->region))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Invalid Request: The supplied ExclusiveStartBackupArn does not match the "
                        "region");
    *ret_cursor = str_sub(cursor, (size_t)str_rfind(cursor, '/') + 1, cursor.n);
    return true;
}

static int compare_backups(const void *a, const void *b)
{
    return str_cmp(((const struct backup *)a)->suffix, ((const struct backup *)b)->suffix);
}

enum call_status ddb_list_backups(struct call *c)
{
    struct filter f;
    struct str cursor;
    int64_t limit = LIST_MAX;
    size_t count;
    const struct backup *last = NULL;
    bool more = false;
    jval_i64(jval_get(c->in, "Limit"), &limit);
    if (!read_filter(c, &f, &cursor))
        return CALL_FAILED;
    struct backup *all = backup_list(&ddb_of(c)->store, c->account, c->region, c->arena, &count);
    if (all == NULL)
        return ddb_internal_error(c);
    qsort(all, count, sizeof *all, compare_backups);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "BackupSummaries");
    for (size_t i = 0; i < count && !more; i++) {
        if (!is_listed(&f, &all[i]) || !is_after(&all[i], cursor))
            continue;
        more = limit == 0;
        if (more)
            break;
        write_summary(c, &all[i]);
        last = &all[i];
        limit--;
    }
    json_end(&c->out);
    if (more)
        json_str(&c->out, "LastEvaluatedBackupArn", last->arn);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- what a deleted table leaves, and background work ---- */

bool ddb_system_backup(struct ddb *d, const struct table *t, int64_t now_ms, struct arena *a)
{
    struct backup b = {.data = t->id,
                       .account = t->account,
                       .region = t->region,
                       .table = t->name,
                       .name = arena_fmt(a, "%.*s$DeletedTableBackup", STR_ARG(t->name)),
                       .def = jval_raw(t->def),
                       .system = true,
                       .available = true,
                       .created_ms = now_ms,
                       .expires_ms = now_ms + (int64_t)SYSTEM_DAYS * 86400000,
                       .items = t->items,
                       .bytes = t->bytes};
    d->backup_due_ms = 0;
    return backup_add(&d->store, &b, a);
}

/* The table whose data has this number; NULL: gone. */
struct table *ddb_table_by_id(struct ddb *d, int64_t id)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&d->catalog.tables, &at, &key, &value)) {
        if (((struct table *)value)->id == id)
            return value;
    }
    return NULL;
}

bool ddb_copy_end(struct ddb *d, struct copy_job *job)
{
    struct copy_job was = *job;
    bool kept;
    d->backup_due_ms = 0; /* one that has expired may have waited for it */
    if (!copies_end(&d->copies, job))
        return false;
    if (was.cut == 0 || copies_reads(&d->copies, was.source) ||
        ddb_table_by_id(d, was.source) != NULL)
        return true;
    return store_drop_history(&d->store, was.source) &&
           backup_has_data(&d->store, was.source, &kept) &&
           (kept || store_drop_data(&d->store, was.source, 0, INT64_MAX)); /* in slices */
}

static bool job_done(struct ddb *d, struct copy_job *job, struct arena *a)
{
    struct copy_job was = *job;
    if (!ddb_copy_end(d, job))
        return false;
    if (was.makes_backup && !backup_set_available(&d->store, was.backup))
        return false;
    if (was.table != 0 && !ddb_restore_copied(d, was.table, a))
        return false;
    struct table *t = was.cut != 0 ? ddb_table_by_id(d, was.source) : NULL;
    return t == NULL || ddb_history_off(d, t, a);
}

static bool copy_slice(struct ddb *d)
{
    bool done = false, ok;
    struct arena *a = arena_new(0, SIZE_MAX);
    ok = db_begin(d->db) && db_savepoint(d->db);
    if (!ok) {
        arena_free(a);
        return true; /* nothing was changed: later */
    }
    ok = copies_slice(&d->copies, &d->copies.jobs[0], &done);
    if (ok && done)
        ok = job_done(d, &d->copies.jobs[0], a);
    if (ok)
        db_savepoint_release(d->db);
    else
        db_savepoint_rollback(d->db);
    arena_free(a);
    return ok;
}

static void trim_histories(struct ddb *d, int64_t now_ms)
{
    size_t at = 0;
    struct str key;
    void *value;
    d->history_due_ms = INT64_MAX;
    while (map_next(&d->catalog.tables, &at, &key, &value)) {
        struct table *t = value;
        if (!t->history || t->pitr_since_ms == 0 || copies_reads(&d->copies, t->id))
            continue;
        if (now_ms >= t->history_due_ms && !history_trim(&d->store, t, now_ms))
            t->history_due_ms = now_ms + 1000;
        if (t->history_due_ms < d->history_due_ms)
            d->history_due_ms = t->history_due_ms;
    }
}

void ddb_maintain_backups(struct ddb *d, int64_t now_ms)
{
    if (d->copies.count > 0 && !copy_slice(d)) {
        ddb_reload(d);
        ddb_retry_later(d, now_ms);
    }
    if (now_ms >= d->history_due_ms)
        trim_histories(d, now_ms);
    if (now_ms >= d->backup_due_ms && !backups_expire(&d->store, now_ms, &d->backup_due_ms))
        d->backup_due_ms = now_ms + 1000;
    if (!ddb_finish_restores(d))
        db_doom(d->db);
}
