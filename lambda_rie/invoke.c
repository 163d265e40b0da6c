/* rie_invoke: the checks before an invocation, its outcome, and the retries of asynchronous ones.
 * The asynchronous queue is in memory: events accepted but not run yet are lost with the process
 * (the Lambda issue puts them on disk). */
#include "clock.h"
#include "ids.h"
#include "pool.h"
#include <stdio.h>
#include <string.h>

enum { SYNC_MAX = 6291456, ASYNC_MAX = 1048576, RETRIES = 2 };
static const struct aws_err_kind entity_too_large = {"RequestEntityTooLargeException", "", 413,
                                                     false, NULL};

static void free_invocation(struct invocation *inv)
{
    struct rie *r = inv->r;
    r->running--;
    arena_free(inv->mem);
    lam_stop_if_idle(r);
}

void invocation_refuse(struct invocation *inv, const struct aws_err_kind *kind, const char *message)
{
    if (inv->wait != NULL) {
        aws_fail(&inv->ret->err, inv->caller_arena, kind, "%s", message);
        wait_fire(inv->wait, WAIT_READY);
    }
    free_invocation(inv);
}

static void retry(struct timer *t)
{
    struct invocation *inv = LIST_ITEM(t, struct invocation, retry_timer);
    struct lam_function *f = lam_function_find(inv->r, inv->account, inv->region, inv->function);
    list_remove(&inv->link);
    if (f == NULL || inv->r->stopping) {
        free_invocation(inv);
        return;
    }
    pool_submit(f->pool, f, inv);
}

void invocation_finish(struct invocation *inv, struct str payload, bool failed, struct str log_tail)
{
    struct rie_result *ret = inv->ret;
    if (inv->wait != NULL) {
        struct arena *a = inv->caller_arena;
        ret->status = 200;
        ret->payload = arena_str(a, payload);
        ret->function_error = failed ? STR("Unhandled") : STR("");
        ret->executed_version = arena_str(a, inv->version);
        ret->request_id = arena_str(a, inv->request_id);
        ret->log_tail = inv->want_log_tail ? arena_str(a, log_tail) : STR_NONE;
        wait_fire(inv->wait, WAIT_READY);
    } else if (failed && inv->attempts < RETRIES && !inv->r->stopping) {
        inv->attempts++;
        inv->retry_timer.fn = retry;
        list_push_back(&inv->r->retries, &inv->link);
        timer_set(inv->r->loop, &inv->retry_timer, clock_mono_ms() + inv->attempts * 60000);
        return;
    }
    free_invocation(inv);
}

static bool check_payload(struct str payload, bool asynchronous, struct arena *a,
                          struct aws_err *err)
{
    size_t offset, line = 1, column = 1;
    if (!asynchronous && payload.n > SYNC_MAX)
        return aws_fail(err, a, &entity_too_large,
                        "Request must be smaller than %d bytes for the InvokeFunction operation",
                        SYNC_MAX);
    if (asynchronous && payload.n > ASYNC_MAX)
        return aws_fail(err, a, &entity_too_large,
                        "%zu byte payload is too large for the Event invocation type (limit %d "
                        "bytes)",
                        payload.n, ASYNC_MAX);
    if (json_check(payload, 1000, &offset))
        return true;
    for (size_t i = 0; i < offset && i < payload.n; i++) {
        column = payload.p[i] == '\n' ? 1 : column + 1;
        line += payload.p[i] == '\n';
    }
    struct str reason = STR("Unexpected end-of-input"); /* unverified: Jackson's full wording */
    if (offset < payload.n) {
        unsigned char c = (unsigned char)payload.p[offset];
        size_t end = offset;
        while (end < payload.n && ((payload.p[end] | 32) >= 'a' && (payload.p[end] | 32) <= 'z'))
            end++;
        if (c >= 0x80)
            reason = arena_fmt(a, "Invalid UTF-8 start byte 0x%x", c);
        else if (end > offset)
            reason = arena_fmt(a,
                               "Unrecognized token '%.*s': was expecting (JSON String, Number, "
                               "Array, Object or token 'null', 'true' or 'false')",
                               (int)(end - offset), payload.p + offset);
        else if (c < 0x20)
            reason =
                arena_fmt(a,
                          "Unexpected character ((CTRL-CHAR, code %u)): expected a valid value "
                          "(JSON String, Number, Array, Object or token 'null', 'true' or "
                          "'false')",
                          c);
        else
            reason =
                arena_fmt(a,
                          "Unexpected character ('%c' (code %u)): expected a valid value (JSON "
                          "String, Number, Array, Object or token 'null', 'true' or 'false')",
                          c, c);
    }
    return aws_fail(err, a, &LAMBDA_InvalidRequestContentException,
                    "Could not parse request body into json: Could not parse payload into json: "
                    "%.*s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
                    "disabled); line: %zu, column: %zu]",
                    STR_ARG(reason), line, column);
}

static struct invocation *invocation_new(struct rie *r, const struct rie_request *req,
                                         const struct lam_function *f, struct str arn,
                                         struct str payload)
{
    struct arena *m = arena_new(0, 64 << 20);
    struct invocation *inv = ARENA_NEW(m, struct invocation);
    char uuid[37];
    inv->mem = m;
    inv->r = r;
    list_init(&inv->link);
    inv->account = arena_str(m, f->account);
    inv->region = arena_str(m, f->region);
    inv->function = arena_str(m, f->id);
    inv->version = arena_str(m, f->version);
    inv->arn = arena_str(m, arn);
    inv->timeout_s = f->timeout_s;
    inv->memory_mb = f->memory_mb;
    inv->payload = arena_str(m, payload);
    inv->client_context = arena_str(m, req->client_context);
    ids_uuid(uuid);
    inv->request_id = arena_str(m, req->request_id.n > 0 ? req->request_id : str_c(uuid));
    inv->trace_id = arena_str(m, req->trace_id);
    if (req->trace_id.n == 0)
        inv->trace_id = arena_fmt(
            m, "Root=1-%08llx-%016llx%08llx;Parent=%016llx;Sampled=0",
            (unsigned long long)(clock_now_ms() / 1000), (unsigned long long)ids_random_u64(),
            (unsigned long long)(ids_random_u64() >> 32), (unsigned long long)ids_random_u64());
    inv->want_log_tail = req->want_log_tail;
    inv->asynchronous = req->type == RIE_EVENT;
    r->running++;
    return inv;
}

void rie_invoke(struct rie *r, const struct rie_request *req, struct arena *a,
                struct rie_result *ret, struct wait *w)
{
    struct str payload = req->payload.n > 0 ? req->payload : STR("{}");
    *ret = (struct rie_result){.request_id = req->request_id};
    struct lam_target t;
    if (!lam_target_find(r, req->account, req->region, req->function, req->qualifier, a, &t,
                         &ret->err)) {
        wait_fire(w, WAIT_READY);
        return;
    }
    struct str arn = lam_target_arn(&t, a);
    struct lam_function *f = t.f;
    if (f == NULL && t.qualifier.n == 0)
        t.qualifier = STR("$LATEST"); /* recorded 2025-11: an unknown function is named so */
    if ((f == NULL && !lam_target_missing(&t, a, &ret->err)) ||
        !check_payload(payload, req->type == RIE_EVENT, a, &ret->err)) {
        wait_fire(w, WAIT_READY);
        return;
    }
    if (r->stopping) {
        aws_fail(&ret->err, a, &LAMBDA_ServiceException, "The server is stopping.");
        wait_fire(w, WAIT_READY);
        return;
    }
    if (req->type == RIE_DRY_RUN) {
        ret->status = 204;
        wait_fire(w, WAIT_READY);
        return;
    }
    struct invocation *inv = invocation_new(r, req, f, arn, payload);
    if (req->type == RIE_EVENT) {
        ret->status = 202;
        ret->request_id = arena_str(a, inv->request_id);
        wait_fire(w, WAIT_READY);
    } else {
        inv->caller_arena = a;
        inv->ret = ret;
        inv->wait = w;
    }
    pool_submit(f->pool, f, inv);
}
