/* The life of one execution environment. The process is known to be dead by its pidfd only: a peer
 * that vanishes from a waiting HTTP exchange proves nothing. */
#include "env.h"
#include "clock.h"
#include "file.h"
#include "ids.h"
#include "log.h"
#include "panic.h"
#include "spare.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEMORY_MS = 100,
    LINE_MAX_BYTES = 256 * 1024,
    SHUTDOWN_MS = 2000, /* AWS: what external extensions have to end */
    KILL_MS = 500       /* after a kill that init has to do itself */
};

/* ---- memory ---- */

static void sample_memory(struct environment *e, int64_t now_us)
{
    int64_t peak;
    e->memory_us = now_us;
    if (process_memory(&e->process, &peak) > e->memory_mb * 1024 * 1024)
        e->out_of_memory = true;
    if (peak > e->peak_memory)
        e->peak_memory = peak;
}

static void on_memory(struct timer *t)
{
    struct environment *e = LIST_ITEM(t, struct environment, memory_timer);
    sample_memory(e, clock_mono_us());
    if (e->out_of_memory && !e->r->opts.no_memory_limit) {
        if (e->peak_memory > e->memory_mb * 1024 * 1024) /* it is cut off there on AWS */
            e->peak_memory = e->memory_mb * 1024 * 1024;
        process_kill(&e->process);
        return;
    }
    timer_set(e->r->loop, t, clock_mono_ms() + MEMORY_MS);
}

/* ---- one invocation ---- */

void env_complete(struct environment *e, struct str payload, bool failed, const char *status)
{
    struct invocation *inv = e->current;
    int64_t now = clock_mono_us();
    ASSERT(inv != NULL);
    e->current = NULL;
    e->base.finishing = true;
    timer_clear(e->r->loop, &e->timer);
    timer_clear(e->r->loop, &e->memory_timer);
    if (e->process.pid > 0 && (e->memory_us == 0 || now - e->memory_us > MEMORY_MS * 1000))
        sample_memory(e, now);
    env_drain(e);
    struct str type = STR_NONE;
    if (failed && strcmp(status, "success") != 0) {
        struct jval doc;
        if (json_parse(inv->mem, payload, JSON_DEPTH_DEFAULT, &doc, NULL))
            type = jval_text(jval_get(doc, "errorType"), inv->mem);
    }
    env_log_end(e, inv, status, type);
    pool_job_done(&inv->job, failed ? -1 : now - inv->start_us);
    e->last_id = (struct str){e->id_text, (size_t)snprintf(e->id_text, sizeof e->id_text, "%.*s",
                                                           STR_ARG(inv->request_id))};
    if (e->last_id.n >= sizeof e->id_text)
        e->last_id.n = sizeof e->id_text - 1;
    invocation_finish(inv, payload, failed, lam_tail_view(&e->tail));
}

void env_fail(struct environment *e, struct str type, struct str message, const char *status)
{
    struct invocation *inv = e->current;
    env_complete(e,
                 arena_fmt(inv->mem,
                           "{\"errorType\":\"%.*s\",\"errorMessage\":\"RequestId: %.*s Error: "
                           "%.*s\"}",
                           STR_ARG(type), STR_ARG(inv->request_id), STR_ARG(message)),
                 true, status);
}

static struct str timeout_message(struct environment *e, struct arena *a)
{
    return arena_fmt(a, "Task timed out after %.2f seconds", (double)e->timeout_s);
}

static void on_timer(struct timer *t)
{
    struct environment *e = LIST_ITEM(t, struct environment, timer);
    if (e->base.state == POOL_STOPPING) {
        process_kill_hard(&e->process);
        return;
    }
    if (e->base.state == POOL_INIT && e->held_back) {
        env_check_ready(e);
        return;
    }
    if (e->current != NULL) {
        env_log_timeout(e, e->current);
        env_fail(e, STR("Sandbox.Timedout"), timeout_message(e, e->mem), "timeout");
    } else if (e->base.state == POOL_INIT) {
        e->init_timeout = true; /* its end fails the invocation */
    }
    pool_env_stop(&e->base);
}

static void deliver(struct pool_env *base, struct pool_job *job)
{
    struct environment *e = (struct environment *)base;
    struct invocation *inv = (struct invocation *)job;
    int64_t now = clock_mono_us();
    ASSERT(e->next != NULL && e->current == NULL);
    e->current = inv;
    inv->start_us = now;
    inv->started = true;
    if (e->init_reported)
        e->tail.n = 0;
    env_log_start(e, inv);
    timer_set(e->r->loop, &e->timer, now / 1000 + inv->timeout_s * 1000);
    timer_set(e->r->loop, &e->memory_timer, now / 1000 + MEMORY_MS);
    e->state = RT_RUNNING;
    if (e->extension_count > 0)
        extension_send_invoke(e, inv);
    env_send_event(e);
}

void env_check_ready(struct environment *e)
{
    if (e->next == NULL || e->current != NULL || !extension_all_ready(e) ||
        (e->base.state != POOL_INIT && e->base.state != POOL_BUSY))
        return;
    int64_t cold_us = e->r->opts.cold_start_ms * 1000;
    if (!e->base.was_ready) {
        e->init_us = clock_mono_us() - e->spawn_us;
        if (e->init_us < cold_us && !e->held_back) { /* as slow as asked for */
            e->held_back = true;
            timer_set(e->r->loop, &e->timer, clock_mono_ms() + (cold_us - e->init_us) / 1000 + 1);
            return;
        }
        timer_clear(e->r->loop, &e->timer);
        env_log_init_report(e, NULL, "success", STR_NONE);
    }
    telemetry_flush(e);
    pool_env_ready(&e->base, clock_mono_ms());
    lam_pools_reap_later(e->r);
}

/* ---- the end ---- */

static void close_parts(struct environment *e)
{
    struct watch **watches[] = {&e->exit_watch, &e->out_watch, &e->err_watch, &e->status_watch};
    for (size_t i = 0; i < sizeof watches / sizeof *watches; i++) {
        if (*watches[i] != NULL)
            watch_stop(*watches[i]);
        *watches[i] = NULL;
    }
    timer_clear(e->r->loop, &e->timer);
    timer_clear(e->r->loop, &e->memory_timer);
    process_close(&e->process);
    telemetry_free(e);
    if (e->http != NULL)
        rhttp_close(e->http);
    e->http = NULL;
    e->next = NULL;
}

void env_free(struct environment *e)
{
    close_parts(e);
    if (e->tmp_dir != NULL)
        file_remove_tree(e->tmp_dir);
    free(e->tmp_dir);
    buf_release(&e->out_line);
    buf_release(&e->err_line);
    arena_free(e->mem);
}

/* Why the runtime is not there any more, as AWS words it. */
static struct str end_reason(const struct environment *e, struct arena *a)
{
    int s = e->end_status;
    if (!e->ended || (WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL))
        return STR("Runtime exited with error: signal: killed");
    if (WIFSIGNALED(s)) {
        static const struct {
            int number;
            const char *name; /* as Go's standard library words it */
        } names[] = {{SIGSEGV, "segmentation fault"},
                     {SIGABRT, "aborted"},
                     {SIGBUS, "bus error"},
                     {SIGFPE, "floating point exception"},
                     {SIGILL, "illegal instruction"},
                     {SIGTERM, "terminated"},
                     {SIGTRAP, "trace/breakpoint trap"},
                     {SIGINT, "interrupt"},
                     {SIGHUP, "hangup"},
                     {SIGQUIT, "quit"},
                     {SIGPIPE, "broken pipe"},
                     {SIGALRM, "alarm clock"}};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (names[i].number == WTERMSIG(s))
                return arena_fmt(a, "Runtime exited with error: signal: %s", names[i].name);
        }
        return arena_fmt(a, "Runtime exited with error: signal: signal %d", WTERMSIG(s));
    }
    if (WEXITSTATUS(s) != 0)
        return arena_fmt(a, "Runtime exited with error: exit status %d", WEXITSTATUS(s));
    return STR("Runtime exited without providing a reason");
}

static void fail_current(struct environment *e)
{
    if (e->current == NULL)
        return;
    if (e->streaming != NULL)
        e->streaming = NULL;
    env_fail(e, STR("Runtime.ExitError"), end_reason(e, e->mem), "error");
}

/* Every report of init, and what the runtime said before it ended. */
static void take_reports(struct environment *e)
{
    int index = 0, status = 0;
    enum process_end end;
    while ((end = process_report(&e->process, &index, &status)) != PROCESS_NOTHING) {
        if (end == PROCESS_EXTENSION_ENDED) {
            extension_ended(e, index, status);
            continue;
        }
        rhttp_drain(e->http);
        e->ended = true;
        e->end_status = end == PROCESS_FAILED ? 1 << 8 : status;
    }
}

static void on_status(void *arg, int fd)
{
    struct environment *e = arg;
    bool before = e->ended;
    (void)fd;
    take_reports(e);
    if (!before && e->ended) {
        env_drain(e);
        fail_current(e);
        pool_env_stop(&e->base); /* extensions may still have their shutdown */
    }
    if (e->ended && e->status_watch != NULL) { /* the pidfd tells the rest */
        watch_stop(e->status_watch);
        e->status_watch = NULL;
    }
}

static void on_exit_event(void *arg, int fd)
{
    struct environment *e = arg;
    struct rie *r = e->r;
    (void)fd;
    take_reports(e);
    rhttp_drain(e->http);
    env_drain(e);
    process_reap(&e->process);
    fail_current(e);
    watch_stop(e->exit_watch);
    e->exit_watch = NULL;
    pool_env_gone(&e->base);
    env_free(e);
    lam_stop_if_idle(r);
}

static void init_failed(struct pool_env *base, struct pool_job *job)
{
    struct environment *e = (struct environment *)base;
    struct invocation *inv = (struct invocation *)job;
    struct str payload = e->init_error, type = e->init_error_type;
    const char *status = "error";
    if (e->init_timeout) {
        type = STR("Sandbox.Timedout");
        status = "timeout";
        payload = arena_fmt(inv->mem,
                            "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: "
                            "%.*s Error: %.*s\"}",
                            STR_ARG(inv->request_id), STR_ARG(timeout_message(e, inv->mem)));
    } else if (payload.n == 0) {
        type = STR("Runtime.ExitError");
        payload = arena_fmt(inv->mem,
                            "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: "
                            "%.*s Error: %.*s\"}",
                            STR_ARG(inv->request_id), STR_ARG(end_reason(e, inv->mem)));
    }
    e->init_us = clock_mono_us() - e->spawn_us;
    inv->start_us = clock_mono_us();
    env_log_init_report(e, "init", status, type);
    env_log_start(e, inv);
    e->init_reported = true;
    env_log_end(e, inv, status, type);
    pool_job_done(job, -1);
    invocation_finish(inv, payload, true, lam_tail_view(&e->tail));
}

static void stop(struct pool_env *base)
{
    struct environment *e = (struct environment *)base;
    const char *reason = e->ended || e->out_of_memory            ? "failure"
                         : e->current != NULL || e->init_timeout ? "timeout"
                                                                 : "spindown";
    int64_t wait_ms = KILL_MS;
    timer_clear(e->r->loop, &e->memory_timer);
    if (extension_send_shutdown(e, reason) > 0) {
        if (!e->ended)
            process_signal_runtime(&e->process, SIGTERM);
        wait_ms = SHUTDOWN_MS;
    } else {
        process_kill(&e->process);
    }
    timer_set(e->r->loop, &e->timer, clock_mono_ms() + wait_ms);
}

/* ---- the start ---- */

static void on_output(void *arg, int fd)
{
    struct environment *e = arg;
    if (env_read_output(e, fd))
        return;
    struct watch **w = fd == e->process.out ? &e->out_watch : &e->err_watch;
    watch_stop(*w);
    *w = NULL;
}

void env_take_facts(struct environment *e, const struct lam_function *f)
{
    struct arena *m = e->mem;
    char id[33], date[16] = "";
    ids_hex(id, 32);
    clock_format(clock_now_ms(), "%Y/%m/%d", date, sizeof date);
    e->memory_mb = f->memory_mb;
    e->timeout_s = f->timeout_s;
    e->account = arena_str(m, f->account);
    e->region = arena_str(m, f->region);
    e->name = arena_str(m, f->name);
    e->handler = arena_str(m, f->handler);
    e->arn = arena_str(m, f->arn);
    e->version = arena_str(m, f->version);
    e->runtime = arena_str(m, f->runtime);
    e->log_group = arena_str(m, f->log_group);
    e->json_logs = str_eq_c(f->log_format, "JSON");
    e->system_level = str_eq_c(f->system_log_level, "DEBUG")  ? 0
                      : str_eq_c(f->system_log_level, "WARN") ? 2
                                                              : 1;
    e->stream = arena_fmt(m, "%s/[%.*s]%s", date, STR_ARG(f->version), id);
}

enum isolation env_isolation(struct rie *r)
{
    const char *why;
    if (r->isolation != ISOLATION_UNKNOWN)
        return r->isolation;
    r->isolation = r->opts.no_isolation ? ISOLATION_NONE : process_isolation(&why);
    if (r->isolation == ISOLATION_NONE && !r->opts.no_isolation)
        log_msg(LOG_WARN, "lambda",
                "handlers run without namespaces of their own (%s): a private folder stands for "
                "/tmp, code is writable, and its size limit is not enforced",
                why);
    return r->isolation;
}

static void prepare(struct environment *e, const struct lam_function *f, struct process_spec *spec)
{
    spec->isolation = env_isolation(e->r);
    spec->hide = e->r->data_dir;
    spec->tmp_mb = f->ephemeral_mb > 0 ? f->ephemeral_mb : 512;
    if (spec->isolation == ISOLATION_NONE) {
        char path[] = "/tmp/puddle-env-XXXXXX";
        if (mkdtemp(path) != NULL)
            e->tmp_dir = strdup(path);
        spec->tmp_dir = e->tmp_dir != NULL ? e->tmp_dir : "/tmp";
    }
}

/* A program that is not there is an end in INIT without a process: told on the next tick. */
static void end_at_once(void *arg)
{
    struct environment *e = arg;
    struct rie *r = e->r;
    pool_env_gone(&e->base);
    env_free(e);
    lam_stop_if_idle(r);
}

static void report_missing(struct environment *e, struct str missing)
{
    if (str_eq_c(missing, "bootstrap")) {
        e->init_error_type = STR("Runtime.InvalidEntrypoint");
        e->init_error =
            STR("{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":\"Error: "
                "Couldn't find valid bootstrap(s): [/var/task/bootstrap "
                "/opt/bootstrap]\"}");
    } else {
        e->init_error_type = STR("Runtime.InvalidEntrypoint"); /* ours: AWS has every program */
        e->init_error = arena_fmt(e->mem,
                                  "{\"errorType\":\"Runtime.InvalidEntrypoint\",\"errorMessage\":"
                                  "\"Error: runtime %.*s needs the program %.*s, which is not "
                                  "installed on this machine\"}",
                                  STR_ARG(e->runtime), STR_ARG(missing));
    }
    log_msg(LOG_ERROR, "lambda", "%.*s: %.*s needs %.*s, which is not there", STR_ARG(e->name),
            STR_ARG(e->runtime), STR_ARG(missing));
    loop_defer(e->r->loop, end_at_once, e);
}

static struct pool_env *start(struct pool *p, bool provisioned)
{
    struct lam_pool *pool = (struct lam_pool *)p;
    struct rie *r = pool->r;
    const struct lam_function *f = pool->f;
    struct arena *mem = arena_new(4096, 64 << 20), *scratch = arena_new(0, 64 << 20);
    struct environment *e = ARENA_NEW(mem, struct environment);
    struct process_spec spec = {0};
    struct str missing = STR_NONE;
    int error = 0;
    e->mem = mem;
    e->r = r;
    e->pool = pool;
    e->process = (struct process){0, -1, -1, -1, -1, -1, ISOLATION_NONE};
    e->timer.fn = on_timer;
    e->memory_timer.fn = on_memory;
    e->base.provisioned = provisioned;
    buf_init(&e->out_line, LINE_MAX_BYTES);
    buf_init(&e->err_line, LINE_MAX_BYTES);
    env_take_facts(e, f);
    e->spawn_us = clock_mono_us();
    e->http = rhttp_open(r->loop, RESPONSE_MAX, &env_http_calls, e, &error);
    prepare(e, f, &spec);
    bool there = e->http != NULL && env_build(e, f, scratch, &spec, &missing);
    if (there && !spare_take(r, pool, &spec, &e->process))
        error = process_spawn(&e->process, &spec);
    arena_free(scratch);
    if (error != 0) {
        log_msg(LOG_ERROR, "lambda", "%.*s: no execution environment: %s", STR_ARG(e->name),
                strerror(-error));
        env_free(e);
        return NULL;
    }
    pool_env_init(&e->base, p, provisioned);
    env_log_init_start(e);
    if (!there) {
        report_missing(e, missing);
        return &e->base;
    }
    e->exit_watch = watch_fd(r->loop, e->process.pidfd, on_exit_event, e);
    e->out_watch = watch_fd(r->loop, e->process.out, on_output, e);
    e->err_watch = watch_fd(r->loop, e->process.err, on_output, e);
    e->status_watch = watch_fd(r->loop, e->process.status, on_status, e);
    timer_set(r->loop, &e->timer, clock_mono_ms() + INIT_MS + f->timeout_s * 1000);
    spare_want(r);
    return &e->base;
}

static void refuse(struct pool_job *job, enum pool_refusal why)
{
    invocation_refuse((struct invocation *)job, why);
}

static void emptied(struct pool *p)
{
    lam_pool_release((struct lam_pool *)p);
}

static void patience_over(struct timer *t)
{
    pool_patience_over(&LIST_ITEM(t, struct lam_pool, patience)->p);
}

static void patience(struct pool *p)
{
    struct lam_pool *pool = (struct lam_pool *)p;
    pool->patience.fn = patience_over;
    timer_set(pool->r->loop, &pool->patience, clock_mono_ms() + POOL_PATIENCE_MS);
}

const struct pool_hooks env_hooks = {start, deliver, stop, refuse, init_failed, emptied, patience};
