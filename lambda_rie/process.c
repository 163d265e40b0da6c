#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 16, TRAMPOLINE_ARGS = 4 };

static void close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

int process_spawn(struct process *p, const char *cwd, char *const argv[], char *const env[])
{
    int out[2], err[2], error;
    char parent[24];
    char self[] = "/proc/self/exe", word[] = "__trampoline";
    char *args[ARGS_MAX + TRAMPOLINE_ARGS + 1] = {self, word, parent, (char *)cwd};
    *p = (struct process){0, -1, -1, -1};
    for (size_t i = 0; argv[i] != NULL; i++) {
        if (i == ARGS_MAX)
            return -E2BIG;
        args[TRAMPOLINE_ARGS + i] = argv[i];
    }
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    if (pipe2(out, O_CLOEXEC) != 0)
        return -errno;
    if (pipe2(err, O_CLOEXEC) != 0) {
        error = errno;
        close_pair(out);
        return -error;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    error = posix_spawn(&p->pid, self, &actions, NULL, args, env);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    if (error == 0) {
        p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
        if (p->pidfd < 0)
            error = errno;
    }
    if (error != 0) {
        if (p->pid > 0) {
            kill(p->pid, SIGKILL);
            waitpid(p->pid, NULL, 0);
        }
        close(out[0]);
        close(err[0]);
        p->pid = 0;
        return -error;
    }
    fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    p->out = out[0];
    p->err = err[0];
    return 0;
}

void process_kill(const struct process *p, int signal_number)
{
    if (p->pid <= 0)
        return;
    kill(-p->pid, signal_number); /* the group exists once the trampoline ran */
    kill(p->pid, signal_number);
}

void process_reap(struct process *p, bool *ret_signaled, int *ret_code)
{
    int status = 0;
    pid_t pid = p->pid;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what the handler left behind in its group */
    p->pid = 0;
    *ret_signaled = WIFSIGNALED(status);
    *ret_code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void process_close(struct process *p)
{
    int *fds[] = {&p->pidfd, &p->out, &p->err};
    for (size_t i = 0; i < 3; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

int64_t process_rss(const struct process *p)
{
    char path[64], text[128];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    char *second = strchr(text, ' ');
    if (second != NULL)
        pages = strtol(second, NULL, 10);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

int64_t process_peak_rss(const struct process *p)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *at = strstr(text, "VmHWM:");
    return at == NULL ? 0 : strtol(at + 6, NULL, 10) * 1024;
}

struct str process_find_program(const char *name, char *buffer, size_t size)
{
    struct str rest = str_c(getenv("PATH"));
    if (rest.p == NULL)
        rest = STR("/usr/local/bin:/usr/bin:/bin");
    while (rest.p != NULL) {
        struct str dir = str_cut(&rest, ':');
        int n = snprintf(buffer, size, "%.*s/%s", STR_ARG(dir), name);
        if (dir.n > 0 && n > 0 && (size_t)n < size && access(buffer, X_OK) == 0)
            return str_c(buffer);
    }
    return STR_NONE;
}
