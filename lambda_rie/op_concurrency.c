/* Reserved concurrency of functions, provisioned concurrency of versions and aliases, and the
 * account's limits. What is provisioned on an alias is kept warm by the version it leads to. */
#include "clock.h"
#include "layers.h"
#include "seam.h"

enum { ACCOUNT_MAX = 1000, UNRESERVED_MIN = 100, PAGE_MAX = 50 };
#define CODE_TOTAL_MAX INT64_C(80530636800) /* 75 GB */

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static bool is_latest(struct str qualifier)
{
    return str_eq_c(qualifier, "$LATEST");
}

/* ---- sums ---- */

/* What is provisioned for f's function; without, if not empty, is left out. */
static int64_t provisioned_sum(struct rie *r, struct str account, struct str region,
                               struct str name, struct str without, struct arena *a)
{
    struct lam_doc *docs;
    struct str prefix = lam_doc_key(a, account, region, "%.*s/", STR_ARG(name));
    size_t n = lam_doc_list(r, DOC_PROVISIONED, prefix, STR_NONE, SIZE_MAX, a, &docs);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t requested = 0;
        jval_i64(jval_get(docs[i].v, "Requested"), &requested);
        if (without.n == 0 || !str_eq(str_sub(docs[i].key, prefix.n, docs[i].key.n), without))
            sum += requested;
    }
    return sum;
}

/* What all functions but one take from the account's 1000. */
static int64_t taken_by_others(struct rie *r, struct str account, struct str region,
                               struct str name, struct arena *a)
{
    struct lam_function **all;
    size_t n = lam_functions_sorted(r, account, region, STR_NONE, false, a, &all);
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (name.n > 0 && str_eq(all[i]->name, name))
            continue;
        /* what is provisioned comes out of the function's reservation, where it has one */
        sum += all[i]->reserved >= 0
                   ? all[i]->reserved
                   : provisioned_sum(r, account, region, all[i]->name, STR_NONE, a);
    }
    return sum;
}

/* ---- reserved ---- */

static bool set_reserved(struct call *c, const struct lam_function *f, int64_t reserved)
{
    struct lam_function *next = lam_function_copy(f);
    next->reserved = reserved;
    if (!lam_function_save(rie_of(c), next, LAM_CHANGE_NOTES)) {
        lam_function_free(next);
        return aws_fail(&c->err, c->arena, &LAMBDA_ServiceException,
                        "The concurrency could not be stored.");
    }
    lam_pool_set_reserved(rie_of(c), next->account, next->region, next->name, reserved);
    return true;
}

static void write_reserved(const struct lam_function *f, struct json_out *w)
{
    json_obj(w, NULL);
    if (f->reserved >= 0)
        json_i64(w, "ReservedConcurrentExecutions", f->reserved);
    json_end(w);
}

enum call_status lam_put_function_concurrency(struct call *c)
{
    struct lam_target t;
    int64_t wanted = 0;
    jval_i64(jval_get(c->in, "ReservedConcurrentExecutions"), &wanted);
    if (!lam_check_unqualified(c) || !lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL) {
        t.qualifier = STR("$LATEST");
        lam_target_missing(&t, c->arena, &c->err);
        return CALL_FAILED;
    }
    if (ACCOUNT_MAX - taken_by_others(rie_of(c), t.account, t.region, t.name, c->arena) - wanted <
        UNRESERVED_MIN)
        return CALL_FAIL(c, &lam_invalid_untyped,
                         "Specified ReservedConcurrentExecutions for function decreases account's "
                         "UnreservedConcurrentExecution below its minimum value of [%d].",
                         UNRESERVED_MIN);
    int64_t provisioned =
        provisioned_sum(rie_of(c), t.account, t.region, t.name, STR_NONE, c->arena);
    if (provisioned > wanted)
        return CALL_FAIL(c, &lam_invalid_untyped,
                         " ReservedConcurrentExecutions  %lld should not be lower than function's "
                         "total provisioned concurrency [%lld].",
                         (long long)wanted, (long long)provisioned);
    if (!set_reserved(c, t.latest, wanted))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_i64(&c->out, "ReservedConcurrentExecutions", wanted);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_get_function_concurrency(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    write_reserved(f, &c->out);
    return CALL_DONE;
}

enum call_status lam_delete_function_concurrency(struct call *c)
{
    struct lam_function *f = lam_check_unqualified(c) ? lam_latest_of_call(c) : NULL;
    c->out_status = 204;
    return f != NULL && set_reserved(c, f, -1) ? CALL_DONE : CALL_FAILED;
}

/* ---- provisioned ---- */

/* The version's own number of environments: what its configuration and those of the aliases that
 * lead to it ask for. */
static bool apply_provisioned(struct rie *r, const struct lam_function *latest, struct str version,
                              struct arena *a)
{
    struct lam_function *v = lam_function_find_version(r, latest, version);
    struct str prefix =
        lam_doc_key(a, latest->account, latest->region, "%.*s/", STR_ARG(latest->name));
    struct lam_doc *docs;
    size_t n = lam_doc_list(r, DOC_PROVISIONED, prefix, STR_NONE, SIZE_MAX, a, &docs);
    int64_t sum = 0;
    if (v == NULL)
        return true;
    for (size_t i = 0; i < n; i++) {
        struct str qualifier = str_sub(docs[i].key, prefix.n, docs[i].key.n);
        struct jval alias;
        int64_t requested = 0;
        if (!lam_is_number(qualifier) && lam_doc_get(r, DOC_ALIAS, docs[i].key, a, &alias))
            qualifier = jval_text(jval_get(alias, "FunctionVersion"), a);
        jval_i64(jval_get(docs[i].v, "Requested"), &requested);
        if (str_eq(qualifier, version))
            sum += requested;
    }
    if (v->provisioned == sum)
        return true;
    struct lam_function *next = lam_function_copy(v);
    next->provisioned = sum;
    if (!lam_function_save(r, next, LAM_CHANGE_NOTES)) {
        lam_function_free(next);
        return false;
    }
    lam_pool_set_provisioned(r, next, (size_t)sum);
    return true;
}

bool lam_provisioned_follow(struct rie *r, const struct lam_function *latest, struct str alias,
                            struct str before, struct str now, struct arena *a)
{
    struct jval doc;
    struct str key = lam_doc_key(a, latest->account, latest->region, "%.*s/%.*s",
                                 STR_ARG(latest->name), STR_ARG(alias));
    return !lam_doc_get(r, DOC_PROVISIONED, key, a, &doc) ||
           (apply_provisioned(r, latest, before, a) && apply_provisioned(r, latest, now, a));
}

/* The version that a qualifier stands for first. */
static struct str version_of(struct rie *r, const struct lam_function *latest, struct str qualifier,
                             struct arena *a)
{
    struct jval alias;
    struct str key = lam_doc_key(a, latest->account, latest->region, "%.*s/%.*s",
                                 STR_ARG(latest->name), STR_ARG(qualifier));
    return !lam_is_number(qualifier) && lam_doc_get(r, DOC_ALIAS, key, a, &alias)
               ? jval_text(jval_get(alias, "FunctionVersion"), a)
               : qualifier;
}

bool lam_provisioned_drop(struct rie *r, const struct lam_function *latest, struct str qualifier,
                          struct arena *a)
{
    struct jval doc;
    struct str key = lam_doc_key(a, latest->account, latest->region, "%.*s/%.*s",
                                 STR_ARG(latest->name), STR_ARG(qualifier));
    if (!lam_doc_get(r, DOC_PROVISIONED, key, a, &doc))
        return true;
    return lam_doc_del(r, DOC_PROVISIONED, key) &&
           apply_provisioned(r, latest, version_of(r, latest, qualifier, a), a);
}

/* The target of c, which must be an alias or a version that exists. */
static bool find(struct call *c, const char *latest_text, struct lam_target *ret)
{
    if (!lam_target_of_call(c, ret))
        return false;
    if (is_latest(ret->qualifier))
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException, "%s",
                        latest_text);
    if (ret->is_alias && ret->f == ret->latest) /* unverified: an alias of $LATEST */
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException, "%s",
                        latest_text);
    if (ret->f != NULL && (ret->is_alias || lam_is_number(ret->qualifier)))
        return true;
    if (lam_is_number(ret->qualifier))
        return lam_target_missing(ret, c->arena, &c->err);
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "Cannot find alias arn: %.*s", STR_ARG(lam_target_arn(ret, c->arena)));
}

static const char need_version[] =
    "The function resource provided must be an alias or a published version.";

static struct str key_of(const struct lam_target *t, struct arena *a)
{
    return lam_doc_key(a, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name),
                       STR_ARG(t->qualifier));
}

static void write_provisioned(struct rie *r, const struct lam_function *latest,
                              struct str qualifier, struct jval doc, struct arena *a,
                              struct json_out *w)
{
    const struct lam_function *v =
        lam_function_find_version(r, latest, version_of(r, latest, qualifier, a));
    bool failed = false;
    int64_t requested = 0;
    jval_i64(jval_get(doc, "Requested"), &requested);
    int64_t ready = v == NULL ? 0 : (int64_t)lam_pool_provisioned_ready(v->pool, &failed);
    ready = ready > requested ? requested : ready;
    failed = failed && ready < requested;
    json_i64(w, "RequestedProvisionedConcurrentExecutions", requested);
    json_i64(w, "AvailableProvisionedConcurrentExecutions", ready);
    json_i64(w, "AllocatedProvisionedConcurrentExecutions", ready);
    json_cstr(w, "Status", failed ? "FAILED" : ready == requested ? "READY" : "IN_PROGRESS");
    if (failed)
        json_cstr(w, "StatusReason", "FUNCTION_ERROR_INIT_FAILURE");
    json_str(w, "LastModified", jval_text(jval_get(doc, "LastModified"), a));
}

/* Is there a configuration on the other side: on an alias of this version, or on the version of
 * this alias? */
static bool check_other_side(struct call *c, const struct lam_target *t)
{
    struct rie *r = rie_of(c);
    struct str prefix = lam_doc_key(c->arena, t->account, t->region, "%.*s/", STR_ARG(t->name));
    struct lam_doc *docs;
    size_t n = lam_doc_list(r, DOC_PROVISIONED, prefix, STR_NONE, SIZE_MAX, c->arena, &docs);
    struct str version = version_of(r, t->latest, t->qualifier, c->arena);
    for (size_t i = 0; i < n; i++) {
        struct str other = str_sub(docs[i].key, prefix.n, docs[i].key.n);
        if (t->is_alias && str_eq(other, version))
            return aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                            "Alias can't be used for Provisioned Concurrency configuration on an "
                            "already Provisioned version");
        if (!t->is_alias && !lam_is_number(other) &&
            str_eq(version_of(r, t->latest, other, c->arena), version))
            return aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                            "Version is pointed by a Provisioned Concurrency alias");
    }
    return true;
}

static bool check_provisioned(struct call *c, const struct lam_target *t, int64_t wanted)
{
    struct rie *r = rie_of(c);
    int64_t others = provisioned_sum(r, t->account, t->region, t->name, t->qualifier, c->arena);
    if (t->latest->reserved >= 0 && t->latest->reserved < others + wanted)
        return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                        "Requested Provisioned Concurrency should not be greater than the "
                        "reservedConcurrentExecution for function");
    int64_t unreserved =
        ACCOUNT_MAX - taken_by_others(r, t->account, t->region, t->name, c->arena) - others;
    if (t->latest->reserved >= 0) /* it is inside of what is reserved already */
        return check_other_side(c, t);
    if (wanted > unreserved)
        return aws_fail(&c->err, c->arena, &lam_invalid_untyped,
                        "Specified ConcurrentExecutions for function is greater than account's "
                        "unreserved concurrency [%lld].",
                        (long long)unreserved);
    if (unreserved - wanted < UNRESERVED_MIN)
        return aws_fail(&c->err, c->arena, &lam_invalid_untyped,
                        "Specified ConcurrentExecutions for function decreases account's "
                        "UnreservedConcurrentExecution below its minimum value of [%d].",
                        UNRESERVED_MIN);
    return check_other_side(c, t);
}

enum call_status lam_put_provisioned_concurrency_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    int64_t wanted = 0;
    jval_i64(jval_get(c->in, "ProvisionedConcurrentExecutions"), &wanted);
    if (!find(c,
              "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
              &t) ||
        !check_provisioned(c, &t, wanted))
        return CALL_FAILED;
    struct str key = key_of(&t, c->arena);
    struct buf *b = arena_new_buf(c->arena, 4096);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_i64(&w, "Requested", wanted);
    json_str(&w, "LastModified", lam_date(c->arena));
    json_end(&w);
    if (!lam_doc_put(rie_of(c), DOC_PROVISIONED, key, b) ||
        !apply_provisioned(rie_of(c), t.latest,
                           version_of(rie_of(c), t.latest, t.qualifier, c->arena), c->arena))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The concurrency could not be stored.");
    lam_doc_get(rie_of(c), DOC_PROVISIONED, key, c->arena, &doc);
    json_obj(&c->out, NULL);
    json_i64(&c->out, "RequestedProvisionedConcurrentExecutions", wanted);
    json_i64(&c->out, "AvailableProvisionedConcurrentExecutions", 0);
    json_i64(&c->out, "AllocatedProvisionedConcurrentExecutions", 0);
    json_cstr(&c->out, "Status", "IN_PROGRESS");
    json_str(&c->out, "LastModified", jval_text(jval_get(doc, "LastModified"), c->arena));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_get_provisioned_concurrency_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find(c, need_version, &t))
        return CALL_FAILED;
    if (!lam_doc_get(rie_of(c), DOC_PROVISIONED, key_of(&t, c->arena), c->arena, &doc))
        return CALL_FAIL(c, &LAMBDA_ProvisionedConcurrencyConfigNotFoundException,
                         "No Provisioned Concurrency Config found for this function");
    json_obj(&c->out, NULL);
    write_provisioned(rie_of(c), t.latest, t.qualifier, doc, c->arena, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_delete_provisioned_concurrency_config(struct call *c)
{
    struct lam_target t;
    if (!find(c, need_version, &t))
        return CALL_FAILED;
    if (!lam_provisioned_drop(rie_of(c), t.latest, t.qualifier, c->arena))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The concurrency could not be stored.");
    c->out_status = 204; /* also when there was none */
    return CALL_DONE;
}

enum call_status lam_list_provisioned_concurrency_configs(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    struct lam_page page;
    if (f == NULL)
        return CALL_FAILED;
    struct str prefix = lam_doc_key(c->arena, f->account, f->region, "%.*s/", STR_ARG(f->name));
    if (!lam_doc_page(c, DOC_PROVISIONED, prefix, PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "ProvisionedConcurrencyConfigs");
    for (size_t i = 0; i < page.count; i++) {
        struct str qualifier = str_sub(page.docs[i].key, prefix.n, page.docs[i].key.n);
        json_obj(&c->out, NULL);
        json_str(&c->out, "FunctionArn",
                 arena_fmt(c->arena, "%.*s:%.*s", STR_ARG(f->arn), STR_ARG(qualifier)));
        write_provisioned(rie_of(c), f, qualifier, page.docs[i].v, c->arena, &c->out);
        json_end(&c->out);
    }
    lam_page_end(c, &page);
    return CALL_DONE;
}

/* ---- the account ---- */

enum call_status lam_get_account_settings(struct call *c)
{
    struct lam_function **all;
    struct rie *r = rie_of(c);
    size_t n = lam_functions_sorted(r, c->account, c->region, STR_NONE, true, c->arena, &all);
    int64_t code = lam_layers_size(r, c->account, c->region, c->arena), functions = 0;
    for (size_t i = 0; i < n; i++) {
        code += all[i]->code_size;
        functions += !lam_function_is_version(all[i]);
    }
    json_obj(&c->out, NULL);
    json_obj(&c->out, "AccountLimit");
    json_i64(&c->out, "TotalCodeSize", CODE_TOTAL_MAX);
    json_i64(&c->out, "CodeSizeUnzipped", 262144000);
    json_i64(&c->out, "CodeSizeZipped", 52428800);
    json_i64(&c->out, "ConcurrentExecutions", ACCOUNT_MAX);
    json_i64(&c->out, "UnreservedConcurrentExecutions",
             ACCOUNT_MAX - taken_by_others(r, c->account, c->region, STR_NONE, c->arena));
    json_end(&c->out);
    json_obj(&c->out, "AccountUsage");
    json_i64(&c->out, "TotalCodeSize", code);
    json_i64(&c->out, "FunctionCount", functions);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}
