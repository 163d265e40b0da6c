/* REST APIs. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"
#include "ops_model.h"
#include "panic.h"

enum { COMPRESSION_MAX = 10485760 };

static bool bad(struct call *c, const char *message)
{
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "%s", message);
}

static bool check_compression(struct call *c, int64_t size)
{
    if (size < 0 || size > COMPRESSION_MAX)
        return bad(c, "Invalid minimum compression size, must be between 0 and 10485760");
    return true;
}

static bool check_endpoint(struct call *c)
{
    struct jval endpoint = jval_get(c->in, "endpointConfiguration");
    struct jval types = jval_get(endpoint, "types");
    if (jval_present(types) && jval_count(types) == 0)
        return bad(c, "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.");
    if (jval_count(types) > 1)
        return bad(c, "Cannot create an api with multiple Endpoint Types.");
    struct str type = jval_text(jval_at(types, 0), c->arena);
    if (str_eq_c(type, "PRIVATE") || jval_count(jval_get(endpoint, "vpcEndpointIds")) > 0) {
        gw_unsupported(c, "private REST APIs");
        return false;
    }
    return true;
}

static bool check_create(struct call *c)
{
    struct jval description = jval_get(c->in, "description");
    int64_t size;
    if (gw_in(c, "name").n == 0)
        return bad(c, "Name cannot be empty"); /* unverified */
    if (jval_present(description) && gw_in(c, "description").n == 0)
        return bad(c, "Description cannot be an empty string");
    if (jval_i64(jval_get(c->in, "minimumCompressionSize"), &size) && !check_compression(c, size))
        return false;
    if (!check_endpoint(c))
        return false;
    if (gw_in(c, "cloneFrom").n > 0) {
        gw_unsupported(c, "cloneFrom");
        return false;
    }
    return true;
}

static void write_endpoint(struct call *c, struct json_out *w)
{
    struct jval endpoint = jval_get(c->in, "endpointConfiguration"), types;
    struct str address = jval_text(jval_get(endpoint, "ipAddressType"), c->arena);
    types = jval_get(endpoint, "types");
    json_obj(w, "endpointConfiguration");
    json_arr(w, "types");
    json_str(w, NULL, jval_count(types) > 0 ? jval_text(jval_at(types, 0), c->arena) : STR("EDGE"));
    json_end(w);
    json_str(w, "ipAddressType", address.n > 0 ? address : STR("ipv4"));
    json_end(w);
}

enum call_status gw_create_rest_api(struct call *c)
{
    static const char *const copied[] = {"name",
                                         "description",
                                         "version",
                                         "binaryMediaTypes",
                                         "tags",
                                         "minimumCompressionSize",
                                         "securityPolicy",
                                         "endpointAccessMode",
                                         NULL};
    struct gateway *g = c->svc->state;
    char id[41], root[7];
    bool disabled = false;
    struct str policy = gw_in(c, "policy");
    if (!check_create(c) || (policy.n > 0 && !gw_policy_store(c, policy, &policy)) ||
        !gw_choose_id(c, &APIGATEWAY_BadRequestException, &APIGATEWAY_ConflictException, id,
                      sizeof id))
        return CALL_FAILED;
    ids_lower_alnum(root, 6);
    jval_bool(jval_get(c->in, "disableExecuteApiEndpoint"), &disabled);
    struct str source = gw_in(c, "apiKeySource");
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    gw_copy_members(c, &c->out, copied);
    json_i64(&c->out, "createdDate", c->now_ms / 1000);
    json_str(&c->out, "apiKeySource", source.n > 0 ? source : STR("HEADER"));
    if (policy.n > 0)
        json_raw(&c->out, "policy", policy);
    write_endpoint(c, &c->out);
    json_bool(&c->out, "disableExecuteApiEndpoint", disabled);
    json_cstr(&c->out, "rootResourceId", root);
    json_end(&c->out);
    struct str resource = arena_fmt(c->arena, "{\"id\":\"%s\",\"path\":\"/\"}", root);
    if (!db_begin(g->db) || !db_savepoint(g->db)) {
        gw_fail_store(c);
        return CALL_FAILED;
    }
    if (!gw_save(c, str_c(id), GW_API, STR(""), buf_view(c->out_buf)) ||
        !gw_save(c, str_c(id), GW_RESOURCE, str_c(root), resource) ||
        !model_add_defaults(c, str_c(id))) {
        db_savepoint_rollback(g->db);
        return CALL_FAILED;
    }
    db_savepoint_release(g->db);
    return CALL_DONE;
}

enum call_status gw_get_rest_api(struct call *c)
{
    struct str id, text;
    if (!gw_need_api(c, &id, &text, NULL))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}

enum call_status gw_get_rest_apis(struct call *c)
{
    size_t limit;
    struct str after;
    struct gw_doc *docs;
    if (!gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    size_t count = gw_api_list(c->svc->state, GW_API, c->account, c->region, after, limit + 1,
                               c->arena, &docs);
    gw_write_page(c, docs, count, limit);
    return CALL_DONE;
}

enum call_status gw_delete_rest_api(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct str id;
    if (!gw_need_api(c, &id, NULL, NULL))
        return CALL_FAILED;
    if (db_begin(g->db) && gw_api_del(g, id))
        return CALL_DONE;
    gw_fail_store(c);
    return CALL_FAILED;
}

/* --- UpdateRestApi --- */

static bool patch_binary_types(struct call *c, const struct patch *p, struct str type,
                               struct str *text)
{
    struct jval doc, it = {0};
    struct json_out w;
    struct buf *b = arena_new_buf(c->arena, 1024 * 1024);
    bool adding = !str_eq_c(p->op, "remove");
    if (!json_parse(c->arena, *text, JSON_DEPTH_DEFAULT, &doc, NULL))
        PANIC("a gateway document is not JSON");
    json_out_init(&w, b);
    json_arr(&w, NULL);
    for (struct jval types = jval_get(doc, "binaryMediaTypes"); jval_next(types, &it, NULL);) {
        struct str have = jval_text(it, c->arena);
        if (!str_eq(have, type))
            json_str(&w, NULL, have);
    }
    /* replace renames the entry that the path names */
    if (adding)
        json_str(&w, NULL, str_eq_c(p->op, "replace") && p->value.n > 0 ? p->value : type);
    json_end(&w);
    *text = gw_doc_set(c->arena, *text, &STR("binaryMediaTypes"), 1, buf_view(b));
    return true;
}

static bool patch_compression(struct call *c, const struct patch *p, struct str *text)
{
    int64_t size;
    if (!str_eq_c(p->op, "replace"))
        return bad(c, "Invalid patch operation specified. Must be one of: [replace]");
    if (p->value.n == 0) {
        *text = gw_doc_set(c->arena, *text, &STR("minimumCompressionSize"), 1, STR_NONE);
        return true;
    }
    if (!str_to_i64(p->value, &size))
        size = -1;
    if (!check_compression(c, size))
        return false;
    *text = gw_doc_set(c->arena, *text, &STR("minimumCompressionSize"), 1, p->value);
    return true;
}

static bool patch_endpoint(struct call *c, const struct patch *p, struct str rest, struct str *text)
{
    struct str path[] = {STR("endpointConfiguration"), STR("types")};
    if (str_starts(rest, STR("types/")) && str_eq_c(p->op, "replace")) {
        if (str_eq_c(p->value, "PRIVATE")) {
            gw_unsupported(c, "private REST APIs");
            return false;
        }
        if (!str_eq_c(p->value, "EDGE") && !str_eq_c(p->value, "REGIONAL"))
            return bad(c, "Invalid EndpointTypes specified. Valid options are"
                          " REGIONAL,EDGE,PRIVATE");
        struct str list = arena_fmt(c->arena, "[\"%.*s\"]", STR_ARG(p->value));
        *text = gw_doc_set(c->arena, *text, path, 2, list);
        return true;
    }
    if (str_eq_c(rest, "ipAddressType") && str_eq_c(p->op, "replace")) {
        if (!str_eq_c(p->value, "ipv4") && !str_eq_c(p->value, "dualstack"))
            return bad(c, "ipAddressType must be either ipv4 or dualstack.");
        path[1] = STR("ipAddressType");
        *text = gw_doc_set(c->arena, *text, path, 2, gw_quote(c->arena, p->value));
        return true;
    }
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "Invalid patch path %.*s",
                    STR_ARG(p->path));
}

static bool patch_text(struct call *c, const struct patch *p, const char *member, struct str *text)
{
    struct str path = str_c(member);
    if (!str_eq_c(p->op, "replace"))
        return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                        "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose"
                        " supported operations",
                        STR_ARG(p->path), STR_ARG(p->op));
    *text = gw_doc_set(c->arena, *text, &path, 1, gw_quote(c->arena, p->value));
    return true;
}

static bool patch_policy(struct call *c, const struct patch *p, struct str *text)
{
    struct str policy = STR_NONE; /* an empty text takes it away */
    if (!str_eq_c(p->op, "remove") && p->value.n > 0 && !gw_policy_store(c, p->value, &policy))
        return false;
    *text = gw_doc_set(c->arena, *text, &STR("policy"), 1, policy);
    return true;
}

static bool patch_api(struct call *c, const struct patch *p, struct str *text)
{
    struct str rest;
    if (str_eq_c(p->path, "/name"))
        return p->value.n > 0 ? patch_text(c, p, "name", text) : bad(c, "Name cannot be empty");
    if (str_eq_c(p->path, "/description"))
        return patch_text(c, p, "description", text);
    if (str_eq_c(p->path, "/version"))
        return patch_text(c, p, "version", text);
    if (str_eq_c(p->path, "/apiKeySource") &&
        (str_eq_c(p->value, "HEADER") || str_eq_c(p->value, "AUTHORIZER")))
        return patch_text(c, p, "apiKeySource", text);
    if (str_eq_c(p->path, "/minimumCompressionSize"))
        return patch_compression(c, p, text);
    if (str_eq_c(p->path, "/disableExecuteApiEndpoint") && str_eq_c(p->op, "replace")) {
        *text = gw_doc_set(c->arena, *text, &STR("disableExecuteApiEndpoint"), 1,
                           str_case_eq(p->value, STR("true")) ? STR("true") : STR("false"));
        return true;
    }
    if (gw_patch_under(c, p->path, "/binaryMediaTypes/", &rest))
        return patch_binary_types(c, p, rest, text);
    if (gw_patch_under(c, p->path, "/endpointConfiguration/", &rest))
        return patch_endpoint(c, p, rest, text);
    if (str_eq_c(p->path, "/policy"))
        return patch_policy(c, p, text);
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "Invalid patch path %.*s",
                    STR_ARG(p->path));
}

enum call_status gw_update_rest_api(struct call *c)
{
    struct str id, text;
    struct patch *patches;
    size_t count;
    if (!gw_need_api(c, &id, &text, NULL) || !gw_patches(c, &patches, &count))
        return CALL_FAILED;
    for (size_t i = 0; i < count; i++)
        if (!patch_api(c, &patches[i], &text))
            return CALL_FAILED;
    if (!gw_save(c, id, GW_API, STR(""), text))
        return CALL_FAILED;
    json_raw(&c->out, NULL, text);
    return CALL_DONE;
}
