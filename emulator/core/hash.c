#include "hash.h"
#include "panic.h"
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>
#include <zlib.h>

static void digest(const EVP_MD *md, struct str data, uint8_t *out)
{
    static _Thread_local EVP_MD_CTX *ctx; /* kept: making one costs more than a short hash */
    unsigned n = 0;
    if (ctx == NULL)
        ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1 ||
        EVP_DigestUpdate(ctx, data.n ? data.p : "", data.n) != 1 ||
        EVP_DigestFinal_ex(ctx, out, &n) != 1)
        PANIC("OpenSSL digest failed");
}

static const EVP_MD *fetch(EVP_MD **slot, const char *name)
{
    if (*slot == NULL)
        *slot = EVP_MD_fetch(NULL, name, NULL);
    if (*slot == NULL)
        PANIC("OpenSSL has no %s", name);
    return *slot;
}

void hash_sha256(struct str data, uint8_t out[32])
{
    static _Thread_local EVP_MD *md;
    digest(fetch(&md, "SHA256"), data, out);
}

void hash_md5(struct str data, uint8_t out[16])
{
    static _Thread_local EVP_MD *md;
    digest(fetch(&md, "MD5"), data, out);
}

void hash_hmac_sha256(struct str key, struct str data, uint8_t out[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)(key.n ? key.p : ""), key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)(data.n ? data.p : ""), data.n);
    crypto_auth_hmacsha256_final(&state, out);
}

uint32_t hash_crc32(struct str data)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)data.p, data.n);
}

bool hash_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}
