/* The pools of a server's functions: made, changed and ended with their records, and what the
 * management operations tell them (seam.h). */
#include "clock.h"
#include "env.h"
#include "panic.h"
#include "seam.h"
#include "spare.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *group_key(struct str account, struct str region, struct str name)
{
    size_t n = account.n + region.n + name.n + 3;
    char *key = malloc(n);
    if (key == NULL)
        PANIC("out of memory");
    snprintf(key, n, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(name));
    return key;
}

static struct lam_group *group_take(struct rie *r, const char *key)
{
    struct lam_group *g = map_get(&r->groups, str_c(key));
    if (g == NULL) {
        g = calloc(1, sizeof *g);
        if (g == NULL)
            PANIC("out of memory");
        g->g.reserved = -1;
        map_put(&r->groups, str_c(key), g);
    }
    g->refs++;
    return g;
}

static void group_drop(struct rie *r, const char *key, struct lam_group *g)
{
    if (--g->refs > 0)
        return;
    pool_set_reserved(&r->pools, &g->g, -1);
    map_del(&r->groups, str_c(key));
    free(g);
}

struct lam_pool *lam_pool_new(struct rie *r, struct lam_function *f)
{
    struct lam_pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        PANIC("out of memory");
    p->r = r;
    p->f = f;
    p->group_key = group_key(f->account, f->region, f->name);
    p->group = group_take(r, p->group_key);
    pool_init(&p->p, &r->pools, &p->group->g);
    p->p.fresh = r->opts.fresh;
    return p;
}

void lam_pool_attach(struct lam_pool *p, struct lam_function *f)
{
    p->f = f;
    spare_want(p->r);
}

void lam_pool_replace(struct lam_pool *p)
{
    pool_replace(&p->p);
}

void lam_pool_free(struct lam_pool *p)
{
    p->f = NULL;
    pool_delete(&p->p);
}

void lam_pool_release(struct lam_pool *p)
{
    timer_clear(p->r->loop, &p->patience);
    group_drop(p->r, p->group_key, p->group);
    free(p->group_key);
    free(p);
}

void lam_pool_stop_all(struct rie *r, bool now)
{
    pool_set_stop(&r->pools, now);
}

/* ---- idle environments ---- */

static void reap(struct timer *t)
{
    struct rie *r = LIST_ITEM(t, struct rie, reap_timer);
    int64_t next = pool_set_reap(&r->pools, clock_mono_ms());
    if (next >= 0)
        timer_set(r->loop, t, next);
}

void lam_pools_reap_later(struct rie *r)
{
    if (r->reap_timer.heap_index != 0)
        return;
    r->reap_timer.fn = reap;
    timer_set(r->loop, &r->reap_timer, clock_mono_ms() + r->pools.idle_ms);
}

/* ---- what the management side says and asks ---- */

void lam_pool_set_reserved(struct rie *r, struct str account, struct str region, struct str name,
                           int64_t reserved)
{
    char *key = group_key(account, region, name);
    struct lam_group *g = map_get(&r->groups, str_c(key));
    free(key);
    if (g != NULL)
        pool_set_reserved(&r->pools, &g->g, reserved);
}

void lam_pool_set_provisioned(struct rie *r, struct lam_function *f, size_t n)
{
    (void)r;
    pool_set_provisioned(&f->pool->p, n);
}

size_t lam_pool_provisioned_ready(const struct lam_pool *p, bool *ret_failed)
{
    *ret_failed = p->p.provisioned_failed;
    return pool_provisioned_ready(&p->p);
}

size_t lam_pool_running(struct rie *r, struct str account, struct str region, struct str name)
{
    char *key = group_key(account, region, name);
    struct lam_group *g = map_get(&r->groups, str_c(key));
    free(key);
    return g == NULL ? 0 : g->g.active;
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
            strcmp(e->d_name, "__pycache__") == 0 ||
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

void lam_pool_check_folder(struct lam_pool *p)
{
    int64_t now = clock_mono_ms();
    struct lam_function *f = p->f;
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

/* ---- reports ---- */

void rie_write_status(struct rie *r, struct json_out *out)
{
    json_arr(out, NULL);
    for (struct list *n = r->pools.pools.next; n != &r->pools.pools; n = n->next) {
        const struct lam_pool *p = (const struct lam_pool *)LIST_ITEM(n, struct pool, link);
        int64_t all = 0, busy = 0;
        if (p->f == NULL)
            continue;
        for (struct list *m = p->p.envs.next; m != &p->p.envs; m = m->next) {
            all++;
            busy += LIST_ITEM(m, struct pool_env, link)->state == POOL_BUSY;
        }
        json_obj(out, NULL);
        json_str(out, "name", p->f->name);
        if (!str_eq_c(p->f->version, "$LATEST"))
            json_str(out, "version", p->f->version);
        json_str(out, "runtime", p->f->runtime);
        json_i64(out, "environments", all);
        json_i64(out, "busy", busy);
        json_i64(out, "invocations", (int64_t)p->invocations);
        json_double(out, "gb_seconds", (double)p->billed_mb_ms / 1024 / 1000);
        json_end(out);
    }
    json_end(out);
}
