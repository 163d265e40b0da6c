/* One execution environment: its process, its pipes and its end of the Runtime API. The process is
 * known to be dead by its pidfd only: a peer that vanishes from a waiting HTTP exchange proves
 * nothing. */
#include "clock.h"
#include "ids.h"
#include "log.h"
#include "panic.h"
#include "pool.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INIT_MS = 10000,
    MEMORY_MS = 100,
    LINE_MAX_BYTES = 256 * 1024,
    READ_BUDGET = 256 * 1024,
    DRAIN_BUDGET = 4 << 20,
    RESPONSE_MAX = 6 * 1024 * 1024 + 100
};

static struct environment *of_timer(struct timer *t)
{
    return LIST_ITEM(t, struct environment, timer);
}

/* ---- output ---- */

void env_log_line(struct environment *e, struct str line)
{
    lam_tail_add(&e->tail, line);
    lam_tail_add(&e->tail, STR("\n"));
    lam_log_add(&e->pool->log, e->stream, line);
    if (!e->r->opts.quiet)
        log_msg(LOG_INFO, "function", "%.*s: %.*s", STR_ARG(e->name), STR_ARG(line));
}

/* Reads at most budget bytes; false at end of file. */
static bool read_pipe(struct environment *e, int fd, struct buf *partial, size_t budget)
{
    char chunk[16 * 1024];
    while (budget > 0) {
        ssize_t n = read(fd, chunk, sizeof chunk < budget ? sizeof chunk : budget);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        budget -= (size_t)n;
        struct str rest = {chunk, (size_t)n};
        while (rest.n > 0) {
            ptrdiff_t at = str_find(rest, '\n');
            struct str part = at < 0 ? rest : str_sub(rest, 0, (size_t)at);
            size_t room = LINE_MAX_BYTES - partial->n;
            if (part.n >= room) { /* a line without end is cut into pieces */
                buf_add(partial, str_sub(part, 0, room));
                rest = str_sub(rest, room, rest.n);
            } else {
                buf_add(partial, part);
                rest = str_sub(rest, part.n + (at >= 0), rest.n);
                if (at < 0)
                    break;
            }
            env_log_line(e, buf_view(partial));
            buf_clear(partial);
        }
    }
    return true;
}

static void on_output(void *arg, int fd)
{
    struct environment *e = arg;
    bool is_out = fd == e->process.out;
    if (read_pipe(e, fd, is_out ? &e->out_line : &e->err_line, READ_BUDGET))
        return;
    struct watch **w = is_out ? &e->out_watch : &e->err_watch;
    watch_stop(*w);
    *w = NULL;
}

void env_drain(struct environment *e)
{
    if (e->err_watch != NULL)
        read_pipe(e, e->process.err, &e->err_line, DRAIN_BUDGET);
    if (e->out_watch != NULL)
        read_pipe(e, e->process.out, &e->out_line, DRAIN_BUDGET);
    struct buf *partial[] = {&e->out_line, &e->err_line};
    for (size_t i = 0; i < 2; i++) {
        if (partial[i]->n > 0)
            env_log_line(e, buf_view(partial[i]));
        buf_clear(partial[i]);
    }
}

/* ---- one invocation ---- */

static void log_fmt(struct environment *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void log_fmt(struct environment *e, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    env_log_line(e, (struct str){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1});
}

static void on_memory(struct timer *t)
{
    struct environment *e = LIST_ITEM(t, struct environment, memory_timer);
    int64_t rss = process_rss(&e->process);
    if (rss > e->peak_rss)
        e->peak_rss = rss;
    if (rss > e->memory_mb * 1024 * 1024) {
        e->out_of_memory = true;
        process_kill(&e->process, SIGKILL);
        return;
    }
    timer_set(e->r->loop, t, clock_mono_ms() + MEMORY_MS);
}

/* END and REPORT, then the outcome to the caller. */
static void complete(struct environment *e, struct str payload, bool failed, const char *status)
{
    struct invocation *inv = e->current;
    double ms = (double)(clock_mono_us() - inv->start_us) / 1000.0;
    bool cold = !e->init_reported;
    char init[64] = "";
    double billed = ms;
    e->current = NULL;
    timer_clear(e->r->loop, &e->timer);
    timer_clear(e->r->loop, &e->memory_timer);
    int64_t peak = e->process.pid > 0 ? process_peak_rss(&e->process) : 0;
    if (peak > e->peak_rss)
        e->peak_rss = peak;
    env_drain(e);
    if (cold) {
        snprintf(init, sizeof init, "Init Duration: %.2f ms\t", (double)e->init_us / 1000.0);
        billed += (double)e->init_us / 1000.0; /* INIT is billed since August 2025 */
        e->init_reported = true;
    }
    log_fmt(e, "END RequestId: %.*s", STR_ARG(inv->request_id));
    log_fmt(
        e,
        "REPORT RequestId: %.*s\tDuration: %.2f ms\tBilled Duration: %lld ms\tMemory Size: %lld "
        "MB\tMax Memory Used: %lld MB\t%s%s",
        STR_ARG(inv->request_id), ms, (long long)billed + 1, (long long)inv->memory_mb,
        (long long)(e->peak_rss >> 20), init, status);
    invocation_finish(inv, payload, failed, lam_tail_view(&e->tail));
}

static void on_timeout(struct timer *t)
{
    struct environment *e = of_timer(t);
    struct invocation *inv = e->current;
    char iso[25];
    if (e->state == ENV_IDLE || e->state == ENV_INIT) {
        env_stop(e); /* idle too long, or INIT took too long: its end fails the invocation */
        return;
    }
    if (inv == NULL)
        return;
    double seconds = (double)inv->timeout_s;
    clock_format_iso(clock_now_ms(), iso);
    log_fmt(e, "%s %.*s Task timed out after %.2f seconds", iso, STR_ARG(inv->request_id), seconds);
    struct str payload =
        arena_fmt(inv->mem,
                  "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                  "%.*s Error: Task timed out after %.2f seconds\"}",
                  STR_ARG(inv->request_id), seconds);
    complete(e, payload, true, "Status: timeout");
    env_stop(e);
}

static void send_event(struct environment *e)
{
    struct net_exchange *x = e->next;
    struct invocation *inv = e->current;
    struct arena *a = x->arena;
    struct http_resp *resp = ARENA_NEW(a, struct http_resp);
    int64_t left_ms = inv->timeout_s * 1000;
    e->next = NULL;
    resp->status = 200;
    resp->body = arena_str(a, inv->payload);
    http_resp_add(resp, a, STR("Content-Type"), STR("application/json"));
    http_resp_add(resp, a, STR("Lambda-Runtime-Aws-Request-Id"), arena_str(a, inv->request_id));
    http_resp_add(resp, a, STR("Lambda-Runtime-Deadline-Ms"),
                  arena_fmt(a, "%lld", (long long)(clock_now_ms() + left_ms)));
    http_resp_add(resp, a, STR("Lambda-Runtime-Invoked-Function-Arn"), arena_str(a, inv->arn));
    http_resp_add(resp, a, STR("Lambda-Runtime-Trace-Id"), arena_str(a, inv->trace_id));
    if (inv->client_context.n > 0)
        http_resp_add(resp, a, STR("Lambda-Runtime-Client-Context"),
                      arena_str(a, inv->client_context));
    net_reply(x, resp);
}

void env_deliver(struct environment *e, struct invocation *inv)
{
    ASSERT(e->state == ENV_IDLE && e->next != NULL && e->current == NULL);
    e->state = ENV_BUSY;
    e->current = inv;
    inv->start_us = clock_mono_us();
    if (e->init_reported)
        e->tail.n = 0;
    log_fmt(e, "START RequestId: %.*s Version: %.*s", STR_ARG(inv->request_id),
            STR_ARG(inv->version));
    timer_set(e->r->loop, &e->timer, clock_mono_ms() + inv->timeout_s * 1000);
    timer_set(e->r->loop, &e->memory_timer, clock_mono_ms() + MEMORY_MS);
    send_event(e);
}

/* ---- Runtime API ---- */

static void answer(struct net_exchange *x, uint16_t status, struct str body)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    http_resp_add(resp, x->arena, STR("Content-Type"), STR("application/json"));
    net_reply(x, resp);
}

static void answer_error(struct net_exchange *x, uint16_t status, const char *message,
                         const char *type)
{
    answer(x, status,
           arena_fmt(x->arena, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}", message, type));
}

static void handle_next(struct environment *e, struct net_exchange *x)
{
    if (e->next != NULL || e->current != NULL || e->state == ENV_STOPPING) {
        answer_error(x, 403, "Transition from current state to Ready failed for runtime.",
                     "InvalidStateTransition");
        return;
    }
    e->next = x;
    if (e->state == ENV_INIT) {
        e->init_us = clock_mono_us() - e->spawn_us;
        e->pool->starting--;
    }
    e->state = ENV_IDLE;
    timer_set(e->r->loop, &e->timer, clock_mono_ms() + e->r->opts.idle_ms);
    pool_env_idle(e);
}

static void handle_result(struct environment *e, struct net_exchange *x, struct str id, bool failed)
{
    struct invocation *inv = e->current;
    if (inv == NULL || !str_eq(id, inv->request_id)) {
        answer_error(x, 400, "Invalid request ID", "InvalidRequestID");
        return;
    }
    if (x->req.body.n > RESPONSE_MAX) {
        answer_error(x, 413, "Exceeded maximum allowed payload size (6291556 bytes).",
                     "RequestEntityTooLarge");
        complete(e,
                 STR("{\"errorMessage\":\"Response payload size exceeded maximum allowed payload "
                     "size (6291556 bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}"),
                 true, "");
        return;
    }
    answer(x, 202, STR("{\"status\":\"OK\"}"));
    complete(e, x->req.body, failed, "");
}

void env_handle(struct net_exchange *x)
{
    struct environment *e = x->listener_arg;
    struct str rest = x->req.path;
    if (e == NULL || !str_starts(rest, STR("/2018-06-01/"))) {
        answer(x, 404, STR("{\"errorMessage\":\"not found\",\"errorType\":\"NotFound\"}"));
        return;
    }
    rest = str_sub(rest, 12, rest.n);
    bool get = str_eq_c(x->req.method, "GET"), post = str_eq_c(x->req.method, "POST");
    if (get && str_eq_c(rest, "ping")) {
        answer(x, 200, STR("pong"));
    } else if (get && str_eq_c(rest, "runtime/invocation/next")) {
        handle_next(e, x);
    } else if (post && str_eq_c(rest, "runtime/init/error")) {
        if (e->state != ENV_INIT) {
            answer_error(x, 403, "Transition from current state to InitError failed for runtime.",
                         "InvalidStateTransition");
            return;
        }
        e->init_error = arena_str(e->mem, x->req.body);
        answer(x, 202, STR("{\"status\":\"OK\"}"));
    } else if (post && str_starts(rest, STR("runtime/invocation/"))) {
        struct str what = str_sub(rest, 19, rest.n), id = str_cut(&what, '/');
        if (str_eq_c(what, "response") || str_eq_c(what, "error"))
            handle_result(e, x, id, str_eq_c(what, "error"));
        else
            answer(x, 404, STR("{\"errorMessage\":\"not found\",\"errorType\":\"NotFound\"}"));
    } else {
        answer(x, 404, STR("{\"errorMessage\":\"not found\",\"errorType\":\"NotFound\"}"));
    }
}

/* ---- start and end ---- */

static void close_parts(struct environment *e)
{
    struct watch **watches[] = {&e->exit_watch, &e->out_watch, &e->err_watch};
    for (size_t i = 0; i < 3; i++) {
        if (*watches[i] != NULL)
            watch_stop(*watches[i]);
        *watches[i] = NULL;
    }
    timer_clear(e->r->loop, &e->timer);
    timer_clear(e->r->loop, &e->memory_timer);
    process_close(&e->process);
    if (e->listener != NULL)
        net_listener_close(e->listener);
    e->listener = NULL;
    if (e->next != NULL)
        answer_error(e->next, 500, "The execution environment has ended.", "Runtime.Gone");
    e->next = NULL;
}

void env_free(struct environment *e)
{
    close_parts(e);
    buf_release(&e->out_line);
    buf_release(&e->err_line);
    arena_free(e->mem);
}

static void on_exit_event(void *arg, int fd)
{
    struct environment *e = arg;
    bool signaled, was_init = e->state == ENV_INIT;
    int code;
    char reason[96];
    (void)fd;
    env_drain(e);
    if (e->state == ENV_STOPPING && e->init_us == 0)
        was_init = true;
    if (was_init)
        e->pool->starting--;
    process_reap(&e->process, &signaled, &code);
    if (signaled)
        snprintf(reason, sizeof reason, "Runtime exited with error: signal: %s",
                 code == SIGKILL ? "killed" : strsignal(code));
    else if (code != 0)
        snprintf(reason, sizeof reason, "Runtime exited with error: exit status %d", code);
    else
        snprintf(reason, sizeof reason, "Runtime exited without providing a reason");
    if (e->current != NULL) {
        struct invocation *inv = e->current;
        struct str payload = arena_fmt(inv->mem,
                                       "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":"
                                       "\"RequestId: %.*s Error: %s\"}",
                                       STR_ARG(inv->request_id), reason);
        complete(e, payload, true, "Status: error\tError Type: Runtime.ExitError");
    }
    pool_env_gone(e, was_init, reason);
}

void env_stop(struct environment *e)
{
    if (e->state == ENV_STOPPING)
        return;
    if (e->state != ENV_INIT && e->init_us == 0)
        e->init_us = 1;
    e->state = ENV_STOPPING;
    timer_clear(e->r->loop, &e->timer);
    process_kill(&e->process, SIGKILL);
}

struct environment *env_start(struct lam_pool *p, struct lam_function *f, int *reterr)
{
    struct arena *mem = arena_new(4096, 64 << 20), *scratch = arena_new(0, 64 << 20);
    struct environment *e = ARENA_NEW(mem, struct environment);
    char id[33], date[16] = "", **env = NULL, *argv[8];
    struct str missing = STR_NONE;
    ids_hex(id, 32);
    clock_format(clock_now_ms(), "%Y/%m/%d", date, sizeof date);
    e->mem = mem;
    e->r = p->r;
    e->pool = p;
    e->generation = f->generation;
    e->memory_mb = f->memory_mb;
    e->name = arena_str(mem, f->name);
    e->stream = arena_fmt(mem, "%s/[%.*s]%s", date, STR_ARG(f->version), id);
    e->timer.fn = on_timeout;
    e->memory_timer.fn = on_memory;
    buf_init(&e->out_line, LINE_MAX_BYTES);
    buf_init(&e->err_line, LINE_MAX_BYTES);
    e->listener = net_listen(p->r->net, "127.0.0.1", 0, env_handle, e, reterr);
    bool ok = e->listener != NULL;
    e->spawn_us = clock_mono_us();
    if (ok && !env_build(e, f, scratch, &env, argv, &missing)) {
        /* fails like a process that could not be started */
        if (str_eq_c(missing, "bootstrap"))
            e->init_error = STR("{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":"
                                "\"Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap "
                                "/opt/bootstrap]\"}");
        log_msg(LOG_ERROR, "lambda", "%.*s: %.*s needs %.*s, which is not there", STR_ARG(f->name),
                STR_ARG(f->runtime), STR_ARG(missing));
        argv[0] = (char *)"/bin/false";
        argv[1] = NULL;
        static char *nothing[] = {NULL};
        env = nothing;
    }
    const char *cwd = access(f->code_dir.p, X_OK) == 0 ? f->code_dir.p : "/";
    if (ok) {
        *reterr = process_spawn(&e->process, cwd, argv, env);
        ok = *reterr == 0;
    }
    arena_free(scratch);
    if (!ok) {
        list_init(&e->link);
        env_free(e);
        return NULL;
    }
    e->exit_watch = watch_fd(p->r->loop, e->process.pidfd, on_exit_event, e);
    e->out_watch = watch_fd(p->r->loop, e->process.out, on_output, e);
    e->err_watch = watch_fd(p->r->loop, e->process.err, on_output, e);
    e->state = ENV_INIT;
    timer_set(p->r->loop, &e->timer, clock_mono_ms() + INIT_MS + f->timeout_s * 1000);
    list_push_back(&p->envs, &e->link);
    p->starting++;
    p->r->environments++;
    return e;
}
