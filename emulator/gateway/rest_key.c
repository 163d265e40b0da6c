/* API keys and usage plans: a method that needs a key wants one that is enabled and belongs to a
 * plan of this stage; the plan's throttle and quota are held by the clock. */
#include "clock.h"
#include "rest_request.h"
#include <string.h>

enum { DAY_MS = 86400000 };

struct plan { /* the usage plan by which a key may use the stage */
    struct str id;
    struct jval doc;
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

static bool plan_has_stage(struct rest_request *r, struct jval plan)
{
    struct jval stages = jval_get(plan, "apiStages"), it = {0};
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        if (str_eq(jval_text(jval_get(it, "apiId"), r->arena), r->stage->api_id) &&
            str_eq(jval_text(jval_get(it, "stage"), r->arena), r->stage->name))
            return true;
    }
    return false;
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
            !plan_has_stage(r, ret->doc))
            continue;
        ret->id = docs[i].id;
        return true;
    }
    return false;
}

static bool take_token(struct rest_request *r, const struct plan *plan, struct str key_id)
{
    struct jval throttle = jval_get(plan->doc, "throttle");
    double rate, burst;
    if (!jval_double(jval_get(throttle, "rateLimit"), &rate) || rate <= 0)
        return true;
    if (!jval_double(jval_get(throttle, "burstLimit"), &burst))
        burst = rate;
    return rest_take_token(
        r->g, arena_fmt(r->arena, "%.*s/%.*s", STR_ARG(plan->id), STR_ARG(key_id)), rate, burst);
}

/* The first day of the quota's period, as yyyy-mm-dd. Weeks begin on Sunday. */
static struct str period_start(struct rest_request *r, struct str period, int64_t offset)
{
    int64_t now = clock_now_ms(), day = now / DAY_MS;
    char text[16];
    if (str_eq_c(period, "WEEK")) {
        int64_t weekday = (day + 4 - offset) % 7; /* 1970-01-01 was a Thursday */
        day -= weekday < 0 ? weekday + 7 : weekday;
    } else if (str_eq_c(period, "MONTH")) {
        char number[4];
        clock_format(now, "%d", number, sizeof number);
        day -= (number[0] - '0') * 10 + number[1] - '0' - 1;
    }
    size_t n = clock_format(day * DAY_MS, "%Y-%m-%d", text, sizeof text);
    return arena_str(r->arena, (struct str){text, n});
}

static bool count_use(struct rest_request *r, const struct plan *plan, struct str key_id)
{
    struct jval quota = jval_get(plan->doc, "quota"), doc;
    int64_t limit, offset = 0, used = 0;
    struct str text;
    if (!jval_i64(jval_get(quota, "limit"), &limit))
        return true;
    jval_i64(jval_get(quota, "offset"), &offset);
    struct str period = jval_text(jval_get(quota, "period"), r->arena);
    struct str id = arena_fmt(r->arena, "%.*s/%.*s/%.*s", STR_ARG(plan->id), STR_ARG(key_id),
                              STR_ARG(period_start(r, period, offset)));
    if (gw_doc_get(r->g, STR(""), GW_USAGE, id, r->arena, &text) &&
        json_parse(r->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        jval_i64(jval_get(doc, "used"), &used);
    if (used >= limit)
        return false;
    text = arena_fmt(r->arena, "{\"used\":%lld,\"left\":%lld}", (long long)used + 1,
                     (long long)(limit - used - 1));
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
