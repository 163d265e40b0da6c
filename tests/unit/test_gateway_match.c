/* links: puddle_gateway */
#include "clock.h"
#include "gw_match.h"
#include "harness.h"

/* path, its methods separated by blanks */
static const struct sample {
    const char *path, *methods;
} sample_api[] = {
    {"/", "GET"},          {"/pets", "GET ANY"},           {"/pets/{id}", "GET"},
    {"/pets/mine", "GET"}, {"/pets/mine/{proxy+}", "ANY"}, {"/pets/{id}/toys", "POST"},
    {"/empty", ""},        {"/files/{path+}", "GET"},      {"/{proxy+}", "POST"},
};

static struct route *make_route(struct arena *a, struct str path, struct str methods)
{
    struct route *r = ARENA_NEW(a, struct route);
    r->resource_path = path;
    r->resource_id = path;
    r->methods = ARENA_ARRAY(a, struct route_method, 8);
    while (methods.n > 0)
        r->methods[r->method_count++].http_method = str_cut(&methods, ' ');
    return r;
}

static struct route_tree *make_sample(struct arena *a)
{
    struct route_tree *t = route_tree_new(a);
    for (size_t i = 0; i < sizeof sample_api / sizeof sample_api[0]; i++)
        route_tree_add(t, make_route(a, str_c(sample_api[i].path), str_c(sample_api[i].methods)));
    route_tree_seal(t);
    return t;
}

/* "<resource> <method> name=value..." or "none" */
static struct str match(const struct route_tree *t, struct arena *a, const char *method,
                        const char *path)
{
    struct route_match m;
    struct buf *b = arena_new_buf(a, 4096);
    if (!route_tree_match(t, str_c(method), str_c(path), a, &m))
        return STR("none");
    buf_addf(b, "%.*s %.*s", STR_ARG(m.route->resource_path), STR_ARG(m.method->http_method));
    for (size_t i = 0; i < m.param_count; i++)
        buf_addf(b, " %.*s=%.*s", STR_ARG(m.params[i].name), STR_ARG(m.params[i].value));
    return buf_view(b);
}

TEST(static_beats_param_beats_greedy_and_method_beats_any)
{
    static const struct {
        const char *method, *path, *want;
    } cases[] = {
        {"GET", "/", "/ GET"},
        {"GET", "", "/ GET"},
        {"GET", "/pets", "/pets GET"},
        {"GET", "/pets/", "/pets GET"},
        {"PUT", "/pets", "/pets ANY"},
        {"TRACE", "/pets", "none"},
        {"GET", "/pets/7", "/pets/{id} GET id=7"},
        {"GET", "/pets/a%2Fb+c", "/pets/{id} GET id=a%2Fb+c"},
        {"GET", "/pets/mine", "/pets/mine GET"},
        {"GET", "/pets/mine/x/y", "/pets/mine/{proxy+} ANY proxy=x/y"},
        {"GET", "/pets/mine/x//y/", "/pets/mine/{proxy+} ANY proxy=x//y"},
        {"POST", "/pets/7/toys", "/pets/{id}/toys POST id=7"},
        {"POST", "/pets/mine/toys", "/pets/mine/{proxy+} ANY proxy=toys"},
        {"GET", "/files/a/b.txt", "/files/{path+} GET path=a/b.txt"},
        {"GET", "/files", "none"},
        {"GET", "/files/", "none"},
        {"POST", "/pets/7", "/{proxy+} POST proxy=pets/7"},
        {"POST", "/empty", "/{proxy+} POST proxy=empty"},
        {"GET", "/empty", "none"},
        {"POST", "/nowhere/at/all", "/{proxy+} POST proxy=nowhere/at/all"},
        {"POST", "/", "none"},
        {"GET", "/PETS", "none"},
        {"get", "/pets", "none"},
        {"GET", "/pets//toys", "none"},
    };
    struct arena *a = arena_new(0, 1 << 20);
    struct route_tree *t = make_sample(a);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK_STR(match(t, a, cases[i].method, cases[i].path), cases[i].want);
    arena_free(a);
}

TEST(a_path_far_deeper_than_the_tree_is_no_match_and_no_deep_recursion)
{
    struct arena *a = arena_new(0, 64 << 20);
    struct route_tree *t = make_sample(a);
    struct route_match m;
    char *path = arena_alloc(a, 4 << 20);
    memset(path, '/', 4 << 20);
    CHECK(!route_tree_match(t, STR("GET"), (struct str){path, 4 << 20}, a, &m));
    arena_free(a);
}

static double match_us(size_t routes)
{
    struct arena *a = arena_new(0, 256 << 20);
    struct route_tree *t = route_tree_new(a);
    struct route_match m;
    enum { ROUNDS = 20000 };
    for (size_t i = 0; i < routes; i++)
        route_tree_add(t, make_route(a, arena_fmt(a, "/resource%zu/{id}", i), STR("GET")));
    route_tree_seal(t);
    struct str path = arena_fmt(a, "/resource%zu/17", routes - 1);
    int64_t best = INT64_MAX;
    for (int run = 0; run < 5; run++) {
        int64_t start = clock_mono_us();
        for (int i = 0; i < ROUNDS; i++) {
            struct arena_mark mark = arena_mark(a);
            if (!route_tree_match(t, STR("GET"), path, a, &m))
                return -1;
            arena_rewind(a, mark);
        }
        int64_t took = clock_mono_us() - start;
        best = took < best ? took : best;
    }
    arena_free(a);
    return (double)best / ROUNDS;
}

/* The issue asks for 1.2x of a whole request, which takes 10 us and more. */
TEST(a_thousand_routes_cost_less_than_two_microseconds_more_than_ten)
{
    double ten = match_us(10), thousand = match_us(1000);
    printf("    10 routes %.2f us, 1,000 routes %.2f us\n", ten, thousand);
    CHECK(ten > 0 && thousand > 0);
    CHECK(thousand - ten < 2.0);
}
