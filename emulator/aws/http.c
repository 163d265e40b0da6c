#include "http.h"
#include "codec.h"
#include <string.h>

struct str http_req_header(const struct http_req *req, const char *name)
{
    struct str want = str_c(name);
    for (size_t i = 0; i < req->header_count; i++) {
        if (str_case_eq(req->headers[i].name, want))
            return req->headers[i].value;
    }
    return STR_NONE;
}

bool http_req_query(const struct http_req *req, struct arena *a, const char *key,
                    struct str *ret_value)
{
    struct str rest = req->query;
    while (rest.p != NULL) {
        struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
        if (str_eq_c(codec_percent_decode(a, name, true), key)) {
            *ret_value = value.p == NULL ? STR("") : codec_percent_decode(a, value, true);
            return true;
        }
    }
    return false;
}

void http_resp_add(struct http_resp *resp, struct arena *a, struct str name, struct str value)
{
    if (resp->header_count == resp->header_cap) {
        size_t cap = resp->header_cap == 0 ? 8 : resp->header_cap * 2;
        struct http_header *more = ARENA_ARRAY(a, struct http_header, cap);
        if (resp->header_count != 0)
            memcpy(more, resp->headers, resp->header_count * sizeof *more);
        resp->headers = more;
        resp->header_cap = cap;
    }
    resp->headers[resp->header_count++] = (struct http_header){name, value};
}
