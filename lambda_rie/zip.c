/* libarchive only decodes; every path is walked by us with O_NOFOLLOW, component by component, so
 * that a link made by an earlier entry cannot lead a later one out of the folder. */
#include "zip.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, DEPTH_MAX = 200 /* file_remove_tree follows 256 */ };

/* Zips made on Windows may use '\' as the separator (libarchive turns it into '/' where it thinks
 * so): it counts as one here in any case. */
static bool safe_path(struct str path)
{
    size_t start = 0, depth = 0;
    if (path.n == 0 || path.n >= PATH_BYTES || path.p[0] == '/' || path.p[0] == '\\' ||
        (path.n >= 3 && path.p[1] == ':' && (path.p[2] == '\\' || path.p[2] == '/')))
        return false;
    for (size_t i = 0; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/' && path.p[i] != '\\')
            continue;
        if (++depth > DEPTH_MAX || (i - start == 2 && memcmp(path.p + start, "..", 2) == 0))
            return false;
        start = i + 1;
    }
    return true;
}

/* May path, whose folders are real ones, be a link to target? Only if the target climbs at its very
 * beginning and never above the top. Then every such link stays inside, by induction: what follows
 * the climbing goes down through real folders and links that stay inside themselves. (A ".." later
 * on could climb from wherever a link has led.) */
static bool safe_link(struct str path, struct str target)
{
    int depth = -1;
    bool down = false;
    if (target.n == 0 || target.n >= PATH_BYTES || target.p[0] == '/')
        return false;
    while (path.p != NULL) {
        struct str part = str_cut(&path, '/');
        depth += part.n > 0 && !str_eq_c(part, ".");
    }
    while (target.p != NULL) {
        struct str part = str_cut(&target, '/');
        if (part.n == 0 || str_eq_c(part, "."))
            continue;
        if (!str_eq_c(part, ".."))
            down = true;
        else if (down || --depth < 0)
            return false;
    }
    return true;
}

static enum zip_result from_errno(int error)
{
    return error == ENOTDIR || error == ELOOP || error == EEXIST || error == EISDIR ||
                   error == ENAMETOOLONG || error == EINVAL || error == EILSEQ
               ? ZIP_UNSAFE
               : ZIP_IO;
}

/* Opens (making) the folder that holds path's last component; *ret_name is that component. -1 with
 * errno when it is not a chain of real folders. */
static int open_parent(int root, struct str path, char *buffer, const char **ret_name)
{
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    memcpy(buffer, path.p, path.n);
    buffer[path.n] = '\0';
    while (path.n > 0 && buffer[path.n - 1] == '/')
        buffer[--path.n] = '\0';
    char *at = buffer;
    for (char *slash; dir >= 0 && (slash = strchr(at, '/')) != NULL; at = slash + 1) {
        *slash = '\0';
        if (*at == '\0' || strcmp(at, ".") == 0)
            continue;
        int next = -1;
        if (mkdirat(dir, at, 0755) == 0 || errno == EEXIST)
            next = openat(dir, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int error = errno;
        close(dir);
        dir = next;
        errno = error;
    }
    *ret_name = at;
    return dir;
}

static enum zip_result write_all(int fd, const char *p, size_t n, int64_t offset)
{
    while (n > 0) {
        ssize_t put = pwrite(fd, p, n, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return ZIP_IO;
        p += put;
        n -= (size_t)put;
        offset += put;
    }
    return ZIP_OK;
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
    int status = ARCHIVE_OK;
    enum zip_result result = ZIP_OK;
    if (fd < 0)
        return from_errno(errno);
    while (result == ZIP_OK &&
           (status = archive_read_data_block(in, &block, &size, &offset)) == ARCHIVE_OK) {
        *left -= (int64_t)size;
        if (*left < 0 || offset < 0 || offset > ZIP_UNZIPPED_MAX)
            result = ZIP_TOO_LARGE;
        else
            result = write_all(fd, block, size, offset);
    }
    if (close(fd) != 0 && result == ZIP_OK)
        result = ZIP_IO;
    if (result == ZIP_OK && status != ARCHIVE_EOF)
        result = ZIP_BAD;
    return result;
}

static enum zip_result unpack_entry(int root, struct archive *in, struct archive_entry *entry,
                                    int64_t *left)
{
    char buffer[PATH_BYTES];
    const char *name;
    struct str path = str_c(archive_entry_pathname(entry));
    if (path.p == NULL)
        return ZIP_BAD;
    if (!safe_path(path) || archive_entry_hardlink(entry) != NULL)
        return ZIP_UNSAFE;
    mode_t type = archive_entry_filetype(entry);
    int dir = open_parent(root, path, buffer, &name);
    if (dir < 0)
        return from_errno(errno);
    enum zip_result result = ZIP_OK;
    if (*name == '\0' || strcmp(name, ".") == 0) {
        result = type == AE_IFDIR ? ZIP_OK : ZIP_UNSAFE;
    } else if (type == AE_IFDIR) {
        if (mkdirat(dir, name, 0755) != 0 && errno != EEXIST)
            result = from_errno(errno);
    } else if (type == AE_IFLNK) {
        struct str target = str_c(archive_entry_symlink(entry));
        unlinkat(dir, name, 0);
        if (!safe_link(path, target))
            result = ZIP_UNSAFE;
        else if (symlinkat(target.p, dir, name) != 0)
            result = from_errno(errno);
    } else if (type == AE_IFREG) {
        result = write_file(dir, name, in, (archive_entry_perm(entry) & 0111) != 0, left);
    } else {
        result = ZIP_UNSAFE;
    }
    close(dir);
    return result;
}

static unsigned number(const char *p, size_t bytes)
{
    unsigned v = 0;
    while (bytes-- > 0)
        v = v << 8 | (unsigned char)p[bytes];
    return v;
}

/* libarchive hands out names as C strings, which hides what follows a NUL. So the names in the
 * central directory are looked at here; a directory that cannot be walked is left to libarchive. */
static bool has_nul_name(struct str zip)
{
    enum { END = 22, ENTRY = 46, COMMENT_MAX = 65535 };
    if (zip.n < END)
        return false;
    size_t at = zip.n - END, last = at > COMMENT_MAX ? at - COMMENT_MAX : 0;
    while (at > last && memcmp(zip.p + at, "PK\5\6", 4) != 0)
        at--;
    if (memcmp(zip.p + at, "PK\5\6", 4) != 0)
        return false;
    size_t next = number(zip.p + at + 16, 4), size = number(zip.p + at + 12, 4);
    if (next + size < at) /* something was put before the zip, e.g. a self-extractor */
        next = at - size;
    while (next + ENTRY <= zip.n && memcmp(zip.p + next, "PK\1\2", 4) == 0) {
        size_t name_n = number(zip.p + next + 28, 2);
        if (next + ENTRY + name_n > zip.n)
            return false;
        if (memchr(zip.p + next + ENTRY, '\0', name_n) != NULL)
            return true;
        next += ENTRY + name_n + number(zip.p + next + 30, 2) + number(zip.p + next + 32, 2);
    }
    return false;
}

static enum zip_result unpack_all(struct archive *in, int root, int64_t *ret_bytes)
{
    struct archive_entry *entry;
    int64_t left = ZIP_UNZIPPED_MAX;
    size_t entries = 0;
    enum zip_result result = ZIP_OK;
    int status;
    while (result == ZIP_OK && (status = archive_read_next_header(in, &entry)) != ARCHIVE_EOF) {
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            result = ZIP_BAD;
        else if (++entries > ZIP_ENTRIES_MAX)
            result = ZIP_TOO_MANY;
        else
            result = unpack_entry(root, in, entry, &left);
    }
    *ret_bytes = ZIP_UNZIPPED_MAX - left;
    return result == ZIP_OK && entries == 0 ? ZIP_BAD : result;
}

enum zip_result zip_unpack(struct str zip, const char *dir, int64_t *ret_bytes)
{
    struct archive *in = archive_read_new();
    enum zip_result result;
    int root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* else libarchive turns names that are not ASCII into question marks */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 != (locale_t)0 ? uselocale(utf8) : (locale_t)0;
    *ret_bytes = 0;
    /* the seekable reader only: what counts is the central directory, as for AWS */
    if (root < 0)
        result = ZIP_IO;
    else if (str_starts(zip, STR("PK\5\6"))) /* nothing but the end of a central directory */
        result = zip.n < 22 ? ZIP_BAD : ZIP_EMPTY;
    else if (archive_read_support_format_zip_seekable(in) != ARCHIVE_OK ||
             archive_read_open_memory(in, zip.p, zip.n) != ARCHIVE_OK)
        result = ZIP_BAD;
    else if (has_nul_name(zip))
        result = ZIP_UNSAFE;
    else
        result = unpack_all(in, root, ret_bytes);
    archive_read_free(in);
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    if (root >= 0)
        close(root);
    return result;
}
