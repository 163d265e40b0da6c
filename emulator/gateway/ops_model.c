/* Models: JSON schemas that request bodies are held to. */
#include "ops_model.h"
#include "apigateway_model.h"
#include "ids.h"
#include "json_schema.h"

#define EMPTY_SCHEMA                                                                               \
    "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty "       \
    "Schema\",\n  \"type\" : \"object\"\n}"
#define ERROR_SCHEMA                                                                               \
    "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error "      \
    "Schema\",\n  \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : "   \
    "\"string\" }\n  }\n}"
enum { SCHEMA_MAX = 400 << 10 };

static struct str model_text(struct call *c, struct str name, struct str description,
                             struct str schema, struct str type)
{
    struct buf *b = arena_new_buf(c->arena, 4 * SCHEMA_MAX);
    struct json_out w;
    char id[7];
    ids_lower_alnum(id, 6);
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_cstr(&w, "id", id);
    json_str(&w, "name", name);
    if (description.n > 0)
        json_str(&w, "description", description);
    json_str(&w, "schema", schema);
    json_str(&w, "contentType", type);
    json_end(&w);
    return buf_view(b);
}

bool model_add_defaults(struct call *c, struct str api)
{
    struct str json = STR("application/json");
    return gw_save(c, api, GW_MODEL, STR("Empty"),
                   model_text(c, STR("Empty"), STR("This is a default empty schema model"),
                              STR(EMPTY_SCHEMA), json)) &&
           gw_save(c, api, GW_MODEL, STR("Error"),
                   model_text(c, STR("Error"), STR("This is a default error schema model"),
                              STR(ERROR_SCHEMA), json));
}

static bool check_name(struct call *c, struct str name)
{
    bool ok = name.n > 0;
    for (size_t i = 0; i < name.n && ok; i++) {
        char x = name.p[i];
        ok = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9');
    }
    if (name.n == 0)
        return gw_bad(c, "Model name must be non-empty");
    return ok || gw_bad(c, "Model name must be alphanumeric: %.*s", STR_ARG(name)); /* unverified */
}

static bool check_schema(struct call *c, struct str schema, struct str type)
{
    struct jval doc;
    struct str why;
    if (schema.n > SCHEMA_MAX)
        return gw_bad(c, "Model schema is too large");
    if (!str_case_eq(type, STR("application/json")))
        return true; /* only JSON models are checked */
    if (!json_parse(c->arena, schema, JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !json_schema_valid(doc, c->arena, &why))
        return gw_bad(c, "Invalid model specified: Validation Result: warnings : [], errors : "
                         "[Invalid model schema specified]"); /* unverified */
    return jval_count(doc) > 0 ||
           gw_bad(c, "Model schema must have at least 1 property or array items defined");
}

enum call_status gw_create_model(struct call *c)
{
    struct str api, ignored, name = gw_in(c, "name"), schema = gw_in(c, "schema");
    struct str type = gw_in(c, "contentType");
    if (!gw_need_api(c, &api, NULL, NULL) || !check_name(c, name))
        return CALL_FAILED;
    if (gw_doc_get(c->svc->state, api, GW_MODEL, name, c->arena, &ignored))
        return CALL_FAIL(c, &APIGATEWAY_ConflictException,
                         "Model name already exists for this REST API");
    if (!check_schema(c, schema, type))
        return CALL_FAILED;
    return gw_save_and_answer(c, api, GW_MODEL, name,
                              model_text(c, name, gw_in(c, "description"), schema, type));
}

static bool need_model(struct call *c, struct str *api, struct str *name, struct str *text)
{
    struct jval doc;
    *name = gw_in(c, "modelName");
    return gw_need_api(c, api, NULL, NULL) &&
           gw_need_doc(c, *api, GW_MODEL, *name,
                       arena_fmt(c->arena, "Invalid model name specified: %.*s", STR_ARG(*name)).p,
                       text, &doc);
}

enum call_status gw_get_model(struct call *c)
{
    struct str api, name, text;
    if (!need_model(c, &api, &name, &text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_models(struct call *c)
{
    struct str api;
    return gw_need_api(c, &api, NULL, NULL) ? gw_answer_page(c, api, GW_MODEL) : CALL_FAILED;
}

enum call_status gw_update_model(struct call *c)
{
    static const struct gw_patch_rule rules[] = {{"/description", PATCH_TEXT, true, false, false},
                                                 {"/schema", PATCH_TEXT, true, false, false}};
    struct str api, name, text;
    struct jval doc;
    if (!need_model(c, &api, &name, &text) || !gw_patch_apply(c, rules, 2, false, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
        !check_schema(c, jval_text(jval_get(doc, "schema"), c->arena),
                      jval_text(jval_get(doc, "contentType"), c->arena)))
        return CALL_FAILED;
    return gw_save_and_answer(c, api, GW_MODEL, name, text);
}

/* Does models of a method (content type -> name) have the model? */
static bool names_model(struct call *c, struct jval models, struct str name)
{
    struct jval it = {0};
    while (jval_kind(models) == JSON_OBJECT && jval_next(models, &it, NULL)) {
        if (str_eq(jval_text(it, c->arena), name))
            return true;
    }
    return false;
}

static bool check_unused(struct call *c, struct str api, struct str name)
{
    struct gw_doc *docs;
    struct jval doc, it;
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        struct jval methods = jval_get(doc, "resourceMethods");
        for (it = (struct jval){0};
             jval_kind(methods) == JSON_OBJECT && jval_next(methods, &it, NULL);)
            if (names_model(c, jval_get(it, "requestModels"), name))
                return aws_fail(&c->err, c->arena, &APIGATEWAY_ConflictException,
                                "Cannot delete model '%.*s', is referenced in method request: "
                                "%.*s/%.*s",
                                STR_ARG(name), STR_ARG(jval_text(jval_get(doc, "path"), c->arena)),
                                STR_ARG(jval_key_str(it, c->arena)));
    }
    return true;
}

enum call_status gw_delete_model(struct call *c)
{
    struct str api, name, text;
    if (!need_model(c, &api, &name, &text) || !check_unused(c, api, name))
        return CALL_FAILED;
    return gw_remove(c, api, GW_MODEL, name);
}
