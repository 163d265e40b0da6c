/* links: puddle_aws */
#include "dynamodb_model.h"
#include "harness.h"
#include "lambda_model.h"
#include "logs_model.h"
#include "pattern.h"

static bool matches(const char *pattern, struct str s)
{
    /* the cache keeps no pointer to this struct, only the text */
    struct shape_pattern p = {pattern, NULL, false};
    return pattern_match(&p, s);
}

TEST(patterns_match_the_whole_string)
{
    CHECK(matches("\\d{12}", STR("123456789012")));
    CHECK(!matches("\\d{12}", STR("1234567890123")));
    CHECK(!matches("\\d{12}", STR("x123456789012")));
    CHECK(!matches("ab|cd", STR("abd")));
    CHECK(matches("ab|cd", STR("cd")));
    CHECK(matches("^[1-5]\\d\\d$", STR("404")));
    CHECK(!matches("^[1-5]\\d\\d$", STR("604")));
}

TEST(newlines_and_nul_are_ordinary_bytes)
{
    CHECK(!matches("[1-5]\\d\\d", STR("404\n")));
    CHECK(!matches("[1-5]\\d\\d", STR("\n404")));
    CHECK(!matches("[1-5]\\d\\d", STR("404\0x")));
    CHECK(!matches("[1-5]\\d\\d", STR("")));
    CHECK(!matches("[1-5]\\d\\d", STR_NONE));
}

TEST(look_around_is_matched_by_hand)
{
    const char *alias = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)";
    CHECK(matches(alias, STR("live")));
    CHECK(matches(alias, STR("1a")));
    CHECK(matches(alias, STR("1-")));
    CHECK(!matches(alias, STR("12")));
    CHECK(!matches(alias, STR("")));
    CHECK(!matches(alias, STR("a.b")));
    const char *bucket = "[0-9A-Za-z\\.\\-_]*(?<!\\.)";
    CHECK(matches(bucket, STR("my.bucket-1")));
    CHECK(matches(bucket, STR("")));
    CHECK(!matches(bucket, STR("my.bucket.")));
    const char *collection = "(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)";
    CHECK(matches(collection, STR("users")));
    CHECK(matches(collection, STR("system")));
    CHECK(!matches(collection, STR("system.users")));
    CHECK(!matches(collection, STR("a$b")));
    CHECK(!matches(collection, STR(".a")));
}

TEST(alternatives_may_be_empty)
{
    CHECK(matches("(|[a-zA-Z0-9$_-]+)", STR("")));
    CHECK(matches("(|[a-zA-Z0-9$_-]+)", STR("$LATEST")));
    CHECK(!matches("(|[a-zA-Z0-9$_-]+)", STR("a b")));
    CHECK(matches("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()", STR("")));
    CHECK(matches("(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()", STR("arn:aws:kms:x")));
}

TEST(escapes_in_classes_and_outside)
{
    CHECK(matches("arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
                  STR("arn:aws:iam::123456789012:role/service-role/r@x")));
    CHECK(!matches("arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
                   STR("arn:aws:iam::123456789012:role/a b")));
    CHECK(matches("[^.]([a-zA-Z0-9\\-_.]+)", STR("a-.")));
    CHECK(!matches("[^.]([a-zA-Z0-9\\-_.]+)", STR(".ab")));
    CHECK(matches("a\\^b", STR("a^b")));
}

TEST(generated_sets_agree_with_their_text)
{
    const struct shape_model *models[] = {&dynamodb_model, &lambda_model, &logs_model};
    size_t sets = 0;
    for (size_t i = 0; i < 2; i++) {
        for (size_t p = 1; p < models[i]->pattern_count; p++) {
            const struct shape_pattern *pattern = &models[i]->patterns[p];
            /* the C library's dot takes a newline, Java's does not */
            if (pattern->set == NULL || strcmp(pattern->text, ".*") == 0 ||
                strstr(pattern->text, "\\p{") != NULL)
                continue;
            sets++;
            for (int c = 1; c < 128; c++) {
                char text[1] = {(char)c};
                struct str s = {text, 1};
                if (pattern_match(pattern, s) != matches(pattern->text, s))
                    test_fail(__FILE__, __LINE__, "%s and byte %d", pattern->text, c);
            }
            CHECK(pattern_match(pattern, STR("")) == pattern->empty_ok);
            CHECK(matches(pattern->text, STR("")) == pattern->empty_ok);
        }
    }
    CHECK(sets > 15);
}

TEST(no_input_makes_a_pattern_slow)
{
    static char text[60000];
    memset(text, 'a', sizeof text);
    struct str s = {text, sizeof text};
    const struct shape_model *models[] = {&dynamodb_model, &lambda_model, &logs_model};
    for (size_t i = 0; i < 2; i++) {
        for (size_t p = 1; p < models[i]->pattern_count; p++)
            pattern_match(&models[i]->patterns[p], s);
    }
    CHECK(!matches("(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])\\.)*([A-Za-z0-9]|"
                   "[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9]):[0-9]{1,5}",
                   s));
}
