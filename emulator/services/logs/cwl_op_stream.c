/* Log streams. */
#include "cwl_internal.h"

enum { PAGE_MAX = 50 };

static struct cwl *cwl_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

enum call_status cwl_create_log_stream(struct call *c)
{
    struct cwl_group g;
    struct cwl_stream st, before;
    if (!cwl_group_of_call(c, "logGroupName", &g))
        return CALL_FAILED;
    st = (struct cwl_stream){.created_ms = c->now_ms, .name = text_of(c, "logStreamName")};
    if (cwl_stream_find(cwl_of(c), g.id, st.name, c->arena, &before))
        return CALL_FAIL(c, &LOGS_ResourceAlreadyExistsException,
                         "The specified log stream already exists");
    if (!cwl_stream_insert(cwl_of(c), g.id, &st))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

enum call_status cwl_delete_log_stream(struct call *c)
{
    struct cwl_group g;
    struct cwl_stream st;
    if (!cwl_group_of_call(c, "logGroupName", &g))
        return CALL_FAILED;
    if (!cwl_stream_find(cwl_of(c), g.id, text_of(c, "logStreamName"), c->arena, &st))
        return CALL_FAIL(c, &LOGS_ResourceNotFoundException,
                         "The specified log stream does not exist.");
    if (!cwl_stream_delete(cwl_of(c), g.id, &st))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

static void write_stream(struct call *c, const struct cwl_group *g, const struct cwl_stream *st)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "arn",
             arena_fmt(c->arena, "%.*s:log-stream:%.*s", STR_ARG(cwl_group_arn(g, c->arena)),
                       STR_ARG(st->name)));
    json_i64(&c->out, "creationTime", st->created_ms);
    if (st->last_ms >= 0) {
        json_i64(&c->out, "firstEventTimestamp", st->first_ms);
        json_i64(&c->out, "lastEventTimestamp", st->last_ms);
        json_i64(&c->out, "lastIngestionTime", st->ingested_ms);
    }
    json_str(&c->out, "logStreamName", st->name);
    json_i64(&c->out, "storedBytes", 0); /* as AWS answers since 2019 */
    json_str(&c->out, "uploadSequenceToken", arena_fmt(c->arena, "%056lld", (long long)st->id));
    json_end(&c->out);
}

enum call_status cwl_describe_log_streams(struct call *c)
{
    struct cwl_group g;
    struct cwl_stream *streams;
    size_t offset, limit;
    struct str prefix = text_of(c, "logStreamNamePrefix");
    bool by_time = str_eq_c(text_of(c, "orderBy"), "LastEventTime"), descending = false;
    jval_bool(jval_get(c->in, "descending"), &descending);
    if (by_time && prefix.n > 0)
        return CALL_FAIL(c, &LOGS_InvalidParameterException,
                         "Cannot order by LastEventTime with a logStreamNamePrefix.");
    if (!cwl_group_of_either(c, &g) || !cwl_page_of_call(c, PAGE_MAX, &offset, &limit))
        return CALL_FAILED;
    size_t n = cwl_stream_list(cwl_of(c), g.id, prefix, by_time, descending, offset, limit + 1,
                               c->arena, &streams);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "logStreams");
    for (size_t i = 0; i < n && i < limit; i++)
        write_stream(c, &g, &streams[i]);
    json_end(&c->out);
    if (n > limit)
        cwl_page_token(c, offset + limit);
    json_end(&c->out);
    return CALL_DONE;
}
