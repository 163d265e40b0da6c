#include "write.h"
#include "capacity.h"
#include "history.h"
#include "index.h"
#include "stream.h"
#include "ttl.h"
#include "value.h"

bool ddb_write_load(struct ddb *d, struct arena *a, struct ddb_write *w, enum ddb_want want)
{
    struct table *t = w->t;
    struct store_row row;
    bool item = want == WANT_ITEM || t->index_count > 0 || stream_enabled(t);
    bool text = item || want == WANT_TEXT || history_enabled(t);
    enum store_result found = text ? store_get(&d->store, t->id, &t->stmts, &w->key->bytes, &row)
                                   : store_find(&d->store, t->id, &t->stmts, &w->key->bytes, &row);
    w->had_old = found == STORE_OK;
    w->has_old_item = false;
    w->old_text = STR_NONE;
    bool ok = found != STORE_FAILED;
    if (w->had_old) {
        w->old_id = row.id;
        w->old_size = row.size;
    }
    if (w->had_old && text)
        w->old_text = arena_str(a, row.item);
    if (w->had_old && item) {
        w->has_old_item = true;
        item_of_text(w->old_text, a, &w->old); /* the store has checked its checksum */
    }
    store_done(&row);
    return ok;
}

static bool put_row(struct ddb *d, const struct ddb_write *w, int64_t *ret_id)
{
    struct table *t = w->t;
    *ret_id = w->old_id;
    if (w->now == NULL)
        return store_delete(&d->store, t->id, &t->stmts, w->old_id);
    if (!store_put(&d->store, t->id, &t->stmts, &w->key->bytes, w->had_old ? w->old_id : 0,
                   w->now->json, w->now->size))
        return false;
    if (!w->had_old)
        *ret_id = sqlite3_last_insert_rowid(db_handle(d->db));
    return true;
}

void ddb_write_count(struct arena *a, struct ddb_write *w)
{
    const struct table *t = w->t;
    w->index_units = NULL;
    if (!w->want_index_units || t->index_count == 0)
        return;
    w->index_units = ARENA_ARRAY(a, double, t->index_count);
    for (size_t i = 0; i < t->index_count; i++)
        w->index_units[i] =
            capacity_index_write(t, &t->indexes[i], w->had_old ? &w->old : NULL, w->now);
}

/* What must change together with the row `id`. */
static bool apply_rest(struct ddb *d, struct arena *a, int64_t now_ms, const struct ddb_write *w,
                       int64_t id)
{
    struct table *t = w->t;
    if (t->index_count > 0 &&
        !index_apply(&d->store, t, &w->key->bytes, id, w->has_old_item ? &w->old : NULL, w->now, a))
        return false;
    return ttl_apply(d, t, id, w->had_old, w->now, now_ms) && stream_append(d, w, now_ms) &&
           history_append(d, w, now_ms);
}

bool ddb_write_apply(struct ddb *d, struct arena *a, int64_t now_ms, struct ddb_write *w)
{
    struct table *t = w->t;
    int64_t id;
    if (w->now == NULL && !w->had_old)
        return true;
    if (!catalog_touch(&d->catalog, t) || !put_row(d, w, &id))
        return false;
    if (!apply_rest(d, a, now_ms, w, id)) {
        db_doom(d->db); /* the row without its entries must never be committed */
        return false;
    }
    t->items += (w->now != NULL) - w->had_old;
    t->bytes += (w->now != NULL ? (int64_t)w->now->size : 0) - (w->had_old ? w->old_size : 0);
    return true;
}
