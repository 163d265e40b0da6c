/* The resource tree of a REST API. */
#include "apigateway_model.h"
#include "gw_store.h"
#include "ids.h"

enum { PATH_MAX_BYTES = 4096 };

static bool bad(struct call *c, const char *message)
{
    return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException, "%s", message);
}

/* The resource as it is shown: with methods in full, or only their names. */
static void write_resource(struct json_out *w, const char *key, struct jval doc, bool embed,
                           struct arena *a)
{
    struct jval it = {0}, method = {0};
    json_obj(w, key);
    while (jval_next(doc, &it, NULL)) {
        struct str name = jval_key_str(it, a);
        json_key(w, name);
        if (embed || !str_eq_c(name, "resourceMethods")) {
            json_raw(w, NULL, jval_raw(it));
            continue;
        }
        json_obj(w, NULL);
        while (jval_next(it, &method, NULL)) {
            json_key(w, jval_key_str(method, a));
            json_raw(w, NULL, STR("{}"));
        }
        json_end(w);
    }
    json_end(w);
}

static bool wants_methods(struct call *c)
{
    struct jval it = {0};
    for (struct jval embed = jval_get(c->in, "embed"); jval_next(embed, &it, NULL);)
        if (str_eq_c(jval_text(it, c->arena), "methods"))
            return true;
    return false;
}

/* A plain part, {name} or {name+}; unverified beyond the recorded message: which bytes exactly. */
static bool check_part(struct call *c, struct str part)
{
    static const char message[] =
        "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly "
        "braces at the beginning and the end.";
    struct str inner = part;
    if (part.n > 2 && part.p[0] == '{' && part.p[part.n - 1] == '}') {
        inner = str_sub(part, 1, part.n - 1);
        if (inner.n > 1 && inner.p[inner.n - 1] == '+')
            inner.n--;
    }
    for (size_t i = 0; i < inner.n; i++) {
        char ch = inner.p[i];
        bool ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                  (ch >= '0' && ch <= '9') || ch == '.' || ch == '_' || ch == '-' || ch == ':';
        if (!ok)
            return bad(c, message);
    }
    return inner.n > 0 ? true : bad(c, message);
}

static bool is_variable(struct str part)
{
    return part.n > 2 && part.p[0] == '{';
}

/* unverified: AWS's own rule about siblings lets one {name} and one {name+} differ only by kind */
static bool check_siblings(struct call *c, struct str api, struct str parent, struct str part,
                           struct str self)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) ||
            str_eq(docs[i].id, self) ||
            !str_eq(jval_text(jval_get(doc, "parentId"), c->arena), parent))
            continue;
        struct str other = jval_text(jval_get(doc, "pathPart"), c->arena);
        if (str_eq(other, part))
            return aws_fail(&c->err, c->arena, &APIGATEWAY_ConflictException,
                            "Another resource with the same parent already has this name: %.*s",
                            STR_ARG(part));
        if (is_variable(other) && is_variable(part))
            return aws_fail(&c->err, c->arena, &APIGATEWAY_BadRequestException,
                            "A sibling (%.*s) of this resource already has a variable path part"
                            " -- only one is allowed",
                            STR_ARG(other));
    }
    return true;
}

bool resource_check(struct call *c, struct str api, struct str parent, struct str part,
                    struct str self)
{
    return check_part(c, part) && check_siblings(c, api, parent, part, self);
}

enum call_status gw_create_resource(struct call *c)
{
    struct str api, part = gw_in(c, "pathPart"), parent = gw_in(c, "parentId");
    struct jval doc;
    char id[7];
    if (!gw_need_api(c, &api, NULL, NULL) ||
        !gw_need_doc(c, api, GW_RESOURCE, parent, "Invalid Resource identifier specified", NULL,
                     &doc) ||
        !check_part(c, part))
        return CALL_FAILED;
    struct str above = jval_text(jval_get(doc, "path"), c->arena);
    if (str_ends(above, STR("+}")))
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException,
                         "Cannot create a child of a resource with a greedy path variable: %.*s",
                         STR_ARG(jval_text(jval_get(doc, "pathPart"), c->arena)));
    if (!check_siblings(c, api, parent, part, STR("")))
        return CALL_FAILED;
    if (above.n + part.n + 1 > PATH_MAX_BYTES)
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException,
                         "The resource's path is longer than %d characters", PATH_MAX_BYTES);
    ids_lower_alnum(id, 6);
    json_obj(&c->out, NULL);
    json_cstr(&c->out, "id", id);
    json_str(&c->out, "parentId", parent);
    json_str(&c->out, "pathPart", part);
    json_str(
        &c->out, "path",
        arena_fmt(c->arena, "%.*s/%.*s", above.n == 1 ? 0 : (int)above.n, above.p, STR_ARG(part)));
    json_end(&c->out);
    return gw_save(c, api, GW_RESOURCE, str_c(id), buf_view(c->out_buf)) ? CALL_DONE : CALL_FAILED;
}

enum call_status gw_get_resource(struct call *c)
{
    struct gw_target t;
    if (!gw_need_resource(c, &t))
        return CALL_FAILED;
    write_resource(&c->out, NULL, t.resource, wants_methods(c), c->arena);
    return CALL_DONE;
}

enum call_status gw_get_resources(struct call *c)
{
    size_t limit;
    struct str api, after;
    struct gw_doc *docs;
    struct jval doc;
    if (!gw_need_api(c, &api, NULL, NULL) || !gw_need_page(c, &limit, &after))
        return CALL_FAILED;
    bool embed = wants_methods(c);
    size_t count = gw_doc_list(c->svc->state, api, GW_RESOURCE, after, limit + 1, c->arena, &docs);
    json_obj(&c->out, NULL);
    json_arr(&c->out, "item");
    for (size_t i = 0; i < count && i < limit; i++)
        if (json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            write_resource(&c->out, NULL, doc, embed, c->arena);
    json_end(&c->out);
    if (count > limit)
        json_str(&c->out, "position", docs[limit - 1].id);
    json_end(&c->out);
    return CALL_DONE;
}

/* With everything below it. */
enum call_status gw_delete_resource(struct call *c)
{
    struct gateway *g = c->svc->state;
    struct gw_target t;
    struct gw_doc *docs;
    struct jval doc;
    if (!gw_need_resource(c, &t))
        return CALL_FAILED;
    struct str path = jval_text(jval_get(t.resource, "path"), c->arena);
    if (!jval_present(jval_get(t.resource, "parentId"))) /* unverified: the wording */
        return CALL_FAIL(c, &APIGATEWAY_BadRequestException, "Root resource cannot be deleted.");
    struct str below = arena_fmt(c->arena, "%.*s/", STR_ARG(path));
    size_t count = gw_doc_list(g, t.api, GW_RESOURCE, STR_NONE, 0, c->arena, &docs);
    bool ok = db_begin(g->db) && db_savepoint(g->db);
    bool started = ok;
    for (size_t i = 0; ok && i < count; i++) {
        if (!json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL))
            continue;
        if (str_eq(docs[i].id, t.resource_id) ||
            str_starts(jval_text(jval_get(doc, "path"), c->arena), below))
            ok = gw_doc_del(g, t.api, GW_RESOURCE, docs[i].id);
    }
    if (ok) {
        db_savepoint_release(g->db);
        return CALL_DONE;
    }
    if (started)
        db_savepoint_rollback(g->db);
    gw_fail_store(c);
    return CALL_FAILED;
}
