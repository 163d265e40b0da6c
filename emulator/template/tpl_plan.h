/* tpl_plan.h - what a template asks for, as plain data that apply.c makes real. */
#ifndef PUDDLE_TPL_PLAN_H
#define PUDDLE_TPL_PLAN_H
#include "tpl_model.h"

/* More than all that evaluation may make (refer.c), escaped: no plan text overflows. */
enum { PLAN_TEXT_MAX = 256 * 1024 * 1024 };

struct plan_table {
    struct str id, name;
    unsigned line;
    struct str create_json; /* CreateTable's input */
    struct plan_call {      /* what is set afterwards */
        const char *op;
        struct str json;
        unsigned line;
    } calls[4];
    size_t call_count;
};
struct plan_function {
    struct str id, name;
    unsigned line;
    struct str config_json; /* CreateFunction's input without Code */
    struct str folder;      /* NUL-terminated */
};
struct plan_authorizer {
    struct str name;
    struct str create_json; /* CreateAuthorizer's input, the API's id included */
    bool is_jwt;
    bool is_open; /* of a kind that is not there: warned about, and nobody is refused */
};
struct plan_route {
    struct str method, path; /* "POST", "/save"; HTTP APIs: "$default" has no method */
    struct str function_arn;
    struct str function_id;
    unsigned line;
    const struct plan_authorizer *authorizer; /* NULL: none */
    bool is_iam, needs_key;
    struct str scopes_json;                 /* a JSON array; empty: none */
    struct str payload_version, timeout_ms; /* HTTP APIs; empty: SAM's default */
};
struct plan_cors { /* of a REST API: what SAM's OPTIONS methods answer */
    bool enabled;
    /* values as mapping expressions ("'*'"); empty: not sent; methods: those of the path */
    struct str origin, methods, headers, credentials, max_age;
    bool with_authorizer, with_key;
};
struct plan_api {
    bool is_http; /* an HTTP API (v2) */
    struct str logical_id, id, stage;
    unsigned line;
    struct str create_json;    /* CreateRestApi's or CreateApi's input, _custom_id_ included */
    struct str variables_json; /* {"variables": ...}, of the stage; empty: none */
    struct str definition;     /* OpenAPI, JSON or YAML; empty: none */
    struct plan_route *routes;
    size_t route_count, route_cap;
    struct plan_authorizer *authorizers;
    size_t authorizer_count;
    struct str default_authorizer; /* its name or AWS_IAM; empty: none */
    bool needs_key;
    struct plan_cors cors;
    struct plan_usage {  /* a usage plan and its key, as SAM makes them for a REST API */
        bool is_shared;  /* one for all APIs that say so */
        struct str name; /* empty: none */
        struct str key_name, key_value;
        struct str create_json; /* CreateUsagePlan's input without apiStages */
    } usage;
    struct str *responses; /* PutGatewayResponse's inputs */
    size_t response_count;
};
struct plan_url { /* FunctionUrlConfig */
    struct str function_id, function, url_id, config_json;
    unsigned line;
};
struct tpl_plan {
    struct plan_table *tables;
    struct plan_function *functions;
    struct plan_api *apis;
    struct plan_url *urls;
    size_t table_count, function_count, api_count, url_count;
    struct str outputs; /* "Name: value" lines */
};
/* folder: where the template lies; code folders are relative to it. */
bool tpl_plan_build(struct tpl_model *m, struct str folder, struct tpl_plan *ret);

/* --- parts of it, one file per kind of resource --- */
bool plan_function_read(struct tpl_model *m, struct tpl_resource *r, struct str folder,
                        struct tpl_plan *plan);
bool plan_events_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
bool plan_api_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
/* SAM's ServerlessRestApi with the stage Prod. */
bool plan_implicit_api(struct tpl_model *m, struct tpl_plan *plan);
bool plan_http_api_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
/* SAM's ServerlessHttpApi with the stage $default. */
bool plan_implicit_http_api(struct tpl_model *m, struct tpl_plan *plan);
/* Auth of an API: authorizers, the default one, keys. *ret_auth: the evaluated property or NULL. */
bool plan_auth_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api,
                    struct tpl_node **ret_auth);
/* Auth of an event (may be NULL), what the API says for events without it included. */
bool plan_route_auth(struct tpl_model *m, struct str what, const struct tpl_node *auth,
                     const struct plan_api *api, struct plan_route *route);
/* Cors, Auth.UsagePlan and GatewayResponses of a REST API; auth: evaluated, may be NULL. */
bool plan_cors_read(struct tpl_model *m, const struct tpl_resource *r, const struct tpl_node *auth,
                    struct plan_api *api);
bool plan_usage_read(struct tpl_model *m, const struct tpl_resource *r, const struct tpl_node *auth,
                     struct plan_api *api);
bool plan_responses_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api);
/* DefinitionBody or DefinitionUri of an API. */
bool plan_definition_read(struct tpl_model *m, const struct tpl_resource *r, struct plan_api *api);
/* The stage variables of an API, from its property of that name. */
bool plan_variables_read(struct tpl_model *m, const struct tpl_resource *r, const char *name,
                         struct plan_api *api);
/* "arn:aws:apigateway:...:functions/<arn>/invocations" */
struct str plan_function_uri(struct arena *a, struct str region, struct str function_arn);
/* AWS::Lambda::Url, after all functions. */
bool plan_plain_url_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
bool plan_url_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
bool plan_table_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);
bool plan_simple_table_read(struct tpl_model *m, struct tpl_resource *r, struct tpl_plan *plan);

/* What a resource type's properties are: taken over, or accepted without effect. Any other is
 * named in a warning. */
struct plan_properties {
    const char *const *used, *const *ignored; /* NULL-terminated */
};
void plan_warn_unknown(struct tpl_model *m, struct str id, const struct tpl_node *properties,
                       const struct plan_properties *known);
/* Evaluated property; *ret NULL if absent. False with an error. */
bool plan_eval(struct tpl_model *m, const struct tpl_resource *r, const char *name,
               struct tpl_node **ret);
/* Writes an evaluated node as JSON. CloudFormation takes numbers and booleans as text too: members
 * of these names become what the APIs want. */
void plan_write_json(struct json_out *w, const char *key, const struct tpl_node *n);
/* A map's scalars as text members: tags, variables. */
void plan_write_texts(struct json_out *w, const char *key, const struct tpl_node *map);
/* An API's tags, with the one that gives it its id. */
void plan_write_api_tags(struct json_out *w, const struct tpl_node *tags, struct str id);
/* An array of texts, from a list or one scalar; nothing if n is NULL. */
void plan_write_list(struct json_out *w, const char *key, const struct tpl_node *n);
/* A new writer on a new buffer of the arena. */
struct buf *plan_writer(struct tpl_model *m, struct json_out *ret);
/* n is the scalar true (as SAM's YAML has it: True, yes, on) */
bool plan_is_true(const struct tpl_node *n);
/* A scalar's text; empty if n is none. */
struct str plan_text(const struct tpl_node *n);
#endif
