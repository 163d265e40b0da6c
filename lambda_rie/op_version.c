/* Published versions. A version is a function record of its own, with its own code folder reference
 * and pool, so that whatever runs or reads a function can do so with a version. */
#include "clock.h"
#include "codec.h"
#include "docs.h"
#include "function.h"
#include "hash.h"
#include "ids.h"

enum { PAGE_MAX = 50 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

/* A digest of everything that a version keeps: two publications of the same make one version. */
static struct str content_of(const struct lam_function *f, struct arena *a)
{
    const struct str parts[] = {
        f->runtime,       f->handler,          f->role,         f->description, f->env_json,
        f->layers_json,   f->dead_letter,      f->architecture, f->log_format,  f->log_group,
        f->app_log_level, f->system_log_level, f->tracing,      f->kms_key,     f->snap_start,
        f->code_dir,      f->code_sha256};
    struct buf *b = arena_new_buf(a, 32 << 20);
    uint8_t sha[32];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        /* the folder counts only where there is no digest of the code: local functions */
        if (parts[i].p == f->code_dir.p && f->code_sha256.n > 0)
            continue;
        buf_addf(b, "%zu:", parts[i].n);
        buf_add(b, parts[i]);
    }
    buf_addf(b, "%lld,%lld,%lld", (long long)f->timeout_s, (long long)f->memory_mb,
             (long long)f->ephemeral_mb);
    hash_sha256(buf_view(b), sha);
    return codec_hex(a, (struct str){(const char *)sha, sizeof sha});
}

static struct lam_function *newest_version(struct rie *r, const struct lam_function *latest,
                                           struct arena *a)
{
    struct lam_function **all;
    size_t n =
        lam_functions_sorted(r, latest->account, latest->region, latest->name, true, a, &all);
    return n > 1 ? all[n - 1] : NULL;
}

static struct lam_function *new_version(const struct lam_function *latest, struct str content,
                                        struct str description)
{
    struct lam_function *v = lam_function_copy(latest);
    char uuid[37];
    ids_uuid(uuid);
    v->pool = NULL;
    v->version = arena_fmt(v->mem, "%lld", (long long)latest->last_version + 1);
    v->id = arena_fmt(v->mem, "%.*s:%.*s", STR_ARG(v->name), STR_ARG(v->version));
    v->content_id = arena_str(v->mem, content);
    v->revision_id = arena_str(v->mem, str_c(uuid));
    v->tags_json = STR_NONE;
    v->reserved = -1;
    if (description.p != NULL)
        v->description = arena_str(v->mem, description);
    return v;
}

struct lam_function *lam_version_publish(struct rie *r, const struct lam_function *latest,
                                         struct str description, struct arena *a,
                                         struct aws_err *err)
{
    struct str content = content_of(latest, a);
    struct lam_function *last = newest_version(r, latest, a);
    if (last != NULL && str_eq(last->content_id, content))
        return last;
    struct lam_function *v = new_version(latest, content, description);
    struct lam_function *counted = lam_function_copy(latest);
    counted->last_version++;
    if (!lam_function_save(r, counted, LAM_CHANGE_NOTES)) {
        lam_function_free(counted);
        lam_function_free(v);
        aws_fail(err, a, &LAMBDA_ServiceException, "The version could not be stored.");
        return NULL;
    }
    if (!lam_function_save(r, v, LAM_CHANGE_RUNNING)) {
        lam_function_free(v);
        aws_fail(err, a, &LAMBDA_ServiceException, "The version could not be stored.");
        return NULL;
    }
    return v;
}

enum call_status lam_publish_version(struct call *c)
{
    struct str revision = jval_text(jval_get(c->in, "RevisionId"), c->arena);
    struct str sha = jval_text(jval_get(c->in, "CodeSha256"), c->arena);
    struct jval description = jval_get(c->in, "Description");
    struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL || !lam_check_settled(c, f) || !lam_check_revision(c, revision, f->revision_id))
        return CALL_FAILED;
    if (sha.n > 0 && !str_eq(sha, f->code_sha256))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST "
                         "(%.*s). Please try again with the CodeSHA256 in $LATEST.",
                         STR_ARG(sha), STR_ARG(f->code_sha256));
    struct lam_function *v = lam_version_publish(
        rie_of(c), f, jval_present(description) ? jval_text(description, c->arena) : STR_NONE,
        c->arena, &c->err);
    if (v == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    lam_function_write(v, LAM_SHOW_ACTIVE, true, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_versions_by_function(struct call *c)
{
    struct lam_function **all, *f = lam_latest_of_call(c);
    struct str after;
    size_t limit, given = 0;
    if (f == NULL || !lam_page_read(c, PAGE_MAX, &after, &limit))
        return CALL_FAILED;
    size_t n =
        lam_functions_sorted(rie_of(c), f->account, f->region, f->name, true, c->arena, &all);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Versions");
    size_t i = 0;
    while (i < n && after.n > 0 && !str_eq(all[i]->version, after))
        i++;
    for (i += after.n > 0; i < n && given < limit; i++, given++) {
        json_obj(&c->out, NULL);
        lam_function_write(all[i], LAM_SHOW_LISTED, true, &c->out);
        json_end(&c->out);
    }
    lam_page_end(c, &(struct lam_page){
                        .next = i < n ? lam_page_marker(c->arena, all[i - 1]->version) : STR_NONE});
    return CALL_DONE;
}

/* ---- DeleteFunction with a qualifier ---- */

/* "[a, b]": the aliases that lead to the version; empty: none do. */
static struct str aliases_of(struct call *c, const struct lam_target *t)
{
    struct lam_doc *docs;
    struct str prefix = lam_doc_key(c->arena, t->account, t->region, "%.*s/", STR_ARG(t->name));
    size_t n = lam_doc_list(rie_of(c), DOC_ALIAS, prefix, STR_NONE, SIZE_MAX, c->arena, &docs);
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        struct jval weights =
            jval_get(jval_get(docs[i].v, "RoutingConfig"), "AdditionalVersionWeights");
        struct str main = jval_text(jval_get(docs[i].v, "FunctionVersion"), c->arena);
        if (str_eq(main, t->qualifier) ||
            jval_kind(jval_get_str(weights, t->qualifier)) != JSON_MISSING) {
            buf_add(b, b->n == 0 ? STR("[") : STR(", "));
            buf_add(b, jval_text(jval_get(docs[i].v, "Name"), c->arena));
        }
    }
    if (b->n > 0)
        buf_addc(b, ']');
    return buf_view(b);
}

/* What belongs to one qualifier of a function. */
bool lam_qualifier_delete(struct rie *r, const struct lam_target *t, struct arena *a)
{
    static const char *const kinds[] = {DOC_POLICY, DOC_INVOKE, DOC_PROVISIONED};
    struct str key =
        lam_doc_key(a, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name), STR_ARG(t->qualifier));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!lam_doc_del(r, kinds[i], key))
            return false;
    }
    return true;
}

enum call_status lam_version_delete(struct call *c, const struct lam_target *t)
{
    if (t->is_alias)
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "Deletion of aliases is not currently supported."); /* unverified */
    struct str aliases = aliases_of(c, t);
    if (aliases.n > 0)
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException,
                         "Unable to delete version because the following aliases reference it: "
                         "%.*s",
                         STR_ARG(aliases));
    c->out_status = 204; /* also when there is no such version */
    if (t->f != NULL &&
        (!lam_qualifier_delete(rie_of(c), t, c->arena) || !lam_function_delete(rie_of(c), t->f)))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The version could not be deleted.");
    return CALL_DONE;
}
