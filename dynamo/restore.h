/* restore.h - what op_backup.c, op_pitr.c, op_restore.c and restore_def.c share. */
#ifndef PUDDLE_RESTORE_H
#define PUDDLE_RESTORE_H
#include "backup.h"
#include "ddb_internal.h"

enum { PITR_DAYS = 35 };
struct pitr_window { /* whole seconds, as AWS has them */
    int64_t earliest_s, latest_s;
};
struct pitr_window pitr_window(const struct table *t, int64_t now_ms);

/* The target's definition: what a restore keeps of the source's, with the call's overrides. indexes
 * are apart: they come when the rows are there. False: c->err is set. */
struct restore_def {
    struct str def;        /* without indexes */
    struct str gsis, lsis; /* JSON lists; empty: none */
};
bool restore_def_make(struct call *c, struct jval source, struct restore_def *ret);

bool ddb_backup_or_fail(struct call *c, struct backup *ret);
struct table *ddb_backup_table_or_fail(struct call *c, struct str given);
struct table *ddb_table_by_id(struct ddb *d, int64_t id);
struct table *ddb_history_on(struct ddb *d, struct table *t, struct arena *a);
bool ddb_history_off(struct ddb *d, struct table *t, struct arena *a);
/* All rows of a restored table are there: now its indexes. False: the store failed. */
bool ddb_restore_copied(struct ddb *d, int64_t table_id, struct arena *a);
/* One restored table whose indexes are full becomes ACTIVE. False: the store failed. */
bool ddb_finish_restores(struct ddb *d);
#endif
