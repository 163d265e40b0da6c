/* What a request may call a function: a name, with or without a qualifier, or a partial or full
 * ARN. */
#include "docs.h"
#include "function.h"

static bool is_account(struct str s)
{
    return s.n == 12 && lam_is_number(s);
}

/* us-east-1, us-gov-west-1, ... */
static bool is_region(struct str s)
{
    size_t dashes = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        dashes += s.p[i] == '-';
        if (s.p[i] != '-' && !(s.p[i] >= 'a' && s.p[i] <= 'z') && !(digit && i == s.n - 1))
            return false;
    }
    return dashes >= 2 && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9';
}

bool lam_is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return s.n > 0;
}

bool lam_name_parse(struct str text, struct lam_name *ret)
{
    struct lam_name n = {0};
    struct str rest = text, part = str_cut(&rest, ':');
    if (str_eq_c(part, "arn") && rest.p != NULL) {
        str_cut(&rest, ':'); /* partition */
        if (rest.p == NULL || !str_eq_c(str_cut(&rest, ':'), "lambda") || rest.p == NULL)
            return false;
        part = str_cut(&rest, ':');
    }
    if (rest.p != NULL && is_region(part)) {
        n.region = part;
        part = str_cut(&rest, ':');
    }
    if (rest.p != NULL && is_account(part)) {
        n.account = part;
        part = str_cut(&rest, ':');
    }
    if (rest.p != NULL && str_eq_c(part, "function"))
        part = str_cut(&rest, ':');
    n.name = part;
    if (rest.p != NULL)
        n.qualifier = str_cut(&rest, ':');
    if (rest.p != NULL || n.name.n == 0)
        return false;
    *ret = n;
    return true;
}

/* What the qualifier of t stands for. */
static void follow_qualifier(struct rie *r, struct arena *a, struct lam_target *t)
{
    struct str version = t->qualifier;
    if (version.n == 0 || str_eq_c(version, "$LATEST")) {
        t->f = t->latest;
        return;
    }
    struct str key =
        lam_doc_key(a, t->account, t->region, "%.*s/%.*s", STR_ARG(t->name), STR_ARG(t->qualifier));
    t->is_alias = !lam_is_number(version) && lam_doc_get(r, DOC_ALIAS, key, a, &t->alias);
    if (t->is_alias)
        version = lam_alias_pick(t->alias, a);
    t->f =
        str_eq_c(version, "$LATEST") ? t->latest : lam_function_find_version(r, t->latest, version);
}

bool lam_target_find(struct rie *r, struct str account, struct str region, struct str text,
                     struct str qualifier, struct arena *a, struct lam_target *ret,
                     struct aws_err *err)
{
    struct lam_name n;
    *ret = (struct lam_target){.account = account, .region = region, .name = text};
    if (!lam_name_parse(text, &n)) /* unverified: only callers without a model check come here */
        return true;
    if (n.region.n > 0 && !str_eq(n.region, region))
        return aws_fail(err, a, &LAMBDA_ResourceNotFoundException,
                        "Functions from '%.*s' are not reachable in this region ('%.*s')",
                        STR_ARG(n.region), STR_ARG(region));
    if (n.qualifier.n > 0 && qualifier.n > 0 && !str_eq(n.qualifier, qualifier))
        return aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                        "The derived qualifier from the function name does not match the "
                        "specified qualifier.");
    ret->qualifier = qualifier.n > 0 ? qualifier : n.qualifier;
    ret->name = n.name;
    if (n.account.n > 0)
        ret->account = n.account;
    ret->latest = lam_function_find(r, ret->account, region, n.name);
    if (ret->latest != NULL)
        follow_qualifier(r, a, ret);
    return true;
}

bool lam_target_of_call(struct call *c, struct lam_target *ret)
{
    return lam_target_find(
        c->svc->state, c->account, c->region, jval_text(jval_get(c->in, "FunctionName"), c->arena),
        jval_text(jval_get(c->in, "Qualifier"), c->arena), c->arena, ret, &c->err);
}

struct str lam_target_arn(const struct lam_target *t, struct arena *a)
{
    return arena_fmt(a, "arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(t->region),
                     STR_ARG(t->account), STR_ARG(t->name), t->qualifier.n > 0 ? ":" : "",
                     STR_ARG(t->qualifier));
}

bool lam_target_missing(const struct lam_target *t, struct arena *a, struct aws_err *err)
{
    return aws_fail(err, a, &LAMBDA_ResourceNotFoundException, "Function not found: %.*s",
                    STR_ARG(lam_target_arn(t, a)));
}

struct lam_function *lam_function_resolve(struct rie *r, struct str account, struct str region,
                                          struct str text, struct str qualifier, bool for_invoke,
                                          struct arena *a, struct aws_err *err)
{
    struct lam_target t;
    if (!lam_target_find(r, account, region, text, qualifier, a, &t, err))
        return NULL;
    if (t.f == NULL) {
        if (t.qualifier.n == 0 && for_invoke) /* recorded 2025-11 */
            t.qualifier = STR("$LATEST");
        lam_target_missing(&t, a, err);
    }
    return t.f;
}

struct lam_function *lam_latest_of_call(struct call *c)
{
    struct lam_target t;
    if (!lam_target_find(c->svc->state, c->account, c->region,
                         jval_text(jval_get(c->in, "FunctionName"), c->arena), STR_NONE, c->arena,
                         &t, &c->err))
        return NULL;
    t.qualifier = STR_NONE;
    if (t.latest == NULL)
        lam_target_missing(&t, c->arena, &c->err);
    return t.latest;
}
