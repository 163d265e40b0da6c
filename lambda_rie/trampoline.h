/* trampoline.h - what our own binary does between posix_spawn and a handler's program:
 *   puddle __trampoline <server pid> <cwd> <program> [arguments]
 * main() calls this before anything else when argv[1] is "__trampoline". Does not return when the
 * program could be started; else the exit status (127: it is not there, 126: it cannot be run). */
#ifndef PUDDLE_TRAMPOLINE_H
#define PUDDLE_TRAMPOLINE_H
int trampoline_main(int argc, char **argv);
#endif
