/* puddle/handler.h - a Lambda handler in C, as a shared object. Build it with
 *
 *     cc -shared -fPIC -o hello.so hello.c
 *
 * zip it, and create a function with Runtime provided.al2023 and Handler "hello.so" (or
 * "hello.so.name" for an entry point that is not called lambda_handler). On AWS itself a shared
 * object is not a runtime: this is for functions that run here, and for tests.
 *
 * The handler runs in a process of its own, one invocation at a time: a crash is that invocation's
 * error. What it writes to descriptors 1 and 2 is its log. */
#ifndef PUDDLE_HANDLER_H
#define PUDDLE_HANDLER_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LAMBDA_HANDLER_ABI = 1 };

struct lambda_context { /* valid during the call */
    const char *aws_request_id, *function_name, *function_version, *invoked_function_arn;
    const char *memory_limit_in_mb, *log_group_name, *log_stream_name, *trace_id;
    const char *client_context; /* JSON text, or "" */
    int64_t deadline_ms;        /* since 1970 */
};

struct lambda_reply; /* the host's */

/* Appends bytes to the response (or, after lambda_fail, nothing). 0, or -1 above 6 MB. */
typedef int lambda_write_fn(struct lambda_reply *reply, const void *bytes, size_t size);
/* The invocation fails with this error type and message; what was written is dropped. */
typedef void lambda_fail_fn(struct lambda_reply *reply, const char *error_type,
                            const char *error_message);

struct lambda_host { /* what the host offers; later versions add members at the end */
    int abi;         /* LAMBDA_HANDLER_ABI */
    lambda_write_fn *write;
    lambda_fail_fn *fail;
};

/* The one function that the shared object exports. event is JSON text, NUL-terminated. Returns 0,
 * or anything else: the invocation fails (with what lambda_fail was told, if it was called). A
 * response without a byte is null. */
typedef int lambda_handler_fn(const struct lambda_host *host, const struct lambda_context *context,
                              const char *event, size_t event_size, struct lambda_reply *reply);

#ifdef __cplusplus
}
#endif
#endif
