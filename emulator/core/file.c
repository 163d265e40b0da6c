#include "file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(struct arena *a, const char *path, size_t max_bytes, struct str *ret_content)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not block us */
    struct stat st;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    if (st.st_size < 0 || (uint64_t)st.st_size > max_bytes) {
        close(fd);
        return -EFBIG;
    }
    size_t size = (size_t)st.st_size, n = 0;
    char *p = arena_alloc_raw(a, size + 1);
    while (n < size) {
        ssize_t got = read(fd, p + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    p[n] = '\0';
    *ret_content = (struct str){p, n};
    return 0;
}

int file_write_atomic(const char *path, struct str content, unsigned mode)
{
    char temporary[PATH_MAX];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.tmp", path) >= sizeof temporary)
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    for (size_t n = 0; n < content.n;) {
        ssize_t put = write(fd, content.p + n, content.n - n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int error = errno;
            close(fd);
            unlink(temporary);
            return -error;
        }
        n += (size_t)put;
    }
    int error = fsync(fd) != 0 ? errno : 0;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(temporary, path) != 0)
        error = errno;
    if (error != 0)
        unlink(temporary);
    return -error;
}

int file_mkdirs(const char *path, unsigned mode)
{
    char partial[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof partial)
        return -ENAMETOOLONG;
    for (size_t i = 0; i <= n; i++) {
        partial[i] = path[i];
        if ((path[i] == '/' && i > 0) || path[i] == '\0') {
            partial[i] = '\0';
            if (mkdir(partial, mode) != 0 && errno != EEXIST)
                return -errno;
            partial[i] = path[i];
        }
    }
    struct stat st;
    if (stat(path, &st) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

enum { TREE_DEPTH_MAX = 256 };

static int remove_at(int dir, const char *name, int depth)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth >= TREE_DEPTH_MAX)
        return -ELOOP;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *d = fdopendir(fd);
    if (d == NULL) {
        int error = errno;
        close(fd);
        return -error;
    }
    int result = 0;
    fchmod(fd, 0700); /* code folders may be read-only */
    for (struct dirent *e; result == 0 && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            result = remove_at(fd, e->d_name, depth + 1);
    }
    closedir(d);
    if (result == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0)
        result = -errno;
    return result;
}

int file_remove_tree(const char *path)
{
    return remove_at(AT_FDCWD, path, 0);
}
