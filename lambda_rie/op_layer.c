/* Layer versions: publish, read, list, delete, and their policies. */
#include "code_store.h"
#include "layers.h"
#include "policy.h"
#include "seam.h"

enum { PAGE_MAX = 50, DESCRIPTION_MAX = 64 * 1024 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

static bool no_resource(struct call *c)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "The resource you requested does not exist.");
}

/* The layer that LayerName names; the model has checked its form. */
static struct lam_layer_name name_of(struct call *c)
{
    struct lam_layer_name n;
    lam_layer_parse(text_of(c, "LayerName"), c->account, c->region, &n);
    n.version = 0;
    return n;
}

/* ---- replies ---- */

static void copy_if(struct json_out *w, const char *key, struct jval doc)
{
    struct jval v = jval_get(doc, key);
    if (jval_present(v))
        json_copy(w, key, v);
}

static void write_version(struct rie *r, const struct lam_layer_name *n, struct jval doc,
                          bool with_content, struct arena *a, struct json_out *w)
{
    struct lam_layer_name layer = *n;
    layer.version = 0;
    json_obj(w, NULL);
    copy_if(w, "CompatibleArchitectures", doc);
    copy_if(w, "CompatibleRuntimes", doc);
    if (with_content) {
        json_obj(w, "Content");
        copy_if(w, "CodeSha256", doc);
        copy_if(w, "CodeSize", doc);
        json_str(w, "Location",
                 arena_fmt(a, "%s/_puddle/code/%.*s/%.*s/layer:%.*s:%lld", r->endpoint_url,
                           STR_ARG(n->account), STR_ARG(n->region), STR_ARG(n->name),
                           (long long)n->version));
        json_end(w);
    }
    copy_if(w, "CreatedDate", doc);
    copy_if(w, "Description", doc);
    if (with_content)
        json_str(w, "LayerArn", lam_layer_arn(&layer, a));
    json_str(w, "LayerVersionArn", lam_layer_arn(n, a));
    copy_if(w, "LicenseInfo", doc);
    json_i64(w, "Version", n->version);
    json_end(w);
}

/* ---- PublishLayerVersion ---- */

static bool next_number(struct call *c, struct lam_layer_name *n)
{
    struct str key = lam_doc_key(c->arena, n->account, n->region, "%.*s", STR_ARG(n->name));
    struct buf *b = arena_new_buf(c->arena, 256);
    struct jval doc;
    struct json_out w;
    if (lam_doc_get(rie_of(c), DOC_LAYER, key, c->arena, &doc))
        jval_i64(jval_get(doc, "LastVersion"), &n->version);
    n->version++;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_i64(&w, "LastVersion", n->version);
    json_end(&w);
    return lam_doc_put(rie_of(c), DOC_LAYER, key, b);
}

/* Lambda has checks of its own for these two lists, in words of their own. */
static void check_list(struct call *c, const char *member, const char *path,
                       bool (*known)(struct str), struct str set, struct buf *ret, int *count)
{
    struct jval list = jval_get(c->in, member), it = {0};
    struct buf *shown = arena_new_buf(c->arena, 64 * 1024);
    bool ok = true;
    while (jval_next(list, &it, NULL)) {
        struct str s = jval_text(it, c->arena);
        buf_addf(shown, "%s%.*s", shown->n > 0 ? ", " : "", STR_ARG(s));
        ok = ok && known(s);
    }
    if (ok)
        return;
    buf_addf(ret, "%sValue '[%.*s]' at '%s' failed to satisfy constraint: %.*s",
             (*count)++ > 0 ? "; " : "", STR_ARG(buf_view(shown)), path, STR_ARG(set));
}

static bool is_architecture(struct str s)
{
    return str_eq_c(s, "x86_64") || str_eq_c(s, "arm64");
}

static bool check_compatible(struct call *c)
{
    struct buf *b = arena_new_buf(c->arena, 256 * 1024);
    int count = 0;
    check_list(c, "CompatibleRuntimes", "compatibleRuntimes", lam_runtime_known,
               arena_fmt(c->arena, "Member must satisfy enum value set: [%.*s]",
                         STR_ARG(lam_runtime_names(c->arena))),
               b, &count);
    check_list(c, "CompatibleArchitectures", "compatibleArchitectures", is_architecture,
               STR("Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, "
                   "arm64]]"),
               b, &count);
    return count == 0 || aws_fail(&c->err, c->arena, &AWS_ValidationException,
                                  "%d validation error%s detected: %.*s", count,
                                  count > 1 ? "s" : "", STR_ARG(buf_view(b)));
}

static enum call_status publish_resume(struct call *c, enum wait_end how)
{
    struct lam_code *code = c->scratch;
    struct lam_layer_name n = name_of(c);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    struct jval doc;
    (void)how;
    if (code->err.kind != NULL) {
        c->err = code->err;
        return CALL_FAILED;
    }
    bool ok = next_number(c, &n);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "dir", str_sub(code->dir, (size_t)(str_rfind(code->dir, '/') + 1), code->dir.n));
    json_str(&w, "CodeSha256", code->sha256);
    json_i64(&w, "CodeSize", code->size);
    json_i64(&w, "unpacked", code->unpacked);
    json_str(&w, "CreatedDate", lam_date(c->arena));
    json_str(&w, "Description", text_of(c, "Description"));
    copy_if(&w, "LicenseInfo", c->in);
    copy_if(&w, "CompatibleRuntimes", c->in);
    copy_if(&w, "CompatibleArchitectures", c->in);
    json_end(&w);
    if (!ok || !lam_doc_put(rie_of(c), DOC_LAYER_VER, lam_layer_key(&n, c->arena), b)) {
        lam_code_doom(rie_of(c), code->dir);
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The layer could not be stored.");
    }
    if (!json_parse(c->arena, buf_view(b), JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The layer could not be stored.");
    write_version(rie_of(c), &n, doc, true, c->arena, &c->out);
    return CALL_DONE;
}

enum call_status lam_publish_layer_version(struct call *c)
{
    struct jval content = jval_get(c->in, "Content");
    struct lam_code *code = ARENA_NEW(c->arena, struct lam_code);
    if (jval_raw(jval_get(c->in, "LicenseInfo")).n > DESCRIPTION_MAX || !check_compatible(c) ||
        !lam_code_check_source(c, content))
        return CALL_FAILED;
    c->scratch = code;
    enum call_status status = call_park(c, publish_resume);
    lam_code_unpack(rie_of(c), jval_text(jval_get(content, "ZipFile"), c->arena), c->arena, code,
                    &c->wait);
    return status;
}

/* ---- reading ---- */

/* The layer version that c is about, which may not exist. */
static bool find_number(struct call *c, struct lam_layer_name *n)
{
    *n = name_of(c);
    jval_i64(jval_get(c->in, "VersionNumber"), &n->version);
    return n->version >= 1 || aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                                       "Layer Version Cannot be less than 1");
}

static enum call_status reply_version(struct call *c, const struct lam_layer_name *n)
{
    struct jval doc;
    if (!lam_doc_get(rie_of(c), DOC_LAYER_VER, lam_layer_key(n, c->arena), c->arena, &doc))
        return no_resource(c), CALL_FAILED;
    write_version(rie_of(c), n, doc, true, c->arena, &c->out);
    return CALL_DONE;
}

enum call_status lam_get_layer_version(struct call *c)
{
    struct lam_layer_name n;
    return find_number(c, &n) ? reply_version(c, &n) : CALL_FAILED;
}

enum call_status lam_get_layer_version_by_arn(struct call *c)
{
    struct lam_layer_name n;
    if (!lam_layer_parse(text_of(c, "Arn"), c->account, c->region, &n) || n.version == 0)
        return no_resource(c), CALL_FAILED;
    return reply_version(c, &n);
}

/* ---- lists ---- */

static bool holds(struct call *c, struct jval list, struct str wanted)
{
    struct jval it = {0};
    if (wanted.n == 0)
        return true;
    while (jval_next(list, &it, NULL)) {
        if (str_eq(jval_text(it, c->arena), wanted))
            return true;
    }
    return false;
}

static bool matches(struct call *c, struct jval doc)
{
    return holds(c, jval_get(doc, "CompatibleRuntimes"), text_of(c, "CompatibleRuntime")) &&
           holds(c, jval_get(doc, "CompatibleArchitectures"), text_of(c, "CompatibleArchitecture"));
}

/* The number at the end of a version's key. */
static int64_t number_of(struct str key)
{
    int64_t inverted = 0;
    str_to_i64(str_sub(key, key.n - 10, key.n), &inverted);
    return INT64_C(9999999999) - inverted;
}

enum call_status lam_list_layer_versions(struct call *c)
{
    struct lam_layer_name n = name_of(c);
    struct lam_page page;
    struct str prefix = lam_doc_key(c->arena, n.account, n.region, "%.*s/", STR_ARG(n.name));
    if (!lam_doc_page(c, DOC_LAYER_VER, prefix, PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "LayerVersions");
    for (size_t i = 0; i < page.count; i++) {
        n.version = number_of(page.docs[i].key);
        if (matches(c, page.docs[i].v))
            write_version(rie_of(c), &n, page.docs[i].v, false, c->arena, &c->out);
    }
    lam_page_end(c, &page);
    return CALL_DONE;
}

/* The newest version that matches, if there is one. */
static void write_layer(struct call *c, struct lam_layer_name *n)
{
    struct lam_doc *docs;
    struct str prefix = lam_doc_key(c->arena, n->account, n->region, "%.*s/", STR_ARG(n->name));
    size_t count =
        lam_doc_list(rie_of(c), DOC_LAYER_VER, prefix, STR_NONE, SIZE_MAX, c->arena, &docs);
    size_t i = 0;
    while (i < count && !matches(c, docs[i].v))
        i++;
    if (i == count)
        return;
    json_obj(&c->out, NULL);
    json_key(&c->out, STR("LatestMatchingVersion"));
    n->version = number_of(docs[i].key);
    write_version(rie_of(c), n, docs[i].v, false, c->arena, &c->out);
    n->version = 0;
    json_str(&c->out, "LayerArn", lam_layer_arn(n, c->arena));
    json_str(&c->out, "LayerName", n->name);
    json_end(&c->out);
}

enum call_status lam_list_layers(struct call *c)
{
    struct lam_page page;
    struct str prefix = arena_fmt(c->arena, "%.*s/%.*s/", STR_ARG(c->account), STR_ARG(c->region));
    if (!lam_doc_page(c, DOC_LAYER, prefix, PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Layers");
    for (size_t i = 0; i < page.count; i++) {
        struct lam_layer_name n = {.account = c->account,
                                   .region = c->region,
                                   .name = str_sub(page.docs[i].key, prefix.n, page.docs[i].key.n)};
        write_layer(c, &n);
    }
    lam_page_end(c, &page);
    return CALL_DONE;
}

/* ---- DeleteLayerVersion ---- */

enum call_status lam_delete_layer_version(struct call *c)
{
    struct lam_layer_name n;
    if (!find_number(c, &n))
        return CALL_FAILED;
    struct str key = lam_layer_key(&n, c->arena), dir = lam_layer_dir(rie_of(c), &n, c->arena);
    if (!lam_doc_del(rie_of(c), DOC_LAYER_VER, key) || !lam_doc_del(rie_of(c), DOC_LAYER_POL, key))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The layer could not be deleted.");
    if (dir.n > 0)
        lam_code_doom(rie_of(c), arena_fmt(c->arena, "%s/%.*s", rie_of(c)->code_dir, STR_ARG(dir)));
    return CALL_DONE;
}

/* ---- policies ---- */

/* The policy of an existing layer version. */
static bool find_policy(struct call *c, struct lam_layer_name *n, struct lam_policy *p)
{
    *n = name_of(c);
    jval_i64(jval_get(c->in, "VersionNumber"), &n->version);
    *p = (struct lam_policy){.kind = DOC_LAYER_POL, .api = "GetLayerPolicy"};
    if (lam_layer_dir(rie_of(c), n, c->arena).n == 0)
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                        "Layer version %.*s does not exist.", STR_ARG(lam_layer_arn(n, c->arena)));
    p->key = lam_layer_key(n, c->arena);
    lam_policy_read(c, p);
    return true;
}

enum call_status lam_add_layer_version_permission(struct call *c)
{
    struct lam_layer_name n;
    struct lam_policy p;
    struct str revision, sid = text_of(c, "StatementId"), principal = text_of(c, "Principal");
    struct str organization = text_of(c, "OrganizationId");
    struct buf *b = arena_new_buf(c->arena, 64 * 1024);
    struct json_out w;
    if (!find_policy(c, &n, &p))
        return CALL_FAILED;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "Sid", sid);
    json_cstr(&w, "Effect", "Allow");
    if (lam_is_number(principal)) {
        json_obj(&w, "Principal");
        json_str(&w, "AWS", arena_fmt(c->arena, "arn:aws:iam::%.*s:root", STR_ARG(principal)));
        json_end(&w);
    } else {
        json_str(&w, "Principal", principal);
    }
    json_str(&w, "Action", text_of(c, "Action"));
    json_str(&w, "Resource", lam_layer_arn(&n, c->arena));
    if (organization.n > 0) {
        json_obj(&w, "Condition");
        json_obj(&w, "StringEquals");
        json_str(&w, "aws:PrincipalOrgID", organization);
        json_end(&w);
        json_end(&w);
    }
    json_end(&w);
    if (!lam_policy_add(c, &p, sid, buf_view(b), &revision))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "RevisionId", revision);
    json_str(&c->out, "Statement", buf_view(b));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_get_layer_version_policy(struct call *c)
{
    struct lam_layer_name n;
    struct lam_policy p;
    if (!find_policy(c, &n, &p))
        return CALL_FAILED;
    if (!jval_present(p.doc))
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException,
                         "No policy is associated with the given resource.");
    lam_policy_reply(c, &p);
    return CALL_DONE;
}

enum call_status lam_remove_layer_version_permission(struct call *c)
{
    struct lam_layer_name n;
    struct lam_policy p;
    return find_policy(c, &n, &p) && lam_policy_check_revision(c, &p) &&
                   lam_policy_remove(c, &p, text_of(c, "StatementId"))
               ? CALL_DONE
               : CALL_FAILED;
}
