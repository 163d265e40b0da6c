/* ddb.h - the public face of DynamoDB: everything else in this folder is private to it. */
#ifndef PUDDLE_DDB_H
#define PUDDLE_DDB_H
#include "call.h"
#include "db.h"

struct ddb;
/* Migrates the store and loads the catalog. NULL with one line in reterr on failure. */
struct ddb *ddb_new(struct db *db, char *reterr, size_t reterr_size);
void ddb_free(struct ddb *d); /* before db_close */
struct service *ddb_service(struct ddb *d);
struct service *ddb_streams_service(struct ddb *d); /* DynamoDBStreams_20120810 */
size_t ddb_table_count(const struct ddb *d);
/* A slice of background work: taking away the rows of big deleted tables, expired items, old stream
 * records. Once a tick, before the commit. */
void ddb_maintain(struct ddb *d);
/* Read and write units used since the start of the process. */
void ddb_usage(double *ret_reads, double *ret_writes);
/* From now on provisioned tables refuse what is beyond their throughput (start --throttle). */
void ddb_throttle(struct ddb *d);
/* Wall time at which ddb_maintain has work again (0: at once; INT64_MAX: never): for a timer that
 * wakes an idle loop. */
int64_t ddb_due_ms(const struct ddb *d);
/* Deletes every table of every account (puddle reset). */
bool ddb_reset(struct ddb *d);
#endif
