/* linger.h - closing a connection whose peer may still be sending (private to net). A plain close
 * then resets the connection, and the peer loses the reply that said why. */
#ifndef PUDDLE_LINGER_H
#define PUDDLE_LINGER_H
#include "list.h"
#include "loop.h"

struct linger_set {
    struct loop *loop;
    struct list all;
    size_t count;
};
void linger_init(struct linger_set *s, struct loop *l);
/* Ends our side of the connection; a copy of fd reads and drops what comes, until the peer closes
 * too or a short time has passed. fd stays the caller's, to be closed at once. */
void linger_start(struct linger_set *s, int fd);
void linger_release(struct linger_set *s);
#endif
