/* Tags of functions. */
#include "function.h"

static struct lam_function *find(struct call *c)
{
    struct str text = jval_text(jval_get(c->in, "Resource"), c->arena);
    struct lam_name n;
    if (lam_name_parse(text, &n) && n.qualifier.n > 0) {
        aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                 "Tags on function aliases and versions are not supported. Please specify a "
                 "function ARN.");
        return NULL;
    }
    return lam_function_resolve(c->svc->state, c->account, c->region, text, STR_NONE, false,
                                c->arena, &c->err);
}

static struct jval tags_of(struct call *c, const struct lam_function *f)
{
    struct jval v = {0};
    if (f->tags_json.n > 0)
        json_parse(c->arena, f->tags_json, JSON_DEPTH_DEFAULT, &v, NULL);
    return v;
}

static enum call_status save(struct call *c, const struct lam_function *f, const struct buf *tags)
{
    struct jval v;
    if (!json_parse(c->arena, buf_view(tags), JSON_DEPTH_DEFAULT, &v, NULL) ||
        !lam_tags_check(v, c->arena, &c->err))
        return CALL_FAILED;
    struct lam_function *next = lam_function_copy(f);
    next->tags_json = jval_count(v) > 0 ? arena_buf(next->mem, tags) : STR_NONE;
    if (!lam_function_save(c->svc->state, next, LAM_CHANGE_NOTES)) {
        lam_function_free(next);
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The tags could not be stored.");
    }
    return CALL_DONE;
}

enum call_status lam_list_tags(struct call *c)
{
    struct lam_function *f = find(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_raw(&c->out, "Tags", f->tags_json.n > 0 ? f->tags_json : STR("{}"));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_tag_resource(struct call *c)
{
    struct lam_function *f = find(c);
    struct jval it = {0}, added = jval_get(c->in, "Tags");
    struct json_out w;
    if (f == NULL || !lam_tags_check(added, c->arena, &c->err))
        return CALL_FAILED;
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    struct jval before = tags_of(c, f);
    while (jval_next(before, &it, NULL)) {
        struct str key = jval_key_str(it, c->arena);
        if (jval_kind(jval_get_str(added, key)) != JSON_MISSING)
            continue;
        json_key(&w, key);
        json_str(&w, NULL, jval_text(it, c->arena));
    }
    it = (struct jval){0};
    while (jval_next(added, &it, NULL)) {
        json_key(&w, jval_key_str(it, c->arena));
        json_str(&w, NULL, jval_text(it, c->arena));
    }
    json_end(&w);
    return save(c, f, b);
}

static bool names(struct call *c, struct jval keys, struct str key)
{
    struct jval it = {0};
    while (jval_next(keys, &it, NULL)) {
        if (str_eq(jval_text(it, c->arena), key))
            return true;
    }
    return false;
}

enum call_status lam_untag_resource(struct call *c)
{
    struct lam_function *f = find(c);
    struct jval it = {0};
    struct json_out w;
    if (f == NULL)
        return CALL_FAILED;
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    struct jval before = tags_of(c, f);
    while (jval_next(before, &it, NULL)) {
        struct str key = jval_key_str(it, c->arena);
        if (names(c, jval_get(c->in, "TagKeys"), key))
            continue;
        json_key(&w, key);
        json_str(&w, NULL, jval_text(it, c->arena));
    }
    json_end(&w);
    return save(c, f, b);
}
