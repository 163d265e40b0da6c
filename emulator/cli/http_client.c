#include "http_client.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 128 << 20 };

bool http_client_parse_url(struct str url, struct client_target *ret)
{
    int64_t port = 80;
    if (!str_starts(url, STR("http://")))
        return false;
    struct str rest = str_sub(url, 7, url.n), authority = str_cut(&rest, '/');
    if (rest.n > 0)
        return false;
    if (authority.n > 0 && authority.p[0] == '[') {
        ptrdiff_t end = str_find(authority, ']');
        if (end < 0)
            return false;
        ret->host = str_sub(authority, 1, (size_t)end);
        rest = str_sub(authority, (size_t)end + 1, authority.n);
        if (rest.n > 0 && rest.p[0] != ':')
            return false;
        str_cut(&rest, ':');
    } else {
        rest = authority;
        ret->host = str_cut(&rest, ':');
    }
    if (rest.p != NULL && (!str_to_i64(rest, &port) || port < 1 || port > 65535))
        return false;
    ret->port = (uint16_t)port;
    return ret->host.n > 0;
}

struct str http_client_host(const struct client_target *to, struct arena *a)
{
    bool v6 = str_find(to->host, ':') >= 0;
    return arena_fmt(a, "%s%.*s%s:%u", v6 ? "[" : "", STR_ARG(to->host), v6 ? "]" : "", to->port);
}

static int connect_to(const struct client_target *to, struct arena *a)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *at;
    char service[16];
    int fd = -1;
    snprintf(service, sizeof service, "%u", to->port);
    if (getaddrinfo(arena_str(a, to->host).p, service, &hints, &found) != 0)
        return -1;
    for (at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

/* False when the peer does not take it; its reply may be there all the same. */
static bool send_all(int fd, struct str s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = str_sub(s, (size_t)n, s.n);
    }
    return true;
}

struct str http_client_header(const struct client_reply *reply, const char *name)
{
    struct str rest = reply->head;
    str_cut(&rest, '\n');
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n'), value = line, key = str_cut(&value, ':');
        if (value.p != NULL && str_case_eq(key, str_c(name)))
            return str_trim(value);
    }
    return STR_NONE;
}

static struct str head_of(struct arena *a, const struct client_target *to,
                          const struct http_req *req)
{
    struct buf *b = arena_new_buf(a, 64 * 1024);
    buf_addf(b, "%.*s %.*s HTTP/1.1\r\n", STR_ARG(req->method), STR_ARG(req->target));
    if (http_req_header(req, "Host").p == NULL)
        buf_addf(b, "Host: %.*s\r\n", STR_ARG(http_client_host(to, a)));
    for (size_t i = 0; i < req->header_count; i++)
        buf_addf(b, "%.*s: %.*s\r\n", STR_ARG(req->headers[i].name),
                 STR_ARG(req->headers[i].value));
    buf_addf(b, "Content-Length: %zu\r\nConnection: close\r\n\r\n", req->body.n);
    return b->overflow ? STR_NONE : buf_view(b);
}

bool http_client_request(struct arena *a, const struct client_target *to,
                         const struct http_req *req, struct client_reply *ret)
{
    struct str head = head_of(a, to, req);
    int fd = head.p == NULL ? -1 : connect_to(to, a);
    if (fd < 0)
        return false;
    struct buf *in = arena_new_buf(a, REPLY_MAX);
    if (send_all(fd, head))
        send_all(fd, req->body);
    while (buf_reserve(in, 65536)) {
        ssize_t n = recv(fd, in->p + in->n, in->cap - in->n, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        in->n += (size_t)n;
    }
    close(fd);
    int64_t status;
    ptrdiff_t end = str_find_str(buf_view(in), STR("\r\n\r\n"));
    if (end < 12 || in->overflow || !str_to_i64(str_sub(buf_view(in), 9, 12), &status))
        return false;
    ret->head = str_sub(buf_view(in), 0, (size_t)end);
    ret->body = str_sub(buf_view(in), (size_t)end + 4, in->n);
    ret->status = (int)status;
    return true;
}
