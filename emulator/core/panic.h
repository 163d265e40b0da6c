/* panic.h - for our own bugs only: message on stderr, then abort(). A client's mistake is an
 * aws_err, never a panic. ASSERT stays on in release builds. */
#ifndef PUDDLE_PANIC_H
#define PUDDLE_PANIC_H
_Noreturn void panic_at(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define PANIC(...)   panic_at(__FILE__, __LINE__, __VA_ARGS__)
#define ASSERT(cond) ((cond) ? (void)0 : panic_at(__FILE__, __LINE__, "assert: %s", #cond))
#endif
