/* str.h - length-carrying views and one growable buffer.
 * A view never owns and need not be NUL-terminated; a buf owns its bytes and has a hard cap. */
#ifndef PUDDLE_STR_H
#define PUDDLE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};
#define STR(lit)   ((struct str){(lit), sizeof(lit) - 1})
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */
#define STR_NONE   ((struct str){NULL, 0})

/* For big local arrays on hot paths that are filled before they are read: the release build would
 * clear them first (-ftrivial-auto-var-init). */
#define NOT_CLEARED __attribute__((uninitialized))

/* A view on a C string; NULL gives STR_NONE. */
struct str str_c(const char *c_string);
/* The bytes [from, to) of s; bounds are clamped to s. */
struct str str_sub(struct str s, size_t from, size_t to);
bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *b);
/* ASCII case folding only. */
bool str_case_eq(struct str a, struct str b);
/* memcmp order, shorter first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first / last c, or -1. */
ptrdiff_t str_find(struct str s, char c);
ptrdiff_t str_rfind(struct str s, char c);
/* Index of the first occurrence of needle, or -1. */
ptrdiff_t str_find_str(struct str s, struct str needle);
/* Cuts *rest at the first sep: returns the head, *rest becomes what follows the separator
 * (STR_NONE when there was none). Call until rest->p is NULL. */
struct str str_cut(struct str *rest, char sep);
/* Without leading and trailing space, tab, CR, LF. */
struct str str_trim(struct str s);
/* Whole string is one decimal integer that fits: optional '-', no '+', no blanks, no locale. */
bool str_to_i64(struct str s, int64_t *ret_value);
/* True if s is well-formed UTF-8 (no overlong forms, no surrogates, <= U+10FFFF). */
bool str_is_utf8(struct str s);
/* Length of the longest well-formed start of s. */
size_t str_utf8_prefix(struct str s);
/* Number of code points of well-formed UTF-8. */
size_t str_utf8_count(struct str s);

struct buf {
    char *p;
    size_t n, cap, max; /* max: the byte limit this buffer may reach */
    bool overflow;      /* sticky: once true every later append is a no-op */
};
/* No allocation yet. Growth is malloc'd (allocation failure is fatal); never beyond max. */
void buf_init(struct buf *b, size_t max);
void buf_add(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes at b->p + b->n (the caller then adds to b->n); false sets overflow. */
bool buf_reserve(struct buf *b, size_t n);
struct str buf_view(const struct buf *b);
/* Forget the content, keep the memory. */
void buf_clear(struct buf *b);
void buf_release(struct buf *b);
#endif
