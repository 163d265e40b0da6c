/* ddb_internal.h - what the operation files of this folder share. */
#ifndef PUDDLE_DDB_INTERNAL_H
#define PUDDLE_DDB_INTERNAL_H
#include "attr.h"
#include "catalog.h"
#include "copy.h"
#include "ddb.h"
#include "dynamodb_model.h"
#include "key.h"
#include "stream.h"
#include "throttle.h"
#include "token.h"

#define OP(name, handler, writes) call_fn handler;
#include "ops.def"
#include "streams_ops.def"
#undef OP

struct ddb {
    struct service service, streams_service;
    struct db *db;
    struct store store;
    struct catalog catalog;
    struct streams streams;
    struct copies copies;
    struct tokens tokens;
    struct throttle *throttle;             /* NULL: provisioned throughput is not held to */
    int64_t history_due_ms, backup_due_ms; /* when something of them has to go; 0: not known */
    bool maybe_restoring;                  /* a table may have to become ACTIVE */
    bool maybe_filling;                    /* an index may have to be filled in slices */
    uint32_t rollbacks;                    /* commits that failed so far */
    int64_t retry_ms;                      /* background work rests until then */
    int64_t ttl_due_ms;                    /* when an item may expire next; 0: not known (ttl.h) */
    struct buf text;      /* scratch of the running operation (none parks): item texts */
    struct key_hash hash; /* scratch, like text */
    struct read_parked *parked_reads; /* go on in the next tick, in this order */
    struct read_parked *parked_last;
    int64_t reads_until_ms; /* when this tick's time for long reads is over; 0: none ran yet */
};

static inline struct ddb *ddb_of(const struct call *c)
{
    return c->svc->state;
}
/* A failed store or one of our own limits: logged where it happened. */
enum call_status ddb_internal_error(struct call *c);
/* The scratch buffer, empty. */
struct buf *ddb_text(struct call *c);

/* A change of tables, around which an operation puts: begin; then db_savepoint_release, or failed,
 * which takes it back, in memory as well: every struct table of before is gone. */
bool ddb_change_begin(struct call *c);
enum call_status ddb_change_failed(struct call *c);
/* Changes t's definition. t is gone after success; NULL: the store failed. */
struct table *ddb_table_edit(struct ddb *d, struct table *t, const struct table_edit *edits,
                             size_t count, struct arena *a);
/* The whole of an operation that changes nothing but t's definition. t is gone after success;
 * false: c->err is set. */
bool ddb_define(struct call *c, struct table *t, const struct table_edit *edits, size_t count);
/* Background work has to look again at what is due: tables were changed or loaded. */
void ddb_wake(struct ddb *d);
/* index_count for all indexes of t; what is left of it is done in the background. */
void ddb_count_indexes(struct ddb *d, struct table *t);
/* New indexes of a table that is not big are filled at once. False: the store failed. */
bool ddb_fill_small_indexes(struct ddb *d, struct table *t);
/* What a deleted table with point-in-time recovery leaves; takes over its data. */
bool ddb_system_backup(struct ddb *d, const struct table *t, int64_t now_ms, struct arena *a);
/* Ends a job; what a deleted table left for it goes too. False: the store failed. */
bool ddb_copy_end(struct ddb *d, struct copy_job *job);
/* Background work failed: a failing disk must not keep the loop busy. */
void ddb_retry_later(struct ddb *d, int64_t now_ms);
/* A slice of copying, trimming and expiring. */
void ddb_maintain_backups(struct ddb *d, int64_t now_ms);
/* What is known of tables and streams, from the store again. */
void ddb_reload(struct ddb *d);
/* Gives t a new stream of spec's view type. t is gone after success; NULL: the store failed. */
struct table *ddb_stream_on(struct call *c, struct table *t, struct jval spec);

/* Item operations and table operations word the same failure differently (fact 118). A table that
 * is being restored is there for DDB_FOR_DESCRIBE only. */
enum ddb_lookup { DDB_FOR_ITEM, DDB_FOR_TABLE, DDB_FOR_ARN, DDB_FOR_DESCRIBE };
/* The table that TableName, a name or an ARN, means. NULL: c->err is set. */
struct table *ddb_table_or_fail(struct call *c, struct str given, enum ddb_lookup what);

/* The table that a ResourceArn means. NULL: c->err is set. */
struct table *ddb_table_of_arn_or_fail(struct call *c, struct str arn);

/* The bytes of an item's primary key, checked against the schema; in the call's arena. */
struct ddb_key {
    struct store_key bytes;
};
/* From an item to be written. False: c->err is set. */
bool ddb_key_of_item(struct call *c, const struct table *t, const struct item *item,
                     struct ddb_key *ret);
/* From a Key parameter: exactly the key's attributes. False: c->err is set. */
bool ddb_key_of_key(struct call *c, const struct table *t, const struct item *key,
                    struct ddb_key *ret);
/* The key attributes are in the item with the right types; the words are those of ddb_key_of_key.
 */
bool ddb_check_key_types(struct call *c, const struct table *t, const struct item *item);
/* Attributes that are keys of indexes have the right type, if they are there. */
bool ddb_check_index_keys(struct call *c, const struct table *t, const struct item *item);
/* The same for what an update made of old (NULL: there was none): only what it changed counts.
 * *ret_empty: the failure is an empty value, which is worded differently. */
bool ddb_check_index_updates(struct call *c, const struct table *t, const struct item *old,
                             const struct item *now, bool *ret_empty);
/* Only whether a primary or index key is an empty string or binary: transactions refuse that before
 * the rest (facts 61, 117). */
bool ddb_check_empty_keys(struct call *c, const struct table *t, const struct item *item);
#endif
