/* API keys. An account's keys are kept without an API (gw_kind). */
#include "ops_key.h"
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"

enum { VALUE_MIN = 20, VALUE_MAX = 128, DESCRIPTION_MAX = 125000 };

bool key_check_value(struct call *c, struct str value)
{
    struct gw_doc *docs;
    struct jval doc;
    if (value.n < VALUE_MIN)
        return gw_bad(c, "API Key value should be at least 20 characters");
    if (value.n > VALUE_MAX)
        return gw_bad(c, "API Key value exceeds maximum size of 128 characters");
    size_t count = gw_doc_list(c->svc->state, STR(""), GW_API_KEY, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "value"), c->arena), value))
            return aws_fail(&c->err, c->arena, &APIGATEWAY_ConflictException,
                            "API Key already exists");
    }
    return true;
}

/* The document without its value, unless that is asked for. */
static struct str shown(struct call *c, struct str text, bool with_value)
{
    return with_value ? text : gw_doc_set(c->arena, text, &STR("value"), 1, STR_NONE);
}

enum call_status gw_create_api_key(struct call *c)
{
    static const char *const copied[] = {"name", "customerId", "description", "tags", NULL};
    struct str value = gw_in(c, "value");
    bool enabled = false;
    char id[11], random[41];
    if (gw_in(c, "name").n > KEY_NAME_MAX) {
        gw_bad(c, "Invalid API Key name, can be at most 1024 characters.");
        return CALL_FAILED;
    }
    ids_lower_alnum(random, 40);
    if (value.n == 0 && !jval_present(jval_get(c->in, "value")))
        value = str_c(random);
    if (!key_check_value(c, value))
        return CALL_FAILED;
    jval_bool(jval_get(c->in, "enabled"), &enabled);
    ids_lower_alnum(id, 10);
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    json_str(&c->out, "value", value);
    gw_copy_members(c, &c->out, copied);
    json_bool(&c->out, "enabled", enabled);
    json_i64(&c->out, "createdDate", c->now_ms / 1000);
    json_i64(&c->out, "lastUpdatedDate", c->now_ms / 1000);
    json_raw(&c->out, "stageKeys", STR("[]"));
    json_end(&c->out);
    return gw_save(c, STR(""), GW_API_KEY, str_c(id), buf_view(c->out_buf)) ? CALL_DONE
                                                                            : CALL_FAILED;
}

static bool need_key(struct call *c, const char *member, struct str *id, struct str *text)
{
    struct jval doc;
    *id = gw_in(c, member);
    return gw_need_doc(c, STR(""), GW_API_KEY, *id, "Invalid API Key identifier specified", text,
                       &doc);
}

enum call_status gw_get_api_key(struct call *c)
{
    struct str id, text;
    bool with_value = false;
    if (!need_key(c, "apiKey", &id, &text))
        return CALL_FAILED;
    jval_bool(jval_get(c->in, "includeValue"), &with_value);
    json_raw(&c->out, NULL, shown(c, text, with_value));
    return CALL_DONE;
}

static bool is_wanted(struct call *c, struct str text)
{
    struct jval doc;
    struct str name = gw_in(c, "nameQuery"), customer = gw_in(c, "customerId");
    return json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
           str_starts(jval_text(jval_get(doc, "name"), c->arena), name) &&
           (customer.n == 0 || str_eq(jval_text(jval_get(doc, "customerId"), c->arena), customer));
}

enum call_status gw_get_api_keys(struct call *c)
{
    size_t limit, kept = 0;
    struct str after;
    struct gw_doc *docs;
    bool with_values = false;
    if (!gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    jval_bool(jval_get(c->in, "includeValues"), &with_values);
    size_t count = gw_doc_list(c->svc->state, STR(""), GW_API_KEY, after, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(c, docs[i].text))
            docs[kept++] = (struct gw_doc){docs[i].id, shown(c, docs[i].text, with_values)};
    }
    gw_write_page(c, docs, kept, limit);
    return CALL_DONE;
}

enum call_status gw_update_api_key(struct call *c)
{
    static const struct gw_patch_rule rules[] = {{"/description", PATCH_TEXT, true, false, false},
                                                 {"/enabled", PATCH_BOOL, true, false, false},
                                                 {"/name", PATCH_TEXT, true, false, false},
                                                 {"/customerId", PATCH_TEXT, true, false, false}};
    struct str id, text;
    struct jval doc;
    if (!need_key(c, "apiKey", &id, &text) || !gw_patch_apply(c, rules, 4, false, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL))
        return CALL_FAILED;
    if (jval_text(jval_get(doc, "description"), c->arena).n > DESCRIPTION_MAX) {
        gw_bad(c, "Invalid API Key description specified.");
        return CALL_FAILED;
    }
    text = gw_doc_set(c->arena, text, &STR("lastUpdatedDate"), 1,
                      arena_fmt(c->arena, "%lld", (long long)(c->now_ms / 1000)));
    if (!gw_save(c, STR(""), GW_API_KEY, id, text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, shown(c, text, false));
    return CALL_DONE;
}

enum call_status gw_delete_api_key(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str id, text;
    struct gw_doc *docs;
    if (!need_key(c, "apiKey", &id, &text))
        return CALL_FAILED;
    struct str end = arena_fmt(c->arena, "/%.*s", STR_ARG(id));
    size_t count = gw_doc_list(g, STR(""), GW_USAGE_PLAN_KEY, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) { /* its places in usage plans */
        if (str_ends(docs[i].id, end) &&
            (!db_begin(g->db) || !gw_doc_del(g, STR(""), GW_USAGE_PLAN_KEY, docs[i].id))) {
            gw_fail_store(c);
            return CALL_FAILED;
        }
    }
    return gw_remove(c, STR(""), GW_API_KEY, id);
}
