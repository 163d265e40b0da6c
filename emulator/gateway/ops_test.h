/* ops_test.h - what TestInvokeMethod and TestInvokeAuthorizer share. */
#ifndef PUDDLE_OPS_TEST_H
#define PUDDLE_OPS_TEST_H
#include "rest_request.h"

/* The request that headers, pathWithQueryString and body of the call describe. */
void test_build_request(struct call *c, struct str method, struct str resource_path,
                        struct http_req *ret);
/* Gives the draft the call's stageVariables. */
void test_set_variables(struct call *c, struct rest_live *draft);
#endif
