/* A record from a request: defaults, what Puddle cannot do, and the checks that are not in the
 * model. */
#include "arn.h"
#include "docs.h"
#include "function.h"
#include "ids.h"
#include "layers.h"
#include <stdio.h>
#include <string.h>

enum {
    ENV_TEXT_MAX = 4096,
    ENV_ECHO_MAX = 64 * 1024, /* of what is too large, in the error */
    TIMEOUT_MAX = 900,
    MEMORY_MAX = 10240, /* the model says 32768: that is for managed instances */
    TAGS_MAX = 50,
    TEXT_MAX = 2048,         /* ARNs that the model does not limit */
    TAGS_TEXT_MAX = 1 << 17, /* more than 50 tags of the longest keys and values need */
};

/* In the order in which AWS prints them (facts/lambda_errors.tsv row 57, recorded 2025-11). */
static const char *const runtimes[] = {
    "nodejs20.x", "python3.14", "provided.al2023", "python3.12",   "python3.13",
    "nodejs24.x", "nodejs22.x", "java25",          "python3.10",   "python3.11",
    "java21",     "ruby3.3",    "ruby3.4",         "ruby3.2",      "python3.8",
    "python3.9",  "java17",     "nodejs16.x",      "dotnet10",     "dotnet8",
    "java11",     "dotnet6",    "nodejs18.x",      "provided.al2", "java8.al2"};
/* AWS no longer takes these for new functions; code that still says so runs here all the same. */
static const char *const deprecated_runtimes[] = {
    "nodejs",        "nodejs4.3",     "nodejs4.3-edge", "nodejs6.10",    "nodejs8.10", "nodejs10.x",
    "nodejs12.x",    "nodejs14.x",    "java8",          "python2.7",     "python3.6",  "python3.7",
    "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1",  "dotnetcore3.1", "dotnet5.0",  "go1.x",
    "ruby2.5",       "ruby2.7",       "provided"};

static bool in_list(struct str s, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_c(s, list[i]))
            return true;
    }
    return false;
}
#define IN_LIST(s, list) in_list((s), (list), sizeof(list) / sizeof *(list))

bool lam_runtime_known(struct str runtime)
{
    return IN_LIST(runtime, runtimes) || IN_LIST(runtime, deprecated_runtimes);
}

struct str lam_runtime_names(struct arena *a)
{
    struct buf *b = arena_new_buf(a, 4096);
    for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++)
        buf_addf(b, "%s%s", i == 0 ? "" : ", ", runtimes[i]);
    return buf_view(b);
}

static bool check_runtime(struct str runtime, struct arena *a, struct aws_err *err)
{
    return lam_runtime_known(runtime) ||
           aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                    "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy "
                    "enum value set: [%.*s] or be a valid ARN",
                    STR_ARG(runtime), STR_ARG(lam_runtime_names(a)));
}

/* ---- environment variables ---- */

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
    return IN_LIST(key, reserved);
}

/* At most max bytes of s, no character cut in two. */
static struct str clipped(struct str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xC0) == 0x80)
        max--;
    return str_sub(s, 0, max);
}

static bool set_environment(struct lam_function *f, struct jval environment, struct arena *a,
                            struct aws_err *err)
{
    struct jval variables = jval_get(environment, "Variables"), it = {0};
    struct buf *b = arena_new_buf(a, 160 << 20), *used = arena_new_buf(a, 4096);
    struct json_out w;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_next(variables, &it, NULL)) {
        struct str key = jval_key_str(it, a);
        if (reserved_key(key))
            buf_addf(used, "%s%.*s", used->n == 0 ? "" : ", ", STR_ARG(key));
        json_key(&w, key);
        json_str(&w, NULL, jval_text(it, a));
    }
    json_end(&w);
    if (used->n > 0)
        return aws_fail(
            err, a, &LAMBDA_InvalidParameterValueException,
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not supported "
            "for modification. Reserved keys used in this request: %.*s",
            STR_ARG(buf_view(used)));
    if (b->n > ENV_TEXT_MAX) /* AWS measures the JSON text */
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Lambda was unable to configure your environment variables because the "
                        "environment variables you have provided exceeded the 4KB limit. String "
                        "measured: %.*s",
                        STR_ARG(clipped(buf_view(b), ENV_ECHO_MAX)));
    f->env_json = jval_present(variables) ? arena_buf(f->mem, b) : STR_NONE;
    return true;
}

/* ---- what Puddle does not do: an error, never a silent success ---- */

/* Is there anything in v? An empty object, list or text turns a feature off. */
static bool asks_for(struct jval v)
{
    if (jval_kind(v) == JSON_STRING)
        return jval_raw(v).n > 2;
    return jval_present(v) && jval_count(v) > 0;
}

/* There is no EC2 here, so no subnet or security group exists: said as AWS says it. */
static bool check_vpc(struct jval vpc, struct arena *a, struct aws_err *err)
{
    struct jval subnets = jval_get(vpc, "SubnetIds"), groups = jval_get(vpc, "SecurityGroupIds");
    if (jval_count(subnets) > 0)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Error occurred while DescribeSubnets. EC2 Error Code: "
                        "InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID '%.*s' does "
                        "not exist",
                        STR_ARG(jval_text(jval_at(subnets, 0), a)));
    if (jval_count(groups) > 0)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Error occurred while DescribeSecurityGroups. EC2 Error Code: "
                        "InvalidGroup.NotFound. EC2 Error Message: The security group '%.*s' does "
                        "not exist",
                        STR_ARG(jval_text(jval_at(groups, 0), a)));
    return true;
}

static bool check_dead_letter(struct str arn, struct arena *a, struct aws_err *err)
{
    return arn.n == 0 || str_find_str(arn, STR(":sqs:")) > 0 ||
           str_find_str(arn, STR(":sns:")) > 0 ||
           aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                    "The dead letter target %.*s is neither an SQS queue nor an SNS topic.",
                    STR_ARG(arn)); /* unverified */
}

static bool check_snap_start(const struct lam_function *f, struct arena *a, struct aws_err *err)
{
    static const char *const able[] = {"java11",     "java17",     "java21",
                                       "java25",     "python3.12", "python3.13",
                                       "python3.14", "dotnet8",    "dotnet10"};
    return !str_eq_c(f->snap_start, "PublishedVersions") || IN_LIST(f->runtime, able) ||
           aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                    "%.*s is not supported for SnapStart enabled functions.",
                    STR_ARG(f->runtime)); /* unverified */
}

static bool refuse_unsupported(struct jval input, struct arena *a, struct aws_err *err)
{
    static const char *const members[] = {"ImageConfig", "FileSystemConfigs",
                                          "CapacityProviderConfig", "DurableConfig", "PublishTo"};
    static const struct {
        const char *outer, *inner;
    } pairs[] = {{"TenancyConfig", "TenantIsolationMode"}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (asks_for(jval_get(input, members[i])))
            return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                            "Puddle does not support %s yet.", members[i]);
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (asks_for(jval_get(jval_get(input, pairs[i].outer), pairs[i].inner)))
            return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                            "Puddle does not support %s yet.", pairs[i].outer);
    }
    struct str package = jval_text(jval_get(input, "PackageType"), a);
    if (package.n > 0 && !str_eq_c(package, "Zip"))
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Puddle does not support PackageType Image yet.");
    return true;
}

/* ---- the record ---- */

static void set_text(struct lam_function *f, struct str *member, struct jval v)
{
    if (jval_present(v))
        *member = arena_str(f->mem, jval_text(v, f->mem));
}

static void set_defaults(struct lam_function *f, struct str account, struct str region,
                         struct str name)
{
    struct arena *m = f->mem;
    f->account = arena_str(m, account);
    f->region = arena_str(m, region);
    f->id = f->name = arena_str(m, name);
    f->version = STR("$LATEST");
    f->reserved = -1;
    f->update_runtime_on = STR("Auto");
    f->recursive_loop = STR("Terminate");
    f->arn = arn_format(m, "lambda", region, account, arena_fmt(m, "function:%.*s", STR_ARG(name)));
    f->description = f->runtime = f->handler = f->role = STR("");
    f->timeout_s = 3;
    f->memory_mb = 128;
    f->ephemeral_mb = 512;
    f->architecture = STR("x86_64");
    f->tracing = STR("PassThrough");
    f->snap_start = STR("None");
    f->log_format = STR("Text");
    f->log_group = arena_fmt(m, "/aws/lambda/%.*s", STR_ARG(name));
}

static bool set_logging(struct lam_function *f, struct jval logging, struct arena *a,
                        struct aws_err *err)
{
    set_text(f, &f->log_format, jval_get(logging, "LogFormat"));
    set_text(f, &f->log_group, jval_get(logging, "LogGroup"));
    if (str_eq_c(f->log_format, "JSON")) {
        if (f->app_log_level.n == 0)
            f->app_log_level = f->system_log_level = STR("INFO");
        set_text(f, &f->app_log_level, jval_get(logging, "ApplicationLogLevel"));
        set_text(f, &f->system_log_level, jval_get(logging, "SystemLogLevel"));
        return true;
    }
    f->app_log_level = f->system_log_level = STR("");
    if (jval_present(jval_get(logging, "ApplicationLogLevel")) ||
        jval_present(jval_get(logging, "SystemLogLevel")))
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Log levels can only be set when LogFormat is JSON."); /* unverified */
    return true;
}

static bool check_limits(const struct lam_function *f, struct arena *a, struct aws_err *err)
{
    static const char text[] =
        "1 validation error detected: Value '%lld' at '%s' failed to satisfy "
        "constraint: Member must have value less than or equal to %d";
    if (f->timeout_s > TIMEOUT_MAX)
        return aws_fail(err, a, &AWS_ValidationException, text, (long long)f->timeout_s, "timeout",
                        TIMEOUT_MAX); /* unverified: not in the model */
    if (f->memory_mb > MEMORY_MAX)
        return aws_fail(err, a, &AWS_ValidationException, text, (long long)f->memory_mb,
                        "memorySize", MEMORY_MAX); /* unverified */
    return true;
}

bool lam_tags_check(struct jval tags, struct arena *a, struct aws_err *err)
{
    if (!jval_present(tags) || (jval_count(tags) <= TAGS_MAX && jval_raw(tags).n <= TAGS_TEXT_MAX))
        return true;
    return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                    "Number of tags exceeds resource tag limit.");
}

/* A record is small, whatever a request holds. */
static bool check_texts(struct jval input, struct arena *a, struct aws_err *err)
{
    static const char *const members[] = {"Role", "KMSKeyArn", "Runtime", "DeadLetterConfig"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct jval v = jval_get(input, members[i]);
        if (jval_present(v) && jval_raw(v).n > TEXT_MAX)
            return aws_fail(err, a, &LAMBDA_InvalidParameterValueException, "%s is too long.",
                            members[i]); /* unverified */
    }
    return lam_tags_check(jval_get(input, "Tags"), a, err);
}

static bool set_members(struct lam_function *f, struct jval input, struct arena *a,
                        struct aws_err *err)
{
    struct jval runtime = jval_get(input, "Runtime"), logging = jval_get(input, "LoggingConfig");
    struct jval environment = jval_get(input, "Environment");
    set_text(f, &f->runtime, runtime);
    set_text(f, &f->handler, jval_get(input, "Handler"));
    set_text(f, &f->role, jval_get(input, "Role"));
    set_text(f, &f->description, jval_get(input, "Description"));
    set_text(f, &f->kms_key, jval_get(input, "KMSKeyArn"));
    set_text(f, &f->tracing, jval_get(jval_get(input, "TracingConfig"), "Mode"));
    set_text(f, &f->snap_start, jval_get(jval_get(input, "SnapStart"), "ApplyOn"));
    set_text(f, &f->dead_letter, jval_get(jval_get(input, "DeadLetterConfig"), "TargetArn"));
    if (jval_count(jval_get(input, "Architectures")) > 0)
        set_text(f, &f->architecture, jval_at(jval_get(input, "Architectures"), 0));
    jval_i64(jval_get(input, "Timeout"), &f->timeout_s);
    jval_i64(jval_get(input, "MemorySize"), &f->memory_mb);
    jval_i64(jval_get(jval_get(input, "EphemeralStorage"), "Size"), &f->ephemeral_mb);
    if (f->runtime.n == 0 || f->handler.n == 0)
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "Runtime and Handler are mandatory parameters for functions created with "
                        "deployment packages.");
    return (!jval_present(runtime) || check_runtime(f->runtime, a, err)) &&
           check_snap_start(f, a, err) && check_dead_letter(f->dead_letter, a, err) &&
           check_limits(f, a, err) && set_logging(f, logging, a, err) &&
           (!jval_present(environment) || set_environment(f, environment, a, err)) &&
           check_vpc(jval_get(input, "VpcConfig"), a, err);
}

static bool set_layers(struct rie *r, struct lam_function *f, struct jval layers, struct arena *a,
                       struct aws_err *err)
{
    struct str json;
    if (!jval_present(layers))
        return true;
    if (!lam_layers_resolve(r, layers, f->account, f->region, a, &json, err))
        return false;
    f->layers_json = arena_str(f->mem, json);
    return lam_layers_fit(f, a, err);
}

/* It must exist; nothing is verified against it: uploads here are not signed. */
static bool set_signing(struct rie *r, struct lam_function *f, struct str arn, struct arena *a,
                        struct aws_err *err)
{
    if (arn.n == 0)
        return true;
    if (!lam_signing_exists(r, arn, a))
        return aws_fail(err, a, &LAMBDA_CodeSigningConfigNotFoundException,
                        "The code signing configuration cannot be found. Check that the provided "
                        "configuration is not deleted: %.*s.",
                        STR_ARG(arn));
    f->signing_arn = arena_str(f->mem, arn);
    return true;
}

void lam_function_touch(struct lam_function *f)
{
    char uuid[37];
    ids_uuid(uuid);
    f->revision_id = arena_str(f->mem, str_c(uuid));
    f->last_modified = lam_date(f->mem);
}

struct lam_function *lam_function_build(struct rie *r, const struct lam_function *base,
                                        struct jval input, struct str account, struct str region,
                                        struct str name, struct arena *a, struct aws_err *err)
{
    if (!refuse_unsupported(input, a, err) || !check_texts(input, a, err))
        return NULL;
    struct lam_function *f = lam_function_copy(base);
    struct jval tags = jval_get(input, "Tags");
    if (base == NULL)
        set_defaults(f, account, region, name);
    if (base == NULL && jval_count(tags) > 0)
        f->tags_json = arena_str(f->mem, jval_raw(tags));
    if (!set_members(f, input, a, err) || !set_layers(r, f, jval_get(input, "Layers"), a, err) ||
        !set_signing(r, f, jval_text(jval_get(input, "CodeSigningConfigArn"), a), a, err)) {
        lam_function_free(f);
        return NULL;
    }
    lam_function_touch(f);
    return f;
}
