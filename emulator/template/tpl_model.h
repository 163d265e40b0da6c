/* tpl_model.h - a template's parameters, conditions and resources, and the evaluation of its
 * intrinsic functions. */
#ifndef PUDDLE_TPL_MODEL_H
#define PUDDLE_TPL_MODEL_H
#include "template.h"
#include "tpl_node.h"

enum tpl_state { TPL_NEW, TPL_BUSY, TPL_DONE };

enum tpl_type { /* what Puddle makes of a resource */
                TPL_FUNCTION,
                TPL_API,
                TPL_HTTP_API,
                TPL_URL, /* AWS::Lambda::Url */
                TPL_TABLE,
                TPL_SIMPLE_TABLE,
                TPL_ROLE,    /* known, not enforced */
                TPL_IGNORED, /* known, has no effect here */
                TPL_UNKNOWN
};
struct tpl_resource {
    struct str id, type_name;
    enum tpl_type type;
    unsigned line;
    const struct tpl_node *properties; /* as written, Globals merged in; may be NULL */
    const struct tpl_node *metadata;   /* may be NULL */
    bool is_plain;                     /* CloudFormation's own AWS::Lambda::Function */
    bool is_off;                       /* its condition is false */
    bool is_skipped;                   /* of a kind we make, but not in this form */
    enum tpl_state name_state;
    struct str name; /* what Ref gives: the table's, function's or API's own name */
};
struct tpl_condition {
    struct str name;
    unsigned line;
    const struct tpl_node *node;
    enum tpl_state state;
    bool value;
};
struct tpl_parameter {
    struct str name;
    struct tpl_node *value;
};
struct tpl_model {
    struct tpl_log *log;
    struct arena *arena;
    struct str account, region;
    struct str folder; /* where the template lies */
    struct str url;    /* this server's, for addresses of APIs and functions; may be empty */
    const struct tpl_node *root;
    struct tpl_parameter *parameters;
    size_t parameter_count;
    struct tpl_condition *conditions;
    size_t condition_count;
    struct tpl_resource *resources;
    size_t resource_count;
    size_t nodes_made, bytes_made; /* caps on what evaluation may grow to */
};

/* Reads parameters, conditions, Globals and the resource list. */
bool tpl_model_build(struct tpl_model *m, const struct template_env *env);
struct tpl_resource *tpl_find_resource(struct tpl_model *m, struct str id);
/* The id an API of that logical id gets: the same at every start. */
struct str tpl_api_id(struct tpl_model *m, struct str logical_id);
/* SAM's implicit API exists if a function has an Api event without RestApiId. */
bool tpl_has_implicit_api(const struct tpl_model *m);
/* The same for HttpApi events without ApiId. */
bool tpl_has_implicit_http_api(const struct tpl_model *m);
/* The id of a function's URL: the same at every start. */
struct str tpl_url_id(struct tpl_model *m, struct str logical_id);
/* The value of the API key that SAM makes with a usage plan. */
struct str tpl_key_value(struct tpl_model *m, struct str logical_id);
/* What Ref of a resource of ours gives. */
bool tpl_resource_name(struct tpl_model *m, struct tpl_resource *r, struct str *ret);
bool tpl_condition_value(struct tpl_model *m, struct str name, unsigned line, bool *ret);

/* A copy without intrinsic functions; NULL with an error. */
struct tpl_node *tpl_eval(struct tpl_model *m, const struct tpl_node *n);
/* The same where one text is wanted; what names it in the error. */
bool tpl_eval_text(struct tpl_model *m, const struct tpl_node *n, const char *what,
                   struct str *ret);

/* --- refer.c: what names mean --- */
struct tpl_node *tpl_ref(struct tpl_model *m, struct str name, unsigned line);
struct tpl_node *tpl_get_att(struct tpl_model *m, struct str id, struct str attribute,
                             unsigned line);
/* A scalar of evaluated text; NULL when the caps are passed. */
struct tpl_node *tpl_made(struct tpl_model *m, unsigned line, struct str text);
#endif
