/* call.h - one API call from decoded request to encoded reply. This is the only thing a service
 * operation sees: no socket, no HTTP library, no thread. A call is run from a socket, a unit test,
 * a template or another service alike. */
#ifndef PUDDLE_CALL_H
#define PUDDLE_CALL_H
#include "http.h"
#include "shape.h"
#include "wait.h"

struct call;
enum call_status { CALL_DONE, CALL_FAILED, CALL_PENDING };
typedef enum call_status call_fn(struct call *c);

enum wire_protocol { WIRE_JSON, WIRE_REST_JSON };

struct op {           /* one row of a service's operation table (ops.def) */
    const char *name; /* "GetItem" */
    call_fn *handler;
    bool writes; /* changes state: its reply becomes an error if the commit fails */
    const struct op_model *model; /* set by service_init */
};
struct service {
    const char *id;           /* "dynamodb": how it is listed, and its credential scope name */
    const char *signing_name; /* a credential scope name that differs; NULL: id */
    const char *label; /* "DynamoDB_20120810" or "lambda": for messages and the operation list */
    enum wire_protocol protocol;
    const struct shape_model *model;
    struct op *ops; /* sorted by service_init */
    size_t op_count;
    void *state; /* struct ddb *, struct rie *, ...: set once at start-up */
    const struct aws_err_kind *internal_error; /* what a failed commit or an own failure answers */
    const struct aws_err_kind *invalid; /* answers input outside the model's limits; NULL: the usual
                                           ValidationException */
};
/* Sorts the rows and links each to its model; panics on a row the model does not have. */
void service_init(struct service *s);
const struct op *service_find_op(const struct service *s, struct str name);

struct call {
    const struct service *svc;
    const struct op *op;
    struct arena *arena; /* everything the call allocates; it dies after reply() returned         */
    const struct http_req *http; /* the request it came from; NULL for calls without one */
    struct jval in;     /* input members by model name (URI, query, header and body merged),
                           checked against the model before the handler runs                    */
    struct str payload; /* raw body of operations whose payload is a blob (Invoke)              */
    struct str region, account, access_key, request_id;
    int64_t now_ms; /* wall time, read once; handlers never ask the clock */

    struct json_out out; /* the success body, written by the handler                           */
    struct buf *out_buf; /* what out writes to; empty at the end: no body                      */
    bool out_is_payload; /* the body is out_payload as it is, not out_buf                      */
    struct str out_payload;
    uint16_t out_status;    /* 0: the operation's own                                             */
    struct http_resp extra; /* extra reply headers (http_resp_add); other members unused          */
    struct aws_err err;     /* the failure                                                        */

    struct wait wait; /* armed while CALL_PENDING                                           */
    enum call_status (*resume)(struct call *c, enum wait_end how);
    void *scratch; /* the handler's own, in the arena, across resumes                    */
    enum call_status status;       /* CALL_DONE or CALL_FAILED once finished       */
    void (*reply)(struct call *c); /* called exactly once when finished; owns the arena from then */
    void *reply_arg;
};
#define CALL_FAIL(c, kind, ...) (aws_fail(&(c)->err, (c)->arena, (kind), __VA_ARGS__), CALL_FAILED)

/* A call with its request id, buffers and clock set; in, op and reply are still the caller's. */
struct call *call_new(struct arena *a, const struct service *svc, const struct op *op);
/* Types, limits, handler; then reply() at once or, after CALL_PENDING, when resumed. */
void call_run(struct call *c);
/* For handlers: return call_park(c, fn). Whoever holds &c->wait fires it exactly once; fn then
 * runs later in the tick and returns like a handler. */
enum call_status call_park(struct call *c,
                           enum call_status (*resume)(struct call *c, enum wait_end how));

/* Run an operation from inside the program (template, gateway, tests): json is the input object.
 * Only for operations that never park. Returns false with *ret_err set on failure, else the reply
 * body in *ret_body. Everything lives in a. */
bool call_run_local(const struct service *svc, const char *op, struct str account,
                    struct str region, struct str json, struct arena *a, struct jval *ret_body,
                    struct aws_err *ret_err);
#endif
