#include "reply_v2.h"
#include "codec.h"
#include "json.h"
#include <string.h>

enum { HEADERS_MAX = 500 };

void reply_v2_message(uint16_t status, const char *message, struct arena *a, struct http_resp *resp)
{
    resp->status = status;
    resp->body = arena_fmt(a, "{\"message\":\"%s\"}", message);
    http_resp_add(resp, a, STR("content-type"), STR("application/json"));
}

bool reply_header_ok(struct str name, struct str value)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == 0x7f || (c < 0x20 && c != '\t'))
            return false;
    }
    return name.n > 0;
}

static bool is_framing(struct str name)
{
    return str_case_eq(name, STR("Transfer-Encoding")) ||
           str_case_eq(name, STR("Content-Length")) || str_case_eq(name, STR("Connection"));
}

static bool add(struct http_resp *resp, struct arena *a, struct str name, struct jval v)
{
    struct str value;
    enum json_kind kind = jval_kind(v);
    if (kind != JSON_STRING && kind != JSON_NUMBER && kind != JSON_BOOL)
        return false;
    value = kind == JSON_STRING ? jval_text(v, a) : jval_raw(v);
    if (!reply_header_ok(name, value) || resp->header_count == HEADERS_MAX)
        return false;
    if (!is_framing(name))
        http_resp_add(resp, a, name, value);
    return true;
}

static struct str lower(struct arena *a, struct str s)
{
    char *out = arena_alloc_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return (struct str){out, s.n};
}

static bool add_headers(struct jval headers, struct arena *a, struct http_resp *resp)
{
    struct jval it = {0};
    if (jval_kind(headers) != JSON_OBJECT)
        return !jval_present(headers);
    while (jval_next(headers, &it, NULL)) {
        if (!add(resp, a, lower(a, jval_key_str(it, a)), it))
            return false;
    }
    return true;
}

static bool add_cookies(struct jval cookies, struct arena *a, struct http_resp *resp)
{
    struct jval it = {0};
    if (jval_kind(cookies) != JSON_ARRAY)
        return !jval_present(cookies);
    while (jval_next(cookies, &it, NULL)) {
        if (jval_kind(it) != JSON_STRING || !add(resp, a, STR("set-cookie"), it))
            return false;
    }
    return true;
}

static bool read_status(struct jval v, struct arena *a, uint16_t *ret)
{
    int64_t status;
    struct str text;
    if (jval_str(v, a, &text) ? !str_to_i64(text, &status) : !jval_i64(v, &status))
        return false;
    *ret = (uint16_t)status;
    return status >= 200 && status <= 599;
}

static bool has_type(const struct http_resp *resp)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, STR("content-type")))
            return true;
    }
    return false;
}

/* A result without statusCode is the body itself: a string bare, anything else as it came, be it
 * JSON or not (seen so on AWS by the tests of its .NET Lambda test tool). */
static void map_plain(struct jval root, struct str payload, struct arena *a, struct http_resp *resp)
{
    resp->status = 200;
    if (!jval_str(root, a, &resp->body))
        resp->body = payload;
    http_resp_add(resp, a, STR("content-type"), STR("application/json"));
}

bool reply_map_v2(struct str payload, struct arena *a, struct http_resp *resp)
{
    struct http_resp made = {0};
    struct jval root = {0}, body;
    bool encoded = false;
    if (!json_parse(a, payload, JSON_DEPTH_DEFAULT, &root, NULL))
        root = (struct jval){0};
    if (jval_kind(root) != JSON_OBJECT || !jval_present(jval_get(root, "statusCode"))) {
        map_plain(root, payload, a, resp);
        return true;
    }
    body = jval_get(root, "body");
    if (!read_status(jval_get(root, "statusCode"), a, &made.status) ||
        !add_headers(jval_get(root, "headers"), a, &made) ||
        !add_cookies(jval_get(root, "cookies"), a, &made))
        return false;
    if (jval_present(body) && !jval_str(body, a, &made.body)) {
        struct json_out w; /* unverified: a body that is not text goes out as JSON */
        struct buf *b = arena_new_buf(a, 64 << 20);
        json_out_init(&w, b);
        json_copy(&w, NULL, body);
        made.body = buf_view(b);
    }
    jval_bool(jval_get(root, "isBase64Encoded"), &encoded);
    if (encoded && made.body.n > 0 && !codec_base64_decode(a, made.body, &made.body))
        return false;
    if (!has_type(&made))
        http_resp_add(&made, a, STR("content-type"), STR(REPLY_HTTP_API_TYPE));
    *resp = made;
    return true;
}
