/* PartiQL, whole: whatever the statements say, the answer is a reply or an error with a message;
 * a SELECT changes nothing and its pages of one item are the page of all items; statements together
 * are done or refused together. Input: a byte (what to do), then statements, a byte 30 between
 * them. A ? gets the next of a few values. */
#include "db.h"
#include "ddb.h"
#include "log.h"
#include "panic.h"
#include "partiql_ast.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES_MAX = 400 };
static struct ddb *service;

static const char *const values[] = {
    "{\"S\":\"p\"}",           "{\"N\":\"2\"}",
    "{\"S\":\"' OR '1'='1\"}", "{\"L\":[{\"N\":\"1\"},{\"S\":\"--\"}]}",
    "{\"SS\":[\"a\",\"z\"]}",  "{\"M\":{\"a\":{\"NULL\":true}}}",
    "{\"BOOL\":true}",         "{\"B\":\"AAE=\"}",
    "{\"NS\":[\"1\",\"2\"]}"};
#define KEY(pk, sk) "\"pk\":{\"S\":\"" pk "\"},\"sk\":{\"N\":\"" sk "\"}"
static const char *const items[] = {
    "{" KEY("p", "1") ",\"g\":{\"S\":\"x\"},\"n\":{\"N\":\"5\"},\"s\":{\"S\":\"str\"}}",
    "{" KEY("p", "2") ",\"g\":{\"S\":\"x\"},\"ss\":{\"SS\":[\"a\",\"b\"]},\"l\":{\"S\":\"1\"}}",
    "{" KEY("p", "3") ",\"l\":{\"S\":\"0\"},\"m\":{\"M\":{\"x\":{\"L\":[{\"N\":\"1\"}]}}}}",
    "{" KEY("q", "1") ",\"g\":{\"S\":\"y\"},\"ll\":{\"L\":[{\"N\":\"1\"},{\"S\":\"b\"}]}}",
    "{" KEY("q", "2") ",\"nul\":{\"NULL\":true},\"b\":{\"BOOL\":false},\"l\":{\"S\":\"2\"}}"};
static const char table[] =
    "{\"TableName\":\"ttt\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
    "{\"AttributeName\":\"pk\",\"AttributeType\":\"S\"},{\"AttributeName\":\"sk\","
    "\"AttributeType\":\"N\"},{\"AttributeName\":\"g\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"l\",\"AttributeType\":\"S\"}],\"KeySchema\":[{\"AttributeName\":\"pk\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"sk\",\"KeyType\":\"RANGE\"}],"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gii\",\"KeySchema\":[{\"AttributeName\":\"g\","
    "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}],"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"lii\",\"KeySchema\":[{\"AttributeName\":\"pk\","
    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"l\",\"KeyType\":\"RANGE\"}],\"Projection\":{"
    "\"ProjectionType\":\"KEYS_ONLY\"}}]}";

/* NULL in ret: an error, which has words (but for a statement nested too deep). */
static struct jval call(struct arena *a, const char *op, struct str json)
{
    struct jval ret = {0};
    struct aws_err err = {0};
    if (call_run_local(ddb_service(service), op, STR("000000000000"), STR("us-east-1"), json, a,
                       &ret, &err))
        return ret;
    ASSERT(err.kind != NULL && err.message.p != NULL);
    ASSERT(strcmp(err.kind->code, "InternalServerError") != 0);
    return (struct jval){0};
}

static struct str everything(struct arena *a)
{
    struct jval v = call(a, "Scan", STR("{\"TableName\":\"ttt\"}"));
    ASSERT(jval_kind(v) == JSON_OBJECT);
    return jval_raw(jval_get(v, "Items"));
}

static void fill(struct arena *a)
{
    struct jval now, it = {0};
    struct str text = everything(a);
    ASSERT(json_parse(a, text, JSON_DEPTH_DEFAULT, &now, NULL));
    while (jval_next(now, &it, NULL))
        call(a, "DeleteItem",
             arena_fmt(a, "{\"TableName\":\"ttt\",\"Key\":{\"pk\":%.*s,\"sk\":%.*s}}",
                       STR_ARG(jval_raw(jval_get(it, "pk"))),
                       STR_ARG(jval_raw(jval_get(it, "sk")))));
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct jval v =
            call(a, "PutItem", arena_fmt(a, "{\"TableName\":\"ttt\",\"Item\":%s}", items[i]));
        ASSERT(jval_kind(v) == JSON_OBJECT);
    }
}

static void open_service(struct arena *a)
{
    char reason[512];
    struct db_opts opts = {0};
    log_setup(LOG_TEXT, LOG_ERROR + 1);
    service = ddb_new(db_open(&opts, reason, sizeof reason), reason, sizeof reason);
    ASSERT(service != NULL);
    ASSERT(jval_kind(call(a, "CreateTable", str_c(table))) == JSON_OBJECT);
    fill(a);
}

/* "Statement":..., "Parameters":... */
static void put_statement(struct buf *b, struct arena *a, struct str text)
{
    struct pql_statement s;
    struct aws_err err = {0};
    if (!pql_parse(a, text, &s, &err)) {
        ASSERT(err.kind != NULL && str_starts(err.message, STR(PQL_NOT_WELL_FORMED)));
        s.params = 0;
    }
    buf_add(b, STR("\"Statement\":\""));
    json_escape(b, text);
    buf_add(b, STR("\""));
    for (size_t i = 0; i < s.params; i++)
        buf_addf(b, "%s%s", i == 0 ? ",\"Parameters\":[" : ",",
                 values[i % (sizeof values / sizeof *values)]);
    if (s.params > 0)
        buf_add(b, STR("]"));
}

static struct str alone(struct arena *a, struct str text, int limit, struct str token)
{
    struct buf *b = arena_new_buf(a, 1 << 24);
    buf_add(b, STR("{"));
    put_statement(b, a, text);
    if (limit > 0)
        buf_addf(b, ",\"Limit\":%d", limit);
    if (token.n > 0)
        buf_addf(b, ",\"NextToken\":\"%.*s\"", STR_ARG(token));
    buf_add(b, STR(",\"ReturnConsumedCapacity\":\"INDEXES\"}"));
    return arena_buf(a, b);
}

static void add_items(struct buf *b, struct jval reply)
{
    struct jval it = {0};
    while (jval_next(jval_get(reply, "Items"), &it, NULL))
        buf_addf(b, "%s%.*s", b->n == 0 ? "" : ",", STR_ARG(jval_raw(it)));
}

/* The same SELECT with Limit 1 until there is no more: the same items. */
static void check_pages(struct arena *a, struct str text, struct jval whole)
{
    struct buf *expected = arena_new_buf(a, 1 << 24), *found = arena_new_buf(a, 1 << 24);
    struct str token = STR("");
    bool more = jval_kind(jval_get(whole, "NextToken")) != JSON_MISSING;
    if (more)
        return; /* more partitions than fit a page */
    add_items(expected, whole);
    for (int i = 0;; i++) {
        struct jval page = call(a, "ExecuteStatement", alone(a, text, 1, token));
        ASSERT(i < PAGES_MAX && jval_kind(page) == JSON_OBJECT);
        ASSERT(jval_count(jval_get(page, "Items")) <= 1);
        add_items(found, page);
        token = jval_text(jval_get(page, "NextToken"), a);
        if (token.n == 0)
            break;
    }
    ASSERT(str_eq(buf_view(expected), buf_view(found)));
}

static void run_alone(struct arena *a, struct str text)
{
    struct pql_statement s;
    struct aws_err err = {0};
    bool selects = pql_parse(a, text, &s, &err) && s.root->kind == PQL_SELECT;
    struct str before = everything(a);
    struct jval reply = call(a, "ExecuteStatement", alone(a, text, 0, STR("")));
    bool failed = jval_kind(reply) != JSON_OBJECT;
    if (selects || failed)
        ASSERT(str_eq(before, everything(a)));
    else
        fill(a);
    if (selects && !failed)
        check_pages(a, text, reply);
}

static void run_many(struct arena *a, struct str rest, bool transaction)
{
    struct buf *b = arena_new_buf(a, 1 << 24);
    struct str before = everything(a);
    size_t count = 0;
    buf_addf(b, "{\"%s\":[", transaction ? "TransactStatements" : "Statements");
    while (rest.n > 0 && count < 8) {
        buf_add(b, count++ == 0 ? STR("{") : STR(",{"));
        put_statement(b, a, str_cut(&rest, 30));
        buf_add(b, STR("}"));
    }
    buf_add(b, STR("],\"ReturnConsumedCapacity\":\"INDEXES\"}"));
    struct jval reply =
        call(a, transaction ? "ExecuteTransaction" : "BatchExecuteStatement", arena_buf(a, b));
    if (jval_kind(reply) != JSON_OBJECT)
        ASSERT(str_eq(before, everything(a)));
    else if (!transaction)
        ASSERT(jval_count(jval_get(reply, "Responses")) == count);
    if (!str_eq(before, everything(a)))
        fill(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct str text = {(const char *)data, size};
    int kind = size > 0 ? data[0] & 7 : 0;
    if (service == NULL)
        open_service(a);
    text = str_sub(text, size > 0, size);
    text = str_sub(text, 0, str_utf8_prefix(text)); /* requests are checked to be UTF-8 */
    if (kind < 5)
        run_alone(a, text);
    else
        run_many(a, text, kind > 5);
    arena_free(a);
    return 0;
}
