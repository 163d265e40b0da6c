/* AWS::Serverless::Function. */
#include "arn.h"
#include "tpl_plan.h"

/* Written to CreateFunction's input as they are. */
static const char *const passed[] = {"Description",   "Handler",          "Runtime",
                                     "Timeout",       "MemorySize",       "Environment",
                                     "Architectures", "EphemeralStorage", NULL};
static const char *const used[] = {"Description",
                                   "Handler",
                                   "Runtime",
                                   "Timeout",
                                   "MemorySize",
                                   "Environment",
                                   "Architectures",
                                   "EphemeralStorage",
                                   "CodeUri",
                                   "FunctionName",
                                   "Role",
                                   "Events",
                                   "Tags",
                                   "PackageType",
                                   "FunctionUrlConfig",
                                   NULL};
/* Nothing a handler run here would notice. */
static const char *const ignored[] = {"Policies",
                                      "PermissionsBoundary",
                                      "AssumeRolePolicyDocument",
                                      "RolePath",
                                      "Tracing",
                                      "TracingConfig",
                                      "KmsKeyArn",
                                      "VpcConfig",
                                      "LoggingConfig",
                                      "CodeSigningConfigArn",
                                      "RuntimeManagementConfig",
                                      "DeploymentPreference",
                                      "AutoPublishCodeSha256",
                                      "VersionDescription",
                                      "SnapStart",
                                      "ProvisionedConcurrencyConfig",
                                      "PropagateTags",
                                      NULL};

/* Code of a plain function: a folder's name, or what cdk packs, which names its folder in the
 * metadata. Not in this form: skipped. */
static bool read_code(struct tpl_model *m, struct tpl_resource *r, struct tpl_node **ret)
{
    const struct tpl_node *asset = tpl_get(r->metadata, "aws:asset:path");
    if (!plan_eval(m, r, "Code", ret))
        return false;
    if (asset != NULL && asset->kind == TPL_SCALAR)
        *ret = tpl_scalar(m->arena, asset->line, asset->text);
    if (*ret == NULL)
        return tpl_fail(m->log, r->line, "%.*s: the property Code is missing", STR_ARG(r->id));
    if ((*ret)->kind == TPL_SCALAR)
        return true;
    tpl_warn(m->log, (*ret)->line,
             "%.*s: Puddle runs code of a folder, not of %s; the function is not made",
             STR_ARG(r->id), tpl_get(*ret, "ZipFile") != NULL ? "ZipFile" : "S3 or an image");
    r->is_skipped = true;
    return true;
}

/* The folder of the code, relative to the template's. */
static bool read_folder(struct tpl_model *m, struct tpl_resource *r, struct str base,
                        struct str *ret)
{
    struct tpl_node *uri;
    if (!(r->is_plain ? read_code(m, r, &uri) : plan_eval(m, r, "CodeUri", &uri)))
        return false;
    if (r->is_skipped)
        return true;
    /* sam: the template's own folder when there is no CodeUri */
    struct str path = uri == NULL ? STR(".") : uri->text;
    if (uri != NULL && (uri->kind != TPL_SCALAR || str_starts(path, STR("s3://")))) {
        tpl_warn(m->log, uri->line, "%.*s: Puddle does not fetch code from S3; it is not made",
                 STR_ARG(r->id));
        r->is_skipped = true;
        return true;
    }
    *ret = path.n > 0 && path.p[0] == '/'
               ? arena_str(m->arena, path)
               : arena_fmt(m->arena, "%.*s/%.*s", STR_ARG(base), STR_ARG(path));
    return true;
}

static bool check_form(struct tpl_model *m, struct tpl_resource *r)
{
    struct tpl_node *package;
    if (!plan_eval(m, r, "PackageType", &package))
        return false;
    const struct tpl_node *inline_code = tpl_get(r->properties, "InlineCode");
    const char *what = inline_code != NULL                                  ? "InlineCode"
                       : package != NULL && !str_eq_c(package->text, "Zip") ? "container images"
                                                                            : NULL;
    if (what != NULL) {
        tpl_warn(m->log, r->line, "%.*s: Puddle does not run %s; it is not made", STR_ARG(r->id),
                 what);
        r->is_skipped = true;
    }
    return true;
}

static bool write_role(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *role;
    if (!plan_eval(m, r, "Role", &role))
        return false;
    /* the role that SAM makes for a function without one */
    struct str arn = role != NULL
                         ? role->text
                         : arn_format(m->arena, "iam", STR(""), m->account,
                                      arena_fmt(m->arena, "role/%.*sRole", STR_ARG(r->id)));
    json_str(w, "Role", arn);
    return true;
}

static bool write_config(struct tpl_model *m, struct tpl_resource *r, struct str name,
                         struct json_out *w)
{
    struct tpl_node *n;
    json_obj(w, NULL);
    json_str(w, "FunctionName", name);
    if (!write_role(m, r, w))
        return false;
    for (size_t i = 0; passed[i] != NULL; i++) {
        if (!plan_eval(m, r, passed[i], &n))
            return false;
        if (n != NULL)
            plan_write_json(w, passed[i], n);
    }
    if (!plan_eval(m, r, "Tags", &n))
        return false;
    if (n != NULL && n->kind == TPL_MAP)
        plan_write_json(w, "Tags", n);
    if (n != NULL && n->kind == TPL_SEQ && r->is_plain) { /* CloudFormation's form */
        json_obj(w, "Tags");
        for (size_t i = 0; i < n->count; i++) {
            json_key(w, plan_text(tpl_get(n->pairs[i].value, "Key")));
            json_str(w, NULL, plan_text(tpl_get(n->pairs[i].value, "Value")));
        }
        json_end(w);
    }
    json_end(w);
    return true;
}

bool plan_function_read(struct tpl_model *m, struct tpl_resource *r, struct str folder,
                        struct tpl_plan *plan)
{
    static const char *const plain_used[] = {
        "Description", "Handler",       "Runtime",          "Timeout", "MemorySize",
        "Environment", "Architectures", "EphemeralStorage", "Code",    "FunctionName",
        "Role",        "Tags",          "PackageType",      NULL};
    const struct plan_properties known = {r->is_plain ? plain_used : used, ignored};
    struct plan_function f = {.id = r->id, .line = r->line};
    struct json_out w;
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (!check_form(m, r) || (!r->is_skipped && !read_folder(m, r, folder, &f.folder)))
        return false;
    if (r->is_skipped)
        return true;
    static const char *const needed[] = {"Handler", "Runtime"};
    for (size_t i = 0; i < 2; i++)
        if (tpl_get(r->properties, needed[i]) == NULL)
            return tpl_fail(m->log, r->line, "%.*s: the property %s is missing", STR_ARG(r->id),
                            needed[i]);
    if (!tpl_resource_name(m, r, &f.name))
        return false;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&w, b);
    if (!write_config(m, r, f.name, &w))
        return false;
    f.config_json = buf_view(b);
    plan->functions[plan->function_count++] = f;
    return true;
}
