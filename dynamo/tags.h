/* tags.h - what DynamoDB allows as tags, in its words (fact 127, recorded October 2026). Pure. */
#ifndef PUDDLE_TAGS_H
#define PUDDLE_TAGS_H
#include "aws_err.h"
#include "json.h"

enum { TAGS_MAX = 50, TAGS_KEY_MAX = 128, TAGS_VALUE_MAX = 256 };
/* A list of {Key, Value}. */
bool tags_check(struct jval tags, struct arena *a, struct aws_err *err);
/* A list of keys. */
bool tags_check_keys(struct jval keys, struct arena *a, struct aws_err *err);
#endif
