/* What the operations share: looking records up with AWS's errors, changing documents, listings
 * and patches. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"
#include "panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is stored stays below DOC_MAX (gw_save). Texts on the way there may be longer, but never
 * longer than BUILD_MAX: a stored document plus a request body, escaped. */
enum { DOC_MAX = 32 * 1024 * 1024, BUILD_MAX = 1024 * 1024 * 1024 };
enum { PAGE_DEFAULT = 25, PAGE_MAX = 500, PATCHES_MAX = 200 };

struct str gw_in(struct call *c, const char *member)
{
    struct str text = STR("");
    jval_str(jval_get(c->in, member), c->arena, &text);
    return text;
}

struct str gw_in_raw(struct call *c, const char *member)
{
    struct jval v = jval_get(c->in, member);
    return jval_present(v) ? jval_raw(v) : STR_NONE;
}

struct str gw_quote(struct arena *a, struct str s)
{
    struct buf *b = arena_new_buf(a, BUILD_MAX);
    struct json_out w;
    json_out_init(&w, b);
    json_str(&w, NULL, s);
    ASSERT(!b->overflow);
    return buf_view(b);
}

void gw_copy_members(struct call *c, struct json_out *w, const char *const *names)
{
    for (; *names != NULL; names++) {
        struct str raw = gw_in_raw(c, *names);
        if (raw.p != NULL)
            json_raw(w, *names, raw);
    }
}

static void set_member(struct json_out *w, struct jval v, const struct str *path, size_t depth,
                       struct str value, struct arena *a)
{
    bool seen = false;
    struct jval it = {0};
    json_obj(w, NULL);
    while (jval_next(v, &it, NULL)) {
        struct str key = jval_key_str(it, a);
        if (!str_eq(key, path[0])) {
            json_key(w, key);
            json_raw(w, NULL, jval_raw(it));
            continue;
        }
        if (seen || (depth == 1 && value.p == NULL))
            continue;
        seen = true;
        json_key(w, key);
        if (depth == 1)
            json_raw(w, NULL, value);
        else
            set_member(w, it, path + 1, depth - 1, value, a);
    }
    if (!seen && value.p != NULL) {
        json_key(w, path[0]);
        if (depth == 1)
            json_raw(w, NULL, value);
        else
            set_member(w, (struct jval){0}, path + 1, depth - 1, value, a);
    }
    json_end(w);
}

struct str gw_doc_set(struct arena *a, struct str text, const struct str *path, size_t depth,
                      struct str value)
{
    struct jval root;
    struct json_out w;
    struct buf *b = arena_new_buf(a, BUILD_MAX);
    ASSERT(depth > 0 && depth < 8);
    if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &root, NULL))
        PANIC("a gateway document is not JSON");
    json_out_init(&w, b);
    set_member(&w, root, path, depth, value, a);
    ASSERT(!b->overflow);
    return buf_view(b);
}

bool gw_fail_store(struct call *c)
{
    return aws_fail(&c->err, c->arena, c->svc->internal_error, "The store cannot be written.");
}

/* The text of a record as a value; false with an error if the file was tampered with. */
static bool parse_record(struct call *c, struct str text, struct jval *ret)
{
    if (json_parse(c->arena, text, JSON_DEPTH_DEFAULT, ret, NULL))
        return true;
    return aws_fail(&c->err, c->arena, c->svc->internal_error, "A stored record is damaged.");
}

bool gw_need_api(struct call *c, struct str *ret_id, struct str *ret_text, struct jval *ret_doc)
{
    struct str account, region, text, id = gw_in(c, "restApiId");
    struct jval doc;
    if (!gw_api_get(c->svc->state, GW_API, id, c->arena, &account, &region, &text) ||
        !str_eq(account, c->account) || !str_eq(region, c->region))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                        "Invalid API identifier specified %.*s:%.*s", STR_ARG(c->account),
                        STR_ARG(id));
    if (!parse_record(c, text, &doc))
        return false;
    *ret_id = id;
    if (ret_text != NULL)
        *ret_text = text;
    if (ret_doc != NULL)
        *ret_doc = doc;
    return true;
}

bool gw_need_doc(struct call *c, struct str api, enum gw_kind kind, struct str id,
                 const char *message, struct str *ret_text, struct jval *ret_doc)
{
    struct str text;
    struct jval doc;
    if (!gw_doc_get(c->svc->state, api, kind, id, c->arena, &text))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException, "%s", message);
    if (!parse_record(c, text, &doc))
        return false;
    if (ret_text != NULL)
        *ret_text = text;
    if (ret_doc != NULL)
        *ret_doc = doc;
    return true;
}

bool gw_need_resource(struct call *c, struct gw_target *ret)
{
    *ret = (struct gw_target){.resource_id = gw_in(c, "resourceId")};
    return gw_need_api(c, &ret->api, NULL, NULL) &&
           gw_need_doc(c, ret->api, GW_RESOURCE, ret->resource_id,
                       "Invalid Resource identifier specified", &ret->text, &ret->resource);
}

bool gw_need_method(struct call *c, struct gw_target *ret)
{
    if (!gw_need_resource(c, ret))
        return false;
    ret->method = gw_in(c, "httpMethod");
    ret->method_doc = jval_get_str(jval_get(ret->resource, "resourceMethods"), ret->method);
    if (jval_present(ret->method_doc))
        return true;
    return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                    "Invalid Method identifier specified");
}

bool gw_save(struct call *c, struct str api, enum gw_kind kind, struct str id, struct str text)
{
    struct gateway *g = c->svc->state;
    if (text.n >= DOC_MAX || c->out_buf->overflow)
        return aws_fail(&c->err, c->arena, &APIGATEWAY_LimitExceededException,
                        "The REST API is too large.");
    if (db_begin(g->db) && gw_doc_put(g, api, kind, id, c->account, c->region, text))
        return true;
    return gw_fail_store(c);
}

enum call_status gw_unsupported(struct call *c, const char *fmt, ...)
{
    char what[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return CALL_FAIL(c, &APIGATEWAY_BadRequestException, "Puddle does not support %s yet", what);
}

bool gw_need_page(struct call *c, size_t *ret_limit, struct str *ret_after)
{
    int64_t limit = PAGE_DEFAULT;
    jval_i64(jval_get(c->in, "limit"), &limit);
    if (limit < 1 || limit > PAGE_MAX) /* unverified: the wording */
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "Invalid limit specified: %lld. Must be between 1 and %d", (long long)limit,
                        PAGE_MAX);
    *ret_limit = (size_t)limit;
    *ret_after = gw_in(c, "position");
    return true;
}

void gw_write_page(struct call *c, const struct gw_doc *docs, size_t count, size_t limit)
{
    bool more = count > limit;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "item");
    for (size_t i = 0; i < (more ? limit : count); i++)
        json_raw(&c->out, NULL, docs[i].text);
    json_end(&c->out);
    if (more)
        json_str(&c->out, "position", docs[limit - 1].id);
    json_end(&c->out);
}

bool gw_patches(struct call *c, struct patch **ret, size_t *ret_count)
{
    struct jval list = jval_get(c->in, "patchOperations"), it = {0};
    *ret = ARENA_ARRAY(c->arena, struct patch, jval_count(list) + 1);
    *ret_count = 0;
    if (jval_count(list) > PATCHES_MAX) /* each is a rewrite of the document; unverified limit */
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "At most %d patch operations are allowed", PATCHES_MAX);
    while (jval_next(list, &it, NULL)) {
        struct patch *p = &(*ret)[(*ret_count)++];
        p->op = jval_text(jval_get(it, "op"), c->arena);
        p->path = jval_text(jval_get(it, "path"), c->arena);
        p->has_value = jval_str(jval_get(it, "value"), c->arena, &p->value);
        if (p->path.n == 0)
            return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                            "Invalid patch path null");
        if (!str_eq_c(p->op, "add") && !str_eq_c(p->op, "remove") && !str_eq_c(p->op, "replace"))
            return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                            "Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
    }
    return true;
}

bool gw_patch_under(struct call *c, struct str path, const char *prefix, struct str *ret_rest)
{
    struct str start = str_c(prefix);
    if (!str_starts(path, start) || path.n == start.n)
        return false;
    char *out = arena_alloc(c->arena, path.n);
    size_t n = 0;
    for (size_t i = start.n; i < path.n; i++) { /* RFC 6901 escapes */
        char ch = path.p[i];
        if (ch == '~' && i + 1 < path.n && (path.p[i + 1] == '0' || path.p[i + 1] == '1'))
            ch = path.p[++i] == '1' ? '/' : '~';
        out[n++] = ch;
    }
    *ret_rest = (struct str){out, n};
    return true;
}

bool gw_choose_id(struct call *c, const struct aws_err_kind *bad,
                  const struct aws_err_kind *conflict, char *out, size_t out_size)
{
    struct str id = STR("");
    jval_str(jval_get(jval_get(c->in, "tags"), "_custom_id_"), c->arena, &id);
    if (id.n == 0) {
        ids_lower_alnum(out, 10);
        return true;
    }
    bool ok = id.n < out_size;
    for (size_t i = 0; ok && i < id.n; i++) {
        char ch = id.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '-' || ch == '_';
        out[i] = ch;
    }
    if (!ok)
        return aws_fail(&c->err, c->arena, bad,
                        "The tag _custom_id_ must be 1 to %zu of a-z, A-Z, 0-9, - and _",
                        out_size - 1);
    out[id.n] = '\0';
    if (gateway_has_api(c->svc->state, id))
        return aws_fail(&c->err, c->arena, conflict, "An API with the id %.*s exists already",
                        STR_ARG(id));
    return true;
}

bool gw_bad(struct call *c, const char *fmt, ...)
{
    char text[1200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "%s", text);
}

enum call_status gw_remove(struct call *c, struct str api, enum gw_kind kind, struct str id)
{
    struct gateway *g = c->svc->state;
    if (db_begin(g->db) && gw_doc_del(g, api, kind, id))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}

enum call_status gw_answer_page(struct call *c, struct str api, enum gw_kind kind)
{
    size_t limit;
    struct str after;
    struct gw_doc *docs;
    if (!gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = gw_doc_list(c->svc->state, api, kind, after, limit + 1, c->arena, &docs);
    gw_write_page(c, docs, count, limit);
    return CALL_DONE;
}

enum call_status gw_save_and_answer(struct call *c, struct str api, enum gw_kind kind,
                                    struct str id, struct str text)
{
    if (!gw_save(c, api, kind, id, text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}
