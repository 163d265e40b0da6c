/* TagResource, UntagResource, ListTagsOfResource. */
#include "arn.h"
#include "ddb_internal.h"
#include "tags.h"

#define INVALID "One or more parameter values were invalid: "

struct table *ddb_table_of_arn_or_fail(struct call *c, struct str text)
{
    struct arn arn;
    if (!str_starts(text, STR("arn:"))) {
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 INVALID "ARNs must start with 'arn:': %.*s", STR_ARG(text));
        return NULL;
    }
    if (!arn_parse(text, &arn) || !str_eq_c(arn.service, "dynamodb")) {
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 INVALID "Provided Arn is not a DynamoDB resource arn: %.*s", STR_ARG(text));
        return NULL;
    }
    struct str name = str_sub(arn.resource, 6, arn.resource.n);
    if (!str_starts(arn.resource, STR("table/")) || name.n == 0 || str_find(name, '/') >= 0) {
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 INVALID
                 "Invalid resource arn provided, only table or stream is accepted. Provided "
                 "resource arn: %.*s",
                 STR_ARG(text));
        return NULL;
    }
    if (!str_eq(arn.region, c->region)) {
        aws_fail(&c->err, c->arena, &AWS_ValidationException,
                 "Invalid TableArn: Invalid ResourceArn provided as input %.*s", STR_ARG(text));
        return NULL;
    }
    return ddb_table_or_fail(c, text, DDB_FOR_ARN);
}

static struct jval tags_of(const struct table *t)
{
    return jval_get(t->def, "Tags");
}

static void write_tag(struct json_out *w, struct jval tag)
{
    json_obj(w, NULL);
    json_copy(w, "Key", jval_get(tag, "Key"));
    json_copy(w, "Value", jval_get(tag, "Value"));
    json_end(w);
}

static bool holds(struct call *c, struct jval list, struct str key, bool of_tags)
{
    struct jval it = {0};
    while (jval_next(list, &it, NULL)) {
        if (str_eq(key, jval_text(of_tags ? jval_get(it, "Key") : it, c->arena)))
            return true;
    }
    return false;
}

/* The tags of t without those whose keys are in gone, and with those of added. */
static size_t merge(struct call *c, const struct table *t, struct jval gone, struct jval added,
                    struct json_out *w)
{
    struct jval it = {0};
    size_t count = 0;
    json_arr(w, NULL);
    while (jval_next(tags_of(t), &it, NULL)) {
        struct str key = jval_text(jval_get(it, "Key"), c->arena);
        if (holds(c, gone, key, false) || holds(c, added, key, true))
            continue;
        write_tag(w, it);
        count++;
    }
    it = (struct jval){0};
    while (jval_next(added, &it, NULL)) {
        write_tag(w, it);
        count++;
    }
    json_end(w);
    return count;
}

/* Both succeed with an empty body (fact 22). */
static enum call_status change(struct call *c, struct jval gone, struct jval added)
{
    struct json_out w;
    struct table *t =
        ddb_table_of_arn_or_fail(c, jval_text(jval_get(c->in, "ResourceArn"), c->arena));
    if (t == NULL)
        return CALL_FAILED;
    struct buf *b = arena_new_buf(c->arena, 16 << 20);
    json_out_init(&w, b);
    if (merge(c, t, gone, added, &w) > TAGS_MAX)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Number of Tags exceed the current limit for the provided ResourceArn");
    struct table_edit edit = {"Tags", buf_view(b)};
    return ddb_define(c, t, &edit, 1) ? CALL_DONE : CALL_FAILED;
}

enum call_status ddb_tag_resource(struct call *c)
{
    struct jval tags = jval_get(c->in, "Tags");
    if (jval_count(tags) == 0)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Atleast one Tag needs to be provided as Input.");
    return tags_check(tags, c->arena, &c->err) ? change(c, (struct jval){0}, tags) : CALL_FAILED;
}

enum call_status ddb_untag_resource(struct call *c)
{
    struct jval keys = jval_get(c->in, "TagKeys");
    if (jval_count(keys) == 0)
        return CALL_FAIL(c, &AWS_ValidationException,
                         "Atleast one Tag Key needs to be provided as Input.");
    return tags_check_keys(keys, c->arena, &c->err) ? change(c, keys, (struct jval){0})
                                                    : CALL_FAILED;
}

/* All at once: there are at most 50, so that a NextToken is never one of ours. */
enum call_status ddb_list_tags_of_resource(struct call *c)
{
    struct jval it = {0};
    const struct table *t =
        ddb_table_of_arn_or_fail(c, jval_text(jval_get(c->in, "ResourceArn"), c->arena));
    if (t == NULL)
        return CALL_FAILED;
    if (jval_present(jval_get(c->in, "NextToken"))) /* unverified: the text */
        return CALL_FAIL(c, &AWS_ValidationException, "Invalid NextToken");
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Tags");
    while (jval_next(tags_of(t), &it, NULL))
        write_tag(&c->out, it);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}
