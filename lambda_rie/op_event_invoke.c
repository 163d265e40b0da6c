/* What happens to asynchronous invocations: retries, age and destinations, for a function or one
 * of its qualifiers. */
#include "arn.h"
#include "docs.h"
#include "seam.h"

enum { PAGE_MAX = 50, RETRIES_DEFAULT = 2, AGE_DEFAULT = 21600 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str key_of(const struct lam_target *t, struct arena *a)
{
    return lam_doc_key(a, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name),
                       STR_ARG(t->qualifier));
}

/* The target of c with its qualifier written out. */
static bool find(struct call *c, struct lam_target *ret)
{
    if (!lam_target_of_call(c, ret))
        return false;
    if (ret->qualifier.n == 0)
        ret->qualifier = STR("$LATEST");
    return true;
}

static bool no_config(struct call *c, const struct lam_target *t)
{
    return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                    "The function %.*s doesn't have an EventInvokeConfig",
                    STR_ARG(lam_target_arn(t, c->arena)));
}

/* ---- destinations ---- */

static struct str destination(struct jval config, const char *on, struct arena *a)
{
    return jval_text(jval_get(jval_get(config, on), "Destination"), a);
}

/* *ret_known: it is the ARN of a service that can be a destination. */
static bool check_destination(struct call *c, const struct lam_target *t, struct str text,
                              bool *ret_known)
{
    static const char *const services[] = {"sqs", "sns", "events", "s3"};
    const struct aws_err_kind *bad = &LAMBDA_InvalidParameterValueException;
    struct arn arn;
    struct lam_name n;
    if (text.n == 0)
        return true;
    if (!arn_parse(text, &arn)) {
        *ret_known = false;
        return true;
    }
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (str_eq_c(arn.service, services[i]))
            return true;
    }
    if (!str_eq_c(arn.service, "lambda")) {
        *ret_known = false;
        return true;
    }
    if (!lam_name_parse(text, &n) ||
        lam_function_find(rie_of(c), t->account, t->region, n.name) == NULL)
        return aws_fail(&c->err, c->arena, bad, "The destination ARN %.*s is invalid.",
                        STR_ARG(text));
    return !str_eq(n.name, t->name) ||
           aws_fail(&c->err, c->arena, bad,
                    "You can't specify the function as a destination for itself.");
}

bool lam_destinations_check(struct call *c, const struct lam_target *t, struct jval config)
{
    struct str failure = destination(config, "OnFailure", c->arena);
    struct str success = destination(config, "OnSuccess", c->arena);
    bool known = true;
    if (!check_destination(c, t, failure, &known) || !check_destination(c, t, success, &known))
        return false;
    if (known)
        return true;
    struct str on_success =
        success.n > 0 ? arena_fmt(c->arena, "OnSuccess(destination=%.*s)", STR_ARG(success))
                      : STR("null");
    struct str on_failure =
        failure.n > 0 ? arena_fmt(c->arena, "OnFailure(destination=%.*s)", STR_ARG(failure))
                      : STR("null");
    return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                    "The provided destination config DestinationConfig(onSuccess=%.*s, "
                    "onFailure=%.*s) is invalid.",
                    STR_ARG(on_success), STR_ARG(on_failure));
}

static void write_destination(struct json_out *w, const char *on, struct str arn)
{
    json_obj(w, on);
    if (arn.n > 0)
        json_str(w, "Destination", arn);
    json_end(w);
}

/* ---- put, update ---- */

/* Of two values the one that is there. */
static struct jval either(struct jval first, struct jval second)
{
    return jval_present(first) ? first : second;
}

/* Both documents and replies: the members of c over those of before (MISSING: none). */
static struct buf *build(struct call *c, const struct lam_target *t, struct jval before)
{
    struct buf *b = arena_new_buf(c->arena, 64 * 1024);
    struct json_out w;
    struct jval config =
        either(jval_get(c->in, "DestinationConfig"), jval_get(before, "DestinationConfig"));
    static const char *const numbers[] = {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"};
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_obj(&w, "DestinationConfig");
    write_destination(&w, "OnFailure", destination(config, "OnFailure", c->arena));
    write_destination(&w, "OnSuccess", destination(config, "OnSuccess", c->arena));
    json_end(&w);
    json_str(&w, "FunctionArn", lam_target_arn(t, c->arena));
    json_double(&w, "LastModified", (double)c->now_ms / 1000);
    for (size_t i = 0; i < 2; i++) {
        struct jval v = either(jval_get(c->in, numbers[i]), jval_get(before, numbers[i]));
        if (jval_present(v))
            json_copy(&w, numbers[i], v);
    }
    json_end(&w);
    return b;
}

static enum call_status store(struct call *c, bool update)
{
    struct lam_target t;
    struct jval before = {0};
    if (!jval_present(jval_get(c->in, "MaximumEventAgeInSeconds")) &&
        !jval_present(jval_get(c->in, "MaximumRetryAttempts")) &&
        !jval_present(jval_get(c->in, "DestinationConfig")))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "You must specify at least one of error handling or destination setting.");
    if (!find(c, &t))
        return CALL_FAILED;
    if (t.f == NULL)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException, "The function doesn't exist.");
    if (update && !lam_doc_get(rie_of(c), DOC_INVOKE, key_of(&t, c->arena), c->arena, &before))
        return no_config(c, &t), CALL_FAILED;
    if (!lam_destinations_check(c, &t, jval_get(c->in, "DestinationConfig")))
        return CALL_FAILED;
    struct buf *b = build(c, &t, before);
    if (!lam_doc_put(rie_of(c), DOC_INVOKE, key_of(&t, c->arena), b))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The configuration could not be stored.");
    json_raw(&c->out, NULL, buf_view(b));
    return CALL_DONE;
}

enum call_status lam_put_function_event_invoke_config(struct call *c)
{
    return store(c, false);
}

enum call_status lam_update_function_event_invoke_config(struct call *c)
{
    return store(c, true);
}

/* ---- get, delete, list ---- */

/* The target of c and its configuration, which must exist. */
static bool find_config(struct call *c, struct lam_target *t, struct jval *ret)
{
    return find(c, t) && (lam_doc_get(rie_of(c), DOC_INVOKE, key_of(t, c->arena), c->arena, ret) ||
                          no_config(c, t));
}

enum call_status lam_get_function_event_invoke_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find_config(c, &t, &doc))
        return CALL_FAILED;
    json_copy(&c->out, NULL, doc);
    return CALL_DONE;
}

enum call_status lam_delete_function_event_invoke_config(struct call *c)
{
    struct lam_target t;
    struct jval doc;
    if (!find_config(c, &t, &doc))
        return CALL_FAILED;
    if (!lam_doc_del(rie_of(c), DOC_INVOKE, key_of(&t, c->arena)))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The configuration could not be deleted.");
    return CALL_DONE;
}

enum call_status lam_list_function_event_invoke_configs(struct call *c)
{
    struct lam_target t;
    struct lam_page page;
    if (!lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (t.latest == NULL)
        return CALL_FAIL(c, &LAMBDA_ResourceNotFoundException, "The function doesn't exist.");
    struct str prefix = lam_doc_key(c->arena, t.account, t.region, "%.*s/", STR_ARG(t.name));
    if (!lam_doc_page(c, DOC_INVOKE, prefix, PAGE_MAX, &page))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "FunctionEventInvokeConfigs");
    for (size_t i = 0; i < page.count; i++)
        json_raw(&c->out, NULL, page.docs[i].text);
    lam_page_end(c, &page);
    return CALL_DONE;
}

/* ---- for the running side ---- */

void lam_async_settings(struct rie *r, const struct lam_function *f, struct str qualifier,
                        struct arena *a, struct lam_async_settings *ret)
{
    struct jval doc = {0};
    struct str q = qualifier.n > 0 ? qualifier : STR("$LATEST");
    lam_doc_get(r, DOC_INVOKE,
                lam_doc_key(a, f->account, f->region, "%.*s/%.*s", STR_ARG(f->name), STR_ARG(q)), a,
                &doc);
    struct jval config = jval_get(doc, "DestinationConfig");
    *ret = (struct lam_async_settings){.max_retries = RETRIES_DEFAULT,
                                       .max_age_s = AGE_DEFAULT,
                                       .on_success = destination(config, "OnSuccess", a),
                                       .on_failure = destination(config, "OnFailure", a),
                                       .dead_letter = arena_str(a, f->dead_letter)};
    jval_i64(jval_get(doc, "MaximumRetryAttempts"), &ret->max_retries);
    jval_i64(jval_get(doc, "MaximumEventAgeInSeconds"), &ret->max_age_s);
}
