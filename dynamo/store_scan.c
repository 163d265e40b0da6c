/* Reading ranges of rows, of tables and of indexes alike: every statement gives size, checksum,
 * item, key (and the sort key of a table, or the size in the table of an item fetched there). */
#include "hash.h"
#include "store_index.h"
#include "store_internal.h"
#include <string.h>

enum column { COLUMN_SIZE, COLUMN_SUM, COLUMN_ITEM, COLUMN_KEY, COLUMN_LAST };

#define OF_TABLE                                                                                   \
    "SELECT size, sum, item, hk, sk FROM ddb_data_%1$lld"                                          \
    " WHERE (hk, sk) >= (?1, ?2) AND (hk, sk) < (?3, ?4) ORDER BY "
#define OF_COPIES                                                                                  \
    "SELECT size, sum, item, k FROM ddb_entries_%1$lld WHERE k >= ?1 AND k < ?3 ORDER BY "
/* CROSS JOIN: the entries decide the order, each then finds its row. */
#define OF_ROWS(index_size)                                                                        \
    "SELECT " index_size ", d.sum, d.item, i.k, d.size FROM ddb_entries_%1$lld AS i"               \
    " CROSS JOIN ddb_data_%2$lld AS d ON d.id = i.row"                                             \
    " WHERE i.k >= ?1 AND i.k < ?3 ORDER BY "

struct str store_key_end(void)
{
    static char bytes[STORE_KEY_END_MAX];
    if (bytes[0] == 0)
        memset(bytes, 0xFF, sizeof bytes);
    return (struct str){bytes, sizeof bytes};
}

static void bind_range(sqlite3_stmt *st, const struct store_range *range, bool of_index)
{
    bind_blob(st, 1, range->from.hk);
    bind_blob(st, 3, range->to.hk);
    if (!of_index) {
        bind_blob(st, 2, range->from.sk);
        bind_blob(st, 4, range->to.sk);
    }
}

void store_scan_open(struct store *s, int64_t table_id, struct store_stmts *st,
                     const struct store_range *range, struct store_cursor *ret)
{
    *ret = (struct store_cursor){.s = s, .kind = "ddb_data", .id = table_id};
    ret->stmt = range->backward ? store_stmt_of(s, &st->down, OF_TABLE "hk DESC, sk DESC", table_id)
                                : store_stmt_of(s, &st->up, OF_TABLE "hk, sk", table_id);
    bind_range(ret->stmt, range, false);
}

void store_index_scan_open(struct store *s, struct store_index *x, bool whole,
                           const struct store_range *range, struct store_cursor *ret)
{
    *ret = (struct store_cursor){.s = s, .of_index = true, .kind = "ddb_entries", .id = x->id};
    ret->whole = whole && x->copies;
    bool down = range->backward;
    if (ret->whole)
        ret->stmt = store_stmt_of_two(s, down ? &x->down_whole : &x->up_whole,
                                      down ? OF_ROWS("i.size") "i.k DESC" : OF_ROWS("i.size") "i.k",
                                      x->id, x->table_id);
    else if (x->copies)
        ret->stmt = store_stmt_of(s, down ? &x->down : &x->up,
                                  down ? OF_COPIES "k DESC" : OF_COPIES "k", x->id);
    else
        ret->stmt = store_stmt_of_two(s, down ? &x->down : &x->up,
                                      down ? OF_ROWS("d.size") "i.k DESC" : OF_ROWS("d.size") "i.k",
                                      x->id, x->table_id);
    bind_range(ret->stmt, range, true);
}

enum store_result store_scan_next(struct store_cursor *c, struct store_scan_row *ret)
{
    int rc = fault_hit("store.read") ? SQLITE_IOERR : sqlite3_step(c->stmt);
    if (rc != SQLITE_ROW) {
        if (rc != SQLITE_DONE)
            say_failed(c->s);
        store_scan_close(c);
        return rc == SQLITE_DONE ? STORE_NONE : STORE_FAILED;
    }
    ret->item = column(c->stmt, COLUMN_ITEM);
    ret->size = sqlite3_column_int64(c->stmt, COLUMN_SIZE);
    ret->fetched_size = c->whole ? sqlite3_column_int64(c->stmt, COLUMN_LAST) : 0;
    ret->key.hk = column_blob(c->stmt, COLUMN_KEY);
    ret->key.sk = c->of_index ? STR("") : column_blob(c->stmt, COLUMN_LAST);
    if (hash_crc32(ret->item) == (uint32_t)sqlite3_column_int64(c->stmt, COLUMN_SUM))
        return STORE_OK;
    log_msg(LOG_ERROR, "dynamodb",
            "a row of %s_%lld is damaged (checksum): the file has been changed by something else, "
            "or the disk fails",
            c->kind, (long long)c->id);
    store_scan_close(c);
    return STORE_FAILED;
}

void store_scan_close(struct store_cursor *c)
{
    if (c->stmt != NULL)
        sqlite3_reset(c->stmt);
    c->stmt = NULL;
}
