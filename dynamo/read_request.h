/* read_request.h - what Query and Scan have in common: their parameters, the rules between them,
 * and the run of the read into the reply, in slices when it takes long (PartiQL's SELECT, too). */
#ifndef PUDDLE_READ_REQUEST_H
#define PUDDLE_READ_REQUEST_H
#include "params.h"
#include "read.h"

struct read_parked { /* a read of one operation, and how it goes on in a later tick */
    int64_t table_id;
    struct str account, region, name, index_name; /* of what is read; index_name empty: the table */
    bool consistent;
    uint32_t rollbacks; /* struct ddb's when it paused */
    struct call *call;
    struct read_parked *next;
};
/* Remembers what r reads, for read_find_again. */
void read_parked_set(struct read_parked *p, struct call *c, const struct table *t,
                     struct str index_name, bool consistent);
/* What a read of this call has of a tick: pause_ms of struct ddb_read. */
int64_t read_pause_ms(const struct call *c);
/* After READ_PAUSED. */
enum call_status read_park(struct call *c, struct read_parked *p,
                           enum call_status (*resume)(struct call *c, enum wait_end how));
/* Table and index of a read that goes on: they may have gone, or have been defined anew; or what it
 * has read was taken back by a failed commit. False: c->err is set. */
bool read_find_again(struct call *c, const struct read_parked *p, struct ddb_read *r);

enum read_select { SELECT_DEFAULT, SELECT_ALL, SELECT_PROJECTED, SELECT_SPECIFIC, SELECT_COUNT };
struct read_request {
    struct ddb_read r;
    struct ddb_params p;
    bool query; /* else a Scan */
    enum attr_wording wording;
    enum read_select select;
    bool consistent, has_start;
    struct str index_name;
    struct item start; /* ExclusiveStartKey */
    struct expr_key_cond keys;
    struct expr_cond *filter;
    struct expr_projection *projection;
    struct buf *projected; /* one item */
    struct read_parked parked;
};
/* The checks before the table is looked up, in two steps; Scan's segments come between them. False:
 * c->err is set. */
bool read_request_begin(struct call *c, bool query, struct read_request **ret);
bool read_request_parse(struct call *c, struct read_request *q);
/* Finds the table, or the index that is read. False: c->err is set. */
bool read_request_source(struct call *c, struct read_request *q);
/* The range is set: what filter and projection may touch, and what the index has. False: c->err is
 * set. */
bool read_request_check(struct call *c, struct read_request *q);
/* Reads and replies. */
enum call_status read_request_run(struct call *c, struct read_request *q);
/* Those that paused go on, once the loop has looked at its other work: call once a tick. */
void read_requests_resume(struct ddb *d);
#endif
