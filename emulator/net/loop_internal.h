/* loop_internal.h - the loop's hooks for net_h2o.c (private to net). */
#ifndef PUDDLE_LOOP_INTERNAL_H
#define PUDDLE_LOOP_INTERNAL_H
#include "loop.h"
#include "poll.h"

struct poll *loop_poll(struct loop *l);
/* After every tick's commit; committed is false when it failed. fn returns true if it left work
 * for the next tick, which then does not wait for events. */
void loop_on_tick_end(struct loop *l, bool (*fn)(void *arg, bool committed), void *arg);
void loop_off_tick_end(struct loop *l, void *arg);
/* Like watch_fd, but fn runs, at most once, when a socket's peer has shut down or reset the
 * connection; what it sent is left unread. */
struct watch *watch_hangup(struct loop *l, int fd, void (*fn)(void *arg, int fd), void *arg);
#endif
