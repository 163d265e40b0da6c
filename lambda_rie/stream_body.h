/* stream_body.h - a function's response as it arrives, as the body of an HTTP reply: what comes in
 * through a rie_stream goes out through an http_source, and a client that reads slowly slows the
 * function down instead of filling our memory. Owned by two: the invocation and the reply. */
#ifndef PUDDLE_STREAM_BODY_H
#define PUDDLE_STREAM_BODY_H
#include "http.h"
#include "rie.h"

struct stream_body {
    struct rie_stream in;   /* for rie_request.stream */
    struct http_source out; /* for http_resp.source */
    struct arena *arena;    /* lives as long as this */
    struct rie_result result;
    struct wait wait; /* for rie_invoke */
    /* Turns what the function sent into what the client gets: appends to out. NULL: as it is. */
    void (*encode)(struct stream_body *s, struct str bytes, struct buf *out);
    /* The response begins (at its first bytes, or at the end if there were none before). */
    void (*begin)(struct stream_body *s, struct str content_type);
    /* The invocation is over: result is filled; may still append by stream_body_add. */
    void (*end)(struct stream_body *s);
    void *user;
    /* its own */
    struct buf filling, sending;
    bool ended, paused, client_gone, done, attached;
};
/* Arm s->wait is done here; give &s->in and &s->wait to rie_invoke with s->arena and &s->result. */
struct stream_body *stream_body_new(void);
void stream_body_add(struct stream_body *s, struct str bytes);
/* &s->out was given to a reply: from now on closed() is one of its ends. */
void stream_body_attach(struct stream_body *s);
#endif
