/* A lock file beside the database keeps a second server out. flock and not SQLite's own locks: it
 * answers at once, with the other's pid, and it is gone when the process is, however it ended. */
#include "db_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void say_holder(int fd, const char *dir, char *reterr, size_t reterr_size)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        snprintf(reterr, reterr_size, "%s is in use by another puddle (pid %ld)", dir, pid);
    else
        snprintf(reterr, reterr_size, "%s is in use by another puddle", dir);
}

int lock_take(const char *dir, char *reterr, size_t reterr_size)
{
    char path[4096], text[32];
    if (snprintf(path, sizeof path, "%s/lock", dir) >= (int)sizeof path) {
        snprintf(reterr, reterr_size, "the name of the data folder is too long");
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        snprintf(reterr, reterr_size, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            say_holder(fd, dir, reterr, reterr_size);
        else
            snprintf(reterr, reterr_size, "cannot lock %s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    /* The pid is only for the message above: a full disk must not keep us from starting. */
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        (void)0;
    return fd;
}
