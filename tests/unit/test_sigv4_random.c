/* links: puddle_aws */
/* Requests signed by botocore (tests/clients/sigv4_botocore.py writes the file that
 * PUDDLE_SIGV4_RANDOM names): every one is accepted, and every one is refused once a single bit of
 * it was changed. */
#include "codec.h"
#include "file.h"
#include "harness.h"
#include "ids.h"
#include "json.h"
#include "sigv4.h"
#include "sigv4_request.h"
#include <stdlib.h>

struct sample {
    struct arena *a;
    struct http_req req;
    struct sigv4_key key;
    struct sigv4_keys keys;
    struct sigv4_opts opts;
};

static bool read_sample(struct str line, struct sample *s)
{
    struct jval root, list, it = {0};
    int64_t now;
    if (!json_parse(s->a, line, JSON_DEPTH_DEFAULT, &root, NULL) ||
        !jval_i64(jval_get(root, "now_ms"), &now) ||
        !codec_base64_decode(s->a, jval_text(jval_get(root, "body"), s->a), &s->req.body))
        return false;
    s->req.method = jval_text(jval_get(root, "method"), s->a);
    request_set_target(&s->req, jval_text(jval_get(root, "target"), s->a));
    list = jval_get(root, "headers");
    while (jval_next(list, &it, NULL))
        request_add_header(&s->req, s->a, jval_text(jval_at(it, 0), s->a),
                           jval_text(jval_at(it, 1), s->a));
    s->key = (struct sigv4_key){jval_text(jval_get(root, "access_key"), s->a),
                                jval_text(jval_get(root, "secret_key"), s->a),
                                jval_text(jval_get(root, "token"), s->a)};
    s->keys = (struct sigv4_keys){&s->key, 1};
    struct str service = jval_text(jval_get(root, "service"), s->a);
    bool s3 = str_eq_c(service, "s3");
    s->opts = (struct sigv4_opts){.keys = &s->keys,
                                  .service = service,
                                  .region = jval_text(jval_get(root, "region"), s->a),
                                  .now_ms = now,
                                  .single_encode_path = s3,
                                  .normalize_path = !s3,
                                  .unsigned_payload_ok = s3};
    return true;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A copy with one bit of one letter or digit changed; p == NULL if there is none. Letters of %XX
 * are left alone: their case means nothing. */
static struct str flip(struct arena *a, struct str text)
{
    size_t start = text.n == 0 ? 0 : ids_random_u64() % text.n;
    for (size_t k = 0; k < text.n; k++) {
        size_t i = (start + k) % text.n;
        bool escape = (i >= 1 && text.p[i - 1] == '%') || (i >= 2 && text.p[i - 2] == '%');
        if (!is_plain(text.p[i]) || escape)
            continue;
        struct str copy = arena_str(a, text);
        ((char *)copy.p)[i] = (char)(text.p[i] ^ (1 << ids_random_u64() % 7));
        return copy;
    }
    return STR_NONE;
}

static bool is_signed(const struct sample *s, struct str name)
{
    struct str header = http_req_header(&s->req, "Authorization"), list = STR("");
    if (header.p == NULL) {
        http_req_query(&s->req, s->a, "X-Amz-SignedHeaders", &list);
    } else {
        ptrdiff_t at = str_find_str(header, STR("SignedHeaders="));
        list = str_sub(header, (size_t)at + 14, header.n);
        list = str_cut(&list, ',');
    }
    while (list.p != NULL) {
        if (str_case_eq(str_cut(&list, ';'), name))
            return true;
    }
    return false;
}

static void replace_header(struct sample *s, size_t i, struct str value)
{
    struct http_header *copy = ARENA_ARRAY(s->a, struct http_header, s->req.header_count);
    memcpy(copy, s->req.headers, s->req.header_count * sizeof *copy);
    copy[i].value = value;
    s->req.headers = copy;
}

/* Changes the signature itself. */
static bool change_signature(struct sample *s)
{
    for (size_t i = 0; i < s->req.header_count; i++) {
        struct str value = s->req.headers[i].value;
        if (!str_case_eq(s->req.headers[i].name, STR("Authorization")))
            continue;
        struct str head = str_sub(value, 0, value.n - 64),
                   tail = flip(s->a, str_sub(value, value.n - 64, value.n));
        replace_header(s, i, arena_fmt(s->a, "%.*s%.*s", STR_ARG(head), STR_ARG(tail)));
        return true;
    }
    struct str name = STR("X-Amz-Signature="), target = s->req.target;
    ptrdiff_t at = str_find_str(target, name);
    size_t from = (size_t)at + name.n;
    struct str signature = flip(s->a, str_sub(target, from, from + 64));
    request_set_target(&s->req, arena_fmt(s->a, "%.*s%.*s%.*s", STR_ARG(str_sub(target, 0, from)),
                                          STR_ARG(signature),
                                          STR_ARG(str_sub(target, from + 64, target.n))));
    return true;
}

static bool change_header(struct sample *s)
{
    size_t start = ids_random_u64() % s->req.header_count;
    for (size_t k = 0; k < s->req.header_count; k++) {
        size_t i = (start + k) % s->req.header_count;
        if (!is_signed(s, s->req.headers[i].name))
            continue;
        struct str value = flip(s->a, s->req.headers[i].value);
        if (value.p == NULL)
            continue;
        replace_header(s, i, value);
        return true;
    }
    return false;
}

static struct str canonical(const struct sample *s)
{
    return sigv4_canonical_request(&s->req, &s->opts, STR("host"), STR(""), false, s->a);
}

static bool change_path(struct sample *s)
{
    struct str before = s->req.path, path = flip(s->a, before), was = canonical(s);
    if (path.p == NULL)
        return false;
    s->req.path = path;
    if (!str_eq(canonical(s), was))
        return true;
    s->req.path = before; /* the changed segment is dropped: "/a/.." and "/b/.." are one path */
    return false;
}

static bool change_query(struct sample *s)
{
    struct str query = flip(s->a, s->req.query);
    if (query.p == NULL)
        return false;
    s->req.query = query;
    return true;
}

static bool change_body(struct sample *s)
{
    /* S3's presigned form does not sign the body */
    bool in_query = http_req_header(&s->req, "Authorization").p == NULL;
    if (s->req.body.n == 0 || (in_query && s->opts.unsigned_payload_ok))
        return false;
    struct str body = arena_str(s->a, s->req.body);
    uint64_t bit = ids_random_u64() % (body.n * 8);
    ((char *)body.p)[bit / 8] ^= (char)(1 << bit % 8);
    s->req.body = body;
    return true;
}

static bool (*const changes[])(struct sample *) = {change_signature, change_header, change_path,
                                                   change_query, change_body};
static const char *const change_names[] = {"signature", "header", "path", "query", "body"};
enum { CHANGES = 5 };

TEST(requests_signed_by_botocore_are_accepted_and_one_bit_changes_refused)
{
    const char *path = getenv("PUDDLE_SIGV4_RANDOM");
    if (path == NULL)
        test_skip("PUDDLE_SIGV4_RANDOM names no file (tests/clients/sigv4_botocore.py makes it)");
    struct arena *all = arena_new(0, SIZE_MAX);
    struct str rest = STR_NONE;
    if (file_read(all, path, 256 << 20, &rest) != 0)
        test_fail(__FILE__, __LINE__, "%s cannot be read", path);
    size_t accepted = 0, refused = 0, lines = 0, by_kind[CHANGES] = {0};
    ids_seed(42);
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (line.n == 0)
            continue;
        lines++;
        struct sample s = {.a = arena_new(0, SIZE_MAX)};
        struct aws_err err = {0};
        if (!read_sample(line, &s)) {
            test_fail(__FILE__, __LINE__, "line %zu cannot be read", lines);
            arena_free(s.a);
            break;
        }
        if (sigv4_check(&s.req, &s.opts, s.a, &err))
            accepted++;
        else if (lines - accepted < 4)
            test_fail(__FILE__, __LINE__, "line %zu refused: %.*s", lines, STR_ARG(err.message));
        size_t kind = ids_random_u64() % CHANGES;
        while (!changes[kind](&s))
            kind = (kind + 1) % CHANGES;
        by_kind[kind]++;
        err = (struct aws_err){0};
        if (!sigv4_check(&s.req, &s.opts, s.a, &err))
            refused++;
        else if (lines - refused < 4)
            test_fail(__FILE__, __LINE__, "line %zu accepted with another %s: %.*s", lines,
                      change_names[kind], STR_ARG(line));
        arena_free(s.a);
    }
    arena_free(all);
    printf("  %zu requests: %zu accepted; one bit changed: %zu refused (", lines, accepted,
           refused);
    for (size_t i = 0; i < CHANGES; i++)
        printf("%s%s %zu", i == 0 ? "" : ", ", change_names[i], by_kind[i]);
    printf(")\n");
    CHECK(lines > 0);
    CHECK_I64((long long)accepted, (long long)lines);
    CHECK_I64((long long)refused, (long long)lines);
}
