/* reply_v2.h - what a client of an HTTP API or a function URL gets for a function's result (payload
 * format 2.0; facts/lambda.md 4.2, 4.3). Pure. */
#ifndef PUDDLE_REPLY_V2_H
#define PUDDLE_REPLY_V2_H
#include "http.h"

/* The type of an HTTP API's answer whose function names none, in both payload formats (seen on AWS
 * by the tests of its .NET Lambda test tool). */
#define REPLY_HTTP_API_TYPE "text/plain; charset=utf-8"

/* The result as an HTTP response; what it points to is in a or in payload. False: malformed. */
bool reply_map_v2(struct str payload, struct arena *a, struct http_resp *resp);
/* {"message":"..."} of the gateway itself. */
void reply_v2_message(uint16_t status, const char *message, struct arena *a,
                      struct http_resp *resp);
/* Names that may go out: a token, a value without line ends. */
bool reply_header_ok(struct str name, struct str value);
#endif
