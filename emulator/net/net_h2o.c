/* The server side of h2o (Debian's 2.2.5); net_fetch.c, its client side, is the only other file
 * that knows it. What it does about that library's habits (facts/performance.md section 7):
 *  - HTTP/2 upgrade off. One catch-all handler; path and query are taken raw.
 *  - h2o hides Host, Content-Length and Transfer-Encoding and takes contradictory framing, so the
 *    raw head, still in the socket's buffer when the handler runs, is read again (head.h): what
 *    could be read in two ways is refused and the connection closed. Chunk sizes can not be seen
 *    any more: a connection that sent a chunked body is closed after its reply.
 *  - h2o does not read while a request waits and so does not notice that the client left: its
 *    socket is watched for a hang-up, for every exchange that outlives its tick. Nothing is read,
 *    so the buffer which req points into stays as it is.
 *  - A write that ends in h2o_send completes in the next round only; on_tick_end runs that round
 *    itself, which saves two epoll_ctl and one epoll_wait per request.
 *  - h2o closes with bytes unread, which resets the connection and may lose the reply: where we
 *    refuse, a copy of the descriptor lingers (linger.h).
 *  - h2o has no timer for a client that does not read its reply: cut_stalled.
 *  - An exchange's arena is freed by the dispose function of a block in h2o's request pool, which
 *    runs when the reply has been written or the connection died. h2o never disposes of a request
 *    whose reply is still owed. */
#define H2O_USE_LIBUV 0
#define H2O_USE_EPOLL 1
#include "clock.h"
#include "head.h"
#include "linger.h"
#include "list.h"
#include "log.h"
#include "loop_internal.h"
#include "net.h"
#include "net_internal.h"
#include "panic.h"
#include "status.h"
#include "tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#include <h2o.h>
#pragma GCC diagnostic pop
#include <signal.h>

enum { ARENA_MAX = 1 << 30, ACCEPTS_A_ROUND = 64, ACCEPT_RETRY_MS = 100, CLOSE_ROUNDS = 1000 };

/* ---- poll.h ---- */

struct poll {
    h2o_evloop_t *loop;
    h2o_socket_t *watch;
    void (*fn)(void *arg);
    void *arg;
};

static void on_watch(h2o_socket_t *sock, const char *err)
{
    struct poll *p = sock->data;
    if (err == NULL)
        p->fn(p->arg);
}

struct poll *poll_new(int watch_fd, void (*fn)(void *arg), void *arg)
{
    struct poll *p = calloc(1, sizeof *p);
    if (p == NULL)
        PANIC("out of memory");
    *p = (struct poll){h2o_evloop_create(), NULL, fn, arg};
    p->watch = h2o_evloop_socket_create(p->loop, watch_fd, H2O_SOCKET_FLAG_DONT_READ);
    p->watch->data = p;
    h2o_socket_read_start(p->watch, on_watch);
    return p;
}

/* Completions of writes that were made outside of h2o's own round. */
static bool has_completions(const struct poll *p)
{
    return p->loop->_pending_as_client != NULL || p->loop->_pending_as_server != NULL;
}

void poll_run(struct poll *p, int max_wait_ms)
{
    if (has_completions(p))
        max_wait_ms = 0;
    h2o_evloop_run(p->loop, max_wait_ms < 0 ? INT32_MAX : max_wait_ms);
}

void poll_free(struct poll *p)
{
    h2o_socket_close(p->watch);
    h2o_evloop_run(p->loop, 0);
    h2o_evloop_destroy(p->loop);
    free(p);
}

/* ---- types ---- */

struct net {
    struct loop *loop;
    struct poll *poll;
    h2o_globalconf_t config;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept_ctx;
    size_t max_body, max_head;
    int64_t timeout_ms;
    /* Every exchange is in exactly one of these (exchange.link). */
    struct list fresh;   /* arrived in this tick, no reply yet */
    struct list waiting; /* reply owed since an earlier tick: watched for a hang-up */
    struct list held;    /* replied to, waiting for the commit */
    struct list sending; /* given to h2o, oldest first */
    size_t open;
    bool closing; /* in net_free: no handler runs any more */
    struct list connections, listeners;
    struct timer stall_timer;
    struct linger_set linger;
    struct net_client client;
};
struct net_listener {
    struct list link;
    struct net *net;
    h2o_socket_t *sock; /* NULL: closed */
    net_handler *handler;
    void *arg;
    uint16_t port;
    struct timer retry; /* after running out of descriptors */
    bool starved;       /* that was logged */
    size_t refs;        /* connections, plus one while it listens */
};
struct connection { /* hangs on the socket's on_close */
    struct list link;
    struct net_listener *listener;
    h2o_socket_t *sock;
    struct exchange *current;
    char peer_ip[INET6_ADDRSTRLEN];
    uint16_t peer_port;
};
struct exchange {
    struct net_exchange x; /* first */
    struct net *net;
    struct connection *conn;
    h2o_req_t *req; /* NULL: gone, only after net_free */
    struct list link;
    const struct http_resp *resp; /* NULL: owed */
    struct watch *hangup;
    int64_t sending_since; /* 0: not written yet; of a source: since its last bytes went out */
    bool head, close_after, linger, cut;
    struct { /* the body comes from a source */
        h2o_generator_t super;
        struct exchange *e;
        struct http_source *source; /* NULL: none, or it is closed */
        bool started, busy;         /* busy: h2o is writing what was read last */
    } stream;
};
struct handler {
    h2o_handler_t super;
    struct net *net;
};
struct logger {
    h2o_logger_t super;
    struct net *net;
};

/* ---- sending ---- */

/* Headers that only the transport may write. */
static bool is_framing(struct str name)
{
    switch (name.n) {
    case 4:
        return str_case_eq(name, STR("date"));
    case 10:
        return str_case_eq(name, STR("connection"));
    case 14:
        return str_case_eq(name, STR("content-length"));
    case 17:
        return str_case_eq(name, STR("transfer-encoding"));
    default:
        return false;
    }
}

static bool is_one_line(struct str value)
{
    return value.n == 0 ||
           (memchr(value.p, '\n', value.n) == NULL && memchr(value.p, '\r', value.n) == NULL &&
            memchr(value.p, '\0', value.n) == NULL);
}

/* What would break the reply's framing is left out: the layers above refuse it with their own
 * error, this is the last line. */
static void add_headers(h2o_req_t *req, const struct http_resp *resp)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        const struct http_header *h = &resp->headers[i];
        if (is_framing(h->name))
            continue;
        if (!head_is_token(h->name) || !is_one_line(h->value)) {
            log_msg(LOG_WARN, "net", "reply header dropped: %.*s", STR_ARG(h->name));
            continue;
        }
        h2o_add_header_by_str(&req->pool, &req->res.headers, h->name.p, h->name.n, 0, NULL,
                              h->value.p == NULL ? "" : h->value.p, h->value.n);
    }
}

static void send_to(h2o_req_t *req, const struct http_resp *resp, bool head)
{
    static h2o_generator_t generator = {NULL, NULL};
    bool bodyless = resp->status == 204 || resp->status == 304;
    req->res.status = resp->status;
    req->res.reason = status_reason(resp->status);
    /* SIZE_MAX: no Content-Length, and by the status also no chunks */
    req->res.content_length = bodyless ? SIZE_MAX : resp->body.n;
    add_headers(req, resp);
    h2o_iovec_t body = h2o_iovec_init(resp->body.p, resp->body.n);
    bool send_body = !head && !bodyless && body.len > 0;
    h2o_start_response(req, &generator);
    h2o_send(req, &body, send_body ? 1 : 0, H2O_SEND_STATE_FINAL);
}

/* ---- a body from a source ---- */

static void close_source(struct exchange *e)
{
    struct http_source *s = e->stream.source;
    if (s == NULL)
        return;
    e->stream.source = NULL;
    s->wake = NULL;
    s->closed(s);
}

static void pump(struct exchange *e)
{
    bool end = false;
    if (e->stream.source == NULL || e->stream.busy || e->req == NULL)
        return;
    struct str bytes = e->stream.source->read(e->stream.source, &end);
    if (bytes.n == 0 && !end) {
        e->sending_since = 0;
        return;
    }
    h2o_iovec_t vec = h2o_iovec_init(bytes.p, bytes.n);
    e->stream.busy = true;
    e->sending_since = clock_mono_ms();
    h2o_send(e->req, &vec, bytes.n > 0 ? 1 : 0,
             end ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void on_written(h2o_generator_t *self, h2o_req_t *req)
{
    struct exchange *e = (struct exchange *)((char *)self - offsetof(struct exchange, stream));
    (void)req;
    e->stream.busy = false;
    pump(e);
}

static void on_wake(struct http_source *s)
{
    pump(s->wake_arg);
}

static void send_source(struct exchange *e)
{
    h2o_req_t *req = e->req;
    req->res.status = e->resp->status;
    req->res.reason = status_reason(e->resp->status);
    req->res.content_length = SIZE_MAX;
    add_headers(req, e->resp);
    e->stream.super = (h2o_generator_t){on_written, NULL};
    e->stream.source = e->resp->source;
    e->stream.source->wake = on_wake;
    e->stream.source->wake_arg = e;
    h2o_start_response(req, &e->stream.super);
    if (e->head) {
        close_source(e);
        h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
        return;
    }
    pump(e);
    if (e->stream.source != NULL && !e->stream.busy) { /* the head goes out at once */
        e->stream.busy = true;
        h2o_send(req, NULL, 0, H2O_SEND_STATE_IN_PROGRESS);
    }
}

static void send_reply(struct exchange *e)
{
    if (e->hangup != NULL)
        watch_stop(e->hangup);
    e->hangup = NULL;
    if (e->resp->close || e->close_after || e->conn->listener->sock == NULL)
        e->req->http1_is_persistent = 0;
    list_remove(&e->link);
    list_push_back(&e->net->sending, &e->link);
    if (e->resp->source != NULL)
        send_source(e);
    else
        send_to(e->req, e->resp, e->head);
}

/* h2o is done with the request. */
static void dispose_exchange(void *slot)
{
    struct exchange *e = *(struct exchange **)slot;
    list_remove(&e->link);
    e->net->open--;
    if (e->conn->current == e)
        e->conn->current = NULL;
    e->req = NULL;
    e->conn = NULL;
    close_source(e);
    if (e->resp != NULL)
        arena_free(e->x.arena);
}

void net_reply(struct net_exchange *x, const struct http_resp *resp)
{
    struct exchange *e = (struct exchange *)x;
    ASSERT(e->resp == NULL);
    ASSERT(resp->status >= 200 && resp->status <= 999);
    if (e->req == NULL) {
        if (resp->source != NULL)
            resp->source->closed(resp->source);
        arena_free(x->arena);
        return;
    }
    struct http_resp *kept = ARENA_NEW(x->arena, struct http_resp);
    *kept = *resp;
    e->resp = kept;
    list_remove(&e->link);
    list_push_back(&e->net->held, &e->link);
}

static void on_hangup(void *arg, int fd)
{
    struct exchange *e = arg;
    (void)fd;
    e->x.client_gone = true;
}

/* Since a reply's writing is not seen in steps, it has the time of a whole request. */
static void cut_stalled(struct timer *t)
{
    struct net *n = LIST_ITEM(t, struct net, stall_timer);
    int64_t now = clock_mono_ms(), next = -1;
    for (struct list *at = n->sending.next; at != &n->sending; at = at->next) {
        struct exchange *e = LIST_ITEM(at, struct exchange, link);
        if (e->cut || (e->resp->source != NULL && !e->stream.busy))
            continue; /* a source that has nothing to send stalls nobody */
        if (e->sending_since + n->timeout_ms > now) {
            if (next < 0 || e->sending_since < next)
                next = e->sending_since;
            continue;
        }
        e->cut = true; /* h2o's next write fails, and it closes */
        shutdown(h2o_socket_get_fd(e->conn->sock), SHUT_RDWR);
    }
    if (next >= 0)
        timer_set(n->loop, t, next + n->timeout_ms);
    else if (!list_empty(&n->sending))
        timer_set(n->loop, t, now + n->timeout_ms);
}

static void note_unfinished(struct net *n)
{
    if (list_empty(&n->sending))
        return;
    int64_t now = clock_mono_ms();
    for (struct list *at = n->sending.prev; at != &n->sending; at = at->prev) {
        struct exchange *e = LIST_ITEM(at, struct exchange, link);
        if (e->sending_since != 0)
            break;
        e->sending_since = now;
    }
    if (n->stall_timer.heap_index == 0)
        timer_set(n->loop, &n->stall_timer, now + n->timeout_ms);
}

static bool on_tick_end(void *arg, bool committed)
{
    struct net *n = arg;
    while (!list_empty(&n->held)) {
        struct exchange *e = LIST_ITEM(n->held.next, struct exchange, link);
        if (!committed && e->x.writes && e->x.on_commit_failed != NULL) {
            struct http_resp *failed = ARENA_NEW(e->x.arena, struct http_resp);
            struct http_source *source = e->resp->source;
            e->x.on_commit_failed(&e->x, failed);
            e->resp = failed;
            if (source != NULL)
                source->closed(source);
        }
        send_reply(e);
    }
    struct list *node;
    while ((node = list_pop_front(&n->fresh)) != NULL) {
        struct exchange *e = LIST_ITEM(node, struct exchange, link);
        list_push_back(&n->waiting, node);
        e->hangup = watch_hangup(n->loop, h2o_socket_get_fd(e->conn->sock), on_hangup, e);
    }
    /* completes the writes and goes on with pipelined requests: those belong to the next tick */
    if (has_completions(n->poll))
        h2o_timeout__do_post_callback(n->poll->loop);
    note_unfinished(n);
    return !list_empty(&n->held) || !list_empty(&n->fresh);
}

/* ---- requests ---- */

static void fill_headers(struct exchange *e, const struct head_facts *f)
{
    const h2o_headers_t *from = &e->req->headers;
    struct http_req *r = &e->x.req;
    size_t n = 0;
    struct http_header *h = arena_alloc_raw(e->x.arena, (from->size + 2) * sizeof *h);
    if (f->hosts > 0)
        h[n++] = (struct http_header){STR("Host"), r->host};
    for (size_t i = 0; i < from->size; i++) {
        const h2o_header_t *it = &from->entries[i];
        const char *name = it->orig_name != NULL ? it->orig_name : it->name->base;
        size_t len = it->value.len;
        while (len > 0 && (it->value.base[len - 1] == ' ' || it->value.base[len - 1] == '\t'))
            len--;
        h[n++] = (struct http_header){{name, it->name->len}, {it->value.base, len}};
    }
    if (f->lengths > 0)
        h[n++] = (struct http_header){STR("Content-Length"), f->length};
    r->headers = h;
    r->header_count = n;
}

static void fill_peer(struct connection *c, struct http_req *r, struct arena *a)
{
    if (c->peer_port == 0) {
        struct sockaddr_storage address = {0};
        h2o_socket_getpeername(c->sock, (struct sockaddr *)&address);
        if (address.ss_family == AF_INET) {
            const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
            inet_ntop(AF_INET, &in->sin_addr, c->peer_ip, sizeof c->peer_ip);
            c->peer_port = ntohs(in->sin_port);
        } else if (address.ss_family == AF_INET6) {
            const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&address;
            inet_ntop(AF_INET6, &in->sin6_addr, c->peer_ip, sizeof c->peer_ip);
            c->peer_port = ntohs(in->sin6_port);
        }
    }
    r->peer_ip = arena_str(a, str_c(c->peer_ip));
    r->peer_port = c->peer_port;
}

static void fill_target(struct http_req *r, struct arena *a, struct str sent)
{
    struct str path;
    r->target = sent;
    if (head_absolute_target(sent, &r->host, &path)) {
        bool has_slash = str_starts(path, STR("/"));
        r->target = has_slash ? path : arena_fmt(a, "/%.*s", STR_ARG(path));
    }
    struct str rest = r->target;
    r->path = str_cut(&rest, '?');
    r->query = rest;
}

static struct exchange *exchange_new(struct net *n, h2o_req_t *req, struct connection *conn)
{
    struct arena *a = arena_new(0, ARENA_MAX);
    struct exchange *e = ARENA_NEW(a, struct exchange);
    struct exchange **slot = h2o_mem_alloc_shared(&req->pool, sizeof *slot, dispose_exchange);
    *slot = e;
    e->net = n;
    e->conn = conn;
    e->req = req;
    e->x.arena = a;
    e->x.listener_arg = conn->listener->arg;
    conn->current = e;
    list_init(&e->link);
    n->open++;
    return e;
}

static void refuse(struct exchange *e, uint16_t status, const char *why)
{
    struct http_resp *resp = ARENA_NEW(e->x.arena, struct http_resp);
    resp->status = status;
    resp->close = true;
    http_resp_add(resp, e->x.arena, STR("Content-Type"), STR("text/plain"));
    resp->body = str_c(why);
    e->resp = resp;
    e->linger = true;
    send_reply(e);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct net *n = ((struct handler *)self)->net;
    h2o_socket_t *sock = req->conn->callbacks->get_socket(req->conn);
    struct connection *conn = sock->on_close.data;
    struct exchange *e = exchange_new(n, req, conn);
    struct http_req *r = &e->x.req;
    if (n->closing) {
        refuse(e, 503, "shutting down");
        return 0;
    }
    struct head_facts f;
    head_scan((struct str){sock->input->bytes, sock->input->size}, &f);
    r->method = (struct str){req->input.method.base, req->input.method.len};
    r->host = f.host;
    r->is_http10 = req->version < 0x101;
    fill_target(r, e->x.arena, (struct str){req->input.path.base, req->input.path.len});
    const char *wrong = head_refusal(&f, r->method, r->target, r->is_http10, n->max_head);
    if (wrong != NULL) {
        refuse(e, 400, wrong);
        return 0;
    }
    if (req->entity.len > n->max_body) {
        refuse(e, 413, "request body too large");
        return 0;
    }
    e->close_after = e->linger = f.codings > 0;
    e->head = str_eq_c(r->method, "HEAD");
    r->body = (struct str){req->entity.base, req->entity.len};
    r->local_port = conn->listener->port;
    fill_headers(e, &f);
    fill_peer(conn, r, e->x.arena);
    list_push_back(&n->fresh, &e->link);
    conn->listener->handler(&e->x);
    return 0;
}

/* Runs before h2o disposes of a request and, if that was the last one, closes the socket. A request
 * that never became an exchange was answered by h2o itself, with an error. */
static void before_dispose(h2o_logger_t *self, h2o_req_t *req)
{
    struct net *n = ((struct logger *)self)->net;
    if (req->http1_is_persistent)
        return;
    struct connection *conn = req->conn->callbacks->get_socket(req->conn)->on_close.data;
    if (conn->current == NULL || (conn->current->linger && !conn->current->cut))
        linger_start(&n->linger, h2o_socket_get_fd(conn->sock));
}

/* ---- connections and listeners ---- */

static void listener_unref(struct net_listener *nl)
{
    if (--nl->refs == 0)
        free(nl);
}

static void on_connection_closed(void *data)
{
    struct connection *conn = data;
    ASSERT(conn->current == NULL);
    list_remove(&conn->link);
    listener_unref(conn->listener);
    free(conn);
}

static void on_accept(h2o_socket_t *listener, const char *err);

static void accept_again(struct timer *t)
{
    struct net_listener *nl = LIST_ITEM(t, struct net_listener, retry);
    h2o_socket_read_start(nl->sock, on_accept);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct net_listener *nl = listener->data;
    if (err != NULL)
        return;
    for (int budget = ACCEPTS_A_ROUND; budget > 0; budget--) {
        errno = 0;
        h2o_socket_t *sock = h2o_evloop_socket_accept(listener);
        if (sock == NULL) {
            if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
                return;
            if (!nl->starved)
                log_msg(LOG_WARN, "net", "no new connections for now: %s", strerror(errno));
            nl->starved = true;
            h2o_socket_read_stop(listener); /* else the loop would spin */
            timer_set(nl->net->loop, &nl->retry, clock_mono_ms() + ACCEPT_RETRY_MS);
            return;
        }
        nl->starved = false;
        struct connection *conn = calloc(1, sizeof *conn);
        if (conn == NULL)
            PANIC("out of memory");
        conn->listener = nl;
        conn->sock = sock;
        list_push_back(&nl->net->connections, &conn->link);
        nl->refs++;
        sock->on_close.cb = on_connection_closed;
        sock->on_close.data = conn;
        h2o_accept(&nl->net->accept_ctx, sock);
    }
}

/* h2o writes without MSG_NOSIGNAL. A handler, not SIG_IGN: that would be inherited by children. */
static void on_sigpipe(int signal)
{
    (void)signal;
}

static void ignore_sigpipe(void)
{
    struct sigaction old, action = {.sa_flags = SA_RESTART};
    sigaction(SIGPIPE, NULL, &old);
    if (old.sa_handler != SIG_DFL)
        return;
    action.sa_handler = on_sigpipe;
    sigaction(SIGPIPE, &action, NULL);
}

struct net *net_new(struct loop *l, const struct net_opts *opts)
{
    struct net *n = calloc(1, sizeof *n);
    if (n == NULL)
        PANIC("out of memory");
    ASSERT(opts->read_timeout_ms > 0 && opts->max_body_bytes < SIZE_MAX);
    ignore_sigpipe();
    n->loop = l;
    n->poll = loop_poll(l);
    n->max_body = opts->max_body_bytes;
    n->max_head = opts->max_head_bytes;
    n->timeout_ms = opts->read_timeout_ms;
    n->stall_timer.fn = cut_stalled;
    struct list *lists[] = {&n->fresh,   &n->waiting,     &n->held,
                            &n->sending, &n->connections, &n->listeners};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        list_init(lists[i]);
    linger_init(&n->linger, l);
    h2o_config_init(&n->config);
    n->config.http1.upgrade_to_http2 = 0;
    n->config.http1.req_timeout = (uint64_t)opts->read_timeout_ms;
    /* h2o counts chunked bodies with >=, others with > */
    n->config.max_request_entity_size = opts->max_body_bytes + 1;
    n->config.server_name = h2o_iovec_init("", 0);
    h2o_socket_buffer_mmap_settings.threshold = SIZE_MAX; /* bodies stay in memory */
    h2o_hostconf_t *host =
        h2o_config_register_host(&n->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    /* where h2o also puts the errors that it sends itself */
    h2o_pathconf_t *path = &host->fallback_path;
    struct handler *handler = (struct handler *)h2o_create_handler(path, sizeof *handler);
    handler->super.on_req = on_request;
    handler->net = n;
    struct logger *logger = (struct logger *)h2o_create_logger(path, sizeof *logger);
    logger->super.log_access = before_dispose;
    logger->net = n;
    h2o_context_init(&n->ctx, n->poll->loop, &n->config);
    n->accept_ctx.ctx = &n->ctx;
    n->accept_ctx.hosts = n->config.hosts;
    loop_on_tick_end(l, on_tick_end, n);
    n->client.ctx = &n->ctx.proxy.client_ctx;
    n->client.loop = l;
    list_init(&n->client.fetches);
    return n;
}

struct net_client *net_client(struct net *n)
{
    return &n->client;
}

/* The exchange is its owner's from now on; h2o gets another reply. */
static void detach(struct exchange *e)
{
    static const struct http_resp bye = {.status = 503, .close = true};
    if (e->hangup != NULL)
        watch_stop(e->hangup);
    e->hangup = NULL;
    e->x.client_gone = true;
    e->x.req = (struct http_req){0};
    e->req->http1_is_persistent = 0;
    list_remove(&e->link);
    send_to(e->req, &bye, e->head);
}

void net_free(struct net *n)
{
    struct list *lists[] = {&n->fresh, &n->waiting};
    n->closing = true;
    fetch_cancel_all(&n->client);
    while (!list_empty(&n->listeners))
        net_listener_close(LIST_ITEM(n->listeners.next, struct net_listener, link));
    while (!list_empty(&n->held))
        send_reply(LIST_ITEM(n->held.next, struct exchange, link));
    for (size_t i = 0; i < 2; i++) {
        while (!list_empty(lists[i]))
            detach(LIST_ITEM(lists[i]->next, struct exchange, link));
    }
    for (int i = 0; i < CLOSE_ROUNDS && !list_empty(&n->connections); i++) {
        struct list *at = n->connections.next;
        for (; at != &n->connections; at = at->next)
            shutdown(h2o_socket_get_fd(LIST_ITEM(at, struct connection, link)->sock), SHUT_RDWR);
        poll_run(n->poll, 10);
    }
    ASSERT(list_empty(&n->connections));
    linger_release(&n->linger);
    timer_clear(n->loop, &n->stall_timer);
    loop_off_tick_end(n->loop, n);
    h2o_multithread_queue_t *queue = n->ctx.queue;
    h2o_context_dispose(&n->ctx);
    free(queue); /* 2.2.5 forgets it */
    h2o_config_dispose(&n->config);
    poll_run(n->poll, 0); /* h2o frees closed sockets in its next round */
    fetch_release(&n->client);
    free(n);
}

struct net_listener *net_listen(struct net *n, const char *host, uint16_t port,
                                net_handler *handler, void *arg, int *reterr)
{
    uint16_t bound;
    int fd = tcp_listen(host, port, &bound);
    if (fd < 0) {
        *reterr = fd;
        return NULL;
    }
    struct net_listener *nl = calloc(1, sizeof *nl);
    if (nl == NULL)
        PANIC("out of memory");
    *nl = (struct net_listener){.net = n, .handler = handler, .arg = arg, .port = bound, .refs = 1};
    nl->retry.fn = accept_again;
    list_push_back(&n->listeners, &nl->link);
    nl->sock = h2o_evloop_socket_create(n->poll->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    nl->sock->data = nl;
    h2o_socket_read_start(nl->sock, on_accept);
    return nl;
}

uint16_t net_listener_port(const struct net_listener *nl)
{
    return nl->port;
}

void net_listener_close(struct net_listener *nl)
{
    ASSERT(nl->sock != NULL);
    list_remove(&nl->link);
    timer_clear(nl->net->loop, &nl->retry);
    h2o_socket_read_stop(nl->sock);
    h2o_socket_close(nl->sock);
    nl->sock = NULL;
    nl->arg = NULL; /* open connections may outlive what it pointed to */
    listener_unref(nl);
}

size_t net_open_exchanges(const struct net *n)
{
    return n->open;
}
