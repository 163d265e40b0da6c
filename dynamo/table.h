/* table.h - a table's definition as structs. Parsed once from the stored JSON; read by every
 * operation. */
#ifndef PUDDLE_TABLE_H
#define PUDDLE_TABLE_H
#include "json.h"
#include "store_index.h"

enum { TABLE_KEY_PARTS_MAX = 8, TABLE_GSI_MAX = 20, TABLE_LSI_MAX = 5 };

struct key_part {
    struct str name;
    char type; /* 'S', 'N', 'B' */
};
struct key_schema { /* partition key parts first; one of each but in GSIs, which may have 4 + 4 */
    struct key_part part[TABLE_KEY_PARTS_MAX];
    uint8_t hash_count, range_count;
};
static inline size_t key_parts(const struct key_schema *key)
{
    return (size_t)key->hash_count + key->range_count;
}
bool key_has(const struct key_schema *key, struct str name);
enum projection { PROJECT_ALL, PROJECT_KEYS_ONLY, PROJECT_INCLUDE };
struct index {
    struct str name;
    bool global;
    struct key_schema key;
    enum projection projection;
    struct str *non_key; /* of PROJECT_INCLUDE */
    size_t non_key_count;
    struct jval def;            /* its member of GlobalSecondaryIndexes / LocalSecondaryIndexes */
    struct store_index entries; /* set by index_attach, as all below */
    bool filling;               /* made while the table had rows: filled_to says how far it is */
    int64_t filled_to;
    bool counted;        /* items and bytes are right and kept so */
    bool counting;       /* they are right for the entries up to count_to */
    struct buf count_to; /* a key; released by index_detach */
    int64_t items, bytes;
};
struct table {
    int64_t id; /* names its SQLite table; never used twice */
    struct str account, region, name, arn;
    struct jval def; /* the stored definition: CreateTable's input and what was fixed then */
    struct key_schema key;
    struct index *indexes; /* global ones first */
    size_t index_count, global_count;
    bool on_demand, deletion_protected;
    int64_t stream_id;   /* of the enabled stream; 0: none */
    struct str ttl_attr; /* empty: TTL is off */
    bool ttl_filling;    /* its index does not have the rows after ttl_cursor yet */
    int64_t ttl_cursor, ttl_due_ms;
    bool history; /* history.h */
    int64_t history_due_ms;
    int64_t pitr_since_ms, pitr_days; /* point-in-time recovery; 0: off */
    bool restoring;                   /* not ready for anything yet (restore.h) */
    int64_t items, bytes;             /* live */
    bool counts_moved;                /* the stored counts are marked as not to be trusted */
    struct store_stmts stmts;
    struct arena *arena; /* owns all of this */
};

/* Fills key, indexes and flags from t->def (already checked by table_def_check). False: the
 * definition is not one (damaged file). */
bool table_parse(struct table *t);
/* CreateTable's semantic checks in AWS's order; in has passed the model. */
bool table_def_check(struct jval in, struct arena *a, struct aws_err *err);
/* UpdateTable's: the index of that name in a new definition. defs_given: the request has
 * AttributeDefinitions. */
bool table_def_check_added(struct jval def, struct str index, bool defs_given, struct arena *a,
                           struct aws_err *err);
/* Does a KeySchema, or one of the keys of a list of indexes, use the attribute? */
bool table_keys_use(struct jval keys, struct str name, struct arena *a);
bool table_indexes_use(struct jval indexes, struct str name, struct arena *a);
/* SSESpecification of CreateTable, UpdateTable and the restores. */
bool table_encryption_check(struct jval in, struct arena *a, struct aws_err *err);
bool table_class_check(struct jval in, struct arena *a, struct aws_err *err);
bool table_encrypted(struct jval spec, struct arena *a);
struct table_attr { /* of AttributeDefinitions */
    struct str name, type;
};
/* Sorts attrs by name, as AWS lists them. */
struct str table_attrs_json(struct table_attr *attrs, size_t count, struct arena *a);
struct table_stamp { /* what CreateTable adds to its input */
    const char *table_id;
    int64_t created_ms;
    struct str policy; /* as resource_policy_stored makes it; empty: none */
};
/* The definition to store, in the arena. */
struct str table_def_text(struct jval in, const struct table_stamp *stamp, struct arena *a);
/* A definition with some members replaced, added, or taken away (json empty). */
struct table_edit {
    const char *name;
    struct str json;
};
struct str table_def_edit(struct jval def, const struct table_edit *edits, size_t count,
                          struct arena *a);
/* The warm throughput of a table or global index definition, read and write: what it was given or
 * has grown to. */
void table_warm(bool on_demand, struct jval def, int64_t ret[2]);
/* A number of a definition. */
int64_t table_number(struct jval object, const char *name, int64_t otherwise);
/* A time in seconds; nothing if it is 0. */
void table_write_time(struct json_out *out, const char *key, int64_t ms);
/* SSEDescription, if the table has a key of its own. */
void table_describe_encryption(const struct table *t, struct arena *a, struct json_out *out);
/* What a description says beyond the definition. */
struct table_state {
    const char *status;       /* TableStatus */
    struct str index;         /* the global index that is in another state; empty: none */
    const char *index_status; /* "CREATING", "UPDATING", "DELETING" */
};
void table_describe_as(const struct table *t, const struct table_state *state, struct arena *a,
                       struct json_out *out, const char *key);
/* TableDescription as member key of out. status: "CREATING", "ACTIVE", "DELETING". */
void table_describe(const struct table *t, const char *status, struct arena *a,
                    struct json_out *out, const char *key);
#endif
