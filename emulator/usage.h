/* usage.h - what the same use would be billed on AWS. */
#ifndef PUDDLE_USAGE_H
#define PUDDLE_USAGE_H
#include "server.h"

/* An object: amounts since the server started, and what they would cost in dollars. */
void usage_write(struct server *s, struct json_out *w);
#endif
