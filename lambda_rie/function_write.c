/* FunctionConfiguration as CreateFunction, GetFunction and the others answer it: the members of
 * facts/lambda.md section 3 in their order. */
#include "codec.h"
#include "function.h"
#include "hash.h"

struct str lam_runtime_arn(const struct lam_function *f, struct arena *a)
{
    /* AWS names the exact build of the runtime by a hash; any 64 hex digits will do */
    uint8_t sha[32];
    hash_sha256(f->runtime, sha);
    return f->runtime_arn.n > 0
               ? arena_str(a, f->runtime_arn)
               : arena_fmt(a, "arn:aws:lambda:%.*s::runtime:%.*s", STR_ARG(f->region),
                           STR_ARG(codec_hex(a, (struct str){(const char *)sha, sizeof sha})));
}

static void write_runtime_version(const struct lam_function *f, struct json_out *w)
{
    struct arena *a = arena_new(0, 1 << 16);
    json_obj(w, "RuntimeVersionConfig");
    json_str(w, "RuntimeVersionArn", lam_runtime_arn(f, a));
    json_end(w);
    arena_free(a);
}

static void write_logging(const struct lam_function *f, struct json_out *w)
{
    bool levels = str_eq_c(f->log_format, "JSON");
    json_obj(w, "LoggingConfig");
    if (levels)
        json_str(w, "ApplicationLogLevel", f->app_log_level);
    json_str(w, "LogFormat", f->log_format);
    json_str(w, "LogGroup", f->log_group);
    if (levels)
        json_str(w, "SystemLogLevel", f->system_log_level);
    json_end(w);
}

static void write_state(enum lam_show show, struct json_out *w)
{
    if (show == LAM_SHOW_LISTED)
        return;
    json_cstr(w, "State", show == LAM_SHOW_PENDING ? "Pending" : "Active");
    if (show == LAM_SHOW_PENDING) {
        json_cstr(w, "StateReason", "The function is being created.");
        json_cstr(w, "StateReasonCode", "Creating");
    }
}

static void write_update_status(enum lam_show show, struct json_out *w)
{
    if (show == LAM_SHOW_PENDING || show == LAM_SHOW_LISTED)
        return;
    json_cstr(w, "LastUpdateStatus", show == LAM_SHOW_UPDATING ? "InProgress" : "Successful");
    if (show == LAM_SHOW_UPDATING) {
        json_cstr(w, "LastUpdateStatusReason", "The function is being created.");
        json_cstr(w, "LastUpdateStatusReasonCode", "Creating");
    }
}

static void write_arn(const struct lam_function *f, struct str qualifier, struct json_out *w)
{
    struct buf arn;
    buf_init(&arn, 1024);
    buf_add(&arn, f->arn);
    if (qualifier.n > 0)
        buf_addf(&arn, ":%.*s", STR_ARG(qualifier));
    json_str(w, "FunctionArn", buf_view(&arn));
    buf_release(&arn);
}

static void write_layers(const struct lam_function *f, struct json_out *w)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct jval list, it = {0};
    if (json_parse(a, f->layers_json, JSON_DEPTH_DEFAULT, &list, NULL)) {
        json_arr(w, "Layers");
        while (jval_next(list, &it, NULL)) {
            json_obj(w, NULL);
            json_copy(w, "Arn", jval_get(it, "Arn"));
            json_copy(w, "CodeSize", jval_get(it, "CodeSize"));
            json_end(w);
        }
        json_end(w);
    }
    arena_free(a);
}

static void write_snap_start(const struct lam_function *f, struct json_out *w)
{
    struct str apply_on = f->snap_start.n > 0 ? f->snap_start : STR("None");
    bool on = lam_function_is_version(f) && !str_eq_c(apply_on, "None"); /* $LATEST never has it */
    json_obj(w, "SnapStart");
    json_str(w, "ApplyOn", apply_on);
    json_cstr(w, "OptimizationStatus", on ? "On" : "Off");
    json_end(w);
}

void lam_function_write_as(const struct lam_function *f, enum lam_show show, struct str qualifier,
                           struct json_out *w)
{
    json_arr(w, "Architectures");
    json_str(w, NULL, f->architecture);
    json_end(w);
    json_str(w, "CodeSha256", f->code_sha256);
    json_i64(w, "CodeSize", f->code_size);
    if (f->dead_letter.n > 0) {
        json_obj(w, "DeadLetterConfig");
        json_str(w, "TargetArn", f->dead_letter);
        json_end(w);
    }
    json_str(w, "Description", f->description);
    if (f->env_json.n > 0) {
        json_obj(w, "Environment");
        json_raw(w, "Variables", f->env_json);
        json_end(w);
    }
    json_obj(w, "EphemeralStorage");
    json_i64(w, "Size", f->ephemeral_mb);
    json_end(w);
    write_arn(f, qualifier, w);
    json_str(w, "FunctionName", f->name);
    json_str(w, "Handler", f->handler);
    if (f->kms_key.n > 0)
        json_str(w, "KMSKeyArn", f->kms_key);
    json_str(w, "LastModified", f->last_modified);
    write_update_status(show, w);
    if (f->layers_json.n > 0)
        write_layers(f, w);
    write_logging(f, w);
    json_i64(w, "MemorySize", f->memory_mb);
    json_cstr(w, "PackageType", "Zip");
    json_str(w, "RevisionId", f->revision_id);
    json_str(w, "Role", f->role);
    json_str(w, "Runtime", f->runtime);
    if (show != LAM_SHOW_LISTED)
        write_runtime_version(f, w);
    write_snap_start(f, w);
    write_state(show, w);
    json_i64(w, "Timeout", f->timeout_s);
    json_obj(w, "TracingConfig");
    json_str(w, "Mode", f->tracing);
    json_end(w);
    json_str(w, "Version", f->version);
}

void lam_function_write(const struct lam_function *f, enum lam_show show, bool with_qualifier,
                        struct json_out *w)
{
    lam_function_write_as(f, show, with_qualifier ? f->version : STR_NONE, w);
}
