/* transact.h - several changes, all or none. */
#ifndef PUDDLE_TRANSACT_H
#define PUDDLE_TRANSACT_H
#include "change.h"

/* TransactionCanceledException with the reasons by position; kind NULL: None. */
enum call_status ddb_transact_cancel(struct call *c, const struct aws_err *reasons, size_t count);
/* Two actions on one item: ValidationException. keys without a value (hk.n 0) are passed over. */
bool ddb_transact_distinct(struct call *c, struct table *const *tables,
                           const struct ddb_key *const *keys, size_t count);
/* Checks all, then evaluates all conditions and updates, then writes all, or cancels. Tables are
 * set. CALL_DONE: done, the reply is the caller's. */
enum call_status ddb_transact_write(struct call *c, struct ddb_change *changes, size_t count);
#endif
