#include "clock.h"
#include "codec.h"
#include "gw_event.h"
#include "json.h"
#include "map.h"
#include "panic.h"
#include <string.h>

/* Never reach the handler (facts/lambda.md 4.1). */
static const char *const removed_headers[] = {
    "Connection",
    "Content-Length",
    "Content-MD5",
    "Expect",
    "Max-Forwards",
    "Proxy-Authenticate",
    "Server",
    "TE",
    "Transfer-Encoding",
    "Trailer",
    "Upgrade",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto", /* ours are written instead */
    "X-Amzn-Trace-Id",
};

static bool is_removed(struct str name)
{
    for (size_t i = 0; i < sizeof removed_headers / sizeof removed_headers[0]; i++)
        if (str_case_eq(name, str_c(removed_headers[i])))
            return true;
    return false;
}

static size_t utf8_length(const unsigned char *p, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (str_is_utf8((struct str){(const char *)p, n}))
            return n;
    return 0;
}

struct str event_text(struct arena *a, struct str s)
{
    if (str_is_utf8(s))
        return s;
    ASSERT(s.n < SIZE_MAX / 3);
    char *out = arena_alloc_raw(a, s.n * 3);
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t length = utf8_length((const unsigned char *)s.p + i, s.n - i);
        memcpy(out + n, length > 0 ? s.p + i : "\xef\xbf\xbd", length > 0 ? length : 3);
        n += length > 0 ? length : 3;
        i += length > 0 ? length : 1;
    }
    return (struct str){out, n};
}

struct str event_path(struct str path)
{
    size_t from = 0;
    while (from + 1 < path.n && path.p[from] == '/' && path.p[from + 1] == '/')
        from++;
    return path.n == 0 ? STR("/") : str_sub(path, from, path.n);
}

bool event_media_matches(struct str header, const struct str *types, size_t count)
{
    struct str first = header;
    first = str_cut(&first, ',');
    first = str_trim(str_cut(&first, ';'));
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(types[i], "*/*") || (first.n > 0 && str_case_eq(types[i], first)))
            return true;
        /* unverified: type wildcards such as image/x with a star */
        if (types[i].n > 2 && str_ends(types[i], STR("/*")) &&
            str_case_eq(str_sub(first, 0, types[i].n - 1), str_sub(types[i], 0, types[i].n - 1)))
            return true;
    }
    return false;
}

/* A multimap in order of first appearance: headers (case ignored) or query keys. */
struct multi {
    struct multi_entry {
        struct str name;
        struct multi_value {
            struct str value;
            struct multi_value *next;
        } * first, *last;
    } * entries;
    size_t count, cap;
    bool ignore_case;
    struct map index; /* name -> 1 + position, once there are MULTI_LINEAR names; not for headers,
                         of which net takes 100 */
};
enum { MULTI_LINEAR = 32 };

static struct multi_entry *multi_find(const struct multi *m, struct str name)
{
    if (!m->ignore_case && m->count > MULTI_LINEAR) {
        uintptr_t at = (uintptr_t)map_get(&m->index, name);
        return at == 0 ? NULL : &m->entries[at - 1];
    }
    for (size_t i = 0; i < m->count; i++) {
        struct multi_entry *e = &m->entries[i];
        if (m->ignore_case ? str_case_eq(e->name, name) : str_eq(e->name, name))
            return e;
    }
    return NULL;
}

static void multi_index(struct multi *m)
{
    if (m->count == MULTI_LINEAR + 1)
        for (size_t i = 0; i < m->count; i++)
            map_put(&m->index, m->entries[i].name, (void *)(i + 1)); /* NOLINT */
    else if (m->count > MULTI_LINEAR)
        map_put(&m->index, m->entries[m->count - 1].name, (void *)m->count); /* NOLINT */
}

static void multi_add(struct multi *m, struct arena *a, struct str name, struct str value)
{
    struct multi_value *v = ARENA_NEW(a, struct multi_value);
    v->value = value;
    struct multi_entry *e = multi_find(m, name);
    if (e != NULL) {
        e->last->next = v;
        e->last = v;
        return;
    }
    if (m->count == m->cap) {
        size_t cap = m->cap == 0 ? 16 : m->cap * 2;
        struct multi_entry *grown = ARENA_ARRAY(a, struct multi_entry, cap);
        if (m->count > 0)
            memcpy(grown, m->entries, m->count * sizeof *grown);
        m->entries = grown;
        m->cap = cap;
    }
    m->entries[m->count++] = (struct multi_entry){name, v, v};
    if (!m->ignore_case)
        multi_index(m);
}

/* Two members: the last value of each name, and all values of each name. */
static void multi_write(const struct multi *m, struct json_out *w, const char *single,
                        const char *multi, bool null_if_empty)
{
    if (m->count == 0 && null_if_empty) {
        json_null(w, single);
        json_null(w, multi);
        return;
    }
    json_obj(w, single);
    for (size_t i = 0; i < m->count; i++) {
        json_key(w, m->entries[i].name);
        json_str(w, NULL, m->entries[i].last->value);
    }
    json_end(w);
    json_obj(w, multi);
    for (size_t i = 0; i < m->count; i++) {
        json_key(w, m->entries[i].name);
        json_arr(w, NULL);
        for (struct multi_value *v = m->entries[i].first; v != NULL; v = v->next)
            json_str(w, NULL, v->value);
        json_end(w);
    }
    json_end(w);
}

static struct str forwarded_for(const struct event_v1 *e, struct arena *a)
{
    struct str given = http_req_header(e->req, "X-Forwarded-For");
    if (given.p == NULL)
        return e->req->peer_ip;
    return event_text(
        a, arena_fmt(a, "%.*s, %.*s", STR_ARG(str_trim(given)), STR_ARG(e->req->peer_ip)));
}

/* unverified: which names an HTTP API leaves capitalised; these have been seen */
static struct str http_api_name(struct arena *a, struct str name)
{
    static const char *const kept[] = {"Content-Length", "Host", "User-Agent"};
    char *out = arena_alloc_raw(a, name.n + 1);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (str_case_eq(name, str_c(kept[i])))
            return str_c(kept[i]);
    }
    for (size_t i = 0; i < name.n; i++)
        out[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
    return (struct str){out, name.n};
}

static void write_headers(const struct event_v1 *e, struct arena *a, struct json_out *w)
{
    struct multi m = {.ignore_case = true};
    for (size_t i = 0; i < e->req->header_count; i++) {
        struct str name = e->req->headers[i].name;
        if (is_removed(name) && !(e->http_api && str_case_eq(name, STR("Content-Length"))))
            continue;
        if (e->http_api)
            name = http_api_name(a, name);
        else if (str_case_eq(name, STR("authorization")))
            name = STR("Authorization");
        else if (str_case_eq(name, STR("user-agent")))
            name = STR("User-Agent");
        multi_add(&m, a, event_text(a, name), event_text(a, e->req->headers[i].value));
    }
    if (e->http_api && http_req_header(e->req, "Content-Length").p == NULL)
        multi_add(&m, a, STR("Content-Length"), arena_fmt(a, "%zu", e->req->body.n));
    /* Port and protocol are those of this server, so that links a handler builds work. */
    multi_add(&m, a, STR("X-Amzn-Trace-Id"), arena_fmt(a, "Root=%.*s", STR_ARG(e->trace_root)));
    multi_add(&m, a, STR("X-Forwarded-For"), forwarded_for(e, a));
    multi_add(&m, a, STR("X-Forwarded-Port"), arena_fmt(a, "%u", e->req->local_port));
    multi_add(&m, a, STR("X-Forwarded-Proto"), STR("http"));
    multi_write(&m, w, "headers", "multiValueHeaders", false);
}

static void write_query(const struct event_v1 *e, struct arena *a, struct json_out *w)
{
    struct multi m = {0};
    map_init(&m.index);
    struct str rest = e->req->query;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct str key = str_cut(&value, '=');
        multi_add(&m, a, event_text(a, codec_percent_decode(a, key, true)),
                  value.p == NULL ? STR("") : event_text(a, codec_percent_decode(a, value, true)));
    }
    multi_write(&m, w, "queryStringParameters", "multiValueQueryStringParameters", true);
    map_release(&m.index);
}

static void write_pairs(struct json_out *w, struct arena *a, const char *key,
                        const struct gw_pair *pairs, size_t count)
{
    if (count == 0) {
        json_null(w, key);
        return;
    }
    json_obj(w, key);
    for (size_t i = 0; i < count; i++) {
        json_key(w, event_text(a, pairs[i].name));
        json_str(w, NULL, event_text(a, pairs[i].value));
    }
    json_end(w);
}

static void text_or_null(struct json_out *w, const char *key, struct str v)
{
    if (v.n > 0)
        json_str(w, key, v);
    else
        json_null(w, key);
}

static void write_identity(const struct event_v1 *e, struct arena *a, struct json_out *w)
{
    struct str agent = http_req_header(e->req, "User-Agent");
    bool iam = e->iam_key.n > 0;
    json_obj(w, "identity");
    json_null(w, "cognitoIdentityPoolId");
    text_or_null(w, "accountId", iam ? e->account : STR(""));
    if (e->api_key.n > 0) {
        json_str(w, "apiKey", e->api_key);
        json_str(w, "apiKeyId", e->api_key_id);
    }
    json_null(w, "cognitoIdentityId");
    text_or_null(w, "caller", e->iam_key);
    json_str(w, "sourceIp", e->req->peer_ip);
    json_null(w, "principalOrgId");
    text_or_null(w, "accessKey", e->iam_key);
    json_null(w, "cognitoAuthenticationType");
    json_null(w, "cognitoAuthenticationProvider");
    text_or_null(w, "userArn",
                 iam ? arena_fmt(a, "arn:aws:iam::%.*s:root", STR_ARG(e->account)) : STR(""));
    if (agent.p == NULL)
        json_null(w, "userAgent");
    else
        json_str(w, "userAgent", event_text(a, agent));
    text_or_null(w, "user", e->iam_key);
    json_end(w);
}

/* The execute-api host the client used; for the other forms of DESIGN 1.2 the name the API would
 * have on AWS (unverified against rivals, which put their own). */
static struct str domain_name(const struct event_v1 *e, struct arena *a)
{
    struct str host = e->req->host;
    ptrdiff_t colon = str_rfind(host, ':');
    if (colon >= 0)
        host = str_sub(host, 0, (size_t)colon);
    if (e->by_domain || str_find_str(host, STR(".execute-api.")) > 0)
        return event_text(a, host);
    return arena_fmt(a, "%.*s.execute-api.%.*s.amazonaws.com", STR_ARG(e->api_id),
                     STR_ARG(e->region));
}

void event_v1_write_context(const struct event_v1 *e, struct arena *a, struct json_out *w)
{
    struct str domain = domain_name(e, a), rest = domain;
    char time[40];
    size_t n = clock_format(e->now_ms, "%d/%b/%Y:%H:%M:%S +0000", time, sizeof time);
    json_obj(w, "requestContext");
    if (e->authorizer.n > 0)
        json_raw(w, "authorizer", e->authorizer);
    if (e->http_api)
        json_null(w, "resourceId");
    else if (e->match->route != NULL)
        json_str(w, "resourceId", e->match->route->resource_id);
    if (e->match->route != NULL)
        json_str(w, "resourcePath", e->match->route->resource_path);
    if (e->match->method != NULL && e->match->method->operation_name.n > 0)
        json_str(w, "operationName", e->match->method->operation_name);
    json_str(w, "httpMethod", e->req->method);
    json_str(w, "extendedRequestId", e->extended_id);
    json_str(w, "requestTime", (struct str){time, n});
    json_str(w, "path",
             event_text(a, e->by_domain ? e->req->path
                           : e->http_api
                               ? e->path
                               : arena_fmt(a, "/%.*s%.*s", STR_ARG(e->stage), STR_ARG(e->path))));
    json_str(w, "accountId", e->account);
    json_str(w, "protocol", e->req->is_http10 ? STR("HTTP/1.0") : STR("HTTP/1.1"));
    json_str(w, "stage", e->stage);
    json_str(w, "domainPrefix", str_cut(&rest, '.'));
    json_i64(w, "requestTimeEpoch", e->now_ms);
    json_str(w, "requestId", e->request_id);
    write_identity(e, a, w);
    json_str(w, "domainName", domain);
    if (!e->http_api)
        json_str(w, "deploymentId", e->deployment_id);
    json_str(w, "apiId", e->api_id);
    json_end(w);
}

static void write_authorizer_start(const struct event_v1 *e, struct arena *a, struct json_out *w)
{
    struct buf *b = arena_new_buf(a, 1 << 20);
    json_cstr(w, "type", "REQUEST");
    json_str(w, "methodArn", event_text(a, e->method_arn));
    if (!e->http_api)
        return;
    for (size_t i = 0; i < e->identity_count; i++)
        buf_addf(b, "%s%.*s", i > 0 ? "," : "", STR_ARG(e->identity[i]));
    struct str identity = event_text(a, buf_view(b));
    json_str(w, "identitySource", identity);
    json_str(w, "authorizationToken", identity);
}

void event_v1_write(const struct event_v1 *e, struct arena *a, struct buf *out)
{
    struct json_out w;
    bool for_authorizer = e->method_arn.n > 0;
    json_out_init(&w, out);
    json_obj(&w, NULL);
    if (e->http_api)
        json_cstr(&w, "version", "1.0");
    if (for_authorizer)
        write_authorizer_start(e, a, &w);
    json_str(&w, "resource", e->match->route->resource_path);
    json_str(&w, "path", event_text(a, event_path(e->by_domain ? e->req->path : e->path)));
    json_str(&w, "httpMethod", e->req->method);
    write_headers(e, a, &w);
    write_query(e, a, &w);
    write_pairs(&w, a, "pathParameters", e->match->params, e->match->param_count);
    write_pairs(&w, a, "stageVariables", e->variables, e->variable_count);
    event_v1_write_context(e, a, &w);
    if (for_authorizer) {
        json_end(&w);
        return;
    }
    if (e->req->body.n == 0)
        json_null(&w, "body");
    else if (e->body_is_binary)
        json_str(&w, "body", codec_base64_encode(a, e->req->body));
    else
        json_str(&w, "body", event_text(a, e->req->body));
    json_bool(&w, "isBase64Encoded", e->body_is_binary && e->req->body.n > 0);
    json_end(&w);
}
