/* net_fetch.h - HTTP/1.1 requests that we make: HTTP integrations, key sets of token issuers, log
 * subscribers. Loopback only, other hosts only where the user named them (--allow-egress). */
#ifndef PUDDLE_NET_FETCH_H
#define PUDDLE_NET_FETCH_H
#include "http.h"
#include "net.h"
#include "wait.h"

/* hosts that may be reached beyond loopback; "*" is any. The array must live as long as n. */
void net_allow_egress(struct net *n, const char *const *hosts, size_t count);

struct fetch_url {
    bool tls;
    struct str host; /* without brackets */
    uint16_t port;
    struct str path, query; /* path "/" if empty; query.p == NULL: none */
    struct str authority;   /* host[:port] as written: the Host header */
};
/* "http://host[:port][/path][?query]" or https; no user part, no fragment. Views into text. */
bool fetch_url_parse(struct str text, struct fetch_url *ret);
/* Loopback, or named by net_allow_egress. */
bool fetch_allowed(const struct net *n, struct str host);

struct fetch_request {
    struct str method;
    struct fetch_url url;
    const struct http_header *headers; /* Host, Content-Length and Connection are ours to add */
    size_t header_count;
    struct str body;
    int64_t timeout_ms; /* of the whole exchange */
    size_t max_body;    /* a longer answer is a failure */
};
enum fetch_end {
    FETCH_OK,
    FETCH_REFUSED, /* the host is not allowed */
    FETCH_FAILED,  /* no connection, broken answer, too long */
    FETCH_TIMEOUT
};
struct fetch_result {
    enum fetch_end end;
    struct str why;        /* of a failure: for the log */
    struct http_resp resp; /* headers without the hop-by-hop ones; in the caller's arena */
};
/* *req and what it points to, a and *ret must live until w ran (w is armed by the caller). Fires w
 * exactly once, never inside the call; WAIT_CANCELLED when net goes away. */
void fetch_start(struct net *n, const struct fetch_request *req, struct arena *a,
                 struct fetch_result *ret, struct wait *w);
#endif
