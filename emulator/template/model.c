/* The template's sections: parameters, conditions, Globals, resources. */
#include "map.h"
#include "tpl_model.h"

enum { PARAMETERS_MAX = 200, CONDITIONS_MAX = 500, RESOURCES_MAX = 500 }; /* CloudFormation's */

static const struct type_name {
    const char *name;
    enum tpl_type type;
} type_names[] = {
    {"AWS::Serverless::Function", TPL_FUNCTION},
    {"AWS::Lambda::Function", TPL_FUNCTION},
    {"AWS::Lambda::Url", TPL_URL},
    {"AWS::Serverless::Api", TPL_API},
    {"AWS::Serverless::HttpApi", TPL_HTTP_API},
    {"AWS::Serverless::SimpleTable", TPL_SIMPLE_TABLE},
    {"AWS::DynamoDB::Table", TPL_TABLE},
    /* Read, and of no effect: Puddle does not enforce IAM. */
    {"AWS::IAM::Role", TPL_ROLE},
    {"AWS::IAM::Policy", TPL_IGNORED},
    {"AWS::IAM::ManagedPolicy", TPL_IGNORED},
    {"AWS::Lambda::Permission", TPL_IGNORED},
    {"AWS::ApiGateway::Account", TPL_IGNORED},
};

struct tpl_resource *tpl_find_resource(struct tpl_model *m, struct str id)
{
    for (size_t i = 0; i < m->resource_count; i++)
        if (str_eq(m->resources[i].id, id))
            return &m->resources[i];
    return NULL;
}

/* The section as a map; NULL with *ok false if it is something else. */
static const struct tpl_node *section(struct tpl_model *m, const char *name, size_t max, bool *ok)
{
    const struct tpl_node *n = tpl_get(m->root, name);
    *ok = true;
    if (n == NULL)
        return NULL;
    if (n->kind != TPL_MAP)
        *ok = tpl_fail(m->log, n->line, "%s must be a map", name);
    else if (n->count > max)
        *ok = tpl_fail(m->log, n->line, "%s has %zu entries, more than %zu", name, n->count, max);
    return *ok ? n : NULL;
}

/* --- parameters --- */

static bool is_list_type(struct str type)
{
    return str_eq_c(type, "CommaDelimitedList") || str_starts(type, STR("List<"));
}

static bool check_allowed(struct tpl_model *m, struct str name, const struct tpl_node *declared,
                          struct str value, unsigned line)
{
    const struct tpl_node *allowed = tpl_get(declared, "AllowedValues");
    if (allowed == NULL || allowed->kind != TPL_SEQ)
        return true;
    for (size_t i = 0; i < allowed->count; i++)
        if (str_eq(allowed->pairs[i].value->text, value))
            return true;
    return tpl_fail(m->log, line, "Parameter '%.*s' must be one of AllowedValues", STR_ARG(name));
}

static struct tpl_node *list_value(struct tpl_model *m, struct str text, unsigned line)
{
    struct tpl_node *list = tpl_node_new(m->arena, TPL_SEQ, line);
    struct str rest = text;
    while (rest.p != NULL && text.n > 0)
        tpl_add(m->arena, list, STR(""), line,
                tpl_scalar(m->arena, line, str_trim(str_cut(&rest, ','))));
    return list;
}

static bool read_parameter(struct tpl_model *m, const struct tpl_pair *p,
                           const struct template_env *env)
{
    struct str value = STR_NONE, type = STR("String");
    const struct tpl_node *node = tpl_get(p->value, "Type");
    if (p->value->kind != TPL_MAP)
        return tpl_fail(m->log, p->line, "Parameter %.*s must be a map", STR_ARG(p->key));
    if (node != NULL && node->kind == TPL_SCALAR)
        type = node->text;
    for (size_t i = 0; i < env->param_count; i++)
        if (str_eq(env->params[i].name, p->key))
            value = env->params[i].value.p == NULL ? STR("") : env->params[i].value;
    const struct tpl_node *fallback = tpl_get_str(p->value, STR("Default"));
    if (value.p == NULL && fallback != NULL && fallback->kind == TPL_SCALAR)
        value = fallback->text;
    for (size_t i = 0; value.p == NULL && i < p->value->count; i++)
        if (str_eq_c(p->value->pairs[i].key, "Default")) /* Default: (nothing) is the empty text */
            value = STR("");
    if (value.p == NULL)
        return tpl_fail(m->log, p->line,
                        "Parameters: [%.*s] must have values (--parameter %.*s=...)",
                        STR_ARG(p->key), STR_ARG(p->key));
    if (!check_allowed(m, p->key, p->value, value, p->line))
        return false;
    if (str_starts(type, STR("AWS::SSM::")))
        tpl_warn(m->log, p->line,
                 "Parameter %.*s: there is no Parameter Store; the text %.*s is used",
                 STR_ARG(p->key), STR_ARG(value));
    m->parameters[m->parameter_count++] =
        (struct tpl_parameter){p->key, is_list_type(type) ? list_value(m, value, p->line)
                                                          : tpl_scalar(m->arena, p->line, value)};
    return true;
}

static bool read_parameters(struct tpl_model *m, const struct template_env *env)
{
    bool ok;
    const struct tpl_node *n = section(m, "Parameters", PARAMETERS_MAX, &ok);
    size_t count = n == NULL ? 0 : n->count;
    if (!ok)
        return false;
    for (size_t i = 0; i < env->param_count; i++)
        if (tpl_get_str(n, env->params[i].name) == NULL)
            return tpl_fail(m->log, n == NULL ? 1 : n->line,
                            "--parameter %.*s: the template has no such parameter",
                            STR_ARG(env->params[i].name));
    m->parameters = ARENA_ARRAY(m->arena, struct tpl_parameter, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!read_parameter(m, &n->pairs[i], env))
            return false;
    return true;
}

static bool read_conditions(struct tpl_model *m)
{
    bool ok;
    const struct tpl_node *n = section(m, "Conditions", CONDITIONS_MAX, &ok);
    size_t count = n == NULL ? 0 : n->count;
    m->conditions = ARENA_ARRAY(m->arena, struct tpl_condition, count + 1);
    for (size_t i = 0; ok && i < count; i++)
        m->conditions[m->condition_count++] = (struct tpl_condition){
            .name = n->pairs[i].key, .line = n->pairs[i].line, .node = n->pairs[i].value};
    return ok;
}

/* --- Globals --- */

static bool is_function_call(const struct tpl_node *n)
{
    return n->kind == TPL_MAP && n->count == 1 &&
           (str_eq_c(n->pairs[0].key, "Ref") || str_starts(n->pairs[0].key, STR("Fn::")));
}

/* SAM: maps are merged, lists are put together (Globals first), anything else is overridden. */
static const struct tpl_node *merged(struct arena *a, const struct tpl_node *global,
                                     const struct tpl_node *own)
{
    if (own == NULL || global == NULL)
        return own == NULL ? global : own;
    if (global->kind != own->kind || own->kind == TPL_SCALAR || is_function_call(own) ||
        is_function_call(global))
        return own;
    struct tpl_node *n = tpl_node_new(a, own->kind, own->line);
    for (size_t i = 0; i < global->count; i++) {
        const struct tpl_pair *g = &global->pairs[i];
        const struct tpl_node *mine = own->kind == TPL_MAP ? tpl_get_str(own, g->key) : NULL;
        tpl_add(a, n, g->key, g->line, (struct tpl_node *)(uintptr_t)merged(a, g->value, mine));
    }
    for (size_t i = 0; i < own->count; i++)
        if (own->kind == TPL_SEQ || tpl_get_str(global, own->pairs[i].key) == NULL)
            tpl_add(a, n, own->pairs[i].key, own->pairs[i].line, own->pairs[i].value);
    return n;
}

static bool check_globals(struct tpl_model *m)
{
    static const char *const sections[] = {"Function", "Api", "HttpApi", "SimpleTable", NULL};
    const struct tpl_node *globals = tpl_get(m->root, "Globals");
    if (globals != NULL && globals->kind != TPL_MAP)
        return tpl_fail(m->log, globals->line, "Globals must be a map");
    for (size_t i = 0; globals != NULL && i < globals->count; i++) {
        size_t k = 0;
        while (sections[k] != NULL && !str_eq_c(globals->pairs[i].key, sections[k]))
            k++;
        if (sections[k] == NULL)
            tpl_warn(m->log, globals->pairs[i].line, "Globals: Puddle does not use %.*s",
                     STR_ARG(globals->pairs[i].key));
    }
    return true;
}

static const struct tpl_node *globals_of(struct tpl_model *m, enum tpl_type type)
{
    const struct tpl_node *globals = tpl_get(m->root, "Globals");
    const char *name = type == TPL_FUNCTION       ? "Function"
                       : type == TPL_API          ? "Api"
                       : type == TPL_HTTP_API     ? "HttpApi"
                       : type == TPL_SIMPLE_TABLE ? "SimpleTable"
                                                  : NULL;
    return name == NULL ? NULL : tpl_get(globals, name);
}

/* --- resources --- */

static void warn_attributes(struct tpl_model *m, const struct tpl_pair *p)
{
    static const char *const known[] = {"Type",
                                        "Properties",
                                        "Condition",
                                        "DependsOn",
                                        "Metadata",
                                        "DeletionPolicy",
                                        "CreationPolicy",
                                        "UpdateReplacePolicy",
                                        "UpdatePolicy",
                                        "Connectors",
                                        NULL};
    for (size_t i = 0; i < p->value->count; i++) {
        size_t k = 0;
        while (known[k] != NULL && !str_eq_c(p->value->pairs[i].key, known[k]))
            k++;
        if (known[k] == NULL)
            tpl_warn(m->log, p->value->pairs[i].line, "%.*s: unknown attribute %.*s",
                     STR_ARG(p->key), STR_ARG(p->value->pairs[i].key));
    }
}

static bool read_resource(struct tpl_model *m, const struct tpl_pair *p)
{
    const struct tpl_node *type = tpl_get(p->value, "Type");
    const struct tpl_node *off = tpl_get(p->value, "Condition");
    const struct tpl_node *properties = tpl_get(p->value, "Properties");
    if (type == NULL || type->kind != TPL_SCALAR)
        return tpl_fail(m->log, p->line, "the resource %.*s has no Type", STR_ARG(p->key));
    if (properties != NULL && properties->kind != TPL_MAP)
        return tpl_fail(m->log, properties->line, "%.*s: Properties must be a map",
                        STR_ARG(p->key));
    struct tpl_resource *r = &m->resources[m->resource_count++];
    *r = (struct tpl_resource){
        .id = p->key, .type_name = type->text, .type = TPL_UNKNOWN, .line = p->line};
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (str_eq_c(type->text, type_names[i].name))
            r->type = type_names[i].type;
    r->is_plain = str_eq_c(type->text, "AWS::Lambda::Function");
    r->metadata = tpl_get(p->value, "Metadata");
    r->properties = r->is_plain ? properties : merged(m->arena, globals_of(m, r->type), properties);
    if (off != NULL) {
        bool on = false;
        if (off->kind != TPL_SCALAR)
            return tpl_fail(m->log, off->line, "Condition takes a name");
        if (!tpl_condition_value(m, off->text, off->line, &on))
            return false;
        r->is_off = !on;
    }
    if (r->type == TPL_UNKNOWN && !r->is_off)
        tpl_warn(m->log, p->line, "%.*s: Puddle does not make %.*s", STR_ARG(r->id),
                 STR_ARG(r->type_name));
    warn_attributes(m, p);
    return true;
}

static bool read_resources(struct tpl_model *m)
{
    bool ok;
    const struct tpl_node *n = section(m, "Resources", RESOURCES_MAX, &ok);
    if (!ok)
        return false;
    if (n == NULL || n->count == 0)
        return tpl_fail(m->log, 1, "the template has no Resources");
    m->resources = ARENA_ARRAY(m->arena, struct tpl_resource, n->count);
    for (size_t i = 0; i < n->count; i++) {
        if (tpl_find_resource(m, n->pairs[i].key) != NULL)
            return tpl_fail(m->log, n->pairs[i].line, "the resource %.*s is there twice",
                            STR_ARG(n->pairs[i].key));
        if (!read_resource(m, &n->pairs[i]))
            return false;
    }
    return true;
}

/* Has a function an event of that type which does not name its API? */
static bool has_event(const struct tpl_model *m, const char *wanted, const char *api_property)
{
    for (size_t i = 0; i < m->resource_count; i++) {
        const struct tpl_resource *r = &m->resources[i];
        const struct tpl_node *events = tpl_get(r->properties, "Events");
        if (r->type != TPL_FUNCTION || r->is_off || events == NULL || events->kind != TPL_MAP)
            continue;
        for (size_t k = 0; k < events->count; k++) {
            const struct tpl_node *type = tpl_get(events->pairs[k].value, "Type");
            if (type != NULL && str_eq_c(type->text, wanted) &&
                tpl_get(tpl_get(events->pairs[k].value, "Properties"), api_property) == NULL)
                return true;
        }
    }
    return false;
}

bool tpl_has_implicit_api(const struct tpl_model *m)
{
    return has_event(m, "Api", "RestApiId");
}

bool tpl_has_implicit_http_api(const struct tpl_model *m)
{
    return has_event(m, "HttpApi", "ApiId");
}

static void warn_sections(struct tpl_model *m)
{
    static const char *const known[] = {"AWSTemplateFormatVersion",
                                        "Transform",
                                        "Description",
                                        "Metadata",
                                        "Parameters",
                                        "Mappings",
                                        "Conditions",
                                        "Globals",
                                        "Resources",
                                        "Outputs",
                                        "Rules",
                                        NULL};
    for (size_t i = 0; i < m->root->count; i++) {
        struct str key = m->root->pairs[i].key;
        size_t k = 0;
        while (known[k] != NULL && !str_eq_c(key, known[k]))
            k++;
        /* x-...: SAM users keep anchors under such a key */
        if (known[k] == NULL && !str_starts(key, STR("x-")))
            tpl_warn(m->log, m->root->pairs[i].line, "unknown section %.*s", STR_ARG(key));
    }
}

bool tpl_model_build(struct tpl_model *m, const struct template_env *env)
{
    if (m->root->kind != TPL_MAP)
        return tpl_fail(m->log, m->root->line, "a template is a map with Resources");
    warn_sections(m);
    return read_parameters(m, env) && read_conditions(m) && check_globals(m) && read_resources(m);
}
