/* codec.h - base64, hex and percent encoding. Results live in the arena. */
#ifndef PUDDLE_CODEC_H
#define PUDDLE_CODEC_H
#include "arena.h"

struct str codec_base64_encode(struct arena *a, struct str bytes);
/* Strict RFC 4648 with padding, no blanks; false on any other input. */
bool codec_base64_decode(struct arena *a, struct str text, struct str *ret_bytes);
struct str codec_hex(struct arena *a, struct str bytes); /* lower case */
/* %XX decoded; plus_is_space for query strings. A malformed % stays as it is. */
struct str codec_percent_decode(struct arena *a, struct str text, bool plus_is_space);
/* Everything but [A-Za-z0-9-_.~] becomes %XX (upper-case hex); '/' kept if keep_slash. */
struct str codec_percent_encode(struct arena *a, struct str text, bool keep_slash);
struct str codec_gzip(struct arena *a, struct str bytes); /* the fastest level */
enum codec_gunzip { GUNZIP_OK, GUNZIP_BROKEN, GUNZIP_TOO_LARGE };
/* One whole gzip member, nothing behind it, of at most max bytes unpacked. */
enum codec_gunzip codec_gunzip(struct arena *a, struct str gzip, size_t max, struct str *ret_bytes);
#endif
