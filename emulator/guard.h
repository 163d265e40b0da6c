/* guard.h - keeps foreign web pages away (facts/reliability.md section 2): a page the user merely
 * visits can make his browser send requests to this port. Pure. */
#ifndef PUDDLE_GUARD_H
#define PUDDLE_GUARD_H
#include "http.h"

struct guard {
    const char *const *origins; /* --allow-origin: "https://app.example", or "*"               */
    size_t origin_count;
    const char *const *hosts; /* --allow-host: a name and all below it                         */
    size_t host_count;
    bool any_host; /* bound beyond loopback and no --allow-host given                          */
};
/* The Host value without its port; an IPv6 literal keeps its brackets. */
struct str guard_host_name(struct str host);
bool guard_is_loopback_name(struct str name);
bool guard_is_aws_name(struct str name);
/* Against DNS rebinding: a name that an attacker's server could answer for is not ours. */
bool guard_host_allowed(const struct guard *g, struct str host);
/* Against forged requests: no Origin and not cross-site (tools send neither header), or an Origin
 * that is loopback or listed. */
bool guard_origin_allowed(const struct guard *g, const struct http_req *req);
#endif
