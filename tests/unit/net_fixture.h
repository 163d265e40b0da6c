/* net_fixture.h - for the tests of net: a server on a loop that the test turns by hand, and raw
 * non-blocking clients in the same thread. */
#ifndef PUDDLE_NET_FIXTURE_H
#define PUDDLE_NET_FIXTURE_H
#include "clock.h"
#include "harness.h"
#include "net.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARKED_MAX = 64, GIVE_UP_MS = 20000 };

static struct loop *loop;
static struct net *net;
static struct net_listener *listener;
static struct net_exchange *parked[PARKED_MAX];
static size_t parked_count, handled;
static bool commit_ok;
static size_t commits;

struct client {
    int fd;
    char *in; /* everything received, NUL-terminated */
    size_t in_n, in_cap;
    bool eof, reset;
};

static inline bool fixture_commit(void *arg)
{
    (void)arg;
    commits++;
    return commit_ok;
}

static inline struct http_resp *text_reply(struct net_exchange *x, uint16_t status, struct str body)
{
    struct http_resp *resp = ARENA_NEW(x->arena, struct http_resp);
    resp->status = status;
    resp->body = body;
    return resp;
}

static inline void commit_failed(struct net_exchange *x, struct http_resp *resp)
{
    (void)x;
    resp->status = 500;
    resp->body = STR("not saved");
}

/* Everything the request is, as text. */
static inline struct str dump_request(struct net_exchange *x)
{
    const struct http_req *r = &x->req;
    struct buf *b = arena_new_buf(x->arena, 1 << 20);
    buf_addf(b, "%.*s|%.*s|%.*s|", STR_ARG(r->method), STR_ARG(r->target), STR_ARG(r->path));
    if (r->query.p == NULL)
        buf_add(b, STR("-"));
    else
        buf_add(b, r->query);
    buf_addf(b, "|%.*s|%s|%.*s\n", STR_ARG(r->host), r->is_http10 ? "1.0" : "1.1",
             STR_ARG(r->body));
    for (size_t i = 0; i < r->header_count; i++)
        buf_addf(b, "%.*s=%.*s\n", STR_ARG(r->headers[i].name), STR_ARG(r->headers[i].value));
    return buf_view(b);
}

/* What happens is chosen by the path. */
static inline void fixture_handler(struct net_exchange *x)
{
    struct str path = x->req.path;
    handled++;
    if (str_eq_c(path, "/later") && parked_count < PARKED_MAX) {
        parked[parked_count++] = x;
    } else if (str_eq_c(path, "/write")) {
        x->writes = true;
        x->on_commit_failed = commit_failed;
        net_reply(x, text_reply(x, 200, STR("saved")));
    } else if (str_eq_c(path, "/204")) {
        net_reply(x, text_reply(x, 204, STR_NONE));
    } else if (str_eq_c(path, "/length")) {
        net_reply(x, text_reply(x, 200, arena_fmt(x->arena, "%zu", x->req.body.n)));
    } else if (str_eq_c(path, "/mirror")) {
        net_reply(x, text_reply(x, 200, x->req.body));
    } else if (str_eq_c(path, "/big")) {
        char *p = arena_alloc_raw(x->arena, 8 << 20);
        memset(p, 'x', 8 << 20);
        net_reply(x, text_reply(x, 200, (struct str){p, 8 << 20}));
    } else if (str_eq_c(path, "/headers")) {
        struct http_resp *resp = text_reply(x, 200, STR("ok"));
        http_resp_add(resp, x->arena, STR("X-Amzn-RequestId"), STR("One"));
        http_resp_add(resp, x->arena, STR("content-type"), STR("a/b"));
        http_resp_add(resp, x->arena, STR("Set-Cookie"), STR("a=1"));
        http_resp_add(resp, x->arena, STR("Set-Cookie"), STR("b=2"));
        http_resp_add(resp, x->arena, STR("X-Empty"), STR_NONE);
        http_resp_add(resp, x->arena, STR("Content-Length"), STR("999"));
        http_resp_add(resp, x->arena, STR("Transfer-Encoding"), STR("chunked"));
        http_resp_add(resp, x->arena, STR("X-Split"), STR("a\r\nX-Forged: 1"));
        http_resp_add(resp, x->arena, STR("Bad Name"), STR("1"));
        net_reply(x, resp);
    } else if (str_eq_c(path, "/close")) {
        struct http_resp *resp = text_reply(x, 200, STR("bye"));
        resp->close = true;
        net_reply(x, resp);
    } else {
        net_reply(x, text_reply(x, 200, dump_request(x)));
    }
}

static inline void server_start_opts(const struct net_opts *opts)
{
    int error = 0;
    parked_count = handled = commits = 0;
    commit_ok = true;
    loop = loop_new();
    loop_on_commit(loop, fixture_commit, NULL);
    net = net_new(loop, opts);
    listener = net_listen(net, "127.0.0.1", 0, fixture_handler, &handled, &error);
    if (listener == NULL)
        abort();
}

static inline void server_start(void)
{
    struct net_opts opts = {
        .max_body_bytes = 1 << 20, .read_timeout_ms = 60000, .max_head_bytes = 16 * 1024};
    server_start_opts(&opts);
}

static inline void server_stop(void)
{
    net_free(net);
    loop_free(loop);
}

static inline struct client client_connect(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (c.fd < 0 || connect(c.fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    c.in = calloc(1, c.in_cap = 4096);
    return c;
}

static inline struct client client_new(void)
{
    return client_connect(net_listener_port(listener));
}

static inline void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->in);
    c->fd = -1;
    c->in = NULL;
}

/* close() with a RST. */
static inline void client_abort(struct client *c)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    client_close(c);
}

static inline void client_receive(struct client *c)
{
    for (;;) {
        if (c->in_cap - c->in_n < 4096)
            c->in = realloc(c->in, c->in_cap *= 2);
        ssize_t n = recv(c->fd, c->in + c->in_n, c->in_cap - c->in_n - 1, MSG_DONTWAIT);
        if (n <= 0) {
            c->eof |= n == 0;
            c->reset |= n < 0 && errno != EAGAIN;
            return;
        }
        c->in_n += (size_t)n;
        c->in[c->in_n] = '\0';
    }
}

/* Sends all of it, turning the server as needed; what arrives meanwhile is kept. */
static inline void client_send(struct client *c, struct str data)
{
    size_t sent = 0;
    int64_t end = clock_mono_ms() + GIVE_UP_MS;
    while (sent < data.n && !c->reset && clock_mono_ms() < end) {
        ssize_t n = send(c->fd, data.p + sent, data.n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EAGAIN)
            break;
        loop_tick(loop, 0);
        client_receive(c);
    }
}

static inline void client_say(struct client *c, const char *text)
{
    client_send(c, str_c(text));
}

static inline size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* Turns the server until the client has seen what n times; false if that never comes. */
static inline bool client_sees_n(struct client *c, const char *what, size_t n)
{
    int64_t end = clock_mono_ms() + GIVE_UP_MS;
    for (;;) {
        client_receive(c);
        if (count_of(c->in, what) >= n)
            return true;
        if (c->eof || c->reset || clock_mono_ms() > end)
            return false;
        loop_tick(loop, 5);
    }
}

static inline bool client_sees(struct client *c, const char *what)
{
    return client_sees_n(c, what, 1);
}

/* Turns the server until the connection has ended: 'e' by an orderly end, 'r' by a reset. */
static inline char client_end(struct client *c)
{
    int64_t end = clock_mono_ms() + GIVE_UP_MS;
    while (!c->eof && !c->reset && clock_mono_ms() < end) {
        loop_tick(loop, 5);
        client_receive(c);
    }
    return c->reset ? 'r' : c->eof ? 'e' : '-';
}

static inline void client_forget(struct client *c)
{
    c->in_n = 0;
    c->in[0] = '\0';
}

static inline void ticks(int n)
{
    while (n-- > 0)
        loop_tick(loop, 0);
}

/* Turns the server until cond; false if that never comes. */
#define TICK_UNTIL(cond)                                                                           \
    ({                                                                                             \
        int64_t end_ = clock_mono_ms() + GIVE_UP_MS;                                               \
        while (!(cond) && clock_mono_ms() < end_)                                                  \
            loop_tick(loop, 5);                                                                    \
        (cond);                                                                                    \
    })
#endif
