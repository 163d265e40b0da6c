/* function_url.h - the data plane of function URLs: one request to <url-id>.lambda-url.<region>.*
 */
#ifndef PUDDLE_FUNCTION_URL_H
#define PUDDLE_FUNCTION_URL_H
#include "net.h"
#include "rie.h"

/* Replies on x, now or later. authenticate: called for URLs with AuthType AWS_IAM; false refuses.
 */
void function_url_handle(struct rie *r, struct net_exchange *x, struct str url_id,
                         bool (*authenticate)(void *arg, struct net_exchange *x), void *arg);
#endif
