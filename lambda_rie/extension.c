/* The Extensions API (facts/lambda.md 2): external ones are programs of /opt/extensions, started
 * with the environment; internal ones register from inside the runtime. */
#include "clock.h"
#include "env.h"
#include "ids.h"
#include "json.h"
#include "log.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define API "/2020-01-01/extension/"

static struct extension *by_id(struct environment *e, struct str id)
{
    for (size_t i = 0; i < e->extension_count; i++) {
        if (id.n > 0 && str_eq(e->extensions[i].id, id))
            return &e->extensions[i];
    }
    return NULL;
}

static bool is_uuid(struct str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* The extension that c's request names by its identifier header, or refused. */
static struct extension *identify(struct environment *e, struct rhttp_conn *c,
                                  const struct rhttp_req *q)
{
    struct str id = rhttp_header(q->headers, "Lambda-Extension-Identifier");
    struct extension *x = by_id(e, id);
    if (id.n == 0)
        env_answer_error(c, 403, "Missing Lambda-Extension-Identifier header",
                         "Extension.MissingExtensionIdentifier");
    else if (!is_uuid(id))
        env_answer_error(c, 403, "Invalid Lambda-Extension-Identifier",
                         "Extension.InvalidExtensionIdentifier");
    else if (x == NULL)
        env_answer_error(c, 403, "Unknown extension", "Extension.UnknownExtensionIdentifier");
    return x;
}

/* ---- register ---- */

/* False: an event that there is not. */
static bool read_events(struct extension *x, struct str body, struct arena *a)
{
    struct jval doc, it = {0};
    if (body.n == 0)
        return true;
    if (!json_parse(a, body, JSON_DEPTH_DEFAULT, &doc, NULL))
        return false;
    while (jval_next(jval_get(doc, "events"), &it, NULL)) {
        struct str name = jval_text(it, a);
        if (str_eq_c(name, "INVOKE"))
            x->invoke = true;
        else if (str_eq_c(name, "SHUTDOWN"))
            x->shutdown = true;
        else
            return false;
    }
    return true;
}

static void answer_registered(struct environment *e, struct rhttp_conn *c,
                              const struct extension *x, struct arena *a)
{
    struct json_out w;
    struct buf *b = arena_new_buf(a, 64 * 1024);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "functionName", e->name);
    json_str(&w, "functionVersion", e->version);
    json_str(&w, "handler", e->handler);
    if (x->accept_account)
        json_str(&w, "accountId", e->account);
    json_end(&w);
    rhttp_reply(c, 200,
                arena_fmt(a,
                          "Content-Type: application/json\r\nLambda-Extension-Identifier: "
                          "%.*s\r\n",
                          STR_ARG(x->id)),
                buf_view(b));
}

static void handle_register(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct str name = rhttp_header(q->headers, "Lambda-Extension-Name");
    struct extension *x = NULL;
    struct arena *a = arena_new(0, 16 << 20);
    for (size_t i = 0; i < e->extension_count; i++) {
        if (str_eq(e->extensions[i].name, name))
            x = &e->extensions[i];
    }
    /* unverified: the messages */
    if (name.n == 0) {
        env_answer_error(c, 403, "Empty extension name", "Extension.InvalidExtensionName");
    } else if (x != NULL && x->id.n > 0) {
        env_answer_error(c, 403, "Extension is already registered", "Extension.AlreadyRegistered");
    } else if (e->base.was_ready || (x == NULL && e->extension_count == EXTENSIONS_MAX)) {
        env_answer_error(c, 403, "Extension registration closed already",
                         "Extension.RegistrationClosed");
    } else {
        if (x == NULL) {
            x = &e->extensions[e->extension_count++];
            *x = (struct extension){.name = arena_str(e->mem, name)};
        }
        struct str feature = rhttp_header(q->headers, "Lambda-Extension-Accept-Feature");
        x->accept_account = str_find_str(feature, STR("accountId")) >= 0;
        if (!read_events(x, q->body, a)) {
            env_answer_error(c, 400, "Invalid event type", "Extension.InvalidEventType");
        } else if (!x->external && x->shutdown) {
            x->shutdown = false;
            env_answer_error(c, 403, "SHUTDOWN event is not supported for internal extensions",
                             "Extension.InvalidEventType");
        } else {
            char uuid[37];
            ids_uuid(uuid);
            x->id = arena_str(e->mem, str_c(uuid));
            answer_registered(e, c, x, a);
        }
    }
    arena_free(a);
}

/* ---- events ---- */

static void send_event(struct extension *x, struct str body)
{
    struct rhttp_conn *c = x->next;
    char headers[128], uuid[37];
    ids_uuid(uuid);
    int n = snprintf(headers, sizeof headers,
                     "Content-Type: application/json\r\nLambda-Extension-Event-Identifier: %s\r\n",
                     uuid);
    x->next = NULL;
    rhttp_reply(c, 200, (struct str){headers, (size_t)n}, body);
}

void extension_send_invoke(struct environment *e, const struct invocation *inv)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct json_out w;
    struct buf *b = arena_new_buf(a, 64 * 1024);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "eventType", "INVOKE");
    json_i64(&w, "deadlineMs", clock_now_ms() + inv->timeout_s * 1000);
    json_str(&w, "requestId", inv->request_id);
    json_str(&w, "invokedFunctionArn", inv->arn);
    json_obj(&w, "tracing");
    json_cstr(&w, "type", "X-Amzn-Trace-Id");
    json_str(&w, "value", inv->trace_id);
    json_end(&w);
    json_end(&w);
    for (size_t i = 0; i < e->extension_count; i++) {
        if (e->extensions[i].invoke && e->extensions[i].next != NULL)
            send_event(&e->extensions[i], buf_view(b));
    }
    arena_free(a);
}

size_t extension_send_shutdown(struct environment *e, const char *reason)
{
    char body[160];
    size_t told = 0;
    int n = snprintf(body, sizeof body,
                     "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":%lld,\"shutdownReason\":\"%s\"}",
                     (long long)(clock_now_ms() + 2000), reason);
    for (size_t i = 0; i < e->extension_count; i++) {
        struct extension *x = &e->extensions[i];
        if (!x->external || x->ended)
            continue;
        x->told = x->shutdown;
        told += x->shutdown;
        if (x->shutdown && x->next != NULL)
            send_event(x, (struct str){body, (size_t)n});
    }
    return told;
}

bool extension_all_ready(const struct environment *e)
{
    for (size_t i = 0; i < e->extension_count; i++) {
        const struct extension *x = &e->extensions[i];
        if (!x->ended && x->next == NULL && (x->external || x->id.n > 0))
            return false;
    }
    return true;
}

static void handle_next(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    struct extension *x = identify(e, c, q);
    if (x == NULL)
        return;
    if (x->next != NULL) {
        env_answer_error(c, 403, "The extension polls already", "Extension.InvalidExtensionState");
        return;
    }
    x->next = c;
    if (e->base.state == POOL_STOPPING && x->told) {
        char body[] =
            "{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":0,\"shutdownReason\":\"spindown\"}";
        send_event(x, STR(body));
        return;
    }
    env_check_ready(e);
}

/* ---- ends ---- */

static void fail(struct environment *e, struct str type, struct str message)
{
    if (e->base.state == POOL_STOPPING)
        return;
    if (e->current != NULL) {
        env_fail(e, type, message, "error");
    } else if (!e->base.was_ready && e->init_error.n == 0) {
        e->init_error_type = arena_str(e->mem, type);
        e->init_error = arena_fmt(e->mem,
                                  "{\"errorType\":\"%.*s\",\"errorMessage\":\"RequestId: %.*s "
                                  "Error: %.*s\"}",
                                  STR_ARG(type), 0, "", STR_ARG(message));
    }
    pool_env_stop(&e->base);
}

void extension_ended(struct environment *e, int index, int status)
{
    char message[64];
    if (index < 0 || (size_t)index >= e->extension_count)
        return;
    struct extension *x = &e->extensions[index];
    x->ended = true;
    x->next = NULL;
    if (e->base.state == POOL_STOPPING) {
        for (size_t i = 0; i < e->extension_count; i++) {
            if (e->extensions[i].told && !e->extensions[i].ended)
                return;
        }
        process_kill(&e->process); /* all have done what they wanted */
        return;
    }
    if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "signal: %s",
                 WTERMSIG(status) == 9 ? "killed" : strsignal(WTERMSIG(status)));
    else
        snprintf(message, sizeof message, "exit code %d", WEXITSTATUS(status));
    fail(e, STR("Extension.Crash"), str_c(message));
}

void extension_gone(struct environment *e, struct rhttp_conn *c)
{
    for (size_t i = 0; i < e->extension_count; i++) {
        if (e->extensions[i].next == c)
            e->extensions[i].next = NULL;
    }
}

static void handle_error(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q,
                         bool in_init)
{
    struct extension *x = identify(e, c, q);
    struct str type = rhttp_header(q->headers, "Lambda-Extension-Function-Error-Type");
    if (x == NULL)
        return;
    if (type.n == 0 || type.n > 200)
        type = in_init ? STR("Extension.InitError") : STR("Extension.ExitError");
    type = arena_str(e->mem, type);
    env_answer(c, 202, STR("{\"status\":\"OK\"}"));
    fail(e, type,
         in_init ? STR("extension failed in init") : STR("extension exited with an error"));
}

bool extension_request(struct environment *e, struct rhttp_conn *c, const struct rhttp_req *q)
{
    bool get = str_eq_c(q->method, "GET"), post = str_eq_c(q->method, "POST");
    if (post && str_eq_c(q->path, API "register"))
        handle_register(e, c, q);
    else if (get && str_eq_c(q->path, API "event/next"))
        handle_next(e, c, q);
    else if (post && str_eq_c(q->path, API "init/error"))
        handle_error(e, c, q, true);
    else if (post && str_eq_c(q->path, API "exit/error"))
        handle_error(e, c, q, false);
    else
        return false;
    return true;
}
