/* AWS::DynamoDB::Table and AWS::Serverless::SimpleTable: to CreateTable's input. */
#include "tpl_plan.h"

/* A call with TableName and more. */
struct later {
    struct json_out w;
    struct buf *b;
    struct plan_call call;
};

static struct later start_call(struct tpl_model *m, const struct plan_table *t, const char *op,
                               const struct tpl_node *from)
{
    struct later l = {.b = arena_new_buf(m->arena, PLAN_TEXT_MAX)};
    l.call = (struct plan_call){.op = op, .line = from->line};
    json_out_init(&l.w, l.b);
    json_obj(&l.w, NULL);
    json_str(&l.w, "TableName", t->name);
    return l;
}

static void end_call(struct plan_table *t, struct later *l)
{
    json_end(&l->w);
    l->call.json = buf_view(l->b);
    t->calls[t->call_count++] = l->call;
}

static bool is_on(const struct tpl_node *spec, const char *member)
{
    const struct tpl_node *on = tpl_get(spec, member);
    return on != NULL && str_eq_c(on->text, "true");
}

/* TimeToLiveSpecification and PointInTimeRecoverySpecification: the same members as the API's. */
static bool read_passed_on(struct tpl_model *m, struct tpl_resource *r, struct plan_table *t)
{
    static const struct {
        const char *property, *switch_name, *op;
    } rows[] = {
        {"TimeToLiveSpecification", "Enabled", "UpdateTimeToLive"},
        {"PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled",
         "UpdateContinuousBackups"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tpl_node *spec;
        if (!plan_eval(m, r, rows[i].property, &spec))
            return false;
        if (spec == NULL || !is_on(spec, rows[i].switch_name))
            continue;
        struct later l = start_call(m, t, rows[i].op, spec);
        plan_write_json(&l.w, rows[i].property, spec);
        end_call(t, &l);
    }
    return true;
}

static bool read_insights(struct tpl_model *m, struct tpl_resource *r, struct plan_table *t)
{
    struct tpl_node *spec;
    if (!plan_eval(m, r, "ContributorInsightsSpecification", &spec))
        return false;
    if (spec == NULL || !is_on(spec, "Enabled"))
        return true;
    const struct tpl_node *mode = tpl_get(spec, "Mode");
    struct later l = start_call(m, t, "UpdateContributorInsights", spec);
    json_cstr(&l.w, "ContributorInsightsAction", "ENABLE");
    if (mode != NULL)
        json_str(&l.w, "ContributorInsightsMode", mode->text);
    end_call(t, &l);
    return true;
}

static bool read_kinesis(struct tpl_model *m, struct tpl_resource *r, struct plan_table *t)
{
    struct tpl_node *spec;
    if (!plan_eval(m, r, "KinesisStreamSpecification", &spec))
        return false;
    const struct tpl_node *arn = tpl_get(spec, "StreamArn");
    const struct tpl_node *precision = tpl_get(spec, "ApproximateCreationDateTimePrecision");
    if (arn == NULL)
        return true;
    struct later l = start_call(m, t, "EnableKinesisStreamingDestination", spec);
    json_str(&l.w, "StreamArn", arn->text);
    if (precision != NULL) {
        json_obj(&l.w, "EnableKinesisStreamingConfiguration");
        json_str(&l.w, "ApproximateCreationDateTimePrecision", precision->text);
        json_end(&l.w);
    }
    end_call(t, &l);
    return true;
}

/* CloudFormation says SSEEnabled where the API says Enabled. */
static bool write_encryption(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *sse;
    if (!plan_eval(m, r, "SSESpecification", &sse))
        return false;
    if (sse == NULL || sse->kind != TPL_MAP)
        return true;
    json_obj(w, "SSESpecification");
    json_bool(w, "Enabled", is_on(sse, "SSEEnabled"));
    for (size_t i = 0; i < sse->count && is_on(sse, "SSEEnabled"); i++) {
        if (str_eq_c(sse->pairs[i].key, "SSEEnabled"))
            continue;
        json_key(w, sse->pairs[i].key);
        json_str(w, NULL, sse->pairs[i].value->text);
    }
    json_end(w);
    return true;
}

/* The API takes the document as text. */
static bool write_policy(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *policy;
    struct json_out text;
    if (!plan_eval(m, r, "ResourcePolicy", &policy))
        return false;
    const struct tpl_node *document = tpl_get(policy, "PolicyDocument");
    if (document == NULL)
        return true;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&text, b);
    json_obj(&text, NULL);
    plan_write_json(&text, "d", document);
    json_end(&text);
    json_str(w, "ResourcePolicy", str_sub(buf_view(b), 5, b->n - 1)); /* without {"d":} */
    return true;
}

/* CloudFormation has no StreamEnabled: a view type means yes. */
static bool write_stream(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *stream;
    if (!plan_eval(m, r, "StreamSpecification", &stream))
        return false;
    const struct tpl_node *view = tpl_get(stream, "StreamViewType");
    if (view == NULL)
        return true;
    json_obj(w, "StreamSpecification");
    json_bool(w, "StreamEnabled", true);
    json_str(w, "StreamViewType", view->text);
    json_end(w);
    return true;
}

bool plan_table_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const char *const passed[] = {"AttributeDefinitions",
                                         "KeySchema",
                                         "BillingMode",
                                         "ProvisionedThroughput",
                                         "OnDemandThroughput",
                                         "GlobalSecondaryIndexes",
                                         "LocalSecondaryIndexes",
                                         "TableClass",
                                         "DeletionProtectionEnabled",
                                         "WarmThroughput",
                                         "Tags",
                                         NULL};
    static const char *const used[] = {"AttributeDefinitions",
                                       "KeySchema",
                                       "BillingMode",
                                       "ProvisionedThroughput",
                                       "OnDemandThroughput",
                                       "GlobalSecondaryIndexes",
                                       "LocalSecondaryIndexes",
                                       "SSESpecification",
                                       "TableClass",
                                       "DeletionProtectionEnabled",
                                       "Tags",
                                       "TableName",
                                       "StreamSpecification",
                                       "TimeToLiveSpecification",
                                       "PointInTimeRecoverySpecification",
                                       "ContributorInsightsSpecification",
                                       "KinesisStreamSpecification",
                                       "ResourcePolicy",
                                       "WarmThroughput",
                                       NULL};
    static const char *const ignored[] = {NULL};
    static const struct plan_properties known = {used, ignored};
    struct plan_table t = {.id = r->id, .line = r->line};
    struct tpl_node *n;
    struct json_out w;
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (!tpl_resource_name(m, r, &t.name))
        return false;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "TableName", t.name);
    for (size_t i = 0; passed[i] != NULL; i++) {
        if (!plan_eval(m, r, passed[i], &n))
            return false;
        if (n != NULL)
            plan_write_json(&w, passed[i], n);
    }
    if (!write_stream(m, r, &w) || !write_encryption(m, r, &w) || !write_policy(m, r, &w) ||
        !read_passed_on(m, r, &t) || !read_insights(m, r, &t) || !read_kinesis(m, r, &t))
        return false;
    json_end(&w);
    t.create_json = buf_view(b);
    plan->tables[plan->table_count++] = t;
    return true;
}

static bool simple_key(struct tpl_model *m, struct tpl_resource *r, struct str *ret_name,
                       const char **ret_type)
{
    static const char *const types[][2] = {{"String", "S"}, {"Number", "N"}, {"Binary", "B"}};
    struct tpl_node *key;
    *ret_name = STR("id");
    *ret_type = "S";
    if (!plan_eval(m, r, "PrimaryKey", &key))
        return false;
    if (key == NULL)
        return true;
    const struct tpl_node *name = tpl_get(key, "Name"), *type = tpl_get(key, "Type");
    if (name != NULL)
        *ret_name = name->text;
    for (size_t i = 0; type != NULL && i < 3; i++) {
        if (str_eq_c(type->text, types[i][0])) {
            *ret_type = types[i][1];
            return true;
        }
    }
    return type == NULL
               ? true
               : tpl_fail(m->log, type->line, "%.*s: the key's Type is String, Number or Binary",
                          STR_ARG(r->id));
}

/* Encryption, and tags, which SAM has as a map. */
static bool write_simple_rest(struct tpl_model *m, struct tpl_resource *r, struct json_out *w)
{
    struct tpl_node *tags;
    if (!write_encryption(m, r, w) || !plan_eval(m, r, "Tags", &tags))
        return false;
    if (tags == NULL || tags->kind != TPL_MAP)
        return true;
    json_arr(w, "Tags");
    for (size_t i = 0; i < tags->count; i++) {
        json_obj(w, NULL);
        json_str(w, "Key", tags->pairs[i].key);
        json_str(w, "Value", tags->pairs[i].value->text);
        json_end(w);
    }
    json_end(w);
    return true;
}

bool plan_simple_table_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const char *const used[] = {"PrimaryKey",
                                       "ProvisionedThroughput",
                                       "TableName",
                                       "PointInTimeRecoverySpecification",
                                       "SSESpecification",
                                       "Tags",
                                       NULL};
    static const char *const ignored[] = {NULL};
    static const struct plan_properties known = {used, ignored};
    struct plan_table t = {.id = r->id, .line = r->line};
    struct tpl_node *throughput;
    struct json_out w;
    struct str key;
    const char *type;
    plan_warn_unknown(m, r->id, r->properties, &known);
    if (!tpl_resource_name(m, r, &t.name) || !simple_key(m, r, &key, &type) ||
        !plan_eval(m, r, "ProvisionedThroughput", &throughput))
        return false;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "TableName", t.name);
    json_arr(&w, "AttributeDefinitions");
    json_obj(&w, NULL);
    json_str(&w, "AttributeName", key);
    json_cstr(&w, "AttributeType", type);
    json_end(&w);
    json_end(&w);
    json_arr(&w, "KeySchema");
    json_obj(&w, NULL);
    json_str(&w, "AttributeName", key);
    json_cstr(&w, "KeyType", "HASH");
    json_end(&w);
    json_end(&w);
    if (throughput != NULL)
        plan_write_json(&w, "ProvisionedThroughput", throughput);
    else
        json_cstr(&w, "BillingMode", "PAY_PER_REQUEST");
    if (!write_simple_rest(m, r, &w) || !read_passed_on(m, r, &t))
        return false;
    json_end(&w);
    t.create_json = buf_view(b);
    plan->tables[plan->table_count++] = t;
    return true;
}
