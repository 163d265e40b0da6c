/* links: puddle_aws */
#include "harness.h"
#include "json.h"
#include <stdlib.h>

static bool accepts(const char *text, size_t n)
{
    struct arena *a = arena_new(0, (size_t)1 << 30);
    struct jval v;
    bool parsed = json_parse(a, (struct str){text, n}, 100, &v, NULL);
    bool checked = json_check((struct str){text, n}, 100, NULL);
    arena_free(a);
    return parsed && checked;
}

TEST(accepts_what_rfc_8259_allows)
{
    static const char *const good[] = {
        "1",         "-0",          "null",        "true", "\"\"",       "[]",
        "{}",        " [ 1 , 2 ] ", "-1.5e10",     "1E+2", "{\"a\":{}}", "\"\\ud83d\\ude00\"",
        "[[],[{}]]", "\"\\u0000\"", "{\"\":\"\"}", "0.1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!accepts(good[i], strlen(good[i])))
            test_fail(__FILE__, __LINE__, "refused: %s", good[i]);
    }
}

TEST(refuses_what_jsmn_alone_would_take)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "{} {}",
                                      "\"a\" \"b\"",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "[1:2]",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "{,}",
                                      "{a:1}",
                                      "{1:2}",
                                      "'a'",
                                      "{}x",
                                      "+1",
                                      "01",
                                      "0x1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1.2.3",
                                      "tru",
                                      "nul",
                                      "nan",
                                      "truefalse",
                                      "\"\n\"",
                                      "\"\x01\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "[",
                                      "{\"a\":1",
                                      "\"abc",
                                      "]",
                                      "[}",
                                      "{\"a\":1]",
                                      "[\"a\":1]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (accepts(bad[i], strlen(bad[i])))
            test_fail(__FILE__, __LINE__, "accepted: %s", bad[i]);
    }
    CHECK(!accepts("[1]\0", 4));
}

TEST(depth_is_capped_at_the_limit_and_not_before)
{
    char text[400];
    memset(text, '[', 200);
    memset(text + 100, ']', 100);
    CHECK(accepts(text, 200));
    memset(text, '[', 101);
    memset(text + 101, ']', 101);
    CHECK(!accepts(text, 202));
}

TEST(the_error_offset_is_where_the_text_stops_being_json)
{
    size_t at = 99;
    CHECK(!json_check(STR("{\"a\":x}"), 10, &at));
    CHECK_I64(at, 5);
}

TEST(values_are_reached_unescaped_and_of_duplicate_keys_the_last_wins)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct jval v, it = {0};
    int64_t n = 0;
    size_t members = 0;
    bool ok = json_parse(
        a, STR("{\"a\":1,\"b\":[10,20],\"a\":2,\"\\u0063\":\"x\\n\\u00e4\\ud83d\\ude00\"}"), 10, &v,
        NULL);
    ok = ok && jval_i64(jval_get(v, "a"), &n) && n == 2;
    ok = ok && jval_i64(jval_at(jval_get(v, "b"), 1), &n) && n == 20;
    ok = ok && str_eq_c(jval_text(jval_get(v, "c"), a), "x\n\xc3\xa4\xf0\x9f\x98\x80");
    ok = ok && jval_kind(jval_get(v, "d")) == JSON_MISSING;
    while (jval_next(v, &it, NULL))
        members++;
    arena_free(a);
    CHECK(ok);
    CHECK_I64(members, 4);
}

TEST(a_flat_object_of_100000_members_is_linear)
{
    struct arena *a = arena_new(0, (size_t)1 << 30);
    struct buf b;
    struct jval v = {0};
    buf_init(&b, 16 << 20);
    buf_addc(&b, '{');
    for (int i = 0; i < 100000; i++)
        buf_addf(&b, "%s\"k%d\":%d", i ? "," : "", i, i);
    buf_addc(&b, '}');
    bool ok = json_parse(a, buf_view(&b), 10, &v, NULL);
    size_t count = ok ? jval_count(v) : 0;
    arena_free(a);
    buf_release(&b);
    CHECK_I64(count, 100000);
}

TEST(what_is_written_reads_back)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct buf *b = arena_new_buf(a, 4096);
    struct json_out w;
    struct jval v;
    json_out_init(&w, b);
    json_obj(&w, NULL);
    json_str(&w, "s", STR("\"\\\n\x01"));
    json_arr(&w, "l");
    json_i64(&w, NULL, -5);
    json_bool(&w, NULL, true);
    json_null(&w, NULL);
    json_double(&w, NULL, 0.1);
    json_end(&w);
    json_key(&w, STR("odd \" key"));
    json_obj(&w, NULL);
    json_end(&w);
    json_cstr(&w, "z", "end");
    json_end(&w);
    struct str text = buf_view(b);
    bool same =
        str_eq_c(text, "{\"s\":\"\\\"\\\\\\n\\u0001\",\"l\":[-5,true,null,0.1],\"odd \\\" key\":{},"
                       "\"z\":\"end\"}");
    struct buf *again = arena_new_buf(a, 4096);
    struct json_out w2;
    json_out_init(&w2, again);
    bool ok = json_parse(a, text, 10, &v, NULL);
    if (ok)
        json_copy(&w2, NULL, v);
    bool copied = ok && str_eq(text, buf_view(again));
    arena_free(a);
    CHECK(same);
    CHECK(copied);
}

TEST(a_writer_past_its_limit_only_sets_overflow)
{
    struct buf b;
    struct json_out w;
    buf_init(&b, 8);
    json_out_init(&w, &b);
    json_str(&w, NULL, STR("0123456789"));
    CHECK(b.overflow);
    CHECK(b.n <= 8);
    buf_release(&b);
}
