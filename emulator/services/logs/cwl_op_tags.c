/* Tags of log groups, by name (the older operations) and by ARN. */
#include "aws_tags.h"
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

/* Takes off the tags that the member keys lists, puts on those of the member added. */
static enum call_status change_by(struct call *c, const char *member, const char *keys,
                                  const char *added)
{
    struct cwl_group g;
    if (!cwl_group_of_call(c, member, &g))
        return CALL_FAILED;
    size_t count;
    g.tags_json = aws_tags_merge(tags_of(c, &g), jval_get(c->in, keys), jval_get(c->in, added),
                                 c->arena, &count);
    if (count > TAGS_MAX)
        return CALL_FAIL(c, &LOGS_TooManyTagsException, "The maximum number of tags is %d.",
                         TAGS_MAX); /* unverified */
    if (!cwl_group_update(cwl_of(c), &g))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
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
