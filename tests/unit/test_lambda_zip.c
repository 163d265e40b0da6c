/* links: puddle_lambda */
#include "arena.h"
#include "file.h"
#include "harness.h"
#include "zip.h"
#include "zip_fixture.h"
#include <dirent.h>
#include <unistd.h>

static int64_t unpacked;

static char top[64], inside[80];
static struct arena *mem;
static struct zip_fx z;

static void start(void)
{
    strcpy(top, "/tmp/puddle-test-zip-XXXXXX");
    if (mkdtemp(top) == NULL)
        abort();
    snprintf(inside, sizeof inside, "%s/in", top);
    mkdir(inside, 0755);
    mem = arena_new(0, SIZE_MAX);
    zip_fx_start(&z);
}

static enum zip_result unpack(void)
{
    enum zip_result result = zip_unpack(zip_fx_end(&z), inside, &unpacked);
    zip_fx_free(&z);
    return result;
}

static void finish(void)
{
    file_remove_tree(top);
    arena_free(mem);
}

static size_t entries_of(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d != NULL)
        closedir(d);
    return n;
}

static struct str content(const char *name)
{
    struct str text = STR("(none)");
    file_read(mem, arena_fmt(mem, "%s/%s", inside, name).p, 1 << 20, &text);
    return text;
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    return lstat(arena_fmt(mem, "%s/%s", inside, name).p, &st) == 0 ? st.st_mode : 0;
}

/* Nothing but the folder itself may be there. */
static bool nothing_outside(void)
{
    return entries_of(top) == 1;
}

TEST(files_and_folders_are_unpacked)
{
    start();
    zip_fx_file(&z, "index.js", "one");
    zip_fx_add(&z, (struct zip_entry){.name = STR("lib/"), .mode = S_IFDIR | 0755});
    zip_fx_add(&z, (struct zip_entry){
                       .name = STR("lib/deep/er/x.js"), .content = STR("two"), .deflate = true});
    zip_fx_file(&z, "empty", "");
    zip_fx_file(&z, "./dot/./y", "three");
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_STR(content("index.js"), "one");
    CHECK_STR(content("lib/deep/er/x.js"), "two");
    CHECK_STR(content("empty"), "");
    CHECK_STR(content("dot/y"), "three");
    finish();
}

TEST(executable_bits_are_kept_and_set_user_id_is_not)
{
    start();
    zip_fx_add(&z, (struct zip_entry){
                       .name = STR("bootstrap"), .content = STR("#!"), .mode = S_IFREG | 04755});
    zip_fx_add(
        &z, (struct zip_entry){.name = STR("data"), .content = STR("x"), .mode = S_IFREG | 0600});
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_I64(mode_of("bootstrap"), S_IFREG | 0755);
    CHECK_I64(mode_of("data"), S_IFREG | 0644);
    finish();
}

TEST(paths_that_lead_out_are_refused)
{
    static const char *const bad[] = {"../x", "a/../../x", "/x",   "\\x",          "..\\x",  "a/..",
                                      "..",   "C:\\x",     "c:/x", "a\\..\\..\\x", "a/..\\x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        start();
        zip_fx_file(&z, bad[i], "evil");
        enum zip_result result = unpack();
        if (result != ZIP_UNSAFE || !nothing_outside() || entries_of(inside) != 0)
            test_fail(__FILE__, __LINE__, "%s: %d", bad[i], result);
        finish();
    }
}

TEST(odd_but_harmless_names_are_taken)
{
    start();
    zip_fx_file(&z, "a..b", "1");
    zip_fx_file(&z, ".../c", "2");
    zip_fx_file(&z, "d\\e", "3");
    zip_fx_add(&z, (struct zip_entry){.name = STR("gr\xc3\xb6\xc3\x9f"
                                                  "e.txt"),
                                      .content = STR("4"),
                                      .flags = ZIP_FX_UTF8});
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_STR(content("a..b"), "1");
    CHECK_STR(content(".../c"), "2");
    CHECK_STR(content("d/e"), "3"); /* made on Windows */
    CHECK_STR(content("gr\xc3\xb6\xc3\x9f"
                      "e.txt"),
              "4");
    finish();
}

TEST(a_name_with_a_nul_is_refused)
{
    start();
    zip_fx_file(&z, "ok", "1");
    zip_fx_add(&z, (struct zip_entry){.name = STR("a\0/../../x"), .content = STR("evil")});
    CHECK_I64(unpack(), ZIP_UNSAFE);
    CHECK(nothing_outside());
    finish();
}

TEST(a_component_that_is_too_long_is_refused)
{
    char name[300];
    memset(name, 'n', sizeof name);
    for (size_t n = 255; n <= 256; n++) {
        start();
        zip_fx_add(&z, (struct zip_entry){.name = {name, n}, .content = STR("x")});
        CHECK_I64(unpack(), n == 255 ? ZIP_OK : ZIP_UNSAFE);
        finish();
    }
}

TEST(a_path_may_have_200_components)
{
    char name[512];
    for (size_t depth = 200; depth <= 201; depth++) {
        start();
        for (size_t i = 0; i < depth; i++)
            memcpy(name + 2 * i, "d/", 2);
        zip_fx_add(&z, (struct zip_entry){.name = {name, 2 * depth - 1}, .content = STR("x")});
        CHECK_I64(unpack(), depth == 200 ? ZIP_OK : ZIP_UNSAFE);
        CHECK_I64(file_remove_tree(inside), 0);
        finish();
    }
}

TEST(links_inside_the_folder_are_made)
{
    char target[64];
    start();
    zip_fx_file(&z, "node_modules/x/cli.js", "run");
    zip_fx_link(&z, "node_modules/.bin/x", "../x/cli.js");
    zip_fx_link(&z, "here", ".");
    zip_fx_link(&z, "a/b/up", "../..");
    zip_fx_link(&z, "dangling", "no/where");
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_STR(content("node_modules/.bin/x"), "run");
    CHECK_STR(content("a/b/up/node_modules/x/cli.js"), "run");
    ssize_t n = readlink(arena_fmt(mem, "%s/dangling", inside).p, target, sizeof target);
    CHECK_I64(n, 8);
    finish();
}

TEST(links_that_lead_out_are_refused)
{
    static const char *const bad[][2] = {
        {"l", "/etc/passwd"}, {"l", ".."},     {"l", "../x"}, {"a/l", "../../x"},
        {"l", "a/../.."},     {"l", "a/../b"}, {"l", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        start();
        zip_fx_link(&z, bad[i][0], bad[i][1]);
        enum zip_result result = unpack();
        if (result != ZIP_UNSAFE && !(bad[i][1][0] == '\0' && result == ZIP_BAD))
            test_fail(__FILE__, __LINE__, "%s -> %s: %d", bad[i][0], bad[i][1], result);
        finish();
    }
}

TEST(a_link_cannot_climb_from_where_another_link_leads)
{
    start();
    zip_fx_link(&z, "a/b/c/up", "../../..");
    zip_fx_link(&z, "evil", "a/b/c/up/..");
    CHECK_I64(unpack(), ZIP_UNSAFE);
    finish();
}

TEST(nothing_is_written_through_a_link)
{
    start();
    zip_fx_link(&z, "l", "d");
    zip_fx_file(&z, "d/x", "old");
    zip_fx_file(&z, "l/x", "new");
    CHECK_I64(unpack(), ZIP_UNSAFE);
    CHECK_STR(content("d/x"), "old");
    finish();

    start();
    zip_fx_file(&z, "target", "old");
    zip_fx_link(&z, "l", "target");
    zip_fx_file(&z, "l", "new");
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_STR(content("target"), "old");
    CHECK_STR(content("l"), "new");
    finish();
}

TEST(the_last_of_equal_names_wins)
{
    start();
    zip_fx_file(&z, "x", "first, and longer");
    zip_fx_file(&z, "x", "second");
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_STR(content("x"), "second");
    finish();
}

TEST(a_file_that_is_also_a_folder_is_refused)
{
    start();
    zip_fx_file(&z, "x", "file");
    zip_fx_file(&z, "x/y", "in a folder");
    CHECK_I64(unpack(), ZIP_UNSAFE);
    finish();

    start();
    zip_fx_file(&z, "x/y", "in a folder");
    zip_fx_file(&z, "x", "file");
    CHECK_I64(unpack(), ZIP_UNSAFE);
    finish();
}

TEST(devices_are_refused_and_a_pipe_is_an_ordinary_file)
{
    static const unsigned modes[] = {S_IFCHR | 0666, S_IFBLK | 0666, S_IFSOCK | 0666};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        start();
        zip_fx_add(&z, (struct zip_entry){.name = STR("dev"), .mode = modes[i]});
        CHECK_I64(unpack(), ZIP_UNSAFE);
        CHECK_I64(entries_of(inside), 0);
        finish();
    }
    start(); /* libarchive does not know pipes in zips */
    zip_fx_add(&z, (struct zip_entry){.name = STR("pipe"), .mode = S_IFIFO | 0666});
    CHECK_I64(unpack(), ZIP_OK);
    CHECK_I64(mode_of("pipe"), S_IFREG | 0644);
    finish();
}

TEST(what_is_no_zip_is_refused)
{
    static const char text[] = "this is not a zip";
    start();
    CHECK_I64(zip_unpack(str_c(text), inside, &unpacked), ZIP_BAD);
    CHECK_I64(zip_unpack(STR(""), inside, &unpacked), ZIP_BAD);
    CHECK_I64(zip_unpack(STR("PK\5\6"), inside, &unpacked), ZIP_BAD);
    CHECK_I64(unpack(), ZIP_EMPTY);
    finish();
}

TEST(a_zip_cut_anywhere_is_refused)
{
    start();
    zip_fx_file(&z, "a.js", "some content");
    zip_fx_add(&z, (struct zip_entry){
                       .name = STR("b.js"), .content = STR("more content"), .deflate = true});
    struct str whole = zip_fx_end(&z);
    for (size_t n = 0; n < whole.n; n++) {
        char *part = malloc(n + 1); /* its own block: a read past it is noticed */
        memcpy(part, whole.p, n);
        enum zip_result result = zip_unpack((struct str){part, n}, inside, &unpacked);
        free(part);
        if (result == ZIP_OK || result == ZIP_IO)
            test_fail(__FILE__, __LINE__, "cut at %zu: %d", n, result);
    }
    CHECK(nothing_outside());
    zip_fx_free(&z);
    finish();
}

TEST(any_flipped_byte_is_survived)
{
    start();
    zip_fx_file(&z, "a.js", "some content");
    zip_fx_link(&z, "l", "a.js");
    struct str whole = zip_fx_end(&z);
    for (size_t n = 0; n < whole.n * 8; n++) {
        char *copy = malloc(whole.n);
        memcpy(copy, whole.p, whole.n);
        copy[n / 8] ^= (char)(1 << n % 8);
        zip_unpack((struct str){copy, whole.n}, inside, &unpacked);
        free(copy);
        if (!nothing_outside()) {
            test_fail(__FILE__, __LINE__, "bit %zu", n);
            break;
        }
    }
    zip_fx_free(&z);
    finish();
}

TEST(damaged_and_encrypted_entries_are_refused)
{
    start();
    zip_fx_add(&z,
               (struct zip_entry){.name = STR("x"), .content = STR("content"), .bad_crc = true});
    CHECK_I64(unpack(), ZIP_BAD);
    finish();

    start();
    zip_fx_add(&z, (struct zip_entry){.name = STR("x"),
                                      .content = STR("0123456789abcontent"),
                                      .flags = ZIP_FX_ENCRYPTED});
    CHECK_I64(unpack(), ZIP_BAD);
    finish();
}

TEST(the_unpacked_size_at_and_past_the_limit)
{
    char *zeros = calloc(1, ZIP_UNZIPPED_MAX + 1);
    for (size_t more = 0; more <= 1; more++) {
        start();
        zip_fx_add(&z, (struct zip_entry){.name = STR("zeros"),
                                          .content = {zeros, ZIP_UNZIPPED_MAX - 1 + more},
                                          .deflate = true});
        zip_fx_file(&z, "one", "1");
        CHECK_I64(unpack(), more == 0 ? ZIP_OK : ZIP_TOO_LARGE);
        finish();
    }
    free(zeros);
}

TEST(sizes_that_lie_do_not_matter)
{
    char *zeros = calloc(1, ZIP_UNZIPPED_MAX + 1);
    start();
    zip_fx_add(&z, (struct zip_entry){.name = STR("zeros"),
                                      .content = {zeros, ZIP_UNZIPPED_MAX + 1},
                                      .deflate = true,
                                      .lie = true,
                                      .claimed = 10});
    enum zip_result result = unpack();
    CHECK(result == ZIP_TOO_LARGE || result == ZIP_BAD);
    struct stat st;
    if (stat(arena_fmt(mem, "%s/zeros", inside).p, &st) == 0)
        CHECK(st.st_size <= ZIP_UNZIPPED_MAX);
    finish();
    free(zeros);

    start();
    zip_fx_add(&z, (struct zip_entry){
                       .name = STR("x"), .content = STR("short"), .lie = true, .claimed = 1 << 30});
    CHECK_I64(unpack(), ZIP_BAD);
    finish();
}

TEST(the_number_of_entries_at_and_past_the_limit)
{
    for (size_t more = 0; more <= 1; more++) {
        start();
        for (size_t i = 0; i < ZIP_ENTRIES_MAX + more; i++)
            zip_fx_add(&z, (struct zip_entry){.name = STR("d/"), .mode = S_IFDIR | 0755});
        CHECK_I64(unpack(), more == 0 ? ZIP_OK : ZIP_TOO_MANY);
        finish();
    }
}

TEST(a_folder_that_is_not_there_is_an_error_of_the_disk)
{
    start();
    zip_fx_file(&z, "x", "y");
    rmdir(inside);
    CHECK_I64(unpack(), ZIP_IO);
    finish();
}
