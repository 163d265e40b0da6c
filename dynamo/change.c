#include "change.h"
#include "capacity.h"
#include "panic.h"
#include "stream.h"
#include "value.h"

enum { TEXT_ROOM = 256 }; /* what most updates add */

bool ddb_item_keep(struct call *c, struct jval v, enum attr_wording wording, struct item *ret)
{
    struct buf *text = ddb_text(c);
    if (!item_read(v, wording, c->arena, text, ret, &c->err))
        return false;
    if (ret->size > ATTR_ITEM_SIZE_MAX)
        return true;
    ret->json = arena_str(c->arena, ret->json);
    for (size_t i = 0; i < ret->count; i++)
        ret->attrs[i].json.p = ret->json.p + ret->attrs[i].text_at;
    return true;
}

/* Key attributes cannot change (fact 90). */
static bool check_update(struct call *c, const struct ddb_change *x)
{
    struct str names[TABLE_KEY_PARTS_MAX];
    size_t count = (size_t)x->t->key.hash_count + x->t->key.range_count;
    if (x->update == NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        names[i] = x->t->key.part[i].name;
    struct str touched = expr_update_touches(x->update, names, count);
    return touched.p == NULL ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "One or more parameter values were invalid: Cannot update attribute %.*s. This "
                    "attribute is part of the key",
                    STR_ARG(touched));
}

bool ddb_change_check(struct call *c, struct ddb_change *x)
{
    if (x->kind == CHANGE_PUT)
        return ddb_key_of_item(c, x->t, &x->given, &x->key) &&
               ddb_check_index_keys(c, x->t, &x->given);
    return ddb_key_of_key(c, x->t, &x->given, &x->key) && check_update(c, x);
}

static bool condition_failed(struct call *c, const struct ddb_change *x)
{
    if (x->is_insert)
        return aws_fail(&c->err, c->arena, &DYNAMODB_DuplicateItemException,
                        "Duplicate primary key exists in table");
    aws_fail(&c->err, c->arena, &DYNAMODB_ConditionalCheckFailedException,
             "The conditional request failed");
    if (x->item_on_failure && x->w.had_old)
        c->err.members = arena_fmt(c->arena, "\"Item\":%.*s", STR_ARG(x->w.old_text));
    return false;
}

static bool prepare_update(struct call *c, struct ddb_change *x)
{
    struct ddb_write *w = &x->w;
    struct str old = w->had_old ? w->old_text : STR("");
    struct str text = w->had_old ? w->old_text : x->given.json;
    if (x->update != NULL) {
        struct buf *out = arena_new_buf(c->arena, ATTR_TEXT_MAX);
        buf_reserve(out, text.n + TEXT_ROOM);
        if (!expr_update_apply(x->update, old, x->given.json, c->arena, out, &c->err))
            return false;
        ASSERT(!out->overflow);
        text = buf_view(out);
    }
    item_of_text(text, c->arena, &x->after);
    if (x->after.size > ATTR_ITEM_SIZE_MAX)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException, DDB_UPDATE_TOO_BIG);
    /* Clauses that only take away do not make an item ([A] test_returnvalues). */
    bool made_nothing = !w->had_old && x->update != NULL && str_eq(text, x->given.json);
    w->now = made_nothing ? NULL : &x->after;
    return ddb_check_index_updates(c, x->t, w->has_old_item ? &w->old : NULL, &x->after,
                                   &x->whole_request);
}

bool ddb_change_prepare(struct call *c, struct ddb_change *x)
{
    struct ddb *d = ddb_of(c);
    struct ddb_write *w = &x->w;
    bool text = x->cond != NULL || x->want_old || x->kind == CHANGE_UPDATE;
    *w = (struct ddb_write){
        .t = x->t, .key = &x->key, .want_index_units = x->want_units || d->throttle != NULL};
    if (!db_begin(d->db) || !ddb_write_load(d, c->arena, w, text ? WANT_TEXT : WANT_NOTHING)) {
        ddb_internal_error(c);
        return false;
    }
    if (x->cond != NULL && !expr_cond_eval(x->cond, w->had_old ? w->old_text : STR(""), c->arena))
        return condition_failed(c, x);
    if (x->kind == CHANGE_PUT)
        w->now = &x->given;
    if (x->kind == CHANGE_UPDATE && !prepare_update(c, x))
        return false;
    if (x->kind != CHANGE_CHECK)
        ddb_write_count(c->arena, w);
    return d->throttle == NULL ||
           throttle_may_write(d->throttle, x->t, w->index_units, c->arena, &c->err);
}

bool ddb_change_apply(struct call *c, struct ddb_change *x)
{
    struct ddb *d = ddb_of(c);
    if (x->kind != CHANGE_CHECK && !ddb_write_apply(d, c->arena, c->now_ms, &x->w)) {
        ddb_internal_error(c);
        return false;
    }
    throttle_charge_write(d->throttle, x->t, ddb_change_units(x), x->w.index_units);
    return true;
}

double ddb_change_units(const struct ddb_change *x)
{
    return capacity_write(x->w.had_old ? (size_t)x->w.old_size : 0,
                          x->w.now != NULL ? x->w.now->size : 0);
}

void ddb_collection_metrics(struct call *c, const char *key, const struct table *t,
                            const struct item *key_holder)
{
    json_obj(&c->out, key);
    json_obj(&c->out, "ItemCollectionKey");
    json_key(&c->out, t->key.part[0].name);
    json_raw(&c->out, NULL, item_find(key_holder, t->key.part[0].name)->json);
    json_end(&c->out);
    json_raw(&c->out, "SizeEstimateRangeGB", STR("[0,1]"));
    json_end(&c->out);
}

static bool is_metered(const struct ddb_change *x)
{
    return x->kind != CHANGE_CHECK && x->t->index_count != x->t->global_count;
}

/* Is changes[at] the first of its table (of its item collection)? */
static bool is_first(const struct ddb_change *changes, size_t at, bool of_collection)
{
    for (size_t i = 0; i < at; i++) {
        if (is_metered(&changes[i]) && changes[i].t == changes[at].t &&
            (!of_collection || str_eq(changes[i].key.bytes.hk, changes[at].key.bytes.hk)))
            return false;
    }
    return true;
}

void ddb_collection_metrics_list(struct call *c, const struct ddb_change *changes, size_t count)
{
    json_obj(&c->out, "ItemCollectionMetrics");
    for (size_t i = 0; i < count; i++) {
        if (!is_metered(&changes[i]) || !is_first(changes, i, false))
            continue;
        json_key(&c->out, changes[i].t->name);
        json_arr(&c->out, NULL);
        for (size_t k = i; k < count; k++) {
            if (changes[k].t == changes[i].t && is_metered(&changes[k]) &&
                is_first(changes, k, true))
                ddb_collection_metrics(c, NULL, changes[k].t, &changes[k].given);
        }
        json_end(&c->out);
    }
    json_end(&c->out);
}
