/* What a request may call a function: a name, with or without a qualifier, or a partial or full
 * ARN. */
#include "function.h"

static bool is_account(struct str s)
{
    if (s.n != 12)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return true;
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

struct lam_function *lam_function_resolve(struct rie *r, struct str account, struct str region,
                                          struct str text, struct str qualifier, bool for_invoke,
                                          struct arena *a, struct aws_err *err)
{
    struct lam_name n;
    if (!lam_name_parse(text, &n)) {
        aws_fail(err, a, &LAMBDA_ResourceNotFoundException, "Function not found: %.*s",
                 STR_ARG(text)); /* unverified: only callers without a model check come here */
        return NULL;
    }
    if (n.region.n > 0 && !str_eq(n.region, region)) {
        aws_fail(err, a, &LAMBDA_ResourceNotFoundException,
                 "Functions from '%.*s' are not reachable in this region ('%.*s')",
                 STR_ARG(n.region), STR_ARG(region));
        return NULL;
    }
    if (n.qualifier.n > 0 && qualifier.n > 0 && !str_eq(n.qualifier, qualifier)) {
        aws_fail(err, a, &LAMBDA_InvalidParameterValueException,
                 "The derived qualifier from the function name does not match the specified "
                 "qualifier.");
        return NULL;
    }
    if (qualifier.n == 0)
        qualifier = n.qualifier;
    if (n.account.n > 0)
        account = n.account;
    struct lam_function *f = lam_function_find(r, account, region, n.name);
    if (f != NULL && (qualifier.n == 0 || str_eq_c(qualifier, "$LATEST")))
        return f;
    struct str shown = qualifier.n > 0 ? qualifier : for_invoke ? STR("$LATEST") : STR_NONE;
    aws_fail(err, a, &LAMBDA_ResourceNotFoundException,
             "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s", STR_ARG(region),
             STR_ARG(account), STR_ARG(n.name), shown.n > 0 ? ":" : "", STR_ARG(shown));
    return NULL;
}

struct lam_function *lam_function_of_call(struct call *c)
{
    return lam_function_resolve(
        c->svc->state, c->account, c->region, jval_text(jval_get(c->in, "FunctionName"), c->arena),
        jval_text(jval_get(c->in, "Qualifier"), c->arena), false, c->arena, &c->err);
}
