/* Deployments: a snapshot of the resources, so that later edits do not show until the next one. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"
#include "ops_stage.h"
#include "rest_live.h"

enum { SNAPSHOT_MAX = 24 * 1024 * 1024 };

/* The API as it is now; every method must have its integration. */
static bool take_snapshot(struct call *c, struct str api, struct str *ret_text)
{
    struct gw_doc *docs;
    struct jval doc, it;
    struct buf *b = arena_new_buf(c->arena, SNAPSHOT_MAX);
    size_t methods = 0;
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        struct jval list = jval_get(doc, "resourceMethods");
        for (it = (struct jval){0}; jval_next(list, &it, NULL); methods++)
            if (!jval_present(jval_get(it, "methodIntegration")))
                return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                                "No integration defined for method");
    }
    if (methods == 0)
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "The REST API doesn't contain any methods");
    if (!rest_snapshot(c->svc->state, api, c->arena, b))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_LimitExceededException,
                        "The REST API is too large.");
    *ret_text = buf_view(b);
    return true;
}

static bool check_create(struct call *c)
{
    struct str stage = gw_in(c, "stageName");
    if (jval_present(jval_get(c->in, "canarySettings"))) {
        if (stage.n == 0)
            return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                            "Invalid deployment content specified.Non null and non empty stageName"
                            " must be provided for canary deployment. Provided value is %s",
                            jval_present(jval_get(c->in, "stageName")) ? "" : "null");
        gw_unsupported(c, "canary deployments");
        return false;
    }
    return stage_check_settings(c) && (stage.n == 0 || stage_check_name(c, stage));
}

enum call_status gw_create_deployment(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str api, snapshot, stage = gw_in(c, "stageName");
    char id[7];
    if (!gw_need_api(c, &api, NULL, NULL) || !check_create(c) || !take_snapshot(c, api, &snapshot))
        return CALL_FAILED;
    ids_lower_alnum(id, 6);
    static const char *const copied[] = {"description", NULL};
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    gw_copy_members(c, &c->out, copied);
    json_i64(&c->out, "createdDate", c->now_ms / 1000);
    json_end(&c->out);
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (!gw_save(c, api, GW_DEPLOYMENT, str_c(id), buf_view(c->out_buf)) ||
        !gw_save(c, api, GW_SNAPSHOT, str_c(id), snapshot) ||
        (stage.n > 0 && !stage_deploy(c, api, stage, str_c(id)))) {
        db_savepoint_rollback(g->db);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    return CALL_DONE;
}

static bool need_deployment(struct call *c, struct str *ret_api, struct str *ret_id,
                            struct jval *ret)
{
    *ret_id = gw_in(c, "deploymentId");
    return gw_need_api(c, ret_api, NULL, NULL) &&
           gw_need_doc(c, *ret_api, GW_DEPLOYMENT, *ret_id,
                       "Invalid Deployment identifier specified", NULL, ret);
}

static void write_summary(struct call *c, struct str api, struct str id)
{
    struct str text;
    struct jval snapshot, resources, it = {0}, m;
    if (!gw_doc_get(c->svc->state, api, GW_SNAPSHOT, id, c->arena, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &snapshot, NULL))
        return;
    resources = jval_kind(snapshot) == JSON_ARRAY ? snapshot : jval_get(snapshot, "resources");
    json_obj(&c->out, "apiSummary");
    while (jval_next(resources, &it, NULL)) {
        struct jval methods = jval_get(it, "resourceMethods");
        if (jval_count(methods) == 0)
            continue;
        json_key(&c->out, jval_text(jval_get(it, "path"), c->arena));
        json_obj(&c->out, NULL);
        for (m = (struct jval){0}; jval_next(methods, &m, NULL);) {
            json_key(&c->out, jval_key_str(m, c->arena));
            json_obj(&c->out, NULL);
            json_str(&c->out, "authorizationType",
                     jval_text(jval_get(m, "authorizationType"), c->arena));
            bool key_required = false;
            jval_bool(jval_get(m, "apiKeyRequired"), &key_required);
            json_bool(&c->out, "apiKeyRequired", key_required);
            json_end(&c->out);
        }
        json_end(&c->out);
    }
    json_end(&c->out);
}

enum call_status gw_get_deployment(struct call *c)
{
    struct str api, id;
    struct jval doc, it = {0};
    bool summary = false;
    if (!need_deployment(c, &api, &id, &doc))
        return CALL_FAILED;
    for (struct jval embed = jval_get(c->in, "embed"); jval_next(embed, &it, NULL);)
        summary |= str_eq_c(jval_text(it, c->arena), "apisummary");
    json_obj(&c->out, NULL);
    for (it = (struct jval){0}; jval_next(doc, &it, NULL);) {
        json_key(&c->out, jval_key_str(it, c->arena));
        json_raw(&c->out, NULL, jval_raw(it));
    }
    if (summary)
        write_summary(c, api, id);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw_get_deployments(struct call *c)
{
    size_t limit;
    struct str api, after;
    struct gw_doc *docs;
    if (!gw_need_api(c, &api, NULL, NULL) || !gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count =
        gw_doc_list(c->svc->state, api, GW_DEPLOYMENT, after, limit + 1, c->arena, &docs);
    gw_write_page(c, docs, count, limit);
    return CALL_DONE;
}

enum call_status gw_delete_deployment(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str api, id;
    struct jval doc;
    struct gw_doc *stages;
    if (!need_deployment(c, &api, &id, &doc))
        return CALL_FAILED;
    size_t count = gw_doc_list(g, api, GW_STAGE, STR_NONE, 0, c->arena, &stages);
    for (size_t i = 0; i < count; i++)
        if (json_parse(c->arena, stages[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "deploymentId"), c->arena), id))
            return CALL_FAIL(c, &APIGATEWAY_BadRequestException,
                             "Active stages pointing to this deployment must be moved or deleted");
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (gw_doc_del(g, api, GW_DEPLOYMENT, id) && gw_doc_del(g, api, GW_SNAPSHOT, id)) {
        db_savepoint_release(g->db);
        return CALL_DONE;
    }
    db_savepoint_rollback(g->db);
    gw_fail_store(c);
    return CALL_FAILED;
}
