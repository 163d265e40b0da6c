/* Groups and streams in the store. */
#include "clock.h"
#include "cwl_internal.h"
#include "log.h"
#include <stdio.h>
#include <string.h>

enum {
    STMT_GROUP_FIND,
    STMT_GROUP_INSERT,
    STMT_GROUP_UPDATE,
    STMT_GROUP_DELETE,
    STMT_GROUP_LIST,
    STMT_STREAM_FIND,
    STMT_STREAM_INSERT,
    STMT_STREAM_DELETE,
    STMT_STREAM_NAME,
    STMT_CHUNKS_OF_GROUP,
    STMT_STREAMS_OF_GROUP,
    STMT_CHUNKS_OF_STREAM,
    STMT_EXPIRE,
    STMT_EXPIRED_BYTES
};

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE cwl_groups (id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, "
        "region TEXT NOT NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, retention_days "
        "INTEGER NOT NULL, bytes INTEGER NOT NULL, class TEXT NOT NULL, kms TEXT NOT NULL, "
        "protected INTEGER NOT NULL, tags TEXT NOT NULL, UNIQUE (account, region, name));"
        "CREATE TABLE cwl_streams (id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT "
        "NULL, name TEXT NOT NULL, created_ms INTEGER NOT NULL, first_ms INTEGER NOT NULL, "
        "last_ms INTEGER NOT NULL, ingested_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, UNIQUE "
        "(group_id, name));"
        "CREATE TABLE cwl_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, "
        "stream_id INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, "
        "ingested_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, data BLOB NOT NULL);"
        "CREATE INDEX cwl_chunks_group ON cwl_chunks (group_id, first_ms);"
        "CREATE INDEX cwl_chunks_stream ON cwl_chunks (stream_id, first_ms);"
        "CREATE INDEX cwl_chunks_stream_last ON cwl_chunks (stream_id, last_ms)"}};

bool cwl_store_open(struct cwl *s, char *reterr, size_t reterr_size)
{
    return db_migrate(s->db, "logs", migrations, sizeof migrations / sizeof *migrations, reterr,
                      reterr_size);
}

static void bind(sqlite3_stmt *q, int i, struct str text)
{
    sqlite3_bind_text(q, i, text.n > 0 ? text.p : "", (int)text.n, SQLITE_STATIC);
}

static struct str column(sqlite3_stmt *q, int i, struct arena *a)
{
    struct str text = {(const char *)sqlite3_column_text(q, i), (size_t)sqlite3_column_bytes(q, i)};
    return arena_str(a, text);
}

static bool finish(struct cwl *s, sqlite3_stmt *q)
{
    bool ok = sqlite3_step(q) == SQLITE_DONE;
    if (!ok)
        log_msg(LOG_ERROR, "logs", "the store: %s", sqlite3_errmsg(db_handle(s->db)));
    sqlite3_reset(q);
    return ok;
}

static bool run_with_id(struct cwl *s, size_t slot, const char *sql, int64_t id)
{
    sqlite3_stmt *q = db_stmt(s->db, &s->stmts[slot], sql);
    sqlite3_bind_int64(q, 1, id);
    return finish(s, q);
}

/* ---- groups ---- */

#define GROUP_COLUMNS                                                                              \
    "id, account, region, name, created_ms, retention_days, bytes, class, kms, protected, tags"

static void read_group(sqlite3_stmt *q, struct arena *a, struct cwl_group *ret)
{
    *ret = (struct cwl_group){.id = sqlite3_column_int64(q, 0),
                              .account = column(q, 1, a),
                              .region = column(q, 2, a),
                              .name = column(q, 3, a),
                              .created_ms = sqlite3_column_int64(q, 4),
                              .retention_days = sqlite3_column_int64(q, 5),
                              .bytes = sqlite3_column_int64(q, 6),
                              .log_class = column(q, 7, a),
                              .kms = column(q, 8, a),
                              .is_protected = sqlite3_column_int(q, 9) != 0,
                              .tags_json = column(q, 10, a)};
}

bool cwl_group_find(struct cwl *s, struct str account, struct str region, struct str name,
                    struct arena *a, struct cwl_group *ret)
{
    sqlite3_stmt *q = db_stmt(s->db, &s->stmts[STMT_GROUP_FIND],
                              "SELECT " GROUP_COLUMNS " FROM cwl_groups WHERE account = ?1 AND "
                              "region = ?2 AND name = ?3");
    bind(q, 1, account);
    bind(q, 2, region);
    bind(q, 3, name);
    bool found = sqlite3_step(q) == SQLITE_ROW;
    if (found)
        read_group(q, a, ret);
    sqlite3_reset(q);
    return found;
}

bool cwl_group_insert(struct cwl *s, struct cwl_group *g)
{
    sqlite3_stmt *q =
        db_stmt(s->db, &s->stmts[STMT_GROUP_INSERT],
                "INSERT INTO cwl_groups (account, region, name, created_ms, retention_days, bytes, "
                "class, kms, protected, tags) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9)");
    bind(q, 1, g->account);
    bind(q, 2, g->region);
    bind(q, 3, g->name);
    sqlite3_bind_int64(q, 4, g->created_ms);
    sqlite3_bind_int64(q, 5, g->retention_days);
    bind(q, 6, g->log_class);
    bind(q, 7, g->kms);
    sqlite3_bind_int(q, 8, g->is_protected);
    bind(q, 9, g->tags_json);
    bool ok = finish(s, q);
    g->id = sqlite3_last_insert_rowid(db_handle(s->db));
    return ok;
}

bool cwl_group_update(struct cwl *s, const struct cwl_group *g)
{
    sqlite3_stmt *q = db_stmt(s->db, &s->stmts[STMT_GROUP_UPDATE],
                              "UPDATE cwl_groups SET retention_days = ?2, tags = ?3 WHERE id = ?1");
    if (!db_begin(s->db))
        return false;
    sqlite3_bind_int64(q, 1, g->id);
    sqlite3_bind_int64(q, 2, g->retention_days);
    bind(q, 3, g->tags_json);
    return finish(s, q);
}

bool cwl_group_delete(struct cwl *s, const struct cwl_group *g)
{
    return db_begin(s->db) &&
           run_with_id(s, STMT_CHUNKS_OF_GROUP, "DELETE FROM cwl_chunks WHERE group_id = ?1",
                       g->id) &&
           run_with_id(s, STMT_STREAMS_OF_GROUP, "DELETE FROM cwl_streams WHERE group_id = ?1",
                       g->id) &&
           run_with_id(s, STMT_GROUP_DELETE, "DELETE FROM cwl_groups WHERE id = ?1", g->id);
}

size_t cwl_group_list(struct cwl *s, struct str account, struct str region, struct str prefix,
                      struct str part, size_t offset, size_t limit, struct arena *a,
                      struct cwl_group **ret)
{
    size_t n = 0;
    *ret = ARENA_ARRAY(a, struct cwl_group, limit);
    sqlite3_stmt *q =
        db_stmt(s->db, &s->stmts[STMT_GROUP_LIST],
                "SELECT " GROUP_COLUMNS " FROM cwl_groups WHERE account = ?1 AND region = ?2 AND "
                "substr(name, 1, length(?3)) = ?3 AND instr(name, ?4) > 0 ORDER BY name LIMIT ?5 "
                "OFFSET ?6");
    bind(q, 1, account);
    bind(q, 2, region);
    bind(q, 3, prefix);
    bind(q, 4, part);
    sqlite3_bind_int64(q, 5, (int64_t)limit);
    sqlite3_bind_int64(q, 6, (int64_t)offset);
    while (n < limit && sqlite3_step(q) == SQLITE_ROW)
        read_group(q, a, &(*ret)[n++]);
    sqlite3_reset(q);
    return n;
}

/* ---- streams ---- */

#define STREAM_COLUMNS "id, name, created_ms, first_ms, last_ms, ingested_ms, bytes"

static void read_stream(sqlite3_stmt *q, struct arena *a, struct cwl_stream *ret)
{
    *ret = (struct cwl_stream){.id = sqlite3_column_int64(q, 0),
                               .name = column(q, 1, a),
                               .created_ms = sqlite3_column_int64(q, 2),
                               .first_ms = sqlite3_column_int64(q, 3),
                               .last_ms = sqlite3_column_int64(q, 4),
                               .ingested_ms = sqlite3_column_int64(q, 5),
                               .bytes = sqlite3_column_int64(q, 6)};
}

bool cwl_stream_find(struct cwl *s, int64_t group, struct str name, struct arena *a,
                     struct cwl_stream *ret)
{
    sqlite3_stmt *q =
        db_stmt(s->db, &s->stmts[STMT_STREAM_FIND],
                "SELECT " STREAM_COLUMNS " FROM cwl_streams WHERE group_id = ?1 AND name = ?2");
    sqlite3_bind_int64(q, 1, group);
    bind(q, 2, name);
    bool found = sqlite3_step(q) == SQLITE_ROW;
    if (found)
        read_stream(q, a, ret);
    sqlite3_reset(q);
    return found;
}

bool cwl_stream_insert(struct cwl *s, int64_t group, struct cwl_stream *st)
{
    sqlite3_stmt *q = db_stmt(s->db, &s->stmts[STMT_STREAM_INSERT],
                              "INSERT INTO cwl_streams (group_id, name, created_ms, first_ms, "
                              "last_ms, ingested_ms, bytes) VALUES (?1, ?2, ?3, -1, -1, -1, 0)");
    if (!db_begin(s->db))
        return false;
    sqlite3_bind_int64(q, 1, group);
    bind(q, 2, st->name);
    sqlite3_bind_int64(q, 3, st->created_ms);
    st->first_ms = st->last_ms = st->ingested_ms = -1;
    bool ok = finish(s, q);
    st->id = sqlite3_last_insert_rowid(db_handle(s->db));
    return ok;
}

/* The group's sum of bytes after something was deleted. */
static bool recount(struct cwl *s, int64_t group)
{
    return run_with_id(s, STMT_EXPIRED_BYTES,
                       "UPDATE cwl_groups SET bytes = (SELECT coalesce(sum(bytes), 0) FROM "
                       "cwl_chunks WHERE group_id = ?1) WHERE id = ?1",
                       group);
}

bool cwl_stream_delete(struct cwl *s, int64_t group, const struct cwl_stream *st)
{
    return db_begin(s->db) &&
           run_with_id(s, STMT_CHUNKS_OF_STREAM, "DELETE FROM cwl_chunks WHERE stream_id = ?1",
                       st->id) &&
           run_with_id(s, STMT_STREAM_DELETE, "DELETE FROM cwl_streams WHERE id = ?1", st->id) &&
           recount(s, group);
}

size_t cwl_stream_list(struct cwl *s, int64_t group, struct str prefix, bool by_time,
                       bool descending, size_t offset, size_t limit, struct arena *a,
                       struct cwl_stream **ret)
{
    char sql[400];
    sqlite3_stmt *q = NULL;
    size_t n = 0;
    *ret = ARENA_ARRAY(a, struct cwl_stream, limit);
    snprintf(sql, sizeof sql,
             "SELECT " STREAM_COLUMNS " FROM cwl_streams WHERE group_id = ?1 AND "
             "substr(name, 1, length(?2)) = ?2 ORDER BY %s %s LIMIT ?3 OFFSET ?4",
             by_time ? "last_ms" : "name", descending ? "DESC" : "ASC");
    if (sqlite3_prepare_v2(db_handle(s->db), sql, -1, &q, NULL) != SQLITE_OK)
        return 0;
    sqlite3_bind_int64(q, 1, group);
    bind(q, 2, prefix);
    sqlite3_bind_int64(q, 3, (int64_t)limit);
    sqlite3_bind_int64(q, 4, (int64_t)offset);
    while (n < limit && sqlite3_step(q) == SQLITE_ROW)
        read_stream(q, a, &(*ret)[n++]);
    sqlite3_finalize(q);
    return n;
}

struct str cwl_stream_name(struct cwl *s, int64_t stream, struct arena *a)
{
    sqlite3_stmt *q =
        db_stmt(s->db, &s->stmts[STMT_STREAM_NAME], "SELECT name FROM cwl_streams WHERE id = ?1");
    sqlite3_bind_int64(q, 1, stream);
    struct str name = sqlite3_step(q) == SQLITE_ROW ? column(q, 0, a) : STR("");
    sqlite3_reset(q);
    return name;
}

/* ---- retention ---- */

int64_t cwl_oldest_ms(const struct cwl_group *g)
{
    return g->retention_days > 0 ? clock_now_ms() - g->retention_days * 86400000 : INT64_MIN;
}

bool cwl_expire(struct cwl *s, const struct cwl_group *g)
{
    sqlite3_stmt *q;
    if (g->retention_days == 0)
        return true;
    q = db_stmt(s->db, &s->stmts[STMT_EXPIRE],
                "DELETE FROM cwl_chunks WHERE group_id = ?1 AND last_ms < ?2");
    if (!db_begin(s->db))
        return false;
    sqlite3_bind_int64(q, 1, g->id);
    sqlite3_bind_int64(q, 2, cwl_oldest_ms(g));
    return finish(s, q) && (sqlite3_changes(db_handle(s->db)) == 0 || recount(s, g->id));
}
