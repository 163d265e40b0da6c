/* env.h - execution environments and the invocations they run (private to lambda_rie). pool.h
 * decides, this acts: one environment is a process tree with its pipes, its end of the Runtime API,
 * its extensions and its log stream. Files: env.c life, env_runtime.c Runtime API, env_log.c lines
 * and output, extension.c and telemetry.c their APIs, env_vars.c variables and program. */
#ifndef PUDDLE_ENV_H
#define PUDDLE_ENV_H
#include "function.h"
#include "logs.h"
#include "pool.h"
#include "process.h"
#include "rhttp.h"

enum {
    RESPONSE_MAX = 6 * 1024 * 1024 + 100,
    STREAM_MAX = 200 * 1024 * 1024,
    EXTENSIONS_MAX = 10, /* AWS: ten an environment */
    INIT_MS = 10000
};

struct lam_group { /* a function's versions */
    struct pool_group g;
    size_t refs;
};
struct lam_pool {  /* one version's environments */
    struct pool p; /* first */
    struct rie *r;
    struct lam_group *group;
    char *group_key;
    struct lam_function *f; /* what new environments are made of; NULL: deleted */
    uint64_t invocations, billed_mb_ms;
    size_t async_running;
    struct timer patience;
    int64_t folder_stamp, folder_checked_ms; /* local functions: newest change seen */
    bool warned_version;                     /* that the runtime's program is another version */
};

struct async_event;
struct invocation {      /* owns its arena */
    struct pool_job job; /* first */
    struct arena *mem;
    struct rie *r;
    struct lam_pool *pool;
    struct str request_id, payload, client_context, trace_id, arn, version, content_type;
    int64_t start_us, timeout_s, memory_mb;
    bool want_log_tail, started, is_arm;
    /* the caller's; NULL for asynchronous ones */
    struct arena *caller_arena;
    struct rie_result *ret;
    struct wait *wait;
    struct rie_stream *stream; /* NULL: the response is wanted whole */
    size_t streamed;
    struct async_event *event; /* NULL: synchronous */
};

/* The states and names of AWS's runtime interface emulator. */
enum runtime_state {
    RT_STARTED,
    RT_INIT_ERROR,
    RT_READY,
    RT_RUNNING,
    RT_RESPONSE,
    RT_ERROR_RESPONSE,
    RT_RESPONSE_SENT
};
struct extension {
    struct str name, id;   /* id empty: not registered yet */
    bool invoke, shutdown; /* events it wants */
    bool external, ended, accept_account;
    bool told;               /* has had its SHUTDOWN */
    struct rhttp_conn *next; /* its parked poll */
};
struct telemetry;
struct environment {
    struct pool_env base; /* first */
    struct arena *mem;
    struct rie *r;
    struct lam_pool *pool;
    struct process process;
    struct watch *exit_watch, *out_watch, *err_watch, *status_watch;
    struct rhttp *http;
    struct rhttp_conn *next;      /* the runtime's parked poll */
    struct rhttp_conn *streaming; /* its response arrives in pieces */
    enum runtime_state state;
    struct invocation *current; /* NULL: none, or its outcome is out already */
    struct str last_id;         /* of the invocation answered last, in mem's own buffer */
    char id_text[64];
    struct str account, region, name, handler, arn, version, log_group, stream, runtime;
    char *tmp_dir; /* ISOLATION_NONE: removed at the end */
    bool json_logs;
    int system_level; /* JSON logs: lines below are left out */
    int64_t memory_mb, timeout_s;
    int64_t spawn_us, init_us, memory_us, peak_memory;
    bool init_reported; /* Init Duration was in a REPORT already */
    bool out_of_memory, ended, init_timeout, held_back;
    int end_status; /* as waitpid gives it, when ended */
    struct str init_error, init_error_type;
    struct timer timer; /* init or invocation deadline; the second kill */
    struct timer memory_timer;
    struct buf out_line, err_line; /* partial lines */
    struct lam_tail tail;
    struct extension extensions[EXTENSIONS_MAX];
    size_t extension_count;
    struct telemetry *telemetry; /* NULL: nobody subscribed */
};

/* env.c */
extern const struct pool_hooks env_hooks;
void env_fail(struct environment *e, struct str type, struct str message, const char *status);
/* The outcome of the current invocation: REPORT, then the caller. */
void env_complete(struct environment *e, struct str payload, bool failed, const char *status);
/* Ready for an event once the runtime and all extensions poll. */
void env_check_ready(struct environment *e);
void env_free(struct environment *e);
/* env_runtime.c */
extern const struct rhttp_calls env_http_calls;
void env_send_event(struct environment *e);
void env_answer(struct rhttp_conn *c, int status, struct str body);
void env_answer_error(struct rhttp_conn *c, int status, const char *message, const char *type);
/* env_log.c */
void env_log_line(struct environment *e, struct str line);
void env_log_init_start(struct environment *e);
void env_log_init_report(struct environment *e, const char *phase, const char *status,
                         struct str error_type);
void env_log_start(struct environment *e, const struct invocation *inv);
/* status: "success", "error" or "timeout". */
void env_log_end(struct environment *e, const struct invocation *inv, const char *status,
                 struct str error_type);
void env_log_timeout(struct environment *e, const struct invocation *inv);
bool env_read_output(struct environment *e, int fd); /* false: end of file */
void env_drain(struct environment *e);
/* extension.c: true if the path was one of its. */
bool extension_request(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q);
void extension_gone(struct environment *e, struct rhttp_conn *c);
void extension_ended(struct environment *e, int index, int status);
void extension_send_invoke(struct environment *e, const struct invocation *inv);
/* How many were told of the end and may still want to do something. */
size_t extension_send_shutdown(struct environment *e, const char *reason);
bool extension_all_ready(const struct environment *e);
size_t extension_alive(const struct environment *e);
/* telemetry.c */
bool telemetry_request(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q);
/* category: "platform", "function" or "extension"; record is JSON text. */
void telemetry_add(struct environment *e, const char *category, const char *type,
                   struct str record);
void telemetry_flush(struct environment *e);
void telemetry_free(struct environment *e);
/* env_vars.c: fills spec (task, runtime, layers, cwd, argv, env), in a. False: *ret_missing is not
 * there. */
bool env_build(struct environment *e, const struct lam_function *f, struct arena *a,
               struct process_spec *spec, struct str *ret_missing);
/* Found out at the first call. */
enum isolation env_isolation(struct rie *r);
/* Only the facts of f, for env_build: what a spare is made after. */
void env_take_facts(struct environment *e, const struct lam_function *f);
/* invoke.c: hands the outcome to the caller or schedules the next attempt; frees inv. */
void invocation_finish(struct invocation *inv, struct str payload, bool failed,
                       struct str log_tail);
void invocation_refuse(struct invocation *inv, enum pool_refusal why);
void invocation_free(struct invocation *inv);
/* rie_pool.c */
void lam_pool_check_folder(struct lam_pool *p);
#endif
