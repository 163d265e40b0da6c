#include "backup.h"
#include "arn.h"
#include "ids.h"
#include "store_internal.h"

#define COLUMNS                                                                                    \
    "id, data, account, region, name, backup_name, suffix, system, available, created, expires,"   \
    " items, bytes, def"

/* A restore that has begun gets all of it (ddb_copy is copy.c's). */
#define NOT_READ " AND data NOT IN (SELECT source FROM ddb_copy)"

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_backup("
        " id INTEGER PRIMARY KEY AUTOINCREMENT, data INTEGER NOT NULL, account TEXT NOT NULL,"
        " region TEXT NOT NULL, name TEXT NOT NULL, backup_name TEXT NOT NULL,"
        " suffix TEXT NOT NULL, system INTEGER NOT NULL, available INTEGER NOT NULL,"
        " created INTEGER NOT NULL, expires INTEGER NOT NULL, items INTEGER NOT NULL,"
        " bytes INTEGER NOT NULL, def TEXT NOT NULL)"},
};

bool backups_open(struct store *s, char *reterr, size_t reterr_size)
{
    return db_migrate(s->db, "dynamodbbackups", migrations, 1, reterr, reterr_size);
}

static struct str text_at(sqlite3_stmt *q, int at, struct arena *a)
{
    return arena_str(a, column(q, at));
}

static struct str arn_of(const struct backup *b, struct arena *a)
{
    return arn_format(
        a, "dynamodb", b->region, b->account,
        arena_fmt(a, "table/%.*s/backup/%.*s", STR_ARG(b->table), STR_ARG(b->suffix)));
}

bool backup_add(struct store *s, struct backup *b, struct arena *a)
{
    char unique[9] = "00000000"; /* of system backups */
    sqlite3_stmt *q = NULL;
    if (!b->system)
        ids_hex(unique, 8);
    b->suffix = arena_fmt(a, "%014lld-%s", (long long)b->created_ms, unique);
    b->arn = arn_of(b, a);
    bool ok = sqlite3_prepare_v2(db_handle(s->db),
                                 "INSERT INTO ddb_backup(data, account, region, name, backup_name,"
                                 " suffix, system, available, created, expires, items, bytes, def)"
                                 " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                 -1, &q, NULL) == SQLITE_OK;
    if (!ok)
        return say_failed(s);
    const struct str texts[] = {b->account, b->region, b->table, b->name, b->suffix};
    const int64_t numbers[] = {b->system,     b->available, b->created_ms,
                               b->expires_ms, b->items,     b->bytes};
    sqlite3_bind_int64(q, 1, b->data);
    for (int i = 0; i < 5; i++)
        bind_text(q, i + 2, texts[i]);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(q, i + 7, numbers[i]);
    bind_text(q, 13, b->def);
    ok = sqlite3_step(q) == SQLITE_DONE;
    sqlite3_finalize(q);
    b->id = sqlite3_last_insert_rowid(db_handle(s->db));
    return ok || say_failed(s);
}

static void read_row(sqlite3_stmt *q, struct arena *a, struct backup *ret)
{
    *ret = (struct backup){.id = sqlite3_column_int64(q, 0),
                           .data = sqlite3_column_int64(q, 1),
                           .account = text_at(q, 2, a),
                           .region = text_at(q, 3, a),
                           .table = text_at(q, 4, a),
                           .name = text_at(q, 5, a),
                           .suffix = text_at(q, 6, a),
                           .system = sqlite3_column_int(q, 7) != 0,
                           .available = sqlite3_column_int(q, 8) != 0,
                           .created_ms = sqlite3_column_int64(q, 9),
                           .expires_ms = sqlite3_column_int64(q, 10),
                           .items = sqlite3_column_int64(q, 11),
                           .bytes = sqlite3_column_int64(q, 12),
                           .def = text_at(q, 13, a)};
    ret->arn = arn_of(ret, a);
}

struct backup *backup_list(struct store *s, struct str account, struct str region, struct arena *a,
                           size_t *ret_count)
{
    sqlite3_stmt *q = NULL;
    struct backup *all = ARENA_ARRAY(a, struct backup, 8);
    size_t n = 0, cap = 8;
    int rc = sqlite3_prepare_v2(db_handle(s->db),
                                "SELECT " COLUMNS " FROM ddb_backup"
                                " WHERE account = ? AND region = ? ORDER BY created, id",
                                -1, &q, NULL);
    if (rc == SQLITE_OK) {
        bind_text(q, 1, account);
        bind_text(q, 2, region);
    }
    while (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        if (n == cap) {
            struct backup *more = ARENA_ARRAY(a, struct backup, 2 * cap);
            for (size_t i = 0; i < n; i++)
                more[i] = all[i];
            all = more;
            cap *= 2;
        }
        read_row(q, a, &all[n++]);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(q);
    *ret_count = n;
    if (rc == SQLITE_DONE)
        return all;
    say_failed(s);
    return NULL;
}

enum store_result backup_find(struct store *s, struct str account, struct str region,
                              struct str arn, struct arena *a, struct backup *ret)
{
    size_t count;
    struct backup *all = backup_list(s, account, region, a, &count);
    for (size_t i = 0; all != NULL && i < count; i++) {
        if (!str_eq(all[i].arn, arn))
            continue;
        *ret = all[i];
        return STORE_OK;
    }
    return all == NULL ? STORE_FAILED : STORE_NONE;
}

bool backup_set_available(struct store *s, int64_t id)
{
    return store_exec(s, "UPDATE ddb_backup SET available = 1 WHERE id = %lld", (long long)id);
}

bool backup_remove(struct store *s, const struct backup *b)
{
    return store_exec(s, "DELETE FROM ddb_backup WHERE id = %lld", (long long)b->id) &&
           store_drop_data(s, b->data, b->items, b->bytes);
}

bool backup_has_data(struct store *s, int64_t data, bool *ret)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db_handle(s->db), "SELECT 1 FROM ddb_backup WHERE data = ?", -1, &q,
                                NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(q, 1, data);
        rc = sqlite3_step(q);
    }
    sqlite3_finalize(q);
    *ret = rc == SQLITE_ROW;
    return *ret || rc == SQLITE_DONE || say_failed(s);
}

/* Removes the first one that is due at most at that time. *ret_any: there was one. */
static bool remove_due(struct store *s, const char *where, int64_t now_ms, bool *ret_any)
{
    sqlite3_stmt *q = NULL;
    struct backup b = {0};
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT id, data, items, bytes FROM ddb_backup %s LIMIT 1", where);
    int rc = sqlite3_prepare_v2(db_handle(s->db), sql, -1, &q, NULL);
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(q) > 0)
        sqlite3_bind_int64(q, 1, now_ms);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    *ret_any = rc == SQLITE_ROW;
    if (*ret_any)
        b = (struct backup){.id = sqlite3_column_int64(q, 0),
                            .data = sqlite3_column_int64(q, 1),
                            .items = sqlite3_column_int64(q, 2),
                            .bytes = sqlite3_column_int64(q, 3)};
    sqlite3_finalize(q);
    if (!*ret_any)
        return rc == SQLITE_DONE || say_failed(s);
    if (!db_begin(s->db))
        return false;
    if (backup_remove(s, &b))
        return true;
    db_doom(s->db);
    return false;
}

bool backups_expire(struct store *s, int64_t now_ms, int64_t *ret_due)
{
    sqlite3_stmt *q = NULL;
    bool any;
    *ret_due = now_ms + 1000;
    if (!remove_due(s, "WHERE expires > 0 AND expires <= ?" NOT_READ " ORDER BY expires", now_ms,
                    &any))
        return false;
    *ret_due = now_ms;
    if (any) /* one a tick */
        return true;
    bool ok = sqlite3_prepare_v2(db_handle(s->db),
                                 "SELECT coalesce(min(expires), 9223372036854775807)"
                                 " FROM ddb_backup WHERE expires > 0" NOT_READ,
                                 -1, &q, NULL) == SQLITE_OK &&
              sqlite3_step(q) == SQLITE_ROW;
    if (ok)
        *ret_due = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return ok || say_failed(s);
}

bool backups_reset(struct store *s)
{
    bool any = true;
    while (any) {
        if (!remove_due(s, "", 0, &any))
            return false;
    }
    return true;
}

/* ---- describing ---- */

void backup_write_details(const struct backup *b, const char *status, struct json_out *out)
{
    json_obj(out, "BackupDetails");
    json_str(out, "BackupArn", b->arn);
    json_str(out, "BackupName", b->name);
    json_i64(out, "BackupSizeBytes", b->bytes);
    json_cstr(out, "BackupStatus",
              status != NULL ? status
              : b->available ? "AVAILABLE"
                             : "CREATING");
    json_cstr(out, "BackupType", b->system ? "SYSTEM" : "USER");
    table_write_time(out, "BackupCreationDateTime", b->created_ms);
    table_write_time(out, "BackupExpiryDateTime", b->expires_ms);
    json_end(out);
}

static void copy_member(struct jval from, const char *name, const char *as, struct json_out *out)
{
    struct jval v = jval_get(from, name);
    if (jval_present(v))
        json_raw(out, as, jval_raw(v));
}

static void write_units(struct jval of, struct json_out *out)
{
    struct jval units = jval_get(of, "ProvisionedThroughput");
    json_obj(out, "ProvisionedThroughput");
    json_i64(out, "ReadCapacityUnits", table_number(units, "ReadCapacityUnits", 0));
    json_i64(out, "WriteCapacityUnits", table_number(units, "WriteCapacityUnits", 0));
    json_end(out);
}

static void write_source(const struct backup *b, const struct table *t, struct json_out *out)
{
    json_obj(out, "SourceTableDetails");
    json_str(out, "TableName", b->table);
    copy_member(t->def, "TableId", "TableId", out);
    json_str(out, "TableArn", t->arn);
    json_i64(out, "TableSizeBytes", b->bytes);
    copy_member(t->def, "KeySchema", "KeySchema", out);
    table_write_time(out, "TableCreationDateTime", table_number(t->def, "CreatedMs", 0));
    write_units(t->def, out);
    copy_member(t->def, "OnDemandThroughput", "OnDemandThroughput", out);
    json_i64(out, "ItemCount", b->items);
    json_cstr(out, "BillingMode", t->on_demand ? "PAY_PER_REQUEST" : "PROVISIONED");
    json_end(out);
}

static void write_indexes(const struct table *t, const char *list, bool global,
                          struct json_out *out)
{
    struct jval it = {0};
    if (!jval_present(jval_get(t->def, list)))
        return;
    json_arr(out, list);
    while (jval_next(jval_get(t->def, list), &it, NULL)) {
        json_obj(out, NULL);
        copy_member(it, "IndexName", "IndexName", out);
        copy_member(it, "KeySchema", "KeySchema", out);
        copy_member(it, "Projection", "Projection", out);
        if (global)
            write_units(it, out);
        json_end(out);
    }
    json_end(out);
}

static void write_features(const struct table *t, struct arena *a, struct json_out *out)
{
    json_obj(out, "SourceTableFeatureDetails");
    write_indexes(t, "LocalSecondaryIndexes", false, out);
    write_indexes(t, "GlobalSecondaryIndexes", true, out);
    copy_member(t->def, "StreamSpecification", "StreamDescription", out);
    if (t->ttl_attr.n > 0) {
        json_obj(out, "TimeToLiveDescription");
        json_cstr(out, "TimeToLiveStatus", "ENABLED");
        json_str(out, "AttributeName", t->ttl_attr);
        json_end(out);
    }
    table_describe_encryption(t, a, out);
    json_end(out);
}

void backup_write_description(const struct backup *b, const char *status, struct arena *a,
                              struct json_out *out)
{
    struct table t = {.account = b->account, .region = b->region, .name = b->table, .arena = a};
    bool parsed = json_parse(a, b->def, JSON_DEPTH_DEFAULT, &t.def, NULL) && table_parse(&t);
    json_obj(out, "BackupDescription");
    backup_write_details(b, status, out);
    if (parsed) {
        write_source(b, &t, out);
        if (b->system)
            json_raw(out, "SourceTableFeatureDetails", STR("{}"));
        else
            write_features(&t, a, out);
    }
    json_end(out);
}
