/* logs.h - a function's recent log lines in memory, and the tail of one invocation. */
#ifndef PUDDLE_LOGS_H
#define PUDDLE_LOGS_H
#include "json.h"
#include "list.h"

enum { LOG_TAIL_BYTES = 4096, LOG_LINES_MAX = 10000, LOG_BYTES_MAX = 4 << 20 };

struct lam_log {
    struct list lines;
    size_t count, bytes;
    uint64_t last; /* number of the newest line */
};
void lam_log_init(struct lam_log *log);
void lam_log_release(struct lam_log *log);
void lam_log_add(struct lam_log *log, struct str stream, struct str message);
struct str lam_log_read(const struct lam_log *log, uint64_t after, size_t limit, struct arena *a,
                        uint64_t *ret_last);

struct lam_tail { /* the last LOG_TAIL_BYTES bytes of what was added */
    char bytes[2 * LOG_TAIL_BYTES];
    size_t n;
};
void lam_tail_add(struct lam_tail *tail, struct str s);
struct str lam_tail_view(const struct lam_tail *tail);
#endif
