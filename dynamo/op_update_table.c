/* UpdateTable. The change is done when the call returns: UPDATING stands in its reply only; an
 * index of a big table is CREATING until it is filled. */
#include "ddb_internal.h"
#include "index.h"
#include "table_update.h"

/* NULL: the store failed. */
static struct table *apply(struct call *c, struct table *t, const struct table_update *u)
{
    struct ddb *d = ddb_of(c);
    struct str name = t->name;
    static const struct table_edit off[] = {{"StreamId", STR_NONE},
                                            {"StreamSpecification", STR_NONE}};
    if (u->stream_off && !streams_close(&d->streams, t->stream_id, c->now_ms))
        return NULL;
    name = arena_str(c->arena, name);
    t = catalog_change(&d->catalog, t, u->def);
    ddb_wake(d);
    if (t != NULL && u->stream_off)
        t = ddb_table_edit(d, t, off, 2, c->arena);
    if (t != NULL && u->stream_on)
        t = ddb_stream_on(c, t, jval_get(c->in, "StreamSpecification"));
    return t;
}

static void reply(struct call *c, const struct table *t, const struct table_update *u)
{
    json_obj(&c->out, NULL);
    table_describe_as(t, &u->state, c->arena, &c->out, "TableDescription");
    json_end(&c->out);
}

enum call_status ddb_update_table(struct call *c)
{
    struct table_update u;
    if (!table_update_check(c->in, c->arena, &c->err))
        return CALL_FAILED;
    struct table *t =
        ddb_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena), DDB_FOR_TABLE);
    if (t == NULL || !table_update_plan(t, c->in, c->now_ms, c->arena, &u, &c->err))
        return CALL_FAILED;
    if (u.echo_old)
        reply(c, t, &u);
    if (!ddb_change_begin(c))
        return ddb_internal_error(c);
    t = apply(c, t, &u);
    if (t == NULL || !ddb_fill_small_indexes(ddb_of(c), t))
        return ddb_change_failed(c);
    db_savepoint_release(ddb_of(c)->db);
    if (!u.echo_old)
        reply(c, t, &u);
    return CALL_DONE;
}
