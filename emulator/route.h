/* route.h - the front door: which part of the program a request is for. */
#ifndef PUDDLE_ROUTE_H
#define PUDDLE_ROUTE_H
#include "server.h"

/* net_handler; listener_arg is the struct server. */
void route_request(struct net_exchange *x);
#endif
