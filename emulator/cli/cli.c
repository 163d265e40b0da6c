#include "cli.h"
#include "cli_client.h"
#include "cli_start.h"
#include <stdio.h>
#include <string.h>

static int help(int argc, char **argv);

static int version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("puddle %s\n", PUDDLE_VERSION);
    return 0;
}

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* NULL: start */
    const char *text;
} commands[] = {
    {"start", "start the server", NULL,
     "puddle start [-t template.yaml] [--port 4566] [--host 127.0.0.1]\n"
     "             [--data DIR | --ephemeral] [--durable] [--account 000000000000]\n"
     "             [--strict-auth --key ACCESS:SECRET[:TOKEN] ...]\n"
     "             [--allow-origin URL ...] [--allow-host NAME ...] [--throttle]\n"
     "             [--allow-egress HOST ...] [--jwks ISSUER=FILE ...]\n"
     "             [--parameter NAME=VALUE ...] [--log-format text|json] [--quiet]\n"
     "             [--fresh] [--cold-start MS] [--no-spares] [--no-isolation] [--no-memory-limit]\n"
     "             [--strict-runtimes]\n"
     "\n"
     "Starts the server; it is ready when the line \"Ready.\" is printed. Ctrl-C stops it.\n"
     "  -t, --template   the SAM template whose functions, tables and APIs are to exist\n"
     "                   (template.yaml in this folder is used when none is named)\n"
     "  --port           0 takes a free port\n"
     "  --data           where everything is kept (default .puddle)\n"
     "  --ephemeral      keep nothing after the end\n"
     "  --durable        survive a power cut, not only a crash\n"
     "  --account        the account of callers whose access key is not 12 digits\n"
     "  --strict-auth    verify signatures; --key says whose\n"
     "  --throttle       hold DynamoDB's provisioned tables to their throughput\n"
     "  --allow-origin   web pages of this origin may call the services (\"*\": all)\n"
     "  --allow-host     answer requests for this host name and those below it\n"
     "  --allow-egress   HTTP integrations and token issuers on this host may be called (\"*\": "
     "all);\n"
     "                   those on this machine always may\n"
     "  --jwks           the key set of a token issuer, for JWT authorizers\n"
     "  --parameter      a value for a parameter of the template\n"
     "  --quiet          print warnings only, and no function logs\n"
     "  --fresh          a new environment for every invocation, so that hidden state shows\n"
     "  --cold-start MS  a cold start takes at least this long, as it may on AWS\n"
     "  --no-spares      do not keep runtimes started ahead (a cold start is then a whole one)\n"
     "  --no-isolation   handlers see the machine as it is (no namespaces of their own)\n"
     "  --no-memory-limit  MemorySize is reported but not enforced\n"
     "  --strict-runtimes  refuse what AWS's newest runtimes refuse, instead of warning\n"},
    {"invoke", "invoke a function", cli_invoke,
     "puddle invoke FUNCTION [-e event.json | -] [--tail] [--port 4566]\n"
     "\n"
     "Invokes a function of the running server and prints its result. The event is {} or what\n"
     "-e names (- is standard input); --tail prints the end of its log to standard error.\n"},
    {"logs", "print a function's log", cli_logs,
     "puddle logs FUNCTION [-f] [--port 4566]\n"
     "\n"
     "Prints the log lines of a function since the server started; -f goes on with new ones.\n"},
    {"status", "print what the server holds", cli_status,
     "puddle status [--port 4566]\n"
     "\n"
     "Prints what the running server holds, as JSON.\n"},
    {"reset", "delete everything, or one service's part", cli_reset,
     "puddle reset [dynamodb|lambda|apigateway] [--port 4566]\n"
     "\n"
     "Deletes everything that the running server holds, or what one service holds. What its\n"
     "template names is made again, empty.\n"},
    {"env", "print the exports that point AWS tools here", cli_env,
     "puddle env [--port 4566]\n"
     "\n"
     "Prints the exports that point AWS tools and SDKs at the server: eval \"$(puddle env)\"\n"},
    {"help", "explain a command", help, "puddle help [COMMAND]\n"},
    {"version", "print the version", version, "puddle version\n"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void list(FILE *to)
{
    fprintf(to, "Puddle: AWS Lambda, API Gateway and DynamoDB on one local port\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  puddle %-9s%s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\npuddle help COMMAND says more.\n");
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        list(stdout);
        return 0;
    }
    const struct command *c = find(argv[2]);
    if (c == NULL) {
        fprintf(stderr, "puddle help: no such command: %s\n", argv[2]);
        return 2;
    }
    fputs(c->text, stdout);
    return 0;
}

int cli_main(int argc, char **argv, int64_t start_us)
{
    const char *name = argc > 1 ? argv[1] : "start"; /* the first thing typed is the bare name */
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        list(stdout);
        return 0;
    }
    const struct command *c = find(strcmp(name, "--version") == 0 ? "version" : name);
    if (c == NULL) {
        fprintf(stderr, "puddle: no such command: %s\n", name);
        list(stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(c->text, stdout);
            return 0;
        }
    }
    return c->run == NULL ? cli_start(argc, argv, start_us) : c->run(argc, argv);
}
