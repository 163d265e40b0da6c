/* links: puddle_net */
#include "clock.h"
#include "harness.h"
#include "loop.h"
#include "wait.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static char trace[256];

static void note(char c)
{
    size_t n = strlen(trace);
    if (n + 1 < sizeof trace) {
        trace[n] = c;
        trace[n + 1] = '\0';
    }
}

static struct loop *fresh_loop(void)
{
    trace[0] = '\0';
    return loop_new();
}

struct named_timer {
    struct timer t; /* first */
    char name;
    struct loop *loop;
    int rearm_ms; /* < 0: no */
};

static void on_timer(struct timer *t)
{
    struct named_timer *nt = (struct named_timer *)t;
    note(nt->name);
    if (nt->rearm_ms >= 0)
        timer_set(nt->loop, t, clock_mono_ms() + nt->rearm_ms);
}

static void timers_make(struct named_timer *nt, size_t n)
{
    for (size_t i = 0; i < n; i++)
        nt[i] = (struct named_timer){.t.fn = on_timer, .name = (char)('a' + i), .rearm_ms = -1};
}

TEST(timers_run_when_due_in_order_of_time_and_equal_ones_in_order_of_setting)
{
    struct loop *l = fresh_loop();
    struct named_timer nt[6];
    timers_make(nt, 6);
    clock_fake_set(0, 1000 * 1000);
    static const int64_t due[6] = {1030, 1010, 1020, 1010, 1031, 1010};
    for (size_t i = 0; i < 6; i++)
        timer_set(l, &nt[i].t, due[i]);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "");
    clock_fake_advance_ms(9);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "");
    clock_fake_advance_ms(1);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "bdf");
    clock_fake_advance_ms(20);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "bdfca");
    clock_fake_advance_ms(1);
    loop_tick(l, 0);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "bdfcae");
    clock_fake_off();
    loop_free(l);
}

TEST(timers_can_be_moved_and_cleared)
{
    struct loop *l = fresh_loop();
    struct named_timer nt[3];
    timers_make(nt, 3);
    clock_fake_set(0, 0);
    timer_clear(l, &nt[0].t); /* not set: fine */
    timer_set(l, &nt[0].t, 10);
    timer_set(l, &nt[1].t, 20);
    timer_set(l, &nt[2].t, 30);
    timer_set(l, &nt[0].t, 40); /* later */
    timer_set(l, &nt[2].t, 5);  /* earlier */
    timer_clear(l, &nt[1].t);
    timer_clear(l, &nt[1].t);
    clock_fake_advance_ms(39);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "c");
    clock_fake_advance_ms(1);
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "ca");
    clock_fake_off();
    loop_free(l);
}

TEST(many_timers_set_and_cleared_at_random_still_run_in_order)
{
    enum { N = 500 };
    static struct named_timer nt[N];
    struct loop *l = fresh_loop();
    uint32_t seed = 12345;
    clock_fake_set(0, 0);
    timers_make(nt, N);
    for (int round = 0; round < 4 * N; round++) {
        seed = seed * 1664525u + 1013904223u;
        struct named_timer *t = &nt[(seed >> 8) % N];
        if (seed >> 31)
            timer_set(l, &t->t, (int64_t)(seed >> 16) % 1000);
        else
            timer_clear(l, &t->t);
    }
    size_t set = 0;
    for (int i = 0; i < N; i++)
        set += nt[i].t.heap_index != 0;
    CHECK(set > N / 4);
    for (int ms = 0; ms < 1000; ms++) {
        loop_tick(l, 0);
        for (int i = 0; i < N; i++) {
            if (nt[i].t.heap_index != 0)
                CHECK(nt[i].t.due_ms > ms);
        }
        clock_fake_advance_ms(1);
    }
    for (int i = 0; i < N; i++)
        CHECK_I64((long long)nt[i].t.heap_index, 0);
    clock_fake_off();
    loop_free(l);
}

TEST(a_timer_that_sets_itself_for_now_runs_once_a_tick)
{
    struct loop *l = fresh_loop();
    struct named_timer nt[1];
    timers_make(nt, 1);
    nt[0].loop = l;
    nt[0].rearm_ms = 0;
    timer_set(l, &nt[0].t, 0);
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "a");
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "aa");
    loop_free(l);
}

TEST(the_poll_waits_until_the_next_timer_and_not_longer)
{
    struct loop *l = fresh_loop();
    struct named_timer nt[1];
    timers_make(nt, 1);
    int64_t start = clock_mono_ms();
    timer_set(l, &nt[0].t, start + 30);
    int ticks = 0;
    while (trace[0] == '\0' && ticks < 5) {
        loop_tick(l, -1);
        ticks++;
    }
    CHECK_STR(str_c(trace), "a");
    CHECK(clock_mono_ms() >= start + 30);
    CHECK(ticks <= 2); /* no busy waiting */
    loop_free(l);
}

struct watched {
    struct watch *w, *other;
    int reads, calls;
    bool stop_self, stop_other, pause_other;
};

static void on_readable(void *arg, int fd)
{
    struct watched *d = arg;
    char byte;
    d->calls++;
    if (d->reads > 0 && read(fd, &byte, 1) == 1)
        d->reads--;
    if (d->stop_self)
        watch_stop(d->w);
    if (d->stop_other)
        watch_stop(d->other);
    if (d->pause_other)
        watch_pause(d->other);
    d->stop_self = d->stop_other = d->pause_other = false;
}

TEST(a_watch_is_called_as_long_as_there_is_something_to_read)
{
    struct loop *l = fresh_loop();
    struct watched d = {.reads = 3};
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
    d.w = watch_fd(l, fds[0], on_readable, &d);
    loop_tick(l, 0);
    CHECK_I64(d.calls, 0);
    CHECK(write(fds[1], "abc", 3) == 3);
    for (int i = 0; i < 5; i++)
        loop_tick(l, 0);
    CHECK_I64(d.calls, 3);
    watch_stop(d.w);
    CHECK(fcntl(fds[0], F_GETFD) >= 0); /* not closed */
    close(fds[0]);
    close(fds[1]);
    loop_free(l);
}

TEST(a_paused_watch_is_silent_even_after_the_other_end_closed)
{
    struct loop *l = fresh_loop();
    struct watched d = {0};
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
    d.w = watch_fd(l, fds[0], on_readable, &d);
    watch_pause(d.w);
    watch_pause(d.w);
    close(fds[1]);
    for (int i = 0; i < 3; i++)
        loop_tick(l, 0);
    CHECK_I64(d.calls, 0);
    watch_resume(d.w);
    watch_resume(d.w);
    loop_tick(l, 0);
    CHECK_I64(d.calls, 1);
    watch_pause(d.w);
    watch_stop(d.w);
    close(fds[0]);
    loop_free(l);
}

TEST(a_watch_may_stop_itself_and_others_of_the_same_round)
{
    struct loop *l = fresh_loop();
    struct watched a = {0}, b = {0}, c = {0};
    int ea = eventfd(1, EFD_CLOEXEC), eb = eventfd(1, EFD_CLOEXEC), ec = eventfd(1, EFD_CLOEXEC);
    a.w = watch_fd(l, ea, on_readable, &a);
    b.w = watch_fd(l, eb, on_readable, &b);
    c.w = watch_fd(l, ec, on_readable, &c);
    /* whichever of a and b comes first stops the other; each would stop itself too */
    a.stop_other = b.stop_other = true;
    a.other = b.w;
    b.other = a.w;
    loop_tick(l, 0);
    CHECK_I64(a.calls + b.calls, 1);
    CHECK_I64(c.calls, 1);
    struct watched *left = a.calls ? &a : &b;
    left->stop_self = true;
    loop_tick(l, 0);
    loop_tick(l, 0);
    CHECK_I64(left->calls, 2);
    CHECK_I64(c.calls, 3);
    watch_stop(c.w);
    close(ea);
    close(eb);
    close(ec);
    loop_free(l);
}

TEST(a_watch_paused_by_an_earlier_one_of_the_round_is_not_called)
{
    struct loop *l = fresh_loop();
    struct watched a = {0}, b = {0};
    int ea = eventfd(1, EFD_CLOEXEC), eb = eventfd(1, EFD_CLOEXEC);
    a.w = watch_fd(l, ea, on_readable, &a);
    b.w = watch_fd(l, eb, on_readable, &b);
    a.pause_other = b.pause_other = true;
    a.other = b.w;
    b.other = a.w;
    loop_tick(l, 0);
    CHECK_I64(a.calls + b.calls, 1);
    watch_stop(a.w);
    watch_stop(b.w);
    close(ea);
    close(eb);
    loop_free(l);
}

TEST(pidfds_timerfds_and_signalfds_can_be_watched)
{
    struct loop *l = fresh_loop();
    struct watched p = {0}, t = {0}, s = {0};
    int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    sigset_t usr1, before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &usr1, &before) == 0);
    int sig = signalfd(-1, &usr1, SFD_CLOEXEC);
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    CHECK(pidfd >= 0 && timer >= 0 && sig >= 0);
    p.w = watch_fd(l, pidfd, on_readable, &p);
    t.w = watch_fd(l, timer, on_readable, &t);
    s.w = watch_fd(l, sig, on_readable, &s);
    CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
    while (t.calls == 0)
        loop_tick(l, -1);
    CHECK_I64(s.calls, 0);
    CHECK_I64(p.calls, 0); /* this process lives */
    raise(SIGUSR1);
    loop_tick(l, -1);
    CHECK_I64(s.calls, 1);
    watch_stop(p.w);
    watch_stop(t.w);
    watch_stop(s.w);
    struct signalfd_siginfo info;
    CHECK(read(sig, &info, sizeof info) == sizeof info);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pidfd);
    close(timer);
    close(sig);
    loop_free(l);
}

struct offloaded {
    pthread_t ran_on;
    bool worked;
    char name;
    struct loop *loop;
    struct offloaded *then;
};

static void do_work(void *arg)
{
    struct offloaded *o = arg;
    o->ran_on = pthread_self();
    o->worked = true;
}

static void work_done(void *arg)
{
    struct offloaded *o = arg;
    note(o->worked && !pthread_equal(o->ran_on, pthread_self()) ? o->name : '!');
    if (o->then != NULL)
        loop_offload(o->loop, do_work, work_done, o->then);
}

TEST(offloaded_work_runs_on_another_thread_and_comes_back_in_order)
{
    struct loop *l = fresh_loop();
    struct offloaded last = {.name = 'd'}, jobs[3] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    jobs[1].loop = l;
    jobs[1].then = &last;
    for (int i = 0; i < 3; i++)
        loop_offload(l, do_work, work_done, &jobs[i]);
    CHECK_STR(str_c(trace), ""); /* never nested */
    while (strlen(trace) < 4)
        loop_tick(l, -1);
    CHECK_STR(str_c(trace), "abcd");
    loop_free(l);
}

TEST(freeing_the_loop_finishes_offloaded_work)
{
    struct loop *l = fresh_loop();
    struct offloaded job = {.name = 'a'};
    loop_offload(l, do_work, work_done, &job);
    loop_free(l);
    CHECK_STR(str_c(trace), "a");
}

struct deferring {
    struct loop *loop;
    int again;
};

static void on_deferred(void *arg)
{
    struct deferring *d = arg;
    note('d');
    if (d->again-- > 0)
        loop_defer(d->loop, on_deferred, d);
}

TEST(deferred_functions_run_once_in_the_next_tick_which_does_not_wait)
{
    struct loop *l = fresh_loop();
    struct deferring d = {l, 1};
    loop_defer(l, on_deferred, &d);
    CHECK_STR(str_c(trace), "");
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "d");
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "dd");
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "dd");
    loop_free(l);
}

static struct wait waits[2];
static int to_fire;

static void on_wait(struct wait *w, enum wait_end how)
{
    note(how == WAIT_READY ? 'w' : '!');
    if (w == &waits[0])
        wait_fire(&waits[1], WAIT_READY);
}

static bool on_commit(void *arg)
{
    (void)arg;
    note('C');
    if (to_fire > 0) {
        to_fire = 0;
        wait_fire(&waits[0], WAIT_READY);
    }
    return true;
}

static void fire_first(void *arg)
{
    wait_fire(arg, WAIT_READY);
}

TEST(waits_fired_in_a_tick_run_before_its_commit)
{
    struct loop *l = fresh_loop();
    loop_on_commit(l, on_commit, NULL);
    wait_arm(&waits[0], on_wait);
    wait_arm(&waits[1], on_wait);
    loop_defer(l, fire_first, &waits[0]);
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "wwC");
    loop_free(l);
}

TEST(waits_fired_by_a_commit_run_in_the_next_tick_without_waiting_for_an_event)
{
    struct loop *l = fresh_loop();
    loop_on_commit(l, on_commit, NULL);
    wait_arm(&waits[0], on_wait);
    wait_arm(&waits[1], on_wait);
    to_fire = 1;
    loop_tick(l, 0);
    CHECK_STR(str_c(trace), "C");
    loop_tick(l, -1);
    CHECK_STR(str_c(trace), "CwwC");
    loop_free(l);
}

static void stop_with_three(void *arg)
{
    loop_stop(arg, 3);
}

TEST(loop_run_returns_the_status_it_was_stopped_with)
{
    struct loop *l = fresh_loop();
    loop_defer(l, stop_with_three, l);
    CHECK_I64(loop_run(l), 3);
    loop_stop(l, 4); /* before the start: still counts */
    CHECK_I64(loop_run(l), 4);
    loop_free(l);
}
