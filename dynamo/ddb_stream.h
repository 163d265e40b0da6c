/* ddb_stream.h - the streams for the rest of the program (event source mappings): what the four
 * operations of DynamoDBStreams_20120810 say, without iterators and their 15 minutes. */
#ifndef PUDDLE_DDB_STREAM_H
#define PUDDLE_DDB_STREAM_H
#include "ddb.h"

struct ddb_shard {
    char id[38];
    bool closed; /* no record comes any more; when it is read to its end, the next follows */
    int64_t first, last; /* sequence numbers; last 0: open */
};
enum ddb_stream_from { DDB_FROM_TRIM_HORIZON, DDB_FROM_LATEST };
enum ddb_stream_result {
    DDB_STREAM_OK,
    DDB_STREAM_GONE,    /* no such stream or shard (any more) */
    DDB_STREAM_TRIMMED, /* records after the position are gone: go on from the trim horizon */
    DDB_STREAM_FAILED,  /* the store failed (logged) */
};

/* The shards of a stream, oldest first, in a. NULL: there is no such stream. */
struct ddb_shard *ddb_stream_shards(struct ddb *d, struct str account, struct str stream_arn,
                                    struct arena *a, size_t *ret_count);
/* Positions are numbers: what has been read, all records up to it. */
enum ddb_stream_result ddb_stream_start(struct ddb *d, struct str account, struct str stream_arn,
                                        struct str shard_id, enum ddb_stream_from from,
                                        int64_t *ret_at);
/* Appends up to limit records (1 MB of them) after *at to the open array of out, as GetRecords
 * gives them, and moves *at. *ret_more: the shard has, or may get, further ones. */
enum ddb_stream_result ddb_stream_read(struct ddb *d, struct str account, struct str stream_arn,
                                       struct str shard_id, int64_t *at, size_t limit,
                                       struct json_out *out, bool *ret_more);
/* fn is called whenever a record is written, in the middle of the operation that does it and before
 * its commit: it may only note the stream, and read it in a later tick (loop_defer). One watcher.
 */
void ddb_stream_watch(struct ddb *d,
                      void (*fn)(void *arg, struct str account, struct str stream_arn), void *arg);
#endif
