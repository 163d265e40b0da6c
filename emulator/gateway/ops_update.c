/* Patches of what lies inside a resource: methods, integrations and their responses; of resources
 * and deployments. */
#include "apigateway_model.h"
#include "gw_store.h"

/* Saves text as the part of the resource that path names, and answers it. */
static enum call_status save_part(struct call *c, const struct gw_target *t, const struct str *path,
                                  size_t depth, struct str text)
{
    struct str resource = gw_doc_set(c->arena, t->text, path, depth, text);
    if (!gw_save(c, t->api, GW_RESOURCE, t->resource_id, resource))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_update_method(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/authorizationType", PATCH_TEXT, true, false, false},
        {"/authorizerId", PATCH_TEXT, true, true, true},
        {"/apiKeyRequired", PATCH_BOOL, true, false, false},
        {"/operationName", PATCH_TEXT, true, true, true},
        {"/requestValidatorId", PATCH_TEXT, true, true, true},
        {"/requestParameters/{}", PATCH_BOOL, true, true, true},
        {"/requestModels/{}", PATCH_TEXT, true, true, true}};
    struct gw_target t;
    struct jval doc;
    if (!gw_need_method(c, &t))
        return CALL_FAILED;
    struct str text = jval_raw(t.method_doc);
    if (!gw_patch_apply(c, rules, sizeof rules / sizeof *rules, true, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) || !method_check(c, t.api, doc))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method};
    return save_part(c, &t, path, 2, text);
}

static bool need_integration(struct call *c, struct gw_target *t, struct jval *ret)
{
    if (!gw_need_method(c, t))
        return false;
    *ret = jval_get(t->method_doc, "methodIntegration");
    return jval_present(*ret) || aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                                          "Invalid Integration identifier specified");
}

enum call_status gw_update_integration(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/httpMethod", PATCH_TEXT, true, false, false},
        {"/uri", PATCH_TEXT, true, false, false},
        {"/passthroughBehavior", PATCH_TEXT, true, false, false},
        {"/timeoutInMillis", PATCH_INT, true, false, false},
        {"/contentHandling", PATCH_TEXT, true, true, true},
        {"/credentials", PATCH_TEXT, true, true, true},
        {"/cacheNamespace", PATCH_TEXT, true, false, false},
        {"/connectionType", PATCH_TEXT, true, false, false},
        {"/tlsConfig/insecureSkipVerification", PATCH_BOOL, true, true, true},
        {"/requestParameters/{}", PATCH_TEXT, true, true, true},
        {"/requestTemplates/{}", PATCH_TEXT, true, true, true}};
    struct gw_target t;
    struct jval integration, doc;
    if (!need_integration(c, &t, &integration))
        return CALL_FAILED;
    struct str text = jval_raw(integration);
    if (!gw_patch_apply(c, rules, sizeof rules / sizeof *rules, true, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) || !integration_check(c, doc))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method, STR("methodIntegration")};
    return save_part(c, &t, path, 3, text);
}

enum call_status gw_update_integration_response(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/selectionPattern", PATCH_TEXT, true, true, true},
        {"/contentHandling", PATCH_TEXT, true, true, true},
        {"/responseParameters/{}", PATCH_TEXT, true, true, true},
        {"/responseTemplates/{}", PATCH_TEXT, true, true, true}};
    struct gw_target t;
    struct jval integration, response;
    struct str status = gw_in(c, "statusCode");
    if (!need_integration(c, &t, &integration))
        return CALL_FAILED;
    response = jval_get_str(jval_get(integration, "integrationResponses"), status);
    if (!jval_present(response))
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Invalid Response status code specified");
    struct str text = jval_raw(response);
    if (!gw_patch_apply(c, rules, sizeof rules / sizeof *rules, true, &text))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method, STR("methodIntegration"),
                         STR("integrationResponses"), status};
    return save_part(c, &t, path, 5, text);
}

enum call_status gw_update_method_response(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/responseParameters/{}", PATCH_BOOL, true, true, true},
        {"/responseModels/{}", PATCH_TEXT, true, true, true}};
    struct gw_target t;
    struct jval response;
    struct str status = gw_in(c, "statusCode");
    if (!gw_need_method(c, &t))
        return CALL_FAILED;
    response = jval_get_str(jval_get(t.method_doc, "methodResponses"), status);
    if (!jval_present(response))
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException,
                         "Invalid Response status code specified");
    struct str text = jval_raw(response);
    if (!gw_patch_apply(c, rules, 2, true, &text))
        return CALL_FAILED;
    struct str path[] = {STR("resourceMethods"), t.method, STR("methodResponses"), status};
    return save_part(c, &t, path, 4, text);
}

enum call_status gw_update_deployment(struct call *c)
{
    static const struct gw_patch_rule rules[] = {{"/description", PATCH_TEXT, true, false, false}};
    struct str api, id = gw_in(c, "deploymentId"), text;
    struct jval doc;
    if (!gw_need_api(c, &api, NULL, NULL) ||
        !gw_need_doc(c, api, GW_DEPLOYMENT, id, "Invalid Deployment identifier specified", &text,
                     &doc) ||
        !gw_patch_apply(c, rules, 1, false, &text))
        return CALL_FAILED;
    return gw_save_and_answer(c, api, GW_DEPLOYMENT, id, text);
}

/* ---- resources: a new name or parent moves everything below ---- */

/* Rewrites the path of every resource below old_path. */
static bool move_children(struct call *c, struct str api, struct str old_path, struct str new_path)
{
    struct gw_doc *docs;
    struct jval doc;
    struct str start = arena_fmt(c->arena, "%.*s/", STR_ARG(old_path));
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        struct str path = jval_text(jval_get(doc, "path"), c->arena);
        if (!str_starts(path, start))
            continue;
        struct str moved = arena_fmt(c->arena, "%.*s%.*s", STR_ARG(new_path),
                                     STR_ARG(str_sub(path, old_path.n, path.n)));
        if (!gw_save(
                c, api, GW_RESOURCE, docs[i].id,
                gw_doc_set(c->arena, docs[i].text, &STR("path"), 1, gw_quote(c->arena, moved))))
            return false;
    }
    return true;
}

static bool check_move(struct call *c, const struct gw_target *t, struct jval doc,
                       struct str *ret_path)
{
    struct str parent = jval_text(jval_get(doc, "parentId"), c->arena), parent_text;
    struct str part = jval_text(jval_get(doc, "pathPart"), c->arena);
    struct str old_path = jval_text(jval_get(doc, "path"), c->arena);
    struct jval above;
    if (!gw_need_doc(c, t->api, GW_RESOURCE, parent, "Invalid Resource identifier specified",
                     &parent_text, &above))
        return false;
    struct str base = jval_text(jval_get(above, "path"), c->arena);
    if (str_eq(parent, t->resource_id) || str_eq(base, old_path) ||
        str_starts(base, arena_fmt(c->arena, "%.*s/", STR_ARG(old_path))))
        return gw_bad(c, "Resources cannot be cyclical.");
    *ret_path =
        arena_fmt(c->arena, "%.*s/%.*s", base.n == 1 ? 0 : (int)base.n, base.p, STR_ARG(part));
    return resource_check(c, t->api, parent, part, t->resource_id);
}

enum call_status gw_update_resource(struct call *c)
{
    static const struct gw_patch_rule rules[] = {{"/parentId", PATCH_TEXT, true, false, false},
                                                 {"/pathPart", PATCH_TEXT, true, false, false}};
    struct gw_target t;
    struct patch *patches;
    struct jval doc;
    size_t count;
    struct str path;
    if (!gw_need_resource(c, &t) || !gw_patches(c, &patches, &count))
        return CALL_FAILED;
    if (!jval_present(jval_get(t.resource, "parentId")) && count > 0) {
        gw_bad(c, "Root resource cannot update its %s.",
               str_eq_c(patches[0].path, "/parentId") ? "parentId" : "pathPart");
        return CALL_FAILED;
    }
    struct str text = t.text, old_path = jval_text(jval_get(t.resource, "path"), c->arena);
    if (!gw_patch_apply(c, rules, 2, false, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !check_move(c, &t, doc, &path))
        return CALL_FAILED;
    text = gw_doc_set(c->arena, text, &STR("path"), 1, gw_quote(c->arena, path));
    if (!move_children(c, t.api, old_path, path))
        return CALL_FAILED;
    return gw_save_and_answer(c, t.api, GW_RESOURCE, t.resource_id, text);
}
