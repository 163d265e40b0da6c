/* Query: the items of one partition key of a table or index. */
#include "read_request.h"

enum call_status ddb_query(struct call *c)
{
    struct read_request *q;
    bool forward = true;
    if (!read_request_begin(c, true, &q) || !read_request_parse(c, q) || !read_request_source(c, q))
        return CALL_FAILED;
    jval_bool(q->p.v[P_FORWARD], &forward);
    q->r.backward = !forward;
    if (!ddb_read_partition(&q->r, &q->keys, q->has_start ? &q->start : NULL, &c->err) ||
        !read_request_check(c, q))
        return CALL_FAILED;
    return read_request_run(c, q);
}
