/* oas.h - API definitions, OpenAPI 3.0 or Swagger 2.0 with x-amazon-apigateway-* extensions
 * ("Working with API Gateway extensions to OpenAPI"): what imports and exports share (private to
 * oas_*.c). An import runs the service's own operations, so that all that they check is checked. */
#ifndef PUDDLE_OAS_H
#define PUDDLE_OAS_H
#include "gw_store.h"

enum { OAS_TEXT_MAX = 6 << 20 /* of a definition */, OAS_OUT_MAX = 64 << 20, OAS_DEPTH_MAX = 60 };

struct oas {
    struct call *c;
    struct jval root;
    bool v3;
    struct str api;       /* the API that it is imported into */
    struct buf *errors;   /* "\n\tUnable to ...", one a line */
    struct buf *warnings; /* JSON texts, a comma between */
    const struct aws_err_kind *bad;
};
/* text is JSON or YAML. False with the call's error, of kind bad. */
bool oas_read(struct call *c, struct str text, const struct aws_err_kind *bad, struct oas *ret);
/* What v stands for: "$ref"s within the document followed; the last one's name in *ret_name (may be
 * NULL; empty: there was none). MISSING if it leads nowhere. */
struct jval oas_resolve(const struct oas *o, struct jval v, struct str *ret_name);
/* definitions or components.schemas; securityDefinitions or components.securitySchemes. */
struct jval oas_schemas(const struct oas *o);
struct jval oas_schemes(const struct oas *o);
/* What stands before every path: basePath, or the path of the first server; empty without. */
struct str oas_base_path(const struct oas *o);
/* What of it is taken over; how: prepend (all), split (all but its first part), else nothing. */
struct str oas_prefix(const struct oas *o, struct str how);
/* A text of info; YAML may have made a number of a version. */
struct str oas_info(const struct oas *o, const char *member);
/* A new buffer to write an operation's input to. */
struct buf *oas_input(const struct oas *o, struct json_out *w);
/* Runs an operation of the service. A failure is noted: "what: the operation's message". */
bool oas_run(struct oas *o, const char *op, const struct buf *input, struct str what,
             struct jval *ret);
void oas_warn(struct oas *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* s in capitals, in small letters. */
struct str oas_upper(struct arena *a, struct str s);
struct str oas_lower(struct arena *a, struct str s);
/* The elements of an array or object by a text member of theirs: exports are in an order that does
 * not hang on random ids. */
struct oas_named {
    struct str name;
    struct jval doc;
};
struct oas_named *oas_sorted(struct arena *a, struct jval list, const char *member,
                             size_t *ret_count);
/* The method that a member of a path item is; empty: none. */
struct str oas_method(struct arena *a, struct str member);
/* True: nothing failed (and fail_on_warnings: nothing was warned of); else the call's error. */
bool oas_end(struct oas *o, bool fail_on_warnings);

/* --- oas_method.c: a REST API's methods --- */
struct oas_rest {
    struct oas o;
    struct map resources;   /* path -> id (NUL-terminated) */
    struct map validators;  /* name -> id */
    struct map authorizers; /* security scheme -> authorizer id */
    bool is_merge;
};
void oas_put_method(struct oas_rest *r, struct str path, struct str resource, struct str method,
                    struct jval item, struct jval operation);
/* The name of the model of a schema: that of its $ref, or of a new one; empty: there is no schema.
 */
struct str oas_model_of(struct oas_rest *r, struct jval schema);
/* A model made of a schema, or changed to it. */
bool oas_put_model(struct oas_rest *r, struct str name, struct jval schema, bool is_new);
#endif
