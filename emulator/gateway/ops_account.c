/* The account's own settings. */
#include "gw_store.h"

static struct str account_id(struct call *c)
{
    return arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(c->account), STR_ARG(c->region));
}

static struct str account_text(struct call *c)
{
    struct str text;
    if (gw_doc_get(c->svc->state, STR(""), GW_ACCOUNT, account_id(c), c->arena, &text))
        return text;
    return STR("{\"throttleSettings\":{\"burstLimit\":5000,\"rateLimit\":10000.0},"
               "\"features\":[\"UsagePlans\"],\"apiKeyVersion\":\"4\"}");
}

enum call_status gw_get_account(struct call *c)
{
    json_raw(&c->out, NULL, account_text(c));
    return CALL_DONE;
}

enum call_status gw_update_account(struct call *c)
{
    static const struct gw_patch_rule rules[] = {
        {"/cloudwatchRoleArn", PATCH_TEXT, true, true, true}};
    struct str text = account_text(c);
    if (!gw_patch_apply(c, rules, 1, false, &text))
        return CALL_FAILED;
    return gw_save_and_answer(c, STR(""), GW_ACCOUNT, account_id(c), text);
}
