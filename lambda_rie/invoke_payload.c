/* Is an event acceptable? Lambda reads it with Jackson, whose words its errors carry. */
#include "function.h"

enum { SYNC_MAX = 6291456, ASYNC_MAX = 1048576, DEPTH_MAX = 1000 };

static bool check_size(struct str payload, bool asynchronous, struct arena *a, struct aws_err *err)
{
    static const struct aws_err_kind too_large = {"RequestEntityTooLargeException", "", 413, false,
                                                  NULL};
    if (!asynchronous && payload.n > SYNC_MAX)
        return aws_fail(err, a, &too_large,
                        "Request must be smaller than %d bytes for the InvokeFunction operation",
                        SYNC_MAX);
    if (asynchronous && payload.n > ASYNC_MAX)
        return aws_fail(err, a, &too_large,
                        "%zu byte payload is too large for the Event invocation type (limit %d "
                        "bytes)",
                        payload.n, ASYNC_MAX);
    return true;
}

static bool is_word(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Does the byte at offset stand in a string? */
static bool in_string(struct str s, size_t offset)
{
    bool inside = false;
    for (size_t i = 0; i < offset; i++) {
        if (s.p[i] == '"')
            inside = !inside;
        else if (s.p[i] == '\\' && inside)
            i++;
    }
    return inside;
}

/* What is wrong at offset; *ret_at: the place that is reported. */
static struct str reason_at(struct str s, size_t offset, struct arena *a, size_t *ret_at)
{
    static const char expected[] = "expected a valid value (JSON String, Number, Array, Object or "
                                   "token 'null', 'true' or 'false')";
    *ret_at = offset;
    if (offset >= s.n)
        return STR("Unexpected end-of-input"); /* unverified: Jackson's full wording */
    unsigned char c = (unsigned char)s.p[offset];
    if (c >= 0x80 && in_string(s, offset))
        return arena_fmt(a, "Invalid UTF-8 start byte 0x%x", c);
    size_t end = offset;
    while (end < s.n && is_word(s.p[end]))
        end++;
    if (end > offset && end < s.n && (unsigned char)s.p[end] >= 0x80) {
        *ret_at = end + 1; /* it has read on to show the whole word */
        return arena_fmt(a, "Invalid UTF-8 start byte 0x%x", (unsigned char)s.p[end]);
    }
    if (end > offset)
        return arena_fmt(a,
                         "Unrecognized token '%.*s': was expecting (JSON String, Number, Array, "
                         "Object or token 'null', 'true' or 'false')",
                         (int)(end - offset), s.p + offset);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return arena_fmt(a, "Unexpected character ((CTRL-CHAR, code %u)): %s", c, expected);
    if (c >= 0xa0) /* unverified: Jackson shows the character that the bytes make */
        return arena_fmt(a, "Unexpected character (code %u): %s", c, expected);
    return arena_fmt(a, "Unexpected character ('%c' (code %u)): %s", c, c, expected);
}

bool lam_payload_check(struct str payload, bool asynchronous, struct arena *a, struct aws_err *err)
{
    size_t offset, at, line = 1, column = 1;
    if (!check_size(payload, asynchronous, a, err))
        return false;
    if (json_check(payload, DEPTH_MAX, &offset))
        return true;
    struct str reason = reason_at(payload, offset, a, &at);
    for (size_t i = 0; i < at && i < payload.n; i++) {
        column = payload.p[i] == '\n' ? 1 : column + 1;
        line += payload.p[i] == '\n';
    }
    return aws_fail(err, a, &LAMBDA_InvalidRequestContentException,
                    "Could not parse request body into json: Could not parse payload into json: "
                    "%.*s\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
                    "disabled); line: %zu, column: %zu]",
                    STR_ARG(reason), line, column);
}
