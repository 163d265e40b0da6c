/* The operations that change functions. Code is unpacked on a helper thread, so CreateFunction and
 * UpdateFunctionCode park until that is done; meanwhile the name is in rie.creating, so that of two
 * creations of one name the first wins. Reading is in op_function_read.c. */
#include "code_store.h"
#include "function.h"

static struct rie *rie_of(struct call *c)
{
    return c->svc->state;
}

static enum call_status reply_configuration(struct call *c, const struct lam_function *f,
                                            enum lam_show show, bool with_qualifier)
{
    json_obj(&c->out, NULL);
    lam_function_write(f, show, with_qualifier, &c->out);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status save_and_reply(struct call *c, struct lam_function *f, enum lam_show show)
{
    if (!lam_function_save(rie_of(c), f, LAM_CHANGE_RUNNING)) {
        lam_function_free(f);
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The function could not be stored.");
    }
    return reply_configuration(c, f, show, false);
}

/* Publishes f if the request asks for it: the version, or f. NULL with c->err set. */
static const struct lam_function *publish(struct call *c, const struct lam_function *f)
{
    bool wanted = false;
    jval_bool(jval_get(c->in, "Publish"), &wanted);
    return wanted ? lam_version_publish(rie_of(c), f, STR_NONE, c->arena, &c->err) : f;
}

/* ---- code ---- */

struct code_call { /* c->scratch of both operations */
    struct lam_code code;
    struct str key;
    struct lam_function *built; /* CreateFunction: the record waiting for its code */
};

static bool present(struct jval source, const char *member)
{
    return jval_present(jval_get(source, member));
}

/* The seam for packages in S3: until that service is there, they are refused. */
static bool lam_code_from_s3(struct call *c, struct jval source)
{
    (void)source;
    return aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                    "Puddle does not support code from S3 yet.");
}

bool lam_code_check_source(struct call *c, struct jval source)
{
    bool zip = present(source, "ZipFile");
    bool s3 = present(source, "S3Bucket") || present(source, "S3Key");
    const struct aws_err_kind *bad = &LAMBDA_InvalidParameterValueException;
    if (present(source, "ImageUri"))
        return aws_fail(&c->err, c->arena, bad, "%s",
                        c->op->handler == lam_create_function
                            ? "Puddle does not support code from images yet."
                            : "Please don't provide ImageUri when updating a function with "
                              "packageType Zip.");
    if (zip && s3)
        return aws_fail(&c->err, c->arena, bad,
                        "Please do not provide other FunctionCode parameters when providing a "
                        "ZipFile."); /* unverified */
    if (s3)
        return lam_code_from_s3(c, source);
    if (!zip)
        return aws_fail(&c->err, c->arena, bad,
                        "Please provide a source for function code."); /* unverified */
    if (c->http != NULL && c->http->body.n > CODE_REQUEST_MAX) {
        static const struct aws_err_kind too_large = {"RequestEntityTooLargeException", "", 413,
                                                      false, NULL};
        return aws_fail(&c->err, c->arena, &too_large,
                        "Request must be smaller than %d bytes for the %s operation",
                        CODE_REQUEST_MAX, c->op->name);
    }
    return true;
}

static enum call_status start_unpack(struct call *c, struct jval source, struct str key,
                                     struct lam_function *built,
                                     enum call_status (*resume)(struct call *, enum wait_end))
{
    struct code_call *cc = ARENA_NEW(c->arena, struct code_call);
    cc->key = key;
    cc->built = built;
    c->scratch = cc;
    map_put(&rie_of(c)->creating, key, cc);
    enum call_status status = call_park(c, resume);
    lam_code_unpack(rie_of(c), jval_text(jval_get(source, "ZipFile"), c->arena), c->arena,
                    &cc->code, &c->wait);
    return status;
}

static void set_code(struct lam_function *f, const struct lam_code *code)
{
    f->code_dir = arena_str(f->mem, code->dir);
    f->code_size = code->size;
    f->code_unpacked = code->unpacked;
    f->code_sha256 = arena_str(f->mem, code->sha256);
    f->is_local = false;
}

/* Saves f, whose code is new. False with c->err set: f and its code are gone. */
static bool save_with_code(struct call *c, struct lam_function *f)
{
    struct str dir = arena_str(c->arena, f->code_dir);
    if (lam_layers_fit(f, c->arena, &c->err)) {
        if (lam_function_save(rie_of(c), f, LAM_CHANGE_RUNNING))
            return true;
        aws_fail(&c->err, c->arena, &LAMBDA_ServiceException, "The function could not be stored.");
    }
    lam_function_free(f);
    lam_code_doom(rie_of(c), dir);
    return false;
}

/* ---- CreateFunction ---- */

static enum call_status create_resume(struct call *c, enum wait_end how)
{
    struct code_call *cc = c->scratch;
    (void)how;
    map_del(&rie_of(c)->creating, cc->key);
    if (cc->code.err.kind != NULL) {
        lam_function_free(cc->built);
        c->err = cc->code.err;
        return CALL_FAILED;
    }
    set_code(cc->built, &cc->code);
    if (!save_with_code(c, cc->built))
        return CALL_FAILED;
    const struct lam_function *shown = publish(c, cc->built);
    return shown == NULL ? CALL_FAILED : reply_configuration(c, shown, LAM_SHOW_PENDING, false);
}

static bool new_name(struct call *c, struct str *ret_name)
{
    struct str text = jval_text(jval_get(c->in, "FunctionName"), c->arena);
    struct lam_name n;
    const struct aws_err_kind *bad = &LAMBDA_InvalidParameterValueException;
    if (!lam_name_parse(text, &n))
        return aws_fail(&c->err, c->arena, bad, "The function name is not valid.");
    if (n.name.n > FUNCTION_NAME_MAX)
        return aws_fail(&c->err, c->arena, bad,
                        "1 validation error detected: Value '%.*s' at 'functionName' failed to "
                        "satisfy constraint: Member must have length less than or equal to %d",
                        STR_ARG(n.name), FUNCTION_NAME_MAX);
    if (n.region.n > 0 && !str_eq(n.region, c->region))
        return aws_fail(&c->err, c->arena, &LAMBDA_ResourceNotFoundException,
                        "Functions from '%.*s' are not reachable in this region ('%.*s')",
                        STR_ARG(n.region), STR_ARG(c->region));
    if (n.account.n > 0 && !str_eq(n.account, c->account)) {
        static const struct aws_err_kind denied = {"AccessDeniedException", "", 403, false, NULL};
        c->err.kind = &denied; /* recorded without a message */
        return false;
    }
    if (n.qualifier.n > 0)
        return aws_fail(&c->err, c->arena, bad,
                        "A function can only be created by its name."); /* unverified */
    *ret_name = n.name;
    return true;
}

enum call_status lam_create_function(struct call *c)
{
    struct rie *r = rie_of(c);
    struct str name;
    if (!new_name(c, &name) || !lam_code_check_source(c, jval_get(c->in, "Code")))
        return CALL_FAILED;
    struct lam_function *f =
        lam_function_build(r, NULL, c->in, c->account, c->region, name, c->arena, &c->err);
    if (f == NULL)
        return CALL_FAILED;
    struct str key = lam_function_key(c->arena, c->account, c->region, name);
    if (map_get(&r->functions, key) != NULL || map_get(&r->creating, key) != NULL) {
        lam_function_free(f);
        return CALL_FAIL(c, &LAMBDA_ResourceConflictException, "Function already exist: %.*s",
                         STR_ARG(name));
    }
    return start_unpack(c, jval_get(c->in, "Code"), key, f, create_resume);
}

/* ---- updates ---- */

/* The function to update: no other update of it may be running, and RevisionId must be its own. */
static struct lam_function *find_for_update(struct call *c)
{
    struct lam_function *f = lam_latest_of_call(c);
    struct str revision = jval_text(jval_get(c->in, "RevisionId"), c->arena);
    return f != NULL && lam_check_settled(c, f) && lam_check_revision(c, revision, f->revision_id)
               ? f
               : NULL;
}

static enum call_status update_code_resume(struct call *c, enum wait_end how)
{
    struct rie *r = rie_of(c);
    struct code_call *cc = c->scratch;
    bool dry_run = false;
    (void)how;
    map_del(&r->creating, cc->key);
    if (cc->code.err.kind != NULL) {
        c->err = cc->code.err;
        return CALL_FAILED;
    }
    jval_bool(jval_get(c->in, "DryRun"), &dry_run);
    struct lam_function *f = lam_latest_of_call(c); /* it may be gone by now */
    if (f == NULL) {
        lam_code_doom(r, cc->code.dir);
        return CALL_FAILED;
    }
    struct lam_function *next = lam_function_copy(f);
    struct jval architectures = jval_get(c->in, "Architectures");
    if (jval_count(architectures) > 0)
        next->architecture = arena_str(next->mem, jval_text(jval_at(architectures, 0), c->arena));
    set_code(next, &cc->code);
    lam_function_touch(next);
    if (dry_run) {
        reply_configuration(c, next, LAM_SHOW_ACTIVE, false);
        lam_function_free(next);
        lam_code_doom(r, cc->code.dir);
        return CALL_DONE;
    }
    if (!save_with_code(c, next))
        return CALL_FAILED;
    const struct lam_function *shown = publish(c, next);
    return shown == NULL ? CALL_FAILED
                         : reply_configuration(c, shown, LAM_SHOW_UPDATING, shown != next);
}

enum call_status lam_update_function_code(struct call *c)
{
    struct lam_function *f = find_for_update(c);
    if (f == NULL || !lam_code_check_source(c, c->in))
        return CALL_FAILED;
    struct str key = lam_function_key(c->arena, f->account, f->region, f->name);
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

/* ---- DeleteFunction ---- */

enum call_status lam_delete_function(struct call *c)
{
    struct lam_target t;
    if (!lam_target_of_call(c, &t))
        return CALL_FAILED;
    if (str_eq_c(t.qualifier, "$LATEST"))
        return CALL_FAIL(c, &LAMBDA_InvalidParameterValueException,
                         "$LATEST version cannot be deleted without deleting the function.");
    if (t.latest == NULL) {
        t.qualifier = STR_NONE;
        lam_target_missing(&t, c->arena, &c->err);
        return CALL_FAILED;
    }
    if (t.qualifier.n > 0)
        return lam_version_delete(c, &t);
    if (!lam_function_delete(rie_of(c), t.latest))
        return CALL_FAIL(c, &LAMBDA_ServiceException, "The function could not be deleted.");
    c->out_status = 204; /* the model says 200 */
    return CALL_DONE;
}
