#include "v2_params.h"
#include "codec.h"
#include <string.h>

#define MALFORMED "Invalid mapping expression specified: "

enum verb { VERB_APPEND, VERB_OVERWRITE, VERB_REMOVE };
struct mapping { /* "append:header.x" */
    enum verb verb;
    struct str place, name; /* place "header", "querystring", "path", "statuscode" */
};

static bool parse_mapping(struct str key, struct mapping *ret)
{
    struct str rest = key, verb = str_cut(&rest, ':');
    if (rest.p == NULL)
        return false;
    ret->verb = str_eq_c(verb, "append")      ? VERB_APPEND
                : str_eq_c(verb, "overwrite") ? VERB_OVERWRITE
                                              : VERB_REMOVE;
    ret->name = rest;
    ret->place = str_cut(&ret->name, '.');
    return str_eq_c(verb, "append") || str_eq_c(verb, "overwrite") || str_eq_c(verb, "remove");
}

/* Headers that a mapping may not touch. */
static bool is_reserved(struct str name)
{
    static const char *const reserved[] = {"access-control-allow-credentials",
                                           "access-control-allow-headers",
                                           "access-control-allow-methods",
                                           "access-control-allow-origin",
                                           "access-control-expose-headers",
                                           "access-control-max-age",
                                           "apigw-",
                                           "authorization",
                                           "connection",
                                           "content-encoding",
                                           "content-length",
                                           "content-location",
                                           "forwarded",
                                           "keep-alive",
                                           "origin",
                                           "proxy-authenticate",
                                           "proxy-authorization",
                                           "te",
                                           "trailers",
                                           "transfer-encoding",
                                           "upgrade",
                                           "x-amz-",
                                           "x-amzn-",
                                           "x-apigateway-",
                                           "x-forwarded-for",
                                           "x-forwarded-host",
                                           "x-forwarded-proto",
                                           "via"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        struct str r = str_c(reserved[i]);
        bool prefix = r.p[r.n - 1] == '-';
        if (str_case_eq(prefix ? str_sub(name, 0, r.n) : name, r))
            return true;
    }
    return false;
}

static bool check_mapping(struct str key, bool response, struct arena *a, struct str *ret_why)
{
    struct mapping m;
    bool ok = parse_mapping(key, &m);
    bool header = ok && str_eq_c(m.place, "header");
    if (ok && header)
        ok = m.name.n > 0;
    else if (ok && response)
        ok = str_eq_c(m.place, "statuscode") && m.verb == VERB_OVERWRITE;
    else if (ok)
        ok = (str_eq_c(m.place, "querystring") && m.name.n > 0) ||
             (str_eq_c(m.place, "path") && m.verb == VERB_OVERWRITE);
    if (!ok) {
        *ret_why = arena_fmt(a, MALFORMED "%.*s", STR_ARG(key));
        return false;
    }
    if (header && is_reserved(m.name)) {
        *ret_why = arena_fmt(a, "Operations on header %.*s are restricted", STR_ARG(m.name));
        return false;
    }
    return true;
}

static bool is_status(struct str s)
{
    int64_t code;
    return str_to_i64(s, &code) && code >= 200 && code <= 599;
}

/* unverified: the texts */
bool v2_params_valid(struct jval integration, bool lambda, struct arena *a, struct str *ret_why)
{
    struct jval request = jval_get(integration, "requestParameters"), it = {0}, inner = {0};
    struct jval response = jval_get(integration, "responseParameters");
    (void)lambda;
    while (jval_kind(request) == JSON_OBJECT && jval_next(request, &it, NULL)) {
        if (!check_mapping(jval_key_str(it, a), false, a, ret_why))
            return false;
    }
    it = (struct jval){0};
    while (jval_kind(response) == JSON_OBJECT && jval_next(response, &it, NULL)) {
        struct str code = jval_key_str(it, a);
        if (!is_status(code)) {
            *ret_why = arena_fmt(a,
                                 "Response parameters must be given by a status code from 200 "
                                 "to 599, not %.*s",
                                 STR_ARG(code));
            return false;
        }
        for (inner = (struct jval){0};
             jval_kind(it) == JSON_OBJECT && jval_next(it, &inner, NULL);) {
            if (!check_mapping(jval_key_str(inner, a), true, a, ret_why))
                return false;
        }
    }
    return true;
}

/* ---- values ---- */

static bool find_pair(const struct gw_pair *pairs, size_t count, struct str name, struct str *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(pairs[i].name, name)) {
            *ret = pairs[i].value;
            return true;
        }
    }
    return false;
}

static struct str scalar_text(struct jval v, struct arena *a)
{
    return jval_kind(v) == JSON_STRING ? jval_text(v, a) : jval_raw(v);
}

/* "a.b.c" below v. */
static bool find_path(struct jval v, struct str path, struct arena *a, struct str *ret)
{
    while (path.p != NULL)
        v = jval_get_str(v, str_cut(&path, '.'));
    if (!jval_present(v))
        return false;
    *ret = scalar_text(v, a);
    return true;
}

static bool header_values(const struct http_header *headers, size_t count, struct str name,
                          struct arena *a, struct str *ret)
{
    struct buf *b = arena_new_buf(a, 1 << 20);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!str_case_eq(headers[i].name, name))
            continue;
        if (found)
            buf_addc(b, ',');
        buf_add(b, headers[i].value);
        found = true;
    }
    *ret = buf_view(b);
    return found;
}

static bool query_values(const struct http_req *req, struct str name, struct arena *a,
                         struct str *ret)
{
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct str rest = req->query;
    bool found = false;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (!str_eq(codec_percent_decode(a, key, true), name))
            continue;
        if (found)
            buf_addc(b, ',');
        if (value.p != NULL)
            buf_add(b, codec_percent_decode(a, value, true));
        found = true;
    }
    *ret = buf_view(b);
    return found;
}

static bool starts(struct str s, const char *prefix, struct str *ret_rest)
{
    struct str p = str_c(prefix);
    if (!str_starts(s, p))
        return false;
    *ret_rest = str_sub(s, p.n, s.n);
    return true;
}

/* name: without the '$' and braces. */
static bool reference(const struct v2_source *s, struct str name, struct arena *a, struct str *ret)
{
    struct str rest;
    struct jval body;
    if (s->req != NULL && starts(name, "request.header.", &rest))
        return header_values(s->req->headers, s->req->header_count, rest, a, ret);
    if (s->req != NULL && starts(name, "request.querystring.", &rest))
        return query_values(s->req, rest, a, ret);
    if (starts(name, "request.path.", &rest))
        return find_pair(s->path_params, s->path_count, rest, ret);
    if (str_eq_c(name, "request.path")) {
        *ret = s->path;
        return true;
    }
    if (s->req != NULL && str_eq_c(name, "request.body")) {
        *ret = s->req->body;
        return true;
    }
    if (s->req != NULL && starts(name, "request.body.", &rest))
        return json_parse(a, s->req->body, JSON_DEPTH_DEFAULT, &body, NULL) &&
               find_path(body, rest, a, ret);
    if (starts(name, "context.", &rest))
        return find_path(s->context, rest, a, ret);
    if (starts(name, "stageVariables.", &rest))
        return find_pair(s->stage_variables, s->variable_count, rest, ret);
    if (s->resp != NULL && starts(name, "response.header.", &rest))
        return header_values(s->resp->headers, s->resp->header_count, rest, a, ret);
    if (s->resp != NULL && starts(name, "response.body.", &rest))
        return find_path(s->resp_body, rest, a, ret);
    if (s->resp != NULL && str_eq_c(name, "response.body")) {
        *ret = s->resp->body;
        return true;
    }
    return false;
}

bool v2_params_value(const struct v2_source *s, struct str expression, struct arena *a,
                     struct str *ret)
{
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct str value;
    if (expression.n > 1 && expression.p[0] == '$' && expression.p[1] != '{')
        return reference(s, str_sub(expression, 1, expression.n), a, ret);
    while (expression.n > 0) {
        ptrdiff_t at = str_find_str(expression, STR("${"));
        struct str rest = at < 0 ? STR_NONE : str_sub(expression, (size_t)at + 2, expression.n);
        ptrdiff_t close = at < 0 ? -1 : str_find(rest, '}');
        if (close < 0) {
            buf_add(b, expression);
            break;
        }
        buf_add(b, str_sub(expression, 0, (size_t)at));
        if (!reference(s, str_sub(rest, 0, (size_t)close), a, &value))
            return false;
        buf_add(b, value);
        expression = str_sub(rest, (size_t)close + 1, rest.n);
    }
    *ret = buf_view(b);
    return !b->overflow;
}

/* ---- applying ---- */

static void remove_header(struct http_header *headers, size_t *count, struct str name)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (!str_case_eq(headers[i].name, name))
            headers[kept++] = headers[i];
    }
    *count = kept;
}

static void add_header(struct v2_outgoing *out, struct arena *a, struct str name, struct str value)
{
    if (out->header_count == out->header_cap) {
        out->header_cap = out->header_cap == 0 ? 32 : out->header_cap * 2;
        struct http_header *more = ARENA_ARRAY(a, struct http_header, out->header_cap);
        if (out->header_count > 0)
            memcpy(more, out->headers, out->header_count * sizeof *more);
        out->headers = more;
    }
    out->headers[out->header_count++] = (struct http_header){name, value};
}

static void change_query(struct v2_outgoing *out, struct arena *a, const struct mapping *m,
                         struct str value)
{
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct str rest = out->query;
    while (rest.p != NULL && rest.n > 0) {
        struct str part = str_cut(&rest, '&'), tail = part, key = str_cut(&tail, '=');
        if (m->verb != VERB_APPEND && str_eq(codec_percent_decode(a, key, true), m->name))
            continue;
        buf_addf(b, "%s%.*s", b->n > 0 ? "&" : "", STR_ARG(part));
    }
    if (m->verb != VERB_REMOVE)
        buf_addf(b, "%s%.*s=%.*s", b->n > 0 ? "&" : "",
                 STR_ARG(codec_percent_encode(a, m->name, false)),
                 STR_ARG(codec_percent_encode(a, value, false)));
    out->query = b->n > 0 ? buf_view(b) : STR_NONE;
}

static void change_request_header(struct v2_outgoing *out, struct arena *a, const struct mapping *m,
                                  struct str value)
{
    if (m->verb != VERB_APPEND)
        remove_header(out->headers, &out->header_count, m->name);
    if (m->verb != VERB_REMOVE)
        add_header(out, a, m->name, value);
}

void v2_params_request(const struct v2_source *s, struct jval mappings, struct arena *a,
                       struct v2_outgoing *out)
{
    struct jval it = {0};
    while (jval_kind(mappings) == JSON_OBJECT && jval_next(mappings, &it, NULL)) {
        struct mapping m;
        struct str value = STR("");
        if (!parse_mapping(jval_key_str(it, a), &m) ||
            (m.verb != VERB_REMOVE && !v2_params_value(s, jval_text(it, a), a, &value)))
            continue; /* what is not there is not mapped */
        if (str_eq_c(m.place, "header"))
            change_request_header(out, a, &m, value);
        else if (str_eq_c(m.place, "querystring"))
            change_query(out, a, &m, value);
        else if (str_eq_c(m.place, "path"))
            out->path = value;
    }
}

void v2_params_response(const struct v2_source *s, struct jval response_parameters, struct arena *a,
                        struct http_resp *resp)
{
    struct str code = arena_fmt(a, "%u", resp->status);
    struct jval mappings = jval_get_str(response_parameters, code), it = {0};
    while (jval_kind(mappings) == JSON_OBJECT && jval_next(mappings, &it, NULL)) {
        struct mapping m;
        struct str value = STR("");
        int64_t status;
        if (!parse_mapping(jval_key_str(it, a), &m) ||
            (m.verb != VERB_REMOVE && !v2_params_value(s, jval_text(it, a), a, &value)))
            continue;
        if (str_eq_c(m.place, "statuscode")) {
            if (str_to_i64(value, &status) && status >= 100 && status <= 599)
                resp->status = (uint16_t)status;
            continue;
        }
        if (m.verb != VERB_APPEND)
            remove_header(resp->headers, &resp->header_count, m.name);
        if (m.verb != VERB_REMOVE)
            http_resp_add(resp, a, m.name, value);
    }
}
