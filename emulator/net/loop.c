#include "loop.h"
#include "clock.h"
#include "loop_internal.h"
#include "panic.h"
#include "wait.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { HOOKS_MAX = 8, WATCH_EVENTS = 64 };

struct watch {
    struct loop *loop;
    int fd;
    uint32_t events;
    void (*fn)(void *arg, int fd);
    void *arg;
    bool paused, stopped;
    struct watch *next_dead;
};
struct job {
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
    struct job *next;
};
struct queue {
    struct job *head, **tail;
};
struct loop {
    struct poll *poll;
    bool stopping;
    int exit_status;
    struct timer **heap; /* heap[1..heap_n], earliest first; equal times in the order of setting */
    size_t heap_n, heap_cap;
    uint64_t timer_seq;
    int watch_epoll;
    bool in_watches;
    struct watch *dead; /* stopped inside a callback: freed after the round */
    struct {
        bool (*fn)(void *);
        void *arg;
    } commits[HOOKS_MAX];
    size_t commit_count;
    struct {
        bool (*fn)(void *, bool);
        void *arg;
    } ends[HOOKS_MAX];
    size_t end_count;
    bool more; /* the next tick has work: its poll does not wait */
    struct queue deferred;
    /* the helper thread, started by the first job */
    pthread_t thread;
    bool thread_started, thread_stop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue jobs, finished; /* under lock */
    int done_fd;                 /* eventfd: something is in finished */
    struct watch *done_watch;
};

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
}

static void queue_push(struct queue *q, struct job *j)
{
    j->next = NULL;
    *q->tail = j;
    q->tail = &j->next;
}

static struct job *queue_pop(struct queue *q)
{
    struct job *j = q->head;
    if (j != NULL && (q->head = j->next) == NULL)
        q->tail = &q->head;
    return j;
}

static struct job *job_new(void (*work)(void *), void (*done)(void *), void *arg)
{
    struct job *j = malloc(sizeof *j);
    if (j == NULL)
        PANIC("out of memory");
    *j = (struct job){work, done, arg, NULL};
    return j;
}

/* ---- timers: a binary heap, index 0 unused so that 0 means "not set" ---- */

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void heap_place(struct loop *l, struct timer *t, size_t i)
{
    while (i > 1 && earlier(t, l->heap[i / 2])) {
        l->heap[i] = l->heap[i / 2];
        l->heap[i]->heap_index = i;
        i /= 2;
    }
    for (;;) {
        size_t child = i * 2;
        if (child > l->heap_n)
            break;
        if (child + 1 <= l->heap_n && earlier(l->heap[child + 1], l->heap[child]))
            child++;
        if (!earlier(l->heap[child], t))
            break;
        l->heap[i] = l->heap[child];
        l->heap[i]->heap_index = i;
        i = child;
    }
    l->heap[i] = t;
    t->heap_index = i;
}

void timer_clear(struct loop *l, struct timer *t)
{
    size_t i = t->heap_index;
    if (i == 0)
        return;
    ASSERT(i <= l->heap_n && l->heap[i] == t);
    t->heap_index = 0;
    struct timer *last = l->heap[l->heap_n--];
    if (last != t)
        heap_place(l, last, i);
}

void timer_set(struct loop *l, struct timer *t, int64_t due_ms)
{
    timer_clear(l, t);
    t->due_ms = due_ms;
    t->seq = ++l->timer_seq;
    if (l->heap_n + 2 > l->heap_cap) {
        l->heap_cap = l->heap_cap == 0 ? 64 : l->heap_cap * 2;
        l->heap = realloc(l->heap, l->heap_cap * sizeof *l->heap);
        if (l->heap == NULL)
            PANIC("out of memory");
    }
    heap_place(l, t, ++l->heap_n);
}

/* One set by a timer's own function waits for the next tick, so that one which sets itself for
 * "now" does not keep the loop here. */
static void run_timers(struct loop *l)
{
    if (l->heap_n == 0)
        return;
    int64_t now = clock_mono_ms();
    uint64_t last_seq = l->timer_seq;
    while (l->heap_n > 0 && l->heap[1]->due_ms <= now && l->heap[1]->seq <= last_seq) {
        struct timer *t = l->heap[1];
        timer_clear(l, t);
        t->fn(t);
    }
}

/* ---- watches: an epoll of our own, itself one descriptor of the event library ---- */

static void run_watches(void *arg)
{
    struct loop *l = arg;
    struct epoll_event events[WATCH_EVENTS];
    int n = epoll_wait(l->watch_epoll, events, WATCH_EVENTS, 0);
    l->in_watches = true;
    for (int i = 0; i < n; i++) {
        struct watch *w = events[i].data.ptr;
        if (!w->stopped && !w->paused)
            w->fn(w->arg, w->fd);
    }
    l->in_watches = false;
    while (l->dead != NULL) {
        struct watch *w = l->dead;
        l->dead = w->next_dead;
        free(w);
    }
}

static void watch_ctl(struct watch *w, int op)
{
    struct epoll_event event = {.events = w->events, .data.ptr = w};
    if (epoll_ctl(w->loop->watch_epoll, op, w->fd, &event) != 0)
        PANIC("epoll_ctl(%d, %d): %s", op, w->fd, strerror(errno));
}

static struct watch *watch_new(struct loop *l, int fd, uint32_t events,
                               void (*fn)(void *arg, int fd), void *arg)
{
    struct watch *w = malloc(sizeof *w);
    if (w == NULL)
        PANIC("out of memory");
    *w = (struct watch){.loop = l, .fd = fd, .events = events, .fn = fn, .arg = arg};
    watch_ctl(w, EPOLL_CTL_ADD);
    return w;
}

struct watch *watch_fd(struct loop *l, int fd, void (*fn)(void *arg, int fd), void *arg)
{
    return watch_new(l, fd, EPOLLIN, fn, arg);
}

struct watch *watch_hangup(struct loop *l, int fd, void (*fn)(void *arg, int fd), void *arg)
{
    return watch_new(l, fd, EPOLLRDHUP | EPOLLONESHOT, fn, arg);
}

void watch_writable(struct watch *w, bool on)
{
    uint32_t events = on ? w->events | EPOLLOUT : w->events & ~(uint32_t)EPOLLOUT;
    ASSERT(!w->stopped);
    if (events == w->events)
        return;
    w->events = events;
    if (!w->paused)
        watch_ctl(w, EPOLL_CTL_MOD);
}

/* Taken out, not masked: epoll reports EPOLLHUP and EPOLLERR even for an empty event mask. */
void watch_pause(struct watch *w)
{
    ASSERT(!w->stopped);
    if (!w->paused)
        watch_ctl(w, EPOLL_CTL_DEL);
    w->paused = true;
}

void watch_resume(struct watch *w)
{
    ASSERT(!w->stopped);
    if (w->paused)
        watch_ctl(w, EPOLL_CTL_ADD);
    w->paused = false;
}

void watch_stop(struct watch *w)
{
    ASSERT(!w->stopped);
    w->stopped = true;
    if (!w->paused)
        watch_ctl(w, EPOLL_CTL_DEL);
    if (!w->loop->in_watches) {
        free(w);
        return;
    }
    w->next_dead = w->loop->dead;
    w->loop->dead = w;
}

/* ---- helper thread ---- */

static void *run_jobs(void *arg)
{
    struct loop *l = arg;
    uint64_t one = 1;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        struct job *j = queue_pop(&l->jobs);
        if (j == NULL) {
            if (l->thread_stop)
                break;
            pthread_cond_wait(&l->wake, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        j->work(j->arg);
        pthread_mutex_lock(&l->lock);
        queue_push(&l->finished, j);
        if (write(l->done_fd, &one, sizeof one) < 0)
            PANIC("eventfd: %s", strerror(errno));
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void take_finished(void *arg, int fd)
{
    struct loop *l = arg;
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return;
    for (;;) {
        pthread_mutex_lock(&l->lock);
        struct job *j = queue_pop(&l->finished);
        pthread_mutex_unlock(&l->lock);
        if (j == NULL)
            return;
        j->done(j->arg);
        free(j);
    }
}

/* Signals are for the loop's thread (signalfd). */
static void start_thread(struct loop *l)
{
    sigset_t all, before;
    l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->done_fd < 0)
        PANIC("eventfd: %s", strerror(errno));
    l->done_watch = watch_fd(l, l->done_fd, take_finished, l);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&l->thread, NULL, run_jobs, l);
    if (error != 0)
        PANIC("helper thread: %s", strerror(error));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->thread_started = true;
}

void loop_offload(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct job *j = job_new(work, done, arg);
    if (!l->thread_started)
        start_thread(l);
    pthread_mutex_lock(&l->lock);
    queue_push(&l->jobs, j);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

void loop_defer(struct loop *l, void (*fn)(void *arg), void *arg)
{
    queue_push(&l->deferred, job_new(NULL, fn, arg));
}

/* ---- the tick ---- */

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        PANIC("out of memory");
    queue_init(&l->deferred);
    queue_init(&l->jobs);
    queue_init(&l->finished);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->wake, NULL);
    l->watch_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->watch_epoll < 0)
        PANIC("epoll_create1: %s", strerror(errno));
    l->poll = poll_new(l->watch_epoll, run_watches, l);
    return l;
}

/* Those queued meanwhile wait for the next tick. */
static void run_deferred(struct loop *l)
{
    struct job *j = l->deferred.head;
    queue_init(&l->deferred);
    while (j != NULL) {
        struct job *next = j->next;
        j->done(j->arg);
        free(j);
        j = next;
    }
}

void loop_free(struct loop *l)
{
    if (l->thread_started) {
        pthread_mutex_lock(&l->lock);
        l->thread_stop = true;
        pthread_cond_signal(&l->wake);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
        take_finished(l, l->done_fd);
        watch_stop(l->done_watch);
        close(l->done_fd);
    }
    run_deferred(l);
    for (struct job *j; (j = queue_pop(&l->deferred)) != NULL;)
        free(j);
    poll_free(l->poll); /* closes watch_epoll */
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->wake);
    free(l->heap);
    free(l);
}

struct poll *loop_poll(struct loop *l)
{
    return l->poll;
}

void loop_on_commit(struct loop *l, bool (*fn)(void *), void *arg)
{
    ASSERT(l->commit_count < HOOKS_MAX);
    l->commits[l->commit_count].fn = fn;
    l->commits[l->commit_count++].arg = arg;
}

void loop_on_tick_end(struct loop *l, bool (*fn)(void *, bool), void *arg)
{
    ASSERT(l->end_count < HOOKS_MAX);
    l->ends[l->end_count].fn = fn;
    l->ends[l->end_count++].arg = arg;
}

void loop_off_tick_end(struct loop *l, void *arg)
{
    for (size_t i = 0; i < l->end_count; i++) {
        if (l->ends[i].arg == arg) {
            l->ends[i] = l->ends[--l->end_count];
            return;
        }
    }
}

static int time_to_wait(const struct loop *l, int max_wait_ms)
{
    if (l->more || l->deferred.head != NULL)
        return 0;
    if (l->heap_n == 0)
        return max_wait_ms;
    int64_t left = l->heap[1]->due_ms - clock_mono_ms();
    left = left < 0 ? 0 : left > INT_MAX ? INT_MAX : left;
    return max_wait_ms < 0 || left < max_wait_ms ? (int)left : max_wait_ms;
}

void loop_tick(struct loop *l, int max_wait_ms)
{
    /* fired by the last tick's hooks */
    if (wait_run_ready())
        l->more = true;
    int wait = time_to_wait(l, max_wait_ms);
    l->more = false;
    poll_run(l->poll, wait);
    run_deferred(l);
    run_timers(l);
    wait_run_ready();
    bool committed = true;
    for (size_t i = 0; i < l->commit_count; i++)
        committed &= l->commits[i].fn(l->commits[i].arg);
    for (size_t i = 0; i < l->end_count; i++)
        l->more |= l->ends[i].fn(l->ends[i].arg, committed);
}

int loop_run(struct loop *l)
{
    while (!l->stopping)
        loop_tick(l, -1);
    l->stopping = false;
    return l->exit_status;
}

void loop_stop(struct loop *l, int exit_status)
{
    l->stopping = true;
    l->exit_status = exit_status;
}
