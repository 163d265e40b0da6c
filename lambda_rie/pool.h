/* pool.h - which execution environment runs which invocation (private to lambda_rie). A pure state
 * machine: it starts nothing and reads no clock. What should happen goes out through pool_hooks,
 * what has happened comes in through the functions below, with the time.
 *
 *   INIT --ready--> IDLE --deliver--> BUSY --ready--> IDLE ...      any --gone--> (freed by the
 * owner) any --stop--> STOPPING: killed, waiting to be gone
 *
 * One invocation at a time an environment. Limits as AWS has them (facts/lambda.md 3): an account
 * runs so many invocations at once; a function with reserved concurrency has that part for itself
 * and no more; waiting invocations count like running ones. */
#ifndef PUDDLE_POOL_H
#define PUDDLE_POOL_H
#include "list.h"
#include "str.h"

struct pool;
struct pool_env;
struct pool_job { /* an invocation: embedded in its owner's */
    struct list link;
    struct pool *pool;
    uint64_t number; /* in the order of submission */
};
enum pool_state { POOL_INIT, POOL_IDLE, POOL_BUSY, POOL_STOPPING };
struct pool_env { /* an environment: embedded in its owner's */
    struct list link;
    struct pool *pool;
    enum pool_state state;
    bool stale;       /* to be stopped after its invocation */
    bool was_ready;   /* got through INIT */
    bool finishing;   /* BUSY, but its invocation is answered: it will be ready soon */
    bool provisioned; /* one of those kept warm: never reaped */
    struct pool_job *job;
    int64_t ready_ms; /* last became idle */
};
enum pool_refusal {
    POOL_THROTTLED,          /* the account's unreserved concurrency is used up */
    POOL_THROTTLED_RESERVED, /* the function's reserved concurrency is used up */
    POOL_NO_ENVIRONMENT,     /* none could be started */
    POOL_DELETED,
    POOL_STOPPING_SERVER
};
struct pool_hooks {
    /* A new environment in INIT for p (it calls pool_env_init on it), or NULL. */
    struct pool_env *(*start)(struct pool *p, bool provisioned);
    void (*deliver)(struct pool_env *e, struct pool_job *j);
    void (*stop)(struct pool_env *e);
    void (*refuse)(struct pool_job *j, enum pool_refusal why);
    /* The environment that was started for j ended in INIT. */
    void (*init_failed)(struct pool_env *e, struct pool_job *j);
    void (*emptied)(struct pool *p); /* deleted, and nothing is left of it: free it */
    /* Invocations wait for busy environments that will be free very soon: call pool_patience_over
     * after POOL_PATIENCE_MS. NULL: environments are always started at once. */
    void (*patience)(struct pool *p);
};
/* A new environment takes a hundred times as long to start as a quick handler takes to answer. */
enum { POOL_PATIENCE_MS = 4, POOL_FINISHING_ROUNDS = 25 };
struct pool_set { /* everything of one server */
    const struct pool_hooks *hooks;
    size_t max_environments; /* what the machine carries */
    size_t max_starting;     /* more at once only slow each other down */
    size_t spread;           /* environments of a quick handler that keep the machine busy */
    size_t concurrency;      /* the account's limit */
    int64_t idle_ms;         /* an idle environment is stopped after this */
    size_t environments, starting, active, reserved;
    size_t active_reserved; /* those of active that run on reserved concurrency */
    struct list pools;      /* every pool */
    bool stopping;
};
struct pool_group {   /* the versions of one function share its reserved concurrency */
    int64_t reserved; /* -1: none */
    size_t active;    /* waiting and running invocations */
};
struct pool {
    struct list link;
    struct pool_set *set;
    struct pool_group *group;
    struct list envs; /* most recently used first */
    struct list jobs; /* oldest first */
    size_t waiting, starting, provisioned, want_provisioned;
    uint64_t submitted, patience_from;
    int64_t typical_us;      /* how long its invocations take; 0: not known */
    bool patient;            /* pool_patience_over is on its way */
    int rounds;              /* of patience with environments that are finishing */
    bool fresh;              /* every invocation gets a new environment */
    bool provisioned_failed; /* the last one started for that died in INIT */
    bool deleted;
};

void pool_set_init(struct pool_set *s, const struct pool_hooks *hooks);
void pool_init(struct pool *p, struct pool_set *s, struct pool_group *g);
/* Refuses what waits, stops its environments; hooks->emptied when the last one is gone (perhaps
 * before this returns). */
void pool_delete(struct pool *p);
/* Runs j, now or when an environment is free, or refuses it. */
void pool_submit(struct pool *p, struct pool_job *j);
/* j is over, after running duration_us (-1: unknown). Not for refused ones. */
void pool_job_done(struct pool_job *j, int64_t duration_us);
void pool_patience_over(struct pool *p);
/* False: an invocation would be throttled now; *ret_why tells by which limit. */
bool pool_has_room(const struct pool *p, enum pool_refusal *ret_why);

void pool_env_init(struct pool_env *e, struct pool *p, bool provisioned);
/* It asks for an event. */
void pool_env_ready(struct pool_env *e, int64_t now_ms);
/* Its process has ended. Afterwards the owner frees it. */
void pool_env_gone(struct pool_env *e);
/* To be stopped: a timeout, an idle end, a shutdown. */
void pool_env_stop(struct pool_env *e);

/* Code or configuration changed: idle environments stop, busy ones after their invocation. */
void pool_replace(struct pool *p);
void pool_set_reserved(struct pool_set *s, struct pool_group *g, int64_t reserved);
void pool_set_provisioned(struct pool *p, size_t n);
size_t pool_provisioned_ready(const struct pool *p);
/* Stops what has been idle too long; the time at which to call it again, or -1: nothing idles. */
int64_t pool_set_reap(struct pool_set *s, int64_t now_ms);
/* No invocation starts any more. now: running ones are cut off too. */
void pool_set_stop(struct pool_set *s, bool now);
#endif
