/* rie_internal.h - what the files of lambda_rie share. */
#ifndef PUDDLE_RIE_INTERNAL_H
#define PUDDLE_RIE_INTERNAL_H
#include "lambda_model.h"
#include "list.h"
#include "map.h"
#include "pool.h"
#include "process.h"
#include "rie.h"

enum {
    FUNCTION_NAME_MAX = 64,
    CODE_DIR_MAX = 4000 /* bytes of the absolute path, so that what is made below it fits a path */
};

struct lam_function;
struct lam_pool;
struct rie {
    struct loop *loop;
    struct net *net;
    struct db *db;
    struct rie_opts opts;
    char *code_dir, *runtime_dir, *endpoint_url, *default_account;
    char *data_dir; /* what holds code_dir and the store: handlers must not see it */
    struct service service;
    struct map functions;       /* "account/region/id" -> struct lam_function, versions too */
    sqlite3_stmt *doc_stmts[5]; /* docs.c */
    bool follows_store;         /* a failed commit is undone in functions */
    struct map creating;        /* names whose code is being unpacked; value: any non-NULL */
    struct pool_set pools;
    struct map groups; /* "account/region/name" -> struct lam_group */
    enum isolation isolation;
    struct timer reap_timer;
    struct spares *spares; /* NULL: none are kept */
    void (*log_sink)(void *arg, const struct rie_log_line *line);
    void *log_sink_arg;
    struct rie_usage usage;
    size_t running; /* invocations not finished yet */
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct timer stop_timer;
    struct async *async;                              /* asynchronous invocations: async.c */
    struct list doomed;                               /* code folders to remove: code_store.c */
    struct timer purge_timer;                         /* set while doomed waits for a commit */
    bool (*stream_exists)(void *arg, struct str arn); /* rie_on_stream_exists; NULL: unknown */
    void *stream_arg;
};

/* The operations: every handler of ops.def. */
#define OP(name, handler, writes) call_fn handler;
#include "ops.def"
#undef OP

/* layers.c: the folders of these layers go if nothing needs them any more. */
void lam_layers_doom(struct rie *r, struct str layers_json);

/* ---- rie_pool.c ---- */
struct lam_pool *lam_pool_new(struct rie *r, struct lam_function *f);
/* The record that new environments are made of from now on. */
void lam_pool_attach(struct lam_pool *p, struct lam_function *f);
/* Code or configuration changed: idle environments stop now, busy ones after their invocation. */
void lam_pool_replace(struct lam_pool *p);
/* The function is gone: what waits is refused, what runs may finish. Forget p. */
void lam_pool_free(struct lam_pool *p);
void lam_pool_release(struct lam_pool *p); /* nothing is left of it: called by its pool */
void lam_pool_stop_all(struct rie *r, bool now);
void lam_pools_reap_later(struct rie *r);
/* rie.c: an invocation or an environment has ended. */
void lam_stop_if_idle(struct rie *r);
#endif
