#include "cli_client.h"
#include "clock.h"
#include "codec.h"
#include "file.h"
#include "hash.h"
#include "http_client.h"
#include "json.h"
#include "options.h"
#include "sigv4.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVENT_MAX = 16 << 20, ARENA_MAX = 512 << 20, FOLLOW_MS = 250 };

struct client { /* one command */
    struct arena *a;
    struct client_target to;
};

static bool take_port(void *arg, const char *value)
{
    struct client *c = arg;
    int64_t port;
    if (!str_to_i64(str_c(value), &port) || port < 1 || port > 65535)
        return false;
    c->to = (struct client_target){STR("localhost"), (uint16_t)port};
    return true;
}

/* Where the server is: --port, else AWS_ENDPOINT_URL as puddle env sets it, else port 4566. The
 * command's own options stand in options[1...]. False: wrong usage, said on stderr. */
static bool client_read(struct client *c, int argc, char **argv, struct option *options,
                        size_t count, const char **positional, size_t positional_max)
{
    const char *url = getenv("AWS_ENDPOINT_URL");
    if (url == NULL || !http_client_parse_url(str_c(url), &c->to))
        c->to = (struct client_target){STR("localhost"), 4566};
    options[0] = (struct option){"--port", .take = take_port};
    return options_read(argc, argv, options, count, c, positional, positional_max);
}

static bool send_request(struct client *c, struct arena *a, struct http_req *req,
                         struct client_reply *ret)
{
    if (http_client_request(a, &c->to, req, ret))
        return true;
    fprintf(stderr, "puddle: nothing answers at http://%.*s (start it with puddle start)\n",
            STR_ARG(http_client_host(&c->to, a)));
    return false;
}

static bool ask(struct client *c, struct arena *a, const char *method, struct str target,
                struct client_reply *ret)
{
    struct http_req req = {.method = str_c(method), .target = target};
    return send_request(c, a, &req, ret);
}

static int print_reply(const struct client_reply *reply)
{
    bool ok = reply->status >= 200 && reply->status < 300;
    if (reply->body.n > 0)
        fprintf(ok ? stdout : stderr, "%.*s\n", STR_ARG(reply->body));
    return ok ? 0 : 1;
}

int cli_status(int argc, char **argv)
{
    struct client c = {.a = arena_new(0, ARENA_MAX)};
    struct option options[1];
    struct client_reply reply;
    int status = 2;
    if (client_read(&c, argc, argv, options, 1, NULL, 0))
        status = ask(&c, c.a, "GET", STR("/_puddle/status"), &reply) ? print_reply(&reply) : 1;
    arena_free(c.a);
    return status;
}

int cli_reset(int argc, char **argv)
{
    struct client c = {.a = arena_new(0, ARENA_MAX)};
    struct option options[1];
    struct client_reply reply;
    const char *service = NULL;
    int status = 2;
    if (client_read(&c, argc, argv, options, 1, &service, 1)) {
        struct str path = STR("/_puddle/reset");
        if (service != NULL) {
            struct str name = codec_percent_encode(c.a, str_c(service), false);
            path = arena_fmt(c.a, "/_puddle/reset/%.*s", STR_ARG(name));
        }
        status = ask(&c, c.a, "POST", path, &reply) ? print_reply(&reply) : 1;
    }
    arena_free(c.a);
    return status;
}

int cli_env(int argc, char **argv)
{
    struct client c = {.a = arena_new(0, ARENA_MAX)};
    struct option options[1];
    bool ok = client_read(&c, argc, argv, options, 1, NULL, 0);
    if (ok)
        printf("export AWS_ENDPOINT_URL=http://%.*s\n"
               "export AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n"
               "export AWS_DEFAULT_REGION=us-east-1\nexport AWS_REGION=us-east-1\n",
               STR_ARG(http_client_host(&c.to, c.a)));
    arena_free(c.a);
    return ok ? 0 : 2;
}

/* ---- invoke ---- */

static struct str variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return str_c(value != NULL && value[0] != '\0' ? value : otherwise);
}

static void add_header(struct http_req *req, struct arena *a, const char *name, struct str value)
{
    struct http_resp list = {.headers = req->headers,
                             .header_count = req->header_count,
                             .header_cap = req->header_count};
    http_resp_add(&list, a, str_c(name), value);
    req->headers = list.headers;
    req->header_count = list.header_count;
}

/* Signature Version 4 with the keys of the environment, for servers with --strict-auth. */
static void sign(struct client *c, struct http_req *req, const char *service)
{
    char date[17];
    uint8_t digest[32];
    struct sigv4_opts opts = {.normalize_path = true, .rest = true};
    const char *token = getenv("AWS_SESSION_TOKEN");
    struct str region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", "us-east-1").p);
    struct str names = STR("host;x-amz-date");
    clock_format(clock_now_ms(), "%Y%m%dT%H%M%SZ", date, sizeof date);
    struct str amz_date = arena_str(c->a, str_c(date));
    struct str scope = arena_fmt(c->a, "%.8s/%.*s/%s/aws4_request", date, STR_ARG(region), service);
    req->host = http_client_host(&c->to, c->a);
    add_header(req, c->a, "Host", req->host);
    add_header(req, c->a, "X-Amz-Date", amz_date);
    if (token != NULL && token[0] != '\0') {
        add_header(req, c->a, "X-Amz-Security-Token", str_c(token));
        names = STR("host;x-amz-date;x-amz-security-token");
    }
    hash_sha256(req->body, digest);
    struct str payload = codec_hex(c->a, (struct str){(const char *)digest, sizeof digest});
    struct str canonical = sigv4_canonical_request(req, &opts, names, payload, false, c->a);
    struct str text = sigv4_string_to_sign(canonical, amz_date, scope, c->a);
    struct str signature =
        sigv4_signature(variable("AWS_SECRET_ACCESS_KEY", "test"), scope, text, c->a);
    add_header(req, c->a, "Authorization",
               arena_fmt(c->a,
                         "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, "
                         "Signature=%.*s",
                         STR_ARG(variable("AWS_ACCESS_KEY_ID", "test")), STR_ARG(scope),
                         STR_ARG(names), STR_ARG(signature)));
}

static bool read_event(const char *from, struct arena *a, struct str *ret)
{
    *ret = STR("{}");
    if (from == NULL)
        return true;
    if (strcmp(from, "-") != 0)
        return file_read(a, from, EVENT_MAX, ret) == 0;
    struct buf *b = arena_new_buf(a, EVENT_MAX);
    while (buf_reserve(b, 65536)) {
        ssize_t n = read(STDIN_FILENO, b->p + b->n, b->cap - b->n);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        b->n += (size_t)n;
    }
    *ret = buf_view(b);
    return !b->overflow;
}

static int invoke(struct client *c, const char *function, struct str event, bool tail)
{
    struct client_reply reply;
    struct str log, name = codec_percent_encode(c->a, str_c(function), false);
    struct http_req req = {.method = STR("POST"), .body = event};
    req.target = arena_fmt(c->a, "/2015-03-31/functions/%.*s/invocations", STR_ARG(name));
    req.path = req.target;
    if (tail)
        add_header(&req, c->a, "X-Amz-Log-Type", STR("Tail"));
    sign(c, &req, "lambda");
    if (!send_request(c, c->a, &req, &reply))
        return 1;
    struct str encoded = http_client_header(&reply, "X-Amz-Log-Result");
    if (encoded.p != NULL && codec_base64_decode(c->a, encoded, &log))
        fprintf(stderr, "%.*s", STR_ARG(log));
    int status = print_reply(&reply);
    return http_client_header(&reply, "X-Amz-Function-Error").p != NULL ? 1 : status;
}

int cli_invoke(int argc, char **argv)
{
    struct client c = {.a = arena_new(0, ARENA_MAX)};
    const char *positional[2] = {NULL}, *from = NULL;
    struct str event;
    bool tail = false;
    int status = 2;
    struct option options[] = {{0}, {"-e", "--event", .text = &from}, {"--tail", .flag = &tail}};
    if (!client_read(&c, argc, argv, options, 3, positional, 2)) {
        status = 2;
    } else if (positional[0] == NULL ||
               (positional[1] != NULL && (from != NULL || strcmp(positional[1], "-") != 0))) {
        fprintf(stderr, "puddle invoke: one function, one event (see puddle help invoke)\n");
    } else if (!read_event(from != NULL ? from : positional[1], c.a, &event)) {
        fprintf(stderr, "puddle: %s: cannot be read, or above 16 MiB\n", from != NULL ? from : "-");
        status = 1;
    } else {
        status = invoke(&c, positional[0], event, tail);
    }
    arena_free(c.a);
    return status;
}

/* ---- logs ---- */

/* Prints the lines after *after and moves it. 0 or the exit status; *ret_count: lines printed. */
static int print_lines(struct client *c, struct str name, int64_t *after, size_t *ret_count)
{
    struct arena *a = arena_new(0, ARENA_MAX);
    struct client_reply reply;
    struct jval doc, lines, it = {0};
    struct str path =
        arena_fmt(a, "/_puddle/logs?function=%.*s&after=%" PRId64, STR_ARG(name), *after);
    int status = ask(c, a, "GET", path, &reply) ? 0 : 1;
    *ret_count = 0;
    if (status == 0 && (reply.status != 200 || !json_parse(a, reply.body, 16, &doc, NULL))) {
        fprintf(stderr, "%.*s\n", STR_ARG(reply.body));
        status = 1;
    }
    if (status == 0) {
        lines = jval_get(doc, "lines");
        *ret_count = jval_count(lines);
        while (jval_next(lines, &it, NULL)) {
            struct str message = jval_text(jval_get(it, "message"), a);
            printf("%.*s\n", STR_ARG(message));
        }
        jval_i64(jval_get(doc, "last"), after);
        fflush(stdout);
    }
    arena_free(a);
    return status;
}

int cli_logs(int argc, char **argv)
{
    struct client c = {.a = arena_new(0, ARENA_MAX)};
    const char *function = NULL;
    bool follow = false;
    int64_t after = 0;
    size_t count = 1;
    int status = 2;
    struct option options[] = {{0}, {"-f", "--follow", .flag = &follow}};
    if (!client_read(&c, argc, argv, options, 2, &function, 1)) {
        arena_free(c.a);
        return 2;
    }
    if (function == NULL) {
        fprintf(stderr, "puddle logs: which function? (see puddle help logs)\n");
        arena_free(c.a);
        return 2;
    }
    struct str name = codec_percent_encode(c.a, str_c(function), false);
    do {
        status = print_lines(&c, name, &after, &count);
        if (status == 0 && count == 0 && follow)
            nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MS * 1000000}, NULL);
    } while (status == 0 && (follow || count > 0));
    arena_free(c.a);
    return status;
}
