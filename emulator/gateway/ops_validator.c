/* Request validators. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"

enum call_status gw_create_request_validator(struct call *c)
{
    struct str api, name = gw_in(c, "name");
    bool body = false, params = false;
    char id[7];
    if (!gw_need_api(c, &api, NULL, NULL))
        return CALL_FAILED;
    jval_bool(jval_get(c->in, "validateRequestBody"), &body);
    jval_bool(jval_get(c->in, "validateRequestParameters"), &params);
    ids_lower_alnum(id, 6);
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    if (name.n > 0)
        json_str(&c->out, "name", name);
    json_bool(&c->out, "validateRequestBody", body);
    json_bool(&c->out, "validateRequestParameters", params);
    json_end(&c->out);
    return gw_save(c, api, GW_VALIDATOR, str_c(id), buf_view(c->out_buf)) ? CALL_DONE : CALL_FAILED;
}

static bool need_validator(struct call *c, struct str *api, struct str *id, struct str *text)
{
    struct jval doc;
    *id = gw_in(c, "requestValidatorId");
    return gw_need_api(c, api, NULL, NULL) &&
           gw_need_doc(c, *api, GW_VALIDATOR, *id, "Invalid Request Validator identifier specified",
                       text, &doc);
}

enum call_status gw_get_request_validator(struct call *c)
{
    struct str api, id, text;
    if (!need_validator(c, &api, &id, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_request_validators(struct call *c)
{
    struct str api;
    return gw_need_api(c, &api, NULL, NULL) ? gw_answer_page(c, api, GW_VALIDATOR) : CALL_FAILED;
}

enum call_status gw_update_request_validator(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/name", PATCH_TEXT, true, false, false},
        {"/validateRequestParameters", PATCH_BOOL, true, false, false},
        {"/validateRequestBody", PATCH_BOOL, true, false, false}};
    struct str api, id, text;
    struct jval doc;
    if (!need_validator(c, &api, &id, &text) || !gw_patch_apply(c, rules, 3, false, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAILED;
    if (jval_present(jval_get(doc, "name")) && jval_text(jval_get(doc, "name"), c->arena).n == 0) {
        gw_bad(c, "Request Validator name cannot be blank");
        return CALL_FAILED;
    }
    return gw_save_and_answer(c, api, GW_VALIDATOR, id, text);
}

enum call_status gw_delete_request_validator(struct call *c)
{
    struct str api, id, text;
    return need_validator(c, &api, &id, &text) ? gw_remove(c, api, GW_VALIDATOR, id) : CALL_FAILED;
}
