/* Tags of REST APIs, stages, API keys, usage plans and domain names. */
#include "apigateway_model.h"
#include "arn.h"
#include "gw_store.h"

enum { TAGS_MAX = 50 };

struct tagged {
    struct str api, id, text;
    enum gw_kind kind;
    struct jval doc;
};

/* "/restapis/<id>" or "/restapis/<id>/stages/<name>" after its first part */
static bool need_api_or_stage(struct call *c, struct str rest, struct tagged *ret)
{
    struct str account, region;
    ret->api = str_cut(&rest, '/');
    if (!gw_api_get(c->svc->state, GW_API, ret->api, c->arena, &account, &region, &ret->text) ||
        !str_eq(account, c->account) || !str_eq(region, c->region))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_NotFoundException,
                        "Invalid API identifier specified %.*s:%.*s", STR_ARG(c->account),
                        STR_ARG(ret->api));
    if (rest.p != NULL) {
        if (!str_starts(rest, STR("stages/")))
            return gw_bad(c, "Invalid ARN specified in the request");
        ret->id = str_sub(rest, sizeof "stages/" - 1, rest.n);
        ret->kind = GW_STAGE;
    }
    return gw_need_doc(c, ret->api, ret->kind, ret->id, "Invalid stage identifier specified",
                       &ret->text, &ret->doc);
}

/* arn:aws:apigateway:<region>::/<kind>/<id>... */
static bool need_tagged(struct call *c, struct tagged *ret)
{
    static const struct {
        const char *start, *not_found;
        enum gw_kind kind;
    } kinds[] = {{"/apikeys/", "Invalid API Key identifier specified", GW_API_KEY},
                 {"/usageplans/", "Invalid Usage Plan ID specified", GW_USAGE_PLAN},
                 {"/domainnames/", "Invalid domain name identifier specified", GW_DOMAIN}};
    struct arn arn;
    struct str rest;
    *ret = (struct tagged){.kind = GW_API, .api = STR(""), .id = STR("")};
    if (!arn_parse(gw_in(c, "resourceArn"), &arn) || !str_eq_c(arn.service, "apigateway"))
        return gw_bad(c, "Invalid ARN specified in the request");
    if (gw_patch_under(c, arn.resource, "/restapis/", &rest))
        return need_api_or_stage(c, rest, ret);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!gw_patch_under(c, arn.resource, kinds[i].start, &ret->id))
            continue;
        ret->kind = kinds[i].kind;
        return gw_need_doc(c, STR(""), ret->kind, ret->id, kinds[i].not_found, &ret->text,
                           &ret->doc);
    }
    return gw_bad(c, "Invalid ARN specified in the request");
}

enum call_status gw_get_tags(struct call *c)
{
    struct tagged t;
    if (!need_tagged(c, &t))
        return CALL_FAILED;
    struct jval tags = jval_get(t.doc, "tags");
    json_obj(&c->out, NULL);
    json_raw(&c->out, "tags", jval_present(tags) ? jval_raw(tags) : STR("{}"));
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status gw_tag_resource(struct call *c)
{
    struct tagged t;
    struct jval it = {0};
    if (!need_tagged(c, &t))
        return CALL_FAILED;
    if (jval_count(jval_get(c->in, "tags")) > TAGS_MAX)
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException, "Too many tags: at most %d", TAGS_MAX);
    for (struct jval tags = jval_get(c->in, "tags"); jval_next(tags, &it, NULL);) {
        struct str path[] = {STR("tags"), jval_key_str(it, c->arena)};
        t.text = gw_doc_set(c->arena, t.text, path, 2, jval_raw(it));
    }
    return gw_save(c, t.api, t.kind, t.id, t.text) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw_untag_resource(struct call *c)
{
    struct tagged t;
    struct jval it = {0};
    if (!need_tagged(c, &t))
        return CALL_FAILED;
    if (jval_count(jval_get(c->in, "tagKeys")) > TAGS_MAX)
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException, "Too many tags: at most %d", TAGS_MAX);
    for (struct jval keys = jval_get(c->in, "tagKeys"); jval_next(keys, &it, NULL);) {
        struct str path[] = {STR("tags"), jval_text(it, c->arena)};
        t.text = gw_doc_set(c->arena, t.text, path, 2, STR_NONE);
    }
    return gw_save(c, t.api, t.kind, t.id, t.text) ? CALL_DONE : CALL_FAILED;
}
