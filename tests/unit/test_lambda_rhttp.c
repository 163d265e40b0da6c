/* links: puddle_lambda */
#include "harness.h"
#include "rhttp.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server whose requests are written down as text; one that ends in "/later" is not answered. */
static struct loop *loop;
static struct rhttp *server;
static struct buf seen, got;
static struct rhttp_conn *later;
static int gone, client;
static bool in_pieces;

static bool on_head(void *arg, struct rhttp_conn *c, const struct rhttp_req *q)
{
    (void)arg, (void)c, (void)q;
    return in_pieces;
}
static void on_piece(void *arg, struct rhttp_conn *c, struct str bytes)
{
    (void)arg, (void)c;
    buf_addf(&seen, "[piece %.*s]", STR_ARG(bytes));
}
static void on_request(void *arg, struct rhttp_conn *c, const struct rhttp_req *q)
{
    (void)arg;
    struct str trailer = rhttp_header(q->trailers, "X-End"),
               own = rhttp_header(q->headers, "x-own");
    buf_addf(&seen, "[%.*s %.*s body=%.*s%s%s%.*s%s%.*s]", STR_ARG(q->method), STR_ARG(q->path),
             q->body.n > 100 ? 100 : (int)q->body.n, q->body.p, q->too_large ? " too large" : "",
             own.n > 0 ? " own=" : "", STR_ARG(own), trailer.n > 0 ? " end=" : "",
             STR_ARG(trailer));
    if (str_ends(q->path, STR("/later")))
        later = c;
    else
        rhttp_reply(c, 200, STR("A: b\r\n"), STR("ok"));
}
static void on_gone(void *arg, struct rhttp_conn *c)
{
    (void)arg;
    gone++;
    if (later == c)
        later = NULL;
}
static const struct rhttp_calls calls = {on_head, on_piece, on_request, on_gone};

static void begin(size_t max_body)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0;
    loop = loop_new();
    server = rhttp_open(loop, max_body, &calls, NULL, &error);
    buf_init(&seen, 1 << 20);
    buf_init(&got, 1 << 20);
    gone = 0;
    later = NULL;
    in_pieces = false;
    client = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_port = htons(rhttp_port(server));
    if (connect(client, (struct sockaddr *)&at, sizeof at) != 0)
        abort();
}
static void end(void)
{
    close(client);
    rhttp_close(server);
    loop_free(loop);
    buf_release(&seen);
    buf_release(&got);
}
/* Until the server has nothing more to do. */
static void settle(void)
{
    for (int i = 0; i < 20; i++) {
        char bytes[4096];
        loop_tick(loop, 5);
        ssize_t n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0)
            buf_add(&got, (struct str){bytes, (size_t)n});
    }
}
static void say(const char *text)
{
    if (send(client, text, strlen(text), MSG_NOSIGNAL) < 0)
        abort();
    settle();
}
static int replies(void)
{
    int n = 0;
    struct str rest = buf_view(&got);
    for (ptrdiff_t at;
         (at = str_find_str(rest, STR("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok"))) >=
         0;
         n++)
        rest = str_sub(rest, (size_t)at + 10, rest.n);
    return n;
}

TEST(a_request_may_come_byte_by_byte)
{
    const char *text = "POST /a HTTP/1.1\r\nHost: x\r\nX-Own: v\r\nContent-Length: 3\r\n\r\nabc";
    begin(100);
    for (const char *p = text; *p != '\0'; p++) {
        if (send(client, p, 1, 0) != 1)
            abort();
        loop_tick(loop, 5);
    }
    settle();
    CHECK_STR(buf_view(&seen), "[POST /a body=abc own=v]");
    CHECK_I64(replies(), 1);
    end();
}

TEST(pipelined_requests_are_answered_in_order)
{
    begin(100);
    say("GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nxyGET /3 "
        "HTTP/1.1\r\n\r\n");
    CHECK_STR(buf_view(&seen), "[GET /1 body=][POST /2 body=xy][GET /3 body=]");
    CHECK_I64(replies(), 3);
    end();
}

TEST(a_reply_that_nobody_waits_for_leaves_with_the_next)
{
    begin(100);
    say("POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET /2/later HTTP/1.1\r\n\r\n");
    CHECK(later != NULL);
    CHECK_I64(replies(), 0);
    rhttp_reply(later, 200, STR("A: b\r\n"), STR("ok"));
    settle();
    CHECK_I64(replies(), 2);
    end();
}

TEST(chunked_bodies_are_put_together_and_trailers_kept)
{
    begin(100);
    say("POST /a HTTP/1.1\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-End: yes\r\n\r\n"
        "GET /b HTTP/1.1\r\n\r\n");
    CHECK_STR(buf_view(&seen), "[POST /a body=abcde end=yes][GET /b body=]");
    say("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    CHECK_I64(replies(), 3);
    end();
}

TEST(a_body_can_be_taken_in_pieces)
{
    begin(10);
    in_pieces = true;
    say("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    CHECK_STR(buf_view(&seen), "[piece abc]");
    say("14\r\n01234567890123456789\r\n0\r\nX-End: e\r\n\r\n");
    CHECK_STR(buf_view(&seen), "[piece abc][piece 01234567890123456789][POST /a body= end=e]");
    end();
}

TEST(a_body_at_the_limit_is_taken_and_one_past_it_is_dropped_whole)
{
    begin(5);
    say("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345");
    say("POST /b HTTP/1.1\r\nContent-Length: 6\r\n\r\n123456");
    say("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n2\r\n56\r\n0\r\n\r\n");
    say("GET /d HTTP/1.1\r\n\r\n");
    CHECK_STR(buf_view(&seen), "[POST /a body=12345][POST /b body= too large]"
                               "[POST /c body=1234 too large][GET /d body=]");
    end();
}

TEST(what_is_not_http_is_refused_and_cut)
{
    static const char *const bad[] = {
        "nonsense\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(100);
        say(bad[i]);
        CHECK(str_starts(buf_view(&got), STR("HTTP/1.1 400 ")));
        CHECK(str_find_str(buf_view(&got), STR("Connection: close")) > 0);
        CHECK_I64((long long)seen.n, 0);
        end();
    }
}

TEST(a_peer_that_leaves_while_a_reply_is_owed_is_told_of)
{
    begin(100);
    say("GET /1/later HTTP/1.1\r\n\r\n");
    CHECK(later != NULL);
    shutdown(client, SHUT_RDWR);
    settle();
    CHECK_I64(gone, 1);
    CHECK(later == NULL);
    end();
}

TEST(expect_continue_is_answered_before_the_body)
{
    begin(100);
    say("POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    CHECK_STR(buf_view(&got), "HTTP/1.1 100 Continue\r\n\r\n");
    say("xy");
    CHECK_I64(replies(), 1);
    end();
}
