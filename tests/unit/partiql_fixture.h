/* partiql_fixture.h - PartiQL statements against tables with a few items.
 * "hhh": pk (S). "nnn": pk (N). "ccc": pk (S), sk (N), GSI "gii" on g + sk, keys only; LSI "lii" on
 * l with x; items p 1..4, q 1..4. "mmm": GSI "multi" with two partition keys. */
#ifndef PUDDLE_PARTIQL_FIXTURE_H
#define PUDDLE_PARTIQL_FIXTURE_H
#include "ddb_fixture.h"

static __attribute__((unused)) struct str pql_request(const char *statement, const char *more)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    buf_add(&b, STR("{\"Statement\":\""));
    json_escape(&b, str_c(statement));
    buf_add(&b, STR("\""));
    buf_add(&b, str_c(more));
    buf_add(&b, STR("}"));
    struct str json = arena_buf(fx_arena, &b);
    buf_release(&b);
    return json;
}

/* The reply, or "Kind: message"; more: further members of the request (",\"Limit\":1"). */
static struct str pql_with(const char *statement, const char *more)
{
    return fx_call("ExecuteStatement", pql_request(statement, more).p);
}

static struct str pql(const char *statement)
{
    return pql_with(statement, "");
}

/* The items as raw JSON, or the error. */
static __attribute__((unused)) struct str pql_items(const char *statement)
{
    return fx_get(pql(statement), "Items");
}

/* A validation message; "no error: ..." for a success. */
static __attribute__((unused)) struct str pql_message(const char *statement)
{
    static const struct str kind = {"ValidationException: ", 21};
    struct str r = pql(statement);
    return str_starts(r, kind) ? str_sub(r, kind.n, r.n)
                               : arena_fmt(fx_arena, "no error: %.*s", STR_ARG(r));
}

/* The sort keys of ccc's items: "p1 p2 q1". */
static __attribute__((unused)) struct str pql_keys_of(struct str reply)
{
    struct jval v, it = {0};
    struct buf b;
    buf_init(&b, 1 << 16);
    if (!json_parse(fx_arena, reply, JSON_DEPTH_DEFAULT, &v, NULL))
        return reply;
    while (jval_next(jval_get(v, "Items"), &it, NULL)) {
        struct str pk = jval_text(jval_get(jval_get(it, "pk"), "S"), fx_arena);
        struct str sk = jval_text(jval_get(jval_get(it, "sk"), "N"), fx_arena);
        buf_addf(&b, "%s%.*s%.*s", b.n == 0 ? "" : " ", STR_ARG(pk), STR_ARG(sk));
    }
    struct str ret = arena_buf(fx_arena, &b);
    buf_release(&b);
    return ret;
}

static __attribute__((unused)) struct str pql_keys(const char *statement)
{
    return pql_keys_of(pql(statement));
}

static __attribute__((unused)) bool pql_put_hhh(const char *pk, const char *rest)
{
    struct str r = fx_call(
        "PutItem", FX("{\"TableName\":\"hhh\",\"Item\":{\"pk\":{\"S\":\"%s\"}%s}}", pk, rest));
    return str_eq_c(r, "{}");
}

static __attribute__((unused)) struct str pql_get_hhh(const char *pk)
{
    return fx_get(
        fx_call("GetItem", FX("{\"TableName\":\"hhh\",\"Key\":{\"pk\":{\"S\":\"%s\"}}}", pk)),
        "Item");
}

#define PQL_ATTRIBUTE(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define PQL_KEY(name, type)       "{\"AttributeName\":\"" name "\",\"KeyType\":\"" type "\"}"

static __attribute__((unused)) bool pql_open(void)
{
    if (!fx_open(NULL))
        return false;
    fx_call("CreateTable", "{\"TableName\":\"hhh\"," FX_HASH "}");
    fx_call("CreateTable",
            "{\"TableName\":\"nnn\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"
            "[" PQL_ATTRIBUTE("pk", "N") "],\"KeySchema\":[" PQL_KEY("pk", "HASH") "]}");
    fx_call(
        "CreateTable",
        "{\"TableName\":\"ccc\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"
        "[" PQL_ATTRIBUTE("pk", "S") "," PQL_ATTRIBUTE("sk", "N") "," PQL_ATTRIBUTE("g", "S") "," PQL_ATTRIBUTE("l", "S") "],\"KeySchema\":[" PQL_KEY(
            "pk",
            "HASH") "," PQL_KEY("sk",
                                "RANGE") "],\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gii\","
                                         "\"KeySchema\":[" PQL_KEY("g", "HASH") "," PQL_KEY(
                                             "sk",
                                             "RANGE") "],\"Projection\":{"
                                                      "\"ProjectionType\":\"KEYS_ONLY\"}}],"
                                                      "\"LocalSecondaryIndexes\":[{\"IndexName\":"
                                                      "\"lii\","
                                                      "\"KeySchema\":[" PQL_KEY(
                                                          "pk",
                                                          "HASH") "," PQL_KEY("l",
                                                                              "RANGE") "],"
                                                                                       "\"Projectio"
                                                                                       "n\":{"
                                                                                       "\"Projectio"
                                                                                       "nType\":"
                                                                                       "\"INCLUDE\""
                                                                                       ",\"NonKeyAt"
                                                                                       "tributes\":"
                                                                                       "[\"x\"]}}]"
                                                                                       "}");
    fx_call(
        "CreateTable",
        "{\"TableName\":\"mmm\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":"
        "[" PQL_ATTRIBUTE("pk", "S") "," PQL_ATTRIBUTE("h1", "S") "," PQL_ATTRIBUTE(
            "h2",
            "S") "],\"KeySchema\":[" PQL_KEY("pk",
                                             "HASH") "],\"GlobalSecondaryIndexes\":[{"
                                                     "\"IndexName\":\"multi\",\"KeySchema\":"
                                                     "[" PQL_KEY("h1", "HASH") "," PQL_KEY(
                                                         "h2",
                                                         "HASH") "],\"Projection\":{"
                                                                 "\"ProjectionType\":\"ALL\"}}]}");
    for (int i = 0; i < 8; i++)
        fx_call("PutItem",
                FX("{\"TableName\":\"ccc\",\"Item\":{\"pk\":{\"S\":\"%c\"},\"sk\":{\"N\":"
                   "\"%d\"},\"v\":{\"S\":\"v%d\"},\"g\":{\"S\":\"g%d\"},\"l\":{\"S\":"
                   "\"l%d\"},\"x\":{\"N\":\"%d\"}}}",
                   i < 4 ? 'p' : 'q', i % 4 + 1, i % 4 + 1, (i + 1) % 2, 4 - i % 4, i));
    pql_put_hhh("a",
                ",\"n\":{\"N\":\"5\"},\"s\":{\"S\":\"str\"},\"ss\":{\"SS\":[\"a\",\"b\"]},"
                "\"l\":{\"L\":[{\"N\":\"1\"},{\"N\":\"2\"}]},\"m\":{\"M\":{\"x\":{\"N\":\"1\"},"
                "\"y\":{\"L\":[{\"S\":\"q\"}]}}},\"nul\":{\"NULL\":true},\"b\":{\"BOOL\":true}");
    pql_put_hhh("b", ",\"n\":{\"N\":\"7\"}");
    pql_put_hhh("c", "");
    return ddb_table_count(fx) == 4;
}
#endif
