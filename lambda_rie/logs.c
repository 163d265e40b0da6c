#include "logs.h"
#include "clock.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

struct line {
    struct list link;
    uint64_t number;
    int64_t time_ms;
    size_t stream_n, message_n;
    char text[]; /* stream, then message */
};

void lam_log_init(struct lam_log *log)
{
    *log = (struct lam_log){0};
    list_init(&log->lines);
}

static void drop_oldest(struct lam_log *log)
{
    struct line *l = LIST_ITEM(list_pop_front(&log->lines), struct line, link);
    log->count--;
    log->bytes -= l->stream_n + l->message_n;
    free(l);
}

void lam_log_release(struct lam_log *log)
{
    while (!list_empty(&log->lines))
        drop_oldest(log);
}

void lam_log_add(struct lam_log *log, struct str stream, struct str message)
{
    struct line *l = malloc(sizeof *l + stream.n + message.n);
    if (l == NULL)
        PANIC("out of memory");
    l->number = ++log->last;
    l->time_ms = clock_now_ms();
    l->stream_n = stream.n;
    l->message_n = message.n;
    memcpy(l->text, stream.p, stream.n);
    if (message.n > 0)
        memcpy(l->text + stream.n, message.p, message.n);
    list_push_back(&log->lines, &l->link);
    log->count++;
    log->bytes += stream.n + message.n;
    while (log->count > LOG_LINES_MAX || (log->bytes > LOG_BYTES_MAX && log->count > 1))
        drop_oldest(log);
}

/* JSON strings must be UTF-8; what a handler prints need not be. */
static struct str printable(struct str s, struct arena *a)
{
    if (str_is_utf8(s))
        return s;
    struct str copy = arena_str(a, s);
    char *p = (char *)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        p[i] = (unsigned char)p[i] < 0x80 ? p[i] : '?';
    return copy;
}

struct str lam_log_read(const struct lam_log *log, uint64_t after, size_t limit, struct arena *a,
                        uint64_t *ret_last)
{
    struct buf *b = arena_new_buf(a, 16 << 20);
    struct json_out w;
    json_out_init(&w, b);
    *ret_last = after;
    json_arr(&w, NULL);
    for (struct list *n = log->lines.next; n != &log->lines && limit > 0; n = n->next) {
        const struct line *l = LIST_ITEM(n, struct line, link);
        if (l->number <= after)
            continue;
        json_obj(&w, NULL);
        json_i64(&w, "timestamp", l->time_ms);
        json_str(&w, "stream", (struct str){l->text, l->stream_n});
        json_str(&w, "message", printable((struct str){l->text + l->stream_n, l->message_n}, a));
        json_end(&w);
        *ret_last = l->number;
        limit--;
    }
    json_end(&w);
    return buf_view(b);
}

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
