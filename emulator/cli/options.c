#include "options.h"
#include <stdio.h>
#include <string.h>

static bool names(const char *option, const char *arg, size_t n)
{
    return option != NULL && strlen(option) == n && memcmp(option, arg, n) == 0;
}

static bool wrong(char **argv, const char *what, const char *arg)
{
    fprintf(stderr, "puddle %s: %s: %s (see puddle help %s)\n", argv[1], what, arg, argv[1]);
    return false;
}

bool options_read(int argc, char **argv, const struct option *options, size_t count, void *arg,
                  const char **positional, size_t positional_max)
{
    size_t positional_count = 0;
    for (int i = 2; i < argc; i++) {
        const char *text = argv[i], *value = strncmp(text, "--", 2) == 0 ? strchr(text, '=') : NULL;
        size_t n = value != NULL ? (size_t)(value - text) : strlen(text), k = 0;
        if (text[0] != '-' || text[1] == '\0') {
            if (positional_count == positional_max)
                return wrong(argv, "one argument too many", text);
            positional[positional_count++] = text;
            continue;
        }
        while (k < count && !names(options[k].name, text, n) && !names(options[k].other, text, n))
            k++;
        if (k == count)
            return wrong(argv, "unknown option", text);
        if (options[k].flag != NULL) {
            if (value != NULL)
                return wrong(argv, "this option takes no value", text);
            *options[k].flag = true;
            continue;
        }
        if (value != NULL)
            value++;
        else if (i + 1 < argc)
            value = argv[++i];
        else
            return wrong(argv, "this option needs a value", text);
        if (options[k].text != NULL)
            *options[k].text = value;
        else if (!options[k].take(arg, value))
            return wrong(argv, "not a valid value of its option", value);
    }
    return true;
}
