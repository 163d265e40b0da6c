#include "ddb_stream.h"
#include "ddb_internal.h"

struct ddb_shard *ddb_stream_shards(struct ddb *d, struct str account, struct str stream_arn,
                                    struct arena *a, size_t *ret_count)
{
    const struct stream *st = streams_by_arn(&d->streams, account, stream_arn);
    if (st == NULL)
        return NULL;
    struct ddb_shard *all = ARENA_ARRAY(a, struct ddb_shard, st->shard_count);
    for (size_t i = 0; i < st->shard_count; i++) {
        const struct stream_shard *sh = &st->shards[i];
        stream_shard_id(st, sh, all[i].id);
        all[i].closed = sh->last != 0;
        all[i].first = sh->first;
        all[i].last = sh->last;
    }
    *ret_count = st->shard_count;
    return all;
}

static const struct stream_shard *find(struct ddb *d, struct str account, struct str stream_arn,
                                       struct str shard_id, struct stream **ret)
{
    *ret = streams_by_arn(&d->streams, account, stream_arn);
    return *ret == NULL ? NULL : stream_find_shard(*ret, shard_id);
}

enum ddb_stream_result ddb_stream_start(struct ddb *d, struct str account, struct str stream_arn,
                                        struct str shard_id, enum ddb_stream_from from,
                                        int64_t *ret_at)
{
    struct stream *st;
    const struct stream_shard *sh = find(d, account, stream_arn, shard_id, &st);
    if (sh == NULL)
        return DDB_STREAM_GONE;
    int64_t horizon = st->trimmed > sh->first - 1 ? st->trimmed : sh->first - 1;
    int64_t latest = sh->last != 0 ? sh->last : st->next - 1;
    *ret_at = from == DDB_FROM_LATEST ? latest : horizon;
    return DDB_STREAM_OK;
}

enum ddb_stream_result ddb_stream_read(struct ddb *d, struct str account, struct str stream_arn,
                                       struct str shard_id, int64_t *at, size_t limit,
                                       struct json_out *out, bool *ret_more)
{
    struct stream *st;
    const struct stream_shard *sh = find(d, account, stream_arn, shard_id, &st);
    if (sh == NULL)
        return DDB_STREAM_GONE;
    if (*at < st->trimmed)
        return DDB_STREAM_TRIMMED;
    return stream_read_shard(&d->streams, st, sh, at, limit, out, ret_more) ? DDB_STREAM_OK
                                                                            : DDB_STREAM_FAILED;
}

void ddb_stream_watch(struct ddb *d,
                      void (*fn)(void *arg, struct str account, struct str stream_arn), void *arg)
{
    d->streams.on_append = fn;
    d->streams.on_append_arg = arg;
}
