/* json_schema.h - JSON Schema draft 4, the dialect of API Gateway's models. Pure. */
#ifndef PUDDLE_JSON_SCHEMA_H
#define PUDDLE_JSON_SCHEMA_H
#include "json.h"

/* Looks up the schema that a $ref outside the document means (AWS: a model's URL). False: unknown.
 */
typedef bool json_schema_find(void *arg, struct str url, struct arena *a, struct jval *ret);

/* Is value as schema says? If not, *ret_why tells the first reason the way API Gateway's
 * $context.error.validationErrorString does. find may be NULL. */
bool json_schema_check(struct jval schema, struct jval value, json_schema_find *find, void *arg,
                       struct arena *a, struct str *ret_why);
/* Is schema itself one (right kinds of keyword values, patterns that compile)? For PutModel. */
bool json_schema_valid(struct jval schema, struct arena *a, struct str *ret_why);
#endif
