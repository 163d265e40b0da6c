/* read_fixture.h - tables for the tests of Query and Scan: "hash" (a: S) and "range" (a, b: S) with
 * local indexes index1 (a, c; ALL) and index2 (a, d; INCLUDE c) and global ones index3 (c; ALL) and
 * index4 (c, d; INCLUDE e). */
#ifndef PUDDLE_READ_FIXTURE_H
#define PUDDLE_READ_FIXTURE_H
#include "ddb_fixture.h"
#include "ddb_internal.h"
#include "index.h"

#define RD_DEF(name, type) "{\"AttributeName\":\"" name "\",\"AttributeType\":\"" type "\"}"
#define RD_KEY(name, type) "{\"AttributeName\":\"" name "\",\"KeyType\":\"" type "\"}"
#define RD_INDEX(name, keys, projection)                                                           \
    "{\"IndexName\":\"" name "\",\"KeySchema\":[" keys                                             \
    "],\"Projection\":{\"ProjectionType\":" projection "}}"

static __attribute__((unused)) bool rd_open(const char *dir)
{
    if (!fx_open(dir))
        return false;
    fx_call("CreateTable", "{\"TableName\":\"hash\",\"BillingMode\":\"PAY_PER_REQUEST\","
                           "\"AttributeDefinitions\":[" RD_DEF("a", "S") "],\"KeySchema\":[" RD_KEY(
                               "a", "HASH") "]}");
    struct str made = fx_call(
        "CreateTable",
        "{\"TableName\":\"range\",\"BillingMode\":\"PAY_PER_REQUEST\","
        "\"AttributeDefinitions\":[" RD_DEF("a", "S") "," RD_DEF("b", "S") "," RD_DEF("c", "S") "," RD_DEF("d", "S") "],\"KeySchema\":[" RD_KEY("a", "HASH") "," RD_KEY("b", "RANGE") "],\"LocalSecondaryIndexes\":[" RD_INDEX(
            "index1", RD_KEY("a", "HASH") "," RD_KEY("c", "RANGE"),
            "\"ALL\"") "," RD_INDEX("index2", RD_KEY("a", "HASH") "," RD_KEY("d", "RANGE"),
                                    "\"INCLUDE\",\"NonKeyAttributes\":["
                                    "\"c\"]") "],\"GlobalSecondaryIndexes\":"
                                              "[" RD_INDEX(
                                                  "index3", RD_KEY("c", "HASH"),
                                                  "\"ALL\"") "," RD_INDEX("index4",
                                                                          RD_KEY(
                                                                              "c",
                                                                              "HASH") "," RD_KEY("d",
                                                                                                 "R"
                                                                                                 "A"
                                                                                                 "N"
                                                                                                 "G"
                                                                                                 "E"),
                                                                          "\"INCLUDE\","
                                                                          "\"NonKeyAttributes\":["
                                                                          "\"e\"]") "]}");
    return str_find_str(made, STR("TableId")) >= 0;
}

/* attrs: "a=x b=y" becomes {"a":{"S":"x"},"b":{"S":"y"}}; a value that starts with # is an N. */
static __attribute__((unused)) const char *rd_item(const char *attrs)
{
    struct buf *b = arena_new_buf(fx_arena, 1 << 20);
    struct str rest = str_c(attrs);
    buf_addc(b, '{');
    while (rest.p != NULL && rest.n > 0) {
        struct str pair = str_cut(&rest, ' '), name = str_cut(&pair, '=');
        bool number = pair.n > 0 && pair.p[0] == '#';
        buf_addf(b, "%s\"%.*s\":{\"%s\":\"%.*s\"}", b->n > 1 ? "," : "", STR_ARG(name),
                 number ? "N" : "S", STR_ARG(str_sub(pair, number, pair.n)));
    }
    buf_addc(b, '}');
    return arena_buf(fx_arena, b).p;
}

static __attribute__((unused)) bool rd_put(const char *table, const char *attrs)
{
    return str_eq_c(
        fx_call("PutItem", FX("{\"TableName\":\"%s\",\"Item\":%s}", table, rd_item(attrs))), "{}");
}

/* The body of a call with ' for ". */
static __attribute__((unused)) struct str rd_call(const char *op, const char *body)
{
    char *json = arena_alloc(fx_arena, strlen(body) + 1);
    for (size_t i = 0; body[i] != '\0'; i++)
        json[i] = body[i] == '\'' ? '"' : body[i];
    return fx_call(op, json);
}

/* "x y z": one attribute of every item of a reply; the reply itself when it has no Items. */
static __attribute__((unused)) struct str rd_list(struct str reply, const char *attr)
{
    struct jval v, it = {0};
    struct buf *b = arena_new_buf(fx_arena, 1 << 20);
    if (!json_parse(fx_arena, reply, JSON_DEPTH_DEFAULT, &v, NULL) ||
        jval_kind(jval_get(v, "Items")) != JSON_ARRAY)
        return reply;
    while (jval_next(jval_get(v, "Items"), &it, NULL)) {
        struct jval typed = jval_get(it, attr), value = {0};
        jval_next(typed, &value, NULL);
        struct str text = jval_kind(value) == JSON_STRING ? jval_text(value, fx_arena) : STR("-");
        buf_addf(b, "%s%.*s", b->n > 0 ? " " : "", STR_ARG(text));
    }
    return arena_buf(fx_arena, b);
}
#endif
