/* The first process of an execution environment: a small program of its own, embedded in the server
 * (its start must not cost the loading of the server's libraries). It makes the handler's view of
 * the machine, starts the runtime and the extensions, reaps what they leave behind and reports on
 * descriptor 3 how they ended. In a pid namespace of its own its death takes everything along that
 * the handler started; without one it kills its descendants itself.
 *
 *   puddle-init OPTION=VALUE ... -- PROGRAM [ARGUMENT ...]
 *     mode=full    own mount and pid namespace: build the root
 *     mode=none    neither
 *     task=DIR     the code, at /var/task          runtime=DIR  our runtime clients, /var/runtime
 *     keep=DIR     seen where it is                hide=DIR     not reachable: the server's data
 *     layer=DIR    into /opt, later ones win       tmp=MIB      size of /tmp
 *     tmpdir=DIR   (mode=none) removed at the end  ext=PROGRAM  an extension to start
 *     cwd=DIR      where the program starts
 *     spare=1      (mode=full) the program waits on its standard input for what descriptor 4
 * brings: the options of a function, NUL after each and one more, then its message
 */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_FD = 3, CONTROL_FD = 4, EXTENSIONS_MAX = 16, MESSAGE_MAX = 60 * 1024 };

/* ---- without a pid namespace ---- */

static pid_t kill_children_of(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    pid_t found = 0;
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    for (char *at = text; *at != '\0';) {
        pid_t child = (pid_t)strtol(at, &at, 10);
        if (child <= 0)
            break;
        found = child;
        kill(child, SIGSTOP); /* so that it starts no more while its own are found */
        kill_children_of(child);
        kill(child, SIGKILL);
        while (*at == ' ')
            at++;
    }
    return found;
}

/* Orphans come to us (child subreaper): over when there is no child left. */
static void kill_descendants(void)
{
    do
        kill_children_of(getpid());
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

/* Nobody listens: the server is gone. Its pipes close before its death signal comes, and a runtime
 * may end in between: what it has started must not outlive us. */
static bool is_alone; /* without a pid namespace */

static void report(char kind, int index, int status)
{
    struct init_report r = {.kind = kind, .index = (unsigned char)index, .status = status};
    if (write(STATUS_FD, &r, sizeof r) >= 0)
        return;
    if (is_alone)
        kill_descendants();
    _exit(1);
}

static void fail(const char *what)
{
    dprintf(2, "puddle: the execution environment could not be made: %s: %s\n", what,
            strerror(errno));
    report(INIT_FAILED, 0, errno);
    _exit(1);
}

static void set_option(struct init_options *o, char *option)
{
    static const struct {
        const char *name;
        size_t offset;
    } texts[] = {{"task", offsetof(struct init_options, task)},
                 {"runtime", offsetof(struct init_options, runtime)},
                 {"keep", offsetof(struct init_options, keep)},
                 {"also", offsetof(struct init_options, also)},
                 {"hide", offsetof(struct init_options, hide)},
                 {"tmp", offsetof(struct init_options, tmp)},
                 {"cwd", offsetof(struct init_options, cwd)}};
    char *value = strchr(option, '=');
    if (value == NULL)
        return;
    *value++ = '\0';
    if (strcmp(option, "mode") == 0)
        o->full = strcmp(value, "full") == 0;
    else if (strcmp(option, "spare") == 0)
        o->spare = true;
    else if (strcmp(option, "layer") == 0 && o->layer_count < LAYERS_MAX)
        o->layers[o->layer_count++] = value;
    else if (strcmp(option, "ext") == 0 && o->extension_count < EXTENSIONS_MAX)
        o->extensions[o->extension_count++] = value;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        if (strcmp(option, texts[t].name) == 0)
            *(const char **)((char *)o + texts[t].offset) = value;
    }
}

static void parse(int argc, char **argv, struct init_options *o)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        set_option(o, argv[i]);
    o->program = argv + i + (i < argc);
}

/* What a handler may still do as root: nothing that reaches beyond its files. */
static void drop_privileges(void)
{
    static const int kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID};
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};
    unsigned keep = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        keep |= 1u << kept[i];
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int cap = 0; cap <= 63; cap++) {
        if (cap > 31 || !(keep >> cap & 1))
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    }
    if (geteuid() == 0)
        data[0].effective = data[0].permitted = keep;
    syscall(SYS_capset, &head, data);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void run(const char *cwd, char **argv, int input)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(STATUS_FD);
    close(CONTROL_FD);
    if (input >= 0 && (dup2(input, 0) < 0 || close(input) != 0))
        _exit(126);
    drop_privileges();
    if (cwd != NULL && chdir(cwd) != 0) {
        dprintf(2, "%s: %s\n", cwd, strerror(errno));
        _exit(127);
    }
    execv(argv[0], argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* Extensions do not see what is the runtime's. */
static void hide_runtime_variables(void)
{
    static const char *const hidden[] = {"AWS_EXECUTION_ENV",
                                         "AWS_LAMBDA_LOG_GROUP_NAME",
                                         "AWS_LAMBDA_LOG_STREAM_NAME",
                                         "LAMBDA_TASK_ROOT",
                                         "LAMBDA_RUNTIME_DIR",
                                         "NODE_OPTIONS",
                                         "NODE_PATH",
                                         "PYTHONPATH"};
    extern char **environ;
    char **to = environ;
    for (char **at = environ; *at != NULL; at++) {
        if ((*at)[0] != '_')
            *to++ = *at;
    }
    *to = NULL;
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        unsetenv(hidden[i]);
}

/* input: its standard input; -1: ours. */
static pid_t start(const char *cwd, char **argv, bool extension, int input)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        if (extension)
            hide_runtime_variables();
        run(cwd, argv, input);
    }
    return pid;
}

/* ---- the life ---- */

static void on_term(int signal_number)
{
    (void)signal_number;
    kill_descendants();
    _exit(0);
}

static void reap(pid_t runtime, const pid_t *extensions, int extension_count, bool full)
{
    int status, alive = extension_count;
    bool running = true;
    while (running || alive > 0) {
        pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            break;
        if (pid == runtime) {
            running = false;
            report(INIT_RUNTIME_ENDED, 0, status);
        }
        for (int i = 0; i < extension_count; i++) {
            if (pid == extensions[i]) {
                alive--;
                report(INIT_EXTENSION_ENDED, i, status);
            }
        }
    }
    if (!full)
        kill_descendants();
}

/* The function of a spare: its options make the rest of the root, its message goes to the program.
 * Does not return when the server has given up this spare, or is gone. */
static void take_function(int to_program)
{
    static char message[MESSAGE_MAX];
    struct init_options o = {0};
    uint32_t size = 0, have = 0;
    if (read(CONTROL_FD, &size, sizeof size) != sizeof size || size > sizeof message)
        _exit(0);
    while (have < size) {
        ssize_t n = read(CONTROL_FD, message + have, size - have);
        if (n <= 0)
            _exit(0);
        have += (uint32_t)n;
    }
    close(CONTROL_FD);
    char *at = message, *end = message + size;
    while (at < end && *at != '\0') {
        size_t n = strnlen(at, (size_t)(end - at));
        set_option(&o, at);
        at += n + 1;
    }
    at++;
    const char *wrong = init_assign_root(&o);
    if (wrong != NULL)
        fail(wrong);
    drop_privileges();
    while (at < end) {
        ssize_t n = write(to_program, at, (size_t)(end - at));
        if (n < 0 && errno != EINTR)
            break; /* it has ended: reap tells */
        at += n > 0 ? n : 0;
    }
    close(to_program);
}

int main(int argc, char **argv)
{
    struct init_options o = {0};
    pid_t extensions[EXTENSIONS_MAX];
    if (argc < 2)
        return 126;
    parse(argc, argv, &o);
    struct rlimit no_core = {0, 0}, files = {1024, 1024}; /* Lambda: 1,024 descriptors */
    prctl(PR_SET_PDEATHSIG, o.full ? SIGKILL : SIGTERM);
    /* the server may have died before that line: then nobody reads the reports */
    struct pollfd reader = {.fd = STATUS_FD};
    if (poll(&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLNVAL)) != 0)
        return 126;
    fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC);
    fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
    int first = o.spare ? CONTROL_FD + 1 : CONTROL_FD;
    if (close_range((unsigned)first, ~0u, 0) != 0) {
        for (int fd = first; fd < 1024; fd++)
            close(fd);
    }
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_NOFILE, &files);
    setsid();
    umask(022);
    if (o.full) {
        const char *wrong = init_build_root(&o);
        if (wrong != NULL)
            fail(wrong);
    } else {
        struct sigaction term = {.sa_handler = on_term};
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        sigaction(SIGTERM, &term, NULL);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        is_alone = true;
        if (o.hide != NULL)
            init_landlock(&o);
    }
    if (o.program[0] == NULL) { /* a probe: it works */
        report(INIT_RUNTIME_ENDED, 0, 0);
        return 0;
    }
    for (int i = 0; i < o.extension_count; i++) {
        char *arguments[] = {(char *)o.extensions[i], NULL};
        extensions[i] = start("/", arguments, true, -1);
    }
    int input[2] = {-1, -1};
    if (o.spare && pipe2(input, O_CLOEXEC) != 0)
        fail("pipe");
    pid_t runtime = start(o.cwd, o.program, false, input[0]);
    signal(SIGPIPE, SIG_IGN);
    if (o.spare) {
        close(input[0]);
        take_function(input[1]);
    } else {
        drop_privileges();
    }
    close(0);
    close(1); /* the pipes end with the last of the handler's processes */
    close(2);
    reap(runtime, extensions, o.extension_count, o.full);
    return 0;
}
