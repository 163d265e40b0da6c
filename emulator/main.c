#include "cli.h"
#include "clock.h"
#include "fault.h"
#include <stdlib.h>

int main(int argc, char **argv)
{
    int64_t start_us = clock_mono_us();
    fault_setup(getenv("PUDDLE_FAULT"));
    return cli_main(argc, argv, start_us);
}
