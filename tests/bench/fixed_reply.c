/* A server that answers every request with the same 60 bytes: what the loop and the HTTP library
 * cost by themselves, for scripts/bench. Prints its port. */
#include "net.h"
#include <stdio.h>

static void answer(struct net_exchange *x)
{
    static struct http_header headers[] = {{STR("Content-Type"), STR("application/json")}};
    static const struct http_resp resp = {
        .status = 200,
        .headers = headers,
        .header_count = 1,
        .body = STR("{\"message\":\"a fixed reply of sixty bytes for the benchmark.\"}")};
    net_reply(x, &resp);
}

int main(void)
{
    int error = 0;
    struct loop *l = loop_new();
    struct net_opts opts = {
        .max_body_bytes = 1 << 20, .read_timeout_ms = 60000, .max_head_bytes = 16 * 1024};
    struct net *n = net_new(l, &opts);
    struct net_listener *nl = net_listen(n, "127.0.0.1", 0, answer, NULL, &error);
    if (nl == NULL)
        return 1;
    printf("%u\n", net_listener_port(nl));
    fflush(stdout);
    return loop_run(l);
}
