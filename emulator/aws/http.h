/* http.h - an HTTP message as plain data: what net hands up and takes back. No sockets here. */
#ifndef PUDDLE_HTTP_H
#define PUDDLE_HTTP_H
#include "arena.h"

struct http_header {
    struct str name, value; /* the name in the case it was sent */
};
struct http_req {
    struct str method;
    struct str target;           /* as on the request line, e.g. "/a%2Fb?x=1"                  */
    struct str path;             /* target up to '?', raw: not decoded, dots and // kept       */
    struct str query;            /* after '?', raw; p == NULL without a '?'                    */
    struct http_header *headers; /* in order, repeats kept; Host and Content-Length included   */
    size_t header_count;
    struct str host; /* the Host header's value                                                */
    struct str body; /* de-chunked                                                             */
    struct str peer_ip;
    uint16_t peer_port, local_port;
    bool is_http10;
};
/* First header of that name (ASCII case ignored); p == NULL if absent. */
struct str http_req_header(const struct http_req *req, const char *name);
/* First value of a query key, decoded into the arena; false if absent. */
bool http_req_query(const struct http_req *req, struct arena *a, const char *key,
                    struct str *ret_value);

/* A reply body that comes bit by bit. The provider's; it must live until closed. */
struct http_source {
    /* The bytes there are now, valid until the next call; none and not *ret_end: wake will be
     * called when there are more. */
    struct str (*read)(struct http_source *s, bool *ret_end);
    /* Exactly once: all is written, or the client has gone. */
    void (*closed)(struct http_source *s);
    /* Set by net; NULL before it reads and after closed. Call it after read gave nothing. */
    void (*wake)(struct http_source *s);
    void *wake_arg;
};

struct http_resp {
    uint16_t status;
    struct http_header *headers; /* Date, Connection and Content-Length are net's to add       */
    size_t header_count, header_cap;
    struct str body;
    struct http_source *source; /* instead of body: sent in chunks as it comes; NULL: none */
    bool close; /* close the connection afterwards                                             */
};
/* Appends (repeats kept); the array grows in the arena, name and value must live as long. */
void http_resp_add(struct http_resp *resp, struct arena *a, struct str name, struct str value);
#endif
