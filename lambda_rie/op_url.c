/* Function URL configurations. The data plane finds them by lam_url_find. */
#include "docs.h"
#include "ids.h"
#include "seam.h"

enum { PAGE_MAX = 50, URL_ID = 32 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static bool no_function(struct call *c)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "Function does not exist");
}

static bool no_resource(struct call *c)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "The resource you requested does not exist.");
}

/* The target of c. The model checks the member Qualifier; one in the name has the same rule. */
static bool find(struct call *c, struct lam_target *ret)
{
    if (!lam_target_of_call(c, ret))
        return false;
    struct str q = ret->qualifier;
    return (!lam_is_number(q) && !str_eq_c(q, "$LATEST")) ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "1 validation error detected: Value '%.*s' at 'qualifier' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: "
                    "((?!^\\d+$)^[0-9a-zA-Z-_]+$)",
                    STR_ARG(q));
}

static struct str key_of(const struct lam_target *t, struct arena *a)
{
    return lam_doc_key(a, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name),
                       STR_ARG(t->qualifier.n > 0 ? t->qualifier : STR("$LATEST")));
}

struct str rie_url_text(struct str endpoint, struct str id, struct str region, struct arena *a)
{
    ptrdiff_t colon = str_rfind(endpoint, ':');
    struct str port = colon > 5 ? str_sub(endpoint, (size_t)colon, endpoint.n) : STR("");
    return arena_fmt(a, "http://%.*s.lambda-url.%.*s.localhost%.*s/", STR_ARG(id), STR_ARG(region),
                     STR_ARG(port));
}

static void write_config(struct rie *r, struct jval doc, bool with_modified, struct arena *a,
                         struct json_out *w)
{
    struct jval cors = jval_get(doc, "Cors");
    json_obj(w, NULL);
    json_copy(w, "AuthType", jval_get(doc, "AuthType"));
    if (jval_present(cors))
        json_copy(w, "Cors", cors);
    json_copy(w, "CreationTime", jval_get(doc, "CreationTime"));
    json_copy(w, "FunctionArn", jval_get(doc, "FunctionArn"));
    json_str(w, "FunctionUrl",
             rie_url_text(str_c(r->endpoint_url), jval_text(jval_get(doc, "UrlId"), a),
                          jval_text(jval_get(doc, "Region"), a), a));
    json_copy(w, "InvokeMode", jval_get(doc, "InvokeMode"));
    if (with_modified)
        json_copy(w, "LastModifiedTime", jval_get(doc, "LastModifiedTime"));
    json_end(w);
}

/* The document that the members of c make of before (MISSING: a new one). */
static struct buf *build(struct call *c, const struct lam_target *t, struct jval before)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    char id[URL_ID + 1];
    struct str now = lam_date(c->arena);
    struct jval auth = jval_get(c->in, "AuthType"), cors = jval_get(c->in, "Cors");
    struct jval mode = jval_get(c->in, "InvokeMode");
    bool is_new = !jval_present(before);
    ids_lower_alnum(id, URL_ID);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "UrlId", is_new ? str_c(id) : jval_text(jval_get(before, "UrlId"), c->arena));
    json_str(&w, "Region", t->region);
    json_str(&w, "FunctionArn", lam_target_arn(t, c->arena));
    json_copy(&w, "AuthType", jval_present(auth) ? auth : jval_get(before, "AuthType"));
    if (!jval_present(cors))
        cors = jval_get(before, "Cors");
    if (jval_present(cors))
        json_copy(&w, "Cors", cors);
    if (jval_present(mode) || is_new)
        json_str(&w, "InvokeMode",
                 jval_present(mode) ? jval_text(mode, c->arena) : STR("BUFFERED"));
    else
        json_copy(&w, "InvokeMode", jval_get(before, "InvokeMode"));
    json_str(&w, "CreationTime",
             is_new ? now : jval_text(jval_get(before, "CreationTime"), c->arena));
    json_str(&w, "LastModifiedTime", now);
    json_end(&w);
    return b;
}

/* The configuration and the way from its id to it. */
static bool store(struct rie *r, const struct lam_target *t, struct str id, struct buf *doc,
                  struct arena *a)
{
    struct str key = key_of(t, a);
    struct buf *back = arena_new_buf(a, 4096);
    struct json_out w;
    json_out_init(&w, back);
    json_obj(&w, NULL);
    json_str(&w, "key", key);
    json_str(&w, "account", t->account);
    json_str(&w, "region", t->region);
    json_str(&w, "name", t->name);
    json_str(&w, "qualifier", t->qualifier);
    json_end(&w);
    return lam_doc_put(r, DOC_URL, key, doc) && lam_doc_put(r, DOC_URL_ID, id, back);
}

static enum call_status save(struct call *c, const struct lam_target *t, struct jval before)
{
    struct buf *b = build(c, t, before);
    struct jval doc;
    if (!json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !store(rie_of(c), t, jval_text(jval_get(doc, "UrlId"), c->arena), b, c->arena))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The URL could not be stored.");
    write_config(rie_of(c), doc, jval_present(before), c->arena, &c->out);
    return CALL_DONE;
}

bool lam_url_set_id(struct rie *r, const struct lam_target *t, struct str id, struct arena *a)
{
    struct jval doc, it = {0};
    struct str key = key_of(t, a);
    struct json_out w;
    struct buf *b = arena_new_buf(a, 1 << 20);
    if (!lam_doc_get(r, DOC_URL, key, a, &doc) ||
        !lam_doc_del(r, DOC_URL_ID, jval_text(jval_get(doc, "UrlId"), a)))
        return false;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "UrlId", id);
    while (jval_next(doc, &it, NULL)) {
        struct str member = jval_key_str(it, a);
        if (str_eq_c(member, "UrlId"))
            continue;
        json_key(&w, member);
        json_copy(&w, NULL, it);
    }
    json_end(&w);
    return store(r, t, id, b, a);
}

enum call_status lam_create_function_url_config(struct call *c)
{
    struct lam_target t;
    struct jval before;
    if (!find(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL)
        return no_function(c), CALL_FAILED;
    if (lam_doc_get(rie_of(c), DOC_URL, key_of(&t, c->arena), c->arena, &before))
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException,
                         "Failed to create function url config for [functionArn = %.*s]. Error "
                         "message:  FunctionUrlConfig exists for this Lambda function",
                         STR_ARG(jval_text(jval_get(before, "FunctionArn"), c->arena)));
    if (t.qualifier.n > 0 && !t.is_alias)
        return no_function(c), CALL_FAILED;
    return save(c, &t, (struct jval){0});
}

/* The target of c and its URL, which must exist. */
static bool find_config(struct call *c, struct lam_target *t, struct jval *ret)
{
    return find(c, t) &&
           (lam_doc_get(rie_of(c), DOC_URL, key_of(t, c->arena), c->arena, ret) || no_resource(c));
}

enum call_status lam_get_function_url_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find_config(c, &t, &doc))
        return CALL_FAILED;
    write_config(rie_of(c), doc, true, c->arena, &c->out);
    return CALL_DONE;
}

enum call_status lam_update_function_url_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL || (t.qualifier.n > 0 && !t.is_alias))
        return no_function(c), CALL_FAILED;
    if (!lam_doc_get(rie_of(c), DOC_URL, key_of(&t, c->arena), c->arena, &doc))
        return no_resource(c), CALL_FAILED;
    return save(c, &t, doc);
}

bool lam_url_delete(struct rie *r, struct str key, struct arena *a)
{
    struct jval doc;
    return !lam_doc_get(r, DOC_URL, key, a, &doc) ||
           (lam_doc_del(r, DOC_URL_ID, jval_text(jval_get(doc, "UrlId"), a)) &&
            lam_doc_del(r, DOC_URL, key));
}

bool lam_urls_delete(struct rie *r, struct str account, struct str region, struct str function)
{
    struct arena *a = arena_new(0, 64 << 20);
    struct lam_doc *docs;
    size_t n = lam_doc_list(r, DOC_URL, lam_doc_key(a, account, region, "%.*s/", STR_ARG(function)),
                            STR_NONE, SIZE_MAX, a, &docs);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = lam_url_delete(r, docs[i].key, a);
    arena_free(a);
    return ok;
}

enum call_status lam_delete_function_url_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find_config(c, &t, &doc))
        return CALL_FAILED;
    if (!lam_url_delete(rie_of(c), key_of(&t, c->arena), c->arena))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The URL could not be deleted.");
    return CALL_DONE;
}

enum call_status lam_list_function_url_configs(struct call *c)
{
    struct lam_target t;
    struct lam_page page;
    if (!lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL)
        return no_function(c), CALL_FAILED;
    if (!lam_doc_page(c, DOC_URL,
                      lam_doc_key(c->arena, t.account, t.region, "%.*s/", STR_ARG(t.name)),
                      PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "FunctionUrlConfigs");
    for (size_t i = 0; i < page.count; i++)
        write_config(rie_of(c), page.docs[i].v, true, c->arena, &c->out);
    lam_page_end(c, &page);
    return CALL_DONE;
}

bool lam_url_find(struct rie *r, struct str url_id, struct arena *a, struct lam_url *ret)
{
    struct jval back, doc;
    if (!lam_doc_get(r, DOC_URL_ID, url_id, a, &back) ||
        !lam_doc_get(r, DOC_URL, jval_text(jval_get(back, "key"), a), a, &doc))
        return false;
    *ret = (struct lam_url){
        .account = jval_text(jval_get(back, "account"), a),
        .region = jval_text(jval_get(back, "region"), a),
        .name = jval_text(jval_get(back, "name"), a),
        .qualifier = jval_text(jval_get(back, "qualifier"), a),
        .url_id = url_id,
        .iam = str_eq_c(jval_text(jval_get(doc, "AuthType"), a), "AWS_IAM"),
        .streamed = str_eq_c(jval_text(jval_get(doc, "InvokeMode"), a), "RESPONSE_STREAM"),
        .cors_json =
            jval_present(jval_get(doc, "Cors")) ? jval_raw(jval_get(doc, "Cors")) : STR("")};
    return true;
}
