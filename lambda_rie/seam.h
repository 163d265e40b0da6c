/* seam.h - where the management operations and the execution environments of lambda_rie meet
 * (private to lambda_rie). First what the running side asks of the records, then what the
 * management side tells the pools. */
#ifndef PUDDLE_SEAM_H
#define PUDDLE_SEAM_H
#include "function.h"

/* ---- asked by the running side; seam.c answers with the defaults of a function that has no such
 * record until the operations that keep it are there ---- */

/* The unpacked folders of f's layers, in the order of its list (a later one wins), in a. */
size_t lam_layer_dirs(struct rie *r, const struct lam_function *f, struct arena *a,
                      struct str **ret_dirs);

struct lam_async_settings { /* PutFunctionEventInvokeConfig and DeadLetterConfig                 */
    int64_t max_retries;    /* 0..2                                                              */
    int64_t max_age_s;      /* 60..21600                                                         */
    struct str on_success, on_failure, dead_letter; /* target ARNs; empty: none                  */
};
/* qualifier: what the invoker named ("": $LATEST). Strings live in a. */
void lam_async_settings(struct rie *r, const struct lam_function *f, struct str qualifier,
                        struct arena *a, struct lam_async_settings *ret);

/* False: no function has this URL. Strings live in a. */
bool lam_url_find(struct rie *r, struct str url_id, struct arena *a, struct lam_url *ret);

/* ---- told by the management side ---- */

/* Reserved concurrency of a function (all its versions together); -1: none. Also at load. */
void lam_pool_set_reserved(struct rie *r, struct str account, struct str region, struct str name,
                           int64_t reserved);
/* Keeps n environments of this record's version initialised; 0: none. Also at load. */
void lam_pool_set_provisioned(struct rie *r, struct lam_function *f, size_t n);
/* How many of them are ready. failed: the last one that was started for it died in INIT. */
size_t lam_pool_provisioned_ready(const struct lam_pool *p, bool *ret_failed);
/* Invocations running now, all versions together. */
size_t lam_pool_running(struct rie *r, struct str account, struct str region, struct str name);
#endif
