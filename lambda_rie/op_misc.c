/* Settings of functions that are kept and given back: runtime management and recursion. And the
 * oldest way to invoke. */
#include "docs.h"
#include "function.h"

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

static bool save(struct call *c, struct lam_function *next)
{
    if (lam_function_save(rie_of(c), next, LAM_CHANGE_NOTES))
        return true;
    lam_function_free(next);
    return aws_fail(&c->err, c->arena, &LAMBDA_ServiceException,
                    "The configuration could not be stored.");
}

/* ---- runtime management ---- */

static struct lam_function *find(struct call *c, struct lam_target *t)
{
    if (lam_target_of_call(c, t) && t->f == NULL)
        lam_target_missing(t, c->arena, &c->err);
    return c->err.kind == NULL ? t->f : NULL;
}

static void write_management(struct call *c, const struct lam_target *t,
                             const struct lam_function *f)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "FunctionArn", lam_target_arn(t, c->arena));
    if (f->runtime_arn.n > 0)
        json_str(&c->out, "RuntimeVersionArn", f->runtime_arn);
    json_str(&c->out, "UpdateRuntimeOn",
             f->update_runtime_on.n > 0 ? f->update_runtime_on : STR("Auto"));
    json_end(&c->out);
}

enum call_status lam_put_runtime_management_config(struct call *c)
{
    struct lam_target t;
    struct str on = text_of(c, "UpdateRuntimeOn"), arn = text_of(c, "RuntimeVersionArn");
    struct lam_function *f = find(c, &t);
    if (f == NULL)
        return CALL_FAILED;
    if (str_eq_c(on, "Manual") != (arn.n > 0)) /* unverified: the texts */
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException, "%s",
                         arn.n > 0 ? "RuntimeVersionArn can only be set when UpdateRuntimeOn is "
                                     "Manual."
                                   : "RuntimeVersionArn is required when UpdateRuntimeOn is "
                                     "Manual.");
    struct lam_function *next = lam_function_copy(f);
    next->update_runtime_on = arena_str(next->mem, on);
    next->runtime_arn = arena_str(next->mem, arn);
    if (!save(c, next))
        return CALL_FAILED;
    write_management(c, &t, next);
    return CALL_DONE;
}

enum call_status lam_get_runtime_management_config(struct call *c)
{
    struct lam_target t;
    const struct lam_function *f = find(c, &t);
    if (f == NULL)
        return CALL_FAILED;
    write_management(c, &t, f);
    return CALL_DONE;
}

/* ---- recursion ---- */

static void write_recursion(struct call *c, struct str loop)
{
    json_obj(&c->out, NULL);
    json_str(&c->out, "RecursiveLoop", loop.n > 0 ? loop : STR("Terminate"));
    json_end(&c->out);
}

enum call_status lam_put_function_recursion_config(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    struct lam_function *next = lam_function_copy(f);
    next->recursive_loop = arena_str(next->mem, text_of(c, "RecursiveLoop"));
    if (!save(c, next))
        return CALL_FAILED;
    write_recursion(c, next->recursive_loop);
    return CALL_DONE;
}

enum call_status lam_get_function_recursion_config(struct call *c)
{
    const struct lam_function *f = lam_latest_of_call(c);
    if (f == NULL)
        return CALL_FAILED;
    write_recursion(c, f->recursive_loop);
    return CALL_DONE;
}

/* ---- InvokeAsync ---- */

static enum call_status async_resume(struct call *c, enum wait_end how)
{
    const struct rie_result *res = c->scratch;
    (void)how;
    if (res->err.kind != NULL) {
        c->err = res->err;
        return CALL_FAILED;
    }
    json_obj(&c->out, NULL); /* Status is the HTTP status: 202 */
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_invoke_async(struct call *c)
{
    struct rie_result *result = ARENA_NEW(c->arena, struct rie_result);
    struct rie_request req = {.account = c->account,
                              .region = c->region,
                              .function = text_of(c, "FunctionName"),
                              .payload = c->payload,
                              .request_id = c->request_id,
                              .type = RIE_EVENT};
    c->scratch = result;
    enum call_status status = call_park(c, async_resume);
    rie_invoke(rie_of(c), &req, c->arena, result, &c->wait);
    return status;
}
