/* rie.h - what the rest of the program may ask of lambda_rie. */
#ifndef PUDDLE_RIE_H
#define PUDDLE_RIE_H
#include "call.h"
#include "db.h"
#include "net.h"

struct rie;
struct rie_opts {
    const char *code_dir;     /* where function code is unpacked (made if missing)              */
    const char *endpoint_url; /* handed to handlers as AWS_ENDPOINT_URL                         */
    const char *default_account;
    unsigned max_environments; /* over all functions; 0: 1000                                   */
    int64_t idle_ms;           /* an idle environment is stopped after this; 0: 10 minutes      */
    bool quiet;                /* do not copy function logs to the server's stderr              */
    bool fresh;                /* every invocation gets a new environment                       */
    bool no_isolation;         /* no namespaces of their own for handlers                       */
    bool spares;               /* keep a process of each runtime started ahead                   */
    bool no_memory_limit;      /* MemorySize is only reported                                   */
    int64_t cold_start_ms;     /* a cold start takes at least this long; 0: as long as it takes   */
    bool strict_runtimes;      /* refuse what newer runtimes of AWS refuse instead of warning   */
};
struct rie *rie_new(struct loop *loop, struct net *net, struct db *db, const struct rie_opts *opts,
                    char *reterr, size_t reterr_size);
/* Stops accepting invocations, calls done (later, on the loop) when running ones have finished or
 * after grace_ms, all children dead by then. */
void rie_shutdown(struct rie *r, int64_t grace_ms, void (*done)(void *arg), void *arg);
void rie_free(struct rie *r);
struct service *rie_service(struct rie *r);
size_t rie_function_count(const struct rie *r);
bool rie_reset(struct rie *r); /* deletes every function */

/* How to find out whether a DynamoDB stream exists, for CreateEventSourceMapping. */
void rie_on_stream_exists(struct rie *r, bool (*exists)(void *arg, struct str arn), void *arg);

struct rie_log_line { /* views, valid during the call */
    struct str account, region, group, stream;
    int64_t time_ms;
    struct str text; /* without its newline */
};
/* Every line of every function's log, as it is written. */
void rie_set_log_sink(struct rie *r, void (*sink)(void *arg, const struct rie_log_line *line),
                      void *arg);

/* Takes a response as it arrives. The caller's; it must live until the invocation's wait ran. */
struct rhttp_conn;
struct rie_stream {
    void (*head)(struct rie_stream *s, struct str content_type);
    void (*data)(struct rie_stream *s, struct str bytes);
    void *arg;
    struct rhttp_conn *conn; /* rie's own: where the pieces come from */
};
/* Bytes are not taken as fast as they come: stops and goes on reading them. */
void rie_stream_pause(struct rie_stream *s, bool paused);

enum rie_invocation_type { RIE_REQUEST_RESPONSE, RIE_EVENT, RIE_DRY_RUN };
struct rie_request {
    struct str account, region;
    struct str function;  /* name, name:qualifier, partial or full ARN                          */
    struct str qualifier; /* empty: none                                                        */
    struct str payload;   /* the event; empty: {}                                               */
    struct str client_context; /* decoded JSON; empty: none                                     */
    struct str request_id;     /* empty: made here                                              */
    struct str trace_id;       /* empty: made here                                              */
    enum rie_invocation_type type;
    bool want_log_tail;
    struct rie_stream *stream; /* NULL: the response is wanted whole, in the result             */
};
struct rie_result {
    struct str payload;          /* response or error document, in the caller's arena           */
    struct str function_error;   /* empty or "Unhandled"                                        */
    struct str log_tail;         /* last 4 KiB, raw                                             */
    struct str executed_version; /* "$LATEST" or a number                                       */
    struct str request_id;
    uint16_t status;    /* 200, 202, 204; meaningless when err.kind is set                      */
    struct aws_err err; /* the service refused (unknown function, throttled, too large, ...)    */
};
/* One invocation: the Invoke operation, the gateway, function URLs, streams and timers all come
 * here. *req is copied as needed before it returns; *ret and a must live until w ran (w is armed by
 * the caller). Fires w exactly once. */
void rie_invoke(struct rie *r, const struct rie_request *req, struct arena *a,
                struct rie_result *ret, struct wait *w);

struct lam_url { /* CreateFunctionUrlConfig */
    struct str account, region, name, qualifier, url_id;
    bool iam;             /* AuthType AWS_IAM                                          */
    bool streamed;        /* InvokeMode RESPONSE_STREAM                                */
    struct str cors_json; /* object text of Cors; empty: none                          */
};
/* False: no function has this URL. Strings live in a. */
bool rie_url_find(struct rie *r, struct str url_id, struct arena *a, struct lam_url *ret);

/* A function that runs from a folder of the user (templates): created or replaced. Edits to its
 * files are seen by the next invocation. config_json is CreateFunction's input without Code. */
bool rie_put_local_function(struct rie *r, struct str account, struct str region,
                            struct str config_json, const char *folder, struct arena *a,
                            struct aws_err *err);

/* The URL of such a function, for templates: made or changed. config_json is
 * CreateFunctionUrlConfig's input; url_id is used for a new one, so that it is the same at every
 * start. */
bool rie_put_local_url(struct rie *r, struct str account, struct str region, struct str config_json,
                       struct str url_id, struct arena *a, struct aws_err *err);
/* "http://<id>.lambda-url.<region>.localhost:<port>/", the port that of endpoint
 * ("http://127.0.0.1:4566"). */
struct str rie_url_text(struct str endpoint, struct str id, struct str region, struct arena *a);

/* The log group of a function; STR_NONE: no such function. A view into its record. */
struct str rie_log_group(struct rie *r, struct str account, struct str region, struct str function);
/* The package of a function that was uploaded, of one of its versions ("name:3") or of a layer
 * ("layer:name:1"): what the Location members name. */
bool rie_code_zip(struct rie *r, struct str account, struct str region, struct str name,
                  struct arena *a, struct str *ret_zip);
struct rie_usage {                 /* of all functions since the start */
    uint64_t requests;             /* invocations that came to an end, each attempt */
    uint64_t x86_mb_ms, arm_mb_ms; /* billed: memory times duration */
};
struct rie_usage rie_usage(const struct rie *r);
/* For puddle status: writes an array of {name, runtime, environments, busy, invocations}. */
void rie_write_status(struct rie *r, struct json_out *out);
#endif
