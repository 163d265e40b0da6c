/* stream.h - stream records. Written in the commit that changes the item. */
#ifndef PUDDLE_STREAM_H
#define PUDDLE_STREAM_H
#include "write.h"

/* Does t have an enabled stream (then the old item is needed)? */
bool stream_enabled(const struct table *t);
/* One record for what w did; nothing when the stream is off or the item did not change. now_ms:
 * wall time. False: the store failed (logged). */
bool stream_append(struct ddb *d, const struct ddb_write *w, int64_t now_ms);
#endif
