/* file.h - the few whole-file helpers. They block: start-up, template and helper threads only.
 * All return 0 or -errno and follow no link that they are not told to. */
#ifndef PUDDLE_FILE_H
#define PUDDLE_FILE_H
#include "arena.h"

/* Whole file into the arena; -EFBIG above max_bytes. */
int file_read(struct arena *a, const char *path, size_t max_bytes, struct str *ret_content);
/* Temporary file beside it, then rename: readers see the old or the new content, never a mix. */
int file_write_atomic(const char *path, struct str content, unsigned mode);
int file_mkdirs(const char *path, unsigned mode); /* like mkdir -p */
/* Like rm -rf; a missing path is fine; symbolic links are removed, not followed. */
int file_remove_tree(const char *path);
#endif
