/* The only file that knows h2o (Debian's 2.2.5). What it does about that library's habits
 * (facts/performance.md section 7):
 *  - HTTP/2 upgrade off. One catch-all handler; path and query are taken raw.
 *  - h2o hides Host, Content-Length and Transfer-Encoding and takes contradictory framing, so the
 *    raw head, still in the socket's buffer when the handler runs, is scanned: what could be read
 *    in two ways is refused and the connection closed. Chunk sizes can not be seen any more: a
 *    connection that sent a chunked body is closed after its reply.
 *  - A client that leaves while its request waits is not noticed unless its socket is read: done
 *    for every exchange that outlives its tick.
 *  - An exchange's arena is freed by the dispose function of a block in h2o's request pool, which
 *    runs when the reply has been sent or the connection died; while a reply is still owed the
 *    arena is kept and freed by net_reply. */
#define H2O_USE_LIBUV 0
#define H2O_USE_EPOLL 1
#include "list.h"
#include "log.h"
#include "loop_internal.h"
#include "net.h"
#include "panic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#include <h2o.h>
#pragma GCC diagnostic pop
#include <netdb.h>

enum { HEAD_MAX = 16 * 1024, ARENA_MAX = 1 << 30, BACKLOG = 1024, METHOD_MAX = 32 };

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

void poll_run(struct poll *p, int max_wait_ms)
{
    /* completions of writes made outside of h2o's own round must not wait for the next event */
    if (p->loop->_pending_as_client != NULL || p->loop->_pending_as_server != NULL)
        max_wait_ms = 0;
    h2o_evloop_run(p->loop, max_wait_ms < 0 ? INT32_MAX : max_wait_ms);
}

void poll_free(struct poll *p)
{
    h2o_socket_close(p->watch);
    h2o_evloop_run(p->loop, 0);
    /* h2o 2.2.5's h2o_evloop_destroy leaves timeouts and sockets of its own behind; a program that
     * ends here frees them by ending */
    free(p);
}

struct net {
    struct loop *loop;
    h2o_globalconf_t config;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept_ctx;
    struct list held;  /* exchange.link: replies of this tick */
    struct list fresh; /* arrived in this tick, not answered yet */
    size_t open;
};
struct net_listener {
    struct net *net;
    h2o_socket_t *sock;
    net_handler *handler;
    void *arg;
    uint16_t port;
    size_t refs; /* connections, plus one while it listens */
};
/* Hangs on the socket's on_close. */
struct connection {
    struct net_listener *listener;
    struct exchange *current;
};
struct exchange {
    struct net_exchange x; /* first */
    struct net *net;
    struct connection *conn; /* NULL: gone */
    h2o_req_t *req;          /* NULL: gone */
    struct list link;
    const struct http_resp *resp;
    bool watched, head, close_after;
};
struct handler {
    h2o_handler_t super;
    struct net *net;
};

/* ---- request head checks ---- */

struct head_facts {
    size_t lengths, codings, hosts;
    struct str length;
    bool bad;
};

static bool is_token_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static void note_header(struct head_facts *f, struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    if (name.n == 14 && str_case_eq(name, STR("content-length"))) {
        value = str_trim(value);
        for (size_t i = 0; i < value.n; i++)
            f->bad |= value.p[i] < '0' || value.p[i] > '9';
        f->bad |= value.n == 0 || (f->lengths > 0 && !str_eq(value, f->length));
        f->length = value;
        f->lengths++;
    } else if (name.n == 17 && str_case_eq(name, STR("transfer-encoding"))) {
        f->bad |= !str_case_eq(str_trim(value), STR("chunked"));
        f->codings++;
    } else if (name.n == 4 && str_case_eq(name, STR("host"))) {
        f->hosts++;
    }
}

/* The raw head of the request, or what of it can be found, line by line. */
static void scan_head(struct str raw, struct head_facts *f)
{
    struct str rest = raw, line = str_cut(&rest, '\n');
    size_t bytes = line.n;
    f->bad |= line.n > HEAD_MAX;
    while (rest.p != NULL) {
        line = str_cut(&rest, '\n');
        bytes += line.n + 1;
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0)
            break;
        if (line.p[0] == ' ' || line.p[0] == '\t' || memchr(line.p, '\0', line.n) != NULL)
            f->bad = true; /* obs-fold, NUL */
        char c = (char)(line.p[0] | 32);
        if (c == 'c' || c == 't' || c == 'h')
            note_header(f, line);
        if (bytes > 2 * HEAD_MAX)
            break;
    }
    f->bad |= bytes > 2 * HEAD_MAX;
    f->bad |= f->lengths > 0 && f->codings > 0;
    f->bad |= f->codings > 1;
}

static bool acceptable(const h2o_req_t *req, const struct head_facts *f)
{
    struct str method = {req->input.method.base, req->input.method.len};
    if (f->bad || method.n == 0 || method.n > METHOD_MAX)
        return false;
    for (size_t i = 0; i < method.n; i++) {
        if (!is_token_char(method.p[i]))
            return false;
    }
    if (str_eq_c(method, "CONNECT"))
        return false;
    if (req->version >= 0x101 && f->hosts != 1)
        return false;
    return req->input.path.len > 0 &&
           (req->input.path.base[0] == '/' ||
            (str_eq_c(method, "OPTIONS") && req->input.path.base[0] == '*'));
}

/* ---- exchanges ---- */

static void send_now(struct exchange *e, const struct http_resp *resp);

static void dispose_exchange(void *slot)
{
    struct exchange *e = *(struct exchange **)slot;
    if (e->conn != NULL && e->conn->current == e)
        e->conn->current = NULL;
    e->req = NULL;
    e->conn = NULL;
    e->x.client_gone = true;
    if (e->resp == NULL)
        return; /* a reply is still owed: net_reply frees it */
    list_remove(&e->link);
    arena_free(e->x.arena);
}

static void fill_headers(struct exchange *e, const h2o_req_t *req, const struct head_facts *f)
{
    struct arena *a = e->x.arena;
    struct http_req *r = &e->x.req;
    size_t n = 0;
    struct http_header *h = ARENA_ARRAY(a, struct http_header, req->headers.size + 2);
    if (f->hosts > 0) {
        r->host = (struct str){req->input.authority.base, req->input.authority.len};
        h[n++] = (struct http_header){STR("Host"), r->host};
    }
    for (size_t i = 0; i < req->headers.size; i++) {
        const h2o_header_t *from = &req->headers.entries[i];
        const char *name = from->orig_name != NULL ? from->orig_name : from->name->base;
        h[n++] = (struct http_header){{name, from->name->len}, {from->value.base, from->value.len}};
    }
    if (f->lengths > 0 || f->codings > 0)
        h[n++] = (struct http_header){STR("Content-Length"),
                                      arena_fmt(a, "%zu", (size_t)req->entity.len)};
    r->headers = h;
    r->header_count = n;
}

static void fill_peer(struct exchange *e, h2o_req_t *req)
{
    struct sockaddr_storage address;
    char text[INET6_ADDRSTRLEN] = "";
    if (req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&address) == 0)
        return;
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        e->x.req.peer_port = ntohs(in->sin_port);
    } else if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
        e->x.req.peer_port = ntohs(in->sin6_port);
    }
    e->x.req.peer_ip = arena_str(e->x.arena, str_c(text));
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
    return e;
}

static void refuse(struct exchange *e)
{
    static const struct http_resp bad = {.status = 400, .close = true};
    e->resp = &bad;
    send_now(e, &bad);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    struct net *n = ((struct handler *)self)->net;
    h2o_socket_t *sock = req->conn->callbacks->get_socket(req->conn);
    struct connection *conn = sock->on_close.data;
    struct exchange *e = exchange_new(n, req, conn);
    struct head_facts f = {0};
    scan_head((struct str){sock->input->bytes, sock->input->size}, &f);
    e->close_after = f.codings > 0;
    n->open++;
    if (!acceptable(req, &f)) {
        n->open--;
        refuse(e);
        return 0;
    }
    struct http_req *r = &e->x.req;
    r->method = (struct str){req->input.method.base, req->input.method.len};
    r->target = (struct str){req->input.path.base, req->input.path.len};
    struct str rest = r->target;
    r->path = str_cut(&rest, '?');
    r->query = rest;
    r->body = (struct str){req->entity.base, req->entity.len};
    r->is_http10 = req->version < 0x101;
    r->local_port = conn->listener->port;
    e->head = str_eq_c(r->method, "HEAD");
    fill_headers(e, req, &f);
    fill_peer(e, req);
    list_push_back(&n->fresh, &e->link);
    conn->listener->handler(&e->x);
    return 0;
}

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } known[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {301, "Moved Permanently"},
                 {302, "Found"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {412, "Precondition Failed"},
                 {413, "Request Entity Too Large"},
                 {415, "Unsupported Media Type"},
                 {418, "I'm a teapot"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].status == status)
            return known[i].reason;
    }
    return "Status";
}

/* Headers that only the transport may write. */
static bool is_framing(struct str name)
{
    return str_case_eq(name, STR("connection")) || str_case_eq(name, STR("content-length")) ||
           str_case_eq(name, STR("transfer-encoding")) || str_case_eq(name, STR("date"));
}

static void send_now(struct exchange *e, const struct http_resp *resp)
{
    static h2o_generator_t generator = {NULL, NULL};
    h2o_req_t *req = e->req;
    struct arena *a = e->x.arena;
    if (e->watched)
        h2o_socket_read_stop(req->conn->callbacks->get_socket(req->conn));
    req->res.status = resp->status;
    req->res.reason = reason_of(resp->status);
    bool bodyless = resp->status == 204 || resp->status == 304 || resp->status < 200;
    req->res.content_length = bodyless ? 0 : resp->body.n;
    for (size_t i = 0; i < resp->header_count; i++) {
        const struct http_header *h = &resp->headers[i];
        if (is_framing(h->name))
            continue;
        char *lower = arena_alloc_raw(a, h->name.n + 1);
        for (size_t k = 0; k < h->name.n; k++)
            lower[k] = (char)(h->name.p[k] >= 'A' && h->name.p[k] <= 'Z' ? h->name.p[k] + 32
                                                                         : h->name.p[k]);
        h2o_add_header_by_str(&req->pool, &req->res.headers, lower, h->name.n, 0, h->name.p,
                              h->value.p == NULL ? "" : h->value.p, h->value.n);
    }
    if (resp->close || e->close_after)
        req->http1_is_persistent = 0;
    h2o_iovec_t body = h2o_iovec_init(resp->body.p, resp->body.n);
    bool send_body = !e->head && !bodyless && body.len > 0;
    h2o_start_response(req, &generator);
    h2o_send(req, &body, send_body ? 1 : 0, H2O_SEND_STATE_FINAL); /* e may be gone now */
}

void net_reply(struct net_exchange *x, const struct http_resp *resp)
{
    struct exchange *e = (struct exchange *)x;
    ASSERT(e->resp == NULL);
    ASSERT(resp->status >= 200 && resp->status <= 999);
    e->resp = resp;
    e->net->open--;
    list_remove(&e->link);
    if (e->req == NULL) {
        arena_free(x->arena);
        return;
    }
    list_push_back(&e->net->held, &e->link);
}

/* Something arrived, or the peer left, while the reply is owed. What arrived stays in the buffer.
 */
static void on_early_read(h2o_socket_t *sock, const char *err)
{
    struct connection *conn = sock->on_close.data;
    if (err == NULL) {
        if (sock->input->size > 1 << 20)
            h2o_socket_read_stop(sock);
        return;
    }
    h2o_socket_read_stop(sock);
    if (conn->current != NULL) {
        conn->current->x.client_gone = true;
        conn->current->watched = false;
        conn->current->close_after = true;
    }
}

static void on_tick_end(void *arg, bool committed)
{
    struct net *n = arg;
    struct list *node;
    while ((node = list_pop_front(&n->held)) != NULL) {
        struct exchange *e = LIST_ITEM(node, struct exchange, link);
        if (!committed && e->x.writes && e->x.on_commit_failed != NULL) {
            struct http_resp *failed = ARENA_NEW(e->x.arena, struct http_resp);
            e->x.on_commit_failed(&e->x, failed);
            e->resp = failed;
        }
        send_now(e, e->resp);
    }
    while ((node = list_pop_front(&n->fresh)) != NULL) {
        struct exchange *e = LIST_ITEM(node, struct exchange, link);
        if (e->req == NULL)
            continue;
        e->watched = true;
        h2o_socket_read_start(e->req->conn->callbacks->get_socket(e->req->conn), on_early_read);
    }
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
    if (conn->current != NULL) {
        conn->current->conn = NULL;
        conn->current->x.client_gone = true;
    }
    listener_unref(conn->listener);
    free(conn);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct net_listener *nl = listener->data;
    if (err != NULL)
        return;
    for (int budget = 64; budget > 0; budget--) {
        h2o_socket_t *sock = h2o_evloop_socket_accept(listener);
        if (sock == NULL)
            return;
        struct connection *conn = calloc(1, sizeof *conn);
        if (conn == NULL)
            PANIC("out of memory");
        conn->listener = nl;
        nl->refs++;
        sock->on_close.cb = on_connection_closed;
        sock->on_close.data = conn;
        h2o_accept(&nl->net->accept_ctx, sock);
    }
}

struct net *net_new(struct loop *l, const struct net_opts *opts)
{
    struct net *n = calloc(1, sizeof *n);
    if (n == NULL)
        PANIC("out of memory");
    n->loop = l;
    list_init(&n->held);
    list_init(&n->fresh);
    h2o_config_init(&n->config);
    n->config.http1.upgrade_to_http2 = 0;
    n->config.http1.req_timeout = (uint64_t)opts->read_timeout_ms;
    n->config.max_request_entity_size = opts->max_body_bytes;
    n->config.server_name = h2o_iovec_init("", 0);
    h2o_socket_buffer_mmap_settings.threshold = SIZE_MAX; /* bodies stay in memory */
    h2o_hostconf_t *host =
        h2o_config_register_host(&n->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    struct handler *handler = (struct handler *)h2o_create_handler(path, sizeof *handler);
    handler->super.on_req = on_request;
    handler->net = n;
    h2o_context_init(&n->ctx, loop_poll(l)->loop, &n->config);
    n->accept_ctx.ctx = &n->ctx;
    n->accept_ctx.hosts = n->config.hosts;
    loop_on_tick_end(l, on_tick_end, n);
    return n;
}

void net_free(struct net *n)
{
    /* connections still open die with the process: h2o 2.2.5 has no way to close them all */
    (void)n;
}

static int open_socket(const char *host, uint16_t port, struct sockaddr_storage *ret_bound)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return -EINVAL;
    int one = 1, error = 0;
    socklen_t size = sizeof *ret_bound;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (found->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)ret_bound, &size) != 0)
        error = errno;
    freeaddrinfo(found);
    if (error != 0 && fd >= 0)
        close(fd);
    return error != 0 ? -error : fd;
}

struct net_listener *net_listen(struct net *n, const char *host, uint16_t port,
                                net_handler *handler, void *arg, int *reterr)
{
    struct sockaddr_storage bound;
    int fd = open_socket(host, port, &bound);
    if (fd < 0) {
        *reterr = fd;
        return NULL;
    }
    struct net_listener *nl = calloc(1, sizeof *nl);
    if (nl == NULL)
        PANIC("out of memory");
    *nl = (struct net_listener){.net = n, .handler = handler, .arg = arg, .refs = 1};
    nl->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                 : ((struct sockaddr_in *)&bound)->sin_port);
    nl->sock = h2o_evloop_socket_create(n->ctx.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
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
    h2o_socket_read_stop(nl->sock);
    h2o_socket_close(nl->sock);
    nl->sock = NULL;
    listener_unref(nl);
}

size_t net_open_exchanges(const struct net *n)
{
    return n->open;
}
