#include "cli_start.h"
#include "log.h"
#include "options.h"
#include "server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool take_port(void *arg, const char *value)
{
    struct server_opts *o = arg;
    int64_t port;
    if (!str_to_i64(str_c(value), &port) || port < 0 || port > 65535)
        return false;
    o->port = (uint16_t)port;
    return true;
}

static bool take_host(void *arg, const char *value)
{
    struct server_opts *o = arg;
    o->host = strcmp(value, "localhost") == 0 ? "127.0.0.1" : value;
    o->host_given = strcmp(value, "localhost") != 0;
    return value[0] != '\0';
}

static bool take_account(void *arg, const char *value)
{
    struct server_opts *o = arg;
    int64_t digits;
    o->account = value;
    return strlen(value) == 12 && str_to_i64(str_c(value), &digits) && digits >= 0;
}

/* ACCESS:SECRET or ACCESS:SECRET:SESSION-TOKEN */
static bool take_key(void *arg, const char *value)
{
    struct server_opts *o = arg;
    struct str rest = str_c(value);
    if (o->key_count == KEYS_MAX)
        return false;
    struct sigv4_key *key = &o->keys[o->key_count++];
    key->access_key = str_cut(&rest, ':');
    key->secret_key = rest.p == NULL ? STR_NONE : str_cut(&rest, ':');
    key->session_token = rest;
    return key->access_key.n > 0 && key->secret_key.n > 0;
}

static bool take_parameter(void *arg, const char *value)
{
    struct server_opts *o = arg;
    struct str rest = str_c(value), name = str_cut(&rest, '=');
    if (o->param_count == ORIGINS_MAX || rest.p == NULL || name.n == 0)
        return false;
    o->params[o->param_count++] = (struct template_param){name, rest};
    return true;
}

static bool take_origin(void *arg, const char *value)
{
    struct server_opts *o = arg;
    if (o->origin_count == ORIGINS_MAX || value[0] == '\0')
        return false;
    o->origins[o->origin_count++] = value;
    return true;
}

static bool take_allowed_host(void *arg, const char *value)
{
    struct server_opts *o = arg;
    if (o->host_count == ORIGINS_MAX || value[0] == '\0')
        return false;
    o->hosts[o->host_count++] = value;
    return true;
}

static bool take_cold_start(void *arg, const char *value)
{
    struct server_opts *o = arg;
    return str_to_i64(str_c(value), &o->cold_start_ms) && o->cold_start_ms >= 0 &&
           o->cold_start_ms <= 60000;
}

static bool take_egress(void *arg, const char *value)
{
    struct server_opts *o = arg;
    if (o->egress_count == ORIGINS_MAX || value[0] == '\0')
        return false;
    o->egress[o->egress_count++] = value;
    return true;
}

/* ISSUER=FILE */
static bool take_jwks(void *arg, const char *value)
{
    struct server_opts *o = arg;
    const char *at = strrchr(value, '=');
    if (o->jwks_count == ORIGINS_MAX || at == NULL || at == value || at[1] == '\0')
        return false;
    o->jwks[o->jwks_count++] = value;
    return true;
}

int cli_start(int argc, char **argv, int64_t start_us)
{
    struct server_opts o = {
        .host = "127.0.0.1", .port = 4566, .data_dir = ".puddle", .account = "000000000000"};
    const char *log_format = "text", *data_dir = NULL;
    const struct option options[] = {
        {"-t", "--template", .text = &o.template_path},
        {"--port", .take = take_port},
        {"--host", .take = take_host},
        {"--data", .text = &data_dir},
        {"--ephemeral", .flag = &o.ephemeral},
        {"--durable", .flag = &o.durable},
        {"--account", .take = take_account},
        {"--strict-auth", .flag = &o.strict_auth},
        {"--throttle", .flag = &o.throttle},
        {"--key", .take = take_key},
        {"--allow-origin", .take = take_origin},
        {"--allow-host", .take = take_allowed_host},
        {"--allow-egress", .take = take_egress},
        {"--jwks", .take = take_jwks},
        {"--parameter", .take = take_parameter},
        {"--log-format", .text = &log_format},
        {"--quiet", .flag = &o.quiet},
        {"--fresh", .flag = &o.fresh},
        {"--no-spares", .flag = &o.no_spares},
        {"--cold-start", .take = take_cold_start},
        {"--no-isolation", .flag = &o.no_isolation},
        {"--no-memory-limit", .flag = &o.no_memory_limit},
        {"--strict-runtimes", .flag = &o.strict_runtimes},
    };
    const char *wrong = NULL;
    if (!options_read(argc, argv, options, sizeof options / sizeof *options, &o, NULL, 0))
        return 2;
    bool json = strcmp(log_format, "json") == 0;
    if (!json && strcmp(log_format, "text") != 0)
        wrong = "--log-format is text or json";
    else if (o.strict_auth != (o.key_count > 0))
        wrong = "--strict-auth and --key ACCESS:SECRET go together";
    else if (o.ephemeral && (data_dir != NULL || o.durable))
        wrong = "--ephemeral keeps nothing: it does not go with --data or --durable";
    else if (data_dir != NULL && data_dir[0] == '\0')
        wrong = "--data needs a folder";
    if (wrong != NULL) {
        fprintf(stderr, "puddle start: %s (see puddle help start)\n", wrong);
        return 2;
    }
    if (data_dir != NULL)
        o.data_dir = data_dir;
    if (o.template_path == NULL && access("template.yaml", F_OK) == 0)
        o.template_path = "template.yaml";
    log_setup(json ? LOG_JSON : LOG_TEXT, o.quiet ? LOG_WARN : LOG_INFO);
    return server_run(&o, start_us);
}
