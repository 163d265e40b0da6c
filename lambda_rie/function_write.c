/* FunctionConfiguration as CreateFunction, GetFunction and the others answer it: the members of
 * facts/lambda.md section 3 in their order. */
#include "codec.h"
#include "function.h"
#include "hash.h"

static void write_runtime_version(const struct lam_function *f, struct json_out *w)
{
    /* AWS names the exact build of the runtime by a hash; any 64 hex digits will do */
    static const char hex[] = "0123456789abcdef";
    uint8_t sha[32];
    char text[65];
    struct buf arn;
    hash_sha256(f->runtime, sha);
    for (size_t i = 0; i < sizeof sha; i++) {
        text[2 * i] = hex[sha[i] >> 4];
        text[2 * i + 1] = hex[sha[i] & 15];
    }
    text[64] = '\0';
    buf_init(&arn, 512);
    buf_addf(&arn, "arn:aws:lambda:%.*s::runtime:%s", STR_ARG(f->region), text);
    json_obj(w, "RuntimeVersionConfig");
    json_str(w, "RuntimeVersionArn", buf_view(&arn));
    json_end(w);
    buf_release(&arn);
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
    json_cstr(w, "State", show == LAM_SHOW_PENDING ? "Pending" : "Active");
    if (show == LAM_SHOW_PENDING) {
        json_cstr(w, "StateReason", "The function is being created.");
        json_cstr(w, "StateReasonCode", "Creating");
    }
}

static void write_update_status(enum lam_show show, struct json_out *w)
{
    if (show == LAM_SHOW_PENDING)
        return;
    json_cstr(w, "LastUpdateStatus", show == LAM_SHOW_UPDATING ? "InProgress" : "Successful");
    if (show == LAM_SHOW_UPDATING) {
        json_cstr(w, "LastUpdateStatusReason", "The function is being created.");
        json_cstr(w, "LastUpdateStatusReasonCode", "Creating");
    }
}

static void write_arn(const struct lam_function *f, bool with_qualifier, struct json_out *w)
{
    struct buf arn;
    buf_init(&arn, 1024);
    buf_add(&arn, f->arn);
    if (with_qualifier)
        buf_add(&arn, STR(":$LATEST"));
    json_str(w, "FunctionArn", buf_view(&arn));
    buf_release(&arn);
}

void lam_function_write(const struct lam_function *f, enum lam_show show, bool with_qualifier,
                        struct json_out *w)
{
    json_arr(w, "Architectures");
    json_str(w, NULL, f->architecture);
    json_end(w);
    json_str(w, "CodeSha256", f->code_sha256);
    json_i64(w, "CodeSize", f->code_size);
    json_str(w, "Description", f->description);
    if (f->env_json.n > 0) {
        json_obj(w, "Environment");
        json_raw(w, "Variables", f->env_json);
        json_end(w);
    }
    json_obj(w, "EphemeralStorage");
    json_i64(w, "Size", f->ephemeral_mb);
    json_end(w);
    write_arn(f, with_qualifier, w);
    json_str(w, "FunctionName", f->name);
    json_str(w, "Handler", f->handler);
    if (f->kms_key.n > 0)
        json_str(w, "KMSKeyArn", f->kms_key);
    json_str(w, "LastModified", f->last_modified);
    write_update_status(show, w);
    write_logging(f, w);
    json_i64(w, "MemorySize", f->memory_mb);
    json_cstr(w, "PackageType", "Zip");
    json_str(w, "RevisionId", f->revision_id);
    json_str(w, "Role", f->role);
    json_str(w, "Runtime", f->runtime);
    write_runtime_version(f, w);
    json_obj(w, "SnapStart");
    json_str(w, "ApplyOn", f->snap_start.n > 0 ? f->snap_start : STR("None"));
    json_cstr(w, "OptimizationStatus", "Off"); /* $LATEST never has it */
    json_end(w);
    write_state(show, w);
    json_i64(w, "Timeout", f->timeout_s);
    json_obj(w, "TracingConfig");
    json_str(w, "Mode", f->tracing);
    json_end(w);
    json_cstr(w, "Version", "$LATEST");
}
