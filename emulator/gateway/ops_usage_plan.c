/* Usage plans and the keys in them. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"
#include "ops_key.h"

/* Every stage that the plan names must be there. */
static bool check_stages(struct call *c, struct jval stages, struct str plan)
{
    struct jval it = {0};
    struct str text;
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        struct str api = jval_text(jval_get(it, "apiId"), c->arena);
        struct str stage = jval_text(jval_get(it, "stage"), c->arena);
        if (!gw_doc_get(c->svc->state, api, GW_STAGE, stage, c->arena, &text))
            return aws_fail(
                &c->err, c->arena, &APIGATEWAY_NotFoundException,
                "Invalid API Stage {api: %.*s, stage: %.*s} specified for usageplan %.*s",
                STR_ARG(api), STR_ARG(stage), STR_ARG(plan));
    }
    return true;
}

static bool check_limits(struct call *c, struct jval doc)
{
    struct jval throttle = jval_get(doc, "throttle"), quota = jval_get(doc, "quota");
    struct str period = jval_text(jval_get(quota, "period"), c->arena);
    double rate = 0;
    int64_t burst = 0, limit = 0;
    jval_double(jval_get(throttle, "rateLimit"), &rate);
    jval_i64(jval_get(throttle, "burstLimit"), &burst);
    jval_i64(jval_get(quota, "limit"), &limit);
    if (rate < 0 || burst < 0) /* unverified: the texts */
        return gw_bad(c, "Usage Plan throttle settings must not be negative");
    if (jval_present(quota) &&
        (limit < 0 ||
         (!str_eq_c(period, "DAY") && !str_eq_c(period, "WEEK") && !str_eq_c(period, "MONTH"))))
        return gw_bad(c, "Usage Plan quota needs a limit and a period of DAY, WEEK or MONTH");
    return true;
}

enum call_status gw_create_usage_plan(struct call *c)
{
    static const char *const copied[] = {"name", "description", "throttle", "quota", "tags", NULL};
    struct jval stages = jval_get(c->in, "apiStages");
    char id[7];
    ids_lower_alnum(id, 6);
    if (!check_limits(c, c->in) || !check_stages(c, stages, str_c(id)))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    gw_copy_members(c, &c->out, copied);
    json_raw(&c->out, "apiStages", jval_present(stages) ? jval_raw(stages) : STR("[]"));
    json_end(&c->out);
    return gw_save(c, STR(""), GW_USAGE_PLAN, str_c(id), buf_view(c->out_buf)) ? CALL_DONE
                                                                               : CALL_FAILED;
}

bool plan_need(struct call *c, struct str *id, struct str *text, struct jval *doc)
{
    *id = gw_in(c, "usagePlanId");
    return gw_need_doc(c, STR(""), GW_USAGE_PLAN, *id, "Invalid Usage Plan ID specified", text,
                       doc);
}

enum call_status gw_get_usage_plan(struct call *c)
{
    struct str id, text;
    struct jval doc;
    if (!plan_need(c, &id, &text, &doc))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_usage_plans(struct call *c)
{
    struct str key = gw_in(c, "keyId"), after, ignored;
    struct gw_doc *docs;
    size_t limit, kept = 0;
    if (!gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = gw_doc_list(c->svc->state, STR(""), GW_USAGE_PLAN, after, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        struct str member = arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(docs[i].id), STR_ARG(key));
        if (key.n == 0 ||
            gw_doc_get(c->svc->state, STR(""), GW_USAGE_PLAN_KEY, member, c->arena, &ignored))
            docs[kept++] = docs[i];
    }
    gw_write_page(c, docs, kept, limit);
    return CALL_DONE;
}

/* "/apiStages": add and remove take "<api>:<stage>". */
static bool patch_stages(struct call *c, const struct patch *p, struct jval doc, struct str *text)
{
    struct str stage = p->value, api = str_cut(&stage, ':');
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    struct jval stages = jval_get(doc, "apiStages"), it = {0};
    if (stage.p == NULL || api.n == 0)
        return gw_bad(c, "Invalid API Stage specified");
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        if (!str_eq(jval_text(jval_get(it, "apiId"), c->arena), api) ||
            !str_eq(jval_text(jval_get(it, "stage"), c->arena), stage))
            json_raw(&w, NULL, jval_raw(it));
    }
    if (str_eq_c(p->op, "add")) {
        json_obj(&w, NULL);
        json_str(&w, "apiId", api);
        json_str(&w, "stage", stage);
        json_end(&w);
    }
    json_end(&w);
    *text = gw_doc_set(c->arena, *text, &STR("apiStages"), 1, buf_view(b));
    return true;
}

/* "/apiStages/<api>:<stage>/throttle/<resource>/<METHOD>/rateLimit", the resource's slashes as they
 * are or as ~1; removing ".../throttle" or one method's. The stages are a list. */
static bool patch_stage_throttle(struct call *c, const struct patch *p, struct str rest,
                                 struct jval doc, struct str *text)
{
    struct jval stages = jval_get(doc, "apiStages"), it = {0}, number;
    struct str stage = str_cut(&rest, '/'), api = str_cut(&stage, ':'), method = rest, limit;
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct json_out w;
    bool removing = str_eq_c(p->op, "remove"), found = false;
    double value;
    str_cut(&method, '/');
    ptrdiff_t end = str_rfind(method, '/');
    limit = end < 0 ? STR("") : str_sub(method, (size_t)end + 1, method.n);
    bool is_limit = str_eq_c(limit, "rateLimit") || str_eq_c(limit, "burstLimit");
    if (is_limit)
        method = str_sub(method, 0, (size_t)end);
    if (stage.p == NULL || !(str_eq_c(rest, "throttle") || str_starts(rest, STR("throttle/"))) ||
        (!removing && (!is_limit || method.n == 0)))
        return gw_bad(c, "Invalid patch path %.*s", STR_ARG(p->path));
    if (!removing && !(json_parse(c->arena, p->value, 1, &number, NULL) &&
                       jval_double(number, &value) && value >= 0))
        return gw_bad(c, "Invalid patch value '%.*s'", STR_ARG(p->value)); /* unverified */
    struct str path[] = {
        STR("throttle"),
        method.n > 0 && method.p[0] == '/' ? method : arena_fmt(c->arena, "/%.*s", STR_ARG(method)),
        limit};
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_kind(stages) == JSON_ARRAY && jval_next(stages, &it, NULL)) {
        struct str one = jval_raw(it);
        if (str_eq(jval_text(jval_get(it, "apiId"), c->arena), api) &&
            str_eq(jval_text(jval_get(it, "stage"), c->arena), stage)) {
            found = true;
            one = gw_doc_set(c->arena, one, path,
                             method.n == 0 ? 1
                             : removing    ? 2
                                           : 3,
                             removing ? STR_NONE : p->value);
        }
        json_raw(&w, NULL, one);
    }
    json_end(&w);
    *text = gw_doc_set(c->arena, *text, &STR("apiStages"), 1, buf_view(b));
    return found || gw_bad(c, "Invalid API Stage specified");
}

static bool patch_plan(struct call *c, const struct patch *p, struct str *text)
{
    static const struct {
        const char *path, *a, *b;
        bool number;
    } places[] = {{"/name", "name", NULL, false},
                  {"/description", "description", NULL, false},
                  {"/productCode", "productCode", NULL, false},
                  {"/throttle/rateLimit", "throttle", "rateLimit", true},
                  {"/throttle/burstLimit", "throttle", "burstLimit", true},
                  {"/quota/limit", "quota", "limit", true},
                  {"/quota/offset", "quota", "offset", true},
                  {"/quota/period", "quota", "period", false},
                  {"/throttle", "throttle", NULL, false},
                  {"/quota", "quota", NULL, false}};
    struct jval doc, v;
    struct str rest;
    double number;
    if (!json_parse(c->arena, *text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return gw_fail_store(c);
    if (str_eq_c(p->path, "/apiStages"))
        return patch_stages(c, p, doc, text);
    if (gw_patch_under(c, p->path, "/apiStages/", &rest))
        return patch_stage_throttle(c, p, rest, doc, text);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!str_eq_c(p->path, places[i].path))
            continue;
        struct str path[] = {str_c(places[i].a), str_c(places[i].b)};
        struct str value = places[i].number ? p->value : gw_quote(c->arena, p->value);
        if (places[i].number &&
            !(json_parse(c->arena, p->value, 1, &v, NULL) && jval_double(v, &number)))
            break;
        *text = gw_doc_set(c->arena, *text, path, places[i].b == NULL ? 1 : 2,
                           str_eq_c(p->op, "remove") ? STR_NONE : value);
        return true;
    }
    return gw_bad(c,
                  "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose supported "
                  "operations",
                  STR_ARG(p->path), STR_ARG(p->op));
}

enum call_status gw_update_usage_plan(struct call *c)
{
    struct str id, text;
    struct jval doc;
    struct patch *patches;
    size_t count;
    if (!plan_need(c, &id, &text, &doc) || !gw_patches(c, &patches, &count))
        return CALL_FAILED;
    for (size_t i = 0; i < count; i++) {
        if (!patch_plan(c, &patches[i], &text))
            return CALL_FAILED;
    }
    if (!json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) || !check_limits(c, doc) ||
        !check_stages(c, jval_get(doc, "apiStages"), id))
        return CALL_FAILED;
    return gw_save_and_answer(c, STR(""), GW_USAGE_PLAN, id, text);
}

/* The documents of a kind whose id begins with "<plan>/". */
size_t plan_docs(struct call *c, enum gw_kind kind, struct str plan, struct gw_doc **ret)
{
    struct str start = arena_fmt(c->arena, "%.*s/", STR_ARG(plan));
    size_t kept = 0, count = gw_doc_list(c->svc->state, STR(""), kind, STR_NONE, 0, c->arena, ret);
    for (size_t i = 0; i < count; i++) {
        if (str_starts((*ret)[i].id, start))
            (*ret)[kept++] = (*ret)[i];
    }
    return kept;
}

enum call_status gw_delete_usage_plan(struct call *c)
{
    static const enum gw_kind kinds[] = {GW_USAGE_PLAN_KEY, GW_USAGE};
    struct gateway *g = c->svc->state;
    struct str id, text;
    struct jval doc;
    struct gw_doc *docs;
    if (!plan_need(c, &id, &text, &doc))
        return CALL_FAILED;
    if (jval_count(jval_get(doc, "apiStages")) > 0) {
        /* unverified: the text */
        gw_bad(c, "Cannot delete Usage Plan %.*s because there are API Stages associated with it",
               STR_ARG(id));
        return CALL_FAILED;
    }
    for (size_t k = 0; k < 2; k++) {
        size_t count = plan_docs(c, kinds[k], id, &docs);
        for (size_t i = 0; i < count; i++) {
            if (!db_begin(g->db) || !gw_doc_del(g, STR(""), kinds[k], docs[i].id)) {
                gw_fail_store(c);
                return CALL_FAILED;
            }
        }
    }
    return gw_remove(c, STR(""), GW_USAGE_PLAN, id);
}

/* ---- keys ---- */

bool plan_add_key(struct call *c, struct str plan, struct str key, struct jval key_doc,
                  struct str *ret_text)
{
    struct buf *b = arena_new_buf(c->arena, 64 << 10);
    struct json_out w;
    struct jval name = jval_get(key_doc, "name");
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "id", key);
    json_cstr(&w, "type", "API_KEY");
    json_str(&w, "value", jval_text(jval_get(key_doc, "value"), c->arena));
    if (jval_present(name))
        json_str(&w, "name", jval_text(name, c->arena));
    json_end(&w);
    *ret_text = buf_view(b);
    return gw_save(c, STR(""), GW_USAGE_PLAN_KEY,
                   arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(plan), STR_ARG(key)), *ret_text);
}

enum call_status gw_create_usage_plan_key(struct call *c)
{
    struct str id, text, key = gw_in(c, "keyId"), key_text;
    struct jval doc, key_doc;
    if (!plan_need(c, &id, &text, &doc) ||
        !gw_need_doc(c, STR(""), GW_API_KEY, key, "Invalid API Key identifier specified", &key_text,
                     &key_doc))
        return CALL_FAILED;
    if (!str_eq_c(gw_in(c, "keyType"), "API_KEY")) {
        gw_bad(c, "Invalid key type specified. Must be API_KEY"); /* unverified */
        return CALL_FAILED;
    }
    struct str member = arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(id), STR_ARG(key));
    if (gw_doc_get(c->svc->state, STR(""), GW_USAGE_PLAN_KEY, member, c->arena, &text))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException,
                         "Usage Plan %.*s cannot be added because API Key %.*s is already in it",
                         STR_ARG(id), STR_ARG(key)); /* unverified */
    if (!plan_add_key(c, id, key, key_doc, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

static bool need_plan_key(struct call *c, struct str *member, struct str *text)
{
    struct str id, plan_text;
    struct jval doc;
    if (!plan_need(c, &id, &plan_text, &doc))
        return false;
    *member = arena_fmt(c->arena, "%.*s/%.*s", STR_ARG(id), STR_ARG(gw_in(c, "keyId")));
    return gw_need_doc(c, STR(""), GW_USAGE_PLAN_KEY, *member,
                       "Invalid Usage Plan Key ID specified", text, &doc);
}

enum call_status gw_get_usage_plan_key(struct call *c)
{
    struct str member, text;
    if (!need_plan_key(c, &member, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_usage_plan_keys(struct call *c)
{
    struct str id, text, after;
    struct jval doc;
    struct gw_doc *docs;
    size_t limit, kept = 0;
    if (!plan_need(c, &id, &text, &doc) || !gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = plan_docs(c, GW_USAGE_PLAN_KEY, id, &docs);
    for (size_t i = 0; i < count; i++) {
        if (after.n == 0 || str_cmp(docs[i].id, after) > 0)
            docs[kept++] = docs[i];
    }
    gw_write_page(c, docs, kept, limit);
    return CALL_DONE;
}

enum call_status gw_delete_usage_plan_key(struct call *c)
{
    struct str member, text;
    return need_plan_key(c, &member, &text) ? gw_remove(c, STR(""), GW_USAGE_PLAN_KEY, member)
                                            : CALL_FAILED;
}
