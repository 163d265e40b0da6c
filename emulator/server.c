#include "server.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "panic.h"
#include "route.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { BODY_MAX = 80 * 1024 * 1024, READ_TIMEOUT_MS = 60000, GRACE_MS = 10000, ERROR_MAX = 512 };

struct service *const *server_services(struct server *s)
{
    static struct service *all[4];
    all[0] = ddb_service(s->ddb);
    all[1] = rie_service(s->rie);
    all[2] = gateway_service(s->gateway);
    return all;
}

static int fail(const char *message)
{
    fprintf(stderr, "puddle: %s\n", message);
    return 1;
}

/* Folders of ephemeral servers that were killed: named after their process. */
static void remove_stale_folders(void)
{
    DIR *d = opendir("/tmp");
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300];
        int64_t pid;
        struct str name = str_c(e->d_name);
        if (!str_starts(name, STR("puddle-")) || !str_to_i64(str_sub(name, 7, name.n), &pid) ||
            pid <= 1 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        snprintf(path, sizeof path, "/tmp/%s", e->d_name);
        file_remove_tree(path);
    }
    closedir(d);
}

static bool commit(void *arg)
{
    struct server *s = arg;
    bool ok = db_commit(s->db);
    db_maintain(s->db);
    return ok;
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
            snprintf(error, ERROR_MAX, "%s:%u: %s", host, s->opts.port, strerror(-code));
        return false;
    }
    if (!s->opts.host_given) /* best effort: localhost is ::1 first for some clients */
        s->listeners[1] =
            net_listen(s->net, "::1", net_listener_port(s->listeners[0]), route_request, s, &code);
    return true;
}

static bool open_parts(struct server *s, char *error)
{
    struct db_opts db = {.dir = s->opts.ephemeral ? NULL : s->opts.data_dir,
                         .durable = s->opts.durable};
    struct net_opts net = {.max_body_bytes = BODY_MAX, .read_timeout_ms = READ_TIMEOUT_MS};
    char code_dir[4096], url[128];
    if (!s->opts.ephemeral && file_mkdirs(s->opts.data_dir, 0755) != 0) {
        snprintf(error, ERROR_MAX, "%s: cannot make the data folder", s->opts.data_dir);
        return false;
    }
    s->db = db_open(&db, error, ERROR_MAX);
    if (s->db == NULL)
        return false;
    s->loop = loop_new();
    s->net = net_new(s->loop, &net);
    if (!open_listeners(s, error))
        return false;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", net_listener_port(s->listeners[0]));
    if (s->opts.ephemeral)
        snprintf(s->temporary, sizeof s->temporary, "/tmp/puddle-%d", (int)getpid());
    snprintf(code_dir, sizeof code_dir, "%s/code",
             s->opts.ephemeral ? s->temporary : s->opts.data_dir);
    struct rie_opts rie = {.code_dir = code_dir,
                           .endpoint_url = url,
                           .default_account = s->opts.account,
                           .quiet = s->opts.quiet};
    s->ddb = ddb_new(s->db, error, ERROR_MAX);
    if (s->ddb != NULL)
        s->rie = rie_new(s->loop, s->net, s->db, &rie, error, ERROR_MAX);
    if (s->rie != NULL)
        s->gateway = gateway_new(s->db, s->rie, error, ERROR_MAX);
    if (s->gateway == NULL)
        return false;
    gateway_set_loop(s->gateway, s->loop);
    return true;
}

static bool apply_template(struct server *s, struct arena *a, struct template_summary *summary,
                           char *error)
{
    struct template_env env = {.ddb = s->ddb,
                               .rie = s->rie,
                               .gateway = s->gateway,
                               .account = str_c(s->opts.account),
                               .region = STR("us-east-1"),
                               .params = s->opts.params,
                               .param_count = s->opts.param_count};
    if (s->opts.template_path == NULL)
        return true;
    return template_apply(s->opts.template_path, &env, a, summary, error, ERROR_MAX);
}

/* ---- stopping ---- */

static void wait_for_replies(struct timer *t)
{
    struct server *s = (struct server *)((char *)t - offsetof(struct server, stop_timer));
    /* long polls of dead runtimes do not count for ever */
    if (net_open_exchanges(s->net) == 0 || clock_mono_ms() > t->due_ms + 2000)
        loop_stop(s->loop, 0);
    else
        timer_set(s->loop, t, clock_mono_ms() + 10);
}

static void on_functions_stopped(void *arg)
{
    struct server *s = arg;
    s->stop_timer.fn = wait_for_replies;
    timer_set(s->loop, &s->stop_timer, clock_mono_ms());
}

static void on_signal(void *arg, int fd)
{
    static bool stopping;
    struct server *s = arg;
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != sizeof info)
        return;
    if (stopping)
        _exit(1); /* a second signal: at once */
    stopping = true;
    for (size_t i = 0; i < 2; i++) {
        if (s->listeners[i] != NULL)
            net_listener_close(s->listeners[i]);
    }
    rie_shutdown(s->rie, GRACE_MS, on_functions_stopped, s);
}

static int watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void print_ready(struct server *s, const struct template_summary *summary, int64_t start_us)
{
    if (summary->outputs.n > 0)
        printf("%.*s", STR_ARG(summary->outputs));
    printf("puddle: http://127.0.0.1:%u (%zu functions, %zu tables, %zu APIs) in %lld ms\n",
           net_listener_port(s->listeners[0]), rie_function_count(s->rie), ddb_table_count(s->ddb),
           gateway_api_count(s->gateway), (long long)((clock_mono_us() - start_us) / 1000));
    printf("Ready.\n");
    fflush(stdout);
}

static void close_parts(struct server *s)
{
    if (s->gateway != NULL)
        gateway_free(s->gateway);
    if (s->rie != NULL)
        rie_free(s->rie);
    if (s->ddb != NULL)
        ddb_free(s->ddb);
    if (s->net != NULL)
        net_free(s->net);
    if (s->loop != NULL)
        loop_free(s->loop);
    if (s->db != NULL)
        db_close(s->db);
    if (s->temporary[0] != '\0')
        file_remove_tree(s->temporary);
}

int server_run(const struct server_opts *opts, int64_t start_us)
{
    static struct server s;
    char error[ERROR_MAX] = "could not start";
    struct template_summary summary = {0};
    struct arena *a = arena_new(0, (size_t)256 << 20);
    int signals = watch_signals(), status = 1;
    s.opts = *opts;
    s.keys = (struct sigv4_keys){s.opts.keys, s.opts.key_count};
    remove_stale_folders();
    if (!open_parts(&s, error) || !apply_template(&s, a, &summary, error)) {
        fail(error);
    } else if (!db_commit(s.db)) {
        fail("the data could not be written");
    } else {
        loop_on_commit(s.loop, commit, &s);
        watch_fd(s.loop, signals, on_signal, &s);
        print_ready(&s, &summary, start_us);
        status = loop_run(s.loop);
    }
    arena_free(a);
    close_parts(&s);
    return status;
}
