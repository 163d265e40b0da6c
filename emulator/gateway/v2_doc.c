/* Documents of HTTP APIs: create, read, change, delete. unverified: the texts of not-found errors.
 */
#include "arn.h"
#include "clock.h"
#include "ids.h"
#include "v2.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_DEFAULT = 100, PAGE_MAX = 500, TEXT_MAX = 32 << 20 };

const struct v2_kind v2_route = {GW2_ROUTE, "routeId", "Route", 7};
const struct v2_kind v2_integration = {GW2_INTEGRATION, "integrationId", "Integration", 7};
const struct v2_kind v2_authorizer = {GW2_AUTHORIZER, "authorizerId", "Authorizer", 6};
const struct v2_kind v2_deployment = {GW2_DEPLOYMENT, "deploymentId", "Deployment", 6};
const struct v2_kind v2_stage = {GW2_STAGE, "stageName", "Stage", 0};

bool v2_bad(struct call *c, const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return aws_fail(&c->err, c->arena, &APIGATEWAYV2_BadRequestException, "%s", text);
}

bool v2_unsupported(struct call *c, const char *what)
{
    return v2_bad(c, "Puddle does not support %s yet", what);
}

bool v2_need_api(struct call *c, struct str *ret_id, struct str *ret_text, struct jval *ret_doc)
{
    struct str account, region, text, id = gw_in(c, "apiId");
    if (!gw_api_get(c->svc->state, GW2_API, id, c->arena, &account, &region, &text) ||
        !str_eq(account, c->account) || !str_eq(region, c->region))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid API identifier specified %.*s:%.*s", STR_ARG(c->account),
                        STR_ARG(id));
    if (ret_doc != NULL && !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, ret_doc, NULL))
        return aws_fail(&c->err, c->arena, c->svc->internal_error, "A stored record is damaged.");
    *ret_id = id;
    if (ret_text != NULL)
        *ret_text = text;
    return true;
}

bool v2_has(struct call *c, struct str api, const struct v2_kind *k, struct str id)
{
    struct str text;
    return gw_doc_get(c->svc->state, api, k->kind, id, c->arena, &text);
}

bool v2_need(struct call *c, const struct v2_kind *k, struct v2_target *ret)
{
    if (!v2_need_api(c, &ret->api, NULL, NULL))
        return false;
    ret->id = gw_in(c, k->id_member);
    if (!gw_doc_get(c->svc->state, ret->api, k->kind, ret->id, c->arena, &ret->text))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid %s identifier specified %.*s", k->noun, STR_ARG(ret->id));
    if (!json_parse(c->arena, ret->text, JSON_DEPTH_DEFAULT, &ret->doc, NULL))
        return aws_fail(&c->err, c->arena, c->svc->internal_error, "A stored record is damaged.");
    return true;
}

bool v2_save(struct call *c, struct str api, enum gw_kind kind, struct str id, struct str text)
{
    struct gateway *g = c->svc->state;
    if (text.n < TEXT_MAX && db_begin(g->db) &&
        gw_doc_put(g, api, kind, id, c->account, c->region, text))
        return true;
    return gw_fail_store(c);
}

struct str v2_now(struct call *c)
{
    char text[25];
    clock_format_iso(c->now_ms, text);
    return arena_fmt(c->arena, "%.19sZ", text);
}

/* Is name a member of the operation's body (and not of its path)? */
static bool is_body_member(struct call *c, struct str name)
{
    const struct shape_model *m = c->svc->model;
    const struct shape *in = &m->shapes[c->op->model->input_shape];
    for (size_t i = 0; i < in->member_count; i++) {
        const struct shape_member *member = &m->members[in->first_member + i];
        if (str_eq_c(name, member->name))
            return member->where == IN_BODY;
    }
    return false;
}

static void copy_body(struct call *c, struct json_out *w)
{
    struct jval it = {0};
    while (jval_next(c->in, &it, NULL)) {
        struct str name = jval_key_str(it, c->arena);
        if (!jval_present(it) || !is_body_member(c, name))
            continue;
        json_key(w, name);
        json_copy(w, NULL, it);
    }
}

enum call_status v2_create(struct call *c, const struct v2_kind *k, struct str api, struct str id,
                           v2_fill *fill, v2_check *check)
{
    char random[16];
    if (id.n == 0) {
        ids_lower_alnum(random, k->id_length);
        id = arena_str(c->arena, str_c(random));
    }
    json_obj(&c->out, NULL);
    if (k->id_length > 0)
        json_str(&c->out, k->id_member, id);
    copy_body(c, &c->out);
    if (fill != NULL)
        fill(c, &c->out);
    json_end(&c->out);
    struct str text = arena_buf(c->arena, c->out_buf);
    struct jval doc;
    if (check != NULL && json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
        !check(c, doc))
        return CALL_FAILED;
    return v2_save(c, api, k->kind, id, text) && v2_changed(c, api) ? CALL_DONE : CALL_FAILED;
}

static bool is_among(struct str name, const char *const *names)
{
    for (; names != NULL && *names != NULL; names++) {
        if (str_eq_c(name, *names))
            return true;
    }
    return false;
}

/* The entries of old and of new; an empty text in new removes one. */
static struct str merge_maps(struct call *c, struct jval old, struct jval more)
{
    struct buf *b = arena_new_buf(c->arena, TEXT_MAX);
    struct json_out w;
    struct jval it = {0};
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_kind(old) == JSON_OBJECT && jval_next(old, &it, NULL)) {
        struct str key = jval_key_str(it, c->arena);
        if (jval_present(jval_get_str(more, key)))
            continue;
        json_key(&w, key);
        json_copy(&w, NULL, it);
    }
    it = (struct jval){0};
    while (jval_next(more, &it, NULL)) {
        struct str text;
        if (jval_str(it, c->arena, &text) && text.n == 0)
            continue;
        json_key(&w, jval_key_str(it, c->arena));
        json_copy(&w, NULL, it);
    }
    json_end(&w);
    return buf_view(b);
}

bool v2_merge(struct call *c, struct v2_target *t, const char *const *merged)
{
    struct jval it = {0};
    while (jval_next(c->in, &it, NULL)) {
        struct str name = jval_key_str(it, c->arena);
        if (!jval_present(it) || !is_body_member(c, name))
            continue;
        struct str value = is_among(name, merged) && jval_kind(it) == JSON_OBJECT
                               ? merge_maps(c, jval_get_str(t->doc, name), it)
                               : jval_raw(it);
        t->text = gw_doc_set(c->arena, t->text, &name, 1, value);
    }
    return json_parse(c->arena, t->text, JSON_DEPTH_DEFAULT, &t->doc, NULL) || gw_fail_store(c);
}

enum call_status v2_store_and_answer(struct call *c, const struct v2_kind *k,
                                     const struct v2_target *t)
{
    if (!v2_save(c, t->api, k->kind, t->id, t->text) || !v2_changed(c, t->api))
        return CALL_FAILED;
    struct str text;
    if (!gw_doc_get(c->svc->state, t->api, k->kind, t->id, c->arena, &text))
        text = t->text;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status v2_answer(struct call *c, const struct v2_kind *k)
{
    struct v2_target t;
    if (!v2_need(c, k, &t))
        return CALL_FAILED;
    json_raw(&c->out, NULL, t.text);
    return CALL_DONE;
}

bool v2_page(struct call *c, size_t *ret_limit, struct str *ret_after)
{
    struct str max = gw_in(c, "maxResults");
    int64_t limit = PAGE_DEFAULT;
    if (max.n > 0 && (!str_to_i64(max, &limit) || limit < 1 || limit > PAGE_MAX))
        return v2_bad(c, "maxResults must be a number from 1 to %d", PAGE_MAX);
    *ret_limit = (size_t)limit;
    *ret_after = gw_in(c, "nextToken");
    return true;
}

void v2_write_page(struct call *c, const struct gw_doc *docs, size_t count, size_t limit)
{
    json_obj(&c->out, NULL);
    json_arr(&c->out, "items");
    for (size_t i = 0; i < count && i < limit; i++)
        json_raw(&c->out, NULL, docs[i].text);
    json_end(&c->out);
    if (count > limit)
        json_str(&c->out, "nextToken", docs[limit - 1].id);
    json_end(&c->out);
}

enum call_status v2_answer_all(struct call *c, const struct v2_kind *k)
{
    struct str api, after;
    size_t limit;
    struct gw_doc *docs;
    if (!v2_need_api(c, &api, NULL, NULL) || !v2_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = gw_doc_list(c->svc->state, api, k->kind, after, limit + 1, c->arena, &docs);
    v2_write_page(c, docs, count, limit);
    return CALL_DONE;
}

enum call_status v2_delete(struct call *c, const struct v2_kind *k)
{
    struct gateway *g = c->svc->state;
    struct v2_target t;
    if (!v2_need(c, k, &t))
        return CALL_FAILED;
    if (!db_begin(g->db) || !gw_doc_del(g, t.api, k->kind, t.id)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    return v2_changed(c, t.api) ? CALL_DONE : CALL_FAILED;
}
