/* Token buckets by name, and the limits that a stage's method settings put on each method. */
#include "clock.h"
#include "rest_request.h"

/* What an account has, and what AWS shows where nobody has set a limit: not held here. */
enum { ACCOUNT_RATE = 10000, ACCOUNT_BURST = 5000 };

struct bucket {
    double tokens;
    int64_t filled_ms;
};

bool rest_take_token(struct gateway *g, struct str name, double rate, double burst)
{
    int64_t now = clock_now_ms();
    struct bucket *b = map_get(&g->buckets, name);
    if (b == NULL) {
        b = ARENA_NEW(g->bucket_arena, struct bucket);
        *b = (struct bucket){burst, now};
        map_put(&g->buckets, name, b);
    }
    if (now > b->filled_ms)
        b->tokens += rate * (double)(now - b->filled_ms) / 1000.0;
    b->filled_ms = now;
    if (b->tokens > burst)
        b->tokens = burst;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* "/a/b" as the key of a method setting has it: "a~1b" or "~1a~1b". */
static struct str escape(struct arena *a, struct str path)
{
    struct buf *b = arena_new_buf(a, path.n * 2 + 1);
    for (size_t i = 0; i < path.n; i++)
        buf_add(b, path.p[i] == '/'   ? STR("~1")
                   : path.p[i] == '~' ? STR("~0")
                                      : str_sub(path, i, i + 1));
    return buf_view(b);
}

static struct jval find_settings(struct jval all, struct str path, struct str method,
                                 struct arena *a)
{
    struct str escaped = escape(a, path), bare = escape(a, str_sub(path, 1, path.n));
    struct str keys[] = {arena_fmt(a, "%.*s/%.*s", STR_ARG(escaped), STR_ARG(method)),
                         arena_fmt(a, "%.*s/%.*s", STR_ARG(bare), STR_ARG(method)), STR("*/*")};
    struct jval found = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !jval_present(found); i++)
        found = jval_get_str(all, keys[i]);
    return found;
}

void rest_throttle_read(struct rest_live *s, struct jval all, struct str path,
                        struct rest_method *m)
{
    double rate, burst;
    if (jval_count(all) == 0)
        return;
    struct jval own = find_settings(all, path, m->http_method, s->arena);
    if (!jval_double(jval_get(own, "throttlingRateLimit"), &rate) ||
        !jval_double(jval_get(own, "throttlingBurstLimit"), &burst) || rate < 0 || burst < 0 ||
        (rate >= ACCOUNT_RATE && burst >= ACCOUNT_BURST))
        return;
    m->bucket = arena_fmt(s->arena, "stage %.*s/%.*s%.*s %.*s", STR_ARG(s->api_id),
                          STR_ARG(s->name), STR_ARG(path), STR_ARG(m->http_method));
    m->rate = rate;
    m->burst = burst;
}
