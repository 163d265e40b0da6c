/* The Runtime API of one environment (facts/lambda.md 2). States, messages and statuses are those
 * of AWS's runtime interface emulator. */
#include "clock.h"
#include "codec.h"
#include "env.h"
#include "log.h"
#include "panic.h"
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {[RT_STARTED] = "Started",
                                          [RT_INIT_ERROR] = "InitError",
                                          [RT_READY] = "Ready",
                                          [RT_RUNNING] = "Running",
                                          [RT_RESPONSE] = "InvocationResponse",
                                          [RT_ERROR_RESPONSE] = "InvocationErrorResponse",
                                          [RT_RESPONSE_SENT] = "ResponseSent"};
#define JSON_TYPE  STR("Content-Type: application/json\r\n")
#define STATUS_OK  STR("{\"status\":\"OK\"}\n")
#define INVOCATION "/2018-06-01/runtime/invocation/"

void env_answer(struct rhttp_conn *c, int status, struct str body)
{
    rhttp_reply(c, status, JSON_TYPE, body);
}

void env_answer_error(struct rhttp_conn *c, int status, const char *message, const char *type)
{
    char body[512];
    int n = snprintf(body, sizeof body, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n", message,
                     type);
    ASSERT(n > 0 && n < (int)sizeof body);
    env_answer(c, status, (struct str){body, (size_t)n});
}

static void refuse_transition(const struct environment *e, struct rhttp_conn *c,
                              enum runtime_state to)
{
    char message[160];
    snprintf(message, sizeof message,
             "Transition from %s to %s failed for runtime. Error: State transition is not allowed",
             state_names[e->state], state_names[to]);
    env_answer_error(c, 403, message, "InvalidStateTransition");
}

/* ---- next ---- */

void env_send_event(struct environment *e)
{
    struct rhttp_conn *c = e->next;
    const struct invocation *inv = e->current;
    char head[8192];
    int64_t deadline = clock_now_ms() + inv->timeout_s * 1000;
    int n = snprintf(head, sizeof head,
                     "Content-Type: %.*s\r\nLambda-Runtime-Aws-Request-Id: %.*s\r\n"
                     "Lambda-Runtime-Deadline-Ms: %lld\r\nLambda-Runtime-Invoked-Function-Arn: "
                     "%.*s\r\nLambda-Runtime-Trace-Id: %.*s\r\n",
                     STR_ARG(inv->content_type), STR_ARG(inv->request_id), (long long)deadline,
                     STR_ARG(inv->arn), STR_ARG(inv->trace_id));
    ASSERT(n > 0 && n < (int)sizeof head);
    if (inv->client_context.n > 0) {
        int m = snprintf(head + n, sizeof head - (size_t)n,
                         "Lambda-Runtime-Client-Context: %.*s\r\n", STR_ARG(inv->client_context));
        if (m > 0 && (size_t)m < sizeof head - (size_t)n)
            n += m;
    }
    e->next = NULL;
    rhttp_reply(c, 200, (struct str){head, (size_t)n}, inv->payload);
}

/* Our own clients say which interpreter they run in: another major version than the runtime asks
 * for is worth one warning a function. */
static void check_version(struct environment *e, const struct rhttp_req *q)
{
    struct str agent = rhttp_header(q->headers, "User-Agent"), rest = e->runtime;
    if (e->pool->warned_version || !str_starts(agent, STR("puddle-nodejs/")) ||
        !str_starts(rest, STR("nodejs")))
        return;
    struct str version = str_sub(agent, 14, agent.n), have = version;
    rest = str_sub(rest, 6, rest.n);
    if (str_eq(str_cut(&rest, '.'), str_cut(&have, '.')))
        return;
    e->pool->warned_version = true;
    log_msg(LOG_WARN, "lambda",
            "%.*s: its runtime is %.*s, this machine has Node.js %.*s: that is used",
            STR_ARG(e->name), STR_ARG(e->runtime), STR_ARG(version));
}

static void handle_next(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    bool allowed = e->state == RT_STARTED || e->state == RT_RESPONSE_SENT;
    if (!allowed || e->next != NULL || e->base.state == POOL_STOPPING) {
        refuse_transition(e, c, RT_READY);
        return;
    }
    if (e->state == RT_STARTED)
        check_version(e, q);
    e->state = RT_READY;
    e->next = c;
    env_check_ready(e);
}

/* ---- results ---- */

/* The id in the path is the running invocation's; else refused. */
static bool is_current(struct environment *e, struct rhttp_conn *c, struct str id,
                       enum runtime_state to)
{
    if (e->current != NULL && str_eq(id, e->current->request_id)) {
        if (e->state == RT_RUNNING)
            return true;
        refuse_transition(e, c, to);
    } else if (e->current == NULL && str_eq(id, e->last_id) && id.n > 0) {
        refuse_transition(e, c, to);
    } else {
        env_answer_error(c, 400, "Invalid request ID", "InvalidRequestID");
    }
    return false;
}

/* (Runtime|Function).Name, else the unknown type of that kind. */
static struct str error_type(struct str given, struct arena *a)
{
    if ((str_starts(given, STR("Runtime.")) || str_starts(given, STR("Function."))) &&
        given.n < 256)
        return arena_str(a, given);
    return STR("Runtime.Unknown");
}

static void handle_response(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct str mode = rhttp_header(q->headers, "Lambda-Runtime-Function-Response-Mode");
    struct invocation *inv = e->current;
    if (mode.n > 0 && !str_case_eq(mode, STR("streaming"))) {
        env_answer_error(c, 400, "Invalid function response mode", "InvalidFunctionResponseMode");
        e->state = RT_RESPONSE_SENT;
        env_complete(e,
                     STR("{\"errorType\":\"Runtime.InvalidResponseModeHeader\",\"errorMessage\":"
                         "\"Invalid function response mode\"}"), /* unverified: the message */
                     true, "error");
        return;
    }
    if (q->too_large) {
        env_answer_error(c, 413, "Exceeded maximum allowed payload size (6291556 bytes).",
                         "RequestEntityTooLarge");
        e->state = RT_RESPONSE_SENT;
        env_complete(e,
                     STR("{\"errorMessage\":\"Response payload size exceeded maximum allowed "
                         "payload size (6291556 bytes).\",\"errorType\":"
                         "\"Function.ResponseSizeTooLarge\"}"),
                     true, "error");
        return;
    }
    /* a streamed response that failed half-way says so in its trailers */
    struct str type = rhttp_header(q->trailers, "Lambda-Runtime-Function-Error-Type"), body;
    e->state = RT_RESPONSE_SENT;
    env_answer(c, 202, STATUS_OK);
    if (type.n > 0) {
        if (!codec_base64_decode(
                inv->mem, rhttp_header(q->trailers, "Lambda-Runtime-Function-Error-Body"), &body))
            body = STR("");
        env_complete(e, body, true, "error");
        return;
    }
    if (inv->stream != NULL) {
        if (!q->in_pieces) {
            inv->stream->head(inv->stream, rhttp_header(q->headers, "Content-Type"));
            inv->stream->data(inv->stream, q->body);
        }
        env_complete(e, STR(""), false, "success");
        return;
    }
    env_complete(e, q->body, false, "success");
}

static void handle_error(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct str body = q->body;
    if (q->too_large) {
        env_answer_error(c, 413, "Exceeded maximum allowed payload size (6291556 bytes).",
                         "RequestEntityTooLarge");
        body = STR("{\"errorMessage\":\"Response payload size exceeded maximum allowed payload "
                   "size (6291556 bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}");
    } else {
        struct str type = rhttp_header(q->headers, "Content-Type");
        struct jval doc;
        /* body and X-Ray cause in one document */
        if (str_starts(type, STR("application/vnd.aws.lambda.error.cause+json")) &&
            json_parse(e->current->mem, body, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            jval_present(jval_get(doc, "errorMessage")))
            body = arena_str(e->current->mem, body);
        env_answer(c, 202, STATUS_OK);
    }
    e->state = RT_RESPONSE_SENT;
    env_complete(e, body, true, "success");
}

static void handle_init_error(struct environment *e, struct rhttp_conn *c,
                              const struct rhttp_req *q)
{
    if (e->state != RT_STARTED) {
        refuse_transition(e, c, RT_INIT_ERROR);
        return;
    }
    e->state = RT_INIT_ERROR;
    e->init_error = arena_str(e->mem, q->body);
    e->init_error_type =
        error_type(rhttp_header(q->headers, "Lambda-Runtime-Function-Error-Type"), e->mem);
    env_answer(c, 202, STATUS_OK);
}

/* ---- streamed responses ---- */

static bool on_head(void *arg, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct environment *e = arg;
    struct str mode = rhttp_header(q->headers, "Lambda-Runtime-Function-Response-Mode");
    struct str rest = q->path;
    if (e->current == NULL || e->current->stream == NULL || e->state != RT_RUNNING ||
        !str_case_eq(mode, STR("streaming")) || !str_starts(rest, STR(INVOCATION)))
        return false;
    rest = str_sub(rest, sizeof INVOCATION - 1, rest.n);
    if (!str_eq(str_cut(&rest, '/'), e->current->request_id) || !str_eq_c(rest, "response"))
        return false;
    e->streaming = c;
    e->current->stream->conn = c;
    e->current->stream->head(e->current->stream, rhttp_header(q->headers, "Content-Type"));
    return true;
}

static void on_piece(void *arg, struct rhttp_conn *c, struct str bytes)
{
    struct environment *e = arg;
    struct invocation *inv = e->current;
    if (inv == NULL || e->streaming != c)
        return; /* the invocation is over already: a timeout */
    inv->streamed += bytes.n;
    if (inv->streamed <= STREAM_MAX)
        inv->stream->data(inv->stream, bytes);
}

void rie_stream_pause(struct rie_stream *s, bool paused)
{
    if (s->conn != NULL)
        rhttp_pause(s->conn, paused);
}

/* ---- dispatch ---- */

static void on_request(void *arg, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct environment *e = arg;
    bool get = str_eq_c(q->method, "GET"), post = str_eq_c(q->method, "POST");
    struct str rest = q->path;
    if (e->streaming == c) {
        e->streaming = NULL;
        if (e->current == NULL) {
            env_answer_error(c, 400, "Invalid request ID", "InvalidRequestID");
            return;
        }
        e->current->stream->conn = NULL;
        handle_response(e, c, q);
        return;
    }
    if (get && str_eq_c(rest, INVOCATION "next")) {
        handle_next(e, c, q);
    } else if (post && str_starts(rest, STR(INVOCATION))) {
        rest = str_sub(rest, sizeof INVOCATION - 1, rest.n);
        struct str id = str_cut(&rest, '/');
        if (str_eq_c(rest, "response")) {
            if (is_current(e, c, id, RT_RESPONSE))
                handle_response(e, c, q);
        } else if (str_eq_c(rest, "error")) {
            if (is_current(e, c, id, RT_ERROR_RESPONSE))
                handle_error(e, c, q);
        } else {
            rhttp_reply(c, 404, STR(""), STR("404 page not found\n"));
        }
    } else if (post && str_eq_c(rest, "/2018-06-01/runtime/init/error")) {
        handle_init_error(e, c, q);
    } else if (get && (str_eq_c(rest, "/2018-06-01/ping") || str_eq_c(rest, "/ping"))) {
        rhttp_reply(c, 200, STR(""), STR("pong"));
    } else if (!extension_request(e, c, q) && !telemetry_request(e, c, q)) {
        rhttp_reply(c, 404, STR(""), STR("404 page not found\n"));
    }
}

static void on_gone(void *arg, struct rhttp_conn *c)
{
    struct environment *e = arg;
    if (e->next == c) {
        e->next = NULL; /* it may come back and poll again */
        if (e->state == RT_READY)
            e->state = e->base.was_ready ? RT_RESPONSE_SENT : RT_STARTED;
        if (e->base.state == POOL_IDLE)
            pool_env_stop(&e->base);
    }
    if (e->streaming ==
        c) { /* unverified: AWS answers a truncated body with Runtime.TruncatedResponse */
        e->streaming = NULL;
        if (e->current != NULL) {
            e->current->stream->conn = NULL;
            e->state = RT_RESPONSE_SENT;
            env_fail(e, STR("Runtime.TruncatedResponse"),
                     STR("Response body ended before it was complete"), "error");
        }
    }
    extension_gone(e, c);
}

const struct rhttp_calls env_http_calls = {on_head, on_piece, on_request, on_gone};
