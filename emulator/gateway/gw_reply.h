/* gw_reply.h - what a client of a REST API gets: the function's proxy result mapped to HTTP, and
 * API Gateway's own answers (facts/lambda.md 4.1). Pure. */
#ifndef PUDDLE_GW_REPLY_H
#define PUDDLE_GW_REPLY_H
#include "http.h"

enum gw_answer {
    GW_MISSING_TOKEN,      /* no such resource or method                        403 */
    GW_FORBIDDEN,          /* no such API or stage                              403 */
    GW_TOO_LONG,           /* body above the limit                              413 */
    GW_INTEGRATION_BROKEN, /* the function cannot be called as configured       500 */
    GW_BAD_RESULT,         /* the function failed or its result is malformed    502 */
    GW_TIMEOUT             /* the integration took too long                     504 */
};
/* Status, type header and body of one of API Gateway's own answers. */
void reply_answer(enum gw_answer what, struct arena *a, struct http_resp *resp);

enum reply_map_result { REPLY_OK, REPLY_MALFORMED, REPLY_NOT_BASE64 };
/* The result of a Lambda proxy integration as an HTTP response. decode: the client accepts one of
 * the API's binary media types, so a body marked base64 is decoded. resp is only touched by
 * REPLY_OK; what it points to is in a or in payload. */
enum reply_map_result reply_map_v1(struct str payload, bool decode, struct arena *a,
                                   struct http_resp *resp);
/* The headers every answer of a stage carries. */
void reply_add_ids(struct http_resp *resp, struct arena *a, struct str request_id,
                   struct str extended_id, struct str trace_id);
#endif
