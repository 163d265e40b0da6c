#include "pool.h"
#include "panic.h"

void pool_set_init(struct pool_set *s, const struct pool_hooks *hooks)
{
    *s = (struct pool_set){.hooks = hooks,
                           .max_environments = 1000,
                           .max_starting = 4,
                           .spread = 1,
                           .concurrency = 1000,
                           .idle_ms = 600000};
    list_init(&s->pools);
}

void pool_init(struct pool *p, struct pool_set *s, struct pool_group *g)
{
    *p = (struct pool){.set = s, .group = g};
    list_init(&p->envs);
    list_init(&p->jobs);
    list_push_back(&s->pools, &p->link);
}

static struct pool_env *env_at(struct list *n)
{
    return LIST_ITEM(n, struct pool_env, link);
}

static void check_empty(struct pool *p)
{
    if (!p->deleted || !list_empty(&p->envs) || !list_empty(&p->jobs))
        return;
    list_remove(&p->link);
    p->set->hooks->emptied(p);
}

/* ---- limits ---- */

bool pool_has_room(const struct pool *p, enum pool_refusal *ret_why)
{
    const struct pool_set *s = p->set;
    const struct pool_group *g = p->group;
    if (g->reserved >= 0) {
        *ret_why = POOL_THROTTLED_RESERVED;
        return g->active < (size_t)g->reserved;
    }
    size_t unreserved = s->concurrency > s->reserved ? s->concurrency - s->reserved : 0;
    *ret_why = POOL_THROTTLED;
    return s->active - s->active_reserved < unreserved;
}

static void count(struct pool *p, bool add)
{
    struct pool_set *s = p->set;
    ASSERT(add || (s->active > 0 && p->group->active > 0));
    s->active += add ? 1 : (size_t)-1;
    p->group->active += add ? 1 : (size_t)-1;
    if (p->group->reserved >= 0)
        s->active_reserved += add ? 1 : (size_t)-1;
}

void pool_set_reserved(struct pool_set *s, struct pool_group *g, int64_t reserved)
{
    if (g->reserved >= 0) {
        s->reserved -= (size_t)g->reserved;
        s->active_reserved -= g->active;
    }
    g->reserved = reserved < 0 ? -1 : reserved;
    if (g->reserved >= 0) {
        s->reserved += (size_t)g->reserved;
        s->active_reserved += g->active;
    }
}

static void take_off(struct pool_job *j)
{
    list_remove(&j->link);
    j->pool->waiting--;
}

static void refuse(struct pool_job *j, enum pool_refusal why)
{
    take_off(j);
    count(j->pool, false);
    j->pool->set->hooks->refuse(j, why);
}

/* ---- starting ---- */

/* The machine is full: the environment that idles longest makes room. */
static void make_room(struct pool_set *s)
{
    struct pool_env *oldest = NULL;
    for (struct list *n = s->pools.next; n != &s->pools; n = n->next) {
        struct pool *p = LIST_ITEM(n, struct pool, link);
        for (struct list *m = p->envs.next; m != &p->envs; m = m->next) {
            struct pool_env *e = env_at(m);
            if (e->state == POOL_STOPPING)
                return; /* room is on its way */
            if (e->state == POOL_IDLE && !e->provisioned &&
                (oldest == NULL || e->ready_ms < oldest->ready_ms))
                oldest = e;
        }
    }
    if (oldest != NULL)
        pool_env_stop(oldest);
}

static struct pool_env *start_one(struct pool *p, bool provisioned)
{
    struct pool_env *e = p->set->hooks->start(p, provisioned);
    ASSERT(e == NULL || e->pool == p);
    return e;
}

/* Environments while more invocations wait than are being prepared for. */
static void start_more(struct pool *p)
{
    struct pool_set *s = p->set;
    while (p->waiting > p->starting && s->starting < s->max_starting && !p->deleted) {
        if (s->environments >= s->max_environments) {
            make_room(s);
            return;
        }
        if (start_one(p, false) == NULL) {
            refuse(LIST_ITEM(p->jobs.next, struct pool_job, link), POOL_NO_ENVIRONMENT);
            continue;
        }
    }
    while (!s->stopping && !p->deleted && p->provisioned < p->want_provisioned &&
           !p->provisioned_failed && s->starting < s->max_starting &&
           s->environments < s->max_environments && start_one(p, true) != NULL)
        ;
}

static void start_everywhere(struct pool_set *s)
{
    for (struct list *n = s->pools.next, *next; n != &s->pools; n = next) {
        next = n->next;
        start_more(LIST_ITEM(n, struct pool, link));
    }
}

void pool_env_init(struct pool_env *e, struct pool *p, bool provisioned)
{
    *e = (struct pool_env){.pool = p, .state = POOL_INIT, .provisioned = provisioned};
    list_push_back(&p->envs, &e->link);
    p->starting++;
    p->provisioned += provisioned;
    p->set->starting++;
    p->set->environments++;
}

/* ---- running ---- */

static void deliver(struct pool_env *e, struct pool_job *j)
{
    ASSERT(e->state == POOL_IDLE && e->job == NULL && !e->stale);
    e->state = POOL_BUSY;
    e->job = j;
    e->pool->set->hooks->deliver(e, j);
}

/* As many are about to ask for their next event as invocations wait? */
static bool enough_finish(const struct pool *p)
{
    size_t n = 0;
    for (const struct list *m = p->envs.next; m != &p->envs; m = m->next) {
        const struct pool_env *e = LIST_ITEM(m, struct pool_env, link);
        n += e->finishing && e->state == POOL_BUSY && !e->stale;
    }
    return !p->fresh && n >= p->waiting;
}

/* Will the busy environments be through with what waits before a new one could help? */
static bool is_worth_waiting(const struct pool *p)
{
    int64_t busy = 0;
    for (const struct list *n = p->envs.next; n != &p->envs; n = n->next) {
        const struct pool_env *e = LIST_ITEM(n, struct pool_env, link);
        busy += e->state == POOL_BUSY && !e->stale;
    }
    return busy > 0 && !p->fresh &&
           (enough_finish(p) ||
            (busy >= (int64_t)p->set->spread && p->typical_us > 0 &&
             p->typical_us * (int64_t)p->waiting / busy < POOL_PATIENCE_MS * 1000));
}

static void wait_patiently(struct pool *p)
{
    if (p->patient)
        return;
    p->patient = true;
    p->patience_from = p->submitted;
    p->set->hooks->patience(p);
}

void pool_submit(struct pool *p, struct pool_job *j)
{
    enum pool_refusal why;
    j->pool = p;
    j->number = ++p->submitted;
    list_init(&j->link);
    if (p->deleted || p->set->stopping) {
        p->set->hooks->refuse(j, p->deleted ? POOL_DELETED : POOL_STOPPING_SERVER);
        return;
    }
    if (!pool_has_room(p, &why)) {
        p->set->hooks->refuse(j, why);
        return;
    }
    count(p, true);
    for (struct list *n = p->envs.next; n != &p->envs; n = n->next) {
        if (env_at(n)->state == POOL_IDLE) {
            deliver(env_at(n), j);
            return;
        }
    }
    list_push_back(&p->jobs, &j->link);
    p->waiting++;
    if (p->set->hooks->patience == NULL || !is_worth_waiting(p))
        start_more(p);
    else
        wait_patiently(p);
}

void pool_patience_over(struct pool *p)
{
    p->patient = false;
    if (p->waiting == 0)
        return;
    bool stuck = LIST_ITEM(p->jobs.next, struct pool_job, link)->number <= p->patience_from;
    if (stuck && !(enough_finish(p) && ++p->rounds < POOL_FINISHING_ROUNDS)) {
        p->rounds = 0;
        start_more(p); /* it has waited all the time */
    } else {
        wait_patiently(p);
    }
}

void pool_job_done(struct pool_job *j, int64_t duration_us)
{
    struct pool *p = j->pool;
    count(p, false);
    if (duration_us >= 0)
        p->typical_us =
            p->typical_us == 0 ? duration_us + 1 : (p->typical_us * 7 + duration_us) / 8 + 1;
}

static void leave_init(struct pool_env *e)
{
    if (e->was_ready)
        return;
    e->was_ready = true;
    e->pool->starting--;
    e->pool->set->starting--;
}

void pool_env_ready(struct pool_env *e, int64_t now_ms)
{
    struct pool *p = e->pool;
    bool first = !e->was_ready;
    ASSERT(e->state == POOL_INIT || e->state == POOL_BUSY);
    leave_init(e);
    if (first && e->provisioned)
        p->provisioned_failed = false;
    e->job = NULL;
    e->finishing = false;
    e->state = POOL_IDLE;
    e->ready_ms = now_ms;
    if (e->stale || (p->fresh && !first) || (p->set->stopping && list_empty(&p->jobs))) {
        pool_env_stop(e);
    } else {
        list_remove(&e->link);
        list_push_front(&p->envs, &e->link);
        if (!list_empty(&p->jobs)) {
            struct pool_job *j = LIST_ITEM(p->jobs.next, struct pool_job, link);
            take_off(j);
            deliver(e, j);
        }
    }
    if (first)
        start_everywhere(p->set);
}

void pool_env_stop(struct pool_env *e)
{
    if (e->state == POOL_STOPPING)
        return;
    e->state = POOL_STOPPING;
    e->pool->set->hooks->stop(e);
}

/* An environment that never got to its first event fails the invocation it was started for. */
void pool_env_gone(struct pool_env *e)
{
    struct pool *p = e->pool;
    struct pool_set *s = p->set;
    bool in_init = !e->was_ready;
    leave_init(e);
    list_remove(&e->link);
    s->environments--;
    p->provisioned -= e->provisioned;
    if (in_init && e->provisioned && !e->stale)
        p->provisioned_failed = true; /* unverified: AWS goes on trying for a while */
    else if (in_init && !e->stale && !list_empty(&p->jobs)) {
        struct pool_job *j = LIST_ITEM(p->jobs.next, struct pool_job, link);
        take_off(j);
        s->hooks->init_failed(e, j);
    }
    if (!p->deleted)
        start_more(p);
    start_everywhere(s);
    check_empty(p);
}

/* ---- changes ---- */

void pool_replace(struct pool *p)
{
    p->provisioned_failed = false;
    for (struct list *n = p->envs.next, *next; n != &p->envs; n = next) {
        struct pool_env *e = env_at(n);
        next = n->next;
        e->stale = true;
        if (e->state != POOL_BUSY)
            pool_env_stop(e);
    }
}

void pool_delete(struct pool *p)
{
    p->deleted = true;
    while (!list_empty(&p->jobs))
        refuse(LIST_ITEM(p->jobs.next, struct pool_job, link), POOL_DELETED);
    pool_replace(p);
    check_empty(p);
}

void pool_set_provisioned(struct pool *p, size_t n)
{
    p->want_provisioned = n;
    p->provisioned_failed = false;
    for (struct list *m = p->envs.prev, *next; m != &p->envs && p->provisioned > n; m = next) {
        struct pool_env *e = env_at(m);
        next = m->prev;
        if (!e->provisioned)
            continue;
        e->provisioned = false; /* an ordinary one from now on: reaped when it idles */
        p->provisioned--;
    }
    start_more(p);
}

size_t pool_provisioned_ready(const struct pool *p)
{
    size_t n = 0;
    for (struct list *m = p->envs.next; m != &p->envs; m = m->next)
        n += env_at(m)->provisioned && env_at(m)->was_ready && !env_at(m)->stale;
    return n;
}

int64_t pool_set_reap(struct pool_set *s, int64_t now_ms)
{
    int64_t next_due = -1;
    for (struct list *n = s->pools.next, *next; n != &s->pools; n = next) {
        struct pool *p = LIST_ITEM(n, struct pool, link);
        next = n->next;
        for (struct list *m = p->envs.next, *after; m != &p->envs; m = after) {
            struct pool_env *e = env_at(m);
            after = m->next;
            if (e->state != POOL_IDLE || e->provisioned)
                continue;
            int64_t due = e->ready_ms + s->idle_ms;
            if (due <= now_ms)
                pool_env_stop(e);
            else if (next_due < 0 || due < next_due)
                next_due = due;
        }
    }
    return next_due;
}

void pool_set_stop(struct pool_set *s, bool now)
{
    s->stopping = true;
    for (struct list *n = s->pools.next, *next; n != &s->pools; n = next) {
        struct pool *p = LIST_ITEM(n, struct pool, link);
        next = n->next;
        if (now) {
            while (!list_empty(&p->jobs))
                refuse(LIST_ITEM(p->jobs.next, struct pool_job, link), POOL_STOPPING_SERVER);
        }
        for (struct list *m = p->envs.next, *after; m != &p->envs; m = after) {
            struct pool_env *e = env_at(m);
            after = m->next;
            if (now || e->state == POOL_IDLE)
                pool_env_stop(e);
        }
    }
}
