/* harness.h - the unit tests' small frame. A test file is a list of TEST(name) { ... } blocks; a
 * name states the behaviour. Each prints "ok name" or "FAIL name"; the program ends with the plain
 * line "N passed, N failed, N skipped" and exits 1 on any failure. */
#ifndef PUDDLE_HARNESS_H
#define PUDDLE_HARNESS_H
#include "str.h"
#include <stdio.h>
#include <string.h>

struct test_case {
    const char *name;
    void (*fn)(void);
    struct test_case *next;
};
void test_register(struct test_case *t);
void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The rest of the test is skipped; the reason is printed. */
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    static struct test_case case_##id = {#id, test_##id, NULL};                                    \
    __attribute__((constructor)) static void register_##id(void)                                   \
    {                                                                                              \
        test_register(&case_##id);                                                                 \
    }                                                                                              \
    static void test_##id(void)

/* A failed check ends the test function. */
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            test_fail(__FILE__, __LINE__, "%s", #cond);                                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_I64(got, want)                                                                       \
    do {                                                                                           \
        long long got_ = (got), want_ = (want);                                                    \
        if (got_ != want_) {                                                                       \
            test_fail(__FILE__, __LINE__, "%s: got %lld, want %lld", #got, got_, want_);           \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        struct str got_ = (got), want_ = str_c(want);                                              \
        if (!str_eq(got_, want_)) {                                                                \
            test_fail(__FILE__, __LINE__, "%s:\n    got  %.*s\n    want %.*s", #got,               \
                      STR_ARG(got_), STR_ARG(want_));                                              \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#endif
