/* stream.h - change streams. A record is written in the commit that changes the item, stays 24
 * hours by the clock, and can be read as long when the stream or its table is gone. One SQLite
 * table per stream; a stream is a row of shards, of which the last is open: as on AWS it is
 * replaced by a child after four hours of writes. */
#ifndef PUDDLE_STREAM_H
#define PUDDLE_STREAM_H
#include "store.h"
#include "table.h"

struct ddb;
struct ddb_write;

/* ---- for writes ---- */

/* Does t have an enabled stream (then the old item is needed)? */
bool stream_enabled(const struct table *t);
/* One record for what w did; nothing when the stream is off or the item did not change. now_ms:
 * wall time. False: the store failed (logged). */
bool stream_append(struct ddb *d, const struct ddb_write *w, int64_t now_ms);

/* ---- for table operations ---- */

enum stream_view { STREAM_KEYS_ONLY, STREAM_NEW_IMAGE, STREAM_OLD_IMAGE, STREAM_BOTH_IMAGES };
struct stream_shard {
    int64_t number, first, last; /* sequence numbers; last 0: open */
    int64_t created_ms, closed_ms;
    int64_t parent_created_ms; /* of shard number - 1; 0: there was none */
};
struct stream {
    int64_t id, created_ms, closed_ms;                              /* closed_ms 0: enabled */
    struct str account, region, table, label, arn, keys, view_text; /* keys: KeySchema as JSON */
    enum stream_view view;
    int64_t next;    /* number of the next record */
    int64_t trimmed; /* this record and those before it are gone */
    int64_t due_ms;  /* when something may have to be trimmed; INT64_MAX: nothing */
    struct stream_shard *shards;
    size_t shard_count, shard_cap;
    sqlite3_stmt *insert, *oldest, *trim, *read;
    struct arena *arena; /* owns the texts and this struct */
};
struct streams {
    struct store *store;
    struct stream **all; /* by id, so by age */
    size_t count, cap;
    int64_t due_ms;                                                   /* the earliest of all */
    struct buf text;                                                  /* scratch: one record */
    void (*on_append)(void *arg, struct str account, struct str arn); /* ddb_stream.h */
    void *on_append_arg;
};
bool streams_open(struct streams *s, struct store *store, char *reterr, size_t reterr_size);
void streams_release(struct streams *s);
/* From the store again, after a failed commit. Panics if that fails. */
void streams_reload(struct streams *s);
/* A new enabled stream for t, whose definition then has to hold the returned id. NULL: the store
 * failed. The label is the time, moved on until no stream of the table has it. */
struct stream *streams_create(struct streams *s, const struct table *t, struct str view,
                              int64_t now_ms);
/* No record comes any more; what is there stays readable. */
bool streams_close(struct streams *s, int64_t id, int64_t now_ms);
struct stream *streams_by_id(const struct streams *s, int64_t id);
struct stream *streams_by_arn(const struct streams *s, struct str account, struct str arn);
/* Closes the open shard and opens its child. */
bool stream_roll_shard(struct streams *s, struct stream *st, int64_t now_ms);
/* Something written at now_ms will have to be trimmed. */
void stream_note_due(struct streams *s, struct stream *st, int64_t now_ms);
/* Everything goes at once (puddle reset). */
bool streams_reset(struct streams *s);
/* One slice of taking away what is older than 24 hours. */
void streams_maintain(struct streams *s, int64_t now_ms);

/* ---- for readers ---- */

enum { STREAM_SHARD_ID_SIZE = 38, STREAM_SEQ_SIZE = 32, STREAM_READ_MAX = 1000 };
void stream_shard_id(const struct stream *st, const struct stream_shard *sh,
                     char out[STREAM_SHARD_ID_SIZE]);
/* NULL: no such shard (any more). */
const struct stream_shard *stream_find_shard(const struct stream *st, struct str shard_id);
/* Sequence numbers as AWS prints them: 21 digits. */
void stream_seq_text(int64_t seq, char out[STREAM_SEQ_SIZE]);
bool stream_seq_parse(struct str text, int64_t *ret);
/* Appends up to limit records of the shard after number *at to the open array of out, at most 1 MB
 * of them, and moves *at. *ret_more: the shard has, or may get, further ones. False: the store
 * failed. */
bool stream_read_shard(struct streams *s, struct stream *st, const struct stream_shard *sh,
                       int64_t *at, size_t limit, struct json_out *out, bool *ret_more);
#endif
