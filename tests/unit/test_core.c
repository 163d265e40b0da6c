/* links: puddle_core */
#include "arena.h"
#include "clock.h"
#include "codec.h"
#include "harness.h"
#include "hash.h"
#include "ids.h"
#include "map.h"
#include "wait.h"
#include <stdlib.h>

TEST(integers_are_whole_strings_in_range)
{
    int64_t v;
    CHECK(str_to_i64(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    CHECK(str_to_i64(STR("9223372036854775807"), &v) && v == INT64_MAX);
    CHECK(!str_to_i64(STR("9223372036854775808"), &v));
    CHECK(!str_to_i64(STR("-9223372036854775809"), &v));
    CHECK(!str_to_i64(STR(""), &v) && !str_to_i64(STR("+1"), &v) && !str_to_i64(STR("1 "), &v));
}

TEST(utf8_is_checked_strictly)
{
    CHECK(str_is_utf8(STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")));
    CHECK(!str_is_utf8(STR("\xc0\xaf")) && !str_is_utf8(STR("\xed\xa0\x80")));
    CHECK(!str_is_utf8(STR("\xf4\x90\x80\x80")) && !str_is_utf8(STR("\xe2\x82")));
    CHECK_I64(str_utf8_count(STR("a\xc3\xa4\xf0\x9f\x98\x80")), 3);
}

TEST(a_buffer_reaches_its_limit_and_no_further)
{
    struct buf b;
    buf_init(&b, 300);
    for (int i = 0; i < 300; i++)
        buf_addc(&b, 'x');
    bool full = !b.overflow && b.n == 300;
    buf_addc(&b, 'x');
    bool over = b.overflow && b.n == 300;
    buf_release(&b);
    CHECK(full && over);
}

TEST(a_map_keeps_its_entries_through_growth_and_deletion)
{
    struct map m;
    char key[16];
    bool ok = true;
    map_init(&m);
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "k%d", (int)i);
        map_put(&m, str_c(key), (void *)i);
    }
    for (intptr_t i = 1; i <= 5000; i += 2) {
        snprintf(key, sizeof key, "k%d", (int)i);
        ok = ok && map_del(&m, str_c(key)) == (void *)i;
    }
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "k%d", (int)i);
        ok = ok && map_get(&m, str_c(key)) == (i % 2 == 0 ? (void *)i : NULL);
    }
    size_t count = m.count;
    map_release(&m);
    CHECK(ok);
    CHECK_I64(count, 2500);
}

TEST(base64_is_one_text_per_value)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct str out;
    bool ok = str_eq_c(codec_base64_encode(a, STR("\xff\x00\x10z")), "/wAQeg==");
    ok = ok && codec_base64_decode(a, STR("/wAQeg=="), &out) && out.n == 4;
    ok = ok && !codec_base64_decode(a, STR("/wAQeh=="), &out);
    ok = ok && !codec_base64_decode(a, STR("/wAQeg="), &out);
    ok = ok && !codec_base64_decode(a, STR("=wAQ"), &out) &&
         !codec_base64_decode(a, STR("a b="), &out);
    arena_free(a);
    CHECK(ok);
}

TEST(percent_decoding_leaves_malformed_escapes_alone)
{
    struct arena *a = arena_new(0, 1 << 20);
    bool ok = str_eq_c(codec_percent_decode(a, STR("a%2Fb%zz%4"), false), "a/b%zz%4");
    ok = ok && str_eq_c(codec_percent_decode(a, STR("a+b"), true), "a b");
    ok = ok && str_eq_c(codec_percent_decode(a, STR("%41"), false), "A");
    ok = ok && str_eq_c(codec_percent_encode(a, STR("a/b c"), false), "a%2Fb%20c");
    arena_free(a);
    CHECK(ok);
}

static int ran;
static void note(struct wait *w, enum wait_end how)
{
    (void)w;
    (void)how;
    ran++;
}

TEST(a_fired_wait_runs_later_and_once)
{
    struct wait w = {0};
    wait_arm(&w, note);
    wait_fire(&w, WAIT_READY);
    CHECK_I64(ran, 0);
    CHECK(wait_run_ready());
    CHECK_I64(ran, 1);
    CHECK(!wait_run_ready());
}

TEST(the_fake_clock_stands_still_until_moved)
{
    char iso[25];
    clock_fake_set(1000, 5000000);
    int64_t before = clock_mono_ms();
    clock_fake_advance_ms(250);
    int64_t after = clock_mono_ms();
    clock_format_iso(clock_now_ms(), iso);
    clock_fake_off();
    CHECK_I64(before, 5000);
    CHECK_I64(after, 5250);
    CHECK_STR(str_c(iso), "1970-01-01T00:00:01.250Z");
}

TEST(digests_are_the_published_ones)
{
    uint8_t out[32];
    hash_sha256(STR("abc"), out);
    CHECK(out[0] == 0xba && out[31] == 0xad);
    hash_hmac_sha256(STR("key"), STR("The quick brown fox jumps over the lazy dog"), out);
    CHECK(out[0] == 0xf7 && out[31] == 0xd8);
    CHECK_I64(hash_crc32(STR("{\"__type\":\"com.amazon.coral.service#SerializationException\"}")),
              3948637019);
}
