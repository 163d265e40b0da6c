/* NextToken: where a SELECT goes on. Base64 of a version, a digest of what was asked, the partition
 * it stopped in and the last key there, then a digest of all that: a token that was changed, or
 * that another statement gave, is refused. It says nothing that its holder has not seen. */
#include "codec.h"
#include "hash.h"
#include "partiql_run.h"
#include <string.h>

enum { VERSION = 1, DIGEST = 16, HEAD = 1 + DIGEST + 2 };
#define SECRET STR("puddle-partiql-next-token")

/* The statement, its parameters, whose and which table. */
static void digest_request(const struct pql_command *m, uint8_t out[32])
{
    struct buf *b = arena_new_buf(m->x.a, SIZE_MAX / 2);
    buf_addf(b, "%lld\n%zu\n", (long long)m->t->id, m->statement_text.n);
    buf_add(b, m->statement_text);
    for (size_t i = 0; i < m->x.param_count; i++) {
        buf_addf(b, "\n%zu\n", m->x.params[i].json.n);
        buf_add(b, m->x.params[i].json);
    }
    hash_sha256(buf_view(b), out);
}

struct str pql_token_make(const struct pql_command *m, struct pql_position at)
{
    uint8_t digest[32], mac[32];
    struct buf *b = arena_new_buf(m->x.a, 1 << 20);
    digest_request(m, digest);
    buf_addc(b, VERSION);
    buf_add(b, (struct str){(const char *)digest, DIGEST});
    buf_addc(b, (char)(at.range >> 8));
    buf_addc(b, (char)at.range);
    buf_add(b, at.last_key);
    hash_hmac_sha256(SECRET, buf_view(b), mac);
    buf_add(b, (struct str){(const char *)mac, DIGEST});
    return codec_base64_encode(m->x.a, buf_view(b));
}

bool pql_token_read(struct pql_command *m, struct str token, struct pql_position *ret)
{
    struct str bytes;
    uint8_t digest[32], mac[32];
    if (!codec_base64_decode(m->x.a, token, &bytes) || bytes.n < HEAD + DIGEST ||
        bytes.p[0] != VERSION)
        return pql_fail(&m->x, "Invalid NextToken");
    struct str body = str_sub(bytes, 0, bytes.n - DIGEST);
    hash_hmac_sha256(SECRET, body, mac);
    if (!hash_equal((struct str){(const char *)mac, DIGEST}, str_sub(bytes, body.n, bytes.n)))
        return pql_fail(&m->x, "Invalid NextToken");
    digest_request(m, digest);
    if (!hash_equal((struct str){(const char *)digest, DIGEST}, str_sub(body, 1, 1 + DIGEST)))
        return pql_fail(&m->x, "NextToken does not match request");
    const uint8_t *range = (const uint8_t *)body.p + 1 + DIGEST;
    ret->range = (size_t)range[0] << 8 | range[1];
    ret->last_key = str_sub(body, HEAD, body.n);
    return true;
}
