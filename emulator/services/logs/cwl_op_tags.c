/* Tags of log groups, by name (the older operations) and by ARN. */
#include "cwl_internal.h"

enum { TAGS_MAX = 50 };

static struct cwl *cwl_of(struct call *c)
{
    return c->svc->state;
}

static struct jval tags_of(struct call *c, const struct cwl_group *g)
{
    struct jval v = {0};
    json_parse(c->arena, g->tags_json, JSON_DEPTH_DEFAULT, &v, NULL);
    return v;
}

static bool is_named(struct call *c, struct jval keys, struct str key)
{
    struct jval it = {0};
    while (jval_next(keys, &it, NULL)) {
        if (str_eq(jval_text(it, c->arena), key))
            return true;
    }
    return false;
}

/* The group's tags without those in keys, and with those of added. */
static enum call_status change(struct call *c, struct cwl_group *g, struct jval keys,
                               struct jval added)
{
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    struct jval it = {0}, before = tags_of(c, g);
    struct json_out w;
    size_t count = jval_count(added);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    while (jval_next(before, &it, NULL)) {
        struct str key = jval_key_str(it, c->arena);
        if (is_named(c, keys, key) || jval_kind(jval_get_str(added, key)) != JSON_MISSING)
            continue;
        json_key(&w, key);
        json_str(&w, NULL, jval_text(it, c->arena));
        count++;
    }
    it = (struct jval){0};
    while (jval_next(added, &it, NULL)) {
        json_key(&w, jval_key_str(it, c->arena));
        json_str(&w, NULL, jval_text(it, c->arena));
    }
    json_end(&w);
    if (count > TAGS_MAX)
        return CALL_FAIL(c, &LOGS_TooManyTagsException, "The maximum number of tags is %d.",
                         TAGS_MAX); /* unverified */
    g->tags_json = buf_view(b);
    if (!cwl_group_update(cwl_of(c), g))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

static enum call_status list(struct call *c, const char *member)
{
    struct cwl_group g;
    if (!cwl_group_of_call(c, member, &g))
        return CALL_FAILED;
    json_obj(&c->out, NULL);
    json_raw(&c->out, "tags", g.tags_json);
    json_end(&c->out);
    return CALL_DONE;
}

static enum call_status change_by(struct call *c, const char *member, const char *keys,
                                  const char *added)
{
    struct cwl_group g;
    if (!cwl_group_of_call(c, member, &g))
        return CALL_FAILED;
    return change(c, &g, jval_get(c->in, keys), jval_get(c->in, added));
}

enum call_status cwl_tag_log_group(struct call *c)
{
    return change_by(c, "logGroupName", "", "tags");
}

enum call_status cwl_untag_log_group(struct call *c)
{
    return change_by(c, "logGroupName", "tags", "");
}

enum call_status cwl_list_tags_log_group(struct call *c)
{
    return list(c, "logGroupName");
}

enum call_status cwl_tag_resource(struct call *c)
{
    return change_by(c, "resourceArn", "", "tags");
}

enum call_status cwl_untag_resource(struct call *c)
{
    return change_by(c, "resourceArn", "tagKeys", "");
}

enum call_status cwl_list_tags_for_resource(struct call *c)
{
    return list(c, "resourceArn");
}
