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
struct plan_route {
    struct str method, path; /* "POST", "/save" */
    struct str function_arn;
    struct str function_id;
    unsigned line;
};
struct plan_api {
    struct str logical_id, id, stage;
    unsigned line;
    struct str create_json;    /* CreateRestApi's input, _custom_id_ included */
    struct str variables_json; /* stage variables; empty: none */
    struct plan_route *routes;
    size_t route_count, route_cap;
};
struct tpl_plan {
    struct plan_table *tables;
    struct plan_function *functions;
    struct plan_api *apis;
    size_t table_count, function_count, api_count;
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
#endif
