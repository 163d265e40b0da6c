/* async.h - asynchronous invocations (InvocationType Event): a queue in the store, retries, age,
 * destinations (private to lambda_rie). An event is in the store from its 202 until it succeeded or
 * was given up, so a server that is killed runs it again: at least once, as on AWS. */
#ifndef PUDDLE_ASYNC_H
#define PUDDLE_ASYNC_H
#include "env.h"

struct async_event { /* one that runs; in its invocation's arena */
    int64_t id, created_ms, attempts;
    struct str account, region, name, qualifier;
};
bool async_open(struct rie *r, char *reterr, size_t reterr_size);
void async_close(struct rie *r);
/* Writes the event into the tick's transaction; it runs after that is committed. False: the store
 * cannot be written. */
bool async_enqueue(struct rie *r, const struct lam_function *f, const struct rie_request *req,
                   struct str qualifier);
/* An invocation has ended: there may be room for waiting events. */
void async_kick(struct rie *r);
/* The outcomes of an event's invocation; both free it. */
void async_finished(struct invocation *inv, struct str payload, bool failed);
void async_refused(struct invocation *inv); /* throttled or no environment: tried again later */
size_t async_waiting(struct rie *r);

/* invoke.c */
struct invocation *invocation_new(struct rie *r, const struct rie_request *req,
                                  const struct lam_function *f, struct str qualifier);
void invocation_start(struct invocation *inv);
struct str invocation_qualifier(const struct rie_request *req);
struct str invocation_trace(struct arena *a, struct str given);
#endif
