#include "docs.h"
#include "codec.h"
#include "log.h"
#include "panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 1024, DOC_DEPTH = 64 };

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE lam_docs (kind TEXT NOT NULL, key TEXT NOT NULL, doc TEXT NOT NULL, "
        "PRIMARY KEY (kind, key)) WITHOUT ROWID"}};

bool lam_docs_open(struct rie *r, char *reterr, size_t reterr_size)
{
    return db_migrate(r->db, "lambda_docs", migrations, sizeof migrations / sizeof *migrations,
                      reterr, reterr_size);
}

void lam_docs_close(struct rie *r)
{
    for (size_t i = 0; i < sizeof r->doc_stmts / sizeof *r->doc_stmts; i++)
        db_stmt_drop(r->db, &r->doc_stmts[i]);
}

enum { STMT_GET, STMT_PUT, STMT_DEL, STMT_DEL_ALL, STMT_LIST };

static sqlite3_stmt *prepare(struct rie *r, size_t slot, const char *sql, const char *kind,
                             struct str key)
{
    sqlite3_stmt *s = db_stmt(r->db, &r->doc_stmts[slot], sql);
    sqlite3_bind_text(s, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, key.p, (int)key.n, SQLITE_STATIC);
    return s;
}

static struct str column(sqlite3_stmt *s, int i, struct arena *a)
{
    struct str text = {(const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i)};
    return arena_str(a, text);
}

static bool finish(struct rie *r, sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        log_msg(LOG_ERROR, "lambda", "a record could not be stored: %s",
                sqlite3_errmsg(db_handle(r->db)));
    sqlite3_reset(s);
    return ok;
}

static void parse(struct str kind, struct str key, struct str text, struct arena *a,
                  struct jval *ret)
{
    if (!json_parse(a, text, DOC_DEPTH, ret, NULL))
        PANIC("lambda: the stored %.*s %.*s is damaged", STR_ARG(kind), STR_ARG(key));
}

bool lam_doc_get(struct rie *r, const char *kind, struct str key, struct arena *a, struct jval *ret)
{
    sqlite3_stmt *s =
        prepare(r, STMT_GET, "SELECT doc FROM lam_docs WHERE kind = ?1 AND key = ?2", kind, key);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    if (found)
        parse(str_c(kind), key, column(s, 0, a), a, ret);
    sqlite3_reset(s);
    return found;
}

bool lam_doc_put(struct rie *r, const char *kind, struct str key, const struct buf *text)
{
    ASSERT(!text->overflow);
    if (!db_begin(r->db))
        return false;
    sqlite3_stmt *s = prepare(r, STMT_PUT,
                              "INSERT INTO lam_docs (kind, key, doc) VALUES (?1, ?2, ?3) "
                              "ON CONFLICT (kind, key) DO UPDATE SET doc = excluded.doc",
                              kind, key);
    sqlite3_bind_text(s, 3, text->p, (int)text->n, SQLITE_STATIC);
    return finish(r, s);
}

bool lam_doc_del(struct rie *r, const char *kind, struct str key)
{
    return db_begin(r->db) &&
           finish(r, prepare(r, STMT_DEL, "DELETE FROM lam_docs WHERE kind = ?1 AND key = ?2", kind,
                             key));
}

/* The first key that does not start with prefix any more: '/' and then anything. */
static struct str end_of(struct str prefix, char space[KEY_MAX])
{
    if (prefix.n == 0)
        return STR("\x7f");
    ASSERT(prefix.n < KEY_MAX && prefix.p[prefix.n - 1] == '/');
    memcpy(space, prefix.p, prefix.n);
    space[prefix.n - 1]++;
    return (struct str){space, prefix.n};
}

bool lam_doc_del_all(struct rie *r, const char *kind, struct str prefix)
{
    char space[KEY_MAX];
    struct str end = end_of(prefix, space);
    if (!db_begin(r->db))
        return false;
    sqlite3_stmt *s = prepare(r, STMT_DEL_ALL,
                              "DELETE FROM lam_docs WHERE (?1 IS NULL OR kind = ?1) AND key >= ?2 "
                              "AND key < ?3",
                              kind, prefix);
    if (kind == NULL)
        sqlite3_bind_null(s, 1);
    sqlite3_bind_text(s, 3, end.p, (int)end.n, SQLITE_STATIC);
    return finish(r, s);
}

size_t lam_doc_list(struct rie *r, const char *kind, struct str prefix, struct str after,
                    size_t limit, struct arena *a, struct lam_doc **ret)
{
    char space[KEY_MAX];
    struct str end = end_of(prefix, space);
    size_t n = 0, cap = 16;
    struct lam_doc *docs = ARENA_ARRAY(a, struct lam_doc, cap);
    sqlite3_stmt *s = prepare(r, STMT_LIST,
                              "SELECT key, doc FROM lam_docs WHERE kind = ?1 AND key >= ?2 AND "
                              "key < ?3 AND key > ?4 ORDER BY key",
                              kind, prefix);
    sqlite3_bind_text(s, 3, end.p, (int)end.n, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, after.n > 0 ? after.p : "", (int)after.n, SQLITE_STATIC);
    while (n < limit && sqlite3_step(s) == SQLITE_ROW) {
        if (n == cap) {
            struct lam_doc *more = ARENA_ARRAY(a, struct lam_doc, cap * 2);
            memcpy(more, docs, cap * sizeof *docs);
            docs = more;
            cap *= 2;
        }
        docs[n].key = column(s, 0, a);
        docs[n].text = column(s, 1, a);
        parse(str_c(kind), docs[n].key, docs[n].text, a, &docs[n].v);
        n++;
    }
    sqlite3_reset(s);
    *ret = docs;
    return n;
}

struct str lam_doc_key(struct arena *a, struct str account, struct str region, const char *fmt, ...)
{
    char rest[KEY_MAX / 2];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(rest, sizeof rest, fmt, args);
    va_end(args);
    ASSERT(n >= 0); /* a part that is longer than any name names nothing: cut off */
    return arena_fmt(a, "%.*s/%.*s/%s", STR_ARG(account), STR_ARG(region), rest);
}

/* ---- pages ---- */

struct str lam_page_marker(struct arena *a, struct str last)
{
    return codec_base64_encode(a, last);
}

bool lam_page_read(struct call *c, size_t most, struct str *ret_after, size_t *ret_limit)
{
    int64_t limit = (int64_t)most;
    struct str marker = jval_text(jval_get(c->in, "Marker"), c->arena);
    jval_i64(jval_get(c->in, "MaxItems"), &limit);
    *ret_limit = limit > (int64_t)most || limit < 1 ? most : (size_t)limit;
    *ret_after = STR_NONE;
    return marker.n == 0 || codec_base64_decode(c->arena, marker, ret_after) ||
           aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                    "Invalid Marker"); /* unverified */
}

bool lam_doc_page(struct call *c, const char *kind, struct str prefix, size_t most,
                  struct lam_page *ret)
{
    struct str after;
    size_t limit;
    if (!lam_page_read(c, most, &after, &limit))
        return false;
    if (after.n > 0)
        after = arena_fmt(c->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(after));
    ret->count = lam_doc_list(c->svc->state, kind, prefix, after, limit + 1, c->arena, &ret->docs);
    ret->next = STR_NONE;
    if (ret->count > limit) {
        ret->count = limit;
        struct str last = ret->docs[limit - 1].key;
        ret->next = lam_page_marker(c->arena, str_sub(last, prefix.n, last.n));
    }
    return true;
}

void lam_page_end(struct call *c, const struct lam_page *page)
{
    json_end(&c->out);
    if (page->next.n > 0)
        json_str(&c->out, "NextMarker", page->next);
    json_end(&c->out);
}
