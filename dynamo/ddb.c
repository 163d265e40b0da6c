#include "arn.h"
#include "backup.h"
#include "clock.h"
#include "ddb_internal.h"
#include "dynamodbstreams_model.h"
#include "history.h"
#include "index.h"
#include "panic.h"
#include "read_request.h"
#include "ttl.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_KEEP = 1 << 20, NAME_MAX_BYTES = 255, RETRY_MS = 1000 };

static struct op ops[] = {
#define OP(name, handler, writes) {#name, handler, writes, NULL},
#include "ops.def"
#undef OP
};

static struct op streams_ops[] = {
#define OP(name, handler, writes) {#name, handler, writes, NULL},
#include "streams_ops.def"
#undef OP
};

void ddb_reload(struct ddb *d)
{
    streams_reload(&d->streams);
    copies_reload(&d->copies);
    catalog_reload(&d->catalog);
    ddb_wake(d);
}

void ddb_wake(struct ddb *d)
{
    d->maybe_filling = d->maybe_restoring = true;
    d->history_due_ms = 0;
    ttl_wake(d);
}

bool ddb_fill_small_indexes(struct ddb *d, struct table *t)
{
    enum { SMALL_BYTES = 1 << 20, SMALL_ITEMS = 2000 };
    if (t->bytes > SMALL_BYTES || t->items > SMALL_ITEMS)
        return true;
    for (size_t i = 0; i < t->index_count; i++) {
        bool done = !t->indexes[i].filling;
        while (!done) {
            if (!index_backfill_slice(&d->store, t, &t->indexes[i], &done))
                return false;
        }
    }
    return true;
}

void ddb_count_indexes(struct ddb *d, struct table *t)
{
    for (size_t i = 0; i < t->index_count; i++) {
        index_count(&d->store, &t->indexes[i]);
        d->maybe_filling = d->maybe_filling || t->indexes[i].counting;
    }
}

/* One slice for each index that is not complete, or not counted. */
static void fill_indexes(struct ddb *d, int64_t now_ms)
{
    size_t at = 0;
    struct str key;
    void *value;
    bool more = false, done;
    if (!d->maybe_filling)
        return;
    while (map_next(&d->catalog.tables, &at, &key, &value)) {
        struct table *t = value;
        for (size_t i = 0; i < t->index_count; i++) {
            struct index *x = &t->indexes[i];
            more = more || x->filling || x->counting;
            if (!index_count_slice(&d->store, x, &done) ||
                (x->filling &&
                 (!db_begin(d->db) || !index_backfill_slice(&d->store, t, x, &done)))) {
                ddb_retry_later(d, now_ms); /* logged */
                return;
            }
        }
    }
    d->maybe_filling = more;
}

struct table *ddb_table_edit(struct ddb *d, struct table *t, const struct table_edit *edits,
                             size_t count, struct arena *a)
{
    ddb_wake(d);
    return catalog_change(&d->catalog, t, table_def_edit(t->def, edits, count, a));
}

static void on_rollback(void *arg)
{
    struct ddb *d = arg;
    d->store.maybe_doomed = d->store.maybe_gone = true;
    d->rollbacks++;
    ddb_reload(d);
    ddb_retry_later(d, clock_now_ms());
}

static void close_stores(struct ddb *d)
{
    catalog_release(&d->catalog);
    copies_release(&d->copies);
    streams_release(&d->streams);
    tokens_close(&d->tokens);
    store_close(&d->store);
}

static bool open_stores(struct ddb *d, char *reterr, size_t reterr_size)
{
    if (!store_open(&d->store, d->db, reterr, reterr_size) ||
        !tokens_open(&d->tokens, d->db, reterr, reterr_size) ||
        !streams_open(&d->streams, &d->store, reterr, reterr_size) ||
        !backups_open(&d->store, reterr, reterr_size) ||
        !copies_open(&d->copies, &d->store, reterr, reterr_size))
        return false;
    if (catalog_load(&d->catalog, &d->store))
        return true;
    snprintf(reterr, reterr_size,
             "the DynamoDB tables in %s/puddle.db cannot be read (damaged "
             "file?): move it away, or choose another --data folder",
             db_dir(d->db) == NULL ? "memory" : db_dir(d->db));
    return false;
}

struct ddb *ddb_new(struct db *db, char *reterr, size_t reterr_size)
{
    struct ddb *d = calloc(1, sizeof *d);
    if (d == NULL)
        PANIC("out of memory");
    d->db = db;
    if (!open_stores(d, reterr, reterr_size)) {
        close_stores(d);
        free(d);
        return NULL;
    }
    d->maybe_filling = d->maybe_restoring = true;
    buf_init(&d->text, ATTR_TEXT_MAX);
    db_on_rollback(db, on_rollback, d);
    d->service = (struct service){.id = "dynamodb",
                                  .label = "DynamoDB_20120810",
                                  .protocol = WIRE_JSON,
                                  .model = &dynamodb_model,
                                  .ops = ops,
                                  .op_count = sizeof ops / sizeof *ops,
                                  .state = d,
                                  .internal_error = &DYNAMODB_InternalServerError};
    service_init(&d->service);
    d->streams_service = (struct service){.id = "dynamodbstreams",
                                          .signing_name = "dynamodb",
                                          .label = "DynamoDBStreams_20120810",
                                          .protocol = WIRE_JSON,
                                          .model = &dynamodbstreams_model,
                                          .ops = streams_ops,
                                          .op_count = sizeof streams_ops / sizeof *streams_ops,
                                          .state = d,
                                          .internal_error = &DYNAMODBSTREAMS_InternalServerError};
    service_init(&d->streams_service);
    return d;
}

void ddb_free(struct ddb *d)
{
    if (d == NULL)
        return;
    /* Without this the next start only has to count again. */
    if (db_begin(d->db))
        (void)catalog_write_counts(&d->catalog);
    db_off_rollback(d->db, on_rollback, d);
    close_stores(d);
    throttle_free(d->throttle);
    buf_release(&d->text);
    free(d);
}

struct service *ddb_service(struct ddb *d)
{
    return &d->service;
}

struct service *ddb_streams_service(struct ddb *d)
{
    return &d->streams_service;
}

size_t ddb_table_count(const struct ddb *d)
{
    return d->catalog.tables.count;
}

void ddb_retry_later(struct ddb *d, int64_t now_ms)
{
    d->retry_ms = now_ms + RETRY_MS;
}

/* Not when the clock has been put back since. */
static bool rests(const struct ddb *d, int64_t now_ms)
{
    return now_ms < d->retry_ms && d->retry_ms - now_ms <= RETRY_MS;
}

int64_t ddb_due_ms(const struct ddb *d)
{
    const int64_t times[] = {d->streams.due_ms, d->ttl_due_ms, d->history_due_ms, d->backup_due_ms};
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        due = times[i] < due ? times[i] : due;
    bool now = d->store.maybe_doomed || d->store.maybe_gone || d->maybe_filling ||
               d->maybe_restoring || d->copies.count > 0;
    due = now ? 0 : due;
    return due < d->retry_ms && rests(d, clock_now_ms()) ? d->retry_ms : due;
}

void ddb_maintain(struct ddb *d)
{
    int64_t now_ms = clock_now_ms();
    read_requests_resume(d);
    if (rests(d, now_ms))
        return;
    if (ddb_due_ms(d) <= now_ms && !db_begin(d->db)) {
        ddb_retry_later(d, now_ms);
        return;
    }
    store_sweep(&d->store);
    streams_maintain(&d->streams, now_ms);
    fill_indexes(d, now_ms);
    ttl_maintain(d, now_ms);
    ddb_maintain_backups(d, now_ms);
}

bool ddb_reset(struct ddb *d)
{
    struct str key;
    void *t;
    size_t at;
    while (d->copies.count > 0) {
        if (!db_begin(d->db) || !ddb_copy_end(d, &d->copies.jobs[0]))
            return false;
    }
    while (at = 0, map_next(&d->catalog.tables, &at, &key, &t)) {
        if (!db_begin(d->db) || !ttl_drop(&d->store, t) || !history_drop(&d->store, t) ||
            !catalog_remove(&d->catalog, t, false))
            return false;
    }
    return streams_reset(&d->streams) && backups_reset(&d->store) && db_begin(d->db) &&
           tokens_reset(&d->tokens);
}

void ddb_throttle(struct ddb *d)
{
    if (d->throttle == NULL)
        d->throttle = throttle_new();
}

enum call_status ddb_internal_error(struct call *c)
{
    return CALL_FAIL(c, &DYNAMODB_InternalServerError, "Internal server error");
}

struct buf *ddb_text(struct call *c)
{
    struct ddb *d = ddb_of(c);
    buf_clear(&d->text);
    if (d->text.cap > TEXT_KEEP) { /* one huge item must not keep its memory for ever */
        buf_release(&d->text);
        buf_init(&d->text, ATTR_TEXT_MAX);
    }
    return &d->text;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char x = s.p[i];
        bool ok = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') || (x >= '0' && x <= '9') ||
                  x == '_' || x == '-' || x == '.';
        if (!ok)
            return false;
    }
    return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

/* What TableName means: the name, and whose it is. The model has let names and ARNs through. */
static bool read_name(struct call *c, struct str given, struct str *name, struct str *account,
                      struct str *region)
{
    struct arn arn;
    *name = given;
    *account = c->account;
    *region = c->region;
    if (str_starts(given, STR("arn:"))) {
        if (arn_parse(given, &arn) && str_eq_c(arn.service, "dynamodb") &&
            str_starts(arn.resource, STR("table/"))) {
            *name = str_sub(arn.resource, 6, arn.resource.n);
            *account = arn.account;
            *region = arn.region;
        }
    } else if (given.n > NAME_MAX_BYTES) {
        return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                        "1 validation error detected: Value '%.*s' at 'tableName' failed to "
                        "satisfy constraint: Member must have length less than or equal to %d",
                        STR_ARG(given), NAME_MAX_BYTES);
    }
    if (is_name(*name))
        return true;
    if (str_starts(given, STR("arn:"))) /* unverified: the text */
        return aws_fail(&c->err, c->arena, &AWS_ValidationException, "Invalid table ARN: %.*s",
                        STR_ARG(given));
    return aws_fail(&c->err, c->arena, &AWS_ValidationException,
                    "1 validation error detected: Value '%.*s' at 'tableName' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
                    STR_ARG(given));
}

struct table *ddb_table_or_fail(struct call *c, struct str given, enum ddb_lookup what)
{
    struct ddb *d = ddb_of(c);
    struct str name, account, region;
    store_sweep(&d->store);
    if (!read_name(c, given, &name, &account, &region))
        return NULL;
    /* A table of another region is not here, whatever its ARN says. */
    struct table *t =
        str_eq(region, c->region) ? catalog_find(&d->catalog, account, region, name) : NULL;
    if (t != NULL && t->restoring && what != DDB_FOR_DESCRIBE)
        t = NULL;
    if (t == NULL && what == DDB_FOR_ITEM)
        aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                 "Requested resource not found");
    else if (t == NULL && what == DDB_FOR_ARN)
        aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                 "Requested resource not found: ResourcArn: %.*s not found", STR_ARG(given));
    else if (t == NULL)
        aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                 "Requested resource not found: Table: %.*s not found", STR_ARG(name));
    return t;
}

void ddb_usage(double *ret_reads, double *ret_writes)
{
    struct throttle_totals t = throttle_totals();
    *ret_reads = t.reads;
    *ret_writes = t.writes;
}
