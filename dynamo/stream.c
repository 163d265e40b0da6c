/* Making records. The text is what GetRecords answers, byte for byte. */
#include "stream.h"
#include "ids.h"
#include "store_internal.h"
#include "value.h"
#include "write.h"

enum { TEXT_KEEP = 1 << 20 };
static const int64_t SHARD_MS = INT64_C(4) * 3600 * 1000; /* AWS's shards live about 4 hours */

bool stream_enabled(const struct table *t)
{
    return t->stream_id != 0;
}

/* Keys; returns their size. */
static size_t write_keys(struct json_out *out, const struct table *t, const struct item *item)
{
    size_t size = 0;
    json_obj(out, "Keys");
    for (size_t i = 0; i < (size_t)t->key.hash_count + t->key.range_count; i++) {
        const struct attr *at = item_find(item, t->key.part[i].name);
        if (at == NULL)
            continue;
        json_key(out, at->name);
        json_raw(out, NULL, at->json);
        size += at->size;
    }
    json_end(out);
    return size;
}

/* Returns the record's SizeBytes: keys and images, as items are sized. */
static size_t write_record(struct buf *text, const struct stream *st, const struct ddb_write *w,
                           int64_t now_ms)
{
    const struct item *old = w->has_old_item ? &w->old : NULL;
    struct json_out out;
    char event[33], seq[STREAM_SEQ_SIZE];
    ids_hex(event, 32);
    stream_seq_text(st->next, seq);
    json_out_init(&out, text);
    json_obj(&out, NULL);
    json_cstr(&out, "eventID", event);
    json_cstr(&out, "eventName", old == NULL ? "INSERT" : w->now == NULL ? "REMOVE" : "MODIFY");
    json_cstr(&out, "eventVersion", "1.1");
    json_cstr(&out, "eventSource", "aws:dynamodb");
    json_str(&out, "awsRegion", st->region);
    json_obj(&out, "dynamodb");
    json_i64(&out, "ApproximateCreationDateTime", now_ms / 1000);
    size_t size = write_keys(&out, w->t, w->now != NULL ? w->now : old);
    if (w->now != NULL && (st->view == STREAM_NEW_IMAGE || st->view == STREAM_BOTH_IMAGES)) {
        json_raw(&out, "NewImage", w->now->json);
        size += w->now->size;
    }
    if (old != NULL && (st->view == STREAM_OLD_IMAGE || st->view == STREAM_BOTH_IMAGES)) {
        json_raw(&out, "OldImage", old->json);
        size += old->size;
    }
    json_cstr(&out, "SequenceNumber", seq);
    json_i64(&out, "SizeBytes", (int64_t)size);
    json_str(&out, "StreamViewType", st->view_text);
    json_end(&out);
    if (w->by == WRITE_BY_TTL)
        json_raw(&out, "userIdentity",
                 STR("{\"PrincipalId\":\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}"));
    json_end(&out);
    return size;
}

static bool insert(struct streams *s, struct stream *st, size_t size, int64_t now_ms)
{
    sqlite3_stmt *q = store_stmt_of(s->store, &st->insert,
                                    "INSERT INTO ddb_stream_%lld(seq, at, size, record)"
                                    " VALUES(?, ?, ?, ?)",
                                    st->id);
    sqlite3_bind_int64(q, 1, st->next);
    sqlite3_bind_int64(q, 2, now_ms);
    sqlite3_bind_int64(q, 3, (int64_t)size);
    bind_text(q, 4, buf_view(&s->text));
    return run(s->store, q);
}

/* Equal as DynamoDB sees it: items, maps and sets have no order. Another order is not another size,
 * so that values have to be looked into only then. */
static bool same_item(const struct item *old, const struct item *now)
{
    if (old->size != now->size || old->count != now->count)
        return false;
    if (str_eq(old->json, now->json))
        return true;
    struct arena *scratch = arena_new(0, SIZE_MAX);
    struct value x = value_of_item(old->json, scratch), y = value_of_item(now->json, scratch);
    bool same = value_equal(&x, &y, scratch);
    arena_free(scratch);
    return same;
}

bool stream_append(struct ddb *d, const struct ddb_write *w, int64_t now_ms)
{
    struct streams *s = &d->streams;
    struct stream *st = w->t->stream_id == 0 ? NULL : streams_by_id(s, w->t->stream_id);
    if (st == NULL || (w->now == NULL && !w->has_old_item) ||
        (w->now != NULL && w->has_old_item && same_item(&w->old, w->now)))
        return true;
    const struct stream_shard *sh = &st->shards[st->shard_count - 1];
    if (sh->first < st->next && now_ms - sh->created_ms >= SHARD_MS &&
        !stream_roll_shard(s, st, now_ms))
        return false;
    if (s->text.cap > TEXT_KEEP) {
        size_t max = s->text.max;
        buf_release(&s->text);
        buf_init(&s->text, max);
    }
    buf_clear(&s->text);
    size_t size = write_record(&s->text, st, w, now_ms);
    if (s->text.overflow || !insert(s, st, size, now_ms))
        return false;
    st->next++;
    stream_note_due(s, st, now_ms);
    if (s->on_append != NULL)
        s->on_append(s->on_append_arg, st->account, st->arn);
    return true;
}
