#include "http_client.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *host, unsigned port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *at;
    char service[16];
    int fd = -1;
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
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

bool http_client_request(struct arena *a, const char *host, unsigned port, const char *method,
                         const char *path, const char *extra, struct str body,
                         struct client_reply *ret)
{
    int fd = connect_to(host, port);
    if (fd < 0)
        return false;
    struct str head = arena_fmt(a,
                                "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n"
                                "Content-Length: %zu\r\n%s\r\n",
                                method, path, port, body.n, extra);
    struct buf *in = arena_new_buf(a, 128 << 20);
    bool ok = send_all(fd, head) && send_all(fd, body);
    while (ok && buf_reserve(in, 65536)) {
        ssize_t n = recv(fd, in->p + in->n, in->cap - in->n, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        in->n += (size_t)n;
    }
    close(fd);
    ptrdiff_t end = str_find_str(buf_view(in), STR("\r\n\r\n"));
    if (!ok || end < 0 || in->n < 12)
        return false;
    ret->head = str_sub(buf_view(in), 0, (size_t)end);
    ret->body = str_sub(buf_view(in), (size_t)end + 4, in->n);
    ret->status = (int)strtol(in->p + 9, NULL, 10);
    return true;
}
