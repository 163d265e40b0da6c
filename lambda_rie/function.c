/* The function records: a map in memory, and a table with one JSON document a function. */
#include "function.h"
#include "code_store.h"
#include "docs.h"
#include "log.h"
#include "panic.h"
#include "seam.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_MAX = 64 << 20, DOC_MAX = 16 << 20, KEY_BYTES = 256 };

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE lam_functions (key TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID"}};

struct str lam_function_key(struct arena *a, struct str account, struct str region, struct str name)
{
    return arena_fmt(a, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(name));
}

struct lam_function *lam_function_find(struct rie *r, struct str account, struct str region,
                                       struct str id)
{
    char key[KEY_BYTES];
    int n =
        snprintf(key, sizeof key, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(id));
    if (n < 0 || (size_t)n >= sizeof key)
        return NULL;
    return map_get(&r->functions, (struct str){key, (size_t)n});
}

struct lam_function *lam_function_find_version(struct rie *r, const struct lam_function *latest,
                                               struct str version)
{
    char id[KEY_BYTES];
    int n = snprintf(id, sizeof id, "%.*s:%.*s", STR_ARG(latest->name), STR_ARG(version));
    if (n < 0 || (size_t)n >= sizeof id)
        return NULL;
    return lam_function_find(r, latest->account, latest->region, (struct str){id, (size_t)n});
}

bool lam_function_is_version(const struct lam_function *f)
{
    return f->id.n != f->name.n;
}

static int by_name_and_version(const void *a, const void *b)
{
    const struct lam_function *x = *(struct lam_function *const *)a;
    const struct lam_function *y = *(struct lam_function *const *)b;
    int order = str_cmp(x->name, y->name);
    if (order != 0)
        return order;
    if (x->id.n != y->id.n) /* a longer number is a greater one */
        return x->id.n < y->id.n ? -1 : 1;
    return str_cmp(x->id, y->id);
}

size_t lam_functions_sorted(struct rie *r, struct str account, struct str region, struct str name,
                            bool versions, struct arena *a, struct lam_function ***ret)
{
    struct lam_function **all = ARENA_ARRAY(a, struct lam_function *, r->functions.count + 1);
    size_t n = 0, at = 0;
    void *value;
    while (map_next(&r->functions, &at, NULL, &value)) {
        struct lam_function *f = value;
        if (str_eq(f->account, account) && str_eq(f->region, region) &&
            (name.n == 0 || str_eq(f->name, name)) && (versions || !lam_function_is_version(f)))
            all[n++] = f;
    }
    qsort(all, n, sizeof *all, by_name_and_version);
    *ret = all;
    return n;
}

void lam_function_free(struct lam_function *f)
{
    arena_free(f->mem);
}

/* ---- the stored document ---- */

struct field {
    const char *name;
    size_t offset;
};
#define FIELD(member)                                                                              \
    {                                                                                              \
#member, offsetof(struct lam_function, member)                                             \
    }
static const struct field text_fields[] = {
    FIELD(account),      FIELD(region),         FIELD(name),
    FIELD(arn),          FIELD(version),        FIELD(id),
    FIELD(runtime),      FIELD(handler),        FIELD(role),
    FIELD(description),  FIELD(env_json),       FIELD(tags_json),
    FIELD(layers_json),  FIELD(dead_letter),    FIELD(content_id),
    FIELD(architecture), FIELD(log_format),     FIELD(log_group),
    FIELD(tracing),      FIELD(app_log_level),  FIELD(system_log_level),
    FIELD(kms_key),      FIELD(snap_start),     FIELD(update_runtime_on),
    FIELD(runtime_arn),  FIELD(recursive_loop), FIELD(signing_arn),
    FIELD(code_dir),     FIELD(code_sha256),    FIELD(revision_id),
    FIELD(last_modified)};
static const struct field number_fields[] = {
    FIELD(code_size), FIELD(timeout_s),   FIELD(memory_mb),    FIELD(ephemeral_mb),
    FIELD(reserved),  FIELD(provisioned), FIELD(last_version), FIELD(code_unpacked)};
enum {
    TEXT_FIELDS = sizeof text_fields / sizeof *text_fields,
    NUMBER_FIELDS = sizeof number_fields / sizeof *number_fields
};

static struct str *text_at(const struct lam_function *f, size_t i)
{
    return (struct str *)((char *)f + text_fields[i].offset);
}

static int64_t *number_at(const struct lam_function *f, size_t i)
{
    return (int64_t *)((char *)f + number_fields[i].offset);
}

struct lam_function *lam_function_copy(const struct lam_function *base)
{
    struct arena *mem = arena_new(4096, RECORD_MAX);
    struct lam_function *f = ARENA_NEW(mem, struct lam_function);
    if (base != NULL) {
        *f = *base;
        for (size_t i = 0; i < TEXT_FIELDS; i++)
            *text_at(f, i) = arena_str(mem, *text_at(base, i));
    }
    f->mem = mem;
    return f;
}

static void write_doc(const struct lam_function *f, struct json_out *w)
{
    json_obj(w, NULL);
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        json_str(w, text_fields[i].name, *text_at(f, i));
    for (size_t i = 0; i < NUMBER_FIELDS; i++)
        json_i64(w, number_fields[i].name, *number_at(f, i));
    json_bool(w, "is_local", f->is_local);
    json_end(w);
}

/* NULL if text is not such a document. */
static struct lam_function *read_doc(struct rie *r, struct str text)
{
    struct arena *a = arena_new(0, RECORD_MAX);
    struct lam_function *f = NULL;
    struct jval doc;
    if (json_parse(a, text, JSON_DEPTH_DEFAULT, &doc, NULL) && jval_kind(doc) == JSON_OBJECT) {
        f = lam_function_copy(NULL);
        f->reserved = -1;
        for (size_t i = 0; i < TEXT_FIELDS; i++)
            *text_at(f, i) = arena_str(f->mem, jval_text(jval_get(doc, text_fields[i].name), a));
        for (size_t i = 0; i < NUMBER_FIELDS; i++)
            jval_i64(jval_get(doc, number_fields[i].name), number_at(f, i));
        jval_bool(jval_get(doc, "is_local"), &f->is_local);
        if (f->id.n == 0) { /* stored before there were versions */
            f->id = f->name;
            f->version = STR("$LATEST");
        }
        /* the data folder may have been moved */
        ptrdiff_t slash = str_rfind(f->code_dir, '/');
        if (!f->is_local && slash >= 0)
            f->code_dir = arena_fmt(f->mem, "%s%s", r->code_dir, f->code_dir.p + slash);
    }
    arena_free(a);
    return f;
}

/* ---- the store ---- */

/* Everything in the store as records in *ret; false with *reterr set (the map is empty then). */
static bool read_store(struct rie *r, struct map *ret, char *reterr, size_t reterr_size)
{
    sqlite3_stmt *s = NULL;
    bool ok = true;
    int rc;
    map_init(ret);
    if (sqlite3_prepare_v2(db_handle(r->db), "SELECT key, doc FROM lam_functions", -1, &s, NULL) !=
        SQLITE_OK)
        PANIC("lambda: %s", sqlite3_errmsg(db_handle(r->db)));
    while (ok && (rc = sqlite3_step(s)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW) {
            snprintf(reterr, reterr_size, "the functions cannot be read: %s",
                     sqlite3_errmsg(db_handle(r->db)));
            ok = false;
            break;
        }
        struct str key = {(const char *)sqlite3_column_text(s, 0),
                          (size_t)sqlite3_column_bytes(s, 0)};
        struct str doc = {(const char *)sqlite3_column_text(s, 1),
                          (size_t)sqlite3_column_bytes(s, 1)};
        struct lam_function *f = read_doc(r, doc);
        if (f != NULL) {
            map_put(ret, key, f);
        } else {
            snprintf(reterr, reterr_size, "the stored function %.*s is damaged", STR_ARG(key));
            ok = false;
        }
    }
    sqlite3_finalize(s);
    size_t at = 0;
    void *value;
    while (!ok && map_next(ret, &at, NULL, &value))
        lam_function_free(value);
    if (!ok)
        map_release(ret);
    return ok;
}

static bool write_store(struct rie *r, struct str key, const struct lam_function *f)
{
    static const char upsert[] = "INSERT INTO lam_functions (key, doc) VALUES (?1, ?2) "
                                 "ON CONFLICT (key) DO UPDATE SET doc = excluded.doc";
    static const char remove[] = "DELETE FROM lam_functions WHERE key = ?1";
    sqlite3_stmt *s = NULL;
    if (!db_begin(r->db))
        return false;
    struct buf doc;
    buf_init(&doc, DOC_MAX);
    if (f != NULL) {
        struct json_out w;
        json_out_init(&w, &doc);
        write_doc(f, &w);
    }
    bool ok =
        !doc.overflow &&
        sqlite3_prepare_v2(db_handle(r->db), f != NULL ? upsert : remove, -1, &s, NULL) ==
            SQLITE_OK &&
        sqlite3_bind_text(s, 1, key.p, (int)key.n, SQLITE_STATIC) == SQLITE_OK &&
        (f == NULL || sqlite3_bind_text(s, 2, doc.p, (int)doc.n, SQLITE_STATIC) == SQLITE_OK) &&
        sqlite3_step(s) == SQLITE_DONE;
    if (!ok)
        log_msg(LOG_ERROR, "lambda", "%.*s could not be stored: %s", STR_ARG(key),
                sqlite3_errmsg(db_handle(r->db)));
    sqlite3_finalize(s);
    buf_release(&doc);
    return ok;
}

/* ---- the map ---- */

static void put(struct rie *r, struct str key, struct lam_function *f, enum lam_change change)
{
    struct lam_function *before = map_get(&r->functions, key);
    f->generation = before == NULL                 ? 1
                    : change == LAM_CHANGE_RUNNING ? before->generation + 1
                                                   : before->generation;
    f->pool = before != NULL ? before->pool : lam_pool_new(r, f);
    lam_pool_attach(f->pool, f);
    map_put(&r->functions, key, f);
    if (before == NULL)
        return;
    if (change == LAM_CHANGE_RUNNING)
        lam_pool_replace(f->pool);
    if (!before->is_local && !str_eq(before->code_dir, f->code_dir))
        lam_code_doom(r, before->code_dir);
    if (!str_eq(before->layers_json, f->layers_json))
        lam_layers_doom(r, before->layers_json);
    lam_function_free(before);
}

static void drop(struct rie *r, struct str key, struct lam_function *f)
{
    map_del(&r->functions, key);
    lam_pool_free(f->pool);
    if (!f->is_local)
        lam_code_doom(r, f->code_dir);
    lam_layers_doom(r, f->layers_json);
    lam_function_free(f);
}

bool lam_function_save(struct rie *r, struct lam_function *f, enum lam_change change)
{
    struct str key = lam_function_key(f->mem, f->account, f->region, f->id);
    if (!write_store(r, key, f))
        return false;
    put(r, key, f, change);
    return true;
}

static bool delete_record(struct rie *r, struct lam_function *f)
{
    struct str key = lam_function_key(f->mem, f->account, f->region, f->id);
    if (!write_store(r, key, NULL))
        return false;
    drop(r, key, f);
    return true;
}

/* What belongs to f alone: event source mappings stay, as on AWS. */
static bool delete_docs(struct rie *r, const struct lam_function *f)
{
    static const char *const kinds[] = {DOC_ALIAS, DOC_POLICY, DOC_INVOKE, DOC_PROVISIONED};
    struct str prefix = lam_doc_key(f->mem, f->account, f->region, "%.*s/", STR_ARG(f->name));
    bool ok = lam_urls_delete(r, f->account, f->region, f->name);
    for (size_t i = 0; ok && i < sizeof kinds / sizeof *kinds; i++)
        ok = lam_doc_del_all(r, kinds[i], prefix);
    return ok;
}

bool lam_function_delete(struct rie *r, struct lam_function *f)
{
    struct lam_function **all;
    if (lam_function_is_version(f))
        return delete_record(r, f);
    struct arena *a = arena_new(0, RECORD_MAX);
    size_t n = lam_functions_sorted(r, f->account, f->region, f->name, true, a, &all);
    bool ok = delete_docs(r, f);
    while (ok && n > 0)
        ok = delete_record(r, all[--n]);
    arena_free(a);
    return ok;
}

static bool same_record(const struct lam_function *a, const struct lam_function *b)
{
    bool same = a->is_local == b->is_local;
    for (size_t i = 0; same && i < TEXT_FIELDS; i++)
        same = str_eq(*text_at(a, i), *text_at(b, i));
    for (size_t i = 0; same && i < NUMBER_FIELDS; i++)
        same = *number_at(a, i) == *number_at(b, i);
    return same;
}

/* Drops one function that the store does not have; false when there is none. */
static bool drop_one_not_in(struct rie *r, const struct map *stored)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&r->functions, &at, &key, &value)) {
        struct lam_function *f = value;
        if (map_get(stored, key) == NULL) {
            drop(r, lam_function_key(f->mem, f->account, f->region, f->id), f);
            return true;
        }
    }
    return false;
}

/* The limits that the pools keep. */
static void tell_pools(struct rie *r, struct lam_function *f)
{
    if (!lam_function_is_version(f))
        lam_pool_set_reserved(r, f->account, f->region, f->name, f->reserved);
    if (f->provisioned > 0)
        lam_pool_set_provisioned(r, f, (size_t)f->provisioned);
}

/* A commit failed: memory goes back to what the store has. */
static void reload(void *arg)
{
    struct rie *r = arg;
    struct map stored;
    struct str key;
    char error[256];
    size_t at = 0;
    void *value;
    if (!read_store(r, &stored, error, sizeof error)) {
        log_msg(LOG_ERROR, "lambda", "%s", error);
        return;
    }
    while (drop_one_not_in(r, &stored))
        ;
    while (map_next(&stored, &at, &key, &value)) {
        struct lam_function *f = value, *current = map_get(&r->functions, key);
        if (current != NULL && same_record(current, f))
            lam_function_free(f);
        else
            put(r, key, f, LAM_CHANGE_RUNNING), tell_pools(r, f);
    }
    map_release(&stored);
}

bool lam_functions_load(struct rie *r, char *reterr, size_t reterr_size)
{
    struct map stored;
    struct str key;
    size_t at = 0;
    void *value;
    map_init(&r->functions);
    if (!db_migrate(r->db, "lambda", migrations, sizeof migrations / sizeof *migrations, reterr,
                    reterr_size) ||
        !read_store(r, &stored, reterr, reterr_size))
        return false;
    while (map_next(&stored, &at, &key, &value)) {
        put(r, key, value, LAM_CHANGE_RUNNING);
        tell_pools(r, value);
    }
    map_release(&stored);
    db_on_rollback(r->db, reload, r);
    r->follows_store = true;
    return true;
}

void lam_functions_free(struct rie *r)
{
    size_t at = 0;
    void *value;
    if (r->follows_store)
        db_off_rollback(r->db, reload, r);
    while (map_next(&r->functions, &at, NULL, &value)) {
        struct lam_function *f = value;
        lam_pool_free(f->pool);
        lam_function_free(f);
    }
    map_release(&r->functions);
}
