/* Checks that many operations share. */
#include "clock.h"
#include "function.h"

bool lam_check_revision(struct call *c, struct str asked, struct str current)
{
    return asked.n == 0 || str_eq(asked, current) ||
           aws_fail(&c->err, c->arena, &LAMBDA_PreconditionFailedException,
                    "The Revision Id provided does not match the latest Revision Id. Call the "
                    "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

bool lam_check_settled(struct call *c, const struct lam_function *f)
{
    struct rie *r = c->svc->state;
    struct str key = lam_function_key(c->arena, f->account, f->region, f->name);
    return map_get(&r->creating, key) == NULL ||
           aws_fail(&c->err, c->arena, &LAMBDA_ResourceConflictException,
                    "The operation cannot be performed at this time. An update is in progress for "
                    "resource: %.*s",
                    STR_ARG(f->arn));
}

bool lam_check_unqualified(struct call *c)
{
    struct lam_name n = {0};
    lam_name_parse(jval_text(jval_get(c->in, "FunctionName"), c->arena), &n);
    return n.qualifier.n == 0 ||
           aws_fail(&c->err, c->arena, &LAMBDA_InvalidParameterValueException,
                    "This operation is permitted on Lambda functions only. Aliases and versions do "
                    "not support this operation. Please specify either a function name or an "
                    "unqualified function ARN.");
}

/* Recorded without a Type member: refusals of the concurrency limits and of aliases on $LATEST. */
const struct aws_err_kind lam_invalid_untyped = {"InvalidParameterValueException", "", 400, false,
                                                 NULL};

struct str lam_date(struct arena *a)
{
    char iso[25];
    clock_format_iso(clock_now_ms(), iso);
    return arena_fmt(a, "%.23s+0000", iso);
}
