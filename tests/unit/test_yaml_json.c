/* links: puddle_lang */
#include "harness.h"
#include "yaml_json.h"

static struct str json(struct arena *a, const char *yaml)
{
    struct str out, why = STR("");
    return yaml_to_json(a, str_c(yaml), &out, &why) ? out : why;
}

TEST(scalars_become_what_the_core_schema_says)
{
    struct arena *a = arena_new(0, 64 << 20);
    CHECK_STR(json(a, "a: 1\nb: '1'\nc: true\nd: ~\ne:\nf: 1.5e3\ng: 2024-01-01\nh: yes\n200: x\n"),
              "{\"a\":1,\"b\":\"1\",\"c\":true,\"d\":null,\"e\":null,\"f\":1.5e3,"
              "\"g\":\"2024-01-01\",\"h\":\"yes\",\"200\":\"x\"}");
    CHECK_STR(json(a, "- [a, {b: \"c\\nd\"}]\n- |\n  text\n"),
              "[[\"a\",{\"b\":\"c\\nd\"}],\"text\\n\"]");
    CHECK_STR(json(a, "a: &x {k: v}\nb: *x\n"), "{\"a\":{\"k\":\"v\"},\"b\":{\"k\":\"v\"}}");
    CHECK_STR(json(a, "n: 012\nm: +1\no: .5\n"), "{\"n\":\"012\",\"m\":\"+1\",\"o\":\".5\"}");
    arena_free(a);
}

TEST(what_is_no_document_is_refused)
{
    struct arena *a = arena_new(0, 512 << 20);
    struct str out, why;
    CHECK_STR(json(a, "a: [1"), "line 2: did not find expected ',' or ']'");
    CHECK_STR(json(a, ""), "the document is empty");
    CHECK_STR(json(a, "? [a, b]\n: c\n"), "a key that is not a scalar");
    CHECK_STR(json(a, "a: &x [*x]\n"), "the document is nested too deeply");
    /* a nest of aliases that would be 9^9 texts */
    struct buf *b = arena_new_buf(a, 1 << 20);
    buf_add(b, STR("a0: &a0 [x, x, x, x, x, x, x, x, x]\n"));
    for (int i = 1; i < 10; i++) {
        buf_addf(b, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_addf(b, "%s*a%d", k == 0 ? "" : ", ", i - 1);
        buf_add(b, STR("]\n"));
    }
    CHECK(!yaml_to_json(a, buf_view(b), &out, &why));
    CHECK_STR(why, "the document is too large");
    arena_free(a);
}

TEST(json_survives_the_way_through_yaml)
{
    static const char *const texts[] = {
        "{\"openapi\":\"3.0.1\",\"n\":1,\"t\":true,\"z\":null,\"s\":\"true\",\"m\":{},\"l\":[],"
        "\"200\":{\"description\":\"200 response\"},\"k: y\":[{\"a\":\"\"},[\"#x\",\"- y\"]]}",
        "{\"t\":\"line\\n\\ttab \\\"q\\\" \xc3\xa4 \\u0001\"}", "[]"};
    struct arena *a = arena_new(0, 64 << 20);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct jval v;
        struct str yaml;
        CHECK(json_parse(a, str_c(texts[i]), 64, &v, NULL) && yaml_of_json(a, v, &yaml));
        CHECK_STR(json(a, arena_str(a, yaml).p), texts[i]);
    }
    arena_free(a);
}
