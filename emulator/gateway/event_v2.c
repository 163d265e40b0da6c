#include "event_v2.h"
#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include "json.h"
#include "map.h"
#include "panic.h"
#include <string.h>

/* A list of names in order of first appearance, values of the same name joined by commas. */
struct joined {
    struct entry {
        struct str name;
        struct buf *value;
    } * entries;
    size_t count, cap;
    struct map index; /* name -> 1 + position */
};
enum { VALUE_MAX = 16 << 20 };

static void joined_add(struct joined *j, struct arena *a, struct str name, struct str value)
{
    uintptr_t at = (uintptr_t)map_get(&j->index, name);
    if (at != 0) {
        buf_addc(j->entries[at - 1].value, ',');
        buf_add(j->entries[at - 1].value, value);
        return;
    }
    if (j->count == j->cap) {
        size_t cap = j->cap == 0 ? 16 : j->cap * 2;
        struct entry *grown = ARENA_ARRAY(a, struct entry, cap);
        if (j->count > 0)
            memcpy(grown, j->entries, j->count * sizeof *grown);
        j->entries = grown;
        j->cap = cap;
    }
    struct entry *e = &j->entries[j->count++];
    *e = (struct entry){name, arena_new_buf(a, VALUE_MAX)};
    buf_add(e->value, value);
    map_put(&j->index, name, (void *)j->count); /* NOLINT */
}

static void joined_write(struct joined *j, struct json_out *w, const char *key)
{
    json_obj(w, key);
    for (size_t i = 0; i < j->count; i++) {
        json_key(w, j->entries[i].name);
        json_str(w, NULL, buf_view(j->entries[i].value));
    }
    json_end(w);
    map_release(&j->index);
}

static struct str lower(struct arena *a, struct str s)
{
    struct str copy = arena_str(a, s);
    char *p = (char *)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 32) : p[i];
    return copy;
}

/* Never reach the handler; the forwarding ones are written by us. */
static bool is_removed(struct str name)
{
    static const char *const removed[] = {"connection",
                                          "cookie",
                                          "expect",
                                          "te",
                                          "trailer",
                                          "upgrade",
                                          "transfer-encoding",
                                          "x-forwarded-for",
                                          "x-forwarded-port",
                                          "x-forwarded-proto",
                                          "x-amzn-trace-id"};
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++) {
        if (str_case_eq(name, str_c(removed[i])))
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
            struct str one = str_trim(str_cut(&rest, ';'));
            if (one.n == 0)
                continue;
            if (!open)
                json_arr(w, "cookies");
            open = true;
            json_str(w, NULL, event_text(a, one));
        }
    }
    if (open)
        json_end(w);
}

static void write_headers(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    struct joined j = {0};
    map_init(&j.index);
    struct str given = http_req_header(e->req, "X-Forwarded-For");
    for (size_t i = 0; i < e->req->header_count; i++) {
        const struct http_header *h = &e->req->headers[i];
        if (!is_removed(h->name))
            joined_add(&j, a, event_text(a, lower(a, h->name)), event_text(a, h->value));
    }
    joined_add(&j, a, STR("x-amzn-trace-id"), arena_fmt(a, "Root=%.*s", STR_ARG(e->trace_root)));
    joined_add(&j, a, STR("x-forwarded-for"),
               given.p == NULL ? e->req->peer_ip
                               : event_text(a, arena_fmt(a, "%.*s, %.*s", STR_ARG(str_trim(given)),
                                                         STR_ARG(e->req->peer_ip))));
    joined_add(&j, a, STR("x-forwarded-port"), arena_fmt(a, "%u", e->req->local_port));
    joined_add(&j, a, STR("x-forwarded-proto"), STR("http"));
    joined_write(&j, w, "headers");
}

static void write_query(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    struct joined j = {0};
    struct str rest = e->req->query;
    map_init(&j.index);
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct str key = str_cut(&value, '=');
        joined_add(&j, a, event_text(a, codec_percent_decode(a, key, true)),
                   value.p == NULL ? STR("") : event_text(a, codec_percent_decode(a, value, true)));
    }
    if (j.count > 0)
        joined_write(&j, w, "queryStringParameters");
    else
        map_release(&j.index);
}

static void write_context(const struct event_v2 *e, struct arena *a, struct json_out *w)
{
    struct str prefix = e->domain_name, agent = http_req_header(e->req, "User-Agent");
    char time[40];
    size_t n = clock_format(e->now_ms, "%d/%b/%Y:%H:%M:%S +0000", time, sizeof time);
    json_obj(w, "requestContext");
    json_str(w, "accountId", e->account);
    json_str(w, "apiId", e->api_id);
    if (e->authorizer_json.n > 0)
        json_raw(w, "authorizer", e->authorizer_json);
    json_str(w, "domainName", e->domain_name);
    json_str(w, "domainPrefix", str_cut(&prefix, '.'));
    json_obj(w, "http");
    json_str(w, "method", e->req->method);
    json_str(w, "path", event_text(a, e->raw_path));
    json_str(w, "protocol", e->req->is_http10 ? STR("HTTP/1.0") : STR("HTTP/1.1"));
    json_str(w, "sourceIp", e->req->peer_ip);
    json_str(w, "userAgent", agent.p == NULL ? STR("") : event_text(a, agent));
    json_end(w);
    json_str(w, "requestId", e->request_id);
    json_str(w, "routeKey", e->route_key);
    json_str(w, "stage", e->stage);
    json_str(w, "time", (struct str){time, n});
    json_i64(w, "timeEpoch", e->now_ms);
    json_end(w);
}

bool event_v2_is_text(struct str content_type)
{
    static const char *const types[] = {"application/json", "application/javascript",
                                        "application/xml"};
    struct str rest = content_type, type = str_trim(str_cut(&rest, ';'));
    if (type.n >= 5 && str_case_eq(str_sub(type, 0, 5), STR("text/")))
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_case_eq(type, str_c(types[i])))
            return true;
    }
    return (type.n > 5 && str_case_eq(str_sub(type, type.n - 5, type.n), STR("+json"))) ||
           (type.n > 4 && str_case_eq(str_sub(type, type.n - 4, type.n), STR("+xml")));
}

void event_v2_write(const struct event_v2 *e, struct arena *a, struct buf *out)
{
    struct json_out w;
    struct str body = e->req->body;
    bool text = event_v2_is_text(http_req_header(e->req, "Content-Type")) && str_is_utf8(body);
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_cstr(&w, "version", "2.0");
    json_str(&w, "routeKey", e->route_key);
    json_str(&w, "rawPath", event_text(a, e->raw_path));
    json_str(&w, "rawQueryString", event_text(a, e->req->query));
    write_cookies(e, a, &w);
    write_headers(e, a, &w);
    write_query(e, a, &w);
    write_context(e, a, &w);
    if (e->path_params_json.n > 0)
        json_raw(&w, "pathParameters", e->path_params_json);
    if (e->stage_variables_json.n > 0)
        json_raw(&w, "stageVariables", e->stage_variables_json);
    if (body.n > 0)
        json_str(&w, "body", text ? body : codec_base64_encode(a, body));
    json_bool(&w, "isBase64Encoded", body.n > 0 && !text);
    json_end(&w);
}
