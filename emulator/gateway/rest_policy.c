/* The resource policy of a REST API: who may call it at all, before and besides its authorizers. */
#include "rest_request.h"

struct str rest_method_arn(struct rest_request *r)
{
    struct str path = event_path(r->event.path);
    return arena_fmt(r->arena, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s",
                     STR_ARG(r->stage->region), STR_ARG(r->stage->account),
                     STR_ARG(r->stage->api_id), STR_ARG(r->stage->name), STR_ARG(r->req.method),
                     STR_ARG(path));
}

static struct str header(struct rest_request *r, const char *name)
{
    struct str value = http_req_header(&r->req, name);
    return value.n > 0 ? value : STR_NONE;
}

const struct policy_env *rest_policy_env(struct rest_request *r)
{
    struct policy_env *env = ARENA_NEW(r->arena, struct policy_env);
    *env = (struct policy_env){r->req.peer_ip, header(r, "User-Agent"), header(r, "Referer")};
    return env;
}

/* The account is shown by its last four digits. unverified: the two endings; older records end
 * with "with an explicit deny" and with nothing. */
static void deny(struct rest_request *r, bool is_explicit)
{
    struct str arn = rest_method_arn(r), account = r->stage->account;
    ptrdiff_t at = str_find_str(arn, account);
    size_t hidden = account.n > 4 ? account.n - 4 : 0;
    char *text = arena_alloc_raw(r->arena, arn.n + 1);
    for (size_t i = 0; i < arn.n; i++)
        text[i] = at >= 0 && i >= (size_t)at && i < (size_t)at + hidden ? '*' : arn.p[i];
    r->denied_because = arena_fmt(
        r->arena, "%.*s %s", STR_ARG(((struct str){text, arn.n})),
        is_explicit ? "with an explicit deny in a resource-based policy"
                    : "because no resource-based policy allows the execute-api:Invoke action");
    rest_fail(r, GW_POLICY_DENIED);
}

/* Same account: an explicit deny always holds; signed callers and Lambda authorizers may be allowed
 * by either policy, everybody else only by this one. */
bool rest_check_policy(struct rest_request *r)
{
    if (!jval_present(r->stage->policy))
        return true;
    enum policy_result result = policy_allows(r->stage->policy, STR("execute-api:Invoke"),
                                              rest_method_arn(r), rest_policy_env(r), r->arena);
    r->policy_allows = result == POLICY_ALLOWED;
    bool elsewhere = r->method->auth == REST_AUTH_IAM || r->method->auth == REST_AUTH_CUSTOM;
    if (result == POLICY_ALLOWED || (result == POLICY_NO_MATCH && elsewhere))
        return true;
    deny(r, result == POLICY_DENIED);
    return false;
}
