/* process.h - the only file that spawns. Call from the loop's thread only: the parent-death signal
 * fires when the spawning thread ends. */
#ifndef PUDDLE_PROCESS_H
#define PUDDLE_PROCESS_H
#include "str.h"
#include <sys/types.h>

struct process {
    pid_t pid;           /* 0: none */
    int pidfd, out, err; /* read ends, non-blocking; -1: closed */
};
/* argv[0] is the program; env is the whole environment. 0 or -errno. */
int process_spawn(struct process *p, const char *cwd, char *const argv[], char *const env[]);
/* The whole process group. */
void process_kill(const struct process *p, int signal_number);
/* After pidfd became readable: reaps. *ret_signaled tells which of exit status or signal number
 * *ret_code is. */
void process_reap(struct process *p, bool *ret_signaled, int *ret_code);
void process_close(struct process *p);
/* Resident and peak resident memory in bytes; 0 when it cannot be read. */
int64_t process_rss(const struct process *p);
int64_t process_peak_rss(const struct process *p);
/* First program of that name on our own PATH; empty if none. The result is static. */
struct str process_find_program(const char *name, char *buffer, size_t size);
#endif
