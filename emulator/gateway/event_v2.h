/* event_v2.h - the event of payload format 2.0: HTTP APIs and function URLs (facts/lambda.md 4.2,
 * 4.3). Absent means absent here, not null. Pure. */
#ifndef PUDDLE_EVENT_V2_H
#define PUDDLE_EVENT_V2_H
#include "gw_match.h"
#include "http.h"
#include "json.h"

struct event_v2 {
    const struct http_req *req;
    struct str route_key; /* "GET /items/{id}", "$default" */
    struct str raw_path;  /* with the stage unless that is $default */
    struct str api_id;    /* or the function URL's id */
    struct str account;   /* of requestContext: "anonymous" for open function URLs */
    struct str domain;    /* "abc.execute-api.us-east-1.amazonaws.com" */
    struct str stage, request_id, trace_root;
    const struct gw_pair *path_params; /* decoded */
    size_t path_count;
    const struct gw_pair *variables; /* stage variables */
    size_t variable_count;
    struct str authorizer;    /* JSON object text of requestContext.authorizer; empty: none */
    bool null_authentication; /* function URLs say "authentication": null */
    bool http_api;            /* HTTP APIs name the length of every body, even of none */
    int64_t now_ms;
};
/* Appends the event's JSON text. */
void event_v2_write(const struct event_v2 *e, struct arena *a, struct buf *out);
/* Its requestContext alone: what $context means in parameter mappings. */
void event_v2_write_context(const struct event_v2 *e, struct arena *a, struct json_out *w);
/* Is a body of this Content-Type handed over as text? */
bool event_v2_is_text(struct str content_type);

/* The members a Lambda authorizer with payload format 2.0 gets. */
void event_v2_write_authorizer(const struct event_v2 *e, struct str route_arn,
                               const struct str *identity, size_t identity_count, struct arena *a,
                               struct buf *out);
#endif
