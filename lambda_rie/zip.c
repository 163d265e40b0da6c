/* libarchive only decodes; every path is walked by us with O_NOFOLLOW, component by component, so
 * that a link made by an earlier entry cannot lead a later one out of the folder. */
#include "zip.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool safe_path(struct str path)
{
    if (path.n == 0 || path.n >= 4096 || path.p[0] == '/' || str_find(path, '\\') >= 0 ||
        str_find(path, '\0') >= 0)
        return false;
    while (path.p != NULL) {
        if (str_eq_c(str_cut(&path, '/'), ".."))
            return false;
    }
    return true;
}

/* A link may only lead to something inside the folder: no absolute target, and never more ".."
 * than the link is deep. */
static bool safe_link(struct str path, struct str target)
{
    int depth = -1;
    if (target.n == 0 || target.p[0] == '/')
        return false;
    while (path.p != NULL) {
        struct str part = str_cut(&path, '/');
        depth += part.n > 0 && !str_eq_c(part, ".");
    }
    while (target.p != NULL) {
        struct str part = str_cut(&target, '/');
        if (str_eq_c(part, ".."))
            depth--;
        else if (part.n > 0 && !str_eq_c(part, "."))
            depth++;
        if (depth < 0)
            return false;
    }
    return true;
}

/* Opens (making) the folder that holds path's last component; *ret_name is that component. -1 when
 * it is not a chain of real folders. */
static int open_parent(int root, struct str path, char *buffer, const char **ret_name)
{
    int dir = dup(root);
    memcpy(buffer, path.p, path.n);
    buffer[path.n] = '\0';
    while (path.n > 0 && buffer[path.n - 1] == '/')
        buffer[--path.n] = '\0';
    char *at = buffer;
    for (char *slash; dir >= 0 && (slash = strchr(at, '/')) != NULL; at = slash + 1) {
        *slash = '\0';
        if (*at == '\0' || strcmp(at, ".") == 0)
            continue;
        if (mkdirat(dir, at, 0755) != 0 && errno != EEXIST) {
            close(dir);
            return -1;
        }
        int next = openat(dir, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(dir);
        dir = next;
    }
    *ret_name = at;
    return dir;
}

static enum zip_result write_file(int dir, const char *name, struct archive *in, bool executable,
                                  int64_t *left)
{
    unlinkat(dir, name, 0); /* a repeated entry replaces, it does not follow */
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    executable ? 0755 : 0644);
    const void *block;
    size_t size;
    la_int64_t offset;
    int status;
    if (fd < 0)
        return ZIP_UNSAFE;
    while ((status = archive_read_data_block(in, &block, &size, &offset)) == ARCHIVE_OK) {
        *left -= (int64_t)size;
        if (*left < 0 || offset < 0 || offset > ZIP_UNZIPPED_MAX) {
            close(fd);
            return ZIP_TOO_LARGE;
        }
        if (pwrite(fd, block, size, offset) != (ssize_t)size) {
            close(fd);
            return ZIP_IO;
        }
    }
    if (close(fd) != 0)
        return ZIP_IO;
    return status == ARCHIVE_EOF ? ZIP_OK : ZIP_BAD;
}

static enum zip_result unpack_entry(int root, struct archive *in, struct archive_entry *entry,
                                    int64_t *left)
{
    char buffer[4096];
    const char *name;
    struct str path = str_c(archive_entry_pathname(entry));
    if (!safe_path(path) || archive_entry_hardlink(entry) != NULL)
        return ZIP_UNSAFE;
    mode_t type = archive_entry_filetype(entry);
    int dir = open_parent(root, path, buffer, &name);
    if (dir < 0)
        return ZIP_UNSAFE;
    enum zip_result result = ZIP_OK;
    if (*name == '\0' || strcmp(name, ".") == 0) {
        result = type == AE_IFDIR ? ZIP_OK : ZIP_UNSAFE;
    } else if (type == AE_IFDIR) {
        if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
            result = ZIP_IO;
    } else if (type == AE_IFLNK) {
        struct str target = str_c(archive_entry_symlink(entry));
        if (!safe_link(path, target))
            result = ZIP_UNSAFE;
        else if (symlinkat(target.p, dir, name) != 0)
            result = ZIP_IO;
    } else if (type == AE_IFREG) {
        result = write_file(dir, name, in, (archive_entry_perm(entry) & 0111) != 0, left);
    } else {
        result = ZIP_UNSAFE;
    }
    close(dir);
    return result;
}

enum zip_result zip_unpack(struct str zip, const char *dir)
{
    struct archive *in = archive_read_new();
    struct archive_entry *entry;
    int64_t left = ZIP_UNZIPPED_MAX;
    size_t entries = 0;
    enum zip_result result = ZIP_OK;
    int status, root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    archive_read_support_format_zip(in);
    if (root < 0 || archive_read_open_memory(in, zip.p, zip.n) != ARCHIVE_OK) {
        result = root < 0 ? ZIP_IO : ZIP_BAD;
    } else {
        while (result == ZIP_OK && (status = archive_read_next_header(in, &entry)) != ARCHIVE_EOF) {
            if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
                result = ZIP_BAD;
            else if (++entries > ZIP_ENTRIES_MAX)
                result = ZIP_TOO_LARGE;
            else
                result = unpack_entry(root, in, entry, &left);
        }
        if (entries == 0 && result == ZIP_OK)
            result = ZIP_BAD;
    }
    if (root >= 0)
        close(root);
    archive_read_free(in);
    return result;
}
