/* Results of payload format 2.0 as HTTP (facts/lambda.md 4.2 and 4.3). Pure. */
#include "codec.h"
#include "gw_reply.h"

enum { HEADERS_MAX = 500 };

/* A number, or a string of digits. */
static bool read_status(struct jval v, struct arena *a, uint16_t *ret)
{
    int64_t n;
    bool ok = jval_kind(v) == JSON_STRING ? str_to_i64(jval_text(v, a), &n) : jval_i64(v, &n);
    if (!ok || n < 100 || n > 599)
        return false;
    *ret = (uint16_t)n;
    return true;
}

bool reply_head_v2(struct jval object, struct arena *a, struct http_resp *resp)
{
    struct jval status = jval_get(object, "statusCode"), headers = jval_get(object, "headers");
    struct jval cookies = jval_get(object, "cookies"), it = {0};
    bool typed = false;
    resp->status = 200;
    if (jval_present(status) && !read_status(status, a, &resp->status))
        return false;
    if (jval_present(headers) && jval_kind(headers) != JSON_OBJECT)
        return false;
    while (jval_next(headers, &it, NULL)) {
        struct str name = jval_key_str(it, a), value;
        if (jval_kind(it) == JSON_NULL)
            continue;
        if (!reply_is_header_name(name) || !reply_scalar_text(it, a, &value) ||
            resp->header_count == HEADERS_MAX)
            return false;
        typed |= str_case_eq(name, STR("content-type"));
        http_resp_add(resp, a, name, value);
    }
    it = (struct jval){0};
    if (jval_present(cookies) && jval_kind(cookies) != JSON_ARRAY)
        return false;
    while (jval_next(cookies, &it, NULL)) {
        struct str value;
        if (!reply_scalar_text(it, a, &value) || resp->header_count == HEADERS_MAX)
            return false;
        http_resp_add(resp, a, STR("Set-Cookie"), value);
    }
    if (!typed)
        http_resp_add(resp, a, STR("Content-Type"), STR("application/json"));
    return true;
}

/* v without the blanks between its tokens. */
static struct str compact(struct jval v, struct arena *a)
{
    struct buf *b = arena_new_buf(a, 64 << 20);
    struct json_out w;
    json_out_init(&w, b);
    json_copy(&w, NULL, v);
    return buf_view(b);
}

enum reply_map_result reply_map_v2(struct str payload, struct arena *a, struct http_resp *resp)
{
    struct http_resp made = {0};
    struct jval doc;
    bool is_base64 = false;
    if (!json_parse(a, payload, JSON_DEPTH_DEFAULT, &doc, NULL))
        return REPLY_MALFORMED;
    if (jval_kind(doc) != JSON_OBJECT || !jval_present(jval_get(doc, "statusCode"))) {
        made.status = 200;
        made.body = jval_kind(doc) == JSON_STRING ? jval_text(doc, a)
                    : jval_kind(doc) == JSON_NULL ? STR("null")
                                                  : compact(doc, a);
        http_resp_add(&made, a, STR("Content-Type"), STR("application/json"));
        *resp = made;
        return REPLY_OK;
    }
    if (!reply_head_v2(doc, a, &made))
        return REPLY_MALFORMED;
    struct jval body = jval_get(doc, "body");
    if (jval_kind(body) == JSON_STRING)
        made.body = jval_text(body, a);
    else if (jval_present(body))
        made.body = compact(body, a); /* unverified: a body that is not a string */
    jval_bool(jval_get(doc, "isBase64Encoded"), &is_base64);
    if (is_base64 && !codec_base64_decode(a, made.body, &made.body))
        return REPLY_NOT_BASE64;
    *resp = made;
    return REPLY_OK;
}
