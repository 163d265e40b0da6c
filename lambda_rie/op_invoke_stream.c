/* InvokeWithResponseStream: the response as application/vnd.amazon.eventstream, one PayloadChunk
 * for each piece that the function writes, then InvokeComplete. */
#include "codec.h"
#include "function.h"
#include "hash.h"
#include "invoke_input.h"
#include "stream_body.h"
#include <string.h>

enum { CHUNK_MAX = 64 * 1024 };

struct streamed {      /* in the body's arena */
    struct call *call; /* NULL once it is answered */
    bool begun;
    bool want_tail;
};

/* ---- the event stream's frames: total and header length, checksum of both, headers, payload,
 * checksum of all; numbers are big-endian ---- */

static void put_u32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put_header(struct buf *b, const char *name, const char *value)
{
    size_t name_n = strlen(name), value_n = strlen(value);
    buf_addc(b, (char)name_n);
    buf_add(b, str_c(name));
    buf_addc(b, 7); /* a string */
    buf_addc(b, (char)(value_n >> 8));
    buf_addc(b, (char)value_n);
    buf_add(b, str_c(value));
}

static void put_event(struct buf *out, const char *type, const char *content_type,
                      struct str payload)
{
    struct buf headers;
    unsigned char prelude[12], crc[4];
    size_t start = out->n;
    buf_init(&headers, 512);
    put_header(&headers, ":event-type", type);
    put_header(&headers, ":content-type", content_type);
    put_header(&headers, ":message-type", "event");
    put_u32(prelude, (uint32_t)(12 + headers.n + payload.n + 4));
    put_u32(prelude + 4, (uint32_t)headers.n);
    put_u32(prelude + 8, hash_crc32((struct str){(const char *)prelude, 8}));
    buf_add(out, (struct str){(const char *)prelude, 12});
    buf_add(out, buf_view(&headers));
    buf_add(out, payload);
    if (!out->overflow) {
        put_u32(crc, hash_crc32((struct str){out->p + start, out->n - start}));
        buf_add(out, (struct str){(const char *)crc, 4});
    }
    buf_release(&headers);
}

static void encode(struct stream_body *s, struct str bytes, struct buf *out)
{
    (void)s;
    while (bytes.n > 0) {
        put_event(out, "PayloadChunk", "application/octet-stream", str_sub(bytes, 0, CHUNK_MAX));
        bytes = str_sub(bytes, CHUNK_MAX, bytes.n);
    }
}

/* ---- the call ---- */

static enum call_status resume(struct call *c, enum wait_end how)
{
    struct stream_body *s = c->scratch;
    (void)how;
    if (s == NULL) /* nothing ran: a refusal or a dry run */
        return c->err.kind != NULL ? CALL_FAILED : CALL_DONE;
    ((struct streamed *)s->user)->call = NULL;
    c->out_status = 200;
    http_resp_add(&c->extra, c->arena, STR("Content-Type"),
                  STR("application/vnd.amazon.eventstream"));
    http_resp_add(&c->extra, c->arena, STR("X-Amz-Executed-Version"),
                  arena_str(c->arena, s->result.executed_version));
    c->extra.source = &s->out;
    return CALL_DONE;
}

static void begin(struct stream_body *s, struct str content_type)
{
    struct streamed *mine = s->user;
    (void)content_type;
    if (mine->begun)
        return;
    mine->begun = true;
    stream_body_attach(s); /* the reply will have it, even if all is over before the call resumes */
    wait_fire(&mine->call->wait, WAIT_READY);
}

static void end(struct stream_body *s)
{
    struct streamed *mine = s->user;
    struct rie_result *res = &s->result;
    struct arena *a = s->arena;
    struct buf complete;
    struct json_out w;
    if (res->err.kind != NULL || res->status == 204) {
        struct call *c = mine->call;
        c->scratch = NULL;
        c->out_status = res->status;
        if (res->err.kind != NULL)
            c->err = (struct aws_err){res->err.kind, arena_str(c->arena, res->err.message),
                                      arena_str(c->arena, res->err.members)};
        wait_fire(&c->wait, WAIT_READY);
        return;
    }
    begin(s, STR(""));
    buf_init(&complete, 8 << 20);
    json_out_init(&w, &complete);
    json_obj(&w, NULL);
    if (res->function_error.n > 0) {
        struct jval doc;
        struct str type = res->function_error;
        if (json_parse(a, res->payload, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            jval_present(jval_get(doc, "errorType")))
            type = jval_text(jval_get(doc, "errorType"), a);
        json_str(&w, "ErrorCode", type); /* unverified: "Unhandled" in some recordings */
        json_str(&w, "ErrorDetails", str_is_utf8(res->payload) ? res->payload : STR(""));
    }
    if (mine->want_tail && res->log_tail.p != NULL)
        json_str(&w, "LogResult", codec_base64_encode(a, res->log_tail));
    json_end(&w);
    if (!s->client_gone)
        put_event(&s->filling, "InvokeComplete", "application/json", buf_view(&complete));
    buf_release(&complete);
}

enum call_status lam_invoke_with_response_stream(struct call *c)
{
    struct rie_request req;
    if (!invoke_read_input(c, &req))
        return CALL_FAILED;
    if (req.type == RIE_EVENT)
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "InvocationType must be RequestResponse or DryRun."); /* unverified */
    struct stream_body *s = stream_body_new();
    struct streamed *mine = ARENA_NEW(s->arena, struct streamed);
    s->user = mine;
    s->encode = encode;
    s->begin = begin;
    s->end = end;
    mine->call = c;
    mine->want_tail = req.want_log_tail;
    c->scratch = s;
    req.stream = &s->in;
    enum call_status status = call_park(c, resume);
    rie_invoke(c->svc->state, &req, s->arena, &s->result, &s->wait);
    return status;
}
