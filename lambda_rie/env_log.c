/* What an environment writes into its log: the platform's lines, in text or JSON, and the handler's
 * output. */
#include "clock.h"
#include "env.h"
#include "hash.h"
#include "log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_BUDGET = 256 * 1024, DRAIN_BUDGET = 4 << 20 };
enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN };

static void keep_line(struct environment *e, struct str line)
{
    struct rie *r = e->r;
    if (r->log_sink != NULL) {
        struct rie_log_line l = {.account = e->account,
                                 .region = e->region,
                                 .group = e->log_group,
                                 .stream = e->stream,
                                 .time_ms = clock_now_ms(),
                                 .text = line};
        r->log_sink(r->log_sink_arg, &l);
    }
    if (!r->opts.quiet)
        log_msg(LOG_INFO, "function", "%.*s: %.*s", STR_ARG(e->name), STR_ARG(line));
}

void env_log_line(struct environment *e, struct str line)
{
    lam_tail_add(&e->tail, line);
    lam_tail_add(&e->tail, STR("\n"));
    keep_line(e, line);
}

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

/* ---- the platform's events ---- */

struct event {
    struct buf b;
    struct json_out w;
};

static void event_begin(struct event *v)
{
    v->b = (struct buf){.p = NULL, .max = 64 * 1024};
    json_out_init(&v->w, &v->b);
    json_obj(&v->w, NULL);
}

/* The event for subscribers, and as a line of a JSON log if the function's level lets it through.
 */
static void event_end(struct environment *e, struct event *v, const char *type, int level,
                      bool tail)
{
    json_end(&v->w);
    struct str record = buf_view(&v->b);
    if (e->telemetry != NULL)
        telemetry_add(e, "platform", type, record);
    if (e->json_logs && level >= e->system_level) {
        char iso[25];
        struct buf line;
        buf_init(&line, 128 * 1024);
        clock_format_iso(clock_now_ms(), iso);
        buf_addf(&line, "{\"time\":\"%s\",\"type\":\"%s\",\"record\":", iso, type);
        buf_add(&line, record);
        buf_addc(&line, '}');
        if (tail)
            env_log_line(e, buf_view(&line));
        else
            keep_line(e, buf_view(&line));
        buf_release(&line);
    }
    buf_release(&v->b);
}

static bool wants_events(const struct environment *e)
{
    return e->json_logs || e->telemetry != NULL;
}

static const char *init_type(const struct environment *e)
{
    return e->base.provisioned ? "provisioned-concurrency" : "on-demand";
}

/* As AWS names them, with our own version: python:3.13.puddle and a hash of that. */
static void runtime_version(const struct environment *e, char version[64], char arn[160])
{
    size_t letters = 0;
    while (letters < e->runtime.n && e->runtime.p[letters] >= 'a' && e->runtime.p[letters] <= 'z')
        letters++;
    struct str number = str_sub(e->runtime, letters, e->runtime.n);
    if (str_starts(number, STR(".")))
        number = str_sub(number, 1, number.n);
    if (str_ends(number, STR(".x")))
        number.n -= 2;
    snprintf(version, 64, "%.*s:%.*s.v1", (int)letters, e->runtime.p, STR_ARG(number));
    unsigned char digest[32];
    char hex[65];
    hash_sha256(str_c(version), digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(arn, 160, "arn:aws:lambda:%.*s::runtime:%s", STR_ARG(e->region), hex);
}

void env_log_init_start(struct environment *e)
{
    char version[64], arn[160];
    runtime_version(e, version, arn);
    if (!e->json_logs) { /* in the log group only, not in an invocation's tail */
        char line[320];
        int n = snprintf(line, sizeof line,
                         "INIT_START Runtime Version: %s\tRuntime Version ARN: %s", version, arn);
        keep_line(e, (struct str){line, (size_t)n});
    }
    if (!wants_events(e))
        return;
    struct event v;
    event_begin(&v);
    json_cstr(&v.w, "initializationType", init_type(e));
    json_cstr(&v.w, "phase", "init");
    json_cstr(&v.w, "runtimeVersion", version);
    json_cstr(&v.w, "runtimeVersionArn", arn);
    json_str(&v.w, "functionName", e->name);
    json_str(&v.w, "functionVersion", e->version);
    json_str(&v.w, "instanceId", e->stream);
    json_cstr(&v.w, "instanceMaxMemory", "");
    event_end(e, &v, "platform.initStart", LEVEL_INFO, false);
}

/* phase NULL: it went well, which text logs do not mention. */
void env_log_init_report(struct environment *e, const char *phase, const char *status,
                         struct str error_type)
{
    bool ok = strcmp(status, "success") == 0;
    double ms = (double)e->init_us / 1000.0;
    if (!e->json_logs && !ok)
        log_fmt(e, "INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s\tError Type: %.*s",
                ms, phase, status, STR_ARG(error_type));
    if (!wants_events(e))
        return;
    struct event v;
    event_begin(&v);
    json_cstr(&v.w, "initializationType", init_type(e));
    json_cstr(&v.w, "phase", "init");
    json_cstr(&v.w, "status", status);
    if (!ok)
        json_str(&v.w, "errorType", error_type);
    event_end(e, &v, "platform.initRuntimeDone", ok ? LEVEL_DEBUG : LEVEL_WARN, false);
    event_begin(&v);
    json_cstr(&v.w, "initializationType", init_type(e));
    json_cstr(&v.w, "phase", "init");
    json_cstr(&v.w, "status", status);
    if (!ok)
        json_str(&v.w, "errorType", error_type);
    json_obj(&v.w, "metrics");
    json_double(&v.w, "durationMs", ms);
    json_end(&v.w);
    event_end(e, &v, "platform.initReport",
              !ok                   ? LEVEL_WARN
              : e->base.provisioned ? LEVEL_INFO
                                    : LEVEL_DEBUG,
              false);
}

void env_log_start(struct environment *e, const struct invocation *inv)
{
    if (!e->json_logs)
        log_fmt(e, "START RequestId: %.*s Version: %.*s", STR_ARG(inv->request_id),
                STR_ARG(e->version));
    if (!wants_events(e))
        return;
    struct event v;
    event_begin(&v);
    json_str(&v.w, "requestId", inv->request_id);
    json_str(&v.w, "version", e->version);
    event_end(e, &v, "platform.start", LEVEL_INFO, true);
}

void env_log_timeout(struct environment *e, const struct invocation *inv)
{
    char iso[25];
    clock_format_iso(clock_now_ms(), iso);
    env_drain(e);
    log_fmt(e, "%s %.*s Task timed out after %.2f seconds", iso, STR_ARG(inv->request_id),
            (double)inv->timeout_s);
}

static double hundredths(double ms)
{
    return (double)(int64_t)(ms * 100 + 0.5) / 100;
}

static void end_events(struct environment *e, const struct invocation *inv, const char *status,
                       struct str error_type, double ms, int64_t billed, bool cold)
{
    struct event v;
    bool ok = strcmp(status, "success") == 0;
    event_begin(&v);
    json_str(&v.w, "requestId", inv->request_id);
    json_cstr(&v.w, "status", status);
    if (error_type.n > 0)
        json_str(&v.w, "errorType", error_type);
    json_obj(&v.w, "metrics");
    json_double(&v.w, "durationMs", hundredths(ms));
    json_end(&v.w);
    event_end(e, &v, "platform.runtimeDone", ok ? LEVEL_DEBUG : LEVEL_WARN, true);
    event_begin(&v);
    json_str(&v.w, "requestId", inv->request_id);
    json_obj(&v.w, "metrics");
    json_double(&v.w, "durationMs", hundredths(ms));
    json_i64(&v.w, "billedDurationMs", billed);
    json_i64(&v.w, "memorySizeMB", inv->memory_mb);
    json_i64(&v.w, "maxMemoryUsedMB", e->peak_memory >> 20);
    if (cold)
        json_double(&v.w, "initDurationMs", hundredths((double)e->init_us / 1000));
    json_end(&v.w);
    json_cstr(&v.w, "status", status);
    if (error_type.n > 0)
        json_str(&v.w, "errorType", error_type);
    event_end(e, &v, "platform.report", ok ? LEVEL_INFO : LEVEL_WARN, true);
}

void env_log_end(struct environment *e, const struct invocation *inv, const char *status,
                 struct str error_type)
{
    double ms = (double)(clock_mono_us() - inv->start_us) / 1000.0;
    bool cold = !e->init_reported && !e->base.provisioned;
    double billed = ms + (cold ? (double)e->init_us / 1000 : 0); /* INIT is billed since 8/2025 */
    char init[64] = "", end[160] = "";
    e->init_reported = true;
    uint64_t mb_ms = (uint64_t)((int64_t)billed + 1) * (uint64_t)inv->memory_mb;
    e->pool->billed_mb_ms += mb_ms;
    e->r->usage.requests++;
    *(inv->is_arm ? &e->r->usage.arm_mb_ms : &e->r->usage.x86_mb_ms) += mb_ms;
    if (cold)
        snprintf(init, sizeof init, "Init Duration: %.2f ms\t", (double)e->init_us / 1000.0);
    if (strcmp(status, "timeout") == 0)
        snprintf(end, sizeof end, "Status: timeout");
    else if (strcmp(status, "error") == 0)
        snprintf(end, sizeof end, "Status: error\tError Type: %.*s", STR_ARG(error_type));
    if (!e->json_logs) {
        log_fmt(e, "END RequestId: %.*s", STR_ARG(inv->request_id));
        log_fmt(e,
                "REPORT RequestId: %.*s\tDuration: %.2f ms\tBilled Duration: %lld ms\tMemory Size: "
                "%lld MB\tMax Memory Used: %lld MB\t%s%s",
                STR_ARG(inv->request_id), ms, (long long)billed + 1, (long long)inv->memory_mb,
                (long long)(e->peak_memory >> 20), init, end);
    }
    if (wants_events(e))
        end_events(e, inv, status, error_type, ms, (int64_t)billed + 1, cold);
}

/* ---- output ---- */

static void output_line(struct environment *e, struct str line)
{
    env_log_line(e, line);
    if (e->telemetry == NULL)
        return;
    struct buf b;
    buf_init(&b, 2 << 20);
    buf_addc(&b, '"');
    json_escape(&b, line);
    buf_addc(&b, '"');
    telemetry_add(e, "function", "function", buf_view(&b));
    buf_release(&b);
}

/* Reads at most budget bytes; false at end of file. */
static bool read_pipe(struct environment *e, int fd, struct buf *partial, size_t budget)
{
    char chunk[16 * 1024];
    while (budget > 0) {
        size_t want = sizeof chunk < budget ? sizeof chunk : budget;
        ssize_t n = read(fd, chunk, want);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        budget -= (size_t)n;
        struct str rest = {chunk, (size_t)n};
        while (rest.n > 0) {
            ptrdiff_t at = str_find(rest, '\n');
            struct str part = at < 0 ? rest : str_sub(rest, 0, (size_t)at);
            size_t room = partial->max - partial->n;
            if (part.n >= room) { /* a line without end is cut into pieces */
                buf_add(partial, str_sub(part, 0, room));
                rest = str_sub(rest, room, rest.n);
            } else {
                buf_add(partial, part);
                rest = str_sub(rest, part.n + (at >= 0), rest.n);
                if (at < 0)
                    break;
            }
            output_line(e, buf_view(partial));
            buf_clear(partial);
        }
        if ((size_t)n < want)
            return true;
    }
    return true;
}

bool env_read_output(struct environment *e, int fd)
{
    return read_pipe(e, fd, fd == e->process.out ? &e->out_line : &e->err_line, READ_BUDGET);
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
            output_line(e, buf_view(partial[i]));
        buf_clear(partial[i]);
    }
}
