/* links: puddle_logs */
#include "cwl_filter.h"
#include "harness.h"

static int match(const char *pattern, const char *message)
{
    struct arena *a = arena_new(0, 64 << 20);
    struct cwl_filter *f;
    int result =
        cwl_filter_parse(str_c(pattern), a, &f) ? cwl_filter_match(f, str_c(message), a) : -1;
    arena_free(a);
    return result;
}

struct row {
    const char *pattern, *message;
    int want; /* 1: found, 0: not, -1: not a pattern */
};
#define CHECK_ROWS(rows)                                                                           \
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {                                      \
        int got = match(rows[i].pattern, rows[i].message);                                         \
        if (got != rows[i].want) {                                                                 \
            test_fail(__FILE__, __LINE__, "%s on %s: got %d", rows[i].pattern, rows[i].message,    \
                      got);                                                                        \
            return;                                                                                \
        }                                                                                          \
    }

TEST(terms_must_all_be_there)
{
    static const struct row rows[] = {
        {"", "anything", 1},
        {"  ", "", 1},
        {"ERROR", "an ERROR here", 1},
        {"ERROR", "an error here", 0},
        {"ERROR ARGUMENTS", "ERROR invalid ARGUMENTS", 1},
        {"ERROR ARGUMENTS", "ERROR only", 0},
        {"\"INTERNAL SERVER ERROR\"", "x INTERNAL SERVER ERROR y", 1},
        {"\"INTERNAL SERVER ERROR\"", "INTERNAL ERROR SERVER", 0},
        {"\"a\\\"b\"", "say a\"b", 1},
        {"?ERROR ?WARN", "a WARN", 1},
        {"?ERROR ?WARN", "an INFO", 0},
        {"?ERROR WARN", "WARN", 1}, /* with a term that must be there, ? does not count */
        {"ERROR -ARGUMENTS", "ERROR x", 1},
        {"ERROR -ARGUMENTS", "ERROR ARGUMENTS", 0},
        {"-ARGUMENTS", "x", 1},
        {"%AUTHORIZED%", "UNAUTHORIZED", 1},
        {"%ERR[0-9]+%", "code ERR42", 1},
        {"%ERR[0-9]+%", "code ERR", 0},
        {"\"unclosed", "x", -1},
        {"%unclosed", "x", -1},
        {"%(%", "x", -1},
        {"%a{1000}%", "x", -1},
        {"%%", "x", -1},
        {"-", "x", -1},
    };
    CHECK_ROWS(rows);
}

TEST(json_conditions)
{
    static const char event[] =
        "{\"eventType\":\"UpdateTrail\",\"n\":3,\"f\":1.5,\"ok\":true,\"no\":null,\"ip\":"
        "\"10.0.0.1\",\"a\":{\"b\":[{\"c\":\"x\"},{\"c\":\"y\"}],\"k.k\":7},\"e\":\"1e3\"}";
    static const struct row rows[] = {
        {"{ $.eventType = \"UpdateTrail\" }", event, 1},
        {"{ $.eventType = UpdateTrail }", event, 1},
        {"{$.eventType=\"Update*\"}", event, 1},
        {"{ $.eventType = \"*Trail\" }", event, 1},
        {"{ $.eventType = \"*date*\" }", event, 1},
        {"{ $.eventType = \"Delete*\" }", event, 0},
        {"{ $.eventType != \"Delete*\" }", event, 1},
        {"{ $.missing != \"x\" }", event, 0},
        {"{ $.eventType = %^Up.*l$% }", event, 1},
        {"{ $.n = 3 }", event, 1},
        {"{ $.n = 3.0 }", event, 1},
        {"{ $.n >= 3 && $.n < 4 }", event, 1},
        {"{ $.n > 3 }", event, 0},
        {"{ $.f <= 1.5 }", event, 1},
        {"{ $.ok IS TRUE }", event, 1},
        {"{ $.ok IS FALSE }", event, 0},
        {"{ $.no IS NULL }", event, 1},
        {"{ $.n IS NULL }", event, 0},
        {"{ $.missing NOT EXISTS }", event, 1},
        {"{ $.no NOT EXISTS }", event, 0},
        {"{ $.a.b[1].c = y }", event, 1},
        {"{ $.a.b[2].c = y }", event, 0},
        {"{ $.a.['k.k'] = 7 }", event, 1},
        {"{ $.a['k.k'] = 7 }", event, 1},
        {"{ $.ip = 10.0.* }", event, 1},
        {"{ ($.n = 1 || $.n = 3) && $.ok IS TRUE }", event, 1},
        {"{ $.n = 1 || $.n = 3 && $.ok IS FALSE }", event, 0},
        {"{ $.n = 3 }", "not json", 0},
        {"{ $.n = 3 }", "{\"n\":", 0},
        {"{ $.n = 3 }", " {\"n\":3}\n", 1},
        {"{ $[0].n = 3 }", "[{\"n\":3}]", 1},
        {"{ $.n = }", event, -1},
        {"{ $.n 3 }", event, -1},
        {"{ $.n = 3", event, -1},
        {"{ $.n = 3 } x", event, -1},
        {"{ $.n > \"three\" }", event, -1},
        {"{ }", event, -1},
        {"{ ($.n = 3 }", event, -1},
    };
    CHECK_ROWS(rows);
}

TEST(space_delimited_columns)
{
    static const char line[] =
        "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
    static const struct row rows[] = {
        {"[ip, id, user, time, request, status, size]", line, 1},
        {"[ip, id, user, time, request, status]", line, 0},
        {"[ip, id, user, time, request, status=404, size]", line, 1},
        {"[ip, id, user, time, request, status=4*, size>1000]", line, 1},
        {"[ip, id, user, time, request, status=4*, size>2000]", line, 0},
        {"[..., status=404, size]", line, 1},
        {"[ip, ...]", line, 1},
        {"[ip, ..., size=1534]", line, 1},
        {"[..., request=\"GET *\", status, size]", line, 1},
        {"[ip=10.*, ...]", line, 0},
        {"[w1!=\"a\" && w1!=\"b\", ...]", line, 1},
        {"[w1=\"a\" || w1=127.*, ...]", line, 1},
        {"[a, b, c]", "one two", 0},
        {"[a, ..., b]", "one two", 1},
        {"[a, ..., b]", "one", 0},
        {"[..., a, ...]", line, -1},
        {"[a, b", line, -1},
        {"[a=]", line, -1},
    };
    CHECK_ROWS(rows);
}

TEST(bad_patterns_end)
{
    char deep[2048] = "{ ";
    for (int i = 0; i < 1000; i++)
        strcat(deep, "(");
    CHECK_I64(match(deep, "{}"), -1);
    char many[2048] = "";
    for (int i = 0; i < 300; i++)
        strcat(many, "a ");
    CHECK_I64(match(many, "a"), -1);
    CHECK_I64(match("*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 0);
    CHECK_I64(match("{ $.x = *a*a*a*a*a*a*a*a*a*b }", "{\"x\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"}"), 0);
}
