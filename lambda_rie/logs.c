#include "logs.h"
#include <string.h>

void lam_tail_add(struct lam_tail *tail, struct str s)
{
    if (s.n > LOG_TAIL_BYTES)
        s = str_sub(s, s.n - LOG_TAIL_BYTES, s.n);
    if (tail->n + s.n > sizeof tail->bytes) {
        size_t keep = LOG_TAIL_BYTES;
        memmove(tail->bytes, tail->bytes + tail->n - keep, keep);
        tail->n = keep;
    }
    if (s.n > 0)
        memcpy(tail->bytes + tail->n, s.p, s.n);
    tail->n += s.n;
}

struct str lam_tail_view(const struct lam_tail *tail)
{
    struct str all = {tail->bytes, tail->n};
    return all.n > LOG_TAIL_BYTES ? str_sub(all, all.n - LOG_TAIL_BYTES, all.n) : all;
}
