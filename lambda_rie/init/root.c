/* The handler's root: a small tmpfs into which the machine's folders are bound read-only, with
 * Lambda's /var/task, /var/runtime, /opt and /tmp in their places. */
#include "init.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OLD   "/.old" /* a spare's view of the machine, until it has its function */
#define STAGE "/tmp"  /* there on every machine; what it held is out of sight from then on */

/* A detached copy of a folder's mounts, -1 with errno. */
static int clone_tree(const char *path)
{
    return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
}

static int attach(int tree, const char *where)
{
    int rc = move_mount(tree, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH);
    int error = errno;
    close(tree);
    errno = error;
    return rc;
}

static int read_only(const char *path)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof attr);
}

static void make_dirs(char *path)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0755);
            *p = '/';
        }
    }
    mkdir(path, 0755);
}

/* from is a path of the old root; it appears at STAGE + to. Fine if it is not there. */
static void bind_one(const char *from, const char *to)
{
    char target[PATH_MAX];
    struct stat st;
    if (snprintf(target, sizeof target, STAGE "%s", to) >= (int)sizeof target ||
        stat(from, &st) != 0)
        return;
    if (S_ISDIR(st.st_mode)) {
        make_dirs(target);
    } else {
        int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0)
            close(fd);
    }
    int tree = clone_tree(from);
    if (tree >= 0)
        attach(tree, target);
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = {".", "..", "tmp", "proc", "var", "opt", "lost+found"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(name, ours[i]) == 0)
            return true;
    }
    return false;
}

static void bind_machine(DIR *root)
{
    for (struct dirent *e; (e = readdir(root)) != NULL;) {
        char path[300], target[320], link[PATH_MAX];
        struct stat st;
        snprintf(path, sizeof path, "/%s", e->d_name);
        snprintf(target, sizeof target, STAGE "/%s", e->d_name);
        if (is_ours(e->d_name) || lstat(path, &st) != 0)
            continue;
        if (S_ISLNK(st.st_mode)) {
            ssize_t n = readlink(path, link, sizeof link - 1);
            if (n > 0) {
                link[n] = '\0';
                if (symlink(link, target) != 0)
                    continue;
            }
        } else if (S_ISDIR(st.st_mode)) {
            bind_one(path, path);
        }
    }
    bind_one("/var/lib", "/var/lib");
    bind_one("/var/cache", "/var/cache");
    if (symlink("/run", STAGE "/var/run") != 0)
        mkdir(STAGE "/var", 0755);
}

/* One layer into /opt: folders are merged by name at the first two levels, which is where layers
 * of different kinds meet (/opt/nodejs/node_modules, /opt/python, /opt/extensions). */
static void link_entries(const char *from, const char *to, int depth)
{
    DIR *d = opendir(from);
    char source[PATH_MAX], target[PATH_MAX];
    struct stat st;
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            snprintf(source, sizeof source, "%s/%s", from, e->d_name) >= (int)sizeof source ||
            snprintf(target, sizeof target, "%s/%s", to, e->d_name) >= (int)sizeof target ||
            lstat(source, &st) != 0)
            continue;
        char full[PATH_MAX];
        if (snprintf(full, sizeof full, STAGE "%s", target) >= (int)sizeof full)
            continue;
        if (S_ISDIR(st.st_mode) && depth > 0) {
            mkdir(full, 0755);
            link_entries(source, target, depth - 1);
        } else if (S_ISLNK(st.st_mode)) {
            char text[PATH_MAX];
            ssize_t n = readlink(source, text, sizeof text - 1);
            text[n < 0 ? 0 : n] = '\0';
            unlink(full);
            if (n > 0 && symlink(text, full) != 0)
                continue;
        } else {
            bind_one(source, target); /* over what an earlier layer had there */
        }
    }
    closedir(d);
}

/* The machine's own /opt (node or python may live there) shows where no layer has that name. */
static void bind_opt(const struct init_options *o)
{
    char path[PATH_MAX];
    struct stat st;
    DIR *d = opendir("/opt");
    mkdir(STAGE "/opt", 0755);
    for (int i = 0; i < o->layer_count; i++)
        link_entries(o->layers[i], "/opt", o->layer_count > 1 ? 2 : 0);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            snprintf(path, sizeof path, STAGE "/opt/%s", e->d_name) < (int)sizeof path &&
            lstat(path, &st) != 0)
            bind_one(path + sizeof STAGE - 1, path + sizeof STAGE - 1);
    }
    if (d != NULL)
        closedir(d);
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* The server's data: an empty folder in its place, wherever the binds above made it visible. */
static const char *hide_data(const struct init_options *o, int keep)
{
    char target[PATH_MAX];
    struct stat st;
    if (o->hide == NULL)
        return NULL;
    if (snprintf(target, sizeof target, STAGE "%s", o->hide) >= (int)sizeof target)
        return "the data folder's path is too long";
    if (stat(target, &st) == 0 &&
        mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") != 0)
        return "hiding the data folder";
    if (o->keep != NULL && is_below(o->keep, o->hide)) {
        if (snprintf(target, sizeof target, STAGE "%s", o->keep) >= (int)sizeof target)
            return "the code folder's path is too long";
        make_dirs(target);
        if (attach(keep, target) != 0)
            return "the code folder";
    }
    return NULL;
}

/* o->also into the new /tmp, which is below root; the server's data stays out of sight. */
static bool keep_also(const struct init_options *o, int tree, const char *root)
{
    char target[PATH_MAX];
    struct stat st;
    if (snprintf(target, sizeof target, "%s%s", root, o->also) >= (int)sizeof target)
        return false;
    make_dirs(target);
    if (attach(tree, target) != 0 || read_only(target) != 0)
        return false;
    if (o->hide == NULL || !is_below(o->hide, o->also))
        return true;
    return snprintf(target, sizeof target, "%s%s", root, o->hide) < (int)sizeof target &&
           (stat(target, &st) != 0 ||
            mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") == 0);
}

const char *init_build_root(const struct init_options *o)
{
    char option[64], target[PATH_MAX] = STAGE;
    int task = -1, runtime = -1, keep = -1, also = -1;
    const char *wrong;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "private mounts";
    /* what may lie below /tmp is taken before that is covered */
    if ((o->task != NULL && (task = clone_tree(o->task)) < 0) ||
        (o->runtime != NULL && (runtime = clone_tree(o->runtime)) < 0) ||
        (o->keep != NULL && (keep = clone_tree(o->keep)) < 0) ||
        (o->also != NULL && (also = clone_tree(o->also)) < 0))
        return "the code folder";
    int layers[LAYERS_MAX];
    for (int i = 0; i < o->layer_count; i++)
        layers[i] = clone_tree(o->layers[i]);
    DIR *root = opendir("/");
    if (root == NULL)
        return "/";
    if (mount("tmpfs", STAGE, "tmpfs", MS_NOSUID, "size=1m,mode=755") != 0)
        return "a tmpfs";
    struct init_options staged = *o;
    static char layer_at[LAYERS_MAX][32];
    mkdir(STAGE "/.layers", 0755);
    for (int i = 0; i < o->layer_count; i++) {
        snprintf(layer_at[i], sizeof layer_at[i], STAGE "/.layers/%d", i);
        mkdir(layer_at[i], 0755);
        if (layers[i] < 0 || attach(layers[i], layer_at[i]) != 0)
            return "a layer";
        staged.layers[i] = layer_at[i];
    }
    mkdir(STAGE "/var", 0755);
    bind_machine(root);
    closedir(root);
    bind_opt(&staged);
    if (keep >= 0 && snprintf(target, sizeof target, STAGE "%s", o->keep) >= (int)sizeof target)
        return "the code folder's path is too long";
    if (keep >= 0 && (o->hide == NULL || !is_below(o->keep, o->hide))) {
        if (strncmp(o->keep, "/tmp/", 5) == 0 || strncmp(o->keep, "/var/", 5) == 0)
            make_dirs(target);
        if (attach(keep, target) != 0)
            return "the code folder";
    }
    if ((wrong = hide_data(o, keep)) != NULL)
        return wrong;
    mkdir(STAGE "/var/task", 0755);
    mkdir(STAGE "/var/runtime", 0755);
    if (task >= 0 && attach(task, STAGE "/var/task") != 0)
        return "/var/task";
    if (runtime >= 0 && attach(runtime, STAGE "/var/runtime") != 0)
        return "/var/runtime";
    mkdir(STAGE "/tmp", 0755);
    mkdir(STAGE "/proc", 0755);
    mkdir(STAGE OLD, 0700); /* used by spares only, there for all */
    if (mount("proc", STAGE "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return "/proc";
    if (read_only(STAGE) != 0)
        return "read-only mounts";
    if (o->spare) {
        if (chdir(STAGE) != 0 || syscall(SYS_pivot_root, ".", STAGE OLD) != 0 || chdir("/") != 0)
            return "the new root";
        return NULL;
    }
    snprintf(option, sizeof option, "size=%sm,mode=1777", o->tmp != NULL ? o->tmp : "512");
    /* a folder kept below /tmp is carried over the new /tmp */
    int below = keep >= 0 && strncmp(o->keep, "/tmp/", 5) == 0 ? clone_tree(target) : -1;
    if (mount("tmpfs", STAGE "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, option) != 0)
        return "/tmp";
    if (below >= 0) {
        make_dirs(target);
        if (attach(below, target) != 0)
            return "the code folder";
    }
    if (also >= 0 && !keep_also(o, also, STAGE))
        return "a linked folder";
    if (chdir(STAGE) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
        return "the new root";
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return "the old root";
    return NULL;
}

/* What is at from on the machine, read-only at to. */
static bool show(const char *from, const char *to)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, OLD "%s", from) >= (int)sizeof path)
        return false;
    int tree = clone_tree(path);
    return tree >= 0 && attach(tree, to) == 0 && read_only(to) == 0;
}

const char *init_assign_root(const struct init_options *o)
{
    char option[64], target[PATH_MAX];
    snprintf(option, sizeof option, "size=%sm,mode=1777", o->tmp != NULL ? o->tmp : "512");
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, option) != 0)
        return "/tmp";
    if (o->task != NULL && !show(o->task, "/var/task"))
        return "/var/task";
    if (o->keep != NULL) { /* below /tmp, else it is seen anyway */
        if (snprintf(target, sizeof target, "%s", o->keep) >= (int)sizeof target)
            return "the code folder's path is too long";
        make_dirs(target);
        if (!show(o->keep, o->keep))
            return "the code folder";
    }
    if (o->also != NULL) {
        if (snprintf(target, sizeof target, OLD "%s", o->also) >= (int)sizeof target)
            return "a linked folder's path is too long";
        int tree = clone_tree(target);
        if (tree < 0 || !keep_also(o, tree, ""))
            return "a linked folder";
    }
    if (umount2(OLD, MNT_DETACH) != 0)
        return "the old root";
    return NULL;
}
