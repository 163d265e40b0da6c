#include "server.h"
#include "arn.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "net_fetch.h"
#include "panic.h"
#include "route.h"
#include "temporary.h"
#include "wire.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    BODY_MAX = 80 * 1024 * 1024, /* a 50 MB package in base64 */
    HEAD_MAX = 16 * 1024,        /* facts/dynamodb.md 17 */
    READ_TIMEOUT_MS = 60000,
    GRACE_MS = 10000, /* for running invocations */
    DRAIN_MS = 2000,  /* for the last replies */
    ERROR_MAX = 512
};

struct service *const *server_services(struct server *s)
{
    static struct service *all[7];
    all[0] = ddb_service(s->ddb);
    all[1] = rie_service(s->rie);
    all[2] = gateway_service(s->gateway);
    all[3] = ddb_streams_service(s->ddb);
    all[4] = gateway_service_v2(s->gateway);
    all[5] = cwl_service(s->logs);
    return all;
}

bool server_apply_template(struct server *s, struct arena *a, struct template_summary *ret,
                           char *reterr, size_t reterr_size)
{
    struct template_env env = {.ddb = s->ddb,
                               .rie = s->rie,
                               .gateway = s->gateway,
                               .account = str_c(s->opts.account),
                               .region = STR("us-east-1"),
                               .url = str_c(s->url),
                               .params = s->opts.params,
                               .param_count = s->opts.param_count};
    *ret = (struct template_summary){0};
    return s->opts.template_path == NULL ||
           template_apply(s->opts.template_path, &env, a, ret, reterr, reterr_size);
}

/* ---- starting ---- */

/* The settings of the process itself. The descriptor on which SIGTERM and SIGINT arrive; they are
 * blocked before the first thread starts. */
static int prepare_process(void)
{
    sigset_t set;
    struct rlimit files;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a failed write, not an end */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Nothing to do: that there was a tick is enough. */
static void wake(struct timer *t)
{
    (void)t;
}

/* Wakes the loop when DynamoDB has work of its own: items that expire, old stream records. The
 * clock may move while we wait, but only by a request, and so in a tick. */
static void set_wake_timer(struct server *s)
{
    enum { LONGEST_MS = 3600 * 1000 };
    int64_t due = ddb_due_ms(s->ddb), now = clock_now_ms();
    if (due == INT64_MAX) {
        timer_clear(s->loop, &s->wake_timer);
        return;
    }
    int64_t wait = due <= now ? 0 : due - now;
    s->wake_timer.fn = wake;
    timer_set(s->loop, &s->wake_timer, clock_mono_ms() + (wait < LONGEST_MS ? wait : LONGEST_MS));
}

static bool commit(void *arg)
{
    struct server *s = arg;
    ddb_maintain(s->ddb);
    bool ok = db_commit(s->db);
    set_wake_timer(s); /* behind the commit: if it failed there is work again */
    db_maintain(s->db);
    return ok;
}

static bool is_wildcard(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool is_loopback(const char *host)
{
    return guard_is_loopback_name(str_c(host)) || strcmp(host, "::1") == 0;
}

static bool open_listeners(struct server *s, char *error)
{
    const char *host = s->opts.host;
    int code = 0;
    s->listeners[0] = net_listen(s->net, host, s->opts.port, route_request, s, &code);
    if (s->listeners[0] == NULL) {
        if (code == -EADDRINUSE)
            snprintf(error, ERROR_MAX, "port %u is in use (choose another with --port)",
                     s->opts.port);
        else
            snprintf(error, ERROR_MAX, "cannot listen on %s port %u: %s", host, s->opts.port,
                     strerror(-code));
        return false;
    }
    unsigned port = net_listener_port(s->listeners[0]);
    if (!s->opts.host_given) /* best effort: localhost is ::1 first for some clients */
        s->listeners[1] = net_listen(s->net, "::1", (uint16_t)port, route_request, s, &code);
    bool v6 = strchr(host, ':') != NULL && !is_wildcard(host);
    snprintf(s->url, sizeof s->url, "http://%s%s%s:%u", v6 ? "[" : "",
             is_wildcard(host) ? "127.0.0.1" : host, v6 ? "]" : "", port);
    return true;
}

static void set_guard(struct server *s)
{
    const struct server_opts *o = &s->opts;
    s->guard = (struct guard){.origins = o->origins,
                              .origin_count = o->origin_count,
                              .hosts = o->hosts,
                              .host_count = o->host_count,
                              .any_host = !is_loopback(o->host) && o->host_count == 0};
}

/* Is there such a stream? For event source mappings. */
static bool stream_exists(void *arg, struct str text)
{
    struct server *s = arg;
    struct arena *a = arena_new(0, 16 << 20);
    struct buf *b = arena_new_buf(a, 8192);
    struct json_out w;
    struct arn arn;
    struct jval body;
    struct aws_err err = {0};
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "StreamArn", text);
    json_end(&w);
    bool found = arn_parse(text, &arn) && !b->overflow &&
                 call_run_local(ddb_streams_service(s->ddb), "DescribeStream", arn.account,
                                arn.region, buf_view(b), a, &body, &err);
    arena_free(a);
    return found;
}

static void on_function_line(void *arg, const struct rie_log_line *l)
{
    struct cwl_line line = {.account = l->account,
                            .region = l->region,
                            .group = l->group,
                            .stream = l->stream,
                            .time_ms = l->time_ms,
                            .text = l->text,
                            .end = STR("\n")};
    cwl_emit(((struct server *)arg)->logs, &line);
}

/* Memory and files first, then the port, then the services: a refusal comes before any change. */
static struct service *find_service(void *arg, struct str id)
{
    for (struct service *const *svc = server_services(arg); *svc != NULL; svc++) {
        if (str_eq_c(id, (*svc)->id))
            return *svc;
    }
    return NULL;
}

/* IAM authorization of the user's own APIs. */
static bool check_api_signature(void *arg, const struct http_req *req, struct arena *a,
                                struct str *ret_access_key)
{
    struct server *s = arg;
    struct aws_err err = {0};
    struct wire_identity who;
    struct sigv4_opts opts = {.keys = s->opts.strict_auth ? &s->keys : NULL,
                              .service = STR("execute-api"),
                              .now_ms = clock_now_ms(),
                              .normalize_path = true,
                              .rest = true};
    wire_identify(req, a, str_c(s->opts.account), &who);
    *ret_access_key = who.access_key;
    return sigv4_check(req, &opts, a, &err);
}

static bool open_parts(struct server *s, char *error)
{
    struct db_opts db = {.dir = s->opts.ephemeral ? NULL : s->opts.data_dir,
                         .durable = s->opts.durable};
    struct net_opts net = {
        .max_body_bytes = BODY_MAX, .read_timeout_ms = READ_TIMEOUT_MS, .max_head_bytes = HEAD_MAX};
    char code_dir[4200];
    int code = s->opts.ephemeral
                   ? temporary_open(s->temporary, sizeof s->temporary, &s->temporary_fd)
                   : file_mkdirs(s->opts.data_dir, 0755);
    if (code != 0) {
        s->temporary[0] = '\0';
        snprintf(error, ERROR_MAX, "%.400s: %s",
                 s->opts.ephemeral ? "no temporary folder" : s->opts.data_dir, strerror(-code));
        return false;
    }
    s->db = db_open(&db, error, ERROR_MAX);
    if (s->db == NULL)
        return false;
    s->loop = loop_new();
    s->net = net_new(s->loop, &net);
    if (!open_listeners(s, error))
        return false;
    snprintf(code_dir, sizeof code_dir, "%s/code",
             s->opts.ephemeral ? s->temporary : s->opts.data_dir);
    struct rie_opts rie = {.code_dir = code_dir,
                           .endpoint_url = s->url,
                           .default_account = s->opts.account,
                           .quiet = s->opts.quiet,
                           .fresh = s->opts.fresh,
                           .spares = !s->opts.no_spares,
                           .no_isolation = s->opts.no_isolation,
                           .no_memory_limit = s->opts.no_memory_limit,
                           .strict_runtimes = s->opts.strict_runtimes,
                           .cold_start_ms = s->opts.cold_start_ms};
    s->ddb = ddb_new(s->db, error, ERROR_MAX);
    if (s->ddb != NULL && s->opts.throttle)
        ddb_throttle(s->ddb);
    if (s->ddb != NULL)
        s->logs = cwl_new(s->loop, s->db, error, ERROR_MAX);
    if (s->logs != NULL)
        s->rie = rie_new(s->loop, s->net, s->db, &rie, error, ERROR_MAX);
    if (s->rie != NULL)
        s->gateway = gateway_new(s->db, s->rie, error, ERROR_MAX);
    if (s->gateway == NULL)
        return false;
    rie_set_log_sink(s->rie, on_function_line, s);
    rie_on_stream_exists(s->rie, stream_exists, s);
    gateway_set_loop(s->gateway, s->loop);
    gateway_set_net(s->gateway, s->net);
    gateway_set_url(s->gateway, s->url);
    gateway_set_auth(s->gateway, check_api_signature, s);
    gateway_set_find_service(s->gateway, find_service, s);
    gateway_set_jwks_files(s->gateway, s->opts.jwks, s->opts.jwks_count);
    net_allow_egress(s->net, s->opts.egress, s->opts.egress_count);
    return true;
}

/* "Name (HTTP): http://127.0.0.1:4566/_aws/execute-api/<id>/<stage>/", a line a stage. */
static void print_apis(struct server *s)
{
    struct arena *a = arena_new(0, 256 << 20);
    struct buf *b = arena_new_buf(a, 128 << 20);
    struct json_out w;
    struct jval apis, api = {0};
    json_out_init(&w, b);
    gateway_write_status(s->gateway, &w);
    bool ok = json_parse(a, buf_view(b), JSON_DEPTH_DEFAULT, &apis, NULL);
    while (ok && jval_next(apis, &api, NULL)) {
        struct str name = jval_text(jval_get(api, "name"), a);
        struct str kind = jval_text(jval_get(api, "protocol"), a);
        struct jval urls = jval_get(api, "urls"), url = {0};
        while (jval_next(urls, &url, NULL)) {
            for (size_t i = 0; i < name.n; i++)
                putchar((unsigned char)name.p[i] < 0x20 ? ' ' : name.p[i]);
            printf(" (%.*s): %.*s\n", STR_ARG(kind), STR_ARG(jval_text(url, a)));
        }
    }
    arena_free(a);
}

static void print_ready(struct server *s, const struct template_summary *summary)
{
    if (!is_loopback(s->opts.host))
        log_msg(LOG_WARN, "server",
                "listening on %s: everybody who can reach this address can run code here",
                s->opts.host);
    if (summary->outputs.n > 0)
        printf("%.*s", STR_ARG(summary->outputs));
    print_apis(s);
    printf("puddle: %s (%zu functions, %zu tables, %zu APIs) in %lld ms\nReady.\n", s->url,
           rie_function_count(s->rie), ddb_table_count(s->ddb), gateway_api_count(s->gateway),
           (long long)((clock_mono_us() - s->start_us) / 1000));
    fflush(stdout);
}

/* ---- stopping ---- */

static void wait_for_replies(struct timer *t)
{
    struct server *s = (struct server *)((char *)t - offsetof(struct server, stop_timer));
    /* a client that does not read its reply cannot keep the server */
    if (net_open_exchanges(s->net) == 0 || clock_mono_ms() >= s->drain_until_ms)
        loop_stop(s->loop, 0);
    else
        timer_set(s->loop, t, clock_mono_ms() + 5);
}

static void on_functions_stopped(void *arg)
{
    struct server *s = arg;
    for (size_t i = 0; i < 2; i++) {
        if (s->listeners[i] != NULL)
            net_listener_close(s->listeners[i]);
        s->listeners[i] = NULL;
    }
    s->drain_until_ms = clock_mono_ms() + DRAIN_MS;
    s->stop_timer.fn = wait_for_replies;
    timer_set(s->loop, &s->stop_timer, clock_mono_ms());
}

/* No invocation starts any more; those that run may still call the services, so the port stays open
 * for them until they are done. */
static void on_signal(void *arg, int fd)
{
    struct server *s = arg;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != sizeof info)
        return;
    if (s->stopping) {
        if (s->temporary[0] != '\0')
            temporary_remove(s->temporary, s->temporary_fd);
        _exit(1); /* a second signal: at once */
    }
    s->stopping = true;
    rie_shutdown(s->rie, GRACE_MS, on_functions_stopped, s);
}

static void close_parts(struct server *s)
{
    if (s->gateway != NULL)
        gateway_free(s->gateway);
    if (s->rie != NULL)
        rie_free(s->rie);
    if (s->logs != NULL)
        cwl_free(s->logs);
    if (s->ddb != NULL)
        ddb_free(s->ddb);
    if (s->net != NULL)
        net_free(s->net);
    if (s->loop != NULL)
        loop_free(s->loop);
    if (s->db != NULL)
        db_close(s->db);
    if (s->temporary[0] != '\0')
        temporary_remove(s->temporary, s->temporary_fd);
    map_release(&s->unknown_seen);
}

int server_run(const struct server_opts *opts, int64_t start_us)
{
    static struct server s; /* the loop's callbacks point into it */
    char error[ERROR_MAX] = "could not start";
    struct template_summary summary;
    struct arena *a = arena_new(0, (size_t)256 << 20);
    int signals = prepare_process(), status = 1;
    s.opts = *opts;
    s.start_us = start_us;
    s.keys = (struct sigv4_keys){s.opts.keys, s.opts.key_count};
    map_init(&s.unknown_seen);
    set_guard(&s);
    bool ok = open_parts(&s, error) && server_apply_template(&s, a, &summary, error, sizeof error);
    if (ok && !db_commit(s.db)) {
        ok = false;
        snprintf(error, sizeof error, "the data could not be written");
    }
    if (ok) {
        loop_on_commit(s.loop, commit, &s);
        set_wake_timer(&s);
        struct watch *watch = watch_fd(s.loop, signals, on_signal, &s);
        print_ready(&s, &summary);
        status = loop_run(s.loop);
        watch_stop(watch);
    } else {
        fprintf(stderr, "puddle: %s\n", error);
    }
    arena_free(a);
    close_parts(&s);
    close(signals);
    return status;
}
