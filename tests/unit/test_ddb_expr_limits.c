/* links: puddle_dynamo */
/* The request's maps, every limit at it and past it, and what expressions make of odd names, big
 * items and exact numbers. */
#include "expr_fixture.h"
#include "value.h"

#define CHECK_TEXT(got, want)                                                                      \
    do {                                                                                           \
        xp_arena = arena_new(0, SIZE_MAX);                                                         \
        struct str text_ = (got);                                                                  \
        bool same_ = str_eq_c(text_, want);                                                        \
        if (!same_)                                                                                \
            test_fail(__FILE__, __LINE__, "got  %.*s\n    want %s", STR_ARG(text_), want);         \
        arena_free(xp_arena);                                                                      \
        if (!same_)                                                                                \
            return;                                                                                \
    } while (0)

#define SX "{\"S\":\"x\"}"

/* part, count times, with between in between. */
static const char *repeat(const char *part, size_t count, const char *between)
{
    struct buf *b = arena_new_buf(xp_arena, 1 << 24);
    for (size_t i = 0; i < count; i++)
        buf_addf(b, "%s%s", i == 0 ? "" : between, part);
    buf_addc(b, '\0');
    return b->p;
}

#define FMT(...) arena_fmt(xp_arena, __VA_ARGS__).p

static struct str make_env(const char *names, const char *values, size_t any, size_t with_values,
                           enum attr_wording wording)
{
    struct aws_err err = {0};
    struct expr_given given = {any, with_values,
                               "UpdateExpression and ConditionExpression are null"};
    struct expr_env *env =
        expr_env_new(xp_arena, xp_json(names), xp_json(values), given, wording, &err);
    return env == NULL ? err.message : STR("ok");
}

TEST(maps_need_expressions)
{
    CHECK_TEXT(make_env("{\"#a\":\"a\"}", NULL, 0, 0, ATTR_BARE),
               "ExpressionAttributeNames can only be specified when using expressions");
    CHECK_TEXT(make_env("{}", NULL, 0, 0, ATTR_BARE),
               "ExpressionAttributeNames can only be specified when using expressions");
    CHECK_TEXT(make_env(NULL, "{\":a\":" SX "}", 1, 0, ATTR_BARE),
               "ExpressionAttributeValues can only be specified when using expressions: "
               "UpdateExpression and ConditionExpression are null");
    CHECK_TEXT(make_env("{}", NULL, 1, 1, ATTR_BARE), "ExpressionAttributeNames must not be empty");
    CHECK_TEXT(make_env(NULL, "{}", 1, 1, ATTR_BARE),
               "ExpressionAttributeValues must not be empty");
    CHECK_TEXT(make_env("{\"#a\":\"a\"}", NULL, 1, 0, ATTR_BARE), "ok");
}

TEST(keys_of_the_maps)
{
    static const char *const bad[] = {"a", "#", "##", "#a-b", "#a b", "#\\u00e9", ":a", "#a."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        xp_arena = arena_new(0, SIZE_MAX);
        struct str got = make_env(FMT("{\"%s\":\"a\"}", bad[i]), NULL, 1, 1, ATTR_BARE);
        bool ok = str_starts(
            got, STR("ExpressionAttributeNames contains invalid key: Syntax error; key: \""));
        arena_free(xp_arena);
        CHECK(ok);
    }
    CHECK_TEXT(
        make_env("{\"\":\"a\"}", NULL, 1, 1, ATTR_BARE),
        "ExpressionAttributeNames contains invalid key: The expression attribute map contains "
        "an empty key;");
    CHECK_TEXT(make_env(NULL, "{\"#a\":" SX "}", 1, 1, ATTR_BARE),
               "ExpressionAttributeValues contains invalid key: Syntax error; key: \"#a\"");
    CHECK_TEXT(make_env(FMT("{\"#%s\":\"a\"}", repeat("a", 254, "")), NULL, 1, 1, ATTR_BARE), "ok");
    CHECK_TEXT(
        make_env(FMT("{\"#%s\":\"a\"}", repeat("a", 255, "")), NULL, 1, 1, ATTR_BARE),
        "ExpressionAttributeNames contains invalid key: The expression attribute map contains "
        "a key that is too long; size of key: 256");
    CHECK_TEXT(make_env("{\"#0\":\"a\",\"#_\":\"b\",\"#9_z\":\"c\"}", NULL, 1, 1, ATTR_BARE), "ok");
    CHECK_TEXT(make_env("{\"#a\":\"\"}", NULL, 1, 1, ATTR_BARE),
               "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a");
    CHECK_TEXT(make_env(FMT("{\"#a\":\"%s\"}", repeat("a", 65535, "")), NULL, 1, 1, ATTR_BARE),
               "ok");
    CHECK_TEXT(
        make_env(FMT("{\"#a\":\"%s\"}", repeat("a", 65536, "")), NULL, 1, 1, ATTR_BARE),
        "ExpressionAttributeNames contains invalid value: Attribute name is too large, must be "
        "less than 65536 bytes for key #a");
}

TEST(bad_values_in_both_wordings)
{
    CHECK_TEXT(make_env(NULL, "{\":v\":{\"N\":\"abc\"}}", 1, 1, ATTR_BARE),
               "The parameter cannot be converted to a numeric value: abc");
    CHECK_TEXT(make_env(NULL, "{\":v\":{\"N\":\"abc\"}}", 1, 1, ATTR_ENVELOPED),
               "1 validation error detected: The parameter cannot be converted to a numeric value: "
               "abc");
    CHECK_TEXT(
        make_env(NULL, "{\":v\":{\"N\":\"\"}}", 1, 1, ATTR_OLDER),
        "ExpressionAttributeValues contains invalid value: The parameter cannot be converted "
        "to a numeric value for key :v");
    CHECK_TEXT(
        make_env(NULL, "{\":v\":{}}", 1, 1, ATTR_OLDER),
        "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, "
        "must contain exactly one of the supported datatypes for key :v");
    CHECK_TEXT(
        make_env(NULL, "{\":v\":{\"SS\":[\"b\",\"a\",\"b\"]}}", 1, 1, ATTR_OLDER),
        "ExpressionAttributeValues contains invalid value: One or more parameter values were "
        "invalid: Input collection [b, a, b] contains duplicates. for key :v");
}

#define ENVELOPE "1 validation error detected: "

TEST(the_newer_layer_puts_an_envelope_around_it)
{
    CHECK_TEXT(make_env("{\"#a\":\"a\"}", NULL, 0, 0, ATTR_ENVELOPED),
               "ExpressionAttributeNames can only be specified when using expressions");
    CHECK_TEXT(make_env(NULL, "{\":a\":" SX "}", 1, 0, ATTR_ENVELOPED),
               ENVELOPE "ExpressionAttributeValues can only be specified when using expressions: "
                        "UpdateExpression and ConditionExpression are null");
    CHECK_TEXT(make_env(NULL, "{\"v\":" SX "}", 1, 1, ATTR_ENVELOPED),
               ENVELOPE "ExpressionAttributeValues contains invalid key: Syntax error; key: \"v\"");
    CHECK_TEXT(make_env(NULL, "{\":v\":{\"NULL\":false}}", 1, 1, ATTR_ENVELOPED), ENVELOPE
               "One or more parameter values were invalid: Null attribute value types must "
               "have the value of true");
    CHECK_TEXT(make_env(NULL, "{\":v\":{\"SS\":[]}}", 1, 1, ATTR_ENVELOPED),
               ENVELOPE "ExpressionAttributeValues contains invalid value: One or more parameter "
                        "values were invalid: An string set  may not be empty for key :v");
}

static struct str in_envelope(const char *text, const char *values)
{
    struct aws_err err = {0};
    struct expr_cond *x;
    struct expr_given given = {1, 1, ""};
    struct expr_env *env =
        expr_env_new(xp_arena, (struct jval){0}, xp_json(values), given, ATTR_ENVELOPED, &err);
    bool ok = env != NULL && expr_parse_condition(env, EXPR_CONDITION, str_c(text), &x, &err) &&
              expr_env_finish(env, &err);
    return ok ? STR("ok") : err.message;
}

TEST(and_around_what_is_wrong_with_an_expression)
{
    CHECK_TEXT(in_envelope("((a = b))", NULL),
               ENVELOPE "Invalid ConditionExpression: The expression has redundant parentheses;");
    CHECK_TEXT(in_envelope("a =", NULL),
               ENVELOPE "Invalid ConditionExpression: Syntax error; token: "
                        "\"<EOF>\", near: \"=\"");
    CHECK_TEXT(in_envelope("a = b", "{\":a\":" SX "}"),
               ENVELOPE "Value provided in ExpressionAttributeValues unused in expressions: keys: "
                        "{:a}");
    CHECK_TEXT(in_envelope("a = b", NULL), "ok");
}

TEST(expression_size)
{
    CHECK_TEXT(xp_cond(FMT("%s = :a", repeat("a", 4091, "")), NULL, NULL, "{\":a\":" SX "}"),
               "false");
    CHECK_TEXT(xp_cond(FMT("%s = :a", repeat("a", 4092, "")), NULL, NULL, "{\":a\":" SX "}"),
               "~Expression size has exceeded the maximum allowed size; expression size: 4097");
    /* before its syntax is looked at */
    CHECK_TEXT(xp_cond(repeat("(", 4097, ""), NULL, NULL, NULL),
               "~Expression size has exceeded the maximum allowed size; expression size: 4097");
}

TEST(operators_operands_and_depth)
{
    const char *v = "{\":a\":" SX "}", *n = "{\":a\":{\"N\":\"1\"}}";
    CHECK_TEXT(xp_cond(repeat("a=:a", 150, " or "), NULL, NULL, v), "false"); /* 299 */
    CHECK_TEXT(xp_cond(FMT("not %s", repeat("a=:a", 150, " or ")), NULL, NULL, v),
               "true"); /* 300 */
    CHECK_TEXT(xp_cond(repeat("a=:a", 151, " or "), NULL, NULL, v),
               "~The expression contains too many operators; operator count: 301");
    CHECK_TEXT(xp_cond(repeat("contains(a,b)", 200, " or "), NULL, NULL, NULL), "false");
    CHECK_TEXT(xp_cond(FMT("a in (%s)", repeat(":a", 100, ",")), NULL, NULL, v), "false");
    CHECK_TEXT(xp_cond(FMT("a in (%s)", repeat(":a", 101, ",")), NULL, NULL, v),
               "~The IN operator is provided with too many operands; number of operands: 101");
    CHECK_TEXT(xp_update(FMT("set %s", repeat("a.b = :a+:a", 2, ", ")), NULL, NULL, n),
               "~Two document paths overlap with each other; must remove or rewrite one of these "
               "paths; path one: [a, b], path two: [a, b]");
    CHECK_TEXT(xp_cond(FMT("%s = :a", repeat("a", 32, ".")), NULL, NULL, v), "false");
    CHECK_TEXT(xp_cond(FMT("%s = :a", repeat("a", 33, ".")), NULL, NULL, v),
               "~The document path has too many nesting levels; nesting levels: 33");
}

TEST(bounds_are_shown_as_given)
{
    CHECK_TEXT(xp_cond("a between :a and :b", NULL, NULL,
                       "{\":a\":{\"N\":\"2\"},\":b\":{\"N\":\"01.0\"}}"),
               "~The BETWEEN operator requires upper bound to be greater than or equal to lower "
               "bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: "
               "AttributeValue: {N:01.0}");
}

TEST(deep_syntax_does_not_hurt)
{
    CHECK_TEXT(xp_cond(repeat("(", 4096, ""), NULL, NULL, NULL),
               "~The expression has redundant parentheses;");
    CHECK_TEXT(xp_cond(repeat("f(", 2048, ""), NULL, NULL, NULL),
               "~Syntax error; token: \"<EOF>\", near: \"(\"");
    CHECK_TEXT(xp_cond(FMT("%sa=b", repeat("not ", 1000, "")), NULL, NULL, NULL),
               "~The expression contains too many operators; operator count: 301");
    CHECK_TEXT(xp_update(FMT("set a = %s:n", repeat("(", 4000, "")), NULL, NULL, NULL),
               "~Syntax error; token: \"<EOF>\", near: \":n\"");
}

TEST(names_that_need_escapes)
{
    const char *item =
        "{\"a\\\"b\\\\\\u0001\":{\"M\":{\"\\u00e9.x\":{\"N\":\"1\"}}},\"pk\":" SX "}";
    const char *names = "{\"#q\":\"a\\\"b\\\\\\u0001\",\"#e\":\"\\u00e9.x\"}";
    CHECK_TEXT(xp_cond("#q.#e = :n", item, names, "{\":n\":{\"N\":\"1.0\"}}"), "true");
    CHECK_TEXT(xp_project("#q.#e", item, names),
               "{\"a\\\"b\\\\\\u0001\":{\"M\":{\"\303\251.x\":{\"N\":\"1\"}}}}");
    CHECK_TEXT(xp_update("set #q.#e = #q.#e + :n remove pk", item, names, "{\":n\":{\"N\":\"1\"}}"),
               "{\"a\\\"b\\\\\\u0001\":{\"M\":{\"\303\251.x\":{\"N\":\"2\"}}}}");
    /* an alias for a reserved word, and one that stands for what looks like an alias */
    CHECK_TEXT(xp_cond("#q = :s", "{\"size\":" SX "}", "{\"#q\":\"size\"}", "{\":s\":" SX "}"),
               "true");
    CHECK_TEXT(xp_cond("#q = :s", "{\"#e\":" SX "}", "{\"#q\":\"#e\"}", "{\":s\":" SX "}"), "true");
}

TEST(strings_compare_by_bytes_and_count_utf16)
{
    const char *item =
        "{\"a\":{\"S\":\"\\u00e9\\ud83d\\ude00\\n\\\"\"},\"b\":{\"B\":\"AAECAw==\"}}";
    CHECK_TEXT(xp_cond("size(a) = :n and size(b) = :n1", item, NULL,
                       "{\":n\":{\"N\":\"5\"},\":n1\":{\"N\":\"4\"}}"),
               "true");
    CHECK_TEXT(xp_cond("a > :s and contains(a,:q)", item, NULL,
                       "{\":s\":{\"S\":\"z\\n\"},\":q\":{\"S\":\"\\n\\\"\"}}"),
               "true");
    CHECK_TEXT(xp_cond("begins_with(b,:b) and contains(b,:c)", item, NULL,
                       "{\":b\":{\"B\":\"AAE=\"},\":c\":{\"B\":\"AgM=\"}}"),
               "true");
}

TEST(sums_are_exact)
{
    static const char *const cases[][3] = {
        {"0.1", "0.2", "0.3"},
        {"99999999999999999999999999999999999999", "1", "100000000000000000000000000000000000000"},
        {"1e125", "-1e125", "0"},
        {"9e125", "1e125",
         "Number overflow. Attempting to store a number with magnitude larger than supported "
         "range"},
        {"1e50", "1", "Attempting to store more than 38 significant digits in a Number"},
        {"1e-130", "1", "Attempting to store more than 38 significant digits in a Number"},
        {"1.1e-130", "-1e-130",
         "Number underflow. Attempting to store a number with magnitude smaller than supported "
         "range"},
        {"-5", "3", "-2"},
        {"3", "-5", "-2"},
        {"123456789012345678.5", "0.5", "123456789012345679"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        xp_arena = arena_new(0, SIZE_MAX);
        const char *item = FMT("{\"n\":{\"N\":\"%s\"}}", cases[i][0]);
        const char *values = FMT("{\":n\":{\"N\":\"%s\"}}", cases[i][1]);
        bool fails = strstr(cases[i][2], "umber") != NULL;
        struct str want =
            fails ? str_c(cases[i][2]) : arena_fmt(xp_arena, "{\"n\":{\"N\":\"%s\"}}", cases[i][2]);
        struct str set = xp_update("set n = n + :n", item, NULL, values);
        struct str add = xp_update("add n :n", item, NULL, values);
        bool ok = str_eq(set, want) && str_eq(add, want);
        if (!ok)
            test_fail(__FILE__, __LINE__, "%s + %s: %.*s, %.*s", cases[i][0], cases[i][1],
                      STR_ARG(set), STR_ARG(add));
        arena_free(xp_arena);
        CHECK(ok);
    }
}

TEST(subtraction_undoes_addition_of_random_numbers)
{
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        struct num a, b, sum, back;
        char text[2][40];
        for (int k = 0; k < 2; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            snprintf(text[k], sizeof text[k], "%s%u%u.%uE%d", seed >> 63 ? "-" : "",
                     (unsigned)(seed >> 32), (unsigned)(seed >> 40 & 0xFFFFFF),
                     (unsigned)(seed >> 34 & 0xFFFFFF), (int)(seed >> 58) % 9 - 4);
        }
        CHECK(num_parse(str_c(text[0]), &a) == NUM_OK && num_parse(str_c(text[1]), &b) == NUM_OK);
        CHECK(num_add(&a, &b, &sum) == NUM_OK && num_sub(&sum, &b, &back) == NUM_OK);
        CHECK(num_compare(&a, &back) == 0);
        CHECK((num_compare(&a, &b) < 0) == (num_sub(&a, &b, &back) == NUM_OK && back.negative));
    }
}

TEST(big_lists_are_refused_before_they_overflow)
{
    xp_arena = arena_new(0, SIZE_MAX);
    struct buf *text = arena_new_buf(xp_arena, 1 << 20);
    buf_addf(text, "set ");
    for (int i = 0; i < 400; i++)
        buf_addf(text, "%sa%d = :l", i == 0 ? "" : ",", i);
    buf_addc(text, '\0');
    struct str got =
        xp_update(text->p, NULL, NULL,
                  FMT("{\":l\":{\"L\":[%s]}}", repeat("{\"N\":\"1e125\"}", 100000, ",")));
    bool ok = str_eq_c(got, "Item size to update has exceeded the maximum allowed size");
    arena_free(xp_arena);
    CHECK(ok);
}

TEST(thousands_of_attributes_come_and_go)
{
    enum { MANY = 30000 };
    xp_arena = arena_new(0, SIZE_MAX);
    struct buf *item = arena_new_buf(xp_arena, 1 << 24),
               *updates = arena_new_buf(xp_arena, 1 << 24);
    for (int i = 0; i < MANY; i++) {
        buf_addf(item, "%s\"k%d\":{\"N\":\"%d\"}", i == 0 ? "{" : ",", i, i);
        buf_addf(updates, "%s\"k%d\":{%s}", i == 0 ? "{" : ",", i * 2,
                 i % 2 == 0 ? "\"Action\":\"DELETE\"" : "\"Value\":{\"S\":\"x\"}");
    }
    buf_addc(item, '}');
    buf_addc(item, '\0');
    buf_addc(updates, '}');
    buf_addc(updates, '\0');
    struct aws_err err = {0};
    struct expr_update *x;
    struct item after = {0};
    struct buf *out = arena_new_buf(xp_arena, ATTR_TEXT_MAX);
    bool ok = expr_legacy_update(xp_arena, xp_json(updates->p), ATTR_BARE, &x, &err) &&
              expr_update_apply(x, xp_item(item->p), STR(""), xp_arena, out, &err);
    if (ok)
        item_of_text(buf_view(out), xp_arena, &after);
    /* of the old ones a quarter is gone; half of the updates beyond them are new */
    size_t want = MANY - MANY / 4 + MANY / 4;
    const struct attr *two = item_find(&after, STR("k2")), *four = item_find(&after, STR("k4"));
    ok = ok && after.count == want && four == NULL && two != NULL && str_eq_c(two->bytes, "x");
    if (!ok)
        test_fail(__FILE__, __LINE__, "%zu attributes, want %zu", after.count, want);
    arena_free(xp_arena);
    CHECK(ok);
}

TEST(nesting_of_an_updated_item)
{
    xp_arena = arena_new(0, SIZE_MAX);
    const char *open = repeat("{\"M\":{\"a\":", 30, ""), *close = repeat("}}", 30, "");
    const char *item = FMT("{\"a\":%s{\"M\":{}}%s}", open, close); /* 31 maps */
    const char *path = repeat("a", 31, ".");
    struct str deepest =
        xp_update(FMT("set %s.b = :n", path), item, NULL, "{\":n\":{\"N\":\"1\"}}");
    struct str deeper =
        xp_update(FMT("set %s.b = :m", path), item, NULL, "{\":m\":{\"M\":{\"x\":{\"N\":\"1\"}}}}");
    bool ok = deepest.p[0] == '{' &&
              str_eq_c(deeper, "Nesting Levels have exceeded supported limits: Attributes in the "
                               "item have nested levels beyond supported limit");
    if (!ok)
        test_fail(__FILE__, __LINE__, "%.*s\n%.*s", STR_ARG(deepest), STR_ARG(deeper));
    arena_free(xp_arena);
    CHECK(ok);
}

static struct str cut(const char *update, const char *item, const char *values)
{
    struct aws_err err = {0};
    struct expr_update *x;
    struct buf *out = arena_new_buf(xp_arena, 1 << 20);
    struct expr_env *env = xp_env(NULL, values, &err);
    if (env == NULL || !expr_parse_update(env, str_c(update), &x, &err))
        return err.message;
    return expr_update_cut(x, xp_item(item), out) ? buf_view(out) : STR("(nothing)");
}

TEST(updated_parts_of_an_item)
{
    const char *v = "{\":n\":{\"N\":\"1\"}}";
    const char *item =
        "{\"a\":{\"M\":{\"b\":{\"N\":\"1\"},\"c\":{\"L\":[{\"N\":\"2\"},{\"N\":\"3\"}]}}},"
        "\"n\":{\"N\":\"4\"}}";
    CHECK_TEXT(cut("set n = :n", item, v), "{\"n\":{\"N\":\"4\"}}");
    CHECK_TEXT(cut("set a.b = :n", item, v), "{\"a\":{\"M\":{\"b\":{\"N\":\"1\"}}}}");
    CHECK_TEXT(cut("remove a.c[1]", item, NULL), "{\"a\":{\"M\":{\"c\":{\"L\":[{\"N\":\"3\"}]}}}}");
    CHECK_TEXT(cut("remove a.c[2], q", item, NULL), "(nothing)");
    CHECK_TEXT(cut("remove q", NULL, NULL), "(nothing)");
}

TEST(touched_names_are_found)
{
    struct aws_err err = {0};
    struct expr_cond *c;
    struct expr_update *u;
    struct str keys[] = {STR("pk"), STR("sk")};
    xp_arena = arena_new(0, SIZE_MAX);
    struct expr_given given = {1, 1, ""};
    struct expr_env *env =
        expr_env_new(xp_arena, (struct jval){0}, (struct jval){0}, given, ATTR_BARE, &err);
    bool ok = expr_parse_condition(env, EXPR_FILTER, STR("a < b and size(sk.x) > pk"), &c, &err) &&
              str_eq(expr_cond_touches(c, keys, 2), keys[1]) &&
              expr_cond_touches(c, keys, 0).p == NULL && expr_cond_goes_into(c, keys[1]) &&
              !expr_cond_goes_into(c, keys[0]);
    ok = ok && expr_parse_update(env, STR("remove a, pk"), &u, &err) &&
         str_eq(expr_update_touches(u, keys, 2), keys[0]) &&
         expr_update_touches(u, &keys[1], 1).p == NULL;
    arena_free(xp_arena);
    CHECK(ok);
}
