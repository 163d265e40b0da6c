/* wire_fixture.h - a service of one's own over a real model, and one request through the wire: what
 * a client would get, as plain data. */
#ifndef PUDDLE_TEST_WIRE_FIXTURE_H
#define PUDDLE_TEST_WIRE_FIXTURE_H
#include "dynamodb_model.h"
#include "harness.h"
#include "lambda_model.h"
#include "panic.h"
#include "sigv4_request.h"
#include "wire.h"

struct wire_answer {
    int replies; /* must be 1 in the end */
    struct http_resp resp;
    struct call *call;
};

static inline void wire_take_reply(struct call *c)
{
    struct wire_answer *answer = c->reply_arg;
    answer->replies++;
    answer->call = c;
    wire_reply(c, &answer->resp);
}

static inline bool wire_no_auth(void *arg, struct call *c)
{
    (void)arg, (void)c;
    return true;
}

static inline struct call *wire_call(struct arena *a, const struct service *svc,
                                     const struct op *op, const struct http_req *req,
                                     struct wire_answer *answer)
{
    struct call *c = call_new(a, svc, op);
    *answer = (struct wire_answer){0};
    c->http = req;
    c->region = STR("us-east-1");
    c->account = STR("000000000000");
    c->reply = wire_take_reply;
    c->reply_arg = answer;
    return c;
}

/* text: a request as on the wire, lines ended by \n. */
static inline struct http_req *wire_request(struct arena *a, const char *text)
{
    struct http_req *req = ARENA_NEW(a, struct http_req);
    ASSERT(request_read(str_c(text), a, req));
    for (size_t i = 0; i < req->header_count; i++)
        req->headers[i].value = str_trim(req->headers[i].value);
    return req;
}

static inline struct str wire_header(const struct http_resp *resp, const char *name)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, str_c(name)))
            return resp->headers[i].value;
    }
    return STR_NONE;
}
#endif
