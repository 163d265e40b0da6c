/* cwl.h - CloudWatch Logs: groups, streams and events in the store, and the lines that functions
 * write. */
#ifndef PUDDLE_CWL_H
#define PUDDLE_CWL_H
#include "call.h"
#include "db.h"
#include "loop.h"

struct cwl;
/* loop may be NULL (tests): then lines are stored by cwl_flush only. NULL with a line in reterr. */
struct cwl *cwl_new(struct loop *loop, struct db *db, char *reterr, size_t reterr_size);
void cwl_free(struct cwl *s); /* stores what is still in memory first */
struct service *cwl_service(struct cwl *s);
bool cwl_reset(struct cwl *s);

struct cwl_line {
    struct str account, region, group, stream;
    int64_t time_ms;
    struct str text, end; /* the message is both: lines of functions end in a newline */
};
/* A line for a stream, which is made if it is not there, and its group too. It is kept in memory
 * and stored with others a quarter of a second later, or before anybody reads. */
void cwl_emit(struct cwl *s, const struct cwl_line *line);
void cwl_flush(struct cwl *s);

/* Bytes taken in since the start, as AWS counts them. */
int64_t cwl_ingested(const struct cwl *s);
/* Lines of a group in the order in which they came in, as JSON array text
 * [{"timestamp":ms,"stream":..,"message":..}] of at most limit lines that came after number
 * `after`; *ret_last is the number of the last one given. STR_NONE: there is no such group. */
struct str cwl_tail(struct cwl *s, struct str account, struct str region, struct str group,
                    int64_t after, size_t limit, struct arena *a, int64_t *ret_last);
#endif
