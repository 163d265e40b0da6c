/* temporary.h - the folder of an --ephemeral server. */
#ifndef PUDDLE_TEMPORARY_H
#define PUDDLE_TEMPORARY_H
#include <stddef.h>

/* Makes a new folder below TMPDIR or /tmp and locks it for as long as *ret_fd is open; folders that
 * killed servers left behind are removed on the way. 0 or -errno. */
int temporary_open(char *path, size_t size, int *ret_fd);
void temporary_remove(const char *path, int fd);
#endif
