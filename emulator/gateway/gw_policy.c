#include "gw_policy.h"
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

static bool applies(struct jval statement, struct str action, struct str resource, struct arena *a)
{
    struct jval actions = jval_get(statement, "Action"),
                not_actions = jval_get(statement, "NotAction");
    struct jval resources = jval_get(statement, "Resource");
    struct jval not_resources = jval_get(statement, "NotResource");
    if (jval_count(jval_get(statement, "Condition")) > 0) {
        log_msg(LOG_WARN, "gateway", "a policy statement with a Condition is not evaluated");
        return false;
    }
    bool on_action = jval_present(not_actions) ? !action_matches(not_actions, action, a)
                                               : action_matches(actions, action, a);
    bool on_resource = jval_present(not_resources) ? !any_matches(not_resources, resource, a)
                                                   : any_matches(resources, resource, a);
    return on_action && on_resource;
}

enum policy_result policy_allows(struct jval document, struct str action, struct str resource,
                                 struct arena *a)
{
    struct jval statements = jval_get(document, "Statement"), it = {0};
    enum policy_result result = POLICY_NO_MATCH;
    bool single = jval_kind(statements) == JSON_OBJECT;
    for (;;) {
        if (single)
            it = statements;
        else if (jval_kind(statements) != JSON_ARRAY || !jval_next(statements, &it, NULL))
            return result;
        if (applies(it, action, resource, a)) {
            if (!str_case_eq(jval_text(jval_get(it, "Effect"), a), STR("Allow")))
                return POLICY_DENIED;
            result = POLICY_ALLOWED;
        }
        if (single)
            return result;
    }
}
