#include "programs.h"
#include "log.h"
#include "panic.h"
#include "process.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KNOWN_MAX = 16, ASK_MS = 5000 };

static struct {
    char name[24], *path; /* path NULL: not installed */
} known[KNOWN_MAX];
static size_t known_count;

static bool is_script(const char *path)
{
    char start[2] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, start, 2);
    if (fd >= 0)
        close(fd);
    return n == 2 && start[0] == '#' && start[1] == '!';
}

/* The first line that the program prints, with our own environment. */
static bool ask(char *const argv[], char *line, size_t size)
{
    extern char **environ;
    int out[2];
    pid_t pid = 0;
    size_t n = 0;
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    struct pollfd p = {.fd = out[0], .events = POLLIN};
    while (error == 0 && n + 1 < size && poll(&p, 1, ASK_MS) > 0) {
        ssize_t got = read(out[0], line + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(out[0]);
    if (error != 0)
        return false;
    kill(pid, SIGKILL); /* it is done, or it hangs */
    waitpid(pid, NULL, 0);
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] == '/';
}

static char *look_up(const char *name)
{
    char path[4096], line[4096];
    if (process_find_program(name, path, sizeof path).n == 0)
        return NULL;
    if (is_script(path)) {
        bool node = strcmp(name, "node") == 0;
        char option[] = "-c", code[] = "import sys; print(sys.executable)";
        char node_option[] = "-p", node_code[] = "process.execPath";
        char *argv[] = {path, node ? node_option : option, node ? node_code : code, NULL};
        if (!ask(argv, line, sizeof line) || access(line, X_OK) != 0)
            return NULL;
        return strdup(line);
    }
    return strdup(path);
}

struct str program_find(const char *name)
{
    for (size_t i = 0; i < known_count; i++) {
        if (strcmp(known[i].name, name) == 0)
            return str_c(known[i].path);
    }
    ASSERT(known_count < KNOWN_MAX);
    snprintf(known[known_count].name, sizeof known[0].name, "%s", name);
    known[known_count].path = look_up(name);
    return str_c(known[known_count++].path);
}
