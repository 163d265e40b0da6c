/* process.h - the only file that spawns. Call from the loop's thread only: the parent-death signal
 * fires when the spawning thread ends. */
#ifndef PUDDLE_PROCESS_H
#define PUDDLE_PROCESS_H
#include "str.h"
#include <sys/types.h>

/* What this machine lets us do, found out once by trying. */
enum isolation {
    ISOLATION_UNKNOWN,
    ISOLATION_FULL, /* own mount and pid namespace (and user namespace, unless root) */
    ISOLATION_NONE  /* a private folder as TMPDIR, Landlock where there is any */
};
enum { PROCESS_LAYERS_MAX = 16, PROCESS_EXTENSIONS_MAX = 16 };

struct process_spec {
    enum isolation isolation;
    const char *task;    /* bound at /var/task; NULL: none */
    const char *runtime; /* bound at /var/runtime */
    const char *keep;    /* stays where it is although it may lie below /tmp; NULL: none */
    const char *also;    /* one more, below /tmp; NULL: none */
    const char *hide;    /* not reachable */
    const char *tmp_dir; /* ISOLATION_NONE: the folder for temporary files */
    int64_t tmp_mb;      /* ISOLATION_FULL: size of /tmp */
    const char *layers[PROCESS_LAYERS_MAX], *extensions[PROCESS_EXTENSIONS_MAX];
    size_t layer_count, extension_count;
    bool spare; /* ISOLATION_FULL: waits for process_assign; only runtime and hide are used */
    const char *cwd;
    char *const *argv; /* argv[0]: the program */
    char *const *env;  /* the whole environment */
};
struct process {
    pid_t pid;                   /* of its init; 0: none */
    int pidfd, out, err, status; /* read ends, non-blocking; -1: closed */
    int control;                 /* of a spare: write end; -1: it has its function */
    enum isolation isolation;
};
/* 0 or -errno. */
int process_spawn(struct process *p, const struct process_spec *spec);
/* Gives a spare its function (task, keep, tmp_mb of spec); message goes to its program's standard
 * input. False: it cannot be had, kill it. */
bool process_assign(struct process *p, const struct process_spec *spec, struct str message);
/* Tries; the reason of ISOLATION_NONE in *ret_why (static). */
enum isolation process_isolation(const char **ret_why);

enum process_end {
    PROCESS_NOTHING,
    PROCESS_RUNTIME_ENDED,
    PROCESS_EXTENSION_ENDED,
    PROCESS_FAILED
};
/* The next report: *ret_index the extension, *ret_status as waitpid gives it. */
enum process_end process_report(const struct process *p, int *ret_index, int *ret_status);
/* Everything that belongs to it. */
void process_kill(const struct process *p);
/* A second time, when the first was not heard. */
void process_kill_hard(const struct process *p);
/* The runtime alone. */
void process_signal_runtime(const struct process *p, int signal_number);
/* After pidfd became readable. */
void process_reap(struct process *p);
void process_close(struct process *p);
/* Bytes of all its processes: resident now, and the larger of that and the runtime's own peak. */
int64_t process_memory(const struct process *p, int64_t *ret_peak);
/* First program of that name on our own PATH; empty if none. */
struct str process_find_program(const char *name, char *buffer, size_t size);
#endif
