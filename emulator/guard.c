#include "guard.h"
#include <arpa/inet.h>
#include <string.h>

struct str guard_host_name(struct str host)
{
    if (host.n > 0 && host.p[0] == '[') {
        ptrdiff_t end = str_find(host, ']');
        return end < 0 ? host : str_sub(host, 0, (size_t)end + 1);
    }
    return str_cut(&host, ':');
}

/* name is parent or a name below it. */
static bool is_within(struct str name, struct str parent)
{
    if (name.n == parent.n)
        return str_case_eq(name, parent);
    return name.n > parent.n && name.p[name.n - parent.n - 1] == '.' &&
           str_case_eq(str_sub(name, name.n - parent.n, name.n), parent);
}

/* 127.0.0.0/8 in full dotted form: "127.evil.example" is a name. */
static bool is_loopback_v4(struct str name)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (name.n >= sizeof text)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool guard_is_loopback_name(struct str name)
{
    /* the last one is public DNS, all of it pointing at 127.0.0.1, that users of other emulators
     * have in their settings */
    return name.n > 0 &&
           (is_within(name, STR("localhost")) || str_eq_c(name, "[::1]") || is_loopback_v4(name) ||
            is_within(name, STR("localhost.localstack.cloud")));
}

bool guard_is_aws_name(struct str name)
{
    return is_within(name, STR("amazonaws.com")) || is_within(name, STR("amazonaws.com.cn")) ||
           is_within(name, STR("api.aws")) || is_within(name, STR("on.aws"));
}

bool guard_host_allowed(const struct guard *g, struct str host)
{
    struct str name = guard_host_name(host);
    if (g->any_host || guard_is_loopback_name(name) || guard_is_aws_name(name))
        return true;
    for (size_t i = 0; i < g->host_count; i++) {
        if (is_within(name, str_c(g->hosts[i])))
            return true;
    }
    return false;
}

bool guard_origin_allowed(const struct guard *g, const struct http_req *req)
{
    struct str origin = http_req_header(req, "Origin");
    for (size_t i = 0; i < g->origin_count; i++) {
        if (strcmp(g->origins[i], "*") == 0 || str_eq_c(origin, g->origins[i]))
            return true;
    }
    if (origin.p == NULL) /* images, links and plain GETs of a page come without one */
        return !str_eq_c(http_req_header(req, "Sec-Fetch-Site"), "cross-site");
    ptrdiff_t at = str_find_str(origin, STR("://"));
    if (at < 0 || !(str_starts(origin, STR("http://")) || str_starts(origin, STR("https://"))))
        return false;
    return guard_is_loopback_name(guard_host_name(str_sub(origin, (size_t)at + 3, origin.n)));
}
