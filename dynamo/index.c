#include "index.h"
#include "log.h"
#include "panic.h"
#include <string.h>

enum {
    UNKNOWN = -1,
    SLICE_ROWS = 500,
    SLICE_BYTES = 2 << 20,
    COUNT_ROWS = 4000,
    KEY_MAX = 64 << 10
};

struct index *index_find(const struct table *t, struct str name)
{
    for (size_t i = 0; i < t->index_count; i++) {
        if (str_eq(t->indexes[i].name, name))
            return &t->indexes[i];
    }
    return NULL;
}

bool index_projects(const struct table *t, const struct index *x, struct str name)
{
    if (x->projection == PROJECT_ALL || key_has(&t->key, name) || key_has(&x->key, name))
        return true;
    for (size_t i = 0; i < x->non_key_count; i++) {
        if (str_eq(x->non_key[i], name))
            return true;
    }
    return false;
}

/* ---- which entry tables there are ---- */

struct attaching {
    struct table *t;
    bool counts_exact;
    bool found[TABLE_GSI_MAX + TABLE_LSI_MAX];
    int64_t *superfluous;
    size_t superfluous_count, superfluous_cap;
    struct arena *a;
};

static bool attach_one(void *arg, const struct store_index_row *row)
{
    struct attaching *w = arg;
    struct index *x = index_find(w->t, row->name);
    if (x == NULL) {
        if (w->superfluous_count == w->superfluous_cap) {
            size_t cap = w->superfluous_cap * 2 + 8;
            int64_t *more = ARENA_ARRAY(w->a, int64_t, cap);
            if (w->superfluous_count > 0)
                memcpy(more, w->superfluous, w->superfluous_count * sizeof *more);
            w->superfluous = more;
            w->superfluous_cap = cap;
        }
        w->superfluous[w->superfluous_count++] = row->id;
        return true;
    }
    w->found[x - w->t->indexes] = true;
    x->entries = (struct store_index){
        .id = row->id, .table_id = w->t->id, .copies = x->projection != PROJECT_ALL};
    x->filled_to = row->filled_to;
    x->filling = row->filled_to != STORE_FILLED;
    x->counted = w->counts_exact && !x->filling && row->items != UNKNOWN;
    x->items = x->counted ? row->items : 0;
    x->bytes = x->counted ? row->bytes : 0;
    return true;
}

static bool make_one(struct store *s, struct table *t, struct index *x)
{
    x->filling = t->items > 0;
    x->filled_to = x->filling ? 0 : STORE_FILLED;
    x->counted = !x->filling;
    x->items = x->bytes = 0;
    x->entries = (struct store_index){.table_id = t->id, .copies = x->projection != PROJECT_ALL};
    return db_begin(s->db) &&
           store_index_create(s, t->id, x->name, x->entries.copies, x->filled_to, &x->entries.id);
}

bool index_attach(struct store *s, struct table *t, bool counts_exact)
{
    struct attaching w = {.t = t, .counts_exact = counts_exact, .a = t->arena};
    ASSERT(t->index_count <= sizeof w.found / sizeof *w.found);
    if (!store_index_load(s, t->id, attach_one, &w))
        return false;
    for (size_t i = 0; i < w.superfluous_count; i++) {
        if (!db_begin(s->db) || !store_index_remove(s, w.superfluous[i]))
            return false;
    }
    for (size_t i = 0; i < t->index_count; i++) {
        if (!w.found[i] && !make_one(s, t, &t->indexes[i]))
            return false;
    }
    return true;
}

static void stop_counting(struct index *x)
{
    x->counting = false;
    buf_release(&x->count_to);
}

void index_detach(struct store *s, struct table *t)
{
    for (size_t i = 0; i < t->index_count; i++) {
        store_index_drop_stmts(s, &t->indexes[i].entries);
        stop_counting(&t->indexes[i]);
    }
}

bool index_drop_all(struct store *s, struct table *t)
{
    index_detach(s, t);
    for (size_t i = 0; i < t->index_count; i++) {
        if (!store_index_remove(s, t->indexes[i].entries.id))
            return false;
    }
    return true;
}

bool index_count_slice(struct store *s, struct index *x, bool *ret_done)
{
    *ret_done = !x->counting;
    if (!x->counting)
        return true;
    if (!store_index_count(s, &x->entries, COUNT_ROWS, &x->count_to, &x->items, &x->bytes,
                           ret_done)) {
        stop_counting(x); /* the next one who asks starts again */
        return false;
    }
    ASSERT(!x->count_to.overflow);
    x->counted = *ret_done;
    if (*ret_done)
        stop_counting(x);
    return true;
}

void index_count(struct store *s, struct index *x)
{
    enum { AT_ONCE = 5 };
    bool done = false;
    if (x->counted || x->filling || x->counting)
        return;
    x->counting = true;
    x->items = x->bytes = 0;
    buf_init(&x->count_to, KEY_MAX);
    for (int i = 0; i < AT_ONCE && !done; i++) {
        if (!index_count_slice(s, x, &done))
            return;
    }
}

bool index_write_counts(struct store *s, struct table *t)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct index *x = &t->indexes[i];
        if (!store_index_set_counts(s, x->entries.id, x->counted ? x->items : UNKNOWN, x->bytes))
            return false;
    }
    return true;
}

/* ---- entries ---- */

/* The item as the index has it. Its text is made of pieces of the item's own, since each member
 * reaches from the end of the one before it to the end of its value. */
static void project(const struct table *t, const struct index *x, const struct item *item,
                    struct arena *a, struct store_entry *ret)
{
    char *out = arena_alloc_raw(a, item->json.n);
    const char *from = item->json.p + 1, *end = item->json.p + item->json.n;
    size_t n = 0;
    out[n++] = '{';
    ret->size = 0;
    for (size_t i = 0; i < item->count; i++) {
        const struct attr *at = &item->attrs[i];
        const char *to = at->json.p + at->json.n;
        ASSERT(from < to && to < end);
        if (index_projects(t, x, at->name)) {
            if (n > 1)
                out[n++] = ',';
            memcpy(out + n, from, (size_t)(to - from));
            n += (size_t)(to - from);
            ret->size += at->size;
        }
        from = to + 1; /* behind the comma */
    }
    out[n++] = '}';
    ret->item = (struct str){out, n};
}

void index_make_entry(const struct table *t, const struct index *x, const struct item *item,
                      struct arena *a, struct store_entry *ret)
{
    if (x->entries.copies)
        project(t, x, item, a, ret);
    else
        *ret = (struct store_entry){.size = item->size};
}

static bool same_key(const struct index *x, const struct item *a, const struct item *b)
{
    for (size_t i = 0; i < key_parts(&x->key); i++) {
        if (!str_eq(item_find(a, x->key.part[i].name)->json,
                    item_find(b, x->key.part[i].name)->json))
            return false;
    }
    return true;
}

/* Into the counts; when only a part is counted so far, then what lies in it. */
static void count_entry(struct index *x, bool there, const struct store_entry *e, int sign)
{
    if (!there || (x->counting && str_cmp(e->key, buf_view(&x->count_to)) > 0))
        return;
    x->items += sign;
    x->bytes += sign * (int64_t)e->size;
}

static bool apply_one(struct store *s, struct table *t, struct index *x,
                      const struct store_key *key, int64_t row_id, const struct item *old,
                      const struct item *now, struct arena *a)
{
    struct store_entry was = {0}, is = {0};
    bool had = index_has(x, old), has = index_has(x, now);
    if (had)
        index_make_entry(t, x, old, a, &was);
    if (has)
        index_make_entry(t, x, now, a, &is);
    bool stays = had && has && same_key(x, old, now);
    if (had && (!stays || x->counting))
        was.key = index_key_of_item(x, old, key, a);
    if (has && (!stays || x->counting || x->filling || x->entries.copies))
        is.key = index_key_of_item(x, now, key, a);
    count_entry(x, had, &was, -1);
    count_entry(x, has, &is, 1);
    /* While it is being filled nobody knows whether the old entry is there yet. */
    if (stays && !x->filling && (!x->entries.copies || str_eq(was.item, is.item)))
        return true;
    if (had && !stays && !store_entry_remove(s, &x->entries, was.key))
        return false;
    if (!has)
        return true;
    is.row = row_id;
    return store_entry_put(s, &x->entries, &is);
}

bool index_apply(struct store *s, struct table *t, const struct store_key *key, int64_t row_id,
                 const struct item *old, const struct item *now, struct arena *a)
{
    for (size_t i = 0; i < t->index_count; i++) {
        if (!apply_one(s, t, &t->indexes[i], key, row_id, old, now, a))
            return false;
    }
    return true;
}

/* ---- filling an index of a table that has rows already ---- */

struct filling {
    struct store *s;
    struct table *t;
    struct index *x;
    struct arena *a;
    struct buf text;
    int64_t rows, bytes;
    bool ok;
};

static bool fill_row(void *arg, int64_t id, const struct store_key *key, struct str json)
{
    struct filling *f = arg;
    struct item item;
    struct store_entry e = {0};
    bool added;
    arena_reset(f->a);
    buf_clear(&f->text);
    if (!item_read_stored(json, f->a, &f->text, &item)) {
        log_msg(LOG_ERROR, "dynamodb", "row %lld of ddb_data_%lld is not an item", (long long)id,
                (long long)f->t->id);
        return f->ok = false;
    }
    if (index_has(f->x, &item)) {
        index_make_entry(f->t, f->x, &item, f->a, &e);
        e.key = index_key_of_item(f->x, &item, key, f->a);
        e.row = id;
        f->ok = store_entry_add(f->s, &f->x->entries, &e, &added);
    }
    f->rows++;
    f->bytes += (int64_t)json.n;
    return f->ok && f->bytes < SLICE_BYTES;
}

bool index_backfill_slice(struct store *s, struct table *t, struct index *x, bool *ret_done)
{
    struct filling f = {s, t, x, arena_new(0, SIZE_MAX), {0}, 0, 0, true};
    int64_t last = x->filled_to;
    *ret_done = !x->filling;
    if (!x->filling) {
        arena_free(f.a);
        return true;
    }
    buf_init(&f.text, ATTR_TEXT_MAX);
    bool ok = store_each_row(s, t->id, x->filled_to, SLICE_ROWS, fill_row, &f, &last) && f.ok;
    if (ok && f.rows == 0) {
        ok = store_index_set_filled(s, x->entries.id, STORE_FILLED);
        x->filling = !ok;
        x->filled_to = ok ? STORE_FILLED : x->filled_to;
        *ret_done = ok;
    } else if (ok) {
        x->filled_to = last;
        ok = store_index_set_filled(s, x->entries.id, last);
    }
    buf_release(&f.text);
    arena_free(f.a);
    return ok;
}
