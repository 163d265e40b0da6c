#include "tags.h"
#include <string.h>

#define FAIL(...) aws_fail(err, a, &AWS_ValidationException, __VA_ARGS__)

/* Letters, digits, spaces and a few signs. unverified: which letters beyond ASCII; all pass. */
static bool allowed(struct str s, size_t most)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char x = (unsigned char)s.p[i];
        bool ok = x >= 0x80 || (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z') ||
                  (x >= '0' && x <= '9') || (x != 0 && strchr(" +-=._:/", x) != NULL);
        if (!ok)
            return false;
    }
    return str_utf8_count(s) <= most;
}

static bool check_key(struct str key, struct arena *a, struct aws_err *err)
{
    if (key.n == 0 || !allowed(key, TAGS_KEY_MAX))
        return FAIL("The Tag Key provided is invalid, Key: %.*s", STR_ARG(key));
    if (key.n >= 4 && str_case_eq(str_sub(key, 0, 4), STR("aws:")))
        return FAIL("Tag Key cannot be prefixed with aws:, Key: %.*s", STR_ARG(key));
    return true;
}

static bool check_count(size_t count, struct arena *a, struct aws_err *err)
{
    return count <= TAGS_MAX ||
           FAIL("Number of Tags exceed the current limit for the provided ResourceArn");
}

bool tags_check(struct jval tags, struct arena *a, struct aws_err *err)
{
    struct jval it = {0};
    if (!check_count(jval_count(tags), a, err))
        return false;
    for (size_t i = 0; jval_next(tags, &it, NULL); i++) {
        struct jval other = {0};
        struct str key = jval_text(jval_get(it, "Key"), a), value;
        if (!check_key(key, a, err))
            return false;
        if (!jval_str(jval_get(it, "Value"), a, &value))
            return FAIL("The Tag Value provided is invalid, Value: null");
        if (!allowed(value, TAGS_VALUE_MAX))
            return FAIL("The Tag Value provided is invalid, Value: %.*s", STR_ARG(value));
        for (size_t k = 0; k < i && jval_next(tags, &other, NULL); k++) {
            if (str_eq(key, jval_text(jval_get(other, "Key"), a)))
                return FAIL("Duplicate Tag Keys provided as input: Duplicate Tag Key found %.*s",
                            STR_ARG(key));
        }
    }
    return true;
}

bool tags_check_keys(struct jval keys, struct arena *a, struct aws_err *err)
{
    struct jval it = {0};
    if (!check_count(jval_count(keys), a, err))
        return false;
    while (jval_next(keys, &it, NULL)) {
        if (!check_key(jval_text(it, a), a, err))
            return false;
    }
    return true;
}
