/* copy.h - copying the rows of one table's data to another's, in slices, while the source goes on
 * changing: first the rows as they are met, then everything that changed since the wanted moment is
 * put back from the source's history. A job survives a restart; what becomes of the copy (a backup,
 * a restored table) is its owner's, backup.c and op_restore.c. */
#ifndef PUDDLE_COPY_H
#define PUDDLE_COPY_H
#include "store.h"

struct copy_job {
    int64_t id;
    int64_t source, target; /* numbers of ddb_data_... */
    int64_t cut;            /* changes of the source's history from this number on are undone; 0: it
                               does not change (a backup) */
    int64_t cursor;         /* rows up to this id are copied; -1: all */
    int64_t undo;           /* the next change to undo; meaningful when cursor is -1 */
    int64_t backup;         /* the backup that is made, or that is read */
    bool makes_backup;
    int64_t table; /* the table that is restored (its id); 0: none */
};
struct copies {
    struct store *store;
    struct copy_job *jobs;
    size_t count, cap;
};
bool copies_open(struct copies *c, struct store *store, char *reterr, size_t reterr_size);
void copies_release(struct copies *c);
void copies_reload(struct copies *c);
/* NULL: the store failed. Valid until the next job is added or ended. */
struct copy_job *copies_add(struct copies *c, const struct copy_job *job);
/* One slice; *ret_done: the copy is complete. False: the store failed. */
bool copies_slice(struct copies *c, struct copy_job *job, bool *ret_done);
bool copies_end(struct copies *c, struct copy_job *job);
/* Is this table's data being read? */
bool copies_reads(const struct copies *c, int64_t source);
bool copies_uses_backup(const struct copies *c, int64_t backup);
#endif
