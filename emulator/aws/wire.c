#include "wire.h"

void wire_identify(const struct http_req *req, struct arena *a, struct str default_account,
                   struct wire_identity *ret)
{
    struct str scope = STR_NONE, header = http_req_header(req, "Authorization");
    *ret = (struct wire_identity){default_account, STR("us-east-1"), STR_NONE, STR_NONE};
    ptrdiff_t at = str_find_str(header, STR("Credential="));
    if (header.p != NULL && at >= 0) {
        scope = str_sub(header, (size_t)at + 11, header.n);
        scope = str_cut(&scope, ',');
    } else if (req->query.p == NULL || !http_req_query(req, a, "X-Amz-Credential", &scope)) {
        return;
    }
    struct str rest = str_trim(scope), key = str_cut(&rest, '/');
    if (rest.p == NULL)
        return;
    str_cut(&rest, '/'); /* the date */
    struct str region = rest.p == NULL ? STR_NONE : str_cut(&rest, '/');
    struct str service = rest.p == NULL ? STR_NONE : str_cut(&rest, '/');
    int64_t digits;
    ret->access_key = key;
    if (region.n > 0)
        ret->region = region;
    if (service.n > 0)
        ret->service = service;
    if (key.n == 12 && str_to_i64(key, &digits) && key.p[0] != '-')
        ret->account = key;
}

void wire_reply(struct call *c, struct http_resp *ret_resp)
{
    if (c->svc->protocol == WIRE_JSON)
        wire_json_reply(c, ret_resp);
    else
        wire_rest_reply(c, ret_resp);
}
