/* What AWS checks about a request's authentication, in its order and with its texts:
 * facts/reliability.md section 3 and facts/dynamodb.md 14, 15. The steps marked (strict) need keys
 * to make sense and are left out in lax mode. */
#include "sigv4.h"
#include "codec.h"
#include "hash.h"
#include <string.h>
#include <time.h>

#define CORAL "com.amazon.coral.service#"

/* The REST services' forms of the AWS_* kinds. unverified: 403 for all four. */
static const struct aws_err_kind rest_missing = {"MissingAuthenticationTokenException",
                                                 CORAL "MissingAuthenticationTokenException", 403,
                                                 false, NULL},
                                 rest_incomplete = {"IncompleteSignatureException",
                                                    CORAL "IncompleteSignatureException", 403,
                                                    false, NULL},
                                 rest_invalid = {"InvalidSignatureException",
                                                 CORAL "InvalidSignatureException", 403, false,
                                                 NULL},
                                 rest_unrecognized = {"UnrecognizedClientException",
                                                      CORAL "UnrecognizedClientException", 403,
                                                      false, NULL};

enum { EXPIRES_MAX_S = 604800, SIGNED_HEADERS_MAX = 256 };

struct auth { /* what the request says, from either place; p == NULL: absent */
    bool is_query_form;
    struct str header; /* Authorization, trimmed */
    struct str algorithm, credential, signed_headers, signature, token, expires;
    struct str sent_date;     /* as sent */
    bool date_is_http;        /* from the Date header, where the HTTP form is fine too */
    struct str date;          /* YYYYMMDDTHHMMSSZ */
    int64_t date_s;           /* seconds since 1970 */
    struct str scope_part[5]; /* key id, date, region, service, terminator */
    struct str scope;         /* the last four as sent */
};

struct check {
    const struct http_req *req;
    const struct sigv4_opts *opts;
    struct arena *a;
    struct aws_err *err;
    struct auth auth;
};

static const struct aws_err_kind *incomplete(const struct check *c)
{
    return c->opts->rest ? &rest_incomplete : &AWS_IncompleteSignatureException;
}

static const struct aws_err_kind *invalid(const struct check *c)
{
    return c->opts->rest ? &rest_invalid : &AWS_InvalidSignatureException;
}

static const struct aws_err_kind *unrecognized(const struct check *c)
{
    return c->opts->rest ? &rest_unrecognized : &AWS_UnrecognizedClientException;
}

/* Text of the client's for a message, which must be UTF-8. */
static struct str shown(struct check *c, struct str s)
{
    if (str_is_utf8(s))
        return s;
    char *out = arena_alloc_raw(c->a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = (char)((unsigned char)s.p[i] < 0x80 ? s.p[i] : '?');
    out[s.n] = '\0';
    return (struct str){out, s.n};
}

/* ---- reading the parts ------------------------------------------------------------------- */

static bool fail_missing(struct check *c)
{
    if (c->opts->rest) /* unverified: the REST front ends' shorter text */
        return aws_fail(c->err, c->a, &rest_missing, "Missing Authentication Token");
    return aws_fail(c->err, c->a, &AWS_MissingAuthenticationTokenException,
                    "Request is missing Authentication Token");
}

/* How much of s comes before the first c. */
static size_t before(struct str s, char c)
{
    ptrdiff_t at = str_find(s, c);
    return at < 0 ? s.n : (size_t)at;
}

/* Cuts off the next part: commas and blanks separate alike. */
static struct str next_part(struct str *rest)
{
    size_t from = 0;
    while (from < rest->n &&
           (rest->p[from] == ',' || rest->p[from] == ' ' || rest->p[from] == '\t'))
        from++;
    struct str part = str_sub(*rest, from, rest->n);
    part.n = before(part, ',');
    part.n = before(part, ' ');
    part.n = before(part, '\t');
    *rest = str_sub(*rest, from + part.n, rest->n);
    return part;
}

static bool read_header_form(struct check *c)
{
    struct auth *auth = &c->auth;
    struct str rest = auth->header, part;
    auth->algorithm = next_part(&rest);
    while (part = next_part(&rest), part.n > 0) {
        struct str value = part, name = str_cut(&value, '=');
        if (value.p == NULL)
            return aws_fail(c->err, c->a, incomplete(c),
                            "'%.*s' not a valid key=value pair (missing equal-sign) in "
                            "Authorization header: '%.*s'.",
                            STR_ARG(shown(c, part)), STR_ARG(shown(c, auth->header)));
        if (str_eq_c(name, "Credential"))
            auth->credential = value;
        else if (str_eq_c(name, "Signature"))
            auth->signature = value;
        else if (str_eq_c(name, "SignedHeaders"))
            auth->signed_headers = value;
    }
    auth->token = http_req_header(c->req, "X-Amz-Security-Token");
    auth->sent_date = http_req_header(c->req, "X-Amz-Date");
    if (auth->sent_date.p == NULL) {
        auth->sent_date = http_req_header(c->req, "Date");
        auth->date_is_http = true;
    }
    const char *credential = "", *signature = "", *headers = "", *date = "";
    if (auth->credential.n == 0)
        credential = "Authorization header requires 'Credential' parameter. ";
    if (auth->signature.n == 0)
        signature = "Authorization header requires 'Signature' parameter. ";
    if (auth->signed_headers.p == NULL) /* empty is fine here */
        headers = "Authorization header requires 'SignedHeaders' parameter. ";
    if (auth->sent_date.n == 0)
        date = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
               "header. ";
    if (*credential || *signature || *headers || *date)
        return aws_fail(c->err, c->a, incomplete(c), "%s%s%s%sAuthorization=%.*s", credential,
                        signature, headers, date, STR_ARG(shown(c, auth->header)));
    return true;
}

static bool read_query_form(struct check *c)
{
    struct auth *auth = &c->auth;
    const struct {
        const char *name;
        struct str *value;
    } needed[] = {
        {"X-Amz-Algorithm", &auth->algorithm}, {"X-Amz-Credential", &auth->credential},
        {"X-Amz-Signature", &auth->signature}, {"X-Amz-SignedHeaders", &auth->signed_headers},
        {"X-Amz-Date", &auth->sent_date},
    };
    struct buf *missing = arena_new_buf(c->a, 1024);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!http_req_query(c->req, c->a, needed[i].name, needed[i].value) ||
            needed[i].value->n == 0)
            buf_addf(missing, "AWS query-string parameters must include '%s'. ", needed[i].name);
    }
    if (missing->n > 0)
        return aws_fail(c->err, c->a, incomplete(c), "%.*sRe-examine the query-string parameters.",
                        STR_ARG(buf_view(missing)));
    http_req_query(c->req, c->a, "X-Amz-Security-Token", &auth->token);
    http_req_query(c->req, c->a, "X-Amz-Expires", &auth->expires);
    return true;
}

static bool read_iso_date(struct str text, struct tm *tm)
{
    static const char form[] = "dddddddd_dddddd";
    if (text.n != 16 || text.p[8] != 'T' || text.p[15] != 'Z')
        return false;
    int digit[16] = {0};
    for (size_t i = 0; i < 15; i++) {
        if (form[i] != 'd')
            continue;
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        digit[i] = text.p[i] - '0';
    }
    tm->tm_year = digit[0] * 1000 + digit[1] * 100 + digit[2] * 10 + digit[3] - 1900;
    tm->tm_mon = digit[4] * 10 + digit[5] - 1;
    tm->tm_mday = digit[6] * 10 + digit[7];
    tm->tm_hour = digit[9] * 10 + digit[10];
    tm->tm_min = digit[11] * 10 + digit[12];
    tm->tm_sec = digit[13] * 10 + digit[14];
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* "Sun, 30 Aug 2015 12:36:00 GMT": what botocore and others sign when they send Date. */
static bool read_http_date(struct check *c, struct str text, struct tm *tm)
{
    if (text.n == 0 || text.n > 64)
        return false;
    struct str copy = arena_str(c->a, text);
    const char *rest = strptime(copy.p, "%a, %d %b %Y %H:%M:%S ", tm);
    return rest != NULL && (strcmp(rest, "GMT") == 0 || strcmp(rest, "UTC") == 0 ||
                            strcmp(rest, "-0000") == 0 || strcmp(rest, "+0000") == 0);
}

static struct str iso_date(struct check *c, int64_t seconds)
{
    struct tm tm;
    char text[64];
    time_t t = (time_t)seconds;
    gmtime_r(&t, &tm);
    size_t n = strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &tm);
    return arena_str(c->a, (struct str){text, n});
}

static bool check_date(struct check *c)
{
    struct auth *auth = &c->auth;
    struct tm tm = {0};
    struct str text = str_trim(auth->sent_date);
    if (!read_iso_date(text, &tm) && !(auth->date_is_http && read_http_date(c, text, &tm)))
        return aws_fail(c->err, c->a, incomplete(c),
                        "Date must be in ISO-8601 'basic format'. Got '%.*s'. "
                        "See http://en.wikipedia.org/wiki/ISO_8601",
                        STR_ARG(shown(c, auth->sent_date)));
    if (c->opts->keys != NULL) { /* lax never looks at it: the time functions are slow */
        auth->date_s = timegm(&tm);
        auth->date = iso_date(c, auth->date_s);
    }
    return true;
}

static bool check_algorithm(struct check *c)
{
    if (str_eq_c(c->auth.algorithm, "AWS4-HMAC-SHA256"))
        return true;
    return aws_fail(c->err, c->a, incomplete(c),
                    "Unsupported AWS 'algorithm': '%.*s' (only AWS4-HMAC-SHA256 for now). ",
                    STR_ARG(shown(c, c->auth.algorithm)));
}

static bool check_credential(struct check *c)
{
    struct auth *auth = &c->auth;
    struct str text = auth->credential, rest;
    size_t count = 0;
    while (text.n > 0 && text.p[text.n - 1] == '/') /* trailing slashes are ignored */
        text.n--;
    rest = text;
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        if (count < 5)
            auth->scope_part[count] = part;
        count++;
    }
    if (count != 5)
        return aws_fail(c->err, c->a, incomplete(c),
                        "Credential must have exactly 5 slash-delimited elements, e.g. "
                        "keyid/date/region/service/term, got '%.*s'",
                        STR_ARG(shown(c, auth->credential)));
    auth->scope = str_sub(text, auth->scope_part[0].n + 1, text.n);
    return true;
}

/* ---- strict ------------------------------------------------------------------------------ */

static int64_t skew_minutes(const struct check *c)
{
    return str_starts(c->opts->service, STR("dynamodb")) ? 15 : 5;
}

static bool check_skew(struct check *c)
{
    const struct auth *auth = &c->auth;
    int64_t now = c->opts->now_ms / 1000, minutes = skew_minutes(c), window = minutes * 60;
    if (auth->expires.p != NULL) {
        int64_t expires;
        if (!str_to_i64(auth->expires, &expires) || expires < 1 || expires > EXPIRES_MAX_S)
            return aws_fail(c->err, c->a, incomplete(c), /* unverified: the text */
                            "X-Amz-Expires must be a number of seconds from 1 to 604800, not "
                            "'%.*s'",
                            STR_ARG(shown(c, auth->expires)));
        if (now > auth->date_s + expires) /* unverified: the text */
            return aws_fail(c->err, c->a, invalid(c),
                            "Signature expired: %.*s is now earlier than %.*s", STR_ARG(auth->date),
                            STR_ARG(iso_date(c, now - expires)));
    } else if (auth->date_s < now - window) {
        return aws_fail(c->err, c->a, invalid(c),
                        "Signature expired: %.*s is now earlier than %.*s (%.*s - %d min.)",
                        STR_ARG(auth->date), STR_ARG(iso_date(c, now - window)),
                        STR_ARG(iso_date(c, now)), (int)minutes);
    }
    if (auth->date_s > now + window)
        return aws_fail(c->err, c->a, invalid(c),
                        "Signature not yet current: %.*s is still later than %.*s (%.*s + %d min.)",
                        STR_ARG(auth->date), STR_ARG(iso_date(c, now + window)),
                        STR_ARG(iso_date(c, now)), (int)minutes);
    return true;
}

static bool is_signed(const struct auth *auth, const char *name)
{
    struct str rest = auth->signed_headers;
    while (rest.p != NULL) {
        if (str_case_eq(str_cut(&rest, ';'), str_c(name)))
            return true;
    }
    return false;
}

static bool check_signed_headers(struct check *c)
{
    size_t count = 1;
    for (size_t i = 0; i < c->auth.signed_headers.n; i++)
        count += c->auth.signed_headers.p[i] == ';';
    if (count > SIGNED_HEADERS_MAX)
        return aws_fail(c->err, c->a, incomplete(c), "Too many 'SignedHeaders'."); /* ours */
    if (!is_signed(&c->auth, "host"))
        return aws_fail(c->err, c->a, invalid(c),
                        "'Host' must be a 'SignedHeader' in the AWS Authorization.");
    /* The target says which operation runs: unsigned, a signature could be used for another one.
     * unverified: the text */
    if (http_req_header(c->req, "X-Amz-Target").p != NULL && !is_signed(&c->auth, "x-amz-target"))
        return aws_fail(c->err, c->a, invalid(c),
                        "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
    return true;
}

static bool check_scope(struct check *c)
{
    const struct auth *auth = &c->auth;
    const struct str date = auth->scope_part[1], region = auth->scope_part[2],
                     service = auth->scope_part[3], term = auth->scope_part[4],
                     day = str_sub(auth->date, 0, 8);
    struct str part[4] = {STR(""), STR(""), STR(""), STR("")};
    if (region.n == 0 || (c->opts->region.n > 0 && !str_eq(region, c->opts->region)))
        part[0] = arena_fmt(c->a, "Credential should be scoped to a valid region, not '%.*s'. ",
                            STR_ARG(shown(c, region)));
    if (c->opts->service.n > 0 && !str_eq(service, c->opts->service))
        part[1] = arena_fmt(c->a, "Credential should be scoped to correct service: '%.*s'. ",
                            STR_ARG(c->opts->service));
    if (!str_eq_c(term, "aws4_request"))
        part[2] = arena_fmt(c->a,
                            "Credential should be scoped with a valid terminator: 'aws4_request', "
                            "not '%.*s'. ",
                            STR_ARG(shown(c, term)));
    if (!str_eq(date, day))
        part[3] = arena_fmt(c->a,
                            "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                            "version of date from HTTP: '%.*s' != '%.*s', from '%.*s'.",
                            STR_ARG(shown(c, date)), STR_ARG(day), STR_ARG(auth->date));
    if (part[0].n + part[1].n + part[2].n + part[3].n == 0)
        return true;
    return aws_fail(c->err, c->a, invalid(c), "%.*s%.*s%.*s%.*s", STR_ARG(part[0]),
                    STR_ARG(part[1]), STR_ARG(part[2]), STR_ARG(part[3]));
}

/* A key without a secret can sign nothing. */
static const struct sigv4_key *find_key(const struct check *c)
{
    for (size_t i = 0; i < c->opts->keys->count; i++) {
        const struct sigv4_key *key = &c->opts->keys->keys[i];
        if (key->secret_key.n > 0 && str_eq(key->access_key, c->auth.scope_part[0]))
            return key;
    }
    return NULL;
}

static struct str payload_hash(const struct check *c)
{
    struct str declared = http_req_header(c->req, "X-Amz-Content-Sha256");
    if (c->opts->unsigned_payload_ok) { /* S3 */
        if (declared.p == NULL && c->auth.is_query_form)
            return STR("UNSIGNED-PAYLOAD");
        if (str_eq_c(declared, "UNSIGNED-PAYLOAD") || str_starts(declared, STR("STREAMING-")))
            return declared;
    }
    uint8_t digest[32];
    hash_sha256(c->req->body, digest);
    return codec_hex(c->a, (struct str){(const char *)digest, sizeof digest});
}

static bool check_signature(struct check *c, const struct sigv4_key *key)
{
    const struct auth *auth = &c->auth;
    struct sigv4_opts opts = *c->opts;
    struct str hash = payload_hash(c), canonical[2], to_sign[2];
    /* A presigned URL's token may have been added after signing. It needs no protection: it is
     * compared with the key's own. */
    int ways = auth->is_query_form && auth->token.p != NULL ? 2 : 1;
    for (int i = 0; i < ways; i++) {
        opts.token_unsigned = i == 1;
        canonical[i] = sigv4_canonical_request(c->req, &opts, auth->signed_headers, hash,
                                               auth->is_query_form, c->a);
        to_sign[i] = sigv4_string_to_sign(canonical[i], auth->date, auth->scope, c->a);
        if (hash_equal(sigv4_signature(key->secret_key, auth->scope, to_sign[i], c->a),
                       auth->signature))
            return true;
    }
    return aws_fail(c->err, c->a, invalid(c),
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your AWS Secret Access Key and signing method. Consult the "
                    "service documentation for details.\n\nThe Canonical String for this request "
                    "should have been\n'%.*s'\n\nThe String-to-Sign should have been\n'%.*s'\n",
                    STR_ARG(shown(c, canonical[0])), STR_ARG(shown(c, to_sign[0])));
}

static bool check_strict(struct check *c)
{
    if (!check_skew(c) || !check_signed_headers(c))
        return false;
    if (!check_algorithm(c) || !check_credential(c) || !check_scope(c))
        return false;
    const struct sigv4_key *key = find_key(c);
    if (key == NULL || (key->session_token.n > 0 && c->auth.token.n == 0))
        return aws_fail(c->err, c->a, unrecognized(c),
                        "The security token included in the request is invalid.");
    if (!check_signature(c, key))
        return false;
    if (!hash_equal(key->session_token, c->auth.token)) /* no full stop here */
        return aws_fail(c->err, c->a, unrecognized(c),
                        "The security token included in the request is invalid");
    return true;
}

bool sigv4_check(const struct http_req *req, const struct sigv4_opts *opts, struct arena *a,
                 struct aws_err *err)
{
    struct check c = {.req = req, .opts = opts, .a = a, .err = err};
    struct str unused;
    bool in_query = req->query.p != NULL && http_req_query(req, a, "X-Amz-Algorithm", &unused);
    c.auth.header = str_trim(http_req_header(req, "Authorization"));
    if (c.auth.header.n > 0 && in_query)
        return aws_fail(err, a, invalid(&c),
                        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' "
                        "as HTTP header.");
    if (!in_query && !str_starts(c.auth.header, STR("AWS4-")))
        return fail_missing(&c);
    c.auth.is_query_form = in_query;
    if (!(in_query ? read_query_form(&c) : read_header_form(&c)) || !check_date(&c))
        return false;
    if (opts->keys != NULL)
        return check_strict(&c);
    return check_algorithm(&c) && check_credential(&c);
}
