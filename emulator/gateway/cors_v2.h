/* cors_v2.h - CORS as HTTP APIs and function URLs configure it: the gateway itself answers
 * preflights and owns the headers of every answer. Pure. Source: "Configure CORS for HTTP APIs". */
#ifndef PUDDLE_CORS_V2_H
#define PUDDLE_CORS_V2_H
#include "http.h"
#include "json.h"

struct cors_v2 {
    bool enabled, credentials, has_max_age;
    int64_t max_age;
    struct str *origins, *methods, *headers, *expose; /* in the arena it was read into */
    size_t origin_count, method_count, header_count, expose_count;
};
/* config: an object with allowOrigins, ... or AllowOrigins, ...; MISSING gives a disabled one. */
void cors_v2_read(struct jval config, struct arena *a, struct cors_v2 *ret);
/* OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_v2_is_preflight(const struct http_req *req);
void cors_v2_preflight(const struct cors_v2 *c, const struct http_req *req, struct arena *a,
                       struct http_resp *resp);
/* Replaces the integration's own CORS headers. */
void cors_v2_apply(const struct cors_v2 *c, const struct http_req *req, struct arena *a,
                   struct http_resp *resp);
#endif
