/* arena.h - memory that lives exactly as long as one call.
 * Bump allocation in chunks; freed all at once. Allocation failure is fatal (log + abort), so no
 * caller checks for NULL. Not thread-safe: the thread that runs the call owns its arena. */
#ifndef PUDDLE_ARENA_H
#define PUDDLE_ARENA_H
#include "str.h"

struct arena;

/* first_chunk: bytes allocated at once (0: a default). max_total: a bug guard; exceeding it panics
 * (limits a client can reach are checked before memory is asked for). */
struct arena *arena_new(size_t first_chunk, size_t max_total);
void arena_free(struct arena *a);  /* runs deferred functions in reverse order; NULL is fine */
void arena_reset(struct arena *a); /* same, but keeps the first chunk for reuse */

void *arena_alloc(struct arena *a, size_t size)
    __attribute__((malloc, alloc_size(2), returns_nonnull)); /* zeroed, max-aligned */
/* Like arena_alloc, but the bytes are not cleared: for big buffers that are filled at once. */
void *arena_alloc_raw(struct arena *a, size_t size)
    __attribute__((malloc, alloc_size(2), returns_nonnull));
void *arena_alloc_array(struct arena *a, size_t count, size_t size); /* overflow-checked, zeroed */
struct str arena_str(struct arena *a, struct str s);                 /* copy, NUL added */
struct str arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Copy of a buf's bytes, NUL added; the buf stays the caller's. */
struct str arena_buf(struct arena *a, const struct buf *b);
#define ARENA_NEW(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc_array((a), (count), sizeof(type)))

/* Tie something that is not memory (a statement, a descriptor, a reference) to the same lifetime.
 */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);
/* A buf that is released with the arena. */
struct buf *arena_new_buf(struct arena *a, size_t max);

/* A mark lets a loop (one row of a Scan) give its scratch back early. No arena_defer between. */
struct arena_mark {
    void *chunk;
    size_t used;
};
struct arena_mark arena_mark(struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark m);
#endif
