/* event_v2.h - the event of payload format 2.0: HTTP APIs and function URLs (facts/lambda.md 4.2,
 * 4.3). Absent means absent, not null. */
#ifndef PUDDLE_EVENT_V2_H
#define PUDDLE_EVENT_V2_H
#include "http.h"

struct event_v2 {
    const struct http_req *req;
    struct str route_key;       /* "GET /items/{id}", "$default"                               */
    struct str raw_path;        /* with the stage, unless that is $default                     */
    struct str stage;           /* "$default"                                                  */
    struct str account, api_id; /* account: "anonymous" for an open function URL               */
    struct str domain_name;     /* its first label is domainPrefix                             */
    struct str authorizer_json; /* object text; empty: no such member                          */
    struct str path_params_json, stage_variables_json; /* object text; empty: none             */
    struct str request_id, trace_root;
    int64_t now_ms;
};
/* Appends the event's JSON text. */
void event_v2_write(const struct event_v2 *e, struct arena *a, struct buf *out);
/* Text types reach the handler as text, all else in base64. */
bool event_v2_is_text(struct str content_type);
#endif
