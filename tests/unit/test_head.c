/* links: puddle_net */
#include "harness.h"
#include "head.h"

static struct head_facts scan(const char *raw)
{
    struct head_facts f;
    head_scan(str_c(raw), &f);
    return f;
}

TEST(the_facts_of_a_head_are_counted_and_the_body_is_not_looked_at)
{
    struct head_facts f = scan("POST /x HTTP/1.1\r\nhost:  a b \r\nContent-Length: 12\r\n\r\n"
                               "Host: c\r\nContent-Length: 1\r\n\r\n");
    CHECK_I64(f.hosts, 1);
    CHECK_I64(f.lengths, 1);
    CHECK_I64(f.codings, 0);
    CHECK_STR(f.host, "a b");
    CHECK_STR(f.length, "12");
    CHECK(f.wrong == NULL);
    CHECK_I64((long long)f.line_bytes, 16);
    CHECK_I64((long long)f.field_bytes, 13 + 20 + 2);
}

TEST(empty_lines_before_the_request_line_are_skipped)
{
    struct head_facts f = scan("\r\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_I64((long long)f.line_bytes, 14);
    CHECK_I64(f.hosts, 1);
    CHECK(f.wrong == NULL);
}

TEST(a_head_without_an_end_and_no_head_at_all_are_harmless)
{
    CHECK_I64(scan("GET / HTTP/1.1\r\nHost: h").hosts, 1);
    CHECK_I64(scan("GET / HTTP/1.1").hosts, 0);
    CHECK_I64((long long)scan("").line_bytes, 0);
    CHECK_I64((long long)scan("\r\n\r\n").line_bytes, 0);
    struct head_facts f;
    head_scan(STR_NONE, &f);
    CHECK_I64((long long)f.field_bytes, 0);
}

TEST(only_whole_names_count)
{
    struct head_facts f =
        scan("GET / HTTP/1.1\r\nHosts: h\r\nContent-Length-X: 1\r\nTransfer: 1\r\n"
             "X-Host: h\r\n\r\n");
    CHECK_I64(f.hosts + f.lengths + f.codings, 0);
    CHECK(f.wrong == NULL);
}

TEST(tokens_are_told_from_other_words)
{
    CHECK(head_is_token(STR("X-Amz-Date")));
    CHECK(head_is_token(STR("a!#$%&'*+-.^_`|~9")));
    static const char *const bad[] = {"", "a b", "a:", "a\n", "\xc3\xa9", "a/b", "(a)", "a,b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!head_is_token(str_c(bad[i])));
    CHECK(!head_is_token((struct str){"a\0b", 3}));
}

TEST(absolute_targets_are_split)
{
    struct str host, path;
    CHECK(head_absolute_target(STR("http://h:1/p?q"), &host, &path));
    CHECK_STR(host, "h:1");
    CHECK_STR(path, "/p?q");
    CHECK(head_absolute_target(STR("HTTPS://h?q"), &host, &path));
    CHECK_STR(host, "h");
    CHECK_STR(path, "?q");
    CHECK(head_absolute_target(STR("http://h"), &host, &path));
    CHECK_I64((long long)path.n, 0);
    static const char *const other[] = {
        "/http://h/", "http://", "https://", "http:///p", "ftp://h/", "h", "", "*", "http:/h"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        CHECK(!head_absolute_target(str_c(other[i]), &host, &path));
}
