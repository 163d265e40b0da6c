#include "pool.h"
#include "clock.h"
#include "log.h"
#include "panic.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More processes than this in INIT at once only slow each other down. */
static size_t starting_max(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 2 ? 4 : (size_t)cores * 2;
}

struct lam_pool *lam_pool_new(struct rie *r)
{
    struct lam_pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        PANIC("out of memory");
    p->r = r;
    list_init(&p->envs);
    list_init(&p->queue);
    lam_log_init(&p->log);
    return p;
}

void pool_free_if_empty(struct lam_pool *p)
{
    if (!p->deleted || !list_empty(&p->envs) || !list_empty(&p->queue))
        return;
    lam_log_release(&p->log);
    free(p);
}

void lam_pool_replace(struct lam_pool *p)
{
    struct list *n, *next;
    for (n = p->envs.next; n != &p->envs; n = next) {
        struct environment *e = LIST_ITEM(n, struct environment, link);
        next = n->next;
        e->stale = true;
        if (e->state == ENV_IDLE || (e->state == ENV_INIT && list_empty(&p->queue)))
            env_stop(e);
    }
}

void lam_pool_free(struct lam_pool *p)
{
    struct list *n;
    p->deleted = true;
    while ((n = list_pop_front(&p->queue)) != NULL)
        invocation_refuse(LIST_ITEM(n, struct invocation, link), &LAMBDA_ResourceNotFoundException,
                          "The function was deleted."); /* unverified */
    lam_pool_replace(p);
    pool_free_if_empty(p);
}

void lam_pool_stop_all(struct rie *r)
{
    size_t at = 0;
    void *value;
    while (map_next(&r->functions, &at, NULL, &value)) {
        struct lam_pool *p = ((struct lam_function *)value)->pool;
        struct list *n, *next;
        while ((n = list_pop_front(&p->queue)) != NULL)
            invocation_refuse(LIST_ITEM(n, struct invocation, link), &LAMBDA_ServiceException,
                              "The server is stopping.");
        for (n = p->envs.next; n != &p->envs; n = next) {
            next = n->next;
            env_stop(LIST_ITEM(n, struct environment, link));
        }
    }
}

/* ---- local functions: the newest change below the folder, node_modules left out ---- */

static int64_t newest_change(const char *dir, int depth)
{
    DIR *d = depth > 16 ? NULL : opendir(dir);
    int64_t newest = 0;
    if (d == NULL)
        return 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[4096];
        struct stat st;
        if (e->d_name[0] == '.' || strcmp(e->d_name, "node_modules") == 0 ||
            (size_t)snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= sizeof path ||
            lstat(path, &st) != 0)
            continue;
        int64_t at = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        if (S_ISDIR(st.st_mode)) {
            int64_t below = newest_change(path, depth + 1);
            at = below > at ? below : at;
        }
        newest = at > newest ? at : newest;
    }
    closedir(d);
    return newest;
}

static void check_folder(struct lam_pool *p, struct lam_function *f)
{
    int64_t now = clock_mono_ms();
    if (!f->is_local || (p->folder_checked_ms != 0 && now - p->folder_checked_ms < 20))
        return;
    p->folder_checked_ms = now;
    int64_t stamp = newest_change(f->code_dir.p, 0);
    if (stamp != p->folder_stamp && p->folder_stamp != 0) {
        f->generation++;
        lam_pool_replace(p);
    }
    p->folder_stamp = stamp;
}

/* ---- scheduling ---- */

static struct environment *find_idle(struct lam_pool *p)
{
    for (struct list *n = p->envs.next; n != &p->envs; n = n->next) {
        struct environment *e = LIST_ITEM(n, struct environment, link);
        if (e->state == ENV_IDLE && !e->stale)
            return e;
    }
    return NULL;
}

static struct lam_function *function_of(struct lam_pool *p, const struct invocation *inv)
{
    struct lam_function *f = lam_function_find(p->r, inv->account, inv->region, inv->function);
    return f != NULL && f->pool == p ? f : NULL;
}

/* Starts environments while more invocations wait than are being prepared for. */
static void start_more(struct lam_pool *p)
{
    size_t waiting = 0;
    for (struct list *n = p->queue.next; n != &p->queue; n = n->next)
        waiting++;
    while (waiting > p->starting && p->starting < starting_max() &&
           p->r->environments < p->r->opts.max_environments) {
        struct invocation *inv = LIST_ITEM(p->queue.next, struct invocation, link);
        struct lam_function *f = function_of(p, inv);
        int error = 0;
        if (f != NULL && env_start(p, f, &error) != NULL)
            continue;
        list_remove(&inv->link);
        log_msg(LOG_ERROR, "lambda", "%.*s: no execution environment: %s", STR_ARG(inv->function),
                strerror(-error));
        invocation_refuse(inv, &LAMBDA_ServiceException,
                          "No execution environment could be started.");
        if (--waiting == 0)
            return;
    }
}

void pool_submit(struct lam_pool *p, struct lam_function *f, struct invocation *inv)
{
    inv->pool = p;
    check_folder(p, f);
    struct environment *e = find_idle(p);
    p->invocations++;
    if (e != NULL) {
        env_deliver(e, inv);
        return;
    }
    list_push_back(&p->queue, &inv->link);
    start_more(p);
}

void pool_env_idle(struct environment *e)
{
    struct lam_pool *p = e->pool;
    if (e->stale) {
        env_stop(e);
        return;
    }
    list_remove(&e->link);
    list_push_front(&p->envs, &e->link);
    struct list *n = list_pop_front(&p->queue);
    if (n != NULL)
        env_deliver(e, LIST_ITEM(n, struct invocation, link));
}

/* The process has ended. An environment that never got to its first event fails the invocation it
 * was started for. */
void pool_env_gone(struct environment *e, bool was_init, const char *reason)
{
    struct lam_pool *p = e->pool;
    struct rie *r = p->r;
    struct list *n = was_init && !e->stale ? list_pop_front(&p->queue) : NULL;
    if (n != NULL) {
        struct invocation *inv = LIST_ITEM(n, struct invocation, link);
        struct str payload = e->init_error;
        if (payload.n == 0)
            payload =
                arena_fmt(inv->mem,
                          "{\"errorType\":\"Runtime.ExitError\",\"errorMessage\":\"RequestId: "
                          "%.*s Error: %s\"}",
                          STR_ARG(inv->request_id), reason);
        invocation_finish(inv, payload, true, lam_tail_view(&e->tail));
    }
    list_remove(&e->link);
    r->environments--;
    env_free(e);
    if (!p->deleted)
        start_more(p);
    pool_free_if_empty(p);
    lam_stop_if_idle(r);
}

void rie_write_status(struct rie *r, struct json_out *out)
{
    size_t at = 0;
    void *value;
    json_arr(out, NULL);
    while (map_next(&r->functions, &at, NULL, &value)) {
        const struct lam_function *f = value;
        int64_t all = 0, busy = 0;
        for (struct list *n = f->pool->envs.next; n != &f->pool->envs; n = n->next) {
            all++;
            busy += LIST_ITEM(n, struct environment, link)->state == ENV_BUSY;
        }
        json_obj(out, NULL);
        json_str(out, "name", f->name);
        json_str(out, "runtime", f->runtime);
        json_i64(out, "environments", all);
        json_i64(out, "busy", busy);
        json_i64(out, "invocations", (int64_t)f->pool->invocations);
        json_end(out);
    }
    json_end(out);
}

struct str rie_logs(struct rie *r, struct str account, struct str region, struct str function,
                    uint64_t after, size_t limit, struct arena *a, uint64_t *ret_last)
{
    struct lam_function *f = lam_function_find(r, account, region, function);
    *ret_last = after;
    return f == NULL ? STR_NONE : lam_log_read(&f->pool->log, after, limit, a, ret_last);
}
