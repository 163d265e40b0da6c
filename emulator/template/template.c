/* Reading a template and making what it names: tables, functions, APIs, in this order. */
#include "file.h"
#include "log.h"
#include "tpl_apply.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

bool apply_run(struct apply *x, const struct service *svc, const char *op, struct str json,
               struct jval *ret_body, struct aws_err *err)
{
    *err = (struct aws_err){0};
    return call_run_local(svc, op, x->env->account, x->env->region, json, x->arena, ret_body, err);
}

bool apply_must(struct apply *x, const struct service *svc, const char *op, struct str json,
                struct apply_owner owner, struct jval *ret_body)
{
    struct aws_err err;
    struct jval ignored;
    if (apply_run(x, svc, op, json, ret_body == NULL ? &ignored : ret_body, &err))
        return true;
    return tpl_fail(x->log, owner.line, "%.*s: %.*s", STR_ARG(owner.id), STR_ARG(err.message));
}

struct buf *apply_writer(struct apply *x, struct json_out *ret)
{
    struct buf *b = arena_new_buf(x->arena, PLAN_TEXT_MAX);
    json_out_init(ret, b);
    return b;
}

struct str apply_input(struct apply *x, const char *key, struct str value, const char *key2,
                       struct str value2)
{
    struct json_out w;
    struct buf *b = apply_writer(x, &w);
    json_obj(&w, NULL);
    json_str(&w, key, value);
    if (key2 != NULL)
        json_str(&w, key2, value2);
    json_end(&w);
    return buf_view(b);
}

/* An existing table stays as it is, with its items. */
static bool apply_table(struct apply *x, const struct plan_table *t)
{
    struct service *svc = ddb_service(x->env->ddb);
    struct aws_err err;
    struct jval ignored;
    struct str name = apply_input(x, "TableName", t->name, NULL, STR_NONE);
    if (apply_run(x, svc, "DescribeTable", name, &ignored, &err))
        return true;
    if (!apply_must(x, svc, "CreateTable", t->create_json, (struct apply_owner){t->id, t->line},
                    NULL))
        return false;
    for (size_t i = 0; i < t->call_count; i++) {
        const struct plan_call *call = &t->calls[i];
        if (!apply_must(x, svc, call->op, call->json, (struct apply_owner){t->id, call->line},
                        NULL))
            return false;
    }
    return true;
}

static bool apply_function(struct apply *x, const struct plan_function *f)
{
    struct aws_err err = {0};
    struct stat st;
    if (memchr(f->folder.p, '\0', f->folder.n) != NULL || stat(f->folder.p, &st) != 0 ||
        !S_ISDIR(st.st_mode))
        return tpl_fail(x->log, f->line, "%.*s: the code folder %.*s does not exist",
                        STR_ARG(f->id), STR_ARG(f->folder));
    if (rie_put_local_function(x->env->rie, x->env->account, x->env->region, f->config_json,
                               f->folder.p, x->arena, &err))
        return true;
    return tpl_fail(x->log, f->line, "%.*s: %.*s", STR_ARG(f->id), STR_ARG(err.message));
}

/* --- what both kinds of API share --- */

bool apply_forget_api(struct apply *x, const struct plan_api *api)
{
    struct aws_err err;
    struct jval ignored;
    struct str v2 = apply_input(x, "apiId", api->id, NULL, STR_NONE);
    struct str v1 = apply_input(x, "restApiId", api->id, NULL, STR_NONE);
    if (!gateway_has_api(x->env->gateway, api->id) ||
        apply_run(x, gateway_service_v2(x->env->gateway), "DeleteApi", v2, &ignored, &err))
        return true;
    return apply_must(x, gateway_service(x->env->gateway), "DeleteRestApi", v1,
                      (struct apply_owner){api->logical_id, api->line}, NULL);
}

bool apply_authorizers(struct apply *x, const struct service *svc, const struct plan_api *api,
                       struct str **ret_ids)
{
    struct jval body;
    *ret_ids = ARENA_ARRAY(x->arena, struct str, api->authorizer_count + 1);
    for (size_t i = 0; i < api->authorizer_count; i++) {
        if (api->authorizers[i].is_open)
            continue;
        if (!apply_must(x, svc, "CreateAuthorizer", api->authorizers[i].create_json,
                        (struct apply_owner){api->logical_id, api->line}, &body))
            return false;
        (*ret_ids)[i] = jval_text(jval_get(body, api->is_http ? "authorizerId" : "id"), x->arena);
    }
    return true;
}

struct str apply_authorizer_id(const struct plan_api *api, const struct plan_route *route,
                               const struct str *ids)
{
    return route->authorizer == NULL ? STR("") : ids[route->authorizer - api->authorizers];
}

struct jval apply_variables(struct apply *x, const struct plan_api *api)
{
    struct jval root;
    if (api->variables_json.n > 0 &&
        json_parse(x->arena, api->variables_json, JSON_DEPTH_DEFAULT, &root, NULL))
        return jval_get(root, "variables");
    return (struct jval){0};
}

static bool apply_url(struct apply *x, const struct plan_url *u)
{
    struct aws_err err = {0};
    return rie_put_local_url(x->env->rie, x->env->account, x->env->region, u->config_json,
                             u->url_id, x->arena, &err) ||
           tpl_fail(x->log, u->line, "%.*s: %.*s", STR_ARG(u->function_id), STR_ARG(err.message));
}

static bool apply_plan(struct apply *x, const struct tpl_plan *plan, struct template_summary *ret)
{
    struct buf *keys = arena_new_buf(x->arena, PLAN_TEXT_MAX);
    for (size_t i = 0; i < plan->table_count; i++)
        if (!apply_table(x, &plan->tables[i]))
            return false;
    for (size_t i = 0; i < plan->function_count; i++)
        if (!apply_function(x, &plan->functions[i]))
            return false;
    for (size_t i = 0; i < plan->api_count; i++)
        if (!(plan->apis[i].is_http ? apply_http_api : apply_rest_api)(x, &plan->apis[i]))
            return false;
    for (size_t i = 0; i < plan->url_count; i++)
        if (!apply_url(x, &plan->urls[i]))
            return false;
    if (!apply_usage_plans(x, plan, keys))
        return false;
    *ret =
        (struct template_summary){.functions = plan->function_count,
                                  .tables = plan->table_count,
                                  .apis = plan->api_count,
                                  .outputs = arena_fmt(x->arena, "%.*s%.*s", STR_ARG(plan->outputs),
                                                       STR_ARG(buf_view(keys)))};
    if (plan->api_count == 1 && (plan->apis[0].route_count > 0 || plan->apis[0].definition.n > 0)) {
        ret->example_api = plan->apis[0].id;
        ret->example_stage = plan->apis[0].stage;
        gateway_set_default(x->env->gateway, ret->example_api, ret->example_stage);
    }
    return true;
}

static bool read_and_apply(struct apply *x, const char *path, struct template_summary *ret)
{
    struct tpl_model model = {.log = x->log,
                              .arena = x->arena,
                              .account = x->env->account,
                              .region = x->env->region,
                              .url = x->env->url};
    struct tpl_plan plan;
    struct str text;
    ptrdiff_t slash = str_rfind(str_c(path), '/');
    struct str folder = slash < 0    ? STR(".")
                        : slash == 0 ? STR("/")
                                     : str_sub(str_c(path), 0, (size_t)slash);
    int error = file_read(x->arena, path, TPL_FILE_MAX, &text);
    if (error != 0) {
        snprintf(x->log->err, x->log->err_size, "%s: %s", path,
                 error == -EFBIG ? "a template is at most 1 MB" : strerror(-error));
        return false;
    }
    model.folder = folder;
    model.root = tpl_parse(x->log, text);
    return model.root != NULL && tpl_model_build(&model, x->env) &&
           tpl_plan_build(&model, folder, &plan) && apply_plan(x, &plan, ret);
}

bool template_apply(const char *path, const struct template_env *env, struct arena *a,
                    struct template_summary *ret, char *reterr, size_t reterr_size)
{
    const char *slash = strrchr(path, '/');
    struct tpl_log log = {.arena = a,
                          .file = slash == NULL ? path : slash + 1,
                          .err = reterr,
                          .err_size = reterr_size};
    struct apply x = {.env = env, .arena = a, .log = &log};
    *ret = (struct template_summary){0};
    if (reterr_size > 0)
        reterr[0] = '\0';
    bool ok = read_and_apply(&x, path, ret);
    for (size_t i = 0; i < log.warning_count; i++)
        log_msg(LOG_WARN, "template", "%s:%u: %.*s", log.file, log.warnings[i].line,
                STR_ARG(log.warnings[i].text));
    return ok;
}
