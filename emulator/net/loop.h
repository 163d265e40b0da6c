/* loop.h - the tick. One thread runs it and owns all state. Order inside one tick, always:
 *   1 poll sockets, children, timers   2 run handlers, then every fired wait
 *   3 tick_end hooks: the store commits its group; then the held replies are sent
 * so nothing a client was told can be lost, and one commit serves every write of the tick. */
#ifndef PUDDLE_LOOP_H
#define PUDDLE_LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct loop *loop_new(void);
void loop_free(struct loop *l);
int loop_run(struct loop *l); /* until loop_stop(); returns the exit status */
/* One tick with at most max_wait_ms of waiting: for tests. */
void loop_tick(struct loop *l, int max_wait_ms);
void loop_stop(struct loop *l, int exit_status);

/* fn returns false if the commit failed: the tick's replies of calls that write become errors. */
void loop_on_commit(struct loop *l, bool (*fn)(void *), void *arg);

struct timer {      /* zero-initialise; the memory is the caller's */
    int64_t due_ms; /* clock_mono_ms() time */
    void (*fn)(struct timer *t);
    size_t heap_index; /* 0: not set */
    uint64_t seq;      /* the loop's: equal times run in the order of setting */
};
void timer_set(struct loop *l, struct timer *t, int64_t due_ms); /* sets or moves */
void timer_clear(struct loop *l, struct timer *t);               /* fine if not set */

/* Any readable descriptor: pipe, pidfd, timerfd, signalfd. fn is called as long as there is
 * something to read (or the other end has closed). Stop or pause a watch before closing its fd;
 * one watch a descriptor. */
struct watch;
struct watch *watch_fd(struct loop *l, int fd, void (*fn)(void *arg, int fd), void *arg);
/* on: fn is also called as long as the descriptor can be written to. */
void watch_writable(struct watch *w, bool on);
void watch_pause(struct watch *w);
void watch_resume(struct watch *w);
void watch_stop(struct watch *w); /* frees w; does not close fd; fine inside its own fn */

/* For the few blocking things (unzip, file copy, hashing megabytes): work() on a helper thread,
 * done() back on the loop, always later, never nested. */
void loop_offload(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg);
/* Runs fn once on the loop at the start of the next tick. */
void loop_defer(struct loop *l, void (*fn)(void *arg), void *arg);
#endif
