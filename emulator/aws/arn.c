#include "arn.h"

bool arn_parse(struct str text, struct arn *ret)
{
    struct str rest = text;
    if (!str_eq_c(str_cut(&rest, ':'), "arn") || rest.p == NULL)
        return false;
    struct arn arn;
    struct str service;
    arn.partition = str_cut(&rest, ':');
    service = str_cut(&rest, ':');
    arn.service = service;
    arn.region = rest.p == NULL ? STR_NONE : str_cut(&rest, ':');
    arn.account = rest.p == NULL ? STR_NONE : str_cut(&rest, ':');
    arn.resource = rest;
    if (rest.p == NULL || rest.n == 0)
        return false;
    *ret = arn;
    return true;
}

struct str arn_format(struct arena *a, const char *service, struct str region, struct str account,
                      struct str resource)
{
    return arena_fmt(a, "arn:aws:%s:%.*s:%.*s:%.*s", service, STR_ARG(region), STR_ARG(account),
                     STR_ARG(resource));
}
