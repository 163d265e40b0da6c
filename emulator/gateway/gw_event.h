/* gw_event.h - the event of a Lambda proxy integration, payload format 1.0 (facts/lambda.md 4.1).
 */
#ifndef PUDDLE_GW_EVENT_H
#define PUDDLE_GW_EVENT_H
#include "gw_match.h"
#include "http.h"
#include "json.h"

struct event_v1 {
    const struct http_req *req;
    struct str path; /* raw, after the stage */
    bool by_domain;  /* custom domain name: handlers see the path as sent, with its base path */
    struct str api_id, stage, account, region, deployment_id;
    const struct route_match *match;
    const struct gw_pair *variables; /* stage variables */
    size_t variable_count;
    bool body_is_binary; /* the Content-Type is among the API's binaryMediaTypes */
    struct str request_id, extended_id, trace_root;
    struct str api_key, api_key_id; /* empty: the method needs none */
    struct str iam_key;             /* the access key that signed; empty: no IAM authorization */
    struct str authorizer;          /* JSON object text of requestContext.authorizer; empty: none */
    int64_t now_ms;
    /* HTTP APIs: "version" is written, header names are lower case but for a few, and path holds
     * the stage already (unverified) */
    bool http_api;
    /* For an authorizer (no body): its methodArn; empty: this is for an integration. */
    struct str method_arn;
    const struct str *identity; /* HTTP APIs: the values of the identity sources */
    size_t identity_count;
};
/* Appends the event's JSON text. */
void event_v1_write(const struct event_v1 *e, struct arena *a, struct buf *out);
/* Its requestContext alone: what $context means in mapping templates. */
void event_v1_write_context(const struct event_v1 *e, struct arena *a, struct json_out *w);
/* The path as handlers see it: leading slashes are one. */
struct str event_path(struct str path);
/* True if a media type header ("image/png; q=1, ...": the first type counts) is in types. */
bool event_media_matches(struct str header, const struct str *types, size_t count);
/* s, or a copy in which every byte that is not part of UTF-8 is U+FFFD. */
struct str event_text(struct arena *a, struct str s);
#endif
