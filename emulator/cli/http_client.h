/* http_client.h - one blocking request to a running server on this machine. */
#ifndef PUDDLE_HTTP_CLIENT_H
#define PUDDLE_HTTP_CLIENT_H
#include "arena.h"

struct client_reply {
    int status;
    struct str head, body; /* head: status line and headers */
};
/* extra: more header lines, each with CRLF, or "". False: nobody answers on that port. */
bool http_client_request(struct arena *a, const char *host, unsigned port, const char *method,
                         const char *path, const char *extra, struct str body,
                         struct client_reply *ret);
/* Value of a header of the reply, ASCII case ignored; p == NULL if absent. */
struct str http_client_header(const struct client_reply *reply, const char *name);
#endif
