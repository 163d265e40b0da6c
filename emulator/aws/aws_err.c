#include "aws_err.h"
#include "panic.h"
#include <stdarg.h>
#include <stdio.h>

#define CORAL "com.amazon.coral.service#"

const struct aws_err_kind AWS_ValidationException = {
    "ValidationException", "com.amazon.coral.validate#ValidationException", 400, false, "User"};
const struct aws_err_kind AWS_SerializationException = {
    "SerializationException", CORAL "SerializationException", 400, true, "User"};
const struct aws_err_kind AWS_UnknownOperationException = {
    "UnknownOperationException", CORAL "UnknownOperationException", 400, false, NULL};
const struct aws_err_kind AWS_InternalFailure = {"InternalFailure", CORAL "InternalFailure", 500,
                                                 false, NULL};
const struct aws_err_kind AWS_MissingAuthenticationTokenException = {
    "MissingAuthenticationTokenException", CORAL "MissingAuthenticationTokenException", 400, false,
    NULL};
const struct aws_err_kind AWS_IncompleteSignatureException = {
    "IncompleteSignatureException", CORAL "IncompleteSignatureException", 400, false, NULL};
const struct aws_err_kind AWS_InvalidSignatureException = {
    "InvalidSignatureException", CORAL "InvalidSignatureException", 400, false, NULL};
const struct aws_err_kind AWS_UnrecognizedClientException = {
    "UnrecognizedClientException", CORAL "UnrecognizedClientException", 400, false, NULL};
const struct aws_err_kind AWS_AccessDeniedException = {
    "AccessDeniedException", CORAL "AccessDeniedException", 400, true, NULL};
const struct aws_err_kind AWS_InternalServerError = {
    "InternalServerError", "com.amazonaws.dynamodb.v20120810#InternalServerError", 500, false,
    "Service"};

/* Messages echo what a client sent, also headers that are not text: a reply is JSON all the same.
 */
static void make_utf8(char *text, size_t n)
{
    for (size_t at = 0;;) {
        at += str_utf8_prefix((struct str){text + at, n - at});
        if (at == n)
            return;
        text[at++] = '?';
    }
}

bool aws_fail(struct aws_err *err, struct arena *a, const struct aws_err_kind *kind,
              const char *fmt, ...)
{
    va_list args, again;
    ASSERT(err->kind == NULL);
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    ASSERT(n >= 0);
    char *text = arena_alloc_raw(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    make_utf8(text, (size_t)n);
    err->kind = kind;
    err->message = (struct str){text, (size_t)n};
    return false;
}
