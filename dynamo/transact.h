/* transact.h - several changes, all or none: the core of TransactWriteItems and ExecuteTransaction.
 * One thread, one tick: a transaction never meets another one half-way, so there is no
 * TransactionConflict. Facts 115-117 of facts/dynamodb.md. */
#ifndef PUDDLE_TRANSACT_H
#define PUDDLE_TRANSACT_H
#include "capacity.h"
#include "change.h"
#include "token.h"

struct capacity_list;
enum { TRANSACT_MAX = 100, TRANSACT_BYTES_MAX = 4 << 20 };
/* TransactionCanceledException with the reasons by position; kind NULL: None. */
enum call_status ddb_transact_cancel(struct call *c, const struct aws_err *reasons, size_t count);
/* The same with one reason: what c->err holds, at position at. Errors of the store stay as they
 * are. */
enum call_status ddb_transact_cancel_at(struct call *c, size_t at, size_t count);
/* No two of the keys are of one item; hk.n 0 is passed over. False: c->err is set. */
bool ddb_transact_distinct(struct call *c, struct table *const *tables, const struct ddb_key *keys,
                           size_t count);
/* Keys of all actions, before anything is evaluated: only the first that does not fit the schema is
 * a reason, but two actions on one item are an error of the request. */
struct ddb_targets {
    size_t count;
    struct table **tables;
    struct ddb_key *keys;
    struct aws_err first; /* failure, at first_at */
    size_t first_at;
};
void ddb_targets_init(struct ddb_targets *t, struct arena *a, size_t count);
/* ok: keys[at] is set; else c->err is taken over. */
void ddb_targets_note(struct ddb_targets *t, struct call *c, size_t at, bool ok);
/* CALL_DONE: go on. */
enum call_status ddb_targets_settle(struct ddb_targets *t, struct call *c);
/* Checks all (the first failure alone is a reason), evaluates all conditions and updates (every
 * failure is a reason), then writes all and remembers token (NULL: none). kind, t, given and so on
 * are set. CALL_DONE: it is done, the reply is still to be written. */
enum call_status ddb_transact_write(struct call *c, struct ddb_change *changes, size_t count,
                                    const struct token *token);
/* What the changes have cost: twice the usual (fact 68). */
void ddb_transact_units(struct call *c, const struct ddb_change *changes, size_t count,
                        struct capacity_list *ret);
/* What reading the items would cost: of a request that is repeated (fact 71). */
enum call_status ddb_transact_units_again(struct call *c, struct ddb_change *changes, size_t count,
                                          struct capacity_list *ret);
/* Has the request (what) been done under this token (text empty: there is none)? Fills its hash.
 * False: c->err is set. */
bool ddb_transact_token(struct call *c, struct token *token, struct jval what, bool *ret_again);
/* "payload" of the request beyond 4 MB. False: c->err is set. */
bool ddb_transact_check_size(struct call *c, size_t bytes);
#endif
