#include "token.h"
#include "hash.h"
#include "log.h"
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MS = 10 * 60 * 1000, TEXT_MAX = 64 << 20 };

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE ddb_token(account TEXT NOT NULL, region TEXT NOT NULL, token TEXT NOT NULL,"
        " hash BLOB NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY(account, region, token))"
        " WITHOUT ROWID;"
        "CREATE INDEX ddb_token_expires ON ddb_token(expires);"},
};

bool tokens_open(struct tokens *t, struct db *db, char *reterr, size_t reterr_size)
{
    *t = (struct tokens){.db = db};
    return db_migrate(db, "dynamodb_token", migrations, sizeof migrations / sizeof *migrations,
                      reterr, reterr_size);
}

void tokens_close(struct tokens *t)
{
    sqlite3_stmt **slots[] = {&t->find, &t->add, &t->expire};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        db_stmt_drop(t->db, slots[i]);
}

bool tokens_reset(struct tokens *t)
{
    return db_exec(t->db, "DELETE FROM ddb_token");
}

/* ---- what a request says, however it is written ---- */

struct member {
    struct str key;
    struct jval value;
};

static int compare_members(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Recursion as deep as the request's JSON may be; not through the writer, whose depth is for our
 * own documents. */
static void write_sorted(struct buf *b, struct jval v, struct arena *a)
{
    struct jval it = {0};
    size_t count = 0;
    if (jval_kind(v) == JSON_STRING) {
        json_quote(b, jval_text(v, a));
    } else if (jval_kind(v) == JSON_ARRAY) {
        buf_addc(b, '[');
        while (jval_next(v, &it, NULL)) {
            write_sorted(b, it, a);
            buf_addc(b, ',');
        }
        buf_addc(b, ']');
    } else if (jval_kind(v) == JSON_OBJECT) {
        struct member *members = ARENA_ARRAY(a, struct member, jval_count(v));
        while (jval_next(v, &it, NULL)) {
            if (jval_present(it))
                members[count++] = (struct member){jval_key_str(it, a), it};
        }
        qsort(members, count, sizeof *members, compare_members);
        buf_addc(b, '{');
        for (size_t i = 0; i < count; i++) {
            json_quote(b, members[i].key);
            buf_addc(b, ':');
            write_sorted(b, members[i].value, a);
            buf_addc(b, ',');
        }
        buf_addc(b, '}');
    } else {
        buf_add(b, jval_raw(v));
    }
}

void token_hash(struct jval what, struct arena *a, uint8_t out[TOKEN_HASH])
{
    struct buf *b = arena_new_buf(a, TEXT_MAX);
    write_sorted(b, what, a);
    hash_sha256(buf_view(b), out);
}

/* ---- the store ---- */

static void bind_token(sqlite3_stmt *st, const struct token *t)
{
    sqlite3_bind_text64(st, 1, t->account.p, t->account.n, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_text64(st, 2, t->region.p, t->region.n, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_text64(st, 3, t->text.p, t->text.n, SQLITE_STATIC, SQLITE_UTF8);
}

static bool say_failed(struct tokens *t)
{
    log_msg(LOG_ERROR, "dynamodb", "tokens: %s", sqlite3_errmsg(db_handle(t->db)));
    return false;
}

enum token_state tokens_find(struct tokens *t, const struct token *token, int64_t now_ms)
{
    sqlite3_stmt *st = db_stmt(t->db, &t->find,
                               "SELECT hash FROM ddb_token WHERE account = ?1 AND region = ?2"
                               " AND token = ?3 AND expires > ?4");
    bind_token(st, token);
    sqlite3_bind_int64(st, 4, now_ms);
    int rc = sqlite3_step(st);
    enum token_state state = TOKEN_NEW;
    if (rc == SQLITE_ROW) {
        const void *hash = sqlite3_column_blob(st, 0);
        bool same =
            sqlite3_column_bytes(st, 0) == TOKEN_HASH && memcmp(hash, token->hash, TOKEN_HASH) == 0;
        state = same ? TOKEN_DONE : TOKEN_OTHER;
    } else if (rc != SQLITE_DONE) {
        say_failed(t);
        state = TOKEN_FAILED;
    }
    sqlite3_reset(st);
    return state;
}

static bool run(struct tokens *t, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc == SQLITE_DONE || say_failed(t);
}

bool tokens_add(struct tokens *t, const struct token *token, int64_t now_ms)
{
    sqlite3_stmt *st = db_stmt(t->db, &t->expire, "DELETE FROM ddb_token WHERE expires <= ?1");
    sqlite3_bind_int64(st, 1, now_ms);
    if (!run(t, st))
        return false;
    st = db_stmt(t->db, &t->add,
                 "INSERT OR REPLACE INTO ddb_token(account, region, token, hash, expires)"
                 " VALUES(?1, ?2, ?3, ?4, ?5)");
    bind_token(st, token);
    sqlite3_bind_blob(st, 4, token->hash, TOKEN_HASH, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, now_ms + WINDOW_MS);
    return run(t, st);
}
