#include "async.h"
#include "clock.h"
#include "code_store.h"
#include "docs.h"
#include "env.h"
#include "file.h"
#include "layers.h"
#include "panic.h"
#include "runtime_files.h"
#include "seam.h"
#include "spare.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OP(name, handler, writes) {#name, handler, writes, NULL},
static struct op ops[] = {
#include "ops.def"
};
#undef OP

static char *copy(const char *s)
{
    char *c = strdup(s);
    if (c == NULL)
        PANIC("out of memory");
    return c;
}

/* More processes than this in INIT at once only slow each other down. */
static size_t starting_max(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 4 : (size_t)cores * 2;
}

void rie_set_log_sink(struct rie *r, void (*sink)(void *arg, const struct rie_log_line *line),
                      void *arg)
{
    r->log_sink = sink;
    r->log_sink_arg = arg;
}

struct rie *rie_new(struct loop *loop, struct net *net, struct db *db, const struct rie_opts *opts,
                    char *reterr, size_t reterr_size)
{
    struct rie *r = calloc(1, sizeof *r);
    char path[4096];
    if (r == NULL)
        PANIC("out of memory");
    r->loop = loop;
    r->net = net;
    r->db = db;
    r->opts = *opts;
    if (r->opts.max_environments == 0)
        r->opts.max_environments = 1000;
    if (r->opts.idle_ms == 0)
        r->opts.idle_ms = 600000;
    pool_set_init(&r->pools, &env_hooks);
    r->pools.max_environments = r->opts.max_environments;
    r->pools.idle_ms = r->opts.idle_ms;
    r->pools.max_starting = starting_max();
    r->pools.spread = r->pools.max_starting / 2;
    map_init(&r->groups);
    list_init(&r->doomed);
    map_init(&r->functions);
    map_init(&r->creating);
    int error = file_mkdirs(opts->code_dir, 0755);
    char *absolute = error == 0 ? realpath(opts->code_dir, NULL) : NULL;
    if (absolute == NULL) {
        snprintf(reterr, reterr_size, "%s: %s", opts->code_dir, strerror(error ? -error : errno));
        free(r);
        return NULL;
    }
    if (strlen(absolute) > CODE_DIR_MAX) {
        snprintf(reterr, reterr_size, "%.200s...: %s", absolute, strerror(ENAMETOOLONG));
        free(absolute);
        free(r);
        return NULL;
    }
    r->code_dir = absolute;
    r->data_dir = copy(absolute);
    char *slash = strrchr(r->data_dir, '/');
    if (slash != NULL && slash != r->data_dir)
        *slash = '\0';
    r->endpoint_url = copy(opts->endpoint_url);
    r->default_account = copy(opts->default_account);
    snprintf(path, sizeof path, "%s/runtime", r->code_dir);
    r->runtime_dir = copy(path);
    r->service = (struct service){.id = "lambda",
                                  .label = "lambda",
                                  .protocol = WIRE_REST_JSON,
                                  .model = &lambda_model,
                                  .ops = ops,
                                  .op_count = sizeof ops / sizeof *ops,
                                  .state = r,
                                  .internal_error = &LAMBDA_ServiceException};
    service_init(&r->service);
    if ((error = runtime_files_write(r->runtime_dir)) != 0)
        snprintf(reterr, reterr_size, "%s: %s", r->runtime_dir, strerror(-error));
    if (error != 0 || !lam_docs_open(r, reterr, reterr_size) ||
        !lam_functions_load(r, reterr, reterr_size) || !async_open(r, reterr, reterr_size)) {
        rie_free(r);
        return NULL;
    }
    lam_code_sweep(r);
    spare_open(r);
    return r;
}

void rie_free(struct rie *r)
{
    lam_code_release(r);
    async_close(r);
    spare_close(r);
    lam_functions_free(r);
    lam_docs_close(r);
    map_release(&r->creating);
    map_release(&r->groups);
    timer_clear(r->loop, &r->reap_timer);
    free(r->data_dir);
    free(r->code_dir);
    free(r->runtime_dir);
    free(r->endpoint_url);
    free(r->default_account);
    free(r);
}

bool rie_url_find(struct rie *r, struct str url_id, struct arena *a, struct lam_url *ret)
{
    return lam_url_find(r, url_id, a, ret);
}

struct service *rie_service(struct rie *r)
{
    return &r->service;
}

size_t rie_function_count(const struct rie *r)
{
    size_t at = 0, n = 0;
    void *value;
    while (map_next(&r->functions, &at, NULL, &value))
        n += !lam_function_is_version(value);
    return n;
}

bool rie_reset(struct rie *r)
{
    for (;;) {
        size_t at = 0;
        void *value;
        if (!map_next(&r->functions, &at, NULL, &value))
            return lam_layers_reset(r) && lam_doc_del_all(r, NULL, STR(""));
        if (!lam_function_delete(r, value))
            return false;
    }
}

void rie_on_stream_exists(struct rie *r, bool (*exists)(void *arg, struct str arn), void *arg)
{
    r->stream_exists = exists;
    r->stream_arg = arg;
}

struct rie_usage rie_usage(const struct rie *r)
{
    return r->usage;
}

struct str rie_log_group(struct rie *r, struct str account, struct str region, struct str function)
{
    const struct lam_function *f = lam_function_find(r, account, region, function);
    return f == NULL ? STR_NONE : f->log_group;
}

/* The folder that name's package was unpacked into: a function, "f:3", or "layer:l:1". */
static struct str package_dir(struct rie *r, struct str account, struct str region, struct str name,
                              struct arena *a)
{
    const struct lam_function *f = lam_function_find(r, account, region, name);
    struct lam_layer_name n = {.account = account, .region = region};
    struct str rest = name;
    if (f != NULL)
        return f->is_local ? STR_NONE : f->code_dir;
    if (!str_eq_c(str_cut(&rest, ':'), "layer") || rest.p == NULL)
        return STR_NONE;
    n.name = str_cut(&rest, ':');
    if (rest.p == NULL || !str_to_i64(rest, &n.version))
        return STR_NONE;
    struct str dir = lam_layer_dir(r, &n, a);
    return dir.n == 0 ? STR_NONE : arena_fmt(a, "%s/%.*s", r->code_dir, STR_ARG(dir));
}

bool rie_code_zip(struct rie *r, struct str account, struct str region, struct str name,
                  struct arena *a, struct str *ret_zip)
{
    struct str dir = package_dir(r, account, region, name, a);
    return dir.n > 0 &&
           file_read(a, arena_fmt(a, "%.*s.zip", STR_ARG(dir)).p, CODE_ZIPPED_MAX, ret_zip) == 0;
}

static void stop_now(struct timer *t)
{
    struct rie *r = (struct rie *)((char *)t - offsetof(struct rie, stop_timer));
    lam_pool_stop_all(r, true);
}

void lam_stop_if_idle(struct rie *r)
{
    lam_code_purge(r);
    if (!r->stopping || r->stopped == NULL)
        return;
    lam_pool_stop_all(r, r->running == 0);
    if (r->pools.environments == 0 && r->running == 0) {
        void (*stopped)(void *) = r->stopped;
        r->stopped = NULL;
        timer_clear(r->loop, &r->stop_timer);
        loop_defer(r->loop, stopped, r->stopped_arg);
    }
}

void rie_shutdown(struct rie *r, int64_t grace_ms, void (*done)(void *arg), void *arg)
{
    r->stopping = true;
    spare_close(r);
    r->stopped = done;
    r->stopped_arg = arg;
    r->stop_timer.fn = stop_now;
    timer_set(r->loop, &r->stop_timer, clock_mono_ms() + grace_ms);
    lam_stop_if_idle(r);
}
