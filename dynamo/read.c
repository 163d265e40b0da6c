#include "clock.h"
#include "index.h"
#include "panic.h"
#include "read_internal.h"
#include "value.h"

enum { QUARTERS = 4, LOOK_AT_CLOCK = 16 };

struct read_state {
    struct store_cursor cursor;
    struct store_scan_row row; /* the one looked at last */
    bool begun, has_row;
    int64_t deadline_ms;
    struct str last_key;
    struct arena *scratch;           /* of one row's filter */
    int first_quarter, last_quarter; /* passed */
    size_t quarter_bytes[QUARTERS];
};

static void free_scratch(void *arg)
{
    arena_free(arg);
}

/* Which quarter of the hash range a key lies in. */
static int quarter_of(struct str key)
{
    return key.n == 0 ? 0 : (uint8_t)key.p[0] >> 6;
}

/* The one that the last key below end lies in; end is a segment's. */
static int last_quarter_below(struct str end)
{
    if (end.n < KEY_PREFIX)
        return QUARTERS - 1;
    uint32_t prefix =
        (uint32_t)(uint8_t)end.p[0] << 16 | (uint32_t)(uint8_t)end.p[1] << 8 | (uint8_t)end.p[2];
    return prefix == 0 ? 0 : (int)((prefix - 1) >> 22);
}

static void begin(struct ddb *d, struct ddb_read *r)
{
    struct store_range range = {r->from, r->to, r->backward};
    struct read_state *s = r->state;
    if (s == NULL) {
        s = r->state = ARENA_NEW(r->arena, struct read_state);
        s->first_quarter = quarter_of(r->from.hk);
        s->last_quarter = last_quarter_below(r->to.hk);
        if (r->filter != NULL) {
            s->scratch = arena_new(0, SIZE_MAX);
            arena_defer(r->arena, free_scratch, s->scratch);
        }
    }
    db_read(d->db);
    if (r->x != NULL)
        store_index_scan_open(&d->store, &r->x->entries, r->whole, &range, &s->cursor);
    else
        store_scan_open(&d->store, r->t->id, &r->t->stmts, &range, &s->cursor);
    s->begun = true;
    s->has_row = false;
    s->deadline_ms = INT64_MAX;
    if (r->pause_ms > 0) { /* all reads of a tick share its time */
        if (d->reads_until_ms == 0)
            d->reads_until_ms = clock_mono_ms() + r->pause_ms;
        s->deadline_ms = d->reads_until_ms;
    }
}

static bool page_is_full(const struct ddb_read *r)
{
    /* What is fetched counts too: it is what a page has to hold. */
    size_t bytes = r->whole && r->fetched_bytes > r->bytes ? r->fetched_bytes : r->bytes;
    return (r->limit > 0 && r->scanned >= r->limit) || r->page_bytes + bytes >= READ_PAGE_BYTES;
}

static void add_key(struct json_out *out, const struct ddb_read *r, struct str name)
{
    struct str value = text_find(r->state->row.item, text_key(name, r->arena));
    ASSERT(value.p != NULL);
    json_key(out, name);
    json_raw(out, NULL, value);
}

/* The keys of table and index of the row that ends the page. */
static void keep_last_key(struct ddb_read *r)
{
    struct json_out out;
    json_out_init(&out, arena_new_buf(r->arena, ATTR_TEXT_MAX));
    json_obj(&out, NULL);
    for (size_t i = 0; i < key_parts(&r->t->key); i++)
        add_key(&out, r, r->t->key.part[i].name);
    for (size_t i = 0; r->x != NULL && i < key_parts(&r->x->key); i++) {
        if (!key_has(&r->t->key, r->x->key.part[i].name))
            add_key(&out, r, r->x->key.part[i].name);
    }
    json_end(&out);
    r->state->last_key = buf_view(out.b);
    r->state->last_quarter = quarter_of(r->state->row.key.hk);
}

static void count_row(struct ddb_read *r)
{
    struct read_state *s = r->state;
    r->scanned++;
    r->bytes += (size_t)s->row.size;
    r->fetched_bytes += (size_t)s->row.fetched_size;
    s->quarter_bytes[quarter_of(s->row.key.hk)] += (size_t)s->row.size;
}

static bool passes(struct ddb_read *r)
{
    struct read_state *s = r->state;
    if (r->filter == NULL)
        return true;
    arena_reset(s->scratch);
    return expr_cond_eval(r->filter, s->row.item, s->scratch);
}

static enum read_result pause_here(struct ddb_read *r)
{
    struct store_key at = {arena_str(r->arena, r->state->row.key.hk),
                           arena_str(r->arena, r->state->row.key.sk)};
    read_go_on_after(r, &at);
    ddb_read_stop(r);
    return READ_PAUSED;
}

enum read_result ddb_read_next(struct ddb *d, struct ddb_read *r, struct str *ret_item)
{
    if (r->state == NULL || !r->state->begun)
        begin(d, r);
    struct read_state *s = r->state;
    for (;;) {
        if (s->has_row && page_is_full(r)) {
            keep_last_key(r);
            ddb_read_stop(r);
            return READ_PAGE;
        }
        if (s->has_row && r->scanned % LOOK_AT_CLOCK == 0 && s->deadline_ms <= clock_mono_ms())
            return pause_here(r);
        enum store_result result = store_scan_next(&s->cursor, &s->row);
        if (result != STORE_OK) {
            ddb_read_stop(r);
            return result == STORE_NONE ? READ_END : READ_FAILED;
        }
        s->has_row = true;
        count_row(r);
        if (passes(r)) {
            r->matched++;
            *ret_item = s->row.item;
            return READ_ROW;
        }
    }
}

void ddb_read_stop(struct ddb_read *r)
{
    if (r->state == NULL)
        return;
    store_scan_close(&r->state->cursor);
    r->state->begun = false;
}

struct str ddb_read_last_key(const struct ddb_read *r)
{
    return r->state->last_key;
}

/* A Scan of an on-demand table bills at least one unit for every partition it passes, and such a
 * table starts with four (fact 67, whose cause AWS does not tell; unverified: that pages and
 * segments pay for the quarters they pass). */
static double scan_units(const struct ddb_read *r, bool consistent)
{
    const struct read_state *s = r->state;
    double units = 0;
    for (int i = s->first_quarter; i <= s->last_quarter; i++)
        units += capacity_read(s->quarter_bytes[i], consistent);
    return units;
}

void ddb_read_units(const struct ddb_read *r, bool consistent, struct capacity *units)
{
    *units = (struct capacity){0};
    if (r->x == NULL) {
        units->table = r->is_scan && r->t->on_demand ? scan_units(r, consistent)
                                                     : capacity_read(r->bytes, consistent);
        return;
    }
    units->indexes = ARENA_ARRAY(r->arena, double, r->t->index_count);
    units->indexes[r->x - r->t->indexes] = capacity_read(r->bytes, consistent);
    if (r->fetched_bytes > 0)
        units->table = capacity_read(r->fetched_bytes, consistent);
}

bool ddb_read_source(struct ddb_read *r, struct str index_name, bool consistent,
                     struct aws_err *err)
{
    r->x = NULL;
    if (index_name.n == 0)
        return true;
    r->x = index_find(r->t, index_name);
    if (r->x == NULL)
        return aws_fail(err, r->arena, &AWS_ValidationException,
                        "The table does not have the specified index: %.*s", STR_ARG(index_name));
    if (r->x->global && consistent)
        return aws_fail(err, r->arena, &AWS_ValidationException,
                        "Consistent reads are not supported on global secondary indexes");
    if (r->x->filling)
        return aws_fail(err, r->arena, &AWS_ValidationException,
                        "Cannot read from backfilling global secondary index: %.*s",
                        STR_ARG(index_name));
    return true;
}
