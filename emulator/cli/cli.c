#include "cli.h"
#include "cli_start.h"
#include "codec.h"
#include "file.h"
#include "http_client.h"
#include "json.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const help_start =
    "puddle start [-t template.yaml] [--port 4566] [--host 127.0.0.1] [--data DIR | --ephemeral]\n"
    "             [--durable] [--account 000000000000] [--strict-auth --key ACCESS:SECRET ...]\n"
    "             [--allow-origin URL ...] [--allow-host NAME ...] [--parameter NAME=VALUE ...]\n"
    "             [--log-format text|json] [--quiet]\n"
    "\n"
    "Starts the server. A template.yaml in the current folder is used when no -t is given. State "
    "is\n"
    "kept in --data (default .puddle); --ephemeral keeps nothing; --durable survives power loss.\n"
    "--port 0 takes a free port. Ready when the line \"Ready.\" is printed.\n";

static const struct {
    const char *name, *text;
} helps[] = {
    {"start", help_start},
    {"invoke",
     "puddle invoke FUNCTION [-e event.json | -] [--tail] [--port 4566]\n\nInvokes a function "
     "of the running server and prints its result; --tail adds the log.\n"},
    {"logs",
     "puddle logs FUNCTION [-f] [--port 4566]\n\nPrints a function's recent log lines; -f goes "
     "on.\n"},
    {"status", "puddle status [--port 4566]\n\nPrints what the running server holds, as JSON.\n"},
    {"reset",
     "puddle reset [dynamodb|lambda|apigateway] [--port 4566]\n\nDeletes everything, or what "
     "one service holds.\n"},
    {"env", "puddle env [--port 4566]\n\nPrints the exports that point AWS tools at the server: "
            "eval \"$(puddle env)\"\n"},
};

struct options {
    unsigned port;
    const char *event, *positional;
    bool tail, follow;
};

static int usage(void)
{
    fprintf(stderr, "usage: puddle start|invoke|logs|status|reset|env|help|version (see puddle "
                    "help COMMAND)\n");
    return 2;
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        printf("puddle: Lambda, API Gateway and DynamoDB on one local port\n\n"
               "  puddle start     start the server\n"
               "  puddle invoke    invoke a function\n"
               "  puddle logs      print a function's log\n"
               "  puddle status    what the server holds\n"
               "  puddle reset     delete everything, or one service's part\n"
               "  puddle env       exports for a shell\n"
               "  puddle help COMMAND, puddle version\n");
        return 0;
    }
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++) {
        if (strcmp(argv[2], helps[i].name) == 0) {
            fputs(helps[i].text, stdout);
            return 0;
        }
    }
    return usage();
}

static bool parse(int argc, char **argv, struct options *o)
{
    const char *port = getenv("PUDDLE_PORT");
    int64_t number;
    *o = (struct options){.port = 4566};
    if (port != NULL && str_to_i64(str_c(port), &number) && number > 0 && number < 65536)
        o->port = (unsigned)number;
    for (int i = 2; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--tail") == 0)
            o->tail = true;
        else if (strcmp(argv[i], "-f") == 0)
            o->follow = true;
        else if (strcmp(argv[i], "-e") == 0 && more)
            o->event = argv[++i];
        else if (strcmp(argv[i], "-") == 0)
            o->event = "-";
        else if (strcmp(argv[i], "--port") == 0 && more &&
                 str_to_i64(str_c(argv[i + 1]), &number) && number > 0 && number < 65536)
            o->port = (unsigned)number, i++;
        else if (argv[i][0] != '-' && o->positional == NULL)
            o->positional = argv[i];
        else
            return false;
    }
    return true;
}

static int not_running(const struct options *o)
{
    fprintf(stderr, "puddle: nothing answers on port %u (start it with puddle start)\n", o->port);
    return 1;
}

static bool ask(const struct options *o, struct arena *a, const char *method, const char *path,
                struct client_reply *ret)
{
    return http_client_request(a, "localhost", o->port, method, path, "", STR(""), ret);
}

static int print_reply(const struct client_reply *reply)
{
    FILE *to = reply->status == 200 ? stdout : stderr;
    fprintf(to, "%.*s\n", STR_ARG(reply->body));
    return reply->status == 200 ? 0 : 1;
}

static int run_status(const struct options *o, struct arena *a)
{
    struct client_reply reply;
    return ask(o, a, "GET", "/_puddle/status", &reply) ? print_reply(&reply) : not_running(o);
}

static int run_reset(const struct options *o, struct arena *a)
{
    struct client_reply reply;
    const char *path = o->positional == NULL ? "/_puddle/reset"
                                             : arena_fmt(a, "/_puddle/reset/%s", o->positional).p;
    return ask(o, a, "POST", path, &reply) ? print_reply(&reply) : not_running(o);
}

static int run_env(const struct options *o)
{
    printf("export AWS_ENDPOINT_URL=http://localhost:%u\n"
           "export AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n"
           "export AWS_DEFAULT_REGION=us-east-1\nexport AWS_REGION=us-east-1\n",
           o->port);
    return 0;
}

static bool read_event(const struct options *o, struct arena *a, struct str *ret)
{
    *ret = STR("{}");
    if (o->event == NULL)
        return true;
    if (strcmp(o->event, "-") != 0)
        return file_read(a, o->event, 16 << 20, ret) == 0;
    struct buf *b = arena_new_buf(a, 16 << 20);
    while (buf_reserve(b, 65536)) {
        ssize_t n = read(0, b->p + b->n, b->cap - b->n);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        b->n += (size_t)n;
    }
    *ret = buf_view(b);
    return !b->overflow;
}

static int run_invoke(const struct options *o, struct arena *a)
{
    struct client_reply reply;
    struct str event, log;
    if (o->positional == NULL)
        return usage();
    if (!read_event(o, a, &event)) {
        fprintf(stderr, "puddle: %s: cannot be read\n", o->event);
        return 1;
    }
    const char *extra = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/"
                        "aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n"
                        "X-Amz-Date: 20260101T000000Z\r\n";
    extra = arena_fmt(a, "%s%s", extra, o->tail ? "X-Amz-Log-Type: Tail\r\n" : "").p;
    struct str name = codec_percent_encode(a, str_c(o->positional), false);
    const char *path = arena_fmt(a, "/2015-03-31/functions/%.*s/invocations", STR_ARG(name)).p;
    if (!http_client_request(a, "localhost", o->port, "POST", path, extra, event, &reply))
        return not_running(o);
    struct str tail = http_client_header(&reply, "X-Amz-Log-Result");
    if (tail.p != NULL && codec_base64_decode(a, tail, &log))
        fprintf(stderr, "%.*s", STR_ARG(log));
    int status = print_reply(&reply);
    return http_client_header(&reply, "X-Amz-Function-Error").p != NULL ? 1 : status;
}

static int run_logs(const struct options *o, struct arena *a)
{
    int64_t after = 0;
    if (o->positional == NULL)
        return usage();
    struct str name = codec_percent_encode(a, str_c(o->positional), false);
    for (;;) {
        struct arena *round = arena_new(0, (size_t)256 << 20);
        struct client_reply reply;
        struct jval doc, it = {0};
        const char *path =
            arena_fmt(round, "/_puddle/logs?function=%.*s&after=%" PRId64, STR_ARG(name), after).p;
        if (!ask(o, round, "GET", path, &reply)) {
            arena_free(round);
            return not_running(o);
        }
        if (reply.status != 200 || !json_parse(round, reply.body, 16, &doc, NULL)) {
            int status = print_reply(&reply);
            arena_free(round);
            return status == 0 ? 1 : status;
        }
        while (jval_next(jval_get(doc, "lines"), &it, NULL))
            printf("%.*s\n", STR_ARG(jval_text(jval_get(it, "message"), round)));
        jval_i64(jval_get(doc, "last"), &after);
        bool none = jval_count(jval_get(doc, "lines")) == 0;
        fflush(stdout);
        arena_free(round);
        if (none && !o->follow)
            return 0;
        if (none)
            nanosleep(&(struct timespec){.tv_nsec = 250000000}, NULL);
    }
}

int cli_main(int argc, char **argv, int64_t start_us)
{
    struct options o;
    const char *command = argc > 1 ? argv[1] : "start";
    if (strcmp(command, "start") == 0)
        return cli_start(argc, argv, start_us);
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0)
        return help(argc, argv);
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
        printf("puddle %s\n", PUDDLE_VERSION);
        return 0;
    }
    if (!parse(argc, argv, &o))
        return usage();
    struct arena *a = arena_new(0, (size_t)256 << 20);
    int status;
    if (strcmp(command, "invoke") == 0)
        status = run_invoke(&o, a);
    else if (strcmp(command, "logs") == 0)
        status = run_logs(&o, a);
    else if (strcmp(command, "status") == 0)
        status = run_status(&o, a);
    else if (strcmp(command, "reset") == 0)
        status = run_reset(&o, a);
    else if (strcmp(command, "env") == 0)
        status = run_env(&o);
    else
        status = usage();
    arena_free(a);
    return status;
}
