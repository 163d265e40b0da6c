/* Reading a template and making what it names: tables, functions, APIs, in this order. */
#include "file.h"
#include "log.h"
#include "map.h"
#include "tpl_plan.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct apply {
    const struct template_env *env;
    struct arena *arena;
    struct tpl_log *log;
};

static bool run(struct apply *x, const struct service *svc, const char *op, struct str json,
                struct jval *ret_body, struct aws_err *err)
{
    *err = (struct aws_err){0};
    return call_run_local(svc, op, x->env->account, x->env->region, json, x->arena, ret_body, err);
}

/* An operation that must succeed: its failure is the template's error. */
static bool must(struct apply *x, const struct service *svc, const char *op, struct str json,
                 struct str id, unsigned line, struct jval *ret_body)
{
    struct aws_err err;
    if (run(x, svc, op, json, ret_body, &err))
        return true;
    return tpl_fail(x->log, line, "%.*s: %.*s", STR_ARG(id), STR_ARG(err.message));
}

/* An existing table stays as it is, with its items. */
static bool apply_table(struct apply *x, const struct plan_table *t)
{
    struct service *svc = ddb_service(x->env->ddb);
    struct aws_err err;
    struct jval ignored;
    struct json_out w;
    struct buf *name = arena_new_buf(x->arena, PLAN_TEXT_MAX);
    json_out_init(&w, name);
    json_obj(&w, NULL);
    json_str(&w, "TableName", t->name);
    json_end(&w);
    if (run(x, svc, "DescribeTable", buf_view(name), NULL, &err))
        return true;
    if (!must(x, svc, "CreateTable", t->create_json, t->id, t->line, &ignored))
        return false;
    for (size_t i = 0; i < t->call_count; i++) {
        const struct plan_call *call = &t->calls[i];
        if (!must(x, svc, call->op, call->json, t->id, call->line, &ignored))
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

/* --- APIs --- */

struct api_build {
    struct apply *x;
    const struct plan_api *api;
    struct service *svc;
    struct map resources; /* path -> resource id (NUL-terminated, in the arena) */
};

static bool make_resource(struct api_build *b, struct str parent, struct str part, struct str path,
                          const struct plan_route *route)
{
    struct jval body;
    struct str input, id;
    struct json_out w;
    struct buf *out = arena_new_buf(b->x->arena, PLAN_TEXT_MAX);
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "parentId", parent);
    json_str(&w, "pathPart", part);
    json_end(&w);
    input = buf_view(out);
    if (!must(b->x, b->svc, "CreateResource", input, route->function_id, route->line, &body))
        return false;
    id = arena_str(b->x->arena, jval_text(jval_get(body, "id"), b->x->arena));
    map_put(&b->resources, path, (void *)(uintptr_t)id.p);
    return true;
}

/* The resource of a path, with all above it. */
static bool need_resource(struct api_build *b, const struct plan_route *route, struct str *ret)
{
    struct str path = route->path, parent = str_c(map_get(&b->resources, STR("/")));
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    for (size_t from = 1; from < path.n;) {
        size_t to = from;
        while (to < path.n && path.p[to] != '/')
            to++;
        struct str prefix = str_sub(path, 0, to);
        if (map_get(&b->resources, prefix) == NULL &&
            !make_resource(b, parent, str_sub(path, from, to), prefix, route))
            return false;
        parent = str_c(map_get(&b->resources, prefix));
        from = to + 1;
    }
    *ret = parent;
    return true;
}

static bool make_route(struct api_build *b, const struct plan_route *route)
{
    struct str resource;
    struct jval body;
    struct json_out w;
    if (!need_resource(b, route, &resource))
        return false;
    struct buf *method = arena_new_buf(b->x->arena, PLAN_TEXT_MAX);
    json_out_init(&w, method);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "resourceId", resource);
    json_str(&w, "httpMethod", route->method);
    json_cstr(&w, "authorizationType", "NONE");
    json_end(&w);
    struct buf *integration = arena_new_buf(b->x->arena, PLAN_TEXT_MAX);
    json_out_init(&w, integration);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "resourceId", resource);
    json_str(&w, "httpMethod", route->method);
    json_cstr(&w, "type", "AWS_PROXY");
    json_cstr(&w, "integrationHttpMethod", "POST");
    json_str(&w, "uri",
             arena_fmt(b->x->arena,
                       "arn:aws:apigateway:%.*s:lambda:path/2015-03-31/functions/%.*s/invocations",
                       STR_ARG(b->x->env->region), STR_ARG(route->function_arn)));
    json_end(&w);
    return must(b->x, b->svc, "PutMethod", buf_view(method), route->function_id, route->line,
                &body) &&
           must(b->x, b->svc, "PutIntegration", buf_view(integration), route->function_id,
                route->line, &body);
}

static bool deploy(struct api_build *b)
{
    struct jval body, variables = {0}, root;
    struct json_out w;
    struct buf *out = arena_new_buf(b->x->arena, PLAN_TEXT_MAX);
    if (b->api->variables_json.n > 0 &&
        json_parse(b->x->arena, b->api->variables_json, JSON_DEPTH_DEFAULT, &root, NULL))
        variables = jval_get(root, "variables");
    json_out_init(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "restApiId", b->api->id);
    json_str(&w, "stageName", b->api->stage);
    if (jval_present(variables))
        json_raw(&w, "variables", jval_raw(variables));
    json_end(&w);
    return must(b->x, b->svc, "CreateDeployment", buf_view(out), b->api->logical_id, b->api->line,
                &body);
}

/* Made anew at every start, under the same id. */
static bool build_api(struct api_build *b)
{
    struct jval body;
    const struct plan_api *api = b->api;
    struct str id = arena_fmt(b->x->arena, "{\"restApiId\":\"%.*s\"}", STR_ARG(api->id));
    if (gateway_has_api(b->x->env->gateway, api->id) &&
        !must(b->x, b->svc, "DeleteRestApi", id, api->logical_id, api->line, &body))
        return false;
    if (!must(b->x, b->svc, "CreateRestApi", api->create_json, api->logical_id, api->line, &body))
        return false;
    struct str root =
        arena_str(b->x->arena, jval_text(jval_get(body, "rootResourceId"), b->x->arena));
    map_put(&b->resources, STR("/"), (void *)(uintptr_t)root.p);
    for (size_t i = 0; i < api->route_count; i++)
        if (!make_route(b, &api->routes[i]))
            return false;
    if (api->route_count > 0)
        return deploy(b);
    tpl_warn(b->x->log, api->line, "%.*s: no event uses this API; it is not deployed",
             STR_ARG(api->logical_id));
    return true;
}

static bool apply_api(struct apply *x, const struct plan_api *api)
{
    struct api_build b = {.x = x, .api = api, .svc = gateway_service(x->env->gateway)};
    map_init(&b.resources);
    bool ok = build_api(&b);
    map_release(&b.resources);
    return ok;
}

static bool apply_plan(struct apply *x, const struct tpl_plan *plan, struct template_summary *ret)
{
    for (size_t i = 0; i < plan->table_count; i++)
        if (!apply_table(x, &plan->tables[i]))
            return false;
    for (size_t i = 0; i < plan->function_count; i++)
        if (!apply_function(x, &plan->functions[i]))
            return false;
    for (size_t i = 0; i < plan->api_count; i++)
        if (!apply_api(x, &plan->apis[i]))
            return false;
    *ret = (struct template_summary){.functions = plan->function_count,
                                     .tables = plan->table_count,
                                     .apis = plan->api_count,
                                     .outputs = plan->outputs};
    if (plan->api_count == 1 && plan->apis[0].route_count > 0) {
        ret->example_api = plan->apis[0].id;
        ret->example_stage = plan->apis[0].stage;
        gateway_set_default(x->env->gateway, ret->example_api, ret->example_stage);
    }
    return true;
}

static bool read_and_apply(struct apply *x, const char *path, struct template_summary *ret)
{
    struct tpl_model model = {
        .log = x->log, .arena = x->arena, .account = x->env->account, .region = x->env->region};
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
