/* UpdateContinuousBackups, DescribeContinuousBackups: point-in-time recovery. Every moment up to
 * now can be restored; AWS's lag of five minutes is left out. */
#include "ddb_internal.h"
#include "restore.h"

static void write_status(struct call *c, const struct table *t)
{
    struct pitr_window w = pitr_window(t, c->now_ms);
    json_obj(&c->out, NULL);
    json_obj(&c->out, "ContinuousBackupsDescription");
    json_cstr(&c->out, "ContinuousBackupsStatus", "ENABLED");
    json_obj(&c->out, "PointInTimeRecoveryDescription");
    json_cstr(&c->out, "PointInTimeRecoveryStatus", t->pitr_since_ms != 0 ? "ENABLED" : "DISABLED");
    if (t->pitr_since_ms != 0) {
        json_i64(&c->out, "RecoveryPeriodInDays", t->pitr_days);
        json_i64(&c->out, "EarliestRestorableDateTime", w.earliest_s);
        json_i64(&c->out, "LatestRestorableDateTime", w.latest_s);
    }
    json_end(&c->out);
    json_end(&c->out);
    json_end(&c->out);
}

enum call_status ddb_describe_continuous_backups(struct call *c)
{
    const struct table *t =
        ddb_backup_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena));
    if (t == NULL)
        return CALL_FAILED;
    write_status(c, t);
    return CALL_DONE;
}

/* NULL: the store failed. */
static struct table *set(struct call *c, struct table *t, bool enabled, int64_t days)
{
    struct ddb *d = ddb_of(c);
    int64_t id = t->id, since = t->pitr_since_ms != 0 ? t->pitr_since_ms : c->now_ms;
    struct table_edit edits[] = {
        {"PitrSinceMs", enabled ? arena_fmt(c->arena, "%lld", (long long)since) : STR_NONE},
        {"PitrDays", enabled ? arena_fmt(c->arena, "%lld", (long long)days) : STR_NONE}};
    if (enabled)
        t = ddb_history_on(d, t, c->arena);
    if (t != NULL)
        t = ddb_table_edit(d, t, edits, 2, c->arena);
    if (t != NULL && !enabled && !ddb_history_off(d, t, c->arena))
        return NULL;
    return t == NULL ? NULL : ddb_table_by_id(d, id);
}

enum call_status ddb_update_continuous_backups(struct call *c)
{
    struct jval spec = jval_get(c->in, "PointInTimeRecoverySpecification");
    struct jval given = jval_get(spec, "RecoveryPeriodInDays");
    int64_t days = PITR_DAYS;
    bool enabled = false;
    jval_bool(jval_get(spec, "PointInTimeRecoveryEnabled"), &enabled);
    jval_i64(given, &days);
    if (!enabled && jval_present(given))
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling "
                         "point-in-time recovery.");
    struct table *t =
        ddb_backup_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena));
    if (t == NULL)
        return CALL_FAILED;
    if (enabled && t->pitr_since_ms != 0 && !jval_present(given))
        days = t->pitr_days;
    if (enabled != (t->pitr_since_ms != 0) || (enabled && days != t->pitr_days)) {
        if (!ddb_change_begin(c))
            return ddb_internal_error(c);
        t = set(c, t, enabled, days);
        if (t == NULL)
            return ddb_change_failed(c);
        db_savepoint_release(ddb_of(c)->db);
    }
    write_status(c, t);
    return CALL_DONE;
}
