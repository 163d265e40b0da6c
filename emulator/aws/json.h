/* json.h - read: a checked document over jsmn tokens, walked with small value cursors.
 * write: a sticky-error writer on a buf. */
#ifndef PUDDLE_JSON_H
#define PUDDLE_JSON_H
#include "arena.h"

enum json_kind {
    JSON_MISSING,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_doc; /* text + tokens + next-sibling links, all in one arena */
struct jval {    /* 16 bytes, pass by value; a zeroed jval is MISSING */
    const struct json_doc *doc;
    uint32_t tok;
};

enum { JSON_DEPTH_DEFAULT = 128 };

/* Checks the full RFC 8259 grammar, UTF-8 and depth <= max_depth before jsmn runs (jsmn alone
 * accepts much that is not JSON). The text must outlive the values. On failure *reterr_offset
 * (may be NULL) is the byte where the text stops being JSON; text.n if it ends too early or has
 * more than 8 Mi values and keys, a limit of ours. */
bool json_parse(struct arena *a, struct str text, unsigned max_depth, struct jval *ret_root,
                size_t *reterr_offset);
/* The same check without building anything: for payloads that are passed on as bytes. */
bool json_check(struct str text, unsigned max_depth, size_t *reterr_offset);

enum json_kind jval_kind(struct jval v);
bool jval_present(struct jval v); /* neither missing nor null */
/* MISSING if absent or not an object; of duplicate keys the last one wins. */
struct jval jval_get(struct jval object, const char *key);
struct jval jval_get_str(struct jval object, struct str key);
struct jval jval_at(struct jval array, size_t index); /* O(index) */
size_t jval_count(struct jval v);                     /* elements or members */
/* Start with *iter = (struct jval){0}; ret_key (may be NULL) is the raw key text between the
 * quotes for objects (see jval_key_str when it may hold escapes). */
bool jval_next(struct jval container, struct jval *iter, struct str *ret_key);
/* The unescaped key of the member that iter stands on. */
struct str jval_key_str(struct jval iter, struct arena *a);
/* Unescapes; no copy when there is nothing to unescape. False if not a string. A lone surrogate
 * escape becomes U+FFFD. */
bool jval_str(struct jval v, struct arena *a, struct str *ret);
/* jval_str or an empty string: for members the model has already checked. */
struct str jval_text(struct jval v, struct arena *a);
bool jval_i64(struct jval v, int64_t *ret); /* integer literals only, in range */
bool jval_double(struct jval v, double *ret);
bool jval_bool(struct jval v, bool *ret);
/* Exact source bytes, quotes included for strings: numbers keep their digits. */
struct str jval_raw(struct jval v);

struct json_out {
    struct buf *b;
    uint64_t comma_bits; /* one bit a level: does the next element need a comma? */
    uint64_t object_bits;
    uint8_t depth; /* at most 63 */
};
void json_out_init(struct json_out *w, struct buf *b);
/* key is NULL inside arrays and at the top. Keys are written as they are: they must need no
 * escaping (use json_key for any other). */
void json_obj(struct json_out *w, const char *key);
void json_arr(struct json_out *w, const char *key);
void json_end(struct json_out *w); /* closes the innermost object or array */
void json_str(struct json_out *w, const char *key, struct str v);
void json_cstr(struct json_out *w, const char *key, const char *v);
void json_i64(struct json_out *w, const char *key, int64_t v);
/* Shortest text that reads back as v; integers without a point. */
void json_double(struct json_out *w, const char *key, double v);
void json_bool(struct json_out *w, const char *key, bool v);
void json_null(struct json_out *w, const char *key);
void json_raw(struct json_out *w, const char *key, struct str json_text);
/* Any text as key; the next call then gets key NULL and writes the value. */
void json_key(struct json_out *w, struct str key);
/* The escaped text of s without quotes, appended to b. */
void json_escape(struct buf *b, struct str s);
/* The same with the quotes. */
void json_quote(struct buf *b, struct str s);
/* v as JSON text, blanks removed, strings in canonical escapes, member order kept. */
void json_copy(struct json_out *w, const char *key, struct jval v);
#endif
