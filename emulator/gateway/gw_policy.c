#include "gw_policy.h"
#include "gw_condition.h"
#include "log.h"

bool policy_matches(struct str pattern, struct str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

/* A text or a list of them. Actions ignore case. */
static bool any_matches(struct jval patterns, struct str text, struct arena *a)
{
    struct jval it = {0};
    struct str one;
    if (jval_str(patterns, a, &one))
        return policy_matches(one, text);
    while (jval_kind(patterns) == JSON_ARRAY && jval_next(patterns, &it, NULL)) {
        if (policy_matches(jval_text(it, a), text))
            return true;
    }
    return false;
}

static struct str lower(struct str s, struct arena *a)
{
    char *out = arena_alloc_raw(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
    return (struct str){out, s.n};
}

static bool action_matches(struct jval patterns, struct str action, struct arena *a)
{
    struct jval it = {0};
    struct str one, wanted = lower(action, a);
    if (jval_str(patterns, a, &one))
        return policy_matches(lower(one, a), wanted);
    while (jval_kind(patterns) == JSON_ARRAY && jval_next(patterns, &it, NULL)) {
        if (policy_matches(lower(jval_text(it, a), a), wanted))
            return true;
    }
    return false;
}

static bool applies(struct jval statement, struct str action, struct str resource,
                    const struct policy_env *env, struct arena *a)
{
    struct jval condition = jval_get(statement, "Condition");
    struct str what;
    struct jval actions = jval_get(statement, "Action"),
                not_actions = jval_get(statement, "NotAction");
    struct jval resources = jval_get(statement, "Resource");
    struct jval not_resources = jval_get(statement, "NotResource");
    if (jval_count(condition) > 0) {
        if (env == NULL || !condition_is_known(condition, a, &what)) {
            log_msg(LOG_WARN, "gateway", "a policy statement with a Condition is not evaluated");
            return false;
        }
        if (!condition_holds(condition, env, a))
            return false;
    }
    bool on_action = jval_present(not_actions) ? !action_matches(not_actions, action, a)
                                               : action_matches(actions, action, a);
    bool on_resource = jval_present(not_resources) ? !any_matches(not_resources, resource, a)
                                                   : any_matches(resources, resource, a);
    return on_action && on_resource;
}

enum policy_result policy_allows(struct jval document, struct str action, struct str resource,
                                 const struct policy_env *env, struct arena *a)
{
    struct jval statements = jval_get(document, "Statement"), it = {0};
    enum policy_result result = POLICY_NO_MATCH;
    bool single = jval_kind(statements) == JSON_OBJECT;
    for (;;) {
        if (single)
            it = statements;
        else if (jval_kind(statements) != JSON_ARRAY || !jval_next(statements, &it, NULL))
            return result;
        if (applies(it, action, resource, env, a)) {
            if (!str_case_eq(jval_text(jval_get(it, "Effect"), a), STR("Allow")))
                return POLICY_DENIED;
            result = POLICY_ALLOWED;
        }
        if (single)
            return result;
    }
}

/* "*", {"AWS": "*"} or {"AWS": ["*"]} */
static bool is_everybody(struct jval principal, struct arena *a)
{
    struct jval aws = jval_get(principal, "AWS");
    if (jval_kind(principal) == JSON_STRING)
        return str_eq_c(jval_text(principal, a), "*");
    if (jval_kind(aws) == JSON_ARRAY && jval_count(aws) == 1)
        aws = jval_at(aws, 0);
    return jval_count(principal) == 1 && str_eq_c(jval_text(aws, a), "*");
}

static bool is_decidable(struct jval statement, struct arena *a, struct str *ret)
{
    struct str effect = jval_text(jval_get(statement, "Effect"), a);
    *ret = STR_NONE;
    if (jval_kind(statement) != JSON_OBJECT ||
        !(str_eq_c(effect, "Allow") || str_eq_c(effect, "Deny")) ||
        !(jval_present(jval_get(statement, "Action")) ||
          jval_present(jval_get(statement, "NotAction"))) ||
        !(jval_present(jval_get(statement, "Resource")) ||
          jval_present(jval_get(statement, "NotResource"))) ||
        !(jval_present(jval_get(statement, "Principal")) ||
          jval_present(jval_get(statement, "NotPrincipal"))))
        return false;
    *ret = STR("principals other than *");
    return is_everybody(jval_get(statement, "Principal"), a) &&
           condition_is_known(jval_get(statement, "Condition"), a, ret);
}

bool policy_is_decidable(struct jval document, struct arena *a, struct str *ret_unsupported)
{
    struct jval statements = jval_get(document, "Statement"), it = {0};
    *ret_unsupported = STR_NONE;
    if (jval_kind(statements) == JSON_OBJECT)
        return is_decidable(statements, a, ret_unsupported);
    if (jval_kind(statements) != JSON_ARRAY || jval_count(statements) == 0)
        return false;
    while (jval_next(statements, &it, NULL)) {
        if (!is_decidable(it, a, ret_unsupported))
            return false;
    }
    return true;
}
