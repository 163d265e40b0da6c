/* DefinitionBody and DefinitionUri: an API's OpenAPI definition. */
#include "codec.h"
#include "file.h"
#include "tpl_plan.h"

enum { DEFINITION_MAX = 6 << 20, DEPTH_MAX = 58 };

static bool is_number(struct str s)
{
    char first = s.n > 0 ? s.p[0] : ' ';
    return (first == '-' || (first >= '0' && first <= '9')) && json_check(s, 1, NULL);
}

/* A definition keeps the types that its author wrote; CloudFormation's other properties do not. */
static void write_node(struct json_out *w, const struct tpl_node *n, unsigned depth)
{
    if (n->kind == TPL_NONE || depth > DEPTH_MAX || (n->kind == TPL_SCALAR && n->is_null)) {
        json_null(w, NULL);
    } else if (n->kind == TPL_SCALAR) {
        if (n->is_plain && (str_eq_c(n->text, "true") || str_eq_c(n->text, "false")))
            json_bool(w, NULL, str_eq_c(n->text, "true"));
        else if (n->is_plain && is_number(n->text))
            json_raw(w, NULL, n->text);
        else
            json_str(w, NULL, n->text);
    } else if (n->kind == TPL_SEQ) {
        json_arr(w, NULL);
        for (size_t i = 0; i < n->count; i++)
            write_node(w, n->pairs[i].value, depth + 1);
        json_end(w);
    } else {
        json_obj(w, NULL);
        for (size_t i = 0; i < n->count; i++) {
            if (n->pairs[i].value->kind == TPL_NONE)
                continue;
            json_key(w, n->pairs[i].key);
            write_node(w, n->pairs[i].value, depth + 1);
        }
        json_end(w);
    }
}

/* A file beside the template. *ret empty: it is elsewhere, and warned about. */
static bool read_file(struct tpl_model *m, const struct tpl_resource *r, const struct tpl_node *at,
                      struct str *ret)
{
    struct str path = at->kind == TPL_SCALAR ? at->text : STR("");
    *ret = STR("");
    if (path.n == 0 || str_starts(path, STR("s3://"))) {
        tpl_warn(m->log, at->line, "%.*s: Puddle does not fetch definitions from S3",
                 STR_ARG(r->id));
        return true;
    }
    path = path.p[0] == '/' ? arena_str(m->arena, path)
                            : arena_fmt(m->arena, "%.*s/%.*s", STR_ARG(m->folder), STR_ARG(path));
    if (file_read(m->arena, path.p, DEFINITION_MAX, ret) == 0)
        return true;
    return tpl_fail(m->log, at->line, "%.*s: the definition %.*s cannot be read", STR_ARG(r->id),
                    STR_ARG(path));
}

/* Fn::Transform AWS::Include, the usual way to keep a definition in a file of its own. *ret NULL:
 * it is something else. */
static bool read_include(struct tpl_model *m, const struct tpl_resource *r,
                         const struct tpl_node *body, const struct tpl_node **ret)
{
    const struct tpl_node *transform = tpl_get(body, "Fn::Transform");
    const struct tpl_node *name = tpl_get(transform, "Name");
    const struct tpl_node *location = tpl_get(tpl_get(transform, "Parameters"), "Location");
    struct str text;
    *ret = NULL;
    if (name == NULL || location == NULL || !str_eq_c(name->text, "AWS::Include"))
        return true;
    struct tpl_node *at = tpl_eval(m, location);
    if (at == NULL || !read_file(m, r, at, &text))
        return false;
    if (text.n == 0)
        return true;
    *ret = tpl_parse(m->log, text);
    return *ret != NULL;
}

bool plan_definition_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api)
{
    const struct tpl_node *body = tpl_get(r->properties, "DefinitionBody"), *included = NULL;
    struct tpl_node *uri, *value;
    if (!plan_eval(m, r, "DefinitionUri", &uri))
        return false;
    if (body == NULL)
        return uri == NULL || read_file(m, r, uri, &api->definition);
    if (tpl_get(body, "Fn::Transform") != NULL) {
        if (!read_include(m, r, body, &included))
            return false;
        if (included == NULL) {
            tpl_warn(m->log, body->line, "%.*s: Puddle does not make this DefinitionBody",
                     STR_ARG(r->id));
            return true;
        }
        body = included;
    }
    value = tpl_eval(m, body);
    if (value == NULL)
        return false;
    struct json_out w;
    struct buf *b = plan_writer(m, &w);
    write_node(&w, value, 0);
    api->definition = buf_view(b);
    if (api->definition.n > DEFINITION_MAX)
        return tpl_fail(m->log, body->line, "%.*s: a definition is at most 6 MB", STR_ARG(r->id));
    return true;
}
