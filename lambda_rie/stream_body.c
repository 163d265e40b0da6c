#include "stream_body.h"
#include "panic.h"
#include <stdlib.h>

enum { AHEAD_MAX = 256 * 1024, BUFFER_MAX = 256 << 20 };

static void free_if_done(struct stream_body *s)
{
    if (!s->done || (s->attached && !s->client_gone))
        return;
    buf_release(&s->filling);
    buf_release(&s->sending);
    arena_free(s->arena);
}

static void wake(struct stream_body *s)
{
    if (s->out.wake != NULL)
        s->out.wake(&s->out);
}

void stream_body_add(struct stream_body *s, struct str bytes)
{
    if (s->client_gone)
        return;
    if (s->encode != NULL)
        s->encode(s, bytes, &s->filling);
    else
        buf_add(&s->filling, bytes);
    if (s->filling.n > AHEAD_MAX && !s->paused) {
        s->paused = true;
        rie_stream_pause(&s->in, true);
    }
    wake(s);
}

static void on_head(struct rie_stream *in, struct str content_type)
{
    struct stream_body *s = (struct stream_body *)((char *)in - offsetof(struct stream_body, in));
    s->begin(s, content_type);
}

static void on_data(struct rie_stream *in, struct str bytes)
{
    stream_body_add((struct stream_body *)((char *)in - offsetof(struct stream_body, in)), bytes);
}

static struct stream_body *of_source(struct http_source *out)
{
    return (struct stream_body *)((char *)out - offsetof(struct stream_body, out));
}

static struct str on_read(struct http_source *out, bool *ret_end)
{
    struct stream_body *s = of_source(out);
    struct buf swap = s->sending;
    s->sending = s->filling;
    s->filling = swap;
    buf_clear(&s->filling);
    *ret_end = s->ended;
    if (s->paused) {
        s->paused = false;
        rie_stream_pause(&s->in, false);
    }
    return buf_view(&s->sending);
}

static void on_closed(struct http_source *out)
{
    struct stream_body *s = of_source(out);
    s->client_gone = true;
    if (s->paused) /* the function runs on; what it says is dropped */
        rie_stream_pause(&s->in, false);
    s->paused = false;
    free_if_done(s);
}

static void on_result(struct wait *w, enum wait_end how)
{
    struct stream_body *s = (struct stream_body *)((char *)w - offsetof(struct stream_body, wait));
    (void)how;
    s->end(s);
    s->ended = true;
    wake(s);
    s->done = true;
    free_if_done(s);
}

void stream_body_attach(struct stream_body *s)
{
    s->attached = true;
}

struct stream_body *stream_body_new(void)
{
    struct arena *a = arena_new(0, 256 << 20);
    struct stream_body *s = ARENA_NEW(a, struct stream_body);
    s->arena = a;
    s->in.head = on_head;
    s->in.data = on_data;
    s->out.read = on_read;
    s->out.closed = on_closed;
    buf_init(&s->filling, BUFFER_MAX);
    buf_init(&s->sending, BUFFER_MAX);
    wait_arm(&s->wait, on_result);
    return s;
}
