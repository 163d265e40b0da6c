/* Log groups and their retention. */
#include "cwl_internal.h"

enum { PAGE_MAX = 50, LIST_MAX = 1000 };

static struct cwl *cwl_of(struct call *c)
{
    return c->svc->state;
}

static struct str text_of(struct call *c, const char *member)
{
    return jval_text(jval_get(c->in, member), c->arena);
}

/* ---- what the other families use ---- */

bool cwl_fail_store(struct call *c)
{
    return aws_fail(&c->err, c->arena, &LOGS_ServiceUnavailableException,
                    "The store could not be written.");
}

struct str cwl_group_arn(const struct cwl_group *g, struct arena *a)
{
    return arena_fmt(a, "arn:aws:logs:%.*s:%.*s:log-group:%.*s", STR_ARG(g->region),
                     STR_ARG(g->account), STR_ARG(g->name));
}

/* "arn:aws:logs:region:account:log-group:name[:*]", or the name itself. */
static struct str name_of(struct str text, struct str *account)
{
    static const char kind[] = ":log-group:";
    ptrdiff_t at = str_find_str(text, str_c(kind));
    if (!str_starts(text, STR("arn:")) || at < 0)
        return text;
    struct str front = str_sub(text, 0, (size_t)at);
    *account = str_sub(front, (size_t)(str_rfind(front, ':') + 1), front.n);
    text = str_sub(text, (size_t)at + sizeof kind - 1, text.n);
    return str_ends(text, STR(":*")) ? str_sub(text, 0, text.n - 2) : text;
}

static bool find_group(struct call *c, struct str text, struct cwl_group *ret)
{
    struct str account = c->account, name = name_of(text, &account);
    cwl_flush(cwl_of(c));
    if (!cwl_group_find(cwl_of(c), account, c->region, name, c->arena, ret))
        return aws_fail(&c->err, c->arena, &LOGS_ResourceNotFoundException,
                        "The specified log group does not exist.");
    return cwl_expire(cwl_of(c), ret) || cwl_fail_store(c);
}

bool cwl_group_of_call(struct call *c, const char *member, struct cwl_group *ret)
{
    return find_group(c, text_of(c, member), ret);
}

bool cwl_group_of_either(struct call *c, struct cwl_group *ret)
{
    struct str name = text_of(c, "logGroupName"), id = text_of(c, "logGroupIdentifier");
    if ((name.n > 0) == (id.n > 0)) /* unverified: the text */
        return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                        name.n > 0 ? "LogGroup name and LogGroup identifier are mutually exclusive "
                                     "parameters."
                                   : "LogGroup name or LogGroup identifier is required.");
    return find_group(c, name.n > 0 ? name : id, ret);
}

bool cwl_page_of_call(struct call *c, size_t most, size_t *ret_offset, size_t *ret_limit)
{
    int64_t limit = (int64_t)most, offset = 0;
    struct str token = text_of(c, "nextToken");
    jval_i64(jval_get(c->in, "limit"), &limit);
    if (token.n > 0 && (!str_to_i64(token, &offset) || offset < 0))
        return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                        "The specified nextToken is invalid.");
    *ret_offset = (size_t)offset;
    *ret_limit = (size_t)limit;
    return true;
}

void cwl_page_token(struct call *c, size_t offset)
{
    json_str(&c->out, "nextToken", arena_fmt(c->arena, "%zu", offset));
}

/* ---- create, delete ---- */

enum call_status cwl_create_log_group(struct call *c)
{
    struct cwl *s = cwl_of(c);
    struct str log_class = text_of(c, "logGroupClass");
    struct jval tags = jval_get(c->in, "tags");
    struct cwl_group g = {.created_ms = c->now_ms,
                          .account = c->account,
                          .region = c->region,
                          .name = text_of(c, "logGroupName"),
                          .log_class = log_class.n > 0 ? log_class : STR("STANDARD"),
                          .kms = text_of(c, "kmsKeyId"),
                          .tags_json = jval_present(tags) ? jval_raw(tags) : STR("{}")};
    struct cwl_group before;
    jval_bool(jval_get(c->in, "deletionProtectionEnabled"), &g.is_protected);
    cwl_flush(s);
    if (cwl_group_find(s, c->account, c->region, g.name, c->arena, &before))
        return CALL_FAIL(c, &LOGS_ResourceAlreadyExistsException,
                         "The specified log group already exists");
    if (!db_begin(s->db) || !cwl_group_insert(s, &g))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

enum call_status cwl_delete_log_group(struct call *c)
{
    struct cwl_group g;
    if (!cwl_group_of_call(c, "logGroupName", &g))
        return CALL_FAILED;
    if (g.is_protected)
        return CALL_FAIL(c, &LOGS_ValidationException,
                         "Deletion protection is enabled for the log group."); /* unverified */
    if (!cwl_group_delete(cwl_of(c), &g))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

/* ---- lists ---- */

static void write_group(struct json_out *w, const struct cwl_group *g, struct arena *a)
{
    struct str arn = cwl_group_arn(g, a);
    json_obj(w, NULL);
    json_str(w, "arn", arena_fmt(a, "%.*s:*", STR_ARG(arn)));
    json_i64(w, "creationTime", g->created_ms);
    json_bool(w, "deletionProtectionEnabled", g->is_protected);
    if (g->kms.n > 0)
        json_str(w, "kmsKeyId", g->kms);
    json_str(w, "logGroupArn", arn);
    json_str(w, "logGroupClass", g->log_class);
    json_str(w, "logGroupName", g->name);
    json_i64(w, "metricFilterCount", 0);
    if (g->retention_days > 0)
        json_i64(w, "retentionInDays", g->retention_days);
    json_i64(w, "storedBytes", g->bytes);
    json_end(w);
}

/* What would change the answer and is not there. */
static bool refuse_unsupported(struct call *c)
{
    static const char *const members[] = {"logGroupIdentifiers", "dataSources", "fieldIndexNames",
                                          "logGroupTags"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (jval_count(jval_get(c->in, members[i])) > 0)
            return aws_fail(&c->err, c->arena, &LOGS_InvalidParameterException,
                            "Puddle does not support %s yet.", members[i]);
    }
    return true;
}

static enum call_status list_groups(struct call *c, struct str prefix, struct str part, size_t most,
                                    bool summary)
{
    struct cwl_group *groups;
    size_t offset, limit;
    struct str log_class = text_of(c, "logGroupClass");
    cwl_flush(cwl_of(c));
    if (!refuse_unsupported(c) || !cwl_page_of_call(c, most, &offset, &limit))
        return CALL_FAILED;
    size_t n = cwl_group_list(cwl_of(c), c->account, c->region, prefix, part, offset, limit + 1,
                              c->arena, &groups);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "logGroups");
    for (size_t i = 0; i < n && i < limit; i++) {
        if (log_class.n > 0 && !str_eq(log_class, groups[i].log_class))
            continue;
        if (!summary) {
            write_group(&c->out, &groups[i], c->arena);
            continue;
        }
        json_obj(&c->out, NULL);
        json_str(&c->out, "logGroupArn", cwl_group_arn(&groups[i], c->arena));
        json_str(&c->out, "logGroupClass", groups[i].log_class);
        json_str(&c->out, "logGroupName", groups[i].name);
        json_end(&c->out);
    }
    json_end(&c->out);
    if (n > limit)
        cwl_page_token(c, offset + limit);
    json_end(&c->out);
    return CALL_DONE;
}

enum call_status cwl_describe_log_groups(struct call *c)
{
    struct str prefix = text_of(c, "logGroupNamePrefix"), part = text_of(c, "logGroupNamePattern");
    if (prefix.n > 0 && part.n > 0)
        return CALL_FAIL(c, &LOGS_InvalidParameterException,
                         "LogGroup name prefix and LogGroup name pattern are mutually exclusive "
                         "parameters.");
    return list_groups(c, prefix, part, PAGE_MAX, false);
}

/* The pattern is a text that the name holds; with ^ in front, one that it starts with. */
enum call_status cwl_list_log_groups(struct call *c)
{
    struct str pattern = text_of(c, "logGroupNamePattern"), none = STR("");
    bool at_start = str_starts(pattern, STR("^"));
    if (at_start)
        pattern = str_sub(pattern, 1, pattern.n);
    return list_groups(c, at_start ? pattern : none, at_start ? none : pattern, LIST_MAX, true);
}

/* ---- retention ---- */

static enum call_status set_retention(struct call *c, int64_t days)
{
    struct cwl_group g;
    if (!cwl_group_of_call(c, "logGroupName", &g))
        return CALL_FAILED;
    g.retention_days = days;
    if (!cwl_group_update(cwl_of(c), &g) || !cwl_expire(cwl_of(c), &g))
        return cwl_fail_store(c), CALL_FAILED;
    return CALL_DONE;
}

enum call_status cwl_put_retention_policy(struct call *c)
{
    static const int allowed[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                  365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
    int64_t days = 0;
    struct buf *set = arena_new_buf(c->arena, 1024);
    jval_i64(jval_get(c->in, "retentionInDays"), &days);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (allowed[i] == days)
            return set_retention(c, days);
        buf_addf(set, "%s%d", i == 0 ? "" : ", ", allowed[i]);
    }
    return CALL_FAIL(c, &LOGS_InvalidParameterException,
                     "1 validation error detected: Value '%lld' at 'retentionInDays' failed to "
                     "satisfy constraint: Member must satisfy enum value set: [%.*s]",
                     (long long)days, STR_ARG(buf_view(set)));
}

enum call_status cwl_delete_retention_policy(struct call *c)
{
    return set_retention(c, 0);
}
