/* The service DynamoDBStreams_20120810: ListStreams, DescribeStream, GetShardIterator, GetRecords.
 * Limits that the model does not have are checked here, in the older layer's words. */
#include "codec.h"
#include "ddb_internal.h"
#include "dynamodbstreams_model.h"
#include "hash.h"
#include <stdio.h>

enum { LIST_MAX = 100 };
static const int64_t ITERATOR_MS = 15 * 60 * 1000;

static bool read_limit(struct call *c, int64_t most, int64_t *ret)
{
    *ret = most;
    jval_i64(jval_get(c->in, "Limit"), ret);
    if (*ret <= most)
        return true;
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "1 validation error detected: Value '%lld' at 'limit' failed to satisfy "
                    "constraint: Member must have value less than or equal to %lld",
                    (long long)*ret, (long long)most);
}

static struct str text_of(struct call *c, const char *name)
{
    return jval_text(jval_get(c->in, name), c->arena);
}

/* NULL: c->err is set. */
static struct stream *find_stream(struct call *c, struct str arn)
{
    struct stream *st = streams_by_arn(&ddb_of(c)->streams, c->account, arn);
    bool formed = str_starts(arn, STR("arn:")) && str_find_str(arn, STR("/stream/")) > 0;
    if (st != NULL && str_eq(st->region, c->region))
        return st;
    if (!formed) /* unverified: the text */
        aws_fail(&c->err, c->arena, &AWS_ValidationException, "Invalid StreamArn");
    else
        aws_fail(&c->err, c->arena, &DYNAMODBSTREAMS_ResourceNotFoundException,
                 "Requested resource not found: Stream: %.*s not found", STR_ARG(arn));
    return NULL;
}

/* ---- ListStreams ---- */

static bool is_listed(struct call *c, const struct stream *st, struct str table)
{
    return str_eq(st->account, c->account) && str_eq(st->region, c->region) &&
           (table.n == 0 || str_eq(st->table, table));
}

enum call_status ddb_list_streams(struct call *c)
{
    const struct streams *s = &ddb_of(c)->streams;
    struct str table = text_of(c, "TableName"), from = text_of(c, "ExclusiveStartStreamArn");
    const struct stream *last = NULL, *start = NULL;
    int64_t limit, count = 0;
    if (!read_limit(c, LIST_MAX, &limit))
        return CALL_FAILED;
    if (from.n > 0) {
        start = find_stream(c, from);
        if (start == NULL)
            return CALL_FAILED;
    }
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Streams");
    for (size_t i = 0; i < s->count && count <= limit; i++) {
        const struct stream *st = s->all[i];
        if (!is_listed(c, st, table) || (start != NULL && st->id <= start->id))
            continue;
        if (++count > limit)
            break;
        json_obj(&c->out, NULL);
        json_str(&c->out, "StreamArn", st->arn);
        json_str(&c->out, "TableName", st->table);
        json_str(&c->out, "StreamLabel", st->label);
        json_end(&c->out);
        last = st;
    }
    json_end(&c->out);
    if (count > limit)
        json_str(&c->out, "LastEvaluatedStreamArn", last->arn);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- DescribeStream ---- */

static void write_shard(struct call *c, const struct stream *st, size_t i)
{
    const struct stream_shard *sh = &st->shards[i];
    char id[STREAM_SHARD_ID_SIZE], seq[STREAM_SEQ_SIZE];
    stream_shard_id(st, sh, id);
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "ShardId", id);
    json_obj(&c->out, "SequenceNumberRange");
    stream_seq_text(sh->first, seq);
    json_cstr(&c->out, "StartingSequenceNumber", seq);
    if (sh->last != 0) {
        stream_seq_text(sh->last, seq);
        json_cstr(&c->out, "EndingSequenceNumber", seq);
    }
    json_end(&c->out);
    if (sh->parent_created_ms != 0) { /* also a parent that has been trimmed is named */
        struct stream_shard parent = {.number = sh->number - 1,
                                      .created_ms = sh->parent_created_ms};
        stream_shard_id(st, &parent, id);
        json_cstr(&c->out, "ParentShardId", id);
    }
    json_end(&c->out);
}

/* The shards that follow the one named, or all; *ret_at moves to the first. */
static bool first_shard(struct call *c, const struct stream *st, struct str after, size_t *ret_at)
{
    *ret_at = 0;
    if (after.n == 0)
        return true;
    const struct stream_shard *sh = stream_find_shard(st, after);
    if (sh == NULL) /* unverified: the text */
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "Invalid ExclusiveStartShardId: %.*s", STR_ARG(after));
    *ret_at = (size_t)(sh - st->shards) + 1;
    return true;
}

enum call_status ddb_describe_stream(struct call *c)
{
    struct jval filter = jval_get(c->in, "ShardFilter");
    int64_t limit;
    size_t at, end;
    if (!read_limit(c, LIST_MAX, &limit))
        return CALL_FAILED;
    const struct stream *st = find_stream(c, text_of(c, "StreamArn"));
    if (st == NULL || !first_shard(c, st, text_of(c, "ExclusiveStartShardId"), &at))
        return CALL_FAILED;
    end = st->shard_count;
    if (jval_present(filter)) { /* CHILD_SHARDS: what follows the named shard, here at most one */
        struct str parent = jval_text(jval_get(filter, "ShardId"), c->arena);
        if (parent.n == 0) /* unverified: the text */
            return CALL_FAIL(c, &AWS_ValidationException,
                             "ShardId is required for the ShardFilter type CHILD_SHARDS");
        size_t child;
        if (!first_shard(c, st, parent, &child))
            return CALL_FAILED;
        at = at > child ? at : child;
        end = child + 1 < end ? child + 1 : end;
    }
    json_obj(&c->out, NULL);
    json_obj(&c->out, "StreamDescription");
    json_str(&c->out, "StreamArn", st->arn);
    json_str(&c->out, "StreamLabel", st->label);
    json_cstr(&c->out, "StreamStatus", st->closed_ms == 0 ? "ENABLED" : "DISABLED");
    json_str(&c->out, "StreamViewType", st->view_text);
    json_double(&c->out, "CreationRequestDateTime", (double)st->created_ms / 1000.0);
    json_str(&c->out, "TableName", st->table);
    json_raw(&c->out, "KeySchema", st->keys);
    json_arr(&c->out, "Shards");
    for (; at < end && limit > 0; at++, limit--)
        write_shard(c, st, at);
    json_end(&c->out);
    if (at < end) {
        char id[STREAM_SHARD_ID_SIZE];
        stream_shard_id(st, &st->shards[at - 1], id);
        json_cstr(&c->out, "LastEvaluatedShardId", id);
    }
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- iterators: "<stream ARN>|1|<base64 of shard, position, time of issue, checksum>" ---- */

struct iterator {
    int64_t shard; /* its number */
    int64_t at;    /* records after this number; -1: from the oldest there is */
    int64_t issued_ms;
};

static uint32_t iterator_sum(struct str arn, struct str body)
{
    return hash_crc32(arn) * 31 + hash_crc32(body);
}

static struct str iterator_text(struct call *c, const struct stream *st, const struct iterator *it)
{
    struct str body = arena_fmt(c->arena, "%lld,%lld,%lld", (long long)it->shard, (long long)it->at,
                                (long long)it->issued_ms);
    struct str sealed = arena_fmt(c->arena, "%.*s,%u", STR_ARG(body), iterator_sum(st->arn, body));
    struct str code = codec_base64_encode(c->arena, sealed);
    return arena_fmt(c->arena, "%.*s|1|%.*s", STR_ARG(st->arn), STR_ARG(code));
}

static bool iterator_parse(struct call *c, struct str text, struct iterator *ret, struct str *arn)
{
    struct str body, code = text;
    int64_t sum;
    *arn = str_cut(&code, '|');
    if (code.p == NULL || !str_eq_c(str_cut(&code, '|'), "1") || code.p == NULL ||
        !codec_base64_decode(c->arena, code, &body))
        return false;
    ptrdiff_t end = str_rfind(body, ',');
    if (end < 0 || !str_to_i64(str_sub(body, (size_t)end + 1, body.n), &sum))
        return false;
    body = str_sub(body, 0, (size_t)end);
    if (sum != iterator_sum(*arn, body))
        return false;
    struct str shard = str_cut(&body, ','), at = str_cut(&body, ',');
    return str_to_i64(shard, &ret->shard) && str_to_i64(at, &ret->at) && body.p != NULL &&
           str_to_i64(body, &ret->issued_ms);
}

static enum call_status trimmed(struct call *c)
{
    return CALL_FAIL(c, &DYNAMODBSTREAMS_TrimmedDataAccessException,
                     "The operation attempted to read past the oldest stream record in a shard.");
}

/* AT_ and AFTER_SEQUENCE_NUMBER. */
static enum call_status by_number(struct call *c, const struct stream *st,
                                  const struct stream_shard *sh, struct str type,
                                  struct iterator *it)
{
    struct str text = text_of(c, "SequenceNumber");
    int64_t seq;
    bool after = str_eq_c(type, "AFTER_SEQUENCE_NUMBER");
    if (text.n == 0) /* unverified: the texts of this function */
        return CALL_FAIL(c, &AWS_ValidationException,
                         "One or more parameter values were invalid: SequenceNumber is required "
                         "for ShardIteratorType %.*s",
                         STR_ARG(type));
    if (!stream_seq_parse(text, &seq) || seq < sh->first ||
        seq > (sh->last != 0 ? sh->last : st->next))
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Invalid SequenceNumber: %.*s is not in the range of the shard",
                         STR_ARG(text));
    it->at = after ? seq : seq - 1;
    return it->at < st->trimmed ? trimmed(c) : CALL_DONE;
}

enum call_status ddb_get_shard_iterator(struct call *c)
{
    struct stream *st = find_stream(c, text_of(c, "StreamArn"));
    struct str shard = text_of(c, "ShardId"), type = text_of(c, "ShardIteratorType");
    if (st == NULL)
        return CALL_FAILED;
    const struct stream_shard *sh = stream_find_shard(st, shard);
    if (sh == NULL)
        return CALL_FAIL(c, &DYNAMODBSTREAMS_ResourceNotFoundException,
                         "Requested resource not found: Shard does not exist");
    struct iterator it = {.shard = sh->number, .at = -1, .issued_ms = c->now_ms};
    if (str_eq_c(type, "LATEST"))
        it.at = sh->last != 0 ? sh->last : st->next - 1;
    else if (!str_eq_c(type, "TRIM_HORIZON") && by_number(c, st, sh, type, &it) != CALL_DONE)
        return CALL_FAILED;
    else if (str_eq_c(type, "TRIM_HORIZON") && jval_present(jval_get(c->in, "SequenceNumber")))
        return CALL_FAIL(c, &AWS_ValidationException, /* unverified: the text */
                         "SequenceNumber can not be specified for ShardIteratorType TRIM_HORIZON");
    json_obj(&c->out, NULL);
    json_str(&c->out, "ShardIterator", iterator_text(c, st, &it));
    json_end(&c->out);
    return CALL_DONE;
}

/* ---- GetRecords ---- */

enum call_status ddb_get_records(struct call *c)
{
    struct streams *s = &ddb_of(c)->streams;
    struct str arn;
    struct iterator it;
    int64_t limit;
    bool more;
    if (!read_limit(c, STREAM_READ_MAX, &limit))
        return CALL_FAILED;
    if (!iterator_parse(c, text_of(c, "ShardIterator"), &it, &arn)) /* unverified: the text */
        return CALL_FAIL(c, &AWS_ValidationException, "Invalid ShardIterator");
    struct stream *st = find_stream(c, arn);
    if (st == NULL)
        return CALL_FAILED;
    if (c->now_ms - it.issued_ms > ITERATOR_MS) /* unverified: the text is that of Kinesis */
        return CALL_FAIL(c, &DYNAMODBSTREAMS_ExpiredIteratorException,
                         "Iterator expired. The iterator was created %lld ms ago, which is more "
                         "than the tolerated delay of %lld milliseconds.",
                         (long long)(c->now_ms - it.issued_ms), (long long)ITERATOR_MS);
    const struct stream_shard *sh = NULL;
    for (size_t i = 0; i < st->shard_count; i++) {
        if (st->shards[i].number == it.shard)
            sh = &st->shards[i];
    }
    if (sh == NULL || (it.at >= 0 && it.at < st->trimmed))
        return trimmed(c);
    if (it.at < sh->first - 1)
        it.at = sh->first - 1;
    if (it.at < st->trimmed)
        it.at = st->trimmed;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Records");
    if (!stream_read_shard(s, st, sh, &it.at, (size_t)limit, &c->out, &more))
        return ddb_internal_error(c);
    json_end(&c->out);
    if (more) {
        it.issued_ms = c->now_ms;
        json_str(&c->out, "NextShardIterator", iterator_text(c, st, &it));
    }
    json_end(&c->out);
    return CALL_DONE;
}
