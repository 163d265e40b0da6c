/* Stages: a name under which a deployment is served. */
#include "ops_stage.h"
#include "apigateway_model.h"

enum { STAGE_NAME_MAX = 128, VARIABLES_MAX = 500 };

bool stage_check_settings(struct call *c)
{
    struct str size = gw_in(c, "cacheClusterSize");
    if (jval_present(jval_get(c->in, "canarySettings"))) {
        gw_unsupported(c, "canary stages");
        return false;
    }
    return size.n == 0 || stage_check_cache_size(c, size);
}

/* unverified: the wording */
bool stage_check_name(struct call *c, struct str name)
{
    bool ok = name.n > 0 && name.n <= STAGE_NAME_MAX;
    for (size_t i = 0; ok && i < name.n; i++) {
        char ch = name.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '-' || ch == '_';
    }
    return ok ? true
              : aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                         "Stage name only allows a-zA-Z0-9_-");
}

bool stage_check_variable(struct call *c, struct str name)
{
    bool ok = name.n > 0;
    for (size_t i = 0; ok && i < name.n; i++) {
        char ch = name.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '_';
    }
    return ok || gw_bad(c, "Stage variable names only allow a-zA-Z0-9_: %.*s",
                        STR_ARG(name)); /* unverified: the wording */
}

static bool check_variables(struct call *c)
{
    struct jval it = {0};
    if (jval_count(jval_get(c->in, "variables")) > VARIABLES_MAX) /* unverified */
        return gw_bad(c, "A stage takes at most %d variables", VARIABLES_MAX);
    for (struct jval list = jval_get(c->in, "variables"); jval_next(list, &it, NULL);)
        if (!stage_check_variable(c, jval_key_str(it, c->arena)))
            return false;
    return true;
}

/* A new stage's document into out. */
static void write_stage(struct call *c, struct json_out *w, struct str name, struct str deployment,
                        const char *const *copied)
{
    bool tracing = false, cached = false;
    struct str size = gw_in(c, "cacheClusterSize");
    jval_bool(jval_get(c->in, "tracingEnabled"), &tracing);
    jval_bool(jval_get(c->in, "cacheClusterEnabled"), &cached);
    json_obj(w, NULL);
    json_str(w, "deploymentId", deployment);
    json_str(w, "stageName", name);
    gw_copy_members(c, w, copied);
    json_bool(w, "cacheClusterEnabled", cached);
    if (size.n > 0 || cached)
        json_str(w, "cacheClusterSize", size.n > 0 ? size : STR(STAGE_CACHE_SIZE));
    json_cstr(w, "cacheClusterStatus", cached ? "AVAILABLE" : "NOT_AVAILABLE");
    json_raw(w, "methodSettings", STR("{}"));
    json_bool(w, "tracingEnabled", tracing);
    json_i64(w, "createdDate", c->now_ms / 1000);
    json_i64(w, "lastUpdatedDate", c->now_ms / 1000);
    json_end(w);
}

static struct str touch(struct call *c, struct str text)
{
    return gw_doc_set(c->arena, text, &STR("lastUpdatedDate"), 1,
                      arena_fmt(c->arena, "%lld", (long long)(c->now_ms / 1000)));
}

/* The settings that CreateDeployment may give an existing stage. */
static struct str redeploy_settings(struct call *c, struct str text)
{
    bool on;
    struct str size = gw_in(c, "cacheClusterSize");
    if (jval_bool(jval_get(c->in, "tracingEnabled"), &on))
        text =
            gw_doc_set(c->arena, text, &STR("tracingEnabled"), 1, on ? STR("true") : STR("false"));
    if (size.n > 0)
        text = gw_doc_set(c->arena, text, &STR("cacheClusterSize"), 1, gw_quote(c->arena, size));
    return jval_bool(jval_get(c->in, "cacheClusterEnabled"), &on) ? stage_set_cache(c, text, on)
                                                                  : text;
}

bool stage_deploy(struct call *c, struct str api, struct str name, struct str deployment_id)
{
    static const char *const copied[] = {"variables", NULL};
    struct str text, description = gw_in(c, "stageDescription");
    struct jval variables = jval_get(c->in, "variables"), it = {0};
    if (!check_variables(c))
        return false;
    if (!gw_doc_get(c->svc->state, api, GW_STAGE, name, c->arena, &text)) {
        struct json_out w;
        struct buf *b = arena_new_buf(c->arena, 128 * 1024 * 1024);
        json_out_init(&w, b);
        write_stage(c, &w, name, deployment_id, copied);
        text = buf_view(b);
    } else {
        text =
            gw_doc_set(c->arena, text, &STR("deploymentId"), 1, gw_quote(c->arena, deployment_id));
        while (jval_next(variables, &it, NULL)) {
            struct str path[] = {STR("variables"), jval_key_str(it, c->arena)};
            text = gw_doc_set(c->arena, text, path, 2, jval_raw(it));
        }
        text = touch(c, redeploy_settings(c, text));
    }
    if (description.n > 0)
        text = gw_doc_set(c->arena, text, &STR("description"), 1, gw_quote(c->arena, description));
    return gw_save(c, api, GW_STAGE, name, text);
}

enum call_status gw_create_stage(struct call *c)
{
    static const char *const copied[] = {"description", "variables", "documentationVersion", "tags",
                                         NULL};
    struct gateway *g = c->svc->state;
    struct str api, ignored, name = gw_in(c, "stageName"), deployment = gw_in(c, "deploymentId");
    if (!gw_need_api(c, &api, NULL, NULL) || !stage_check_name(c, name) ||
        !stage_check_settings(c) || !check_variables(c))
        return CALL_FAILED;
    if (!gw_doc_get(g, api, GW_DEPLOYMENT, deployment, c->arena, &ignored))
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException, "Deployment id does not exist");
    if (gw_doc_get(g, api, GW_STAGE, name, c->arena, &ignored))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException, "Stage already exists");
    write_stage(c, &c->out, name, deployment, copied);
    return gw_save(c, api, GW_STAGE, name, buf_view(c->out_buf)) ? CALL_DONE : CALL_FAILED;
}

static bool need_stage(struct call *c, struct str *ret_api, struct str *ret_name,
                       struct str *ret_text)
{
    struct jval doc;
    *ret_name = gw_in(c, "stageName");
    return gw_need_api(c, ret_api, NULL, NULL) &&
           gw_need_doc(c, *ret_api, GW_STAGE, *ret_name, "Invalid stage identifier specified",
                       ret_text, &doc);
}

enum call_status gw_get_stage(struct call *c)
{
    struct str api, name, text;
    if (!need_stage(c, &api, &name, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_stages(struct call *c)
{
    struct str api, only = gw_in(c, "deploymentId");
    struct gw_doc *docs;
    struct jval doc;
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    size_t count = gw_doc_list(c->svc->state, api, GW_STAGE, STR_NONE, 0, c->arena, &docs);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "item");
    for (size_t i = 0; i < count; i++)
        if (only.n == 0 || (json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
                            str_eq(jval_text(jval_get(doc, "deploymentId"), c->arena), only)))
            json_raw(&c->out, NULL, docs[i].text);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw_update_stage(struct call *c)
{
    struct str api, name, text;
    struct patch *patches;
    size_t count;
    if (!need_stage(c, &api, &name, &text) || !stage_check_copies(c) ||
        !gw_patches(c, &patches, &count))
        return CALL_FAILED;
    for (size_t i = 0; i < count; i++)
        if (!stage_patch(c, &patches[i], api, &text))
            return CALL_FAILED;
    text = touch(c, text);
    if (!gw_save(c, api, GW_STAGE, name, text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_delete_stage(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str api, name, text;
    if (!need_stage(c, &api, &name, &text))
        return CALL_FAILED;
    if (db_begin(g->db) && gw_doc_del(g, api, GW_STAGE, name))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}

/* Replies are never kept here, whatever the stage's cache settings, so there is nothing to empty.
 */
enum call_status gw_flush_stage_cache(struct call *c)
{
    struct str api, name, text;
    return need_stage(c, &api, &name, &text) ? CALL_DONE : CALL_FAILED;
}
