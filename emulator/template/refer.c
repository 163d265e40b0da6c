/* Ref and GetAtt: what the names of a template stand for. */
#include "arn.h"
#include "hash.h"
#include "tpl_model.h"
#include <string.h>

#define IMPLICIT_API        "ServerlessRestApi"
#define IMPLICIT_STAGE      "ServerlessRestApiProdStage"
#define IMPLICIT_HTTP_API   "ServerlessHttpApi"
#define IMPLICIT_HTTP_STAGE "ServerlessHttpApiApiGatewayDefaultStage"
enum { BYTES_MAX = 16 * 1024 * 1024, NODES_MAX = 500000 };

struct tpl_node *tpl_made(struct tpl_model *m, unsigned line, struct str text)
{
    m->bytes_made += text.n;
    if (++m->nodes_made > NODES_MAX || m->bytes_made > BYTES_MAX) {
        tpl_fail(m->log, line, "the template grows too large when it is evaluated");
        return NULL;
    }
    return tpl_scalar(m->arena, line, text);
}

/* [a-z0-9], the first a letter, out of the owner and a name. */
static struct str stable_id(struct tpl_model *m, struct str name, size_t length)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t hash[32];
    char *id = arena_alloc(m->arena, length + 1);
    hash_sha256(arena_fmt(m->arena, "%.*s/%.*s/%.*s", STR_ARG(m->account), STR_ARG(m->region),
                          STR_ARG(name)),
                hash);
    for (size_t i = 0; i < length; i++)
        id[i] =
            digits[(hash[2 * i % 32] << 8 | hash[(2 * i + 1 + i / 16) % 32]) % (i == 0 ? 26 : 36)];
    id[length] = '\0';
    return str_c(id);
}

struct str tpl_api_id(struct tpl_model *m, struct str logical_id)
{
    return stable_id(m, logical_id, 10);
}

struct str tpl_url_id(struct tpl_model *m, struct str logical_id)
{
    return stable_id(m, arena_fmt(m->arena, "%.*s/url", STR_ARG(logical_id)), 32);
}

struct str tpl_key_value(struct tpl_model *m, struct str logical_id)
{
    return stable_id(m, arena_fmt(m->arena, "%.*s/key", STR_ARG(logical_id)), 40);
}

static const char *name_property(enum tpl_type type)
{
    switch (type) {
    case TPL_FUNCTION:
        return "FunctionName";
    case TPL_TABLE:
    case TPL_SIMPLE_TABLE:
        return "TableName";
    case TPL_ROLE:
        return "RoleName";
    default:
        return NULL;
    }
}

/* CloudFormation appends the stack's name and random letters to a logical id when no name is
 * given; a local name that stays the same is the plain logical id. */
bool tpl_resource_name(struct tpl_model *m, struct tpl_resource *r, struct str *ret)
{
    const char *property = name_property(r->type);
    const struct tpl_node *n = property == NULL ? NULL : tpl_get(r->properties, property);
    if (r->name_state == TPL_BUSY)
        return tpl_fail(m->log, r->line, "Circular dependency between resources: [%.*s]",
                        STR_ARG(r->id));
    if (r->name_state == TPL_NEW) {
        r->name_state = TPL_BUSY;
        bool is_api = r->type == TPL_API || r->type == TPL_HTTP_API;
        r->name = is_api ? tpl_api_id(m, r->id) : r->id;
        if (n != NULL && !tpl_eval_text(m, n, property, &r->name))
            return false;
        r->name_state = TPL_DONE;
    }
    *ret = r->name;
    return true;
}

static struct tpl_node *pseudo(struct tpl_model *m, struct str name, unsigned line)
{
    if (str_eq_c(name, "AWS::Region"))
        return tpl_made(m, line, m->region);
    if (str_eq_c(name, "AWS::AccountId"))
        return tpl_made(m, line, m->account);
    if (str_eq_c(name, "AWS::Partition"))
        return tpl_made(m, line, STR("aws"));
    if (str_eq_c(name, "AWS::URLSuffix"))
        return tpl_made(m, line, STR("amazonaws.com"));
    if (str_eq_c(name, "AWS::StackName")) /* there is no stack: a fixed name */
        return tpl_made(m, line, STR("puddle"));
    if (str_eq_c(name, "AWS::StackId"))
        return tpl_made(m, line,
                        arn_format(m->arena, "cloudformation", m->region, m->account,
                                   STR("stack/puddle/00000000-0000-0000-0000-000000000000")));
    if (str_eq_c(name, "AWS::NoValue"))
        return tpl_node_new(m->arena, TPL_NONE, line);
    if (str_eq_c(name, "AWS::NotificationARNs"))
        return tpl_node_new(m->arena, TPL_SEQ, line);
    return NULL;
}

static struct tpl_node *unresolved(struct tpl_model *m, struct str name, unsigned line)
{
    tpl_fail(m->log, line,
             "Unresolved resource dependencies [%.*s]: no parameter, resource or pseudo parameter"
             " has this name",
             STR_ARG(name));
    return NULL;
}

/* SAM makes a role per function, with the function's logical id and "Role". */
static struct tpl_resource *role_owner(struct tpl_model *m, struct str name)
{
    if (!str_ends(name, STR("Role")) || name.n == 4)
        return NULL;
    struct tpl_resource *r = tpl_find_resource(m, str_sub(name, 0, name.n - 4));
    return r != NULL && r->type == TPL_FUNCTION ? r : NULL;
}

static struct tpl_node *ref_resource(struct tpl_model *m, struct tpl_resource *r, unsigned line)
{
    struct str name;
    if (r->is_off)
        return unresolved(m, r->id, line);
    if (r->type == TPL_UNKNOWN)
        tpl_warn(m->log, line, "Ref of %.*s: Puddle does not make %.*s; its logical id is used",
                 STR_ARG(r->id), STR_ARG(r->type_name));
    return tpl_resource_name(m, r, &name) ? tpl_made(m, line, name) : NULL;
}

struct tpl_node *tpl_ref(struct tpl_model *m, struct str name, unsigned line)
{
    struct tpl_node *n = pseudo(m, name, line);
    if (n != NULL || m->log->err[0] != '\0')
        return n;
    for (size_t i = 0; i < m->parameter_count; i++) {
        struct tpl_node *value = m->parameters[i].value;
        if (!str_eq(m->parameters[i].name, name))
            continue;
        return value->kind == TPL_SCALAR ? tpl_made(m, line, value->text) : value;
    }
    struct tpl_resource *r = tpl_find_resource(m, name);
    if (r != NULL)
        return ref_resource(m, r, line);
    if (tpl_has_implicit_api(m)) {
        if (str_eq_c(name, IMPLICIT_API))
            return tpl_made(m, line, tpl_api_id(m, name));
        if (str_eq_c(name, IMPLICIT_STAGE))
            return tpl_made(m, line, STR("Prod"));
    }
    if (tpl_has_implicit_http_api(m)) {
        if (str_eq_c(name, IMPLICIT_HTTP_API))
            return tpl_made(m, line, tpl_api_id(m, name));
        if (str_eq_c(name, IMPLICIT_HTTP_STAGE))
            return tpl_made(m, line, STR("$default"));
    }
    if (role_owner(m, name) != NULL)
        return tpl_made(m, line, name);
    struct str stage_name, rest = name, id = str_cut(&rest, '.');
    r = tpl_find_resource(m, id);
    if (r != NULL && r->type == TPL_HTTP_API && rest.p != NULL && str_eq_c(rest, "Stage") &&
        tpl_get(r->properties, "StageName") == NULL)
        return tpl_made(m, line, STR("$default"));
    if (r != NULL && (r->type == TPL_API || r->type == TPL_HTTP_API) && rest.p != NULL &&
        str_eq_c(rest, "Stage"))
        return tpl_eval_text(m, tpl_get(r->properties, "StageName"), "StageName", &stage_name)
                   ? tpl_made(m, line, stage_name)
                   : NULL;
    return unresolved(m, name, line);
}

static struct tpl_node *arn_of(struct tpl_model *m, unsigned line, const char *service,
                               const char *kind, struct str name)
{
    struct str region = strcmp(service, "iam") == 0 ? STR("") : m->region;
    return tpl_made(m, line,
                    arn_format(m->arena, service, region, m->account,
                               arena_fmt(m->arena, "%s%.*s", kind, STR_ARG(name))));
}

/* What there is of a function's <Id>Url resource; NULL: it is none, or not known (no error). */
static struct tpl_node *url_attribute(struct tpl_model *m, struct str id, struct str attribute,
                                      unsigned line)
{
    struct str name;
    struct tpl_resource *r = tpl_find_resource(m, id);
    if (r != NULL && r->type == TPL_URL && !r->is_off && str_eq_c(attribute, "FunctionUrl"))
        return tpl_made(m, line, rie_url_text(m->url, tpl_url_id(m, r->id), m->region, m->arena));
    if (r != NULL || !str_ends(id, STR("Url")))
        return NULL;
    r = tpl_find_resource(m, str_sub(id, 0, id.n - 3));
    if (r == NULL || r->type != TPL_FUNCTION || r->is_off ||
        tpl_get(r->properties, "FunctionUrlConfig") == NULL)
        return NULL;
    if (str_eq_c(attribute, "FunctionUrl"))
        return tpl_made(m, line, rie_url_text(m->url, tpl_url_id(m, r->id), m->region, m->arena));
    if (str_eq_c(attribute, "FunctionArn") && tpl_resource_name(m, r, &name))
        return arn_of(m, line, "lambda", "function:", name);
    return NULL;
}

/* Attributes of APIs; NULL: not one of those (no error). */
static struct tpl_node *api_attribute(struct tpl_model *m, struct str id,
                                      const struct tpl_resource *r, struct str attribute,
                                      unsigned line)
{
    struct str api = tpl_api_id(m, id);
    bool is_http = r != NULL ? r->type == TPL_HTTP_API : str_eq_c(id, IMPLICIT_HTTP_API);
    if (r != NULL && r->type != TPL_API && r->type != TPL_HTTP_API)
        return NULL;
    if (str_eq_c(attribute, is_http ? "ApiId" : "RestApiId"))
        return tpl_made(m, line, api);
    if (!is_http || !str_eq_c(attribute, "ApiEndpoint"))
        return NULL;
    return tpl_made(
        m, line, /* as CreateApi answers */
        m->url.n > 0
            ? arena_fmt(m->arena, "%.*s/_aws/execute-api/%.*s", STR_ARG(m->url), STR_ARG(api))
            : arena_fmt(m->arena, "https://%.*s.execute-api.%.*s.amazonaws.com", STR_ARG(api),
                        STR_ARG(m->region)));
}

static bool is_implicit(const struct tpl_model *m, struct str id)
{
    return (str_eq_c(id, IMPLICIT_API) && tpl_has_implicit_api(m)) ||
           (str_eq_c(id, IMPLICIT_HTTP_API) && tpl_has_implicit_http_api(m));
}

struct tpl_node *tpl_get_att(struct tpl_model *m, struct str id, struct str attribute,
                             unsigned line)
{
    struct str name;
    struct tpl_resource *r = tpl_find_resource(m, id);
    bool is_arn = str_eq_c(attribute, "Arn");
    if (r == NULL && is_arn && role_owner(m, id) != NULL)
        return arn_of(m, line, "iam", "role/", id);
    struct tpl_node *n = url_attribute(m, id, attribute, line);
    if (n != NULL || m->log->err[0] != '\0')
        return n;
    if ((r == NULL || r->is_off) && !(r == NULL && is_implicit(m, id)))
        return unresolved(m, id, line);
    n = api_attribute(m, id, r, attribute, line);
    if (n != NULL || m->log->err[0] != '\0')
        return n;
    if (r != NULL && is_arn && r->type != TPL_UNKNOWN && r->type != TPL_IGNORED &&
        r->type != TPL_API && r->type != TPL_HTTP_API && r->type != TPL_URL) {
        if (!tpl_resource_name(m, r, &name))
            return NULL;
        if (r->type == TPL_FUNCTION)
            return arn_of(m, line, "lambda", "function:", name);
        if (r->type == TPL_ROLE)
            return arn_of(m, line, "iam", "role/", name);
        return arn_of(m, line, "dynamodb", "table/", name);
    }
    struct str text = arena_fmt(m->arena, "%.*s.%.*s", STR_ARG(id), STR_ARG(attribute));
    tpl_warn(m->log, line, "GetAtt %.*s: Puddle does not have this value; the text %.*s is used",
             STR_ARG(text), STR_ARG(text));
    return tpl_made(m, line, text);
}
