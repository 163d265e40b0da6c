/* logs.h - the tail of one invocation's log (private to lambda_rie). */
#ifndef PUDDLE_LOGS_H
#define PUDDLE_LOGS_H
#include "str.h"

enum { LOG_TAIL_BYTES = 4096 };

struct lam_tail { /* the last LOG_TAIL_BYTES bytes of what was added */
    char bytes[2 * LOG_TAIL_BYTES];
    size_t n;
};
void lam_tail_add(struct lam_tail *tail, struct str s);
struct str lam_tail_view(const struct lam_tail *tail);
#endif
