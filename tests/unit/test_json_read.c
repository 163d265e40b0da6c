/* links: puddle_aws */
#include "harness.h"
#include "json.h"
#include <stdlib.h>

static bool accepts_str(struct str text, unsigned depth)
{
    struct arena *a = arena_new(0, (size_t)1 << 30);
    struct jval v;
    size_t at_parse = SIZE_MAX, at_check = SIZE_MAX;
    /* a copy of exactly that size: a read behind the end is seen */
    char *copy = malloc(text.n + !text.n);
    if (copy == NULL)
        abort();
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    struct str exact = {copy, text.n};
    bool parsed = json_parse(a, exact, depth, &v, &at_parse);
    bool checked = json_check(exact, depth, &at_check);
    if (parsed != checked || at_parse != at_check || (!parsed && at_parse > text.n))
        test_fail(__FILE__, __LINE__, "parse and check disagree: %.*s", STR_ARG(text));
    free(copy);
    arena_free(a);
    return parsed;
}

/* facts/performance.md section 5: what jsmn takes, in its strict or in its default mode. */
TEST(every_text_that_jsmn_wrongly_takes_is_refused)
{
    static const char *const bad[] = {
        "",
        " \t\r\n",
        "{} {}",
        "\"a\" \"b\"",
        "1 2",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\",\"b\"}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1:2}",
        "{\"a\":\"b\":\"c\"}",
        "{\"a\":\"b\"\"c\"}",
        "{\"a\":\"b\" \"c\":\"d\"}",
        "{\"a\":{}{}}",
        "{\"a\":[][]}",
        "{,}",
        "{\"a\"::1}",
        "{\"a\":1;\"b\":2}",
        "{\"a\":\"x\",,\"b\":\"y\"}",
        "{\"a\":1,\"b\"}",
        "{\"a\":{\"b\"}}",
        "{\"a\":[\"b\":\"c\"]}",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1:2]",
        "[\"a\":1]",
        "[1,,2]",
        "{1:2}",
        "{[]:1}",
        "{null:1}",
        "tru",
        "nul",
        "t",
        "n",
        "f",
        "-",
        "--1",
        "1.2.3",
        "1e",
        "1e+",
        "1.e1",
        "-.5",
        "01",
        "-01",
        "00",
        "0x1",
        "1a",
        "nNaN",
        "NaN",
        "Infinity",
        "-Infinity",
        "f1lse",
        "truefalse",
        "True",
        "12e+-5",
        "1_000",
        "// x\n1",
        "/**/1",
        "1 // x",
        "[1}",
        "{\"a\":1]",
        "]",
        "}",
        "[[]",
        "[]]",
        "{\"a\":1",
        "{\"a\":",
        "{\"a\"",
        "{\"a",
        "{",
        "\"",
        "\"\\",
        "\"\\\"",
        "\"\\u",
        "\"\\u123\"",
        "\"\\u12g4\"",
        "\"\\U1234\"",
        "\"\\x41\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\\\n\"",
        "\"\t\"",
        "\"\n\"",
        "\"\x01\"",
        "\"01234567\x1f\"",
        "'a'",
        "a",
        "\xef\xbb\xbf{}",
        "\xa0"
        "1",
        "[1]\v",
        "[1]\f",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (accepts_str(str_c(bad[i]), 100))
            test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
    }
    CHECK(!accepts_str(STR("{}\0"), 100) && !accepts_str(STR("\0{}"), 100));
    CHECK(!accepts_str(STR("\"a\0b\""), 100) && !accepts_str(STR("[1,\0 2]"), 100));
    CHECK(!accepts_str(STR("\"\\\0\""), 100) && !accepts_str(STR_NONE, 100));
}

TEST(every_value_is_a_document)
{
    static const char *const good[] = {
        "0",
        "-0",
        "1E400",
        "-1.5e-10",
        "9e+0",
        " \t\r\nnull ",
        "false",
        "\"\\/\"",
        "\"\\b\\f\\n\\r\\t\"",
        "\"\x7f\"",
        "\"\\uD800\"",
        "{\"a\":1,\"a\":2}",
        "\"\xf4\x8f\xbf\xbf\"",
        "[[[]]]",
        "123456789012345678901234567890.123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!accepts_str(str_c(good[i]), 100))
            test_fail(__FILE__, __LINE__, "refused: %s", good[i]);
    }
}

TEST(broken_utf8_is_refused_wherever_it_stands)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3",
                                      "\xc3(",
                                      "\xe2\x82",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xf0\x9f\x98"};
    char text[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int before = 0; before < 10; before++) { /* every place in a step of eight bytes */
            size_t at = 0;
            int n = snprintf(text, sizeof text, "[\"%.*s%s\"]", before, "xxxxxxxxxx", bad[i]);
            if (json_check((struct str){text, (size_t)n}, 9, &at))
                test_fail(__FILE__, __LINE__, "accepted bytes %zu behind %d", i, before);
            CHECK_I64((long long)at, before + 2);
            n = snprintf(text, sizeof text, "{\"%s%.*s\":1}", bad[i], before, "xxxxxxxxxx");
            CHECK(!accepts_str((struct str){text, (size_t)n}, 9));
        }
    }
}

TEST(what_ends_a_plain_run_is_seen_at_every_place_of_it)
{
    char text[64];
    struct arena *a = arena_new(0, 1 << 20);
    for (int before = 0; before < 20; before++) {
        for (int after = 0; after < 20; after++) {
            struct jval v;
            struct str s = {text, 0};
            s.n = (size_t)snprintf(text, sizeof text, "\"%.*s\\\"%.*s\"", before,
                                   "!#]~abcdefghijklmnop", after, "!#]~abcdefghijklmnop");
            CHECK(json_parse(a, s, 1, &v, NULL));
            CHECK(jval_text(v, a).n == (size_t)(before + after + 1));
            s.p = text;
            text[before + 1] = 0x1f;
            CHECK(!json_check(s, 1, NULL));
        }
    }
    arena_free(a);
}

TEST(the_offset_of_an_error_is_exact)
{
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {{"", 0},           {"  ", 2},
                 {"{\"a\":1,}", 7}, {"[1,2", 4},
                 {"[1] x", 4},      {"tru", 0},
                 {"\"ab\ncd\"", 3}, {"\"a\\q\"", 3},
                 {"\"abc", 4},      {"{\"a\" 1}", 5},
                 {"[1 2]", 3},      {"01", 1},
                 {"[[[", 2},        {"\"\xc3\xa4\xff\"", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t at = 99;
        CHECK(!json_check(str_c(cases[i].text), 2, &at));
        if (at != cases[i].at)
            test_fail(__FILE__, __LINE__, "%s: got %zu, want %zu", cases[i].text, at, cases[i].at);
    }
}

/* ---- walking ---- */

TEST(stepping_through_containers_skips_what_is_inside_them)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct jval v, it = {0};
    struct str key;
    char seen[64] = "";
    CHECK(json_parse(a, STR(" {\"a\":{\"x\":[1,[2]],\"y\":{}},\"b\":[],\"c\":[{},{}],\"d\":4}"), 9,
                     &v, NULL));
    while (jval_next(v, &it, &key))
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s%zu%d ", STR_ARG(key),
                 jval_count(it), (int)jval_kind(it));
    CHECK_STR(str_c(seen), "a26 b05 c25 d03 ");
    CHECK_STR(jval_raw(jval_get(v, "a")), "{\"x\":[1,[2]],\"y\":{}}");
    CHECK(jval_kind(jval_at(jval_get(v, "c"), 1)) == JSON_OBJECT);
    CHECK(jval_kind(jval_at(jval_get(v, "c"), 2)) == JSON_MISSING);
    CHECK(jval_kind(jval_at(v, 0)) == JSON_MISSING);
    CHECK(jval_kind(jval_get(jval_get(v, "d"), "x")) == JSON_MISSING);
    it = (struct jval){0};
    CHECK(!jval_next(jval_get(v, "b"), &it, NULL) && !jval_next(jval_get(v, "d"), &it, NULL));
    CHECK(jval_raw((struct jval){0}).p == NULL && jval_count((struct jval){0}) == 0);
    arena_free(a);
}

TEST(keys_are_compared_unescaped)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct jval v, it = {0};
    int64_t n = 0;
    CHECK(json_parse(a, STR("{\"Table\\u004eame\":1,\"\\u0000\":2,\"\":3}"), 9, &v, NULL));
    CHECK(jval_i64(jval_get(v, "TableName"), &n) && n == 1);
    CHECK(jval_i64(jval_get_str(v, STR("\0")), &n) && n == 2);
    CHECK(jval_i64(jval_get(v, ""), &n) && n == 3);
    CHECK(jval_next(v, &it, NULL));
    CHECK_STR(jval_key_str(it, a), "TableName");
    arena_free(a);
}

TEST(escapes_become_utf8_and_lone_surrogates_the_replacement_character)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"\"\\u0041\\u00e4\\u20AC\\uD83D\\uDE00\"", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\ud800\"", "\xef\xbf\xbd"},
        {"\"\\udc00x\"", "\xef\xbf\xbdx"},
        {"\"\\ud800\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"\\ud800\\n\"", "\xef\xbf\xbd\n"},
        {"\"\\ud800\\ud800\\udc00\"", "\xef\xbf\xbd\xf0\x90\x80\x80"},
        {"\"\\uFFFF\\uDBFF\\uDFFF\"", "\xef\xbf\xbf\xf4\x8f\xbf\xbf"},
    };
    struct arena *a = arena_new(0, 1 << 20);
    struct jval v;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(json_parse(a, str_c(cases[i].text), 1, &v, NULL));
        CHECK_STR(jval_text(v, a), cases[i].want);
    }
    CHECK(json_parse(a, STR("\"a\\u0000b\""), 1, &v, NULL) && str_eq(jval_text(v, a), STR("a\0b")));
    arena_free(a);
}

static struct jval parse(struct arena *a, const char *text)
{
    struct jval v = {0};
    json_parse(a, str_c(text), 9, &v, NULL);
    return v;
}

TEST(numbers_are_read_only_when_they_fit)
{
    struct arena *a = arena_new(0, 1 << 20);
    int64_t i = 7;
    double d = 7;
    CHECK(jval_i64(parse(a, "-9223372036854775808"), &i) && i == INT64_MIN);
    CHECK(!jval_i64(parse(a, "9223372036854775808"), &i) && !jval_i64(parse(a, "1.0"), &i));
    CHECK(!jval_i64(parse(a, "1e2"), &i) && !jval_i64(parse(a, "\"1\""), &i));
    CHECK(!jval_i64((struct jval){0}, &i) && !jval_i64(parse(a, "null"), &i));
    CHECK(jval_double(parse(a, "-1.5e2"), &d) && d == -150);
    CHECK(!jval_double(parse(a, "1e400"), &d) && !jval_double(parse(a, "true"), &d));
    arena_free(a);
}

TEST(other_kinds_are_not_converted)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct str s = STR("before");
    bool b = false;
    CHECK(!jval_str(parse(a, "1"), a, &s) && str_eq_c(s, "before"));
    CHECK(jval_text(parse(a, "null"), a).p != NULL && jval_text(parse(a, "null"), a).n == 0);
    CHECK(jval_bool(parse(a, "true"), &b) && b && !jval_bool(parse(a, "0"), &b));
    CHECK(jval_present(parse(a, "false")) && !jval_present(parse(a, "null")));
    CHECK(!jval_present((struct jval){0}));
    arena_free(a);
}

/* ---- size ---- */

/* The number of members of the outermost value; -1: refused. */
static int64_t count_of(struct str text, unsigned depth)
{
    struct arena *a = arena_new(0, (size_t)1 << 30);
    struct jval v;
    int64_t count = json_parse(a, text, depth, &v, NULL) ? (int64_t)jval_count(v) : -1;
    arena_free(a);
    return count;
}

/* n times unit, between open and close. */
static struct str repeated(struct buf *b, const char *open, const char *unit, int n,
                           const char *close)
{
    buf_clear(b);
    buf_add(b, str_c(open));
    for (int i = 0; i < n; i++) {
        buf_add(b, str_c(i == 0 && unit[0] == ',' ? unit + 1 : unit));
    }
    buf_add(b, str_c(close));
    return buf_view(b);
}

TEST(objects_of_200000_members_are_read_whole)
{
    static const char *const units[] = {",\"k\":1", ",\"k\":{\"a\":[]}", ",\"\\u0041\":[{},{}]"};
    struct buf b;
    buf_init(&b, 64 << 20);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        CHECK_I64(count_of(repeated(&b, "{", units[i], 200000, "}"), 100), 200000);
    buf_release(&b);
}

TEST(depth_is_fine_up_to_the_hard_cap_and_refused_above_the_callers)
{
    enum { DEEP = 1024 };
    struct buf b;
    buf_init(&b, 64 << 20);
    for (int i = 0; i < DEEP; i++)
        buf_add(&b, STR("{\"a\":"));
    buf_addc(&b, '1');
    for (int i = 0; i < DEEP; i++)
        buf_addc(&b, '}');
    CHECK(accepts_str(buf_view(&b), DEEP));
    CHECK(!accepts_str(buf_view(&b), DEEP - 1));
    buf_clear(&b);
    buf_addc(&b, '[');
    for (int k = 0; k < 200; k++) { /* 200 towers of 1000 */
        if (k > 0)
            buf_addc(&b, ',');
        for (int i = 0; i < 1000; i++)
            buf_addc(&b, '[');
        for (int i = 0; i < 1000; i++)
            buf_addc(&b, ']');
    }
    buf_addc(&b, ']');
    CHECK_I64(count_of(buf_view(&b), DEEP), 200);
    repeated(&b, "", "[", 5000000, "");
    CHECK(!accepts_str(buf_view(&b), DEEP));
    buf_release(&b);
}

TEST(a_document_of_too_many_values_is_refused)
{
    enum { MOST = 8 * 1024 * 1024 };
    struct buf b;
    struct arena *a = arena_new(0, (size_t)1 << 30);
    struct jval v;
    size_t at = 0;
    buf_init(&b, 64 << 20);
    repeated(&b, "[", ",0", MOST - 1, "]"); /* with the array itself: as many as may be */
    bool at_limit = json_parse(a, buf_view(&b), 9, &v, NULL);
    arena_reset(a);
    repeated(&b, "[", ",0", MOST, "]");
    bool past_it = json_parse(a, buf_view(&b), 9, &v, &at);
    bool is_json = json_check(buf_view(&b), 9, NULL);
    size_t n = b.n;
    arena_free(a);
    buf_release(&b);
    CHECK(at_limit && !past_it);
    CHECK(is_json);
    CHECK_I64((long long)at, (long long)n);
}
