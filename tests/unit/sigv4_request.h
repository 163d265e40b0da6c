/* sigv4_request.h - an HTTP request read from text, for the signature tests. Tolerates what the
 * published vectors hold: blanks and raw UTF-8 in the path, folded header lines. */
#ifndef PUDDLE_TEST_SIGV4_REQUEST_H
#define PUDDLE_TEST_SIGV4_REQUEST_H
#include "http.h"

static inline void request_set_target(struct http_req *req, struct str target)
{
    req->target = target;
    ptrdiff_t at = str_find(target, '?');
    req->path = at < 0 ? target : str_sub(target, 0, (size_t)at);
    req->query = at < 0 ? STR_NONE : str_sub(target, (size_t)at + 1, target.n);
}

static inline void request_add_header(struct http_req *req, struct arena *a, struct str name,
                                      struct str value)
{
    struct http_header *more = ARENA_ARRAY(a, struct http_header, req->header_count + 1);
    if (req->header_count > 0)
        memcpy(more, req->headers, req->header_count * sizeof *more);
    more[req->header_count++] = (struct http_header){name, value};
    req->headers = more;
    if (str_case_eq(name, STR("host")))
        req->host = value;
}

/* False if the text is not a request. Views into text. */
static inline bool request_read(struct str text, struct arena *a, struct http_req *req)
{
    *req = (struct http_req){0};
    struct str rest = text, line = str_cut(&rest, '\n');
    req->method = str_cut(&line, ' ');
    ptrdiff_t end = str_rfind(line, ' ');
    if (req->method.n == 0 || end < 0)
        return false;
    request_set_target(req, str_sub(line, 0, (size_t)end));
    while (rest.p != NULL) {
        line = str_cut(&rest, '\n');
        if (line.n == 0)
            break;
        if (line.p[0] == ' ' || line.p[0] == '\t') { /* folded: belongs to the one before */
            struct str *value = &req->headers[req->header_count - 1].value;
            *value = (struct str){value->p, (size_t)(line.p + line.n - value->p)};
            continue;
        }
        struct str value = line, name = str_cut(&value, ':');
        request_add_header(req, a, name, value);
    }
    req->body = rest.p == NULL ? STR("") : rest;
    return req->header_count > 0;
}
#endif
