#include "wait.h"
#include "panic.h"
#include <stddef.h>

static struct wait *head, **tail = &head;

void wait_arm(struct wait *w, void (*run)(struct wait *w, enum wait_end how))
{
    ASSERT(w->state != WAIT_FIRED);
    *w = (struct wait){.run = run, .state = WAIT_ARMED};
}

void wait_fire(struct wait *w, enum wait_end how)
{
    ASSERT(w->state == WAIT_ARMED);
    w->state = WAIT_FIRED;
    w->how = how;
    w->next = NULL;
    *tail = w;
    tail = &w->next;
}

bool wait_run_ready(void)
{
    bool any = false;
    while (head != NULL) {
        struct wait *w = head;
        head = w->next;
        if (head == NULL)
            tail = &head;
        w->state = WAIT_IDLE;
        w->run(w, w->how); /* may free w */
        any = true;
    }
    return any;
}
