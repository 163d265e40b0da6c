/* server.h - the running server: every part, and the order in which they start and stop. */
#ifndef PUDDLE_SERVER_H
#define PUDDLE_SERVER_H
#include "db.h"
#include "ddb.h"
#include "gateway.h"
#include "net.h"
#include "rie.h"
#include "sigv4.h"
#include "template.h"

enum { ORIGINS_MAX = 16, KEYS_MAX = 16 };
struct server_opts {
    const char *template_path; /* NULL: none */
    const char *host, *data_dir, *account;
    uint16_t port;
    bool ephemeral, durable, strict_auth, quiet, host_given;
    struct sigv4_key keys[KEYS_MAX];
    size_t key_count;
    const char *origins[ORIGINS_MAX], *hosts[ORIGINS_MAX];
    size_t origin_count, host_count;
    struct template_param params[ORIGINS_MAX];
    size_t param_count;
};
struct server {
    struct server_opts opts;
    struct loop *loop;
    struct net *net;
    struct db *db;
    struct ddb *ddb;
    struct rie *rie;
    struct gateway *gateway;
    struct net_listener *listeners[2];
    struct sigv4_keys keys;
    char temporary[64]; /* --ephemeral: the code folder */
    struct timer stop_timer;
};
/* Starts, runs until a signal, stops. The exit status. start_us: when the program began. */
int server_run(const struct server_opts *opts, int64_t start_us);
/* The services, in no particular order; NULL-terminated. */
struct service *const *server_services(struct server *s);
#endif
