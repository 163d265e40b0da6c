/* links: puddle_net */
#include "net_fixture.h"

TEST(a_request_arrives_as_it_was_sent)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "PUT /a%2Fb//../c?x=1&y=%20?z HTTP/1.1\r\n"
                   "hOsT: example.org:99\r\n"
                   "X-One: 1\r\n"
                   "Content-Length: 5\r\n"
                   "x-TWO:  two words \r\n"
                   "X-One: again\r\n"
                   "Accept: \r\n\r\n"
                   "hello");
    CHECK(client_sees(&c, "Accept="));
    CHECK(strstr(c.in, "PUT|/a%2Fb//../c?x=1&y=%20?z|/a%2Fb//../c|x=1&y=%20?z|example.org:99|1.1|"
                       "hello\n"
                       "Host=example.org:99\n"
                       "X-One=1\n"
                       "x-TWO=two words\n"
                       "X-One=again\n"
                       "Accept=\n"
                       "Content-Length=5\n") != NULL);
    CHECK(strncmp(c.in, "HTTP/1.1 200 OK\r\n", 17) == 0);
    CHECK(strstr(c.in, "\r\nDate: ") != NULL);
    CHECK(strstr(c.in, "\r\nServer:") == NULL);
    client_close(&c);
    server_stop();
}

TEST(a_target_without_query_has_none_and_an_empty_one_is_empty)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET /p HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "GET|/p|/p|-|h|1.1|\n"));
    client_say(&c, "GET /p? HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "GET|/p?|/p||h|1.1|\n"));
    client_close(&c);
    server_stop();
}

TEST(an_absolute_target_is_reduced_and_its_host_wins)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET http://real:1/p/q?r HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK(client_sees(&c, "GET|/p/q?r|/p/q|r|real:1|1.1|\nHost=real:1\n"));
    client_say(&c, "GET HTTP://real?r HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK(client_sees(&c, "GET|/?r|/|r|real|1.1|\n"));
    client_say(&c, "GET https://real HTTP/1.1\r\nHost: other\r\n\r\n");
    CHECK(client_sees(&c, "GET|/|/|-|real|1.1|\n"));
    client_say(&c, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "OPTIONS|*|*|-|h|1.1|\n"));
    client_close(&c);
    server_stop();
}

TEST(the_peer_the_port_and_the_listener_are_known)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(TICK_UNTIL(parked_count == 1));
    struct sockaddr_in mine;
    socklen_t size = sizeof mine;
    getsockname(c.fd, (struct sockaddr *)&mine, &size);
    struct net_exchange *x = parked[0];
    CHECK_STR(x->req.peer_ip, "127.0.0.1");
    CHECK_I64(x->req.peer_port, ntohs(mine.sin_port));
    CHECK_I64(x->req.local_port, net_listener_port(listener));
    CHECK(x->listener_arg == &handled);
    net_reply(x, text_reply(x, 200, STR("done")));
    CHECK(client_sees(&c, "done"));
    client_close(&c);
    server_stop();
}

TEST(a_connection_is_used_again_and_pipelined_requests_are_answered_in_order)
{
    server_start();
    struct client c = client_new();
    for (int i = 0; i < 3; i++) {
        client_forget(&c);
        client_say(&c, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(client_sees(&c, "GET|/x|"));
    }
    client_forget(&c);
    client_say(&c, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                   "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                   "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
                   "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n"
                   "GET /5 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(TICK_UNTIL(parked_count == 1));
    ticks(3);
    client_receive(&c);
    CHECK(strstr(c.in, "|/2|-|h|1.1|abc") != NULL);
    CHECK(strstr(c.in, "/4") == NULL);
    net_reply(parked[0], text_reply(parked[0], 200, STR("the third")));
    CHECK(client_sees(&c, "|/5|"));
    char *one = strstr(c.in, "|/1|"), *two = strstr(c.in, "|/2|");
    char *three = strstr(c.in, "the third"), *four = strstr(c.in, "|/4|");
    CHECK(one != NULL && one < two && two < three && three < four);
    CHECK(four < strstr(c.in, "|/5|"));
    CHECK_I64((long long)net_open_exchanges(net), 0);
    client_close(&c);
    server_stop();
}

TEST(a_request_may_come_in_single_bytes)
{
    server_start();
    struct client c = client_new();
    static const char text[] = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        CHECK_I64((long long)handled, 0);
        client_send(&c, (struct str){text + i, 1});
    }
    CHECK(client_sees(&c, "POST|/x|/x|-|h|1.1|body"));
    client_close(&c);
    server_stop();
}

TEST(a_chunked_body_is_joined_and_the_connection_then_closed)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0A;ext=1\r\n0123456789\r\n");
    ticks(3);
    CHECK_I64((long long)handled, 0);
    client_say(&c, "0\r\nTrailer: x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "POST|/x|/x|-|h|1.1|abc0123456789\nHost=h\n"));
    CHECK(strstr(c.in, "Connection: close") != NULL);
    CHECK_I64(client_end(&c), 'e');
    CHECK_I64((long long)handled, 1);
    client_close(&c);
    server_stop();
}

TEST(expect_100_continue_is_answered_before_the_body_comes)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n");
    CHECK(client_sees(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK_I64((long long)handled, 0);
    client_say(&c, "hi");
    CHECK(client_sees(&c, "|1.1|hi\n"));
    client_close(&c);
    server_stop();
}

TEST(head_gets_the_length_but_no_body)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "HEAD /headers HTTP/1.1\r\nHost: h\r\n\r\nGET /204 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "204 No Content"));
    CHECK(strstr(c.in, "Content-Length: 2\r\n") != NULL);
    CHECK(strstr(c.in, "\r\n\r\nHTTP/1.1 204 No Content") != NULL);
    /* 204 has neither length nor chunks, and the connection goes on */
    CHECK_I64((long long)count_of(c.in, "Content-Length"), 1);
    CHECK(strstr(c.in, "hunked") == NULL);
    client_say(&c, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "|/next|"));
    client_close(&c);
    server_stop();
}

TEST(reply_headers_go_out_as_given_except_what_would_break_the_framing)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET /headers HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "\r\n\r\nok"));
    CHECK(strstr(c.in, "\r\nX-Amzn-RequestId: One\r\ncontent-type: a/b\r\nSet-Cookie: a=1\r\n"
                       "Set-Cookie: b=2\r\nX-Empty: \r\n\r\nok") != NULL);
    CHECK(strstr(c.in, "Content-Length: 2\r\n") != NULL);
    CHECK(strstr(c.in, "999") == NULL);
    CHECK(strstr(c.in, "chunked") == NULL);
    CHECK(strstr(c.in, "Forged") == NULL);
    client_close(&c);
    server_stop();
}

TEST(http_1_0_and_connection_close_end_the_connection_and_keep_alive_keeps_it)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET /x HTTP/1.0\r\n\r\n"); /* without Host: fine in 1.0 */
    CHECK(client_sees(&c, "GET|/x|/x|-||1.0|"));
    CHECK_I64(client_end(&c), 'e');
    client_close(&c);
    c = client_new();
    client_say(&c, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(client_sees(&c, "|1.0|"));
    client_say(&c, "GET /y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(client_sees(&c, "GET|/y|"));
    CHECK_I64(client_end(&c), 'e');
    client_close(&c);
    c = client_new();
    client_say(&c, "GET /close HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client_sees(&c, "bye"));
    CHECK(strstr(c.in, "Connection: close") != NULL);
    CHECK_I64(client_end(&c), 'e');
    client_close(&c);
    server_stop();
}

TEST(the_http2_upgrade_is_off)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                   "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n");
    CHECK(client_sees(&c, "GET|/x|"));
    CHECK(strstr(c.in, "101 ") == NULL);
    client_close(&c);
    c = client_new();
    client_say(&c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    CHECK(client_sees(&c, "400 Bad Request"));
    client_close(&c);
    server_stop();
}

TEST(a_large_body_and_a_large_reply_arrive_whole)
{
    struct net_opts opts = {.max_body_bytes = 64 << 20, .read_timeout_ms = 60000};
    server_start_opts(&opts);
    enum { SIZE = 33 << 20 }; /* more than what h2o would move to a file */
    char *body = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    struct client c = client_new();
    client_say(&c, "POST /mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 34603008\r\n\r\n");
    client_send(&c, (struct str){body, SIZE});
    char *start = NULL;
    int64_t end = clock_mono_ms() + GIVE_UP_MS;
    while (clock_mono_ms() < end) {
        loop_tick(loop, 1);
        client_receive(&c);
        start = strstr(c.in, "\r\n\r\n");
        if (start != NULL && (size_t)(c.in + c.in_n - start) >= 4 + (size_t)SIZE)
            break;
    }
    CHECK(start != NULL);
    CHECK_I64((long long)(c.in + c.in_n - start), 4 + (long long)SIZE);
    CHECK(memcmp(start + 4, body, SIZE) == 0);
    CHECK_I64((long long)net_open_exchanges(net), 0);
    free(body);
    client_close(&c);
    server_stop();
}

TEST(a_body_may_have_the_maximum_size_and_not_a_byte_more)
{
    static const struct {
        const char *request;
        const char *expect;
    } cases[] = {
        {"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", "\r\n\r\n10"},
        {"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n0123456789a", " 413 "},
        {"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n0123456789ab", " 413 "},
        {"POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", " 413 "},
        {"POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "a\r\n0123456789\r\n0\r\n\r\n",
         "\r\n\r\n10"},
        {"POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n",
         " 413 "},
        {"POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\n01234\r\n7\r\n56789ab\r\n0\r\n\r\n",
         " 413 "},
    };
    struct net_opts opts = {.max_body_bytes = 10, .read_timeout_ms = 60000};
    server_start_opts(&opts);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_new();
        client_say(&c, cases[i].request);
        CHECK(client_sees(&c, cases[i].expect));
        if (cases[i].expect[0] == ' ')
            CHECK_I64(client_end(&c), 'e');
        client_close(&c);
    }
    server_stop();
}

TEST(who_is_still_sending_a_refused_body_sees_the_413_and_no_reset)
{
    server_start();
    struct client c = client_new();
    client_say(&c, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n");
    char *body = calloc(1, 8 << 20);
    client_send(&c, (struct str){body, 8 << 20});
    free(body);
    CHECK(client_sees(&c, "413 "));
    CHECK(!c.reset);
    client_close(&c);
    server_stop();
}

TEST(two_listeners_have_their_own_handler_argument_and_ipv6_works)
{
    static int other_arg;
    int error = 0;
    server_start();
    struct net_listener *other =
        net_listen(net, "127.0.0.1", 0, fixture_handler, &other_arg, &error);
    CHECK(other != NULL);
    CHECK(net_listener_port(other) != net_listener_port(listener));
    struct client c = client_connect(net_listener_port(other));
    client_say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(TICK_UNTIL(parked_count == 1));
    CHECK(parked[0]->listener_arg == &other_arg);
    CHECK_I64(parked[0]->req.local_port, net_listener_port(other));
    net_reply(parked[0], text_reply(parked[0], 200, STR("done")));
    CHECK(client_sees(&c, "done"));
    client_close(&c);
    struct net_listener *six = net_listen(net, "::1", 0, fixture_handler, NULL, &error);
    if (six != NULL) {
        struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                                  .sin6_port = htons(net_listener_port(six)),
                                  .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        c = (struct client){.fd = socket(AF_INET6, SOCK_STREAM, 0)};
        c.in = calloc(1, c.in_cap = 4096);
        CHECK(connect(c.fd, (struct sockaddr *)&to, sizeof to) == 0);
        client_say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(TICK_UNTIL(parked_count == 2));
        CHECK_STR(parked[1]->req.peer_ip, "::1");
        net_reply(parked[1], text_reply(parked[1], 200, STR("done")));
        CHECK(client_sees(&c, "done"));
        client_close(&c);
    } else {
        CHECK(error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT); /* a machine without IPv6 */
    }
    server_stop();
}

TEST(a_taken_port_and_a_bad_host_are_reported)
{
    int error = 0;
    server_start();
    CHECK(net_listen(net, "127.0.0.1", net_listener_port(listener), fixture_handler, NULL,
                     &error) == NULL);
    CHECK_I64(error, -EADDRINUSE);
    CHECK(net_listen(net, "not a host", 0, fixture_handler, NULL, &error) == NULL);
    CHECK_I64(error, -EINVAL);
    CHECK(net_listen(net, "203.0.113.1", 0, fixture_handler, NULL, &error) == NULL);
    CHECK_I64(error, -EADDRNOTAVAIL);
    server_stop();
}

TEST(a_closed_listener_takes_nobody_but_owed_replies_still_go_out)
{
    server_start();
    uint16_t port = net_listener_port(listener);
    struct client c = client_new();
    client_say(&c, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(TICK_UNTIL(parked_count == 1));
    net_listener_close(listener);
    ticks(2);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno == ECONNREFUSED);
    close(fd);
    CHECK_I64((long long)net_open_exchanges(net), 1);
    net_reply(parked[0], text_reply(parked[0], 200, STR("done")));
    CHECK(client_sees(&c, "done"));
    CHECK_I64(client_end(&c), 'e');
    CHECK_I64((long long)net_open_exchanges(net), 0);
    client_close(&c);
    server_stop();
}
