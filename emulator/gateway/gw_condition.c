#include "gw_condition.h"
#include <arpa/inet.h>
#include <string.h>

enum test { TEST_IP, TEST_EQUALS, TEST_EQUALS_CASELESS, TEST_LIKE, TEST_BOOL };
static const struct operator
{
    const char *name;
    enum test test;
    bool negated;
}
operators[] = {
    {"IpAddress", TEST_IP, false},
    {"NotIpAddress", TEST_IP, true},
    {"StringEquals", TEST_EQUALS, false},
    {"StringNotEquals", TEST_EQUALS, true},
    {"StringEqualsIgnoreCase", TEST_EQUALS_CASELESS, false},
    {"StringNotEqualsIgnoreCase", TEST_EQUALS_CASELESS, true},
    {"StringLike", TEST_LIKE, false},
    {"StringNotLike", TEST_LIKE, true},
    {"Bool", TEST_BOOL, false},
};

static const struct operator* find_operator(struct str name, bool *ret_if_exists)
{
    *ret_if_exists = str_ends(name, STR("IfExists"));
    if (*ret_if_exists)
        name = str_sub(name, 0, name.n - (sizeof "IfExists" - 1));
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (str_eq_c(name, operators[i].name))
            return &operators[i];
    }
    return NULL;
}

/* The request's value of a condition key; p == NULL: the key is not in the request (there is no VPC
 * here). False: the key is none of those we know. */
static bool key_value(struct str key, const struct policy_env *env, struct str *ret)
{
    static const char *const absent[] = {"aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp"};
    *ret = STR_NONE;
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        if (str_case_eq(key, str_c(absent[i])))
            return true;
    }
    if (str_case_eq(key, STR("aws:SourceIp")))
        *ret = env->source_ip;
    else if (str_case_eq(key, STR("aws:UserAgent")))
        *ret = env->user_agent;
    else if (str_case_eq(key, STR("aws:Referer")))
        *ret = env->referer;
    else if (str_case_eq(key, STR("aws:SecureTransport")))
        *ret = STR("true"); /* as on AWS, where no API is reached without TLS */
    else
        return false;
    return true;
}

static bool parse_ip(struct str text, unsigned char out[16], size_t *ret_bytes)
{
    char buffer[64];
    if (text.n >= sizeof buffer || memchr(text.p, 0, text.n) != NULL)
        return false;
    memcpy(buffer, text.p, text.n);
    buffer[text.n] = '\0';
    *ret_bytes = str_find(text, ':') >= 0 ? 16 : 4;
    return inet_pton(*ret_bytes == 4 ? AF_INET : AF_INET6, buffer, out) == 1;
}

bool condition_cidr_has(struct str cidr, struct str ip)
{
    unsigned char net[16], address[16];
    size_t net_bytes, bytes;
    int64_t bits;
    struct str length = cidr, start = str_cut(&length, '/');
    if (start.p == NULL || ip.p == NULL || !parse_ip(start, net, &net_bytes) ||
        !parse_ip(ip, address, &bytes) || bytes != net_bytes)
        return false;
    bits = (int64_t)bytes * 8;
    if (length.p != NULL && (!str_to_i64(length, &bits) || bits < 0 || bits > (int64_t)bytes * 8))
        return false;
    size_t whole = (size_t)bits / 8, rest = (size_t)bits % 8;
    if (memcmp(net, address, whole) != 0)
        return false;
    unsigned mask = 0xffU << (8 - rest) & 0xffU;
    return rest == 0 || (net[whole] & mask) == (address[whole] & mask);
}

static bool fits(enum test test, struct str wanted, struct str value)
{
    switch (test) {
    case TEST_IP:
        return condition_cidr_has(wanted, value);
    case TEST_EQUALS:
        return str_eq(wanted, value);
    case TEST_EQUALS_CASELESS:
    case TEST_BOOL:
        return str_case_eq(wanted, value);
    case TEST_LIKE:
        return policy_matches(wanted, value);
    }
    return false;
}

static bool any_fits(enum test test, struct jval wanted, struct str value, struct arena *a)
{
    struct jval it = {0};
    if (jval_kind(wanted) != JSON_ARRAY)
        return fits(test,
                    jval_kind(wanted) == JSON_STRING ? jval_text(wanted, a) : jval_raw(wanted),
                    value);
    while (jval_next(wanted, &it, NULL)) {
        if (fits(test, jval_kind(it) == JSON_STRING ? jval_text(it, a) : jval_raw(it), value))
            return true;
    }
    return false;
}

bool condition_is_known(struct jval block, struct arena *a, struct str *ret_what)
{
    struct jval it = {0}, key;
    struct policy_env none = {STR_NONE, STR_NONE, STR_NONE};
    struct str value;
    bool if_exists;
    while (jval_kind(block) == JSON_OBJECT && jval_next(block, &it, NULL)) {
        *ret_what = jval_key_str(it, a);
        if (find_operator(*ret_what, &if_exists) == NULL || jval_kind(it) != JSON_OBJECT)
            return false;
        for (key = (struct jval){0}; jval_next(it, &key, NULL);) {
            *ret_what = jval_key_str(key, a);
            if (!key_value(*ret_what, &none, &value))
                return false;
        }
    }
    return true;
}

bool condition_holds(struct jval block, const struct policy_env *env, struct arena *a)
{
    struct jval it = {0}, key;
    struct str value;
    bool if_exists;
    while (jval_kind(block) == JSON_OBJECT && jval_next(block, &it, NULL)) {
        const struct operator* op = find_operator(jval_key_str(it, a), &if_exists);
        for (key = (struct jval){0}; op != NULL && jval_next(it, &key, NULL);) {
            if (!key_value(jval_key_str(key, a), env, &value))
                return false;
            /* without the key, only the negated operators and ...IfExists hold */
            if (value.p == NULL ? !(op->negated || if_exists)
                                : any_fits(op->test, key, value, a) == op->negated)
                return false;
        }
    }
    return true;
}
