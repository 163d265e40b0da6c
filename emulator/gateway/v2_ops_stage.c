/* Stages and deployments of HTTP APIs. A deployment is a snapshot of the API's routes,
 * integrations, authorizers and CORS configuration; a stage with autoDeploy gets a new one with
 * every change. */
#include "ids.h"
#include "panic.h"
#include "v2.h"

#define AUTOMATIC "Automatic deployment triggered by changes to the Api configuration"
enum { SNAPSHOT_MAX = 32 << 20, VARIABLES_MAX = 500 };

static void add_all(struct call *c, struct json_out *w, const char *key, struct str api,
                    enum gw_kind kind)
{
    struct gw_doc *docs;
    size_t count = gw_doc_list(c->svc->state, api, kind, STR_NONE, 0, c->arena, &docs);
    json_arr(w, key);
    for (size_t i = 0; i < count; i++)
        json_raw(w, NULL, docs[i].text);
    json_end(w);
}

static bool save_snapshot(struct call *c, struct str api, struct str deployment)
{
    struct str account, region, text;
    struct buf *b = arena_new_buf(c->arena, SNAPSHOT_MAX);
    struct json_out w;
    if (!gw_api_get(c->svc->state, GW2_API, api, c->arena, &account, &region, &text))
        return gw_fail_store(c);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_raw(&w, "api", text);
    add_all(c, &w, "routes", api, GW2_ROUTE);
    add_all(c, &w, "integrations", api, GW2_INTEGRATION);
    add_all(c, &w, "authorizers", api, GW2_AUTHORIZER);
    json_end(&w);
    return !b->overflow ? v2_save(c, api, GW2_SNAPSHOT, deployment, buf_view(b)) : gw_fail_store(c);
}

bool v2_deploy(struct call *c, struct str api, struct str description, bool automatic,
               struct str *ret_id)
{
    char id[7];
    struct buf *b = arena_new_buf(c->arena, 64 << 10);
    struct json_out w;
    ids_lower_alnum(id, 6);
    *ret_id = arena_str(c->arena, str_c(id));
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_bool(&w, "autoDeployed", automatic);
    json_str(&w, "createdDate", v2_now(c));
    json_str(&w, "deploymentId", *ret_id);
    json_cstr(&w, "deploymentStatus", "DEPLOYED");
    if (description.n > 0)
        json_str(&w, "description", description);
    json_end(&w);
    return v2_save(c, api, GW2_DEPLOYMENT, *ret_id, buf_view(b)) && save_snapshot(c, api, *ret_id);
}

static struct str set_text(struct call *c, struct str text, const char *member, struct str value)
{
    struct str path = str_c(member);
    return gw_doc_set(c->arena, text, &path, 1, gw_quote(c->arena, value));
}

bool v2_stage_point(struct call *c, struct str api, struct str stage, struct str deployment)
{
    struct str text;
    if (!gw_doc_get(c->svc->state, api, GW2_STAGE, stage, c->arena, &text))
        return gw_fail_store(c);
    text = set_text(c, text, "deploymentId", deployment);
    text = set_text(c, text, "lastUpdatedDate", v2_now(c));
    text = set_text(c, text, "lastDeploymentStatusMessage",
                    arena_fmt(c->arena, "Successfully deployed stage with deployment ID '%.*s'",
                              STR_ARG(deployment)));
    return v2_save(c, api, GW2_STAGE, stage, text);
}

struct stages { /* of an API, parsed */
    struct gw_doc *docs;
    struct jval *parsed;
    size_t count;
};

static bool load_stages(struct call *c, struct str api, struct stages *ret)
{
    ret->count = gw_doc_list(c->svc->state, api, GW2_STAGE, STR_NONE, 0, c->arena, &ret->docs);
    ret->parsed = ARENA_ARRAY(c->arena, struct jval, ret->count + 1);
    for (size_t i = 0; i < ret->count; i++) {
        if (!json_parse(c->arena, ret->docs[i].text, JSON_DEPTH_DEFAULT, &ret->parsed[i], NULL))
            return gw_fail_store(c);
    }
    return true;
}

static struct str deployment_of(struct call *c, const struct stages *s, size_t i)
{
    return jval_text(jval_get(s->parsed[i], "deploymentId"), c->arena);
}

static bool is_auto(const struct stages *s, size_t i)
{
    bool automatic = false;
    jval_bool(jval_get(s->parsed[i], "autoDeploy"), &automatic);
    return automatic;
}

/* An automatic deployment that no stage serves any more: AWS lists them for ever, here they would
 * only grow with every change. */
static bool forget_deployment(struct call *c, struct str api, struct str id)
{
    struct gateway *g = c->svc->state;
    struct str text;
    struct jval doc;
    bool automatic = false;
    if (id.n == 0 || !gw_doc_get(g, api, GW2_DEPLOYMENT, id, c->arena, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !jval_bool(jval_get(doc, "autoDeployed"), &automatic) || !automatic)
        return true;
    return (gw_doc_del(g, api, GW2_DEPLOYMENT, id) && gw_doc_del(g, api, GW2_SNAPSHOT, id)) ||
           gw_fail_store(c);
}

bool v2_changed(struct call *c, struct str api)
{
    struct stages s;
    struct str deployment = STR("");
    if (!load_stages(c, api, &s))
        return false;
    for (size_t i = 0; i < s.count; i++) {
        if (!is_auto(&s, i))
            continue;
        if (deployment.n == 0 && !v2_deploy(c, api, STR(AUTOMATIC), true, &deployment))
            return false;
        if (!v2_stage_point(c, api, s.docs[i].id, deployment))
            return false;
    }
    for (size_t i = 0; i < s.count && deployment.n > 0; i++) {
        struct str old = deployment_of(c, &s, i);
        bool served = false;
        for (size_t k = 0; k < s.count; k++)
            served |= !is_auto(&s, k) && str_eq(deployment_of(c, &s, k), old);
        if (is_auto(&s, i) && !served && !forget_deployment(c, api, old))
            return false;
    }
    return true;
}

/* ---- stages ---- */

static bool check_name(struct call *c, struct str name)
{
    bool ok = name.n > 0 && name.n <= 128;
    for (size_t i = 0; ok && i < name.n; i++) {
        char ch = name.p[i];
        ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
             ch == '-' || ch == '_';
    }
    return ok || str_eq_c(name, "$default") ||
           v2_bad(c, "Stage name must be $default or match [a-zA-Z0-9_-]+"); /* unverified */
}

static bool check_settings(struct call *c, struct str api)
{
    struct jval it = {0}, doc;
    struct gw_doc *docs;
    struct jval settings = jval_get(c->in, "routeSettings");
    size_t count = gw_doc_list(c->svc->state, api, GW2_ROUTE, STR_NONE, 0, c->arena, &docs);
    while (jval_next(settings, &it, NULL)) {
        struct str key = jval_key_str(it, c->arena);
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
                    str_eq(jval_text(jval_get(doc, "routeKey"), c->arena), key);
        if (!found)
            return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                            "Unable to find Route by key %.*s within the provided RouteSettings",
                            STR_ARG(key));
    }
    return jval_count(jval_get(c->in, "stageVariables")) <= VARIABLES_MAX ||
           v2_bad(c, "A stage takes at most %d variables", VARIABLES_MAX);
}

static bool check_deployment(struct call *c, struct str api, struct str id)
{
    return id.n == 0 || v2_has(c, api, &v2_deployment, id) ||
           aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                    "Invalid Deployment identifier specified %.*s", STR_ARG(id));
}

static void fill_stage(struct call *c, struct json_out *w)
{
    static const char *const empty[] = {"routeSettings", "stageVariables", "tags"};
    if (!jval_present(jval_get(c->in, "autoDeploy")))
        json_bool(w, "autoDeploy", false);
    json_str(w, "createdDate", v2_now(c));
    json_str(w, "lastUpdatedDate", v2_now(c));
    if (!jval_present(jval_get(c->in, "defaultRouteSettings")))
        json_raw(w, "defaultRouteSettings", STR("{\"detailedMetricsEnabled\":false}"));
    for (size_t i = 0; i < 3; i++) {
        if (!jval_present(jval_get(c->in, empty[i])))
            json_raw(w, empty[i], STR("{}"));
    }
}

/* The stage as it is stored, with what deploying has added. */
static enum call_status answer_stage(struct call *c, struct str api, struct str name)
{
    struct str text;
    if (!gw_doc_get(c->svc->state, api, GW2_STAGE, name, c->arena, &text)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    buf_clear(c->out_buf);
    json_out_init(&c->out, c->out_buf);
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw2_create_stage(struct call *c)
{
    struct str api, name = gw_in(c, "stageName");
    if (!v2_need_api(c, &api, NULL, NULL) || !check_name(c, name) || !check_settings(c, api) ||
        !check_deployment(c, api, gw_in(c, "deploymentId")))
        return CALL_FAILED;
    if (v2_has(c, api, &v2_stage, name))
        return CALL_FAIL(c, &APIGATEWAYV2_ConflictException, "Stage already exists");
    if (v2_create(c, &v2_stage, api, name, fill_stage, NULL) != CALL_DONE)
        return CALL_FAILED;
    return answer_stage(c, api, name);
}

enum call_status gw2_get_stage(struct call *c)
{
    return v2_answer(c, &v2_stage);
}

enum call_status gw2_get_stages(struct call *c)
{
    return v2_answer_all(c, &v2_stage);
}

enum call_status gw2_update_stage(struct call *c)
{
    static const char *const maps[] = {"stageVariables", "routeSettings", NULL};
    struct v2_target t;
    struct str deployment = gw_in(c, "deploymentId"), made;
    bool was = false, is = false;
    if (!v2_need(c, &v2_stage, &t) || !check_settings(c, t.api) ||
        !check_deployment(c, t.api, deployment))
        return CALL_FAILED;
    jval_bool(jval_get(t.doc, "autoDeploy"), &was);
    if (!v2_merge(c, &t, maps))
        return CALL_FAILED;
    jval_bool(jval_get(t.doc, "autoDeploy"), &is);
    if (is && deployment.n > 0) {
        v2_bad(c, "Cannot update deployment of a stage with autoDeploy enabled"); /* unverified */
        return CALL_FAILED;
    }
    t.text = set_text(c, t.text, "lastUpdatedDate", v2_now(c));
    if (!v2_save(c, t.api, GW2_STAGE, t.id, t.text) ||
        (is && !was &&
         (!v2_deploy(c, t.api, STR(AUTOMATIC), true, &made) ||
          !v2_stage_point(c, t.api, t.id, made))))
        return CALL_FAILED;
    return answer_stage(c, t.api, t.id);
}

enum call_status gw2_delete_stage(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct v2_target t;
    if (!v2_need(c, &v2_stage, &t))
        return CALL_FAILED;
    if (db_begin(g->db) && gw_doc_del(g, t.api, GW2_STAGE, t.id))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}

static enum call_status drop_member(struct call *c, const struct str *path, size_t depth)
{
    struct v2_target t;
    if (!v2_need(c, &v2_stage, &t))
        return CALL_FAILED;
    t.text = gw_doc_set(c->arena, t.text, path, depth, STR_NONE);
    return v2_save(c, t.api, GW2_STAGE, t.id, t.text) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw2_delete_access_log_settings(struct call *c)
{
    return drop_member(c, &STR("accessLogSettings"), 1);
}

enum call_status gw2_delete_route_settings(struct call *c)
{
    struct str path[] = {STR("routeSettings"), gw_in(c, "routeKey")};
    return drop_member(c, path, 2);
}

enum call_status gw2_reset_authorizers_cache(struct call *c)
{
    struct v2_target t;
    if (!v2_need(c, &v2_stage, &t))
        return CALL_FAILED;
    gw_stages_drop(c->svc->state); /* compiled stages hold the cached results */
    return CALL_DONE;
}

/* ---- deployments ---- */

enum call_status gw2_create_deployment(struct call *c)
{
    struct str api, id, text, stage = gw_in(c, "stageName");
    if (!v2_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    if (stage.n > 0 && !v2_has(c, api, &v2_stage, stage))
        return CALL_FAIL(c, &APIGATEWAYV2_NotFoundException,
                         "Invalid Stage identifier specified %.*s", STR_ARG(stage));
    if (!v2_deploy(c, api, gw_in(c, "description"), false, &id) ||
        (stage.n > 0 && !v2_stage_point(c, api, stage, id)))
        return CALL_FAILED;
    bool found = gw_doc_get(c->svc->state, api, GW2_DEPLOYMENT, id, c->arena, &text);
    ASSERT(found);
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw2_get_deployment(struct call *c)
{
    return v2_answer(c, &v2_deployment);
}

enum call_status gw2_get_deployments(struct call *c)
{
    return v2_answer_all(c, &v2_deployment);
}

enum call_status gw2_update_deployment(struct call *c)
{
    struct v2_target t;
    if (!v2_need(c, &v2_deployment, &t) || !v2_merge(c, &t, NULL) ||
        !v2_save(c, t.api, GW2_DEPLOYMENT, t.id, t.text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, t.text);
    return CALL_DONE;
}

enum call_status gw2_delete_deployment(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct v2_target t;
    struct stages s;
    if (!v2_need(c, &v2_deployment, &t) || !load_stages(c, t.api, &s))
        return CALL_FAILED;
    for (size_t i = 0; i < s.count; i++) {
        if (str_eq(deployment_of(c, &s, i), t.id))
            return CALL_FAIL(c, &APIGATEWAYV2_BadRequestException,
                             "Active stages pointing to this deployment must be moved or deleted");
    }
    if (db_begin(g->db) && gw_doc_del(g, t.api, GW2_DEPLOYMENT, t.id) &&
        gw_doc_del(g, t.api, GW2_SNAPSHOT, t.id))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}
