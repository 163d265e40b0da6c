/* fault.h - numbered failure points, for tests that prove recovery. PUDDLE_FAULT="name:n[,name:n]"
 * in the environment makes the n-th hit (1-based) of that point fail, "name:n+" that and all later
 * ones. Compiled in always; without the variable a hit is one predictable branch. */
#ifndef PUDDLE_FAULT_H
#define PUDDLE_FAULT_H
#include <stdbool.h>

bool fault_hit_slow(const char *point);
extern bool fault_armed;
/* True: the caller must behave as if the operation had failed. */
static inline bool fault_hit(const char *point)
{
    return fault_armed && fault_hit_slow(point);
}
void fault_setup(const char *spec); /* NULL: none; panics on a malformed spec */
#endif
