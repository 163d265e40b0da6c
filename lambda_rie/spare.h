/* spare.h - runtimes started ahead (private to lambda_rie). A generic Node.js or Python process
 * waits in a finished environment that only lacks its function; a cold start then costs the loading
 * of the function's modules. What a program reads from its environment as it starts (NODE_OPTIONS,
 * TZ, LD_*) cannot be given later: a spare fits only where these are the same. */
#ifndef PUDDLE_SPARE_H
#define PUDDLE_SPARE_H
#include "env.h"

void spare_open(struct rie *r);
void spare_close(struct rie *r); /* kills them */
/* Something changed: there should be a spare of each runtime in use, soon. */
void spare_want(struct rie *r);
/* True: *ret is a process that has become the one that spec describes. */
bool spare_take(struct rie *r, const struct lam_pool *p, const struct process_spec *spec,
                struct process *ret);
#endif
