/* backup.h - backups: a table's definition and a copy of its data, which outlive the table. USER
 * ones are made by CreateBackup; a SYSTEM one is what is left of a deleted table that had
 * point-in-time recovery, for 35 days. */
#ifndef PUDDLE_BACKUP_H
#define PUDDLE_BACKUP_H
#include "store.h"
#include "table.h"

struct backup {
    int64_t id, data; /* data: the number of its ddb_data_... */
    struct str account, region, table, name, arn, suffix, def;
    bool system, available;
    int64_t created_ms, expires_ms; /* expires_ms 0: never */
    int64_t items, bytes;
};
bool backups_open(struct store *s, char *reterr, size_t reterr_size);
/* Fills id, arn and suffix of b; everything else is given. False: the store failed. */
bool backup_add(struct store *s, struct backup *b, struct arena *a);
/* STORE_NONE: there is none. Everything in a. */
enum store_result backup_find(struct store *s, struct str account, struct str region,
                              struct str arn, struct arena *a, struct backup *ret);
/* All of one account and region, by age. NULL: the store failed. */
struct backup *backup_list(struct store *s, struct str account, struct str region, struct arena *a,
                           size_t *ret_count);
bool backup_set_available(struct store *s, int64_t id);
/* *ret: a backup's rows have this number. False: the store failed. */
bool backup_has_data(struct store *s, int64_t data, bool *ret);
bool backup_remove(struct store *s, const struct backup *b);
/* Removes what has expired; *ret_due: when the next one does. */
bool backups_expire(struct store *s, int64_t now_ms, int64_t *ret_due);
bool backups_reset(struct store *s);

/* Members BackupDetails (status NULL: the backup's own) and BackupDescription of a reply. */
void backup_write_details(const struct backup *b, const char *status, struct json_out *out);
void backup_write_description(const struct backup *b, const char *status, struct arena *a,
                              struct json_out *out);
#endif
