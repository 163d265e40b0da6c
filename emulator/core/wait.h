/* wait.h - completion, the only way to be asynchronous. A wait is armed by whoever wants to know
 * and fired exactly once by the provider; firing only queues it: the loop runs it later in the same
 * tick with an empty stack, never nested in the provider's frame. Loop thread only. The memory is
 * the waiter's and must live until it ran. */
#ifndef PUDDLE_WAIT_H
#define PUDDLE_WAIT_H
#include <stdbool.h>
#include <stdint.h>

enum wait_end { WAIT_READY, WAIT_CANCELLED };
enum wait_state { WAIT_IDLE, WAIT_ARMED, WAIT_FIRED };
struct wait {
    void (*run)(struct wait *w, enum wait_end how);
    struct wait *next;
    enum wait_end how;
    enum wait_state state;
};
void wait_arm(struct wait *w, void (*run)(struct wait *w, enum wait_end how));
void wait_fire(struct wait *w, enum wait_end how); /* asserts that it is armed */
/* Runs everything queued, also what is queued meanwhile; true if anything ran. For the loop. */
bool wait_run_ready(void);
#endif
