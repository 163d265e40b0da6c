/* http_client.h - one blocking request to a running server. */
#ifndef PUDDLE_HTTP_CLIENT_H
#define PUDDLE_HTTP_CLIENT_H
#include "http.h"

struct client_target {
    struct str host; /* a name or address; an IPv6 address has no brackets */
    uint16_t port;
};
struct client_reply {
    int status;
    struct str head, body; /* head: status line and headers */
};
/* "http://host:port"; false for anything else. */
bool http_client_parse_url(struct str url, struct client_target *ret);
/* req: method, target, headers and body; Host is added when it has none, Content-Length and
 * Connection always. False: nobody answers there. */
bool http_client_request(struct arena *a, const struct client_target *to,
                         const struct http_req *req, struct client_reply *ret);
/* What the Host header says. */
struct str http_client_host(const struct client_target *to, struct arena *a);
/* Value of a header of the reply, ASCII case ignored; p == NULL if absent. */
struct str http_client_header(const struct client_reply *reply, const char *name);
#endif
