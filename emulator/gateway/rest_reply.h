/* rest_reply.h - what a client of a REST API gets: the function's proxy result mapped to HTTP, and
 * API Gateway's own answers (facts/lambda.md 4.1). Pure. */
#ifndef PUDDLE_REST_REPLY_H
#define PUDDLE_REST_REPLY_H
#include "http.h"

/* The answers that are API Gateway's own; all but GW_FORBIDDEN can be changed by a gateway
 * response.
 */
enum gw_answer {
    GW_MISSING_TOKEN,      /* no such resource or method, or no signature       403 */
    GW_FORBIDDEN,          /* no such API or stage                              403 */
    GW_TOO_LONG,           /* body above the limit                              413 */
    GW_INTEGRATION_BROKEN, /* the integration cannot be called as configured    500 */
    GW_BAD_RESULT,         /* the function failed or its result is malformed    502 */
    GW_TIMEOUT,            /* the integration took too long                     504 */
    GW_UNREACHABLE,        /* the endpoint of an HTTP integration is not there  504 */
    GW_UNAUTHORIZED,       /* the authorizer says so, or no token               401 */
    GW_ACCESS_DENIED,      /* no statement of the authorizer's policy allows it 403 */
    GW_ACCESS_DENIED_EXPLICITLY,
    GW_AUTHORIZER_FAILED, /* it failed                                         500 */
    GW_AUTHORIZER_BROKEN, /* its reply is not one                              500 */
    GW_BAD_PARAMETERS,    /* a required parameter is missing                   400 */
    GW_BAD_BODY,          /* the body is not as its model says                 400 */
    GW_INVALID_KEY,       /* no API key, or one without a plan here            403 */
    GW_THROTTLED,         /* 429 */
    GW_QUOTA_EXCEEDED,    /* 429 */
    GW_UNSUPPORTED_TYPE,  /* no template for this content type                 415 */
    GW_BAD_SIGNATURE,     /* 403 */
    GW_POLICY_DENIED,     /* by the API's resource policy                      403 */
    GW_EXPIRED_TOKEN      /* of a user pool                                    401 */
};
struct gw_answer_kind {
    uint16_t status;
    const char *error_type;    /* x-amzn-ErrorType */
    const char *response_type; /* the gateway response that changes it; NULL: none */
    const char *message;       /* NULL: null */
    bool capital, blank;       /* "Message"; a blank behind the colon */
};
const struct gw_answer_kind *reply_kind(enum gw_answer what);
/* Status, type header and body of one of API Gateway's own answers. detail: takes the place of the
 * message's %s; may be empty. */
void reply_answer(enum gw_answer what, struct str detail, struct arena *a, struct http_resp *resp);
/* Its message with the detail. */
struct str reply_message(enum gw_answer what, struct str detail, struct arena *a);

enum reply_map_result { REPLY_OK, REPLY_MALFORMED, REPLY_NOT_BASE64 };
/* The result of a Lambda proxy integration as an HTTP response. decode: the client accepts one of
 * the API's binary media types, so a body marked base64 is decoded. default_type: of a result
 * without a Content-Type. resp is only touched by
 * REPLY_OK; what it points to is in a or in payload. */
enum reply_map_result reply_map_v1(struct str payload, bool decode, struct str default_type,
                                   struct arena *a, struct http_resp *resp);
/* The headers every answer of a stage carries. */
void reply_add_ids(struct http_resp *resp, struct arena *a, struct str request_id,
                   struct str extended_id, struct str trace_id);
#endif
