/* ddb_tables.h - three tables for tests of item operations, and calls written with ' for ". */
#ifndef PUDDLE_DDB_TABLES_H
#define PUDDLE_DDB_TABLES_H
#include "ddb_fixture.h"

#define INVALID   "ValidationException: One or more parameter values were invalid: "
#define NOT_VALID "ValidationException: One or more parameter values are not valid. "

/* The text with every ' made a ". */
static __attribute__((unused)) const char *q(const char *text)
{
    char *p = arena_alloc(fx_arena, strlen(text) + 1);
    for (size_t i = 0; text[i] != '\0'; i++)
        p[i] = text[i] == '\'' ? '"' : text[i];
    return p;
}
#define CHECK_Q(got, want) CHECK_STR(got, q(want))

/* "hhh": key pk (S). "rrr": pk (S) and sk (N), a GSI on g (N), an LSI on l (S). "bbb": pk (B). */
static __attribute__((unused)) bool open_tables(void)
{
    if (!fx_open(NULL))
        return false;
    fx_call("CreateTable", "{\"TableName\":\"hhh\"," FX_HASH "}");
    fx_call("CreateTable",
            q("{'TableName':'rrr','BillingMode':'PAY_PER_REQUEST','AttributeDefinitions':["
              "{'AttributeName':'pk','AttributeType':'S'},{'AttributeName':'sk',"
              "'AttributeType':'N'},{'AttributeName':'g','AttributeType':'N'},"
              "{'AttributeName':'l','AttributeType':'S'}],"
              "'KeySchema':[{'AttributeName':'pk','KeyType':'HASH'},"
              "{'AttributeName':'sk','KeyType':'RANGE'}],"
              "'GlobalSecondaryIndexes':[{'IndexName':'gsi','KeySchema':[{'AttributeName':"
              "'g','KeyType':'HASH'}],'Projection':{'ProjectionType':'KEYS_ONLY'}}],"
              "'LocalSecondaryIndexes':[{'IndexName':'lsi','KeySchema':[{'AttributeName':"
              "'pk','KeyType':'HASH'},{'AttributeName':'l','KeyType':'RANGE'}],"
              "'Projection':{'ProjectionType':'INCLUDE','NonKeyAttributes':['x']}}]}"));
    fx_call("CreateTable",
            q("{'TableName':'bbb','BillingMode':'PAY_PER_REQUEST','AttributeDefinitions':["
              "{'AttributeName':'pk','AttributeType':'B'}],'KeySchema':[{"
              "'AttributeName':'pk','KeyType':'HASH'}]}"));
    return ddb_table_count(fx) == 3;
}

static __attribute__((unused)) struct str call_q(const char *op, const char *json)
{
    return fx_call(op, q(json));
}

/* more: further members, with a comma in front, or "". */
static __attribute__((unused)) struct str put(const char *table, const char *item, const char *more)
{
    return call_q("PutItem", FX("{'TableName':'%s','Item':%s%s}", table, item, more));
}

static __attribute__((unused)) struct str get(const char *table, const char *key, const char *more)
{
    return call_q("GetItem", FX("{'TableName':'%s','Key':%s%s}", table, key, more));
}

static __attribute__((unused)) struct str del(const char *table, const char *key, const char *more)
{
    return call_q("DeleteItem", FX("{'TableName':'%s','Key':%s%s}", table, key, more));
}

static __attribute__((unused)) struct str update(const char *table, const char *key,
                                                 const char *more)
{
    return call_q("UpdateItem", FX("{'TableName':'%s','Key':%s%s}", table, key, more));
}
#endif
