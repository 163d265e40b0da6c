/* Chunks: an event is its time (8 bytes), its length (4) and its message. */
#include "clock.h"
#include "cwl_internal.h"
#include "panic.h"
#include <string.h>

enum { HEAD = 12, BATCH_BYTES_MAX = 16 << 20 };
enum { STMT_INSERT = 16, STMT_STREAM, STMT_GROUP, STMT_OLDEST, STMT_TRIM, STMT_EMPTY }; /* slots */

void cwl_batch_init(struct cwl_batch *b)
{
    *b = (struct cwl_batch){0};
    buf_init(&b->data, BATCH_BYTES_MAX);
}

void cwl_batch_add(struct cwl_batch *b, int64_t time_ms, struct str message, struct str end)
{
    char head[HEAD];
    uint32_t n = (uint32_t)(message.n + end.n);
    memcpy(head, &time_ms, 8);
    memcpy(head + 8, &n, 4);
    if (!buf_reserve(&b->data, HEAD + n))
        return; /* callers keep batches far smaller */
    buf_add(&b->data, (struct str){head, HEAD});
    buf_add(&b->data, message);
    buf_add(&b->data, end);
    if (b->count == 0 || time_ms < b->first_ms)
        b->first_ms = time_ms;
    if (b->count == 0 || time_ms > b->last_ms)
        b->last_ms = time_ms;
    b->count++;
    b->bytes += (int64_t)n + CWL_EVENT_OVERHEAD;
}

bool cwl_chunk_next(struct str data, size_t *at, struct cwl_event *ret)
{
    uint32_t n;
    if (data.n - *at < HEAD)
        return false;
    memcpy(&ret->time_ms, data.p + *at, 8);
    memcpy(&n, data.p + *at + 8, 4);
    if (data.n - *at - HEAD < n)
        return false;
    ret->message = str_sub(data, *at + HEAD, *at + HEAD + n);
    *at += HEAD + n;
    return true;
}

static bool run(sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return ok;
}

/* Forgets the oldest chunks of a group that has grown too big, and the streams that are left
 * without any. */
static bool trim(struct cwl *s, int64_t group, int64_t bytes)
{
    int64_t freed = 0, upto = 0;
    sqlite3_stmt *q = db_stmt(s->db, &s->stmts[STMT_OLDEST],
                              "SELECT id, bytes FROM cwl_chunks WHERE group_id = ?1 ORDER BY id");
    sqlite3_bind_int64(q, 1, group);
    while (bytes - freed > CWL_GROUP_MAX / 8 * 7 && sqlite3_step(q) == SQLITE_ROW) {
        upto = sqlite3_column_int64(q, 0);
        freed += sqlite3_column_int64(q, 1);
    }
    sqlite3_reset(q);
    q = db_stmt(s->db, &s->stmts[STMT_TRIM],
                "DELETE FROM cwl_chunks WHERE group_id = ?1 AND id <= ?2");
    sqlite3_bind_int64(q, 1, group);
    sqlite3_bind_int64(q, 2, upto);
    if (!run(q))
        return false;
    q = db_stmt(s->db, &s->stmts[STMT_EMPTY],
                "DELETE FROM cwl_streams WHERE group_id = ?1 AND last_ms >= 0 AND NOT EXISTS "
                "(SELECT 1 FROM cwl_chunks WHERE stream_id = cwl_streams.id)");
    sqlite3_bind_int64(q, 1, group);
    if (!run(q))
        return false;
    q = db_stmt(s->db, &s->stmts[STMT_GROUP],
                "UPDATE cwl_groups SET bytes = bytes + ?2 WHERE id = ?1 RETURNING bytes");
    sqlite3_bind_int64(q, 1, group);
    sqlite3_bind_int64(q, 2, -freed);
    bool ok = sqlite3_step(q) == SQLITE_ROW;
    sqlite3_reset(q);
    return ok;
}

/* The sums of the stream and of the group; *ret_bytes: the group's. */
static bool count(struct cwl *s, int64_t group, int64_t stream, const struct cwl_batch *b,
                  int64_t now, int64_t *ret_bytes)
{
    sqlite3_stmt *q = db_stmt(
        s->db, &s->stmts[STMT_STREAM],
        "UPDATE cwl_streams SET bytes = bytes + ?2, ingested_ms = ?3, last_ms = max(last_ms, ?5), "
        "first_ms = CASE WHEN first_ms < 0 THEN ?4 ELSE min(first_ms, ?4) END WHERE id = ?1");
    sqlite3_bind_int64(q, 1, stream);
    sqlite3_bind_int64(q, 2, b->bytes);
    sqlite3_bind_int64(q, 3, now);
    sqlite3_bind_int64(q, 4, b->first_ms);
    sqlite3_bind_int64(q, 5, b->last_ms);
    if (!run(q))
        return false;
    q = db_stmt(s->db, &s->stmts[STMT_GROUP],
                "UPDATE cwl_groups SET bytes = bytes + ?2 WHERE id = ?1 RETURNING bytes");
    sqlite3_bind_int64(q, 1, group);
    sqlite3_bind_int64(q, 2, b->bytes);
    bool ok = sqlite3_step(q) == SQLITE_ROW;
    *ret_bytes = ok ? sqlite3_column_int64(q, 0) : 0;
    sqlite3_reset(q);
    return ok;
}

bool cwl_batch_store(struct cwl *s, int64_t group, int64_t stream, struct cwl_batch *b)
{
    int64_t now = clock_now_ms(), bytes = 0;
    ASSERT(!b->data.overflow);
    sqlite3_stmt *q =
        db_stmt(s->db, &s->stmts[STMT_INSERT],
                "INSERT INTO cwl_chunks (group_id, stream_id, first_ms, last_ms, ingested_ms, "
                "bytes, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    sqlite3_bind_int64(q, 1, group);
    sqlite3_bind_int64(q, 2, stream);
    sqlite3_bind_int64(q, 3, b->first_ms);
    sqlite3_bind_int64(q, 4, b->last_ms);
    sqlite3_bind_int64(q, 5, now);
    sqlite3_bind_int64(q, 6, b->bytes);
    sqlite3_bind_blob(q, 7, b->data.p, (int)b->data.n, SQLITE_STATIC);
    bool ok = run(q) && count(s, group, stream, b, now, &bytes);
    s->ingested += b->bytes;
    buf_clear(&b->data);
    b->count = 0;
    b->bytes = 0;
    return ok && (bytes <= CWL_GROUP_MAX || trim(s, group, bytes));
}
