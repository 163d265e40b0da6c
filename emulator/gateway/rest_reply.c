#include "rest_reply.h"
#include "codec.h"
#include "json.h"
#include "panic.h"
#include <string.h>

static const struct gw_answer_kind kinds[] = {
    [GW_MISSING_TOKEN] = {403, "MissingAuthenticationTokenException",
                          "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token", 0, 0},
    [GW_FORBIDDEN] = {403, "ForbiddenException", NULL, "Forbidden", 0, 0},
    [GW_TOO_LONG] = {413, "RequestTooLargeException", "REQUEST_TOO_LARGE", "Request Too Long", 0,
                     0},
    /* The blank after the colon is AWS's: these messages do not come from the same part of it. */
    [GW_INTEGRATION_BROKEN] = {500, "InternalServerErrorException", "API_CONFIGURATION_ERROR",
                               "Internal server error", 0, 1},
    [GW_BAD_RESULT] = {502, "InternalServerErrorException", "DEFAULT_5XX", "Internal server error",
                       0, 1},
    [GW_TIMEOUT] = {504, "InternalServerErrorException", "INTEGRATION_TIMEOUT",
                    "Endpoint request timed out", 0, 1},
    /* unverified: its message */
    [GW_UNREACHABLE] = {504, "InternalServerErrorException", "INTEGRATION_FAILURE",
                        "Network error communicating with endpoint", 0, 1},
    [GW_UNAUTHORIZED] = {401, "UnauthorizedException", "UNAUTHORIZED", "Unauthorized", 0, 0},
    [GW_ACCESS_DENIED] = {403, "AccessDeniedException", "ACCESS_DENIED",
                          "User is not authorized to access this resource", 1, 0},
    [GW_ACCESS_DENIED_EXPLICITLY] = {403, "AccessDeniedException", "ACCESS_DENIED",
                                     "User is not authorized to access this resource with an "
                                     "explicit deny",
                                     1, 0},
    [GW_AUTHORIZER_FAILED] = {500, "AuthorizerFailureException", "AUTHORIZER_FAILURE", NULL, 0, 0},
    [GW_AUTHORIZER_BROKEN] = {500, "AuthorizerConfigurationException",
                              "AUTHORIZER_CONFIGURATION_ERROR", NULL, 0, 0},
    [GW_BAD_PARAMETERS] = {400, "BadRequestException", "BAD_REQUEST_PARAMETERS",
                           "Missing required request parameters: [%s]", 0, 1},
    [GW_BAD_BODY] = {400, "BadRequestException", "BAD_REQUEST_BODY", "Invalid request body", 0, 1},
    [GW_INVALID_KEY] = {403, "ForbiddenException", "INVALID_API_KEY", "Forbidden", 0, 0},
    [GW_THROTTLED] = {429, "TooManyRequestsException", "THROTTLED", "Too Many Requests", 0, 0},
    [GW_QUOTA_EXCEEDED] = {429, "LimitExceededException", "QUOTA_EXCEEDED", "Limit Exceeded", 0, 0},
    [GW_UNSUPPORTED_TYPE] = {415, "BadRequestException", "UNSUPPORTED_MEDIA_TYPE",
                             "Unsupported Media Type", 0, 1},
    [GW_BAD_SIGNATURE] = {403, "InvalidSignatureException", "INVALID_SIGNATURE",
                          "The request signature we calculated does not match the signature you "
                          "provided. Check your AWS Secret Access Key and signing method. Consult "
                          "the service documentation for details.",
                          0, 0},
    [GW_POLICY_DENIED] = {403, "AccessDeniedException", "ACCESS_DENIED",
                          "User: anonymous is not authorized to perform: execute-api:Invoke on "
                          "resource: %s",
                          1, 0},
    [GW_EXPIRED_TOKEN] = {401, "UnauthorizedException", "EXPIRED_TOKEN",
                          "The incoming token has expired", 0, 0},
};

const struct gw_answer_kind *reply_kind(enum gw_answer what)
{
    return &kinds[what];
}

struct str reply_message(enum gw_answer what, struct str detail, struct arena *a)
{
    struct str text = str_c(kinds[what].message);
    ptrdiff_t at = str_find_str(text, STR("%s"));
    if (text.p == NULL || at < 0)
        return text;
    return arena_fmt(a, "%.*s%.*s%.*s", (int)at, text.p, STR_ARG(detail),
                     STR_ARG(str_sub(text, (size_t)at + 2, text.n)));
}

void reply_answer(enum gw_answer what, struct str detail, struct arena *a, struct http_resp *resp)
{
    const struct gw_answer_kind *kind = &kinds[what];
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct str message = reply_message(what, detail, a);
    buf_addf(b, "{\"%s\":%s", kind->capital ? "Message" : "message", kind->blank ? " " : "");
    if (message.p == NULL) {
        buf_add(b, STR("null"));
    } else {
        buf_addc(b, '"');
        json_escape(b, message);
        buf_addc(b, '"');
    }
    buf_addc(b, '}');
    resp->status = kind->status;
    resp->body = buf_view(b);
    http_resp_add(resp, a, STR("Content-Type"), STR("application/json"));
    http_resp_add(resp, a, STR("x-amzn-ErrorType"), str_c(kind->error_type));
}

void reply_add_ids(struct http_resp *resp, struct arena *a, struct str request_id,
                   struct str extended_id, struct str trace_id)
{
    http_resp_add(resp, a, STR("x-amzn-RequestId"), request_id);
    http_resp_add(resp, a, STR("x-amz-apigw-id"), extended_id);
    if (trace_id.n > 0)
        http_resp_add(resp, a, STR("X-Amzn-Trace-Id"), trace_id);
}

/* Names that reach the client as x-amzn-Remapped-<name> (developer guide, "Important notes";
 * unverified beyond those that facts/lambda.md 4.1 lists). */
static bool is_remapped(struct str name)
{
    static const char *const names[] = {
        "Authorization",   "Connection", "Content-Length", "Content-MD5", "Date",
        "Expect",          "Host",       "Max-Forwards",   "Server",      "Proxy-Authenticate",
        "Trailer",         "TE",         "Upgrade",        "User-Agent",  "WWW-Authenticate",
        "x-amzn-RequestId"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_case_eq(name, str_c(names[i])))
            return true;
    return false;
}

/* RFC 9110 token: anything else could forge a line of the response. */
static bool is_header_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.n > 0;
}

static bool is_header_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == 0x7f || (c < 0x20 && c != '\t'))
            return false;
    }
    return true;
}

/* Strings, booleans and numbers are header values; anything else makes the result malformed. */
static bool scalar_text(struct jval v, struct arena *a, struct str *ret)
{
    switch (jval_kind(v)) {
    case JSON_STRING:
        *ret = jval_text(v, a);
        break;
    case JSON_BOOL:
    case JSON_NUMBER:
        *ret = jval_raw(v);
        break;
    default:
        return false;
    }
    return is_header_value(*ret);
}

static void add_header(struct http_resp *resp, struct arena *a, struct str name, struct str value)
{
    if (str_case_eq(name, STR("Transfer-Encoding"))) /* framing is net's; AWS drops it too */
        return;
    if (is_remapped(name))
        name = arena_fmt(a, "x-amzn-Remapped-%.*s", STR_ARG(name));
    http_resp_add(resp, a, name, value);
}

/* More headers than any client takes (AWS: 10 KB of them; unverified: how it refuses more). */
enum { HEADERS_MAX = 500 };

/* multi's values come first; a pair that both have is sent once. */
static bool add_multi(struct jval multi, struct arena *a, struct http_resp *resp)
{
    struct jval it = {0};
    if (jval_kind(multi) != JSON_OBJECT)
        return !jval_present(multi);
    if (jval_count(multi) > HEADERS_MAX)
        return false;
    while (jval_next(multi, &it, NULL)) {
        struct jval item = {0};
        struct str name = jval_key_str(it, a), value;
        if (jval_kind(it) != JSON_ARRAY || !is_header_name(name))
            return false;
        while (jval_next(it, &item, NULL)) {
            if (!scalar_text(item, a, &value))
                return false;
            if (resp->header_count == HEADERS_MAX)
                return false;
            add_header(resp, a, name, value);
        }
    }
    return true;
}

/* The multi member of that name (case ignored), its casing in *name; MISSING if there is none. */
static struct jval same_in_multi(struct jval multi, struct arena *a, struct str *name)
{
    struct jval it = {0};
    if (jval_kind(multi) != JSON_OBJECT)
        return (struct jval){0};
    while (jval_next(multi, &it, NULL)) {
        struct str other = jval_key_str(it, a);
        if (str_case_eq(other, *name)) {
            *name = other;
            return it;
        }
    }
    return (struct jval){0};
}

static bool multi_has_value(struct jval values, struct arena *a, struct str value)
{
    struct jval item = {0};
    struct str other;
    if (jval_kind(values) != JSON_ARRAY)
        return false;
    while (jval_next(values, &item, NULL))
        if (scalar_text(item, a, &other) && str_eq(other, value))
            return true;
    return false;
}

static bool add_single(struct jval headers, struct jval multi, struct arena *a,
                       struct http_resp *resp)
{
    struct jval it = {0};
    if (jval_kind(headers) != JSON_OBJECT)
        return !jval_present(headers);
    if (jval_count(headers) > HEADERS_MAX)
        return false;
    while (jval_next(headers, &it, NULL)) {
        struct str name = jval_key_str(it, a), value;
        if (!is_header_name(name) || !scalar_text(it, a, &value))
            return false;
        struct jval same = same_in_multi(multi, a, &name);
        if (!multi_has_value(same, a, value))
            add_header(resp, a, name, value);
    }
    return true;
}

/* A number or a string of one; absent (unverified: or null) means 200. */
static bool read_status(struct jval v, struct arena *a, uint16_t *ret)
{
    int64_t status = 200;
    struct str text;
    if (jval_str(v, a, &text)) {
        if (!str_to_i64(str_trim(text), &status))
            return false;
    } else if (jval_present(v) && !jval_i64(v, &status)) {
        return false;
    }
    /* 1xx would not be a final response (unverified: what AWS answers then). */
    if (status < 200 || status > 599)
        return false;
    *ret = (uint16_t)status;
    return true;
}

static bool only_known_keys(struct jval root, struct arena *a)
{
    static const char *const known[] = {"statusCode", "headers", "multiValueHeaders", "body",
                                        "isBase64Encoded"};
    struct jval it = {0};
    while (jval_next(root, &it, NULL)) {
        struct str key = jval_key_str(it, a);
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && !str_eq_c(key, known[i]))
            i++;
        if (i == sizeof known / sizeof known[0])
            return false;
    }
    return true;
}

static bool has_content_type(const struct http_resp *resp)
{
    for (size_t i = 0; i < resp->header_count; i++)
        if (str_case_eq(resp->headers[i].name, STR("Content-Type")))
            return true;
    return false;
}

enum reply_map_result reply_map_v1(struct str payload, bool decode, struct str default_type,
                                   struct arena *a, struct http_resp *resp)
{
    struct http_resp made = {0};
    struct jval root;
    if (!json_parse(a, payload, JSON_DEPTH_DEFAULT, &root, NULL) ||
        jval_kind(root) != JSON_OBJECT || !only_known_keys(root, a))
        return REPLY_MALFORMED;
    struct jval multi = jval_get(root, "multiValueHeaders"), body = jval_get(root, "body");
    struct jval encoded = jval_get(root, "isBase64Encoded");
    if (!read_status(jval_get(root, "statusCode"), a, &made.status) ||
        !add_multi(multi, a, &made) || !add_single(jval_get(root, "headers"), multi, a, &made))
        return REPLY_MALFORMED;
    bool is_encoded = false;
    if ((jval_present(body) && !jval_str(body, a, &made.body)) ||
        (jval_present(encoded) && !jval_bool(encoded, &is_encoded)))
        return REPLY_MALFORMED;
    if (is_encoded && decode && made.body.n > 0 && !codec_base64_decode(a, made.body, &made.body))
        return REPLY_NOT_BASE64;
    if (!has_content_type(&made))
        http_resp_add(&made, a, STR("Content-Type"), default_type);
    *resp = made;
    return REPLY_OK;
}
