/* rie_invoke: the checks before an invocation, and its outcome. */
#include "async.h"
#include "clock.h"
#include "ids.h"
#include "panic.h"
#include <stdio.h>
#include <string.h>

void invocation_free(struct invocation *inv)
{
    struct rie *r = inv->r;
    r->running--;
    arena_free(inv->mem);
    if (r->async != NULL)
        async_kick(r);
    lam_stop_if_idle(r);
}

static void refuse_throttled(struct rie_result *ret, struct arena *a, const char *reason)
{
    aws_fail(&ret->err, a, &LAMBDA_TooManyRequestsException, "Rate Exceeded.");
    ret->err.members = arena_fmt(a, "\"Reason\":\"%s\"", reason);
}

void invocation_refuse(struct invocation *inv, enum pool_refusal why)
{
    struct arena *a = inv->caller_arena;
    if (inv->event != NULL) {
        async_refused(inv);
        return;
    }
    switch (why) {
    case POOL_THROTTLED:
        refuse_throttled(inv->ret, a, "ConcurrentInvocationLimitExceeded");
        break;
    case POOL_THROTTLED_RESERVED:
        refuse_throttled(inv->ret, a, "ReservedFunctionConcurrentInvocationLimitExceeded");
        break;
    case POOL_NO_ENVIRONMENT:
        aws_fail(&inv->ret->err, a, &LAMBDA_ServiceException,
                 "No execution environment could be started.");
        break;
    case POOL_DELETED:
        aws_fail(&inv->ret->err, a, &LAMBDA_ResourceNotFoundException,
                 "The function was deleted."); /* unverified */
        break;
    case POOL_STOPPING_SERVER:
        aws_fail(&inv->ret->err, a, &LAMBDA_ServiceException, "The server is stopping.");
        break;
    }
    wait_fire(inv->wait, WAIT_READY);
    invocation_free(inv);
}

void invocation_finish(struct invocation *inv, struct str payload, bool failed, struct str log_tail)
{
    struct rie_result *ret = inv->ret;
    if (inv->event != NULL) {
        async_finished(inv, payload, failed);
        return;
    }
    struct arena *a = inv->caller_arena;
    ret->status = 200;
    ret->payload = arena_str(a, payload);
    ret->function_error = failed ? STR("Unhandled") : STR("");
    ret->executed_version = arena_str(a, inv->version);
    ret->request_id = arena_str(a, inv->request_id);
    ret->log_tail = inv->want_log_tail ? arena_str(a, log_tail) : STR_NONE;
    wait_fire(inv->wait, WAIT_READY);
    invocation_free(inv);
}

/* The ARN as the invoker named the function: with his qualifier, if he gave one. */
static struct str invoked_arn(struct arena *m, const struct lam_function *f, struct str qualifier)
{
    return arena_fmt(m, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(f->region),
                     STR_ARG(f->account), STR_ARG(f->name), qualifier.n > 0 ? ":" : "",
                     STR_ARG(qualifier));
}

struct str invocation_qualifier(const struct rie_request *req)
{
    struct lam_name name;
    if (req->qualifier.n > 0 || !lam_name_parse(req->function, &name))
        return req->qualifier;
    return name.qualifier;
}

struct str invocation_trace(struct arena *a, struct str given)
{
    if (given.n > 0)
        return arena_str(a, given);
    return arena_fmt(
        a, "Root=1-%08llx-%016llx%08llx;Parent=%016llx;Sampled=0",
        (unsigned long long)(clock_now_ms() / 1000), (unsigned long long)ids_random_u64(),
        (unsigned long long)(ids_random_u64() >> 32), (unsigned long long)ids_random_u64());
}

struct invocation *invocation_new(struct rie *r, const struct rie_request *req,
                                  const struct lam_function *f, struct str qualifier)
{
    struct arena *m = arena_new(0, 64 << 20);
    struct invocation *inv = ARENA_NEW(m, struct invocation);
    inv->mem = m;
    inv->r = r;
    inv->pool = f->pool;
    inv->arn = invoked_arn(m, f, qualifier);
    inv->version = arena_str(m, f->version);
    inv->timeout_s = f->timeout_s;
    inv->memory_mb = f->memory_mb;
    inv->is_arm = str_eq_c(f->architecture, "arm64");
    inv->payload = arena_str(m, req->payload);
    inv->content_type = STR("application/json");
    inv->client_context = arena_str(m, req->client_context);
    inv->request_id = arena_str(m, req->request_id);
    inv->trace_id = invocation_trace(m, req->trace_id);
    inv->want_log_tail = req->want_log_tail;
    inv->stream = req->stream;
    r->running++;
    return inv;
}

void invocation_start(struct invocation *inv)
{
    struct lam_pool *p = inv->pool;
    lam_pool_check_folder(p);
    p->invocations++;
    pool_submit(&p->p, &inv->job);
}

void rie_invoke(struct rie *r, const struct rie_request *given, struct arena *a,
                struct rie_result *ret, struct wait *w)
{
    struct rie_request req = *given;
    if (req.payload.n == 0)
        req.payload = STR("{}");
    *ret = (struct rie_result){.request_id = req.request_id};
    struct lam_function *f = lam_function_resolve(r, req.account, req.region, req.function,
                                                  req.qualifier, true, a, &ret->err);
    if (f == NULL || !lam_payload_check(req.payload, req.type == RIE_EVENT, a, &ret->err)) {
        wait_fire(w, WAIT_READY);
        return;
    }
    ret->executed_version = arena_str(a, f->version);
    if (r->stopping) {
        aws_fail(&ret->err, a, &LAMBDA_ServiceException, "The server is stopping.");
        wait_fire(w, WAIT_READY);
        return;
    }
    if (req.type == RIE_DRY_RUN) {
        ret->status = 204;
        wait_fire(w, WAIT_READY);
        return;
    }
    if (req.request_id.n == 0) {
        char *uuid = arena_alloc(a, 37);
        ids_uuid(uuid);
        req.request_id = str_c(uuid);
    }
    struct str qualifier = invocation_qualifier(&req);
    if (req.type == RIE_EVENT) {
        req.trace_id = invocation_trace(a, req.trace_id);
        if (async_enqueue(r, f, &req, qualifier)) {
            ret->status = 202;
            ret->request_id = req.request_id;
        } else {
            aws_fail(&ret->err, a, &LAMBDA_ServiceException, "The event could not be queued.");
        }
        wait_fire(w, WAIT_READY);
        return;
    }
    struct invocation *inv = invocation_new(r, &req, f, qualifier);
    inv->caller_arena = a;
    inv->ret = ret;
    inv->wait = w;
    invocation_start(inv);
}
