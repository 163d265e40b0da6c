/* cwl_internal.h - what the files of the logs service share. Events are stored in chunks: what one
 * stream got in a quarter of a second, or in one PutLogEvents, is one row, so that a line costs
 * little and a read still finds its way by time. */
#ifndef PUDDLE_CWL_INTERNAL_H
#define PUDDLE_CWL_INTERNAL_H
#include "cwl.h"
#include "logs_model.h"
#include "map.h"

enum {
    CWL_EVENT_OVERHEAD = 26, /* AWS counts a message as its bytes and 26 */
    CWL_EVENT_MAX = 1048576,
    CWL_BATCH_MAX = 1048576,
    CWL_GROUP_MAX = 64 << 20, /* bytes kept of a group: older ones go */
    CWL_SPAN_MS = 24 * 3600 * 1000,
    CWL_STMTS = 24
};

struct cwl {
    struct loop *loop;
    struct db *db;
    struct service service;
    struct map buffers; /* stream -> struct cwl_buffer: lines that are not stored yet */
    struct timer timer;
    int64_t ingested; /* bytes since the start */
    sqlite3_stmt *stmts[CWL_STMTS];
};

/* ---- cwl_store.c ---- */

struct cwl_group {
    int64_t id, created_ms, retention_days, bytes;
    struct str account, region, name, log_class, kms, tags_json;
    bool is_protected;
};
struct cwl_stream {
    int64_t id, created_ms, bytes;
    int64_t first_ms, last_ms, ingested_ms; /* -1: no event yet */
    struct str name;
};
bool cwl_store_open(struct cwl *s, char *reterr, size_t reterr_size);
/* False: there is none. Strings live in a. */
bool cwl_group_find(struct cwl *s, struct str account, struct str region, struct str name,
                    struct arena *a, struct cwl_group *ret);
bool cwl_group_insert(struct cwl *s, struct cwl_group *g); /* sets id; false: not stored */
bool cwl_group_update(struct cwl *s, const struct cwl_group *g);
bool cwl_group_delete(struct cwl *s, const struct cwl_group *g);
/* Groups whose name starts with prefix or holds part, by name, from the offset on. */
size_t cwl_group_list(struct cwl *s, struct str account, struct str region, struct str prefix,
                      struct str part, size_t offset, size_t limit, struct arena *a,
                      struct cwl_group **ret);
bool cwl_stream_find(struct cwl *s, int64_t group, struct str name, struct arena *a,
                     struct cwl_stream *ret);
bool cwl_stream_insert(struct cwl *s, int64_t group, struct cwl_stream *st);
bool cwl_stream_delete(struct cwl *s, int64_t group, const struct cwl_stream *st);
size_t cwl_stream_list(struct cwl *s, int64_t group, struct str prefix, bool by_time,
                       bool descending, size_t offset, size_t limit, struct arena *a,
                       struct cwl_stream **ret);
struct str cwl_stream_name(struct cwl *s, int64_t stream, struct arena *a);
/* Removes events that are older than the group's retention, by the clock. */
bool cwl_expire(struct cwl *s, const struct cwl_group *g);
int64_t cwl_oldest_ms(const struct cwl_group *g); /* events before this are expired */

/* ---- cwl_chunk.c ---- */

struct cwl_batch { /* events of one stream on their way into a chunk */
    struct buf data;
    int64_t first_ms, last_ms, bytes;
    size_t count;
};
void cwl_batch_init(struct cwl_batch *b);
void cwl_batch_add(struct cwl_batch *b, int64_t time_ms, struct str message, struct str end);
/* Stores the batch as a chunk and keeps the sums; the batch is empty then. */
bool cwl_batch_store(struct cwl *s, int64_t group, int64_t stream, struct cwl_batch *b);
struct cwl_event {
    int64_t time_ms, ingested_ms, chunk, stream;
    uint32_t index; /* in its chunk */
    struct str message;
};
/* Walks the events in a chunk's data: start with *at = 0. */
bool cwl_chunk_next(struct str data, size_t *at, struct cwl_event *ret);

/* ---- cwl_read.c ---- */

struct cwl_read_opts {
    int64_t group, stream;         /* stream -1: all of the group */
    int64_t start_ms, end_ms;      /* [start, end) */
    bool backward;                 /* newest first */
    const struct cwl_event *after; /* go on behind this one; NULL: from the beginning */
};
struct cwl_read;
struct cwl_read *cwl_read_new(struct cwl *s, const struct cwl_read_opts *opts, struct arena *a);
/* In the order of time. The message lives in the arena. */
bool cwl_read_next(struct cwl_read *r, struct cwl_event *ret);
void cwl_read_end(struct cwl_read *r);

/* The 56 digits that AWS shows of an event: they sort like events. */
struct str cwl_event_id(const struct cwl_event *e, struct arena *a);
bool cwl_event_of_id(struct str id, struct cwl_event *ret);

/* ---- the operations ---- */

/* The group that member (a name, or its ARN) of c names; what is in memory is stored, and what has
 * expired is gone. */
bool cwl_group_of_call(struct call *c, const char *member, struct cwl_group *ret);
/* logGroupName or logGroupIdentifier. */
bool cwl_group_of_either(struct call *c, struct cwl_group *ret);
struct str cwl_group_arn(const struct cwl_group *g, struct arena *a);
bool cwl_fail_store(struct call *c); /* always false */
/* nextToken as an offset, and limit. */
bool cwl_page_of_call(struct call *c, size_t most, size_t *ret_offset, size_t *ret_limit);
void cwl_page_token(struct call *c, size_t offset); /* writes nextToken */

#define OP(name, handler, writes) call_fn handler;
#include "ops.def"
#undef OP
#endif
