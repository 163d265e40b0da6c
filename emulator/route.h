/* route.h - the front door: which part of the program a request is for. */
#ifndef PUDDLE_ROUTE_H
#define PUDDLE_ROUTE_H
#include "server.h"

/* net_handler; listener_arg is the struct server. */
void route_request(struct net_exchange *x);
/* What a page needs to read the answer (facts/dynamodb.md 20). Only for requests that the guard let
 * in: nothing is added when there is no Origin. */
void route_add_cors(const struct net_exchange *x, struct http_resp *resp);
#endif
