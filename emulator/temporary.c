#include "temporary.h"
#include "file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "puddle-ephemeral-";

static const char *base_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp != NULL && tmp[0] == '/' ? tmp : "/tmp";
}

/* Locks the folder: its server is alive for as long as the lock is held. -1: it is not ours, not a
 * folder, or its server runs. */
static int lock_folder(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void remove_stale(const char *base)
{
    DIR *d = opendir(base);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[4096];
        if (strncmp(e->d_name, prefix, sizeof prefix - 1) != 0 ||
            snprintf(path, sizeof path, "%s/%s", base, e->d_name) >= (int)sizeof path)
            continue;
        int fd = lock_folder(path);
        if (fd >= 0)
            temporary_remove(path, fd);
    }
    closedir(d);
}

int temporary_open(char *path, size_t size, int *ret_fd)
{
    struct stat st;
    remove_stale(base_folder());
    /* another server may take the new folder for a stale one before it is locked: then try again */
    for (int tries = 0; tries < 100; tries++) {
        if (snprintf(path, size, "%s/%sXXXXXX", base_folder(), prefix) >= (int)size)
            return -ENAMETOOLONG;
        if (mkdtemp(path) == NULL)
            return -errno;
        int fd = lock_folder(path);
        if (fd >= 0 && stat(path, &st) == 0) {
            *ret_fd = fd;
            return 0;
        }
        if (fd >= 0)
            close(fd);
    }
    return -EBUSY;
}

void temporary_remove(const char *path, int fd)
{
    file_remove_tree(path);
    close(fd);
}
