#include "jwt.h"
#include "codec.h"
#include "panic.h"
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum { TOKEN_MAX = 64 << 10, KEYS_MAX = 64 };

enum key_kind { KEY_RSA, KEY_EC };
static const struct algorithm {
    const char *name;
    enum key_kind kind;
    const char *digest;
    size_t half; /* of an EC signature: bytes of r and of s */
} algorithms[] = {{"RS256", KEY_RSA, "SHA256", 0},
                  {"RS384", KEY_RSA, "SHA384", 0},
                  {"RS512", KEY_RSA, "SHA512", 0},
                  {"ES256", KEY_EC, "SHA256", 32},
                  {"ES384", KEY_EC, "SHA384", 48}};
static const struct curve {
    const char *jwk, *openssl;
    size_t bytes;
} curves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}};

struct jwks {
    struct {
        struct str kid, alg;
        enum key_kind kind;
        size_t half;
        EVP_PKEY *pkey;
    } keys[KEYS_MAX];
    size_t count;
};

/* base64url without padding, as JOSE has it. */
static bool decode(struct str text, struct arena *a, struct str *ret)
{
    char *padded = arena_alloc_raw(a, text.n + 4);
    size_t n = text.n;
    for (size_t i = 0; i < n; i++) {
        char c = text.p[i];
        if (c == '+' || c == '/' || c == '=')
            return false;
        padded[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    while (n % 4 != 0)
        padded[n++] = '=';
    return codec_base64_decode(a, (struct str){padded, n}, ret);
}

static bool decode_object(struct str part, struct arena *a, struct jval *ret)
{
    struct str text;
    return decode(part, a, &text) && json_parse(a, text, JSON_DEPTH_DEFAULT, ret, NULL) &&
           jval_kind(*ret) == JSON_OBJECT;
}

bool jwt_parse(struct str token, struct arena *a, struct jwt *ret)
{
    struct str rest = token, header = str_cut(&rest, '.');
    if (token.n > TOKEN_MAX || rest.p == NULL)
        return false;
    struct str claims = str_cut(&rest, '.');
    if (rest.p == NULL || str_find(rest, '.') >= 0 || !decode_object(header, a, &ret->header) ||
        !decode_object(claims, a, &ret->claims) || !decode(rest, a, &ret->signature))
        return false;
    ret->alg = jval_text(jval_get(ret->header, "alg"), a);
    ret->kid = jval_text(jval_get(ret->header, "kid"), a);
    ret->signed_part = str_sub(token, 0, header.n + 1 + claims.n);
    return true;
}

static EVP_PKEY *build_key(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(struct jval jwk, struct arena *a)
{
    struct str n, e;
    if (!decode(jval_text(jval_get(jwk, "n"), a), a, &n) ||
        !decode(jval_text(jval_get(jwk, "e"), a), a, &e) || n.n == 0 || e.n == 0)
        return NULL;
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus == NULL || exponent == NULL || builder == NULL)
        PANIC("out of memory");
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    EVP_PKEY *key = build_key("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *ec_key(struct jval jwk, struct arena *a, size_t *ret_half)
{
    struct str name = jval_text(jval_get(jwk, "crv"), a), x, y;
    unsigned char point[1 + 2 * 48];
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        const struct curve *curve = &curves[i];
        if (!str_eq_c(name, curve->jwk))
            continue;
        if (!decode(jval_text(jval_get(jwk, "x"), a), a, &x) ||
            !decode(jval_text(jval_get(jwk, "y"), a), a, &y) || x.n != curve->bytes ||
            y.n != curve->bytes)
            return NULL;
        point[0] = 4; /* uncompressed */
        memcpy(point + 1, x.p, x.n);
        memcpy(point + 1 + x.n, y.p, y.n);
        OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
        if (builder == NULL)
            PANIC("out of memory");
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl, 0);
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * curve->bytes);
        EVP_PKEY *key = build_key("EC", builder);
        OSSL_PARAM_BLD_free(builder);
        *ret_half = curve->bytes;
        return key;
    }
    return NULL;
}

static void free_keys(void *arg)
{
    struct jwks *keys = arg;
    for (size_t i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i].pkey);
}

static void add_key(struct jwks *keys, struct jval jwk, struct arena *a)
{
    struct str type = jval_text(jval_get(jwk, "kty"), a), use = jval_text(jval_get(jwk, "use"), a);
    enum key_kind kind = str_eq_c(type, "RSA") ? KEY_RSA : KEY_EC;
    size_t half = 0;
    if (keys->count == KEYS_MAX || (use.n > 0 && !str_eq_c(use, "sig")))
        return;
    EVP_PKEY *pkey = kind == KEY_RSA        ? rsa_key(jwk, a)
                     : str_eq_c(type, "EC") ? ec_key(jwk, a, &half)
                                            : NULL;
    if (pkey == NULL)
        return;
    size_t i = keys->count++;
    keys->keys[i].kid = jval_text(jval_get(jwk, "kid"), a);
    keys->keys[i].alg = jval_text(jval_get(jwk, "alg"), a);
    keys->keys[i].kind = kind;
    keys->keys[i].half = half;
    keys->keys[i].pkey = pkey;
}

bool jwks_parse(struct str text, struct arena *a, struct jwks **ret)
{
    struct jval root, list, it = {0};
    text = arena_str(a, text);
    if (!json_parse(a, text, JSON_DEPTH_DEFAULT, &root, NULL))
        return false;
    list = jval_get(root, "keys");
    if (jval_kind(list) != JSON_ARRAY)
        return false;
    *ret = ARENA_NEW(a, struct jwks);
    arena_defer(a, free_keys, *ret);
    while (jval_next(list, &it, NULL))
        add_key(*ret, it, a);
    return true;
}

size_t jwks_count(const struct jwks *keys)
{
    return keys->count;
}

/* JOSE writes r and s side by side, OpenSSL wants them as DER. */
static int ec_signature(struct str raw, size_t half, unsigned char **ret_der)
{
    if (raw.n != 2 * half)
        return -1;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn((const unsigned char *)raw.p, (int)half, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)raw.p + half, (int)half, NULL);
    if (sig == NULL || r == NULL || s == NULL)
        PANIC("out of memory");
    ECDSA_SIG_set0(sig, r, s);
    *ret_der = NULL;
    int n = i2d_ECDSA_SIG(sig, ret_der);
    ECDSA_SIG_free(sig);
    return n;
}

static bool verify_with(EVP_PKEY *key, const struct algorithm *alg, struct str data,
                        struct str signature)
{
    unsigned char *der = NULL;
    const unsigned char *bytes = (const unsigned char *)signature.p;
    int n = (int)signature.n;
    if (alg->kind == KEY_EC) {
        n = ec_signature(signature, alg->half, &der);
        if (n < 0)
            return false;
        bytes = der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, alg->digest, NULL, NULL, key, NULL) > 0 &&
        EVP_DigestVerify(context, bytes, (size_t)n, (const unsigned char *)data.p, data.n) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    return ok;
}

bool jwt_verify(const struct jwt *t, const struct jwks *keys)
{
    const struct algorithm *alg = NULL;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (str_eq_c(t->alg, algorithms[i].name))
            alg = &algorithms[i];
    }
    for (size_t i = 0; alg != NULL && i < keys->count; i++) {
        bool fits = keys->keys[i].kind == alg->kind && keys->keys[i].half == alg->half &&
                    (keys->keys[i].alg.n == 0 || str_eq(keys->keys[i].alg, t->alg)) &&
                    (t->kid.n == 0 || str_eq(keys->keys[i].kid, t->kid));
        if (fits && verify_with(keys->keys[i].pkey, alg, t->signed_part, t->signature))
            return true;
    }
    return false;
}
