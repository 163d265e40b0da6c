/* rhttp.h - the small HTTP/1.1 server under the Runtime API (private to lambda_rie). net.h is for
 * clients: it buffers bodies whole and holds replies until the commit. A runtime is one local peer
 * that polls, pipelines and streams, so it is served from here: replies are written at once, bodies
 * can be taken in pieces, trailers are kept. */
#ifndef PUDDLE_RHTTP_H
#define PUDDLE_RHTTP_H
#include "loop.h"
#include "str.h"

struct rhttp;      /* one listening socket on 127.0.0.1 and its connections */
struct rhttp_conn; /* one connection; it works on one request at a time     */

struct rhttp_req {           /* views that are valid during the callback only */
    struct str method, path; /* path: the raw target */
    struct str headers;      /* raw lines */
    struct str body;         /* empty when it was taken in pieces */
    struct str trailers;     /* raw lines after a chunked body */
    bool too_large;          /* the body was larger than max_body and is dropped */
    bool in_pieces;
};
struct rhttp_calls {
    /* The head is there: true: the body is given to piece as it arrives. */
    bool (*head)(void *arg, struct rhttp_conn *c, const struct rhttp_req *q);
    void (*piece)(void *arg, struct rhttp_conn *c, struct str bytes);
    /* The request is complete: answer it with rhttp_reply, now or later. */
    void (*request)(void *arg, struct rhttp_conn *c, const struct rhttp_req *q);
    /* The peer went away while a reply was owed or a body was taken in pieces: c is dead. */
    void (*gone)(void *arg, struct rhttp_conn *c);
};
/* NULL with -errno in *reterr. */
struct rhttp *rhttp_open(struct loop *loop, size_t max_body, const struct rhttp_calls *calls,
                         void *arg, int *reterr);
/* Closes everything; no callback runs any more. Fine inside a callback. */
void rhttp_close(struct rhttp *h);
/* Takes what has arrived on every connection: before the peer's death is acted upon. */
void rhttp_drain(struct rhttp *h);
uint16_t rhttp_port(const struct rhttp *h);

/* headers: complete lines ("Name: value\r\n...") without Content-Length. */
void rhttp_reply(struct rhttp_conn *c, int status, struct str headers, struct str body);
/* Stops and goes on reading: a slow reader downstream. */
void rhttp_pause(struct rhttp_conn *c, bool paused);
/* The value of a header (or trailer) line; p == NULL if absent. */
struct str rhttp_header(struct str lines, const char *name);
#endif
