/* Everything that touches many files runs on the helper thread. A job owns all it needs: the rie
 * may be gone when its done() runs. */
#include "code_store.h"
#include "clock.h"
#include "codec.h"
#include "file.h"
#include "function.h"
#include "hash.h"
#include "ids.h"
#include "layers.h"
#include "log.h"
#include "panic.h"
#include "zip.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS = 32, PATH_BYTES = 4096 };

/* neither Type nor model class (facts/lambda.md section 3) */
static const struct aws_err_kind entity_too_large = {"RequestEntityTooLargeException", "", 413,
                                                     false, NULL};

/* ---- unpacking ---- */

struct unpack {
    struct arena *mem; /* the helper thread's own */
    struct str base64, zip;
    char temporary[PATH_BYTES], dir[PATH_BYTES], package[PATH_BYTES];
    uint8_t sha[32];
    int64_t unpacked;
    bool bad_base64;
    enum zip_result result;
    struct arena *caller_arena;
    struct lam_code *ret;
    struct wait *wait;
};

static enum zip_result store_package(struct unpack *u)
{
    int error = file_mkdirs(u->temporary, 0755);
    if (error != 0)
        return ZIP_IO;
    enum zip_result result = zip_unpack(u->zip, u->temporary, &u->unpacked);
    if (result == ZIP_OK && ((error = file_write_atomic(u->package, u->zip, 0644)) != 0 ||
                             rename(u->temporary, u->dir) != 0))
        result = ZIP_IO;
    if (result != ZIP_OK) {
        file_remove_tree(u->temporary);
        file_remove_tree(u->package);
    }
    return result;
}

static void unpack_work(void *arg)
{
    struct unpack *u = arg;
    if (!codec_base64_decode(u->mem, u->base64, &u->zip)) {
        u->bad_base64 = true;
        return;
    }
    if (u->zip.n > CODE_ZIPPED_MAX)
        return;
    hash_sha256(u->zip, u->sha);
    u->result = store_package(u);
}

static void explain(const struct unpack *u, struct arena *a, struct aws_err *err)
{
    static const char bad[] = "Could not unzip uploaded file. Please check your file, then try to "
                              "upload again.";
    if (u->bad_base64)
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException, "%s", bad); /* unverified */
    else if (u->zip.n > CODE_ZIPPED_MAX)
        aws_fail(err, a, &entity_too_large, "Zipped size must be smaller than %d bytes",
                 CODE_ZIPPED_MAX);
    else if (u->result == ZIP_EMPTY)
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                 "Uploaded file must be a non-empty zip"); /* unverified */
    else if (u->result == ZIP_BAD || u->result == ZIP_UNSAFE || u->result == ZIP_TOO_MANY)
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException, "%s", bad);
    else if (u->result == ZIP_TOO_LARGE)
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                 "Unzipped size must be smaller than %d bytes", ZIP_UNZIPPED_MAX);
    else if (u->result == ZIP_IO)
        aws_fail(err, a, &LAMBDA_ServiceException, "The function's code could not be written.");
}

static void unpack_done(void *arg)
{
    struct unpack *u = arg;
    struct lam_code *ret = u->ret;
    explain(u, u->caller_arena, &ret->err);
    if (ret->err.kind == NULL) {
        ret->dir = arena_str(u->caller_arena, str_c(u->dir));
        ret->size = (int64_t)u->zip.n;
        ret->unpacked = u->unpacked;
        ret->sha256 =
            codec_base64_encode(u->caller_arena, (struct str){(const char *)u->sha, sizeof u->sha});
    } else if (u->result == ZIP_IO) {
        log_msg(LOG_ERROR, "lambda", "%s could not be written", u->dir);
    } else if (u->result == ZIP_UNSAFE || u->result == ZIP_TOO_MANY) {
        log_msg(LOG_WARN, "lambda", "a package was refused: %s",
                u->result == ZIP_UNSAFE ? "it has entries that lead out of its folder"
                                        : "it has too many entries");
    }
    wait_fire(u->wait, WAIT_READY);
    arena_free(u->mem);
    free(u);
}

void lam_code_unpack(struct rie *r, struct str base64, struct arena *a, struct lam_code *ret,
                     struct wait *w)
{
    struct unpack *u = calloc(1, sizeof *u);
    char id[ID_DIGITS + 1];
    if (u == NULL)
        PANIC("out of memory");
    ids_hex(id, ID_DIGITS);
    *ret = (struct lam_code){0};
    u->mem = arena_new(4096, (size_t)128 << 20);
    u->base64 = base64;
    u->caller_arena = a;
    u->ret = ret;
    u->wait = w;
    /* rie_new has checked that these fit */
    snprintf(u->temporary, PATH_BYTES, "%s/tmp-%s", r->code_dir, id);
    snprintf(u->dir, PATH_BYTES, "%s/fn-%s", r->code_dir, id);
    snprintf(u->package, PATH_BYTES, "%s/fn-%s.zip", r->code_dir, id);
    loop_offload(r->loop, unpack_work, unpack_done, u);
}

/* ---- removing ---- */

struct doomed {
    struct list link;
    char *dir;
};

struct removal { /* paths to remove, each with everything below it */
    char **paths;
    size_t count, cap;
};

static void removal_add(struct removal *m, const char *path)
{
    if (m->count == m->cap) {
        m->cap = m->cap == 0 ? 16 : m->cap * 2;
        m->paths = realloc(m->paths, m->cap * sizeof *m->paths);
        if (m->paths == NULL)
            PANIC("out of memory");
    }
    if ((m->paths[m->count++] = strdup(path)) == NULL)
        PANIC("out of memory");
}

static void removal_work(void *arg)
{
    struct removal *m = arg;
    for (size_t i = 0; i < m->count; i++) {
        int error = file_remove_tree(m->paths[i]);
        if (error != 0)
            log_msg(LOG_WARN, "lambda", "%s is left behind: %s", m->paths[i], strerror(-error));
    }
}

static void removal_done(void *arg)
{
    struct removal *m = arg;
    for (size_t i = 0; i < m->count; i++)
        free(m->paths[i]);
    free(m->paths);
    free(m);
}

static void removal_start(struct rie *r, const struct removal *what)
{
    struct removal *m = malloc(sizeof *m);
    if (m == NULL)
        PANIC("out of memory");
    *m = *what;
    if (m->count == 0)
        removal_done(m);
    else
        loop_offload(r->loop, removal_work, removal_done, m);
}

static bool in_use(struct rie *r, struct str dir)
{
    size_t at = 0;
    void *value;
    while (map_next(&r->functions, &at, NULL, &value)) {
        if (str_eq(((const struct lam_function *)value)->code_dir, dir))
            return true;
    }
    return lam_layers_use(r, dir);
}

void lam_code_purge(struct rie *r)
{
    struct removal m = {0};
    struct list *n;
    if (list_empty(&r->doomed) || r->running > 0) /* the end of an invocation comes here again */
        return;
    if (!sqlite3_get_autocommit(db_handle(r->db))) { /* the change may still be undone */
        timer_set(r->loop, &r->purge_timer, clock_mono_ms() + 1);
        return;
    }
    while ((n = list_pop_front(&r->doomed)) != NULL) {
        struct doomed *d = LIST_ITEM(n, struct doomed, link);
        char package[PATH_BYTES];
        if (!in_use(r, str_c(d->dir)) &&
            (size_t)snprintf(package, sizeof package, "%s.zip", d->dir) < sizeof package) {
            removal_add(&m, d->dir);
            removal_add(&m, package);
        }
        free(d->dir);
        free(d);
    }
    removal_start(r, &m);
}

static void purge_due(struct timer *t)
{
    lam_code_purge(LIST_ITEM(t, struct rie, purge_timer));
}

void lam_code_doom(struct rie *r, struct str dir)
{
    struct doomed *d = malloc(sizeof *d);
    if (d == NULL || (d->dir = strndup(dir.p, dir.n)) == NULL)
        PANIC("out of memory");
    list_push_back(&r->doomed, &d->link);
    r->purge_timer.fn = purge_due;
    timer_set(r->loop, &r->purge_timer, clock_mono_ms());
}

void lam_code_release(struct rie *r)
{
    struct list *n;
    timer_clear(r->loop, &r->purge_timer);
    while ((n = list_pop_front(&r->doomed)) != NULL) {
        struct doomed *d = LIST_ITEM(n, struct doomed, link);
        free(d->dir);
        free(d);
    }
}

/* fn-<id>, fn-<id>.zip or tmp-<id>, with whatever file_write_atomic may have left: ours to remove.
 * *ret_stem is the part up to the id. */
static bool is_ours(const char *name, struct str *ret_stem)
{
    static const char hex[] = "0123456789abcdef";
    struct str text = str_c(name);
    size_t prefix = str_starts(text, STR("fn-")) ? 3 : str_starts(text, STR("tmp-")) ? 4 : 0;
    if (prefix == 0 || strspn(name + prefix, hex) != ID_DIGITS)
        return false;
    *ret_stem = str_sub(text, 0, prefix + ID_DIGITS);
    struct str rest = str_sub(text, prefix + ID_DIGITS, text.n);
    return rest.n == 0 || str_eq_c(rest, ".zip") || str_eq_c(rest, ".zip.tmp");
}

void lam_code_sweep(struct rie *r)
{
    struct removal m = {0};
    struct str stem;
    DIR *d = opendir(r->code_dir);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[PATH_BYTES];
        if (!is_ours(e->d_name, &stem))
            continue;
        snprintf(path, sizeof path, "%s/%.*s", r->code_dir, STR_ARG(stem));
        if (in_use(r, str_c(path)))
            continue;
        snprintf(path, sizeof path, "%s/%s", r->code_dir, e->d_name);
        removal_add(&m, path);
    }
    closedir(d);
    removal_start(r, &m);
}
