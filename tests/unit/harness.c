#include "harness.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

static struct test_case *first, *last;
static int failures_here, skipped_here;
static jmp_buf skip_to;

void test_register(struct test_case *t)
{
    if (last != NULL)
        last->next = t;
    else
        first = t;
    last = t;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    failures_here++;
    printf("  %s:%d: ", file, line);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

void test_skip(const char *fmt, ...)
{
    va_list args;
    skipped_here = 1;
    printf("  skipped: ");
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    longjmp(skip_to, 1);
}

/* In a function of its own: locals of main must not be lost by the jump. */
static void run_one(struct test_case *t)
{
    if (setjmp(skip_to) == 0)
        t->fn();
}

/* With an argument: only the tests whose name contains it. */
int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct test_case *t = first; t != NULL; t = t->next) {
        if (argc > 1 && strstr(t->name, argv[1]) == NULL)
            continue;
        failures_here = skipped_here = 0;
        run_one(t);
        const char *word = failures_here ? "FAIL" : skipped_here ? "skip" : "ok";
        printf("%s %s\n", word, t->name);
        failed += failures_here != 0;
        skipped += !failures_here && skipped_here;
        passed += !failures_here && !skipped_here;
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
