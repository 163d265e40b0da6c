/* poll.h - what loop.c needs of the event library (private to net). */
#ifndef PUDDLE_POLL_H
#define PUDDLE_POLL_H
#include <stdbool.h>

struct poll;
/* watch_fd: one descriptor (an epoll of our own) whose readability calls fn. */
struct poll *poll_new(int watch_fd, void (*fn)(void *arg), void *arg);
void poll_free(struct poll *p);
/* Waits at most max_wait_ms (-1: for ever) unless work is pending already, then runs the ready
 * sockets' callbacks. */
void poll_run(struct poll *p, int max_wait_ms);
#endif
