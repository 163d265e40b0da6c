/* links: puddle_gateway */
#include "codec.h"
#include "harness.h"
#include "jwt.h"
#include "panic.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

static struct arena *a;

static struct str url64(struct str bytes)
{
    struct str text = codec_base64_encode(a, bytes);
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n && text.p[i] != '='; i++)
        out[n++] = text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i];
    return (struct str){out, n};
}

static struct str number(const EVP_PKEY *key, const char *name, size_t width)
{
    BIGNUM *bn = NULL;
    unsigned char bytes[512];
    ASSERT(EVP_PKEY_get_bn_param(key, name, &bn));
    size_t n = width > 0 ? width : (size_t)BN_num_bytes(bn);
    BN_bn2binpad(bn, bytes, (int)n);
    BN_free(bn);
    return url64(arena_str(a, (struct str){(char *)bytes, n}));
}

static struct str rsa_jwk(const EVP_PKEY *key, const char *kid)
{
    return arena_fmt(
        a, "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"%s\",\"n\":\"%.*s\",\"e\":\"%.*s\"}", kid,
        STR_ARG(number(key, OSSL_PKEY_PARAM_RSA_N, 0)),
        STR_ARG(number(key, OSSL_PKEY_PARAM_RSA_E, 0)));
}

static struct str ec_jwk(const EVP_PKEY *key, const char *kid, size_t width)
{
    return arena_fmt(
        a, "{\"kty\":\"EC\",\"crv\":\"P-%d\",\"kid\":\"%s\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
        width == 32 ? 256 : 384, kid, STR_ARG(number(key, OSSL_PKEY_PARAM_EC_PUB_X, width)),
        STR_ARG(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width)));
}

static struct str token(EVP_PKEY *key, const char *digest, const char *header, size_t half)
{
    struct str part = arena_fmt(a, "%.*s.%.*s", STR_ARG(url64(str_c(header))),
                                STR_ARG(url64(STR("{\"iss\":\"me\",\"exp\":99}"))));
    unsigned char sig[1024], raw[96];
    size_t n = sizeof sig;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    ASSERT(EVP_DigestSignInit_ex(c, NULL, digest, NULL, NULL, key, NULL) > 0);
    ASSERT(EVP_DigestSign(c, sig, &n, (const unsigned char *)part.p, part.n) > 0);
    EVP_MD_CTX_free(c);
    struct str bytes = {(char *)sig, n};
    if (half > 0) {
        const unsigned char *p = sig;
        ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
        BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, (int)half);
        BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + half, (int)half);
        ECDSA_SIG_free(s);
        bytes = (struct str){(char *)raw, 2 * half};
    }
    return arena_fmt(a, "%.*s.%.*s", STR_ARG(part), STR_ARG(url64(arena_str(a, bytes))));
}

static bool verifies(struct str text, struct str keys_text)
{
    struct jwt t;
    struct jwks *keys;
    return jwt_parse(text, a, &t) && jwks_parse(keys_text, a, &keys) && jwt_verify(&t, keys);
}

static struct str key_set(struct str one, struct str two)
{
    return arena_fmt(a, "{\"keys\":[%.*s%s%.*s]}", STR_ARG(one), two.n > 0 ? "," : "",
                     STR_ARG(two));
}

TEST(signatures_by_the_named_key_are_accepted_and_no_other)
{
    a = arena_new(0, SIZE_MAX);
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
    EVP_PKEY *ec = EVP_EC_gen("prime256v1"), *ec3 = EVP_EC_gen("secp384r1");
    struct str both = key_set(rsa_jwk(rsa, "r"), ec_jwk(ec, "e", 32));
    struct str big = key_set(ec_jwk(ec3, "e3", 48), rsa_jwk(other, "r"));
    CHECK(verifies(token(rsa, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", 0), both));
    CHECK(verifies(token(rsa, "SHA384", "{\"alg\":\"RS384\",\"kid\":\"r\"}", 0), both));
    CHECK(verifies(token(rsa, "SHA512", "{\"alg\":\"RS512\"}", 0), both));
    CHECK(verifies(token(ec, "SHA256", "{\"alg\":\"ES256\",\"kid\":\"e\"}", 32), both));
    CHECK(verifies(token(ec3, "SHA384", "{\"alg\":\"ES384\",\"kid\":\"e3\"}", 48), big));
    CHECK(!verifies(token(rsa, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", 0), big));
    CHECK(!verifies(token(rsa, "SHA256", "{\"alg\":\"RS256\",\"kid\":\"e\"}", 0), both));
    CHECK(!verifies(token(rsa, "SHA256", "{\"alg\":\"RS384\",\"kid\":\"r\"}", 0), both));
    CHECK(!verifies(token(rsa, "SHA256", "{\"alg\":\"none\"}", 0), both));
    CHECK(!verifies(token(rsa, "SHA256", "{\"alg\":\"HS256\"}", 0), both));
    CHECK(!verifies(token(rsa, "SHA256", "{}", 0), both));
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(other);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ec3);
    arena_free(a);
}

TEST(any_changed_character_of_a_token_is_noticed)
{
    a = arena_new(0, SIZE_MAX);
    EVP_PKEY *ec = EVP_EC_gen("prime256v1");
    struct str keys = key_set(ec_jwk(ec, "e", 32), STR(""));
    struct str good = token(ec, "SHA256", "{\"alg\":\"ES256\"}", 32);
    CHECK(verifies(good, keys));
    for (size_t i = 0; i + 1 < good.n; i++) { /* the last character has spare bits */
        struct str bad = arena_str(a, good);
        ((char *)(uintptr_t)bad.p)[i] = good.p[i] == 'A' ? 'B' : 'A';
        CHECK(!verifies(bad, keys));
    }
    EVP_PKEY_free(ec);
    arena_free(a);
}

TEST(what_is_no_token_is_refused)
{
    static const char *const texts[] = {
        "",         "a",         "a.b",      "a.b.c", "..", "e30.e30", "e30.e30.e30.e30",
        "e30.W10.", "e30=.e30.", "e30.e30.+"};
    struct jwt t;
    a = arena_new(0, SIZE_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (jwt_parse(str_c(texts[i]), a, &t))
            test_fail(__FILE__, __LINE__, "%s", texts[i]);
    }
    CHECK(jwt_parse(STR("e30.e30."), a,
                    &t)); /* {} and {} without a signature: parsed, not verified */
    char *big = arena_alloc(a, 70000);
    memset(big, 'A', 70000);
    CHECK(!jwt_parse((struct str){big, 70000}, a, &t));
    arena_free(a);
}

TEST(key_sets_leave_out_what_cannot_be_used)
{
    struct jwks *keys;
    a = arena_new(0, SIZE_MAX);
    CHECK(!jwks_parse(STR(""), a, &keys));
    CHECK(!jwks_parse(STR("{}"), a, &keys));
    CHECK(!jwks_parse(STR("{\"keys\":5}"), a, &keys));
    CHECK(jwks_parse(STR("{\"keys\":[]}"), a, &keys));
    CHECK_I64(jwks_count(keys), 0);
    CHECK(jwks_parse(STR("{\"keys\":[1,{},{\"kty\":\"oct\",\"k\":\"AA\"},{\"kty\":\"RSA\",\"n\":"
                         "\"\",\"e\":\"AQAB\"},"
                         "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"},"
                         "{\"kty\":\"EC\",\"crv\":\"P-521\"}]}"),
                     a, &keys));
    CHECK_I64(jwks_count(keys), 0);
    arena_free(a);
}
