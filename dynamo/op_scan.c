/* Scan: all items of a table or index, in the order of their partition keys' hashes, or those of
 * one parallel segment. */
#include "read_request.h"

/* Facts 110 and 111. In September 2026 four regions dropped what follows the second colon here. */
static bool read_segment(struct call *c, const struct read_request *q, int64_t *ret_segment,
                         int64_t *ret_total)
{
    bool has_segment = ddb_has(&q->p, P_SEGMENT), has_total = ddb_has(&q->p, P_TOTAL_SEGMENTS);
    *ret_segment = 0;
    *ret_total = 1;
    if (has_segment != has_total)
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        has_segment
                            ? "The TotalSegments parameter is required but was not present in the "
                              "request when Segment parameter is present"
                            : "The Segment parameter is required but was not present in the "
                              "request when parameter TotalSegments is present");
    if (!has_segment)
        return true;
    jval_i64(q->p.v[P_SEGMENT], ret_segment);
    jval_i64(q->p.v[P_TOTAL_SEGMENTS], ret_total);
    if (*ret_segment < *ret_total)
        return true;
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "The Segment parameter is zero-based and must be less than parameter "
                    "TotalSegments: Segment: %lld is not less than TotalSegments: %lld",
                    (long long)*ret_segment, (long long)*ret_total);
}

enum call_status ddb_scan(struct call *c)
{
    struct read_request *q;
    int64_t segment, total;
    if (!read_request_begin(c, false, &q) || !read_segment(c, q, &segment, &total) ||
        !read_request_parse(c, q) || !read_request_source(c, q) ||
        !ddb_read_segment(&q->r, (uint32_t)segment, (uint32_t)total,
                          q->has_start ? &q->start : NULL, &c->err) ||
        !read_request_check(c, q))
        return CALL_FAILED;
    return read_request_run(c, q);
}
