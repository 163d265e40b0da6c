/* Landlock has no "all but": every entry beside the path to the hidden folder is allowed. What is
 * made later in one of the folders on that path is not; this is the fallback without namespaces. */
#include "init.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FILE_RIGHTS =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE
};

static void allow(int rules, const char *path, __u64 rights)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {.parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return;
    if (fstat(rule.parent_fd, &st) == 0) {
        rule.allowed_access = S_ISDIR(st.st_mode) ? rights : rights & FILE_RIGHTS;
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    close(rule.parent_fd);
}

static void allow_siblings(int rules, const char *folder, const char *but, __u64 rights)
{
    DIR *d = opendir(folder);
    char path[PATH_MAX];
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strcmp(e->d_name, but) != 0 &&
            snprintf(path, sizeof path, "%s%s%s", folder, folder[1] == '\0' ? "" : "/", e->d_name) <
                (int)sizeof path)
            allow(rules, path, rights);
    }
    closedir(d);
}

void init_landlock(const struct init_options *o)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    char path[PATH_MAX];
    if (abi < 1 || snprintf(path, sizeof path, "%s", o->hide) >= (int)sizeof path)
        return;
    __u64 rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    __u64 reading =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    struct landlock_ruleset_attr attr = {.handled_access_fs = rights};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (rules < 0)
        return;
    /* from the root downwards: all of each folder but the one on the way */
    char folder[PATH_MAX] = "/";
    for (char *part = path + 1; part != NULL && *part != '\0';) {
        char *slash = strchr(part, '/');
        if (slash != NULL)
            *slash = '\0';
        allow_siblings(rules, folder, part, rights);
        size_t n = strlen(folder);
        snprintf(folder + n, sizeof folder - n, "%s%s", n > 1 ? "/" : "", part);
        part = slash != NULL ? slash + 1 : NULL;
    }
    const char *const code[] = {o->task, o->runtime, o->keep};
    for (size_t i = 0; i < sizeof code / sizeof *code; i++) {
        if (code[i] != NULL)
            allow(rules, code[i], reading);
    }
    for (int i = 0; i < o->layer_count; i++)
        allow(rules, o->layers[i], reading);
    if (o->tmp != NULL && o->tmp[0] == '/')
        allow(rules, o->tmp, rights);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}
