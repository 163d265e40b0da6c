/* The host process of a native handler: loads the shared object, then speaks the Runtime API over
 * one socket, response and next poll in one write.
 *
 *   host <task root>            (_HANDLER: "dir/hello.so" or "dir/hello.so.entry_point")
 */
#include "../include/puddle/handler.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RESPONSE_MAX = 6 * 1024 * 1024 + 101 }; /* one more than allowed: the server says so */
#define API "/2018-06-01/runtime/"

struct bytes {
    char *p;
    size_t n, cap;
};
struct lambda_reply {
    struct bytes body;
    bool failed;
    char type[128], message[1024];
};

static int sock;
static char host_line[96], next_line[256];
static size_t next_n;
static struct bytes in;

static void die(const char *what)
{
    dprintf(2, "puddle native host: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void reserve(struct bytes *b, size_t n)
{
    if (b->n + n <= b->cap)
        return;
    size_t cap = b->cap < 4096 ? 4096 : b->cap;
    while (cap < b->n + n)
        cap *= 2;
    b->p = realloc(b->p, cap);
    if (b->p == NULL)
        die("memory");
    b->cap = cap;
}

static int reply_write(struct lambda_reply *r, const void *bytes, size_t size)
{
    if (size > RESPONSE_MAX || r->body.n + size > RESPONSE_MAX)
        return -1;
    reserve(&r->body, size);
    memcpy(r->body.p + r->body.n, bytes, size);
    r->body.n += size;
    return 0;
}

static void reply_fail(struct lambda_reply *r, const char *type, const char *message)
{
    r->failed = true;
    snprintf(r->type, sizeof r->type, "%s", type != NULL ? type : "Error");
    snprintf(r->message, sizeof r->message, "%s", message != NULL ? message : "");
}

/* ---- the socket ---- */

static void send_all(struct iovec *v, int n)
{
    while (n > 0) {
        ssize_t sent = writev(sock, v, n);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            die("the Runtime API");
        while (n > 0 && (size_t)sent >= v->iov_len) {
            sent -= (ssize_t)v->iov_len;
            v++;
            n--;
        }
        if (n > 0) {
            v->iov_base = (char *)v->iov_base + sent;
            v->iov_len -= (size_t)sent;
        }
    }
}

/* The value of a header in the reply's head, copied; "" if absent. */
static void header(const char *head, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);
    value[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *from = line + n + 1;
            while (*from == ' ')
                from++;
            snprintf(value, size, "%.*s", (int)strcspn(from, "\r"), from);
            return;
        }
    }
}

/* One reply, complete in in.p: its head is NUL-terminated, the body is at *ret_body. */
static size_t read_reply(char **ret_body)
{
    char text[32];
    for (;;) {
        char *end = in.n < 4 ? NULL : memmem(in.p, in.n, "\r\n\r\n", 4);
        if (end != NULL) {
            *end = '\0';
            header(in.p, "Content-Length", text, sizeof text);
            size_t body_n = strtoul(text, NULL, 10), total = (size_t)(end - in.p) + 4 + body_n;
            while (in.n < total) {
                reserve(&in, total - in.n + 1);
                ssize_t n = recv(sock, in.p + in.n, total - in.n, 0);
                if (n <= 0)
                    die("the Runtime API");
                in.n += (size_t)n;
            }
            *ret_body = in.p + total - body_n;
            return body_n;
        }
        reserve(&in, 65536);
        ssize_t n = recv(sock, in.p + in.n, in.cap - in.n - 1, 0);
        if (n <= 0)
            die("the Runtime API");
        in.n += (size_t)n;
    }
}

static void drop_reply(const char *body, size_t body_n)
{
    size_t total = (size_t)(body - in.p) + body_n;
    memmove(in.p, in.p + total, in.n - total);
    in.n -= total;
}

/* JSON text of s; out is large enough for every byte as \u00XX. */
static void escape(const char *s, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = (char)c;
        } else if (c < 0x20) {
            memcpy(out, "\\u00", 4);
            out[4] = hex[c >> 4];
            out[5] = hex[c & 15];
            out += 6;
        } else {
            *out++ = (char)c;
        }
    }
    *out = '\0';
}

static void post(const char *target, const struct bytes *body, const char *type, bool then_next)
{
    char head[512];
    char *answer;
    int n = snprintf(head, sizeof head,
                     "POST " API "%s HTTP/1.1\r\n%sContent-Type: application/json\r\n%s%s%s"
                     "Content-Length: %zu\r\n\r\n",
                     target, host_line, type != NULL ? "Lambda-Runtime-Function-Error-Type: " : "",
                     type != NULL ? type : "", type != NULL ? "\r\n" : "", body->n);
    struct iovec v[3] = {{head, (size_t)n}, {body->p, body->n}, {next_line, next_n}};
    send_all(v, then_next ? 3 : 2);
    if (then_next)
        return;
    size_t answer_n = read_reply(&answer);
    drop_reply(answer, answer_n);
}

static void post_error(const char *target, const char *type, const char *message, bool then_next)
{
    static char text[8192], a[1024], b[7168];
    struct bytes body = {text, 0, sizeof text};
    char safe[256];
    snprintf(safe, sizeof safe, "%.120s", type);
    for (char *p = safe; *p != '\0'; p++)
        *p = *p < 0x20 || *p > 0x7e ? '?' : *p;
    escape(safe, a);
    escape(message, b);
    body.n =
        (size_t)snprintf(text, sizeof text, "{\"errorType\":\"%s\",\"errorMessage\":\"%s\"}", a, b);
    post(target, &body, safe, then_next);
}

static void connect_api(void)
{
    const char *api = getenv("AWS_LAMBDA_RUNTIME_API");
    const char *colon = api == NULL ? NULL : strrchr(api, ':');
    char ip[64];
    int one = 1;
    if (colon == NULL)
        die("AWS_LAMBDA_RUNTIME_API");
    snprintf(ip, sizeof ip, "%.*s", (int)(colon - api), api);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, ip, &at.sin_addr) != 1 || sock < 0 ||
        connect(sock, (struct sockaddr *)&at, sizeof at) != 0)
        die("the Runtime API");
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    snprintf(host_line, sizeof host_line, "Host: %s\r\n", api);
    next_n = (size_t)snprintf(next_line, sizeof next_line,
                              "GET " API "invocation/next HTTP/1.1\r\n%sUser-Agent: "
                              "puddle-native/1\r\n\r\n",
                              host_line);
}

/* "dir/hello.so.entry": the file and the symbol. */
static lambda_handler_fn *load(const char *root, char *why, size_t why_size)
{
    const char *name = getenv("_HANDLER"), *so = name == NULL ? NULL : strstr(name, ".so");
    const char *symbol = "lambda_handler";
    char path[4096];
    if (so == NULL || (so[3] != '\0' && so[3] != '.') || strstr(name, "..") != NULL) {
        snprintf(why, why_size, "Bad handler '%s'", name == NULL ? "" : name);
        return NULL;
    }
    if (so[3] == '.')
        symbol = so + 4;
    snprintf(path, sizeof path, "%s/%.*s", root, (int)(so + 3 - name), name);
    void *library = dlopen(path, RTLD_NOW);
    void *found = library == NULL ? NULL : dlsym(library, symbol);
    if (found == NULL)
        snprintf(why, why_size, "%s", dlerror());
    lambda_handler_fn *handler;
    memcpy(&handler, &found, sizeof handler);
    return handler;
}

static void run(lambda_handler_fn *handler, const char *head, char *event, size_t event_n,
                struct lambda_reply *reply)
{
    static const struct lambda_host host = {LAMBDA_HANDLER_ABI, reply_write, reply_fail};
    static char id[64], arn[512], trace[512], client[4096], deadline[32], target[128];
    header(head, "Lambda-Runtime-Aws-Request-Id", id, sizeof id);
    header(head, "Lambda-Runtime-Invoked-Function-Arn", arn, sizeof arn);
    header(head, "Lambda-Runtime-Trace-Id", trace, sizeof trace);
    header(head, "Lambda-Runtime-Client-Context", client, sizeof client);
    header(head, "Lambda-Runtime-Deadline-Ms", deadline, sizeof deadline);
    struct lambda_context context = {.aws_request_id = id,
                                     .function_name = getenv("AWS_LAMBDA_FUNCTION_NAME"),
                                     .function_version = getenv("AWS_LAMBDA_FUNCTION_VERSION"),
                                     .invoked_function_arn = arn,
                                     .memory_limit_in_mb =
                                         getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                                     .log_group_name = getenv("AWS_LAMBDA_LOG_GROUP_NAME"),
                                     .log_stream_name = getenv("AWS_LAMBDA_LOG_STREAM_NAME"),
                                     .trace_id = trace,
                                     .client_context = client,
                                     .deadline_ms = strtoll(deadline, NULL, 10)};
    reply->body.n = 0;
    reply->failed = false;
    char saved = event[event_n];
    event[event_n] = '\0'; /* there is room: read_reply keeps one byte */
    int rc = handler(&host, &context, event, event_n, reply);
    event[event_n] = saved;
    fflush(NULL);
    if (rc != 0 && !reply->failed) {
        snprintf(target, sizeof target, "the handler returned %d", rc);
        reply_fail(reply, "Error", target);
    }
    if (!reply->failed && reply->body.n == 0)
        reply_write(reply, "null", 4);
    snprintf(target, sizeof target, "invocation/%s/%s", id, reply->failed ? "error" : "response");
    if (reply->failed)
        post_error(target, reply->type, reply->message, true);
    else
        post(target, &reply->body, NULL, true);
}

int main(int argc, char **argv)
{
    static struct lambda_reply reply;
    char why[1024] = "";
    connect_api();
    lambda_handler_fn *handler = load(argc > 1 ? argv[1] : ".", why, sizeof why);
    if (handler == NULL) {
        dprintf(2, "%s\n", why);
        post_error("init/error", "Runtime.ImportModuleError", why, false);
        return 1;
    }
    struct iovec v = {next_line, next_n};
    send_all(&v, 1);
    for (bool first = true;; first = false) {
        char *body;
        if (!first) { /* the answer to the response */
            size_t n = read_reply(&body);
            drop_reply(body, n);
        }
        size_t n = read_reply(&body);
        if (strncmp(in.p, "HTTP/1.1 200", 12) != 0)
            return 1;
        struct bytes event = in; /* the next replies get a buffer of their own */
        in = (struct bytes){0};
        run(handler, event.p, body, n, &reply);
        free(event.p);
    }
}
