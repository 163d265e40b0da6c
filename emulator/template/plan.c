/* From the model to the plan: what the kinds of resource share, and the outputs. */
#include "tpl_plan.h"
#include <stdio.h>

enum { OUTPUTS_MAX_BYTES = 4 * 1024 * 1024 };

static bool in_list(const char *const *list, struct str name)
{
    for (; list != NULL && *list != NULL; list++)
        if (str_eq_c(name, *list))
            return true;
    return false;
}

void plan_warn_unknown(struct tpl_model *m, struct str id, const struct tpl_node *properties,
                       const struct plan_properties *known)
{
    if (properties == NULL || properties->kind != TPL_MAP)
        return;
    for (size_t i = 0; i < properties->count; i++) {
        struct str name = properties->pairs[i].key;
        if (!in_list(known->used, name) && !in_list(known->ignored, name))
            tpl_warn(m->log, properties->pairs[i].line,
                     "%.*s: Puddle does not use the property %.*s", STR_ARG(id), STR_ARG(name));
    }
}

bool plan_eval(struct tpl_model *m, const struct tpl_resource *r, const char *name,
               struct tpl_node **ret)
{
    const struct tpl_node *n = tpl_get(r->properties, name);
    *ret = NULL;
    if (n == NULL)
        return true;
    *ret = tpl_eval(m, n);
    if (*ret == NULL)
        return false;
    if ((*ret)->kind == TPL_NONE)
        *ret = NULL;
    return true;
}

/* --- evaluated nodes as JSON --- */

static bool is_number_member(const char *key)
{
    static const char *const names[] = {"ReadCapacityUnits",
                                        "WriteCapacityUnits",
                                        "Timeout",
                                        "MemorySize",
                                        "Size",
                                        "MaxReadRequestUnits",
                                        "MaxWriteRequestUnits",
                                        "ReadUnitsPerSecond",
                                        "WriteUnitsPerSecond",
                                        "RecoveryPeriodInDays",
                                        NULL};
    return key != NULL && in_list(names, str_c(key));
}

static bool is_bool_member(const char *key)
{
    static const char *const names[] = {"StreamEnabled",
                                        "Enabled",
                                        "SSEEnabled",
                                        "DeletionProtectionEnabled",
                                        "PointInTimeRecoveryEnabled",
                                        NULL};
    return key != NULL && in_list(names, str_c(key));
}

static void write_scalar(struct json_out *w, const char *key, struct str text)
{
    int64_t number;
    if (is_number_member(key) && str_to_i64(text, &number))
        json_i64(w, NULL, number);
    else if (is_bool_member(key) && (str_eq_c(text, "true") || str_eq_c(text, "false")))
        json_bool(w, NULL, str_eq_c(text, "true"));
    else
        json_str(w, NULL, text);
}

/* JSON writers go 62 levels deep; the tree may be deeper, but no API's input is. */
static void write_node(struct json_out *w, const char *key, const struct tpl_node *n,
                       unsigned depth)
{
    char name[64];
    if (depth > 40) {
        json_null(w, NULL);
        return;
    }
    if (n->kind == TPL_SCALAR) {
        if (n->is_null)
            json_null(w, NULL);
        else
            write_scalar(w, key, n->text);
        return;
    }
    if (n->kind == TPL_SEQ) {
        json_arr(w, NULL);
        for (size_t i = 0; i < n->count; i++)
            write_node(w, NULL, n->pairs[i].value, depth + 1);
        json_end(w);
        return;
    }
    json_obj(w, NULL);
    for (size_t i = 0; n->kind == TPL_MAP && i < n->count; i++) {
        struct str member = n->pairs[i].key;
        snprintf(name, sizeof name, "%.*s", (int)(member.n < 63 ? member.n : 63), member.p);
        json_key(w, member);
        write_node(w, name, n->pairs[i].value, depth + 1);
    }
    json_end(w);
}

void plan_write_json(struct json_out *w, const char *key, const struct tpl_node *n)
{
    json_key(w, str_c(key));
    write_node(w, key, n, 0);
}

void plan_write_texts(struct json_out *w, const char *key, const struct tpl_node *map)
{
    json_obj(w, key);
    for (size_t i = 0; map != NULL && map->kind == TPL_MAP && i < map->count; i++) {
        json_key(w, map->pairs[i].key);
        json_str(w, NULL, map->pairs[i].value->text);
    }
    json_end(w);
}

void plan_write_api_tags(struct json_out *w, const struct tpl_node *tags, struct str id)
{
    json_obj(w, "tags");
    for (size_t i = 0; tags != NULL && tags->kind == TPL_MAP && i < tags->count; i++) {
        if (str_eq_c(tags->pairs[i].key, "_custom_id_"))
            continue;
        json_key(w, tags->pairs[i].key);
        json_str(w, NULL, tags->pairs[i].value->text);
    }
    json_str(w, "_custom_id_", id);
    json_end(w);
}

bool plan_variables_read(struct tpl_model *m, const struct tpl_resource *r, const char *name,
                         struct plan_api *api)
{
    struct tpl_node *variables;
    struct json_out w;
    if (!plan_eval(m, r, name, &variables))
        return false;
    if (variables == NULL || variables->kind != TPL_MAP)
        return true;
    struct buf *b = plan_writer(m, &w);
    json_obj(&w, NULL);
    plan_write_texts(&w, "variables", variables);
    json_end(&w);
    api->variables_json = buf_view(b);
    return true;
}

struct str plan_function_uri(struct arena *a, struct str region, struct str function_arn)
{
    return arena_fmt(a, "arn:aws:apigateway:%.*s:lambda:path/2015-03-31/functions/%.*s/invocations",
                     STR_ARG(region), STR_ARG(function_arn));
}

void plan_write_list(struct json_out *w, const char *key, const struct tpl_node *n)
{
    if (n == NULL)
        return;
    json_arr(w, key);
    if (n->kind == TPL_SCALAR)
        json_str(w, NULL, n->text);
    for (size_t i = 0; n->kind == TPL_SEQ && i < n->count; i++)
        json_str(w, NULL, n->pairs[i].value->text);
    json_end(w);
}

struct buf *plan_writer(struct tpl_model *m, struct json_out *ret)
{
    struct buf *b = arena_new_buf(m->arena, PLAN_TEXT_MAX);
    json_out_init(ret, b);
    return b;
}

bool plan_is_true(const struct tpl_node *n)
{
    static const char *const words[] = {"true", "True", "TRUE", "yes", "Yes", "on", "On", NULL};
    return n != NULL && n->kind == TPL_SCALAR && in_list(words, n->text);
}

struct str plan_text(const struct tpl_node *n)
{
    return n != NULL && n->kind == TPL_SCALAR ? n->text : STR("");
}

/* --- outputs --- */

static bool read_output(struct tpl_model *m, const struct tpl_pair *p, struct buf *out)
{
    const struct tpl_node *condition = tpl_get(p->value, "Condition");
    const struct tpl_node *value = tpl_get(p->value, "Value");
    bool on = true;
    if (condition != NULL && condition->kind == TPL_SCALAR &&
        !tpl_condition_value(m, condition->text, condition->line, &on))
        return false;
    if (!on)
        return true;
    if (value == NULL)
        return tpl_fail(m->log, p->line, "the output %.*s has no Value", STR_ARG(p->key));
    struct str text;
    if (!tpl_eval_text(m, value, "an output's Value", &text))
        return false;
    buf_addf(out, "%.*s: ", STR_ARG(p->key));
    for (size_t i = 0; i < text.n; i++) /* one line each */
        buf_addc(out, (unsigned char)text.p[i] < 0x20 ? ' ' : text.p[i]);
    buf_addc(out, '\n');
    return true;
}

static bool read_outputs(struct tpl_model *m, struct str *ret)
{
    const struct tpl_node *n = tpl_get(m->root, "Outputs");
    struct buf *b = arena_new_buf(m->arena, OUTPUTS_MAX_BYTES);
    if (n != NULL && n->kind != TPL_MAP)
        return tpl_fail(m->log, n->line, "Outputs must be a map");
    for (size_t i = 0; n != NULL && i < n->count; i++)
        if (!read_output(m, &n->pairs[i], b))
            return false;
    *ret = buf_view(b);
    return true;
}

static bool read_one(struct tpl_model *m, struct tpl_resource *r, struct str folder,
                     struct tpl_plan *plan)
{
    switch (r->type) {
    case TPL_FUNCTION:
        return plan_function_read(m, r, folder, plan);
    case TPL_TABLE:
        return plan_table_read(m, r, plan);
    case TPL_SIMPLE_TABLE:
        return plan_simple_table_read(m, r, plan);
    case TPL_API:
        return plan_api_read(m, r, plan);
    case TPL_HTTP_API:
        return plan_http_api_read(m, r, plan);
    default:
        return true;
    }
}

bool tpl_plan_build(struct tpl_model *m, struct str folder, struct tpl_plan *ret)
{
    *ret = (struct tpl_plan){0};
    ret->tables = ARENA_ARRAY(m->arena, struct plan_table, m->resource_count);
    ret->functions = ARENA_ARRAY(m->arena, struct plan_function, m->resource_count);
    ret->apis = ARENA_ARRAY(m->arena, struct plan_api, m->resource_count + 2);
    ret->urls = ARENA_ARRAY(m->arena, struct plan_url, m->resource_count);
    if (tpl_has_implicit_api(m) && !plan_implicit_api(m, ret))
        return false;
    if (tpl_has_implicit_http_api(m) && !plan_implicit_http_api(m, ret))
        return false;
    for (size_t i = 0; i < m->resource_count; i++)
        if (!m->resources[i].is_off && !read_one(m, &m->resources[i], folder, ret))
            return false;
    for (size_t i = 0; i < m->resource_count; i++)
        if (!m->resources[i].is_off && m->resources[i].type == TPL_URL &&
            !plan_plain_url_read(m, &m->resources[i], ret))
            return false;
    for (size_t i = 0; i < m->resource_count; i++) /* all APIs are known now */
        if (!m->resources[i].is_off && m->resources[i].type == TPL_FUNCTION &&
            !m->resources[i].is_plain &&
            (!plan_events_read(m, &m->resources[i], ret) ||
             !plan_url_read(m, &m->resources[i], ret)))
            return false;
    return read_outputs(m, &ret->outputs);
}
