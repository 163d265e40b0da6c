/* links: puddle_core */
#include "clock.h"
#include "codec.h"
#include "fault.h"
#include "file.h"
#include "harness.h"
#include "hash.h"
#include "ids.h"
#include "log.h"
#include "map.h"
#include "wait.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- clock ---- */

TEST(a_shift_moves_wall_time_only)
{
    clock_fake_set(1000000, 77);
    clock_shift_ms(500);
    clock_shift_ms(-200);
    int64_t now = clock_now_ms(), mono = clock_mono_us(), total = clock_shift_total_ms();
    clock_shift_ms(-300);
    int64_t back = clock_now_ms();
    clock_fake_off();
    CHECK_I64(now, 1000300);
    CHECK_I64(mono, 77);
    CHECK_I64(total, 300);
    CHECK_I64(back, 1000000);
}

TEST(times_before_1970_and_far_ahead_are_formatted)
{
    char iso[25], text[40];
    clock_format_iso(-1, iso);
    CHECK_STR(str_c(iso), "1969-12-31T23:59:59.999Z");
    clock_format_iso(253402300799999, iso);
    CHECK_STR(str_c(iso), "9999-12-31T23:59:59.999Z");
    CHECK_I64((long long)clock_format(0, "%d/%b/%Y:%H:%M:%S +0000", text, sizeof text), 26);
    CHECK_STR(str_c(text), "01/Jan/1970:00:00:00 +0000");
    CHECK_I64((long long)clock_format(0, "%Y-%m-%d", text, 5), 0);
}

/* ---- ids ---- */

static bool only(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
            return false;
    }
    return true;
}

TEST(ids_have_the_shape_that_aws_gives_them)
{
    char request[53], uuid[37], hex[17], name[11];
    for (int i = 0; i < 200; i++) {
        ids_request52(request);
        ids_uuid(uuid);
        ids_hex(hex, 16);
        ids_lower_alnum(name, 10);
        CHECK(strlen(request) == 52 &&
              only(str_c(request), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        CHECK(strlen(uuid) == 36 && only(str_c(uuid), "0123456789abcdef-"));
        CHECK(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
        CHECK(uuid[14] == '4' && strchr("89ab", uuid[19]) != NULL);
        CHECK(strlen(hex) == 16 && only(str_c(hex), "0123456789abcdef"));
        CHECK(strlen(name) == 10 && only(str_c(name), "abcdefghijklmnopqrstuvwxyz0123456789"));
        CHECK(name[0] >= 'a' && name[0] <= 'z');
    }
}

TEST(ids_are_unique)
{
    struct map m;
    char uuid[37];
    int mark;
    bool ok = true;
    map_init(&m);
    for (int i = 0; i < 20000; i++) {
        ids_uuid(uuid);
        ok = ok && map_put(&m, str_c(uuid), &mark) == NULL;
    }
    map_release(&m);
    CHECK(ok);
}

TEST(a_seed_makes_ids_repeatable)
{
    char first[53], second[53], other[53];
    ids_seed(42);
    ids_request52(first);
    ids_seed(42);
    ids_request52(second);
    ids_seed(43);
    ids_request52(other);
    CHECK(strcmp(first, second) == 0);
    CHECK(strcmp(first, other) != 0);
}

/* ---- codec and hash ---- */

TEST(base64_and_hex_of_every_length_read_back)
{
    struct arena *a = arena_new(0, 1 << 20);
    char bytes[40];
    bool ok = true;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct str in = {bytes, n}, out = STR_NONE;
        struct str text = codec_base64_encode(a, in);
        ok = ok && text.n == (n + 2) / 3 * 4 && codec_base64_decode(a, text, &out);
        ok = ok && str_eq(in, out) && codec_hex(a, in).n == 2 * n;
    }
    ok = ok && str_eq_c(codec_hex(a, STR("\x00\xff\x1a")), "00ff1a");
    arena_free(a);
    CHECK(ok);
}

TEST(base64_refuses_padding_alone_and_foreign_characters)
{
    struct arena *a = arena_new(0, 1 << 20);
    static const char *const bad[] = {"=",        "==",     "====", "a===", "ab=c",
                                      "YQ==YQ==", "YW\nJj", "YWJ",  "_-__", "YWI=\n"};
    struct str out;
    size_t taken = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        taken += codec_base64_decode(a, str_c(bad[i]), &out);
    arena_free(a);
    CHECK_I64((long long)taken, 0);
}

TEST(percent_encoding_keeps_only_unreserved_bytes)
{
    struct arena *a = arena_new(0, 1 << 20);
    char all[256];
    bool ok = str_eq_c(codec_percent_encode(a, STR("aZ09-_.~ \xe4/+%"), false),
                       "aZ09-_.~%20%E4%2F%2B%25");
    ok = ok && str_eq_c(codec_percent_encode(a, STR("/a b/"), true), "/a%20b/");
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    struct str bytes = {all, 256};
    ok = ok && str_eq(codec_percent_decode(a, codec_percent_encode(a, bytes, false), false), bytes);
    ok = ok && str_eq_c(codec_percent_decode(a, STR("%e4%E4%"), false), "\xe4\xe4%");
    arena_free(a);
    CHECK(ok);
}

TEST(gzip_reads_back_and_is_held_to_its_limit)
{
    struct arena *a = arena_new(0, 64 << 20);
    struct str out, empty;
    char *text = arena_alloc(a, 300000);
    for (size_t i = 0; i < 300000; i++)
        text[i] = (char)('a' + i * i % 23);
    struct str whole = {text, 300000}, packed = codec_gzip(a, whole);
    CHECK(packed.n < 100000);
    CHECK_I64(codec_gunzip(a, packed, 300000, &out), GUNZIP_OK);
    CHECK(str_eq(out, whole));
    CHECK_I64(codec_gunzip(a, packed, 299999, &out), GUNZIP_TOO_LARGE);
    CHECK_I64(codec_gunzip(a, str_sub(packed, 0, packed.n - 1), 1 << 20, &out), GUNZIP_BROKEN);
    CHECK_I64(codec_gunzip(a, str_sub(packed, 1, packed.n), 1 << 20, &out), GUNZIP_BROKEN);
    struct buf *junk = arena_new_buf(a, 1 << 20);
    buf_add(junk, packed);
    buf_addc(junk, 'x');
    CHECK_I64(codec_gunzip(a, buf_view(junk), 1 << 20, &out), GUNZIP_BROKEN);
    CHECK_I64(codec_gunzip(a, STR_NONE, 10, &out), GUNZIP_BROKEN);
    empty = codec_gzip(a, STR(""));
    CHECK_I64(codec_gunzip(a, empty, 0, &out), GUNZIP_OK);
    CHECK_I64((long long)out.n, 0);
    arena_free(a);
}

static bool is_hex_of(const uint8_t *bytes, size_t n, const char *hex)
{
    struct arena *a = arena_new(0, 1 << 16);
    bool same = str_eq_c(codec_hex(a, (struct str){(const char *)bytes, n}), hex);
    arena_free(a);
    return same;
}

/* The definition, a bit at a time. */
static uint32_t slow_crc32(struct str s)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

TEST(crc32_of_every_length_and_place)
{
    static char bytes[1200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * i * 31 + i / 7);
    for (size_t n = 0; n <= 600; n++) {
        for (size_t at = 0; at < 3; at++) {
            struct str s = {bytes + at, n};
            CHECK_I64(hash_crc32(s), slow_crc32(s));
        }
    }
    struct str all = {bytes, sizeof bytes};
    CHECK_I64(hash_crc32(all), slow_crc32(all));
}

TEST(digests_of_nothing_and_long_keys_are_the_published_ones)
{
    uint8_t out[32];
    char key[131];
    hash_sha256(STR_NONE, out);
    CHECK(is_hex_of(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    hash_md5(STR(""), out);
    CHECK(is_hex_of(out, 16, "d41d8cd98f00b204e9800998ecf8427e"));
    hash_md5(STR("abc"), out);
    CHECK(is_hex_of(out, 16, "900150983cd24fb0d6963f7d28e17f72"));
    memset(key, 0xaa, sizeof key); /* RFC 4231, test case 6: a key longer than the block */
    hash_hmac_sha256((struct str){key, sizeof key},
                     STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    CHECK(is_hex_of(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
    CHECK_I64(hash_crc32(STR_NONE), 0);
    CHECK_I64(hash_crc32(STR("123456789")), 0xCBF43926);
    CHECK(hash_equal(STR("ab"), STR("ab")) && hash_equal(STR_NONE, STR("")));
    CHECK(!hash_equal(STR("ab"), STR("ac")) && !hash_equal(STR("ab"), STR("abc")));
}

/* ---- fault ---- */

TEST(a_fault_point_fails_at_its_hit_and_only_there)
{
    fault_setup("commit:2,read:3+");
    CHECK(!fault_hit("commit") && fault_hit("commit") && !fault_hit("commit"));
    CHECK(!fault_hit("read") && !fault_hit("read") && fault_hit("read") && fault_hit("read"));
    CHECK(!fault_hit("other"));
    fault_setup(NULL);
    CHECK(!fault_armed && !fault_hit("read"));
}

/* ---- wait ---- */

struct step {
    struct wait wait;
    struct step *fires;
    enum wait_end how;
    int order;
};
static int steps;
static void run_step(struct wait *w, enum wait_end how)
{
    struct step *s = (struct step *)w;
    s->order = ++steps;
    s->how = how;
    if (s->fires != NULL && s->fires->wait.state == WAIT_ARMED)
        wait_fire(&s->fires->wait, WAIT_CANCELLED);
}

TEST(waits_run_in_the_order_they_were_fired_also_those_fired_meanwhile)
{
    struct step a = {0}, b = {0}, c = {0};
    steps = 0;
    wait_arm(&a.wait, run_step);
    wait_arm(&b.wait, run_step);
    wait_arm(&c.wait, run_step);
    a.fires = &c;
    wait_fire(&a.wait, WAIT_READY);
    wait_fire(&b.wait, WAIT_READY);
    CHECK(wait_run_ready());
    CHECK(a.order == 1 && b.order == 2 && c.order == 3);
    CHECK(a.how == WAIT_READY && c.how == WAIT_CANCELLED);
    wait_arm(&a.wait, run_step); /* a wait that ran can be armed again */
    a.fires = NULL;
    wait_fire(&a.wait, WAIT_READY);
    CHECK(wait_run_ready() && a.order == 4);
    CHECK(!wait_run_ready());
}

/* ---- file ---- */

static char folder[64];
static const char *in_folder(const char *name)
{
    static char path[2][200];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}
static bool make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/puddle-core-XXXXXX");
    return mkdtemp(folder) != NULL;
}

TEST(a_file_is_read_whole_up_to_the_limit)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct str text;
    CHECK(make_folder());
    CHECK_I64(file_write_atomic(in_folder("f"), STR("12345\0x"), 0600), 0);
    CHECK_I64(file_read(a, in_folder("f"), 7, &text), 0);
    CHECK(str_eq(text, STR("12345\0x")));
    CHECK_I64(file_read(a, in_folder("f"), 6, &text), -EFBIG);
    CHECK_I64(file_read(a, in_folder("none"), 6, &text), -ENOENT);
    CHECK_I64(file_read(a, folder, 6, &text), -EINVAL);
    CHECK_I64(mkfifo(in_folder("fifo"), 0600), 0);
    CHECK_I64(file_read(a, in_folder("fifo"), 6, &text), -EINVAL);
    arena_free(a);
    CHECK_I64(file_remove_tree(folder), 0);
}

TEST(writing_replaces_a_file_at_once_and_leaves_nothing_beside_it)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct stat st;
    struct str text;
    CHECK(make_folder());
    CHECK_I64(file_write_atomic(in_folder("f"), STR("old"), 0600), 0);
    CHECK_I64(file_write_atomic(in_folder("f"), STR(""), 0600), 0);
    CHECK_I64(file_read(a, in_folder("f"), 10, &text), 0);
    CHECK_I64((long long)text.n, 0);
    CHECK(stat(in_folder("f.tmp"), &st) != 0);
    CHECK_I64(file_write_atomic(in_folder("none/f"), STR("x"), 0600), -ENOENT);
    arena_free(a);
    CHECK_I64(file_remove_tree(folder), 0);
}

TEST(removing_a_tree_does_not_follow_links)
{
    struct stat st;
    char target[64];
    CHECK(make_folder());
    snprintf(target, sizeof target, "%s", folder);
    CHECK_I64(file_write_atomic(in_folder("kept"), STR("x"), 0600), 0);
    CHECK(make_folder());
    CHECK_I64(file_mkdirs(in_folder("a/b/c"), 0700), 0);
    CHECK_I64(file_mkdirs(in_folder("a/b/c"), 0700), 0);
    CHECK_I64(file_write_atomic(in_folder("a/b/f"), STR("x"), 0400), 0);
    CHECK_I64(symlink(target, in_folder("a/link")), 0);
    CHECK_I64(chmod(in_folder("a/b"), 0500), 0);
    CHECK_I64(file_mkdirs(in_folder("a/b/f/g"), 0700), -ENOTDIR);
    CHECK_I64(file_remove_tree(folder), 0);
    CHECK(lstat(folder, &st) != 0 && errno == ENOENT);
    CHECK_I64(file_remove_tree(folder), 0);
    snprintf(folder, sizeof folder, "%s", target);
    CHECK_I64(stat(in_folder("kept"), &st), 0);
    CHECK_I64(file_remove_tree(target), 0);
}

/* ---- log ---- */

/* What a message writes to stderr. */
static struct str logged(struct arena *a, enum log_format format, enum log_level level,
                         const char *text)
{
    int ends[2], saved = dup(STDERR_FILENO);
    char line[8192];
    if (saved < 0 || pipe(ends) != 0)
        return STR("no pipe");
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    log_setup(format, LOG_INFO);
    log_msg(level, "test", "%s", text);
    log_setup(LOG_TEXT, LOG_INFO);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = read(ends[0], line, sizeof line);
    close(ends[0]);
    return arena_str(a, (struct str){line, n > 0 ? (size_t)n : 0});
}

TEST(a_log_message_cannot_forge_a_line)
{
    struct arena *a = arena_new(0, 1 << 20);
    struct str s;
    clock_fake_set(0, 0);
    s = logged(a, LOG_TEXT, LOG_WARN, "x\ny\x1b[2J\x7f \xc3\xa4");
    CHECK_STR(s, "1970-01-01T00:00:00.000Z warning test: x\\x0ay\\x1b[2J\\x7f \xc3\xa4\n");
    s = logged(a, LOG_JSON, LOG_ERROR, "\"\\\n\xc3\xa4");
    CHECK_STR(s, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"error\",\"part\":\"test\","
                 "\"message\":\"\\\"\\\\\\u000a\xc3\xa4\"}\n");
    s = logged(a, LOG_JSON, LOG_ERROR, "a\xff");
    CHECK(str_find_str(s, STR("a\\u00ff\"}")) >= 0);
    s = logged(a, LOG_TEXT, LOG_DEBUG, "quiet");
    CHECK_I64((long long)s.n, 0);
    char *large = arena_alloc(a, 100001);
    memset(large, 'x', 100000);
    s = logged(a, LOG_TEXT, LOG_INFO, large);
    CHECK(s.n > 4000 && s.n < 5000 && s.p[s.n - 1] == '\n');
    clock_fake_off();
    arena_free(a);
}
