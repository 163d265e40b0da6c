/* token.h - ClientRequestTokens of transactions: for ten minutes a repeated request is answered but
 * not done again (fact 119). Kept in the store, in the commit of the transaction, so that neither a
 * restart nor a failed commit can make it happen twice or never. */
#ifndef PUDDLE_TOKEN_H
#define PUDDLE_TOKEN_H
#include "db.h"
#include "json.h"

struct tokens {
    struct db *db;
    sqlite3_stmt *find, *add, *expire;
};
bool tokens_open(struct tokens *t, struct db *db, char *reterr, size_t reterr_size);
void tokens_close(struct tokens *t);
bool tokens_reset(struct tokens *t); /* forgets all */

enum { TOKEN_HASH = 32 };
struct token {
    struct str account, region, text;
    uint8_t hash[TOKEN_HASH]; /* of what was asked */
};
/* Equal for JSON that says the same: blanks, escapes and the order of members do not count. */
void token_hash(struct jval what, struct arena *a, uint8_t out[TOKEN_HASH]);
enum token_state {
    TOKEN_NEW,
    TOKEN_DONE,  /* the same request has been done */
    TOKEN_OTHER, /* another request has used it */
    TOKEN_FAILED /* the store cannot be read (logged) */
};
enum token_state tokens_find(struct tokens *t, const struct token *token, int64_t now_ms);
/* Remembers a request that is being done; the tick's transaction is open. False: logged. */
bool tokens_add(struct tokens *t, const struct token *token, int64_t now_ms);
#endif
