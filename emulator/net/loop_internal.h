/* loop_internal.h - the loop's hooks for net_h2o.c (private to net). */
#ifndef PUDDLE_LOOP_INTERNAL_H
#define PUDDLE_LOOP_INTERNAL_H
#include "loop.h"
#include "poll.h"

struct poll *loop_poll(struct loop *l);
/* After every tick's commit; committed is false when it failed. */
void loop_on_tick_end(struct loop *l, void (*fn)(void *arg, bool committed), void *arg);
#endif
