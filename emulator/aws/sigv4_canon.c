/* Canonical request, string to sign and signature: the part of Signature Version 4 that signer and
 * verifier share. The path is encoded as it stands on the request line, so a client's %20 becomes
 * %2520 (all services but S3); the query is decoded first and encoded once. */
#include "codec.h"
#include "hash.h"
#include "panic.h"
#include "sigv4.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4 << 20 };

/* "." and ".." resolved and runs of slashes folded, as the AWS signers do it (not RFC 3986: no
 * slash is left behind by "/a/.."). */
static struct str normalize_path(struct arena *a, struct str path)
{
    struct str *parts = ARENA_ARRAY(a, struct str, path.n + 1);
    size_t count = 0;
    struct str rest = path;
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        if (part.n == 0 || str_eq_c(part, "."))
            continue;
        if (str_eq_c(part, ".."))
            count -= count > 0;
        else
            parts[count++] = part;
    }
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_addc(b, '/');
        buf_add(b, parts[i]);
    }
    if (count == 0 || path.p[path.n - 1] == '/')
        buf_addc(b, '/');
    return buf_view(b);
}

/* Every segment decoded and encoded once; an escaped slash stays escaped. */
static struct str encode_once(struct arena *a, struct str path)
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    struct str rest = path;
    for (;;) {
        struct str part = codec_percent_decode(a, str_cut(&rest, '/'), false);
        buf_add(b, codec_percent_encode(a, part, false));
        if (rest.p == NULL)
            return buf_view(b);
        buf_addc(b, '/');
    }
}

static struct str canonical_path(const struct http_req *req, const struct sigv4_opts *opts,
                                 struct arena *a)
{
    struct str path = req->path;
    if (path.n == 0)
        return STR("/");
    if (opts->normalize_path)
        path = normalize_path(a, path);
    return opts->single_encode_path ? encode_once(a, path) : codec_percent_encode(a, path, true);
}

struct pair {
    struct str name, value;
};

static int compare_pairs(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int order = str_cmp(a->name, b->name);
    return order != 0 ? order : str_cmp(a->value, b->value);
}

static void add_query(struct buf *b, const struct http_req *req, const struct sigv4_opts *opts,
                      bool is_query_form, struct arena *a)
{
    struct str rest = req->query;
    size_t count = 0, most = 1;
    for (size_t i = 0; i < rest.n; i++)
        most += rest.p[i] == '&';
    struct pair *pairs = ARENA_ARRAY(a, struct pair, most);
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct str name = codec_percent_decode(a, str_cut(&value, '='), false);
        if (is_query_form && (str_eq_c(name, "X-Amz-Signature") ||
                              (opts->token_unsigned && str_eq_c(name, "X-Amz-Security-Token"))))
            continue;
        ASSERT(count < most);
        value = value.p == NULL ? STR("") : codec_percent_decode(a, value, false);
        pairs[count].name = codec_percent_encode(a, name, false);
        pairs[count++].value = codec_percent_encode(a, value, false);
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_addc(b, '&');
        buf_add(b, pairs[i].name);
        buf_addc(b, '=');
        buf_add(b, pairs[i].value);
    }
}

/* Outer blanks gone, inner runs of blanks (folded lines too) one space. */
static void add_squeezed(struct buf *b, struct str value)
{
    bool gap = false, any = false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            gap = true;
            continue;
        }
        if (gap && any)
            buf_addc(b, ' ');
        gap = false;
        any = true;
        buf_addc(b, c);
    }
}

static struct str lower(struct arena *a, struct str s)
{
    char *out = arena_alloc_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    out[s.n] = '\0';
    return (struct str){out, s.n};
}

static int compare_strs(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* The header lines, the empty line and the list of names. */
static void add_headers(struct buf *b, const struct http_req *req, struct str signed_headers,
                        struct arena *a)
{
    size_t count = 0, most = 1;
    for (size_t i = 0; i < signed_headers.n; i++)
        most += signed_headers.p[i] == ';';
    struct str *names = ARENA_ARRAY(a, struct str, most), rest = signed_headers;
    while (rest.p != NULL) {
        struct str name = str_cut(&rest, ';');
        ASSERT(count < most);
        if (name.n > 0)
            names[count++] = lower(a, name);
    }
    qsort(names, count, sizeof *names, compare_strs);
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        buf_add(b, names[i]);
        buf_addc(b, ':');
        for (size_t h = 0; h < req->header_count; h++) {
            if (!str_case_eq(req->headers[h].name, names[i]))
                continue;
            if (!first)
                buf_addc(b, ',');
            first = false;
            add_squeezed(b, req->headers[h].value);
        }
        buf_addc(b, '\n');
    }
    buf_addc(b, '\n');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_addc(b, ';');
        buf_add(b, names[i]);
    }
}

struct str sigv4_canonical_request(const struct http_req *req, const struct sigv4_opts *opts,
                                   struct str signed_headers, struct str payload_hash,
                                   bool is_query_form, struct arena *a)
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    buf_add(b, req->method);
    buf_addc(b, '\n');
    buf_add(b, canonical_path(req, opts, a));
    buf_addc(b, '\n');
    add_query(b, req, opts, is_query_form, a);
    buf_addc(b, '\n');
    add_headers(b, req, signed_headers, a);
    buf_addc(b, '\n');
    buf_add(b, payload_hash);
    return buf_view(b);
}

struct str sigv4_string_to_sign(struct str canonical, struct str amz_date, struct str scope,
                                struct arena *a)
{
    uint8_t digest[32];
    hash_sha256(canonical, digest);
    struct str hex = codec_hex(a, (struct str){(const char *)digest, sizeof digest});
    return arena_fmt(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", STR_ARG(amz_date), STR_ARG(scope),
                     STR_ARG(hex));
}

/* ---- the signing key, which is the same for a day --------------------------------------- */

enum { CACHE_SLOTS = 8, CACHE_SECRET_MAX = 128, CACHE_SCOPE_MAX = 128 };

struct cached_key {
    char secret[CACHE_SECRET_MAX], scope[CACHE_SCOPE_MAX];
    size_t secret_n, scope_n;
    uint8_t key[32];
};

static void derive_key(struct str secret, struct str scope, uint8_t key[32], struct arena *a)
{
    struct str current = arena_fmt(a, "AWS4%.*s", STR_ARG(secret)), rest = scope;
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        uint8_t next[32];
        hash_hmac_sha256(current, part, next);
        memcpy(key, next, sizeof next);
        current = (struct str){(const char *)key, 32};
    }
}

/* Loop thread only, like everything that verifies. */
static void signing_key(struct str secret, struct str scope, uint8_t key[32], struct arena *a)
{
    static struct cached_key cache[CACHE_SLOTS];
    static size_t next_slot;
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        struct cached_key *c = &cache[i];
        if (c->scope_n > 0 && str_eq((struct str){c->scope, c->scope_n}, scope) &&
            hash_equal((struct str){c->secret, c->secret_n}, secret)) {
            memcpy(key, c->key, 32);
            return;
        }
    }
    derive_key(secret, scope, key, a);
    if (secret.n == 0 || secret.n > CACHE_SECRET_MAX || scope.n == 0 || scope.n > CACHE_SCOPE_MAX)
        return;
    struct cached_key *c = &cache[next_slot++ % CACHE_SLOTS];
    memcpy(c->secret, secret.p, secret.n);
    memcpy(c->scope, scope.p, scope.n);
    c->secret_n = secret.n;
    c->scope_n = scope.n;
    memcpy(c->key, key, 32);
}

struct str sigv4_signature(struct str secret, struct str scope, struct str string_to_sign,
                           struct arena *a)
{
    uint8_t key[32] = {0}, mac[32];
    signing_key(secret, scope, key, a);
    hash_hmac_sha256((struct str){(const char *)key, sizeof key}, string_to_sign, mac);
    return codec_hex(a, (struct str){(const char *)mac, sizeof mac});
}
