#include "cli_start.h"
#include "log.h"
#include "server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(const char *what, const char *arg)
{
    fprintf(stderr, "puddle: %s: %s (see puddle help start)\n", what, arg);
    return 2;
}

static bool parse_port(const char *text, uint16_t *ret)
{
    int64_t port;
    if (!str_to_i64(str_c(text), &port) || port < 0 || port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

static bool parse_key(struct server_opts *o, const char *text)
{
    struct str rest = str_c(text);
    if (o->key_count == KEYS_MAX)
        return false;
    struct sigv4_key *key = &o->keys[o->key_count++];
    key->access_key = str_cut(&rest, ':');
    key->secret_key = rest.p == NULL ? STR_NONE : str_cut(&rest, ':');
    key->session_token = rest;
    return key->access_key.n > 0 && key->secret_key.n > 0;
}

static bool parse_param(struct server_opts *o, const char *text)
{
    struct str rest = str_c(text), name = str_cut(&rest, '=');
    if (o->param_count == ORIGINS_MAX || rest.p == NULL || name.n == 0)
        return false;
    o->params[o->param_count++] = (struct template_param){name, rest};
    return true;
}

/* One option with a value; false: not known or not valid. */
static bool take_option(struct server_opts *o, const char *name, const char *value)
{
    if (strcmp(name, "-t") == 0 || strcmp(name, "--template") == 0)
        o->template_path = value;
    else if (strcmp(name, "--port") == 0)
        return parse_port(value, &o->port);
    else if (strcmp(name, "--host") == 0)
        o->host = value, o->host_given = true;
    else if (strcmp(name, "--data") == 0)
        o->data_dir = value;
    else if (strcmp(name, "--account") == 0)
        o->account = value;
    else if (strcmp(name, "--key") == 0)
        return parse_key(o, value);
    else if (strcmp(name, "--parameter") == 0)
        return parse_param(o, value);
    else if (strcmp(name, "--allow-origin") == 0 && o->origin_count < ORIGINS_MAX)
        o->origins[o->origin_count++] = value;
    else if (strcmp(name, "--allow-host") == 0 && o->host_count < ORIGINS_MAX)
        o->hosts[o->host_count++] = value;
    else if (strcmp(name, "--log-format") == 0 && strcmp(value, "json") == 0)
        log_setup(LOG_JSON, LOG_INFO);
    else if (strcmp(name, "--log-format") == 0 && strcmp(value, "text") == 0)
        log_setup(LOG_TEXT, LOG_INFO);
    else
        return false;
    return true;
}

static bool take_switch(struct server_opts *o, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } switches[] = {{"--ephemeral", &o->ephemeral},
                    {"--durable", &o->durable},
                    {"--strict-auth", &o->strict_auth},
                    {"--quiet", &o->quiet}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].flag = true;
            return true;
        }
    }
    return false;
}

int cli_start(int argc, char **argv, int64_t start_us)
{
    struct server_opts o = {
        .host = "127.0.0.1", .port = 4566, .data_dir = ".puddle", .account = "000000000000"};
    int64_t digits;
    for (int i = 2; i < argc; i++) {
        if (take_switch(&o, argv[i]))
            continue;
        if (i + 1 >= argc || !take_option(&o, argv[i], argv[i + 1]))
            return usage("not an option, or not its value", argv[i]);
        i++;
    }
    if (strlen(o.account) != 12 || !str_to_i64(str_c(o.account), &digits) || digits < 0)
        return usage("an account has 12 digits", o.account);
    if (o.strict_auth && o.key_count == 0)
        return usage("--strict-auth needs", "--key ACCESS:SECRET");
    if (o.template_path == NULL && access("template.yaml", R_OK) == 0)
        o.template_path = "template.yaml";
    if (o.quiet)
        log_setup(LOG_TEXT, LOG_WARN);
    return server_run(&o, start_us);
}
