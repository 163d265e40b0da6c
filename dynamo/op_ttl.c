/* UpdateTimeToLive, DescribeTimeToLive. The change is settled at once; AWS's pause of half an hour
 * between two changes is left out, as are its other limits on how often settings change. */
#include "ddb_internal.h"
#include "ttl.h"

static struct table *find(struct call *c)
{
    return ddb_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena), DDB_FOR_TABLE);
}

static bool check(struct call *c, const struct table *t, struct str name, bool enabled)
{
    if (enabled && t->ttl_attr.n > 0 && str_eq(t->ttl_attr, name))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "TimeToLive is already enabled");
    if (!enabled && t->ttl_attr.n == 0)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "TimeToLive is already disabled");
    if (t->ttl_attr.n > 0 && !str_eq(t->ttl_attr, name))
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "TimeToLive is active on a different AttributeName: current AttributeName "
                        "is %.*s",
                        STR_ARG(t->ttl_attr));
    return true;
}

static struct table *set(struct call *c, struct table *t, struct str name, bool enabled)
{
    struct ddb *d = ddb_of(c);
    struct buf *json = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    json_out_init(&w, json);
    json_str(&w, NULL, name);
    struct table_edit edits[] = {{"TtlAttribute", enabled ? buf_view(json) : STR_NONE},
                                 {"TtlFilling", enabled ? STR("true") : STR_NONE}};
    if (enabled ? !ttl_create(&d->store, t) : !ttl_drop(&d->store, t))
        return NULL;
    t = ddb_table_edit(d, t, edits, 2, c->arena);
    return t != NULL && enabled ? ttl_fill_small(d, t, c->now_ms) : t;
}

enum call_status ddb_update_time_to_live(struct call *c)
{
    struct jval spec = jval_get(c->in, "TimeToLiveSpecification");
    struct str name = jval_text(jval_get(spec, "AttributeName"), c->arena);
    bool enabled = false;
    struct table *t = find(c);
    jval_bool(jval_get(spec, "Enabled"), &enabled);
    if (t == NULL || !check(c, t, name, enabled))
        return CALL_FAILED;
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    if (set(c, t, name, enabled) == NULL)
        return ddb_change_failed(c);
    db_savepoint_release(ddb_of(c)->db);
    json_obj(&c->out, NULL);
    json_obj(&c->out, "TimeToLiveSpecification");
    json_bool(&c->out, "Enabled", enabled);
    json_str(&c->out, "AttributeName", name);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

void ttl_describe(const struct table *t, struct json_out *out, const char *key)
{
    json_obj(out, key);
    json_cstr(out, "TimeToLiveStatus", t->ttl_attr.n > 0 ? "ENABLED" : "DISABLED");
    if (t->ttl_attr.n > 0)
        json_str(out, "AttributeName", t->ttl_attr);
    json_end(out);
}

enum call_status ddb_describe_time_to_live(struct call *c)
{
    const struct table *t = find(c);
    if (t == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    ttl_describe(t, &c->out, "TimeToLiveDescription");
    json_end(&c->out);
    return CALL_DONE;
}
