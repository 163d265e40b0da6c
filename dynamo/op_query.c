/* Query: the items of one partition key of a table or index. */
#include "read_request.h"

/* More conditions than a key can have parts; with an index named it may have several. */
static bool check_count(struct call *c, const struct read_request *q)
{
    size_t most = q->index_name.n > 0 ? TABLE_KEY_PARTS_MAX : 2;
    return (q->keys.count > 0 && q->keys.count <= most) ||
           aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "Conditions can be of length 1 or 2 only");
}

enum call_status ddb_query(struct call *c)
{
    struct read_request *q;
    bool forward = true;
    if (!read_request_begin(c, true, &q) || !read_request_parse(c, q) || !check_count(c, q) ||
        !read_request_source(c, q))
        return CALL_FAILED;
    jval_bool(q->p.v[P_FORWARD], &forward);
    q->r.backward = !forward;
    if (!ddb_read_partition(&q->r, &q->keys, q->has_start ? &q->start : NULL, &c->err) ||
        !read_request_check(c, q))
        return CALL_FAILED;
    return read_request_run(c, q);
}
