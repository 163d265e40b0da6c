/* Routes of HTTP APIs. */
#include "v2.h"

enum { SEGMENTS_MAX = 64 };

/* "{name}" or "{name+}" (last only), or plain text. */
static bool is_segment(struct str s, bool last)
{
    if (s.n == 0 || s.p[0] != '{')
        return s.n > 0 && str_find(s, '{') < 0 && str_find(s, '}') < 0;
    struct str name = str_sub(s, 1, s.n - 1);
    if (s.p[s.n - 1] != '}' || name.n == 0)
        return false;
    if (name.p[name.n - 1] == '+') {
        if (!last)
            return false;
        name.n--;
    }
    return name.n > 0 && str_find(name, '+') < 0 && str_find(name, '{') < 0;
}

/* unverified: the texts */
static bool check_key(struct call *c, struct str key)
{
    static const char *const methods[] = {"ANY",   "GET",    "POST", "PUT",
                                          "PATCH", "DELETE", "HEAD", "OPTIONS"};
    struct str path = key, method = str_cut(&path, ' ');
    bool known = false;
    size_t count = 0;
    if (str_eq_c(key, "$default"))
        return true;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        known |= str_eq_c(method, methods[i]);
    bool ok = known && path.n > 0 && path.p[0] == '/';
    struct str rest = path.n > 1 ? str_sub(path, 1, path.n) : STR_NONE;
    while (ok && rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');
        ok = ++count <= SEGMENTS_MAX &&
             (is_segment(segment, rest.p == NULL) || (segment.n == 0 && rest.p == NULL));
    }
    return ok ||
           v2_bad(c, "The provided route key is not formatted properly for HTTP protocol. Format "
                     "should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"");
}

static bool check_unique(struct call *c, struct str api, struct str key, struct str self)
{
    struct gw_doc *docs;
    struct jval doc;
    size_t count = gw_doc_list(c->svc->state, api, GW2_ROUTE, STR_NONE, 0, c->arena, &docs);
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(docs[i].id, self) &&
            json_parse(c->arena, docs[i].text, JSON_DEPTH_DEFAULT, &doc, NULL) &&
            str_eq(jval_text(jval_get(doc, "routeKey"), c->arena), key))
            return aws_fail(&c->err, c->arena, &APIGATEWAYV2_ConflictException,
                            "Route with key %.*s already exists for this API", STR_ARG(key));
    }
    return true;
}

static bool check_target(struct call *c, struct str api, struct str target)
{
    static const char start[] = "integrations/";
    if (target.n == 0)
        return true;
    if (!str_starts(target, str_c(start)))
        return v2_bad(c, "Target must be integrations/<integration id>");
    struct str id = str_sub(target, sizeof start - 1, target.n);
    return v2_has(c, api, &v2_integration, id) ||
           aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                    "Invalid Integration identifier specified %.*s", STR_ARG(id));
}

/* doc: the route as it will be. */
static bool check_authorization(struct call *c, struct str api, struct jval doc)
{
    struct str type = jval_text(jval_get(doc, "authorizationType"), c->arena), text;
    struct str id = jval_text(jval_get(doc, "authorizerId"), c->arena);
    bool jwt = str_eq_c(type, "JWT"), custom = str_eq_c(type, "CUSTOM");
    struct jval authorizer;
    if (!jwt && !custom)
        return true;
    if (id.n == 0)
        return v2_bad(c, "AuthorizerId must be specified for authorization type %.*s",
                      STR_ARG(type));
    if (!gw_doc_get(c->svc->state, api, GW2_AUTHORIZER, id, c->arena, &text) ||
        !json_parse(c->arena, text, JSON_DEPTH_DEFAULT, &authorizer, NULL))
        return aws_fail(&c->err, c->arena, &APIGATEWAYV2_NotFoundException,
                        "Invalid Authorizer identifier specified %.*s", STR_ARG(id));
    struct str kind = jval_text(jval_get(authorizer, "authorizerType"), c->arena);
    return str_eq_c(kind, jwt ? "JWT" : "REQUEST") ||
           v2_bad(c, "Authorizer %.*s is of type %.*s, the route's authorization type is %.*s",
                  STR_ARG(id), STR_ARG(kind), STR_ARG(type));
}

static bool refuse_websocket(struct call *c)
{
    static const char *const members[] = {"modelSelectionExpression", "requestModels",
                                          "routeResponseSelectionExpression", "requestParameters"};
    bool required = false;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct jval v = jval_get(c->in, members[i]);
        if (jval_present(v) && jval_raw(v).n > 2)
            return v2_bad(c, "%s is supported only for WebSocket APIs", members[i]);
    }
    if (jval_bool(jval_get(c->in, "apiKeyRequired"), &required) && required)
        return v2_bad(c, "apiKeyRequired is supported only for WebSocket APIs");
    return true;
}

static void fill(struct call *c, struct json_out *w)
{
    if (!jval_present(jval_get(c->in, "apiKeyRequired")))
        json_bool(w, "apiKeyRequired", false);
    if (!jval_present(jval_get(c->in, "authorizationType")))
        json_cstr(w, "authorizationType", "NONE");
}

enum call_status gw2_create_route(struct call *c)
{
    struct str api, key = gw_in(c, "routeKey");
    if (!v2_need_api(c, &api, NULL, NULL) || !check_key(c, key) || !refuse_websocket(c) ||
        !check_unique(c, api, key, STR("")) || !check_target(c, api, gw_in(c, "target")) ||
        !check_authorization(c, api, c->in))
        return CALL_FAILED;
    return v2_create(c, &v2_route, api, STR(""), fill, NULL);
}

enum call_status gw2_get_route(struct call *c)
{
    return v2_answer(c, &v2_route);
}

enum call_status gw2_get_routes(struct call *c)
{
    return v2_answer_all(c, &v2_route);
}

enum call_status gw2_update_route(struct call *c)
{
    struct v2_target t;
    struct str key = gw_in(c, "routeKey");
    if (!v2_need(c, &v2_route, &t) || !refuse_websocket(c) ||
        (key.n > 0 && (!check_key(c, key) || !check_unique(c, t.api, key, t.id))) ||
        !check_target(c, t.api, gw_in(c, "target")) || !v2_merge(c, &t, NULL) ||
        !check_authorization(c, t.api, t.doc))
        return CALL_FAILED;
    if (str_eq_c(gw_in(c, "authorizationType"), "NONE")) {
        t.text = gw_doc_set(c->arena, t.text, &STR("authorizerId"), 1, STR_NONE);
        t.text = gw_doc_set(c->arena, t.text, &STR("authorizationScopes"), 1, STR_NONE);
    }
    return v2_store_and_answer(c, &v2_route, &t);
}

enum call_status gw2_delete_route(struct call *c)
{
    return v2_delete(c, &v2_route);
}

/* Request parameters of routes exist for WebSocket APIs only, so there is none to delete. */
enum call_status gw2_delete_route_request_parameter(struct call *c)
{
    struct v2_target t;
    if (!v2_need(c, &v2_route, &t))
        return CALL_FAILED;
    return CALL_FAIL(c, &APIGATEWAYV2_NotFoundException,
                     "Invalid request parameter key specified %.*s",
                     STR_ARG(gw_in(c, "requestParameterKey")));
}
