/* Key sets of token issuers: from files the user names (--jwks), from file:// issuers, or kept
 * after they were fetched, two hours long as on AWS. */
#include "clock.h"
#include "file.h"
#include "log.h"
#include "panic.h"
#include "v2_request.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEEP_MS = 2 * 3600 * 1000, TEXT_MAX = 1 << 20 };

struct jwks_entry {
    struct arena *arena;
    struct jwks *keys;
    int64_t until_ms;        /* of fetched ones */
    struct timespec changed; /* of files */
};

static void drop(struct gateway *g, struct str issuer)
{
    struct jwks_entry *e = map_del(&g->jwks, issuer);
    if (e != NULL)
        arena_free(e->arena);
}

static struct jwks_entry *keep(struct gateway *g, struct str issuer, struct str text)
{
    struct arena *a = arena_new(0, 8 * TEXT_MAX);
    struct jwks_entry *e = ARENA_NEW(a, struct jwks_entry);
    e->arena = a;
    if (!jwks_parse(text, a, &e->keys)) {
        arena_free(a);
        return NULL;
    }
    drop(g, issuer);
    map_put(&g->jwks, issuer, e);
    return e;
}

const struct jwks *v2_jwks_keep(struct gateway *g, struct str issuer, struct str text)
{
    struct jwks_entry *e = keep(g, issuer, text);
    if (e == NULL)
        return NULL;
    e->until_ms = clock_now_ms() + KEEP_MS;
    return e->keys;
}

/* A file is read again when it has changed. */
static const struct jwks *from_file(struct gateway *g, struct str issuer, const char *path)
{
    struct stat st;
    struct jwks_entry *e = map_get(&g->jwks, issuer);
    if (stat(path, &st) != 0)
        return NULL;
    if (e != NULL && e->changed.tv_sec == st.st_mtim.tv_sec &&
        e->changed.tv_nsec == st.st_mtim.tv_nsec)
        return e->keys;
    struct arena *a = arena_new(0, 4 * TEXT_MAX);
    struct str text;
    e = file_read(a, path, TEXT_MAX, &text) == 0 ? keep(g, issuer, text) : NULL;
    arena_free(a);
    if (e == NULL) {
        log_msg(LOG_WARN, "gateway", "%s is no JWKS document", path);
        return NULL;
    }
    e->changed = st.st_mtim;
    return e->keys;
}

const struct jwks *v2_jwks_find(struct gateway *g, struct str issuer)
{
    char path[4096];
    for (size_t i = 0; i < g->jwks_file_count; i++) {
        struct str file = str_c(g->jwks_files[i]);
        ptrdiff_t at = str_rfind(file, '=');
        if (at > 0 && str_eq(str_sub(file, 0, (size_t)at), issuer))
            return from_file(g, issuer, file.p + at + 1);
    }
    if (str_starts(issuer, STR("file://")) && issuer.n < sizeof path) {
        memcpy(path, issuer.p + 7, issuer.n - 7);
        path[issuer.n - 7] = '\0';
        return from_file(g, issuer, path);
    }
    struct jwks_entry *e = map_get(&g->jwks, issuer);
    return e != NULL && clock_now_ms() < e->until_ms ? e->keys : NULL;
}

void v2_jwks_release(struct gateway *g)
{
    size_t at = 0;
    void *value;
    while (map_next(&g->jwks, &at, NULL, &value))
        arena_free(((struct jwks_entry *)value)->arena);
    map_release(&g->jwks);
}
