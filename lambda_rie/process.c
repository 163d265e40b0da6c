#include "process.h"
#include "init/init.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern const unsigned char embed_puddle_init[];
extern const size_t embed_puddle_init_size;

enum {
    ARGS_MAX = 96,
    TEXT_MAX = 64 * 1024,
    STACK_BYTES = 128 * 1024,
    PROBE_MS = 5000,
    SPARE_MAX = 60 * 1024 /* less than a pipe takes at once */
};

struct child { /* what the child reads before its exec; it runs in our memory */
    int init_fd, null_fd, out, err, status, control; /* control: -1: not a spare */
    bool user_namespace;
    char uid_map[64], gid_map[64];
    char *const *argv, *const *env;
};

/* Our init program as a descriptor that can be executed. -1 with errno. */
static int init_program(void)
{
    static int fd = -1;
    if (fd >= 0)
        return fd;
    int made = memfd_create("puddle-init", MFD_CLOEXEC | 0x10 /* MFD_EXEC, Linux 6.3 */);
    if (made < 0)
        made = memfd_create("puddle-init", MFD_CLOEXEC);
    if (made < 0)
        return -1;
    if (write(made, embed_puddle_init, embed_puddle_init_size) != (ssize_t)embed_puddle_init_size) {
        close(made);
        return -1;
    }
    return fd = made;
}

/* ---- in the child, before exec: system calls only. It never returns, so the sanitizer's marks on
 * the borrowed stack would stay ---- */
#define IN_CHILD __attribute__((no_sanitize_address))

IN_CHILD static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = 0;
    while (text[n] != '\0')
        n++;
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The same user inside; init keeps what it needs for mounting through its exec, the handler's own
 * exec takes it away. */
IN_CHILD static bool enter_user_namespace(const struct child *c)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (!write_text("/proc/self/setgroups", "deny"))
        return false;
    if (!write_text("/proc/self/uid_map", c->uid_map) ||
        !write_text("/proc/self/gid_map", c->gid_map) || syscall(SYS_capget, &head, data) != 0)
        return false;
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    return syscall(SYS_capset, &head, data) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) == 0;
}

IN_CHILD static int child_main(void *arg)
{
    const struct child *c = arg;
    int fds[] = {c->null_fd, c->out, c->err, c->status, c->control};
    int n = c->control >= 0 ? 5 : 4;
    if (c->user_namespace && !enter_user_namespace(c))
        _exit(125);
    for (int i = 0; i < n; i++) {
        fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16); /* out of the way of 0 to 4 */
        if (fds[i] < 0)
            _exit(126);
    }
    for (int i = 0; i < n; i++) {
        if (dup2(fds[i], i) < 0)
            _exit(126);
    }
    syscall(SYS_execveat, c->init_fd, "", c->argv, c->env, AT_EMPTY_PATH);
    _exit(126);
}

/* ---- in the server ---- */

struct arguments {
    char *argv[ARGS_MAX], text[TEXT_MAX];
    size_t n, used;
    bool overflow;
};

static void add(struct arguments *a, const char *name, const char *value)
{
    if (value == NULL)
        return;
    size_t room = sizeof a->text - a->used;
    int n = snprintf(a->text + a->used, room, "%s%s", name, value);
    if (n < 0 || (size_t)n >= room || a->n + 1 >= ARGS_MAX) {
        a->overflow = true;
        return;
    }
    a->argv[a->n++] = a->text + a->used;
    a->used += (size_t)n + 1;
}

static bool build_arguments(const struct process_spec *s, struct arguments *a)
{
    char mb[24];
    bool full = s->isolation == ISOLATION_FULL;
    a->n = a->used = 0;
    a->overflow = false;
    snprintf(mb, sizeof mb, "%lld", (long long)s->tmp_mb);
    add(a, "", "puddle-init");
    add(a, "mode=", full ? "full" : "none");
    add(a, "task=", s->task);
    add(a, "runtime=", s->runtime);
    add(a, "keep=", s->keep);
    add(a, "also=", s->also);
    add(a, "hide=", s->hide);
    add(a, "tmp=", full ? mb : s->tmp_dir);
    for (size_t i = 0; i < s->layer_count; i++)
        add(a, "layer=", s->layers[i]);
    for (size_t i = 0; i < s->extension_count; i++)
        add(a, "ext=", s->extensions[i]);
    add(a, "cwd=", s->cwd);
    if (s->spare)
        add(a, "", "spare=1");
    add(a, "", "--");
    for (size_t i = 0; s->argv[i] != NULL; i++)
        add(a, "", s->argv[i]);
    a->argv[a->n] = NULL;
    return !a->overflow;
}

static void close_all(int fds[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < 2; k++) {
            if (fds[i][k] >= 0)
                close(fds[i][k]);
        }
    }
}

/* Like vfork: the child borrows our memory, on a stack of its own, until its exec; so the size of
 * the server does not matter. */
static pid_t clone_child(struct child *c, enum isolation isolation, int *ret_pidfd)
{
    static char stack[STACK_BYTES] __attribute__((aligned(16)));
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    sigset_t all, before;
    c->user_namespace = false;
    if (isolation == ISOLATION_FULL) {
        flags |= CLONE_NEWNS | CLONE_NEWPID;
        c->user_namespace = geteuid() != 0;
        if (c->user_namespace)
            flags |= CLONE_NEWUSER;
    }
    snprintf(c->uid_map, sizeof c->uid_map, "%u %u 1\n", geteuid(), geteuid());
    snprintf(c->gid_map, sizeof c->gid_map, "%u %u 1\n", getegid(), getegid());
    sigfillset(&all); /* a handler must not run in the child */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(child_main, stack + STACK_BYTES, flags, c, ret_pidfd);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

int process_spawn(struct process *p, const struct process_spec *spec)
{
    static struct arguments a; /* loop thread only */
    int fds[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    size_t pipes = spec->spare ? 4 : 3;
    *p = (struct process){0, -1, -1, -1, -1, -1, spec->isolation};
    if (!build_arguments(spec, &a))
        return -E2BIG;
    struct child c = {.init_fd = init_program(),
                      .null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
                      .argv = a.argv,
                      .env = spec->env};
    bool ok = c.init_fd >= 0 && c.null_fd >= 0;
    for (size_t i = 0; ok && i < pipes; i++)
        ok = pipe2(fds[i], O_CLOEXEC) == 0;
    if (ok) {
        c.out = fds[0][1];
        c.err = fds[1][1];
        c.status = fds[2][1];
        c.control = fds[3][0];
        p->pid = clone_child(&c, spec->isolation, &p->pidfd);
        ok = p->pid > 0;
    }
    int error = errno;
    if (c.null_fd >= 0)
        close(c.null_fd);
    if (!ok) {
        p->pid = 0;
        close_all(fds, 4);
        return -error;
    }
    int *ends[] = {&p->out, &p->err, &p->status};
    for (size_t i = 0; i < 3; i++) {
        close(fds[i][1]);
        *ends[i] = fds[i][0];
        fcntl(fds[i][0], F_SETFL, O_NONBLOCK);
    }
    if (spec->spare) {
        close(fds[3][0]);
        p->control = fds[3][1];
        fcntl(p->control, F_SETFL, O_NONBLOCK);
    }
    return 0;
}

bool process_assign(struct process *p, const struct process_spec *spec, struct str message)
{
    struct buf b;
    buf_init(&b, SPARE_MAX);
    buf_add(&b, (struct str){"\0\0\0", 4}); /* the size: filled in below */
    if (spec->task != NULL)
        buf_addf(&b, "task=%s%c", spec->task, 0);
    if (spec->keep != NULL)
        buf_addf(&b, "keep=%s%c", spec->keep, 0);
    if (spec->also != NULL)
        buf_addf(&b, "also=%s%chide=%s%c", spec->also, 0, spec->hide, 0);
    buf_addf(&b, "tmp=%lld%c%c", (long long)spec->tmp_mb, 0, 0);
    buf_add(&b, message);
    bool ok = !b.overflow;
    if (ok) {
        uint32_t size = (uint32_t)(b.n - 4);
        memcpy(b.p, &size, 4);
        /* the pipe is empty and takes it whole */
        ok = write(p->control, b.p, b.n) == (ssize_t)b.n;
    }
    buf_release(&b);
    close(p->control);
    p->control = -1;
    return ok;
}

enum isolation process_isolation(const char **ret_why)
{
    static char *nothing[] = {NULL};
    static char why[96];
    struct process_spec spec = {
        .isolation = ISOLATION_FULL, .tmp_mb = 1, .argv = nothing, .env = nothing};
    struct process p;
    int index, status = 0, error = process_spawn(&p, &spec);
    *ret_why = why;
    if (error != 0) {
        snprintf(why, sizeof why, "namespaces: %s", strerror(-error));
        return ISOLATION_NONE;
    }
    struct pollfd wait = {.fd = p.pidfd, .events = POLLIN};
    if (poll(&wait, 1, PROBE_MS) <= 0)
        kill(p.pid, SIGKILL);
    char text[80] = "";
    ssize_t n = read(p.err, text, sizeof text - 1);
    enum process_end end = process_report(&p, &index, &status);
    process_reap(&p);
    process_close(&p);
    if (end == PROCESS_RUNTIME_ENDED)
        return ISOLATION_FULL;
    snprintf(why, sizeof why, "%.*s", n > 0 ? (int)strcspn(text, "\n") : 8,
             n > 0 ? text : "mounting");
    return ISOLATION_NONE;
}

enum process_end process_report(const struct process *p, int *ret_index, int *ret_status)
{
    struct init_report r;
    if (p->status < 0 || read(p->status, &r, sizeof r) != sizeof r)
        return PROCESS_NOTHING;
    *ret_index = r.index;
    *ret_status = r.status;
    return r.kind == INIT_RUNTIME_ENDED     ? PROCESS_RUNTIME_ENDED
           : r.kind == INIT_EXTENSION_ENDED ? PROCESS_EXTENSION_ENDED
                                            : PROCESS_FAILED;
}

/* In a pid namespace everything dies with its init; without one init does the killing. */
void process_kill(const struct process *p)
{
    if (p->pid > 0)
        kill(p->pid, p->isolation == ISOLATION_FULL ? SIGKILL : SIGTERM);
}

void process_kill_hard(const struct process *p)
{
    if (p->pid > 0)
        kill(p->pid, SIGKILL);
}

/* One small file of /proc, NUL-terminated; empty if it cannot be read. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
}

static void read_children(pid_t pid, char *text, size_t size)
{
    char name[48];
    snprintf(name, sizeof name, "task/%d/children", (int)pid);
    read_proc(pid, name, text, size);
}

/* The first child of init is the runtime, unless extensions were started before it. */
void process_signal_runtime(const struct process *p, int signal_number)
{
    char children[1024];
    pid_t last = 0;
    if (p->pid <= 0)
        return;
    read_children(p->pid, children, sizeof children);
    for (char *at = children; *at != '\0';) {
        char *end;
        pid_t pid = (pid_t)strtol(at, &end, 10);
        if (end == at)
            break;
        if (last == 0 || pid > last)
            last = pid;
        at = end;
    }
    if (last > 0)
        kill(last, signal_number);
}

void process_reap(struct process *p)
{
    while (p->pid > 0 && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    p->pid = 0;
}

void process_close(struct process *p)
{
    int *fds[] = {&p->pidfd, &p->out, &p->err, &p->status, &p->control};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static int64_t number_after(const char *text, const char *label)
{
    const char *at = strstr(text, label);
    return at == NULL ? 0 : strtoll(at + strlen(label), NULL, 10) * 1024;
}

static int64_t add_memory(pid_t pid, int depth, int64_t *peak)
{
    char text[4096];
    read_proc(pid, "status", text, sizeof text);
    int64_t own = number_after(text, "VmRSS:"), high = number_after(text, "VmHWM:"), sum = own;
    if (depth > 0 && high > *peak) /* init's own does not count */
        *peak = high;
    if (depth == 0)
        sum = 0;
    read_children(pid, text, sizeof text);
    for (char *at = text, *end; depth < 16 && *at != '\0'; at = end) {
        pid_t child = (pid_t)strtol(at, &end, 10);
        if (end == at)
            break;
        sum += add_memory(child, depth + 1, peak);
    }
    return sum;
}

int64_t process_memory(const struct process *p, int64_t *ret_peak)
{
    *ret_peak = 0;
    int64_t sum = p->pid > 0 ? add_memory(p->pid, 0, ret_peak) : 0;
    if (sum > *ret_peak)
        *ret_peak = sum;
    return sum;
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
