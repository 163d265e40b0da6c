/* links: puddle_dynamo */
#include "partiql_fixture.h"

/* All keys of a statement read in pages of limit, joined by '|' at page ends. */
static struct str pages(const char *statement, int limit)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    struct str token = STR("");
    for (int i = 0; i < 100; i++) {
        const char *next = token.n == 0 ? "" : FX(",\"NextToken\":%.*s", STR_ARG(token));
        struct str r = pql_with(statement, FX(",\"Limit\":%d%s", limit, next));
        struct str keys = pql_keys_of(r);
        buf_addf(&b, "%s%.*s", i == 0 ? "" : "|", STR_ARG(keys));
        token = fx_get(r, "NextToken");
        if (str_eq_c(token, "(missing)"))
            break;
    }
    struct str ret = arena_buf(fx_arena, &b);
    buf_release(&b);
    return ret;
}

TEST(every_item_comes_once)
{
    CHECK(pql_open());
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk = 'p'", 3), "p1 p2 p3|p4");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk = 'p'", 2), "p1 p2|p3 p4|");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk = 'p' ORDER BY sk DESC", 3), "p4 p3 p2|p1");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk IN ['q', 'p']", 3), "q1 q2 q3|q4 p1 p2|p3 p4");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk IN ['q', 'p'] AND sk = 2", 1), "q2|p2");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk = 'p' AND v = 'v4'", 2), "|p4|");
    CHECK_STR(pages("SELECT * FROM ccc.lii WHERE pk = 'p'", 3), "p4 p3 p2|p1");
    CHECK_STR(pages("SELECT * FROM ccc WHERE pk = 'p' AND sk = 1", 1), "p1");
    for (int limit = 1; limit < 10; limit++) {
        struct str all = pages("SELECT * FROM ccc", limit);
        size_t found = 0;
        for (size_t i = 0; i < all.n; i++)
            found += all.p[i] == 'p' || all.p[i] == 'q';
        CHECK_I64(found, 8);
    }
    fx_close();
}

TEST(a_page_says_where_it_ended)
{
    CHECK(pql_open());
    struct str r = pql_with("SELECT v FROM ccc WHERE pk = 'p'", ",\"Limit\":1");
    CHECK_STR(fx_get(r, "Items"), "[{\"v\":{\"S\":\"v1\"}}]");
    CHECK_STR(fx_get(r, "LastEvaluatedKey"), "{\"pk\":{\"S\":\"p\"},\"sk\":{\"N\":\"1\"}}");
    CHECK_STR(fx_get(pql("SELECT v FROM ccc WHERE pk = 'p'"), "LastEvaluatedKey"), "(missing)");
    fx_close();
}

TEST(named_partitions_come_ten_a_page)
{
    CHECK(pql_open());
    for (int i = 0; i < 12; i++)
        CHECK(pql_put_hhh(FX("k%02d", i), ""));
    const char *statement = "SELECT * FROM hhh WHERE pk IN ['k00','k01','k02','k03','k04','k05',"
                            "'k06','k07','k08','k09','k10','k11']";
    struct str r = pql(statement);
    CHECK_STR(pql_keys_of(r), "k00 k01 k02 k03 k04 k05 k06 k07 k08 k09");
    struct str token = fx_get(r, "NextToken");
    r = pql_with(statement, FX(",\"NextToken\":%.*s", STR_ARG(token)));
    CHECK_STR(pql_keys_of(r), "k10 k11");
    CHECK_STR(fx_get(r, "NextToken"), "(missing)");
    fx_close();
}

TEST(at_most_fifty_partitions)
{
    struct buf b;
    CHECK(pql_open());
    buf_init(&b, 1 << 16);
    for (int n = 50; n <= 51; n++) {
        buf_clear(&b);
        buf_add(&b, STR("SELECT * FROM hhh WHERE pk IN ['0'"));
        for (int i = 1; i < n; i++)
            buf_addf(&b, ",'%d'", i);
        buf_add(&b, STR("]"));
        struct str got = pql_message(arena_buf(fx_arena, &b).p);
        CHECK(n == 50 ? str_starts(got, STR("no error"))
                      : str_eq_c(got, "Too many decomposed read operations for a given query."));
    }
    buf_release(&b);
    fx_close();
}

TEST(tokens_are_checked)
{
    CHECK(pql_open());
    const char *statement = "SELECT * FROM ccc WHERE pk = 'p'";
    struct str r = pql_with(statement, ",\"Limit\":1");
    struct str token = fx_get(r, "NextToken");
    token = str_sub(token, 1, token.n - 1);
    const char *with = FX(",\"NextToken\":\"%.*s\"", STR_ARG(token));
    CHECK_STR(pql_keys_of(pql_with(statement, with)), "p2 p3 p4");
    CHECK_STR(pql_with("SELECT * FROM ccc WHERE pk = 'q'", with),
              "ValidationException: NextToken does not match request");
    CHECK_STR(pql_with("SELECT * FROM ccc.lii WHERE pk = 'p'", with),
              "ValidationException: NextToken does not match request");
    CHECK_STR(pql_with(statement, ",\"NextToken\":\"abc\""),
              "ValidationException: Invalid NextToken");
    CHECK_STR(pql_with(statement, ",\"NextToken\":\"QUJD\""),
              "ValidationException: Invalid NextToken");
    for (size_t i = 0; i < token.n; i += 7) {
        char *bad = (char *)arena_str(fx_arena, token).p;
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        CHECK_STR(pql_with(statement, FX(",\"NextToken\":\"%.*s\"", (int)token.n, bad)),
                  "ValidationException: Invalid NextToken");
    }
    /* parameters are part of the request */
    statement = "SELECT * FROM ccc WHERE pk = ?";
    r = pql_with(statement, ",\"Limit\":1,\"Parameters\":[{\"S\":\"p\"}]");
    token = fx_get(r, "NextToken");
    CHECK_STR(pql_with(statement,
                       FX(",\"NextToken\":%.*s,\"Parameters\":[{\"S\":\"q\"}]", STR_ARG(token))),
              "ValidationException: NextToken does not match request");
    CHECK_STR(
        pql_keys_of(pql_with(
            statement, FX(",\"NextToken\":%.*s,\"Parameters\":[{\"S\":\"p\"}]", STR_ARG(token)))),
        "p2 p3 p4");
    fx_close();
}

TEST(the_item_a_page_ended_at_may_go)
{
    CHECK(pql_open());
    struct str r = pql_with("SELECT * FROM ccc WHERE pk = 'p'", ",\"Limit\":2");
    struct str token = fx_get(r, "NextToken");
    pql("DELETE FROM ccc WHERE pk = 'p' AND sk = 2");
    CHECK_STR(pql_keys_of(pql_with("SELECT * FROM ccc WHERE pk = 'p'",
                                   FX(",\"NextToken\":%.*s", STR_ARG(token)))),
              "p3 p4");
    fx_close();
}

TEST(a_page_is_at_most_a_megabyte)
{
    CHECK(pql_open());
    const char *big = fx_repeat('x', 300000);
    for (int i = 0; i < 5; i++)
        CHECK(pql_put_hhh(FX("big%d", i), FX(",\"v\":{\"S\":\"%s\"}", big)));
    struct str r = pql("SELECT pk FROM hhh WHERE pk IN ['big0','big1','big2','big3','big4']");
    CHECK_STR(pql_keys_of(r), "big0 big1 big2 big3");
    CHECK(!str_eq_c(fx_get(r, "NextToken"), "(missing)"));
    fx_close();
}

TEST(a_page_over_several_partitions_is_at_most_a_megabyte_too)
{
    CHECK(pql_open());
    const char *big = fx_repeat('x', 300000);
    for (int i = 0; i < 6; i++)
        CHECK(str_starts(
            fx_call("PutItem", FX("{\"TableName\":\"ccc\",\"Item\":{\"pk\":{\"S\":\"big%d\"},"
                                  "\"sk\":{\"N\":\"%d\"},\"v\":{\"S\":\"%s\"}}}",
                                  i / 3, i % 3, big)),
            STR("{")));
    const char *statement = "SELECT pk, sk FROM ccc WHERE pk IN ['big0', 'big1']";
    struct str r = pql(statement);
    CHECK_STR(pql_keys_of(r), "big00 big01 big02 big10");
    r = pql_with(statement, FX(",\"NextToken\":%.*s", STR_ARG(fx_get(r, "NextToken"))));
    CHECK_STR(pql_keys_of(r), "big11 big12");
    CHECK_STR(fx_get(r, "NextToken"), "(missing)");
    fx_close();
}
