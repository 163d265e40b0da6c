/* table_update_internal.h - shared by table_update.c and table_update_gsi.c only. */
#ifndef PUDDLE_TABLE_UPDATE_INTERNAL_H
#define PUDDLE_TABLE_UPDATE_INTERNAL_H
#include "table_update.h"

#define UPD_INVALID      "One or more parameter values were invalid: "
#define UPD_FAIL(u, ...) aws_fail((u)->err, (u)->a, &AWS_ValidationException, __VA_ARGS__)

struct upd { /* one UpdateTable on its way */
    struct arena *a;
    struct aws_err *err;
    struct jval in;
    const struct table *t;
    int64_t now_ms;
    struct table_update *ret;
    bool on_demand, switches; /* how it is billed afterwards, and whether that is new */
    struct str created;       /* the index that is added */
    struct table_edit edits[16];
    size_t edit_count;
};
struct upd_counts {
    size_t created, updated, deleted;
};

struct str upd_text(struct upd *u, struct jval v, const char *name);
void upd_edit(struct upd *u, const char *name, struct str json);
/* ProvisionedThroughput: in range; not what it is already; how it is stored. */
bool upd_check_units(struct upd *u, struct jval units, struct str index);
bool upd_units_same(struct upd *u, struct jval old, struct jval now, const char *what,
                    struct str index);
struct str upd_units_json(struct upd *u, struct jval old, struct jval now);
/* OnDemandThroughput after a change; *ret empty: no limits. */
bool upd_on_demand_json(struct upd *u, struct jval old, struct jval now, struct str index,
                        struct str *ret);
/* WarmThroughput as it is, and after a change. */
struct str upd_warm_json(struct upd *u, struct jval def);
bool upd_warm_change(struct upd *u, struct jval def, struct jval now, struct str index,
                     struct str *ret);

/* --- table_update_gsi.c --- */
struct upd_counts upd_gsi_counts(struct upd *u);
bool upd_gsi_check(struct upd *u);  /* without the table */
bool upd_gsi_plan(struct upd *u);   /* edits GlobalSecondaryIndexes and AttributeDefinitions */
bool upd_gsi_verify(struct upd *u); /* the new index in the new definition */
#endif
