/* pool.h - a function's execution environments and the invocations that wait for one (private to
 * lambda_rie). One invocation at a time per environment. States of an environment:
 *   INIT --next--> IDLE --event--> BUSY --response, next--> IDLE ... ; any --exit--> gone
 * STOPPING: killed, waiting for its pidfd. */
#ifndef PUDDLE_POOL_H
#define PUDDLE_POOL_H
#include "function.h"
#include "logs.h"
#include "process.h"

struct lam_pool {
    struct rie *r;
    struct list envs;  /* most recently used first */
    struct list queue; /* struct invocation, oldest first */
    size_t starting;   /* environments in INIT */
    uint64_t invocations;
    struct lam_log log;
    bool deleted; /* the function is gone: freed when the last environment is */
    int64_t folder_stamp, folder_checked_ms; /* local functions: newest change seen */
};

struct invocation { /* owns its arena */
    struct arena *mem;
    struct rie *r;
    struct list link; /* in a pool's queue or rie.retries */
    struct lam_pool *pool;
    struct str account, region, function; /* to find the record again for a retry: its id */
    struct str version;
    struct str request_id, payload, client_context, trace_id, arn;
    int64_t start_us, timeout_s, memory_mb;
    bool want_log_tail, asynchronous;
    int attempts;
    struct timer retry_timer;
    /* the caller's; NULL for asynchronous ones */
    struct arena *caller_arena;
    struct rie_result *ret;
    struct wait *wait;
    /* outcome */
    struct str result; /* in mem */
    bool failed;
};

enum env_state { ENV_INIT, ENV_IDLE, ENV_BUSY, ENV_STOPPING };
struct environment {
    struct arena *mem;
    struct rie *r;
    struct lam_pool *pool;
    struct list link;
    uint64_t generation;
    enum env_state state;
    struct process process;
    struct watch *exit_watch, *out_watch, *err_watch;
    struct net_listener *listener;
    struct net_exchange *next; /* parked GET next */
    struct invocation *current;
    struct str stream, account, region, name, arn, handler;
    int64_t memory_mb;
    int64_t spawn_us, init_us, peak_rss;
    bool init_reported; /* Init Duration was in a REPORT already */
    bool stale;         /* stop after the current invocation */
    bool out_of_memory;
    struct str init_error; /* body of init/error, in mem */
    struct timer timer;    /* idle, init or invocation deadline, by state */
    struct timer memory_timer;
    struct buf out_line, err_line; /* partial lines */
    struct lam_tail tail;
};

/* pool.c */
void pool_submit(struct lam_pool *p, struct lam_function *f, struct invocation *inv);
void pool_env_idle(struct environment *e);
void pool_env_gone(struct environment *e, bool was_init, const char *reason);
void pool_free_if_empty(struct lam_pool *p);
/* env.c */
struct environment *env_start(struct lam_pool *p, struct lam_function *f, int *reterr);
void env_deliver(struct environment *e, struct invocation *inv);
void env_stop(struct environment *e);
void env_handle(struct net_exchange *x); /* the Runtime API */
void env_free(struct environment *e);
void env_log_line(struct environment *e, struct str line);
void env_drain(struct environment *e);
/* env_vars.c: the child's environment and its argv, in a. False: the program is missing. */
bool env_build(const struct environment *e, const struct lam_function *f, struct arena *a,
               char ***ret_env, char *ret_argv[8], struct str *ret_missing);
/* invoke.c: hands the outcome to the caller or schedules the next attempt; frees inv. */
void invocation_finish(struct invocation *inv, struct str payload, bool failed,
                       struct str log_tail);
void invocation_refuse(struct invocation *inv, const struct aws_err_kind *kind,
                       const char *message);
#endif
