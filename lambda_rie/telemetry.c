/* The Telemetry API and its predecessor, the Logs API: batches of events as HTTP POST to a listener
 * inside the environment. Only loopback is ever connected to. */
#include "clock.h"
#include "env.h"
#include "json.h"
#include "list.h"
#include "log.h"
#include "panic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SUBSCRIBERS_MAX = EXTENSIONS_MAX,
    QUEUE_BYTES = 1 << 20, /* a subscriber that does not listen loses what is beyond */
    ITEMS_DEFAULT = 10000, /* AWS's defaults */
    BYTES_DEFAULT = 262144,
    TIMEOUT_DEFAULT = 1000
};
enum { TYPE_PLATFORM = 1, TYPE_FUNCTION = 2, TYPE_EXTENSION = 4 };

struct subscriber {
    struct environment *e;
    struct str extension_id;
    uint16_t port;
    struct str path;
    unsigned types;
    int64_t max_items, max_bytes, timeout_ms;
    struct buf batch; /* "[{...},{...}" */
    size_t items;
    struct timer timer;
    /* the delivery under way */
    int fd;
    struct watch *watch;
    struct buf out;
};
struct telemetry {
    struct subscriber subscribers[SUBSCRIBERS_MAX];
    size_t count;
};

/* ---- delivery: one request a batch, the answer is not waited for longer than the next ---- */

static void hang_up(struct subscriber *s)
{
    if (s->watch != NULL)
        watch_stop(s->watch);
    s->watch = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    buf_clear(&s->out);
}

static void on_socket(void *arg, int fd)
{
    struct subscriber *s = arg;
    char chunk[1024];
    while (s->out.n > 0) {
        ssize_t n = send(fd, s->out.p, s->out.n, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n < 0) {
            hang_up(s);
            return;
        }
        memmove(s->out.p, s->out.p + n, s->out.n - (size_t)n);
        s->out.n -= (size_t)n;
    }
    if (s->out.n == 0)
        watch_writable(s->watch, false);
    ssize_t n = recv(fd, chunk, sizeof chunk, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || (n > 0 && s->out.n == 0)) {
        hang_up(s);
        if (s->items > 0)
            timer_set(s->e->r->loop, &s->timer, clock_mono_ms());
    }
}

static void deliver(struct subscriber *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (s->items == 0 || s->fd >= 0)
        return;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return;
    if (connect(s->fd, (struct sockaddr *)&at, sizeof at) != 0 && errno != EINPROGRESS) {
        close(s->fd);
        s->fd = -1;
        return;
    }
    buf_addc(&s->batch, ']');
    buf_addf(&s->out,
             "POST %.*s HTTP/1.1\r\nHost: sandbox.localdomain:%u\r\nContent-Type: application/json"
             "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
             STR_ARG(s->path), s->port, s->batch.n);
    buf_add(&s->out, buf_view(&s->batch));
    buf_clear(&s->batch);
    s->items = 0;
    timer_clear(s->e->r->loop, &s->timer);
    s->watch = watch_fd(s->e->r->loop, s->fd, on_socket, s);
    watch_writable(s->watch, true);
}

static void on_timer(struct timer *t)
{
    struct subscriber *s = LIST_ITEM(t, struct subscriber, timer);
    deliver(s);
}

/* ---- events ---- */

static void add_to(struct subscriber *s, const char *type, struct str record)
{
    char iso[25];
    clock_format_iso(clock_now_ms(), iso);
    if (s->batch.n + record.n + 128 > QUEUE_BYTES)
        return; /* unverified: AWS tells of it by platform.logsDropped */
    buf_addf(&s->batch, "%c{\"time\":\"%s\",\"type\":\"%s\",\"record\":", s->items == 0 ? '[' : ',',
             iso, type);
    buf_add(&s->batch, record);
    buf_addc(&s->batch, '}');
    s->items++;
    if ((int64_t)s->items >= s->max_items || (int64_t)s->batch.n >= s->max_bytes)
        deliver(s);
    else if (s->timer.heap_index == 0)
        timer_set(s->e->r->loop, &s->timer, clock_mono_ms() + s->timeout_ms);
}

void telemetry_add(struct environment *e, const char *category, const char *type, struct str record)
{
    unsigned mask = category[0] == 'p'   ? TYPE_PLATFORM
                    : category[0] == 'f' ? TYPE_FUNCTION
                                         : TYPE_EXTENSION;
    for (size_t i = 0; i < e->telemetry->count; i++) {
        if ((e->telemetry->subscribers[i].types & mask) != 0)
            add_to(&e->telemetry->subscribers[i], type, record);
    }
}

void telemetry_flush(struct environment *e)
{
    for (size_t i = 0; e->telemetry != NULL && i < e->telemetry->count; i++)
        deliver(&e->telemetry->subscribers[i]);
}

void telemetry_free(struct environment *e)
{
    struct telemetry *t = e->telemetry;
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        hang_up(&t->subscribers[i]);
        timer_clear(e->r->loop, &t->subscribers[i].timer);
        buf_release(&t->subscribers[i].batch);
        buf_release(&t->subscribers[i].out);
    }
    free(t);
    e->telemetry = NULL;
}

/* ---- subscribing ---- */

static int64_t number(struct jval doc, const char *name, int64_t standard)
{
    int64_t n = standard;
    jval_i64(jval_get(doc, name), &n);
    return n < 1 ? 1 : n;
}

/* http://sandbox.localdomain:PORT/path, or a loopback host. */
static bool read_uri(struct subscriber *s, struct str uri, struct arena *m)
{
    static const char *const hosts[] = {"sandbox.localdomain", "sandbox", "localhost", "127.0.0.1"};
    int64_t port = 80;
    if (!str_starts(uri, STR("http://")))
        return false;
    struct str rest = str_sub(uri, 7, uri.n);
    ptrdiff_t slash = str_find(rest, '/');
    struct str host = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash), given = host;
    struct str name = str_cut(&host, ':');
    bool known = false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        known |= str_eq_c(name, hosts[i]);
    if (!known || (host.p != NULL && (!str_to_i64(host, &port) || port < 1 || port > 65535)))
        return false;
    (void)given;
    s->port = (uint16_t)port;
    s->path = slash < 0 ? STR("/") : arena_str(m, str_sub(rest, (size_t)slash, rest.n));
    return str_find(s->path, '\r') < 0 && str_find(s->path, '\n') < 0;
}

static bool read_subscription(struct subscriber *s, struct str body, struct arena *a,
                              struct arena *m)
{
    struct jval doc, it = {0};
    if (!json_parse(a, body, JSON_DEPTH_DEFAULT, &doc, NULL))
        return false;
    while (jval_next(jval_get(doc, "types"), &it, NULL)) {
        struct str type = jval_text(it, a);
        s->types |= str_eq_c(type, "platform")    ? TYPE_PLATFORM
                    : str_eq_c(type, "function")  ? TYPE_FUNCTION
                    : str_eq_c(type, "extension") ? TYPE_EXTENSION
                                                  : 8u;
    }
    struct jval buffering = jval_get(doc, "buffering"), to = jval_get(doc, "destination");
    s->max_items = number(buffering, "maxItems", ITEMS_DEFAULT);
    s->max_bytes = number(buffering, "maxBytes", BYTES_DEFAULT);
    s->timeout_ms = number(buffering, "timeoutMs", TIMEOUT_DEFAULT);
    struct str uri = jval_text(jval_get(to, "URI"), a);
    return s->types != 0 && (s->types & 8u) == 0 &&
           str_case_eq(jval_text(jval_get(to, "protocol"), a), STR("HTTP")) && read_uri(s, uri, m);
}

static struct subscriber *slot_for(struct environment *e, struct str id)
{
    if (e->telemetry == NULL) {
        e->telemetry = calloc(1, sizeof *e->telemetry);
        if (e->telemetry == NULL)
            PANIC("out of memory");
    }
    struct telemetry *t = e->telemetry;
    for (size_t i = 0; i < t->count; i++) {
        if (str_eq(t->subscribers[i].extension_id, id))
            return &t->subscribers[i];
    }
    if (t->count == SUBSCRIBERS_MAX)
        return NULL;
    struct subscriber *s = &t->subscribers[t->count++];
    s->e = e;
    s->fd = -1;
    s->extension_id = id;
    s->timer.fn = on_timer;
    buf_init(&s->batch, 2 * QUEUE_BYTES);
    buf_init(&s->out, 4 * QUEUE_BYTES);
    return s;
}

static void subscribe(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q,
                      const char *api)
{
    struct str id = rhttp_header(q->headers, "Lambda-Extension-Identifier"), own = STR_NONE;
    struct subscriber read = {0};
    char type[64];
    for (size_t i = 0; i < e->extension_count; i++) {
        if (id.n > 0 && str_eq(e->extensions[i].id, id))
            own = e->extensions[i].id;
    }
    if (own.p == NULL) {
        env_answer_error(c, 403, "Unknown extension", "Extension.UnknownExtensionIdentifier");
        return;
    }
    snprintf(type, sizeof type, "%s.ValidationError", api); /* unverified */
    struct arena *a = arena_new(0, 16 << 20);
    bool ok = read_subscription(&read, q->body, a, e->mem);
    struct subscriber *s = ok ? slot_for(e, own) : NULL;
    arena_free(a);
    if (s == NULL) {
        env_answer_error(c, 400, "Invalid subscription", type);
        return;
    }
    s->types = read.types;
    s->port = read.port;
    s->path = read.path;
    s->max_items = read.max_items;
    s->max_bytes = read.max_bytes;
    s->timeout_ms = read.timeout_ms;
    rhttp_reply(c, 200, STR("Content-Type: text/plain; charset=utf-8\r\n"), STR("OK"));
    char record[256];
    int n = snprintf(record, sizeof record, "{\"name\":\"%.*s\",\"state\":\"Subscribed\"}", 0, "");
    for (size_t i = 0; i < e->extension_count; i++) {
        if (str_eq(e->extensions[i].id, own) && str_is_utf8(e->extensions[i].name) &&
            str_find(e->extensions[i].name, '"') < 0 && str_find(e->extensions[i].name, '\\') < 0)
            n = snprintf(record, sizeof record,
                         "{\"name\":\"%.100s\",\"state\":\"Subscribed\",\"types\":[]}",
                         e->extensions[i].name.p);
    }
    telemetry_add(e, "platform",
                  api[0] == 'T' ? "platform.telemetrySubscription" : "platform.logsSubscription",
                  (struct str){record, (size_t)n});
}

bool telemetry_request(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    if (!str_eq_c(q->method, "PUT"))
        return false;
    if (str_eq_c(q->path, "/2022-07-01/telemetry"))
        subscribe(e, c, q, "Telemetry");
    else if (str_eq_c(q->path, "/2020-08-15/logs"))
        subscribe(e, c, q, "Logs");
    else
        return false;
    return true;
}
