/* AWS::DynamoDB::Table and AWS::Serverless::SimpleTable: to CreateTable's input. */
#include "tpl_plan.h"

/* TimeToLiveSpecification is a call of its own. */
static bool read_ttl(struct tpl_model *m, struct tpl_resource *r, struct plan_table *t)
{
    struct tpl_node *ttl;
    struct json_out w;
    if (!plan_eval(m, r, "TimeToLiveSpecification", &ttl))
        return false;
    if (ttl == NULL)
        return true;
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "TableName", t->name);
    plan_write_json(&w, "TimeToLiveSpecification", ttl);
    json_end(&w);
    t->ttl_json = buf_view(b);
    t->ttl_line = ttl->line;
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
                                         "SSESpecification",
                                         "TableClass",
                                         "DeletionProtectionEnabled",
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
                                       NULL};
    static const char *const ignored[] = {"PointInTimeRecoverySpecification",
                                          "ContributorInsightsSpecification", "ResourcePolicy",
                                          "WarmThroughput", NULL};
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
    if (!write_stream(m, r, &w) || !read_ttl(m, r, &t))
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

bool plan_simple_table_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan)
{
    static const char *const used[] = {"PrimaryKey", "ProvisionedThroughput", "TableName", NULL};
    static const char *const ignored[] = {"SSESpecification", "Tags",
                                          "PointInTimeRecoverySpecification", NULL};
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
    json_end(&w);
    t.create_json = buf_view(b);
    plan->tables[plan->table_count++] = t;
    return true;
}
