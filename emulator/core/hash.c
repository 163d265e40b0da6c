#include "hash.h"
#include "panic.h"
#define OPENSSL_SUPPRESS_DEPRECATED /* MD5(): the interface of today costs three times the hash */
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

static EVP_MD *sha256;
static pthread_key_t ctx_key; /* a context per thread: making one costs more than a short hash */

static void free_ctx(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void set_up(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL || pthread_key_create(&ctx_key, free_ctx) != 0)
        PANIC("OpenSSL has no SHA-256");
}

static void digest(EVP_MD *const *md, struct str data, uint8_t *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned n = 0;
    pthread_once(&once, set_up);
    EVP_MD_CTX *ctx = pthread_getspecific(ctx_key);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        pthread_setspecific(ctx_key, ctx);
    }
    if (ctx == NULL || EVP_DigestInit_ex2(ctx, *md, NULL) != 1 ||
        EVP_DigestUpdate(ctx, data.n ? data.p : "", data.n) != 1 ||
        EVP_DigestFinal_ex(ctx, out, &n) != 1)
        PANIC("OpenSSL digest failed");
}

void hash_sha256(struct str data, uint8_t out[32])
{
    digest(&sha256, data, out);
}

void hash_md5(struct str data, uint8_t out[16])
{
    MD5((const unsigned char *)(data.n ? data.p : ""), data.n, out);
}

void hash_hmac_sha256(struct str key, struct str data, uint8_t out[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)(key.n ? key.p : ""), key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)(data.n ? data.p : ""), data.n);
    crypto_auth_hmacsha256_final(&state, out);
}

bool hash_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}
