/* invoke_input.h - what the Invoke operations have in common (private to lambda_rie). */
#ifndef PUDDLE_INVOKE_INPUT_H
#define PUDDLE_INVOKE_INPUT_H
#include "function.h"

/* c's input as a request, checked. False with c->err set. */
bool invoke_read_input(struct call *c, struct rie_request *ret);
#endif
