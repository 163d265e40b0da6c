/* links: puddle_aws */
/* The order of AWS's checks and their texts (facts/reliability.md section 3). */
#include "codec.h"
#include "harness.h"
#include "hash.h"
#include "sigv4.h"
#include "sigv4_request.h"

static const int64_t NOW_MS = 1782820800000; /* 2026-06-30T12:00:00Z */
#define NOW     "20260630T120000Z"
#define SCOPE   "20260630/us-east-1/dynamodb/aws4_request"
#define MISSING "Request is missing Authentication Token"

struct world {
    struct arena *a;
    struct http_req req;
    struct sigv4_key keys[3];
    struct sigv4_keys list;
    struct sigv4_opts opts;
    struct aws_err err;
};

static void start(struct world *w, bool strict)
{
    *w = (struct world){.a = arena_new(0, SIZE_MAX)};
    w->keys[0] = (struct sigv4_key){STR("AKIDONE"), STR("secret one"), STR("")};
    w->keys[1] = (struct sigv4_key){STR("ASIATWO"), STR("secret two"), STR("the/token+==")};
    w->keys[2] = (struct sigv4_key){STR("AKIDEMPTY"), STR(""), STR("")};
    w->list = (struct sigv4_keys){w->keys, 3};
    w->opts = (struct sigv4_opts){.keys = strict ? &w->list : NULL,
                                  .service = STR("dynamodb"),
                                  .region = STR("us-east-1"),
                                  .now_ms = NOW_MS,
                                  .normalize_path = true};
    w->req.method = STR("POST");
    w->req.body = STR("{\"a\":1}");
    request_set_target(&w->req, STR("/"));
    request_add_header(&w->req, w->a, STR("Host"), STR("localhost:4566"));
}

static void add(struct world *w, const char *name, const char *value)
{
    request_add_header(&w->req, w->a, str_c(name), str_c(value));
}

static struct str body_hash(struct world *w)
{
    uint8_t digest[32];
    hash_sha256(w->req.body, digest);
    return codec_hex(w->a, (struct str){(const char *)digest, 32});
}

/* Adds a right Authorization header for what the request is now. */
static void sign(struct world *w, const char *access_key, const char *secret, const char *date,
                 const char *scope, const char *signed_headers)
{
    struct str canonical = sigv4_canonical_request(&w->req, &w->opts, str_c(signed_headers),
                                                   body_hash(w), false, w->a);
    struct str to_sign = sigv4_string_to_sign(canonical, str_c(date), str_c(scope), w->a);
    struct str signature = sigv4_signature(str_c(secret), str_c(scope), to_sign, w->a);
    add(w, "Authorization",
        arena_fmt(w->a, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%.*s",
                  access_key, scope, signed_headers, STR_ARG(signature))
            .p);
}

/* Presigned: the same for the query form. */
static void presign(struct world *w, const char *date, const char *expires, const char *extra)
{
    struct str scope = arena_fmt(w->a, "%.8s/us-east-1/dynamodb/aws4_request", date);
    struct str query = arena_fmt(
        w->a,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDONE%%2F%.8s%%2Fus-east-1%%2F"
        "dynamodb%%2Faws4_request&X-Amz-Date=%s%s%s&X-Amz-SignedHeaders=host%s",
        date, date, *expires ? "&X-Amz-Expires=" : "", expires, extra);
    request_set_target(&w->req, arena_fmt(w->a, "/?%.*s", STR_ARG(query)));
    struct str canonical =
        sigv4_canonical_request(&w->req, &w->opts, STR("host"), body_hash(w), true, w->a);
    struct str to_sign = sigv4_string_to_sign(canonical, str_c(date), scope, w->a);
    struct str signature = sigv4_signature(STR("secret one"), scope, to_sign, w->a);
    request_set_target(&w->req, arena_fmt(w->a, "/?%.*s&X-Amz-Signature=%.*s", STR_ARG(query),
                                          STR_ARG(signature)));
}

static bool run(struct world *w)
{
    return sigv4_check(&w->req, &w->opts, w->a, &w->err);
}

/* The check refuses with this kind and text. */
#define CHECK_REFUSED(w, code_, text)                                                              \
    do {                                                                                           \
        CHECK(!run(w));                                                                            \
        CHECK_STR(str_c((w)->err.kind->code), code_);                                              \
        CHECK_STR((w)->err.message, text);                                                         \
        arena_free((w)->a);                                                                        \
    } while (0)

#define INCOMPLETE   "IncompleteSignatureException"
#define INVALID      "InvalidSignatureException"
#define UNRECOGNIZED "UnrecognizedClientException"

TEST(no_authorization_is_refused_in_both_modes)
{
    for (int strict = 0; strict < 2; strict++) {
        struct world w;
        start(&w, strict);
        CHECK_REFUSED(&w, "MissingAuthenticationTokenException", MISSING);
    }
}

TEST(authorization_that_does_not_begin_with_aws4_dash_is_missing)
{
    const char *values[] = {"AWS4", "Basic Zm9vOmJhcg==", "", "aws4-hmac-sha256 Credential=a"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct world w;
        start(&w, false);
        add(&w, "Authorization", values[i]);
        CHECK_REFUSED(&w, "MissingAuthenticationTokenException", MISSING);
    }
}

TEST(rest_services_refuse_with_403)
{
    struct world w;
    start(&w, false);
    w.opts.rest = true;
    CHECK(!run(&w));
    CHECK_I64(w.err.kind->http_status, 403);
    CHECK_STR(str_c(w.err.kind->code), "MissingAuthenticationTokenException");
    arena_free(w.a);
    start(&w, false);
    CHECK(!run(&w));
    CHECK_I64(w.err.kind->http_status, 400);
    arena_free(w.a);
}

TEST(header_and_query_together_come_first_of_all)
{
    struct world w;
    start(&w, true);
    request_set_target(&w.req, STR("/?X-Amz-Algorithm=x"));
    add(&w, "Authorization", "nonsense");
    CHECK_REFUSED(&w, INVALID,
                  "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as "
                  "HTTP header.");
}

TEST(bare_prefix_names_every_missing_part)
{
    struct world w;
    start(&w, false);
    add(&w, "Authorization", "AWS4-");
    CHECK_REFUSED(&w, INCOMPLETE,
                  "Authorization header requires 'Credential' parameter. Authorization header "
                  "requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
                  "parameter. Authorization header requires existence of either a 'X-Amz-Date' or "
                  "a 'Date' header. Authorization=AWS4-");
}

TEST(each_missing_part_is_named_alone)
{
    static const char *const cases[][2] = {
        {"AWS4-HMAC-SHA256 SignedHeaders=host, Signature=b",
         "Authorization header requires 'Credential' parameter. "},
        {"AWS4-HMAC-SHA256 Credential=a/" SCOPE ", SignedHeaders=host",
         "Authorization header requires 'Signature' parameter. "},
        {"AWS4-HMAC-SHA256 Credential=a/" SCOPE ", Signature=b",
         "Authorization header requires 'SignedHeaders' parameter. "},
    };
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        start(&w, false);
        add(&w, "X-Amz-Date", NOW);
        add(&w, "Authorization", cases[i][0]);
        struct str want = arena_fmt(w.a, "%sAuthorization=%s", cases[i][1], cases[i][0]);
        CHECK(!run(&w));
        CHECK_STR(str_c(w.err.kind->code), INCOMPLETE);
        CHECK_STR(w.err.message, want.p);
        arena_free(w.a);
    }
}

TEST(part_without_equal_sign_is_named)
{
    struct world w;
    start(&w, false);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "Authorization", "AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders");
    CHECK_REFUSED(&w, INCOMPLETE,
                  "'Credential' not a valid key=value pair (missing equal-sign) in Authorization "
                  "header: 'AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders'.");
}

TEST(query_form_names_every_missing_parameter)
{
    struct world w;
    start(&w, false);
    request_set_target(&w.req, STR("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature="));
    CHECK_REFUSED(&w, INCOMPLETE,
                  "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string "
                  "parameters must include 'X-Amz-Signature'. AWS query-string parameters must "
                  "include 'X-Amz-SignedHeaders'. AWS query-string parameters must include "
                  "'X-Amz-Date'. Re-examine the query-string parameters.");
}

TEST(unreadable_date_is_refused_in_both_modes)
{
    const char *dates[] = {"201",
                           "2026-06-30T12:00:00Z",
                           "20261330T120000Z",
                           "20260630T240000Z",
                           "20260630T120000",
                           "Tue, 30 Jun 2026 12:00:00 GMT" /* only Date may have this form */};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        struct world w;
        start(&w, i % 2 == 0);
        add(&w, "X-Amz-Date", dates[i]);
        add(&w, "Authorization",
            "AWS4-HMAC-SHA256 Credential=a/" SCOPE ", SignedHeaders=host, Signature=b");
        struct str want = arena_fmt(w.a,
                                    "Date must be in ISO-8601 'basic format'. Got '%s'. See "
                                    "http://en.wikipedia.org/wiki/ISO_8601",
                                    dates[i]);
        CHECK(!run(&w));
        CHECK_STR(str_c(w.err.kind->code), INCOMPLETE);
        CHECK_STR(w.err.message, want.p);
        arena_free(w.a);
    }
}

TEST(lax_takes_any_key_signature_scope_and_time)
{
    struct world w;
    start(&w, false);
    add(&w, "X-Amz-Date", "20010101T000000Z");
    add(&w, "Authorization",
        "AWS4-HMAC-SHA256 Credential=any/1/mars-1/thing/x, SignedHeaders=, Signature=no");
    CHECK(run(&w));
    arena_free(w.a);
    start(&w, false);
    request_set_target(&w.req,
                       STR("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb%2Fc%2Fd%2Fe"
                           "&X-Amz-Signature=x&X-Amz-SignedHeaders=y&X-Amz-Date=20010101T000000Z"));
    CHECK(run(&w));
    arena_free(w.a);
}

TEST(commas_without_blanks_and_blanks_without_commas_are_fine)
{
    const char *values[] = {
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e SignedHeaders=host Signature=x",
        "  AWS4-HMAC-SHA256   Signature=x ,,  SignedHeaders=host,  Credential=a/b/c/d/e/  ",
    };
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        start(&w, false);
        add(&w, "x-amz-date", NOW);
        add(&w, "authorization", values[i]);
        CHECK(run(&w));
        arena_free(w.a);
    }
}

TEST(other_algorithm_is_refused_in_both_modes)
{
    for (int strict = 0; strict < 2; strict++) {
        struct world w;
        start(&w, strict);
        add(&w, "X-Amz-Date", NOW);
        add(&w, "Authorization",
            "AWS4-HMAC-SHA25 Credential=a/" SCOPE ", SignedHeaders=host, Signature=b");
        CHECK_REFUSED(&w, INCOMPLETE,
                      "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for "
                      "now). ");
    }
}

TEST(credential_must_have_five_parts)
{
    const char *values[] = {"a/b/c/d", "a", "a/b/c/d/e/f", "/"};
    for (size_t i = 0; i < 4; i++) {
        struct world w;
        start(&w, i % 2 == 0);
        add(&w, "X-Amz-Date", NOW);
        add(&w, "Authorization",
            arena_fmt(w.a, "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=b",
                      values[i])
                .p);
        struct str want = arena_fmt(w.a,
                                    "Credential must have exactly 5 slash-delimited elements, "
                                    "e.g. keyid/date/region/service/term, got '%s'",
                                    values[i]);
        CHECK(!run(&w));
        CHECK_STR(str_c(w.err.kind->code), INCOMPLETE);
        CHECK_STR(w.err.message, want.p);
        arena_free(w.a);
    }
}

TEST(strict_takes_a_right_signature)
{
    struct world w;
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "host;x-amz-date");
    CHECK(run(&w));
    arena_free(w.a);
}

TEST(strict_takes_the_date_header_in_http_form)
{
    struct world w;
    start(&w, true);
    add(&w, "Date", "Tue, 30 Jun 2026 12:00:00 -0000");
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "date;host");
    CHECK(run(&w));
    arena_free(w.a);
}

TEST(skew_is_fifteen_minutes_for_dynamodb_at_and_past_the_limit)
{
    static const struct {
        const char *date;
        const char *refused;
    } cases[] = {
        {"20260630T114500Z", NULL},
        {"20260630T114459Z", "Signature expired: 20260630T114459Z is now earlier than "
                             "20260630T114500Z (20260630T120000Z - 15 min.)"},
        {"20260630T121500Z", NULL},
        {"20260630T121501Z", "Signature not yet current: 20260630T121501Z is still later than "
                             "20260630T121500Z (20260630T120000Z + 15 min.)"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct world w;
        start(&w, true);
        add(&w, "X-Amz-Date", cases[i].date);
        sign(&w, "AKIDONE", "secret one", cases[i].date, SCOPE, "host;x-amz-date");
        if (cases[i].refused != NULL) {
            CHECK_REFUSED(&w, INVALID, cases[i].refused);
            continue;
        }
        CHECK(run(&w));
        arena_free(w.a);
    }
}

TEST(skew_is_five_minutes_elsewhere)
{
    struct world w;
    start(&w, true);
    w.opts.service = STR("lambda");
    w.opts.rest = true;
    add(&w, "X-Amz-Date", "20260630T115459Z");
    sign(&w, "AKIDONE", "secret one", "20260630T115459Z", "20260630/us-east-1/lambda/aws4_request",
         "host;x-amz-date");
    CHECK_REFUSED(&w, INVALID,
                  "Signature expired: 20260630T115459Z is now earlier than 20260630T115500Z "
                  "(20260630T120000Z - 5 min.)");
}

TEST(host_must_be_signed_and_so_must_the_target)
{
    struct world w;
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "x-amz-date");
    CHECK_REFUSED(&w, INVALID, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "X-Amz-Target", "DynamoDB_20120810.GetItem");
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "host;x-amz-date");
    CHECK_REFUSED(&w, INVALID, "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(wrong_scope_names_every_wrong_part)
{
    struct world w;
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "AKIDONE", "secret one", NOW, "b/c/d/e", "host;x-amz-date");
    CHECK_REFUSED(&w, INVALID,
                  "Credential should be scoped to a valid region, not 'c'. Credential should be "
                  "scoped to correct service: 'dynamodb'. Credential should be scoped with a "
                  "valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not "
                  "match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20260630', "
                  "from '20260630T120000Z'.");
}

TEST(unknown_key_and_key_without_secret_are_refused)
{
    const char *keys[] = {"AKIDNOBODY", "", "akidone", "AKIDEMPTY"};
    for (size_t i = 0; i < 4; i++) {
        struct world w;
        start(&w, true);
        add(&w, "X-Amz-Date", NOW);
        sign(&w, keys[i], "", NOW, SCOPE, "host;x-amz-date");
        CHECK_REFUSED(&w, UNRECOGNIZED, "The security token included in the request is invalid.");
    }
}

TEST(wrong_signature_shows_canonical_request_and_string_to_sign)
{
    struct world w;
    start(&w, true);
    w.req.body = STR("");
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "AKIDONE", "another secret", NOW, SCOPE, "host;x-amz-date");
    CHECK_REFUSED(
        &w, INVALID,
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:"
        "localhost:4566\nx-amz-date:" NOW "\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-"
        "SHA256\n" NOW "\n" SCOPE "\n"
        "2a77b4a405ee4cac92b7cca58e3cb8166ac1550223af4171bdcf29c292ee354a'\n");
}

TEST(signature_of_another_length_or_case_is_refused)
{
    for (int i = 0; i < 3; i++) {
        struct world w;
        start(&w, true);
        add(&w, "X-Amz-Date", NOW);
        sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "host;x-amz-date");
        struct http_header *last = &w.req.headers[w.req.header_count - 1];
        if (i == 0)
            last->value.n--;
        else if (i == 1)
            last->value = arena_fmt(w.a, "%.*s0", STR_ARG(last->value));
        else
            for (size_t k = last->value.n - 64; k < last->value.n; k++)
                ((char *)last->value.p)[k] &= (char)(last->value.p[k] >= 'a' ? ~32 : ~0);
        CHECK(!run(&w));
        CHECK_STR(str_c(w.err.kind->code), INVALID);
        arena_free(w.a);
    }
}

TEST(session_token_must_be_there_and_right)
{
    struct world w;
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "X-Amz-Security-Token", "the/token+==");
    sign(&w, "ASIATWO", "secret two", NOW, SCOPE, "host;x-amz-date;x-amz-security-token");
    CHECK(run(&w));
    arena_free(w.a);
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "ASIATWO", "secret two", NOW, SCOPE, "host;x-amz-date");
    CHECK_REFUSED(&w, UNRECOGNIZED, "The security token included in the request is invalid.");
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "X-Amz-Security-Token", "another");
    sign(&w, "ASIATWO", "secret two", NOW, SCOPE, "host;x-amz-date;x-amz-security-token");
    CHECK_REFUSED(&w, UNRECOGNIZED, "The security token included in the request is invalid");
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "X-Amz-Security-Token", "one too many");
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "host;x-amz-date;x-amz-security-token");
    CHECK_REFUSED(&w, UNRECOGNIZED, "The security token included in the request is invalid");
}

TEST(presigned_url_lives_as_long_as_it_says)
{
    static const struct {
        const char *date, *expires;
        bool fine;
    } cases[] = {
        {"20260630T110000Z", "3600", true},
        {"20260630T110000Z", "3599", false},
        {"20260623T120000Z", "604800", true},
        {"20260630T120000Z", "604801", false},
        {"20260630T120000Z", "0", false},
        {"20260630T120000Z", "-1", false},
        {"20260630T120000Z", "1e3", false},
        {"20260630T120000Z", "", true},
        {"20260630T114459Z", "", false},
        {"20260630T121501Z", "3600", false},
        {"20260630T120000Z", "99999999999999999999", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        start(&w, true);
        presign(&w, cases[i].date, cases[i].expires, "");
        bool ok = run(&w);
        if (ok != cases[i].fine)
            test_fail(__FILE__, __LINE__, "%s + %s: %s %.*s", cases[i].date, cases[i].expires,
                      ok ? "accepted" : "refused", STR_ARG(w.err.message));
        arena_free(w.a);
    }
}

TEST(query_order_and_repeats_do_not_matter_but_content_does)
{
    struct world w;
    start(&w, true);
    request_set_target(&w.req, STR("/p?b=2&a=1&b=1&c"));
    add(&w, "X-Amz-Date", NOW);
    sign(&w, "AKIDONE", "secret one", NOW, SCOPE, "host;x-amz-date");
    request_set_target(&w.req, STR("/p?c=&b=1&a=1&&b=2"));
    CHECK(run(&w));
    request_set_target(&w.req, STR("/p?c=&b=1&a=1"));
    CHECK(!run(&w));
    arena_free(w.a);
}

TEST(repeated_headers_are_joined_in_order)
{
    struct world w;
    start(&w, true);
    add(&w, "My-Header", "one");
    add(&w, "my-header", "  two   words ");
    struct str canonical =
        sigv4_canonical_request(&w.req, &w.opts, STR("My-Header;HOST"), STR("hash"), false, w.a);
    CHECK_STR(canonical, "POST\n/\n\nhost:localhost:4566\nmy-header:one,two words\n\n"
                         "host;my-header\nhash");
    arena_free(w.a);
}

TEST(paths_are_encoded_again_unless_the_service_is_s3)
{
    struct world w;
    start(&w, true);
    request_set_target(&w.req, STR("/a%2Fb/../c%20d//e"));
    CHECK_STR(sigv4_canonical_request(&w.req, &w.opts, STR("host"), STR("h"), false, w.a),
              "POST\n/c%2520d/e\n\nhost:localhost:4566\n\nhost\nh");
    w.opts.normalize_path = false;
    w.opts.single_encode_path = true;
    CHECK_STR(sigv4_canonical_request(&w.req, &w.opts, STR("host"), STR("h"), false, w.a),
              "POST\n/a%2Fb/../c%20d//e\n\nhost:localhost:4566\n\nhost\nh");
    arena_free(w.a);
}

TEST(unsigned_payload_is_only_for_those_who_allow_it)
{
    for (int allowed = 0; allowed < 2; allowed++) {
        struct world w;
        start(&w, true);
        w.opts.unsigned_payload_ok = allowed;
        add(&w, "X-Amz-Date", NOW);
        add(&w, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
        struct str canonical =
            sigv4_canonical_request(&w.req, &w.opts, STR("host;x-amz-content-sha256;x-amz-date"),
                                    STR("UNSIGNED-PAYLOAD"), false, w.a);
        struct str to_sign = sigv4_string_to_sign(canonical, STR(NOW), STR(SCOPE), w.a);
        struct str signature = sigv4_signature(STR("secret one"), STR(SCOPE), to_sign, w.a);
        add(&w, "Authorization",
            arena_fmt(w.a,
                      "AWS4-HMAC-SHA256 Credential=AKIDONE/" SCOPE
                      ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=%.*s",
                      STR_ARG(signature))
                .p);
        CHECK(run(&w) == (allowed == 1));
        arena_free(w.a);
    }
}

TEST(bytes_that_are_not_text_give_a_message_that_is)
{
    struct world w;
    start(&w, false);
    add(&w, "Authorization", "AWS4-\xff\xfe Credential=\x80");
    CHECK(!run(&w));
    CHECK(str_is_utf8(w.err.message));
    arena_free(w.a);
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    add(&w, "Authorization",
        "AWS4-HMAC-SHA256 Credential=\xc3/\xff/\xfe/\xfd/\xfc, SignedHeaders=host, Signature=\xff");
    CHECK(!run(&w));
    CHECK(str_is_utf8(w.err.message));
    arena_free(w.a);
}

TEST(thousands_of_signed_headers_are_refused_not_worked_through)
{
    struct world w;
    start(&w, true);
    add(&w, "X-Amz-Date", NOW);
    char *list = arena_alloc_raw(w.a, 20001);
    for (size_t i = 0; i < 20000; i++)
        list[i] = i % 2 ? ';' : 'a';
    list[20000] = '\0';
    add(&w, "Authorization",
        arena_fmt(w.a,
                  "AWS4-HMAC-SHA256 Credential=AKIDONE/" SCOPE ", SignedHeaders=%s, Signature=0",
                  list)
            .p);
    CHECK(!run(&w));
    CHECK_STR(str_c(w.err.kind->code), INCOMPLETE);
    arena_free(w.a);
}

TEST(signing_keys_are_told_apart_when_more_are_used_than_remembered)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str first[20];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            struct str secret = arena_fmt(a, "secret %d", i / 2);
            struct str scope = arena_fmt(a, "2026063%d/us-east-1/dynamodb/aws4_request", i % 2);
            struct str signature = sigv4_signature(secret, scope, STR("x"), a);
            if (round == 0)
                first[i] = signature;
            CHECK(str_eq(signature, first[i]));
            for (int k = 0; k < i && round == 0; k++)
                CHECK(!str_eq(first[k], signature));
        }
    }
    arena_free(a);
}
