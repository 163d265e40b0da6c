#include "linger.h"
#include "clock.h"
#include "panic.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_MS = 2000, LINGER_MAX = 64 };

struct lingerer {
    struct list link;
    struct linger_set *set;
    int fd;
    struct watch *watch;
    struct timer timer;
};

static void finish(struct lingerer *g)
{
    list_remove(&g->link);
    g->set->count--;
    timer_clear(g->set->loop, &g->timer);
    watch_stop(g->watch);
    close(g->fd);
    free(g);
}

static void on_timer(struct timer *t)
{
    finish(LIST_ITEM(t, struct lingerer, timer));
}

static void on_readable(void *arg, int fd)
{
    char dropped[64 * 1024];
    ssize_t n = read(fd, dropped, sizeof dropped);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        finish(arg);
}

void linger_init(struct linger_set *s, struct loop *l)
{
    s->loop = l;
    s->count = 0;
    list_init(&s->all);
}

void linger_start(struct linger_set *s, int fd)
{
    if (s->count >= LINGER_MAX || shutdown(fd, SHUT_WR) != 0)
        return;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    struct lingerer *g = calloc(1, sizeof *g);
    if (g == NULL)
        PANIC("out of memory");
    g->set = s;
    g->fd = copy;
    g->watch = watch_fd(s->loop, copy, on_readable, g);
    g->timer.fn = on_timer;
    timer_set(s->loop, &g->timer, clock_mono_ms() + LINGER_MS);
    list_push_back(&s->all, &g->link);
    s->count++;
}

void linger_release(struct linger_set *s)
{
    while (!list_empty(&s->all))
        finish(LIST_ITEM(s->all.next, struct lingerer, link));
}
