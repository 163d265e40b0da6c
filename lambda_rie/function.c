#include "function.h"
#include "arn.h"
#include "clock.h"
#include "file.h"
#include "ids.h"
#include "panic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct db_migration migrations[] = {
    {1, "CREATE TABLE lam_functions (key TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID"}};

static struct str key_of(struct arena *a, struct str account, struct str region, struct str name)
{
    return arena_fmt(a, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(name));
}

struct lam_function *lam_function_find(struct rie *r, struct str account, struct str region,
                                       struct str name)
{
    char key[256];
    int n = snprintf(key, sizeof key, "%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region),
                     STR_ARG(name));
    if (n < 0 || (size_t)n >= sizeof key)
        return NULL;
    return map_get(&r->functions, (struct str){key, (size_t)n});
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
    FIELD(account),     FIELD(region),      FIELD(name),         FIELD(arn),
    FIELD(runtime),     FIELD(handler),     FIELD(role),         FIELD(description),
    FIELD(env_json),    FIELD(tags_json),   FIELD(policy_json),  FIELD(architecture),
    FIELD(log_format),  FIELD(log_group),   FIELD(tracing),      FIELD(code_dir),
    FIELD(code_sha256), FIELD(revision_id), FIELD(last_modified)};
static const struct field number_fields[] = {FIELD(code_size), FIELD(timeout_s), FIELD(memory_mb),
                                             FIELD(ephemeral_mb)};
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

static struct lam_function *new_record(const struct lam_function *base)
{
    struct arena *mem = arena_new(4096, 64 << 20);
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

static struct lam_function *read_doc(struct str text)
{
    struct lam_function *f = new_record(NULL);
    struct jval doc;
    if (!json_parse(f->mem, text, JSON_DEPTH_DEFAULT, &doc, NULL)) {
        arena_free(f->mem);
        return NULL;
    }
    for (size_t i = 0; i < TEXT_FIELDS; i++)
        *text_at(f, i) = arena_str(f->mem, jval_text(jval_get(doc, text_fields[i].name), f->mem));
    for (size_t i = 0; i < NUMBER_FIELDS; i++)
        jval_i64(jval_get(doc, number_fields[i].name), number_at(f, i));
    jval_bool(jval_get(doc, "is_local"), &f->is_local);
    return f;
}

bool lam_functions_load(struct rie *r, char *reterr, size_t reterr_size)
{
    if (!db_migrate(r->db, "lambda", migrations, 1, reterr, reterr_size))
        return false;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db_handle(r->db), "SELECT key, doc FROM lam_functions", -1, &s, NULL) !=
        SQLITE_OK)
        PANIC("lambda: %s", sqlite3_errmsg(db_handle(r->db)));
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct str doc = {(const char *)sqlite3_column_text(s, 1),
                          (size_t)sqlite3_column_bytes(s, 1)};
        struct arena *a = arena_new(0, 64 << 20);
        struct lam_function *f = read_doc(arena_str(a, doc));
        arena_free(a);
        if (f == NULL) {
            snprintf(reterr, reterr_size, "a stored function record is damaged");
            sqlite3_finalize(s);
            return false;
        }
        f->pool = lam_pool_new(r);
        map_put(&r->functions, key_of(f->mem, f->account, f->region, f->name), f);
    }
    sqlite3_finalize(s);
    return true;
}

static bool store(struct rie *r, struct str key, const struct lam_function *f)
{
    static const char upsert[] = "INSERT INTO lam_functions (key, doc) VALUES (?1, ?2) "
                                 "ON CONFLICT (key) DO UPDATE SET doc = excluded.doc";
    static const char remove[] = "DELETE FROM lam_functions WHERE key = ?1";
    sqlite3_stmt *s = NULL;
    if (!db_begin(r->db))
        return false;
    struct buf doc;
    buf_init(&doc, 16 << 20);
    if (f != NULL) {
        struct json_out w;
        json_out_init(&w, &doc);
        write_doc(f, &w);
    }
    bool ok =
        sqlite3_prepare_v2(db_handle(r->db), f != NULL ? upsert : remove, -1, &s, NULL) ==
            SQLITE_OK &&
        sqlite3_bind_text(s, 1, key.p, (int)key.n, SQLITE_STATIC) == SQLITE_OK &&
        (f == NULL || sqlite3_bind_text(s, 2, doc.p, (int)doc.n, SQLITE_STATIC) == SQLITE_OK) &&
        sqlite3_step(s) == SQLITE_DONE;
    sqlite3_finalize(s);
    buf_release(&doc);
    return ok;
}

bool lam_function_save(struct rie *r, struct lam_function *f)
{
    struct str key = key_of(f->mem, f->account, f->region, f->name);
    struct lam_function *before = map_get(&r->functions, key);
    if (!store(r, key, f))
        return false;
    f->generation = before != NULL ? before->generation + 1 : 1;
    f->pool = before != NULL ? before->pool : lam_pool_new(r);
    map_put(&r->functions, key, f);
    if (before != NULL) {
        lam_pool_replace(f->pool);
        if (!before->is_local && !str_eq(before->code_dir, f->code_dir))
            file_remove_tree(before->code_dir.p);
        lam_function_free(before);
    }
    return true;
}

bool lam_function_delete(struct rie *r, struct lam_function *f)
{
    struct str key = key_of(f->mem, f->account, f->region, f->name);
    if (!store(r, key, NULL))
        return false;
    map_del(&r->functions, key);
    lam_pool_free(f->pool);
    if (!f->is_local)
        file_remove_tree(f->code_dir.p);
    lam_function_free(f);
    return true;
}

/* ---- names ---- */

struct lam_function *lam_function_resolve(struct rie *r, struct str account, struct str region,
                                          struct str text, struct str qualifier, bool for_invoke,
                                          struct arena *a, struct aws_err *err)
{
    struct str rest = text, name, inline_qualifier = STR_NONE;
    struct arn arn;
    if (arn_parse(text, &arn)) {
        if (arn.region.n > 0 && !str_eq(arn.region, region)) {
            aws_fail(err, a, &LAMBDA_ResourceNotFoundException,
                     "Functions from '%.*s' are not reachable in this region ('%.*s')",
                     STR_ARG(arn.region), STR_ARG(region));
            return NULL;
        }
        account = arn.account;
        rest = arn.resource;
    } else if (str_find_str(text, STR(":function:")) >= 0) {
        account = str_cut(&rest, ':');
    }
    if (str_starts(rest, STR("function:")))
        rest = str_sub(rest, 9, rest.n);
    name = str_cut(&rest, ':');
    if (rest.p != NULL)
        inline_qualifier = rest;
    if (inline_qualifier.n > 0 && qualifier.n > 0 && !str_eq(inline_qualifier, qualifier)) {
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                 "The derived qualifier from the function name does not match the specified "
                 "qualifier.");
        return NULL;
    }
    if (qualifier.n == 0)
        qualifier = inline_qualifier;
    struct lam_function *f = lam_function_find(r, account, region, name);
    bool latest = qualifier.n == 0 || str_eq_c(qualifier, "$LATEST");
    if (f != NULL && latest)
        return f;
    struct str shown = qualifier.n > 0 ? qualifier : for_invoke ? STR("$LATEST") : STR_NONE;
    aws_fail(err, a, &LAMBDA_ResourceNotFoundException,
             "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(region),
             STR_ARG(account), STR_ARG(name), shown.n > 0 ? ":" : "", STR_ARG(shown));
    return NULL;
}

/* ---- building a record from a request ---- */

static bool reserved_key(struct str key)
{
    static const char *const reserved[] = {"_HANDLER",
                                           "_X_AMZN_TRACE_ID",
                                           "AWS_DEFAULT_REGION",
                                           "AWS_REGION",
                                           "AWS_EXECUTION_ENV",
                                           "AWS_LAMBDA_FUNCTION_NAME",
                                           "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                                           "AWS_LAMBDA_FUNCTION_VERSION",
                                           "AWS_LAMBDA_INITIALIZATION_TYPE",
                                           "AWS_LAMBDA_LOG_GROUP_NAME",
                                           "AWS_LAMBDA_LOG_STREAM_NAME",
                                           "AWS_ACCESS_KEY",
                                           "AWS_ACCESS_KEY_ID",
                                           "AWS_SECRET_ACCESS_KEY",
                                           "AWS_SESSION_TOKEN",
                                           "AWS_LAMBDA_RUNTIME_API",
                                           "LAMBDA_TASK_ROOT",
                                           "LAMBDA_RUNTIME_DIR"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (str_eq_c(key, reserved[i]))
            return true;
    }
    return false;
}

static bool set_environment(struct lam_function *f, struct jval environment, struct arena *a,
                            struct aws_err *err)
{
    struct jval variables = jval_get(environment, "Variables"), it = {0};
    struct buf *b = arena_new_buf(a, 16 << 20);
    struct json_out w;
    size_t bytes = 0;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_next(variables, &it, NULL)) {
        struct str key = jval_key_str(it, a), value = jval_text(it, a);
        if (reserved_key(key))
            return aws_fail(
                err, a, &LAMBDA_InvalidParameterValueException,
                "Lambda was unable to configure your environment variables because the environment "
                "variables you have provided contains reserved keys that are currently not "
                "supported for modification. Reserved keys used in this request: %.*s",
                STR_ARG(key));
        bytes += key.n + value.n;
        json_key(&w, key);
        json_str(&w, NULL, value);
    }
    json_end(&w);
    if (bytes > 4096)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Lambda was unable to configure your environment variables because the "
                        "environment variables you have provided exceeded the 4KB limit. String "
                        "measured: %.*s",
                        STR_ARG(buf_view(b)));
    f->env_json = jval_present(variables) ? arena_buf(f->mem, b) : STR_NONE;
    return true;
}

static void set_text(struct lam_function *f, struct str *member, struct jval v)
{
    if (jval_present(v))
        *member = arena_str(f->mem, jval_text(v, f->mem));
}

static bool refuse_unsupported(struct jval input, struct arena *a, struct aws_err *err)
{
    static const char *const members[] = {
        "ImageConfig",   "DeadLetterConfig",       "FileSystemConfigs",
        "Layers",        "CapacityProviderConfig", "DurableConfig",
        "TenancyConfig", "CodeSigningConfigArn"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct jval v = jval_get(input, members[i]);
        if (jval_present(v) && jval_count(v) > 0)
            return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                            "Puddle does not support %s yet.", members[i]);
    }
    if (jval_count(jval_get(jval_get(input, "VpcConfig"), "SubnetIds")) > 0)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Puddle does not support VpcConfig yet.");
    struct str package = jval_text(jval_get(input, "PackageType"), a);
    if (package.n > 0 && !str_eq_c(package, "Zip"))
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Puddle does not support PackageType Image yet.");
    return true;
}

struct lam_function *lam_function_build(struct rie *r, const struct lam_function *base,
                                        struct jval input, struct str account, struct str region,
                                        struct str name, struct arena *a, struct aws_err *err)
{
    (void)r;
    if (!refuse_unsupported(input, a, err))
        return NULL;
    struct lam_function *f = new_record(base);
    struct arena *m = f->mem;
    if (base == NULL) {
        f->account = arena_str(m, account);
        f->region = arena_str(m, region);
        f->name = arena_str(m, name);
        f->arn =
            arn_format(m, "lambda", region, account, arena_fmt(m, "function:%.*s", STR_ARG(name)));
        f->timeout_s = 3;
        f->memory_mb = 128;
        f->ephemeral_mb = 512;
        f->description = f->runtime = f->handler = STR("");
        f->architecture = STR("x86_64");
        f->tracing = STR("PassThrough");
        f->log_format = STR("Text");
        f->log_group = arena_fmt(m, "/aws/lambda/%.*s", STR_ARG(name));
        struct jval tags = jval_get(input, "Tags");
        if (jval_count(tags) > 0)
            f->tags_json = arena_str(m, jval_raw(tags));
    }
    set_text(f, &f->runtime, jval_get(input, "Runtime"));
    set_text(f, &f->handler, jval_get(input, "Handler"));
    set_text(f, &f->role, jval_get(input, "Role"));
    set_text(f, &f->description, jval_get(input, "Description"));
    set_text(f, &f->tracing, jval_get(jval_get(input, "TracingConfig"), "Mode"));
    set_text(f, &f->log_format, jval_get(jval_get(input, "LoggingConfig"), "LogFormat"));
    set_text(f, &f->log_group, jval_get(jval_get(input, "LoggingConfig"), "LogGroup"));
    if (jval_count(jval_get(input, "Architectures")) > 0)
        set_text(f, &f->architecture, jval_at(jval_get(input, "Architectures"), 0));
    jval_i64(jval_get(input, "Timeout"), &f->timeout_s);
    jval_i64(jval_get(input, "MemorySize"), &f->memory_mb);
    jval_i64(jval_get(jval_get(input, "EphemeralStorage"), "Size"), &f->ephemeral_mb);
    struct jval environment = jval_get(input, "Environment");
    bool ok = !jval_present(environment) || set_environment(f, environment, a, err);
    if (ok && (f->runtime.n == 0 || f->handler.n == 0))
        ok = aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                      "Runtime and Handler are mandatory parameters for functions created with "
                      "deployment packages.");
    if (!ok) {
        lam_function_free(f);
        return NULL;
    }
    char uuid[37];
    ids_uuid(uuid);
    f->revision_id = arena_str(m, str_c(uuid));
    char modified[64] = "", iso[25];
    clock_format_iso(clock_now_ms(), iso);
    snprintf(modified, sizeof modified, "%.23s+0000", iso);
    f->last_modified = arena_str(m, str_c(modified));
    return f;
}

void lam_function_write(const struct lam_function *f, enum lam_show show, struct json_out *w)
{
    json_str(w, "FunctionName", f->name);
    json_str(w, "FunctionArn", f->arn);
    json_str(w, "Runtime", f->runtime);
    json_str(w, "Role", f->role);
    json_str(w, "Handler", f->handler);
    json_i64(w, "CodeSize", f->code_size);
    json_str(w, "Description", f->description);
    json_i64(w, "Timeout", f->timeout_s);
    json_i64(w, "MemorySize", f->memory_mb);
    json_str(w, "LastModified", f->last_modified);
    json_str(w, "CodeSha256", f->code_sha256);
    json_cstr(w, "Version", "$LATEST");
    if (f->env_json.n > 0) {
        json_obj(w, "Environment");
        json_raw(w, "Variables", f->env_json);
        json_end(w);
    }
    json_obj(w, "TracingConfig");
    json_str(w, "Mode", f->tracing);
    json_end(w);
    json_str(w, "RevisionId", f->revision_id);
    json_cstr(w, "State", show == LAM_SHOW_PENDING ? "Pending" : "Active");
    if (show == LAM_SHOW_PENDING) {
        json_cstr(w, "StateReason", "The function is being created.");
        json_cstr(w, "StateReasonCode", "Creating");
    } else if (show == LAM_SHOW_UPDATING) {
        json_cstr(w, "LastUpdateStatus", "InProgress");
        json_cstr(w, "LastUpdateStatusReason", "The function is being created.");
        json_cstr(w, "LastUpdateStatusReasonCode", "Creating");
    } else {
        json_cstr(w, "LastUpdateStatus", "Successful");
    }
    json_cstr(w, "PackageType", "Zip");
    json_arr(w, "Architectures");
    json_str(w, NULL, f->architecture);
    json_end(w);
    json_obj(w, "EphemeralStorage");
    json_i64(w, "Size", f->ephemeral_mb);
    json_end(w);
    json_obj(w, "SnapStart");
    json_cstr(w, "ApplyOn", "None");
    json_cstr(w, "OptimizationStatus", "Off");
    json_end(w);
    json_obj(w, "LoggingConfig");
    json_str(w, "LogFormat", f->log_format);
    json_str(w, "LogGroup", f->log_group);
    json_end(w);
}
