/* links: puddle_net */
#include "net_fixture.h"

#define HOST "Host: h\r\n"

/* The first line of the answer to one request; *ret_handled says whether a handler saw it. Whatever
 * follows the request must not be answered as a second one. */
static struct str first_line(struct client *c)
{
    char *end = strstr(c->in, "\r\n");
    return (struct str){c->in, end != NULL ? (size_t)(end - c->in) : c->in_n};
}

TEST(requests_that_can_be_read_in_two_ways_are_refused_and_the_connection_closed)
{
    static const struct {
        const char *why, *request;
    } cases[] = {
        {"CL and TE", "POST / HTTP/1.1\r\n" HOST
                      "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX"},
        {"TE and CL", "POST / HTTP/1.1\r\n" HOST
                      "transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\nX"},
        {"two lengths",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
        {"list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc"},
        {"signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc"},
        {"negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\nabc"},
        {"hex length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc"},
        {"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nabc"},
        {"length overflow",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551619\r\n\r\nabc"},
        {"two codings", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"unknown coding",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        {"identity coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\nabc"},
        {"coding in 1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"chunk size not hex",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"},
        {"chunk size overflow",
         "POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n"},
        {"negative chunk size",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n"},
        {"space before colon", "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc"},
        {"folded line", "GET / HTTP/1.1\r\n" HOST "X-A: 1\r\n 2\r\n\r\n"},
        {"fold of nothing", "GET / HTTP/1.1\r\n X-A: 1\r\n" HOST "\r\n"},
        {"no colon", "GET / HTTP/1.1\r\n" HOST "nonsense\r\n\r\n"},
        {"empty name", "GET / HTTP/1.1\r\n" HOST ": 1\r\n\r\n"},
        {"control byte", "GET / HTTP/1.1\r\n" HOST "X-A: \x01\r\n\r\n"},
        {"bare CR", "GET / HTTP/1.1\r\n" HOST "X-A: a\rX-B: b\r\n\r\n"},
        {"no Host", "GET / HTTP/1.1\r\nX: 1\r\n\r\n"},
        {"two Hosts", "GET / HTTP/1.1\r\n" HOST "Host: i\r\n\r\n"},
        {"CONNECT", "CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n"},
        {"method with a slash", "GE/T / HTTP/1.1\r\n" HOST "\r\n"},
        {"method of 33 characters", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n"},
        {"target without slash", "GET hello HTTP/1.1\r\n" HOST "\r\n"},
        {"star without OPTIONS", "GET * HTTP/1.1\r\n" HOST "\r\n"},
        {"scheme without host", "GET http:///x HTTP/1.1\r\n" HOST "\r\n"},
        {"version 2", "GET / HTTP/2.0\r\n" HOST "\r\n"},
        {"no version", "GET /\r\n" HOST "\r\n"},
        {"not HTTP", "\x16\x03\x01\x02\x05\x01\x01\xfc\r\n\r\n"},
    };
    server_start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_new();
        client_say(&c, cases[i].request);
        client_say(&c, "GET /second HTTP/1.1\r\n" HOST "\r\n");
        char end = client_end(&c);
        if (!str_eq_c(first_line(&c), "HTTP/1.1 400 Bad Request") &&
            !str_eq_c(first_line(&c), "HTTP/1.1 400 Invalid Request"))
            test_fail(__FILE__, __LINE__, "%s: %.*s", cases[i].why, STR_ARG(first_line(&c)));
        if (end == '-')
            test_fail(__FILE__, __LINE__, "%s: left open", cases[i].why);
        if (handled != 0)
            test_fail(__FILE__, __LINE__, "%s: handled", cases[i].why);
        handled = 0;
        client_close(&c);
    }
    CHECK_I64((long long)net_open_exchanges(net), 0);
    server_stop();
}

TEST(odd_chunks_that_the_library_takes_never_let_a_second_request_through)
{
    static const char *const bodies[] = {
        "0x3\r\nabc\r\n0\r\n\r\n", /* read as size 0 */
        "3\nabc\n0\n\n",           /* bare LF */
        "3 \r\nabc\r\n0\r\n\r\n",
        "3;a=b\r\nabc\r\n0\r\n\r\n",
        "0003\r\nabc\r\n0\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
    };
    server_start();
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct client c = client_new();
        handled = 0;
        client_say(&c, "POST /first HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        client_say(&c, bodies[i]);
        client_say(&c, "GET /second HTTP/1.1\r\n" HOST "\r\n");
        CHECK(client_end(&c) != '-');
        CHECK(handled <= 1);
        CHECK(strstr(c.in, "/second") == NULL);
        client_close(&c);
    }
    server_stop();
}

TEST(what_is_only_unusual_is_taken)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nhost:h\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n",
        "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 0003\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" HOST "\r\n", /* 32 characters */
        "GET / HTTP/1.1\r\nHost: \r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST "X-Latin: \xe9\r\nX-Utf8: \xc3\xa9\r\n\r\n",
        "DELETE / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
    };
    server_start();
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct client c = client_new();
        client_say(&c, requests[i]);
        if (!client_sees(&c, "HTTP/1.1 200 OK\r\n"))
            test_fail(__FILE__, __LINE__, "%s%s", requests[i], c.in);
        client_close(&c);
    }
    CHECK_I64((long long)handled, sizeof requests / sizeof *requests);
    server_stop();
}

/* "GET /aaa HTTP/1.1" of line_bytes, then header lines of field_bytes (line ends included). */
static char *sized_request(size_t line_bytes, size_t field_bytes)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add(&b, STR("GET /"));
    while (b.n < line_bytes - strlen(" HTTP/1.1"))
        buf_addc(&b, 'a');
    buf_add(&b, STR(" HTTP/1.1\r\n"));
    size_t start = b.n;
    buf_add(&b, STR("Host: h\r\nX: "));
    while (b.n - start < field_bytes - 4)
        buf_addc(&b, 'b');
    buf_add(&b, STR("\r\n\r\n"));
    buf_addc(&b, '\0');
    return b.p;
}

TEST(request_line_and_header_block_have_their_limits)
{
    enum { MAX = 16 * 1024 };
    static const struct {
        size_t line, fields;
        bool ok;
    } cases[] = {
        {MAX, 100, true},         {MAX + 1, 100, false},    {100, MAX, true},
        {100, MAX + 1, false},    {MAX, MAX, true},         {400 * 1024, 100, false},
        {100, 400 * 1024, false}, {100, 600 * 1024, false},
    };
    server_start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_new();
        char *request = sized_request(cases[i].line, cases[i].fields);
        client_say(&c, request);
        free(request);
        const char *want = cases[i].ok ? "HTTP/1.1 200 OK" : "HTTP/1.1 400 Bad Request";
        if (!client_sees(&c, want))
            test_fail(__FILE__, __LINE__, "case %zu: %.*s", i, STR_ARG(first_line(&c)));
        client_close(&c);
    }
    server_stop();
}

TEST(without_an_own_limit_only_the_librarys_counts)
{
    struct net_opts opts = {.max_body_bytes = 10, .read_timeout_ms = 60000};
    server_start_opts(&opts);
    struct client c = client_new();
    char *request = sized_request(100 * 1024, 100 * 1024);
    client_say(&c, request);
    CHECK(client_sees(&c, "HTTP/1.1 200 OK"));
    free(request);
    client_close(&c);
    server_stop();
}

TEST(up_to_100_headers_are_taken)
{
    server_start();
    for (int n = 100; n <= 101; n++) {
        struct client c = client_new();
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_add(&b, STR("GET / HTTP/1.1\r\n" HOST));
        for (int i = 1; i < n; i++)
            buf_addf(&b, "X-%d: %d\r\n", i, i);
        buf_add(&b, STR("\r\n"));
        client_send(&c, buf_view(&b));
        buf_release(&b);
        CHECK(client_sees(&c, n == 100 ? "HTTP/1.1 200 OK" : "HTTP/1.1 400 "));
        client_close(&c);
    }
    server_stop();
}

TEST(random_bytes_break_nothing)
{
    static const char *const words[] = {
        "GET ",
        "POST ",
        "/",
        "/x?y",
        " HTTP/1.1",
        "\r\n",
        "\n",
        "Host: h",
        "\r\n\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "5",
        "0",
        "abc",
        ":",
        " ",
        "\t",
        "\x80",
        "X: 1",
        "Expect: 100-continue",
        "Connection: close",
        "0\r\n\r\n",
        "*",
        "http://a/b",
    };
    uint32_t seed = 7;
    server_start();
    for (int round = 0; round < 300; round++) {
        struct client c = client_new();
        for (int i = 0; i < 25 && !c.eof && !c.reset; i++) {
            seed = seed * 1664525u + 1013904223u;
            if (seed >> 29 == 0) {
                char zero[2] = {(char)(seed >> 8), (char)(seed >> 16)};
                client_send(&c, (struct str){zero, sizeof zero});
            } else {
                client_say(&c, words[(seed >> 12) % (sizeof words / sizeof *words)]);
            }
        }
        if (seed >> 31)
            client_abort(&c);
        else
            client_close(&c);
    }
    struct client c = client_new();
    client_say(&c, "GET /alive HTTP/1.1\r\n" HOST "\r\n");
    CHECK(client_sees(&c, "/alive"));
    client_close(&c);
    server_stop();
}
