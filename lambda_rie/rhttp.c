#include "rhttp.h"
#include "list.h"
#include "panic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    HEAD_MAX = 128 * 1024, /* X-Ray causes travel in a header and may be 64 KiB */
    READ_BYTES = 64 * 1024,
    READ_ROUNDS = 16, /* then the loop's other work has its turn */
    DRAIN_MAX = 256 << 20,
    KEEP_BYTES = 1 << 20,
    OUT_MAX = 64 << 20
};

struct rhttp {
    struct loop *loop;
    const struct rhttp_calls *calls; /* NULL: closed */
    void *arg;
    size_t max_body;
    int fd;
    uint16_t port;
    struct watch *watch;
    struct list conns;
    size_t refs;
};
enum conn_state { AT_HEAD, AT_BODY, AT_CHUNK_SIZE, AT_CHUNK, AT_CHUNK_END, AT_TRAILERS, WAITING };
struct rhttp_conn {
    struct list link;
    struct rhttp *h;
    int fd;
    struct watch *watch;
    enum conn_state state;
    struct buf in, out;
    size_t at; /* start of what is not consumed yet, in in */
    /* the request being read */
    size_t head_n; /* bytes of the head at in.p + at, kept until the request is complete */
    size_t body_at, body_n, trailers_at;
    size_t left; /* of the body or chunk */
    struct rhttp_req req;
    size_t dropped;
    bool chunked, close_after, closing, paused, running, gone;
    bool held; /* when this request began, a reply was not yet written */
};

/* ---- connections ---- */

static void unref(struct rhttp *h)
{
    if (--h->refs == 0)
        free(h);
}

/* The memory stays as long as conn_run is below us on the stack. */
static void conn_close(struct rhttp_conn *c)
{
    if (c->gone)
        return;
    c->gone = true;
    watch_stop(c->watch);
    close(c->fd);
    list_remove(&c->link);
}

static void conn_free(struct rhttp_conn *c)
{
    struct rhttp *h = c->h;
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
    unref(h);
}

static void conn_lost(struct rhttp_conn *c)
{
    struct rhttp *h = c->h;
    bool owed = c->state == WAITING || (c->state != AT_HEAD && c->req.in_pieces);
    if (c->gone)
        return;
    conn_close(c);
    if (owed && h->calls != NULL)
        h->calls->gone(h->arg, c);
}

/* ---- reading requests ---- */

struct str rhttp_header(struct str lines, const char *name)
{
    size_t n = strlen(name);
    while (lines.n > 0) {
        struct str line = str_cut(&lines, '\n');
        if (line.n > n && line.p[n] == ':' && str_case_eq(str_sub(line, 0, n), str_c(name)))
            return str_trim(str_sub(line, n + 1, line.n));
    }
    return STR_NONE;
}

static void set_views(struct rhttp_conn *c)
{
    struct str head = {c->in.p + c->at, c->head_n};
    struct str line = str_cut(&head, '\n');
    c->req.method = str_cut(&line, ' ');
    c->req.path = line.p == NULL ? STR("") : str_cut(&line, ' ');
    c->req.headers = head;
}

static bool refuse(struct rhttp_conn *c, int status)
{
    c->close_after = true;
    c->state = WAITING;
    rhttp_reply(c, status, STR(""), STR(""));
    return false;
}

static bool is_chunked(struct str coding)
{
    return str_case_eq(coding, STR("chunked"));
}

/* True: there may be more to do with what is in the buffer. */
static bool read_head(struct rhttp_conn *c)
{
    struct str rest = {c->in.p + c->at, c->in.n - c->at};
    ptrdiff_t end = str_find_str(rest, STR("\r\n\r\n"));
    if (end < 0)
        return rest.n > HEAD_MAX ? refuse(c, 431) : false;
    c->head_n = (size_t)end + 4;
    c->req = (struct rhttp_req){0};
    c->body_at = c->head_n;
    c->body_n = c->dropped = c->left = 0;
    set_views(c);
    struct str length = rhttp_header(c->req.headers, "Content-Length");
    struct str coding = rhttp_header(c->req.headers, "Transfer-Encoding");
    int64_t n = 0;
    if (c->req.path.n == 0 || (coding.p != NULL && !is_chunked(coding)) ||
        (length.p != NULL && (!str_to_i64(length, &n) || n < 0)))
        return refuse(c, 400);
    struct str connection = rhttp_header(c->req.headers, "Connection");
    c->close_after = str_case_eq(connection, STR("close"));
    c->chunked = coding.p != NULL;
    c->left = c->chunked ? 0 : (size_t)n;
    if (rhttp_header(c->req.headers, "Expect").p != NULL && (n > 0 || c->chunked))
        buf_add(&c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    c->req.in_pieces = (n > 0 || c->chunked) && c->h->calls->head(c->h->arg, c, &c->req);
    if (!c->gone)
        c->state = c->chunked ? AT_CHUNK_SIZE : AT_BODY;
    return !c->gone;
}

/* Takes up to c->left bytes that stand at offset from (of the request) out of the buffer or into
 * the body, which is kept contiguous behind the head. Returns how many. */
static size_t take(struct rhttp_conn *c, size_t from)
{
    size_t have = c->in.n - c->at - from, n = have < c->left ? have : c->left;
    char *start = c->in.p + c->at + from;
    c->left -= n;
    if (n == 0)
        return 0;
    if (c->req.in_pieces) {
        c->h->calls->piece(c->h->arg, c, (struct str){start, n});
    } else if (c->req.too_large || c->body_n + n > c->h->max_body) {
        c->req.too_large = true;
        c->dropped += n;
    } else {
        if (c->body_at + c->body_n != from)
            memmove(c->in.p + c->at + c->body_at + c->body_n, start, n);
        c->body_n += n;
    }
    return n;
}

/* Removes the n bytes at offset from: what was read of a chunked or dropped body. */
static void cut(struct rhttp_conn *c, size_t from, size_t n)
{
    size_t start = c->at + from;
    memmove(c->in.p + start, c->in.p + start + n, c->in.n - start - n);
    c->in.n -= n;
}

static void complete(struct rhttp_conn *c)
{
    struct rhttp *h = c->h;
    set_views(c);
    c->req.body = (struct str){c->in.p + c->at + c->body_at, c->body_n};
    c->req.trailers = (struct str){c->in.p + c->at + c->trailers_at, c->req.trailers.n};
    c->state = WAITING;
    h->calls->request(h->arg, c, &c->req);
}

static bool read_body(struct rhttp_conn *c)
{
    size_t n = take(c, c->body_at + c->body_n);
    if (c->gone)
        return false;
    if (n > 0 && (c->req.in_pieces || c->req.too_large))
        cut(c, c->body_at + c->body_n, n);
    if (c->dropped > DRAIN_MAX) {
        conn_lost(c);
        return false;
    }
    if (c->left > 0)
        return false;
    c->trailers_at = c->body_at + c->body_n;
    complete(c);
    return false;
}

/* The framing lines of a chunked body stand at body_at + body_n; they are cut out as they are
 * understood. False: more bytes are needed, or it is over. */
static bool read_chunks(struct rhttp_conn *c)
{
    size_t from = c->body_at + c->body_n;
    if (c->state == AT_CHUNK) {
        size_t n = take(c, from);
        if (c->gone)
            return false;
        if (n > 0 && (c->req.in_pieces || c->req.too_large))
            cut(c, from, n);
        if (c->dropped > DRAIN_MAX) {
            conn_lost(c);
            return false;
        }
        if (c->left == 0)
            c->state = AT_CHUNK_END;
        return c->left == 0;
    }
    struct str rest = {c->in.p + c->at + from, c->in.n - c->at - from};
    if (c->state == AT_TRAILERS) {
        ptrdiff_t end = str_starts(rest, STR("\r\n")) ? 0 : str_find_str(rest, STR("\r\n\r\n"));
        if (end < 0)
            return rest.n > HEAD_MAX ? refuse(c, 431) : false;
        c->trailers_at = from;
        c->req.trailers.n = (size_t)end + (end > 0 ? 4 : 2);
        complete(c);
        return false;
    }
    ptrdiff_t end = str_find(rest, '\n');
    if (end < 0)
        return rest.n > 1024 ? refuse(c, 400) : false;
    struct str line = str_sub(rest, 0, (size_t)end);
    if (c->state == AT_CHUNK_END) {
        cut(c, from, (size_t)end + 1);
        c->state = AT_CHUNK_SIZE;
        return line.n <= 1 || refuse(c, 400);
    }
    char text[20];
    struct str digits = str_trim(str_cut(&line, ';'));
    if (digits.n == 0 || digits.n > 15)
        return refuse(c, 400);
    snprintf(text, sizeof text, "%.*s", STR_ARG(digits));
    char *stop;
    c->left = strtoull(text, &stop, 16);
    if (*stop != '\0' || text[0] == '-' || text[0] == '+')
        return refuse(c, 400);
    cut(c, from, (size_t)end + 1);
    c->state = c->left == 0 ? AT_TRAILERS : AT_CHUNK;
    return true;
}

static void flush(struct rhttp_conn *c)
{
    size_t sent = 0;
    while (sent < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + sent, c->out.n - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) {
            c->closing = true;
            sent = c->out.n;
            break;
        }
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    if (sent == c->out.n && c->out.cap > KEEP_BYTES)
        buf_release(&c->out);
    else if (sent == c->out.n)
        buf_clear(&c->out);
    else if (sent > 0) {
        memmove(c->out.p, c->out.p + sent, c->out.n - sent);
        c->out.n -= sent;
    }
    watch_writable(c->watch, c->out.n > 0);
}

/* Forgets what is consumed, and the memory of a big body. */
static void compact(struct rhttp_conn *c)
{
    memmove(c->in.p, c->in.p + c->at, c->in.n - c->at);
    c->in.n -= c->at;
    c->at = 0;
    if (c->in.n == 0 && c->in.cap > KEEP_BYTES)
        buf_release(&c->in);
}

/* Works on what is in the buffer until a reply is owed or bytes are missing. */
static void conn_run(struct rhttp_conn *c)
{
    if (c->running || c->gone)
        return;
    c->running = true;
    bool more = true;
    while (more && !c->gone && !c->paused) {
        if (c->state == AT_HEAD) {
            c->held = c->out.n > 0;
            more = c->in.n > c->at && read_head(c);
        } else if (c->state == AT_BODY)
            more = read_body(c) || c->state == AT_HEAD;
        else if (c->state == WAITING)
            more = false;
        else
            more = read_chunks(c) || c->state == AT_HEAD;
    }
    if (!c->gone && c->at > 0 && c->state == AT_HEAD)
        compact(c);
    /* a peer that has sent its next request already does not wait for this reply: it leaves
     * together with the next one, which saves the peer a wake-up */
    bool later = c->state == WAITING && c->held && c->out.n < 4096;
    if (!c->gone && c->out.n > 0 && !later)
        flush(c);
    if (!c->gone && c->closing && c->out.n == 0)
        conn_lost(c);
    c->running = false;
    if (c->gone)
        conn_free(c);
}

static void on_conn(void *arg, int fd)
{
    struct rhttp_conn *c = arg;
    (void)fd;
    if (c->out.n > 0)
        flush(c);
    bool more = true;
    for (int i = 0; i < READ_ROUNDS && more && !c->paused; i++) {
        if (!buf_reserve(&c->in, READ_BYTES)) {
            conn_lost(c);
            break;
        }
        size_t room = c->in.cap - c->in.n;
        ssize_t n = recv(c->fd, c->in.p + c->in.n, room, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n <= 0) {
            conn_lost(c);
            break;
        }
        c->in.n += (size_t)n;
        /* a big body that is kept: read on before looking at it again */
        more = (size_t)n == room && c->state == AT_BODY && !c->req.in_pieces && !c->req.too_large;
    }
    if (c->gone)
        conn_free(c);
    else
        conn_run(c);
}

void rhttp_drain(struct rhttp *h)
{
    struct list *n = h->conns.next;
    h->refs++;
    while (h->calls != NULL && n != &h->conns) {
        struct rhttp_conn *c = LIST_ITEM(n, struct rhttp_conn, link);
        n = n->next;
        if (!c->running)
            on_conn(c, c->fd);
    }
    unref(h);
}

static void reply_begin(struct rhttp_conn *c, int status, struct str headers, size_t body_n)
{
    buf_addf(&c->out, "HTTP/1.1 %d %s\r\n", status, status < 300 ? "OK" : "Error");
    buf_add(&c->out, headers);
    buf_addf(&c->out, "%sContent-Length: %zu\r\n\r\n",
             c->close_after ? "Connection: close\r\n" : "", body_n);
}

void rhttp_reply(struct rhttp_conn *c, int status, struct str headers, struct str body)
{
    ASSERT(c->state == WAITING);
    if (c->gone)
        return;
    reply_begin(c, status, headers, body.n);
    buf_add(&c->out, body);
    if (c->out.overflow)
        c->closing = true;
    /* the next request starts behind this one's bytes */
    c->at += c->trailers_at > 0 ? c->trailers_at + c->req.trailers.n : c->head_n;
    c->trailers_at = 0;
    c->state = AT_HEAD;
    c->closing |= c->close_after;
    if (!c->running) /* from outside: written at once, then what was pipelined */
        conn_run(c);
}

void rhttp_pause(struct rhttp_conn *c, bool paused)
{
    if (c->gone || c->paused == paused)
        return;
    c->paused = paused;
    if (paused) {
        watch_pause(c->watch);
    } else {
        watch_resume(c->watch);
        conn_run(c);
    }
}

/* ---- listening ---- */

static void on_accept(void *arg, int fd)
{
    struct rhttp *h = arg;
    int one = 1, s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (s < 0)
        return;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct rhttp_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        PANIC("out of memory");
    c->h = h;
    c->fd = s;
    buf_init(&c->in, HEAD_MAX + h->max_body + 2 * READ_BYTES);
    buf_init(&c->out, OUT_MAX);
    c->watch = watch_fd(h->loop, s, on_conn, c);
    list_push_back(&h->conns, &c->link);
    h->refs++;
}

struct rhttp *rhttp_open(struct loop *loop, size_t max_body, const struct rhttp_calls *calls,
                         void *arg, int *reterr)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &at_n) != 0) {
        *reterr = -errno;
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct rhttp *h = calloc(1, sizeof *h);
    if (h == NULL)
        PANIC("out of memory");
    *h = (struct rhttp){.loop = loop,
                        .calls = calls,
                        .arg = arg,
                        .max_body = max_body,
                        .fd = fd,
                        .port = ntohs(at.sin_port),
                        .refs = 1};
    list_init(&h->conns);
    h->watch = watch_fd(loop, fd, on_accept, h);
    return h;
}

void rhttp_close(struct rhttp *h)
{
    h->calls = NULL;
    watch_stop(h->watch);
    close(h->fd);
    while (!list_empty(&h->conns)) {
        struct rhttp_conn *c = LIST_ITEM(h->conns.next, struct rhttp_conn, link);
        conn_close(c);
        if (!c->running)
            conn_free(c);
    }
    unref(h);
}

uint16_t rhttp_port(const struct rhttp *h)
{
    return h->port;
}
