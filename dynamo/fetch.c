#include "fetch.h"
#include "panic.h"

int64_t ddb_read_item(struct call *c, struct table *t, const struct ddb_key *key,
                      const struct ddb_fetch *how)
{
    struct ddb *d = ddb_of(c);
    struct store_row row;
    enum store_result found = store_get(&d->store, t->id, &t->stmts, &key->bytes, &row);
    if (found == STORE_FAILED) {
        ddb_internal_error(c);
        return FETCH_FAILED;
    }
    if (found == STORE_NONE)
        return 0;
    if (row.size > how->room) {
        store_done(&row);
        return FETCH_NO_ROOM;
    }
    if (how->projection == NULL) {
        json_raw(&c->out, how->name, row.item); /* stored as it is sent */
    } else {
        struct buf *out = ddb_text(c);
        expr_project(how->projection, row.item, out);
        ASSERT(!out->overflow);
        if (!how->omit_empty || !str_eq_c(buf_view(out), "{}"))
            json_raw(&c->out, how->name, buf_view(out));
    }
    int64_t size = row.size;
    store_done(&row);
    return size;
}
