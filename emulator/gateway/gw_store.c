/* The one table behind the gateway. */
#include "gw_store.h"
#include "panic.h"
#include <string.h>

static void bind(sqlite3_stmt *s, int at, struct str v)
{
    if (sqlite3_bind_text64(s, at, v.p == NULL ? "" : v.p, v.n, SQLITE_STATIC, SQLITE_UTF8) !=
        SQLITE_OK)
        PANIC("sqlite3_bind_text64 at %d", at);
}

static struct str column(sqlite3_stmt *s, int at, struct arena *a)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    return arena_str(a,
                     (struct str){text == NULL ? "" : text, (size_t)sqlite3_column_bytes(s, at)});
}

static bool run(sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;
    sqlite3_reset(s);
    return ok;
}

bool gw_doc_get(struct gateway *g, struct str api, enum gw_kind kind, struct str id,
                struct arena *a, struct str *ret_text)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->get,
                              "SELECT doc FROM gateway_doc WHERE api = ? AND kind = ? AND id = ?");
    bind(s, 1, api);
    sqlite3_bind_int(s, 2, (int)kind);
    bind(s, 3, id);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    if (found)
        *ret_text = column(s, 0, a);
    sqlite3_reset(s);
    return found;
}

static bool put(struct gateway *g, struct str api, enum gw_kind kind, struct str id,
                struct str account, struct str region, struct str text)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->put,
                              "INSERT INTO gateway_doc(api, kind, id, account, region, doc)"
                              " VALUES(?, ?, ?, ?, ?, ?)"
                              " ON CONFLICT(api, kind, id) DO UPDATE SET doc = excluded.doc");
    bind(s, 1, api);
    sqlite3_bind_int(s, 2, (int)kind);
    bind(s, 3, id);
    bind(s, 4, account);
    bind(s, 5, region);
    bind(s, 6, text);
    return run(s);
}

bool gw_doc_put(struct gateway *g, struct str api, enum gw_kind kind, struct str id,
                struct str account, struct str region, struct str text)
{
    gw_stages_drop(g);
    return put(g, api, kind, id, account, region, text);
}

bool gw_usage_put(struct gateway *g, struct str id, struct str account, struct str region,
                  struct str text)
{
    return put(g, STR(""), GW_USAGE, id, account, region, text);
}

bool gw_doc_del(struct gateway *g, struct str api, enum gw_kind kind, struct str id)
{
    sqlite3_stmt *s =
        db_stmt(g->db, &g->del, "DELETE FROM gateway_doc WHERE api = ? AND kind = ? AND id = ?");
    bind(s, 1, api);
    sqlite3_bind_int(s, 2, (int)kind);
    bind(s, 3, id);
    gw_stages_drop(g);
    return run(s);
}

bool gw_api_del(struct gateway *g, struct str api)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->del_api, "DELETE FROM gateway_doc WHERE api = ?");
    bind(s, 1, api);
    gw_stages_drop(g);
    return run(s);
}

static size_t collect(sqlite3_stmt *s, struct arena *a, struct gw_doc **ret)
{
    size_t count = 0, cap = 0;
    *ret = NULL;
    while (sqlite3_step(s) == SQLITE_ROW) {
        if (count == cap) {
            cap = cap == 0 ? 32 : cap * 2;
            struct gw_doc *grown = ARENA_ARRAY(a, struct gw_doc, cap);
            if (count > 0)
                memcpy(grown, *ret, count * sizeof *grown);
            *ret = grown;
        }
        (*ret)[count++] = (struct gw_doc){column(s, 0, a), column(s, 1, a)};
    }
    sqlite3_reset(s);
    return count;
}

size_t gw_doc_list(struct gateway *g, struct str api, enum gw_kind kind, struct str after,
                   size_t limit, struct arena *a, struct gw_doc **ret)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->list,
                              "SELECT id, doc FROM gateway_doc"
                              " WHERE api = ? AND kind = ? AND id > ? ORDER BY id LIMIT ?");
    bind(s, 1, api);
    sqlite3_bind_int(s, 2, (int)kind);
    bind(s, 3, after);
    sqlite3_bind_int64(s, 4, limit == 0 ? -1 : (sqlite3_int64)limit);
    return collect(s, a, ret);
}

size_t gw_api_list(struct gateway *g, enum gw_kind kind, struct str account, struct str region,
                   struct str after, size_t limit, struct arena *a, struct gw_doc **ret)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->list_apis,
                              "SELECT api, doc FROM gateway_doc WHERE kind = ?5 AND api > ?3"
                              " AND (?1 = '' OR (account = ?1 AND region = ?2))"
                              " ORDER BY api LIMIT ?4");
    bind(s, 1, account);
    bind(s, 2, region);
    bind(s, 3, after);
    sqlite3_bind_int64(s, 4, limit == 0 ? -1 : (sqlite3_int64)limit);
    sqlite3_bind_int(s, 5, (int)kind);
    return collect(s, a, ret);
}

bool gw_api_get(struct gateway *g, enum gw_kind kind, struct str id, struct arena *a,
                struct str *ret_account, struct str *ret_region, struct str *ret_text)
{
    sqlite3_stmt *s = db_stmt(g->db, &g->has,
                              "SELECT account, region, doc FROM gateway_doc"
                              " WHERE api = ? AND kind = ? AND id = ''");
    bind(s, 1, id);
    sqlite3_bind_int(s, 2, (int)kind);
    bool found = sqlite3_step(s) == SQLITE_ROW;
    if (found) {
        *ret_account = column(s, 0, a);
        *ret_region = column(s, 1, a);
        *ret_text = column(s, 2, a);
    }
    sqlite3_reset(s);
    return found;
}

bool gateway_has_api(const struct gateway *g, struct str api_id)
{
    struct gateway *self = (struct gateway *)(uintptr_t)g; /* only its statement slot changes */
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str account, region, text;
    bool found = gw_api_get(self, GW_API, api_id, a, &account, &region, &text) ||
                 gw_api_get(self, GW2_API, api_id, a, &account, &region, &text);
    arena_free(a);
    return found;
}

size_t gateway_api_count(const struct gateway *g)
{
    struct gateway *self = (struct gateway *)(uintptr_t)g;
    sqlite3_stmt *s =
        db_stmt(g->db, &self->count, "SELECT count(*) FROM gateway_doc WHERE kind IN (0, 20)");
    size_t count = sqlite3_step(s) == SQLITE_ROW ? (size_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return count;
}

bool gateway_reset(struct gateway *g)
{
    if (!db_begin(g->db))
        return false;
    gw_stages_drop(g);
    return run(db_stmt(g->db, &g->del_all, "DELETE FROM gateway_doc"));
}

static char kind_rest, kind_http; /* only their addresses count */

bool gw2_has_api(struct gateway *g, struct str api_id)
{
    enum { KINDS_MAX = 10000 };
    const void *known = map_get(&g->api_kinds, api_id);
    if (known == NULL) {
        struct arena *a = arena_new(0, SIZE_MAX);
        struct str account, region, text;
        known =
            gw_api_get(g, GW2_API, api_id, a, &account, &region, &text) ? &kind_http : &kind_rest;
        arena_free(a);
        if (g->api_kinds.count >= KINDS_MAX) /* ids that a client made up */
            gw_forget_lookups(g);
        map_put(&g->api_kinds, api_id, known == &kind_http ? &kind_http : &kind_rest);
    }
    return known == &kind_http;
}

void gw_forget_lookups(struct gateway *g)
{
    map_release(&g->api_kinds);
    map_init(&g->api_kinds);
    g->domains = -1;
}
