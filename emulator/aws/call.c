#include "call.h"
#include "clock.h"
#include "ids.h"
#include "panic.h"
#include <stdlib.h>
#include <string.h>

enum { REPLY_MAX = 72 * 1024 * 1024 };

static int compare_ops(const void *a, const void *b)
{
    return strcmp(((const struct op *)a)->name, ((const struct op *)b)->name);
}

void service_init(struct service *s)
{
    qsort(s->ops, s->op_count, sizeof *s->ops, compare_ops);
    for (size_t i = 0; i < s->op_count; i++) {
        s->ops[i].model = shape_find_op(s->model, str_c(s->ops[i].name));
        if (s->ops[i].model == NULL)
            PANIC("%s: the model has no operation %s", s->id, s->ops[i].name);
    }
}

const struct op *service_find_op(const struct service *s, struct str name)
{
    size_t low = 0, high = s->op_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(str_c(s->ops[middle].name), name);
        if (order == 0)
            return &s->ops[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct call *call_new(struct arena *a, const struct service *svc, const struct op *op)
{
    struct call *c = ARENA_NEW(a, struct call);
    c->svc = svc;
    c->op = op;
    c->arena = a;
    c->now_ms = clock_now_ms();
    char *id = arena_alloc_raw(a, 64);
    if (svc->protocol == WIRE_JSON)
        ids_request52(id);
    else
        ids_uuid(id);
    c->request_id = str_c(id);
    c->out_buf = arena_new_buf(a, REPLY_MAX);
    json_out_init(&c->out, c->out_buf);
    return c;
}

static void finish(struct call *c, enum call_status status)
{
    ASSERT(status == CALL_DONE || status == CALL_FAILED);
    ASSERT((status == CALL_FAILED) == (c->err.kind != NULL));
    if (status == CALL_DONE && c->out_buf->overflow) {
        status = CALL_FAILED;
        aws_fail(&c->err, c->arena, c->svc->internal_error, "The reply is too large.");
    }
    c->status = status;
    c->reply(c);
}

void call_run(struct call *c)
{
    const struct op_model *m = c->op->model;
    if (m->input_shape != 0 &&
        (!shape_check_types(c->svc->model, m->input_shape, c->in, c->arena, &c->err) ||
         !shape_check_limits(c->svc->model, m->input_shape, c->in, c->arena, &c->err))) {
        if (c->err.kind == &AWS_ValidationException && c->svc->invalid != NULL)
            c->err.kind = c->svc->invalid;
        finish(c, CALL_FAILED);
        return;
    }
    enum call_status status = c->op->handler(c);
    if (status != CALL_PENDING)
        finish(c, status);
}

static void run_resume(struct wait *w, enum wait_end how)
{
    struct call *c = (struct call *)((char *)w - offsetof(struct call, wait));
    enum call_status status = c->resume(c, how);
    if (status != CALL_PENDING)
        finish(c, status);
}

enum call_status call_park(struct call *c,
                           enum call_status (*resume)(struct call *c, enum wait_end how))
{
    c->resume = resume;
    wait_arm(&c->wait, run_resume);
    return CALL_PENDING;
}

static void local_reply(struct call *c)
{
    *(bool *)c->reply_arg = true;
}

bool call_run_local(const struct service *svc, const char *op, struct str account,
                    struct str region, struct str json, struct arena *a, struct jval *ret_body,
                    struct aws_err *ret_err)
{
    bool replied = false;
    struct call *c = call_new(a, svc, service_find_op(svc, str_c(op)));
    ASSERT(c->op != NULL);
    c->account = account;
    c->region = region;
    c->reply = local_reply;
    c->reply_arg = &replied;
    if (!json_parse(a, json, JSON_DEPTH_DEFAULT, &c->in, NULL))
        PANIC("call_run_local: %s: the input is not JSON", op);
    call_run(c);
    ASSERT(replied); /* parking operations may not be run this way */
    if (c->status == CALL_FAILED) {
        *ret_err = c->err;
        return false;
    }
    struct str body = buf_view(c->out_buf);
    if (ret_body != NULL) {
        *ret_body = (struct jval){0};
        if (body.n > 0 && !json_parse(a, body, JSON_DEPTH_DEFAULT, ret_body, NULL))
            PANIC("%s wrote a reply that is not JSON", op);
    }
    return true;
}
