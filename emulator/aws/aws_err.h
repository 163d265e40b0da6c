/* aws_err.h - an AWS error is one value: which kind, and the exact message. Kinds are rows of
 * generated tables (gen/<svc>_model.h: DYNAMODB_ResourceNotFoundException, ...); nobody writes a
 * status or a type URI by hand. Errors are for the client; our own bugs go to PANIC(). */
#ifndef PUDDLE_AWS_ERR_H
#define PUDDLE_AWS_ERR_H
#include "arena.h"

struct aws_err_kind {
    const char *code;      /* "ResourceNotFoundException": x-amzn-ErrorType, query protocols   */
    const char *type_name; /* what __type carries: "com.amazonaws.dynamodb.v20120810#..."      */
    uint16_t http_status;
    bool message_capital_m; /* the member is "Message", not "message"                          */
    const char
        *fault; /* "User", "Service": the Type member of services that have one; NULL: none */
};

struct aws_err {
    const struct aws_err_kind *kind; /* NULL: no error */
    struct str message;              /* p == NULL: the body has no message member              */
    struct str members; /* pre-written extra JSON members without braces ("\"Item\":{}")       */
};

/* Always returns false, so a check reads as one line:
 *     if (table == NULL)
 *         return aws_fail(err, a, &DYNAMODB_ResourceNotFoundException, "... %.*s not found",
 * STR_ARG(name)); The first failure wins: failing an err that is already set is a bug. */
bool aws_fail(struct aws_err *err, struct arena *a, const struct aws_err_kind *kind,
              const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Kinds every service shares (com.amazon.coral.*). */
extern const struct aws_err_kind AWS_ValidationException, AWS_SerializationException,
    AWS_UnknownOperationException, AWS_InternalFailure, AWS_MissingAuthenticationTokenException,
    AWS_IncompleteSignatureException, AWS_InvalidSignatureException,
    AWS_UnrecognizedClientException, AWS_AccessDeniedException, AWS_InternalServerError;
#endif
