/* links: puddle_dynamo */
/* The parameters before expressions, against tables of answers (compared with DynamoDB Local's, see
 * test_ddb_expr_tables.c), and what the tables cannot say. */
#include "expr_fixture.h"

static struct str run_condition(const char *param, const char *text, const char *item)
{
    struct aws_err err = {0};
    struct expr_cond *x;
    struct str op = STR("");
    if (strncmp(text, "OR ", 3) == 0 || strncmp(text, "AND ", 4) == 0) {
        op = str_sub(str_c(text), 0, text[0] == 'O' ? 2 : 3);
        text += op.n + 1;
    }
    struct jval v = strcmp(text, "none") == 0 ? (struct jval){0} : xp_json(text);
    if (!expr_legacy_condition(xp_arena, param, v, op, ATTR_BARE, &x, &err))
        return err.message;
    return x == NULL                                    ? STR("no condition")
           : expr_cond_eval(x, xp_item(item), xp_arena) ? STR("true")
                                                        : STR("false");
}

static struct str expected(const char *text, const char *item, const char *names,
                           const char *values)
{
    (void)names, (void)values;
    return run_condition("Expected", text, item);
}

static struct str filter(const char *text, const char *item, const char *names, const char *values)
{
    (void)names, (void)values;
    return run_condition("ScanFilter", text, item);
}

static struct str update(const char *text, const char *item, const char *names, const char *values)
{
    struct aws_err err = {0};
    struct expr_update *x;
    struct buf *out = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    (void)names, (void)values;
    if (!expr_legacy_update(xp_arena, xp_json(text), ATTR_BARE, &x, &err) ||
        !expr_update_apply(x, xp_item(item), STR("{\"pk\":{\"S\":\"k\"}}"), xp_arena, out, &err))
        return err.message;
    return buf_view(out);
}

static struct str keys(const char *text, const char *item, const char *names, const char *values)
{
    struct aws_err err = {0};
    struct expr_key_cond x;
    (void)names, (void)values, (void)item;
    if (!expr_legacy_key_conditions(xp_arena, xp_json(text), ATTR_BARE, &x, &err))
        return err.message;
    struct buf *out = arena_new_buf(xp_arena, 1 << 20);
    for (size_t i = 0; i < x.count; i++)
        buf_addf(out, "%s%.*s %d %.*s%.*s", i == 0 ? "" : "; ", STR_ARG(x.terms[i].name),
                 x.terms[i].op, STR_ARG(x.terms[i].low.json), STR_ARG(x.terms[i].high.json));
    return buf_view(out);
}

static struct str get(const char *text, const char *item, const char *names, const char *values)
{
    struct aws_err err = {0};
    struct expr_projection *x;
    struct buf *out = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    (void)names, (void)values;
    if (!expr_legacy_projection(xp_arena, xp_json(text), &x, &err))
        return err.message;
    expr_project(x, xp_item(item), out);
    return buf_view(out);
}

TEST(expected)
{
    CHECK(xp_run_table("tests/unit/expr/expected.txt", expected) > 100);
}

TEST(filters)
{
    CHECK(xp_run_table("tests/unit/expr/filter.txt", filter) > 100);
}

TEST(attribute_updates)
{
    CHECK(xp_run_table("tests/unit/expr/attribute_updates.txt", update) > 80);
}

TEST(key_conditions)
{
    CHECK(xp_run_table("tests/unit/expr/legacy_keys.txt", keys) > 30);
}

TEST(attributes_to_get)
{
    CHECK(xp_run_table("tests/unit/expr/attributes_to_get.txt", get) >= 6);
}
