#include "cli.h"
#include "clock.h"
#include "fault.h"
#include "trampoline.h"
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int64_t start_us = clock_mono_us();
    if (argc > 1 && strcmp(argv[1], "__trampoline") == 0)
        return trampoline_main(argc, argv);
    fault_setup(getenv("PUDDLE_FAULT"));
    return cli_main(argc, argv, start_us);
}
