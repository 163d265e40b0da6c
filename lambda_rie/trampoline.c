#include "trampoline.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int trampoline_main(int argc, char **argv)
{
    if (argc < 5)
        return 126;
    /* kill -9 of the server takes the handlers along; it may have died before this line */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)strtol(argv[2], NULL, 10))
        return 126;
    setsid();
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit no_core = {0, 0}, files = {1024, 1024}; /* Lambda: 1,024 descriptors */
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_NOFILE, &files);
    if (close_range(3, ~0u, 0) != 0) {
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
    }
    if (chdir(argv[3]) != 0) {
        dprintf(2, "%s: %s\n", argv[3], strerror(errno));
        return 127;
    }
    execv(argv[4], argv + 4);
    dprintf(2, "%s: %s\n", argv[4], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
