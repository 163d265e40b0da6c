/* links: puddle_net */
#include "net_fetch.h"
#include "net_fixture.h"
#include "panic.h"
#include "tcp.h"

static struct arena *a;
static struct fetch_result result;
static struct wait done;
static int runs;
static enum wait_end how_ended;

static void on_done(struct wait *w, enum wait_end how)
{
    (void)w;
    runs++;
    how_ended = how;
}

static struct fetch_request *request(const char *method, const char *url)
{
    struct fetch_request *r = ARENA_NEW(a, struct fetch_request);
    r->method = str_c(method);
    r->timeout_ms = GIVE_UP_MS;
    r->max_body = 16 << 20;
    ASSERT(fetch_url_parse(str_c(url), &r->url));
    return r;
}

static struct fetch_request *to_server(const char *method, const char *path)
{
    return request(method,
                   arena_fmt(a, "http://127.0.0.1:%u%s", net_listener_port(listener), path).p);
}

static void start(const struct fetch_request *r)
{
    runs = 0;
    wait_arm(&done, on_done);
    fetch_start(net, r, a, &result, &done);
}

static bool run(const struct fetch_request *r)
{
    start(r);
    return TICK_UNTIL(runs == 1);
}

static struct str header(const char *name)
{
    for (size_t i = 0; i < result.resp.header_count; i++) {
        if (str_case_eq(result.resp.headers[i].name, str_c(name)))
            return result.resp.headers[i].value;
    }
    return STR_NONE;
}

static void setup(void)
{
    a = arena_new(0, SIZE_MAX);
    server_start();
}

static void teardown(void)
{
    server_stop();
    arena_free(a);
}

TEST(urls_are_taken_apart)
{
    static const struct {
        const char *text;
        bool ok, tls;
        const char *host;
        unsigned port;
        const char *path, *query;
    } rows[] = {
        {"http://a", true, false, "a", 80, "/", NULL},
        {"https://a.b:8443/x/y?z=1", true, true, "a.b", 8443, "/x/y", "z=1"},
        {"http://127.0.0.1:9?q", true, false, "127.0.0.1", 9, "/", "q"},
        {"http://[::1]:80/x", true, false, "::1", 80, "/x", NULL},
        {"http://[::1]/", true, false, "::1", 80, "/", NULL},
        {"ftp://a", false, false, "", 0, "", NULL},
        {"http://", false, false, "", 0, "", NULL},
        {"http://a:0/", false, false, "", 0, "", NULL},
        {"http://a:65536/", false, false, "", 0, "", NULL},
        {"http://user@a/", false, false, "", 0, "", NULL},
        {"http://a/\r\nX: y", false, false, "", 0, "", NULL},
        {"http://[::1/", false, false, "", 0, "", NULL},
        {"http://[::1]x/", false, false, "", 0, "", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fetch_url u;
        if (fetch_url_parse(str_c(rows[i].text), &u) != rows[i].ok)
            test_fail(__FILE__, __LINE__, "%s", rows[i].text);
        else if (rows[i].ok && (u.tls != rows[i].tls || !str_eq_c(u.host, rows[i].host) ||
                                u.port != rows[i].port || !str_eq_c(u.path, rows[i].path) ||
                                !str_eq(u.query, str_c(rows[i].query))))
            test_fail(__FILE__, __LINE__, "%s is read as %.*s %u %.*s", rows[i].text,
                      STR_ARG(u.host), u.port, STR_ARG(u.path));
    }
}

TEST(a_request_arrives_as_it_was_asked_for)
{
    setup();
    static const struct http_header headers[] = {{{"X-One", 5}, {"1", 1}},
                                                 {{"Host", 4}, {"forged", 6}}};
    struct fetch_request *r = to_server("POST", "/dump?a=b");
    r->headers = headers;
    r->header_count = 2;
    r->body = STR("hello");
    CHECK(run(r));
    CHECK(how_ended == WAIT_READY && result.end == FETCH_OK);
    CHECK_I64(result.resp.status, 200);
    CHECK(str_starts(result.resp.body, STR("POST|/dump?a=b|/dump|a=b|127.0.0.1:")));
    CHECK(str_find_str(result.resp.body, STR("|1.1|hello\n")) > 0);
    CHECK(str_find_str(result.resp.body, STR("X-One=1\n")) > 0);
    CHECK(str_find_str(result.resp.body, STR("forged")) < 0);
    teardown();
}

TEST(answers_keep_status_headers_and_body)
{
    setup();
    CHECK(run(to_server("GET", "/headers")));
    CHECK_STR(result.resp.body, "ok");
    CHECK_STR(header("content-type"), "a/b");
    CHECK_STR(header("x-amzn-requestid"), "One");
    CHECK(header("content-length").p == NULL && header("connection").p == NULL);
    CHECK(run(to_server("GET", "/204")));
    CHECK_I64(result.resp.status, 204);
    CHECK_I64(result.resp.body.n, 0);
    CHECK(run(to_server("HEAD", "/big")));
    CHECK_I64(result.resp.body.n, 0);
    CHECK(run(to_server("GET", "/big")));
    CHECK_I64(result.resp.body.n, 8 << 20);
    teardown();
}

TEST(an_answer_may_have_max_body_bytes_and_no_more)
{
    setup();
    struct fetch_request *r = to_server("GET", "/big");
    r->max_body = 8 << 20;
    CHECK(run(r));
    CHECK(result.end == FETCH_OK);
    r->max_body--;
    CHECK(run(r));
    CHECK(result.end == FETCH_FAILED);
    ticks(5);
    teardown();
}

TEST(hosts_beyond_loopback_are_refused_unless_named)
{
    setup();
    static const char *const hosts[] = {"other.example"};
    CHECK(run(request("GET", "http://192.0.2.1/")));
    CHECK(result.end == FETCH_REFUSED);
    CHECK(run(request("GET", "http://127.evil.com/")));
    CHECK(result.end == FETCH_REFUSED);
    net_allow_egress(net, hosts, 1);
    CHECK(fetch_allowed(net, STR("OTHER.example")) && fetch_allowed(net, STR("localhost")));
    CHECK(!fetch_allowed(net, STR("sub.other.example")));
    teardown();
}

TEST(nobody_listening_is_a_failure)
{
    setup();
    unsigned port = net_listener_port(listener);
    net_listener_close(listener);
    ticks(3);
    CHECK(run(request("GET", arena_fmt(a, "http://127.0.0.1:%u/", port).p)));
    CHECK(result.end == FETCH_FAILED && how_ended == WAIT_READY);
    teardown();
}

TEST(an_answer_that_does_not_come_times_out)
{
    setup();
    struct fetch_request *r = to_server("GET", "/later");
    r->timeout_ms = 30;
    CHECK(run(r));
    CHECK(result.end == FETCH_TIMEOUT);
    CHECK(TICK_UNTIL(parked_count == 1));
    net_reply(parked[0], text_reply(parked[0], 200, STR("late")));
    ticks(5);
    CHECK_I64(runs, 1);
    teardown();
}

TEST(going_away_cancels_what_is_under_way)
{
    setup();
    start(to_server("GET", "/later"));
    CHECK(TICK_UNTIL(parked_count == 1));
    net_free(net);
    wait_run_ready();
    CHECK_I64(runs, 1);
    CHECK(how_ended == WAIT_CANCELLED);
    net_reply(parked[0], text_reply(parked[0], 200, STR("late")));
    loop_free(loop);
    arena_free(a);
}
