/* ops_model.h - what making an API needs of ops_model.c (private to the gateway). */
#ifndef PUDDLE_OPS_MODEL_H
#define PUDDLE_OPS_MODEL_H
#include "gw_store.h"

/* The models Empty and Error that every new API has. */
bool model_add_defaults(struct call *c, struct str api);
#endif
