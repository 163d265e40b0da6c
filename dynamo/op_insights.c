/* DescribeContributorInsights, ListContributorInsights, UpdateContributorInsights: the setting is
 * kept and described; nothing is measured, and so there are no CloudWatch rules to list. */
#include "ddb_internal.h"
#include "index.h"

enum { LIST_MAX = 100 };
#define DEFAULT_MODE "ACCESSED_AND_THROTTLED_KEYS"

struct setting {
    bool there, enabled;
    struct str mode;
    int64_t changed_ms;
};

static struct setting setting_of(struct call *c, const struct table *t, struct str index)
{
    struct jval it = {0};
    struct setting s = {0};
    while (jval_next(jval_get(t->def, "Insights"), &it, NULL)) {
        if (!str_eq(jval_text(jval_get(it, "IndexName"), c->arena), index))
            continue;
        s.there = true;
        jval_bool(jval_get(it, "Enabled"), &s.enabled);
        jval_i64(jval_get(it, "ChangedMs"), &s.changed_ms);
        s.mode = jval_text(jval_get(it, "Mode"), c->arena);
    }
    return s;
}

/* NULL: c->err is set. *ret_index: empty for the table itself. */
static struct table *find(struct call *c, struct str *ret_index)
{
    struct table *t =
        ddb_table_or_fail(c, jval_text(jval_get(c->in, "TableName"), c->arena), DDB_FOR_TABLE);
    *ret_index = jval_text(jval_get(c->in, "IndexName"), c->arena);
    if (t == NULL || ret_index->n == 0)
        return t;
    const struct index *x = index_find(t, *ret_index);
    if (x != NULL && x->global)
        return t;
    aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException, "Index not found");
    return NULL;
}

static void write_names(struct call *c, const struct table *t, struct str index)
{
    json_str(&c->out, "TableName", t->name);
    if (index.n > 0)
        json_str(&c->out, "IndexName", index);
}

static void write_entry(struct json_out *w, struct str index, const struct setting *s)
{
    json_obj(w, NULL);
    json_str(w, "IndexName", index);
    json_bool(w, "Enabled", s->enabled);
    json_str(w, "Mode", s->mode);
    json_i64(w, "ChangedMs", s->changed_ms);
    json_end(w);
}

/* False: c->err is set. */
static bool store(struct call *c, struct table *t, struct str index, const struct setting *now)
{
    struct json_out w;
    struct jval it = {0};
    struct buf *b = arena_new_buf(c->arena, 1 << 20);
    json_out_init(&w, b);
    json_arr(&w, NULL);
    while (jval_next(jval_get(t->def, "Insights"), &it, NULL)) {
        struct str name = jval_text(jval_get(it, "IndexName"), c->arena);
        if (str_eq(name, index) || (name.n > 0 && index_find(t, name) == NULL))
            continue;
        json_raw(&w, NULL, jval_raw(it));
    }
    write_entry(&w, index, now);
    json_end(&w);
    struct table_edit edit = {"Insights", buf_view(b)};
    return ddb_define(c, t, &edit, 1);
}

enum call_status ddb_update_contributor_insights(struct call *c)
{
    struct str index, mode = jval_text(jval_get(c->in, "ContributorInsightsMode"), c->arena);
    struct table *t = find(c, &index);
    if (t == NULL)
        return CALL_FAILED;
    struct setting old = setting_of(c, t, index), now = old;
    now.enabled =
        str_eq_c(jval_text(jval_get(c->in, "ContributorInsightsAction"), c->arena), "ENABLE");
    if (now.enabled)
        now.mode = mode.n > 0 ? mode : STR(DEFAULT_MODE);
    bool same = now.enabled == old.enabled && (!now.enabled || str_eq(now.mode, old.mode));
    now.changed_ms = c->now_ms;
    json_obj(&c->out, NULL);
    write_names(c, t, index);
    json_cstr(&c->out, "ContributorInsightsStatus",
              same && now.enabled ? "ENABLED"
              : same              ? "DISABLED"
              : now.enabled       ? "ENABLING"
                                  : "DISABLING");
    if (now.mode.n > 0)
        json_str(&c->out, "ContributorInsightsMode", now.mode);
    json_end(&c->out);
    return same || store(c, t, index, &now) ? CALL_DONE : CALL_FAILED;
}

enum call_status ddb_describe_contributor_insights(struct call *c)
{
    struct str index;
    const struct table *t = find(c, &index);
    if (t == NULL)
        return CALL_FAILED;
    struct setting s = setting_of(c, t, index);
    json_obj(&c->out, NULL);
    write_names(c, t, index);
    json_cstr(&c->out, "ContributorInsightsStatus", s.enabled ? "ENABLED" : "DISABLED");
    if (s.there) {
        json_double(&c->out, "LastUpdateDateTime", (double)s.changed_ms / 1000.0);
        json_str(&c->out, "ContributorInsightsMode", s.mode);
    }
    json_end(&c->out);
    return CALL_DONE;
}

struct listing {
    int64_t skip, room; /* entries before the page; what is left of it */
    bool more;
};

static void list_entry(struct call *c, const struct table *t, struct str index, struct listing *l)
{
    struct setting s = setting_of(c, t, index);
    if (!s.enabled || l->more)
        return;
    if (l->skip > 0) {
        l->skip--;
        return;
    }
    if (l->room == 0) {
        l->more = true;
        return;
    }
    l->room--;
    json_obj(&c->out, NULL);
    write_names(c, t, index);
    json_cstr(&c->out, "ContributorInsightsStatus", "ENABLED");
    json_str(&c->out, "ContributorInsightsMode", s.mode);
    json_end(&c->out);
}

static void list_table(struct call *c, const struct table *t, struct listing *l)
{
    list_entry(c, t, STR(""), l);
    for (size_t i = 0; i < t->global_count; i++)
        list_entry(c, t, t->indexes[i].name, l);
}

/* NextToken is how many entries have been listed. */
enum call_status ddb_list_contributor_insights(struct call *c)
{
    struct ddb *d = ddb_of(c);
    struct str name = jval_text(jval_get(c->in, "TableName"), c->arena);
    struct str token = jval_text(jval_get(c->in, "NextToken"), c->arena);
    int64_t page = LIST_MAX, from = 0;
    struct listing l = {0};
    const struct table *one = NULL;
    jval_i64(jval_get(c->in, "MaxResults"), &page);
    if (page <= 0)
        page = LIST_MAX;
    if (token.n > 0 && (!str_to_i64(token, &from) || from < 0)) /* unverified: the text */
        return CALL_FAIL(c, &AWS_ValidationException, "Invalid NextToken");
    if (name.n > 0) {
        one = ddb_table_or_fail(c, name, DDB_FOR_TABLE);
        if (one == NULL)
            return CALL_FAILED;
    }
    l.skip = from;
    l.room = page;
    json_obj(&c->out, NULL);
    json_arr(&c->out, "ContributorInsightsSummaries");
    if (one != NULL)
        list_table(c, one, &l);
    size_t count = 0;
    struct str *names =
        one != NULL ? NULL : catalog_names(&d->catalog, c->account, c->region, c->arena, &count);
    for (size_t i = 0; i < count; i++)
        list_table(c, catalog_find(&d->catalog, c->account, c->region, names[i]), &l);
    json_end(&c->out);
    if (l.more)
        json_str(&c->out, "NextToken", arena_fmt(c->arena, "%lld", (long long)(from + page)));
    json_end(&c->out);
    return CALL_DONE;
}
