/* Over h2o's own HTTP/1 client. One request a connection: it is closed behind the answer. */
#define H2O_USE_LIBUV 0
#define H2O_USE_EPOLL 1
#include "net_fetch.h"
#include "clock.h"
#include "net_internal.h"
#include "panic.h"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#include <h2o.h>
#include <h2o/http1client.h>
#pragma GCC diagnostic pop
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <string.h>

enum { HEAD_MAX = 1 << 20 };

struct fetch {
    struct net_client *net;
    struct list link;
    const struct fetch_request *req;
    struct arena *arena;
    struct fetch_result *ret;
    struct wait *wait;
    struct timer timer;
    h2o_http1client_t *client; /* NULL: not started, or gone */
    h2o_iovec_t sent[2];
    struct buf *body;
};

/* ---- URLs and who may be asked ---- */

bool fetch_url_parse(struct str text, struct fetch_url *ret)
{
    int64_t port;
    *ret = (struct fetch_url){.query = STR_NONE};
    ret->tls = str_starts(text, STR("https://"));
    if (!ret->tls && !str_starts(text, STR("http://")))
        return false;
    struct str rest = str_sub(text, ret->tls ? 8 : 7, text.n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    ret->authority = str_sub(rest, 0, end);
    rest = str_sub(rest, end, rest.n);
    struct str path = str_cut(&rest, '?');
    ret->path = path.n > 0 ? path : STR("/");
    ret->query = rest;
    ret->port = ret->tls ? 443 : 80;
    ret->host = ret->authority;
    if (ret->host.n > 0 && ret->host.p[0] == '[') {
        ptrdiff_t close = str_find(ret->host, ']');
        if (close < 0)
            return false;
        struct str tail = str_sub(ret->host, (size_t)close + 1, ret->host.n);
        ret->host = str_sub(ret->host, 1, (size_t)close);
        if (tail.n > 0 && (tail.p[0] != ':' || !str_to_i64(str_sub(tail, 1, tail.n), &port)))
            return false;
        if (tail.n > 0)
            ret->port = port > 0 && port <= 65535 ? (uint16_t)port : 0;
    } else {
        struct str number = ret->host;
        ret->host = str_cut(&number, ':');
        if (number.p != NULL) {
            if (!str_to_i64(number, &port) || port < 1 || port > 65535)
                return false;
            ret->port = (uint16_t)port;
        }
    }
    return ret->host.n > 0 && ret->port > 0 && str_find(ret->authority, '@') < 0 &&
           str_find(ret->authority, ' ') < 0 && str_find(text, '\r') < 0 &&
           str_find(text, '\n') < 0;
}

static bool is_loopback(struct str host)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr v4;
    bool short_enough = host.n < sizeof text;
    memcpy(text, host.p, short_enough ? host.n : 0);
    text[short_enough ? host.n : 0] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return str_case_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")) ||
           str_eq_c(host, "::1");
}

void net_allow_egress(struct net *n, const char *const *hosts, size_t count)
{
    net_client(n)->hosts = hosts;
    net_client(n)->host_count = count;
}

static bool is_allowed(const struct net_client *c, struct str host)
{
    if (is_loopback(host))
        return true;
    for (size_t i = 0; i < c->host_count; i++) {
        if (strcmp(c->hosts[i], "*") == 0 || str_case_eq(host, str_c(c->hosts[i])))
            return true;
    }
    return false;
}

bool fetch_allowed(const struct net *n, struct str host)
{
    return is_allowed(net_client((struct net *)(uintptr_t)n), host);
}

/* ---- life ---- */

static void finish(struct fetch *f, enum fetch_end end, const char *why, enum wait_end how)
{
    timer_clear(f->net->loop, &f->timer);
    list_remove(&f->link);
    f->ret->end = end;
    f->ret->why = str_c(why);
    if (end == FETCH_OK)
        f->ret->resp.body = buf_view(f->body);
    wait_fire(f->wait, how);
}

/* Not from within h2o's callbacks. */
static void abandon(struct fetch *f, enum fetch_end end, const char *why, enum wait_end how)
{
    if (f->client != NULL)
        h2o_http1client_cancel(f->client);
    f->client = NULL;
    finish(f, end, why, how);
}

static void timed_out(struct timer *t)
{
    struct fetch *f = (struct fetch *)((char *)t - offsetof(struct fetch, timer));
    abandon(f, FETCH_TIMEOUT, "timed out", WAIT_READY);
}

void fetch_cancel_all(struct net_client *c)
{
    while (!list_empty(&c->fetches))
        abandon(LIST_ITEM(c->fetches.next, struct fetch, link), FETCH_FAILED, "shutting down",
                WAIT_CANCELLED);
}

void fetch_release(struct net_client *c)
{
    SSL_CTX_free(c->ssl);
}

/* ---- h2o's callbacks; the client is h2o's to free when they end it ---- */

static int on_body(h2o_http1client_t *client, const char *error)
{
    struct fetch *f = client->data;
    h2o_buffer_t *in = client->sock->input;
    buf_add(f->body, (struct str){in->bytes, in->size});
    h2o_buffer_consume(&client->sock->input, in->size);
    if (f->body->overflow) {
        f->client = NULL;
        finish(f, FETCH_FAILED, "the answer is too long", WAIT_READY);
        return -1;
    }
    if (error == NULL)
        return 0;
    f->client = NULL;
    if (error == h2o_http1client_error_is_eos)
        finish(f, FETCH_OK, "", WAIT_READY);
    else
        finish(f, FETCH_FAILED, "the answer broke off", WAIT_READY);
    return 0;
}

static bool is_hop_by_hop(struct str name)
{
    static const char *const names[] = {
        "connection", "keep-alive", "transfer-encoding",  "te",
        "trailer",    "upgrade",    "proxy-authenticate", "content-length"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_case_eq(name, str_c(names[i])))
            return true;
    }
    return false;
}

static h2o_http1client_body_cb on_head(h2o_http1client_t *client, const char *error, int minor,
                                       int status, h2o_iovec_t message, h2o_header_t *headers,
                                       size_t count, int length)
{
    struct fetch *f = client->data;
    (void)minor, (void)message, (void)length;
    if (error != NULL && error != h2o_http1client_error_is_eos) {
        f->client = NULL;
        finish(f, FETCH_FAILED, "no answer, or a broken one", WAIT_READY);
        return NULL;
    }
    f->ret->resp.status = (uint16_t)status;
    for (size_t i = 0; i < count; i++) {
        struct str name = {headers[i].name->base, headers[i].name->len};
        struct str value = {headers[i].value.base, headers[i].value.len};
        if (headers[i].orig_name != NULL)
            name.p = headers[i].orig_name;
        if (!is_hop_by_hop(name))
            http_resp_add(&f->ret->resp, f->arena, arena_str(f->arena, name),
                          arena_str(f->arena, value));
    }
    if (error == h2o_http1client_error_is_eos) {
        f->client = NULL;
        finish(f, FETCH_OK, "", WAIT_READY);
        return NULL;
    }
    return on_body;
}

static h2o_http1client_head_cb on_connect(h2o_http1client_t *client, const char *error,
                                          h2o_iovec_t **ret_bufs, size_t *ret_count,
                                          int *ret_is_head)
{
    struct fetch *f = client->data;
    if (error != NULL) {
        f->client = NULL;
        finish(f, FETCH_FAILED, "cannot connect", WAIT_READY);
        return NULL;
    }
    *ret_bufs = f->sent;
    *ret_count = f->req->body.n > 0 ? 2 : 1;
    *ret_is_head = str_eq_c(f->req->method, "HEAD");
    return on_head;
}

/* ---- starting ---- */

static bool is_ours(struct str name)
{
    return str_case_eq(name, STR("host")) || str_case_eq(name, STR("connection")) ||
           str_case_eq(name, STR("content-length")) || str_case_eq(name, STR("transfer-encoding"));
}

static bool is_clean(struct str s)
{
    return str_find(s, '\r') < 0 && str_find(s, '\n') < 0;
}

static bool write_head(struct fetch *f)
{
    const struct fetch_request *req = f->req;
    struct buf *b = arena_new_buf(f->arena, HEAD_MAX);
    buf_addf(b, "%.*s %.*s", STR_ARG(req->method), STR_ARG(req->url.path));
    if (req->url.query.p != NULL)
        buf_addf(b, "?%.*s", STR_ARG(req->url.query));
    buf_addf(b, " HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n", STR_ARG(req->url.authority));
    bool ok = is_clean(req->method) && is_clean(req->url.path) && is_clean(req->url.query);
    for (size_t i = 0; i < req->header_count; i++) {
        const struct http_header *h = &req->headers[i];
        ok = ok && is_clean(h->name) && is_clean(h->value);
        if (!is_ours(h->name))
            buf_addf(b, "%.*s: %.*s\r\n", STR_ARG(h->name), STR_ARG(h->value));
    }
    bool bare = str_eq_c(req->method, "GET") || str_eq_c(req->method, "HEAD");
    if (req->body.n > 0 || !bare)
        buf_addf(b, "Content-Length: %zu\r\n", req->body.n);
    buf_add(b, STR("\r\n"));
    f->sent[0] = h2o_iovec_init(b->p, b->n);
    f->sent[1] = h2o_iovec_init(req->body.p, req->body.n);
    return ok && !b->overflow;
}

static bool prepare_tls(struct net_client *c)
{
    h2o_http1client_ctx_t *ctx = c->ctx;
    if (c->ssl == NULL) {
        c->ssl = SSL_CTX_new(TLS_client_method());
        if (c->ssl == NULL || SSL_CTX_set_default_verify_paths(c->ssl) != 1)
            return false;
        SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
    }
    ctx->ssl_ctx = c->ssl;
    return true;
}

void fetch_start(struct net *n, const struct fetch_request *req, struct arena *a,
                 struct fetch_result *ret, struct wait *w)
{
    struct net_client *c = net_client(n);
    struct fetch *f = ARENA_NEW(a, struct fetch);
    struct str host = req->url.host;
    *ret = (struct fetch_result){0};
    *f = (struct fetch){.net = c, .req = req, .arena = a, .ret = ret, .wait = w};
    f->timer.fn = timed_out;
    f->body = arena_new_buf(a, req->max_body);
    list_push_back(&c->fetches, &f->link);
    if (!is_allowed(c, host)) {
        finish(f, FETCH_REFUSED, "the host is not loopback and not named by --allow-egress",
               WAIT_READY);
        return;
    }
    if (!write_head(f) || (req->url.tls && !prepare_tls(c))) {
        finish(f, FETCH_FAILED, "the request cannot be written", WAIT_READY);
        return;
    }
    if (str_case_eq(host, STR("localhost")) || str_ends(host, STR(".localhost")))
        host = STR("127.0.0.1");
    timer_set(c->loop, &f->timer, clock_mono_ms() + req->timeout_ms);
    h2o_http1client_connect(&f->client, f, c->ctx, h2o_iovec_init(host.p, host.n), req->url.port,
                            req->url.tls, on_connect);
}
