/* head.h - the raw head of an HTTP/1 request, read once more (private to net). h2o hides Host,
 * Content-Length and Transfer-Encoding from handlers and takes framing that can be read in two
 * ways; what another reader could understand differently is refused here. */
#ifndef PUDDLE_HEAD_H
#define PUDDLE_HEAD_H
#include "str.h"

struct head_facts {
    size_t line_bytes, field_bytes; /* request line; header block with its line ends */
    unsigned lengths, codings, hosts;
    struct str length, host; /* the values; views of raw */
    const char *wrong;       /* NULL, or what is wrong with the header block */
};
/* raw starts at the request line (or the empty lines before it) and may go on into the body. */
void head_scan(struct str raw, struct head_facts *ret);
/* NULL, or why the request must be refused. max_bytes: of the request line and of the header block,
 * each; 0: no limit. target: after head_reduce_target. */
const char *head_refusal(const struct head_facts *f, struct str method, struct str target,
                         bool is_http10, size_t max_bytes);
/* "http://host/path" (absolute form): sets *ret_host and *ret_path, which is empty or starts with
 * '?' when the target has no path. False for every other form. */
bool head_absolute_target(struct str target, struct str *ret_host, struct str *ret_path);
/* True for a header name (RFC 9110 token). */
bool head_is_token(struct str s);
#endif
