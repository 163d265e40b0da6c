/* What was used of the quotas of usage plans. */
#include "apigateway_model.h"
#include "ops_key.h"

/* {keyId: [[used, left], ...]}: one pair a period that has begun between the dates. */
static void write_usage(struct call *c, struct str plan, struct str only, struct str from,
                        struct str to)
{
    struct gw_doc *docs;
    struct str current = STR("");
    struct jval doc;
    size_t count = plan_docs(c, GW_USAGE, plan, &docs);
    json_obj(&c->out, "values");
    for (size_t i = 0; i < count; i++) {
        struct str rest = docs[i].id;
        str_cut(&rest, '/');
        struct str key = str_cut(&rest, '/');
        int64_t used = 0, left = 0;
        if ((only.n > 0 && !str_eq(key, only)) || str_cmp(rest, from) < 0 ||
            str_cmp(rest, to) > 0 ||
            !json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        if (!str_eq(key, current)) {
            if (current.n > 0)
                json_end(&c->out);
            json_key(&c->out, key);
            json_arr(&c->out, NULL);
            current = key;
        }
        jval_i64(jval_get(doc, "used"), &used);
        jval_i64(jval_get(doc, "left"), &left);
        json_arr(&c->out, NULL);
        json_i64(&c->out, NULL, used);
        json_i64(&c->out, NULL, left);
        json_end(&c->out);
    }
    if (current.n > 0)
        json_end(&c->out);
    json_end(&c->out);
}

enum call_status gw_get_usage(struct call *c)
{
    struct str id, text, from = gw_in(c, "startDate"), to = gw_in(c, "endDate");
    struct jval doc;
    if (!plan_need(c, &id, &text, &doc))
        return CALL_FAILED;
    if (str_cmp(from, to) > 0) {
        gw_bad(c, "Usage start date must not be after the end date"); /* unverified */
        return CALL_FAILED;
    }
    json_obj(&c->out, NULL);
    json_str(&c->out, "usagePlanId", id);
    json_str(&c->out, "startDate", from);
    json_str(&c->out, "endDate", to);
    write_usage(c, id, gw_in(c, "keyId"), from, to);
    json_end(&c->out);
    return CALL_DONE;
}

/* "replace /remaining": what the key may still use in the period that runs. */
static bool read_remaining(struct call *c, int64_t *ret)
{
    struct patch *patches;
    size_t count;
    if (!gw_patches(c, &patches, &count))
        return false;
    if (count == 0)
        return gw_bad(c, "Patch operations must not be empty"); /* unverified */
    for (size_t i = 0; i < count; i++) {
        const struct patch *p = &patches[i];
        if (!str_eq_c(p->path, "/remaining") || !str_eq_c(p->op, "replace"))
            return gw_bad(c,
                          "Invalid patch path  '%.*s' specified for op '%.*s'. Must be one of: "
                          "[/remaining]",
                          STR_ARG(p->path), STR_ARG(p->op));
        if (!str_to_i64(p->value, ret) || *ret < 0 || *ret > INT32_MAX)
            return gw_bad(c, "Invalid remaining value '%.*s'", STR_ARG(p->value)); /* unverified */
    }
    return true;
}

enum call_status gw_update_usage(struct call *c)
{
    struct str plan, text, key = gw_in(c, "keyId"), ignored;
    struct jval doc, quota, usage;
    int64_t left = 0, used = 0, limit = 0;
    if (!plan_need(c, &plan, &text, &doc))
        return CALL_FAILED;
    struct str member = arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(plan), STR_ARG(key));
    if (!gw_doc_get(c->svc->state, STR(""), GW_USAGE_PLAN_KEY, member, c->arena, &ignored))
        return CALL_FAIL(c, &APIGATEWAY_NotFoundException, "Invalid Usage Plan Key ID specified");
    quota = jval_get(doc, "quota");
    if (!read_remaining(c, &left))
        return CALL_FAILED;
    if (!jval_i64(jval_get(quota, "limit"), &limit))
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException,
                         "Usage Plan %.*s does not have a quota", STR_ARG(plan)); /* unverified */
    struct str day = gw_usage_period(quota, c->now_ms, c->arena);
    struct str id = arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(member), STR_ARG(day));
    if (gw_doc_get(c->svc->state, STR(""), GW_USAGE, id, c->arena, &text) &&
        json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &usage, NULL))
        jval_i64(jval_get(usage, "used"), &used);
    text = arena_fmt(c->arena, "{\"used\":%lld,\"left\":%lld,\"extra\":%lld}", (long long)used,
                     (long long)left, (long long)(left - (limit - used)));
    if (!gw_save(c, STR(""), GW_USAGE, id, text))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_str(&c->out, "usagePlanId", plan);
    json_str(&c->out, "startDate", day);
    json_str(&c->out, "endDate", day);
    write_usage(c, plan, key, day, day);
    json_end(&c->out);
    return CALL_DONE;
}
