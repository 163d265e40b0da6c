/* What mapping templates and parameter mappings can say: $input, $context, $stageVariables, $util,
 * and sources such as method.request.header.x. Source: "Variables for data transformations for API
 * Gateway", "Parameter mapping source reference". */
#include "codec.h"
#include "jsonpath.h"
#include "log.h"
#include "rest_request.h"
#include <string.h>

enum { TEXT_MAX = 32 << 20 };

/* ---- parts of the request ---- */

const struct gw_pair *rest_path_param(struct rest_request *r, struct str name)
{
    for (size_t i = 0; i < r->match.param_count; i++) {
        if (str_eq(r->match.params[i].name, name))
            return &r->match.params[i];
    }
    return NULL;
}

bool rest_query_value(struct rest_request *r, struct str name, struct str *ret)
{
    struct str rest = r->req.query;
    bool found = false;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (!str_eq(codec_percent_decode(r->arena, key, true), name))
            continue;
        *ret = value.p == NULL ? STR("") : codec_percent_decode(r->arena, value, true);
        found = true;
    }
    return found;
}

static struct vtl_value query_map(struct rest_request *r)
{
    struct vtl_value map = vtl_new_map(r->arena);
    struct str rest = r->req.query;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
        if (key.n > 0)
            vtl_map_put(map.map, r->arena,
                        event_text(r->arena, codec_percent_decode(r->arena, key, true)),
                        vtl_string(value.p == NULL
                                       ? STR("")
                                       : event_text(r->arena,
                                                    codec_percent_decode(r->arena, value, true))));
    }
    return map;
}

static struct vtl_value header_map(struct rest_request *r)
{
    struct vtl_value map = vtl_new_map(r->arena);
    for (size_t i = 0; i < r->req.header_count; i++)
        vtl_map_put(map.map, r->arena, event_text(r->arena, r->req.headers[i].name),
                    vtl_string(event_text(r->arena, r->req.headers[i].value)));
    return map;
}

static struct vtl_value path_map(struct rest_request *r)
{
    struct vtl_value map = vtl_new_map(r->arena);
    for (size_t i = 0; i < r->match.param_count; i++)
        vtl_map_put(map.map, r->arena, r->match.params[i].name,
                    vtl_string(event_text(r->arena, r->match.params[i].value)));
    return map;
}

/* ---- $input ---- */

struct input {
    struct vtl_host host; /* first */
    struct rest_request *r;
    struct str body;
    bool parsed, is_json;
    struct vtl_value root;
};

static bool input_select(struct input *in, struct str path, struct vtl_value *ret)
{
    struct jval doc;
    struct str why;
    if (!in->parsed) {
        in->parsed = true;
        /* AWS reads an empty body as {}. unverified: and one that is not JSON as a string */
        struct str text = str_trim(in->body).n == 0 ? STR("{}") : in->body;
        in->is_json = json_parse(in->r->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL);
        in->root = in->is_json ? vtl_from_json(doc, in->r->arena)
                               : vtl_string(event_text(in->r->arena, in->body));
    }
    if (jsonpath_get(in->root, path, in->r->arena, ret, &why))
        return true;
    if (why.p != NULL)
        rest_log(in->r, "JSONPath %.*s: %.*s", STR_ARG(path), STR_ARG(why));
    return false;
}

static struct vtl_value input_params(struct input *in)
{
    struct vtl_value all = vtl_new_map(in->r->arena);
    vtl_map_put(all.map, in->r->arena, STR("path"), path_map(in->r));
    vtl_map_put(all.map, in->r->arena, STR("querystring"), query_map(in->r));
    vtl_map_put(all.map, in->r->arena, STR("header"), header_map(in->r));
    return all;
}

/* Searched in path, query string and headers, in that order. */
static struct vtl_value input_param(struct input *in, struct str name)
{
    struct str value;
    const struct gw_pair *pair = rest_path_param(in->r, name);
    if (pair != NULL)
        return vtl_string(event_text(in->r->arena, pair->value));
    if (rest_query_value(in->r, name, &value))
        return vtl_string(event_text(in->r->arena, value));
    const char *key = arena_str(in->r->arena, name).p;
    value = http_req_header(&in->r->req, key);
    return vtl_string(value.p == NULL ? STR("") : event_text(in->r->arena, value));
}

static bool input_call(const struct vtl_host *self, struct str method, const struct vtl_value *args,
                       size_t count, struct arena *a, struct vtl_value *ret)
{
    struct input *in = (struct input *)(uintptr_t)self;
    struct str path = count > 0 ? vtl_text(&args[0], a) : STR("$");
    if (str_eq_c(method, "params") && count <= 1) {
        *ret = count == 0 ? input_params(in) : input_param(in, path);
        return true;
    }
    if (str_eq_c(method, "path") && count <= 1)
        return input_select(in, path, ret);
    if (str_eq_c(method, "json") && count <= 1) {
        struct buf *b = arena_new_buf(a, TEXT_MAX);
        if (input_select(in, path, ret))
            vtl_write_json(ret, b);
        else
            buf_add(b, STR("\"\"")); /* unverified: what is not there gives an empty string */
        *ret = vtl_string(buf_view(b));
        return !b->overflow;
    }
    return false;
}

static bool input_get(const struct vtl_host *self, struct str name, struct arena *a,
                      struct vtl_value *ret)
{
    const struct input *in = (const struct input *)self;
    if (!str_eq_c(name, "body"))
        return false;
    *ret = vtl_string(event_text(a, in->body));
    return true;
}

/* ---- $util ---- */

/* Apache's escapeJavaScript: quotes, slashes, control characters, everything beyond ASCII. */
static struct str escape_javascript(struct str s, struct arena *a)
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        uint32_t point = c < 0x80 ? c : c & (0xFFu >> (n + 1));
        for (size_t k = 1; k < n && i + k < s.n; k++)
            point = point << 6 | ((unsigned char)s.p[i + k] & 0x3F);
        i += n;
        if (point == '\'' || point == '"' || point == '\\' || point == '/')
            buf_addf(b, "\\%c", (char)point);
        else if (point == '\n' || point == '\r' || point == '\t' || point == '\b' || point == '\f')
            buf_addf(b, "\\%c",
                     point == '\n'   ? 'n'
                     : point == '\r' ? 'r'
                     : point == '\t' ? 't'
                     : point == '\b' ? 'b'
                                     : 'f');
        else if (point > 0xFFFF)
            buf_addf(b, "\\u%04X\\u%04X", 0xD800 + ((point - 0x10000) >> 10),
                     0xDC00 + ((point - 0x10000) & 0x3FF));
        else if (point < 0x20 || point > 0x7E)
            buf_addf(b, "\\u%04X", point);
        else
            buf_addc(b, (char)point);
    }
    return buf_view(b);
}

/* Java's URLEncoder: a blank is +, and * stays. */
static struct str url_encode(struct str s, struct arena *a)
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (alnum || c == '.' || c == '-' || c == '*' || c == '_')
            buf_addc(b, (char)c);
        else if (c == ' ')
            buf_addc(b, '+');
        else
            buf_addf(b, "%%%02X", c);
    }
    return buf_view(b);
}

static bool util_call(const struct vtl_host *self, struct str method, const struct vtl_value *args,
                      size_t count, struct arena *a, struct vtl_value *ret)
{
    struct str text, bytes;
    struct jval doc;
    (void)self;
    if (count != 1)
        return false;
    text = vtl_text(&args[0], a);
    if (str_eq_c(method, "escapeJavaScript")) {
        *ret = vtl_string(escape_javascript(text, a));
    } else if (str_eq_c(method, "urlEncode")) {
        *ret = vtl_string(url_encode(text, a));
    } else if (str_eq_c(method, "urlDecode")) {
        *ret = vtl_string(event_text(a, codec_percent_decode(a, text, true)));
    } else if (str_eq_c(method, "base64Encode")) {
        *ret = vtl_string(codec_base64_encode(a, text));
    } else if (str_eq_c(method, "base64Decode")) {
        if (!codec_base64_decode(a, text, &bytes))
            return false;
        *ret = vtl_string(event_text(a, bytes));
    } else if (str_eq_c(method, "parseJson")) {
        if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL))
            return false;
        *ret = vtl_from_json(doc, a);
    } else {
        return false;
    }
    return true;
}

/* ---- $context ---- */

/* What is null in the event is empty here. */
static void drop_nulls(struct vtl_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (map->items[i].value.type == VTL_NULL)
            map->items[i].value = vtl_string(STR(""));
        else if (map->items[i].value.type == VTL_MAP)
            drop_nulls(map->items[i].value.map);
    }
}

static void add_override(struct rest_request *r, struct vtl_map *context, const char *where,
                         const char *const *parts)
{
    struct vtl_value map = vtl_new_map(r->arena);
    for (; *parts != NULL; parts++)
        vtl_map_put(map.map, r->arena, str_c(*parts), vtl_new_map(r->arena));
    vtl_map_put(context, r->arena, str_c(where), map);
}

struct vtl_map *rest_context(struct rest_request *r)
{
    static const char *const request_parts[] = {"header", "querystring", "path", NULL};
    static const char *const response_parts[] = {"header", NULL};
    struct jval doc = {0};
    struct buf *b = arena_new_buf(r->arena, TEXT_MAX);
    struct json_out w;
    if (r->context != NULL)
        return r->context;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    event_v1_write_context(&r->event, r->arena, &w);
    json_end(&w);
    json_parse(r->arena, buf_view(b), JSON_DEPTH_DEFAULT, &doc, NULL);
    struct vtl_value made = vtl_from_json(jval_get(doc, "requestContext"), r->arena);
    r->context = made.type == VTL_MAP ? made.map : vtl_new_map(r->arena).map;
    drop_nulls(r->context);
    add_override(r, r->context, "requestOverride", request_parts);
    add_override(r, r->context, "responseOverride", response_parts);
    return r->context;
}

struct vtl_map *rest_override(struct rest_request *r, const char *where, const char *part)
{
    struct vtl_value *map = r->context == NULL ? NULL : vtl_map_get(r->context, str_c(where));
    if (map == NULL || map->type != VTL_MAP)
        return NULL;
    if (part == NULL)
        return map->map;
    map = vtl_map_get(map->map, str_c(part));
    return map != NULL && map->type == VTL_MAP ? map->map : NULL;
}

bool rest_render(struct rest_request *r, const struct vtl_template *t, struct str body,
                 struct str *ret)
{
    struct vtl_value vars = vtl_new_map(r->arena), variables = vtl_new_map(r->arena), context;
    struct input *in = ARENA_NEW(r->arena, struct input);
    struct vtl_host *util = ARENA_NEW(r->arena, struct vtl_host);
    struct buf *out = arena_new_buf(r->arena, VTL_OUTPUT_MAX);
    struct str why;
    if (t == NULL)
        return false;
    *in = (struct input){.host = {input_call, input_get, NULL}, .r = r, .body = body};
    *util = (struct vtl_host){util_call, NULL, NULL};
    for (size_t i = 0; i < r->stage->variable_count; i++)
        vtl_map_put(variables.map, r->arena, r->stage->variables[i].name,
                    vtl_string(r->stage->variables[i].value));
    context.type = VTL_MAP;
    context.map = rest_context(r);
    vtl_map_put(vars.map, r->arena, STR("input"),
                (struct vtl_value){.type = VTL_HOST, .host = &in->host});
    vtl_map_put(vars.map, r->arena, STR("util"),
                (struct vtl_value){.type = VTL_HOST, .host = util});
    vtl_map_put(vars.map, r->arena, STR("context"), context);
    vtl_map_put(vars.map, r->arena, STR("stageVariables"), variables);
    if (!vtl_render(t, vars.map, r->arena, out, &why)) {
        rest_log(r, "a mapping template failed: %.*s", STR_ARG(why));
        return false;
    }
    *ret = buf_view(out);
    return true;
}

/* ---- parameter sources ---- */

static bool starts(struct str s, const char *prefix, struct str *ret_rest)
{
    struct str p = str_c(prefix);
    if (!str_starts(s, p))
        return false;
    *ret_rest = str_sub(s, p.n, s.n);
    return true;
}

static bool response_header(const struct http_resp *resp, struct str name, struct str *ret)
{
    for (size_t i = 0; i < resp->header_count; i++) {
        if (str_case_eq(resp->headers[i].name, name)) {
            *ret = resp->headers[i].value;
            return true;
        }
    }
    return false;
}

/* "method.request.body.a.b": the JSONPath $.a.b. */
static bool body_value(struct rest_request *r, struct str body, struct str path, struct str *ret)
{
    struct jval doc;
    struct vtl_value found;
    struct str why, full = path.n == 0 ? STR("$") : arena_fmt(r->arena, "$.%.*s", STR_ARG(path));
    if (path.n == 0) {
        *ret = body;
        return true;
    }
    if (!json_parse(r->arena, body, JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !jsonpath_get(vtl_from_json(doc, r->arena), full, r->arena, &found, &why))
        return false;
    struct buf *b = arena_new_buf(r->arena, TEXT_MAX);
    if (found.type == VTL_STRING) {
        *ret = found.text;
        return true;
    }
    vtl_write_json(&found, b);
    *ret = buf_view(b);
    return true;
}

static bool context_value(struct rest_request *r, struct str path, struct str *ret)
{
    struct vtl_value v = {.type = VTL_MAP};
    v.map = rest_context(r);
    while (path.p != NULL) {
        struct vtl_value *at = v.type == VTL_MAP ? vtl_map_get(v.map, str_cut(&path, '.')) : NULL;
        if (at == NULL)
            return false;
        v = *at;
    }
    *ret = vtl_text(&v, r->arena);
    return true;
}

bool rest_param_value(struct rest_request *r, struct str source, const struct http_resp *resp,
                      struct str *ret)
{
    struct str rest;
    if (source.n >= 2 && source.p[0] == '\'' && source.p[source.n - 1] == '\'') {
        *ret = str_sub(source, 1, source.n - 1);
        return true;
    }
    if (starts(source, "method.request.path.", &rest)) {
        const struct gw_pair *pair = rest_path_param(r, rest);
        *ret = pair == NULL ? STR_NONE : pair->value;
        return pair != NULL;
    }
    if (starts(source, "method.request.querystring.", &rest) ||
        starts(source, "method.request.multivaluequerystring.", &rest))
        return rest_query_value(r, rest, ret);
    if (starts(source, "method.request.header.", &rest) ||
        starts(source, "method.request.multivalueheader.", &rest)) {
        *ret = http_req_header(&r->req, arena_str(r->arena, rest).p);
        return ret->p != NULL;
    }
    if (str_eq_c(source, "method.request.body"))
        return body_value(r, r->req.body, STR(""), ret);
    if (starts(source, "method.request.body.", &rest))
        return body_value(r, r->req.body, rest, ret);
    if (starts(source, "context.", &rest))
        return context_value(r, rest, ret);
    if (starts(source, "stageVariables.", &rest)) {
        for (size_t i = 0; i < r->stage->variable_count; i++) {
            if (str_eq(r->stage->variables[i].name, rest)) {
                *ret = r->stage->variables[i].value;
                return true;
            }
        }
        return false;
    }
    if (resp != NULL && (starts(source, "integration.response.header.", &rest) ||
                         starts(source, "integration.response.multivalueheader.", &rest)))
        return response_header(resp, rest, ret);
    if (resp != NULL && str_eq_c(source, "integration.response.body"))
        return body_value(r, resp->body, STR(""), ret);
    if (resp != NULL && starts(source, "integration.response.body.", &rest))
        return body_value(r, resp->body, rest, ret);
    return false;
}
