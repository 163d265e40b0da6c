/* ops_key.h - what the operations on API keys, usage plans and usage share. */
#ifndef PUDDLE_OPS_KEY_H
#define PUDDLE_OPS_KEY_H
#include "gw_store.h"

enum { KEY_NAME_MAX = 1024 };
/* Long enough, short enough and no other key's. */
bool key_check_value(struct call *c, struct str value);
/* Puts a key into a plan; key_doc is the key's document. */
bool plan_add_key(struct call *c, struct str plan, struct str key, struct jval key_doc,
                  struct str *ret_text);
/* usagePlanId of the call. */
bool plan_need(struct call *c, struct str *id, struct str *text, struct jval *doc);
/* The documents of a kind whose id begins with "<plan>/". */
size_t plan_docs(struct call *c, enum gw_kind kind, struct str plan, struct gw_doc **ret);
#endif
