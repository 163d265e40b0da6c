/* Reserved words, in any letter case: a perfect hash, so one comparison at most. */
#include "expr_internal.h"
#include "gen/reserved_words.h"
#include <string.h>

static uint32_t hash_of(const char *word, size_t n, uint32_t seed)
{
    uint32_t h = 2166136261u ^ seed;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)word[i]) * 16777619u;
    return h ^ h >> 15;
}

bool expr_is_reserved(struct str word)
{
    char low[WORD_MAX];
    if (word.n > WORD_MAX)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        low[i] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
    }
    uint32_t seed = word_seed[hash_of(low, word.n, 0) % WORD_BUCKETS];
    const char *found = word_slot[hash_of(low, word.n, seed) % WORD_SLOTS];
    return found != NULL && str_eq_c((struct str){low, word.n}, found);
}
