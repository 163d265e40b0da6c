/* links: puddle_aws */
/* AWS's published signing vectors, read where they lie (not copied): PUDDLE_SIGV4_VECTORS, or
 * ../shared/sigv4 beside the repository. Every folder holds one request signed twice: by headers
 * and by query. */
#include "codec.h"
#include "file.h"
#include "harness.h"
#include "json.h"
#include "sigv4.h"
#include "sigv4_request.h"
#include <dirent.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20, VECTORS = 38 };
static const int64_t SIGNED_AT_MS = 1440938160000; /* 2015-08-30T12:36:00Z, in every context */

static const char *folder(void)
{
    const char *path = getenv("PUDDLE_SIGV4_VECTORS");
    return path != NULL ? path : "../shared/sigv4";
}

struct vector {
    struct arena *a;
    const char *name;
    struct str access_key, secret, token, region, service;
    bool normalize, omit_token;
};

static bool read_part(const struct vector *v, const char *file, struct str *ret)
{
    struct str path = arena_fmt(v->a, "%s/%s/%s", folder(), v->name, file);
    if (file_read(v->a, path.p, FILE_MAX, ret) == 0)
        return true;
    test_fail(__FILE__, __LINE__, "%s cannot be read", path.p);
    return false;
}

static bool read_context(struct vector *v)
{
    struct str text;
    struct jval root;
    if (!read_part(v, "context.json", &text) ||
        !json_parse(v->a, text, JSON_DEPTH_DEFAULT, &root, NULL))
        return false;
    struct jval credentials = jval_get(root, "credentials");
    v->access_key = jval_text(jval_get(credentials, "access_key_id"), v->a);
    v->secret = jval_text(jval_get(credentials, "secret_access_key"), v->a);
    v->token = jval_text(jval_get(credentials, "token"), v->a);
    v->region = jval_text(jval_get(root, "region"), v->a);
    v->service = jval_text(jval_get(root, "service"), v->a);
    jval_bool(jval_get(root, "omit_session_token"), &v->omit_token);
    return jval_bool(jval_get(root, "normalize"), &v->normalize);
}

/* Runs fn for every vector; skips the test when there are none. */
static void each_vector(void (*fn)(struct vector *v, const char *form), const char *form)
{
    DIR *dir = opendir(folder());
    if (dir == NULL)
        test_skip("%s is not there (AWS's signing vectors)", folder());
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct vector v = {.a = arena_new(0, SIZE_MAX), .name = entry->d_name};
        struct str probe = arena_fmt(v.a, "%s/%s/context.json", folder(), entry->d_name);
        FILE *file = fopen(probe.p, "r");
        if (file != NULL) {
            fclose(file);
            count++;
            if (read_context(&v))
                fn(&v, form);
            else
                test_fail(__FILE__, __LINE__, "%s: bad context.json", v.name);
        }
        arena_free(v.a);
    }
    closedir(dir);
    if (count != VECTORS)
        test_fail(__FILE__, __LINE__, "%d vectors in %s, want %d", count, folder(), VECTORS);
}

static bool read_signed(struct vector *v, const char *form, struct http_req *req)
{
    struct str name = arena_fmt(v->a, "%s-signed-request.txt", form), text;
    if (!read_part(v, name.p, &text))
        return false;
    if (request_read(text, v->a, req))
        return true;
    test_fail(__FILE__, __LINE__, "%s: %s is not a request", v->name, name.p);
    return false;
}

static struct sigv4_opts options(struct vector *v)
{
    struct sigv4_key *key = ARENA_NEW(v->a, struct sigv4_key);
    struct sigv4_keys *keys = ARENA_NEW(v->a, struct sigv4_keys);
    *key = (struct sigv4_key){v->access_key, v->secret, v->token};
    *keys = (struct sigv4_keys){key, 1};
    return (struct sigv4_opts){.keys = keys,
                               .service = v->service,
                               .region = v->region,
                               .now_ms = SIGNED_AT_MS,
                               .normalize_path = v->normalize,
                               .token_unsigned = v->omit_token};
}

static struct str signed_headers_of(struct vector *v, const struct http_req *req, bool in_query)
{
    struct str list = STR("");
    if (in_query) {
        http_req_query(req, v->a, "X-Amz-SignedHeaders", &list);
        return list;
    }
    struct str header = http_req_header(req, "Authorization");
    ptrdiff_t at = str_find_str(header, STR("SignedHeaders="));
    list = str_sub(header, (size_t)at + 14, header.n);
    return str_cut(&list, ',');
}

#define SAME(v, form, got, file)                                                                   \
    do {                                                                                           \
        struct str want_, got_ = (got), name_ = arena_fmt((v)->a, "%s-" file, form);               \
        if (read_part(v, name_.p, &want_) && !str_eq(got_, want_))                                 \
            test_fail(__FILE__, __LINE__, "%s/%s:\n    got  %.*s\n    want %.*s", (v)->name,       \
                      name_.p, STR_ARG(got_), STR_ARG(want_));                                     \
    } while (0)

static void check_parts(struct vector *v, const char *form)
{
    struct http_req req;
    struct sigv4_opts opts = options(v);
    bool in_query = strcmp(form, "query") == 0;
    if (!read_signed(v, form, &req))
        return;
    struct str declared = http_req_header(&req, "x-amz-content-sha256"), hash = declared;
    if (declared.p == NULL || in_query) { /* the last line of the expected canonical request */
        struct str name = arena_fmt(v->a, "%s-canonical-request.txt", form), text;
        if (!read_part(v, name.p, &text))
            return;
        hash = str_sub(text, (size_t)str_rfind(text, '\n') + 1, text.n);
    }
    struct str canonical = sigv4_canonical_request(
        &req, &opts, signed_headers_of(v, &req, in_query), hash, in_query, v->a);
    SAME(v, form, canonical, "canonical-request.txt");
    struct str scope =
        arena_fmt(v->a, "20150830/%.*s/%.*s/aws4_request", STR_ARG(v->region), STR_ARG(v->service));
    struct str to_sign = sigv4_string_to_sign(canonical, STR("20150830T123600Z"), scope, v->a);
    SAME(v, form, to_sign, "string-to-sign.txt");
    SAME(v, form, sigv4_signature(v->secret, scope, to_sign, v->a), "signature.txt");
}

static void check_accepted(struct vector *v, const char *form)
{
    struct http_req req;
    struct sigv4_opts opts = options(v);
    struct aws_err err = {0};
    if (read_signed(v, form, &req) && !sigv4_check(&req, &opts, v->a, &err))
        test_fail(__FILE__, __LINE__, "%s/%s refused: %.*s", v->name, form, STR_ARG(err.message));
}

/* The request as it was, but for one bit of one byte of the part's text. */
static void expect_refused(struct vector *v, const char *form, const struct http_req *req,
                           const char *what)
{
    struct sigv4_opts opts = options(v);
    struct aws_err err = {0};
    if (sigv4_check(req, &opts, v->a, &err))
        test_fail(__FILE__, __LINE__, "%s/%s accepted with another %s", v->name, form, what);
}

static struct str flipped(struct vector *v, struct str text, size_t at)
{
    struct str copy = arena_str(v->a, text);
    ((char *)copy.p)[at] ^= 1;
    return copy;
}

static void check_changes(struct vector *v, const char *form)
{
    struct http_req req, changed;
    bool in_query = strcmp(form, "query") == 0;
    if (!read_signed(v, form, &req))
        return;
    changed = req;
    if (in_query) {
        request_set_target(&changed, flipped(v, req.target, req.target.n - 1));
        expect_refused(v, form, &changed, "signature");
        struct str day = STR("X-Amz-Date=");
        ptrdiff_t at = str_find_str(req.target, day);
        request_set_target(&changed, flipped(v, req.target, (size_t)at + day.n + 14));
        expect_refused(v, form, &changed, "date");
    } else {
        for (size_t i = 0; i < req.header_count; i++) {
            struct str name = req.headers[i].name, value = req.headers[i].value;
            if (value.n == 0 || str_case_eq(name, STR("X-Amz-Security-Token")))
                continue; /* the vector post-sts-header-after leaves it unsigned */
            changed.headers = ARENA_ARRAY(v->a, struct http_header, req.header_count);
            memcpy(changed.headers, req.headers, req.header_count * sizeof *req.headers);
            changed.headers[i].value = flipped(v, value, value.n - 1);
            expect_refused(v, form, &changed, "header value");
        }
    }
    changed = req;
    changed.method = STR("PUT");
    expect_refused(v, form, &changed, "method");
    changed = req;
    request_set_target(&changed, arena_fmt(v->a, "/x%.*s", STR_ARG(req.target)));
    expect_refused(v, form, &changed, "path");
    changed = req;
    request_set_target(&changed, arena_fmt(v->a, "%.*s%cx=1", STR_ARG(req.target),
                                           req.query.p == NULL ? '?' : '&'));
    expect_refused(v, form, &changed, "query");
    changed = req;
    changed.body = arena_fmt(v->a, "%.*sx", STR_ARG(req.body));
    expect_refused(v, form, &changed, "body");
}

TEST(vectors_header_form_gives_canonical_request_string_to_sign_and_signature)
{
    each_vector(check_parts, "header");
}

TEST(vectors_query_form_gives_canonical_request_string_to_sign_and_signature)
{
    each_vector(check_parts, "query");
}

TEST(vectors_signed_by_headers_are_accepted)
{
    each_vector(check_accepted, "header");
}

TEST(vectors_signed_by_query_are_accepted)
{
    each_vector(check_accepted, "query");
}

TEST(vectors_signed_by_headers_are_refused_when_anything_is_changed)
{
    each_vector(check_changes, "header");
}

TEST(vectors_signed_by_query_are_refused_when_anything_is_changed)
{
    each_vector(check_changes, "query");
}
