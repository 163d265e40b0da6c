/* API keys and usage plans: a method that needs a key wants one that is enabled and belongs to a
 * plan of this stage; the plan's throttle and quota are held by the clock. */
#include "clock.h"
#include "rest_request.h"
#include <string.h>

enum { DAY_MS = 86400000 };

struct plan { /* the usage plan by which a key may use the stage */
    struct str id;
    struct jval doc, api_stage;
};

/* The enabled key of that value, of the API's account and region. */
static bool find_key(struct rest_request *r, struct str value, struct str *ret_id)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count = gw_doc_list(r->g, STR(""), GW_API_KEY, STR_NONE, 0, r->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        bool enabled = false;
        if (!json_parse(r->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
            !str_eq(jval_text(jval_get(doc, "value"), r->arena), value))
            continue;
        *ret_id = docs[i].id;
        return jval_bool(jval_get(doc, "enabled"), &enabled) && enabled;
    }
    return false;
}

/* The plan's entry for this stage; absent: it has none. */
static struct jval stage_of_plan(struct rest_request *r, struct jval plan)
{
    struct jval stages = jval_get(plan, "apiStages"), it = {0};
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "apiId"), r->arena), r->stage->api_id) &&
            str_eq(jval_text(jval_get(it, "stage"), r->arena), r->stage->name))
            return it;
    }
    return (struct jval){0};
}

static bool find_plan(struct rest_request *r, struct str key_id, struct plan *ret)
{
    struct gw_doc *docs;
    struct str text;
    size_t count = gw_doc_list(r->g, STR(""), GW_USAGE_PLAN, STR_NONE, 0, r->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        struct str member = arena_fmt(r->arena, "%.*s/%.*s", STR_ARG(docs[i].id), STR_ARG(key_id));
        if (!gw_doc_get(r->g, STR(""), GW_USAGE_PLAN_KEY, member, r->arena, &text) ||
            !json_parse(r->arena, docs[i].text, JSON_DEPTH_DEFAULT, &ret->doc, NULL) ||
            !jval_present(ret->api_stage = stage_of_plan(r, ret->doc)))
            continue;
        ret->id = docs[i].id;
        return true;
    }
    return false;
}

static bool hold(struct rest_request *r, struct jval throttle, struct str bucket)
{
    double rate, burst;
    if (!jval_double(jval_get(throttle, "rateLimit"), &rate) || rate <= 0)
        return true;
    if (!jval_double(jval_get(throttle, "burstLimit"), &burst))
        burst = rate;
    return rest_take_token(r->g, bucket, rate, burst);
}

/* The limits of the plan's stage for this method stand before those of the plan. */
static bool take_token(struct rest_request *r, const struct plan *plan, struct str key_id)
{
    struct str method = arena_fmt(r->arena, "%.*s/%.*s", STR_ARG(r->match.route->resource_path),
                                  STR_ARG(r->method->http_method));
    struct str bucket = arena_fmt(r->arena, "%.*s/%.*s", STR_ARG(plan->id), STR_ARG(key_id));
    struct jval own = jval_get_str(jval_get(plan->api_stage, "throttle"), method);
    if (jval_present(own))
        return hold(r, own,
                    arena_fmt(r->arena, "%.*s/%.*s/%.*s%.*s", STR_ARG(bucket),
                              STR_ARG(r->stage->api_id), STR_ARG(r->stage->name), STR_ARG(method)));
    return hold(r, jval_get(plan->doc, "throttle"), bucket);
}

struct str gw_usage_period(struct jval quota, int64_t now_ms, struct arena *a)
{
    struct str period = jval_text(jval_get(quota, "period"), a);
    int64_t day = now_ms / DAY_MS, offset = 0;
    char text[16];
    jval_i64(jval_get(quota, "offset"), &offset);
    if (str_eq_c(period, "WEEK")) {
        int64_t weekday = (day + 4 - offset) % 7; /* 1970-01-01 was a Thursday */
        day -= weekday < 0 ? weekday + 7 : weekday;
    } else if (str_eq_c(period, "MONTH")) {
        char number[4];
        clock_format(now_ms, "%d", number, sizeof number);
        day -= (number[0] - '0') * 10 + number[1] - '0' - 1;
    }
    size_t n = clock_format(day * DAY_MS, "%Y-%m-%d", text, sizeof text);
    return arena_str(a, (struct str){text, n});
}

static bool count_use(struct rest_request *r, const struct plan *plan, struct str key_id)
{
    struct jval quota = jval_get(plan->doc, "quota"), doc;
    int64_t limit, extra = 0, used = 0; /* extra: what UpdateUsage has granted */
    struct str text;
    if (!jval_i64(jval_get(quota, "limit"), &limit))
        return true;
    struct str id = arena_fmt(r->arena, "%.*s/%.*s/%.*s", STR_ARG(plan->id), STR_ARG(key_id),
                              STR_ARG(gw_usage_period(quota, clock_now_ms(), r->arena)));
    if (gw_doc_get(r->g, STR(""), GW_USAGE, id, r->arena, &text) &&
        json_parse(r->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL)) {
        jval_i64(jval_get(doc, "used"), &used);
        jval_i64(jval_get(doc, "extra"), &extra);
    }
    limit += extra;
    if (used >= limit)
        return false;
    text = arena_fmt(r->arena, "{\"used\":%lld,\"left\":%lld,\"extra\":%lld}", (long long)used + 1,
                     (long long)(limit - used - 1), (long long)extra);
    if (db_begin(r->g->db))
        gw_usage_put(r->g, id, r->stage->account, r->stage->region, text);
    return true;
}

void rest_check_key(struct rest_request *r)
{
    struct str value, key_id;
    struct plan plan;
    if (!r->method->key_required || r->done != NULL) {
        rest_validate(r);
        return;
    }
    value =
        r->stage->key_from_authorizer ? r->authorizer_key : http_req_header(&r->req, "x-api-key");
    if (value.n == 0 || !find_key(r, value, &key_id) || !find_plan(r, key_id, &plan)) {
        rest_fail(r, GW_INVALID_KEY);
        return;
    }
    if (!take_token(r, &plan, key_id)) {
        rest_fail(r, GW_THROTTLED);
        return;
    }
    if (!count_use(r, &plan, key_id)) {
        rest_fail(r, GW_QUOTA_EXCEEDED);
        return;
    }
    r->event.api_key = event_text(r->arena, value);
    r->event.api_key_id = key_id;
    rest_validate(r);
}
