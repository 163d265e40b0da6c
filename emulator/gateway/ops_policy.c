/* Resource policies of REST APIs as they are given, kept and shown. */
#include "apigateway_model.h"
#include "arn.h"
#include "gw_policy.h"
#include "gw_store.h"

enum { POLICY_MAX = 8192 }; /* AWS's quota on a resource policy */

bool gw_policy_store(struct call *c, struct str policy, struct str *ret_json)
{
    struct jval doc;
    struct str unsupported;
    if (policy.n > POLICY_MAX) /* unverified: the text */
        return gw_bad(c, "Invalid policy document. It must not exceed %d bytes", POLICY_MAX);
    bool parses = json_parse(c->arena, policy, JSON_DEPTH_DEFAULT, &doc, NULL);
    bool ok = parses && policy_is_decidable(doc, c->arena, &unsupported);
    if (!parses || (!ok && unsupported.p == NULL))
        return gw_bad(c, "Invalid policy document. Please check the policy syntax and ensure that "
                         "Principals are valid.");
    if (!ok) {
        gw_unsupported(c, "resource policies with %.*s", STR_ARG(unsupported));
        return false;
    }
    struct str once = gw_quote(c->arena, policy);
    *ret_json = gw_quote(c->arena, str_sub(once, 1, once.n - 1));
    return true;
}

/* Resources may begin with "execute-api:/": the API's own. The policy belongs to one API, so any
 * API's ARN will do. */
static struct str expand(struct arena *a, struct str text)
{
    static const char brief[] = "\"execute-api:/";
    struct buf *b = arena_new_buf(a, text.n * 8 + 64);
    ptrdiff_t at;
    while ((at = str_find_str(text, STR(brief))) >= 0) {
        buf_add(b, str_sub(text, 0, (size_t)at));
        buf_add(b, STR("\"arn:aws:execute-api:*:*:*/"));
        text = str_sub(text, (size_t)at + sizeof brief - 1, text.n);
    }
    buf_add(b, text);
    return buf_view(b);
}

bool gw_policy_text(struct jval stored, struct arena *a, struct str *ret)
{
    struct str once;
    struct jval v;
    if (!jval_str(stored, a, &once) || once.n == 0 ||
        !json_parse(a, arena_fmt(a, "\"%.*s\"", STR_ARG(once)), 1, &v, NULL))
        return false;
    *ret = expand(a, jval_text(v, a));
    return true;
}

bool gw_pool_issuer(struct str pool_arn, struct arena *a, struct str *ret)
{
    struct arn arn;
    if (!arn_parse(pool_arn, &arn) || !str_eq_c(arn.service, "cognito-idp") ||
        !str_starts(arn.resource, STR("userpool/")))
        return false;
    *ret = arena_fmt(a, "https://cognito-idp.%.*s.amazonaws.com/%.*s", STR_ARG(arn.region),
                     STR_ARG(str_sub(arn.resource, sizeof "userpool/" - 1, arn.resource.n)));
    return true;
}
