/* ddb_fixture.h - a DynamoDB of its own for unit tests: calls in, reply text or "Kind: message"
 * out. */
#ifndef PUDDLE_DDB_FIXTURE_H
#define PUDDLE_DDB_FIXTURE_H
#include "db.h"
#include "ddb.h"
#include "fault.h"
#include "file.h"
#include "harness.h"
#include "log.h"
#include <stdlib.h>

static struct db *fx_db;
static struct ddb *fx;
static struct arena *fx_arena;
static char fx_reason[512];
static char fx_folder[64];

__attribute__((constructor)) static void fx_quiet(void)
{
    log_setup(LOG_TEXT, LOG_ERROR + 1);
}

static __attribute__((unused)) bool fx_open(const char *dir)
{
    struct db_opts opts = {.dir = dir};
    fx_reason[0] = '\0';
    fx_arena = arena_new(0, SIZE_MAX);
    fx_db = db_open(&opts, fx_reason, sizeof fx_reason);
    fx = fx_db == NULL ? NULL : ddb_new(fx_db, fx_reason, sizeof fx_reason);
    return fx != NULL;
}

static __attribute__((unused)) void fx_close(void)
{
    ddb_free(fx);
    db_close(fx_db);
    arena_free(fx_arena);
    fx = NULL;
    fx_db = NULL;
}

static __attribute__((unused)) const char *fx_new_folder(void)
{
    strcpy(fx_folder, "/tmp/puddle-test-ddb-XXXXXX");
    return mkdtemp(fx_folder);
}

static struct str fx_call_as(const char *account, const char *region, const char *op,
                             struct str json)
{
    struct jval body;
    struct aws_err err = {0};
    if (call_run_local(ddb_service(fx), op, str_c(account), str_c(region), json, fx_arena, &body,
                       &err))
        return jval_raw(body);
    return arena_fmt(fx_arena, "%s: %.*s", err.kind->code, STR_ARG(err.message));
}

static __attribute__((unused)) struct str fx_call(const char *op, const char *json)
{
    return fx_call_as("000000000000", "us-east-1", op, str_c(json));
}

/* A call of DynamoDB Streams. */
static __attribute__((unused)) struct str fx_stream_call(const char *op, const char *json)
{
    struct jval body;
    struct aws_err err = {0};
    if (call_run_local(ddb_streams_service(fx), op, STR("000000000000"), STR("us-east-1"),
                       str_c(json), fx_arena, &body, &err))
        return jval_raw(body);
    return arena_fmt(fx_arena, "%s: %.*s", err.kind->code, STR_ARG(err.message));
}

/* "[path.to.member]" of a reply as raw JSON; "(missing)". Parts are separated by '/'. */
static __attribute__((unused)) struct str fx_get(struct str reply, const char *path)
{
    struct jval v;
    struct str rest = str_c(path);
    if (!json_parse(fx_arena, reply, JSON_DEPTH_DEFAULT, &v, NULL))
        return reply;
    while (rest.p != NULL && rest.n > 0) {
        struct str part = str_cut(&rest, '/');
        int64_t index;
        v = str_to_i64(part, &index) ? jval_at(v, (size_t)index) : jval_get_str(v, part);
    }
    return jval_kind(v) == JSON_MISSING ? STR("(missing)") : jval_raw(v);
}

/* A text of n times c, for limits. */
static __attribute__((unused)) const char *fx_repeat(char c, size_t n)
{
    char *p = arena_alloc(fx_arena, n + 1);
    memset(p, c, n);
    return p;
}

/* printf into the fixture's arena. */
#define FX(...) arena_fmt(fx_arena, __VA_ARGS__).p

#define FX_HASH                                                                                    \
    "\"AttributeDefinitions\":[{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"}],"               \
    "\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],"                             \
    "\"BillingMode\":\"PAY_PER_REQUEST\""
#endif
