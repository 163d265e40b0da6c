/* server.h - the running server: every part, and the order in which they start and stop. */
#ifndef PUDDLE_SERVER_H
#define PUDDLE_SERVER_H
#include "cwl.h"
#include "guard.h"
#include "map.h"
#include "sigv4.h"
#include "template.h"

enum { ORIGINS_MAX = 16, KEYS_MAX = 16 };
struct server_opts {
    const char *template_path; /* NULL: none */
    const char *host, *data_dir, *account;
    uint16_t port;
    bool ephemeral, durable, strict_auth, throttle, quiet, host_given;
    bool fresh, no_spares, no_isolation, no_memory_limit, strict_runtimes; /* see rie.h */
    int64_t cold_start_ms;
    struct sigv4_key keys[KEYS_MAX];
    size_t key_count;
    const char *origins[ORIGINS_MAX], *hosts[ORIGINS_MAX];
    size_t origin_count, host_count;
    const char *egress[ORIGINS_MAX], *jwks[ORIGINS_MAX];
    size_t egress_count, jwks_count;
    struct template_param params[ORIGINS_MAX];
    size_t param_count;
};
struct server {
    struct server_opts opts;
    struct guard guard;
    struct sigv4_keys keys;
    struct loop *loop;
    struct net *net;
    struct db *db;
    struct ddb *ddb;
    struct rie *rie;
    struct gateway *gateway;
    struct cwl *logs;
    struct net_listener *listeners[2];
    char url[128];
    char temporary[4096]; /* --ephemeral: the folder for function code, else empty */
    int temporary_fd;     /* holds its lock */
    int64_t start_us, drain_until_ms;
    struct timer stop_timer, wake_timer;
    bool stopping;
    struct map unknown_seen; /* operations we do not have that were already logged */
};
/* Starts, runs until a signal, stops. The exit status. start_us: when the program began. */
int server_run(const struct server_opts *opts, int64_t start_us);
/* The services, in no particular order; NULL-terminated. */
struct service *const *server_services(struct server *s);
/* Makes what the template names exist, if there is one: at start and after a reset. False with one
 * line in reterr. */
bool server_apply_template(struct server *s, struct arena *a, struct template_summary *ret,
                           char *reterr, size_t reterr_size);
#endif
