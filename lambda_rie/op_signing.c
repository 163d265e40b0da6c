/* Code signing configurations: kept and given back. Packages are not signed here, so nothing is
 * verified against them. */
#include "arn.h"
#include "docs.h"
#include "function.h"
#include "ids.h"

enum { PAGE_MAX = 50, ID_ALNUM = 17 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

/* The key of the configuration with this ARN. */
static struct str key_of(struct str text, struct arena *a)
{
    struct arn arn;
    if (!arn_parse(text, &arn) || !str_starts(arn.resource, STR("code-signing-config:")))
        return STR("none");
    return lam_doc_key(
        a, arn.account, arn.region, "%.*s",
        STR_ARG(str_sub(arn.resource, sizeof "code-signing-config:" - 1, arn.resource.n)));
}

bool lam_signing_exists(struct rie *r, struct str arn, struct arena *a)
{
    struct jval doc;
    return lam_doc_get(r, DOC_SIGNING, key_of(arn, a), a, &doc);
}

static bool not_there(struct call *c, struct str arn)
{
    /* recorded without a Type member */
    static const struct aws_err_kind missing = {"ResourceNotFoundException", "", 404, true, NULL};
    return aws_fail(&c->err, c->arena, &missing,
                    "The Lambda code signing configuration %.*s can not be found.", STR_ARG(arn));
}

static bool find(struct call *c, struct jval *ret)
{
    struct str arn = text_of(c, "CodeSigningConfigArn");
    return lam_doc_get(rie_of(c), DOC_SIGNING, key_of(arn, c->arena), c->arena, ret) ||
           not_there(c, arn);
}

/* Stores what c gives over what before (MISSING: nothing) has, and replies with it. */
static enum call_status store(struct call *c, struct str arn, struct str id, struct jval before)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct jval publishers = jval_get(c->in, "AllowedPublishers"),
                policies = jval_get(c->in, "CodeSigningPolicies"),
                description = jval_get(c->in, "Description");
    struct json_out w;
    if (!jval_present(publishers))
        publishers = jval_get(before, "AllowedPublishers");
    if (!jval_present(policies))
        policies = jval_get(before, "CodeSigningPolicies");
    if (!jval_present(description))
        description = jval_get(before, "Description");
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_copy(&w, "AllowedPublishers", publishers);
    json_str(&w, "CodeSigningConfigArn", arn);
    json_str(&w, "CodeSigningConfigId", id);
    if (jval_present(policies)) {
        json_copy(&w, "CodeSigningPolicies", policies);
    } else {
        json_obj(&w, "CodeSigningPolicies");
        json_cstr(&w, "UntrustedArtifactOnDeployment", "Warn");
        json_end(&w);
    }
    if (jval_present(description))
        json_copy(&w, "Description", description);
    json_str(&w, "LastModified", lam_date(c->arena));
    json_end(&w);
    if (b->overflow || !lam_doc_put(rie_of(c), DOC_SIGNING, key_of(arn, c->arena), b))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The configuration could not be stored.");
    json_obj(&c->out, NULL);
    json_raw(&c->out, "CodeSigningConfig", buf_view(b));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_create_code_signing_config(struct call *c)
{
    char id[ID_ALNUM + 5] = "csc-";
    ids_hex(id + 4, ID_ALNUM);
    struct str arn = arn_format(c->arena, "lambda", c->region, c->account,
                                arena_fmt(c->arena, "code-signing-config:%s", id));
    return store(c, arn, str_c(id), (struct jval){0});
}

enum call_status lam_get_code_signing_config(struct call *c)
{
    struct jval doc;
    if (!find(c, &doc))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_copy(&c->out, "CodeSigningConfig", doc);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_update_code_signing_config(struct call *c)
{
    struct jval doc;
    if (!find(c, &doc))
        return CALL_FAILED;
    return store(c, text_of(c, "CodeSigningConfigArn"),
                 jval_text(jval_get(doc, "CodeSigningConfigId"), c->arena), doc);
}

/* The functions that use the configuration, in the order of their names. */
static size_t users(struct call *c, struct lam_function ***ret)
{
    struct str arn = text_of(c, "CodeSigningConfigArn");
    size_t n =
        lam_functions_sorted(rie_of(c), c->account, c->region, STR_NONE, false, c->arena, ret);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (str_eq((*ret)[i]->signing_arn, arn))
            (*ret)[kept++] = (*ret)[i];
    }
    return kept;
}

enum call_status lam_delete_code_signing_config(struct call *c)
{
    struct jval doc;
    struct lam_function **all;
    struct str arn = text_of(c, "CodeSigningConfigArn");
    if (!find(c, &doc))
        return CALL_FAILED;
    if (users(c, &all) > 0)
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException,
                         "The code signing configuration is in use."); /* unverified */
    if (!lam_doc_del(rie_of(c), DOC_SIGNING, key_of(arn, c->arena)))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The configuration could not be deleted.");
    json_obj(&c->out, NULL);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_code_signing_configs(struct call *c)
{
    struct lam_page page;
    struct str prefix = arena_fmt(c->arena, "%.*s/%.*s/", STR_ARG(c->account), STR_ARG(c->region));
    if (!lam_doc_page(c, DOC_SIGNING, prefix, PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "CodeSigningConfigs");
    for (size_t i = 0; i < page.count; i++)
        json_raw(&c->out, NULL, page.docs[i].text);
    lam_page_end(c, &page);
    return CALL_DONE;
}

enum call_status lam_list_functions_by_code_signing_config(struct call *c)
{
    struct jval doc;
    struct lam_function **all;
    struct str after;
    size_t limit, given = 0, i = 0;
    if (!find(c, &doc) || !lam_page_read(c, PAGE_MAX, &after, &limit))
        return CALL_FAILED;
    size_t n = users(c, &all);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "FunctionArns");
    while (i < n && after.n > 0 && str_cmp(all[i]->name, after) <= 0)
        i++;
    for (; i < n && given < limit; i++, given++)
        json_str(&c->out, NULL, all[i]->arn);
    lam_page_end(c, &(struct lam_page){.next = i < n ? lam_page_marker(c->arena, all[i - 1]->name)
                                                     : STR_NONE});
    return CALL_DONE;
}

/* ---- of functions ---- */

static enum call_status set_signing(struct call *c, const struct lam_function *f, struct str arn)
{
    struct lam_function *next = lam_function_copy(f);
    next->signing_arn = arena_str(next->mem, arn);
    if (lam_function_save(rie_of(c), next, LAM_CHANGE_NOTES))
        return CALL_DONE;
    lam_function_free(next);
    return CALL_FAIL(c, &LAMBDA_ServiceException, "The configuration could not be stored.");
}

static void reply_function(struct call *c, const struct lam_function *f, struct str arn)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "CodeSigningConfigArn", arn);
    json_str(&c->out, "FunctionName", f->name);
    json_end(&c->out);
}

enum call_status lam_put_function_code_signing_config(struct call *c)
{
    struct str arn = text_of(c, "CodeSigningConfigArn");
    if (!lam_signing_exists(rie_of(c), arn, c->arena))
        return CALL_FAIL(c, &LAMBDA_CodeSigningConfigNotFoundException,
                         "The code signing configuration cannot be found. Check that the provided "
                         "configuration is not deleted: %.*s.",
                         STR_ARG(arn));
    struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    reply_function(c, f, arn);
    return set_signing(c, f, arn);
}

enum call_status lam_get_function_code_signing_config(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    if (f->signing_arn.n > 0) {
        reply_function(c, f, f->signing_arn);
    } else {
        json_obj(&c->out, NULL);
        json_end(&c->out);
    }
    return CALL_DONE;
}

enum call_status lam_delete_function_code_signing_config(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    return f == NULL ? CALL_FAILED : set_signing(c, f, STR(""));
}
