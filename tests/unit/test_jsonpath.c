/* links: puddle_lang */
#include "harness.h"
#include "jsonpath.h"

static const char store[] =
    "{\"store\":{\"book\":[{\"category\":\"reference\",\"author\":\"Rees\",\"title\":\"Sayings\","
    "\"price\":8.95},"
    "{\"category\":\"fiction\",\"author\":\"Waugh\",\"title\":\"Sword\",\"price\":12.99},"
    "{\"category\":\"fiction\",\"author\":\"Melville\",\"title\":\"Moby "
    "Dick\",\"isbn\":\"0-553\",\"price\":8.99}],"
    "\"bicycle\":{\"color\":\"red\",\"price\":19.95}},\"a.b\":1,\"n\":null,\"e\":[]}";

TEST(paths_select_what_they_say)
{
    static const char *const rows[][2] = {
        {"$.store.bicycle.color", "\"red\""},
        {"$['store']['bicycle']['color']", "\"red\""},
        {"$.store.book[0].title", "\"Sayings\""},
        {"$.store.book[-1].title", "\"Moby Dick\""},
        {"$['a.b']", "1"},
        {"$.n", "null"},
        {"$.e", "[]"},
        {"$.store.book[*].author", "[\"Rees\",\"Waugh\",\"Melville\"]"},
        {"$..author", "[\"Rees\",\"Waugh\",\"Melville\"]"},
        {"$..book[2].title", "[\"Moby Dick\"]"},
        {"$.store.book[0,2].price", "[8.95,8.99]"},
        {"$.store.book[0:2].price", "[8.95,12.99]"},
        {"$.store.book[1:].price", "[12.99,8.99]"},
        {"$.store.book[-2:].price", "[12.99,8.99]"},
        {"$.store.book[:1].price", "[8.95]"},
        {"$.store.bicycle['color','price']", "[\"red\",19.95]"},
        {"$.store.book[?(@.isbn)].title", "[\"Moby Dick\"]"},
        {"$.store.book[?(@.price < 10)].title", "[\"Sayings\",\"Moby Dick\"]"},
        {"$.store.book[?(@.price > 10 && @.category == 'fiction')].title", "[\"Sword\"]"},
        {"$.store.book[?(@.author =~ /.*v.*/i)].title", "[\"Moby Dick\"]"},
        {"$.store.book[?(@.author in ['Rees','x'])].title", "(error)"},
        {"$.store.book[?(@.author in [\"Rees\",\"x\"])].title", "[\"Sayings\"]"},
        {"$.store.book[?(!(@.isbn) || @.price == 8.99)].price", "[8.95,12.99,8.99]"},
        {"$.store.*.color", "[\"red\"]"},
        {"$.nope", "(none)"},
        {"$.store.book[7]", "(none)"},
        {"$.store.book[*].nope", "[]"},
        {"$.n.x", "(none)"},
        {"store", "(error)"},
        {"$.", "(error)"},
        {"$.a[", "(error)"},
        {"$.a['x", "(error)"},
        {"$.a[?(", "(error)"},
        {"$x", "(error)"},
        {"", "(error)"},
    };
    struct arena *a = arena_new(0, SIZE_MAX);
    struct jval doc;
    CHECK(json_parse(a, str_c(store), JSON_DEPTH_DEFAULT, &doc, NULL));
    struct vtl_value root = vtl_from_json(doc, a), found;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str error, got;
        struct buf *b = arena_new_buf(a, 1 << 20);
        if (jsonpath_get(root, str_c(rows[i][0]), a, &found, &error)) {
            vtl_write_json(&found, b);
            got = buf_view(b);
        } else {
            got = error.p != NULL ? STR("(error)") : STR("(none)");
        }
        if (!str_eq_c(got, rows[i][1]))
            test_fail(__FILE__, __LINE__, "%s: got %.*s, want %s (%.*s)", rows[i][0], STR_ARG(got),
                      rows[i][1], STR_ARG(error));
    }
    arena_free(a);
}

TEST(deep_scans_inside_deep_scans_end)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    struct buf *b = arena_new_buf(a, 1 << 20);
    struct jval doc;
    struct vtl_value found;
    struct str error;
    for (int i = 0; i < 100; i++)
        buf_add(b, STR("[[1,2],"));
    buf_add(b, STR("3"));
    for (int i = 0; i < 100; i++)
        buf_addc(b, ']');
    CHECK(json_parse(a, buf_view(b), JSON_DEPTH_DEFAULT, &doc, NULL));
    CHECK(jsonpath_get(vtl_from_json(doc, a), STR("$..*..*..*..*..*..nope"), a, &found, &error));
    CHECK_I64(found.list->count, 0);
    arena_free(a);
}
