#include "spare.h"
#include "clock.h"
#include "log.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

enum {
    KINDS = 2,
    SOON_MS = 150,   /* later than the cold start that used the last one */
    AGAIN_MS = 5000, /* after one that ended by itself */
    MESSAGE_MAX = 48 * 1024,
    MISSES_MAX = 2 /* then it gives way to one that would have fitted */
};

struct spare {
    const char *runtime; /* what the names of its runtimes begin with */
    struct spares *all;
    struct arena *mem; /* of argv and env; NULL: there is no spare */
    char **argv, **env;
    struct process process;
    struct watch *exit_watch;
    int64_t not_before_ms;
    const struct lam_pool *last; /* what was started last: the next spare is made after it */
    int misses;                  /* in a row that this spare did not fit */
};
struct spares {
    struct rie *r;
    struct timer timer;
    struct spare kinds[KINDS];
};

/* Read by the program or its libraries before our code runs. */
static bool is_early(const char *variable)
{
    static const char *const starts[] = {
        "NODE_",  "LD_",     "TZ=",    "UV_",   "LANG=",
        "LC_",    "OPENSSL", "SSL_",   "V8_",   "ICU",
        "PYTHON", "MALLOC_", "GLIBC_", "PATH=", "PUDDLE_ENDPOINT_URL="};
    /* these two are only looked at later */
    if (strncmp(variable, "NODE_ENV=", 9) == 0 || strncmp(variable, "NODE_PATH=", 10) == 0)
        return false;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (strncmp(variable, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

static bool has(char *const *list, const char *text)
{
    for (; *list != NULL; list++) {
        if (strcmp(*list, text) == 0)
            return true;
    }
    return false;
}

/* The early variables of one are among the other's. */
static bool early_in(char *const *some, char *const *others)
{
    for (; *some != NULL; some++) {
        if (is_early(*some) && !has(others, *some))
            return false;
    }
    return true;
}

static void forget(struct spare *s)
{
    watch_stop(s->exit_watch);
    s->exit_watch = NULL;
    arena_free(s->mem);
    s->mem = NULL;
}

static void discard(struct spare *s)
{
    if (s->mem == NULL)
        return;
    forget(s);
    process_kill_hard(&s->process);
    process_reap(&s->process);
    process_close(&s->process);
}

static void on_exit_event(void *arg, int fd)
{
    struct spare *s = arg;
    (void)fd;
    forget(s);
    process_reap(&s->process);
    process_close(&s->process);
    s->not_before_ms = clock_mono_ms() + AGAIN_MS;
    spare_want(s->all->r);
}

/* ---- starting ---- */

/* A spare as f would need it. */
static void start(struct spare *s, struct rie *r, const struct lam_function *f, struct lam_pool *p)
{
    struct arena *mem = arena_new(0, 16 << 20);
    struct environment *e = ARENA_NEW(mem, struct environment);
    struct process_spec spec = {.isolation = r->isolation};
    struct str missing = STR_NONE;
    size_t n = 0;
    e->mem = mem;
    e->r = r;
    e->pool = p;
    env_take_facts(e, f);
    if (!env_build(e, f, mem, &spec, &missing)) {
        arena_free(mem);
        s->not_before_ms = clock_mono_ms() + AGAIN_MS;
        return;
    }
    s->argv = ARENA_ARRAY(mem, char *, 4);
    s->argv[0] = spec.argv[0];
    s->argv[1] = spec.argv[1];
    while (spec.env[n] != NULL)
        n++;
    s->env = ARENA_ARRAY(mem, char *, n + 1);
    n = 0;
    for (size_t i = 0; spec.env[i] != NULL; i++) {
        if (is_early(spec.env[i]))
            s->env[n++] = spec.env[i];
    }
    static char word[] = "--spare";
    char *argv[] = {s->argv[0], s->argv[1], word, NULL};
    struct process_spec own = {.isolation = ISOLATION_FULL,
                               .runtime = r->runtime_dir,
                               .hide = r->data_dir,
                               .spare = true,
                               .cwd = "/",
                               .argv = argv,
                               .env = s->env};
    int error = process_spawn(&s->process, &own);
    if (error != 0) {
        log_msg(LOG_DEBUG, "lambda", "no spare %s: %s", s->runtime, strerror(-error));
        arena_free(mem);
        s->not_before_ms = clock_mono_ms() + AGAIN_MS;
        return;
    }
    s->mem = mem;
    s->misses = 0;
    s->exit_watch = watch_fd(r->loop, s->process.pidfd, on_exit_event, s);
}

/* The version whose settings the next spare gets: the one that was started last, if it is still
 * there. */
static struct lam_pool *model_for(const struct spare *s, struct rie *r)
{
    struct lam_pool *found = NULL;
    for (struct list *n = r->pools.pools.next; n != &r->pools.pools; n = n->next) {
        struct lam_pool *p = (struct lam_pool *)LIST_ITEM(n, struct pool, link);
        if (p->f != NULL && str_starts(p->f->runtime, str_c(s->runtime)) &&
            (found == NULL || p == s->last))
            found = p;
    }
    return found;
}

static void refill(struct timer *t)
{
    struct spares *all = LIST_ITEM(t, struct spares, timer);
    struct rie *r = all->r;
    int64_t now = clock_mono_ms(), later = -1;
    if (r->stopping || r->isolation == ISOLATION_NONE)
        return;
    for (size_t i = 0; i < KINDS; i++) {
        struct spare *s = &all->kinds[i];
        if (s->misses >= MISSES_MAX)
            discard(s);
        if (s->mem != NULL)
            continue;
        struct lam_pool *p = model_for(s, r);
        if (p != NULL && s->not_before_ms > now)
            later = s->not_before_ms;
        else if (p != NULL && env_isolation(r) == ISOLATION_FULL)
            start(s, r, p->f, p);
    }
    if (later >= 0)
        timer_set(r->loop, t, later);
}

/* ---- using ---- */

static struct str message_of(const struct process_spec *spec, struct arena *a)
{
    struct json_out w;
    struct buf *b = arena_new_buf(a, MESSAGE_MAX);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "cwd", spec->cwd);
    json_arr(&w, "env");
    for (size_t i = 0; spec->env[i] != NULL; i++) {
        if (!str_is_utf8(str_c(spec->env[i])))
            return STR_NONE;
        json_cstr(&w, NULL, spec->env[i]);
    }
    json_end(&w);
    json_end(&w);
    return b->overflow ? STR_NONE : buf_view(b);
}

static bool fits(const struct spare *s, const struct process_spec *spec)
{
    bool kept = spec->keep == NULL || strncmp(spec->keep, "/tmp/", 5) == 0;
    return s->mem != NULL && spec->isolation == ISOLATION_FULL && spec->layer_count == 0 && kept &&
           strcmp(spec->argv[0], s->argv[0]) == 0 && spec->argv[1] != NULL &&
           strcmp(spec->argv[1], s->argv[1]) == 0 && spec->argv[2] == NULL &&
           early_in(spec->env, s->env) && early_in(s->env, spec->env);
}

bool spare_take(struct rie *r, const struct lam_pool *p, const struct process_spec *spec,
                struct process *ret)
{
    for (size_t i = 0; r->spares != NULL && i < KINDS; i++) {
        struct spare *s = &r->spares->kinds[i];
        if (!str_starts(p->f->runtime, str_c(s->runtime)))
            continue;
        s->last = p;
        if (!fits(s, spec)) {
            s->misses += s->mem != NULL && spec->layer_count == 0;
            continue;
        }
        struct arena *a = arena_new(0, 1 << 20);
        struct str message = message_of(spec, a);
        bool ok = message.n > 0 && process_assign(&s->process, spec, message);
        arena_free(a);
        if (!ok) {
            discard(s);
            return false;
        }
        *ret = s->process;
        forget(s);
        return true;
    }
    return false;
}

void spare_want(struct rie *r)
{
    if (r->spares != NULL && r->spares->timer.heap_index == 0 && !r->stopping)
        timer_set(r->loop, &r->spares->timer, clock_mono_ms() + SOON_MS);
}

void spare_open(struct rie *r)
{
    static const char *const runtimes[KINDS] = {"nodejs", "python"};
    if (!r->opts.spares)
        return;
    struct spares *all = calloc(1, sizeof *all);
    if (all == NULL)
        PANIC("out of memory");
    all->r = r;
    all->timer.fn = refill;
    for (size_t i = 0; i < KINDS; i++)
        all->kinds[i] = (struct spare){.runtime = runtimes[i], .all = all};
    r->spares = all;
    spare_want(r);
}

void spare_close(struct rie *r)
{
    if (r->spares == NULL)
        return;
    timer_clear(r->loop, &r->spares->timer);
    for (size_t i = 0; i < KINDS; i++)
        discard(&r->spares->kinds[i]);
    free(r->spares);
    r->spares = NULL;
}
