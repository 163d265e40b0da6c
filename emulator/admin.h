/* admin.h - our own endpoints below /_puddle, and the aliases that tools already use. */
#ifndef PUDDLE_ADMIN_H
#define PUDDLE_ADMIN_H
#include "server.h"

bool admin_owns(struct str path);
void admin_handle(struct server *s, struct net_exchange *x);
#endif
