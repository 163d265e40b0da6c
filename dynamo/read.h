/* read.h - reading many rows of a table or an index in key order: the core of Query, Scan and
 * PartiQL's SELECT. Pages, filters, start keys and what is counted are done here; parameters,
 * projection and the reply are the operation's. Facts 64, 66, 70, 106-111 of facts/dynamodb.md.
 *
 * Order of use: zero the struct, set the caller's members, ddb_read_partition or ddb_read_segment,
 * perhaps ddb_read_after, then ddb_read_next until it is not READ_ROW, ddb_read_stop. */
#ifndef PUDDLE_READ_H
#define PUDDLE_READ_H
#include "capacity.h"
#include "ddb_internal.h"
#include "expr.h"

enum { READ_PAGE_BYTES = 1 << 20 };
enum read_result {
    READ_ROW,
    READ_END,    /* everything has been read: no LastEvaluatedKey */
    READ_PAGE,   /* the page is full (limit, 1 MB): ddb_read_last_key says where it ended */
    READ_PAUSED, /* this tick's time is over: call again in a later one (the table may be gone) */
    READ_FAILED, /* the store failed (logged) */
};
struct ddb_read {
    /* the caller's */
    struct table *t;
    struct index *x; /* NULL: the table itself */
    struct arena *arena;
    const struct expr_cond *filter; /* NULL: none */
    int64_t limit;                  /* rows looked at; 0: only the page's bytes limit it */
    bool backward;
    bool whole;        /* items of an index complete from the table, not as projected */
    int64_t pause_ms;  /* time that the reads of one tick have together; 0: never pauses */
    size_t page_bytes; /* what the page has from reads before this one */
    /* rows with from <= key < to; of an index hk is its whole key and sk is empty */
    struct store_key from, to;
    /* what was read so far */
    int64_t scanned, matched; /* before and after the filter */
    size_t bytes;             /* of the rows looked at, as the table or index has them */
    size_t fetched_bytes;     /* of those fetched from the table for whole */
    /* private */
    bool is_scan;
    struct read_state *state;
};
/* The table or index that IndexName (empty: none) means, of the call's table. Fails for an index
 * that there is not, that is being filled, and for a consistent read of a global one. */
bool ddb_read_source(struct ddb_read *r, struct str index_name, bool consistent,
                     struct aws_err *err);
/* The rows that a key condition of Query means, only those after start (NULL: all of them) in the
 * direction of the read. Checks condition and start key against the key of table or index, in AWS's
 * order. False: *err set. */
bool ddb_read_partition(struct ddb_read *r, const struct expr_key_cond *cond,
                        const struct item *start, struct aws_err *err);
/* All rows of one parallel segment (0 of 1: all there are), only those after start. False: start is
 * not a key of this table or index, or of another segment; *err set. */
bool ddb_read_segment(struct ddb_read *r, uint32_t segment, uint32_t total,
                      const struct item *start, struct aws_err *err);
/* Only what comes after key (one that the read gave, or an item), in the direction of the read. */
void ddb_read_after(struct ddb_read *r, const struct item *key);
/* The next row that passes the filter; the text is valid until the next call. */
enum read_result ddb_read_next(struct ddb *d, struct ddb_read *r, struct str *ret_item);
void ddb_read_stop(struct ddb_read *r); /* fine at any time, more than once */
/* The key of the last row looked at, as canonical text: LastEvaluatedKey. After READ_PAGE only. */
struct str ddb_read_last_key(const struct ddb_read *r);
/* What the read is billed: of the table, and of the index in units->indexes (in the arena). */
void ddb_read_units(const struct ddb_read *r, bool consistent, struct capacity *units);
#endif
