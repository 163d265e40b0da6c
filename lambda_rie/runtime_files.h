/* runtime_files.h - our runtime clients, embedded in the binary and written out at start. */
#ifndef PUDDLE_RUNTIME_FILES_H
#define PUDDLE_RUNTIME_FILES_H
/* nodejs/bootstrap.js, nodejs/preload.js below dir. 0 or -errno. */
int runtime_files_write(const char *dir);
#endif
