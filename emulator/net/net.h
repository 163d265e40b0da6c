/* net.h - HTTP/1.1 listeners. net_h2o.c behind it is the only file that knows h2o. */
#ifndef PUDDLE_NET_H
#define PUDDLE_NET_H
#include "http.h"
#include "loop.h"

struct net;
struct net_opts {
    size_t max_body_bytes;   /* larger bodies are refused (413) before a handler sees them */
    int64_t read_timeout_ms; /* slow or idle clients are cut after this */
    size_t max_head_bytes;   /* of the request line and of the header block, each: larger ones are
                                refused (400); 0: only the library's own limit (about 400 KB, 100
                                headers) */
};
struct net *net_new(struct loop *l, const struct net_opts *opts);
/* Closes the listeners and drops all connections. Exchanges whose reply is still owed become
 * client_gone and lose their req; the later net_reply only frees them. Before loop_free. */
void net_free(struct net *n);

/* One request waiting for its reply. arena is the exchange's own: it lives until the reply has been
 * sent (or dropped, when the client left) after net_reply, never shorter. req is valid as long. */
struct net_exchange {
    struct http_req req;
    struct arena *arena;
    void *listener_arg; /* what net_listen was given */
    /* The client has shut down or reset the connection while the reply was owed. A hint: a client
     * that only shut down its sending side still gets the reply. */
    bool client_gone;
    bool writes; /* set by the handler: this reply becomes the commit error on failure */
    /* Called instead of sending *resp when the tick's commit failed and writes is set. */
    void (*on_commit_failed)(struct net_exchange *x, struct http_resp *resp);
    void *user;
};
typedef void net_handler(struct net_exchange *x);

struct net_listener;
/* port 0: any free port. Returns NULL with -errno in *reterr on failure. */
struct net_listener *net_listen(struct net *n, const char *host, uint16_t port,
                                net_handler *handler, void *arg, int *reterr);
uint16_t net_listener_port(const struct net_listener *nl);
/* Stops accepting and closes the listening socket; open exchanges may still be answered (their
 * connections are closed afterwards). A request that still arrives on one of them reaches the
 * handler with listener_arg NULL. */
void net_listener_close(struct net_listener *nl);

/* Exactly once an exchange, now or in any later tick. The reply is held until the tick's commit
 * succeeded. *resp is copied; what it points to must live in x->arena (or be static). */
void net_reply(struct net_exchange *x, const struct http_resp *resp);
/* Replies still owed or not yet written out completely, for a clean shutdown. */
size_t net_open_exchanges(const struct net *n);
#endif
