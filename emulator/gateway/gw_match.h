/* gw_match.h - which resource and method of a deployed REST API a request is for. Pure. */
#ifndef PUDDLE_GW_MATCH_H
#define PUDDLE_GW_MATCH_H
#include "arena.h"

struct gw_pair {
    struct str name, value;
};
struct route_method {
    struct str http_method;    /* "GET", "ANY"                                             */
    struct str operation_name; /* empty: none                                              */
    const void *own;           /* struct rest_method, or struct v2_route_live of HTTP APIs */
};
struct route { /* one resource */
    struct str resource_id, resource_path;
    struct route_method *methods;
    size_t method_count;
};
struct route_tree;
/* The tree and everything it points to live in a. */
struct route_tree *route_tree_new(struct arena *a);
/* r and what it points to must live as long as the tree. Not after the first match. */
void route_tree_add(struct route_tree *t, const struct route *r);
/* Once, after the last add. */
void route_tree_seal(struct route_tree *t);

struct route_match {
    const struct route *route;
    const struct route_method *method;
    struct gw_pair *params; /* path parameters, not decoded; views into path */
    size_t param_count;
};
/* Static before {param} before {proxy+} at every segment; the exact method before ANY. path starts
 * with '/'; a trailing slash does not matter. False: no such resource or method. */
bool route_tree_match(const struct route_tree *t, struct str method, struct str path,
                      struct arena *a, struct route_match *ret);
#endif
