/* A native handler for scripts/bench: the same proxy result for every event. */
#include "puddle/handler.h"

int lambda_handler(const struct lambda_host *host, const struct lambda_context *context,
                   const char *event, size_t event_size, struct lambda_reply *reply)
{
    static const char text[] =
        "{\"statusCode\":200,\"headers\":{\"Content-Type\":\"application/json\"},"
        "\"body\":\"{\\\"ok\\\":true}\"}";
    (void)context, (void)event, (void)event_size;
    return host->write(reply, text, sizeof text - 1);
}
