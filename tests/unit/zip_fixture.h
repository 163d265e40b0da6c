/* zip_fixture.h - makes zip files byte by byte, so that a test can say what no archiver would. */
#ifndef PUDDLE_ZIP_FIXTURE_H
#define PUDDLE_ZIP_FIXTURE_H
#include "hash.h"
#include "str.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { ZIP_FX_MAX = 300 << 20, ZIP_FX_UTF8 = 1 << 11, ZIP_FX_ENCRYPTED = 1 };

struct zip_fx {
    struct buf out, dir;
    unsigned count;
};

struct zip_entry {
    struct str name, content;
    unsigned mode; /* 0: a regular file, 0644 */
    bool deflate;
    unsigned flags;
    bool lie; /* the headers say claimed instead of the real unpacked size */
    uint32_t claimed;
    bool bad_crc;
};

static inline void zip_fx_number(struct buf *b, uint32_t v, int bytes)
{
    for (; bytes-- > 0; v >>= 8)
        buf_addc(b, (char)(v & 255));
}

static inline void zip_fx_start(struct zip_fx *z)
{
    buf_init(&z->out, ZIP_FX_MAX);
    buf_init(&z->dir, ZIP_FX_MAX);
    z->count = 0;
}

static inline struct str zip_fx_deflate(struct str content)
{
    z_stream s = {0};
    deflateInit2(&s, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    size_t cap = deflateBound(&s, content.n);
    char *p = malloc(cap);
    s.next_in = (Bytef *)content.p;
    s.avail_in = (uInt)content.n;
    s.next_out = (Bytef *)p;
    s.avail_out = (uInt)cap;
    deflate(&s, Z_FINISH);
    size_t n = s.total_out;
    deflateEnd(&s);
    return (struct str){p, n};
}

static inline void zip_fx_header(struct buf *b, const struct zip_entry *e, struct str data,
                                 bool central)
{
    uint32_t crc = hash_crc32(e->content) ^ (e->bad_crc ? 1 : 0);
    zip_fx_number(b, central ? 0x02014b50 : 0x04034b50, 4);
    if (central)
        zip_fx_number(b, 3 << 8 | 20, 2); /* made by Unix */
    zip_fx_number(b, 20, 2);
    zip_fx_number(b, e->flags, 2);
    zip_fx_number(b, e->deflate ? 8 : 0, 2);
    zip_fx_number(b, 0x00210000, 4); /* 1980-01-01 */
    zip_fx_number(b, crc, 4);
    zip_fx_number(b, (uint32_t)data.n, 4);
    zip_fx_number(b, e->lie ? e->claimed : (uint32_t)e->content.n, 4);
    zip_fx_number(b, (uint32_t)e->name.n, 2);
    zip_fx_number(b, 0, 2);
}

static inline void zip_fx_add(struct zip_fx *z, struct zip_entry e)
{
    size_t offset = z->out.n;
    struct str data = e.deflate ? zip_fx_deflate(e.content) : e.content;
    zip_fx_header(&z->out, &e, data, false);
    buf_add(&z->out, e.name);
    buf_add(&z->out, data);
    zip_fx_header(&z->dir, &e, data, true);
    zip_fx_number(&z->dir, 0, 6); /* comment, disk, internal attributes */
    zip_fx_number(&z->dir, (e.mode == 0 ? S_IFREG | 0644 : e.mode) << 16, 4);
    zip_fx_number(&z->dir, (uint32_t)offset, 4);
    buf_add(&z->dir, e.name);
    z->count++;
    if (e.deflate)
        free((char *)data.p);
}

static inline void zip_fx_file(struct zip_fx *z, const char *name, const char *content)
{
    zip_fx_add(z, (struct zip_entry){.name = str_c(name), .content = str_c(content)});
}

static inline void zip_fx_link(struct zip_fx *z, const char *name, const char *target)
{
    zip_fx_add(z, (struct zip_entry){
                      .name = str_c(name), .content = str_c(target), .mode = S_IFLNK | 0777});
}

/* The finished zip; valid until zip_fx_free. */
static inline struct str zip_fx_end(struct zip_fx *z)
{
    size_t at = z->out.n;
    unsigned count = z->count < 0xffff ? z->count : 0xffff;
    buf_add(&z->out, buf_view(&z->dir));
    zip_fx_number(&z->out, 0x06054b50, 4);
    zip_fx_number(&z->out, 0, 4);
    zip_fx_number(&z->out, count, 2);
    zip_fx_number(&z->out, count, 2);
    zip_fx_number(&z->out, (uint32_t)z->dir.n, 4);
    zip_fx_number(&z->out, (uint32_t)at, 4);
    zip_fx_number(&z->out, 0, 2);
    return buf_view(&z->out);
}

static inline void zip_fx_free(struct zip_fx *z)
{
    buf_release(&z->out);
    buf_release(&z->dir);
}
#endif
