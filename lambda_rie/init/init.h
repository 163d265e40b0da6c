/* init.h - what the parts of puddle-init share, and what it reports to the server (process.c). */
#ifndef PUDDLE_INIT_H
#define PUDDLE_INIT_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { LAYERS_MAX = 16 };
enum { INIT_RUNTIME_ENDED = 'r', INIT_EXTENSION_ENDED = 'e', INIT_FAILED = 'f' };
struct init_report { /* on descriptor 3, each in one write */
    char kind;
    unsigned char index; /* of the extension */
    int status;          /* as waitpid gives it; errno of INIT_FAILED */
};
struct init_options {
    bool full;
    bool spare; /* started ahead: the function comes later, over descriptor 4 */
    const char *task, *runtime, *keep, *hide, *tmp, *cwd;
    const char *also; /* a second folder below /tmp that is kept */
    const char *layers[LAYERS_MAX], *extensions[16];
    int layer_count, extension_count;
    char **program;
};
/* The root of the handler: the machine's, read-only, with Lambda's own folders. NULL, or what
 * failed (errno says why). */
const char *init_build_root(const struct init_options *o);
/* The part that a spare's function brings: code, folder, /tmp. The old root goes only now. */
const char *init_assign_root(const struct init_options *o);
/* Denies everything below o->hide except the code and the runtime. Best effort. */
void init_landlock(const struct init_options *o);
#endif
