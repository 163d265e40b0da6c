/* Chunks form a stack: the newest is the one being filled. The first chunk is allocated together
 * with the arena; standard-sized ones are recycled through a small free list, since every HTTP
 * request makes one. */
#include "arena.h"
#include "panic.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ARENA_FIRST_DEFAULT = 16 * 1024, ARENA_FREE_MAX = 64, ALIGN = 16 };

struct chunk {
    struct chunk *older;
    size_t size, used; /* of data[] */
    alignas(ALIGN) char data[];
};
struct deferred {
    struct deferred *older;
    void (*fn)(void *);
    void *arg;
};
struct arena {
    struct chunk *newest;
    struct deferred *deferred;
    size_t total, max_total, first_size;
    struct arena *next_free;
    struct chunk *first;
};

static _Thread_local struct arena *free_list;
static _Thread_local unsigned free_count;

static struct chunk *chunk_new(size_t size)
{
    struct chunk *c = malloc(sizeof *c + size);
    if (c == NULL)
        PANIC("out of memory (%zu bytes)", size);
    c->older = NULL;
    c->size = size;
    c->used = 0;
    POISON(c->data, size);
    return c;
}

static void chunk_free(struct chunk *c)
{
    UNPOISON(c->data, c->size);
    free(c);
}

struct arena *arena_new(size_t first_chunk, size_t max_total)
{
    struct arena *a;
    if (first_chunk == 0)
        first_chunk = ARENA_FIRST_DEFAULT;
    if (first_chunk == ARENA_FIRST_DEFAULT && free_list != NULL) {
        a = free_list;
        free_list = a->next_free;
        free_count--;
    } else {
        a = malloc(sizeof *a);
        if (a == NULL)
            PANIC("out of memory");
        a->first = chunk_new(first_chunk);
    }
    a->newest = a->first;
    a->deferred = NULL;
    a->total = a->first_size = first_chunk;
    a->max_total = max_total;
    a->next_free = NULL;
    return a;
}

void arena_reset(struct arena *a)
{
    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;
        a->deferred = d->older;
        d->fn(d->arg);
    }
    while (a->newest != a->first) {
        struct chunk *c = a->newest;
        a->newest = c->older;
        chunk_free(c);
    }
    a->first->used = 0;
    POISON(a->first->data, a->first->size);
    a->total = a->first_size;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    arena_reset(a);
    if (a->first_size == ARENA_FIRST_DEFAULT && free_count < ARENA_FREE_MAX) {
        a->next_free = free_list;
        free_list = a;
        free_count++;
        return;
    }
    chunk_free(a->first);
    free(a);
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
    struct chunk *c = a->newest;
    if (size > SIZE_MAX / 2)
        PANIC("arena: absurd size");
    size = size == 0 ? ALIGN : (size + (ALIGN - 1)) & ~(size_t)(ALIGN - 1);
    if (size > c->size - c->used) {
        size_t want = c->size < (1u << 20) ? c->size * 2 : c->size;
        size_t left = a->max_total > a->total ? a->max_total - a->total : 0;
        if (size > left)
            PANIC("arena: more than %zu bytes for one call", a->max_total);
        if (want < size || want > left)
            want = size;
        c = chunk_new(want);
        c->older = a->newest;
        a->newest = c;
        a->total += want;
    }
    void *p = c->data + c->used;
    c->used += size;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_alloc_raw(a, size), 0, size);
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        PANIC("arena: array size overflow");
    return arena_alloc(a, bytes);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_alloc_raw(a, s.n + 1);
    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

struct str arena_buf(struct arena *a, const struct buf *b)
{
    return arena_str(a, buf_view(b));
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    char small[512] NOT_CLEARED;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    ASSERT(n >= 0);
    if ((size_t)n < sizeof small)
        return arena_str(a, (struct str){small, (size_t)n});
    char *p = arena_alloc_raw(a, (size_t)n + 1);
    va_start(args, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, args);
    va_end(args);
    return (struct str){p, (size_t)n};
}

void arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
    struct deferred *d = ARENA_NEW(a, struct deferred);
    *d = (struct deferred){a->deferred, fn, arg};
    a->deferred = d;
}

static void release_buf(void *arg)
{
    buf_release(arg);
}

struct buf *arena_new_buf(struct arena *a, size_t max)
{
    struct buf *b = ARENA_NEW(a, struct buf);
    buf_init(b, max);
    arena_defer(a, release_buf, b);
    return b;
}

struct arena_mark arena_mark(struct arena *a)
{
    return (struct arena_mark){a->newest, a->newest->used};
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
    while (a->newest != m.chunk) {
        struct chunk *c = a->newest;
        ASSERT(c->older != NULL);
        a->newest = c->older;
        a->total -= c->size;
        chunk_free(c);
    }
    ASSERT(m.used <= a->newest->used);
    POISON(a->newest->data + m.used, a->newest->used - m.used);
    a->newest->used = m.used;
}
