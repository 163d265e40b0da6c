/* net_internal.h - what net_fetch.c needs of net_h2o.c, h2o's types hidden. */
#ifndef PUDDLE_NET_INTERNAL_H
#define PUDDLE_NET_INTERNAL_H
#include "list.h"
#include "net.h"

struct net_client {
    void *ctx; /* h2o_http1client_ctx_t of this net */
    struct loop *loop;
    struct list fetches; /* running; net_free cancels them */
    void *ssl;           /* SSL_CTX, made when first needed */
    const char *const *hosts;
    size_t host_count;
};
struct net_client *net_client(struct net *n);
/* Ends every fetch with WAIT_CANCELLED: for net_free. */
void fetch_cancel_all(struct net_client *c);
void fetch_release(struct net_client *c);
#endif
