/* cli.h - the commands. Exit status: 0 done, 1 failed, 2 wrong usage. */
#ifndef PUDDLE_CLI_H
#define PUDDLE_CLI_H
#include <stdint.h>

/* start_us: when the program began. */
int cli_main(int argc, char **argv, int64_t start_us);
#endif
