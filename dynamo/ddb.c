#include "arn.h"
#include "clock.h"
#include "ddb_internal.h"
#include "dynamodbstreams_model.h"
#include "panic.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_KEEP = 1 << 20, NAME_MAX_BYTES = 255 };

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
    catalog_reload(&d->catalog);
}

static void on_rollback(void *arg)
{
    struct ddb *d = arg;
    d->store.maybe_doomed = d->store.maybe_gone = true;
    ddb_reload(d);
}

struct ddb *ddb_new(struct db *db, char *reterr, size_t reterr_size)
{
    struct ddb *d = calloc(1, sizeof *d);
    if (d == NULL)
        PANIC("out of memory");
    d->db = db;
    if (!store_open(&d->store, db, reterr, reterr_size)) {
        free(d);
        return NULL;
    }
    if (!streams_open(&d->streams, &d->store, reterr, reterr_size)) {
        streams_release(&d->streams);
        store_close(&d->store);
        free(d);
        return NULL;
    }
    if (!catalog_load(&d->catalog, &d->store)) {
        snprintf(reterr, reterr_size,
                 "the DynamoDB tables in %s/puddle.db cannot be read (damaged "
                 "file?): move it away, or choose another --data folder",
                 db_dir(db) == NULL ? "memory" : db_dir(db));
        catalog_release(&d->catalog);
        streams_release(&d->streams);
        store_close(&d->store);
        free(d);
        return NULL;
    }
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
    catalog_release(&d->catalog);
    streams_release(&d->streams);
    store_close(&d->store);
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

void ddb_maintain(struct ddb *d)
{
    store_sweep(&d->store);
    streams_maintain(&d->streams, clock_now_ms());
}

bool ddb_reset(struct ddb *d)
{
    struct str key;
    void *t;
    size_t at;
    while (at = 0, map_next(&d->catalog.tables, &at, &key, &t)) {
        if (!db_begin(d->db) || !catalog_remove(&d->catalog, t))
            return false;
    }
    return streams_reset(&d->streams);
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
    if (t == NULL && what == DDB_FOR_ITEM)
        aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                 "Requested resource not found");
    else if (t == NULL)
        aws_fail(&c->err, c->arena, &DYNAMODB_ResourceNotFoundException,
                 "Requested resource not found: Table: %.*s not found", STR_ARG(name));
    return t;
}
