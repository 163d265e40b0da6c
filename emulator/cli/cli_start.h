/* cli_start.h - the start command. */
#ifndef PUDDLE_CLI_START_H
#define PUDDLE_CLI_START_H
#include <stdint.h>

/* start_us: when the program began. Returns when the server has stopped: the exit status. */
int cli_start(int argc, char **argv, int64_t start_us);
#endif
