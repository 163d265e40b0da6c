/* options.h - the one way in which the commands read their arguments. */
#ifndef PUDDLE_OPTIONS_H
#define PUDDLE_OPTIONS_H
#include "str.h"

struct option {
    const char *name, *other; /* "--port", and a second spelling or NULL                      */
    bool *flag;               /* set to true: an option without a value                       */
    bool (*take)(void *arg, const char *value); /* with a value; false: not a valid one       */
    const char **text; /* with a value, kept as it is                                  */
};
/* Reads argv[2...]. "--name value" and "--name=value"; what is no option goes to positional (at
 * most positional_max). False after one line on stderr: the caller exits with 2. */
bool options_read(int argc, char **argv, const struct option *options, size_t count, void *arg,
                  const char **positional, size_t positional_max);
#endif
