/* change.h - one item put, updated, deleted or only checked: the core that PutItem, UpdateItem,
 * DeleteItem, batches, transactions and PartiQL share. A caller fills the first part, then calls
 * check, prepare and apply in this order; each false leaves the error in c->err. Several changes
 * may be prepared before the first is applied, if no two are of one item. */
#ifndef PUDDLE_CHANGE_H
#define PUDDLE_CHANGE_H
#include "expr.h"
#include "write.h"

enum ddb_change_kind { CHANGE_PUT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_CHECK };
struct ddb_change {
    enum ddb_change_kind kind;
    struct table *t;
    struct item given;                /* the Item of a put, else the Key */
    const struct expr_cond *cond;     /* NULL: none */
    const struct expr_update *update; /* of an update; NULL: nothing but the key */
    bool item_on_failure;             /* a failed condition's error shows the present item */
    bool is_insert;                   /* a failed condition says that the item exists already */
    bool want_old;                    /* w.old_text is needed afterwards */
    bool want_units;                  /* w.index_units are */
    /* filled by ddb_change_check */
    struct ddb_key key;
    /* filled by ddb_change_prepare; w also by ddb_change_apply */
    struct item after;
    struct ddb_write w; /* w.now: the item afterwards, NULL: there is none */
    bool whole_request; /* its error is one of the whole request even in a transaction */
};
/* What the schema alone decides: primary and index keys, key attributes in an update. */
bool ddb_change_check(struct call *c, struct ddb_change *x);
/* Reads the present item, evaluates the condition (ConditionalCheckFailedException) and the update.
 * Nothing is written, but the tick's transaction is open. */
bool ddb_change_prepare(struct call *c, struct ddb_change *x);
/* Writes; a CHANGE_CHECK does nothing. False: internal error. */
bool ddb_change_apply(struct call *c, struct ddb_change *x);
/* The units of the table itself. */
double ddb_change_units(const struct ddb_change *x);

/* item_read with text that stays for the whole call: batches and transactions hold several. */
bool ddb_item_keep(struct call *c, struct jval v, enum attr_wording wording, struct item *ret);
#define DDB_PUT_TOO_BIG    "Item size has exceeded the maximum allowed size"
#define DDB_UPDATE_TOO_BIG "Item size to update has exceeded the maximum allowed size"
/* One of the ItemCollectionMetrics as member key (NULL: in an array): t has a local index. */
void ddb_collection_metrics(struct call *c, const char *key, const struct table *t,
                            const struct item *key_holder);
/* ItemCollectionMetrics of several changes: by table, one entry an item collection. */
void ddb_collection_metrics_list(struct call *c, const struct ddb_change *changes, size_t count);
#endif
