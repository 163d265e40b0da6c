/* The management operations on functions. Code is unpacked on a helper thread, so CreateFunction
 * and UpdateFunctionCode park until that is done. */
#include "codec.h"
#include "file.h"
#include "function.h"
#include "hash.h"
#include "ids.h"
#include "zip.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZIPPED_MAX = 52428800 };

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static struct lam_function *find(struct call *c)
{
    return lam_function_resolve(
        rie_of(c), c->account, c->region, jval_text(jval_get(c->in, "FunctionName"), c->arena),
        jval_text(jval_get(c->in, "Qualifier"), c->arena), false, c->arena, &c->err);
}

/* ---- code ---- */

struct unpack { /* lives in the call's arena; work() touches nothing else */
    struct call *call;
    struct str base64, dir, key;
    struct arena *mem; /* the helper thread's own */
    struct str zip;
    uint8_t sha[32];
    bool bad_base64;
    enum zip_result result;
    struct lam_function *built; /* CreateFunction: the record waiting for its code */
};

static void unpack_work(void *arg)
{
    struct unpack *u = arg;
    if (!codec_base64_decode(u->mem, u->base64, &u->zip)) {
        u->bad_base64 = true;
        return;
    }
    hash_sha256(u->zip, u->sha);
    if (u->zip.n > ZIPPED_MAX)
        return;
    u->result = file_mkdirs(u->dir.p, 0755) != 0 ? ZIP_IO : zip_unpack(u->zip, u->dir.p);
    /* the package itself is kept beside the folder for Code.Location */
    char path[4096];
    if (u->result == ZIP_OK &&
        ((size_t)snprintf(path, sizeof path, "%s.zip", u->dir.p) >= sizeof path ||
         file_write_atomic(path, u->zip, 0644) != 0))
        u->result = ZIP_IO;
}

static void unpack_done(void *arg)
{
    struct unpack *u = arg;
    wait_fire(&u->call->wait, WAIT_READY);
}

/* Starts unpacking of the package in source (Code, or UpdateFunctionCode's input). */
static enum call_status start_unpack(struct call *c, struct jval source, struct str key,
                                     struct lam_function *built,
                                     enum call_status (*resume)(struct call *, enum wait_end))
{
    struct rie *r = rie_of(c);
    struct jval zip = jval_get(source, "ZipFile");
    char id[33];
    if (!jval_present(zip)) {
        if (built != NULL)
            lam_function_free(built);
        if (jval_present(jval_get(source, "S3Bucket")) ||
            jval_present(jval_get(source, "ImageUri")))
            return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                             "Puddle does not support code from S3 or images yet.");
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "Please provide a source for function code."); /* unverified */
    }
    struct unpack *u = ARENA_NEW(c->arena, struct unpack);
    ids_hex(id, 32);
    u->call = c;
    u->base64 = jval_text(zip, c->arena);
    u->dir = arena_fmt(c->arena, "%s/fn-%s", r->code_dir, id);
    u->key = key;
    u->mem = arena_new(4096, (size_t)512 << 20);
    u->built = built;
    c->scratch = u;
    map_put(&r->creating, key, u);
    loop_offload(r->loop, unpack_work, unpack_done, u);
    return call_park(c, resume);
}

/* False with c->err set when the package was no good; its folder is gone then. */
static bool unpack_ok(struct call *c, struct unpack *u)
{
    bool ok = true;
    map_del(&rie_of(c)->creating, u->key);
    if (u->bad_base64 || u->result == ZIP_BAD || u->result == ZIP_UNSAFE)
        ok = aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                      "Could not unzip uploaded file. Please check your file, then try to upload "
                      "again.");
    else if (u->zip.n > ZIPPED_MAX)
        ok = aws_fail(&c->err, c->arena, &LAMBDA_RequestTooLargeException,
                      "Request must be smaller than 70167211 bytes for the CreateFunction "
                      "operation"); /* unverified for zips between 50 MB and the request limit */
    else if (u->result == ZIP_TOO_LARGE)
        ok = aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                      "Unzipped size must be smaller than %d bytes", ZIP_UNZIPPED_MAX);
    else if (u->result == ZIP_IO)
        ok = aws_fail(&c->err, c->arena, &LAMBDA_ServiceException,
                      "The function's code could not be written.");
    if (!ok)
        file_remove_tree(u->dir.p);
    return ok;
}

static void set_code(struct lam_function *f, const struct unpack *u)
{
    f->code_dir = arena_str(f->mem, u->dir);
    f->code_size = (int64_t)u->zip.n;
    f->code_sha256 = codec_base64_encode(f->mem, (struct str){(const char *)u->sha, 32});
    f->is_local = false;
}

static enum call_status reply_configuration(struct call *c, const struct lam_function *f,
                                            enum lam_show show)
{
    json_obj(&c->out, NULL);
    lam_function_write(f, show, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status save_and_reply(struct call *c, struct lam_function *f, enum lam_show show)
{
    if (!lam_function_save(rie_of(c), f)) {
        lam_function_free(f);
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The function could not be stored.");
    }
    return reply_configuration(c, f, show);
}

static enum call_status create_resume(struct call *c, enum wait_end how)
{
    struct unpack *u = c->scratch;
    (void)how;
    if (!unpack_ok(c, u)) {
        lam_function_free(u->built);
        arena_free(u->mem);
        return CALL_FAILED;
    }
    set_code(u->built, u);
    arena_free(u->mem);
    return save_and_reply(c, u->built, LAM_SHOW_PENDING);
}

static bool valid_name(struct str name)
{
    return name.n > 0 && name.n <= 64;
}

enum call_status lam_create_function(struct call *c)
{
    struct rie *r = rie_of(c);
    struct str name = jval_text(jval_get(c->in, "FunctionName"), c->arena);
    ptrdiff_t colon = str_rfind(name, ':');
    bool publish = false;
    if (colon >= 0)
        name = str_sub(name, (size_t)colon + 1, name.n);
    if (!valid_name(name))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "1 validation error detected: Value '%.*s' at 'functionName' failed to "
                         "satisfy constraint: Member must have length less than or equal to 64",
                         STR_ARG(name));
    jval_bool(jval_get(c->in, "Publish"), &publish);
    if (publish)
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "Puddle does not support Publish yet.");
    struct str key = arena_fmt(c->arena, "%.*s/%.*s/%.*s", STR_ARG(c->account), STR_ARG(c->region),
                               STR_ARG(name));
    if (lam_function_find(r, c->account, c->region, name) != NULL ||
        map_get(&r->creating, key) != NULL)
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException, "Function already exist: %.*s",
                         STR_ARG(name));
    struct lam_function *f =
        lam_function_build(r, NULL, c->in, c->account, c->region, name, c->arena, &c->err);
    if (f == NULL)
        return CALL_FAILED;
    return start_unpack(c, jval_get(c->in, "Code"), key, f, create_resume);
}

/* The record to work on, its RevisionId checked. */
static struct lam_function *find_for_update(struct call *c)
{
    struct lam_function *f = find(c);
    struct str revision = jval_text(jval_get(c->in, "RevisionId"), c->arena);
    if (f != NULL && revision.n > 0 && !str_eq(revision, f->revision_id)) {
        aws_fail(&c->err, c->arena, &LAMBDA_PreconditionFailedException,
                 "The Revision Id provided does not match the latest Revision Id. Call the "
                 "GetFunction/GetAlias API to retrieve the latest Revision Id");
        return NULL;
    }
    return f;
}

static enum call_status update_code_resume(struct call *c, enum wait_end how)
{
    struct unpack *u = c->scratch;
    bool dry_run = false, ok = unpack_ok(c, u);
    struct lam_function *f = ok ? find(c) : NULL; /* it may be gone by now */
    (void)how;
    jval_bool(jval_get(c->in, "DryRun"), &dry_run);
    struct lam_function *next = f == NULL
                                    ? NULL
                                    : lam_function_build(rie_of(c), f, (struct jval){0}, f->account,
                                                         f->region, f->name, c->arena, &c->err);
    if (next != NULL)
        set_code(next, u);
    arena_free(u->mem);
    if (next == NULL || dry_run) {
        if (ok)
            file_remove_tree(u->dir.p);
        if (next == NULL)
            return CALL_FAILED;
        enum call_status status = reply_configuration(c, next, LAM_SHOW_ACTIVE);
        lam_function_free(next);
        return status;
    }
    return save_and_reply(c, next, LAM_SHOW_UPDATING);
}

enum call_status lam_update_function_code(struct call *c)
{
    struct lam_function *f = find_for_update(c);
    if (f == NULL)
        return CALL_FAILED;
    struct str key = arena_fmt(c->arena, "%.*s/%.*s/%.*s", STR_ARG(f->account), STR_ARG(f->region),
                               STR_ARG(f->name));
    if (map_get(&rie_of(c)->creating, key) != NULL)
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException,
                         "The operation cannot be performed at this time. An update is in progress "
                         "for resource: %.*s",
                         STR_ARG(f->arn));
    return start_unpack(c, c->in, key, NULL, update_code_resume);
}

enum call_status lam_update_function_configuration(struct call *c)
{
    struct lam_function *f = find_for_update(c);
    if (f == NULL)
        return CALL_FAILED;
    struct lam_function *next =
        lam_function_build(rie_of(c), f, c->in, f->account, f->region, f->name, c->arena, &c->err);
    return next == NULL ? CALL_FAILED : save_and_reply(c, next, LAM_SHOW_UPDATING);
}

/* ---- reading ---- */

enum call_status lam_get_function_configuration(struct call *c)
{
    struct lam_function *f = find(c);
    return f == NULL ? CALL_FAILED : reply_configuration(c, f, LAM_SHOW_ACTIVE);
}

enum call_status lam_get_function(struct call *c)
{
    struct lam_function *f = find(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_obj(&c->out, "Configuration");
    lam_function_write(f, LAM_SHOW_ACTIVE, &c->out);
    json_end(&c->out);
    json_obj(&c->out, "Code");
    json_cstr(&c->out, "RepositoryType", "S3");
    json_str(&c->out, "Location",
             arena_fmt(c->arena, "%s/_puddle/code/%.*s/%.*s/%.*s", rie_of(c)->endpoint_url,
                       STR_ARG(f->account), STR_ARG(f->region), STR_ARG(f->name)));
    json_end(&c->out);
    if (f->tags_json.n > 0)
        json_raw(&c->out, "Tags", f->tags_json);
    json_end(&c->out);
    return CALL_DONE;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(struct lam_function *const *)a)->name,
                   (*(struct lam_function *const *)b)->name);
}

enum call_status lam_list_functions(struct call *c)
{
    struct rie *r = rie_of(c);
    int64_t max_items = 50;
    size_t n = 0, at = 0;
    void *value;
    struct str marker = jval_text(jval_get(c->in, "Marker"), c->arena);
    struct lam_function **all =
        ARENA_ARRAY(c->arena, struct lam_function *, r->functions.count + 1);
    jval_i64(jval_get(c->in, "MaxItems"), &max_items);
    if (max_items > 50)
        max_items = 50;
    while (map_next(&r->functions, &at, NULL, &value)) {
        struct lam_function *f = value;
        if (str_eq(f->account, c->account) && str_eq(f->region, c->region))
            all[n++] = f;
    }
    qsort(all, n, sizeof *all, by_name);
    struct str next = STR_NONE;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Functions");
    for (size_t i = 0; i < n; i++) {
        if (marker.n > 0 && str_cmp(all[i]->name, marker) < 0)
            continue;
        if (max_items-- == 0) {
            next = all[i]->name;
            break;
        }
        json_obj(&c->out, NULL);
        lam_function_write(all[i], LAM_SHOW_ACTIVE, &c->out);
        json_end(&c->out);
    }
    json_end(&c->out);
    if (next.n > 0)
        json_str(&c->out, "NextMarker", next);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_versions_by_function(struct call *c)
{
    struct lam_function *f = find(c);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Versions");
    json_obj(&c->out, NULL);
    lam_function_write(f, LAM_SHOW_ACTIVE, &c->out);
    json_end(&c->out);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_list_tags(struct call *c)
{
    struct lam_function *f = lam_function_resolve(rie_of(c), c->account, c->region,
                                                  jval_text(jval_get(c->in, "Resource"), c->arena),
                                                  STR_NONE, false, c->arena, &c->err);
    if (f == NULL)
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_raw(&c->out, "Tags", f->tags_json.n > 0 ? f->tags_json : STR("{}"));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status lam_delete_function(struct call *c)
{
    struct lam_function *f = find(c);
    if (f == NULL)
        return CALL_FAILED;
    if (!lam_function_delete(rie_of(c), f))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The function could not be deleted.");
    c->out_status = 204; /* the model says 200 */
    return CALL_DONE;
}
