#include "event_v2.h"
#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include <string.h>

/* Text goes as it is, anything else as base64 (facts 4.2). */
bool event_v2_is_text(struct str content_type)
{
    static const char *const names[] = {"application/json", "application/javascript",
                                        "application/xml"};
    struct str type = str_trim(str_cut(&content_type, ';'));
    if (str_case_eq(str_sub(type, 0, 5), STR("text/")))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_case_eq(type, str_c(names[i])))
            return true;
    }
    return type.n > 5 && (str_case_eq(str_sub(type, type.n - 5, type.n), STR("+json")) ||
                          str_case_eq(str_sub(type, type.n - 4, type.n), STR("+xml")));
}

/* Values of one name joined by commas, in order of first appearance. Names: at most 100 headers, or
 * the keys of a query string of at most 16 KB. */
struct joined {
    struct {
        struct str name;
        struct buf *value;
    } * entries;
    size_t count, cap;
};

static void join(struct joined *j, struct arena *a, struct str name, struct str value)
{
    for (size_t i = 0; i < j->count; i++) {
        if (str_eq(j->entries[i].name, name)) {
            buf_addc(j->entries[i].value, ',');
            buf_add(j->entries[i].value, value);
            return;
        }
    }
    if (j->count == j->cap) {
        j->cap = j->cap == 0 ? 16 : j->cap * 2;
        void *more = arena_alloc_array(a, j->cap, sizeof *j->entries);
        if (j->count > 0)
            memcpy(more, j->entries, j->count * sizeof *j->entries);
        j->entries = more;
    }
    j->entries[j->count].name = name;
    j->entries[j->count].value = arena_new_buf(a, 1 << 20);
    buf_add(j->entries[j->count++].value, value);
}

static void write_joined(const struct joined *j, struct json_out *w, const char *key)
{
    json_obj(w, key);
    for (size_t i = 0; i < j->count; i++) {
        json_key(w, j->entries[i].name);
        json_str(w, NULL, buf_view(j->entries[i].value));
    }
    json_end(w);
}

static struct str lower(struct arena *a, struct str s)
{
    char *out = arena_alloc_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return event_text(a, (struct str){out, s.n});
}

static bool is_dropped(struct str name)
{
    static const char *const names[] = {"connection",       "transfer-encoding",
                                        "upgrade",          "te",
                                        "trailer",          "expect",
                                        "cookie",           "x-forwarded-for",
                                        "x-forwarded-port", "x-forwarded-proto",
                                        "x-amzn-trace-id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_case_eq(name, str_c(names[i])))
            return true;
    }
    return false;
}

static void write_cookies(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    bool open = false;
    for (size_t i = 0; i < e->req->header_count; i++) {
        struct str rest = e->req->headers[i].value;
        if (!str_case_eq(e->req->headers[i].name, STR("cookie")))
            continue;
        while (rest.p != NULL) {
            struct str cookie = str_trim(str_cut(&rest, ';'));
            if (cookie.n == 0)
                continue;
            if (!open)
                json_arr(w, "cookies");
            open = true;
            json_str(w, NULL, event_text(a, cookie));
        }
    }
    if (open)
        json_end(w);
}

static void write_headers(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    struct joined j = {0};
    struct str given = http_req_header(e->req, "X-Forwarded-For");
    for (size_t i = 0; i < e->req->header_count; i++) {
        if (!is_dropped(e->req->headers[i].name))
            join(&j, a, lower(a, e->req->headers[i].name), event_text(a, e->req->headers[i].value));
    }
    if (e->http_api && http_req_header(e->req, "Content-Length").p == NULL)
        join(&j, a, STR("content-length"), arena_fmt(a, "%zu", e->req->body.n));
    join(&j, a, STR("x-amzn-trace-id"), arena_fmt(a, "Root=%.*s", STR_ARG(e->trace_root)));
    join(&j, a, STR("x-forwarded-for"),
         given.p == NULL ? e->req->peer_ip
                         : event_text(a, arena_fmt(a, "%.*s, %.*s", STR_ARG(str_trim(given)),
                                                   STR_ARG(e->req->peer_ip))));
    /* Port and protocol are those of this server, so that links a handler builds work. */
    join(&j, a, STR("x-forwarded-port"), arena_fmt(a, "%u", e->req->local_port));
    join(&j, a, STR("x-forwarded-proto"), STR("http"));
    write_joined(&j, w, "headers");
}

static void write_query(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    struct joined j = {0};
    struct str rest = e->req->query;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct str key = str_cut(&value, '=');
        join(&j, a, event_text(a, codec_percent_decode(a, key, true)),
             value.p == NULL ? STR("") : event_text(a, codec_percent_decode(a, value, true)));
    }
    if (j.count > 0)
        write_joined(&j, w, "queryStringParameters");
}

static void write_pairs(struct json_out *w, struct arena *a, const char *key,
                        const struct gw_pair *pairs, size_t count)
{
    if (count == 0)
        return;
    json_obj(w, key);
    for (size_t i = 0; i < count; i++) {
        json_key(w, event_text(a, pairs[i].name));
        json_str(w, NULL, event_text(a, pairs[i].value));
    }
    json_end(w);
}

void event_v2_write_context(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    char time[40];
    size_t n = clock_format(e->now_ms, "%d/%b/%Y:%H:%M:%S +0000", time, sizeof time);
    struct str rest = e->domain;
    json_obj(w, "requestContext");
    json_str(w, "accountId", e->account);
    json_str(w, "apiId", e->api_id);
    if (e->null_authentication)
        json_null(w, "authentication");
    if (e->authorizer.n > 0)
        json_raw(w, "authorizer", e->authorizer);
    json_str(w, "domainName", e->domain);
    json_str(w, "domainPrefix", str_cut(&rest, '.'));
    json_obj(w, "http");
    json_str(w, "method", e->req->method);
    json_str(w, "path", event_text(a, e->raw_path));
    json_str(w, "protocol", e->req->is_http10 ? STR("HTTP/1.0") : STR("HTTP/1.1"));
    json_str(w, "sourceIp", e->req->peer_ip);
    json_str(w, "userAgent", event_text(a, http_req_header(e->req, "User-Agent")));
    json_end(w);
    json_str(w, "requestId", e->request_id);
    json_str(w, "routeKey", e->route_key);
    json_str(w, "stage", e->stage);
    json_str(w, "time", (struct str){time, n});
    json_i64(w, "timeEpoch", e->now_ms);
    json_end(w);
}

static void write_start(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    json_str(w, "routeKey", e->route_key);
    json_str(w, "rawPath", event_text(a, e->raw_path));
    json_str(w, "rawQueryString", event_text(a, e->req->query.p == NULL ? STR("") : e->req->query));
    write_cookies(e, a, w);
    write_headers(e, a, w);
    write_query(e, a, w);
    event_v2_write_context(e, a, w);
}

void event_v2_write(const struct event_v2 *e, struct arena *a, struct buf *out)
{
    struct json_out w;
    struct str body = e->req->body;
    bool text = event_v2_is_text(http_req_header(e->req, "Content-Type")) && str_is_utf8(body);
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_cstr(&w, "version", "2.0");
    write_start(e, a, &w);
    if (body.n > 0)
        json_str(&w, "body", text ? body : codec_base64_encode(a, body));
    write_pairs(&w, a, "pathParameters", e->path_params, e->path_count);
    json_bool(&w, "isBase64Encoded", body.n > 0 && !text);
    write_pairs(&w, a, "stageVariables", e->variables, e->variable_count);
    json_end(&w);
}

void event_v2_write_authorizer(const struct event_v2 *e, struct str route_arn,
                               const struct str *identity, size_t identity_count, struct arena *a,
                               struct buf *out)
{
    struct json_out w;
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_cstr(&w, "version", "2.0");
    json_cstr(&w, "type", "REQUEST");
    json_str(&w, "routeArn", event_text(a, route_arn));
    if (identity_count == 0) {
        json_null(&w, "identitySource"); /* unverified: null without sources */
    } else {
        json_arr(&w, "identitySource");
        for (size_t i = 0; i < identity_count; i++)
            json_str(&w, NULL, event_text(a, identity[i]));
        json_end(&w);
    }
    write_start(e, a, &w);
    write_pairs(&w, a, "pathParameters", e->path_params, e->path_count);
    write_pairs(&w, a, "stageVariables", e->variables, e->variable_count);
    json_end(&w);
}
