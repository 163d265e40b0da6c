/* v2_params.h - parameter mapping of HTTP APIs: requestParameters and responseParameters of an
 * integration. Source: "Transform API requests and responses for HTTP APIs in API Gateway". Pure.
 */
#ifndef PUDDLE_V2_PARAMS_H
#define PUDDLE_V2_PARAMS_H
#include "gw_match.h"
#include "http.h"
#include "json.h"

/* Are the mappings of an integration document well-formed? False: *ret_why for the client. */
bool v2_params_valid(struct jval integration, bool lambda, struct arena *a, struct str *ret_why);

/* Where values of mappings come from. */
struct v2_source {
    const struct http_req *req;
    const struct gw_pair *path_params, *stage_variables;
    size_t path_count, variable_count;
    struct str path;              /* of the request, without the stage */
    struct jval context;          /* requestContext of the event, for $context.x */
    const struct http_resp *resp; /* of responses: $response.header.x, $response.body.x */
    struct jval resp_body;        /* parsed, or MISSING */
};
/* "$request.header.x", "${...}" inside text, or static text. False: what it names is not there. */
bool v2_params_value(const struct v2_source *s, struct str expression, struct arena *a,
                     struct str *ret);

struct v2_outgoing { /* what an HTTP_PROXY integration sends */
    struct http_header *headers;
    size_t header_count, header_cap;
    struct str path, query;
};
/* Applies requestParameters to the request. */
void v2_params_request(const struct v2_source *s, struct jval mappings, struct arena *a,
                       struct v2_outgoing *out);
/* Applies responseParameters (the member of resp's status code) to resp. */
void v2_params_response(const struct v2_source *s, struct jval response_parameters, struct arena *a,
                        struct http_resp *resp);
#endif
