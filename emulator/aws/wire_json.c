/* JSON 1.0 and 1.1: POST / with X-Amz-Target. The order of checks is that of facts/dynamodb.md 13:
 * content type, body, operation, authentication; then call_run's types and limits. DynamoDB takes
 * and gives gzip (18, 19). */
#include "codec.h"
#include "hash.h"
#include "panic.h"
#include "wire.h"
#include <string.h>

static struct str json_type_of(const struct http_req *req)
{
    struct str type = http_req_header(req, "Content-Type");
    return str_trim(str_cut(&type, ';'));
}

static bool is_dynamodb(const struct service *svc)
{
    return strncmp(svc->id, "dynamodb", 8) == 0;
}

/* A refusal without a message member, or without any JSON at all: out_payload says the bytes. */
static void refuse_raw(struct call *c, const struct aws_err_kind *kind, struct str body)
{
    c->err.kind = kind;
    c->status = CALL_FAILED;
    c->out_is_payload = true;
    c->out_payload = body;
    c->reply(c);
}

enum {
    DYNAMODB_BODY_MAX = 16 * 1024 * 1024,
    GZIP_ABOVE = 4096,
    BODY_DEPTH = 512 /* deeper values than are legal get DynamoDB's own error */
};
static const struct aws_err_kind too_large = {"RequestEntityTooLargeException", "", 413, false,
                                              NULL};
static const struct aws_err_kind not_json_type = {"UnknownOperationException", "", 404, false,
                                                  NULL};

/* False: refused. */
static bool unpack_body(struct call *c, struct str *ret_body)
{
    struct str coding = str_trim(http_req_header(c->http, "Content-Encoding"));
    *ret_body = c->http->body;
    if (!is_dynamodb(c->svc) || !str_case_eq(coding, STR("gzip")))
        return true;
    switch (codec_gunzip(c->arena, c->http->body, DYNAMODB_BODY_MAX, ret_body)) {
    case GUNZIP_OK:
        return true;
    case GUNZIP_TOO_LARGE: /* unverified: that the limit is held against what was packed */
        refuse_raw(c, &too_large, STR(""));
        return false;
    default: /* facts/dynamodb.md 18; unverified: that it has no message */
        refuse_raw(c, c->svc->internal_error,
                   arena_fmt(c->arena, "{\"__type\":\"%s\"}", c->svc->internal_error->type_name));
        return false;
    }
}

/* Does the client take gzip? "gzip;q=0" says no. */
static bool accepts_gzip(const struct http_req *req)
{
    struct str rest = http_req_header(req, "Accept-Encoding");
    while (rest.p != NULL) {
        struct str item = str_cut(&rest, ','), name = str_trim(str_cut(&item, ';'));
        if (str_case_eq(name, STR("gzip")))
            return str_find_str(item, STR("q=0")) < 0 || str_find_str(item, STR("q=0.")) >= 0;
    }
    return false;
}

void wire_json_run(struct call *c, struct str op_name, wire_auth_fn *auth, void *auth_arg)
{
    struct str body, type = json_type_of(c->http);
    bool known_type =
        str_case_eq(type, STR("application/x-amz-json-1.0")) ||
        str_case_eq(type, STR("application/json")) ||
        (!is_dynamodb(c->svc) && str_case_eq(type, STR("application/x-amz-json-1.1")));
    if (!known_type) {
        refuse_raw(c, &not_json_type, STR("<UnknownOperationException/>\n"));
        return;
    }
    if (is_dynamodb(c->svc) && c->http->body.n > DYNAMODB_BODY_MAX) {
        refuse_raw(c, &too_large, STR("")); /* unverified: that AWS's 413 has an empty body */
        return;
    }
    if (!unpack_body(c, &body))
        return;
    if (!json_parse(c->arena, body, BODY_DEPTH, &c->in, NULL) || jval_kind(c->in) != JSON_OBJECT) {
        refuse_raw(c, &AWS_SerializationException,
                   STR("{\"__type\":\"com.amazon.coral.service#SerializationException\"}"));
        return;
    }
    c->op = service_find_op(c->svc, op_name);
    if (c->op == NULL) {
        refuse_raw(c, &AWS_UnknownOperationException,
                   STR("{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}"));
        return;
    }
    if (!auth(auth_arg, c)) {
        c->status = CALL_FAILED;
        c->reply(c);
        return;
    }
    call_run(c);
}

void wire_json_reply(struct call *c, struct http_resp *ret_resp)
{
    struct arena *a = c->arena;
    struct str body, type = json_type_of(c->http);
    *ret_resp = c->extra;
    ret_resp->status = c->out_status != 0 ? c->out_status : 200;
    if (c->status == CALL_FAILED)
        ret_resp->status = c->err.kind->http_status;
    if (c->out_is_payload) {
        body = c->out_payload;
    } else if (c->status == CALL_FAILED) {
        struct buf *b = arena_new_buf(a, 32 << 20);
        struct json_out w;
        json_out_init(&w, b);
        json_obj(&w, NULL);
        json_cstr(&w, "__type", c->err.kind->type_name);
        if (c->err.message.p != NULL)
            json_str(&w, c->err.kind->message_capital_m ? "Message" : "message", c->err.message);
        if (c->err.members.n > 0) {
            buf_addc(b, ',');
            buf_add(b, c->err.members);
        }
        json_end(&w);
        body = buf_view(b);
    } else {
        body = buf_view(c->out_buf);
    }
    if (body.n > GZIP_ABOVE && is_dynamodb(c->svc) && accepts_gzip(c->http)) {
        body = codec_gzip(a, body);
        http_resp_add(ret_resp, a, STR("Content-Encoding"), STR("gzip"));
    }
    char *crc = arena_alloc_raw(a, 16);
    uint32_t value = hash_crc32(body);
    size_t n = 16;
    do {
        crc[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    ret_resp->body = body;
    http_resp_add(ret_resp, a, STR("Server"), STR("Server"));
    if (c->err.kind != &not_json_type)
        http_resp_add(ret_resp, a, STR("Content-Type"), type);
    http_resp_add(ret_resp, a, STR("x-amzn-RequestId"), c->request_id);
    http_resp_add(ret_resp, a, STR("x-amz-crc32"), (struct str){crc + n, 16 - n});
}
