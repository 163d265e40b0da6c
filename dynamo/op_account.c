/* DescribeLimits, DescribeEndpoints. */
#include "ddb_internal.h"

/* A new account's quotas. */
enum call_status ddb_describe_limits(struct call *c)
{
    json_obj(&c->out, NULL);
    json_i64(&c->out, "AccountMaxReadCapacityUnits", 80000);
    json_i64(&c->out, "AccountMaxWriteCapacityUnits", 80000);
    json_i64(&c->out, "TableMaxReadCapacityUnits", 40000);
    json_i64(&c->out, "TableMaxWriteCapacityUnits", 40000);
    json_end(&c->out);
    return CALL_DONE;
}

/* The address under which we were asked is one that answers (fact 25). */
enum call_status ddb_describe_endpoints(struct call *c)
{
    struct str address = c->http != NULL ? c->http->host : STR_NONE;
    if (address.n == 0)
        address = arena_fmt(c->arena, "dynamodb.%.*s.amazonaws.com", STR_ARG(c->region));
    json_obj(&c->out, NULL);
    json_arr(&c->out, "Endpoints");
    json_obj(&c->out, NULL);
    json_str(&c->out, "Address", address);
    json_i64(&c->out, "CachePeriodInMinutes", 1440);
    json_end(&c->out);
    json_end(&c->out);
    json_end(&c->out);
    return CALL_DONE;
}
