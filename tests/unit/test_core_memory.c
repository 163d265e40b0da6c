/* links: puddle_core */
#include "arena.h"
#include "harness.h"
#include "map.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* True if fn ends in panic's abort(), tried in a child. */
static bool panics(void (*fn)(void))
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(3);
        fn();
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

/* ---- str ---- */

TEST(views_are_cut_and_clamped)
{
    struct str s = STR("hello");
    CHECK_STR(str_sub(s, 1, 3), "el");
    CHECK_STR(str_sub(s, 3, 99), "lo");
    CHECK_I64((long long)str_sub(s, 9, 99).n, 0);
    CHECK_I64((long long)str_sub(s, 4, 2).n, 0);
    CHECK(str_sub(STR_NONE, 1, 2).p == NULL);
    CHECK(str_c(NULL).p == NULL);
}

TEST(comparing_is_bytewise_and_the_shorter_comes_first)
{
    CHECK(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0);
    CHECK(str_cmp(STR("\xff"), STR("a")) > 0);
    CHECK(str_cmp(STR_NONE, STR("")) == 0 && str_eq(STR_NONE, STR("")));
    CHECK(str_case_eq(STR("X-Amz"), STR("x-aMZ")) && !str_case_eq(STR("x\xc3"), STR("x\xe3")));
    CHECK(str_starts(STR("abc"), STR("ab")) && !str_starts(STR("a"), STR("ab")));
    CHECK(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    CHECK(str_starts(STR_NONE, STR("")) && str_ends(STR("a"), STR_NONE));
}

TEST(searching_finds_the_first_the_last_or_nothing)
{
    CHECK_I64(str_find(STR("a.b.c"), '.'), 1);
    CHECK_I64(str_rfind(STR("a.b.c"), '.'), 3);
    CHECK_I64(str_find(STR_NONE, '.'), -1);
    CHECK_I64(str_find_str(STR("aXaXY"), STR("XY")), 3);
    CHECK_I64(str_find_str(STR("abc"), STR("")), 0);
    CHECK_I64(str_find_str(STR("ab"), STR("abc")), -1);
}

TEST(cutting_gives_every_part_also_the_empty_ones)
{
    struct str rest = STR("a,,b,");
    CHECK_STR(str_cut(&rest, ','), "a");
    CHECK_STR(str_cut(&rest, ','), "");
    CHECK_STR(str_cut(&rest, ','), "b");
    CHECK(rest.p != NULL);
    CHECK_STR(str_cut(&rest, ','), "");
    CHECK(rest.p == NULL);
    CHECK_STR(str_trim(STR(" \t\r\n a b \n")), "a b");
    CHECK_STR(str_trim(STR(" \t")), "");
}

TEST(the_well_formed_start_of_broken_utf8_ends_before_the_broken_character)
{
    CHECK_I64((long long)str_utf8_prefix(STR("0123456789\xc3\xa4\xff")), 12);
    CHECK_I64((long long)str_utf8_prefix(STR("abc\xe2\x82")), 3);
    CHECK_I64((long long)str_utf8_prefix(STR("01234567\xed\xa0\x80")), 8);
    CHECK_I64((long long)str_utf8_prefix(STR_NONE), 0);
}

/* ---- buf ---- */

TEST(a_full_buffer_keeps_what_it_had_until_cleared)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add(&b, STR("abc"));
    buf_add(&b, STR("de")); /* does not fit as a whole: nothing of it is taken */
    bool kept = b.overflow && str_eq_c(buf_view(&b), "abc");
    buf_addc(&b, 'd');
    kept = kept && b.n == 3;
    buf_clear(&b);
    buf_addf(&b, "%d", 1234);
    bool again = !b.overflow && str_eq_c(buf_view(&b), "1234");
    buf_addf(&b, "%s", "");
    again = again && !b.overflow;
    buf_release(&b);
    CHECK(kept);
    CHECK(again && b.p == NULL && b.n == 0);
}

TEST(formatting_more_than_the_small_buffer_is_whole)
{
    struct buf b;
    char want[2000];
    memset(want, 'x', sizeof want);
    buf_init(&b, 4096);
    buf_addf(&b, "%.*s|", (int)sizeof want, want);
    bool whole = b.n == sizeof want + 1 && memcmp(b.p, want, sizeof want) == 0;
    buf_release(&b);
    CHECK(whole);
}

/* ---- arena ---- */

static char order[8];
static void note(void *arg)
{
    strncat(order, arg, 1);
}

TEST(deferred_functions_run_last_first)
{
    order[0] = '\0';
    struct arena *a = arena_new(0, 1 << 20);
    arena_defer(a, note, (void *)"1");
    arena_defer(a, note, (void *)"2");
    arena_reset(a);
    CHECK_STR(str_c(order), "21");
    arena_defer(a, note, (void *)"3");
    arena_free(a);
    CHECK_STR(str_c(order), "213");
    arena_free(NULL);
}

TEST(arena_memory_is_zeroed_and_aligned_also_when_recycled)
{
    bool ok = true;
    for (int round = 0; round < 3; round++) {
        struct arena *a = arena_new(0, 1 << 20);
        memset(arena_alloc_raw(a, 5000), 0xAA, 5000);
        arena_reset(a);
        for (size_t size = 0; size < 300; size += 7) {
            unsigned char *p = arena_alloc(a, size);
            ok = ok && (uintptr_t)p % 16 == 0;
            for (size_t i = 0; i < size; i++)
                ok = ok && p[i] == 0;
        }
        arena_free(a);
    }
    CHECK(ok);
}

TEST(allocations_larger_than_a_chunk_do_not_disturb_earlier_ones)
{
    struct arena *a = arena_new(64, 8 << 20);
    struct str small[200];
    bool ok = true;
    for (int i = 0; i < 200; i++) {
        small[i] = arena_fmt(a, "value %d", i);
        memset(arena_alloc_raw(a, (size_t)i * 37), 0x55, (size_t)i * 37);
    }
    struct str large = arena_str(a, (struct str){arena_alloc_raw(a, 1 << 20), 1 << 20});
    for (int i = 0; i < 200; i++) {
        char want[32];
        snprintf(want, sizeof want, "value %d", i);
        ok = ok && str_eq_c(small[i], want) && small[i].p[small[i].n] == '\0';
    }
    ok = ok && large.n == 1 << 20 && arena_str(a, STR_NONE).p != NULL;
    arena_free(a);
    CHECK(ok);
}

TEST(a_rewound_arena_gives_the_memory_again)
{
    struct arena *a = arena_new(1024, 1 << 20);
    char *keep = arena_alloc(a, 16);
    memcpy(keep, "keep", 5);
    struct arena_mark mark = arena_mark(a);
    bool ok = true;
    for (int row = 0; row < 1000; row++) { /* 4 MB in all, of at most 1 */
        memset(arena_alloc_raw(a, 4096), row, 4096);
        arena_rewind(a, mark);
    }
    char *first = arena_alloc(a, 16);
    arena_rewind(a, mark);
    ok = arena_alloc(a, 16) == first && strcmp(keep, "keep") == 0;
    arena_free(a);
    CHECK(ok);
}

static void take_too_much(void)
{
    struct arena *a = arena_new(1024, 4096);
    arena_alloc(a, 3000);
    arena_alloc(a, 1000);
}
static void take_more_than_a_guard_below_the_first_chunk(void)
{
    struct arena *a = arena_new(4096, 100);
    arena_alloc(a, 5000);
}
static void array_overflow(void)
{
    struct arena *a = arena_new(0, SIZE_MAX);
    volatile size_t many = SIZE_MAX / 4;
    arena_alloc_array(a, many, 8);
}

TEST(an_arena_past_its_guard_panics)
{
    CHECK(panics(take_too_much));
    CHECK(panics(take_more_than_a_guard_below_the_first_chunk));
    CHECK(panics(array_overflow));
}

/* ---- map ---- */

TEST(putting_a_key_again_replaces_the_value)
{
    struct map m;
    int one, two;
    map_init(&m);
    bool ok = map_put(&m, STR("k"), &one) == NULL && map_put(&m, STR("k"), &two) == &one;
    ok = ok && m.count == 1 && map_get(&m, STR("k")) == &two;
    ok = ok && map_get(&m, STR("K")) == NULL && map_del(&m, STR("x")) == NULL;
    ok = ok && map_del(&m, STR("k")) == &two && map_del(&m, STR("k")) == NULL && m.count == 0;
    map_release(&m);
    CHECK(ok);
}

TEST(the_empty_key_and_keys_with_nul_bytes_are_keys)
{
    struct map m;
    int one, two, three;
    map_init(&m);
    bool ok = map_get(&m, STR_NONE) == NULL;
    map_put(&m, STR_NONE, &one);
    map_put(&m, STR("a\0b"), &two);
    map_put(&m, STR("a\0c"), &three);
    ok = ok && map_get(&m, STR("")) == &one && map_put(&m, STR(""), &one) == &one;
    ok = ok && map_get(&m, STR("a\0b")) == &two && map_get(&m, STR("a\0c")) == &three;
    ok = ok && map_get(&m, STR("a")) == NULL && map_del(&m, STR_NONE) == &one;
    map_release(&m);
    CHECK(ok);
}

TEST(iterating_a_map_meets_every_entry_once)
{
    struct map m;
    char key[16];
    static int seen[1000];
    size_t at = 0, met = 0;
    struct str k;
    void *value;
    memset(seen, 0, sizeof seen);
    map_init(&m);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        map_put(&m, str_c(key), &seen[i]);
    }
    bool ok = true;
    while (map_next(&m, &at, &k, &value)) {
        snprintf(key, sizeof key, "k%d", (int)((int *)value - seen));
        ok = ok && str_eq_c(k, key) && ++*(int *)value == 1;
        met++;
    }
    map_release(&m);
    CHECK(ok && met == 1000);
}
