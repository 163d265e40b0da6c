/* EnableKinesisStreamingDestination, DisableKinesisStreamingDestination,
 * UpdateKinesisStreamingDestination, DescribeKinesisStreamingDestination: the setting is kept and
 * described; there is no Kinesis here, so nothing is sent. */
#include "ddb_internal.h"

#define NOT_VALID "Table is not in a valid state to enable Kinesis Streaming Destination: "

static struct table *find(struct call *c)
{
    return ddb_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena), DDB_FOR_TABLE);
}

static struct str stream_arn(struct call *c)
{
    return jval_text(jval_get(c->in, "StreamArn"), c->arena);
}

static bool is_active(struct call *c, struct jval entry)
{
    return str_eq_c(jval_text(jval_get(entry, "DestinationStatus"), c->arena), "ACTIVE");
}

/* The entry of this stream; MISSING: none. */
static struct jval entry_of(struct call *c, const struct table *t)
{
    struct jval it = {0};
    while (jval_next(jval_get(t->def, "Kinesis"), &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "StreamArn"), c->arena), stream_arn(c)))
            return it;
    }
    return (struct jval){0};
}

static bool any_active(struct call *c, const struct table *t)
{
    struct jval it = {0};
    while (jval_next(jval_get(t->def, "Kinesis"), &it, NULL)) {
        if (is_active(c, it))
            return true;
    }
    return false;
}

/* Replaces the entry of the request's stream. precision empty: the default, not shown. False:
 * c->err is set. */
static bool store(struct call *c, struct table *t, const char *status, struct str precision)
{
    struct json_out w;
    struct jval it = {0};
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct jval mine = entry_of(c, t);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_next(jval_get(t->def, "Kinesis"), &it, NULL)) {
        if (mine.doc == NULL || it.tok != mine.tok)
            json_raw(&w, NULL, jval_raw(it));
    }
    json_obj(&w, NULL);
    json_str(&w, "StreamArn", stream_arn(c));
    json_cstr(&w, "DestinationStatus", status);
    if (precision.n > 0)
        json_str(&w, "ApproximateCreationDateTimePrecision", precision);
    json_end(&w);
    json_end(&w);
    struct table_edit edit = {"Kinesis", buf_view(b)};
    return ddb_define(c, t, &edit, 1);
}

struct change {
    const char *status, *reply_status, *config_name;
    struct jval config;
    struct str precision;
};

static enum call_status run(struct call *c, struct table *t, const struct change *x)
{
    struct str name = arena_str(c->arena, t->name);
    if (!store(c, t, x->status, x->precision))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "TableName", name);
    json_str(&c->out, "StreamArn", stream_arn(c));
    json_cstr(&c->out, "DestinationStatus", x->reply_status);
    if (jval_present(x->config))
        json_copy(&c->out, x->config_name, x->config);
    else if (x->config_name != NULL)
        json_raw(&c->out, x->config_name, STR("{}"));
    json_end(&c->out);
    return CALL_DONE;
}

static struct str precision_of(struct call *c, struct jval config)
{
    return jval_text(jval_get(config, "ApproximateCreationDateTimePrecision"), c->arena);
}

enum call_status ddb_enable_kinesis_streaming_destination(struct call *c)
{
    struct jval config = jval_get(c->in, "EnableKinesisStreamingConfiguration");
    struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    if (any_active(c, t))
        return CALL_FAIL(c, &AWS_ValidationException,
                         NOT_VALID "EnableKinesisStreamingDestination must be DISABLED or "
                                   "ENABLE_FAILED to perform ENABLE operation.");
    struct change x = {"ACTIVE", "ENABLING", "EnableKinesisStreamingConfiguration", config,
                       precision_of(c, config)};
    return run(c, t, &x);
}

enum call_status ddb_disable_kinesis_streaming_destination(struct call *c)
{
    struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    if (jval_present(jval_get(c->in, "EnableKinesisStreamingConfiguration")))
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Stream cannot be disabled using EnableKinesisStreamingConfiguration "
                         "parameters");
    struct jval entry = entry_of(c, t);
    if (!is_active(c, entry))
        return CALL_FAIL(c, &AWS_ValidationException,
                         NOT_VALID "KinesisStreamingDestination must be ACTIVE to perform DISABLE "
                                   "operation.");
    struct change x = {"DISABLED", "DISABLING", NULL, {0}, precision_of(c, entry)};
    return run(c, t, &x);
}

enum call_status ddb_update_kinesis_streaming_destination(struct call *c)
{
    struct jval config = jval_get(c->in, "UpdateKinesisStreamingConfiguration");
    struct str precision = precision_of(c, config);
    struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    if (precision.n == 0)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Streaming destination cannot be updated with given parameters: "
                         "UpdateKinesisStreamingConfiguration cannot be null or contain only null "
                         "values");
    struct jval entry = entry_of(c, t);
    if (!is_active(c, entry))
        return CALL_FAIL(c, &AWS_ValidationException,
                         NOT_VALID "Kinesis streaming is not in ACTIVE state. Updates are only "
                                   "allowed in ACTIVE state. TableName: %.*s, kdsArn: %.*s",
                         STR_ARG(t->name), STR_ARG(stream_arn(c)));
    struct str old = precision_of(c, entry);
    if (str_eq(precision, old.n > 0 ? old : STR("MILLISECOND")))
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Invalid Request: Precision is already set to the desired value of %.*s "
                         "for tableId: %.*s, kdsArn: %.*s",
                         STR_ARG(precision),
                         STR_ARG(jval_text(jval_get(t->def, "TableId"), c->arena)),
                         STR_ARG(stream_arn(c)));
    struct change x = {"ACTIVE", "UPDATING", "UpdateKinesisStreamingConfiguration", config,
                       precision};
    return run(c, t, &x);
}

enum call_status ddb_describe_kinesis_streaming_destination(struct call *c)
{
    const struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    struct jval list = jval_get(t->def, "Kinesis");
    json_obj(&c->out, NULL);
    json_str(&c->out, "TableName", t->name);
    json_raw(&c->out, "KinesisDataStreamDestinations",
             jval_present(list) ? jval_raw(list) : STR("[]"));
    json_end(&c->out);
    return CALL_DONE;
}
